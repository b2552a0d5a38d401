/* support_audit.c - the engine's sums against what they are sums of.
 *
 * Looks into the engine's private state on purpose: a sum that is off by one order shows here at once,
 * and in an answer perhaps a thousand steps later. */
#include <stdio.h>

#include "engine/ledger.h"
#include "engine/loss.h"
#include "engine/state.h"
#include "engine/support_story.h"
#include "engine/tell.h"

static char fault[200];

#define EXPECT(condition, ...)                          \
    do {                                                \
        if (!(condition) && !fault[0])                  \
            snprintf(fault, sizeof fault, __VA_ARGS__); \
    } while (0)

static bool is_in_heap(const struct engine *engine, uint32_t at, uint32_t n)
{
    for (; at; at = engine->orders[at].next)
        if (at == n || is_in_heap(engine, engine->orders[at].child, n))
            return true;
    return false;
}

/* What is held stands where it says, and in no other place. */
static void audit_kept(const struct engine *engine, uint32_t n)
{
    const struct order *order = &engine->orders[n];
    const struct order_more *more = &engine->more[n];
    const struct order_kept *kept = &engine->kept[n];
    const struct instrument *instrument = &engine->instruments[order->instrument];
    bool trails = false;
    EXPECT((more->list == LIST_HELD) == (order->is == IS_HELD), "order %u: list of the held", n);
    EXPECT(order->is == IS_HELD || !kept->armed, "order %u is armed, and not held", n);
    EXPECT(more->tied < 2, "order %u still waits to be looked at", n);
    EXPECT(more->tied || (!kept->ring && !kept->legs && !kept->child && !kept->waits),
           "order %u is not tied, and concerns others", n);
    for (int rising = 0; rising < 2; rising++)
        EXPECT(is_in_heap(engine, instrument->triggers[rising], n) ==
                   (kept->armed == (rising ? ARMED_RISING : ARMED_FALLING)),
               "order %u: heap %d of triggers", n, rising);
    for (uint32_t at = instrument->trailing; at; at = engine->orders[at].next)
        trails |= at == n;
    EXPECT(trails == (kept->armed == ARMED_TRAILING), "order %u: list of trailing stops", n);
    if (!kept->child)
        EXPECT(more->out == 0, "order %u has something out, and no slice", n);
    else
        EXPECT(more->out == engine->more[kept->child].counted &&
                   engine->kept[kept->child].parent == n,
               "order %u: its slice counts something else", n);
}

static void audit_instrument(struct engine *engine, uint32_t i)
{
    struct instrument *instrument = &engine->instruments[i];
    amount exposure[2] = {0}, reduce[2] = {0};
    uint32_t nameless[2] = {0}, live = 0;
    weir_px best[2] = {INT64_MIN, INT64_MAX};
    uint32_t quotes[2] = {0};

    for (uint32_t n = 1; n <= engine->orders_used; n++) {
        const struct order *order = &engine->orders[n];
        const struct order_more *more = &engine->more[n];
        if (order->instrument != i)
            continue;
        weir_qty open = order->is == IS_DENIED ? 0 : order_exposure(order, more);
        EXPECT(more->counted == open, "order %u counts %ld, is exposed %ld", n, (long)more->counted,
               (long)open);
        if (order->route != ROUTE_INTERNAL)
            exposure[order->side] += open;
        if ((order->flags & WEIR_REDUCE_ONLY) && order->is != IS_HELD)
            reduce[order->side] += open;
        audit_kept(engine, n);
        bool at_venue = is_at_venue(order->is);
        live += at_venue;
        nameless[order->side] += at_venue && !more->vid[0];
        EXPECT(more->in_heap == at_venue, "order %u is%s among the quotes", n,
               more->in_heap ? "" : " not");
        if (at_venue) {
            quotes[order->side]++;
            if (order->side == WEIR_BUY ? order->quote_px > best[0] : order->quote_px < best[1])
                best[order->side] = order->quote_px;
        }
        EXPECT((more->list == LIST_LIVE) == at_venue, "order %u: list %u", n, more->list);
    }
    for (int side = 0; side < 2; side++) {
        weir_px px;
        EXPECT(instrument->own.exposure[side] == exposure[side], "instrument %u side %d: exposure",
               i, side);
        EXPECT(instrument->reduce[side] == reduce[side],
               "instrument %u side %d: reduce-only exposure", i, side);
        EXPECT(instrument->nameless[side] == nameless[side],
               "instrument %u side %d: orders without venue id", i, side);
        bool any = quotes_best(engine, i, (uint8_t)side, &px);
        EXPECT(any == (quotes[side] > 0) && (!any || px == best[side]),
               "instrument %u side %d: best own quote", i, side);
    }
    EXPECT(engine->instrument_scopes[i].live == live, "instrument %u: live orders", i);
}

