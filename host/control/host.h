/* host.h - the host: one engine, its journal, its venues and its scripts, on one thread.
 *
 *   venue bytes -> session -> [inputs] -> journal -> ENGINE -> journal -> [effects] -> venue, script
 *
 * What plugins and timers say is queued as inputs; take() journals and applies one; what the engine
 * answers is queued as effects; settle() hands each to whom it concerns. Nobody is ever called from
 * within a call to themselves. The same code runs live, on recordings, and in `weir try`: only the
 * clock and the source of time differ.                                        [engine thread] */
#ifndef WEIR_CONTROL_HOST_H
#define WEIR_CONTROL_HOST_H

#include "base/clock.h"
#include "control/config.h"
#include "control/observer.h"
#include "control/queue.h"
#include "engine/engine.h"
#include "journal/index.h"
#include "journal/journal.h"
#include "journal/snapshot.h"
#include "net/net.h"
#include "script/cells.h"
#include "sim/paper.h"
#include "venue/recorder.h"
#include "venue/signer.h"
#include "venue/venue.h"

struct host;
struct host_venue;

/* Where time and market data come from when it is not the real world: recordings. */
struct host_feed {
    void *context;
    weir_ns (*next)(void *context); /* when the next record is due; INT64_MAX: no more */
    /* Give the records due now to their sessions (host_frame). */
    enum weir_err (*give)(void *context, struct host *host, struct why *why);
    bool
        live; /* it is a network: venues have one in virtual time, and it goes on while the host stops */
};

/* Who wants to see the market as the sessions apply it; instrument: the host's number. */
struct host_watch {
    void *context;
    void (*book)(void *context, uint32_t instrument, const struct weir_book_msg *msg,
                 const struct book *book);
    void (*top)(void *context, uint32_t instrument, const struct weir_top *top);
    void (*trade)(void *context, uint32_t instrument, const struct weir_trade *trade, weir_ns t);
};

/* Who wants to hear the engine: each input before it is applied, each effect as it is said. */
struct host_witness {
    void *context;
    void (*input)(void *context, const struct engine *engine, const struct weir_msg *input);
    void (*effect)(void *context, const struct weir_msg *effect);
};

/* Where scripts run. */
enum host_isolation {
    ISOLATION_CONFIGURED = 0, /* as configured; all inline in virtual time */
    ISOLATION_INLINE,
    ISOLATION_PROCESS
};

/* Instructions of one callback in virtual time: some 20 ms of plain Lua code, so that a script that
 * does not end is ended by this, at the same place on every machine, and not by the clock. */
enum { HOST_INSTRUCTIONS = 2000000 };

bool host_isolation_parse(const char *text, enum host_isolation *out); /* false: not one */

/* Who keeps what plugins make of recorded frames: the events of a frame, and then the frame. */
struct host_capture {
    void *context;
    void (*event)(void *context, const struct weir_msg *event);
    void (*frame)(void *context, const struct host_venue *venue, uint32_t conn, bool http,
                  enum weir_err answered);
};

struct host_options {
    bool virtual_time; /* time goes from event to event */
    weir_ns start;     /* of virtual time; 0: now */
    /* Virtual time only: a new best price that no script asks for waits until somebody looks: a timer
     * fires, a script is called, any other input comes; then only the latest counts. Trades that no
     * script asks for are left out. Orders and executions are those of a run that is not lazy, unless
     * a loss limit would have tripped in between. With the first HELD order, which may wait for a
     * price, it ends. */
    bool lazy;
    uint32_t speed;      /* with recordings: 1, N times; 0: as fast as possible */
    weir_ns run_for;     /* 0: until stopped, or the end of the data */
    const char *journal; /* instead of the configuration's; NULL */
    bool no_journal;     /* `weir try`: nothing is kept */
    bool observe;        /* tap, HTTP, control socket */
    bool screen, color;
    struct cells *cells;  /* for scripts in processes; NULL: there can be none */
    const char *no_cells; /* why not */
    enum host_isolation isolation;
    uint64_t instructions;              /* budget of a script's callback in virtual time; 0: none */
    const struct host_feed *feed;       /* NULL: none */
    const struct host_watch *watch;     /* NULL: none */
    const struct host_witness *witness; /* NULL: none */
    const struct host_capture *capture; /* NULL: none */
    bool (*stop_asked)(void);           /* asked each turn: a signal came; NULL: never */
    bool (*reload_asked)(void);         /* likewise */
    /* What `weir try` and tests want to see; NULL: nothing. */
    void (*on_log)(void *context, const char *script, const char *line);
    void (*on_remark)(void *context, const char *script, const char *text); /* NULL: it is logged */
    void (*on_callback)(void *context, const char *script, weir_ns t);
    void *context;
};

