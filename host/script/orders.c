/* orders.c - weir.submit, amend, cancel and cancel_all: wishes that leave the script.
 *
 * What cannot be understood is refused here, with the word and the numbers; what can, goes to the
 * owner, and what the engine says comes back. An id is a string that is known before the order is
 * sent: it is made here, from the script's prefix and a counter. After an amend the order
 * has another cid ("maker1-k2-7.b"); the id stays the part before the dot, and the engine knows an
 * order by any name it has had. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <lauxlib.h>

#include "script/ask.h"

static const char *const side_words[] = {"buy", "sell", NULL};
static const char *const type_words[] = {"limit",       "market",   "stop",    "stop_limit",
                                         "take_profit", "trailing", "iceberg", NULL};
static const char *const tif_words[] = {"GTC", "IOC", "FOK", "GTD", "DAY", NULL};

/* What weir.submit takes; reference.c says what each means. */
#define SUBMIT_FIELDS                                                                              \
    (FIELD_BIT(venue) | FIELD_BIT(symbol) | FIELD_BIT(side) | FIELD_BIT(type) | FIELD_BIT(price) | \
     FIELD_BIT(qty) | FIELD_BIT(tif) | FIELD_BIT(post_only) | FIELD_BIT(reduce_only) |             \
     FIELD_BIT(trigger) | FIELD_BIT(trail) | FIELD_BIT(visible) | FIELD_BIT(release) |             \
     FIELD_BIT(expires) | FIELD_BIT(oco) | FIELD_BIT(parent) | FIELD_BIT(tag))

/* --- reading ---------------------------------------------------------------------------------- */

