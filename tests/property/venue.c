/* venue.c - the venue's own books: orders, executions, payments, and what it does with requests.
 *
 * A request takes effect when it is handled, never when it is sent, and what is not handled when a
 * later question is answered never will be. The venue lies in good faith only: an order too young to
 * be known there is not found or not listed; a request that was accepted was answered with an error
 * of the server. */
#include <stdio.h>
#include <string.h>

#include "property/world.h"

struct truth_order *by_wire(struct world *w, const char *wire, int *name_out)
{
    for (int i = 0; i < w->order_count; i++)
        for (int n = 0; n < w->orders[i].names; n++)
            if (strcmp(w->orders[i].wire[n], wire) == 0) {
                *name_out = n;
                return &w->orders[i];
            }
    return NULL;
}

/* --- requests ---------------------------------------------------------------------------------*/

static void takes_new(struct world *w, const struct weir_intent *intent)
{
    if (w->order_count == ORDERS) {
        fail(w, "an order left that nobody asked for");
        return;
    }
    struct truth_order *o = &w->orders[w->order_count];
    *o = (struct truth_order){.names = 1,
                              .side = intent->side,
                              .flags = w->asked_flags,
                              .strategy = w->asking,
                              .instrument = intent->msg.instrument,
                              .px = intent->px,
                              .qty = intent->qty,
                              .new_on_wire = true,
                              .listed = true,
                              .sent = w->now};
    memcpy(o->wire[0], intent->client_id, WEIR_ID_MAX);
    snprintf(o->vids[0], WEIR_ID_MAX, "v%d", w->order_count);
    w->sent_order = w->order_count++;
    w->orders_sent++;
}

static void takes_replace(struct world *w, struct truth_order *o, int from,
                          const struct weir_intent *intent)
{
    if (o->names == NAMES) {
        fail(w, "more replaces than were asked");
        return;
    }
    memcpy(o->wire[o->names], intent->new_client_id, WEIR_ID_MAX);
    o->changes[o->names++] = (struct change){true, from, intent->px, intent->qty};
    w->sent_order = (int)(o - w->orders);
}

/* A request names the order's present id at the venue, or none; never one from before a replace. */
static void check_id(struct world *w, const struct truth_order *o, int name, const char *vid)
{
    bool former = name > 0;
    for (int n = name; n < o->names; n++)
        former = former && strcmp(o->vids[n], vid) != 0;
    if (vid[0] && former)
        fail(w, "order %s is called %s, which it was before a replace", o->wire[name], vid);
}

/* 2: a client order id is sent as new once. */
void venue_takes(struct world *w, const struct weir_intent *intent)
{
    bool replace = intent->msg.kind == WEIR_REPLACE, is_new = intent->msg.kind == WEIR_NEW;
    const char *fresh = replace ? intent->new_client_id : intent->client_id;
    int name = 0, other;
    struct truth_order *o = is_new ? NULL : by_wire(w, intent->client_id, &name);
    if ((is_new || replace) && by_wire(w, fresh, &other))
        fail(w, "2: client id %s was sent as new twice", fresh);
    else if (!is_new && !o)
        fail(w, "a change of %s, which was never sent", intent->client_id);
    else if (is_new)
        takes_new(w, intent);
    else if (check_id(w, o, name, intent->venue_id), replace)
        takes_replace(w, o, name, intent);
    else
        o->cancel_on_wire = true;
    if (w->send_count < SENDS && (is_new || replace))
        w->sends[w->send_count++] = w->now;
}

/* --- handling requests ------------------------------------------------------------------------*/

static void handle_new(struct world *w, struct truth_order *o, struct weir_report *r)
{
    bool refuse = rnd(w, 10) == 0;
    o->new_on_wire = false;
    o->state = refuse ? GONE : WORKING;
    o->end = WEIR_STATE_REJECTED;
    r->msg.kind = refuse ? WEIR_REJECT : WEIR_ACK;
    if (refuse)
        memset(r->venue_id, 0, sizeof r->venue_id);
    if (!refuse && !w->made_good && rnd(w, 16) == 0) { /* accepted, and an error of the server */
        r->msg.kind = WEIR_REJECT;
        r->proof = WEIR_SILENCE;
        memset(r->venue_id, 0, sizeof r->venue_id);
    }
}

