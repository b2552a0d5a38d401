/* server.c - the exchange's doors, on libwebsockets in a libuv loop: one callback for all.
 *
 * It listens on 127.0.0.1 only, and answers HTTP only where the Host header names loopback. */
#include <arpa/inet.h>
#include <libwebsockets.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "base/log.h"
#include "exchange/own.h"

enum {
    PATH_MOST = 256,
    BODY_MOST = 65536,
    CHUNK = 65536,
    WAITING_MOST = 64 << 20,
    QUERY_MOST = 8192,
    KEY_MOST = 256
};

/* A frame that waits to be written. */
struct waiting {
    struct waiting *next;
    weir_ns due;
    size_t len;
    unsigned char bytes[]; /* LWS_PRE, then the frame */
};

struct client {
    struct lws *wsi;
    struct server *server;
    struct client *next;
    struct account *account;
    const struct dialect *dialect; /* NULL: it speaks a wire */
    const struct wire *wire;
    uint64_t generation;
    struct waiting *first, **last;
    size_t bytes;   /* that wait */
    weir_ns hold;   /* nothing new is due before this */
    weir_ns latest; /* when the last one that waits is due */
    bool ending;
};

/* What lws keeps for each connection, zeroed. */
struct door {
    struct client *client; /* WebSocket */
    char body[BODY_MOST];  /* of a message or a request, as far as it came */
    size_t body_len;
    /* HTTP */
    bool posting;
    char path[PATH_MOST];
    struct text answer;
    size_t sent;
    uint64_t audit;      /* waits for this one; 0: for none */
    struct reply *reply; /* of a wire, while it is not sent */
    char method[8];
    bool begun; /* the request went to the wire */
    char query[QUERY_MOST];
    char key[KEY_MOST];
};

/* An HTTP request of a wire. */
struct reply {
    struct lws *wsi;
    struct reply *next;
    struct server *server;
    struct account *account;
    struct text body;
    char headers[512];
    unsigned status; /* 0: not known yet */
    weir_ns due;
    bool drop;
};

struct server {
    struct exchange *exchange;
    struct lws_context *context;
    uv_loop_t loop;
    struct client *clients;
    struct reply *replies;
    uint64_t generations;
    uint64_t audited; /* audits up to this one are done */
    uint16_t port;
};

static const struct dialect *const dialects[] = {&dialect_remote};
static const struct wire *const wires[] = {&wire_binance};

static struct server *server_of(struct lws *wsi)
{
    return lws_context_user(lws_get_context(wsi));
}

/* --- clients ----------------------------------------------------------------------------------*/

uint64_t client_generation(const struct client *client)
{
    return client->generation;
}

void client_end(struct client *client)
{
    client->ending = true;
    lws_callback_on_writable(client->wsi);
}

/* Behind what is due no later. alone: what comes after does not wait for it. */
static void queue(struct client *client, const char *bytes, size_t len, weir_ns delay, bool alone)
{
    weir_ns now = clock_now(&client->server->exchange->clock);
    weir_ns due = now + delay > client->hold ? now + delay : client->hold;
    if (client->ending || len == 0)
        return;
    if (!alone)
        client->hold = due;
    struct waiting *waiting = malloc(sizeof *waiting + LWS_PRE + len);
    if (!waiting || client->bytes + len > WAITING_MOST) { /* it does not read what it is told */
        free(waiting);
        client_end(client);
        return;
    }
    struct waiting **at = &client->first;
    if (client->latest <= due)
        at = client->last;
    while (*at && (*at)->due <= due)
        at = &(*at)->next;
    *waiting = (struct waiting){.next = *at, .due = due, .len = len};
    memcpy(waiting->bytes + LWS_PRE, bytes, len);
    *at = waiting;
    if (!waiting->next) {
        client->last = &waiting->next;
        client->latest = due;
    }
    client->bytes += len;
    if (client->first == waiting && due <= now)
        lws_callback_on_writable(client->wsi);
}

