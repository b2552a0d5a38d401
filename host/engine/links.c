/* links.c - orders that concern each other: one cancels the other (OCO), brackets.
 *
 * RING      Of the orders of a ring one is enough. What is filled of one is taken off all others: at
 *           once if they are held or rest inside, by a replace at a venue, and if that cannot be, or
 *           nothing would be left, by a cancel. One that was held and fires cancels the others.
 *           Two that are at the venue may both be filled before word of it comes: then both are
 *           booked, as all that happens is.
 * LEGS      An order that follows another one is held until that has something filled. A leg that
 *           waits for a price waits for it from the first fill on, and goes out for what is filled by
 *           then, which cancels the rest of its entry; other legs go out when the entry is done. An
 *           entry that ends with nothing ends its legs. The legs of one entry are a ring. */
#include "engine/hold.h"
#include "engine/state.h"
#include "engine/submit.h"
#include "engine/tell.h"

/* --- making ----------------------------------------------------------------------------------------- */

uint32_t link_find(const struct engine *engine, const struct in_submit *in)
{
    uint32_t n = order_of_cid(engine, in->link);
    if (in->link_kind == LINK_NONE)
        return 0;
    if (!n || engine->orders[n].strategy != in->strategy ||
        engine->orders[n].instrument != in->msg.instrument || engine->kept[n].kin == KIN_SLICE)
        return UINT32_MAX;
    bool over =
        is_done(engine->orders[n].is) && (in->link_kind == LINK_OCO || engine->orders[n].cum == 0);
    return over ? UINT32_MAX : n;
}

static void tie(struct engine *engine, uint32_t n)
{
    struct order_kept *kept = kept_at(engine, n);
    if (more_at(engine, n)->tied)
        return;
    more_at(engine, n)->tied = 1;
    *kept = (struct order_kept){.asked_type = more_at(engine, n)->type,
                                .passed = order_at(engine, n)->cum,
                                .counted_reduce = kept->counted_reduce};
}

static void ring_join(struct engine *engine, uint32_t n, uint32_t other)
{
    struct order_kept *kept = kept_at(engine, other);
    kept_at(engine, n)->ring = kept->ring ? kept->ring : other;
    kept->ring = n;
}

void link_make(struct engine *engine, uint32_t n, uint32_t other, uint8_t kind)
{
    struct order_kept *kept = kept_at(engine, n);
    tie(engine, n);
    tie(engine, other);
    if (kind == LINK_OCO) {
        ring_join(engine, n, other);
        return;
    }
    kept->kin = KIN_LEG;
    kept->parent = other;
    kept->parent_born = more_at(engine, other)->born;
    uint32_t *legs = &kept_at(engine, other)->legs;
    if (*legs)
        ring_join(engine, n, *legs);
    else
        *legs = n;
}

/* The order that it follows; 0: none, or forgotten. */
static uint32_t parent_of(const struct engine *engine, uint32_t n)
{
    const struct order_kept *kept = &engine->kept[n];
    return kept->parent && engine->more[kept->parent].born == kept->parent_born ? kept->parent : 0;
}

static uint32_t next_in_ring(const struct engine *engine, uint32_t n, uint32_t at)
{
    uint32_t next = engine->kept[at].ring;
    return next == n ? 0 : next;
}

static void unqueue(struct engine *engine, uint32_t n)
{
    uint32_t room = engine->sizes.orders + 1, kept = 0;
    for (uint32_t i = 0; i < engine->work_count; i++) {
        uint32_t at = engine->work[(engine->work_first + i) % room];
        if (at != n)
            engine->work[(engine->work_first + kept++) % room] = at;
    }
    engine->work_count = kept;
}

/* Its slot gets another order. */
void links_forget(struct engine *engine, uint32_t n)
{
    struct order_kept *kept = kept_at(engine, n);
    uint32_t parent = parent_of(engine, n), last = n, next = next_in_ring(engine, n, n);
    for (uint32_t at = next_in_ring(engine, n, n); at; at = next_in_ring(engine, n, at))
        last = at;
    if (last != n)
        kept_at(engine, last)->ring = next == last ? 0 : next;
    if (parent && kept_at(engine, parent)->legs == n)
        kept_at(engine, parent)->legs = next;
    if (parent && kept_at(engine, parent)->child == n) {
        kept_at(engine, parent)->child = 0;
        more_at(engine, parent)->out = 0;
    }
    if (more_at(engine, n)->tied > 1)
        unqueue(engine, n);
    *kept = (struct order_kept){.waits = 0};
}

