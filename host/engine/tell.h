/* tell.h - effects, as they leave the engine; private to host/engine. See tell.c and views.c. */
#ifndef WEIR_ENGINE_TELL_H
#define WEIR_ENGINE_TELL_H

#include "engine/state.h"

void tell(struct engine *engine, struct weir_msg *effect);
struct weir_msg effect_of(const struct engine *engine, uint16_t kind, size_t size);
void tell_alert(struct engine *engine, enum alert alert, uint32_t instrument, uint32_t order,
                int64_t value, int64_t limit, const char *text);
void tell_anomaly(struct engine *engine, uint32_t instrument, uint32_t order, const char *text);
void tell_state(struct engine *engine, enum out_state_of of, enum risk_scope scope, uint32_t id,
                uint8_t value, const char *reason);
void tell_later(struct engine *engine, uint32_t n); /* as OUT_ORDER, when the input is done */
void tell_orders(struct engine *engine);
struct next { /* what a replace asked for */
    const char *cid;
    weir_px px;
    weir_qty qty;
};
void tell_refused(struct engine *engine, uint32_t n, const struct next *replace,
                  const char *reason);
void send_order(struct engine *engine, uint32_t n, uint16_t kind);
void send_fills_query(struct engine *engine, uint16_t account, uint32_t instrument);
void send_recon(struct engine *engine, uint16_t account);
void view_of_order(const struct engine *engine, uint32_t n, struct out_order *out);

#endif
