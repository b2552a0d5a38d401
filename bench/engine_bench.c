/* engine_bench.c - what one event costs the engine, what one risk evaluation does, and how both grow.
 *
 * mix      the lives of orders of a thousand strategies on a hundred instruments: for each order a
 *          submit with its decision, the venue's ack, a partial fill and the last one (4 of 10) or a
 *          cancel and its confirmation, and four best prices; some hundred orders are open at a time.
 *          One operation is one event. Beside it the floor: the bytes of the same inputs and effects
 *          copied and their crc32c taken. And with one strategy on one instrument, and with a
 *          thousand on one, where each price moves what each of them holds.
 * kinds    each kind of event alone, a thousand in a row.
 * risk     one evaluation of every limit in host, account, strategy and instrument, with all readings
 *          written down, strategies in turn; beside it the floor: eleven comparisons in each of four scopes, into one bit mask.
 * risk-all the same with each further limit given in these scopes, too. A goal there is not: what such
 *          limits read is summed up over orders and instruments when it is asked.
 * decision the same with the record of it, told and copied.
 * growth   new orders for old ones, drawn at random, with 10^3, 10^4, 10^6 orders open. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "bench.h"
#include "desk.h"
#include "engine/risk.h"
#include "engine/state.h"
#include "engine/submit.h"

enum {
    STRATEGIES = 1000,
    INSTRUMENTS = 100,
    RING = 1024,
    CYCLES = 4000,
    CHANGES = 5000,
    JUDGED = 20000
};

static uint64_t mixed(uint64_t number)
{
    number = (number ^ number >> 31) * 0x9E3779B97F4A7C15u;
    return number ^ number >> 29;
}

#define USUAL                                                \
    {                                                        \
        .strategies = STRATEGIES, .instruments = INSTRUMENTS \
    }

/* --- mix ----------------------------------------------------------------------------------------- */

struct own {
    char wire[WEIR_ID_MAX];
    uint32_t instrument;
    uint8_t side;
};

struct mix {
    struct desk_plan plan;
    struct desk desk;
    struct own orders[RING];
    uint64_t count; /* orders submitted */
    uint64_t given_bytes;
};

static void mix_give(struct mix *mix, void *input)
{
    mix->given_bytes += ((struct weir_msg *)input)->size;
    desk_give(&mix->desk, input);
}

static struct own *own_at(struct mix *mix, uint64_t age)
{
    return age < mix->count ? &mix->orders[(mix->count - 1 - age) % RING] : NULL;
}

static bool is_filled(const struct mix *mix, uint64_t age)
{
    return mixed(mix->count - 1 - age) % 10 < 4;
}

static void mix_submit(struct mix *mix)
{
    uint32_t strategy = 1 + (uint32_t)(mix->count % mix->plan.strategies);
    struct in_submit in =
        desk_order(&mix->desk, strategy, mixed(mix->count / 7) & 1 ? WEIR_SELL : WEIR_BUY);
    struct own *own = &mix->orders[mix->count++ % RING];
    mix_give(mix, &in);
    memcpy(own->wire, mix->desk.wire, sizeof own->wire);
    own->instrument = in.msg.instrument;
    own->side = in.side;
}

static void mix_report(struct mix *mix, uint64_t age, uint16_t kind)
{
    const struct own *own = own_at(mix, age);
    if (!own)
        return;
    struct weir_report in = desk_report(kind, own->instrument, own->wire);
    if (kind == WEIR_ACK)
        desk_name(in.venue_id, 'v', mix->count - age);
    mix_give(mix, &in);
}

static void mix_fill(struct mix *mix, uint64_t age, weir_qty qty)
{
    const struct own *own = own_at(mix, age);
    if (!own)
        return;
    struct weir_fill in =
        desk_fill(&mix->desk, own->instrument, own->wire, (enum weir_side)own->side, qty);
    mix_give(mix, &in);
}

static void mix_cancel(struct mix *mix, uint64_t age)
{
    const struct own *own = own_at(mix, age);
    if (!own)
        return;
    struct in_change in = {.msg = {.size = sizeof in, .kind = IN_CANCEL}};
    memcpy(in.cid, own->wire, sizeof in.cid);
    mix_give(mix, &in);
}

