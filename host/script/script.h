/* script.h - a Lua strategy or scanner: what its owner gives it, asks of it, and tells it.
 *
 * A script is a guest. It lives in a cell (cell.h): one lua_State in its own arena, on its own stack,
 * with a deadline. Over budget it is ABANDONED: control leaves Lua by a jump, the arena is dropped,
 * no Lua code runs again, nothing in Lua can catch that. From then on every function here returns at
 * once, and the owner decides what becomes of its orders.
 *
 * THE OWNER  (the live loop, a backtest, `weir try`, a test) holds the engine and applies wishes: in
 *            world.submit it journals the wish, calls engine_apply() and shows the effects to
 *            script_answer_effect(). It must not tell the script anything from there: effects that
 *            concern the script are kept and given to script_event() after the call into the script
 *            has returned (script_busy() is false). No function of this header but script_answer_*,
 *            script_strategy, script_name and script_busy may be called from a world callback.
 * TIME       is world.now(), the engine's. Real time is used for one thing only: the deadline.
 * ORDER      A script's handlers run one at a time, in the order in which they were registered.
 * THREADS    All calls for one script come from one thread; each such thread gets its own stack and
 *            deadline timer at the first call, and gives them back by script_thread_fini(). The timer
 *            is a signal, and runs out up to an eighth of a budget after the last call: system calls
 *            of that thread may see EINTR until then.                     [the script's thread] */
#ifndef WEIR_SCRIPT_SCRIPT_H
#define WEIR_SCRIPT_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "base/why.h"
#include "engine/book.h"
#include "engine/effect.h"
#include "engine/engine.h"

struct script;
struct cells; /* cells.h */

/* --- what the owner gives --------------------------------------------------------------------- */

/* A tree of plain values: settings in, published tables out. In a map each item has its key. */
enum script_value_kind {
    SCRIPT_NIL = 0,
    SCRIPT_BOOL,
    SCRIPT_INT,
    SCRIPT_DECIMAL, /* text: "0.25"; a Lua number in the script */
    SCRIPT_TEXT,
    SCRIPT_LIST, /* items, in order; keys NULL */
    SCRIPT_MAP   /* items with keys */
};
struct script_value {
    const char *key;
    const char *place; /* "weir.yaml:12:7", for messages; NULL: not known */
    enum script_value_kind kind;
    int64_t number;   /* BOOL: 0 or 1; INT */
    const char *text; /* DECIMAL, TEXT */
    const struct script_value *items;
    size_t count;
};

/* Limits of one script. 0 means the default in parentheses. */
struct script_budget {
    weir_ns load_ns;     /* CPU time of the chunk's top level (500 ms) */
    weir_ns callback_ns; /* CPU time of one handler (50 ms) */
    uint64_t
        instructions; /* VM instructions of one callback, twenty times that to load or start; 0: not
                                  counted. Counting makes outcomes independent of the machine and
                                  doubles the cost of plain Lua code: for virtual time only */
    size_t memory;    /* bytes of Lua memory (16 MiB); at the cap the script is abandoned */
    size_t block;     /* largest single block, strings included (4 MiB) */
    uint32_t handlers;        /* handlers and timers together (1000) */
    uint32_t orders_per_s;    /* submits and amends: refill of a bucket of twice that (100) */
    uint32_t cancels_per_s;   /* the same for cancels (400) */
    uint32_t floods;          /* wishes refused for pace in one callback: abandoned (1000) */
    uint32_t log_lines_per_s; /* above it lines are dropped and counted (100) */
    uint32_t log_line_max;    /* bytes; longer lines are cut (1024) */
    uint32_t alerts_per_s;    /* (10) */
    uint32_t messages_per_s;  /* published tables (100) */
    uint32_t state_max;       /* bytes of weir.state as text (65536) */
    uint32_t errors;          /* uncaught errors of handlers that are forgiven (0) */
};

struct script_source {
    const char *name; /* "maker.lua": shown in messages; a module's name for weir.import */
    const char *text; /* not zero-terminated; a chunk of text, at most 256 KiB */
    size_t len;
};

/* How a script in a process of its own waits for what happens next. */
enum script_wake {
    SCRIPT_HYBRID = 0, /* look for some 20 us, then sleep */
    SCRIPT_SPIN,       /* look all the time: a core of its own */
    SCRIPT_PARK        /* sleep at once */
};

struct script_config {
    const char *name; /* of the strategy; copied, as everything else here */
    struct script_source source;
    const struct script_source *modules; /* what weir.import may load, listed by the operator */
    size_t module_count;
    uint32_t strategy;        /* its number in the engine */
    bool may_trade;           /* the order rights; false: a scanner */
    const char *order_prefix; /* cids are this and a counter in base 36: unique for ever within the
                                  account, 1..24 of [a-z0-9-]; NULL: made from the name, the strategy
                                  number and world.now() */
    uint64_t seed;            /* of weir.random and math.random */
    struct script_budget budget;
    const struct script_value *settings; /* a MAP, or NULL */
    struct cells *cells;                 /* it gets a process of its own; NULL: it runs here */
    enum script_wake wake;
    int nice;          /* of that process, 0..19: how much less it counts than others */
    const char *state; /* weir.state as script_state_save() wrote it; NULL: empty */
    size_t state_len;
};

