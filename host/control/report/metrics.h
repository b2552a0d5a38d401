/* metrics.h - from what was gathered to the numbers that a trader reads; each defined in
 * docs/backtest.md with the same name. [any thread] */
#ifndef WEIR_CONTROL_REPORT_METRICS_H
#define WEIR_CONTROL_REPORT_METRICS_H

#include "control/report/tally.h"

struct metrics {
    const char *asset; /* the report's; "" before any instrument was known */
    amount capital, net, realized, unrealized, fees, funding, turnover;
    amount drawdown; /* >= 0 */
    weir_ns drawdown_from, drawdown_to;
    struct tally_sums sums; /* counts over all instruments; its money is in several assets */
    uint64_t sent, filled_orders;
    weir_ns span, exposed;
    bool has_ratios; /* at least 2 samples that differ */
    double sharpe, sortino;
    amount equity[SAMPLES_MAX]; /* converted */
    bool left_out[ASSETS_MAX];  /* has a result that could not be converted */
};

void metrics_of(const struct tally *tally, const struct engine *engine, struct metrics *out);

/* An amount of asset number `asset` in the report's, at sample s. False: there is no price. */
bool metrics_convert(const struct tally *tally, uint32_t asset, uint32_t sample, amount value,
                     const char *to, amount *out);

/* Counts of `part` added to those of `sums`; its money is left out. */
void metrics_add_counts(struct tally_sums *sums, const struct tally_sums *part);

#endif
