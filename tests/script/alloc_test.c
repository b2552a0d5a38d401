/* Every allocation of a script fails in turn: nothing leaks, nothing is half done, others go on.
 *
 * "Fails" is that the cell is abandoned there, as it is at its cap of memory. The script calls every
 * function of weir; the owner's books and the script's report must agree wherever it is cut. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "script/cell.h"
#include "script/support_market.h"

static const char all[] =
    "local order = {venue='sim', symbol='BTC-USD', side='buy', type='limit', price=50000, "
    "qty=0.01, tif='gtc', tag='t'} "
    "weir.on('start', function(e) "
    "  weir.subscribe{venue='sim', symbol='BTC-USD', what={'book', 'trade', 'bar'}, interval='1s'} "
    "  weir.every(1000000, function(t) weir.log('tick ' .. t.due) return false end) "
    "  weir.after(1000000, function() weir.alert{level='info', text='once', venue='sim', "
    "symbol='BTC-USD'} end) "
    "  weir.on('timer', function() end) "
    "  local id = weir.submit(order) "
    "  weir.log(tostring(id)) "
    "  weir.submit{venue='sim', symbol='BTC-USD', side='buy', type='limit', "
    "price=weir.dec('50000.01'), qty=1e6, tif='gtc'} "
    "  weir.state.id = id weir.state.list = {1, 2.5, 'x', weir.dec('0.5')} "
    "end) "
    "weir.on('book', function(e) "
    "  local b = weir.book('sim', 'BTC-USD') local p = weir.position('sim', 'BTC-USD') "
    "  local i, o = weir.instrument('sim', 'BTC-USD'), weir.order(weir.state.id) "
    "  local w, m = weir.balance('sim', 'USD'), weir.import('helper') "
    "  weir.amend(weir.state.id, {price = 50001}) "
    "  for k, v in pairs(weir.settings) do weir.log(k .. '=' .. tostring(v)) end "
    "  weir.publish('state', {n = #weir.orders{all = true}, at = weir.now(), r = weir.random()}) "
    "end) "
    "weir.on('trade', function(e) weir.cancel(weir.state.id) weir.submit(order) "
    "weir.cancel_all{venue='sim'} "
    "  local d = weir.dec('1.5') * 2 + 1 print(d, e.price, string.format('%s', e)) "
    "  load('return 1')() for k in next, {a=1, [2]=3} do end table.sort({3, 1, 2}) end) "
    "for _, n in ipairs{'order', 'fill', 'position', 'bar', 'alert', 'venue', 'stop'} do "
    "  weir.on(n, function(e) weir.log(n .. ' ' .. tostring(e.symbol)) end) end";

static struct script_config config_for(uint64_t n)
{
    static const struct script_value items[] = {{.key = "a", .kind = SCRIPT_INT, .number = 1},
                                                {.key = "b", .kind = SCRIPT_TEXT, .text = "x"}};
    static const struct script_value settings = {.kind = SCRIPT_MAP, .items = items, .count = 2};
    static const struct script_source module = {"helper", "return {}", 9};
    static char prefix[32];
    struct script_config config = market_config("s1", 1, all);
    snprintf(prefix, sizeof prefix, "n%llu-", (unsigned long long)n);
    config.order_prefix = prefix;
    config.settings = &settings;
    config.modules = &module;
    config.module_count = 1;
    return config;
}

static size_t lines(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void live(struct market *market, struct script *script)
{
    char cid[WEIR_ID_MAX];
    script_start(script);
    market_settle(market);
    market_top(market, BTC, "49999", "50001");
    snprintf(cid, sizeof cid, "%s1", script_outcome(script) == SCRIPT_OK ? script->prefix : "?");
    if (engine_order_find(market->engine, cid))
        market_fill(market, cid, "50000", "0.001");
    market_trade(market, BTC, "50000", "0.1");
    market_wait(market, 1100000000);
    script_stop(script);
    market_settle(market);
}

/* How many allocations there were, and whether the script was cut. */
static uint64_t run(struct market *market, uint64_t n)
{
    struct script_report report;
    struct script_config config = config_for(n);
    struct in_change all_orders = {
        .msg = {.size = sizeof all_orders, .kind = IN_CANCEL_MANY, .venue = 0xffff},
        .strategy = 1,
        .asker = ASKER_HOST};
    uint64_t news = market->news, changes = market->cancels + market->replaces;
    struct script *script = market_add(market, &config);
    cr_assert_eq(script_outcome(script), SCRIPT_OK, "%s", script->reason);
    uint64_t before = script->cell->heap.requests;
    script->cell->heap.fail_at = n ? before + n : 0;
    market_log(market);
    live(market, script);
    script_report(script, &report);
    uint64_t requests = script->cell ? script->cell->heap.requests - before : 0;
    size_t said = lines(market_log(market)),
           alerts = 2; /* at most: one alert, one published table */
    cr_expect_eq(report.orders_sent, market->news - news, "allocation %llu", (unsigned long long)n);
    cr_expect_geq(report.cancels_sent + report.amends_sent,
                  market->cancels + market->replaces - changes, "allocation %llu",
                  (unsigned long long)n);
    cr_expect(said >= report.log_lines && said <= report.log_lines + alerts,
              "allocation %llu: %zu lines, %llu told", (unsigned long long)n, said,
              (unsigned long long)report.log_lines);
    if (n)
        cr_expect(report.outcome == SCRIPT_OK || strstr(report.reason, "stopped by the host"),
                  "allocation %llu: %s", (unsigned long long)n, report.reason);
    script_destroy(script);
    market->scripts[0] = NULL;
    market_apply(market, &all_orders);
    market_settle(market);
    cr_expect_eq(engine_order_next(market->engine, 0, true), 0,
                 "allocation %llu: an order nobody knows", (unsigned long long)n);
    return requests;
}

