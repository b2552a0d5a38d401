/* marketstats.c - see the header. */
#include "sim/marketstats.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "sim/marketfacts.h"

enum { FIRST_SLOTS = 256 };

/* --- markets by name --------------------------------------------------------------------------- */

struct marketstats *marketstats_create(void)
{
    struct marketstats *stats = calloc(1, sizeof *stats);
    if (!stats)
        return NULL;
    stats->mask = FIRST_SLOTS - 1;
    stats->slots = calloc(FIRST_SLOTS, sizeof(struct market *));
    if (stats->slots)
        return stats;
    free(stats);
    return NULL;
}

void marketstats_destroy(struct marketstats *stats)
{
    if (!stats)
        return;
    for (struct market *market = stats->first, *next; market; market = next) {
        next = market->next;
        free(market->tops.quotes);
        free(market->updates.quotes);
        free(market->checkpoints);
        free(market->bars);
        orderfacts_destroy(market->orders);
        free(market->ids);
        free(market);
    }
    free(stats->slots);
    free(stats);
}

static uint32_t hash_of(const char *market, const char *symbol)
{
    uint32_t hash = 2166136261u;
    for (const char *at = market; *at; at++)
        hash = (hash ^ (unsigned char)*at) * 16777619u;
    hash = (hash ^ '/') * 16777619u;
    for (const char *at = symbol; *at; at++)
        hash = (hash ^ (unsigned char)*at) * 16777619u;
    return hash ^ hash >> 15;
}

static void put_slot(struct marketstats *stats, struct market *market)
{
    uint32_t at = hash_of(market->name, market->symbol);
    while (stats->slots[at & stats->mask])
        at++;
    stats->slots[at & stats->mask] = market;
}

static bool make_slots(struct marketstats *stats)
{
    if (stats->count < stats->mask / 2)
        return true;
    struct market **slots = calloc(2u * (stats->mask + 1u), sizeof(struct market *));
    if (!slots)
        return false;
    free(stats->slots);
    stats->slots = slots;
    stats->mask = 2 * stats->mask + 1;
    for (struct market *market = stats->first; market; market = market->next)
        put_slot(stats, market);
    return true;
}

static void copy_text(char *to, size_t room, const char *from)
{
    size_t len = strnlen(from, room - 1);
    memset(to, 0, room);
    memcpy(to, from, len);
}

static struct market *add_market(struct marketstats *stats, enum naming naming, const char *name,
                                 const char *symbol)
{
    struct market *market = make_slots(stats) ? calloc(1, sizeof *market) : NULL;
    if (!market)
        return NULL;
    market->naming = naming;
    copy_text(market->name, sizeof market->name, name);
    copy_text(market->symbol, sizeof market->symbol, symbol);
    market->ids = calloc(IDS_KEPT, sizeof *market->ids);
    market->tops.quotes = calloc(PENDING_MAX, sizeof *market->tops.quotes);
    market->updates.quotes = calloc(PENDING_MAX, sizeof *market->updates.quotes);
    if (!market->ids || !market->tops.quotes || !market->updates.quotes) {
        free(market->ids);
        free(market->tops.quotes);
        free(market->updates.quotes);
        free(market);
        return NULL;
    }
    *(stats->last ? &stats->last->next : &stats->first) = market;
    stats->last = market;
    stats->count++;
    put_slot(stats, market);
    return market;
}

struct market *marketstats_of(struct marketstats *stats, enum naming naming, const char *name,
                              const char *symbol)
{
    for (uint32_t at = hash_of(name, symbol);; at++) {
        struct market *market = stats->slots[at & stats->mask];
        if (!market)
            return add_market(stats, naming, name, symbol);
        if (strcmp(market->name, name) == 0 && strcmp(market->symbol, symbol) == 0)
            return market;
    }
}

const char *market_symbol(const struct market *market)
{
    return market->symbol;
}

void market_places(struct market *market, int px_exp, int qty_exp)
{
    market->px_exp = px_exp;
    market->qty_exp = qty_exp;
}

void market_seq_names(struct market *market, const char *last, const char *first)
{
    market->seq_names[0] = last;
    market->seq_names[1] = first;
}

/* --- messages ---------------------------------------------------------------------------------- */

/* Room for one more row; false: no memory, or the limit, and then the row is left out and counted. */
static bool make_row(struct market *market, void **rows, uint32_t count, uint32_t *room,
                     size_t size)
{
    if (count < *room)
        return true;
    uint32_t more = *room > 0 ? *room * 2 : 64;
    void *grown = more <= ROWS_MAX ? realloc(*rows, more * size) : NULL;
    if (!grown) {
        market->rows_left_out++;
        return false;
    }
    *rows = grown;
    *room = more;
    return true;
}

