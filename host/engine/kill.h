/* kill.h - the kill switch, and the proof that it worked. Private to host/engine. See kill.c.
 *                                                                               [engine thread] */
#ifndef WEIR_ENGINE_KILL_H
#define WEIR_ENGINE_KILL_H

#include "engine/state.h"

void scope_cancel(struct engine *engine, const struct scope *scope); /* all of its orders */
void kill_pull(struct engine *engine, const char *reason);
void kill_follow(struct engine *engine, uint32_t n,
                 bool shown_live); /* cancel what lives and was to be cancelled */
void kill_watch(struct engine *engine,
                uint32_t n); /* its cancel was sent: ask if it stays silent */
void kill_silence(struct engine *engine, uint32_t n); /* it is about to be asked about */
void kill_ghost(struct engine *engine,
                uint32_t n); /* it has ended, and the venue lists it as working */
void kill_stir(struct engine *engine, const char *reason);   /* what was proven is not any more */
void kill_asked(struct engine *engine, uint16_t account);    /* a list was asked for */
void kill_answered(struct engine *engine, uint16_t account); /* its end */
void kill_judge(struct engine *engine);                      /* after each input */
void kill_run(struct engine *engine);
weir_ns kill_due(const struct engine *engine);

#endif
