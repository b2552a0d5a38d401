/* border.h - what stands between the host and the plugin while it is checked.
 *
 * Each argument of a call lies in memory of its own, that ends where it ends and is gone when the call
 * returns: a byte read behind its end, and a pointer that was kept, are a fault that says so. Each call is
 * timed in CPU time, and is known by name when it does not come back. One plugin a process. [one thread] */
#ifndef WEIR_CONTROL_KIT_BORDER_H
#define WEIR_CONTROL_KIT_BORDER_H

#include <stdbool.h>

#include "base/why.h"
#include "weir/plugin.h"

/* The descriptor to use instead of this one. NULL: no memory for it. */
const struct weir_plugin *border_around(const struct weir_plugin *plugin);

/* Where arguments lie: true, so that their end is the end of a page; false, so that they begin at an odd
 * address. What is told must not depend on it. */
void border_at_edge(bool edge);

int64_t border_last_ns(void); /* CPU time of the last call */

/* For who finds the process dying: the callback that runs, or NULL; how long; and what lies at address. */
const char *border_running(void);
int64_t border_running_ns(void);
enum border_place { BORDER_ELSEWHERE, BORDER_BEHIND_END, BORDER_KEPT };
enum border_place border_place_of(const void *address);

int64_t border_cpu_ns(void); /* of this thread, without the vDSO */

#endif
