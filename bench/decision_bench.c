/* decision_bench.c - what the record of a decision costs, alone: its readings written, its head, and the
 * copy of both into the journal, with the checksum there.
 *
 * What the checks read was worked out before (risk_view); that is the figure of a risk evaluation,
 * bench/engine. Strategies take turns. The journal is synced by its own thread, as when live, and may
 * catch up between batches.
 *
 * decision          readings, head, and the copy into the journal
 * decision-copied   the same into memory as cold as a segment, and without a checksum
 * decision-written  readings and head, handed on
 * decision-floor    memcpy and crc32c of so many bytes into memory that has left the caches */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "bench.h"
#include "desk.h"
#include "engine/risk.h"
#include "engine/riskview.h"
#include "engine/submit.h"
#include "journal/journal.h"

enum { STRATEGIES = 1000, INSTRUMENTS = 100, BATCH = 4000, ROOM = 64 << 20 };

#define FOLDER "decision-bench.journal"

static struct {
    struct desk desk;
    struct journal *journal;
    struct in_submit in;
    struct wish wishes[STRATEGIES];
    struct risk_view views[STRATEGIES];
    uint32_t next, crc;
    size_t size; /* bytes of a record */
    unsigned char *room;
    size_t at;
} all;

/* --- beginning and end --------------------------------------------------------------------------- */

static void remove_journal(void)
{
    char name[64];
    for (int i = 1; i < 200; i++) {
        snprintf(name, sizeof name, FOLDER "/%08d.weir", i);
        unlink(name);
        snprintf(name, sizeof name, FOLDER "/%08d.weir.new", i);
        unlink(name);
    }
    unlink(FOLDER "/lock");
    rmdir(FOLDER);
}

static void open_journal(void)
{
    struct why why;
    struct journal_lock *lock;
    struct journal_options options = {
        .folder = FOLDER, .sync = JOURNAL_GROUP, .sizes = all.desk.sizes};
    remove_journal();
    if (journal_lock(FOLDER, &lock, &why) != WEIR_OK ||
        journal_open(&options, lock, NULL, &all.journal, &why) != WEIR_OK)
        bench_die("journal", why.text);
}

static void open_views(void)
{
    struct engine *engine = all.desk.engine;
    all.in = desk_order(&all.desk, 1, WEIR_BUY);
    for (uint32_t i = 0; i < STRATEGIES; i++) {
        struct wish *wish = &all.wishes[i];
        *wish =
            (struct wish){.submit = &all.in,
                          .strategy = &engine->strategies[1 + i],
                          .instrument = &engine->instruments[desk_instrument_of(&all.desk, 1 + i)],
                          .px = all.in.px + i % 8,
                          .qty = all.in.qty,
                          .worst = all.in.qty};
        if (!risk_allows(engine, wish))
            bench_die("risk", "an order was not allowed");
        view_make(&all.views[i], engine, wish);
    }
    all.size = engine->decision->msg.size;
}

static void prepare(void *context)
{
    struct journal_status status;
    struct desk_plan plan = {.strategies = STRATEGIES, .instruments = INSTRUMENTS};
    (void)context;
    if (!all.journal) {
        desk_open(&all.desk, &plan);
        open_journal();
        open_views();
        all.room = bench_pages(ROOM);
        memset(all.room, 0x5a, ROOM);
    }
    do {
        usleep(1000);
        journal_status(all.journal, &status);
    } while (status.lag_bytes > 0 || !status.prepared);
}

static void close_all(void)
{
    struct why why;
    struct journal_summary summary;
    if (all.journal && journal_close(all.journal, &summary, &why) != WEIR_OK)
        bench_die("journal", why.text);
    remove_journal();
}

/* --- works --------------------------------------------------------------------------------------- */

static void into_journal(void *context, const struct weir_msg *effect)
{
    (void)context;
    if (journal_append(all.journal, JOURNAL_EFFECT, effect) == 0)
        bench_die("journal", "an append was refused");
}

/* Where the next record is copied to, in memory that has left the caches since. */
static unsigned char *next_room(void)
{
    unsigned char *to = all.room + all.at;
    all.at = all.at + 2 * all.size > ROOM ? 0 : all.at + all.size;
    return to;
}

static void into_memory(void *context, const struct weir_msg *effect)
{
    (void)context;
    memcpy(next_room(), effect, effect->size);
}

static void nowhere(void *context, const struct weir_msg *effect)
{
    (void)context;
    (void)effect;
}

static struct effect_sink sinks[] = {{into_journal, NULL}, {into_memory, NULL}, {nowhere, NULL}};

static uint64_t decide(void *context)
{
    struct engine *engine = all.desk.engine;
    engine->sink = context;
    for (uint32_t i = 0; i < BATCH; i++) {
        uint32_t at = all.next++ % STRATEGIES;
        risk_decide(&all.views[at], engine->decision);
        tell_decision(engine, DECISION_SUBMIT, &all.wishes[at].instrument->is.msg, all.in.cid, 1,
                      at + 1);
    }
    return BATCH;
}

static uint64_t copy(void *context)
{
    (void)context;
    for (uint32_t i = 0; i < BATCH; i++) {
        unsigned char *to = next_room();
        memcpy(to, all.desk.engine->decision, all.size);
        all.crc ^= crc32c(0, to, all.size);
    }
    return BATCH;
}

static void facts(void)
{
    bench_fact("readings of a decision", decision_count(all.desk.engine->decision), "readings",
               AT_LEAST(44));
    bench_fact("record of a decision", (double)all.size, "bytes", NO_GOAL);
}

int main(int argc, char **argv)
{
    const struct bench_work works[] = {
        {"decision", prepare, decide, &sinks[0], AT_MOST(60), true},
        {"decision-copied", prepare, decide, &sinks[1], NO_GOAL, true},
        {"decision-written", prepare, decide, &sinks[2], NO_GOAL, true},
        {"decision-floor", prepare, copy, NULL, NO_GOAL, true},
    };
    bench_epilogue = facts;
    int status = bench_main(argc, argv, works, sizeof works / sizeof works[0]);
    close_all();
    return status;
}
