/* bybit.c - Bybit v5: books, trades and best prices of linear and inverse contracts and of spot.
 *
 *   {"topic":"orderbook.200.BTCUSDT","type":"snapshot"|"delta","ts":ms,
 *    "data":{"s":"BTCUSDT","b":[[price,size]...],"a":[...],"u":n,"seq":n},"cts":ms}
 *
 * MARKETS  linear, inverse and spot are connections of their own and have symbols in common; one
 *          session is one market, and a recording tells it by the address of its connection.
 * BOOKS    A snapshot, then changes with u one more each time; size 0 removes. A snapshot in the
 *          middle (u = 1 after a restart of the service, or any other) replaces the book. Of the
 *          depths 1, 50, 200, 500 and 1000 a session uses one: the first that it sees, but for
 *          depth 1, which is told as tops.
 * TRADES   S is the taker's side; i is a UUID on contracts and a number on spot. The order of the
 *          members differs by market, so none is relied on.
 *
 * Read: Bybit API v5, websocket/public/orderbook, trade and ticker (commit 072c197, 2026); recorded
 * frames of 2024-12 and 2026-08. */
#include <stdio.h>

#include "shared/rows.h"

static const char *const markets[] = {"linear", "spot", "inverse", NULL};

struct frame {
    struct weir_bytes topic, type, op, symbol;
    struct scan data; /* at NULL: none */
    uint64_t ts, cts;
    bool refused;
};

static enum weir_err read_frame(struct weir_bytes bytes, struct frame *frame)
{
    struct scan scan = scan_of(bytes);
    struct weir_bytes key;
    int first = 1;
    *frame = (struct frame){0};
    scan_expect(&scan, '{');
    while (scan_key(&scan, &first, &key)) {
        if (scan_is(key, "topic")) {
            frame->topic = market_word(&scan);
        } else if (scan_is(key, "type")) {
            frame->type = market_word(&scan);
        } else if (scan_is(key, "op")) {
            frame->op = market_word(&scan);
        } else if (scan_is(key, "ts")) {
            frame->ts = market_id(&scan);
        } else if (scan_is(key, "cts")) {
            frame->cts = market_id(&scan);
        } else if (scan_is(key, "success")) {
            frame->refused = scan_peek(&scan) == 'f';
            scan_skip(&scan);
        } else if (scan_is(key, "data")) {
            frame->data = scan;
            scan_skip(&scan);
        } else {
            scan_skip(&scan);
        }
    }
    size_t from = frame->topic.len;
    while (from > 0 && frame->topic.data[from - 1] != '.')
        from--;
    if (frame->topic.len > 0)
        frame->symbol = (struct weir_bytes){frame->topic.data + from, frame->topic.len - from};
    return scan_done(&scan) ? WEIR_OK : WEIR_E_BAD_FRAME;
}

/* --- books ------------------------------------------------------------------------------------- */

/* "orderbook.200.BTCUSDT": 200. */
static uint64_t depth_of(struct weir_bytes topic)
{
    struct weir_bytes text = market_after(topic, "orderbook.");
    uint64_t depth = 0;
    const char *point = text.data ? memchr(text.data, '.', text.len) : NULL;
    text.len = point ? (size_t)(point - text.data) : 0;
    return market_id_of(text, &depth) ? depth : 0;
}

static enum weir_err tell_best(struct venue *venue, struct market_symbol *symbol,
                               const struct frame *frame, uint64_t u)
{
    struct market *market = &venue->market;
    struct weir_level none = {0, 0};
    struct weir_level bid = market->bids_count > 0 ? market->book->levels[0] : none;
    struct weir_level ask = market->asks_count > 0 ? market->asks[0] : none;
    struct weir_top top = {.msg.t_venue = market_ms(frame->cts ? frame->cts : frame->ts),
                           .bid = bid.px,
                           .ask = ask.px,
                           .bid_qty = bid.qty,
                           .ask_qty = ask.qty};
    (void)u; /* each depth has numbers of its own, so they say nothing about the book */
    market->book = NULL;
    market_top(market, symbol, &top);
    return WEIR_OK;
}

