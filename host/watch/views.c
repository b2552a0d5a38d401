/* views.c - the picture as JSON documents, for `weir ctl --json` and the API's reads. */
#include <string.h>

#include "watch/mirror.h"

static void field(struct text *out, const char *key, const char *value)
{
    json_key(out, key);
    json_string(out, value);
}

static void field_uint(struct text *out, const char *key, uint64_t value)
{
    json_key(out, key);
    json_uint(out, value);
}

static void field_time(struct text *out, const char *key, weir_ns t)
{
    json_key(out, key);
    json_int(out, t);
}

static void field_decimal(struct text *out, const char *key, int64_t value, int exp)
{
    json_key(out, key);
    json_decimal(out, value, exp);
}

static void field_amount(struct text *out, const char *key, amount value)
{
    json_key(out, key);
    json_amount(out, value);
}

static const struct weir_instrument *def_of(const struct mirror *mirror, uint32_t instrument)
{
    static const struct weir_instrument none;
    return instrument < mirror->instrument_count ? &mirror->instruments[instrument].def : &none;
}

static const char *venue_name(const struct mirror *mirror, uint16_t venue)
{
    return venue < 256 ? mirror->venues[venue].name : "";
}

static void where(const struct mirror *mirror, uint16_t venue, uint32_t instrument,
                  struct text *out)
{
    field(out, "venue", venue_name(mirror, venue));
    field(out, "instrument", def_of(mirror, instrument)->symbol);
}

/* --- orders -----------------------------------------------------------------------------------*/

static const char *const type_names[] = {"limit",       "market",   "stop",   "stop_limit",
                                         "take_profit", "trailing", "iceberg"};
static const char *const tif_names[] = {"GTC", "IOC", "FOK", "GTD", "DAY"};

/* What it waits for; "": nothing, or it is not held. */
static void waits_of(const struct mirror *mirror, const struct out_order *o, struct text *out)
{
    const struct out_hold *hold = o->order < mirror->hold_count ? &mirror->holds[o->order] : NULL;
    const struct weir_instrument *def = def_of(mirror, o->msg.instrument);
    const char *between = "";
    char number[DECIMAL_TEXT_MAX];
    for (int wait = 0; o->label == ORDER_HELD && hold && wait < HOLD_WAIT_COUNT; wait++) {
        if (!(hold->waits >> wait & 1))
            continue;
        text_say(out, "%s%s", between, hold_wait_name((enum hold_wait)wait));
        between = " ";
        if (wait == WAIT_TRIGGER_BIT) {
            (void)decimal_print(hold->trigger, def->price_exp, number);
            text_say(out, "%s%s", hold->asked_type == WEIR_TRAILING ? "-" : "=", number);
        } else if (wait == WAIT_LANE_BIT) {
            text_say(out, "=%s", risk_check_name((enum risk_check)hold->obstacle));
        }
    }
}

static void order(const struct mirror *mirror, const struct out_order *o, struct text *out)
{
    struct text waits;
    const struct weir_instrument *def = def_of(mirror, o->msg.instrument);
    bool done = order_label_is_done((enum order_label)o->label);
    json_object(out);
    field_uint(out, "order", o->order);
    field(out, "cid", o->cid);
    field(out, "client_id", o->wire_id);
    field(out, "venue_id", o->venue_id);
    field(out, "strategy", mirror_strategy(mirror, o->strategy));
    where(mirror, o->msg.venue, o->msg.instrument, out);
    field(out, "side", o->side == WEIR_BUY ? "buy" : "sell");
    field(out, "type", o->type < 7 ? type_names[o->type] : "?");
    field(out, "tif", o->tif < 5 ? tif_names[o->tif] : "?");
    field_decimal(out, "qty", o->qty, def->qty_exp);
    field_decimal(out, "price", o->px, def->price_exp);
    field(out, "state", order_label_name((enum order_label)o->label));
    field(out, "reason", o->reason);
    text_init(&waits);
    waits_of(mirror, o, &waits);
    field(out, "waits", text_cstr(&waits));
    text_fini(&waits);
    field_decimal(out, "cum_qty", o->cum_qty, def->qty_exp);
    field_decimal(out, "leaves_qty", done ? 0 : o->qty - o->cum_qty, def->qty_exp);
    field_amount(out, "cum_quote", amount_of(o->cum_quote));
    field(out, "tag", o->tag);
    field_time(out, "created_ns", o->created);
    field_time(out, "changed_ns", o->msg.t);
    json_end(out);
}

