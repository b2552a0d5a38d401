/* timers.c - binary heaps of order numbers by the time at which something is due for them.
 *
 * Of equal times the older order's is first, so that nothing depends on how the heap came about. */
#include "engine/resolver.h"
#include "engine/state.h"

static const struct timer *timer_of(const struct engine *engine, enum timer_kind kind, uint32_t n)
{
    return &engine->more[n].timers[kind];
}

static bool earlier(const struct engine *engine, enum timer_kind kind, uint32_t a, uint32_t b)
{
    weir_ns left = timer_of(engine, kind, a)->due, right = timer_of(engine, kind, b)->due;
    return left < right || (left == right && a < b);
}

static void place(struct engine *engine, enum timer_kind kind, uint32_t at, uint32_t n)
{
    engine->timers[kind][at] = n;
    engine->more[n].timers[kind].place = at + 1;
}

static void rise(struct engine *engine, enum timer_kind kind, uint32_t at)
{
    const uint32_t *heap = engine->timers[kind];
    uint32_t n = heap[at];
    for (; at > 0 && earlier(engine, kind, n, heap[(at - 1) / 2]); at = (at - 1) / 2)
        place(engine, kind, at, heap[(at - 1) / 2]);
    place(engine, kind, at, n);
}

static void sink(struct engine *engine, enum timer_kind kind, uint32_t at)
{
    const uint32_t *heap = engine->timers[kind];
    uint32_t n = heap[at], count = engine->timer_count[kind];
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= count)
            break;
        if (child + 1 < count && earlier(engine, kind, heap[child + 1], heap[child]))
            child++;
        if (!earlier(engine, kind, heap[child], n))
            break;
        place(engine, kind, at, heap[child]);
        at = child;
    }
    place(engine, kind, at, n);
}

void timer_put(struct engine *engine, enum timer_kind kind, uint32_t n, weir_ns due)
{
    struct timer *timer = &more_at(engine, n)->timers[kind];
    timer->due = due;
    if (!timer->place)
        place(engine, kind, engine->timer_count[kind]++, n);
    rise(engine, kind, timer->place - 1);
    sink(engine, kind, timer->place - 1);
}

void timer_cut(struct engine *engine, enum timer_kind kind, uint32_t n)
{
    struct timer *timer = &more_at(engine, n)->timers[kind];
    if (!timer->place)
        return;
    uint32_t at = timer->place - 1, last = engine->timers[kind][--engine->timer_count[kind]];
    timer->place = 0;
    if (last == n)
        return;
    place(engine, kind, at, last);
    rise(engine, kind, at);
    sink(engine, kind, timer_of(engine, kind, last)->place - 1);
}

weir_ns timer_first(const struct engine *engine, enum timer_kind kind)
{
    return engine->timer_count[kind] ? timer_of(engine, kind, engine->timers[kind][0])->due
                                     : INT64_MAX;
}