/* --- OCO --------------------------------------------------------------------------------------------- */

static void cancel_for(struct engine *engine, uint32_t n, const char *reason)
{
    if (is_done(order_at(engine, n)->is))
        return;
    if (!is_at_venue(order_at(engine, n)->is))
        put_text(more_at(engine, n)->reason, reason);
    order_cancel(engine, n);
}

static void take_off(struct engine *engine, uint32_t n, weir_qty by, uint32_t because)
{
    struct order *order = order_at(engine, n);
    const struct order_more *more = more_at(engine, n);
    weir_qty least = order->cum + more->out, left = order->qty > by ? order->qty - by : 0;
    if (is_done(order->is))
        return;
    kept_at(engine, n)->taken += by;
    if (left <= least || (is_at_venue(order->is) && request_is_open(order->cancel))) {
        cancel_for(engine, n, "OCO");
    } else if (!is_at_venue(order->is)) {
        order->qty = left;
        order_settle(engine, n);
        hold_tell(engine, n, HOLD_REDUCED, because);
    } else if (order_amend(engine, n, left)) {
        hold_tell(engine, n, HOLD_REDUCED, because);
    } else {
        order_cancel(engine, n);
    }
}

void link_fired(struct engine *engine, uint32_t n)
{
    uint32_t parent = kept_at(engine, n)->kin == KIN_LEG ? parent_of(engine, n) : 0;
    for (uint32_t at = next_in_ring(engine, n, n); at; at = next_in_ring(engine, n, at))
        cancel_for(engine, at, "OCO");
    if (parent)
        cancel_for(engine, parent, "a leg fired");
}

amount link_reduces(const struct engine *engine, uint32_t n)
{
    amount sum = 0;
    for (uint32_t at = next_in_ring(engine, n, n); at; at = next_in_ring(engine, n, at))
        if (engine->orders[at].side == engine->orders[n].side)
            sum += engine->kept[at].counted_reduce;
    return sum;
}

/* --- brackets ------------------------------------------------------------------------------------------ */

/* Not for more than was filled of what it follows, less what others of its ring have done of that. */
void link_cap(struct engine *engine, uint32_t n)
{
    struct order *order = order_at(engine, n);
    uint32_t parent = kept_at(engine, n)->kin == KIN_LEG ? parent_of(engine, n) : 0;
    if (!parent)
        return;
    weir_qty most = order_at(engine, parent)->cum - kept_at(engine, n)->taken;
    if (order->qty <= most)
        return;
    if (most <= order->cum) {
        hold_cancel(engine, n, "PARENT");
        return;
    }
    order->qty = most;
    order_settle(engine, n);
    hold_tell(engine, n, HOLD_REDUCED, parent);
}

bool link_lets(struct engine *engine, uint32_t n)
{
    uint32_t parent = parent_of(engine, n);
    if (!parent)
        return true;
    const struct order *entry = order_at(engine, parent);
    if (!is_done(entry->is))
        return entry->cum > 0 && (kept_at(engine, n)->waits & WAIT_TRIGGER);
    if (order_awaits(entry, more_at(engine, parent)))
        return false;
    link_cap(engine, n);
    return order_at(engine, n)->is == IS_HELD;
}

void links_follow(struct engine *engine, uint32_t n)
{
    struct order_kept *kept = kept_at(engine, n);
    uint32_t first = kept->legs;
    for (uint32_t leg = first; leg; leg = next_in_ring(engine, first, leg))
        if (order_at(engine, leg)->is == IS_HELD && (kept_at(engine, leg)->waits & WAIT_PARENT))
            work_later(engine, leg);
    if (kept->kin == KIN_SLICE)
        return;
    weir_qty filled = order_at(engine, n)->cum - kept->passed;
    kept->passed = order_at(engine, n)->cum;
    for (uint32_t at = next_in_ring(engine, n, n); at; at = next_in_ring(engine, n, at))
        if (filled > 0)
            take_off(engine, at, filled, n);
}
