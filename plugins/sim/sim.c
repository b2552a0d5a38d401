/* sim.c - a whole exchange in a plugin: the venue that is always there.
 *
 * It needs no network: the market is drawn from a seed (flow.c), matched here (exchange.c), and our
 * account's orders stand in the same books (account.c). Answers take the latency of the settings.
 * One timer drives it; what is due is done at the time for which it was planned, in order.
 *
 * Settings are listed in settings.c; each has a default. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

enum { TIMER = 1 };
/* A host that slept longer than this misses what would have happened. */
#define BACKLOG_MAX (5 * SECOND)

struct sim {
    const struct weir_host *host;
    struct settings settings;
    struct exchange *exchange;
    struct flow *flow;
    struct desk *desk;
};

static void close_session(void *session)
{
    struct sim *sim = session;
    if (!sim)
        return;
    flow_destroy(sim->flow);
    exchange_destroy(sim->exchange);
    free(sim);
}

static enum weir_err open_session(const struct weir_host *host, const struct weir_setting *settings,
                                  void **session_out)
{
    struct sim *sim = calloc(1, sizeof *sim);
    if (!sim)
        return WEIR_E_NO_MEMORY;
    sim->host = host;
    enum weir_err err = settings_read(host, settings, &sim->settings);
    if (err == WEIR_OK) {
        err = WEIR_E_NO_MEMORY;
        sim->exchange = exchange_create(host, &sim->settings);
        sim->flow = sim->exchange ? flow_create(sim->exchange) : NULL;
    }
    if (sim->flow) {
        sim->desk = account_create(sim->exchange);
        err = sim->desk ? WEIR_OK : WEIR_E_BAD_CONFIG;
    }
    if (err != WEIR_OK) {
        close_session(sim);
        return err;
    }
    *session_out = sim;
    return WEIR_OK;
}

/* --- time --------------------------------------------------------------------------------------*/

static weir_ns next_snapshot(const struct sim *sim, uint32_t *index_out)
{
    weir_ns next = INT64_MAX;
    for (uint32_t i = 0; i < sim->settings.instrument_count; i++)
        if (sim->exchange->markets[i].snapshot_at < next) {
            next = sim->exchange->markets[i].snapshot_at;
            *index_out = i;
        }
    return next;
}

static weir_ns earliest(weir_ns a, weir_ns b)
{
    return a < b ? a : b;
}

static enum weir_err plan(struct sim *sim)
{
    uint32_t index;
    weir_ns next = earliest(flow_next(sim->flow), desk_next(sim->desk));
    return sim->host->timer(sim->host->host, TIMER, earliest(next, next_snapshot(sim, &index)));
}

static void skip_to(struct sim *sim, weir_ns now)
{
    char text[96];
    snprintf(text, sizeof text,
             "the host stood still for %lld ms: the market of that time is left out",
             (long long)((now - flow_next(sim->flow)) / MILLISECOND));
    sim->host->log(sim->host->host, text);
    flow_skip_to(sim->flow, now);
}

/* Everything that is due, in the order of its time: ours before the crowd's, then snapshots. */
static void run(struct sim *sim, weir_ns now)
{
    if (now - flow_next(sim->flow) > BACKLOG_MAX)
        skip_to(sim, now);
    for (;;) {
        uint32_t index = 0;
        weir_ns ours = desk_next(sim->desk), theirs = flow_next(sim->flow);
        weir_ns asked = next_snapshot(sim, &index);
        if (earliest(ours, earliest(theirs, asked)) > now)
            return;
        if (ours <= theirs && ours <= asked) {
            desk_run(sim->desk, ours);
        } else if (theirs <= asked) {
            flow_step(sim->flow);
        } else {
            sim->exchange->now = asked;
            exchange_snapshot(sim->exchange, index);
        }
    }
}

static enum weir_err start(void *session, weir_ns now)
{
    struct sim *sim = session;
    sim->exchange->now = now;
    for (uint32_t i = 0; i < sim->settings.instrument_count; i++)
        sim->host->emit(sim->host->host, &sim->settings.instruments[i].msg);
    flow_open(sim->flow, now);
    desk_start(sim->desk, now);
    return plan(sim);
}

static enum weir_err on_timer(void *session, uint32_t id, weir_ns now)
{
    struct sim *sim = session;
    if (id != TIMER)
        return WEIR_E_NOT_FOUND;
    run(sim, now);
    return plan(sim);
}

static enum weir_err on_frame(void *session, uint32_t conn, weir_ns now, struct weir_bytes frame)
{
    (void)session, (void)conn, (void)now, (void)frame;
    return WEIR_E_UNSUPPORTED; /* it asked for no connection */
}

static enum weir_err on_intent(void *session, weir_ns now, const struct weir_intent *intent)
{
    struct sim *sim = session;
    uint32_t number = intent->msg.instrument;
    enum weir_err err = WEIR_OK;
    if (intent->msg.kind == WEIR_RESYNC || intent->msg.kind == WEIR_SUBSCRIBE) {
        if (number == 0 || number > sim->settings.instrument_count)
            return WEIR_E_NOT_FOUND;
        weir_ns *at = &sim->exchange->markets[number - 1].snapshot_at;
        *at = earliest(*at, now + sim->settings.latency);
    } else {
        err = desk_intent(sim->desk, now, intent);
    }
    return err == WEIR_OK ? plan(sim) : err;
}

static const struct weir_caps caps = {
    .size = sizeof caps,
    .order_types = 1u << WEIR_LIMIT | 1u << WEIR_MARKET,
    .tifs = 1u << WEIR_GTC | 1u << WEIR_IOC | 1u << WEIR_FOK,
    .order_flags = WEIR_POST_ONLY | WEIR_REDUCE_ONLY,
    .orders = 1,
    .amend = 1,
    .cancel_all = 1,
    .query_by_client_id = 1,
    .open_orders = 1,
    .fills_since = 1,
    .book_rule = WEIR_RULE_NEXT,
    .client_id_max = WEIR_ID_MAX - 1,
    .absence_proves_after = 5 * SECOND,
    .data_age_max = 5 * SECOND,
};

__attribute__((visibility("default"))) const struct weir_plugin weir_plugin = {
    .magic = WEIR_MAGIC,
    .size = sizeof(struct weir_plugin),
    .abi = WEIR_ABI,
    .layout = WEIR_LAYOUT,
    .name = "sim",
    .version = "0.1.0",
    .caps = &caps,
    .open = open_session,
    .close = close_session,
    .start = start,
    .on_frame = on_frame,
    .on_timer = on_timer,
    .on_intent = on_intent,
};
