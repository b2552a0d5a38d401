/* input.h - what can happen to the engine: the venue's events (weir/event.h) and these.
 *
 * Every input has the header struct weir_msg; its `t` is engine time and never goes back. The
 * ordered inputs are the journal: fed to a new engine they give the same effects, byte for byte. So
 * everything the engine may know comes in here: definitions, limits, clocks, wishes of guests. */
#ifndef WEIR_ENGINE_INPUT_H
#define WEIR_ENGINE_INPUT_H

#include "engine/lists.h"
#include "weir/event.h"

enum { NAME_MAX_LEN = 32, TAG_MAX = 16 };

/* Strategies have numbers 1 .. STRATEGY_MOST (three base-36 digits of each wire id); 0 is nobody.
 * What happened on the account without us belongs to STRATEGY_EXTERNAL, which the engine defines
 * itself, under the name "EXTERNAL", without rights. */
enum { STRATEGY_MOST = 46654, STRATEGY_EXTERNAL = 46655 };

enum input_kind {
    /* definitions; numbers are dense, chosen by the host, and never reused */
    IN_DEFINE_VENUE = WEIR_HOST_KINDS, /* struct in_define: number, name, rights unused */
    IN_DEFINE_ACCOUNT,                 /* struct in_define: number, name, parent = venue */
    IN_DEFINE_GROUP,                   /* struct in_define */
    IN_DEFINE_STRATEGY,                /* struct in_define: number, name, parent = group, rights */
    /* instruments are defined by WEIR_INSTRUMENT with the host's number, venue and account */
    IN_LIMIT,        /* struct in_limit */
    IN_POLICY,       /* struct in_policy */
    IN_WALLET,       /* struct weir_cash: wallet total at the start; resets nothing else */
    IN_CAPABILITIES, /* struct in_capabilities: what a venue can do itself */

    /* wishes of guests */
    IN_SUBMIT = WEIR_HOST_KINDS + 20, /* struct in_submit */
    IN_CANCEL,                        /* struct in_change */
    IN_REPLACE,                       /* struct in_change */
    IN_CANCEL_MANY,    /* struct in_change: order 0; filters strategy, instrument, venue */
    IN_KILL,           /* struct in_change: pull the kill switch */
    IN_RELEASE,        /* struct in_change: and release it */
    IN_TRADING_STATE,  /* struct in_limit: scope, id, limit = enum trading_state */
    IN_ADOPT_POSITION, /* struct in_adopt: an operator takes the venue's position for ours */

    /* what the host noticed */
    IN_TICK = WEIR_HOST_KINDS + 40, /* struct weir_msg: time passed; engine_next_timer() is due */
    IN_RESTARTED,     /* struct weir_msg: the process was started again on this journal */
    IN_BOOK_STATE,    /* struct in_state: enum book_state of an instrument */
    IN_CLOCK_JUMP,    /* struct in_state: value = delta ns of the wall clock */
    IN_JOURNAL_STATE, /* struct in_state: 0 well, 1 new risk must stop */
    IN_ID_BLOCK,      /* struct in_state: wire ids below value are durably reserved */
    IN_VENUE_CLOCK    /* struct in_state: value = the venue's clock less ours, ns */
};

/* States of a book; only LIVE may be traded on. */
#define BOOK_STATES(X) X(EMPTY) X(SYNCING) X(LIVE) X(STALE) X(GAPPED) X(CROSSED)
enum book_state {
#define X(name) BOOK_##name,
    BOOK_STATES(X)
#undef X
        BOOK_STATE_COUNT
};

enum { RIGHT_ORDERS = 1 };

struct in_define {
    struct weir_msg msg;
    uint32_t number;
    uint32_t parent;
    uint32_t rights;
    uint32_t pad;
    char name[NAME_MAX_LEN];
};

enum { LIMIT_UNSET = 0, LIMIT_NONE = 1, LIMIT_VALUE = 2 };
struct in_limit {
    struct weir_msg msg;
    uint8_t scope; /* enum risk_scope */
    uint8_t limit; /* enum risk_limit */
    uint8_t how;   /* LIMIT_VALUE, or LIMIT_NONE: said to be unlimited */
    uint8_t pad;
    uint32_t id; /* number within the scope; host: 0 */
    struct weir_amount value;
};

struct in_policy {
    struct weir_msg msg;
    uint32_t policy; /* enum policy */
    uint32_t pad;
    int64_t value;
};

