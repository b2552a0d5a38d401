/* l3_queue_test.c - the queue models against a real order-by-order recording: who was filled, and when.
 *
 * FIFO     Every order of the recording stands in a match, each side in a market of its own, since for a
 *          moment takers and lost orders cross what rests. Each recorded fill of a resting order is given
 *          to it as a trade of that size at that price: it must name the same order, by itself.
 * MODELS   For each real order that was filled while it rested, and as many that were canceled, a virtual
 *          one of its size is placed when it came, behind what was displayed, and sees only what a
 *          feed of price levels and trades shows. Reported: how many of the filled were predicted to
 *          fill by then, how much later or earlier, and how many of the canceled would have been
 *          filled before they left (false fills). The recording is not in the tree. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "sim/lines.h"
#include "sim/match.h"

enum { ORDERS = 1 << 18, SLOTS = 1 << 20, TRADES = 1 << 12, VIRTUALS = 4096, NO = UINT32_MAX };

struct l3_row {
    int64_t id, t, px, qty;
    char action; /* c, h, d */
    uint8_t side;
};

struct l3_order {
    int64_t id, px, qty, first_qty, born, ended;
    uint8_t side, live, resting, synthetic;
    int64_t maker_filled;
    uint32_t shadow; /* virtual order; NO: none */
};

/* Open addressing from a positive key to a number. */
struct table {
    int64_t *keys;
    int64_t *values;
};

static int64_t *at(struct table *table, int64_t key)
{
    uint64_t i = (uint64_t)key * 0x9E3779B97F4A7C15u >> 44;
    if (!table->keys) {
        table->keys = calloc(SLOTS, sizeof *table->keys);
        table->values = calloc(SLOTS, sizeof *table->values);
    }
    for (; table->keys[i & (SLOTS - 1)] && table->keys[i & (SLOTS - 1)] != key; i++)
        ;
    table->keys[i & (SLOTS - 1)] = key;
    return &table->values[i & (SLOTS - 1)];
}

static struct table ids, shown, makers, fills;
static struct l3_order *orders;
static uint32_t order_count;
static struct match *fifo;
static uint32_t named; /* by the match, for the fill at hand */
static int64_t named_qty;

/* --- reading -----------------------------------------------------------------------------------*/

static const char *folder(const char *file)
{
    static char path[1024];
    const char *shared = getenv("WEIR_SHARED");
    (void)snprintf(path, sizeof path, "%s/data/bitstamp-l3-20260502/%s",
                   shared ? shared : SOURCE_DIR "/../shared", file);
    return path;
}

static size_t split(struct weir_bytes line, struct weir_bytes *fields, size_t most)
{
    size_t n = 0;
    for (const char *from = line.data, *end = line.data + line.len; n < most && from <= end; n++) {
        const char *comma = memchr(from, ',', (size_t)(end - from));
        const char *to = comma ? comma : end;
        fields[n] = (struct weir_bytes){from, (size_t)(to - from)};
        from = to + 1;
    }
    return n;
}

static int exponent_of(struct weir_bytes digits)
{
    bool minus = digits.len > 0 && digits.data[0] == '-';
    int64_t value = 0;
    cr_assert_eq(decimal_parse(digits.data + minus, digits.len - minus, 0, &value), WEIR_OK);
    return minus ? -(int)value : (int)value;
}

static int64_t number(struct weir_bytes field, int exp)
{
    const char *e = memchr(field.data, 'e', field.len); /* small sizes are written 7.18e-06 */
    size_t len = e ? (size_t)(e - field.data) : field.len;
    int64_t value = 0;
    if (e)
        exp += exponent_of((struct weir_bytes){e + 1, field.len - len - 1});
    cr_assert_eq(decimal_parse(field.data, len, exp, &value), WEIR_OK, "%.*s", (int)field.len,
                 field.data);
    return value;
}

/* A trade by the order that rested, and its size. */
static int64_t fill_key(int64_t maker, int64_t qty)
{
    return (int64_t)(((uint64_t)maker * 1000003 ^ (uint64_t)qty) >> 1 | 1);
}

/* Is there such a trade that was not seen yet? An order may take first, and then rest. */
static bool is_fill(int64_t maker, int64_t qty)
{
    int64_t *left = at(&fills, fill_key(maker, qty));
    if (*left == 0)
        return false;
    --*left;
    return true;
}

