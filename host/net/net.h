/* net.h - the road to the venues: WebSocket connections and HTTP requests on one libuv loop.
 *
 * The owner turns the loop on its own thread (net_turn) and sleeps in net_sleep; nothing here blocks
 * it: names are looked up on libcurl's threads, sockets never wait. One endpoint is one venue: it
 * reaches the one host of each of its two URLs and nothing else, follows no redirect, uses no proxy,
 * reads no environment, and has queues of its own, so that a slow venue delays no other.
 *
 *   TLS     always verified, with the system's roots and, if named, further ones (ca_files). There is
 *           no switch that turns it off. Plain ws and http are accepted toward literal loopback
 *           addresses only.
 *   SOCKETS come back by themselves, with a delay that doubles and is drawn evenly from its upper
 *           half. No compression is ever agreed upon. Bytes that do not come for `idle` end a
 *           connection; a ping is sent after half of that.
 *   HTTP    a request is on the wire at most once unless it is idempotent, whatever happens to the
 *           connection that it was sent on.
 *
 * Callbacks come from within net_turn only, never from within a call of the owner's, and may call
 * everything here but net_turn, net_sleep and the two destroys.                [engine thread] */
#ifndef WEIR_NET_NET_H
#define WEIR_NET_NET_H

#include <stdbool.h>

#include "base/why.h"
#include "weir/plugin.h"

struct net;          /* one for each host */
struct net_endpoint; /* one for each venue */

enum net_state {
    NET_DOWN = 0,   /* not connected; it will be tried again */
    NET_CONNECTING, /* name, TCP, TLS, upgrade */
    NET_UP
};

struct net_owner {
    void *context;
    /* A connection's state changed; why: in words, for NET_DOWN, else "". */
    void (*state)(void *context, uint32_t conn, enum net_state state, const char *why);
    /* One whole message. An error drops the connection, and it is made anew. */
    enum weir_err (*frame)(void *context, uint32_t conn, struct weir_bytes frame);
    /* The headers of an answer, just before it: lines "name: value", names in small letters. NULL:
     * not wanted. */
    void (*headers)(void *context, uint32_t id, int status, struct weir_bytes headers);
    /* The answer to a request, exactly once. status 0: there was none, why says the reason. */
    void (*response)(void *context, uint32_t id, int status, struct weir_bytes body,
                     const char *why);
};

/* 0 stands for the value in parentheses. Texts are copied. */
struct net_config {
    const char *ws;              /* "wss://host[:port][/prefix]"; NULL or "": no sockets */
    const char *ws_orders;       /* likewise, another host for order entry; NULL or "": as ws */
    const char *http;            /* "https://host[:port][/prefix]"; NULL or "": no requests */
    const char *const *ca_files; /* PEM, ended by NULL: trusted besides the system's; NULL: none */
    uint64_t seed;               /* of the jitter */
    weir_ns connect_timeout;     /* until it is up (10 s) */
    weir_ns idle;                /* most time without a byte (30 s) */
    weir_ns backoff_first;       /* delay of the second try (250 ms) */
    weir_ns backoff_most;        /* (30 s) */
    weir_ns request_timeout;     /* of requests that name none (10 s) */
    uint32_t frame_max;          /* bytes of one message (16 MiB) */
    uint32_t queue_max;          /* bytes a connection that wait to be written (1 MiB) */
    uint32_t body_max;           /* bytes of one answer (64 MiB) */
    uint32_t conns_max;          /* (32) */
    uint32_t requests_max;       /* without an answer yet (64) */
};

/* NULL: why says what. SIGPIPE is ignored from then on, if nobody handles it. */
struct net *net_create(struct why *why) WEIR_MUST_USE;
/* After its endpoints. Accepts NULL. */
void net_destroy(struct net *net);

/* Do what is due and come back at once. */
void net_turn(struct net *net);
/* Until there is something for net_turn, or wake_fd (-1: none) is readable, or `most` has passed.
 * True: not just the time passed. most = 0 looks and does not wait. */
bool net_sleep(struct net *net, int wake_fd, weir_ns most);

/* NULL: why says what is wrong with the configuration. */
struct net_endpoint *net_endpoint_create(struct net *net, const struct net_config *config,
                                         const struct net_owner *owner,
                                         struct why *why) WEIR_MUST_USE;
/* Everything ends without a callback: sockets say goodbye as far as that does not wait. */
void net_endpoint_destroy(struct net_endpoint *endpoint); /* accepts NULL */

/* Keep connection conn open at this path (with query) of the ws URL. Another path for the same number
 * moves it there. E_UNSUPPORTED: the endpoint has no ws URL; E_USAGE: not a path; E_FULL. */
enum weir_err net_connect(struct net_endpoint *endpoint, uint32_t conn,
                          const char *path) WEIR_MUST_USE;

/* As net_connect, to the host of a door: "" the ws URL, "orders" the ws_orders URL (the ws URL where
 * none is given). path NULL: the connection is closed for good. E_NOT_FOUND: no such door. */
enum weir_err net_connect_to(struct net_endpoint *endpoint, uint32_t conn, const char *door,
                             const char *path) WEIR_MUST_USE;

/* Send one message: as text if it is plain UTF-8 text, else as binary. E_DOWN: not up. E_FULL: too
 * much waits to be written; nothing was queued. */
enum weir_err net_send(struct net_endpoint *endpoint, uint32_t conn,
                       struct weir_bytes frame) WEIR_MUST_USE;

/* E_UNSUPPORTED: the endpoint has no http URL; E_USAGE; E_FULL: too many wait, a rate budget is used
 * up for this lane, or the venue has banned us. An error: no answer will come. */
enum weir_err net_request(struct net_endpoint *endpoint,
                          const struct weir_request_http *request) WEIR_MUST_USE;

/* Drop a connection and make it anew. */
void net_reconnect(struct net_endpoint *endpoint, uint32_t conn, const char *why);

enum net_state net_state(const struct net_endpoint *endpoint, uint32_t conn);

/* --- rate budgets, bans, clocks ----------------------------------------------------------------*/

/* What the venue said of a budget; now: the real time, ns since the epoch. */
void net_budget(struct net_endpoint *endpoint, const struct weir_budget *budget);
/* Take from the budgets; E_FULL: nothing was taken. */
enum weir_err net_spend(struct net_endpoint *endpoint, uint32_t weight, uint32_t orders,
                        uint32_t lane) WEIR_MUST_USE;
/* Everything is refused until then; a ban is never shortened. */
void net_ban(struct net_endpoint *endpoint, weir_ns until);
weir_ns net_banned_until(const struct net_endpoint *endpoint); /* 0: not banned */
/* One sample of the venue's clock, and the median of the last 15; venue 0: only the median. */
weir_ns net_clock(struct net_endpoint *endpoint, weir_ns sent, weir_ns received, weir_ns venue);

struct net_counts {
    uint64_t connects; /* times that a connection came up */
    uint64_t failures; /* tries that did not */
    uint64_t frames_in, bytes_in;
    uint64_t frames_out, bytes_out;
    uint64_t refused; /* sends that found the queue full */
    uint64_t requests, answers;
    uint64_t held_back; /* requests and frames that a budget or a ban did not let go */
};
struct net_counts net_counts(const struct net_endpoint *endpoint);

#endif
