/* scenario_test.c - the stories pass, a story that is told wrong fails, and one that cannot be
 * understood is refused with its place.
 *
 * Our own stories are in tests/scenario; those of the shared folder are played when it is there. */
#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "sim/scenario.h"

static glob_t files_in(const char *folder, const char *below, const char *names)
{
    char pattern[1024];
    glob_t files;
    (void)snprintf(pattern, sizeof pattern, "%s%s/%s", folder, below, names);
    if (glob(pattern, 0, NULL, &files) != 0)
        files.gl_pathc = 0;
    return files;
}

static cJSON *read_story(const char *path)
{
    struct why why;
    cJSON *story = scenario_read(path, &why);
    cr_assert_not_null(story, "%s", why.text);
    return story;
}

static void all_pass(glob_t *files)
{
    for (size_t i = 0; i < files->gl_pathc; i++) {
        struct why why;
        struct scenario_result result;
        cJSON *story = read_story(files->gl_pathv[i]);
        cr_expect_eq(scenario_run(story, &result, &why), WEIR_OK, "%s", why.text);
        cr_expect(result.passed, "%s: %s", files->gl_pathv[i], text_cstr(&result.failures));
        text_fini(&result.failures);
        cJSON_Delete(story);
    }
    globfree(files);
}

Test(scenario, our_own_stories_pass)
{
    glob_t files = files_in(SOURCE_DIR, "/tests/scenario", "*.json");
    cr_assert_geq(files.gl_pathc, 10);
    all_pass(&files);
}

Test(scenario, the_shared_stories_pass)
{
    const char *shared = getenv("WEIR_SHARED");
    glob_t files = files_in(shared ? shared : SOURCE_DIR "/../shared", "/scenarios", "S*.json");
    if (files.gl_pathc == 0)
        cr_skip_test("needs the shared folder");
    all_pass(&files);
}

/* --- each expectation matters ------------------------------------------------------------------ */

static cJSON *other_value(const cJSON *leaf)
{
    if (cJSON_IsBool(leaf))
        return cJSON_CreateBool(!cJSON_IsTrue(leaf));
    if (cJSON_IsString(leaf))
        return cJSON_CreateString("77777.5");
    struct why why;
    cJSON *list = json_read("[987654]", 8, &why), *number = cJSON_DetachItemFromArray(list, 0);
    cJSON_Delete(list);
    return number;
}

/* An alert that was wanted is now not wanted, or the other way round. */
static void turn_alert(cJSON *expect, cJSON *list, cJSON *name)
{
    const char *to = strcmp(list->string, "alerts") == 0 ? "no_alerts" : "alerts";
    cJSON *others = cJSON_GetObjectItemCaseSensitive(expect, to);
    if (!others)
        others = cJSON_AddArrayToObject(expect, to);
    cJSON_AddItemToArray(others, cJSON_DetachItemViaPointer(list, name));
}

/* Make the leaf number *left below `parent` another one; its name for the message. False: not here. */
static bool change_below(cJSON *expect, cJSON *parent, int *left, char word[64])
{
    for (cJSON *item = parent->child; item; item = item->next) {
        if (cJSON_IsObject(item) || cJSON_IsArray(item)) {
            if (change_below(expect, item, left, word))
                return true;
            continue;
        }
        if ((*left)-- > 0)
            continue;
        (void)snprintf(word, 64, "%s", cJSON_IsArray(parent) ? item->valuestring : item->string);
        if (cJSON_IsArray(parent))
            turn_alert(expect, parent, item);
        else
            cJSON_ReplaceItemInObjectCaseSensitive(parent, word, other_value(item));
        return true;
    }
    return false;
}

/* In the checks on the way, and at the end. */
static bool change_leaf(cJSON *story, int number, char word[64])
{
    cJSON *step, *steps = cJSON_GetObjectItemCaseSensitive(story, "steps");
    cJSON *expect = cJSON_GetObjectItemCaseSensitive(story, "expect");
    cJSON_ArrayForEach(step, steps)
    {
        cJSON *check = cJSON_GetObjectItemCaseSensitive(step, "check");
        if (check && change_below(check, check, &number, word))
            return true;
    }
    return change_below(expect, expect, &number, word);
}

