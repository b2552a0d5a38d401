/* loopback.c - a venue for tests: its wire format is the event format itself.
 *
 * A frame is one or more messages, back to back by their size. A message is emitted as it is, so a
 * test says exactly what the plugin says, lies included; orders (loopback.h) make it call the host.
 * What the host does with it goes out as frames on connection 1: intents as they are, all else as a
 * line of text. */
#include "loopback.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct loop {
    const struct weir_host *host;
    int timers_again;
    uint32_t resync_error;
};

static void say(struct loop *loop, const char *what, uint32_t id, int64_t value)
{
    char line[96];
    int len = snprintf(line, sizeof line, "%s %" PRIu32 " %" PRId64, what, id, value);
    enum weir_err err =
        loop->host->send(loop->host->host, 1, (struct weir_bytes){line, (size_t)len});
    (void)err; /* nobody may be listening */
}

static enum weir_err loop_open(const struct weir_host *host, const struct weir_setting *settings,
                               void **session_out)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return WEIR_E_NO_MEMORY;
    loop->host = host;
    struct weir_msg early = {.size = sizeof early, .kind = WEIR_RECON_BEGIN};
    for (; settings->name; settings++) {
        if (strcmp(settings->name, "emit_in_open") == 0)
            host->emit(host->host, &early);
        if (strcmp(settings->name, "refuse") == 0) {
            host->log(host->host, settings->value);
            free(loop);
            return WEIR_E_BAD_CONFIG;
        }
    }
    *session_out = loop;
    return WEIR_OK;
}

static void loop_close(void *session)
{
    free(session);
}

static enum weir_err loop_start(void *session, weir_ns now)
{
    say(session, "start", 0, now);
    return WEIR_OK;
}

static void *emit_mark(void *argument)
{
    struct loop *loop = argument;
    struct weir_mark mark = {.msg = {.size = sizeof mark, .kind = WEIR_MARK, .instrument = 1},
                             .px = 1};
    loop->host->emit(loop->host->host, &mark.msg);
    return NULL;
}

static enum weir_err obey(struct loop *loop, const struct loop_order *order)
{
    const struct weir_host *host = loop->host;
    struct weir_bytes text = {order->text, strnlen(order->text, sizeof order->text)};
    unsigned char out[64];
    size_t len = sizeof out;
    pthread_t thread;
    switch (order->msg.kind) {
    case LOOP_TIMER: return host->timer(host->host, order->a, order->t);
    case LOOP_SEND: return host->send(host->host, order->a, text);
    case LOOP_CONNECT: return host->connect(host->host, order->a, order->text);
    case LOOP_REQUEST:
        return host->request(host->host,
                             &(struct weir_request_http){.size = sizeof(struct weir_request_http),
                                                         .id = order->a,
                                                         .method = "GET",
                                                         .path = order->text});
    case LOOP_SIGN: return host->sign(host->host, "k", "hmac-sha256", text, out, &len);
    case LOOP_LOG: host->log(host->host, order->text); return WEIR_OK;
    case LOOP_FAIL: return (enum weir_err)order->a;
    case LOOP_TIMER_AGAIN: loop->timers_again = 1; return WEIR_OK;
    case LOOP_RESYNC_FAILS: loop->resync_error = order->a; return WEIR_OK;
    case LOOP_THREAD:
        if (pthread_create(&thread, NULL, emit_mark, loop) == 0)
            pthread_join(thread, NULL);
        return WEIR_OK;
    default: return WEIR_E_BAD_FRAME;
    }
}

static enum weir_err loop_on_frame(void *session, uint32_t conn, weir_ns now,
                                   struct weir_bytes frame)
{
    struct loop *loop = session;
    (void)conn;
    (void)now;
    for (size_t at = 0; at < frame.len;) {
        struct weir_msg head;
        if (frame.len - at < sizeof head)
            return WEIR_E_BAD_FRAME;
        memcpy(&head, frame.data + at, sizeof head);
        size_t size = head.cause; /* what is on the wire; head.size may lie */
        if (size < sizeof head || size > frame.len - at)
            return WEIR_E_BAD_FRAME;
        void *copy = calloc(1, size + 1024); /* more than the largest event: head.size may lie */
        if (!copy)
            return WEIR_E_NO_MEMORY;
        memcpy(copy, frame.data + at, size);
        enum weir_err err = WEIR_OK;
        if (head.kind >= LOOP_TIMER)
            err = obey(loop, copy);
        else
            loop->host->emit(loop->host->host, copy);
        free(copy);
        if (err != WEIR_OK)
            return err;
        at += size;
    }
    return WEIR_OK;
}

static enum weir_err loop_on_conn(void *session, uint32_t conn, weir_ns now, int up)
{
    (void)now;
    say(session, "conn", conn, up);
    return WEIR_OK;
}

static enum weir_err loop_on_response(void *session, uint32_t id, weir_ns now, int status,
                                      struct weir_bytes body)
{
    (void)body;
    (void)now;
    say(session, "response", id, status);
    return WEIR_OK;
}

static enum weir_err loop_on_timer(void *session, uint32_t id, weir_ns now)
{
    struct loop *loop = session;
    say(loop, "timer", id, now);
    return loop->timers_again ? loop->host->timer(loop->host->host, id, now) : WEIR_OK;
}

static enum weir_err loop_on_intent(void *session, weir_ns now, const struct weir_intent *intent)
{
    struct loop *loop = session;
    (void)now;
    if (intent->msg.kind == WEIR_RESYNC && loop->resync_error)
        return (enum weir_err)loop->resync_error;
    return loop->host->send(loop->host->host, 1,
                            (struct weir_bytes){(const char *)intent, sizeof *intent});
}

static enum weir_err loop_on_recorded(void *session, weir_ns now, struct weir_bytes target,
                                      struct weir_bytes body)
{
    (void)target;
    return loop_on_frame(session, 0, now, body);
}

static const struct weir_caps caps = {
    .size = sizeof caps,
    .order_types = 1u << WEIR_LIMIT | 1u << WEIR_MARKET,
    .tifs = 1u << WEIR_GTC | 1u << WEIR_IOC,
    .order_flags = WEIR_POST_ONLY,
    .orders = 1,
    .amend = 1,
    .query_by_client_id = 1,
    .book_rule = WEIR_RULE_RANGE_NEXT,
    .client_id_max = 36,
    .data_age_max = 3000000000,
};

const struct weir_plugin weir_plugin = {
    .magic = WEIR_MAGIC,
    .size = sizeof(struct weir_plugin),
    .abi = WEIR_ABI,
    .layout = WEIR_LAYOUT,
    .name = "loopback",
    .version = "1.0",
    .caps = &caps,
    .open = loop_open,
    .close = loop_close,
    .start = loop_start,
    .on_frame = loop_on_frame,
    .on_conn = loop_on_conn,
    .on_response = loop_on_response,
    .on_timer = loop_on_timer,
    .on_intent = loop_on_intent,
    .on_recorded = loop_on_recorded,
};
