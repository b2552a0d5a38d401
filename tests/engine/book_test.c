/* book_test.c - the window book against the simplest book there is: a sorted array. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "engine/book.h"

static uint64_t seed;

static uint64_t any(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * 0x2545F4914F6CDD1Dull % below;
}

/* --- the model ---------------------------------------------------------------------------------*/

struct plain {
    struct weir_level *levels; /* from the best to the worst */
    uint32_t count, room;
    enum weir_side side;
};

static bool better(const struct plain *plain, weir_px a, weir_px b)
{
    return plain->side == WEIR_BUY ? a > b : a < b;
}

static uint32_t plain_place(const struct plain *plain, weir_px px)
{
    uint32_t low = 0, high = plain->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (better(plain, plain->levels[middle].px, px))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static enum weir_err plain_set(struct plain *plain, weir_px px, weir_qty qty)
{
    uint32_t at = plain_place(plain, px);
    bool held = at < plain->count && plain->levels[at].px == px;
    if (held && qty > 0) {
        plain->levels[at].qty = qty;
    } else if (held) {
        plain->count--;
        memmove(&plain->levels[at], &plain->levels[at + 1],
                (plain->count - at) * sizeof plain->levels[0]);
    } else if (qty > 0) {
        if (plain->count == plain->room)
            return WEIR_E_FULL;
        memmove(&plain->levels[at + 1], &plain->levels[at],
                (plain->count - at) * sizeof plain->levels[0]);
        plain->levels[at] = (struct weir_level){px, qty};
        plain->count++;
    }
    return WEIR_OK;
}

/* --- both, side by side ------------------------------------------------------------------------*/

struct pair {
    const char *name;
    uint64_t op;
    struct book *book;
    struct plain plain[2];
};

static struct pair pair_create(const char *name, uint32_t window, uint32_t far, weir_px tick)
{
    struct pair pair = {.name = name};
    size_t size = book_bytes(window, far);
    void *memory = aligned_alloc(64, size);
    cr_assert_not_null(memory);
    memset(memory, 0, size);
    pair.book = book_init(memory, window, far, tick);
    for (int side = 0; side < 2; side++) {
        pair.plain[side].side = side ? WEIR_SELL : WEIR_BUY;
        pair.plain[side].room = window + far;
        pair.plain[side].levels = calloc(window + far, sizeof(struct weir_level));
    }
    return pair;
}

static void pair_destroy(struct pair *pair)
{
    free(pair->book);
    free(pair->plain[0].levels);
    free(pair->plain[1].levels);
}

static void same_level(const struct pair *pair, const char *what, bool want,
                       struct weir_level model, bool have, struct weir_level level)
{
    cr_assert_eq(have, want, "%s, op %" PRIu64 ": %s is %sthere", pair->name, pair->op, what,
                 have ? "" : "not ");
    cr_assert(!want || (model.px == level.px && model.qty == level.qty),
              "%s, op %" PRIu64 ": %s is %" PRId64 " x %" PRId64 ", not %" PRId64 " x %" PRId64,
              pair->name, pair->op, what, level.px, level.qty, model.px, model.qty);
}

static void same_best(const struct pair *pair, enum weir_side side)
{
    const struct plain *plain = &pair->plain[side];
    struct weir_level level = {0}, model = plain->count ? plain->levels[0] : level;
    bool have = book_best(pair->book, side, &level);
    same_level(pair, "the best", plain->count > 0, model, have, level);
    cr_assert_eq(book_levels(pair->book, side), plain->count, "%s, op %" PRIu64 ": count",
                 pair->name, pair->op);
}

/* book_at and book_next of any price, held or not. */
static void same_around(const struct pair *pair, enum weir_side side, weir_px px)
{
    const struct plain *plain = &pair->plain[side];
    uint32_t at = plain_place(plain, px);
    bool held = at < plain->count && plain->levels[at].px == px;
    cr_assert_eq(book_at(pair->book, side, px), held ? plain->levels[at].qty : 0,
                 "%s, op %" PRIu64 ": at %" PRId64, pair->name, pair->op, px);
    at += held;
    struct weir_level level = {0}, model = at < plain->count ? plain->levels[at] : level;
    bool have = book_next(pair->book, side, px, &level);
    same_level(pair, "the next", at < plain->count, model, have, level);
}

static void same_all(const struct pair *pair)
{
    for (int side = 0; side < 2; side++) {
        const struct plain *plain = &pair->plain[side];
        struct weir_level level = {0};
        bool have = book_best(pair->book, side, &level);
        for (uint32_t i = 0; i < plain->count; i++) {
            same_level(pair, "a level", true, plain->levels[i], have, level);
            have = book_next(pair->book, side, level.px, &level);
        }
        cr_assert_not(have, "%s, op %" PRIu64 ": a level too many", pair->name, pair->op);
    }
    const struct plain *bid = &pair->plain[0], *ask = &pair->plain[1];
    bool both = bid->count && ask->count;
    cr_assert_eq(book_crossed(pair->book), both && bid->levels[0].px > ask->levels[0].px);
    cr_assert_eq(book_locked(pair->book), both && bid->levels[0].px == ask->levels[0].px);
}

static enum weir_err set_both(struct pair *pair, enum weir_side side, weir_px px, weir_qty qty)
{
    pair->op++;
    enum weir_err err = book_set(pair->book, side, px, qty);
    enum weir_err model = plain_set(&pair->plain[side], px, qty);
    cr_assert_eq(err, model, "%s, op %" PRIu64 ": error %d, not %d", pair->name, pair->op, err,
                 model);
    return err;
}

/* --- random markets ----------------------------------------------------------------------------*/

struct market {
    const char *name;
    uint32_t window, far;
    weir_px tick; /* told to the book */
    weir_px grid; /* of nearly all prices */
    weir_px mid;
    uint32_t spread; /* of prices around the mid, in units of the grid */
    uint32_t jump;   /* how far the mid may go in one step */
    uint32_t stray;  /* one price in so many is off the grid; 0: none */
    uint32_t remove; /* percent of updates that remove */
    uint32_t ops;
};

static weir_px any_price(const struct market *market, weir_px mid, enum weir_side side)
{
    uint64_t kind = any(100);
    int64_t away = (int64_t)any(kind < 80   ? market->spread / 8 + 1
                                : kind < 99 ? market->spread
                                            : market->spread * 64ull);
    away -= (int64_t)any(4); /* now and then through the other side */
    weir_px px = mid + (side == WEIR_BUY ? -away : away) * market->grid;
    if (market->stray && any(market->stray) == 0)
        px += (weir_px)any((uint64_t)market->grid) + 1;
    return px > 0 ? px : market->grid;
}

static void run(const struct market *market)
{
    struct pair pair = pair_create(market->name, market->window, market->far, market->tick);
    weir_px mid = market->mid;
    uint32_t refused = 0;
    for (uint32_t i = 0; i < market->ops; i++) {
        if (any(16) == 0)
            mid += ((int64_t)any(2 * market->jump + 1) - market->jump) * market->grid;
        if (any(50000) == 0)
            mid = market->mid / 2 +
                  (weir_px)any((uint64_t)market->mid / (uint64_t)market->grid) * market->grid;
        enum weir_side side = any(2) ? WEIR_SELL : WEIR_BUY;
        weir_px px = any_price(market, mid, side);
        const struct plain *plain = &pair.plain[side];
        if (any(4) == 0 && plain->count) /* one that is there, most often near the best */
            px = plain->levels[any(any(2) ? plain->count : plain->count / 16 + 1)].px;
        weir_qty qty = any(100) < market->remove ? 0 : (weir_qty)any(1000) + 1;
        refused += set_both(&pair, side, px, qty) != WEIR_OK;
        same_best(&pair, side);
        same_around(&pair, side, px);
        same_around(&pair, side, any_price(market, mid, side));
        if (any(40000) == 0) {
            same_all(&pair);
            if (any(4) == 0) {
                book_clear(pair.book);
                pair.plain[0].count = pair.plain[1].count = 0;
            }
        }
        if (any(60000) == 0)
            book_retick(pair.book,
                        (weir_px)any(4) * market->grid); /* also to none, and to wrong ones */
    }
    same_all(&pair);
    cr_assert(book_shape(pair.book).moves > 0, "%s: the window never moved", market->name);
    cr_assert_eq(refused > 0, market->far < 100, "%s: %u refused", market->name, refused);
    pair_destroy(&pair);
}

Test(book, answers_like_a_sorted_array)
{
    static const struct market markets[] = {
        {"tick known", 1024, 8192, 10, 10, 618000, 3000, 20, 0, 45, 300000},
        {"tick known, strays", 256, 8192, 10, 10, 618000, 1000, 20, 50, 45, 100000},
        {"tick not known", 1024, 8192, 0, 1000000, 6180000000000, 2000, 20, 0, 45, 200000},
        {"tick not known, strays", 256, 8192, 0, 250, 6180000, 1000, 20, 500, 45, 100000},
        {"tick not known, many strays", 256, 8192, 0, 60, 618000, 1000, 20, 5, 45, 100000},
        {"smallest window, wild", 64, 8192, 1, 1, 618000, 500, 400, 0, 45, 100000},
        {"small room", 64, 64, 5, 5, 618000, 100, 20, 20, 30, 100000},
        {"large and sparse", 65536, 8192, 1, 1, 6180000, 30000, 20, 0, 70, 100000},
        {"prices near zero", 256, 8192, 1, 1, 40, 30, 3, 0, 45, 50000},
        {"prices near the end", 256, 8192, 3, 3, INT64_MAX / 4 * 3 / 3 * 3, 300, 10, 100, 45,
         50000},
    };
    seed = 20240808;
    for (size_t i = 0; i < sizeof markets / sizeof markets[0]; i++)
        run(&markets[i]);
}

Test(book, edges)
{
    struct pair pair = pair_create("edges", 64, 0, 0);
    struct weir_level level;
    struct book *book = pair.book;

    cr_assert_not(book_best(book, WEIR_BUY, &level), "an empty book has no best");
    cr_assert_not(book_next(book, WEIR_SELL, 5, &level), "nor a next");
    cr_assert_eq(book_at(book, WEIR_BUY, 5), 0);
    cr_assert_eq(book_set(book, WEIR_BUY, 0, 1), WEIR_E_BAD_NUMBER, "a price of zero");
    cr_assert_eq(book_set(book, WEIR_BUY, -5, 1), WEIR_E_BAD_NUMBER, "a negative price");
    cr_assert_eq(book_set(book, WEIR_BUY, INT64_MIN, 1), WEIR_E_BAD_NUMBER,
                 "the most negative price");
    cr_assert_eq(book_set(book, WEIR_BUY, 5, -1), WEIR_E_BAD_NUMBER, "a negative quantity");
    cr_assert_eq(book_at(book, WEIR_BUY, -5), 0);
    cr_assert_not(book_next(book, WEIR_BUY, -5, &level));
    cr_assert_not(book_next(book, WEIR_SELL, 0, &level));
    cr_assert_eq(book_set(book, WEIR_BUY, 5, 0), WEIR_OK, "removing what is not there");
    cr_assert_eq(book_levels(book, WEIR_BUY), 0);

    static const weir_px corners[] = {1, 2, 63, 64, 65, INT64_MAX / 2, INT64_MAX - 1, INT64_MAX};
    enum { CORNERS = sizeof corners / sizeof corners[0] };
    for (int round = 0; round < 2; round++) {
        for (int side = 0; side < 2; side++)
            for (int i = 0; i < CORNERS; i++)
                set_both(&pair, side, corners[round ? CORNERS - 1 - i : i], corners[i]);
        same_all(&pair);
        for (int side = 0; side < 2; side++)
            for (int i = 0; i < CORNERS; i++)
                for (weir_px near = -1; near <= 1; near++)
                    if (near <= INT64_MAX - corners[i] && corners[i] + near > 0)
                        same_around(&pair, side, corners[i] + near);
        cr_assert(book_crossed(book));
        book_clear(book);
        pair.plain[0].count = pair.plain[1].count = 0;
        same_all(&pair);
    }
    set_both(&pair, WEIR_BUY, 10, 1);
    set_both(&pair, WEIR_SELL, 10, 1);
    cr_assert(book_locked(book) && !book_crossed(book));
    pair_destroy(&pair);
}

/* What the answers do not show: the window is where the trading is, and the tick is found. */
Test(book, the_window_follows_the_market)
{
    struct pair pair = pair_create("follows", 4096, 8192, 0);
    weir_px grid = 1000000;
    for (int i = 0; i < 400; i++) { /* a snapshot, from the best down as venues send it */
        set_both(&pair, WEIR_BUY, (6180000 - 7 * i % 600) * grid, 5);
        set_both(&pair, WEIR_SELL, (6180001 + 7 * i % 600) * grid, 5);
    }
    struct book_shape shape = book_shape(pair.book);
    cr_assert_eq(shape.unit, grid, "learned %" PRId64, shape.unit);
    cr_assert_eq(shape.far[0] + shape.far[1], 0, "%u and %u levels outside", shape.far[0],
                 shape.far[1]);

    set_both(&pair, WEIR_BUY, 6179999 * grid + 1, 5);
    cr_assert_eq(book_shape(pair.book).unit, grid, "one stray price leaves the grid alone");
    for (int i = 0; i < 100; i++)
        set_both(&pair, WEIR_BUY, (6179000 + i) * grid + grid / 2, 5);
    set_both(&pair, WEIR_BUY, 6179999 * grid + 1, 0);
    for (int i = 0; i < 100; i++)
        set_both(&pair, WEIR_BUY, (6179000 + i) * grid + grid / 2, 6);
    shape = book_shape(pair.book);
    cr_assert_eq(shape.unit, grid / 2, "many make it finer: %" PRId64, shape.unit);

    for (int step = 0; step < 5000; step++) { /* a trend of many windows */
        set_both(&pair, WEIR_SELL, (6180001 + step) * grid, 0);
        set_both(&pair, WEIR_SELL, (6180701 + step) * grid, 5);
        set_both(&pair, WEIR_BUY, (6180001 + step) * grid, 5);
    }
    same_all(&pair);
    struct book_shape after = book_shape(pair.book);
    cr_assert(after.near[1] > 300, "%u of %u asks in the window, unit %" PRId64, after.near[1],
              after.near[1] + after.far[1], after.unit);
    cr_assert(after.moves > shape.moves && after.moves < shape.moves + 400, "%" PRIu64 " moves",
              after.moves - shape.moves);
    pair_destroy(&pair);
}
