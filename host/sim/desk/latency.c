/* latency.c - times drawn with whole numbers only, so that every build draws the same. */
#include "sim/desk/latency.h"

#include <stddef.h>

static const weir_ns day = (weir_ns)86400 * 1000000000;

/* -log2(u / 2^64) in counts of 2^-16, for u > 0: the whole part is the zeros in front, each square of
 * what is left gives one more digit (Knuth, The Art of Computer Programming 1, 1.2.2, exercise 25). */
static int64_t minus_log2(uint64_t u)
{
    int zeros = __builtin_clzll(u);
    uint64_t m = u << zeros; /* 1 <= m / 2^63 < 2 */
    int64_t fraction = 0;
    for (int digit = 15; digit >= 0; digit--) {
        m = (uint64_t)((unsigned __int128)m * m >> 64);
        if (m >> 63)
            fraction |= (int64_t)1 << digit;
        else
            m <<= 1;
    }
    return ((int64_t)(zeros + 1) << 16) - fraction;
}

/* mean * -ln(u): ln 2 is 45426 / 2^16. */
static weir_ns tail_of(weir_ns mean, struct dice *dice)
{
    int64_t halvings = minus_log2(dice_next(dice) | 1);
    return (weir_ns)((__int128)mean * halvings * 45426 >> 32);
}

/* The first row that is later than t; row_count: none is. */
static uint32_t row_after(const struct latency *latency, weir_ns t)
{
    uint32_t low = 0, high = latency->row_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (latency->rows[middle].t > t)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static weir_ns recorded(const struct latency *latency, enum latency_way way, weir_ns now)
{
    uint32_t at = row_after(latency, now);
    if (at == 0)
        return latency->rows[0].of[way];
    const struct latency_row *before = &latency->rows[at - 1], *after = before + 1;
    if (at == latency->row_count)
        return before->of[way];
    __int128 rise = (__int128)(after->of[way] - before->of[way]) * (now - before->t);
    return before->of[way] + (weir_ns)(rise / (after->t - before->t));
}

weir_ns latency_take(const struct latency *latency, enum latency_way way, weir_ns now,
                     struct dice *dice)
{
    weir_ns time = latency->of[way];
    if (latency->row_count > 0 && latency->drawn)
        time = latency->rows[dice_below(dice, latency->row_count)].of[way];
    else if (latency->row_count > 0)
        time = recorded(latency, way, now);
    if (latency->jitter > 0)
        time += dice_between(dice, 0, latency->jitter);
    if (latency->tail > 0)
        time += tail_of(latency->tail, dice);
    return time;
}

static bool ways_are_sane(const weir_ns *of)
{
    for (int way = 0; way < LATENCY_WAYS; way++)
        if (of[way] < 0 || of[way] > day)
            return false;
    return true;
}

bool latency_is_sane(const struct latency *latency)
{
    bool sane = ways_are_sane(latency->of) && latency->jitter >= 0 && latency->jitter <= day &&
                latency->tail >= 0 && latency->tail <= day;
    for (uint32_t i = 0; sane && i < latency->row_count; i++)
        sane = ways_are_sane(latency->rows[i].of) &&
               (i == 0 || latency->rows[i].t > latency->rows[i - 1].t);
    return sane;
}
