/* timers.c - the heap. An id is looked for from end to end: plugins have few timers. */
#include "venue/timers.h"

static bool before(struct timer a, struct timer b)
{
    return a.t != b.t ? a.t < b.t : a.id < b.id;
}

static void swap(struct timer *a, struct timer *b)
{
    struct timer keep = *a;
    *a = *b;
    *b = keep;
}

static void rise(struct timers *timers, uint32_t at)
{
    for (; at > 0 && before(timers->heap[at], timers->heap[(at - 1) / 2]); at = (at - 1) / 2)
        swap(&timers->heap[at], &timers->heap[(at - 1) / 2]);
}

static void sink(struct timers *timers, uint32_t at)
{
    for (;;) {
        uint32_t least = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < timers->count; child++)
            if (before(timers->heap[child], timers->heap[least]))
                least = child;
        if (least == at)
            return;
        swap(&timers->heap[at], &timers->heap[least]);
        at = least;
    }
}

static uint32_t find(const struct timers *timers, uint32_t id)
{
    uint32_t at = 0;
    while (at < timers->count && timers->heap[at].id != id)
        at++;
    return at;
}

static void remove_at(struct timers *timers, uint32_t at)
{
    timers->heap[at] = timers->heap[--timers->count];
    if (at < timers->count) {
        rise(timers, at);
        sink(timers, at);
    }
}

enum weir_err timers_set(struct timers *timers, uint32_t id, weir_ns t)
{
    uint32_t at = find(timers, id);
    if (at == TIMERS_MAX)
        return WEIR_E_FULL;
    if (at == timers->count)
        timers->count++;
    timers->heap[at] = (struct timer){t, id, 0};
    rise(timers, at);
    sink(timers, at);
    return WEIR_OK;
}

void timers_unset(struct timers *timers, uint32_t id)
{
    uint32_t at = find(timers, id);
    if (at < timers->count)
        remove_at(timers, at);
}

weir_ns timers_next(const struct timers *timers)
{
    return timers->count > 0 ? timers->heap[0].t : INT64_MAX;
}

bool timers_take(struct timers *timers, weir_ns t, uint32_t *id_out)
{
    if (timers->count == 0 || timers->heap[0].t > t)
        return false;
    *id_out = timers->heap[0].id;
    remove_at(timers, 0);
    return true;
}