static enum weir_err read_book(struct venue *venue, struct market_symbol *symbol,
                               const struct frame *frame)
{
    struct scan scan = frame->data;
    struct weir_book_msg head = {.msg.t_venue = market_ms(frame->cts ? frame->cts : frame->ts)};
    struct weir_bytes key;
    int first = 1;
    uint64_t depth = depth_of(frame->topic);
    bool snapshot = scan_is(frame->type, "snapshot"), bids = false, asks = false;
    if (depth == 0 || (!snapshot && !scan_is(frame->type, "delta")))
        return WEIR_E_BAD_FRAME;
    if (depth > 1 && symbol->keep == 0)
        symbol->keep = (uint32_t)depth;
    if (depth > 1 && symbol->keep != depth)
        return WEIR_OK; /* another view of the same book */
    market_book(&venue->market, symbol);
    scan_expect(&scan, '{');
    while (scan_key(&scan, &first, &key)) {
        if (scan_is(key, "b"))
            market_levels(&venue->market, symbol, &scan, WEIR_BUY, false), bids = true;
        else if (scan_is(key, "a"))
            market_levels(&venue->market, symbol, &scan, WEIR_SELL, false), asks = true;
        else if (scan_is(key, "u"))
            head.last_seq = market_id(&scan);
        else if (scan_is(key, "seq"))
            head.first_seq = market_id(&scan);
        else if (scan_is(key, "s"))
            market_same_name(symbol, &scan);
        else
            scan_skip(&scan);
    }
    if (!scan_ok(&scan))
        return scan.err;
    if (depth == 1)
        return snapshot ? tell_best(venue, symbol, frame, head.last_seq) : WEIR_OK;
    if (head.last_seq == 0 || !bids || !asks)
        return WEIR_E_BAD_FRAME;
    head.msg.flags = snapshot ? WEIR_BOOK_SNAPSHOT : 0;
    market_book_end(&venue->market, symbol, &head);
    return WEIR_OK;
}

/* --- trades and best prices -------------------------------------------------------------------- */

static void set_id(struct weir_trade *trade, struct weir_bytes text)
{
    trade->msg.flags |= WEIR_TRADE_ID_TEXT;
    if (market_id_of(text, &trade->id))
        return;
    if (market_uuid(text, &trade->id_high, &trade->id))
        trade->msg.flags |= WEIR_TRADE_ID_UUID;
}

/* A block trade is none of the book. */
static void other(struct weir_trade *trade, struct scan *scan, struct weir_bytes key)
{
    if (scan_is(key, "BT"))
        trade->msg.flags |= scan_bool(scan) ? WEIR_TRADE_OFF_BOOK : 0;
    else
        scan_skip(scan);
}

static enum weir_err read_trades(struct venue *venue, struct market_symbol *symbol,
                                 const struct frame *frame)
{
    static const struct trade_words words = {
        .px = "p",
        .qty = "v",
        .side = "S",
        .id = "i",
        .time = "T",
        .buy = "Buy",
        .sell = "Sell",
        .number = scan_decimal,
        .time_at = market_ms_at,
        .set_id = set_id,
        .other = other,
    };
    return rows_trades(&venue->market, symbol, frame->data, &words);
}

/* Only what changed is in it. */
static enum weir_err read_ticker(struct venue *venue, struct market_symbol *symbol,
                                 const struct frame *frame)
{
    static const struct mark_words words = {.mark = "markPrice",
                                            .index = "indexPrice",
                                            .rate = "fundingRate",
                                            .next = "nextFundingTime",
                                            .next_at = market_ms_or_none};
    struct scan scan = frame->data;
    struct marks marks = {.t = market_ms(frame->ts)};
    struct weir_bytes key;
    int first = 1;
    scan_expect(&scan, '{');
    while (scan_key(&scan, &first, &key))
        if (!rows_mark(symbol, &scan, &words, key, &marks))
            scan_skip(&scan);
    if (scan_ok(&scan))
        rows_tell_marks(&venue->market, symbol, &marks);
    return scan.err;
}

