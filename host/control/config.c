/* config.c - checked files into one struct config, and what must hold between their sections.
 *
 * Relative paths in a file are relative to the folder from which weir is run, as on a command line. */
#include "control/config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/config_files.h"
#include "script/script.h"

/* --- building ---------------------------------------------------------------------------------*/

static size_t items_of(struct fy_node *node)
{
    if (!node)
        return 0;
    return (size_t)(fy_node_is_mapping(node)    ? fy_node_mapping_item_count(node)
                    : fy_node_is_sequence(node) ? fy_node_sequence_item_count(node)
                                                : 0);
}

static struct fy_node *section(struct loaded *loaded, const char *name)
{
    for (size_t i = 0; config_schema[i].key; i++)
        if (strcmp(config_schema[i].key, name) == 0)
            return loaded->sections[i];
    return NULL;
}

/* A mapping of plain values as settings; lists are joined by commas. */
static const struct weir_setting *build_settings(struct loaded *loaded, struct fy_node *node)
{
    size_t n = 0;
    void *at = NULL;
    struct fy_node_pair *pair;
    struct weir_setting *settings = config_keep(loaded, (items_of(node) + 1) * sizeof *settings);
    while (settings && node && (pair = fy_node_mapping_iterate(node, &at)) != NULL) {
        struct fy_node *value = fy_node_pair_value(pair), *item;
        void *in = NULL;
        if (fy_node_is_sequence(value)) {
            struct text joined;
            text_init(&joined);
            while ((item = fy_node_sequence_iterate(value, &in)) != NULL)
                text_say(&joined, "%s%s", joined.len ? "," : "",
                         node_text(item) ? node_text(item) : "");
            settings[n].value = config_keep_text(loaded, text_cstr(&joined));
            text_fini(&joined);
        } else {
            settings[n].value = node_text(value) ? node_text(value) : "";
        }
        settings[n++].name = node_text(fy_node_pair_key(pair));
    }
    return settings;
}

static bool build_value(struct loaded *loaded, struct fy_node *node, struct config_value *out)
{
    void *at = NULL;
    size_t n = 0;
    out->place = config_place(loaded, node);
    if (!node || fy_node_is_scalar(node)) {
        out->text = node ? node_text(node) : NULL;
        out->quoted = node && fy_node_get_style(node) != FYNS_PLAIN;
        return true;
    }
    struct config_value *items = config_keep(loaded, items_of(node) * sizeof *items);
    out->items = items;
    out->count = items_of(node);
    if (!items)
        return false;
    if (fy_node_is_mapping(node)) {
        struct fy_node_pair *pair;
        for (; (pair = fy_node_mapping_iterate(node, &at)) != NULL; n++) {
            items[n].key = node_text(fy_node_pair_key(pair));
            if (!items[n].key || !build_value(loaded, fy_node_pair_value(pair), &items[n]))
                return false;
        }
    } else {
        struct fy_node *item;
        for (; (item = fy_node_sequence_iterate(node, &at)) != NULL; n++)
            if (!build_value(loaded, item, &items[n]))
                return false;
    }
    return true;
}

static const char *const *build_list(struct loaded *loaded, struct fy_node *node)
{
    size_t n = 0;
    void *at = NULL;
    struct fy_node *item;
    const char **list = config_keep(loaded, (items_of(node) + 1) * sizeof *list);
    while (list && node && (item = fy_node_sequence_iterate(node, &at)) != NULL)
        list[n++] = node_text(item);
    return list;
}

static void build_host(struct loaded *loaded)
{
    struct config *config = &loaded->config;
    const struct schema *keys = schema_keys(config_schema, "host");
    struct fy_node *node = section(loaded, "host");
    config->instance = (uint32_t)schema_number(keys, node, "instance");
    config->journal = schema_text(keys, node, "journal");
    config->journal_new = strcmp(schema_text(keys, node, "journal_mode"), "new") == 0;
    config->sync_always = strcmp(schema_text(keys, node, "sync"), "always") == 0;
    config->segment = schema_number(keys, node, "segment");
    config->disk_floor = schema_number(keys, node, "disk_floor");
    config->index = schema_number(keys, node, "index") != 0;
    config->record = schema_text(keys, node, "record");
    config->record_segment = schema_number(keys, node, "record_segment");
    config->record_disk = schema_number(keys, node, "record_disk");
    config->snapshot = schema_number(keys, node, "snapshot");
    config->control = schema_text(keys, node, "control");
    config->state = schema_text(keys, node, "state");
    config->inline_without_cells = strcmp(schema_text(keys, node, "without_cells"), "inline") == 0;
    config->cancel_on_stop = strcmp(schema_text(keys, node, "on_stop"), "cancel") == 0;
    config->stop_wait = schema_number(keys, node, "stop_wait");
    config->busy_poll = schema_number(keys, node, "busy_poll");
    config->watch = schema_number(keys, node, "watch") != 0;
    config->orders = (uint32_t)schema_number(keys, node, "orders");
    config->executions = (uint32_t)schema_number(keys, node, "executions");
    config->client_ids = (uint32_t)schema_number(keys, node, "client_ids");
}

