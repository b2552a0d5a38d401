/* trade.c - intents and questions: which action of the venue, with which parameters.
 *
 * Every field of an order goes onto the wire, or the order is refused by E_UNSUPPORTED: it was certainly
 * not sent, and the host says so.
 *
 *              spot                                      USD-M
 *   limit      LIMIT, post-only LIMIT_MAKER              LIMIT, post-only by GTX
 *   market     MARKET, quantity or quoteOrderQty         MARKET
 *   triggers   STOP_LOSS, STOP_LOSS_LIMIT,               algoOrder: STOP_MARKET, STOP,
 *              TAKE_PROFIT, TAKE_PROFIT_LIMIT            TAKE_PROFIT_MARKET, TAKE_PROFIT
 *   reduce     refused                                   reduceOnly
 *   amend      less quantity at the same price keeps     order.modify keeps the ids
 *              the place; else cancelReplace, of an
 *              order that has no fill yet only: the
 *              venue would not count earlier fills */
#include <stdlib.h>

#include "trade.h"

/* --- settings --------------------------------------------------------------------------------- */

static enum weir_err set_word(char *to, size_t room, const char *value, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(value, *words) == 0 && strlen(value) < room) {
            memcpy(to, value, strlen(value) + 1);
            return WEIR_OK;
        }
    return WEIR_E_BAD_CONFIG;
}

/* A whole number from least to most. */
static enum weir_err set_number(const char *value, int64_t least, int64_t most, int64_t *out)
{
    struct scan scan = scan_of((struct weir_bytes){value, strlen(value)});
    int64_t number = scan_int(&scan);
    if (!scan_done(&scan) || number < least || number > most)
        return WEIR_E_BAD_CONFIG;
    *out = number;
    return WEIR_OK;
}

static enum weir_err set_key(struct trade *trade, const char *value)
{
    size_t len = strlen(value);
    if (len == 0 || len >= sizeof trade->key)
        return WEIR_E_BAD_CONFIG;
    memcpy(trade->key, value, len + 1);
    return WEIR_OK;
}

enum weir_err trade_setting(struct binance *binance, const char *name, const char *value,
                            const char **expected)
{
    static const char *const algorithms[] = {"hmac-sha256", "ed25519", "rsa-sha256", NULL};
    static const char *const doors[] = {"ws", "http", NULL};
    struct trade *trade = binance->orders;
    int64_t seconds = 0;
    enum weir_err err = WEIR_OK;
    if (strcmp(name, "key") == 0) {
        *expected = "key: expected the name of a key, up to 63 characters";
        return set_key(trade, value);
    }
    if (strcmp(name, "sign") == 0) {
        *expected = "sign: expected hmac-sha256, ed25519 or rsa-sha256";
        return set_word(trade->algorithm, sizeof trade->algorithm, value, algorithms);
    }
    if (strcmp(name, "orders") == 0) {
        *expected = "orders: expected ws or http";
        return set_word(trade->door, sizeof trade->door, value, doors);
    }
    if (strcmp(name, "recv_window") == 0) {
        *expected = "recv_window: expected 1 to 60000 milliseconds";
        return set_number(value, 1, 60000, &trade->window);
    }
    if (strcmp(name, "cancel_after") == 0) {
        *expected = "cancel_after: expected 0 or 10 to 3600 seconds";
        err = set_number(value, 0, 3600, &seconds);
        trade->silence = seconds * 1000000000;
        return seconds > 0 && seconds < 10 ? WEIR_E_BAD_CONFIG : err;
    }
    if (strcmp(name, "errors") == 0) {
        *expected = "errors: expected spot, usdm, cm, option or portfolio";
        int book = error_book_of(value);
        trade->book = book < 0 ? BOOK_ANY : (enum error_book)book;
        return book < 0 ? WEIR_E_BAD_CONFIG : WEIR_OK;
    }
    return WEIR_E_NOT_FOUND;
}

