/* desk.h - an engine with a market, strategies and every limit, for benches: a pretend host.
 *
 * Venue 0 with account 0; instruments 1 .. n, linear futures in USDT around a price of 60000.00; each
 * strategy trades one of them. Live rules (strict): host, account, strategy and instrument have each
 * a value for every limit that must be given, far from what is asked; and for every other, if the plan
 * says so. What the engine says goes to a sink that keeps the
 * last id sent and counts the bytes. */
#ifndef BENCH_DESK_H
#define BENCH_DESK_H

#include "engine/engine.h"

enum { DESK_PX = 6000000, DESK_QTY = 1000 };

struct desk_plan {
    uint32_t strategies, instruments;
    uint32_t orders; /* room for so many; 0: the engine's own default */
    bool further;    /* the limits that may be left out are given, too */
};

struct desk {
    struct desk_plan plan;
    struct engine_sizes sizes;
    struct engine *engine;
    void *memory;
    size_t bytes; /* of memory */
    uint64_t seq;
    weir_ns now;
    struct effect_sink sink;
    char wire[WEIR_ID_MAX]; /* client order id of the last WEIR_NEW */
    uint64_t told, told_bytes;
    uint64_t ids; /* names made so far */
};

void desk_open(struct desk *desk, const struct desk_plan *plan);
void desk_close(struct desk *desk); /* one that was never opened is fine */

/* An input, two microseconds after the last. */
void desk_give(struct desk *desk, void *input);

uint32_t desk_instrument_of(const struct desk *desk, uint32_t strategy);

/* The usual order of a strategy: away from the market, under a name of its own. */
struct in_submit desk_order(struct desk *desk, uint32_t strategy, enum weir_side side);
/* A report or fill of the order with this client order id. */
struct weir_report desk_report(uint16_t kind, uint32_t instrument, const char *wire);
struct weir_fill desk_fill(struct desk *desk, uint32_t instrument, const char *wire,
                           enum weir_side side, weir_qty qty);
void desk_name(char out[WEIR_ID_MAX], char first, uint64_t number);

/* Dies when the engine saw an anomaly, or denied something: then figures would mean nothing. */
void desk_check(const struct desk *desk);

#endif
