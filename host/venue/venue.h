/* venue.h - sessions: one loaded plugin talking for one account at one venue.
 *
 * A session owns what a plugin may touch: its numbers of instruments (mapped to the host's), its
 * timers, its connections (through a transport that the owner gives), its books. It turns what the
 * plugin emits into events with the host's numbers, runs each book message through the book machine
 * (feed.h), and hands the owner what the engine should know. [engine thread, except load] */
#ifndef WEIR_VENUE_VENUE_H
#define WEIR_VENUE_VENUE_H

#include "base/why.h"
#include "engine/book.h"
#include "engine/input.h"
#include "weir/plugin.h"

struct plugin; /* a loaded .so */
struct session;

/* Load a plugin: the file's owner, mode and kind are checked, the bytes that were checked are the
 * bytes that run (sealed memfd), RTLD_NOW | RTLD_LOCAL, one exported symbol, magic, ABI, struct sizes
 * and layout. On an error why says which file, what was expected and what was found. Never unmapped.
 *                                                                              [main thread] */
enum weir_err plugin_load(const char *path, struct plugin **plugin_out,
                          struct why *why) WEIR_MUST_USE;
/* The same plugin with another descriptor, borrowed for ever: for who stands between it and the host
 * (`weir plugin check`). NULL: out of memory. */
struct plugin *plugin_around(const struct plugin *plugin, const struct weir_plugin *descriptor);
const struct weir_plugin *plugin_descriptor(const struct plugin *plugin);
const char *plugin_sha256(const struct plugin *plugin); /* of the file, hex */

/* What the session asks of its owner. context is passed back. */
struct queues;
struct queues_change;
struct session_owner {
    void *context;
    /* An event for the engine, with the host's numbers, t = now: everything the plugin emits but
     * book levels. Books arrive as WEIR_TOP (when best price or size changed) and IN_BOOK_STATE
     * (when the state changed; a new top comes before LIVE). Borrowed. It comes from inside of a
     * callback: a session_* function that calls this session's plugin answers E_STATE here, so
     * what follows from the event is done after the outermost session_* call returned.
     *
     * WEIR_TOP is the fastest truth, and never goes back: the owner hears of a top that the venue
     * sends by itself if its sequence is newer than that of the last one told and than that of the
     * live book; of one that is read off the book (flag WEIR_TOP_OF_BOOK) if the book is LIVE and
     * not older than the last one told. A top without a sequence counts only while no book is LIVE. */
    void (*event)(void *context, struct session *session, const struct weir_msg *event);
    /* A new instrument: give it the host's number (the same as before for the same symbol). 0: refuse. */
    uint32_t (*instrument)(void *context, struct session *session,
                           const struct weir_instrument *instrument);
    /* One book message was applied (or a snapshot): for recorders, paper execution, scripts that
     * want depth. NULL: not wanted. */
    void (*book)(void *context, struct session *session, uint32_t instrument,
                 const struct weir_book_msg *msg, const struct book *book);
    /* Each top of book that the venue sent, also those of which `event` hears nothing: for statistics.
     * NULL: not wanted. */
    void (*top)(void *context, struct session *session, uint32_t instrument,
                const struct weir_top *top);
    /* One order of the venue's book, of venues that show them. NULL: not wanted. */
    void (*order)(void *context, struct session *session, uint32_t instrument,
                  const struct weir_l3 *order);
    /* The same after it was taken into the queues of its market [session_queues], and the levels that it
     * changed were told. NULL: not wanted. */
    void (*queue)(void *context, struct session *session, uint32_t instrument,
                  const struct weir_l3 *order, const struct queues_change *change);
    /* Each event as the plugin gave it, before it is looked at: for who keeps what was decoded. NULL:
     * not wanted. */
    void (*emitted)(void *context, struct session *session, const struct weir_msg *event);
    /* Connections; NULL: there is no network (recordings, simulation) and the plugin gets E_DOWN. */
    enum weir_err (*connect)(void *context, struct session *session, uint32_t conn,
                             const char *path);
    enum weir_err (*send)(void *context, struct session *session, uint32_t conn,
                          struct weir_bytes frame);
    enum weir_err (*request)(void *context, struct session *session,
                             const struct weir_request_http *request);
    enum weir_err (*sign)(void *context, struct session *session, const char *key,
                          const char *algorithm, struct weir_bytes in, unsigned char *out,
                          size_t *len);
    void (*log)(void *context, struct session *session, const char *text);
    /* What plugin.h says of the functions of these names; NULL: the plugin gets E_DOWN, or 0. */
    enum weir_err (*connect_to)(void *context, struct session *session, uint32_t conn,
                                const char *door, const char *path);
    enum weir_err (*key_id)(void *context, struct session *session, const char *key, char *out,
                            size_t room);
    weir_ns (*venue_clock)(void *context, struct session *session, weir_ns sent, weir_ns received,
                           weir_ns venue);
    void (*budget)(void *context, struct session *session, const struct weir_budget *budget);
    enum weir_err (*spend)(void *context, struct session *session, uint32_t weight, uint32_t orders,
                           uint32_t lane);
    void (*banned)(void *context, struct session *session, weir_ns until);
};

