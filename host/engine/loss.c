/* loss.c - profit and loss of each scope as a sum, and max_loss.
 *
 * A holding adds realized + unrealized PnL to the scopes that it belongs to: the account's holding of
 * an instrument to host, venue, account and instrument; a strategy's to strategy and group. The sums
 * follow each execution and each new reference price. Inverse contracts settle in the base asset;
 * their PnL counts in the quote asset at the reference price.
 *
 * At a price the account's sums follow at once; those of strategies and groups when an instrument is
 * not calm any more (calm.c), and until then what they would have added is worked out when somebody
 * asks [loss_now].
 *
 * At or below minus max_loss, at an execution or a price, host, venue, account and instrument pull
 * the kill switch; a strategy or group is halted and its orders are canceled. A price with which
 * what we hold cannot be valued is not taken [loss_values]. */
#include "engine/loss.h"
#include "engine/define.h"
#include "engine/kill.h"
#include "engine/state.h"
#include "engine/tell.h"

/* For prices that are not inverse an amount is a count of price * quantity times its unit. Half of that
 * is exact when the unit is even, and then there is nothing to round. */
void loss_units(struct instrument *instrument)
{
    int64_t unit;
    if (instrument->is.kind == WEIR_INVERSE || instrument->product_exp >= AMOUNT_EXP ||
        __builtin_mul_overflow(instrument->multiplier,
                               pow10_of(AMOUNT_EXP - instrument->product_exp), &unit))
        return;
    instrument->unit = unit;
    instrument->unit_room = AMOUNT_MAX / unit;
    instrument->value_room = (AMOUNT_MAX / 1024 * 2 - 1) / unit;
}

static amount size_of(amount value)
{
    return value < 0 ? -value : value;
}

/* The same as below, where nothing is rounded and everything fits. */
static bool value_at_once(const struct instrument *instrument, const struct stake *now,
                          weir_px reference_x2, amount *out)
{
    amount count = (amount)now->qty * (reference_x2 > 0 ? reference_x2 : 0), gain = 0;
    if (instrument->unit == 0 || size_of(count) > instrument->unit_room)
        return false;
    if (count != 0 &&
        !amount_add(count * instrument->unit / 2, now->qty > 0 ? -now->cost : now->cost, &gain))
        return false;
    return amount_add(now->realized, gain, out);
}

bool loss_value(const struct instrument *instrument, const struct holding *holding,
                weir_px reference_x2, amount *out)
{
    amount unrealized;
    if (value_at_once(instrument, &holding->now, reference_x2, out))
        return true;
    if (!stake_unrealized(instrument, &holding->now, reference_x2, &unrealized) ||
        !amount_add(holding->now.realized, unrealized, out))
        return false;
    if (instrument->is.kind != WEIR_INVERSE)
        return true;
    return amount_times_round(*out, reference_x2, instrument->is.price_exp, out) &&
           amount_ratio_round(*out, 1, 2, out);
}

/* Can the largest holding be valued at this price, with room to spare for sums? */
bool loss_values(const struct instrument *instrument, weir_px reference_x2)
{
    const struct stake largest = {.qty = instrument->size_most};
    amount value;
    if (instrument->unit != 0)
        return (amount)largest.qty * reference_x2 <= instrument->value_room;
    return stake_unrealized(instrument, &largest, reference_x2, &value) &&
           value < AMOUNT_MAX / 1024 && value > -AMOUNT_MAX / 1024;
}

static bool add(struct scope *scope, amount change)
{
    return !scope || amount_add(scope->pnl, change, &scope->pnl);
}

static bool is_of_strategy(const struct holding *holding)
{
    return holding->owner != 0 && holding->owner < GROUP_OWNER;
}

void loss_settle(struct engine *engine, struct instrument *instrument, struct holding *holding)
{
    amount now, change;
    weir_qty size = holding->now.qty < 0 ? -holding->now.qty : holding->now.qty;
    bool known = loss_value(instrument, holding, instrument->reference_x2, &now) &&
                 amount_sub(now, holding->pnl, &change) &&
                 (!is_of_strategy(holding) || calm_follow(engine, instrument, holding));

    if (size > instrument->size_most)
        instrument->size_most = size;
    if (known && change == 0)
        return;
    if (known && holding->owner == 0) {
        known = add(engine->host, change) && add(&engine->venues[instrument->venue], change) &&
                add(&engine->account_scopes[instrument->account], change) &&
                add(&engine->instrument_scopes[instrument->is.msg.instrument], change);
    } else if (known) {
        struct scope *strategy = strategy_of(engine, holding->owner);
        known = add(strategy, change) && add(group_of(engine, strategy), change);
    }
    if (!known) {
        tell_anomaly(engine, instrument->is.msg.instrument, 0,
                     "profit and loss cannot be computed");
        kill_pull(engine, "profit and loss cannot be computed");
        return;
    }
    holding->pnl = now;
}

void loss_settle_owned(struct engine *engine, const struct scope *strategy)
{
    for (uint32_t n = strategy->holdings; n; n = engine->holdings[n].owned)
        loss_settle(engine, &engine->instruments[engine->holdings[n].instrument],
                    &engine->holdings[n]);
}

