/* books.c - questions: books, of one venue or of several as one, with or without our own orders, and
 * what a venue says of a contract beside its book. Each answer is a fresh table. */
#include <string.h>

#include <lauxlib.h>

#include "script/ask.h"
#include "script/inmate.h"
#include "script/set.h"

enum { DEPTH_DEFAULT = 10, OWN_LEVELS = 64 }; /* so many of ours are looked for behind the last */

static const char *const book_states[] = {
#define X(name) #name,
    BOOK_STATES(X)
#undef X
};
#define WORD(words, i) ((size_t)(i) < sizeof(words) / sizeof(words)[0] ? (words)[i] : "?")

/* --- books ------------------------------------------------------------------------------------ */

static uint32_t copy_levels(const struct book *book, enum weir_side side, uint32_t most,
                            struct weir_level *levels)
{
    uint32_t n = 0;
    for (bool more = n < most && book_best(book, side, &levels[0]); more;
         more = n < most && book_next(book, side, levels[n - 1].px, &levels[n]))
        n++;
    return n;
}

static bool picture_levels_in(uint32_t instrument, uint32_t most, enum book_state *state_out,
                              struct levels *levels_out)
{
    struct board_depth shown;
    guard_host_enter();
    bool fine = inmate_depth(instrument, most, &shown);
    for (int side = WEIR_BUY; fine && side <= WEIR_SELL; side++) {
        uint32_t count = shown.count[side];
        levels_out->count[side] = count < most ? count : most;
        if (count != UINT32_MAX)
            memcpy(levels_out->of[side], shown.of[side],
                   levels_out->count[side] * sizeof(struct weir_level));
    }
    guard_host_leave();
    if (fine)
        *state_out = (enum book_state)shown.state;
    return fine && shown.count[0] != UINT32_MAX;
}

bool ask_levels_in(lua_State *L, uint32_t instrument, uint32_t most, enum book_state *state_out,
                   struct levels *levels_out)
{
    const struct script *script = cell_of(L)->script;
    const struct script_world *world = &script->world;
    if (script->picture)
        return picture_levels_in(instrument, most, state_out, levels_out);
    if (!world->book)
        return false;
    guard_host_enter();
    const struct book *book = world->book(world->context, instrument, state_out);
    for (int side = WEIR_BUY; book && side <= WEIR_SELL; side++)
        levels_out->count[side] =
            copy_levels(book, (enum weir_side)side, most, levels_out->of[side]);
    guard_host_leave();
    return book != NULL;
}

/* A book as it was asked for. */
struct seen {
    const struct weir_instrument *instrument;
    enum book_state state;
    bool deep; /* its levels are known, not only the best */
    struct weir_top top;
    struct levels levels;
};

/* --- without our own -------------------------------------------------------------------------- */

/* It rests at its venue, as far as the venue has said. */
static bool rests_there(const struct out_order *order)
{
    return (order->label == ORDER_OPEN || order->label == ORDER_PARTIAL ||
            order->label == ORDER_PENDING_CANCEL || order->label == ORDER_PENDING_REPLACE) &&
           order->route != ROUTE_INTERNAL && order->px > 0;
}

static void take_off(struct weir_level *level, weir_qty qty)
{
    level->qty = level->qty > qty ? level->qty - qty : 0;
}

static void leave_out(struct seen *seen, const struct order_view *view)
{
    const struct out_order *order = &view->order;
    struct weir_level *levels = seen->levels.of[order->side];
    struct weir_level best = {order->side == WEIR_BUY ? seen->top.bid : seen->top.ask,
                              order->side == WEIR_BUY ? seen->top.bid_qty : seen->top.ask_qty};
    for (uint32_t i = 0; seen->deep && i < seen->levels.count[order->side]; i++)
        if (levels[i].px == order->px)
            take_off(&levels[i], view->leaves_qty);
    if (seen->deep || best.px != order->px)
        return;
    take_off(&best, view->leaves_qty);
    *(order->side == WEIR_BUY ? &seen->top.bid_qty : &seen->top.ask_qty) = best.qty;
    if (best.qty == 0) /* what stands behind it is not known */
        *(order->side == WEIR_BUY ? &seen->top.bid : &seen->top.ask) = 0;
}

