/* match_test.c - the matching engine beside one that is too simple to be wrong.
 *
 * The other engine keeps all orders in one list in order of arrival and looks for the best by
 * reading all of it. Both get the same random calls; every fill, end and remainder must be equal,
 * and now and then the whole book. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/match.h"
#include "support/random.h"

enum { ORDERS = 400, INSTRUMENTS = 3, FILLS = 1024 };

/* --- what both report --------------------------------------------------------------------------*/

struct tape {
    struct match_fill fills[FILLS];
    uint32_t removed[FILLS];
    struct match_view was[FILLS];
    size_t fill_count, removed_count;
};

static void on_fill(void *context, const struct match_fill *fill)
{
    struct tape *tape = context;
    cr_assert_lt(tape->fill_count, FILLS);
    tape->fills[tape->fill_count++] = *fill;
}

static void on_removed(void *context, uint32_t id, const struct match_view *was)
{
    struct tape *tape = context;
    cr_assert_lt(tape->removed_count, FILLS);
    tape->was[tape->removed_count] = *was;
    tape->removed[tape->removed_count++] = id;
}

static struct match *match_on(struct tape *tape, const struct match_config *config)
{
    size_t bytes = match_bytes(config);
    cr_assert_gt(bytes, 0);
    void *memory = aligned_alloc(64, bytes);
    cr_assert_not_null(memory);
    memset(memory, 0, bytes);
    struct match_sink sink = {tape, on_fill, on_removed};
    return match_init(memory, config, &sink);
}

/* --- the simple engine -------------------------------------------------------------------------*/

struct plain_order {
    struct match_order order;
    int64_t left;
    uint64_t arrived;
};

struct plain {
    struct plain_order orders[ORDERS + 1]; /* left 0: not there */
    uint64_t arrivals;
    struct tape tape;
};

static bool reaches(const struct match_order *taker, int64_t px)
{
    return taker->type == WEIR_MARKET ||
           (taker->side == WEIR_BUY ? px <= taker->px : px >= taker->px);
}

static bool comes_first(const struct plain_order *a, const struct plain_order *b)
{
    if (a->order.px != b->order.px)
        return a->order.side == WEIR_BUY ? a->order.px > b->order.px : a->order.px < b->order.px;
    return a->arrived < b->arrived;
}

/* The order that the taker meets first, among those after `after`. */
static struct plain_order *first_met(struct plain *plain, const struct match_order *taker,
                                     const struct plain_order *after)
{
    struct plain_order *first = NULL;
    for (uint32_t id = 1; id <= ORDERS; id++) {
        struct plain_order *o = &plain->orders[id];
        if (o->left > 0 && o->order.instrument == taker->instrument &&
            o->order.side != taker->side && reaches(taker, o->order.px) &&
            (!after || comes_first(after, o)) && (!first || comes_first(o, first)))
            first = o;
    }
    return first;
}

static bool is_self(const struct match_order *taker, const struct plain_order *maker)
{
    return taker->owner && taker->stp != MATCH_STP_NONE && maker->order.owner == taker->owner;
}

static bool plain_can_fill(struct plain *plain, const struct match_order *taker)
{
    int64_t need = taker->qty;
    struct plain_order *o = NULL;
    while (need > 0 && (o = first_met(plain, taker, o)) != NULL) {
        if (!is_self(taker, o))
            need -= o->left;
        else if (taker->stp == MATCH_STP_CANCEL_NEW)
            return false;
    }
    return need <= 0;
}

