/* api.c - the global `weir`: what has to do neither with orders nor with questions about them.
 *
 * HOST FUNCTIONS  (all of them, here and in orders.c, views.c, wishes.c) work in this order: read
 *                 their arguments raw, by exact type, into C; make every Lua object of the result;
 *                 act, between guard_host_enter() and guard_host_leave(), where no Lua is called;
 *                 fill in. No metamethod is ever asked. So a call that is left early, by memory or by
 *                 the deadline, has either done nothing or all.
 * `weir` itself is an empty table before the real one: it can be read and listed, and weir.state can
 * be assigned. A name that is not there is an error with the nearest one that is. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "script/ask.h"
#include "script/reference.h"

static const char ERR[] = "err";

/* --- errors as tables ------------------------------------------------------------------------- */

static void set_text(lua_State *L, const char *name, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

int err_push_in(lua_State *L, const struct err *err)
{
    luaL_checkstack(L, 6, NULL);
    lua_pushnil(L);
    lua_createtable(L, 0, 5);
    set_text(L, "code", err->code);
    set_text(L, "message", err->message);
    set_text(L, "scope", err->scope ? err->scope : "");
    if (err->has_numbers) {
        lua_pushnumber(L, err->observed);
        lua_setfield(L, -2, "observed");
        lua_pushnumber(L, err->limit);
        lua_setfield(L, -2, "limit");
    }
    luaL_setmetatable(L, ERR);
    return 2;
}

int err_say_in(lua_State *L, const char *code, const char *format, ...)
{
    char message[200];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return err_push_in(L, &(struct err){.code = code, .message = message});
}

static lua_Number reading_number(int64_t value, int8_t exp)
{
    return (lua_Number)value / (lua_Number)pow10_of(exp >= 0 && exp <= 18 ? exp : 0);
}

int err_refused_in(lua_State *L, const struct script_refusal *refusal)
{
    char scope[64] = "";
    const struct risk_reading *reading = &refusal->reading;
    const char *message = refusal->message;
    if (refusal->has_reading) {
        const struct script *script = cell_of(L)->script;
        enum risk_scope of = (enum risk_scope)reading->scope;
        const char *name = refusal->scope_name;
        if (!*name)
            name = ask_name(script, of, reading->id);
        snprintf(scope, sizeof scope, "%s%s%s", risk_scope_name(of), *name ? " " : "", name);
        if (!*message)
            message = risk_check_text((enum risk_check)reading->check);
    }
    return err_push_in(L, &(struct err){.code = refusal->code,
                                        .message = *message ? message : "refused",
                                        .has_numbers = refusal->has_reading,
                                        .observed = reading_number(reading->value, reading->exp),
                                        .limit = reading_number(reading->limit, reading->exp),
                                        .scope = scope});
}

static uint32_t hash_of(const char *text, uint32_t hash)
{
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    return hash;
}

static const char *raw_text(lua_State *L, const char *name)
{
    lua_pushstring(L, name);
    lua_rawget(L, 1);
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
    return text;
}

void remark_refusal_in(lua_State *L)
{
    struct cell *cell = cell_of(L);
    const struct script_world *world = &cell->script->world;
    char code[40] = "", message[200] = "", text[320], scope[64] = "";
    lua_Debug at;
    if (!world->remark || cell->remarks == REMARKS_MOST || !lua_getstack(L, 1, &at) ||
        !lua_getinfo(L, "Sl", &at) || at.currentline < 0)
        return;
    luaL_checkstack(L, 4, NULL);
    static const char *const names[] = {"code", "message", "scope"};
    char *const out[] = {code, message, scope};
    const size_t room[] = {sizeof code, sizeof message, sizeof scope};
    for (int i = 0; i < 3; i++) {
        lua_pushstring(L, names[i]);
        lua_rawget(L, -2);
        text_plain(L, -1, out[i], room[i]);
        lua_pop(L, 1);
    }
    uint32_t key = hash_of(code, 2166136261u ^ (uint32_t)at.currentline);
    for (uint32_t i = 0; i < cell->remarks; i++)
        if (cell->remarked[i] == key)
            return;
    cell->remarked[cell->remarks++] = key;
    snprintf(text, sizeof text, "%s:%d: refused, %s: %s%s%s%s", at.short_src, at.currentline, code,
             message, *scope ? " (" : "", scope, *scope ? ")" : "");
    guard_host_enter();
    world->remark(world->context, cell->script, text);
    guard_host_leave();
}

/* "MAX_POSITION: position with the worst case ... (observed 3, limit 2, scope strategy maker)" */
static int err_text_of(lua_State *L)
{
    char numbers[96] = "";
    luaL_checktype(L, 1, LUA_TTABLE);
    const char *code = raw_text(L, "code"), *message = raw_text(L, "message"),
               *scope = raw_text(L, "scope");
    lua_pushliteral(L, "observed");
    bool observed = lua_rawget(L, 1) == LUA_TNUMBER;
    lua_pushliteral(L, "limit");
    if (lua_rawget(L, 1) == LUA_TNUMBER && observed)
        snprintf(numbers, sizeof numbers, "observed %.14g, limit %.14g%s", lua_tonumber(L, -2),
                 lua_tonumber(L, -1), *scope ? ", " : "");
    if (*numbers || *scope)
        lua_pushfstring(L, "%s: %s (%s%s%s)", code, message, numbers, *scope ? "scope " : "",
                        scope);
    else
        lua_pushfstring(L, "%s: %s", code, message);
    return 1;
}

static int err_concat(lua_State *L)
{
    text_of_in(L, 1, NULL);
    text_of_in(L, 2, NULL);
    lua_concat(L, 2);
    return 1;
}

void err_open_in(lua_State *L)
{
    luaL_newmetatable(L, ERR);
    lua_pushcfunction(L, err_text_of);
    lua_setfield(L, -2, "__tostring");
    lua_pushcfunction(L, err_concat);
    lua_setfield(L, -2, "__concat");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

/* --- members that nobody knows -------------------------------------------------------------------- */

static int nearest_member(lua_State *L, const char *function, uint64_t fields)
{
    static const char *const names[] = {
#define X(name) #name,
        FIELDS(X)
#undef X
    };
    char shown[40];
    struct nearest nearest;
    text_plain(L, -2, shown, sizeof shown);
    hint_begin(&nearest, shown);
    for (int i = 0; i < FIELD_COUNT; i++)
        if (fields >> i & 1)
            hint_offer(&nearest, names[i]);
    return err_say_in(L, "BAD_REQUEST", "%s has no member '%s'%s%s%s", function, shown,
                      nearest.best ? "; did you mean " : "", nearest.best ? nearest.best : "",
                      nearest.best ? "?" : "");
}

bool only_fields_in(lua_State *L, int index, const char *function, uint64_t fields)
{
    struct cell *cell = cell_of(L);
    uint64_t given = 0;
    index = lua_absindex(L, index);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
        uint8_t field = key ? cell->field_at[field_place(cell, key)] : 0;
        uint64_t bit = field ? UINT64_C(1) << (field - 1) : 0;
        if (!(fields & bit)) {
            nearest_member(L, function, fields);
            return false;
        }
        given |= bit;
    }
    cell->given = given;
    return true;
}

/* --- pace ------------------------------------------------------------------------------------- */

bool bucket_take(struct bucket *bucket, weir_ns now, uint32_t rate)
{
    const int64_t token = 1000000000, most = 2 * (int64_t)rate * token;
    weir_ns passed = now - bucket->at;
    if (bucket->at == 0 || passed > 2 * token)
        bucket->level = most;
    else if (passed > 0)
        bucket->level += passed * (int64_t)rate;
    if (bucket->at == 0 || passed > 0)
        bucket->at = now;
    if (bucket->level > most)
        bucket->level = most;
    if (bucket->level < token)
        return false;
    bucket->level -= token;
    return true;
}

/* --- time, lines, alerts ---------------------------------------------------------------------- */

weir_ns now_in(lua_State *L)
{
    const struct script_world *world = &cell_of(L)->script->world;
    guard_host_enter();
    weir_ns now = world->now(world->context);
    guard_host_leave();
    return now;
}

static int api_now(lua_State *L)
{
    lua_pushinteger(L, now_in(L));
    return 1;
}

void log_in(struct cell *cell, const char *line)
{
    struct script *script = cell->script;
    const struct script_world *world = &script->world;
    guard_host_enter();
    if (!bucket_take(&script->lines, world->now(world->context), script->budget.log_lines_per_s)) {
        script->lines_dropped++;
        script->report.log_dropped++;
    } else {
        if (script->lines_dropped > 0 && world->log) {
            char told[96];
            snprintf(told, sizeof told, "(%llu lines dropped: more than %u a second)",
                     (unsigned long long)script->lines_dropped, script->budget.log_lines_per_s);
            world->log(world->context, script, told);
            script->lines_dropped = 0;
        }
        if (world->log)
            world->log(world->context, script, line);
        script->report.log_lines++;
    }
    guard_host_leave();
}

static bool is_err(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TTABLE || !lua_getmetatable(L, index))
        return false;
    luaL_getmetatable(L, ERR);
    bool is = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return is;
}

