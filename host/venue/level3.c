/* level3.c - books of venues that show single orders: their queues, and the levels made of them.
 *
 * SNAPSHOT  Orders flagged WEIR_L3_SNAPSHOT are the book as it was; the first that is not ends it, and
 *           with that the levels are told as a snapshot. Without one there is no book: what one does
 *           not know is not made up. A snapshot later on begins anew.
 * LEVELS    Each order then changes a level or two, which go through the book machine as any venue's
 *           book messages: state, best prices, depth, paper execution follow from them.
 * TAKERS    Some venues show an order for a moment before it matches. One that meets the other side is
 *           kept apart until it rests or is gone: a book is not crossed because somebody takes.
 * GHOSTS    Orders that were gone before the snapshot keep the book crossed; they are evicted
 *           [queues.h], and the levels are told anew.
 * A market whose venue sends books of levels, too, goes by those. */
#include <stdlib.h>
#include <string.h>

#include "venue/own.h"
#include "venue/queues.h"

enum { TAKERS_MAX = 64 };

struct taker {
    uint64_t id;
    weir_px px;
    weir_qty qty;
    enum weir_side side;
};

struct level3 {
    struct queues *queues;
    struct taker takers[TAKERS_MAX];
    uint32_t taker_count;
    bool snapshot, shown; /* it has begun; it was told */
    bool telling;
    struct weir_book_msg *msg; /* room for one */
    size_t room;               /* levels */
};

struct level3 *level3_create(void)
{
    struct level3 *orders = calloc(1, sizeof *orders);
    if (orders)
        orders->queues = queues_create();
    if (orders && orders->queues)
        return orders;
    free(orders);
    return NULL;
}

void level3_destroy(struct level3 *orders)
{
    if (!orders)
        return;
    queues_destroy(orders->queues);
    free(orders->msg);
    free(orders);
}

const struct queues *level3_queues(const struct level3 *orders)
{
    return orders->queues;
}

bool level3_is_telling(const struct level3 *orders)
{
    return orders->telling;
}

/* Nothing of it is known any more. False: no memory. */
static bool forget(struct level3 *orders)
{
    struct queues *fresh = queues_create();
    orders->snapshot = orders->shown = false;
    orders->taker_count = 0;
    if (!fresh)
        return false;
    queues_destroy(orders->queues);
    orders->queues = fresh;
    return true;
}

void level3_lose(struct level3 *orders)
{
    (void)forget(orders); /* without memory it goes on from what it had, and is not told */
}

/* --- takers ------------------------------------------------------------------------------------ */

static struct taker *find_taker(struct level3 *orders, uint64_t id)
{
    for (uint32_t i = 0; i < orders->taker_count; i++)
        if (orders->takers[i].id == id)
            return &orders->takers[i];
    return NULL;
}

/* Does it meet what was told of the other side? */
static bool meets(const struct listing *listing, enum weir_side side, weir_px px)
{
    struct weir_level best;
    enum weir_side other = side == WEIR_BUY ? WEIR_SELL : WEIR_BUY;
    return px > 0 && listing->feed && book_best(listing->feed->book, other, &best) &&
           (side == WEIR_BUY ? px >= best.px : px <= best.px);
}

/* Is the order of this message kept apart, now that it was taken in? */
static bool keep_apart(const struct listing *listing, struct level3 *orders,
                       const struct weir_l3 *order, const struct queues_change *change)
{
    enum weir_side side = (enum weir_side)order->side;
    struct taker *taker = find_taker(orders, order->id);
    if (taker && order->action == WEIR_L3_REMOVE) {
        *taker = orders->takers[--orders->taker_count];
        return true;
    }
    if (!taker && (change->did != QUEUES_ADDED || !meets(listing, side, order->px) ||
                   orders->taker_count == TAKERS_MAX))
        return false;
    if (!taker)
        taker = &orders->takers[orders->taker_count++];
    *taker = (struct taker){order->id, order->px, order->qty, side};
    return true;
}

/* What is told of a level: all that rests there. */
static weir_qty resting_at(const struct level3 *orders, enum weir_side side, weir_px px)
{
    weir_qty qty = book_at(queues_book(orders->queues, false), side, px);
    for (uint32_t i = 0; i < orders->taker_count; i++)
        if (orders->takers[i].side == side && orders->takers[i].px == px)
            qty -= orders->takers[i].qty;
    return qty > 0 ? qty : 0;
}

/* --- levels ------------------------------------------------------------------------------------ */

static bool make_room(struct level3 *orders, size_t levels)
{
    if (orders->room >= levels)
        return true;
    struct weir_book_msg *larger =
        realloc(orders->msg, sizeof *larger + 2 * levels * sizeof larger->levels[0]);
    if (!larger)
        return false;
    orders->msg = larger;
    orders->room = 2 * levels;
    return true;
}

static void tell(struct session *session, const struct listing *listing, struct level3 *orders,
                 const struct weir_l3 *order, bool snapshot)
{
    struct weir_book_msg *msg = orders->msg;
    msg->msg.size =
        (uint32_t)(sizeof *msg + ((size_t)msg->bids + msg->asks) * sizeof msg->levels[0]);
    msg->msg.kind = WEIR_BOOK;
    msg->msg.flags =
        (uint16_t)(WEIR_RULE_NONE << WEIR_BOOK_RULE_SHIFT | (snapshot ? WEIR_BOOK_SNAPSHOT : 0));
    msg->msg.instrument = listing->number;
    msg->msg.t_venue = order->msg.t_venue;
    orders->telling = true;
    listing_book(session, msg);
    orders->telling = false;
}

