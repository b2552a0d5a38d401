/* orders.h - what an order is: the two axes, what is kept of it, and who may change it. Private to
 * host/engine.
 *
 * order_step() alone writes what an order is; request_set() the requests open on it; order_settle()
 * what it adds to exposure, held money and counts.                              [engine thread] */
#ifndef WEIR_ENGINE_ORDERS_H
#define WEIR_ENGINE_ORDERS_H

#include "engine/engine.h"

struct engine;

/* What an order is: the first of its two axes. */
enum order_is {
    IS_SURPRISE = 0, /* in the table: this event does not belong here */
    IS_BLANK,        /* being made */
    IS_SENT,         /* sent, the venue has said nothing yet */
    IS_WORKING,      /* the venue has shown that it has it */
    IS_DOUBT,        /* only the venue's evidence ends this */
    IS_INSIDE,       /* rests in the internal book, or is about to be sent */
    IS_HELD,         /* kept by us until something happens [hold.c] */
    IS_FILLED,       /* from here on: done */
    IS_CANCELED,
    IS_EXPIRED,
    IS_REJECTED,
    IS_NOT_FOUND, /* REJECTED, on the venue's word that it never arrived */
    IS_DENIED,
    IS_COUNT
};

/* The second axis: the requests open on it. */
enum request_state {
    REQUEST_NONE = 0,
    REQUEST_SENT,      /* open: no answer yet */
    REQUEST_AMBIGUOUS, /* open: the answer did not come in time */
    REQUEST_DOUBTED,   /* a replace, open: the order was in doubt since, and may have either form */
    REQUEST_ACKED,     /* closed */
    REQUEST_REJECTED,
    REQUEST_RESOLVED /* closed by other evidence than its own answer */
};

enum order_event {
    ON_SEND,
    ON_REST,
    ON_HOLD,
    ON_DENY,
    ON_ACK,
    ON_REJECT,
    ON_FILL,
    ON_LAST_FILL,
    ON_CANCELED,
    ON_EXPIRED,
    ON_WORKS,   /* the venue says it is working there */
    ON_FILLED,  /* the venue says it is filled; the fills may not be here yet */
    ON_SILENCE, /* no answer to the submit */
    ON_DOUBT,   /* restart, not listed, not known to the venue */
    ON_ABSENT,  /* proved never to have arrived */
    ON_REVIVED, /* a confirmed replace makes it work again */
    /* a bust tells the state afterwards, whatever it was */
    ON_TOLD_WORKS,
    ON_TOLD_FILLED,
    ON_TOLD_CANCELED,
    ON_TOLD_EXPIRED,
    ON_TOLD_REJECTED,
    ORDER_EVENT_COUNT
};

enum { ROUTE_INSIDE_ONLY = ROUTE_INTERNAL };

/* Hot: 48 bytes. Index 0 is not used; order number = index. */
struct order {
    weir_px quote_px; /* its most aggressive price, while it is in the heap of own quotes */
    weir_qty qty;
    weir_qty cum;
    uint32_t instrument;
    uint32_t child, next, prev; /* heap of own quotes of this instrument and side */
    uint16_t strategy;
    uint8_t is;     /* enum order_is */
    uint8_t side;   /* enum weir_side */
    uint8_t flags;  /* enum weir_order_flags */
    uint8_t route;  /* enum order_route */
    uint8_t cancel; /* enum request_state */
    uint8_t amend;  /* enum request_state */
};
_Static_assert(sizeof(struct order) == 48, "hot state of an order");

enum list_name { LIST_NONE = 0, LIST_LIVE, LIST_INSIDE, LIST_HELD, LIST_ENDED };

/* Times at which something is to be done about an order; a heap of each kind. */
enum timer_kind { TIMER_QUESTION = 0, TIMER_ALARM, TIMER_KINDS };
struct timer {
    weir_ns due;
    uint32_t place; /* in the heap + 1; 0: not set */
    uint32_t pad;
};

/* What an order is to its parent. */
enum kin {
    KIN_NONE = 0,
    KIN_SLICE /* of an iceberg */,
    KIN_LEG /* of a bracket */,
    KIN_FLAT /* of nobody: it closes a position */
};
enum { TRIGGER_BY_REFERENCE = 0, TRIGGER_BY_TRADE };
/* Where a held order stands, and waits for a price or its turn. */
enum armed { ARMED_NOT = 0, ARMED_RISING, ARMED_FALLING, ARMED_TRAILING, ARMED_LANE };
enum closing { CLOSING_NOT = 0, CLOSING_ASKED, CLOSING_TIME };
enum {
    TRIGGER_TYPES =
        1 << WEIR_STOP | 1 << WEIR_STOP_LIMIT | 1 << WEIR_TAKE_PROFIT | 1 << WEIR_TRAILING
};

/* Cold: what only the order's own events touch. */
struct order_more {
    weir_px px;
    weir_px trigger;
    weir_px hold_px;   /* what it is held at: its price, market orders the reference */
    weir_qty inside;   /* part of cum that was crossed inside: the venue knows nothing of it */
    weir_qty reported; /* the venue's executed total, with `inside`; over cum: fills are missing */
    weir_px next_px;   /* of the last replace */
    weir_qty next_qty;
    weir_qty undone; /* by busts: a total that the venue told before one may be too high by it */
    weir_ns created, sent, changed, expires;
    weir_ns cancel_sent; /* the last */
    amount cum_quote;
    uint64_t born; /* tells two orders in one slot apart */