/* weir.log(...): its arguments in one line, with spaces between; what weir.submit and others return as
 * their second value reads well. */
static int api_log(lua_State *L)
{
    struct cell *cell = cell_of(L);
    char line[4096] = "";
    size_t room = (size_t)cell->script->budget.log_line_max + 1, used = 0;
    int count = lua_gettop(L);
    room = room < sizeof line ? room : sizeof line;
    luaL_checkstack(L, 4, NULL);
    for (int i = 1; i <= count && room - used > 8; i++) {
        if (i > 1)
            line[used++] = ' ';
        if (is_err(L, i)) {
            lua_pushcfunction(L, err_text_of);
            lua_pushvalue(L, i);
            lua_call(L, 1, 1);
            lua_replace(L, i);
        }
        text_plain(L, i, line + used, room - used);
        used += strlen(line + used);
    }
    log_in(cell, line);
    return 0;
}

/* A raw string field, made one line. False: it is there and not a string. */
static bool line_field(lua_State *L, int index, const char *name, char *out, size_t room)
{
    size_t len;
    *out = '\0';
    lua_pushstring(L, name);
    int type = lua_rawget(L, index);
    if (type == LUA_TSTRING) {
        const char *text = lua_tolstring(L, -1, &len);
        text_line(text, len, out, room);
    }
    lua_pop(L, 1);
    return type == LUA_TSTRING || type == LUA_TNIL;
}

