/* binance.c - Binance: spot, USD-M and COIN-M futures, market data; snapshots, rules, what comes and is asked.
 *
 * One session is one market. It asks for diffs, best prices and trades of the symbols that its
 * settings name, on combined streams, and for a snapshot of each book when its stream is up; the
 * host's book machine joins them and asks again (RESYNC) when they do not meet. Without symbols it
 * takes whatever comes: that is how recordings are read.
 *
 *   settings   market    spot | usdm | cm                                           spot
 *              symbols   BTCUSDT,ETHUSDT                                            none: all
 *              depth     100ms | 500ms | 250ms | 1000ms, as the market offers       100ms
 *              trades    trade | aggTrade                            the market's documented one
 *              and those of order entry (trade.c)
 *
 * Numbers of requests and timers: what is asked (1 << 24 ...) plus the symbol's number. */
#include <stdio.h>
#include <stdlib.h>

#include "trade.h"

enum { ASK_DEPTH = 1 << 24, ASK_INFO = 2 << 24, ASK_NUMBER = (1 << 24) - 1 };
enum { BOOK_FIRST_ROOM = 4096 };
#define SECOND      ((weir_ns)1000000000)
#define RULES_EVERY (3600 * SECOND)
#define RULES_AGAIN (10 * SECOND)

/* clang-format off */
const struct market_row markets[MARKET_COUNT] = {
    [MARKET_SPOT] = {"spot", WEIR_RULE_RANGE_NEXT, WEIR_SPOT,
                     "/api/v3/depth?limit=1000&symbol=",  "/api/v3/exchangeInfo",  50, 20,
                     "/stream?streams=",        NULL,                      "trade"},
    [MARKET_USDM] = {"usdm", WEIR_RULE_RANGE_PREV, WEIR_LINEAR,
                     "/fapi/v1/depth?limit=1000&symbol=", "/fapi/v1/exchangeInfo", 20, 1,
                     "/public/stream?streams=", "/market/stream?streams=", "aggTrade"},
    [MARKET_CM]   = {"cm",   WEIR_RULE_RANGE_PREV, WEIR_INVERSE,
                     "/dapi/v1/depth?limit=1000&symbol=", "/dapi/v1/exchangeInfo", 20, 1,
                     "/stream?streams=",        NULL,                      "aggTrade"},
};
/* clang-format on */

/* A line for the operator: what is wrong, and what was found. */
static void say(const struct binance *binance, const char *what, const char *found)
{
    char line[240];
    (void)snprintf(line, sizeof line, "binance: %s, found \"%s\"", what, found);
    if (binance->host->log)
        binance->host->log(binance->host->host, line);
}

/* --- settings -------------------------------------------------------------------------------- */

static enum weir_err set_market(struct binance *binance, const char *value)
{
    for (int i = 0; i < MARKET_COUNT; i++)
        if (strcmp(value, markets[i].name) == 0) {
            binance->market = (enum market)i;
            return WEIR_OK;
        }
    say(binance, "market: expected spot, usdm or cm", value);
    return WEIR_E_BAD_CONFIG;
}

static enum weir_err set_depth(struct binance *binance, const char *value)
{
    static const char *const speeds[] = {"100ms", "250ms", "500ms", "1000ms"};
    for (size_t i = 0; i < sizeof speeds / sizeof speeds[0]; i++)
        if (strcmp(value, speeds[i]) == 0) {
            binance->depth_speed = speeds[i];
            return WEIR_OK;
        }
    say(binance, "depth: expected 100ms, 250ms, 500ms or 1000ms", value);
    return WEIR_E_BAD_CONFIG;
}

static enum weir_err set_trades(struct binance *binance, const char *value)
{
    static const char *const streams[] = {"trade", "aggTrade"};
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++)
        if (strcmp(value, streams[i]) == 0) {
            binance->trades = streams[i];
            return WEIR_OK;
        }
    say(binance, "trades: expected trade or aggTrade", value);
    return WEIR_E_BAD_CONFIG;
}

/* Names between commas or spaces; small letters are taken as capitals. The market is known. */
static enum weir_err set_symbols(struct binance *binance, const char *value)
{
    while (*value) {
        size_t len = strcspn(value, ", ");
        char name[WEIR_SYMBOL_MAX];
        for (size_t i = 0; i < len && i < sizeof name; i++)
            name[i] = value[i] >= 'a' && value[i] <= 'z' ? (char)(value[i] - 32) : value[i];
        struct symbol *symbol =
            len < sizeof name ? symbols_get(&binance->symbols, binance->market, name, len) : NULL;
        if (len > 0 && !symbol) {
            say(binance, "symbols: expected names such as BTCUSDT, with commas between them",
                value);
            return WEIR_E_BAD_CONFIG;
        }
        if (symbol)
            symbol->wanted = binance->only_wanted = true;
        value += len + (value[len] != '\0');
    }
    return WEIR_OK;
}

