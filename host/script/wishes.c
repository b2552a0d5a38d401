/* wishes.c - what a script waits for: handlers, subscriptions, timers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "script/ask.h"

enum { PERIOD_MIN = 1000000 }; /* 1 ms */

static const char *const events[] = {
#define X(name) #name,
    SCRIPT_EVENTS(X)
#undef X
        NULL};

#define SPACED(name) " " #name
#define EVERY_EVENT  SCRIPT_EVENTS(SPACED)

/* --- handlers --------------------------------------------------------------------------------- */

/* Room for one more of so many bytes. The array is replaced where nobody can jump in between. */
static void grow_in(lua_State *L, void **items, uint32_t *room, uint32_t count, size_t size)
{
    if (count < *room)
        return;
    uint32_t wanted = *room ? *room * 2 : 4;
    guard_host_enter();
    void *larger = realloc(*items, wanted * size);
    if (larger) {
        *items = larger;
        *room = wanted;
    }
    guard_host_leave();
    if (!larger)
        luaL_error(L, "the host is out of memory");
}

static void count_one(lua_State *L, const char *function)
{
    struct cell *cell = cell_of(L);
    uint32_t most = cell->script->budget.handlers;
    if (cell->handler_count >= most)
        luaL_error(L, "%s: there are %d handlers and timers already, the most a script may have",
                   function, (int)most);
}

static enum happening event_named(lua_State *L, int index)
{
    char shown[40];
    size_t len = 0;
    const char *name = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &len) : "";
    for (int i = 0; i < HAPPENINGS; i++)
        if (strlen(events[i]) == len && strcmp(events[i], name) == 0)
            return (enum happening)i;
    text_plain(L, index, shown, sizeof shown);
    const char *nearest = hint_nearest(shown, events);
    if (nearest)
        luaL_error(L, "weir.on: there is no event '%s'; did you mean %s?", shown, nearest);
    luaL_error(L, "weir.on: there is no event '%s'; there are" EVERY_EVENT, shown);
    return HAPPENINGS;
}

/* One that is not there yet is what most often stands here. */
static void function_arg(lua_State *L, const char *function)
{
    if (lua_type(L, 2) == LUA_TFUNCTION)
        return;
    luaL_error(L, "%s: a function is expected second, not %s%s", function, luaL_typename(L, 2),
               lua_isnil(L, 2) ? "; is it defined further down?" : "");
}

/* weir.on(event, function). `timer` handlers are called once a second. */
static int api_on(lua_State *L)
{
    struct cell *cell = cell_of(L);
    lua_settop(L, 2);
    enum happening what = event_named(L, 1);
    struct handlers *handlers = &cell->on[what];
    function_arg(L, "weir.on");
    count_one(L, "weir.on");
    int ref = luaL_ref(L, LUA_REGISTRYINDEX);
    grow_in(L, (void **)&handlers->refs, &handlers->room, handlers->count, sizeof *handlers->refs);
    handlers->refs[handlers->count++] = ref;
    cell->handler_count++;
    if (what == ON_timer && cell->second == 0)
        cell->second = now_in(L) + 1000000000;
    lua_pushboolean(L, 1);
    return 1;
}

/* --- subscriptions ---------------------------------------------------------------------------- */

static bool name_field(lua_State *L, enum field field, char *out, size_t room)
{
    size_t len = 0;
    int type = field_get(L, 1, field);
    const char *text = type == LUA_TSTRING ? lua_tolstring(L, -1, &len) : "";
    bool good = (type == LUA_TSTRING || type == LUA_TNIL) && len < room && strlen(text) == len;
    if (good)
        memcpy(out, text, len + 1);
    lua_pop(L, 1);
    return good;
}

static bool what_word(const char *word, uint8_t *what)
{
    *what |= strcmp(word, "book") == 0    ? WANT_BOOK
             : strcmp(word, "trade") == 0 ? WANT_TRADE
             : strcmp(word, "bar") == 0   ? WANT_BAR
             : strcmp(word, "mark") == 0  ? WANT_MARK
                                          : 0;
    return strcmp(word, "book") == 0 || strcmp(word, "trade") == 0 || strcmp(word, "bar") == 0 ||
           strcmp(word, "mark") == 0;
}

