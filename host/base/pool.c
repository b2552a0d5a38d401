/* pool.c - an arena that only grows, and slots that are taken and given back.
 *
 * A slot in use is marked in the free list, so that giving one twice, or one that is not ours, stops
 * the process instead of handing one slot to two orders. Slots are taken lowest first at the start
 * and last-given first later: the same calls give the same indices. */
#include "base/pool.h"

#include <string.h>

#include "base/check.h"

enum { LINE = 64 };
#define IN_USE UINT32_MAX

static size_t lines(size_t size)
{
    return (size + LINE - 1) & ~(size_t)(LINE - 1);
}

void *arena_take(struct arena *arena, size_t size)
{
    size_t left = (size_t)(arena->end - arena->at);
    size_t pad = -(uintptr_t)arena->at & (LINE - 1);
    if (pad > left || size > left - pad)
        return NULL;
    void *taken = arena->at + pad;
    arena->at += pad + size;
    return taken;
}

size_t pool_size(uint32_t slot_size, uint32_t capacity)
{
    return LINE + lines((size_t)slot_size * capacity) + lines(sizeof(uint32_t) * (size_t)capacity);
}

int pool_init(struct pool *pool, struct arena *arena, uint32_t slot_size, uint32_t capacity)
{
    must(slot_size > 0 && capacity < IN_USE);
    struct arena before = *arena;
    unsigned char *slots = arena_take(arena, (size_t)slot_size * capacity);
    uint32_t *next = arena_take(arena, sizeof(uint32_t) * (size_t)capacity);
    if (!slots || !next) {
        *arena = before;
        return -1;
    }
    *pool = (struct pool){slots, next, slot_size, capacity, capacity > 0 ? 1 : 0, 0};
    for (uint32_t i = 0; i < capacity; i++)
        next[i] = i + 1 < capacity ? i + 2 : 0;
    return 0;
}

void *pool_take(struct pool *pool)
{
    if (pool->free_head == 0)
        return NULL;
    uint32_t index = pool->free_head - 1;
    must(index < pool->capacity && pool->next[index] != IN_USE);
    pool->free_head = pool->next[index];
    pool->next[index] = IN_USE;
    pool->used++;
    return memset(pool_at(pool, index), 0, pool->slot_size);
}

void pool_give(struct pool *pool, void *slot)
{
    if (!slot)
        return;
    uint32_t index = pool_index(pool, slot);
    must(pool->next[index] == IN_USE);
    pool->next[index] = pool->free_head;
    pool->free_head = index + 1;
    pool->used--;
}

uint32_t pool_index(const struct pool *pool, const void *slot)
{
    size_t offset = (size_t)((const unsigned char *)slot - pool->slots);
    size_t index = offset / pool->slot_size;
    must(index < pool->capacity && offset % pool->slot_size == 0);
    return (uint32_t)index;
}

void *pool_at(const struct pool *pool, uint32_t index)
{
    must(index < pool->capacity);
    return pool->slots + (size_t)pool->slot_size * index;
}
