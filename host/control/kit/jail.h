/* jail.h - what a checked plugin may do to the process: compute. Anything else is its verdict.
 *
 * The child that runs one check locks itself up: seccomp lets through memory and the pipe of the verdict;
 * a call of anything else, a fault, a failed assertion, a finding of the address sanitizer or a callback
 * that does not come back writes the verdict from where it happened and ends the child. [one thread] */
#ifndef WEIR_CONTROL_KIT_JAIL_H
#define WEIR_CONTROL_KIT_JAIL_H

#include <stdbool.h>

#include "base/why.h"

enum { KIT_REASON_MAX = 500, KIT_CALL_SECONDS = 2 };

/* What goes through the pipe. */
struct kit_finding {
    int result;  /* enum kit_result */
    bool orders; /* of the check `load`: the sheet has order entry */
    char reason[KIT_REASON_MAX];
};

/* Lock up this process for ever; findings of its death go to `out`. E_UNSUPPORTED: the kernel cannot. */
enum weir_err kit_jail_enter(int out, struct why *why) WEIR_MUST_USE;

bool kit_jail_sanitized(void); /* the address sanitizer is in this process */

#endif
