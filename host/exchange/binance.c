/* binance.c - paths, keys, signatures, limits; requests into calls. */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/binance.h"

enum { WEIGHT_LIMIT = 6000, ORDER_LIMIT = 100000 };

int64_t now_ms(const struct front *front)
{
    struct exchange *exchange = front->account->exchange;
    return clock_now(&exchange->clock) / 1000000 + exchange->faults.clock_ms;
}

/* --- parameters ------------------------------------------------------------------------------- */

static int hex_of(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : 0;
}

bool param(const char *text, const char *name, char *out, size_t room)
{
    size_t len = strlen(name);
    for (const char *at = text; at && *at; at = strchr(at, '&'), at += at != NULL) {
        if (strncmp(at, name, len) != 0 || at[len] != '=')
            continue;
        size_t used = 0;
        for (at += len + 1; *at && *at != '&' && used + 1 < room; at++) {
            bool coded = *at == '%' && at[1] && at[2];
            out[used++] = (char)(coded ? hex_of(at[1]) << 4 | hex_of(at[2]) : *at);
            at += coded ? 2 : 0;
        }
        out[used] = '\0';
        return true;
    }
    return false;
}

/* --- keys ------------------------------------------------------------------------------------- */

static const struct exchange_key *key_of(const struct front *front, const char *name)
{
    const struct exchange_key *keys = front->account->exchange->options->keys;
    for (; keys && keys->name; keys++)
        if (strcmp(keys->name, name) == 0)
            return keys;
    return NULL;
}

bool key_known(const struct front *front, const char *key)
{
    return key_of(front, key) != NULL;
}

static bool hmac_holds(const char *secret, const char *payload, size_t len, const char *signature)
{
    unsigned char bytes[32];
    unsigned int size = 0;
    char hex[65];
    HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)payload, len, bytes,
         &size);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    return strcmp(hex, signature) == 0;
}

/* A public key in PEM: Ed25519 or RSA; the signature is base64. */
static bool public_holds(const char *pem, const char *payload, size_t len, const char *signature)
{
    unsigned char bytes[1024];
    size_t text_len = strlen(signature);
    if (text_len % 4 != 0 || text_len > 1024)
        return false;
    int size = EVP_DecodeBlock(bytes, (const unsigned char *)signature, (int)text_len);
    for (size_t i = text_len; size > 0 && i-- > 0 && signature[i] == '=';)
        size--;
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const EVP_MD *md = key && EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
    bool holds =
        key && context && size > 0 && EVP_DigestVerifyInit(context, NULL, md, NULL, key) == 1 &&
        EVP_DigestVerify(context, bytes, (size_t)size, (const unsigned char *)payload, len) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    BIO_free(bio);
    return holds;
}

bool key_is_ed25519(const struct front *front, const char *key)
{
    const struct exchange_key *known = key_of(front, key);
    BIO *bio = known ? BIO_new_mem_buf(known->secret, -1) : NULL;
    EVP_PKEY *public = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
    bool is = public && EVP_PKEY_get_base_id(public) == EVP_PKEY_ED25519;
    EVP_PKEY_free(public);
    BIO_free(bio);
    return is;
}

bool signature_holds(const struct front *front, const char *key, const char *payload, size_t len,
                     const char *signature)
{
    const struct exchange_key *known = key_of(front, key);
    if (!known)
        return false;
    return strncmp(known->secret, "-----BEGIN", 10) == 0
               ? public_holds(known->secret, payload, len, signature)
               : hmac_holds(known->secret, payload, len, signature);
}

/* --- answers ---------------------------------------------------------------------------------- */

static void turn_over(struct front *front)
{
    int64_t now = now_ms(front);
    if (now / 60000 != front->rate.minute)
        front->rate = (struct rate){
            .minute = now / 60000, .ten = front->rate.ten, .orders = front->rate.orders};
    if (now / 10000 != front->rate.ten) {
        front->rate.ten = now / 10000;
        front->rate.orders = 0;
    }
}

static void say_limits(const struct front *front, struct text *out)
{
    text_say(out,
             "[{\"rateLimitType\":\"REQUEST_WEIGHT\",\"interval\":\"MINUTE\",\"intervalNum\":1,"
             "\"limit\":%d,\"count\":%lld},{\"rateLimitType\":\"ORDERS\",\"interval\":\"SECOND\","
             "\"intervalNum\":10,\"limit\":%d,\"count\":%lld}]",
             front->weight_limit, (long long)front->rate.used, front->order_limit,
             (long long)front->rate.orders);
}

