/* What makes writing a strategy pleasant: bars of three kinds, tables between scripts, declared
 * settings, names that are wrong by a letter, and one list that says all there is. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script/reference.h"
#include "script/support_market.h"

static void expect(struct market *market, const char *case_, const char *told)
{
    const char *log = market_log(market);
    cr_expect_str_eq(log, told, "%s:\n  said     %s  expected %s", case_, log, told);
}

/* --- bars ----------------------------------------------------------------------------------------- */

static const char bars[] =
    "local function show(b) weir.log(b.kind .. ' ' .. tostring(b.interval or b.per) .. ' ' .. "
    "b.open .. ' '"
    " .. b.high .. ' ' .. b.low .. ' ' .. b.close .. ' ' .. b.volume .. ' ' .. b.count"
    " .. ' ' .. (b.closed - b.time) // 1000000) end\n"
    "weir.on('bar', show)\n";

Test(author, bars_end_by_time_volume_or_trades)
{
    static const struct {
        const char *how, *told;
    } cases[] = {
        /* trades: 10 at 50000, then each 400 ms: +1, -2, +3, -4 with 1 2 3 4 lots of 0.1 */
        {"interval='1s'", "s1: time 1000000000 50000.0 50001.0 49999.0 49999.0 0.6 3 1000\n"},
        {"ticks=2", "s1: ticks 2 50000.0 50001.0 50000.0 50001.0 0.3 2 400\n"
                    "s1: ticks 2 49999.0 50002.0 49999.0 50002.0 0.7 2 400\n"},
        {"volume=0.3", "s1: volume 0.3 50000.0 50001.0 50000.0 50001.0 0.3 2 400\n"
                       "s1: volume 0.3 49999.0 49999.0 49999.0 49999.0 0.3 1 0\n"
                       "s1: volume 0.3 50002.0 50002.0 50002.0 50002.0 0.4 1 0\n"},
        {"volume=weir.dec('0.00005')", /* less than a step: each trade is a bar */
         "s1: volume 0.0001 50000.0 50000.0 50000.0 50000.0 0.1 1 0\n"
         "s1: volume 0.0001 50001.0 50001.0 50001.0 50001.0 0.2 1 0\n"
         "s1: volume 0.0001 49999.0 49999.0 49999.0 49999.0 0.3 1 0\n"
         "s1: volume 0.0001 50002.0 50002.0 50002.0 50002.0 0.4 1 0\n"},
    };
    static const char *const prices[] = {"50000", "50001", "49999", "50002"}, *const sizes[] = {
                                                                                  "0.1", "0.2",
                                                                                  "0.3", "0.4"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct market market;
        char text[1024];
        market_open(&market);
        snprintf(text, sizeof text,
                 "%sweir.subscribe{venue='sim', symbol='BTC-USD', what='bar', %s}", bars,
                 cases[i].how);
        cr_assert_eq(script_outcome(market_script(&market, text)), SCRIPT_OK);
        for (int t = 0; t < 4; t++) {
            market_trade(&market, BTC, prices[t], sizes[t]);
            market_wait(&market, 400000000);
        }
        expect(&market, cases[i].how, cases[i].told);
        market_close(&market);
    }
}

/* --- what scripts tell each other ------------------------------------------------------------------- */

Test(author, published_tables_reach_those_that_asked)
{
    struct market market;
    market_open(&market);
    struct script_config listener = market_config(
        "s2", 2,
        "weir.subscribe{topic='spread'} weir.subscribe{topic='mine', from='s1'} "
        "weir.subscribe{topic='theirs', from='s3'}\n"
        "weir.on('message', function(m) weir.log(m.topic .. ' ' .. m.from .. ' ' .. "
        "math.type(m.data.n) .. ' ' "
        ".. tostring(m.data[2]) .. ' ' .. tostring(m.data.d)) m.data.n = 9 end)"
        "weir.on('message', function(m) if m.topic == 'spread' then weir.log(m.data.n) end end)");
    script_start(market_add(&market, &listener));
    market_script(&market, "weir.on('timer', function()\n"
                           "for _, t in ipairs{'spread', 'mine', 'theirs', 'other'} do\n"
                           "weir.publish(t, {n = 7, 'a', 'b', d = weir.dec('0.10')}) end end)\n"
                           "weir.on('message', function() weir.log('heard myself') end)\n"
                           "weir.subscribe{topic='spread'}");
    market_wait(&market, 1000000000);
    const char *log = market_log(&market);
    cr_expect(strstr(log, "s2: spread s1 integer b 0.1\ns2: 7\n"), "%s", log);
    cr_expect(strstr(log, "s2: mine s1 integer b 0.1\n"), "%s", log);
    cr_expect_not(strstr(log, "s2: theirs"), "%s", log);
    cr_expect_not(strstr(log, "s2: other"), "%s", log);
    cr_expect_not(strstr(log, "heard myself"), "%s", log);
    market_close(&market);
}

