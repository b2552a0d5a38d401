/* What scripts hear, when, and in which order; and what they take along when they are replaced. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "script/reference.h"
#include "script/support_market.h"

static const char hears[] =
    "local function show(name, fields) weir.on(name, function(e) local t = {name} for _, f in "
    "ipairs(fields) do "
    "t[#t + 1] = tostring(e[f]) end weir.log(table.concat(t, ' ')) end) end "
    "show('start', {}) show('stop', {}) "
    "show('book', {'venue', 'symbol', 'bid', 'ask', 'bid_qty', 'ask_qty', 'state'}) "
    "show('trade', {'symbol', 'price', 'qty', 'side'}) "
    "show('order', {'id', 'state', 'cum_qty', 'leaves_qty', 'avg_price', 'reason'}) "
    "show('fill', {'id', 'fill_price', 'fill_qty', 'fee', 'fee_asset', 'maker', 'position', "
    "'state'}) "
    "show('position', {'symbol', 'qty', 'avg_price'}) "
    "show('venue', {'venue', 'up', 'reconciling'}) "
    "show('alert', {'code', 'symbol'}) "
    "order = {venue='sim', symbol='BTC-USD', side='buy', type='limit', price=50000, qty=0.01, "
    "tif='gtc'} ";

Test(events, market_data_arrives_as_it_happened)
{
    struct market market;
    market_open(&market);
    market_script(&market, hears);
    market_top(&market, BTC, "49999", "50001");
    market_trade(&market, BTC, "50001", "0.5");
    market_state(&market, BTC, BOOK_GAPPED);
    market_state(&market, BTC, BOOK_LIVE);
    market_top(&market, ETH, "0", "3000");
    script_stop(market.scripts[0]);
    market_top(&market, BTC, "49999", "50002");
    cr_expect_str_eq(market_log(&market), "s1: start\n"
                                          "s1: book sim BTC-USD 49999.0 50001.0 1.0 2.0 nil\n"
                                          "s1: trade BTC-USD 50001.0 0.5 sell\n"
                                          "s1: alert STALE_BOOK BTC-USD\n"
                                          "s1: book sim BTC-USD nil nil nil nil GAPPED\n"
                                          "s1: book sim BTC-USD 49999.0 50001.0 1.0 2.0 LIVE\n"
                                          "s1: book sim ETH-USD nil 3000.0 nil 2.0 nil\n"
                                          "s1: stop\n");
    market_close(&market);
}

Test(events, a_quote_is_a_book_event_in_plain_values)
{
    struct market market;
    market_open(&market);
    market_script(&market,
                  "local seen weir.on('quote', function(m, ...) "
                  "if m.symbol == 'BTC-USD' then assert(m == (seen or m)) seen = m end "
                  "assert(select('#', ...) == 5 and math.type(select(5, ...)) == 'integer') "
                  "local t = {m.venue, m.symbol} "
                  "for i = 1, 4 do t[#t + 1] = tostring((select(i, ...))) end "
                  "weir.log('quote ' .. table.concat(t, ' ')) end) "
                  "weir.on('book', function(e) weir.log('book ' .. e.symbol) end)");
    market_top(&market, BTC, "49999", "50001");
    market_state(&market, BTC, BOOK_GAPPED);
    market_state(&market, BTC, BOOK_LIVE);
    market_top(&market, ETH, "0", "3000");
    market_top(&market, ETH, "2999", "3000");
    cr_expect_str_eq(market_log(&market), "s1: book BTC-USD\n"
                                          "s1: quote sim BTC-USD 49999.0 50001.0 1.0 2.0\n"
                                          "s1: book BTC-USD\n"
                                          "s1: quote sim BTC-USD nil nil nil nil\n"
                                          "s1: book BTC-USD\n"
                                          "s1: quote sim BTC-USD 49999.0 50001.0 1.0 2.0\n"
                                          "s1: book ETH-USD\n"
                                          "s1: quote sim ETH-USD nil 3000.0 nil 2.0\n"
                                          "s1: book ETH-USD\n"
                                          "s1: quote sim ETH-USD 2999.0 3000.0 1.0 2.0\n");
    market_close(&market);
}

/* Each call beside the same wish as a table: the venue is asked the same, or the refusal is the same. */
Test(events, a_market_orders_what_submit_would)
{
    static const struct {
        const char *call, *table;
    } cases[] = {
        {"m.buy(50000, 0.01)", "side='buy', price=50000, qty=0.01, tif='gtc'"},
        {"m.sell(50000.01, 0.01)", "side='sell', price=50000.01, qty=0.01, tif='gtc'"},
        {"m.sell(50000, 0.01, 'ioc')", "side='sell', price=50000, qty=0.01, tif='ioc'"},
        {"m.buy(50000, 0.01, 'FOK')", "side='buy', price=50000, qty=0.01, tif='fok'"},
        {"m.buy(50000, 0.01, 'day')", "side='buy', price=50000, qty=0.01, tif='day'"},
        {"m.buy(50000, 0.01, 'post_only')",
         "side='buy', price=50000, qty=0.01, tif='gtc', post_only=true"},
        {"m.buy(weir.dec('50000.5'), weir.dec('0.01'))",
         "side='buy', price=50000.5, qty=0.01, tif='gtc'"},
        {"m.buy(50000.005, 0.01)", "side='buy', price=50000.005, qty=0.01, tif='gtc'"},
        {"m.buy(50000, 0.00001)", "side='buy', price=50000, qty=0.00001, tif='gtc'"},
        {"m.buy(0/0, 0.01)", "side='buy', price=0/0, qty=0.01, tif='gtc'"},
        {"m.buy('50000', 0.01)", "side='buy', price='50000', qty=0.01, tif='gtc'"},
        {"m.buy(50000)", "side='buy', price=50000, tif='gtc'"},
        {"m.buy(1e300, 0.01)", "side='buy', price=1e300, qty=0.01, tif='gtc'"},
        {"m.buy(50000, 1000000)", "side='buy', price=50000, qty=1000000, tif='gtc'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char said[2][400], asked[2][400];
        for (int form = 0; form < 2; form++) {
            struct market market;
            struct text chunk;
            text_init(&chunk);
            market_open(&market);
            market_limit(&market, SCOPE_strategy, 1, LIMIT_max_order_qty, "10");
            text_say(&chunk,
                     "weir.on('quote', function() local m = weir.market('sim', 'BTC-USD') "
                     "local id, err = %s%s%s weir.log(id and weir.order(id).tif or "
                     "tostring(err)) end)",
                     form ? "weir.submit{venue='sim', symbol='BTC-USD', type='limit', " : "",
                     form ? cases[i].table : cases[i].call, form ? "}" : "");
            market_script(&market, text_cstr(&chunk));
            market_top(&market, BTC, "49999", "50001");
            snprintf(said[form], sizeof said[form], "%s", market_log(&market));
            snprintf(asked[form], sizeof asked[form], "%s", market_asked(&market));
            market_close(&market);
            text_fini(&chunk);
        }
        cr_expect_str_eq(said[0], said[1], "%s: %s%s", cases[i].call, said[0], said[1]);
        cr_expect_str_eq(asked[0], asked[1], "%s: %s%s", cases[i].call, asked[0], asked[1]);
        cr_expect(said[0][0] != '\0', "%s says nothing", cases[i].call);
    }
}

Test(events, a_market_says_how_it_is_asked)
{
    struct market market;
    market_open(&market);
    market_script(&market, "local function say(id, err) weir.log(tostring(err)) end "
                           "weir.on('start', function() local m = weir.market('sim', 'BTC-USD') "
                           "say(m:buy(50000, 0.01)) say(m.buy(50000, 0.01, 'IOK')) "
                           "say(m.buy(50000, 0.01, 1)) "
                           "say(weir.market('sim', 'XXX')) say(weir.market('mars', 'BTC-USD')) "
                           "say(weir.market()) end)");
    cr_expect_str_eq(
        market_log(&market),
        "s1: BAD_REQUEST: a price is expected first, not a table: market.buy(price, qty), with a "
        "dot and not a colon\n"
        "s1: BAD_REQUEST: how \"IOK\" is not known; did you mean IOC?\n"
        "s1: BAD_REQUEST: how is a number; one of GTC, IOC, FOK, DAY, post_only is expected\n"
        "s1: UNKNOWN_INSTRUMENT: no symbol \"XXX\" is known here\n"
        "s1: NOT_FOUND: no venue \"mars\" is known here\n"
        "s1: BAD_REQUEST: venue is missing; a string is expected\n");
    cr_expect_str_eq(market_asked(&market), "");
    struct script_report report;
    script_report(market.scripts[0], &report);
    cr_expect_eq(report.orders_denied, 3);
    market_close(&market);
}

Test(events, an_order_is_told_from_its_first_state_to_its_last)
{
    struct market market;
    struct text chunk;
    market_open(&market);
    text_init(&chunk);
    text_say(&chunk, "%s weir.on('start', function() weir.submit(order) weir.submit{} end)", hears);
    struct script_config config = market_config("s1", 1, text_cstr(&chunk));
    config.order_prefix = "k-";
    struct script *script = market_add(&market, &config);
    script_start(script);
    market_settle(&market);
    market_fill(&market, "k-1", "49999.99", "0.004");
    market_fill(&market, "k-1", "50000", "0.006");
    cr_expect_str_eq(market_log(&market), "s1: start\n"
                                          "s1: order k-1 PENDING_NEW 0.0 0.01 nil nil\n"
                                          "s1: order k-1 OPEN 0.0 0.01 nil nil\n"
                                          "s1: fill k-1 49999.99 0.004 0.5 USD true 0.004 PARTIAL\n"
                                          "s1: position BTC-USD 0.004 49999.99\n"
                                          "s1: order k-1 PARTIAL 0.004 0.006 49999.99 nil\n"
                                          "s1: fill k-1 50000.0 0.006 0.5 USD true 0.01 FILLED\n"
                                          "s1: position BTC-USD 0.01 49999.996\n"
                                          "s1: order k-1 FILLED 0.01 0.0 49999.996 nil\n");
    struct script_report report;
    script_report(script, &report);
    cr_expect_eq(report.orders_sent, 1);
    cr_expect_eq(report.orders_denied, 1);
    text_fini(&chunk);
    market_close(&market);
}

Test(events, scripts_hear_of_their_own_orders_only)
{
    struct market market;
    market_open(&market);
    struct script_config one =
        market_config("s1", 1,
                      "weir.on('start', function() weir.submit{venue='sim', "
                      "symbol='BTC-USD', side='buy', type='limit', price=50000, "
                      "qty=1, tif='gtc'} end) weir.on('order', function(o) "
                      "weir.log(o.state) end)");
    struct script_config two = market_config("s2", 2,
                                             "weir.on('order', function(o) weir.log(o.state) end) "
                                             "weir.on('book', function() weir.log(#weir.orders(), "
                                             "weir.cancel('a-1')) end)");
    one.order_prefix = "a-";
    script_start(market_add(&market, &two));
    script_start(market_add(&market, &one));
    market_settle(&market);
    market_top(&market, BTC, "49999", "50001");
    cr_expect_str_eq(market_log(&market), "s1: PENDING_NEW\ns1: OPEN\ns2: 0 nil NOT_FOUND: no "
                                          "order of this script has the id \"a-1\"\n");
    cr_expect_eq(market.cancels, 0, "another's order was cancelled");
    market_close(&market);
}

Test(events, a_subscription_narrows_what_is_heard)
{
    struct market market;
    market_open(&market);
    market_script(&market, "weir.subscribe{venue='sim', symbol='ETH-USD', what={'book', 'trade'}} "
                           "weir.on('book', function(e) weir.log('book ' .. e.symbol) end) "
                           "weir.on('trade', function(e) weir.log('trade ' .. e.symbol) "
                           "weir.subscribe{venue='sim', symbol='BTC-USD', what='book'} end)");
    market_top(&market, BTC, "49999", "50001");
    market_top(&market, ETH, "2999", "3001");
    market_trade(&market, BTC, "50000", "1");
    market_trade(&market, ETH, "3000", "1");
    market_top(&market, BTC, "49999", "50001");
    market_trade(&market, BTC, "50000", "1");
    cr_expect_str_eq(market_log(&market),
                     "s1: book ETH-USD\ns1: trade ETH-USD\ns1: book BTC-USD\n");
    market_close(&market);
}

Test(events, a_kept_or_altered_event_changes_nobodys_view)
{
    struct market market;
    market_open(&market);
    struct script *script = market_script(
        &market, "local kept weir.on('book', function(e) if kept then weir.log(tostring(kept.bid)) "
                 "end kept = e e.ask = 'mine' end) "
                 "weir.on('book', function(e) weir.log(tostring(e.ask)) end)");
    market_top(&market, BTC, "49999", "50001");
    market_top(&market, BTC, "49998", "50002");
    cr_expect_str_eq(market_log(&market), "s1: 50001.0\ns1: 49999.0\ns1: 50002.0\n");
    cr_expect_eq(script_outcome(script), SCRIPT_OK);
    market_close(&market);
}

Test(events, timers_fire_in_order_and_end_when_told)
{
    struct market market;
    market_open(&market);
    market_script(
        &market,
        "local t0 = weir.now() local function ms() return (weir.now() - t0) // 1000000 end local n "
        "= 0 "
        "weir.after(5000000, function(e) weir.log('after ' .. ms() .. ' ' .. e.due - t0) end) "
        "weir.every(2000000, function() n = n + 1 weir.log('every ' .. ms()) return n < 3 end) "
        "weir.after(4000000, function() weir.log('nested ' .. ms()) weir.after(0, function() "
        "weir.log('inner ' .. ms()) end) end) "
        "weir.on('timer', function(e) weir.log('second ' .. ms()) end)");
    market_wait(&market, 2100000000);
    cr_expect_str_eq(market_log(&market),
                     "s1: every 2\ns1: every 4\ns1: nested 4\ns1: after 5 5000000\n"
                     "s1: inner 5\ns1: every 6\ns1: second 1000\ns1: second 2000\n");
    market_close(&market);
}

Test(events, bars_are_told_once_when_they_are_over)
{
    struct market market;
    market_open(&market);
    market_script(&market,
                  "weir.subscribe{venue='sim', symbol='BTC-USD', what='bar', interval='1s'} "
                  "weir.on('bar', function(b) weir.log(table.concat({b.symbol, b.open, b.high, "
                  "b.low, b.close, "
                  "b.volume, b.count, b.time % 1000000000, b.interval}, ' ')) end)");
    market_trade(&market, BTC, "100", "1");
    market_trade(&market, BTC, "103", "0.5");
    market_trade(&market, ETH, "1", "1");
    market_trade(&market, BTC, "99.5", "1");
    market_wait(&market, 999000000);
    cr_expect_str_eq(market_log(&market), "");
    market_wait(&market, 1000000);
    cr_expect_str_eq(market_log(&market), "s1: BTC-USD 100.0 103.0 99.5 99.5 2.5 3 0 1000000000\n");
    market_wait(&market, 5000000000); /* no trade, no bar */
    market_trade(&market, BTC, "101", "1");
    market.now += 1500000000;
    market_trade(&market, BTC, "102", "2"); /* without a timer between */
    cr_expect_str_eq(market_log(&market),
                     "s1: BTC-USD 101.0 101.0 101.0 101.0 1.0 1 0 1000000000\n");
    market_close(&market);
}

/* --- rights and phases ------------------------------------------------------------------------ */

#define ORDER \
    "{venue='sim', symbol='BTC-USD', side='buy', type='limit', price=50000, qty=0.01, tif='gtc'}"

Test(phases, orders_are_refused_while_loading_stopping_and_without_rights)
{
    struct market market;
    market_open(&market);
    market_script(&market,
                  "weir.log(tostring(select(2, weir.submit" ORDER "))) "
                  "weir.on('stop', function() weir.log(tostring(select(2, weir.submit" ORDER
                  "))) end)");
    struct script_config scanner = market_config(
        "s2", 2,
        "weir.on('book', function() weir.log(tostring(select(2, weir.submit" ORDER "))) end)");
    scanner.may_trade = false;
    script_start(market_add(&market, &scanner));
    market_top(&market, BTC, "49999", "50001");
    script_stop(market.scripts[0]);
    cr_expect_str_eq(
        market_log(&market),
        "s1: STATE: orders may be sent from weir.on(\"start\") on, not while the chunk loads\n"
        "s2: RIGHTS: this script has no order rights\n"
        "s1: STATE: the script is being stopped; only cancels are taken\n");
    cr_expect_eq(market.wishes, 0);
    market_close(&market);
}

Test(phases, the_owners_own_refusal_reaches_the_script)
{
    struct market market;
    market_open(&market);
    market.refuse = true;
    market_script(&market,
                  "weir.on('start', function() weir.log(tostring(select(2, weir.submit" ORDER
                  "))) end)");
    cr_expect_str_eq(market_log(&market), "s1: CAPABILITY: not today\n");
    market_close(&market);
}

Test(phases, pace_is_limited_and_who_goes_on_is_stopped)
{
    struct market market;
    struct script_report report;
    market_open(&market);
    struct script_config config = market_config(
        "s1", 1,
        "weir.on('book', function() local n, last = 0 for i = 1, 50 do local id, e = "
        "weir.submit" ORDER
        " if id then n = n + 1 else last = e end end weir.log(n .. ' ' .. tostring(last)) end)"
        "weir.on('trade', function() while true do weir.submit" ORDER " end end)");
    config.budget.orders_per_s = 10;
    struct script *script = market_add(&market, &config);
    script_start(script);
    market_top(&market, BTC, "49999", "50001");
    market.now += 1000000000;
    market_top(&market, BTC, "49999", "50001");
    cr_expect_str_eq(
        market_log(&market),
        "s1: 20 THROTTLED: more than 10 orders a second (observed 20, limit 10, scope script s1)\n"
        "s1: 10 THROTTLED: more than 10 orders a second (observed 20, limit 10, scope script "
        "s1)\n");
    market_trade(&market, BTC, "50000", "1");
    script_report(script, &report);
    cr_expect_eq(report.outcome, SCRIPT_QUARANTINED);
    cr_expect(strstr(report.reason, "s1.lua:1: went on asking"), "%s", report.reason);
    cr_expect_eq(report.orders_sent, 30);
    cr_expect_eq(market.news, 30);
    market_close(&market);
}

/* --- state and reload ------------------------------------------------------------------------- */

Test(reload, state_survives_and_is_the_same_text_for_the_same_data)
{
    struct market market;
    struct why why;
    const char *text;
    size_t len;
    market_open(&market);
    struct script *script = market_script(
        &market,
        "weir.state.b = {x = 1.5, [3] = 'three', [-1] = false} weir.state.a = 'q\"\\\\\\n\\0\\255' "
        "weir.state.d = weir.dec('-0.000000000000000001') weir.state.n = 0.1 weir.state.i = "
        "math.mininteger");
    cr_assert_eq(script_state_save(script, &text, &len, &why), WEIR_OK, "%s", why.text);
    const char want[] =
        "{[\"a\"]=\"q\\\"\\\\\\010\\000\xff\",[\"b\"]={[-1]=false,[3]=\"three\",[\"x\"]=1.5},"
        "[\"d\"]=dec\"-0.000000000000000001\",[\"i\"]=-9223372036854775808,[\"n\"]=0.1}";
    cr_expect_eq(len, sizeof want - 1);
    cr_expect_str_eq(text, want);
    struct script_config config = market_config(
        "s1", 1,
        "local s = weir.state weir.log(s.b.x, s.d) "
        "weir.log(table.concat({s.b.x, s.b[3], #s.a, s.d:text(), s.n, s.i}, ' ')) "
        "weir.on('start', function() weir.log(tostring(select(2, weir.submit" ORDER "))) end) "
        "weir.on('reload', function() weir.log(type(weir.submit" ORDER ")) end)");
    market_log(&market);
    cr_assert_eq(script_reload(script, &config, &why), WEIR_OK, "%s", why.text);
    market_settle(&market);
    cr_expect_str_eq(
        market_log(&market),
        "s1: 1.5 -0.000000000000000001\n"
        "s1: 1.5 three 6 -0.000000000000000001 0.1 -9223372036854775808\n"
        "s1: STATE: this version does not run yet; orders may be sent from weir.on(\"reload\") on\n"
        "s1: string\n");
    market_close(&market);
}

Test(reload, a_version_that_fails_leaves_the_old_one_running)
{
    static const struct {
        const char *text, *why;
    } bad[] = {{"return +", "s1.lua:1: unexpected symbol near '+'"},
               {"local x = nil\nweir.log(x.y)",
                "s1.lua:2: attempt to index a nil value (local 'x')\n     2 | "},
               {"while true do end", "over its budget of 20 ms of CPU time"},
               {"local s = 'x' while true do s = s .. s end", "of memory"},
               {"weir.on('start', function() error('no start') end)", "s1.lua:1: no start"}};
    struct market market;
    struct why why;
    market_open(&market);
    struct script *script = market_script(
        &market, "weir.state.n = 0 weir.on('book', function() weir.state.n = weir.state.n + 1 "
                 "weir.log(weir.state.n) end)");
    market_top(&market, BTC, "49999", "50001");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct script_config config = market_config("s1", 1, bad[i].text);
        struct script_report report;
        config.budget.load_ns = 20000000;
        cr_expect_neq(script_reload(script, &config, &why), WEIR_OK);
        cr_expect(strstr(why.text, bad[i].why), "%s", why.text);
        script_report(script, &report);
        cr_expect_eq(report.outcome, SCRIPT_OK);
        cr_expect_str_eq(report.reason, "");
    }
    struct script_config other = market_config("s1", 2, "");
    cr_expect_eq(script_reload(script, &other, &why), WEIR_E_USAGE);
    market_log(&market);
    market_top(&market, BTC, "49999", "50001");
    cr_expect_str_eq(market_log(&market), "s1: 2\n");
    market_close(&market);
}

