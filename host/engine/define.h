/* define.h - what is defined: scopes, instruments, assets, holdings, limits. Private to host/engine.
 * See define.c.                                                                 [engine thread] */
#ifndef WEIR_ENGINE_DEFINE_H
#define WEIR_ENGINE_DEFINE_H

#include "engine/state.h"

struct scope *scope_at(struct engine *engine, uint8_t scope, uint32_t id); /* NULL: not defined */
const struct scope *scope_peek(const struct engine *engine, uint8_t scope, uint32_t id);
struct instrument *instrument_at(struct engine *engine, uint32_t n); /* NULL: not defined */
uint32_t asset_number(struct engine *engine, const char *asset); /* UINT32_MAX: full or no name */
uint32_t asset_find(const struct engine *engine, const char *asset);
uint32_t holding_take(struct engine *engine, uint32_t instrument, uint32_t owner); /* 0: full */
uint32_t holding_find(const struct engine *engine, uint32_t instrument, uint32_t owner);
void cards_refresh(struct engine *engine, struct instrument *instrument);
void holding_refresh(struct engine *engine, struct instrument *instrument, struct holding *holding);
void policy_defaults(struct engine *engine);
void set_trading_state(struct engine *engine, struct scope *scope, uint8_t state,
                       const char *reason);

#endif
