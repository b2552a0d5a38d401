/* fuzz_engine.h - for fuzzing scripts: an engine with one market, BTC-USD at `sim`, made once. */
#ifndef TESTS_FUZZ_FUZZ_ENGINE_H
#define TESTS_FUZZ_FUZZ_ENGINE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define CHECK(condition)  \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

static struct engine *engine;
static weir_ns now;

/* --- an engine, once --------------------------------------------------------------------------- */

static void take(void *context, const struct weir_msg *effect)
{
    (void)context, (void)effect;
}

static void apply(void *input)
{
    static uint64_t seq;
    struct effect_sink sink = {take, NULL};
    struct weir_msg *msg = input;
    msg->t = now;
    engine_apply(engine, msg, ++seq, &sink);
}

static void open_engine(void)
{
    struct engine_sizes sizes = {.orders = 8,
                                 .executions = 8,
                                 .client_ids = 8,
                                 .instruments = 2,
                                 .strategies = 2,
                                 .venues = 2,
                                 .accounts = 2,
                                 .assets = 4,
                                 .positions = 4};
    struct in_define venue = {
        .msg = {.size = sizeof venue, .kind = IN_DEFINE_VENUE}, .number = 1, .name = "sim"};
    struct in_define account = {.msg = {.size = sizeof account, .kind = IN_DEFINE_ACCOUNT},
                                .number = 1,
                                .parent = 1,
                                .name = "main"};
    struct weir_instrument btc = {.msg = {.size = sizeof btc,
                                          .kind = WEIR_INSTRUMENT,
                                          .venue = 1,
                                          .account = 1,
                                          .instrument = 1},
                                  .symbol = "BTC-USD",
                                  .base = "BTC",
                                  .quote = "USD",
                                  .price_exp = 2,
                                  .qty_exp = 4,
                                  .multiplier = 1,
                                  .tick = 5,
                                  .step = 10};
    size_t bytes = (engine_bytes(&sizes) + 63) / 64 * 64;
    void *memory = aligned_alloc(64, bytes);
    CHECK(memory);
    memset(memory, 0, bytes);
    struct arena arena = {memory, (unsigned char *)memory + bytes};
    now = 1700000000000000000;
    engine = engine_create(&arena, &sizes);
    CHECK(engine);
    apply(&venue);
    apply(&account);
    apply(&btc);
}

#endif
