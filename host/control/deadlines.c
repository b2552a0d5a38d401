/* deadlines.c - requests that have had no answer in time.
 *
 * Each request that leaves is noted with its deadline, first in, first out (a venue's time-out is one
 * number). When it is due and the order still waits for that very answer, the engine is told of the
 * silence, which resolves nothing: the order becomes UNKNOWN, or its request ambiguous, and the venue
 * is asked. */
#include <string.h>

#include "base/log.h"
#include "control/host.h"

static const struct {
    uint16_t kind;
    uint8_t request;
    uint8_t waits; /* label while the answer is open */
} requests[] = {{WEIR_NEW, WEIR_REQUEST_NEW, ORDER_PENDING_NEW},
                {WEIR_CANCEL, WEIR_REQUEST_CANCEL, ORDER_PENDING_CANCEL},
                {WEIR_REPLACE, WEIR_REQUEST_REPLACE, ORDER_PENDING_REPLACE}};

static bool still_waits(const struct host *host, const struct weir_report *report)
{
    struct order_view view;
    uint32_t order = engine_order_by_wire(host->engine, report->client_id);
    return engine_order(host->engine, order, &view) &&
           view.order.label == requests[report->request].waits;
}

/* The oldest that have their answer need not wait for their time. */
static void drop_answered(const struct host *host, struct host_venue *venue)
{
    const struct weir_msg *first;
    while ((first = queue_front(&venue->waiting)) != NULL &&
           !still_waits(host, (const struct weir_report *)first))
        queue_drop(&venue->waiting);
}

void host_note_request(struct host *host, struct host_venue *venue,
                       const struct weir_intent *intent)
{
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        if (requests[i].kind != intent->msg.kind || venue->config->answer_timeout == 0)
            continue;
        struct weir_report report = {.msg = intent->msg, .request = requests[i].request};
        report.msg.size = sizeof report;
        report.msg.kind = WEIR_NO_ANSWER;
        report.msg.flags = 0;
        report.msg.t = clock_now(&host->clock) + venue->config->answer_timeout;
        memcpy(report.client_id, intent->client_id, sizeof report.client_id);
        memcpy(report.reason, "no answer in time", sizeof "no answer in time");
        drop_answered(host, venue);
        if (!queue_push(&venue->waiting, &report.msg))
            log_line(LOG_ERROR, venue->config->name,
                     "too many requests wait for an answer; one has no deadline");
    }
}

weir_ns host_next_deadline(const struct host_venue *venue)
{
    const struct weir_msg *first = queue_front(&venue->waiting);
    return first ? first->t : INT64_MAX;
}

void host_deadlines(struct host *host, struct host_venue *venue)
{
    const struct weir_msg *first;
    while ((first = queue_front(&venue->waiting)) != NULL && first->t <= clock_now(&host->clock)) {
        if (still_waits(host, (const struct weir_report *)first))
            host_push(host, first);
        queue_drop(&venue->waiting);
    }
}
