/* Scripts in processes of their own: the same as inline. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script/support_market.h"

static const char trader[] =
    "weir.subscribe{venue='sim', symbol='BTC-USD', what={'book','trade','bar'}, interval='1s'}\n"
    "local n = 0\n"
    "weir.on('start', function() weir.log('start ' .. weir.now()) end)\n"
    "weir.on('book', function(e)\n"
    "  n = n + 1\n"
    "  local id, err = weir.submit{venue='sim', symbol='BTC-USD', side='buy', type='limit',\n"
    "    price=e.bid, qty=n % 3 == 0 and 500 or 0.01, tif='gtc'}\n"
    "  weir.log(n .. ' ' .. tostring(id or err))\n"
    "  if id then\n"
    "    local o = weir.order(id)\n"
    "    weir.log(o.state .. ' ' .. o.price .. ' ' .. o.leaves_qty .. ' ' .. #weir.orders{})\n"
    "    if n % 2 == 0 then weir.log(tostring(weir.amend(id, {qty=0.02}))) end\n"
    "    if n % 4 == 1 then weir.log(tostring(weir.cancel(id))) end\n"
    "  end\n"
    "  local b = weir.book('sim', 'BTC-USD', 2)\n"
    "  weir.log(b.state .. ' ' .. b.bid .. ' ' .. #b.bids .. ' ' .. b.bids[2].price)\n"
    "  local p = weir.position('sim', 'BTC-USD')\n"
    "  weir.log(p.qty .. ' ' .. tostring(p.unrealized) .. ' ' .. p.realized)\n"
    "  local w = weir.balance('sim', 'USD') weir.log(w.total)\n"
    "end)\n"
    "weir.on('order', function(o) weir.log(o.id .. ' ' .. o.state) end)\n"
    "weir.on('fill', function(f) weir.log('fill ' .. f.fill_qty .. ' ' .. f.position) end)\n"
    "weir.on('bar', function(b) weir.log('bar ' .. b.close .. ' ' .. b.volume) end)\n"
    "weir.every(250000000, function(e) weir.log('tick ' .. e.time) end)\n"
    "weir.subscribe{topic='long'} weir.subscribe{venue='sim', what='bar', ticks=2}\n"
    "weir.on('message', function(m) weir.log(m.from .. ' ' .. #m.data.text .. ' ' .. m.data.n) "
    "end)\n"
    "weir.on('quote', function(m, bid, ask) if n == 5 then weir.log(tostring(m.sell(ask, 0.01))) "
    "end end)\n"
    "weir.on('stop', function() weir.cancel_all() weir.log('stop') end)\n";

/* What it publishes comes in one piece or in many. */
static const char talker[] =
    "local n = 0 weir.every(300000000, function() n = n + 1\n"
    "  weir.log(tostring(weir.publish('long', {n=n, text=('x'):rep(n * 1000)}))) end)\n";

static void play(struct market *market)
{
    struct script_config config = market_config("s1", 1, trader);
    config.order_prefix = "s1-";
    struct script_config other = market_config("s2", 2, talker);
    struct script *script = market_add(market, &config), *talks = market_add(market, &other);
    script_start(script);
    script_start(talks);
    market_settle(market);
    for (int i = 0; i < 8; i++) {
        market_top(market, BTC, i % 2 ? "49999.50" : "49998.50", "50001");
        market_trade(market, BTC, "50000", "0.1");
        market_wait(market, 300000000);
        struct script_report report;
        script_report(script, &report);
        cr_assert_eq(report.outcome, SCRIPT_OK, "%s", report.reason);
        if (i == 3)
            market_fill(market, "s1-1", "49998.50", "0.01");
    }
    script_stop(script);
    market_settle(market);
}

Test(cells, in_lockstep_a_process_says_what_it_says_inline)
{
    struct market here, there;
    market_open(&here);
    play(&here);
    market_open_cells(&there, true);
    play(&there);
    const char *said = market_log(&here);
    cr_expect(strstr(said, "s1: s2 7000 7"), "no long message: %s", said);
    cr_expect_str_eq(said, market_log(&there));
    cr_expect_str_eq(market_asked(&here), market_asked(&there));
    market_close(&here);
    market_close(&there);
}
