/* json.c - what was gathered, as JSON: amounts as decimal texts, times as whole nanoseconds in texts. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "control/report/report.h"

enum { EXECUTIONS_TOLD = 20000 };

static void text_field(struct text *out, const char *key, const char *value)
{
    json_key(out, key);
    if (value)
        json_string(out, value);
    else
        json_null(out);
}

static void count_field(struct text *out, const char *key, uint64_t value)
{
    json_key(out, key);
    json_uint(out, value);
}

static void money_field(struct text *out, const char *key, amount value)
{
    json_key(out, key);
    json_amount(out, value);
}

static void time_field(struct text *out, const char *key, weir_ns t)
{
    json_key(out, key);
    json_decimal(out, t, 0);
}

/* A statistic with 4 places; null: it is not defined. */
static void ratio_field(struct text *out, const char *key, bool defined, double value)
{
    json_key(out, key);
    if (defined && fabs(value) < 1e12)
        json_decimal(out, llround(value * 10000), 4);
    else
        json_null(out);
}

static void part_field(struct text *out, const char *key, uint64_t part, uint64_t of)
{
    ratio_field(out, key, of > 0, of > 0 ? (double)part / (double)of : 0);
}

/* part / of of two amounts, with 8 places. */
static void share_field(struct text *out, const char *key, amount part, amount of)
{
    double share = of > 0 ? (double)part / (double)of : 0;
    json_key(out, key);
    if (of > 0 && fabs(share) < 1e9)
        json_decimal(out, llround(share * 1e8), 8);
    else
        json_null(out);
}

static void slippage_field(struct text *out, const struct tally_sums *sums)
{
    json_key(out, "slippage_bps");
    if (sums->slippage_worth > 0)
        json_decimal(out, (int64_t)(sums->slippage / sums->slippage_worth), 4);
    else
        json_null(out);
}

/* --- metrics -----------------------------------------------------------------------------------*/

static void metrics_json(const struct tally *tally, const struct metrics *m, struct text *out)
{
    const struct tally_sums *sums = &m->sums;
    json_key(out, "metrics");
    json_object(out);
    text_field(out, "asset", m->asset);
    money_field(out, "net_pnl", m->net);
    money_field(out, "realized_pnl", m->realized);
    money_field(out, "unrealized_pnl", m->unrealized);
    money_field(out, "fees", m->fees);
    money_field(out, "funding", m->funding);
    money_field(out, "turnover", m->turnover);
    money_field(out, "capital", m->capital);
    share_field(out, "return", m->net, m->capital);
    money_field(out, "max_drawdown", m->drawdown);
    share_field(out, "max_drawdown_of_capital", m->drawdown, m->capital);
    time_field(out, "max_drawdown_from", m->drawdown_from);
    time_field(out, "max_drawdown_to", m->drawdown_to);
    ratio_field(out, "sharpe", m->has_ratios, m->sharpe);
    ratio_field(out, "sortino", m->has_ratios && m->sortino != 0, m->sortino);
    part_field(out, "win_rate", sums->wins, sums->wins + sums->losses);
    share_field(out, "profit_factor", sums->won, sums->lost);
    part_field(out, "fill_ratio", sums->filled_orders, sums->orders);
    part_field(out, "maker_share", sums->makers, sums->executions);
    slippage_field(out, sums);
    part_field(out, "exposure", (uint64_t)m->exposed, m->span > 0 ? (uint64_t)m->span : 0);
    time_field(out, "sample_ns", tally->sample_every);
    json_end(out);
    json_key(out, "not_converted");
    json_array(out);
    for (uint32_t a = 0; a < tally->asset_count; a++)
        if (m->left_out[a] || tally->assets[a].foreign_fees != 0)
            json_string(out, tally->assets[a].name);
    json_end(out);
}

/* --- orders ------------------------------------------------------------------------------------*/