void client_tell(struct client *client, const struct weir_msg *event, weir_ns delay)
{
    struct text bytes;
    text_init(&bytes);
    client->dialect->give(event, &bytes);
    queue(client, bytes.data, bytes.len, delay, false);
    text_fini(&bytes);
}

void client_say(struct client *client, const char *text, size_t len, weir_ns delay, bool alone)
{
    queue(client, text, len, delay, alone);
}

static int write_frames(struct client *client)
{
    bool binary = client->dialect && client->dialect->binary;
    enum lws_write_protocol kind = binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;
    weir_ns now = clock_now(&client->server->exchange->clock);
    while (!client->ending && client->first && client->first->due <= now &&
           !lws_send_pipe_choked(client->wsi)) {
        struct waiting *waiting = client->first;
        int n = lws_write(client->wsi, waiting->bytes + LWS_PRE, waiting->len, kind);
        client->bytes -= waiting->len;
        client->first = waiting->next;
        if (!client->first)
            client->last = &client->first;
        free(waiting);
        if (n < 0)
            return -1;
    }
    if (client->first && client->first->due <= now)
        lws_callback_on_writable(client->wsi);
    return client->ending ? -1 : 0;
}

/* "/remote/KEY": the dialect, and where the key begins; NULL: none. */
static const struct dialect *dialect_of(const char *path, const char **key_out)
{
    for (size_t i = 0; i < sizeof dialects / sizeof dialects[0]; i++) {
        size_t len = strlen(dialects[i]->path);
        if (strncmp(path, dialects[i]->path, len) != 0 || path[len] != '/')
            continue;
        const char *key = path + len + 1;
        size_t key_len =
            strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
        *key_out = key;
        return key_len > 0 && key_len < ACCOUNT_KEY_MAX && key[key_len] == '\0' ? dialects[i]
                                                                                : NULL;
    }
    return NULL;
}

static const struct wire *wire_of(const char *path)
{
    for (size_t i = 0; i < sizeof wires / sizeof wires[0]; i++)
        if (wires[i]->owns(path))
            return wires[i];
    return NULL;
}

/* lws takes the query apart at its '&'. */
static void copy_query(struct lws *wsi, struct door *door)
{
    size_t len = 0;
    for (int i = 0; len + 2 < sizeof door->query; i++) {
        char *to = door->query + len + (i > 0);
        int got = lws_hdr_copy_fragment(wsi, to, (int)(sizeof door->query - len - 2),
                                        WSI_TOKEN_HTTP_URI_ARGS, i);
        if (got <= 0)
            break;
        if (i > 0)
            door->query[len++] = '&';
        len += (size_t)got;
    }
    door->query[len] = '\0';
}

static int join(struct lws *wsi, struct door *door)
{
    struct server *server = server_of(wsi);
    char path[PATH_MOST];
    const char *key = "main";
    struct why why;
    int len = lws_hdr_copy(wsi, path, sizeof path, WSI_TOKEN_GET_URI);
    const struct wire *wire = len > 0 ? wire_of(path) : NULL;
    const struct dialect *dialect = len > 0 && !wire ? dialect_of(path, &key) : NULL;
    if (!dialect && !wire)
        return -1;
    copy_query(wsi, door);
    struct account *account = exchange_account(server->exchange, key, &why);
    struct client *client = account ? calloc(1, sizeof *client) : NULL;
    if (!client)
        return -1;
    client->wsi = wsi;
    client->server = server;
    client->account = account;
    client->dialect = dialect;
    client->wire = wire;
    client->generation = ++server->generations;
    client->last = &client->first;
    client->next = server->clients;
    server->clients = client;
    door->client = client;
    if (wire)
        return wire->opened(account->front, client, path, door->query) ? 0 : -1;
    account_join(account, client);
    return 0;
}

static void leave(struct door *door)
{
    struct client *client = door->client;
    if (!client)
        return;
    struct client **at = &client->server->clients;
    while (*at != client)
        at = &(*at)->next;
    *at = client->next;
    if (client->wire)
        client->wire->closed(client->account->front, client);
    else
        account_leave(client->account, client);
    while (client->first) {
        struct waiting *waiting = client->first;
        client->first = waiting->next;
        free(waiting);
    }
    free(client);
    door->client = NULL;
}

