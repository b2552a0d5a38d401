/* hold.c - orders that the host keeps until something happens (HELD).
 *
 * WAITS     for the order that it follows, a time, a price, its turn; or it is an iceberg, which goes
 *           out slice by slice. One bit each; when the last is gone it is judged again, as if it were
 *           asked for now, and goes out by its route, as a limit or market order  [hold_go_on, release]
 * COUNTS    in exposure, position limits and held money like any order, but not as an order at a
 *           venue, nor among the reduce-only ones: it may come to nothing.
 * PRICES    by policy the reference or the last trade. A heap for each direction and instrument; a
 *           trailing stop remembers the best price since it was armed.             [hold_price]
 * ENDS      GTD and DAY orders end here while they are held, and by a cancel of ours at a venue that
 *           cannot do it itself; a cancel that is refused is pursued like the kill switch's.
 *
 * A price, a time or a fill only marks the order; what follows is done when the input has been applied
 * [work_run], in the order in which they were marked, so that nothing changes under those that walk. */
#include "engine/hold.h"
#include "engine/define.h"
#include "engine/ledger.h"
#include "engine/loss.h"
#include "engine/resolver.h"
#include "engine/risk.h"
#include "engine/state.h"
#include "engine/submit.h"
#include "engine/tell.h"

static weir_px price_now(const struct engine *engine, const struct instrument *instrument)
{
    return engine->policy[POLICY_trigger_by] == TRIGGER_BY_TRADE ? 2 * instrument->last_trade
                                                                 : instrument->reference_x2;
}

static bool is_trigger(uint8_t type)
{
    return TRIGGER_TYPES >> type & 1;
}

/* A price that it waits for is not known. */
bool price_is_missing(const struct engine *engine, const struct instrument *instrument)
{
    return price_now(engine, instrument) <= 0;
}

uint8_t sent_type(uint8_t type)
{
    bool limit = type == WEIR_LIMIT || type == WEIR_STOP_LIMIT || type == WEIR_ICEBERG;
    return limit ? WEIR_LIMIT : WEIR_MARKET;
}

uint8_t waits_of(const struct engine *engine, const struct in_submit *in)
{
    uint8_t waits = in->link_kind == LINK_PARENT ? WAIT_PARENT : 0;
    if (in->release > engine->now)
        waits |= WAIT_TIME;
    if (type_is_ours(engine, in->msg.venue, in->route, in->type))
        waits |= is_trigger(in->type) ? WAIT_TRIGGER : WAIT_SLICES;
    return waits;
}

#define DAY_NS ((weir_ns)86400000000000)

/* When it ends by its time in force; 0: not at a time. */
weir_ns expiry_of(const struct engine *engine, const struct in_submit *in)
{
    weir_ns since = engine->now - engine->policy[POLICY_day_ends_ns];
    if (in->tif == WEIR_GTD)
        return in->expires;
    if (in->tif != WEIR_DAY)
        return 0;
    weir_ns part = since % DAY_NS; /* of the day that has passed */
    return later(engine->now, DAY_NS - (part < 0 ? part + DAY_NS : part));
}

/* --- telling --------------------------------------------------------------------------------------- */

void view_of_hold(const struct engine *engine, uint32_t n, struct out_hold *out)
{
    const struct order *order = &engine->orders[n];
    const struct order_more *more = &engine->more[n];
    const struct order_kept *kept = &engine->kept[n];
    *out = (struct out_hold){.msg = {.size = sizeof *out,
                                     .kind = OUT_HOLD,
                                     .venue = more->venue,
                                     .account = more->account,
                                     .instrument = order->instrument,
                                     .t = engine->now,
                                     .cause = engine->seq},
                             .order = n,
                             .other = kept->child ? kept->child : kept->parent,
                             .waits = kept->waits,
                             .asked_type = kept->asked_type,
                             .trigger = more->trigger,
                             .price_x2 = kept->fired_x2 ? kept->fired_x2 : kept->extreme_x2,
                             .qty = order->qty,
                             .visible = kept->visible,
                             .release = kept->release,
                             .obstacle = kept->waits & WAIT_LANE ? kept->obstacle : 0,
                             .expires = kept->ours_to_end ? more->expires : 0};
}

void hold_tell(struct engine *engine, uint32_t n, enum hold_event event, uint32_t other)
{
    struct out_hold out;
    view_of_hold(engine, n, &out);
    out.event = (uint8_t)event;
    if (other)
        out.other = other;
    if (event == HOLD_SLICED)
        out.qty = order_at(engine, other)->qty;
    tell(engine, &out.msg);
    tell_later(engine, n);
}

