/* explain_text.c - one order's records in words.
 *
 * One line for each thing that happened. Where two records tell one thing (an execution, and the
 * order that is filled by it), the lines tell it once [hide_what_was_told]; JSON has every record. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "journal/kinds.h"
#include "journal/story.h"

enum { LINE_WIDTH = 100, INDENT = 26 };

/* --- words ------------------------------------------------------------------------------------- */

static const char *label_word(uint8_t label)
{
    static const char *const words[] = {"pending",   "open",    "partial",  "canceling",
                                        "replacing", "unknown", "held",     "filled",
                                        "canceled",  "expired", "rejected", "denied"};
    _Static_assert(sizeof words / sizeof words[0] == ORDER_LABEL_COUNT, "a word for each label");
    return label < ORDER_LABEL_COUNT ? words[label] : "?";
}

static const char *asker_word(uint8_t asker)
{
    static const char *const words[] = {"script", "client", "operator", "host"};
    return asker < 4 ? words[asker] : "?";
}

static void say_qty(const struct story *story, uint32_t instrument, weir_qty qty, bool sign,
                    struct text *out)
{
    char number[DECIMAL_TEXT_MAX];
    render_qty(story->directory, instrument, qty, number);
    text_say(out, "%s%s", sign && qty > 0 ? "+" : "", number);
}

static void say_px(const struct story *story, uint32_t instrument, weir_px px, struct text *out)
{
    char number[DECIMAL_TEXT_MAX];
    render_px(story->directory, instrument, px, number);
    text_say(out, "%s", number);
}

static void say_id(const char *name, const char *id, struct text *out)
{
    if (!id[0])
        return;
    text_say(out, "%s ", name);
    render_word(id, WEIR_ID_MAX, out);
}

static void say_amount(struct weir_amount packed, struct text *out)
{
    char number[DECIMAL_TEXT_MAX];
    (void)amount_print(amount_of(packed), number);
    text_say(out, "%s", number);
}

/* "11 us", "0.4 ms", "2.3 s": three digits or fewer before the unit, one behind the point. */
static void say_span(weir_ns span, struct text *out)
{
    static const struct {
        weir_ns unit;
        const char *name;
    } units[] = {{1000000000, "s"}, {1000000, "ms"}, {1000, "us"}, {1, "ns"}};
    const char *minus = span < 0 ? "-" : "";
    uint64_t size = span < 0 ? 0 - (uint64_t)span : (uint64_t)span;
    size_t i = 0;
    while (i < 3 && size < (uint64_t)units[i].unit)
        i++;
    uint64_t unit = (uint64_t)units[i].unit, whole = size / unit;
    text_say(out, "%s%" PRIu64, minus, whole);
    if (unit > 1 && whole < 100)
        text_say(out, ".%" PRIu64, size % unit * 10 / unit);
    text_say(out, " %s", units[i].name);
}

/* --- wishes ------------------------------------------------------------------------------------ */

/* The book that the asker saw, and its prices if the journal still has them. */
static void say_seen(const struct story *story, const struct in_submit *submit, struct text *out)
{
    char mid[DECIMAL_TEXT_MAX];
    const struct weir_top *top = directory_top(story->directory, submit->msg.instrument);
    const struct weir_instrument *is =
        directory_instrument(story->directory, submit->msg.instrument);
    if (submit->seen_seq == 0 && submit->seen_t == 0)
        return;
    text_say(out, ", on book %s", directory_name(story->directory, SCOPE_venue, submit->msg.venue));
    if (submit->seen_seq != 0)
        text_say(out, " seq %" PRIu64, submit->seen_seq);
    const char *open = " (";
    bool same = top && top->seq == submit->seen_seq && top->bid > 0 && top->ask > 0;
    if (same && is && is->price_exp < 18 && top->bid < INT64_MAX / 20 &&
        top->ask < INT64_MAX / 20) {
        (void)decimal_print((top->bid + top->ask) * 5, is->price_exp + 1, mid);
        text_say(out, "%smid %s", open, mid);
        open = ", ";
    }
    if (submit->seen_t != 0) {
        text_say(out, "%s", open);
        say_span(submit->msg.t - submit->seen_t, out);
        text_say(out, " old");
        open = ", ";
    }
    if (open[0] == ',')
        text_say(out, ")");
}