/* What comes from another process may be any bytes: then there is no data. */
Test(author, a_published_text_may_be_anything)
{
    struct market market;
    static const char *const texts[] = {"", "{", "{[\"a\"]=", "{[1]=2}x", "nil", "{[1]=\"\\"};
    market_open(&market);
    struct script *script = market_script(
        &market, "weir.subscribe{topic='t'} weir.on('message', function(m) weir.log(m.data) end)");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        script_message(script,
                       &(struct script_message){
                           .topic = "t", .from = "x", .text = texts[i], .len = strlen(texts[i])});
        expect(&market, texts[i], "s1: nil\n");
    }
    market_close(&market);
}

/* --- names ---------------------------------------------------------------------------------------- */

Test(author, a_name_that_nobody_has_is_an_error_with_the_nearest)
{
    static const struct {
        const char *lua, *reason;
    } cases[] = {
        {"\nweir.subscribe{venue='sin', symbol='BTC-USD'}",
         "s1.lua:2: weir.subscribe: no venue \"sin\" is configured; did you mean sim?"},
        {"weir.subscribe{venue='sim', symbol='BTC-UDS'}",
         "s1.lua:1: weir.subscribe: venue sim has no symbol \"BTC-UDS\"; did you mean BTC-USD?"},
        {"weir.subscribe{symbol='eth-usd'}",
         "s1.lua:1: weir.subscribe: any venue has no symbol \"eth-usd\"; did you mean ETH-USD?"},
        {"weir.subscribe{venu='sim'}",
         "s1.lua:1: weir.subscribe has no member 'venu'; did you mean venue?"},
        {"weir.subscribe{what='bar'}", "s1.lua:1: weir.subscribe: bars need one of interval="},
        {"weir.subscribe{what='bar', interval='1s', ticks=5}",
         "s1.lua:1: weir.subscribe: bars need one of interval="},
        {"weir.subscribe{what='bar', volume=-1}",
         "s1.lua:1: weir.subscribe: bars need one of interval="},
        {"weir.subscribe{topic=''}", "s1.lua:1: weir.subscribe: topic and from are short strings"},
        {"weir.on('massage', print)",
         "s1.lua:1: weir.on: there is no event 'massage'; did you mean message"},
        {"weir.sumbit{}", "s1.lua:1: weir has no 'sumbit'; did you mean weir.submit?"},
        {"weir.Publish('x', {})", "s1.lua:1: weir has no 'Publish'; did you mean weir.publish?"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct market market;
        struct script_report report;
        market_open(&market);
        script_report(market_script(&market, cases[i].lua), &report);
        cr_expect_eq(report.outcome, SCRIPT_QUARANTINED, "%s", cases[i].lua);
        cr_expect(strncmp(report.reason, cases[i].reason, strlen(cases[i].reason)) == 0,
                  "%s:\n  %s\n  %s", cases[i].lua, report.reason, cases[i].reason);
        cr_expect(strstr(report.detail, "| weir."), "%s: the line is shown: %s", cases[i].lua,
                  report.detail);
        market_close(&market);
    }
}

Test(author, names_are_judged_when_the_venue_has_told_its_instruments)
{
    struct market market;
    static const char text[] = "\nweir.subscribe{venue='late', symbol='DOGE-UDS'}";
    market_open(&market);
    struct in_define define = {
        .msg = {.size = sizeof define, .kind = IN_DEFINE_VENUE}, .number = 2, .name = "late"};
    struct in_define account = {.msg = {.size = sizeof account, .kind = IN_DEFINE_ACCOUNT},
                                .number = 2,
                                .parent = 2,
                                .name = "two"};
    market_apply(&market, &define);
    market_apply(&market, &account);
    struct script *script = market_script(&market, text);
    cr_expect_eq(script_outcome(script), SCRIPT_OK, "nothing is known of it yet");
    struct weir_instrument doge = {.msg = {.size = sizeof doge,
                                           .kind = WEIR_INSTRUMENT,
                                           .venue = 2,
                                           .account = 2,
                                           .instrument = 3},
                                   .price_exp = 2,
                                   .qty_exp = 4,
                                   .multiplier = 1,
                                   .tick = 1,
                                   .step = 1,
                                   .symbol = "DOGE-USD",
                                   .base = "DOGE",
                                   .quote = "USD"};
    market_apply(&market, &doge);
    struct out_state told = {.msg = {.size = sizeof told, .kind = OUT_STATE, .venue = 2},
                             .of = STATE_RECONCILING};
    script_event(script, &told.msg);
    script_event(script, &told.msg);
    expect(&market, "told once",
           "s1: s1.lua:2: weir.subscribe: venue late has no symbol \"DOGE-UDS\"; did you mean "
           "DOGE-USD?\n"
           "s1: alert warn / 0: s1.lua:2: weir.subscribe: venue late has no symbol \"DOGE-UDS\"; "
           "did you "
           "mean DOGE-USD?\n");
    cr_expect_eq(script_outcome(script), SCRIPT_OK);
    market_close(&market);
    market_open(
        &market); /* and one that began before the instruments came is judged as it starts */
    market_apply(&market, &define);
    market_apply(&market, &account);
    struct script_config config = market_config("s1", 1, text);
    script = market_add(&market, &config);
    market_apply(&market, &doge);
    script_start(script);
    struct script_report report;
    script_report(script, &report);
    cr_expect_eq(report.outcome, SCRIPT_QUARANTINED);
    cr_expect(strstr(report.reason, "s1.lua:2: weir.subscribe: venue late has no symbol"), "%s",
              report.reason);
    market_close(&market);
}

/* --- settings --------------------------------------------------------------------------------------- */

static const char declares[] = "local s = weir.declare{\n"
                               "  symbol = {type='text', doc='where'},\n"
                               "  clip = {type='number', min=0.001, max=5, default=0.01},\n"
                               "  levels = {type='integer', min=1, default=3},\n"
                               "  side = {type='text', of={'buy', 'sell'}, default='buy'},\n"
                               "  live = {type='flag', default=false},\n"
                               "  list = {type='list', default={}},\n"
                               "}\n"
                               "weir.log(s.symbol .. ' ' .. s.clip .. ' ' .. s.levels .. ' ' .. "
                               "s.side .. ' ' .. tostring(s.live)"
                               " .. ' ' .. #s.list .. ' ' .. weir.settings.clip)\n";

#define TEXT(k, v)                                                         \
    {                                                                      \
        .key = k, .kind = SCRIPT_TEXT, .text = v, .place = "weir.yaml:7:9" \
    }
#define WHOLE(k, v)                                                         \
    {                                                                       \
        .key = k, .kind = SCRIPT_INT, .number = v, .place = "weir.yaml:7:9" \
    }
#define NUMBER(k, v)                                                          \
    {                                                                         \
        .key = k, .kind = SCRIPT_DECIMAL, .text = v, .place = "weir.yaml:7:9" \
    }

static const struct {
    struct script_value items[2];
    size_t count;
    const char *fault; /* NULL: none */
    const char *told;
} settings_cases[] = {
    {{TEXT("symbol", "X"), NUMBER("clip", "2.5")}, 2, NULL, "s1: X 2.5 3 buy false 0 2.5\n"},
    {{TEXT("symbol", "X"), WHOLE("clip", 5)}, 2, NULL, "s1: X 5 3 buy false 0 5\n"},
    {{NUMBER("clip", "2.5")},
     1,
     "settings.symbol: missing; expected a text (declared in s1.lua:1)",
     NULL},
    {{TEXT("symbol", "X"), NUMBER("clip", "5.5")},
     2,
     "weir.yaml:7:9: settings.clip: expected a number, 0.001 to 5; found 5.5 (declared in "
     "s1.lua:1)",
     NULL},
    {{TEXT("symbol", "X"), TEXT("clip", "2")},
     2,
     "weir.yaml:7:9: settings.clip: expected a number, 0.001 to 5; found \"2\" (declared in "
     "s1.lua:1)",
     NULL},
    {{TEXT("symbol", "X"), NUMBER("levels", "1.5")},
     2,
     "weir.yaml:7:9: settings.levels: expected a whole number, 1 or more; found 1.5 (declared in "
     "s1.lua:1)",
     NULL},
    {{TEXT("symbol", "X"), WHOLE("levels", 0)},
     2,
     "weir.yaml:7:9: settings.levels: expected a whole number, 1 or more; found 0 (declared in "
     "s1.lua:1)",
     NULL},
    {{TEXT("symbol", "X"), TEXT("side", "bye")},
     2,
     "weir.yaml:7:9: settings.side: expected one of buy, sell; found \"bye\" (declared in "
     "s1.lua:1)",
     NULL},
    {{TEXT("symbol", "X"), TEXT("live", "yes")},
     2,
     "weir.yaml:7:9: settings.live: expected true or false; found \"yes\" (declared in s1.lua:1)",
     NULL},
    {{TEXT("symbol", "X"), TEXT("list", "a")},
     2,
     "weir.yaml:7:9: settings.list: expected a list; found \"a\" (declared in s1.lua:1)",
     NULL},
    {{TEXT("symbol", "X"), WHOLE("clipp", 1)},
     2,
     "weir.yaml:7:9: settings.clipp: the script has no such setting; did you mean clip? (declared "
     "in "
     "s1.lua:1)",
     NULL},
};

Test(author, settings_are_what_the_script_declares)
{
    for (size_t i = 0; i < sizeof settings_cases / sizeof settings_cases[0]; i++) {
        struct market market;
        struct script_report report;
        struct why why;
        struct script_value map = {
            .kind = SCRIPT_MAP, .items = settings_cases[i].items, .count = settings_cases[i].count};
        market_open(&market);
        struct script_config config = market_config("s1", 1, declares);
        config.settings = &map;
        script_report(market_add(&market, &config), &report);
        enum weir_err checked = script_check_settings(&config, &why);
        if (settings_cases[i].fault) {
            cr_expect_eq(report.outcome, SCRIPT_QUARANTINED, "case %zu", i);
            cr_expect(strstr(report.reason, settings_cases[i].fault), "%s", report.reason);
            cr_expect_neq(checked, WEIR_OK, "case %zu", i);
            cr_expect_str_eq(why.text, settings_cases[i].fault);
        } else {
            expect(&market, "settings", settings_cases[i].told);
            cr_expect_eq(checked, WEIR_OK, "%s", why.text);
        }
        market_close(&market);
    }
}

Test(author, a_declaration_itself_may_be_wrong)
{
    static const struct {
        const char *lua, *reason;
    } cases[] = {
        {"weir.declare()", "weir.declare takes a table"},
        {"weir.declare{x = 5}", "weir.declare: x is a number; a table"},
        {"weir.declare{x = {typ='text'}}", "weir.declare: x has no 'typ'; did you mean type"},
        {"weir.declare{x = {type='string'}}", "weir.declare: x.type is string; expected number"},
        {"weir.declare{[1] = {type='text'}}", "weir.declare: 1 is not a name"},
        {"weir.declare{x = {type='integer', default=1.5}}",
         "settings.x: expected a whole number; found 1.5"},
        {"weir.declare{} weir.declare{}", "weir.declare: settings are declared once"},
        {"weir.on('start', function() weir.declare{} end)",
         "weir.declare: settings are declared while the chunk loads"},
        {"local s = weir.declare{x = {type='integer', default=1}} s.x = 2",
         "weir.settings is read-only"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct market market;
        struct script_report report;
        market_open(&market);
        script_report(market_script(&market, cases[i].lua), &report);
        cr_expect(strstr(report.reason, cases[i].reason), "%s: %s", cases[i].lua, report.reason);
        market_close(&market);
    }
}

Test(author, a_check_runs_nothing_behind_the_declaration)
{
    struct why why;
    static const char *const fine[] = {
        "weir.declare{} while true do end",
        "local i = weir.instrument('sim', 'BTC-USD') weir.log(i.tick)",
        "weir.subscribe{venue='nowhere'} weir.every(1000000, print) weir.declare{}",
        "weir.submit{} weir.cancel_all()"};
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
        struct script_config config = market_config("s1", 1, fine[i]);
        cr_expect_eq(script_check_settings(&config, &why), WEIR_OK, "%s: %s", fine[i], why.text);
    }
    struct script_config config = market_config("s1", 1, "local x = = 1");
    cr_expect_neq(script_check_settings(&config, &why), WEIR_OK);
    cr_expect(strstr(why.text, "s1.lua:1:"), "%s", why.text);
    script_thread_fini();
}

/* --- the list ------------------------------------------------------------------------------------- */

Test(author, the_reference_lists_what_the_sandbox_has)
{
    struct market market;
    struct text lua;
    market_open(&market);
    text_init(&lua);
    text_say(&lua, "local listed = {");
    for (const struct reference_function *f = reference_functions; f->name; f++)
        text_say(&lua, "%s = 'function',", f->name);
    for (const struct reference_value *v = reference_values; v->name; v++)
        text_say(&lua, "%s = 'table',", v->name);
    text_say(&lua, "}\nfor name, value in pairs(weir) do if listed[name] ~= type(value) then "
                   "weir.log('not listed: ' .. name) end listed[name] = nil end\n"
                   "for name in pairs(listed) do weir.log('not there: ' .. name) end\n"
                   "for _, event in ipairs{");
    for (const struct reference_event *e = reference_events; e->name; e++) {
        text_say(&lua, "'%s',", e->name);
        cr_expect(reference_class(e->type), "%s", e->type);
    }
    text_say(
        &lua,
        "} do weir.on(event, function() end) end\nfor name in pairs(_G) do if not known[name] then "
        "weir.log('no global: ' .. name) end end");
    struct text whole;
    text_init(&whole);
    text_say(&whole, "local known = {known = true,");
    static const char *const globals[] = {
        "assert",   "load",     "pairs",          "print",    "math",         "utf8",
        "weir",     "_G",       "collectgarbage", "error",    "getmetatable", "ipairs",
        "pcall",    "rawequal", "rawget",         "rawlen",   "rawset",       "select",
        "tonumber", "type",     "xpcall",         "_VERSION", "next",         "setmetatable",
        "tostring", "string",   "table",          "coroutine"};
    for (size_t i = 0; i < sizeof globals / sizeof globals[0]; i++) {
        cr_expect(reference_is_global(globals[i]), "%s", globals[i]);
        text_say(&whole, "%s = true,", globals[i]);
    }
    text_say(&whole, "}\n%s", text_cstr(&lua));
    cr_expect_eq(script_outcome(market_script(&market, text_cstr(&whole))), SCRIPT_OK);
    expect(&market, "the list", "");
    cr_expect(reference_is_member("math", "floor") && !reference_is_member("math", "flor"));
    cr_expect_not(reference_is_global("os") || reference_is_member("string", "dump"));
    text_fini(&lua);
    text_fini(&whole);
    market_close(&market);
}

/* Lua that checks a table against a class: all its members are listed, and none that must be there is
 * missing. */
static void say_class(struct text *lua, const struct reference_class *of)
{
    text_say(lua, "classes['%s'] = {", of->name);
    for (const struct reference_field *f = of->fields; f->name; f++) {
        size_t len = strlen(f->type);
        bool may_lack = f->type[len - 1] == '?' || strstr(f->type, "|nil");
        text_say(lua, "%s = %s,", f->name, may_lack ? "'may'" : "'must'");
    }
    text_say(lua, "}\n");
}

Test(author, tables_have_the_members_that_the_reference_lists)
{
    struct market market;
    struct text lua;
    market_open(&market);
    text_init(&lua);
    text_say(&lua, "local classes, seen = {}, {}\n");
    for (const struct reference_class *c = reference_classes; c->name; c++)
        if (!c->given)
            say_class(&lua, c);
    text_say(&lua, "local function fits(name, t)\n seen[name] = true\n"
                   " for k in pairs(t) do if not classes[name][k] then weir.log(name .. ' lists no "
                   "' .. k) end end\n"
                   " for k, how in pairs(classes[name]) do if how == 'must' and t[k] == nil then "
                   "weir.log(name .. "
                   "' lacks ' .. k) end end\nend\n"
                   "weir.subscribe{what={'book', 'trade', 'bar', 'mark'}, interval='1s'} "
                   "weir.subscribe{what='bar', ticks=1}\n"
                   "weir.subscribe{topic='t'}\n");
    for (const struct reference_event *e = reference_events; e->name; e++)
        text_say(&lua, "weir.on('%s', function(e) fits('%s', e) end)\n", e->name, e->type);
    text_say(&lua, "weir.on('timer', function()\n"
                   " fits('weir.Book', weir.book('sim', 'BTC-USD')) fits('weir.Level', "
                   "weir.book('sim', 'BTC-USD').bids[1])\n"
                   " fits('weir.Instrument', weir.instrument('sim', 'BTC-USD'))\n"
                   " fits('weir.Balance', weir.balance('sim', 'USD')) fits('weir.Position', "
                   "weir.position('sim', 'BTC-USD'))\n"
                   " local _, e = weir.submit{venue='sim', symbol='BTC-USD', side='buy', "
                   "type='limit', price=50000, "
                   "qty=101, tif='gtc'} fits('weir.Error', e)\n"
                   " for _, o in ipairs(weir.orders{}) do fits('weir.Order', o) end\nend)\n"
                   "weir.on('start', function() weir.submit{venue='sim', symbol='BTC-USD', "
                   "side='buy', type='limit', "
                   "price=50000, qty=1, tif='gtc', tag='x'} end)\n"
                   "weir.on('stop', function() for k in pairs(seen) do classes[k] = nil end\n"
                   " for k in pairs(classes) do weir.log(k) end end)");
    struct script_config config = market_config("s1", 1, text_cstr(&lua));
    config.order_prefix = "k-";
    struct script *script = market_add(&market, &config);
    struct why why;
    script_start(script);
    market_settle(&market);
    market_wait(&market, 1000000000);
    market_fill(&market, "k-1", "50000", "0.5");
    market_top(&market, BTC, "49990", "50010");
    market_trade(&market, BTC, "50000", "1");
    struct weir_mark mark = {.msg = {.size = sizeof mark, .kind = WEIR_MARK, .instrument = BTC},
                             .px = 5000000};
    market_apply(&market, &mark);
    script_event(script, &mark.msg);
    market_wait(&market, 3000000000);
    struct out_state state = {.msg = {.size = sizeof state, .kind = OUT_STATE, .venue = 1},
                              .of = STATE_VENUE,
                              .value = 1};
    script_event(script, &state.msg);
    struct out_alert alert = {.msg = {.size = sizeof alert, .kind = OUT_ALERT}};
    script_event(script, &alert.msg);
    script_message(script,
                   &(struct script_message){.topic = "t", .from = "x", .text = "{}", .len = 2});
    cr_expect_eq(script_reload(script, &config, &why), WEIR_OK, "%s", why.text);
    cr_expect_eq(script_outcome(script), SCRIPT_OK);
    expect(&market, "members", "");
    text_fini(&lua);
    market_close(&market);
}

/* Each member of a table that scripts give is known to the function, and no other is. */
Test(author, given_tables_take_the_members_that_the_reference_lists)
{
    static const struct {
        const char *class_, *call;
    } calls[] = {{"weir.Submit", "weir.submit(t)"},
                 {"weir.CancelAll", "weir.cancel_all(t)"},
                 {"weir.BookOf", "weir.book(t)"},
                 {"weir.Market", "weir.mark(t)"},
                 {"weir.Market", "weir.instrument(t)"},
                 {"weir.PositionOf", "weir.position(t)"},
                 {"weir.BalanceOf", "weir.balance(t)"},
                 {"weir.OrdersOf", "weir.orders(t)"},
                 {"weir.AlertOf", "weir.alert(t)"},
                 {"weir.Amend", "weir.amend(id, t)"},
                 {"weir.Subscribe", "pcall(weir.subscribe, t)"},
                 {"weir.Declared", "pcall(weir.declare, {x = t})"}};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        struct market market;
        struct text lua;
        const struct reference_class *of = reference_class(calls[i].class_);
        market_open(&market);
        text_init(&lua);
        text_say(&lua,
                 "local id\nlocal function try(name)\n local t = {[name] = 1}\n local _, e = %s\n"
                 " return not (tostring(e):find('has no member') or tostring(e):find('has no "
                 "\\'')) end\n"
                 "local function all() id = id or weir.submit{venue='sim', symbol='BTC-USD', "
                 "side='buy', "
                 "type='limit', price=50000, qty=1, tif='gtc'}\n",
                 calls[i].call);
        for (const struct reference_field *f = of->fields; f->name; f++)
            text_say(&lua, " if not try('%s') then weir.log('refuses %s') end\n", f->name, f->name);
        text_say(&lua, " if try('nonsense') then weir.log('takes nonsense') end end\n%s",
                 strstr(calls[i].call, "declare") ? "all()" : "weir.on('start', all)");
        struct script *script = market_script(&market, text_cstr(&lua));
        struct script_report report;
        script_report(script, &report);
        cr_expect_eq(report.outcome, SCRIPT_OK, "%s", report.reason);
        expect(&market, calls[i].call, "");
        text_fini(&lua);
        market_close(&market);
    }
}
