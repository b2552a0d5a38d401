/* segment.h - one segment while it is being written.
 *
 * It is made under a name of its own ("00000002.weir.new"), and takes its place when it is whole, so
 * a file with a segment's name always has a good head. Two threads meet here: the engine thread
 * fills it, the journal thread makes it ready before and carries it to the disk. */
#ifndef WEIR_JOURNAL_SEGMENT_H
#define WEIR_JOURNAL_SEGMENT_H

#include "journal/folder.h"
#include "journal/io.h"

struct segment {
    unsigned char *map;
    uint64_t bytes;
    uint32_t number;
    uint32_t seed;
    int fd;
    bool named; /* it has its own name */

    uint64_t filled;      /* records end here; the engine thread stores it last, with release */
    uint64_t sealed;      /* 1: filled is final */
    struct segment *next; /* set before sealed */

    /* journal thread */
    _Alignas(64) uint64_t touched;
    uint64_t hashed;
    uint64_t synced;
    uint64_t noted; /* the word `durable` that is on the disk: one sync behind */
};

/* What all segments of one journal have in common. */
struct segment_maker {
    const struct journal_io *io;
    int folder;
    uint64_t bytes;
    uint64_t journal;
    uint32_t instance;
    unsigned char boot[BOOT_ID_BYTES];
};

/* Make segment `number`, not yet under its name. E_FULL: it cannot be made now. */
enum weir_err segment_create(const struct segment_maker *maker, uint32_t number,
                             struct segment **segment_out, struct why *why) WEIR_MUST_USE;

/* Touch the next `bytes` of it. False: all is touched. */
bool segment_touch(const struct segment_maker *maker, struct segment *segment, uint64_t bytes);

/* Give it its name, durably. E_FULL: not now; E_IO: a sync failed. */
enum weir_err segment_name_it(const struct segment_maker *maker, struct segment *segment,
                              struct why *why) WEIR_MUST_USE;

/* It begins: records go here now. */
void segment_begin(struct segment *segment, uint64_t first_seq, uint64_t before_end,
                   uint64_t before_cut);
void segment_set_next(struct segment *segment); /* the one after it has begun */
void segment_set_chain(struct segment *segment, const unsigned char hash[JOURNAL_HASH_BYTES]);
void segment_set_durable(struct segment *segment, uint64_t offset);

void segment_destroy(struct segment *segment); /* accepts NULL; the file stays */
/* Take away a file that was never begun, under either name. */
void segment_discard(const struct segment_maker *maker, struct segment *segment);

#endif
