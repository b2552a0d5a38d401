/* trade.h - what the files of order entry share: actions, requests without an answer, live orders.
 *
 *   trade.c     intents and queries: which action, with which parameters
 *   actions.c   the table of actions: method, path, weight of each market
 *   call.c      an action onto the wire: signed, over the WebSocket API or HTTP
 *   answer.c    what the answers say
 *   report.c    orders and executions in the host's words
 *   budget.c    rate budgets out of answers and their headers
 *   user.c      the private stream
 *   login.c     connections, log-on, listen keys, the venue's clock, renewals, cancel-on-silence
 *   account.c   a reconciliation, and questions beside the order path
 *   orders.c    the orders that live at the venue, as far as the wire needs them
 *   errors.c    what an error means
 *
 * Documents of the venue that this follows stand in README.md, with their dates. */
#ifndef BINANCE_TRADE_H
#define BINANCE_TRADE_H

#include "binance.h"
#include "errors.h"
#include "object.h"

enum action {
    DO_PLACE = 0,
    DO_PLACE_ALGO, /* USD-M: orders with a trigger */
    DO_CANCEL,
    DO_CANCEL_ALGO,
    DO_CANCEL_ALL,
    DO_REDUCE,  /* spot: less quantity, the place in the queue is kept */
    DO_REPLACE, /* spot: cancel and place in one request */
    DO_MODIFY,  /* USD-M: price and quantity, the ids are kept */
    DO_QUERY,
    DO_QUERY_ALGO,
    DO_OPEN,
    DO_OPEN_ALGO,
    DO_CLOSED,
    DO_FILLS,
    DO_ACCOUNT,
    DO_POSITIONS,
    DO_TIME,
    DO_TRADES,
    DO_BOOK,
    DO_FUNDING,
    DO_INCOME,
    DO_LISTEN,    /* USD-M: a key for the private stream */
    DO_KEEP,      /* and that it lives on */
    DO_COUNTDOWN, /* USD-M: cancel all of a symbol unless asked again */
    DO_LOGON,
    DO_HEAR, /* spot: the private stream on this connection */
    DO_INFO,
    ACTIONS
};

struct action_row {
    const char *method, *path; /* NULL: not over HTTP */
    const char *ws;            /* NULL: not over the WebSocket API */
    uint16_t weight;
    uint8_t lane; /* enum weir_lane */
    bool secret;  /* it is signed */
    bool again;   /* it may be repeated: nothing changes by it */
};
/* NULL: the market has no such thing. */
const struct action_row *action_row(enum market market, enum action action);

enum { CONN_ORDERS = 4000, CONN_USER = 4002 }; /* and one above each, for renewals */
enum { PENDING_MAX = 4096, KEY_ID_ROOM = 256, ORDERS_MOST = 65536 };
enum { ASK_TRADE = 3 << 24, TIMER_TRADE = 4 << 24 };
/* Timers of order entry: TIMER_TRADE + one of these. */
enum {
    TIMER_CLOCK = 1,
    TIMER_RENEW,
    TIMER_LEAVE,
    TIMER_KEEP,
    TIMER_LISTEN,
    TIMER_SILENCE,
    TIMER_HEAR,
    TIMER_RECON,
    TIMER_USER_RENEW,
    TIMER_USER_LEAVE,
    TIMER_MARKET_RENEW,
    TIMER_MARKET_TAKE,
    TIMER_MARKET_LEAVE
};
enum { FOR_NOBODY = 0, FOR_RECON, FOR_QUERY };

/* A request without an answer. */
struct pending {
    uint32_t id; /* 0: free */
    uint8_t action;
    uint8_t whom; /* FOR_RECON, FOR_QUERY */
    uint8_t side;
    uint8_t lane;
    bool is_order; /* it counts as a new order in the venue's budget */
    uint32_t conn; /* 0: over HTTP */
    uint32_t number;
    char client_id[WEIR_ID_MAX];
    char new_id[WEIR_ID_MAX];
    char venue_id[WEIR_ID_MAX];
    weir_px px;
    weir_qty qty;
    weir_ns sent;
    weir_ns since, until;
    uint32_t limit;
};

/* An order that may live at the venue. */
struct live {
    char client_id[WEIR_ID_MAX]; /* "": free */
    char sent[WEIR_ID_MAX];      /* what the venue calls it, if otherwise */
    char next_id[WEIR_ID_MAX];   /* what a replacement calls it; "": none is open */
    char venue_id[WEIR_ID_MAX];
    char alias[WEIR_ID_MAX]; /* of an order with a trigger: the order that it became */
    uint32_t number, next;   /* next: in its chain, row + 1 */
    uint8_t side;
    bool algo, acked;
    bool gone; /* the stream told that it is canceled, while a replacement was open */
    weir_px px;
    weir_qty qty;
};

