/* engine.h - the engine: (state, input) -> (state, effects).
 *
 * No I/O, clock, random, thread or allocation: it lives in one arena that its owner gives it. Same
 * inputs, same effects, byte for byte, with any compiler. One thread owns it and all pointers that
 * the questions below return, which hold until the next engine_apply().        [engine thread] */
#ifndef WEIR_ENGINE_ENGINE_H
#define WEIR_ENGINE_ENGINE_H

#include <stdbool.h>

#include "base/decimal.h"
#include "base/pool.h"
#include "engine/effect.h"

struct engine;

/* Room for so many of each; fixed for the life of the engine. */
struct engine_sizes {
    uint32_t orders;     /* orders in the table, ended ones included: the oldest ended is forgotten
                             first; live ones never */
    uint32_t executions; /* remembered in detail: for undoing and for recognizing repeats */
    uint32_t client_ids; /* names given by askers, remembered for ever */
    uint32_t instruments;
    uint32_t strategies;
    uint32_t venues;
    uint32_t accounts;
    uint32_t assets;
    uint32_t
        positions; /* pairs of instrument and strategy (or group) that ever had an order; 0: a default */
};
struct engine_sizes engine_sizes_default(void);
size_t engine_bytes(const struct engine_sizes *sizes); /* the arena it needs */
/* The arena's memory must be zero, and is not touched where nothing is kept yet: what an engine
 * takes of the machine grows with what it holds. NULL: the arena is too small. */
struct engine *engine_create(struct arena *arena, const struct engine_sizes *sizes);

/* --- its image --------------------------------------------------------------------------------
 * All that an engine is lies in engine_image_bytes() from where it begins. Frozen, it has no
 * addresses in it: these bytes, put where another engine of the same sizes and layout begins, are
 * the same engine there once they are thawed. Between freeze and thaw nothing else may be asked of
 * it. [its owner, between two inputs] */
size_t engine_image_bytes(const struct engine_sizes *sizes);
void engine_freeze(struct engine *engine);
void engine_thaw(struct engine *engine);
/* A fingerprint of the sizes of all that is in an image. */
uint64_t engine_layout(void);

/* Where effects go, one call each, in order. The effect is borrowed until the call returns; the sink
 * must not call the engine. */
struct effect_sink {
    void (*take)(void *context, const struct weir_msg *effect);
    void *context;
};

/* Apply one input. seq: its number in the journal, copied into the effects' `cause`. An input that
 * cannot be understood changes nothing but a counter and raises ALERT_ANOMALY. */
void engine_apply(struct engine *engine, const struct weir_msg *input, uint64_t seq,
                  const struct effect_sink *sink);

/* When IN_TICK is wanted; INT64_MAX: not at all. */
weir_ns engine_next_timer(const struct engine *engine);

/* --- questions --------------------------------------------------------------------------------*/

struct order_view {
    struct out_order order; /* as in effects; msg.t = last change */
    weir_qty leaves_qty;
    weir_qty exposure;
    uint32_t slice_of;    /* it is a slice of this iceberg; 0: it is none */
    struct out_hold hold; /* msg.size 0: it is not held */
};
uint32_t engine_order_find(const struct engine *engine,
                           const char *cid); /* 0: unknown; any name it has had */
uint32_t engine_order_by_wire(const struct engine *engine, const char *wire_id);
bool engine_order(const struct engine *engine, uint32_t order, struct order_view *view_out);
uint32_t engine_order_next(const struct engine *engine, uint32_t after,
                           bool live_only); /* 0: no more */

struct position_view {
    weir_qty qty; /* signed */
    amount
        cost; /* price * quantity of what is held, >= 0, without multiplier; inverse: quantity / price */
    amount avg_price;
    amount realized; /* since the start; in the quote asset, inverse contracts in the base asset */
    amount unrealized; /* at the reference; 0 if there is none */
    bool has_reference;
};
/* strategy 0: the account's own position (internal crosses do not count in it). */
bool engine_position(const struct engine *engine, uint32_t instrument, uint32_t strategy,
                     struct position_view *view_out);
