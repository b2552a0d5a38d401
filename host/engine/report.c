/* report.c - what the venue says about orders: acks, rejects, cancels, replaces, states, silence.
 *
 * Each report is an event of the order's table, plus what it teaches besides: a venue id, an executed
 * total, the fate of a request. Silence resolves nothing; it makes an order or a request ambiguous,
 * and the venue is asked. A report of an order that nobody here knows is counted: such orders are
 * adopted in reconciliations only, where the venue lists them in full. */
#include "engine/report.h"
#include "engine/inputs.h"
#include "engine/kill.h"
#include "engine/loss.h"
#include "engine/recon.h"
#include "engine/resolver.h"
#include "engine/state.h"
#include "engine/tell.h"

static void set_reason(struct engine *engine, uint32_t n, const char *reason)
{
    put_text(more_at(engine, n)->reason, reason);
    tell_later(engine, n);
}

void report_doubt(struct engine *engine, uint32_t n, const char *text)
{
    tell_alert(engine, ALERT_UNKNOWN_ORDER, order_at(engine, n)->instrument, n, 0, 0, text);
    resolver_ask(engine, n, ASK_ORDER);
}

/* A jump forward in the private stream: something was lost. The event itself is used. */
void stream_sequence(struct engine *engine, const struct weir_msg *msg, uint64_t seq)
{
    if (seq == 0 || msg->account >= engine->sizes.accounts)
        return;
    struct account *account = &engine->accounts[msg->account];
    uint64_t last = account->stream_seq;
    if (last != 0 && seq > last + 1) {
        tell_alert(engine, ALERT_SEQ_GAP, msg->instrument, 0, (int64_t)(seq & INT64_MAX),
                   (int64_t)(last & INT64_MAX), "");
        send_fills_query(engine, msg->account, 0);
    }
    if (seq > last)
        account->stream_seq = seq;
}

/* It is held, or was until it ended: the venue cannot know it. */
static bool was_never_sent(const struct engine *engine, uint32_t n)
{
    const struct order_more *more = &engine->more[n];
    return more->tied && more->sent == 0;
}

/* What was told before an execution was undone had it still; the answer to a question does not. */
static void total_is_less(struct engine *engine, uint32_t n, const struct weir_report *report,
                          weir_qty total)
{
    struct order_more *more = more_at(engine, n);
    bool answers = report->msg.kind == WEIR_STATUS || report->msg.kind == WEIR_RECON_ORDER;
    if (!answers || total != order_at(engine, n)->cum || more->reported <= total ||
        more->reported - total > more->undone)
        return;
    more->reported = total;
    order_settle(engine, n);
}

/* The venue's executed total. More than was booked: the fills are asked for, none is invented. */
void report_cum(struct engine *engine, uint32_t n, const struct weir_report *report)
{
    const struct order *order = order_at(engine, n);
    struct order_more *more = more_at(engine, n);
    weir_qty total;
    if (!report->has_cum || was_never_sent(engine, n) ||
        __builtin_add_overflow(report->cum_qty, more->inside, &total))
        return;
    if (total <= order->cum) {
        total_is_less(engine, n, report, total);
        return;
    }
    if (total > more->reported)
        more->reported = total;
    order_settle(engine, n);
    tell_alert(engine, ALERT_MISSING_FILLS, order->instrument, n, total, order->cum, more->cid);
    resolver_ask(engine, n, more->undone ? ASK_FILLS | ASK_ORDER : ASK_FILLS);
}

/* --- submit ------------------------------------------------------------------------------------- */

static void acked(struct engine *engine, uint32_t n, const struct weir_report *report)
{
    weir_ns took = engine->now - more_at(engine, n)->sent,
            most = engine->policy[POLICY_slow_ack_ns];
    if (most > 0 && took > most && order_at(engine, n)->is == IS_SENT)
        guard_trips(engine, GUARD_slow_ack, &engine->venues[more_at(engine, n)->venue],
                    amount_from(took, 6), amount_from(most, 6));
    (void)order_step(engine, n, ON_ACK);
    order_learn_venue_id(engine, n, report->venue_id);
    if (order_at(engine, n)->is == IS_NOT_FOUND)
        resolver_ask(engine, n, ASK_ORDER);
    kill_follow(engine, n, false);
}

