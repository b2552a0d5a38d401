/* heap.c - size classes without headers: Lua says how large a block was when it gives it back.
 *
 * LAYOUT  The mapping begins with one byte for each of its pages; blocks are cut from the rest, from
 *         low to high. Up to 512 bytes they come in steps of 16 from pages of one size each (plain,
 *         or of objects with their birth numbers behind the page's head); above, in four sizes to
 *         each doubling. Free blocks wait in a list of their size; a large request with an empty list
 *         and no fresh room takes a block of the next sizes.
 * CAP     counts what blocks take, not what was asked. The mapping is twice the cap, so that
 *         lists of sizes that are no longer wanted do not end a script before its cap. */
#include "script/heap.h"

#include <string.h>
#include <sys/mman.h>

#include "script/guard.h"

enum page_kind { PAGE_OTHER = 0, PAGE_SMALL, PAGE_OBJECTS };

struct object_page {
    uint32_t slot; /* bytes */
    uint32_t count;
    uint64_t births[];
};

bool heap_init(struct heap *heap, size_t cap, size_t block)
{
    memset(heap, 0, sizeof *heap);
    size_t room = (2 * cap + (1u << 20) + HEAP_PAGE - 1) / HEAP_PAGE * HEAP_PAGE;
    unsigned char *map = mmap(NULL, room + HEAP_PAGE, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED)
        return false;
    size_t skip = (HEAP_PAGE - (uintptr_t)map % HEAP_PAGE) % HEAP_PAGE;
    if (skip)
        munmap(map, skip);
    munmap(map + skip + room, HEAP_PAGE - skip);
    heap->base = map + skip;
    heap->room = room;
    heap->cap = cap;
    heap->block = block;
    heap->pages = heap->base;
    heap->at = (room / HEAP_PAGE + HEAP_PAGE - 1) / HEAP_PAGE * HEAP_PAGE;
    return true;
}

void heap_fini(struct heap *heap)
{
    if (heap->base)
        munmap(heap->base, heap->room);
    heap->base = NULL;
}

/* --- sizes ------------------------------------------------------------------------------------ */

static size_t small_class(size_t size)
{
    return (size - 1) / HEAP_STEP;
}

/* 513..640 is class 0, then 768, 896, 1024, 1280 ... */
static size_t large_class(size_t size, size_t *rounded_out)
{
    unsigned top = 63u - (unsigned)__builtin_clzll(size - 1); /* 2^top <= size - 1 */
    size_t step = (size_t)1 << (top - 2);
    size_t quarter = (size - 1 - ((size_t)1 << top)) / step; /* 0..3 */
    *rounded_out = ((size_t)1 << top) + (quarter + 1) * step;
    return (top - 9) * 4 + quarter;
}

static size_t rounded(size_t size)
{
    size_t large;
    if (size <= HEAP_SMALL_MAX)
        return (small_class(size) + 1) * HEAP_STEP;
    large_class(size, &large);
    return large;
}

/* --- fresh room ------------------------------------------------------------------------------- */

static void *fresh(struct heap *heap, size_t size)
{
    if (size > heap->room - heap->at)
        return NULL;
    void *at = heap->base + heap->at;
    heap->at += size;
    return at;
}

static unsigned char *fresh_page(struct heap *heap, enum page_kind kind)
{
    size_t skip = (HEAP_PAGE - heap->at % HEAP_PAGE) % HEAP_PAGE;
    if (skip + HEAP_PAGE > heap->room - heap->at)
        guard_abandon(GUARD_MEMORY);
    heap->at += skip;
    heap->pages[heap->at / HEAP_PAGE] = (uint8_t)kind;
    return fresh(heap, HEAP_PAGE);
}

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

/* Cut a page so that the block at its lowest address is used first. */
static void cut(void **list, unsigned char *from, size_t size, size_t count)
{
    while (count-- > 0)
        push(list, from + count * size);
}

static void *small_block(struct heap *heap, size_t class)
{
    size_t size = (class + 1) * HEAP_STEP;
    if (!heap->small[class])
        cut(&heap->small[class], fresh_page(heap, PAGE_SMALL), size, HEAP_PAGE / size);
    return pop(&heap->small[class]);
}

