/* binance.h - Binance's protocol at the exchange: what its files share.
 *
 *   binance.c         paths, keys, signatures, limits; requests into calls
 *   binance_ws.c      the WebSocket API, streams, listen keys
 *   binance_orders.c  orders as the venue numbers them; what was asked and waits
 *   binance_trigger.c orders that wait for a price; the countdown; rules that change
 *   binance_ask.c     questions
 *   binance_told.c    what the market says of orders and executions
 *   binance_answer.c  the answers that waited for it
 *   binance_market.c  rules, books, trades
 *   binance_say.c     JSON of orders, executions, reports
 *
 * Spot (/api/v3, /ws-api/v3, /stream, /ws) and USD-M (/fapi, /ws-fapi/v1, /public, /market, /private)
 * are two faces of one account and one market. A symbol is the market's without its dash. */
#ifndef WEIR_EXCHANGE_BINANCE_H
#define WEIR_EXCHANGE_BINANCE_H

#include "base/json.h"
#include "exchange/own.h"
#include "exchange/wire.h"

enum {
    SYMBOL_COUNT = 16,
    STREAMS_MAX = 64,
    STREAM_ROOM = 48,
    WAITS_MAX = 1024,
    KEEP_TRADES = 1000,
    LISTENERS_MAX = 64,
    LATER_MAX = 4096
};
enum face { FACE_SPOT = 0, FACE_USDM };

struct side_book {
    struct weir_level *rows; /* best first */
    size_t count, room;
};

struct public_trade {
    uint64_t id;
    weir_px px;
    weir_qty qty;
    uint8_t aggressor;
    int64_t t_ms;
};

struct listed {
    struct weir_instrument is;
    char name[WEIR_SYMBOL_MAX]; /* BTCUSDT */
    uint64_t seq;               /* of the updates that were said */
    struct side_book sides[2];
    struct public_trade trades[KEEP_TRADES]; /* a ring */
    size_t trade_count;
    weir_px last_px, low, high; /* of trades: the last; since it was looked at */
    weir_ns countdown;          /* all orders are canceled then; 0: never */
    int64_t first_tick, first_step;
};

struct venue_order {
    uint64_t id;
    char client_id[WEIR_ID_MAX];
    uint32_t instrument; /* from 1 */
    uint8_t side, type, tif, flags;
    uint8_t state; /* enum weir_venue_state */
    bool acked, replacing;
    bool waits;              /* for its trigger: the market knows nothing of it */
    const char *algo_status; /* USD-M's orders with a trigger; NULL: it is none */
    uint64_t became;         /* of such: the order; 0: none yet */
    weir_px trigger;
    weir_px px;
    weir_qty qty, done;
    __int128 quote; /* executed, 10^-18 */
    int64_t t_ms, changed_ms;
    struct venue_order *next; /* newest first */
};

struct venue_fill {
    uint64_t id;
    uint64_t order;
    uint32_t instrument;
    uint8_t side;
    bool maker;
    weir_px px;
    weir_qty qty;
    struct weir_amount fee, realized;
    char fee_asset[WEIR_ASSET_MAX];
    int64_t t_ms;
    char exec_id[WEIR_ID_MAX];
};

/* Where an answer goes. */
struct asker {
    struct reply *reply;   /* HTTP */
    struct client *client; /* WebSocket API, with the id that the request had, as JSON text */
    char id[64];
    enum face face;
};

enum wait_for {
    WAIT_PLACE = 1,
    WAIT_ALGO,
    WAIT_CANCEL,
    WAIT_REPLACE,
    WAIT_MODIFY,
    WAIT_ACCOUNT,
    WAIT_POSITIONS
};

struct wait {
    enum wait_for what; /* 0: free */
    struct asker asker;
    char client_id[WEIR_ID_MAX];
    char second_id[WEIR_ID_MAX]; /* cancelReplace: the new order */
    struct weir_intent second;
    uint8_t fault; /* 1 + enum fault_kind: it is done and answered badly */
    bool ready, refused;
    int64_t delay_ms;
    char reason[WEIR_REASON_MAX];
    struct text canceled; /* cancelReplace: the answer to the cancel */
    size_t first_fill;
};