static const char *tell_submit(const struct story *story, const struct weir_msg *msg,
                               struct text *out)
{
    const struct in_submit *submit = (const void *)msg;
    const char *strategy = directory_name(story->directory, SCOPE_strategy, submit->strategy);
    text_say(out, "%s", strategy);
    if (submit->asker != ASKER_SCRIPT)
        text_say(out, " (%s)", asker_word(submit->asker));
    story_terms(story, submit, out);
    say_seen(story, submit, out);
    if (submit->tag[0]) {
        text_say(out, ", tag ");
        render_word(submit->tag, sizeof submit->tag, out);
    }
    return "intent";
}

static const char *tell_change(const struct story *story, const struct weir_msg *msg,
                               struct text *out)
{
    static const char *const words[] = {[0] = "cancel", /* IN_CANCEL */
                                        [IN_REPLACE - IN_CANCEL] = "replace",
                                        [IN_CANCEL_MANY - IN_CANCEL] = "cancel",
                                        [IN_KILL - IN_CANCEL] = "kill",
                                        [IN_RELEASE - IN_CANCEL] = "release"};
    const struct in_change *change = (const void *)msg;
    text_say(out, "asked by %s", asker_word(change->asker));
    if (change->strategy != 0 && change->asker == ASKER_SCRIPT)
        text_say(out, " %s", directory_name(story->directory, SCOPE_strategy, change->strategy));
    if (msg->kind == IN_CANCEL_MANY)
        text_say(out, ", with others");
    if (msg->kind == IN_REPLACE && change->change & CHANGE_QTY) {
        text_say(out, ", quantity ");
        say_qty(story, story->last.msg.instrument, change->qty, false, out);
    }
    if (msg->kind == IN_REPLACE && change->change & CHANGE_PX) {
        text_say(out, ", price ");
        say_px(story, story->last.msg.instrument, change->px, out);
    }
    if (msg->kind == IN_REPLACE && change->change & CHANGE_TRIGGER) {
        text_say(out, ", trigger ");
        say_px(story, story->last.msg.instrument, change->trigger, out);
    }
    if (change->reason[0]) {
        text_say(out, ": ");
        render_word(change->reason, sizeof change->reason, out);
    }
    return words[msg->kind - IN_CANCEL];
}

/* --- decisions --------------------------------------------------------------------------------- */

static void say_reading(const struct story *story, const struct risk_reading *r, struct text *out)
{
    char value[DECIMAL_TEXT_MAX], limit[DECIMAL_TEXT_MAX];
    int exp = r->exp >= 0 && r->exp <= 18 ? r->exp : 0;
    (void)decimal_print(r->value, exp, value);
    (void)decimal_print(r->limit, exp, limit);
    text_say(out, "%s", risk_check_name((enum risk_check)r->check));
    if (r->scope != SCOPE_host || r->id != 0)
        text_say(out, "(%s %s)", risk_scope_name((enum risk_scope)r->scope),
                 directory_name(story->directory, (enum risk_scope)r->scope, r->id));
    text_say(out, " %s/%s", value, limit);
}

/* A question that was answered with no, as it should be. */
static bool is_plain_no(const struct risk_reading *r)
{
    return r->value == 0 && r->limit == 0 && !r->failed;
}

static void say_readings(const struct story *story, const struct out_decision *decision,
                         struct text *out)
{
    const char *before = "\n";
    struct risk_reading reading;
    struct decision_walk walk = decision_begin(decision);
    while (decision_next(&walk, &reading))
        if (!is_plain_no(&reading)) {
            text_say(out, "%s", before);
            say_reading(story, &reading, out);
            text_say(out, "%s", reading.failed ? " (refuses)" : "");
            before = ", ";
        }
    before = "\n0/0: ";
    walk = decision_begin(decision);
    while (decision_next(&walk, &reading))
        if (is_plain_no(&reading)) {
            text_say(out, "%s%s", before, risk_check_name((enum risk_check)reading.check));
            before = ", ";
        }
}