enum weir_err trade_begin(struct binance *binance)
{
    binance->orders = calloc(1, sizeof *binance->orders);
    if (!binance->orders)
        return WEIR_E_NO_MEMORY;
    memcpy(binance->orders->algorithm, "hmac-sha256", sizeof "hmac-sha256");
    memcpy(binance->orders->door, "ws", sizeof "ws");
    binance->orders->window = 5000;
    return WEIR_OK;
}

enum weir_err trade_open(struct binance *binance)
{
    static const enum error_book books[MARKET_COUNT] = {BOOK_SPOT, BOOK_USDM, BOOK_CM};
    struct trade *trade = binance->orders;
    if (trade->book == BOOK_ANY)
        trade->book = books[binance->market];
    trade->pending = calloc(PENDING_MAX, sizeof *trade->pending);
    trade->names.rows = calloc(NAMES, sizeof *trade->names.rows);
    return trade->pending && trade->names.rows ? orders_init(&trade->orders) : WEIR_E_NO_MEMORY;
}

void trade_close(struct binance *binance)
{
    struct trade *trade = binance->orders;
    if (!trade)
        return;
    for (int i = 0; i < ROW_KINDS; i++)
        free(trade->recon.rows[i].bytes);
    free(trade->pending);
    free(trade->names.rows);
    orders_fini(&trade->orders);
    free(trade);
}

/* --- orders ----------------------------------------------------------------------------------- */

struct symbol *symbol_numbered(struct binance *binance, uint32_t number)
{
    return number > 0 && number <= binance->symbols.told
               ? &binance->symbols.rows[binance->symbols.numbers[number]]
               : NULL;
}

static const char *tif_word(uint8_t tif)
{
    static const char *const words[] = {[WEIR_GTC] = "GTC", [WEIR_IOC] = "IOC", [WEIR_FOK] = "FOK"};
    return tif < sizeof words / sizeof words[0] ? words[tif] : NULL;
}

static bool has_trigger(uint8_t type)
{
    return type == WEIR_STOP || type == WEIR_STOP_LIMIT || type == WEIR_TAKE_PROFIT ||
           type == WEIR_TAKE_PROFIT_LIMIT;
}

static bool has_price(uint8_t type)
{
    return type == WEIR_LIMIT || type == WEIR_STOP_LIMIT || type == WEIR_TAKE_PROFIT_LIMIT;
}

/* The venue's word for a type; NULL: it has none. */
static const char *type_word(enum market market, const struct weir_intent *intent)
{
    bool spot = market == MARKET_SPOT;
    switch (intent->type) {
    case WEIR_LIMIT: return spot && intent->flags & WEIR_POST_ONLY ? "LIMIT_MAKER" : "LIMIT";
    case WEIR_MARKET: return "MARKET";
    case WEIR_STOP: return spot ? "STOP_LOSS" : "STOP_MARKET";
    case WEIR_STOP_LIMIT: return spot ? "STOP_LOSS_LIMIT" : "STOP";
    case WEIR_TAKE_PROFIT: return spot ? "TAKE_PROFIT" : "TAKE_PROFIT_MARKET";
    case WEIR_TAKE_PROFIT_LIMIT: return spot ? "TAKE_PROFIT_LIMIT" : "TAKE_PROFIT";
    default: return NULL;
    }
}

/* What the venue could not be told of this order. */
static bool can_place(enum market market, const struct weir_intent *intent)
{
    bool post_only = intent->flags & WEIR_POST_ONLY, quote = intent->flags & WEIR_QUOTE_QTY;
    if (intent->flags & ~(WEIR_POST_ONLY | WEIR_REDUCE_ONLY | WEIR_QUOTE_QTY))
        return false;
    if (!type_word(market, intent) || !tif_word(intent->tif))
        return false;
    if (post_only && (intent->type != WEIR_LIMIT || intent->tif != WEIR_GTC))
        return false;
    if (intent->flags & WEIR_REDUCE_ONLY && market == MARKET_SPOT)
        return false;
    if (quote && (market != MARKET_SPOT || intent->type != WEIR_MARKET))
        return false;
    return intent->side <= WEIR_SELL && intent->qty > 0 &&
           (intent->px > 0 || !has_price(intent->type)) &&
           (intent->trigger > 0) == has_trigger(intent->type);
}

