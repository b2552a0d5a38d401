/* loss.c - profit and loss of each scope as a sum, and max_loss.
 *
 * A holding adds realized + unrealized PnL to the scopes that it belongs to: the account's holding of
 * an instrument to host, venue, account and instrument; a strategy's to strategy and group. The sums
 * follow each execution and each new reference price. Inverse contracts settle in the base asset;
 * their PnL counts in the quote asset at the reference price.
 *
 * At or below minus max_loss, at an execution or a price, host, venue, account and instrument pull
 * the kill switch; a strategy or group is halted and its orders are canceled. A price with which
 * what we hold cannot be valued is not taken [loss_values]. */
#include "engine/state.h"

static bool value_of(const struct instrument *instrument, const struct holding *holding,
                     weir_px reference_x2, amount *out)
{
    amount unrealized;
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
    return stake_unrealized(instrument, &largest, reference_x2, &value) &&
           value < AMOUNT_MAX / 1024 && value > -AMOUNT_MAX / 1024;
}

static bool add(struct scope *scope, amount change)
{
    return !scope || amount_add(scope->pnl, change, &scope->pnl);
}

void loss_settle(struct engine *engine, struct instrument *instrument, struct holding *holding)
{
    amount now, change;
    weir_qty size = holding->now.qty < 0 ? -holding->now.qty : holding->now.qty;
    bool known = value_of(instrument, holding, instrument->reference_x2, &now) &&
                 amount_sub(now, holding->pnl, &change);

    if (size > instrument->size_most)
        instrument->size_most = size;
    if (known && change == 0)
        return;
    if (known && holding->owner == 0) {
        known = add(engine->host, change) && add(&engine->venues[instrument->venue], change) &&
                add(&engine->account_scopes[instrument->account], change) &&
                add(&engine->instrument_scopes[instrument->is.msg.instrument], change);
    } else if (known) {
        struct scope *strategy = scope_at(engine, SCOPE_strategy, holding->owner);
        known =
            add(strategy, change) && add(scope_at(engine, SCOPE_group, strategy->parent), change);
    }
    if (!known) {
        tell_anomaly(engine, instrument->is.msg.instrument, 0,
                     "profit and loss cannot be computed");
        kill_pull(engine, "profit and loss cannot be computed");
        return;
    }
    holding->pnl = now;
}

/* Flat and not inverse: a price changes nothing. */
static bool moves_with_price(const struct instrument *instrument, const struct holding *holding)
{
    return holding->now.qty != 0 ||
           (instrument->is.kind == WEIR_INVERSE && holding->now.realized != 0);
}

static bool is_lost(const struct scope *scope)
{
    const struct limit *limit = &scope->limits[LIMIT_max_loss];
    return limit->how == LIMIT_VALUE && scope->pnl <= -limit->value;
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
    for (uint32_t n = engine->live_first, next; n; n = next) {
        uint32_t strategy = order_at(engine, n)->strategy;
        next = more_at(engine, n)->list_next;
        bool is_its = scope->kind == SCOPE_strategy
                          ? strategy == scope->id
                          : scope_at(engine, SCOPE_strategy, strategy)->parent == scope->id;
        if (is_its)
            order_cancel(engine, n);
    }
}

static void watch_owner(struct engine *engine, const struct holding *holding)
{
    if (!engine->owner_losses || holding->owner >= GROUP_OWNER)
        return;
    struct scope *strategy = scope_at(engine, SCOPE_strategy, holding->owner);
    struct scope *group = scope_at(engine, SCOPE_group, strategy->parent);
    if (is_lost(strategy))
        halt_owner(engine, strategy);
    if (group && is_lost(group))
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

void loss_price(struct engine *engine, struct instrument *instrument)
{
    if (moves_with_price(instrument, &instrument->own))
        loss_settle(engine, instrument, &instrument->own);
    for (uint32_t n = instrument->holdings; n; n = engine->holdings[n].next) {
        struct holding *holding = &engine->holdings[n];
        if (holding->owner >= GROUP_OWNER || !moves_with_price(instrument, holding))
            continue;
        loss_settle(engine, instrument, holding);
        watch_owner(engine, holding);
    }
    watch_account(engine, instrument);
}

void loss_watch(struct engine *engine, const struct instrument *instrument, uint32_t strategy)
{
    uint32_t n = strategy ? holding_find(engine, instrument->is.msg.instrument, strategy) : 0;
    if (n)
        watch_owner(engine, &engine->holdings[n]);
    watch_account(engine, instrument);
}
