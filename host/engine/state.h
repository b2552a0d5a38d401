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
#include "engine/engine.h"

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

/* A name that an order has had. */
struct name {
    struct key128 key;
    uint32_t next;
    uint32_t kind; /* enum name_kind */
};
enum name_kind {
    NAME_FREE = 0, /* the place is free */
    NAME_CID,
    NAME_WIRE,
    NAME_VENUE,
    NAME_FOREIGN /* a client order id that is shorter or longer than ours */
};

/* Where a client order id leads to. */
struct wire {
    struct key128 key; /* its characters */
    uint32_t order;    /* 0: the place is free */
    uint32_t pad;
};

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
    uint32_t holdings;             /* first of the strategies' */
    uint32_t quotes[2];            /* root of the heap of own quotes, by side */
    uint32_t inside[2];            /* best of the internal book, by side */
    uint32_t triggers[2];          /* root of the heap of held orders: a rising, a falling price */
    uint32_t trailing;             /* first of the held orders that follow the price */
    weir_px last_trade;            /* 0: none yet */
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

struct throttle {
    uint32_t first; /* of its block in throttle_times */
    uint32_t room;  /* a power of two, 0: none */
    uint32_t head;  /* sends counted so far, modulo 2^32 */
    uint32_t tail;  /* those before are out of the window */
    weir_ns oldest; /* time of that at the tail, if there is one */
};

struct limit {
    amount value;
    uint8_t how;
};

/* The course of a scope's trading, as far as a limit asks for it [course.c]. */
struct course {
    amount sent[2];   /* worth of what was sent in this window, and in the one before */
    amount day_began; /* profit and loss then */
    amount best;      /* the highest so far */
    amount lost;      /* by the last execution, until it is looked at */
    weir_ns window_begun, fills_begun, last_sent;
    int64_t day;     /* course_day(); 0: nothing was counted yet */
    weir_px last_px; /* of the last order sent, likewise: */
    weir_qty last_qty;
    uint32_t last_instrument, repeats;
    uint64_t sends, fills; /* today */
    uint32_t streak;       /* executions in a row that lost */
    uint32_t fills_now;    /* in the second that began at fills_begun */
    uint16_t tripped;      /* bits of enum guard: acted upon, and still over */
    uint8_t last_side;
};

struct scope { /* what each order touches is in one line of cache, and comes first */
    _Alignas(64) struct throttle throttle;
    weir_ns throttle_window;
    int32_t throttle_max; /* -1: none */
    uint32_t live;        /* orders at venues */
    uint32_t id;
    uint32_t parent;
    uint32_t rights;
    uint32_t last_instrument, last_holding; /* strategy: the pair that was asked for last */
    uint8_t kind;                           /* enum risk_scope */
    uint8_t state;                          /* enum trading_state */
    uint8_t defined;
    uint8_t lost; /* max_loss was reached, and is told */
    amount pnl;
    amount pnl_least; /* at or below it max_loss is reached */
    amount floor;     /* strategy: the sum of its holdings' */
    struct limit limits[RISK_LIMIT_COUNT];
    uint32_t unset;
    uint32_t holdings; /* strategy: the first of them */
    char name[NAME_MAX_LEN];
    struct course course;
};
_Static_assert(offsetof(struct scope, pnl) == 64, "what each order touches of a scope");

struct purse {
    amount total, fees, funding;
    amount held;   /* by working spot orders */
    amount listed; /* recon */
    uint32_t listed_in;
    uint8_t known;
};

struct venue_caps {
    uint32_t types, tifs; /* 1 << enum weir_order_type, weir_tif */
    uint8_t flags;        /* enum weir_order_flags */
    uint8_t amend;
    uint8_t emulate; /* what it lacks, and we can keep, is kept here */
    uint8_t told;    /* 0: nothing was said */
};

enum session { SESSION_NEW = 0, SESSION_UP, SESSION_DOWN };

/* Killed: what the venue's list has said since. */
enum kill_list { KILL_LIST_ASKED = 0, KILL_LIST_WORKS, KILL_LIST_CLEAN };

