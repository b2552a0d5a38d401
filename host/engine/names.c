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
 * FINDING   Client order ids of 8 to 16 characters, as all of ours will be for long, are their own
 *           keys, and lead to their orders by their last digits, in a table of as many places as there
 *           are orders, four times over [wires]: neighbours are used at one time and lie side by side,
 *           where fingerprints in a map are all over the memory. An id whose place is taken by a much
 *           older one is in the map `ids`, as all other ids are [wire_place].
 *           What a cid led to is not taken out of `cids` when the order is forgotten; the order is
 *           asked whether it has that name [order_of_cid].
 *
 * An order keeps the names that it has had as long as there is room; when the room is used up its
 * own oldest former names go first, and names that are in use never. */
#include "engine/state.h"
#include "engine/tell.h"

static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";

enum { INSTANCE_DIGITS = 4, STRATEGY_DIGITS = 3, COUNTER_DIGITS = 11 };
enum { WIRE_SHORT = 8, WIRE_LONG = 16 }; /* that fit a key as they are */
#define COUNTER_END 131621703842267136   /* 36^11 */

struct key128 key_for(enum key_space space, const char *text, size_t most, uint64_t with)
{
    return key_of(text, strnlen(text, most), (with << 8) | (uint64_t)space);
}

struct key128 cid_key(const char *cid)
{
    return key_for(KEY_CID, cid, WEIR_ID_MAX, 0);
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

/* A bit for how a name of at least four characters begins; shorter ones have none. */
static uint64_t beginning_of(const char *text)
{
    uint32_t first;
    if (strnlen(text, sizeof first) < sizeof first)
        return 0;
    memcpy(&first, text, sizeof first);
    return (uint64_t)1 << (first * 0x9E3779B1u >> 26);
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
    } while ((engine->cid_beginnings & beginning_of(out)) &&
             map_get(&engine->cids, cid_key(out), &taken));
    return true;
}

/* 36: not a digit. */
static unsigned digit_value(char digit)
{
    unsigned number = (unsigned)digit - '0', letter = (unsigned)digit - 'a';
    return number < 10 ? number : letter < 26 ? letter + 10 : 36;
}

static bool take_digits(const char *text, size_t len, int64_t *value_out)
{
    int64_t value = 0;
    unsigned worst = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned digit = digit_value(text[i]);
        worst = digit > worst ? digit : worst;
        value = value * 36 + digit;
    }
    *value_out = value;
    return worst < 36;
}

/* Whose order a client order id of this host names. */
bool wire_parse(const struct engine *engine, const char *text, uint32_t *strategy_out,
                int64_t *counter_out)
{
    size_t len = strnlen(text, WEIR_ID_MAX), fixed = INSTANCE_DIGITS + STRATEGY_DIGITS;
    int64_t instance, strategy;
    if (len <= fixed || len > fixed + COUNTER_DIGITS || (text[fixed] == '0' && len > fixed + 1) ||
        !take_digits(text, INSTANCE_DIGITS, &instance) ||
        instance != engine->policy[POLICY_instance] ||
        !take_digits(text + INSTANCE_DIGITS, STRATEGY_DIGITS, &strategy) ||
        !take_digits(text + fixed, len - fixed, counter_out))
        return false;
    *strategy_out = (uint32_t)strategy;
    return true;
}

/* The same id has the same key: its characters, or else its fingerprint. */
static enum name_kind wire_kind(const char *text, struct key128 *key_out)
{
    size_t len = strnlen(text, WIRE_LONG + 1);
    if (len < WIRE_SHORT || len > WIRE_LONG) {
        *key_out = key_for(KEY_WIRE, text, WEIR_ID_MAX, 0);
        return NAME_FOREIGN;
    }
    uint64_t first, second = 0;
    memcpy(&first, text, sizeof first);
    memcpy(&second, text + len - 8, sizeof second); /* overlapping the first, if it is short */
    key_out->a = first;
    key_out->b = len > 8 ? second >> (8 * (WIRE_LONG - len)) : 0;
    return NAME_WIRE;
}

