/* match.c - orders meet here: best price first, at one price the oldest first.
 *
 * An order is 32 bytes in an array indexed by its number; a level (match_side.h) is the head and
 * tail of a list through that array. So an add touches the order, its level and the last order
 * there; a cancel the order, its two neighbours and the level; nothing is searched or hashed.
 *
 * INVARIANTS  (1) The queue of a level is never empty: its last order takes the level away.
 *             (2) level.qty is the sum of its orders. [append, take_off, eat]
 *             (3) No order rests that would meet another, but for house orders, which follow a
 *                 market that is elsewhere. [enter]
 *             (4) order.qty > 0 if and only if the order rests: nothing else says so.
 *
 * House pieces are orders with numbers above those of the owner, kept in a free list of `next`. */
#include "sim/match.h"

#include <string.h>

#include "base/pool.h"
#include "sim/match_side.h"

struct order {
    int64_t qty; /* what is left; 0: does not rest */
    int64_t px;
    uint32_t prev, next; /* in the queue of its level; 0: none */
    uint32_t owner;
    uint16_t instrument;
    uint8_t side;
    uint8_t pad;
};
_Static_assert(sizeof(struct order) == 32, "two orders in a cache line");

struct book {
    struct side sides[2];
};

struct match {
    struct order *orders; /* by number; 0 is nobody */
    struct book *books;
    struct match_sink sink;
    uint32_t ids; /* largest number of the owner's */
    uint32_t instruments;
    uint32_t house_free; /* first free house piece */
    uint32_t open;
};

#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* --- memory ------------------------------------------------------------------------------------*/

static size_t lines(size_t size)
{
    return (size + 63) & ~(size_t)63;
}

static bool in_bounds(const struct match_config *c)
{
    return c->orders > 0 && c->orders < 1u << 31 && c->house < 1u << 30 && c->instruments > 0 &&
           c->instruments <= UINT16_MAX && c->window >= 64 && c->window <= 1u << 20 &&
           (c->window & (c->window - 1)) == 0;
}

static uint32_t sums_of(uint32_t window)
{
    return ((window - 1) >> 12) + 1;
}

size_t match_bytes(const struct match_config *c)
{
    if (!in_bounds(c))
        return 0;
    size_t side = lines((size_t)c->window * sizeof(struct side_level)) + lines(c->window / 8) +
                  lines(sums_of(c->window) * sizeof(uint64_t)) +
                  lines((size_t)c->far * sizeof(struct side_far));
    return lines(sizeof(struct match)) +
           lines(((size_t)c->orders + c->house + 1) * sizeof(struct order)) +
           lines(c->instruments * sizeof(struct book)) + 2 * side * c->instruments;
}

static struct side side_in(struct arena *arena, const struct match_config *c, uint32_t sell)
{
    struct side side = {.best = sell ? SIDE_NO_ASK : SIDE_NO_BID,
                        .far_max = c->far,
                        .mask = c->window - 1,
                        .sell = sell};
    side.levels = arena_take(arena, c->window * sizeof(struct side_level));
    side.words = arena_take(arena, c->window / 8);
    side.sums = arena_take(arena, sums_of(c->window) * sizeof(uint64_t));
    side.far = arena_take(arena, c->far * sizeof(struct side_far));
    return side;
}

struct match *match_init(void *memory, const struct match_config *config,
                         const struct match_sink *sink)
{
    struct arena arena = {memory, (unsigned char *)memory + match_bytes(config)};
    struct match *match = arena_take(&arena, sizeof *match);
    uint32_t all = config->orders + config->house;

    match->sink = *sink;
    match->ids = config->orders;
    match->instruments = config->instruments;
    match->orders = arena_take(&arena, ((size_t)all + 1) * sizeof(struct order));
    match->books = arena_take(&arena, config->instruments * sizeof(struct book));
    for (uint32_t i = 0; i < config->instruments; i++) {
        match->books[i].sides[WEIR_BUY] = side_in(&arena, config, 0);
        match->books[i].sides[WEIR_SELL] = side_in(&arena, config, 1);
    }
    match->house_free = config->house > 0 ? config->orders + 1 : 0;
    for (uint32_t id = config->orders + 1; id < all; id++)
        match->orders[id].next = id + 1;
    return match;
}

