/* conn.c - one WebSocket connection to a venue: made, kept alive, unmade, and made anew.
 *
 * libcurl makes it (names, TCP, TLS) and then moves plain bytes for us (CONNECT_ONLY); from the
 * upgrade on it is ours. Each connection has a multi handle of its own, since a multi handle keeps
 * finished connections in a cache, takes ours for an idle one, and closes such after two minutes.
 *
 * What goes wrong only marks the connection as doomed, with the reason; it is taken down in
 * conn_sweep, outside of all callbacks. So a connection never vanishes under the feet of the code
 * that reads it.
 *
 *      DOWN --delay--> CONNECTING --curl, upgrade--> UP --doomed--> DOWN
 *                          \------------doomed--------------------/ */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/own.h"

enum { BUDGET = 256, CLOSE_GOING_AWAY = 1001 };

#define MS ((weir_ns)1000000)

static void doom(struct conn *conn, const char *why)
{
    if (conn->doomed)
        return;
    conn->doomed = true;
    conn->endpoint->net->again = true;
    snprintf(conn->reason, sizeof conn->reason, "%s", why);
}

static uint64_t loop_ms(const struct conn *conn)
{
    return uv_now(&conn->endpoint->net->loop);
}

/* --- bytes ------------------------------------------------------------------------------------*/

static ssize_t read_bytes(void *context, void *bytes, size_t room)
{
    struct conn *conn = context;
    size_t n = 0;
    CURLcode code = curl_easy_recv(conn->easy, bytes, room, &n);
    if (code == CURLE_AGAIN)
        return FRAMES_AGAIN;
    if (code != CURLE_OK)
        return FRAMES_FAILED;
    conn->last_in = loop_ms(conn);
    conn->pinged = false;
    conn->endpoint->counts.bytes_in += n;
    return (ssize_t)n;
}

static ssize_t write_bytes(void *context, const void *bytes, size_t len)
{
    struct conn *conn = context;
    size_t n = 0;
    CURLcode code = curl_easy_send(conn->easy, bytes, len, &n);
    if (code == CURLE_AGAIN || (code == CURLE_OK && n == 0))
        return FRAMES_AGAIN;
    if (code != CURLE_OK)
        return FRAMES_FAILED;
    conn->endpoint->counts.bytes_out += n;
    return (ssize_t)n;
}

static bool on_message(void *context, struct weir_bytes message)
{
    struct conn *conn = context;
    struct net_endpoint *endpoint = conn->endpoint;
    endpoint->counts.frames_in++;
    enum weir_err err = endpoint->owner.frame(endpoint->owner.context, conn->number, message);
    if (err) {
        char why[REASON_ROOM];
        snprintf(why, sizeof why, "a message was refused: %s", err_text(err));
        doom(conn, why);
    }
    return !conn->doomed;
}

static void watch_what_is_wanted(struct conn *conn)
{
    if (conn->watch && !conn->doomed)
        watch_set(conn->watch, UV_READABLE | (frames_waits(&conn->frames) ? UV_WRITABLE : 0));
}

/* --- up ---------------------------------------------------------------------------------------*/

static void tell_state(struct conn *conn, enum net_state state, const char *why)
{
    struct net_endpoint *endpoint = conn->endpoint;
    conn->state = state;
    endpoint->owner.state(endpoint->owner.context, conn->number, state, why);
}

static weir_ns check_every(const struct conn *conn)
{
    return conn->endpoint->config.idle / 4 > MS ? conn->endpoint->config.idle / 4 : MS;
}

static void read_messages(struct conn *conn)
{
    char why[REASON_ROOM];
    switch (frames_read(&conn->frames, BUDGET, why, sizeof why)) {
    case FRAMES_WAIT: break;
    case FRAMES_MORE:
        conn->unread = true;
        conn->endpoint->net->again = true;
        break;
    default: doom(conn, why);
    }
    watch_what_is_wanted(conn);
}

