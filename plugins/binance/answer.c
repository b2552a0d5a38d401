/* answer.c - what the venue answers: by HTTP, or on the connection of the WebSocket API.
 *
 * An answer proves what its status and its code prove (errors.c). No answer, a 5xx, a body that cannot
 * be read: silence. A request that was refused for pace (429, 418, -1003, -1015) was not carried out,
 * and everybody waits as long as the venue says. */
#include <stdio.h>

#include "trade.h"

#define MS     ((weir_ns)1000000)
#define SECOND ((weir_ns)1000000000)

/* --- errors ----------------------------------------------------------------------------------- */

struct failure {
    struct error_verdict verdict;
    int64_t code;
    int status;
    char reason[WEIR_REASON_MAX];
};

static struct failure failure_of(const struct binance *binance, int status, struct weir_bytes body)
{
    struct failure failure = {.status = status, .code = object_int(body, "code", 0)};
    struct weir_bytes text = object_text(body, "msg");
    failure.verdict = error_judge(binance->orders->book, status, failure.code, text);
    if (failure.code == 0 && status > 0 && status < 500 &&
        status != 200) /* of what stands before it */
        failure.verdict.proof = WEIR_DEFINITE;
    if (status == 200)
        failure.verdict = (struct error_verdict){ERROR_UNKNOWN, WEIR_SILENCE, 1};
    if (failure.verdict.class == ERROR_UNKNOWN_ORDER)
        (void)snprintf(failure.reason, sizeof failure.reason, "UNKNOWN_ORDER");
    else
        (void)snprintf(failure.reason, sizeof failure.reason, "%s: %.*s",
                       error_name(failure.verdict.class), (int)(text.len < 200 ? text.len : 200),
                       text.len > 0 ? text.data : "");
    for (char *at = failure.reason; *at; at++) /* cut inside of a character, or odd */
        if ((unsigned char)*at < ' ' || (unsigned char)*at > '~')
            *at = '?';
    return failure;
}

static bool is_pace(const struct failure *failure)
{
    return failure->status == 429 || failure->status == 418 ||
           failure->verdict.class == ERROR_RATE_LIMITED;
}

/* Which request of an order it was: 1 + enum weir_request; 0: none of them. */
static uint16_t request_of(const struct pending *pending)
{
    switch (pending->action) {
    case DO_PLACE:
    case DO_PLACE_ALGO: return 1 + WEIR_REQUEST_NEW;
    case DO_CANCEL:
    case DO_CANCEL_ALGO: return 1 + WEIR_REQUEST_CANCEL;
    case DO_REDUCE:
    case DO_REPLACE:
    case DO_MODIFY: return 1 + WEIR_REQUEST_REPLACE;
    default: return 0;
    }
}

static void tell_pace(struct binance *binance, const struct pending *pending,
                      const struct failure *failure, weir_ns now)
{
    weir_ns wait = binance->orders->limited > 0 ? binance->orders->limited
                   : failure->status == 418     ? 120 * SECOND
                   : failure->status == 429     ? 10 * SECOND
                                                : SECOND;
    struct weir_rate_limited limited = {
        .msg = {.size = sizeof limited,
                .kind = WEIR_RATE_LIMITED,
                .flags = request_of(pending),
                .instrument = pending->number},
        .retry_after = wait,
        .code = (int32_t)(failure->code ? failure->code : failure->status),
    };
    if (limited.msg.flags)
        memcpy(limited.client_id, pending->client_id, sizeof limited.client_id);
    if (failure->status == 418 || failure->status == 429)
        binance->host->banned(binance->host->host, now + wait);
    binance->host->emit(binance->host->host, &limited.msg);
}

/* --- orders ----------------------------------------------------------------------------------- */

/* The executions that stand in the answer to a new order (spot, FULL). */
static void tell_fills(struct binance *binance, const struct pending *pending,
                       const char *client_id, struct weir_bytes order)
{
    struct symbol *symbol = symbol_numbered(binance, pending->number);
    struct weir_bytes fills = object_get(order, "fills"), fill;
    struct scan scan = scan_of(fills);
    int first = 1;
    if (!symbol || fills.len == 0 || !scan_try(&scan, '['))
        return;
    while (object_next(&scan, &first, &fill)) {
        bool good = true;
        struct weir_fill event;
        struct fill_facts facts = {
            .number = pending->number,
            .client_id = {client_id, strlen(client_id)},
            .venue_id = object_text(order, "orderId"),
            .exec_id = object_text(fill, "tradeId"),
            .fee = object_text(fill, "commission"),
            .fee_asset = object_text(fill, "commissionAsset"),
            .px = object_decimal(fill, "price", symbol->px_exp, &good),
            .qty = object_decimal(fill, "qty", symbol->qty_exp, &good),
            .side = pending->side,
            .t_ms = object_int(order, "transactTime", 0),
        };
        if (good && make_fill(&facts, &event))
            binance->host->emit(binance->host->host, &event.msg);
    }
}