static void send_http(struct front *front, struct reply *reply, unsigned status, int64_t retry,
                      struct weir_bytes body, weir_ns delay)
{
    char headers[256];
    int len = snprintf(headers, sizeof headers,
                       "x-mbx-used-weight-1m: %lld\nx-mbx-order-count-10s: %lld\n",
                       (long long)front->rate.used, (long long)front->rate.orders);
    if (retry > 0)
        snprintf(headers + len, sizeof headers - (size_t)len, "retry-after: %lld\n",
                 (long long)retry);
    reply_send(reply, status, headers, body, delay);
}

void answer_result(struct front *front, const struct asker *asker, const struct text *json,
                   weir_ns delay)
{
    struct text out;
    struct weir_bytes body = {json->data, json->len};
    if (asker->reply) {
        send_http(front, asker->reply, 200, 0, body, delay);
        return;
    }
    if (!asker->client)
        return;
    text_init(&out);
    text_say(&out, "{\"id\":%s,\"status\":200,\"result\":", asker->id);
    text_add(&out, json->data, json->len);
    text_say(&out, ",\"rateLimits\":");
    say_limits(front, &out);
    text_say(&out, "}");
    client_say(asker->client, text_cstr(&out), out.len, delay, false);
    text_fini(&out);
}

static void say_error(struct text *out, int code, const char *text)
{
    bool data = text[0] == '"'; /* the members of `data` */
    text_say(out, "{\"code\":%d,\"msg\":", code);
    if (data) {
        text_say(out, "\"Order cancel-replace partially failed.\",\"data\":{%s}}", text);
        return;
    }
    struct text quoted;
    text_init(&quoted);
    json_string(&quoted, text);
    text_say(out, "%s}", text_cstr(&quoted));
    text_fini(&quoted);
}

static int64_t banned_for(const struct front *front)
{
    struct exchange *exchange = front->account->exchange;
    weir_ns left = exchange->faults.ban_until - clock_now(&exchange->clock);
    return left > 0 ? left / 1000000000 + 1 : 0;
}

void answer_error(struct front *front, const struct asker *asker, unsigned status, int code,
                  const char *text)
{
    struct text out, error;
    int64_t retry = status == 429 || status == 418 ? banned_for(front) : 0;
    retry = status == 429 && retry == 0 ? 1 : retry;
    text_init(&error);
    say_error(&error, code, text);
    if (asker->reply) {
        send_http(front, asker->reply, status, retry, (struct weir_bytes){error.data, error.len},
                  0);
    } else if (asker->client) {
        text_init(&out);
        text_say(&out, "{\"id\":%s,\"status\":%u,\"error\":", asker->id, status);
        text_add(&out, error.data, error.len - (retry > 0));
        if (retry > 0)
            text_say(&out, ",\"data\":{\"serverTime\":%lld,\"retryAfter\":%lld}}",
                     (long long)now_ms(front), (long long)(now_ms(front) + retry * 1000));
        text_say(&out, ",\"rateLimits\":");
        say_limits(front, &out);
        text_say(&out, "}");
        client_say(asker->client, text_cstr(&out), out.len, 0, false);
        text_fini(&out);
    }
    text_fini(&error);
}

void answer_nothing(const struct asker *asker)
{
    if (asker->reply)
        reply_drop(asker->reply);
    else if (asker->client)
        client_end(asker->client);
}

/* --- calls ------------------------------------------------------------------------------------ */

enum call {
    CALL_PLACE = 1,
    CALL_CANCEL,
    CALL_CANCEL_ALL,
    CALL_REPLACE,
    CALL_REDUCE,
    CALL_MODIFY,
    CALL_QUERY,
    CALL_OPEN,
    CALL_ALL,
    CALL_FILLS,
    CALL_ACCOUNT,
    CALL_POSITIONS,
    CALL_NOTHING,
    CALL_ALGO,
    CALL_ALGO_CANCEL,
    CALL_ALGO_QUERY,
    CALL_ALGO_OPEN,
    CALL_COUNTDOWN,
    CALL_LISTEN,
    CALL_TIME,
    CALL_INFO,
    CALL_DEPTH,
    CALL_TRADES,
    CALL_PING,
    CALL_MARK
};

