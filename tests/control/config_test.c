/* config_test.c - a configuration is right, or it is refused with place and expectation. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/config.h"
#include "control/schema.h"

static const char good[] =
    "host: {instance: 7}\n"
    "venues:\n  sim: {plugin: sim, execution: venue}\n"
    "limits:\n"
    "  host: {max_order_qty: none, max_order_notional: 100000, max_position: none, "
    "price_band_pct: 5, max_open_orders: 100, max_loss: 0.5, check_balance: 1, self_cross: 1, "
    "throttle_max: 200, throttle_window_ms: 1000, max_spread_pct: none, max_impact_pct: none, "
    "max_volatility_pct: none, max_open_notional: none, max_gross: none, max_net: none, "
    "max_asset_qty: none, max_concentration_pct: none, max_leverage: none, "
    "max_window_notional: none, max_order_trade_ratio: none, max_repeats: none, "
    "max_orders_day: none, max_day_loss: none, max_drawdown: none, max_losing_streak: none, "
    "max_trade_loss: none, max_unknown_orders: none, max_clock_offset_ms: none, max_window_loss: "
    "none, max_unknown_notional: 7}\n"
    "  venues: {\"*\": {others: none}}\n"
    "  accounts: {\"*\": {others: none}}\n"
    "  groups: {\"*\": {others: none}}\n"
    "  strategies: {\"*\": {max_order_qty: 1, max_gross: 5, others: none}, maker: "
    "{max_order_qty: 2}}\n"
    "  instruments: {\"*\": {others: none}}\n"
    "scripts:\n  maker: {file: maker.lua, imports: [quotes], settings: "
    "{half_spread_bps: 2, clip: 0.01, names: [a, b], deep: {x: \"1\"}}}\n";

static char folder[] = "/tmp/weir-config-XXXXXX";
static char path[64];

static void write_file(const char *text)
{
    if (!path[0]) {
        cr_assert_not_null(mkdtemp(folder));
        snprintf(path, sizeof path, "%s/weir.yaml", folder);
    }
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

static void clean(void)
{
    unlink(path);
    rmdir(folder);
}

/* `good` with the first `from` replaced by `to`. */
static char *changed(const char *from, const char *to)
{
    const char *at = strstr(good, from);
    char *text = malloc(sizeof good + strlen(to) + 1);
    cr_assert_not_null(at, "'%s' is not in the good file", from);
    sprintf(text, "%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
    return text;
}

Test(config, a_good_file_is_read_as_it_is_written, .fini = clean)
{
    struct why why = {0};
    write_file(good);
    struct config *config = config_load(path, &why);
    cr_assert_not_null(config, "%s", why.text);
    cr_expect_eq(config->instance, 7);
    cr_expect_str_eq(config->journal, "run/journal");
    cr_expect_eq(config->segment, 64 << 20);
    cr_expect_eq(config->stop_wait, 3000000000);
    cr_expect_eq(config->venue_count, 1);
    cr_expect_eq(config->venues[0].execution, EXECUTION_VENUE);
    const struct config_limit *row =
        config_limit_for(config, SCOPE_strategy, "maker", LIMIT_max_order_qty);
    cr_expect_eq(row->value, (amount)2 * 1000000000000000000);
    row = config_limit_for(config, SCOPE_strategy, "other", LIMIT_max_order_qty);
    cr_expect_eq(row->value, (amount)1 * 1000000000000000000);
    row = config_limit_for(config, SCOPE_host, "*", LIMIT_max_loss);
    cr_expect(!row->none && row->value == (amount)500000000000000000);
    cr_expect(config_limit_for(config, SCOPE_host, "*", LIMIT_max_order_qty)->none);
    row = config_limit_for(config, SCOPE_strategy, "maker", LIMIT_max_gross);
    cr_expect(!row->none && row->value == 5 * (amount)1000000000000000000, "'*' gives it");
    row = config_limit_for(config, SCOPE_strategy, "maker", LIMIT_max_net);
    cr_expect(row->none, "`others` of '*' gives it");
    cr_expect(config_limit_for(config, SCOPE_venue, "sim", LIMIT_max_loss)->none);
    const struct config_value *settings = &config->scripts[0].settings;
    cr_assert_eq(settings->count, 4);
    cr_expect_str_eq(settings->items[1].key, "clip");
    cr_expect_str_eq(settings->items[1].text, "0.01");
    cr_expect_eq(settings->items[2].count, 2);
    cr_expect(settings->items[3].items[0].quoted);
    cr_expect_eq(strlen(config->sha256), 64);
    config_destroy(config);
}

static const struct {
    const char *what, *from, *to, *says;
} bad[] = {
    {"unknown key", "instance: 7", "instance: 7, jornal: x",
     "unknown key 'jornal' in 'host' (did you mean 'journal'?)"},
    {"unknown key, line", "max_loss: 0.5", "max_los: 0.5", ":5:"},
    {"unknown section", "scripts:", "skripts:", "did you mean 'scripts'?"},
    {"duplicate key", "instance: 7", "instance: 7, instance: 8", "duplicate key"},
    {"wrong kind", "instance: 7", "instance: seven",
     "host.instance: expected a whole number, 0 to 1679615, found 'seven'"},
    {"float for a whole number", "instance: 7", "instance: 7.0",
     "expected a whole number, 0 to 1679615, found '7.0'"},
    {"hex", "instance: 7", "instance: 0x7", "expected a whole number"},
    {"out of range", "instance: 7", "instance: 1679616", "a whole number, 0 to 1679615"},
    {"below range", "instance: 7", "instance: -4", "a whole number, 0 to 1679615, found '-4'"},
    {"would wrap", "instance: 7", "instance: 7, orders: 4294967400", "64 to 4194304"},
    {"two faults", "instance: 7", "instance: seven, orders: many", "and 1 more; `weir check`"},
    {"mapping for a scalar", "instance: 7", "instance: {a: 1}", "found 'a mapping or list'"},
    {"scalar for a mapping", "host: {instance: 7}", "host: 7", "expected a mapping of keys"},
    {"missing key", "host: {instance: 7}", "host: {journal: x}", "host.instance: missing"},
    {"missing section", "venues:\n  sim: {plugin: sim, execution: venue}\n", "",
     "section 'venues' is missing"},
    {"missing limit", "max_loss: 0.5, ", "",
     "limits.host.max_loss: missing; a limit has no default"},
    {"missing further limit", ", max_unknown_notional: 7", "",
     "limits.host.max_unknown_notional: missing; a limit has no default"},
    {"missing limit of a venue", "venues: {\"*\": {others: none}}", "venues: {sim: {max_loss: 3}}",
     "limits.venues: max_order_qty is missing for 'sim'"},
    {"missing limit in *", "accounts: {\"*\": {others: none}}", "accounts: {\"*\": {max_loss: 3}}",
     "limits.accounts: max_order_qty is missing for 'sim'"},
    {"missing limit of a group", "groups: {\"*\": {others: none}}",
     "groups: {makers: {others: none}}", "limits.groups: max_order_qty is missing for 'default'"},
    {"missing limit of a strategy", "max_gross: 5, others: none", "max_gross: 5",
     "limits.strategies: max_order_notional is missing for 'maker'"},
    {"missing limit of an instrument", "instruments: {\"*\": {others: none}}",
     "instruments: {\"*\": {max_loss: 3}}", "limits.instruments: max_order_qty is missing for '*'"},
    {"others but none", "accounts: {\"*\": {others: none}}", "accounts: {\"*\": {others: 5}}",
     "limits.accounts.*.others: expected one of: none, found '5'"},
    {"missing scope", "  venues: {\"*\": {others: none}}\n", "", "limits.venues: missing"},
    {"a cap of everything", "venues:\n  sim", "policy: {market_slippage_pct: 100}\nvenues:\n  sim",
     "policy.market_slippage_pct: expected less than 100"},
    {"negative limit", "max_order_notional: 100000", "max_order_notional: -1", "not negative"},
    {"exponent in a limit", "max_order_notional: 100000", "max_order_notional: 1e5",
     "plain decimal number"},
    {"infinite limit", "max_order_notional: 100000", "max_order_notional: .inf",
     "plain decimal number"},
    {"empty limit", "max_order_notional: 100000",
     "max_order_notional: ", "limits.host.max_order_notional"},
    {"19 places", "max_loss: 0.5", "max_loss: 0.0000000000000000001", "plain decimal number"},
    {"bad word", "execution: venue", "execution: live",
     "expected one of: venue paper none, found 'live'"},
    {"bad duration", "instance: 7", "instance: 7, stop_wait: 3", "a duration such as"},
    {"bad size", "instance: 7", "instance: 7, segment: 64MB", "a size such as"},
    {"small segment", "instance: 7", "instance: 7, segment: 4KiB", "1MiB to 4GiB"},
    {"list expected", "imports: [quotes]", "imports: quotes", "expected a list"},
    {"not YAML", "host: {instance: 7}", "host: {instance: 7", "error"},
    {"a tab", "host: {instance: 7}", "host:\n\tinstance: 7", "weir.yaml:2"},
    {"name with a blank", "  maker: {file", "  \"my maker\": {file", "expected a name"},
};

Test(config, what_is_wrong_is_refused_with_place_and_expectation, .fini = clean)
{
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct why why = {0};
        char *text = changed(bad[i].from, bad[i].to);
        write_file(text);
        struct config *config = config_load(path, &why);
        cr_expect_null(config, "%s: was accepted", bad[i].what);
        cr_expect_not_null(strstr(why.text, bad[i].says), "%s: wanted '%s', got '%s'", bad[i].what,
                           bad[i].says, why.text);
        cr_expect_not_null(strstr(why.text, "weir.yaml"), "%s: no file is named: %s", bad[i].what,
                           why.text);
        config_destroy(config);
        free(text);
    }
}