/* --- queues ------------------------------------------------------------------------------------*/

static bool is_house(const struct match *match, uint32_t id)
{
    return id > match->ids;
}

static struct match_view view_of(const struct order *order)
{
    return (struct match_view){order->px, order->qty, order->owner, order->instrument, order->side};
}

static struct side *side_of(struct match *match, uint32_t instrument, unsigned side)
{
    return &match->books[instrument].sides[side];
}

static const struct side *side_at(const struct match *match, uint32_t instrument, unsigned side)
{
    return &match->books[instrument].sides[side];
}

/* Put an order at the end of the queue at its price. False: no room. */
static bool append(struct match *match, struct side *side, uint32_t id)
{
    struct order *order = &match->orders[id];
    struct side_level *level = side_make(side, order->px);
    if (UNLIKELY(!level) || UNLIKELY(level->qty > INT64_MAX - order->qty))
        return false; /* a level so large was there before: nothing to take back */
    order->next = 0;
    order->prev = level->tail;
    if (level->tail)
        match->orders[level->tail].next = id;
    else
        level->head = id;
    level->tail = id;
    level->qty += order->qty;
    return true;
}

static void unlink_order(struct match *match, struct side_level *level, const struct order *order)
{
    if (order->prev)
        match->orders[order->prev].next = order->next;
    else
        level->head = order->next;
    if (order->next)
        match->orders[order->next].prev = order->prev;
    else
        level->tail = order->prev;
    level->qty -= order->qty;
}

/* The order is out of its queue and of the market. */
static void forget(struct match *match, uint32_t id)
{
    match->orders[id].qty = 0;
    if (is_house(match, id)) {
        match->orders[id].next = match->house_free;
        match->house_free = id;
    } else {
        match->open--;
    }
}

/* Take a resting order out of its queue, and its level if it was the last there. */
static void take_off(struct match *match, struct side *side, uint32_t id)
{
    struct order *order = &match->orders[id];
    struct side_level *level = side_find(side, order->px);
    unlink_order(match, level, order);
    if (!level->head)
        side_gone(side, order->px);
}

/* --- matching ----------------------------------------------------------------------------------*/

struct taker {
    uint32_t id; /* 0: outside */
    uint32_t owner;
    int64_t limit;
    int64_t left;
    uint16_t instrument;
    uint8_t side;
    uint8_t stp; /* NONE for nobody's orders */
    bool stopped;
};

static bool meets(unsigned side, int64_t limit, int64_t px)
{
    return side == WEIR_BUY ? px <= limit : px >= limit;
}

/* The front order of a level gives qty. It leaves the queue when nothing is left of it. */
static void eat(struct match *match, struct side_level *level, const struct taker *taker,
                int64_t qty)
{
    uint32_t id = level->head;
    struct order *maker = &match->orders[id];
    struct match_fill fill = {.maker = is_house(match, id) ? 0 : id,
                              .taker = taker->id,
                              .px = maker->px,
                              .qty = qty,
                              .maker_left = maker->qty - qty,
                              .instrument = taker->instrument,
                              .side = taker->side};
    level->qty -= qty;
    maker->qty -= qty;
    if (maker->qty == 0) {
        level->head = maker->next;
        if (maker->next)
            match->orders[maker->next].prev = 0;
        else
            level->tail = 0;
        forget(match, id);
    }
    if (fill.maker | fill.taker)
        match->sink.fill(match->sink.context, &fill);
}

/* The front order of the level is the taker's owner's: what the taker asked for happens. */
static void prevent(struct match *match, struct side_level *level, struct taker *taker)
{
    uint32_t id = level->head;
    struct match_view was = view_of(&match->orders[id]);
    if (taker->stp == MATCH_STP_CANCEL_NEW) {
        taker->stopped = true;
        return;
    }
    unlink_order(match, level, &match->orders[id]);
    forget(match, id);
    match->sink.removed(match->sink.context, id, &was);
}