struct account {
    uint16_t venue;
    uint8_t session;
    uint8_t reconciling;
    uint32_t recon; /* generation of reconciliation answers */
    uint8_t in_recon;
    uint64_t stream_seq;
    weir_ns last_fill;  /* venue's time of the newest execution */
    weir_ns fills_from; /* what the venue executed before is all booked */
    weir_ns recon_due, recon_delay, recon_sent;
    uint32_t listed;              /* orders that work, in the answer that is being read */
    uint32_t listed_order;        /* the first of them, 0: not one of ours */
    uint8_t used;                 /* an order of this account was live, ever */
    uint8_t kill_list;            /* enum kill_list */
    uint8_t kill_asked;           /* a list was asked for since the switch was pulled */
    uint8_t kill_reads;           /* and the answer that is being read is to that */
    weir_ns kill_due, kill_delay; /* the list shows orders that work: ask again then */
};

enum exec_state { EXEC_IS_BOOKED, EXEC_IS_WAITING, EXEC_IS_BUSTED };

/* Without holes: it is written as a whole, and what lies in a hole is nobody's. */
struct exec {
    struct key128 key;
    struct key128 vid_key;
    struct key128 client_key;
    uint64_t born; /* of its order */
    weir_px px;
    weir_qty qty;
    weir_ns deadline; /* waiting */
    amount fee;
    uint32_t order; /* 0: none */
    uint32_t strategy;
    uint32_t instrument;
    uint32_t fee_asset; /* + 1; 0: no fee */
    uint32_t next_waiting;
    uint8_t side, internal, origin, maker;
    uint8_t state; /* enum exec_state */
    char id[WEIR_ID_MAX];
    uint8_t pad[15];
};
_Static_assert(offsetof(struct exec, fee) == 80 &&
                   offsetof(struct exec, pad) + 15 == sizeof(struct exec),
               "an execution has holes");

/* Keys of what was booked once, the oldest forgotten first. */
struct memory {
    struct map map;
    struct key128 *keys;
    uint64_t count;
    uint32_t room;
};

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

/* --- tell.c: effects --------------------------------------------------------------------------- */
void tell(struct engine *engine, struct weir_msg *effect);
struct weir_msg effect_of(const struct engine *engine, uint16_t kind, size_t size);
void tell_alert(struct engine *engine, enum alert alert, uint32_t instrument, uint32_t order,
                int64_t value, int64_t limit, const char *text);
void tell_anomaly(struct engine *engine, uint32_t instrument, uint32_t order, const char *text);
void tell_state(struct engine *engine, enum out_state_of of, enum risk_scope scope, uint32_t id,
                uint8_t value, const char *reason);
void tell_later(struct engine *engine, uint32_t n); /* as OUT_ORDER, when the input is done */
void tell_orders(struct engine *engine);
struct next { /* what a replace asked for */
    const char *cid;
    weir_px px;
    weir_qty qty;
};
void tell_refused(struct engine *engine, uint32_t n, const struct next *replace,
                  const char *reason);
void send_order(struct engine *engine, uint32_t n, uint16_t kind);
void send_fills_query(struct engine *engine, uint16_t account, uint32_t instrument);
void send_recon(struct engine *engine, uint16_t account);
void view_of_order(const struct engine *engine, uint32_t n, struct out_order *out);

/* --- names.c: what orders are called ----------------------------------------------------------- */
enum key_space {
    KEY_CID = 1,
    KEY_WIRE,
    KEY_VENUE,
    KEY_EXEC,
    KEY_FUNDING,
    KEY_TRANSFER,
    KEY_SYMBOL,
    KEY_ASSET
};
struct key128 key_for(enum key_space space, const char *text, size_t most, uint64_t with);
/* Make the next client order id. False: the reserved block is used up. */
bool wire_make(struct engine *engine, uint32_t strategy, char out[WEIR_ID_MAX]);
bool wire_parse(const struct engine *engine, const char *text, uint32_t *strategy_out,
                int64_t *counter_out);
