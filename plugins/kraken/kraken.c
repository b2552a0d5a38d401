/* kraken.c - Kraken spot: books with checksums, trades, best prices, in both of its protocols.
 *
 * BOOKS    A snapshot of as many levels as were subscribed to (10, 25, 100, 500 or 1000), then changes;
 *          what falls behind that many levels is let go by both sides without a word. There are no
 *          sequence numbers: each change carries the CRC-32 of the ten best levels of each side, over
 *          the digits as sent. So a loss is seen when it has reached the best ten.
 * PLACES   Version 1 writes prices and sizes with all their places, in quotes. Version 2 has JSON
 *          numbers; how many places belong to them says its `instrument` channel.
 *
 * Live it speaks version 2. Read: WebSockets API v1 (2021), v2 with "Book checksum" (2024-11) and REST
 * AssetPairs of docs.kraken.com; recorded frames of 2021-04 (v1) and 2026-10 (v2). */
#include <stdio.h>

#include "kraken.h"

static const char *const markets[] = {"spot", NULL};

uint32_t kraken_depth(uint64_t levels)
{
    static const uint32_t offered[] = {10, 25, 100, 500, 1000};
    for (size_t i = 0; i < sizeof offered / sizeof offered[0]; i++)
        if (levels <= offered[i])
            return offered[i];
    return 0;
}

void kraken_book_end(struct venue *venue, const struct market_symbol *symbol, bool snapshot,
                     bool summed, uint32_t checksum, weir_ns t)
{
    struct weir_book_msg head = {
        .msg = {.flags = snapshot && summed ? WEIR_BOOK_SNAPSHOT
                         : snapshot         ? WEIR_BOOK_SNAPSHOT | WEIR_BOOK_UNPROVED
                                            : 0,
                .t_venue = t},
        .keep = symbol->keep,
        .check = summed ? WEIR_CHECK_DIGITS : WEIR_CHECK_NONE,
        .checksum = checksum,
        .px_places = symbol->px_places,
        .qty_places = symbol->qty_places,
    };
    market_book_end(&venue->market, symbol, &head);
}

static enum weir_err on_frame(struct venue *venue, uint32_t conn, struct weir_bytes bytes)
{
    struct scan scan = scan_of(bytes);
    (void)conn;
    return scan_peek(&scan) == '[' ? v1_frame(venue, bytes) : v2_frame(venue, bytes);
}

/* --- AssetPairs -------------------------------------------------------------------------------- */

/* "XBT\/USD" is XBT/USD. */
static struct weir_bytes unescaped(struct weir_bytes text, char to[WEIR_SYMBOL_MAX])
{
    size_t len = 0;
    for (size_t i = 0; i < text.len && len < WEIR_SYMBOL_MAX; i++)
        if (text.data[i] != '\\')
            to[len++] = text.data[i];
    return (struct weir_bytes){to, len};
}

static void read_pair(struct venue *venue, struct scan *scan)
{
    char name[WEIR_SYMBOL_MAX], tick[24], step[24];
    struct market_rules rules = {.kind = WEIR_SPOT};
    struct weir_bytes wsname = {0}, status = {0}, px_places = {0}, qty_places = {0};
    const struct rows_word words[] = {
        {"wsname", &wsname},           {"status", &status},
        {"tick_size", &rules.tick},    {"costmin", &rules.min_notional},
        {"pair_decimals", &px_places}, {"lot_decimals", &qty_places},
    };
    rows_words(scan, words, sizeof words / sizeof words[0]);
    wsname = unescaped(wsname, name);
    struct market_symbol *symbol = rows_symbol(venue, scan, wsname);
    const char *slash = symbol ? strchr(symbol->name, '/') : NULL;
    if (!symbol || !slash)
        return;
    rules.base = (struct weir_bytes){symbol->name, (size_t)(slash - symbol->name)};
    rules.quote = market_text(slash + 1);
    if (rules.tick.len == 0)
        rules.tick = rows_unit(px_places, tick);
    rules.step = rows_unit(qty_places, step);
    rules.halted = rows_halted(status, "online");
    market_rule(&venue->market, symbol, &rules);
}

static void read_pairs(struct venue *venue, struct scan *scan)
{
    rows_each(venue, scan, read_pair);
}

static enum weir_err on_answer(struct venue *venue, struct weir_bytes target,
                               struct weir_bytes body)
{
    return market_after(target, "/public/AssetPairs").data
               ? rows_answer(venue, body, "result", read_pairs)
               : WEIR_OK;
}

/* --- what is asked for ------------------------------------------------------------------------- */

/* The rules of all pairs, by the same connection. */
static size_t greet(const struct venue *venue, unsigned n, char *to, size_t room)
{
    (void)venue;
    return n > 0 ? 0
                 : (size_t)snprintf(to, room,
                                    "{\"method\":\"subscribe\",\"params\":{\"channel\":"
                                    "\"instrument\",\"snapshot\":true}}");
}

