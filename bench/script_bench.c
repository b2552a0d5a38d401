/* script_bench.c - what the sandbox costs a script that behaves, and how soon it ends one that does not.
 *
 *   script [ROUNDS]        default 15
 *
 * Times are thread CPU time, ns a call, median [least .. most] of interleaved rounds. The handler keeps
 * an EMA of the mid and looks at the imbalance. Beside it, in the same rounds, plain liblua: the same
 * chunk in a state with the C library's allocator, called by lua_pcall, without any guard.
 *
 *   numbers   the handler gets five numbers          table   a fresh table of eight fields
 *   loop      a body of a thousand turns: what the sandbox costs code that runs          submit  and it asks for an order,
 *             which a deaf owner accepts             N scripts    in turn
 *
 * Kill latency is CPU time from the end of the budget to the owner having control again, the reason of
 * the end worked out. (Real time is more where others want the processor.) */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lualib.h>

#include "bench.h"
#include "engine/engine.h"
#include "script/cell.h"
#include "script/script.h"
#include "support/small_engine.h"

enum { ROUNDS_MAX = 99, CALLS = 20000, SCRIPTS = 1000, KILLS = 40 };

static const char handlers[] =
    "local ema, n, last = 0, 0, nil "
    "local function look(bid, ask, bid_qty, ask_qty) local mid = (bid + ask) * 0.5 "
    "local lean = (bid_qty - ask_qty) / (bid_qty + ask_qty) ema = ema + 0.01 * (mid - ema) n = n + "
    "1 "
    "if lean > 0.9 and mid < ema then n = n + 2 end end "
    "function numbers(bid, ask, bid_qty, ask_qty, time) look(bid, ask, bid_qty, ask_qty) last = "
    "time end "
    "function book(e) look(e.bid, e.ask, e.bid_qty, e.ask_qty) last = e.time end "
    "function nothing() end "
    "function loop(bid, ask) local s = 0 for i = 1, 1000 do s = s + bid * i - ask if s > 1e15 then "
    "s = 0 end end ema = s end "
    "if weir then weir.on('book', book) end";

static const char submits[] = "weir.on('book', function(e) weir.submit{venue='sim', "
                              "symbol='BTC-USD', side='buy', type='limit', price=e.bid, "
                              "qty=0.01, tif='gtc'} end)";

/* --- an owner that hears nothing --------------------------------------------------------------- */

static struct engine *engine;
static weir_ns engine_time = 1700000000000000000;

static weir_ns world_now(void *context)
{
    (void)context;
    return engine_time += 20000000; /* buckets refill */
}

static void world_submit(void *context, struct script *script, const struct in_submit *wish,
                         struct script_answer *answer)
{
    (void)context, (void)script, (void)wish;
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

static void apply(void *input)
{
    small_engine_apply(engine, input, engine_time);
}

static void open_engine(void)
{
    engine = small_engine(engine_time, 1, 1);
    apply(&top);
}

static struct script *make(const char *text, struct script_budget budget)
{
    struct script_world world = {
        .engine = engine, .now = world_now, .submit = world_submit, .change = world_change};
    struct script_config config = {.name = "bench",
                                   .source = {"bench.lua", text, strlen(text)},
                                   .strategy = 1,
                                   .may_trade = true,
                                   .budget = budget,
                                   .order_prefix = "b-"};
    struct script *script = NULL;
    struct why why;
    if (script_create(&config, &world, &script, &why) != WEIR_OK) {
        fprintf(stderr, "script_bench: %s\n", why.text);
        exit(2);
    }
    return script;
}

static struct script *started(const char *text)
{
    struct script *script = make(text, (struct script_budget){.orders_per_s = 1000000});
    script_start(script);
    if (script_outcome(script) != SCRIPT_OK) {
        fprintf(stderr, "script_bench: %s\n", script->reason);
        exit(2);
    }
    return script;
}

/* --- works ------------------------------------------------------------------------------------- */

static lua_State *plain, *plains[SCRIPTS];
static int plain_numbers, plain_book, plain_nothing, plain_loop;
static struct script *one, *submitter, *many[SCRIPTS];
static int guarded_numbers[SCRIPTS], guarded_nothing, guarded_loop;

static int global_ref(lua_State *L, const char *name)
{
    lua_getglobal(L, name);
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

/* Refs are the same in all of these states, as the same was done in each. */
static void open_plain(void)
{
    for (int i = SCRIPTS - 1; i >= 0; i--) {
        plain = plains[i] = luaL_newstate();
        luaL_openlibs(plain);
        if (luaL_dostring(plain, handlers))
            exit(2);
        plain_numbers = global_ref(plain, "numbers");
    }
    plain_book = global_ref(plain, "book");
    plain_nothing = global_ref(plain, "nothing");
    plain_loop = global_ref(plain, "loop");
}

static int take_refs(lua_State *L)
{
    int *refs = lua_touserdata(L, 1);
    refs[0] = global_ref(L, "numbers");
    refs[1] = global_ref(L, "nothing");
    refs[2] = global_ref(L, "loop");
    return 0;
}

static void open_guarded(void)
{
    int refs[3];
    one = started(handlers);
    submitter = started(submits);
    if (!cell_do(one->cell, take_refs, refs, 1000000000))
        exit(2);
    guarded_nothing = refs[1];
    guarded_loop = refs[2];
    many[0] = one;
    guarded_numbers[0] = refs[0];
    for (int i = 1; i < SCRIPTS; i++) {
        many[i] = started(handlers);
        if (!cell_do(many[i]->cell, take_refs, refs, 1000000000))
            exit(2);
        guarded_numbers[i] = refs[0];
    }
}

static void push_numbers(struct cell *cell, lua_State *L, const void *arg)
{
    (void)cell, (void)arg;
    lua_pushnumber(L, 61800.2);
    lua_pushnumber(L, 61800.3);
    lua_pushnumber(L, 2.5);
    lua_pushnumber(L, 3.1);
    lua_pushinteger(L, 1700000000000000000);
}

static void call_plain(lua_State *L, int ref,
                       void (*push)(struct cell *, lua_State *, const void *))
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, ref);
    if (push)
        push(NULL, L, NULL);
    if (lua_pcall(L, push ? 5 : 0, 0, 0) != LUA_OK)
        exit(2);
}

