/* match.h - price-time matching for many instruments, in memory that its owner gives.
 *
 * The library of every simulated venue: plugins/sim is an exchange on it, paper.c lays our own
 * orders over a recorded market with it. It knows orders by numbers that the owner chooses, prices
 * and quantities as whole numbers of any unit, and nothing else of the host. Same calls, same
 * fills. No allocation after match_init, no I/O, clock or random number.        [one thread]
 *
 * ORDERS  are numbered 1 .. config.orders; a number is free again once its order is gone: filled,
 *         cancelled, removed by self-trade prevention, or not resting when match_add returns.
 * HOUSE   orders stand for liquidity that is displayed elsewhere: their sum at a price is set to
 *         what a data feed shows, and they share the queue with ours. They have no number. */
#ifndef WEIR_SIM_MATCH_H
#define WEIR_SIM_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/error.h"
#include "weir/event.h"

struct match;

struct match_config {
    uint32_t orders;      /* largest order number */
    uint32_t house;       /* pieces of house liquidity at one time */
    uint32_t instruments; /* numbers 0 .. instruments - 1; at most 65535 */
    uint32_t window;      /* prices a side near the best: a power of two, 64 .. 2^20 */
    uint32_t far;         /* levels a side outside the window */
};

/* Prices are -MATCH_PX_MAX .. MATCH_PX_MAX, quantities 1 .. INT64_MAX. */
#define MATCH_PX_MAX ((int64_t)1 << 60)

struct match_fill {
    uint32_t maker; /* the order that rested, 0: house */
    uint32_t taker; /* the order that arrived, 0: a trade from outside (match_trade) */
    int64_t px;     /* the maker's */
    int64_t qty;
    int64_t maker_left;
    uint16_t instrument;
    uint8_t side; /* enum weir_side of the taker */
    uint8_t pad[5];
};

struct match_view {
    int64_t px, qty; /* qty: what is left */
    uint32_t owner;
    uint16_t instrument;
    uint8_t side;
};

/* Where reports go, during the call that causes them. They may ask, and must not change, the match. */
struct match_sink {
    void *context;
    void (*fill)(void *context, const struct match_fill *fill);
    /* Self-trade prevention took a resting order away, which was this. */
    void (*removed)(void *context, uint32_t id, const struct match_view *was);
};

size_t match_bytes(const struct match_config *config); /* 0: the config is out of bounds */
/* memory: match_bytes() zeroed bytes, aligned to 64; it stays the owner's. */
struct match *match_init(void *memory, const struct match_config *config,
                         const struct match_sink *sink);

enum match_stp {
    MATCH_STP_NONE = 0,   /* orders of one owner trade with each other */
    MATCH_STP_CANCEL_NEW, /* the arriving order ends where it would meet its owner's */
    MATCH_STP_CANCEL_OLD  /* the resting one goes, and matching goes on */
};

struct match_order {
    uint32_t id;
    uint32_t owner; /* 0: nobody's, never a self trade */
    int64_t px;     /* not read for market orders */
    int64_t qty;
    uint16_t instrument;
    uint8_t side; /* enum weir_side */
    uint8_t type; /* WEIR_LIMIT or WEIR_MARKET (which never rests) */
    uint8_t tif;  /* WEIR_GTC, WEIR_IOC or WEIR_FOK */
    uint8_t stp;  /* enum match_stp */
    uint8_t post_only;
    uint8_t pad;
};

/* What became of an order that arrived. */
enum match_end {
    MATCH_RESTS = 0,
    MATCH_FILLED,
    MATCH_KILLED,     /* IOC, FOK or market: what was left is gone */
    MATCH_WOULD_TAKE, /* post-only, and it would not rest: nothing happened */
    MATCH_SELF,       /* CANCEL_NEW: what was left is gone */
    MATCH_FULL,       /* no room for its price: what was left is gone */
    MATCH_BAD /* the call makes no sense (number in use or unknown, ...): nothing happened */
};

