/* slices.c - icebergs: only a part of an order is shown at a time.
 *
 * The iceberg stays HELD; each slice is an order of its own, with an id of its own, and goes out when
 * the one before it is filled. What is filled of a slice is filled of the iceberg, late and undone
 * executions too, so the iceberg alone is counted by whoever asked for it. One that is canceled, or
 * whose slice the venue ends, ends when its slice has: until then its slice may still be filled.
 *
 * Of both together only one is counted in exposure: the slice what it may fill, the iceberg the rest. */
#include "engine/hold.h"
#include "engine/risk.h"
#include "engine/state.h"
#include "engine/submit.h"

/* The iceberg; 0: it is no slice, or that one is forgotten. */
uint32_t slice_of(const struct engine *engine, uint32_t n)
{
    const struct order_kept *kept = &engine->kept[n];
    bool is_slice = engine->more[n].tied && kept->kin == KIN_SLICE;
    return is_slice && engine->more[kept->parent].born == kept->parent_born ? kept->parent : 0;
}

static void slice_make(struct engine *engine, uint32_t parent, weir_qty qty)
{
    const struct order *of = order_at(engine, parent);
    struct order_more *more = more_at(engine, parent);
    uint32_t n = order_take(engine, of->instrument, of->strategy);
    must(n != 0);
    struct order *order = order_at(engine, n);
    struct order_more *slice = more_at(engine, n);
    order->qty = qty;
    order->side = of->side;
    order->flags = of->flags;
    order->route = of->route;
    slice->px = slice->hold_px = more->px;
    slice->type = WEIR_LIMIT;
    slice->tif = slice->sent_tif = WEIR_GTC;
    slice->tied = 1;
    memcpy(slice->tag, more->tag, sizeof slice->tag);
    *kept_at(engine, n) = (struct order_kept){
        .asked_type = WEIR_LIMIT, .kin = KIN_SLICE, .parent = parent, .parent_born = more->born};
    bool named = wire_make(engine, of->strategy, slice->wire);
    put_text(slice->cid, slice->wire);
    named = named && name_add(engine, n, NAME_WIRE, slice->wire);
    must(named);
    kept_at(engine, parent)->child = n;
    more->out = qty;
    order_settle(engine, parent);
    hold_tell(engine, parent, HOLD_SLICED, n);
    (void)order_step(engine, n, ON_REST);
    order_go(engine, n);
}

void slice_next(struct engine *engine, uint32_t n)
{
    const struct order *order = order_at(engine, n);
    const struct order_kept *kept = kept_at(engine, n);
    weir_qty leaves = order->qty - order->cum;
    struct wish wish;
    if (kept->child || leaves <= 0)
        return;
    weir_qty qty = kept->visible < leaves ? kept->visible : leaves;
    wish_to_release(engine, n, &wish);
    wish.qty = qty; /* and `worst` is all that is left */
    wish.no_room = !order_room(engine) || !wire_room(engine);
    if (hold_judge(engine, n, &wish))
        slice_make(engine, n, qty);
}

/* The iceberg ends as its slice did. */
static void slice_ended(struct engine *engine, uint32_t n, uint32_t parent)
{
    const struct order *slice = order_at(engine, n), *order = order_at(engine, parent);
    struct order_kept *kept = kept_at(engine, parent);
    kept->child = 0;
    more_at(engine, parent)->out = 0;
    if (order->is != IS_HELD)
        return;
    if (order->cum >= order->qty)
        (void)order_step(engine, parent, ON_LAST_FILL);
    else if (slice->is == IS_FILLED && !kept->closing)
        work_later(engine, parent);
    else {
        if (!more_at(engine, parent)->reason[0])
            put_text(more_at(engine, parent)->reason, more_at(engine, n)->reason);
        (void)order_step(engine, parent,
                         slice->is == IS_EXPIRED || kept->closing == CLOSING_TIME ? ON_EXPIRED
                                                                                  : ON_CANCELED);
    }
}

/* What happened to a slice happened to its iceberg. */
void slice_follow(struct engine *engine, uint32_t n)
{
    struct order_kept *slice = kept_at(engine, n);
    uint32_t parent = slice_of(engine, n);
    if (!parent)
        return;
    struct order *order = order_at(engine, parent);
    struct order_more *more = more_at(engine, parent);
    weir_qty more_filled = order_at(engine, n)->cum - slice->passed;
    order->cum += more_filled;
    more->cum_quote += more_at(engine, n)->cum_quote - slice->passed_quote;
    slice->passed = order_at(engine, n)->cum;
    slice->passed_quote = more_at(engine, n)->cum_quote;
    bool current = kept_at(engine, parent)->child == n;
    if (current)
        more->out = more_at(engine, n)->counted;
    if (current && is_done(order_at(engine, n)->is) && more_at(engine, n)->counted == 0)
        slice_ended(engine, n, parent);
    else if (current && request_is_open(order->cancel) &&
             !request_is_open(order_at(engine, n)->cancel)) {
        request_set(engine, parent, &order->cancel, REQUEST_REJECTED); /* it works on */
        kept_at(engine, parent)->closing = CLOSING_NOT;
    } else if (is_done(order->is) && order->is != IS_FILLED && order->cum >= order->qty) {
        (void)order_step(engine, parent, ON_LAST_FILL);
    } else if (order->is == IS_FILLED && order->cum < order->qty) {
        (void)order_step(engine, parent, ON_TOLD_CANCELED); /* an execution was undone */
    }
    order_settle(engine, parent);
}
