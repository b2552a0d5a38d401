/* events.c - what happened, as a table for a handler, or, for a quote, as plain values.
 *
 * Each handler gets a table of its own: one that keeps or alters its event changes nobody else's
 * view, and a kept event never turns into another. The names of fields are ready-made strings, so a
 * book event is one allocation and eight stores. */
#include <string.h>

#include <lauxlib.h>

#include "script/ask.h"

static inline void set_decimal(lua_State *L, enum field field, int64_t value, int exp)
{
    field_name(L, field);
    push_decimal(L, value, exp);
    lua_rawset(L, -3);
}

static inline void set_int(lua_State *L, enum field field, int64_t value)
{
    field_name(L, field);
    lua_pushinteger(L, value);
    lua_rawset(L, -3);
}

static void set_text(lua_State *L, const char *name, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

static const struct weir_instrument *instrument_of(const struct cell *cell,
                                                   const struct weir_msg *msg)
{
    static const struct weir_instrument none = {0};
    const struct weir_instrument *known = ask_instrument(cell->script, msg->instrument);
    return known ? known : &none;
}

/* How many events of this instrument a script that is behind did not get before this one. */
static void set_dropped(lua_State *L, const struct cell *cell)
{
    if (cell->dropped == 0)
        return;
    lua_pushinteger(L, cell->dropped);
    lua_setfield(L, -2, "dropped");
}

void push_time_event(struct cell *cell, lua_State *L, const void *arg)
{
    (void)cell;
    (void)arg;
    lua_createtable(L, 0, 1);
    set_int(L, FIELD_time, now_in(L));
}

/* The best prices that an event of a book has; of IN_BOOK_STATE only if the book is LIVE. NULL: none. */
static const struct weir_top *top_in(const struct cell *cell, const struct weir_msg *msg,
                                     struct market_view *room)
{
    if (msg->kind == WEIR_TOP)
        return (const struct weir_top *)msg;
    bool live = ((const struct in_state *)msg)->value == BOOK_LIVE;
    return live && ask_market(cell->script, msg->instrument, room) ? &room->top : NULL;
}

/* WEIR_TOP, or IN_BOOK_STATE: then with the book's new state. */
void push_book_event(struct cell *cell, lua_State *L, const void *arg)
{
    const struct weir_msg *msg = arg;
    const struct weir_instrument *instrument = instrument_of(cell, msg);
    struct market_view market = {0};
    lua_createtable(L, 0, 8);
    set_names_in(L, cell, msg->instrument);
    set_int(L, FIELD_time, msg->t);
    if (msg->kind == IN_BOOK_STATE) {
        static const char *const states[] = {
#define X(name) #name,
            BOOK_STATES(X)
#undef X
        };
        const struct in_state *state = arg;
        bool known = state->value >= 0 && state->value < BOOK_STATE_COUNT;
        set_text(L, "state", known ? states[state->value] : "?");
    }
    const struct weir_top *top = top_in(cell, msg, &market);
    if (!top)
        return;
    if (top->bid > 0) {
        set_decimal(L, FIELD_bid, top->bid, instrument->price_exp);
        set_decimal(L, FIELD_bid_qty, top->bid_qty, instrument->qty_exp);
    }
    if (top->ask > 0) {
        set_decimal(L, FIELD_ask, top->ask, instrument->price_exp);
        set_decimal(L, FIELD_ask_qty, top->ask_qty, instrument->qty_exp);
    }
    set_int(L, FIELD_seq, (int64_t)top->seq);
    set_dropped(L, cell);
}

static void push_level(lua_State *L, bool there, int64_t value, int exp)
{
    if (there)
        push_decimal(L, value, exp);
    else
        lua_pushnil(L);
}

/* The same event without a table: market, bid, ask, bid_qty, ask_qty, time. A side that is empty is
 * nil; both are while the book is not LIVE. */
void push_quote_event(struct cell *cell, lua_State *L, const void *arg)
{
    static const struct weir_top nothing = {0};
    const struct weir_msg *msg = arg;
    const struct weir_instrument *instrument = instrument_of(cell, msg);
    struct market_view market = {0};
    const struct weir_top *top = top_in(cell, msg, &market);
    if (!top)
        top = &nothing;
    push_market_in(L, cell, msg->instrument);
    push_level(L, top->bid > 0, top->bid, instrument->price_exp);
    push_level(L, top->ask > 0, top->ask, instrument->price_exp);
    push_level(L, top->bid > 0, top->bid_qty, instrument->qty_exp);
    push_level(L, top->ask > 0, top->ask_qty, instrument->qty_exp);
    lua_pushinteger(L, msg->t);
}

void push_trade_event(struct cell *cell, lua_State *L, const void *arg)
{
    const struct weir_trade *trade = arg;
    const struct weir_instrument *instrument = instrument_of(cell, &trade->msg);
    lua_createtable(L, 0, 8);
    set_names_in(L, cell, trade->msg.instrument);
    set_int(L, FIELD_time, trade->msg.t);
    set_int(L, FIELD_id, (int64_t)trade->id);
    set_decimal(L, FIELD_price, trade->px, instrument->price_exp);
    set_decimal(L, FIELD_qty, trade->qty, instrument->qty_exp);
    field_name(L, FIELD_side);
    lua_pushstring(L, trade->aggressor == WEIR_BUY ? "buy" : "sell");
    lua_rawset(L, -3);
    if (trade->msg.flags & WEIR_TRADE_OFF_BOOK) {
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, "off_book");
    }
    set_dropped(L, cell);
}