Test(config, absent_empty_and_binary_files_are_refused, .fini = clean)
{
    struct why why = {0};
    write_file("");
    cr_expect_null(config_load(path, &why));
    cr_expect_not_null(strstr(why.text, "weir.yaml"));
    write_file("\x01\x02\xff\xfe");
    cr_expect_null(config_load(path, &why));
    cr_expect_null(config_load("/nonexistent/weir.yaml", &why));
    cr_expect_not_null(strstr(why.text, "/nonexistent/weir.yaml: cannot be opened"));
}

Test(config, the_shipped_files_are_right)
{
    static const char *const files[] = {SOURCE_DIR "/config/weir.yaml",
                                        SOURCE_DIR "/config/recorded.yaml"};
    for (size_t i = 0; i < 2; i++) {
        struct why why = {0};
        struct config *config = config_load(files[i], &why);
        cr_expect_not_null(config, "%s", why.text);
        config_destroy(config);
    }
}

/* Walk the table: every key must stand in the shipped example at least once. */
static void find_keys(const struct schema *keys, const char *text)
{
    for (const struct schema *k = keys; k->key; k++) {
        char word[80];
        snprintf(word, sizeof word, "%s:", k->key);
        cr_expect_not_null(strstr(text, word),
                           "%s does not stand in config/weir.yaml or limits.yaml", k->key);
        if (k->keys)
            find_keys(k->keys, text);
    }
}