/* --- waiting for a time ---------------------------------------------------------------------------- */

static void alarm_set(struct engine *engine, uint32_t n)
{
    const struct order_more *more = more_at(engine, n);
    const struct order_kept *kept = kept_at(engine, n);
    bool held = order_at(engine, n)->is == IS_HELD;
    weir_ns due = INT64_MAX;
    if (held && (kept->waits & WAIT_TIME))
        due = kept->release;
    if (more->expires > 0 && (held || kept->ours_to_end) && more->expires < due)
        due = more->expires;
    if (due < INT64_MAX)
        timer_put(engine, TIMER_ALARM, n, due);
    else
        timer_cut(engine, TIMER_ALARM, n);
}

static void expire(struct engine *engine, uint32_t n)
{
    const struct order *order = order_at(engine, n);
    hold_tell(engine, n, HOLD_EXPIRED, 0);
    if (order->is == IS_HELD && !kept_at(engine, n)->child) {
        put_text(more_at(engine, n)->reason, more_at(engine, n)->tif == WEIR_DAY ? "DAY" : "GTD");
        (void)order_step(engine, n, ON_EXPIRED);
        return;
    }
    order_cancel(engine, n);
    if (order->is == IS_HELD)
        kept_at(engine, n)->closing = CLOSING_TIME;
}

void hold_run(struct engine *engine)
{
    while (timer_first(engine, TIMER_ALARM) <= engine->now) {
        uint32_t n = engine->timers[TIMER_ALARM][0];
        const struct order_more *more = more_at(engine, n);
        timer_cut(engine, TIMER_ALARM, n);
        if (more->expires > 0 && more->expires <= engine->now) {
            expire(engine, n);
            continue;
        }
        kept_at(engine, n)->waits &= (uint8_t)~WAIT_TIME;
        hold_tell(engine, n, HOLD_WAITS, 0);
        alarm_set(engine, n);
        work_later(engine, n);
    }
}

/* --- waiting for a price ---------------------------------------------------------------------------- */

static bool rises(const struct engine *engine, uint32_t n)
{
    bool buys = engine->orders[n].side == WEIR_BUY;
    return engine->kept[n].asked_type == WEIR_TAKE_PROFIT ? !buys : buys;
}

static void trailing_put(struct engine *engine, uint32_t n)
{
    struct order *order = order_at(engine, n);
    uint32_t *first = &engine->instruments[order->instrument].trailing;
    order->prev = 0;
    order->next = *first;
    if (*first)
        order_at(engine, *first)->prev = n;
    *first = n;
}

static void trailing_cut(struct engine *engine, uint32_t n)
{
    struct order *order = order_at(engine, n);
    if (order->prev)
        order_at(engine, order->prev)->next = order->next;
    else
        engine->instruments[order->instrument].trailing = order->next;
    if (order->next)
        order_at(engine, order->next)->prev = order->prev;
    order->next = order->prev = 0;
}

static void disarm(struct engine *engine, uint32_t n)
{
    struct order_kept *kept = kept_at(engine, n);
    if (kept->armed == ARMED_TRAILING)
        trailing_cut(engine, n);
    else if (kept->armed == ARMED_LANE)
        lane_cut(engine, n);
    else if (kept->armed)
        triggers_drop(engine, n);
    kept->armed = ARMED_NOT;
}

static void fire(struct engine *engine, uint32_t n, weir_px price_x2)
{
    struct order_kept *kept = kept_at(engine, n);
    disarm(engine, n);
    kept->waits &= (uint8_t)~WAIT_TRIGGER;
    kept->fired_x2 = price_x2;
    hold_tell(engine, n, HOLD_FIRED, 0);
    work_later(engine, n);
}

/* True: it fires. The best price so far is the highest for one that sells. */
static bool trails(struct engine *engine, uint32_t n, weir_px price_x2)
{
    struct order_kept *kept = kept_at(engine, n);
    bool buys = order_at(engine, n)->side == WEIR_BUY;
    if (kept->extreme_x2 == 0 || (buys ? price_x2 < kept->extreme_x2 : price_x2 > kept->extreme_x2))
        kept->extreme_x2 = price_x2;
    amount away = buys ? (amount)price_x2 - kept->extreme_x2 : (amount)kept->extreme_x2 - price_x2;
    return away >= 2 * (amount)more_at(engine, n)->trigger;
}

static bool reached(const struct engine *engine, uint32_t n, bool rising, weir_px price_x2)
{
    amount trigger_x2 = 2 * (amount)engine->more[n].trigger;
    return rising ? price_x2 >= trigger_x2 : price_x2 <= trigger_x2;
}