static enum weir_err set_of_orders(struct binance *binance, const struct weir_setting *setting)
{
    const char *expected = "";
    enum weir_err err = trade_setting(binance, setting->name, setting->value, &expected);
    if (err == WEIR_E_NOT_FOUND)
        say(binance,
            "expected the settings market, symbols, depth, trades, key, sign, orders, recv_window, "
            "cancel_after and errors",
            setting->name);
    else if (err != WEIR_OK)
        say(binance, expected, setting->value);
    return err == WEIR_E_NOT_FOUND ? WEIR_E_BAD_CONFIG : err;
}

static enum weir_err set_all(struct binance *binance, const struct weir_setting *settings)
{
    const char *symbols = "";
    enum weir_err err = WEIR_OK;
    for (; settings && settings->name && err == WEIR_OK; settings++) {
        if (strcmp(settings->name, "market") == 0)
            err = set_market(binance, settings->value);
        else if (strcmp(settings->name, "depth") == 0)
            err = set_depth(binance, settings->value);
        else if (strcmp(settings->name, "trades") == 0)
            err = set_trades(binance, settings->value);
        else if (strcmp(settings->name, "symbols") == 0)
            symbols = settings->value;
        else
            err = set_of_orders(binance, settings);
    }
    if (!binance->trades)
        binance->trades = markets[binance->market].trades;
    return err == WEIR_OK ? set_symbols(binance, symbols) : err;
}

static void close_session(void *session)
{
    struct binance *binance = session;
    if (!binance)
        return;
    for (uint32_t i = 0; i < binance->channel_count; i++)
        free(binance->channels[i].held);
    free(binance->channels);
    free(binance->book);
    symbols_fini(&binance->symbols);
    trade_close(binance);
    free(binance);
}

static enum weir_err open_session(const struct weir_host *host, const struct weir_setting *settings,
                                  void **session_out)
{
    struct binance *binance = calloc(1, sizeof *binance);
    if (!binance)
        return WEIR_E_NO_MEMORY;
    binance->host = host;
    binance->depth_speed = "100ms";
    enum weir_err err = trade_begin(binance);
    if (err == WEIR_OK)
        err = symbols_init(&binance->symbols);
    if (err == WEIR_OK && !book_room(binance, BOOK_FIRST_ROOM))
        err = WEIR_E_NO_MEMORY;
    if (err == WEIR_OK)
        err = set_all(binance, settings);
    if (err == WEIR_OK)
        err = trade_open(binance);
    if (err == WEIR_OK)
        *session_out = binance;
    else
        close_session(binance);
    return err;
}

/* --- asking ---------------------------------------------------------------------------------- */

enum weir_err ask_depth(struct binance *binance, struct symbol *symbol, weir_ns now)
{
    char path[96];
    if (symbol->asked)
        return WEIR_OK;
    (void)snprintf(path, sizeof path, "%s%s", markets[binance->market].depth, symbol->name);
    struct weir_request_http request = {
        .size = sizeof request,
        .id = ASK_DEPTH | symbol->number,
        .method = "GET",
        .path = path,
        .weight = markets[binance->market].depth_weight,
        .idempotent = 1,
        .timeout = 10 * SECOND,
    };
    enum weir_err err = binance->host->request(binance->host->host, &request);
    symbol->asked = err == WEIR_OK;
    if (err == WEIR_E_FULL)
        err = binance->host->timer(binance->host->host, ASK_DEPTH | symbol->number, now + SECOND);
    return err == WEIR_E_DOWN ? WEIR_OK : err; /* no network: the recording has its snapshots */
}

static enum weir_err ask_info(struct binance *binance)
{
    struct weir_request_http request = {
        .size = sizeof request,
        .id = ASK_INFO,
        .method = "GET",
        .path = markets[binance->market].info,
        .weight = markets[binance->market].info_weight,
        .idempotent = 1,
        .timeout = 30 * SECOND,
    };
    enum weir_err err = binance->host->request(binance->host->host, &request);
    return err == WEIR_E_DOWN ? WEIR_OK : err;
}

enum weir_err rules_again(struct binance *binance, weir_ns now)
{
    weir_ns at = binance->rules_asked + RULES_AGAIN;
    return binance->host->timer(binance->host->host, ASK_INFO, at > now ? at : now);
}

/* Try again after 1, 2, 4 ... 32 s. */
static enum weir_err later(struct binance *binance, uint32_t id, uint8_t *tries, weir_ns now)
{
    weir_ns wait = SECOND << *tries;
    *tries = (uint8_t)(*tries < 5 ? *tries + 1 : 5);
    return binance->host->timer(binance->host->host, id, now + wait);
}

