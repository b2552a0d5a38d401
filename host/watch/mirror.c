/* mirror.c - one function for each kind of message, in a table. */
#include "watch/mirror.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct mirror *mirror_create(void)
{
    return calloc(1, sizeof(struct mirror));
}

void mirror_destroy(struct mirror *mirror)
{
    if (!mirror)
        return;
    free(mirror->instruments);
    free(mirror->strategies);
    free(mirror->positions);
    free(mirror->orders);
    free(mirror->holds);
    free(mirror);
}

/* Room for index in an array of zeroed items; false: out of memory, told in mirror->failed. */
static bool grow(struct mirror *mirror, void **items, size_t *count, size_t size, size_t index)
{
    if (index < *count)
        return true;
    size_t room = *count ? *count : 16;
    while (room <= index)
        room *= 2;
    void *bigger = realloc(*items, room * size);
    if (!bigger) {
        mirror->failed = true;
        return false;
    }
    memset((char *)bigger + *count * size, 0, (room - *count) * size);
    *items = bigger;
    *count = room;
    return true;
}

static struct seen_instrument *instrument_at(struct mirror *mirror, uint32_t number)
{
    void *items = mirror->instruments;
    bool ok = grow(mirror, &items, &mirror->instrument_count, sizeof *mirror->instruments, number);
    mirror->instruments = items;
    return ok ? &mirror->instruments[number] : NULL;
}

/* Strategy 0 is nobody: its slot serves for what happened on the account without us. */
static uint32_t slot_of(uint32_t strategy)
{
    return strategy == STRATEGY_EXTERNAL ? 0 : strategy;
}

static struct seen_strategy *strategy_at(struct mirror *mirror, uint32_t number)
{
    number = slot_of(number);
    void *items = mirror->strategies;
    bool ok = grow(mirror, &items, &mirror->strategy_count, sizeof *mirror->strategies, number);
    mirror->strategies = items;
    return ok ? &mirror->strategies[number] : NULL;
}

static struct out_order *order_at(struct mirror *mirror, uint32_t number)
{
    void *items = mirror->orders;
    bool ok = grow(mirror, &items, &mirror->order_count, sizeof *mirror->orders, number);
    mirror->orders = items;
    return ok ? &mirror->orders[number] : NULL;
}

static struct seen_position *position_at(struct mirror *mirror, uint32_t strategy,
                                         uint32_t instrument)
{
    for (size_t i = 0; i < mirror->position_count; i++)
        if (mirror->positions[i].strategy == strategy &&
            mirror->positions[i].instrument == instrument)
            return &mirror->positions[i];
    void *items = mirror->positions;
    bool ok = grow(mirror, &items, &mirror->position_room, sizeof *mirror->positions,
                   mirror->position_count);
    mirror->positions = items;
    if (!ok)
        return NULL;
    struct seen_position *position = &mirror->positions[mirror->position_count++];
    position->strategy = strategy;
    position->instrument = instrument;
    return position;
}

/* --- one function a kind ----------------------------------------------------------------------*/

static void on_venue(struct mirror *mirror, const struct weir_msg *msg)
{
    const struct in_define *define = (const struct in_define *)msg;
    if (define->number < 256) {
        memcpy(mirror->venues[define->number].name, define->name, NAME_MAX_LEN);
        mirror->venues[define->number].known = true;
    }
}

static void on_strategy(struct mirror *mirror, const struct weir_msg *msg)
{
    const struct in_define *define = (const struct in_define *)msg;
    struct seen_strategy *strategy =
        define->number <= STRATEGY_MOST ? strategy_at(mirror, define->number) : NULL;
    if (strategy) {
        memcpy(strategy->name, define->name, NAME_MAX_LEN);
        strategy->known = true;
    }
}

static void on_instrument(struct mirror *mirror, const struct weir_msg *msg)
{
    struct seen_instrument *instrument = instrument_at(mirror, msg->instrument);
    if (instrument)
        memcpy(&instrument->def, msg, sizeof instrument->def);
}

static void on_top(struct mirror *mirror, const struct weir_msg *msg)
{
    struct seen_instrument *instrument = instrument_at(mirror, msg->instrument);
    if (instrument) {
        memcpy(&instrument->top, msg, sizeof instrument->top);
        instrument->tops++;
    }
}