static int throttled(lua_State *L, const char *what, uint32_t rate)
{
    struct cell *cell = cell_of(L);
    if (++cell->floods > cell->script->budget.floods)
        guard_abandon(GUARD_FLOOD);
    return err_say_in(L, "THROTTLED", "more than %u %s a second", rate, what);
}

/* weir.alert{level=, text=, venue=, symbol=}, or weir.alert("text"). */
static int api_alert(lua_State *L)
{
    struct cell *cell = cell_of(L);
    struct script *script = cell->script;
    char level[16] = "warn", text[256], venue[NAME_MAX_LEN] = "", symbol[WEIR_SYMBOL_MAX] = "";
    lua_settop(L, 1);
    if (lua_type(L, 1) == LUA_TTABLE) {
        if (!only_fields_in(L, 1, "weir.alert",
                            FIELD_BIT(level) | FIELD_BIT(text) | FIELD_BIT(venue) |
                                FIELD_BIT(symbol)))
            return 2;
        if (!line_field(L, 1, "level", level, sizeof level) ||
            !line_field(L, 1, "text", text, sizeof text) ||
            !line_field(L, 1, "venue", venue, sizeof venue) ||
            !line_field(L, 1, "symbol", symbol, sizeof symbol))
            return err_say_in(L, "BAD_REQUEST",
                              "weir.alert: level, text, venue and symbol are strings");
    } else if (lua_type(L, 1) == LUA_TSTRING) {
        text_plain(L, 1, text, sizeof text);
    } else {
        return err_say_in(L, "BAD_REQUEST", "weir.alert takes a table {level=, text=}, not a %s",
                          luaL_typename(L, 1));
    }
    if (!*level)
        snprintf(level, sizeof level, "warn");
    if (strcmp(level, "info") != 0 && strcmp(level, "warn") != 0 && strcmp(level, "critical") != 0)
        return err_say_in(L, "BAD_REQUEST",
                          "weir.alert: level is info, warn or critical, not \"%s\"", level);
    if (!*text)
        return err_say_in(L, "BAD_REQUEST", "weir.alert: text is missing");

    const struct script_world *world = &script->world;
    guard_host_enter();
    bool paced =
        bucket_take(&script->alerts, world->now(world->context), script->budget.alerts_per_s);
    if (paced && world->alert) {
        uint32_t number = *venue ? ask_number(script, SCOPE_venue, venue) : UINT32_MAX;
        world->alert(
            world->context, script,
            &(struct script_alert){
                level, text, venue, symbol,
                number == UINT32_MAX ? 0 : ask_instrument_find(script, (uint16_t)number, symbol)});
    }
    guard_host_leave();
    if (!paced)
        return throttled(L, "alerts", script->budget.alerts_per_s);
    lua_pushboolean(L, 1);
    return 1;
}

