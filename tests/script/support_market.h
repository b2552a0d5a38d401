/* support_market.h - a pretend owner for scripts: a real engine, a venue that does what it is told.
 *
 * The venue is "sim" with BTC-USD (tick 0.01, step 0.0001) and ETH-USD, on account "main"; strategies
 * 1 "s1", 2 "s2", 3 "s3". It acknowledges orders and cancels at once, fills when the test says so.
 * What scripts say and what was asked of the venue is kept as text, for comparing. Time moves by
 * market_wait() alone. Failures here are failures of the test. */
#ifndef TESTS_SCRIPT_SUPPORT_MARKET_H
#define TESTS_SCRIPT_SUPPORT_MARKET_H

#include "base/text.h"
#include "script/cells.h"

enum { MARKET_SCRIPTS = 160, BTC = 1, ETH = 2 };

struct market {
    struct engine *engine;
    void *memory;
    weir_ns now;
    uint64_t seq;
    struct script *scripts[MARKET_SCRIPTS];
    struct script_answer *answer; /* of the wish that is being applied */
    unsigned char *effects;       /* not yet told or carried out */
    size_t effects_len, effects_room, effects_done;
    struct text log; /* "s1: text" a line: logs, alerts, published tables */
    struct text remarks;
    struct text asked; /* "new s1 buy 0.01 @ 50000" a line: what reached the venue */
    uint64_t news, cancels, replaces;
    uint64_t fills;
    bool mute;  /* the venue answers nothing */
    bool quiet; /* keep no texts */
    struct book *book;
    void *book_memory;
    uint64_t wishes;                  /* asked of the owner, accepted or not */
    struct script_message *published; /* not yet told */
    size_t published_count;
    struct cells *cells; /* scripts get processes of their own; NULL: they run here */
    bool refuse;         /* the owner refuses every wish in its own words */
};

void market_open(struct market *market);
void market_open_cells(struct market *market, bool lockstep); /* with processes */
void market_close(struct market *market);                     /* scripts too */

/* A configuration with generous limits, to be changed before market_add. */
struct script_config market_config(const char *name, uint32_t strategy, const char *text);
struct script *market_add(struct market *market, const struct script_config *config);
struct script_world market_world(struct market *market); /* for script_create() by hand */
/* The usual: a script "s1" with order rights, loaded and started. */
struct script *market_script(struct market *market, const char *text);

void market_strategy(struct market *market, uint32_t number, const char *name);
void market_apply(struct market *market, void *input); /* t and seq are set here */
void market_settle(struct market *market);             /* tell and carry out what is left */
void market_top(struct market *market, uint32_t instrument, const char *bid, const char *ask);
void market_trade(struct market *market, uint32_t instrument, const char *px, const char *qty);
void market_state(struct market *market, uint32_t instrument, enum book_state state);
void market_fill(struct market *market, const char *cid, const char *px, const char *qty);
void market_wait(struct market *market, weir_ns ns); /* timers fire on the way */
void market_limit(struct market *market, enum risk_scope scope, uint32_t id, enum risk_limit limit,
                  const char *value);

const char *market_log(struct market *market);     /* since the last call */
const char *market_asked(struct market *market);   /* since the last call */
const char *market_remarks(struct market *market); /* of all scripts, a line each; likewise */

#endif