static const char *side_word(uint8_t side)
{
    return side == WEIR_BUY ? "BUY" : "SELL";
}

static void put_order(struct params *params, const struct binance *binance,
                      const struct symbol *symbol, const struct weir_intent *intent, weir_qty qty)
{
    bool maker = binance->market == MARKET_SPOT && intent->flags & WEIR_POST_ONLY;
    bool gtx = binance->market != MARKET_SPOT && intent->flags & WEIR_POST_ONLY;
    params_text(params, "symbol", symbol->name);
    params_text(params, "side", side_word(intent->side));
    params_text(params, "type", type_word(binance->market, intent));
    params_decimal(params, intent->flags & WEIR_QUOTE_QTY ? "quoteOrderQty" : "quantity", qty,
                   symbol->qty_exp);
    if (has_price(intent->type)) {
        params_decimal(params, "price", intent->px, symbol->px_exp);
        if (!maker)
            params_text(params, "timeInForce", gtx ? "GTX" : tif_word(intent->tif));
    }
    if (intent->flags & WEIR_REDUCE_ONLY)
        params_text(params, "reduceOnly", "true");
    params_text(params, "newOrderRespType", binance->market == MARKET_SPOT ? "FULL" : "RESULT");
}

/* What was asked, for the time when its answer comes. */
static struct pending *pending_of(struct binance *binance, enum action action,
                                  const struct weir_intent *intent, weir_ns now)
{
    struct pending *pending = pending_new(binance, action, now);
    if (!pending)
        return NULL;
    pending->number = intent->msg.instrument;
    memcpy(pending->client_id, intent->client_id, sizeof pending->client_id);
    memcpy(pending->new_id, intent->new_client_id, sizeof pending->new_id);
    memcpy(pending->venue_id, intent->venue_id, sizeof pending->venue_id);
    pending->px = intent->px;
    pending->qty = intent->qty;
    pending->side = intent->side;
    return pending;
}

static void remember(struct binance *binance, const struct weir_intent *intent, bool algo)
{
    struct live *live = orders_add(&binance->orders->orders, intent->client_id);
    if (!live)
        return;
    live->number = intent->msg.instrument;
    live->side = intent->side;
    live->px = intent->px;
    live->qty = intent->qty;
    live->algo = algo;
}

static enum weir_err place(struct binance *binance, const struct symbol *symbol,
                           const struct weir_intent *intent, weir_ns now)
{
    bool algo = binance->market == MARKET_USDM && has_trigger(intent->type);
    struct params params = {.count = 0};
    if (!can_place(binance->market, intent))
        return WEIR_E_UNSUPPORTED;
    struct pending *pending = pending_of(binance, algo ? DO_PLACE_ALGO : DO_PLACE, intent, now);
    if (!pending)
        return WEIR_E_FULL;
    put_order(&params, binance, symbol, intent, intent->qty);
    params_text(&params, algo ? "clientAlgoId" : "newClientOrderId", intent->client_id);
    if (algo)
        params_text(&params, "algoType", "CONDITIONAL");
    if (has_trigger(intent->type))
        params_decimal(&params, algo ? "triggerPrice" : "stopPrice", intent->trigger,
                       symbol->px_exp);
    enum weir_err err = call(binance, pending, &params, now);
    if (!err)
        remember(binance, intent, algo);
    return err;
}