static void leave_own_out(const struct script *script, uint32_t instrument, struct seen *seen)
{
    struct order_view view;
    if (ask_is_paper(script, instrument))
        return; /* the venue does not know of them */
    for (uint32_t n = 0; (n = ask_order_next(script, n, true)) != 0;) {
        guard_poll();
        if (ask_order(script, n, &view) && view.order.strategy == script->strategy &&
            view.order.msg.instrument == instrument && rests_there(&view.order))
            leave_out(seen, &view);
    }
}

/* No empty levels, at most `most` of them, and the best is the first. */
static void settle(struct seen *seen, uint32_t most)
{
    struct weir_top *top = &seen->top;
    for (int side = WEIR_BUY; side <= WEIR_SELL; side++) {
        struct weir_level *levels = seen->levels.of[side], none = {0, 0};
        uint32_t kept = 0;
        for (uint32_t i = 0; i < seen->levels.count[side]; i++)
            if (levels[i].qty > 0)
                levels[kept++] = levels[i];
        const struct weir_level *best = kept > 0 ? levels : &none;
        *(side == WEIR_BUY ? &top->bid : &top->ask) = best->px;
        *(side == WEIR_BUY ? &top->bid_qty : &top->ask_qty) = best->qty;
        seen->levels.count[side] = kept < most ? kept : most;
    }
}

static void see_in(lua_State *L, uint32_t number, uint32_t most, bool own, struct seen *seen)
{
    const struct script *script = cell_of(L)->script;
    struct market_view market = {0};
    uint32_t more = own ? most : most + OWN_LEVELS;
    ask_market(script, number, &market);
    seen->instrument = ask_instrument(script, number);
    seen->state = market.book;
    seen->top = market.top;
    seen->deep = ask_levels_in(L, number, more < ASK_LEVELS_MAX ? more : ASK_LEVELS_MAX,
                               &seen->state, &seen->levels);
    if (own || seen->state != BOOK_LIVE)
        return;
    leave_own_out(script, number, seen);
    if (seen->deep)
        settle(seen, most);
}

/* --- as tables -------------------------------------------------------------------------------- */

static void push_level(lua_State *L, const struct weir_level *level,
                       const struct weir_instrument *instrument)
{
    lua_createtable(L, 0, 4);
    field_name(L, FIELD_price);
    push_decimal(L, level->px, instrument->price_exp);
    lua_rawset(L, -3);
    field_name(L, FIELD_qty);
    push_decimal(L, level->qty, instrument->qty_exp);
    lua_rawset(L, -3);
}

static void set_levels(lua_State *L, const char *name, const struct seen *seen, enum weir_side side)
{
    uint32_t count = seen->levels.count[side];
    lua_createtable(L, (int)count, 0);
    for (uint32_t i = 0; i < count; i++) {
        push_level(L, &seen->levels.of[side][i], seen->instrument);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, name);
}

static void set_best(lua_State *L, const struct weir_top *top,
                     const struct weir_instrument *instrument)
{
    if (top->bid > 0) {
        set_decimal(L, "bid", top->bid, instrument->price_exp);
        set_decimal(L, "bid_qty", top->bid_qty, instrument->qty_exp);
    }
    if (top->ask > 0) {
        set_decimal(L, "ask", top->ask, instrument->price_exp);
        set_decimal(L, "ask_qty", top->ask_qty, instrument->qty_exp);
    }
}

static int push_book(lua_State *L, struct cell *cell, uint32_t number, const struct seen *seen)
{
    lua_createtable(L, 0, 11);
    set_names_in(L, cell, number);
    set_text(L, "state", WORD(book_states, seen->state));
    if (seen->state != BOOK_LIVE)
        return 1;
    set_best(L, &seen->top, seen->instrument);
    set_int(L, "seq", (int64_t)seen->top.seq);
    set_int(L, "time", seen->top.msg.t);
    if (seen->deep) {
        set_levels(L, "bids", seen, WEIR_BUY);
        set_levels(L, "asks", seen, WEIR_SELL);
    }
    return 1;
}

/* --- several as one --------------------------------------------------------------------------- */

enum { MERGED_LEVELS = 200 };

/* Levels of all parts so far, best first; equal prices in the order of the list. */
struct merged_level {
    uint32_t instrument;
    int px_exp;
    struct weir_level level;
};
struct merged {
    uint32_t most;
    uint32_t count[2];
    struct merged_level of[2][MERGED_LEVELS], next[MERGED_LEVELS];
};