/* what="book", what={"book", "trade"}, or nothing: books. */
static bool what_field(lua_State *L, uint8_t *what)
{
    lua_pushliteral(L, "what");
    int type = lua_rawget(L, 1);
    bool good = true;
    if (type == LUA_TNIL)
        *what = WANT_BOOK;
    else if (type == LUA_TSTRING)
        good = what_word(lua_tostring(L, -1), what);
    else if (type == LUA_TTABLE)
        for (int i = 1; i <= 5 && good && lua_rawgeti(L, -1, i) != LUA_TNIL; i++) {
            good = lua_type(L, -1) == LUA_TSTRING && what_word(lua_tostring(L, -1), what);
            lua_pop(L, 1);
        }
    lua_settop(L, 1);
    return good && *what != 0;
}

/* Whole nanoseconds, or a text such as "1s", "5m", "1h". */
static bool interval_of(lua_State *L, int index, weir_ns *ns_out)
{
    static const struct {
        const char *unit;
        weir_ns ns;
    } units[] = {{"ms", 1000000},
                 {"s", 1000000000},
                 {"m", 60000000000},
                 {"h", 3600000000000},
                 {"d", 86400000000000}};
    if (lua_type(L, index) == LUA_TNUMBER) {
        int whole;
        *ns_out = lua_tointegerx(L, index, &whole);
        return whole && *ns_out > 0;
    }
    if (lua_type(L, index) != LUA_TSTRING)
        return false;
    const char *text = lua_tostring(L, index);
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    long count = strtol(text, &end, 10);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(end, units[i].unit) == 0 && count > 0 && count <= 1000000)
            return !__builtin_mul_overflow(count, units[i].ns, ns_out);
    return false;
}

static bool same_wish(const struct wish *a, const struct wish *b)
{
    return strcmp(a->venue, b->venue) == 0 && strcmp(a->symbol, b->symbol) == 0 &&
           a->what == b->what && a->kind == b->kind && a->per == b->per;
}

static void room_for_wishes(lua_State *L)
{
    struct cell *cell = cell_of(L);
    if (cell->wishes)
        return;
    guard_host_enter();
    cell->wishes = calloc(WISHES_MAX, sizeof *cell->wishes);
    cell->topics = calloc(TOPICS_MAX, sizeof *cell->topics);
    cell->bars = calloc(BARS_MAX, sizeof *cell->bars);
    guard_host_leave();
    if (!cell->wishes || !cell->topics || !cell->bars)
        luaL_error(L, "the host is out of memory");
}

/* Exactly one of interval=, volume=, ticks= says when a bar is over. */
static void bars_field(lua_State *L, struct wish *wish)
{
    static const char *const names[] = {"interval", "volume", "ticks"};
    int given = 0, whole = 0;
    bool good = false;
    for (int kind = 0; kind < 3; kind++) {
        lua_pushstring(L, names[kind]);
        if (lua_rawget(L, 1) == LUA_TNIL)
            continue;
        given++;
        wish->kind = (enum bar_kind)kind;
        if (kind == BAR_TIME)
            good = interval_of(L, -1, &wish->per) && wish->per >= PERIOD_MIN;
        else if (kind == BAR_VOLUME)
            good = weir_dec_from_lua(L, -1, PER_EXP, 1, &wish->per) == FITS && wish->per > 0;
        else if (lua_type(L, -1) == LUA_TNUMBER)
            good = (wish->per = lua_tointegerx(L, -1, &whole)) > 0 && whole;
    }
    if (given != 1 || !good)
        luaL_error(L, "weir.subscribe: bars need one of interval= (whole ns, or \"1s\", \"5m\", "
                      "\"1h\"; 1 ms at the least), volume= (a size, such as 0.5), ticks= (a whole "
                      "number of trades)");
    lua_settop(L, 1);
}

/* The instruments of a venue (0xffff: of any) are known, and one has the name; or none is known yet. */
enum named { NAMED, NAMELESS, NOT_YET };
static enum named symbol_named(const struct script *script, uint16_t venue, const char *symbol)
{
    bool known = false;
    for (uint32_t i = 1; i <= ask_instrument_count(script); i++) {
        const struct weir_instrument *instrument = ask_instrument(script, i);
        if (!instrument || (venue != 0xffff && instrument->msg.venue != venue))
            continue;
        if (strcmp(instrument->symbol, symbol) == 0)
            return NAMED;
        known = true;
    }
    return known ? NAMELESS : NOT_YET;
}

static bool any_venue(const struct script *script)
{
    for (uint32_t i = 1; i < 256; i++)
        if (*ask_name(script, SCOPE_venue, i))
            return true;
    return false;
}

