/* ring.h - a bounded queue of fixed-size records, one producer thread, one consumer thread.
 *
 * Memory is the caller's (also shared between processes): ring_size() bytes, 64-byte aligned. The
 * header keeps producer's and consumer's cursors on cache lines of their own, and each side keeps a
 * copy of the other's, so that in steady state a push or pop touches one shared line.
 *
 * Two ways in. Threads that trust each other call ring_*(). Toward a process that may be hostile
 * each side keeps a `struct ring_side` in memory of its own: of the shared memory it then reads the
 * other's cursor and nothing else, and a cursor that cannot be is told by `broken`, never used as an
 * index. Take records from such a ring by ring_side_pop(), since what ring_side_front() shows can
 * still change. */
#ifndef WEIR_BASE_RING_H
#define WEIR_BASE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/error.h"

struct ring; /* lives in the caller's memory */

size_t ring_size(uint32_t record_size, uint32_t capacity); /* capacity: a power of two */
struct ring *ring_init(void *memory, uint32_t record_size, uint32_t capacity);

/* Where the next record goes / is; NULL: full / empty. Then commit / release it. */
void *ring_reserve(struct ring *ring);     /* [producer] */
void ring_commit(struct ring *ring);       /* [producer] */
const void *ring_front(struct ring *ring); /* [consumer] */
void ring_release(struct ring *ring);      /* [consumer] */

bool ring_push(struct ring *ring, const void *record); /* [producer] false: full */
bool ring_pop(struct ring *ring, void *record);        /* [consumer] false: empty */
uint32_t ring_count(const struct ring *ring);          /* [any] about now */

/* One side of a ring, in memory that the other side cannot reach. */
struct ring_side {
    uint64_t mine;   /* my cursor; what the other side reads is a copy */
    uint64_t theirs; /* the other's, when last looked at */
    uint32_t mask;
    uint32_t record_size;
    bool broken; /* the other side's cursor made no sense: stop talking to it */
};

/* For a ring that ring_init() made with the same numbers; nothing is read from it. */
struct ring_side ring_side_of(uint32_t record_size, uint32_t capacity);

void *ring_side_reserve(struct ring_side *side, struct ring *ring); /* [producer] */
void ring_side_commit(struct ring_side *side, struct ring *ring);   /* [producer] */
bool ring_side_push(struct ring_side *side, struct ring *ring, const void *record);
const void *ring_side_front(struct ring_side *side, struct ring *ring);      /* [consumer] */
void ring_side_release(struct ring_side *side, struct ring *ring);           /* [consumer] */
bool ring_side_pop(struct ring_side *side, struct ring *ring, void *record); /* [consumer] */

#endif
