/* loss.h - profit and loss, and the course of trading: what each scope made and how fast it goes on.
 * Private to host/engine. See loss.c, calm.c, course.c.                         [engine thread] */
#ifndef WEIR_ENGINE_LOSS_H
#define WEIR_ENGINE_LOSS_H

#include "engine/state.h"

int64_t course_day(const struct engine *engine);
amount course_day_loss(const struct scope *scope);
amount course_drawdown(const struct scope *scope);
amount course_window_loss(const struct engine *engine, const struct scope *scope);
void course_window_anew(const struct engine *engine, struct scope *scope); /* from now on */
/* Only while engine->watching: */
void course_sent(struct engine *engine, uint32_t n);
void course_filled(struct engine *engine, const struct instrument *instrument, uint32_t strategy,
                   amount gain, amount owners_gain);
void course_price(struct engine *engine, struct instrument *instrument);
void course_watch(struct engine *engine, const struct instrument *instrument, uint32_t strategy);
/* Something is wrong: what policy says for it is done. value, limit: of the alert, in whole units. */
void guard_trips(struct engine *engine, enum guard guard, struct scope *scope, amount value,
                 amount limit);
bool flat_size(struct engine *engine, uint32_t n); /* is there still something to be closed? */

#define PNL_UNLIMITED (-AMOUNT_MAX - 1)
void loss_units(struct instrument *instrument); /* what it is has been defined */
bool loss_values(const struct instrument *instrument, weir_px reference_x2);
void loss_price(struct engine *engine,
                struct instrument *instrument); /* after a price: settle, watch and act */
void loss_settle(struct engine *engine, struct instrument *instrument, struct holding *holding);
void loss_settle_owned(struct engine *engine, const struct scope *strategy);
void loss_settle_all(struct engine *engine);
amount loss_now(const struct engine *engine, const struct scope *scope); /* its profit and loss */
bool loss_value(const struct instrument *instrument, const struct holding *holding,
                weir_px reference_x2, amount *out); /* of one holding; false: does not fit */
void loss_watch(struct engine *engine, const struct instrument *instrument,
                uint32_t strategy); /* after an execution */

/* --- calm.c ------------------------------------------------------------------------------------- */
static inline bool is_calm(const struct instrument *instrument)
{
    return instrument->reference_x2 >= instrument->calm_from &&
           instrument->reference_x2 <= instrument->calm_to;
}
void calm_make(struct engine *engine, struct instrument *instrument); /* all of it is settled */
bool calm_follow(struct engine *engine, struct instrument *instrument,
                 struct holding *holding); /* it has changed; false: a number does not fit */
void calm_end(struct engine *engine,
              const struct scope *strategy); /* wherever it holds something */
void calm_end_all(struct engine *engine);

#endif
