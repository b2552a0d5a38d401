/* path_bench.c - from a quote to the call of the plugin, in process, with all that stands between.
 *
 *   quote -> journal -> engine -> script -> submit -> journal -> engine, risk -> journal -> plugin
 *
 * A quote (WEIR_TOP) is journalled and applied; a Lua script hears of it, takes the mid and the
 * imbalance, and submits a limit order; the wish is journalled; the engine judges it by every limit of
 * host, account, strategy and instrument; decision, order and intent are journalled and queued; the
 * intent goes to a plugin's on_intent. What stands here for host/control does what it does, in its
 * order: clock readings, queue, answers. The plugin copies the intent and no more: no message is
 * written, signed or sent. Engine time is virtual, 200 us from quote to quote; each order is acked and
 * filled between batches, and takes the room of one that ended long ago. The journal is synced by its
 * own thread, as when live, which may catch up between rounds. The deadline of the script is far away: its timer, a signal every some
 * milliseconds while scripts run, does not come here.
 *
 * path            thread CPU time, a quote that becomes an order: a `quote` handler, market.buy
 * path-table      the same with tables: a `book` handler, weir.submit{...}
 * path-quote      the same until the script, which is not asked
 * lua-floor       the first handler in plain liblua: numbers in, numbers out, lua_pcall
 * lua-table-floor the second one: an event table in, an order table out
 * copy-floor      memcpy and crc32c of the records that one path journals
 *
 * Then real time by the time stamp counter: percentiles of quote to plugin call, and of its stages.
 * The sums of stages are higher by the stamps between them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lualib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "bench.h"
#include "control/queue.h"
#include "desk.h"
#include "journal/journal.h"
#include "script/script.h"
#include "weir/plugin.h"

enum {
    BATCH = 256,
    ROUNDS = 15,
    PER_ROUND = 8 * BATCH,
    STEP_NS = 200000,
    RECORDS_MAX = 16,
    ORDERS = 4096,
    QUEUE = 1 << 20,
    LOG = 1 << 22
};

#define FOLDER  "path-bench.journal"
#define LONG_NS ((weir_ns)60 * 1000000000)

static const char quote_maker[] =
    "local qty = 0.01\n"
    "local function quote(market, bid, ask, bid_qty, ask_qty)\n"
    "  local mid = (bid + ask) * 0.5\n"
    "  local lean = (bid_qty - ask_qty) / (bid_qty + ask_qty)\n"
    "  local away = mid * 0.0005 - mid * 0.0005 % 0.01\n"
    "  if lean > 0 then market.buy(bid - away, qty) else market.sell(ask + away, qty) end\n"
    "end\n"
    "weir.on('quote', quote)\n";

static const char table_maker[] =
    "local qty = 0.01\n"
    "local function book(e)\n"
    "  local mid = (e.bid + e.ask) * 0.5\n"
    "  local lean = (e.bid_qty - e.ask_qty) / (e.bid_qty + e.ask_qty)\n"
    "  local buy = lean > 0\n"
    "  local away = mid * 0.0005 - mid * 0.0005 % 0.01\n"
    "  weir.submit{venue = e.venue, symbol = e.symbol, side = buy and 'buy' or 'sell',\n"
    "    type = 'limit', price = buy and e.bid - away or e.ask + away, qty = qty, tif = 'gtc'}\n"
    "end\n"
    "weir.on('book', book)\n";

/* --- stamps -------------------------------------------------------------------------------------- */

enum stage { QUOTE_JOURNAL, QUOTE_ENGINE, SCRIPT, WISH_JOURNAL, WISH_ENGINE, BACK, CALL, STAGES };
enum { EFFECTS_JOURNAL = STAGES, TOTAL, FIGURES };

static const char *const stage_names[FIGURES] = {[QUOTE_JOURNAL] = "  quote: clock, journal",
                                                 [QUOTE_ENGINE] = "  quote: engine",
                                                 [SCRIPT] = "  script, until it submits",
                                                 [WISH_JOURNAL] = "  wish: clock, journal",
                                                 [WISH_ENGINE] =
                                                     "  wish: engine, with risk and decision",
                                                 [EFFECTS_JOURNAL] = "  effects: journal and queue",
                                                 [BACK] = "  script, until it has returned",
                                                 [CALL] = "  effects handed out, plugin called",
                                                 [TOTAL] = "  all of it"};