/* --- a frame ----------------------------------------------------------------------------------- */

static enum weir_err on_frame(struct venue *venue, uint32_t conn, struct weir_bytes bytes)
{
    struct frame frame;
    (void)conn;
    enum weir_err err = read_frame(bytes, &frame);
    if (err != WEIR_OK)
        return err;
    if (frame.refused)
        market_say(&venue->market, "the venue refuses a request", "success: false");
    enum weir_err (*read)(struct venue *, struct market_symbol *, const struct frame *) =
        market_begins(frame.topic, "orderbook.")     ? read_book
        : market_begins(frame.topic, "publicTrade.") ? read_trades
        : market_begins(frame.topic, "tickers.")     ? read_ticker
                                                     : NULL;
    if (!read || !frame.data.at)
        return WEIR_OK;
    struct market_symbol *symbol = market_symbol_of(&venue->market, frame.symbol, bytes, &err);
    if (!symbol)
        return err;
    return read(venue, symbol, &frame);
}

/* --- instruments-info -------------------------------------------------------------------------- */

static const char *kind_name(const struct venue *venue)
{
    return venue->rules->markets[venue->which];
}

static void read_instrument(struct venue *venue, struct scan *scan)
{
    struct market_rules rules = {0};
    struct weir_bytes name = {0}, status = {0}, prices = {0}, sizes = {0};
    const struct rows_word words[] = {
        {"symbol", &name},           {"status", &status},      {"baseCoin", &rules.base},
        {"quoteCoin", &rules.quote}, {"priceFilter", &prices}, {"lotSizeFilter", &sizes},
    };
    const struct rows_word filter[] = {
        {"tickSize", &rules.tick},
        {"basePrecision", &rules.step},
        {"qtyStep", &rules.step},
        {"minOrderAmt", &rules.min_notional},
        {"minNotionalValue", &rules.min_notional},
    };
    rows_words(scan, words, sizeof words / sizeof words[0]);
    for (int i = 0; i < 2; i++) {
        struct scan inside = scan_of(i == 0 ? prices : sizes);
        if (scan_peek(&inside) == '{')
            rows_words(&inside, filter, sizeof filter / sizeof filter[0]);
    }
    struct market_symbol *symbol = rows_symbol(venue, scan, name);
    if (!symbol)
        return;
    rules.kind = strcmp(kind_name(venue), "spot") == 0      ? WEIR_SPOT
                 : strcmp(kind_name(venue), "inverse") == 0 ? WEIR_INVERSE
                                                            : WEIR_LINEAR;
    rules.halted = rows_halted(status, "Trading");
    market_rule(&venue->market, symbol, &rules);
}

/* {"result":{"category":"linear","list":[...]}} */
static void read_result(struct venue *venue, struct scan *scan)
{
    if (scan_peek(scan) == '{')
        rows_below(venue, scan, "list", read_instrument);
    else
        scan_skip(scan);
}

static enum weir_err on_answer(struct venue *venue, struct weir_bytes target,
                               struct weir_bytes body)
{
    return market_after(target, "/instruments-info").data
               ? rows_answer(venue, body, "result", read_result)
               : WEIR_OK;
}

/* --- what is asked for ------------------------------------------------------------------------- */

static size_t path_of(const struct venue *venue, char *to, size_t room)
{
    return (size_t)snprintf(to, room, "/v5/public/%s", kind_name(venue));
}

static size_t info_path(const struct venue *venue, const struct market_symbol *symbol, char *to,
                        size_t room)
{
    return (size_t)snprintf(to, room, "/v5/market/instruments-info?category=%s&symbol=%s",
                            kind_name(venue), symbol->name);
}

