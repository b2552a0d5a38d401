/* tell.c - what happens, told to the handlers of a script: who hears of what, and when timers are due. */
#include <string.h>

#include "base/check.h"
#include "script/ask.h"
#include "script/warden.h"

static const char *const handler_names[] = {
#define X(name) "a `" #name "` handler",
    SCRIPT_EVENTS(X)
#undef X
};

/* --- handlers ---------------------------------------------------------------------------------- */

void script_tell(struct script *script, const char *line)
{
    if (script->world.log)
        script->world.log(script->world.context, script, line);
}

void script_end(struct script *script, enum script_outcome outcome)
{
    cell_destroy(script->cell);
    script->cell = NULL;
    script->report.outcome = outcome;
}

bool script_call(struct script *script, struct cell *cell, enum happening what, event_push *push,
                 const void *arg)
{
    uint32_t count = cell->on[what].count;
    for (uint32_t i = 0; i < count; i++) {
        struct call call = {.ref = cell->on[what].refs[i],
                            .push_in = push,
                            .arg = arg,
                            .name = handler_names[what],
                            .starting = what == ON_start};
        if (!cell_call(cell, &call)) {
            if (cell == script->cell)
                script_end(script, SCRIPT_QUARANTINED);
            return false;
        }
    }
    return true;
}

/* --- scripts in a process of their own --------------------------------------------------------- */

void script_bury(struct script *script)
{
    struct warden *warden = script->warden;
    if (!warden || !warden->over)
        return;
    warden_report(warden, &script->report);
    script->report.outcome = warden->outcome;
    script->warden = NULL;
    warden_destroy(warden);
}

static void tell_process(struct script *script, enum event_kind kind, const struct weir_msg *msg)
{
    warden_tell(script->warden, kind, msg);
    script_bury(script);
}

struct cell *script_wishes(const struct script *script)
{
    return script->warden ? &script->warden->shell : script->cell;
}

bool script_pending(const struct script *script)
{
    return script->warden && (warden_open(script->warden) || script->warden->over);
}

bool script_turn(struct script *script)
{
    must(!script->busy);
    bool any = script->warden && warden_turn(script->warden);
    script_bury(script);
    return any;
}

/* Is anybody there to be told? Its process need not be woken for nothing. */
static bool hears(const struct script *script, enum happening what)
{
    return script_wishes(script)->on[what].count > 0;
}

static bool process_hears(const struct script *script, const struct weir_msg *msg)
{
    switch (msg->kind) {
    case OUT_ORDER:
        return ((const struct out_order *)msg)->strategy == script->strategy &&
               hears(script, ON_order);
    case OUT_EXECUTION: {
        const struct out_execution *fill = (const struct out_execution *)msg;
        return fill->strategy == script->strategy && fill->stage != EXEC_WAITS &&
               (hears(script, ON_fill) || hears(script, ON_position));
    }
    case OUT_ALERT: {
        const struct out_alert *alert = (const struct out_alert *)msg;
        return (alert->strategy == 0 || alert->strategy == script->strategy) &&
               hears(script, ON_alert);
    }
    case OUT_STATE: {
        const struct out_state *state = (const struct out_state *)msg;
        bool complains = state->of == STATE_RECONCILING && state->value == 0 &&
                         script_wishes(script)->wish_count > 0;
        return complains || ((state->of == STATE_VENUE || state->of == STATE_RECONCILING) &&
                             hears(script, ON_venue));
    }
    default:
        return watch_ready(script_wishes(script), msg->instrument) &&
               script_wants(script, (enum weir_kind)msg->kind, msg->instrument);
    }
}

/* --- life -------------------------------------------------------------------------------------- */

void script_start(struct script *script)
{
    char fault[REASON_ROOM];
    must(!script->busy);
    if (script->warden && !script->started) {
        script->started = true;
        script->warden->mode = MODE_RUNNING;
        tell_process(script, TELL_START, NULL);
    }
    if (!script->cell || script->started)
        return;
    script->started = true;
    script->cell->mode = MODE_RUNNING;
    if (watch_complaint(script->cell, fault, sizeof fault)) {
        cell_explain(script, script->cell, fault);
        script_end(script, SCRIPT_QUARANTINED);
        return;
    }
    script_call(script, script->cell, ON_start, push_time_event, NULL);
    if (script->cell)
        watch_remarks(script->cell);
}

static void stop_process(struct script *script)
{
    const char *text;
    size_t len;
    script->started = false;
    script->warden->mode = MODE_STOPPING;
    (void)warden_do(script->warden, TELL_STOP, &text, &len);
    script_bury(script);
}

