/* histogram.h - a log-linear histogram of nanoseconds: 16 steps in each power of two, so a value is
 * known within 1/16 (6.25 %), from 0 to 2^40 ns. One thread adds, any thread reads: a reader may
 * miss the newest values, never more. Adding is a shift, a count of zeros and one store. */
#ifndef WEIR_WATCH_HISTOGRAM_H
#define WEIR_WATCH_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

enum { HISTOGRAM_STEPS = 16, HISTOGRAM_CELLS = 38 * HISTOGRAM_STEPS };

struct histogram {
    _Atomic uint64_t cells[HISTOGRAM_CELLS];
    _Atomic uint64_t sum;
    _Atomic uint64_t count;
    _Atomic uint64_t most;
};

void histogram_add(struct histogram *histogram,
                   int64_t ns); /* [owner thread]; negative counts as 0 */
uint64_t histogram_at(const struct histogram *histogram,
                      unsigned permille); /* value at 500 = median */
uint64_t histogram_below(const struct histogram *histogram,
                         uint64_t ns); /* how many are <= ns, nearly */

#endif
