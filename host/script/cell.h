/* cell.h - what one version of a script is made of: its Lua state, its memory, what it waits for.
 *
 * Private to host/script. A cell is dropped as a whole, by cell_destroy() alone, and never from
 * inside of a call into it. Whatever here is written by a call may be half written when the call is
 * abandoned: then only what reports the end is still read (where, and the counts of struct script).
 * Memory from malloc is got and given back outside of calls, or between guard_host_enter() and
 * guard_host_leave().
 *
 * A name ending in _in is a function that runs inside of a call (lua_State given), where Lua errors
 * and jumps may leave it at any of its calls to Lua. */
#ifndef WEIR_SCRIPT_CELL_H
#define WEIR_SCRIPT_CELL_H

#include <lua.h>

#include "script/guard.h"
#include "script/heap.h"
#include "script/script.h"

enum {
    SOURCE_MAX = 256 << 10, /* a chunk from a file */
    LOAD_MAX = 64 << 10,    /* a chunk given to load() */
    COUNT_STEP = 1000,      /* instructions between two looks at the budget */
    WISHES_MAX = 64,        /* subscriptions */
    BARS_MAX = 64,
    TOPICS_MAX = 32,      /* subscriptions to what other scripts publish */
    PUBLISHED_MAX = 8192, /* bytes of a published table as text */
    PER_EXP = 8,          /* the volume of a bar in a wish is counted in 10^-8 */
    PLAIN_DEPTH = 32,     /* of settings, state and published tables */
    REASON_ROOM = 400,
    REMARKS_MOST = 16 /* of a version, toward its author */
};

#define SCRIPT_EVENTS(X) \
    X(start)             \
    X(stop)              \
    X(book)              \
    X(quote)             \
    X(trade)             \
    X(mark) X(bar) X(timer) X(order) X(fill) X(position) X(venue) X(alert) X(reload) X(message)
enum happening {
#define X(name) ON_##name,
    SCRIPT_EVENTS(X)
#undef X
        HAPPENINGS
};

/* Names of the fields of events, kept as Lua strings in the registry of each state. */
/* clang-format off */
#define FIELDS(X) \
    X(venue) X(symbol) X(bid) X(ask) X(bid_qty) X(ask_qty) X(seq) X(time) X(price) X(qty) X(side) \
    X(type) X(tif) X(post_only) X(reduce_only) X(tag) X(trigger) X(expires) X(id) X(interval) \
    X(open) X(high) X(low) X(close) X(volume) X(count) X(due) X(state) X(kind) X(closed) X(per)     \
    X(topic) X(from) X(data) X(what) X(ticks) X(level) X(text) X(account) X(asset) X(all)            \
    X(trail) X(visible) X(release) X(oco) X(parent) X(depth) X(own) X(markets)
/* clang-format on */
enum field {
#define X(name) FIELD_##name,
    FIELDS(X)
#undef X
        FIELD_COUNT
};
_Static_assert(FIELD_COUNT <= 64, "sets of fields are bits of one word");
#define FIELD_BIT(name) (UINT64_C(1) << FIELD_##name)
enum { FIELD_PLACES = 256 }; /* some times more than fields, so that they seldom share one */

/* What a cell may do now; the reason of a refusal is made from it. */
enum cell_mode {
    MODE_LOADING,  /* the chunk's top level */
    MODE_CHECKING, /* the same, up to weir.declare: nobody is there */
    MODE_SHADOW,   /* `start` of a version that does not run yet */
    MODE_RUNNING,
    MODE_STOPPING
};

enum { WANT_BOOK = 1, WANT_TRADE = 2, WANT_BAR = 4, WANT_MARK = 8 };

enum bar_kind { BAR_TIME = 0, BAR_VOLUME, BAR_TICKS };