void script_stop(struct script *script)
{
    must(!script->busy);
    if (script->warden && script->started)
        stop_process(script);
    if (!script->cell || !script->started)
        return;
    script->cell->mode = MODE_STOPPING;
    script_call(script, script->cell, ON_stop, push_time_event, NULL);
    script->started = false;
}

static bool is_mark(uint16_t kind)
{
    return kind == WEIR_MARK || kind == WEIR_INDEX || kind == WEIR_FUNDING_RATE;
}

static bool is_of_market(uint16_t kind)
{
    return kind == WEIR_TOP || kind == IN_BOOK_STATE || kind == WEIR_TRADE || is_mark(kind);
}

static bool runs(const struct script *script)
{
    return script_wishes(script) && script->started;
}

bool script_wants(const struct script *script, enum weir_kind kind, uint32_t instrument)
{
    if (!runs(script) || !is_of_market((uint16_t)kind))
        return false;
    const struct cell *cell = script_wishes(script);
    uint8_t what = watch_wants(cell, instrument);
    if (kind == WEIR_TRADE)
        return (what & WANT_BAR && cell->on[ON_bar].count > 0) ||
               (what & WANT_TRADE && cell->on[ON_trade].count > 0);
    if (is_mark((uint16_t)kind))
        return what & WANT_MARK && cell->on[ON_mark].count > 0;
    return what & WANT_BOOK && (cell->on[ON_book].count > 0 || cell->on[ON_quote].count > 0);
}

static void tell_bars(struct script *script, weir_ns now)
{
    struct bar bar;
    while (script->cell && bars_due(script->cell, now, &bar))
        if (!script_call(script, script->cell, ON_bar, push_bar_event, &bar))
            return;
}

static void tell_market(struct script *script, const struct weir_msg *msg)
{
    struct cell *cell = script->cell;
    if (!watch_ready(cell, msg->instrument) ||
        !script_wants(script, (enum weir_kind)msg->kind, msg->instrument))
        return;
    uint8_t what = watch_wants(cell, msg->instrument);
    if (is_mark(msg->kind)) {
        script_call(script, cell, ON_mark, push_mark_event, msg);
        return;
    }
    if (msg->kind != WEIR_TRADE) {
        if (script_call(script, cell, ON_book, push_book_event, msg))
            script_call(script, cell, ON_quote, push_quote_event, msg);
        return;
    }
    if (what & WANT_BAR) {
        tell_bars(script, msg->t);
        if (script->cell) {
            bars_trade(script->cell, (const struct weir_trade *)msg);
            tell_bars(script, msg->t);
        }
    }
    if (script->cell && what & WANT_TRADE)
        script_call(script, script->cell, ON_trade, push_trade_event, msg);
}

/* Names that could not be judged when the script began, now that a venue has told its instruments: a
 * running script is told, not stopped. */
static void complain_late(struct script *script)
{
    char fault[REASON_ROOM];
    while (watch_complaint(script->cell, fault, sizeof fault)) {
        const struct script_alert alert = {
            .level = "warn", .text = fault, .venue = "", .symbol = ""};
        script_tell(script, fault);
        if (script->world.alert)
            script->world.alert(script->world.context, script, &alert);
    }
}

bool script_listens(const struct script *script, const char *topic, const char *from)
{
    const struct cell *cell = script_wishes(script);
    return runs(script) && cell->on[ON_message].count > 0 && watch_topic(cell, topic, from);
}

void script_message(struct script *script, const struct script_message *message)
{
    must(!script->busy);
    if (!script_listens(script, message->topic, message->from))
        return;
    if (script->warden) {
        warden_publish(script->warden, message);
        script_bury(script);
    } else {
        script_call(script, script->cell, ON_message, push_message_event, message);
    }
}

static void tell_execution(struct script *script, const struct out_execution *fill)
{
    if (fill->strategy != script->strategy || fill->stage == EXEC_WAITS)
        return;
    if (script_call(script, script->cell, ON_fill, push_fill_event, fill))
        script_call(script, script->cell, ON_position, push_position_event, fill);
}

/* Slices of its icebergs have no name but that on the wire, and are the host's business. */
static bool is_its_order(const struct script *script, const struct out_order *order)
{
    struct order_view view;
    if (order->strategy != script->strategy)
        return false;
    return memcmp(order->cid, order->wire_id, sizeof order->cid) != 0 ||
           !ask_order(script, order->order, &view) || view.slice_of == 0;
}

