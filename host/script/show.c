/* show.c - a strategy's own orders and positions, told to its cell before it goes on.
 *
 * Changes are marked when they are seen, and read off the engine when they are told: an order that
 * changed a hundred times meanwhile is told once. What does not fit the ring stays marked. */
#include <stdlib.h>
#include <string.h>

#include "script/warden.h"

/* --- marks -------------------------------------------------------------------------------------*/

static void *grown(void *items, uint32_t count, uint32_t *room, size_t size)
{
    if (count < *room)
        return items;
    uint32_t wanted = *room ? 2 * *room : 16;
    void *larger = realloc(items, wanted * size);
    if (larger)
        *room = wanted;
    return larger;
}

void warden_order_changed(struct warden *warden, uint32_t order, uint32_t instrument)
{
    warden_position_changed(warden, instrument); /* the first order makes the position known */
    for (uint32_t i = warden->order_count; i > 0 && i + 8 > warden->order_count; i--)
        if (warden->orders[i - 1] == order)
            return;
    uint32_t *list =
        grown(warden->orders, warden->order_count, &warden->order_room, sizeof *warden->orders);
    if (!list) {
        warden->all_orders = true;
        return;
    }
    warden->orders = list;
    warden->orders[warden->order_count++] = order;
}

void warden_position_changed(struct warden *warden, uint32_t instrument)
{
    for (uint32_t i = 0; i < warden->held_count; i++)
        if (warden->held[i].instrument == instrument) {
            warden->held[i].told = false;
            return;
        }
    struct held *list =
        grown(warden->held, warden->held_count, &warden->held_room, sizeof *warden->held);
    if (!list) {
        warden_condemn(warden, "%s: no memory for its positions", warden->script->name);
        return;
    }
    warden->held = list;
    warden->held[warden->held_count++] = (struct held){.instrument = instrument};
}

/* --- telling -----------------------------------------------------------------------------------*/

static struct picture_record *place_for(struct warden *warden, enum picture_kind kind)
{
    struct picture_record *to = ring_side_reserve(&warden->picture_side, warden->picture);
    if (warden->picture_side.broken)
        warden_condemn(warden, "%s: its picture makes no sense: a cursor is out of range",
                       warden->script->name);
    if (to)
        to->kind = (uint32_t)kind;
    return to;
}

/* True: told, or none of ours. */
static bool tell_order(struct warden *warden, uint32_t order)
{
    const struct engine *engine = warden->cells->owner.engine;
    struct order_view view;
    char stem[WEIR_ID_MAX];
    if (!engine_order(engine, order, &view) || view.order.strategy != warden->script->strategy)
        return true;
    struct picture_record *to = place_for(warden, PICTURE_ORDER);
    if (!to)
        return false;
    size_t len = strcspn(view.order.cid, ".");
    memcpy(stem, view.order.cid, len);
    stem[len] = '\0';
    to->order.view = view;
    to->order.stem = view.order.cid[len] != '\0' && engine_order_find(engine, stem) == order;
    ring_side_commit(&warden->picture_side, warden->picture);
    return true;
}

static void tell_orders(struct warden *warden)
{
    const struct engine *engine = warden->cells->owner.engine;
    uint32_t told = 0;
    while (warden->all_orders) {
        uint32_t next = engine_order_next(engine, warden->next_order, false);
        if (next != 0 && !tell_order(warden, next))
            return;
        warden->next_order = next;
        warden->all_orders = next != 0;
    }
    while (told < warden->order_count && tell_order(warden, warden->orders[told]))
        told++;
    warden->order_count -= told;
    if (told > 0)
        memmove(warden->orders, warden->orders + told,
                warden->order_count * sizeof *warden->orders);
}

static bool same_position(const struct position_view *a, const struct position_view *b)
{
    return a->qty == b->qty && a->cost == b->cost && a->avg_price == b->avg_price &&
           a->realized == b->realized && a->unrealized == b->unrealized &&
           a->has_reference == b->has_reference;
}

/* What is open in it changes with the market, too. */
static void tell_position(struct warden *warden, struct held *held)
{
    struct position_view view;
    uint64_t version = board_version(warden->cells->board, held->instrument);
    if (held->told && held->version == version)
        return;
    if (!engine_position(warden->cells->owner.engine, held->instrument, warden->script->strategy,
                         &view)) {
        held->told = true;
        return;
    }
    if (!held->told || !same_position(&view, &held->view)) {
        struct picture_record *to = place_for(warden, PICTURE_POSITION);
        if (!to)
            return;
        to->position.instrument = held->instrument;
        to->position.view = view;
        ring_side_commit(&warden->picture_side, warden->picture);
    }
    held->told = true;
    held->version = version;
    held->view = view;
}

void warden_send_picture(struct warden *warden)
{
    cells_flush(warden->cells);
    if (warden->order_count > 0 || warden->all_orders)
        tell_orders(warden);
    for (uint32_t i = 0; i < warden->held_count; i++)
        tell_position(warden, &warden->held[i]);
}
