/* backtest.h - one strategy run on recordings: the host on virtual time, as fast as it goes, watched.
 *
 * It is the same host, engine, plugins, scripts and paper execution as `weir run --data`; only nobody
 * observes it, and a tally is kept. [main thread, or that of a process of its own] */
#ifndef WEIR_CONTROL_BACKTEST_H
#define WEIR_CONTROL_BACKTEST_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/text.h"
#include "base/why.h"

/* Written by the run, read by whoever draws the bar; in memory that both see. */
struct backtest_progress {
    atomic_uint_fast64_t messages, bytes;
    atomic_int stop; /* the reader wants it to end */
};

struct backtest {
    const char *config;
    const char *const *sets; /* KEY=VALUE, see config_load_with */
    size_t set_count;
    const char *const *data;
    size_t data_count;
    const char *journal; /* folder; NULL: no journal is kept */
    const char *rows;  /* a file of decoded data (sim/rows.h), taken instead of data; NULL: none */
    const char *cache; /* folder of decoded data, read or made there; NULL: decode as it goes */
    bool fast;         /* prices reach the engine when somebody looks: host_options.lazy */
    struct backtest_progress *progress;
};

/* The run's members (report.h) are added to an object that `out` has begun. E_USAGE, E_BAD_CONFIG ...:
 * why says what, and nothing was added. */
enum weir_err backtest_run(const struct backtest *backtest, struct text *out,
                           struct why *why) WEIR_MUST_USE;

/* Decode the data into the cache, if it is not there. */
enum weir_err backtest_decode(const struct backtest *backtest, struct why *why) WEIR_MUST_USE;

#endif
