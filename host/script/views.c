/* views.c - questions: positions, balances, orders, instruments, as tables.
 *
 * Each answer is a fresh table: a script may keep or change it, and nobody else sees that. A price,
 * size or amount is the number nearest to the exact decimal. */
#include <string.h>

#include <lauxlib.h>

#include "script/ask.h"
#include "script/set.h"

static const char *const kinds[] = {"spot", "linear", "inverse"};
static const char *const sides[] = {"buy", "sell"};
static const char *const types[] = {"limit",       "market",   "stop",   "stop_limit",
                                    "take_profit", "trailing", "iceberg"};
static const char *const tifs[] = {"GTC", "IOC", "FOK", "GTD", "DAY"};
#define WORD(words, i) ((size_t)(i) < sizeof(words) / sizeof(words)[0] ? (words)[i] : "?")

/* --- names ------------------------------------------------------------------------------------ */

void push_names_in(lua_State *L, struct cell *cell, uint32_t instrument)
{
    const struct script *script = cell->script;
    struct watched *watched = instrument < cell->watched_count ? &cell->watched[instrument] : NULL;
    if (watched && watched->named) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, watched->venue_ref);
        lua_rawgeti(L, LUA_REGISTRYINDEX, watched->symbol_ref);
        return;
    }
    const struct weir_instrument *known = ask_instrument(script, instrument);
    lua_pushstring(L, known ? ask_name(script, SCOPE_venue, known->msg.venue) : "");
    lua_pushstring(L, known ? known->symbol : "");
    if (!watched || !known)
        return;
    lua_pushvalue(L, -2);
    watched->venue_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushvalue(L, -1);
    watched->symbol_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    watched->named = true;
}

void set_names_in(lua_State *L, struct cell *cell, uint32_t instrument)
{
    push_names_in(L, cell, instrument);
    field_name(L, FIELD_symbol);
    lua_insert(L, -2);
    lua_rawset(L, -4);
    field_name(L, FIELD_venue);
    lua_insert(L, -2);
    lua_rawset(L, -3);
}

/* A raw string without NUL; NULL: not one. */
static const char *plain_string(lua_State *L, int index)
{
    size_t len;
    const char *text = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &len) : NULL;
    return text && strlen(text) == len ? text : NULL;
}

/* like: "; did you mean X?", or "" */
static bool no_name(lua_State *L, const char *what, int index, const char *like)
{
    char shown[48];
    if (lua_type(L, index) != LUA_TSTRING) {
        err_say_in(L, "BAD_REQUEST", "%s is %s; a string is expected", what,
                   lua_isnoneornil(L, index) ? "missing" : "not a string");
        return false;
    }
    text_plain(L, index, shown, sizeof shown);
    err_say_in(L, strcmp(what, "symbol") == 0 ? "UNKNOWN_INSTRUMENT" : "NOT_FOUND",
               "no %s \"%s\" is known here%s", what, shown, like);
    return false;
}

static bool venue_named(lua_State *L, int index, uint16_t *venue_out)
{
    const char *name = plain_string(L, index);
    const struct script *script = cell_of(L)->script;
    uint32_t number = name ? ask_number(script, SCOPE_venue, name) : UINT32_MAX;
    char like[96] = "";
    if (number == UINT32_MAX && name)
        venue_like(script, name, like, sizeof like);
    if (number == UINT32_MAX)
        return no_name(L, "venue", index, like);
    *venue_out = (uint16_t)number;
    return true;
}

uint32_t instrument_named_in(lua_State *L, int venue, int symbol)
{
    uint16_t number;
    if (!venue_named(L, venue, &number))
        return 0;
    const char *name = plain_string(L, symbol);
    const struct script *script = cell_of(L)->script;
    uint32_t found = name ? ask_instrument_find(script, number, name) : 0;
    char like[96] = "";
    if (found == 0 && name && ask_instrument_count(script) == 0)
        snprintf(like, sizeof like, ": no venue has told its instruments yet");
    else if (found == 0 && name)
        symbol_like(script, number, name, like, sizeof like);
    if (found == 0)
        no_name(L, "symbol", symbol, like);
    return found;
}

/* f(venue, symbol, ...) or f{venue=, symbol=, ...}: afterwards venue is at 2 and symbol at 3. False: nil,
 * err are pushed. */
