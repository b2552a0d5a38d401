/* fuzz_engine.h - for fuzzing scripts: an engine with one market, BTC-USD at `sim`, made once. */
#ifndef TESTS_FUZZ_FUZZ_ENGINE_H
#define TESTS_FUZZ_FUZZ_ENGINE_H

#include <stdint.h>
#include <stdlib.h>

#include "support/small_engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define CHECK(condition)  \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

static struct engine *engine;
static weir_ns now;

static void open_engine(void)
{
    now = 1700000000000000000;
    engine = small_engine(now, 5, 10);
}

#endif
