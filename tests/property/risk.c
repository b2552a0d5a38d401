/* risk.c - what each check should say, from the orders one by one.
 *
 * The engine keeps sums; here they are added up anew from its orders for each wish, so that a sum
 * that forgot an order, or counted it twice, gives another verdict. */
#include <inttypes.h>

#include "property/world.h"

struct seen { /* what the orders add up to */
    amount exposure[2], reduce[2];
    amount held_quote, held_base;
    int open;
    weir_px best[2]; /* most aggressive own price of each side; 0: none */
};

static weir_px aggressive(const struct order_view *v)
{
    weir_px px = v->order.px;
    if (v->order.msg.size < sizeof v->order)
        return px; /* no replace is pending */
    bool next = v->order.side == WEIR_BUY ? v->order.next_px > px : v->order.next_px < px;
    return next ? v->order.next_px : px;
}

static bool is_at_venue(const struct order_view *v)
{
    return v->order.route != ROUTE_INTERNAL &&
           !order_label_is_done((enum order_label)v->order.label);
}

static void see_quote(struct seen *seen, const struct order_view *v)
{
    weir_px px = aggressive(v), *best = &seen->best[v->order.side];
    if (*best == 0 || (v->order.side == WEIR_BUY ? px > *best : px < *best))
        *best = px;
}

static void see_held(struct seen *seen, const struct order_view *v)
{
    weir_px px = v->order.px > v->order.next_px ? v->order.px : v->order.next_px;
    if (v->order.msg.size < sizeof v->order)
        px = v->order.px;
    if (v->order.side == WEIR_BUY)
        seen->held_quote += (amount)px * v->exposure * 1000000000000000;
    else
        seen->held_base += amount_from(v->exposure, 2);
}

static struct seen look(const struct world *w, const struct wish_model *wish)
{
    struct seen seen = {0};
    struct order_view v;
    for (uint32_t n = 0; (n = engine_order_next(w->engine, n, false)) != 0;) {
        if (n == wish->order || !engine_order(w->engine, n, &v))
            continue;
        seen.open += is_at_venue(&v);
        if (v.order.msg.instrument == SPOT)
            see_held(&seen, &v);
        if (v.order.msg.instrument != wish->instrument)
            continue;
        if (v.order.flags & WEIR_REDUCE_ONLY)
            seen.reduce[v.order.side] += v.exposure;
        if (v.order.route != ROUTE_INTERNAL)
            seen.exposure[v.order.side] += v.exposure;
        if (is_at_venue(&v))
            see_quote(&seen, &v);
    }
    return seen;
}

/* --- the checks, in the contract's order ------------------------------------------------------*/

static bool reduces_only(const struct world *w, const struct wish_model *wish,
                         const struct seen *seen)
{
    weir_qty held = position_of(w, wish->instrument, false);
    amount size = held < 0 ? -held : held;
    bool reduces = wish->side == WEIR_BUY ? held < 0 : held > 0;
    return wish->worst <= (reduces ? size - seen->reduce[wish->side] : 0);
}

static bool is_covered(const struct world *w, const struct wish_model *wish,
                       const struct seen *seen)
{
    amount total = 0, other, cost;
    bool buys = wish->side == WEIR_BUY;
    (void)engine_wallet(w->engine, 1, buys ? "USD" : "A", &total, &other, &other);
    cost = buys ? seen->held_quote + (amount)wish->px * wish->worst * 1000000000000000
                : seen->held_base + amount_from(wish->worst, 2);
    return cost <= total;
}

static bool crosses_itself(const struct wish_model *wish, const struct seen *seen)
{
    weir_px best = seen->best[wish->side == WEIR_BUY ? WEIR_SELL : WEIR_BUY];
    return best && (wish->side == WEIR_BUY ? wish->px >= best : wish->px <= best);
}

static int sent_in_window(const struct world *w)
{
    int count = 0;
    for (int i = 0; i < w->send_count; i++)
        count += w->sends[i] > w->now - w->limits.throttle_window;
    return count;
}

/* The limits of a strategy and of a group: what strategies first .. last hold (asked of the engine;
 * that it is right is rule 6), all their orders, and the wish. A limit in whole units is rounded down
 * to lots. */
static bool is_over(const struct world *w, const struct wish_model *wish, uint32_t first,
                    uint32_t last, weir_qty limit)
{
    struct order_view v;
    amount held = 0, worst = wish->worst;
    for (uint32_t s = first; s <= last; s++) {
        struct position_view view = {0};
        (void)engine_position(w->engine, wish->instrument, s, &view);
        held += view.qty;
    }
    for (uint32_t n = 0; (n = engine_order_next(w->engine, n, false)) != 0;)
        if (n != wish->order && engine_order(w->engine, n, &v) && v.order.strategy >= first &&
            v.order.strategy <= last && v.order.msg.instrument == wish->instrument &&
            v.order.side == wish->side && v.order.route != ROUTE_INTERNAL)
            worst += v.exposure;
    if (w->limits.binds != wish->instrument)
        limit = wish->instrument == SPOT ? limit * 100 : limit / 100;
    return worst + (wish->side == WEIR_BUY ? held : -held) > limit;
}