/* Why a wish was refused, as the script sees it: err.code, .message, .observed, .limit, .scope. */
struct script_refusal {
    char code[32];     /* a word of RISK_CHECKS or WEIR_ERRORS */
    char message[160]; /* "": the check's own text */
    bool has_reading;
    struct risk_reading reading;
    char scope_name[NAME_MAX_LEN]; /* of the reading's scope; "": the engine knows it */
};

/* The owner's answer to one wish. Before the owner is asked a submit is not accepted, a change is. */
struct script_answer {
    bool
        accepted; /* the engine took it (or it was queued for the engine: a refusal then comes as an
                      order event with state DENIED) */
    struct script_refusal refusal; /* if not */
};

struct script_alert {
    const char *level; /* "info", "warn" or "critical" */
    const char *text;  /* one line, valid UTF-8 */
    const char *venue; /* "" if none */
    const char *symbol;
    uint32_t instrument; /* 0: none, or not known */
};

/* A published table, as text that weir.state could have, and as JSON for everybody else. */
struct script_message {
    const char *topic;
    const char *from; /* name of the script */
    weir_ns t;
    const char *text; /* at most 8 KiB */
    size_t len;
    const char *json; /* NULL on the way in: who listens needs no JSON */
    size_t json_len;
};

struct script_world {
    void *context;
    const struct engine *engine; /* questions only; may be asked whenever a script runs */
    weir_ns (*now)(void *context);

    /* A wish with everything in it but msg.t; its msg names instrument, venue and account, and cid
     * is new. Both are synchronous and never re-enter the script. */
    void (*submit)(void *context, struct script *script, const struct in_submit *wish,
                   struct script_answer *answer_out);
    /* IN_CANCEL, IN_REPLACE (new_cid is new) or IN_CANCEL_MANY of this script's strategy. */
    void (*change)(void *context, struct script *script, const struct in_change *wish,
                   struct script_answer *answer_out);

    /* The book of an instrument; NULL: none. The state goes to state_out in any case. NULL as a
     * whole: books are known by their best prices only (engine_market). */
    const struct book *(*book)(void *context, uint32_t instrument, enum book_state *state_out);

    /* Do orders there go to a pretended venue, so that the book has none of ours? NULL: they do not. */
    bool (*is_paper)(void *context, uint32_t instrument);

    /* The rest may be NULL: not wanted. Texts are valid UTF-8 without control characters. */
    void (*subscribe)(void *context, struct script *script, const char *venue, const char *symbol);
    void (*log)(void *context, struct script *script, const char *line);
    void (*alert)(void *context, struct script *script, const struct script_alert *alert);
    /* What its author should know, at most sixteen of them: the first refusal of a kind at a line, a
     * handler that can never be called. */
    void (*remark)(void *context, struct script *script, const char *text);
    void (*publish)(void *context, struct script *script, const struct script_message *message);
    /* weir.state as text, after script_state_ask(). Borrowed. */
    void (*state)(void *context, struct script *script, const char *text, size_t len);
};

/* --- life ------------------------------------------------------------------------------------- */

/* Loads the chunk and runs its top level (orders are refused while it runs). An error means that no
 * script could be made at all (memory, a bad config); a chunk that does not compile, errs or
 * overstays makes a script whose script_outcome() says so. The world is copied. */
enum weir_err script_create(const struct script_config *config, const struct script_world *world,
                            struct script **script_out, struct why *why) WEIR_MUST_USE;
void script_destroy(struct script *script); /* in bounded time, runs no Lua code; accepts NULL */

/* Does it compile? Nothing is run. The error reads "maker.lua:12: ..., the line, a hint". */
enum weir_err script_check(const struct script_source *source, struct why *why) WEIR_MUST_USE;

/* The same, and its settings by what weir.declare says of them: the chunk runs up to that call, in a world
 * without anything. A chunk that declares nothing takes any settings. The error reads "weir.yaml:12:7:
 * settings.clip: expected a number, 0.001 to 5, found ...". Modules are looked at, too. */
enum weir_err script_check_settings(const struct script_config *config,
                                    struct why *why) WEIR_MUST_USE;

/* What a chunk returns, as JSON: plain data that is worked out, such as a table of tests. It runs in a world
 * without anything; numbers have 17 digits. json_out: text_init'ed.
 * E_BAD_CONFIG: it fails, or returns something else; "tests.lua:12: ...", the line, a hint. */
enum weir_err script_evaluate(const struct script_source *source, struct text *json_out,
                              struct why *why) WEIR_MUST_USE;

void script_start(struct script *script); /* calls the `start` handlers; from now on events come */
void script_stop(
    struct script *script); /* calls the `stop` handlers, which may cancel; then none */