/* A wish of weir.subscribe; "" is any. */
struct wish {
    char venue[NAME_MAX_LEN];
    char symbol[WEIR_SYMBOL_MAX];
    enum bar_kind kind; /* of bars */
    int64_t per;        /* ns, 10^-8 of the base, or trades */
    uint8_t what;
    bool checked; /* its names were found, or the complaint was made */
    int line;     /* of the call, for the complaint */
    char chunk[64];
};

/* A wish of weir.subscribe{topic=}: what others publish; from "": anybody. */
struct topic {
    char name[NAME_MAX_LEN];
    char from[NAME_MAX_LEN];
};

/* What is known of an instrument once something of it has happened. */
struct watched {
    uint32_t wishes; /* how many wishes had been looked at */
    uint8_t what;
    bool named;
    int venue_ref; /* registry: its names as Lua strings */
    int symbol_ref;
    int market_ref; /* registry: what weir.market() gives; 0: not made yet */
};

struct bar {
    uint32_t instrument;
    uint32_t count; /* trades in it; 0: not open */
    enum bar_kind kind;
    int64_t per;   /* it is full after so many ns, steps of the quantity, or trades */
    weir_ns start; /* of the bar (BAR_TIME), or of its first trade */
    weir_ns last;  /* its last trade */
    weir_px open, high, low, close;
    weir_qty volume;
};

struct timer {
    weir_ns due;
    weir_ns period; /* 0: once */
    int ref;
    uint32_t id;
};

struct handlers {
    int *refs;
    uint32_t count, room;
};

/* What every call reads stands first, close together: there may be a thousand scripts. */
struct cell {
    lua_State *L;
    struct script *script;
    enum cell_mode mode;
    bool walked;          /* next() was used in this call */
    uint32_t floods;      /* wishes refused for pace in this call */
    uint32_t dropped;     /* market events left out before the one that is told */
    int64_t instructions; /* left in this call */
    uint32_t wish_count;
    uint32_t watched_count;
    struct watched *watched; /* by number of instrument */
    struct heap heap;

    int fields;                      /* registry: the first of FIELDS, the others follow */
    const char *names[FIELD_COUNT];  /* the same strings */
    uint8_t field_at[FIELD_PLACES];  /* by a string's address: field + 1, 0: none [field_of] */
    uint32_t remarks;                /* made, each of: */
    uint32_t remarked[REMARKS_MOST]; /* code and line */
    uint64_t given;                  /* members of the table that only_fields_in() read last */
    struct handlers on[HAPPENINGS];
    int walk_ref;    /* sorted.c: where next() was */
    int weir_ref;    /* the table behind `weir` */
    int globals_ref; /* the script's globals */
    int chunk_ref;
    int imported_ref;
    int settings_ref;       /* the table that weir.settings shows */
    int places_ref;         /* where each setting stands in the configuration */
    bool declared;          /* weir.declare was called */
    uint32_t handler_count; /* timers included */
    struct timer *timers;
    uint32_t timer_count, timer_room;
    uint32_t timer_id;
    uint32_t bar_count;
    struct bar *bars;
    struct wish *wishes;
    struct topic *topics;
    uint32_t topic_count;
    weir_ns second; /* when `timer` handlers are due */
    uint64_t seed;
    char *text; /* room for weir.state and published tables */
    size_t text_room;
    struct script_source source; /* owned */
    struct script_source *modules;
    size_t module_count;
    char where[96]; /* "maker.lua:12:" of the last error, or where it was abandoned */
};

/* Tokens: `rate` a second, at most two seconds' worth. */
struct bucket {
    weir_ns at;
    int64_t level; /* 10^-9 tokens */
};