static bool strategy_is_over(const struct world *w, const struct wish_model *wish)
{
    return w->limits.strategy_max && wish->strategy == 1 &&
           is_over(w, wish, 1, 1, w->limits.strategy_max);
}

static bool group_is_over(const struct world *w, const struct wish_model *wish)
{
    return w->limits.group_max && wish->strategy >= 1 && wish->strategy <= GROUPED &&
           is_over(w, wish, 1, GROUPED, w->limits.group_max);
}

static bool position_is_over(struct world *w, const struct wish_model *wish, amount worst)
{
    bool own = worst > w->limits.max_position, strategy = strategy_is_over(w, wish),
         group = group_is_over(w, wish);
    w->denied_strategy += strategy && !own && !group;
    w->denied_group += group && !own && !strategy;
    return own || strategy || group;
}

static int limits_say(struct world *w, const struct wish_model *wish, const struct seen *seen)
{
    const struct limits *l = &w->limits;
    bool outside = wish->route != ROUTE_INTERNAL, spot = wish->instrument == SPOT;
    weir_qty held = position_of(w, wish->instrument, false);
    amount worst =
        (wish->side == WEIR_BUY ? held : -held) + seen->exposure[wish->side] + wish->worst;
    if (l->max_order_qty && wish->qty > l->max_order_qty)
        return CHECK_MAX_ORDER_QTY;
    if ((wish->flags & WEIR_REDUCE_ONLY) && !reduces_only(w, wish, seen))
        return CHECK_REDUCE_ONLY;
    if (outside && position_is_over(w, wish, worst))
        return CHECK_MAX_POSITION;
    if (outside && !wish->order && l->max_open_orders && seen->open + 1 > l->max_open_orders)
        return CHECK_MAX_OPEN_ORDERS;
    if (spot && l->check_balance && !is_covered(w, wish, seen))
        return CHECK_INSUFFICIENT_BALANCE;
    if (spot && outside && l->self_cross && crosses_itself(wish, seen))
        return CHECK_SELF_CROSS;
    if (outside && l->throttle_max && sent_in_window(w) >= l->throttle_max)
        return CHECK_THROTTLED;
    return wish->bad ? CHECK_BAD_REQUEST : ALLOWED;
}

/* Before it is applied: the first check that should fail, or ALLOWED. */
int risk_expects(struct world *w, const struct wish_model *wish)
{
    if (w->killed)
        return CHECK_KILL_SWITCH;
    if (w->recon_asked)
        return CHECK_RECONCILING;
    if (w->halted[wish->instrument])
        return CHECK_HALTED;
    if (w->told_down)
        return CHECK_VENUE_DOWN;
    if (w->now < w->backoff)
        return CHECK_VENUE_BACKOFF;
    struct seen seen = look(w, wish);
    return limits_say(w, wish, &seen);
}

/* 9: after a send, the side that was added to is within the limit, everything at its worst: by what
 * the host believes, and by what the venue could still execute. */
void check_exposure(struct world *w)
{
    struct order_view view;
    if (w->sent_order < 0)
        return;
    const struct truth_order *sent = &w->orders[w->sent_order];
    weir_qty held = position_of(w, sent->instrument, false);
    amount believed = sent->side == WEIR_BUY ? held : -held, true_worst = believed;
    for (uint32_t n = 0; (n = engine_order_next(w->engine, n, false)) != 0;)
        if (engine_order(w->engine, n, &view) && view.order.msg.instrument == sent->instrument &&
            view.order.side == sent->side && view.order.route != ROUTE_INTERNAL)
            believed += view.exposure;
    for (int i = 0; i < w->order_count; i++) {
        const struct truth_order *o = &w->orders[i];
        weir_qty most = o->qty, told = 0;
        if (o->instrument != sent->instrument || o->side != sent->side || o->state == GONE ||
            !o->listed)
            continue;
        for (int n = 1; n < o->names; n++)
            if (o->changes[n].on_wire && o->changes[n].qty > most)
                most = o->changes[n].qty;
        for (int f = 0; f < w->fill_count; f++)
            if (w->fills[f].order == i && counts(&w->fills[f], false))
                told += w->fills[f].msg.qty;
        true_worst += most > told ? most - told : 0;
    }
    if (believed > w->limits.max_position)
        fail(w, "9: exposure %" PRId64 " over the limit %" PRId64, (int64_t)believed,
             w->limits.max_position);
    if (true_worst > w->limits.max_position)
        fail(w, "9: the venue could still execute %" PRId64 ", over the limit %" PRId64,
             (int64_t)true_worst, w->limits.max_position);
}
