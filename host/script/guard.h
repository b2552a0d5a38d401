/* guard.h - run code that may never return, and come back anyway.
 *
 * guard_run() runs a body on this thread's own guarded stack. The body ends by returning, or is
 * ABANDONED: control jumps to guard_run() and what was below on the stack never runs again. So
 * whatever the body owns must be droppable as a whole (heap.h), and effects outside of it stand
 * between guard_host_enter() and guard_host_leave(), where nobody jumps.
 *
 * WHO ABANDONS  (1) guard_abandon(), called by the body: cap of memory, instructions, floods.
 *               (2) The deadline: a timer signal. Its handler first asks Lua for a hook at the next
 *                   instruction (which knows the line), and, if that does not come at once, jumps
 *                   out of the handler. It jumps only when the program counter stands in liblua,
 *                   libc or libm and no host call is open: liblua's memory is dropped anyway, and of
 *                   libc a body uses what holds no lock (memory, text and number functions). Else it
 *                   leaves a note (guard_wanted) and comes again 100 us later.
 *               (3) A fault on the guard pages of the stack: recursion in C.
 * COST          No system call while bodies are shorter than an eighth of their budget: the timer is
 *               left to run out, looks whether the run it sees is an old one, and re-arms itself.
 * BUDGETS       are thread CPU time, to an eighth, so a busy machine kills nobody; the timer itself
 *               is monotonic, since CPU-time timers tick with the scheduler only.
 *                                                                             [any thread, its own] */
#ifndef WEIR_SCRIPT_GUARD_H
#define WEIR_SCRIPT_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lua.h>

#include "base/why.h"
#include "weir/event.h"

enum guard_end {
    GUARD_DONE = 0,
    GUARD_TIME,         /* over the budget of CPU time */
    GUARD_MEMORY,       /* over the cap of memory */
    GUARD_BLOCK,        /* one block over its cap */
    GUARD_STACK,        /* recursion in C */
    GUARD_INSTRUCTIONS, /* over the budget of instructions */
    GUARD_FLOOD,        /* went on asking after it was refused for pace */
    GUARD_FAULT,        /* only in an autopsy: the state cannot be read */
    GUARD_PANIC,        /* an error outside of protected code */
    GUARD_CHECKED,      /* a check has seen what it wanted */
    GUARD_TEST          /* a test asked for it */
};

struct guard_job {
    void (*body)(void *arg);
    void *arg;
    weir_ns budget;
    lua_State *lua; /* for the hook; NULL: none */
    lua_Hook
        on_want;  /* called at the next instruction when the deadline has passed; must abandon */
    bool autopsy; /* reads what was abandoned: any fault ends it */
    weir_ns *took_out; /* may be NULL */
};

/* E_*: the thread's stack or timer cannot be made. */
enum weir_err guard_ready(struct why *why) WEIR_MUST_USE;
enum guard_end guard_run(const struct guard_job *job);
void guard_fini(void); /* of this thread */

bool guard_running(void);
_Noreturn void guard_abandon(enum guard_end end); /* only in a body, outside of host calls */
enum guard_end guard_wanted(void);                /* GUARD_DONE: nobody waits for us to end */

/* Around effects outside of the body's own memory. Entering checks that the stack has room for the
 * host and that nobody waits; leaving checks again. Both may abandon. They do not nest. */
void guard_host_enter(void);
void guard_host_leave(void);
/* Between the two: so much of the time since was spent waiting for others, and is not the body's. */
void guard_forgive(weir_ns waited);

/* Abandon if the deadline has passed: for loops of our own. */
static inline void guard_poll(void)
{
    enum guard_end end = guard_wanted();
    if (__builtin_expect(end != GUARD_DONE, 0))
        guard_abandon(end);
}

#endif
