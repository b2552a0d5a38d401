/* effect.h - what the engine wants done or known: intents for venues (weir/event.h) and these.
 *
 * An effect is journalled before anybody acts on it. The same effects are read by journal, scripts,
 * gateway, metrics and console: there is no second account of what happened. `msg.cause` is the
 * sequence number of the input that led here. */
#ifndef WEIR_ENGINE_EFFECT_H
#define WEIR_ENGINE_EFFECT_H

#include <stdbool.h>

#include "engine/input.h"

enum effect_kind {
    /* besides WEIR_NEW, WEIR_CANCEL, WEIR_REPLACE, WEIR_QUERY_ORDER, WEIR_QUERY_FILLS, WEIR_RECONCILE */
    OUT_DECISION = WEIR_HOST_KINDS + 100, /* struct out_decision: each check with its reading */
    OUT_ORDER,                            /* struct out_order: the order as it is now */
    OUT_EXECUTION, /* struct out_execution: one execution was booked, or undone */
    OUT_ALERT,     /* struct out_alert */
    OUT_STATE,     /* struct out_state: kill switch, trading state */
    OUT_HOLD /* struct out_hold: an order that the host keeps: why, until when, what happened */
};

/* One check's reading: value and limit are counts of 10^-exp. Passed when value <= limit (or as the
 * check's own text says); `failed` is the verdict that counts. In a decision they stand close together,
 * and are read one after the other by decision_next(). */
struct risk_reading {
    uint8_t check; /* enum risk_check */
    uint8_t scope; /* enum risk_scope */
    int8_t exp;
    uint8_t failed;
    uint32_t id; /* number within the scope */
    int64_t value;
    int64_t limit;
};

enum decision_of {
    DECISION_SUBMIT = 0,
    DECISION_REPLACE,
    DECISION_RELEASE /* one that was held is to be sent: judged again */
};
struct out_decision {
    struct weir_msg msg;
    char cid[WEIR_ID_MAX]; /* replace: new_cid */
    uint32_t order;
    uint32_t strategy;
    uint8_t of; /* enum decision_of */
    uint8_t allowed;
    uint8_t reason; /* enum risk_check: the first that failed; meaningless if allowed */
    uint8_t pad;
    uint32_t ids[RISK_SCOPE_COUNT]; /* number of each scope that the order is of */
    uint32_t pad_2;
    uint64_t limits_version; /* counts IN_LIMIT inputs so far */
    /* A bit for each enum risk_check that read 0 where 0 is the most that passes, in the scope that is
     * said for it in risk.c. Most checks of most orders are such. */
    uint64_t zeros;
    /* Every other reading, by check, up to the end of the message. Readings of one check with the same
     * exponent are an entry: a head (struct reading_head), and then either a value and for each scope,
     * from wide to narrow, a limit; or for each scope a value and a limit (`own`). */
    uint64_t words[];
};

struct reading_head { /* one word */
    uint8_t check;
    int8_t exp;
    uint8_t scopes; /* bit for each enum risk_scope that it was read in */
    uint8_t failed; /* and for each in which it did not pass */
    uint8_t own;
    uint8_t pad[3];
};

/* Readings of a decision, one after the other, in the order of evaluation. [decision.c; any thread] */
struct decision_walk {
    const struct out_decision *decision;
    uint64_t zeros;
    const uint64_t *at, *end;
    struct reading_head head;
    uint8_t left; /* scopes of this entry that are still to come */
    int64_t value;
};
struct decision_walk decision_begin(const struct out_decision *decision);
bool decision_next(struct decision_walk *walk, struct risk_reading *reading_out);
uint32_t decision_count(const struct out_decision *decision); /* of its readings */
/* The reading that refused: the first of `reason` that failed. False: it was allowed, or is not told. */
bool decision_refusal(const struct out_decision *decision, struct risk_reading *reading_out);
/* Bytes of a message of another's making: are they a decision that can be walked? */
bool decision_is_whole(const struct out_decision *decision, uint64_t bytes);