static int64_t action_of(const char *word)
{
    int64_t action = 0;
    while (action < GUARD_ACTION_COUNT &&
           strcmp(guard_action_name((enum guard_action)action), word) != 0)
        action++;
    return action;
}

static amount money(const char *text)
{
    amount value = 0;
    if (amount_parse(text, strlen(text), &value) != WEIR_OK) /* checked before */
        value = 0;
    return value;
}

static void build_policy(struct loaded *loaded)
{
    struct config *config = &loaded->config;
    const struct schema *keys = schema_keys(config_schema, "policy");
    struct fy_node *node = section(loaded, "policy");
    config->policies[POLICY_not_found_confirm] = schema_number(keys, node, "not_found_confirm");
    config->policies[POLICY_not_found_after_ns] = schema_number(keys, node, "not_found_after");
    config->policies[POLICY_strict] = 1;
    config->policies[POLICY_instance] = config->instance;
    config->policies[POLICY_wait_for_ack_ns] = schema_number(keys, node, "wait_for_ack");
    config->policies[POLICY_query_first_ns] = schema_number(keys, node, "query_first");
    config->policies[POLICY_query_most_ns] = schema_number(keys, node, "query_most");
    config->policies[POLICY_query_rest_ns] = schema_number(keys, node, "query_rest");
    config->policies[POLICY_kill_answer_ns] = schema_number(keys, node, "kill_answer");
    config->policies[POLICY_pace_queue] = strcmp(schema_text(keys, node, "pace"), "queue") == 0;
    config->policies[POLICY_trigger_by] =
        strcmp(schema_text(keys, node, "trigger_by"), "trade") == 0;
    config->policies[POLICY_clock_step_ns] = schema_number(keys, node, "clock_step");
    config->policies[POLICY_slow_ack_ns] = schema_number(keys, node, "slow_ack");
    config->policies[POLICY_reconcile_every_ns] = schema_number(keys, node, "reconcile_every");
    config->policies[POLICY_loss_window_ns] = schema_number(keys, node, "loss_window");
    const char *cap = schema_text(keys, node, "market_slippage_pct");
    config->policies[POLICY_market_cap] = /* 10^-18 percent in 10^-9 */
        strcmp(cap, "none") == 0 ? 0 : (int64_t)(money(cap) / 100000000000);
    config->policies[POLICY_runaway_fills] = schema_number(keys, node, "runaway_fills");
    for (int guard = 0; guard < GUARD_COUNT; guard++)
        config->policies[POLICY_on_mismatch + guard] = action_of(
            schema_text(keys, node, policy_name((enum policy)(POLICY_on_mismatch + guard))));
    config->policies[POLICY_day_ends_ns] = schema_number(keys, node, "day_ends");
}

static void build_outside(struct loaded *loaded)
{
    struct config *config = &loaded->config;
    const struct schema *gateway = schema_keys(config_schema, "gateway");
    const struct schema *log = schema_keys(config_schema, "log");
    config->listen = schema_text(gateway, section(loaded, "gateway"), "listen");
    config->port = (uint16_t)schema_number(gateway, section(loaded, "gateway"), "port");
    config->log_level = schema_text(log, section(loaded, "log"), "level");
    config->log_json = strcmp(schema_text(log, section(loaded, "log"), "form"), "json") == 0;
}

