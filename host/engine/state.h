/* state.h - what the engine is made of; private to host/engine.
 *
 * MEMORY    All of it comes from the one arena, as arrays; structs refer to each other by index, so
 *           nothing depends on addresses. What every order touches is apart from what only its own
 *           events touch (struct order, struct order_more).
 * SUMS      Exposure, held money, counts of live orders and PnL are sums over orders and holdings.
 *           They are kept by one function each, which replaces what the order or holding last added
 *           by what it adds now: order_settle(), holding_settle(). Nobody else writes them.
 * STATE     order_step() alone writes what an order is; request_set() the requests open on it.
 * TIME      `now` is the time of the input, and never goes back. */
#ifndef WEIR_ENGINE_STATE_H
#define WEIR_ENGINE_STATE_H

#include <string.h>

#include "base/check.h"
#include "base/map.h"
#include "engine/account.h"
#include "engine/caps.h"
#include "engine/engine.h"
#include "engine/instrument.h"
#include "engine/names.h"
#include "engine/orders.h"
#include "engine/scope.h"
#include "engine/wallet.h"

struct engine {
    const struct effect_sink *sink;
    uint64_t seq;
    weir_ns now;
    struct engine_counts counts;
    struct engine_sizes sizes;
    int64_t policy[POLICY_COUNT];
    uint64_t limits_version;
    int64_t id_next, id_end; /* counter of wire ids; id_end: reserved up to here, 0: none told */
    uint64_t born;
    uint64_t crosses;
    uint32_t further_on;   /* limits of further.c that have a value */
    uint8_t watching;      /* 1: one has, or executions that run away are looked for */
    uint32_t owner_losses; /* strategies and groups that have a max_loss */
    uint32_t group_losses; /* groups that have one; and day losses and drawdowns of either */
    uint32_t reconciling;  /* accounts */
    weir_ns recon_next;    /* the first recon_due of those that are to be asked; 0: likewise none */
    uint32_t revivable;    /* ended orders that a replace on its way can make work again */
    uint8_t killed;        /* enum kill_stage */
    uint8_t journal_failed;

    struct order *orders;
    struct order_more *more;
    struct order_kept *kept;
    uint32_t *told; /* orders to be told at the end of the input */
    uint32_t told_count;
    uint32_t orders_used;
    uint32_t live_first, live_last;
    uint32_t ended_first, ended_last;

    struct name *names;      /* NAMES_RESERVED for each order, and then as many that all share */
    uint32_t names_free;     /* shared ones that were given back */
    uint32_t names_begun;    /* shared ones that were ever taken: the first so many */
    uint32_t names_extra;    /* in use beyond what is reserved for each order */
    struct map cids;         /* names given by askers, for ever; value: order it was of, or 0 */
    uint64_t cid_beginnings; /* one that begins otherwise is not in there */
    struct wire *wires;      /* client order ids by their last digits */
    uint32_t wire_places;
    struct map ids; /* venue ids, and client order ids that have no place in wires; value: order */
    uint32_t wires_elsewhere;

    uint32_t *timers[TIMER_KINDS]; /* heaps of orders by due */
    uint32_t timer_count[TIMER_KINDS];

    uint32_t *work; /* ring of tied orders to be looked at */
    uint32_t work_first, work_count;
    uint32_t held_first, held_last;
    uint32_t lane_first, lane_last; /* of the held, those that wait for their turn */
    weir_ns lane_due;               /* and may get it then */
    struct venue_caps *caps;        /* by venue */

    struct instrument *instruments;
    uint32_t instrument_count;
    struct map symbols;
    struct holding *holdings;
    uint32_t holding_count;
    struct map holding_of;

    struct scope *host, *venues, *account_scopes, *groups, *strategies, *instrument_scopes;
    struct scope external;
    struct account *accounts;
    weir_ns *backoff; /* by venue: sending is allowed from then on */
    struct venue_clock *clocks;

    char (*assets)[WEIR_ASSET_MAX];
    uint32_t asset_count;
    uint32_t last_asset; /* that was asked for by its name */
    struct map asset_of;
    struct purse *purses; /* account * sizes.assets + asset */

    struct exec *execs;
    uint64_t exec_count; /* ever; the place is count modulo sizes.executions */
    struct memory exec_memory, cash_memory;
    uint32_t waiting_first, waiting_last; /* index + 1 */

    weir_ns *throttle_times;
    uint32_t throttle_used;
    uint32_t
        throttle_free[17]; /* by log2 of the block's size: first + 1; the next one's stands in it */

    struct out_decision *decision; /* room for the largest */
    uint64_t *scratch;             /* a short message, filled up with zeroes */
};

/* --- small things ------------------------------------------------------------------------------ */

static inline struct order *order_at(struct engine *engine, uint32_t n)
{
    return &engine->orders[n];
}
static inline struct order_more *more_at(struct engine *engine, uint32_t n)
{
    return &engine->more[n];
}
static inline struct order_kept *kept_at(struct engine *engine, uint32_t n)
{
    return &engine->kept[n];
}

static inline bool strict(const struct engine *engine)
{
    return engine->policy[POLICY_strict] != 0;
}
static inline bool same_key(struct key128 a, struct key128 b)
{
    return a.a == b.a && a.b == b.b;
}
static inline weir_ns later(weir_ns t, weir_ns delay)
{
    weir_ns sum;
    return __builtin_add_overflow(t, delay, &sum) ? INT64_MAX : sum;
}

/* Ask for memory that is needed soon. */
static inline void fetch(const void *memory, size_t size)
{
    for (size_t at = 0; at < size; at += 64)
        __builtin_prefetch((const char *)memory + at);
}

/* All of this order; its parts then come at one time, and not one after the other. */
static inline void order_needed(const struct engine *engine, uint32_t n)
{
    fetch(&engine->orders[n], sizeof(struct order));
    fetch(&engine->more[n], sizeof(struct order_more));
}

/* Of an order or holding, whose strategy is always defined; of a strategy: NULL if it is in none. */
static inline struct scope *strategy_of(struct engine *engine, uint32_t strategy)
{
    return strategy == STRATEGY_EXTERNAL ? &engine->external : &engine->strategies[strategy];
}
static inline struct scope *group_of(struct engine *engine, const struct scope *strategy)
{
    uint32_t n = strategy->parent;
    return n <= engine->sizes.strategies && engine->groups[n].defined ? &engine->groups[n] : NULL;
}

/* Copy a text into an array of fixed size; what is left over is zero. Always terminated. */
#define put_text(array, text) put_text_in((array), sizeof(array), (text), sizeof(array))
void put_text_in(char *array, size_t room, const char *text, size_t most);

#endif