static void read_trades(void)
{
    struct lines lines;
    struct why why;
    struct weir_bytes line, field[8];
    bool more = true;
    cr_assert_eq(lines_open(&lines, folder("trades.csv"), &why), WEIR_OK, "%s", why.text);
    while (lines_next(&lines, &line, &more, &why) == WEIR_OK && more) {
        if (lines.number == 1 || split(line, field, 8) != 8)
            continue;
        int64_t buyer = number(field[5], 0), seller = number(field[6], 0);
        bool bought = field[7].data[0] == 'b';
        *at(&makers, bought ? seller : buyer) = 1;
        ++*at(&fills, fill_key(bought ? seller : buyer, number(field[4], 8)));
    }
    lines_close(&lines);
}

static bool next_row(struct lines *lines, struct l3_row *row)
{
    struct why why;
    struct weir_bytes line, field[7];
    bool more = true;
    do {
        cr_assert_eq(lines_next(lines, &line, &more, &why), WEIR_OK, "%s", why.text);
        if (!more)
            return false;
    } while (lines->number == 1);
    cr_assert_eq(split(line, field, 7), 7);
    *row = (struct l3_row){.id = number(field[0], 0),
                           .t = number(field[1], 0),
                           .px = number(field[3], 2),
                           .qty = number(field[4], 8),
                           .action =
                               field[5].data[0] == 'c' ? field[5].data[1] == 'r' ? 'c' : 'h' : 'd',
                           .side = field[6].data[0] == 'b' ? WEIR_BUY : WEIR_SELL};
    return true;
}

/* --- the models --------------------------------------------------------------------------------*/

static const struct {
    const char *name;
    enum match_queue queue;
} models[] = {{"trades_only", MATCH_QUEUE_BEHIND}, {"capped_by_displayed_size", MATCH_QUEUE_BACK},
              {"front", MATCH_QUEUE_FRONT},        {"back", MATCH_QUEUE_LAST},
              {"shared", MATCH_QUEUE_SHARED_1},    {"shared_2", MATCH_QUEUE_SHARED_2},
              {"shared_3", MATCH_QUEUE_SHARED_3}};
enum { MODELS = sizeof models / sizeof models[0] };

struct shadow {
    uint32_t order;
    int64_t filled_at[MODELS]; /* predicted; 0: not yet */
};
static struct shadow shadows[VIRTUALS];
static uint32_t shadow_count;
static struct match *worlds[MODELS];
static int model_now;
static int64_t time_now;

static void world_fill(void *context, const struct match_fill *fill)
{
    (void)context;
    if (fill->maker && fill->maker_left == 0 && !shadows[fill->instrument].filled_at[model_now])
        shadows[fill->instrument].filled_at[model_now] = time_now;
}

static void nothing_removed(void *context, uint32_t id, const struct match_view *was)
{
    (void)context, (void)id, (void)was;
}

static void fifo_fill(void *context, const struct match_fill *fill)
{
    (void)context;
    if (named == NO)
        named = fill->maker;
    named_qty += fill->maker == named ? fill->qty : 0;
}

static void *kept[MODELS + 1];
static int kept_count;

static struct match *make_match(uint32_t order_max, uint32_t instruments, uint32_t window,
                                void (*fill)(void *, const struct match_fill *))
{
    struct match_config config = {order_max, order_max + 8, instruments, window,
                                  instruments > 2 ? 4 : 1 << 15};
    struct match_sink sink = {NULL, fill, nothing_removed};
    size_t bytes = (match_bytes(&config) + 63) & ~(size_t)63;
    cr_assert_gt(bytes, 0);
    void *memory = aligned_alloc(64, bytes);
    memset(memory, 0, bytes);
    kept[kept_count++] = memory;
    return match_init(memory, &config, &sink);
}

static int64_t *level(uint8_t side, int64_t px)
{
    return at(&shown, (px << 1 | side) + 1);
}

static void begin_shadow(uint32_t slot, int64_t ahead)
{
    struct l3_order *order = &orders[slot];
    if (shadow_count == VIRTUALS)
        return;
    order->shadow = shadow_count;
    shadows[shadow_count].order = slot;
    for (int m = 0; m < MODELS; m++) {
        struct match_order mine = {.id = shadow_count + 1,
                                   .px = order->px,
                                   .qty = order->qty,
                                   .instrument = (uint16_t)shadow_count,
                                   .side = order->side};
        int64_t left;
        cr_assert(match_house_set(worlds[m], shadow_count, order->side, order->px, ahead,
                                  models[m].queue));
        cr_assert_eq(match_add(worlds[m], &mine, &left), MATCH_RESTS);
    }
    shadow_count++;
}

