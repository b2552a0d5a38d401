/* tally.h - what a backtest is judged by, gathered while it runs.
 *
 * It hears the engine's inputs before they are applied, and its effects, and never speaks. Amounts are
 * exact; each instrument's result is in its settle asset (quote; base for inverse contracts).
 *
 *   position   of the account in an instrument, as the engine has it
 *   equity     sum over instruments of realized + unrealized PnL (at the engine's reference price)
 *              - fees + funding, from 0; in one asset, the report's: that of the largest turnover
 *   converted  another asset X counts in the report's asset M at the middle of an instrument whose
 *              base is X and whose quote is M; where there is none it does not count, and is listed
 *   sample     equity, positions and middle prices at multiples of an interval of engine time: 1 s at
 *              first, doubled each time when 2048 samples are full. A sample is the state before the
 *              first input at or after its time
 *   arrival    of an order: the middle of the book when it was asked for               [engine thread] */
#ifndef WEIR_CONTROL_REPORT_TALLY_H
#define WEIR_CONTROL_REPORT_TALLY_H

#include "engine/engine.h"

enum {
    SAMPLES_MAX = 2048,
    ASSETS_MAX = 8,
    CHARTED_MAX = 128, /* instruments with samples: those numbered first */
    EXECUTIONS_KEPT = 200000,
    REASONS_MAX = 64
};

struct tally_execution {
    weir_ns t;
    weir_px px;
    weir_qty qty;
    amount fee;
    char fee_asset[WEIR_ASSET_MAX];
    uint32_t instrument, strategy;
    int64_t slippage; /* against arrival, counts of 10^-4 bps; > 0: worse */
    uint8_t side, maker, has_slippage, internal;
};

/* Sums over executions; money in the settle asset. */
struct tally_sums {
    uint64_t executions, makers, bought, sold;
    uint64_t orders, filled_orders; /* sent; with at least one execution */
    uint64_t wins, losses;          /* executions that closed something, by realized PnL less fee */
    amount won, lost;               /* their sums, lost >= 0 */
    amount turnover, fees, funding;
    __int128 slippage; /* sum of worth (counts of 10^-6) * slippage (10^-4 bps) */
    __int128 slippage_worth;
};

struct tally_instrument {
    bool known;
    struct weir_instrument is;
    struct weir_top top;
    uint32_t settle; /* index of asset */
    bool touched;    /* it had an execution */
    bool open;       /* a position is held */
    weir_qty qty_max, qty_min;
    struct tally_sums sums;
    weir_px *mids_x2; /* SAMPLES_MAX; NULL: not charted */
    weir_qty *positions;
};

struct tally_asset {
    char name[WEIR_ASSET_MAX];
    amount turnover, capital; /* capital: what the wallets held when they were first listed */
    amount foreign_fees; /* taken in this asset, of a trade that settles in another that does not
                                 name it: in nobody's equity */
    amount *equity;      /* SAMPLES_MAX */
};

/* Orders that ended, or were refused, for a reason. */
struct tally_reason {
    uint8_t label; /* enum order_label */
    char text[WEIR_REASON_MAX];
    uint64_t count;
};

struct tally_order {
    weir_ns created;
    weir_px arrival_x2; /* 0: none */
    uint8_t label;
    bool filled;
};

struct tally {
    uint32_t instrument_max, instrument_count;
    struct tally_instrument *instruments; /* by the host's number */
    struct tally_asset assets[ASSETS_MAX];
    uint32_t asset_count;
    struct tally_sums *strategies; /* by number * ASSETS_MAX + settle asset */
    uint32_t strategy_max;
    struct tally_order *orders; /* by number */
    uint32_t order_max;
    struct tally_reason reasons[REASONS_MAX];
    uint32_t reason_count;
    uint64_t labels[ORDER_LABEL_COUNT]; /* orders by how they ended */
    uint64_t alerts[ALERT_COUNT];
    struct tally_execution *executions;
    uint32_t execution_count, execution_room;
    uint64_t executions_left_out;
    weir_ns first, last; /* of engine time with market data */
    weir_ns sample_every, next_sample, *sample_t;
    uint32_t sample_count;
    uint32_t open_count; /* instruments with a position */
    weir_ns open_since, exposed;
    bool wallets_seen, failed; /* failed: no memory */
};

/* orders: the largest number of one. False: no memory. */
bool tally_init(struct tally *tally, uint32_t instruments, uint32_t strategies, uint32_t orders);
void tally_fini(struct tally *tally);

void tally_input(struct tally *tally, const struct engine *engine, const struct weir_msg *input);
void tally_effect(struct tally *tally, const struct weir_msg *effect);
/* The last sample, at the end of the data. */
void tally_end(struct tally *tally, const struct engine *engine);

/* The middle of an instrument's book, doubled; 0: none. */
weir_px tally_mid_x2(const struct tally_instrument *instrument);

#endif