static int take_message(struct client *client, struct weir_bytes message)
{
    struct weir_intent intent;
    if (client->wire) {
        client->wire->message(client->account->front, client, message);
        return 0;
    }
    if (client->dialect->take(message, &intent) || account_request(client->account, &intent)) {
        log_line(LOG_WARN, client->account->key, "a client sent what is not %s: %zu bytes",
                 client->dialect->name, message.len);
        return -1;
    }
    return 0;
}

/* lws hands frames on in pieces, as they lay in its buffer. */
static int take_piece(struct lws *wsi, struct door *door, const char *bytes, size_t len)
{
    struct client *client = door->client;
    if (client->ending || len > sizeof door->body - door->body_len)
        return -1;
    bool last = lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0;
    if (last && door->body_len == 0)
        return take_message(client, (struct weir_bytes){bytes, len});
    memcpy(door->body + door->body_len, bytes, len);
    door->body_len += len;
    if (!last)
        return 0;
    len = door->body_len;
    door->body_len = 0;
    return take_message(client, (struct weir_bytes){door->body, len});
}

/* --- HTTP -------------------------------------------------------------------------------------*/

static bool host_is_loopback(struct lws *wsi)
{
    char host[128];
    int len = lws_hdr_copy(wsi, host, sizeof host, WSI_TOKEN_HOST);
    char *colon = len > 0 ? strrchr(host, ':') : NULL;
    if (colon)
        *colon = '\0';
    return len > 0 && (strcmp(host, "127.0.0.1") == 0 || strcmp(host, "localhost") == 0);
}

static int send_head(struct lws *wsi, struct door *door, unsigned status)
{
    unsigned char buffer[LWS_PRE + 1024], *at = buffer + LWS_PRE, *start = at,
                                          *end = buffer + sizeof buffer;
    if (!text_ok(&door->answer))
        return -1;
    if (lws_add_http_common_headers(wsi, status, "application/json", door->answer.len, &at, end) ||
        lws_finalize_write_http_header(wsi, start, &at, end))
        return -1;
    lws_callback_on_writable(wsi);
    return 0;
}

static int answer_error(struct lws *wsi, struct door *door, unsigned status, const char *text)
{
    json_object(&door->answer);
    json_key(&door->answer, "error");
    json_string(&door->answer, text);
    json_end(&door->answer);
    return send_head(wsi, door, status);
}

static int answer_faults(struct lws *wsi, struct door *door)
{
    faults_json(&server_of(wsi)->exchange->faults, &door->answer);
    return send_head(wsi, door, 200);
}

/* --- requests of a wire -----------------------------------------------------------------------*/

static void reply_free(struct reply *reply)
{
    struct reply **at = &reply->server->replies;
    while (*at != reply)
        at = &(*at)->next;
    *at = reply->next;
    text_fini(&reply->body);
    free(reply);
}

void reply_send(struct reply *reply, unsigned status, const char *headers, struct weir_bytes body,
                weir_ns delay)
{
    weir_ns now = clock_now(&reply->server->exchange->clock);
    if (reply->status)
        return;
    reply->status = status;
    snprintf(reply->headers, sizeof reply->headers, "%s", headers);
    text_add(&reply->body, body.data, body.len);
    reply->due = now + delay;
    if (reply->due <= now)
        lws_callback_on_writable(reply->wsi);
}

void reply_drop(struct reply *reply)
{
    reply->drop = true;
    reply->status = 1;
    lws_callback_on_writable(reply->wsi);
}

static int add_header(struct lws *wsi, const char *line, size_t len, unsigned char **at,
                      unsigned char *end)
{
    char name[64];
    const char *colon = memchr(line, ':', len);
    if (!colon || (size_t)(colon - line) + 2 > sizeof name)
        return 0;
    size_t name_len = (size_t)(colon - line) + 1;
    memcpy(name, line, name_len);
    name[name_len] = '\0';
    const char *value = colon + 1 + (colon[1] == ' ');
    return lws_add_http_header_by_name(wsi, (const unsigned char *)name,
                                       (const unsigned char *)value, (int)(line + len - value), at,
                                       end);
}