/* The verdict first, then each check with its reading and limit. */
static const char *tell_decision(const struct story *story, const struct weir_msg *msg,
                                 struct text *out)
{
    const struct out_decision *decision = (const void *)msg;
    struct risk_reading against;
    bool told = decision_refusal(decision, &against);
    text_say(out, "%s", decision->of == DECISION_RELEASE ? "when it was to go: " : "");
    text_say(out, decision->allowed ? "allowed" : "denied by ");
    if (told)
        say_reading(story, &against, out);
    else if (!decision->allowed)
        text_say(out, "%s", risk_check_name((enum risk_check)decision->reason));
    if (!decision->allowed)
        text_say(out, ": %s", risk_check_text((enum risk_check)decision->reason));
    text_say(out, "; limits version %" PRIu64 ", reading/limit of each check:",
             decision->limits_version);
    say_readings(story, decision, out);
    return "risk";
}

/* --- what was sent ----------------------------------------------------------------------------- */

static const char *tell_intent(const struct story *story, const struct weir_msg *msg,
                               struct text *out)
{
    const struct weir_intent *intent = (const void *)msg;
    const char *venue = directory_name(story->directory, SCOPE_venue, msg->venue);
    switch (msg->kind) {
    case WEIR_NEW:
        text_say(out, "%s, ", venue);
        say_id("as", intent->client_id, out);
        return "sent";
    case WEIR_CANCEL:
        text_say(out, "%s, cancel ", venue);
        say_id("of", intent->client_id, out);
        return "sent";
    case WEIR_REPLACE:
        text_say(out, "%s, replace ", venue);
        say_id("of", intent->client_id, out);
        text_say(out, " ");
        say_id("by", intent->new_client_id, out);
        return "sent";
    default:
        text_say(out, "%s, what became of ", venue);
        render_word(intent->client_id, sizeof intent->client_id, out);
        return "asked";
    }
}

/* --- what came of it --------------------------------------------------------------------------- */

static const char *tell_execution(const struct story *story, const struct weir_msg *msg,
                                  struct text *out)
{
    const struct out_execution *exec = (const void *)msg;
    uint32_t on = msg->instrument;
    say_qty(story, on, exec->qty, false, out);
    text_say(out, " @ ");
    say_px(story, on, exec->px, out);
    if (exec->internal)
        text_say(out, ", crossed inside");
    if (exec->fee_asset[0]) {
        text_say(out, ", fee ");
        say_amount(exec->fee, out);
        text_say(out, " ");
        render_word(exec->fee_asset, sizeof exec->fee_asset, out);
    }
    if (exec->maker)
        text_say(out, ", maker");
    text_say(out, ", position ");
    say_qty(story, on, exec->position, true, out);
    if (exec->strategy_position != exec->position) {
        text_say(out, " (%s ", directory_name(story->directory, SCOPE_strategy, exec->strategy));
        say_qty(story, on, exec->strategy_position, true, out);
        text_say(out, ")");
    }
    if (exec->realized.lo != 0 || exec->realized.hi != 0) {
        text_say(out, ", realized ");
        say_amount(exec->realized, out);
    }
    text_say(out, ", ");
    say_id("execution", exec->exec_id, out);
    return exec->busted ? "bust" : "fill";
}

/* The venue's message behind a change of state, if one was. */
static void say_cause(const struct story *story, struct text *out)
{
    const struct weir_msg *input = story->input;
    const struct kind *kind = input ? kind_find(input->kind) : NULL;
    if (!kind)
        return;
    if (input->kind < WEIR_ACK || input->kind > WEIR_RECON_END) {
        text_say(out, "by %s", kind->name);
        return;
    }
    const struct weir_report *report = (const void *)input;
    bool is_report =
        input->kind != WEIR_FILL && input->kind != WEIR_BUST && input->size >= sizeof *report;
    bool plain = input->kind == WEIR_CANCELED || input->kind == WEIR_EXPIRED;
    text_say(out, "%s", plain ? "the venue says so" : kind->name);
    if (!is_report)
        return;
    if (report->venue_id[0]) {
        text_say(out, " \"");
        render_word(report->venue_id, sizeof report->venue_id, out);
        text_say(out, "\"");
    }
    if (report->reason[0]) {
        text_say(out, ", ");
        render_word(report->reason, sizeof report->reason, out);
    }
    if (report->code != 0)
        text_say(out, ", code %" PRId32, report->code);
    if (input->kind == WEIR_REJECT)
        text_say(out, ", %s", report->proof == WEIR_DEFINITE ? "definite" : "proves nothing");
}

