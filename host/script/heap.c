/* heap.c - size classes without headers: Lua says how large a block was when it gives it back.
 *
 * LAYOUT  Blocks are cut from low to high as they are asked for, so what is used together lies
 *         together. The first 32 KiB come from large pages that all scripts share: a thousand small
 *         scripts otherwise spend most of a call on address translation. The rest is a mapping of
 *         the script's own, of which only what is used takes memory.
 *         Up to 512 bytes sizes come in steps of 16, above in four steps to each doubling. Free
 *         blocks wait in a list of their size; a request with an empty list and no fresh room takes
 *         a block of the next larger sizes.
 * BIRTHS  An object has its number in the eight bytes before it. Blocks lie at multiples of 16, so
 *         an object does not, and that is how it is known when it is given back.
 * CAP     counts what blocks take, not what was asked. The mapping is twice the cap, so that
 *         lists of sizes that are no longer wanted do not end a script before its cap. */
#include "script/heap.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "script/guard.h"

enum {
    BIRTH = sizeof(uint64_t),
    LINE = 64,
    CHUNK = 32 << 10,
    SHEET = 2 << 20, /* one large page */
    CHUNKS = SHEET / CHUNK
};
_Static_assert(CHUNKS == 64, "a bit for each");

/* --- large pages, cut into chunks ------------------------------------------------------------- */

struct sheet {
    unsigned char *base;
    uint64_t taken; /* a bit for each chunk */
};
static struct sheet *sheets;
static size_t sheet_count, sheet_room;
static pthread_mutex_t sheets_lock = PTHREAD_MUTEX_INITIALIZER;

/* Map twice the size to find an aligned half. */
static unsigned char *map_sheet(void)
{
    unsigned char *map = mmap(NULL, 2 * SHEET, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED)
        return NULL;
    size_t skip = (SHEET - (uintptr_t)map % SHEET) % SHEET;
    unsigned char *sheet = map + skip;
    munmap(sheet + SHEET, SHEET - skip);
    if (skip)
        munmap(map, skip);
    (void)madvise(sheet, SHEET, MADV_HUGEPAGE); /* a wish */
    return sheet;
}

static struct sheet *sheet_with_room(void)
{
    for (size_t i = 0; i < sheet_count; i++)
        if (sheets[i].taken != UINT64_MAX)
            return &sheets[i];
    if (sheet_count == sheet_room) {
        struct sheet *larger = realloc(sheets, (2 * sheet_room + 4) * sizeof *sheets);
        if (!larger)
            return NULL;
        sheets = larger;
        sheet_room = 2 * sheet_room + 4;
    }
    unsigned char *base = map_sheet();
    if (!base)
        return NULL;
    sheets[sheet_count] = (struct sheet){base, 0};
    return &sheets[sheet_count++];
}

static unsigned char *take_chunk(unsigned *number_out)
{
    unsigned char *chunk = NULL;
    pthread_mutex_lock(&sheets_lock);
    struct sheet *sheet = sheet_with_room();
    if (sheet) {
        *number_out = (unsigned)__builtin_ctzll(~sheet->taken);
        sheet->taken |= (uint64_t)1 << *number_out;
        chunk = sheet->base + *number_out * (size_t)CHUNK;
    }
    pthread_mutex_unlock(&sheets_lock);
    return chunk;
}

/* A sheet that nobody uses goes back to the system. */
static void give_chunk(unsigned char *chunk)
{
    pthread_mutex_lock(&sheets_lock);
    for (size_t i = 0; i < sheet_count; i++) {
        struct sheet *sheet = &sheets[i];
        if (chunk < sheet->base || chunk >= sheet->base + SHEET)
            continue;
        sheet->taken &= ~((uint64_t)1 << ((size_t)(chunk - sheet->base) / CHUNK));
        if (sheet->taken == 0) {
            munmap(sheet->base, SHEET);
            *sheet = sheets[--sheet_count];
        }
        break;
    }
    if (sheet_count == 0) {
        free(sheets);
        sheets = NULL;
        sheet_room = 0;
    }
    pthread_mutex_unlock(&sheets_lock);
}

