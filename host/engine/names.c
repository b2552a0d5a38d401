/* names.c - what orders are called, by the asker, by us and by the venue.
 *
 *   cid       the asker's. Used up for ever once submitted, so its fingerprint is kept for ever, in
 *             `cids`; the order it leads to is forgotten with the order.
 *   wire id   ours, what the venue sees. Made of facts, and so never made twice:
 *
 *                 0000 001 4k7       instance (4), strategy (3), counter (1 to 11), base 36
 *
 *             An id of a forgotten order, or of another life of this host, still says whose it was.
 *   venue id  the venue's, unique within an instrument.
 *
 * An order keeps the names that it has had as long as there is room; when the room is used up its
 * own oldest former names go first, and names that are in use never. */
#include "engine/state.h"

static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";

enum { INSTANCE_DIGITS = 4, STRATEGY_DIGITS = 3, COUNTER_DIGITS = 11 };
#define COUNTER_END 131621703842267136 /* 36^11 */

struct key128 key_for(enum key_space space, const char *text, size_t most, uint64_t with)
{
    return key_of(text, strnlen(text, most), (with << 8) | (uint64_t)space);
}

/* --- wire ids ---------------------------------------------------------------------------------- */

static char *put_digits(char *at, uint64_t value, int count)
{
    for (int i = count - 1; i >= 0; i--, value /= 36)
        at[i] = digits[value % 36];
    return at + count;
}

static int digits_of(int64_t value)
{
    int count = 1;
    for (; value >= 36; value /= 36)
        count++;
    return count;
}

bool wire_room(const struct engine *engine)
{
    bool reserved = engine->id_end > 0 ? engine->id_next < engine->id_end : !strict(engine);
    return reserved && engine->id_next < COUNTER_END;
}

bool wire_make(struct engine *engine, uint32_t strategy, char out[WEIR_ID_MAX])
{
    uint32_t taken;
    do {
        if (!wire_room(engine))
            return false;
        memset(out, 0, WEIR_ID_MAX);
        char *at = put_digits(out, (uint64_t)engine->policy[POLICY_instance], INSTANCE_DIGITS);
        at = put_digits(at, strategy, STRATEGY_DIGITS);
        put_digits(at, (uint64_t)engine->id_next, digits_of(engine->id_next));
        engine->id_next++;
    } while (map_get(&engine->cids, key_for(KEY_CID, out, WEIR_ID_MAX, 0), &taken));
    return true;
}

static bool take_digits(const char *text, size_t len, int64_t *value_out)
{
    int64_t value = 0;
    for (size_t i = 0; i < len; i++) {
        const char *digit = text[i] ? strchr(digits, text[i]) : NULL;
        if (!digit)
            return false;
        value = value * 36 + (digit - digits);
    }
    *value_out = value;
    return true;
}

/* Whose order a client order id of this host names. */
bool wire_parse(const struct engine *engine, const char *text, uint32_t *strategy_out,
                int64_t *counter_out)
{
    size_t len = strnlen(text, WEIR_ID_MAX), fixed = INSTANCE_DIGITS + STRATEGY_DIGITS;
    int64_t instance, strategy;
    if (len <= fixed || len > fixed + COUNTER_DIGITS || (text[fixed] == '0' && len > fixed + 1))
        return false;
    if (!take_digits(text, INSTANCE_DIGITS, &instance) ||
        instance != engine->policy[POLICY_instance] ||
        !take_digits(text + INSTANCE_DIGITS, STRATEGY_DIGITS, &strategy) ||
        !take_digits(text + fixed, len - fixed, counter_out))
        return false;
    *strategy_out = (uint32_t)strategy;
    return true;
}

/* An id of ours leads to its order; marked if it was of a replace that came to nothing. */
#define VOID_REPLACE 0x80000000u

/* --- finding ------------------------------------------------------------------------------------ */

uint32_t order_of_wire(const struct engine *engine, const char *wire)
{
    uint32_t n = 0;
    return wire[0] && map_get(&engine->ids, key_for(KEY_WIRE, wire, WEIR_ID_MAX, 0), &n)
               ? n & ~VOID_REPLACE
               : 0;
}

bool wire_is_void(const struct engine *engine, const char *wire)
{
    uint32_t n = 0;
    return wire[0] && map_get(&engine->ids, key_for(KEY_WIRE, wire, WEIR_ID_MAX, 0), &n) &&
           (n & VOID_REPLACE);
}

void wire_void(struct engine *engine, const char *wire, uint32_t n)
{
    if (order_of_wire(engine, wire) == n)
        (void)map_put(&engine->ids, key_for(KEY_WIRE, wire, WEIR_ID_MAX, 0), n | VOID_REPLACE);
}

uint32_t order_of_cid(const struct engine *engine, const char *name)
{
    uint32_t n;
    if (name[0] && map_get(&engine->cids, key_for(KEY_CID, name, WEIR_ID_MAX, 0), &n))
        return n;
    return order_of_wire(engine, name);
}

