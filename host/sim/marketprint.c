/* marketprint.c - the facts of a recording, under the names by which people compare them.
 *
 * Recordings of one stream and captures of a session name the same facts differently. Decimals are
 * canonical texts, times of nanoseconds are texts (they exceed 2^53), counts are numbers. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "sim/marketfacts.h"
#include "venue/feed.h"

enum { KEY_MAX = CONN_NAME_MAX + WEIR_STREAM_MAX + 1, TOP = 5 };

size_t ratio_text(amount n, amount d, int places, char *text)
{
    text[0] = '\0';
    if (d <= 0 || d > AMOUNT_MAX / 20 || n < 0 || n / d > INT64_MAX / 2 || places < 1 ||
        places > 18)
        return 0;
    int64_t whole = (int64_t)(n / d), part = 0;
    amount rest = n % d;
    for (int i = 0; i < places; i++, rest = rest * 10 % d)
        part = part * 10 + (int64_t)(rest * 10 / d);
    part += rest * 2 > d || (rest * 2 == d && (part & 1));
    if (part == decimal_pow10[places]) {
        part = 0;
        whole++;
    }
    size_t len = decimal_print(whole, 0, text);
    text[len++] = '.';
    for (int i = places; i-- > 0; part /= 10)
        text[len + (size_t)i] = (char)('0' + part % 10);
    text[len + (size_t)places] = '\0';
    return len + (size_t)places;
}

/* --- parts ------------------------------------------------------------------------------------- */

/* A stream's name is its market's and its symbol. In a capture that is the symbol alone; only where
 * one capture has several markets of a venue, under the same symbols, the connection stands before it,
 * and a book is called as the venue calls its stream. */
static void key_of_market(const struct market *market, bool several, bool book, char key[KEY_MAX])
{
    const char *before = market->naming == NAMING_STREAM ? market->name
                         : several                       ? market->conn
                                                         : "";
    const char *name = market->symbol;
    if (market->naming == NAMING_CAPTURE && several && book && market->book_stream[0] != '\0')
        name = market->book_stream;
    (void)snprintf(key, KEY_MAX, "%s%s%s", before,
                   before[0] == '\0'                 ? ""
                   : market->naming == NAMING_STREAM ? "/"
                                                     : "|",
                   name);
}

