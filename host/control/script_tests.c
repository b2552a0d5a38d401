/* script_tests.c - runs tables of tests against a pretend market.
 *
 *     return {
 *         script = "dip.lua",                         -- beside this file
 *         settings = {qty = 0.01},                    -- of all tests
 *         instruments = {{venue = "sim", symbol = "BTC-USD", tick = 0.01, step = 0.0001}},
 *         tests = {
 *             {"buys at the bid when the spread is wide",
 *                 {book = {bid = 100, ask = 110}},
 *                 {order = {side = "buy", price = 100}}, {none = true}},
 *         },
 *     }
 *
 * Each test has a market of its own. A step with one of the words of `does` makes something happen; one with
 * a word of `expects` compares: only the members that are given, numbers to nine digits. */
#include "control/script_tests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/script_steps.h"

enum { INSTRUMENTS_MAX = 64 };

static bool read_instrument(const cJSON *item, struct pretend_instrument *is, struct why *why)
{
    static const char *const keys[] = {"venue", "symbol", "tick", "step", "base", "quote", NULL};
    const cJSON *tick = json_get(item, "tick"), *step = json_get(item, "step");
    if (json_only(item, keys, why))
        return false;
    memset(is, 0, sizeof *is);
    snprintf(is->venue, sizeof is->venue, "%s", json_text(item, "venue", "sim"));
    snprintf(is->symbol, sizeof is->symbol, "%s", json_text(item, "symbol", "BTC-USD"));
    snprintf(is->base, sizeof is->base, "%s", json_text(item, "base", "BASE"));
    snprintf(is->quote, sizeof is->quote, "%s", json_text(item, "quote", "USD"));
    is->price_exp = tick ? 0 : 2;
    is->qty_exp = step ? 0 : 4;
    is->tick = is->step = 1;
    while (tick && is->price_exp < 12 && !step_count(tick, is->price_exp, &is->tick))
        is->price_exp++;
    while (step && is->qty_exp < 12 && !step_count(step, is->qty_exp, &is->step))
        is->qty_exp++;
    return is->tick > 0 && is->step > 0
               ? true
               : (because(why, WEIR_E_BAD_CONFIG, "instruments: tick and step are numbers above 0"),
                  false);
}

static const struct pretend_instrument usual[] = {
    {"sim", "BTC-USD", "BTC", "USD", 2, 4, 1, 1},
    {"sim", "ETH-USD", "ETH", "USD", 2, 3, 1, 1},
    {"sim", "SOL-USD", "SOL", "USD", 3, 2, 1, 1},
};

/* Settings of a test stand over those of the file. */
static cJSON *settings_of(const cJSON *file, const cJSON *test)
{
    cJSON *both = cJSON_Duplicate(json_get(file, "settings"), true);
    const cJSON *own = json_get(test, "settings"), *item;
    if (!both)
        both = cJSON_CreateObject();
    cJSON_ArrayForEach(item, own)
    {
        cJSON_DeleteItemFromObjectCaseSensitive(both, item->string);
        cJSON_AddItemToObject(both, item->string, cJSON_Duplicate(item, true));
    }
    return both;
}

struct file {
    const cJSON *root;
    char script[512];
    struct pretend_instrument instruments[INSTRUMENTS_MAX];
    size_t instrument_count;
};

/* A test is a list: its name and steps; or a map {name=, settings=, steps={...}}. */
static enum weir_err run_test(const struct file *file, const cJSON *test, struct test_run *run,
                              struct why *why)
{
    cJSON *settings = settings_of(file->root, cJSON_IsObject(test) ? test : NULL);
    const cJSON *list = cJSON_IsObject(test) ? json_get(test, "steps") : test, *step;
    enum weir_err err = loose_read(file->script, settings, &run->loose, why);
    int number = 0;
    if (!err) {
        run->pretend =
            pretend_create(file->instruments, file->instrument_count, run->loose.config.name);
        err = run->pretend ? pretend_script(run->pretend, &run->loose.config, why)
                           : because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
    }
    bool goes_on = !err && step_script_runs(run);
    cJSON_ArrayForEach(step, list) if (goes_on && !cJSON_IsString(step)) goes_on =
        step_take(run, step, ++number);
    pretend_destroy(run->pretend);
    if (!err)
        loose_free(&run->loose);
    cJSON_Delete(settings);
    return err;
}

static const char *name_of(const cJSON *test)
{
    const cJSON *first = cJSON_IsArray(test) ? test->child : json_get(test, "name");
    return cJSON_IsString(first) ? first->valuestring : "a test without a name";
}

static enum weir_err read_file(const char *path, const cJSON *root, struct file *file,
                               struct why *why)
{
    static const char *const keys[] = {"script", "settings", "instruments", "tests", NULL};
    const char *slash = strrchr(path, '/'), *script = json_text(root, "script", NULL);
    const cJSON *item;
    file->root = root;
    if (!cJSON_IsObject(root) || json_only(root, keys, why))
        return because(why, WEIR_E_BAD_CONFIG,
                       "%s: expected a table {script=, settings=, instruments=, tests={...}}",
                       path);
    if (!script || !cJSON_IsArray(json_get(root, "tests")))
        return because(why, WEIR_E_BAD_CONFIG, "%s: %s is missing", path,
                       script ? "tests" : "script");
    snprintf(file->script, sizeof file->script, "%.*s%s",
             slash && script[0] != '/' ? (int)(slash - path + 1) : 0, path, script);
    cJSON_ArrayForEach(item,
                       json_get(root, "instruments")) if (file->instrument_count < INSTRUMENTS_MAX)
    {
        if (!read_instrument(item, &file->instruments[file->instrument_count++], why))
            return while_doing(why, "%s", path), WEIR_E_BAD_CONFIG;
    }
    if (file->instrument_count == 0) {
        memcpy(file->instruments, usual, sizeof usual);
        file->instrument_count = sizeof usual / sizeof usual[0];
    }
    return WEIR_OK;
}

static enum weir_err run_all(const char *path, const cJSON *root, struct file *file,
                             struct test_run *run,
                             void (*told)(void *context, const struct script_test_result *result),
                             void *context, struct why *why)
{
    enum weir_err err = read_file(path, root, file, why);
    const cJSON *test, *tests = json_get(root, "tests");
    if (err)
        return err;
    cJSON_ArrayForEach(test, tests)
    {
        memset(run, 0, sizeof *run);
        err = run_test(file, test, run, why);
        if (err)
            return err;
        const struct script_test_result result = {name_of(test), run->fault[0] ? run->fault : NULL};
        told(context, &result);
    }
    return WEIR_OK;
}

enum weir_err script_tests_run(const char *path,
                               void (*told)(void *context, const struct script_test_result *result),
                               void *context, struct why *why)
{
    struct script_source source;
    struct text json;
    enum weir_err err = script_source_read(path, &source, why);
    if (err)
        return err;
    text_init(&json);
    err = script_evaluate(&source, &json, why);
    cJSON *root = err ? NULL : json_read(text_cstr(&json), json.len, why);
    struct file *file = calloc(1, sizeof *file);
    struct test_run *run = calloc(1, sizeof *run);
    if (!err && !root)
        err = why->err;
    else if (!err && (!file || !run))
        err = because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
    if (!err && file && run)
        err = run_all(path, root, file, run, told, context, why);
    free(run);
    free(file);
    cJSON_Delete(root);
    text_fini(&json);
    free((char *)(uintptr_t)source.text);
    return err;
}