static inline uint64_t ticks(void)
{
#if defined __x86_64__
    return __builtin_ia32_rdtsc();
#else
    return (uint64_t)clock_stopwatch();
#endif
}

/* --- the host ------------------------------------------------------------------------------------ */

struct sent {
    char wire[WEIR_ID_MAX];
    uint8_t side;
};

struct path {
    struct desk desk;
    struct clock clock;
    struct journal *journal;
    struct queue effects;
    uint64_t seq;
    struct script *scripts[2]; /* quote_maker, table_maker */
    struct script *script;     /* who is asked */
    struct script_answer *answer;
    const struct weir_plugin *plugin;
    struct weir_intent received; /* by the plugin */
    uint64_t quotes, calls;
    struct sent sent[BATCH]; /* not answered yet */
    uint32_t sent_count;
    bool stamping;
    bool silent; /* the script is not asked */
    uint64_t last, first;
    uint64_t stages[FIGURES];
    size_t records[RECORDS_MAX]; /* sizes of what one path journals */
    uint32_t record_count;
};

static inline void stamp(struct path *path, enum stage stage)
{
    if (!path->stamping)
        return;
    uint64_t now = ticks();
    path->stages[stage] = now - path->last;
    path->last = now;
}

static uint64_t append(struct path *path, enum journal_class class, const struct weir_msg *msg)
{
    uint64_t seq = journal_append(path->journal, class, msg);
    if (seq == 0)
        bench_die("journal", "an append was refused");
    if (path->record_count < RECORDS_MAX)
        path->records[path->record_count++] = RECORD_HEAD + msg->size;
    return path->seq = seq;
}

static void take_effect(void *context, const struct weir_msg *effect)
{
    struct path *path = context;
    uint64_t from = path->stamping ? ticks() : 0;
    (void)append(path, JOURNAL_EFFECT, effect);
    if (path->answer)
        script_answer_effect(path->answer, effect);
    if (!queue_push(&path->effects, effect))
        bench_die("effects", "the queue is full");
    if (path->stamping)
        path->stages[EFFECTS_JOURNAL] += ticks() - from;
}

static void take(struct path *path, struct weir_msg *input, enum stage journalled,
                 enum stage applied)
{
    struct effect_sink sink = {take_effect, path};
    (void)clock_now(&path->clock);
    input->t = path->desk.now;
    uint64_t seq = append(path, JOURNAL_INPUT, input);
    stamp(path, journalled);
    engine_apply(path->desk.engine, input, seq, &sink);
    stamp(path, applied);
}

static void dispatch(struct path *path, const struct weir_msg *effect)
{
    if (effect->kind >= WEIR_HOST_KINDS) {
        if (effect->kind != OUT_DECISION)
            script_event(path->script, effect);
        return;
    }
    if (effect->kind == WEIR_NEW && !journal_before_send(path->journal, path->seq))
        bench_die("journal", "does not let the order go");
    if (path->plugin->on_intent(path, clock_now(&path->clock), (const struct weir_intent *)effect))
        bench_die("plugin", "refused an intent");
}

static void settle(struct path *path)
{
    const struct weir_msg *effect;
    while ((effect = queue_front(&path->effects)) != NULL) {
        dispatch(path, effect);
        queue_drop(&path->effects);
    }
}

/* --- the script's world -------------------------------------------------------------------------- */

static weir_ns world_now(void *context)
{
    struct path *path = context;
    (void)clock_now(&path->clock);
    return path->desk.now;
}

static void world_submit(void *context, struct script *script, const struct in_submit *wish,
                         struct script_answer *answer)
{
    struct path *path = context;
    struct in_submit input = *wish;
    (void)script;
    stamp(path, SCRIPT);
    path->answer = answer;
    take(path, &input.msg, WISH_JOURNAL, WISH_ENGINE);
    path->answer = NULL;
}

static void world_change(void *context, struct script *script, const struct in_change *wish,
                         struct script_answer *answer)
{
    (void)context, (void)script, (void)wish, (void)answer;
    bench_die("script", "asked for a change");
}

