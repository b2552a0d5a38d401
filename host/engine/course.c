/* course.c - the course of a scope: pace, profit and loss since the day began and since their best,
 * losing trades in a row; and what is done when one of its limits is passed while it trades.
 *
 * COUNTED   as long as a limit of further.c is given anywhere; from the moment on at which it was given.
 * WATCHED   at each execution and each price that moves what is held  [course_watch], and where the host
 *           noticed something by itself [guard_trips]: a mismatch, stale data while something is held,
 *           a late acknowledgement, executions that run away, a step of the clock, a journal that lags.
 * ACTS      by policy, once until it is within its limit again: alarm, reduce_only, disarm (cancel, and
 *           only cancels), halt (cancel, and nothing), flatten (cancel, reduce_only, and sell what is
 *           held, or buy it back). It never loosens a state. */
#include "engine/define.h"
#include "engine/hold.h"
#include "engine/kill.h"
#include "engine/loss.h"
#include "engine/risk.h"
#include "engine/state.h"
#include "engine/submit.h"
#include "engine/tell.h"

int64_t course_day(const struct engine *engine)
{
    const int64_t day = 86400000000000;
    return (engine->now - engine->policy[POLICY_day_ends_ns] + day) / day + 1;
}

amount course_day_loss(const struct scope *scope)
{
    amount loss;
    bool known = scope->course.day != 0 && amount_sub(scope->course.day_began, scope->pnl, &loss);
    return known && loss > 0 ? loss : 0;
}

amount course_drawdown(const struct scope *scope)
{
    amount loss;
    bool known = scope->course.day != 0 && amount_sub(scope->course.best, scope->pnl, &loss);
    return known && loss > 0 ? loss : 0;
}

void course_window_anew(const struct engine *engine, struct scope *scope)
{
    struct course *course = &scope->course;
    course->window_from[0] = course->window_from[1] = course->window_last = scope->pnl;
    course->losses_begun = engine->now;
}

/* Whole windows that passed since this one began. */
static weir_ns windows_past(const struct engine *engine, const struct course *course)
{
    return (engine->now - course->losses_begun) / engine->policy[POLICY_loss_window_ns];
}

amount course_window_loss(const struct engine *engine, const struct scope *scope)
{
    const struct course *course = &scope->course;
    weir_ns past = windows_past(engine, course);
    amount from = past == 0 ? course->window_from[0] : course->window_last, loss;
    amount before = past == 0   ? course->window_from[1]
                    : past == 1 ? course->window_from[0]
                                : course->window_last;
    bool known = course->day != 0 && amount_sub(before > from ? before : from, scope->pnl, &loss);
    return known && loss > 0 ? loss : 0;
}

static void windows_go(struct engine *engine, struct scope *scope)
{
    struct course *course = &scope->course;
    weir_ns past = windows_past(engine, course);
    if (past > 0) {
        course->window_from[1] = past == 1 ? course->window_from[0] : course->window_last;
        course->window_from[0] = course->window_last;
        course->losses_begun += past * engine->policy[POLICY_loss_window_ns];
    }
    course->window_last = scope->pnl;
}

struct chain {
    struct scope *of[RISK_SCOPE_COUNT];
};

static struct chain chain_of(struct engine *engine, const struct instrument *instrument,
                             uint32_t strategy)
{
    struct scope *owner = strategy ? strategy_of(engine, strategy) : NULL;
    return (struct chain){{engine->host, &engine->venues[instrument->venue],
                           &engine->account_scopes[instrument->account],
                           owner ? group_of(engine, owner) : NULL, owner,
                           &engine->instrument_scopes[instrument->is.msg.instrument]}};
}

static void day_begins(struct engine *engine, struct scope *scope)
{
    struct course *course = &scope->course;
    int64_t day = course_day(engine);
    if (course->day == day)
        return;
    if (course->day == 0) {
        course->best = scope->pnl;
        course_window_anew(engine, scope);
    }
    course->day = day;
    course->day_began = scope->pnl;
    course->sends = course->fills = 0;
}

