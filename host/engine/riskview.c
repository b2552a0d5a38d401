/* riskview.c - the numbers that the checks of risk.c compare, worked out once for an order.
 *
 * What each evaluation touches is few lines of cache, whatever the number of strategies: the card and
 * exposure of each holding, the first line of each scope, and the instrument. They are asked for
 * before the first of them is needed.                                                    [fetch] */
#include "engine/riskview.h"
#include "engine/define.h"
#include "engine/risk.h"

/* Of a scope that has no part in the order. */
static const struct card nobody;

static int64_t worst_of(const struct risk_view *view, const struct holding *holding)
{
    amount held = holding->now.qty;
    return narrow((view->wish->side == WEIR_BUY ? held : -held) +
                  holding->exposure[view->wish->side] - view->own_counted + view->wish->worst);
}

static void view_holding(struct risk_view *view, struct instrument *instrument, uint8_t scope,
                         struct holding *holding)
{
    holding_refresh(view->engine, instrument, holding);
    view->cards[scope] = &holding->card;
    view->worst[scope] = worst_of(view, holding);
}

static void view_holdings(struct risk_view *view, struct instrument *instrument,
                          const struct scope *strategy)
{
    struct engine *engine = view->engine;
    uint32_t n = holding_take(engine, instrument->is.msg.instrument, strategy->id);
    if (!n)
        return;
    struct holding *holding = &engine->holdings[n];
    view_holding(view, instrument, SCOPE_strategy, holding);
    if (holding->group)
        view_holding(view, instrument, SCOPE_group, &engine->holdings[holding->group]);
}

static void view_cards(struct risk_view *view, struct instrument *instrument)
{
    cards_refresh(view->engine, instrument);
    view->cards[SCOPE_host] = &instrument->cards[0];
    view->cards[SCOPE_venue] = &instrument->cards[1];
    view->cards[SCOPE_account] = &instrument->cards[2];
    view->cards[SCOPE_instrument] = &instrument->cards[CHAIN_FIXED];
    int64_t worst = worst_of(view, &instrument->own);
    view->worst[SCOPE_host] = view->worst[SCOPE_venue] = worst;
    view->worst[SCOPE_account] = view->worst[SCOPE_instrument] = worst;
}

/* ceil(|2 px - reference_x2| / reference_x2 in 10^-9 percent) */
static int64_t band_of(weir_px px, weir_px reference_x2)
{
    amount away = 2 * (amount)px - reference_x2;
    unsigned __int128 scaled = (unsigned __int128)(away < 0 ? -away : away) * 100000000000u;
    uint64_t by = (uint64_t)reference_x2;
    if (scaled <= UINT64_MAX - by) /* the usual case, without a long division */
        return narrow((amount)(((uint64_t)scaled + by - 1) / by));
    return narrow((amount)((scaled + by - 1) / by));
}

amount product_units(const struct instrument *instrument, weir_px px, weir_qty qty)
{
    amount units = instrument->is.kind == WEIR_INVERSE ? qty : (amount)px * qty;
    if (instrument->plain)
        return units;
    return __builtin_mul_overflow(units, instrument->multiplier, &units) ? AMOUNT_MAX : units;
}

/* What is left over a multiple of unit; a value that is not positive is left over whole. */
static int64_t left_over(int64_t value, int64_t unit)
{
    if (value <= 0)
        return value == 0 ? INT64_MAX : value;
    return unit > 1 ? value % unit : 0;
}

/* Limits that say something about this order. */
static uint32_t applicable(const struct risk_view *view)
{
    uint32_t limits = ~0u;
    if (view->band < 0)
        limits &= ~(1u << LIMIT_price_band_pct);
    if (!view->has_notional)
        limits &= ~(1u << LIMIT_max_order_notional);
    if (view->wish->order && !view->wish->release)
        limits &= ~(1u << LIMIT_max_open_orders);
    if (view->wish->waits) /* not at a venue yet: judged again when it goes */
        limits &=
            ~(1u << LIMIT_price_band_pct | 1u << LIMIT_max_open_orders | 1u << LIMIT_throttle_max);
    if (!view->outside)
        limits &=
            ~(1u << LIMIT_max_position | 1u << LIMIT_max_open_orders | 1u << LIMIT_throttle_max);
    return limits;
}

static inline void view_scope(struct risk_view *view, uint8_t at, uint32_t limits)
{
    const struct card *card = view->cards[at];
    struct scope *scope = card->scope;
    view->given[at] = card->given & limits;
    view->further |= view->given[at];
    if (!scope)
        return;
    view->unset |= must_be_given[at] ? card->unset : 0;
    view->restricted |= scope->state;
    if (scope->throttle_max < 0)
        view->given[at] &= ~(1u << LIMIT_throttle_max);
    else if (view->outside)
        view->sends[at] = (int64_t)throttle_count(view->engine, scope) + 1;
}

static void view_scopes(struct risk_view *view)
{
    uint32_t limits = applicable(view);
    view->unset = 0;
    view->further = 0;
    view->restricted = TRADING_ACTIVE;
#define X(name) view_scope(view, SCOPE_##name, limits);
    RISK_SCOPES(X)
#undef X
    view->further &= ~(uint32_t)CORE_LIMIT_BITS;
}

static void view_price(struct risk_view *view)
{
    const struct wish *wish = view->wish;
    const struct instrument *instrument = view->instrument;
    view->px = wish->px;
    if (wish->type == WEIR_MARKET) /* half of the doubled reference, rounded up */
        view->px = instrument->reference_x2 / 2 + instrument->reference_x2 % 2;
    else if (instrument->reference_x2 > 0)
        view->band = band_of(wish->px, instrument->reference_x2);
    view->has_notional = view->px > 0 && wish->qty > 0;
    if (view->has_notional) {
        view->notional = product_units(instrument, view->px, wish->qty);
        view->notional_64 = narrow(view->notional);
    }
    view->off_tick =
        left_over(wish->type == WEIR_MARKET ? wish->trigger : wish->px, instrument->is.tick);
    view->off_step = left_over(wish->qty, instrument->is.step);
    if (wish->trigger || wish->visible) { /* their steps are the same */
        int64_t off = left_over(wish->trigger, instrument->is.tick);
        if (wish->trigger && view->off_tick == 0)
            view->off_tick = off;
        off = left_over(wish->visible, instrument->is.step);
        if (wish->visible && view->off_step == 0)
            view->off_step = off;
    }
}

void view_make(struct risk_view *view, struct engine *engine, const struct wish *wish)
{
    struct instrument *instrument = wish->instrument;
    view->engine = engine;
    view->wish = wish;
    view->instrument = instrument;
    view->band = -1;
    view->outside = instrument && wish->route != ROUTE_INSIDE_ONLY;
    view->has_notional = false;
    view->own_counted = wish->order && instrument ? more_at(engine, wish->order)->counted : 0;
    view->own_held = wish->order && instrument ? more_at(engine, wish->order)->held : 0;
    for (int scope = 0; scope < RISK_SCOPE_COUNT; scope++)
        view->cards[scope] = &nobody;
    if (instrument) {
        fetch(instrument, sizeof *instrument);
        fetch(&engine->instrument_scopes[instrument - engine->instruments], 64);
        if (wish->strategy)
            fetch(&engine->holdings[wish->strategy->last_holding], 128);
        view_cards(view, instrument);
        if (wish->strategy)
            view_holdings(view, instrument, wish->strategy);
        view_price(view);
    }
    view_scopes(view);
}
