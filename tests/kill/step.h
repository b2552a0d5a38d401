/* step.h - a host that is killed at a chosen moment of its own work.
 *
 * It is run under ptrace; nothing of it knows. Its main thread, the engine's, stops at every entry of
 * journal_append() (a breakpoint) and at every system call that moves bytes to or from a socket or
 * brings them to the disk, before and after. At the stop whose turn it is, it is killed. */
#ifndef TESTS_KILL_STEP_H
#define TESTS_KILL_STEP_H

#include "kill/support.h"

/* Of a program with symbols: where a function begins, from the start of the file; 0: it is not there. */
uint64_t function_offset(const char *program, const char *name);

struct stepper {
    uint64_t offset;  /* of journal_append; 0: system calls only */
    uint64_t armed;   /* stops are counted from the moment on at which it says this */
    const char *from; /* ... to the one that is listened to; NULL: from the start */
    uint64_t kill_at; /* the stop at which it dies; 0: never */
    /* what was seen */
    uint64_t stops;
    char where[64]; /* the last one */
};

/* Runs the process (started traced) until it dies of it, or `most` has passed (then it is killed too:
 * false). */
bool step(struct process *process, struct stepper *stepper, weir_ns most);

#endif
