/* scope.h - a scope of limits: host, venue, account, group, strategy, instrument; its pace and its course.
 * Private to host/engine.                                                       [engine thread] */
#ifndef WEIR_ENGINE_SCOPE_H
#define WEIR_ENGINE_SCOPE_H

#include "engine/engine.h"

struct engine;

struct throttle {
    uint32_t first; /* of its block in throttle_times */
    uint32_t room;  /* a power of two, 0: none */
    uint32_t head;  /* sends counted so far, modulo 2^32 */
    uint32_t tail;  /* those before are out of the window */
    weir_ns oldest; /* time of that at the tail, if there is one */
};

struct limit {
    amount value;
    uint8_t how;
};

/* The course of a scope's trading, as far as a limit asks for it [course.c]. */
struct course {
    amount sent[2];        /* worth of what was sent in this window, and in the one before */
    amount day_began;      /* profit and loss then */
    amount best;           /* the highest so far */
    amount window_from[2]; /* when this window of losses began, and the one before */
    amount window_last;    /* when it was looked at last */
    weir_ns losses_begun;  /* this window of losses */
    amount lost;           /* by the last execution, until it is looked at */
    weir_ns window_begun, fills_begun, last_sent;
    int64_t day;     /* course_day(); 0: nothing was counted yet */
    weir_px last_px; /* of the last order sent, likewise: */
    weir_qty last_qty;
    uint32_t last_instrument, repeats;
    uint64_t sends, fills; /* today */
    uint32_t streak;       /* executions in a row that lost */
    uint32_t fills_now;    /* in the second that began at fills_begun */
    uint16_t tripped;      /* bits of enum guard: acted upon, and still over */
    uint8_t last_side;
};

struct scope { /* what each order touches is in one line of cache, and comes first */
    _Alignas(64) struct throttle throttle;
    weir_ns throttle_window;
    int32_t throttle_max; /* -1: none */
    uint32_t live;        /* orders at venues */
    uint32_t id;
    uint32_t parent;
    uint32_t rights;
    uint32_t last_instrument, last_holding; /* strategy: the pair that was asked for last */
    uint8_t kind;                           /* enum risk_scope */
    uint8_t state;                          /* enum trading_state */
    uint8_t defined;
    uint8_t lost; /* max_loss was reached, and is told */
    amount pnl;
    amount pnl_least; /* at or below it max_loss is reached */
    amount floor;     /* strategy: the sum of its holdings' */
    struct limit limits[RISK_LIMIT_COUNT];
    uint32_t unset;
    uint32_t holdings; /* strategy: the first of them */
    char name[NAME_MAX_LEN];
    struct course course;
};
_Static_assert(offsetof(struct scope, pnl) == 64, "what each order touches of a scope");

/* --- throttle.c ---------------------------------------------------------------------------------- */
uint32_t throttle_room(const struct engine_sizes *sizes);      /* times that all rings need */
bool throttle_set(struct engine *engine, struct scope *scope); /* after a limit changed */
uint32_t throttle_count(struct engine *engine, struct scope *scope);
void throttle_sent(struct engine *engine, uint32_t n);

#endif