/* Names the order by the venue's id where that is known, else by ours as it was sent. */
static void put_id(struct params *params, struct binance *binance, const struct weir_intent *intent,
                   const char *venue_name, const char *client_name)
{
    const struct live *live = orders_find(&binance->orders->orders, intent->client_id);
    const char *client_id = live && live->sent[0] ? live->sent : intent->client_id;
    const char *venue_id = live && live->alias[0] ? live->alias : intent->venue_id;
    bool digits = venue_id[0] && strspn(venue_id, "0123456789") == strlen(venue_id);
    if (digits)
        params_word(params, venue_name, venue_id);
    else
        params_text(params, client_name, client_id);
}

static bool is_algo(struct binance *binance, const struct weir_intent *intent)
{
    const struct live *live = orders_find(&binance->orders->orders, intent->client_id);
    return live ? live->algo && !live->alias[0]
                : binance->market == MARKET_USDM && has_trigger(intent->type);
}

static enum weir_err cancel(struct binance *binance, const struct symbol *symbol,
                            const struct weir_intent *intent, weir_ns now)
{
    struct params params = {.count = 0};
    bool algo = is_algo(binance, intent);
    struct pending *pending = pending_of(binance, algo ? DO_CANCEL_ALGO : DO_CANCEL, intent, now);
    if (!pending)
        return WEIR_E_FULL;
    if (algo) {
        put_id(&params, binance, intent, "algoId", "clientAlgoId");
    } else {
        params_text(&params, "symbol", symbol->name);
        put_id(&params, binance, intent, "orderId", "origClientOrderId");
    }
    return call(binance, pending, &params, now);
}

static enum weir_err cancel_all(struct binance *binance, const struct symbol *symbol,
                                const struct weir_intent *intent, weir_ns now)
{
    struct params params = {.count = 0};
    struct pending *pending = pending_of(binance, DO_CANCEL_ALL, intent, now);
    if (!pending)
        return WEIR_E_FULL;
    params_text(&params, "symbol", symbol->name);
    return call(binance, pending, &params, now);
}

/* --- amendments ------------------------------------------------------------------------------- */

static enum weir_err modify(struct binance *binance, const struct symbol *symbol,
                            const struct weir_intent *intent, struct params *params, weir_ns now)
{
    struct pending *pending = pending_of(binance, DO_MODIFY, intent, now);
    if (!pending)
        return WEIR_E_FULL;
    params_text(params, "symbol", symbol->name);
    params_text(params, "side", side_word(intent->side));
    params_decimal(params, "quantity", intent->qty, symbol->qty_exp);
    params_decimal(params, "price", intent->px, symbol->px_exp);
    put_id(params, binance, intent, "orderId", "origClientOrderId");
    return call(binance, pending, params, now);
}

static enum weir_err reduce(struct binance *binance, const struct symbol *symbol,
                            const struct weir_intent *intent, struct params *params, weir_ns now)
{
    struct pending *pending = pending_of(binance, DO_REDUCE, intent, now);
    if (!pending)
        return WEIR_E_FULL;
    params_text(params, "symbol", symbol->name);
    put_id(params, binance, intent, "orderId", "origClientOrderId");
    if (intent->new_client_id[0])
        params_text(params, "newClientOrderId", intent->new_client_id);
    params_decimal(params, "newQty", intent->qty, symbol->qty_exp);
    return call(binance, pending, params, now);
}

/* The new order begins with nothing filled: it may take the place of one that has nothing filled, and
 * the venue is told to make sure of it (ONLY_NEW). */
