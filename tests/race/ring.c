/* ring.c - two threads on one ring, for the thread sanitizer: are the records themselves, which are
 * plain memory, always handed over by the cursors? Once with push and pop, once in place, once with
 * private sides. Exit 0: each record arrived once, whole and in order. */
#include "base/ring.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

enum { MESSAGES = 100000, CAPACITY = 16, WORDS = 6 };

struct record {
    uint64_t word[WORDS];
};

struct way {
    const char *name;
    bool (*push)(struct ring *ring, struct ring_side *side, const struct record *record);
    bool (*pop)(struct ring *ring, struct ring_side *side, struct record *record);
};

struct run {
    const struct way *way;
    struct ring *ring;
};

static bool push_copy(struct ring *ring, struct ring_side *side, const struct record *record)
{
    (void)side;
    return ring_push(ring, record);
}

static bool pop_copy(struct ring *ring, struct ring_side *side, struct record *record)
{
    (void)side;
    return ring_pop(ring, record);
}

static bool push_in_place(struct ring *ring, struct ring_side *side, const struct record *record)
{
    (void)side;
    struct record *place = ring_reserve(ring);
    if (!place)
        return false;
    *place = *record;
    ring_commit(ring);
    return true;
}

static bool pop_in_place(struct ring *ring, struct ring_side *side, struct record *record)
{
    (void)side;
    const struct record *place = ring_front(ring);
    if (!place)
        return false;
    *record = *place;
    ring_release(ring);
    return true;
}

static bool push_side(struct ring *ring, struct ring_side *side, const struct record *record)
{
    return ring_side_push(side, ring, record);
}

static bool pop_side(struct ring *ring, struct ring_side *side, struct record *record)
{
    return ring_side_pop(side, ring, record);
}

static const struct way ways[] = {
    {"copied", push_copy, pop_copy},
    {"in place", push_in_place, pop_in_place},
    {"private sides", push_side, pop_side},
};

static void *produce(void *arg)
{
    struct run *run = arg;
    struct ring_side side = ring_side_of(sizeof(struct record), CAPACITY);
    for (uint64_t number = 0; number < MESSAGES;) {
        struct record record;
        for (uint64_t i = 0; i < WORDS; i++)
            record.word[i] = number * WORDS + i;
        if (run->way->push(run->ring, &side, &record))
            number++;
        else
            sched_yield();
    }
    return NULL;
}

static bool consume(struct run *run)
{
    struct ring_side side = ring_side_of(sizeof(struct record), CAPACITY);
    for (uint64_t number = 0; number < MESSAGES;) {
        struct record record;
        if (!run->way->pop(run->ring, &side, &record)) {
            (void)ring_count(run->ring);
            sched_yield();
            continue;
        }
        for (uint64_t i = 0; i < WORDS; i++)
            if (record.word[i] != number * WORDS + i) {
                fprintf(stderr, "%s: record %lu is not whole\n", run->way->name,
                        (unsigned long)number);
                return false;
            }
        number++;
    }
    return ring_count(run->ring) == 0;
}

static bool race(const struct way *way)
{
    void *memory = aligned_alloc(64, ring_size(sizeof(struct record), CAPACITY));
    if (!memory)
        return false;
    struct run run = {way, ring_init(memory, sizeof(struct record), CAPACITY)};
    pthread_t producer;
    bool good = pthread_create(&producer, NULL, produce, &run) == 0;
    good = good && consume(&run);
    if (!good)
        exit(1); /* the producer may wait for ever */
    pthread_join(producer, NULL);
    free(memory);
    return good;
}

int main(void)
{
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
        if (!race(&ways[i]))
            return 1;
    return 0;
}
