/* map_test.c - the map against a list that is searched from end to end, and the pool and the arena
 * under it. */
#include "base/map.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "support/random.h"

static struct arena arena_of(size_t size)
{
    unsigned char *block = aligned_alloc(64, (size + 63) & ~(size_t)63);
    cr_assert_not_null(block);
    memset(block, 0xA5, size);
    return (struct arena){block, block + size};
}

/* --- the arena and the pool ------------------------------------------------------------------ */

Test(pool, an_arena_gives_aligned_pieces_until_it_is_used_up)
{
    struct arena arena = arena_of(256), begin = arena;
    unsigned char *first = arena_take(&arena, 1), *second = arena_take(&arena, 65);
    cr_expect_eq(first, begin.at);
    cr_expect_eq(second, begin.at + 64);
    cr_expect_null(arena_take(&arena, 65), "64 bytes are left");
    cr_expect_null(arena_take(&arena, SIZE_MAX), "the size does not wrap");
    cr_expect_not_null(arena_take(&arena, 64));
    cr_expect_null(arena_take(&arena, 1));
    free(begin.at);
}

Test(pool, slots_are_zeroed_distinct_and_come_back)
{
    struct arena arena = arena_of(pool_size(24, 100)), begin = arena;
    struct pool pool;
    cr_assert_eq(pool_init(&pool, &arena, 24, 100), 0);
    unsigned char *slots[100];
    for (uint32_t i = 0; i < 100; i++) {
        slots[i] = pool_take(&pool);
        cr_assert_not_null(slots[i]);
        cr_assert_eq(pool_index(&pool, slots[i]), i, "lowest first");
        cr_assert_eq(pool_at(&pool, i), slots[i]);
        for (int k = 0; k < 24; k++)
            cr_assert_eq(slots[i][k], 0);
        memset(slots[i], 0xFF, 24);
    }
    cr_expect_null(pool_take(&pool), "full");
    cr_expect_eq(pool.used, 100u);
    pool_give(&pool, NULL);
    pool_give(&pool, slots[7]);
    pool_give(&pool, slots[3]);
    cr_expect_eq(pool.used, 98u);
    unsigned char *again = pool_take(&pool);
    cr_expect_eq(again, slots[3], "the last one given comes first");
    cr_expect_eq(again[5], 0);
    free(begin.at);
}

Test(pool, one_that_does_not_fit_takes_nothing)
{
    struct arena arena = arena_of(pool_size(24, 100)), begin = arena;
    struct pool pool;
    cr_expect_eq(pool_init(&pool, &arena, 24, 1000), -1);
    cr_expect_eq(arena.at, begin.at);
    cr_expect_eq(pool_init(&pool, &arena, 24, 100), 0, "pool_size is enough");
    free(begin.at);
}

static void misuse(bool twice)
{
    struct arena arena = arena_of(pool_size(8, 4));
    struct pool pool;
    cr_assert_eq(pool_init(&pool, &arena, 8, 4), 0);
    unsigned char *slot = pool_take(&pool);
    if (twice)
        pool_give(&pool, slot);
    pool_give(&pool, twice ? slot : slot + 1);
}

Test(pool, giving_a_slot_twice_stops_the_process, .signal = SIGILL)
{
    misuse(true);
}

Test(pool, giving_what_is_not_a_slot_stops_the_process, .signal = SIGILL)
{
    misuse(false);
}

/* --- the map --------------------------------------------------------------------------------- */

enum { KEYS = 300 };

/* What the map should hold: by key number, -1 for none. */
struct model {
    int64_t value[KEYS];
    uint32_t count;
};

static struct key128 key_number(uint32_t number, bool raw)
{
    return raw ? (struct key128){number % 7, number} : key_of(&number, sizeof number, 1);
}

static void compare(const struct map *map, const struct model *model, bool raw)
{
    cr_assert_eq(map->count, model->count);
    for (uint32_t number = 0; number < KEYS; number++) {
        uint32_t value = 4711;
        bool there = map_get(map, key_number(number, raw), &value);
        cr_assert_eq(there, model->value[number] >= 0, "key %u", number);
        cr_assert_eq(value, there ? model->value[number] : 4711, "key %u", number);
    }
}

static void put(struct map *map, struct model *model, uint32_t number, uint32_t value, bool raw)
{
    bool is_new = model->value[number] < 0, room = !is_new || map->count < map->max;
    cr_assert_eq(map_put(map, key_number(number, raw), value), room);
    if (room) {
        model->count += is_new;
        model->value[number] = value;
    }
}

static void take(struct map *map, struct model *model, uint32_t number, bool raw)
{
    bool there = model->value[number] >= 0;
    cr_assert_eq(map_remove(map, key_number(number, raw)), there);
    model->count -= there;
    model->value[number] = -1;
}

