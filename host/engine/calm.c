/* calm.c - between which prices nobody need look, since no strategy can be at its max_loss there.
 *
 * A price moves what each strategy holds of an instrument. To settle them all at each price costs as
 * much as there are strategies, though hardly ever one is near its limit. So when all have been settled
 * an interval of reference prices is worked out in which none of them can lose more than half of what it
 * has left; until the price leaves it, the instrument is calm, and only the account is settled.
 *
 * FLOOR   of a holding: what it is worth at the end of the interval that is bad for it; where the
 *         instrument is not calm, what it is worth. Of a strategy: the sum. A strategy is worth its floor
 *         or more wherever its instruments' prices are within their intervals.
 * PROMISE A strategy that has a max_loss and is not halted has a floor above it, or nothing that it holds
 *         is calm; so at the first price at which it is at its max_loss, it is looked at, and what is
 *         done follows from the exact sum. What is told is the same as if all were settled at each
 *         price. [calm_follow, calm_make]
 * NOT     for inverse contracts, whose worth is no line, and not while a group has a max_loss: a group's
 *         strategies are settled one after the other, and it is watched between them. */
#include "engine/loss.h"
#include "engine/state.h"
#include "engine/tell.h"

static bool is_watched(const struct scope *strategy)
{
    return strategy->pnl_least != PNL_UNLIMITED && strategy->state != TRADING_HALTED_STATE;
}

static void unrest(struct instrument *instrument)
{
    instrument->calm_from = instrument->calm_to = 0;
}

void calm_end(struct engine *engine, const struct scope *strategy)
{
    for (uint32_t n = strategy->holdings; n; n = engine->holdings[n].owned)
        unrest(&engine->instruments[engine->holdings[n].instrument]);
}

void calm_end_all(struct engine *engine)
{
    for (uint32_t i = 1; i <= engine->instrument_count; i++)
        unrest(&engine->instruments[i]);
}

static bool floor_of(struct instrument *instrument, const struct holding *holding, amount *out)
{
    weir_px bad = holding->now.qty > 0 ? instrument->calm_from : instrument->calm_to;
    if (is_calm(instrument) && loss_value(instrument, holding, bad, out))
        return true;
    unrest(instrument);
    return loss_value(instrument, holding, instrument->reference_x2, out);
}

bool calm_follow(struct engine *engine, struct instrument *instrument, struct holding *holding)
{
    struct scope *strategy = strategy_of(engine, holding->owner);
    amount floor, change;
    if (!floor_of(instrument, holding, &floor) || !amount_sub(floor, holding->floor, &change) ||
        !amount_add(strategy->floor, change, &strategy->floor))
        return false;
    holding->floor = floor;
    if (strategy->floor <= strategy->pnl_least && is_watched(strategy))
        calm_end(engine, strategy);
    return true;
}

/* Bring the nearer end so near that the holding loses at most half of what its strategy has left. Its
 * worth changes by unit / 2 for each quantity and step of reference_x2. False: nothing is left. */
static bool narrow_to(struct instrument *instrument, const struct holding *holding,
                      const struct scope *strategy)
{
    weir_qty qty = holding->now.qty;
    weir_px now = instrument->reference_x2;
    amount left, each = (amount)(qty > 0 ? qty : -(amount)qty) * instrument->unit;
    if (!amount_sub(strategy->floor, strategy->pnl_least, &left) || left < 4)
        return false;
    weir_px away = qty > 0 ? now - instrument->calm_from : instrument->calm_to - now;
    if (each * away <= left / 2 - 1)
        return true;
    away = (weir_px)((left / 2 - 1) / each);
    if (qty > 0)
        instrument->calm_from = now - away;
    else
        instrument->calm_to = now + away;
    return true;
}

static bool may_lose(struct engine *engine, const struct holding *holding)
{
    return holding->owner < GROUP_OWNER && holding->now.qty != 0 &&
           is_watched(strategy_of(engine, holding->owner));
}

static bool find_ends(struct engine *engine, struct instrument *instrument)
{
    weir_px now = instrument->reference_x2, most = now / 4;
    if (engine->group_losses > 0 || instrument->unit == 0 || now <= 0 || now > INT64_MAX / 2)
        return false;
    instrument->calm_from = now - most;
    instrument->calm_to = now + most;
    for (uint32_t n = instrument->holdings; n; n = engine->holdings[n].next) {
        const struct holding *holding = &engine->holdings[n];
        if (may_lose(engine, holding) &&
            !narrow_to(instrument, holding, strategy_of(engine, holding->owner)))
            return false;
    }
    return true;
}

void calm_make(struct engine *engine, struct instrument *instrument)
{
    if (!find_ends(engine, instrument)) {
        unrest(instrument);
        return;
    }
    for (uint32_t n = instrument->holdings; n; n = engine->holdings[n].next) {
        struct holding *holding = &engine->holdings[n];
        if (may_lose(engine, holding) && !calm_follow(engine, instrument, holding)) {
            unrest(instrument);
            return;
        }
    }
}
