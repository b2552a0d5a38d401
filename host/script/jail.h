/* jail.h - what a process may still do once it runs a stranger's code: compute, wait, and ring one
 * bell. Everything else is the end of it (seccomp, SIGSYS). Private to host/script. */
#ifndef WEIR_SCRIPT_JAIL_H
#define WEIR_SCRIPT_JAIL_H

#include <stdbool.h>

#include "base/why.h"

/* A sanitizer's run time wants a few calls more, and has something to say on standard error. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define JAIL_SANITIZED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define JAIL_SANITIZED 1
#endif
#endif

enum { JAIL_BELL = 3 }; /* the one descriptor that a cell has: its eventfd */

/* Build the filter; once, by the zygote, for all its children. E_UNSUPPORTED: the kernel or its
 * configuration lacks something, which why names. */
enum weir_err jail_build(struct why *why) WEIR_MUST_USE;

/* Lock up the calling process, for ever. NULL: done; else the step that failed. */
const char *jail_enter(int nice);

#endif
