/* sorted.c - next, pairs and table.sort with an order that is the same in every process.
 *
 * Lua's own order follows addresses and a random seed of strings, and its sort picks pivots by the
 * clock: both would break replay. Here keys come as numbers, then strings (by bytes), both sorted,
 * then false and true, then objects in the order of their birth. (The order of insertion is
 * not kept by liblua; a key object is mostly made right before it is inserted.)
 *
 * WALKER  A walk works on a snapshot of the keys. The list part 1..n is not copied: it is walked by
 *         number. The others are sorted once. Keys removed meanwhile are skipped, new ones are not
 *         seen. next() keeps its last walker, so a loop with it costs what pairs() costs; a step
 *         from an unknown key makes a new one and looks the key up. */
#include <string.h>

#include <lauxlib.h>

#include "script/cell.h"

enum rank { RANK_NUMBER, RANK_STRING, RANK_FALSE, RANK_TRUE, RANK_OBJECT };

struct item {
    union {
        lua_Integer whole;
        lua_Number number;
        const char *text;
        uint64_t birth;
    } key;
    uint32_t len; /* of text; of numbers: 1 if whole */
    uint32_t rank : 3;
    uint32_t at : 29; /* where the key stands in the list of keys */
};

struct walker {
    lua_Integer i, list; /* next of the list part, and its last */
    size_t j, count;     /* next of the others */
    struct item items[];
};
enum { WALKED = 1, WALKED_KEYS = 2, WALKED_LAST = 3 }; /* user values */

/* --- order ------------------------------------------------------------------------------------ */

static long double number_of(const struct item *item)
{
    return item->len ? (long double)item->key.whole : (long double)item->key.number;
}

static int order(const struct item *a, const struct item *b)
{
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    if (a->rank == RANK_NUMBER) {
        long double x = number_of(a), y = number_of(b);
        return (x > y) - (x < y);
    }
    if (a->rank == RANK_STRING) {
        size_t len = a->len < b->len ? a->len : b->len;
        int way = memcmp(a->key.text, b->key.text, len);
        return way ? way : (a->len > b->len) - (a->len < b->len);
    }
    if (a->rank == RANK_OBJECT)
        return (a->key.birth > b->key.birth) - (a->key.birth < b->key.birth);
    return 0;
}

static void sift(struct item *items, size_t root, size_t count)
{
    struct item moving = items[root];
    for (size_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && order(&items[child], &items[child + 1]) < 0)
            child++;
        if (order(&moving, &items[child]) >= 0)
            break;
        items[root] = items[child];
    }
    items[root] = moving;
}

/* Heapsort: in place, n log n always, no recursion. Keys differ, so it need not be stable. */
static void sort_items(struct item *items, size_t count)
{
    for (size_t i = count / 2; i-- > 0;) {
        guard_poll();
        sift(items, i, count);
    }
    for (size_t i = count; i-- > 1;) {
        struct item last = items[i];
        guard_poll();
        items[i] = items[0];
        items[0] = last;
        sift(items, 0, i);
    }
}

/* Where an object begins: lua_topointer() gives the content of a userdata, and the part of a thread
 * behind its extra space. Userdata that scripts can reach (exact values) have no user values. */
static const void *object_at(lua_State *L, int index)
{
    enum { UDATA_HEAD = 32 };
    const char *at = lua_topointer(L, index);
    int type = lua_type(L, index);
    return type == LUA_TUSERDATA ? at - UDATA_HEAD : type == LUA_TTHREAD ? at - LUA_EXTRASPACE : at;
}

/* Functions of C are no objects: they have an address for ever, and its order is the linker's. */
static uint64_t birth_of(lua_State *L, int index)
{
    uint64_t birth = heap_birth(&cell_of(L)->heap, object_at(L, index));
    return birth ? birth : (1ULL << 63) + (uint64_t)(uintptr_t)lua_topointer(L, index);
}

static struct item item_of(lua_State *L, int index)
{
    struct item item = {.rank = RANK_OBJECT};
    size_t len;
    switch (lua_type(L, index)) {
    case LUA_TNUMBER:
        item.rank = RANK_NUMBER;
        item.len = (uint32_t)lua_isinteger(L, index);
        if (item.len)
            item.key.whole = lua_tointeger(L, index);
        else
            item.key.number = lua_tonumber(L, index);
        break;
    case LUA_TSTRING:
        item.rank = RANK_STRING;
        item.key.text = lua_tolstring(L, index, &len);
        item.len = (uint32_t)len;
        break;
    case LUA_TBOOLEAN: item.rank = lua_toboolean(L, index) ? RANK_TRUE : RANK_FALSE; break;
    default: item.key.birth = birth_of(L, index);
    }
    return item;
}

/* --- walkers ---------------------------------------------------------------------------------- */