static size_t ask(const struct venue *venue, const struct market_symbol *symbol,
                  enum venue_want want, unsigned n, char *to, size_t room)
{
    const char *id = symbol->name;
    if (n > 0)
        return 0;
    if (want == VENUE_ENTER)
        return (size_t)snprintf(to, room,
                                "{\"op\":\"subscribe\",\"args\":[\"orderbook.%u.%s\","
                                "\"publicTrade.%s\",\"tickers.%s\"]}",
                                venue->depth, id, id, id);
    return (size_t)snprintf(to, room, "{\"op\":\"%s\",\"args\":[\"orderbook.%u.%s\"]}",
                            want == VENUE_LEAVE_BOOK ? "unsubscribe" : "subscribe", venue->depth,
                            id);
}

static const struct venue_rules rules = {
    .name = "bybit",
    .markets = markets,
    .depth = 200,
    .ping = "{\"op\":\"ping\"}",
    .ping_every = 20 * MARKET_SECOND,
    .path = path_of,
    .ask = ask,
    .info = info_path,
    .frame = on_frame,
    .answer = on_answer,
};

/* --- recordings -------------------------------------------------------------------------------- */

static enum weir_err probe_address(struct weir_bytes address, struct weir_probe *out)
{
    struct weir_bytes market = market_after(address, "/v5/public/");
    for (unsigned i = 0; market.data && market_after(address, "bybit").data && markets[i]; i++)
        if (market_begins(market, markets[i])) {
            market_set(out->market, sizeof out->market, market_text(markets[i]));
            return WEIR_OK;
        }
    return WEIR_E_NOT_FOUND;
}

static enum weir_err probe_answer(struct weir_bytes body, struct weir_probe *out)
{
    struct weir_bytes market = market_after(rows_begin(body, 400), "\"category\":\"");
    for (unsigned i = 0; market.data && markets[i]; i++)
        if (market_begins(market, markets[i]))
            return rows_probed(out, markets[i], market_text("instruments-info"),
                               (struct weir_bytes){0});
    return WEIR_E_NOT_FOUND;
}

/* A frame does not tell its market: it is linear where nothing else does. */
static enum weir_err probe(struct weir_bytes bytes, struct weir_probe *out)
{
    static const char *const topics[] = {"orderbook.",      "publicTrade.", "tickers.", "kline.",
                                         "allLiquidation.", "liquidation.", "lt."};
    struct frame frame;
    char type[WEIR_SYMBOL_MAX];
    *out = (struct weir_probe){.size = sizeof *out};
    if (market_begins(bytes, "wss://"))
        return probe_address(bytes, out);
    if (market_begins(bytes, "{\"retCode\":0,"))
        return probe_answer(bytes, out);
    if (bytes.len == 0 || bytes.data[0] != '{' || read_frame(bytes, &frame) != WEIR_OK)
        return WEIR_E_NOT_FOUND;
    bool known = frame.op.len > 0 && market_after(bytes, "\"conn_id\":").data;
    for (size_t i = 0; i < sizeof topics / sizeof topics[0] && !known; i++)
        known = market_begins(frame.topic, topics[i]);
    if (!known)
        return WEIR_E_NOT_FOUND;
    if (frame.topic.len > 0) {
        (void)rows_probed(out, markets[0], rows_head(frame.topic), frame.symbol);
        market_set(out->stream, sizeof out->stream, frame.topic);
    } else {
        int len = snprintf(type, sizeof type, "op:%.*s", (int)frame.op.len, frame.op.data);
        market_set(out->type, sizeof out->type, (struct weir_bytes){type, (size_t)len});
    }
    return WEIR_OK;
}

static const struct weir_caps caps = {
    .size = sizeof caps,
    .book_rule = WEIR_RULE_NEXT,
    .client_id_max = 36,
    .book_depth = 1000,
    .data_age_max = 30 * MARKET_SECOND,
};

VENUE_PLUGIN("bybit", rules, "0.1.0", caps, probe, "u", "seq");