struct host_asked {
    uint32_t id;
    char path[200];
};

struct host_venue {
    const struct config_venue *config;
    struct host *host;
    struct plugin *plugin;
    struct session *session;
    struct paper *paper;           /* execution: paper */
    struct latency_row *latencies; /* measured, for it; NULL: none */
    struct recorder *recorder;     /* of its frames; NULL: not wanted */
    struct host_asked asked[32];   /* public requests, whose answers are recorded */
    uint32_t asked_next;
    struct net_endpoint *endpoint; /* NULL: no network (virtual time) */
    uint16_t number;
    uint16_t account;
    uint64_t frames, bytes, errors;
    struct queue waiting;            /* requests without an answer, each with its deadline */
    weir_ns clock_ahead, clock_said; /* the venue's clock less ours; as the engine was told */
    bool clock_known, clock_told;
};

/* A prompt of an operator in the running host. */
struct host_prompt;
struct comparison; /* compare.c */

struct host_script {
    const struct config_script *config;
    struct host *host;
    struct script *script;
    uint32_t strategy;
    enum script_outcome outcome; /* as last told to the operator */
    char sha256[65];             /* of its source and modules */
    char next_sha256[65];        /* of a version that is prepared; "": none is */
    uint32_t version;            /* 1 at the start, one more with each reload */
    struct text *said;           /* where its lines go; NULL: the log */
    weir_ns began;               /* it runs since */
    uint32_t tries;              /* how often it was started again by itself */
    weir_ns retry_at;            /* when it will be; INT64_MAX: not */
    char *state;                 /* weir.state as it was written last; NULL: not yet */
    size_t state_len;
    uint64_t callbacks;
};

/* files.c: what the watched files were like. */
struct host_files {
    weir_ns next;
    uint64_t last, loaded; /* 0: not looked at yet */
};

struct host_instrument {
    struct host_venue *venue;
    char symbol[WEIR_SYMBOL_MAX];
    int8_t price_exp, qty_exp;
    bool limited; /* its limits were given */
};

struct host {
    const struct config *config;
    struct config *reloaded; /* the host's own, after a reload */
    uint64_t config_version; /* counts loads */
    struct host_options options;
    struct clock clock;
    weir_ns started;
    void *memory; /* the engine's arena */
    size_t memory_size;
    struct engine *engine;
    struct journal *journal; /* NULL with no_journal */
    struct indexer *indexer;
    struct snapshotter *snapshotter;
    char journal_folder[512];
    uint64_t seq;   /* of the last record */
    bool unwritten; /* an effect could not be journalled */
    struct queue inputs, effects;
    struct queue published;  /* by scripts, for scripts: struct published */
    uint64_t published_lost; /* its room was full */
    uint64_t *effect_seqs;   /* of the queued effects, in their order */
    size_t effect_seq_room;  /* so many may be queued */
    size_t effect_head, effect_tail;
    struct net *net;       /* NULL in virtual time */
    struct signer *signer; /* likewise */
    struct host_venue *venues;
    size_t venue_count;
    struct host_script *scripts;
    size_t script_count;
    struct cells *cells;                 /* borrowed; NULL: all scripts are inline */
    struct host_instrument *instruments; /* by number; [0] unused */
    uint32_t instrument_count;           /* highest number in use */
    uint32_t instrument_room;
    struct script_answer *answer; /* of the wish being applied */
    struct host_files files;
    struct host_prompt *prompt;    /* prompt.c; NULL: nobody has asked */
    struct comparison *comparison; /* compare.c; NULL: none runs */
    struct tap *tap;
    struct stages stages;
    struct observer *observer;
    int wake; /* eventfd */
    weir_ns next_note;
    weir_ns next_states;       /* when weir.state is asked for */
    weir_ns next_clocks;       /* when other clocks are looked at */
    weir_ns wall_ahead;        /* of the engine's clock, at the last look */
    struct out_alert told[64]; /* of orders, the last in the log */
    size_t told_next;
    bool journal_failed;
    bool stopping, done;
    bool in_frame;         /* what a plugin emits now is of a frame */
    bool lazy;             /* late.c: as long as it may be */
    struct weir_top *late; /* by instrument: the latest best price that waits; size 0: none */
    uint32_t *late_list;   /* instruments that have one */
    uint32_t late_count;
    weir_ns stop_at;   /* the stop gives up waiting */
    weir_ns cancel_at; /* and cancels what is left once more */
    int exit_code;
};