/* Its time has come: the head, then the body as of any answer. */
static int reply_write(struct lws *wsi, struct door *door)
{
    unsigned char buffer[LWS_PRE + 2048], *at = buffer + LWS_PRE, *start = at,
                                          *end = buffer + sizeof buffer;
    struct reply *reply = door->reply;
    if (reply->drop)
        return -1;
    struct text body = reply->body;
    text_init(&reply->body);
    text_fini(&door->answer);
    door->answer = body;
    door->sent = 0;
    if (lws_add_http_common_headers(wsi, reply->status, "application/json", door->answer.len, &at,
                                    end))
        return -1;
    for (const char *line = reply->headers; *line;) {
        size_t len = strcspn(line, "\n");
        if (add_header(wsi, line, len, &at, end))
            return -1;
        line += len + (line[len] == '\n');
    }
    if (lws_finalize_write_http_header(wsi, start, &at, end))
        return -1;
    bool empty = door->answer.len == 0;
    reply_free(reply);
    door->reply = NULL;
    if (empty)
        return lws_http_transaction_completed(wsi) ? -1 : 0;
    lws_callback_on_writable(wsi);
    return 0;
}

static int run_wire(struct lws *wsi, struct door *door)
{
    struct server *server = server_of(wsi);
    door->begun = true;
    const struct exchange_key *key = server->exchange->options->keys;
    const char *name = "main";
    struct why why;
    for (; key && key->name; key++)
        if (strcmp(key->name, door->key) == 0)
            name = key->account;
    struct account *account = exchange_account(server->exchange, name, &why);
    struct reply *reply = account ? calloc(1, sizeof *reply) : NULL;
    if (!reply)
        return -1;
    *reply =
        (struct reply){.wsi = wsi, .next = server->replies, .server = server, .account = account};
    text_init(&reply->body);
    server->replies = reply;
    door->reply = reply;
    door->body[door->body_len < BODY_MOST ? door->body_len : BODY_MOST - 1] = '\0';
    struct wire_request request = {door->method, door->path, door->query, door->body, door->key};
    lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, 120);
    wire_of(door->path)->request(account->front, &request, reply);
    return 0;
}

static int begin_wire(struct lws *wsi, struct door *door, const char *method)
{
    char length[24] = "";
    snprintf(door->method, sizeof door->method, "%s", method);
    copy_query(wsi, door);
    if (lws_hdr_custom_copy(wsi, door->key, sizeof door->key, "x-mbx-apikey:", 13) <= 0)
        door->key[0] = '\0';
    if (lws_hdr_copy(wsi, length, sizeof length, WSI_TOKEN_HTTP_CONTENT_LENGTH) > 0 &&
        strcmp(length, "0") != 0 && strcmp(method, "GET") != 0)
        return 0; /* the body follows */
    return run_wire(wsi, door);
}

static void forget_reply(struct door *door)
{
    struct reply *reply = door ? door->reply : NULL;
    if (!reply)
        return;
    wire_binance.gone(reply->account->front, reply);
    reply_free(reply);
    door->reply = NULL;
}

