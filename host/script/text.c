/* text.c - texts as scripts and operators see them: no address, no control byte, no endless loop.
 *
 * tostring(), string.format and print are the library's, except that a table is "table" and not
 * "table: 0x5581...": an address tells where code and heap lie, and differs from run to run. What
 * goes to logs never asks a metamethod. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "base/utf8.h"
#include "script/cell.h"

/* --- for operators ---------------------------------------------------------------------------- */

static size_t escape(unsigned char byte, char *out)
{
    static const char hex[] = "0123456789abcdef";
    out[0] = '\\';
    if (byte == '\n' || byte == '\t' || byte == '\r') {
        out[1] = byte == '\n' ? 'n' : byte == '\t' ? 't' : 'r';
        return 2;
    }
    out[1] = 'x';
    out[2] = hex[byte >> 4];
    out[3] = hex[byte & 15];
    return 4;
}

/* A character that may stand in a line as it is: no control character of ASCII or of Latin-1, no
 * line or paragraph separator, and nothing that turns the direction of reading. */
static bool is_plain(const char *at, size_t len)
{
    const unsigned char *c = (const unsigned char *)at;
    if (len == 1)
        return c[0] >= 0x20 && c[0] != 0x7f;
    if (len == 2)
        return !(c[0] == 0xc2 && c[1] < 0xa0);
    if (len == 3 && c[0] == 0xe2 && (c[1] == 0x80 || c[1] == 0x81))
        return !(c[1] == 0x80 && c[2] >= 0xa8 && c[2] <= 0xae) && !(c[1] == 0x81 && c[2] >= 0xa6);
    return true;
}

void text_line(const char *text, size_t len, char *out, size_t room)
{
    static const char more[] = "...";
    size_t used = 0, last = 0; /* last: where "..." can begin */
    for (size_t i = 0; i < len;) {
        char piece[16];
        size_t step = utf8_char(text + i, len - i), n = 0;
        if (step > 0 && is_plain(text + i, step)) {
            memcpy(piece, text + i, step);
            n = step;
        } else {
            step = step ? step : 1;
            for (size_t k = 0; k < step; k++)
                n += escape((unsigned char)text[i + k], piece + n);
        }
        if (used + n >= room) {
            used = last;
            memcpy(out + used, more, sizeof more - 1);
            used += sizeof more - 1;
            break;
        }
        memcpy(out + used, piece, n);
        used += n;
        i += step;
        if (used + sizeof more <= room)
            last = used;
    }
    out[used] = '\0';
}

void text_plain(lua_State *L, int index, char *out, size_t room)
{
    char number[64];
    size_t len = 0;
    const char *text = NULL;
    switch (lua_type(L, index)) {
    case LUA_TSTRING:
        text = lua_tolstring(L, index, &len);
        text_line(text, len, out, room);
        return;
    case LUA_TNUMBER:
        if (lua_isinteger(L, index))
            snprintf(number, sizeof number, LUA_INTEGER_FMT, lua_tointeger(L, index));
        else
            snprintf(number, sizeof number, LUA_NUMBER_FMT, lua_tonumber(L, index));
        text_line(number, strlen(number), out, room);
        return;
    case LUA_TBOOLEAN:
        snprintf(out, room, "%s", lua_toboolean(L, index) ? "true" : "false");
        return;
    default: {
        amount value;
        if (dec_get(L, index, &value))
            amount_print(value, number);
        else
            snprintf(number, sizeof number, "%s", luaL_typename(L, index));
        snprintf(out, room, "%s", number);
    }
    }
}

/* --- for scripts ------------------------------------------------------------------------------ */

const char *text_of_in(lua_State *L, int index, size_t *len_out)
{
    index = lua_absindex(L, index);
    if (luaL_callmeta(L, index, "__tostring")) {
        if (lua_type(L, -1) != LUA_TSTRING)
            luaL_error(L, "'__tostring' must return a string");
        return lua_tolstring(L, -1, len_out);
    }
    switch (lua_type(L, index)) {
    case LUA_TSTRING: lua_pushvalue(L, index); break;
    case LUA_TNUMBER:
        if (!lua_isinteger(L, index) && isnan(lua_tonumber(L, index))) {
            lua_pushliteral(L, "nan");
            break;
        }
        lua_pushvalue(L, index);
        lua_tolstring(L, -1, NULL);
        break;
    case LUA_TBOOLEAN: lua_pushstring(L, lua_toboolean(L, index) ? "true" : "false"); break;
    default:
        if (luaL_getmetafield(L, index, "__name") != LUA_TNIL) {
            if (lua_type(L, -1) == LUA_TSTRING)
                break;
            lua_pop(L, 1);
        }
        lua_pushstring(L, luaL_typename(L, index));
    }
    return lua_tolstring(L, -1, len_out);
}

