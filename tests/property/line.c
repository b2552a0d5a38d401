/* line.c - the line over which the venue speaks: what is on its way, what is delivered, what is asked.
 *
 * Messages wait in no order; one in six is lost, one in eight comes twice. Busts and payments are not
 * lost, since no later answer tells of them. While the stream is down none comes. An answer to a
 * question is given at once, after the requests before it were handled or dropped. */
#include <stdio.h>
#include <string.h>

#include "property/world.h"

/* --- the line ---------------------------------------------------------------------------------*/

bool put_line(struct world *w, const void *msg, size_t size, int number)
{
    uint32_t start = rnd(w, LINES);
    for (uint32_t i = 0; i < LINES; i++) {
        struct line *line = &w->lines[(start + i) % LINES];
        if (line->used)
            continue;
        memset(line, 0, sizeof *line);
        memcpy(&line->msg, msg, size);
        line->number = number;
        line->used = true;
        return true;
    }
    return false;
}

bool is_lost(struct world *w)
{
    return !w->made_good && rnd(w, 6) == 0;
}

struct weir_report report_of(const struct truth_order *o, uint16_t kind)
{
    struct weir_report r = {.msg = {.size = sizeof r, .kind = kind, .instrument = o->instrument},
                            .side = o->side,
                            .qty = o->qty,
                            .px = o->px,
                            .cum_qty = o->cum};
    memcpy(r.client_id, o->wire[o->now], WEIR_ID_MAX);
    memcpy(r.venue_id, o->vids[o->now], WEIR_ID_MAX);
    return r;
}

void say(struct world *w, const struct weir_report *r)
{
    if (!is_lost(w))
        (void)put_line(w, r, sizeof *r, 0);
}

/* --- delivery ---------------------------------------------------------------------------------*/

/* The venue's id alone will do, where the host can still find out whose it is. */
static bool may_be_nameless(const struct world *w, const struct truth_order *o)
{
    struct order_view view;
    if (o->foreign && o->now == 0)
        return true;
    if (!host_view(w, o, &view))
        return false;
    bool live = !order_label_is_done((enum order_label)view.order.label);
    return strcmp(view.order.venue_id, o->vids[o->now]) == 0 ||
           (live && !view.order.venue_id[0] && o->now == 0);
}

static void deliver_fill(struct world *w, int i)
{
    struct truth_fill *f = &w->fills[i];
    struct truth_order *o = f->order >= 0 ? &w->orders[f->order] : NULL;
    struct weir_fill copy = f->msg;
    bool known = f->delivered || f->bust_told;
    if (o && strcmp(copy.venue_id, o->vids[o->now]) == 0 && rnd(w, 4) == 0 && may_be_nameless(w, o))
        memset(copy.client_id, 0, sizeof copy.client_id);
    w->repeats += known;
    f->delivered = true;
    if (o && copy.client_id[0])
        o->shown = true;
    if (!known)
        money_booked(w, &(struct trade){.instrument = copy.msg.instrument,
                                        .strategy = o ? o->strategy : STRATEGY_EXTERNAL,
                                        .side = copy.side,
                                        .fill = i,
                                        .px = copy.px,
                                        .qty = copy.qty});
    host_apply(w, &copy.msg);
}

static void deliver_bust(struct world *w, int i)
{
    struct truth_fill *f = &w->fills[i];
    struct weir_fill copy = f->msg;
    copy.msg.kind = WEIR_BUST;
    copy.state = f->after;
    w->repeats += f->bust_told;
    f->bust_told = true;
    money_busted(w);
    host_apply(w, &copy.msg);
}

static void deliver_cash(struct world *w, int i)
{
    struct weir_cash copy = w->cashes[i].msg;
    w->repeats += w->cashes[i].delivered;
    w->cashes[i].delivered = true;
    host_apply(w, &copy.msg);
}

static void deliver_limited(struct world *w, const struct weir_rate_limited *limited)
{
    struct weir_rate_limited copy = *limited;
    if (w->now + copy.retry_after > w->backoff)
        w->backoff = w->now + copy.retry_after;
    host_apply(w, &copy.msg);
}

static void deliver_report(struct world *w, const struct weir_report *report)
{
    struct weir_report copy = *report;
    int name;
    struct truth_order *o = by_wire(w, copy.client_id, &name);
    bool shows = copy.msg.kind == WEIR_ACK || copy.msg.kind == WEIR_CANCELED ||
                 copy.msg.kind == WEIR_EXPIRED || copy.msg.kind == WEIR_REPLACED ||
                 copy.msg.kind == WEIR_RECON_ORDER ||
                 (copy.msg.kind == WEIR_STATUS && copy.state != WEIR_STATE_NOT_FOUND);
    if (o && shows) {
        o->shown = true;
        o->absences = 0;
    }
    if (o && copy.msg.kind == WEIR_STATUS && copy.state == WEIR_STATE_NOT_FOUND)
        o->absences++;
    host_apply(w, &copy.msg);
}