/* Is a's price better than b's? Places differ by at most 18. */
static bool is_better(enum weir_side side, const struct merged_level *a,
                      const struct merged_level *b)
{
    int exp = a->px_exp > b->px_exp ? a->px_exp : b->px_exp;
    __int128 of_a = (__int128)a->level.px * pow10_of(exp - a->px_exp);
    __int128 of_b = (__int128)b->level.px * pow10_of(exp - b->px_exp);
    return side == WEIR_BUY ? of_a > of_b : of_a < of_b;
}

static void merge_side(struct merged *merged, enum weir_side side, uint32_t number,
                       const struct seen *seen)
{
    uint32_t old = 0, at = 0, count = 0;
    while (count < merged->most && (old < merged->count[side] || at < seen->levels.count[side])) {
        struct merged_level fresh = {.instrument = number, .px_exp = seen->instrument->price_exp};
        bool take = at < seen->levels.count[side];
        if (take)
            fresh.level = seen->levels.of[side][at];
        if (take && old < merged->count[side])
            take = is_better(side, &fresh, &merged->of[side][old]);
        merged->next[count++] = take ? fresh : merged->of[side][old];
        *(take ? &at : &old) += 1;
    }
    merged->count[side] = count;
    memcpy(merged->of[side], merged->next, count * sizeof merged->next[0]);
}

