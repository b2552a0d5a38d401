/* quotes.c - our own live prices at the venue, by instrument and side: what would we meet? And the
 * prices for which held orders wait, by instrument and direction: which is reached first?
 *
 * A pairing heap whose links stand in the hot part of the orders: the best price is at the root, to
 * put one is O(1), to drop any one is O(log n) amortized, and there is nothing to allocate. An order
 * stands at the more aggressive of its prices while a replace is pending; a market order stands
 * before every price. A held order is not at a venue, and so in one heap only. */
#include "engine/state.h"
#include "engine/tell.h"

/* highest: which price is at the root; else the lowest */
static bool before(const struct engine *engine, bool highest, uint32_t a, uint32_t b)
{
    const struct order *left = &engine->orders[a], *right = &engine->orders[b];
    return highest ? left->quote_px >= right->quote_px : left->quote_px <= right->quote_px;
}

static uint32_t meld(struct engine *engine, bool highest, uint32_t a, uint32_t b)
{
    if (!a || !b)
        return a ? a : b;
    uint32_t top = before(engine, highest, a, b) ? a : b, low = top == a ? b : a;
    struct order *parent = order_at(engine, top), *child = order_at(engine, low);
    child->next = parent->child;
    child->prev = top;
    if (parent->child)
        order_at(engine, parent->child)->prev = low;
    parent->child = low;
    return top;
}

/* Meld a row of siblings into one heap: pairs from left to right, then all from right to left. */
static uint32_t gather(struct engine *engine, bool highest, uint32_t row)
{
    uint32_t pairs = 0, root = 0;
    while (row) {
        uint32_t a = row, b = order_at(engine, a)->next;
        row = b ? order_at(engine, b)->next : 0;
        order_at(engine, a)->next = order_at(engine, a)->prev = 0;
        if (b)
            order_at(engine, b)->next = order_at(engine, b)->prev = 0;
        uint32_t pair = meld(engine, highest, a, b);
        order_at(engine, pair)->next = pairs;
        pairs = pair;
    }
    while (pairs) {
        uint32_t next = order_at(engine, pairs)->next;
        order_at(engine, pairs)->next = 0;
        root = meld(engine, highest, root, pairs);
        pairs = next;
    }
    return root;
}

static void heap_put(struct engine *engine, uint32_t *root, bool highest, uint32_t n, weir_px px)
{
    struct order *order = order_at(engine, n);
    order->quote_px = px;
    order->child = order->next = order->prev = 0;
    *root = meld(engine, highest, *root, n);
}

static void heap_drop(struct engine *engine, uint32_t *root, bool highest, uint32_t n)
{
    struct order *order = order_at(engine, n);
    uint32_t children = gather(engine, highest, order->child);
    if (*root == n) {
        *root = children;
    } else {
        struct order *left = order_at(engine, order->prev);
        if (left->child == n)
            left->child = order->next;
        else
            left->next = order->next;
        if (order->next)
            order_at(engine, order->next)->prev = order->prev;
        *root = meld(engine, highest, *root, children);
    }
    order->child = order->next = order->prev = 0;
}

void quotes_put(struct engine *engine, uint32_t n, weir_px px)
{
    const struct order *order = order_at(engine, n);
    must(!engine->more[n].in_heap);
    heap_put(engine, &engine->instruments[order->instrument].quotes[order->side],
             order->side == WEIR_BUY, n, px);
    engine->more[n].in_heap = 1;
}

void quotes_drop(struct engine *engine, uint32_t n)
{
    const struct order *order = order_at(engine, n);
    must(engine->more[n].in_heap);
    heap_drop(engine, &engine->instruments[order->instrument].quotes[order->side],
              order->side == WEIR_BUY, n);
    engine->more[n].in_heap = 0;
}

/* A rising price reaches the lowest first. */
static uint32_t *triggers_of(struct engine *engine, uint32_t n, bool rising)
{
    return &engine->instruments[order_at(engine, n)->instrument].triggers[rising];
}

void triggers_put(struct engine *engine, uint32_t n, enum armed armed, weir_px px)
{
    bool rising = armed == ARMED_RISING;
    must(!engine->more[n].in_heap);
    heap_put(engine, triggers_of(engine, n, rising), !rising, n, px);
}

void triggers_drop(struct engine *engine, uint32_t n)
{
    bool rising = kept_at(engine, n)->armed == ARMED_RISING;
    heap_drop(engine, triggers_of(engine, n, rising), !rising, n);
}

bool quotes_best(const struct engine *engine, uint32_t instrument, uint8_t side, weir_px *px_out)
{
    uint32_t root = engine->instruments[instrument].quotes[side];
    if (!root)
        return false;
    *px_out = engine->orders[root].quote_px;
    return true;
}
