/* late.c - prices that wait until somebody looks (host_options.lazy).
 *
 * A recording of one day has millions of best prices; a strategy that wakes up ten times a second sees
 * some thousand of them. The books and paper execution take all of them; the engine, which values
 * positions and judges orders by them, needs the one that holds when it is asked. */
#include <stdlib.h>

#include "control/host.h"

enum weir_err host_open_late(struct host *host, struct why *why)
{
    host->lazy = host->options.lazy && host->options.virtual_time;
    if (!host->lazy)
        return WEIR_OK;
    host->late = calloc(host->instrument_room + 1, sizeof *host->late);
    host->late_list = calloc(host->instrument_room + 1, sizeof *host->late_list);
    return host->late && host->late_list
               ? WEIR_OK
               : because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
}

void host_close_late(struct host *host)
{
    free(host->late);
    free(host->late_list);
}

static bool is_wanted(const struct host *host, const struct weir_msg *event)
{
    for (size_t i = 0; i < host->script_count; i++)
        if (script_wants(host->scripts[i].script, (enum weir_kind)event->kind, event->instrument))
            return true;
    return false;
}

bool host_is_late(struct host *host, const struct weir_msg *event)
{
    bool top = event->kind == WEIR_TOP;
    if (!host->lazy || (!top && event->kind != WEIR_TRADE) || is_wanted(host, event) ||
        !queue_empty(&host->inputs)) /* it may be of an instrument that is defined there */
        return false;
    if (!top)
        return true; /* nobody will miss it */
    struct weir_top *late = &host->late[event->instrument];
    if (late->msg.size == 0)
        host->late_list[host->late_count++] = event->instrument;
    *late = *(const struct weir_top *)event;
    return true;
}

void host_catch_up(struct host *host)
{
    for (uint32_t i = 0; i < host->late_count; i++) {
        struct weir_top top = host->late[host->late_list[i]];
        host->late[host->late_list[i]].msg.size = 0;
        (void)host_take(host, &top.msg);
    }
    host->late_count = 0;
}
