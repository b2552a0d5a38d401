/* budget.c - what a venue lets us ask for: budgets by window, three lanes, and bans.
 *
 * A budget is known once the venue has stated its limit, in its rules or in the headers of an answer.
 * Its windows begin at whole multiples of their length, as venues count them. What we spend is added at
 * once; what the venue says of `used` replaces our own count when it is more, or when the window is
 * new, so that other programs on the same address or key are counted too. Nothing is refused for a
 * budget that the venue has not stated. */
#include <time.h>

#include "net/own.h"

/* How much of a budget each lane leaves to those above it, in percent. */
static const int64_t left_alone[] = {
    [WEIR_LANE_NEW] = 20, [WEIR_LANE_ASK] = 10, [WEIR_LANE_CANCEL] = 0};

weir_ns real_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (weir_ns)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void turn_over(struct rates *rates, size_t i, weir_ns now)
{
    weir_ns began = now - now % rates->rows[i].window;
    if (began == rates->rows[i].began)
        return;
    rates->rows[i].began = began;
    rates->rows[i].used = 0;
}

void net_budget(struct net_endpoint *endpoint, const struct weir_budget *budget)
{
    struct rates *rates = &endpoint->rates;
    size_t i = 0;
    while (i < rates->count &&
           (rates->rows[i].of != budget->of || rates->rows[i].window != budget->window))
        i++;
    if (i == BUDGETS_MAX || budget->window <= 0)
        return;
    if (i == rates->count) {
        rates->count++;
        rates->rows[i].of = budget->of;
        rates->rows[i].window = budget->window;
        rates->rows[i].limit = -1;
        rates->rows[i].began = 0;
    }
    turn_over(rates, i, real_now());
    if (budget->limit >= 0)
        rates->rows[i].limit = budget->limit;
    if (budget->used > rates->rows[i].used)
        rates->rows[i].used = budget->used;
}

static int64_t cost_in(uint32_t of, uint32_t weight, uint32_t orders)
{
    return of == WEIR_BUDGET_ORDERS ? orders : weight;
}

static bool has_room(const struct rates *rates, size_t i, int64_t cost, uint32_t lane)
{
    int64_t limit = rates->rows[i].limit;
    if (limit < 0 || cost == 0)
        return true;
    return rates->rows[i].used + cost <= limit - limit * left_alone[lane] / 100;
}

enum weir_err net_spend(struct net_endpoint *endpoint, uint32_t weight, uint32_t orders,
                        uint32_t lane)
{
    struct rates *rates = &endpoint->rates;
    weir_ns now = real_now();
    bool room = now >= rates->banned_until;
    lane = lane > WEIR_LANE_CANCEL ? WEIR_LANE_NEW : lane;
    for (size_t i = 0; i < rates->count && room; i++) {
        turn_over(rates, i, now);
        room = has_room(rates, i, cost_in(rates->rows[i].of, weight, orders), lane);
    }
    if (!room) {
        endpoint->counts.held_back++;
        return WEIR_E_FULL;
    }
    for (size_t i = 0; i < rates->count; i++)
        rates->rows[i].used += cost_in(rates->rows[i].of, weight, orders);
    return WEIR_OK;
}

void net_ban(struct net_endpoint *endpoint, weir_ns until)
{
    if (until > endpoint->rates.banned_until)
        endpoint->rates.banned_until = until;
}

weir_ns net_banned_until(const struct net_endpoint *endpoint)
{
    return endpoint->rates.banned_until > real_now() ? endpoint->rates.banned_until : 0;
}
