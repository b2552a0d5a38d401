/* queues.c - see the header.
 *
 * Orders are nodes in one array, linked at each price; ids and prices are found by hashing. A new
 * order goes behind the last one with a lower id, which is nearly always the last of all. */
#include "venue/queues.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { FIRST_ROOM = 1024, WINDOW = 1 << 14, FAR = 1 << 16, NOBODY = 0 };

struct node {
    uint64_t id;
    weir_px px;
    weir_qty qty;
    uint32_t prev, next; /* at its price, or the next free one; NOBODY: none */
    uint32_t level;
    uint8_t side;
    bool ghost;
};

struct level {
    weir_px px;
    weir_qty total, seen; /* without and with ghosts */
    uint32_t first, last, count;
    uint32_t next_free;
    uint8_t side;
};

/* From a number to an index from 1; open addressing, no holes. */
struct table {
    uint64_t *keys;
    uint32_t *values; /* 0: empty */
    uint32_t mask, count;
};

struct queues {
    struct node *nodes; /* 0 is nobody */
    struct level *levels;
    uint32_t node_room, level_room, node_free, level_free, orders;
    struct table ids, prices;
    struct book *books[2]; /* without and with ghosts */
    void *memory[2];
    weir_ns crossed_t;
    bool crossed;
};

/* --- tables ------------------------------------------------------------------------------------ */

static uint32_t slot_of(const struct table *table, uint64_t key)
{
    uint32_t at = (uint32_t)((key * 0x9e3779b97f4a7c15u) >> 32) & table->mask;
    while (table->values[at] != 0 && table->keys[at] != key)
        at = (at + 1) & table->mask;
    return at;
}

static uint32_t table_get(const struct table *table, uint64_t key)
{
    return table->values[slot_of(table, key)];
}

static bool table_init(struct table *table, uint32_t room)
{
    *table = (struct table){.mask = room - 1};
    table->keys = calloc(room, sizeof *table->keys);
    table->values = calloc(room, sizeof *table->values);
    return table->keys && table->values;
}

static void table_fini(struct table *table)
{
    free(table->keys);
    free(table->values);
}

static bool table_grow(struct table *table)
{
    struct table more;
    if (table->count < table->mask / 2)
        return true;
    if (!table_init(&more, (table->mask + 1) * 2)) {
        table_fini(&more);
        return false;
    }
    for (uint32_t i = 0; i <= table->mask; i++)
        if (table->values[i] != 0) {
            uint32_t at = slot_of(&more, table->keys[i]);
            more.keys[at] = table->keys[i];
            more.values[at] = table->values[i];
        }
    more.count = table->count;
    table_fini(table);
    *table = more;
    return true;
}

/* There is room: table_grow came before. */
static void table_put(struct table *table, uint64_t key, uint32_t value)
{
    uint32_t at = slot_of(table, key);
    table->count += table->values[at] == 0;
    table->keys[at] = key;
    table->values[at] = value;
}

static void table_drop(struct table *table, uint64_t key)
{
    uint32_t hole = slot_of(table, key);
    if (table->values[hole] == 0)
        return;
    table->count--;
    table->values[hole] = 0;
    for (uint32_t at = (hole + 1) & table->mask; table->values[at] != 0;
         at = (at + 1) & table->mask) {
        uint32_t value = table->values[at];
        table->values[at] = 0;
        table_put(table, table->keys[at], value);
        table->count--; /* it was counted already */
    }
}

/* --- room -------------------------------------------------------------------------------------- */

static bool grow_nodes(struct queues *queues)
{
    if (queues->node_free != NOBODY)
        return true;
    uint32_t room = queues->node_room * 2;
    struct node *nodes = realloc(queues->nodes, room * sizeof *nodes);
    if (!nodes)
        return false;
    for (uint32_t i = queues->node_room; i < room; i++)
        nodes[i] = (struct node){.next = i + 1 < room ? i + 1 : NOBODY};
    queues->nodes = nodes;
    queues->node_free = queues->node_room;
    queues->node_room = room;
    return true;
}

