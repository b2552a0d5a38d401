/* reader.h - reads a journal's records in order, and judges its end.
 *
 * A record is good or it is not; what is not good stops the reading with E_CORRUPT, the segment and
 * the offset. The only exception is the end of the last segment, which a process may have left in
 * the middle of a record. It is a torn end, and is cut, when
 *   - it lies behind everything that was ever reported durable (the head's word says), and
 *   - the machine was started anew since (then unsynced pages may be lost in any order), or
 *     else it is as one record that was being written: no good record follows it, and nothing but
 *     zeros follows the room that one record could take.
 * A segment with a successor ends exactly where the successor's head says.
 *
 * Reading needs no lock and maps nothing: a journal that is being written is read as far as it is
 * whole. [one thread each] */
#ifndef WEIR_JOURNAL_READER_H
#define WEIR_JOURNAL_READER_H

#include "base/hash.h"
#include "journal/kinds.h"

struct reader;

struct journal_record {
    uint64_t seq;
    enum journal_class class;
    uint32_t segment;
    uint64_t offset;
    const struct weir_msg *msg; /* until the next call */
};

struct journal_place {
    uint32_t segment; /* 0: the beginning */
    uint64_t offset;  /* of the next record */
    uint64_t seq;     /* the last before it */
};

/* All that a reader knows at a place: another one can go on there, hash and all. */
struct reader_mark {
    struct journal_place place;
    uint64_t records, inputs, effects;
    struct sha256_state hash;
};

struct reader_options {
    bool no_hash; /* do not add up the hash, do not compare it with what the heads say */
    bool
        follow; /* asked again and again: where no record is yet, what lies behind is not looked at */
    struct journal_place from;      /* begin here (then there is no hash) */
    const struct reader_mark *mark; /* begin here, at the beginning of a segment whose head tells
                                       this hash; NULL */
    const unsigned char *boot;      /* of this machine; NULL: ask the kernel */
};

/* Why says which segment and offset. options: NULL for all of it. E_NOT_FOUND: no such folder.
 * A folder without a segment is a journal without a record. */
enum weir_err reader_open(const char *folder, const struct reader_options *options,
                          struct reader **reader_out, struct why *why) WEIR_MUST_USE;
void reader_close(struct reader *reader); /* accepts NULL */

/* The next record; E_NOT_FOUND: that was the last one (asked again later, a journal that is being
 * written may have more). */
enum weir_err reader_next(struct reader *reader, struct journal_record *record_out,
                          struct why *why) WEIR_MUST_USE;

/* What was read so far; whole after E_NOT_FOUND. */
struct journal_extent {
    uint32_t segments; /* begun ones */
    struct journal_place end;
    uint64_t journal; /* its own number, drawn when it was made; 0: no segment has begun */
    uint32_t seed;    /* of the last segment */
    bool closed;      /* the last record is META_END */
    uint64_t cut;     /* bytes behind the end that are not zero: a torn record */
    uint64_t records, inputs, effects;
    bool has_hash;
    unsigned char hash[JOURNAL_HASH_BYTES];
};
void reader_extent(const struct reader *reader, struct journal_extent *extent_out);

/* Where it is, and where it was when the present segment began. It must have a hash. */
void reader_mark(const struct reader *reader, struct reader_mark *mark_out);
void reader_segment_mark(const struct reader *reader, struct reader_mark *mark_out);
/* Does the head of the present segment tell the hash of all before it, as far as is known? */
bool reader_is_chained(const struct reader *reader);

/* Take over the running hash; the reader has none from here on. NULL: it had none. */
struct sha256 *reader_take_hash(struct reader *reader);

#endif
