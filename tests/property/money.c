/* money.c - what positions and wallets should be, by the contract's rules and from the venue's truth.
 *
 * Worked out again from all executions in the order in which the host was told of them; one that was
 * undone never happened. Average cost: adding adds worth, reducing takes its part of the cost out,
 * rounded half-even to 18 places; through zero the rest opens at its own price. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "property/world.h"

/* --- one position -----------------------------------------------------------------------------*/

/* price (10^-1) * quantity (10^-2, or 1) * multiplier (1, or 0.5), in 10^-18 */
static amount worth(uint32_t instrument, weir_px px, weir_qty qty)
{
    return instrument == SPOT ? (amount)px * qty * 1000000000000000
                              : (amount)px * qty * 5 * 10000000000000000;
}

static amount part_of(amount whole, weir_qty part, weir_qty size)
{
    amount product = whole * part, floor = product / size, rest = product % size;
    bool up = 2 * rest > size || (2 * rest == size && floor % 2 != 0);
    return floor + up;
}

static void book(struct stake_model *s, const struct trade *t)
{
    weir_qty size = s->qty < 0 ? -s->qty : s->qty;
    weir_qty change = t->side == WEIR_BUY ? t->qty : -t->qty;
    if (s->qty == 0 || (s->qty > 0) == (change > 0)) {
        s->cost += worth(t->instrument, t->px, t->qty);
        s->qty += change;
        return;
    }
    weir_qty closed = t->qty < size ? t->qty : size;
    amount cost = part_of(s->cost, closed, size), gets = worth(t->instrument, t->px, closed);
    s->realized += s->qty > 0 ? gets - cost : cost - gets;
    s->cost = t->qty > size ? worth(t->instrument, t->px, t->qty - size) : s->cost - cost;
    s->qty += change;
}

static bool is_undone(const struct world *w, const struct trade *t)
{
    return t->fill >= 0 && w->fills[t->fill].bust_told;
}

/* owner 0: the account, for which nothing was crossed inside */
static struct stake_model stake_of(const struct world *w, uint32_t instrument, uint32_t owner)
{
    struct stake_model stake = {0};
    for (int i = 0; i < w->trade_count; i++) {
        const struct trade *t = &w->trades[i];
        bool its = owner ? t->strategy == owner : !t->internal;
        if (t->instrument == instrument && its && !is_undone(w, t))
            book(&stake, t);
    }
    return stake;
}

/* --- the account ------------------------------------------------------------------------------*/

bool counts(const struct truth_fill *f, bool all)
{
    return all ? !f->busted : f->delivered && !f->bust_told;
}

weir_qty position_of(const struct world *w, uint32_t instrument, bool all)
{
    weir_qty qty = 0;
    for (int i = 0; i < w->fill_count; i++) {
        const struct weir_fill *msg = &w->fills[i].msg;
        if (msg->msg.instrument == instrument && counts(&w->fills[i], all))
            qty += msg->side == WEIR_BUY ? msg->qty : -msg->qty;
    }
    return qty;
}

void money_booked(struct world *w, const struct trade *trade)
{
    if (w->trade_count == TRADES) {
        fail(w, "more executions than the model can hold");
        return;
    }
    w->trades[w->trade_count++] = *trade;
    if (!trade->internal && !is_undone(w, trade))
        book(&w->own[trade->instrument], trade);
}

void money_busted(struct world *w)
{
    for (uint32_t i = 1; i <= INSTRUMENTS; i++)
        w->own[i] = stake_of(w, i, 0);
}

/* --- checks -----------------------------------------------------------------------------------*/

