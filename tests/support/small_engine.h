/* small_engine.h - an engine with one market, BTC-USD at `sim`, for fuzzers and benches of what stands
 * before it. Nobody hears its effects. */
#ifndef TESTS_SUPPORT_SMALL_ENGINE_H
#define TESTS_SUPPORT_SMALL_ENGINE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"

static inline void small_engine_effect(void *context, const struct weir_msg *effect)
{
    (void)context, (void)effect;
}

/* Gives it the input, stamped with the time t. */
static inline void small_engine_apply(struct engine *engine, void *input, weir_ns t)
{
    static uint64_t seq;
    struct effect_sink sink = {small_engine_effect, NULL};
    struct weir_msg *msg = input;
    msg->t = t;
    engine_apply(engine, msg, ++seq, &sink);
}

/* Price and quantity have 2 and 4 places; tick and step are in units of these. Never NULL, and never
 * freed. */
static inline struct engine *small_engine(weir_ns t, weir_px tick, weir_qty step)
{
    struct engine_sizes sizes = {.orders = 64,
                                 .executions = 64,
                                 .client_ids = 64,
                                 .instruments = 4,
                                 .strategies = 4,
                                 .venues = 2,
                                 .accounts = 2,
                                 .assets = 8,
                                 .positions = 16};
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
                                  .tick = tick,
                                  .step = step};
    size_t bytes = (engine_bytes(&sizes) + 63) / 64 * 64;
    void *memory = aligned_alloc(64, bytes);
    if (!memory)
        abort();
    memset(memory, 0, bytes);
    struct arena arena = {memory, (unsigned char *)memory + bytes};
    struct engine *engine = engine_create(&arena, &sizes);
    if (!engine)
        abort();
    small_engine_apply(engine, &venue, t);
    small_engine_apply(engine, &account, t);
    small_engine_apply(engine, &btc, t);
    return engine;
}

#endif
