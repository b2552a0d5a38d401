/* ledger.c - what the venue believes the account has.
 *
 * Every change is computed in full before anything is written, so an overflow leaves the books as
 * they were. [ledger_fill] */
#include "sim/desk/ledger.h"

#include <string.h>

size_t ledger_bytes(uint32_t instruments, uint32_t wallets)
{
    return 192 + (instruments + 1) * sizeof(struct ledger_holding) +
           wallets * sizeof(struct ledger_wallet);
}

int ledger_init(struct ledger *ledger, struct arena *arena, uint32_t instruments, uint32_t wallets)
{
    *ledger = (struct ledger){.wallet_max = wallets, .instruments = instruments};
    ledger->holdings = arena_take(arena, (instruments + 1) * sizeof(struct ledger_holding));
    ledger->wallets = arena_take(arena, wallets * sizeof(struct ledger_wallet));
    return ledger->holdings && ledger->wallets ? 0 : -1;
}

/* One basis point is 10^8 of them. */
enum weir_err ledger_rate(amount bps, int64_t *rate_out)
{
    amount most = amount_from(1000000, 0);
    if (bps >= most || bps <= -most)
        return WEIR_E_OVERFLOW;
    return amount_to(bps, LEDGER_RATE_EXP - 4, rate_out) ? WEIR_OK : WEIR_E_INEXACT;
}

enum weir_err ledger_fees(struct ledger *ledger, amount maker_bps, amount taker_bps,
                          enum fee_asset asset)
{
    int64_t maker = 0, taker = 0;
    enum weir_err err = ledger_rate(maker_bps, &maker);
    if (err == WEIR_OK)
        err = ledger_rate(taker_bps, &taker);
    if (err != WEIR_OK)
        return err;
    ledger->maker_rate = maker;
    ledger->taker_rate = taker;
    ledger->fee_asset = asset;
    return WEIR_OK;
}

static bool is_exp(int exp)
{
    return exp >= 0 && exp <= AMOUNT_EXP;
}

enum weir_err ledger_define(struct ledger *ledger, const struct weir_instrument *instrument)
{
    uint32_t number = instrument->msg.instrument;
    if (number == 0 || number > ledger->instruments)
        return WEIR_E_FULL;
    if (!is_exp(instrument->price_exp) || !is_exp(instrument->qty_exp) ||
        instrument->price_exp + instrument->qty_exp > AMOUNT_EXP ||
        !is_exp(instrument->multiplier_exp) || instrument->kind > WEIR_INVERSE)
        return WEIR_E_UNSUPPORTED;
    struct weir_instrument is = *instrument;
    if (is.multiplier <= 0) { /* not told: one */
        is.multiplier = 1;
        is.multiplier_exp = 0;
    }
    for (; is.multiplier_exp > 0 && is.multiplier % 10 == 0; is.multiplier_exp--)
        is.multiplier /= 10;
    int price_exp = is.kind == WEIR_INVERSE ? 0 : is.price_exp;
    if (price_exp + is.qty_exp + is.multiplier_exp > AMOUNT_EXP ||
        strncmp(is.base, is.quote, WEIR_ASSET_MAX) == 0)
        return WEIR_E_UNSUPPORTED;
    ledger->holdings[number].known = true;
    ledger->holdings[number].is = is;
    return WEIR_OK;
}

const struct ledger_holding *ledger_holding(const struct ledger *ledger, uint32_t instrument)
{
    if (instrument == 0 || instrument > ledger->instruments)
        return NULL;
    return ledger->holdings[instrument].known ? &ledger->holdings[instrument] : NULL;
}

bool ledger_hold(struct ledger *ledger, uint32_t instrument, weir_qty qty)
{
    if (!ledger_holding(ledger, instrument))
        return false;
    ledger->holdings[instrument].qty = qty;
    ledger->holdings[instrument].cost = 0;
    return true;
}

/* --- wallets -----------------------------------------------------------------------------------*/

static struct ledger_wallet *find(const struct ledger *ledger, const char *asset)
{
    for (uint32_t i = 0; i < ledger->wallet_count; i++)
        if (strncmp(ledger->wallets[i].asset, asset, WEIR_ASSET_MAX) == 0)
            return &ledger->wallets[i];
    return NULL;
}

static struct ledger_wallet *make(struct ledger *ledger, const char *asset)
{
    struct ledger_wallet *wallet = find(ledger, asset);
    if (wallet || ledger->wallet_count == ledger->wallet_max)
        return wallet;
    wallet = &ledger->wallets[ledger->wallet_count++];
    *wallet = (struct ledger_wallet){.total = 0};
    memcpy(wallet->asset, asset, strnlen(asset, WEIR_ASSET_MAX - 1));
    return wallet;
}

enum weir_err ledger_pay(struct ledger *ledger, const char *asset, amount change)
{
    struct ledger_wallet *wallet = make(ledger, asset);
    amount total;
    if (!wallet)
        return WEIR_E_FULL;
    if (!amount_add(wallet->total, change, &total))
        return WEIR_E_OVERFLOW;
    wallet->total = total;
    return WEIR_OK;
}

amount ledger_total(const struct ledger *ledger, const char *asset)
{
    const struct ledger_wallet *wallet = find(ledger, asset);
    return wallet ? wallet->total : 0;
}