static bool fails_when_changed(const char *path, int number)
{
    struct why why;
    struct scenario_result result;
    char word[64];
    cJSON *story = read_story(path);
    bool is_there = change_leaf(story, number, word);
    if (is_there) {
        cr_assert_eq(scenario_run(story, &result, &why), WEIR_OK, "%s", why.text);
        cr_expect(!result.passed && strstr(text_cstr(&result.failures), word),
                  "%s: expectation %d (%s) is another one, and: %s", path, number, word,
                  result.passed ? "it passes" : text_cstr(&result.failures));
        text_fini(&result.failures);
    }
    cJSON_Delete(story);
    return is_there;
}

static int each_leaf(glob_t *files)
{
    int leaves = 0;
    for (size_t i = 0; i < files->gl_pathc; i++)
        for (int number = 0; fails_when_changed(files->gl_pathv[i], number); number++)
            leaves++;
    globfree(files);
    return leaves;
}

Test(scenario, a_story_fails_when_any_of_its_expectations_is_another, .timeout = 280)
{
    glob_t files = files_in(SOURCE_DIR, "/tests/scenario", "*.json");
    cr_expect_gt(each_leaf(&files), 300);
}

Test(scenario, and_so_does_a_shared_one, .timeout = 280)
{
    const char *shared = getenv("WEIR_SHARED");
    glob_t files = files_in(shared ? shared : SOURCE_DIR "/../shared", "/scenarios", "S*.json");
    if (files.gl_pathc == 0)
        cr_skip_test("needs the shared folder");
    cr_expect_gt(each_leaf(&files), 0);
}

/* --- what is not a story ----------------------------------------------------------------------- */

#define STEPS                                                                                \
    "[{\"t\":0,\"do\":\"submit\",\"order\":{\"cid\":\"c1\",\"instrument\":\"A-U\","          \
    "\"side\":\"buy\",\"qty\":\"1\",\"type\":\"limit\",\"price\":\"2\",\"tif\":\"GTC\"}},\n" \
    "{\"t\":5,\"ev\":\"ack\",\"cid\":\"c1\",\"vid\":\"v\"}]"
#define STORY                                                                                   \
    "{\"format\":1,\"id\":\"X\",\"title\":\"t\",\"tags\":[],\n"                                 \
    "\"instruments\":{\"A-U\":{\"kind\":\"spot\",\"base\":\"A\",\"quote\":\"U\"}},\n"           \
    "\"balances\":{\"U\":\"10\"},\"limits\":{\"*\":{\"max_open_orders\":3}},\n\"steps\":" STEPS \
    ",\n\"expect\":{\"orders\":{\"c1\":{\"state\":\"OPEN\",\"awaiting_fills\":false}}}}\n"

