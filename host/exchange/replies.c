/* replies.c - HTTP requests of a venue's protocol, answered now or later, or never. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/doors.h"

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
int reply_write(struct lws *wsi, struct door *door)
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

int run_wire(struct lws *wsi, struct door *door)
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

int begin_wire(struct lws *wsi, struct door *door, const char *method)
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

void forget_reply(struct door *door)
{
    struct reply *reply = door ? door->reply : NULL;
    if (!reply)
        return;
    wire_binance.gone(reply->account->front, reply);
    reply_free(reply);
    door->reply = NULL;
}
