/* channel.h - the memory that a host and one process cell share, and all that may stand in it.
 *
 * Records have a fixed size and hold no pointer. The host believes nothing that a cell can write:
 * of a ring it reads the other's cursor and nothing else (base/ring.h), a record is copied once and
 * the copy is checked [warden.c]. The cell believes the host.
 *
 *   host's page   bell, answer          the cell reads
 *   cell's page   asleep                the host reads
 *   events        host -> cell          what happened; each has a number, the next one's is one more
 *   picture       host -> cell          its own orders and positions, as they are now
 *   commands      cell -> host          wishes, lines, and how far it is
 *   text          cell -> host          weir.state, published tables; quoted by a command
 *
 * EPOCH    Every command carries the epoch of its cell and the number of the event that it is about.
 *          After a deadline the host takes no command of that epoch.
 * WAKING   The host adds one to `bell` after it wrote. A cell that found nothing says so in `asleep`,
 *          looks at the bell once more, and sleeps on it (futex). A host that is about to sleep says
 *          so on the board, and cells that then write a command ring its eventfd. */
#ifndef WEIR_SCRIPT_CHANNEL_H
#define WEIR_SCRIPT_CHANNEL_H

#include <stdatomic.h>

#include "base/ring.h"
#include "script/cell.h"

enum {
    EVENT_ROOM = 128,
    PICTURE_ROOM = 64,
    COMMAND_ROOM = 64,
    EVENT_BODY = 416,
    COMMAND_BODY = 1088,
    TEXT_ROOM = 64 << 10, /* as much as state_max may be, and two published texts */
    LINE_MOST = 1024      /* of a log line */
};

/* --- host to cell ------------------------------------------------------------------------------*/

enum event_kind {
    TELL_MESSAGE = 1000, /* a message: script_event() */
    TELL_TIMER,
    TELL_START,
    TELL_SHADOW, /* `start`, beside the version that still runs */
    TELL_TAKE_OVER,
    TELL_STOP,
    TELL_SAVE,
    TELL_PUBLISHED /* struct tell_published: a piece of what another script published */
};

struct event_record {
    uint64_t number;
    weir_ns now;
    uint32_t kind;    /* enum event_kind */
    uint32_t dropped; /* market events of this instrument that were left out before this one */
    unsigned char body[EVENT_BODY];
};
_Static_assert(sizeof(struct out_order) <= EVENT_BODY, "the largest message that scripts are told");

/* A table that was published comes in pieces; with the last of them it is told. */
enum { PIECE_MOST = EVENT_BODY - 2 * NAME_MAX_LEN - 16 };
struct tell_published {
    char topic[NAME_MAX_LEN];
    char from[NAME_MAX_LEN];
    weir_ns t;
    uint32_t len; /* of all */
    uint32_t at;  /* where this piece begins */
    char piece[PIECE_MOST];
};
_Static_assert(sizeof(struct tell_published) <= EVENT_BODY, "one piece");

enum picture_kind { PICTURE_ORDER = 1, PICTURE_POSITION };
struct picture_order {
    struct order_view view;
    bool stem; /* what stands before the dot of its cid is a name of it, too */
};
struct picture_position {
    uint32_t instrument;
    struct position_view view;
};
struct picture_record {
    uint32_t kind; /* enum picture_kind */
    uint32_t pad[3];
    union {
        struct picture_order order;
        struct picture_position position;
    };
};

/* --- cell to host ------------------------------------------------------------------------------*/

enum command_kind {
    SAY_SUBMIT = 1, /* struct in_submit; answered */
    SAY_CHANGE,     /* struct in_change; answered */
    SAY_PUBLISH,    /* struct say_publish; the table stands in text, then as JSON; answered */
    SAY_DEPTH,      /* struct say_depth; answered when the board shows it */
    SAY_LINE,       /* a log line, `len` bytes */
    SAY_ALERT,      /* struct say_alert */
    SAY_REMARK,     /* for the author, `len` bytes */
    SAY_WISH,       /* struct wish */
    SAY_TOPIC,      /* struct topic */
    SAY_ENDED,      /* struct say_ended: refused or quarantined by its own sandbox */
    SAY_DONE        /* struct say_done: the event is over */
};

struct command_record {
    uint64_t epoch;
    uint64_t number; /* of the event */
    uint32_t kind;   /* enum command_kind */
    uint32_t len;
    unsigned char body[COMMAND_BODY];
};

struct say_publish {
    uint32_t len, json_len; /* each at most PUBLISHED_MAX */
    char topic[NAME_MAX_LEN];
};
struct say_depth {
    uint32_t instrument;
    uint32_t levels;
};
struct say_alert {
    char level[16];
    char text[256];
    char venue[NAME_MAX_LEN];
    char symbol[WEIR_SYMBOL_MAX];
};
struct say_counts {
    uint64_t callbacks, errors, log_dropped;
    uint64_t orders_denied; /* by its host, and those that never got there */
    uint64_t memory, memory_max;
    weir_ns max_callback_ns;
};
struct say_ended {
    uint32_t outcome; /* enum script_outcome */
    uint32_t pad;
    struct say_counts counts;
    char reason[REASON_ROOM];
    char detail[REASON_ROOM];
};
struct say_done {
    weir_ns next_timer;
    uint32_t listens; /* a bit for each happening that has a handler */
    uint32_t ok;      /* TELL_SHADOW, TELL_SAVE: it went well */
    uint32_t len;     /* TELL_SAVE: bytes in text, else a message if not ok */
    uint32_t pad;
    struct say_counts counts;
};
_Static_assert(sizeof(struct say_ended) <= COMMAND_BODY, "the largest command");
_Static_assert(2 * PUBLISHED_MAX <= TEXT_ROOM, "a table as text and as JSON");

/* --- the memory --------------------------------------------------------------------------------*/

struct answer_slot {
    uint64_t number; /* of the question that is answered */
    weir_ns now;
    struct script_answer answer;
};

struct channel {
    _Alignas(4096) _Atomic uint32_t bell;
    _Atomic uint64_t answered; /* questions answered so far; then the slot is whole */
    struct answer_slot answer;
    _Alignas(4096) _Atomic uint32_t asleep;
    _Alignas(4096) unsigned char rings[]; /* events, picture, commands, text */
};

size_t channel_size(void);
struct ring *channel_events(struct channel *channel);
struct ring *channel_picture(struct channel *channel);
struct ring *channel_commands(struct channel *channel);
char *channel_text(struct channel *channel); /* TEXT_ROOM bytes */
/* By the host, before the cell lives; the memory is zero. */
void channel_init(struct channel *channel);

/* --- the parcel: a script_config as bytes ------------------------------------------------------*/

/* What a cell is told at its birth, besides its script. */
struct parcel_terms {
    uint64_t epoch;
    bool lockstep;
    uint8_t wake;       /* enum script_wake */
    weir_ns clock_base; /* engine time less CLOCK_MONOTONIC */
    weir_ns now;
    uint64_t next_id; /* the counter of its cids */
    char prefix[32];
};

/* Bytes from malloc; NULL: no memory. */
unsigned char *parcel_pack(const struct script_config *config, const struct parcel_terms *terms,
                           size_t *len_out);
/* Everything points into the bytes, or into memory that is never given back. False: not a parcel. */
bool parcel_open(const unsigned char *bytes, size_t len, struct script_config *config_out,
                 struct parcel_terms *terms_out);

#endif