static void on_book_state(struct mirror *mirror, const struct weir_msg *msg)
{
    struct seen_instrument *instrument = instrument_at(mirror, msg->instrument);
    if (instrument)
        instrument->state = (enum book_state)((const struct in_state *)msg)->value;
}

static void on_trade(struct mirror *mirror, const struct weir_msg *msg)
{
    struct seen_instrument *instrument = instrument_at(mirror, msg->instrument);
    if (instrument) {
        instrument->last_px = ((const struct weir_trade *)msg)->px;
        instrument->trades++;
    }
}

static void on_sent(struct mirror *mirror, const struct weir_msg *msg)
{
    mirror->sent_new += msg->kind == WEIR_NEW;
    mirror->sent_cancel += msg->kind == WEIR_CANCEL;
    mirror->sent_replace += msg->kind == WEIR_REPLACE;
}

static bool is_live(const struct out_order *order)
{
    return order->order != 0 && !order_label_is_done((enum order_label)order->label);
}

static void on_hold(struct mirror *mirror, const struct weir_msg *msg)
{
    const struct out_hold *now = (const struct out_hold *)msg;
    void *items = mirror->holds;
    bool ok = grow(mirror, &items, &mirror->hold_count, sizeof *mirror->holds, now->order);
    mirror->holds = items;
    if (ok)
        mirror->holds[now->order] = *now;
}

static void on_order(struct mirror *mirror, const struct weir_msg *msg)
{
    const struct out_order *now = (const struct out_order *)msg;
    struct out_order *order = order_at(mirror, now->order);
    if (!order)
        return;
    bool was = is_live(order) && order->created == now->created;
    memset(order, 0, sizeof *order);
    memcpy(order, now, msg->size < sizeof *order ? msg->size : sizeof *order);
    if (is_live(order) && !was)
        mirror->live_orders++;
    if (!is_live(order) && was)
        mirror->live_orders--;
    if (!is_live(order))
        mirror->ended[mirror->ended_total++ % MIRROR_ENDED] = now->order;
}

static void on_execution(struct mirror *mirror, const struct weir_msg *msg)
{
    const struct out_execution *execution = (const struct out_execution *)msg;
    struct seen_instrument *instrument = instrument_at(mirror, msg->instrument);
    struct seen_position *position = position_at(mirror, execution->strategy, msg->instrument);
    struct seen_strategy *strategy = strategy_at(mirror, execution->strategy);
    if (!instrument || !position || !strategy)
        return;
    if (execution->stage != EXEC_ATTRIBUTED) { /* else it was counted when it came */
        mirror->executions[mirror->execution_total++ % MIRROR_RECENT] = *execution;
        instrument->executions++;
    }
    strategy->executions += execution->stage != EXEC_WAITS;
    instrument->position = execution->position;
    instrument->cost = amount_of(execution->cost);
    instrument->realized = amount_of(execution->realized_total);
    position->qty = execution->strategy_position;
    position->realized = amount_of(execution->strategy_realized_total);
}

static void on_decision(struct mirror *mirror, const struct weir_msg *msg)
{
    const struct out_decision *decision = (const struct out_decision *)msg;
    if (decision->allowed) {
        struct seen_strategy *sender = strategy_at(mirror, decision->strategy);
        if (sender && decision->of == DECISION_SUBMIT)
            sender->sent++;
        return;
    }
    struct seen_decision *denial = &mirror->denials[mirror->denial_total++ % MIRROR_RECENT];
    struct seen_strategy *strategy = strategy_at(mirror, decision->strategy);
    memset(denial, 0, sizeof *denial);
    denial->t = msg->t;
    denial->order = decision->order;
    denial->strategy = decision->strategy;
    denial->instrument = msg->instrument;
    denial->reason = decision->reason;
    memcpy(denial->cid, decision->cid, sizeof denial->cid);
    if (!decision_refusal(decision, &denial->reading))
        denial->reading = (struct risk_reading){.check = RISK_CHECK_COUNT};
    if (decision->reason < RISK_CHECK_COUNT)
        mirror->denied_by[decision->reason]++;
    if (strategy)
        strategy->denied++;
}