bool wire_room(const struct engine *engine);
struct key128 wire_key(const char *text);
struct key128 cid_key(const char *cid);
bool cid_is_used(const struct engine *engine, const char *cid, struct key128 key);
bool cid_keep(struct engine *engine, const char *cid, uint32_t n);  /* false: full */
bool name_room(struct engine *engine, uint32_t n, uint32_t wanted); /* makes room by its oldest */
enum { NAMES_RESERVED = 3, NAMES_MOST = 64 };                       /* of each order */
bool name_add(struct engine *engine, uint32_t n, enum name_kind kind, const char *text);
bool name_put(struct engine *engine, uint32_t n, enum name_kind kind, struct key128 key,
              const char *text); /* its key is known */
void names_forget(struct engine *engine, uint32_t n);
void names_fetch(const struct engine *engine, uint32_t n);
uint32_t order_of_cid(const struct engine *engine, const char *name);
uint32_t order_of_wire(const struct engine *engine, const char *wire);
/* ids of replaces that came to nothing, once another replace was asked */
bool wire_is_void(const struct engine *engine, const char *wire);
void wire_void(struct engine *engine, const char *wire, uint32_t n);
uint32_t order_of_venue(const struct engine *engine, uint32_t instrument, const char *vid);
struct key128 venue_key(uint32_t instrument, const char *vid);
uint32_t venue_owner(const struct engine *engine, struct key128 key); /* 0: none */
void venue_fetch(const struct engine *engine, struct key128 key);

/* --- orders.c: table, slots, sums --------------------------------------------------------------- */
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

struct wish;

/* --- caps.c: what a venue can do ------------------------------------------------------------------ */
bool can_keep(const struct engine *engine, const struct in_submit *in); /* the venue, or we */
bool venue_amends(const struct engine *engine, uint16_t venue);
bool type_is_ours(const struct engine *engine, uint16_t venue, uint8_t route, uint8_t type);
bool end_is_ours(const struct engine *engine, uint16_t venue, uint8_t route, uint8_t tif);
void apply_capabilities(struct engine *engine, const void *input);

/* --- hold.c, slices.c, lane.c, links.c: what we keep ourselves ------------------------------------ */
uint8_t waits_of(const struct engine *engine, const struct in_submit *in);
uint8_t sent_type(uint8_t type); /* what a type is when it goes out */
weir_ns expiry_of(const struct engine *engine, const struct in_submit *in);
void hold_make(struct engine *engine, uint32_t n, const struct in_submit *in, uint8_t waits);
void hold_own(struct engine *engine, uint32_t n);    /* one of ours: judged, and out */
void hold_begin(struct engine *engine, uint32_t n);  /* it is held from now on */
void hold_settle(struct engine *engine, uint32_t n); /* a tied order changed */
void hold_go_on(struct engine *engine, uint32_t n);
void hold_cancel(struct engine *engine, uint32_t n, const char *reason);
void hold_cancel_all(struct engine *engine, const char *reason);
void hold_price(struct engine *engine, struct instrument *instrument, weir_px price_x2);
void hold_tell(struct engine *engine, uint32_t n, enum hold_event event, uint32_t other);
void hold_run(struct engine *engine); /* alarms */
void hold_move(struct engine *engine, uint32_t n, weir_px trigger);
void hold_stale(struct engine *engine, const struct instrument *instrument);
bool price_is_missing(const struct engine *engine, const struct instrument *instrument);
void wish_to_release(struct engine *engine, uint32_t n, struct wish *wish);
/* May it go? If not, it has ended, or waits in the lane. */
bool hold_judge(struct engine *engine, uint32_t n, struct wish *wish);
void hold_tell_decision(struct engine *engine, uint32_t n);
bool lane_takes(struct engine *engine, uint32_t n);
bool lane_wanted(const struct engine *engine, enum risk_check reason);
void lane_cut(struct engine *engine, uint32_t n);
void lane_run(struct engine *engine);
void lane_stir(struct engine *engine, uint16_t kind); /* after an input of this kind */
void work_later(struct engine *engine, uint32_t n);
void work_run(struct engine *engine);
/* link_find: UINT32_MAX: there is no such order that it may be linked to */
uint32_t link_find(const struct engine *engine, const struct in_submit *in);
void link_make(struct engine *engine, uint32_t n, uint32_t other, uint8_t kind);
void link_cap(struct engine *engine, uint32_t n);
bool link_lets(struct engine *engine, uint32_t n); /* what it follows lets it go */
void link_fired(struct engine *engine, uint32_t n);
amount link_reduces(const struct engine *engine, uint32_t n); /* reduce-only exposure of its OCO */
void links_follow(struct engine *engine, uint32_t n);
void links_forget(struct engine *engine, uint32_t n);
void slice_next(struct engine *engine, uint32_t n);
void slice_follow(struct engine *engine, uint32_t n);
uint32_t slice_of(const struct engine *engine, uint32_t n);
void view_of_hold(const struct engine *engine, uint32_t n, struct out_hold *out);

