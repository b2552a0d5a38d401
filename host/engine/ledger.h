/* ledger.h - executions as they are booked; private to host/engine. See ledger.c. */
#ifndef WEIR_ENGINE_LEDGER_H
#define WEIR_ENGINE_LEDGER_H

#include "engine/state.h"

enum exec_state { EXEC_IS_BOOKED, EXEC_IS_WAITING, EXEC_IS_BUSTED };

/* Without holes: it is written as a whole, and what lies in a hole is nobody's. */
struct exec {
    struct key128 key;
    struct key128 vid_key;
    struct key128 client_key;
    uint64_t born; /* of its order */
    weir_px px;
    weir_qty qty;
    weir_ns deadline; /* waiting */
    amount fee;
    amount realized; /* by the venue, if has_realized */
    uint32_t order;  /* 0: none */
    uint32_t strategy;
    uint32_t instrument;
    uint32_t fee_asset; /* + 1; 0: no fee */
    uint32_t next_waiting;
    uint8_t side, internal, origin, maker;
    uint8_t state; /* enum exec_state */
    char id[WEIR_ID_MAX];
    uint8_t has_realized;
    uint8_t pad[14];
};
_Static_assert(offsetof(struct exec, fee) == 80 &&
                   offsetof(struct exec, pad) + 14 == sizeof(struct exec),
               "an execution has holes");

enum { MOVES_MAX = 3 };
struct move {
    struct purse *purse;
    amount total, fee; /* what is added */
};

struct plan {
    struct instrument *instrument;
    struct holding *owner; /* NULL: not known yet */
    struct stake own, owners;
    struct move moves[MOVES_MAX];
    int move_count;
    weir_qty cum;
    amount cum_quote;
};

/* The ring of what is remembered in detail, oldest first: at from oldest_exec() below exec_count. */
uint64_t oldest_exec(const struct engine *engine);
struct exec *exec_at(struct engine *engine, uint64_t at);
struct exec *exec_put(struct engine *engine, const struct exec *exec);
uint32_t order_of_exec(const struct engine *engine,
                       const struct exec *exec); /* 0: none, or forgotten */
struct holding *owner_of_exec(struct engine *engine,
                              const struct exec *exec); /* NULL: not known yet */
weir_qty signed_qty(const struct exec *exec);

/* Compute all that booking this changes; strategy 0: not known yet, n 0: no order. False: it does
 * not fit. Then write it. sign -1 in plan_wallet: take it back. */
bool plan_make(struct engine *engine, struct plan *out, const struct exec *exec, uint32_t n);
bool plan_order(struct engine *engine, struct plan *plan, const struct exec *exec, uint32_t n);
bool plan_wallet(struct engine *engine, struct plan *plan, const struct exec *exec, amount gain,
                 int sign);
void moves_make(const struct plan *plan);
struct exec *book(struct engine *engine, struct plan *plan, const struct exec *exec, uint32_t n,
                  enum exec_stage stage);
struct out_execution view_of_exec(struct engine *engine, const struct exec *exec,
                                  enum exec_stage stage);

/* A holding from its base and all that is remembered; owner 0: the account. False: does not fit. */
bool fold(struct engine *engine, struct holding *holding, uint32_t owner, struct stake *out);
/* A strategy's holding, after what it owns has changed by `change`; returns the change of realized. */
amount refold(struct engine *engine, struct holding *owner, weir_qty change);

/* What cannot be booked or undone: nothing new in this instrument until a reconciliation agrees. */
void stop_instrument(struct engine *engine, uint32_t n, const char *text);

/* fills.c: the order that an execution or its bust names; 0: none that is known here */
uint32_t named_order(const struct engine *engine, const struct weir_fill *fill);
/* fills.c: one that waits gets its owner (n 0: no order of ours), or leaves the queue */
void attribute(struct engine *engine, struct exec *exec, uint32_t n, uint32_t strategy);
void waiting_cut(struct engine *engine, const struct exec *exec);

#endif