/* Fill what can be filled. True: self-trade prevention ended the taker. */
static bool plain_sweep(struct plain *plain, const struct match_order *taker, int64_t *left)
{
    struct plain_order *o;
    while (*left > 0 && (o = first_met(plain, taker, NULL)) != NULL) {
        if (is_self(taker, o) && taker->stp == MATCH_STP_CANCEL_NEW)
            return true;
        if (is_self(taker, o)) {
            struct match_view was = {.px = o->order.px,
                                     .qty = o->left,
                                     .owner = o->order.owner,
                                     .instrument = o->order.instrument,
                                     .side = o->order.side};
            on_removed(&plain->tape, o->order.id, &was);
            o->left = 0;
            continue;
        }
        int64_t qty = o->left < *left ? o->left : *left;
        o->left -= qty;
        *left -= qty;
        struct match_fill fill = {.maker = o->order.id,
                                  .taker = taker->id,
                                  .px = o->order.px,
                                  .qty = qty,
                                  .maker_left = o->left,
                                  .instrument = taker->instrument,
                                  .side = taker->side};
        on_fill(&plain->tape, &fill);
    }
    return false;
}

static enum match_end plain_add(struct plain *plain, const struct match_order *order, int64_t *left)
{
    *left = order->qty;
    if (order->post_only && first_met(plain, order, NULL))
        return MATCH_WOULD_TAKE;
    if (order->tif == WEIR_FOK && !plain_can_fill(plain, order))
        return MATCH_KILLED;
    bool stopped = plain_sweep(plain, order, left);
    if (*left == 0)
        return MATCH_FILLED;
    if (stopped)
        return MATCH_SELF;
    if (order->type == WEIR_MARKET || order->tif != WEIR_GTC)
        return MATCH_KILLED;
    plain->orders[order->id] = (struct plain_order){*order, *left, plain->arrivals++};
    return MATCH_RESTS;
}

static enum match_end plain_replace(struct plain *plain, uint32_t id, int64_t px, int64_t qty,
                                    enum match_stp stp, bool post_only, int64_t *left)
{
    struct plain_order *o = &plain->orders[id];
    struct match_order again = o->order;
    *left = o->left;
    if (o->left == 0)
        return MATCH_BAD;
    if (px == o->order.px && qty <= o->left) {
        *left = o->left = qty;
        return MATCH_RESTS;
    }
    again.px = px;
    again.qty = qty;
    again.stp = (uint8_t)stp;
    again.post_only = post_only;
    again.type = WEIR_LIMIT;
    again.tif = WEIR_GTC;
    if (post_only && first_met(plain, &again, NULL))
        return MATCH_WOULD_TAKE;
    o->left = 0;
    return plain_add(plain, &again, left);
}

static int64_t plain_at(const struct plain *plain, uint32_t instrument, uint8_t side, int64_t px)
{
    int64_t qty = 0;
    for (uint32_t id = 1; id <= ORDERS; id++)
        if (plain->orders[id].left > 0 && plain->orders[id].order.instrument == instrument &&
            plain->orders[id].order.side == side && plain->orders[id].order.px == px)
            qty += plain->orders[id].left;
    return qty;
}

static int64_t plain_ahead(const struct plain *plain, uint32_t id)
{
    const struct plain_order *me = &plain->orders[id];
    int64_t qty = 0;
    for (uint32_t other = 1; other <= ORDERS; other++) {
        const struct plain_order *o = &plain->orders[other];
        if (o->left > 0 && o->order.instrument == me->order.instrument &&
            o->order.side == me->order.side && o->order.px == me->order.px &&
            o->arrived < me->arrived)
            qty += o->left;
    }
    return qty;
}

/* --- the comparison ----------------------------------------------------------------------------*/

struct pair {
    struct match *match;
    struct tape tape;
    struct plain plain;
    uint64_t dice;
    uint64_t added, traded, ended; /* quantities: what came in is in the book, traded or ended */
    uint64_t ops;
};

static bool same_fill(const struct match_fill *a, const struct match_fill *b)
{
    return a->maker == b->maker && a->taker == b->taker && a->px == b->px && a->qty == b->qty &&
           a->maker_left == b->maker_left && a->instrument == b->instrument && a->side == b->side;
}

