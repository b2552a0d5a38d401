/* ledger.h - a simulated venue's own books of one account: wallets, positions, fees.
 *
 * They are kept apart from the engine's books on purpose: what the venue answers to a reconciliation
 * must be able to disagree. All amounts are exact; where a division cannot be, it is rounded half-even
 * to 18 places, once. [one thread]
 *
 *   spot      buy: + quantity of base, - price * quantity * multiplier of quote; sell: the reverse
 *   linear    realized PnL goes to the quote asset, against the average cost of what is held
 *   inverse   likewise in the base asset; worth is quantity * multiplier / price */
#ifndef WEIR_SIM_DESK_LEDGER_H
#define WEIR_SIM_DESK_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/decimal.h"
#include "base/pool.h"
#include "weir/error.h"
#include "weir/event.h"

/* In which asset the fee of a spot trade is taken. Derivatives: always where the PnL goes. */
enum fee_asset { FEE_QUOTE = 0, FEE_BASE, FEE_RECEIVED };

struct ledger_wallet {
    char asset[WEIR_ASSET_MAX];
    amount total;
};

struct ledger_holding {
    bool known;
    struct weir_instrument is;
    weir_qty qty; /* net traded quantity, signed */
    amount cost;  /* of what is held; derivatives only */
};

struct ledger {
    struct ledger_wallet *wallets;
    struct ledger_holding *holdings; /* by instrument number */
    uint32_t wallet_count, wallet_max;
    uint32_t instruments;           /* numbers 1 .. instruments */
    int64_t maker_rate, taker_rate; /* counts of 10^-12 of the worth */
    enum fee_asset fee_asset;
};

enum { LEDGER_RATE_EXP = 12 };

size_t ledger_bytes(uint32_t instruments, uint32_t wallets);
/* 0 on success, -1: the arena is too small. */
int ledger_init(struct ledger *ledger, struct arena *arena, uint32_t instruments, uint32_t wallets);

/* Basis points as a count of 10^-LEDGER_RATE_EXP. E_INEXACT: more than 8 places; E_OVERFLOW: 10^6 bps
 * and more. */
enum weir_err ledger_rate(amount bps, int64_t *rate_out) WEIR_MUST_USE;
/* Fees in basis points, as amounts. E_INEXACT: more than 8 places; E_OVERFLOW: 10^6 bps and more. */
enum weir_err ledger_fees(struct ledger *ledger, amount maker_bps, amount taker_bps,
                          enum fee_asset asset) WEIR_MUST_USE;

/* Define an instrument, or take its new rules. E_UNSUPPORTED: numbers that it cannot reckon with. */
enum weir_err ledger_define(struct ledger *ledger,
                            const struct weir_instrument *instrument) WEIR_MUST_USE;
const struct ledger_holding *ledger_holding(const struct ledger *ledger,
                                            uint32_t instrument); /* NULL: unknown */

/* A holding that was there before: so much, at no cost. False: unknown instrument. */
bool ledger_hold(struct ledger *ledger, uint32_t instrument, weir_qty qty) WEIR_MUST_USE;

/* Add to a wallet (made when new). E_FULL, E_OVERFLOW. */
enum weir_err ledger_pay(struct ledger *ledger, const char *asset, amount change) WEIR_MUST_USE;
amount ledger_total(const struct ledger *ledger, const char *asset); /* 0: no such wallet */

/* Price times quantity times multiplier, or quantity * multiplier / price for inverse. */
bool ledger_worth(const struct weir_instrument *instrument, weir_px px, weir_qty qty,
                  amount *worth_out) WEIR_MUST_USE;

/* Book one execution of ours: holding, wallets and fee. fill: side, px, qty, maker are read; fee,
 * fee_asset and what was realized are written. On an error nothing was booked. */
enum weir_err ledger_fill(struct ledger *ledger, struct weir_fill *fill) WEIR_MUST_USE;

#endif
