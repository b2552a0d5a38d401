/* Attacks of our own, beside the hostile set: each inline and in a process of its own, next to an honest
 * script. Each must end as its row says; a script that notices that it got through logs ESCAPE. */
#include <criterion/criterion.h>
#include <string.h>

#include "script/support_market.h"

enum end { ANY = -1, FINE = SCRIPT_OK, STOPPED = SCRIPT_QUARANTINED };

/* The orders that an attack may send: none, or what its pace allows. */
struct attack {
    const char *name;
    enum end end;
    unsigned orders;
    const char *text;
};

static const struct attack attacks[] = {
    {"a market's functions, kept and called where no order may be sent", FINE, 0,
     "local m = weir.market('sim', 'BTC-USD')\n"
     "local id = m.buy(50000, 0.01) if id then weir.log('ESCAPE while loading') end\n"
     "weir.on('stop', function() if m.sell(50001, 0.01) then weir.log('ESCAPE at stop') end end)"},
    {"prices that are no prices, by plain arguments", FINE, 0,
     "local m\n"
     "weir.on('quote', function(market) m = market\n"
     "  for _, p in ipairs{0/0, 1/0, -1/0, -0.0, 1e308, 2^63, '50000', '0x10', {}, true} do\n"
     "    for _, f in ipairs{m.buy, m.sell} do\n"
     "      local ok, id = pcall(f, p, 0.01) if ok and id then weir.log('ESCAPE price') end\n"
     "      ok, id = pcall(f, 50000, p) if ok and id then weir.log('ESCAPE qty') end\n"
     "    end\n"
     "  end end)"},
    {"two that answer each other's messages for ever", FINE, 0,
     "weir.subscribe{topic='ping'} local n = 0\n"
     "weir.on('message', function(m) n = n + 1 weir.publish('ping', {n = n}) end)\n"
     "weir.on('book', function() weir.publish('ping', {n = 0}) end)"},
    {"a published table that contains itself", FINE, 0,
     "local t = {} t.t = t\n"
     "if weir.publish('loop', t) then weir.log('ESCAPE a circle') end\n"
     "local deep = {} for i = 1, 10000 do deep = {deep} end\n"
     "if weir.publish('deep', deep) then weir.log('ESCAPE a depth') end\n"
     "local big = {} for i = 1, 20000 do big[i] = i end\n"
     "if weir.publish('big', big) then weir.log('ESCAPE a size') end"},
    {"published keys at the edges of integers and strings", ANY, 0,
     "weir.publish('keys', {[math.maxinteger] = 1, [math.mininteger] = 2, [2^53] = 3, ['\\0'] = "
     "4,\n"
     "  [('k'):rep(100000)] = 5, [true] = 6})"},
    {"a name for a topic that is none", FINE, 0,
     "for _, n in ipairs{'', ' ', 'a b', 'a\\0b', '../x', 'a\\nb', ('x'):rep(100), 7, {}, false} "
     "do\n"
     "  local ok, done = pcall(weir.publish, n, {}) if ok and done then weir.log('ESCAPE topic') "
     "end\n"
     "end"},
    {"chains of timers that make timers", STOPPED, 0,
     "local function again() for i = 1, 50 do weir.after(0, again) end end weir.after(0, again)"},
    {"an error value whose fields lie", STOPPED, 0,
     "error(setmetatable({code = ('C'):rep(1 << 20), message = ('M'):rep(1 << 20)},\n"
     "  {__tostring = function() while true do end end, __index = function() while true do end "
     "end}))"},
    {"an err table of ours, changed and joined to itself", ANY, 0,
     "local _, err = weir.submit{} err.code = ('x'):rep(1 << 20) err.message = err\n"
     "pcall(function() weir.log(tostring(err)) end)\n"
     "for i = 1, 64 do err = err .. err end"},
    {"formats with widths, and what is no format", ANY, 0,
     "for _, f in ipairs{'%99999d', '%.99999f', '%', '%q', '%p', '%a', '%-+ #0100s', '%c', '%i'} "
     "do\n"
     "  local ok, s = pcall(string.format, f, {})\n"
     "  if ok and type(s) == 'string' and s:find('0x') then weir.log('ESCAPE address') end\n"
     "end\n"
     "local ok, s = pcall(string.rep, 'x', 1 << 40, ('y'):rep(1 << 20))\n"
     "if ok then weir.log('ESCAPE size') end"},
    {"a comparison that yields, errs and lies", ANY, 0,
     "local t = {} for i = 1, 2000 do t[i] = i end\n"
     "local co = coroutine.wrap(function() table.sort(t, function() coroutine.yield() end) end)\n"
     "pcall(co) pcall(table.sort, t, function() error({}) end)\n"
     "pcall(table.sort, t, function() return true end)\n"
     "while true do table.sort(t, function(a, b) return a < b end) end"},
    {"a replacement that replaces, to the end of the stack", ANY, 0,
     "local function f(s) return (s:gsub('.', f)) end f('x')"},
    {"unpack at positions that do not exist", ANY, 0,
     "for _, at in ipairs{0, -1, math.mininteger, math.maxinteger, 1 << 31, 1 << 32} do\n"
     "  pcall(string.unpack, '!16 i16 z s8', ('\\255'):rep(64), at)\n"
     "  pcall(string.unpack, 's8', '\\255\\255\\255\\255\\255\\255\\255\\127', at)\n"
     "end\n"
     "pcall(string.pack, ('i16'):rep(100000), 1)"},
    {"chunk names that would forge lines of a log", STOPPED, 0,
     "local f = load('error(\"x\")', 'good.lua:1: fine\\n\\27[2Jmaker: running')\n"
     "f()"},
    {"a global that a chunk of its own does not see, by every environment", FINE, 0,
     "for _, name in ipairs{'io', 'os', 'debug', 'package', 'require', 'dofile', 'loadfile',\n"
     "    'collectgarbage_', 'rawequal_'} do\n"
     "  if _G[name] ~= nil then weir.log('ESCAPE ' .. name) end\n"
     "  local f = load('return ' .. name) if f and f() ~= nil then weir.log('ESCAPE ' .. name) "
     "end\n"
     "end\n"
     "if ('').dump then weir.log('ESCAPE dump') end\n"
     "if string.dump then weir.log('ESCAPE dump') end\n"
     "local ok, mt = pcall(getmetatable, '') if ok and type(mt) == 'table' then\n"
     "  weir.log('ESCAPE metatable') end"},
    {"errors in the closing of what errs in closing", ANY, 0,
     "local function bad() return setmetatable({}, {__close = function() error('again') end}) end\n"
     "for i = 1, 100 do pcall(function() local a <close> = bad() local b <close> = bad()\n"
     "  error('first') end) end\n"
     "local co = coroutine.create(function() local a <close> = bad() coroutine.yield() end)\n"
     "coroutine.resume(co) coroutine.close(co)\n"
     "local function spin() return setmetatable({}, {__close = function() while true do end end}) "
     "end\n"
     "local x <close> = spin() error('now')"},
    {"whole numbers where there is no result", ANY, 0,
     "pcall(function() return 1 // 0 end) pcall(function() return math.mininteger // -1 end)\n"
     "pcall(function() return math.mininteger % -1 end) pcall(math.random, math.mininteger, -1)\n"
     "pcall(math.random, 1, 0) pcall(math.random, math.mininteger, math.maxinteger)\n"
     "pcall(function() for i = math.maxinteger - 1, math.maxinteger do end end)\n"
     "for i = 1, math.huge do end"},
    {"more subscriptions than there are", STOPPED, 0,
     "for i = 1, 1000 do weir.subscribe{topic='t' .. i} end"},
    {"bars of every size", STOPPED, 0,
     "for i = 1, 1000 do weir.subscribe{venue='sim', symbol='BTC-USD', what='bar', ticks=i} end"},
    {"exact decimals that are none", FINE, 0,
     "for _, s in ipairs{'1e999999', ('9'):rep(100000), '0x1p4', '1.2.3', '', '-', '+1', ' 1',\n"
     "    '1\\0', 'nan', 'inf', {}, true} do\n"
     "  local ok, d = pcall(weir.dec, s)\n"
     "  if ok and d and tostring(d) ~= '1' and tostring(d) ~= '16' then\n"
     "    weir.log('ESCAPE dec ' .. tostring(d)) end\n"
     "end"},
    {"products of exact decimals without an end", ANY, 0,
     "local d = weir.dec('99999999999.99999999') pcall(function() while true do d = d * d end "
     "end)\n"
     "while true do local _ = weir.dec('1.5') + weir.dec('2.5') end"},
    {"depths of a book that are no depths", FINE, 0,
     "for _, n in ipairs{-1, 0, 1e9, 0/0, 1/0, '5', {}, math.mininteger, math.maxinteger} do\n"
     "  local ok, b = pcall(weir.book, 'sim', 'BTC-USD', n)\n"
     "  if ok and b and b.bids and #b.bids > 1000 then weir.log('ESCAPE depth') end\n"
     "end"},
    {"names of orders that belong to others, or to nobody", FINE, 0,
     "for _, id in ipairs{'s2-1', 's1-1', '', '.', 's1-1.', 's1-1\\0', ('x'):rep(1 << 20), 1, {},\n"
     "    'EXTERNAL', '\\255\\254'} do\n"
     "  for _, f in ipairs{weir.cancel, function(i) return weir.amend(i, {qty = 1}) end} do\n"
     "    local ok, done = pcall(f, id) if ok and done then weir.log('ESCAPE ' .. tostring(id)) "
     "end\n"
     "  end\n"
     "end"},
    {"modules by path", FINE, 0,
     "for _, n in ipairs{'../../etc/passwd', '/etc/passwd', 'quotes', '', '.', ('a'):rep(10000)} "
     "do\n"
     "  if pcall(weir.import, n) then weir.log('ESCAPE module ' .. n) end\n"
     "end"},
    {"settings that are written to, and a state that is none", ANY, 0,
     "if pcall(function() weir.settings.x = 1 end) then weir.log('ESCAPE settings') end\n"
     "if pcall(function() weir.state = 7 end) then weir.log('ESCAPE state') end\n"
     "if pcall(function() weir.submit = print end) then weir.log('ESCAPE api') end\n"
     "local s = weir.state s.s = s s.f = print s[1] = coroutine.create(print)\n"
     "setmetatable(s, {__pairs = function() while true do end end, __index = function() error() "
     "end})"},
    {"orders as fast as they can be made, from every handler", ANY, 220,
     "local function go() for i = 1, 500 do weir.submit{venue='sim', symbol='BTC-USD', "
     "side='buy',\n"
     "  type='limit', price=49000, qty=0.01, tif='gtc'} end end\n"
     "weir.on('book', go) weir.on('trade', go) weir.on('order', go) weir.on('timer', go)"},
    {"cancels of all, without an end", STOPPED, 0,
     "weir.on('book', function() while true do weir.cancel_all() end end)"},
#include "script/attacks.inc"
};

