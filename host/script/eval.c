/* eval.c - one line of Lua from a person, in a cell of its own: the values of an expression, or what
 * statements say. */
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "base/check.h"
#include "script/cell.h"

struct eval {
    const char *code;
    char *out;
    size_t room;
    bool fine;
};

static void add(struct eval *eval, const char *text)
{
    size_t len = strlen(eval->out);
    snprintf(eval->out + len, eval->room - len, "%s", text);
}

/* Plain tables as JSON; what has a metatable by its own text. */
static void say_value(lua_State *L, int index, struct eval *eval)
{
    char shown[512];
    size_t len = strlen(eval->out);
    bool bare = lua_istable(L, index) && !lua_getmetatable(L, index);
    if (lua_istable(L, index) && !bare)
        lua_pop(L, 1);
    struct plain plain = {.text = eval->out + len, .room = eval->room - len, .json = true};
    if (bare && plain_write_in(L, index, &plain))
        return;
    eval->out[len] = '\0';
    lua_pushvalue(L, index);
    const char *text = text_of_in(L, lua_gettop(L), NULL);
    text_line(text, strlen(text), shown, sizeof shown);
    add(eval, shown);
    lua_settop(L, lua_gettop(L) - 2);
}

/* As an expression first, then as statements; the message of the latter is the better one. */
static int load_line(lua_State *L, const char *code)
{
    lua_pushfstring(L, "return %s", code);
    size_t len;
    const char *text = lua_tolstring(L, -1, &len);
    if (sandbox_load_in(L, text, len, "=line") == LUA_OK)
        return LUA_OK;
    lua_settop(L, 0);
    return sandbox_load_in(L, code, strlen(code), "=line");
}

static int eval_in(lua_State *L)
{
    struct eval *eval = lua_touserdata(L, 1);
    lua_settop(L, 0);
    int status = load_line(L, eval->code);
    if (lua_gettop(L) > 1)
        lua_remove(L, 1);
    if (status == LUA_OK)
        status = lua_pcall(L, 0, LUA_MULTRET, 0);
    eval->fine = status == LUA_OK;
    luaL_checkstack(L, 8, NULL);
    for (int i = 1, most = lua_gettop(L); i <= most; i++) {
        if (i > 1)
            add(eval, "  ");
        say_value(L, i, eval);
    }
    return 0;
}

bool script_eval(struct script *script, const char *code, char *out, size_t room)
{
    struct eval eval = {.code = code, .out = out, .room = room};
    must(!script->busy && room > 0);
    out[0] = '\0';
    if (!script->cell) {
        snprintf(out, room, "%s", script->reason[0] ? script->reason : "it does not run here");
        return false;
    }
    if (cell_do(script->cell, eval_in, &eval, script->budget.callback_ns))
        return eval.fine;
    snprintf(out, room, "%s", script->reason);
    script_end(script, SCRIPT_QUARANTINED);
    return false;
}
