/* paths.c - HTTP requests by their paths: the exchange's own, and those of a venue's protocol. */
#include <string.h>

#include "exchange/doors.h"

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

int on_request(struct lws *wsi, struct door *door)
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

int on_body_end(struct lws *wsi, struct door *door)
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

int take_body(struct door *door, const char *bytes, size_t len)
{
    if (len > sizeof door->body - door->body_len)
        return -1;
    if (len > 0)
        memcpy(door->body + door->body_len, bytes, len);
    door->body_len += len;
    return 0;
}

int write_answer(struct lws *wsi, struct door *door)
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