static bool same_view(const struct match_view *a, const struct match_view *b)
{
    return a->px == b->px && a->qty == b->qty && a->owner == b->owner &&
           a->instrument == b->instrument && a->side == b->side;
}

static void compare_tapes(struct pair *pair, const char *op)
{
    struct tape *a = &pair->tape, *b = &pair->plain.tape;
    cr_assert_eq(a->fill_count, b->fill_count, "%s %lu: %zu fills, expected %zu", op, pair->ops,
                 a->fill_count, b->fill_count);
    for (size_t i = 0; i < a->fill_count; i++) {
        cr_assert(same_fill(&a->fills[i], &b->fills[i]),
                  "%s %lu: fill %zu: maker %u %ld @ %ld, expected maker %u %ld @ %ld", op,
                  pair->ops, i, a->fills[i].maker, a->fills[i].qty, a->fills[i].px,
                  b->fills[i].maker, b->fills[i].qty, b->fills[i].px);
        pair->traded += (uint64_t)a->fills[i].qty;
    }
    cr_assert_eq(a->removed_count, b->removed_count, "%s %lu: removals", op, pair->ops);
    for (size_t i = 0; i < a->removed_count; i++)
        cr_assert(a->removed[i] == b->removed[i] && same_view(&a->was[i], &b->was[i]),
                  "%s %lu: removal %zu", op, pair->ops, i);
    a->fill_count = b->fill_count = a->removed_count = b->removed_count = 0;
}

static void compare_side(struct pair *pair, uint32_t instrument, enum weir_side side)
{
    int64_t px = 0, qty = 0, sum = 0, before = 0;
    uint32_t levels = 0;
    for (bool more = match_best(pair->match, instrument, side, &px, &qty); more;
         more = match_next(pair->match, instrument, side, px, &px, &qty)) {
        cr_assert(levels == 0 || (side == WEIR_BUY ? px < before : px > before), "levels in order");
        cr_assert_eq(qty, plain_at(&pair->plain, instrument, (uint8_t)side, px), "level %ld", px);
        cr_assert_eq(qty, match_at(pair->match, instrument, side, px), "level %ld", px);
        before = px;
        sum += qty;
        levels++;
    }
    for (uint32_t id = 1; id <= ORDERS; id++)
        if (pair->plain.orders[id].left > 0 &&
            pair->plain.orders[id].order.instrument == instrument &&
            pair->plain.orders[id].order.side == side)
            sum -= pair->plain.orders[id].left;
    cr_assert_eq(sum, 0, "every order is in a level that is listed");
}

static void compare_books(struct pair *pair)
{
    uint32_t open = 0;
    uint64_t resting = 0;
    for (uint32_t id = 1; id <= ORDERS; id++) {
        struct match_view view;
        bool rests = match_order(pair->match, id, &view);
        cr_assert_eq(rests, pair->plain.orders[id].left > 0, "order %u after %lu", id, pair->ops);
        if (!rests)
            continue;
        open++;
        resting += (uint64_t)view.qty;
        cr_assert_eq(view.qty, pair->plain.orders[id].left);
        cr_assert_eq(match_ahead(pair->match, id), plain_ahead(&pair->plain, id), "place of %u",
                     id);
    }
    cr_assert_eq(match_open(pair->match), open);
    cr_assert_eq(pair->added, resting + 2 * pair->traded + pair->ended, "quantity is conserved");
    for (uint32_t i = 0; i < INSTRUMENTS; i++) {
        int64_t bid = 0, ask = 0, qty;
        compare_side(pair, i, WEIR_BUY);
        compare_side(pair, i, WEIR_SELL);
        if (match_best(pair->match, i, WEIR_BUY, &bid, &qty) &&
            match_best(pair->match, i, WEIR_SELL, &ask, &qty))
            cr_assert_lt(bid, ask, "a book at rest is not crossed");
    }
}

