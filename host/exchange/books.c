/* books.c - see books.h. */
#include "exchange/books.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"

enum { INSTRUMENTS_MAX = 64, CASH_MAX = 256 };

struct booked_order {
    char client_id[WEIR_ID_MAX]; /* the present one */
    char first_id[WEIR_ID_MAX];  /* the one it came with */
    char venue_id[WEIR_ID_MAX];
    uint32_t instrument;
    uint32_t asked; /* times that a client asked for it as new */
    uint8_t side;
    uint8_t state; /* enum weir_venue_state; 0: the venue has said nothing yet */
    weir_px px;
    weir_qty qty;
    weir_qty cum; /* sum of its executions */
};

/* A list that grows. */
struct list {
    void *items;
    size_t count, room;
};

struct books {
    struct weir_instrument instruments[INSTRUMENTS_MAX];
    struct list orders;     /* struct booked_order */
    struct list executions; /* struct weir_fill */
    struct weir_cash cash[CASH_MAX];
    size_t cash_count;
    struct map map; /* ids of orders and executions -> index */
    void *map_memory;
    uint32_t map_room;
    bool incomplete;
};

enum { OF_ORDER = 1, OF_EXECUTION = 2 };

/* --- memory -----------------------------------------------------------------------------------*/

static void *append(struct books *books, struct list *list, size_t size)
{
    if (!list->items || list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 1024;
        void *grown = realloc(list->items, room * size);
        if (!grown) {
            books->incomplete = true;
            return NULL;
        }
        list->items = grown;
        list->room = room;
    }
    void *item = (char *)list->items + list->count++ * size;
    memset(item, 0, size);
    return item;
}

static bool new_map(struct map *map, void **memory_out, uint32_t room)
{
    size_t size = map_size(room) + 64;
    *memory_out = aligned_alloc(64, (size + 63) & ~(size_t)63);
    if (!*memory_out)
        return false;
    memset(*memory_out, 0, (size + 63) & ~(size_t)63);
    struct arena arena = {*memory_out, (unsigned char *)*memory_out + size};
    return map_init(map, &arena, room) == 0;
}

static bool grow_map(struct books *books)
{
    struct map larger;
    void *memory = NULL;
    uint32_t room = books->map_room ? books->map_room * 2 : 4096;
    if (!new_map(&larger, &memory, room)) {
        free(memory);
        books->incomplete = true;
        return false;
    }
    for (uint32_t i = 0; books->map_memory && i <= books->map.mask; i++)
        if (books->map.slots[i].used)
            (void)map_put(&larger, books->map.slots[i].key, books->map.slots[i].value);
    free(books->map_memory);
    books->map = larger;
    books->map_memory = memory;
    books->map_room = room;
    return true;
}

static struct key128 key(const char *id, uint64_t of, uint32_t instrument)
{
    return key_of(id, strnlen(id, WEIR_ID_MAX), of << 32 | instrument);
}

static void remember(struct books *books, struct key128 key, size_t index)
{
    if (!map_put(&books->map, key, (uint32_t)index) && grow_map(books))
        (void)map_put(&books->map, key, (uint32_t)index);
}

struct books *books_create(void)
{
    struct books *books = calloc(1, sizeof *books);
    if (books && grow_map(books))
        return books;
    free(books);
    return NULL;
}

void books_destroy(struct books *books)
{
    if (!books)
        return;
    free(books->orders.items);
    free(books->executions.items);
    free(books->map_memory);
    free(books);
}

/* --- orders -----------------------------------------------------------------------------------*/

static struct booked_order *find(const struct books *books, const char *client_id)
{
    uint32_t index;
    return client_id[0] && map_get(&books->map, key(client_id, OF_ORDER, 0), &index)
               ? (struct booked_order *)books->orders.items + index
               : NULL;
}

static struct booked_order *order_of(struct books *books, const char *client_id)
{
    struct booked_order *order = find(books, client_id);
    if (order || !client_id[0])
        return order;
    order = append(books, &books->orders, sizeof *order);
    if (!order)
        return NULL;
    memcpy(order->client_id, client_id, WEIR_ID_MAX);
    memcpy(order->first_id, client_id, WEIR_ID_MAX);
    remember(books, key(client_id, OF_ORDER, 0), books->orders.count - 1);
    return order;
}

void books_request(struct books *books, const struct weir_intent *intent)
{
    if (intent->msg.kind == WEIR_NEW) {
        struct booked_order *order = order_of(books, intent->client_id);
        if (!order)
            return;
        if (order->asked++ > 0)
            return; /* a second time: what the first one said stands */
        order->instrument = intent->msg.instrument;
        order->side = intent->side;
        order->px = intent->px;
        order->qty = intent->qty;
    } else if (intent->msg.kind == WEIR_REPLACE) {
        const struct booked_order *order = find(books, intent->client_id);
        if (order && !find(books, intent->new_client_id))
            remember(books, key(intent->new_client_id, OF_ORDER, 0),
                     (size_t)(order - (const struct booked_order *)books->orders.items));
    }
}

/* What a report says of its order. */
static void take_report(struct books *books, const struct weir_report *report)
{
    struct booked_order *order = order_of(books, report->client_id);
    if (!order)
        return;
    if (order->instrument == 0)
        order->instrument = report->msg.instrument;
    memcpy(order->client_id, report->client_id, WEIR_ID_MAX);
    if (report->venue_id[0])
        memcpy(order->venue_id, report->venue_id, WEIR_ID_MAX);
    if (report->qty > 0) {
        order->qty = report->qty;
        order->px = report->px;
        order->side = report->side;
    }
    order->state = report->state;
}

