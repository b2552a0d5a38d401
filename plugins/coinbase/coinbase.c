/* coinbase.c - Coinbase: books, trades and best prices of Advanced Trade and of Exchange.
 *
 * MARKETS  `advanced` (all frames of a connection are numbered: one that is missing loses all books of
 *          it) and `exchange` (no numbers at all in its level2). Both send whole books and then changes.
 * TRADES   `side` is the maker's, so the taker did the opposite. Past trades that Advanced Trade lists
 *          when one subscribes are not told; neither is `last_match` of Exchange.
 *
 * Read: docs.cdp.coinbase.com, Advanced Trade WebSocket channels and Exchange WebSocket channels
 * (2026-08); recorded frames of 2021-04 (Exchange) and 2026-08 (Advanced Trade). */
#include "coinbase.h"

#include <stdio.h>

static const char *const markets[] = {"advanced", "exchange", NULL};

struct market_symbol *coinbase_symbol(struct venue *venue, struct weir_bytes name,
                                      struct weir_bytes sample, enum weir_err *err)
{
    struct market *market = &venue->market;
    char other[WEIR_SYMBOL_MAX];
    if (market->only_wanted && name.len > 4 && name.len + 1 < sizeof other &&
        memcmp(name.data + name.len - 4, "-USD", 4) == 0) {
        const struct market_symbol *asked = market_find(market, name);
        memcpy(other, name.data, name.len);
        other[name.len] = 'C';
        const struct market_symbol *usdc =
            market_find(market, (struct weir_bytes){other, name.len + 1});
        if ((!asked || !asked->wanted) && usdc && usdc->wanted)
            name = (struct weir_bytes){other, name.len + 1};
    }
    return market_symbol_of(market, name, sample, err);
}

static enum weir_err on_frame(struct venue *venue, uint32_t conn, struct weir_bytes bytes)
{
    (void)conn;
    return venue->which == MARKET_ADVANCED ? advanced_frame(venue, bytes)
                                           : exchange_frame(venue, bytes);
}

/* --- products ---------------------------------------------------------------------------------- */

static void read_product(struct venue *venue, struct scan *scan)
{
    struct market_rules rules = {.kind = WEIR_SPOT};
    struct weir_bytes name = {0}, status = {0}, quote_step = {0}, type = {0};
    const struct rows_word words[] = {
        {"product_id", &name},
        {"id", &name},
        {"base_currency_id", &rules.base},
        {"base_currency", &rules.base},
        {"quote_currency_id", &rules.quote},
        {"quote_currency", &rules.quote},
        {"price_increment", &rules.tick},
        {"quote_increment", &quote_step},
        {"base_increment", &rules.step},
        {"quote_min_size", &rules.min_notional},
        {"min_market_funds", &rules.min_notional},
        {"status", &status},
        {"product_type", &type},
    };
    rows_words(scan, words, sizeof words / sizeof words[0]);
    struct market_symbol *symbol = rows_symbol(venue, scan, name);
    if (!symbol)
        return;
    if (scan_is(type, "FUTURE"))
        rules.kind = WEIR_LINEAR;
    if (rules.tick.len == 0)
        rules.tick = quote_step;
    rules.halted = rows_halted(status, "online");
    market_rule(&venue->market, symbol, &rules);
}

/* {"products":[...]}, [...] or one product. */
static enum weir_err on_answer(struct venue *venue, struct weir_bytes target,
                               struct weir_bytes body)
{
    struct scan scan = scan_of(body);
    if (!market_after(target, "/products").data)
        return WEIR_OK;
    if (market_begins(body, "{\"products\":"))
        return rows_answer(venue, body, "products", read_product);
    if (scan_peek(&scan) == '{')
        read_product(venue, &scan);
    else
        rows_each(venue, &scan, read_product);
    return scan_done(&scan) ? WEIR_OK : WEIR_E_BAD_FRAME;
}

/* --- what is asked for ------------------------------------------------------------------------- */

static size_t info_path(const struct venue *venue, const struct market_symbol *symbol, char *to,
                        size_t room)
{
    return (size_t)snprintf(to, room,
                            venue->which == MARKET_ADVANCED ? "/api/v3/brokerage/market/products/%s"
                                                            : "/products/%s",
                            symbol->name);
}

/* Channels close after a minute without data, but for this one's beat. */
static size_t greet(const struct venue *venue, unsigned n, char *to, size_t room)
{
    return n > 0 || venue->which != MARKET_ADVANCED
               ? 0
               : (size_t)snprintf(to, room, "{\"type\":\"subscribe\",\"channel\":\"heartbeats\"}");
}