/* Load `config` beside the running version with its weir.state, run `start` in shadow (orders are
 * refused), swap, and call its `reload` handlers. On any error until then the old version runs on,
 * untouched, and why says what the new one did. The cid counter, throttles and report go on. It is
 * also the way back of one that was refused or quarantined (its state then is config->state). */
enum weir_err script_reload(struct script *script, const struct script_config *config,
                            struct why *why) WEIR_MUST_USE;

/* The same in two steps, so that several scripts change together or not at all: load beside and start in
 * shadow, which on an error leaves nothing; then, with no event between, switch, or drop what was
 * prepared. The state handed over is that of the first step. */
enum weir_err script_prepare(struct script *script, const struct script_config *config,
                             struct why *why) WEIR_MUST_USE;
void script_commit(struct script *script); /* nothing prepared: nothing happens */
void script_drop(struct script *script);

/* weir.state as text (the form of a Lua table, keys sorted: equal states are equal bytes), owned by
 * the script until the next call. E_BAD_CONFIG: something in it is not plain data. */
enum weir_err script_state_save(struct script *script, const char **text_out, size_t *len_out,
                                struct why *why) WEIR_MUST_USE;

/* One line of Lua for a person, in a script that runs here (not in a process): what its values are, tables
 * as JSON. Globals stay. False: out says what is wrong; over a budget the script has ended, too. */
bool script_eval(struct script *script, const char *code, char *out, size_t room);

/* The same without waiting: world.state() gets it, now or when its process has answered. What is not
 * plain data is told in a line of the script's log, and nothing comes. */
void script_state_ask(struct script *script);

/* --- what happens ----------------------------------------------------------------------------- */

/* One thing that happened: WEIR_TOP, IN_BOOK_STATE (book), WEIR_TRADE (trade, and bars), OUT_ORDER
 * (order), OUT_EXECUTION (fill, position), OUT_ALERT (alert), OUT_STATE (venue, or alert). Others are
 * ignored. OUT_ORDER, OUT_EXECUTION reach only the script of their strategy; market data only
 * those that subscribed (a script that subscribes to nothing hears of all instruments). */
void script_event(struct script *script, const struct weir_msg *msg);
bool script_wants(const struct script *script, enum weir_kind kind, uint32_t instrument);

/* What another script published; it is told if this one asked for it (weir.subscribe{topic=}). */
void script_message(struct script *script, const struct script_message *message);
bool script_listens(const struct script *script, const char *topic, const char *from);

/* When script_timer() wants to be called; INT64_MAX: never. */
weir_ns script_next_timer(const struct script *script);
void script_timer(struct script *script);

/* Live, of a script in a process of its own: is it still about something that it was told? Then it
 * wants a turn each time the owner wakes, in which what it said is taken; true: there was something. */
bool script_pending(const struct script *script);
bool script_turn(struct script *script);

/* --- answers ---------------------------------------------------------------------------------- */

/* Show an effect of the wish to the answer: OUT_DECISION decides, OUT_ORDER that tells of a refused
 * cancel or replace refuses, others say nothing. Asks nothing of the engine, so a sink may call it. */
void script_answer_effect(struct script_answer *answer, const struct weir_msg *effect);
/* Refuse in the owner's own words. */
void script_answer_refuse(struct script_answer *answer, const char *code, const char *message);

/* --- questions -------------------------------------------------------------------------------- */

enum script_outcome { SCRIPT_OK = 0, SCRIPT_REFUSED, SCRIPT_QUARANTINED };
const char *script_outcome_name(enum script_outcome outcome); /* "ok", "refused", "quarantined" */

struct script_report {
    const char *name;
    enum script_outcome outcome;
    const char *reason; /* "maker.lua:12: attempt to ...": one line; "" when ok */
    const char *detail; /* the source line and a hint, "" if there are none */
    uint64_t callbacks;
    uint64_t orders_sent;   /* submits that the engine took */
    uint64_t orders_denied; /* submits that were refused, here or by the engine */
    uint64_t amends_sent;
    uint64_t cancels_sent;
    uint64_t log_lines;      /* given to world.log */
    uint64_t log_dropped;    /* above the rate */
    uint64_t errors;         /* uncaught errors */
    weir_ns max_callback_ns; /* real time, load included */
    bool crashed;            /* it ended because its process died, not by a budget or an error */
    uint64_t left_out;       /* market events, since it was behind */
    size_t memory;
    size_t memory_max;
};
void script_report(const struct script *script, struct script_report *report_out);

enum script_outcome script_outcome(const struct script *script);
const char *script_name(const struct script *script);
uint32_t script_strategy(const struct script *script);
bool script_busy(const struct script *script); /* its Lua code is running now */

/* --- files and threads ------------------------------------------------------------------------ */

/* Read a chunk: a regular file of at most 256 KiB. source_out->text is the caller's to free(), name
 * points into path. */
enum weir_err script_source_read(const char *path, struct script_source *source_out,
                                 struct why *why) WEIR_MUST_USE;

void script_thread_fini(void); /* gives back the calling thread's stack and timer */

#endif
