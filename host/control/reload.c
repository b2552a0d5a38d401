/* reload.c - a new configuration under a running host: validated whole, told in words, applied between
 * two events; on any error what runs stays as it is.
 *
 * Not a line of a script that has a process of its own is compiled or run here: to prepare it there is to
 * check it.
 *
 * What can change: limits, policies, scripts (code, settings, budgets), on_stop, stop_wait, busy_poll,
 * answer_timeout. What needs a restart is named and refused: venues, the set of scripts, journal, gateway. A script is loaded beside its running version,
 * and all are switched between the same two events, or none is; limits change before the new ones act. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "control/host.h"

static bool same_texts(const char *const *a, const char *const *b)
{
    for (; *a && *b && strcmp(*a, *b) == 0; a++, b++)
        ;
    return !*a && !*b;
}

static bool same_settings(const struct weir_setting *a, const struct weir_setting *b)
{
    for (; a->name && b->name && strcmp(a->name, b->name) == 0 && strcmp(a->value, b->value) == 0;
         a++, b++)
        ;
    return !a->name && !b->name;
}

/* A row for each key that is read only at the start, and whether it is as it was. */
struct fixed {
    const char *key;
    bool same;
};

static enum weir_err all_same(const struct fixed *rows, size_t count, const char *path,
                              const char *where, struct why *why)
{
    for (size_t i = 0; i < count; i++)
        if (!rows[i].same)
            return because(why, WEIR_E_STATE,
                           "%s: %s%s differs from what runs; that needs a restart", path, where,
                           rows[i].key);
    return WEIR_OK;
}

#define ALL_SAME(rows, path, where, why) \
    all_same(rows, sizeof(rows) / sizeof(rows)[0], path, where, why)

static bool same_paper(const struct config_paper *a, const struct config_paper *b)
{
    bool same = strcmp(a->queue, b->queue) == 0 && strcmp(a->latency_file, b->latency_file) == 0 &&
                strcmp(a->fee_asset, b->fee_asset) == 0 &&
                strcmp(a->self_trade, b->self_trade) == 0 &&
                same_settings(a->balances, b->balances);
    return same && a->submit_latency == b->submit_latency &&
           a->cancel_latency == b->cancel_latency && a->amend_latency == b->amend_latency &&
           a->report_latency == b->report_latency && a->latency_jitter == b->latency_jitter &&
           a->latency_tail == b->latency_tail && a->latency_by_chance == b->latency_by_chance &&
           a->maker_fee_bps == b->maker_fee_bps && a->taker_fee_bps == b->taker_fee_bps &&
           a->funding_bps == b->funding_bps && a->funding_every == b->funding_every &&
           a->check_balance == b->check_balance && a->rate_max == b->rate_max &&
           a->rate_window == b->rate_window && a->outage_every == b->outage_every &&
           a->outage_for == b->outage_for && a->reject_ppm == b->reject_ppm &&
           a->drop_request_ppm == b->drop_request_ppm && a->drop_ack_ppm == b->drop_ack_ppm &&
           a->duplicate_fill_ppm == b->duplicate_fill_ppm && a->seed == b->seed;
}

static enum weir_err same_venue(const struct config_venue *a, const struct config_venue *b,
                                const char *path, struct why *why)
{
    char where[96];
    const struct fixed rows[] = {{"plugin", strcmp(a->plugin, b->plugin) == 0},
                                 {"account", strcmp(a->account, b->account) == 0},
                                 {"execution", a->execution == b->execution},
                                 {"endpoint", strcmp(a->ws, b->ws) == 0 &&
                                                  strcmp(a->http, b->http) == 0 &&
                                                  same_texts(a->ca_files, b->ca_files)},
                                 {"book_window", a->book_window == b->book_window},
                                 {"book_far", a->book_far == b->book_far},
                                 {"data_age_max", a->data_age_max == b->data_age_max},
                                 {"settings", same_settings(a->settings, b->settings)},
                                 {"paper", same_paper(&a->paper, &b->paper)}};
    snprintf(where, sizeof where, "venues.%s.", a->name);
    return ALL_SAME(rows, path, where, why);
}