static size_t ask(const struct venue *venue, const struct market_symbol *symbol,
                  enum venue_want want, unsigned n, char *to, size_t room)
{
    static const char *const advanced[] = {"level2", "market_trades", "ticker"};
    const char *verb = want == VENUE_LEAVE_BOOK ? "unsubscribe" : "subscribe";
    unsigned frames = want != VENUE_ENTER ? 1 : venue->which == MARKET_ADVANCED ? 3 : 1;
    if (n >= frames)
        return 0;
    if (venue->which == MARKET_ADVANCED)
        return (size_t)snprintf(to, room,
                                "{\"type\":\"%s\",\"product_ids\":[\"%s\"],\"channel\":\"%s\"}",
                                verb, symbol->name, advanced[n]);
    return (size_t)snprintf(
        to, room, "{\"type\":\"%s\",\"product_ids\":[\"%s\"],\"channels\":[%s]}", verb,
        symbol->name,
        want == VENUE_ENTER ? "\"level2_batch\",\"matches\",\"ticker\"" : "\"level2_batch\"");
}

static const struct venue_rules rules = {
    .name = "coinbase",
    .markets = markets,
    .at = "/",
    .greet = greet,
    .ask = ask,
    .info = info_path,
    .frame = on_frame,
    .answer = on_answer,
};

/* --- recordings -------------------------------------------------------------------------------- */

static uint32_t count(struct weir_bytes text, const char *word)
{
    uint32_t n = 0;
    for (text = market_after(text, word); text.data; text = market_after(text, word))
        n++;
    return n;
}

static struct weir_bytes first_product(struct weir_bytes bytes)
{
    struct weir_bytes text = market_after(bytes, "\"product_id\":");
    struct scan scan = scan_of(text);
    return text.data && scan_peek(&scan) == '"' ? scan_string(&scan)
                                                : (struct weir_bytes){bytes.data, 0};
}

static enum weir_err probe_advanced(struct weir_bytes bytes, struct weir_probe *out)
{
    struct advanced_frame frame;
    if (advanced_read(bytes, &frame) != WEIR_OK || !frame.numbered || frame.channel.len == 0)
        return WEIR_E_NOT_FOUND;
    market_set(out->market, sizeof out->market, market_text(markets[MARKET_ADVANCED]));
    market_set(out->type, sizeof out->type, frame.channel);
    bool rows = scan_is(frame.channel, "market_trades");
    if (rows || scan_is(frame.channel, "l2_data") || scan_is(frame.channel, "ticker"))
        market_set(out->symbol, sizeof out->symbol, first_product(bytes));
    if (rows && market_after(rows_begin(bytes, 300), "\"type\":\"snapshot\"").data)
        out->snapshot_trades = count(bytes, "\"trade_id\":");
    return WEIR_OK;
}

static enum weir_err probe_exchange(struct weir_bytes bytes, struct weir_probe *out)
{
    static const char *const types[] = {"subscriptions", "snapshot",   "l2update", "ticker",
                                        "match",         "last_match", "heartbeat"};
    struct scan scan = scan_of(bytes);
    struct weir_bytes key, type = {bytes.data, 0}, name = type;
    bool known = false;
    int first = 1;
    scan_expect(&scan, '{');
    while (scan_key(&scan, &first, &key)) {
        if (scan_is(key, "type"))
            type = market_word(&scan);
        else if (scan_is(key, "product_id"))
            name = market_word(&scan);
        else
            scan_skip(&scan);
        if (type.len > 0 && name.len > 0)
            break;
    }
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        known = known || scan_is(type, types[i]);
    if (!known || (name.len == 0 && !scan_is(type, "subscriptions")))
        return WEIR_E_NOT_FOUND;
    return rows_probed(out, markets[MARKET_EXCHANGE], type, name);
}

static enum weir_err probe(struct weir_bytes bytes, struct weir_probe *out)
{
    *out = (struct weir_probe){.size = sizeof *out};
    if (market_begins(bytes, "{\"products\":["))
        return rows_probed(out, markets[MARKET_ADVANCED], market_text("products"),
                           (struct weir_bytes){0});
    if (bytes.len == 0 || bytes.data[0] != '{')
        return WEIR_E_NOT_FOUND;
    return market_after(rows_begin(bytes, 200), "\"channel\":").data &&
                   market_after(bytes, "\"sequence_num\":").data
               ? probe_advanced(bytes, out)
               : probe_exchange(bytes, out);
}

static const struct weir_caps caps = {
    .size = sizeof caps,
    .book_rule = WEIR_RULE_NONE, /* of Advanced Trade each frame is numbered */
    .client_id_max = 36,
    .data_age_max = 30 * MARKET_SECOND,
};

VENUE_PLUGIN("coinbase", rules, "0.1.0", caps, probe, NULL, NULL);
