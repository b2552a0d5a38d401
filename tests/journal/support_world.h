/* support_world.h - a small host for the journal's tests: an engine whose inputs and effects are
 * journalled as a host journals them, with a venue that answers at random or as told. */
#ifndef TESTS_JOURNAL_SUPPORT_WORLD_H
#define TESTS_JOURNAL_SUPPORT_WORLD_H

#include "engine/engine.h"
#include "journal/engine_home.h"
#include "journal/support_journal.h"
#include "support/random.h"

enum { BTC = 1, ETH = 2, MAKER = 1, TWAP = 2, LIVE_MAX = 64 };

struct sent {
    char wire[WEIR_ID_MAX];
    uint32_t instrument;
    uint8_t side;
    weir_qty left;
    weir_px px;
};

struct world {
    struct engine_home home;
    struct journal *journal;
    struct journal_options options;
    weir_ns now;
    uint64_t input;      /* sequence of the input being applied */
    uint64_t stop_after; /* this many EFFECT records more and the process is dead; 0: never */
    bool dead;
    struct sent live[LIVE_MAX]; /* orders at the venue */
    size_t live_count;
    uint64_t next_exec, next_order, next_venue_id;
    uint64_t random;
};

struct engine_sizes world_sizes(void);
void world_open(struct world *world, const struct folder *folder, enum journal_sync sync);
void world_define(
    struct world *world); /* venue, account, strategies, instruments, limits, wallet */
void world_limit(struct world *world, enum risk_scope scope, uint32_t id, enum risk_limit limit,
                 const char *value);
struct in_limit limit_of(enum risk_scope scope, uint32_t id, enum risk_limit limit,
                         const char *value);
/* Give one input: journal, apply, journal what it does. False: the process died in the middle. */
bool world_input(struct world *world, void *msg);
bool world_top(struct world *world, uint32_t instrument, weir_px bid, weir_px ask, uint64_t seq);
bool world_submit(struct world *world, const char *cid, uint32_t strategy, uint32_t instrument,
                  enum weir_side side, weir_px px, weir_qty qty, uint64_t seen_seq);
bool world_ack(struct world *world, const char *wire, const char *venue_id, uint32_t instrument);
bool world_fill(struct world *world, const char *wire, const char *exec_id, uint32_t instrument,
                enum weir_side side, weir_px px, weir_qty qty);
const char *world_wire(const struct world *world, const char *cid);
void world_play(struct world *world,
                int steps); /* at random: books, orders, answers, fills, cancels */
struct journal_summary world_close(struct world *world);
void world_kill(struct world *world); /* as kill -9 would */

#endif