/* clang-format off */
static const struct {
    const char *method, *path, *ws; /* path after /api/v3 or /fapi/v1 (or v2, v3) */
    uint8_t call, weight;
    bool secret;
} calls[] = {
    {"POST",   "/order",                    "order.place",              CALL_PLACE,      1, true},
    {"DELETE", "/order",                    "order.cancel",             CALL_CANCEL,     1, true},
    {"DELETE", "/openOrders",               "openOrders.cancelAll",     CALL_CANCEL_ALL, 1, true},
    {"DELETE", "/allOpenOrders",            NULL,                       CALL_CANCEL_ALL, 1, true},
    {"POST",   "/order/cancelReplace",      "order.cancelReplace",      CALL_REPLACE,    1, true},
    {"PUT",    "/order/amend/keepPriority", "order.amend.keepPriority", CALL_REDUCE,     4, true},
    {"PUT",    "/order",                    "order.modify",             CALL_MODIFY,     1, true},
    {"GET",    "/order",                    "order.status",             CALL_QUERY,      4, true},
    {"GET",    "/openOrders",               "openOrders.status",        CALL_OPEN,       6, true},
    {"GET",    "/allOrders",                "allOrders",                CALL_ALL,       20, true},
    {"GET",    "/myTrades",                 "myTrades",                 CALL_FILLS,     20, true},
    {"GET",    "/userTrades",               NULL,                       CALL_FILLS,      5, true},
    {"GET",    "/account",                  "account.status",           CALL_ACCOUNT,   20, true},
    {"GET",    "/positionRisk",             "account.position",         CALL_POSITIONS,  5, true},
    {"POST",   "/algoOrder",                NULL,                       CALL_ALGO,       1, true},
    {"DELETE", "/algoOrder",                NULL,                       CALL_ALGO_CANCEL, 1, true},
    {"GET",    "/algoOrder",                NULL,                       CALL_ALGO_QUERY, 1, true},
    {"GET",    "/openAlgoOrders",           NULL,                       CALL_ALGO_OPEN,  1, true},
    {"POST",   "/countdownCancelAll",       NULL,                       CALL_COUNTDOWN, 10, true},
    {"GET",    "/income",                   NULL,                       CALL_NOTHING,   30, true},
    {"POST",   "/listenKey",                "userDataStream.start",     CALL_LISTEN,     1, false},
    {"PUT",    "/listenKey",                "userDataStream.ping",      CALL_LISTEN,     1, false},
    {"DELETE", "/listenKey",                "userDataStream.stop",      CALL_LISTEN,     1, false},
    {"GET",    "/time",                     "time",                     CALL_TIME,       1, false},
    {"GET",    "/ping",                     "ping",                     CALL_PING,       1, false},
    {"GET",    "/exchangeInfo",             "exchangeInfo",             CALL_INFO,      20, false},
    {"GET",    "/depth",                    "depth",                    CALL_DEPTH,     50, false},
    {"GET",    "/aggTrades",                "trades.aggregate",         CALL_TRADES,     4, false},
};
/* clang-format on */
enum { CALLS = sizeof calls / sizeof calls[0] };

/* method NULL: `what` is the WebSocket API's name; else the end of the path. */
static size_t find(const char *method, const char *what)
{
    size_t i = 0;
    while (i < CALLS &&
           !(method ? strcmp(calls[i].method, method) == 0 && strcmp(calls[i].path, what) == 0
                    : calls[i].ws && strcmp(calls[i].ws, what) == 0))
        i++;
    return i;
}

bool time_holds(struct front *front, const char *params, const struct asker *asker)
{
    char text[32];
    int64_t t = 0, window = 5000, now = now_ms(front);
    if (param(params, "recvWindow", text, sizeof text))
        (void)!decimal_parse(text, strlen(text), 0, &window);
    if (param(params, "timestamp", text, sizeof text) &&
        !decimal_parse(text, strlen(text), 0, &t) && t <= now + 1000 && now - t <= window)
        return true;
    answer_error(front, asker, 400, -1021,
                 "Timestamp for this request is outside of the recvWindow.");
    return false;
}