static void mix_top(struct mix *mix, uint32_t number)
{
    struct weir_top in = {.msg = {.size = sizeof in,
                                  .kind = WEIR_TOP,
                                  .instrument = 1 + number % mix->plan.instruments},
                          .seq = number,
                          .bid = DESK_PX - 50 + number % 16,
                          .ask = DESK_PX + 50 + number % 16,
                          .bid_qty = DESK_QTY,
                          .ask_qty = DESK_QTY};
    mix_give(mix, &in);
}

static void mix_cycle(struct mix *mix)
{
    mix_submit(mix);
    mix_top(mix, (uint32_t)mix->count * 7);
    mix_report(mix, 4, WEIR_ACK);
    mix_top(mix, (uint32_t)mix->count * 11);
    if (is_filled(mix, 50))
        mix_fill(mix, 50, DESK_QTY * 2 / 5);
    mix_top(mix, (uint32_t)mix->count * 13);
    if (is_filled(mix, 100))
        mix_fill(mix, 100, DESK_QTY - DESK_QTY * 2 / 5);
    else
        mix_cancel(mix, 100);
    mix_top(mix, (uint32_t)mix->count * 17);
    if (!is_filled(mix, 104))
        mix_report(mix, 104, WEIR_CANCELED);
}

static void mix_prepare(void *context)
{
    struct mix *mix = context;
    if (!mix->desk.engine)
        desk_open(&mix->desk, &mix->plan);
}

static uint64_t mix_run(void *context)
{
    struct mix *mix = context;
    uint64_t from = mix->desk.seq;
    for (int i = 0; i < CYCLES; i++)
        mix_cycle(mix);
    desk_check(&mix->desk);
    return mix->desk.seq - from;
}

/* --- its floor ----------------------------------------------------------------------------------- */

enum { LOG = 1 << 22 };

static struct {
    uint64_t events, bytes;
    unsigned char *from, *to;
    uint32_t crc;
} copied;

/* How many bytes one event of the mix is, with what the engine said to it. */
static void copy_prepare(void *context)
{
    struct mix *mix = context;
    mix_prepare(mix);
    uint64_t events = mix->desk.seq, bytes = mix->given_bytes + mix->desk.told_bytes;
    for (int i = 0; i < 1000; i++)
        mix_cycle(mix);
    copied.events = mix->desk.seq - events;
    copied.bytes = mix->given_bytes + mix->desk.told_bytes - bytes;
    if (!copied.from) {
        copied.from = bench_pages(LOG);
        copied.to = bench_pages(LOG);
        memset(copied.from, 0x5a, LOG);
        memset(copied.to, 0x5a, LOG);
    }
}

static uint64_t copy_run(void *context)
{
    (void)context;
    size_t piece = copied.bytes / copied.events / 3; /* three records an event, about */
    for (size_t at = 0, left = copied.bytes; left >= piece; left -= piece) {
        memcpy(copied.to + at, copied.from + at, piece);
        copied.crc ^= crc32c(0, copied.to + at, piece);
        at = at + 2 * piece > LOG ? 0 : at + piece;
    }
    return copied.events;
}

/* --- kinds --------------------------------------------------------------------------------------- */

enum phase { SUBMIT, ACK, PART, LAST, CANCEL, CANCELED, TOP, PHASES };

/* What has to happen to orders before they are in each phase. */
static const enum phase before[PHASES][4] = {
    [SUBMIT] = {PHASES},
    [ACK] = {SUBMIT, PHASES},
    [PART] = {SUBMIT, ACK, PHASES},
    [LAST] = {SUBMIT, ACK, PART, PHASES},
    [CANCEL] = {SUBMIT, ACK, PHASES},
    [CANCELED] = {SUBMIT, ACK, CANCEL, PHASES},
    [TOP] = {PHASES},
};

static struct {
    struct mix mix;
    enum phase last; /* what was done to all orders last */
} all = {.mix = {.plan = USUAL}, .last = CANCELED};

/* The same to each of the last RING orders, the oldest first. */
static void each(enum phase phase)
{
    for (uint32_t i = 0; i < RING; i++) {
        uint64_t age = RING - 1 - i;
        switch (phase) {
        case SUBMIT: mix_submit(&all.mix); break;
        case ACK: mix_report(&all.mix, age, WEIR_ACK); break;
        case PART: mix_fill(&all.mix, age, DESK_QTY * 2 / 5); break;
        case LAST: mix_fill(&all.mix, age, DESK_QTY - DESK_QTY * 2 / 5); break;
        case CANCEL: mix_cancel(&all.mix, age); break;
        case CANCELED: mix_report(&all.mix, age, WEIR_CANCELED); break;
        default: mix_top(&all.mix, i * 7); break;
        }
    }
    if (phase != TOP)
        all.last = phase;
}

