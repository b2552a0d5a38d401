/* binance_ws.c - the WebSocket API, streams of the market, and private streams.
 *
 *   /ws-api/v3, /ws-fapi/v1            requests with an id; session.logon, userDataStream.subscribe*
 *   /stream, /ws[/name...]             streams of spot, by name in the address or by SUBSCRIBE
 *   /public/..., /market/...           those of USD-M
 *   /private/ws?listenKey=, /ws/KEY    USD-M's private stream */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/binance.h"

static struct listener *listener_of(struct front *front, const struct client *client)
{
    for (size_t i = 0; i < LISTENERS_MAX; i++)
        if (front->listeners[i].client == client)
            return &front->listeners[i];
    return NULL;
}

static void add_stream(struct listener *listener, const char *name, size_t len)
{
    if (len == 0 || len >= STREAM_ROOM || listener->stream_count == STREAMS_MAX)
        return;
    char *to = listener->streams[listener->stream_count++];
    memcpy(to, name, len);
    to[len] = '\0';
}

static void add_streams(struct listener *listener, const char *names)
{
    while (*names) {
        size_t len = strcspn(names, "/&");
        add_stream(listener, names, len);
        names += len + (names[len] == '/');
        if (names[0] == '&')
            break;
    }
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* What a path opens; false: nothing. */
static bool place(struct front *front, struct listener *listener, const char *path,
                  const char *query)
{
    char key[64] = "", mine[64], streams[4096] = "";
    snprintf(mine, sizeof mine, "weirlistenkey%llu", (unsigned long long)front->listen_key);
    listener->api = begins(path, "/ws-api/v3") || begins(path, "/ws-fapi/v1");
    bool futures = begins(path, "/ws-fapi") || begins(path, "/public") || begins(path, "/market") ||
                   begins(path, "/private");
    listener->face = futures ? FACE_USDM : FACE_SPOT;
    if (listener->api)
        return true;
    const char *at = begins(path, "/public")    ? path + 7
                     : begins(path, "/market")  ? path + 7
                     : begins(path, "/private") ? path + 8
                                                : path;
    (void)param(query, "listenKey", key, sizeof key);
    (void)param(query, "streams", streams, sizeof streams);
    listener->combined = begins(at, "/stream");
    if (begins(at, "/ws/") && strcmp(at + 4, mine) == 0)
        snprintf(key, sizeof key, "%s", at + 4);
    if (key[0]) {
        listener->private = strcmp(key, mine) == 0;
        listener->face = FACE_USDM;
        return listener->private;
    }
    add_streams(listener, streams);
    if (begins(at, "/ws/") && strchr(at + 4, '@'))
        add_streams(listener, at + 4);
    return begins(at, "/ws") || listener->combined;
}

bool ws_opened(struct front *front, struct client *client, const char *path, const char *query)
{
    struct listener *listener = listener_of(front, NULL);
    if (!listener)
        return false;
    *listener =
        (struct listener){.client = client, .since = clock_now(&front->account->exchange->clock)};
    if (place(front, listener, path, query))
        return true;
    listener->client = NULL;
    return false;
}

void ws_closed(struct front *front, struct client *client)
{
    struct listener *listener = listener_of(front, client);
    if (listener)
        listener->client = NULL;
    orders_forget(front, client, NULL);
}

/* A connection lives for a day, as at the venue (or as long as the options say). */
static weir_ns life(const struct front *front)
{
    weir_ns told = front->account->exchange->options->connection_life;
    return told > 0 ? told : (weir_ns)86400 * 1000000000;
}

void ws_settled(struct front *front, weir_ns now)
{
    for (size_t i = 0; i < LISTENERS_MAX; i++)
        if (front->listeners[i].client && now - front->listeners[i].since >= life(front))
            client_end(front->listeners[i].client);
}

weir_ns ws_next(const struct front *front)
{
    weir_ns next = INT64_MAX;
    for (size_t i = 0; i < LISTENERS_MAX; i++)
        if (front->listeners[i].client && front->listeners[i].since + life(front) < next)
            next = front->listeners[i].since + life(front);
    return next;
}

/* --- publishing ------------------------------------------------------------------------------- */

/* A subscription of "depth@100ms" is one of "depth". */
static bool hears(const struct listener *listener, const char *stream, const char **name_out)
{
    size_t len = strlen(stream);
    for (size_t i = 0; i < listener->stream_count; i++)
        if (strncmp(listener->streams[i], stream, len) == 0 &&
            (listener->streams[i][len] == '\0' || listener->streams[i][len] == '@')) {
            *name_out = listener->streams[i];
            return true;
        }
    return false;
}

void ws_publish(struct front *front, enum face face, const char *stream, struct text *event)
{
    const struct faults *faults = &front->account->exchange->faults;
    const char *name;
    if (faults->freeze_until > clock_now(&front->account->exchange->clock))
        return; /* pings are still answered */
    for (size_t i = 0; i < LISTENERS_MAX; i++) {
        struct listener *listener = &front->listeners[i];
        if (!listener->client || listener->face != face || !hears(listener, stream, &name))
            continue;
        if (!listener->combined) {
            client_say(listener->client, text_cstr(event), event->len, 0, false);
            continue;
        }
        struct text whole;
        text_init(&whole);
        text_say(&whole, "{\"stream\":\"%s\",\"data\":%s}", name, text_cstr(event));
        client_say(listener->client, text_cstr(&whole), whole.len, 0, false);
        text_fini(&whole);
    }
}

void ws_private(struct front *front, enum face face, struct text *event, struct event_fate fate)
{
    struct text wrapped;
    text_init(&wrapped);
    text_say(&wrapped, "{\"subscriptionId\":0,\"event\":%s}", text_cstr(event));
    for (size_t i = 0; i < LISTENERS_MAX; i++) {
        struct listener *listener = &front->listeners[i];
        if (!listener->client || !listener->private || listener->face != face)
            continue;
        const struct text *said = face == FACE_SPOT ? &wrapped : event;
        if (fate.disconnect) {
            client_end(listener->client);
            continue;
        }
        for (int times = 0; times <= fate.twice; times++)
            client_say(listener->client, said->data, said->len, fate.delay_ms * 1000000,
                       fate.alone);
    }
    text_fini(&wrapped);
}

/* --- what clients say ------------------------------------------------------------------------- */

static void say_ack(struct client *client, const char *id)
{
    struct text out;
    text_init(&out);
    text_say(&out, "{\"result\":null,\"id\":%s}", id);
    client_say(client, text_cstr(&out), out.len, 0, false);
    text_fini(&out);
}

static void subscribe(struct listener *listener, const cJSON *names, bool on)
{
    const cJSON *name;
    cJSON_ArrayForEach(name, names)
    {
        if (!cJSON_IsString(name))
            continue;
        if (on)
            add_stream(listener, name->valuestring, strlen(name->valuestring));
        for (size_t i = 0; !on && i < listener->stream_count; i++)
            if (strcmp(listener->streams[i], name->valuestring) == 0)
                memmove(listener->streams[i], listener->streams[--listener->stream_count],
                        STREAM_ROOM);
    }
}

/* The parameters of a request, as "a=b&...", sorted by name as they are signed. */
static void join(const cJSON *params, struct text *out, char *signature, size_t room)
{
    const cJSON *items[64], *item;
    size_t count = 0;
    signature[0] = '\0';
    cJSON_ArrayForEach(item, params)
    {
        if (strcmp(item->string, "signature") == 0)
            snprintf(signature, room, "%s", cJSON_IsString(item) ? item->valuestring : "");
        else if (count < 64)
            items[count++] = item;
    }
    for (size_t i = 1; i < count; i++)
        for (size_t j = i; j > 0 && strcmp(items[j - 1]->string, items[j]->string) > 0; j--) {
            const cJSON *swap = items[j];
            items[j] = items[j - 1];
            items[j - 1] = swap;
        }
    for (size_t i = 0; i < count; i++) {
        const char *digits = json_digits(items[i]);
        text_say(out, "%s%s=%s", i ? "&" : "", items[i]->string,
                 digits                     ? digits
                 : cJSON_IsString(items[i]) ? items[i]->valuestring
                 : cJSON_IsTrue(items[i])   ? "true"
                                            : "false");
    }
}

static void say_empty(struct front *front, const struct asker *asker, const char *json)
{
    struct text out;
    text_init(&out);
    text_say(&out, "%s", json);
    answer_result(front, asker, &out, 0);
    text_fini(&out);
}

static void api_call(struct front *front, struct listener *listener, const cJSON *root,
                     const struct asker *asker)
{
    const char *method = json_text(root, "method", "");
    char signature[512], key[128] = "";
    struct text params;
    text_init(&params);
    join(json_get(root, "params"), &params, signature, sizeof signature);
    const char *text = text_cstr(&params);
    bool has_key = param(text, "apiKey", key, sizeof key);
    bool good = has_key && signature[0] && signature_holds(front, key, text, params.len, signature);
    bool hears = begins(method, "userDataStream.subscribe");
    if (call_public(front, NULL, method, text, asker)) {
        text_fini(&params);
        return;
    }
    if (!(listener->logged && !signature[0]) && !good) {
        answer_error(front, asker, 401, has_key && !key_known(front, key) ? -2015 : -1022,
                     has_key && !key_known(front, key)
                         ? "Invalid API-key, IP, or permissions for action."
                         : "Signature for this request is not valid.");
    } else if (signature[0] && (hears || strcmp(method, "session.logon") == 0) &&
               !time_holds(front, text, asker)) {
        ; /* answered */
    } else if (strcmp(method, "session.logon") == 0 && !key_is_ed25519(front, key)) {
        answer_error(front, asker, 400, -4056, "HMAC_SHA256 API key is not supported.");
    } else if (strcmp(method, "session.logon") == 0) {
        listener->logged = true;
        say_empty(front, asker, "{\"authorizedSince\":1,\"returnRateLimits\":true}");
    } else if (hears) {
        listener->private = true;
        say_empty(front, asker, "{\"subscriptionId\":0}");
    } else if (!call_signed(front, NULL, method, text, asker)) {
        answer_error(front, asker, 400, -1000, "Unknown method.");
    }
    text_fini(&params);
}

void ws_message(struct front *front, struct client *client, struct weir_bytes text)
{
    struct listener *listener = listener_of(front, client);
    struct asker asker = {.client = client};
    struct why why;
    cJSON *root = json_read(text.data, text.len, &why);
    const cJSON *id = root ? json_get(root, "id") : NULL;
    if (!listener || !root || !id) {
        cJSON_Delete(root);
        client_end(client);
        return;
    }
    asker.face = listener->face;
    const char *digits = json_digits(id);
    if (digits)
        snprintf(asker.id, sizeof asker.id, "%s", digits);
    else
        snprintf(asker.id, sizeof asker.id, "\"%.60s\"", cJSON_IsString(id) ? id->valuestring : "");
    const char *method = json_text(root, "method", "");
    if (listener->api) {
        api_call(front, listener, root, &asker);
    } else {
        bool on = strcmp(method, "SUBSCRIBE") == 0;
        if (on || strcmp(method, "UNSUBSCRIBE") == 0)
            subscribe(listener, json_get(root, "params"), on);
        say_ack(client, asker.id);
    }
    cJSON_Delete(root);
}
