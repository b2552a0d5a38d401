/* venuetime.c - how far a venue's clock is ahead of ours: the median of the last samples.
 *
 * A sample assumes that its answer took as long as its question (the middle of the round trip); one
 * slow answer is an outlier, and the median does not follow outliers. */
#include <stdlib.h>
#include <string.h>

#include "net/own.h"

static int ascending(const void *a, const void *b)
{
    weir_ns left = *(const weir_ns *)a, right = *(const weir_ns *)b;
    return (left > right) - (left < right);
}

weir_ns net_clock(struct net_endpoint *endpoint, weir_ns sent, weir_ns received, weir_ns venue)
{
    struct venue_time *time = &endpoint->time;
    weir_ns sorted[SAMPLES];
    if (venue <= 0)
        return time->median;
    time->samples[time->next] = venue - (sent + (received - sent) / 2);
    time->next = (time->next + 1) % SAMPLES;
    time->count += time->count < SAMPLES;
    memcpy(sorted, time->samples, time->count * sizeof sorted[0]);
    qsort(sorted, time->count, sizeof sorted[0], ascending);
    time->median = sorted[time->count / 2];
    return time->median;
}
