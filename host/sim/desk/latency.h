/* latency.h - how long each way to and from a simulated venue takes.
 *
 * FIXED     a time for each kind of request, and one for reports
 * DRAWN     on top of it: up to `jitter`, evenly; and a tail that is distributed exponentially with
 *           the mean `tail` (many short ones, few long ones, as queues and networks have them)
 * RECORDED  instead of the fixed times: rows of what was measured, either the one of that moment,
 *           with the values between two rows on the line between them (as hftbacktest's interpolated
 *           order latency), or one drawn from all of them for each way: the measured distribution
 *
 * Same dice, same times; nothing is drawn where nothing varies.                       [pure] */
#ifndef WEIR_SIM_DESK_LATENCY_H
#define WEIR_SIM_DESK_LATENCY_H

#include "sim/desk/dice.h"
#include "weir/event.h"

enum latency_way { WAY_SUBMIT, WAY_CANCEL, WAY_AMEND, WAY_REPORT, LATENCY_WAYS };

struct latency_row {
    weir_ns t; /* of the measurement; rows are in order of time */
    weir_ns of[LATENCY_WAYS];
};

struct latency {
    weir_ns of[LATENCY_WAYS];
    weir_ns jitter, tail;
    const struct latency_row *rows; /* borrowed; NULL: none were recorded */
    uint32_t row_count;
    bool drawn; /* a row by chance, not by time */
};

/* The time that a way takes which begins now; >= 0. */
weir_ns latency_take(const struct latency *latency, enum latency_way way, weir_ns now,
                     struct dice *dice);

/* Are all times within 0 .. one day, and the rows in order? */
bool latency_is_sane(const struct latency *latency);

#endif
