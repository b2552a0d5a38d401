/* warden.h - the host's side of one process cell: tells it what happened, takes what it says, kills
 * it. Private to host/script.                                              [the owner's thread] */
#ifndef WEIR_SCRIPT_WARDEN_H
#define WEIR_SCRIPT_WARDEN_H

#include "script/board.h"
#include "script/cells.h"
#include "script/channel.h"
#include "script/zygote.h"

/* --- what wardens share; cells.c ---------------------------------------------------------------*/

struct cells {
    struct zygote *zygote;
    struct board *board;
    int board_fd;
    int poll_fd;
    struct cells_owner owner;
    struct warden **by_strategy; /* STRATEGY_MOST + 2, each the first of a list */
    struct warden *all;
    size_t alive;
    uint64_t epoch;
    uint32_t *changed; /* instruments that are to be shown */
    uint32_t changed_count;
    uint8_t *marks;  /* by instrument */
    uint32_t *depth; /* levels wanted, by instrument */
    bool wallets_changed;
};
enum { MARK_MARKET = 1, MARK_DEFINED = 2, MARK_BOOK = 4 };

void cells_flush(struct cells *cells);  /* the board shows what the engine says now */
void cells_deaths(struct cells *cells); /* wardens whose cells died are told */
void cells_renew(struct cells *cells);  /* a zygote that died is replaced, if it can be */
/* The cell holds a copy of its bell, so that closing ours is not enough to leave the list. */
bool cells_listen(struct cells *cells, struct warden *warden, int bell);
void cells_unlisten(struct cells *cells, int bell);
void cells_want_depth(struct cells *cells, uint32_t instrument, uint32_t levels);

/* --- one of them -------------------------------------------------------------------------------*/

/* A position as it was told last. */
struct held {
    uint32_t instrument;
    bool told;
    uint64_t version; /* of its market on the board */
    struct position_view view;
};

/* An event that found no room. */
struct waiting {
    enum event_kind kind;
    uint32_t size;
    _Alignas(16) unsigned char body[EVENT_BODY];
};

/* Market data that were left out since the last that was told. */
struct behind {
    uint32_t instrument;
    uint32_t dropped;
    bool top;
};

struct warden {
    struct script *script;
    struct cells *cells;
    struct warden *next, *next_of_strategy;
    struct channel *channel;
    struct ring *events, *picture, *commands;
    struct ring_side event_side, picture_side, command_side;
    pid_t pid;
    int pidfd, bell;
    uint64_t epoch;
    uint64_t sent, done;         /* events */
    uint16_t kinds[EVENT_ROOM];  /* of events by number: a message's kind, or enum event_kind */
    uint64_t answered;           /* questions */
    enum cell_mode mode;         /* what it may ask */
    bool crashed;                /* its process died, and not by us */
    bool over;                   /* refused or quarantined */
    enum script_outcome outcome; /* then */
    uint32_t rings;              /* of its bell, while nothing was open */

    weir_ns budget;           /* of the open event */
    weir_ns since, cpu_since; /* when it began; 0: its process's clock was not asked yet */
    weir_ns looked;           /* when we looked last */
    weir_ns waits;            /* what it may have spent looking for our answers */
    uint32_t taken;           /* commands in this event */
    uint32_t remarks;
    uint32_t refused; /* of them, for pace */

    struct cell shell; /* its subscriptions, and a count for each kind of handler */
    weir_ns next_timer;
    struct say_counts counts; /* as it said last */
    char *said;               /* TEXT_ROOM + 1 bytes: what TELL_SAVE gave */
    size_t said_len;
    bool went_well;

    uint32_t *orders; /* that changed since they were told */
    uint32_t order_count, order_room;
    bool all_orders;     /* they did not fit: tell all of this strategy */
    uint32_t next_order; /* of those */
    struct held *held;
    uint32_t held_count, held_room;
    struct waiting *waiting;
    uint32_t waiting_count, waiting_room;
    struct behind *behind;
    uint32_t behind_count;
    uint64_t left_out;
    struct bucket wish_pace; /* the others are those of struct script */
};

/* Make the process and let it load. NULL: no process (why), or the script is refused or quarantined
 * and has a reason. */
struct warden *warden_create(struct script *script, const struct script_config *config,
                             enum script_outcome *outcome_out, struct why *why);
void warden_destroy(struct warden *warden); /* kills it; accepts NULL */

/* One event. In lockstep it is over on return. */
void warden_tell(struct warden *warden, enum event_kind kind, const struct weir_msg *msg);
void warden_publish(struct warden *warden, const struct script_message *message);
/* And wait for its end, live too. False: it did not go well, and the message is in text_out. */
bool warden_do(struct warden *warden, enum event_kind kind, const char **text_out, size_t *len_out);
bool warden_turn(struct warden *warden); /* live: take what it said. False: there was nothing */
bool warden_open(const struct warden *warden); /* an event is not over yet */
weir_ns warden_next_timer(const struct warden *warden);
void warden_report(const struct warden *warden, struct script_report *report_out);

/* warden.c, for its neighbours */
void warden_bell(struct warden *warden);
void warden_condemn(struct warden *warden, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void warden_over(struct warden *warden, enum script_outcome outcome);
void warden_watch_anew(struct warden *warden);
enum { ZYGOTE_DIED = -1 };
void warden_died(struct warden *warden, int status); /* as wait told it, or ZYGOTE_DIED */
void warden_rung(struct warden *warden);

/* commands.c: check a copy of what it said, and do it. */
void warden_command(struct warden *warden, struct command_record *command);
const char *warden_doing(const struct warden *warden); /* "a `book` handler" */

/* show.c: its orders and positions as the engine has them now. */
void warden_order_changed(struct warden *warden, uint32_t order, uint32_t instrument);
void warden_position_changed(struct warden *warden, uint32_t instrument);
void warden_send_picture(struct warden *warden);

#endif
