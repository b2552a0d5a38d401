/* map.h - a hash table from 128-bit keys to 32-bit values in arena memory: open addressing, linear
 * probing, fixed capacity, no pointers and no random seed (replays must be equal). Texts are keyed
 * by their 128-bit fingerprint (SipHash-free, but collision needs about 2^64 ids). [one thread] */
#ifndef WEIR_BASE_MAP_H
#define WEIR_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"

struct key128 {
    uint64_t a, b;
};

/* Fingerprint of len bytes, with a number mixed in (an instrument, a venue; 0 if none). */
struct key128 key_of(const void *bytes, size_t len, uint64_t with);

struct map_slot {
    struct key128 key;
    uint32_t value;
    uint32_t used; /* 0 empty, 1 used */
};

struct map {
    struct map_slot *slots;
    uint32_t mask;
    uint32_t count;
    uint32_t max; /* refuse above: 3/4 of the slots */
};

size_t map_size(uint32_t capacity); /* capacity: entries wanted */
/* The arena's memory must be zero; it is not touched. 0 on success, -1: the arena is too small. */
int map_init(struct map *map, struct arena *arena, uint32_t capacity);
void map_fetch(const struct map *map, struct key128 key); /* it is asked for soon */
bool map_get(const struct map *map, struct key128 key, uint32_t *value_out);
bool map_put(struct map *map, struct key128 key, uint32_t value); /* false: full; replaces */
bool map_remove(struct map *map, struct key128 key);
void map_clear(struct map *map);

#endif