/* Mostly near one price, sometimes far away, and the price moves. */
static int64_t some_price(struct pair *pair)
{
    static const int64_t reach[] = {3, 10, 10, 40, 40, 100, 1000, 100000};
    int64_t mid = (int64_t)(pair->ops / 50) * ((pair->ops / 20000) % 2 ? -3 : 3);
    int64_t range = reach[random_below(&pair->dice, 8)];
    return mid + (int64_t)random_below(&pair->dice, (uint64_t)(2 * range)) - range;
}

static void note_ended(struct pair *pair, uint64_t qty)
{
    pair->ended += qty;
}

static void one_add(struct pair *pair, uint32_t id)
{
    struct match_order order = {
        .id = id,
        .owner = (uint32_t)random_below(&pair->dice, 4),
        .px = some_price(pair),
        .qty = 1 + (int64_t)random_below(&pair->dice, 50),
        .instrument = (uint16_t)random_below(&pair->dice, INSTRUMENTS),
        .side = (uint8_t)random_below(&pair->dice, 2),
        .type = random_below(&pair->dice, 20) == 0 ? WEIR_MARKET : WEIR_LIMIT,
        .tif = random_below(&pair->dice, 3) ? WEIR_GTC : (uint8_t)random_below(&pair->dice, 3),
        .stp = (uint8_t)random_below(&pair->dice, 3),
        .post_only = random_below(&pair->dice, 5) == 0};
    int64_t left = 0, expected = 0;
    uint64_t removed = 0;
    enum match_end want = plain_add(&pair->plain, &order, &expected);
    for (size_t i = 0; i < pair->plain.tape.removed_count; i++) {
        struct match_view view;
        cr_assert(match_order(pair->match, pair->plain.tape.removed[i], &view));
        removed += (uint64_t)view.qty;
    }
    for (size_t i = 0; i < pair->plain.tape.fill_count; i++) /* filled in part, then removed */
        for (size_t j = 0; j < pair->plain.tape.removed_count; j++)
            cr_assert_neq(pair->plain.tape.fills[i].maker, pair->plain.tape.removed[j]);
    enum match_end end = match_add(pair->match, &order, &left);
    cr_assert_eq(end, want, "add %lu: end %d, expected %d", pair->ops, end, want);
    cr_assert_eq(left, expected, "add %lu: left %ld, expected %ld", pair->ops, left, expected);
    pair->added += (uint64_t)order.qty;
    note_ended(pair, removed + (end != MATCH_RESTS ? (uint64_t)left : 0));
    compare_tapes(pair, "add");
}

static void one_change(struct pair *pair, uint32_t id)
{
    int64_t before = pair->plain.orders[id].left, left = 0, expected = 0;
    bool same_px = random_below(&pair->dice, 2);
    int64_t px = same_px ? pair->plain.orders[id].order.px : some_price(pair);
    int64_t qty = 1 + (int64_t)random_below(&pair->dice, 60);
    enum match_end want, end;
    if (random_below(&pair->dice, 3) == 0) { /* a move, for which nobody is its own enemy */
        qty = before;
        pair->plain.orders[id].order.px = px == pair->plain.orders[id].order.px ? px + 1 : px;
        px = pair->plain.orders[id].order.px;
        struct match_order again = pair->plain.orders[id].order;
        again.qty = qty;
        again.stp = MATCH_STP_NONE;
        again.post_only = 0;
        pair->plain.orders[id].left = 0;
        want = plain_add(&pair->plain, &again, &expected);
        end = match_move(pair->match, id, px, &left);
    } else {
        bool post_only = random_below(&pair->dice, 4) == 0;
        want = plain_replace(&pair->plain, id, px, qty, MATCH_STP_NONE, post_only, &expected);
        end = match_replace(pair->match, id, px, qty, MATCH_STP_NONE, post_only, &left);
    }
    cr_assert_eq(end, want, "change %lu: end %d, expected %d", pair->ops, end, want);
    cr_assert_eq(left, expected, "change %lu", pair->ops);
    if (end != MATCH_WOULD_TAKE) {
        pair->added += (uint64_t)qty;
        note_ended(pair, (uint64_t)before);
    }
    compare_tapes(pair, "change");
}