/* Fill the taker against one level, front to back. */
static void sweep_level(struct match *match, struct side_level *level, struct taker *taker)
{
    while (taker->left > 0 && level->head && !taker->stopped) {
        const struct order *maker = &match->orders[level->head];
        if (UNLIKELY(taker->stp) && maker->owner == taker->owner) {
            prevent(match, level, taker);
            continue;
        }
        int64_t qty = maker->qty < taker->left ? maker->qty : taker->left;
        taker->left -= qty;
        eat(match, level, taker, qty);
    }
}

static void sweep(struct match *match, struct taker *taker)
{
    struct side *against = side_of(match, taker->instrument, !taker->side);
    while (taker->left > 0 && !taker->stopped && !side_is_empty(against) &&
           meets(taker->side, taker->limit, against->best)) {
        int64_t px = against->best;
        struct side_level *level = &against->levels[side_slot(against, px)];
        sweep_level(match, level, taker);
        if (!level->head)
            side_gone(against, px);
    }
}

/* Can all of it be filled at once? Own orders do not count where they would not trade. */
static bool can_fill(const struct match *match, const struct taker *taker)
{
    const struct side *against = side_at(match, taker->instrument, !taker->side);
    int64_t need = taker->left, px = against->best;
    bool more = !side_is_empty(against);

    for (; more && meets(taker->side, taker->limit, px); more = side_next(against, px, &px)) {
        const struct side_level *level = side_find(against, px);
        if (!taker->stp) {
            if (level->qty >= need)
                return true;
            need -= level->qty;
            continue;
        }
        for (uint32_t id = level->head; id; id = match->orders[id].next) {
            const struct order *maker = &match->orders[id];
            if (maker->owner == taker->owner) {
                if (taker->stp == MATCH_STP_CANCEL_NEW)
                    return false;
                continue;
            }
            if (maker->qty >= need)
                return true;
            need -= maker->qty;
        }
    }
    return false;
}

/* An order that may rest arrives: fill what meets, then queue the remainder. */
static enum match_end enter(struct match *match, struct taker *taker)
{
    struct order *order = &match->orders[taker->id];
    sweep(match, taker);
    if (taker->left == 0)
        return MATCH_FILLED;
    if (UNLIKELY(taker->stopped))
        return MATCH_SELF;
    order->px = taker->limit;
    order->owner = taker->owner;
    order->instrument = taker->instrument;
    order->side = taker->side;
    order->qty = taker->left;
    if (UNLIKELY(!append(match, side_of(match, taker->instrument, taker->side), taker->id))) {
        order->qty = 0;
        return MATCH_FULL;
    }
    match->open++;
    return MATCH_RESTS;
}

static bool px_is_sane(int64_t px)
{
    return px >= -MATCH_PX_MAX && px <= MATCH_PX_MAX;
}

static bool is_sane(const struct match *match, const struct match_order *o)
{
    return o->id - 1 < match->ids && match->orders[o->id].qty == 0 &&
           o->instrument < match->instruments && o->side <= WEIR_SELL && o->qty > 0 &&
           (o->type == WEIR_MARKET || (o->type == WEIR_LIMIT && px_is_sane(o->px))) &&
           o->tif <= WEIR_FOK;
}

enum match_end match_add(struct match *match, const struct match_order *order, int64_t *left_out)
{
    if (UNLIKELY(!is_sane(match, order)))
        return MATCH_BAD;
    int64_t any = order->side == WEIR_BUY ? MATCH_PX_MAX : -MATCH_PX_MAX;
    struct taker taker = {.id = order->id,
                          .owner = order->owner,
                          .limit = order->type == WEIR_MARKET ? any : order->px,
                          .left = order->qty,
                          .instrument = order->instrument,
                          .side = order->side,
                          .stp = order->owner ? order->stp : (uint8_t)MATCH_STP_NONE};
    enum match_end end;

