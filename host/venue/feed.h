/* feed.h - the book machine: from a venue's numbered messages to a book that may be traded on.
 *
 * The plugin says by which rule messages follow each other (enum weir_book_rule); the machine buffers
 * what comes before the snapshot, bridges, verifies each message, and on a gap drops the book and
 * asks for a new snapshot. Only a book in state LIVE may be traded on.           [engine thread] */
#ifndef WEIR_VENUE_FEED_H
#define WEIR_VENUE_FEED_H

#include "engine/book.h"
#include "engine/input.h"
#include "venue/checksum.h"
#include "venue/venue.h"

struct feed_config {
    uint32_t window;          /* of the book, ticks a side */
    uint32_t far;             /* of the book, levels a side outside the window */
    uint32_t held;            /* bytes of messages kept while there is no snapshot */
    enum weir_book_rule rule; /* of messages that name none */
    weir_px tick;
    struct checksum_exps places; /* of the instrument's numbers, for checksums */
    weir_ns data_age_max;        /* a book in step that got nothing for longer is STALE; 0: never */
    /* One message was applied, a snapshot or a delta. May be NULL. */
    void (*applied)(void *context, const struct weir_book_msg *msg);
    void *context;
};

/* Read the members freely; only feed.c writes them. */
struct feed {
    struct feed_config config;
    struct book *book;
    enum book_state state;
    bool in_step;  /* the book is that of the venue at sequence `last` */
    bool bridging; /* no delta was applied since the snapshot */
    bool was_lost; /* in step once, and then not */
    bool crossed;
    bool unproved;     /* its snapshot had no sum, and no message with one came since */
    uint32_t asks;     /* snapshots asked for since it was last in step */
    uint64_t last;     /* sequence of the book */
    weir_ns t_venue;   /* time stamp of the last message applied */
    weir_ns data_t;    /* engine time of the same */
    weir_ns crossed_t; /* since when it is crossed */
    weir_ns ask_t;     /* when to ask for a snapshot; INT64_MAX: never */
    unsigned char *held;
    size_t held_len, held_room;
    uint64_t held_lost; /* messages thrown away because too many were waiting */
    struct feed_counts counts;
};

enum { FEED_HELD_BYTES = 4 << 20 }; /* minutes of the busiest market */

/* How long a book may be crossed before it is not believed any more. */
#define FEED_CROSSED_MAX ((weir_ns)1000000000)
/* The plugin asks for the first snapshot itself; the machine asks after this long without one, and
 * again after 1, 2, 4 ... 30 s, until there is one. After a gap it asks at once. */
#define FEED_FIRST_ASK ((weir_ns)5000000000)
#define FEED_ASK_AGAIN ((weir_ns)1000000000)
#define FEED_ASK_REST  ((weir_ns)30000000000)
/* A book that stays silent is asked for too, but kept: a quiet market, or one whose numbers start anew. */
#define FEED_STALE_ASK ((weir_ns)30000000000)

/* E_NO_MEMORY: nothing to undo. */
enum weir_err feed_init(struct feed *feed, const struct feed_config *config) WEIR_MUST_USE;
void feed_fini(struct feed *feed);

/* Take one message of the plugin. E_BAD_FRAME: not a book message, E_FULL: more levels than there is
 * room, E_GAP: it does not follow; in all three cases the book is lost until the next snapshot. */
enum weir_err feed_take(struct feed *feed, const struct weir_book_msg *msg,
                        weir_ns now) WEIR_MUST_USE;

/* Do snapshots by this message's rule come in the stream itself, and not beside it? */
bool feed_in_stream(const struct feed *feed, const struct weir_book_msg *msg);

/* What came over the line is not trusted any more: it was cut, or held something unreadable. */
void feed_lose(struct feed *feed, weir_ns now);

/* Time passed: a silent book becomes STALE, one that stays crossed is lost. */
void feed_tick(struct feed *feed, weir_ns now);

/* Ask the plugin for a snapshot now? Answering yes counts as having asked. */
bool feed_asks(struct feed *feed, weir_ns now);

/* When feed_tick or feed_asks has something to say; INT64_MAX: never. */
weir_ns feed_next_time(const struct feed *feed);

const char *book_state_name(enum book_state state);

#endif