static struct script *open_script(struct path *path, const char *text, const char *prefix)
{
    struct script *script;
    struct why why;
    struct script_world world = {.context = path,
                                 .engine = path->desk.engine,
                                 .now = world_now,
                                 .submit = world_submit,
                                 .change = world_change};
    struct script_config config = {
        .name = "maker",
        .source = {"maker.lua", text, strlen(text)},
        .strategy = 1,
        .may_trade = true,
        .budget = {.load_ns = LONG_NS, .callback_ns = LONG_NS, .orders_per_s = 1000000},
        .order_prefix = prefix};
    if (script_create(&config, &world, &script, &why) != WEIR_OK)
        bench_die("script", why.text);
    script_start(script);
    return script;
}

/* --- the venue ----------------------------------------------------------------------------------- */

__attribute__((noinline)) static enum weir_err on_intent(void *session, weir_ns now,
                                                         const struct weir_intent *intent)
{
    struct path *path = session;
    (void)now;
    if (path->stamping)
        path->stages[TOTAL] = ticks() - path->first;
    stamp(path, CALL);
    path->received = *intent;
    path->calls++;
    return WEIR_OK;
}

static const struct weir_plugin plugin = {.magic = WEIR_MAGIC,
                                          .size = sizeof plugin,
                                          .abi = WEIR_ABI,
                                          .name = "ear",
                                          .on_intent = on_intent};

static void answer(struct path *path, const struct sent *sent)
{
    struct weir_report ack = desk_report(WEIR_ACK, 1, sent->wire);
    desk_name(ack.venue_id, 'v', path->calls * BATCH + path->sent_count);
    take(path, &ack.msg, QUOTE_JOURNAL, QUOTE_ENGINE);
    struct weir_fill fill =
        desk_fill(&path->desk, 1, sent->wire, (enum weir_side)sent->side, DESK_QTY);
    take(path, &fill.msg, QUOTE_JOURNAL, QUOTE_ENGINE);
    settle(path);
}

/* --- one path ------------------------------------------------------------------------------------ */

static struct weir_top next_quote(struct path *path)
{
    uint64_t n = path->quotes++;
    bool up = n & 1;
    path->desk.now += STEP_NS;
    return (struct weir_top){
        .msg = {.size = sizeof(struct weir_top), .kind = WEIR_TOP, .instrument = 1},
        .seq = n + 1,
        .bid = DESK_PX - 50 + (weir_px)(n % 16),
        .ask = DESK_PX + 50 + (weir_px)(n % 16),
        .bid_qty = up ? 25000 : 12000,
        .ask_qty = up ? 13000 : 31000};
}

static void one_quote(struct path *path)
{
    struct weir_top top = next_quote(path);
    if (path->stamping) {
        path->stages[EFFECTS_JOURNAL] = 0;
        path->first = path->last = ticks();
    }
    take(path, &top.msg, QUOTE_JOURNAL, QUOTE_ENGINE);
    settle(path);
    if (path->silent)
        return;
    if (script_wants(path->script, WEIR_TOP, 1))
        script_event(path->script, &top.msg);
    stamp(path, BACK);
    settle(path);
    struct sent *sent = &path->sent[path->sent_count++];
    memcpy(sent->wire, path->received.client_id, sizeof sent->wire);
    sent->side = path->received.side;
}

static void check(const struct path *path)
{
    struct script_report report;
    script_report(path->script, &report);
    if (report.outcome != SCRIPT_OK)
        bench_die("script", report.reason);
    desk_check(&path->desk);
}

static void answer_all(struct path *path)
{
    bool stamping = path->stamping;
    path->stamping = false;
    for (uint32_t i = 0; i < path->sent_count; i++)
        answer(path, &path->sent[i]);
    path->sent_count = 0;
    path->stamping = stamping;
    check(path);
}

/* The thread of the journal brings to the disk what there is, and makes the pages ahead ready. Paths that
 * follow each other at once write 1.5 GB a second, which no market asks for and no disk here takes; without
 * a pause now and then it is page faults that are measured. */
static void let_disk_follow(struct path *path)
{
    struct journal_status status;
    for (int i = 0; i < 20000; i++) {
        journal_status(path->journal, &status);
        if (status.lag_bytes == 0 && status.prepared)
            return;
        usleep(100);
    }
    bench_die("journal", "did not come to rest in two seconds");
}

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

