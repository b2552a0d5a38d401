/* What each function of `weir` does, as a table: lines of Lua, and what was then said and asked. */
#include <criterion/criterion.h>
#include <string.h>

#include "script/support_market.h"

/* Each is run in a script whose chunk is loaded and started; `say` is weir.log, `order` a good order.
 * told: the log. asked: what reached the venue; NULL: not compared. */
static const struct {
    const char *lua;
    const char *told;
    const char *asked;
} cases[] = {
    /* orders */
    {"say(weir.submit(order))", "s1: k-1\n", "new s1 buy 0.01 @ 50000\n"},
    {"say(weir.submit(with{side='SELL', type='Limit', tif='Ioc', post_only=true, tag='t1'}))",
     "s1: k-1\n", "new s1 sell 0.01 @ 50000 post\n"},
    {"local a = weir.submit(order) local b = weir.submit(order) say(a .. ' ' .. b)",
     "s1: k-1 k-2\n", "new s1 buy 0.01 @ 50000\nnew s1 buy 0.01 @ 50000\n"},
    {"fails(weir.submit(with{price=50000.005}))",
     "s1: TICK: price 50000.005 is not a multiple of 0.01\n", ""},
    {"fails(weir.submit(with{price=50000.1 + 0.2}))", "s1: none\n", "new s1 buy 0.01 @ 50000.3\n"},
    {"fails(weir.submit(with{qty=0.00001}))", "s1: STEP: qty 1e-05 is not a multiple of 0.0001\n",
     ""},
    {"fails(weir.submit(with{price=weir.dec('50000.01')}))", "s1: none\n",
     "new s1 buy 0.01 @ 50000.01\n"},
    {"fails(weir.submit(with{price=weir.dec('50000.001')}))",
     "s1: TICK: price 50000.001 is not a multiple of 0.01\n", ""},
    {"fails(weir.submit(with{price='50000'}))",
     "s1: BAD_REQUEST: price is the text \"50000\"; write a number, or weir.dec(\"50000\")\n", ""},
    {"fails(weir.submit(with{price=0/0}))", "s1: BAD_REQUEST: price is not a finite number\n", ""},
    {"fails(weir.submit(with{qty=1/0}))", "s1: BAD_REQUEST: qty is not a finite number\n", ""},
    {"fails(weir.submit(with{price=1e300}))",
     "s1: BAD_REQUEST: price 1e+300 is too large to be exact\n", ""},
    {"fails(weir.submit(with{price=true}))",
     "s1: BAD_REQUEST: price is boolean; a number is expected\n", ""},
    {"fails(weir.submit(without'qty'))", "s1: BAD_REQUEST: qty is missing; a number is expected\n",
     ""},
    {"fails(weir.submit(without'tif'))",
     "s1: BAD_REQUEST: tif is missing; one of GTC, IOC, FOK, GTD, DAY is expected\n", ""},
    {"fails(weir.submit(with{side='bye'}))",
     "s1: BAD_REQUEST: side \"bye\" is not known; one of buy, sell is expected\n", ""},
    {"weir.every('2ms', function(t) say(t.due % 1000) return false end)", "s1: *", ""},
    {"weir.log() weir.log('a', 1, nil, {}, weir.dec('0.10'), select(2, weir.submit(without'qty')))",
     "s1: \ns1: a 1 nil table 0.1 BAD_REQUEST: qty is missing; a number is expected\n", ""},
    {"fails(weir.submit(with{side='selll'}))",
     "s1: BAD_REQUEST: side \"selll\" is not known; did you mean sell?\n", ""},
    {"fails(weir.submit(with{type='market'}))",
     "s1: BAD_REQUEST: price has no meaning for an order of this type\n", ""},
    {"fails(weir.submit(with{venue='nowhere'}))",
     "s1: NOT_FOUND: no venue \"nowhere\" is known here\n", ""},
    {"fails(weir.submit(with{symbol='BTC-USD\\0'}))",
     "s1: UNKNOWN_INSTRUMENT: no symbol \"BTC-USD\\x00\" is known here\n", ""},
    {"fails(weir.submit(with{tag='a very long tag indeed'}))",
     "s1: BAD_REQUEST: tag is at most 15 printable characters\n", ""},
    {"fails(weir.submit(with{post_only='yes'}))",
     "s1: BAD_REQUEST: post_only is true, false or left out, not a string\n", ""},
    {"fails(weir.submit())",
     "s1: BAD_REQUEST: weir.submit takes a table {venue=, symbol=, side=, ...}, not a nil\n", ""},
    {"fails(weir.submit(setmetatable({}, {__index = order})))",
     "s1: BAD_REQUEST: venue is missing; a string is expected\n", ""},
    {"fails(weir.submit(with{qty=101}))",
     "s1: MAX_ORDER_QTY: order quantity (observed 101, limit 100, scope instrument BTC-USD)\n", ""},
    {"local _, e = weir.submit(with{qty=101}) say(e.code, e.observed, e.limit, e.scope)",
     "s1: MAX_ORDER_QTY 101.0 100.0 instrument BTC-USD\n", ""},
    {"fails(weir.submit(with{price=90000}))", "s1: PRICE_BAND: *", ""},
    {"fails(weir.submit(with{qty=0}))", "s1: STEP: *", ""},
    {"fails(weir.submit(with{price=-1}))", "s1: TICK: *", ""},

    /* amends, cancels, questions about orders */
    {"id = weir.submit(order) after(function() say(weir.amend(id, {price=50001})) after(function() "
     "local o = "
     "weir.order(id) say(o.id, o.price, o.qty, o.state) end) end)",
     "s1: true\ns1: k-1 50001.0 0.01 OPEN\n",
     "new s1 buy 0.01 @ 50000\nreplace s1 buy 0.01 @ 50001\n"},
    {"id = weir.submit(order) after(function() weir.amend(id, {qty=0.02}) after(function() "
     "weir.amend(id, {qty=0.03}) after(function() say(weir.cancel(id)) end) end) end)",
     "s1: true\n",
     "new s1 buy 0.01 @ 50000\nreplace s1 buy 0.02 @ 50000\nreplace s1 buy 0.03 @ 50000\ncancel s1 "
     "buy 0.03 @ 50000\n"},
    {"id = weir.submit(order) after(function() say(weir.cancel(id)) end)", "s1: true\n",
     "new s1 buy 0.01 @ 50000\ncancel s1 buy 0.01 @ 50000\n"},
    {"id = weir.submit(order) after(function() weir.cancel(id) after(function() "
     "fails(weir.cancel(id)) end) end)",
     "s1: STATE: the order is CANCELED\n", NULL},
    {"fails(weir.cancel('k-99'))", "s1: NOT_FOUND: no order of this script has the id \"k-99\"\n",
     ""},
    {"fails(weir.cancel(7))",
     "s1: BAD_REQUEST: an id as weir.submit returned it is expected, not a number\n", ""},
    {"fails(weir.amend(weir.submit(order)))",
     "s1: BAD_REQUEST: weir.amend takes an id and a table {price=, qty=, trigger=}\n", NULL},
    {"fails(weir.amend(weir.submit(order), {}))",
     "s1: BAD_REQUEST: weir.amend: none of price, qty and trigger (or trail) is given\n", NULL},
    {"weir.submit(order) weir.submit(with{side='sell', tag='x', price=50010}) say(#weir.orders()) "
     "say(#weir.orders{side='sell'}, #weir.orders{tag='x'}, #weir.orders{venue='sim', "
     "symbol='ETH-USD'}) "
     "say(weir.orders{tag='x'}[1].price)",
     "s1: 2\ns1: 1 1 0\ns1: 50010.0\n", NULL},
    {"weir.submit(order) weir.submit(order) after(function() say(weir.cancel_all{venue='sim', "
     "symbol='ETH-USD'}) "
     "say(weir.cancel_all()) end)",
     "s1: true\ns1: true\n",
     "new s1 buy 0.01 @ 50000\nnew s1 buy 0.01 @ 50000\ncancel s1 buy 0.01 @ 50000\ncancel s1 buy "
     "0.01 @ 50000\n"},
    {"fails(weir.cancel_all{symbol='BTC-USD'})",
     "s1: BAD_REQUEST: venue is missing; a string is expected\n", ""},
    {"say(weir.order('nothing'))", "s1: nil\n", ""},

    /* orders that the host keeps */
    {"id = weir.submit(bare{type='stop', trigger=50100}) local o = weir.order(id) say(o.state, "
     "o.type, "
     "o.waits, o.trigger, o.price, #weir.orders())",
     "s1: HELD stop TRIGGER 50100.0 nil 1\n", ""},
    {"local o = weir.order(weir.submit(bare{side='sell', type='trailing', trail=25.5})) "
     "say(o.type, o.waits, o.trail, o.trigger)",
     "s1: trailing TRIGGER 25.5 nil\n", ""},
    {"id = weir.submit(with{qty=0.05, type='iceberg', visible=0.02}) local o = weir.order(id) "
     "say(o.type, o.waits, o.visible, o.qty, #weir.orders())",
     "s1: iceberg SLICES 0.02 0.05 1\n", "new s1 buy 0.02 @ 50000\n"},
    {"local t = weir.now() id = weir.submit(with{release=t + 5000000, tif='gtd', expires=t + "
     "9000000}) "
     "local o = weir.order(id) say(o.waits, o.release - t, o.expires - t) after(function() "
     "say(weir.order(id).state) end)",
     "s1: TIME 5000000 9000000\ns1: HELD\n", NULL},
    {"local e = weir.submit(order) local t = weir.submit(with{side='sell', price=50200, parent=e}) "
     "local s = weir.submit(bare{side='sell', type='stop', trigger=49800, parent=e}) "
     "say(weir.order(t).waits, weir.order(s).waits) weir.cancel(e)",
     "s1: PARENT PARENT+TRIGGER\n", NULL},
    {"local a = weir.submit(bare{type='stop', trigger=50100}) "
     "local b = weir.submit(bare{type='take_profit', trigger=49000, oco=a}) weir.cancel(a) "
     "say(weir.order(a).state, weir.order(b).state)",
     "s1: CANCELED HELD\n", ""},
    {"id = weir.submit(bare{type='stop', trigger=50100}) say(weir.amend(id, {trigger=50200})) "
     "say(weir.order(id).trigger) fails(weir.amend(id, {trail=5}))",
     "s1: true\ns1: 50200.0\ns1: BAD_REQUEST: weir.amend: trail has no meaning for an order of "
     "this "
     "type\n",
     ""},
    {"fails(weir.submit(bare{type='stop'}))",
     "s1: BAD_REQUEST: trigger is missing; a number is expected\n", ""},
    {"fails(weir.submit(bare{type='stop', trigger=50100.001}))",
     "s1: TICK: trigger 50100.001 is not a multiple of 0.01\n", ""},
    {"fails(weir.submit(bare{type='trailing', trigger=5}))",
     "s1: BAD_REQUEST: trigger has no meaning for an order of this type\n", ""},
    {"fails(weir.submit(with{trail=5}))",
     "s1: BAD_REQUEST: trail has no meaning for an order of this type\n", ""},
    {"fails(weir.submit(with{type='iceberg'}))",
     "s1: BAD_REQUEST: visible is missing; a number is expected\n", ""},
    {"fails(weir.submit(with{type='iceberg', visible=0.00001}))",
     "s1: STEP: visible 1e-05 is not a multiple of 0.0001\n", ""},
    {"fails(weir.submit(with{release='soon'}))",
     "s1: BAD_REQUEST: release is soon; a time in whole nanoseconds since the epoch is expected, "
     "such as weir.now() + 60000000000\n",
     ""},
    {"fails(weir.submit(with{tif='gtd'}))",
     "s1: BAD_REQUEST: expires is missing; with tif \"GTD\" the time of expiry is expected, in "
     "whole "
     "nanoseconds since the epoch\n",
     ""},
    {"fails(weir.submit(with{expires=5}))",
     "s1: BAD_REQUEST: expires has no meaning without tif \"GTD\"\n", ""},
    {"fails(weir.submit(with{oco=5}))",
     "s1: BAD_REQUEST: oco is a number; the id of an order, as weir.submit returned it, is "
     "expected\n",
     ""},
    {"fails(weir.submit(with{oco='k-9', parent='k-9'}))",
     "s1: BAD_REQUEST: oco and parent are both given; an order has one of them\n", ""},
    {"fails(weir.submit(with{parent='k-9'}))",
     "s1: LINK: the order that it is linked to is not known, another's, or over*", ""},

    /* questions */
    {"local b = weir.book('sim', 'BTC-USD', 2) say(b.state, b.bid, b.ask, b.bid_qty, b.ask_qty, "
     "#b.bids, "
     "b.bids[2].price, b.asks[1].qty)",
     "s1: LIVE 49999.5 50000.5 1.0 2.0 2 49999.0 2.0\n", ""},
    {"local b = weir.book{venue='sim', symbol='ETH-USD'} say(b.state, b.bid, b.bids)",
     "s1: EMPTY nil nil\n", ""},
    {"fails(weir.book('sim'))", "s1: BAD_REQUEST: symbol is missing; a string is expected\n", ""},
    {"local p = weir.position('sim', 'BTC-USD') say(p.venue, p.symbol, p.qty, p.realized)",
     "s1: sim BTC-USD 0.0 0.0\n", ""},
    {"say(#weir.position())", "s1: 0\n", ""},
    {"local b = weir.balance('sim', 'USD') say(b.asset, b.total)", "s1: USD 1000000.0\n", ""},
    {"fails(weir.balance('sim', 'XYZ'))", "s1: NOT_FOUND: no asset \"XYZ\" is known here\n", ""},
    {"local i = weir.instrument('sim', 'BTC-USD') say(i.tick, i.step, i.base, i.quote, i.kind, "
     "i.status)",
     "s1: 0.01 0.0001 BTC USD spot TRADING\n", ""},
    {"say(weir.now(), math.type(weir.now()))", "s1: 1700000000000000000 integer\n", ""},

    /* exact values */
    {"local d = weir.dec('0.1') + weir.dec('0.2') say(d, d == weir.dec('0.3'), d * 3, -d, d - 1, 2 "
     "* d)",
     "s1: 0.3 true 0.9 -0.3 -0.7 0.6\n", ""},
    {"local d = weir.dec('1.5') say(d < 2, d <= weir.dec('1.5'), d > 1.25, d:number(), d:text() .. "
     "'!', 'x' .. d)",
     "s1: true true true 1.5 1.5! x1.5\n", ""},
    {"fails(pcall(weir.dec, 0.1))",
     "s1: weir.dec takes a text: weir.dec(\"0.1\"); the number 0.1 is not exactly 0.1\n", ""},
    {"fails(pcall(weir.dec, '1e5'))",
     "s1: weir.dec(\"1e5\"): a text that is not a plain decimal number\n", ""},
    {"fails(pcall(function() return weir.dec('0.000000001') * weir.dec('0.0000000001') end))",
     "s1: *the result does not fit an exact value (18 decimal places, 1.7e20)\n", ""},
    {"say(weir.dec('170141183460469231731') + weir.dec('0.5'))", "s1: 170141183460469231731.5\n",
     ""},

    /* telling */
    {"say('a\\nb\\27[2J\\255\\u{202E}')", "s1: a\\nb\\x1b[2J\\xff\\xe2\\x80\\xae\n", ""},
    {"print('a', 1, nil, {}, print, 2.5)", "s1: a 1 nil table function 2.5\n", ""},
    {"say(weir.alert{level='critical', text='spread\\n', venue='sim', symbol='BTC-USD'}, "
     "weir.alert('plain'))",
     "s1: alert critical sim/BTC-USD 1: spread\\n\ns1: alert warn / 0: plain\ns1: true true\n", ""},
    {"fails(weir.alert{level='loud', text='x'})",
     "s1: BAD_REQUEST: weir.alert: level is info, warn or critical, not \"loud\"\n", ""},
    {"say(weir.publish('quotes', {b=1, a={1, 2.5, 'x'}, c={[2]=true}, d=weir.dec('0.10')}))",
     "s1: published quotes {\"a\":[1,2.5,\"x\"],\"b\":1,\"c\":{\"2\":true},\"d\":\"0.1\"}\ns1: "
     "true\n",
     ""},
    {"fails(weir.publish('q', {a={b=print}}))",
     "s1: BAD_REQUEST: weir.publish: .a.b: a function is not plain data\n", ""},
    {"local t = {} t.t = t fails(weir.publish('q', t))", "s1: BAD_REQUEST: weir.publish: .t.t.*",
     ""},
    {"for i = 1, 25 do weir.alert('x') end fails(weir.alert('x'))",
     "*s1: THROTTLED: more than 10 alerts a second\n", ""},

    /* names, settings, modules */
    {"fails(pcall(function() weir.sumbit(order) end))",
     "s1: *weir has no 'sumbit'; did you mean weir.submit?\n", ""},
    {"fails(pcall(function() weir.on_book = 1 end))",
     "s1: *weir.on_book cannot be assigned: events come through weir.on(), data stays in "
     "weir.state\n",
     ""},
    {"fails(pcall(weir.on, 'boook', print))",
     "s1: weir.on: there is no event 'boook'; did you mean book?\n", ""},
    {"fails(pcall(weir.every, 5, print))",
     "s1: weir.every: 1000000 ns is the least, and 100 years the most\n", ""},
    {"local s = weir.settings say(s.clip, s.deep.list[2], #s.deep.list, s.none, s.name, s.on)",
     "s1: 0.25 b 2 nil text true\n", ""},
    {"local t = {} for k, v in pairs(weir.settings) do t[#t + 1] = k end say(table.concat(t, ' '))",
     "s1: clip deep name on\n", ""},
    {"fails(pcall(function() weir.settings.deep.x = 1 end))", "s1: *weir.settings is read-only*",
     ""},
    {"local m = weir.import('helper') say(m.twice(21), m == weir.import('helper'), leaked)",
     "s1: 42 true nil\n", ""},
    {"fails(pcall(weir.import, 'os'))",
     "s1: weir.import: no module \"os\" is listed for this script\n", ""},
    {"fails(pcall(weir.import, 'circle'))",
     "s1: *weir.import: \"circle\" imports itself, in a circle\n", ""},
    {"fails(pcall(weir.import, 'broken'))", "s1: broken.lua:1: *", ""},

    /* the environment */
    {"local t = {} for k in pairs(_G) do t[#t + 1] = k end say(table.concat(t, ' '))",
     "s1: _G _VERSION after assert bare collectgarbage coroutine error fails getmetatable id "
     "ipairs "
     "load math next order "
     "pairs pcall print rawequal rawget rawlen rawset say select setmetatable string table "
     "tonumber tostring type "
     "utf8 weir with without xpcall\n",
     ""},
    {"say(string.dump, os, io, debug, package, require, dofile, loadfile, warn)",
     "s1: nil nil nil nil nil nil nil nil nil\n", ""},
    {"fails(load(string.char(27) .. 'Lua'))", "s1: attempt to load a binary chunk (mode is 't')\n",
     ""},
    {"fails(pcall(load, function() end))", "s1: load takes one string, not a function\n", ""},
    {"fails(load(('x'):rep(70000)))", "s1: load: more than 65536 bytes\n", ""},
    {"say(load('local a = ... return a + x', 'n', 't', {x = 1})(41), load('return order.side')())",
     "s1: 42 buy\n", ""},
    {"fails(pcall(setmetatable, {}, {__gc = print}))",
     "s1: a metatable with __gc is not for scripts: finalizers do not run here\n", ""},
    {"fails(pcall(collectgarbage))",
     "s1: the collector is not a script's to control; only \"count\" is there\n", ""},
    {"fails(pcall(string.format, '%p', {}))", "s1: '%p' is not for scripts: it shows an address\n",
     ""},
    {"say(string.format('%s %5s %-4d| %q %%', {}, print, 7, 'a\"b'))",
     "s1: table function 7   | \"a\\\"b\" %\n", ""},
    {"say(('ab'):rep(3, '-'), (''):rep(1 << 60), #('x'):rep(1000))", "s1: ab-ab-ab  1000\n", ""},
    {"say(getmetatable(''), pcall(setmetatable, weir, {}))",
     "s1: false false cannot change a protected metatable\n", ""},
    {"local t = {[3]='c', 'a', 'b', x=1, [-1]=2, [2.5]=3, [false]=4, [true]=5, aa=6} local s = '' "
     "for k, v in pairs(t) do s = s .. tostring(k) .. ' ' end say(s)",
     "s1: -1 1 2 2.5 3 aa x false true \n", ""},
    {"local t = {c=1, a=2, b=3} local s = '' for k, v in next, t do s = s .. k t[k] = nil end "
     "say(s, next(t))",
     "s1: abc nil\n", ""},
    {"local k1, k2, k3 = {}, {}, {} local t = {[k1]=1, [k2]=2} t[k3] = 3 local s = '' for k, v in "
     "pairs(t) do "
     "s = s .. v end say(s, next(t, k2) == k3)",
     "s1: 123 true\n", ""},
    {"local t = {} for i = 1, 500 do t[i] = (i * 7919) % 500 end table.sort(t) local bad = 0 for i "
     "= 2, 500 do "
     "if t[i] < t[i-1] then bad = bad + 1 end end table.sort(t, function(a, b) return a > b end) "
     "say(bad, t[1], t[500])",
     "s1: 0 499 0\n", ""},
    {"math.randomseed(5) local a = math.random(1000) math.randomseed(5) say(a == "
     "math.random(1000))",
     "s1: true\n", ""},
};