static void go_up(struct conn *conn)
{
    conn->upgrading = false;
    conn->up_since = conn->last_in = loop_ms(conn);
    conn->pinged = false;
    conn->endpoint->counts.connects++;
    alarm_set(conn->alarm, check_every(conn));
    tell_state(conn, NET_UP, "");
}

static void read_upgrade(struct conn *conn)
{
    char why[REASON_ROOM];
    char *in = conn->frames.in;
    size_t used = 0;
    ssize_t n = read_bytes(conn, in, FRAMES_IN_ROOM);
    if (n == FRAMES_AGAIN)
        return;
    if (n <= 0) {
        doom(conn, n == 0 ? "hung up during the upgrade" : "the connection failed in the upgrade");
        return;
    }
    switch (upgrade_take(&conn->upgrade, in, (size_t)n, &used, why, sizeof why)) {
    case UPGRADE_MORE: conn->unread = true; break; /* TLS may hold more than the socket shows */
    case UPGRADE_REFUSED: doom(conn, why); break;
    case UPGRADE_DONE:
        frames_preload(&conn->frames, in + used, (size_t)n - used);
        go_up(conn);
        if (!conn->doomed)
            read_messages(conn);
        break;
    }
}

static void on_ready(void *context, int events)
{
    struct conn *conn = context;
    if (conn->doomed)
        return;
    if (events & UV_WRITABLE && !frames_flush(&conn->frames)) {
        doom(conn, "the connection has failed");
        return;
    }
    if (!(events & (UV_READABLE | UV_DISCONNECT)))
        watch_what_is_wanted(conn);
    else if (conn->upgrading)
        read_upgrade(conn);
    else
        read_messages(conn);
}

/* --- connecting -------------------------------------------------------------------------------*/

static enum weir_err ask_upgrade(struct conn *conn)
{
    char request[PATH_ROOM + 1024];
    const struct url *url = conn->url;
    if (!upgrade_begin(&conn->upgrade))
        return WEIR_E_IO;
    size_t len = upgrade_request(&conn->upgrade, url->host, url->prefix, conn->path, request,
                                 sizeof request);
    return len ? frames_raw(&conn->frames, request, len) : WEIR_E_FULL;
}

static void on_connected(void *context, CURL *easy, CURLcode code)
{
    struct conn *conn = context;
    curl_socket_t fd = CURL_SOCKET_BAD;
    if (conn->doomed)
        return;
    if (code != CURLE_OK) {
        doom(conn, conn->curl_error[0] ? conn->curl_error : curl_easy_strerror(code));
        return;
    }
    if (curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK || fd == CURL_SOCKET_BAD ||
        !(conn->watch = watch_create(conn->endpoint->net, fd, on_ready, conn)) ||
        !frames_reset(&conn->frames)) {
        doom(conn, "no socket came of it");
        return;
    }
    conn->upgrading = true;
    if (ask_upgrade(conn))
        doom(conn, "the upgrade cannot be asked for");
    watch_what_is_wanted(conn);
}

static bool begin(struct conn *conn)
{
    const struct net_endpoint *endpoint = conn->endpoint;
    conn->curl_error[0] = '\0';
    conn->glue = glue_create(endpoint->net, on_connected, conn);
    conn->easy = curl_easy_init();
    if (!conn->glue || !conn->easy || !glue_common(conn->easy, endpoint, conn->url) ||
        curl_easy_setopt(conn->easy, CURLOPT_URL, conn->url->origin) ||
        curl_easy_setopt(conn->easy, CURLOPT_CONNECT_ONLY, 1L) ||
        curl_easy_setopt(conn->easy, CURLOPT_ERRORBUFFER, conn->curl_error))
        return false;
    return glue_add(conn->glue, conn->easy);
}

static void start(struct conn *conn)
{
    conn->begin = false;
    alarm_set(conn->alarm, conn->endpoint->config.connect_timeout);
    tell_state(conn, NET_CONNECTING, "");
    if (!begin(conn))
        doom(conn, "a connection cannot be begun: out of memory");
}

