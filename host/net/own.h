/* own.h - what the files of net share.
 *
 *   net.c        the loop, its sleep, and what is done between two turns (sweep)
 *   glue.c       libcurl's sockets and timers in the loop
 *   url.c        what an endpoint's URL may be
 *   upgrade.c    the HTTP exchange that begins a WebSocket
 *   frames.c     messages out of frames and back, on wslay
 *   conn.c       one connection: its states, deadlines, delays
 *   request.c    HTTP requests
 *   budget.c     what the venue lets us ask for
 *   venuetime.c  how far its clock is from ours */
#ifndef WEIR_NET_OWN_H
#define WEIR_NET_OWN_H

#include <curl/curl.h>
#include <openssl/x509.h>
#include <sys/types.h>
#include <uv.h>

#include "net/frames.h"
#include "net/net.h"
#include "net/upgrade.h"
#include "net/url.h"

enum { PATH_ROOM = 2048, REASON_ROOM = 192 };

struct net {
    uv_loop_t loop;
    bool again; /* a watcher was set or something is left to do: turn once more before sleeping */
    struct net_endpoint *endpoints; /* a list */
};

/* --- glue.c -----------------------------------------------------------------------------------*/

/* A curl multi handle whose sockets and time-outs live in the loop. */
struct glue;
typedef void glue_done(void *context, CURL *easy, CURLcode code);
struct glue *glue_create(struct net *net, glue_done *done, void *context); /* NULL: no memory */
void glue_destroy(struct glue *glue); /* every easy handle was removed; not from `done` */
bool glue_add(struct glue *glue, CURL *easy) WEIR_MUST_USE;
void glue_remove(struct glue *glue, CURL *easy);
/* What every transfer has: checks of certificates, no redirects, no proxy, no signals. */
bool glue_common(CURL *easy, const struct net_endpoint *endpoint, const struct url *url);

/* A timer and a watched socket whose memory outlives their closing, as libuv wants it. */
struct alarm;
struct alarm *alarm_create(struct net *net, void (*ring)(void *context), void *context);
void alarm_set(struct alarm *alarm, weir_ns after); /* once; in place of what was set */
void alarm_stop(struct alarm *alarm);
void alarm_destroy(struct alarm *alarm); /* accepts NULL */

struct watch;
struct watch *watch_create(struct net *net, int fd, void (*ready)(void *context, int events),
                           void *context);
void watch_set(struct watch *watch, int events); /* UV_READABLE, UV_WRITABLE; 0: none */
void watch_destroy(struct watch *watch);         /* accepts NULL */

/* --- conn.c -----------------------------------------------------------------------------------*/

struct conn {
    struct net_endpoint *endpoint;
    uint32_t number;
    enum net_state state;
    const struct url *url; /* the door */
    char path[PATH_ROOM];
    bool closed;       /* for good, as the owner asked */
    struct glue *glue; /* of this connection alone: see conn.c */
    CURL *easy;
    struct watch *watch;
    struct alarm *alarm; /* the connect deadline, the idle check, or the delay */
    char curl_error[CURL_ERROR_SIZE];
    struct upgrade upgrade;
    bool upgrading; /* bytes that come are the head of the answer */
    bool tls;
    struct frames frames;
    uint64_t last_in; /* loop time in ms */
    uint64_t up_since;
    bool pinged;
    unsigned tries; /* without success */
    bool begin;     /* sweep: connect now */
    bool unread;    /* sweep: bytes are left to read */
    bool doomed;    /* sweep: take it down, because */
    char reason[REASON_ROOM];
};

void conn_sweep(struct conn *conn);
void conn_release(struct conn *conn);

/* --- request.c --------------------------------------------------------------------------------*/

struct request;
void requests_release(struct net_endpoint *endpoint);

/* --- budget.c, venuetime.c --------------------------------------------------------------------*/

enum { BUDGETS_MAX = 8, SAMPLES = 15 };

struct rates {
    struct {
        uint32_t of; /* enum weir_budget_of */
        weir_ns window;
        int64_t limit, used;
        weir_ns began;
    } rows[BUDGETS_MAX];
    size_t count;
    weir_ns banned_until;
};

struct venue_time {
    weir_ns samples[SAMPLES]; /* a ring */
    size_t count, next;
    weir_ns median;
};

weir_ns real_now(void);

/* --- an endpoint ------------------------------------------------------------------------------*/

struct net_endpoint {
    struct net *net;
    struct net_endpoint *next;
    struct net_owner owner;
    struct net_config config;       /* with defaults filled in; its texts are NULL */
    struct url ws, ws_orders, http; /* scheme "" : none */
    struct rates rates;
    struct venue_time time;
    X509_STORE *trusted; /* the operator's certificates; NULL: none */
    struct conn **conns;
    uint32_t conn_count;
    struct glue *http_glue; /* NULL until the first request */
    struct request *requests;
    uint32_t request_count;
    uint64_t dice;
    struct net_counts counts;
};

uint64_t endpoint_draw(struct net_endpoint *endpoint); /* splitmix64 */

/* A path with query, as it stands in a request line. */
bool path_is_sane(const char *path);

#endif
