/* views.c - questions: the engine's state in the words of its effects. Nothing here changes it. */
#include "engine/define.h"
#include "engine/hold.h"
#include "engine/ledger.h"
#include "engine/loss.h"
#include "engine/recon.h"
#include "engine/risk.h"
#include "engine/state.h"
#include "engine/tell.h"

uint32_t engine_order_find(const struct engine *engine, const char *cid)
{
    return order_of_cid(engine, cid);
}
uint32_t engine_order_by_wire(const struct engine *engine, const char *wire_id)
{
    return order_of_wire(engine, wire_id);
}

bool engine_order(const struct engine *engine, uint32_t n, struct order_view *view_out)
{
    if (n == 0 || n > engine->orders_used)
        return false;
    const struct order *order = &engine->orders[n];
    view_of_order(engine, n, &view_out->order);
    view_out->leaves_qty =
        is_done(order->is) || order->qty < order->cum ? 0 : order->qty - order->cum;
    view_out->exposure = order_exposure(order, &engine->more[n]);
    view_out->slice_of = slice_of(engine, n);
    view_out->hold = (struct out_hold){.order = 0};
    if (order->is == IS_HELD)
        view_of_hold(engine, n, &view_out->hold);
    return true;
}

uint32_t engine_order_next(const struct engine *engine, uint32_t after, bool live_only)
{
    for (uint32_t n = after + 1; n > after && n <= engine->orders_used; n++)
        if (!live_only || !is_done(engine->orders[n].is))
            return n;
    return 0;
}

bool engine_position(const struct engine *engine, uint32_t n, uint32_t strategy,
                     struct position_view *view_out)
{
    if (n == 0 || n > engine->instrument_count)
        return false;
    const struct instrument *instrument = &engine->instruments[n];
    const struct stake *stake = &instrument->own.now;
    memset(view_out, 0, sizeof *view_out);
    if (strategy) {
        uint32_t holding = holding_find(engine, n, strategy);
        if (!holding)
            return false;
        stake = &engine->holdings[holding].now;
    }
    view_out->qty = stake->qty;
    view_out->cost = stake_plain_cost(instrument, stake);
    view_out->avg_price = stake_average(instrument, stake);
    view_out->realized = stake->realized;
    view_out->has_reference = instrument->reference_x2 > 0;
    if (!stake_unrealized(instrument, stake, instrument->reference_x2, &view_out->unrealized))
        view_out->unrealized = 0;
    return true;
}

amount engine_position_mismatch(const struct engine *engine, uint32_t n)
{
    return n > 0 && n <= engine->instrument_count ? engine->instruments[n].mismatch : 0;
}

bool engine_wallet(const struct engine *engine, uint16_t account, const char *asset,
                   amount *total_out, amount *fees_out, amount *funding_out)
{
    uint32_t n = asset_find(engine, asset);
    if (n == UINT32_MAX || account >= engine->sizes.accounts)
        return false;
    const struct purse *purse = &engine->purses[(size_t)account * engine->sizes.assets + n];
    *total_out = purse->total;
    *fees_out = purse->fees;
    *funding_out = purse->funding;
    return true;
}

uint32_t engine_asset_count(const struct engine *engine)
{
    return engine->asset_count;
}

const char *engine_asset_name(const struct engine *engine, uint32_t asset)
{
    return asset < engine->asset_count ? engine->assets[asset] : "";
}

const struct weir_instrument *engine_instrument(const struct engine *engine, uint32_t n)
{
    return n > 0 && n <= engine->instrument_count ? &engine->instruments[n].is : NULL;
}

uint32_t engine_instrument_find(const struct engine *engine, uint16_t venue, const char *symbol)
{
    uint32_t n;
    return map_get(&engine->symbols, key_for(KEY_SYMBOL, symbol, WEIR_SYMBOL_MAX, venue), &n) ? n
                                                                                              : 0;
}

uint32_t engine_instrument_count(const struct engine *engine)
{
    return engine->instrument_count;
}

const char *engine_name(const struct engine *engine, enum risk_scope scope, uint32_t id)
{
    const struct scope *found = scope_peek(engine, (uint8_t)scope, id);
    return found ? found->name : "";
}