/* How many of the first keys are 1, 2, 3 ..., and how many others there are. */
static size_t measure(lua_State *L, int table, lua_Integer *list_out)
{
    size_t others = 0;
    *list_out = 0;
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
        if (others == 0 && lua_isinteger(L, -2) && lua_tointeger(L, -2) == *list_out + 1)
            ++*list_out;
        else
            others++;
    }
    return others;
}

static void collect(lua_State *L, int table, struct walker *walker)
{
    lua_createtable(L, (int)walker->count, 0);
    int keys = lua_gettop(L);
    lua_Integer seen = 0;
    size_t at = 0;
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
        if (seen++ < walker->list)
            continue;
        struct item *item = &walker->items[at++];
        *item = item_of(L, -2);
        item->at = (uint32_t)at & 0x1fffffff;
        lua_pushvalue(L, -2);
        lua_rawseti(L, keys, (lua_Integer)at);
    }
}

void walk_open_in(lua_State *L, int index)
{
    lua_Integer list;
    int table = lua_absindex(L, index);
    luaL_checkstack(L, 8, NULL);
    size_t others = measure(L, table, &list);
    struct walker *walker =
        lua_newuserdatauv(L, sizeof *walker + others * sizeof walker->items[0], WALKED_LAST);
    *walker = (struct walker){.i = 1, .list = list, .count = others};
    lua_pushvalue(L, table);
    lua_setiuservalue(L, -2, WALKED);
    if (others > 0) {
        collect(L, table, walker);
        lua_setiuservalue(L, -2, WALKED_KEYS);
        if (others > 1)
            sort_items(walker->items, others);
    }
}

/* Push the next key of the snapshot. */
static bool push_key(lua_State *L, int at, struct walker *walker)
{
    const struct item *other = walker->j < walker->count ? &walker->items[walker->j] : NULL;
    bool from_list = walker->i <= walker->list &&
                     !(other && other->rank == RANK_NUMBER && number_of(other) < walker->i);
    if (from_list) {
        lua_pushinteger(L, walker->i++);
        return true;
    }
    if (!other)
        return false;
    lua_getiuservalue(L, at, WALKED_KEYS);
    lua_rawgeti(L, -1, other->at);
    lua_remove(L, -2);
    walker->j++;
    return true;
}

bool walk_next_in(lua_State *L, int index)
{
    int at = lua_absindex(L, index);
    struct walker *walker = lua_touserdata(L, at);
    lua_getiuservalue(L, at, WALKED);
    int table = lua_gettop(L);
    while (push_key(L, at, walker)) {
        lua_pushvalue(L, -1);
        if (lua_rawget(L, table) != LUA_TNIL) {
            lua_remove(L, table);
            return true;
        }
        guard_poll();
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
    return false;
}

/* Go to the first key after the one at index. */
static void seek(lua_State *L, struct walker *walker, int index)
{
    struct item key = item_of(L, index);
    size_t from = 0, to = walker->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (order(&walker->items[middle], &key) <= 0)
            from = middle + 1;
        else
            to = middle;
    }
    walker->j = from;
    walker->i = walker->list + 1;
    if (key.rank == RANK_NUMBER && number_of(&key) < walker->list)
        walker->i = number_of(&key) < 1 ? 1 : (lua_Integer)number_of(&key) + 1;
}

/* --- next and pairs --------------------------------------------------------------------------- */

/* The smallest key of a table, without a snapshot: next(t) is how scripts ask whether t is empty. */
static int first_key(lua_State *L)
{
    bool any = false;
    struct item least = {0};
    lua_settop(L, 1);
    lua_pushnil(L);
    lua_pushnil(L); /* 2 and 3: the smallest so far */
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        struct item item = item_of(L, -2);
        if (any && order(&least, &item) < 0)
            continue;
        any = true;
        least = item;
        lua_pushvalue(L, -2);
        lua_replace(L, 2);
        lua_pushvalue(L, -1);
        lua_replace(L, 3);
    }
    lua_settop(L, 3);
    return any ? 2 : 1;
}

/* Push the walker that stands behind the key in 2, or a new one that does. */
static void find_walker(lua_State *L)
{
    struct cell *cell = cell_of(L);
    if (lua_rawgeti(L, LUA_REGISTRYINDEX, cell->walk_ref) == LUA_TUSERDATA) {
        lua_getiuservalue(L, 3, WALKED);
        lua_getiuservalue(L, 3, WALKED_LAST);
        bool same = lua_rawequal(L, 1, 4) && lua_rawequal(L, 2, 5);
        lua_pop(L, 2);
        if (same)
            return;
    }
    lua_pop(L, 1);
    cell->walked = true;
    walk_open_in(L, 1);
    seek(L, lua_touserdata(L, 3), 2);
    lua_pushvalue(L, 3);
    lua_rawseti(L, LUA_REGISTRYINDEX, cell->walk_ref);
}