static void audit_holding(struct engine *engine, uint32_t h)
{
    const struct holding *holding = &engine->holdings[h];
    amount exposure[2] = {0};
    weir_qty group_qty = 0;
    bool is_group = holding->owner >= GROUP_OWNER;
    for (uint32_t n = 1; n <= engine->orders_used; n++) {
        const struct order *order = &engine->orders[n];
        bool its = is_group ? engine->holdings[engine->more[n].holding].group == h
                            : engine->more[n].holding == h;
        if (its && order->route != ROUTE_INTERNAL)
            exposure[order->side] += engine->more[n].counted;
    }
    for (uint32_t k = 1; k <= engine->holding_count && is_group; k++)
        if (engine->holdings[k].group == h)
            group_qty += engine->holdings[k].now.qty;
    EXPECT(exposure[0] == holding->exposure[0] && exposure[1] == holding->exposure[1],
           "holding %u: exposure", h);
    EXPECT(!is_group || group_qty == holding->now.qty, "holding %u: the group's position", h);
}

/* Position of the account = sum of the strategies', without what was crossed inside. */
static void audit_positions(struct engine *engine, uint32_t i)
{
    amount strategies = 0, waiting = 0;
    for (uint32_t h = 1; h <= engine->holding_count; h++)
        if (engine->holdings[h].instrument == i && engine->holdings[h].owner < GROUP_OWNER)
            strategies += engine->holdings[h].now.qty;
    for (uint32_t at = engine->waiting_first; at; at = engine->execs[at - 1].next_waiting)
        if (engine->execs[at - 1].instrument == i)
            waiting += engine->execs[at - 1].side == WEIR_BUY ? engine->execs[at - 1].qty
                                                              : -engine->execs[at - 1].qty;
    EXPECT(strategies + waiting == engine->instruments[i].own.now.qty,
           "instrument %u: strategies do not sum up to the account", i);
}

static void audit_money(struct engine *engine)
{
    for (uint32_t asset = 0; asset < engine->asset_count; asset++) {
        amount held = 0;
        for (uint32_t n = 1; n <= engine->orders_used; n++) {
            const struct instrument *instrument =
                &engine->instruments[engine->orders[n].instrument];
            if ((engine->orders[n].side == WEIR_BUY ? instrument->quote : instrument->base) ==
                asset)
                held += engine->more[n].held;
        }
        EXPECT(purse_at(engine, 1, asset)->held == held, "%s: held money", engine->assets[asset]);
    }
    amount pnl = 0;
    for (uint32_t i = 1; i <= engine->instrument_count; i++)
        pnl += engine->instruments[i].own.pnl;
    EXPECT(engine->host->pnl == pnl && engine->account_scopes[1].pnl == pnl,
           "profit and loss of host and account");
}

/* Sums of a strategy, and the promise of calm.c. */
static void audit_owner(struct engine *engine, const struct scope *scope)
{
    amount pnl = 0, floor = 0, now;
    bool watched = scope->pnl_least != PNL_UNLIMITED && scope->state != TRADING_HALTED_STATE;
    bool calm = false;
    uint32_t count = 0;
    for (uint32_t h = scope->holdings; h; h = engine->holdings[h].owned)
        count++;
    for (uint32_t h = 1; h <= engine->holding_count; h++) {
        const struct holding *holding = &engine->holdings[h];
        const struct instrument *instrument = &engine->instruments[holding->instrument];
        if (holding->owner != scope->id)
            continue;
        count--;
        pnl += holding->pnl;
        floor += holding->floor;
        calm = calm || (holding->now.qty != 0 && is_calm(instrument));
        if (!loss_value(instrument, holding, instrument->reference_x2, &now))
            return;
        EXPECT(!watched || holding->floor <= now, "holding %u: worth less than its floor", h);
        EXPECT(engine->group_losses == 0 || holding->pnl == now, "holding %u is not settled", h);
    }
    EXPECT(count == 0, "strategy %u: list of holdings", scope->id);
    EXPECT(pnl == scope->pnl && floor == scope->floor, "strategy %u: profit and loss", scope->id);
    EXPECT(!watched || !calm || floor > scope->pnl_least,
           "strategy %u: calm, and it may be at its max_loss", scope->id);
}

