/* recon.h - reconciliation with the venue. Private to host/engine. See recon.c.        [engine thread] */
#ifndef WEIR_ENGINE_RECON_H
#define WEIR_ENGINE_RECON_H

#include "engine/state.h"

void recon_run(struct engine *engine);
weir_ns recon_due(const struct engine *engine);

void recon_start(struct engine *engine, uint16_t account);
bool account_is_up(const struct engine *engine, const struct account *account);
bool account_is_there(const struct engine *engine, uint16_t account);
bool can_give_up(const struct engine *engine, uint32_t n);

#endif