/* Its price has become old: nothing fires before it is good again, and somebody should know. */
void hold_stale(struct engine *engine, const struct instrument *instrument)
{
    uint32_t first = instrument->triggers[0]   ? instrument->triggers[0]
                     : instrument->triggers[1] ? instrument->triggers[1]
                                               : instrument->trailing;
    if (first)
        tell_alert(engine, ALERT_HELD_STALE, instrument->is.msg.instrument, first, instrument->book,
                   BOOK_LIVE, more_at(engine, first)->cid);
}

void hold_price(struct engine *engine, struct instrument *instrument, weir_px price_x2)
{
    for (int rising = 0; rising < 2; rising++) {
        const uint32_t *root = &instrument->triggers[rising];
        while (*root && reached(engine, *root, rising, price_x2))
            fire(engine, *root, price_x2);
    }
    for (uint32_t n = instrument->trailing, next; n; n = next) {
        next = order_at(engine, n)->next;
        if (trails(engine, n, price_x2))
            fire(engine, n, price_x2);
    }
}

/* It may be there already. */
static void arm(struct engine *engine, uint32_t n)
{
    struct order *order = order_at(engine, n);
    struct order_kept *kept = kept_at(engine, n);
    weir_px now = price_now(engine, &engine->instruments[order->instrument]);
    if (kept->armed)
        return;
    if (kept->asked_type == WEIR_TRAILING) {
        if (now > 0 && trails(engine, n, now)) {
            fire(engine, n, now);
            return;
        }
        kept->armed = ARMED_TRAILING;
        trailing_put(engine, n);
    } else if (now > 0 && reached(engine, n, rises(engine, n), now)) {
        fire(engine, n, now);
    } else {
        kept->armed = rises(engine, n) ? ARMED_RISING : ARMED_FALLING;
        triggers_put(engine, n, (enum armed)kept->armed, more_at(engine, n)->trigger);
    }
}

/* --- beginning and going out -------------------------------------------------------------------------- */

/* A new order, and what of it is ours to do. */
void hold_make(struct engine *engine, uint32_t n, const struct in_submit *in, uint8_t waits)
{
    struct order_more *more = more_at(engine, n);
    struct order_kept *kept = kept_at(engine, n);
    bool ends = more->expires > 0 && end_is_ours(engine, more->venue, in->route, in->tif);
    if (!waits && !ends && !in->link_kind)
        return;
    more->tied = 1;
    *kept = (struct order_kept){.waits = waits,
                                .asked_type = in->type,
                                .ours_to_end = ends,
                                .visible = in->visible,
                                .release = in->release,
                                .counted_reduce = kept->counted_reduce};
    if (waits & (WAIT_TRIGGER | WAIT_SLICES))
        more->type = sent_type(in->type);
    if (ends)
        more->sent_tif = WEIR_GTC;
    alarm_set(engine, n);
}

void hold_own(struct engine *engine, uint32_t n)
{
    more_at(engine, n)->tied = 1;
    *kept_at(engine, n) =
        (struct order_kept){.asked_type = more_at(engine, n)->type, .kin = KIN_FLAT};
    hold_begin(engine, n);
}

void hold_begin(struct engine *engine, uint32_t n)
{
    (void)order_step(engine, n, ON_HOLD);
    alarm_set(engine, n);
    hold_tell(engine, n, HOLD_HELD, 0);
    work_later(engine, n);
}

void wish_to_release(struct engine *engine, uint32_t n, struct wish *wish)
{
    const struct order *order = order_at(engine, n);
    const struct order_more *more = more_at(engine, n);
    *wish =
        (struct wish){.order = n,
                      .release = true,
                      .instrument = instrument_at(engine, order->instrument),
                      .strategy = scope_at(engine, SCOPE_strategy, order->strategy),
                      .px = more->px,
                      .qty = order->qty - order->cum,
                      .worst = order->qty - order->cum,
                      .side = order->side,
                      .type = more->type,
                      .flags = order->flags,
                      .route = order->route,
                      .siblings = order->flags & WEIR_REDUCE_ONLY ? link_reduces(engine, n) : 0};
    /* what closes a position is ours, whoever holds it; of EXTERNAL nobody else trades */
    wish->foreign = kept_at(engine, n)->kin != KIN_FLAT && !(wish->strategy->rights & RIGHT_ORDERS);
}

void hold_tell_decision(struct engine *engine, uint32_t n)
{
    const struct weir_msg from = {.venue = more_at(engine, n)->venue,
                                  .account = more_at(engine, n)->account,
                                  .instrument = order_at(engine, n)->instrument};
    tell_decision(engine, DECISION_RELEASE, &from, more_at(engine, n)->cid, n,
                  order_at(engine, n)->strategy);
}

