/* settings.c - weir.declare: what settings a script has, of which type and in which range.
 *
 *     local settings = weir.declare{
 *         symbol = {type = "text", doc = "where"},                         -- must be given
 *         clip = {type = "number", min = 0.001, max = 5, default = 0.01},
 *         side = {type = "text", of = {"buy", "sell"}, default = "buy"},
 *     }
 *
 * Without a default it must be given, unless it says optional = true. Types: number, integer, text, flag, list, table. Afterwards weir.settings has the defaults, too. A
 * setting that is missing, undeclared, of another type or out of range is an error at the place where it
 * stands in the configuration; `weir check` finds it by running the chunk up to this call. */
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "script/cell.h"

enum type { TYPE_NUMBER, TYPE_INTEGER, TYPE_TEXT, TYPE_FLAG, TYPE_LIST, TYPE_TABLE };
static const char *const type_names[] = {"number", "integer", "text", "flag",
                                         "list",   "table",   NULL};
static const char *const expectations[] = {"a number",      "a whole number", "a text",
                                           "true or false", "a list",         "a table"};

/* One setting, while it is looked at. Indices are of the stack. */
struct setting {
    int declared; /* the table of declarations */
    int spec;
    int given; /* the settings as the configuration has them */
    char name[48];
    char at[96]; /* "maker.lua:4": where it is declared */
    enum type type;
};

enum { FAULT_ROOM = 320 };

/* --- keeping -------------------------------------------------------------------------------------- */

void settings_keep_in(lua_State *L, struct cell *cell, const struct script_value *settings)
{
    lua_newtable(L);
    for (size_t i = 0; settings && i < settings->count; i++)
        if (settings->items[i].key && settings->items[i].place) {
            lua_pushstring(L, settings->items[i].place);
            lua_setfield(L, -2, settings->items[i].key);
        }
    cell->places_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    cell->settings_ref = plain_settings_in(L, settings);
}

/* --- faults --------------------------------------------------------------------------------------- */

/* Where the configuration has it, and what is wrong: a check keeps that, a run stops with it. */
static _Noreturn void fault(lua_State *L, const struct setting *setting, const char *what)
{
    struct cell *cell = cell_of(L);
    char place[160] = "", text[FAULT_ROOM + 300];
    lua_rawgeti(L, LUA_REGISTRYINDEX, cell->places_ref);
    lua_pushstring(L, setting->name);
    if (lua_rawget(L, -2) == LUA_TSTRING)
        snprintf(place, sizeof place, "%s: ", lua_tostring(L, -1));
    snprintf(text, sizeof text, "%ssettings.%s: %s (declared in %s)", place, setting->name, what,
             setting->at);
    if (cell->mode == MODE_CHECKING) {
        snprintf(cell->script->reason, sizeof cell->script->reason, "%s", text);
        cell->script->declared = true;
        guard_abandon(GUARD_CHECKED);
    }
    (void)luaL_error(L, "%s", text);
    __builtin_unreachable();
}

/* "a number, 0 to 5", "one of buy, sell": the spec is at setting->spec. */
static void say_expected(lua_State *L, const struct setting *setting, char *out, size_t room)
{
    char low[40], high[40], word[40];
    lua_pushliteral(L, "min");
    bool from = lua_rawget(L, setting->spec) == LUA_TNUMBER;
    text_plain(L, -1, low, sizeof low);
    lua_pushliteral(L, "max");
    bool to = lua_rawget(L, setting->spec) == LUA_TNUMBER;
    text_plain(L, -1, high, sizeof high);
    lua_pushliteral(L, "of");
    bool words = lua_rawget(L, setting->spec) == LUA_TTABLE;
    size_t len =
        (size_t)snprintf(out, room, "%s%s%s%s%s%s", words ? "one of" : expectations[setting->type],
                         from ? ", " : "", from ? low : "", from && !to ? " or more" : "",
                         to ? (from ? " to " : ", at most ") : "", to ? high : "");
    for (int i = 1; words && len < room && lua_rawgeti(L, -1, i) != LUA_TNIL; i++) {
        text_plain(L, -1, word, sizeof word);
        len += (size_t)snprintf(out + len, room - len, "%s %s", i > 1 ? "," : "", word);
        lua_pop(L, 1);
    }
    lua_settop(L, setting->spec);
}