Test(reload, what_is_not_plain_keeps_the_old_version)
{
    struct market market;
    struct why why;
    const char *text;
    size_t len;
    market_open(&market);
    struct script *script = market_script(&market, "weir.state.deep = {list = {1, print}}");
    cr_expect_eq(script_state_save(script, &text, &len, &why), WEIR_E_BAD_CONFIG);
    cr_expect_str_eq(why.text, "script s1: weir.state.deep.list.2: a function is not plain data");
    market_close(&market);
}

Test(reload, it_is_the_way_back_of_a_script_that_was_stopped)
{
    struct market market;
    struct why why;
    market_open(&market);
    struct script *script = market_script(&market, "weir.on('book', function() error('x') end)");
    market_top(&market, BTC, "49999", "50001");
    cr_expect_eq(script_outcome(script), SCRIPT_QUARANTINED);
    struct script_config config =
        market_config("s1", 1, "weir.on('book', function() weir.log('back') end)");
    cr_assert_eq(script_reload(script, &config, &why), WEIR_OK, "%s", why.text);
    market_top(&market, BTC, "49999", "50001");
    cr_expect_str_eq(market_log(&market), "s1: back\n");
    cr_expect_eq(script_outcome(script), SCRIPT_OK);
    market_close(&market);
}

Test(reload, damaged_state_is_refused_with_its_place)
{
    static const char *const bad[] = {"",
                                      "{",
                                      "{[1]=2",
                                      "{[1]=2}x",
                                      "{[1]=}",
                                      "{[print]=1}",
                                      "{[1]={[2]={}}",
                                      "{[\"a]=1}",
                                      "{[1]=dec\"x\"}",
                                      "{[1]=1e}",
                                      "{[1.5]=1}",
                                      "{[1]=2,}",
                                      "[1]"};
    struct market market;
    market_open(&market);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct script_config config = market_config("s1", 1, "");
        struct script_report report;
        config.state = bad[i];
        config.state_len = strlen(bad[i]);
        struct script *script = market_add(&market, &config);
        script_report(script, &report);
        cr_expect_eq(report.outcome, SCRIPT_QUARANTINED, "'%s'", bad[i]);
        cr_expect(strncmp(report.reason, "weir.state cannot be read at byte ", 34) == 0, "'%s': %s",
                  bad[i], report.reason);
    }
    market_close(&market);
}