/* --- counting ---------------------------------------------------------------------------------------- */

static void count_send(struct engine *engine, struct scope *scope, const struct order *order,
                       const struct order_more *more, amount worth)
{
    struct course *course = &scope->course;
    day_begins(engine, scope);
    course->sends++;
    bool same = course->last_instrument == order->instrument && course->last_px == more->px &&
                course->last_qty == order->qty && course->last_side == order->side &&
                engine->now - course->last_sent < 1000000000;
    course->repeats = same ? course->repeats + 1 : 1;
    course->last_instrument = order->instrument;
    course->last_px = more->px;
    course->last_qty = order->qty;
    course->last_side = order->side;
    course->last_sent = engine->now;
    weir_ns past = engine->now - course->window_begun;
    if (past >= scope->throttle_window) {
        course->sent[1] = past / 2 < scope->throttle_window ? course->sent[0] : 0;
        course->sent[0] = 0;
        course->window_begun = engine->now;
    }
    if (!amount_add(course->sent[0], worth, &course->sent[0]))
        course->sent[0] = AMOUNT_MAX;
}

void course_sent(struct engine *engine, uint32_t n)
{
    const struct order *order = order_at(engine, n);
    const struct order_more *more = more_at(engine, n);
    const struct instrument *instrument = &engine->instruments[order->instrument];
    struct chain chain = chain_of(engine, instrument, order->strategy);
    weir_qty left = order->qty > order->cum ? order->qty - order->cum : 0;
    amount worth = 0;
    if (!worth_of(instrument, more->hold_px, left, &worth))
        worth = AMOUNT_MAX;
    for (int i = 0; i < RISK_SCOPE_COUNT; i++)
        if (chain.of[i])
            count_send(engine, chain.of[i], order, more, worth);
}

static void count_fill(struct engine *engine, struct scope *scope, amount gain)
{
    struct course *course = &scope->course;
    day_begins(engine, scope);
    course->fills++;
    course->streak = gain < 0 ? course->streak + 1 : gain > 0 ? 0 : course->streak;
    course->lost = gain < 0 && -gain > course->lost ? -gain : course->lost;
    if (engine->now - course->fills_begun >= 1000000000) {
        course->fills_begun = engine->now;
        course->fills_now = 0;
    }
    course->fills_now++;
}

/* owners_gain: what it realized for its strategy. */
void course_filled(struct engine *engine, const struct instrument *instrument, uint32_t strategy,
                   amount gain, amount owners_gain)
{
    struct chain chain = chain_of(engine, instrument, strategy);
    for (int i = 0; i < RISK_SCOPE_COUNT; i++)
        if (chain.of[i])
            count_fill(engine, chain.of[i],
                       i == SCOPE_group || i == SCOPE_strategy ? owners_gain : gain);
}

/* --- acting --------------------------------------------------------------------------------------------- */

static bool is_in(struct engine *engine, const struct scope *scope, uint32_t n)
{
    const struct order *order = order_at(engine, n);
    switch (scope->kind) {
    case SCOPE_host: return true;
    case SCOPE_venue: return more_at(engine, n)->venue == scope->id;
    case SCOPE_account: return more_at(engine, n)->account == scope->id;
    case SCOPE_instrument: return order->instrument == scope->id;
    case SCOPE_group: return strategy_of(engine, order->strategy)->parent == scope->id;
    default: return order->strategy == scope->id;
    }
}

static void cancel_in(struct engine *engine, const struct scope *scope, uint32_t first)
{
    for (uint32_t n = first, next; n; n = next) {
        next = more_at(engine, n)->list_next;
        if (is_in(engine, scope, n))
            order_cancel(engine, n);
    }
}