static void kind_prepare(void *context)
{
    const enum phase *phase = context;
    mix_prepare(&all.mix);
    if (all.last == SUBMIT || all.last == ACK || all.last == PART)
        each(CANCEL);
    if (all.last == CANCEL)
        each(CANCELED);
    for (const enum phase *at = before[*phase]; *at != PHASES; at++)
        each(*at);
}

static uint64_t kind_run(void *context)
{
    each(*(const enum phase *)context);
    desk_check(&all.mix.desk);
    return RING;
}

static enum phase phases[PHASES] = {SUBMIT, ACK, PART, LAST, CANCEL, CANCELED, TOP};

/* --- risk ---------------------------------------------------------------------------------------- */

struct judge {
    struct desk desk;
    struct desk_plan plan;
    bool tells; /* the decision, too */
    uint32_t next;
    unsigned char *copies;
    size_t at;
};

/* Effects into a ring of memory. */
static void copy_effect(void *context, const struct weir_msg *effect)
{
    struct judge *judge = context;
    memcpy(judge->copies + judge->at, effect, effect->size);
    judge->at = (judge->at + effect->size) & (LOG / 2 - 1) & ~(size_t)63;
}

static void judge_prepare(void *context)
{
    struct judge *judge = context;
    if (judge->desk.engine)
        return;
    desk_open(&judge->desk, &judge->plan);
    judge->copies = bench_pages(LOG);
    memset(judge->copies, 0, LOG);
    for (uint32_t i = 1; i <= judge->plan.strategies; i++) { /* each has had an order */
        struct in_submit in = desk_order(&judge->desk, i, WEIR_BUY);
        desk_give(&judge->desk, &in);
        struct weir_report end = desk_report(WEIR_CANCELED, in.msg.instrument, judge->desk.wire);
        desk_give(&judge->desk, &end);
    }
}

static uint64_t judge_run(void *context)
{
    struct judge *judge = context;
    struct engine *engine = judge->desk.engine;
    struct effect_sink sink = {copy_effect, judge};
    struct in_submit in = desk_order(&judge->desk, 1, WEIR_BUY);
    struct wish wish = {.submit = &in, .px = in.px, .qty = in.qty, .worst = in.qty};
    uint32_t allowed = 0;

    engine->sink = &sink;
    for (uint32_t i = 0; i < JUDGED; i++) {
        uint32_t strategy = 1 + judge->next++ % judge->plan.strategies;
        wish.strategy = &engine->strategies[strategy];
        wish.instrument = &engine->instruments[desk_instrument_of(&judge->desk, strategy)];
        wish.px = in.px + i % 8;
        allowed += risk_allows(engine, &wish);
        if (judge->tells)
            tell_decision(engine, DECISION_SUBMIT, &wish.instrument->is.msg, in.cid, 1, strategy);
    }
    if (allowed != JUDGED)
        bench_die("risk", "an order was not allowed");
    return JUDGED;
}

/* The floor: no engine, only the numbers. Eleven limits in each of four scopes, one bit each. */
struct bare_scope {
    int64_t qty_max, notional_max, low, high, position, position_max;
    int64_t open, open_max, tokens, token_rate, token_time, token_most;
    int64_t pnl, loss_max, gross, gross_max, killed;
    int64_t unused[7];
};
_Static_assert(sizeof(struct bare_scope) == 192, "three lines");

static struct {
    struct bare_scope host, account, instruments[INSTRUMENTS], strategies[STRATEGIES];
    uint64_t failed;
} bare;

static unsigned bare_check(struct bare_scope *scope, bool sells, int64_t px, int64_t qty,
                           int64_t notional, int64_t now)
{
    int64_t tokens = scope->tokens + ((now - scope->token_time) * scope->token_rate >> 10);
    int64_t after = scope->position + (sells ? -qty : qty);
    scope->tokens = tokens = tokens < scope->token_most ? tokens : scope->token_most;
    scope->token_time = now;
    return (unsigned)(scope->killed != 0) | (unsigned)(qty > scope->qty_max) << 1 |
           (unsigned)(notional > scope->notional_max) << 2 | (unsigned)(px < scope->low) << 3 |
           (unsigned)(px > scope->high) << 4 | (unsigned)(after > scope->position_max) << 5 |
           (unsigned)(-after > scope->position_max) << 6 |
           (unsigned)(scope->open >= scope->open_max) << 7 | (unsigned)(tokens < 1000) << 8 |
           (unsigned)(scope->pnl < -scope->loss_max) << 9 |
           (unsigned)(scope->gross + notional > scope->gross_max) << 10;
}

