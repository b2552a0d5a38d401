/* submit.h - requests on their way out: sent, amended, canceled, crossed inside. Private to host/engine.
 * See submit.c and cross.c.                                                     [engine thread] */
#ifndef WEIR_ENGINE_SUBMIT_H
#define WEIR_ENGINE_SUBMIT_H

#include "engine/state.h"

void tell_decision(struct engine *engine, enum decision_of of, const struct weir_msg *from,
                   const char *cid, uint32_t n, uint32_t strategy); /* the last that was judged */
void order_cancel(struct engine *engine, uint32_t n);
bool order_amend(struct engine *engine, uint32_t n, weir_qty qty); /* for the host's own reasons */
void order_go(struct engine *engine, uint32_t n);                  /* by its route */
void order_send(struct engine *engine, uint32_t n);
void cross_arriving(struct engine *engine, uint32_t n);

#endif
