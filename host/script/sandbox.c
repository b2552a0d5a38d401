/* sandbox.c - what a script can reach, as a white list: what is not named here is not there.
 *
 * Each script has a state of its own, so whatever it does to its globals, libraries and metatables,
 * it does to itself. What is left out of the standard library, and why:
 *   io os debug package require dofile loadfile   reach files, the process, or the inside of Lua
 *   string.dump, binary chunks                    bytecode is not verified: it can read all memory
 *   collectgarbage, but for "count"               the collector is the host's
 *   warn                                          writes to the host's stderr
 *   __gc                                          would run where nothing watches it
 * weir.import stands in the place of require. Replaced: print, tostring, string.format, string.rep
 * (text.c), next, pairs, table.sort (sorted.c), load, setmetatable, math.randomseed (here). */
#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

#include "script/cell.h"
#include "script/reference.h"

static const char *const base[] = {"assert",   "error",  "getmetatable", "ipairs",   "pcall",
                                   "rawequal", "rawget", "rawlen",       "rawset",   "select",
                                   "tonumber", "type",   "xpcall",       "_VERSION", NULL};
static const char *const strings[] = {"byte",    "char",  "find",   "format", "gmatch",   "gsub",
                                      "len",     "lower", "match",  "pack",   "packsize", "rep",
                                      "reverse", "sub",   "unpack", "upper",  NULL};
static const char *const tables[] = {"concat", "insert", "move",   "pack",
                                     "remove", "sort",   "unpack", NULL};
static const char *const maths[] = {
    "abs", "acos",       "asin", "atan",      "ceil", "cos",    "deg",
    "exp", "floor",      "fmod", "huge",      "log",  "max",    "maxinteger",
    "min", "mininteger", "modf", "pi",        "rad",  "random", "randomseed",
    "sin", "sqrt",       "tan",  "tointeger", "type", "ult",    NULL};
static const char *const utf8s[] = {"char", "charpattern", "codepoint", "codes",
                                    "len",  "offset",      NULL};
static const char *const coroutines[] = {"close",  "create", "isyieldable", "resume", "running",
                                         "status", "wrap",   "yield",       NULL};

static const struct library {
    const char *name; /* NULL: the globals themselves */
    lua_CFunction open;
    const char *const *functions;
} libraries[] = {{NULL, luaopen_base, base},
                 {LUA_STRLIBNAME, luaopen_string, strings},
                 {LUA_TABLIBNAME, luaopen_table, tables},
                 {LUA_MATHLIBNAME, luaopen_math, maths},
                 {LUA_UTF8LIBNAME, luaopen_utf8, utf8s},
                 {LUA_COLIBNAME, luaopen_coroutine, coroutines}};

/* --- the same list, for those who look names up -------------------------------------------------- */

enum { LIBRARIES = sizeof libraries / sizeof libraries[0] };
static const char *const replaced[] = {"collectgarbage", "load",     "next",    "pairs", "print",
                                       "setmetatable",   "tostring", LUA_GNAME, "weir",  NULL};

static bool is_among(const char *const *names, const char *name)
{
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static const struct library *library_named(const char *name)
{
    for (size_t i = 1; i < LIBRARIES; i++)
        if (strcmp(libraries[i].name, name) == 0)
            return &libraries[i];
    return NULL;
}

bool reference_is_library(const char *name)
{
    return library_named(name) != NULL;
}

bool reference_is_global(const char *name)
{
    return is_among(base, name) || is_among(replaced, name) || reference_is_library(name);
}

bool reference_is_member(const char *library, const char *name)
{
    const struct library *of = library_named(library);
    return of && is_among(of->functions, name);
}

const char *reference_nearest_global(const char *name)
{
    struct nearest nearest;
    hint_begin(&nearest, name);
    for (const char *const *at = base; *at; at++)
        hint_offer(&nearest, *at);
    for (const char *const *at = replaced; *at; at++)
        hint_offer(&nearest, *at);
    for (size_t i = 1; i < LIBRARIES; i++)
        hint_offer(&nearest, libraries[i].name);
    return nearest.best;
}

const char *reference_nearest_member(const char *library, const char *name)
{
    return hint_nearest(name, library_named(library)->functions);
}

/* --- replacements ----------------------------------------------------------------------------- */

static int collect_count(lua_State *L)
{
    const char *what = luaL_optstring(L, 1, "collect");
    if (strcmp(what, "count") != 0)
        return luaL_error(L, "the collector is not a script's to control; only \"count\" is there");
    lua_pushnumber(L, lua_gc(L, LUA_GCCOUNT) + lua_gc(L, LUA_GCCOUNTB) / 1024.0);
    return 1;
}

/* setmetatable(): the library's (upvalue 1), but for __gc. The mark is taken when the metatable is
 * set, so a field that comes later does nothing. */
static int set_metatable(lua_State *L)
{
    if (lua_type(L, 2) == LUA_TTABLE) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL)
            return luaL_error(
                L, "a metatable with __gc is not for scripts: finalizers do not run here");
        lua_pop(L, 1);
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return 1;
}