/* An answer that says it was accepted, under its name client_id: the acknowledgement, its executions,
 * and its end if it has come already. */
static void tell_accepted(struct binance *binance, const struct pending *pending,
                          const char *client_id, struct weir_bytes order, bool is_algo,
                          uint16_t kind)
{
    const struct symbol *symbol = symbol_numbered(binance, pending->number);
    struct weir_report report = report_of(kind, pending->number, client_id);
    bool good = true;
    if (!symbol)
        return;
    if (is_algo)
        fill_in_algo(&report, symbol, order, &good);
    else
        fill_in(&report, symbol, order, &good);
    struct live *live = orders_find(&binance->orders->orders, client_id);
    names_keep(&binance->orders->names, pending->number, report.venue_id, client_id);
    if (live) {
        memcpy(live->venue_id, report.venue_id, sizeof live->venue_id);
        live->acked = true;
    }
    emit_report(binance, &report);
    tell_fills(binance, pending, client_id, order);
    if (report.state == WEIR_STATE_EXPIRED || report.state == WEIR_STATE_CANCELED ||
        report.state == WEIR_STATE_REJECTED) {
        report.msg.kind = report.state == WEIR_STATE_CANCELED ? WEIR_CANCELED : WEIR_EXPIRED;
        object_copy(object_text(order, "status"), report.reason, sizeof report.reason);
        emit_report(binance, &report);
    }
    if (report.state > WEIR_STATE_OPEN)
        orders_drop(&binance->orders->orders, client_id);
}

/* It failed, as far as the venue says. */
static void tell_failed(struct binance *binance, const struct pending *pending,
                        const struct failure *failure)
{
    static const uint16_t kinds[] = {[1 + WEIR_REQUEST_NEW] = WEIR_REJECT,
                                     [1 + WEIR_REQUEST_CANCEL] = WEIR_CANCEL_REJECT,
                                     [1 + WEIR_REQUEST_REPLACE] = WEIR_REPLACE_REJECT};
    uint16_t request = request_of(pending);
    struct weir_report report = report_of(failure->status == 0 ? WEIR_NO_ANSWER : kinds[request],
                                          pending->number, pending->client_id);
    memcpy(report.venue_id, pending->venue_id, sizeof report.venue_id);
    report.request = (uint8_t)(request - 1);
    report.proof = (uint8_t)failure->verdict.proof;
    report.code = (int32_t)failure->code;
    memcpy(report.reason, failure->reason, sizeof report.reason);
    struct live *live = orders_find(&binance->orders->orders, pending->client_id);
    if (request == 1 + WEIR_REQUEST_NEW && report.proof == WEIR_DEFINITE && failure->status > 0)
        orders_drop(&binance->orders->orders, pending->client_id);
    else if (live && request == 1 + WEIR_REQUEST_REPLACE && report.proof == WEIR_DEFINITE)
        live->next_id[0] = '\0';
    emit_report(binance, &report);
}

static void placed(struct binance *binance, const struct pending *pending, struct weir_bytes result)
{
    tell_accepted(binance, pending, pending->client_id, result, pending->action == DO_PLACE_ALGO,
                  WEIR_ACK);
}

static void canceled(struct binance *binance, const struct pending *pending,
                     struct weir_bytes result)
{
    const struct symbol *symbol = symbol_numbered(binance, pending->number);
    struct weir_report report = report_of(WEIR_CANCELED, pending->number, pending->client_id);
    bool good = true;
    if (!symbol)
        return;
    if (pending->action == DO_CANCEL_ALGO) /* it says only that it was done */
        object_copy(object_text(result, "algoId"), report.venue_id, sizeof report.venue_id);
    else
        fill_in(&report, symbol, result, &good);
    if (report.state == WEIR_STATE_EXPIRED) /* it had ended by itself */
        report.msg.kind = WEIR_EXPIRED;
    if (!report.client_id[0]) { /* asked by the venue's id alone */
        struct weir_bytes name = object_text(result, "origClientOrderId");
        object_copy(name.len ? name : object_text(result, "clientOrderId"), report.client_id,
                    sizeof report.client_id);
    }
    orders_drop(&binance->orders->orders, report.client_id);
    emit_report(binance, &report);
}