static bool grow_levels(struct queues *queues)
{
    if (queues->level_free != NOBODY)
        return true;
    uint32_t room = queues->level_room * 2;
    struct level *levels = realloc(queues->levels, room * sizeof *levels);
    if (!levels)
        return false;
    for (uint32_t i = queues->level_room; i < room; i++)
        levels[i] = (struct level){.next_free = i + 1 < room ? i + 1 : NOBODY};
    queues->levels = levels;
    queues->level_free = queues->level_room;
    queues->level_room = room;
    return true;
}

static bool make_room(struct queues *queues)
{
    return grow_nodes(queues) && grow_levels(queues) && table_grow(&queues->ids) &&
           table_grow(&queues->prices);
}

struct queues *queues_create(void)
{
    struct queues *queues = calloc(1, sizeof *queues);
    if (!queues)
        return NULL;
    queues->node_room = queues->level_room = FIRST_ROOM / 2;
    bool good = table_init(&queues->ids, FIRST_ROOM);
    good = table_init(&queues->prices, FIRST_ROOM) && good;
    queues->nodes = calloc(queues->node_room, sizeof *queues->nodes);
    queues->levels = calloc(queues->level_room, sizeof *queues->levels);
    good = good && queues->nodes && queues->levels && grow_nodes(queues) && grow_levels(queues);
    for (int i = 0; i < 2 && good; i++) {
        void *memory = mmap(NULL, book_bytes(WINDOW, FAR), PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        good = memory != MAP_FAILED;
        queues->memory[i] = good ? memory : NULL;
        queues->books[i] = good ? book_init(memory, WINDOW, FAR, 0) : NULL;
    }
    if (good)
        return queues;
    queues_destroy(queues);
    return NULL;
}

void queues_destroy(struct queues *queues)
{
    if (!queues)
        return;
    for (int i = 0; i < 2; i++)
        if (queues->memory[i])
            munmap(queues->memory[i], book_bytes(WINDOW, FAR));
    table_fini(&queues->ids);
    table_fini(&queues->prices);
    free(queues->nodes);
    free(queues->levels);
    free(queues);
}

/* --- a price and who stands there -------------------------------------------------------------- */

static uint64_t price_key(uint8_t side, weir_px px)
{
    return (uint64_t)px << 1 | side;
}

static enum weir_err show(const struct queues *queues, const struct level *level)
{
    if (level->px == 0) /* a price that was rounded to nothing: somebody waits there, in vain */
        return WEIR_OK;
    enum weir_err err =
        book_set(queues->books[0], (enum weir_side)level->side, level->px, level->total);
    enum weir_err seen =
        book_set(queues->books[1], (enum weir_side)level->side, level->px, level->seen);
    return err != WEIR_OK ? err : seen;
}

static uint32_t level_of(struct queues *queues, uint8_t side, weir_px px)
{
    uint32_t index = table_get(&queues->prices, price_key(side, px));
    if (index != 0)
        return index;
    index = queues->level_free;
    queues->level_free = queues->levels[index].next_free;
    queues->levels[index] = (struct level){.px = px, .side = side};
    table_put(&queues->prices, price_key(side, px), index);
    return index;
}

static enum weir_err enter(struct queues *queues, uint32_t index)
{
    struct node *nodes = queues->nodes, *node = &nodes[index];
    node->level = level_of(queues, node->side, node->px);
    struct level *level = &queues->levels[node->level];
    uint32_t before = level->last;
    while (before != NOBODY && nodes[before].id > node->id)
        before = nodes[before].prev;
    node->prev = before;
    node->next = before != NOBODY ? nodes[before].next : level->first;
    *(before != NOBODY ? &nodes[before].next : &level->first) = index;
    *(node->next != NOBODY ? &nodes[node->next].prev : &level->last) = index;
    level->seen += node->qty;
    level->total += node->ghost ? 0 : node->qty;
    level->count++;
    return show(queues, level);
}

static void leave(struct queues *queues, uint32_t index)
{
    struct node *nodes = queues->nodes, *node = &nodes[index];
    struct level *level = &queues->levels[node->level];
    *(node->prev != NOBODY ? &nodes[node->prev].next : &level->first) = node->next;
    *(node->next != NOBODY ? &nodes[node->next].prev : &level->last) = node->prev;
    level->seen -= node->qty;
    level->total -= node->ghost ? 0 : node->qty;
    (void)show(queues, level); /* less always fits */
    if (--level->count > 0)
        return;
    table_drop(&queues->prices, price_key(level->side, level->px));
    level->next_free = queues->level_free;
    queues->level_free = node->level;
}

static void forget(struct queues *queues, uint32_t index)
{
    leave(queues, index);
    table_drop(&queues->ids, queues->nodes[index].id);
    queues->nodes[index].next = queues->node_free;
    queues->node_free = index;
    queues->orders--;
}

static void set_qty(struct queues *queues, struct node *node, weir_qty qty)
{
    struct level *level = &queues->levels[node->level];
    level->seen += qty - node->qty;
    level->total += node->ghost ? 0 : qty - node->qty;
    node->qty = qty;
    (void)show(queues, level); /* the level is there */
}

static void look_ahead(const struct queues *queues, const struct node *node,
                       struct queues_change *change)
{
    for (uint32_t at = queues->levels[node->level].first;
         at != NOBODY && queues->nodes[at].id != node->id; at = queues->nodes[at].next)
        if (change->ahead++ < QUEUES_AHEAD_KEPT)
            change->ahead_ids[change->ahead - 1] = queues->nodes[at].id;
}

/* --- messages ---------------------------------------------------------------------------------- */

/* The sum at a price has room for that much. */
static bool fits(const struct queues *queues, uint8_t side, weir_px px, weir_qty qty)
{
    uint32_t price = table_get(&queues->prices, price_key(side, px));
    return !__builtin_add_overflow(price ? queues->levels[price].seen : 0, qty, &qty);
}

static enum weir_err add(struct queues *queues, const struct weir_l3 *order)
{
    if (!make_room(queues))
        return WEIR_E_NO_MEMORY;
    if (!fits(queues, order->side, order->px, order->qty))
        return WEIR_E_OVERFLOW;
    uint32_t index = queues->node_free;
    queues->node_free = queues->nodes[index].next;
    queues->nodes[index] =
        (struct node){.id = order->id, .px = order->px, .qty = order->qty, .side = order->side};
    table_put(&queues->ids, order->id, index);
    queues->orders++;
    enum weir_err err = enter(queues, index);
    if (err != WEIR_OK)
        forget(queues, index);
    return err;
}

static enum weir_err change(struct queues *queues, uint32_t index, const struct weir_l3 *order,
                            struct queues_change *out)
{
    struct node *node = &queues->nodes[index];
    out->did = QUEUES_CHANGED;
    if (!fits(queues, node->side, order->px, order->qty))
        return WEIR_E_OVERFLOW;
    if (order->qty < node->qty) {
        out->did = QUEUES_FILLED;
        out->filled = node->qty - order->qty;
        look_ahead(queues, node, out);
    }
    if (order->px == node->px) {
        set_qty(queues, node, order->qty);
        return WEIR_OK;
    }
    if (!make_room(queues))
        return WEIR_E_NO_MEMORY;
    leave(queues, index);
    queues->nodes[index].px = order->px;
    queues->nodes[index].qty = order->qty;
    return enter(queues, index);
}

static void drop(struct queues *queues, uint32_t index, const struct weir_l3 *order,
                 struct queues_change *out)
{
    const struct node *node = &queues->nodes[index];
    out->did = order->qty == node->qty ? QUEUES_CANCELED
               : order->qty == 0       ? QUEUES_FILLED
                                       : QUEUES_REMOVED;
    if (out->did == QUEUES_FILLED) {
        out->filled = node->qty;
        look_ahead(queues, node, out);
    }
    forget(queues, index);
}

static void watch_crossing(struct queues *queues, weir_ns now)
{
    bool crossed = book_crossed(queues->books[0]);
    if (crossed && !queues->crossed)
        queues->crossed_t = now;
    queues->crossed = crossed;
}

enum weir_err queues_take(struct queues *queues, const struct weir_l3 *order, weir_ns now,
                          struct queues_change *change_out)
{
    uint32_t index = table_get(&queues->ids, order->id);
    enum weir_err err = WEIR_OK;
    *change_out = (struct queues_change){.did = QUEUES_UNKNOWN};
    if (order->px < 0 || order->qty < 0 || order->id == 0)
        return WEIR_E_BAD_NUMBER;
    if (index != 0)
        change_out->px = queues->nodes[index].px;
    if (order->action == WEIR_L3_ADD) {
        change_out->did = index != 0 ? QUEUES_AGAIN : QUEUES_ADDED;
        err = index != 0 ? WEIR_OK : add(queues, order);
    } else if (index != 0 && order->action == WEIR_L3_CHANGE) {
        err = change(queues, index, order, change_out);
    } else if (index != 0 && order->action == WEIR_L3_REMOVE) {
        drop(queues, index, order, change_out);
    }
    watch_crossing(queues, now);
    return err;
}

/* --- ghosts ------------------------------------------------------------------------------------ */

/* The first at the best price of a side that is no ghost. */
static uint32_t first_of(const struct queues *queues, enum weir_side side)
{
    struct weir_level best;
    if (!book_best(queues->books[0], side, &best))
        return NOBODY;
    uint32_t level = table_get(&queues->prices, price_key((uint8_t)side, best.px));
    uint32_t at = queues->levels[level].first;
    while (at != NOBODY && queues->nodes[at].ghost)
        at = queues->nodes[at].next;
    return at;
}

static void evict(struct queues *queues, uint32_t index)
{
    struct node *node = &queues->nodes[index];
    struct level *level = &queues->levels[node->level];
    node->ghost = true;
    level->total -= node->qty;
    (void)show(queues, level);
}

uint32_t queues_tick(struct queues *queues, weir_ns now)
{
    uint32_t evicted = 0;
    if (!queues->crossed || now - queues->crossed_t <= QUEUES_CROSSED_MAX)
        return 0;
    while (book_crossed(queues->books[0])) {
        uint32_t bid = first_of(queues, WEIR_BUY), ask = first_of(queues, WEIR_SELL);
        if (bid == NOBODY || ask == NOBODY)
            break;
        evict(queues, queues->nodes[bid].id < queues->nodes[ask].id ? bid : ask);
        evicted++;
    }
    watch_crossing(queues, now);
    return evicted;
}

/* --- questions --------------------------------------------------------------------------------- */

const struct book *queues_book(const struct queues *queues, bool with_ghosts)
{
    return queues->books[with_ghosts];
}

uint32_t queues_count(const struct queues *queues)
{
    return queues->orders;
}

uint32_t queues_at(const struct queues *queues, enum weir_side side, weir_px px)
{
    uint32_t count = 0, level = table_get(&queues->prices, price_key((uint8_t)side, px));
    for (uint32_t at = level ? queues->levels[level].first : NOBODY; at != NOBODY;
         at = queues->nodes[at].next)
        count += !queues->nodes[at].ghost;
    return count;
}

bool queues_position(const struct queues *queues, uint64_t id, weir_qty *qty_out,
                     uint32_t *orders_out)
{
    uint32_t index = table_get(&queues->ids, id);
    *qty_out = 0;
    *orders_out = 0;
    if (index == 0 || queues->nodes[index].ghost)
        return false;
    for (uint32_t at = queues->nodes[index].prev; at != NOBODY; at = queues->nodes[at].prev)
        if (!queues->nodes[at].ghost) {
            *qty_out += queues->nodes[at].qty;
            ++*orders_out;
        }
    return true;
}

bool queues_is_ghost(const struct queues *queues, uint64_t id)
{
    uint32_t index = table_get(&queues->ids, id);
    return index != 0 && queues->nodes[index].ghost;
}

bool queues_next(const struct queues *queues, enum weir_side side, weir_px px,
                 struct queues_order *order)
{
    uint32_t at;
    if (order->id == 0) {
        uint32_t level = table_get(&queues->prices, price_key((uint8_t)side, px));
        at = level ? queues->levels[level].first : NOBODY;
    } else {
        uint32_t index = table_get(&queues->ids, order->id);
        at = index ? queues->nodes[index].next : NOBODY;
    }
    const struct node *node = &queues->nodes[at];
    *order = (struct queues_order){at ? node->id : 0, at ? node->qty : 0, at && node->ghost};
    return at != NOBODY;
}