void scope_cancel(struct engine *engine, const struct scope *scope)
{
    cancel_in(engine, scope, engine->live_first);
    cancel_in(engine, scope, engine->held_first);
    for (uint32_t i = 1; i <= engine->instrument_count; i++)
        for (int side = WEIR_BUY; side <= WEIR_SELL; side++)
            cancel_in(engine, scope, engine->instruments[i].inside[side]);
}

/* A market order of the owner's against all that it holds; held first, so that it is judged, and waits
 * for what passes, like any that is released. */
static void flatten_one(struct engine *engine, const struct holding *holding)
{
    const struct instrument *instrument = &engine->instruments[holding->instrument];
    weir_qty qty = holding->now.qty < 0 ? -holding->now.qty : holding->now.qty;
    if (qty == 0 || !order_room(engine) || !wire_room(engine))
        return;
    uint32_t n = order_take(engine, holding->instrument, holding->owner);
    must(n != 0);
    struct order_more *more = more_at(engine, n);
    order_at(engine, n)->qty = qty;
    order_at(engine, n)->side = holding->now.qty > 0 ? WEIR_SELL : WEIR_BUY;
    more->hold_px = instrument->reference_x2 / 2 + instrument->reference_x2 % 2;
    more->type = WEIR_MARKET;
    more->tif = more->sent_tif = WEIR_GTC;
    put_text(more->tag, "flatten");
    bool named = wire_make(engine, holding->owner, more->wire);
    put_text(more->cid, more->wire);
    named = named && name_add(engine, n, NAME_WIRE, more->wire);
    must(named);
    hold_own(engine, n);
}

static bool holds_for(struct engine *engine, const struct scope *scope,
                      const struct holding *holding)
{
    const struct instrument *instrument = &engine->instruments[holding->instrument];
    switch (scope->kind) {
    case SCOPE_host: return true;
    case SCOPE_venue: return instrument->venue == scope->id;
    case SCOPE_account: return instrument->account == scope->id;
    case SCOPE_instrument: return holding->instrument == scope->id;
    case SCOPE_group: return strategy_of(engine, holding->owner)->parent == scope->id;
    default: return holding->owner == scope->id;
    }
}

/* What is held may have changed since it was asked for. */
bool flat_size(struct engine *engine, uint32_t n)
{
    struct order *order = order_at(engine, n);
    uint32_t h = holding_find(engine, order->instrument, order->strategy);
    weir_qty held = h ? engine->holdings[h].now.qty : 0;
    weir_qty qty = order->side == WEIR_SELL ? held : -held;
    if (qty <= 0) {
        hold_cancel(engine, n, "FLAT");
        return false;
    }
    if (order->qty == qty)
        return true;
    order->qty = qty;
    order_settle(engine, n);
    return true;
}

static void flatten(struct engine *engine, const struct scope *scope)
{
    for (uint32_t h = 1; h <= engine->holding_count; h++) {
        const struct holding *holding = &engine->holdings[h];
        if (holding->owner < GROUP_OWNER && holding->owner != 0 &&
            holds_for(engine, scope, holding))
            flatten_one(engine, holding);
    }
}

static void tighten(struct engine *engine, struct scope *scope, uint8_t state, const char *reason)
{
    if (scope->state < state)
        set_trading_state(engine, scope, state, reason);
}

static int64_t whole(amount value)
{
    amount units = value / amount_from(1, 0);
    return units > INT64_MAX ? INT64_MAX : units < -INT64_MAX ? -INT64_MAX : (int64_t)units;
}

/* "day_loss maker" */
static void name_guard(char out[WEIR_REASON_MAX], enum guard guard, const struct scope *scope)
{
    char name[NAME_MAX_LEN + 1] = " ";
    size_t len = strlen(guard_name(guard));
    memcpy(name + 1, scope->name, NAME_MAX_LEN);
    put_text_in(out, WEIR_REASON_MAX, guard_name(guard), WEIR_REASON_MAX);
    put_text_in(out + len, WEIR_REASON_MAX - len, name, sizeof name);
}

