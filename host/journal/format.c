/* format.c - making and checking the words of the journal's format. */
#include "journal/format.h"

#include <string.h>

#include "base/hash.h"

const char *journal_class_name(enum journal_class class)
{
    static const char *const names[] = {"?", "input", "effect", "side", "meta"};
    return class >= JOURNAL_INPUT && class <= JOURNAL_META ? names[class] : names[0];
}

uint64_t word_of(uint32_t seed, char what, uint32_t number)
{
    struct {
        uint32_t number, what;
    } covered = {number, (uint32_t)what};
    return (uint64_t)crc32c(seed, &covered, sizeof covered) << 32 | number;
}

bool word_read(uint64_t word, uint32_t seed, char what, uint32_t *number_out)
{
    *number_out = (uint32_t)word;
    return word != 0 && word == word_of(seed, what, (uint32_t)word);
}

uint32_t segment_id_crc(const struct segment_id *id)
{
    return crc32c(0, id, offsetof(struct segment_id, crc));
}

uint64_t segment_link_word(const struct segment_link *link, uint32_t seed)
{
    return word_of(crc32c(seed, link, offsetof(struct segment_link, word)), 'l', 1);
}

uint64_t segment_chain_word(const struct segment_chain *chain, uint32_t seed)
{
    return word_of(crc32c(seed, chain, offsetof(struct segment_chain, word)), 'c', 1);
}

/* Place of the first byte that is not zero; len: all are. */
static size_t first_byte(const unsigned char *bytes, size_t len)
{
    size_t at = 0;
    while (at < len && bytes[at] == 0)
        at++;
    return at;
}

static enum weir_err damaged(struct why *why, size_t offset, const char *what)
{
    return because(why, WEIR_E_CORRUPT, "offset %zu: %s is damaged", offset, what);
}

static enum weir_err identity_check(const struct segment_id *id, uint32_t number, struct why *why)
{
    if (memcmp(id->magic, JOURNAL_MAGIC, sizeof id->magic) != 0)
        return because(why, WEIR_E_CORRUPT,
                       "offset 0: not a journal segment (expected it to begin with \"%s\")",
                       JOURNAL_MAGIC);
    if (id->crc != segment_id_crc(id))
        return damaged(why, 0, "the identity in the head");
    if (id->version != JOURNAL_VERSION)
        return because(why, WEIR_E_UNSUPPORTED,
                       "offset 8: journal format version %u; this build reads version %d",
                       (unsigned)id->version, JOURNAL_VERSION);
    if (id->number != number)
        return because(why, WEIR_E_CORRUPT,
                       "offset 12: segment number %u, expected %u as in the file's name",
                       (unsigned)id->number, (unsigned)number);
    if (id->bytes < SEGMENT_BYTES_MIN || id->bytes > SEGMENT_BYTES_MAX || id->bytes % SEGMENT_HEAD)
        return because(why, WEIR_E_CORRUPT,
                       "offset 16: size of the segment %llu, expected %d to %d in pages of %d",
                       (unsigned long long)id->bytes, SEGMENT_BYTES_MIN, SEGMENT_BYTES_MAX,
                       SEGMENT_HEAD);
    return WEIR_OK;
}

/* Parts that are set one after the other: none may be set to something else. */
static enum weir_err words_check(const struct segment_head *head, struct why *why)
{
    uint32_t seed = head->id.crc, number;
    if (head->link.word != 0 && head->link.word != segment_link_word(&head->link, seed))
        return damaged(why, offsetof(struct segment_head, link), "the link in the head");
    if (head->next != 0 &&
        (!word_read(head->next, seed, 'n', &number) || number != head->id.number + 1))
        return damaged(why, offsetof(struct segment_head, next), "the word `next` in the head");
    if (head->chain.word != 0 && head->chain.word != segment_chain_word(&head->chain, seed))
        return damaged(why, offsetof(struct segment_head, chain), "the hash in the head");
    if (head->durable != 0 &&
        (!word_read(head->durable, seed, 'd', &number) || (uint64_t)number * 8 > head->id.bytes))
        return damaged(why, offsetof(struct segment_head, durable),
                       "the word `durable` in the head");
    size_t at = first_byte(head->zero, sizeof head->zero);
    if (at < sizeof head->zero)
        return because(why, WEIR_E_CORRUPT, "offset %zu: byte %u, expected 0",
                       offsetof(struct segment_head, zero) + at, (unsigned)head->zero[at]);
    return WEIR_OK;
}

enum weir_err segment_head_check(const struct segment_head *head, uint32_t number, struct why *why)
{
    enum weir_err err = identity_check(&head->id, number, why);
    return err == WEIR_OK ? words_check(head, why) : err;
}

uint32_t record_crc(const void *record, uint32_t size, uint32_t seed)
{
    const unsigned char *from = (const unsigned char *)record + sizeof(uint64_t);
    return crc32c(seed ^ size, from, RECORD_HEAD - sizeof(uint64_t) + size);
}

uint32_t record_put(void *record, const struct record_head *head, const void *msg, uint32_t size,
                    uint32_t seed)
{
    unsigned char *to = record;
    uint32_t crc = crc32c_copy(seed ^ size, to + sizeof head->word, &head->seq,
                               RECORD_HEAD - sizeof head->word);
    return crc32c_copy(crc, to + RECORD_HEAD, msg, size);
}

bool record_is_good(const void *record, uint64_t room, uint64_t offset, uint32_t seed)
{
    struct record_head head;
    if (room < RECORD_HEAD)
        return false;
    memcpy(&head, record, sizeof head);
    uint32_t size = (uint32_t)head.word;
    return size >= sizeof(struct weir_msg) && size % 8 == 0 && size <= RECORD_MAX &&
           size <= room - RECORD_HEAD && head.class >= JOURNAL_INPUT &&
           head.class <= JOURNAL_META && (head.zero[0] | head.zero[1] | head.zero[2]) == 0 &&
           (uint64_t)head.place * 8 == offset && record_crc(record, size, seed) == head.word >> 32;
}
