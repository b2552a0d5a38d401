/* call.c - an action onto the wire: its parameters in the form that the road wants, signed.
 *
 *   WebSocket API   {"id","method","params":{...}}, parameters sorted by name; the signature is over
 *                   "name=value" joined with '&', as they are in UTF-8; none on a logged-on session
 *   HTTP            a query or, with POST and PUT, a body; percent-encoded before it is signed
 *
 * Orders go over the WebSocket API while it is ready, and over HTTP while it is not. A request is sent
 * once: when no answer comes, the truth is that there was none. */
#include <stdio.h>

#include "trade.h"

/* Who asked has long gone on without an answer: its place is free. */
#define GIVEN_UP_AFTER ((weir_ns)600 * 1000000000)

enum { WIRE_MAX = 4096, SIGNED_MAX = 3072, SIGNATURE_ROOM = 1024 };

/* --- parameters ------------------------------------------------------------------------------- */

static void put(struct params *params, const char *name, const char *text, bool bare)
{
    size_t len = strlen(text) + 1;
    if (params->count == PARAMS_MAX || len > sizeof params->room - params->used) {
        params->bad = true;
        return;
    }
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at < ' ' || *at == '"' || *at == '\\' || *at == 0x7f)
            params->bad = true;
    char *to = params->room + params->used;
    memcpy(to, text, len);
    params->used += len;
    params->list[params->count].name = name;
    params->list[params->count].text = to;
    params->list[params->count++].bare = bare;
}

void params_text(struct params *params, const char *name, const char *text)
{
    put(params, name, text, false);
}

void params_word(struct params *params, const char *name, const char *text)
{
    put(params, name, text, true);
}

void params_int(struct params *params, const char *name, int64_t value)
{
    char text[24];
    char *at = text + sizeof text;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    *--at = '\0';
    do
        *--at = (char)('0' + left % 10);
    while (left /= 10);
    if (value < 0)
        *--at = '-';
    put(params, name, at, true);
}

/* Without zeros at its end, as the venue's own clients write it. */
void params_decimal(struct params *params, const char *name, int64_t value, int exp)
{
    char text[48];
    char *at = text + sizeof text;
    uint64_t left = value < 0 ? 0 : (uint64_t)value;
    bool kept = false;
    if (value < 0)
        params->bad = true;
    *--at = '\0';
    for (int i = 0; i < exp; i++, left /= 10) {
        if (kept || left % 10)
            *--at = (char)('0' + left % 10);
        kept |= left % 10 != 0;
    }
    if (kept)
        *--at = '.';
    do
        *--at = (char)('0' + left % 10);
    while (left /= 10);
    put(params, name, at, false);
}

static void sort(struct params *params)
{
    for (size_t i = 1; i < params->count; i++)
        for (size_t j = i; j > 0 && strcmp(params->list[j - 1].name, params->list[j].name) > 0;
             j--) {
            __typeof__(params->list[0]) swap = params->list[j];
            params->list[j] = params->list[j - 1];
            params->list[j - 1] = swap;
        }
}

/* --- a text that grows ------------------------------------------------------------------------ */

struct wire {
    char text[WIRE_MAX];
    size_t len;
    bool full;
};

static void add_bytes(struct wire *wire, const char *bytes, size_t len)
{
    if (len >= sizeof wire->text - wire->len) {
        wire->full = true;
        return;
    }
    memcpy(wire->text + wire->len, bytes, len);
    wire->len += len;
    wire->text[wire->len] = '\0';
}

static void add(struct wire *wire, const char *text)
{
    add_bytes(wire, text, strlen(text));
}

static void add_escaped(struct wire *wire, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '_' || c == '.' || c == '~';
        char code[3] = {'%', digits[c >> 4], digits[c & 15]};
        add_bytes(wire, plain ? text : code, plain ? 1 : 3);
    }
}

static void add_pairs(struct wire *wire, const struct params *params, bool escaped)
{
    for (size_t i = 0; i < params->count; i++) {
        if (i > 0)
            add(wire, "&");
        add(wire, params->list[i].name);
        add(wire, "=");
        if (escaped)
            add_escaped(wire, params->list[i].text);
        else
            add(wire, params->list[i].text);
    }
}

/* --- signatures ------------------------------------------------------------------------------- */

static void to_hex(const unsigned char *bytes, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = '\0';
}