static void on_alert(struct mirror *mirror, const struct weir_msg *msg)
{
    const struct out_alert *alert = (const struct out_alert *)msg;
    struct seen_alert seen = {.t = msg->t,
                              .instrument = msg->instrument,
                              .venue = msg->venue,
                              .strategy = alert->strategy,
                              .alert = alert->alert};
    if (alert->alert >= ALERT_COUNT)
        return;
    memcpy(seen.text, alert->text, sizeof seen.text);
    mirror->alerts[mirror->alert_total++ % MIRROR_RECENT] = seen;
    mirror->alerts_by[alert->alert]++;
}

static void on_note_alert(struct mirror *mirror, const struct weir_msg *msg)
{
    const struct note_alert *alert = (const struct note_alert *)msg;
    struct seen_alert seen = {.t = msg->t,
                              .instrument = msg->instrument,
                              .venue = msg->venue,
                              .strategy = alert->strategy,
                              .alert = ALERT_COUNT};
    memcpy(seen.level, alert->level, sizeof seen.level);
    memcpy(seen.text, alert->text, sizeof seen.text);
    mirror->alerts[mirror->alert_total++ % MIRROR_RECENT] = seen;
    mirror->alerts_by[ALERT_COUNT]++;
}

static void on_note_position(struct mirror *mirror, const struct weir_msg *msg)
{
    const struct note_position *note = (const struct note_position *)msg;
    struct seen_instrument *instrument = instrument_at(mirror, msg->instrument);
    struct seen_position *position =
        note->strategy ? position_at(mirror, note->strategy, msg->instrument) : NULL;
    if (position) {
        position->qty = note->qty;
        position->realized = amount_of(note->realized);
    } else if (instrument && note->strategy == 0) {
        instrument->position = note->qty;
        instrument->cost = amount_of(note->cost);
        instrument->realized = amount_of(note->realized);
        instrument->held = true;
    }
}

static void on_state(struct mirror *mirror, const struct weir_msg *msg)
{
    const struct out_state *state = (const struct out_state *)msg;
    if (state->of == STATE_KILL_SWITCH) {
        mirror->killed = state->value != 0;
        memcpy(mirror->kill_reason, state->reason, sizeof mirror->kill_reason);
    }
    if (state->of == STATE_RECONCILING && msg->venue < 256)
        mirror->venues[msg->venue].reconciling = state->value != 0;
    if (state->of == STATE_VENUE && msg->venue < 256)
        mirror->venues[msg->venue].up = state->value != 0;
}

static void on_session(struct mirror *mirror, const struct weir_msg *msg)
{
    if (msg->venue < 256)
        mirror->venues[msg->venue].up = msg->flags == WEIR_STREAM_UP;
}

static void on_note_host(struct mirror *mirror, const struct weir_msg *msg)
{
    memcpy(&mirror->host, msg, sizeof mirror->host);
    weir_ns passed = mirror->host.msg.t - mirror->rate_t;
    if (passed < 1000000000)
        return;
    mirror->inputs_rate = (uint64_t)((unsigned __int128)(mirror->host.inputs - mirror->rate_at) *
                                     1000000000u / (uint64_t)passed);
    mirror->rate_at = mirror->host.inputs;
    mirror->rate_t = mirror->host.msg.t;
    for (int i = 0; i < 256; i++) {
        struct seen_venue *venue = &mirror->venues[i];
        venue->frames_rate =
            (uint64_t)((unsigned __int128)(venue->note.frames - venue->frames_before) *
                       1000000000u / (uint64_t)passed);
        venue->frames_before = venue->note.frames;
    }
}

static void on_note_venue(struct mirror *mirror, const struct weir_msg *msg)
{
    if (msg->venue < 256)
        memcpy(&mirror->venues[msg->venue].note, msg, sizeof(struct note_venue));
}

static void on_note_script(struct mirror *mirror, const struct weir_msg *msg)
{
    const struct note_script *note = (const struct note_script *)msg;
    struct seen_strategy *strategy =
        note->strategy <= STRATEGY_MOST ? strategy_at(mirror, note->strategy) : NULL;
    if (strategy)
        strategy->note = *note;
}