static int on_request(struct lws *wsi, struct door *door)
{
    static const char *const methods[] = {"GET", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"};
    char *uri = NULL;
    int uri_len = 0, method = lws_http_get_uri_and_method(wsi, &uri, &uri_len);
    struct server *server = server_of(wsi);
    text_fini(&door->answer);
    text_init(&door->answer);
    door->sent = door->body_len = 0;
    door->audit = 0;
    door->posting = lws_hdr_total_length(wsi, WSI_TOKEN_POST_URI) > 0;
    int len = lws_hdr_copy(wsi, door->path, sizeof door->path,
                           door->posting ? WSI_TOKEN_POST_URI : WSI_TOKEN_GET_URI);
    door->method[0] = '\0';
    door->begun = false;
    if (method >= 0 && method < 6 && uri_len > 0 && uri_len < PATH_MOST && host_is_loopback(wsi)) {
        memcpy(door->path, uri, (size_t)uri_len);
        door->path[uri_len] = '\0';
        if (wire_of(door->path))
            return begin_wire(wsi, door, methods[method]);
    }
    if (!host_is_loopback(wsi))
        return answer_error(wsi, door, 403, "the Host header does not name loopback");
    if (len > 0 && door->posting && strcmp(door->path, "/_weir/faults") == 0)
        return 0; /* the body follows */
    if (len > 0 && !door->posting && strcmp(door->path, "/_weir/faults") == 0)
        return answer_faults(wsi, door);
    if (len > 0 && !door->posting && strcmp(door->path, "/_weir/books") == 0) {
        door->audit = exchange_ask_audit(server->exchange);
        lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, 60);
        return 0; /* server_audited */
    }
    return answer_error(wsi, door, 404,
                        "there are GET /_weir/books, GET and POST /_weir/faults, WebSockets at "
                        "/remote/KEY, and Binance's paths");
}

static int on_body_end(struct lws *wsi, struct door *door)
{
    struct why why;
    if (door->method[0])
        return door->begun ? 0 : run_wire(wsi, door);
    server_of(wsi)->exchange->faults.now = clock_now(&server_of(wsi)->exchange->clock);
    cJSON *wish = json_read(door->body, door->body_len, &why);
    enum weir_err err = wish ? faults_add(&server_of(wsi)->exchange->faults, wish, &why) : why.err;
    cJSON_Delete(wish);
    return err ? answer_error(wsi, door, 400, why.text) : answer_faults(wsi, door);
}

static int take_body(struct door *door, const char *bytes, size_t len)
{
    if (len > sizeof door->body - door->body_len)
        return -1;
    if (len > 0)
        memcpy(door->body + door->body_len, bytes, len);
    door->body_len += len;
    return 0;
}

static int write_answer(struct lws *wsi, struct door *door)
{
    static unsigned char buffer[LWS_PRE + CHUNK];
    struct server *server = server_of(wsi);
    if (door->reply) {
        bool ready = door->reply->status && door->reply->due <= clock_now(&server->exchange->clock);
        return ready ? reply_write(wsi, door) : 0;
    }
    if (door->audit > 0 && door->audit <= server->audited) {
        door->audit = 0;
        exchange_books_json(server->exchange, &door->answer);
        return send_head(wsi, door, 200);
    }
    size_t left = door->answer.len - door->sent, len = left < CHUNK ? left : CHUNK;
    if (left == 0)
        return 0;
    memcpy(buffer + LWS_PRE, door->answer.data + door->sent, len);
    door->sent += len;
    bool last = door->sent == door->answer.len;
    if (lws_write(wsi, buffer + LWS_PRE, len, last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) !=
        (int)len)
        return -1;
    if (last)
        return lws_http_transaction_completed(wsi) ? -1 : 0;
    lws_callback_on_writable(wsi);
    return 0;
}

/* --- lws --------------------------------------------------------------------------------------*/

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len)
{
    struct door *door = user;
    switch (reason) {
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION: return 0;
    case LWS_CALLBACK_ESTABLISHED: memset(door, 0, sizeof *door); return join(wsi, door);
    case LWS_CALLBACK_RECEIVE: return door->client ? take_piece(wsi, door, in, len) : -1;
    case LWS_CALLBACK_SERVER_WRITEABLE: return door->client ? write_frames(door->client) : -1;
    case LWS_CALLBACK_CLOSED: leave(door); return 0;
    case LWS_CALLBACK_HTTP: return on_request(wsi, door);
    case LWS_CALLBACK_HTTP_BODY: return take_body(door, in, len);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION: return on_body_end(wsi, door);
    case LWS_CALLBACK_HTTP_WRITEABLE: return write_answer(wsi, door);
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
        forget_reply(door);
        if (door)
            text_fini(&door->answer);
        return 0;
    default: return lws_callback_http_dummy(wsi, reason, user, in, len);
    }
}

