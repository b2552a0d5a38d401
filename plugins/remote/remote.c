/* remote.c - a venue that speaks the SDK's own messages: the smallest real connector.
 *
 *   to the venue    one struct weir_intent     (event.h) in each binary frame, as the host gave it
 *   from the venue  one message of event.h     in each frame, as it is emitted
 *
 * `weir exchange` serves it. All of the protocol is here: one connection, whose path names the
 * account by its key; the venue says who it is (instruments, WEIR_STREAM_UP) whenever it comes up, and
 * that it is lost is said here. Begin a connector of a real venue from a copy of this file. */
#include <stdlib.h>
#include <string.h>

#include "weir/plugin.h"

enum { CONN = 1, MESSAGE_MAX = 1 << 20, KEY_MAX = 32 };

struct remote {
    const struct weir_host *host;
    char path[KEY_MAX + 16];
    int up;
    _Alignas(8) unsigned char message[MESSAGE_MAX]; /* frames stand at any address, messages at 8 */
};

/* --- life -------------------------------------------------------------------------------------*/

static int is_key(const char *key)
{
    size_t len = strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
    return len > 0 && len < KEY_MAX && key[len] == '\0';
}

static enum weir_err open_session(const struct weir_host *host, const struct weir_setting *settings,
                                  void **session_out)
{
    static const char start[] = "/remote/";
    const char *key = "main";
    for (; settings->name; settings++) {
        if (strcmp(settings->name, "key") != 0 || !is_key(settings->value)) {
            host->log(host->host, "remote: expected one setting, key: up to 31 of a-z A-Z 0-9 - _");
            return WEIR_E_BAD_CONFIG;
        }
        key = settings->value;
    }
    struct remote *remote = calloc(1, sizeof *remote);
    if (!remote)
        return WEIR_E_NO_MEMORY;
    remote->host = host;
    memcpy(remote->path, start, sizeof start - 1);
    memcpy(remote->path + sizeof start - 1, key, strlen(key));
    *session_out = remote;
    return WEIR_OK;
}

static void close_session(void *session)
{
    free(session);
}

static enum weir_err start(void *session, weir_ns now)
{
    struct remote *remote = session;
    (void)now;
    return remote->host->connect(remote->host->host, CONN, remote->path);
}

/* --- from the venue ---------------------------------------------------------------------------*/

static enum weir_err on_conn(void *session, uint32_t conn, weir_ns now, int up)
{
    struct remote *remote = session;
    struct weir_session down = {.msg = {.size = sizeof down, .kind = WEIR_SESSION},
                                .reason = "the connection is lost"};
    (void)conn;
    (void)now;
    if (remote->up && !up)
        remote->host->emit(remote->host->host, &down.msg);
    remote->up = up;
    return WEIR_OK;
}

static enum weir_err on_frame(void *session, uint32_t conn, weir_ns now, struct weir_bytes frame)
{
    struct remote *remote = session;
    struct weir_msg head;
    (void)conn;
    (void)now;
    if (frame.len < sizeof head || frame.len > MESSAGE_MAX)
        return WEIR_E_BAD_FRAME;
    memcpy(&head, frame.data, sizeof head);
    if (head.size != frame.len || head.size % 8 != 0 || head.kind == WEIR_NONE ||
        head.kind >= WEIR_NEW)
        return WEIR_E_BAD_FRAME;
    memcpy(remote->message, frame.data, frame.len);
    if (head.kind == WEIR_BOOK) {
        const struct weir_book_msg *book = (const void *)remote->message;
        if (frame.len < sizeof *book ||
            frame.len - sizeof *book !=
                ((uint64_t)book->bids + book->asks) * sizeof(struct weir_level))
            return WEIR_E_BAD_FRAME;
    }
    remote->host->emit(remote->host->host, (const struct weir_msg *)(const void *)remote->message);
    return WEIR_OK;
}

/* --- to the venue -----------------------------------------------------------------------------*/

static enum weir_err on_intent(void *session, weir_ns now, const struct weir_intent *intent)
{
    struct remote *remote = session;
    (void)now;
    return remote->host->send(remote->host->host, CONN,
                              (struct weir_bytes){(const char *)intent, sizeof *intent});
}

static const struct weir_caps caps = {
    .size = sizeof caps,
    .order_types = 1u << WEIR_LIMIT | 1u << WEIR_MARKET,
    .tifs = 1u << WEIR_GTC | 1u << WEIR_IOC | 1u << WEIR_FOK,
    .order_flags = WEIR_POST_ONLY | WEIR_REDUCE_ONLY,
    .orders = 1,
    .amend = 1,
    .cancel_all = 1,
    .query_by_client_id = 1,
    .open_orders = 1,
    .fills_since = 1,
    .book_rule = WEIR_RULE_NEXT, /* where the messages themselves name no other */
    .client_id_max = WEIR_ID_MAX - 1,
    .absence_proves_after = 5000000000,
    .data_age_max = 5000000000,
};

__attribute__((visibility("default"))) const struct weir_plugin weir_plugin = {
    .magic = WEIR_MAGIC,
    .size = sizeof(struct weir_plugin),
    .abi = WEIR_ABI,
    .layout = WEIR_LAYOUT,
    .name = "remote",
    .version = "0.1.0",
    .caps = &caps,
    .open = open_session,
    .close = close_session,
    .start = start,
    .on_frame = on_frame,
    .on_conn = on_conn,
    .on_intent = on_intent,
};