static void build_paper(struct loaded *loaded, struct fy_node *node, struct config_paper *out)
{
    const struct schema *keys = schema_keys(schema_keys(config_schema, "venues"), "paper");
    out->queue = schema_text(keys, node, "queue");
    out->submit_latency = schema_number(keys, node, "submit_latency");
    out->cancel_latency = schema_number(keys, node, "cancel_latency");
    out->report_latency = schema_number(keys, node, "report_latency");
    out->amend_latency = schema_number(keys, node, "amend_latency");
    out->latency_jitter = schema_number(keys, node, "latency_jitter");
    out->latency_tail = schema_number(keys, node, "latency_tail");
    out->latency_file = schema_text(keys, node, "latency_file");
    out->latency_by_chance = strcmp(schema_text(keys, node, "latency_rows"), "by_chance") == 0;
    out->maker_fee_bps = money(schema_text(keys, node, "maker_fee_bps"));
    out->taker_fee_bps = money(schema_text(keys, node, "taker_fee_bps"));
    out->fee_asset = schema_text(keys, node, "fee_asset");
    out->funding_bps = money(schema_text(keys, node, "funding_bps"));
    out->funding_every = schema_number(keys, node, "funding_every");
    out->self_trade = schema_text(keys, node, "self_trade");
    out->check_balance = schema_number(keys, node, "check_balance") != 0;
    out->rate_max = (uint32_t)schema_number(keys, node, "rate_max");
    out->rate_window = schema_number(keys, node, "rate_window");
    out->outage_every = schema_number(keys, node, "outage_every");
    out->outage_for = schema_number(keys, node, "outage_for");
    out->reject_ppm = (uint32_t)schema_number(keys, node, "reject_ppm");
    out->drop_request_ppm = (uint32_t)schema_number(keys, node, "drop_request_ppm");
    out->drop_ack_ppm = (uint32_t)schema_number(keys, node, "drop_ack_ppm");
    out->duplicate_fill_ppm = (uint32_t)schema_number(keys, node, "duplicate_fill_ppm");
    out->seed = (uint64_t)schema_number(keys, node, "seed");
    out->balances = build_settings(loaded, schema_node(node, "balances"));
}

static void build_endpoint(struct loaded *loaded, struct fy_node *node, struct config_venue *venue)
{
    const struct schema *keys = schema_keys(schema_keys(config_schema, "venues"), "endpoint");
    venue->ws = schema_text(keys, node, "ws");
    venue->ws_orders = schema_text(keys, node, "ws_orders");
    venue->http = schema_text(keys, node, "http");
    venue->ca_files = build_list(loaded, schema_node(node, "ca_files"));
}

static enum weir_err build_keys(struct loaded *loaded)
{
    struct config *config = &loaded->config;
    const struct schema *keys = schema_keys(config_schema, "keys");
    struct fy_node *node = section(loaded, "keys");
    void *at = NULL;
    struct fy_node_pair *pair;
    config->keys = config_keep(loaded, (items_of(node) + 1) * sizeof *config->keys);
    while (config->keys && node && (pair = fy_node_mapping_iterate(node, &at)) != NULL) {
        struct config_key *key = &config->keys[config->key_count++];
        struct fy_node *value = fy_node_pair_value(pair);
        key->name = node_text(fy_node_pair_key(pair));
        key->id = schema_text(keys, value, "id");
        key->secret = schema_text(keys, value, "secret");
        key->base64 = strcmp(schema_text(keys, value, "encoding"), "base64") == 0;
    }
    return config->keys ? WEIR_OK : WEIR_E_NO_MEMORY;
}

static enum weir_err build_venues(struct loaded *loaded)
{
    struct config *config = &loaded->config;
    const struct schema *keys = schema_keys(config_schema, "venues");
    struct fy_node *node = section(loaded, "venues");
    void *at = NULL;
    struct fy_node_pair *pair;
    config->venues = config_keep(loaded, items_of(node) * sizeof *config->venues);
    while (config->venues && node && (pair = fy_node_mapping_iterate(node, &at)) != NULL) {
        struct config_venue *venue = &config->venues[config->venue_count++];
        struct fy_node *value = fy_node_pair_value(pair);
        const char *execution = schema_text(keys, value, "execution");
        venue->name = node_text(fy_node_pair_key(pair));
        venue->plugin = schema_text(keys, value, "plugin");
        venue->account = schema_text(keys, value, "account");
        venue->execution = strcmp(execution, "venue") == 0   ? EXECUTION_VENUE
                           : strcmp(execution, "paper") == 0 ? EXECUTION_PAPER
                                                             : EXECUTION_NONE;
        venue->book_window = (uint32_t)schema_number(keys, value, "book_window");
        venue->book_far = (uint32_t)schema_number(keys, value, "book_far");
        venue->data_age_max = schema_number(keys, value, "data_age_max");
        venue->answer_timeout = schema_number(keys, value, "answer_timeout");
        venue->emulate = strcmp(schema_text(keys, value, "emulate"), "true") == 0;
        build_endpoint(loaded, schema_node(value, "endpoint"), venue);
        venue->settings = build_settings(loaded, schema_node(value, "settings"));
        build_paper(loaded, schema_node(value, "paper"), &venue->paper);
    }
    return config->venues ? WEIR_OK : WEIR_E_NO_MEMORY;
}