static const char *tell_order(const struct story *story, const struct weir_msg *msg,
                              struct text *out)
{
    struct out_order order = {0};
    memcpy(&order, msg, msg->size < sizeof order ? msg->size : sizeof order);
    if (order.request_refused != 0)
        text_say(out, "%s refused: ", order.request_refused == 1 ? "cancel" : "replace");
    say_cause(story, out);
    if (order.reason[0]) {
        text_say(out, ", ");
        render_word(order.reason, sizeof order.reason, out);
    }
    if (order.cum_qty != 0) {
        text_say(out, ", filled ");
        say_qty(story, msg->instrument, order.cum_qty, false, out);
        text_say(out, " of ");
        say_qty(story, msg->instrument, order.qty, false, out);
    }
    if (order.awaiting_fills)
        text_say(out, ", executions are missing");
    return label_word(order.label);
}

static const char *tell_alert(const struct story *story, const struct weir_msg *msg,
                              struct text *out)
{
    const struct out_alert *alert = (const void *)msg;
    (void)story;
    text_say(out, "%s: %s", alert_name((enum alert)alert->alert),
             alert_text((enum alert)alert->alert));
    if (alert->text[0]) {
        text_say(out, ", ");
        render_word(alert->text, sizeof alert->text, out);
    }
    return "alert";
}

/* --- records into events ----------------------------------------------------------------------- */

static struct event *add(struct story *story, const struct journal_record *record)
{
    if (story->count == story->room) {
        size_t room = story->room ? story->room * 2 : 16;
        struct event *events = realloc(story->events, room * sizeof *events);
        if (!events) {
            story->failed = true;
            return NULL;
        }
        story->events = events;
        story->room = room;
    }
    struct event *event = &story->events[story->count++];
    *event = (struct event){.seq = record->seq,
                            .cause = record->msg->cause,
                            .t = record->msg->t,
                            .kind = record->msg->kind,
                            .class = (uint8_t)record->class,
                            .word = "",
                            .msg = malloc(record->msg->size)};
    text_init(&event->line);
    story->failed = story->failed || !event->msg;
    if (event->msg)
        memcpy(event->msg, record->msg, record->msg->size);
    return event;
}

static const struct {
    uint16_t first, last;
    const char *(*tell)(const struct story *, const struct weir_msg *, struct text *);
} tellers[] = {
    {IN_SUBMIT, IN_SUBMIT, tell_submit},     {IN_CANCEL, IN_RELEASE, tell_change},
    {WEIR_NEW, WEIR_SUBSCRIBE, tell_intent}, {OUT_DECISION, OUT_DECISION, tell_decision},
    {OUT_ORDER, OUT_ORDER, tell_order},      {OUT_EXECUTION, OUT_EXECUTION, tell_execution},
    {OUT_ALERT, OUT_ALERT, tell_alert},      {OUT_HOLD, OUT_HOLD, story_hold},
};

static void tell(struct story *story, const struct journal_record *record)
{
    struct event *event = add(story, record);
    if (!event)
        return;
    event->hidden = true;
    for (size_t i = 0; i < sizeof tellers / sizeof tellers[0]; i++)
        if (event->kind >= tellers[i].first && event->kind <= tellers[i].last) {
            event->word = tellers[i].tell(story, record->msg, &event->line);
            event->hidden = false;
        }
}

/* The input that the next effects come from; once. */
static void tell_input(struct story *story)
{
    if (story->input_told || story->input_seq == 0)
        return;
    story->input_told = true;
    struct journal_record record = {
        .seq = story->input_seq, .class = JOURNAL_INPUT, .msg = story->input};
    tell(story, &record);
}