static enum weir_err same_venues(const struct config *a, const struct config *b, struct why *why)
{
    bool same = a->venue_count == b->venue_count;
    for (size_t i = 0; same && i < a->venue_count; i++)
        same = strcmp(a->venues[i].name, b->venues[i].name) == 0;
    enum weir_err err =
        same ? WEIR_OK
             : because(why, WEIR_E_STATE,
                       "%s: venues differ from those that run; that needs a restart", b->path);
    for (size_t i = 0; !err && i < a->venue_count; i++)
        err = same_venue(&a->venues[i], &b->venues[i], b->path, why);
    return err;
}

static enum weir_err same_scripts(const struct config *a, const struct config *b, struct why *why)
{
    bool same = a->script_count == b->script_count;
    for (size_t i = 0; same && i < a->script_count; i++)
        same = strcmp(a->scripts[i].name, b->scripts[i].name) == 0 &&
               a->scripts[i].orders == b->scripts[i].orders &&
               strcmp(a->scripts[i].group, b->scripts[i].group) == 0;
    return same ? WEIR_OK
                : because(why, WEIR_E_STATE,
                          "%s: scripts, their rights or groups differ from those that run; that "
                          "needs a restart",
                          b->path);
}

static enum weir_err same_host(const struct config *a, const struct config *b, struct why *why)
{
    const struct fixed rows[] = {{"host.instance", a->instance == b->instance},
                                 {"host.journal", strcmp(a->journal, b->journal) == 0},
                                 {"host.journal_mode", a->journal_new == b->journal_new},
                                 {"host.sync", a->sync_always == b->sync_always},
                                 {"host.segment", a->segment == b->segment},
                                 {"host.disk_floor", a->disk_floor == b->disk_floor},
                                 {"host.index", a->index == b->index},
                                 {"host.record", strcmp(a->record, b->record) == 0 &&
                                                     a->record_segment == b->record_segment &&
                                                     a->record_disk == b->record_disk},
                                 {"host.state", strcmp(a->state, b->state) == 0},
                                 {"host.control", strcmp(a->control, b->control) == 0},
                                 {"host.orders", a->orders == b->orders},
                                 {"host.executions", a->executions == b->executions},
                                 {"host.client_ids", a->client_ids == b->client_ids},
                                 {"gateway.listen", strcmp(a->listen, b->listen) == 0},
                                 {"gateway.port", a->port == b->port},
                                 {"log.level", strcmp(a->log_level, b->log_level) == 0},
                                 {"log.form", a->log_json == b->log_json}};
    return ALL_SAME(rows, b->path, "", why);
}

/* Everything that the old configuration's texts were used for now uses the new one's. */
static void adopt(struct host *host, const struct config *config)
{
    host->config = config;
    for (size_t i = 0; i < host->venue_count; i++)
        host->venues[i].config = &config->venues[i];
    for (size_t i = 0; i < host->script_count; i++)
        host->scripts[i].config = &config->scripts[i];
}

enum weir_err host_reload(struct host *host, struct text *diff, struct why *why)
{
    const struct config *before = host->config;
    struct config *after = config_load(before->path, why);
    if (!after)
        return why->err;
    enum weir_err err = same_host(before, after, why);
    if (!err)
        err = same_venues(before, after, why);
    if (!err)
        err = same_scripts(before, after, why);
    for (size_t i = 0; !err && i < host->script_count; i++)
        if (!host_in_process(host, &after->scripts[i]))
            err = host_check_script(&after->scripts[i], why);
    for (size_t i = 0; !err && i < host->script_count; i++)
        err = host_prepare_script(host, &host->scripts[i], &after->scripts[i], diff, why);
    if (err) {
        for (size_t i = 0; i < host->script_count; i++)
            host_drop_script(&host->scripts[i]);
        config_destroy(after);
        return err;
    }
    config_diff(before, after, diff);
    if (diff->len && diff->data[diff->len - 1] == '\n')
        diff->data[--diff->len] = '\0';
    adopt(host, after);
    host_give_limits(host);
    host_tell_config(host);
    for (size_t i = 0; i < host->script_count; i++)
        host_commit_script(host, &host->scripts[i]);
    host_settle(host);
    config_destroy(host->reloaded); /* the one before this, if it was itself a reload */
    host->reloaded = after;
    return WEIR_OK;
}
