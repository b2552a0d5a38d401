/* cross.c - opposite wishes of different strategies meet inside first.
 *
 * An arriving order trades with the internal orders of the other side, best price first, then oldest,
 * at the resting order's price, while prices meet; orders of its own strategy are passed over. What
 * is left rests inside or goes to the venue, by its route. A market order has no price to rest at:
 * what is left of one that may not go to the venue is canceled. */
#include "engine/fills.h"
#include "engine/loss.h"
#include "engine/state.h"
#include "engine/submit.h"
#include "engine/tell.h"

static bool meets(const struct engine *engine, uint32_t n, uint32_t resting)
{
    weir_px ours = engine->more[n].px, theirs = engine->more[resting].px;
    if (engine->more[n].type == WEIR_MARKET)
        return true;
    return engine->orders[n].side == WEIR_BUY ? ours >= theirs : ours <= theirs;
}

static void cross(struct engine *engine, uint32_t n)
{
    const struct order *order = order_at(engine, n);
    uint8_t other_side = order->side == WEIR_BUY ? WEIR_SELL : WEIR_BUY;

    for (uint32_t at = engine->instruments[order->instrument].inside[other_side], next; at;
         at = next) {
        const struct order *resting = order_at(engine, at);
        next = more_at(engine, at)->list_next;
        if (order->cum >= order->qty || !meets(engine, n, at))
            break;
        if (resting->strategy == order->strategy)
            continue;
        weir_qty ours = order->qty - order->cum, theirs = resting->qty - resting->cum;
        if (!fill_inside(engine, n, at, more_at(engine, at)->px, ours < theirs ? ours : theirs)) {
            tell_anomaly(engine, order->instrument, n, "an internal cross does not fit");
            break;
        }
        loss_watch(engine, &engine->instruments[order->instrument], resting->strategy);
        loss_watch(engine, &engine->instruments[order->instrument], order->strategy);
    }
}

/* Order n is INSIDE and on no list: cross it, then rest it or send it. */
void cross_arriving(struct engine *engine, uint32_t n)
{
    struct order *order = order_at(engine, n);
    cross(engine, n);
    if (order->is != IS_INSIDE)
        return;
    if (order->route == ROUTE_INTERNAL_THEN_VENUE && !engine->killed)
        order_send(engine, n);
    else if (order->route == ROUTE_INTERNAL && more_at(engine, n)->type != WEIR_MARKET)
        list_put(engine, n, LIST_INSIDE);
    else
        (void)order_step(engine, n, ON_CANCELED);
}