/* States that the line before tells already. */
static void hide_what_was_told(struct story *story, const struct out_order *order)
{
    struct event *now = &story->events[story->count - 1];
    bool same = story->has_last && story->last.label == order->label &&
                strcmp(story->last.venue_id, order->venue_id) == 0 && order->request_refused == 0;
    bool sent = order->label == ORDER_PENDING_NEW || order->label == ORDER_PENDING_CANCEL ||
                order->label == ORDER_PENDING_REPLACE;
    bool told = sent || order->label == ORDER_DENIED || order->label == ORDER_HELD;
    now->hidden = order->request_refused == 0 && (same || told);
    for (size_t i = story->count - 1; i-- > 0 && story->events[i].cause == order->msg.cause;)
        if (story->events[i].kind == OUT_EXECUTION) {
            bool done = order->label == ORDER_FILLED || order->label == ORDER_PARTIAL;
            now->hidden = now->hidden || done;
            if (done && strcmp(story->events[i].word, "fill") == 0)
                story->events[i].word = label_word(order->label);
            return;
        }
}

static void tell_timing(struct story *story, const struct side_timing *timing)
{
    for (size_t i = story->count; i-- > 0;)
        if (story->events[i].seq == timing->msg.cause && timing->stage == STAGE_SENT) {
            text_say(&story->events[i].line, ", ");
            say_span(timing->after_ns, &story->events[i].line);
            text_say(&story->events[i].line, " after the %s",
                     story->events[i].kind == WEIR_NEW ? "intent" : "input");
            return;
        }
}

static bool is_ours(const struct story *story, uint32_t order, const char *cid)
{
    if (story->key.order != 0 && order == story->key.order)
        return true;
    const char *name = story->key.order != 0 ? story->last.cid : story->key.cid;
    return order == 0 && cid && cid[0] && strncmp(cid, name, WEIR_ID_MAX) == 0;
}

static bool belongs(const struct story *story, const struct weir_msg *msg)
{
    const void *bytes = msg;
    switch (msg->kind) {
    case OUT_DECISION:
        return is_ours(story, ((const struct out_decision *)bytes)->order,
                       ((const struct out_decision *)bytes)->cid);
    case OUT_ORDER: return is_ours(story, ((const struct out_order *)bytes)->order, NULL);
    case OUT_EXECUTION: return is_ours(story, ((const struct out_execution *)bytes)->order, NULL);
    case OUT_ALERT:
        return is_ours(story, ((const struct out_alert *)bytes)->order,
                       ((const struct out_alert *)bytes)->text);
    case OUT_HOLD:
        return is_ours(story, ((const struct out_hold *)bytes)->order, NULL) ||
               (((const struct out_hold *)bytes)->event == HOLD_SLICED &&
                is_ours(story, ((const struct out_hold *)bytes)->other, NULL));
    case SIDE_TIMING: return is_ours(story, ((const struct side_timing *)bytes)->order, NULL);
    default:
        return msg->kind >= WEIR_NEW && msg->kind <= WEIR_QUERY_ORDER &&
               is_ours(story, ((const struct weir_intent *)bytes)->order, NULL);
    }
}

void story_add(struct story *story, const struct journal_record *record)
{
    if (!belongs(story, record->msg))
        return;
    if (record->class == JOURNAL_EFFECT)
        tell_input(story);
    tell(story, record);
    if (story->failed)
        return;
    if (record->msg->kind == SIDE_TIMING)
        tell_timing(story, (const struct side_timing *)(const void *)record->msg);
    if (record->msg->kind != OUT_ORDER)
        return;
    const struct out_order *order = (const struct out_order *)(const void *)record->msg;
    hide_what_was_told(story, order);
    memset(&story->last, 0, sizeof story->last);
    memcpy(&story->last, order, order->msg.size < sizeof *order ? order->msg.size : sizeof *order);
    story->has_last = true;
}

/* --- the whole --------------------------------------------------------------------------------- */