void line_deliver(struct world *w, struct line *line)
{
    line->used = !w->made_good && rnd(w, 8) == 0; /* some come twice */
    switch (line->msg.head.kind) {
    case WEIR_FILL: deliver_fill(w, line->number); break;
    case WEIR_BUST: deliver_bust(w, line->number); break;
    case WEIR_FUNDING:
    case WEIR_TRANSFER: deliver_cash(w, line->number); break;
    case WEIR_RATE_LIMITED: deliver_limited(w, &line->msg.limited); break;
    default: deliver_report(w, &line->msg.report); break;
    }
}

/* --- answers ----------------------------------------------------------------------------------*/

static bool is_young(const struct world *w, const struct truth_order *o)
{
    return w->now - o->sent < w->limits.not_found_after;
}

static bool is_absent(const struct truth_order *o)
{
    return o->state == NOT_THERE || (o->state == GONE && o->end == WEIR_STATE_REJECTED);
}

/* What was undone is told before any later word on the order. */
static void tell_busts(struct world *w, const struct truth_order *o)
{
    for (int i = 0; i < LINES; i++) {
        struct line *line = &w->lines[i];
        if (line->used && line->msg.head.kind == WEIR_BUST &&
            w->fills[line->number].order == (int)(o - w->orders))
            line_deliver(w, line);
    }
}

void answer_query(struct world *w)
{
    int name;
    if (w->query_count == 0)
        return;
    struct truth_order *o = by_wire(w, w->queries[--w->query_count], &name);
    if (!o)
        return;
    bool lie = !w->made_good && is_young(w, o) && rnd(w, 3) == 0;
    if (!lie)
        settle_requests(w, o);
    struct weir_report r = report_of(o, WEIR_STATUS);
    r.state = lie || is_absent(o)   ? WEIR_STATE_NOT_FOUND
              : o->state == WORKING ? WEIR_STATE_OPEN
                                    : o->end;
    r.has_cum = r.state != WEIR_STATE_NOT_FOUND;
    tell_busts(w, o);
    if (r.state == WEIR_STATE_NOT_FOUND)
        memset(r.venue_id, 0, sizeof r.venue_id);
    deliver_report(w, &r);
}

void answer_fills(struct world *w)
{
    w->fills_asked = false;
    for (int i = 0; i < w->fill_count; i++)
        if (!w->fills[i].busted)
            deliver_fill(w, i);
}

static void list_order(struct world *w, struct truth_order *o)
{
    if (!w->made_good && is_young(w, o) && rnd(w, 5) == 0)
        return;
    settle_requests(w, o);
    if (is_absent(o))
        return;
    struct weir_report r = report_of(o, WEIR_RECON_ORDER);
    r.state = o->state == WORKING ? WEIR_STATE_OPEN : o->end;
    r.has_cum = 1;
    tell_busts(w, o);
    o->listed = true;
    deliver_report(w, &r);
}

/* Sometimes a trade is in the venue's position already, and in its list of fills not yet. */
static void list_position(struct world *w, uint32_t i)
{
    bool ahead = !w->made_good && rnd(w, 20) == 0;
    weir_qty listed = position_of(w, i, true) + ahead;
    amount qty = amount_from(listed, i == SPOT ? 2 : 0);
    w->halted[i] = position_of(w, i, false) != listed;
    struct weir_cash cash = {
        .msg = {.size = sizeof cash, .kind = WEIR_RECON_POSITION, .instrument = i},
        .amount = amount_pack(qty)};
    host_apply(w, &cash.msg);
}

void answer_recon(struct world *w)
{
    struct weir_msg from = {.size = sizeof from, .kind = WEIR_RECON_BEGIN};
    struct weir_msg to = {
        .size = sizeof to, .kind = WEIR_RECON_END, .flags = WEIR_RECON_HAS_POSITIONS};
    host_apply(w, &from);
    answer_fills(w);
    for (int i = 0; i < w->order_count; i++)
        list_order(w, &w->orders[i]);
    for (uint32_t i = 1; i <= INSTRUMENTS; i++)
        list_position(w, i);
    w->recon_asked = false; /* before: its end may lead to the next question */
    host_apply(w, &to);
}

/* 13: silence makes an order UNKNOWN, or leaves it as it is, and is followed by a question. */
void answer_nothing(struct world *w, const struct truth_order *o, uint8_t request)
{
    static const uint8_t before[] = {ORDER_PENDING_NEW, ORDER_PENDING_CANCEL,
                                     ORDER_PENDING_REPLACE};
    static const uint8_t after[] = {ORDER_UNKNOWN, ORDER_PENDING_CANCEL, ORDER_PENDING_REPLACE};
    struct order_view was, is;
    struct weir_report r = report_of(o, WEIR_NO_ANSWER);
    memset(r.venue_id, 0, sizeof r.venue_id);
    r.request = request;
    bool known = host_view(w, o, &was);
    host_apply(w, &r.msg);
    if (!known || !host_view(w, o, &is) || was.order.label != before[r.request])
        return;
    if (is.order.label != after[r.request] || !w->no_answer_sent)
        fail(w, "13: silence made order %s %s, and the venue was %sasked", is.order.cid,
             order_label_name((enum order_label)is.order.label), w->no_answer_sent ? "" : "not ");
}