static bool was_there(const struct truth_order *o)
{
    return o->state == WORKING || (o->state == GONE && o->end != WEIR_STATE_REJECTED);
}

static void handle_cancel(struct world *w, struct truth_order *o, struct weir_report *r)
{
    bool works = o->state == WORKING;
    o->cancel_on_wire = false;
    r->msg.kind = works ? WEIR_CANCELED : WEIR_CANCEL_REJECT;
    r->has_cum = works && rnd(w, 2);
    if (!works)
        snprintf(r->reason, sizeof r->reason, "%s",
                 !was_there(o) || rnd(w, 2) ? "UNKNOWN_ORDER" : "TOO_LATE");
    if (!was_there(o))
        memset(r->venue_id, 0, sizeof r->venue_id);
    if (works) {
        o->state = GONE;
        o->end = WEIR_STATE_CANCELED;
    }
}

static void handle_replace(struct world *w, struct truth_order *o, int name, struct weir_report *r)
{
    struct change *change = &o->changes[name];
    bool works =
        o->state == WORKING && change->from == o->now && change->qty > o->cum && rnd(w, 5) != 0;
    change->on_wire = false;
    r->msg.kind = works ? WEIR_REPLACED : WEIR_REPLACE_REJECT;
    if (!works)
        snprintf(r->reason, sizeof r->reason, "TOO_LATE");
    memcpy(r->client_id, o->wire[name], WEIR_ID_MAX);
    if (!works)
        return;
    o->px = r->px = change->px;
    o->qty = r->qty = change->qty;
    o->now = name;
    snprintf(o->vids[name], WEIR_ID_MAX, "v%d.%d", (int)(o - w->orders), name);
    memcpy(r->venue_id, o->vids[o->now], WEIR_ID_MAX);
}

/* Refused for pace: it never reached the books. */
static void limit_pace(struct world *w, struct truth_order *o, int request, const char *wire)
{
    struct weir_rate_limited limited = {.msg = {.size = sizeof limited,
                                                .kind = WEIR_RATE_LIMITED,
                                                .flags = (uint16_t)(1 + request),
                                                .instrument = o->instrument},
                                        .retry_after = (weir_ns)(1 + rnd(w, 8)) * 5 * MS,
                                        .code = 429};
    memcpy(limited.client_id, wire, WEIR_ID_MAX);
    if (!is_lost(w))
        (void)put_line(w, &limited, sizeof limited, 0);
}

bool venue_has_request(const struct truth_order *o)
{
    bool any = o->new_on_wire || o->cancel_on_wire;
    for (int n = 1; n < o->names; n++)
        any = any || o->changes[n].on_wire;
    return any;
}

/* One of what is on the wire: 0 new, -1 cancel, else the name that a replace gives. */
static int pick_request(struct world *w, const struct truth_order *o)
{
    int found[NAMES + 2], count = 0;
    if (o->new_on_wire)
        found[count++] = 0;
    if (o->cancel_on_wire)
        found[count++] = -1;
    for (int n = 1; n < o->names; n++)
        if (o->changes[n].on_wire)
            found[count++] = n;
    return found[rnd(w, (uint32_t)count)];
}

static void drop_request(struct truth_order *o, int request)
{
    if (request == 0)
        o->new_on_wire = false;
    else if (request < 0)
        o->cancel_on_wire = false;
    else
        o->changes[request].on_wire = false;
}