    if (order->post_only &&
        match_would_take(match, order->instrument, (enum weir_side)order->side, taker.limit)) {
        end = MATCH_WOULD_TAKE;
    } else if (order->tif == WEIR_GTC && order->type == WEIR_LIMIT) {
        end = enter(match, &taker);
    } else if (order->tif == WEIR_FOK && !can_fill(match, &taker)) {
        end = MATCH_KILLED;
    } else {
        sweep(match, &taker);
        end = taker.left == 0 ? MATCH_FILLED : taker.stopped ? MATCH_SELF : MATCH_KILLED;
    }
    *left_out = taker.left;
    return end;
}

static bool rests(const struct match *match, uint32_t id)
{
    return id - 1 < match->ids && match->orders[id].qty > 0;
}

int64_t match_cancel(struct match *match, uint32_t id)
{
    if (!rests(match, id))
        return 0;
    const struct order *order = &match->orders[id];
    int64_t left = order->qty;
    take_off(match, side_of(match, order->instrument, order->side), id);
    forget(match, id);
    return left;
}

/* Out of the queue, and in again as if it had just arrived. */
static enum match_end enter_again(struct match *match, uint32_t id, int64_t px, int64_t qty,
                                  enum match_stp stp, int64_t *left_out)
{
    const struct order *order = &match->orders[id];
    struct taker taker = {.id = id,
                          .owner = order->owner,
                          .limit = px,
                          .left = qty,
                          .instrument = order->instrument,
                          .side = order->side,
                          .stp = order->owner ? (uint8_t)stp : (uint8_t)MATCH_STP_NONE};
    take_off(match, side_of(match, order->instrument, order->side), id);
    forget(match, id);
    enum match_end end = enter(match, &taker);
    *left_out = taker.left;
    return end;
}

enum match_end match_move(struct match *match, uint32_t id, int64_t px, int64_t *left_out)
{
    if (!rests(match, id) || !px_is_sane(px))
        return MATCH_BAD;
    return enter_again(match, id, px, match->orders[id].qty, MATCH_STP_NONE, left_out);
}

enum match_end match_replace(struct match *match, uint32_t id, int64_t px, int64_t qty,
                             enum match_stp stp, bool post_only, int64_t *left_out)
{
    if (!rests(match, id) || !px_is_sane(px) || qty <= 0)
        return MATCH_BAD;
    struct order *order = &match->orders[id];
    if (px == order->px && qty <= order->qty) {
        side_find(side_of(match, order->instrument, order->side), px)->qty -= order->qty - qty;
        order->qty = qty;
        *left_out = qty;
        return MATCH_RESTS;
    }
    if (post_only && match_would_take(match, order->instrument, (enum weir_side)order->side, px)) {
        *left_out = order->qty;
        return MATCH_WOULD_TAKE;
    }
    return enter_again(match, id, px, qty, stp, left_out);
}

/* --- questions ---------------------------------------------------------------------------------*/

bool match_order(const struct match *match, uint32_t id, struct match_view *view_out)
{
    if (!rests(match, id))
        return false;
    *view_out = view_of(&match->orders[id]);
    return true;
}

int64_t match_ahead(const struct match *match, uint32_t id)
{
    if (!rests(match, id))
        return 0;
    int64_t ahead = 0;
    for (uint32_t at = match->orders[id].prev; at; at = match->orders[at].prev)
        ahead += match->orders[at].qty;
    return ahead;
}

bool match_best(const struct match *match, uint32_t instrument, enum weir_side side,
                int64_t *px_out, int64_t *qty_out)
{
    const struct side *s = side_at(match, instrument, side);
    if (side_is_empty(s))
        return false;
    *px_out = s->best;
    *qty_out = s->levels[side_slot(s, s->best)].qty;
    return true;
}

bool match_next(const struct match *match, uint32_t instrument, enum weir_side side, int64_t px,
                int64_t *px_out, int64_t *qty_out)
{
    const struct side *s = side_at(match, instrument, side);
    if (!side_next(s, px, px_out))
        return false;
    *qty_out = side_find(s, *px_out)->qty;
    return true;
}