static void orders_json(const struct report_run *run, struct text *out)
{
    const struct engine_counts *counts = engine_counts(run->engine);
    static const struct {
        enum order_label label;
        const char *key;
    } ends[] = {{ORDER_FILLED, "filled"},
                {ORDER_CANCELED, "canceled"},
                {ORDER_EXPIRED, "expired"},
                {ORDER_REJECTED, "rejected"},
                {ORDER_DENIED, "denied"}};
    json_key(out, "orders");
    json_object(out);
    count_field(out, "sent", counts->sent_new);
    count_field(out, "cancels", counts->sent_cancel);
    count_field(out, "replaces", counts->sent_replace);
    count_field(out, "live", counts->live_orders);
    count_field(out, "unknown", counts->unknown_orders);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        count_field(out, ends[i].key, run->tally->labels[ends[i].label]);
    json_end(out);
    count_field(out, "fills", counts->executions);
    json_key(out, "denied");
    json_object(out);
    for (int c = 0; c < RISK_CHECK_COUNT; c++)
        if (counts->denied_by[c])
            count_field(out, risk_check_name((enum risk_check)c), counts->denied_by[c]);
    json_end(out);
}

static void reasons_json(const struct tally *tally, enum order_label label, const char *key,
                         struct text *out)
{
    json_key(out, key);
    json_object(out);
    for (uint32_t i = 0; i < tally->reason_count; i++)
        if (tally->reasons[i].label == label)
            count_field(out, *tally->reasons[i].text ? tally->reasons[i].text : "no reason given",
                        tally->reasons[i].count);
    json_end(out);
}

static void alerts_json(const struct tally *tally, struct text *out)
{
    json_key(out, "alerts");
    json_object(out);
    for (int a = 0; a < ALERT_COUNT; a++)
        if (tally->alerts[a])
            count_field(out, alert_name((enum alert)a), tally->alerts[a]);
    json_end(out);
}

/* --- tables ------------------------------------------------------------------------------------*/

static void sums_json(const struct tally_sums *sums, struct text *out)
{
    count_field(out, "orders", sums->orders);
    count_field(out, "fills", sums->executions);
    part_field(out, "fill_ratio", sums->filled_orders, sums->orders);
    part_field(out, "maker_share", sums->makers, sums->executions);
    part_field(out, "win_rate", sums->wins, sums->wins + sums->losses);
    slippage_field(out, sums);
}

static const char *name_of(const struct engine *engine, enum risk_scope scope, uint32_t id)
{
    return engine_name(engine, scope, id);
}

static void instrument_json(const struct report_run *run, uint32_t number, struct text *out)
{
    const struct tally_instrument *of = &run->tally->instruments[number];
    struct position_view view = {.qty = 0};
    (void)engine_position(run->engine, number, 0, &view);
    json_object(out);
    text_field(out, "venue", name_of(run->engine, SCOPE_venue, of->is.msg.venue));
    text_field(out, "instrument", of->is.symbol);
    text_field(out, "asset", of->is.kind == WEIR_INVERSE ? of->is.base : of->is.quote);
    sums_json(&of->sums, out);
    json_key(out, "qty");
    json_decimal(out, view.qty, of->is.qty_exp);
    json_key(out, "qty_max");
    json_decimal(out, of->qty_max, of->is.qty_exp);
    json_key(out, "qty_min");
    json_decimal(out, of->qty_min, of->is.qty_exp);
    money_field(out, "avg_price", view.avg_price);
    money_field(out, "realized_pnl", view.realized);
    money_field(out, "unrealized_pnl", view.unrealized);
    money_field(out, "fees", of->sums.fees);
    money_field(out, "funding", of->sums.funding);
    money_field(out, "turnover", of->sums.turnover);
    json_end(out);
}

static void instruments_json(const struct report_run *run, struct text *out)
{
    json_key(out, "positions");
    json_array(out);
    for (uint32_t i = 1; i <= run->tally->instrument_count; i++)
        if (run->tally->instruments[i].known && run->tally->instruments[i].sums.orders > 0)
            instrument_json(run, i, out);
    json_end(out);
}

/* What a strategy made, asset by asset, in the report's. */
static void strategy_sums(const struct tally *tally, const struct metrics *m, uint32_t strategy,
                          struct tally_sums *out)
{
    uint32_t last = tally->sample_count ? tally->sample_count - 1 : 0;
    *out = (struct tally_sums){0};
    for (uint32_t a = 0; a < tally->asset_count; a++) {
        const struct tally_sums *part = &tally->strategies[strategy * ASSETS_MAX + a];
        amount fees = 0, turnover = 0;
        metrics_add_counts(out, part);
        if (metrics_convert(tally, a, last, part->fees, m->asset, &fees) &&
            metrics_convert(tally, a, last, part->turnover, m->asset, &turnover)) {
            out->fees += fees;
            out->turnover += turnover;
        }
    }
}

