/* bitstamp.c - Bitstamp: books, trades, and single orders (level 3).
 *
 * BOOKS    `diff_order_book_X` sends changes, stamped with a time in microseconds and nothing else; a
 *          whole book comes by HTTP (/api/v2/order_book/X) and changes after its time are applied to
 *          it. There are no sequence numbers and no sums: what was left out cannot be seen, but for
 *          times that go back and books that stay crossed.
 * ORDERS   `live_orders_X`, and rows of recordings of it: ids rise with arrival, the venue matches first
 *          in first out, and takers are shown for a moment before they match.
 * TRADES   `live_trades_X`; the texts of price and amount are read, since the numbers are rounded.
 *
 * Read: bitstamp.net/websocket/v2 and /api (2026-08); recorded frames of 2022-01, rows of 2026-05. */
#include "bitstamp.h"

#include <stdio.h>

static const char *const markets[] = {"spot", NULL};

static enum weir_err on_frame(struct venue *venue, uint32_t conn, struct weir_bytes bytes)
{
    (void)conn;
    return decode_frame(venue, bytes);
}

/* --- answers ----------------------------------------------------------------------------------- */

static void read_pair(struct venue *venue, struct scan *scan)
{
    char tick[24], step[24];
    struct market_rules rules = {.kind = WEIR_SPOT};
    struct weir_bytes name = {0}, pair = {0}, trading = {0}, least = {0}, px_places = {0},
                      qty_places = {0};
    const struct rows_word words[] = {
        {"url_symbol", &name},          {"market_symbol", &name},  {"name", &pair},
        {"trading", &trading},          {"minimum_order", &least}, {"counter_decimals", &px_places},
        {"base_decimals", &qty_places},
    };
    rows_words(scan, words, sizeof words / sizeof words[0]);
    rules.tick = rows_unit(px_places, tick);
    rules.step = rows_unit(qty_places, step);
    const char *space = least.len > 0 ? memchr(least.data, ' ', least.len) : NULL; /* "20.0 USD" */
    rules.min_notional =
        (struct weir_bytes){least.data, space ? (size_t)(space - least.data) : least.len};
    struct market_symbol *symbol = rows_symbol(venue, scan, name);
    const char *slash = pair.len > 0 ? memchr(pair.data, '/', pair.len) : NULL;
    if (!symbol)
        return;
    if (slash) {
        rules.base = (struct weir_bytes){pair.data, (size_t)(slash - pair.data)};
        rules.quote = (struct weir_bytes){slash + 1, pair.len - rules.base.len - 1};
        if (rules.base.len > 0 && rules.base.data[rules.base.len - 1] == '\\')
            rules.base.len--;
    }
    rules.halted = rows_halted(trading, "Enabled");
    market_rule(&venue->market, symbol, &rules);
}

static enum weir_err on_answer(struct venue *venue, struct weir_bytes target,
                               struct weir_bytes body)
{
    struct weir_bytes pair = market_after(target, "/order_book/");
    struct scan scan = scan_of(body);
    if (pair.data) {
        size_t len = 0;
        while (len < pair.len && pair.data[len] != '/' && pair.data[len] != '?')
            len++;
        return decode_book(venue, (struct weir_bytes){pair.data, len}, body);
    }
    if (!market_after(target, "/trading-pairs-info").data)
        return WEIR_OK;
    rows_each(venue, &scan, read_pair);
    return scan_done(&scan) ? WEIR_OK : WEIR_E_BAD_FRAME;
}

/* --- what is asked for ------------------------------------------------------------------------- */

static size_t info_path(const struct venue *venue, const struct market_symbol *symbol, char *to,
                        size_t room)
{
    (void)venue;
    return symbol != venue->market.rows /* one answer has all pairs */
               ? 0
               : (size_t)snprintf(to, room, "/api/v2/trading-pairs-info/");
}

static size_t book_path(const struct venue *venue, const struct market_symbol *symbol, char *to,
                        size_t room)
{
    (void)venue;
    return (size_t)snprintf(to, room, "/api/v2/order_book/%s/", symbol->name);
}

static size_t ask(const struct venue *venue, const struct market_symbol *symbol,
                  enum venue_want want, unsigned n, char *to, size_t room)
{
    static const char *const channels[] = {"diff_order_book", "live_trades"};
    (void)venue;
    if (want != VENUE_ENTER || n > 1)
        return 0;
    return (size_t)snprintf(to, room,
                            "{\"event\":\"bts:subscribe\",\"data\":{\"channel\":\"%s_%s\"}}",
                            channels[n], symbol->name);
}

static const struct venue_rules rules = {
    .name = "bitstamp",
    .markets = markets,
    .own = ROWS_OWN,
    .ping = "{\"event\":\"bts:heartbeat\"}",
    .ping_every = 30 * MARKET_SECOND,
    .at = "/",
    .ask = ask,
    .info = info_path,
    .snapshot = book_path,
    .frame = on_frame,
    .answer = on_answer,
};

/* --- recordings -------------------------------------------------------------------------------- */

static enum weir_err probe(struct weir_bytes bytes, struct weir_probe *out)
{
    static const char *const channels[] = {"diff_order_book_", "order_book_", "detail_order_book_",
                                           "live_trades_", "live_orders_"};
    struct weir_bytes head = {bytes.data, bytes.len < 300 ? bytes.len : 300};
    struct frame frame;
    bool known = false;
    *out = (struct weir_probe){.size = sizeof *out};
    if (is_row(bytes)) {
        market_set(out->type, sizeof out->type,
                   market_text(row_is_trade(bytes) ? "trade" : "order"));
        market_set(out->symbol, sizeof out->symbol, market_text("orders"));
        known = true;
    } else if (market_begins(bytes, "{\"timestamp\":") &&
               market_after(head, "\"microtimestamp\":").data) {
        market_set(out->type, sizeof out->type, market_text("order_book"));
        known = true;
    } else if (market_begins(bytes, "[{\"") && market_after(head, "\"counter_decimals\":").data) {
        market_set(out->type, sizeof out->type, market_text("trading-pairs-info"));
        known = true;
    } else if (bytes.len > 0 && bytes.data[0] == '{' && frame_read(bytes, &frame) == WEIR_OK) {
        for (size_t i = 0; i < sizeof channels / sizeof channels[0]; i++)
            known = known || market_begins(frame.channel, channels[i]);
        known = known || market_begins(frame.event, "bts:");
        market_set(out->type, sizeof out->type, frame.event);
        if (frame.channel.len > 0)
            market_set(out->symbol, sizeof out->symbol, channel_pair(frame.channel));
    }
    if (!known)
        return WEIR_E_NOT_FOUND;
    market_set(out->market, sizeof out->market, market_text(markets[0]));
    return WEIR_OK;
}

static const struct weir_caps caps = {
    .size = sizeof caps,
    .book_rule = WEIR_RULE_NEWER,
    .client_id_max = 36,
    .data_age_max = 60 * MARKET_SECOND,
};

VENUE_PLUGIN("bitstamp", rules, "0.1.0", caps, probe, "microtimestamp", NULL);