/* --- define.c ------------------------------------------------------------------------------------ */
struct scope *scope_at(struct engine *engine, uint8_t scope, uint32_t id); /* NULL: not defined */
const struct scope *scope_peek(const struct engine *engine, uint8_t scope, uint32_t id);
struct instrument *instrument_at(struct engine *engine, uint32_t n); /* NULL: not defined */
uint32_t asset_number(struct engine *engine, const char *asset); /* UINT32_MAX: full or no name */
uint32_t asset_find(const struct engine *engine, const char *asset);
uint32_t holding_take(struct engine *engine, uint32_t instrument, uint32_t owner); /* 0: full */
uint32_t holding_find(const struct engine *engine, uint32_t instrument, uint32_t owner);
void cards_refresh(struct engine *engine, struct instrument *instrument);
void holding_refresh(struct engine *engine, struct instrument *instrument, struct holding *holding);
void apply_define(struct engine *engine, const void *input);
void apply_instrument(struct engine *engine, const void *input);
void apply_limit(struct engine *engine, const void *input);
void apply_policy(struct engine *engine, const void *input);
void policy_defaults(struct engine *engine);
void apply_trading_state(struct engine *engine, const void *input);
void set_trading_state(struct engine *engine, struct scope *scope, uint8_t state,
                       const char *reason);

/* --- position.c: exact money of one instrument, pure ---------------------------------------------- */
bool worth_of(const struct instrument *instrument, weir_px px, weir_qty qty, amount *worth_out);
bool stake_add(const struct instrument *instrument, struct stake *stake, uint8_t side, weir_px px,
               weir_qty qty);
bool stake_unrealized(const struct instrument *instrument, const struct stake *stake,
                      weir_px reference_x2, amount *out);
amount stake_average(const struct instrument *instrument, const struct stake *stake);
amount stake_plain_cost(const struct instrument *instrument, const struct stake *stake);

/* --- wallet.c ------------------------------------------------------------------------------------- */
struct purse *purse_at(struct engine *engine, uint16_t account, uint32_t asset);
bool memory_has(const struct memory *memory, struct key128 key);
void memory_add(struct memory *memory, struct key128 key, uint32_t value);
void apply_cash(struct engine *engine, const void *input);
void apply_wallet(struct engine *engine, const void *input);

/* --- ledger.c, fills.c, bust.c --------------------------------------------------------------------------------------- */
void apply_fill(struct engine *engine, const void *input);
void apply_bust(struct engine *engine, const void *input);
void apply_adopt(struct engine *engine, const void *input);
bool fill_inside(struct engine *engine, uint32_t n, uint32_t other, weir_px px, weir_qty qty);
void fills_claim(struct engine *engine,
                 uint32_t n); /* its venue id is known now: take what waited */
void fills_adopt(struct engine *engine, uint32_t n); /* executions of an order that was not known */
void waiting_expire(struct engine *engine);
weir_ns waiting_due(const struct engine *engine);

