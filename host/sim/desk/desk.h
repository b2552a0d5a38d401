/* desk.h - the account's side of a simulated venue: requests and reports on their way, the orders,
 * what the venue answers, and its books of the account.
 *
 * It works on a match that somebody else fills with a market: plugins/sim with an order flow,
 * paper.c with the displayed sizes of a recording. Intents go in, weir events come out, each at its
 * own virtual time: a request reaches the venue one latency after it was sent, its report comes one
 * latency after it happened, and neither way ever overtakes itself. Same seed and same calls, same
 * events. No allocation after desk_init, no I/O, clock or random number of its own.  [one thread]
 *
 * The owner calls desk_run() at desk_next() or later; nothing is emitted from desk_intent(). */
#ifndef WEIR_SIM_DESK_DESK_H
#define WEIR_SIM_DESK_DESK_H

#include "sim/desk/latency.h"
#include "sim/desk/ledger.h"
#include "sim/match.h"

struct desk;

struct desk_config {
    uint64_t seed;
    uint16_t venue, account; /* stamped on events */
    uint32_t first_id; /* its orders are numbers first_id .. first_id + orders - 1 of the match */
    uint32_t orders;   /* at one time, ended ones that can still be asked for included */
    uint32_t instruments; /* numbers 1 .. instruments; number n is n - 1 in the match */
    uint32_t fills;       /* executions that can still be asked for */
    uint32_t flight;      /* most requests on their way; four times as many reports */
    struct latency latency;
    weir_ns silence;           /* the lack of an answer is noticed after this long */
    uint32_t reject_ppm;       /* new orders that the venue refuses for no reason */
    uint32_t drop_request_ppm; /* requests that never arrive */
    uint32_t drop_ack_ppm;     /* answers that never arrive */
    uint32_t duplicate_fill_ppm;
    uint32_t
        rate_max; /* requests about orders in each window of time; 0: any number. More are refused */
    weir_ns rate_window;
    weir_ns
        outage_every; /* from the start on, so long after each other, begin outages; 0: none. In */
    weir_ns outage_for; /* one nothing arrives and nothing is told; the private stream says so */
    enum match_stp stp;
    bool check_balance; /* spot: an order must be covered by the wallet */
};

/* Where an order touches the market. */
struct desk_touch {
    uint32_t instrument;
    uint8_t side;   /* of the order */
    uint8_t enters; /* 0: it leaves this price */
    int64_t px;     /* its limit, in units of the match; the farthest there is for market orders */
    weir_qty qty;
};

struct desk_hooks {
    void *context;
    void (*emit)(void *context, const struct weir_msg *event);
    /* An order is about to enter, change or leave the match at time t, and did. May be NULL. */
    void (*before)(void *context, weir_ns t, const struct desk_touch *touch);
    void (*after)(void *context, weir_ns t, const struct desk_touch *touch);
    /* The order with this number in the match went to the end of a queue, if it rests. May be NULL. */
    void (*queued)(void *context, uint32_t id);
};

/* 0: the config is out of bounds. */
size_t desk_bytes(const struct desk_config *config);
/* NULL: the arena is too small. match stays the owner's; its sink calls desk_fill and desk_removed. */
struct desk *desk_init(struct arena *arena, const struct desk_config *config, struct match *match,
                       const struct desk_hooks *hooks);

/* Its books: pay in, set fees. */
struct ledger *desk_ledger(struct desk *desk);

/* Define an instrument or change its rules. unit: prices of the match are counts of it; it divides
 * the tick, and stays what it was. */
enum weir_err desk_define(struct desk *desk, const struct weir_instrument *instrument,
                          int64_t unit) WEIR_MUST_USE;

/* The account's session is open: said by WEIR_SESSION, at once. Ids of orders and executions begin
 * with this time, so that those of two runs differ. Call it before the first request. */
void desk_start(struct desk *desk, weir_ns now);

/* Take a request. E_FULL: too many on their way; E_UNSUPPORTED: not a request to a venue; E_USAGE: it
 * names no order. An error
 * means that it certainly was not sent. */
enum weir_err desk_intent(struct desk *desk, weir_ns now,
                          const struct weir_intent *intent) WEIR_MUST_USE;

weir_ns desk_next(const struct desk *desk); /* INT64_MAX: nothing is on its way */
/* Let everything happen that is due at or before now, in order of time. */
void desk_run(struct desk *desk, weir_ns now);

/* From the sink of the match: the orders that are not the desk's are passed over. t: now, venue time. */
void desk_fill(struct desk *desk, weir_ns t, const struct match_fill *fill);
void desk_removed(struct desk *desk, weir_ns t, uint32_t id);

uint32_t desk_live(const struct desk *desk, uint32_t instrument); /* working orders */

#endif