bool hold_judge(struct engine *engine, uint32_t n, struct wish *wish)
{
    bool allowed = risk_allows(engine, wish);
    if (!allowed && lane_takes(engine, n))
        return false;
    hold_tell_decision(engine, n);
    if (allowed) {
        disarm(engine, n);
        return true;
    }
    put_text(more_at(engine, n)->reason,
             risk_check_name((enum risk_check)engine->decision->reason));
    (void)order_step(engine, n, order_at(engine, n)->cum > 0 ? ON_CANCELED : ON_DENY);
    return false;
}

/* Nothing is in its way but the limits. */
static void release(struct engine *engine, uint32_t n)
{
    struct order_more *more = more_at(engine, n);
    struct wish wish;
    link_cap(engine, n);
    if (order_at(engine, n)->is != IS_HELD ||
        (kept_at(engine, n)->kin == KIN_FLAT && !flat_size(engine, n)))
        return;
    wish_to_release(engine, n, &wish);
    if (!hold_judge(engine, n, &wish))
        return;
    if (more->type == WEIR_MARKET)
        more->hold_px = wish.instrument->reference_x2 / 2 + wish.instrument->reference_x2 % 2;
    if (kept_at(engine, n)->fired_x2)
        link_fired(engine, n);
    (void)order_step(engine, n, ON_REST);
    alarm_set(engine, n);
    order_go(engine, n);
}

void hold_go_on(struct engine *engine, uint32_t n)
{
    struct order_kept *kept = kept_at(engine, n);
    if (order_at(engine, n)->is != IS_HELD || kept->closing)
        return;
    if ((kept->waits & WAIT_PARENT) && link_lets(engine, n)) {
        kept->waits &= (uint8_t)~WAIT_PARENT;
        hold_tell(engine, n, HOLD_WAITS, 0);
    }
    if (order_at(engine, n)->is != IS_HELD || (kept->waits & (WAIT_PARENT | WAIT_TIME)))
        return;
    if (kept->waits & WAIT_TRIGGER)
        arm(engine, n);
    else if (kept->waits & WAIT_SLICES)
        slice_next(engine, n);
    else
        release(engine, n);
}

/* --- ending ---------------------------------------------------------------------------------------------- */

void hold_settle(struct engine *engine, uint32_t n)
{
    const struct order *order = order_at(engine, n);
    if (order->is != IS_HELD)
        disarm(engine, n);
    if (is_done(order->is))
        timer_cut(engine, TIMER_ALARM, n);
    work_later(engine, n);
}

void hold_cancel(struct engine *engine, uint32_t n, const char *reason)
{
    struct order *order = order_at(engine, n);
    struct order_kept *kept = kept_at(engine, n);
    if (!more_at(engine, n)->reason[0])
        put_text(more_at(engine, n)->reason, reason);
    if (!kept->child) {
        (void)order_step(engine, n, ON_CANCELED);
        return;
    }
    kept->closing = CLOSING_ASKED;
    request_set(engine, n, &order->cancel, REQUEST_SENT);
    order_cancel(engine, kept->child);
}

/* One that waits for another price from now on. */
void hold_move(struct engine *engine, uint32_t n, weir_px trigger)
{
    more_at(engine, n)->trigger = trigger;
    disarm(engine, n);
    hold_tell(engine, n, HOLD_MOVED, 0);
    work_later(engine, n);
}

void hold_cancel_all(struct engine *engine, const char *reason)
{
    for (uint32_t n = engine->held_first, next; n; n = next) {
        next = more_at(engine, n)->list_next;
        if (!request_is_open(order_at(engine, n)->cancel))
            hold_cancel(engine, n, reason);
    }
}

/* --- work ---------------------------------------------------------------------------------------------------- */

/* Look at it when the input has been applied. */
void work_later(struct engine *engine, uint32_t n)
{
    struct order_more *more = more_at(engine, n);
    if (more->tied != 1)
        return;
    more->tied = 2;
    engine->work[(engine->work_first + engine->work_count) % (engine->sizes.orders + 1)] = n;
    engine->work_count++;
}

void work_run(struct engine *engine)
{
    while (engine->work_count > 0) {
        uint32_t n = engine->work[engine->work_first];
        engine->work_first = (engine->work_first + 1) % (engine->sizes.orders + 1);
        engine->work_count--;
        more_at(engine, n)->tied = 1;
        if (kept_at(engine, n)->kin == KIN_SLICE)
            slice_follow(engine, n);
        links_follow(engine, n);
        hold_go_on(engine, n);
    }
}
