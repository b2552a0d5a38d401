/* own.h - the inside of a session, for session.c (toward the owner) and guest.c (toward the plugin). */
#ifndef WEIR_VENUE_OWN_H
#define WEIR_VENUE_OWN_H

#include <stdatomic.h>

#include "venue/feed.h"
#include "venue/inspect.h"
#include "venue/timers.h"
#include "venue/venue.h"

enum {
    LISTINGS_MAX = 1 << 16, /* instruments of one session */
    CONNS_MAX = 1 << 16,    /* connections of one session whose frames are numbered */
    HOST_NUMBER_MAX = 1 << 20,
    FRAME_MAX = 1 << 20, /* bytes of one frame or body that a plugin may send */
    LINE_MAX = 400,      /* of a log line */
    LINES_PER_SECOND = 20,
    TIMER_SOONEST = 1000 /* ns from now */
};

/* One instrument of the plugin. */
struct listing {
    uint32_t number; /* the plugin's */
    uint32_t host;   /* the host's; 0: the owner does not want it */
    uint32_t conn;   /* where its last book message came from */
    bool on_conn;    /* it came from a connection at all */
    bool top_told;
    enum book_state told; /* the last state the owner heard of */
    uint64_t top_seq;     /* sequence of `top`; the owner never gets an older one */
    struct weir_top top;  /* the last one the owner got */
    struct session_marks marks;
    struct feed *feed;     /* NULL: no book message yet */
    struct level3 *orders; /* NULL: the venue has shown none, or nobody wants them */
    struct weir_instrument definition;
};

/* What a callback is told, as one flat message: the day the plugin lives in another process, dispatch
 * writes this to a ring instead of calling. */
enum call_kind {
    CALL_OPEN,
    CALL_START,
    CALL_FRAME,
    CALL_CONN,
    CALL_RESPONSE,
    CALL_TIMER,
    CALL_INTENT,
    CALL_RECORDED,
    CALL_HEADERS,
    CALL_QUERY
};
struct call {
    enum call_kind kind;
    uint32_t id; /* connection, request or timer */
    int status;  /* of the answer; CONN: 1 up, 0 down */
    struct weir_bytes target;
    struct weir_bytes bytes; /* decoded: the events, one after the other */
    bool decoded;            /* what the plugin made of it is known: it is not called */
    enum weir_err answered;  /* decoded: and what it answered */
    const struct weir_intent *intent;
    const struct weir_query *query;
    const struct weir_setting *settings;
};

struct session {
    const struct weir_plugin *plugin;
    void *guest; /* the plugin's own session */
    struct weir_host table;
    struct session_owner owner;
    struct session_config config;
    char name[NAME_MAX_LEN];
    weir_ns now;
    weir_ns watch_t; /* when a feed has something to say */

    bool inside;             /* a callback of the plugin runs: */
    enum call_kind phase;    /* this one */
    uint32_t conn;           /* its connection, if it is on_frame */
    bool reconciling;        /* between RECON_BEGIN and RECON_END */
    enum weir_err frame_err; /* what was wrong in what the plugin made of the frame */
    bool muted;              /* this frame was seen before: nothing of it counts */
    uint64_t *sequences;     /* of each connection, the number of its last frame + 1; 0: none yet */
    uint32_t sequence_room;
    uint64_t sequence_gaps;
    struct listing *at; /* whose book message is being applied */

    struct listing **listings; /* by the plugin's number - 1 */
    uint32_t count, room;
    uint32_t *by_host; /* the plugin's number by the host's; 0: none */
    uint32_t by_host_room;

    struct timers timers;
    struct session_guards guards;
    atomic_uint_fast64_t outside; /* calls of host functions when none may be called, any thread */
    char suspicion[WEIR_REASON_MAX];

    weir_ns second; /* of log lines */
    uint32_t lines, lines_left_out;
    char last_line[LINE_MAX];
};

/* guest.c: the host's functions that the plugin may call, and the plugin's that we call. */
struct weir_host guest_table(struct session *session);
enum weir_err guest_call(struct session *session, const struct call *call) WEIR_MUST_USE;
bool guest_has(const struct session *session, const struct call *call); /* or it was left out */

/* session.c: what a frame's number on its connection tells. */
void session_sequence(struct session *session, uint64_t seq);

/* listing.c: instruments, their books, and what the owner hears of them. */
enum weir_err listing_define(struct session *session, union venue_event *event);
struct listing *listing_find(const struct session *session, uint32_t number);  /* NULL: undefined */
struct listing *listing_by_host(const struct session *session, uint32_t host); /* NULL: none */
void listing_book(struct session *session, const struct weir_book_msg *msg);
void listing_top(struct session *session, struct listing *listing, struct weir_top *top);
void listing_mark(struct listing *listing, const union venue_event *event);
void listing_tell(struct session *session, struct listing *listing);
/* level3.c: the book of a listing whose venue shows single orders. NULL: no memory. */
struct level3 *level3_create(void);
void level3_destroy(struct level3 *orders); /* accepts NULL */
void level3_take(struct session *session, struct listing *listing, const struct weir_l3 *order);
void level3_lose(struct level3 *orders);
bool level3_is_telling(const struct level3 *orders);
const struct queues *level3_queues(const struct level3 *orders);

void listing_lose(struct session *session, struct listing *listing); /* its connection is gone */
void listing_destroy(struct listing *listing);
/* Room for index in an array of size-byte elements, new ones zeroed. */
bool array_grow(void **array, uint32_t *room, uint32_t index, size_t size);

/* session.c */
void session_deliver(struct session *session, struct weir_msg *event, uint32_t host_instrument);
void session_say(struct session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The plugin said something that cannot be: counted, logged; of_orders: and its orders are in doubt. */
void session_suspect(struct session *session, bool of_orders, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
