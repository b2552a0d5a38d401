/* quarantine.c - a script that was stopped: told, journalled, its orders cancelled, its switch turned;
 * and the two ways back, by itself and by hand.
 *
 * STICKY   The switch of its strategy is the engine's, so it is an input of the journal and holds over
 *          restarts: a host that begins again on the same journal runs the script, but sends nothing
 *          but its cancels until `weir ctl arm`.
 * RETRIES  What was stopped by its own budget or error would be stopped again, so by default only a
 *          script whose process died comes back by itself: so often, after waits that double, until
 *          it has run for a while.                                           [engine thread] */
#include <stdio.h>

#include "base/log.h"
#include "control/host.h"

#define WELL ((weir_ns)600 * 1000000000) /* who ran for so long begins to count anew */
enum { DOUBLINGS_MOST = 16 };

static void turn_switch(struct host *host, const struct host_script *guest,
                        enum trading_state state)
{
    struct in_limit input = {.msg = {.size = sizeof input, .kind = IN_TRADING_STATE},
                             .scope = SCOPE_strategy,
                             .limit = (uint8_t)state,
                             .id = guest->strategy};
    host_push(host, &input.msg);
}

static void cancel_its_orders(struct host *host, const struct host_script *guest)
{
    struct in_change input = {
        .msg = {.size = sizeof input, .kind = IN_CANCEL_MANY, .venue = 0xffff},
        .strategy = guest->strategy,
        .asker = ASKER_HOST,
        .reason = "the script was quarantined"};
    host_push(host, &input.msg);
}

/* When, if at all, it is tried again. */
static void plan_retry(struct host *host, struct host_script *guest, bool crashed)
{
    const struct config_script *config = guest->config;
    weir_ns now = clock_now(&host->clock);
    guest->retry_at = INT64_MAX;
    if (now - guest->began > WELL)
        guest->tries = 0;
    if (host->stopping || guest->tries >= config->retries || config->retry == RETRY_NEVER ||
        (config->retry == RETRY_CRASH && !crashed))
        return;
    uint32_t doublings = guest->tries < DOUBLINGS_MOST ? guest->tries : DOUBLINGS_MOST;
    guest->retry_at = now + (config->retry_wait << doublings);
    guest->tries++;
}

static void tell(struct host *host, const struct host_script *guest,
                 const struct script_report *report)
{
    const char *name = guest->config->name;
    const struct script_alert alert = {
        .level = "critical", .text = report->reason, .venue = "", .symbol = ""};
    host_tell_quarantine(host, guest, report);
    host_note_alert(host, guest->strategy, &alert);
    if (host->options.on_log)
        return;
    log_line(LOG_ERROR, name, "%s: %s%s%s", script_outcome_name(report->outcome), report->reason,
             *report->detail ? "\n" : "", report->detail);
    if (guest->retry_at != INT64_MAX)
        log_line(LOG_WARN, name, "try %u of %u begins in %lld ms", guest->tries,
                 guest->config->retries,
                 (long long)((guest->retry_at - clock_now(&host->clock)) / 1000000));
    else if (!host->stopping && !host->options.virtual_time)
        log_line(LOG_WARN, name, "it stays stopped; `weir ctl arm %s` starts it again", name);
}

void host_script_ended(struct host *host, struct host_script *guest)
{
    struct script_report report;
    script_report(guest->script, &report);
    plan_retry(host, guest, report.crashed);
    tell(host, guest, &report);
    if (guest->config->orders && report.outcome == SCRIPT_QUARANTINED)
        turn_switch(host, guest, TRADING_CANCEL_ONLY);
    if (guest->config->cancel_on_quarantine)
        cancel_its_orders(host, guest);
}

enum weir_err host_revive_script(struct host *host, struct host_script *guest, struct why *why)
{
    enum weir_err err = host_restart_script(host, guest, why);
    if (!err) {
        guest->retry_at = INT64_MAX;
        guest->began = clock_now(&host->clock);
    }
    return err;
}

weir_ns host_next_retry(const struct host *host)
{
    weir_ns next = INT64_MAX;
    for (size_t i = 0; i < host->script_count; i++)
        if (host->scripts[i].outcome != SCRIPT_OK && host->scripts[i].retry_at < next)
            next = host->scripts[i].retry_at;
    return next;
}

/* One that does not even load counts as a try, too. */
void host_retries(struct host *host)
{
    weir_ns now = clock_now(&host->clock);
    for (size_t i = 0; i < host->script_count; i++) {
        struct host_script *guest = &host->scripts[i];
        struct why why;
        if (guest->outcome == SCRIPT_OK || guest->retry_at > now || host->stopping)
            continue;
        log_line(LOG_INFO, guest->config->name, "started again, try %u of %u", guest->tries,
                 guest->config->retries);
        if (host_revive_script(host, guest, &why)) {
            log_line(LOG_ERROR, guest->config->name, "%s", why.text);
            plan_retry(host, guest, true);
        }
        host_settle(host);
    }
}