static void open_journal(struct path *path)
{
    struct why why;
    struct journal_lock *lock;
    struct journal_options options = {
        .folder = FOLDER, .sync = JOURNAL_GROUP, .sizes = path->desk.sizes};
    remove_journal();
    if (journal_lock(FOLDER, &lock, &why) != WEIR_OK ||
        journal_open(&options, lock, NULL, &path->journal, &why) != WEIR_OK)
        bench_die("journal", why.text);
}

static void path_open(struct path *path)
{
    struct desk_plan plan = {.strategies = 1000, .instruments = 100, .orders = ORDERS};
    if (path->journal)
        return;
    desk_open(&path->desk, &plan);
    path->clock = clock_real();
    path->plugin = &plugin;
    if (!queue_init(&path->effects, QUEUE))
        bench_die("queue", "no memory");
    open_journal(path);
    path->scripts[0] = path->script = open_script(path, quote_maker, "maker-");
    path->scripts[1] = open_script(path, table_maker, "table-");
    path->record_count = 0;
    one_quote(path);
    if (path->calls != 1)
        bench_die("script", "did not order");
    path->records[RECORDS_MAX - 1] = path->record_count; /* the rest is not of one path */
    path->record_count = RECORDS_MAX;
    for (int i = 0; i < ORDERS; i++) { /* until orders take the room of ended ones */
        if (i % BATCH == 0)
            answer_all(path);
        one_quote(path);
    }
    answer_all(path);
}

static void path_close(struct path *path)
{
    struct why why;
    struct journal_summary summary;
    if (!path->journal)
        return;
    if (journal_close(path->journal, &summary, &why) != WEIR_OK)
        bench_die("journal", why.text);
    remove_journal();
    for (size_t i = 0; i < sizeof path->scripts / sizeof path->scripts[0]; i++)
        script_destroy(path->scripts[i]);
    script_thread_fini();
    queue_fini(&path->effects);
    desk_close(&path->desk);
}

/* --- works --------------------------------------------------------------------------------------- */

static struct path path;

static void path_prepare(void *context)
{
    (void)context;
    path_open(&path);
    answer_all(&path);
    let_disk_follow(&path);
}

static uint64_t path_run(void *context)
{
    uint64_t calls = path.calls;
    (void)context;
    for (int i = 0; i < BATCH; i++)
        one_quote(&path);
    if (path.calls - calls != BATCH)
        bench_die("script", "did not order");
    return BATCH;
}

static uint64_t table_run(void *context)
{
    path.script = path.scripts[1];
    uint64_t done = path_run(context);
    path.script = path.scripts[0];
    return done;
}

static uint64_t quote_run(void *context)
{
    (void)context;
    path.silent = true;
    for (int i = 0; i < BATCH; i++)
        one_quote(&path);
    path.silent = false;
    return BATCH;
}

static struct {
    unsigned char *from, *to;
    size_t at;
    uint32_t crc;
} copied;

static void copy_prepare(void *context)
{
    path_prepare(context);
    if (copied.to)
        return;
    copied.from = bench_pages(LOG);
    copied.to = bench_pages(LOG);
    memset(copied.from, 0x5a, LOG);
    memset(copied.to, 0x5a, LOG);
}

static uint64_t copy_run(void *context)
{
    (void)context;
    for (int i = 0; i < BATCH; i++)
        for (size_t r = 0; r < path.records[RECORDS_MAX - 1]; r++) {
            size_t size = path.records[r];
            memcpy(copied.to + copied.at, copied.from, size);
            copied.crc ^= crc32c(0, copied.to + copied.at, size);
            copied.at = copied.at + 2 * size > LOG / 2 ? 0 : copied.at + size;
        }
    return BATCH;
}

/* --- plain Lua ----------------------------------------------------------------------------------- */

static struct {
    lua_State *L;
    int quote_handler, book_handler, market;
    uint64_t quotes, orders;
} plain;