static void on_reject(struct books *books, const struct weir_report *report)
{
    struct booked_order *order = find(books, report->client_id);
    if (order && order->state == 0) /* a repeated id is rejected: the first order stands */
        order->state = WEIR_STATE_REJECTED;
}

static void take_fill(struct books *books, const struct weir_fill *fill)
{
    uint32_t index;
    struct key128 id = key(fill->exec_id, OF_EXECUTION, fill->msg.instrument);
    if (map_get(&books->map, id, &index))
        return;
    struct weir_fill *kept = append(books, &books->executions, sizeof *kept);
    if (!kept)
        return;
    *kept = *fill;
    remember(books, id, books->executions.count - 1);
    struct booked_order *order = order_of(books, fill->client_id);
    if (!order)
        return;
    order->cum += fill->qty;
    if (order->qty > 0 && order->cum >= order->qty)
        order->state = WEIR_STATE_FILLED;
}

/* --- events -----------------------------------------------------------------------------------*/

static void take_cash(struct books *books, const struct weir_cash *cash)
{
    if (books->cash_count < CASH_MAX)
        books->cash[books->cash_count++] = *cash;
    else
        books->incomplete = true;
}

void books_event(struct books *books, const struct weir_msg *event)
{
    switch (event->kind) {
    case WEIR_INSTRUMENT:
        if (event->instrument < INSTRUMENTS_MAX)
            memcpy(&books->instruments[event->instrument], event, sizeof books->instruments[0]);
        break;
    case WEIR_REJECT: on_reject(books, (const struct weir_report *)event); break;
    case WEIR_ACK:
    case WEIR_CANCELED:
    case WEIR_EXPIRED:
    case WEIR_REPLACED:
    case WEIR_RECON_ORDER: take_report(books, (const struct weir_report *)event); break;
    case WEIR_FILL: take_fill(books, (const struct weir_fill *)event); break;
    case WEIR_RECON_BEGIN: books->cash_count = 0; break;
    case WEIR_RECON_POSITION:
    case WEIR_RECON_BALANCE: take_cash(books, (const struct weir_cash *)event); break;
    default: break;
    }
}

/* --- JSON -------------------------------------------------------------------------------------*/

static const struct weir_instrument *instrument(const struct books *books, uint32_t number)
{
    return &books->instruments[number < INSTRUMENTS_MAX ? number : 0];
}

static void text_member(struct text *out, const char *name, const char *value)
{
    json_key(out, name);
    json_string(out, value);
}

static void number_member(struct text *out, const char *name, int64_t value, int exp)
{
    json_key(out, name);
    json_decimal(out, value, exp);
}

static void order_json(const struct books *books, const struct booked_order *order,
                       struct text *out)
{
    static const char *const states[] = {"pending",  "open",    "filled",
                                         "canceled", "expired", "rejected"};
    const struct weir_instrument *is = instrument(books, order->instrument);
    json_object(out);
    text_member(out, "client_id", order->client_id);
    text_member(out, "first_id", order->first_id);
    text_member(out, "venue_id", order->venue_id);
    text_member(out, "instrument", is->symbol);
    text_member(out, "side", order->side == WEIR_BUY ? "buy" : "sell");
    text_member(out, "state", states[order->state <= WEIR_STATE_REJECTED ? order->state : 0]);
    number_member(out, "qty", order->qty, is->qty_exp);
    number_member(out, "px", order->px, is->price_exp);
    number_member(out, "cum_qty", order->cum, is->qty_exp);
    json_key(out, "asked");
    json_uint(out, order->asked);
    json_end(out);
}

static void execution_json(const struct books *books, const struct weir_fill *fill,
                           struct text *out)
{
    const struct weir_instrument *is = instrument(books, fill->msg.instrument);
    json_object(out);
    text_member(out, "exec_id", fill->exec_id);
    text_member(out, "client_id", fill->client_id);
    text_member(out, "venue_id", fill->venue_id);
    text_member(out, "instrument", is->symbol);
    text_member(out, "side", fill->side == WEIR_BUY ? "buy" : "sell");
    number_member(out, "qty", fill->qty, is->qty_exp);
    number_member(out, "px", fill->px, is->price_exp);
    json_key(out, "fee");
    json_amount(out, amount_of(fill->fee));
    text_member(out, "fee_asset", fill->fee_asset);
    json_key(out, "realized");
    json_amount(out, amount_of(fill->realized));
    json_end(out);
}

static void cash_json(const struct books *books, uint16_t kind, struct text *out)
{
    json_array(out);
    for (size_t i = 0; i < books->cash_count; i++) {
        const struct weir_cash *cash = &books->cash[i];
        if (cash->msg.kind != kind)
            continue;
        bool position = kind == WEIR_RECON_POSITION;
        json_object(out);
        text_member(out, position ? "instrument" : "asset",
                    position ? instrument(books, cash->msg.instrument)->symbol : cash->asset);
        json_key(out, position ? "qty" : "total");
        json_amount(out, amount_of(cash->amount));
        json_end(out);
    }
    json_end(out);
}

void books_json(const struct books *books, struct text *out)
{
    const struct booked_order *orders = books->orders.items;
    const struct weir_fill *fills = books->executions.items;
    json_object(out);
    json_key(out, "complete");
    json_bool(out, !books->incomplete);
    json_key(out, "orders");
    json_array(out);
    for (size_t i = 0; i < books->orders.count; i++)
        order_json(books, &orders[i], out);
    json_end(out);
    json_key(out, "executions");
    json_array(out);
    for (size_t i = 0; i < books->executions.count; i++)
        execution_json(books, &fills[i], out);
    json_end(out);
    json_key(out, "positions");
    cash_json(books, WEIR_RECON_POSITION, out);
    json_key(out, "balances");
    cash_json(books, WEIR_RECON_BALANCE, out);
    json_end(out);
}