void mirror_json_orders(const struct mirror *mirror, bool live_only, struct text *out)
{
    json_object(out);
    json_key(out, "orders");
    json_array(out);
    for (size_t i = 1; i < mirror->order_count; i++)
        if (mirror->orders[i].order &&
            !order_label_is_done((enum order_label)mirror->orders[i].label))
            order(mirror, &mirror->orders[i], out);
    uint64_t kept = mirror->ended_total < MIRROR_ENDED ? mirror->ended_total : MIRROR_ENDED;
    for (uint64_t i = 0; i < kept && !live_only; i++) {
        uint32_t number = mirror->ended[(mirror->ended_total - 1 - i) % MIRROR_ENDED];
        if (number < mirror->order_count &&
            order_label_is_done((enum order_label)mirror->orders[number].label))
            order(mirror, &mirror->orders[number], out);
    }
    json_end(out);
    json_end(out);
}

/* --- positions --------------------------------------------------------------------------------*/

static void position(const struct mirror *mirror, uint32_t number, struct text *out)
{
    const struct seen_instrument *seen = &mirror->instruments[number];
    bool known = false;
    amount unrealized = mirror_unrealized(seen, &known);
    json_object(out);
    where(mirror, seen->def.msg.venue, number, out);
    field(out, "quote", seen->def.quote);
    field_decimal(out, "qty", seen->position, seen->def.qty_exp);
    field_amount(out, "avg_price", mirror_average(seen));
    field_amount(out, "realized_pnl", seen->realized);
    json_key(out, "unrealized_pnl");
    if (known)
        json_amount(out, unrealized);
    else
        json_null(out);
    field_uint(out, "executions", seen->executions);
    json_key(out, "strategies");
    json_array(out);
    for (size_t i = 0; i < mirror->position_count; i++) {
        const struct seen_position *p = &mirror->positions[i];
        if (p->instrument != number)
            continue;
        json_object(out);
        field(out, "strategy", mirror_strategy(mirror, p->strategy));
        field_decimal(out, "qty", p->qty, seen->def.qty_exp);
        field_amount(out, "realized_pnl", p->realized);
        json_end(out);
    }
    json_end(out);
    json_end(out);
}

void mirror_json_positions(const struct mirror *mirror, struct text *out)
{
    json_object(out);
    json_key(out, "positions");
    json_array(out);
    for (uint32_t i = 1; i < mirror->instrument_count; i++)
        if (mirror->instruments[i].executions || mirror->instruments[i].held)
            position(mirror, i, out);
    json_end(out);
    json_end(out);
}

/* --- venues, scripts, alerts ------------------------------------------------------------------*/

static void book(const struct seen_instrument *seen, struct text *out)
{
    static const char *const states[] = {
#define X(name) #name,
        BOOK_STATES(X)
#undef X
    };
    json_object(out);
    field(out, "instrument", seen->def.symbol);
    field(out, "state", (unsigned)seen->state < BOOK_STATE_COUNT ? states[seen->state] : "?");
    field_decimal(out, "bid", seen->top.bid, seen->def.price_exp);
    field_decimal(out, "bid_qty", seen->top.bid_qty, seen->def.qty_exp);
    field_decimal(out, "ask", seen->top.ask, seen->def.price_exp);
    field_decimal(out, "ask_qty", seen->top.ask_qty, seen->def.qty_exp);
    field_decimal(out, "last", seen->last_px, seen->def.price_exp);
    field_uint(out, "tops", seen->tops);
    field_uint(out, "trades", seen->trades);
    field_time(out, "time_ns", seen->top.msg.t);
    json_end(out);
}

void mirror_json_venues(const struct mirror *mirror, struct text *out)
{
    json_object(out);
    json_key(out, "venues");
    json_array(out);
    for (unsigned v = 0; v < 256; v++) {
        const struct seen_venue *venue = &mirror->venues[v];
        if (!venue->known)
            continue;
        json_object(out);
        field(out, "venue", venue->name);
        field(out, "plugin", venue->note.plugin);
        field(out, "execution", venue->note.execution);
        json_key(out, "up");
        json_bool(out, venue->up);
        json_key(out, "reconciling");
        json_bool(out, venue->reconciling);
        field_uint(out, "frames", venue->note.frames);
        field_uint(out, "frames_per_second", venue->frames_rate);
        field_uint(out, "errors", venue->note.errors);
        field_uint(out, "gaps", venue->note.gaps);
        json_key(out, "books");
        json_array(out);
        for (size_t i = 1; i < mirror->instrument_count; i++)
            if (mirror->instruments[i].def.symbol[0] && mirror->instruments[i].def.msg.venue == v)
                book(&mirror->instruments[i], out);
        json_end(out);
        json_end(out);
    }
    json_end(out);
    json_end(out);
}