Test(reload, a_hundred_reloads_lose_no_event)
{
    struct market market;
    struct why why;
    market_open(&market);
    const char *text = "weir.state.n = weir.state.n or 0 weir.on('book', function() weir.state.n = "
                       "weir.state.n + 1 "
                       "end) weir.on('stop', function() weir.log(weir.state.n) end)";
    struct script *script = market_script(&market, text);
    for (int i = 0; i < 100; i++) {
        struct script_config config = market_config("s1", 1, text);
        market_top(&market, BTC, "49999", "50001");
        cr_assert_eq(script_reload(script, &config, &why), WEIR_OK, "%s", why.text);
    }
    script_stop(script);
    cr_expect_str_eq(market_log(&market), "s1: 100\n");
    market_close(&market);
}

/* --- what the reference says -------------------------------------------------------------------*/

static bool seen(const char *said, const char *class, const char *field)
{
    char line[96];
    snprintf(line, sizeof line, "s1: %s %s\n", class, field);
    return strstr(said, line) != NULL;
}

/* Each line is "s1: weir.Order id": a table of that kind has that member. */
static void judge_members(const char *said)
{
    char class[40], field[40];
    for (const char *at = said; sscanf(at, "s1: %39s %39s", class, field) == 2;
         at = strchr(at, '\n') + 1) {
        const struct reference_class *of = reference_class(class);
        cr_expect(of && reference_has_field(of, field), "%s.%s is nowhere described", class, field);
    }
    for (const struct reference_class *c = reference_classes; c->name; c++)
        for (const struct reference_field *f = c->given ? NULL : c->fields; f && f->name; f++) {
            snprintf(class, sizeof class, "s1: %s ", c->name);
            cr_expect(!strstr(said, class) || strchr(f->type, '?') || strstr(f->type, "|nil") ||
                          seen(said, c->name, f->name),
                      "%s.%s is described, and is not there", c->name, f->name);
        }
}

