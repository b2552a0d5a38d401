/* cells_bench.c - scripts in processes of their own: how far away they are, and what they take.
 *
 *   cells [EVENTS]         events a figure, default 20000
 *
 * `order` is real time from the owner's call with a quote to the same owner's world.submit() with the
 * order that the script made of it, in percentiles. `callback` is one quote told and answered (in
 * lockstep), for one script and for many in turn. Spinning takes a core for the cell and one for the
 * owner: where there are no two, or others want them, its tail says so. The neighbour's latency is
 * measured with and without three cells beside it that never return, at the lowest priority. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "bench.h"
#include "engine/engine.h"
#include "script/cells.h"
#include "script/warden.h"
#include "support/small_engine.h"

enum { SCRIPTS = 1000, STARTS = 200, KILLS = 100, ATTACKERS = 3, WARM = 2000 };

static const char submits[] = "weir.on('book', function(e) weir.submit{venue='sim', "
                              "symbol='BTC-USD', side='buy', type='limit', price=e.bid, "
                              "qty=0.01, tif='gtc'} end)";
static const char submits_by_numbers[] = "weir.on('quote', function(m, bid) m.buy(bid, 0.01) end)";
static const char looks[] =
    "local ema = 0 weir.on('book', function(e) local mid = (e.bid + e.ask) * 0.5 "
    "ema = ema + 0.01 * (mid - ema) end)";
static const char never_ends[] = "weir.on('book', function() while true do end end)";

/* --- an owner ----------------------------------------------------------------------------------*/

static struct engine *engine;
static struct cells *cells;
static weir_ns engine_time = 1700000000000000000;
static weir_ns heard; /* when the last wish came */

static weir_ns world_now(void *context)
{
    (void)context;
    return engine_time;
}

static void world_submit(void *context, struct script *script, const struct in_submit *wish,
                         struct script_answer *answer)
{
    (void)context, (void)script, (void)wish;
    heard = clock_stopwatch();
    answer->accepted = true;
}

static void world_change(void *context, struct script *script, const struct in_change *wish,
                         struct script_answer *answer)
{
    (void)context, (void)script, (void)wish, (void)answer;
}

static struct weir_top top = {
    .msg = {.size = sizeof top, .kind = WEIR_TOP, .venue = 1, .account = 1, .instrument = 1},
    .seq = 7,
    .bid = 6180020,
    .ask = 6180030,
    .bid_qty = 25000,
    .ask_qty = 31000};

/* From a room that has space for a message of any kind. */
static void apply(const struct weir_msg *input)
{
    static _Alignas(8) unsigned char room[1024];
    memcpy(room, input, input->size);
    small_engine_apply(engine, room, engine_time);
    if (cells)
        cells_see(cells, (const struct weir_msg *)room);
}

static void open_engine(void)
{
    engine = small_engine(engine_time, 1, 1);
    apply(&top.msg);
}

static void serve(bool lockstep)
{
    cells_serve(cells, &(struct cells_owner){.engine = engine, .lockstep = lockstep});
}

static struct script *make(const char *text, bool process, enum script_wake wake, int nice,
                           weir_ns budget)
{
    static uint32_t number;
    const struct script_world world = {
        .engine = engine, .now = world_now, .submit = world_submit, .change = world_change};
    const struct script_config config = {.name = "s",
                                         .source = {"s.lua", text, strlen(text)},
                                         .strategy = 1 + number++ % 40000,
                                         .may_trade = true,
                                         .order_prefix = "s-",
                                         .budget = {.callback_ns = budget, .orders_per_s = 1000000},
                                         .cells = process ? cells : NULL,
                                         .wake = wake,
                                         .nice = nice};
    struct script *script = NULL;
    struct why why;
    if (script_create(&config, &world, &script, &why))
        bench_die("a script", why.text);
    if (script_outcome(script) != SCRIPT_OK)
        bench_die("a script", script->reason);
    script_start(script);
    return script;
}

/* --- percentiles -------------------------------------------------------------------------------*/

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double percentile(double *values, size_t count, double part)
{
    qsort(values, count, sizeof *values, by_value);
    return values[(size_t)((double)(count - 1) * part)];
}

/* --- from the quote to the order ---------------------------------------------------------------*/