static enum weir_err start(void *session, weir_ns now)
{
    struct binance *binance = session;
    enum weir_err begun = login_start(binance, now);
    if (begun != WEIR_OK)
        return begun;
    enum weir_err err = market_parts(binance) > 0 ? ask_info(binance) : WEIR_OK;
    return err == WEIR_OK ? market_start(binance, now) : err;
}

/* --- what arrives ---------------------------------------------------------------------------- */

/* The state of connection conn, made at its first sign. NULL: no memory, or too many. */
static struct channel *channel_of(struct binance *binance, uint32_t conn)
{
    if (conn < binance->channel_count)
        return &binance->channels[conn];
    if (conn >= CHANNELS_MAX)
        return NULL;
    uint32_t count = conn + 8;
    struct channel *channels = realloc(binance->channels, count * sizeof *channels);
    if (!channels)
        return NULL;
    memset(channels + binance->channel_count, 0,
           (count - binance->channel_count) * sizeof *channels);
    binance->channels = channels;
    binance->channel_count = count;
    return &channels[conn];
}

static enum weir_err on_frame(void *session, uint32_t conn, weir_ns now, struct weir_bytes frame)
{
    struct binance *binance = session;
    if (is_trade_conn(conn))
        return answer_frame(binance, conn, now, frame);
    if (market_is_left(binance, conn))
        return WEIR_OK;
    struct channel *channel = channel_of(binance, conn);
    return channel ? decode_frame(binance, channel, frame) : WEIR_E_FULL;
}

/* A connection that is new knows no symbol yet. Books are asked for when their stream is up. */
static enum weir_err on_conn(void *session, uint32_t conn, weir_ns now, int up)
{
    struct binance *binance = session;
    if (is_trade_conn(conn))
        return login_conn(binance, conn, now, up);
    struct channel *channel = channel_of(binance, conn);
    if (!channel)
        return WEIR_E_FULL;
    free(channel->held);
    *channel = (struct channel){0};
    channel->up = up != 0;
    return up ? market_up(binance, conn, now) : WEIR_OK;
}

/* Too many requests: everybody waits, by the venue's rule of thumb (the header is the host's). */
static void tell_limited(struct binance *binance, int status)
{
    struct weir_rate_limited limited = {
        .msg = {.size = sizeof limited, .kind = WEIR_RATE_LIMITED},
        .retry_after = status == 418 ? 120 * SECOND : 10 * SECOND,
        .code = status,
    };
    binance->host->emit(binance->host->host, &limited.msg);
}

static struct symbol *numbered(struct binance *binance, uint32_t number)
{
    return number > 0 && number <= binance->symbols.told
               ? &binance->symbols.rows[binance->symbols.numbers[number]]
               : NULL;
}

/* Before anything is reconciled, the host knows all that is traded here. */
static enum weir_err tell_wanted(struct binance *binance)
{
    enum weir_err err = WEIR_OK;
    for (uint32_t i = 0; i < binance->symbols.count && err == WEIR_OK; i++)
        if (binance->symbols.rows[i].wanted && binance->symbols.rows[i].number == 0)
            err = symbol_tell(binance, &binance->symbols.rows[i]);
    if (err == WEIR_OK)
        login_rules(binance);
    return err;
}

static enum weir_err on_response(void *session, uint32_t id, weir_ns now, int status,
                                 struct weir_bytes body)
{
    struct binance *binance = session;
    struct symbol *symbol = numbered(binance, id & ASK_NUMBER);
    uint8_t tries = 3; /* the rules of the symbols can wait longer */
    enum weir_err err = WEIR_E_BAD_FRAME;
    if ((id & ~(uint32_t)ASK_NUMBER) == ASK_TRADE)
        return answer(binance, id, status, body, now);
    if (status == 429 || status == 418)
        tell_limited(binance, status);
    if ((id & ~(uint32_t)ASK_NUMBER) == ASK_INFO) {
        if (status == 200)
            err = symbols_rules(binance, body);
        if (err == WEIR_OK)
            tell_budgets(binance, object_get(body, "rateLimits"));
        if (err == WEIR_OK)
            err = tell_wanted(binance);
        binance->rules_asked = now;
        return err == WEIR_OK ? binance->host->timer(binance->host->host, id, now + RULES_EVERY)
                              : later(binance, id, &tries, now);
    }
    if ((id & ~(uint32_t)ASK_NUMBER) != ASK_DEPTH || !symbol)
        return WEIR_OK;
    symbol->asked = false;
    if (status == 200)
        err = decode_snapshot(binance, NULL, symbol, body);
    if (err != WEIR_OK)
        return later(binance, id, &symbol->tries, now);
    symbol->tries = 0;
    return WEIR_OK;
}