/* The limits, and a window of time that the request is good for. False: answered with a refusal. */
static bool may(struct front *front, size_t i, const char *params, const struct asker *asker)
{
    turn_over(front);
    front->rate.used += calls[i].weight;
    front->rate.orders +=
        calls[i].call == CALL_PLACE || calls[i].call == CALL_ALGO || calls[i].call == CALL_REPLACE;
    if (banned_for(front) > 0) {
        answer_error(front, asker, 418, -1003, "Way too much request weight used; IP banned.");
        return false;
    }
    if (front->rate.used > front->weight_limit || front->rate.orders > front->order_limit) {
        answer_error(front, asker, 429, front->rate.used > front->weight_limit ? -1003 : -1015,
                     "Too many requests.");
        return false;
    }
    if (front->account->exchange->faults.maintenance_until >
        clock_now(&front->account->exchange->clock)) {
        answer_error(front, asker, 503, -1001, "System is under maintenance.");
        return false;
    }
    return !calls[i].secret || time_holds(front, params, asker);
}

__attribute__((format(printf, 3, 4))) static void say(struct front *front,
                                                      const struct asker *asker, const char *format,
                                                      ...)
{
    char line[200];
    struct text out;
    va_list args;
    va_start(args, format);
    int len = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    text_init(&out);
    text_add(&out, line, (size_t)len);
    answer_result(front, asker, &out, 0);
    text_fini(&out);
}

static void run(struct front *front, enum call call, const char *params, const struct asker *asker)
{
    switch (call) {
    case CALL_PLACE: binance_place(front, params, asker); break;
    case CALL_CANCEL: binance_cancel(front, params, asker); break;
    case CALL_CANCEL_ALL: binance_cancel_all(front, params, asker); break;
    case CALL_REPLACE: binance_replace(front, params, asker); break;
    case CALL_REDUCE: binance_modify(front, params, asker, true); break;
    case CALL_MODIFY: binance_modify(front, params, asker, false); break;
    case CALL_QUERY: binance_query(front, params, asker); break;
    case CALL_OPEN: orders_list(front, params, asker, true); break;
    case CALL_ALL: orders_list(front, params, asker, false); break;
    case CALL_FILLS: fills_list(front, params, asker); break;
    case CALL_ACCOUNT: account_query(front, asker, false); break;
    case CALL_POSITIONS: account_query(front, asker, true); break;
    case CALL_LISTEN:
        say(front, asker, "{\"listenKey\":\"weirlistenkey%lld\"}", (long long)front->listen_key);
        break;
    case CALL_TIME: say(front, asker, "{\"serverTime\":%lld}", (long long)now_ms(front)); break;
    case CALL_INFO: market_info(front, asker); break;
    case CALL_DEPTH: market_depth(front, params, asker); break;
    case CALL_TRADES: market_trades(front, params, asker); break;
    case CALL_ALGO: algo_place(front, params, asker); break;
    case CALL_ALGO_CANCEL: algo_cancel(front, params, asker); break;
    case CALL_ALGO_QUERY: algo_query(front, params, asker); break;
    case CALL_ALGO_OPEN: algo_list(front, params, asker); break;
    case CALL_COUNTDOWN: countdown_set(front, params, asker); break;
    case CALL_NOTHING:
    case CALL_PING:
    case CALL_MARK: say(front, asker, "[]"); break;
    }
}

static bool call_as(struct front *front, const char *method, const char *what, const char *params,
                    const struct asker *asker, bool secret)
{
    size_t i = find(method, what);
    if (i == CALLS || calls[i].secret != secret)
        return false;
    if (may(front, i, params, asker))
        run(front, (enum call)calls[i].call, params, asker);
    return true;
}

bool call_signed(struct front *front, const char *method, const char *what, const char *params,
                 const struct asker *asker)
{
    return call_as(front, method, what, params, asker, true);
}

bool call_public(struct front *front, const char *method, const char *what, const char *params,
                 const struct asker *asker)
{
    return call_as(front, method, what, params, asker, false);
}

/* --- HTTP ------------------------------------------------------------------------------------- */

/* "/api/v3/order" into its face and "/order"; NULL: it is another's. */
static const char *split(const char *path, enum face *face_out)
{
    bool spot = strncmp(path, "/api/v", 6) == 0, usdm = strncmp(path, "/fapi/v", 7) == 0;
    const char *at = spot ? path + 6 : usdm ? path + 7 : NULL;
    *face_out = usdm ? FACE_USDM : FACE_SPOT;
    return at && *at >= '1' && *at <= '3' && at[1] == '/' ? at + 1 : NULL;
}