/* Into out: what is wrong with the names of a wish; "": nothing, or it cannot be told yet. */
static void judge_wish(const struct script *script, struct wish *wish, char *out, size_t room)
{
    char like[96] = "";
    uint16_t venue = 0xffff;
    *out = '\0';
    if (*wish->venue) {
        uint32_t number = ask_number(script, SCOPE_venue, wish->venue);
        if (number == UINT32_MAX && !any_venue(script))
            return;
        if (number == UINT32_MAX) {
            venue_like(script, wish->venue, like, sizeof like);
            snprintf(out, room, "no venue \"%s\" is configured%s", wish->venue, like);
            wish->checked = true;
            return;
        }
        venue = (uint16_t)number;
    }
    enum named named = *wish->symbol ? symbol_named(script, venue, wish->symbol) : NAMED;
    wish->checked = named != NOT_YET;
    if (named != NAMELESS)
        return;
    symbol_like(script, venue, wish->symbol, like, sizeof like);
    snprintf(out, room, "%s%s has no symbol \"%s\"%s", *wish->venue ? "venue " : "any venue",
             wish->venue, wish->symbol, like);
}

bool watch_complaint(struct cell *cell, char *out, size_t room)
{
    char fault[256];
    for (uint32_t i = 0; i < cell->wish_count; i++) {
        struct wish *wish = &cell->wishes[i];
        if (wish->checked)
            continue;
        judge_wish(cell->script, wish, fault, sizeof fault);
        if (!*fault)
            continue;
        snprintf(out, room, "%s:%d: weir.subscribe: %s", wish->chunk, wish->line, fault);
        return true;
    }
    return false;
}

static bool any_wish(const struct cell *cell, uint8_t what)
{
    for (uint32_t i = 0; i < cell->wish_count; i++)
        if (cell->wishes[i].what & what)
            return true;
    return false;
}

void watch_remarks(struct cell *cell)
{
    static const struct {
        enum happening on;
        uint8_t what;  /* 0: a topic */
        bool default_; /* who subscribed to nothing hears of it */
        const char *hint;
    } rows[] = {{ON_book, WANT_BOOK, true, "what=\"book\""},
                {ON_quote, WANT_BOOK, true, "what=\"book\""},
                {ON_trade, WANT_TRADE, true, "what=\"trade\""},
                {ON_mark, WANT_MARK, true, "what=\"mark\""},
                {ON_bar, WANT_BAR, false, "what=\"bar\", interval=\"1m\""},
                {ON_message, 0, false, "topic=\"...\""}};
    const struct script_world *world = &cell->script->world;
    char text[200];
    for (size_t i = 0; world->remark && i < sizeof rows / sizeof rows[0]; i++) {
        bool heard = rows[i].what == 0 ? cell->topic_count > 0
                                       : any_wish(cell, rows[i].what) ||
                                             (rows[i].default_ && cell->wish_count == 0);
        if (cell->on[rows[i].on].count == 0 || heard)
            continue;
        snprintf(text, sizeof text,
                 "nothing is subscribed to that a `%s` handler would hear of: "
                 "weir.subscribe{..., %s}",
                 events[rows[i].on], rows[i].hint);
        world->remark(world->context, cell->script, text);
    }
}

static void note_place(lua_State *L, struct wish *wish)
{
    lua_Debug at;
    if (!lua_getstack(L, 1, &at) || !lua_getinfo(L, "Sl", &at))
        return;
    snprintf(wish->chunk, sizeof wish->chunk, "%s", at.short_src);
    wish->line = at.currentline;
}

#define SUBSCRIBE_FIELDS                                                            \
    (FIELD_BIT(venue) | FIELD_BIT(symbol) | FIELD_BIT(what) | FIELD_BIT(interval) | \
     FIELD_BIT(volume) | FIELD_BIT(ticks) | FIELD_BIT(topic) | FIELD_BIT(from))

/* The error table on top, raised as a text. */
static int raise_err(lua_State *L)
{
    lua_pushliteral(L, "message");
    lua_rawget(L, -2);
    return luaL_error(L, "%s", lua_tostring(L, -1));
}