/* The owner looks all the time, as one with busy_poll does. */
static weir_ns one_order(struct script *script)
{
    engine_time += 1000000;
    top.bid += top.bid % 2 ? 1 : -1;
    apply(&top.msg);
    weir_ns from = clock_stopwatch();
    heard = 0;
    script_event(script, &top.msg);
    while (heard == 0 && script_pending(script))
        (void)script_turn(script);
    weir_ns took = heard - from;
    while (script_pending(script))
        (void)script_turn(script);
    if (script_outcome(script) != SCRIPT_OK)
        bench_die("a script ended", script->reason);
    return took;
}

static void orders(struct script *script, double *ns, size_t count)
{
    for (size_t i = 0; i < WARM; i++)
        (void)one_order(script);
    for (size_t i = 0; i < count; i++)
        ns[i] = (double)one_order(script);
}

static void show_orders(const char *name, struct script *script, double *ns, size_t count,
                        struct bench_goal goal)
{
    char line[80];
    orders(script, ns, count);
    snprintf(line, sizeof line, "%s, p50", name);
    bench_fact(line, percentile(ns, count, 0.5), "ns", goal);
    snprintf(line, sizeof line, "%s, p99", name);
    bench_fact(line, percentile(ns, count, 0.99), "ns", NO_GOAL);
    script_destroy(script);
}

static void quote_to_order(double *ns, size_t count)
{
    bench_title("quote to accepted order, real time");
    serve(false);
    show_orders("inline", make(submits, false, SCRIPT_SPIN, 0, 0), ns, count, NO_GOAL);
    show_orders("inline, by numbers", make(submits_by_numbers, false, SCRIPT_SPIN, 0, 0), ns, count,
                NO_GOAL);
    show_orders("process, spin", make(submits, true, SCRIPT_SPIN, 0, 0), ns, count, AT_MOST(1000));
    show_orders("process, spin, by numbers", make(submits_by_numbers, true, SCRIPT_SPIN, 0, 0), ns,
                count, AT_MOST(1000));
    show_orders("process, hybrid, back to back", make(submits, true, SCRIPT_HYBRID, 0, 0), ns,
                count, AT_MOST(1500));
    show_orders("process, park", make(submits, true, SCRIPT_PARK, 0, 0), ns, count / 8, NO_GOAL);
}

/* --- callbacks ---------------------------------------------------------------------------------*/

static void show_callbacks(const char *how, bool process, enum script_wake wake, size_t scripts,
                           size_t count)
{
    static struct script *many[SCRIPTS];
    char line[80];
    for (size_t i = 0; i < scripts; i++)
        many[i] = make(looks, process, wake, 0, 0);
    for (size_t i = 0; i < scripts; i++)
        script_event(many[i], &top.msg);
    weir_ns from = clock_stopwatch();
    for (size_t i = 0; i < count; i++)
        script_event(many[i % scripts], &top.msg);
    snprintf(line, sizeof line, "%s, %zu script%s", how, scripts, scripts > 1 ? "s" : "");
    bench_fact(line, (double)(clock_stopwatch() - from) / (double)count, "ns", NO_GOAL);
    for (size_t i = 0; i < scripts; i++)
        script_destroy(many[i]);
}

static void callbacks(size_t count)
{
    static const size_t sizes[] = {1, 10, 100, SCRIPTS};
    bench_title("a callback told and answered, real time");
    serve(true);
    show_callbacks("process, spin", true, SCRIPT_SPIN, 1, count);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        show_callbacks("inline", false, SCRIPT_SPIN, sizes[i], count);
        show_callbacks("process, hybrid", true, SCRIPT_HYBRID, sizes[i],
                       sizes[i] == 1 ? count : count / 4);
        show_callbacks("process, park", true, SCRIPT_PARK, sizes[i], count / 4);
    }
}

/* --- what a cell takes -------------------------------------------------------------------------*/

static long kib_of(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    return at ? strtol(at + strlen(key), NULL, 10) : 0;
}

static void memory_of(pid_t pid, long *pss, long *own)
{
    char path[64], text[4096] = "";
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
    FILE *file = fopen(path, "r");
    size_t n = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file)
        fclose(file);
    text[n] = '\0';
    *pss = kib_of(text, "\nPss:");
    *own = kib_of(text, "\nPrivate_Dirty:");
}