static void one_cancel(struct pair *pair, uint32_t id)
{
    int64_t expected = pair->plain.orders[id].left;
    pair->plain.orders[id].left = 0;
    cr_assert_eq(match_cancel(pair->match, id), expected, "cancel %lu", pair->ops);
    cr_assert_eq(match_cancel(pair->match, id), 0, "a second cancel finds nothing");
    note_ended(pair, (uint64_t)expected);
}

Test(match, agrees_with_an_engine_that_is_too_simple_to_be_wrong)
{
    static const struct {
        uint32_t window, far;
    } shapes[] = {{64, 1000}, {4096, 1000}};
    for (size_t shape = 0; shape < 2; shape++) {
        struct pair *pair = calloc(1, sizeof *pair);
        struct match_config config = {.orders = ORDERS,
                                      .instruments = INSTRUMENTS,
                                      .window = shapes[shape].window,
                                      .far = shapes[shape].far};
        pair->match = match_on(&pair->tape, &config);
        pair->dice = 7 + shape;
        for (pair->ops = 0; pair->ops < 50000; pair->ops++) {
            uint32_t id = 1 + (uint32_t)random_below(&pair->dice, ORDERS);
            if (pair->plain.orders[id].left == 0)
                one_add(pair, id);
            else if (random_below(&pair->dice, 3))
                one_change(pair, id);
            else
                one_cancel(pair, id);
            if (pair->ops % 500 == 0)
                compare_books(pair);
        }
        compare_books(pair);
        cr_expect_gt(pair->traded, 100000, "the run is worth something: %lu traded", pair->traded);
        free(pair->match);
        free(pair);
    }
}

/* --- single facts ------------------------------------------------------------------------------*/

Test(match, refuses_what_makes_no_sense_and_stays_as_it_was)
{
    struct tape tape = {0};
    struct match_config config = {
        .orders = 4, .house = 2, .instruments = 1, .window = 64, .far = 2};
    static const struct match_config bad[] = {
        {.orders = 0, .instruments = 1, .window = 64},
        {.orders = 1, .instruments = 0, .window = 64},
        {.orders = 1, .instruments = 1, .window = 63},
        {.orders = 1, .instruments = 1, .window = 32},
        {.orders = 1, .instruments = 70000, .window = 64},
        {.orders = 1, .instruments = 1, .window = 1u << 21},
    };
    static const struct {
        const char *name;
        struct match_order order;
    } cases[] = {
        {"number 0", {.id = 0, .px = 1, .qty = 1}},
        {"number too large", {.id = 5, .px = 1, .qty = 1}},
        {"number in use", {.id = 1, .px = 1, .qty = 1}},
        {"no quantity", {.id = 2, .px = 1, .qty = 0}},
        {"negative quantity", {.id = 2, .px = 1, .qty = -1}},
        {"no such side", {.id = 2, .px = 1, .qty = 1, .side = 2}},
        {"no such instrument", {.id = 2, .px = 1, .qty = 1, .instrument = 1}},
        {"no such type", {.id = 2, .px = 1, .qty = 1, .type = WEIR_STOP}},
        {"no such tif", {.id = 2, .px = 1, .qty = 1, .tif = WEIR_GTD}},
        {"price beyond all bounds", {.id = 2, .px = INT64_MAX, .qty = 1}},
    };
    int64_t left = -1;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_eq(match_bytes(&bad[i]), 0, "config %zu", i);

    struct match *match = match_on(&tape, &config);
    struct match_order first = {.id = 1, .px = 100, .qty = 5};
    cr_assert_eq(match_add(match, &first, &left), MATCH_RESTS);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_expect_eq(match_add(match, &cases[i].order, &left), MATCH_BAD, "%s", cases[i].name);
    cr_expect_eq(match_move(match, 2, 1, &left), MATCH_BAD);
    cr_expect_eq(match_replace(match, 1, 100, 0, MATCH_STP_NONE, false, &left), MATCH_BAD);
    cr_expect_eq(match_open(match), 1);
    cr_expect_eq(match_at(match, 0, WEIR_BUY, 100), 5);

    /* two far levels fit, the third does not; a market order needs no price */
    struct match_order far = {.id = 2, .px = -1000, .qty = 1};
    cr_expect_eq(match_add(match, &far, &left), MATCH_RESTS);
    far.id = 3, far.px = -2000;
    cr_expect_eq(match_add(match, &far, &left), MATCH_RESTS);
    far.id = 4, far.px = -3000;
    cr_expect_eq(match_add(match, &far, &left), MATCH_FULL);
    cr_expect_eq(left, 1);
    struct match_order market = {
        .id = 4, .px = INT64_MIN, .qty = 9, .side = WEIR_SELL, .type = WEIR_MARKET};
    cr_expect_eq(match_add(match, &market, &left), MATCH_KILLED);
    cr_expect_eq(left, 2, "5 at 100, then both far ones");
    cr_expect_eq(tape.fill_count, 3);
    cr_expect_eq(match_open(match), 0);

    /* quantities that no level can hold */
    struct match_order huge = {.id = 1, .px = 1, .qty = INT64_MAX};
    cr_expect_eq(match_add(match, &huge, &left), MATCH_RESTS);
    huge.id = 2;
    cr_expect_eq(match_add(match, &huge, &left), MATCH_FULL);
    cr_expect_eq(match_at(match, 0, WEIR_BUY, 1), INT64_MAX);
    free(match);
}