/* The value on top is none of the words: nil, err. */
static bool refuse_word(lua_State *L, const char *name, const char *const *words)
{
    char shown[40] = "", known[96];
    const char *nearest = NULL;
    size_t used = 0;
    for (size_t i = 0; words[i] && used < sizeof known; i++)
        used +=
            (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", words[i]);
    if (lua_type(L, -1) == LUA_TSTRING) {
        text_plain(L, -1, shown, sizeof shown);
        nearest = hint_nearest(shown, words);
    }
    if (nearest)
        err_say_in(L, "BAD_REQUEST", "%s \"%s\" is not known; did you mean %s?", name, shown,
                   nearest);
    else if (*shown)
        err_say_in(L, "BAD_REQUEST", "%s \"%s\" is not known; one of %s is expected", name, shown,
                   known);
    else
        err_say_in(L, "BAD_REQUEST", "%s is %s%s; one of %s is expected", name,
                   lua_isnil(L, -1) ? "missing" : "a ",
                   lua_isnil(L, -1) ? "" : luaL_typename(L, -1), known);
    return false;
}

/* The word on top. False: nil, err are pushed. */
static bool word_on_top(lua_State *L, const char *name, const char *const *words, uint8_t *out)
{
    size_t len;
    if (lua_type(L, -1) != LUA_TSTRING)
        return refuse_word(L, name, words);
    const char *text = lua_tolstring(L, -1, &len);
    for (uint8_t i = 0; words[i]; i++)
        if (((words[i][0] ^ text[0]) & 0x5f) == 0 && strcasecmp(words[i], text) == 0 &&
            strlen(words[i]) == len) {
            *out = i;
            return true;
        }
    return refuse_word(L, name, words);
}

/* Each of these reads one field of the table at 1. False: nil, err are pushed. */
static bool word_field(lua_State *L, enum field field, const char *name, const char *const *words,
                       uint8_t *out)
{
    field_get(L, 1, field);
    if (!word_on_top(L, name, words, out))
        return false;
    lua_pop(L, 1);
    return true;
}

/* Has the table of weir.submit this member? Most have few of all that there are. */
static bool is_given(lua_State *L, enum field field)
{
    return cell_of(L)->given >> field & 1;
}

static bool flag_field(lua_State *L, enum field field, const char *name, uint8_t bit,
                       uint8_t *flags)
{
    if (!is_given(L, field))
        return true;
    int type = field_get(L, 1, field);
    if (type == LUA_TBOOLEAN && lua_toboolean(L, -1))
        *flags |= bit;
    if (type != LUA_TBOOLEAN) {
        err_say_in(L, "BAD_REQUEST", "%s is true, false or left out, not a %s", name,
                   luaL_typename(L, -1));
        return false;
    }
    lua_pop(L, 1);
    return true;
}

static bool tag_field(lua_State *L, char *tag)
{
    size_t len;
    if (!is_given(L, FIELD_tag))
        return true;
    int type = field_get(L, 1, FIELD_tag);
    const char *text = type == LUA_TSTRING ? lua_tolstring(L, -1, &len) : NULL;
    bool good = text && len < TAG_MAX;
    for (size_t i = 0; good && i < len; i++)
        good = text[i] > ' ' && text[i] < 0x7f;
    if (!good) {
        err_say_in(L, "BAD_REQUEST", "tag is at most %d printable characters", TAG_MAX - 1);
        return false;
    }
    memcpy(tag, text, len + 1);
    lua_pop(L, 1);
    return true;
}

/* A grid of numbers: prices by the tick, quantities by the step. */
struct grid {
    const char *name;
    const char *code;
    int exp;
    int64_t step;
};

static bool refuse_number(lua_State *L, const struct grid *grid, enum fit fit)
{
    char shown[48], step[DECIMAL_TEXT_MAX];
    text_plain(L, -1, shown, sizeof shown);
    decimal_print(grid->step, grid->exp, step);
    switch (fit) {
    case FIT_TEXT:
        err_say_in(L, "BAD_REQUEST", "%s is the text \"%s\"; write a number, or weir.dec(\"%s\")",
                   grid->name, shown, shown);
        return false;
    case FIT_NOT_FINITE:
        err_say_in(L, "BAD_REQUEST", "%s is not a finite number", grid->name);
        return false;
    case FIT_TOO_LARGE:
        err_say_in(L, "BAD_REQUEST", "%s %s is too large to be exact", grid->name, shown);
        return false;
    case FIT_OFF_STEP:
        err_say_in(L, grid->code, "%s %s is not a multiple of %s", grid->name, shown, step);
        return false;
    default:
        err_say_in(L, "BAD_REQUEST", "%s is %s; a number is expected", grid->name,
                   lua_isnil(L, -1) ? "missing" : luaL_typename(L, -1));
        return false;
    }
}

static bool number_field(lua_State *L, int table, enum field field, const struct grid *grid,
                         int64_t *out)
{
    field_get(L, table, field);
    enum fit fit = weir_dec_from_lua(L, -1, grid->exp, grid->step, out);
    if (fit != FITS)
        return refuse_number(L, grid, fit);
    lua_pop(L, 1);
    return true;
}

static struct grid price_grid(const struct weir_instrument *instrument, const char *name)
{
    return (struct grid){name, "TICK", instrument->price_exp,
                         instrument->tick > 0 ? instrument->tick : 1};
}

static struct grid qty_grid(const struct weir_instrument *instrument)
{
    return (struct grid){"qty", "STEP", instrument->qty_exp,
                         instrument->step > 0 ? instrument->step : 1};
}

static bool absent(lua_State *L, enum field field, const char *name, const char *because_of)
{
    if (!is_given(L, field))
        return true;
    err_say_in(L, "BAD_REQUEST", "%s has no meaning %s", name, because_of);
    return false;
}

static const char no_meaning[] = "for an order of this type";

/* A number that orders of some types have, and others must not have. */
static bool number_if(lua_State *L, bool wanted, enum field field, const struct grid *grid,
                      int64_t *out)
{
    return wanted ? number_field(L, 1, field, grid, out) : absent(L, field, grid->name, no_meaning);
}

/* Price, trigger, trail and visible, as the type of the order wants them. */
static bool prices(lua_State *L, const struct weir_instrument *instrument, struct in_submit *wish)
{
    struct grid price = price_grid(instrument, "price"),
                trigger = price_grid(instrument, "trigger"),
                trail = price_grid(instrument, "trail"), visible = qty_grid(instrument);
    uint8_t type = wish->type;
    bool trails = type == WEIR_TRAILING, slices = type == WEIR_ICEBERG,
         triggered = type == WEIR_STOP || type == WEIR_STOP_LIMIT || type == WEIR_TAKE_PROFIT,
         priced = type == WEIR_LIMIT || type == WEIR_STOP_LIMIT || slices;
    visible.name = "visible";
    if (!number_if(L, priced, FIELD_price, &price, &wish->px) ||
        !number_if(L, triggered, FIELD_trigger, &trigger, &wish->trigger) ||
        !number_if(L, slices, FIELD_visible, &visible, &wish->visible))
        return false;
    return trails ? number_field(L, 1, FIELD_trail, &trail, &wish->trigger)
                  : absent(L, FIELD_trail, "trail", no_meaning);
}

/* Whole nanoseconds since the epoch; left out: 0. */
static bool time_field(lua_State *L, enum field field, const char *name, weir_ns *out)
{
    char shown[48];
    if (!is_given(L, field))
        return true;
    field_get(L, 1, field);
    *out = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : 0;
    text_plain(L, -1, shown, sizeof shown);
    if (*out <= 0) {
        err_say_in(L, "BAD_REQUEST",
                   "%s is %s; a time in whole nanoseconds since the epoch is expected, such as "
                   "weir.now() + 60000000000",
                   name, shown);
        return false;
    }
    lua_pop(L, 1);
    return true;
}

static bool times(lua_State *L, struct in_submit *wish)
{
    if (!time_field(L, FIELD_release, "release", &wish->release))
        return false;
    if (wish->tif != WEIR_GTD)
        return absent(L, FIELD_expires, "expires", "without tif \"GTD\"");
    if (!time_field(L, FIELD_expires, "expires", &wish->expires))
        return false;
    if (wish->expires == 0)
        err_say_in(L, "BAD_REQUEST",
                   "expires is missing; with tif \"GTD\" the time of expiry is expected, in whole "
                   "nanoseconds since the epoch");
    return wish->expires != 0;
}

/* oco or parent: the id of another order of this script; whether it may be linked to, the engine says. */
static bool link_field(lua_State *L, enum field field, const char *name, uint8_t kind,
                       struct in_submit *wish)
{
    size_t len = 0;
    if (!is_given(L, field))
        return true;
    int type = field_get(L, 1, field);
    const char *id = type == LUA_TSTRING ? lua_tolstring(L, -1, &len) : NULL;
    if (wish->link_kind != LINK_NONE) {
        err_say_in(L, "BAD_REQUEST", "oco and parent are both given; an order has one of them");
        return false;
    }
    if (!id || len == 0 || len >= WEIR_ID_MAX || strlen(id) != len) {
        err_say_in(L, "BAD_REQUEST",
                   "%s is a %s; the id of an order, as weir.submit returned it, is "
                   "expected",
                   name, id ? "text that is no id" : luaL_typename(L, -1));
        return false;
    }
    wish->link_kind = kind;
    memcpy(wish->link, id, len + 1);
    lua_pop(L, 1);
    return true;
}

static void address(struct in_submit *wish, const struct weir_instrument *instrument)
{
    wish->msg = (struct weir_msg){.size = sizeof *wish,
                                  .kind = IN_SUBMIT,
                                  .venue = instrument->msg.venue,
                                  .account = instrument->msg.account,
                                  .instrument = instrument->msg.instrument};
}

static bool read_wish(lua_State *L, struct in_submit *wish)
{
    field_get(L, 1, FIELD_venue);
    field_get(L, 1, FIELD_symbol);
    int top = lua_gettop(L);
    uint32_t number = instrument_named_in(L, top - 1, top);
    if (number == 0)
        return false;
    lua_pop(L, 2);
    const struct weir_instrument *instrument = ask_instrument(cell_of(L)->script, number);
    struct grid qty = qty_grid(instrument);
    address(wish, instrument);
    return word_field(L, FIELD_side, "side", side_words, &wish->side) &&
           word_field(L, FIELD_type, "type", type_words, &wish->type) &&
           word_field(L, FIELD_tif, "tif", tif_words, &wish->tif) && prices(L, instrument, wish) &&
           number_field(L, 1, FIELD_qty, &qty, &wish->qty) && times(L, wish) &&
           link_field(L, FIELD_oco, "oco", LINK_OCO, wish) &&
           link_field(L, FIELD_parent, "parent", LINK_PARENT, wish) &&
           flag_field(L, FIELD_post_only, "post_only", WEIR_POST_ONLY, &wish->flags) &&
           flag_field(L, FIELD_reduce_only, "reduce_only", WEIR_REDUCE_ONLY, &wish->flags) &&
           tag_field(L, wish->tag);
}

/* --- may it ask now? -------------------------------------------------------------------------- */

/* Why this script may not ask for risk now; NULL: it may. */
static const char *not_now(const struct cell *cell, const char **code)
{
    *code = "STATE";
    switch (cell->mode) {
    case MODE_LOADING:
        return "orders may be sent from weir.on(\"start\") on, not while the chunk loads";
    case MODE_SHADOW:
        return "this version does not run yet; orders may be sent from weir.on(\"reload\") on";
    case MODE_STOPPING: return "the script is being stopped; only cancels are taken";
    default: break;
    }
    *code = "RIGHTS";
    return cell->script->may_trade ? NULL : "this script has no order rights";
}

static int refuse_for_pace(lua_State *L, const char *what, uint32_t rate)
{
    struct cell *cell = cell_of(L);
    if (++cell->floods > cell->script->budget.floods)
        guard_abandon(GUARD_FLOOD);
    char message[96], scope[48];
    snprintf(message, sizeof message, "more than %u %s a second", rate, what);
    snprintf(scope, sizeof scope, "script %s", cell->script->name);
    return err_push_in(L, &(struct err){.code = "THROTTLED",
                                        .message = message,
                                        .has_numbers = true,
                                        .observed = 2.0 * rate,
                                        .limit = rate,
                                        .scope = scope});
}

/* stem, separator (or none), counter in base 36. Prefix and two counters fit: 24 + 7 + 1 + 7. */
static void make_cid(struct script *script, const char *stem, char separator, char *cid)
{
    char digits[16];
    uint64_t number = ++script->next_id;
    size_t len = strnlen(stem, WEIR_ID_MAX - 9), n = 0;
    for (; n == 0 || number > 0; number /= 36)
        digits[n++] = "0123456789abcdefghijklmnopqrstuvwxyz"[number % 36];
    memcpy(cid, stem, len);
    if (separator)
        cid[len++] = separator;
    while (n > 0 && len < WEIR_ID_MAX - 1)
        cid[len++] = digits[--n];
    cid[len] = '\0';
}

/* --- submit ----------------------------------------------------------------------------------- */

static int deny(lua_State *L)
{
    cell_of(L)->script->report.orders_denied++;
    remark_refusal_in(L);
    return 2;
}

/* The wish is understood: may it be asked, and what is the answer? */
static int submit(lua_State *L, struct in_submit *wish)
{
    struct cell *cell = cell_of(L);
    struct script *script = cell->script;
    const struct script_world *world = &script->world;
    struct script_answer answer;
    struct market_view market;
    const char *code, *because_of = not_now(cell, &code);
    if (because_of)
        return err_say_in(L, code, "%s", because_of), deny(L);
    wish->strategy = script->strategy;
    wish->asker = ASKER_SCRIPT;
    if (ask_market(script, wish->msg.instrument, &market)) {
        wish->seen_seq = market.top.seq;
        wish->seen_t = market.top.msg.t;
    }
    make_cid(script, script->prefix, 0, wish->cid);
    lua_pushstring(L, wish->cid);
    answer.accepted = false;
    answer.refusal.code[0] = answer.refusal.message[0] =
        '\0'; /* the rest of the texts is not read */
    answer.refusal.has_reading = false;
    answer.refusal.reading = (struct risk_reading){0};

    guard_host_enter();
    bool paced =
        bucket_take(&script->orders, world->now(world->context), script->budget.orders_per_s);
    if (paced)
        world->submit(world->context, script, wish, &answer);
    if (answer.accepted)
        script->report.orders_sent++;
    else
        script->report.orders_denied++;
    guard_host_leave();

    if (!paced)
        return refuse_for_pace(L, "orders", script->budget.orders_per_s);
    if (answer.accepted)
        return 1;
    (void)err_refused_in(L, &answer.refusal);
    remark_refusal_in(L);
    return 2;
}

static int api_submit(lua_State *L)
{
    struct in_submit wish = {.strategy = 0};
    lua_settop(L, 1);
    if (lua_type(L, 1) != LUA_TTABLE)
        return err_say_in(L, "BAD_REQUEST",
                          "weir.submit takes a table {venue=, symbol=, side=, ...}, not a %s",
                          luaL_typename(L, 1)),
               deny(L);
    if (!only_fields_in(L, 1, "weir.submit", SUBMIT_FIELDS) || !read_wish(L, &wish))
        return deny(L);
    return submit(L, &wish);
}

/* The number at index. False: nil, err are pushed. */
static bool number_at(lua_State *L, int index, const struct grid *grid, int64_t *out)
{
    enum fit fit = weir_dec_from_lua(L, index, grid->exp, grid->step, out);
    if (fit == FITS)
        return true;
    lua_pushvalue(L, index);
    return refuse_number(L, grid, fit);
}

/* market.buy(price, qty, how), market.sell: a limit order without a table around it. */
static int market_order(lua_State *L)
{
    static const char *const how_words[] = {"GTC", "IOC", "FOK", "DAY", "post_only", NULL};
    static const uint8_t tifs[] = {WEIR_GTC, WEIR_IOC, WEIR_FOK, WEIR_DAY, WEIR_GTC};
    const struct weir_instrument *instrument =
        ask_instrument(cell_of(L)->script, (uint32_t)lua_tointeger(L, lua_upvalueindex(1)));
    struct in_submit wish = {.side = (uint8_t)lua_tointeger(L, lua_upvalueindex(2))};
    uint8_t how = 0;
    lua_settop(L, 3);
    if (!instrument)
        return err_say_in(L, "UNKNOWN_INSTRUMENT", "this market is not known any more"), deny(L);
    if (lua_type(L, 1) == LUA_TTABLE)
        return err_say_in(L, "BAD_REQUEST",
                          "a price is expected first, not a table: market.buy(price, qty), with a "
                          "dot and not a colon"),
               deny(L);
    struct grid price = price_grid(instrument, "price"), qty = qty_grid(instrument);
    address(&wish, instrument);
    if (!number_at(L, 1, &price, &wish.px) || !number_at(L, 2, &qty, &wish.qty) ||
        (!lua_isnil(L, 3) && !word_on_top(L, "how", how_words, &how)))
        return deny(L);
    wish.tif = tifs[how];
    wish.flags = how == 4 ? WEIR_POST_ONLY : 0;
    return submit(L, &wish);
}

void push_side_in(lua_State *L, uint32_t instrument, enum weir_side side)
{
    lua_pushinteger(L, instrument);
    lua_pushinteger(L, side);
    lua_pushcclosure(L, market_order, 2);
}

/* --- amend and cancel ------------------------------------------------------------------------- */

/* The script's own order with the id at 1; false: nil, err are pushed. */
static bool own_order(lua_State *L, struct order_view *view_out)
{
    const struct script *script = cell_of(L)->script;
    size_t len = 0;
    const char *id = lua_type(L, 1) == LUA_TSTRING ? lua_tolstring(L, 1, &len) : NULL;
    if (!id) {
        err_say_in(L, "BAD_REQUEST", "an id as weir.submit returned it is expected, not a %s",
                   luaL_typename(L, 1));
        return false;
    }
    uint32_t order =
        len < WEIR_ID_MAX && strlen(id) == len && len > 0 ? ask_order_find(script, id) : 0;
    if (order == 0 || !ask_order(script, order, view_out) ||
        view_out->order.strategy != script->strategy) {
        char shown[48];
        text_line(id, len, shown, sizeof shown);
        err_say_in(L, "NOT_FOUND", "no order of this script has the id \"%s\"", shown);
        return false;
    }
    if (order_label_is_done((enum order_label)view_out->order.label)) {
        err_say_in(L, "STATE", "the order is %s",
                   order_label_name((enum order_label)view_out->order.label));
        return false;
    }
    return true;
}

static struct in_change change_of(const struct script *script, uint16_t kind)
{
    return (struct in_change){.msg = {.size = sizeof(struct in_change), .kind = kind},
                              .strategy = script->strategy,
                              .asker = ASKER_SCRIPT};
}

/* Ask the owner; `true` for the script is pushed already. */
static int ask(lua_State *L, const struct in_change *wish, struct bucket *bucket, uint32_t rate,
               const char *what, uint64_t *sent)
{
    struct script *script = cell_of(L)->script;
    const struct script_world *world = &script->world;
    struct script_answer answer = {.accepted = true};
    guard_host_enter();
    bool paced = bucket_take(bucket, world->now(world->context), rate);
    if (paced)
        world->change(world->context, script, wish, &answer);
    if (paced && answer.accepted)
        ++*sent;
    guard_host_leave();
    if (!paced)
        return refuse_for_pace(L, what, rate);
    return answer.accepted ? 1 : err_refused_in(L, &answer.refusal);
}

/* The name an order was given when it was submitted: without what amends added. */
static void stem_of(const char *id, char *stem)
{
    size_t len = strcspn(id, ".");
    len = len < WEIR_ID_MAX - 1 ? len : WEIR_ID_MAX - 1;
    memcpy(stem, id, len);
    stem[len] = '\0';
}

static int api_amend(lua_State *L)
{
    struct cell *cell = cell_of(L);
    struct script *script = cell->script;
    struct order_view view;
    const char *code, *because_of;
    char stem[WEIR_ID_MAX];
    lua_settop(L, 2);
    if (!own_order(L, &view))
        return 2;
    if (lua_type(L, 2) != LUA_TTABLE)
        return err_say_in(L, "BAD_REQUEST",
                          "weir.amend takes an id and a table {price=, qty=, trigger=}");
    if (!only_fields_in(L, 2, "weir.amend",
                        FIELD_BIT(price) | FIELD_BIT(qty) | FIELD_BIT(trigger) | FIELD_BIT(trail)))
        return 2;
    because_of = not_now(cell, &code);
    if (because_of)
        return err_say_in(L, code, "%s", because_of);
    const struct weir_instrument *instrument = ask_instrument(script, view.order.msg.instrument);
    bool trails = view.hold.msg.size && view.hold.asked_type == WEIR_TRAILING;
    struct grid price = price_grid(instrument, "price"), qty = qty_grid(instrument),
                trigger = price_grid(instrument, trails ? "trail" : "trigger");
    struct in_change wish = change_of(script, IN_REPLACE);
    bool has_price = field_get(L, 2, FIELD_price) != LUA_TNIL,
         has_qty = field_get(L, 2, FIELD_qty) != LUA_TNIL,
         has_trigger = field_get(L, 2, trails ? FIELD_trail : FIELD_trigger) != LUA_TNIL,
         has_other = field_get(L, 2, trails ? FIELD_trigger : FIELD_trail) != LUA_TNIL;
    if (has_other)
        return err_say_in(L, "BAD_REQUEST",
                          "weir.amend: %s has no meaning for an order of this type",
                          trails ? "trigger" : "trail");
    if (!has_price && !has_qty && !has_trigger)
        return err_say_in(L, "BAD_REQUEST",
                          "weir.amend: none of price, qty and trigger (or trail) is given");
    if ((has_price && !number_field(L, 2, FIELD_price, &price, &wish.px)) ||
        (has_qty && !number_field(L, 2, FIELD_qty, &qty, &wish.qty)) ||
        (has_trigger &&
         !number_field(L, 2, trails ? FIELD_trail : FIELD_trigger, &trigger, &wish.trigger)))
        return 2;
    wish.change = (uint8_t)((has_price ? CHANGE_PX : 0) | (has_qty ? CHANGE_QTY : 0) |
                            (has_trigger ? CHANGE_TRIGGER : 0));
    wish.msg.venue = view.order.msg.venue;
    wish.msg.account = view.order.msg.account;
    wish.msg.instrument = view.order.msg.instrument;
    wish.order = view.order.order;
    memcpy(wish.cid, view.order.cid, sizeof wish.cid);
    stem_of(view.order.cid, stem);
    make_cid(script, stem, '.', wish.new_cid);
    lua_pushboolean(L, 1);
    return ask(L, &wish, &script->orders, script->budget.orders_per_s, "orders and amends",
               &script->report.amends_sent);
}

static int api_cancel(lua_State *L)
{
    struct script *script = cell_of(L)->script;
    struct order_view view;
    lua_settop(L, 1);
    if (!own_order(L, &view))
        return 2;
    struct in_change wish = change_of(script, IN_CANCEL);
    wish.msg.venue = view.order.msg.venue;
    wish.msg.account = view.order.msg.account;
    wish.msg.instrument = view.order.msg.instrument;
    wish.order = view.order.order;
    memcpy(wish.cid, view.order.cid, sizeof wish.cid);
    lua_pushboolean(L, 1);
    if (view.order.label == ORDER_PENDING_CANCEL)
        return 1;
    return ask(L, &wish, &script->cancels, script->budget.cancels_per_s, "cancels",
               &script->report.cancels_sent);
}

/* weir.cancel_all{venue=, symbol=}: all of this script's orders, or those there. */
static int api_cancel_all(lua_State *L)
{
    struct script *script = cell_of(L)->script;
    struct in_change wish = change_of(script, IN_CANCEL_MANY);
    wish.msg.venue = 0xffff;
    lua_settop(L, 1);
    if (lua_type(L, 1) != LUA_TTABLE && !lua_isnil(L, 1))
        return err_say_in(L, "BAD_REQUEST",
                          "weir.cancel_all takes a table {venue=, symbol=}, or nothing");
    if (lua_type(L, 1) == LUA_TTABLE) {
        if (!only_fields_in(L, 1, "weir.cancel_all", FIELD_BIT(venue) | FIELD_BIT(symbol)))
            return 2;
        bool venue = field_get(L, 1, FIELD_venue) != LUA_TNIL,
             symbol = field_get(L, 1, FIELD_symbol) != LUA_TNIL;
        if (symbol) {
            wish.msg.instrument = instrument_named_in(L, 2, 3);
            if (wish.msg.instrument == 0)
                return 2;
            wish.msg.venue = ask_instrument(script, wish.msg.instrument)->msg.venue;
        } else if (venue) {
            size_t len = 0;
            const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tolstring(L, 2, &len) : NULL;
            uint32_t number =
                name && strlen(name) == len ? ask_number(script, SCOPE_venue, name) : UINT32_MAX;
            if (number == UINT32_MAX)
                return err_say_in(L, "NOT_FOUND", "weir.cancel_all: no venue has this name");
            wish.msg.venue = (uint16_t)number;
        }
    }
    lua_pushboolean(L, 1);
    return ask(L, &wish, &script->cancels, script->budget.cancels_per_s, "cancels",
               &script->report.cancels_sent);
}

void api_push_orders_in(lua_State *L)
{
    static const luaL_Reg functions[] = {{"submit", api_submit},
                                         {"amend", api_amend},
                                         {"cancel", api_cancel},
                                         {"cancel_all", api_cancel_all},
                                         {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}
