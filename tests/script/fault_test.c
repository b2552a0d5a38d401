/* The host is out of memory, at each of its allocations in turn: the script is refused or ended with a
 * reason, nothing leaks, nobody else notices. What the script's own memory does is alloc_test.c's. */
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

#include "script/support_fault.h"
#include "script/support_market.h"
#include "script/warden.h"

static const char text[] =
    "weir.subscribe{venue='sim', symbol='BTC-USD', what={'book', 'trade', 'bar'}, ticks=2}\n"
    "weir.subscribe{topic='news'}\n"
    "weir.state.n = 1\n"
    "weir.on('book', function(e) weir.submit{venue='sim', symbol='BTC-USD', side='buy',\n"
    "  type='limit', price=49000, qty=0.01, tif='gtc'} weir.book('sim', 'BTC-USD', 3) end)\n"
    "weir.on('message', function(m) weir.log(m.data.n) weir.publish('echo', m.data) end)\n"
    "weir.on('bar', function() end)\n"
    "weir.every(1000000, function() weir.import('helper') end)\n";
static const char idle[] = "weir.on('book', function() end) weir.on('message', function() end)\n"
                           "weir.subscribe{topic='news'}";
static const char calm[] = "weir.on('trade', function() weir.log('beat') end)";

/* A life with all that a host does for a script. */
static void live(struct market *market, struct script *script, const struct script_config *config)
{
    struct why why;
    const char *state;
    size_t len;
    bool behind = script->warden && !market->cells->owner.lockstep;
    const struct script_message news = {
        .topic = "news", .from = "s2", .text = "{[\"n\"]=7}", .len = 9};
    script_start(script);
    market_settle(market);
    if (behind) /* until it is left alone */
        kill(script->warden->pid, SIGSTOP);
    for (int i = 0; i < (behind ? 600 : 3); i++) {
        market_top(market, BTC, "49999.50", i % 2 ? "50000.50" : "50001");
        script_message(script, &news);
    }
    if (behind && script->warden)
        kill(script->warden->pid, SIGCONT);
    market_wait(market, 5000000);
    why.err = script_state_save(script, &state, &len, &why);
    if (script_outcome(script) == SCRIPT_OK)
        why.err = script_reload(script, config, &why);
    market_settle(market);
    script_stop(script);
    market_settle(market);
}

/* False: there is no n-th allocation. */
static bool once(struct market *market, long n)
{
    static const struct script_value items[] = {{.key = "a", .kind = SCRIPT_INT, .number = 1}};
    static const struct script_value settings = {.kind = SCRIPT_MAP, .items = items, .count = 1};
    static const struct script_source module = {"helper", "return {}", 9};
    bool behind = market->cells && !market->cells->owner.lockstep;
    struct script_config config = market_config("s1", 1, behind ? idle : text);
    struct script_world world = market_world(market);
    struct script_report report;
    struct script *script = NULL;
    struct why why = {.text = ""};
    config.cells = market->cells;
    config.settings = &settings;
    config.modules = &module;
    config.module_count = 1;
    fault_arm(n);
    enum weir_err err = script_create(&config, &world, &script, &why);
    if (!err)
        live(market, script, &config);
    bool hit = fault_disarm();
    cr_assert(err == WEIR_OK || (hit && why.text[0]), "allocation %ld: no reason", n);
    if (!err) {
        script_report(script, &report);
        cr_assert(report.outcome == SCRIPT_OK || report.reason[0], "allocation %ld: no reason", n);
    }
    script_destroy(script);
    (void)market_log(market);
    market_trade(market, BTC, "50000", "0.1");
    market_settle(market);
    if (!behind)
        cr_assert_str_eq(market_log(market), "s2: beat\n", "allocation %ld hurt the other script",
                         n);
    if (market->cells)
        cr_assert_eq(cells_alive(market->cells), 1, "allocation %ld: a process is left", n);
    return hit;
}

static long all(struct market *market)
{
    long n = 1;
    struct script_config other = market_config("s2", 2, calm);
    script_start(market_add(market, &other));
    market_top(market, BTC, "49999.50", "50000.50");
    while (once(market, n))
        n++;
    market_close(market);
    return n;
}

Test(fault, of_a_script_in_the_host)
{
    struct market market;
    market_open(&market);
    cr_expect_gt(all(&market), 10);
}

Test(fault, of_a_script_in_a_process)
{
    struct market market;
    market_open_cells(&market, true);
    cr_expect_gt(all(&market), 10);
}

Test(fault, of_one_that_falls_behind)
{
    struct market market;
    market_open_cells(&market, false);
    cr_expect_gt(all(&market), 10);
}
