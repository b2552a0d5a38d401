/* wire.h - a venue's own protocol at the exchange: its paths, its requests, its connections.
 *
 * server.c owns sockets and queues; a wire owns what is said on them. Where dialect.h translates
 * messages one by one, a wire has state of its own for each account (a "front"): numbers of orders,
 * books to be asked for, subscriptions. */
#ifndef WEIR_EXCHANGE_WIRE_H
#define WEIR_EXCHANGE_WIRE_H

#include <stdbool.h>

#include "base/text.h"
#include "weir/plugin.h"

struct exchange;
struct account;
struct client; /* a WebSocket connection */
struct reply;  /* an HTTP request that waits for its answer; NULL once it is gone */
struct front;

struct wire_request {
    const char *method;
    const char *path;  /* without query */
    const char *query; /* as it came; "" */
    const char *body;
    const char *key; /* of the API-key header; "" */
};

struct wire {
    const char *name;
    bool (*owns)(const char *path);                   /* of a request or a connection */
    struct front *(*create)(struct account *account); /* NULL: no memory */
    void (*destroy)(struct front *front);
    /* A request. It is answered by reply_send or reply_drop, now or later. */
    void (*request)(struct front *front, const struct wire_request *request, struct reply *reply);
    void (*gone)(struct front *front, const struct reply *reply); /* nobody waits any more */
    /* A connection came to this path with this query; false: it is refused. */
    bool (*opened)(struct front *front, struct client *client, const char *path, const char *query);
    void (*message)(struct front *front, struct client *client, struct weir_bytes text);
    void (*closed)(struct front *front, struct client *client);
    /* The event as the venue would name things, into *renamed; false: as it is. */
    bool (*rename)(struct front *front, const struct weir_msg *event, void *renamed, size_t room);
    /* What the market and the account said; and when all of one moment was said. */
    void (*event)(struct front *front, const struct weir_msg *event);
    void (*settled)(struct front *front, weir_ns now);
    weir_ns (*next)(const struct front *front); /* when `settled` wants to be called */
};

extern const struct wire wire_binance;

/* server.c. Headers: lines "Name: value\n", or "". The reply is gone afterwards. */
void reply_send(struct reply *reply, unsigned status, const char *headers, struct weir_bytes body,
                weir_ns delay);
void reply_drop(struct reply *reply); /* the connection ends without an answer */
/* alone: what is said after it does not wait for its delay. */
void client_say(struct client *client, const char *text, size_t len, weir_ns delay, bool alone);

/* account.c: a request for the market; what comes of it comes by `event`. */
enum weir_err account_ask(struct account *account, struct weir_intent *intent);
/* The exchange's own books hear of an order that it keeps from the market, and what becomes of it. */
void account_note(struct account *account, struct weir_intent *intent);
void account_note_event(struct account *account, const struct weir_msg *event);
/* What account_note told of goes to the market now. */
enum weir_err account_ask_noted(struct account *account, struct weir_intent *intent);

#endif