Test(config, the_shipped_example_uses_every_key)
{
    static const char *const files[] = {SOURCE_DIR "/config/weir.yaml",
                                        SOURCE_DIR "/config/limits.yaml"};
    static char text[65536];
    size_t len = 0;
    for (size_t i = 0; i < 2; i++) {
        FILE *file = fopen(files[i], "r");
        cr_assert_not_null(file);
        len += fread(text + len, 1, sizeof text - 1 - len, file);
        fclose(file);
    }
    find_keys(config_schema, text);
}

Test(config, a_reload_is_told_in_words, .fini = clean)
{
    struct why why = {0};
    struct text diff;
    text_init(&diff);
    write_file(good);
    struct config *before = config_load(path, &why);
    char *text = changed("max_loss: 0.5", "max_loss: 0.25");
    write_file(text);
    struct config *after = config_load(path, &why);
    cr_assert(before && after);
    config_diff(before, after, &diff);
    cr_expect_str_eq(text_cstr(&diff), "limit host * max_loss: 0.5 -> 0.25\n");
    text_fini(&diff);
    config_destroy(before);
    config_destroy(after);
    free(text);
}

/* What is printed from the table and committed for readers must be what the table says now. */
static void same_as_file(const char *file, struct text *text)
{
    static char committed[1 << 18];
    FILE *in = fopen(file, "r");
    cr_assert_not_null(in, "%s is missing", file);
    committed[fread(committed, 1, sizeof committed - 1, in)] = '\0';
    fclose(in);
    cr_expect(strcmp(committed, text_cstr(text)) == 0,
              "%s is out of date: print it anew with `weir describe config`", file);
    text_fini(text);
}

Test(config, the_committed_reference_and_schema_are_those_of_the_table)
{
    struct text text;
    text_init(&text);
    schema_print_reference(&text);
    same_as_file(SOURCE_DIR "/config/REFERENCE.md", &text);
    text_init(&text);
    schema_print_json(&text);
    text_say(&text, "\n");
    same_as_file(SOURCE_DIR "/config/weir.schema.json", &text);
}
