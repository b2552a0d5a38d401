/* clock.c - engine time: the wall clock of the start, counted on by the monotonic one.
 *
 * A reading of the monotonic clock takes 20 ns, and all that the thread has asked of memory must have come
 * before it. Where the processor counts at one pace (invariant TSC), time is counted on from the last
 * reading for a millisecond at most, at the pace of the last tenth of a second or more; so it is never
 * further from the monotonic clock than that clock's own pace may change in a millisecond. Each thread
 * counts for itself. [clock_stopwatch] */
#include "base/clock.h"

#include <time.h>

#if defined __x86_64__
#include <cpuid.h>
#endif

static weir_ns read_clock(clockid_t id)
{
    struct timespec t;
    if (clock_gettime(id, &t) != 0)
        __builtin_trap(); /* these two clocks always exist on Linux */
    return (weir_ns)t.tv_sec * 1000000000 + t.tv_nsec;
}

#if defined __x86_64__
enum { COUNTED_NS = 1000000, PACE_NS = 100000000 };

static _Thread_local struct {
    uint64_t ticks; /* when `ns` was read */
    weir_ns ns;
    uint64_t most; /* so many ticks are counted on; 0: none */
    uint64_t pace; /* ns a tick, 2^32 times */
    uint64_t pace_ticks;
    weir_ns pace_ns; /* since when the pace is being measured; 0: not yet */
    weir_ns last;    /* answer */
} counted;

static bool is_invariant(void)
{
    unsigned a, b, c, d = 0;
    return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & 1u << 8);
}

/* Over what has passed since it was measured last: 0.5 to 10 GHz, or it is no counter to be trusted. */
static void measure_pace(uint64_t ticks, weir_ns ns)
{
    const uint64_t one = (uint64_t)1 << 32;
    uint64_t passed = ticks - counted.pace_ticks;
    unsigned __int128 pace = (unsigned __int128)(uint64_t)(ns - counted.pace_ns) << 32;
    pace = passed > 0 ? pace / passed : 0;
    bool sound = pace >= one / 10 && pace <= 2 * one && is_invariant();
    counted.pace = (uint64_t)pace;
    counted.most = sound ? COUNTED_NS * one / counted.pace : 0;
    counted.pace_ticks = ticks;
    counted.pace_ns = ns;
}

__attribute__((noinline)) static weir_ns read_anew(uint64_t ticks)
{
    weir_ns ns = read_clock(CLOCK_MONOTONIC);
    if (counted.pace_ns == 0) {
        counted.pace_ticks = ticks;
        counted.pace_ns = ns;
    } else if (ns - counted.pace_ns >= PACE_NS) {
        measure_pace(ticks, ns);
    }
    counted.ticks = ticks;
    return counted.ns = ns;
}

weir_ns clock_stopwatch(void)
{
    uint64_t ticks = __builtin_ia32_rdtsc(), passed = ticks - counted.ticks;
    weir_ns ns = passed < counted.most ? counted.ns + (weir_ns)(passed * counted.pace >> 32)
                                       : read_anew(ticks);
    if (ns > counted.last)
        counted.last = ns;
    return counted.last;
}
#else
weir_ns clock_stopwatch(void)
{
    return read_clock(CLOCK_MONOTONIC);
}
#endif

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
