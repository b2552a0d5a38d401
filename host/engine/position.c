/* position.c - quantity, cost and realized PnL of one holding; pure.
 *
 * COST      What is held cost the exact sum of its executions' worth; the average is cost / quantity
 *           and is never stored. Reducing takes cost * c / |q| out, rounded half-even to 18 decimals,
 *           and realizes the exact rest, so nothing is ever lost: sum of worth = cost + realized.
 *           An execution through zero closes the old side and opens the rest at its own price.
 * WORTH     spot and linear: price * quantity * multiplier, in the quote asset, exact.
 *           inverse: quantity * multiplier / price, in the base asset, rounded half-even; a long
 *           gains when the worth shrinks.
 * OVERFLOW  False, and the stake is as it was. */
#include "engine/ledger.h"
#include "engine/state.h"
#include "engine/tell.h"

static bool product(const struct instrument *instrument, weir_px px, weir_qty qty, amount *out)
{
    if (!amount_product(px, instrument->is.price_exp, qty, instrument->is.qty_exp, out))
        return false;
    return instrument->plain ||
           amount_times(*out, instrument->multiplier, instrument->multiplier_exp, out);
}

static bool is_inverse(const struct instrument *instrument)
{
    return instrument->is.kind == WEIR_INVERSE;
}

/* quantity * multiplier / (px / per) */
static bool inverse_worth(const struct instrument *instrument, weir_px px, int64_t per,
                          weir_qty qty, amount *out)
{
    amount contracts;
    return px > 0 &&
           amount_times(amount_from(qty, instrument->is.qty_exp), instrument->multiplier,
                        instrument->multiplier_exp, &contracts) &&
           amount_ratio_round(contracts, pow10_of(instrument->is.price_exp), px, out) &&
           (per == 1 || amount_times(*out, per, 0, out));
}

bool worth_of(const struct instrument *instrument, weir_px px, weir_qty qty, amount *worth_out)
{
    return is_inverse(instrument) ? inverse_worth(instrument, px, 1, qty, worth_out)
                                  : product(instrument, px, qty, worth_out);
}

static weir_qty size_of(weir_qty qty)
{
    return qty < 0 ? -qty : qty;
}

/* Gain of a side whose cost becomes worth. False: overflow. */
static bool gain(const struct instrument *instrument, bool is_long, amount cost, amount worth,
                 amount *out)
{
    return is_long != is_inverse(instrument) ? amount_sub(worth, cost, out)
                                             : amount_sub(cost, worth, out);
}

static bool part(amount whole, weir_qty of, weir_qty size, amount *out)
{
    *out = whole;
    return of == size || amount_ratio_round(whole, of, size, out);
}

bool stake_add(const struct instrument *instrument, struct stake *stake, uint8_t side, weir_px px,
               weir_qty qty)
{
    struct stake next = *stake;
    weir_qty signed_qty = side == WEIR_BUY ? qty : -qty, size = size_of(stake->qty);
    amount worth, cost_out, worth_out, gained;

    if (qty <= 0 || !worth_of(instrument, px, qty, &worth) ||
        __builtin_add_overflow(stake->qty, signed_qty, &next.qty) || next.qty == INT64_MIN)
        return false;
    bool adds = stake->qty == 0 || (stake->qty > 0) == (side == WEIR_BUY);
    if (adds) {
        if (!amount_add(stake->cost, worth, &next.cost))
            return false;
    } else {
        weir_qty closed = qty < size ? qty : size;
        if (!part(stake->cost, closed, size, &cost_out) || !part(worth, closed, qty, &worth_out) ||
            !gain(instrument, stake->qty > 0, cost_out, worth_out, &gained) ||
            !amount_add(stake->realized, gained, &next.realized))
            return false;
        next.cost = qty > size ? worth - worth_out : stake->cost - cost_out;
    }
    *stake = next;
    return true;
}

bool stake_unrealized(const struct instrument *instrument, const struct stake *stake,
                      weir_px reference_x2, amount *out)
{
    amount worth;
    weir_qty size = size_of(stake->qty);
    *out = 0;
    if (size == 0 || reference_x2 <= 0)
        return true;
    if (is_inverse(instrument)) {
        if (!inverse_worth(instrument, reference_x2, 2, size, &worth))
            return false;
    } else if (!product(instrument, reference_x2, size, &worth) ||
               !amount_ratio_round(worth, 1, 2, &worth)) {
        return false;
    }
    return gain(instrument, stake->qty > 0, stake->cost, worth, out);
}

amount stake_plain_cost(const struct instrument *instrument, const struct stake *stake)
{
    amount cost = stake->cost;
    if (instrument->plain || !amount_ratio_round(cost, pow10_of(instrument->multiplier_exp),
                                                 instrument->multiplier, &cost))
        return stake->cost;
    return cost;
}

amount stake_average(const struct instrument *instrument, const struct stake *stake)
{
    amount average = 0, contracts;
    weir_qty size = size_of(stake->qty);
    if (size == 0 || stake->cost <= 0)
        return 0;
    if (!is_inverse(instrument))
        return amount_per_round(stake_plain_cost(instrument, stake), size, instrument->is.qty_exp,
                                &average)
                   ? average
                   : 0;
    /* contracts / cost, by scaling both down until the divisor has 63 bits */
    if (!amount_times(amount_from(size, instrument->is.qty_exp), instrument->multiplier,
                      instrument->multiplier_exp, &contracts))
        return 0;
    amount cost = stake->cost;
    int places = AMOUNT_EXP;
    while (cost > INT64_MAX) {
        cost /= 10;
        places--;
    }
    return amount_ratio_round(contracts, pow10_of(places), (int64_t)cost, &average) ? average : 0;
}
