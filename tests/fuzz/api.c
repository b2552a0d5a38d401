/* api.c - any arguments to any function of `weir`: a clear answer each time.
 *
 * The bytes choose functions of the reference, and for each its arguments: of all types, at the edges, tables
 * with the members that it knows, with others, with metatables. A script calls them. Each call must give
 * values; or nil and an error table with a code, a message and a text; or raise an error that is a text.
 * Nothing else may come of it, and what reaches the host is whole. */
#include <stdio.h>

#include "base/text.h"
#include "base/utf8.h"
#include "fuzz/fuzz_engine.h"
#include "script/reference.h"
#include "script/script.h"

static const char *const values[] = {
    "nil",
    "true",
    "false",
    "0",
    "1",
    "-1",
    "2",
    "1000000",
    "1000000000",
    "0.5",
    "-0.0",
    "50000",
    "50000.05",
    "0.01",
    "0.001",
    "1e308",
    "-1e308",
    "1e-320",
    "0/0",
    "1/0",
    "-1/0",
    "math.mininteger",
    "math.maxinteger",
    "2^53",
    "''",
    "'sim'",
    "'BTC-USD'",
    "'btc-usd'",
    "'USD'",
    "'buy'",
    "'SELL'",
    "'limit'",
    "'market'",
    "'stop'",
    "'trailing'",
    "'iceberg'",
    "'gtc'",
    "'IOC'",
    "'book'",
    "'bar'",
    "'start'",
    "'message'",
    "'warn'",
    "'1m'",
    "'5x'",
    "'x'",
    "'\\0'",
    "'sim\\0'",
    "('y'):rep(70)",
    "('z'):rep(5000)",
    "'\\255\\254'",
    "'k-1'",
    "known",
    "{}",
    "{1, 2, 3}",
    "{'book', 'trade'}",
    "{'book', {}}",
    "{venue = 'sim', symbol = 'BTC-USD'}",
    "deep",
    "{[1.5] = 1}",
    "{[{}] = 1}",
    "print",
    "function() end",
    "function() error({}) end",
    "coroutine.create(print)",
    "weir",
    "weir.settings",
    "weir.state",
    "weir.dec('1')",
    "weir.dec('50000.05')",
    "weir.dec('-0.000000000000000001')",
    "setmetatable({}, {__index = function() error('asked') end, __pairs = error})",
    "setmetatable({}, {__tostring = function() return 5 end})",
    "setmetatable({}, {__len = error, __eq = error, __name = 'x', __metatable = 1})",
    "weir.now()",
    "weir.now() + 1",
    "_G"};
enum { VALUES = sizeof values / sizeof values[0], CALLS_MOST = 24 };

static const char prelude[] = "local known = weir.submit{venue='sim', symbol='BTC-USD', "
                              "side='buy', type='limit', price=50000, qty=1, tif='gtc'}\n"
                              "local deep = {} for i = 1, 40 do deep = {deep} end\n"
                              "local function judge(name, ok, a, b)\n"
                              " if not ok then if type(a) ~= 'string' or #a == 0 then error(name "
                              ".. ' raises no text', 0) end return end\n"
                              " if a ~= nil or b == nil then return end\n"
                              " if type(b) ~= 'table' or type(b.code) ~= 'string' or #b.code == 0 "
                              "or type(b.message) ~= 'string' or #b.message == 0 or "
                              "type(b.scope) ~= 'string' or #tostring(b) < #b.code then error(name "
                              ".. ' gives no clear error', 0) end\nend\n";

/* --- the host's side ------------------------------------------------------------------------------- */

static weir_ns world_now(void *context)
{
    (void)context;
    return now;
}

static bool ended(const char *text, size_t room)
{
    return memchr(text, '\0', room) != NULL;
}

static void check_line(const char *line)
{
    for (size_t i = 0, step, len = strlen(line); i < len; i += step) {
        step = utf8_char(line + i, len - i);
        CHECK(step > 0 && (unsigned char)line[i] >= 0x20 && line[i] != 0x7f);
    }
}

static void world_submit(void *context, struct script *script, const struct in_submit *wish,
                         struct script_answer *answer)
{
    (void)context, (void)script;
    CHECK(wish->msg.instrument == 1 && wish->strategy == 1);
    CHECK(wish->px % 5 == 0 && wish->qty % 10 == 0);
    CHECK(wish->cid[0] && ended(wish->cid, sizeof wish->cid) && ended(wish->tag, sizeof wish->tag));
    answer->accepted = wish->qty > 0;
    if (!answer->accepted)
        script_answer_refuse(answer, "STEP", "");
}