struct out_order {
    struct weir_msg msg;
    uint32_t
        order; /* the host's number, dense from 1; a slot may be used again long after the end */
    uint32_t strategy;
    char cid[WEIR_ID_MAX];     /* its present name */
    char wire_id[WEIR_ID_MAX]; /* its present client order id at the venue */
    char venue_id[WEIR_ID_MAX];
    char tag[TAG_MAX];
    char reason[WEIR_REASON_MAX]; /* of DENIED, REJECTED, EXPIRED, a refused cancel or replace */
    uint8_t label;                /* enum order_label */
    uint8_t side;
    uint8_t type;
    uint8_t tif;
    uint8_t flags;
    uint8_t route;
    uint8_t awaiting_fills;
    uint8_t request_refused; /* 1: this tells of a refused cancel, 2: of a refused replace */
    weir_px px;
    weir_qty qty;
    weir_qty cum_qty;
    struct weir_amount cum_quote;
    weir_ns created;
    /* only while a replace is pending, or just refused (msg.size says whether it is there): */
    char next_cid[WEIR_ID_MAX]; /* the name it will have, or was refused */
    weir_px next_px;
    weir_qty next_qty;
};

/* An execution that names only a venue id is booked for the account at once and for its order later. */
enum exec_stage {
    EXEC_BOOKED = 0, /* for account, strategy and order */
    EXEC_WAITS,      /* for the account; whose it is will be told */
    EXEC_ATTRIBUTED  /* one that waited has its owner; the account's position does not change */
};

struct out_execution {
    struct weir_msg msg;
    uint32_t order; /* 0: not an order known here */
    uint32_t strategy;
    char exec_id[WEIR_ID_MAX];
    char fee_asset[WEIR_ASSET_MAX];
    struct weir_amount fee;
    weir_px px;
    weir_qty qty;
    uint8_t side;
    uint8_t internal; /* crossed inside */
    uint8_t busted;   /* undone by the venue */
    uint8_t origin;   /* enum weir_origin */
    uint8_t maker;
    uint8_t stage; /* enum exec_stage */
    uint8_t pad[2];
    weir_qty position;          /* of the account in this instrument, afterwards */
    weir_qty strategy_position; /* of the strategy, afterwards */
    struct weir_amount
        realized; /* change of realized PnL of the account, in the asset it settles in */
    struct weir_amount strategy_realized;
    /* afterwards, of the account: cost of what is held (as engine_position's), and realized since the
     * start; of the strategy: realized since the start */
    struct weir_amount cost;
    struct weir_amount realized_total;
    struct weir_amount strategy_realized_total;
};

struct out_alert {
    struct weir_msg msg;
    uint16_t alert; /* enum alert */
    uint16_t pad[3];
    uint32_t order;
    uint32_t strategy;
    int64_t value; /* meaning depends on the alert: a count, a price, a delta */
    int64_t limit;
    char text[WEIR_REASON_MAX]; /* an id or a reason, "" if none */
};

struct out_hold {
    struct weir_msg msg;
    uint32_t order;
    uint32_t other; /* the slice that is out; what it follows; REDUCED: the order that was filled */
    uint8_t event;  /* enum hold_event */
    uint8_t waits;  /* what it waits for now: bits 1 << enum hold_wait */
    uint8_t asked_type; /* enum weir_order_type, as asked */
    uint8_t obstacle;   /* enum risk_check, if it waits for LANE: what refused it */
    uint8_t pad[4];
    weir_px trigger;
    weir_px
        price_x2; /* FIRED: twice the price that fired it; trailing: twice the best price so far */
    weir_qty qty; /* as it is now; SLICED: of the slice */
    weir_qty visible;
    weir_ns release;
    weir_ns expires; /* 0: not by us */
};

enum out_state_of { STATE_KILL_SWITCH = 0, STATE_TRADING, STATE_RECONCILING, STATE_VENUE };
struct out_state {
    struct weir_msg msg;
    uint8_t of;    /* enum out_state_of */
    uint8_t scope; /* enum risk_scope, for STATE_TRADING */
    uint8_t
        value; /* kill: enum kill_stage; trading: enum trading_state; reconciling: 1; venue: 1 up */
    uint8_t pad;
    uint32_t id;
    char reason[WEIR_REASON_MAX];
};

#endif