struct script {
    struct cell *cell;       /* NULL: refused or quarantined, or in a process of its own */
    struct warden *warden;   /* of that process; NULL: none */
    struct picture *picture; /* we are that process; NULL: there is an engine */
    bool busy;
    bool started;
    bool may_trade;
    uint32_t strategy;
    struct script_budget budget;
    struct script_report report;
    struct script_world world;
    uint64_t next_id;
    uint64_t lines_dropped; /* since the last that was let through */
    struct cell *next_cell; /* a version that is prepared, here or in a process; NULL: none */
    struct warden *next_warden;
    struct script_budget next_budget;
    bool next_may_trade;
    struct plain *result; /* of the chunk's top level; NULL: not wanted */
    bool checking;        /* nobody is there: only weir.declare is wanted */
    bool declared;        /* and it was called */
    struct bucket orders, cancels, lines, alerts, messages;
    char name[NAME_MAX_LEN];
    char prefix[32];
    char *said; /* script_state_save's text */
    char reason[REASON_ROOM];
    char detail[REASON_ROOM];
};

static inline struct cell *cell_of(lua_State *L)
{
    return *(struct cell **)lua_getextraspace(L);
}

/* --- script.c, for lone.c ---------------------------------------------------------------------- */

void script_defaults(struct script_budget *budget);
enum weir_err script_config_check(const struct script_config *config, struct why *why);

/* --- script.c, for inmate.c ------------------------------------------------------------------- */

/* script_create() where a picture stands in for the engine. next_id: the counter of its cids. */
enum weir_err script_create_known(const struct script_config *config,
                                  const struct script_world *world, struct picture *picture,
                                  uint64_t next_id, struct script **script_out, struct why *why);
bool script_shadow(struct script *script); /* `start`, beside the version that still runs */
void script_take_over(struct script *script);
/* The books and trades it wants, and whether it has such a handler: of a process, as it said. */
struct cell *script_wishes(const struct script *script);
void script_bury(struct script *script); /* of a process that is over, what is left */

/* Text of plain data: where it goes. problem says what is not plain data, or that there is no room. */
struct plain {
    char *text;
    size_t len, room;
    bool json;
    char problem[160];
};

/* --- cell.c ----------------------------------------------------------------------------------- */

/* Make the state and its environment and run the chunk. NULL: no memory (outcome SCRIPT_OK, and why
 * says so), or the script is refused or quarantined, and has a reason. */
struct cell *cell_create(struct script *script, const struct script_config *config,
                         enum script_outcome *outcome_out, struct why *why);
void cell_destroy(struct cell *cell);
/* Does it compile? The error has the line and a hint. */
enum weir_err cell_compile(const struct script_source *source, struct why *why);

/* Call a function that is kept in the registry with what push_in pushes (NULL: nothing).
 * False: the cell must go; the script has a reason. */
enum call_kind { CALL_HANDLER, CALL_ONCE, CALL_REPEATS };
struct call {
    int ref;
    enum call_kind kind; /* CALL_ONCE, and CALL_REPEATS that returned false, give their ref back */
    void (*push_in)(struct cell *cell, lua_State *L, const void *arg);
    const void *arg;
    const char *name; /* for the reason: "a `book` handler" */
    bool starting;    /* has the budget of loading */
    bool returned_false;
    struct plain *result; /* NULL, or where what it returns is written */
};
bool cell_call(struct cell *cell, struct call *call);

/* Run a function of ours inside. False: as above. */
bool cell_do(struct cell *cell, lua_CFunction body, void *arg, weir_ns budget);

/* Into script->reason and ->detail: "maker.lua:12: message", its line, a hint. */
void cell_explain(struct script *script, const struct cell *cell, const char *message);

/* --- sandbox.c, text.c, sorted.c, number.c, plain.c ------------------------------------------- */

void sandbox_open_in(lua_State *L, struct cell *cell);
int sandbox_load_in(lua_State *L, const char *text, size_t len,
                    const char *name); /* lua_load's result */

/* tostring() as scripts see it: pushes a string that holds no address; may call __tostring. */
const char *text_of_in(lua_State *L, int index, size_t *len_out);
/* The same without metamethods, escaped and cut, into a buffer of ours. */
void text_plain(lua_State *L, int index, char *out, size_t room);
/* Copy text so that it is one line of valid UTF-8; cut at room - 1. */
void text_line(const char *text, size_t len, char *out, size_t room);
void text_open_in(lua_State *L); /* string library; print, tostring */