static void set_number(const char *name, double value)
{
    lua_pushnumber(plain, value);
    lua_setfield(plain, -2, name);
}

static void call_plain_table(void)
{
    lua_rawgeti(plain, LUA_REGISTRYINDEX, plain_book);
    lua_createtable(plain, 0, 8);
    lua_pushstring(plain, "sim");
    lua_setfield(plain, -2, "venue");
    lua_pushstring(plain, "BTC-USD");
    lua_setfield(plain, -2, "symbol");
    set_number("bid", 61800.2);
    set_number("ask", 61800.3);
    set_number("bid_qty", 2.5);
    set_number("ask_qty", 3.1);
    lua_pushinteger(plain, 7);
    lua_setfield(plain, -2, "seq");
    lua_pushinteger(plain, 1700000000000000000);
    lua_setfield(plain, -2, "time");
    if (lua_pcall(plain, 1, 0, 0) != LUA_OK)
        exit(2);
}

static void call_guarded(struct script *script, int ref,
                         void (*push)(struct cell *, lua_State *, const void *))
{
    struct call call = {.ref = ref, .push_in = push, .name = "a bench"};
    if (!cell_call(script->cell, &call))
        exit(2);
}

enum work {
    PLAIN_NOTHING,
    GUARDED_NOTHING,
    PLAIN_NUMBERS,
    GUARDED_NUMBERS,
    PLAIN_TABLE,
    GUARDED_TABLE,
    GUARDED_SUBMIT,
    PLAIN_LOOP,
    GUARDED_LOOP,
    PLAIN_1000,
    NUMBERS_100,
    NUMBERS_1000,
    TABLE_100,
    TABLE_1000,
    WORKS
};

static const char *const names[WORKS] = {"plain liblua, pcall of nothing",
                                         "guarded, nothing",
                                         "plain liblua, pcall, five numbers",
                                         "guarded, five numbers",
                                         "plain liblua, pcall, fresh table",
                                         "script_event, book, fresh table",
                                         "script_event, book, weir.submit",
                                         "plain liblua, loop of 1000",
                                         "guarded, loop of 1000",
                                         "plain liblua, five numbers, 1000 states",
                                         "guarded, five numbers, 100 scripts",
                                         "guarded, five numbers, 1000 scripts",
                                         "script_event, book, 100 scripts",
                                         "script_event, book, 1000 scripts"};

static void call_one(enum work work, int i)
{
    switch (work) {
    case PLAIN_NOTHING: call_plain(plain, plain_nothing, NULL); break;
    case GUARDED_NOTHING: call_guarded(one, guarded_nothing, NULL); break;
    case PLAIN_NUMBERS: call_plain(plain, plain_numbers, push_numbers); break;
    case GUARDED_NUMBERS: call_guarded(one, guarded_numbers[0], push_numbers); break;
    case PLAIN_TABLE: call_plain_table(); break;
    case GUARDED_TABLE: script_event(one, &top.msg); break;
    case GUARDED_SUBMIT: script_event(submitter, &top.msg); break;
    case PLAIN_LOOP: call_plain(plain, plain_loop, push_numbers); break;
    case GUARDED_LOOP: call_guarded(one, guarded_loop, push_numbers); break;
    case PLAIN_1000: call_plain(plains[i % SCRIPTS], plain_numbers, push_numbers); break;
    case NUMBERS_100: call_guarded(many[i % 100], guarded_numbers[i % 100], push_numbers); break;
    case NUMBERS_1000:
        call_guarded(many[i % SCRIPTS], guarded_numbers[i % SCRIPTS], push_numbers);
        break;
    case TABLE_100: script_event(many[i % 100], &top.msg); break;
    default: script_event(many[i % SCRIPTS], &top.msg); break;
    }
}

