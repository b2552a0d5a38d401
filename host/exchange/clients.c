/* clients.c - WebSocket connections of the exchange, and what waits to be written to them. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "exchange/doors.h"

static const struct dialect *const dialects[] = {&dialect_remote};

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

int client_write(struct client *client)
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

int client_join(struct lws *wsi, struct door *door)
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

void client_leave(struct door *door)
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

int client_take(struct lws *wsi, struct door *door, const char *bytes, size_t len)
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
