/* why.h - why something failed, in words for a person: the cause first, then what we were doing.
 *
 * `struct why` is the caller's, on its stack; no allocation. A function that takes one fills it
 * exactly when it returns an error. [any thread] */
#ifndef WEIR_BASE_WHY_H
#define WEIR_BASE_WHY_H

#include "weir/error.h"

struct why {
    enum weir_err err;
    char text
        [1000]; /* "loading limits.yaml: limits.position_max: missing; a limit has no default" */
};

/* Set the cause and return err, so that `return because(why, WEIR_E_IO, "...")` reads well. */
enum weir_err because(struct why *why, enum weir_err err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Put "<what we were doing>: " in front. */
void while_doing(struct why *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

const char *err_name(enum weir_err err); /* "GAP" */
const char *err_text(enum weir_err err); /* "a sequence number was skipped" */

#endif
