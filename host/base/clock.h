/* clock.h - time behind one interface, so that the same code runs on real and on virtual time.
 *
 * Engine time is nanoseconds since the epoch and never goes back: real clocks take the wall clock
 * once, at the start, and count on from there with the monotonic clock; a step of the wall clock is
 * seen as a difference (clock_wall), not as a jump of time. [one thread each] */
#ifndef WEIR_BASE_CLOCK_H
#define WEIR_BASE_CLOCK_H

#include <stdbool.h>

#include "weir/event.h"

struct clock {
    bool virtual_time;
    weir_ns now;  /* the last reading; virtual: the time itself */
    weir_ns base; /* real: wall - monotonic at the start */
};

struct clock clock_real(void);
struct clock clock_virtual(weir_ns start);

weir_ns clock_now(struct clock *clock);        /* never less than the last answer */
weir_ns clock_wall(const struct clock *clock); /* the wall clock now; virtual: the same as now */

/* Virtual: go to t, if it is later. Real: nothing. */
void clock_advance(struct clock *clock, weir_ns t);

/* CLOCK_MONOTONIC, within a microsecond; never less than the last answer in this thread. [any thread] */
weir_ns clock_stopwatch(void);

#endif
