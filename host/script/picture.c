/* picture.c - orders by number and by every name they were told under; positions by instrument.
 *
 * Memory is address space for the most there may be, of which what is used is taken. When the names
 * or the orders do not fit any more, the oldest orders that have ended are forgotten, as the engine
 * forgets them. */
#include "script/picture.h"

#include <string.h>
#include <sys/mman.h>

#include "base/map.h"

enum { ORDERS = 1 << 16, NAMES = 1 << 18, NONE = 0 };

struct picture {
    const struct board *board;
    uint32_t strategy;
    struct order_view *orders; /* sorted by number */
    uint32_t order_count;
    struct map names; /* of cids, to numbers of orders */
    struct position_view *positions;
    bool *has_position;
    struct weir_instrument *instruments;
    uint64_t *versions;
    struct map symbols; /* of venue and symbol */
    uint32_t symbols_seen;
    char venues[BOARD_VENUES][NAME_MAX_LEN];
};

/* Never given back: it lives as long as the process. */
static void *room(size_t size)
{
    void *map = mmap(NULL, size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED)
        return NULL;
    return map; /* cppcheck-suppress memleak */
}

static bool make_map(struct map *map, uint32_t capacity)
{
    size_t size = map_size(capacity);
    unsigned char *memory = room(size);
    struct arena arena = {memory, memory ? memory + size : NULL};
    return memory && map_init(map, &arena, capacity) == 0;
}

struct picture *picture_create(const struct board *board, uint32_t strategy)
{
    struct picture *picture = room(sizeof *picture);
    if (!picture)
        return NULL;
    picture->board = board;
    picture->strategy = strategy;
    picture->orders = room(ORDERS * sizeof *picture->orders);
    picture->positions = room((BOARD_INSTRUMENTS + 1) * sizeof *picture->positions);
    picture->has_position = room(BOARD_INSTRUMENTS + 1);
    picture->instruments = room((BOARD_INSTRUMENTS + 1) * sizeof *picture->instruments);
    picture->versions = room((BOARD_INSTRUMENTS + 1) * sizeof *picture->versions);
    bool fine = picture->orders && picture->positions && picture->has_position &&
                picture->instruments && picture->versions && make_map(&picture->names, NAMES) &&
                make_map(&picture->symbols, BOARD_INSTRUMENTS);
    return fine ? picture : NULL;
}

const struct board *picture_board(const struct picture *picture)
{
    return picture->board;
}

/* --- taking in ---------------------------------------------------------------------------------*/