bool spread_in(lua_State *L, const char *function, uint64_t fields)
{
    if (lua_type(L, 1) == LUA_TTABLE) {
        lua_settop(L, 1);
        if (!only_fields_in(L, 1, function, FIELD_BIT(venue) | FIELD_BIT(symbol) | fields))
            return false;
        field_get(L, 1, FIELD_venue);
        field_get(L, 1, FIELD_symbol);
    } else {
        lua_settop(L, 3);
        lua_pushnil(L);
        lua_insert(L, 1);
        lua_settop(L, 4);
    }
    return true;
}

/* --- positions and balances ------------------------------------------------------------------- */

void push_position_in(lua_State *L, struct cell *cell, uint32_t instrument, uint32_t strategy)
{
    const struct script *script = cell->script;
    const struct weir_instrument *known = ask_instrument(script, instrument);
    struct position_view view = {0};
    (void)ask_position(script, instrument, strategy, &view);
    lua_createtable(L, 0, 8);
    set_names_in(L, cell, instrument);
    set_decimal(L, "qty", view.qty, known->qty_exp);
    set_amount(L, "avg_price", view.avg_price);
    set_amount(L, "cost", view.cost);
    set_amount(L, "realized", view.realized);
    if (view.has_reference)
        set_amount(L, "unrealized", view.unrealized);
}

static int all_positions(lua_State *L)
{
    struct cell *cell = cell_of(L);
    const struct script *script = cell->script;
    struct position_view view;
    lua_Integer n = 0;
    lua_newtable(L);
    for (uint32_t i = 1; i <= ask_instrument_count(script); i++) {
        if (!ask_instrument(script, i) || !ask_position(script, i, script->strategy, &view) ||
            (view.qty == 0 && view.realized == 0))
            continue;
        push_position_in(L, cell, i, cell->script->strategy);
        lua_rawseti(L, -2, ++n);
    }
    return 1;
}

/* weir.position(venue, symbol): this script's own; {venue=, symbol=, account=true}: the account's;
 * without arguments: a list of its own. */
static int api_position(lua_State *L)
{
    struct cell *cell = cell_of(L);
    bool account = false;
    if (lua_isnoneornil(L, 1))
        return all_positions(L);
    if (lua_type(L, 1) == LUA_TTABLE) {
        lua_pushliteral(L, "account");
        account = lua_rawget(L, 1) == LUA_TBOOLEAN && lua_toboolean(L, -1);
    }
    if (!spread_in(L, "weir.position", FIELD_BIT(account)))
        return 2;
    uint32_t number = instrument_named_in(L, 2, 3);
    if (number == 0)
        return 2;
    push_position_in(L, cell, number, account ? 0 : cell->script->strategy);
    return 1;
}

static uint16_t account_at(const struct script *script, uint16_t venue)
{
    for (uint32_t i = 1; i <= ask_instrument_count(script); i++) {
        const struct weir_instrument *instrument = ask_instrument(script, i);
        if (instrument && instrument->msg.venue == venue)
            return instrument->msg.account;
    }
    return UINT16_MAX;
}

/* weir.balance(venue, asset) or {venue=, asset=}: of the account there. */
static int api_balance(lua_State *L)
{
    const struct script *script = cell_of(L)->script;
    amount total = 0, fees = 0, funding = 0;
    uint16_t venue;
    bool table = lua_type(L, 1) == LUA_TTABLE;
    if (!spread_in(L, "weir.balance", FIELD_BIT(asset)))
        return 2;
    if (table) {
        lua_pushliteral(L, "asset");
        lua_rawget(L, 1);
        lua_replace(L, 3);
    }
    if (!venue_named(L, 2, &venue))
        return 2;
    const char *asset = plain_string(L, 3);
    uint16_t account = account_at(script, venue);
    if (!asset || account == UINT16_MAX ||
        !ask_wallet(script, account, asset, &total, &fees, &funding))
        return no_name(L, "asset", 3, ""), 2;
    lua_createtable(L, 0, 5);
    set_text(L, "venue", ask_name(script, SCOPE_venue, venue));
    set_text(L, "asset", asset);
    set_amount(L, "total", total);
    set_amount(L, "fees", fees);
    set_amount(L, "funding", funding);
    return 1;
}

/* --- orders ----------------------------------------------------------------------------------- */

/* The id is the name that weir.submit returned: what stands before the dot that amends add. */
static void push_id(lua_State *L, const struct script *script, const struct out_order *order)
{
    char stem[WEIR_ID_MAX] = "";
    const char *dot = memchr(order->cid, '.', sizeof order->cid);
    if (dot) {
        memcpy(stem, order->cid, (size_t)(dot - order->cid));
        if (ask_order_find(script, stem) != order->order)
            stem[0] = '\0';
    }
    lua_pushstring(L, stem[0] ? stem : order->cid);
    lua_setfield(L, -2, "id");
}