static uint8_t wake_of(const char *word)
{
    return strcmp(word, "spin") == 0   ? SCRIPT_SPIN
           : strcmp(word, "park") == 0 ? SCRIPT_PARK
                                       : SCRIPT_HYBRID;
}

static enum weir_err build_scripts(struct loaded *loaded)
{
    struct config *config = &loaded->config;
    const struct schema *keys = schema_keys(config_schema, "scripts");
    struct fy_node *node = section(loaded, "scripts");
    void *at = NULL;
    struct fy_node_pair *pair;
    config->scripts = config_keep(loaded, items_of(node) * sizeof *config->scripts);
    while (config->scripts && node && (pair = fy_node_mapping_iterate(node, &at)) != NULL) {
        struct config_script *script = &config->scripts[config->script_count++];
        struct fy_node *value = fy_node_pair_value(pair);
        script->name = node_text(fy_node_pair_key(pair));
        script->file = schema_text(keys, value, "file");
        script->orders = strcmp(schema_text(keys, value, "rights"), "orders") == 0;
        script->group = schema_text(keys, value, "group");
        script->memory = schema_number(keys, value, "memory");
        script->callback = schema_number(keys, value, "callback");
        script->load = schema_number(keys, value, "load");
        script->orders_per_second = (uint32_t)schema_number(keys, value, "orders_per_second");
        script->log_lines_per_second = (uint32_t)schema_number(keys, value, "log_lines_per_second");
        script->seed = (uint64_t)schema_number(keys, value, "seed");
        script->process = strcmp(schema_text(keys, value, "isolation"), "process") == 0;
        script->wake = wake_of(schema_text(keys, value, "wake"));
        script->nice = (uint32_t)schema_number(keys, value, "nice");
        script->cancel_on_quarantine =
            strcmp(schema_text(keys, value, "on_quarantine"), "cancel") == 0;
        script->retry = strcmp(schema_text(keys, value, "retry"), "always") == 0  ? RETRY_ALWAYS
                        : strcmp(schema_text(keys, value, "retry"), "crash") == 0 ? RETRY_CRASH
                                                                                  : RETRY_NEVER;
        script->retries = (uint32_t)schema_number(keys, value, "retries");
        script->retry_wait = schema_number(keys, value, "retry_wait");
        script->imports = build_list(loaded, schema_node(value, "imports"));
        if (!build_value(loaded, schema_node(value, "settings"), &script->settings))
            return WEIR_E_NO_MEMORY;
    }
    return config->scripts ? WEIR_OK : WEIR_E_NO_MEMORY;
}

static void build_limit_row(struct loaded *loaded, enum risk_scope scope, const char *name,
                            struct fy_node *node)
{
    struct config *config = &loaded->config;
    const char *others = node_text(schema_node(node, "others"));
    for (int limit = 0; limit < RISK_LIMIT_COUNT; limit++) {
        const char *text = node_text(schema_node(node, risk_limit_name((enum risk_limit)limit)));
        text = text ? text : others;
        if (!text)
            continue;
        struct config_limit *row = &config->limits[config->limit_count++];
        row->scope = scope;
        row->name = name;
        row->limit = (enum risk_limit)limit;
        row->none = strcmp(text, "none") == 0;
        row->value = row->none ? 0 : money(text);
    }
}

static enum weir_err build_limits(struct loaded *loaded)
{
    static const struct {
        const char *section;
        enum risk_scope scope;
    } named[] = {{"venues", SCOPE_venue},
                 {"accounts", SCOPE_account},
                 {"groups", SCOPE_group},
                 {"strategies", SCOPE_strategy},
                 {"instruments", SCOPE_instrument}};
    struct fy_node *node = section(loaded, "limits");
    size_t rows = 1;
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
        rows += items_of(schema_node(node, named[i].section));
    loaded->config.limits =
        config_keep(loaded, rows * RISK_LIMIT_COUNT * sizeof *loaded->config.limits);
    if (!loaded->config.limits)
        return WEIR_E_NO_MEMORY;
    build_limit_row(loaded, SCOPE_host, "*", schema_node(node, "host"));
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
        struct fy_node *below = schema_node(node, named[i].section);
        void *at = NULL;
        struct fy_node_pair *pair;
        while (below && (pair = fy_node_mapping_iterate(below, &at)) != NULL)
            build_limit_row(loaded, named[i].scope, node_text(fy_node_pair_key(pair)),
                            fy_node_pair_value(pair));
    }
    return WEIR_OK;
}

