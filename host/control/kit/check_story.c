/* check_story.c - what is told, and of what. An event comes out of bytes: its numbers and names stand in
 * them, and nothing that arrived once is told twice. Where nobody answered, nothing is told. */
#include <stdio.h>
#include <string.h>

#include "control/kit/honest.h"
#include "control/kit/own.h"

#define SECOND ((weir_ns)1000000000)

/* --- silence ------------------------------------------------------------------------------------- */

static const char *answer_name(uint16_t kind)
{
    return kind == WEIR_ACK        ? "an ack"
           : kind == WEIR_FILL     ? "a fill"
           : kind == WEIR_CANCELED ? "a cancel"
           : kind == WEIR_EXPIRED  ? "an expiry"
           : kind == WEIR_REPLACED ? "a replace"
           : kind == WEIR_REJECT   ? "a certain refusal"
                                   : "an event of an order";
}

static bool nothing_told(struct trying *it, const char *when)
{
    const struct kit_stage *stage = &it->stage;
    if (stage->of_orders == 0)
        return true;
    uint16_t kind = 0;
    for (unsigned i = 0; i < stage->event_count; i++) {
        uint16_t is = stage->events[i].msg.kind;
        kind = is >= WEIR_ACK && is <= WEIR_BUST ? is : kind;
    }
    return kit_fail(it, "%s: %s was told, and the venue had said nothing", when, answer_name(kind));
}

/* A fresh session with one order that is on its way. */
static bool with_order(struct trying *it)
{
    if (!kit_open(it, &it->stage))
        return false;
    it->stage.asked_count = 0;
    struct weir_intent order = kit_order(it, &it->stage);
    if (kit_try(it, &it->stage, &order, "an order") != SENT)
        return kit_fail(it, "a plain order is refused: %s", it->stage.said);
    return true;
}

/* One answer that proves nothing, to an order of its own. */
static bool proves_nothing(struct trying *it, int status, const char *body, const char *when)
{
    if (!with_order(it))
        return false;
    kit_stage_answer(&it->stage, status, (struct weir_bytes){body, strlen(body)});
    if (!nothing_told(it, when) || !kit_clean(it, &it->stage))
        return false;
    kit_stage_close(&it->stage);
    return true;
}

bool kit_check_silence(struct trying *it)
{
    static const char html[] = "<html><body>502 Bad Gateway</body></html>";
    if (!with_order(it) || !nothing_told(it, "after sending"))
        return false;
    kit_stage_wait(&it->stage, 30 * SECOND);
    if (!nothing_told(it, "after 30 s"))
        return false;
    kit_stage_lose(&it->stage);
    if (!nothing_told(it, "after the connection was lost"))
        return false;
    kit_stage_close(&it->stage);
    if (!proves_nothing(it, 0, "", "after a request without an answer") ||
        !proves_nothing(it, 502, html, "after 502") ||
        !proves_nothing(it, 200, html, "after a page of HTML with 200") ||
        !proves_nothing(it, 200, "", "after an empty answer"))
        return false;
    return kit_pass(it, "nothing is told of an order that nobody answered");
}

/* --- events and their bytes ------------------------------------------------------------------------ */

/* Executions that were told, to know them again. */
enum { EXECUTIONS_MAX = 256 };
static struct execution {
    char exec_id[WEIR_ID_MAX];
    weir_px px;
    weir_qty qty;
    unsigned input;
} executions[EXECUTIONS_MAX];
static unsigned execution_count;

struct input {
    struct weir_bytes bytes;
    const char *file;
    unsigned line, number; /* number: of the input */
    bool again;            /* it was played before */
};

static bool fail_at(struct trying *it, const struct input *in, const char *what)
{
    return kit_fail(it, "%s, line %u: %s", in->file, in->line, what);
}

static const struct weir_instrument *market_of(const struct kit_stage *stage, uint32_t instrument)
{
    bool known =
        instrument > 0 && instrument <= stage->instruments && instrument <= KIT_MARKETS_MAX;
    return known ? &stage->market[instrument - 1] : NULL;
}

static bool same_execution(struct trying *it, const struct input *in, const struct weir_fill *fill)
{
    for (unsigned i = 0; i < execution_count; i++) {
        struct execution *known = &executions[i];
        if (strcmp(known->exec_id, fill->exec_id) != 0)
            continue;
        if (known->input == in->number)
            return fail_at(it, in, "one execution was told twice");
        if (known->px != fill->px || known->qty != fill->qty)
            return fail_at(it, in, "an execution that was told before is told with other numbers");
        known->input = in->number;
        return true;
    }
    if (in->again)
        return fail_at(it, in,
                       "the same message again: its execution is told by another id, and "
                       "would be booked twice");
    if (execution_count < EXECUTIONS_MAX) {
        executions[execution_count] =
            (struct execution){.px = fill->px, .qty = fill->qty, .input = in->number};
        memcpy(executions[execution_count++].exec_id, fill->exec_id, WEIR_ID_MAX);
    }
    return true;
}

