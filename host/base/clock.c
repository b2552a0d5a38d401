/* clock.c - engine time: the wall clock of the start, counted on by the monotonic one. */
#include "base/clock.h"

#include <time.h>

static weir_ns read_clock(clockid_t id)
{
    struct timespec t;
    if (clock_gettime(id, &t) != 0)
        __builtin_trap(); /* these two clocks always exist on Linux */
    return (weir_ns)t.tv_sec * 1000000000 + t.tv_nsec;
}

weir_ns clock_stopwatch(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

struct clock clock_real(void)
{
    weir_ns wall = read_clock(CLOCK_REALTIME);
    return (struct clock){false, wall, wall - clock_stopwatch()};
}

struct clock clock_virtual(weir_ns start)
{
    return (struct clock){true, start, 0};
}

weir_ns clock_now(struct clock *clock)
{
    if (!clock->virtual_time) {
        weir_ns now = clock->base + clock_stopwatch();
        if (now > clock->now)
            clock->now = now;
    }
    return clock->now;
}

weir_ns clock_wall(const struct clock *clock)
{
    return clock->virtual_time ? clock->now : read_clock(CLOCK_REALTIME);
}

void clock_advance(struct clock *clock, weir_ns t)
{
    if (clock->virtual_time && t > clock->now)
        clock->now = t;
}