/* raw: keys that are no fingerprints, so that many share their home and runs are long */
static void live(uint32_t capacity, bool raw, uint64_t state)
{
    struct arena arena = arena_of(map_size(capacity)), begin = arena;
    struct map map;
    memset(arena.at, 0, map_size(capacity));
    struct model model = {.count = 0};
    cr_assert_eq(map_init(&map, &arena, capacity), 0);
    cr_assert_geq(map.max, capacity);
    memset(model.value, 0xFF, sizeof model.value);
    for (int step = 0; step < 20000; step++) {
        uint32_t number = (uint32_t)random_below(&state, KEYS);
        bool filling = step / 1000 % 2 == 0;
        if (random_below(&state, 10) < (filling ? 7u : 3u))
            put(&map, &model, number, (uint32_t)random_next(&state), raw);
        else
            take(&map, &model, number, raw);
        if (step % 97 == 0)
            compare(&map, &model, raw);
    }
    compare(&map, &model, raw);
    map_clear(&map);
    memset(model.value, 0xFF, sizeof model.value);
    model.count = 0;
    compare(&map, &model, raw);
    free(begin.at);
}

Test(map, it_holds_what_was_put_and_not_removed)
{
    live(KEYS, false, 1);
    live(KEYS, true, 2);
    live(100, false, 3); /* often full */
    live(90, true, 4);
    live(1, true, 5);
}

/* Eight ids in a row have eight places in a row, whatever was there before; so has no other id. */
Test(map, ids_that_count_on_stand_side_by_side)
{
    struct arena arena = arena_of(map_size(1000)), begin = arena;
    struct map map;
    char id[24];
    memset(arena.at, 0, map_size(1000));
    cr_assert_eq(map_init(&map, &arena, 1000), 0);
    for (int block = 0; block < 60; block++) { /* few enough to be seldom in each other's way */
        uint32_t places[8], beside = 0;
        map_clear(&map);
        for (int i = 0; i < 8; i++) {
            int len = snprintf(id, sizeof id, "maker-%d%d", 1000 + block, i);
            cr_assert(map_put(&map, key_of(id, (size_t)len, 9), (uint32_t)i));
            for (places[i] = 0;
                 !map.slots[places[i]].used || map.slots[places[i]].value != (uint32_t)i;)
                places[i]++;
            beside += i > 0 && places[i] == ((places[i - 1] + 1) & map.mask);
        }
        cr_expect_eq(beside, 7u, "block %d", block);
    }
    free(begin.at);
}

Test(map, one_that_does_not_fit_is_refused)
{
    struct arena arena = arena_of(map_size(10)), begin = arena;
    struct map map;
    memset(arena.at, 0, map_size(10));
    cr_expect_eq(map_init(&map, &arena, 100), -1);
    cr_expect_eq(arena.at, begin.at);
    cr_expect_eq(map_init(&map, &arena, UINT32_MAX), -1);
    cr_expect_eq(map_init(&map, &arena, 10), 0);
    free(begin.at);
}

static int by_key(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct key128));
}

/* Fingerprints of ids as they are: counters in text, all lengths, one bit apart. */
Test(map, fingerprints_of_different_things_differ)
{
    enum { COUNT = 60000 };
    struct key128 *keys = malloc(COUNT * sizeof *keys);
    char bytes[64] = {0};
    size_t n = 0;
    for (unsigned i = 0; i < 20000; i++) {
        int len = snprintf(bytes, sizeof bytes, "w1mk%010u", i);
        keys[n++] = key_of(bytes, (size_t)len, 0);
        keys[n++] = key_of(bytes, (size_t)len, i + 1);
    }
    memset(bytes, 0, sizeof bytes);
    for (size_t len = 0; len <= sizeof bytes; len++)
        keys[n++] = key_of(bytes, len, 0);
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (char)(1 << bit % 8);
        for (size_t len = bit / 8 + 1; len <= sizeof bytes; len += 7)
            keys[n++] = key_of(bytes, len, 0);
        bytes[bit / 8] ^= (char)(1 << bit % 8);
    }
    cr_assert_leq(n, (size_t)COUNT);
    qsort(keys, n, sizeof *keys, by_key);
    size_t half = 0;
    for (size_t i = 1; i < n; i++) {
        cr_assert(by_key(&keys[i - 1], &keys[i]) != 0, "two of %zu keys are the same", n);
        half += keys[i - 1].a == keys[i].a;
    }
    cr_expect_eq(half, 0u, "each lane alone tells 64 bits apart");
    free(keys);
}

/* An image of an engine holds these: whoever changes them on purpose changes what it fits (journal/snapshot.h). */
Test(map, fingerprints_are_the_same_for_ever)
{
    struct key128 key = key_of("w1mk0000004711", 14, 3), none = key_of("", 0, 0);
    cr_expect_eq(key.a, 0x88896d8f7646e8e9u, "%#lx", (unsigned long)key.a);
    cr_expect_eq(key.b, 0x942b9d58e0103f9fu, "%#lx", (unsigned long)key.b);
    cr_expect_eq(none.a, 0x4F3DEB9DCCC5F154u, "%#lx", (unsigned long)none.a);
    cr_expect_eq(none.b, 0x4B928153EA9CE143u, "%#lx", (unsigned long)none.b);
}
