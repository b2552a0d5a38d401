/* scenario.h - runs a story file (scenarios, format 1) through the engine that trades.
 *
 * The runner is a scripted venue and a virtual clock: it turns steps into the same inputs that
 * sessions, scripts and operators give, keeps them as its journal, and compares what the engine
 * then believes. It knows no file. [any thread, one run each] */
#ifndef WEIR_SIM_SCENARIO_H
#define WEIR_SIM_SCENARIO_H

#include <cjson/cJSON.h>

#include "base/text.h"
#include "base/why.h"

/* Read and check the shape. NULL: why says where in the file and what was expected. The caller owns
 * the result: cJSON_Delete(). */
cJSON *scenario_read(const char *path, struct why *why) WEIR_MUST_USE;

struct scenario_result {
    bool passed;
    struct text failures;  /* one line each: what differs, got, want */
    char journal_hash[65]; /* SHA-256 over inputs and effects, in order */
    uint64_t inputs, effects;
};

/* Play it twice and compare. An error means that the story could not be played at all (a number that
 * does not fit, memory). result_out->failures is the caller's: text_fini(). */
enum weir_err scenario_run(const cJSON *story, struct scenario_result *result_out,
                           struct why *why) WEIR_MUST_USE;

#endif
