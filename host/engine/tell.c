/* tell.c - effects: what the engine says, and the only places where it says it.
 *
 * Each effect is zeroed whole before it is filled, so that its bytes depend on its meaning only.
 * Orders are told once for each input, as they are at its end [tell_later, tell_orders]; intents,
 * executions and alerts at once, in the order in which they come about. */
#include "engine/tell.h"
#include "engine/state.h"

void put_text_in(char *array, size_t room, const char *text, size_t most)
{
    size_t len = strnlen(text, most < room ? most : room - 1);
    if (len == room)
        len = room - 1;
    memcpy(array, text, len);
    memset(array + len, 0, room - len);
}

struct weir_msg effect_of(const struct engine *engine, uint16_t kind, size_t size)
{
    return (struct weir_msg){
        .size = (uint32_t)size, .kind = kind, .t = engine->now, .cause = engine->seq};
}

void tell(struct engine *engine, struct weir_msg *effect)
{
    engine->counts.effects++;
    engine->sink->take(engine->sink->context, effect);
}

static void place(const struct engine *engine, uint32_t instrument, struct weir_msg *msg)
{
    msg->instrument = instrument;
    if (instrument > 0 && instrument <= engine->instrument_count) {
        msg->venue = engine->instruments[instrument].venue;
        msg->account = engine->instruments[instrument].account;
    }
}

void tell_alert(struct engine *engine, enum alert alert, uint32_t instrument, uint32_t order,
                int64_t value, int64_t limit, const char *text)
{
    struct out_alert out = {.msg = effect_of(engine, OUT_ALERT, sizeof out),
                            .alert = (uint16_t)alert,
                            .order = order,
                            .strategy = order ? engine->orders[order].strategy : 0,
                            .value = value,
                            .limit = limit};
    place(engine, instrument, &out.msg);
    put_text(out.text, text);
    engine->counts.alerts[alert]++;
    tell(engine, &out.msg);
}

void tell_anomaly(struct engine *engine, uint32_t instrument, uint32_t order, const char *text)
{
    engine->counts.anomalies++;
    tell_alert(engine, ALERT_ANOMALY, instrument, order, 0, 0, text);
}

void tell_state(struct engine *engine, enum out_state_of of, enum risk_scope scope, uint32_t id,
                uint8_t value, const char *reason)
{
    struct out_state out = {.msg = effect_of(engine, OUT_STATE, sizeof out),
                            .of = (uint8_t)of,
                            .scope = (uint8_t)scope,
                            .value = value,
                            .id = id};
    put_text(out.reason, reason);
    tell(engine, &out.msg);
}

void view_of_order(const struct engine *engine, uint32_t n, struct out_order *out)
{
    const struct order *order = &engine->orders[n];
    const struct order_more *more = &engine->more[n];

    bool pending = request_is_open(order->amend);
    out->msg = (struct weir_msg){
        .size = pending ? sizeof *out : offsetof(struct out_order, next_cid),
        .kind = OUT_ORDER,
        .venue = more->venue,
        .account = more->account,
        .instrument = order->instrument,
        .t = more->changed,
        .cause = engine->seq,
    };
    out->order = n;
    out->strategy = order->strategy;
    memcpy(out->cid, more->cid, sizeof out->cid);
    memcpy(out->wire_id, more->wire, sizeof out->wire_id);
    memcpy(out->venue_id, more->vid, sizeof out->venue_id);
    memcpy(out->tag, more->tag, sizeof out->tag);
    memcpy(out->reason, more->reason, sizeof out->reason);
    out->label = (uint8_t)order_label_of(order);
    out->side = order->side;
    out->type = more->tied && more->sent == 0 ? engine->kept[n].asked_type : more->type;
    out->tif = more->tif;
    out->flags = order->flags;
    out->route = order->route;
    out->awaiting_fills = order_awaits(order, more);
    out->request_refused = 0;
    out->px = more->px;
    out->qty = order->qty;
    out->cum_qty = order->cum;
    out->cum_quote = amount_pack(more->cum_quote);
    out->created = more->created;
    if (pending)
        memcpy(out->next_cid, more->next_cid, sizeof out->next_cid);
    else
        memset(out->next_cid, 0, sizeof out->next_cid);
    out->next_px = pending ? more->next_px : 0;
    out->next_qty = pending ? more->next_qty : 0;
}

void tell_later(struct engine *engine, uint32_t n)
{
    if (engine->more[n].told)
        return;
    engine->more[n].told = 1;
    engine->told[engine->told_count++] = n;
}

static void tell_order(struct engine *engine, uint32_t n)
{
    struct out_order out;
    engine->more[n].changed = engine->now;
    engine->more[n].told = 0;
    view_of_order(engine, n, &out);
    tell(engine, &out.msg);
}