const struct config_limit *config_limit_for(const struct config *config, enum risk_scope scope,
                                            const char *name, enum risk_limit limit)
{
    const struct config_limit *any = NULL;
    for (size_t i = 0; i < config->limit_count; i++) {
        const struct config_limit *row = &config->limits[i];
        if (row->scope != scope || row->limit != limit)
            continue;
        if (strcmp(row->name, name) == 0)
            return row;
        if (strcmp(row->name, "*") == 0)
            any = row;
    }
    return any;
}

/* --- what holds between sections --------------------------------------------------------------*/

static enum weir_err missing_limit(const struct config *config, const char *section_name,
                                   enum risk_scope scope, const char *name, struct why *why)
{
    for (int limit = 0; limit < RISK_LIMIT_COUNT; limit++)
        if (!config_limit_for(config, scope, name, (enum risk_limit)limit))
            return because(
                why, WEIR_E_BAD_CONFIG,
                "%s: limits.%s: %s is missing for '%s', and '*' does not give it; a limit has "
                "no default: write a number or none, or `others: none`",
                config->path, section_name, risk_limit_name((enum risk_limit)limit), name);
    return WEIR_OK;
}

static enum weir_err check_ranges(const struct config *config, struct why *why)
{
    if (config->segment < 1 << 20 || config->segment > 1LL << 32)
        return because(why, WEIR_E_BAD_CONFIG,
                       "%s: host.segment: expected 1MiB to 4GiB, found %lld bytes", config->path,
                       (long long)config->segment);
    if (config->policies[POLICY_market_cap] > 999999999)
        return because(why, WEIR_E_BAD_CONFIG,
                       "%s: policy.market_slippage_pct: expected less than 100, or none",
                       config->path);
    if (config->venue_count == 0 || config->venue_count > 200)
        return because(why, WEIR_E_BAD_CONFIG, "%s: venues: expected 1 to 200, found %zu",
                       config->path, config->venue_count);
    return WEIR_OK;
}

/* A secret that stands in the file itself is refused, and not said again. */
static enum weir_err check_keys(const struct config *config, struct why *why)
{
    for (size_t i = 0; i < config->key_count; i++) {
        const char *secret = config->keys[i].secret;
        if (strncmp(secret, "file:", 5) != 0 && strncmp(secret, "credential:", 11) != 0 &&
            strncmp(secret, "fd:", 3) != 0)
            return because(why, WEIR_E_BAD_CONFIG,
                           "%s: keys.%s.secret: expected file:PATH, credential:NAME or fd:NUMBER, "
                           "found something else",
                           config->path, config->keys[i].name);
    }
    return WEIR_OK;
}

/* A script without any time, and a name where an address must stand. */
static enum weir_err check_values(const struct config *config, struct why *why)
{
    unsigned char address[16];
    for (size_t i = 0; i < config->script_count; i++) {
        const struct config_script *script = &config->scripts[i];
        const struct {
            const char *key;
            weir_ns ns;
        } times[] = {{"callback", script->callback}, {"load", script->load}};
        for (size_t t = 0; t < sizeof times / sizeof times[0]; t++)
            if (times[t].ns < 100000)
                return because(why, WEIR_E_BAD_CONFIG,
                               "%s: scripts.%s.%s: expected 100us or more, found %lldns",
                               config->path, script->name, times[t].key, (long long)times[t].ns);
    }
    for (size_t v = 0; v < config->venue_count; v++)
        for (const struct weir_setting *b = config->venues[v].paper.balances; b && b->name; b++) {
            amount value;
            if (amount_parse(b->value, strlen(b->value), &value) != WEIR_OK || value < 0)
                return because(why, WEIR_E_BAD_CONFIG,
                               "%s: venues.%s.paper.balances.%s: expected an amount such as "
                               "1000.5, found '%s'",
                               config->path, config->venues[v].name, b->name, b->value);
        }
    if (inet_pton(AF_INET, config->listen, address) != 1 &&
        inet_pton(AF_INET6, config->listen, address) != 1)
        return because(
            why, WEIR_E_BAD_CONFIG,
            "%s: gateway.listen: expected an address such as 127.0.0.1 or ::1, found '%s'",
            config->path, config->listen);
    return WEIR_OK;
}