/* Which of our names an order of the venue has: executions that are asked for tell only its number. */
enum { NAMES = 1 << 16 };
struct names {
    struct {
        uint64_t order;
        uint32_t number; /* of the symbol */
        char client_id[WEIR_ID_MAX];
    } * rows; /* by a hash of the order; a newer one takes the place */
};

struct orders {
    struct live *rows;
    uint32_t *chains;
    uint32_t room, free_list; /* row + 1 */
    uint32_t count;
    bool aliased; /* one had an alias, at least */
};

/* Parameters of one request, by name. */
enum { PARAMS_MAX = 20, PARAMS_ROOM = 1536 };
struct params {
    struct {
        const char *name, *text;
        bool bare; /* a number or a word in JSON */
    } list[PARAMS_MAX];
    size_t count, used;
    bool bad; /* no room, or a text that cannot be sent */
    char room[PARAMS_ROOM];
};

/* Rows of a reconciliation that wait for the last answer, in the order in which they are told. */
enum row_kind { ROW_FILL = 0, ROW_ORDER, ROW_POSITION, ROW_BALANCE, ROW_KINDS };
struct rows {
    unsigned char *bytes;
    size_t len, room;
};
struct recon {
    bool on, failed;
    unsigned step; /* 1: money, 2: orders, 3: executions */
    unsigned left; /* answers that are still to come */
    unsigned tries;
    uint64_t seen; /* executions that the stream had told when it began */
    weir_ns since;
    struct rows rows[ROW_KINDS];
};

struct trade {
    char key[64];         /* "": no orders */
    char algorithm[24];   /* of the signatures */
    char door[8];         /* "ws" or "http": how orders go */
    enum error_book book; /* of error numbers */
    int64_t window;       /* recvWindow, ms */
    weir_ns silence;      /* USD-M: cancel when we say nothing for so long; 0: never */
    weir_ns started;
    uint32_t conn;  /* the connection that orders go over; 0: none is ready */
    uint32_t next;  /* the one that will take its place; 0: none */
    uint32_t leave; /* the one that is left; 0: none */
    bool logged_on; /* conn needs no signatures */
    bool heard;     /* the private stream is up, and the host was told */
    bool rules;     /* the instruments' rules are known: before, nothing can be reconciled */
    bool waits;     /* the private stream is up, and waits for the rules */
    uint32_t user_conn;
    uint32_t user_at;    /* its connection, up or down */
    uint32_t user_leave; /* USD-M: the private stream that is left; 0: none */
    char listen_key[160];
    uint64_t executions; /* that the stream told */
    uint32_t clock_asks;
    weir_ns limited; /* Retry-After of the answer that is being taken, ns; 0: none */
    struct pending *pending;
    uint16_t turn; /* makes ids differ */
    uint32_t busy;
    struct orders orders;
    struct names names;
    struct recon recon;
};

/* --- actions.c, call.c ------------------------------------------------------------------------ */

void params_text(struct params *params, const char *name, const char *text);
void params_word(struct params *params, const char *name, const char *text); /* bare in JSON */
void params_int(struct params *params, const char *name, int64_t value);
void params_decimal(struct params *params, const char *name, int64_t value, int exp);

/* A free place, with action and time filled in. NULL: all are taken. */
struct pending *pending_new(struct binance *binance, enum action action, weir_ns now);
struct pending *pending_find(struct binance *binance, uint32_t id);
void pending_free(struct binance *binance, struct pending *pending);
/* Send it; a refusal frees it. */
enum weir_err call(struct binance *binance, struct pending *pending, struct params *params,
                   weir_ns now);
/* The same over a connection of the WebSocket API that is not ready for others yet. */
enum weir_err call_on(struct binance *binance, uint32_t conn, struct pending *pending,
                      struct params *params, weir_ns now);

void fill_in(struct weir_report *report, const struct symbol *symbol, struct weir_bytes order,
             bool *good);
/* An order with a trigger has names of its own for the same things. */
void fill_in_algo(struct weir_report *report, const struct symbol *symbol, struct weir_bytes order,
                  bool *good);

/* --- answer.c, report.c, budget.c ---------------------------------------------------------------------------------- */

/* Status 0: there was none. The pending request is free afterwards. */
enum weir_err answer(struct binance *binance, uint32_t id, int status, struct weir_bytes body,
                     weir_ns now);
/* A message of the WebSocket API: an answer, or an event of the private stream. */
enum weir_err answer_frame(struct binance *binance, uint32_t conn, weir_ns now,
                           struct weir_bytes frame);