void venue_handles(struct world *w, struct truth_order *o)
{
    int request = pick_request(w, o);
    if (!w->made_good && rnd(w, 24) == 0) {
        drop_request(o, request);
        if (request == 0) {
            o->state = GONE;
            o->end = WEIR_STATE_REJECTED;
        }
        limit_pace(w, o,
                   request == 0  ? WEIR_REQUEST_NEW
                   : request < 0 ? WEIR_REQUEST_CANCEL
                                 : WEIR_REQUEST_REPLACE,
                   o->wire[request > 0 ? request : o->now]);
        return;
    }
    struct weir_report r = report_of(o, WEIR_ACK);
    if (request == 0)
        handle_new(w, o, &r);
    else if (request < 0)
        handle_cancel(w, o, &r);
    else
        handle_replace(w, o, request, &r);
    say(w, &r);
}

/* An answer to a question is younger than the requests before it: they arrived, or never will. */
void settle_requests(struct world *w, struct truth_order *o)
{
    while (venue_has_request(o)) {
        if (rnd(w, 2) || w->made_good)
            venue_handles(w, o);
        else
            drop_request(o, pick_request(w, o));
    }
    if (o->state == NOT_THERE) {
        o->state = GONE;
        o->end = WEIR_STATE_REJECTED;
    }
}

/* --- what the venue does by itself ------------------------------------------------------------*/

static void put_fee(struct world *w, struct weir_fill *fill)
{
    static const char *const assets[] = {"USD", "USD", "A", "FEE", ""};
    const char *asset = assets[rnd(w, 5)];
    int64_t fee = (int64_t)rnd(w, 7) - 1; /* sometimes a rebate */
    snprintf(fill->fee_asset, sizeof fill->fee_asset, "%s", asset);
    fill->fee = amount_pack(*asset ? (amount)fee * 1000000000000 : 0);
}

static weir_qty executed(struct world *w, const struct truth_order *o)
{
    weir_qty left = o ? o->qty - o->cum : 3;
    if (o && !o->foreign && rnd(w, 40) == 0) /* more than was asked */
        return left + 1 + rnd(w, 3);
    return rnd(w, 3) == 0 ? left : 1 + rnd(w, (uint32_t)left);
}

void venue_executes(struct world *w, int order)
{
    struct truth_order *o = order >= 0 ? &w->orders[order] : NULL;
    if (w->fill_count == FILLS || (o && (o->state != WORKING || o->cum >= o->qty)))
        return;
    struct truth_fill *f = &w->fills[w->fill_count];
    memset(f, 0, sizeof *f);
    f->order = order;
    f->msg.msg = (struct weir_msg){.size = sizeof f->msg,
                                   .kind = WEIR_FILL,
                                   .instrument = o ? o->instrument : 1 + rnd(w, INSTRUMENTS)};
    f->msg.side = o ? o->side : (uint8_t)rnd(w, 2);
    f->msg.qty = executed(w, o);
    f->msg.px = (o ? o->px : 1000) + (weir_px)rnd(w, 5) - 2;
    f->msg.maker = (uint8_t)rnd(w, 2);
    put_fee(w, &f->msg);
    snprintf(f->msg.exec_id, WEIR_ID_MAX, "x%d", w->fill_count);
    if (o) {
        memcpy(f->msg.client_id, o->wire[o->now], WEIR_ID_MAX);
        memcpy(f->msg.venue_id, o->vids[o->now], WEIR_ID_MAX);
        o->cum += f->msg.qty;
        if (o->cum >= o->qty) {
            o->state = GONE;
            o->end = WEIR_STATE_FILLED;
        }
    } else {
        f->msg.origin = (uint8_t)(WEIR_ORIGIN_MANUAL + rnd(w, 3));
        snprintf(f->msg.venue_id, WEIR_ID_MAX, "m%d", w->fill_count);
    }
    if (!is_lost(w))
        (void)put_line(w, &f->msg, sizeof f->msg, w->fill_count);
    w->fill_count++;
}

