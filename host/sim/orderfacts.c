/* orderfacts.c - see the header.
 *
 * GHOSTS   are known only after they kept the book crossed, so "without ghosts" at an earlier moment
 *          may still hold one; whether a fill was the first in its queue is judged at the end, when
 *          all ghosts are known.
 * MAKERS   An order that traded as maker and never as taker is a maker; only its fills say something
 *          about queues, since a taker is shown for a moment where it does not stand. */
#include "sim/orderfacts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { CHECKPOINT_EVERY = 50000, ROWS_MAX = 1 << 20, TOP = 5 };

struct fill {
    uint64_t id;
    uint32_t ahead;
    uint64_t ahead_ids[QUEUES_AHEAD_KEPT];
};

struct checkpoint {
    uint64_t rows;
    weir_ns t;
    uint32_t orders;
    weir_px bid[2], ask[2]; /* without and with ghosts; 0: none */
};

struct list {
    void *rows;
    uint32_t count, room;
};

struct orderfacts {
    struct queues *queues;
    uint64_t rows, by_action[3], unknown[3], again, left_out;
    uint64_t snapshot, live, closing;
    uint64_t canceled, fills;
    weir_qty filled_units; /* of the market's size */
    bool overflow;
    weir_ns t; /* of the last row of the book */
    struct list fill_rows, checkpoints, makers, takers, ghosts;
};

struct orderfacts *orderfacts_create(void)
{
    struct orderfacts *facts = calloc(1, sizeof *facts);
    if (facts)
        facts->queues = queues_create();
    if (facts && facts->queues)
        return facts;
    free(facts);
    return NULL;
}

void orderfacts_destroy(struct orderfacts *facts)
{
    if (!facts)
        return;
    queues_destroy(facts->queues);
    free(facts->fill_rows.rows);
    free(facts->checkpoints.rows);
    free(facts->makers.rows);
    free(facts->takers.rows);
    free(facts->ghosts.rows);
    free(facts);
}

/* The next row of a list, zeroed. NULL: no memory, or the limit, and then *left_out counts it. */
static void *next_row(struct list *list, size_t size, uint64_t *left_out)
{
    if (list->count == list->room) {
        uint32_t room = list->room > 0 ? list->room * 2 : 64;
        void *rows = room <= ROWS_MAX ? realloc(list->rows, room * size) : NULL;
        if (!rows) {
            ++*left_out;
            return NULL;
        }
        list->rows = rows;
        list->room = room;
    }
    void *row = (char *)list->rows + list->count++ * size;
    memset(row, 0, size);
    return row;
}

static void add_id(struct orderfacts *facts, struct list *list, uint64_t id)
{
    uint64_t *row = next_row(list, sizeof *row, &facts->left_out);
    if (row)
        *row = id;
}

static void add_checkpoint(struct orderfacts *facts)
{
    struct checkpoint *row = next_row(&facts->checkpoints, sizeof *row, &facts->left_out);
    if (!row)
        return;
    row->rows = facts->rows;
    row->t = facts->t;
    row->orders = queues_count(facts->queues);
    for (int ghosts = 0; ghosts < 2; ghosts++) {
        struct weir_level bid = {0, 0}, ask = {0, 0};
        (void)book_best(queues_book(facts->queues, ghosts), WEIR_BUY, &bid);
        (void)book_best(queues_book(facts->queues, ghosts), WEIR_SELL, &ask);
        row->bid[ghosts] = bid.px;
        row->ask[ghosts] = ask.px;
    }
}

static void add_fill(struct orderfacts *facts, uint64_t id, const struct queues_change *change)
{
    facts->fills++;
    if (__builtin_add_overflow(facts->filled_units, change->filled, &facts->filled_units))
        facts->overflow = true;
    struct fill *row = next_row(&facts->fill_rows, sizeof *row, &facts->left_out);
    if (!row)
        return;
    row->id = id;
    row->ahead = change->ahead;
    memcpy(row->ahead_ids, change->ahead_ids, sizeof row->ahead_ids);
}

/* Sections follow each other: where one ends is worth a row. */
static void count_section(struct orderfacts *facts, const struct weir_l3 *order)
{
    bool snapshot = order->msg.flags & WEIR_L3_SNAPSHOT,
         closing = order->msg.flags & WEIR_L3_CLOSING;
    bool ends = (facts->snapshot > 0 && facts->live == 0 && facts->closing == 0 && !snapshot) ||
                (facts->closing == 0 && closing);
    if (ends && facts->rows > 0)
        add_checkpoint(facts);
    facts->snapshot += snapshot;
    facts->closing += closing;
    facts->live += !snapshot && !closing;
}