static void count_type(struct market *market, const char *type)
{
    uint32_t i = 0;
    while (i < market->type_count && strcmp(market->types[i].name, type) != 0)
        i++;
    if (i == TYPES_MAX)
        i--; /* one name stands for the rest */
    else if (i == market->type_count)
        copy_text(market->types[market->type_count++].name, sizeof market->types[i].name, type);
    market->types[i].count++;
}

void market_begin(struct market *market, const char *file, uint64_t line, weir_ns t,
                  const char *type)
{
    if (file != market->file && market->file_count < FILES_MAX)
        market->files[market->file_count++] = file;
    market->file = file;
    market->line = line;
    market->t = t;
    market->type = type;
    if (market->messages++ == 0)
        market->first_t = t;
    market->last_t = t;
    if (type[0] != '\0')
        count_type(market, type);
}

void market_from(struct market *market, const char *conn, const char *stream)
{
    if (market->messages == 0)
        copy_text(market->conn, sizeof market->conn, conn);
    market->stream = stream;
}

void market_left(struct market *market)
{
    market->type = NULL;
    market->stream = NULL;
}

static struct quote quote_of(uint64_t seq, const struct book *book)
{
    struct quote quote = {.seq = seq};
    (void)book_best(book, WEIR_BUY, &quote.bid);
    (void)book_best(book, WEIR_SELL, &quote.ask);
    return quote;
}

bool market_is_due(const struct market *market)
{
    return market->messages % CHECKPOINT_EVERY == 0;
}

void market_end(struct market *market, const struct book *book, uint64_t last_seq)
{
    void *rows = market->checkpoints;
    if (!market_is_due(market) || !book ||
        !make_row(market, &rows, market->checkpoint_count, &market->checkpoint_room,
                  sizeof *market->checkpoints))
        return;
    market->checkpoints = rows;
    market->checkpoints[market->checkpoint_count++] = (struct checkpoint){
        .messages = market->messages,
        .t = market->t,
        .quote = quote_of(last_seq, book),
        .bid_levels = book_levels(book, WEIR_BUY),
        .ask_levels = book_levels(book, WEIR_SELL),
    };
}

/* --- books and tops of the same sequence ------------------------------------------------------- */

static bool same_level(struct weir_level a, struct weir_level b)
{
    return a.px == b.px && a.qty == b.qty;
}

/* Sequences rise in both streams. So what is older than `quote` in the other one waits in vain, and
 * if its like is not there, `quote` waits for it. */
static void match(struct market *market, struct pending *mine, struct pending *others,
                  const struct quote *quote)
{
    while (others->count > 0 && others->quotes[others->at].seq <= quote->seq) {
        const struct quote *other = &others->quotes[others->at];
        bool found = other->seq == quote->seq;
        if (found) {
            market->compared++;
            market->equal +=
                same_level(other->bid, quote->bid) && same_level(other->ask, quote->ask);
        }
        others->at = (others->at + 1) % PENDING_MAX;
        others->count--;
        if (found)
            return;
    }
    if (mine->count == PENDING_MAX) {
        mine->at = (mine->at + 1) % PENDING_MAX;
        mine->count--;
    }
    mine->quotes[(mine->at + mine->count++) % PENDING_MAX] = *quote;
}

void market_book(struct market *market, const struct weir_book_msg *msg, const struct book *book)
{
    char *first = market->book_types[(msg->msg.flags & WEIR_BOOK_SNAPSHOT) != 0];
    if (market->book_stream[0] == '\0' && market->stream)
        copy_text(market->book_stream, sizeof market->book_stream, market->stream);
    if (first[0] == '\0' && market->type)
        copy_text(first, sizeof market->book_types[0], market->type);
    if (msg->msg.flags & WEIR_BOOK_SNAPSHOT) {
        if (market->has_snapshot)
            return;
        market->has_snapshot = true;
        market->snapshot_file = market->file;
        market->snapshot_line = market->line;
        market->snapshot_seq = msg->last_seq;
        market->snapshot_bids = msg->bids;
        market->snapshot_asks = msg->asks;
        return;
    }
    if (msg->last_seq == 0)
        return;
    struct quote quote = quote_of(msg->last_seq, book);
    match(market, &market->updates, &market->tops, &quote);
}

void market_top(struct market *market, const struct weir_top *top)
{
    if (top->seq == 0)
        return;
    struct quote quote = {top->seq, {top->bid, top->bid_qty}, {top->ask, top->ask_qty}};
    match(market, &market->tops, &market->updates, &quote);
}