/* --- risk.c, throttle.c, loss.c ------------------------------------------------------------------- */
enum { DECISION_READINGS_MAX = 64 + FURTHER_CHECK_COUNT * RISK_SCOPE_COUNT };
struct wish { /* an order as asked, or as a replace would make it */
    const struct in_submit *submit;
    uint32_t order;                /* replace: of this order; else 0 */
    struct instrument *instrument; /* NULL: unknown */
    struct scope *strategy;        /* NULL: unknown */
    weir_px px;
    weir_qty qty;
    weir_qty worst; /* what it may still fill: its part in sums */
    uint8_t side, type, flags, route;
    const char *cid; /* its name, to be looked for when judged: used_cid; NULL: it has none */
    struct key128 cid_key;
    bool used_cid, no_room, bad, foreign, unable;
    uint8_t waits;  /* bits of enum hold_wait: it does not go out now */
    bool release;   /* `order` was held, and is to go out */
    uint8_t linked; /* 1: to an order that it may be linked to, 2: to none */
    uint32_t link;  /* that order */
    weir_px trigger;
    weir_qty visible;
    amount siblings;    /* reduce-only exposure of those that it will cancel */
    int64_t seen_state; /* reading of BAD_REQUEST */
};
/* Evaluate every check; fills engine->decision but for names. True: allowed. */
bool risk_allows(struct engine *engine, struct wish *wish);
/* The same but for the name, and without the readings: only for measurements. */
bool risk_passes(struct engine *engine, const struct wish *wish);

uint32_t throttle_room(const struct engine_sizes *sizes);      /* times that all rings need */
bool throttle_set(struct engine *engine, struct scope *scope); /* after a limit changed */
uint32_t throttle_count(struct engine *engine, struct scope *scope);
void throttle_sent(struct engine *engine, uint32_t n);

/* --- course.c ------------------------------------------------------------------------------------ */
int64_t course_day(const struct engine *engine);
amount course_day_loss(const struct scope *scope);
amount course_drawdown(const struct scope *scope);
/* Only while engine->watching: */
void course_sent(struct engine *engine, uint32_t n);
void course_filled(struct engine *engine, const struct instrument *instrument, uint32_t strategy,
                   amount gain, amount owners_gain);
void course_price(struct engine *engine, struct instrument *instrument);
void course_watch(struct engine *engine, const struct instrument *instrument, uint32_t strategy);
/* Something is wrong: what policy says for it is done. value, limit: of the alert, in whole units. */
void guard_trips(struct engine *engine, enum guard guard, struct scope *scope, amount value,
                 amount limit);
bool flat_size(struct engine *engine, uint32_t n); /* is there still something to be closed? */

#define PNL_UNLIMITED (-AMOUNT_MAX - 1)
void loss_units(struct instrument *instrument); /* what it is has been defined */
bool loss_values(const struct instrument *instrument, weir_px reference_x2);
void loss_price(struct engine *engine,
                struct instrument *instrument); /* after a price: settle, watch and act */
void loss_settle(struct engine *engine, struct instrument *instrument, struct holding *holding);
void loss_settle_owned(struct engine *engine, const struct scope *strategy);
void loss_settle_all(struct engine *engine);
amount loss_now(const struct engine *engine, const struct scope *scope); /* its profit and loss */
bool loss_value(const struct instrument *instrument, const struct holding *holding,
                weir_px reference_x2, amount *out); /* of one holding; false: does not fit */
void loss_watch(struct engine *engine, const struct instrument *instrument,
                uint32_t strategy); /* after an execution */

/* --- calm.c ------------------------------------------------------------------------------------- */
static inline bool is_calm(const struct instrument *instrument)
{
    return instrument->reference_x2 >= instrument->calm_from &&
           instrument->reference_x2 <= instrument->calm_to;
}
void calm_make(struct engine *engine, struct instrument *instrument); /* all of it is settled */
bool calm_follow(struct engine *engine, struct instrument *instrument,
                 struct holding *holding); /* it has changed; false: a number does not fit */
void calm_end(struct engine *engine,
              const struct scope *strategy); /* wherever it holds something */
void calm_end_all(struct engine *engine);

/* --- submit.c, cross.c, kill.c ---------------------------------------------------------------------- */
void apply_submit(struct engine *engine, const void *input);
void tell_decision(struct engine *engine, enum decision_of of, const struct weir_msg *from,
                   const char *cid, uint32_t n, uint32_t strategy); /* the last that was judged */