/* The value at index is not what was declared. */
static void fault_value(lua_State *L, const struct setting *setting, int index)
{
    char shown[60], expected[160], what[FAULT_ROOM];
    bool text = lua_type(L, index) == LUA_TSTRING;
    if (lua_istable(L, index))
        snprintf(shown, sizeof shown, "a table");
    else
        text_plain(L, index, shown, sizeof shown);
    say_expected(L, setting, expected, sizeof expected);
    snprintf(what, sizeof what, "expected %s; found %s%s%s", expected, text ? "\"" : "", shown,
             text ? "\"" : "");
    fault(L, setting, what);
}

/* --- one setting ---------------------------------------------------------------------------------- */

static bool is_type(lua_State *L, int index, enum type type)
{
    switch (type) {
    case TYPE_NUMBER: return lua_type(L, index) == LUA_TNUMBER;
    case TYPE_INTEGER: return lua_isinteger(L, index);
    case TYPE_TEXT: return lua_type(L, index) == LUA_TSTRING;
    case TYPE_FLAG: return lua_isboolean(L, index);
    default: return lua_istable(L, index);
    }
}

static bool in_range(lua_State *L, const struct setting *setting, int index)
{
    bool good = true;
    lua_pushliteral(L, "min");
    if (lua_rawget(L, setting->spec) == LUA_TNUMBER && lua_type(L, index) == LUA_TNUMBER)
        good = lua_compare(L, -1, index, LUA_OPLE);
    lua_pushliteral(L, "max");
    if (lua_rawget(L, setting->spec) == LUA_TNUMBER && lua_type(L, index) == LUA_TNUMBER)
        good = good && lua_compare(L, index, -1, LUA_OPLE);
    lua_pop(L, 2);
    return good;
}

