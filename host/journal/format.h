/* format.h - how a journal lies on the disk, version 2 (1 had other decisions).
 *
 * A journal is a folder of segments NNNNNNNN.weir, numbered from 1 without a hole. Everything is
 * little-endian. A segment is one page of head and then records, one after the other; what no
 * record has reached yet is zero.
 *
 * HEAD      0  identity, 64 bytes, written once; its crc is the segment's `seed`
 *          64  link: where the segment before ended. Set when this one is begun; 0 until then
 *          96  next: the number of the segment that follows. Set when that one is begun
 *         104  chain: SHA-256 of all INPUT and EFFECT messages before this segment
 *         144  durable: records up to this offset were reported durable
 *
 * RECORD    0  u32 size of the message, a multiple of 8     8  u64 sequence
 *           4  u32 crc32c                                  16  u8 class, 3 zeros
 *          24  the message (struct weir_msg ...)           20  u32 place: own offset / 8
 *
 *          The crc is of bytes 8 .. 24 + size and begins with seed ^ size, so a record is good in
 *          its own place of its own segment only: what was moved, copied or left over is refused.
 *          Size and crc are one word and are stored last: a reader sees a whole record or a zero.
 *
 * SEQUENCE  META_BEGIN is 1. Each INPUT and EFFECT record takes the next number; SIDE and META
 *          records repeat the last one, since how many there are depends on the machine, and the
 *          numbers that the engine sees must not.
 *
 * WORDS    link, next, chain and durable each end in one word that holds a crc and is stored last,
 *          alone: 0 is "not yet", anything that does not check is damage. */
#ifndef WEIR_JOURNAL_FORMAT_H
#define WEIR_JOURNAL_FORMAT_H

#include <stdbool.h>

#include "base/why.h"
#include "weir/event.h"

#define JOURNAL_MAGIC "weirjrnl"

enum {
    JOURNAL_VERSION = 2,
    SEGMENT_HEAD = 4096,
    RECORD_HEAD = 24,
    RECORD_MAX = 1 << 20, /* largest message; also at most half of what a segment holds */
    SEGMENT_BYTES_MIN = 16 << 10,
    SEGMENT_BYTES_MAX = 1 << 30,
    SEGMENT_BYTES_DEFAULT = 64 << 20,
    SEGMENT_NUMBER_MAX = 99999999,
    BOOT_ID_BYTES = 16,
    JOURNAL_HASH_BYTES = 32
};

enum journal_class { JOURNAL_INPUT = 1, JOURNAL_EFFECT, JOURNAL_SIDE, JOURNAL_META };
const char *journal_class_name(enum journal_class class); /* "input" ...; "?" outside */

struct segment_id {
    char magic[8];
    uint32_t version;
    uint32_t number;
    uint64_t bytes;   /* of the file, preallocated; when it is left, it is cut to what is used */
    uint64_t journal; /* drawn when the journal was made; the same in all its segments */
    weir_ns created;  /* wall clock */
    unsigned char boot[BOOT_ID_BYTES]; /* of the machine when the segment was made; 0: not known */
    uint32_t instance;
    uint32_t crc; /* of all above */
};

struct segment_link {
    uint64_t first_seq; /* what the next INPUT or EFFECT record is numbered */
    uint64_t
        before_end; /* offset in the segment before at which its records end; 0: there is none */
    uint64_t before_cut; /* bytes after that which were cut off as torn: they may be anything */
    uint64_t word;
};

struct segment_chain {
    unsigned char hash[JOURNAL_HASH_BYTES];
    uint64_t word;
};

struct segment_head {
    struct segment_id id;
    struct segment_link link;
    uint64_t next;
    struct segment_chain chain;
    uint64_t durable; /* offset / 8 */
    unsigned char zero[SEGMENT_HEAD - 152];
};

struct record_head {
    uint64_t word; /* size | crc << 32; 0: no record here yet */
    uint64_t seq;
    uint8_t class;
    uint8_t zero[3];
    uint32_t place;
};

_Static_assert(sizeof(struct segment_id) == 64, "the layout is a contract");
_Static_assert(offsetof(struct segment_head, link) == 64, "the layout is a contract");
_Static_assert(offsetof(struct segment_head, next) == 96, "the layout is a contract");
_Static_assert(offsetof(struct segment_head, chain) == 104, "the layout is a contract");
_Static_assert(offsetof(struct segment_head, durable) == 144, "the layout is a contract");
_Static_assert(sizeof(struct segment_head) == SEGMENT_HEAD, "the layout is a contract");
_Static_assert(sizeof(struct record_head) == RECORD_HEAD, "the layout is a contract");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "messages are stored as they are");

/* The largest message that a segment of so many bytes takes. */
static inline uint64_t record_max(uint64_t segment_bytes)
{
    uint64_t half = ((segment_bytes - SEGMENT_HEAD) / 2 - RECORD_HEAD) & ~(uint64_t)7;
    return half < RECORD_MAX ? half : RECORD_MAX;
}

/* One number and its crc in one word. what: a letter for the place it stands in. */
uint64_t word_of(uint32_t seed, char what, uint32_t number);
bool word_read(uint64_t word, uint32_t seed, char what,
               uint32_t *number_out); /* false: 0 or damage */

uint32_t segment_id_crc(const struct segment_id *id);
uint64_t segment_link_word(const struct segment_link *link, uint32_t seed);
uint64_t segment_chain_word(const struct segment_chain *chain, uint32_t seed);

/* Is this a head that this version can read? number: as the file's name says. */
enum weir_err segment_head_check(const struct segment_head *head, uint32_t number,
                                 struct why *why) WEIR_MUST_USE;

/* The crc of a record that lies at `record`, whole. */
uint32_t record_crc(const void *record, uint32_t size, uint32_t seed);

/* Write all of a record but its first word; its crc. */
uint32_t record_put(void *record, const struct record_head *head, const void *msg, uint32_t size,
                    uint32_t seed);

/* Is a whole record here? room: bytes that may be read. Checks everything but the sequence. */
bool record_is_good(const void *record, uint64_t room, uint64_t offset, uint32_t seed);

#endif