/* --- down -------------------------------------------------------------------------------------*/

static void unmake(struct conn *conn)
{
    if (conn->state == NET_UP && !conn->frames.failed && !conn->frames.ended)
        frames_close(&conn->frames, CLOSE_GOING_AWAY);
    watch_destroy(conn->watch);
    if (conn->easy && conn->glue)
        glue_remove(conn->glue, conn->easy);
    curl_easy_cleanup(conn->easy);
    glue_destroy(conn->glue);
    conn->watch = NULL;
    conn->easy = NULL;
    conn->glue = NULL;
    conn->upgrading = conn->unread = false;
}

/* Doubled for each try without success; drawn from the upper half, so that many hosts do not come
 * back at one moment. A connection that held longer than its delay counts as a success. */
static weir_ns next_delay(struct conn *conn)
{
    const struct net_config *config = &conn->endpoint->config;
    weir_ns delay = config->backoff_first;
    for (unsigned i = 0; i < conn->tries && delay < config->backoff_most; i++)
        delay *= 2;
    if (delay > config->backoff_most)
        delay = config->backoff_most;
    if (conn->state == NET_UP && (weir_ns)(loop_ms(conn) - conn->up_since) * MS > delay) {
        conn->tries = 0;
        delay = config->backoff_first;
    }
    conn->tries++;
    return delay / 2 + (weir_ns)(endpoint_draw(conn->endpoint) % (uint64_t)(delay / 2 + 1));
}

static void take_down(struct conn *conn)
{
    weir_ns delay = next_delay(conn);
    conn->endpoint->counts.failures += conn->state == NET_CONNECTING;
    unmake(conn);
    conn->doomed = false;
    if (conn->closed)
        alarm_stop(conn->alarm);
    else
        alarm_set(conn->alarm, delay);
    tell_state(conn, NET_DOWN, conn->reason);
}

static void look_whether_it_lives(struct conn *conn)
{
    weir_ns idle = (weir_ns)(loop_ms(conn) - conn->last_in) * MS;
    char why[REASON_ROOM];
    if (idle >= conn->endpoint->config.idle) {
        snprintf(why, sizeof why, "no byte came for %" PRId64 " ms", idle / MS);
        doom(conn, why);
        return;
    }
    if (idle >= conn->endpoint->config.idle / 2 && !conn->pinged) {
        conn->pinged = true;
        frames_ping(&conn->frames);
        watch_what_is_wanted(conn);
    }
    alarm_set(conn->alarm, check_every(conn));
}

static void on_alarm(void *context)
{
    struct conn *conn = context;
    char why[REASON_ROOM];
    switch (conn->state) {
    case NET_DOWN:
        conn->begin = true;
        conn->endpoint->net->again = true;
        break;
    case NET_CONNECTING:
        snprintf(why, sizeof why, "no connection within %" PRId64 " ms",
                 conn->endpoint->config.connect_timeout / MS);
        doom(conn, why);
        break;
    case NET_UP: look_whether_it_lives(conn); break;
    }
}

/* Between two turns: what could not be done inside of a callback. */
void conn_sweep(struct conn *conn)
{
    if (conn->unread && !conn->doomed) {
        conn->unread = false;
        if (conn->upgrading)
            read_upgrade(conn);
        else
            read_messages(conn);
    }
    if (conn->doomed)
        take_down(conn);
    else if (conn->begin && conn->state == NET_DOWN)
        start(conn);
}

void conn_release(struct conn *conn)
{
    unmake(conn);
    alarm_destroy(conn->alarm);
    frames_fini(&conn->frames);
    free(conn);
}

/* --- what the owner asks ----------------------------------------------------------------------*/

