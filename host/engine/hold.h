/* hold.h - orders that we keep ourselves: held, sliced, in the throttle's lane, linked. Private to
 * host/engine. See hold.c, slices.c, lane.c, links.c.                           [engine thread] */
#ifndef WEIR_ENGINE_HOLD_H
#define WEIR_ENGINE_HOLD_H

#include "engine/state.h"

struct wish;

uint8_t waits_of(const struct engine *engine, const struct in_submit *in);
uint8_t sent_type(uint8_t type); /* what a type is when it goes out */
weir_ns expiry_of(const struct engine *engine, const struct in_submit *in);
void hold_make(struct engine *engine, uint32_t n, const struct in_submit *in, uint8_t waits);
void hold_own(struct engine *engine, uint32_t n);    /* one of ours: judged, and out */
void hold_begin(struct engine *engine, uint32_t n);  /* it is held from now on */
void hold_settle(struct engine *engine, uint32_t n); /* a tied order changed */
void hold_go_on(struct engine *engine, uint32_t n);
void hold_cancel(struct engine *engine, uint32_t n, const char *reason);
void hold_cancel_all(struct engine *engine, const char *reason);
void hold_price(struct engine *engine, struct instrument *instrument, weir_px price_x2);
void hold_tell(struct engine *engine, uint32_t n, enum hold_event event, uint32_t other);
void hold_run(struct engine *engine); /* alarms */
void hold_move(struct engine *engine, uint32_t n, weir_px trigger);
void hold_stale(struct engine *engine, const struct instrument *instrument);
bool price_is_missing(const struct engine *engine, const struct instrument *instrument);
void wish_to_release(struct engine *engine, uint32_t n, struct wish *wish);
/* May it go? If not, it has ended, or waits in the lane. */
bool hold_judge(struct engine *engine, uint32_t n, struct wish *wish);
void hold_tell_decision(struct engine *engine, uint32_t n);
bool lane_takes(struct engine *engine, uint32_t n);
bool lane_wanted(const struct engine *engine, enum risk_check reason);
void lane_cut(struct engine *engine, uint32_t n);
void lane_run(struct engine *engine);
void lane_stir(struct engine *engine, uint16_t kind); /* after an input of this kind */
void work_later(struct engine *engine, uint32_t n);
void work_run(struct engine *engine);
/* link_find: UINT32_MAX: there is no such order that it may be linked to */
uint32_t link_find(const struct engine *engine, const struct in_submit *in);
void link_make(struct engine *engine, uint32_t n, uint32_t other, uint8_t kind);
void link_cap(struct engine *engine, uint32_t n);
bool link_lets(struct engine *engine, uint32_t n); /* what it follows lets it go */
void link_fired(struct engine *engine, uint32_t n);
amount link_reduces(const struct engine *engine, uint32_t n); /* reduce-only exposure of its OCO */
void links_follow(struct engine *engine, uint32_t n);
void links_forget(struct engine *engine, uint32_t n);
void slice_next(struct engine *engine, uint32_t n);
void slice_follow(struct engine *engine, uint32_t n);
uint32_t slice_of(const struct engine *engine, uint32_t n);
void view_of_hold(const struct engine *engine, uint32_t n, struct out_hold *out);

#endif