static void same_stake(struct world *w, uint32_t instrument, uint32_t owner,
                       const struct stake_model *want)
{
    struct position_view view = {0};
    bool known = engine_position(w->engine, instrument, owner, &view);
    amount cost = instrument == SPOT ? want->cost : want->cost * 2; /* without the multiplier */
    if (!known && owner && want->qty == 0 && want->realized == 0)
        return;
    if (view.qty != want->qty)
        fail(w, "%s: position of strategy %u in %u is %" PRId64 ", should be %" PRId64,
             owner ? "6" : "4", owner, instrument, view.qty, want->qty);
    else if (view.realized != want->realized || view.cost != cost)
        fail(w, "%s: money of strategy %u in %u: realized or cost differ", owner ? "6" : "4", owner,
             instrument);
}

/* 3 and 4 */
void check_positions(struct world *w)
{
    for (uint32_t i = 1; i <= INSTRUMENTS; i++) {
        same_stake(w, i, 0, &w->own[i]);
        if (position_of(w, i, false) != w->own[i].qty)
            fail(w, "the model contradicts itself");
    }
    if (engine_counts(w->engine)->duplicates_ignored != w->repeats)
        fail(w, "3: %" PRIu64 " repeats were ignored, and there were %" PRIu64,
             engine_counts(w->engine)->duplicates_ignored, w->repeats);
}

/* 6: when all is told */
void check_strategies(struct world *w)
{
    static const uint32_t owners[] = {1, 2, 3, STRATEGY_EXTERNAL};
    for (uint32_t i = 1; i <= INSTRUMENTS; i++) {
        weir_qty all = 0;
        for (size_t s = 0; s < sizeof owners / sizeof owners[0]; s++) {
            struct stake_model want = stake_of(w, i, owners[s]);
            same_stake(w, i, owners[s], &want);
            all += want.qty;
        }
        if (all != w->own[i].qty)
            fail(w, "6: strategies hold %" PRId64 " of %" PRId64 " of instrument %u", all,
                 w->own[i].qty, i);
    }
}

struct purse_model {
    amount total, fees, funding;
};

static void pay(const struct world *w, struct purse_model *purse, const char *asset, bool all)
{
    for (int i = 0; i < w->fill_count; i++) {
        const struct weir_fill *msg = &w->fills[i].msg;
        int sign = msg->side == WEIR_BUY ? 1 : -1;
        if (!counts(&w->fills[i], all))
            continue;
        if (msg->msg.instrument == SPOT && strcmp(asset, "USD") == 0)
            purse->total -= sign * worth(SPOT, msg->px, msg->qty);
        if (msg->msg.instrument == SPOT && strcmp(asset, "A") == 0)
            purse->total += sign * amount_from(msg->qty, 2);
        if (strcmp(asset, msg->fee_asset) == 0) {
            purse->total -= amount_of(msg->fee);
            purse->fees += amount_of(msg->fee);
        }
    }
    for (int i = 0; i < w->cash_count; i++) {
        const struct weir_cash *msg = &w->cashes[i].msg;
        if (strcmp(asset, msg->asset) != 0 || (!all && !w->cashes[i].delivered))
            continue;
        purse->total += amount_of(msg->amount);
        if (msg->msg.kind == WEIR_FUNDING)
            purse->funding += amount_of(msg->amount);
    }
}

/* 5: start and effects. What a linear position realized goes to its quote asset. */
void check_wallets(struct world *w, bool all)
{
    static const char *const assets[] = {"USD", "A", "FEE"};
    for (int a = 0; a < 3; a++) {
        struct purse_model want = {0};
        amount total = 0, fees = 0, funding = 0;
        if (a == 0)
            want.total = amount_from(w->limits.usd, 0) + w->own[2].realized;
        if (a == 1)
            want.total = amount_from(w->limits.base, 0);
        pay(w, &want, assets[a], all);
        (void)engine_wallet(w->engine, 1, assets[a], &total, &fees, &funding);
        if (total != want.total || fees != want.fees || funding != want.funding)
            fail(w, "5: the wallet of %s differs from start and effects: %s", assets[a],
                 total != want.total ? "total"
                 : fees != want.fees ? "fees"
                                     : "funding");
    }
}
