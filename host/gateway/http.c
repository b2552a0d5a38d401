/* http.c - one lws protocol with one callback; a reply is made whole, then written when writable. */
#include "gateway/http.h"

#include <arpa/inet.h>
#include <libwebsockets.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATH_MAX_LEN = 512, CHUNK = 16384 };

struct http {
    struct lws_context *context;
    struct http_owner owner;
    char address[64];
    uint16_t port;
};

struct request { /* one for each connection, made by lws, zeroed */
    struct text body;
    size_t sent;
    bool head_only;
};

static bool host_allowed(const struct http *http, struct lws *wsi)
{
    char host[128];
    int len = lws_hdr_copy(wsi, host, sizeof host, WSI_TOKEN_HOST);
    if (len <= 0)
        return false;
    char *colon = strrchr(host, ':');
    if (colon && strchr(colon, ']') == NULL)
        *colon = '\0';
    return strcmp(host, "localhost") == 0 || strcmp(host, "127.0.0.1") == 0 ||
           strcmp(host, "[::1]") == 0 || strcmp(host, http->address) == 0;
}

static int write_head(struct lws *wsi, struct request *request, int status, const char *type)
{
    unsigned char buffer[LWS_PRE + 1024], *at = buffer + LWS_PRE, *start = at,
                                          *end = buffer + sizeof buffer;
    if (lws_add_http_common_headers(wsi, (unsigned)status, type, request->body.len, &at, end) ||
        lws_add_http_header_by_name(wsi, (const unsigned char *)"cache-control:",
                                    (const unsigned char *)"no-store", 8, &at, end) ||
        lws_add_http_header_by_name(wsi, (const unsigned char *)"x-content-type-options:",
                                    (const unsigned char *)"nosniff", 7, &at, end) ||
        lws_finalize_write_http_header(wsi, start, &at, end))
        return -1;
    if (request->head_only || request->body.len == 0)
        return lws_http_transaction_completed(wsi) ? -1 : 0;
    lws_callback_on_writable(wsi);
    return 0;
}

static int refuse(struct lws *wsi, struct request *request, int status, const char *text)
{
    text_say(&request->body, "%s\n", text);
    return write_head(wsi, request, status, "text/plain; charset=utf-8");
}

static int on_request(struct http *http, struct lws *wsi, struct request *request, const char *path,
                      size_t len)
{
    char wanted[PATH_MAX_LEN];
    text_fini(&request->body);
    text_init(&request->body);
    request->sent = 0;
    request->head_only = lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0;
    if (!request->head_only && lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) <= 0)
        return refuse(wsi, request, 405, "only GET and HEAD are answered here");
    if (!host_allowed(http, wsi))
        return refuse(wsi, request, 403,
                      "the Host header names neither loopback nor the listen address");
    if (len >= sizeof wanted)
        return refuse(wsi, request, 414, "the path is too long");
    memcpy(wanted, path, len);
    wanted[len] = '\0';

    struct http_answer answer = {.status = 200, .type = "text/plain; charset=utf-8"};
    text_init(&answer.body);
    if (!http->owner.answer(http->owner.context, wanted, &answer)) {
        text_fini(&answer.body);
        return refuse(wsi, request, 404, "no such path; there are /healthz /readyz /metrics");
    }
    request->body = answer.body;
    return write_head(wsi, request, answer.status, answer.type);
}

static int on_writable(struct lws *wsi, struct request *request)
{
    unsigned char buffer[LWS_PRE + CHUNK];
    size_t left = request->body.len - request->sent, len = left < CHUNK ? left : CHUNK;
    if (left == 0)
        return 0;
    memcpy(buffer + LWS_PRE, request->body.data + request->sent, len);
    request->sent += len;
    bool last = request->sent == request->body.len;
    if (lws_write(wsi, buffer + LWS_PRE, len, last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) !=
        (int)len)
        return -1;
    if (last)
        return lws_http_transaction_completed(wsi) ? -1 : 0;
    lws_callback_on_writable(wsi);
    return 0;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len)
{
    struct request *request = user;
    switch (reason) {
    case LWS_CALLBACK_HTTP:
        return on_request(lws_context_user(lws_get_context(wsi)), wsi, request, in, len);
    case LWS_CALLBACK_HTTP_WRITEABLE: return on_writable(wsi, request);
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
        if (request)
            text_fini(&request->body);
        return 0;
    case LWS_CALLBACK_FILTER_HTTP_CONNECTION: return 0;
    default: return lws_callback_http_dummy(wsi, reason, user, in, len);
    }
}

static const struct lws_protocols protocols[] = {
    {"http", on_event, sizeof(struct request), 0, 0, NULL, 0}, {NULL, NULL, 0, 0, 0, NULL, 0}};

/* lws 4.1.6 does not tell a clash of ports before it serves: look first, in our own words. */
static enum weir_err port_free(const char *address, uint16_t port, struct why *why)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return because(why, WEIR_E_IO, "gateway: no socket: %m");
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    bool bad_address = inet_pton(AF_INET, address, &in.sin_addr) != 1;
    int failed = bad_address || bind(fd, (struct sockaddr *)&in, sizeof in) != 0;
    close(fd);
    if (bad_address)
        return because(why, WEIR_E_BAD_CONFIG,
                       "gateway.listen: expected an IPv4 address, found '%s'", address);
    return failed
               ? because(why, WEIR_E_IO, "gateway: %s:%u cannot be listened on: %m", address, port)
               : WEIR_OK;
}

struct http *http_create(uv_loop_t *loop, const char *address, uint16_t port,
                         const struct http_owner *owner, struct why *why)
{
    struct lws_context_creation_info info = {0};
    void *loops[1] = {loop};
    if (port_free(address, port, why))
        return NULL;
    struct http *http = calloc(1, sizeof *http);
    if (!http) {
        (void)because(why, WEIR_E_NO_MEMORY, "gateway: %s", err_text(WEIR_E_NO_MEMORY));
        return NULL;
    }
    http->owner = *owner;
    snprintf(http->address, sizeof http->address, "%s", address);
    lws_set_log_level(0, NULL);
    info.port = port;
    info.iface = http->address;
    info.protocols = protocols;
    info.foreign_loops = loops;
    info.gid = -1;
    info.uid = -1;
    info.user = http;
    info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_DISABLE_IPV6 |
                   LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND;
    info.max_http_header_data = 4096;
    info.max_http_header_pool = 64;
    info.keepalive_timeout = 10;
    info.timeout_secs = 10;
    http->context = lws_create_context(&info);
    struct lws_vhost *vhost =
        http->context ? lws_get_vhost_by_name(http->context, "default") : NULL;
    if (!vhost) {
        (void)because(why, WEIR_E_IO, "gateway: the HTTP server cannot be made on %s:%u", address,
                      port);
        http_close(http);
        uv_run(loop, UV_RUN_NOWAIT);
        http_destroy(http);
        return NULL;
    }
    http->port = port ? port : (uint16_t)lws_get_vhost_listen_port(vhost);
    return http;
}

void http_close(struct http *http)
{
    if (http && http->context)
        lws_context_destroy(http->context);
}

void http_destroy(struct http *http)
{
    if (!http)
        return;
    if (http->context)
        lws_context_destroy(http->context); /* once more, after the loop: it frees what is left */
    free(http);
}

uint16_t http_port(const struct http *http)
{
    return http->port;
}
