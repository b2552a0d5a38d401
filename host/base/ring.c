/* ring.c - one producer, one consumer, no lock.
 *
 *   line 0            line 1: the producer's        line 2: the consumer's       records
 *   (spare)           pushed, side                  popped, side                 0 .. mask
 *
 * `pushed` and `popped` count for ever (2^64 records outlive the machine); a record's place is its
 * number & mask, always by a number that is the side's own. A cursor is stored with release after
 * the record was written or read, and loaded with acquire before, and that is all the ordering there
 * is. The other's cursor is loaded only when the copy says full or empty. [room, filled] */
#include "base/ring.h"

#include <stdatomic.h>
#include <string.h>

#include "base/check.h"

enum { LINE = 64 };

struct ring {
    _Alignas(LINE) unsigned char spare[LINE]; /* keeps what stands before us off the cursors */
    _Alignas(LINE) _Atomic uint64_t pushed;
    struct ring_side producer;
    _Alignas(LINE) _Atomic uint64_t popped;
    struct ring_side consumer;
    _Alignas(LINE) unsigned char records[];
};

_Static_assert(sizeof(struct ring) == 3 * LINE, "each cursor and its side share a line");

size_t ring_size(uint32_t record_size, uint32_t capacity)
{
    size_t records = (size_t)record_size * capacity;
    return sizeof(struct ring) + ((records + LINE - 1) & ~(size_t)(LINE - 1));
}

struct ring_side ring_side_of(uint32_t record_size, uint32_t capacity)
{
    must(record_size > 0 && capacity > 0 && (capacity & (capacity - 1)) == 0);
    return (struct ring_side){.mask = capacity - 1, .record_size = record_size};
}

struct ring *ring_init(void *memory, uint32_t record_size, uint32_t capacity)
{
    must(((uintptr_t)memory & (LINE - 1)) == 0);
    struct ring *ring = memory;
    memset(ring, 0, sizeof *ring);
    ring->producer = ring->consumer = ring_side_of(record_size, capacity);
    atomic_init(&ring->pushed, 0);
    atomic_init(&ring->popped, 0);
    return ring;
}

static unsigned char *place(const struct ring_side *side, struct ring *ring)
{
    return ring->records + (size_t)(side->mine & side->mask) * side->record_size;
}

/* A record between the two cursors is waiting; there are 0 to capacity of them, or someone lies. */
static bool believe(struct ring_side *side, uint64_t waiting)
{
    if (waiting > (uint64_t)side->mask + 1)
        side->broken = true;
    return !side->broken;
}

static bool room(struct ring_side *side, struct ring *ring)
{
    if (side->mine - side->theirs <= side->mask)
        return true;
    uint64_t popped = atomic_load_explicit(&ring->popped, memory_order_acquire);
    if (!believe(side, side->mine - popped))
        return false;
    side->theirs = popped;
    return side->mine - popped <= side->mask;
}

static bool filled(struct ring_side *side, struct ring *ring)
{
    if (side->theirs != side->mine)
        return true;
    uint64_t pushed = atomic_load_explicit(&ring->pushed, memory_order_acquire);
    if (!believe(side, pushed - side->mine))
        return false;
    side->theirs = pushed;
    return pushed != side->mine;
}

void *ring_side_reserve(struct ring_side *side, struct ring *ring)
{
    return room(side, ring) ? place(side, ring) : NULL;
}

void ring_side_commit(struct ring_side *side, struct ring *ring)
{
    atomic_store_explicit(&ring->pushed, ++side->mine, memory_order_release);
}

const void *ring_side_front(struct ring_side *side, struct ring *ring)
{
    return filled(side, ring) ? place(side, ring) : NULL;
}

void ring_side_release(struct ring_side *side, struct ring *ring)
{
    atomic_store_explicit(&ring->popped, ++side->mine, memory_order_release);
}

bool ring_side_push(struct ring_side *side, struct ring *ring, const void *record)
{
    if (!room(side, ring))
        return false;
    memcpy(place(side, ring), record, side->record_size);
    ring_side_commit(side, ring);
    return true;
}

bool ring_side_pop(struct ring_side *side, struct ring *ring, void *record)
{
    if (!filled(side, ring))
        return false;
    memcpy(record, place(side, ring), side->record_size);
    ring_side_release(side, ring);
    return true;
}

void *ring_reserve(struct ring *ring)
{
    return ring_side_reserve(&ring->producer, ring);
}

void ring_commit(struct ring *ring)
{
    ring_side_commit(&ring->producer, ring);
}

const void *ring_front(struct ring *ring)
{
    return ring_side_front(&ring->consumer, ring);
}

void ring_release(struct ring *ring)
{
    ring_side_release(&ring->consumer, ring);
}

bool ring_push(struct ring *ring, const void *record)
{
    return ring_side_push(&ring->producer, ring, record);
}

bool ring_pop(struct ring *ring, void *record)
{
    return ring_side_pop(&ring->consumer, ring, record);
}

uint32_t ring_count(const struct ring *ring)
{
    uint64_t popped = atomic_load_explicit(&ring->popped, memory_order_acquire);
    uint64_t pushed = atomic_load_explicit(&ring->pushed, memory_order_acquire);
    uint64_t count = pushed - popped;
    return count > UINT32_MAX ? 0 : (uint32_t)count;
}