static int to_string(lua_State *L)
{
    luaL_checkany(L, 1);
    text_of_in(L, 1, NULL);
    return 1;
}

/* print(...): one line of the log. Upvalue: weir.log. */
static int print(lua_State *L)
{
    int count = lua_gettop(L);
    luaL_Buffer line;
    luaL_buffinit(L, &line);
    for (int i = 1; i <= count; i++) {
        if (i > 1)
            luaL_addchar(&line, ' ');
        text_of_in(L, i, NULL);
        luaL_addvalue(&line);
    }
    luaL_pushresult(&line);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, -2);
    lua_call(L, 1, 0);
    return 0;
}

/* string.format: hands all to the library's (upvalue 1), after it has made texts of what %s would
 * print with an address. */
static int format(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len), *end = text + len;
    int arg = 1;
    for (const char *at = text; at < end; at++) {
        if (*at != '%')
            continue;
        if (++at < end && *at == '%')
            continue;
        while (at < end && *at && strchr("-+ #0123456789.", *at))
            at++;
        arg++;
        if (at >= end)
            break;
        if (*at == 'p')
            return luaL_error(L, "'%%p' is not for scripts: it shows an address");
        if (*at == 's' && lua_type(L, arg) > LUA_TNIL && lua_type(L, arg) != LUA_TSTRING) {
            text_of_in(L, arg, NULL);
            lua_replace(L, arg);
        }
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return 1;
}

/* string.rep: the library's loops for ever over nothing, and copies byte by byte. What is repeated is
 * doubled; the result is cut where the last separator would begin. */
static int rep(lua_State *L)
{
    size_t len, between;
    const char *text = luaL_checklstring(L, 1, &len);
    lua_Integer n = luaL_checkinteger(L, 2);
    const char *separator = luaL_optlstring(L, 3, "", &between);
    size_t unit = len + between, most = cell_of(L)->script->budget.block;
    if (n <= 0 || unit == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    if ((size_t)n > most / unit)
        return luaL_error(L, "resulting string too large: a script's longest string has %d bytes",
                          (int)most);
    luaL_Buffer buffer;
    size_t total = unit * (size_t)n - between, done = unit < total ? unit : total;
    char *out = luaL_buffinitsize(L, &buffer, total);
    memcpy(out, text, len);
    memcpy(out + len, separator, done - len);
    for (size_t piece; done < total; done += piece) {
        piece = done < total - done ? done : total - done;
        memcpy(out + done, out, piece);
    }
    luaL_pushresultsize(&buffer, total);
    return 1;
}

/* The globals are on top. s:upper() finds its method in a copy that nobody else can reach, so that a
 * script that spoils `string` spoils less. */
static void protect_metatable(lua_State *L)
{
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_newtable(L);
    lua_getfield(L, -4, "string");
    for (lua_pushnil(L); lua_next(L, -2);) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_settable(L, -5);
    }
    lua_pop(L, 1);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 2);
}

void text_open_in(lua_State *L)
{
    lua_pushcfunction(L, to_string);
    lua_setfield(L, -2, "tostring");
    lua_getfield(L, -1, "weir");
    lua_getfield(L, -1, "log");
    lua_remove(L, -2);
    lua_pushcclosure(L, print, 1);
    lua_setfield(L, -2, "print");
    lua_getfield(L, -1, "string");
    lua_getfield(L, -1, "format");
    lua_pushcclosure(L, format, 1);
    lua_setfield(L, -2, "format");
    lua_pushcfunction(L, rep);
    lua_setfield(L, -2, "rep");
    lua_pop(L, 1);
    protect_metatable(L);
}
