/* risk.h - a wish, and whether it passes. Private to host/engine. See risk.c.   [engine thread] */
#ifndef WEIR_ENGINE_RISK_H
#define WEIR_ENGINE_RISK_H

#include "engine/state.h"

enum { DECISION_READINGS_MAX = 64 + FURTHER_CHECK_COUNT * RISK_SCOPE_COUNT };
struct wish { /* an order as asked, or as a replace would make it */
    const struct in_submit *submit;
    uint32_t order;                /* replace: of this order; else 0 */
    struct instrument *instrument; /* NULL: unknown */
    struct scope *strategy;        /* NULL: unknown */
    weir_px px;
    weir_qty qty;
    weir_qty worst; /* what it may still fill: its part in sums */
    uint8_t side, type, flags, route;
    const char *cid; /* its name, to be looked for when judged: used_cid; NULL: it has none */
    struct key128 cid_key;
    bool used_cid, no_room, bad, foreign, unable;
    uint8_t waits;  /* bits of enum hold_wait: it does not go out now */
    bool release;   /* `order` was held, and is to go out */
    uint8_t linked; /* 1: to an order that it may be linked to, 2: to none */
    uint32_t link;  /* that order */
    weir_px trigger;
    weir_qty visible;
    amount siblings;    /* reduce-only exposure of those that it will cancel */
    int64_t seen_state; /* reading of BAD_REQUEST */
};
/* Evaluate every check; fills engine->decision but for names. True: allowed. */
bool risk_allows(struct engine *engine, struct wish *wish);

#endif
