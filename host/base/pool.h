/* pool.h - fixed-size slots out of one block, and a bump arena; nothing is given back to malloc.
 *
 * The engine is handed one arena at start and allocates from it only while it is being created.
 * [one thread] */
#ifndef WEIR_BASE_POOL_H
#define WEIR_BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

struct arena {
    unsigned char *at;
    unsigned char *end;
};

/* size bytes, zeroed as the block was, aligned to 64. NULL: the arena is used up. */
void *arena_take(struct arena *arena, size_t size);

struct pool {
    unsigned char *slots;
    uint32_t *next; /* free list by index + 1 */
    uint32_t slot_size;
    uint32_t capacity;
    uint32_t free_head; /* index + 1, 0: full */
    uint32_t used;
};

/* Bytes of arena that a pool needs. */
size_t pool_size(uint32_t slot_size, uint32_t capacity);
/* 0 on success, -1: the arena is too small. */
int pool_init(struct pool *pool, struct arena *arena, uint32_t slot_size, uint32_t capacity);
void *pool_take(struct pool *pool);            /* zeroed; NULL: full */
void pool_give(struct pool *pool, void *slot); /* NULL is fine */
uint32_t pool_index(const struct pool *pool, const void *slot);
void *pool_at(const struct pool *pool, uint32_t index);

#endif
