/* timers.h - a plugin's timers: due in order of time, then of id, so that two runs fire them alike.
 *
 * A binary heap of fixed room. Setting an id again moves it. [engine thread] */
#ifndef WEIR_VENUE_TIMERS_H
#define WEIR_VENUE_TIMERS_H

#include <stdbool.h>

#include "weir/error.h"
#include "weir/event.h"

enum { TIMERS_MAX = 1024 };

struct timers {
    struct timer {
        weir_ns t;
        uint32_t id;
        uint32_t pad;
    } heap[TIMERS_MAX];
    uint32_t count;
};

/* E_FULL: TIMERS_MAX are set already. */
enum weir_err timers_set(struct timers *timers, uint32_t id, weir_ns t) WEIR_MUST_USE;
void timers_unset(struct timers *timers, uint32_t id); /* one that is not set is fine */
weir_ns timers_next(const struct timers *timers);      /* INT64_MAX: none */
/* Take the first one that is due at t. */
bool timers_take(struct timers *timers, weir_ns t, uint32_t *id_out);

#endif