/* --- data out --------------------------------------------------------------------------------- */

char *text_room_in(lua_State *L)
{
    struct cell *cell = cell_of(L);
    if (!cell->text) {
        guard_host_enter();
        cell->text_room = (size_t)cell->script->budget.state_max + 1;
        if (cell->text_room < 2 * (PUBLISHED_MAX + 1))
            cell->text_room = 2 * (PUBLISHED_MAX + 1);
        cell->text = malloc(cell->text_room);
        guard_host_leave();
        if (!cell->text)
            luaL_error(L, "the host is out of memory");
    }
    return cell->text;
}

static bool is_name(const char *text, size_t len)
{
    static const char alphabet[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    return len > 0 && len < NAME_MAX_LEN && strspn(text, alphabet) == len;
}

/* weir.publish(topic, table): plain data, for scripts that asked for the topic, consoles and other
 * programs. */
static int api_publish(lua_State *L)
{
    struct cell *cell = cell_of(L);
    struct script *script = cell->script;
    const struct script_world *world = &script->world;
    size_t len = 0;
    char topic[NAME_MAX_LEN];
    lua_settop(L, 2);
    const char *text = lua_type(L, 1) == LUA_TSTRING ? lua_tolstring(L, 1, &len) : NULL;
    if (!text || !is_name(text, len))
        return err_say_in(L, "BAD_REQUEST",
                          "weir.publish: a name of at most %d letters, digits, _ . - is "
                          "expected first",
                          NAME_MAX_LEN - 1);
    memcpy(topic, text, len + 1);
    if (lua_type(L, 2) != LUA_TTABLE)
        return err_say_in(L, "BAD_REQUEST", "weir.publish: a table is expected second");
    struct plain plain = {.text = text_room_in(L), .room = PUBLISHED_MAX + 1};
    struct plain json = {.text = plain.text + plain.room, .room = plain.room, .json = true};
    if (!plain_write_in(L, 2, &plain))
        return err_say_in(L, "BAD_REQUEST", "weir.publish: %s", plain.problem);
    if (!plain_write_in(L, 2, &json))
        return err_say_in(L, "BAD_REQUEST", "weir.publish: %s", json.problem);
    guard_host_enter();
    weir_ns now = world->now(world->context);
    bool paced = bucket_take(&script->messages, now, script->budget.messages_per_s);
    if (paced && world->publish)
        world->publish(world->context, script,
                       &(struct script_message){topic, script->name, now, plain.text, plain.len,
                                                json.text, json.len});
    guard_host_leave();
    if (!paced)
        return throttled(L, "published tables", script->budget.messages_per_s);
    lua_pushboolean(L, 1);
    return 1;
}

/* --- modules ---------------------------------------------------------------------------------- */

static const struct script_source *module_named(const struct cell *cell, const char *name)
{
    for (size_t i = 0; i < cell->module_count; i++)
        if (strcmp(cell->modules[i].name, name) == 0)
            return &cell->modules[i];
    return NULL;
}

/* An environment of its own, through which the script's globals are seen. */
static void push_environment(lua_State *L, struct cell *cell)
{
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, cell->globals_ref);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
}