/* Does one capture hold several markets of the venue? */
static bool has_several(const struct marketstats *stats)
{
    const char *name = NULL;
    for (const struct market *market = stats->first; market; market = market->next) {
        if (market->naming == NAMING_CAPTURE && name && strcmp(market->name, name) != 0)
            return true;
        if (market->naming == NAMING_CAPTURE)
            name = market->name;
    }
    return false;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void put_uint(struct text *t, const char *key, uint64_t value)
{
    json_key(t, key);
    json_uint(t, value);
}

static void put_px(const struct market *market, struct text *t, const char *key, weir_px px)
{
    json_key(t, key);
    json_decimal(t, px, market->px_exp);
}

static void put_qty(const struct market *market, struct text *t, const char *key, weir_qty qty)
{
    json_key(t, key);
    json_decimal(t, qty, market->qty_exp);
}

/* A sum; null when it has no room for its value. */
static void put_sum(const struct market *market, struct text *t, const char *key, amount sum)
{
    json_key(t, key);
    if (market->overflow)
        json_null(t);
    else
        json_amount(t, sum);
}

static void put_time(struct text *t, const char *key, weir_ns ns)
{
    json_key(t, key);
    json_decimal(t, ns, 0);
}

static void put_side(const struct market *market, struct text *t, const char *key,
                     enum weir_side side)
{
    struct weir_level level;
    bool more = book_best(market->book, side, &level);
    json_key(t, key);
    json_array(t);
    for (int i = 0; more && i < TOP; i++) {
        json_array(t);
        json_decimal(t, level.px, market->px_exp);
        json_decimal(t, level.qty, market->qty_exp);
        json_end(t);
        more = book_next(market->book, side, level.px, &level);
    }
    json_end(t);
}

static void hash_side(const struct market *market, struct sha256 *sha, enum weir_side side)
{
    struct weir_level level;
    for (bool more = book_best(market->book, side, &level); more;
         more = book_next(market->book, side, level.px, &level)) {
        char line[2 * DECIMAL_TEXT_MAX + 4];
        size_t len = 0;
        line[len++] = side == WEIR_BUY ? 'b' : 'a';
        line[len++] = ' ';
        len += decimal_print(level.px, market->px_exp, line + len);
        line[len++] = ' ';
        len += decimal_print(level.qty, market->qty_exp, line + len);
        line[len++] = '\n';
        sha256_add(sha, line, len);
    }
}

/* A line for each level, "b <price> <size>", bids from the highest, then "a ..." from the lowest. */
static void put_hash(const struct market *market, struct text *t)
{
    unsigned char hash[32];
    char hex[65] = "";
    struct sha256 *sha = sha256_create();
    if (sha) {
        hash_side(market, sha, WEIR_BUY);
        hash_side(market, sha, WEIR_SELL);
        sha256_value(sha, hash);
        hex_print(hash, sizeof hash, hex);
    }
    sha256_destroy(sha);
    json_key(t, "final_book_sha256");
    json_string(t, hex);
}

static void put_final(const struct market *market, struct text *t)
{
    put_uint(t, "final_bid_levels", book_levels(market->book, WEIR_BUY));
    put_uint(t, "final_ask_levels", book_levels(market->book, WEIR_SELL));
    json_key(t, "final_top5");
    json_object(t);
    put_side(market, t, "bids", WEIR_BUY);
    put_side(market, t, "asks", WEIR_SELL);
    json_end(t);
    put_hash(market, t);
}

static bool in_step(const struct market *market)
{
    return market->state == BOOK_LIVE || market->state == BOOK_STALE ||
           market->state == BOOK_CROSSED;
}

/* --- books ------------------------------------------------------------------------------------- */

static void put_stream_book(const struct market *market, struct text *t)
{
    const struct feed_counts *counts = &market->counts;
    put_uint(t, "diffs_applied", counts->applied);
    put_uint(t, "diffs_dropped_as_older_than_snapshot", counts->dropped_old);
    put_uint(t, "sequence_gaps", counts->gaps);
    put_uint(t, "times_crossed", counts->crossed);
    put_uint(t, "times_locked", counts->locked);
    put_uint(t, "final_update_id", counts->last_seq);
    put_final(market, t);
    put_uint(t, "book_updates_having_a_bookTicker_with_same_u", market->compared);
    put_uint(t, "of_these_equal_in_price_and_size", market->equal);
}

static void put_capture_book(const struct market *market, struct text *t)
{
    const struct feed_counts *counts = &market->counts;
    put_uint(t, "snapshots", counts->snapshots);
    put_uint(t, "dropped_old", counts->dropped_old);
    /* a snapshot is an update, too, where it comes as a message of the same type */
    bool alike = market->book_types[0][0] == '\0' ||
                 strcmp(market->book_types[0], market->book_types[1]) == 0;
    put_uint(t, "updates", counts->applied + (alike ? counts->in_stream : 0));
    put_uint(t, "bookticker_same_u_compared", market->compared);
    put_uint(t, "bookticker_same_u_equal", market->equal);
    if (market->seq_names[0])
        put_uint(t, market->seq_names[0], counts->last_seq);
    if (market->seq_names[1])
        put_uint(t, market->seq_names[1], counts->first_seq);
    if (counts->checks > 0) {
        put_uint(t, "checksum_total", counts->checks);
        put_uint(t, "checksum_ok", counts->checks_ok);
    }
    json_key(t, "synced");
    json_bool(t, in_step(market));
    json_key(t, "state");
    json_string(t, book_state_name(market->state));
    if (market->has_snapshot)
        put_uint(t, "snapshot_id", market->snapshot_seq);
    put_final(market, t);
    if (counts->gaps > 0)
        put_uint(t, "gaps", counts->gaps);
    if (counts->crossed > 0)
        put_uint(t, "crossed", counts->crossed);
    if (counts->locked > 0)
        put_uint(t, "locked", counts->locked);
}

/* --- trades ------------------------------------------------------------------------------------ */

static void put_average(const struct market *market, struct text *t, const char *key, int places)
{
    char text[DECIMAL_TEXT_MAX];
    json_key(t, key);
    if (!market->overflow && ratio_text(market->notional, market->volume, places, text) > 0)
        json_string(t, text);
    else
        json_null(t);
}

static void put_prices(const struct market *market, struct text *t)
{
    put_sum(market, t, "buy_taker_volume", market->buy_volume);
    put_sum(market, t, "sell_taker_volume", market->sell_volume);
    if (market->on_book == 0)
        return;
    put_px(market, t, "open", market->open);
    put_px(market, t, "high", market->high);
    put_px(market, t, "low", market->low);
    put_px(market, t, "close", market->close);
}

static void put_stream_trades(const struct market *market, struct text *t)
{
    put_uint(t, "count", market->trades);
    put_uint(t, "count_with_X_MARKET_or_absent", market->on_book);
    json_key(t, "other_X");
    json_object(t);
    if (market->trades > market->on_book)
        put_uint(t, "OTHER", market->trades - market->on_book);
    json_end(t);
    put_uint(t, "first_id", market->first_id);
    put_uint(t, "last_id", market->last_id);
    put_uint(t, "id_gaps", market->id_gaps);
    put_sum(market, t, "volume", market->volume);
    put_sum(market, t, "notional", market->notional);
    put_average(market, t, "vwap_8dp", 8);
    put_prices(market, t);
}

/* As the venue writes it: a number, a text of digits, or a UUID. */
static void put_id(const struct market *market, struct text *t, const char *key, struct trade_id id)
{
    char text[48];
    if (!(market->id_flags & WEIR_TRADE_ID_TEXT))
        return put_uint(t, key, id.low);
    if (market->id_flags & WEIR_TRADE_ID_UUID)
        (void)snprintf(text, sizeof text, "%08x-%04x-%04x-%04x-%012" PRIx64,
                       (unsigned)(id.high >> 32), (unsigned)(id.high >> 16 & 0xffff),
                       (unsigned)(id.high & 0xffff), (unsigned)(id.low >> 48),
                       id.low & 0xffffffffffff);
    else
        (void)snprintf(text, sizeof text, "%" PRIu64, id.low);
    json_key(t, key);
    json_string(t, text);
}

static void put_capture_trades(const struct market *market, struct text *t)
{
    put_uint(t, "count", market->on_book);
    put_sum(market, t, "volume", market->volume);
    put_sum(market, t, "notional", market->notional);
    put_average(market, t, "vwap_12dp", 12);
    put_prices(market, t);
    if (market->newest.low == 0 && market->newest.high == 0)
        return; /* the venue numbers no trades */
    put_id(market, t, "first_id", market->first);
    put_id(market, t, "last_id", market->newest);
    put_uint(t, "duplicate_ids", market->duplicate_ids);
}

/* --- orders ------------------------------------------------------------------------------------ */

static void put_orders(const struct market *market, struct text *t)
{
    orderfacts_json(market->orders, market->px_exp, market->qty_exp, t);
    if (market->trades == 0)
        return;
    json_key(t, "trades");
    json_object(t);
    put_uint(t, "count", market->on_book);
    put_sum(market, t, "volume", market->volume);
    put_sum(market, t, "notional", market->notional);
    put_average(market, t, "vwap_8dp", 8);
    put_prices(market, t);
    orderfacts_json_traders(market->orders, t);
    put_id(market, t, "first_id", market->first);
    put_id(market, t, "last_id", market->newest);
    json_end(t);
}

/* --- streams: the rest ------------------------------------------------------------------------- */

static void put_snapshot(const struct market *market, struct text *t)
{
    json_key(t, "snapshot");
    json_object(t);
    json_key(t, "file");
    json_string(t, base_name(market->snapshot_file));
    put_uint(t, "line", market->snapshot_line);
    put_uint(t, "lastUpdateId", market->snapshot_seq);
    put_uint(t, "bid_levels", market->snapshot_bids);
    put_uint(t, "ask_levels", market->snapshot_asks);
    json_end(t);
}

static void put_checkpoint(const struct market *market, struct text *t, const struct checkpoint *at)
{
    json_object(t);
    put_uint(t, "after_messages", at->messages);
    put_time(t, "local_ts", at->t);
    put_uint(t, "update_id", at->quote.seq);
    put_px(market, t, "best_bid", at->quote.bid.px);
    put_qty(market, t, "bid_size", at->quote.bid.qty);
    put_px(market, t, "best_ask", at->quote.ask.px);
    put_qty(market, t, "ask_size", at->quote.ask.qty);
    put_uint(t, "bid_levels", at->bid_levels);
    put_uint(t, "ask_levels", at->ask_levels);
    json_end(t);
}

static void put_bar(const struct market *market, struct text *t, const struct bar *bar)
{
    json_object(t);
    json_key(t, "t");
    json_int(t, bar->t);
    put_px(market, t, "o", bar->open);
    put_px(market, t, "h", bar->high);
    put_px(market, t, "l", bar->low);
    put_px(market, t, "c", bar->close);
    put_sum(market, t, "v", bar->volume);
    put_uint(t, "n", bar->count);
    put_sum(market, t, "buy_v", bar->buy_volume);
    json_end(t);
}

/* Milliseconds with three places. */
static void put_lead(struct text *t, const char *key, double ms)
{
    char text[40];
    int64_t us = 0;
    int len = snprintf(text, sizeof text, "%.3f", ms);
    json_key(t, key);
    if (decimal_parse(text, (size_t)len, 3, &us) == WEIR_OK)
        json_number(t, us, 3);
    else
        json_null(t);
}

/* What the venue last said, where it said something. */
static void put_marks(const struct market *market, struct text *t)
{
    if (market->marks.mark > 0)
        put_px(market, t, "mark_price", market->marks.mark);
    if (market->marks.index > 0)
        put_px(market, t, "index_price", market->marks.index);
    if (!market->marks.has_funding)
        return;
    json_key(t, "funding_rate");
    json_decimal(t, market->marks.funding_rate, 12);
    put_time(t, "next_funding_ts", market->marks.funding_t);
}

static void put_stream(const struct market *market, struct text *t)
{
    json_key(t, "files_in_order");
    json_array(t);
    for (uint32_t i = 0; i < market->file_count; i++)
        json_string(t, base_name(market->files[i]));
    json_end(t);
    put_uint(t, "messages", market->messages);
    json_key(t, "messages_by_type");
    json_object(t);
    for (uint32_t i = 0; i < market->type_count; i++)
        put_uint(t, market->types[i].name, market->types[i].count);
    json_end(t);
    put_time(t, "first_local_ts", market->first_t);
    put_time(t, "last_local_ts", market->last_t);
    if (market->has_snapshot && market->snapshot_file)
        put_snapshot(market, t);
    if (market->closed) {
        json_key(t, "state");
        json_string(t, book_state_name(market->state));
        put_uint(t, "messages_not_understood", market->counts.errors);
    }
    put_marks(market, t);
    json_key(t, "checkpoints");
    json_array(t);
    for (uint32_t i = 0; i < market->checkpoint_count; i++)
        put_checkpoint(market, t, &market->checkpoints[i]);
    json_end(t);
    if (market->has_lead) {
        json_key(t, "trade_T_minus_local_ts_ms");
        json_object(t);
        put_lead(t, "min", market->lead_min);
        put_lead(t, "max", market->lead_max);
        json_end(t);
    }
    json_key(t, "minute_bars_by_trade_T");
    json_array(t);
    for (uint32_t i = 0; i < market->bar_count; i++)
        put_bar(market, t, &market->bars[i]);
    json_end(t);
    if (market->rows_left_out > 0)
        put_uint(t, "rows_left_out", market->rows_left_out);
}

/* --- the documents ----------------------------------------------------------------------------- */

static bool has_book(const struct market *market)
{
    return market->closed && market->book;
}

static bool has_trades(const struct market *market)
{
    return market->trades > 0;
}

static bool has_orders(const struct market *market)
{
    return market->orders != NULL;
}

static bool always(const struct market *market)
{
    (void)market;
    return true;
}

void marketstats_json(const struct marketstats *stats, struct text *out)
{
    typedef void put(const struct market *, struct text *);
    static const struct {
        const char *name;
        bool (*has)(const struct market *);
        put *by_naming[2];
    } parts[] = {
        {"books", has_book, {put_stream_book, put_capture_book}},
        {"trades", has_trades, {put_stream_trades, put_capture_trades}},
        {"l3", has_orders, {put_orders, put_orders}},
        {"streams", always, {put_stream, put_stream}},
    };
    bool several = has_several(stats);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        json_key(out, parts[i].name);
        json_object(out);
        for (const struct market *market = stats->first; market; market = market->next) {
            char key[KEY_MAX];
            if (!parts[i].has(market))
                continue;
            key_of_market(market, several, i == 0, key);
            json_key(out, key);
            json_object(out);
            parts[i].by_naming[market->naming](market, out);
            json_end(out);
        }
        json_end(out);
    }
}

