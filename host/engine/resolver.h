/* resolver.h - orders in doubt: what is asked of the venue, and when again; timers. Private to
 * host/engine. See resolver.c and timers.c.                                     [engine thread] */
#ifndef WEIR_ENGINE_RESOLVER_H
#define WEIR_ENGINE_RESOLVER_H

#include "engine/state.h"

enum question { ASK_ORDER = 1, ASK_FILLS = 2 };
void resolver_ask(struct engine *engine, uint32_t n,
                  uint8_t question); /* at once, and again later */
void resolver_later(struct engine *engine, uint32_t n, uint8_t question, weir_ns due);
void resolver_settle(struct engine *engine, uint32_t n); /* stop asking what is answered */
void resolver_run(struct engine *engine);
weir_ns resolver_due(const struct engine *engine);

/* --- timers.c ----------------------------------------------------------------------------------- */
void timer_put(struct engine *engine, enum timer_kind kind, uint32_t n, weir_ns due);
void timer_cut(struct engine *engine, enum timer_kind kind, uint32_t n); /* it may not be set */
weir_ns timer_first(const struct engine *engine, enum timer_kind kind);  /* INT64_MAX: none */

#endif
