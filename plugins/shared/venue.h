/* venue.h - a session of market data, all of it but the rules of its venue.
 *
 * A plugin states its rules as one struct venue_rules and makes its descriptor with VENUE_PLUGIN. One
 * connection carries all symbols. Live: the rules of the wanted symbols are asked for, the connection
 * is opened, and when it is up each symbol is subscribed to; RESYNC asks for a new snapshot in the way
 * of the venue, by HTTP or by leaving the stream and coming back. Without symbols it takes whatever
 * comes: that is how recordings are read.
 *
 *   settings   market    one of the plugin's list; its first                (where it has several)
 *              symbols   names as the venue writes them, between commas     none: all
 *              depth     levels a side that are subscribed to, where the venue offers a choice */
#ifndef SHARED_VENUE_H
#define SHARED_VENUE_H

#include "shared/market.h"

struct venue;

/* What a frame to the venue asks for. */
enum venue_want { VENUE_ENTER = 0, VENUE_LEAVE_BOOK, VENUE_ENTER_BOOK };

struct venue_rules {
    const char *name;
    const char *const *markets; /* ended by NULL; the first is the default */
    uint32_t depth;             /* by default; 0: there is no choice, and no such setting */
    size_t own;                 /* bytes of the plugin's own state, zeroed: venue_own() */
    const char *at;             /* path of the connection, where it is always the same */
    const char *ping;           /* text to send so often; NULL: none */
    weir_ns ping_every;

    /* The functions below print into `to` (512 bytes) and give the length. 0: nothing. */
    /* Of the connection, where it is not the constant `at`. */
    size_t (*path)(const struct venue *venue, char *to, size_t room);
    /* The n-th frame of what is wanted, from 0. */
    size_t (*ask)(const struct venue *venue, const struct market_symbol *symbol,
                  enum venue_want want, unsigned n, char *to, size_t room);
    /* The n-th frame that concerns no symbol, sent when the connection is up. NULL: none. */
    size_t (*greet)(const struct venue *venue, unsigned n, char *to, size_t room);
    /* Paths of answers: rules of a symbol; a snapshot, where it comes beside the stream. NULL: none. */
    size_t (*info)(const struct venue *venue, const struct market_symbol *symbol, char *to,
                   size_t room);
    size_t (*snapshot)(const struct venue *venue, const struct market_symbol *symbol, char *to,
                       size_t room);

    /* A frame: read it, fill the outbox. It is told when this gives OK, and not otherwise. */
    enum weir_err (*frame)(struct venue *venue, uint32_t conn, struct weir_bytes frame);
    /* An answer to a request for target, a path or a URL: as frame. */
    enum weir_err (*answer)(struct venue *venue, struct weir_bytes target, struct weir_bytes body);
};

struct venue {
    const struct venue_rules *rules;
    struct market market;
    unsigned which; /* index in rules->markets */
    uint32_t depth;
    bool up;
    _Alignas(16) unsigned char own[];
};

enum { VENUE_TEXT_MAX = 512 };

enum weir_err venue_open(const struct venue_rules *rules, const struct weir_host *host,
                         const struct weir_setting *settings, void **session_out);
void venue_close(void *session);
enum weir_err venue_start(void *session, weir_ns now);
enum weir_err venue_frame(void *session, uint32_t conn, weir_ns now, struct weir_bytes frame);
enum weir_err venue_conn(void *session, uint32_t conn, weir_ns now, int up);
enum weir_err venue_response(void *session, uint32_t id, weir_ns now, int status,
                             struct weir_bytes body);
enum weir_err venue_timer(void *session, uint32_t id, weir_ns now);
enum weir_err venue_intent(void *session, weir_ns now, const struct weir_intent *intent);
enum weir_err venue_recorded(void *session, weir_ns now, struct weir_bytes target,
                             struct weir_bytes body);

/* Send a frame on the connection; without a network nothing happens. */
enum weir_err venue_send(const struct venue *venue, const char *text, size_t len);

/* The plugin's descriptor. */
#define VENUE_PLUGIN(name_, rules_, version_, caps_, probe_, seq_, seq_2_)                     \
    static enum weir_err open_session(const struct weir_host *host,                            \
                                      const struct weir_setting *settings, void **session_out) \
    {                                                                                          \
        return venue_open(&(rules_), host, settings, session_out);                             \
    }                                                                                          \
    __attribute__((visibility("default"))) const struct weir_plugin weir_plugin = {            \
        .magic = WEIR_MAGIC,                                                                   \
        .size = sizeof(struct weir_plugin),                                                    \
        .abi = WEIR_ABI,                                                                       \
        .layout = WEIR_LAYOUT,                                                                 \
        .name = (name_),                                                                       \
        .version = (version_),                                                                 \
        .caps = &(caps_),                                                                      \
        .open = open_session,                                                                  \
        .close = venue_close,                                                                  \
        .start = venue_start,                                                                  \
        .on_frame = venue_frame,                                                               \
        .on_conn = venue_conn,                                                                 \
        .on_response = venue_response,                                                         \
        .on_timer = venue_timer,                                                               \
        .on_intent = venue_intent,                                                             \
        .probe = (probe_),                                                                     \
        .on_recorded = venue_recorded,                                                         \
        .seq_name = (seq_),                                                                    \
        .seq_name_2 = (seq_2_),                                                                \
    }

#endif