void sorted_open_in(lua_State *L); /* next, pairs, table.sort */
/* Push a walker over the table at index; each walk_next_in pushes the next key and value. */
void walk_open_in(lua_State *L, int index);
bool walk_next_in(lua_State *L, int walker);

void dec_open_in(lua_State *L); /* pushes weir.dec */
bool dec_get(lua_State *L, int index, amount *value_out);
void dec_push_in(lua_State *L, amount value);

enum fit { FITS = 0, FIT_NO_NUMBER, FIT_TEXT, FIT_NOT_FINITE, FIT_OFF_STEP, FIT_TOO_LARGE };
/* The Lua value at index as a count of 10^-exp that is a multiple of step (> 0). design.md §15. */
enum fit weir_dec_from_lua(lua_State *L, int index, int exp, int64_t step, int64_t *value_out);
/* Pushed as floats: the double nearest to the decimal. */
void push_decimal(lua_State *L, int64_t value, int exp);
void push_amount(lua_State *L, amount value);

/* The table on top (of weir) gets a read-only `settings`; the reference is of what stands behind it. */
int plain_settings_in(lua_State *L, const struct script_value *settings);
/* Write the value at index as Lua text or JSON; false: there is a problem. */
bool plain_write_in(lua_State *L, int index, struct plain *plain);
bool plain_read_in(lua_State *L, const char *text,
                   size_t len); /* false: pushes a message instead */

/* --- hint.c ----------------------------------------------------------------------------------- */

/* What to do about an error; "" if there is none. */
void hint_for(const char *message, char *out, size_t room);
/* The nearest of the words (ended by NULL), or NULL. */
const char *hint_nearest(const char *word, const char *const *words);
/* The same for names that are not in one list: begin with the word, and offer each. */
struct nearest {
    const char *word;
    const char *best; /* NULL: none is near */
    unsigned least;
};
void hint_begin(struct nearest *nearest, const char *word);
void hint_offer(struct nearest *nearest, const char *name);

/* --- api.c, orders.c, views.c, market.c, wishes.c, bars.c, events.c ------------------------------------- */

void api_open_in(lua_State *L, struct cell *cell); /* the global `weir` */
void api_push_orders_in(lua_State *L);             /* each sets its functions in the table on top */
void api_push_views_in(lua_State *L);
void api_push_books_in(lua_State *L); /* books.c */
void api_push_market_in(lua_State *L);
void api_push_events_in(lua_State *L);
void api_push_settings_in(lua_State *L); /* settings.c: weir.declare */
void settings_keep_in(lua_State *L, struct cell *cell, const struct script_value *settings);
/* A name that nobody has, and the nearest that somebody has; into out: "; did you mean X?" or "". */
void venue_like(const struct script *script, const char *name, char *out, size_t room);
void symbol_like(const struct script *script, uint16_t venue, const char *name, char *out,
                 size_t room); /* venue 0xffff: of any */

/* Push the name of a field; push the field of the table at index, raw. */
static inline void field_name(lua_State *L, enum field field)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, cell_of(L)->fields + (int)field);
}
static inline int field_get(lua_State *L, int index, enum field field)
{
    field_name(L, field);
    return lua_rawget(L, index);
}

