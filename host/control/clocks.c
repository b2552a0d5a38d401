/* clocks.c - what the engine is told of other clocks than its own: steps of the wall clock, and how far
 * the venues' clocks are from ours. Only on real time: virtual time has one clock. */
#include "control/host.h"

enum { EVERY = 1000000000, STEP_LEAST = 100000000, BETWEEN_MOST = 1000000, TOLD_LEAST = 1000000 };

static weir_ns size_of(weir_ns span)
{
    return span < 0 ? -span : span;
}

static void tell(struct host *host, uint16_t kind, uint16_t venue, int64_t value)
{
    struct in_state input = {.msg = {.size = sizeof input, .kind = kind, .venue = venue},
                             .value = value};
    host_do(host, &input.msg);
}

/* Wall clocks are slewed all the time, and that is no step. A reading that took long says nothing. */
static void look_at_wall(struct host *host)
{
    weir_ns before = clock_now(&host->clock), wall = clock_wall(&host->clock);
    if (clock_now(&host->clock) - before > BETWEEN_MOST)
        return;
    weir_ns step = wall - before - host->wall_ahead;
    host->wall_ahead = wall - before;
    if (size_of(step) >= STEP_LEAST)
        tell(host, IN_CLOCK_JUMP, 0, step);
}

void host_clocks(struct host *host)
{
    weir_ns now = clock_now(&host->clock);
    if (host->clock.virtual_time || now < host->next_clocks)
        return;
    host->next_clocks = now + EVERY;
    look_at_wall(host);
    for (size_t i = 0; i < host->venue_count; i++) {
        struct host_venue *venue = &host->venues[i];
        if (!venue->clock_known ||
            (venue->clock_told && size_of(venue->clock_ahead - venue->clock_said) < TOLD_LEAST))
            continue;
        venue->clock_told = true;
        venue->clock_said = venue->clock_ahead;
        tell(host, IN_VENUE_CLOCK, venue->number, venue->clock_ahead);
    }
}
