/* bars.c - bars of trades: open, high, low, close, volume, count.
 *
 * TIME    covers [start, start + interval), with starts at whole multiples of the interval since the
 *         epoch. It is told once, when it is over: at the first trade or timer at or after its end. A
 *         stretch without trades makes no bar.
 * VOLUME  is over with the trade that brings it to its volume, which belongs to it as a whole.
 * TICKS   is over with its last trade.
 * Trades off the book do not count. */
#include "script/cell.h"

static bool is_full(const struct bar *bar)
{
    return (bar->kind == BAR_VOLUME && bar->volume >= bar->per) ||
           (bar->kind == BAR_TICKS && bar->count >= bar->per);
}

/* When an open bar is over; INT64_MAX: with a trade to come. */
static weir_ns over_at(const struct bar *bar)
{
    if (bar->count == 0)
        return INT64_MAX;
    if (bar->kind == BAR_TIME)
        return bar->start + bar->per;
    return is_full(bar) ? bar->last : INT64_MAX;
}

weir_ns bars_next(const struct cell *cell)
{
    weir_ns next = INT64_MAX;
    for (uint32_t i = 0; i < cell->bar_count; i++) {
        weir_ns over = over_at(&cell->bars[i]);
        next = over < next ? over : next;
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
        if (over_at(bar) == next) {
            *bar_out = *bar;
            bar->count = 0;
            return true;
        }
    }
    return false;
}

static void open_bar(struct bar *bar, const struct weir_trade *trade)
{
    weir_ns t = trade->msg.t;
    bar->start = bar->kind == BAR_TIME ? t - t % bar->per : t;
    bar->open = bar->high = bar->low = trade->px;
    bar->volume = 0;
}

void bars_trade(struct cell *cell, const struct weir_trade *trade)
{
    if (trade->msg.flags & WEIR_TRADE_OFF_BOOK)
        return;
    for (uint32_t i = 0; i < cell->bar_count; i++) {
        struct bar *bar = &cell->bars[i];
        if (bar->instrument != trade->msg.instrument)
            continue;
        if (bar->count == 0)
            open_bar(bar, trade);
        bar->high = trade->px > bar->high ? trade->px : bar->high;
        bar->low = trade->px < bar->low ? trade->px : bar->low;
        bar->close = trade->px;
        bar->last = trade->msg.t;
        if (__builtin_add_overflow(bar->volume, trade->qty, &bar->volume))
            bar->volume = INT64_MAX;
        bar->count++;
    }
}