static uint8_t busted_state(struct world *w, struct truth_order *o)
{
    if (o->state == GONE && o->end == WEIR_STATE_FILLED && o->cum < o->qty) {
        if (rnd(w, 2))
            o->state = WORKING;
        else
            o->end = WEIR_STATE_CANCELED;
    }
    return o->state == WORKING ? WEIR_STATE_OPEN : o->end;
}

static bool has_untold_bust(const struct world *w, int order)
{
    for (int i = 0; i < w->fill_count; i++)
        if (w->fills[i].order == order && w->fills[i].busted && !w->fills[i].bust_told)
            return true;
    return false;
}

/* Of one order one at a time, since each tells the order's state; and not of one that the host has not
 * heard of: totals that are on their way still have what is undone. */
void venue_busts(struct world *w)
{
    if (w->fill_count == 0)
        return;
    int number = (int)rnd(w, (uint32_t)w->fill_count);
    struct truth_fill *f = &w->fills[number];
    struct truth_order *o = f->order >= 0 ? &w->orders[f->order] : NULL;
    struct weir_fill bust = f->msg;
    if (f->busted || (o && has_untold_bust(w, f->order)) || (o && o->foreign && !o->listed))
        return;
    bust.msg.kind = WEIR_BUST;
    if (!put_line(w, &bust, sizeof bust, number))
        return;
    f->busted = true;
    if (!o)
        return;
    o->cum -= f->msg.qty;
    f->after = busted_state(w, o);
}

void venue_expires(struct world *w)
{
    struct truth_order *o = &w->orders[rnd(w, (uint32_t)w->order_count)];
    if (o->state != WORKING)
        return;
    o->state = GONE;
    o->end = rnd(w, 2) ? WEIR_STATE_EXPIRED : WEIR_STATE_CANCELED;
    struct weir_report r =
        report_of(o, o->end == WEIR_STATE_EXPIRED ? WEIR_EXPIRED : WEIR_CANCELED);
    r.has_cum = (uint8_t)rnd(w, 2);
    snprintf(r.reason, sizeof r.reason, "VENUE");
    say(w, &r);
}

void venue_pays(struct world *w)
{
    static const char *const assets[] = {"USD", "USD", "A", "FEE"};
    if (w->cash_count == CASHES)
        return;
    struct truth_cash *c = &w->cashes[w->cash_count];
    bool funding = rnd(w, 2);
    c->msg = (struct weir_cash){
        .msg = {.size = sizeof c->msg, .kind = funding ? WEIR_FUNDING : WEIR_TRANSFER},
        .amount = amount_pack(((amount)rnd(w, 9) - 4) * 1000000000000000)};
    c->msg.msg.instrument = funding ? 2 : 0;
    snprintf(c->msg.asset, sizeof c->msg.asset, "%s", assets[rnd(w, 4)]);
    int before = 0; /* of its kind: a funding and a transfer may have the same id */
    for (int i = 0; i < w->cash_count; i++)
        before += w->cashes[i].msg.msg.kind == c->msg.msg.kind;
    snprintf(c->msg.id, sizeof c->msg.id, "p%d", before);
    if (put_line(w, &c->msg, sizeof c->msg, w->cash_count))
        w->cash_count++;
}

/* Somebody trades by hand on the same account. */
void venue_takes_foreign(struct world *w)
{
    if (w->order_count == ORDERS)
        return;
    struct truth_order *o = &w->orders[w->order_count];
    *o = (struct truth_order){.names = 1,
                              .strategy = STRATEGY_EXTERNAL,
                              .state = WORKING,
                              .foreign = true,
                              .sent = w->now};
    o->side = (uint8_t)rnd(w, 2);
    o->instrument = 1 + rnd(w, INSTRUMENTS);
    o->px = 990 + rnd(w, 20);
    o->qty = 1 + rnd(w, 6);
    snprintf(o->wire[0], WEIR_ID_MAX, "hand%d", w->order_count);
    snprintf(o->vids[0], WEIR_ID_MAX, "v%d", w->order_count);
    w->order_count++;
}
