/* tell.c - what the venue tells the account, and when it arrives.
 *
 * A report is made whole when it happens and waits in a lane until it is due. The answers of many
 * rows (reconciliation, executions since) are made from the books at the moment of their delivery,
 * so they never lag behind a report that was delivered before them. [desk_deliver]
 *
 * A full lane delivers its oldest report early: a report may lose its latency, never itself. [put] */
#include <string.h>

#include "sim/desk/own.h"

static void put_text(char *to, size_t room, const char *text)
{
    size_t len = strnlen(text, room - 1);
    memcpy(to, text, len);
    memset(to + len, 0, room - len);
}

/* "<prefix><letter><number>" */
static void put_id(const struct desk *desk, char letter, uint64_t number, char *text)
{
    char digits[DECIMAL_TEXT_MAX];
    size_t at = strnlen(desk->prefix, DESK_PREFIX_MAX - 1);
    size_t len = decimal_print((int64_t)number, 0, digits);
    memset(text, 0, WEIR_ID_MAX);
    memcpy(text, desk->prefix, at);
    text[at] = letter;
    memcpy(text + at + 1, digits, len); /* 12 + 1 + 19 of 40 bytes at most */
}

void desk_venue_id(const struct desk *desk, const struct desk_order *order, char *text)
{
    put_id(desk, 'o', order->number, text);
}

/* --- lanes -------------------------------------------------------------------------------------*/

/* Room for a report that happens at t, sooner or later delivered. */
static struct desk_slot *put(struct desk *desk, struct desk_lane *lane, weir_ns due)
{
    struct desk_slot *slot = desk_lane_put(lane, due);
    if (slot)
        return slot;
    struct desk_slot oldest = lane->slots[lane->first];
    lane->first = (lane->first + 1) % lane->room;
    lane->count--;
    slot = desk_lane_put(lane, due);
    struct desk_slot *place = slot;
    desk_deliver(desk, &oldest);
    return place;
}

static struct desk_slot *report_slot(struct desk *desk, weir_ns t)
{
    return put(desk, &desk->reports,
               t + latency_take(&desk->config.latency, WAY_REPORT, t, &desk->dice));
}

static struct weir_msg header(const struct desk *desk, size_t size, unsigned kind,
                              uint32_t instrument, weir_ns t_venue)
{
    return (struct weir_msg){.size = (uint32_t)size,
                             .kind = (uint16_t)kind,
                             .venue = desk->config.venue,
                             .account = desk->config.account,
                             .instrument = instrument,
                             .t_venue = t_venue};
}

/* --- reports -----------------------------------------------------------------------------------*/

static struct weir_report report_of(const struct desk *desk, weir_ns t, unsigned kind,
                                    const struct desk_order *order)
{
    struct weir_report report = {.msg = header(desk, sizeof report, kind, order->instrument, t),
                                 .proof = WEIR_DEFINITE,
                                 .state = order->state,
                                 .has_cum = 1,
                                 .side = order->side,
                                 .cum_qty = order->cum,
                                 .qty = order->qty,
                                 .px = order->px};
    memcpy(report.client_id, order->client_id, WEIR_ID_MAX);
    desk_venue_id(desk, order, report.venue_id);
    return report;
}

void desk_tell_order(struct desk *desk, weir_ns t, enum weir_kind kind,
                     const struct desk_order *order, const char *reason)
{
    struct desk_slot *slot = report_slot(desk, t);
    slot->is.report = report_of(desk, t, kind, order);
    if (reason)
        put_text(slot->is.report.reason, WEIR_REASON_MAX, reason);
}

static void silence(struct desk *desk, weir_ns t, const struct weir_report *about,
                    enum weir_request request)
{
    struct desk_slot *slot = put(desk, &desk->silences, t + desk->config.silence);
    slot->is.report = *about;
    slot->is.report.msg.kind = WEIR_NO_ANSWER;
    slot->is.report.request = (uint8_t)request;
    slot->is.report.proof = WEIR_SILENCE;
    slot->is.report.has_cum = 0;
    slot->is.report.state = WEIR_STATE_NOT_FOUND;
    slot->is.report.cum_qty = 0;
    memset(slot->is.report.venue_id, 0, WEIR_ID_MAX); /* who has no answer has no id */
    put_text(slot->is.report.reason, WEIR_REASON_MAX, "TIMEOUT");
}