/* Where the order with this number stands, or would. */
static uint32_t order_place(const struct picture *picture, uint32_t number)
{
    uint32_t low = 0, high = picture->order_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (picture->orders[middle].order.order < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct picture *picture, uint32_t place, uint32_t number)
{
    return place < picture->order_count && picture->orders[place].order.order == number;
}

static void name_order(struct picture *picture, const char *name, size_t len, uint32_t number)
{
    (void)map_put(&picture->names, key_of(name, len, 0), number);
}

static bool is_live(const struct order_view *order)
{
    return !order_label_is_done((enum order_label)order->order.label);
}

/* Keep the newer half of those that ended, and all that live, with their present names. */
static void forget_old(struct picture *picture)
{
    uint32_t kept = 0, count = picture->order_count;
    map_clear(&picture->names);
    for (uint32_t i = 0; i < count; i++) {
        if (i < count / 2 && !is_live(&picture->orders[i]))
            continue;
        picture->orders[kept] = picture->orders[i];
        const struct out_order *order = &picture->orders[kept++].order;
        name_order(picture, order->cid, strnlen(order->cid, sizeof order->cid), order->order);
        name_order(picture, order->cid, strcspn(order->cid, "."), order->order);
    }
    picture->order_count = kept;
}

static void take_order(struct picture *picture, const struct picture_order *told)
{
    const struct out_order *order = &told->view.order;
    if (picture->order_count == ORDERS || picture->names.count + 2 > picture->names.max)
        forget_old(picture);
    uint32_t place = order_place(picture, order->order);
    if (!is_at(picture, place, order->order)) {
        if (picture->order_count == ORDERS)
            return;
        memmove(&picture->orders[place + 1], &picture->orders[place],
                (picture->order_count - place) * sizeof *picture->orders);
        picture->order_count++;
    }
    picture->orders[place] = told->view;
    name_order(picture, order->cid, strnlen(order->cid, sizeof order->cid), order->order);
    if (told->stem)
        name_order(picture, order->cid, strcspn(order->cid, "."), order->order);
}

void picture_take(struct picture *picture, const struct picture_record *record)
{
    if (record->kind == PICTURE_ORDER) {
        take_order(picture, &record->order);
    } else if (record->kind == PICTURE_POSITION &&
               record->position.instrument <= BOARD_INSTRUMENTS) {
        picture->positions[record->position.instrument] = record->position.view;
        picture->has_position[record->position.instrument] = true;
    }
}

/* --- instruments and names ---------------------------------------------------------------------*/

static struct key128 symbol_key(uint16_t venue, const char *symbol)
{
    return key_of(symbol, strnlen(symbol, WEIR_SYMBOL_MAX), venue);
}

const struct weir_instrument *picture_instrument(struct picture *picture, uint32_t n)
{
    if (n == 0 || n > board_instruments(picture->board))
        return NULL;
    (void)board_instrument(picture->board, n, &picture->instruments[n], &picture->versions[n]);
    return picture->versions[n] ? &picture->instruments[n] : NULL;
}

uint32_t picture_instrument_count(const struct picture *picture)
{
    return board_instruments(picture->board);
}

uint32_t picture_instrument_find(struct picture *picture, uint16_t venue, const char *symbol)
{
    uint32_t found = NONE;
    while (picture->symbols_seen < board_instruments(picture->board)) {
        const struct weir_instrument *is = picture_instrument(picture, picture->symbols_seen + 1);
        if (!is)
            break;
        (void)map_put(&picture->symbols, symbol_key(is->msg.venue, is->symbol),
                      ++picture->symbols_seen);
    }
    return map_get(&picture->symbols, symbol_key(venue, symbol), &found) ? found : NONE;
}

const char *picture_name(struct picture *picture, enum risk_scope scope, uint32_t id)
{
    if (scope != SCOPE_venue || id >= BOARD_VENUES)
        return "";
    if (!picture->venues[id][0])
        (void)board_venue(picture->board, (uint16_t)id, picture->venues[id]);
    return picture->venues[id];
}

uint32_t picture_number(struct picture *picture, enum risk_scope scope, const char *name)
{
    for (uint32_t id = 0; scope == SCOPE_venue && id < BOARD_VENUES; id++)
        if (*name && strcmp(picture_name(picture, scope, id), name) == 0)
            return id;
    return UINT32_MAX;
}

/* --- markets, positions, money -----------------------------------------------------------------*/

bool picture_market(const struct picture *picture, uint32_t n, struct market_view *view_out)
{
    struct board_market shown;
    if (!board_market(picture->board, n, &shown) || !shown.defined)
        return false;
    *view_out = shown.market;
    return true;
}

bool picture_is_paper(const struct picture *picture, uint32_t n)
{
    struct board_market shown;
    return board_market(picture->board, n, &shown) && shown.is_paper;
}

bool picture_position(const struct picture *picture, uint32_t n, uint32_t strategy,
                      struct position_view *view_out)
{
    struct board_market shown;
    if (n == 0 || n > board_instruments(picture->board))
        return false;
    memset(view_out, 0, sizeof *view_out);
    if (strategy == picture->strategy) {
        if (picture->has_position[n])
            *view_out = picture->positions[n];
        return picture->has_position[n];
    }
    if (strategy != 0 || !board_market(picture->board, n, &shown) || !shown.has_position)
        return false;
    *view_out = shown.account;
    return true;
}

bool picture_wallet(const struct picture *picture, uint16_t account, const char *asset,
                    amount *total_out, amount *fees_out, amount *funding_out)
{
    struct board_wallet shown;
    if (!board_wallet(picture->board, account, asset, &shown))
        return false;
    *total_out = shown.total;
    *fees_out = shown.fees;
    *funding_out = shown.funding;
    return true;
}

/* --- orders ------------------------------------------------------------------------------------*/

uint32_t picture_order_find(const struct picture *picture, const char *cid)
{
    uint32_t found = NONE;
    return map_get(&picture->names, key_of(cid, strnlen(cid, WEIR_ID_MAX), 0), &found) ? found
                                                                                       : NONE;
}

bool picture_order(const struct picture *picture, uint32_t n, struct order_view *view_out)
{
    uint32_t place = order_place(picture, n);
    if (!is_at(picture, place, n))
        return false;
    *view_out = picture->orders[place];
    return true;
}

uint32_t picture_order_next(const struct picture *picture, uint32_t after, bool live_only)
{
    for (uint32_t i = order_place(picture, after + 1); i < picture->order_count; i++)
        if (!live_only || is_live(&picture->orders[i]))
            return picture->orders[i].order.order;
    return NONE;
}