/* WEIR_MARK, WEIR_INDEX, WEIR_FUNDING_RATE: all that is known by then, as weir.mark() gives it. */
void push_mark_event(struct cell *cell, lua_State *L, const void *arg)
{
    const struct weir_msg *msg = arg;
    struct market_view market = {0};
    ask_market(cell->script, msg->instrument, &market);
    push_marks_in(L, cell, msg->instrument, &market.marks);
    set_int(L, FIELD_time, msg->t);
    set_dropped(L, cell);
}

void push_bar_event(struct cell *cell, lua_State *L, const void *arg)
{
    static const char *const kinds[] = {"time", "volume", "ticks"};
    const struct bar *bar = arg;
    const struct weir_msg msg = {.instrument = bar->instrument};
    const struct weir_instrument *instrument = instrument_of(cell, &msg);
    lua_createtable(L, 0, 13);
    set_names_in(L, cell, bar->instrument);
    set_text(L, "kind", kinds[bar->kind]);
    set_int(L, FIELD_time, bar->start);
    set_int(L, FIELD_closed, bar->kind == BAR_TIME ? bar->start + bar->per : bar->last);
    if (bar->kind == BAR_TIME)
        set_int(L, FIELD_interval, bar->per);
    else if (bar->kind == BAR_TICKS)
        set_int(L, FIELD_per, bar->per);
    else
        set_decimal(L, FIELD_per, bar->per, instrument->qty_exp);
    set_decimal(L, FIELD_open, bar->open, instrument->price_exp);
    set_decimal(L, FIELD_high, bar->high, instrument->price_exp);
    set_decimal(L, FIELD_low, bar->low, instrument->price_exp);
    set_decimal(L, FIELD_close, bar->close, instrument->price_exp);
    set_decimal(L, FIELD_volume, bar->volume, instrument->qty_exp);
    set_int(L, FIELD_count, bar->count);
}

/* What another script published: {topic=, from=, data=, time=}. */
void push_message_event(struct cell *cell, lua_State *L, const void *arg)
{
    const struct script_message *message = arg;
    (void)cell;
    lua_createtable(L, 0, 4);
    set_int(L, FIELD_time, message->t);
    set_text(L, "topic", message->topic);
    set_text(L, "from", message->from);
    field_name(L, FIELD_data);
    if (!plain_read_in(L, message->text, message->len)) {
        lua_pop(L, 1); /* no text that a script wrote; an error here has nobody to catch it */
        lua_pushnil(L);
    }
    lua_rawset(L, -3);
}