static void no_answer(struct engine *engine, uint32_t n, uint8_t request, const char *reason);

static void refused(struct engine *engine, uint32_t n, const char *reason)
{
    const struct order *order = order_at(engine, n);
    bool filled = order->cum > 0;
    uint8_t before = order->is;
    if (!order_step(engine, n, filled ? ON_CANCELED : ON_REJECT) || order->is == before)
        return;
    set_reason(engine, n, reason);
    if (filled) /* here or there: the contract makes no difference */
        tell_alert(engine, ALERT_PROTOCOL, order->instrument, n, order->cum, 0, reason);
}

static void rejected(struct engine *engine, uint32_t n, const struct weir_report *report)
{
    if (report->proof == WEIR_DEFINITE)
        refused(engine, n, report->reason);
    else
        no_answer(engine, n, WEIR_REQUEST_NEW, report->reason);
}

static void ended(struct engine *engine, uint32_t n, const struct weir_report *report,
                  enum order_event event)
{
    uint8_t before = order_at(engine, n)->is;
    if (order_step(engine, n, event) && order_at(engine, n)->is != before)
        set_reason(engine, n, report->reason);
    report_cum(engine, n, report);
    order_learn_venue_id(engine, n, report->venue_id);
}

/* --- cancel --------------------------------------------------------------------------------------- */

static void cancel_refused(struct engine *engine, uint32_t n, const char *reason)
{
    struct order *order = order_at(engine, n);
    if (is_done(order->is))
        return;
    bool unknown = strcmp(reason, "UNKNOWN_ORDER") == 0;
    if (!is_at_venue(order->is) || (!request_is_open(order->cancel) && !unknown)) {
        tell_anomaly(engine, order->instrument, n, "a cancel was refused that was not asked");
        return;
    }
    if (request_is_open(order->cancel))
        request_set(engine, n, &order->cancel, REQUEST_REJECTED);
    put_text(more_at(engine, n)->refusal, reason);
    if (unknown)
        (void)order_step(engine, n, ON_DOUBT);
    else if (order->is == IS_DOUBT && more_at(engine, n)->proved)
        (void)order_step(engine, n, ON_WORKS); /* refused, so it works on */
    order_settle(engine, n);
    tell_refused(engine, n, NULL, reason);
    weir_ns backoff = engine->backoff[more_at(engine, n)->venue];
    if (unknown)
        report_doubt(engine, n, reason);
    else if (engine->killed && backoff > engine->now)
        resolver_later(engine, n, ASK_ORDER, backoff);
    else if (engine->killed)
        resolver_ask(engine, n, ASK_ORDER);
}

static void cancel_rejected(struct engine *engine, uint32_t n, const struct weir_report *report)
{
    if (report->proof == WEIR_DEFINITE)
        cancel_refused(engine, n, report->reason);
    else
        no_answer(engine, n, WEIR_REQUEST_CANCEL, report->reason);
}

/* --- replace ---------------------------------------------------------------------------------------- */