static void world_change(void *context, struct script *script, const struct in_change *wish,
                         struct script_answer *answer)
{
    (void)context, (void)script, (void)answer;
    CHECK(wish->strategy == 1 && ended(wish->cid, sizeof wish->cid));
}

static void world_log(void *context, struct script *script, const char *line)
{
    (void)context, (void)script;
    check_line(line);
}

static void world_alert(void *context, struct script *script, const struct script_alert *alert)
{
    (void)context, (void)script;
    check_line(alert->text);
    CHECK(alert->text[0] && alert->level[0] && strlen(alert->venue) < NAME_MAX_LEN);
}

static void world_publish(void *context, struct script *script,
                          const struct script_message *message)
{
    (void)context, (void)script;
    check_line(message->topic);
    CHECK(message->text[0] == '{' && message->json_len == strlen(message->json));
}

/* --- calls ----------------------------------------------------------------------------------------- */

struct bytes {
    const uint8_t *at, *end;
};

static unsigned take_byte(struct bytes *in)
{
    return in->at < in->end ? *in->at++ : 0;
}

static void say_value(struct bytes *in, struct text *out)
{
    text_say(out, "%s", values[take_byte(in) % VALUES]);
}

/* Some of the members that the class has, and now and then one that it has not. */
static void say_table(const struct reference_class *of, struct bytes *in, struct text *out)
{
    unsigned skip = take_byte(in);
    text_say(out, "{");
    for (const struct reference_field *f = of->fields; f->name;
         f++, skip = skip >> 1 | (skip & 1) << 7)
        if (!(skip & 1)) {
            text_say(out, "%s = ", f->name);
            say_value(in, out);
            text_say(out, ", ");
        }
    if (take_byte(in) % 8 == 0) {
        text_say(out, "nonsense = ");
        say_value(in, out);
    }
    text_say(out, "}");
}

static void say_call(struct bytes *in, struct text *out)
{
    size_t count = 0;
    unsigned table = 0;
    while (reference_functions[count].name)
        count++;
    const struct reference_function *f = &reference_functions[take_byte(in) % count];
    const struct reference_class *of = reference_table_of(f->name, &table);
    unsigned arguments = take_byte(in) % 5;
    text_say(out, "judge('%s', pcall(weir.%s", f->name, f->name);
    for (unsigned i = 0; i < arguments; i++) {
        text_say(out, ", ");
        if (of && i == table && take_byte(in) % 4)
            say_table(of, in, out);
        else
            say_value(in, out);
    }
    text_say(out, "))\n");
}

/* Abandoned by a budget is an end like others; an error that judge() raised is not. */
static void check_end(struct script *script)
{
    struct script_report report;
    script_report(script, &report);
    CHECK(!script_busy(script));
    if (strstr(report.reason, "raises no text") || strstr(report.reason, "no clear error")) {
        fprintf(stderr, "%s\n", report.reason);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bytes in = {data, data + len};
    struct text lua;
    struct why why;
    struct script *script = NULL;
    struct script_world world = {.now = world_now,
                                 .submit = world_submit,
                                 .change = world_change,
                                 .log = world_log,
                                 .alert = world_alert,
                                 .publish = world_publish};
    if (!engine)
        open_engine();
    world.engine = engine;
    text_init(&lua);
    bool loading = take_byte(&in) & 1; /* else in a handler, where orders are taken */
    text_say(&lua, "%s%s", loading ? "" : "weir.on('start', function()\n", prelude);
    for (int i = 0; i < CALLS_MOST && in.at < in.end; i++)
        say_call(&in, &lua);
    text_say(&lua, "%s", loading ? "" : "end)\n");
    struct script_config config = {
        .name = "fuzz",
        .source = {"fuzz", text_cstr(&lua), lua.len},
        .strategy = 1,
        .may_trade = true,
        .order_prefix = "k-",
        .budget = {.load_ns = 20000000, .callback_ns = 20000000, .memory = 4 << 20}};
    CHECK(script_create(&config, &world, &script, &why) == WEIR_OK);
    CHECK(script_outcome(script) != SCRIPT_REFUSED); /* what was written here compiles */
    check_end(script);
    script_start(script);
    check_end(script);
    for (int i = 0; i < 3 && script_next_timer(script) < INT64_MAX; i++) {
        now = script_next_timer(script);
        script_timer(script);
        check_end(script);
    }
    script_stop(script);
    check_end(script);
    script_destroy(script);
    text_fini(&lua);
    return 0;
}