/* Loads plugins, opens the journal, defines everything, starts venues and scripts. NULL: why. */
struct host *host_create(const struct config *config, const struct host_options *options,
                         struct why *why) WEIR_MUST_USE;
void host_destroy(struct host *host); /* closes the journal if it is open; accepts NULL */
/* Bring all to the disk and end the journal; nothing can be applied after that. summary_out: zero
 * without a journal. */
enum weir_err host_close_journal(struct host *host, struct journal_summary *summary_out,
                                 struct why *why);

/* Until it is stopped, run_for is over, or the data ends. */
enum weir_err host_run(struct host *host, struct why *why) WEIR_MUST_USE;
void host_stop(struct host *host); /* begin an orderly stop */

/* A frame of a recording, for the session of a venue. */
enum weir_err host_frame(struct host *host, struct host_venue *venue, uint32_t conn,
                         struct weir_bytes frame);
/* What a plugin made of a frame or answer, as host_capture told it. */
void host_decoded(struct host *host, struct host_venue *venue, uint32_t conn, bool http,
                  struct weir_bytes events, enum weir_err answered);
/* An HTTP answer of a recording. */
void host_recorded_answer(struct host *host, struct host_venue *venue, struct weir_bytes target,
                          struct weir_bytes body);

/* --- between the files of the host ------------------------------------------------------------*/

/* A power of two, for so many messages of so many bytes: a restart, a kill or a whole reconciliation
 * speaks of all orders at once. It is address space, used as needed. */
size_t host_room(size_t count, size_t bytes_each);

/* Queue an input; it is stamped and applied when its turn comes. */
void host_push(struct host *host, const struct weir_msg *input);
/* Journal and apply one input now; effects are queued. Returns its sequence. */
uint64_t host_take(struct host *host, struct weir_msg *input);
/* Apply the queued inputs and hand out all effects, until nothing is queued. */
void host_settle(struct host *host);
/* Journal and apply one input now, and hand out its effects. */
void host_do(struct host *host, struct weir_msg *input);

enum weir_err host_define(struct host *host,
                          struct why *why); /* setup.c: policies, names, limits */
void host_limit_instrument(struct host *host, uint32_t instrument); /* setup.c */
void host_reserve_ids(struct host *host);                           /* setup.c */

enum weir_err host_open_venues(struct host *host, struct why *why); /* venues.c */
void host_start_venues(struct host *host);
void host_close_venues(struct host *host);
/* An intent; seq: its number in the journal. */
void host_venue_effect(struct host *host, const struct weir_msg *effect, uint64_t seq);
weir_ns host_venue_next_timer(const struct host *host);
void host_venue_timers(struct host *host);

/* network.c: sockets and requests of the sessions. */
enum weir_err host_open_network(struct host *host, struct why *why);
enum weir_err host_open_endpoint(struct host_venue *venue, struct session_owner *owner,
                                 struct why *why);
void host_close_network(struct host *host); /* after the sessions */
void host_turn_network(struct host *host);
void host_tell_state(const struct host *host, const struct out_state *state);
/* Until t at most, or something came; true: something did. */
bool host_wait(struct host *host, weir_ns most);

void host_note_request(struct host *host, struct host_venue *venue,
                       const struct weir_intent *intent); /* deadlines.c */
weir_ns host_next_deadline(const struct host_venue *venue);
void host_deadlines(struct host *host, struct host_venue *venue);

enum weir_err host_open_scripts(struct host *host, struct why *why); /* scripts.c */
void host_start_scripts(struct host *host);
void host_stop_scripts(struct host *host);
void host_close_scripts(struct host *host);
void host_script_market(struct host *host, const struct weir_msg *input);
void host_script_effect(struct host *host, const struct weir_msg *effect);
weir_ns host_script_next_timer(const struct host *host);
void host_script_timers(struct host *host);
/* Tell what scripts published to those that asked for it; false: nothing waits. */
bool host_script_published(struct host *host);
/* Load what its files say now beside it, or instead of what was stopped, and switch. */
enum weir_err host_restart_script(struct host *host, struct host_script *guest,
                                  struct why *why) WEIR_MUST_USE;

/* quarantine.c: a script ended; and what brings it back. */
void host_script_ended(struct host *host, struct host_script *guest);
enum weir_err host_revive_script(struct host *host, struct host_script *guest,
                                 struct why *why) WEIR_MUST_USE;
weir_ns host_next_retry(const struct host *host);
void host_retries(struct host *host);
void host_tell_quarantine(struct host *host, const struct host_script *guest,
                          const struct script_report *report); /* provenance.c */

