/* report.h - the result of a backtest: one JSON object for each run, and one HTML page for all of them.
 *
 * The page is self-contained: the runs' JSON, a script that draws it, and nothing from the network.
 * Members of the JSON are described in docs/backtest.md. [any thread] */
#ifndef WEIR_CONTROL_REPORT_REPORT_H
#define WEIR_CONTROL_REPORT_REPORT_H

#include "base/text.h"
#include "control/report/metrics.h"
#include "control/report/trail.h"

struct report_pair {
    const char *key, *value;
};

struct report_run {
    const struct tally *tally;
    const struct engine *engine;
    const struct trail *trail;
    const struct report_pair *parameters; /* that this run sets, ended by a NULL key */
    const struct report_pair *scripts;    /* name, SHA-256 of its source; likewise */
    const char *const *assumptions;       /* sentences, ended by NULL */
    const char *config, *config_sha256;
    const char *journal, *journal_hash; /* NULL: none was kept */
    const char *mode;                   /* "exact" or "fast" */
    uint64_t messages, left_out, rows, gaps;
    weir_ns took;     /* of real time */
    weir_ns cpu;      /* of the thread's time */
    weir_ns decoding; /* of the data, before, if it was decoded apart */
};

/* Members of an object that the caller begins and ends. */
void report_json(const struct report_run *run, struct text *out);

struct report_file {
    const char *path;
    uint64_t bytes;
    char sha256[65];
};

/* What holds for all runs: "data" and "version". */
void report_data_json(const struct report_file *files, size_t count, struct text *out);

/* document: the whole JSON, as printed. False: no memory. */
bool report_html(const char *document, struct text *out);

#endif
