/* heap.h - the memory of one cell: one cap, dropped as a whole.
 *
 * The allocator that Lua gets. It never says no: a request over the cap, or one block over its cap,
 * abandons the cell (guard_abandon), so Lua never meets an allocation failure, and never collects in
 * the middle of one (a known hole of Lua 5.4.4). All its own records lie in its memory or in struct
 * heap, and nothing is asked of the system after heap_init(), so it may be left at any instruction.
 *
 * Objects (tables, functions, userdata, threads) get a birth number: with ASLR their addresses differ
 * from run to run, their birth numbers do not. sorted.c orders keys by it. [the cell's thread] */
#ifndef WEIR_SCRIPT_HEAP_H
#define WEIR_SCRIPT_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HEAP_STEP = 16,
    HEAP_SMALL_MAX = 512,
    HEAP_SMALL = HEAP_SMALL_MAX / HEAP_STEP, /* classes in steps of 16 */
    HEAP_LARGE = 80                          /* classes above, four to each doubling */
};

/* A stretch of addresses, cut from low to high. */
struct stretch {
    unsigned char *base;
    size_t room, at;
};

struct heap {
    struct stretch near; /* a chunk of pages that small scripts share: used first */
    struct stretch far;  /* a mapping of its own */
    size_t used, used_max;
    size_t cap, block;
    uint64_t births;
    uint64_t requests; /* allocations so far */
    uint64_t fail_at;  /* tests: abandon at this one; 0: never */
    void *small[HEAP_SMALL];
    void *large[HEAP_LARGE];
};

bool heap_init(struct heap *heap, size_t cap, size_t block); /* false: no address space */
void heap_fini(struct heap *heap);

/* lua_Alloc; context: the heap. Only inside guard_run(). */
void *heap_alloc(void *context, void *old, size_t old_size, size_t new_size);

/* When the object that begins at this address was made; 0: no object of this heap begins there. */
uint64_t heap_birth(const struct heap *heap, const void *object);

#endif