static const struct lws_protocols protocols[] = {
    {"weir", on_event, sizeof(struct door), 65536, 0, NULL, 0}, {NULL, NULL, 0, 0, 0, NULL, 0}};

void server_audited(struct server *server, uint64_t audit)
{
    server->audited = audit;
    lws_callback_on_writable_all_protocol(server->context, &protocols[0]);
}

weir_ns server_next(const struct server *server)
{
    weir_ns next = INT64_MAX;
    for (const struct client *client = server->clients; client; client = client->next)
        if (client->first && client->first->due < next)
            next = client->first->due;
    for (const struct reply *reply = server->replies; reply; reply = reply->next)
        if (reply->status && reply->due < next)
            next = reply->due;
    return next;
}

void server_wait(struct server *server, weir_ns most)
{
    weir_ns now = clock_now(&server->exchange->clock);
    for (struct client *client = server->clients; client; client = client->next)
        if (client->first && client->first->due <= now)
            lws_callback_on_writable(client->wsi);
    for (struct reply *reply = server->replies; reply; reply = reply->next)
        if (reply->status && reply->due <= now)
            lws_callback_on_writable(reply->wsi);
    uv_run(&server->loop, UV_RUN_NOWAIT); /* it tells the kernel what it waits for */
    uv_update_time(&server->loop);
    int ms = uv_backend_timeout(&server->loop);
    weir_ns wait = ms >= 0 && (weir_ns)ms * 1000000 < most ? (weir_ns)ms * 1000000 : most;
    struct timespec time = {.tv_sec = wait / 1000000000, .tv_nsec = wait % 1000000000};
    struct pollfd fd = {.fd = uv_backend_fd(&server->loop), .events = POLLIN};
    (void)ppoll(&fd, 1, &time, NULL);
    uv_run(&server->loop, UV_RUN_NOWAIT);
}

/* lws 4.1.6 does not tell a clash of ports before it serves: look first, in our own words. */
static enum weir_err port_is_free(uint16_t port, struct why *why)
{
    struct sockaddr_in in = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return because(why, WEIR_E_IO, "no socket: %m");
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    int failed = bind(fd, (struct sockaddr *)&in, sizeof in);
    enum weir_err err =
        failed ? because(why, WEIR_E_IO, "127.0.0.1:%u cannot be listened on: %m", port) : WEIR_OK;
    close(fd);
    return err;
}

struct server *server_create(struct exchange *exchange, uint16_t port, struct why *why)
{
    struct lws_context_creation_info info = {0};
    if (port_is_free(port, why))
        return NULL;
    struct server *server = calloc(1, sizeof *server);
    if (!server) {
        (void)because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
        return NULL;
    }
    void *loops[1] = {&server->loop};
    server->exchange = exchange;
    uv_loop_init(&server->loop);
    lws_set_log_level(0, NULL);
    info.port = port;
    info.iface = "127.0.0.1";
    info.protocols = protocols;
    info.gid = -1;
    info.uid = -1;
    info.user = server;
    info.foreign_loops = loops;
    info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_DISABLE_IPV6 |
                   LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND;
    info.max_http_header_data = 16384;
    info.keepalive_timeout = 30;
    server->context = lws_create_context(&info);
    struct lws_vhost *vhost =
        server->context ? lws_get_vhost_by_name(server->context, "default") : NULL;
    if (!vhost) {
        (void)because(why, WEIR_E_IO, "a server cannot be made on 127.0.0.1:%u", port);
        server_destroy(server);
        return NULL;
    }
    server->port = port ? port : (uint16_t)lws_get_vhost_listen_port(vhost);
    return server;
}

void server_destroy(struct server *server)
{
    if (server->context) { /* twice, as lws wants it in a loop that is not its own */
        lws_context_destroy(server->context);
        uv_run(&server->loop, UV_RUN_DEFAULT);
        lws_context_destroy(server->context);
    }
    while (uv_loop_close(&server->loop) == UV_EBUSY)
        uv_run(&server->loop, UV_RUN_NOWAIT);
    free(server);
}

uint16_t server_port(const struct server *server)
{
    return server->port;
}