static const struct {
    uint16_t kind;
    uint16_t least; /* bytes */
    void (*take)(struct mirror *mirror, const struct weir_msg *msg);
} takers[] = {
    {WEIR_TOP, sizeof(struct weir_top), on_top},
    {WEIR_TRADE, sizeof(struct weir_trade), on_trade},
    {IN_BOOK_STATE, sizeof(struct in_state), on_book_state},
    {OUT_ORDER, offsetof(struct out_order, next_cid), on_order}, /* the rest may be left out */
    {OUT_HOLD, sizeof(struct out_hold), on_hold},
    {OUT_EXECUTION, sizeof(struct out_execution), on_execution},
    {OUT_DECISION, sizeof(struct out_decision), on_decision},
    {WEIR_NEW, sizeof(struct weir_intent), on_sent},
    {WEIR_CANCEL, sizeof(struct weir_intent), on_sent},
    {WEIR_REPLACE, sizeof(struct weir_intent), on_sent},
    {OUT_ALERT, sizeof(struct out_alert), on_alert},
    {OUT_STATE, sizeof(struct out_state), on_state},
    {WEIR_SESSION, sizeof(struct weir_session), on_session},
    {NOTE_VENUE, sizeof(struct note_venue), on_note_venue},
    {NOTE_SCRIPT, sizeof(struct note_script), on_note_script},
    {NOTE_HOST, sizeof(struct note_host), on_note_host},
    {NOTE_POSITION, sizeof(struct note_position), on_note_position},
    {NOTE_ALERT, sizeof(struct note_alert), on_note_alert},
    {WEIR_INSTRUMENT, sizeof(struct weir_instrument), on_instrument},
    {IN_DEFINE_VENUE, sizeof(struct in_define), on_venue},
    {IN_DEFINE_STRATEGY, sizeof(struct in_define), on_strategy},
};

void mirror_take(struct mirror *mirror, const struct weir_msg *msg)
{
    mirror->messages++;
    if (msg->t > mirror->now)
        mirror->now = msg->t;
    if (mirror->started == 0)
        mirror->started = msg->t;
    for (size_t i = 0; i < sizeof takers / sizeof takers[0]; i++)
        if (takers[i].kind == msg->kind && msg->size >= takers[i].least) {
            takers[i].take(mirror, msg);
            return;
        }
}

/* --- arithmetic on the picture ----------------------------------------------------------------*/

amount mirror_average(const struct seen_instrument *instrument)
{
    amount average = 0;
    int64_t qty = instrument->position < 0 ? -instrument->position : instrument->position;
    if (qty == 0 || !amount_per_round(instrument->cost, qty, instrument->def.qty_exp, &average))
        return 0;
    return average;
}

/* (mid * qty - cost) for a long position, the reverse for a short one; times the multiplier. */
amount mirror_unrealized(const struct seen_instrument *instrument, bool *known_out)
{
    const struct weir_instrument *def = &instrument->def;
    int64_t qty = instrument->position < 0 ? -instrument->position : instrument->position;
    amount bid = 0, ask = 0, value = 0;
    *known_out = instrument->top.bid > 0 && instrument->top.ask > 0 && def->kind != WEIR_INVERSE &&
                 amount_product(instrument->top.bid, def->price_exp, qty, def->qty_exp, &bid) &&
                 amount_product(instrument->top.ask, def->price_exp, qty, def->qty_exp, &ask);
    if (!*known_out)
        return 0;
    value = bid / 2 + ask / 2 - instrument->cost;
    if (instrument->position < 0)
        value = -value;
    if (def->kind == WEIR_LINEAR && def->multiplier)
        *known_out = amount_times_round(value, def->multiplier, def->multiplier_exp, &value);
    return value;
}

const char *mirror_strategy(const struct mirror *mirror, uint32_t strategy)
{
    if (strategy == STRATEGY_EXTERNAL)
        return "EXTERNAL";
    return strategy < mirror->strategy_count && mirror->strategies[strategy].known
               ? mirror->strategies[strategy].name
               : "-";
}

const char *mirror_alert_name(const struct seen_alert *alert)
{
    return alert->alert < ALERT_COUNT ? alert_name((enum alert)alert->alert) : "SCRIPT";
}

const char *mirror_alert_text(const struct seen_alert *alert)
{
    return alert->alert < ALERT_COUNT ? alert_text((enum alert)alert->alert) : alert->level;
}