static enum weir_err cancel_replace(struct binance *binance, const struct symbol *symbol,
                                    const struct weir_intent *intent, struct params *params,
                                    weir_ns now)
{
    if (intent->cum_qty > 0 || !can_place(binance->market, intent) || has_trigger(intent->type) ||
        intent->flags & WEIR_QUOTE_QTY || !intent->new_client_id[0])
        return WEIR_E_UNSUPPORTED;
    struct pending *pending = pending_of(binance, DO_REPLACE, intent, now);
    if (!pending)
        return WEIR_E_FULL;
    put_order(params, binance, symbol, intent, intent->qty);
    params_text(params, "newClientOrderId", intent->new_client_id);
    params_text(params, "cancelReplaceMode", "STOP_ON_FAILURE");
    params_text(params, "cancelRestrictions", "ONLY_NEW");
    put_id(params, binance, intent, "cancelOrderId", "cancelOrigClientOrderId");
    return call(binance, pending, params, now);
}

static enum weir_err amend(struct binance *binance, const struct symbol *symbol,
                           const struct weir_intent *intent, weir_ns now)
{
    struct params params = {.count = 0};
    struct live *live = orders_find(&binance->orders->orders, intent->client_id);
    if (intent->qty <= 0 || intent->px <= 0 || intent->side > WEIR_SELL)
        return WEIR_E_UNSUPPORTED;
    if (is_algo(binance, intent))
        return WEIR_E_UNSUPPORTED; /* the venue cannot amend one that waits for its trigger */
    if (live)
        memcpy(live->next_id, intent->new_client_id, sizeof live->next_id);
    enum weir_err err;
    if (binance->market == MARKET_USDM)
        err = modify(binance, symbol, intent, &params, now);
    else if (live && live->px == intent->px && intent->qty < live->qty)
        err = reduce(binance, symbol, intent, &params, now);
    else
        err = cancel_replace(binance, symbol, intent, &params, now);
    if (err && live)
        live->next_id[0] = '\0';
    return err;
}

/* --- questions -------------------------------------------------------------------------------- */

/* While a replacement is open, the order is looked for under the name that it may have by now first:
 * to see the old one canceled says nothing. */
static enum weir_err query(struct binance *binance, const struct symbol *symbol,
                           const struct weir_intent *intent, weir_ns now)
{
    struct params params = {.count = 0};
    const struct live *live = orders_find(&binance->orders->orders, intent->client_id);
    bool algo = is_algo(binance, intent);
    bool renamed = live && live->next_id[0] && binance->market == MARKET_SPOT;
    struct pending *pending = pending_of(binance, algo ? DO_QUERY_ALGO : DO_QUERY, intent, now);
    if (!pending)
        return WEIR_E_FULL;
    if (renamed)
        memcpy(pending->new_id, live->next_id, sizeof pending->new_id);
    if (!algo)
        params_text(&params, "symbol", symbol->name);
    if (renamed)
        params_text(&params, "origClientOrderId", live->next_id);
    else
        put_id(&params, binance, intent, algo ? "algoId" : "orderId",
               algo ? "clientAlgoId" : "origClientOrderId");
    return call(binance, pending, &params, now);
}

enum weir_err trade_intent(struct binance *binance, const struct weir_intent *intent, weir_ns now)
{
    struct symbol *symbol = symbol_numbered(binance, intent->msg.instrument);
    if (!binance->orders->key[0])
        return WEIR_E_UNSUPPORTED;
    if (intent->msg.kind == WEIR_RECONCILE)
        return recon_begin(binance, intent->t_since, now);
    if (intent->msg.kind == WEIR_QUERY_FILLS)
        return ask_fills(binance, intent->msg.instrument, intent->t_since, 0, 0, FOR_NOBODY, now);
    if (!symbol)
        return WEIR_E_NOT_FOUND;
    switch (intent->msg.kind) {
    case WEIR_NEW: return place(binance, symbol, intent, now);
    case WEIR_CANCEL: return cancel(binance, symbol, intent, now);
    case WEIR_REPLACE: return amend(binance, symbol, intent, now);
    case WEIR_CANCEL_ALL: return cancel_all(binance, symbol, intent, now);
    case WEIR_QUERY_ORDER: return query(binance, symbol, intent, now);
    default: return WEIR_E_UNSUPPORTED;
    }
}