static enum weir_err on_timer(void *session, uint32_t id, weir_ns now)
{
    struct binance *binance = session;
    struct symbol *symbol = numbered(binance, id & ASK_NUMBER);
    if ((id & ~(uint32_t)ASK_NUMBER) == ASK_INFO)
        return ask_info(binance);
    if ((id & ~(uint32_t)ASK_NUMBER) == TIMER_TRADE)
        return login_timer(binance, id & ASK_NUMBER, now);
    return (id & ~(uint32_t)ASK_NUMBER) == ASK_DEPTH && symbol ? ask_depth(binance, symbol, now)
                                                               : WEIR_OK;
}

static enum weir_err on_intent(void *session, weir_ns now, const struct weir_intent *intent)
{
    struct binance *binance = session;
    struct symbol *symbol = numbered(binance, intent->msg.instrument);
    if (intent->msg.kind != WEIR_RESYNC && intent->msg.kind != WEIR_SUBSCRIBE)
        return trade_intent(binance, intent, now);
    if (!symbol)
        return WEIR_E_NOT_FOUND;
    return intent->msg.kind == WEIR_RESYNC ? ask_depth(binance, symbol, now)
                                           : market_subscribe(binance, symbol, now);
}

/* --- recordings ------------------------------------------------------------------------------ */

static struct weir_bytes after(struct weir_bytes text, const char *word)
{
    const char *at = memmem(text.data, text.len, word, strlen(word));
    if (!at)
        return (struct weir_bytes){NULL, 0};
    at += strlen(word);
    return (struct weir_bytes){at, (size_t)(text.data + text.len - at)};
}

static enum weir_err on_recorded(void *session, weir_ns now, struct weir_bytes target,
                                 struct weir_bytes body)
{
    struct binance *binance = session;
    (void)now;
    if (after(target, "/exchangeInfo").data)
        return symbols_rules(binance, body);
    struct weir_bytes name = after(target, "symbol=");
    if (!after(target, "/depth?").data || !name.data)
        return WEIR_OK;
    const char *end = memchr(name.data, '&', name.len);
    name.len = end ? (size_t)(end - name.data) : name.len;
    struct symbol *symbol = symbols_get(&binance->symbols, binance->market, name.data, name.len);
    return symbol ? decode_snapshot(binance, NULL, symbol, body) : WEIR_E_BAD_FRAME;
}

static enum weir_err on_headers(void *session, uint32_t id, weir_ns now, int status,
                                struct weir_bytes headers)
{
    (void)id;
    return answer_headers(session, status, headers, now);
}

static enum weir_err on_query(void *session, weir_ns now, const struct weir_query *query)
{
    return trade_query(session, query, now);
}

/* Of spot and USD-M together; what one of them lacks is refused by name when it is asked for. */
static const struct weir_caps caps = {
    .size = sizeof caps,
    .order_types = 1u << WEIR_LIMIT | 1u << WEIR_MARKET | 1u << WEIR_STOP | 1u << WEIR_STOP_LIMIT |
                   1u << WEIR_TAKE_PROFIT | 1u << WEIR_TAKE_PROFIT_LIMIT,
    .tifs = 1u << WEIR_GTC | 1u << WEIR_IOC | 1u << WEIR_FOK,
    .order_flags = WEIR_POST_ONLY | WEIR_REDUCE_ONLY | WEIR_QUOTE_QTY,
    .orders = 1,
    .amend = 2,
    .cancel_all = 1,
    .query_by_client_id = 1,
    .open_orders = 1,
    .fills_since = 1,
    .dead_man = 1, /* USD-M, by symbol */
    .absence_proves_after = 10 * SECOND,
    .book_rule = WEIR_RULE_RANGE_NEXT, /* spot's; each book message names its market's */
    .client_id_max = 36,
    .data_age_max = 10 * SECOND,
};

__attribute__((visibility("default"))) const struct weir_plugin weir_plugin = {
    .magic = WEIR_MAGIC,
    .size = sizeof(struct weir_plugin),
    .abi = WEIR_ABI,
    .layout = WEIR_LAYOUT,
    .name = "binance",
    .version = "0.1.0",
    .caps = &caps,
    .open = open_session,
    .close = close_session,
    .start = start,
    .on_frame = on_frame,
    .on_conn = on_conn,
    .on_response = on_response,
    .on_timer = on_timer,
    .on_intent = on_intent,
    .probe = binance_probe,
    .on_recorded = on_recorded,
    .seq_name = "u",
    .on_headers = on_headers,
    .on_query = on_query,
};