/* The last replace holds, by the venue's word. */
void report_replaced(struct engine *engine, uint32_t n, const char *vid)
{
    struct order *order = order_at(engine, n);
    struct order_more *more = more_at(engine, n);

    bool can_hold =
        !is_done(order->is) || order_next((enum order_is)order->is, ON_REVIVED) != IS_SURPRISE;
    if (order->amend == REQUEST_NONE || order->amend == REQUEST_ACKED || !can_hold) {
        if (order->amend != REQUEST_ACKED)
            tell_anomaly(engine, order->instrument, n, "a replace holds that cannot");
        order_learn_venue_id(engine, n, vid);
        return;
    }
    if (order->amend == REQUEST_REJECTED) {
        tell_alert(engine, ALERT_PROTOCOL, order->instrument, n, 0, 0,
                   "a replace holds that was refused");
        (void)cid_keep(engine, more->next_cid, n);
    }
    request_set(engine, n, &order->amend, REQUEST_ACKED);
    more->px = more->next_px;
    if (more->type != WEIR_MARKET)
        more->hold_px = more->px;
    order->qty = more->next_qty;
    memcpy(more->cid, more->next_cid, sizeof more->cid);
    memcpy(more->wire, more->next_wire, sizeof more->wire);
    order_settle(engine, n);
    bool more_to_do = order->qty > order->cum;
    if (is_done(order->is) && more_to_do)
        (void)order_step(engine, n, ON_REVIVED);
    else if (!is_done(order->is) && !more_to_do)
        (void)order_step(engine, n, ON_LAST_FILL);
    else if (order->is == IS_SENT || order->is == IS_DOUBT)
        (void)order_step(engine, n, ON_WORKS);
    order_learn_venue_id(engine, n, vid);
    kill_follow(engine, n, false);
}

static bool names_next(const struct engine *engine, uint32_t n, const struct weir_report *report)
{
    return report->client_id[0] &&
           strncmp(report->client_id, engine->more[n].next_wire, WEIR_ID_MAX) == 0;
}

/* A venue that calls what was replaced by its new id told of an earlier replace again. */
static bool is_repeat(const struct engine *engine, uint32_t n, const struct weir_report *report)
{
    uint32_t instrument = engine->orders[n].instrument;
    return engine->more[n].renames && !names_next(engine, n, report) &&
           (!report->venue_id[0] || order_of_venue(engine, instrument, report->venue_id) == n);
}

static void replaced(struct engine *engine, uint32_t n, const struct weir_report *report)
{
    const struct order *order = order_at(engine, n);
    if (!wire_is_void(engine, report->client_id)) {
        if (is_repeat(engine, n, report))
            return;
        if (names_next(engine, n, report))
            more_at(engine, n)->renames = 1;
        report_replaced(engine, n, report->venue_id);
        return;
    }
    /* it names a replace that came to nothing long ago: what the order is now, only the venue knows */
    tell_alert(engine, ALERT_PROTOCOL, order->instrument, n, 0, 0, "an old replace holds");
    if (is_at_venue(order->is) && order_step(engine, n, ON_DOUBT))
        report_doubt(engine, n, "an old replace holds");
}

static void replace_refused(struct engine *engine, uint32_t n, const char *reason)
{
    struct order *order = order_at(engine, n);
    const struct order_more *more = more_at(engine, n);
    struct next next = {more->next_cid, more->next_px, more->next_qty};
    if (!request_is_open(order->amend)) {
        if (!is_done(order->is))
            tell_anomaly(engine, order->instrument, n, "a replace was refused that was not asked");
        return;
    }
    request_set(engine, n, &order->amend, REQUEST_REJECTED);
    if (strcmp(more->next_cid, more->next_wire) != 0)
        (void)cid_keep(engine, more->next_cid, 0); /* used up, but not the order's name */
    order_settle(engine, n);
    tell_refused(engine, n, &next, reason);
}

static void replace_rejected(struct engine *engine, uint32_t n, const struct weir_report *report)
{
    if (wire_is_void(engine, report->client_id)) /* of one that came to nothing: known already */
        return;
    if (report->proof == WEIR_DEFINITE)
        replace_refused(engine, n, report->reason);
    else
        no_answer(engine, n, WEIR_REQUEST_REPLACE, report->reason);
}

/* --- silence ------------------------------------------------------------------------------------------ */

static bool went_silent(struct engine *engine, uint32_t n, uint8_t request)
{
    struct order *order = order_at(engine, n);
    uint8_t *open = request == WEIR_REQUEST_CANCEL ? &order->cancel : &order->amend;
    if (request == WEIR_REQUEST_NEW)
        return order_step(engine, n, ON_SILENCE);
    if (request > WEIR_REQUEST_REPLACE || !request_is_open(*open)) {
        tell_anomaly(engine, order->instrument, n, "no answer to what was not asked");
        return false;
    }
    if (*open != REQUEST_DOUBTED)
        request_set(engine, n, open, REQUEST_AMBIGUOUS);
    order_settle(engine, n);
    return true;
}