static size_t ask(const struct venue *venue, const struct market_symbol *symbol,
                  enum venue_want want, unsigned n, char *to, size_t room)
{
    static const char *const channels[] = {"book", "trade", "ticker"};
    unsigned frames = want == VENUE_ENTER ? 3 : 1;
    char depth[32] = "";
    if (n >= frames)
        return 0;
    if (n == 0)
        (void)snprintf(depth, sizeof depth, ",\"depth\":%u", kraken_depth(venue->depth));
    return (size_t)snprintf(
        to, room, "{\"method\":\"%s\",\"params\":{\"channel\":\"%s\",\"symbol\":[\"%s\"]%s%s}}",
        want == VENUE_LEAVE_BOOK ? "unsubscribe" : "subscribe", channels[n], symbol->name, depth,
        n == 1 ? ",\"snapshot\":false" : "");
}

static const struct venue_rules rules = {
    .name = "kraken",
    .markets = markets,
    .depth = 100,
    .at = "/v2",
    .greet = greet,
    .ask = ask,
    .frame = on_frame,
    .answer = on_answer,
};

/* --- recordings -------------------------------------------------------------------------------- */

static bool is_one_of(struct weir_bytes word, const char *const *words)
{
    for (; *words; words++)
        if (scan_is(word, *words))
            return true;
    return false;
}

static enum weir_err probe_v1(struct weir_bytes bytes, struct weir_probe *out)
{
    static const char *const channels[] = {"trade", "ticker", "spread", NULL};
    struct v1_frame frame;
    if (v1_read(bytes, &frame) != WEIR_OK ||
        (!market_begins(frame.channel, "book-") && !market_begins(frame.channel, "ohlc") &&
         !is_one_of(frame.channel, channels)))
        return WEIR_E_NOT_FOUND;
    market_set(out->type, sizeof out->type, frame.channel);
    market_set(out->symbol, sizeof out->symbol, frame.pair);
    return WEIR_OK;
}

/* The first symbol that is named in the rows. */
static void set_symbol(struct weir_bytes bytes, const struct scan *data, struct weir_probe *out)
{
    struct weir_bytes rows = {data->at, (size_t)(bytes.data + bytes.len - data->at)};
    struct weir_bytes name = market_after(rows, "\"symbol\":");
    struct scan scan = scan_of(name);
    if (name.data && scan_peek(&scan) == '"')
        market_set(out->symbol, sizeof out->symbol, scan_string(&scan));
}

static enum weir_err probe_v2(struct weir_bytes bytes, struct weir_probe *out)
{
    static const char *const channels[] = {"book", "trade",     "ticker", "instrument",
                                           "ohlc", "heartbeat", "status", NULL};
    static const char *const events[] = {"systemStatus", "subscriptionStatus", "heartbeat", NULL};
    struct v2_frame frame;
    (void)v2_read(bytes, &frame, false);
    bool answer = scan_is(frame.method, "subscribe") || scan_is(frame.method, "unsubscribe");
    if (frame.foreign ||
        (!is_one_of(frame.channel, channels) && !is_one_of(frame.event, events) && !answer))
        return WEIR_E_NOT_FOUND;
    market_set(out->type, sizeof out->type,
               frame.event.len > 0     ? frame.event
               : frame.channel.len > 0 ? frame.channel
                                       : frame.method);
    if (frame.data.at && !scan_is(frame.channel, "instrument"))
        set_symbol(bytes, &frame.data, out);
    return WEIR_OK;
}

static enum weir_err probe(struct weir_bytes bytes, struct weir_probe *out)
{
    struct scan scan = scan_of(bytes);
    enum weir_err err = WEIR_E_NOT_FOUND;
    *out = (struct weir_probe){.size = sizeof *out};
    if (market_begins(bytes, "{\"error\":[],\"result\":{") &&
        market_after(rows_begin(bytes, 2000), "\"pair_decimals\":").data) {
        market_set(out->type, sizeof out->type, market_text("AssetPairs"));
        err = WEIR_OK;
    } else if (scan_peek(&scan) == '[') {
        err = probe_v1(bytes, out);
    } else if (scan_peek(&scan) == '{') {
        err = probe_v2(bytes, out);
    }
    if (err == WEIR_OK)
        market_set(out->market, sizeof out->market, market_text("spot"));
    return err;
}

static const struct weir_caps caps = {
    .size = sizeof caps,
    .book_rule = WEIR_RULE_NONE, /* and a checksum in each change */
    .client_id_max = 18,
    .book_depth = 1000,
    .data_age_max = 30 * MARKET_SECOND,
};

VENUE_PLUGIN("kraken", rules, "0.1.0", caps, probe, NULL, NULL);
