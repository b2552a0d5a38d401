/* ask.h - the questions of a script, and the one place that knows who answers them.
 *
 * Inline it is the engine; in a process of its own the picture that its host keeps up to date. No
 * other file of the API asks the engine itself. Pointers hold until the next event. [its thread] */
#ifndef WEIR_SCRIPT_ASK_H
#define WEIR_SCRIPT_ASK_H

#include "script/picture.h"

enum { ASK_LEVELS_MAX = 1000 };

static inline const struct weir_instrument *ask_instrument(const struct script *script, uint32_t n)
{
    return script->picture ? picture_instrument(script->picture, n)
                           : engine_instrument(script->world.engine, n);
}

static inline uint32_t ask_instrument_count(const struct script *script)
{
    return script->picture ? picture_instrument_count(script->picture)
                           : engine_instrument_count(script->world.engine);
}

static inline uint32_t ask_instrument_find(const struct script *script, uint16_t venue,
                                           const char *symbol)
{
    return script->picture ? picture_instrument_find(script->picture, venue, symbol)
                           : engine_instrument_find(script->world.engine, venue, symbol);
}

/* Scopes other than venues: only where the engine itself answers. */
static inline const char *ask_name(const struct script *script, enum risk_scope scope, uint32_t id)
{
    return script->picture ? picture_name(script->picture, scope, id)
                           : engine_name(script->world.engine, scope, id);
}

static inline uint32_t ask_number(const struct script *script, enum risk_scope scope,
                                  const char *name)
{
    return script->picture ? picture_number(script->picture, scope, name)
                           : engine_number(script->world.engine, scope, name);
}

static inline bool ask_market(const struct script *script, uint32_t n, struct market_view *view_out)
{
    return script->picture ? picture_market(script->picture, n, view_out)
                           : engine_market(script->world.engine, n, view_out);
}

/* strategy: the script's own, or 0: the account's. */
static inline bool ask_position(const struct script *script, uint32_t n, uint32_t strategy,
                                struct position_view *view_out)
{
    return script->picture ? picture_position(script->picture, n, strategy, view_out)
                           : engine_position(script->world.engine, n, strategy, view_out);
}

static inline bool ask_wallet(const struct script *script, uint16_t account, const char *asset,
                              amount *total_out, amount *fees_out, amount *funding_out)
{
    return script->picture
               ? picture_wallet(script->picture, account, asset, total_out, fees_out, funding_out)
               : engine_wallet(script->world.engine, account, asset, total_out, fees_out,
                               funding_out);
}

static inline uint32_t ask_order_find(const struct script *script, const char *cid)
{
    return script->picture ? picture_order_find(script->picture, cid)
                           : engine_order_find(script->world.engine, cid);
}

static inline bool ask_order(const struct script *script, uint32_t n, struct order_view *view_out)
{
    return script->picture ? picture_order(script->picture, n, view_out)
                           : engine_order(script->world.engine, n, view_out);
}

static inline uint32_t ask_order_next(const struct script *script, uint32_t after, bool live_only)
{
    return script->picture ? picture_order_next(script->picture, after, live_only)
                           : engine_order_next(script->world.engine, after, live_only);
}

/* Its venue is pretended: what we rest there is no part of its book. */
static inline bool ask_is_paper(const struct script *script, uint32_t n)
{
    const struct script_world *world = &script->world;
    return script->picture ? picture_is_paper(script->picture, n)
                           : world->is_paper && world->is_paper(world->context, n);
}

/* The state of a book and its levels, best first; at most `most` <= ASK_LEVELS_MAX a side. False: the
 * owner keeps no levels. Where it keeps no states either, state_out is the engine's. */
struct levels {
    uint32_t count[2]; /* by enum weir_side */
    struct weir_level of[2][ASK_LEVELS_MAX];
};
bool ask_levels_in(lua_State *L, uint32_t instrument, uint32_t most, enum book_state *state_out,
                   struct levels *levels_out);

#endif