static unsigned char *first_slot(const struct object_page *page)
{
    size_t head = sizeof *page + page->count * sizeof page->births[0];
    return (unsigned char *)(uintptr_t)page + (head + 15) / 16 * 16;
}

static struct object_page *page_of(const struct heap *heap, const void *object)
{
    size_t offset = (size_t)((const unsigned char *)object - heap->base);
    return (struct object_page *)(void *)(heap->base + offset / HEAP_PAGE * HEAP_PAGE);
}

static uint64_t *birth_of(const struct heap *heap, const void *object)
{
    struct object_page *page = page_of(heap, object);
    return &page->births[(size_t)((const unsigned char *)object - first_slot(page)) / page->slot];
}

static void *object_block(struct heap *heap, size_t class)
{
    if (!heap->objects[class]) {
        struct object_page *page = (struct object_page *)(void *)fresh_page(heap, PAGE_OBJECTS);
        page->slot = (uint32_t)((class + 1) * HEAP_STEP);
        page->count =
            (uint32_t)((HEAP_PAGE - sizeof *page - 15) / (page->slot + sizeof page->births[0]));
        cut(&heap->objects[class], first_slot(page), page->slot, page->count);
    }
    void *object = pop(&heap->objects[class]);
    *birth_of(heap, object) = ++heap->births;
    return object;
}

static void *large_block(struct heap *heap, size_t size)
{
    size_t bytes, class = large_class(size, &bytes);
    void *block = pop(&heap->large[class]);
    if (!block)
        block = fresh(heap, bytes);
    for (size_t i = class + 1; !block && i < HEAP_LARGE; i++)
        block = pop(&heap->large[i]);
    if (!block)
        guard_abandon(GUARD_MEMORY);
    return block;
}

/* --- the allocator ---------------------------------------------------------------------------- */

/* What Lua says of a new block in place of an old size: 0 for raw memory, else the kind of object. */
static bool is_numbered(size_t tag)
{
    enum { TABLE = 5, FUNCTION = 6, USERDATA = 7, THREAD = 8 };
    return tag >= TABLE && tag <= THREAD;
}

static void *take(struct heap *heap, size_t tag, size_t size)
{
    guard_poll();
    if (++heap->requests == heap->fail_at)
        guard_abandon(GUARD_TEST);
    if (size > heap->block)
        guard_abandon(GUARD_BLOCK);
    size_t bytes = rounded(size);
    if (bytes > heap->cap - heap->used)
        guard_abandon(GUARD_MEMORY);
    heap->used += bytes;
    if (heap->used > heap->used_max)
        heap->used_max = heap->used;
    if (size > HEAP_SMALL_MAX)
        return large_block(heap, size);
    return is_numbered(tag) ? object_block(heap, small_class(size))
                            : small_block(heap, small_class(size));
}

static void give(struct heap *heap, void *block, size_t size)
{
    size_t bytes;
    if (size > HEAP_SMALL_MAX) {
        size_t class = large_class(size, &bytes);
        push(&heap->large[class], block);
    } else {
        size_t page = (size_t)((unsigned char *)block - heap->base) / HEAP_PAGE;
        bytes = rounded(size);
        push(heap->pages[page] == PAGE_OBJECTS ? &heap->objects[small_class(size)]
                                               : &heap->small[small_class(size)],
             block);
    }
    heap->used -= bytes;
}

void *heap_alloc(void *context, void *old, size_t old_size, size_t new_size)
{
    struct heap *heap = context;
    if (new_size == 0) {
        if (old && old_size > 0)
            give(heap, old, old_size);
        return NULL;
    }
    if (!old || old_size == 0)
        return take(heap, old ? 0 : old_size, new_size);
    if (rounded(old_size) == rounded(new_size))
        return old;
    void *block = take(heap, 0, new_size);
    memcpy(block, old, old_size < new_size ? old_size : new_size);
    give(heap, old, old_size);
    return block;
}

uint64_t heap_birth(const struct heap *heap, const void *object)
{
    const unsigned char *at = object;
    if (at < heap->base || at >= heap->base + heap->at)
        return 0;
    if (heap->pages[(size_t)(at - heap->base) / HEAP_PAGE] != PAGE_OBJECTS)
        return 0;
    return *birth_of(heap, object);
}