/* weir.subscribe{topic=, from=}: what other scripts publish under that name. */
static int subscribe_topic(lua_State *L)
{
    struct cell *cell = cell_of(L);
    struct topic topic = {.name = ""};
    if (!name_field(L, FIELD_topic, topic.name, sizeof topic.name) || !*topic.name ||
        !name_field(L, FIELD_from, topic.from, sizeof topic.from))
        return luaL_error(L,
                          "weir.subscribe: topic and from are short strings; from= (the name of a "
                          "script) may be left out");
    room_for_wishes(L);
    for (uint32_t i = 0; i < cell->topic_count; i++)
        if (strcmp(cell->topics[i].name, topic.name) == 0 &&
            strcmp(cell->topics[i].from, topic.from) == 0)
            return lua_pushboolean(L, 1), 1;
    if (cell->topic_count == TOPICS_MAX)
        return luaL_error(L, "weir.subscribe: there are %d topics already", TOPICS_MAX);
    cell->topics[cell->topic_count++] = topic;
    lua_pushboolean(L, 1);
    return 1;
}

bool watch_topic(const struct cell *cell, const char *topic, const char *from)
{
    for (uint32_t i = 0; i < cell->topic_count; i++)
        if (strcmp(cell->topics[i].name, topic) == 0 &&
            (!*cell->topics[i].from || strcmp(cell->topics[i].from, from) == 0))
            return true;
    return false;
}

/* weir.subscribe{venue=, symbol=, what={"book", "trade", "bar", "mark"}, interval= | volume= | ticks=}. What is
 * left out means any. */
static int api_subscribe(lua_State *L)
{
    struct cell *cell = cell_of(L);
    const struct script_world *world = &cell->script->world;
    struct wish wish = {.what = 0};
    char fault[256] = "";
    lua_settop(L, 1);
    if (lua_type(L, 1) != LUA_TTABLE)
        return luaL_error(L, "weir.subscribe takes a table {venue=, symbol=, what=}, not a %s",
                          luaL_typename(L, 1));
    if (!only_fields_in(L, 1, "weir.subscribe", SUBSCRIBE_FIELDS))
        return raise_err(L);
    if (field_get(L, 1, FIELD_topic) != LUA_TNIL)
        return subscribe_topic(L);
    lua_settop(L, 1);
    if (!name_field(L, FIELD_venue, wish.venue, sizeof wish.venue) ||
        !name_field(L, FIELD_symbol, wish.symbol, sizeof wish.symbol))
        return luaL_error(
            L, "weir.subscribe: venue and symbol are short strings, or left out for all");
    if (!what_field(L, &wish.what))
        return luaL_error(
            L,
            "weir.subscribe: what is \"book\", \"trade\", \"bar\", \"mark\", or a list of these");
    if (wish.what & WANT_BAR)
        bars_field(L, &wish);
    room_for_wishes(L);
    for (uint32_t i = 0; i < cell->wish_count; i++)
        if (same_wish(&cell->wishes[i], &wish))
            return lua_pushboolean(L, 1), 1;
    if (cell->wish_count == WISHES_MAX)
        return luaL_error(L, "weir.subscribe: there are %d subscriptions already", WISHES_MAX);
    note_place(L, &wish);
    if (cell->mode != MODE_CHECKING)
        judge_wish(cell->script, &wish, fault, sizeof fault);
    if (*fault)
        return luaL_error(L, "weir.subscribe: %s", fault);
    lua_pushboolean(L, 1);
    guard_host_enter();
    cell->wishes[cell->wish_count++] = wish;
    if (world->subscribe)
        world->subscribe(world->context, cell->script, wish.venue, wish.symbol);
    guard_host_leave();
    return 1;
}

/* --- who listens to what; outside of calls ---------------------------------------------------- */

/* A volume in 10^-8 as a count of the instrument's steps of quantity, rounded up. */
static int64_t volume_of(int64_t per, int qty_exp)
{
    if (qty_exp < PER_EXP)
        return per / pow10_of(PER_EXP - qty_exp) + (per % pow10_of(PER_EXP - qty_exp) != 0);
    int64_t steps;
    return __builtin_mul_overflow(per, pow10_of(qty_exp - PER_EXP), &steps) ? INT64_MAX : steps;
}

static void want_bars(struct cell *cell, const struct weir_instrument *instrument,
                      const struct wish *wish)
{
    uint32_t number = instrument->msg.instrument;
    int64_t per = wish->kind == BAR_VOLUME ? volume_of(wish->per, instrument->qty_exp) : wish->per;
    for (uint32_t i = 0; i < cell->bar_count; i++)
        if (cell->bars[i].instrument == number && cell->bars[i].kind == wish->kind &&
            cell->bars[i].per == per)
            return;
    if (cell->bar_count < BARS_MAX)
        cell->bars[cell->bar_count++] =
            (struct bar){.instrument = number, .kind = wish->kind, .per = per};
}

