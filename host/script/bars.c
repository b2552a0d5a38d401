/* bars.c - time bars of trades: open, high, low, close, volume, count.
 *
 * A bar covers [start, start + interval), with starts at whole multiples of the interval since the
 * epoch. It is told once, when it is over: at the first trade or timer at or after its end. A stretch
 * without trades makes no bar. Trades off the book do not count. */
#include "script/cell.h"

weir_ns bars_next(const struct cell *cell)
{
    weir_ns next = INT64_MAX;
    for (uint32_t i = 0; i < cell->bar_count; i++) {
        const struct bar *bar = &cell->bars[i];
        if (bar->count > 0 && bar->start + bar->interval < next)
            next = bar->start + bar->interval;
    }
    return next;
}

/* The earliest that is over; of those that end together, the one that was asked for first. */
bool bars_due(struct cell *cell, weir_ns now, struct bar *bar_out)
{
    weir_ns next = bars_next(cell);
    if (next > now)
        return false;
    for (uint32_t i = 0; i < cell->bar_count; i++) {
        struct bar *bar = &cell->bars[i];
        if (bar->count > 0 && bar->start + bar->interval == next) {
            *bar_out = *bar;
            bar->count = 0;
            return true;
        }
    }
    return false;
}

void bars_trade(struct cell *cell, const struct weir_trade *trade)
{
    if (trade->msg.flags & WEIR_TRADE_OFF_BOOK)
        return;
    for (uint32_t i = 0; i < cell->bar_count; i++) {
        struct bar *bar = &cell->bars[i];
        if (bar->instrument != trade->msg.instrument)
            continue;
        if (bar->count == 0) {
            bar->start = trade->msg.t - trade->msg.t % bar->interval;
            bar->open = bar->high = bar->low = trade->px;
            bar->volume = 0;
        }
        bar->high = trade->px > bar->high ? trade->px : bar->high;
        bar->low = trade->px < bar->low ? trade->px : bar->low;
        bar->close = trade->px;
        if (__builtin_add_overflow(bar->volume, trade->qty, &bar->volume))
            bar->volume = INT64_MAX;
        bar->count++;
    }
}