static bool fill_is_honest(struct trying *it, const struct input *in, const struct weir_fill *fill)
{
    const struct weir_instrument *of = market_of(&it->stage, fill->msg.instrument);
    if (!of)
        return fail_at(it, in, "a fill of an instrument that was never defined");
    if (!honest_number(in->bytes, fill->px, of->price_exp))
        return fail_at(it, in, "a fill was told at a price that is not in the message");
    if (!honest_number(in->bytes, fill->qty, of->qty_exp))
        return fail_at(it, in, "a fill was told of a quantity that is not in the message");
    if (!honest_text(in->bytes, fill->exec_id))
        return fail_at(it, in, "a fill was told with an execution id that is not in the message");
    return same_execution(it, in, fill);
}

static bool trade_is_honest(struct trying *it, const struct input *in,
                            const struct weir_trade *trade)
{
    const struct weir_instrument *of = market_of(&it->stage, trade->msg.instrument);
    if (!of)
        return fail_at(it, in, "a trade of an instrument that was never defined");
    if (!honest_number(in->bytes, trade->px, of->price_exp) ||
        !honest_number(in->bytes, trade->qty, of->qty_exp))
        return fail_at(it, in, "a trade was told with a price or size that is not in the message");
    return true;
}

static bool report_is_honest(struct trying *it, const struct input *in,
                             const struct weir_report *report)
{
    struct weir_intent ours = kit_order(it, &it->stage);
    bool known = report->client_id[0] == '\0' || honest_text(in->bytes, report->client_id) ||
                 strcmp(report->client_id, ours.client_id) == 0;
    if (!known)
        return fail_at(it, in, "an order is named that is not in the message, and not ours");
    return true;
}

/* What was told of the last input is in its bytes. */
static bool input_is_honest(struct trying *it, const struct input *in)
{
    for (unsigned i = 0; i < it->stage.event_count; i++) {
        const union venue_event *event = &it->stage.events[i];
        uint16_t kind = event->msg.kind;
        bool well = true;
        if (kind != WEIR_INSTRUMENT && kind < WEIR_RECON_BEGIN &&
            honest_other_symbol(&it->stage, in->bytes, event->msg.instrument))
            return fail_at(it, in,
                           "what is told is of an instrument that the message does not "
                           "name, and it names another");
        if (kind == WEIR_FILL)
            well = fill_is_honest(it, in, &event->fill);
        else if (kind == WEIR_TRADE)
            well = trade_is_honest(it, in, &event->trade);
        else if (kind >= WEIR_ACK && kind <= WEIR_REPLACE_REJECT)
            well = report_is_honest(it, in, &event->report);
        if (!well)
            return false;
    }
    return true;
}

static bool tells(const struct kit_stage *stage, uint16_t kind)
{
    for (unsigned i = 0; i < stage->event_count; i++)
        if (stage->events[i].msg.kind == kind)
            return true;
    return kind == 0;
}

/* One recorded line, and whether what is told of it is right. */
static bool play_line(struct trying *it, const struct kit_line *line, unsigned number, bool again,
                      bool must_tell)
{
    struct weir_bytes filled = kit_stage_fill(&it->stage, line);
    struct text own;
    text_init(&own);
    text_add(&own, filled.data, filled.len);
    struct input in = {{text_cstr(&own), own.len}, line->file, line->number, number, again};
    enum weir_err err = kit_stage_line(&it->stage, line);
    bool well = input_is_honest(it, &in) && kit_clean(it, &it->stage);
    if (well && err != WEIR_OK && must_tell)
        well = kit_fail(it, "%s, line %u: answered %s: %s", line->file, line->number, err_name(err),
                        it->stage.said);
    if (well && must_tell && !tells(&it->stage, line->tells))
        well = fail_at(it, &in, "the event that the file's name promises was not told");
    text_fini(&own);
    kit_stage_restore(&it->stage, &it->lines);
    return well;
}

static bool play_opening(struct trying *it)
{
    struct why why;
    if (kit_stage_start(&it->stage, it->plugin, it->kit, &why) != WEIR_OK)
        return kit_fail(it, "the session does not begin: %s", why.text);
    kit_stage_restore(&it->stage, &it->lines);
    for (unsigned i = 0; i < it->lines.count - it->lines.of_orders; i++)
        if (!it->lines.line[i].http && !play_line(it, &it->lines.line[i], i, false, true))
            return false;
    return true;
}

bool kit_check_data(struct trying *it)
{
    if (it->lines.frames == 0)
        return kit_skip(it, "no recorded frames were given (--recordings)");
    if (!play_opening(it))
        return false;
    uint64_t events = session_guards(it->stage.session).events;
    kit_stage_close(&it->stage);
    if (events == 0)
        return kit_fail(it, "%u frames, and no event was told", it->lines.frames);
    return kit_pass(it, "%llu events, each out of its message", (unsigned long long)events);
}