Test(match, the_window_follows_the_market_and_is_not_torn)
{
    struct tape tape = {0};
    struct match_config config = {.orders = 40, .instruments = 1, .window = 64, .far = 4};
    struct match *match = match_on(&tape, &config);
    int64_t left;

    /* twenty levels a side walk a thousand windows down and up again: four far ones are enough */
    for (int64_t step = 0; step < 128000; step++) {
        int64_t mid = step < 64000 ? -step : step - 128000;
        for (uint32_t side = 0; side < 2; side++) {
            uint32_t id = 1 + side * 20 + (uint32_t)(step % 20);
            int64_t away = 1 + step % 20;
            struct match_order order = {
                .id = id, .px = side ? mid + away : mid - away, .qty = 1, .side = (uint8_t)side};
            (void)match_cancel(match, id);
            enum match_end end = match_add(match, &order, &left);
            cr_assert(end == MATCH_RESTS || end == MATCH_FILLED, "step %ld: %d", step, end);
        }
        tape.fill_count = 0;
    }
    free(match);

    /* a price so good that the rest would have to leave, and has nowhere to go */
    config.far = 3;
    match = match_on(&tape, &config);
    for (uint32_t id = 1; id <= 4; id++) {
        struct match_order order = {.id = id, .px = id, .qty = 1};
        cr_assert_eq(match_add(match, &order, &left), MATCH_RESTS);
    }
    struct match_order good = {.id = 5, .px = 100000, .qty = 7};
    cr_expect_eq(match_add(match, &good, &left), MATCH_FULL);
    cr_expect_eq(left, 7);
    cr_expect_eq(match_cancel(match, 1), 1);
    cr_expect_eq(match_add(match, &good, &left), MATCH_RESTS, "three can go");
    int64_t px = 0, qty = 0, expected[] = {100000, 4, 3, 2};
    bool more = match_best(match, 0, WEIR_BUY, &px, &qty);
    for (size_t i = 0; i < 4; i++) {
        cr_assert(more && px == expected[i], "level %zu is %ld", i, px);
        more = match_next(match, 0, WEIR_BUY, px, &px, &qty);
    }
    cr_expect_not(more);
    cr_expect_eq(match_cancel(match, 5), 7);
    cr_expect(match_best(match, 0, WEIR_BUY, &px, &qty) && px == 4, "and come back");
    free(match);
}

