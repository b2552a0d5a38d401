/* lane.c - held orders that are ready to go, and wait for an obstacle to pass.
 *
 * What was asked for and fired is not thrown away because a venue is down or the pace is used up: it
 * stays HELD, and is judged again when the obstacle may have passed [may_pass], in the order in which
 * they came. Pace and backoff have a time at which they end; the others end by an input. A refusal that
 * does not pass by itself ends the order, DENIED with its numbers.
 *
 * An order that is asked for now waits here only if config says so (policy pace_queue), and only for
 * pace; else it is DENIED, as everywhere. */
#include "engine/define.h"
#include "engine/hold.h"
#include "engine/state.h"
#include "engine/tell.h"

/* What closes a position waits also for its orders to be canceled. */
static bool passes_by_itself(const struct order_kept *kept, enum risk_check reason)
{
    switch (reason) {
    case CHECK_TRADING_STATE: return kept->kin == KIN_FLAT;
    case CHECK_RECONCILING:
    case CHECK_HALTED:
    case CHECK_VENUE_DOWN:
    case CHECK_VENUE_BACKOFF:
    case CHECK_STALE_BOOK:
    case CHECK_THROTTLED:
    case CHECK_JOURNAL: return true;
    default: return false;
    }
}

enum { AGAIN_NS = 100000000 };

bool lane_wanted(const struct engine *engine, enum risk_check reason)
{
    return engine->policy[POLICY_pace_queue] &&
           (reason == CHECK_THROTTLED || reason == CHECK_VENUE_BACKOFF);
}

/* When the refusal that was just judged may have passed; INT64_MAX: at an input that is not known. */
static weir_ns passes_at(struct engine *engine, uint32_t n)
{
    const struct out_decision *decision = engine->decision;
    weir_ns at = INT64_MAX;
    if (decision->reason == CHECK_TRADING_STATE)
        return later(engine->now, AGAIN_NS);
    if (decision->reason == CHECK_VENUE_BACKOFF)
        return engine->backoff[more_at(engine, n)->venue];
    if (decision->reason != CHECK_THROTTLED)
        return at;
    struct decision_walk walk = decision_begin(decision);
    struct risk_reading reading;
    while (decision_next(&walk, &reading)) {
        if (reading.check != CHECK_THROTTLED || !reading.failed)
            continue;
        const struct scope *scope = scope_peek(engine, reading.scope, reading.id);
        weir_ns due = later(scope->throttle.oldest, scope->throttle_window);
        if (scope->throttle_max > 0 && (at == INT64_MAX || due > at))
            at = due;
    }
    return at;
}

static void put(struct engine *engine, uint32_t n)
{
    struct order *order = order_at(engine, n);
    kept_at(engine, n)->armed = ARMED_LANE;
    kept_at(engine, n)->waits |= WAIT_LANE;
    order->next = 0;
    order->prev = engine->lane_last;
    if (order->prev)
        order_at(engine, order->prev)->next = n;
    else
        engine->lane_first = n;
    engine->lane_last = n;
}

void lane_cut(struct engine *engine, uint32_t n)
{
    struct order *order = order_at(engine, n);
    *(order->prev ? &order_at(engine, order->prev)->next : &engine->lane_first) = order->next;
    *(order->next ? &order_at(engine, order->next)->prev : &engine->lane_last) = order->prev;
    order->next = order->prev = 0;
    kept_at(engine, n)->waits &= (uint8_t)~WAIT_LANE;
}

/* It was judged and refused: does it wait? */
bool lane_takes(struct engine *engine, uint32_t n)
{
    struct order_kept *kept = kept_at(engine, n);
    enum risk_check reason = (enum risk_check)engine->decision->reason;
    if (!passes_by_itself(kept, reason))
        return false;
    weir_ns due = passes_at(engine, n);
    if (due < engine->lane_due)
        engine->lane_due = due;
    bool known = kept->armed == ARMED_LANE && kept->obstacle == reason;
    if (kept->armed != ARMED_LANE)
        put(engine, n);
    kept->obstacle = (uint8_t)reason;
    if (!known) {
        hold_tell_decision(engine, n);
        hold_tell(engine, n, HOLD_QUEUED, 0);
        tell_later(engine, n);
    }
    return true;
}

/* Inputs after which more may be allowed than before. */
static bool may_pass(uint16_t kind)
{
    switch (kind) {
    case WEIR_SESSION:
    case WEIR_INSTRUMENT:
    case WEIR_MARK:
    case WEIR_RECON_END:
    case IN_BOOK_STATE:
    case IN_JOURNAL_STATE:
    case IN_LIMIT:
    case IN_ADOPT_POSITION: return true;
    default: return false;
    }
}

void lane_run(struct engine *engine)
{
    engine->lane_due = INT64_MAX;
    for (uint32_t n = engine->lane_first; n; n = order_at(engine, n)->next)
        work_later(engine, n);
}

void lane_stir(struct engine *engine, uint16_t kind)
{
    if (engine->lane_first && may_pass(kind))
        lane_run(engine);
}
