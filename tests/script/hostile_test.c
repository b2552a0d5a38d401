/* The hostile set: each script ends as its first line says, beside a harmless one, alone and together.
 *
 * The scripts stand in the shared folder. What "no order sent" means for those that would send valid
 * orders is checked at the venue of the pretend market. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "script/support_market.h"

struct hostile {
    char name[80];
    char first_line[400];
    struct script_source source;
};

static struct hostile *hostiles;
static size_t hostile_count;

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct hostile *)a)->name, ((const struct hostile *)b)->name);
}

static void load(const char *folder, const char *file)
{
    char path[512];
    struct why why;
    struct hostile *hostile = &hostiles[hostile_count];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    snprintf(hostile->name, sizeof hostile->name, "%s", file);
    cr_assert_eq(script_source_read(path, &hostile->source, &why), WEIR_OK, "%s", why.text);
    hostile->source.name = hostile->name;
    size_t len = strcspn(hostile->source.text, "\n");
    snprintf(hostile->first_line, sizeof hostile->first_line, "%.*s", (int)len,
             hostile->source.text);
    hostile_count++;
}

static void load_all(void)
{
    char folder[400];
    const char *shared = getenv("WEIR_SHARED");
    snprintf(folder, sizeof folder, "%s/hostile-lua", shared ? shared : SOURCE_DIR "/../shared");
    DIR *dir = opendir(folder);
    if (!dir)
        cr_skip_test("needs the shared folder");
    hostiles = calloc(512, sizeof *hostiles);
    hostile_count = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        size_t len = strlen(entry->d_name);
        if (len > 4 && strcmp(entry->d_name + len - 4, ".lua") == 0 && hostile_count < 512)
            load(folder, entry->d_name);
    }
    closedir(dir);
    qsort(hostiles, hostile_count, sizeof *hostiles, by_name);
    for (size_t i = 0; i < hostile_count; i++)
        hostiles[i].source.name = hostiles[i].name; /* which have moved */
    cr_assert_gt(hostile_count, 0, "no scripts in %s", folder);
}

static void unload_all(void)
{
    for (size_t i = 0; i < hostile_count; i++)
        free((char *)hostiles[i].source.text);
    free(hostiles);
}

/* What follows the second bar of the first line: how it ends. */
static const char *outcome_of(const struct hostile *hostile)
{
    const char *outcome = strstr(hostile->first_line, "| ");
    outcome = outcome ? strstr(outcome + 2, "| ") : NULL;
    cr_assert(outcome, "%s: %s", hostile->name, hostile->first_line);
    return outcome + 2;
}

/* Little time, but so much for those whose orders are to be rejected that no machine is too slow. */
static struct script_config config_of(const struct hostile *hostile, const char *name,
                                      uint32_t strategy)
{
    struct script_config config = market_config(name, strategy, "");
    bool to_be_rejected = strncmp(outcome_of(hostile), "rejected", 8) == 0;
    config.source = hostile->source;
    config.budget.memory = 64 << 20;
    config.budget.load_ns = to_be_rejected ? 10000000000 : 100000000;
    config.budget.callback_ns = to_be_rejected ? 10000000000 : 50000000;
    return config;
}

/* Three rounds of all that the scripts of the set listen to. */
static void rounds(struct market *market)
{
    for (int i = 0; i < 3; i++) {
        market_top(market, BTC, "49999.50", i % 2 ? "50000.50" : "50001");
        market_trade(market, BTC, "50000", "0.1");
        market_wait(market, 1000000000);
    }
}

/* A beat of a process takes a hop there and back, so there are fewer of them. */
#define CALM(ns)                                                                           \
    "local n = 0 weir.every(" ns ", function() n = n + 1 end) weir.on('book', function() " \
    "end) weir.on('stop', function() weir.log('beat ' .. n) end)"
static const char *const calm[] = {CALM("1000000"), CALM("20000000")};
static const char *const beats[] = {"s2: beat 3000\n", "s2: beat 150\n"};