static void begin(struct level3 *orders)
{
    memset(orders->msg, 0, sizeof *orders->msg);
}

static void add_level(struct level3 *orders, enum weir_side side, weir_px px, weir_qty qty)
{
    struct weir_book_msg *msg = orders->msg;
    msg->levels[msg->bids + msg->asks] = (struct weir_level){px, qty};
    *(side == WEIR_BUY ? &msg->bids : &msg->asks) += 1;
}

static void tell_all(struct session *session, const struct listing *listing, struct level3 *orders,
                     const struct weir_l3 *order)
{
    const struct book *book = queues_book(orders->queues, false);
    size_t levels = (size_t)book_levels(book, WEIR_BUY) + book_levels(book, WEIR_SELL);
    if (!make_room(orders, levels + 2)) {
        session_say(session, "no memory for the orders of %s", listing->definition.symbol);
        return;
    }
    begin(orders);
    for (int side = WEIR_BUY; side <= WEIR_SELL; side++) {
        struct weir_level level;
        bool more = book_best(book, (enum weir_side)side, &level);
        for (; more; more = book_next(book, (enum weir_side)side, level.px, &level)) {
            weir_qty qty = resting_at(orders, (enum weir_side)side, level.px);
            if (qty > 0)
                add_level(orders, (enum weir_side)side, level.px, qty);
        }
    }
    tell(session, listing, orders, order, true);
    orders->shown = true;
}

/* The level where the order stood, and the one where it stands. 0: none. */
static void tell_levels(struct session *session, const struct listing *listing,
                        struct level3 *orders, const struct weir_l3 *order, weir_px from,
                        weir_px to)
{
    enum weir_side side = (enum weir_side)order->side;
    if (!make_room(orders, 2))
        return;
    begin(orders);
    if (from > 0)
        add_level(orders, side, from, resting_at(orders, side, from));
    if (to > 0 && to != from)
        add_level(orders, side, to, resting_at(orders, side, to));
    if (orders->msg->bids + orders->msg->asks > 0)
        tell(session, listing, orders, order, false);
}

/* --- orders ------------------------------------------------------------------------------------ */

static void tell_owner(struct session *session, const struct listing *listing,
                       const struct weir_l3 *order, const struct queues_change *change)
{
    if (session->owner.queue)
        session->owner.queue(session->owner.context, session, listing->host, order, change);
}

/* Those that were kept apart and meet nobody any more came to rest. */
static void release(struct session *session, const struct listing *listing, struct level3 *orders,
                    const struct weir_l3 *cause)
{
    for (uint32_t i = orders->taker_count; i > 0; i--) {
        struct taker taker = orders->takers[i - 1];
        struct weir_l3 order = {.msg = cause->msg,
                                .id = taker.id,
                                .px = taker.px,
                                .qty = taker.qty,
                                .side = (uint8_t)taker.side,
                                .action = WEIR_L3_ADD};
        const struct queues_change added = {.did = QUEUES_ADDED};
        if (meets(listing, taker.side, taker.px))
            continue;
        orders->takers[i - 1] = orders->takers[--orders->taker_count];
        tell_levels(session, listing, orders, &order, 0, taker.px);
        tell_owner(session, listing, &order, &added);
    }
}

/* What it changed is told. */
static void show(struct session *session, const struct listing *listing, struct level3 *orders,
                 const struct weir_l3 *order, const struct queues_change *change)
{
    bool apart = keep_apart(listing, orders, order, change);
    if (change->did == QUEUES_UNKNOWN || change->did == QUEUES_AGAIN)
        return;
    if (!apart) {
        tell_levels(session, listing, orders, order, change->px,
                    order->action != WEIR_L3_REMOVE ? order->px : 0);
        tell_owner(session, listing, order, change);
    }
    release(session, listing, orders, order);
}

void level3_take(struct session *session, struct listing *listing, const struct weir_l3 *order)
{
    struct level3 *orders = listing->orders;
    struct queues_change change;
    bool snapshot = order->msg.flags & WEIR_L3_SNAPSHOT;
    if (order->action == WEIR_L3_MATCH || order->msg.flags & WEIR_L3_CLOSING)
        return;
    if (snapshot && orders->shown && !forget(orders))
        return;
    orders->snapshot = orders->snapshot || snapshot;
    if (!orders->snapshot)
        return;
    enum weir_err err = queues_take(orders->queues, order, session->now, &change);
    uint32_t evicted = queues_tick(orders->queues, session->now);
    if (err != WEIR_OK)
        session_say(session, "orders of %s: one is left out: %s", listing->definition.symbol,
                    err_text(err));
    if (evicted > 0)
        session_say(session, "orders of %s: %u that cannot be there are left out",
                    listing->definition.symbol, evicted);
    if (snapshot || err != WEIR_OK)
        return;
    if (orders->shown)
        show(session, listing, orders, order, &change);
    if (orders->shown && evicted == 0)
        return;
    tell_all(session, listing, orders, order);
    release(session, listing, orders, order);
}