struct listener {
    struct client *client; /* NULL: free */
    enum face face;
    bool api;     /* the WebSocket API: logged on or signed */
    bool logged;  /* session.logon */
    bool private; /* hears of the account */
    bool combined;
    weir_ns since;
    char streams[STREAMS_MAX][STREAM_ROOM];
    size_t stream_count;
};

struct rate {
    int64_t minute, used;
    int64_t ten, orders;
};

struct front {
    struct account *account;
    struct listed listed[SYMBOL_COUNT]; /* by number - 1 */
    struct venue_order *orders;
    struct venue_order *algos;
    uint64_t rules_seen; /* of the faults' changes of rules */
    struct venue_fill *fills;
    struct {
        char exec_id[WEIR_ID_MAX];
        uint32_t instrument;
    } * numbered; /* executions by the number that they were given, from first_fill + 1 */
    size_t numbered_count, numbered_room;
    uint64_t first_fill;
    size_t fill_count, fill_room;
    uint64_t next_order, next_fill;
    struct wait waits[WAITS_MAX];
    struct listener listeners[LISTENERS_MAX];
    struct rate rate;
    int order_limit;  /* in 10 s */
    int weight_limit; /* in a minute */
    struct {
        char asset[WEIR_ASSET_MAX];
        struct weir_amount total;
    } money[32];
    size_t money_count;
    struct {
        uint32_t instrument;
        struct weir_amount amount;
    } held[SYMBOL_COUNT];
    size_t held_count;
    bool in_recon;
    uint64_t listen_key;
};

int64_t now_ms(const struct front *front);
struct listed *listed_named(struct front *front, const char *name);

/* binance.c */
bool key_known(const struct front *front, const char *key);
bool key_is_ed25519(const struct front *front, const char *key);
bool signature_holds(const struct front *front, const char *key, const char *payload, size_t len,
                     const char *signature);
/* One parameter out of "a=b&c=d", decoded; false: it is not there. */
bool param(const char *text, const char *name, char *out, size_t room);
/* Answer in the form of the asker's door. */
void answer_result(struct front *front, const struct asker *asker, const struct text *json,
                   weir_ns delay);
void answer_error(struct front *front, const struct asker *asker, unsigned status, int code,
                  const char *text);
void answer_nothing(const struct asker *asker); /* and the connection ends */
/* Whether the time that a request tells lies in its window; false: it was answered with a refusal. */
bool time_holds(struct front *front, const char *params, const struct asker *asker);
/* A signed call that is known: from HTTP (method and path) or the WebSocket API (method NULL, its
 * name). params: "a=b&...". False: there is no such call. */
bool call_signed(struct front *front, const char *method, const char *what, const char *params,
                 const struct asker *asker);
bool call_public(struct front *front, const char *method, const char *what, const char *params,
                 const struct asker *asker);

/* binance_orders.c */
struct venue_order *order_numbered(struct front *front, uint64_t id);
/* Memory and a number for it; order_make also puts it among the orders. NULL: no memory. */
struct venue_order *order_new(struct front *front, const struct weir_intent *intent);
struct venue_order *order_make(struct front *front, const struct weir_intent *intent);
void order_forget(struct front *front, struct venue_order *order);
/* The order that a request names by number or by client id. */
struct venue_order *order_of(struct front *front, const char *params, const char *number_name,
                             const char *text_name);
struct wait *wait_new(struct front *front, enum wait_for what, const struct asker *asker,
                      const char *client_id); /* NULL: too many wait */
void wait_end(struct wait *wait);
struct wait *wait_of(struct front *front, enum wait_for what, const char *client_id);
/* Faults look at a request; false: one of them has answered it. */
bool wait_passes(struct front *front, struct wait *wait, const struct weir_intent *intent);
bool param_number(const char *params, const char *name, int exp, int64_t *out);
/* NULL: understood; else the parameter that is not. algo: with the names of USD-M's algo orders. */
const char *read_order(struct front *front, const char *params, enum face face, bool algo,
                       struct weir_intent *intent);