static void no_answer(struct engine *engine, uint32_t n, uint8_t request, const char *reason)
{
    if (went_silent(engine, n, request))
        report_doubt(engine, n, reason);
}

/* --- state ------------------------------------------------------------------------------------------- */

/* The venue has shown no sign of it: no fill, no venue id, no word. */
bool can_give_up(const struct engine *engine, uint32_t n)
{
    const struct order *order = &engine->orders[n];
    const struct order_more *more = &engine->more[n];
    return (order->is == IS_SENT || order->is == IS_DOUBT) && !more->proved &&
           order->cum == more->inside && !more->vid[0];
}

static void not_found(struct engine *engine, uint32_t n)
{
    struct order_more *more = more_at(engine, n);
    if (!is_at_venue(order_at(engine, n)->is))
        return;
    more->not_found++;
    bool often = more->not_found >= engine->policy[POLICY_not_found_confirm];
    bool old = engine->now - more->sent >= engine->policy[POLICY_not_found_after_ns];
    if (can_give_up(engine, n) && often && old) {
        set_reason(engine, n, "NOT_FOUND");
        (void)order_step(engine, n, ON_ABSENT);
    } else if (!often || !more->timers[TIMER_QUESTION]
                              .place) { /* else the resolver asks again in its own time */
        resolver_ask(engine, n, ASK_ORDER);
    }
}

/* It says which of its names the venue knows: the next one, and so the replace holds. */
static bool tells_replaced(const struct engine *engine, uint32_t n,
                           const struct weir_report *report)
{
    const struct order *order = &engine->orders[n];
    if (order->amend == REQUEST_NONE || order->amend == REQUEST_ACKED ||
        order->amend == REQUEST_REJECTED)
        return false;
    if (names_next(engine, n, report))
        return true;
    /* filled at the old quantity, and working on: it has the new one */
    return order->is == IS_FILLED && report->state == WEIR_STATE_OPEN &&
           request_is_open(order->amend) && engine->more[n].next_qty > order->cum;
}

static const uint8_t found_event[] = {
    [WEIR_STATE_OPEN] = ON_WORKS,        [WEIR_STATE_FILLED] = ON_FILLED,
    [WEIR_STATE_CANCELED] = ON_CANCELED, [WEIR_STATE_EXPIRED] = ON_EXPIRED,
    [WEIR_STATE_REJECTED] = ON_REJECT,
};

static void found(struct engine *engine, uint32_t n, const struct weir_report *report)
{
    struct order *order = order_at(engine, n);
    bool open_to_news = is_at_venue(order->is) || order->is == IS_NOT_FOUND;
    if (report->state == WEIR_STATE_REJECTED && open_to_news)
        refused(engine, n, report->reason);
    else if (open_to_news)
        ended(engine, n, report, (enum order_event)found_event[report->state]);
    else if (report->state == WEIR_STATE_OPEN)
        tell_anomaly(engine, order->instrument, n, "the venue works an order that has ended");
    else if (request_is_open(order->amend)) /* ended there too: the replace came too late */
        request_set(engine, n, &order->amend, REQUEST_RESOLVED);
    if (order->amend == REQUEST_DOUBTED && order->is == IS_WORKING) /* and in its old form */
        request_set(engine, n, &order->amend, REQUEST_RESOLVED);
}