struct key128 wire_key(const char *text)
{
    struct key128 key;
    (void)wire_kind(text, &key);
    return key;
}

/* An id of ours leads to its order; marked if it was of a replace that came to nothing. */
#define VOID_REPLACE 0x80000000u

/* --- finding ------------------------------------------------------------------------------------ */

/* By the last four digits of its counter, or by as many as it has. */
static struct wire *wire_place(const struct engine *engine, struct key128 key)
{
    unsigned len = key.b ? WIRE_LONG - (unsigned)__builtin_clzll(key.b) / 8 : WIRE_SHORT;
    unsigned from = len > 11 ? len - 4 : INSTANCE_DIGITS + STRATEGY_DIGITS;
    unsigned __int128 text = (unsigned __int128)key.b << 64 | key.a;
    uint32_t at = 0;
    for (uint32_t tail = (uint32_t)(text >> (8 * from)); tail; tail >>= 8)
        at = at * 36 + digit_value((char)(tail & 0xff));
    return &engine->wires[at & (engine->wire_places - 1)];
}

static bool wire_is_there(const struct wire *place, struct key128 key)
{
    return place->order != 0 && same_key(place->key, key);
}

/* Its key in `ids`, for one that has no place of its own. */
static struct key128 key_elsewhere(enum name_kind kind, struct key128 key)
{
    return kind == NAME_WIRE ? key_of(&key, sizeof key, KEY_WIRE) : key;
}

static uint32_t wire_find(const struct engine *engine, enum name_kind kind, struct key128 key)
{
    uint32_t n = 0;
    if (kind == NAME_WIRE) {
        const struct wire *place = wire_place(engine, key);
        if (wire_is_there(place, key))
            return place->order;
    }
    return engine->wires_elsewhere > 0 && map_get(&engine->ids, key_elsewhere(kind, key), &n) ? n
                                                                                              : 0;
}

static bool wire_put_elsewhere(struct engine *engine, struct key128 key, uint32_t n)
{
    uint32_t before = engine->ids.count;
    if (!map_put(&engine->ids, key, n))
        return false;
    engine->wires_elsewhere += engine->ids.count - before;
    return true;
}

static bool wire_put(struct engine *engine, enum name_kind kind, struct key128 key, uint32_t n)
{
    if (kind != NAME_WIRE)
        return wire_put_elsewhere(engine, key, n);
    struct wire *place = wire_place(engine, key);
    bool has_place = wire_is_there(place, key);
    if (!has_place && place->order == 0)
        has_place = engine->wires_elsewhere == 0 || wire_find(engine, kind, key) == 0;
    if (!has_place)
        return wire_put_elsewhere(engine, key_elsewhere(kind, key), n);
    *place = (struct wire){key, n, 0};
    return true;
}

static void wire_drop(struct engine *engine, enum name_kind kind, struct key128 key)
{
    struct wire *place = kind == NAME_WIRE ? wire_place(engine, key) : NULL;
    if (place && wire_is_there(place, key))
        *place = (struct wire){{0, 0}, 0, 0};
    else if (map_remove(&engine->ids, key_elsewhere(kind, key)))
        engine->wires_elsewhere--;
}

/* Its order, perhaps marked. */
static uint32_t wire_value(const struct engine *engine, const char *wire)
{
    struct key128 key;
    if (!wire[0])
        return 0;
    enum name_kind kind = wire_kind(wire, &key);
    return wire_find(engine, kind, key);
}

uint32_t order_of_wire(const struct engine *engine, const char *wire)
{
    return wire_value(engine, wire) & ~VOID_REPLACE;
}

bool wire_is_void(const struct engine *engine, const char *wire)
{
    return wire_value(engine, wire) & VOID_REPLACE;
}

void wire_void(struct engine *engine, const char *wire, uint32_t n)
{
    struct key128 key;
    enum name_kind kind = wire_kind(wire, &key);
    if (order_of_wire(engine, wire) == n)
        (void)wire_put(engine, kind, key, n | VOID_REPLACE);
}

