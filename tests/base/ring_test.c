/* ring_test.c - order, bounds, two threads, and a neighbour who writes what he likes into the shared
 * memory. The same with the thread sanitizer: tests/race/ring.c. */
#include "base/ring.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "support/random.h"

struct record {
    uint64_t number;
    uint64_t check;
    uint64_t more;
};

static struct record record_of(uint64_t number)
{
    return (struct record){number, ~number, number * 3};
}

static bool is_record(const struct record *record, uint64_t number)
{
    struct record due = record_of(number);
    return memcmp(record, &due, sizeof due) == 0;
}

static void *memory_of(uint32_t record_size, uint32_t capacity)
{
    void *memory = aligned_alloc(64, ring_size(record_size, capacity));
    cr_assert_not_null(memory);
    return memory;
}

Test(ring, first_in_is_first_out_and_full_is_full)
{
    void *memory = memory_of(sizeof(struct record), 8);
    struct ring *ring = ring_init(memory, sizeof(struct record), 8);
    uint64_t in = 0, out = 0, state = 1;
    struct record record;
    cr_expect_null(ring_front(ring));
    cr_expect_not(ring_pop(ring, &record));
    for (int i = 0; i < 5000; i++) {
        record = record_of(in);
        struct record *place = random_below(&state, 2) ? ring_reserve(ring) : NULL;
        if (place) {
            *place = record;
            ring_commit(ring);
            in++;
        } else if (random_below(&state, 2)) {
            bool room = in - out < 8;
            cr_assert_eq(ring_push(ring, &record), room);
            in += room;
        }
        cr_assert_eq(ring_count(ring), in - out);
        cr_assert_eq(ring_reserve(ring) == NULL, in - out == 8);
        const struct record *front = ring_front(ring);
        cr_assert_eq(front == NULL, in == out);
        if (front && random_below(&state, 2)) {
            cr_assert(is_record(front, out));
            ring_release(ring);
            out++;
        } else if (front && random_below(&state, 3) == 0) {
            cr_assert(ring_pop(ring, &record));
            cr_assert(is_record(&record, out));
            out++;
        }
    }
    cr_expect_gt(out, 1000u);
    free(memory);
}

enum { MESSAGES = 200000 };

static void *produce(void *arg)
{
    struct ring *ring = arg;
    for (uint64_t number = 0; number < MESSAGES;) {
        struct record *place = ring_reserve(ring);
        if (!place) {
            sched_yield();
            continue;
        }
        *place = record_of(number++);
        ring_commit(ring);
    }
    return NULL;
}

Test(ring, two_threads_see_each_record_once_and_in_order, .timeout = 60)
{
    void *memory = memory_of(sizeof(struct record), 64);
    struct ring *ring = ring_init(memory, sizeof(struct record), 64);
    pthread_t producer;
    struct record record;
    cr_assert_eq(pthread_create(&producer, NULL, produce, ring), 0);
    for (uint64_t number = 0; number < MESSAGES;) {
        if (!ring_pop(ring, &record)) {
            sched_yield();
            continue;
        }
        cr_assert(is_record(&record, number), "record %lu", (unsigned long)number);
        number++;
    }
    pthread_join(producer, NULL);
    cr_expect_eq(ring_count(ring), 0u);
    free(memory);
}

Test(ring, two_sides_that_do_not_trust_each_other_work_as_well)
{
    void *memory = memory_of(sizeof(struct record), 4);
    struct ring *ring = ring_init(memory, sizeof(struct record), 4);
    struct ring_side producer = ring_side_of(sizeof(struct record), 4), consumer = producer;
    struct record record;
    for (uint64_t number = 0; number < 100; number += 4) {
        for (uint64_t i = 0; i < 4; i++) {
            record = record_of(number + i);
            cr_assert(ring_side_push(&producer, ring, &record));
        }
        cr_assert_null(ring_side_reserve(&producer, ring));
        cr_assert(is_record(ring_side_front(&consumer, ring), number));
        for (uint64_t i = 0; i < 4; i++) {
            cr_assert(ring_side_pop(&consumer, ring, &record));
            cr_assert(is_record(&record, number + i));
        }
        cr_assert_not(ring_side_pop(&consumer, ring, &record));
    }
    cr_expect_not(producer.broken || consumer.broken);
    free(memory);
}

/* Whatever stands in the shared memory: no access outside (the sanitizer watches), never more
 * records at one go than two fillings, and nonsense is told. */
Test(ring, a_hostile_neighbour_is_never_followed_outside)
{
    size_t size = ring_size(sizeof(struct record), 4);
    unsigned char *memory = memory_of(sizeof(struct record), 4);
    uint64_t state = 7;
    unsigned broken = 0;
    for (int i = 0; i < 3000; i++) {
        struct ring *ring = ring_init(memory, sizeof(struct record), 4);
        struct ring_side producer = ring_side_of(sizeof(struct record), 4), consumer = producer;
        struct record record = record_of(1);
        for (int step = 0; step < 10; step++) {
            for (size_t at = 0; at < size; at += 8) {
                uint64_t word = random_next(&state) >> random_below(&state, 64);
                memcpy(memory + at, &word, 8);
            }
            uint64_t pushed = 0, popped = 0;
            while (pushed <= 8 && ring_side_push(&producer, ring, &record))
                pushed++;
            while (popped <= 8 && ring_side_pop(&consumer, ring, &record))
                popped++;
            cr_assert_leq(pushed, 8u); /* what was free, and what is free now */
            cr_assert_leq(popped, 8u);
        }
        broken += producer.broken + consumer.broken;
    }
    cr_expect_gt(broken, 3000u);
    free(memory);
}
