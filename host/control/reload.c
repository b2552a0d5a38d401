/* reload.c - a new configuration under a running host: validated whole, told in words, applied between
 * two events; on any error what runs stays as it is.
 *
 * What can change: limits, policies, scripts (their code and settings). What needs a restart is named and
 * refused: venues, the set of scripts, journal, instance. A script is loaded beside its running version,
 * which stays if the new one fails; limits change only after all scripts took. */
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

static enum weir_err same_venues(const struct config *a, const struct config *b, struct why *why)
{
    bool same = a->venue_count == b->venue_count;
    for (size_t i = 0; same && i < a->venue_count; i++)
        same = strcmp(a->venues[i].name, b->venues[i].name) == 0 &&
               strcmp(a->venues[i].plugin, b->venues[i].plugin) == 0 &&
               strcmp(a->venues[i].account, b->venues[i].account) == 0 &&
               strcmp(a->venues[i].ws, b->venues[i].ws) == 0 &&
               strcmp(a->venues[i].http, b->venues[i].http) == 0 &&
               same_texts(a->venues[i].ca_files, b->venues[i].ca_files) &&
               a->venues[i].execution == b->venues[i].execution;
    return same ? WEIR_OK
                : because(why, WEIR_E_STATE,
                          "%s: venues differ from those that run; that needs a restart", b->path);
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
    bool same = a->instance == b->instance && strcmp(a->journal, b->journal) == 0 &&
                a->sync_always == b->sync_always && a->orders == b->orders &&
                a->executions == b->executions && strcmp(a->control, b->control) == 0;
    return same ? WEIR_OK
                : because(why, WEIR_E_STATE,
                          "%s: section 'host' differs from what runs; that needs a restart",
                          b->path);
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
        err = host_check_script(&after->scripts[i], why);
    for (size_t i = 0; !err && i < host->script_count; i++)
        err = host_reload_script(host, &host->scripts[i], &after->scripts[i], diff, why);
    if (err) {
        config_destroy(after);
        return err;
    }
    config_diff(before, after, diff);
    adopt(host, after);
    host_give_limits(host);
    host_tell_config(host);
    host_settle(host);
    config_destroy(host->reloaded); /* the one before this, if it was itself a reload */
    host->reloaded = after;
    return WEIR_OK;
}