static void bare_scope_init(struct bare_scope *scope)
{
    int64_t much = (int64_t)1 << 60;
    *scope = (struct bare_scope){.qty_max = much,
                                 .notional_max = much,
                                 .high = much,
                                 .position_max = much,
                                 .open_max = much,
                                 .tokens = much,
                                 .token_most = much,
                                 .loss_max = much,
                                 .gross_max = much};
}

static void bare_prepare(void *context)
{
    (void)context;
    bare_scope_init(&bare.host);
    bare_scope_init(&bare.account);
    for (int i = 0; i < INSTRUMENTS; i++)
        bare_scope_init(&bare.instruments[i]);
    for (int i = 0; i < STRATEGIES; i++)
        bare_scope_init(&bare.strategies[i]);
}

static uint64_t bare_run(void *context)
{
    (void)context;
    for (int64_t i = 0; i < JUDGED; i++) {
        int64_t px = DESK_PX + i % 8, notional = px * DESK_QTY, strategy = i % STRATEGIES;
        bool sells = i & 1;
        bare.failed |= bare_check(&bare.host, sells, px, DESK_QTY, notional, i);
        bare.failed |= (uint64_t)bare_check(&bare.account, sells, px, DESK_QTY, notional, i) << 11;
        bare.failed |=
            (uint64_t)bare_check(&bare.strategies[strategy], sells, px, DESK_QTY, notional, i)
            << 22;
        bare.failed |= (uint64_t)bare_check(&bare.instruments[strategy % INSTRUMENTS], sells, px,
                                            DESK_QTY, notional, i)
                       << 33;
    }
    if (bare.failed)
        bench_die("floor", "a check failed");
    return JUDGED;
}

/* --- growth -------------------------------------------------------------------------------------- */

struct crowd {
    struct desk desk;
    uint32_t open; /* orders */
    struct own *orders;
    uint64_t drawn;
    double resident; /* bytes, of its orders */
};

static double resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long size = 0, resident = 0;
    if (!file || fscanf(file, "%lu %lu", &size, &resident) != 2)
        bench_die("/proc/self/statm", "cannot be read");
    fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static void crowd_add(struct crowd *crowd, struct own *own)
{
    uint32_t strategy = 1 + (uint32_t)(crowd->drawn % STRATEGIES);
    struct in_submit in =
        desk_order(&crowd->desk, strategy, crowd->drawn / STRATEGIES & 1 ? WEIR_SELL : WEIR_BUY);
    in.px += (weir_px)(crowd->drawn % 97) * (in.side == WEIR_BUY ? -1 : 1);
    desk_give(&crowd->desk, &in);
    memcpy(own->wire, crowd->desk.wire, sizeof own->wire);
    own->instrument = in.msg.instrument;
    struct weir_report ack = desk_report(WEIR_ACK, own->instrument, own->wire);
    desk_name(ack.venue_id, 'v', ++crowd->drawn);
    desk_give(&crowd->desk, &ack);
}

static void crowd_prepare(void *context)
{
    struct crowd *crowd = context;
    if (crowd->desk.engine)
        return;
    struct desk_plan plan = USUAL;
    plan.orders = crowd->open + 1024;
    desk_open(&crowd->desk, &plan);
    crowd->orders = bench_pages(crowd->open * sizeof *crowd->orders);
    memset(crowd->orders, 0, crowd->open * sizeof *crowd->orders);
    double resident = resident_bytes();
    for (uint32_t i = 0; i < crowd->open; i++) {
        crowd_add(crowd, &crowd->orders[i]);
        crowd->desk.now += 20000; /* not faster than the throttle */
    }
    crowd->resident = resident_bytes() - resident;
    desk_check(&crowd->desk);
}