bool orderfacts_take(struct orderfacts *facts, const struct weir_l3 *order, weir_ns t)
{
    struct queues_change change;
    if (order->action == WEIR_L3_MATCH) {
        add_id(facts, &facts->makers, order->id);
        add_id(facts, &facts->takers, order->other);
        return true;
    }
    count_section(facts, order);
    facts->rows++;
    facts->by_action[order->action]++;
    if (facts->closing > 0) /* what the recorder closes still rests at the venue */
        return true;
    facts->t = t;
    (void)queues_tick(facts->queues, t);
    enum weir_err err = queues_take(facts->queues, order, t, &change);
    if (err != WEIR_OK)
        facts->left_out++;
    facts->unknown[order->action] += change.did == QUEUES_UNKNOWN;
    facts->again += change.did == QUEUES_AGAIN;
    facts->canceled += change.did == QUEUES_CANCELED;
    if (change.did == QUEUES_FILLED)
        add_fill(facts, order->id, &change);
    if (facts->rows % CHECKPOINT_EVERY == 0)
        add_checkpoint(facts);
    return err != WEIR_E_NO_MEMORY;
}

/* --- sets of ids ------------------------------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Sorted, each once. */
static void make_set(struct list *list)
{
    uint64_t *ids = list->rows;
    uint32_t kept = 0;
    if (list->count > 0)
        qsort(ids, list->count, sizeof *ids, by_id);
    for (uint32_t i = 0; i < list->count; i++)
        if (kept == 0 || ids[kept - 1] != ids[i])
            ids[kept++] = ids[i];
    list->count = kept;
}

static bool is_in(const struct list *set, uint64_t id)
{
    return set->count > 0 && bsearch(&id, set->rows, set->count, sizeof id, by_id);
}

/* --- printing ---------------------------------------------------------------------------------- */

static void put(struct text *t, const char *key, uint64_t value)
{
    json_key(t, key);
    json_uint(t, value);
}

static void put_px(struct text *t, const char *key, weir_px px, int exp)
{
    json_key(t, key);
    if (px > 0)
        json_decimal(t, px, exp);
    else
        json_null(t);
}

static void put_actions(struct text *t, const char *key, const uint64_t counts[3], bool all)
{
    static const char *const names[] = {"created", "changed", "deleted"};
    json_key(t, key);
    json_object(t);
    for (int i = 0; i < 3; i++)
        if (all || counts[i] > 0)
            put(t, names[i], counts[i]);
    json_end(t);
}

static void put_checkpoints(const struct orderfacts *facts, int px_exp, struct text *t)
{
    const struct checkpoint *rows = facts->checkpoints.rows;
    json_key(t, "checkpoints");
    json_array(t);
    for (uint32_t i = 0; i < facts->checkpoints.count; i++) {
        json_object(t);
        put(t, "after_rows", rows[i].rows);
        put(t, "timestamp", (uint64_t)(rows[i].t / 1000000));
        put(t, "live_orders", rows[i].orders);
        put_px(t, "best_bid_raw", rows[i].bid[1], px_exp);
        put_px(t, "best_ask_raw", rows[i].ask[1], px_exp);
        put_px(t, "best_bid_without_ghosts", rows[i].bid[0], px_exp);
        put_px(t, "best_ask_without_ghosts", rows[i].ask[0], px_exp);
        json_end(t);
    }
    json_end(t);
}

/* Each fill of a maker: was the order the first in its queue, ghosts apart? */
static void put_fifo(struct orderfacts *facts, struct text *t)
{
    const struct fill *rows = facts->fill_rows.rows;
    uint64_t first = 0, not_first = 0;
    for (uint32_t i = 0; i < facts->fill_rows.count; i++) {
        uint32_t ghosts = 0;
        if (!is_in(&facts->makers, rows[i].id) || is_in(&facts->takers, rows[i].id))
            continue;
        for (uint32_t j = 0; j < rows[i].ahead && j < QUEUES_AHEAD_KEPT; j++)
            ghosts += queues_is_ghost(facts->queues, rows[i].ahead_ids[j]);
        first += rows[i].ahead == ghosts;
        not_first += rows[i].ahead != ghosts;
    }
    json_key(t, "maker_fills_price_time_check_by_id");
    json_object(t);
    put(t, "first", first);
    if (not_first > 0)
        put(t, "not_first", not_first);
    json_end(t);
}

typedef void each_order(void *context, enum weir_side side, weir_px px,
                        const struct queues_order *order);

static void walk_price(const struct orderfacts *facts, enum weir_side side, weir_px px,
                       each_order *each, void *context)
{
    struct queues_order order = {0};
    while (queues_next(facts->queues, side, px, &order))
        each(context, side, px, &order);
}

static void walk_side(const struct orderfacts *facts, enum weir_side side, each_order *each,
                      void *context)
{
    const struct book *book = queues_book(facts->queues, true);
    struct weir_level level;
    for (bool more = book_best(book, side, &level); more;
         more = book_next(book, side, level.px, &level))
        walk_price(facts, side, level.px, each, context);
    walk_price(facts, side, 0, each, context);
}

struct printer {
    struct sha256 *sha;
    struct orderfacts *facts;
    int px_exp, qty_exp;
};

