/* plain.c - plain data in and out: settings, weir.state, published tables.
 *
 * Plain are booleans, numbers that are finite, strings, exact values, and tables of such with
 * keys that are strings or whole numbers, no deeper than PLAIN_DEPTH. Written text depends on the
 * data alone: keys are sorted, numbers have 17 digits. It reads as a Lua table:
 *
 *     {[1]=0.5,["held"]=dec"0.25",["last"]={}}
 *
 * and is read back by the parser below, never by load(). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/utf8.h"
#include "script/cell.h"

/* --- settings --------------------------------------------------------------------------------- */

static int refuse_write(lua_State *L)
{
    return luaL_error(L, "weir.settings is read-only: they come from the configuration");
}

static int length(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)lua_rawlen(L, lua_upvalueindex(1)));
    return 1;
}

static int read_only_pairs(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_call(L, 1, 3);
    return 3;
}

/* The table on top is replaced by an empty one that shows it and takes nothing. Upvalue 2 of its
 * __pairs is our own pairs(), whatever the script did to its globals. */
static void make_read_only(lua_State *L)
{
    lua_createtable(L, 0, 0);
    lua_createtable(L, 0, 5);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, refuse_write);
    lua_setfield(L, -2, "__newindex");
    lua_pushvalue(L, -3);
    lua_pushcclosure(L, length, 1);
    lua_setfield(L, -2, "__len");
    lua_pushvalue(L, -3);
    lua_getglobal(L, "pairs");
    lua_pushcclosure(L, read_only_pairs, 2);
    lua_setfield(L, -2, "__pairs");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_remove(L, -2);
}

static void push_table(lua_State *L, const struct script_value *value, bool read_only, int depth);

static void push_value(lua_State *L, const struct script_value *value, bool read_only, int depth)
{
    switch (value->kind) {
    case SCRIPT_BOOL: lua_pushboolean(L, value->number != 0); return;
    case SCRIPT_INT: lua_pushinteger(L, value->number); return;
    case SCRIPT_TEXT: lua_pushstring(L, value->text); return;
    case SCRIPT_DECIMAL:
        if (!lua_stringtonumber(L, value->text))
            lua_pushstring(L, value->text);
        return;
    case SCRIPT_LIST:
    case SCRIPT_MAP: push_table(L, value, read_only, depth); return;
    default: lua_pushnil(L);
    }
}

static void push_table(lua_State *L, const struct script_value *value, bool read_only, int depth)
{
    luaL_checkstack(L, 8, NULL);
    lua_newtable(L);
    for (size_t i = 0; i < value->count && depth > 0; i++) {
        push_value(L, &value->items[i], read_only, depth - 1);
        if (value->kind == SCRIPT_MAP)
            lua_setfield(L, -2, value->items[i].key);
        else
            lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    if (read_only)
        make_read_only(L);
}

int plain_settings_in(lua_State *L, const struct script_value *settings)
{
    lua_newtable(L);
    for (size_t i = 0; settings && i < settings->count; i++) {
        push_value(L, &settings->items[i], true, PLAIN_DEPTH - 1);
        lua_setfield(L, -2, settings->items[i].key);
    }
    lua_pushvalue(L, -1);
    int ref = luaL_ref(L, LUA_REGISTRYINDEX);
    make_read_only(L);
    lua_setfield(L, -2, "settings");
    return ref;
}

/* --- writing ---------------------------------------------------------------------------------- */

static bool put(struct plain *out, const char *text, size_t len)
{
    if (len >= out->room - out->len) {
        snprintf(out->problem, sizeof out->problem, "it takes more than %zu bytes as text",
                 out->room);
        return false;
    }
    memcpy(out->text + out->len, text, len);
    out->len += len;
    out->text[out->len] = '\0';
    return true;
}

static bool say(struct plain *out, const char *text)
{
    return put(out, text, strlen(text));
}

/* Lua: bytes as they are but for quotes, backslash and controls. JSON: what is not UTF-8 becomes
 * U+FFFD. */
static bool put_string(struct plain *out, const char *text, size_t len)
{
    bool fits = put(out, "\"", 1);
    for (size_t i = 0; fits && i < len;) {
        unsigned char byte = (unsigned char)text[i];
        char piece[8];
        size_t step = out->json ? utf8_char(text + i, len - i) : 1;
        if (step == 0) {
            fits = say(out, "\xef\xbf\xbd");
            step = 1;
        } else if (byte == '"' || byte == '\\') {
            piece[0] = '\\';
            piece[1] = (char)byte;
            fits = put(out, piece, 2);
        } else if (byte < 0x20 || byte == 0x7f) {
            snprintf(piece, sizeof piece, out->json ? "\\u%04x" : "\\%03u", byte);
            fits = say(out, piece);
        } else {
            fits = put(out, text + i, step);
        }
        i += step;
    }
    return fits && put(out, "\"", 1);
}

static bool put_number(lua_State *L, int index, struct plain *out)
{
    char text[64];
    int top = lua_gettop(L);
    if (lua_isinteger(L, index)) {
        snprintf(text, sizeof text, LUA_INTEGER_FMT, lua_tointeger(L, index));
        return say(out, text);
    }
    lua_Number x = lua_tonumber(L, index);
    if (!isfinite(x)) {
        snprintf(out->problem, sizeof out->problem,
                 "a number that is not finite is not plain data");
        return false;
    }
    snprintf(text, sizeof text, "%.15g", x); /* 50000.1 as it was written, if that is the number */
    bool exact = lua_stringtonumber(L, text) > 0 && lua_tonumber(L, -1) == x;
    lua_settop(L, top);
    if (!exact)
        snprintf(text, sizeof text, "%.17g", x);
    if (!strpbrk(text, ".e"))
        snprintf(text + strlen(text), 3, ".0");
    return say(out, text);
}

static bool put_value(lua_State *L, int index, struct plain *out, int depth);

/* A list is a table with the keys 1..n and no others; JSON makes the difference. */
static bool is_list(lua_State *L, int index)
{
    lua_Integer n = (lua_Integer)lua_rawlen(L, index), seen = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (!lua_isinteger(L, -2) || lua_tointeger(L, -2) < 1 || lua_tointeger(L, -2) > n) {
            lua_pop(L, 2);
            return false;
        }
        seen++;
    }
    return n > 0 && seen == n;
}

