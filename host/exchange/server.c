/* server.c - the exchange's doors, on libwebsockets in a libuv loop: one callback for all.
 *
 * It listens on 127.0.0.1 only, and answers HTTP only where the Host header names loopback. */
#include <arpa/inet.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "exchange/doors.h"

static const struct wire *const wires[] = {&wire_binance};

struct server *server_of(struct lws *wsi)
{
    return lws_context_user(lws_get_context(wsi));
}

const struct wire *wire_of(const char *path)
{
    for (size_t i = 0; i < sizeof wires / sizeof wires[0]; i++)
        if (wires[i]->owns(path))
            return wires[i];
    return NULL;
}

void copy_query(struct lws *wsi, struct door *door)
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

/* --- lws --------------------------------------------------------------------------------------*/

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len)
{
    struct door *door = user;
    switch (reason) {
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION: return 0;
    case LWS_CALLBACK_ESTABLISHED: memset(door, 0, sizeof *door); return client_join(wsi, door);
    case LWS_CALLBACK_RECEIVE: return door->client ? client_take(wsi, door, in, len) : -1;
    case LWS_CALLBACK_SERVER_WRITEABLE: return door->client ? client_write(door->client) : -1;
    case LWS_CALLBACK_CLOSED: client_leave(door); return 0;
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