static void set_flags(lua_State *L, const struct out_order *order)
{
    set_bool(L, "post_only", order->flags & WEIR_POST_ONLY);
    set_bool(L, "reduce_only", order->flags & WEIR_REDUCE_ONLY);
    set_bool(L, "done", order_label_is_done((enum order_label)order->label));
    if (order->request_refused)
        set_text(L, "refused", order->request_refused == 1 ? "cancel" : "amend");
    if (order->tag[0])
        set_text(L, "tag", order->tag);
    if (order->reason[0])
        set_text(L, "reason", order->reason);
    if (order->venue_id[0])
        set_text(L, "venue_id", order->venue_id);
}

/* What an order that the host keeps waits for. */
static void set_hold(lua_State *L, const struct weir_instrument *instrument,
                     const struct out_hold *hold)
{
    char waits[64] = "";
    size_t len = 0;
    for (int wait = 0; wait < HOLD_WAIT_COUNT; wait++)
        if (hold->waits >> wait & 1)
            len += (size_t)snprintf(waits + len, sizeof waits - len, "%s%s", len ? "+" : "",
                                    hold_wait_name((enum hold_wait)wait));
    set_text(L, "waits", waits);
    if (hold->trigger)
        set_decimal(L, hold->asked_type == WEIR_TRAILING ? "trail" : "trigger", hold->trigger,
                    instrument->price_exp);
    if (hold->visible)
        set_decimal(L, "visible", hold->visible, instrument->qty_exp);
    if (hold->release)
        set_int(L, "release", hold->release);
    if (hold->expires)
        set_int(L, "expires", hold->expires);
    if (hold->waits & WAIT_LANE)
        set_text(L, "obstacle", risk_check_name((enum risk_check)hold->obstacle));
}

void push_order_in(lua_State *L, struct cell *cell, const struct out_order *order)
{
    const struct script *script = cell->script;
    const struct weir_instrument *instrument = ask_instrument(script, order->msg.instrument);
    int price_exp = instrument ? instrument->price_exp : 0,
        qty_exp = instrument ? instrument->qty_exp : 0;
    bool done = order_label_is_done((enum order_label)order->label);
    amount average;
    lua_createtable(L, 0, 24);
    set_names_in(L, cell, order->msg.instrument);
    push_id(L, script, order);
    set_text(L, "side", WORD(sides, order->side));
    set_text(L, "type", WORD(types, order->type));
    set_text(L, "tif", WORD(tifs, order->tif));
    set_text(L, "state", order_label_name((enum order_label)order->label));
    if (order->px != 0)
        set_decimal(L, "price", order->px, price_exp);
    set_decimal(L, "qty", order->qty, qty_exp);
    set_decimal(L, "cum_qty", order->cum_qty, qty_exp);
    set_decimal(L, "leaves_qty", done ? 0 : order->qty - order->cum_qty, qty_exp);
    if (order->cum_qty != 0 &&
        amount_per_round(amount_of(order->cum_quote), order->cum_qty, qty_exp, &average))
        set_amount(L, "avg_price", average);
    set_int(L, "created", order->created);
    set_int(L, "time", order->msg.t);
    set_flags(L, order);
    struct order_view view;
    if (instrument && (order->label == ORDER_HELD || order->label == ORDER_PENDING_CANCEL) &&
        ask_order(script, order->order, &view) && view.hold.msg.size)
        set_hold(L, instrument, &view.hold);
}

static int api_order(lua_State *L)
{
    struct cell *cell = cell_of(L);
    const struct script *script = cell->script;
    struct order_view view;
    lua_settop(L, 1);
    const char *id = plain_string(L, 1);
    if (!id)
        return err_say_in(L, "BAD_REQUEST",
                          "an id as weir.submit returned it is expected, not a %s",
                          luaL_typename(L, 1));
    uint32_t order = *id ? ask_order_find(script, id) : 0;
    if (order == 0 || !ask_order(script, order, &view) ||
        view.order.strategy != cell->script->strategy)
        return lua_pushnil(L), 1;
    push_order_in(L, cell, &view.order);
    return 1;
}

/* Which of its orders a script wants to see. */
struct filter {
    uint32_t instrument; /* 0: any */
    uint16_t venue;      /* 0xffff: any */
    uint8_t side;        /* 2: any */
    bool all;            /* also those that are done */
    const char *tag;     /* NULL: any */
};