static void to_base64(const unsigned char *bytes, size_t len, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3) {
        uint32_t three = (uint32_t)bytes[i] << 16;
        three |= i + 1 < len ? (uint32_t)bytes[i + 1] << 8 : 0;
        three |= i + 2 < len ? bytes[i + 2] : 0u;
        *out++ = digits[three >> 18];
        *out++ = digits[three >> 12 & 63];
        *out++ = i + 1 < len ? digits[three >> 6 & 63] : '=';
        *out++ = i + 2 < len ? digits[three & 63] : '=';
    }
    *out = '\0';
}

/* HMAC as hex, the others as base64. */
static enum weir_err sign(const struct binance *binance, const struct wire *payload,
                          char out[SIGNATURE_ROOM])
{
    const struct trade *trade = binance->orders;
    unsigned char bytes[512];
    size_t len = sizeof bytes;
    if (payload->full)
        return WEIR_E_FULL;
    enum weir_err err =
        binance->host->sign(binance->host->host, trade->key, trade->algorithm,
                            (struct weir_bytes){payload->text, payload->len}, bytes, &len);
    if (err)
        return err;
    if (strncmp(trade->algorithm, "hmac", 4) == 0)
        to_hex(bytes, len, out);
    else
        to_base64(bytes, len, out);
    return WEIR_OK;
}

static void stamp(struct binance *binance, struct params *params, weir_ns now)
{
    weir_ns ahead = binance->host->venue_clock(binance->host->host, 0, 0, 0);
    params_int(params, "recvWindow", binance->orders->window);
    params_int(params, "timestamp", (now + ahead) / 1000000);
}

/* --- the WebSocket API ------------------------------------------------------------------------ */

static enum weir_err add_signature(struct binance *binance, struct params *params)
{
    struct wire payload = {.len = 0};
    char signature[SIGNATURE_ROOM];
    char id[KEY_ID_ROOM];
    enum weir_err err =
        binance->host->key_id(binance->host->host, binance->orders->key, id, sizeof id);
    if (err)
        return err;
    params_text(params, "apiKey", id);
    sort(params);
    add_pairs(&payload, params, false);
    err = sign(binance, &payload, signature);
    if (!err)
        params_text(params, "signature", signature);
    return err;
}

/* On a session that is logged on, only the log-on itself is signed. */
static bool is_signed(const struct binance *binance, uint32_t conn, enum action action)
{
    return action == DO_LOGON || !(binance->orders->logged_on && conn == binance->orders->conn);
}

static const char *method_of(const struct binance *binance, const struct action_row *row,
                             enum action action)
{
    bool hmac = strcmp(binance->orders->algorithm, "ed25519") != 0;
    return action == DO_HEAR && hmac ? "userDataStream.subscribe.signature" : row->ws;
}

static enum weir_err write_frame(struct binance *binance, uint32_t conn,
                                 const struct action_row *row, const struct pending *pending,
                                 struct params *params, struct wire *wire, weir_ns now)
{
    char id[24];
    enum action action = (enum action)pending->action;
    enum weir_err err = WEIR_OK;
    bool hears_session = action == DO_HEAR && strcmp(binance->orders->algorithm, "ed25519") == 0;
    if (row->secret && !hears_session) {
        stamp(binance, params, now);
        if (is_signed(binance, conn, action))
            err = add_signature(binance, params);
        else
            sort(params);
    }
    if (err)
        return err;
    (void)snprintf(id, sizeof id, "%u", pending->id);
    add(wire, "{\"id\":\"");
    add(wire, id);
    add(wire, "\",\"method\":\"");
    add(wire, method_of(binance, row, action));
    add(wire, "\",\"params\":{");
    for (size_t i = 0; i < params->count; i++) {
        add(wire, i > 0 ? ",\"" : "\"");
        add(wire, params->list[i].name);
        add(wire, params->list[i].bare ? "\":" : "\":\"");
        add(wire, params->list[i].text);
        add(wire, params->list[i].bare ? "" : "\"");
    }
    add(wire, "}}");
    return params->bad || wire->full ? WEIR_E_USAGE : WEIR_OK;
}

