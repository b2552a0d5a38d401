/* inside.c - what should meet inside: best price first, then oldest, other strategies only. */
#include <stdio.h>
#include <string.h>

#include "property/world.h"

static bool meets(const struct resting *r, const struct in_submit *in)
{
    return r->live && r->instrument == in->msg.instrument && r->side != in->side &&
           r->strategy != in->strategy &&
           (in->side == WEIR_BUY ? in->px >= r->px : in->px <= r->px);
}

static bool is_before(const struct resting *a, const struct resting *b)
{
    if (a->px != b->px)
        return a->side == WEIR_BUY ? a->px > b->px : a->px < b->px;
    return a->age < b->age;
}

static struct resting *best_for(struct world *w, const struct in_submit *in)
{
    struct resting *best = NULL;
    for (int i = 0; i < w->resting_count; i++)
        if (meets(&w->resting[i], in) && (!best || is_before(&w->resting[i], best)))
            best = &w->resting[i];
    return best;
}

static void expect_leg(struct world *w, int at, uint32_t strategy, uint8_t side, weir_px px,
                       weir_qty qty)
{
    const struct cross *cross = &w->crosses[at];
    if (at >= w->cross_count || cross->strategy != strategy || cross->side != side ||
        cross->px != px || cross->qty != qty)
        fail(w, "inside: execution %d should be of strategy %u", at, strategy);
}

static void trade_of(struct world *w, uint32_t instrument, uint32_t strategy, uint8_t side,
                     weir_px px, weir_qty qty)
{
    money_booked(w, &(struct trade){.instrument = instrument,
                                    .strategy = strategy,
                                    .side = side,
                                    .internal = true,
                                    .fill = -1,
                                    .px = px,
                                    .qty = qty});
}

/* 15: the submit was allowed and applied; what did it meet, and where is what is left of it? */
void inside_expect(struct world *w, const struct in_submit *in)
{
    weir_qty left = in->qty;
    int legs = 0;
    struct resting *r;
    while (left > 0 && in->route != ROUTE_VENUE && (r = best_for(w, in)) != NULL) {
        weir_qty qty = left < r->qty - r->cum ? left : r->qty - r->cum;
        expect_leg(w, legs++, r->strategy, r->side, r->px, qty);
        expect_leg(w, legs++, in->strategy, in->side, r->px, qty);
        trade_of(w, r->instrument, r->strategy, r->side, r->px, qty);
        trade_of(w, r->instrument, in->strategy, in->side, r->px, qty);
        left -= qty;
        r->cum += qty;
        r->live = r->cum < r->qty;
    }
    if (legs != w->cross_count)
        fail(w, "inside: %d executions, and there should be %d", w->cross_count, legs);
    bool leaves = left > 0 && in->route != ROUTE_INTERNAL;
    if (leaves != (w->sent_order >= 0))
        fail(w, "inside: what is left went %s", leaves ? "nowhere" : "to the venue");
    else if (leaves && w->orders[w->sent_order].qty != left)
        fail(w, "inside: what went to the venue is not what is left");
    else if (leaves)
        w->orders[w->sent_order].inside = in->qty - left;
    else if (left > 0 && w->resting_count < RESTING)
        w->resting[w->resting_count++] = (struct resting){.instrument = in->msg.instrument,
                                                          .strategy = in->strategy,
                                                          .side = in->side,
                                                          .live = true,
                                                          .cid = w->cid,
                                                          .age = w->ages++,
                                                          .px = in->px,
                                                          .qty = in->qty,
                                                          .cum = in->qty - left};
}

bool inside_cancel(struct world *w, int cid)
{
    for (int i = 0; i < w->resting_count; i++)
        if (w->resting[i].cid == cid && w->resting[i].live) {
            w->resting[i].live = false;
            return true;
        }
    return false;
}