static bool read_filter(lua_State *L, struct filter *filter)
{
    *filter = (struct filter){.venue = 0xffff, .side = 2};
    if (lua_isnil(L, 1))
        return true;
    if (lua_type(L, 1) != LUA_TTABLE) {
        err_say_in(L, "BAD_REQUEST",
                   "weir.orders takes a table {venue=, symbol=, side=, tag=, all=}, or nothing");
        return false;
    }
    if (!only_fields_in(L, 1, "weir.orders",
                        FIELD_BIT(venue) | FIELD_BIT(symbol) | FIELD_BIT(side) | FIELD_BIT(tag) |
                            FIELD_BIT(all)))
        return false;
    int venue = field_get(L, 1, FIELD_venue), symbol = field_get(L, 1, FIELD_symbol);
    if (venue != LUA_TNIL && !venue_named(L, 2, &filter->venue))
        return false;
    if (symbol != LUA_TNIL && (filter->instrument = instrument_named_in(L, 2, 3)) == 0)
        return false;
    field_get(L, 1, FIELD_side);
    const char *side = plain_string(L, -1);
    if (side)
        filter->side = strcmp(side, "buy") == 0    ? WEIR_BUY
                       : strcmp(side, "sell") == 0 ? WEIR_SELL
                                                   : 2;
    if (lua_type(L, -1) != LUA_TNIL && filter->side == 2) {
        err_say_in(L, "BAD_REQUEST", "weir.orders: side is \"buy\" or \"sell\"");
        return false;
    }
    field_get(L, 1, FIELD_tag);
    filter->tag = plain_string(L, -1);
    lua_pushliteral(L, "all");
    lua_rawget(L, 1);
    filter->all = lua_toboolean(L, -1);
    return true;
}

static int api_orders(lua_State *L)
{
    struct cell *cell = cell_of(L);
    const struct script *script = cell->script;
    struct order_view view;
    struct filter filter;
    lua_Integer n = 0;
    lua_settop(L, 1);
    if (!read_filter(L, &filter))
        return 2;
    lua_newtable(L);
    for (uint32_t i = 0; (i = ask_order_next(script, i, !filter.all)) != 0;) {
        guard_poll();
        if (!ask_order(script, i, &view))
            continue;
        const struct out_order *order = &view.order;
        if (order->strategy != cell->script->strategy || view.slice_of != 0 ||
            (filter.instrument && order->msg.instrument != filter.instrument) ||
            (filter.venue != 0xffff && order->msg.venue != filter.venue) ||
            (filter.side != 2 && order->side != filter.side) ||
            (filter.tag && strcmp(order->tag, filter.tag) != 0))
            continue;
        push_order_in(L, cell, order);
        lua_rawseti(L, -2, ++n);
    }
    return 1;
}

/* --- instruments ------------------------------------------------------------------------------ */

static int api_instrument(lua_State *L)
{
    struct cell *cell = cell_of(L);
    if (!spread_in(L, "weir.instrument", 0))
        return 2;
    uint32_t number = instrument_named_in(L, 2, 3);
    if (number == 0)
        return 2;
    const struct weir_instrument *instrument = ask_instrument(cell->script, number);
    lua_createtable(L, 0, 14);
    set_names_in(L, cell, number);
    set_text(L, "base", instrument->base);
    set_text(L, "quote", instrument->quote);
    set_text(L, "kind", WORD(kinds, instrument->kind));
    set_text(L, "status", instrument->status == WEIR_TRADING ? "TRADING" : "HALTED");
    set_decimal(L, "tick", instrument->tick > 0 ? instrument->tick : 1, instrument->price_exp);
    set_decimal(L, "step", instrument->step > 0 ? instrument->step : 1, instrument->qty_exp);
    set_amount(L, "min_notional", amount_of(instrument->min_notional));
    set_decimal(L, "multiplier", instrument->multiplier,
                instrument->multiplier_exp >= 0 && instrument->multiplier_exp <= 18
                    ? instrument->multiplier_exp
                    : 0);
    set_int(L, "price_places", instrument->price_exp);
    set_int(L, "qty_places", instrument->qty_exp);
    return 1;
}

void api_push_views_in(lua_State *L)
{
    static const luaL_Reg functions[] = {{"position", api_position},     {"balance", api_balance},
                                         {"order", api_order},           {"orders", api_orders},
                                         {"instrument", api_instrument}, {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
    api_push_books_in(L);
}