bool heap_init(struct heap *heap, size_t cap, size_t block)
{
    unsigned number;
    memset(heap, 0, sizeof *heap);
    heap->cap = cap;
    heap->block = block;
    heap->far.room = 2 * cap + (1u << 20);
    heap->near.room = CHUNK;
    heap->near.base = take_chunk(&number);
    if (!heap->near.base)
        return false;
    /* so that what all states use most does not compete for the same lines of the cache */
    heap->near.at = number * LINE % 2048;
    heap->far.base = mmap(NULL, heap->far.room, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (heap->far.base == MAP_FAILED)
        heap->far.base = NULL;
    return heap->far.base;
}

void heap_fini(struct heap *heap)
{
    if (heap->near.base)
        give_chunk(heap->near.base);
    if (heap->far.base)
        munmap(heap->far.base, heap->far.room);
    heap->near.base = heap->far.base = NULL;
}

/* --- sizes ------------------------------------------------------------------------------------ */

/* 513..640 is class 0, then 768, 896, 1024, 1280 ... */
static size_t large_class(size_t size, size_t *rounded_out)
{
    unsigned top = 63u - (unsigned)__builtin_clzll(size - 1); /* 2^top <= size - 1 */
    size_t step = (size_t)1 << (top - 2);
    size_t quarter = (size - 1 - ((size_t)1 << top)) / step; /* 0..3 */
    *rounded_out = ((size_t)1 << top) + (quarter + 1) * step;
    return (top - 9) * 4 + quarter;
}

static void **list_of(struct heap *heap, size_t size, size_t *rounded_out)
{
    if (size > HEAP_SMALL_MAX)
        return &heap->large[large_class(size, rounded_out)];
    size_t class = (size - 1) / HEAP_STEP;
    *rounded_out = (class + 1) * HEAP_STEP;
    return &heap->small[class];
}

/* --- blocks ----------------------------------------------------------------------------------- */

static void push(void **list, void *block)
{
    memcpy(block, list, sizeof *list);
    *list = block;
}

static void *pop(void **list)
{
    void *block = *list;
    if (block)
        memcpy(list, block, sizeof *list);
    return block;
}

static void *cut(struct stretch *from, size_t bytes)
{
    if (bytes > from->room - from->at)
        return NULL;
    void *at = from->base + from->at;
    from->at += bytes;
    return at;
}

static void *fresh(struct heap *heap, size_t bytes)
{
    void *block = cut(&heap->near, bytes);
    return block ? block : cut(&heap->far, bytes);
}

/* A block of another, larger size; for good, as it comes back as one of the smaller. */
static void *borrow(struct heap *heap, void **list)
{
    void *block = NULL;
    for (; !block && list < heap->large + HEAP_LARGE; list++)
        block = pop(list);
    if (!block)
        guard_abandon(GUARD_MEMORY);
    return block;
}

static unsigned char *take(struct heap *heap, size_t size)
{
    size_t bytes;
    guard_poll();
    if (++heap->requests == heap->fail_at)
        guard_abandon(GUARD_TEST);
    if (size > heap->block)
        guard_abandon(GUARD_BLOCK);
    void **list = list_of(heap, size, &bytes);
    if (bytes > heap->cap - heap->used)
        guard_abandon(GUARD_MEMORY);
    heap->used += bytes;
    if (heap->used > heap->used_max)
        heap->used_max = heap->used;
    void *block = pop(list);
    if (!block)
        block = fresh(heap, bytes);
    if (!block)
        block = borrow(heap, size > HEAP_SMALL_MAX ? list : heap->large);
    return block;
}

static void give(struct heap *heap, unsigned char *block, size_t size)
{
    size_t bytes;
    void **list = list_of(heap, size, &bytes);
    push(list, block);
    heap->used -= bytes;
}

static bool is_object(const unsigned char *at)
{
    return (uintptr_t)at % HEAP_STEP == BIRTH;
}

/* --- the allocator ---------------------------------------------------------------------------- */

/* What Lua says of a new block in place of an old size: 0 for raw memory, else the kind of object. */
static bool has_birth(size_t tag)
{
    enum { TABLE = 5, FUNCTION = 6, USERDATA = 7, THREAD = 8 };
    return tag >= TABLE && tag <= THREAD;
}

static void *make(struct heap *heap, size_t tag, size_t size)
{
    if (!has_birth(tag))
        return take(heap, size);
    unsigned char *block = take(heap, size + BIRTH);
    uint64_t birth = ++heap->births;
    memcpy(block, &birth, BIRTH);
    return block + BIRTH;
}

/* Objects are never resized. */
static void *resize(struct heap *heap, unsigned char *old, size_t old_size, size_t new_size)
{
    size_t before, after;
    if (list_of(heap, old_size, &before) == list_of(heap, new_size, &after))
        return old;
    unsigned char *block = take(heap, new_size);
    memcpy(block, old, old_size < new_size ? old_size : new_size);
    give(heap, old, old_size);
    return block;
}

void *heap_alloc(void *context, void *old, size_t old_size, size_t new_size)
{
    struct heap *heap = context;
    unsigned char *at = old;
    if (!at)
        return new_size ? make(heap, old_size, new_size) : NULL;
    if (new_size)
        return old_size ? resize(heap, at, old_size, new_size) : take(heap, new_size);
    if (is_object(at))
        give(heap, at - BIRTH, old_size + BIRTH);
    else if (old_size)
        give(heap, at, old_size);
    return NULL;
}

static bool is_in(const struct stretch *stretch, const unsigned char *at)
{
    return at >= stretch->base + BIRTH && at < stretch->base + stretch->at;
}

uint64_t heap_birth(const struct heap *heap, const void *object)
{
    const unsigned char *at = object;
    uint64_t birth;
    if (!(is_in(&heap->near, at) || is_in(&heap->far, at)) || !is_object(at))
        return 0;
    memcpy(&birth, at - BIRTH, BIRTH);
    return birth <= heap->births ? birth : 0;
}