static bool put_key(lua_State *L, int index, struct plain *out)
{
    size_t len;
    bool text = lua_type(L, index) == LUA_TSTRING;
    if (!text && !(lua_type(L, index) == LUA_TNUMBER && lua_isinteger(L, index))) {
        snprintf(out->problem, sizeof out->problem,
                 "a key is a %s; keys are strings or whole numbers", luaL_typename(L, index));
        return false;
    }
    if (!say(out, out->json ? (text ? "" : "\"") : "["))
        return false;
    if (text) {
        const char *bytes = lua_tolstring(L, index, &len);
        if (!put_string(out, bytes, len))
            return false;
    } else if (!put_number(L, index, out)) {
        return false;
    }
    return say(out, out->json ? (text ? ":" : "\":") : "]=");
}

/* Say where in the tree the problem is, from the leaf to the root. */
static void name_place(lua_State *L, int key, struct plain *out)
{
    char name[40], rest[sizeof out->problem];
    text_plain(L, key, name, sizeof name);
    snprintf(rest, sizeof rest, "%s", out->problem);
    snprintf(out->problem, sizeof out->problem, ".%s%s%s", name, rest[0] == '.' ? "" : ": ", rest);
}

static bool put_table(lua_State *L, int index, struct plain *out, int depth)
{
    if (depth == 0) {
        snprintf(out->problem, sizeof out->problem,
                 "tables are nested deeper than %d, or in a circle", PLAIN_DEPTH);
        return false;
    }
    luaL_checkstack(L, 10, NULL);
    bool list = out->json && is_list(L, index), fits = say(out, list ? "[" : "{");
    const char *comma = "";
    walk_open_in(L, index);
    int walker = lua_gettop(L);
    while (fits && walk_next_in(L, walker)) {
        fits = say(out, comma) && (list || put_key(L, -2, out));
        if (fits && !put_value(L, lua_gettop(L), out, depth - 1)) {
            name_place(L, -2, out);
            fits = false;
        }
        lua_settop(L, walker);
        comma = ",";
    }
    lua_settop(L, walker - 1);
    return fits && say(out, list ? "]" : "}");
}

static bool put_value(lua_State *L, int index, struct plain *out, int depth)
{
    size_t len;
    char text[DECIMAL_TEXT_MAX + 8];
    amount exact;
    switch (lua_type(L, index)) {
    case LUA_TBOOLEAN: return say(out, lua_toboolean(L, index) ? "true" : "false");
    case LUA_TNUMBER: return put_number(L, index, out);
    case LUA_TTABLE: return put_table(L, index, out, depth);
    case LUA_TSTRING: {
        const char *bytes = lua_tolstring(L, index, &len);
        return put_string(out, bytes, len);
    }
    default:
        if (!dec_get(L, index, &exact)) {
            snprintf(out->problem, sizeof out->problem, "a %s is not plain data",
                     luaL_typename(L, index));
            return false;
        }
        snprintf(text, sizeof text, "%s\"", out->json ? "" : "dec");
        amount_print(exact, text + strlen(text));
        return say(out, text) && say(out, "\"");
    }
}

