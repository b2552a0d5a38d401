/* metrics.h - Prometheus text exposition (format 0.0.4) of the mirror and the stage histograms.
 * The list of names makes the output and `weir describe metrics`. [observer thread] */
#ifndef WEIR_WATCH_METRICS_H
#define WEIR_WATCH_METRICS_H

#include "watch/histogram.h"
#include "watch/mirror.h"

/* Stages of an order's way, each with a histogram; written by the engine thread. */
#define STAGES(X)                                                                \
    X(input, "taking one input: journal, engine and all its effects")            \
    X(script, "one call into a script")                                          \
    X(order_sent, "from the intent of a script or client to the venue's plugin") \
    X(order_ack, "from sending an order to the venue's first answer, engine time")
enum timed {
#define X(name, text) TIMED_##name,
    STAGES(X)
#undef X
        TIMED_COUNT
};
struct stages {
    struct histogram of[TIMED_COUNT];
};

void metrics_print(const struct mirror *mirror, const struct stages *stages, uint64_t tap_lost,
                   struct text *out);
void metrics_describe(struct text *out); /* Markdown table of every name */

#endif