/* An error table for the script behind a nil; all return 2. */
struct err {
    const char *code;
    const char *message;
    bool has_numbers;
    lua_Number observed, limit;
    const char *scope; /* "" or NULL: none */
};
int err_push_in(lua_State *L, const struct err *err);
int err_say_in(lua_State *L, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int err_refused_in(lua_State *L, const struct script_refusal *refusal);
void err_open_in(lua_State *L);

/* Where a string of this address is in field_at, or the free place where it would be. Short strings
 * are one object each in a state, and those of the fields are kept: their addresses tell them apart. */
static inline uint8_t field_place(const struct cell *cell, const char *name)
{
    uint8_t place = (uint8_t)(((uintptr_t)name >> 3) * UINT64_C(0x9E3779B97F4A7C15) >> 56);
    while (cell->field_at[place] && cell->names[cell->field_at[place] - 1] != name)
        place++;
    return place;
}

/* The table at index has no members but these (FIELD_BIT), of which it has those in cell->given;
 * false: nil, err are pushed. */
bool only_fields_in(lua_State *L, int index, const char *function, uint64_t fields);

weir_ns now_in(lua_State *L);
void log_in(struct cell *cell, const char *line);
/* nil, err are on top: a remark, if it is the first of this code at this line. */
void remark_refusal_in(lua_State *L);
char *text_room_in(lua_State *L); /* state_max + 1 bytes */
bool bucket_take(struct bucket *bucket, weir_ns now, uint32_t rate);

/* The instrument that two Lua strings name; 0: pushes nil, err. */
uint32_t instrument_named_in(lua_State *L, int venue, int symbol);
/* f(venue, symbol, more) or f{venue=, symbol=, ...}: afterwards the table, or nil, is at 1, venue at 2,
 * symbol at 3 and more at 4. fields: further ones that the table may have. False: nil, err are pushed. */
bool spread_in(lua_State *L, const char *function, uint64_t fields);
void push_names_in(lua_State *L, struct cell *cell, uint32_t instrument); /* venue and symbol */
void set_names_in(lua_State *L, struct cell *cell, uint32_t instrument); /* into the table on top */
void push_market_in(lua_State *L, struct cell *cell, uint32_t instrument); /* must be known */
void push_side_in(lua_State *L, uint32_t instrument, enum weir_side side); /* its buy, or sell */
void push_order_in(lua_State *L, struct cell *cell, const struct out_order *order);
void push_marks_in(lua_State *L, struct cell *cell, uint32_t instrument,
                   const struct market_marks *marks);
void push_position_in(lua_State *L, struct cell *cell, uint32_t instrument, uint32_t strategy);

/* wishes.c: who listens to what. Outside of calls. */
bool watch_ready(struct cell *cell, uint32_t instrument); /* false: no memory */
/* A name that was asked for and is not there, now that the venue's instruments are known: the
 * complaint, "maker.lua:3: weir.subscribe: ...". False: all are found, or not yet known. */
bool watch_complaint(struct cell *cell, char *out, size_t room);
/* Remarks on handlers that nothing was subscribed for. Outside of calls. */
void watch_remarks(struct cell *cell);
bool watch_topic(const struct cell *cell, const char *topic, const char *from);
uint8_t watch_wants(const struct cell *cell, uint32_t instrument);

/* bars.c; outside of calls */
weir_ns bars_next(const struct cell *cell);
bool bars_due(struct cell *cell, weir_ns now,
              struct bar *bar_out); /* one that is over; taken out */
void bars_trade(struct cell *cell, const struct weir_trade *trade);

/* events.c: what handlers are called with: a table, or a quote's six values. arg: the message; NULL;
 * or what is named here. */
typedef void event_push(struct cell *cell, lua_State *L, const void *arg);
event_push push_time_event, push_book_event, push_quote_event, push_trade_event, push_order_event,
    push_mark_event, push_fill_event, push_position_event, push_alert_event, push_venue_event;
event_push push_bar_event;     /* struct bar */
event_push push_message_event; /* struct script_message */
event_push push_timer_event;   /* struct timer */

/* --- tell.c; outside of calls ----------------------------------------------------------------- */

/* Call each handler that was there when it began. False: the cell must go; if it was the script's
 * own it is gone. */
bool script_call(struct script *script, struct cell *cell, enum happening what, event_push *push,
                 const void *arg);
void script_end(struct script *script, enum script_outcome outcome);
void script_tell(struct script *script, const char *line); /* a line of the host's to its log */

#endif