void apply_cancel(struct engine *engine, const void *input);
void apply_replace(struct engine *engine, const void *input);
void apply_cancel_many(struct engine *engine, const void *input);
void order_cancel(struct engine *engine, uint32_t n);
bool order_amend(struct engine *engine, uint32_t n, weir_qty qty); /* for the host's own reasons */
void order_go(struct engine *engine, uint32_t n);                  /* by its route */
void order_send(struct engine *engine, uint32_t n);
void cross_arriving(struct engine *engine, uint32_t n);
void apply_kill(struct engine *engine, const void *input);
void apply_release(struct engine *engine, const void *input);
void scope_cancel(struct engine *engine, const struct scope *scope); /* all of its orders */
void kill_pull(struct engine *engine, const char *reason);
void kill_follow(struct engine *engine, uint32_t n,
                 bool shown_live); /* cancel what lives and was to be cancelled */
void kill_watch(struct engine *engine,
                uint32_t n); /* its cancel was sent: ask if it stays silent */
void kill_silence(struct engine *engine, uint32_t n); /* it is about to be asked about */
void kill_ghost(struct engine *engine,
                uint32_t n); /* it has ended, and the venue lists it as working */
void kill_stir(struct engine *engine, const char *reason);   /* what was proven is not any more */
void kill_asked(struct engine *engine, uint16_t account);    /* a list was asked for */
void kill_answered(struct engine *engine, uint16_t account); /* its end */
void kill_judge(struct engine *engine);                      /* after each input */
void kill_run(struct engine *engine);
weir_ns kill_due(const struct engine *engine);

/* --- report.c, resolver.c, recon.c, market.c --------------------------------------------------------- */
void apply_report(struct engine *engine, const void *input);
void apply_rate_limited(struct engine *engine, const void *input);
void report_status(struct engine *engine, uint32_t n, const struct weir_report *report);
void report_cum(struct engine *engine, uint32_t n, const struct weir_report *report);
void report_replaced(struct engine *engine, uint32_t n, const char *vid);
void report_doubt(struct engine *engine, uint32_t n, const char *text); /* alert and query */
void stream_sequence(struct engine *engine, const struct weir_msg *msg, uint64_t seq);

enum question { ASK_ORDER = 1, ASK_FILLS = 2 };
void resolver_ask(struct engine *engine, uint32_t n,
                  uint8_t question); /* at once, and again later */
void resolver_later(struct engine *engine, uint32_t n, uint8_t question, weir_ns due);
void resolver_settle(struct engine *engine, uint32_t n); /* stop asking what is answered */
void resolver_run(struct engine *engine);
weir_ns resolver_due(const struct engine *engine);

/* --- timers.c ----------------------------------------------------------------------------------- */
void timer_put(struct engine *engine, enum timer_kind kind, uint32_t n, weir_ns due);
void timer_cut(struct engine *engine, enum timer_kind kind, uint32_t n); /* it may not be set */
weir_ns timer_first(const struct engine *engine, enum timer_kind kind);  /* INT64_MAX: none */

void recon_run(struct engine *engine);
weir_ns recon_due(const struct engine *engine);

void apply_session(struct engine *engine, const void *input);
void apply_restarted(struct engine *engine, const void *input);
void apply_recon_begin(struct engine *engine, const void *input);
void apply_recon_order(struct engine *engine, const void *input);
void apply_recon_position(struct engine *engine, const void *input);
void apply_recon_balance(struct engine *engine, const void *input);
void apply_recon_end(struct engine *engine, const void *input);
void recon_start(struct engine *engine, uint16_t account);
bool account_is_up(const struct engine *engine, const struct account *account);
bool account_is_there(const struct engine *engine, uint16_t account);
bool can_give_up(const struct engine *engine, uint32_t n);

void apply_mark(struct engine *engine, const void *input);
void apply_top(struct engine *engine, const void *input);
void apply_trade(struct engine *engine, const void *input);
void apply_book_state(struct engine *engine, const void *input);

#endif