void mirror_json_scripts(const struct mirror *mirror, struct text *out)
{
    static const char *const states[] = {"running", "quarantined", "refused"};
    json_object(out);
    json_key(out, "scripts");
    json_array(out);
    for (size_t i = 1; i < mirror->strategy_count; i++) {
        const struct seen_strategy *s = &mirror->strategies[i];
        if (!s->known || !s->note.file[0])
            continue;
        json_object(out);
        field(out, "script", s->name);
        field(out, "file", s->note.file);
        field(out, "state", s->note.state < 3 ? states[s->note.state] : "?");
        field(out, "reason", s->note.reason);
        json_key(out, "armed");
        json_bool(out, !s->note.disarmed);
        field_uint(out, "version", s->note.version);
        field(out, "sha256", s->note.sha256);
        json_key(out, "orders");
        json_bool(out, s->note.orders);
        field_uint(out, "orders_sent", s->sent);
        field_uint(out, "orders_denied", s->denied);
        field_uint(out, "executions", s->executions);
        field_uint(out, "callbacks", s->note.callbacks);
        field_uint(out, "max_callback_us", s->note.max_callback_ns / 1000);
        field_uint(out, "memory_bytes", s->note.memory);
        json_end(out);
    }
    json_end(out);
    json_end(out);
}

void mirror_json_alerts(const struct mirror *mirror, struct text *out)
{
    uint64_t kept = mirror->alert_total < MIRROR_RECENT ? mirror->alert_total : MIRROR_RECENT;
    json_object(out);
    json_key(out, "alerts");
    json_array(out);
    for (uint64_t i = 0; i < kept; i++) {
        const struct seen_alert *a = &mirror->alerts[(mirror->alert_total - 1 - i) % MIRROR_RECENT];
        json_object(out);
        field_time(out, "time_ns", a->t);
        field(out, "alert", mirror_alert_name(a));
        field(out, "means", mirror_alert_text(a));
        field(out, "script", a->alert == ALERT_COUNT ? mirror_strategy(mirror, a->strategy) : "");
        where(mirror, a->venue, a->instrument, out);
        field(out, "text", a->text);
        json_end(out);
    }
    json_end(out);
    json_end(out);
}

/* --- all of it, short -------------------------------------------------------------------------*/

static void denied(const struct mirror *mirror, struct text *out)
{
    json_key(out, "denied");
    json_object(out);
    for (int c = 0; c < RISK_CHECK_COUNT; c++)
        if (mirror->denied_by[c])
            field_uint(out, risk_check_name((enum risk_check)c), mirror->denied_by[c]);
    json_end(out);
}

void mirror_json_status(const struct mirror *mirror, struct text *out)
{
    json_object(out);
    field_time(out, "time_ns", mirror->now);
    field_time(out, "up_ns", mirror->now - mirror->started);
    json_key(out, "kill_switch");
    json_bool(out, mirror->killed);
    field(out, "kill_reason", mirror->kill_reason);
    field_uint(out, "live_orders", mirror->live_orders);
    json_key(out, "sent");
    json_object(out);
    field_uint(out, "new", mirror->sent_new);
    field_uint(out, "cancel", mirror->sent_cancel);
    field_uint(out, "replace", mirror->sent_replace);
    json_end(out);
    field_uint(out, "executions", mirror->execution_total);
    denied(mirror, out);
    field_uint(out, "alerts", mirror->alert_total);
    field_uint(out, "inputs", mirror->host.inputs);
    field_uint(out, "inputs_per_second", mirror->inputs_rate);
    json_key(out, "journal");
    json_object(out);
    field(out, "folder", mirror->host.journal);
    field_uint(out, "records", mirror->host.journal_seq);
    field_uint(out, "durable", mirror->host.journal_durable);
    field_uint(out, "bytes", mirror->host.journal_bytes);
    json_key(out, "failed");
    json_bool(out, mirror->host.journal_failed);
    json_end(out);
    json_end(out);
}
