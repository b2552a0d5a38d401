/* market.c - one instrument at one venue as a value: its names, and orders there by plain numbers.
 *
 * Tables cost more than all else that a quote does on its way to an order: the event's, the order's,
 * and the collector's work for both. So a quote handler gets plain values, the first of which is this
 * table, always the same one; its functions know their market and side by themselves. What a script
 * changes in it is its own affair: nothing of ours reads it. */
#include <lauxlib.h>

#include "script/ask.h"

static void make(lua_State *L, struct cell *cell, uint32_t instrument)
{
    lua_createtable(L, 0, 4);
    set_names_in(L, cell, instrument);
    push_side_in(L, instrument, WEIR_BUY);
    lua_setfield(L, -2, "buy");
    push_side_in(L, instrument, WEIR_SELL);
    lua_setfield(L, -2, "sell");
}

void push_market_in(lua_State *L, struct cell *cell, uint32_t instrument)
{
    struct watched *watched = instrument < cell->watched_count ? &cell->watched[instrument] : NULL;
    if (watched && watched->market_ref) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, watched->market_ref);
        return;
    }
    make(L, cell, instrument);
    if (!watched || !ask_instrument(cell->script, instrument))
        return;
    lua_pushvalue(L, -1);
    watched->market_ref = luaL_ref(L, LUA_REGISTRYINDEX);
}

/* weir.market(venue, symbol), or nil, err. */
static int api_market(lua_State *L)
{
    lua_settop(L, 2);
    uint32_t instrument = instrument_named_in(L, 1, 2);
    if (instrument == 0)
        return 2;
    push_market_in(L, cell_of(L), instrument);
    return 1;
}

void api_push_market_in(lua_State *L)
{
    lua_pushcfunction(L, api_market);
    lua_setfield(L, -2, "market");
}