/* --- executions --------------------------------------------------------------------------------*/

bool ledger_worth(const struct weir_instrument *is, weir_px px, weir_qty qty, amount *worth_out)
{
    amount size;
    if (is->kind != WEIR_INVERSE)
        return amount_product(px, is->price_exp, qty, is->qty_exp, worth_out) &&
               amount_times(*worth_out, is->multiplier, is->multiplier_exp, worth_out);
    return px > 0 &&
           amount_times(amount_from(qty, is->qty_exp), is->multiplier, is->multiplier_exp, &size) &&
           amount_ratio_round(size, pow10_of(is->price_exp), px, worth_out);
}

struct changes {
    amount base, quote, fee;
    amount gain; /* realized; in base or quote already */
    struct ledger_holding after;
    bool fee_in_base;
};

static weir_qty size_of(weir_qty qty)
{
    return qty < 0 ? -qty : qty;
}

static bool part_of(amount whole, weir_qty of, weir_qty size, amount *part_out)
{
    *part_out = whole;
    return of == size || amount_ratio_round(whole, of, size, part_out);
}

/* A derivative: what opens adds to the cost, what closes takes its part of it out and realizes. */
static bool move_cost(const struct ledger_holding *before, uint8_t side, amount worth, weir_qty qty,
                      struct changes *changes)
{
    struct ledger_holding *after = &changes->after;
    weir_qty held = size_of(before->qty);
    bool opens = before->qty == 0 || (before->qty > 0) == (side == WEIR_BUY);
    amount cost_out, worth_out;

    if (opens)
        return amount_add(before->cost, worth, &after->cost);
    weir_qty closed = qty < held ? qty : held;
    if (!part_of(before->cost, closed, held, &cost_out) || !part_of(worth, closed, qty, &worth_out))
        return false;
    bool rises = (before->qty > 0) != (before->is.kind == WEIR_INVERSE);
    if (!(rises ? amount_sub(worth_out, cost_out, &changes->gain)
                : amount_sub(cost_out, worth_out, &changes->gain)))
        return false;
    after->cost = qty > held ? worth - worth_out : before->cost - cost_out;
    if (before->is.kind == WEIR_INVERSE)
        changes->base = changes->gain;
    else
        changes->quote = changes->gain;
    return true;
}

static bool takes_base_fee(const struct ledger *ledger, const struct weir_instrument *is,
                           uint8_t side)
{
    if (is->kind != WEIR_SPOT)
        return is->kind == WEIR_INVERSE;
    return ledger->fee_asset == FEE_BASE || (ledger->fee_asset == FEE_RECEIVED && side == WEIR_BUY);
}

static bool reckon(const struct ledger *ledger, const struct ledger_holding *before,
                   const struct weir_fill *fill, struct changes *changes)
{
    const struct weir_instrument *is = &before->is;
    weir_qty signed_qty = fill->side == WEIR_BUY ? fill->qty : -fill->qty;
    amount size = amount_from(signed_qty, is->qty_exp), worth;

    changes->after = *before;
    if (!ledger_worth(is, fill->px, fill->qty, &worth) ||
        __builtin_add_overflow(before->qty, signed_qty, &changes->after.qty) ||
        changes->after.qty == INT64_MIN)
        return false;
    if (is->kind == WEIR_SPOT) {
        changes->base = size;
        changes->quote = fill->side == WEIR_BUY ? -worth : worth;
    } else if (!move_cost(before, fill->side, worth, fill->qty, changes)) {
        return false;
    }
    changes->fee_in_base = takes_base_fee(ledger, is, fill->side);
    if (changes->fee_in_base && is->kind == WEIR_SPOT)
        worth = amount_from(fill->qty, is->qty_exp);
    int64_t rate = fill->maker ? ledger->maker_rate : ledger->taker_rate;
    amount *paid_from = changes->fee_in_base ? &changes->base : &changes->quote;
    return amount_times_round(worth, rate, LEDGER_RATE_EXP, &changes->fee) &&
           amount_sub(*paid_from, changes->fee, paid_from);
}

enum weir_err ledger_fill(struct ledger *ledger, struct weir_fill *fill)
{
    const struct ledger_holding *before = ledger_holding(ledger, fill->msg.instrument);
    struct changes changes = {.base = 0};
    amount base, quote;

    if (!before)
        return WEIR_E_NOT_FOUND;
    struct ledger_wallet *base_wallet = make(ledger, before->is.base);
    struct ledger_wallet *quote_wallet = make(ledger, before->is.quote);
    if (!base_wallet || !quote_wallet)
        return WEIR_E_FULL;
    if (!reckon(ledger, before, fill, &changes) ||
        !amount_add(base_wallet->total, changes.base, &base) ||
        !amount_add(quote_wallet->total, changes.quote, &quote))
        return WEIR_E_OVERFLOW;
    base_wallet->total = base;
    quote_wallet->total = quote;
    ledger->holdings[fill->msg.instrument] = changes.after;
    fill->fee = amount_pack(changes.fee);
    fill->has_realized = before->is.kind != WEIR_SPOT;
    fill->realized = amount_pack(changes.gain);
    memcpy(fill->fee_asset, changes.fee_in_base ? before->is.base : before->is.quote,
           WEIR_ASSET_MAX);
    return WEIR_OK;
}
