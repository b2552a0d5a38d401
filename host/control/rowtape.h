/* rowtape.h - recordings that were decoded once, as the venues of a configuration (sim/rows.h).
 *
 * What a host hears from it is what it hears from the recordings themselves (tape.h), message by message
 * and at the same times; only the plugins do not decode again. [engine thread] */
#ifndef WEIR_CONTROL_ROWTAPE_H
#define WEIR_CONTROL_ROWTAPE_H

#include "control/host.h"
#include "sim/rows.h"

struct rowtape {
    struct rows rows;
    struct host_feed feed;
    uint64_t given; /* frames */
};

/* The name of the file that holds these recordings as decoded by this configuration's plugins, in
 * `folder`; source_out: their hash. */
enum weir_err rowtape_name(const struct config *config, const char *const *data, size_t count,
                           const char *folder, char *path, size_t room,
                           unsigned char source_out[32], struct why *why) WEIR_MUST_USE;

/* Decode the recordings into a file of that name. */
enum weir_err rowtape_make(const struct config *config, const char *const *data, size_t count,
                           const char *path, const unsigned char source[32],
                           struct why *why) WEIR_MUST_USE;

/* E_NOT_FOUND: the file is not there, or is of something else. */
enum weir_err rowtape_open(struct rowtape *tape, const char *path, const unsigned char source[32],
                           struct why *why) WEIR_MUST_USE;
void rowtape_close(struct rowtape *tape);

#endif