static void judge(const struct hostile *hostile, const struct script_report *report,
                  struct market *market, const char *said)
{
    const char *outcome = outcome_of(hostile);
    if (strncmp(outcome, "quarantined", 11) == 0)
        cr_expect_eq(report->outcome, SCRIPT_QUARANTINED, "%s: %s", hostile->name, outcome);
    if (strncmp(outcome, "rejected", 8) == 0)
        cr_expect(
            report->outcome == SCRIPT_OK && report->orders_sent == 0 && report->orders_denied > 0,
            "%s: %s, %s, sent %llu, denied %llu", hostile->name,
            script_outcome_name(report->outcome), report->reason,
            (unsigned long long)report->orders_sent, (unsigned long long)report->orders_denied);
    if (strstr(outcome, "no order sent"))
        cr_expect_eq(market->news, 0, "%s: %llu orders", hostile->name,
                     (unsigned long long)market->news);
    cr_expect_eq(market->news, report->orders_sent, "%s: the venue saw %llu of %llu orders",
                 hostile->name, (unsigned long long)market->news,
                 (unsigned long long)report->orders_sent);
    cr_expect_null(strstr(said, ": ESCAPE"), "%s: %s", hostile->name, said);
    cr_expect(report->outcome == SCRIPT_OK || report->reason[0], "%s: ended without a reason",
              hostile->name);
    cr_expect_null(strchr(report->reason, '\n'), "%s: a reason of several lines", hostile->name);
}

static void open_market(struct market *market, bool process)
{
    if (process)
        market_open_cells(market, true);
    else
        market_open(market);
}

static void run_one(const struct hostile *hostile, bool process)
{
    struct market market;
    struct script_report report;
    struct why why;
    open_market(&market, process);
    struct script_config config = config_of(hostile, "s1", 1),
                         beside = market_config("s2", 2, calm[process]);
    struct script *script = market_add(&market, &config), *other = market_add(&market, &beside);
    script_start(script);
    script_start(other);
    market_settle(&market);
    rounds(&market);
    script_stop(script);
    script_stop(other);
    market_settle(&market);
    const char *said = market_log(&market);
    script_report(script, &report);
    judge(hostile, &report, &market, said);
    cr_expect(strstr(said, beats[process]), "%s: the harmless script missed beats:\n%s",
              hostile->name, said);
    config.cells = market.cells;
    why.err = script_reload(script, &config, &why); /* ends, whatever comes of it */
    market_close(&market);
}

Test(hostile, each_ends_as_its_first_line_says)
{
    load_all();
    for (size_t i = 0; i < hostile_count; i++)
        run_one(&hostiles[i], false);
    unload_all();
}

Test(hostile, each_ends_so_in_a_process_of_its_own)
{
    load_all();
    for (size_t i = 0; i < hostile_count; i++)
        run_one(&hostiles[i], true);
    unload_all();
}

Test(hostile, a_second_copy_finds_no_mark_of_the_first)
{
    load_all();
    struct market market;
    market_open(&market);
    for (size_t i = 0; i < hostile_count; i++)
        if (strcmp(hostiles[i].name, "iso-shared-mark.lua") == 0)
            for (uint32_t copy = 1; copy <= 3; copy++) {
                char name[8];
                snprintf(name, sizeof name, "s%u", copy);
                struct script_config config = config_of(&hostiles[i], name, copy);
                script_start(market_add(&market, &config));
            }
    cr_expect_null(strstr(market_log(&market), "ESCAPE"));
    market_close(&market);
    unload_all();
}

static void all_at_once(bool process)
{
    load_all();
    struct market market;
    struct script_report report;
    open_market(&market, process);
    struct script_config beside = market_config("s2", 2, calm[process]);
    struct script *other = market_add(&market, &beside);
    script_start(other);
    for (size_t i = 0; i < hostile_count && i + 1 < MARKET_SCRIPTS; i++) {
        char name[16];
        uint32_t number = (uint32_t)i + 10;
        snprintf(name, sizeof name, "h%u", number);
        market_strategy(&market, number, name);
        struct script_config config = config_of(&hostiles[i], name, number);
        config.budget.load_ns = 20000000;
        config.budget.callback_ns = 10000000;
        script_start(market_add(&market, &config));
    }
    market_settle(&market);
    rounds(&market);
    for (int i = 0; i < MARKET_SCRIPTS && market.scripts[i]; i++)
        script_stop(market.scripts[i]);
    const char *said = market_log(&market);
    script_report(other, &report);
    cr_expect_eq(report.outcome, SCRIPT_OK);
    cr_expect_null(strstr(said, ": ESCAPE"), "%s", said);
    cr_expect(strstr(said, beats[process]), "%s", said);
    market_close(&market);
    unload_all();
}

Test(hostile, all_at_once_hurt_nobody)
{
    all_at_once(false);
}

Test(hostile, all_at_once_in_processes_hurt_nobody)
{
    all_at_once(true);
}