void refuse_param(struct front *front, const struct asker *asker, const char *name);
struct weir_intent intent_about(const struct venue_order *order, uint16_t kind);
void binance_place(struct front *front, const char *params, const struct asker *asker);
void binance_cancel(struct front *front, const char *params, const struct asker *asker);
void binance_cancel_all(struct front *front, const char *params, const struct asker *asker);
void binance_replace(struct front *front, const char *params, const struct asker *asker);
void binance_modify(struct front *front, const char *params, const struct asker *asker,
                    bool reduce);

/* binance_trigger.c */
bool type_triggers(uint8_t type);
bool trigger_is_past(const struct front *front, const struct venue_order *order);
void trigger_saw(struct listed *listed, weir_px px); /* a trade */
void trigger_note(struct front *front, const struct venue_order *order, uint16_t kind,
                  uint8_t state);
void trigger_end(struct front *front, struct venue_order *order); /* canceled while it waited */
void algo_place(struct front *front, const char *params, const struct asker *asker);
void algo_say(struct front *front, const char *client_id, struct text *out);
void algo_cancel(struct front *front, const char *params, const struct asker *asker);
void algo_query(struct front *front, const char *params, const struct asker *asker);
void algo_list(struct front *front, const char *params, const struct asker *asker);
void countdown_set(struct front *front, const char *params, const struct asker *asker);
void triggers_settled(struct front *front, weir_ns now);
weir_ns triggers_next(const struct front *front);

/* binance_ask.c */
bool is_too_new(const struct front *front, int64_t t_ms);
void binance_query(struct front *front, const char *params, const struct asker *asker);
void orders_list(struct front *front, const char *params, const struct asker *asker, bool open);
void fills_list(struct front *front, const char *params, const struct asker *asker);
void account_query(struct front *front, const struct asker *asker, bool positions);

/* binance_told.c, binance_answer.c */
void report_to(struct front *front, const struct venue_order *order, const char *what,
               const struct venue_fill *fill, const char *first_id, struct event_fate fate);
void orders_event(struct front *front, const struct weir_msg *event);
void orders_settled(struct front *front);
void orders_forget(struct front *front, const struct client *client, const struct reply *reply);
struct venue_order *order_named(struct front *front, const char *client_id);

bool binance_rename(struct front *front, const struct weir_msg *event, void *renamed, size_t room);

/* binance_market.c */
void market_event(struct front *front, const struct weir_msg *event);
void market_info(struct front *front, const struct asker *asker);
void market_depth(struct front *front, const char *params, const struct asker *asker);
void market_trades(struct front *front, const char *params, const struct asker *asker);
void market_fini(struct front *front);

/* binance_ws.c */
bool ws_opened(struct front *front, struct client *client, const char *path, const char *query);
void ws_message(struct front *front, struct client *client, struct weir_bytes text);
void ws_closed(struct front *front, struct client *client);
void ws_settled(struct front *front, weir_ns now); /* connections end at their age */
weir_ns ws_next(const struct front *front);
/* To all who subscribed to this stream ("btcusdt@trade") on this face. */
void ws_publish(struct front *front, enum face face, const char *stream, struct text *event);
void ws_private(struct front *front, enum face face, struct text *event, struct event_fate fate);

/* binance_say.c */
const char *state_word(const struct venue_order *order);
void say_order(struct front *front, const struct venue_order *order, enum face face,
               struct text *out);
/* The answer to a new order; fills from that number on. */
void say_placed(struct front *front, const struct venue_order *order, enum face face,
                const char *kind, size_t first_fill, struct text *out);
void say_canceled(struct front *front, const struct venue_order *order, enum face face,
                  struct text *out);
void say_fill(struct front *front, const struct venue_fill *fill, enum face face, struct text *out);
/* executionReport or ORDER_TRADE_UPDATE. fill NULL: no execution. first_id: of the order that a cancel or
 * an amendment was about. */
void say_report(struct front *front, const struct venue_order *order, const char *what,
                const struct venue_fill *fill, const char *first_id, enum face face,
                struct text *out);

#endif
