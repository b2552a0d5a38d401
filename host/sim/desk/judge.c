/* judge.c - the venue's own rules for price, quantity and cover.
 *
 * They are the venue's and not the host's: what the risk checks let through by mistake is refused
 * here, with a word that says why. */
#include <string.h>

#include "sim/desk/own.h"

static bool is_multiple(int64_t value, int64_t step)
{
    return step <= 0 || value % step == 0;
}

/* A millionth of what the venue's books can hold. */
static bool is_reckonable(const struct weir_instrument *is, bool has_px, weir_px px, weir_qty qty)
{
    amount worth = 0, most = AMOUNT_MAX >> 20;
    return (!has_px || ledger_worth(is, px, qty, &worth)) && worth < most &&
           amount_from(qty, is->qty_exp) < most;
}

const char *desk_shape_refusal(const struct desk *desk, const struct weir_instrument *is,
                               bool has_px, weir_px px, weir_qty qty)
{
    amount worth;
    if (qty <= 0 || !is_multiple(qty, is->step))
        return "STEP";
    if (has_px &&
        (px <= 0 || !is_multiple(px, is->tick) || px % desk->units[is->msg.instrument] != 0))
        return "TICK";
    if (px / desk->units[is->msg.instrument] > MATCH_PX_MAX || !is_reckonable(is, has_px, px, qty))
        return "QTY_TOO_LARGE";
    if (has_px && is->kind != WEIR_INVERSE && ledger_worth(is, px, qty, &worth) &&
        worth < amount_of(is->min_notional))
        return "MIN_NOTIONAL";
    return NULL;
}

static const char *paid_in(const struct weir_instrument *is, uint8_t side)
{
    return side == WEIR_BUY ? is->quote : is->base;
}

static bool add_need(const struct weir_instrument *is, uint8_t side, weir_px px, weir_qty qty,
                     amount *need)
{
    amount one = amount_from(qty, is->qty_exp);
    return (side == WEIR_SELL || ledger_worth(is, px, qty, &one)) && amount_add(*need, one, need);
}

bool desk_is_covered(const struct desk *desk, const struct weir_instrument *is, uint8_t side,
                     weir_px px, weir_qty qty)
{
    const char *asset = paid_in(is, side);
    amount need = 0;
    if (!add_need(is, side, px, qty, &need))
        return false;
    for (uint32_t i = 0, seen = 0; i < desk->config.orders && seen < desk->live_count; i++) {
        const struct desk_order *order = &desk->orders[i];
        if (!desk_is_live(order))
            continue;
        seen++;
        const struct weir_instrument *its = &ledger_holding(&desk->ledger, order->instrument)->is;
        if (order->side == side && its->kind == WEIR_SPOT &&
            strcmp(paid_in(its, side), asset) == 0 &&
            !add_need(its, side, order->px, order->qty - order->cum, &need))
            return false;
    }
    return need <= ledger_total(&desk->ledger, asset);
}