void desk_answer(struct desk *desk, weir_ns t, enum weir_kind kind, const struct desk_order *order,
                 enum weir_request request)
{
    if (!dice_ppm(&desk->dice, desk->config.drop_ack_ppm)) {
        desk_tell_order(desk, t, kind, order, NULL);
        return;
    }
    struct weir_report about = report_of(desk, t, kind, order);
    silence(desk, t, &about, request);
}

/* What is known of an order from a request about it alone. */
static struct weir_report report_about(const struct desk *desk, weir_ns t, unsigned kind,
                                       const struct weir_intent *intent)
{
    struct weir_report report = {.msg =
                                     header(desk, sizeof report, kind, intent->msg.instrument, t),
                                 .proof = WEIR_DEFINITE,
                                 .side = intent->side};
    memcpy(report.client_id, intent->client_id, WEIR_ID_MAX);
    memcpy(report.venue_id, intent->venue_id, WEIR_ID_MAX);
    return report;
}

void desk_refuse(struct desk *desk, weir_ns t, enum weir_kind kind,
                 const struct weir_intent *intent, const char *reason)
{
    struct desk_slot *slot = report_slot(desk, t);
    slot->is.report = report_about(desk, t, kind, intent);
    slot->is.report.state = WEIR_STATE_REJECTED;
    put_text(slot->is.report.reason, WEIR_REASON_MAX, reason);
}

void desk_tell_silence(struct desk *desk, weir_ns t, const struct weir_intent *intent,
                       enum weir_request request)
{
    struct weir_report about = report_about(desk, t, WEIR_NO_ANSWER, intent);
    silence(desk, t, &about, request);
}

void desk_tell_rate(struct desk *desk, weir_ns t, const struct weir_intent *intent,
                    enum weir_request request, weir_ns wait)
{
    struct weir_rate_limited *told = &report_slot(desk, t)->is.limited;
    *told = (struct weir_rate_limited){
        .msg = header(desk, sizeof *told, WEIR_RATE_LIMITED, intent->msg.instrument, t),
        .retry_after = wait};
    told->msg.flags = (uint16_t)(1 + request);
    memcpy(told->client_id, intent->client_id, WEIR_ID_MAX);
}

void desk_tell_unknown(struct desk *desk, weir_ns t, const struct weir_intent *intent)
{
    struct desk_slot *slot = report_slot(desk, t);
    slot->is.report = report_about(desk, t, WEIR_STATUS, intent);
    slot->is.report.state = WEIR_STATE_NOT_FOUND;
}

void desk_tell_fill(struct desk *desk, weir_ns t, const struct desk_order *order,
                    const struct match_fill *fill, bool maker)
{
    struct weir_fill told = {.msg = header(desk, sizeof told, WEIR_FILL, order->instrument, t),
                             .qty = fill->qty,
                             .px = fill->px * desk->units[order->instrument],
                             .side = order->side,
                             .origin = WEIR_ORIGIN_OURS,
                             .maker = maker};
    memcpy(told.client_id, order->client_id, WEIR_ID_MAX);
    desk_venue_id(desk, order, told.venue_id);
    put_id(desk, 'e', ++desk->fill_count, told.exec_id);
    if (ledger_fill(&desk->ledger, &told) != WEIR_OK)
        told.fee = (struct weir_amount){
            0, 0}; /* the trade stands; that our books cannot hold it shows later */
    desk->fills[(desk->fill_count - 1) % desk->config.fills] = told;
    report_slot(desk, t)->is.fill = told;
    if (dice_ppm(&desk->dice, desk->config.duplicate_fill_ppm))
        report_slot(desk, t)->is.fill = told;
}

void desk_tell_rows(struct desk *desk, weir_ns t, const struct weir_intent *intent)
{
    struct desk_slot *slot = report_slot(desk, t);
    slot->is.intent = *intent;
    slot->is.msg.t_venue = t;
}

static void emit(struct desk *desk, weir_ns now, struct weir_msg *event)
{
    event->t = now;
    desk->hooks.emit(desk->hooks.context, event);
}