/* Names beyond those that have a place of their own stand in places that all share. */
static void audit_names(const struct engine *engine, uint32_t n)
{
    const struct order_more *more = &engine->more[n];
    uint32_t count = 0, shared = 0;
    for (uint32_t at = more->first_name; at; at = engine->names[at].next, count++)
        shared += at > NAMES_RESERVED * engine->sizes.orders;
    EXPECT(count == more->names, "order %u: count of names", n);
    EXPECT(shared == (count > NAMES_RESERVED ? count - NAMES_RESERVED : 0),
           "order %u: %u of %u names are in shared places", n, shared, count);
}

static void audit_lists(struct engine *engine)
{
    uint32_t live = 0, ended = 0, in_list[2] = {0}, unknown = 0, timers[TIMER_KINDS] = {0},
             names = 0, extra = 0;
    for (uint32_t n = 1; n <= engine->orders_used; n++) {
        const struct order_more *more = &engine->more[n];
        live += more->list == LIST_LIVE;
        ended += more->list == LIST_ENDED;
        unknown += order_label_of(&engine->orders[n]) == ORDER_UNKNOWN;
        for (int kind = 0; kind < TIMER_KINDS; kind++)
            timers[kind] += more->timers[kind].place != 0;
        names += more->names;
        extra += more->names > NAMES_RESERVED ? more->names - NAMES_RESERVED : 0;
        EXPECT(!more->told, "order %u was not told", n);
        audit_names(engine, n);
        for (int kind = 0; kind < TIMER_KINDS; kind++)
            EXPECT(!more->timers[kind].place ||
                       engine->timers[kind][more->timers[kind].place - 1] == n,
                   "order %u: its timer is another's", n);
    }
    for (uint32_t n = engine->live_first; n; n = engine->more[n].list_next)
        in_list[0]++;
    for (uint32_t n = engine->ended_first; n; n = engine->more[n].list_next)
        in_list[1]++;
    EXPECT(live == in_list[0] && ended == in_list[1], "lists of live or ended orders");
    EXPECT(engine->counts.live_orders == live && engine->host->live == live,
           "count of live orders");
    EXPECT(engine->counts.unknown_orders == unknown, "count of unknown orders: %u, are %u",
           engine->counts.unknown_orders, unknown);
    for (int kind = 0; kind < TIMER_KINDS; kind++)
        EXPECT(engine->timer_count[kind] == timers[kind], "count of timers");
    EXPECT(engine->names_extra == extra, "count of names beyond the reserve");
    for (int kind = 0; kind < TIMER_KINDS; kind++)
        for (uint32_t at = 1; at < engine->timer_count[kind]; at++)
            EXPECT(engine->more[engine->timers[kind][(at - 1) / 2]].timers[kind].due <=
                       engine->more[engine->timers[kind][at]].timers[kind].due,
                   "timers are no heap");
    for (uint32_t at = engine->names_free; at; at = engine->names[at].next)
        names++;
    for (uint32_t at = 1; at <= NAMES_RESERVED * engine->sizes.orders; at++)
        names += engine->names[at].kind == NAME_FREE;
    names += NAMES_RESERVED * engine->sizes.orders - engine->names_begun;
    EXPECT(names == 2 * NAMES_RESERVED * engine->sizes.orders, "a name was lost");
}

const char *engine_audit(struct engine *engine)
{
    fault[0] = '\0';
    for (uint32_t i = 1; i <= engine->instrument_count; i++) {
        audit_instrument(engine, i);
        audit_positions(engine, i);
    }
    for (uint32_t h = 1; h <= engine->holding_count; h++)
        audit_holding(engine, h);
    for (uint32_t s = 1; s <= engine->sizes.strategies; s++)
        if (engine->strategies[s].defined)
            audit_owner(engine, &engine->strategies[s]);
    audit_owner(engine, &engine->external);
    audit_money(engine);
    audit_lists(engine);
    return fault;
}
