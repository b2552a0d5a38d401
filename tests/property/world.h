/* world.h - what the files of the property test share: a host, a venue with a truth of its own, and
 * the lossy line between them.
 *
 *   host.c     the engine, its journal, its effects; death and rebirth
 *   venue.c    the venue's truth: requests, executions, payments
 *   line.c     what it says: messages on their way, and answers
 *   inside.c   what should meet inside, worked out apart from the engine
 *   money.c    what positions and wallets should be, worked out apart from the engine
 *   risk.c     what each check should say, from the orders one by one
 *   trace.c    a story in words, for whoever looks for what went wrong
 *   interleave.c   the steps of a story, its end, and main
 *
 * The model shares no code with the engine; it asks it questions (engine.h) and reads its effects. */
#ifndef TESTS_PROPERTY_WORLD_H
#define TESTS_PROPERTY_WORLD_H

#include "engine/engine.h"

enum {
    ORDERS = 28,
    NAMES = 4, /* client ids of one order: its first, and those of three replaces */
    FILLS = 80,
    CASHES = 12,
    RESTING = 16,
    TRADES = 160,
    LINES = 192,
    SENDS = 96,
    CROSSES = 16,
    QUERIES = 4 * ORDERS,
    MS = 1000000,
    STEPS = 40,
    INSTRUMENTS = 2, /* 1: spot A-USD, 2: linear B-PERP */
    STRATEGIES = 3,
    GROUPED = 2, /* strategies 1 .. GROUPED are a group */
    SPOT = 1
};

/* --- the venue's truth ------------------------------------------------------------------------*/

enum truth_state { NOT_THERE, WORKING, GONE };

struct change { /* a replace, by the name that it gives */
    bool on_wire;
    int from; /* the name that it replaces */
    weir_px px;
    weir_qty qty;
};

struct truth_order {
    char wire[NAMES][WEIR_ID_MAX];
    struct change changes[NAMES];  /* [0] is not used */
    char vids[NAMES][WEIR_ID_MAX]; /* the venue's id under each name, once it knows it */
    int names, now;                /* how many; the one the venue knows it by */
    enum truth_state state;
    uint8_t end; /* enum weir_venue_state, when GONE */
    uint8_t side, flags;
    uint32_t instrument, strategy;
    weir_px px;
    weir_qty qty, cum; /* without what was crossed inside */
    weir_qty inside;
    bool new_on_wire, cancel_on_wire;
    bool foreign; /* not of this host */
    bool listed;  /* the host was told of it */
    bool shown;   /* the host was shown a sign of it: a fill, an id of the venue, a state */
    int absences; /* NOT_FOUND answers since it was last shown */
    weir_ns sent;
};

struct truth_fill {
    struct weir_fill msg;
    int order; /* -1: of nobody's order */
    bool delivered, busted, bust_told;
    uint8_t after; /* busted: state of its order, as the venue tells it */
};

struct truth_cash {
    struct weir_cash msg;
    bool delivered;
};

struct line { /* a message on its way */
    union {
        struct weir_msg head;
        struct weir_report report;
        struct weir_fill fill;
        struct weir_cash cash;
        struct weir_rate_limited limited;
    } msg;
    int number; /* of the fill or cash */
    bool used;
};

/* --- the model's books ------------------------------------------------------------------------*/

struct trade { /* one side of an execution, in the order of booking */
    uint32_t instrument, strategy;
    uint8_t side;
    bool internal;
    int fill; /* -1: crossed inside */
    weir_px px;
    weir_qty qty;
};

struct stake_model {
    weir_qty qty;
    amount cost, realized;
};

struct resting { /* an order of the internal book */
    uint32_t instrument, strategy;
    uint8_t side;
    bool live;
    int cid;
    uint64_t age;
    weir_px px;
    weir_qty qty, cum;
};

struct cross { /* an internal execution, as the engine told it */
    uint32_t order, strategy;
    uint8_t side;
    weir_px px;
    weir_qty qty;
};

/* --- limits of a story; 0: not given ----------------------------------------------------------*/

struct limits {
    weir_qty max_position, max_order_qty; /* lots */
    uint32_t binds; /* of strategy and group: the instrument in whose lots they are given */
    weir_qty strategy_max, group_max; /* lots: of strategy 1; of the group of 1 and 2 together */
    int max_open_orders;              /* of the account */
    int throttle_max;                 /* of the account */
    weir_ns throttle_window;
    bool check_balance, self_cross; /* of the spot instrument */
    int not_found_confirm;
    weir_ns not_found_after;
    int64_t usd, base; /* what the wallet begins with, whole units */
};