int64_t match_at(const struct match *match, uint32_t instrument, enum weir_side side, int64_t px)
{
    const struct side_level *level = side_find(side_at(match, instrument, side), px);
    return level ? level->qty : 0;
}

bool match_would_take(const struct match *match, uint32_t instrument, enum weir_side side,
                      int64_t px)
{
    const struct side *against = side_at(match, instrument, !side);
    return !side_is_empty(against) && meets(side, px, against->best);
}

uint32_t match_open(const struct match *match)
{
    return match->open;
}

void match_prefetch(const struct match *match, uint32_t id)
{
    __builtin_prefetch(&match->orders[id], 1);
}

/* --- house liquidity ---------------------------------------------------------------------------*/

int64_t match_house(const struct match *match, uint32_t instrument, enum weir_side side, int64_t px)
{
    const struct side_level *level = side_find(side_at(match, instrument, side), px);
    int64_t house = 0;
    for (uint32_t id = level ? level->head : 0; id; id = match->orders[id].next)
        if (is_house(match, id))
            house += match->orders[id].qty;
    return house;
}

bool match_has_orders(const struct match *match, uint32_t instrument, enum weir_side side,
                      int64_t px)
{
    const struct side_level *level = side_find(side_at(match, instrument, side), px);
    for (uint32_t id = level ? level->head : 0; id; id = match->orders[id].next)
        if (!is_house(match, id))
            return true;
    return false;
}

/* Put a new house piece at the end of the queue at px. */
static bool house_append(struct match *match, struct side *side, const struct order *piece)
{
    uint32_t id = match->house_free;
    if (!id)
        return false;
    match->house_free = match->orders[id].next;
    match->orders[id] = *piece;
    if (append(match, side, id))
        return true;
    forget(match, id);
    return false;
}

/* Let the house at px grow at the end of the queue. */
static bool house_grow(struct match *match, struct side *side, const struct order *piece)
{
    struct side_level *level = side_find(side, piece->px);
    if (!level || !is_house(match, level->tail))
        return house_append(match, side, piece);
    if (level->qty > INT64_MAX - piece->qty)
        return false;
    match->orders[level->tail].qty += piece->qty;
    level->qty += piece->qty;
    return true;
}

/* Take up to qty from house pieces, from the front or from the back of the queue at px.
 * behind: stop at the first order that is not the house's. */
static void house_shrink(struct match *match, struct side *side, int64_t px, int64_t qty,
                         bool from_front, bool behind)
{
    struct side_level *level = side_find(side, px);
    uint32_t id = level ? (from_front ? level->head : level->tail) : 0;
    while (id && qty > 0) {
        struct order *order = &match->orders[id];
        uint32_t next = from_front ? order->next : order->prev;
        if (is_house(match, id)) {
            int64_t part = order->qty < qty ? order->qty : qty;
            qty -= part;
            order->qty -= part;
            level->qty -= part;
            if (order->qty == 0) {
                unlink_order(match, level, order);
                forget(match, id);
            }
        } else if (behind) {
            break;
        }
        id = next;
    }
    if (level && !level->head)
        side_gone(side, px);
}

/* What stands before the first order at px that is not the house's. */
static int64_t house_ahead(const struct match *match, const struct side *side, int64_t px)
{
    const struct side_level *level = side_find(side, px);
    int64_t ahead = 0;
    for (uint32_t id = level ? level->head : 0; id && is_house(match, id);
         id = match->orders[id].next)
        ahead += match->orders[id].qty;
    return ahead;
}

/* Of `qty` that disappears, the part from before us: ahead^power : behind^power. */
static int64_t share_ahead(int64_t qty, int64_t ahead, int64_t behind, int power)
{
    uint64_t a = (uint64_t)ahead, b = (uint64_t)behind;
    unsigned __int128 fa = 1, fb = 1;
    while ((a | b) >> 20) { /* so that a cube fits */
        a >>= 1;
        b >>= 1;
    }
    for (; power > 0; power--) {
        fa *= a;
        fb *= b;
    }
    if (fa + fb == 0)
        return 0;
    int64_t part = (int64_t)((unsigned __int128)qty * fa / (fa + fb));
    part = part < ahead ? part : ahead;
    return qty - part > behind ? qty - behind : part;
}