static bool has_cid(const struct engine *engine, uint32_t n, struct key128 key)
{
    for (uint32_t at = engine->more[n].first_name; at; at = engine->names[at].next)
        if (engine->names[at].kind == NAME_CID && same_key(engine->names[at].key, key))
            return true;
    return same_key(cid_key(engine->more[n].cid), key);
}

uint32_t order_of_cid(const struct engine *engine, const char *name)
{
    uint64_t beginning = beginning_of(name);
    uint32_t n;
    if (!name[0])
        return 0;
    if (beginning == 0 || (engine->cid_beginnings & beginning)) {
        struct key128 key = cid_key(name);
        if (map_get(&engine->cids, key, &n))
            return n && has_cid(engine, n, key) ? n : 0;
    }
    return order_of_wire(engine, name);
}

struct key128 venue_key(uint32_t instrument, const char *vid)
{
    return key_for(KEY_VENUE, vid, WEIR_ID_MAX, instrument);
}

/* Will be asked for soon, as what an order is called at the venue. */
void venue_fetch(const struct engine *engine, struct key128 key)
{
    map_fetch(&engine->ids, key);
}

uint32_t venue_owner(const struct engine *engine, struct key128 key)
{
    uint32_t n = 0;
    return map_get(&engine->ids, key, &n) ? n : 0;
}

/* instrument 0: the reporter does not say which; the first that has such an order */
uint32_t order_of_venue(const struct engine *engine, uint32_t instrument, const char *vid)
{
    uint32_t n = 0, first = instrument ? instrument : 1;
    uint32_t last = instrument ? instrument : engine->instrument_count;
    if (!vid[0])
        return 0;
    for (uint32_t i = first; i <= last; i++)
        if (map_get(&engine->ids, venue_key(i, vid), &n))
            return n;
    return 0;
}

bool cid_is_used(const struct engine *engine, const char *cid, struct key128 key)
{
    uint32_t n;
    return map_get(&engine->cids, key, &n) || order_of_wire(engine, cid) != 0;
}

static bool cid_put(struct engine *engine, const char *cid, struct key128 key, uint32_t n)
{
    engine->cid_beginnings |= beginning_of(cid);
    return map_put(&engine->cids, key, n);
}

bool cid_keep(struct engine *engine, const char *cid, uint32_t n)
{
    return cid_put(engine, cid, cid_key(cid), n);
}

/* --- the names of one order --------------------------------------------------------------------- */

static struct key128 name_key(const struct engine *engine, uint32_t n, enum name_kind kind,
                              const char *text)
{
    switch (kind) {
    case NAME_CID: return cid_key(text);
    case NAME_WIRE:
    case NAME_FOREIGN: return wire_key(text);
    default: return venue_key(engine->orders[n].instrument, text);
    }
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
    case NAME_FOREIGN:
        return same_key(name->key, name_key(engine, n, NAME_WIRE, more->wire)) ||
               (pending && same_key(name->key, name_key(engine, n, NAME_WIRE, more->next_wire)));
    default: return same_key(name->key, name_key(engine, n, NAME_VENUE, more->vid));
    }
}

static bool is_shared(const struct engine *engine, uint32_t index)
{
    return index > NAMES_RESERVED * engine->sizes.orders;
}

/* A place for a name of order n: its own if one is free, else one of those that all share. */
static uint32_t name_place(struct engine *engine, uint32_t n)
{
    uint32_t own = 1 + (n - 1) * NAMES_RESERVED;
    for (uint32_t i = 0; i < NAMES_RESERVED; i++)
        if (engine->names[own + i].kind == NAME_FREE)
            return own + i;
    uint32_t index = engine->names_free;
    if (index == 0)
        return NAMES_RESERVED * engine->sizes.orders + ++engine->names_begun;
    engine->names_free = engine->names[index].next;
    return index;
}