static void strategy_money(const struct report_run *run, const struct metrics *m, uint32_t strategy,
                           amount fees, struct text *out)
{
    const struct tally *tally = run->tally;
    uint32_t last = tally->sample_count ? tally->sample_count - 1 : 0;
    amount realized = 0, open = 0;
    for (uint32_t i = 1; i <= tally->instrument_count; i++) {
        const struct tally_instrument *of = &tally->instruments[i];
        struct position_view view;
        amount part;
        if (!of->touched || of->settle >= ASSETS_MAX ||
            !engine_position(run->engine, i, strategy, &view))
            continue;
        if (metrics_convert(tally, of->settle, last, view.realized, m->asset, &part))
            realized += part;
        if (metrics_convert(tally, of->settle, last, view.unrealized, m->asset, &part))
            open += part;
    }
    money_field(out, "realized_pnl", realized);
    money_field(out, "unrealized_pnl", open);
    money_field(out, "fees", fees);
    money_field(out, "net_pnl", realized + open - fees);
}

static void strategies_json(const struct report_run *run, const struct metrics *m, struct text *out)
{
    json_key(out, "strategies");
    json_array(out);
    for (uint32_t s = 1; s <= run->tally->strategy_max; s++) {
        const char *name = name_of(run->engine, SCOPE_strategy, s);
        const char *sha = NULL;
        struct tally_sums sums;
        if (!*name)
            continue;
        for (const struct report_pair *p = run->scripts; p && p->key; p++)
            if (strcmp(p->key, name) == 0)
                sha = p->value;
        json_object(out);
        text_field(out, "name", name);
        text_field(out, "sha256", sha);
        strategy_sums(run->tally, m, s, &sums);
        sums_json(&sums, out);
        strategy_money(run, m, s, sums.fees, out);
        money_field(out, "turnover", sums.turnover);
        json_end(out);
    }
    json_end(out);
}

/* --- series and executions ---------------------------------------------------------------------*/

static void instrument_series(const struct report_run *run, uint32_t number, struct text *out)
{
    const struct tally *tally = run->tally;
    const struct tally_instrument *of = &tally->instruments[number];
    json_object(out);
    text_field(out, "venue", name_of(run->engine, SCOPE_venue, of->is.msg.venue));
    text_field(out, "instrument", of->is.symbol);
    json_key(out, "mid");
    json_array(out);
    for (uint32_t s = 0; s < tally->sample_count; s++) {
        amount mid = amount_from(of->mids_x2[s], of->is.price_exp) / 2;
        if (mid > 0)
            json_amount(out, mid);
        else
            json_null(out);
    }
    json_end(out);
    json_key(out, "position");
    json_array(out);
    for (uint32_t s = 0; s < tally->sample_count; s++)
        json_decimal(out, of->positions[s], of->is.qty_exp);
    json_end(out);
    json_end(out);
}

static void series_json(const struct report_run *run, const struct metrics *m, struct text *out)
{
    const struct tally *tally = run->tally;
    json_key(out, "series");
    json_object(out);
    json_key(out, "t_ms");
    json_array(out);
    for (uint32_t s = 0; s < tally->sample_count; s++)
        json_int(out, tally->sample_t[s] / 1000000);
    json_end(out);
    json_key(out, "equity");
    json_array(out);
    for (uint32_t s = 0; s < tally->sample_count; s++)
        json_amount(out, m->equity[s]);
    json_end(out);
    json_key(out, "instruments");
    json_array(out);
    for (uint32_t i = 1; i <= tally->instrument_count; i++)
        if (tally->instruments[i].touched && tally->instruments[i].mids_x2)
            instrument_series(run, i, out);
    json_end(out);
    json_end(out);
}

