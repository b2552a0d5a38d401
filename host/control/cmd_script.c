/* cmd_script.c - `weir script`: what an author does before a script stands in a configuration. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/commands.h"
#include "control/loose.h"
#include "control/repl.h"
#include "control/script_tests.h"

static const char help[] =
    "usage: weir script new NAME\n"
    "       weir script check [--json] FILE.lua...\n"
    "       weir script test [--json] FILE_test.lua...\n"
    "       weir script repl [OPTION...]\n\n"
    "  new    writes NAME.lua, a strategy that works, and NAME_test.lua, its tests\n"
    "  check  finds what can be found without running: syntax, names that nobody has (of globals, "
    "of\n"
    "         functions, events and members), a declaration of settings that is wrong\n"
    "  test   runs tables of tests against a pretend market, on virtual time\n"
    "  repl   Lua by the line, in a running host or a recording; see `weir script repl --help`\n\n"
    "Exit: 0 ok, 1 the answer is no, 2 wrong usage or bad input.\n";

/* --- new ------------------------------------------------------------------------------------------- */

static const char script_template[] =
    "-- @: buys a little when the price is well below its mean, and sells it when it is back.\n"
    "\n"
    "local settings = weir.declare{\n"
    "    venue = {type = \"text\", default = \"sim\", doc = \"where\"},\n"
    "    symbol = {type = \"text\", default = \"BTC-USD\", doc = \"which instrument\"},\n"
    "    qty = {type = \"number\", min = 0, default = 0.01, doc = \"how much at once\"},\n"
    "    dip_bps = {type = \"number\", min = 0, default = 2, doc = \"how far below the mean to "
    "buy\"},\n"
    "    length = {type = \"integer\", min = 1, default = 50, doc = \"books in the mean\"},\n"
    "}\n"
    "\n"
    "local stats = weir.import(\"stats\")\n"
    "local mean = stats.sma(settings.length)\n"
    "\n"
    "weir.subscribe{venue = settings.venue, symbol = settings.symbol, what = \"book\"}\n"
    "\n"
    "local function order(side, price)\n"
    "    local id, err = weir.submit{venue = settings.venue, symbol = settings.symbol, side = "
    "side,\n"
    "                                type = \"limit\", price = price, qty = settings.qty, tif = "
    "\"ioc\"}\n"
    "    if not id then weir.log(side .. \" refused: \" .. tostring(err)) end\n"
    "end\n"
    "\n"
    "weir.on(\"book\", function(book)\n"
    "    if not book.bid or not book.ask then return end\n"
    "    local middle = (book.bid + book.ask) / 2\n"
    "    local usual = mean:add(middle)\n"
    "    if not usual or #weir.orders{} > 0 then return end\n"
    "    local held = weir.position(settings.venue, settings.symbol).qty\n"
    "    if held <= 0 and middle < usual * (1 - settings.dip_bps / 10000) then\n"
    "        order(\"buy\", book.ask)\n"
    "    elseif held > 0 and middle >= usual then\n"
    "        order(\"sell\", book.bid)\n"
    "    end\n"
    "end)\n"
    "\n"
    "weir.on(\"fill\", function(fill)\n"
    "    weir.state.fills = (weir.state.fills or 0) + 1 -- survives a reload\n"
    "    weir.log(fill.side .. \" \" .. fill.fill_qty .. \" at \" .. fill.fill_price)\n"
    "end)\n";

