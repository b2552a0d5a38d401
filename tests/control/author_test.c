/* What authors use without a running host: annotations, and tests of scripts. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/describe.h"
#include "control/script_tests.h"
#include "script/script.h"

Test(author, the_committed_annotations_are_those_of_the_list)
{
    static char committed[1 << 18];
    struct text text;
    text_init(&text);
    describe_lua_annotations(&text);
    FILE *in = fopen(SOURCE_DIR "/sdk/lua/weir.lua", "r");
    cr_assert_not_null(in);
    committed[fread(committed, 1, sizeof committed - 1, in)] = '\0';
    fclose(in);
    cr_expect(strcmp(committed, text_cstr(&text)) == 0,
              "sdk/lua/weir.lua is out of date: print it anew with `weir describe lua`");
    text_fini(&text);
}

/* --- tests of scripts --------------------------------------------------------------------------------- */

static char folder[] = BUILD_DIR "/author-XXXXXX";

static void put(const char *name, const char *text, char *path, size_t room)
{
    snprintf(path, room, "%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    cr_assert_not_null(out, "%s", path);
    fputs(text, out);
    fclose(out);
}

static void told(void *context, const struct script_test_result *result)
{
    struct text *out = context;
    text_say(out, "%s: %s\n", result->name, result->fault ? result->fault : "ok");
}

static const char script[] =
    "local s = weir.declare{qty = {type='number', default=1}}\n"
    "weir.subscribe{topic='t'} weir.subscribe{venue='sim', symbol='BTC-USD', what={'book', "
    "'trade'}}\n"
    "local function o(side, price) return weir.submit{venue='sim', symbol='BTC-USD', side=side, "
    "type='limit', "
    "price=price, qty=s.qty, tif='gtc', tag='x', post_only=true} end\n"
    "weir.on('book', function(b) if b.state then return weir.log(b.state) end local id, e = "
    "o('buy', b.bid) if e then weir.log(tostring(e)) end end)\n"
    "weir.on('trade', function(t) if t.price > 200 then error('too high') end weir.cancel_all() "
    "end)\n"
    "weir.on('message', function(m) weir.log(m.from .. ' ' .. m.data.n .. ' ' .. m.data.list[2]) "
    "weir.amend(weir.orders()[1].id, {price=m.data.n}) end)\n"
    "weir.on('fill', function(f) weir.state.fills = (weir.state.fills or 0) + 1 weir.state.deep = "
    "{a = {1, 2}} end)\n"
    "weir.on('reload', function() weir.log('reloaded ' .. weir.state.fills) end)\n"
    "weir.on('stop', function() weir.log('stopped') end)\n"
    "weir.every(1000000000, function() weir.publish('p', {n = 1}) weir.alert('slow') end)\n";

/* A row of steps, and what is said of it. */
static const struct {
    const char *steps, *told;
} cases[] = {
    {"{book={bid=100, ask=101}}, {order={side='buy', type='limit', price=100, qty=1, tif='GTC', "
     "tag='x', post_only=true, "
     "reduce_only=false, symbol='BTC-USD', venue='sim'}}, {none=true}",
     "ok"},
    {"{book={bid=100, ask=101}}, {order={price=99}}",
     "step 2, order: expected price 99; the script asked: new buy 1 BTC-USD @ 100, tag x"},
    {"{book={bid=100, ask=101}}, {none=true}",
     "step 2, none: expected nothing; the script asked: new buy 1 BTC-USD @ 100, tag x"},
    {"{none=true}, {order={}}", "step 2, order: the script asked for no order"},
    {"{book={bid=100, ask=101}}, {order={prise=1}}",
     "step 2, order: an order has no 'prise'; expected venue symbol side type price qty tif "
     "post_only "
     "reduce_only tag"},
    {"{book={bid=100, ask=101}}, {fill={qty=0.25}}, {position=0.25}, {fill={price=99.5}}, "
     "{position={symbol='BTC-USD', qty=1}}, {state={fills=2, deep={a={1, 2}}}}",
     "ok"},
    {"{book={bid=100, ask=101}}, {fill={}}, {position=2}", "step 3, position: the position is 1"},
    {"{book={bid=100, ask=101}}, {fill={}}, {state={fills=2}}",
     "step 3, state: weir.state is {\"deep\":{\"a\":[1,2]},\"fills\":1}"},
    {"{fill={}}", "step 1, fill: no order is live to be filled"},
    {"{book={bid=100, ask=101}}, {order={}}, {trade={price=100}}, {cancel={price=100}}, "
     "{none=true}",
     "ok"},
    {"{book={bid=100, ask=101}}, {order={}}, {message={topic='t', from='me', data={n=98, "
     "list={'a', 'b\"c'}}}}, "
     "{said='me 98 b\"c'}, {amend={price=98}}",
     "ok"},
    {"{wait='2s'}, {said='alert warn: slow'}", "ok"},
    {"{wait='2s'}, {said='published p {\"n\":1}'}", "ok"},
    {"{wait='2s'}, {said='fast'}", "step 2, said: expected \"fast\" to be said; said was: "
                                   "published p {\"n\":1}\nalert warn: slow\npublished "
                                   "p {\"n\":1}\nalert warn: slow\n"},
    {"{limit={max_order_qty=0.5}}, {book={bid=100, ask=101}}, {none=true}, {said='MAX_ORDER_QTY'}",
     "ok"},
    {"{reject=true}, {book={bid=100, ask=101}}, {order={}}, {position=0}, {book={bid=100, "
     "ask=101}}, {order={}}, "
     "{fill={}}",
     "ok"},
    {"{book={bid=100, ask=101}}, {fill={}}, {reload=true}, {said='reloaded 1'}, {stop=true}, "
     "{said='stopped'}",
     "ok"},
    {"{book={state='STALE'}}, {said='STALE'}", "ok"},
    {"{trade={price=201}}", "step 1, trade: the script was quarantined: dip.lua:5: too high"},
    {"{settings=1}",
     "step 1: expected one of book trade fill wait message limit reject reload stop order cancel "
     "amend none said position state"},
    {"{book={bidd=1}}", "step 1, book: unknown member \"bidd\""},
    {"{book={bid=1.234567}}", "step 1, book: bid: expected a number with at most 2 decimals"},
    {"{book={symbol='X'}}", "step 1, book: no instrument */X in this test"},
    {"{wait='soon'}", "step 1, wait: expected a duration such as \"500ms\" or \"2s\""},
    {"{limit={max_ordr=1}}", "step 1, limit: 'max_ordr' is no limit"},
    {"{trade={}}", "step 1, trade: price: missing"},
    {"{fill={side='by'}}", "step 1, fill: side: expected \"buy\" or \"sell\""},
};

Test(author, steps_of_tests_do_and_compare_what_they_say)
{
    char path[200], tests[200];
    struct text lua, out;
    struct why why;
    cr_assert_not_null(mkdtemp(folder));
    put("dip.lua", script, path, sizeof path);
    text_init(&lua);
    text_init(&out);
    text_say(&lua, "return {script='dip.lua', tests={\n");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        text_say(&lua, "{'%zu', %s},\n", i, cases[i].steps);
    text_say(&lua, "}}");
    put("dip_test.lua", text_cstr(&lua), tests, sizeof tests);
    cr_assert_eq(script_tests_run(tests, told, &out, &why), WEIR_OK, "%s", why.text);
    char *rest = strdup(text_cstr(&out)), *all = rest;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char name[16], *next;
        snprintf(name, sizeof name, "%zu: ", i);
        cr_assert(strncmp(rest, name, strlen(name)) == 0, "%s", rest);
        rest += strlen(name);
        snprintf(name, sizeof name, "\n%zu: ", i + 1);
        if ((next = strstr(rest, name)))
            *next++ = '\0';
        cr_expect(strncmp(rest, cases[i].told, strlen(cases[i].told)) == 0, "%s:\n  %s\n  %s",
                  cases[i].steps, rest, cases[i].told);
        rest = next;
    }
    free(all);
    text_fini(&lua);
    text_fini(&out);
    unlink(path);
    unlink(tests);
    rmdir(folder);
    script_thread_fini();
}