void script_event(struct script *script, const struct weir_msg *msg)
{
    must(!script->busy);
    if (!runs(script))
        return;
    if (script->warden) {
        if (process_hears(script, msg))
            tell_process(script, TELL_MESSAGE, msg);
        return;
    }
    switch (msg->kind) {
    case WEIR_TOP:
    case IN_BOOK_STATE:
    case WEIR_MARK:
    case WEIR_INDEX:
    case WEIR_FUNDING_RATE:
    case WEIR_TRADE: tell_market(script, msg); break;
    case OUT_ORDER:
        if (is_its_order(script, (const struct out_order *)msg))
            script_call(script, script->cell, ON_order, push_order_event, msg);
        break;
    case OUT_EXECUTION: tell_execution(script, (const struct out_execution *)msg); break;
    case OUT_ALERT: {
        const struct out_alert *alert = (const struct out_alert *)msg;
        if (alert->strategy == 0 || alert->strategy == script->strategy)
            script_call(script, script->cell, ON_alert, push_alert_event, msg);
        break;
    }
    case OUT_STATE: {
        const struct out_state *state = (const struct out_state *)msg;
        if (state->of == STATE_RECONCILING && state->value == 0)
            complain_late(script);
        if (state->of == STATE_VENUE || state->of == STATE_RECONCILING)
            script_call(script, script->cell, ON_venue, push_venue_event, msg);
        break;
    }
    default: break;
    }
}

/* --- timers ----------------------------------------------------------------------------------- */

weir_ns script_next_timer(const struct script *script)
{
    if (!runs(script))
        return INT64_MAX;
    if (script->warden)
        return warden_next_timer(script->warden);
    const struct cell *cell = script->cell;
    weir_ns next = bars_next(cell);
    if (cell->on[ON_timer].count > 0 && cell->second < next)
        next = cell->second;
    for (uint32_t i = 0; i < cell->timer_count; i++)
        if (cell->timers[i].due < next)
            next = cell->timers[i].due;
    return next;
}

static struct timer *timer_by_id(struct cell *cell, uint32_t id)
{
    for (uint32_t i = 0; i < cell->timer_count; i++)
        if (cell->timers[i].id == id)
            return &cell->timers[i];
    return NULL;
}

/* The earliest due; of those due together, the one that was made first. */
static struct timer *first_due(struct cell *cell, weir_ns now, uint32_t last_id)
{
    struct timer *first = NULL;
    for (uint32_t i = 0; i < cell->timer_count; i++) {
        struct timer *timer = &cell->timers[i];
        if (timer->due <= now && timer->id <= last_id &&
            (!first || timer->due < first->due ||
             (timer->due == first->due && timer->id < first->id)))
            first = timer;
    }
    return first;
}

static void remove_timer(struct cell *cell, struct timer *timer)
{
    *timer = cell->timers[--cell->timer_count];
    cell->handler_count--;
}

/* The first multiple of the period after now: what was missed is not made up for. */
static weir_ns next_due(weir_ns due, weir_ns period, weir_ns now)
{
    return due + ((now - due) / period + 1) * period;
}

static void fire(struct script *script, struct timer *timer, weir_ns now)
{
    struct cell *cell = script->cell;
    struct timer fired = *timer;
    struct call call = {.ref = fired.ref,
                        .kind = fired.period ? CALL_REPEATS : CALL_ONCE,
                        .push_in = push_timer_event,
                        .arg = &fired,
                        .name = fired.period ? "a timer of weir.every" : "a timer of weir.after"};
    if (fired.period)
        timer->due = next_due(fired.due, fired.period, now);
    else
        remove_timer(cell, timer);
    if (!cell_call(cell, &call)) {
        script_end(script, SCRIPT_QUARANTINED);
        return;
    }
    if (fired.period && call.returned_false)
        remove_timer(cell, timer_by_id(cell, fired.id));
}

void script_timer(struct script *script)
{
    must(!script->busy);
    if (!runs(script))
        return;
    if (script->warden) {
        tell_process(script, TELL_TIMER, NULL);
        return;
    }
    weir_ns now = script->world.now(script->world.context);
    tell_bars(script, now);
    uint32_t last_id = script->cell ? script->cell->timer_id : 0;
    for (struct timer *due; script->cell && (due = first_due(script->cell, now, last_id));)
        fire(script, due, now);
    struct cell *cell = script->cell;
    if (cell && cell->on[ON_timer].count > 0 && cell->second <= now) {
        struct timer second = {.due = cell->second};
        cell->second = next_due(cell->second, 1000000000, now);
        script_call(script, cell, ON_timer, push_timer_event, &second);
    }
}