void loss_settle_all(struct engine *engine)
{
    for (uint32_t n = 1; n <= engine->holding_count; n++)
        if (is_of_strategy(&engine->holdings[n]))
            loss_settle(engine, &engine->instruments[engine->holdings[n].instrument],
                        &engine->holdings[n]);
}

/* What a strategy's sums would change by if all of it was settled. */
static amount unsettled(const struct engine *engine, const struct scope *strategy)
{
    amount sum = 0, now;
    for (uint32_t n = strategy->holdings; n; n = engine->holdings[n].owned) {
        const struct holding *holding = &engine->holdings[n];
        const struct instrument *instrument = &engine->instruments[holding->instrument];
        if (!loss_value(instrument, holding, instrument->reference_x2, &now) ||
            !amount_sub(now, holding->pnl, &now) || !amount_add(sum, now, &sum))
            return 0; /* the next time that it is settled says so */
    }
    return sum;
}

amount loss_now(const struct engine *engine, const struct scope *scope)
{
    amount sum = scope->pnl;
    bool fits = scope->kind != SCOPE_strategy || amount_add(sum, unsettled(engine, scope), &sum);
    for (uint32_t i = 1; scope->kind == SCOPE_group && i <= engine->sizes.strategies; i++)
        if (engine->strategies[i].defined && engine->strategies[i].parent == scope->id)
            fits = fits && amount_add(sum, unsettled(engine, &engine->strategies[i]), &sum);
    return fits ? sum : scope->pnl;
}

/* Flat and not inverse: a price changes nothing. */
static bool moves_with_price(const struct instrument *instrument, const struct holding *holding)
{
    return holding->now.qty != 0 ||
           (instrument->is.kind == WEIR_INVERSE && holding->now.realized != 0);
}

static bool is_lost(const struct scope *scope)
{
    return scope->pnl <= scope->pnl_least;
}

/* In whole units: an alert's number is for reading, the sums are exact. */
static int64_t whole(amount value)
{
    amount units = value / amount_from(1, 0);
    return units > INT64_MAX ? INT64_MAX : units < -INT64_MAX ? -INT64_MAX : (int64_t)units;
}

static void tell_loss(struct engine *engine, const struct scope *scope, uint32_t instrument)
{
    tell_alert(engine, ALERT_MAX_LOSS, instrument, 0, whole(scope->pnl),
               -whole(scope->limits[LIMIT_max_loss].value), scope->name);
}

static void halt_owner(struct engine *engine, struct scope *scope)
{
    if (scope->state == TRADING_HALTED_STATE)
        return;
    tell_loss(engine, scope, 0);
    set_trading_state(engine, scope, TRADING_HALTED_STATE, "MAX_LOSS");
    scope_cancel(engine, scope);
}

static void watch_owner(struct engine *engine, const struct holding *holding)
{
    if (!engine->owner_losses || holding->owner >= GROUP_OWNER)
        return;
    struct scope *strategy = strategy_of(engine, holding->owner);
    struct scope *group = group_of(engine, strategy);
    if (strategy->floor <= strategy->pnl_least && strategy->state != TRADING_HALTED_STATE) {
        loss_settle_owned(engine, strategy);
        if (is_lost(strategy))
            halt_owner(engine, strategy);
    }
    if (group && is_lost(group)) /* settled: nothing is calm while a group has a max_loss */
        halt_owner(engine, group);
}

static void watch_account(struct engine *engine, const struct instrument *instrument)
{
    const struct scope *scopes[] = {engine->host, &engine->venues[instrument->venue],
                                    &engine->account_scopes[instrument->account],
                                    &engine->instrument_scopes[instrument->is.msg.instrument]};
    for (size_t i = 0; i < sizeof scopes / sizeof scopes[0] && !engine->killed; i++) {
        if (!is_lost(scopes[i]))
            continue;
        tell_loss(engine, scopes[i], instrument->is.msg.instrument);
        kill_pull(engine, "MAX_LOSS");
    }
}

static void settle_strategies(struct engine *engine, struct instrument *instrument)
{
    for (uint32_t n = instrument->holdings; n; n = engine->holdings[n].next) {
        struct holding *holding = &engine->holdings[n];
        if (!is_of_strategy(holding) || !moves_with_price(instrument, holding))
            continue;
        loss_settle(engine, instrument, holding);
        watch_owner(engine, holding);
        if (engine->watching)
            course_watch(engine, instrument, holding->owner);
    }
    calm_make(engine, instrument);
}

void loss_price(struct engine *engine, struct instrument *instrument)
{
    if (moves_with_price(instrument, &instrument->own))
        loss_settle(engine, instrument, &instrument->own);
    if (!is_calm(instrument))
        settle_strategies(engine, instrument);
    watch_account(engine, instrument);
    if (engine->watching)
        course_watch(engine, instrument, 0);
}

void loss_watch(struct engine *engine, const struct instrument *instrument, uint32_t strategy)
{
    uint32_t n = strategy ? holding_find(engine, instrument->is.msg.instrument, strategy) : 0;
    if (n)
        watch_owner(engine, &engine->holdings[n]);
    watch_account(engine, instrument);
    if (engine->watching)
        course_watch(engine, instrument, strategy);
}