enum weir_err call_on(struct binance *binance, uint32_t conn, struct pending *pending,
                      struct params *params, weir_ns now)
{
    const struct action_row *row = action_row(binance->market, (enum action)pending->action);
    struct wire wire = {.len = 0};
    pending->conn = conn;
    enum weir_err err = row && row->ws ? WEIR_OK : WEIR_E_UNSUPPORTED;
    if (!err)
        err = write_frame(binance, conn, row, pending, params, &wire, now);
    if (!err)
        err = binance->host->spend(binance->host->host, row->weight, pending->is_order,
                                   pending->lane);
    if (!err)
        err = binance->host->send(binance->host->host, conn,
                                  (struct weir_bytes){wire.text, wire.len});
    if (err)
        pending_free(binance, pending);
    return err;
}

/* --- HTTP ------------------------------------------------------------------------------------- */

static enum weir_err call_http(struct binance *binance, const struct action_row *row,
                               struct pending *pending, struct params *params, weir_ns now)
{
    struct wire wire = {.len = 0}, path = {.len = 0};
    char signature[SIGNATURE_ROOM], headers[KEY_ID_ROOM + 32] = "", id[KEY_ID_ROOM];
    bool has_body = strcmp(row->method, "POST") == 0 || strcmp(row->method, "PUT") == 0;
    bool names_key = row->secret || pending->action == DO_LISTEN || pending->action == DO_KEEP;
    enum weir_err err = WEIR_OK;
    if (names_key) {
        err = binance->host->key_id(binance->host->host, binance->orders->key, id, sizeof id);
        (void)snprintf(headers, sizeof headers, "X-MBX-APIKEY: %s", err ? "" : id);
    }
    if (row->secret && !err)
        stamp(binance, params, now);
    add_pairs(&wire, params, true);
    if (row->secret && !err && !(err = sign(binance, &wire, signature))) {
        add(&wire, "&signature=");
        add_escaped(&wire, signature);
    }
    add(&path, row->path);
    if (!has_body && wire.len > 0) {
        add(&path, "?");
        add(&path, wire.text);
    }
    struct weir_request_http request = {
        .size = sizeof request,
        .id = pending->id,
        .method = row->method,
        .path = path.text,
        .body = {wire.text, has_body ? wire.len : 0},
        .weight = row->weight,
        .idempotent = row->again,
        .timeout = (weir_ns)10000000000,
        .headers = names_key ? headers : NULL,
        .lane = pending->lane,
    };
    if (params->bad || wire.full || path.full)
        err = err ? err : WEIR_E_USAGE;
    return err ? err : binance->host->request(binance->host->host, &request);
}

enum weir_err call(struct binance *binance, struct pending *pending, struct params *params,
                   weir_ns now)
{
    const struct action_row *row = action_row(binance->market, (enum action)pending->action);
    uint32_t conn = binance->orders->conn;
    if (row && row->secret && !binance->orders->key[0])
        row = NULL;
    if (row && row->ws && row->secret && conn)
        return call_on(binance, conn, pending, params, now);
    enum weir_err err =
        row && row->path ? call_http(binance, row, pending, params, now) : WEIR_E_UNSUPPORTED;
    if (err)
        pending_free(binance, pending);
    return err;
}

/* --- requests without an answer --------------------------------------------------------------- */

struct pending *pending_new(struct binance *binance, enum action action, weir_ns now)
{
    struct trade *trade = binance->orders;
    const struct action_row *row = action_row(binance->market, action);
    for (uint32_t tried = 0; trade->pending && tried < PENDING_MAX; tried++) {
        uint32_t slot = (trade->busy + tried) % PENDING_MAX;
        struct pending *pending = &trade->pending[slot];
        if (pending->id && now - pending->sent < GIVEN_UP_AFTER)
            continue;
        trade->busy = (slot + 1) % PENDING_MAX;
        trade->turn = (uint16_t)((trade->turn + 1) & 0xfff);
        *pending = (struct pending){
            .id = ASK_TRADE | (uint32_t)trade->turn << 12 | slot,
            .action = (uint8_t)action,
            .lane = row ? row->lane : WEIR_LANE_ASK,
            .sent = now,
        };
        pending->is_order = row && row->lane == WEIR_LANE_NEW && action != DO_MODIFY;
        return pending;
    }
    return NULL;
}

struct pending *pending_find(struct binance *binance, uint32_t id)
{
    struct pending *pending =
        binance->orders->pending ? &binance->orders->pending[id % PENDING_MAX] : NULL;
    return pending && id && pending->id == id ? pending : NULL;
}

void pending_free(struct binance *binance, struct pending *pending)
{
    (void)binance;
    pending->id = 0;
}
