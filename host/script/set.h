/* set.h - small setters: a member of the table on top. Private to host/script. [inside of calls] */
#ifndef WEIR_SCRIPT_SET_H
#define WEIR_SCRIPT_SET_H

#include "script/ask.h"

static inline void set_text(lua_State *L, const char *name, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

static inline void set_decimal(lua_State *L, const char *name, int64_t value, int exp)
{
    push_decimal(L, value, exp);
    lua_setfield(L, -2, name);
}

static inline void set_amount(lua_State *L, const char *name, amount value)
{
    push_amount(L, value);
    lua_setfield(L, -2, name);
}

static inline void set_int(lua_State *L, const char *name, int64_t value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

static inline void set_bool(lua_State *L, const char *name, bool value)
{
    lua_pushboolean(L, value);
    lua_setfield(L, -2, name);
}

#endif
