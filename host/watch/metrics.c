/* metrics.c - names by Prometheus' conventions: base units, _total on counters, few labels. */
#include "watch/metrics.h"

#include <inttypes.h>
#include <string.h>

#define METRICS(X)                                                                            \
    X(weir_up_seconds, gauge, "time since the host began")                                    \
    X(weir_inputs_total, counter, "inputs applied by the engine")                             \
    X(weir_effects_total, counter, "effects of the engine")                                   \
    X(weir_orders_sent_total, counter, "requests sent to venues, by kind")                    \
    X(weir_orders_denied_total, counter, "orders refused by the host, by check")              \
    X(weir_orders_live, gauge, "orders that have not ended")                                  \
    X(weir_executions_total, counter, "executions booked")                                    \
    X(weir_alerts_total, counter, "alerts raised, by name")                                   \
    X(weir_kill_switch, gauge, "1: the kill switch is pulled")                                \
    X(weir_venue_up, gauge, "1: the private stream of the venue is up")                       \
    X(weir_venue_frames_total, counter, "messages taken from the venue")                      \
    X(weir_venue_errors_total, counter, "messages that the plugin or session refused")        \
    X(weir_book_gaps_total, counter, "books that lost their sequence")                        \
    X(weir_books_live, gauge, "books in step with the venue")                                 \
    X(weir_script_quarantined, gauge, "1: the script was stopped")                            \
    X(weir_script_callbacks_total, counter, "calls into the script")                          \
    X(weir_script_memory_bytes, gauge, "memory of the script's Lua state")                    \
    X(weir_journal_records_total, counter, "records appended")                                \
    X(weir_journal_lag_records, gauge, "records not on disk yet")                             \
    X(weir_journal_failed, gauge, "1: the journal cannot be written; new orders are refused") \
    X(weir_observer_lost_total, counter, "messages that slow observers lost")                 \
    X(weir_stage_duration_seconds, histogram, "time spent in one stage of an order's way")

enum metric {
#define X(name, type, text) METRIC_##name,
    METRICS(X)
#undef X
        METRIC_COUNT
};

static const struct {
    const char *name, *type, *text;
} list[] = {
#define X(name, type, text) {#name, #type, text},
    METRICS(X)
#undef X
};

static void begin(struct text *out, enum metric metric)
{
    text_say(out, "# HELP %s %s\n# TYPE %s %s\n", list[metric].name, list[metric].text,
             list[metric].name, list[metric].type);
}

static void one(struct text *out, enum metric metric, uint64_t value)
{
    begin(out, metric);
    text_say(out, "%s %" PRIu64 "\n", list[metric].name, value);
}

static void labelled(struct text *out, enum metric metric, const char *label, const char *of,
                     uint64_t value)
{
    text_say(out, "%s{%s=\"%s\"} %" PRIu64 "\n", list[metric].name, label, of, value);
}

static void orders(const struct mirror *m, struct text *out)
{
    begin(out, METRIC_weir_orders_sent_total);
    labelled(out, METRIC_weir_orders_sent_total, "kind", "new", m->sent_new);
    labelled(out, METRIC_weir_orders_sent_total, "kind", "cancel", m->sent_cancel);
    labelled(out, METRIC_weir_orders_sent_total, "kind", "replace", m->sent_replace);
    begin(out, METRIC_weir_orders_denied_total);
    for (int c = 0; c < RISK_CHECK_COUNT; c++)
        labelled(out, METRIC_weir_orders_denied_total, "check", risk_check_name((enum risk_check)c),
                 m->denied_by[c]);
    begin(out, METRIC_weir_alerts_total);
    for (int a = 0; a < ALERT_COUNT; a++)
        labelled(out, METRIC_weir_alerts_total, "alert", alert_name((enum alert)a),
                 m->alerts_by[a]);
    labelled(out, METRIC_weir_alerts_total, "alert", "SCRIPT", m->alerts_by[ALERT_COUNT]);
}

static uint64_t of_venue(const struct seen_venue *venue, enum metric metric)
{
    switch (metric) {
    case METRIC_weir_venue_up: return venue->up;
    case METRIC_weir_venue_frames_total: return venue->note.frames;
    case METRIC_weir_venue_errors_total: return venue->note.errors;
    case METRIC_weir_book_gaps_total: return venue->note.gaps;
    default: return venue->note.live;
    }
}