static void push_merged(lua_State *L, struct cell *cell, const struct merged *merged,
                        enum weir_side side)
{
    lua_createtable(L, (int)merged->count[side], 0);
    for (uint32_t i = 0; i < merged->count[side]; i++) {
        const struct merged_level *level = &merged->of[side][i];
        push_level(L, &level->level, ask_instrument(cell->script, level->instrument));
        set_names_in(L, cell, level->instrument);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static void set_merged_best(lua_State *L, const struct cell *cell, const struct merged *merged,
                            enum weir_side side)
{
    const struct merged_level *best = &merged->of[side][0];
    if (merged->count[side] == 0)
        return;
    const struct weir_instrument *instrument = ask_instrument(cell->script, best->instrument);
    set_decimal(L, side == WEIR_BUY ? "bid" : "ask", best->level.px, instrument->price_exp);
    set_decimal(L, side == WEIR_BUY ? "bid_qty" : "ask_qty", best->level.qty, instrument->qty_exp);
}

/* Nobody keeps its levels: what is known is its best prices. */
static void only_best(struct seen *seen)
{
    const struct weir_top *top = &seen->top;
    seen->levels.count[WEIR_BUY] = top->bid > 0;
    seen->levels.count[WEIR_SELL] = top->ask > 0;
    seen->levels.of[WEIR_BUY][0] = (struct weir_level){top->bid, top->bid_qty};
    seen->levels.of[WEIR_SELL][0] = (struct weir_level){top->ask, top->ask_qty};
}

/* The table of one part, as far as it says whose it is; and its levels into the merged ones. */
static void push_part(lua_State *L, struct cell *cell, uint32_t number, bool own,
                      struct merged *merged)
{
    struct seen seen;
    see_in(L, number, merged->most, own, &seen);
    if (!seen.deep)
        only_best(&seen);
    if (seen.state == BOOK_LIVE) {
        merge_side(merged, WEIR_BUY, number, &seen);
        merge_side(merged, WEIR_SELL, number, &seen);
    }
    lua_createtable(L, 0, 4);
    set_names_in(L, cell, number);
    set_text(L, "state", WORD(book_states, seen.state));
    if (seen.state == BOOK_LIVE)
        set_int(L, "time", seen.top.msg.t);
}

/* The i-th of the list at index: 0: it has no more; UINT32_MAX: nil, err are pushed. */
static uint32_t market_at(lua_State *L, int index, lua_Integer i)
{
    int type = lua_rawgeti(L, index, i);
    if (type == LUA_TNIL)
        return 0;
    if (type != LUA_TTABLE) {
        err_say_in(L, "BAD_REQUEST", "weir.book: markets is a list of {venue=, symbol=}");
        return UINT32_MAX;
    }
    int at = lua_gettop(L);
    field_get(L, at, FIELD_venue);
    field_get(L, at, FIELD_symbol);
    uint32_t number = instrument_named_in(L, at + 1, at + 2);
    return number ? number : UINT32_MAX;
}

/* weir.book{markets={...}}: the books of several venues as one. Those that are not LIVE are left out, and
 * named among the parts. */
static int book_of_many(lua_State *L, struct cell *cell, uint32_t depth, bool own)
{
    enum { PARTS_MOST = 16 };
    uint32_t numbers[PARTS_MOST], count = 0, live = 0;
    int list = lua_gettop(L);
    for (lua_Integer i = 1; i <= PARTS_MOST; i++) {
        uint32_t number = market_at(L, list, i);
        if (number == UINT32_MAX)
            return 2;
        if (number == 0)
            break;
        numbers[count++] = number;
        lua_settop(L, list);
    }
    lua_settop(L, list);
    struct merged *merged = lua_newuserdatauv(L, sizeof *merged, 0);
    merged->most = depth < MERGED_LEVELS ? depth : MERGED_LEVELS;
    merged->count[0] = merged->count[1] = 0;
    lua_createtable(L, 0, 8);
    lua_createtable(L, (int)count, 0);
    for (uint32_t i = 0; i < count; i++) {
        push_part(L, cell, numbers[i], own, merged);
        lua_getfield(L, -1, "time"); /* only a LIVE one has it */
        live += lua_type(L, -1) == LUA_TNUMBER;
        lua_pop(L, 1);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "parts");
    set_bool(L, "whole", live == count && count > 0);
    set_merged_best(L, cell, merged, WEIR_BUY);
    set_merged_best(L, cell, merged, WEIR_SELL);
    push_merged(L, cell, merged, WEIR_BUY);
    lua_setfield(L, -2, "bids");
    push_merged(L, cell, merged, WEIR_SELL);
    lua_setfield(L, -2, "asks");
    return 1;
}

/* weir.book(venue, symbol [, depth]) or {venue=, symbol=, depth=, own=}: the best prices, and `depth` levels
 * of each side in bids and asks where the host keeps the book. Only a LIVE book has prices. own=false leaves
 * out what this script has resting there. With markets={...} in place of venue and symbol: several as one. */
static int api_book(lua_State *L)
{
    struct cell *cell = cell_of(L);
    lua_Integer depth = DEPTH_DEFAULT;
    struct seen seen;
    bool own = true;
    if (!spread_in(L, "weir.book", FIELD_BIT(depth) | FIELD_BIT(own) | FIELD_BIT(markets)))
        return 2;
    bool named = lua_type(L, 1) == LUA_TTABLE;
    int at = 4;
    if (named) {
        own = field_get(L, 1, FIELD_own) != LUA_TBOOLEAN || lua_toboolean(L, -1);
        field_get(L, 1, FIELD_depth);
        at = lua_gettop(L);
    }
    if (lua_type(L, at) == LUA_TNUMBER)
        depth = lua_tointegerx(L, at, NULL);
    depth = depth < 0 ? 0 : depth > ASK_LEVELS_MAX ? ASK_LEVELS_MAX : depth;
    if (named && field_get(L, 1, FIELD_markets) == LUA_TTABLE)
        return book_of_many(L, cell, (uint32_t)depth, own);
    uint32_t number = instrument_named_in(L, 2, 3);
    if (number == 0)
        return 2;
    see_in(L, number, (uint32_t)depth, own, &seen);
    return push_book(L, cell, number, &seen);
}

/* --- marks ------------------------------------------------------------------------------------ */

static void set_price(lua_State *L, const char *name, weir_px px, int exp)
{
    if (px > 0)
        set_decimal(L, name, px, exp);
}

void push_marks_in(lua_State *L, struct cell *cell, uint32_t instrument,
                   const struct market_marks *marks)
{
    const struct weir_instrument *known = ask_instrument(cell->script, instrument);
    lua_createtable(L, 0, 7);
    set_names_in(L, cell, instrument);
    set_price(L, "mark", marks->mark, known->price_exp);
    set_price(L, "index", marks->index, known->price_exp);
    if (marks->has_funding)
        set_decimal(L, "funding_rate", marks->funding_rate, 12);
    if (marks->has_funding && marks->funding_t > 0)
        set_int(L, "funding_time", marks->funding_t);
    if (marks->t > 0)
        set_int(L, "time", marks->t);
}

/* weir.mark(venue, symbol): what the venue says of a contract beside its book. */
static int api_mark(lua_State *L)
{
    struct cell *cell = cell_of(L);
    struct market_view market = {0};
    if (!spread_in(L, "weir.mark", 0))
        return 2;
    uint32_t number = instrument_named_in(L, 2, 3);
    if (number == 0)
        return 2;
    ask_market(cell->script, number, &market);
    push_marks_in(L, cell, number, &market.marks);
    return 1;
}

void api_push_books_in(lua_State *L)
{
    static const luaL_Reg functions[] = {{"book", api_book}, {"mark", api_mark}, {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}