struct session_config {
    const char *name; /* of the venue, in config */
    uint16_t venue;   /* the host's number */
    uint16_t account;
    const struct weir_setting *settings; /* ended by a NULL name */
    uint32_t book_window;                /* ticks a side; 0: 65536 */
    uint32_t book_far;                   /* levels a side outside it; 0: 65536 */
    weir_ns data_age_max;                /* overrides the plugin's; 0: the plugin's */
    bool orders; /* keep the queues of venues that show single orders, and books made of them */
};

/* NULL: why says what. [main thread] */
struct session *session_create(struct plugin *plugin, const struct session_config *config,
                               const struct session_owner *owner, struct why *why) WEIR_MUST_USE;
void session_destroy(struct session *session); /* accepts NULL */

enum weir_err session_start(struct session *session, weir_ns now);
enum weir_err session_frame(struct session *session, uint32_t conn, weir_ns now,
                            struct weir_bytes frame);
enum weir_err session_conn(struct session *session, uint32_t conn, weir_ns now, bool up);
enum weir_err session_response(struct session *session, uint32_t id, weir_ns now, int status,
                               struct weir_bytes body);
/* The headers of an answer, before session_response. */
enum weir_err session_headers(struct session *session, uint32_t id, weir_ns now, int status,
                              struct weir_bytes headers);
/* A question beside the order path, instrument: the host's number. E_UNSUPPORTED: it takes none. */
enum weir_err session_query(struct session *session, weir_ns now, const struct weir_query *query);
/* An HTTP answer out of a recording: to the plugin's on_recorded; E_UNSUPPORTED: it has none. */
enum weir_err session_recorded(struct session *session, weir_ns now, struct weir_bytes target,
                               struct weir_bytes body);
/* What the plugin made of a frame (or of an HTTP answer out of a recording) when it saw it: its events,
 * aligned to 8 and one after the other, as `emitted` told them, and its answer. All goes on as if it had
 * said them now, and the plugin is not called; the events are whole, since they come from ourselves. */
enum weir_err session_decoded(struct session *session, uint32_t conn, weir_ns now, bool http,
                              struct weir_bytes events, enum weir_err answered);
/* An error means: certainly not sent; the owner books a definite refusal. instrument: the host's number. */
enum weir_err session_intent(struct session *session, weir_ns now,
                             const struct weir_intent *intent);

/* When session_timer wants to be called (plugin timers, stale books); INT64_MAX: never. */
weir_ns session_next_timer(const struct session *session);
void session_timer(struct session *session, weir_ns now);

const char *session_name(const struct session *session);
const struct weir_caps *session_caps(const struct session *session);
const struct book *session_book(const struct session *session,
                                uint32_t instrument); /* NULL: none */
/* Who stands before whom, where the venue shows single orders and they are wanted. NULL: not so. */
const struct queues *session_queues(const struct session *session, uint32_t instrument);
enum book_state session_book_state(const struct session *session, uint32_t instrument);

/* Facts of the book machine for reports. */
struct feed_counts {
    uint64_t messages, applied, dropped_old, gaps, snapshots, crossed, locked, errors;
    uint64_t in_stream;           /* snapshots that came in the stream */
    uint64_t checks, checks_ok;   /* checksums of the venue that were compared, and were equal */
    uint64_t last_seq, first_seq; /* of the message applied last */
};
bool session_feed_counts(const struct session *session, uint32_t instrument,
                         struct feed_counts *counts_out);

/* What the venue last said of an instrument beside its book. 0: nothing yet. */
struct session_marks {
    weir_px mark, index;
    int64_t funding_rate; /* as in struct weir_funding_rate */
    weir_ns funding_t;
    bool has_funding;
};
bool session_marks(const struct session *session, uint32_t instrument,
                   struct session_marks *marks_out); /* false: no such instrument */

/* Gaps in the numbers of frames (WEIR_SEQUENCE), over all connections. */
uint64_t session_sequence_gaps(const struct session *session);
bool session_is_numbered(const struct session *session); /* one frame had a number, at least */

/* What the session had to keep from its owner. A plugin that behaves has 0 in all but `events` and
 * `ignored`. */
struct session_guards {
    uint64_t events;        /* that the plugin emitted, good and bad */
    uint64_t ignored;       /* market data of instruments that the owner refused */
    uint64_t unknown;       /* events of a kind that this host does not know */
    uint64_t bad;           /* events that are not what event.h says; dropped */
    uint64_t bad_of_orders; /* of them: events of orders, positions or cash */
    uint64_t refused_calls; /* host functions called with arguments that cannot be */
    uint64_t outside;       /* host functions called when no callback was running */
    uint64_t errors;        /* callbacks that answered with an error */
};
struct session_guards session_guards(const struct session *session);

/* An event of orders, positions or cash had to be dropped: what the plugin says of the account is not
 * complete. The owner got WEIR_SESSION with WEIR_STREAM_DOWN when it happened; a WEIR_STREAM_UP of the
 * plugin, after which everything is reconciled, ends it. The answer is the reason, or NULL. */
const char *session_suspicion(const struct session *session);

#endif
