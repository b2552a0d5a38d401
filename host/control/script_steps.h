/* script_steps.h - one step of a script's test: what happens, or what is expected. Private to
 * script_tests.c and script_steps.c. [main thread] */
#ifndef WEIR_CONTROL_SCRIPT_STEPS_H
#define WEIR_CONTROL_SCRIPT_STEPS_H

#include "control/loose.h"
#include "control/pretend.h"

enum { FAULT_ROOM = 600 };

/* A test as it runs. */
struct test_run {
    struct pretend *pretend;
    struct loose loose;
    char fault[FAULT_ROOM]; /* "": none yet */
};

/* A number of a table as a count of 10^-exp, as scripts' numbers are taken (design.md §15). */
bool step_count(const cJSON *item, int exp, int64_t *count_out);
/* False: fault says what is wrong. */
bool step_script_runs(struct test_run *run);
bool step_take(struct test_run *run, const cJSON *step, int number);

#endif