void desk_tell_stream(struct desk *desk, weir_ns t, bool up)
{
    struct weir_session session = {.msg = header(desk, sizeof session, WEIR_SESSION, 0, t)};
    session.msg.flags = up ? WEIR_STREAM_UP : WEIR_STREAM_DOWN;
    if (!up)
        put_text(session.reason, WEIR_REASON_MAX, "OUTAGE");
    emit(desk, t, &session.msg);
}

/* Milliseconds in base 36: eight characters for a hundred years. */
void desk_start(struct desk *desk, weir_ns now)
{
    uint64_t ms = now > 0 ? (uint64_t)now / 1000000 : 0;
    uint32_t len = 1;
    for (uint64_t rest = ms / 36; rest > 0 && len < DESK_PREFIX_MAX - 1; rest /= 36)
        len++;
    for (uint32_t i = len; i > 0; i--, ms /= 36)
        desk->prefix[i - 1] = "0123456789abcdefghijklmnopqrstuvwxyz"[ms % 36];
    desk->edge = desk->config.outage_every > 0 ? now + desk->config.outage_every : INT64_MAX;
    desk_tell_stream(desk, now, true);
}

/* --- answers of many rows ----------------------------------------------------------------------*/

static void emit_fills(struct desk *desk, weir_ns now, uint32_t instrument, weir_ns since)
{
    uint64_t room = desk->config.fills;
    uint64_t first = desk->fill_count > room ? desk->fill_count - room : 0;
    for (uint64_t i = first; i < desk->fill_count; i++) {
        struct weir_fill fill = desk->fills[i % room];
        if ((instrument == 0 || instrument == fill.msg.instrument) && fill.msg.t_venue >= since)
            emit(desk, now, &fill.msg);
    }
}

static void emit_cash(struct desk *desk, weir_ns now, unsigned kind, uint32_t instrument,
                      const char *asset, amount total)
{
    struct weir_cash cash = {.msg = header(desk, sizeof cash, kind, instrument, now),
                             .amount = amount_pack(total)};
    put_text(cash.asset, WEIR_ASSET_MAX, asset);
    emit(desk, now, &cash.msg);
}

static void emit_books(struct desk *desk, weir_ns now)
{
    for (uint32_t i = 0; i < desk->config.orders; i++) {
        if (desk->orders[i].number == 0)
            continue;
        struct weir_report row = report_of(desk, now, WEIR_RECON_ORDER, &desk->orders[i]);
        emit(desk, now, &row.msg);
    }
    for (uint32_t i = 1; i <= desk->config.instruments; i++) {
        const struct ledger_holding *holding = ledger_holding(&desk->ledger, i);
        if (holding)
            emit_cash(desk, now, WEIR_RECON_POSITION, i, "",
                      amount_from(holding->qty, holding->is.qty_exp));
    }
    for (uint32_t i = 0; i < desk->ledger.wallet_count; i++)
        emit_cash(desk, now, WEIR_RECON_BALANCE, 0, desk->ledger.wallets[i].asset,
                  desk->ledger.wallets[i].total);
}

static void emit_recon(struct desk *desk, weir_ns now, weir_ns since)
{
    struct weir_msg begin = header(desk, sizeof begin, WEIR_RECON_BEGIN, 0, now);
    struct weir_msg end = header(desk, sizeof end, WEIR_RECON_END, 0, now);
    end.flags = WEIR_RECON_HAS_POSITIONS | WEIR_RECON_HAS_BALANCES;
    emit(desk, now, &begin);
    emit_fills(desk, now, 0, since);
    emit_books(desk, now);
    emit(desk, now, &end);
}

void desk_deliver(struct desk *desk, const struct desk_slot *slot)
{
    struct desk_slot out = *slot;
    if (desk->out && out.is.msg.kind != WEIR_NO_ANSWER)
        return; /* nobody hears it: what happened meanwhile is found by asking */
    if (out.is.msg.kind == WEIR_RECONCILE)
        emit_recon(desk, out.due, out.is.intent.t_since);
    else if (out.is.msg.kind == WEIR_QUERY_FILLS)
        emit_fills(desk, out.due, out.is.msg.instrument, out.is.intent.t_since);
    else
        emit(desk, out.due, &out.is.msg);
}