/* All parameters in the order in which they are signed, without the signature. */
static size_t signed_part(const char *query, const char *body, char *out, size_t room,
                          char *signature, size_t signature_room)
{
    int len = snprintf(out, room, "%s%s", query, body);
    char *mark = strstr(out, "&signature=");
    signature[0] = '\0';
    if (len < 0 || (size_t)len >= room || !mark)
        return 0;
    (void)param(mark + 1, "signature", signature, signature_room);
    *mark = '\0';
    return (size_t)(mark - out);
}

static void request(struct front *front, const struct wire_request *request, struct reply *reply)
{
    char payload[8192], signature[512];
    struct asker asker = {.reply = reply};
    const char *what = split(request->path, &asker.face);
    size_t len = signed_part(request->query, request->body, payload, sizeof payload, signature,
                             sizeof signature);
    if (!what) {
        answer_error(front, &asker, 404, -1000, "There is nothing at this path.");
        return;
    }
    char both[8192];
    snprintf(both, sizeof both, "%s%s%s", request->query,
             request->query[0] && request->body[0] ? "&" : "", request->body);
    if (call_public(front, request->method, what, both, &asker))
        return;
    if (!key_known(front, request->key))
        answer_error(front, &asker, 401, -2015, "Invalid API-key, IP, or permissions for action.");
    else if (len == 0 || !signature_holds(front, request->key, payload, len, signature))
        answer_error(front, &asker, 400, -1022, "Signature for this request is not valid.");
    else if (!call_signed(front, request->method, what, both, &asker))
        answer_error(front, &asker, 404, -1000, "There is nothing at this path.");
}

static void gone(struct front *front, const struct reply *reply)
{
    orders_forget(front, NULL, reply);
}

/* --- life ------------------------------------------------------------------------------------- */

static bool owns(const char *path)
{
    static const char *const heads[] = {"/api/v",      "/fapi/v",  "/ws-api/v3",
                                        "/ws-fapi/v1", "/stream",  "/ws",
                                        "/public/",    "/market/", "/private/"};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        if (strncmp(path, heads[i], strlen(heads[i])) == 0)
            return true;
    return false;
}

static struct front *create(struct account *account)
{
    struct front *front = calloc(1, sizeof *front);
    if (!front)
        return NULL;
    front->account = account;
    front->order_limit = ORDER_LIMIT;
    front->weight_limit = WEIGHT_LIMIT;
    if (account->exchange->options->weight > 0)
        front->weight_limit = (int)account->exchange->options->weight;
    front->listen_key = (uint64_t)clock_now(&account->exchange->clock) / 1000;
    front->next_order = (uint64_t)clock_now(&account->exchange->clock) / 1000000; /* of this life */
    front->next_fill = front->first_fill = front->next_order;
    for (size_t i = 0; i < SYMBOL_COUNT; i++)
        front->listed[i].seq = front->next_order;
    return front;
}

static void destroy(struct front *front)
{
    if (!front)
        return;
    while (front->orders) {
        struct venue_order *order = front->orders;
        front->orders = order->next;
        free(order);
    }
    while (front->algos) {
        struct venue_order *algo = front->algos;
        front->algos = algo->next;
        free(algo);
    }
    for (size_t i = 0; i < WAITS_MAX; i++)
        if (front->waits[i].what)
            text_fini(&front->waits[i].canceled);
    market_fini(front);
    free(front->fills);
    free(front->numbered);
    free(front);
}

static void event(struct front *front, const struct weir_msg *event)
{
    market_event(front, event);
    orders_event(front, event);
}

static void settled(struct front *front, weir_ns now)
{
    triggers_settled(front, now);
    orders_settled(front);
    ws_settled(front, now);
}

static weir_ns next(const struct front *front)
{
    weir_ns connection = ws_next(front), countdown = triggers_next(front);
    return connection < countdown ? connection : countdown;
}

const struct wire wire_binance = {.name = "binance",
                                  .owns = owns,
                                  .create = create,
                                  .destroy = destroy,
                                  .request = request,
                                  .gone = gone,
                                  .opened = ws_opened,
                                  .message = ws_message,
                                  .closed = ws_closed,
                                  .rename = binance_rename,
                                  .event = event,
                                  .settled = settled,
                                  .next = next};