bool engine_wallet(const struct engine *engine, uint16_t account, const char *asset,
                   amount *total_out, amount *fees_out, amount *funding_out);
uint32_t engine_asset_count(const struct engine *engine);
const char *engine_asset_name(const struct engine *engine, uint32_t asset); /* 0 .. count-1 */

const struct weir_instrument *engine_instrument(const struct engine *engine,
                                                uint32_t instrument); /* NULL: unknown */
uint32_t engine_instrument_find(const struct engine *engine, uint16_t venue,
                                const char *symbol);           /* 0: unknown */
uint32_t engine_instrument_count(const struct engine *engine); /* numbers 1 .. count */
const char *engine_name(const struct engine *engine, enum risk_scope scope,
                        uint32_t id); /* "" unknown */
uint32_t engine_number(const struct engine *engine, enum risk_scope scope,
                       const char *name); /* UINT32_MAX: unknown */

/* What a venue says of a contract beside its book. Prices 0: not said. */
struct market_marks {
    weir_px mark, index;
    int64_t funding_rate; /* 10^-12 of a position's worth */
    weir_ns funding_t;    /* when it is paid; 0: all the time, or not said */
    weir_ns t;            /* when the last of them came; 0: none did */
    bool has_funding;
};

struct market_view {
    struct weir_top top;
    weir_px
        reference_x2; /* twice the reference price (a mid may fall between two ticks); 0: none */
    enum book_state book;
    bool stale;
    struct market_marks marks;
};
/* Venue's position less ours, by its last list; what IN_ADOPT_POSITION may take. 0: they
 * agree, or an execution was booked since. */
amount engine_position_mismatch(const struct engine *engine, uint32_t instrument);

bool engine_market(const struct engine *engine, uint32_t instrument, struct market_view *view_out);

struct engine_counts {
    uint64_t inputs, effects;
    uint64_t sent_new, sent_cancel, sent_replace, sent_query, sent_fills, sent_recon;
    uint64_t executions, duplicates_ignored, denied, anomalies;
    uint64_t denied_by[RISK_CHECK_COUNT];
    uint64_t alerts[ALERT_COUNT];
    uint32_t live_orders; /* at venues */
    uint32_t unknown_orders;
};
const struct engine_counts *engine_counts(const struct engine *engine);

/* The next client order id's counter, and the end of the block that is reserved (0: none yet). */
void engine_ids(const struct engine *engine, int64_t *next_out, int64_t *end_out);

bool engine_killed(const struct engine *engine);
enum kill_stage engine_kill_stage(const struct engine *engine);

/* What keeps the kill switch from being PROVEN: orders first, then accounts. */
struct kill_item {
    uint32_t order; /* 0: the account itself; LISTED: an order that the venue lists, 0: not ours */
    uint16_t venue, account;
    enum kill_obstacle obstacle;
    weir_ns since; /* of the last cancel, or the last question to the account; 0: none yet */
    char reason[WEIR_REASON_MAX]; /* the venue's, if it gave one */
};
/* The i-th, i from 0. False: no more; none at all: PROVEN, or not pulled. */
bool engine_kill_open(const struct engine *engine, uint32_t i, struct kill_item *item_out);
enum trading_state engine_trading_state(const struct engine *engine, enum risk_scope scope,
                                        uint32_t id);
bool engine_reconciling(const struct engine *engine, uint16_t venue);
bool engine_venue_up(const struct engine *engine, uint16_t venue);
/* A limit as set: LIMIT_UNSET, LIMIT_NONE or LIMIT_VALUE; what is used of it, if that is a state. */
int engine_limit(const struct engine *engine, enum risk_scope scope, uint32_t id,
                 enum risk_limit limit, amount *value_out, amount *used_out);

#endif