/* --- house liquidity ---------------------------------------------------------------------------*/

/* What happens at one price, in one line each: our order is "o", numbers are the house's. */
struct story {
    const char *name;
    enum match_queue queue;
    const char *steps;       /* dN: N is displayed; +N: we add an order of N; tN: N trades */
    const char *queue_after; /* front to back, ours marked with o */
};

static const struct story stories[] = {
    {"growth stands behind", MATCH_QUEUE_BACK, "d10 +5 d14", "10 o5 4"},
    {"less is taken from behind", MATCH_QUEUE_BACK, "d10 +5 d14 d12", "10 o5 2"},
    {"and then from ahead", MATCH_QUEUE_BACK, "d10 +5 d14 d7", "7 o5"},
    {"trades_only: never from ahead", MATCH_QUEUE_BEHIND, "d10 +5 d14 d7", "10 o5"},
    {"trades_only: it grows when more than that is shown", MATCH_QUEUE_BEHIND, "d10 +5 d7 d12",
     "10 o5 2"},
    {"front: from ahead first", MATCH_QUEUE_FRONT, "d10 +5 d14 d7", "3 o5 4"},
    {"front: nothing ahead any more", MATCH_QUEUE_FRONT, "d10 +5 d14 d3", "o5 3"},
    {"last: everything stands ahead", MATCH_QUEUE_LAST, "d10 +5 d14", "14 o5"},
    {"last: less too", MATCH_QUEUE_LAST, "d10 +5 d14 d3", "3 o5"},
    {"a trade takes the front", MATCH_QUEUE_BACK, "d10 +5 t4", "6 o5"},
    {"and then ours", MATCH_QUEUE_BACK, "d10 +5 t12", "o3"},
    {"and then what is behind", MATCH_QUEUE_BACK, "d10 +5 d14 t17", "2"},
    {"a trade and the size that shows it", MATCH_QUEUE_BACK, "d10 +5 t4 d6", "6 o5"},
    {"two of ours", MATCH_QUEUE_BACK, "d10 +5 d14 +2 d15 d13", "10 o5 3 o2"},
    {"two of ours, trades_only", MATCH_QUEUE_BEHIND, "d10 +5 d14 +2 d15 d2", "10 o5 4 o2"},
    {"all gone", MATCH_QUEUE_BACK, "d10 +5 d14 t19", ""},
    {"nothing displayed", MATCH_QUEUE_BACK, "d0 +5 d3 d0", "o5"},
};

Test(match, house_liquidity_follows_what_is_displayed)
{
    for (size_t i = 0; i < sizeof stories / sizeof stories[0]; i++) {
        const struct story *story = &stories[i];
        struct tape tape = {0};
        struct match_config config = {
            .orders = 8, .house = 8, .instruments = 1, .window = 64, .far = 8};
        struct match *match = match_on(&tape, &config);
        char steps[64], found[64] = "";
        uint32_t next = 1;
        int64_t left;

        snprintf(steps, sizeof steps, "%s", story->steps);
        for (char *rest, *step = strtok_r(steps, " ", &rest); step;
             step = strtok_r(NULL, " ", &rest)) {
            int64_t n = strtol(step + 1, NULL, 10);
            struct match_order order = {.id = next, .owner = 1, .px = 100, .qty = n};
            if (*step == 'd')
                cr_assert(match_house_set(match, 0, WEIR_BUY, 100, n, story->queue), "%s",
                          story->name);
            else if (*step == 't')
                (void)match_trade(match, 0, WEIR_BUY, 100, n);
            else
                cr_assert_eq(match_add(match, &order, &left), MATCH_RESTS);
            next += *step == '+';
        }
        /* read the queue by trading it away, one unit at a time: ours reports, the house does not */
        int64_t run = 0, total = match_at(match, 0, WEIR_BUY, 100);
        uint32_t whose = 0;
        for (int64_t unit = 0; unit <= total; unit++) {
            tape.fill_count = 0;
            int64_t over = match_trade(match, 0, WEIR_BUY, 100, 1);
            uint32_t owner = over ? UINT32_MAX : tape.fill_count ? tape.fills[0].maker : 0;
            if (run > 0 && owner != whose) {
                size_t at = strlen(found);
                snprintf(found + at, sizeof found - at, "%s%s%ld", at ? " " : "", whose ? "o" : "",
                         run);
                run = 0;
            }
            whose = owner;
            run++;
        }
        cr_expect_str_eq(found, story->queue_after, "%s: queue \"%s\", expected \"%s\"",
                         story->name, found, story->queue_after);
        cr_expect_eq(match_at(match, 0, WEIR_BUY, 100), 0);
        free(match);
    }
}