static void execution_json(const struct report_run *run, const struct tally_execution *e,
                           struct text *out)
{
    const struct weir_instrument *is = &run->tally->instruments[e->instrument].is;
    json_object(out);
    time_field(out, "t", e->t);
    text_field(out, "venue", name_of(run->engine, SCOPE_venue, is->msg.venue));
    text_field(out, "instrument", is->symbol);
    text_field(out, "strategy", name_of(run->engine, SCOPE_strategy, e->strategy));
    text_field(out, "side", e->side == WEIR_BUY ? "buy" : "sell");
    json_key(out, "qty");
    json_decimal(out, e->qty, is->qty_exp);
    json_key(out, "px");
    json_decimal(out, e->px, is->price_exp);
    money_field(out, "fee", e->fee);
    text_field(out, "fee_asset", e->fee_asset);
    text_field(out, "liquidity", e->internal ? "internal" : e->maker ? "maker" : "taker");
    json_key(out, "slippage_bps");
    if (e->has_slippage)
        json_decimal(out, e->slippage, 4);
    else
        json_null(out);
    json_end(out);
}

static void executions_json(const struct report_run *run, struct text *out)
{
    const struct tally *tally = run->tally;
    uint32_t told =
        tally->execution_count < EXECUTIONS_TOLD ? tally->execution_count : EXECUTIONS_TOLD;
    json_key(out, "executions");
    json_array(out);
    for (uint32_t i = 0; i < told; i++)
        execution_json(run, &tally->executions[i], out);
    json_end(out);
    count_field(out, "executions_left_out",
                tally->execution_count - told + tally->executions_left_out);
}

/* --- all of it ---------------------------------------------------------------------------------*/

static void parameters_json(const struct report_run *run, struct text *out)
{
    json_key(out, "parameters");
    json_object(out);
    for (const struct report_pair *p = run->parameters; p && p->key; p++)
        text_field(out, p->key, p->value);
    json_end(out);
    json_key(out, "config");
    json_object(out);
    text_field(out, "path", run->config);
    text_field(out, "sha256", run->config_sha256);
    json_end(out);
}

static void span_json(const struct report_run *run, struct text *out)
{
    json_key(out, "span");
    json_object(out);
    time_field(out, "from", run->tally->first);
    time_field(out, "to", run->tally->last);
    json_key(out, "seconds");
    json_decimal(out, (run->tally->last - run->tally->first) / 1000000, 3);
    count_field(out, "messages", run->messages);
    count_field(out, "left_out", run->left_out);
    count_field(out, "book_gaps", run->gaps);
    json_end(out);
}

static void speed_json(const struct report_run *run, struct text *out)
{
    json_key(out, "speed");
    json_object(out);
    text_field(out, "mode", run->mode);
    json_key(out, "seconds");
    json_decimal(out, run->took / 1000000, 3);
    json_key(out, "cpu_seconds");
    json_decimal(out, run->cpu / 1000000, 3);
    json_key(out, "decoding_seconds");
    json_decimal(out, run->decoding / 1000000, 3);
    count_field(out, "rows", run->rows);
    json_key(out, "ns_per_row");
    if (run->rows > 0)
        json_decimal(out, run->cpu * 10 / (weir_ns)run->rows, 1);
    else
        json_null(out);
    json_end(out);
}

void report_json(const struct report_run *run, struct text *out)
{
    static struct metrics m; /* large; one report is written at a time in a process */
    metrics_of(run->tally, run->engine, &m);
    parameters_json(run, out);
    span_json(run, out);
    metrics_json(run->tally, &m, out);
    orders_json(run, out);
    reasons_json(run->tally, ORDER_REJECTED, "rejected", out);
    reasons_json(run->tally, ORDER_EXPIRED, "expired", out);
    alerts_json(run->tally, out);
    instruments_json(run, out);
    strategies_json(run, &m, out);
    series_json(run, &m, out);
    executions_json(run, out);
    json_key(out, "assumptions");
    json_array(out);
    for (const char *const *at = run->assumptions; at && *at; at++)
        json_string(out, *at);
    json_end(out);
    trail_json(run->trail, out);
    text_field(out, "journal", run->journal);
    text_field(out, "journal_hash", run->journal_hash);
    speed_json(run, out);
}

void report_data_json(const struct report_file *files, size_t count, struct text *out)
{
    text_field(out, "version", "weir " WEIR_VERSION);
    json_key(out, "data");
    json_object(out);
    json_key(out, "files");
    json_array(out);
    for (size_t i = 0; i < count; i++) {
        json_object(out);
        text_field(out, "path", files[i].path);
        count_field(out, "bytes", files[i].bytes);
        text_field(out, "sha256", *files[i].sha256 ? files[i].sha256 : NULL);
        json_end(out);
    }
    json_end(out);
    json_end(out);
}
