/* latencies.h - measured latencies out of a file, for a paper venue (desk/latency.h, RECORDED).
 *
 * A line is `time,submit,cancel,amend,report`: whole nanoseconds, the first since the epoch (or since
 * anything, where rows are drawn by chance); rows in order of time. Lines that begin with # and a line
 * of names at the top are passed over. Any container of container.h. [main thread] */
#ifndef WEIR_SIM_LATENCIES_H
#define WEIR_SIM_LATENCIES_H

#include "base/why.h"
#include "sim/desk/latency.h"

/* *rows_out is the caller's: free(). E_BAD_CONFIG names file, line and what was expected. */
enum weir_err latencies_read(const char *path, struct latency_row **rows_out, uint32_t *count_out,
                             struct why *why) WEIR_MUST_USE;

#endif
