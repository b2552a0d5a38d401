#include "control/trial.h"

#include <string.h>

static const struct weir_setting sim_settings[] = {
    {"seed", "42"}, {"balances", "USD:1000000000,BTC:10000,ETH:100000,SOL:1000000"}, {NULL, NULL}};

/* Every limit of every scope said to be none, but for what a strategy needs to be stopped by. */
static size_t make_limits(struct config_limit *rows)
{
    static const enum risk_scope scopes[] = {SCOPE_host, SCOPE_account, SCOPE_strategy,
                                             SCOPE_instrument};
    size_t n = 0;
    for (size_t s = 0; s < sizeof scopes / sizeof scopes[0]; s++)
        for (int limit = 0; limit < RISK_LIMIT_COUNT; limit++)
            rows[n++] = (struct config_limit){scopes[s], "*", (enum risk_limit)limit, true, 0};
    return n;
}

void trial_script(struct config_script *script, const char *name, const char *file, bool orders,
                  const char *const *imports)
{
    static const char *const none[] = {NULL};
    *script = (struct config_script){.name = name,
                                     .file = file,
                                     .orders = orders,
                                     .group = "default",
                                     .memory = 64 << 20,
                                     .callback = 50000000,
                                     .load = 500000000,
                                     .orders_per_second = 1000,
                                     .log_lines_per_second = 100,
                                     .seed = 1,
                                     .cancel_on_quarantine = true,
                                     .imports = imports ? imports : none};
}

static void be_simulated(struct trial_market *market)
{
    struct config *config = &market->config;
    market->venue = (struct config_venue){.name = "sim",
                                          .plugin = "sim",
                                          .account = "main",
                                          .execution = EXECUTION_VENUE,
                                          .emulate = true,
                                          .settings = sim_settings};
    *config = (struct config){.path = "weir try",
                              .record = "",
                              .orders = 65536,
                              .executions = 65536,
                              .client_ids = 65536,
                              .cancel_on_stop = true,
                              .stop_wait = 1000000000,
                              .venues = &market->venue,
                              .venue_count = 1};
    config->policies[POLICY_strict] = 1;
    config->policies[POLICY_not_found_confirm] = 3;
    config->policies[POLICY_not_found_after_ns] = 10000000000;
    config->policies[POLICY_wait_for_ack_ns] = 5000000000;
    config->policies[POLICY_query_first_ns] = 50000000;
    config->policies[POLICY_query_most_ns] = 5000000000;
    config->policies[POLICY_query_rest_ns] = 30000000000;
    config->policies[POLICY_loss_window_ns] = 3600000000000;
}

static enum weir_err be_recorded(struct trial_market *market, const char *const *data,
                                 size_t data_count, const char *config_path, struct why *why)
{
    market->recorded = config_load(config_path, why);
    if (!market->recorded)
        return why->err;
    market->config = *market->recorded;
    market->tape = tape_open(data, data_count, &market->config, why);
    if (!market->tape) {
        config_destroy(market->recorded);
        return why->err;
    }
    return WEIR_OK;
}

enum weir_err trial_open(struct trial_market *market, const char *const *data, size_t data_count,
                         const char *config_path, const struct config_script *scripts,
                         size_t script_count, struct host_options *options_out, struct why *why)
{
    memset(market, 0, sizeof *market);
    options_out->virtual_time = true;
    options_out->no_journal = true;
    if (data_count > 0) {
        enum weir_err err = be_recorded(market, data, data_count, config_path, why);
        if (err)
            return err;
        options_out->start = tape_start(market->tape);
        options_out->feed = tape_feed(market->tape);
        options_out->watch = tape_watch(market->tape);
    } else {
        be_simulated(market);
        options_out->start = 1700000000000000000;
    }
    market->config.limits = market->limits;
    market->config.limit_count = make_limits(market->limits);
    market->config.scripts = (struct config_script *)(uintptr_t)scripts;
    market->config.script_count = script_count;
    return WEIR_OK;
}

void trial_close(struct trial_market *market)
{
    tape_close(market->tape);
    config_destroy(market->recorded);
}
