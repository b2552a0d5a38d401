/* tape.h - recordings as the venues of a configuration.
 *
 * Each file goes to the venue whose plugin recognizes it (`probe`) and whose setting `market` is the
 * recording's; files that continue each other are one connection. Files that no venue of the
 * configuration takes are named on standard error, and left out. [engine thread] */
#ifndef WEIR_CONTROL_TAPE_H
#define WEIR_CONTROL_TAPE_H

#include "control/host.h"

struct tape;

/* NULL: why says which path, and what was wrong with it. */
struct tape *tape_open(const char *const *paths, size_t count, const struct config *config,
                       struct why *why) WEIR_MUST_USE;
void tape_close(struct tape *tape);          /* accepts NULL */
weir_ns tape_start(const struct tape *tape); /* time of the first record */
const struct host_feed *tape_feed(const struct tape *tape);
const struct host_watch *tape_watch(const struct tape *tape);

/* Messages given so far, those that no venue takes apart; packed bytes read. */
struct tape_progress {
    uint64_t messages, left_out, bytes;
};
struct tape_progress tape_progress(const struct tape *tape);

/* Members "books" and "trades", with the facts of `weir book`. NULL: empty ones. */
void tape_json(struct tape *tape, struct host *host, struct text *out);

#endif