/* --- trades ------------------------------------------------------------------------------------ */

static void add(struct market *market, amount *sum, amount value)
{
    if (!amount_add(*sum, value, sum))
        market->overflow = true;
}

/* Ids that are numbers rise, but for late ones; others come in no order. */
static bool is_known_id(const struct market *market, struct trade_id id)
{
    uint64_t kept = market->trades < IDS_KEPT ? market->trades : IDS_KEPT;
    if (kept == 0 || (id.high == 0 && market->newest.high == 0 && id.low > market->last_id))
        return false;
    for (uint64_t i = 0; i < kept; i++)
        if (market->ids[i].low == id.low && market->ids[i].high == id.high)
            return true;
    return false;
}

static void count_id(struct market *market, const struct weir_trade *trade)
{
    struct trade_id whole = {trade->id_high, trade->id};
    uint64_t id = trade->id;
    market->duplicate_ids += is_known_id(market, whole);
    market->ids[market->trades % IDS_KEPT] = whole;
    market->newest = whole;
    market->id_flags = trade->msg.flags;
    if (market->trades == 0) {
        market->first = whole;
        market->first_id = id;
    }
    if (market->trades > 0)
        market->id_gaps += id > market->last_id + 1;
    if (market->trades == 0 || id > market->last_id)
        market->last_id = id;
}

/* The bar of a minute; trades may come a little out of order. NULL: no room. */
static struct bar *bar_of(struct market *market, int64_t t, weir_px px)
{
    for (uint32_t i = market->bar_count; i-- > 0 && market->bars[i].t >= t;)
        if (market->bars[i].t == t)
            return &market->bars[i];
    void *rows = market->bars;
    if (!make_row(market, &rows, market->bar_count, &market->bar_room, sizeof *market->bars))
        return NULL;
    market->bars = rows;
    uint32_t at = market->bar_count++;
    for (; at > 0 && market->bars[at - 1].t > t; at--)
        market->bars[at] = market->bars[at - 1];
    market->bars[at] = (struct bar){.t = t, .open = px, .high = px, .low = px};
    return &market->bars[at];
}

static void add_to_bar(struct market *market, const struct weir_trade *trade, amount qty)
{
    int64_t ms = trade->msg.t_venue / 1000000;
    struct bar *bar = bar_of(market, ms - ms % 60000, trade->px);
    if (!bar)
        return;
    bar->high = trade->px > bar->high ? trade->px : bar->high;
    bar->low = trade->px < bar->low ? trade->px : bar->low;
    bar->close = trade->px;
    bar->count++;
    add(market, &bar->volume, qty);
    if (trade->aggressor == WEIR_BUY)
        add(market, &bar->buy_volume, qty);
}

void market_trade(struct market *market, const struct weir_trade *trade, weir_ns t)
{
    amount qty = amount_from(trade->qty, market->qty_exp), value = 0;
    count_id(market, trade);
    market->trades++;
    if (trade->msg.flags & WEIR_TRADE_OFF_BOOK)
        return;
    if (market->on_book++ == 0)
        market->open = market->high = market->low = trade->px;
    market->high = trade->px > market->high ? trade->px : market->high;
    market->low = trade->px < market->low ? trade->px : market->low;
    market->close = trade->px;
    add(market, &market->volume, qty);
    add(market, trade->aggressor == WEIR_BUY ? &market->buy_volume : &market->sell_volume, qty);
    if (!amount_product(trade->px, market->px_exp, trade->qty, market->qty_exp, &value))
        market->overflow = true;
    add(market, &market->notional, value);
    if (trade->msg.t_venue == 0)
        return;
    /* clocks of two machines, compared as milliseconds: good to 0.3 us, as in other reports */
    int64_t venue_ms = trade->msg.t_venue / 1000000;
    double lead = (double)venue_ms - (double)t / 1e6;
    market->lead_min = !market->has_lead || lead < market->lead_min ? lead : market->lead_min;
    market->lead_max = !market->has_lead || lead > market->lead_max ? lead : market->lead_max;
    market->has_lead = true;
    add_to_bar(market, trade, qty);
}

bool market_order(struct market *market, const struct weir_l3 *order, weir_ns t)
{
    if (!market->orders)
        market->orders = orderfacts_create();
    return market->orders && orderfacts_take(market->orders, order, t);
}

void market_close(struct market *market, const struct feed_counts *counts, enum book_state state,
                  const struct book *book)
{
    market->closed = true;
    market->counts = *counts;
    market->state = state;
    market->book = book;
}

void market_marks(struct market *market, const struct session_marks *marks)
{
    market->marks = *marks;
}