static bool is_of(lua_State *L, const struct setting *setting, int index)
{
    bool good = false;
    lua_pushliteral(L, "of");
    if (lua_rawget(L, setting->spec) != LUA_TTABLE) {
        lua_pop(L, 1);
        return true;
    }
    for (int i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++) {
        good = good || lua_rawequal(L, index, -1);
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
    return good;
}

/* The declaration itself is sound, and says which type. */
static void read_spec(lua_State *L, struct setting *setting)
{
    static const char *const members[] = {"type", "default", "optional", "min",
                                          "max",  "of",      "doc",      NULL};
    char shown[40];
    if (!lua_istable(L, setting->spec))
        luaL_error(L,
                   "weir.declare: %s is a %s; a table {type=, default=, min=, max=, of=, doc=} is "
                   "expected",
                   setting->name, luaL_typename(L, setting->spec));
    for (lua_pushnil(L); lua_next(L, setting->spec); lua_pop(L, 1)) {
        size_t i = 0;
        text_plain(L, -2, shown, sizeof shown);
        while (members[i] && strcmp(members[i], shown) != 0)
            i++;
        const char *nearest = members[i] ? NULL : hint_nearest(shown, members);
        if (!members[i])
            luaL_error(L, "weir.declare: %s has no '%s'%s%s", setting->name, shown,
                       nearest ? "; did you mean "
                               : "; expected type, default, optional, min, max, of, doc",
                       nearest ? nearest : "");
    }
    lua_pushliteral(L, "type");
    lua_rawget(L, setting->spec);
    text_plain(L, -1, shown, sizeof shown);
    setting->type = TYPE_NUMBER;
    while (type_names[setting->type] && strcmp(type_names[setting->type], shown) != 0)
        setting->type = (enum type)(setting->type + 1);
    if (!type_names[setting->type])
        luaL_error(
            L, "weir.declare: %s.type is %s; expected number, integer, text, flag, list or table",
            setting->name, shown);
    lua_pop(L, 1);
}

/* Its value is at the top: the one given, else the default. */
static void take_setting(lua_State *L, const struct setting *setting)
{
    char expected[160], what[FAULT_ROOM];
    lua_pushstring(L, setting->name);
    if (lua_rawget(L, setting->given) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_pushliteral(L, "default");
        if (lua_rawget(L, setting->spec) == LUA_TNIL) {
            lua_pushliteral(L, "optional");
            lua_rawget(L, setting->spec);
            if (lua_toboolean(L, -1))
                return;
            say_expected(L, setting, expected, sizeof expected);
            snprintf(what, sizeof what, "missing; expected %s", expected);
            fault(L, setting, what);
        }
    }
    int value = lua_gettop(L);
    if (!is_type(L, value, setting->type) || !in_range(L, setting, value) ||
        !is_of(L, setting, value))
        fault_value(L, setting, value);
    lua_pushstring(L, setting->name);
    lua_insert(L, -2);
    lua_rawset(L, setting->given);
}

/* Each that is given must be declared. */
static void refuse_undeclared(lua_State *L, struct setting *setting)
{
    char what[FAULT_ROOM];
    struct nearest nearest;
    for (lua_pushnil(L); lua_next(L, setting->given); lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        if (lua_rawget(L, setting->declared) != LUA_TNIL) {
            lua_pop(L, 1);
            continue;
        }
        text_plain(L, -3, setting->name, sizeof setting->name);
        hint_begin(&nearest, setting->name);
        for (lua_pushnil(L); lua_next(L, setting->declared); lua_pop(L, 1))
            if (lua_type(L, -2) == LUA_TSTRING)
                hint_offer(&nearest, lua_tostring(L, -2));
        snprintf(what, sizeof what, "the script has no such setting%s%s%s",
                 nearest.best ? "; did you mean " : "", nearest.best ? nearest.best : "",
                 nearest.best ? "?" : "");
        fault(L, setting, what);
    }
}

static void note_place(lua_State *L, struct setting *setting)
{
    lua_Debug at;
    if (lua_getstack(L, 1, &at) && lua_getinfo(L, "Sl", &at))
        snprintf(setting->at, sizeof setting->at, "%s:%d", at.short_src, at.currentline);
}

/* weir.declare{name = {type=, default=, min=, max=, of=, doc=}, ...} -> weir.settings */
static int api_declare(lua_State *L)
{
    struct cell *cell = cell_of(L);
    struct setting setting = {.declared = 1, .name = ""};
    lua_settop(L, 1);
    if (!lua_istable(L, 1))
        return luaL_error(L, "weir.declare takes a table {name = {type=, ...}, ...}, not a %s",
                          luaL_typename(L, 1));
    if (cell->mode != MODE_LOADING && cell->mode != MODE_CHECKING)
        return luaL_error(L, "weir.declare: settings are declared while the chunk loads");
    if (cell->declared)
        return luaL_error(L, "weir.declare: settings are declared once");
    note_place(L, &setting);
    lua_rawgeti(L, LUA_REGISTRYINDEX, cell->settings_ref);
    setting.given = lua_gettop(L);
    refuse_undeclared(L, &setting);
    walk_open_in(L, 1);
    int walker = lua_gettop(L);
    while (walk_next_in(L, walker)) {
        setting.spec = lua_gettop(L);
        text_plain(L, -2, setting.name, sizeof setting.name);
        if (lua_type(L, -2) != LUA_TSTRING)
            return luaL_error(L, "weir.declare: %s is not a name", setting.name);
        read_spec(L, &setting);
        take_setting(L, &setting);
        lua_settop(L, walker);
    }
    cell->declared = true;
    if (cell->mode == MODE_CHECKING) {
        cell->script->declared = true;
        guard_abandon(GUARD_CHECKED);
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, cell->weir_ref);
    lua_pushliteral(L, "settings");
    lua_rawget(L, -2);
    return 1;
}

void api_push_settings_in(lua_State *L)
{
    lua_pushcfunction(L, api_declare);
    lua_setfield(L, -2, "declare");
}