static void headline(const struct story *story, struct text *out)
{
    static const char *const types[] = {"limit",       "market",   "stop",   "stop_limit",
                                        "take_profit", "trailing", "iceberg"};
    const struct out_order *order = &story->last;
    if (!story->has_last) {
        render_word(story->key.cid, sizeof story->key.cid, out);
        text_say(out, "   denied, and not kept\n");
        return;
    }
    text_say(out, "%u  %s ", (unsigned)order->order, order->side == WEIR_BUY ? "buy" : "sell");
    say_qty(story, order->msg.instrument, order->qty, false, out);
    text_say(out, " %s", directory_name(story->directory, SCOPE_instrument, order->msg.instrument));
    if (order->px != 0) {
        text_say(out, " @ ");
        say_px(story, order->msg.instrument, order->px, out);
    }
    if (order->type != WEIR_LIMIT)
        text_say(out, " %s", order->type < 7 ? types[order->type] : "?");
    text_say(
        out, "   %s -> %s   %s", directory_name(story->directory, SCOPE_strategy, order->strategy),
        directory_name(story->directory, SCOPE_venue, order->msg.venue), label_word(order->label));
    if (order->reason[0]) {
        text_say(out, ": ");
        render_word(order->reason, sizeof order->reason, out);
    }
    text_say(out, "\n      ");
    say_id("name", order->cid, out);
    text_say(out, order->wire_id[0] ? ", " : "");
    say_id("wire id", order->wire_id, out);
    text_say(out, order->venue_id[0] ? ", " : "");
    say_id("id at the venue", order->venue_id, out);
    text_say(out, "\n");
}

/* As far as the next comma or the end of the line, the comma included. */
static size_t part_of(const char *line)
{
    size_t len = strcspn(line, ",\n");
    while (line[len] == ',' && line[len + 1] != ' ')
        len += 1 + strcspn(line + len + 1, ",\n");
    return len + (line[len] == ',');
}

/* A long line goes on under its beginning; it is broken behind commas, and where it says so. */
static void say_wrapped(const char *line, struct text *out)
{
    size_t column = INDENT;
    while (*line) {
        size_t len = part_of(line);
        bool breaks = *line == '\n';
        if (breaks || (column > INDENT && column + 1 + len > LINE_WIDTH)) {
            text_say(out, "\n%*s", INDENT, "");
            column = INDENT;
        } else if (column > INDENT) {
            text_say(out, " ");
            column++;
        }
        text_add(out, line, len);
        column += len;
        line += len + (breaks || line[len] == ' ');
    }
    text_say(out, "\n");
}

void story_lines(const struct story *story, struct text *out)
{
    char clock[TIME_TEXT_MAX];
    headline(story, out);
    for (size_t i = 0; i < story->count; i++) {
        const struct event *event = &story->events[i];
        if (event->hidden)
            continue;
        render_clock(event->t, clock);
        text_say(out, "%s  %-8s ", clock, event->word);
        say_wrapped(event->line.data ? event->line.data : "", out);
    }
}

static void id_json(const char *key, const char *id, struct text *out)
{
    json_key(out, key);
    json_bytes(out, id, strnlen(id, WEIR_ID_MAX));
}

void story_json(const struct story *story, struct text *out)
{
    const struct out_order *order = &story->last;
    json_object(out);
    id_json("cid", story->has_last ? order->cid : story->key.cid, out);
    id_json("wire_id", order->wire_id, out);
    id_json("venue_id", order->venue_id, out);
    json_key(out, "state");
    json_string(out, story->has_last ? order_label_name((enum order_label)order->label) : "DENIED");
    json_key(out, "order");
    if (story->has_last) {
        json_object(out);
        render_json_members(story->directory, &order->msg, out);
        json_end(out);
    } else
        json_null(out);
    json_key(out, "events");
    json_array(out);
    for (size_t i = 0; i < story->count; i++) {
        const struct event *event = &story->events[i];
        json_object(out);
        json_key(out, "what");
        json_string(out, event->word);
        json_key(out, "text");
        json_string(out, event->line.data ? event->line.data : "");
        json_key(out, "record");
        struct journal_record record = {
            .seq = event->seq, .class = (enum journal_class)event->class, .msg = event->msg};
        render_json(story->directory, &record, out);
        json_end(out);
    }
    json_end(out);
    json_end(out);
}