static double cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double say(const char *name, double *values, int count, const char *unit,
                  struct bench_goal goal)
{
    bench_line(name, values, count, unit, goal);
    return values[count / 2];
}

static void measure(int rounds)
{
    static double times[WORKS][ROUNDS_MAX], median[WORKS];
    for (int round = -1; round < rounds; round++)
        for (int work = 0; work < WORKS; work++) {
            int calls = work == PLAIN_LOOP || work == GUARDED_LOOP ? CALLS / 20 : CALLS;
            double from = cpu_ns();
            for (int i = 0; i < calls; i++)
                call_one((enum work)work, i);
            if (round >= 0)
                times[work][round] = (cpu_ns() - from) / calls;
        }
    static const struct bench_goal goals[WORKS] = {[GUARDED_NUMBERS] = {100, false}};
    for (int work = 0; work < WORKS; work++)
        median[work] = say(names[work], times[work], rounds, "ns", goals[work]);
    bench_fact("sandbox on running code (loop)",
               (median[GUARDED_LOOP] / median[PLAIN_LOOP] - 1) * 100, "%", AT_MOST(5));
    bench_fact("guard on a call (five numbers)", median[GUARDED_NUMBERS] - median[PLAIN_NUMBERS],
               "ns", NO_GOAL);
    bench_fact("guarded callbacks (five numbers)", 1e3 / median[GUARDED_NUMBERS], "M/s",
               AT_LEAST(10));
}

/* --- ends and beginnings ------------------------------------------------------------------------ */

static void kills(void)
{
    static const char *const ways[] = {
        "weir.on('book', function() while true do end end)",
        "weir.on('book', function() while true do pcall(function() while true do end end) end end)",
        "weir.on('book', function() return (('a'):rep(4000)):find(('.-'):rep(8) .. 'b') end)",
        "weir.on('book', function() table.move({}, 1, 1 << 62, 2) end)",
        "weir.on('book', function() local s = ('z'):rep(1000000) while true do local _ = s .. 'a' "
        "end end)",
        "weir.on('book', function() coroutine.wrap(function() while true do end end)() end)",
        "weir.on('book', function() local a, b = ('a'):rep(3000000) .. 'x', ('a'):rep(3000000) .. "
        "'y' while true do "
        "local _ = a < b end end)"};
    enum { WAYS = sizeof ways / sizeof ways[0], BUDGET_NS = 2000000 };
    static double late[WAYS * KILLS];
    for (int i = 0; i < WAYS * KILLS; i++) {
        struct script *script =
            make(ways[i % WAYS], (struct script_budget){.callback_ns = BUDGET_NS});
        script_start(script);
        double from = cpu_ns();
        script_event(script, &top.msg);
        late[i] = (cpu_ns() - from - BUDGET_NS) / 1000;
        if (script_outcome(script) != SCRIPT_QUARANTINED)
            exit(2);
        script_destroy(script);
    }
    bench_line("end of the budget to control", late, WAYS * KILLS, "us", AT_MOST(5000));
    bench_fact("  p99", late[WAYS * KILLS * 99 / 100], "us", AT_MOST(1000));
}

static long resident_kib(void)
{
    long all = 0, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%ld %ld", &all, &pages) != 2)
        pages = 0;
    if (file)
        fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void starts(int rounds)
{
    static double start[ROUNDS_MAX], end[ROUNDS_MAX];
    for (int i = 0; i < rounds; i++) {
        double from = cpu_ns();
        struct script *script = started(handlers);
        start[i] = (cpu_ns() - from) / 1000;
        from = cpu_ns();
        script_destroy(script);
        end[i] = (cpu_ns() - from) / 1000;
    }
    (void)say("a script made, loaded and started", start, rounds, "us", NO_GOAL);
    (void)say("and dropped", end, rounds, "us", NO_GOAL);
    bench_fact("a script holds, of Lua memory", (double)one->cell->heap.used / 1024, "KiB",
               AT_MOST(32));
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 15;
    if (rounds < 1 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: script [ROUNDS]; at most %d\n", ROUNDS_MAX);
        return 2;
    }
    open_engine();
    open_plain();
    long before = resident_kib();
    open_guarded();
    long held = resident_kib() - before;
    measure(rounds);
    kills();
    starts(rounds);
    bench_fact("and the process for it, of pages", (double)held / SCRIPTS, "KiB", NO_GOAL);
    for (int i = 0; i < SCRIPTS; i++)
        script_destroy(many[i]);
    script_destroy(submitter);
    script_thread_fini();
    for (int i = 0; i < SCRIPTS; i++)
        lua_close(plains[i]);
    return 0;
}