enum weir_err answer_headers(struct binance *binance, int status, struct weir_bytes headers,
                             weir_ns now);
void tell_budgets(struct binance *binance, struct weir_bytes list);
/* All that went over this connection has no answer. */
void answer_lost(struct binance *binance, uint32_t conn, weir_ns now);

/* Reports in the host's words. */
enum weir_venue_state state_of(struct weir_bytes status);
struct weir_report report_of(uint16_t kind, uint32_t number, const char *client_id);
void emit_report(struct binance *binance, struct weir_report *report);
struct fill_facts {
    uint32_t number;
    struct weir_bytes client_id, venue_id, exec_id, fee, fee_asset;
    struct weir_bytes realized; /* empty: not told */
    weir_px px;
    weir_qty qty;
    uint8_t side, origin;
    bool maker;
    int64_t t_ms;
};
/* False: it is no execution that can be told (a price of nothing, an amount that does not fit). */
bool make_fill(const struct fill_facts *facts, struct weir_fill *fill_out);
/* A decimal text as 10^-18. */
bool make_amount(struct weir_bytes text, struct weir_amount *amount_out);
struct symbol *symbol_numbered(struct binance *binance, uint32_t number);
/* The symbol of that name, told to the host; NULL: it is not of this session. */
struct symbol *symbol_ours(struct binance *binance, struct weir_bytes name);

/* --- trade.c, account.c, user.c, login.c, orders.c ---------------------------------------------- */

enum weir_err trade_begin(struct binance *binance); /* before the settings */
enum weir_err trade_open(struct binance *binance);  /* after them */
void trade_close(struct binance *binance);
/* One setting; E_NOT_FOUND: it is not one of order entry. E_BAD_CONFIG: *expected says what. */
enum weir_err trade_setting(struct binance *binance, const char *name, const char *value,
                            const char **expected);
enum weir_err trade_intent(struct binance *binance, const struct weir_intent *intent, weir_ns now);
enum weir_err trade_query(struct binance *binance, const struct weir_query *query, weir_ns now);

enum weir_err login_start(struct binance *binance, weir_ns now);
enum weir_err login_conn(struct binance *binance, uint32_t conn, weir_ns now, int up);
enum weir_err login_timer(struct binance *binance, uint32_t what, weir_ns now);
enum weir_err login_answer(struct binance *binance, const struct pending *pending, int status,
                           struct weir_bytes result, weir_ns now);
/* The connection ends soon by the venue's word: make another before. */
enum weir_err login_renew(struct binance *binance, weir_ns now);
enum weir_err login_listen_again(struct binance *binance, weir_ns now);
enum weir_err login_clock(struct binance *binance, weir_ns now);
/* The instruments' rules have come, and the host was told of those that are traded. */
void login_rules(struct binance *binance);
bool is_trade_conn(uint32_t conn);

enum weir_err user_event(struct binance *binance, struct weir_bytes event, weir_ns now);
bool order_facts(struct binance *binance, struct weir_bytes order, uint16_t kind, bool is_algo,
                 struct weir_report *report_out);

enum weir_err recon_begin(struct binance *binance, weir_ns since, weir_ns now);
/* An answer for it has come (or none). */
enum weir_err recon_answer(struct binance *binance, const struct pending *pending, int status,
                           struct weir_bytes result, weir_ns now);
enum weir_err query_answer(struct binance *binance, const struct pending *pending, int status,
                           struct weir_bytes result, weir_ns now);
enum weir_err ask_fills(struct binance *binance, uint32_t number, weir_ns since, weir_ns until,
                        uint32_t limit, uint8_t whom, weir_ns now);
enum weir_err recon_timer(struct binance *binance, weir_ns now);

/* Remember it; ids that are no numbers are left out. */
void names_keep(struct names *names, uint32_t number, const char *venue_id, const char *client_id);
const char *names_find(const struct names *names, uint32_t number, struct weir_bytes venue_id);

enum weir_err orders_init(struct orders *orders);
void orders_fini(struct orders *orders);
struct live *orders_find(struct orders *orders, const char *client_id);
struct live *orders_add(struct orders *orders, const char *client_id); /* NULL: no room */
void orders_drop(struct orders *orders, const char *client_id);
/* By the id of the venue's order that a triggered one became. */
struct live *orders_alias(struct orders *orders, struct weir_bytes venue_id);
/* The order whose open replacement has this name. */
struct live *orders_next(struct orders *orders, const char *next_id);
/* It is called otherwise from now on. */
void orders_rename(struct orders *orders, struct live *live, const char *client_id);

#endif