Test(alloc, each_allocation_fails_in_turn)
{
    struct market market;
    market_open(&market);
    uint64_t count = run(&market, 0);
    cr_assert_gt(count, 200, "%llu", (unsigned long long)count);
    for (uint64_t n = 1; n <= count + 1; n++)
        run(&market, n);
    market_close(&market);
}

Test(alloc, a_cap_may_be_met_anywhere_in_the_making_of_a_script)
{
    struct market market;
    struct script_report report;
    size_t made = 0;
    market_open(&market);
    for (size_t memory = 512; memory < 160 << 10; memory += 512) {
        struct script_config config = config_for(0);
        config.budget.memory = memory;
        config.budget.block = memory;
        struct script *script = market_add(&market, &config);
        script_report(script, &report);
        if (report.outcome == SCRIPT_OK && made == 0)
            made = memory;
        cr_expect_eq(report.outcome, made ? SCRIPT_OK : SCRIPT_QUARANTINED, "%zu bytes", memory);
        cr_expect(made || strstr(report.reason, "of memory"), "%s", report.reason);
        script_destroy(script);
        market.scripts[0] = NULL;
    }
    cr_expect(made > 8192 && made < 65536, "a script of a page needs %zu bytes", made);
    market_close(&market);
}

/* --- the allocator itself --------------------------------------------------------------------- */

struct blocks {
    struct heap heap;
    unsigned char *at[512];
    size_t size[512];
    uint64_t seed;
    size_t bad;
};

static uint32_t random_of(struct blocks *b)
{
    b->seed = b->seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(b->seed >> 33);
}

static bool filled(const unsigned char *at, size_t size, unsigned char with)
{
    for (size_t i = 0; i < size; i++)
        if (at[i] != with)
            return false;
    return true;
}

static bool lies_in(const struct stretch *stretch, const unsigned char *at, size_t size)
{
    return at >= stretch->base && at + size <= stretch->base + stretch->at;
}

static void shuffle_blocks(void *arg)
{
    struct blocks *b = arg;
    for (int turn = 0; turn < 200000; turn++) {
        size_t i = random_of(b) % 512,
               size = random_of(b) % 8 ? random_of(b) % 700 : random_of(b) % 20000;
        if (b->at[i] && (uintptr_t)b->at[i] % 16 == 8)
            size = 0; /* an object, which Lua never resizes */
        size_t keep = b->size[i] < size ? b->size[i] : size,
               tag = b->at[i] ? b->size[i] : random_of(b) % 10;
        unsigned char *at = heap_alloc(&b->heap, b->at[i], tag, size);
        b->bad += !filled(at, at ? keep : 0, (unsigned char)i) || (size > 0) != (at != NULL);
        if ((uintptr_t)at % 8 != 0 ||
            (at && !lies_in(&b->heap.near, at, size) && !lies_in(&b->heap.far, at, size)))
            b->bad++;
        if (at)
            memset(at, (int)i, size);
        b->at[i] = at;
        b->size[i] = size;
    }
    for (size_t i = 0; i < 512; i++)
        heap_alloc(&b->heap, b->at[i], b->size[i], 0);
}

Test(alloc, blocks_keep_what_is_in_them_and_are_counted)
{
    static struct blocks b = {.seed = 1};
    struct why why;
    struct guard_job job = {.body = shuffle_blocks, .arg = &b, .budget = 60000000000};
    cr_assert_eq(guard_ready(&why), WEIR_OK, "%s", why.text);
    cr_assert(heap_init(&b.heap, 16 << 20, 1 << 20));
    cr_expect_eq(guard_run(&job), GUARD_DONE);
    cr_expect_eq(b.bad, 0);
    cr_expect_eq(b.heap.used, 0);
    cr_expect_lt(b.heap.far.at, 16 << 20, "%zu bytes were touched", b.heap.far.at);
    heap_fini(&b.heap);
    guard_fini();
}

static void births(void *arg)
{
    struct blocks *b = arg;
    enum { TABLE = 5 };
    for (size_t i = 0; i < 512; i++) {
        b->at[i] = heap_alloc(&b->heap, NULL, TABLE, 56);
        b->bad += heap_birth(&b->heap, b->at[i]) != i + 1;
    }
    for (size_t i = 0; i < 512; i += 2)
        heap_alloc(&b->heap, b->at[i], 56, 0);
    for (size_t i = 0; i < 512; i += 2) { /* places are used again, numbers are not */
        b->at[i] = heap_alloc(&b->heap, NULL, TABLE, 56);
        b->bad += heap_birth(&b->heap, b->at[i]) <= 512;
    }
    b->bad += heap_birth(&b->heap, heap_alloc(&b->heap, NULL, 0, 56)) != 0;
    b->bad += heap_birth(&b->heap, &b->bad) != 0;
}

Test(alloc, objects_have_numbers_of_their_birth)
{
    static struct blocks b = {.seed = 1};
    struct why why;
    struct guard_job job = {.body = births, .arg = &b, .budget = 60000000000};
    cr_assert_eq(guard_ready(&why), WEIR_OK, "%s", why.text);
    cr_assert(heap_init(&b.heap, 1 << 20, 1 << 20));
    cr_expect_eq(guard_run(&job), GUARD_DONE);
    cr_expect_eq(b.bad, 0);
    heap_fini(&b.heap);
    guard_fini();
}
