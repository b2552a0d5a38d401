/* reader.c - record after record, segment after segment.
 *
 * ORDER    At the end of what is there, the head is read first, then whether a successor has begun,
 *          then the record again: so what a running writer does in between makes us stop early at
 *          worst, and never wrongly. [at_end]
 * UNBEGUN  The writer makes one segment ahead. A file without a link is that one: it is not part of
 *          the journal yet, and nothing may be in it or behind it. [successor] */
#include "journal/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "journal/folder.h"
#include "journal/window.h"

struct reader {
    int folder;
    struct window window;
    struct segment_head head; /* of the present segment */
    uint32_t segment;         /* its number; 0: none yet */
    uint64_t offset;
    uint64_t limit; /* where its records end, as the successor says; 0: it is the last */
    uint64_t limit_cut;
    unsigned char boot[BOOT_ID_BYTES];
    bool follow;
    struct sha256 *hash;        /* NULL: not wanted */
    struct reader_mark entered; /* the present segment; only with a hash */
    struct journal_extent extent;
    uint64_t seq;
};

/* --- segments -------------------------------------------------------------------------------- */

/* The open file of a segment. E_NOT_FOUND: there is none. */
static enum weir_err open_segment(struct reader *reader, uint32_t number, int *fd_out,
                                  struct why *why)
{
    char name[SEGMENT_NAME_MAX];
    segment_name(number, name);
    *fd_out = openat(reader->folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (*fd_out >= 0)
        return WEIR_OK;
    return because(why, errno == ENOENT ? WEIR_E_NOT_FOUND : WEIR_E_IO, "cannot open it: %s",
                   strerror(errno));
}

static enum weir_err read_head(int fd, struct segment_head *head, struct why *why)
{
    size_t len = 0;
    memset(head, 0, sizeof *head); /* of a file that is too short, the rest is zero */
    while (len < sizeof *head) {
        ssize_t got = pread(fd, (unsigned char *)head + len, sizeof *head - len, (off_t)len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return because(why, WEIR_E_IO, "offset %zu: cannot read: %s", len, strerror(errno));
        if (got == 0)
            break;
        len += (size_t)got;
    }
    return WEIR_OK;
}

/* A head changes while it is read only when the journal is being written: then look again. */
static enum weir_err steady_head(int fd, uint32_t number, struct segment_head *head,
                                 struct why *why)
{
    enum weir_err err = WEIR_E_CORRUPT;
    for (int tries = 0; tries < 3 && err == WEIR_E_CORRUPT; tries++) {
        err = read_head(fd, head, why);
        if (err == WEIR_OK)
            err = segment_head_check(head, number, why);
    }
    return err;
}

static enum weir_err same_journal(const struct reader *reader, const struct segment_head *head,
                                  struct why *why)
{
    if (reader->extent.journal == 0 || head->id.journal == reader->extent.journal)
        return WEIR_OK;
    return because(why, WEIR_E_CORRUPT,
                   "offset 24: of journal %016llx, expected %016llx as the segments before it",
                   (unsigned long long)head->id.journal,
                   (unsigned long long)reader->extent.journal);
}

static bool same_boot(const struct reader *reader, const struct segment_head *head)
{
    return memcmp(reader->boot, head->id.boot, sizeof reader->boot) == 0;
}

/* A segment made ahead: nothing may have been written into it, and nothing may be behind it; only
 * what a power loss left is not so strict, since heads that were never synced may be lost. */
static enum weir_err unbegun_check(const struct reader *reader, int fd,
                                   const struct segment_head *head, struct why *why)
{
    uint64_t first = 0;
    char after[SEGMENT_NAME_MAX];
    if (head->durable == 0 && !same_boot(reader, head))
        return WEIR_OK;
    segment_name(head->id.number + 1, after);
    if (faccessat(reader->folder, after, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return because(why, WEIR_E_CORRUPT, "the segment was never begun, and %s is behind it",
                       after);
    if (pread(fd, &first, sizeof first, SEGMENT_HEAD) < 0)
        return because(why, WEIR_E_IO, "offset %d: cannot read: %s", SEGMENT_HEAD, strerror(errno));
    if ((first | head->next | head->chain.word | head->durable) == 0)
        return WEIR_OK;
    return because(why, WEIR_E_CORRUPT,
                   "offset %zu: the segment has records and does not say what it follows",
                   offsetof(struct segment_head, link));
}

struct successor {
    bool begun;
    bool there;
    struct segment_head head;
};

static enum weir_err look_at(struct reader *reader, uint32_t number, struct successor *successor,
                             struct why *why)
{
    int fd;
    *successor = (struct successor){0};
    enum weir_err err = open_segment(reader, number, &fd, why);
    if (err == WEIR_E_NOT_FOUND)
        return WEIR_OK;
    if (err != WEIR_OK)
        return err;
    successor->there = true;
    err = steady_head(fd, number, &successor->head, why);
    if (err == WEIR_OK)
        err = same_journal(reader, &successor->head, why);
    successor->begun = successor->head.link.word != 0;
    if (err == WEIR_OK && !successor->begun)
        err = unbegun_check(reader, fd, &successor->head, why);
    close(fd);
    return err;
}

static enum weir_err in_segment(enum weir_err err, uint32_t number, struct why *why)
{
    if (err != WEIR_OK)
        while_doing(why, "%08u.weir", (unsigned)number);
    return err;
}

/* Does a segment follow the present one, and where does the present one end then? */
static enum weir_err successor(struct reader *reader, struct why *why)
{
    struct successor after;
    uint32_t number = reader->segment + 1;
    enum weir_err err = look_at(reader, number, &after, why);
    if (err == WEIR_E_CORRUPT) /* it may have begun while we looked */
        err = look_at(reader, number, &after, why);
    if (err != WEIR_OK)
        return in_segment(err, number, why);
    if (reader->head.next != 0 && !after.there)
        return because(why, WEIR_E_CORRUPT, "segment %08u.weir is missing: the one before has it",
                       (unsigned)number);
    if (reader->head.next != 0 && !after.begun && same_boot(reader, &after.head))
        return in_segment(because(why, WEIR_E_CORRUPT,
                                  "offset %zu: it does not say what it follows, and the segment "
                                  "before says that it has begun",
                                  offsetof(struct segment_head, link)),
                          number, why);
    if (!after.begun)
        return WEIR_OK;
    reader->limit = after.head.link.before_end;
    reader->limit_cut = after.head.link.before_cut;
    if (reader->limit < SEGMENT_HEAD || reader->limit > reader->head.id.bytes ||
        reader->limit % 8 != 0)
        return in_segment(because(why, WEIR_E_CORRUPT,
                                  "offset %zu: it follows offset %llu of the segment before, "
                                  "expected an offset in it",
                                  offsetof(struct segment_head, link.before_end),
                                  (unsigned long long)reader->limit),
                          number, why);
    return WEIR_OK;
}

/* What a head says of all that came before it. */
static enum weir_err follows(const struct reader *reader, const struct segment_head *head,
                             struct why *why)
{
    unsigned char hash[JOURNAL_HASH_BYTES];
    if (head->link.first_seq != reader->seq + 1)
        return because(why, WEIR_E_CORRUPT, "offset %zu: begins with sequence %llu, expected %llu",
                       offsetof(struct segment_head, link),
                       (unsigned long long)head->link.first_seq,
                       (unsigned long long)reader->seq + 1);
    if (!reader->hash || head->chain.word == 0)
        return WEIR_OK;
    sha256_value(reader->hash, hash);
    if (memcmp(hash, head->chain.hash, sizeof hash) != 0)
        return because(why, WEIR_E_CORRUPT,
                       "offset %zu: the hash of all before is not that of the records read",
                       offsetof(struct segment_head, chain));
    return WEIR_OK;
}

/* Go to segment `number`. E_NOT_FOUND: it is not there, or has not begun. */
static enum weir_err enter(struct reader *reader, uint32_t number, bool check_order,
                           struct why *why)
{
    struct segment_head head;
    int fd;
    enum weir_err err = open_segment(reader, number, &fd, why);
    if (err != WEIR_OK)
        return err == WEIR_E_NOT_FOUND ? err : in_segment(err, number, why);
    err = steady_head(fd, number, &head, why);
    if (err == WEIR_OK)
        err = same_journal(reader, &head, why);
    if (err == WEIR_OK && head.link.word == 0) {
        err = unbegun_check(reader, fd, &head, why);
        if (err == WEIR_OK)
            err = because(why, WEIR_E_NOT_FOUND, "it has not begun");
    }
    if (err == WEIR_OK && check_order)
        err = follows(reader, &head, why);
    if (err != WEIR_OK) {
        close(fd);
        return err == WEIR_E_NOT_FOUND ? err : in_segment(err, number, why);
    }
    window_set(&reader->window, fd);
    reader->head = head;
    reader->segment = reader->extent.segments = number;
    reader->offset = SEGMENT_HEAD;
    reader->limit = reader->limit_cut = 0;
    reader->extent.journal = head.id.journal;
    if (reader->hash)
        reader_mark(reader, &reader->entered);
    return successor(reader, why);
}

/* --- records --------------------------------------------------------------------------------- */

/* A good record at the present offset; NULL and WEIR_OK: there is none. */
static enum weir_err good_record(struct reader *reader, const struct record_head **record_out,
                                 struct why *why)
{
    uint64_t bytes = reader->limit ? reader->limit : reader->head.id.bytes;
    uint64_t room = bytes - reader->offset;
    *record_out = NULL;
    if (room < RECORD_HEAD)
        return WEIR_OK;
    const struct record_head *record =
        window_view(&reader->window, reader->offset, RECORD_HEAD, why);
    if (!record)
        return why->err;
    uint32_t size = (uint32_t)record->word;
    if (size > RECORD_MAX || size > room - RECORD_HEAD)
        return WEIR_OK;
    record = window_view(&reader->window, reader->offset, RECORD_HEAD + size, why);
    if (!record)
        return why->err;
    if (record_is_good(record, room, reader->offset, reader->head.id.crc))
        *record_out = record;
    return WEIR_OK;
}

static enum weir_err bad_sequence(const struct reader *reader, uint64_t found, uint64_t expected,
                                  struct why *why)
{
    return because(why, WEIR_E_CORRUPT, "offset %llu: a record with sequence %llu, expected %llu",
                   (unsigned long long)reader->offset, (unsigned long long)found,
                   (unsigned long long)expected);
}

static enum weir_err end_check(const struct reader *reader, const struct meta_end *end,
                               struct why *why)
{
    unsigned char hash[JOURNAL_HASH_BYTES];
    if (!reader->hash)
        return WEIR_OK;
    sha256_value(reader->hash, hash);
    if (memcmp(hash, end->hash, sizeof hash) == 0 && end->inputs == reader->extent.inputs &&
        end->effects == reader->extent.effects)
        return WEIR_OK;
    return because(why, WEIR_E_CORRUPT,
                   "offset %llu: the end record tells another hash than that of the records before",
                   (unsigned long long)reader->offset);
}

/* Is this record in its place in the sequence, and a message that we know? */
static enum weir_err sequence_check(const struct reader *reader, const struct record_head *record,
                                    const struct weir_msg *msg, struct why *why)
{
    bool counts = record->class <= JOURNAL_EFFECT;
    uint64_t expected = reader->seq + counts;
    enum weir_err err =
        message_check((enum journal_class)record->class, msg, (uint32_t)record->word, why);
    if (err != WEIR_OK) {
        while_doing(why, "offset %llu", (unsigned long long)reader->offset);
        return err;
    }
    if (msg->kind == META_BEGIN)
        expected = reader->seq == 0 ? 1 : 0; /* 0: it stands in no other place */
    else if (reader->seq == 0)
        return because(why, WEIR_E_CORRUPT, "offset %llu: `%s` as first record, expected `begin`",
                       (unsigned long long)reader->offset, kind_find(msg->kind)->name);
    if (record->seq != expected)
        return bad_sequence(reader, record->seq, expected, why);
    if (msg->kind == META_END)
        return end_check(reader, (const struct meta_end *)(const void *)msg, why);
    return WEIR_OK;
}

static void count(struct reader *reader, const struct record_head *record,
                  const struct weir_msg *msg)
{
    struct journal_extent *extent = &reader->extent;
    reader->seq = record->seq;
    reader->offset += RECORD_HEAD + msg->size;
    extent->records++;
    extent->inputs += record->class == JOURNAL_INPUT;
    extent->effects += record->class == JOURNAL_EFFECT;
    extent->closed = msg->kind == META_END;
    if (record->class <= JOURNAL_EFFECT && reader->hash)
        sha256_add(reader->hash, msg, msg->size);
}

static enum weir_err give(struct reader *reader, const struct record_head *record,
                          struct journal_record *record_out, struct why *why)
{
    const struct weir_msg *msg = (const struct weir_msg *)(const void *)(record + 1);
    if (reader->extent.closed && reader->offset > SEGMENT_HEAD)
        return because(why, WEIR_E_CORRUPT, "offset %llu: a record behind the end record",
                       (unsigned long long)reader->offset);
    enum weir_err err = sequence_check(reader, record, msg, why);
    if (err != WEIR_OK)
        return err;
    *record_out = (struct journal_record){.seq = record->seq,
                                          .class = (enum journal_class)record->class,
                                          .segment = reader->segment,
                                          .offset = reader->offset,
                                          .msg = msg};
    count(reader, record, msg);
    return WEIR_OK;
}

/* --- the end --------------------------------------------------------------------------------- */

static bool nothing_here(struct reader *reader, struct why *why)
{
    if (reader->head.id.bytes - reader->offset < RECORD_HEAD)
        return true;
    const uint64_t *word = window_view(&reader->window, reader->offset, sizeof *word, why);
    return word && *word == 0;
}

/* Nothing good here: is that the end of the journal? E_NOT_FOUND: yes. WEIR_OK: look again. */
static enum weir_err at_end(struct reader *reader, struct why *why)
{
    const struct record_head *record;
    struct segment_head head;
    uint32_t durable = 0;
    enum weir_err err = steady_head(reader->window.fd, reader->segment, &head, why);
    if (err != WEIR_OK)
        return in_segment(err, reader->segment, why);
    reader->head = head;
    err = successor(reader, why);
    if (err != WEIR_OK || reader->limit != 0)
        return err;
    window_forget(&reader->window);
    err = good_record(reader, &record, why);
    if (err != WEIR_OK || record)
        return in_segment(err, reader->segment, why);
    if (reader->follow && nothing_here(reader, why)) {
        window_forget(&reader->window);
        return because(why, WEIR_E_NOT_FOUND, "the end of the journal as it is now");
    }
    (void)word_read(head.durable, head.id.crc, 'd', &durable);
    struct tail tail = {.window = &reader->window,
                        .id = &reader->head.id,
                        .end = reader->offset,
                        .durable = (uint64_t)durable * 8,
                        .same_boot = same_boot(reader, &head)};
    err = reader->extent.closed ? tail_is_zero(&reader->window, reader->offset, head.id.bytes, why)
                                : tail_judge(&tail, &reader->extent.cut, why);
    window_forget(&reader->window); /* more may come */
    if (err == WEIR_OK)
        return because(why, WEIR_E_NOT_FOUND, "the end of the journal");
    struct why
        later; /* what lies behind may have been written, and this before it, while we looked */
    if (good_record(reader, &record, &later) == WEIR_OK && record)
        return WEIR_OK;
    return in_segment(err, reader->segment, why);
}

/* The present segment has a successor, and this is the offset at which it ends. */
static enum weir_err leave(struct reader *reader, struct why *why)
{
    enum weir_err err = WEIR_OK;
    if (reader->limit_cut == 0)
        err = tail_is_zero(&reader->window, reader->offset, reader->head.id.bytes, why);
    if (err != WEIR_OK)
        return in_segment(err, reader->segment, why);
    err = enter(reader, reader->segment + 1, true, why);
    return err == WEIR_E_NOT_FOUND
               ? because(why, WEIR_E_CORRUPT, "segment %08u.weir went away while it was read",
                         (unsigned)reader->segment + 1)
               : err;
}

/* No good record at the present offset. WEIR_OK: go on there. */
static enum weir_err no_record(struct reader *reader, struct why *why)
{
    char note[80];
    if (reader->limit == 0)
        return at_end(reader, why);
    if (reader->offset == reader->limit)
        return leave(reader, why);
    /* what was read ahead may be older than the successor */
    window_forget(&reader->window);
    const struct record_head *record;
    enum weir_err err = good_record(reader, &record, why);
    if (err == WEIR_OK && !record) {
        snprintf(note, sizeof note, " (the next segment says that this one ends at offset %llu)",
                 (unsigned long long)reader->limit);
        err = record_refused(&reader->window, &reader->head.id, reader->offset, note, why);
    }
    return in_segment(err, reader->segment, why);
}

enum weir_err reader_next(struct reader *reader, struct journal_record *record_out, struct why *why)
{
    if (reader->segment == 0) {
        enum weir_err err = enter(reader, 1, true, why);
        if (err != WEIR_OK)
            return err;
    }
    for (;;) {
        const struct record_head *record;
        enum weir_err err = good_record(reader, &record, why);
        if (err == WEIR_OK && record)
            err = give(reader, record, record_out, why);
        if (err != WEIR_OK || record)
            return in_segment(err, reader->segment, why);
        err = no_record(reader, why);
        if (err != WEIR_OK)
            return err;
    }
}

/* --- open and close -------------------------------------------------------------------------- */

static enum weir_err begin_at(struct reader *reader, const struct journal_place *place,
                              struct why *why)
{
    enum weir_err err = enter(reader, place->segment, false, why);
    if (err == WEIR_E_NOT_FOUND)
        return because(why, WEIR_E_CORRUPT,
                       "segment %08u.weir is missing: reading was to go on there",
                       (unsigned)place->segment);
    if (err != WEIR_OK)
        return err;
    uint64_t end = reader->limit ? reader->limit : reader->head.id.bytes;
    if (place->offset < SEGMENT_HEAD || place->offset > end || place->offset % 8 != 0)
        return in_segment(because(why, WEIR_E_CORRUPT, "offset %llu: reading was to go on there",
                                  (unsigned long long)place->offset),
                          place->segment, why);
    reader->offset = place->offset;
    reader->seq = place->seq;
    return WEIR_OK;
}

static enum weir_err go_on_at(struct reader *reader, const struct reader_mark *mark,
                              struct why *why)
{
    sha256_load(reader->hash, &mark->hash);
    reader->seq = mark->place.seq;
    reader->extent.records = mark->records;
    reader->extent.inputs = mark->inputs;
    reader->extent.effects = mark->effects;
    enum weir_err err = enter(reader, mark->place.segment, true, why);
    if (err == WEIR_OK && !reader_is_chained(reader))
        err = in_segment(because(why, WEIR_E_CORRUPT,
                                 "offset %zu: it does not tell the hash of what came before",
                                 offsetof(struct segment_head, chain)),
                         mark->place.segment, why);
    return err;
}

static enum weir_err start(struct reader *reader, const char *folder,
                           const struct reader_options *options, struct why *why)
{
    uint32_t count;
    enum weir_err err = folder_open(folder, &reader->folder, why);
    if (err == WEIR_OK)
        err = folder_segments(reader->folder, &count, why);
    if (err != WEIR_OK)
        return err;
    if (options->boot)
        memcpy(reader->boot, options->boot, sizeof reader->boot);
    else
        boot_id(reader->boot);
    reader->follow = options->follow;
    if (options->from.segment > 0)
        return begin_at(reader, &options->from, why);
    if (options->no_hash)
        return WEIR_OK;
    reader->hash = sha256_create();
    if (!reader->hash)
        return because(why, WEIR_E_NO_MEMORY, "no memory for a hash");
    return options->mark ? go_on_at(reader, options->mark, why) : WEIR_OK;
}

enum weir_err reader_open(const char *folder, const struct reader_options *options,
                          struct reader **reader_out, struct why *why)
{
    static const struct reader_options all = {0};
    struct reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return because(why, WEIR_E_NO_MEMORY, "no memory for a reader");
    reader->folder = reader->window.fd = -1;
    enum weir_err err = start(reader, folder, options ? options : &all, why);
    if (err != WEIR_OK) {
        reader_close(reader);
        while_doing(why, "journal %s", folder);
        return err;
    }
    *reader_out = reader;
    return WEIR_OK;
}

void reader_close(struct reader *reader)
{
    if (!reader)
        return;
    window_fini(&reader->window);
    sha256_destroy(reader->hash);
    if (reader->folder >= 0)
        close(reader->folder);
    free(reader);
}

void reader_extent(const struct reader *reader, struct journal_extent *extent_out)
{
    *extent_out = reader->extent;
    extent_out->end = (struct journal_place){reader->segment, reader->offset, reader->seq};
    extent_out->seed = reader->head.id.crc;
    extent_out->has_hash = reader->hash != NULL;
    if (reader->hash)
        sha256_value(reader->hash, extent_out->hash);
}

void reader_mark(const struct reader *reader, struct reader_mark *mark_out)
{
    *mark_out = (struct reader_mark){.place = {reader->segment, reader->offset, reader->seq},
                                     .records = reader->extent.records,
                                     .inputs = reader->extent.inputs,
                                     .effects = reader->extent.effects};
    sha256_save(reader->hash, &mark_out->hash);
}

void reader_segment_mark(const struct reader *reader, struct reader_mark *mark_out)
{
    *mark_out = reader->entered;
}

bool reader_is_chained(const struct reader *reader)
{
    return reader->head.chain.word != 0;
}

struct sha256 *reader_take_hash(struct reader *reader)
{
    struct sha256 *hash = reader->hash;
    reader->hash = NULL;
    return hash;
}