static const char test_template[] =
    "-- Tests of @.lua: `weir script test @_test.lua`. Each has a market of its own; a step makes\n"
    "-- something happen (book trade fill wait message limit reject reload stop) or compares what "
    "came\n"
    "-- of it (order cancel amend none said position state).\n"
    "return {\n"
    "    script = \"@.lua\",\n"
    "    settings = {length = 2, qty = 0.5, dip_bps = 100},\n"
    "    tests = {\n"
    "        {\"waits until the mean is known\",\n"
    "            {book = {bid = 99, ask = 101}}, {none = true}},\n"
    "        {\"buys a dip and sells when the price is back\",\n"
    "            {book = {bid = 99, ask = 101}},\n"
    "            {book = {bid = 89, ask = 91}},\n"
    "            {order = {side = \"buy\", price = 91, qty = 0.5, tif = \"ioc\"}},\n"
    "            {fill = {}},\n"
    "            {said = \"buy 0.5 at 91\"}, {position = 0.5}, {state = {fills = 1}},\n"
    "            {book = {bid = 99, ask = 101}},\n"
    "            {order = {side = \"sell\", price = 99}}, {fill = {}}, {position = 0}},\n"
    "        {\"says why it was refused\",\n"
    "            {limit = {max_order_qty = 0.1}},\n"
    "            {book = {bid = 99, ask = 101}}, {book = {bid = 89, ask = 91}},\n"
    "            {none = true}, {said = \"MAX_ORDER_QTY\"}},\n"
    "    },\n"
    "}\n";

static int write_new(const char *path, const char *text, const char *name)
{
    FILE *out = fopen(path, "wx");
    if (!out)
        return usage_error("script new", "%s: %m", path);
    for (const char *at = text; *at; at++) /* @ stands for the name */
        if (*at == '@')
            fputs(name, out);
        else
            fputc(*at, out);
    if (fclose(out) != 0)
        return usage_error("script new", "%s: %m", path);
    printf("%s\n", path);
    return EXIT_OK;
}

static int script_new(int argc, char **argv)
{
    char script[512], test[512];
    if (argc != 2)
        return usage_error("script new", "expected one name");
    const char *slash = strrchr(argv[1], '/'), *name = slash ? slash + 1 : argv[1];
    if (!*name || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(name) ||
        strlen(name) > 24)
        return usage_error(
            "script new",
            "'%s': expected a name of 1 to 24 of a-z, 0-9 and _, with a folder before it if "
            "need be",
            name);
    snprintf(script, sizeof script, "%s.lua", argv[1]);
    snprintf(test, sizeof test, "%s_test.lua", argv[1]);
    if (access(test, F_OK) == 0)
        return usage_error("script new", "%s: is there already", test);
    int code = write_new(script, script_template, name);
    if (code == EXIT_OK)
        code = write_new(test, test_template, name);
    if (code == EXIT_OK)
        printf("next: weir script check %s; weir script test %s; weir try %s --for 60s\n", script,
               test, script);
    return code;
}

/* --- check ----------------------------------------------------------------------------------------- */

struct checking {
    struct text json;
    bool quiet;
    size_t count;
};

static void found(struct checking *checking, const char *text)
{
    checking->count++;
    json_string(&checking->json, text);
    if (!checking->quiet)
        printf("%s\n", text);
}

/* "  12 | the line", or nothing. */
static void line_of(const struct script_source *source, int number, char *out, size_t room)
{
    const char *at = source->text, *end = at + source->len;
    for (; number > 1 && at < end; number--) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        at = newline ? newline + 1 : end;
    }
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    at += strspn(at, " \t");
    size_t len = newline && newline > at ? (size_t)(newline - at) : (size_t)(end - at);
    snprintf(out, room, "%.*s", (int)(len < 120 ? len : 120), at);
}

static void check_one(struct checking *checking, const char *path)
{
    struct loose loose;
    struct why why;
    char text[900], line[160];
    enum weir_err err = loose_read(path, NULL, &loose, &why);
    if (err) {
        found(checking, why.text);
        return;
    }
    for (size_t i = 0; i < loose.lint.count; i++) {
        const struct script_finding *finding = &loose.lint.findings[i];
        line_of(&loose.source, finding->line, line, sizeof line);
        snprintf(text, sizeof text, "%s:%d: %s\n%6d | %s", path, finding->line, finding->text,
                 finding->line, line);
        found(checking, text);
    }
    if (script_check_settings(&loose.config, &why))
        found(checking, why.text);
    loose_free(&loose);
}