/* Spot lists what it canceled; USD-M says so on the stream. Orders in lists stand in "orderReports". */
static void canceled_all(struct binance *binance, struct weir_bytes result)
{
    struct scan scan = scan_of(result);
    struct weir_bytes order;
    struct weir_report report;
    int first = 1;
    if (!scan_try(&scan, '['))
        return;
    while (object_next(&scan, &first, &order)) {
        struct weir_bytes reports = object_get(order, "orderReports");
        if (reports.len > 0) {
            canceled_all(binance, reports);
        } else if (order_facts(binance, order, WEIR_CANCELED, false, &report)) {
            orders_drop(&binance->orders->orders, report.client_id);
            emit_report(binance, &report);
        }
    }
}

static void renamed(struct binance *binance, const struct pending *pending)
{
    struct live *live = orders_find(&binance->orders->orders, pending->client_id);
    if (!live)
        return;
    live->px = pending->px;
    live->qty = pending->qty;
    live->next_id[0] = '\0';
    if (!pending->new_id[0])
        return;
    if (pending->action == DO_MODIFY &&
        !live->sent[0]) /* the host renames it, the venue does not */
        memcpy(live->sent, live->client_id, sizeof live->sent);
    orders_rename(&binance->orders->orders, live, pending->new_id);
}

/* An amendment holds. */
static void amended(struct binance *binance, const struct pending *pending,
                    struct weir_bytes result)
{
    struct weir_bytes order = result;
    const char *name =
        pending->new_id[0] && pending->action != DO_MODIFY ? pending->new_id : pending->client_id;
    if (pending->action == DO_REPLACE)
        order = object_get(result, "newOrderResponse");
    if (pending->action == DO_REDUCE)
        order = object_get(result, "amendedOrder");
    renamed(binance, pending);
    tell_accepted(binance, pending, name, order, false, WEIR_REPLACED);
}

/* cancelReplace failed. STOP_ON_FAILURE: if the cancel did, all is as before. If the new order did, the
 * old one is gone: the amendment was refused, and the order is canceled. */
static void replace_failed(struct binance *binance, const struct pending *pending,
                           struct failure *failure, struct weir_bytes body)
{
    struct weir_bytes data = object_get(body, "data");
    bool gone = object_is(data, "cancelResult", "SUCCESS");
    struct weir_bytes inner = object_get(data, gone ? "newOrderResponse" : "cancelResponse");
    if (data.len > 0 && object_get(inner, "code").len > 0) {
        *failure = failure_of(binance, failure->status, inner);
        if (strcmp(failure->reason, "UNKNOWN_ORDER") == 0) /* of the cancel: not of the amendment */
            (void)snprintf(failure->reason, sizeof failure->reason, "NOT_ALLOWED: %s",
                           "the order has a fill, or is not there");
    }
    const struct live *live = orders_find(&binance->orders->orders, pending->client_id);
    bool heard = live && live->gone; /* by somebody else, before our cancel came */
    tell_failed(binance, pending, failure);
    if ((!gone && !heard) || failure->verdict.proof != WEIR_DEFINITE)
        return;
    struct pending cancel = *pending;
    cancel.action = DO_CANCEL;
    canceled(binance, &cancel, object_get(data, "cancelResponse"));
}

static enum weir_err ask_by_first_name(struct binance *binance, const struct pending *pending,
                                       weir_ns now)
{
    struct params params = {.count = 0};
    const struct symbol *symbol = symbol_numbered(binance, pending->number);
    struct pending *again = pending_new(binance, DO_QUERY, now);
    if (!again || !symbol)
        return WEIR_OK; /* the host asks again in its own time */
    uint32_t id = again->id;
    *again = *pending;
    again->id = id;
    again->new_id[0] = '\0';
    again->conn = 0;
    params_text(&params, "symbol", symbol->name);
    params_text(&params, "origClientOrderId", pending->client_id);
    return call(binance, again, &params, now);
}

static enum weir_err queried(struct binance *binance, const struct pending *pending,
                             struct failure *failure, struct weir_bytes result, weir_ns now)
{
    bool absent = failure && failure->verdict.class == ERROR_UNKNOWN_ORDER;
    struct weir_report report = report_of(WEIR_STATUS, pending->number, pending->client_id);
    memcpy(report.venue_id, pending->venue_id, sizeof report.venue_id);
    if (failure && !absent)
        return WEIR_OK; /* nothing was learned */
    if (absent && pending->new_id[0])
        return ask_by_first_name(binance, pending, now);
    if (!absent &&
        !order_facts(binance, result, WEIR_STATUS, pending->action == DO_QUERY_ALGO, &report))
        return WEIR_E_BAD_FRAME;
    if (!absent && report.state > WEIR_STATE_OPEN)
        orders_drop(&binance->orders->orders, report.client_id);
    emit_report(binance, &report);
    return WEIR_OK;
}

/* --- the door --------------------------------------------------------------------------------- */

