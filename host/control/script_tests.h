/* script_tests.h - tests of a script, as a table in Lua; docs/strategy.md shows one. [main thread] */
#ifndef WEIR_CONTROL_SCRIPT_TESTS_H
#define WEIR_CONTROL_SCRIPT_TESTS_H

#include "base/text.h"
#include "base/why.h"

struct script_test_result {
    const char *name;
    const char *fault; /* NULL: passed */
};

/* Runs all tests of a file; each is told as it ends. E_*: the file itself is wrong. */
enum weir_err script_tests_run(const char *path,
                               void (*told)(void *context, const struct script_test_result *result),
                               void *context, struct why *why) WEIR_MUST_USE;

#endif