static int next(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    if (lua_isnil(L, 2))
        return first_key(L);
    find_walker(L);
    if (!walk_next_in(L, 3)) {
        lua_pushnil(L);
        lua_pushvalue(L, -1);
        lua_rawseti(L, LUA_REGISTRYINDEX, cell_of(L)->walk_ref);
        return 1;
    }
    lua_pushvalue(L, 4);
    lua_setiuservalue(L, 3, WALKED_LAST);
    return 2;
}

static int step(lua_State *L)
{
    lua_settop(L, 0);
    if (!walk_next_in(L, lua_upvalueindex(1)))
        return 0;
    return 2;
}

static int pairs(lua_State *L)
{
    luaL_checkany(L, 1);
    if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
        lua_pushvalue(L, 1);
        lua_call(L, 1, 3);
        return 3;
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    walk_open_in(L, 1);
    lua_pushcclosure(L, step, 1);
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    return 3;
}

/* --- table.sort ------------------------------------------------------------------------------- */

/* Quicksort as in Lua's ltablib.c, which takes pivots from the clock when a partition goes wrong;
 * this one takes them from the borders. Elements are read and written as there. */
static bool less(lua_State *L, int a, int b)
{
    if (lua_isnil(L, 2))
        return lua_compare(L, a, b, LUA_OPLT);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, a - 1);
    lua_pushvalue(L, b - 2);
    lua_call(L, 2, 1);
    bool result = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return result;
}

static void set_two(lua_State *L, lua_Integer i, lua_Integer j)
{
    lua_seti(L, 1, i);
    lua_seti(L, 1, j);
}

/* a[lo] <= a[p] <= a[up]; the pivot goes to a[up - 1] and stays on the stack. */
static void order_three(lua_State *L, lua_Integer lo, lua_Integer p, lua_Integer up)
{
    lua_geti(L, 1, p);
    lua_geti(L, 1, lo);
    if (less(L, -2, -1)) {
        set_two(L, p, lo);
    } else {
        lua_pop(L, 1);
        lua_geti(L, 1, up);
        if (less(L, -1, -2))
            set_two(L, p, up);
        else
            lua_pop(L, 2);
    }
    if (up - lo == 2)
        return;
    lua_geti(L, 1, p);
    lua_pushvalue(L, -1);
    lua_geti(L, 1, up - 1);
    set_two(L, p, up - 1);
}

static lua_Integer partition(lua_State *L, lua_Integer lo, lua_Integer up)
{
    lua_Integer i = lo, j = up - 1;
    for (;;) {
        guard_poll();
        while (lua_geti(L, 1, ++i), less(L, -1, -2)) {
            if (i == up - 1)
                luaL_error(L, "invalid order function for sorting");
            lua_pop(L, 1);
        }
        while (lua_geti(L, 1, --j), less(L, -3, -1)) {
            if (j < i)
                luaL_error(L, "invalid order function for sorting");
            lua_pop(L, 1);
        }
        if (j < i) {
            lua_pop(L, 1);
            set_two(L, up - 1, i);
            return i;
        }
        set_two(L, i, j);
    }
}

static void sort_part(lua_State *L, lua_Integer lo, lua_Integer up, unsigned turn)
{
    while (lo < up) {
        lua_geti(L, 1, lo);
        lua_geti(L, 1, up);
        if (less(L, -1, -2))
            set_two(L, lo, up);
        else
            lua_pop(L, 2);
        if (up - lo == 1)
            break;
        lua_Integer quarter = (up - lo) / 4;
        lua_Integer p = up - lo < 100 || turn == 0
                            ? lo + (up - lo) / 2
                            : lo + quarter + (lua_Integer)turn * 7919 % (quarter * 2);
        order_three(L, lo, p, up);
        if (up - lo == 2)
            break;
        lua_Integer at = partition(L, lo, up), small;
        if (at - lo < up - at) {
            sort_part(L, lo, at - 1, turn);
            small = at - lo;
            lo = at + 1;
        } else {
            sort_part(L, at + 1, up, turn);
            small = up - at;
            up = at - 1;
        }
        if ((up - lo) / 128 > small)
            turn++;
    }
}

static int sort(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_Integer n = luaL_len(L, 1);
    if (n > 1) {
        luaL_argcheck(L, n < INT32_MAX, 1, "array too big");
        if (!lua_isnoneornil(L, 2))
            luaL_checktype(L, 2, LUA_TFUNCTION);
        lua_settop(L, 2);
        luaL_checkstack(L, 40, "");
        sort_part(L, 1, n, 0);
    }
    return 0;
}

void sorted_open_in(lua_State *L)
{
    static const luaL_Reg functions[] = {{"next", next}, {"pairs", pairs}, {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
    lua_getfield(L, -1, "table");
    lua_pushcfunction(L, sort);
    lua_setfield(L, -2, "sort");
    lua_pop(L, 1);
}