    /* what it adds to the sums */
    amount held;
    weir_qty counted;
    weir_qty out; /* iceberg: what its slice counts instead */
    uint16_t account;
    uint16_t venue;
    uint8_t counted_live, counted_nameless, counted_unknown, in_heap;
    uint8_t counted_revivable;

    uint8_t list;      /* enum list_name: which one list_prev and list_next belong to */
    uint8_t submit;    /* enum request_state */
    uint8_t type, tif; /* type: as it is sent */
    uint8_t sent_tif;
    uint8_t told;   /* 1: waits to be told as OUT_ORDER */
    uint8_t proved; /* the venue has shown that it exists, or existed */
    uint8_t asked;  /* resolver: what is asked, bits of enum question */
    uint8_t tied;   /* 1: what happens to it concerns others, or us; 2: and waits to be looked at */
    uint8_t renames; /* the venue calls it by its new id when a replace holds */
    uint32_t list_prev, list_next;
    uint32_t first_name, last_name, names; /* chain of struct name */
    uint32_t holding;                      /* of its strategy */
    uint32_t not_found;                    /* such answers so far */
    uint32_t listed_in;                    /* generation of the reconciliation that listed it */
    weir_ns delay;                         /* resolver: the last */
    struct timer timers[TIMER_KINDS];

    char cid[WEIR_ID_MAX];
    char wire[WEIR_ID_MAX];
    char vid[WEIR_ID_MAX];
    char next_cid[WEIR_ID_MAX];
    char next_wire[WEIR_ID_MAX];
    char tag[TAG_MAX];
    char reason[WEIR_REASON_MAX];
    char refusal[24]; /* the venue's last word against a cancel */
};

/* What we keep ourselves of an order, and whom it concerns [hold.c, links.c]; only if it is tied, but
 * for counted_reduce. */
struct order_kept {
    uint8_t waits;       /* bits of enum hold_wait */
    uint8_t armed;       /* enum armed */
    uint8_t asked_type;  /* as asked; order_more.type is what it is sent as */
    uint8_t ours_to_end; /* 1: at `expires` it ends by our cancel */
    uint8_t kin;         /* enum kin: to `parent` */
    uint8_t closing;     /* enum closing: it ends, once its slice has */
    uint8_t obstacle;    /* enum risk_check: what it waits for to pass */
    uint32_t parent;     /* what it is a slice of, or follows */
    uint32_t child;      /* the slice at the venue */
    uint32_t legs;       /* the first of the orders that follow it */
    uint32_t ring;       /* the next of those of which one is enough; 0: none */
    uint64_t parent_born;
    weir_qty counted_reduce; /* in the sum of reduce-only orders */
    weir_qty visible;        /* iceberg: most that is shown at once */
    weir_qty passed;         /* what of its filled quantity the others know */
    weir_qty taken;          /* off its own, since another one was filled */
    amount passed_quote;
    weir_px extreme_x2; /* trailing: the best price so far, doubled */
    weir_px fired_x2;   /* the price that fired it, doubled */
    weir_ns release;    /* not before */
};

static inline bool is_done(uint8_t is)
{
    return is >= IS_FILLED;
}
static inline bool is_at_venue(uint8_t is)
{
    return is == IS_SENT || is == IS_WORKING || is == IS_DOUBT;
}
static inline bool request_is_open(uint8_t state)
{
    return state == REQUEST_SENT || state == REQUEST_AMBIGUOUS || state == REQUEST_DOUBTED;
}

/* --- orders.c: table, slots, sums; quotes.c: own quotes ------------------------------------------ */
bool order_step(struct engine *engine, uint32_t n, enum order_event event);
enum order_is order_next(enum order_is is, enum order_event event); /* the table, for tests */
enum order_label order_label_of(const struct order *order);
void request_set(struct engine *engine, uint32_t n, uint8_t *request, enum request_state state);
void order_settle(struct engine *engine, uint32_t n); /* after each change of an order */
weir_qty order_exposure(const struct order *order, const struct order_more *more);
bool order_awaits(const struct order *order, const struct order_more *more);
bool order_room(const struct engine *engine); /* a slot is free, or can be */
void order_fetch(struct engine *engine);      /* the next slot will be taken soon */
uint32_t order_take(struct engine *engine, uint32_t instrument, uint32_t strategy); /* 0: full */
void order_learn_venue_id(struct engine *engine, uint32_t n, const char *vid);
void order_venue_id_fetch(const struct engine *engine, uint32_t n, const char *vid);
void list_put(struct engine *engine, uint32_t n, enum list_name list);
/* own quotes, and held orders that wait for a price */
bool quotes_best(const struct engine *engine, uint32_t instrument, uint8_t side, weir_px *px_out);
void quotes_put(struct engine *engine, uint32_t n, weir_px px);
void quotes_drop(struct engine *engine, uint32_t n);
void triggers_put(struct engine *engine, uint32_t n, enum armed armed, weir_px px);
void triggers_drop(struct engine *engine, uint32_t n);

#endif