/* What a feed of levels and trades tells of this price, to all who stand there. A real order's own size is
 * no part of what is displayed to its shadow. */
static void tell(uint8_t side, int64_t px, int64_t traded)
{
    for (uint32_t s = 0; s < shadow_count; s++) {
        const struct l3_order *real = &orders[shadows[s].order];
        if (real->side != side || real->px != px || (real->ended && real->ended < time_now))
            continue;
        int64_t others = *level(side, px) - (real->resting ? real->qty : 0);
        for (model_now = 0; model_now < MODELS; model_now++) {
            if (traded > 0)
                (void)match_trade(worlds[model_now], s, side, px, traded);
            else if (match_has_orders(worlds[model_now], s, side, px))
                cr_assert(match_house_set(worlds[model_now], s, side, px, others > 0 ? others : 0,
                                          models[model_now].queue));
        }
    }
}

/* --- the recording -----------------------------------------------------------------------------*/

static uint64_t maker_fills, maker_right, evicted, shown_ghosts;

static void put_rest(uint32_t slot)
{
    struct l3_order *order = &orders[slot];
    struct match_order mine = {.id = slot,
                               .px = order->px,
                               .qty = order->qty,
                               .instrument = order->side,
                               .side = order->side};
    int64_t left;
    order->resting = match_add(fifo, &mine, &left) == MATCH_RESTS;
    *level(order->side, order->px) += order->resting ? order->qty : 0;
}

static void take_rest(uint32_t slot)
{
    struct l3_order *order = &orders[slot];
    if (!order->resting)
        return;
    (void)match_cancel(fifo, slot);
    *level(order->side, order->px) -= order->qty;
    order->resting = 0;
}

static int64_t trade(const struct l3_order *order, int64_t qty)
{
    named = NO;
    named_qty = 0;
    return match_trade(fifo, order->side, order->side, order->px, qty);
}

/* A resting order lost size to a trade: who does the match say it was? */
static void maker_fill(uint32_t slot, int64_t qty, bool whole)
{
    struct l3_order *order = &orders[slot];
    int64_t left = trade(order, qty);
    if (named != slot && named != NO && orders[named].synthetic) {
        take_rest(named); /* passed over: it went before the recording began to tell */
        shown_ghosts++;
        left = trade(order, qty);
    }
    maker_fills++;
    maker_right += named == slot && named_qty == qty && left == 0;
    order->maker_filled += qty;
    tell(order->side, order->px, qty);
    *level(order->side, order->px) -= qty;
    order->qty -= qty;
    if (whole) {
        order->resting = 0;
        order->ended = time_now;
    }
    tell(order->side, order->px, 0);
}

static void created(const struct l3_row *row, bool synthetic)
{
    uint32_t slot = ++order_count;
    cr_assert_lt(slot, ORDERS);
    orders[slot] = (struct l3_order){row->id,   row->px, row->qty, row->qty,  row->t, 0,
                                     row->side, 1,       0,        synthetic, 0,      NO};
    *at(&ids, row->id) = slot;
    int64_t ahead = *level(row->side, row->px);
    put_rest(slot);
    if (!orders[slot].resting)
        return;
    bool filled_later = *at(&makers, row->id) != 0;
    if (!synthetic && (filled_later || slot % 97 == 0))
        begin_shadow(slot, ahead);
    tell(row->side, row->px, 0);
}

/* Where the sides cross for longer than any taker is on its way, an order of the snapshot stands there whose
 * end was never told: it goes. */
static void evict_ghosts(void)
{
    static int64_t since;
    int64_t bid, ask, qty;
    bool crossed = match_best(fifo, WEIR_BUY, WEIR_BUY, &bid, &qty) &&
                   match_best(fifo, WEIR_SELL, WEIR_SELL, &ask, &qty) && bid >= ask;
    since = !crossed ? 0 : since ? since : time_now;
    if (!crossed || time_now - since < 1000)
        return;
    for (uint32_t slot = 1; slot <= order_count && orders[slot].synthetic; slot++) {
        const struct l3_order *order = &orders[slot];
        if (!order->resting || order->px != (order->side == WEIR_BUY ? bid : ask))
            continue;
        take_rest(slot);
        evicted++;
    }
    since = 0;
}