Test(reference, tables_have_the_members_that_are_described_and_no_others)
{
    struct market market;
    struct text lua;
    market_open(&market);
    text_init(&lua);
    text_say(
        &lua,
        "local function see(class, t) for k in pairs(t or {}) do weir.log(class .. ' ' .. k) end "
        "end\n"
        "weir.subscribe{venue='sim', symbol='BTC-USD', what={'book', 'trade', 'bar', 'mark'}, "
        "ticks=2}\n"
        "weir.every('2ms', function(e) see('weir.Timer', e) end)\n"
        "weir.on('trade', function(e)\n"
        "  weir.submit{venue='sim', symbol='BTC-USD', side='buy', type='limit', price=50000,\n"
        "    qty=0.01, tif='gtc', tag='x'}\n"
        "  see('weir.Book', weir.book('sim', 'BTC-USD'))\n"
        "  see('weir.Position', weir.position('sim', 'BTC-USD'))\n"
        "  see('weir.Instrument', weir.instrument('sim', 'BTC-USD'))\n"
        "  see('weir.Balance', weir.balance('sim', 'USD'))\n"
        "  see('weir.Order', weir.orders{}[1]) see('weir.Error', select(2, weir.cancel('no')))\n"
        "  see('weir.MarketAt', weir.market('sim', 'BTC-USD'))\n"
        "end)\n");
    for (const struct reference_event *e = reference_events; e->name; e++)
        if (strcmp(e->name, "quote") != 0)
            text_say(&lua, "weir.on('%s', function(e) see('%s', e) end)\n", e->name, e->type);
    struct script_config config = market_config("s1", 1, text_cstr(&lua));
    config.order_prefix = "k-";
    config.budget.log_lines_per_s = 10000;
    struct script *script = market_add(&market, &config);
    script_start(script);
    market_top(&market, BTC, "49999.50", "50000.50");
    market_trade(&market, BTC, "50000", "0.1");
    market_trade(&market, BTC, "50000", "0.1");
    market_fill(&market, "k-1", "50000", "0.01");
    market_wait(&market, 1100000000);
    market_state(&market, BTC, BOOK_GAPPED);
    script_message(script, &(struct script_message){
                               .topic = "t", .from = "s2", .text = "{[\"n\"]=1}", .len = 7});
    script_stop(script);
    const char *said = market_log(&market);
    cr_expect_eq(script_outcome(script), SCRIPT_OK);
    for (const char *const *must =
             (const char *const[]){"weir.Order id", "weir.Fill fill_qty", "weir.PositionEvent qty",
                                   "weir.Bar open", "weir.Balance total", "weir.Time time", NULL};
         *must; must++)
        cr_expect(strstr(said, *must), "no %s in:\n%s", *must, said);
    judge_members(said);
    text_fini(&lua);
    market_close(&market);
}

