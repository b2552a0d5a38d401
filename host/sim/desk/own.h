/* own.h - what the files of the desk share: desk.c takes requests, judge.c
 * has the venue's rules, tell.c answers. */
#ifndef WEIR_SIM_DESK_OWN_H
#define WEIR_SIM_DESK_OWN_H

#include "base/map.h"
#include "sim/desk/desk.h"
#include "sim/desk/dice.h"

enum { DESK_PREFIX_MAX = 12 };

struct desk_order {
    char client_id[WEIR_ID_MAX];
    char old_id[WEIR_ID_MAX]; /* its client id before the last replace; "": none */
    uint64_t number;          /* from which its venue id is made; 0: this slot was never used */
    uint32_t instrument;
    uint8_t side, type, tif, flags;
    uint8_t state; /* enum weir_venue_state: OPEN while it works */
    uint8_t pad[7];
    weir_px px;
    weir_qty qty, cum;
};

/* One message on its way, and when it arrives. */
struct desk_slot {
    weir_ns due;
    union {
        struct weir_msg msg;
        struct weir_intent intent; /* a request; in the reports: an answer of many rows */
        struct weir_report report;
        struct weir_fill fill;
        struct weir_rate_limited limited;
    } is;
};

/* Messages in order of arrival. */
struct desk_lane {
    struct desk_slot *slots;
    uint32_t room, first, count;
    weir_ns last; /* when the last one put in arrives: the next does not arrive before */
};

struct desk {
    struct desk_config config;
    struct desk_hooks hooks;
    struct match *match;
    struct ledger ledger;
    char prefix[DESK_PREFIX_MAX]; /* of venue and execution ids */
    struct map ids;               /* client and venue ids -> slot of orders */
    struct desk_order *orders;
    struct weir_fill *fills; /* a ring */
    int64_t *units;          /* by instrument: prices of the match are counts of it */
    uint32_t *live;          /* by instrument: working orders */
    uint32_t live_count;     /* of all */
    uint64_t fill_count;     /* ever */
    uint64_t order_count;    /* ever */
    uint32_t cursor;         /* the next slot of orders to be used */
    struct dice dice;
    weir_ns edge;             /* when the next outage begins, or this one ends; INT64_MAX: never */
    bool out;                 /* it is one */
    weir_ns window;           /* begin of the window that requests are counted in */
    uint32_t window_requests; /* in it */
    struct desk_lane requests, reports, silences;
};

/* Room for one more, due at t or when the one before is. NULL: full. */
struct desk_slot *desk_lane_put(struct desk_lane *lane, weir_ns due);

static inline bool desk_is_live(const struct desk_order *order)
{
    return order->number != 0 && order->state == WEIR_STATE_OPEN;
}

/* judge.c: why price and quantity are refused; NULL: they are not */
const char *desk_shape_refusal(const struct desk *desk, const struct weir_instrument *is,
                               bool has_px, weir_px px, weir_qty qty);
/* Does the wallet hold what this order and the working ones of its side would pay? */
bool desk_is_covered(const struct desk *desk, const struct weir_instrument *is, uint8_t side,
                     weir_px px, weir_qty qty);

/* tell.c */
void desk_venue_id(const struct desk *desk, const struct desk_order *order, char *text);
/* kind, about this order; the rest is as the order is now. reason may be NULL. */
void desk_tell_order(struct desk *desk, weir_ns t, enum weir_kind kind,
                     const struct desk_order *order, const char *reason);
/* As desk_tell_order, for the answer to a request: it may get lost. */
void desk_answer(struct desk *desk, weir_ns t, enum weir_kind kind, const struct desk_order *order,
                 enum weir_request request);
/* A request is refused, whose order may not exist. */
void desk_refuse(struct desk *desk, weir_ns t, enum weir_kind kind,
                 const struct weir_intent *intent, const char *reason);
/* Refused, since there were too many in this window of time. */
void desk_tell_rate(struct desk *desk, weir_ns t, const struct weir_intent *intent,
                    enum weir_request request, weir_ns wait);
/* The private stream went up or down, told at once. */
void desk_tell_stream(struct desk *desk, weir_ns t, bool up);
/* The request never arrived. */
void desk_tell_silence(struct desk *desk, weir_ns t, const struct weir_intent *intent,
                       enum weir_request request);
void desk_tell_unknown(struct desk *desk, weir_ns t, const struct weir_intent *intent);
void desk_tell_fill(struct desk *desk, weir_ns t, const struct desk_order *order,
                    const struct match_fill *fill, bool maker);
/* The rows of a RECONCILE or QUERY_FILLS are made when they arrive. */
void desk_tell_rows(struct desk *desk, weir_ns t, const struct weir_intent *intent);
void desk_deliver(struct desk *desk, const struct desk_slot *slot);

#endif