void tell_orders(struct engine *engine)
{
    for (uint32_t i = 0; i < engine->told_count; i++)
        tell_order(engine, engine->told[i]);
    engine->told_count = 0;
}

/* A cancel of this order, or that replace of it, was refused; the order itself may be as before. */
void tell_refused(struct engine *engine, uint32_t n, const struct next *replace, const char *reason)
{
    struct out_order out;
    engine->more[n].changed = engine->now;
    view_of_order(engine, n, &out);
    out.request_refused = replace ? 2 : 1;
    put_text(out.reason, reason);
    if (replace) {
        out.msg.size = sizeof out;
        put_text(out.next_cid, replace->cid);
        out.next_px = replace->px;
        out.next_qty = replace->qty;
    }
    tell(engine, &out.msg);
}

/* --- intents ----------------------------------------------------------------------------------- */

static void count_sent(struct engine_counts *counts, uint16_t kind)
{
    switch (kind) {
    case WEIR_NEW: counts->sent_new++; break;
    case WEIR_CANCEL: counts->sent_cancel++; break;
    case WEIR_REPLACE: counts->sent_replace++; break;
    case WEIR_QUERY_ORDER: counts->sent_query++; break;
    case WEIR_QUERY_FILLS: counts->sent_fills++; break;
    case WEIR_RECONCILE: counts->sent_recon++; break;
    default: break;
    }
}

static void send(struct engine *engine, struct weir_intent *intent)
{
    count_sent(&engine->counts, intent->msg.kind);
    tell(engine, &intent->msg);
}

/* A market order gets the worst price that policy allows: what that does not fill ends there. Rounded
 * toward the reference. Without one it stays as it is; live it was refused then [NO_REFERENCE]. */
static void cap_market(const struct engine *engine, struct weir_intent *out)
{
    const struct instrument *instrument = &engine->instruments[out->msg.instrument];
    const int64_t whole = 1000000000, cap = engine->policy[POLICY_market_cap];
    amount x2 = instrument->reference_x2, tick = instrument->is.tick > 0 ? instrument->is.tick : 1;
    if (out->type != WEIR_MARKET || cap == 0 || x2 <= 0)
        return;
    amount away = x2 * cap / whole;
    amount ticks =
        out->side == WEIR_BUY ? (x2 + away) / (2 * tick) : (x2 - away + 2 * tick - 1) / (2 * tick);
    amount px = (ticks > 0 ? ticks : 1) * tick;
    out->px = px > INT64_MAX ? (weir_px)(INT64_MAX / tick * tick) : (weir_px)px;
    out->type = WEIR_LIMIT;
    out->tif = WEIR_IOC;
}

/* The venue knows nothing of what was crossed inside: its quantities are without that part. */
void send_order(struct engine *engine, uint32_t n, uint16_t kind)
{
    const struct order *order = order_at(engine, n);
    const struct order_more *more = more_at(engine, n);
    struct weir_intent out = {.msg = {.size = sizeof out,
                                      .kind = kind,
                                      .venue = more->venue,
                                      .account = more->account,
                                      .instrument = order->instrument,
                                      .t = engine->now,
                                      .cause = engine->seq},
                              .side = order->side,
                              .type = more->type,
                              .tif = more->sent_tif,
                              .flags = order->flags,
                              .order = n,
                              .px = more->px,
                              .trigger = more->type > WEIR_MARKET ? more->trigger : 0,
                              .qty = order->qty - more->inside,
                              .cum_qty = order->cum - more->inside};
    memcpy(out.client_id, more->wire, sizeof out.client_id);
    memcpy(out.venue_id, more->vid, sizeof out.venue_id);
    if (kind == WEIR_NEW)
        cap_market(engine, &out);
    if (kind == WEIR_NEW && more->sent_tif == WEIR_GTD)
        out.t_since = more->expires;
    if (kind == WEIR_REPLACE) {
        memcpy(out.new_client_id, more->next_wire, sizeof out.new_client_id);
        out.px = more->next_px;
        out.qty = more->next_qty - more->inside;
    }
    send(engine, &out);
}

static struct weir_intent of_account(struct engine *engine, uint16_t kind, uint16_t account)
{
    struct weir_intent out = {.msg = effect_of(engine, kind, sizeof out)};
    out.msg.account = account;
    out.msg.venue = engine->accounts[account].venue;
    out.t_since = engine->accounts[account].fills_from;
    return out;
}

/* instrument 0: of all instruments */
void send_fills_query(struct engine *engine, uint16_t account, uint32_t instrument)
{
    struct weir_intent out = of_account(engine, WEIR_QUERY_FILLS, account);
    out.msg.instrument = instrument;
    send(engine, &out);
}

void send_recon(struct engine *engine, uint16_t account)
{
    struct weir_intent out = of_account(engine, WEIR_RECONCILE, account);
    send(engine, &out);
}
