/* map.c - keys to values, by linear probing.
 *
 * A removal moves back what had been pushed past the hole, so there are no tombstones: probes stay
 * as short after a year of orders as on the first day, and nothing is ever rebuilt. Where an entry
 * stands depends on the calls alone; there is no seed. [map_remove]
 *
 * NEIGHBOURS  Ids are mostly counters, so the last three bits of a text are kept out of its fingerprint's
 * mixing and are added to where it stands: eight ids in a row lie side by side, and seven of them are
 * found where memory is warm. A large map costs a walk through page tables for each new line else.
 *                                                                              [key_of, home]
 *
 * The fingerprint is two lanes of 64 x 64 -> 128 bit multiplications, folded together with their
 * factors, so that a factor of 0 or 1 does not swallow the other. It is no defence against somebody who
 * can try 2^32 ids of his own choice, and such a one harms only his own: mix in whose id it is. */
#include "base/map.h"

#include <string.h>

#include "base/check.h"

typedef unsigned __int128 u128;

static const uint64_t salt[6] = {
    /* digits of pi */
    0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0,
    0x082EFA98EC4E6C89, 0x452821E638D01377, 0xBE5466CF34E90C6C,
};

static uint64_t fold(uint64_t a, uint64_t b)
{
    u128 product = (u128)a * b;
    return ((uint64_t)product ^ a) ^ ((uint64_t)(product >> 64) ^ (b << 23 | b >> 41));
}

static uint64_t load_8(const unsigned char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static uint64_t load_4(const unsigned char *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static struct key128 stir(struct key128 key, uint64_t x, uint64_t y)
{
    return (struct key128){fold(key.a ^ x ^ salt[0], y ^ salt[1]) + key.b,
                           fold(key.b ^ y ^ salt[2], x ^ salt[3]) + key.a};
}

enum { NEAR = 7 }; /* bits of the last character that say which of eight neighbours */

/* What is shorter than two words is read twice over, from both ends; its length is stirred in. */
struct key128 key_of(const void *bytes, size_t len, uint64_t with)
{
    const unsigned char *at = bytes;
    size_t left = len;
    uint64_t x = 0, y = 0;
    struct key128 key = {with ^ salt[4], len ^ salt[5]};

    for (; left > 16; at += 16, left -= 16)
        key = stir(key, load_8(at), load_8(at + 8));
    if (len >= 16) {
        x = load_8(at + left - 16);
        y = load_8(at + left - 8) & ~((uint64_t)NEAR << 56);
    } else if (len >= 8) {
        x = load_8(at);
        y = load_8(at + len - 8) & ~((uint64_t)NEAR << 56);
    } else if (len >= 4) {
        x = load_4(at);
        y = load_4(at + len - 4) & ~((uint64_t)NEAR << 24);
    } else if (len > 0) {
        x = (uint64_t)at[0] | (uint64_t)at[len / 2] << 8 | (uint64_t)at[len - 1] << 16;
    }
    key = stir(stir(stir(key, x, y), len, with), salt[5], salt[4]);
    if (len > 0)
        key.a = (key.a & ~(uint64_t)NEAR) | (at[left - 1] & NEAR);
    return key;
}

static uint32_t home(const struct map *map, struct key128 key)
{
    uint64_t mixed =
        ((key.a & ~(uint64_t)NEAR) ^ (key.b << 32 | key.b >> 32)) * 0x9E3779B97F4A7C15u;
    return ((uint32_t)(mixed >> 32) + (uint32_t)(key.a & NEAR)) & map->mask;
}

static bool same(struct key128 a, struct key128 b)
{
    return ((a.a ^ b.a) | (a.b ^ b.b)) == 0;
}

/* Slots for capacity entries: a power of two, of which three quarters suffice; 0: too many. */
static uint64_t slots_for(uint32_t capacity)
{
    uint64_t slots = 4;
    while (slots / 4 * 3 < capacity)
        slots *= 2;
    return slots <= (uint64_t)UINT32_MAX ? slots : 0;
}

size_t map_size(uint32_t capacity)
{
    return 64 + slots_for(capacity) * sizeof(struct map_slot);
}

int map_init(struct map *map, struct arena *arena, uint32_t capacity)
{
    uint64_t slots = slots_for(capacity);
    struct map_slot *memory = slots ? arena_take(arena, slots * sizeof *memory) : NULL;
    if (!memory)
        return -1;
    *map = (struct map){memory, (uint32_t)(slots - 1), 0, (uint32_t)(slots / 4 * 3)};
    return 0;
}

/* The slot of key, or the empty one where it would be put. There is always an empty one. */
static uint32_t find(const struct map *map, struct key128 key)
{
    uint32_t i = home(map, key);
    while (map->slots[i].used && !same(map->slots[i].key, key))
        i = (i + 1) & map->mask;
    return i;
}

void map_fetch(const struct map *map, struct key128 key)
{
    __builtin_prefetch(&map->slots[home(map, key)]);
}

bool map_get(const struct map *map, struct key128 key, uint32_t *value_out)
{
    const struct map_slot *slot = &map->slots[find(map, key)];
    if (!slot->used)
        return false;
    *value_out = slot->value;
    return true;
}

bool map_put(struct map *map, struct key128 key, uint32_t value)
{
    struct map_slot *slot = &map->slots[find(map, key)];
    if (!slot->used) {
        if (map->count >= map->max)
            return false;
        map->count++;
    }
    *slot = (struct map_slot){key, value, 1};
    return true;
}

bool map_remove(struct map *map, struct key128 key)
{
    uint32_t hole = find(map, key);
    if (!map->slots[hole].used)
        return false;
    for (uint32_t i = (hole + 1) & map->mask; map->slots[i].used; i = (i + 1) & map->mask) {
        /* the entry may move back to the hole if its home is not between the hole and itself */
        uint32_t from_home = (i - home(map, map->slots[i].key)) & map->mask;
        if (from_home < ((i - hole) & map->mask))
            continue;
        map->slots[hole] = map->slots[i];
        hole = i;
    }
    map->slots[hole] = (struct map_slot){{0, 0}, 0, 0};
    map->count--;
    return true;
}

void map_clear(struct map *map)
{
    memset(map->slots, 0, ((size_t)map->mask + 1) * sizeof *map->slots);
    map->count = 0;
}