/* What the venue can do. Of the rest, stops, stop-limits, take-profits, trailing stops, icebergs, GTD
 * and DAY are kept here if `emulate` says so; everything else is denied by name. A venue of which
 * nothing was said can do everything under scenario rules, and live: limit and market orders, GTC, IOC
 * and FOK. */
struct in_capabilities {
    struct weir_msg msg;  /* venue */
    uint32_t order_types; /* 1 << enum weir_order_type */
    uint32_t tifs;        /* 1 << enum weir_tif */
    uint32_t order_flags; /* enum weir_order_flags */
    uint8_t amend;        /* not 0: orders can be replaced there */
    uint8_t emulate;
    uint8_t pad[2];
};

enum order_route { ROUTE_VENUE = 0, ROUTE_INTERNAL, ROUTE_INTERNAL_THEN_VENUE };

/* Who asks, for the journal and for rights. */
enum asker { ASKER_SCRIPT = 0, ASKER_CLIENT, ASKER_OPERATOR, ASKER_HOST };

/* To another order of the same strategy and instrument.
 * OCO     one of them is enough: what is filled of one is taken off the other, and one that fires
 *         cancels the other
 * PARENT  it follows that order: held until something of it is filled, never for more than that, and
 *         canceled if it ends with nothing. All that follow one order are OCO with each other. */
enum link_kind { LINK_NONE = 0, LINK_OCO, LINK_PARENT };

/* Held orders: the trigger is a price of TAKE_PROFIT, STOP and STOP_LIMIT, and a distance from the best
 * price so far of TRAILING. A stop fires when the price reaches it from below (buy) or above (sell), a
 * take-profit from the other side, both at once if it is there already; then they are a limit order
 * if they have a price (STOP_LIMIT), else a market order, and are judged again. */
struct in_submit {
    struct weir_msg msg;   /* venue, account, instrument: where */
    char cid[WEIR_ID_MAX]; /* the asker's name for it; "": the wire id serves */
    char tag[TAG_MAX];
    uint32_t strategy;
    uint8_t side;
    uint8_t type;
    uint8_t tif;
    uint8_t flags; /* enum weir_order_flags */
    uint8_t route; /* enum order_route */
    uint8_t asker; /* enum asker */
    uint8_t pad[6];
    weir_px px; /* limit; 0 for market */
    weir_px trigger;
    weir_qty qty;
    weir_ns expires;   /* GTD, else 0 */
    uint64_t seen_seq; /* what the asker saw when it decided: sequence of the book, and its time */
    weir_ns seen_t;
    /* what most orders do without; may be left out */
    weir_qty visible;       /* ICEBERG: most that is shown at once; else 0 */
    weir_ns release;        /* not before this time; 0: now */
    char link[WEIR_ID_MAX]; /* name of another order, for link_kind */
    uint8_t link_kind;      /* enum link_kind */
    uint8_t pad2[7];
};

enum { CHANGE_QTY = 1, CHANGE_PX = 2, CHANGE_TRIGGER = 4 /* of one that waits for a price */ };
struct in_change {
    struct weir_msg
        msg; /* instrument, venue: filters of CANCEL_MANY, 0 = any (0xffff: any venue) */
    char cid[WEIR_ID_MAX];     /* the order by any name it has had, or by number: */
    char new_cid[WEIR_ID_MAX]; /* replace: its next name; "": the host makes one */
    uint32_t order;            /* 0: by name */
    uint32_t strategy;         /* filter of CANCEL_MANY, 0 = any; else who asks */
    uint8_t change;            /* replace: CHANGE_QTY, CHANGE_PX, CHANGE_TRIGGER */
    uint8_t asker;
    uint8_t pad[6];
    weir_qty qty; /* new total, filled part included */
    weir_px px;
    char reason[WEIR_REASON_MAX]; /* for the journal: who pulled the switch, and why */
    weir_px trigger;              /* may be left out */
};

/* What the venue's last list has more than our books (less: negative) becomes ours, at a price that
 * the operator names; never by itself, and only just that quantity. */
struct in_adopt {
    struct weir_msg msg; /* instrument */
    weir_qty qty;        /* signed: venue's position less ours, as POSITION_MISMATCH told it */
    weir_px px;          /* what it is taken to have cost */
    uint8_t asker;       /* ASKER_OPERATOR */
    uint8_t pad[7];
    char reason[WEIR_REASON_MAX]; /* for the journal */
};

struct in_state {
    struct weir_msg msg;
    int64_t value;
    int64_t
        from; /* ID_BLOCK: first id of the block, if ids were lost count; 0: go on from the last */
};

#endif