int sandbox_load_in(lua_State *L, const char *text, size_t len, const char *name)
{
    return luaL_loadbufferx(L, text, len, name, "t");
}

/* load(text [, name [, mode [, env]]]): one string, no function, no bytecode whatever the mode says. */
static int load(lua_State *L)
{
    size_t len, name_len;
    char name[64];
    bool has_env = lua_gettop(L) >= 4;
    if (lua_type(L, 1) != LUA_TSTRING)
        return luaL_error(L, "load takes one string, not a %s", luaL_typename(L, 1));
    const char *text = lua_tolstring(L, 1, &len);
    const char *given = luaL_optlstring(L, 2, "=(load)", &name_len);
    text_line(given, name_len, name, sizeof name);
    const char *mode = luaL_optstring(L, 3, "t");
    lua_settop(L, 4);
    lua_pushnil(L);
    if (len > LOAD_MAX) {
        lua_pushfstring(L, "load: more than %d bytes", LOAD_MAX);
        return 2;
    }
    if (!strchr(mode, 't')) {
        lua_pushliteral(L, "load: only text chunks are loaded here, and the mode excludes them");
        return 2;
    }
    if (sandbox_load_in(L, text, len, name) != LUA_OK)
        return 2;
    lua_pushvalue(L, 4);
    if (!has_env || !lua_setupvalue(L, -2, 1))
        lua_pop(L, 1);
    return 1;
}

/* math.randomseed without a number begins the script's own sequence again, not the clock's. */
static int random_seed(lua_State *L)
{
    if (lua_isnone(L, 1))
        lua_pushinteger(L, (lua_Integer)cell_of(L)->seed);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 0);
    return 0;
}

static void wrap(lua_State *L, const char *name, lua_CFunction function)
{
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, function, 1);
    lua_setfield(L, -2, name);
}

/* --- the environment -------------------------------------------------------------------------- */

/* Open a library and copy what the list names into the globals, which are on top. */
static void open_library(lua_State *L, const struct library *library)
{
    luaL_requiref(L, library->name ? library->name : LUA_GNAME, library->open, 0);
    if (library->name)
        lua_newtable(L);
    else
        lua_pushvalue(L, -2);
    for (const char *const *name = library->functions; *name; name++) {
        lua_getfield(L, -2, *name);
        lua_setfield(L, -2, *name);
    }
    if (library->name)
        lua_setfield(L, -3, library->name);
    else
        lua_pop(L, 1);
    lua_pop(L, 1);
}

void sandbox_open_in(lua_State *L, struct cell *cell)
{
    lua_newtable(L);
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++)
        open_library(L, &libraries[i]);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, LUA_GNAME);
    lua_pushcfunction(L, collect_count);
    lua_setfield(L, -2, "collectgarbage");
    lua_pushcfunction(L, load);
    lua_setfield(L, -2, "load");
    luaL_requiref(L, LUA_GNAME, luaopen_base, 0);
    lua_getfield(L, -1, "setmetatable");
    lua_pushcclosure(L, set_metatable, 1);
    lua_setfield(L, -3, "setmetatable");
    lua_pop(L, 1);
    lua_getfield(L, -1, "math");
    wrap(L, "randomseed", random_seed);
    lua_getfield(L, -1, "randomseed");
    lua_call(L, 0, 0);
    lua_pop(L, 1);
    sorted_open_in(L);
    lua_pushvalue(L, -1); /* the state's own globals are ours too: load() without env uses them */
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    api_open_in(L, cell);
    text_open_in(L);
    lua_pushvalue(L, -1);
    cell->globals_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pop(L, 1);
    lua_pushnil(L); /* the libraries as they were opened, whole */
    lua_setfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_gc(L, LUA_GCCOLLECT);
}
