/* instrument.h - an instrument, who holds what of it, and the exact money of that. Private to host/engine.
 *
 * holding_settle() in loss.c alone writes what a holding adds to the sums.      [engine thread] */
#ifndef WEIR_ENGINE_INSTRUMENT_H
#define WEIR_ENGINE_INSTRUMENT_H

#include "engine/engine.h"

struct engine;
struct scope;

/* What a position is made of; computed by position.c only. */
struct stake {
    weir_qty qty;
    amount cost;     /* of what is held, >= 0, with multiplier; inverse: in the base asset */
    amount realized; /* in the asset that it settles in */
};

/* Limits as int64 in the units of one instrument: what the checks compare with. One line of cache. */
struct card {
    int64_t max_order_notional; /* 10^-product_exp */
    int64_t max_order_qty;
    int64_t max_position;
    int64_t price_band; /* 10^-9 percent */
    int64_t max_open_orders;
    struct scope *scope;
    uint32_t given; /* bit for each enum risk_limit that has a value */
    uint32_t on;    /* and for each that is not 0 */
    uint32_t unset; /* and for each that was not given */
    uint32_t scope_id;
};
_Static_assert(sizeof(struct card) == 64, "what the checks read of a scope");

/* One owner's part of one instrument: the account's (owner 0), a strategy's, or a group's. What the
 * checks read of it comes first. */
struct holding {
    _Alignas(64) struct card card; /* of the strategy or group */
    amount exposure[2];            /* worst case of its orders, by side */
    uint64_t card_version;
    uint32_t group; /* index of the group's holding of this instrument, 0: none */
    uint32_t instrument;
    struct stake now;
    struct stake base; /* before the executions that are still remembered */
    amount pnl;        /* what it adds to the scopes' sums */
    amount floor;      /* a strategy's: the least it is worth while its instrument is calm */
    uint32_t owner;    /* strategy number, or GROUP_OWNER + group number */
    uint32_t next;     /* of the same instrument */
    uint32_t owned;    /* the next of the same strategy */
};
enum { GROUP_OWNER = 0x10000 };

enum halt_bits { HALT_VENUE = 1, HALT_MISMATCH = 2 };
enum {
    CHAIN_FIXED = 3
}; /* host, venue, account; then instrument: cards kept with the instrument */

struct instrument {
    _Alignas(64) struct card cards[4]; /* host, venue, account, instrument */
    struct weir_instrument is;         /* as defined; msg.size 0: not defined */
    uint64_t card_version;
    struct holding own; /* the account's */
    amount reduce[2];   /* exposure of reduce-only orders, by side */
    weir_px reference_x2;
    weir_px calm_from,
        calm_to; /* calm.c: reference_x2 between which no strategy is at its max_loss */
    struct weir_top top;
    struct market_marks marks;
    uint32_t holdings;             /* first of the strategies' */
    uint32_t quotes[2];            /* root of the heap of own quotes, by side */
    uint32_t inside[2];            /* best of the internal book, by side */
    uint32_t triggers[2];          /* root of the heap of held orders: a rising, a falling price */
    uint32_t trailing;             /* first of the held orders that follow the price */
    weir_px last_trade;            /* 0: none yet */
    weir_ns booked;                /* the last execution was booked then */
    uint32_t nameless[2];          /* live orders without a venue id, by side */
    uint32_t base, quote, settles; /* assets */
    uint8_t book;                  /* enum book_state */
    uint8_t stale;
    uint8_t halted;     /* enum halt_bits */
    uint8_t plain;      /* multiplier is 1 */
    int64_t multiplier; /* without trailing zeros */
    int multiplier_exp;
    int product_exp; /* places of price * quantity * multiplier; inverse: of quantity * multiplier */
    int64_t min_units;  /* min_notional in these units, rounded up */
    int64_t unit;       /* amount of one of them, if it is even; else, and inverse, 0 */
    amount unit_room;   /* so many make an amount */
    amount value_room;  /* and so many a value that leaves room for sums [loss_values] */
    weir_qty size_most; /* no holding was ever larger */
    amount listed;      /* recon: net position by the venue */
    amount mismatch;    /* recon: that, less ours; 0: none, or not known any more */
    uint32_t listed_in;
    uint16_t venue, account;
    int64_t minute;          /* of high[0], low[0]; 0: there were none yet */
    weir_px high[2], low[2]; /* reference, doubled, of that minute and the one before [course.c] */
};

/* --- position.c: exact money of one instrument, pure ---------------------------------------------- */
bool worth_of(const struct instrument *instrument, weir_px px, weir_qty qty, amount *worth_out);
bool stake_add(const struct instrument *instrument, struct stake *stake, uint8_t side, weir_px px,
               weir_qty qty);
bool stake_unrealized(const struct instrument *instrument, const struct stake *stake,
                      weir_px reference_x2, amount *out);
amount stake_average(const struct instrument *instrument, const struct stake *stake);
amount stake_plain_cost(const struct instrument *instrument, const struct stake *stake);

#endif
