/* wallet.h - money by account and asset, and the memory of what was booked once. Private to host/engine.
 *                                                                               [engine thread] */
#ifndef WEIR_ENGINE_WALLET_H
#define WEIR_ENGINE_WALLET_H

#include "base/map.h"
#include "engine/engine.h"

struct engine;

struct purse {
    amount total, fees, funding;
    amount held;   /* by working spot orders */
    amount listed; /* recon */
    uint32_t listed_in;
    uint8_t known;
};

/* Keys of what was booked once, the oldest forgotten first. */
struct memory {
    struct map map;
    struct key128 *keys;
    uint64_t count;
    uint32_t room;
};

struct purse *purse_at(struct engine *engine, uint16_t account, uint32_t asset);
bool memory_has(const struct memory *memory, struct key128 key);
void memory_add(struct memory *memory, struct key128 key, uint32_t value);

#endif
