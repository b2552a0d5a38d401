/* metrics.c - see the header.
 *
 * Money stays exact. The two ratios (Sharpe, Sortino) are statistics of equity changes, taken as whole
 * counts of a 10^-9 part of the largest change, so that a sum cannot overflow and their unit does not
 * matter; no amount is ever made from them. */
#include "control/report/metrics.h"

#include <math.h>
#include <string.h>

static const weir_ns year = (weir_ns)365 * 86400 * 1000000000;

static void add_to(amount *sum, amount part)
{
    if (!amount_add(*sum, part, sum))
        *sum = part < 0 ? -AMOUNT_MAX : AMOUNT_MAX; /* 10^20 of anything: it shows */
}

/* --- one asset ---------------------------------------------------------------------------------*/

static const char *report_asset(const struct tally *tally)
{
    const struct tally_asset *most = NULL;
    for (uint32_t a = 0; a < tally->asset_count; a++)
        if (!most || tally->assets[a].turnover > most->turnover ||
            (most->turnover == 0 && tally->assets[a].turnover == 0 && most->capital == 0 &&
             tally->assets[a].capital > 0))
            most = &tally->assets[a];
    return most ? most->name : "";
}

/* The middle of X/M at a sample, doubled; of later ones if none was known yet. */
static weir_px price_of(const struct tally *tally, const char *from, const char *to,
                        uint32_t sample, int *exp_out)
{
    for (uint32_t i = 1; i <= tally->instrument_count; i++) {
        const struct tally_instrument *of = &tally->instruments[i];
        if (!of->known || !of->mids_x2 || of->is.kind == WEIR_INVERSE ||
            strcmp(of->is.base, from) != 0 || strcmp(of->is.quote, to) != 0)
            continue;
        *exp_out = of->is.price_exp;
        for (uint32_t s = sample; s < tally->sample_count; s++)
            if (of->mids_x2[s] > 0)
                return of->mids_x2[s];
    }
    return 0;
}

bool metrics_convert(const struct tally *tally, uint32_t asset, uint32_t sample, amount value,
                     const char *to, amount *out)
{
    int exp = 0;
    if (strcmp(tally->assets[asset].name, to) == 0 || value == 0) {
        *out = value;
        return true;
    }
    weir_px mid_x2 = price_of(tally, tally->assets[asset].name, to, sample, &exp);
    if (mid_x2 == 0 || !amount_times_round(value, mid_x2, exp, out))
        return false;
    *out /= 2;
    return true;
}

static void convert_equity(const struct tally *tally, struct metrics *out)
{
    for (uint32_t s = 0; s < tally->sample_count; s++) {
        out->equity[s] = 0;
        for (uint32_t a = 0; a < tally->asset_count; a++) {
            amount part = 0;
            if (metrics_convert(tally, a, s, tally->assets[a].equity[s], out->asset, &part))
                add_to(&out->equity[s], part);
            else
                out->left_out[a] = true;
        }
    }
}

/* --- sums --------------------------------------------------------------------------------------*/

void metrics_add_counts(struct tally_sums *sums, const struct tally_sums *part)
{
    sums->executions += part->executions;
    sums->makers += part->makers;
    sums->bought += part->bought;
    sums->sold += part->sold;
    sums->orders += part->orders;
    sums->filled_orders += part->filled_orders;
    sums->wins += part->wins;
    sums->losses += part->losses;
    sums->slippage += part->slippage;
    sums->slippage_worth += part->slippage_worth;
}

static void add_money(const struct tally *tally, const struct engine *engine, uint32_t number,
                      struct metrics *out)
{
    const struct tally_instrument *of = &tally->instruments[number];
    uint32_t last = tally->sample_count ? tally->sample_count - 1 : 0;
    struct position_view view = {.qty = 0};
    (void)engine_position(engine, number, 0, &view);
    const struct {
        amount from, *to;
    } parts[] = {{view.realized, &out->realized},     {view.unrealized, &out->unrealized},
                 {of->sums.fees, &out->fees},         {of->sums.funding, &out->funding},
                 {of->sums.turnover, &out->turnover}, {of->sums.won, &out->sums.won},
                 {of->sums.lost, &out->sums.lost}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        amount part = 0;
        if (metrics_convert(tally, of->settle, last, parts[i].from, out->asset, &part))
            add_to(parts[i].to, part);
    }
}

static void add_capital(const struct tally *tally, struct metrics *out)
{
    for (uint32_t a = 0; a < tally->asset_count; a++) {
        amount part = 0;
        if (metrics_convert(tally, a, 0, tally->assets[a].capital, out->asset, &part))
            add_to(&out->capital, part);
    }
}

/* --- the curve ---------------------------------------------------------------------------------*/

static void drawdown_of(const struct tally *tally, struct metrics *out)
{
    amount peak = 0;
    weir_ns peak_t = tally->first;
    for (uint32_t s = 0; s < tally->sample_count; s++) {
        if (out->equity[s] > peak) {
            peak = out->equity[s];
            peak_t = tally->sample_t[s];
        }
        if (peak - out->equity[s] <= out->drawdown)
            continue;
        out->drawdown = peak - out->equity[s];
        out->drawdown_from = peak_t;
        out->drawdown_to = tally->sample_t[s];
    }
}

static amount largest_change(const amount *equity, uint32_t count)
{
    amount largest = 0;
    for (uint32_t s = 1; s < count; s++) {
        amount change = equity[s] - equity[s - 1];
        change = change < 0 ? -change : change;
        largest = change > largest ? change : largest;
    }
    return largest;
}

/* The last sample, which ends the data, is a shorter step than the others: it does not count. */
static void ratios_of(const struct tally *tally, struct metrics *out)
{
    uint32_t count = tally->sample_count > 0 ? tally->sample_count - 1 : 0;
    amount largest = largest_change(out->equity, count);
    __int128 sum = 0, squares = 0, below = 0;
    if (count < 3 || largest == 0)
        return;
    for (uint32_t s = 1; s < count; s++) {
        amount change = out->equity[s] - out->equity[s - 1], step = largest / 1000000000;
        int64_t x = (int64_t)(change / (step > 0 ? step : 1));
        sum += x;
        squares += (__int128)x * x;
        below += x < 0 ? (__int128)x * x : 0;
    }
    double n = count - 1, mean = (double)sum / n;
    double variance = ((double)squares - n * mean * mean) / (n - 1);
    double scale = sqrt((double)year / (double)tally->sample_every);
    if (variance <= 0)
        return;
    out->has_ratios = true;
    out->sharpe = mean / sqrt(variance) * scale;
    out->sortino = below > 0 ? mean / sqrt((double)below / n) * scale : 0;
}

void metrics_of(const struct tally *tally, const struct engine *engine, struct metrics *out)
{
    memset(out, 0, sizeof *out);
    out->asset = report_asset(tally);
    out->span = tally->last - tally->first;
    out->exposed = tally->exposed;
    convert_equity(tally, out);
    for (uint32_t i = 1; i <= tally->instrument_count; i++) {
        if (!tally->instruments[i].known)
            continue;
        metrics_add_counts(&out->sums, &tally->instruments[i].sums);
        if (tally->instruments[i].settle < ASSETS_MAX)
            add_money(tally, engine, i, out);
    }
    out->net = out->realized + out->unrealized - out->fees + out->funding;
    add_capital(tally, out);
    drawdown_of(tally, out);
    ratios_of(tally, out);
}