/* --- messages --------------------------------------------------------------------------------- */

Test(messages, they_name_the_place_and_show_the_line)
{
    static const struct {
        const char *text, *reason, *detail;
        enum script_outcome outcome;
    } cases[] = {
        {"local x = 1\nlocal y = = 2", "s1.lua:2: unexpected symbol near '='",
         "     2 | local y = = 2\n  hint: Lua has no +=, ++, != or !: write x = x + 1, ~=, not",
         SCRIPT_REFUSED},
        {"if true then\n  weir.log('x')\n",
         "s1.lua:3: 'end' expected (to close 'if' at line 1) near <eof>",
         "  hint: the chunk ends too early: is an `end` missing?", SCRIPT_REFUSED},
        {"-- a\n\n   local b = weir.book('sim', 'BTC-USD').bidd.x  ",
         "s1.lua:3: attempt to index a nil value (field 'bidd')",
         "     3 | local b = weir.book('sim', 'BTC-USD').bidd.x\n  hint: nothing that scripts get "
         "has a field 'bidd'; did you mean bid?",
         SCRIPT_QUARANTINED},
        {"local b = weir.state.own.bid", "s1.lua:1: attempt to index a nil value (field 'own')",
         "     1 | local b = weir.state.own.bid\n  hint: what stands before the dot is nil: a book "
         "may lack a side, an order may be gone; test it first",
         SCRIPT_QUARANTINED},
        {"\nrequire('x')", "s1.lua:2: attempt to call a nil value (global 'require')",
         "     2 | require('x')\n  hint: modules come from weir.import(\"name\"), and the "
         "configuration lists them",
         SCRIPT_QUARANTINED},
        {"error()", "s1.lua:1: an error without a text (its value: nil)", "     1 | error()",
         SCRIPT_QUARANTINED},
        {"error({code = 'X', message = 'mine'})", "s1.lua:1: error X: mine",
         "     1 | error({code = 'X', message = 'mine'})", SCRIPT_QUARANTINED},
        {"error('other.lua:7: forged\\n')", "s1.lua:1: other.lua:7: forged\\n",
         "     1 | error('other.lua:7: forged\\n')", SCRIPT_QUARANTINED},
        {"\n\nwhile true do end",
         "s1.lua:3: over its budget of 20 ms of CPU time in the chunk's top level",
         "     3 | while true do end\n  hint: do less in one callback: keep running sums, spread "
         "the work over "
         "weir.every()",
         SCRIPT_QUARANTINED},
        {"\33Lua", "attempt to load a binary chunk (mode is 't')", "", SCRIPT_REFUSED},
    };
    struct market market;
    market_open(&market);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct script_config config = market_config("s1", 1, cases[i].text);
        struct script_report report;
        config.budget.load_ns = 20000000;
        script_report(market_add(&market, &config), &report);
        cr_expect_eq(report.outcome, cases[i].outcome, "%s", cases[i].text);
        cr_expect_str_eq(report.reason, cases[i].reason);
        cr_expect_str_eq(report.detail, cases[i].detail);
    }
    market_close(&market);
}