static uint64_t crowd_run(void *context)
{
    struct crowd *crowd = context;
    for (uint32_t i = 0; i < CHANGES; i++) {
        struct own *own = &crowd->orders[mixed(crowd->drawn) % crowd->open];
        struct in_change cancel = {.msg = {.size = sizeof cancel, .kind = IN_CANCEL}};
        memcpy(cancel.cid, own->wire, sizeof cancel.cid);
        desk_give(&crowd->desk, &cancel);
        struct weir_report end = desk_report(WEIR_CANCELED, own->instrument, own->wire);
        desk_give(&crowd->desk, &end);
        crowd_add(crowd, own);
    }
    desk_check(&crowd->desk);
    return CHANGES * 4;
}

/* --- all of it ----------------------------------------------------------------------------------- */

static struct mix mix = {.plan = USUAL}, copied_mix = {.plan = USUAL},
                  mix_one = {.plan = {.strategies = 1, .instruments = 1}},
                  mix_crowded = {.plan = {.strategies = STRATEGIES, .instruments = 1}};
static struct judge judge_one = {.plan = {.strategies = 1, .instruments = 1}},
                    judge_many = {.plan = {.strategies = STRATEGIES, .instruments = INSTRUMENTS}},
                    judge_most = {.plan = {.strategies = 10000, .instruments = INSTRUMENTS}},
                    judge_all = {.plan = {.strategies = STRATEGIES,
                                          .instruments = INSTRUMENTS,
                                          .further = true}},
                    judge_tells = {.plan = {.strategies = STRATEGIES, .instruments = INSTRUMENTS},
                                   .tells = true};
static struct crowd few = {.open = 1000}, some = {.open = 10000}, crowd = {.open = 1000000};

static double bytes_each(void)
{
    struct engine_sizes less = engine_sizes_default(), more = less;
    less.orders = 1 << 16;
    more.orders = 1 << 17;
    return (double)(engine_bytes(&more) - engine_bytes(&less)) / (1 << 16);
}

static void facts(void)
{
    bench_fact("limits and states read for one order",
               decision_count(judge_many.desk.engine->decision), "readings", AT_LEAST(44));
    bench_fact("the same with each further limit given",
               decision_count(judge_all.desk.engine->decision), "readings", NO_GOAL);
    bench_fact("hot state of an open order", sizeof(struct order), "bytes", AT_MOST(48));
    bench_fact("memory reserved for an order, with its names", bytes_each(), "bytes", NO_GOAL);
    if (crowd.resident > 0)
        bench_fact("memory touched by an open order, of 10^6", crowd.resident / crowd.open, "bytes",
                   NO_GOAL);
}

int main(int argc, char **argv)
{
    const struct bench_work works[] = {
        {"mix", mix_prepare, mix_run, &mix, AT_MOST(1000), true},
        {"mix-one", mix_prepare, mix_run, &mix_one, NO_GOAL, true},
        {"mix-crowded", mix_prepare, mix_run, &mix_crowded, AT_MOST(1000), true},
        {"mix-floor", copy_prepare, copy_run, &copied_mix, NO_GOAL, true},
        {"submit", kind_prepare, kind_run, &phases[SUBMIT], NO_GOAL, true},
        {"ack", kind_prepare, kind_run, &phases[ACK], NO_GOAL, true},
        {"partial-fill", kind_prepare, kind_run, &phases[PART], NO_GOAL, true},
        {"last-fill", kind_prepare, kind_run, &phases[LAST], NO_GOAL, true},
        {"cancel", kind_prepare, kind_run, &phases[CANCEL], NO_GOAL, true},
        {"canceled", kind_prepare, kind_run, &phases[CANCELED], NO_GOAL, true},
        {"top", kind_prepare, kind_run, &phases[TOP], NO_GOAL, true},
        {"risk-1", judge_prepare, judge_run, &judge_one, NO_GOAL, true},
        {"risk-1000", judge_prepare, judge_run, &judge_many, AT_MOST(40), true},
        {"risk-10000", judge_prepare, judge_run, &judge_most, NO_GOAL, true},
        {"risk-all", judge_prepare, judge_run, &judge_all, NO_GOAL, true},
        {"risk-floor", bare_prepare, bare_run, NULL, NO_GOAL, true},
        {"risk-and-decision", judge_prepare, judge_run, &judge_tells, AT_MOST(100), true},
        {"open-10^3", crowd_prepare, crowd_run, &few, NO_GOAL, true},
        {"open-10^4", crowd_prepare, crowd_run, &some, NO_GOAL, true},
        {"open-10^6", crowd_prepare, crowd_run, &crowd, NO_GOAL, true},
    };
    bench_epilogue = facts;
    return bench_main(argc, argv, works, sizeof works / sizeof works[0]);
}