Test(author, a_file_of_tests_that_is_wrong_is_refused)
{
    static const struct {
        const char *lua, *why;
    } files[] = {
        {"return {", "x_test.lua:1:"},
        {"error('mine')", "x_test.lua:1: mine"},
        {"return 5", "expected a table {script=, settings=, instruments=, tests={...}}"},
        {"return {tests={}}", "script is missing"},
        {"return {script='x.lua'}", "tests is missing"},
        {"return {script='x.lua', tests={{'a'}}}", "x.lua: No such file"},
        {"return {script='x.lua', test={}}", "expected a table"},
        {"return {script='x.lua', tests={function() end}}", "a function is not plain data"},
        {"return {script='x.lua', instruments={{tick=0}}, tests={{'a'}}}",
         "tick and step are numbers above 0"},
    };
    char path[200];
    struct why why;
    struct text out;
    snprintf(folder, sizeof folder, "%s", BUILD_DIR "/author-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        put("x_test.lua", files[i].lua, path, sizeof path);
        text_init(&out);
        cr_expect_neq(script_tests_run(path, told, &out, &why), WEIR_OK, "%s", files[i].lua);
        cr_expect(strstr(why.text, files[i].why), "%s: %s", files[i].lua, why.text);
        text_fini(&out);
    }
    unlink(path);
    rmdir(folder);
    script_thread_fini();
}
