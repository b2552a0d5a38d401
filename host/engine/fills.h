/* fills.h - executions: booked, claimed, taken back. Private to host/engine. See fills.c and ledger.c.
 *                                                                               [engine thread] */
#ifndef WEIR_ENGINE_FILLS_H
#define WEIR_ENGINE_FILLS_H

#include "engine/state.h"

bool fill_inside(struct engine *engine, uint32_t n, uint32_t other, weir_px px, weir_qty qty);
void fills_claim(struct engine *engine,
                 uint32_t n); /* its venue id is known now: take what waited */
void fills_adopt(struct engine *engine, uint32_t n); /* executions of an order that was not known */
void waiting_expire(struct engine *engine);
weir_ns waiting_due(const struct engine *engine);

#endif