static const char prelude[] =
    "function say(...) local t = table.pack(...) for i = 1, t.n do t[i] = tostring(t[i]) end "
    "weir.log(table.concat(t, ' ')) end "
    "function fails(ok, err) say(ok and 'none' or err) end "
    "order = {venue='sim', symbol='BTC-USD', side='buy', type='limit', price=50000, qty=0.01, "
    "tif='gtc'} "
    "function with(t) for k, v in pairs(order) do if t[k] == nil then t[k] = v end end "
    "if t.type == 'none' then t.type = nil end return t end "
    "function bare(t) with(t).price = nil return t end "
    "function without(k) local t = with{} t[k] = nil return t end "
    "function after(f) weir.after(1000000, f) end "
    "id = false "
    "weir.on('start', function() ";

/* A star stands for anything. */
static bool like(const char *pattern, const char *text)
{
    for (; *pattern; pattern++, text++) {
        if (*pattern == '*') {
            do
                if (like(pattern + 1, text))
                    return true;
            while (*text++);
            return false;
        }
        if (*pattern != *text)
            return false;
    }
    return *text == '\0';
}

static void run(size_t i)
{
    static const struct script_value list[] = {{.kind = SCRIPT_TEXT, .text = "a"},
                                               {.kind = SCRIPT_TEXT, .text = "b"}};
    static const struct script_value deep[] = {
        {.key = "list", .kind = SCRIPT_LIST, .items = list, .count = 2}};
    static const struct script_value items[] = {
        {.key = "clip", .kind = SCRIPT_DECIMAL, .text = "0.25"},
        {.key = "deep", .kind = SCRIPT_MAP, .items = deep, .count = 1},
        {.key = "name", .kind = SCRIPT_TEXT, .text = "text"},
        {.key = "on", .kind = SCRIPT_BOOL, .number = 1}};
    static const struct script_value settings = {.kind = SCRIPT_MAP, .items = items, .count = 4};
#define MODULE(name, text)          \
    {                               \
        name, text, sizeof text - 1 \
    }
    static const struct script_source modules[] = {
        MODULE("helper", "leaked = 1 return {twice = function(x) return 2 * x end}"),
        MODULE("circle", "return weir.import('circle')"), MODULE("broken", "return return")};
    struct market market;
    struct text chunk;
    market_open(&market);
    text_init(&chunk);
    text_say(&chunk, "%s%s end)", prelude, cases[i].lua);
    struct script_config config = market_config("s1", 1, text_cstr(&chunk));
    config.order_prefix = "k-";
    config.settings = &settings;
    config.modules = modules;
    config.module_count = 3;
    struct script *script = market_add(&market, &config);
    script_start(script);
    market_settle(&market);
    market_wait(&market, 10000000);
    struct script_report report;
    script_report(script, &report);
    cr_expect_eq(report.outcome, SCRIPT_OK, "%s\n%s\n%s", cases[i].lua, report.reason,
                 report.detail);
    const char *told = market_log(&market), *asked = market_asked(&market);
    cr_expect(like(cases[i].told, told), "%s\n  told: %s  want: %s", cases[i].lua, told,
              cases[i].told);
    if (cases[i].asked)
        cr_expect_str_eq(asked, cases[i].asked, "%s\n  asked: %s  want: %s", cases[i].lua, asked,
                         cases[i].asked);
    text_fini(&chunk);
    market_close(&market);
}