/* The messages of orders/, in a session that sent the order, or in one that did not. */
static bool play_orders(struct trying *it, bool ordered, bool again)
{
    unsigned first = it->lines.count - it->lines.of_orders;
    for (unsigned i = first; i < it->lines.count; i++)
        if ((ordered && !again) || !it->lines.line[i].http)
            if (!play_line(it, &it->lines.line[i], i + (again ? it->lines.count : 0), again,
                           ordered && !again))
                return false;
    return true;
}

bool kit_check_answers(struct trying *it)
{
    execution_count = 0;
    if (!with_order(it) || !play_orders(it, true, false))
        return false;
    unsigned fills = execution_count;
    if (!play_orders(it, true, true)) /* venues repeat themselves */
        return false;
    kit_stage_close(&it->stage);
    return kit_pass(it, "%u messages, %u executions, each told once, as it was said; and again",
                    it->lines.of_orders, fills);
}

bool kit_check_strangers(struct trying *it)
{
    execution_count = 0;
    if (!kit_open(it, &it->stage) || !play_orders(it, false, false))
        return false;
    kit_stage_close(&it->stage);
    return kit_pass(it, "%u messages about orders that this session never sent",
                    it->lines.of_orders);
}

/* --- connections ------------------------------------------------------------------------------------ */

bool kit_check_reconnect(struct trying *it)
{
    struct kit_stage *stage = &it->stage;
    if (!kit_open(it, stage))
        return false;
    uint64_t ups = stage->stream_ups, downs = stage->stream_downs;
    struct weir_intent order = {.side = 0};
    if (it->caps->orders)
        order = kit_order(it, stage);
    kit_stage_lose(stage);
    if (ups > downs && stage->stream_downs == downs)
        return kit_fail(it,
                        "all connections are lost, and the private stream is still said to be up "
                        "(WEIR_SESSION, WEIR_STREAM_DOWN)");
    if (it->caps->orders && kit_try(it, stage, &order, "an order without connections") == BROKEN)
        return false;
    kit_stage_wait(stage, 2 * SECOND);
    kit_stage_restore(stage, &it->lines);
    for (unsigned i = 0; i < it->lines.count - it->lines.of_orders; i++) {
        const struct kit_line *line = &it->lines.line[i];
        if (line->http)
            continue;
        enum weir_err err = kit_stage_line(stage, line);
        if (err != WEIR_OK)
            return kit_fail(it, "%s, line %u: after a new connection it is answered %s: %s",
                            line->file, line->number, err_name(err), stage->said);
        kit_stage_restore(stage, &it->lines);
    }
    if (ups > 0 && stage->stream_ups == ups)
        return kit_fail(it,
                        "the connections are back, and the private stream is never said to be up");
    if (it->caps->orders && kit_try(it, stage, &order, "an order after it") != SENT)
        return kit_fail(it, "after a new connection orders are refused: %s", stage->said);
    if (!kit_clean(it, stage))
        return false;
    kit_stage_close(stage);
    return kit_pass(it, "the loss is told, and the session goes on");
}

/* --- a venue by itself ------------------------------------------------------------------------------ */

/* Its order gets an answer, and its executions are no more than it. */
bool kit_check_inside(struct trying *it)
{
    struct kit_stage *stage = &it->stage;
    weir_qty filled = 0;
    unsigned told = 0;
    execution_count = 0;
    if (!kit_open(it, stage))
        return false;
    struct weir_intent order = kit_order(it, stage);
    if (it->caps->order_types >> WEIR_MARKET & 1) {
        order.type = WEIR_MARKET;
        order.px = 0;
    }
    kit_stage_wait(stage, SECOND);
    if (kit_stage_intent(stage, &order) != WEIR_OK)
        return kit_fail(it, "a plain order is refused: %s", stage->said);
    for (int i = 0; i < 200; i++) {
        kit_stage_wait(stage, SECOND / 20);
        for (unsigned k = 0; k < stage->event_count; k++) {
            const union venue_event *event = &stage->events[k];
            struct input in = {.file = "the order", .number = (unsigned)i};
            told += event->msg.kind >= WEIR_ACK && event->msg.kind <= WEIR_NO_ANSWER;
            if (event->msg.kind != WEIR_FILL)
                continue;
            if (!same_execution(it, &in, &event->fill))
                return false;
            filled += event->fill.qty;
        }
    }
    if (told == 0)
        return kit_fail(it, "an order has no answer after 10 s");
    if (filled > order.qty)
        return kit_fail(it, "more was executed than was asked for");
    if (!kit_clean(it, stage))
        return false;
    kit_stage_close(stage);
    return kit_pass(it, "%u reports of an order in 10 s, %u executions", told, execution_count);
}