struct wish_model {
    uint32_t instrument, strategy;
    uint8_t side, flags, route;
    weir_px px;
    weir_qty qty, worst;
    uint32_t order; /* engine's number: of a replace */
    bool bad;       /* not in a state in which it can be replaced */
};
enum { ALLOWED = RISK_CHECK_COUNT };

struct world {
    uint64_t random, seed;

    struct engine *engine;
    void *memory[2];
    size_t memory_size;
    int which;
    struct engine_sizes sizes;
    weir_ns now;
    uint64_t seq;
    unsigned char *inputs, *effects;
    size_t input_len, effect_len, room;
    uint16_t input_kind;                    /* of the input being applied */
    uint8_t label[512];                     /* by order number: the last one told + 1 */
    uint64_t denied_strategy, denied_group; /* by max_position of that scope alone */

    struct truth_order orders[ORDERS];
    int order_count;
    struct truth_fill fills[FILLS];
    int fill_count;
    struct truth_cash cashes[CASHES];
    int cash_count;
    struct line lines[LINES];
    char queries[QUERIES][WEIR_ID_MAX];
    int query_count;
    bool made_good; /* the line loses, doubles and delays nothing any more, and nobody lies */

    struct trade trades[TRADES];
    int trade_count;
    struct stake_model own[INSTRUMENTS + 1];
    struct resting resting[RESTING];
    int resting_count;
    uint64_t ages;
    struct cross crosses[CROSSES]; /* of the input being applied */
    int cross_count;
    uint64_t repeats; /* what should be in duplicates_ignored */

    struct limits limits;
    bool up;        /* the stream, as the venue has it */
    bool told_down; /* the engine was told that it is down, and was not reborn since */
    bool recon_asked, fills_asked, killed;
    bool halted[INSTRUMENTS + 1];
    weir_ns backoff;
    weir_ns sends[SENDS];
    int send_count;

    uint32_t asking; /* the strategy that submits */
    uint8_t asked_flags;
    int sent_order; /* truth's number of the order that was just sent or changed, -1: none */
    int decision;   /* of the input being applied: enum risk_check, ALLOWED, or -1 */
    bool no_answer_sent;
    int cid;

    const char *failed;
    char message[300];
    uint64_t orders_sent;
    bool traced;
};

static inline uint32_t rnd(struct world *w, uint32_t below)
{
    w->random ^= w->random << 13, w->random ^= w->random >> 7, w->random ^= w->random << 17;
    return (uint32_t)((w->random >> 16) % below);
}

void fail(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* host.c */
void host_begin(struct world *w);
void host_apply(struct world *w, struct weir_msg *input);
void host_restart(struct world *w);
void host_pass_time(struct world *w, weir_ns by);
bool host_view(const struct world *w, const struct truth_order *o, struct order_view *view_out);

/* trace.c */
void trace(const struct world *w, const struct weir_msg *msg, bool effect);

/* venue.c */
struct truth_order *by_wire(struct world *w, const char *wire, int *name_out);
void venue_takes(struct world *w, const struct weir_intent *intent); /* new, cancel, replace */
void venue_handles(struct world *w, struct truth_order *o); /* one request that is on the wire */
bool venue_has_request(const struct truth_order *o);
void venue_executes(struct world *w, int order); /* -1: nobody's */
void venue_busts(struct world *w);
void venue_expires(struct world *w);
void venue_pays(struct world *w);
void venue_takes_foreign(struct world *w);
void settle_requests(struct world *w, struct truth_order *o); /* handled, or dropped */

/* line.c */
bool put_line(struct world *w, const void *msg, size_t size, int number); /* false: it is full */
bool is_lost(struct world *w);
struct weir_report report_of(const struct truth_order *o, uint16_t kind);
void say(struct world *w, const struct weir_report *r); /* unless it is lost */
void line_deliver(struct world *w, struct line *line);
void answer_query(struct world *w);
void answer_fills(struct world *w);
void answer_recon(struct world *w);
void answer_nothing(struct world *w, const struct truth_order *o, uint8_t request);

/* inside.c */
void inside_expect(struct world *w, const struct in_submit *in); /* after it was applied, allowed */
bool inside_cancel(struct world *w, int cid);                    /* false: it does not rest there */

/* money.c */
bool counts(const struct truth_fill *f, bool all);
weir_qty position_of(const struct world *w, uint32_t instrument, bool all);
void money_booked(struct world *w, const struct trade *trade);
void money_busted(struct world *w);
void check_wallets(struct world *w, bool all);
void check_positions(struct world *w);
void check_strategies(struct world *w);

/* risk.c */
int risk_expects(struct world *w, const struct wish_model *wish);
void check_exposure(struct world *w);

#endif