void guard_trips(struct engine *engine, enum guard guard, struct scope *scope, amount value,
                 amount limit)
{
    char text[WEIR_REASON_MAX];
    enum guard_action action = (enum guard_action)engine->policy[POLICY_on_mismatch + guard];
    uint32_t instrument = scope->kind == SCOPE_instrument ? scope->id : 0;
    name_guard(text, guard, scope);
    if (action != ACTION_alarm || guard >= GUARD_slow_ack) /* the others have alerts of their own */
        tell_alert(engine, ALERT_GUARD, instrument, 0, whole(value), whole(limit), text);
    switch (action) {
    case ACTION_reduce_only: tighten(engine, scope, TRADING_REDUCE_ONLY, text); break;
    case ACTION_disarm:
        tighten(engine, scope, TRADING_CANCEL_ONLY, text);
        scope_cancel(engine, scope);
        break;
    case ACTION_halt:
        tighten(engine, scope, TRADING_HALTED_STATE, text);
        scope_cancel(engine, scope);
        break;
    case ACTION_flatten:
        tighten(engine, scope, TRADING_REDUCE_ONLY, text);
        scope_cancel(engine, scope);
        flatten(engine, scope);
        break;
    default: break;
    }
}

/* --- watching -------------------------------------------------------------------------------------------- */

static void watch(struct engine *engine, struct scope *scope, enum guard guard, amount value,
                  struct limit most)
{
    uint16_t bit = (uint16_t)(1u << guard);
    bool over = most.how == LIMIT_VALUE && value > most.value;
    bool was = scope->course.tripped & bit;
    scope->course.tripped =
        (uint16_t)(over ? scope->course.tripped | bit : scope->course.tripped & ~bit);
    if (over && !was)
        guard_trips(engine, guard, scope, value, most.value);
}

/* After an execution, or a price. */
void course_watch(struct engine *engine, const struct instrument *instrument, uint32_t strategy)
{
    struct chain chain = chain_of(engine, instrument, strategy);
    for (int i = 0; i < RISK_SCOPE_COUNT; i++) {
        struct scope *scope = chain.of[i];
        if (!scope)
            continue;
        day_begins(engine, scope);
        windows_go(engine, scope);
        if (scope->pnl > scope->course.best)
            scope->course.best = scope->pnl;
        const struct limit *limits = scope->limits;
        struct limit pace = {amount_from(engine->policy[POLICY_runaway_fills], 0), LIMIT_VALUE};
        watch(engine, scope, GUARD_day_loss, course_day_loss(scope), limits[LIMIT_max_day_loss]);
        watch(engine, scope, GUARD_drawdown, course_drawdown(scope), limits[LIMIT_max_drawdown]);
        watch(engine, scope, GUARD_losing_streak, amount_from(scope->course.streak, 0),
              limits[LIMIT_max_losing_streak]);
        watch(engine, scope, GUARD_trade_loss, scope->course.lost, limits[LIMIT_max_trade_loss]);
        scope->course.lost = 0;
        if (i == SCOPE_strategy && pace.value > 0)
            watch(engine, scope, GUARD_runaway_fills, amount_from(scope->course.fills_now, 0),
                  pace);
    }
}

enum { VOLATILITY_WINDOW_S = 60 };

/* The highest and lowest reference of this minute and the one before. */
void course_price(struct engine *engine, struct instrument *instrument)
{
    weir_px px = instrument->reference_x2;
    int64_t minute = engine->now / ((weir_ns)VOLATILITY_WINDOW_S * 1000000000) + 1;
    if (minute != instrument->minute) {
        bool next = minute == instrument->minute + 1;
        instrument->high[1] = next ? instrument->high[0] : 0;
        instrument->low[1] = next ? instrument->low[0] : 0;
        instrument->high[0] = instrument->low[0] = px;
        instrument->minute = minute;
    }
    if (px > instrument->high[0])
        instrument->high[0] = px;
    if (px < instrument->low[0])
        instrument->low[0] = px;
}