static void starts(double *ns)
{
    long pss = 0, own = 0;
    bench_title("a cell");
    serve(true);
    for (int i = 0; i < STARTS; i++) {
        weir_ns from = clock_stopwatch();
        struct script *script = make(looks, true, SCRIPT_PARK, 0, 0);
        ns[i] = (double)(clock_stopwatch() - from);
        if (i == STARTS - 1)
            memory_of(script->warden->pid, &pss, &own);
        script_destroy(script);
    }
    bench_fact("made, locked up, loaded and started, p50", percentile(ns, STARTS, 0.5) / 1000, "us",
               AT_MOST(1000));
    bench_fact("the same, p99", percentile(ns, STARTS, 0.99) / 1000, "us", NO_GOAL);
    bench_fact("its memory, shared parts divided", (double)pss, "KiB", NO_GOAL);
    bench_fact("its memory that nobody shares", (double)own, "KiB", NO_GOAL);
}

/* --- how soon one is ended ---------------------------------------------------------------------*/

/* From the end of its budget, in real time, to the owner's knowing that it is over. */
static void ends(double *ns)
{
    enum { BUDGET_NS = 5000000 };
    serve(false);
    for (int i = 0; i < KILLS; i++) {
        struct script *script = make(never_ends, true, SCRIPT_HYBRID, 0, BUDGET_NS);
        while (script_pending(script))
            (void)script_turn(script);
        weir_ns from = clock_stopwatch();
        script_event(script, &top.msg);
        while (script_outcome(script) == SCRIPT_OK)
            (void)script_turn(script);
        ns[i] = (double)(clock_stopwatch() - from - BUDGET_NS);
        script_destroy(script);
    }
    bench_title("one that never returns, from the end of its budget");
    bench_fact("no effect any more, p50", percentile(ns, KILLS, 0.5) / 1e6, "ms", NO_GOAL);
    bench_fact("no effect any more, p99", percentile(ns, KILLS, 0.99) / 1e6, "ms", AT_MOST(10));
}

/* From the host's decision, after which it takes nothing more, to the process being gone. */
static void killed(double *ns)
{
    serve(false);
    for (int i = 0; i < KILLS; i++) {
        struct script *script = make(never_ends, true, SCRIPT_HYBRID, 0, (weir_ns)600 * 1000000000);
        while (script_pending(script))
            (void)script_turn(script);
        script_event(script, &top.msg);
        usleep(1000); /* it runs */
        struct pollfd gone = {.fd = script->warden->pidfd, .events = POLLIN};
        weir_ns from = clock_stopwatch();
        warden_condemn(script->warden, "killed");
        (void)poll(&gone, 1, -1);
        ns[i] = (double)(clock_stopwatch() - from);
        script_destroy(script);
    }
    bench_title("one that is killed, from the host's decision");
    bench_fact("the process is gone, p50", percentile(ns, KILLS, 0.5) / 1e6, "ms", NO_GOAL);
    bench_fact("the process is gone, p99", percentile(ns, KILLS, 0.99) / 1e6, "ms", AT_MOST(10));
}

/* --- neighbours --------------------------------------------------------------------------------*/

static void neighbours(double *ns, size_t count)
{
    struct script *bad[ATTACKERS];
    serve(false);
    struct script *honest = make(submits, true, SCRIPT_SPIN, 0, 0);
    orders(honest, ns, count);
    double before = percentile(ns, count, 0.99);
    for (int i = 0; i < ATTACKERS; i++) {
        bad[i] = make(never_ends, true, SCRIPT_HYBRID, 19, (weir_ns)600 * 1000000000);
        while (script_pending(bad[i]))
            (void)script_turn(bad[i]);
        script_event(bad[i], &top.msg); /* and it never comes back */
    }
    orders(honest, ns, count);
    double beside = percentile(ns, count, 0.99);
    bench_title("an honest spinning script beside three that never return");
    bench_fact("quote to order alone, p99", before, "ns", NO_GOAL);
    bench_fact("quote to order beside them, p99", beside, "ns", NO_GOAL);
    bench_fact("the second by the first", beside / before, "", AT_MOST(1.1));
    for (int i = 0; i < ATTACKERS; i++)
        script_destroy(bad[i]);
    script_destroy(honest);
}

int main(int argc, char **argv)
{
    size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
    struct why why;
    if (count < 100 || count > 10000000) {
        fprintf(stderr, "usage: cells [EVENTS]; 100 to 10000000\n");
        return 2;
    }
    if (cells_start(&cells, &why))
        bench_die("process cells", why.text);
    open_engine();
    double *ns = calloc(count + STARTS, sizeof *ns);
    if (!ns)
        bench_die("memory", "none");
    serve(true);
    quote_to_order(ns, count);
    neighbours(ns, count);
    callbacks(count);
    starts(ns);
    ends(ns);
    killed(ns);
    free(ns);
    cells_stop(cells);
    script_thread_fini();
    return 0;
}
