/* golden_test.c - real recordings, and what an independent program found in them.
 *
 * golden.json was computed by a program that shares nothing with this one. Each fact of it that is
 * about these recordings is looked up in what `weir book` says; one that differs, or is missing, is a
 * failure. What the file holds besides is listed by name. The recordings are not in the tree. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "sim/rebuild.h"

static const char *shared(const char *path)
{
    static char whole[4][1024];
    static unsigned next;
    char *at = whole[next++ % 4];
    const char *folder = getenv("WEIR_SHARED");
    (void)snprintf(at, sizeof whole[0], "%s/%s", folder ? folder : SOURCE_DIR "/../shared", path);
    return at;
}

static cJSON *rebuilt(const char *plugin, const char *path, const char *second)
{
    const char *paths[] = {path, second};
    char file[512];
    struct why why;
    struct text json;
    struct rebuild_totals totals;
    struct rebuild_options options = {.plugin = file, .paths = paths, .path_count = second ? 2 : 1};
    (void)snprintf(file, sizeof file, BUILD_DIR "/plugins/%s.so", plugin);
    text_init(&json);
    cr_assert_eq(rebuild_run(&options, &json, NULL, &totals, &why), WEIR_OK, "%s", why.text);
    cr_expect_eq(totals.refused, 0);
    cJSON *found = json_read(json.data, json.len, &why);
    cr_assert_not_null(found, "%s", why.text);
    text_fini(&json);
    return found;
}

/* --- comparing --------------------------------------------------------------------------------- */

struct tally {
    unsigned equal, different;
};

static void differ(struct tally *tally, const char *name, const cJSON *wanted, const cJSON *found)
{
    char *want = cJSON_PrintUnformatted(wanted),
         *got = found ? cJSON_PrintUnformatted(found) : NULL;
    cr_log_error("%s: golden %.200s, here %.200s\n", name, want, got ? got : "nothing");
    free(want);
    free(got);
    tally->different++;
}

static void compare(struct tally *tally, const char *name, const cJSON *wanted, const cJSON *found)
{
    const cJSON *item, *other = found ? found->child : NULL;
    char inner[512];
    if (!found || (wanted->type & 0xff) != (found->type & 0xff) ||
        (cJSON_IsArray(wanted) && cJSON_GetArraySize(wanted) != cJSON_GetArraySize(found)))
        return differ(tally, name, wanted, found);
    if (!cJSON_IsObject(wanted) && !cJSON_IsArray(wanted)) {
        if (cJSON_Compare(wanted, found, true))
            tally->equal++;
        else
            differ(tally, name, wanted, found);
        return;
    }
    if (cJSON_IsObject(wanted) && !wanted->child) { /* it says: there are none */
        if (found->child)
            return differ(tally, name, wanted, found);
        tally->equal++;
    }
    int index = 0;
    cJSON_ArrayForEach(item, wanted)
    {
        if (cJSON_IsObject(wanted))
            (void)snprintf(inner, sizeof inner, "%s.%s", name, item->string);
        else
            (void)snprintf(inner, sizeof inner, "%s[%d]", name, index++);
        if (cJSON_IsObject(wanted))
            other = json_get(found, item->string);
        compare(tally, inner, item, other);
        if (cJSON_IsArray(wanted))
            other = other->next;
    }
}

/* --- which fact stands where ------------------------------------------------------------------- */

static unsigned facts_in(const cJSON *item)
{
    unsigned count = 0;
    const cJSON *inner;
    if (!cJSON_IsObject(item) && !cJSON_IsArray(item))
        return 1;
    cJSON_ArrayForEach(inner, item) count += facts_in(inner);
    return count;
}

/* golden's object of one stream: `book` and `trades` stand under "books" and "trades", all else under
 * "streams". */
static void compare_stream(struct tally *tally, const cJSON *golden, const cJSON *found)
{
    const cJSON *part;
    cJSON_ArrayForEach(part, golden)
    {
        const char *where = strcmp(part->string, "book") == 0     ? "books"
                            : strcmp(part->string, "trades") == 0 ? "trades"
                                                                  : "streams";
        const cJSON *mine = json_get(json_get(found, where), golden->string);
        char name[256];
        (void)snprintf(name, sizeof name, "%s.%s", golden->string, part->string);
        if (strcmp(where, "streams") == 0)
            mine = json_get(mine, part->string);
        compare(tally, name, part, mine);
    }
}