static int plain_on(lua_State *L)
{
    lua_settop(L, 2);
    bool quote = strcmp(luaL_checkstring(L, 1), "quote") == 0;
    *(quote ? &plain.quote_handler : &plain.book_handler) = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

static int plain_order(lua_State *L)
{
    plain.orders += luaL_checknumber(L, 1) > 0 && luaL_checknumber(L, 2) > 0;
    lua_pushliteral(L, "maker-1");
    return 1;
}

static int plain_submit(lua_State *L)
{
    static const char *const texts[] = {"venue", "symbol", "side", "type", "tif"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        lua_getfield(L, 1, texts[i]);
        (void)luaL_checkstring(L, -1);
    }
    lua_getfield(L, 1, "price");
    lua_getfield(L, 1, "qty");
    plain.orders += luaL_checknumber(L, -1) > 0 && luaL_checknumber(L, -2) > 0;
    lua_pushliteral(L, "maker-1");
    return 1;
}

static void plain_prepare(void *context)
{
    static const luaL_Reg functions[] = {{"on", plain_on}, {"submit", plain_submit}, {NULL, NULL}};
    static const luaL_Reg sides[] = {{"buy", plain_order}, {"sell", plain_order}, {NULL, NULL}};
    (void)context;
    if (plain.L)
        return;
    plain.L = luaL_newstate();
    if (!plain.L)
        bench_die("liblua", "no state");
    luaL_openlibs(plain.L);
    luaL_newlib(plain.L, functions);
    lua_setglobal(plain.L, "weir");
    luaL_newlib(plain.L, sides);
    plain.market = luaL_ref(plain.L, LUA_REGISTRYINDEX);
    if (luaL_dostring(plain.L, quote_maker) || luaL_dostring(plain.L, table_maker))
        bench_die("liblua", lua_tostring(plain.L, -1));
}

static void plain_call(int arguments)
{
    if (lua_pcall(plain.L, arguments, 0, 0) != LUA_OK)
        bench_die("liblua", lua_tostring(plain.L, -1));
}

static uint64_t plain_run(void *context)
{
    (void)context;
    for (int i = 0; i < BATCH; i++) {
        uint64_t n = plain.quotes++;
        double px = 60000 + (double)(n % 16) / 100;
        lua_rawgeti(plain.L, LUA_REGISTRYINDEX, plain.quote_handler);
        lua_rawgeti(plain.L, LUA_REGISTRYINDEX, plain.market);
        lua_pushnumber(plain.L, px - 0.5);
        lua_pushnumber(plain.L, px + 0.5);
        lua_pushnumber(plain.L, n & 1 ? 0.25 : 0.12);
        lua_pushnumber(plain.L, n & 1 ? 0.13 : 0.31);
        lua_pushinteger(plain.L, 1700000000000000000);
        plain_call(6);
    }
    return BATCH;
}

static void set_number(const char *name, double value)
{
    lua_pushnumber(plain.L, value);
    lua_setfield(plain.L, -2, name);
}

static uint64_t plain_table_run(void *context)
{
    (void)context;
    for (int i = 0; i < BATCH; i++) {
        uint64_t n = plain.quotes++;
        double px = 60000 + (double)(n % 16) / 100;
        lua_rawgeti(plain.L, LUA_REGISTRYINDEX, plain.book_handler);
        lua_createtable(plain.L, 0, 8);
        lua_pushliteral(plain.L, "venue0");
        lua_setfield(plain.L, -2, "venue");
        lua_pushliteral(plain.L, "S1-USDT");
        lua_setfield(plain.L, -2, "symbol");
        set_number("bid", px - 0.5);
        set_number("ask", px + 0.5);
        set_number("bid_qty", n & 1 ? 0.25 : 0.12);
        set_number("ask_qty", n & 1 ? 0.13 : 0.31);
        lua_pushinteger(plain.L, (lua_Integer)n);
        lua_setfield(plain.L, -2, "seq");
        lua_pushinteger(plain.L, 1700000000000000000);
        lua_setfield(plain.L, -2, "time");
        plain_call(1);
    }
    return BATCH;
}

/* --- real time ----------------------------------------------------------------------------------- */

static uint64_t samples[FIGURES][PER_ROUND];

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* stages: with a stamp after each, or with none but the last. pace: ticks from one to the next. */
static void sample_round(bool stages, uint64_t pace)
{
    let_disk_follow(&path);
    uint64_t from = ticks();
    for (int i = 0; i < PER_ROUND; i++) {
        if (i % BATCH == 0)
            answer_all(&path);
        path.stamping = stages;
        while (ticks() - from < pace) {
        }
        from = ticks();
        one_quote(&path);
        uint64_t took = ticks() - from;
        path.stamping = false;
        path.stages[WISH_ENGINE] -= stages ? path.stages[EFFECTS_JOURNAL] : 0;
        for (int figure = 0; figure < FIGURES; figure++)
            samples[figure][i] = path.stages[figure];
        if (!stages)
            samples[TOTAL][i] = took;
    }
    answer_all(&path);
    for (int figure = 0; figure < FIGURES; figure++)
        qsort(samples[figure], PER_ROUND, sizeof samples[figure][0], by_value);
}

/* Pages that the thread met for the first time: each is a way into the kernel that is no call. */
static double page_faults(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_THREAD, &usage) != 0)
        bench_die("rusage", "cannot be had");
    return (double)usage.ru_minflt;
}