uint32_t engine_number(const struct engine *engine, enum risk_scope scope, const char *name)
{
    const struct engine_sizes *s = &engine->sizes;
    const uint32_t room[RISK_SCOPE_COUNT] = {
        1, s->venues, s->accounts, s->strategies + 1, s->strategies + 1, s->instruments + 1};
    if (scope == SCOPE_strategy && strcmp(name, engine->external.name) == 0)
        return STRATEGY_EXTERNAL;
    for (uint32_t id = 0; scope < RISK_SCOPE_COUNT && id < room[scope]; id++) {
        const struct scope *found = scope_peek(engine, (uint8_t)scope, id);
        if (found && strcmp(found->name, name) == 0)
            return id;
    }
    return UINT32_MAX;
}

bool engine_market(const struct engine *engine, uint32_t n, struct market_view *view_out)
{
    if (n == 0 || n > engine->instrument_count)
        return false;
    const struct instrument *instrument = &engine->instruments[n];
    bool stale = strict(engine) ? instrument->book != BOOK_LIVE : instrument->stale;
    *view_out = (struct market_view){instrument->top, instrument->reference_x2,
                                     (enum book_state)instrument->book, stale, instrument->marks};
    return true;
}

const struct engine_counts *engine_counts(const struct engine *engine)
{
    return &engine->counts;
}
bool engine_killed(const struct engine *engine)
{
    return engine->killed != KILL_OFF;
}

enum trading_state engine_trading_state(const struct engine *engine, enum risk_scope scope,
                                        uint32_t id)
{
    const struct scope *found = scope_peek(engine, (uint8_t)scope, id);
    return found ? (enum trading_state)found->state : TRADING_HALTED_STATE;
}

bool engine_reconciling(const struct engine *engine, uint16_t venue)
{
    for (uint32_t i = 0; i < engine->sizes.accounts; i++)
        if (engine->account_scopes[i].defined && engine->accounts[i].venue == venue &&
            engine->accounts[i].reconciling)
            return true;
    return false;
}

/* All its accounts are up, and it has one. */
bool engine_venue_up(const struct engine *engine, uint16_t venue)
{
    bool any = false;
    for (uint32_t i = 0; i < engine->sizes.accounts; i++) {
        if (!engine->account_scopes[i].defined || engine->accounts[i].venue != venue)
            continue;
        if (!account_is_up(engine, &engine->accounts[i]))
            return false;
        any = true;
    }
    return any;
}

static amount larger(amount a, amount b)
{
    return a > b ? a : b;
}

/* The worse side of an instrument's position with all its orders. */
static amount worst_position(const struct engine *engine, uint32_t id)
{
    const struct holding *own = &engine->instruments[id].own;
    amount held = own->now.qty;
    amount worst = larger(held + own->exposure[WEIR_BUY], own->exposure[WEIR_SELL] - held);
    return worst * pow10_of(AMOUNT_EXP - engine->instruments[id].is.qty_exp);
}

static uint32_t sends_in_window(const struct engine *engine, const struct scope *scope)
{
    const struct throttle *throttle = &scope->throttle;
    uint32_t count = 0;
    for (uint32_t at = throttle->head; at != throttle->tail; at--, count++)
        if (engine->throttle_times[throttle->first - 1 + ((at - 1) & (throttle->room - 1))] <=
            engine->now - scope->throttle_window)
            break;
    return count;
}

int engine_limit(const struct engine *engine, enum risk_scope scope, uint32_t id,
                 enum risk_limit limit, amount *value_out, amount *used_out)
{
    const struct scope *found =
        limit < RISK_LIMIT_COUNT ? scope_peek(engine, (uint8_t)scope, id) : NULL;
    *value_out = *used_out = 0;
    if (!found)
        return LIMIT_UNSET;
    *value_out = found->limits[limit].value;
    if (limit == LIMIT_max_open_orders)
        *used_out = amount_from(found->live, 0);
    else if (limit == LIMIT_max_loss)
        *used_out = larger(0, -loss_now(engine, found));
    else if (limit == LIMIT_throttle_max)
        *used_out = amount_from(sends_in_window(engine, found), 0);
    else if (limit == LIMIT_max_position && scope == SCOPE_instrument)
        *used_out = worst_position(engine, id);
    return found->limits[limit].how;
}

void engine_ids(const struct engine *engine, int64_t *next_out, int64_t *end_out)
{
    *next_out = engine->id_next;
    *end_out = engine->id_end;
}