/* weir.import("name"): what the module returns; each is loaded once in a state. */
static int api_import(lua_State *L)
{
    struct cell *cell = cell_of(L);
    char shown[64], chunk[80];
    lua_settop(L, 1);
    text_plain(L, 1, shown, sizeof shown);
    const char *name = lua_type(L, 1) == LUA_TSTRING ? lua_tostring(L, 1) : "";
    const struct script_source *module = module_named(cell, name);
    if (!module)
        return luaL_error(L, "weir.import: no module \"%s\" is listed for this script", shown);
    lua_rawgeti(L, LUA_REGISTRYINDEX, cell->imported_ref);
    lua_pushvalue(L, 1);
    int type = lua_rawget(L, 2);
    if (type == LUA_TLIGHTUSERDATA)
        return luaL_error(L, "weir.import: \"%s\" imports itself, in a circle", shown);
    if (type != LUA_TNIL)
        return 1;
    lua_pushvalue(L, 1);
    lua_pushlightuserdata(L, cell);
    lua_rawset(L, 2);
    snprintf(chunk, sizeof chunk, "@%s.lua", shown);
    if (sandbox_load_in(L, module->text, module->len, chunk) != LUA_OK)
        return lua_error(L);
    push_environment(L, cell);
    if (!lua_setupvalue(L, -2, 1))
        lua_pop(L, 1);
    lua_call(L, 0, 1);
    if (lua_isnil(L, -1)) {
        lua_pushboolean(L, 1);
        lua_replace(L, -2);
    }
    lua_pushvalue(L, 1);
    lua_pushvalue(L, -2);
    lua_rawset(L, 2);
    return 1;
}

/* --- the table -------------------------------------------------------------------------------- */

static int unknown_name(lua_State *L)
{
    char shown[48];
    text_plain(L, 2, shown, sizeof shown);
    const char *nearest = reference_nearest_weir(shown);
    if (nearest)
        return luaL_error(L, "weir has no '%s'; did you mean weir.%s?", shown, nearest);
    return luaL_error(L, "weir has no '%s'", shown);
}

static int refuse_write(lua_State *L)
{
    char shown[48];
    if (lua_type(L, 2) == LUA_TSTRING && strcmp(lua_tostring(L, 2), "state") == 0) {
        if (lua_type(L, 3) != LUA_TTABLE)
            return luaL_error(L, "weir.state is a table, not a %s", luaL_typename(L, 3));
        lua_rawgeti(L, LUA_REGISTRYINDEX, cell_of(L)->weir_ref);
        lua_pushvalue(L, 2);
        lua_pushvalue(L, 3);
        lua_rawset(L, -3);
        return 0;
    }
    text_plain(L, 2, shown, sizeof shown);
    return luaL_error(
        L, "weir.%s cannot be assigned: events come through weir.on(), data stays in weir.state",
        shown);
}

static int list_names(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_rawgeti(L, LUA_REGISTRYINDEX, cell_of(L)->weir_ref);
    lua_call(L, 1, 3);
    return 3;
}

/* The real table is on top: put the empty one in front of it into the globals, below. */
static void open_front(lua_State *L)
{
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, unknown_name);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_newtable(L);
    lua_createtable(L, 0, 4);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, refuse_write);
    lua_setfield(L, -2, "__newindex");
    lua_getfield(L, -4, "pairs");
    lua_pushcclosure(L, list_names, 1);
    lua_setfield(L, -2, "__pairs");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_setfield(L, -3, "weir");
}

void api_open_in(lua_State *L, struct cell *cell)
{
    static const luaL_Reg functions[] = {{"now", api_now},       {"log", api_log},
                                         {"alert", api_alert},   {"publish", api_publish},
                                         {"import", api_import}, {NULL, NULL}};
    err_open_in(L);
    lua_newtable(L);
    lua_newtable(L);
    cell->imported_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushboolean(L, 0);
    cell->walk_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    luaL_setfuncs(L, functions, 0);
    api_push_orders_in(L);
    api_push_views_in(L);
    api_push_market_in(L);
    api_push_events_in(L);
    api_push_settings_in(L);
    dec_open_in(L);
    lua_setfield(L, -2, "dec");
    lua_getfield(L, -2, "math");
    lua_getfield(L, -1, "random");
    lua_setfield(L, -3, "random");
    lua_pop(L, 1);
    lua_newtable(L);
    lua_setfield(L, -2, "state");
    lua_pushvalue(L, -1);
    cell->weir_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    open_front(L);
    lua_pop(L, 1);
}
