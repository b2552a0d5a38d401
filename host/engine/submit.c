/* submit.c - what guests ask: submit, cancel, replace, cancel many.
 *
 * A submit ends in one of three ways: dropped (its client id was used before), DENIED with the reason
 * and all readings, or on its way. The decision is told before anything follows from it. A denied
 * order uses its client id up too, and is remembered as an order while there is room. A denied
 * replace leaves the order as it is. Cancels pass no check. */
#include "engine/submit.h"
#include "engine/define.h"
#include "engine/hold.h"
#include "engine/inputs.h"
#include "engine/kill.h"
#include "engine/report.h"
#include "engine/risk.h"
#include "engine/state.h"
#include "engine/tell.h"

static bool is_text(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

/* Members that mean something only together are all there, and no others. */
static bool is_odd(const struct engine *engine, const struct in_submit *in)
{
    bool waits_for_price = in->type >= WEIR_STOP && in->type <= WEIR_TRAILING;
    bool market = sent_type(in->type) == WEIR_MARKET && in->type != WEIR_MARKET;
    return (waits_for_price ? in->trigger <= 0 : in->trigger != 0) || (market && in->px != 0) ||
           (in->type == WEIR_ICEBERG ? in->visible <= 0 : in->visible != 0) ||
           (in->type == WEIR_ICEBERG && (in->tif == WEIR_IOC || in->tif == WEIR_FOK)) ||
           (in->tif == WEIR_GTD ? in->expires <= engine->now : in->expires != 0) ||
           in->release < 0 || (in->link_kind == LINK_NONE && in->link[0]);
}

static bool is_wrong(const struct in_submit *in)
{
    return in->side > WEIR_SELL || in->type > WEIR_ICEBERG || in->tif > WEIR_DAY ||
           in->route > ROUTE_INTERNAL_THEN_VENUE || in->link_kind > LINK_PARENT ||
           (in->flags & ~(WEIR_POST_ONLY | WEIR_REDUCE_ONLY)) != 0 ||
           !is_text(in->cid, sizeof in->cid) || !is_text(in->tag, sizeof in->tag) ||
           !is_text(in->link, sizeof in->link);
}

static bool cids_full(const struct engine *engine)
{
    return engine->cids.count >= engine->cids.max;
}

/* A holding for this strategy, and for its group, is there or can be made. */
static bool holding_room(const struct engine *engine, uint32_t instrument, uint32_t strategy)
{
    return holding_find(engine, instrument, strategy) ||
           engine->holding_count + 2 <= engine->sizes.positions;
}

static bool has_room(const struct engine *engine, const struct in_submit *in)
{
    return order_room(engine) && wire_room(engine) && (!in->cid[0] || !cids_full(engine)) &&
           holding_room(engine, in->msg.instrument, in->strategy);
}

static void name_wish(const struct engine *engine, struct wish *wish, const char *cid)
{
    struct key128 key = cid_key(cid);
    map_fetch(&engine->cids, key);
    wish->cid = cid;
    wish->cid_key.a = key.a;
    wish->cid_key.b = key.b;
}

static void wish_from(struct engine *engine, const struct in_submit *in, struct wish *wish)
{
    bool wrong = is_wrong(in);
    uint8_t type = sent_type(in->type);
    *wish = (struct wish){.submit = in,
                          .instrument = instrument_at(engine, in->msg.instrument),
                          .strategy = scope_at(engine, SCOPE_strategy, in->strategy),
                          .px = type == WEIR_MARKET ? 0 : in->px,
                          .qty = in->qty,
                          .worst = in->qty > 0 ? in->qty : 0,
                          .side = in->side == WEIR_SELL,
                          .type = type,
                          .flags = in->flags,
                          .route = in->route,
                          .bad = wrong || is_odd(engine, in),
                          .no_room = !has_room(engine, in),
                          .trigger = in->trigger,
                          .visible = in->visible};
    if (!wrong) {
        wish->unable = !can_keep(engine, in);
        wish->waits = waits_of(engine, in);
        wish->link = link_find(engine, in);
        wish->linked = in->link_kind ? 1 + (wish->link == UINT32_MAX) : 0;
    }
    if (!wrong && in->cid[0])
        name_wish(engine, wish, in->cid);
    wish->foreign = !wish->strategy || !(wish->strategy->rights & RIGHT_ORDERS);
    if (wish->instrument && wish->instrument->venue != in->msg.venue)
        wish->instrument = NULL;
}

void tell_decision(struct engine *engine, enum decision_of of, const struct weir_msg *from,
                   const char *cid, uint32_t n, uint32_t strategy)
{
    struct out_decision *out = engine->decision;
    out->msg = (struct weir_msg){.size = out->msg.size,
                                 .kind = OUT_DECISION,
                                 .venue = from->venue,
                                 .account = from->account,
                                 .instrument = from->instrument,
                                 .t = engine->now,
                                 .cause = engine->seq};
    put_text(out->cid, cid);
    out->order = n;
    out->strategy = strategy;
    out->of = (uint8_t)of;
    out->pad = 0;
    out->pad_2 = 0;
    out->limits_version = engine->limits_version;
    if (!out->allowed) {
        engine->counts.denied++;
        engine->counts.denied_by[out->reason]++;
    }
    tell(engine, &out->msg);
}

/* The order as asked, with its names; 0: it cannot be kept. */
static uint32_t order_make(struct engine *engine, const struct wish *wish, bool allowed)
{
    const struct in_submit *in = wish->submit;
    uint32_t n = wish->instrument && wish->strategy
                     ? order_take(engine, in->msg.instrument, in->strategy)
                     : 0;
    if (!n)
        return 0;
    struct order *order = order_at(engine, n);
    struct order_more *more = more_at(engine, n);
    order->qty = in->qty;
    order->side = wish->side;
    order->flags = in->flags;
    order->route = in->route;
    more->px = more->hold_px = wish->px;
    if (wish->type == WEIR_MARKET)
        more->hold_px = wish->instrument->reference_x2 / 2 + wish->instrument->reference_x2 % 2;
    more->trigger = in->trigger;
    more->type = in->type;
    more->tif = more->sent_tif = in->tif;
    more->expires = wish->bad ? 0 : expiry_of(engine, in);
    put_text(more->tag, in->tag);
    bool named = wire_make(engine, in->strategy, more->wire);
    must(named || !allowed);
    put_text(more->cid, in->cid[0] ? in->cid : more->wire);
    if (in->cid[0] && !wish->bad)
        (void)name_add(engine, n, NAME_CID, in->cid);
    if (allowed) {
        named = name_add(engine, n, NAME_WIRE, more->wire);
        must(named);
        hold_make(engine, n, in, wish->waits);
        if (wish->link)
            link_make(engine, n, wish->link, in->link_kind);
    }
    return n;
}

/* Out to the venue, for the first and only time. */
void order_send(struct engine *engine, uint32_t n)
{
    more_at(engine, n)->sent = engine->now;
    (void)order_step(engine, n, ON_SEND);
    throttle_sent(engine, n);
    send_order(engine, n, WEIR_NEW);
}

/* Where its route leads. */
void order_go(struct engine *engine, uint32_t n)
{
    if (order_at(engine, n)->route == ROUTE_VENUE)
        order_send(engine, n);
    else
        cross_arriving(engine, n);
}

static void deny(struct engine *engine, uint32_t n)
{
    put_text(more_at(engine, n)->reason,
             risk_check_name((enum risk_check)engine->decision->reason));
    (void)order_step(engine, n, ON_DENY);
}

void apply_submit(struct engine *engine, const void *input)
{
    const struct in_submit *in = input;
    struct wish wish;
    order_fetch(engine);
    wish_from(engine, in, &wish);
    bool allowed = risk_allows(engine, &wish);
    if (!allowed && lane_wanted(engine, (enum risk_check)engine->decision->reason)) {
        wish.waits |= WAIT_LANE;
        allowed = risk_allows(engine, &wish);
    }

    if (wish.used_cid) {
        tell_decision(engine, DECISION_SUBMIT, &in->msg, in->cid, 0, in->strategy);
        tell_alert(engine, ALERT_DUP_CLIENT_ID, in->msg.instrument, 0, 0, 0, in->cid);
        return;
    }
    uint32_t n = order_make(engine, &wish, allowed);
    tell_decision(engine, DECISION_SUBMIT, &in->msg,
                  n          ? more_at(engine, n)->cid
                  : wish.bad ? ""
                             : in->cid,
                  n, in->strategy);
    if (!n) {
        must(!allowed);
        if (in->cid[0] && !wish.bad && !cid_keep(engine, in->cid, 0))
            tell_alert(engine, ALERT_CAPACITY, 0, 0, engine->cids.count, 0, "client_ids");
    } else if (!allowed) {
        deny(engine, n);
    } else if (wish.waits) {
        hold_begin(engine, n);
    } else {
        (void)order_step(engine, n, ON_REST);
        order_go(engine, n);
    }
}

/* --- cancel ---------------------------------------------------------------------------------------- */

void order_cancel(struct engine *engine, uint32_t n)
{
    struct order *order = order_at(engine, n);
    if (is_done(order->is) || request_is_open(order->cancel))
        return;
    if (order->is == IS_HELD) {
        hold_cancel(engine, n, "");
        return;
    }
    if (!is_at_venue(order->is)) {
        (void)order_step(engine, n, ON_CANCELED);
        return;
    }
    request_set(engine, n, &order->cancel, REQUEST_SENT);
    more_at(engine, n)->cancel_sent = engine->now;
    order_settle(engine, n);
    send_order(engine, n, WEIR_CANCEL);
    if (engine->killed)
        kill_watch(engine, n);
}

static uint32_t named_by(const struct engine *engine, const struct in_change *in)
{
    if (in->order)
        return in->order <= engine->orders_used ? in->order : 0;
    return is_text(in->cid, sizeof in->cid) ? order_of_cid(engine, in->cid) : 0;
}

/* A script may touch its own orders only. */
static bool is_not_its(const struct engine *engine, const struct in_change *in, uint32_t n)
{
    return in->asker == ASKER_SCRIPT && in->strategy && engine->orders[n].strategy != in->strategy;
}

void apply_cancel(struct engine *engine, const void *input)
{
    const struct in_change *in = input;
    uint32_t n = named_by(engine, in);
    order_needed(engine, n);
    if (!n || is_not_its(engine, in, n)) {
        tell_anomaly(engine, 0, n, n ? "a cancel by another strategy" : "a cancel of no order");
        return;
    }
    order_cancel(engine, n);
}

static bool is_meant(const struct engine *engine, const struct in_change *in, uint32_t n)
{
    const struct order *order = &engine->orders[n];
    return (!in->strategy || order->strategy == in->strategy) &&
           (!in->msg.instrument || order->instrument == in->msg.instrument) &&
           (in->msg.venue == UINT16_MAX || engine->more[n].venue == in->msg.venue);
}

static void cancel_list(struct engine *engine, const struct in_change *in, uint32_t first)
{
    for (uint32_t n = first, next; n; n = next) {
        next = more_at(engine, n)->list_next;
        if (is_meant(engine, in, n))
            order_cancel(engine, n);
    }
}

void apply_cancel_many(struct engine *engine, const void *input)
{
    const struct in_change *in = input;
    cancel_list(engine, in, engine->live_first);
    cancel_list(engine, in, engine->held_first);
    for (uint32_t i = 1; i <= engine->instrument_count; i++)
        for (int side = WEIR_BUY; side <= WEIR_SELL; side++)
            cancel_list(engine, in, engine->instruments[i].inside[side]);
}

/* --- replace ------------------------------------------------------------------------------------------ */

static bool may_replace(const struct engine *engine, uint32_t n)
{
    const struct order *order = &engine->orders[n];
    enum order_label label = order_label_of(order);
    bool held = label == ORDER_HELD && !engine->kept[n].child;
    return (label == ORDER_OPEN || label == ORDER_PARTIAL || held) &&
           !request_is_open(order->amend);
}

/* A trigger of what waits for none; a price of what goes out without one. */
static bool is_odd_change(const struct engine *engine, const struct in_change *in, uint32_t n)
{
    bool held = n && engine->orders[n].is == IS_HELD;
    return ((in->change & CHANGE_TRIGGER) &&
            (in->trigger <= 0 || !held || !(engine->kept[n].waits & WAIT_TRIGGER))) ||
           (held && (in->change & CHANGE_PX) && engine->more[n].type == WEIR_MARKET);
}

static bool replace_room(struct engine *engine, const struct in_change *in, uint32_t n)
{
    return n && wire_room(engine) && (!in->new_cid[0] || !cids_full(engine)) &&
           name_room(engine, n, 2);
}

static void wish_to_replace(struct engine *engine, const struct in_change *in, uint32_t n,
                            struct wish *wish)
{
    bool wrong = !is_text(in->new_cid, sizeof in->new_cid) ||
                 (in->change & ~(CHANGE_QTY | CHANGE_PX | CHANGE_TRIGGER)) != 0 ||
                 is_odd_change(engine, in, n);
    *wish = (struct wish){.order = n,
                          .bad = wrong || !n || !may_replace(engine, n),
                          .no_room = !replace_room(engine, in, n)};
    if (!wrong && in->new_cid[0])
        name_wish(engine, wish, in->new_cid);
    if (!n)
        return;
    const struct order *order = order_at(engine, n);
    const struct order_more *more = more_at(engine, n);
    wish->instrument = instrument_at(engine, order->instrument);
    wish->strategy = scope_at(engine, SCOPE_strategy, order->strategy);
    wish->foreign = is_not_its(engine, in, n) ||
                    (in->asker <= ASKER_CLIENT && !(wish->strategy->rights & RIGHT_ORDERS));
    wish->px = in->change & CHANGE_PX ? in->px : more->px;
    wish->qty = in->change & CHANGE_QTY ? in->qty : order->qty;
    weir_qty most = wish->qty > order->qty ? wish->qty : order->qty;
    wish->worst = most > order->cum ? most - order->cum : 0;
    wish->waits = order->is == IS_HELD ? engine->kept[n].waits : 0;
    if (wish->waits & WAIT_TRIGGER)
        wish->trigger = in->change & CHANGE_TRIGGER ? in->trigger : more->trigger;
    wish->side = order->side;
    wish->type = sent_type(more->type);
    wish->flags = order->flags;
    wish->route = order->route;
}

static void deny_replace(struct engine *engine, const struct in_change *in, uint32_t n,
                         const struct wish *wish)
{
    struct next next = {wish->bad ? "" : in->new_cid, wish->px, wish->qty};
    if (wish->used_cid)
        tell_alert(engine, ALERT_DUP_CLIENT_ID, in->msg.instrument, n, 0, 0, in->new_cid);
    else if (is_text(in->new_cid, sizeof in->new_cid) && in->new_cid[0] &&
             !cid_keep(engine, in->new_cid, 0))
        tell_alert(engine, ALERT_CAPACITY, 0, n, engine->cids.count, 0, "client_ids");
    if (is_text(in->new_cid, sizeof in->new_cid))
        next.cid = in->new_cid;
    if (n)
        tell_refused(engine, n, &next, risk_check_name((enum risk_check)engine->decision->reason));
}

/* What the host keeps is changed at once; one that rests inside loses its place, and may meet others
 * now. */
static void replace_inside(struct engine *engine, uint32_t n)
{
    struct order *order = order_at(engine, n);
    if (order->is == IS_INSIDE)
        list_put(engine, n, LIST_NONE);
    report_replaced(engine, n, "");
    if (order->is == IS_INSIDE && order->cum < order->qty)
        cross_arriving(engine, n);
}

static void replace_start(struct engine *engine, const struct in_change *in, uint32_t n,
                          const struct wish *wish)
{
    struct order *order = order_at(engine, n);
    struct order_more *more = more_at(engine, n);
    if (order->amend == REQUEST_REJECTED || order->amend == REQUEST_RESOLVED)
        wire_void(engine, more->next_wire, n);
    bool named = wire_make(engine, order->strategy, more->next_wire);
    must(named);
    more->next_px = wish->px;
    more->next_qty = wish->qty;
    put_text(more->next_cid, in->new_cid[0] ? in->new_cid : more->next_wire);
    request_set(engine, n, &order->amend, REQUEST_SENT);
    named = name_add(engine, n, NAME_WIRE, more->next_wire) &&
            (!in->new_cid[0] || name_add(engine, n, NAME_CID, in->new_cid));
    must(named);
    order_settle(engine, n);
}

static bool replace(struct engine *engine, const struct in_change *in, uint32_t n)
{
    struct wish wish;
    wish_to_replace(engine, in, n, &wish);
    bool allowed = risk_allows(engine, &wish);
    struct weir_msg from = in->msg;
    if (n) {
        from.instrument = order_at(engine, n)->instrument;
        from.venue = more_at(engine, n)->venue;
        from.account = more_at(engine, n)->account;
    }
    if (allowed)
        replace_start(engine, in, n, &wish);
    const char *cid = allowed                                    ? more_at(engine, n)->next_cid
                      : is_text(in->new_cid, sizeof in->new_cid) ? in->new_cid
                                                                 : "";
    tell_decision(engine, DECISION_REPLACE, &from, cid, n,
                  n ? order_at(engine, n)->strategy : in->strategy);
    if (!allowed) {
        deny_replace(engine, in, n, &wish);
    } else if (!is_at_venue(order_at(engine, n)->is)) {
        replace_inside(engine, n);
        if (in->change & CHANGE_TRIGGER)
            hold_move(engine, n, wish.trigger);
    } else {
        throttle_sent(engine, n);
        send_order(engine, n, WEIR_REPLACE);
    }
    return allowed;
}

void apply_replace(struct engine *engine, const void *input)
{
    const struct in_change *in = input;
    uint32_t n = named_by(engine, in);
    order_needed(engine, n);
    (void)replace(engine, in, n);
}

/* Another quantity, for the host's own reasons. False: it may not be, or the venue cannot. */
bool order_amend(struct engine *engine, uint32_t n, weir_qty qty)
{
    struct in_change in = {.order = n, .change = CHANGE_QTY, .asker = ASKER_HOST, .qty = qty};
    return venue_amends(engine, more_at(engine, n)->venue) && replace(engine, &in, n);
}