Test(api, every_function_answers_as_the_table_says)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        run(i);
}

static void contract_says(struct market *market, uint16_t kind, int64_t value)
{
    struct weir_mark mark = {
        .msg = {.size = sizeof mark, .kind = kind, .venue = 1, .account = 1, .instrument = BTC},
        .px = value};
    struct weir_funding_rate rate = {.rate = value, .t_next = 1700003600000000000};
    rate.msg = mark.msg;
    rate.msg.size = sizeof rate;
    struct weir_msg *msg = kind == WEIR_FUNDING_RATE ? &rate.msg : &mark.msg;
    market_apply(market, msg);
    script_event(market->scripts[0], msg);
    market_settle(market);
}

/* What is seen of a book without our own, of several as one, and of a contract beside its book: here, and in
 * a process. */
Test(api, books_without_our_own_orders_and_of_several_venues_and_marks)
{
    static const char script[] =
        "weir.subscribe{what={'book', 'mark'}}\n"
        "local function say(...)\n"
        "  local t = table.pack(...) for i = 1, t.n do t[i] = tostring(t[i]) end\n"
        "  weir.log(table.concat(t, ' '))\n"
        "end\n"
        "local function see(name, b)\n"
        "  weir.log(string.format('%s %s x %s, %s x %s', name, b.bid, b.bid_qty, b.ask, "
        "b.ask_qty))\n"
        "end\n"
        "weir.on('start', function()\n"
        "  weir.submit{venue='sim', symbol='BTC-USD', side='buy', type='limit', price=50000.25,\n"
        "              qty=0.4, tif='gtc'}\n"
        "  weir.submit{venue='sim', symbol='BTC-USD', side='buy', type='limit', price=50000,\n"
        "              qty=0.4, tif='gtc'}\n"
        "  weir.submit{venue='sim', symbol='BTC-USD', side='sell', type='limit', price=50001,\n"
        "              qty=9, tif='gtc'}\n"
        "end)\n"
        "weir.on('book', function(e)\n"
        "  if e.symbol ~= 'ETH-USD' then return end\n"
        "  see('all', weir.book('sim', 'BTC-USD'))\n"
        "  local others = weir.book{venue='sim', symbol='BTC-USD', own=false, depth=2}\n"
        "  see('others', others)\n"
        "  say(#others.bids, others.bids[1].qty, others.asks[1].price)\n"
        "  local two = weir.book{markets={{venue='sim', symbol='BTC-USD'},\n"
        "                                 {venue='sim', symbol='ETH-USD'}}, depth=3, own=false}\n"
        "  see('two', two)\n"
        "  say(two.whole, #two.parts, two.parts[2].state, #two.bids, #two.asks,\n"
        "           two.asks[1].symbol, two.asks[2].symbol)\n"
        "end)\n"
        "weir.on('mark', function(e)\n"
        "  say(e.symbol, e.mark, e.index, e.funding_rate, e.funding_time)\n"
        "end)\n";
    static const char expected[] = "s1: all 50000.0 x 1.0, 50001.0 x 2.0\n"
                                   "s1: others 50000.0 x 0.6, 50001.5 x 4.0\n"
                                   "s1: 2 0.6 50001.5\n"
                                   "s1: two 50000.0 x 0.6, 3001.0 x 2.0\n"
                                   "s1: true 2 LIVE 3 3 ETH-USD BTC-USD\n"
                                   "s1: BTC-USD 50000.1 nil nil nil\n"
                                   "s1: BTC-USD 50000.1 49999.9 nil nil\n"
                                   "s1: BTC-USD 50000.1 49999.9 -0.0001 1700003600000000000\n";
    for (int process = 0; process <= 1; process++) {
        struct market market;
        if (process)
            market_open_cells(&market, true);
        else
            market_open(&market);
        market_top(&market, BTC, "50000", "50001");
        market_state(&market, BTC, BOOK_LIVE);
        market_state(&market, ETH, BOOK_LIVE);
        (void)market_script(&market, script);
        market_settle(&market);
        (void)market_log(&market);
        market_top(&market, ETH, "3000", "3001");
        contract_says(&market, WEIR_MARK, 5000010);
        contract_says(&market, WEIR_INDEX, 4999990);
        contract_says(&market, WEIR_FUNDING_RATE, -100000000);
        const char *said = market_log(&market);
        cr_expect_str_eq(said, expected, "%s: %s", process ? "in a process" : "inline", said);
        market_close(&market);
    }
}