/* A mistake that ends nothing is told once, inline and in a process. */
Test(messages, authors_are_told_of_the_first_refusal_and_of_handlers_that_hear_nothing)
{
    static const char text[] =
        "weir.subscribe{venue='sim', symbol='BTC-USD', what='trade'}\n"
        "weir.on('book', function() end) weir.on('message', function() end)\n"
        "weir.on('trade', function(e)\n"
        "  for i = 1, 3 do weir.submit{venue='sim', symbol='BTC-USD', side='buy'} end\n"
        "  weir.submit{venue='sim', symbol='BTC-USD', side='buy', type='limit', price=1, qty=1,\n"
        "    tif='gtc'} end)";
    for (int process = 0; process <= 1; process++) {
        struct market market;
        if (process)
            market_open_cells(&market, true);
        else
            market_open(&market);
        struct script_config config = market_config("s1", 1, text);
        script_start(market_add(&market, &config));
        market_settle(&market);
        cr_expect_str_eq(
            market_remarks(&market),
            "nothing is subscribed to that a `book` handler would hear of: weir.subscribe{..., "
            "what=\"book\"}\n"
            "nothing is subscribed to that a `message` handler would hear of: weir.subscribe{..., "
            "topic=\"...\"}\n");
        for (int i = 0; i < 3; i++)
            market_trade(&market, BTC, "50000", "0.1");
        const char *said = market_remarks(&market);
        cr_expect_eq(strncmp(said, "s1.lua:4: refused, BAD_REQUEST: type is missing; one of", 55),
                     0, "%s", said);
        cr_expect(strstr(said, "\ns1.lua:5: refused, PRICE_BAND: "), "%s", said);
        cr_expect_null(strstr(strchr(said, '\n') + 1, "BAD_REQUEST"), "%s", said);
        market_close(&market);
    }
}

Test(messages, check_compiles_and_runs_nothing)
{
    struct why why;
    struct script_source good = {"good", "while true do end", 17}, bad = {"bad.lua", "x = = 1", 7};
    static char large[300000];
    struct script_source too_large = {"large.lua", large, sizeof large};
    memset(large, ' ', sizeof large);
    cr_expect_eq(script_check(&good, &why), WEIR_OK);
    cr_expect_eq(script_check(&bad, &why), WEIR_E_BAD_CONFIG);
    cr_expect_str_eq(
        why.text,
        "bad.lua:1: unexpected symbol near '='\n     1 | x = = 1\n  hint: Lua has no +=, ++, "
        "!= or !: write x = x + 1, ~=, not");
    cr_expect_eq(script_check(&too_large, &why), WEIR_E_BAD_CONFIG);
    cr_expect_str_eq(why.text, "large.lua: 300000 bytes are too many, a chunk has at most 262144");
    cr_expect_eq(script_source_read("/nonexistent/x.lua", &good, &why), WEIR_E_NOT_FOUND);
    cr_expect_eq(script_source_read("/dev/null", &good, &why), WEIR_E_UNSAFE_FILE);
    script_thread_fini();
}