void push_timer_event(struct cell *cell, lua_State *L, const void *arg)
{
    const struct timer *timer = arg;
    (void)cell;
    lua_createtable(L, 0, 3);
    set_int(L, FIELD_time, now_in(L));
    set_int(L, FIELD_due, timer->due);
    if (timer->id)
        set_int(L, FIELD_id, timer->id);
}

void push_order_event(struct cell *cell, lua_State *L, const void *arg)
{
    push_order_in(L, cell, arg);
}

/* The order as it is, and of the execution: fill_price, fill_qty, fee, fee_asset, maker, exec_id,
 * position (of this script, afterwards), busted. */
void push_fill_event(struct cell *cell, lua_State *L, const void *arg)
{
    const struct out_execution *fill = arg;
    const struct weir_instrument *instrument = instrument_of(cell, &fill->msg);
    struct order_view view;
    bool known = fill->order != 0 && ask_order(cell->script, fill->order, &view);
    if (known && view.slice_of != 0) /* a slice is nobody's business but the host's */
        known = ask_order(cell->script, view.slice_of, &view);
    if (known) {
        push_order_in(L, cell, &view.order);
    } else {
        lua_createtable(L, 0, 12);
        set_names_in(L, cell, fill->msg.instrument);
        set_text(L, "side", fill->side == WEIR_BUY ? "buy" : "sell");
    }
    set_int(L, FIELD_time, fill->msg.t);
    push_decimal(L, fill->px, instrument->price_exp);
    lua_setfield(L, -2, "fill_price");
    push_decimal(L, fill->qty, instrument->qty_exp);
    lua_setfield(L, -2, "fill_qty");
    push_decimal(L, fill->strategy_position, instrument->qty_exp);
    lua_setfield(L, -2, "position");
    push_amount(L, amount_of(fill->fee));
    lua_setfield(L, -2, "fee");
    set_text(L, "fee_asset", fill->fee_asset);
    set_text(L, "exec_id", fill->exec_id);
    lua_pushboolean(L, fill->maker);
    lua_setfield(L, -2, "maker");
    if (fill->busted) {
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, "busted");
    }
}

void push_position_event(struct cell *cell, lua_State *L, const void *arg)
{
    const struct out_execution *fill = arg;
    push_position_in(L, cell, fill->msg.instrument, cell->script->strategy);
    set_int(L, FIELD_time, fill->msg.t);
}

void push_alert_event(struct cell *cell, lua_State *L, const void *arg)
{
    const struct out_alert *alert = arg;
    struct order_view view;
    lua_createtable(L, 0, 8);
    if (alert->msg.instrument != 0 && instrument_of(cell, &alert->msg)->symbol[0])
        set_names_in(L, cell, alert->msg.instrument);
    set_int(L, FIELD_time, alert->msg.t);
    set_text(L, "code", alert_name((enum alert)alert->alert));
    set_text(L, "message", alert_text((enum alert)alert->alert));
    if (alert->text[0])
        set_text(L, "text", alert->text);
    lua_pushinteger(L, alert->value);
    lua_setfield(L, -2, "value");
    lua_pushinteger(L, alert->limit);
    lua_setfield(L, -2, "limit");
    if (alert->order != 0 && ask_order(cell->script, alert->order, &view) &&
        view.order.strategy == cell->script->strategy) {
        lua_pushstring(L, view.order.cid);
        lua_setfield(L, -2, "order");
    }
}

/* OUT_STATE of a venue: {venue=, up=} or {venue=, reconciling=}. */
void push_venue_event(struct cell *cell, lua_State *L, const void *arg)
{
    const struct out_state *state = arg;
    const struct script *script = cell->script;
    lua_createtable(L, 0, 4);
    set_int(L, FIELD_time, state->msg.t);
    set_text(L, "venue", ask_name(script, SCOPE_venue, state->msg.venue));
    lua_pushboolean(L, state->value != 0);
    lua_setfield(L, -2, state->of == STATE_VENUE ? "up" : "reconciling");
    if (state->reason[0])
        set_text(L, "reason", state->reason);
}