static void house_share(struct match *match, struct side *side, int64_t px, int64_t qty,
                        int64_t have, int power)
{
    int64_t ahead = house_ahead(match, side, px);
    int64_t part = share_ahead(qty, ahead, have - ahead, power);
    house_shrink(match, side, px, part, true, false);
    house_shrink(match, side, px, qty - part, false, false);
}

/* Put a new house piece before everybody at px, where others stand. */
static bool house_first(struct match *match, struct side *side, const struct order *piece)
{
    if (!house_append(match, side, piece))
        return false;
    struct side_level *level = side_find(side, piece->px);
    uint32_t id = level->tail;
    struct order *order = &match->orders[id];
    if (level->head == id)
        return true;
    level->tail = order->prev;
    match->orders[level->tail].next = 0;
    order->prev = 0;
    order->next = level->head;
    match->orders[level->head].prev = id;
    level->head = id;
    return true;
}

bool match_house_set(struct match *match, uint32_t instrument, enum weir_side side, int64_t px,
                     int64_t qty, enum match_queue queue)
{
    if (instrument >= match->instruments || !px_is_sane(px) || qty < 0)
        return false;
    struct side *s = side_of(match, instrument, side);
    int64_t have = match_house(match, instrument, side, px);
    struct order piece = {.px = px, .instrument = (uint16_t)instrument, .side = (uint8_t)side};

    if (queue == MATCH_QUEUE_LAST) {
        house_shrink(match, s, px, have, true, false);
        piece.qty = qty;
        return qty == 0 || house_first(match, s, &piece);
    }
    if (qty > have) {
        piece.qty = qty - have;
        return house_grow(match, s, &piece);
    }
    if (queue >= MATCH_QUEUE_SHARED_1)
        house_share(match, s, px, have - qty, have, 1 + (int)(queue - MATCH_QUEUE_SHARED_1));
    else
        house_shrink(match, s, px, have - qty, queue == MATCH_QUEUE_FRONT,
                     queue == MATCH_QUEUE_BEHIND);
    return true;
}

void match_house_leave(struct match *match, uint32_t instrument, enum weir_side side, int64_t px,
                       int64_t qty, bool (*is_later)(void *context, uint32_t id), void *context)
{
    struct side *s = side_of(match, instrument, side);
    struct side_level *level = side_find(s, px);
    uint32_t at = level ? level->head : 0, from = 0;
    for (; at && (is_house(match, at) || !is_later(context, at)); at = match->orders[at].next)
        from = at;
    while (from && qty > 0) {
        struct order *order = &match->orders[from];
        uint32_t prev = order->prev;
        if (is_house(match, from)) {
            int64_t part = order->qty < qty ? order->qty : qty;
            qty -= part;
            order->qty -= part;
            level->qty -= part;
            if (order->qty == 0) {
                unlink_order(match, level, order);
                forget(match, from);
            }
        }
        from = prev;
    }
    if (level && !level->head)
        side_gone(s, px);
}

int64_t match_trade(struct match *match, uint32_t instrument, enum weir_side side, int64_t px,
                    int64_t qty)
{
    struct side *s = side_of(match, instrument, side);
    struct side_level *level = side_find(s, px);
    if (!level)
        return qty;
    struct taker taker = {
        .limit = px, .left = qty, .instrument = (uint16_t)instrument, .side = !side};
    sweep_level(match, level, &taker);
    if (!level->head)
        side_gone(s, px);
    return taker.left;
}

void match_through(struct match *match, uint32_t instrument, enum weir_side side, int64_t px)
{
    struct side *s = side_of(match, instrument, side);
    while (!side_is_empty(s) && side_is_better(s, s->best, px)) {
        int64_t best = s->best;
        (void)match_trade(match, instrument, side, best, s->levels[side_slot(s, best)].qty);
    }
}