/* instrument 0: the reporter does not say which; the first that has such an order */
uint32_t order_of_venue(const struct engine *engine, uint32_t instrument, const char *vid)
{
    uint32_t n = 0, first = instrument ? instrument : 1;
    uint32_t last = instrument ? instrument : engine->instrument_count;
    if (!vid[0])
        return 0;
    for (uint32_t i = first; i <= last; i++)
        if (map_get(&engine->ids, key_for(KEY_VENUE, vid, WEIR_ID_MAX, i), &n))
            return n;
    return 0;
}

bool cid_is_used(const struct engine *engine, const char *cid)
{
    uint32_t n;
    return map_get(&engine->cids, key_for(KEY_CID, cid, WEIR_ID_MAX, 0), &n) ||
           order_of_wire(engine, cid) != 0;
}

bool cid_keep(struct engine *engine, const char *cid, uint32_t n)
{
    return map_put(&engine->cids, key_for(KEY_CID, cid, WEIR_ID_MAX, 0), n);
}

/* --- the names of one order --------------------------------------------------------------------- */

static struct key128 name_key(const struct engine *engine, uint32_t n, enum name_kind kind,
                              const char *text)
{
    switch (kind) {
    case NAME_CID: return key_for(KEY_CID, text, WEIR_ID_MAX, 0);
    case NAME_WIRE: return key_for(KEY_WIRE, text, WEIR_ID_MAX, 0);
    case NAME_VENUE: break;
    }
    return key_for(KEY_VENUE, text, WEIR_ID_MAX, engine->orders[n].instrument);
}

static bool is_current(const struct engine *engine, uint32_t n, const struct name *name)
{
    const struct order_more *more = &engine->more[n];
    bool pending = request_is_open(engine->orders[n].amend);
    switch (name->kind) {
    case NAME_CID:
        return same_key(name->key, name_key(engine, n, NAME_CID, more->cid)) ||
               (pending && same_key(name->key, name_key(engine, n, NAME_CID, more->next_cid)));
    case NAME_WIRE:
        return same_key(name->key, name_key(engine, n, NAME_WIRE, more->wire)) ||
               (pending && same_key(name->key, name_key(engine, n, NAME_WIRE, more->next_wire)));
    default: return same_key(name->key, name_key(engine, n, NAME_VENUE, more->vid));
    }
}

/* A venue may have given the name to another order since: then it stays that one's. */
static void name_drop(struct engine *engine, uint32_t n, uint32_t index)
{
    struct name *name = &engine->names[index];
    struct map *map = name->kind == NAME_CID ? &engine->cids : &engine->ids;
    uint32_t owner;
    if (map_get(map, name->key, &owner) && (owner & ~VOID_REPLACE) == n) {
        if (name->kind == NAME_CID)
            (void)map_put(map, name->key, 0); /* it is there: this cannot fail */
        else
            (void)map_remove(map, name->key);
    }
    name->next = engine->names_free;
    engine->names_free = index;
    if (engine->more[n].names-- > NAMES_RESERVED)
        engine->names_extra--;
}

/* Drop the oldest name that is no longer in use. */
static bool drop_oldest(struct engine *engine, uint32_t n)
{
    struct order_more *more = more_at(engine, n);
    uint32_t before = 0;
    for (uint32_t at = more->first_name; at; before = at, at = engine->names[at].next) {
        if (is_current(engine, n, &engine->names[at]))
            continue;
        uint32_t next = engine->names[at].next;
        if (before)
            engine->names[before].next = next;
        else
            more->first_name = next;
        if (more->last_name == at)
            more->last_name = before;
        name_drop(engine, n, at);
        return true;
    }
    return false;
}

static uint32_t beyond_reserve(uint32_t names)
{
    return names > NAMES_RESERVED ? names - NAMES_RESERVED : 0;
}

/* The first names of each order always have room; further ones share what is left. */
bool name_room(struct engine *engine, uint32_t n, uint32_t wanted)
{
    const struct order_more *more = more_at(engine, n);
    uint32_t extra_room = NAMES_RESERVED * engine->sizes.orders;
    for (;;) {
        uint32_t extra = beyond_reserve(more->names + wanted) - beyond_reserve(more->names);
        if (more->names + wanted <= NAMES_MOST && engine->names_extra + extra <= extra_room)
            return true;
        if (!drop_oldest(engine, n))
            return false;
    }
}

/* Let text lead to the order. False: no room; the order goes without this name. */
bool name_add(struct engine *engine, uint32_t n, enum name_kind kind, const char *text)
{
    struct order_more *more = more_at(engine, n);
    struct key128 key = name_key(engine, n, kind, text);
    struct map *map = kind == NAME_CID ? &engine->cids : &engine->ids;
    uint32_t index;

    if (!name_room(engine, n, 1) || !map_put(map, key, n))
        return false;
    index = engine->names_free;
    engine->names_free = engine->names[index].next;
    engine->names[index] = (struct name){key, 0, (uint32_t)kind};
    if (more->last_name)
        engine->names[more->last_name].next = index;
    else
        more->first_name = index;
    more->last_name = index;
    if (++more->names > NAMES_RESERVED)
        engine->names_extra++;
    return true;
}

void names_forget(struct engine *engine, uint32_t n)
{
    struct order_more *more = more_at(engine, n);
    for (uint32_t at = more->first_name, next; at; at = next) {
        next = engine->names[at].next;
        name_drop(engine, n, at);
    }
    more->first_name = more->last_name = 0;
}