bool plain_write_in(lua_State *L, int index, struct plain *plain)
{
    plain->len = 0;
    plain->problem[0] = '\0';
    return put_value(L, lua_absindex(L, index), plain, PLAIN_DEPTH);
}

/* --- reading ---------------------------------------------------------------------------------- */

struct reader {
    const char *at, *end;
    const char *problem;
};

static bool fail(struct reader *in, const char *problem)
{
    if (!in->problem)
        in->problem = problem;
    return false;
}

static bool take(struct reader *in, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(in->end - in->at) < len || memcmp(in->at, word, len) != 0)
        return false;
    in->at += len;
    return true;
}

static bool expect(struct reader *in, const char *word)
{
    return take(in, word) || fail(in, "a comma, bracket or quote is missing");
}

static bool read_string(lua_State *L, struct reader *in)
{
    luaL_Buffer out;
    if (!expect(in, "\""))
        return false;
    luaL_buffinit(L, &out);
    for (;; in->at++) {
        if (in->at >= in->end)
            return fail(in, "a string has no end");
        if (*in->at == '"')
            break;
        if (*in->at != '\\') {
            luaL_addchar(&out, *in->at);
            continue;
        }
        in->at++;
        if (in->end - in->at >= 3 && in->at[0] >= '0' && in->at[0] <= '2') {
            luaL_addchar(
                &out, (char)((in->at[0] - '0') * 100 + (in->at[1] - '0') * 10 + in->at[2] - '0'));
            in->at += 2;
        } else if (in->at < in->end) {
            luaL_addchar(&out, *in->at);
        }
    }
    in->at++;
    luaL_pushresult(&out);
    return true;
}

static bool read_number(lua_State *L, struct reader *in)
{
    char text[64];
    size_t len = 0;
    while (len < sizeof text - 1 && in->at < in->end && strchr("+-.0123456789e", *in->at) &&
           *in->at)
        text[len++] = *in->at++;
    text[len] = '\0';
    return len > 0 && lua_stringtonumber(L, text) == len + 1 ? true : fail(in, "not a number");
}

static bool read_dec(lua_State *L, struct reader *in)
{
    size_t len;
    amount value;
    if (!read_string(L, in))
        return false;
    const char *text = lua_tolstring(L, -1, &len);
    if (amount_parse(text, len, &value) != WEIR_OK)
        return fail(in, "not an exact number");
    lua_pop(L, 1);
    dec_push_in(L, value);
    return true;
}

static bool read_value(lua_State *L, struct reader *in, int depth);

static bool read_table(lua_State *L, struct reader *in, int depth)
{
    if (depth == 0)
        return fail(in, "tables are nested too deep");
    luaL_checkstack(L, 8, NULL);
    lua_newtable(L);
    for (bool first = true; !take(in, "}"); first = false) {
        if (!first && !expect(in, ","))
            return false;
        if (!expect(in, "["))
            return false;
        if (in->at < in->end && *in->at == '"' ? !read_string(L, in) : !read_number(L, in))
            return false;
        if (!lua_isinteger(L, -1) && lua_type(L, -1) != LUA_TSTRING)
            return fail(in, "a key is neither a string nor a whole number");
        if (!expect(in, "]=") || !read_value(L, in, depth - 1))
            return false;
        lua_rawset(L, -3);
    }
    return true;
}

static bool read_value(lua_State *L, struct reader *in, int depth)
{
    if (take(in, "{"))
        return read_table(L, in, depth);
    if (take(in, "dec"))
        return read_dec(L, in);
    if (take(in, "true") || take(in, "false")) {
        lua_pushboolean(L, in->at[-2] == 'u');
        return true;
    }
    return in->at < in->end && *in->at == '"' ? read_string(L, in) : read_number(L, in);
}

bool plain_read_in(lua_State *L, const char *text, size_t len)
{
    struct reader in = {text, text + len, NULL};
    int top = lua_gettop(L);
    bool whole = take(&in, "{") ? read_table(L, &in, PLAIN_DEPTH) : fail(&in, "not a table");
    if (whole && in.at != in.end)
        whole = fail(&in, "more text than one table");
    if (whole)
        return true;
    lua_settop(L, top);
    lua_pushfstring(L, "weir.state cannot be read at byte %d: %s", (int)(in.at - text), in.problem);
    return false;
}