/* left_out: what rests, or what was not filled when it ended. */
enum match_end match_add(struct match *match, const struct match_order *order, int64_t *left_out);

/* Take an order away. Returns what was left of it; 0: no such order. */
int64_t match_cancel(struct match *match, uint32_t id);

/* A new price for what is left; the order goes to the end of the queue there, and may match. */
enum match_end match_move(struct match *match, uint32_t id, int64_t px, int64_t *left_out);

/* A new price and a new quantity left (> 0). Less at the same price keeps its place, all else loses
 * it and may match. post_only: MATCH_WOULD_TAKE leaves the order as it was. */
enum match_end match_replace(struct match *match, uint32_t id, int64_t px, int64_t qty,
                             enum match_stp stp, bool post_only, int64_t *left_out);

/* --- questions --------------------------------------------------------------------------------*/

bool match_order(const struct match *match, uint32_t id, struct match_view *view_out);
/* Quantity that stands before the order in its queue. */
int64_t match_ahead(const struct match *match, uint32_t id);
bool match_best(const struct match *match, uint32_t instrument, enum weir_side side,
                int64_t *px_out, int64_t *qty_out);
/* The next level after the one at px, away from the best. */
bool match_next(const struct match *match, uint32_t instrument, enum weir_side side, int64_t px,
                int64_t *px_out, int64_t *qty_out);
int64_t match_at(const struct match *match, uint32_t instrument, enum weir_side side, int64_t px);
/* Would an order of this side and price meet anything? */
bool match_would_take(const struct match *match, uint32_t instrument, enum weir_side side,
                      int64_t px);
uint32_t match_open(const struct match *match); /* orders resting, house apart */

/* Bring what a coming call for this order will touch into the cache. */
void match_prefetch(const struct match *match, uint32_t id);

/* --- house liquidity --------------------------------------------------------------------------*/

/* What disappears from a displayed size without a trade, disappears where? Growth is always behind
 * everybody, but for LAST. */
enum match_queue {
    MATCH_QUEUE_BEHIND =
        0,             /* behind our last order, and no further: what is ahead only trades away */
    MATCH_QUEUE_BACK,  /* from the back of the queue: what is ahead is at most what is displayed */
    MATCH_QUEUE_FRONT, /* from the front: the best that can be hoped for */
    MATCH_QUEUE_LAST,  /* we are always last: all that is displayed stands ahead of us */
    /* from both sides of our first order, in the proportion of what stands there, its square, its
     * cube: what stands in the longer part leaves it more often (hftbacktest's PowerProbQueueModel) */
    MATCH_QUEUE_SHARED_1,
    MATCH_QUEUE_SHARED_2,
    MATCH_QUEUE_SHARED_3
};

/* Make the house quantity at a price what is displayed there (0: none). False: no room. */
bool match_house_set(struct match *match, uint32_t instrument, enum weir_side side, int64_t px,
                     int64_t qty, enum match_queue queue) WEIR_MUST_USE;
int64_t match_house(const struct match *match, uint32_t instrument, enum weir_side side,
                    int64_t px);
/* Is there an order at this price that is not the house's? */
bool match_has_orders(const struct match *match, uint32_t instrument, enum weir_side side,
                      int64_t px);

/* House quantity leaves that stands, as the owner knows, before the first of our orders for which
 * is_later() says yes, or behind all of them: an order of somebody was canceled whose place is known. What is
 * not found there leaves from before it. */
void match_house_leave(struct match *match, uint32_t instrument, enum weir_side side, int64_t px,
                       int64_t qty, bool (*is_later)(void *context, uint32_t id), void *context);

/* Somebody elsewhere took qty of the resting `side` at px: the front of the queue is filled.
 * Returns what was left over. */
int64_t match_trade(struct match *match, uint32_t instrument, enum weir_side side, int64_t px,
                    int64_t qty);
/* The market went through: every order of `side` with a better price than px is filled, and the
 * house at those prices is gone. */
void match_through(struct match *match, uint32_t instrument, enum weir_side side, int64_t px);

#endif