static void look_at_wish(struct cell *cell, uint32_t instrument, const struct wish *wish)
{
    const struct script *script = cell->script;
    const struct weir_instrument *known = ask_instrument(script, instrument);
    if (!known || (*wish->symbol && strcmp(wish->symbol, known->symbol) != 0) ||
        (*wish->venue && strcmp(wish->venue, ask_name(script, SCOPE_venue, known->msg.venue)) != 0))
        return;
    cell->watched[instrument].what |= wish->what;
    if (wish->what & WANT_BAR)
        want_bars(cell, known, wish);
}

bool watch_ready(struct cell *cell, uint32_t instrument)
{
    if (instrument >= cell->watched_count) {
        uint32_t count = (instrument | 15) + 1;
        struct watched *larger = realloc(cell->watched, count * sizeof *larger);
        if (!larger)
            return false;
        memset(larger + cell->watched_count, 0, (count - cell->watched_count) * sizeof *larger);
        cell->watched = larger;
        cell->watched_count = count;
    }
    struct watched *watched = &cell->watched[instrument];
    for (; watched->wishes < cell->wish_count; watched->wishes++)
        look_at_wish(cell, instrument, &cell->wishes[watched->wishes]);
    return true;
}

uint8_t watch_wants(const struct cell *cell, uint32_t instrument)
{
    if (cell->wish_count == 0)
        return WANT_BOOK | WANT_TRADE | WANT_MARK;
    if (instrument >= cell->watched_count || cell->watched[instrument].wishes < cell->wish_count)
        return WANT_BOOK | WANT_TRADE | WANT_MARK |
               WANT_BAR; /* not looked at yet: ask again, when it happened */
    return cell->watched[instrument].what;
}

/* --- timers ----------------------------------------------------------------------------------- */

static weir_ns period_arg(lua_State *L, const char *function, weir_ns least)
{
    int whole = 0;
    weir_ns ns = lua_type(L, 1) == LUA_TNUMBER ? lua_tointegerx(L, 1, &whole) : 0;
    if (!whole && !(lua_type(L, 1) == LUA_TSTRING && interval_of(L, 1, &ns))) {
        char shown[40];
        text_plain(L, 1, shown, sizeof shown);
        luaL_error(
            L,
            "%s: whole nanoseconds are expected first, such as 1000000000, or a text such as "
            "\"1s\", \"250ms\", not %s",
            function, shown);
    }
    if (ns < least || ns > (weir_ns)100 * 365 * 86400 * 1000000000)
        luaL_error(L, "%s: %d ns is the least, and 100 years the most", function, (int)least);
    return ns;
}

static int add_timer(lua_State *L, weir_ns ns, bool again)
{
    struct cell *cell = cell_of(L);
    int ref = luaL_ref(L, LUA_REGISTRYINDEX);
    weir_ns now = now_in(L);
    grow_in(L, (void **)&cell->timers, &cell->timer_room, cell->timer_count, sizeof *cell->timers);
    cell->timers[cell->timer_count++] =
        (struct timer){now + ns, again ? ns : 0, ref, ++cell->timer_id};
    cell->handler_count++;
    lua_pushinteger(L, cell->timer_id);
    return 1;
}

/* weir.every(ns, function): until the function returns false. */
static int api_every(lua_State *L)
{
    lua_settop(L, 2);
    weir_ns ns = period_arg(L, "weir.every", PERIOD_MIN);
    function_arg(L, "weir.every");
    count_one(L, "weir.every");
    return add_timer(L, ns, true);
}

/* weir.after(ns, function): once; at the earliest in 1 ms, so that virtual time goes on. */
static int api_after(lua_State *L)
{
    lua_settop(L, 2);
    weir_ns ns = period_arg(L, "weir.after", 0);
    function_arg(L, "weir.after");
    count_one(L, "weir.after");
    return add_timer(L, ns < PERIOD_MIN ? PERIOD_MIN : ns, false);
}

void api_push_events_in(lua_State *L)
{
    static const luaL_Reg functions[] = {{"on", api_on},
                                         {"subscribe", api_subscribe},
                                         {"every", api_every},
                                         {"after", api_after},
                                         {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}