static void name_give_back(struct engine *engine, uint32_t index)
{
    bool shared = is_shared(engine, index);
    engine->names[index] = (struct name){.next = shared ? engine->names_free : 0};
    if (shared)
        engine->names_free = index;
}

/* A venue may have given the name to another order since: then it stays that one's. */
static void name_drop(struct engine *engine, uint32_t n, uint32_t index)
{
    const struct name *name = &engine->names[index];
    enum name_kind kind = (enum name_kind)name->kind;
    uint32_t owner;
    if (kind == NAME_VENUE) {
        if (map_get(&engine->ids, name->key, &owner) && owner == n)
            (void)map_remove(&engine->ids, name->key);
    } else if (kind != NAME_CID && (wire_find(engine, kind, name->key) & ~VOID_REPLACE) == n) {
        wire_drop(engine, kind, name->key);
    }
    name_give_back(engine, index);
    if (engine->more[n].names-- > NAMES_RESERVED)
        engine->names_extra--;
}

static uint32_t *link_to(struct engine *engine, uint32_t n, uint32_t before)
{
    return before ? &engine->names[before].next : &more_at(engine, n)->first_name;
}

/* Of the order's names in shared places one moves to its own place, which has become free. */
static void name_come_home(struct engine *engine, uint32_t n, uint32_t own)
{
    struct order_more *more = more_at(engine, n);
    uint32_t before = 0, at = more->first_name;
    for (; at && !is_shared(engine, at); at = engine->names[at].next)
        before = at;
    if (!at)
        return;
    engine->names[own] = engine->names[at];
    *link_to(engine, n, before) = own;
    if (more->last_name == at)
        more->last_name = own;
    name_give_back(engine, at);
}

/* Drop the oldest name that is no longer in use. */
static bool drop_oldest(struct engine *engine, uint32_t n)
{
    struct order_more *more = more_at(engine, n);
    uint32_t before = 0;
    for (uint32_t at = more->first_name; at; before = at, at = engine->names[at].next) {
        if (is_current(engine, n, &engine->names[at]))
            continue;
        *link_to(engine, n, before) = engine->names[at].next;
        if (more->last_name == at)
            more->last_name = before;
        name_drop(engine, n, at);
        if (!is_shared(engine, at))
            name_come_home(engine, n, at);
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

static bool name_lead(struct engine *engine, uint32_t n, enum name_kind kind, struct key128 key,
                      const char *text)
{
    switch (kind) {
    case NAME_CID: return cid_put(engine, text, key, n);
    case NAME_VENUE: return map_put(&engine->ids, key, n);
    default: return wire_put(engine, kind, key, n);
    }
}

bool name_put(struct engine *engine, uint32_t n, enum name_kind kind, struct key128 key,
              const char *text)
{
    struct order_more *more = more_at(engine, n);
    if (!name_room(engine, n, 1) || !name_lead(engine, n, kind, key, text))
        return false;
    uint32_t index = name_place(engine, n);
    struct name *name = &engine->names[index];
    name->key.a = key.a; /* one by one: it has just been made, and not as a whole */
    name->key.b = key.b;
    name->next = 0;
    name->kind = kind;
    if (more->last_name)
        engine->names[more->last_name].next = index;
    else
        more->first_name = index;
    more->last_name = index;
    if (++more->names > NAMES_RESERVED)
        engine->names_extra++;
    return true;
}

/* Let text lead to the order. False: no room; the order goes without this name. */
bool name_add(struct engine *engine, uint32_t n, enum name_kind kind, const char *text)
{
    struct key128 key;
    if (kind == NAME_WIRE)
        kind = wire_kind(text, &key);
    else
        key = name_key(engine, n, kind, text);
    return name_put(engine, n, kind, key, text);
}

/* Its names will be forgotten soon. */
void names_fetch(const struct engine *engine, uint32_t n)
{
    const struct name *own = &engine->names[1 + (n - 1) * NAMES_RESERVED];
    for (uint32_t i = 0; i < NAMES_RESERVED; i++)
        if (own[i].kind == NAME_VENUE)
            map_fetch(&engine->ids, own[i].key);
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
