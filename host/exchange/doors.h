/* doors.h - what the files of the exchange's server share.
 *
 *   server.c    lws, the loop, its sleep
 *   clients.c   WebSocket connections, and what waits to be written to them
 *   replies.c   HTTP requests of a wire, answered now or later
 *   paths.c     HTTP requests by their paths, the exchange's own among them */
#ifndef WEIR_EXCHANGE_DOORS_H
#define WEIR_EXCHANGE_DOORS_H

#include <libwebsockets.h>
#include <uv.h>

#include "exchange/own.h"

enum {
    PATH_MOST = 256,
    BODY_MOST = 65536,
    CHUNK = 65536,
    WAITING_MOST = 64 << 20,
    QUERY_MOST = 8192,
    KEY_MOST = 256
};

/* A frame that waits to be written. */
struct waiting {
    struct waiting *next;
    weir_ns due;
    size_t len;
    unsigned char bytes[]; /* LWS_PRE, then the frame */
};

struct client {
    struct lws *wsi;
    struct server *server;
    struct client *next;
    struct account *account;
    const struct dialect *dialect; /* NULL: it speaks a wire */
    const struct wire *wire;
    uint64_t generation;
    struct waiting *first, **last;
    size_t bytes;   /* that wait */
    weir_ns hold;   /* nothing new is due before this */
    weir_ns latest; /* when the last one that waits is due */
    bool ending;
};

/* What lws keeps for each connection, zeroed. */
struct door {
    struct client *client; /* WebSocket */
    char body[BODY_MOST];  /* of a message or a request, as far as it came */
    size_t body_len;
    /* HTTP */
    bool posting;
    char path[PATH_MOST];
    struct text answer;
    size_t sent;
    uint64_t audit;      /* waits for this one; 0: for none */
    struct reply *reply; /* of a wire, while it is not sent */
    char method[8];
    bool begun; /* the request went to the wire */
    char query[QUERY_MOST];
    char key[KEY_MOST];
};

/* An HTTP request of a wire. */
struct reply {
    struct lws *wsi;
    struct reply *next;
    struct server *server;
    struct account *account;
    struct text body;
    char headers[512];
    unsigned status; /* 0: not known yet */
    weir_ns due;
    bool drop;
};

struct server {
    struct exchange *exchange;
    struct lws_context *context;
    uv_loop_t loop;
    struct client *clients;
    struct reply *replies;
    uint64_t generations;
    uint64_t audited; /* audits up to this one are done */
    uint16_t port;
};

struct server *server_of(struct lws *wsi);
const struct wire *wire_of(const char *path); /* NULL: none has it */
/* lws takes the query apart at its '&'; here it is whole again. */
void copy_query(struct lws *wsi, struct door *door);

/* clients.c */
int client_join(struct lws *wsi, struct door *door);
void client_leave(struct door *door);
int client_write(struct client *client);
/* lws hands frames on in pieces, as they lay in its buffer. */
int client_take(struct lws *wsi, struct door *door, const char *bytes, size_t len);

/* replies.c */
int begin_wire(struct lws *wsi, struct door *door, const char *method);
int run_wire(struct lws *wsi, struct door *door);
int reply_write(struct lws *wsi, struct door *door);
void forget_reply(struct door *door);

/* paths.c */
int on_request(struct lws *wsi, struct door *door);
int on_body_end(struct lws *wsi, struct door *door);
int take_body(struct door *door, const char *bytes, size_t len);
int write_answer(struct lws *wsi, struct door *door);

#endif