static const char calm[] = "local n = 0 weir.every(1000000, function() n = n + 1 end)\n"
                           "weir.on('stop', function() weir.log('beat ' .. n) end)";

static void run(const struct attack *attack, bool process)
{
    struct market market;
    struct script_report report;
    if (process)
        market_open_cells(&market, true);
    else
        market_open(&market);
    struct script_config config = market_config("s1", 1, attack->text),
                         beside = market_config("s2", 2, calm);
    config.budget.callback_ns = 20000000;
    config.budget.load_ns = 50000000;
    struct script *script = market_add(&market, &config), *other = market_add(&market, &beside);
    script_start(script);
    script_start(other);
    market_settle(&market);
    for (int i = 0; i < 3; i++) {
        market_top(&market, BTC, "49999.50", i % 2 ? "50000.50" : "50001");
        market_trade(&market, BTC, "50000", "0.1");
        market_wait(&market, 10000000);
    }
    script_stop(script);
    script_stop(other);
    market_settle(&market);
    const char *said = market_log(&market), *how = process ? "process" : "inline";
    script_report(script, &report);
    cr_expect(attack->end == ANY || (int)report.outcome == (int)attack->end, "%s (%s): %s: %s",
              attack->name, how, script_outcome_name(report.outcome), report.reason);
    cr_expect(market.news <= attack->orders, "%s (%s): %llu orders", attack->name, how,
              (unsigned long long)market.news);
    cr_expect_null(strstr(said, "ESCAPE"), "%s (%s): %s", attack->name, how, said);
    cr_expect(strstr(said, "s2: beat 30\n"), "%s (%s): the honest one missed beats: %s",
              attack->name, how, said);
    cr_expect_null(strpbrk(report.reason, "\n\033"), "%s (%s): %s", attack->name, how,
                   report.reason);
    market_close(&market);
}

Test(attacks, each_ends_inline_as_its_row_says)
{
    for (size_t i = 0; i < sizeof attacks / sizeof attacks[0]; i++)
        run(&attacks[i], false);
}

Test(attacks, each_ends_in_a_process_as_its_row_says)
{
    for (size_t i = 0; i < sizeof attacks / sizeof attacks[0]; i++)
        run(&attacks[i], true);
}