static enum weir_err refused(struct binance *binance, struct pending *pending,
                             struct failure *failure, struct weir_bytes body, weir_ns now)
{
    if (failure->verdict.class == ERROR_CLOCK)
        (void)login_clock(binance, now);
    if (failure->code == -1013 || failure->code == -1111) /* filters, precision */
        (void)rules_again(binance, now);
    if (is_pace(failure)) {
        tell_pace(binance, pending, failure, now);
        if (request_of(pending) == 1 + WEIR_REQUEST_NEW)
            orders_drop(&binance->orders->orders, pending->client_id);
        if (request_of(pending))
            return WEIR_OK;
    }
    if (pending->action == DO_REPLACE)
        replace_failed(binance, pending, failure, body);
    else if (request_of(pending))
        tell_failed(binance, pending, failure);
    return WEIR_OK;
}

static enum weir_err accepted(struct binance *binance, const struct pending *pending,
                              struct weir_bytes result)
{
    switch (pending->action) {
    case DO_PLACE:
    case DO_PLACE_ALGO: placed(binance, pending, result); break;
    case DO_CANCEL:
    case DO_CANCEL_ALGO: canceled(binance, pending, result); break;
    case DO_CANCEL_ALL: canceled_all(binance, result); break;
    case DO_REDUCE:
    case DO_REPLACE:
    case DO_MODIFY: amended(binance, pending, result); break;
    default: break;
    }
    return WEIR_OK;
}

static enum weir_err take(struct binance *binance, struct pending *pending, int status,
                          struct weir_bytes body, weir_ns now)
{
    bool well = status == 200 && object_kind(body) != '\0';
    struct failure failure = failure_of(binance, status, body);
    enum weir_err err = WEIR_OK;
    if (!well)
        err = refused(binance, pending, &failure, body, now);
    if (pending->whom == FOR_RECON)
        return recon_answer(binance, pending, status, body, now);
    if (pending->whom == FOR_QUERY)
        return query_answer(binance, pending, status, body, now);
    switch (pending->action) {
    case DO_QUERY:
    case DO_QUERY_ALGO: return queried(binance, pending, well ? NULL : &failure, body, now);
    case DO_FILLS: return query_answer(binance, pending, status, body, now);
    case DO_TIME:
    case DO_LISTEN:
    case DO_KEEP:
    case DO_COUNTDOWN:
    case DO_LOGON:
    case DO_HEAR: return login_answer(binance, pending, status, body, now);
    default: return well ? accepted(binance, pending, body) : err;
    }
}

enum weir_err answer(struct binance *binance, uint32_t id, int status, struct weir_bytes body,
                     weir_ns now)
{
    struct pending *found = pending_find(binance, id);
    if (!found)
        return WEIR_OK; /* it was given up */
    struct pending pending = *found;
    pending_free(binance, found);
    bool readable = object_ok(body) && object_kind(body) != '"';
    if (!readable)
        body = (struct weir_bytes){"", 0};
    enum weir_err err = take(binance, &pending, status, body, now);
    binance->orders->limited = 0;
    return err;
}

void answer_lost(struct binance *binance, uint32_t conn, weir_ns now)
{
    for (uint32_t i = 0; binance->orders->pending && i < PENDING_MAX; i++) {
        const struct pending *pending = &binance->orders->pending[i];
        if (pending->id && pending->conn == conn)
            (void)answer(binance, pending->id, 0, (struct weir_bytes){"", 0}, now);
    }
}

/* --- frames of the WebSocket API -------------------------------------------------------------- */

enum weir_err answer_frame(struct binance *binance, uint32_t conn, weir_ns now,
                           struct weir_bytes frame)
{
    if (!object_ok(frame) || object_kind(frame) != '{')
        return WEIR_E_BAD_FRAME;
    struct weir_bytes event = object_get(frame, "event"), body = object_get(frame, "result");
    int64_t id = object_int(frame, "id", 0);
    (void)conn;
    if (event.len > 0)
        return user_event(binance, event, now);
    if (object_get(frame, "e").len > 0 || object_get(frame, "stream").len > 0)
        return user_event(binance, frame, now);
    tell_budgets(binance, object_get(frame, "rateLimits"));
    int status = (int)object_int(frame, "status", 0);
    if (status != 200) {
        body = object_get(frame, "error");
        int64_t until = object_int(object_get(body, "data"), "retryAfter", 0) * MS;
        weir_ns venue = now + binance->host->venue_clock(binance->host->host, 0, 0, 0);
        binance->orders->limited = until > venue ? until - venue : 0;
    }
    return id > 0 && id <= UINT32_MAX && status > 0
               ? answer(binance, (uint32_t)id, status, body, now)
               : WEIR_OK;
}