static void compare_capture(struct tally *tally, const cJSON *golden, const cJSON *found)
{
    const char *slash = strrchr(golden->string, '/');
    const cJSON *part,
        *file = json_get(json_get(found, "files"), slash ? slash + 1 : golden->string);
    cJSON_ArrayForEach(part, golden)
    {
        bool top = strcmp(part->string, "books") == 0 || strcmp(part->string, "trades") == 0;
        char name[256];
        (void)snprintf(name, sizeof name, "%s.%s", golden->string, part->string);
        compare(tally, name, part, json_get(top ? found : file, part->string));
    }
}

/* --- what the file holds besides --------------------------------------------------------------- */

static const struct {
    const char *name, *plugin;
} captures[] = {
    {"BINANCE.jsonl.gz", "binance"},         {"BINANCE_US.jsonl.gz", "binance"},
    {"BINANCE_FUTURES.jsonl.gz", "binance"}, {"OKX.jsonl.gz", "okx"},
    {"KRAKEN.jsonl.gz", "kraken"},           {"BYBIT.jsonl.gz", "bybit"},
    {"COINBASE.jsonl.gz", "coinbase"},       {"text/COINBASE_PRO-20210417.txt.gz", "coinbase"},
    {"BITSTAMP.jsonl.gz", "bitstamp"},       {"DERIBIT.jsonl.gz", "deribit"},
};
enum { CAPTURES = sizeof captures / sizeof captures[0] };

/* Why a fact is not compared here; NULL: it is. */
static const char *left_out(const char *group, const char *item)
{
    if (strcmp(group, "bitstamp-l3-20260502") == 0)
        return NULL;
    if (strcmp(group, "ohlcv") == 0)
        return "compared by the test of recorded bars";
    if (strcmp(group, "hyperliquid-20250126") == 0)
        return "no plugin speaks this venue's language";
    if (strcmp(group, "binance-20240808") == 0)
        return strchr(item, '/') ? NULL
                                 : "compared by the tests of crossing and of paper execution";
    for (size_t i = 0; i < CAPTURES; i++)
        if (strcmp(group, "captures") == 0 && strcmp(item, captures[i].name) == 0)
            return NULL;
    return "no plugin speaks this venue's language";
}

static void list_rest(const cJSON *golden)
{
    const cJSON *group, *item;
    cJSON_ArrayForEach(group, golden)
    {
        if (strcmp(group->string, "rules") == 0)
            continue;
        cJSON_ArrayForEach(item, group)
        {
            const char *why = left_out(group->string, item->string);
            if (why)
                printf("not compared: %s / %s (%u facts): %s\n", group->string, item->string,
                       facts_in(item), why);
        }
    }
}

Test(golden, every_fact_about_our_venues_is_found_again)
{
    struct why why;
    struct tally tally = {0};
    if (access(shared("data/golden.json"), R_OK) != 0)
        cr_skip_test("needs the shared folder");
    cJSON *golden = json_read_file(shared("data/golden.json"), &why);
    cr_assert_not_null(golden, "%s", why.text);

    cJSON *found = rebuilt("binance", shared("data/binance-20240808"), NULL);
    const cJSON *stream;
    cJSON_ArrayForEach(stream, json_get(golden, "binance-20240808"))
    {
        if (strchr(stream->string, '/'))
            compare_stream(&tally, stream, found);
    }
    cJSON_Delete(found);
    for (size_t i = 0; i < CAPTURES; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "data/captures/%s", captures[i].name);
        found = rebuilt(captures[i].plugin, shared(path), NULL);
        compare_capture(&tally, json_get(json_get(golden, "captures"), captures[i].name), found);
        cJSON_Delete(found);
    }
    found = rebuilt("bitstamp", shared("data/bitstamp-l3-20260502/orders.csv.gz"),
                    shared("data/bitstamp-l3-20260502/trades.csv"));
    compare(&tally, "orders", json_get(golden, "bitstamp-l3-20260502"),
            json_get(json_get(found, "l3"), "orders"));
    cJSON_Delete(found);
    list_rest(golden);
    printf("golden: %u facts equal, %u different\n", tally.equal, tally.different);
    cr_expect_eq(tally.different, 0, "%u facts differ", tally.different);
    cr_expect_gt(tally.equal, 3500, "only %u facts were compared", tally.equal);
    cJSON_Delete(golden);
}