static void changed(uint32_t slot, const struct l3_row *row)
{
    struct l3_order *order = &orders[slot];
    if (order->resting && row->px == order->px && row->qty < order->qty &&
        is_fill(row->id, order->qty - row->qty)) {
        maker_fill(slot, order->qty - row->qty, false);
        return;
    }
    uint8_t side = order->side;
    int64_t px = order->px;
    take_rest(slot);
    tell(side, px, 0);
    order->px = row->px;
    order->qty = row->qty;
    put_rest(slot);
    tell(side, order->px, 0);
}

static void deleted(uint32_t slot, const struct l3_row *row)
{
    struct l3_order *order = &orders[slot];
    if (order->resting && row->qty == 0 && is_fill(row->id, order->qty)) {
        maker_fill(slot, order->qty, true);
        return;
    }
    take_rest(slot);
    order->ended = row->t;
    tell(order->side, order->px, 0);
}

static void play(void)
{
    struct lines lines;
    struct why why;
    struct l3_row row;
    uint64_t n = 0;
    int64_t close = 1777691180507; /* of the rows that the recorder made up at its end */
    cr_assert_eq(lines_open(&lines, folder("orders.csv.gz"), &why), WEIR_OK, "%s", why.text);
    while (next_row(&lines, &row)) {
        n++;
        if (row.action == 'd' && row.t == close)
            continue;
        time_now = row.t;
        uint32_t slot = (uint32_t)*at(&ids, row.id);
        evict_ghosts();
        if (row.action == 'c')
            created(&row, n <= 6512);
        else if (slot && row.action == 'h')
            changed(slot, &row);
        else if (slot)
            deleted(slot, &row);
    }
    lines_close(&lines);
}

/* --- what came of it ---------------------------------------------------------------------------*/

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Returns the share of right predictions in percent. */
static uint32_t report(int m)
{
    uint32_t filled = 0, hit = 0, canceled = 0, wrong = 0, late_count = 0;
    static int64_t off[VIRTUALS];
    for (uint32_t s = 0; s < shadow_count; s++) {
        const struct l3_order *real = &orders[shadows[s].order];
        int64_t predicted = shadows[s].filled_at[m];
        bool really = real->maker_filled >= real->first_qty && real->ended;
        if (really) {
            filled++;
            hit += predicted != 0;
            if (predicted)
                off[late_count++] = llabs(predicted - real->ended);
        } else if (real->ended && real->maker_filled == 0) {
            canceled++;
            wrong += predicted != 0;
        }
    }
    qsort(off, late_count, sizeof off[0], by_size);
    uint32_t right = filled + canceled ? (hit + canceled - wrong) * 100 / (filled + canceled) : 0;
    fprintf(stderr,
            "l3 queue: %-25s of %u filled %u were predicted, median error %" PRId64
            " ms; of %u canceled %u false fills; %u %% right\n",
            models[m].name, filled, hit, late_count ? off[late_count / 2] : -1, canceled, wrong,
            right);
    return right;
}

Test(l3_queue, real_orders_are_filled_when_the_models_say)
{
    FILE *there = fopen(folder("orders.csv.gz"), "rb");
    if (!there)
        cr_skip_test("needs the shared folder");
    fclose(there);
    orders = calloc(ORDERS, sizeof *orders);
    fifo = make_match(ORDERS, 2, 1 << 16, fifo_fill);
    for (int m = 0; m < MODELS; m++)
        worlds[m] = make_match(VIRTUALS, VIRTUALS, 64, world_fill);
    read_trades();
    play();
    fprintf(stderr,
            "l3 queue: first in, first out named %" PRIu64 " of %" PRIu64
            " fills of resting orders; ghosts: %" PRIu64 " by a cross, %" PRIu64
            " by a fill that passed them over\n",
            maker_right, maker_fills, evicted, shown_ghosts);
    cr_expect_leq(shown_ghosts, 2);
    cr_expect(maker_fills > 250, "%" PRIu64 " fills", maker_fills);
    cr_expect_eq(maker_right, maker_fills);
    for (int m = 0; m < MODELS; m++)
        cr_expect_geq(report(m), 90, "%s", models[m].name);
    while (kept_count > 0)
        free(kept[--kept_count]);
    struct table *tables[] = {&ids, &shown, &makers, &fills};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        free(tables[i]->keys);
        free(tables[i]->values);
    }
    free(orders);
}