/* --- for people -------------------------------------------------------------------------------- */

static void say_level(const struct market *market, struct text *out, enum weir_side side)
{
    struct weir_level level;
    char px[DECIMAL_TEXT_MAX], qty[DECIMAL_TEXT_MAX], both[2 * DECIMAL_TEXT_MAX + 4] = "-";
    if (has_book(market) && book_best(market->book, side, &level)) {
        size_t px_len = decimal_print(level.px, market->px_exp, px);
        size_t qty_len = decimal_print(level.qty, market->qty_exp, qty), len = 0;
        memcpy(both, qty, qty_len);
        memcpy(both + (len = qty_len), " @ ", 3);
        memcpy(both + len + 3, px, px_len + 1);
    }
    text_say(out, "  %-24s", both);
}

static void say_trades(const struct market *market, struct text *out)
{
    char volume[DECIMAL_TEXT_MAX], average[DECIMAL_TEXT_MAX];
    amount_print(market->volume, volume);
    if (market->trades == 0 || market->overflow)
        text_say(out, "  %8" PRIu64, market->trades);
    else if (ratio_text(market->notional, market->volume, 8, average) > 0)
        text_say(out, "  %8" PRIu64 "  %16s  %18s", market->trades, volume, average);
}

void marketstats_table(const struct marketstats *stats, struct text *out)
{
    text_say(out, "%-20s %-8s %9s %8s %5s %8s %8s  %-24s  %-24s  %8s  %16s  %18s\n", "market",
             "book", "messages", "diffs", "gaps", "bids", "asks", "best bid", "best ask", "trades",
             "volume", "average price");
    bool several = has_several(stats);
    for (const struct market *market = stats->first; market; market = market->next) {
        char key[KEY_MAX];
        bool book = has_book(market);
        key_of_market(market, several, false, key);
        text_say(out, "%-20s %-8s %9" PRIu64 " %8" PRIu64 " %5" PRIu64 " %8u %8u", key,
                 book ? book_state_name(market->state) : "none", market->messages,
                 market->counts.applied, market->counts.gaps,
                 book ? book_levels(market->book, WEIR_BUY) : 0,
                 book ? book_levels(market->book, WEIR_SELL) : 0);
        say_level(market, out, WEIR_BUY);
        say_level(market, out, WEIR_SELL);
        say_trades(market, out);
        text_say(out, "\n");
    }
}
