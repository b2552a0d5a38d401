/* orders.c - the orders that may live at the venue: what an amendment and a cancel need to know.
 *
 * It is a help, not a book: the host's engine knows the truth. An order that is not here is spoken of by
 * what the intent says. */
#include <stdlib.h>

#include "trade.h"

enum { CHAINS = 4096, FIRST_ROOM = 1024 };

static uint32_t chain_of(const char *id)
{
    uint32_t hash = 2166136261u;
    for (; *id; id++)
        hash = (hash ^ (unsigned char)*id) * 16777619u;
    return hash % CHAINS;
}

enum weir_err orders_init(struct orders *orders)
{
    orders->chains = calloc(CHAINS, sizeof *orders->chains);
    return orders->chains ? WEIR_OK : WEIR_E_NO_MEMORY;
}

void orders_fini(struct orders *orders)
{
    free(orders->chains);
    free(orders->rows);
    *orders = (struct orders){0};
}

struct live *orders_find(struct orders *orders, const char *client_id)
{
    uint32_t at = client_id[0] ? orders->chains[chain_of(client_id)] : 0;
    while (at && strcmp(orders->rows[at - 1].client_id, client_id) != 0)
        at = orders->rows[at - 1].next;
    return at ? &orders->rows[at - 1] : NULL;
}

static bool grow(struct orders *orders)
{
    uint32_t room = orders->room ? 2 * orders->room : FIRST_ROOM;
    if (room > ORDERS_MOST)
        return false;
    struct live *rows = realloc(orders->rows, room * sizeof *rows);
    if (!rows)
        return false;
    memset(rows + orders->room, 0, (room - orders->room) * sizeof *rows);
    orders->rows = rows;
    for (uint32_t i = room; i > orders->room; i--) {
        rows[i - 1].next = orders->free_list;
        orders->free_list = i;
    }
    orders->room = room;
    return true;
}

static void link_in(struct orders *orders, uint32_t at)
{
    uint32_t *chain = &orders->chains[chain_of(orders->rows[at - 1].client_id)];
    orders->rows[at - 1].next = *chain;
    *chain = at;
}

static uint32_t link_out(struct orders *orders, const char *client_id)
{
    uint32_t *at = &orders->chains[chain_of(client_id)];
    while (*at && strcmp(orders->rows[*at - 1].client_id, client_id) != 0)
        at = &orders->rows[*at - 1].next;
    uint32_t found = *at;
    if (found)
        *at = orders->rows[found - 1].next;
    return found;
}

struct live *orders_add(struct orders *orders, const char *client_id)
{
    struct live *live = orders_find(orders, client_id);
    if (live || !client_id[0])
        return live;
    if (!orders->free_list && !grow(orders))
        return NULL;
    uint32_t at = orders->free_list;
    live = &orders->rows[at - 1];
    orders->free_list = live->next;
    *live = (struct live){0};
    object_copy((struct weir_bytes){client_id, strlen(client_id)}, live->client_id,
                sizeof live->client_id);
    link_in(orders, at);
    orders->count++;
    return live;
}

void orders_drop(struct orders *orders, const char *client_id)
{
    uint32_t at = client_id[0] ? link_out(orders, client_id) : 0;
    if (!at)
        return;
    orders->rows[at - 1] = (struct live){.next = orders->free_list};
    orders->free_list = at;
    orders->count--;
}

void orders_rename(struct orders *orders, struct live *live, const char *client_id)
{
    if (orders_find(orders, client_id)) { /* heard of by its new name already */
        orders_drop(orders, live->client_id);
        return;
    }
    uint32_t at = link_out(orders, live->client_id);
    object_copy((struct weir_bytes){client_id, strlen(client_id)}, live->client_id,
                sizeof live->client_id);
    live->next_id[0] = '\0';
    live->gone = false;
    link_in(orders, at);
}

struct live *orders_alias(struct orders *orders, struct weir_bytes venue_id)
{
    for (uint32_t i = 0; orders->aliased && i < orders->room; i++)
        if (orders->rows[i].alias[0] && scan_is(venue_id, orders->rows[i].alias))
            return &orders->rows[i];
    return NULL;
}

struct live *orders_next(struct orders *orders, const char *next_id)
{
    for (uint32_t i = 0; i < orders->room && next_id[0]; i++)
        if (orders->rows[i].client_id[0] && strcmp(orders->rows[i].next_id, next_id) == 0)
            return &orders->rows[i];
    return NULL;
}

/* --- names ------------------------------------------------------------------------------------ */

static uint64_t number_in(const char *text, size_t len)
{
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9' || value > (UINT64_MAX - 9) / 10)
            return 0;
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    return value;
}

static size_t place_of(uint64_t order, uint32_t number)
{
    return (size_t)((order ^ (uint64_t)number << 48) * 0x9e3779b97f4a7c15u >> 48) % NAMES;
}

void names_keep(struct names *names, uint32_t number, const char *venue_id, const char *client_id)
{
    uint64_t order = number_in(venue_id, strlen(venue_id));
    if (!names->rows || order == 0 || !client_id[0])
        return;
    size_t at = place_of(order, number);
    names->rows[at].order = order;
    names->rows[at].number = number;
    object_copy((struct weir_bytes){client_id, strlen(client_id)}, names->rows[at].client_id,
                sizeof names->rows[at].client_id);
}

const char *names_find(const struct names *names, uint32_t number, struct weir_bytes venue_id)
{
    uint64_t order = number_in(venue_id.data, venue_id.len);
    size_t at = place_of(order, number);
    bool same = names->rows && order != 0 && names->rows[at].order == order &&
                names->rows[at].number == number;
    return same ? names->rows[at].client_id : "";
}