Test(match, a_market_that_goes_through_fills_what_rests_better)
{
    struct tape tape = {0};
    struct match_config config = {
        .orders = 8, .house = 8, .instruments = 1, .window = 64, .far = 8};
    struct match *match = match_on(&tape, &config);
    int64_t left;
    for (uint32_t id = 1; id <= 4; id++) {
        struct match_order order = {.id = id, .px = 100 - 30 * (int64_t)id, .qty = 5};
        cr_assert(match_house_set(match, 0, WEIR_BUY, order.px, 7, MATCH_QUEUE_BACK));
        cr_assert_eq(match_add(match, &order, &left), MATCH_RESTS);
    }
    match_through(match, 0, WEIR_BUY, 10); /* 70 and 40 are better, 10 and -20 are not */
    cr_assert_eq(tape.fill_count, 2);
    cr_expect_eq(tape.fills[0].maker, 1);
    cr_expect_eq(tape.fills[0].px, 70);
    cr_expect_eq(tape.fills[0].qty, 5);
    cr_expect_eq(tape.fills[0].side, WEIR_SELL);
    cr_expect_eq(tape.fills[1].maker, 2);
    cr_expect_eq(match_at(match, 0, WEIR_BUY, 70), 0, "the house went with it");
    cr_expect_eq(match_at(match, 0, WEIR_BUY, 10), 12);
    cr_expect_not(match_has_orders(match, 0, WEIR_BUY, 70));
    cr_expect(match_has_orders(match, 0, WEIR_BUY, 10));
    cr_expect_eq(match_house(match, 0, WEIR_BUY, 10), 7);

    /* an order of ours takes from the house, which has no number and needs no report of its own */
    tape.fill_count = 0;
    struct match_order taker = {.id = 5, .px = 10, .qty = 20, .side = WEIR_SELL, .tif = WEIR_IOC};
    cr_expect_eq(match_add(match, &taker, &left), MATCH_KILLED);
    cr_expect_eq(left, 8);
    cr_assert_eq(tape.fill_count, 2);
    cr_expect_eq(tape.fills[0].maker, 0);
    cr_expect_eq(tape.fills[0].qty, 7);
    cr_expect_eq(tape.fills[1].maker, 3);

    /* house pieces are given back: there is always room again */
    for (int i = 0; i < 100; i++) {
        cr_assert(match_house_set(match, 0, WEIR_SELL, 200 + i, 3, MATCH_QUEUE_BACK), "round %d",
                  i);
        cr_assert(match_house_set(match, 0, WEIR_SELL, 200 + i, 0, MATCH_QUEUE_BACK));
    }
    for (int i = 0; i < 7; i++) /* one piece still stands at -20 */
        cr_assert(match_house_set(match, 0, WEIR_SELL, 200 + i, 3, MATCH_QUEUE_BACK));
    cr_expect_not(match_house_set(match, 0, WEIR_SELL, 300, 3, MATCH_QUEUE_BACK),
                  "eight is all there is");
    free(match);
}