static const struct {
    const char *what, *from, *to, *said;
} bad[] = {
    {"an unknown key", "\"tags\":[]", "\"tags\":[],\"more\":1", "more: unknown key"},
    {"one in an order", "\"tif\":\"GTC\"", "\"tif\":\"GTC\",\"tick\":\"1\"",
     "steps[0].order.tick: unknown key"},
    {"one in what is expected", "\"state\":\"OPEN\"", "\"status\":\"OPEN\"",
     "expect.orders.c1.status: unknown key"},
    {"a missing key", "\"title\":\"t\",", "", "title: missing"},
    {"one of an order", "\"side\":\"buy\",", "", "steps[0].order.side: missing"},
    {"one of an instrument", "\"kind\":\"spot\",", "", "instruments.A-U.kind: missing"},
    {"one that this kind of step needs", "\"cid\":\"c1\",\"vid\"", "\"vid\"",
     "steps[1].cid: missing for 'ack'"},
    {"a text for a number", "\"t\":5", "\"t\":\"5\"", "steps[1].t: expected a whole number"},
    {"a part of a number", "\"t\":5", "\"t\":5.5", "steps[1].t: expected a whole number"},
    {"a number for a decimal", "\"qty\":\"1\"", "\"qty\":1",
     "steps[0].order.qty: expected a decimal in a string, found the number 1"},
    {"a list for an object", "\"limits\":{\"*\":{\"max_open_orders\":3}}", "\"limits\":[]",
     "limits: expected an object, found a list"},
    {"a text for a flag", "\"awaiting_fills\":false", "\"awaiting_fills\":\"no\"",
     "expect.orders.c1.awaiting_fills: expected true or false, found \"no\""},
    {"a word that is none", "\"side\":\"buy\"", "\"side\":\"bid\"",
     "steps[0].order.side: expected buy sell, found \"bid\""},
    {"an event that is none", "\"ev\":\"ack\"", "\"ev\":\"nack\"", "steps[1].ev: expected ack"},
    {"an exponent", "\"price\":\"2\"", "\"price\":\"2e1\"",
     "steps[0].order.price: expected a decimal in a string, found \"2e1\""},
    {"nothing", "\"price\":\"2\"", "\"price\":\"\"", "steps[0].order.price: expected a decimal"},
    {"two points", "\"price\":\"2\"", "\"price\":\"2.0.0\"", "steps[0].order.price: expected"},
    {"a plus", "\"price\":\"2\"", "\"price\":\"+2\"", "steps[0].order.price: expected a decimal"},
    {"nineteen places", "\"U\":\"10\"", "\"U\":\"0.0000000000000000001\"",
     "balances.U: expected a decimal in a string"},
    {"time that goes back", "\"t\":0", "\"t\":7", "steps[1].t: time goes back, from 7 to 5"},
    {"two things at once", "\"ev\":\"ack\"", "\"ev\":\"ack\",\"do\":\"kill\"",
     "steps[1]: expected exactly one of do, ev, check, found 2"},
    {"nothing to do", "\"ev\":\"ack\",", "",
     "steps[1]: expected exactly one of do, ev, check, found 0"},
    {"no steps", STEPS, "[]", "steps: expected at least one"},
    {"another format", "\"format\":1", "\"format\":2", "format: expected 1, found 2"},
    {"not JSON", "\"format\":1,", "\"format\":1", "1:12: "},
    {"cut off", "}}}}\n", "}}}", "6:"},
    {"a key twice", "\"id\":\"X\"", "\"id\":\"X\",\"id\":\"Y\"", "1:"},
    {"a list", STORY, "[1]", "expected an object, found a list"},
    {"an empty file", STORY, "", "1:1: "},
};

static void write_story(const char *path, const char *from, const char *to)
{
    FILE *file = fopen(path, "w");
    const char *at = strstr(STORY, from);
    cr_assert(file && at);
    (void)fwrite(STORY, 1, (size_t)(at - STORY), file);
    (void)fputs(to, file);
    (void)fputs(at + strlen(from), file);
    cr_assert_eq(fclose(file), 0);
}

Test(scenario, what_is_not_a_story_is_refused_with_its_place)
{
    char path[] = "/tmp/weir-story-XXXXXX";
    struct why why;
    int file = mkstemp(path);
    cr_assert_geq(file, 0);
    (void)close(file);
    write_story(path, STORY, STORY);
    cJSON_Delete(read_story(path));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        write_story(path, bad[i].from, bad[i].to);
        cJSON *story = scenario_read(path, &why);
        cr_expect_null(story, "%s: it was read", bad[i].what);
        if (!story)
            cr_expect(strstr(why.text, bad[i].said) && strstr(why.text, path), "%s: %s",
                      bad[i].what, why.text);
        cJSON_Delete(story);
    }
    (void)unlink(path);
    cr_expect_null(scenario_read(path, &why), "a file that is not there was read");
    cr_expect(strstr(why.text, path), "%s", why.text);
}