/* Every scope in which an order of this configuration can be judged has each limit. */
static enum weir_err check_limits(const struct config *config, struct why *why)
{
    enum weir_err err = WEIR_OK;
    for (size_t i = 0; i < config->venue_count && !err; i++) {
        const struct config_venue *venue = &config->venues[i];
        if (venue->execution == EXECUTION_NONE)
            continue;
        err = missing_limit(config, "venues", SCOPE_venue, venue->name, why);
        if (!err)
            err = missing_limit(config, "accounts", SCOPE_account, venue->name, why);
    }
    for (size_t i = 0; i < config->script_count && !err; i++) {
        const struct config_script *script = &config->scripts[i];
        if (!script->orders)
            continue;
        err = missing_limit(config, "groups", SCOPE_group, script->group, why);
        if (!err)
            err = missing_limit(config, "strategies", SCOPE_strategy, script->name, why);
    }
    for (size_t i = 0; i < config->limit_count && !err; i++)
        if (config->limits[i].scope == SCOPE_instrument)
            err =
                missing_limit(config, "instruments", SCOPE_instrument, config->limits[i].name, why);
    return err;
}

static enum weir_err check_whole(struct loaded *loaded, struct why *why)
{
    for (size_t i = 0; config_schema[i].key; i++)
        if (!config_schema[i].otherwise && !loaded->sections[i])
            return because(why, WEIR_E_BAD_CONFIG,
                           "%s: section '%s' is missing in this file and those it includes",
                           loaded->config.path, config_schema[i].key);
    return WEIR_OK;
}

/* Faults of a file's form are told as they are found; all others are one in `why`. */
struct told {
    void (*fault)(void *context, const char *text);
    void *context;
    unsigned count;
};

static void tell_one(void *context, const char *text)
{
    struct told *told = context;
    told->count++;
    told->fault(told->context, text);
}

struct sets {
    const char *const *list;
    size_t count;
};

static struct config *load(const char *path, const struct sets *sets,
                           void (*fault)(void *context, const char *text), void *context,
                           struct why *why)
{
    struct loaded *loaded = calloc(1, sizeof *loaded);
    unsigned char sum[32];
    if (!loaded || !(loaded->sha = sha256_create()) ||
        !(loaded->config.path = config_keep_text(loaded, path))) {
        config_destroy((struct config *)loaded);
        (void)because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
        return NULL;
    }
    loaded->fault = fault;
    loaded->context = context;
    enum weir_err err = config_read(loaded, path, why);
    if (!err)
        err = check_whole(loaded, why);
    for (size_t i = 0; i < sets->count && !err; i++)
        err = config_set(loaded, sets->list[i], why);
    if (!err) {
        build_host(loaded);
        build_policy(loaded);
        build_outside(loaded);
        if (build_keys(loaded) || build_venues(loaded) || build_scripts(loaded) ||
            build_limits(loaded) || loaded->starved)
            err = because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
    }
    if (!err)
        err = check_ranges(&loaded->config, why);
    if (!err)
        err = check_keys(&loaded->config, why);
    if (!err)
        err = check_values(&loaded->config, why);
    if (!err)
        err = check_limits(&loaded->config, why);
    if (err) {
        config_destroy(&loaded->config);
        return NULL;
    }
    sha256_value(loaded->sha, sum);
    hex_print(sum, sizeof sum, loaded->config.sha256);
    for (size_t i = 0; i < loaded->count; i++)
        loaded->config.files[i] = loaded->paths[i];
    return &loaded->config;
}

struct config *config_load(const char *path, struct why *why)
{
    return config_load_with(path, NULL, 0, why);
}

struct config *config_load_with(const char *path, const char *const *list, size_t count,
                                struct why *why)
{
    const struct sets sets = {list, count};
    return load(path, &sets, NULL, NULL, why);
}

struct config *config_check(const char *path, void (*fault)(void *context, const char *text),
                            void *context)
{
    struct why why = {.err = WEIR_OK};
    struct told told = {fault, context, 0};
    const struct sets none = {NULL, 0};
    struct config *config = load(path, &none, tell_one, &told, &why);
    if (!config && told.count == 0)
        fault(context, why.text);
    return config;
}