static struct conn *find(const struct net_endpoint *endpoint, uint32_t number)
{
    for (uint32_t i = 0; i < endpoint->conn_count; i++)
        if (endpoint->conns[i]->number == number)
            return endpoint->conns[i];
    return NULL;
}

static struct conn *make(struct net_endpoint *endpoint, uint32_t number, const struct url *url)
{
    struct conn *conn = calloc(1, sizeof *conn);
    if (!conn)
        return NULL;
    struct frames_io io = {.context = conn,
                           .read = read_bytes,
                           .write = write_bytes,
                           .message = on_message,
                           .drain = url->tls};
    conn->endpoint = endpoint;
    conn->number = number;
    conn->url = url;
    conn->alarm = alarm_create(endpoint->net, on_alarm, conn);
    if (!conn->alarm ||
        !frames_init(&conn->frames, &io, endpoint->config.frame_max, endpoint->config.queue_max)) {
        alarm_destroy(conn->alarm);
        free(conn);
        return NULL;
    }
    endpoint->conns[endpoint->conn_count++] = conn;
    return conn;
}

static const struct url *door_of(const struct net_endpoint *endpoint, const char *door)
{
    if (strcmp(door, "orders") == 0)
        return endpoint->ws_orders.given ? &endpoint->ws_orders : &endpoint->ws;
    return door[0] == '\0' ? &endpoint->ws : NULL;
}

static enum weir_err close_for_good(struct conn *conn)
{
    if (!conn || conn->closed)
        return WEIR_OK;
    conn->closed = true;
    conn->begin = false;
    alarm_stop(conn->alarm);
    if (conn->state != NET_DOWN)
        doom(conn, "closed");
    return WEIR_OK;
}

enum weir_err net_connect(struct net_endpoint *endpoint, uint32_t number, const char *path)
{
    return net_connect_to(endpoint, number, "", path);
}

enum weir_err net_connect_to(struct net_endpoint *endpoint, uint32_t number, const char *door,
                             const char *path)
{
    const struct url *url = door_of(endpoint, door);
    struct conn *conn = find(endpoint, number);
    if (!url)
        return WEIR_E_NOT_FOUND;
    if (!path)
        return close_for_good(conn);
    if (!url->given)
        return WEIR_E_UNSUPPORTED;
    if (!path_is_sane(path) || (conn && conn->url->tls != url->tls))
        return WEIR_E_USAGE;
    if (conn && conn->url == url && !conn->closed && strcmp(conn->path, path) == 0)
        return WEIR_OK;
    if (!conn && endpoint->conn_count == endpoint->config.conns_max)
        return WEIR_E_FULL;
    if (conn && conn->state != NET_DOWN)
        doom(conn, "moved to another path");
    if (!conn && !(conn = make(endpoint, number, url)))
        return WEIR_E_NO_MEMORY;
    conn->url = url;
    conn->closed = false;
    snprintf(conn->path, sizeof conn->path, "%s", path);
    conn->begin = true;
    endpoint->net->again = true;
    return WEIR_OK;
}

enum weir_err net_send(struct net_endpoint *endpoint, uint32_t number, struct weir_bytes frame)
{
    struct conn *conn = find(endpoint, number);
    if (!conn || conn->state != NET_UP || conn->doomed)
        return WEIR_E_DOWN;
    enum weir_err err = frames_send(&conn->frames, frame);
    if (err == WEIR_OK)
        endpoint->counts.frames_out++;
    else if (err == WEIR_E_FULL)
        endpoint->counts.refused++;
    else
        doom(conn, "the connection has failed");
    watch_what_is_wanted(conn);
    return err;
}

void net_reconnect(struct net_endpoint *endpoint, uint32_t number, const char *why)
{
    struct conn *conn = find(endpoint, number);
    if (conn && conn->state != NET_DOWN)
        doom(conn, why);
}

enum net_state net_state(const struct net_endpoint *endpoint, uint32_t number)
{
    const struct conn *conn = find(endpoint, number);
    return conn ? conn->state : NET_DOWN;
}