static void venues(const struct mirror *m, struct text *out)
{
    for (int metric = METRIC_weir_venue_up; metric <= METRIC_weir_books_live; metric++) {
        begin(out, (enum metric)metric);
        for (int v = 0; v < 256; v++)
            if (m->venues[v].known)
                labelled(out, (enum metric)metric, "venue", m->venues[v].name,
                         of_venue(&m->venues[v], (enum metric)metric));
    }
}

static void scripts(const struct mirror *m, struct text *out)
{
    for (int metric = METRIC_weir_script_quarantined; metric <= METRIC_weir_script_memory_bytes;
         metric++) {
        begin(out, (enum metric)metric);
        for (size_t i = 1; i < m->strategy_count; i++) {
            const struct seen_strategy *s = &m->strategies[i];
            if (s->known && s->note.file[0])
                labelled(out, (enum metric)metric, "script", s->name,
                         metric == METRIC_weir_script_quarantined       ? s->note.state != 0
                         : metric == METRIC_weir_script_callbacks_total ? s->note.callbacks
                                                                        : s->note.memory);
        }
    }
}

/* Nanoseconds as seconds, exactly. */
static void seconds(struct text *out, uint64_t ns)
{
    char text[DECIMAL_TEXT_MAX];
    decimal_print((int64_t)ns, 9, text);
    text_say(out, "%s", text);
}

static void stage_lines(const struct histogram *h, const char *stage, struct text *out)
{
    static const uint64_t bounds[] = {
        250,      500,       1000,      2500,      5000,       10000,     25000,    50000,
        100000,   250000,    500000,    1000000,   2500000,    5000000,   10000000, 25000000,
        50000000, 100000000, 250000000, 500000000, 1000000000, 5000000000};
    const char *name = list[METRIC_weir_stage_duration_seconds].name;
    uint64_t count = atomic_load_explicit(&h->count, memory_order_relaxed);
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        uint64_t below = histogram_below(h, bounds[i]);
        text_say(out, "%s_bucket{stage=\"%s\",le=\"", name, stage);
        seconds(out, bounds[i]);
        text_say(out, "\"} %" PRIu64 "\n", below < count ? below : count);
    }
    text_say(out, "%s_bucket{stage=\"%s\",le=\"+Inf\"} %" PRIu64 "\n%s_sum{stage=\"%s\"} ", name,
             stage, count, name, stage);
    seconds(out, atomic_load_explicit(&h->sum, memory_order_relaxed));
    text_say(out, "\n%s_count{stage=\"%s\"} %" PRIu64 "\n", name, stage, count);
}

void metrics_print(const struct mirror *m, const struct stages *stages, uint64_t tap_lost,
                   struct text *out)
{
    static const char *const names[] = {
#define X(name, text) #name,
        STAGES(X)
#undef X
    };
    one(out, METRIC_weir_up_seconds, (uint64_t)((m->now - m->started) / 1000000000));
    one(out, METRIC_weir_inputs_total, m->host.inputs);
    one(out, METRIC_weir_effects_total, m->host.effects);
    orders(m, out);
    one(out, METRIC_weir_orders_live, m->live_orders);
    one(out, METRIC_weir_executions_total, m->execution_total);
    one(out, METRIC_weir_kill_switch, m->killed);
    venues(m, out);
    scripts(m, out);
    one(out, METRIC_weir_journal_records_total, m->host.journal_seq);
    one(out, METRIC_weir_journal_lag_records,
        m->host.journal_seq > m->host.journal_durable
            ? m->host.journal_seq - m->host.journal_durable
            : 0);
    one(out, METRIC_weir_journal_failed, m->host.journal_failed);
    one(out, METRIC_weir_observer_lost_total, tap_lost);
    begin(out, METRIC_weir_stage_duration_seconds);
    for (int s = 0; s < TIMED_COUNT; s++)
        stage_lines(&stages->of[s], names[s], out);
}

void metrics_describe(struct text *out)
{
    text_say(out, "| metric | type | meaning |\n| --- | --- | --- |\n");
    for (int i = 0; i < METRIC_COUNT; i++)
        text_say(out, "| `%s` | %s | %s |\n", list[i].name, list[i].type, list[i].text);
}