static int script_check_files(int argc, char **argv, bool json)
{
    struct checking checking = {.quiet = json};
    text_init(&checking.json);
    json_array(&checking.json);
    for (int i = 0; i < argc; i++)
        check_one(&checking, argv[i]);
    json_end(&checking.json);
    if (json)
        printf("{\"ok\":%s,\"findings\":%s}\n", checking.count ? "false" : "true",
               text_cstr(&checking.json));
    else if (checking.count == 0)
        printf("ok: %d file%s\n", argc, argc == 1 ? "" : "s");
    text_fini(&checking.json);
    script_thread_fini();
    return checking.count ? EXIT_NO : EXIT_OK;
}

/* --- test ------------------------------------------------------------------------------------------ */

struct testing {
    struct text json;
    const char *path;
    bool quiet;
    size_t passed, failed;
};

static void tested(void *context, const struct script_test_result *result)
{
    struct testing *testing = context;
    testing->passed += result->fault == NULL;
    testing->failed += result->fault != NULL;
    json_object(&testing->json);
    json_key(&testing->json, "file");
    json_string(&testing->json, testing->path);
    json_key(&testing->json, "name");
    json_string(&testing->json, result->name);
    json_key(&testing->json, "passed");
    json_bool(&testing->json, result->fault == NULL);
    json_key(&testing->json, "fault");
    json_string(&testing->json, result->fault ? result->fault : "");
    json_end(&testing->json);
    if (!testing->quiet)
        printf("%s %s%s%s\n", result->fault ? "FAIL" : "PASS", result->name,
               result->fault ? ": " : "", result->fault ? result->fault : "");
}

static int script_test_files(int argc, char **argv, bool json)
{
    struct testing testing = {.quiet = json};
    struct why why;
    enum weir_err err = WEIR_OK;
    text_init(&testing.json);
    json_array(&testing.json);
    for (int i = 0; i < argc && !err; i++) {
        testing.path = argv[i];
        err = script_tests_run(argv[i], tested, &testing, &why);
    }
    json_end(&testing.json);
    if (!err && json)
        printf("{\"tests\":%s,\"passed\":%zu,\"failed\":%zu}\n", text_cstr(&testing.json),
               testing.passed, testing.failed);
    else if (!err)
        printf("%zu passed, %zu failed\n", testing.passed, testing.failed);
    text_fini(&testing.json);
    script_thread_fini();
    return err ? usage_error("script test", "%s", why.text) : testing.failed ? EXIT_NO : EXIT_OK;
}

/* --- the verb ---------------------------------------------------------------------------------------- */

static int with_files(const char *verb, int argc, char **argv, int (*run)(int, char **, bool))
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
    bool json = false;
    for (int c; (c = getopt_long(argc, argv, "jh", options, NULL)) != -1;) {
        if (c == 'h') {
            fputs(help, stdout);
            return EXIT_OK;
        }
        if (c != 'j')
            return usage_error(verb, "see `weir script --help`");
        json = true;
    }
    if (optind == argc)
        return usage_error(verb, "expected at least one file");
    return run(argc - optind, argv + optind, json);
}

int cmd_script(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "--help") == 0 || strcmp(what, "-h") == 0) {
        fputs(help, stdout);
        return EXIT_OK;
    }
    if (strcmp(what, "new") == 0 && !(argc > 2 && argv[2][0] == '-'))
        return script_new(argc - 1, argv + 1);
    if (strcmp(what, "check") == 0)
        return with_files("script check", argc - 1, argv + 1, script_check_files);
    if (strcmp(what, "test") == 0)
        return with_files("script test", argc - 1, argv + 1, script_test_files);
    if (strcmp(what, "repl") == 0)
        return script_repl(argc - 1, argv + 1);
    return usage_error("script", "expected new, check, test or repl; see `weir script --help`");
}