/* The answer to a question, or a row of a reconciliation. */
void report_status(struct engine *engine, uint32_t n, const struct weir_report *report)
{
    if (report->state == WEIR_STATE_NOT_FOUND) {
        not_found(engine, n);
        return;
    }
    if (report->state >= sizeof found_event) {
        tell_anomaly(engine, order_at(engine, n)->instrument, n, "a state that is not known");
        return;
    }
    struct weir_report full = *report;
    if (report->state == WEIR_STATE_FILLED && !report->has_cum) {
        full.has_cum = 1;
        full.cum_qty = order_at(engine, n)->qty - more_at(engine, n)->inside;
    }
    more_at(engine, n)->not_found = 0;
    bool replaced_too = tells_replaced(engine, n, report);
    if (replaced_too) {
        more_at(engine, n)->renames |= names_next(engine, n, report);
        report_replaced(engine, n, report->venue_id);
    }
    if (!replaced_too || report->state != WEIR_STATE_OPEN) /* it may have ended since */
        found(engine, n, &full);
    report_cum(engine, n, &full);
    order_learn_venue_id(engine, n, full.venue_id);
    order_settle(engine, n);
    kill_follow(engine, n, report->state == WEIR_STATE_OPEN);
}

/* --- the door ------------------------------------------------------------------------------------------- */

static uint32_t order_of(const struct engine *engine, const struct weir_report *report)
{
    uint32_t n = order_of_wire(engine, report->client_id);
    return n ? n : order_of_venue(engine, report->msg.instrument, report->venue_id);
}

void apply_report(struct engine *engine, const void *input)
{
    const struct weir_report *report = input;
    uint32_t n = order_of(engine, report);

    order_needed(engine, n);
    stream_sequence(engine, &report->msg, report->stream_seq);
    if (!n) {
        tell_anomaly(engine, report->msg.instrument, 0, "a report of an order that is not known");
        return;
    }
    if (was_never_sent(engine, n)) {
        tell_anomaly(engine, report->msg.instrument, n, "a report of an order that was not sent");
        return;
    }
    order_venue_id_fetch(engine, n, report->venue_id);
    switch (report->msg.kind) {
    case WEIR_ACK: acked(engine, n, report); break;
    case WEIR_REJECT: rejected(engine, n, report); break;
    case WEIR_CANCELED: ended(engine, n, report, ON_CANCELED); break;
    case WEIR_CANCEL_REJECT: cancel_rejected(engine, n, report); break;
    case WEIR_EXPIRED: ended(engine, n, report, ON_EXPIRED); break;
    case WEIR_REPLACED: replaced(engine, n, report); break;
    case WEIR_REPLACE_REJECT: replace_rejected(engine, n, report); break;
    case WEIR_NO_ANSWER: no_answer(engine, n, report->request, report->reason); break;
    default: report_status(engine, n, report); break;
    }
}

/* Which request was refused for pace: as told, or the order's latest. */
static uint8_t limited_request(const struct order *order, uint16_t flags)
{
    if (flags > 0)
        return (uint8_t)(flags - 1);
    if (request_is_open(order->cancel))
        return WEIR_REQUEST_CANCEL;
    return request_is_open(order->amend) ? WEIR_REQUEST_REPLACE : WEIR_REQUEST_NEW;
}

void apply_rate_limited(struct engine *engine, const void *input)
{
    const struct weir_rate_limited *in = input;
    uint32_t n = order_of_wire(engine, in->client_id);

    tell_alert(engine, ALERT_RATE_LIMITED, in->msg.instrument, n, in->code, 0, "");
    if (in->msg.venue < engine->sizes.venues) {
        weir_ns until = later(engine->now, in->retry_after > 0 ? in->retry_after : 0);
        if (until > engine->backoff[in->msg.venue])
            engine->backoff[in->msg.venue] = until;
    }
    if (!n)
        return;
    const struct order *order = order_at(engine, n);
    switch (limited_request(order, in->msg.flags)) {
    case WEIR_REQUEST_CANCEL: cancel_refused(engine, n, "RATE_LIMITED"); break;
    case WEIR_REQUEST_REPLACE:
        if (!wire_is_void(engine, in->client_id))
            replace_refused(engine, n, "RATE_LIMITED");
        break;
    default:
        if (order->is == IS_SENT || (order->is == IS_DOUBT && !more_at(engine, n)->proved))
            refused(engine, n, "RATE_LIMITED");
        break;
    }
}