/* states.c: weir.state in files. Text from malloc, or NULL: there is none. */
enum weir_err host_state_read(const struct host *host, const struct config_script *config,
                              char **text_out, size_t *len_out, struct why *why) WEIR_MUST_USE;
void host_state_kept(struct host *host, struct host_script *guest, const char *text, size_t len);
void host_clocks(struct host *host); /* tell the engine of them, from time to time */
void host_states(struct host *host); /* ask for them, from time to time */
void host_states_last(struct host *host);

/* Live: what scripts in processes said. True: there was something. */
bool host_script_turns(struct host *host);
bool host_scripts_pending(const struct host *host); /* one of them is about something */
struct host_script *host_script_of(struct host *host, uint32_t strategy);

void host_give_limits(struct host *host); /* setup.c: those that differ from what the engine has */
void host_tell_capabilities(struct host *host); /* once the venues are open */

/* reload.c: what changed, in words; on an error what runs stays as it is. */
enum weir_err host_reload(struct host *host, struct text *diff, struct why *why) WEIR_MUST_USE;
/* Does a script so configured run in a process of its own? */
bool host_in_process(const struct host *host, const struct config_script *config);
enum weir_err host_check_script(const struct config_script *config,
                                struct why *why) WEIR_MUST_USE; /* scripts.c */
/* Load the new version beside the running one, if anything of it changed; then, all being well, switch, or
 * drop what was prepared. */
enum weir_err host_prepare_script(struct host *host, struct host_script *guest,
                                  const struct config_script *config, struct text *diff,
                                  struct why *why) WEIR_MUST_USE;
void host_commit_script(struct host *host, struct host_script *guest);
void host_drop_script(struct host_script *guest);

/* scripts.c: a script that stands in no configuration, in the world of this host; inline. */
enum weir_err host_lone_script(struct host_script *guest, const struct script_config *config,
                               struct why *why) WEIR_MUST_USE;
/* prompt.c: one line of Lua, with the rights of a reader, or of a script (as, orders). */
void host_prompt(struct host *host, const struct wish *wish, struct wish_answer *answer);
void host_close_prompt(struct host *host);

/* compare.c: new versions beside those that run, for so long; then the wish is answered. */
enum weir_err host_compare(struct host *host, weir_ns ns, uint64_t wish,
                           struct why *why) WEIR_MUST_USE;
void host_compare_asked(struct host *host, const struct host_script *guest,
                        const struct weir_msg *wish, const struct script_answer *answer);
void host_compare_event(struct host *host, const struct weir_msg *msg);
weir_ns host_compare_next(const struct host *host);
void host_compare_timers(struct host *host);
bool host_compare_pending(const struct host *host); /* a shadow in a process works */
bool host_compare_turns(struct host *host);         /* takes what shadows said */
void host_close_comparison(struct host *host);
/* scripts.c: NULL in script_out: nothing of it changed. */
enum weir_err host_shadow_script(struct host *host, struct host_script *guest,
                                 const struct config_script *config,
                                 const struct script_world *world, struct script **script_out,
                                 struct why *why) WEIR_MUST_USE;

/* loop.c, virtual time: until t, or the end of the data; false: it has ended, or failed (why->err). */
bool host_run_until(struct host *host, weir_ns t, struct why *why);

bool host_files_changed(struct host *host); /* files.c: host.watch, and something did */
/* operate.c: false: not a wish of this file's. */
/* bookview.c: code: markets, VENUE/SYMBOL between spaces; ns: levels a side; orders: without our own. */
void host_show_books(struct host *host, const struct wish *wish, struct wish_answer *answer);
bool host_operate(struct host *host, const struct wish *wish, struct wish_answer *answer);

/* late.c: prices that wait until somebody looks. */
enum weir_err host_open_late(struct host *host, struct why *why);
void host_close_late(struct host *host);
/* Takes the event; false: it must be an input at once. */
bool host_is_late(struct host *host, const struct weir_msg *event);
void host_catch_up(struct host *host); /* now they are inputs */

void host_tell_provenance(struct host *host); /* provenance.c */
void host_tell_config(struct host *host);
void host_tell_script(struct host *host, const struct host_script *guest); /* which version runs */
/* How long after the input was taken the intent with this sequence had been handed to the venue. */
void host_tell_sent(struct host *host, const struct weir_intent *intent, uint64_t seq,
                    weir_ns after);

/* notes.c: what observers should know of the host */
void host_note(struct host *host);
void host_note_alert(struct host *host, uint32_t strategy, const struct script_alert *alert);
/* What a journal that went on had left: names, markets, positions, live orders, states. */
void host_note_restart(struct host *host);
void host_tell_alert(struct host *host, const struct out_alert *alert); /* to the log */

#endif