static void take_faults(void)
{
    static double faults[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        path_prepare(NULL);
        double before = page_faults();
        uint64_t count = path_run(NULL);
        faults[round] = (page_faults() - before) / (double)count;
    }
    bench_line("page faults in one path", faults, ROUNDS, "faults", NO_GOAL);
}

static double ns_a_tick(void)
{
    uint64_t from = ticks();
    double ns = bench_wall_ns();
    while (bench_wall_ns() - ns < 1e7) {
    }
    return (bench_wall_ns() - ns) / (double)(ticks() - from);
}

enum { P50, P90, P99, PERCENTILES };
struct percentiles {
    const char *title;
    double pace; /* ns from quote to quote */
    struct bench_goal goals[PERCENTILES];
    double taken[PERCENTILES][ROUNDS];
};

static void take_percentiles(void)
{
    static struct percentiles paces[] = {
        {"quote to the plugin having the intent, real time, one after the other",
         0,
         {AT_MOST(600), NO_GOAL, AT_MOST(1200)},
         {{0}}},
        {"the same, a quote each 20 us, the thread polling", 20000, {NO_GOAL}, {{0}}},
    };
    static const size_t at[PERCENTILES] = {PER_ROUND / 2, PER_ROUND * 9 / 10, PER_ROUND * 99 / 100};
    static const char *const names[PERCENTILES] = {"  p50", "  p90", "  p99"};
    static double medians[FIGURES][ROUNDS];
    size_t count = sizeof paces / sizeof paces[0];
    double scale = ns_a_tick();
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < count; i++) {
            sample_round(false, (uint64_t)(paces[i].pace / scale));
            for (int p = 0; p < PERCENTILES; p++)
                paces[i].taken[p][round] = (double)samples[TOTAL][at[p]] * scale;
        }
        sample_round(true, 0);
        for (int figure = 0; figure < FIGURES; figure++)
            medians[figure][round] = (double)samples[figure][PER_ROUND / 2] * scale;
    }
    for (size_t i = 0; i < count; i++) {
        bench_title(paces[i].title);
        for (int p = 0; p < PERCENTILES; p++)
            bench_line(names[p], paces[i].taken[p], ROUNDS, "ns", paces[i].goals[p]);
    }
    bench_title("stages, p50 of each, with the stamps between them");
    for (int figure = 0; figure < FIGURES; figure++)
        bench_line(stage_names[figure], medians[figure], ROUNDS, "ns", NO_GOAL);
}

static void epilogue(void)
{
    size_t bytes = 0, count = path.records[RECORDS_MAX - 1];
    for (size_t i = 0; i < count; i++)
        bytes += path.records[i];
    take_percentiles();
    take_faults();
    bench_fact("records journalled by one path", (double)count, "records", NO_GOAL);
    bench_fact("bytes of them", (double)bytes, "bytes", NO_GOAL);
}

int main(int argc, char **argv)
{
    static const struct bench_work works[] = {
        {"path", path_prepare, path_run, NULL, AT_MOST(600), true},
        {"path-table", path_prepare, table_run, NULL, NO_GOAL, true},
        {"path-quote", path_prepare, quote_run, NULL, NO_GOAL, true},
        {"lua-floor", plain_prepare, plain_run, NULL, NO_GOAL, false},
        {"lua-table-floor", plain_prepare, plain_table_run, NULL, NO_GOAL, false},
        {"copy-floor", copy_prepare, copy_run, NULL, NO_GOAL, true},
    };
    bench_epilogue = epilogue;
    int result = bench_main(argc, argv, works, sizeof works / sizeof works[0]);
    path_close(&path);
    remove_journal();
    if (plain.L)
        lua_close(plain.L);
    return result;
}
