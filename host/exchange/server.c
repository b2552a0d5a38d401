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

enum { PATH_MOST = 256, BODY_MOST = 65536, CHUNK = 65536, WAITING_MOST = 64 << 20 };

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
    const struct dialect *dialect;
    uint64_t generation;
    struct waiting *first, **last;
    size_t bytes; /* that wait */
    weir_ns hold; /* nothing new is due before this */
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
    uint64_t audit; /* waits for this one; 0: for none */
};

struct server {
    struct exchange *exchange;
    struct lws_context *context;
    uv_loop_t loop;
    struct client *clients;
    uint64_t generations;
    uint64_t audited; /* audits up to this one are done */
    uint16_t port;
};

static const struct dialect *const dialects[] = {&dialect_remote};

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

void client_tell(struct client *client, const struct weir_msg *event, weir_ns delay)
{
    struct text bytes;
    weir_ns now = clock_now(&client->server->exchange->clock);
    if (client->ending)
        return;
    text_init(&bytes);
    client->dialect->give(event, &bytes);
    client->hold = now + delay > client->hold ? now + delay : client->hold;
    struct waiting *waiting = bytes.len > 0 ? malloc(sizeof *waiting + LWS_PRE + bytes.len) : NULL;
    if (waiting && client->bytes + bytes.len <= WAITING_MOST) {
        *waiting = (struct waiting){.due = client->hold, .len = bytes.len};
        memcpy(waiting->bytes + LWS_PRE, bytes.data, bytes.len);
        *client->last = waiting;
        client->last = &waiting->next;
        client->bytes += bytes.len;
        if (client->first == waiting && waiting->due <= now)
            lws_callback_on_writable(client->wsi);
    } else if (bytes.len > 0) { /* it does not read what it is told */
        free(waiting);
        client_end(client);
    }
    text_fini(&bytes);
}

static int write_frames(struct client *client)
{
    enum lws_write_protocol kind = client->dialect->binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;
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

static int join(struct lws *wsi, struct door *door)
{
    struct server *server = server_of(wsi);
    char path[PATH_MOST];
    const char *key;
    struct why why;
    int len = lws_hdr_copy(wsi, path, sizeof path, WSI_TOKEN_GET_URI);
    const struct dialect *dialect = len > 0 ? dialect_of(path, &key) : NULL;
    if (!dialect)
        return -1;
    struct account *account = exchange_account(server->exchange, key, &why);
    struct client *client = account ? calloc(1, sizeof *client) : NULL;
    if (!client)
        return -1;
    client->wsi = wsi;
    client->server = server;
    client->account = account;
    client->dialect = dialect;
    client->generation = ++server->generations;
    client->last = &client->first;
    client->next = server->clients;
    server->clients = client;
    door->client = client;
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

static int on_request(struct lws *wsi, struct door *door)
{
    struct server *server = server_of(wsi);
    text_fini(&door->answer);
    text_init(&door->answer);
    door->sent = door->body_len = 0;
    door->audit = 0;
    door->posting = lws_hdr_total_length(wsi, WSI_TOKEN_POST_URI) > 0;
    int len = lws_hdr_copy(wsi, door->path, sizeof door->path,
                           door->posting ? WSI_TOKEN_POST_URI : WSI_TOKEN_GET_URI);
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
                        "there are GET /_weir/books, GET and POST /_weir/faults, and WebSockets "
                        "at /remote/KEY");
}

static int on_body_end(struct lws *wsi, struct door *door)
{
    struct why why;
    cJSON *wish = json_read(door->body, door->body_len, &why);
    enum weir_err err = wish ? faults_add(&server_of(wsi)->exchange->faults, wish, &why) : why.err;
    cJSON_Delete(wish);
    return err ? answer_error(wsi, door, 400, why.text) : answer_faults(wsi, door);
}

static int take_body(struct door *door, const char *bytes, size_t len)
{
    if (len > sizeof door->body - door->body_len)
        return -1;
    memcpy(door->body + door->body_len, bytes, len);
    door->body_len += len;
    return 0;
}

static int write_answer(struct lws *wsi, struct door *door)
{
    static unsigned char buffer[LWS_PRE + CHUNK];
    struct server *server = server_of(wsi);
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
    return next;
}

void server_wait(struct server *server, weir_ns most)
{
    weir_ns now = clock_now(&server->exchange->clock);
    for (struct client *client = server->clients; client; client = client->next)
        if (client->first && client->first->due <= now)
            lws_callback_on_writable(client->wsi);
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
    info.max_http_header_data = 4096;
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