static void hash_order(void *context, enum weir_side side, weir_px px,
                       const struct queues_order *order)
{
    const struct printer *printer = context;
    char px_text[DECIMAL_TEXT_MAX], qty_text[DECIMAL_TEXT_MAX], line[3 * DECIMAL_TEXT_MAX];
    (void)decimal_print(px, printer->px_exp, px_text);
    (void)decimal_print(order->qty, printer->qty_exp, qty_text);
    int len = snprintf(line, sizeof line, "%c %s %s %" PRIu64 "\n", side == WEIR_BUY ? 'b' : 'a',
                       px_text, qty_text, order->id);
    sha256_add(printer->sha, line, (size_t)len);
}

static void note_ghost(void *context, enum weir_side side, weir_px px,
                       const struct queues_order *order)
{
    const struct printer *printer = context;
    (void)side, (void)px;
    if (order->ghost)
        add_id(printer->facts, &printer->facts->ghosts, order->id);
}

static void put_side(const struct orderfacts *facts, enum weir_side side,
                     const struct printer *printer, struct text *t)
{
    const struct book *book = queues_book(facts->queues, false);
    struct weir_level level;
    bool more = book_best(book, side, &level);
    json_key(t, side == WEIR_BUY ? "bids" : "asks");
    json_array(t);
    for (int i = 0; more && i < TOP; i++) {
        json_array(t);
        json_decimal(t, level.px, printer->px_exp);
        json_decimal(t, level.qty, printer->qty_exp);
        json_uint(t, queues_at(facts->queues, side, level.px));
        json_end(t);
        more = book_next(book, side, level.px, &level);
    }
    json_end(t);
}

static void put_ghosts(struct orderfacts *facts, struct printer *printer, struct text *t)
{
    facts->ghosts.count = 0;
    walk_side(facts, WEIR_BUY, note_ghost, printer);
    walk_side(facts, WEIR_SELL, note_ghost, printer);
    make_set(&facts->ghosts);
    json_key(t, "ghost_ids");
    json_array(t);
    for (uint32_t i = 0; i < facts->ghosts.count; i++)
        json_decimal(t, (int64_t)((const uint64_t *)facts->ghosts.rows)[i], 0);
    json_end(t);
}

static void put_final(struct orderfacts *facts, struct printer *printer, struct text *t)
{
    unsigned char hash[32];
    char hex[65] = "";
    json_key(t, "final_before_synthetic_deletes");
    json_object(t);
    put(t, "live_orders", queues_count(facts->queues));
    put_ghosts(facts, printer, t);
    json_key(t, "top5_without_ghosts_price_size_orders");
    json_object(t);
    put_side(facts, WEIR_BUY, printer, t);
    put_side(facts, WEIR_SELL, printer, t);
    json_end(t);
    printer->sha = sha256_create();
    if (printer->sha) {
        walk_side(facts, WEIR_BUY, hash_order, printer);
        walk_side(facts, WEIR_SELL, hash_order, printer);
        sha256_value(printer->sha, hash);
        hex_print(hash, sizeof hash, hex);
    }
    sha256_destroy(printer->sha);
    json_key(t, "sha256_of_all_live_orders");
    json_string(t, hex);
    json_end(t);
}

void orderfacts_json(struct orderfacts *facts, int px_exp, int qty_exp, struct text *t)
{
    struct printer printer = {.facts = facts, .px_exp = px_exp, .qty_exp = qty_exp};
    make_set(&facts->makers);
    make_set(&facts->takers);
    (void)queues_tick(facts->queues, facts->t);
    put(t, "rows", facts->rows);
    put_actions(t, "rows_by_action", facts->by_action, true);
    json_key(t, "sections");
    json_object(t);
    put(t, "synthetic_created_from_REST_snapshot", facts->snapshot);
    put(t, "live", facts->live);
    put(t, "synthetic_deleted_at_end", facts->closing);
    json_end(t);
    put_actions(t, "unknown_id_events", facts->unknown, false);
    put(t, "cancels_delete_with_full_remaining_size", facts->canceled);
    put(t, "fill_events_in_order_stream", facts->fills);
    json_key(t, "filled_volume_in_order_stream_both_sides");
    if (facts->overflow)
        json_null(t);
    else
        json_decimal(t, facts->filled_units, qty_exp);
    put_fifo(facts, t);
    put_checkpoints(facts, px_exp, t);
    put_final(facts, &printer, t);
    if (facts->again > 0)
        put(t, "created_again", facts->again);
    if (facts->left_out > 0)
        put(t, "rows_left_out", facts->left_out);
}

void orderfacts_json_traders(struct orderfacts *facts, struct text *t)
{
    make_set(&facts->makers);
    make_set(&facts->takers);
    put(t, "distinct_maker_orders", facts->makers.count);
    put(t, "distinct_taker_orders", facts->takers.count);
}
