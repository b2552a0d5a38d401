#include "watch/histogram.h"

/* Cell of a value: below 32 one cell each; then 16 cells for each power of two. */
static unsigned cell_of(uint64_t ns)
{
    if (ns < 2 * HISTOGRAM_STEPS)
        return (unsigned)ns;
    unsigned power = 63u - (unsigned)__builtin_clzll(ns); /* >= 5 */
    unsigned cell =
        (power - 3) * HISTOGRAM_STEPS + (unsigned)((ns >> (power - 4)) & (HISTOGRAM_STEPS - 1));
    return cell < HISTOGRAM_CELLS ? cell : HISTOGRAM_CELLS - 1;
}

/* The largest value of a cell. */
static uint64_t top_of(unsigned cell)
{
    if (cell < 2 * HISTOGRAM_STEPS)
        return cell;
    unsigned power = cell / HISTOGRAM_STEPS + 3;
    uint64_t step = 1ull << (power - 4);
    return (1ull << power) + (cell % HISTOGRAM_STEPS + 1) * step - 1;
}

static void bump(_Atomic uint64_t *value, uint64_t by)
{
    atomic_store_explicit(value, atomic_load_explicit(value, memory_order_relaxed) + by,
                          memory_order_relaxed);
}

void histogram_add(struct histogram *histogram, int64_t ns)
{
    uint64_t value = ns > 0 ? (uint64_t)ns : 0;
    bump(&histogram->cells[cell_of(value)], 1);
    bump(&histogram->sum, value);
    bump(&histogram->count, 1);
    if (value > atomic_load_explicit(&histogram->most, memory_order_relaxed))
        atomic_store_explicit(&histogram->most, value, memory_order_relaxed);
}

uint64_t histogram_at(const struct histogram *histogram, unsigned permille)
{
    uint64_t count = atomic_load_explicit(&histogram->count, memory_order_relaxed), seen = 0;
    uint64_t want = (count * permille + 999) / 1000;
    for (unsigned cell = 0; cell < HISTOGRAM_CELLS && want > 0; cell++) {
        seen += atomic_load_explicit(&histogram->cells[cell], memory_order_relaxed);
        if (seen >= want)
            return top_of(cell);
    }
    return 0;
}

uint64_t histogram_below(const struct histogram *histogram, uint64_t ns)
{
    uint64_t seen = 0;
    for (unsigned cell = 0; cell < HISTOGRAM_CELLS && top_of(cell) <= ns; cell++)
        seen += atomic_load_explicit(&histogram->cells[cell], memory_order_relaxed);
    return seen;
}
