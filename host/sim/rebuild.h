/* rebuild.h - a recording through a plugin and the book machine, to facts: the work of `weir book`.
 *
 * The same plugin, session and book machine as in a running host; only the engine is missing. Each
 * market of the recording ("spot", "usdm") has a session of its own, with that market as its setting. */
#ifndef WEIR_SIM_REBUILD_H
#define WEIR_SIM_REBUILD_H

#include "base/text.h"
#include "base/why.h"

struct rebuild_options {
    const char *plugin; /* path of the .so */
    const char *const *paths;
    size_t path_count;
    /* A line for the operator: gaps, frames that were refused. NULL: nobody listens. */
    void (*say)(void *context, const char *line);
    void *context;
};

struct rebuild_totals {
    uint64_t messages, bytes; /* of frames and answers that reached a session */
    uint64_t refused;         /* frames that the plugin could not read; what they concern is lost */
    uint64_t unknown;         /* messages of connections that the plugin does not know */
};

/* json, table: either may be NULL. {"books":{KEY:{...}},"trades":{KEY:{...}},"l3":{KEY:{...}},"streams":{KEY:{...}},
 * "files":{FILE:{...}}}. An error: a file is damaged or is no recording, the plugin cannot be loaded;
 * nothing is written then, since what follows the damage is not known. */
enum weir_err rebuild_run(const struct rebuild_options *options, struct text *json,
                          struct text *table, struct rebuild_totals *totals_out,
                          struct why *why) WEIR_MUST_USE;

#endif
