/* log.h - lines for the operator: one JSON object or one plain line each, on stderr or a file.
 *
 * Cold paths only: it formats and writes at once. The hot path counts and journals instead. Of one
 * `topic`, 20 errors and 20 other lines are written in a second; those above are counted, and the
 * count is told. So nobody who talks much hides an error, not even his own. [any thread] */
#ifndef WEIR_BASE_LOG_H
#define WEIR_BASE_LOG_H

#include <stdbool.h>
#include <stdio.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_to(FILE *file, bool json, enum log_level least); /* [main thread, before others] */
void log_line(enum log_level level, const char *topic, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A line of somebody who has a pace of his own. */
void log_paced_line(enum log_level level, const char *topic, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void log_flush(void); /* tell the counts of what was left out: at the end */

#endif
