/* deribit.c - Deribit: books, trades, quotes and marks of options, futures, perpetuals and spot.
 *
 *   {"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.BTC-PERPETUAL.raw","data":
 *    {"type":"snapshot"|"change","timestamp":ms,"change_id":n,"prev_change_id":n,
 *     "bids":[["new"|"change"|"delete", price, amount]...],"asks":[...]}}}
 *
 * BOOKS    A snapshot, then changes; each names the change before it. Prices and amounts are JSON
 *          numbers: their text is read, never a rounded double. `book.X.raw`, `.agg2` and `.100ms` are
 *          followed; the grouped ones (`book.X.none.20.100ms`) are whole books each time.
 * AMOUNTS  of inverse contracts are USD, of options and linear ones the base currency.
 *
 * Read: docs.deribit.com, book, trades, ticker and quote subscriptions, public/get_instruments
 * (2026-08); recorded frames of 2021-07 and 2026-08. */
#include <stdio.h>

#include "shared/rows.h"

static const char *const markets[] = {"v2", NULL};

struct frame {
    struct weir_bytes method, channel, type; /* type: of a heartbeat */
    struct scan data;                        /* at NULL: none */
    bool jsonrpc, error;
};

static void read_params(struct scan *scan, struct frame *frame)
{
    struct weir_bytes key;
    int first = 1;
    if (scan_peek(scan) != '{') {
        scan_skip(scan);
        return;
    }
    scan_expect(scan, '{');
    while (scan_key(scan, &first, &key)) {
        if (scan_is(key, "channel")) {
            frame->channel = market_word(scan);
        } else if (scan_is(key, "type")) {
            frame->type = market_word(scan);
        } else if (scan_is(key, "data")) {
            frame->data = *scan;
            scan_skip(scan);
        } else {
            scan_skip(scan);
        }
    }
}

static enum weir_err read_frame(struct weir_bytes bytes, struct frame *frame)
{
    struct scan scan = scan_of(bytes);
    struct weir_bytes key;
    int first = 1;
    *frame = (struct frame){0};
    scan_expect(&scan, '{');
    while (scan_key(&scan, &first, &key)) {
        if (scan_is(key, "params")) {
            read_params(&scan, frame);
        } else if (scan_is(key, "method")) {
            frame->method = market_word(&scan);
        } else {
            frame->jsonrpc = frame->jsonrpc || scan_is(key, "jsonrpc");
            frame->error = frame->error || scan_is(key, "error");
            scan_skip(&scan);
        }
    }
    return scan_done(&scan) ? WEIR_OK : WEIR_E_BAD_FRAME;
}

/* "book.BTC-PERPETUAL.raw": BTC-PERPETUAL. */
static struct weir_bytes symbol_in(struct weir_bytes channel)
{
    const char *from = channel.len > 0 ? memchr(channel.data, '.', channel.len) : NULL;
    if (!from)
        return (struct weir_bytes){channel.data, 0};
    const char *end = channel.data + channel.len;
    const char *to = memchr(from + 1, '.', (size_t)(end - from - 1));
    return (struct weir_bytes){from + 1, (size_t)((to ? to : end) - from - 1)};
}

/* --- books ------------------------------------------------------------------------------------- */

/* [["new", 0.001, 2.6], ...], or [[price, amount], ...] of a grouped book. */
static void read_levels(struct venue *venue, const struct market_symbol *symbol, struct scan *scan,
                        enum weir_side side)
{
    int first = 1;
    scan_expect(scan, '[');
    while (scan_item(scan, &first)) {
        struct weir_level level;
        struct weir_bytes action = {scan->at, 0};
        scan_expect(scan, '[');
        if (scan_peek(scan) == '"') {
            action = scan_string(scan);
            scan_expect(scan, ',');
        }
        level.px = market_number(scan, symbol->px_exp);
        scan_expect(scan, ',');
        level.qty = market_number(scan, symbol->qty_exp);
        scan_expect(scan, ']');
        if (scan_is(action, "delete"))
            level.qty = 0;
        else if (action.len > 0 && !scan_is(action, "new") && !scan_is(action, "change"))
            scan_fail(scan, WEIR_E_BAD_FRAME);
        if (scan_ok(scan) && (level.px <= 0 || level.qty < 0))
            scan_fail(scan, WEIR_E_BAD_FRAME);
        market_level(&venue->market, side, level);
    }
}

static enum weir_err read_book(struct venue *venue, struct market_symbol *symbol,
                               const struct frame *frame)
{
    struct scan scan = frame->data;
    struct weir_book_msg head = {0};
    struct weir_bytes key, type = {scan.at, 0};
    bool bids = false, asks = false;
    int first = 1;
    market_book(&venue->market, symbol);
    scan_expect(&scan, '{');
    while (scan_key(&scan, &first, &key)) {
        if (scan_is(key, "bids"))
            read_levels(venue, symbol, &scan, WEIR_BUY), bids = true;
        else if (scan_is(key, "asks"))
            read_levels(venue, symbol, &scan, WEIR_SELL), asks = true;
        else if (scan_is(key, "type"))
            type = market_word(&scan);
        else if (scan_is(key, "timestamp"))
            head.msg.t_venue = market_ms(market_id(&scan));
        else if (scan_is(key, "change_id"))
            head.last_seq = market_id(&scan);
        else if (scan_is(key, "prev_change_id"))
            head.prev_seq = market_id(&scan);
        else if (scan_is(key, "instrument_name"))
            market_same_name(symbol, &scan);
        else
            scan_skip(&scan);
    }
    bool snapshot = type.len == 0 || scan_is(type, "snapshot");
    if (!scan_ok(&scan) || head.last_seq == 0 || !bids || !asks ||
        (!snapshot && !scan_is(type, "change")))
        return scan_ok(&scan) ? WEIR_E_BAD_FRAME : scan.err;
    head.msg.flags = snapshot ? WEIR_BOOK_SNAPSHOT : 0;
    market_book_end(&venue->market, symbol, &head);
    return WEIR_OK;
}

/* --- trades, quotes, marks --------------------------------------------------------------------- */

/* The id is a text: digits, or "ETH-123456". */
static void set_id(struct weir_trade *trade, struct weir_bytes text)
{
    const char *dash = text.len > 0 ? memchr(text.data, '-', text.len) : NULL;
    if (dash)
        text = (struct weir_bytes){dash + 1, (size_t)(text.data + text.len - dash - 1)};
    trade->msg.flags |= WEIR_TRADE_ID_TEXT;
    if (!market_id_of(text, &trade->id))
        trade->id = 0;
}

/* A block trade is none of the book. */
static void of_trade(struct weir_trade *trade, struct scan *scan, struct weir_bytes key)
{
    if (scan_is(key, "block_trade_id"))
        trade->msg.flags |= WEIR_TRADE_OFF_BOOK;
    scan_skip(scan);
}

static enum weir_err read_trades(struct venue *venue, struct market_symbol *symbol,
                                 const struct frame *frame)
{
    static const struct trade_words words = {
        .px = "price",
        .qty = "amount",
        .side = "direction",
        .id = "trade_id",
        .time = "timestamp",
        .buy = "buy",
        .sell = "sell",
        .number = market_number,
        .time_at = market_ms_at,
        .set_id = set_id,
        .other = of_trade,
    };
    return rows_trades(&venue->market, symbol, frame->data, &words);
}

/* Perpetuals pay all the time: there is no next time. */
static void of_quote(const struct market_symbol *symbol, struct scan *scan, struct weir_bytes key,
                     void *marks)
{
    static const struct mark_words words = {
        .mark = "mark_price", .index = "index_price", .rate = "current_funding"};
    if (!rows_mark(symbol, scan, &words, key, marks))
        scan_skip(scan);
}

/* Of `ticker` and `quote`: best prices, and the mark where it is finer than the tick but can be said. */
static enum weir_err read_quote(struct venue *venue, struct market_symbol *symbol,
                                const struct frame *frame)
{
    static const struct top_words words = {.bid = "best_bid_price",
                                           .bid_qty = "best_bid_amount",
                                           .ask = "best_ask_price",
                                           .ask_qty = "best_ask_amount",
                                           .time = "timestamp",
                                           .number = market_number_or_none,
                                           .time_at = market_ms_at,
                                           .other = of_quote};
    struct scan scan = frame->data;
    struct marks marks = {0};
    struct weir_top top = rows_top(symbol, &scan, &words, &marks);
    if (!scan_ok(&scan))
        return scan.err;
    marks.t = top.msg.t_venue;
    market_top(&venue->market, symbol, &top);
    rows_tell_marks(&venue->market, symbol, &marks);
    return WEIR_OK;
}

/* --- a frame ----------------------------------------------------------------------------------- */

static enum weir_err on_frame(struct venue *venue, uint32_t conn, struct weir_bytes bytes)
{
    static const char answer[] = "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"public/test\"}";
    struct frame frame;
    (void)conn;
    enum weir_err err = read_frame(bytes, &frame);
    if (err != WEIR_OK)
        return err;
    if (scan_is(frame.method, "heartbeat"))
        return scan_is(frame.type, "test_request") ? venue_send(venue, answer, sizeof answer - 1)
                                                   : WEIR_OK;
    if (frame.error)
        market_say(&venue->market, "the venue refuses a request", "see its frame");
    enum weir_err (*read)(struct venue *, struct market_symbol *, const struct frame *) =
        market_begins(frame.channel, "book.")     ? read_book
        : market_begins(frame.channel, "trades.") ? read_trades
        : market_begins(frame.channel, "ticker.") ? read_quote
        : market_begins(frame.channel, "quote.")  ? read_quote
                                                  : NULL;
    struct weir_bytes name = symbol_in(frame.channel);
    if (!read || !frame.data.at || scan_is(name, "any") || scan_is(name, "option") ||
        scan_is(name, "future"))
        return WEIR_OK;
    struct market_symbol *symbol = market_symbol_of(&venue->market, name, bytes, &err);
    return symbol ? read(venue, symbol, &frame) : err;
}

/* --- get_instruments --------------------------------------------------------------------------- */

/* [{"above_price":...,"tick_size":...}, ...]: the finest step that holds for part of the prices. */
static void read_steps(struct weir_bytes steps, struct market_rules *rules)
{
    struct scan scan = scan_of(steps);
    int first = 1;
    scan_expect(&scan, '[');
    while (scan_item(&scan, &first)) {
        struct weir_bytes tick = {0};
        const struct rows_word word = {"tick_size", &tick};
        rows_words(&scan, &word, 1);
        if (tick.len > 0 && market_places(tick) > market_places(rules->tick))
            rules->tick = tick;
    }
}

static void read_instrument(struct venue *venue, struct scan *scan)
{
    struct market_rules rules = {.kind = WEIR_LINEAR};
    struct weir_bytes name = {0}, kind = {0}, type = {0}, active = {0}, steps = {0};
    const struct rows_word words[] = {
        {"instrument_name", &name},       {"kind", &kind},
        {"instrument_type", &type},       {"base_currency", &rules.base},
        {"quote_currency", &rules.quote}, {"tick_size", &rules.tick},
        {"tick_size_steps", &steps},      {"min_trade_amount", &rules.step},
        {"is_active", &active},
    };
    rows_words(scan, words, sizeof words / sizeof words[0]);
    struct market_symbol *symbol = rows_symbol(venue, scan, name);
    if (!symbol)
        return;
    if (market_begins(steps, "["))
        read_steps(steps, &rules);
    bool future = market_begins(kind, "future");
    if (market_begins(kind, "spot"))
        rules.kind = WEIR_SPOT;
    else if (future && !scan_is(type, "linear"))
        rules.kind = WEIR_INVERSE; /* amounts are USD, so one of them is one unit */
    rules.halted = scan_is(active, "false");
    market_rule(&venue->market, symbol, &rules);
}

static enum weir_err on_answer(struct venue *venue, struct weir_bytes target,
                               struct weir_bytes body)
{
    return market_after(target, "/public/get_instrument").data
               ? rows_answer(venue, body, "result", read_instrument)
               : WEIR_OK;
}

/* --- what is asked for ------------------------------------------------------------------------- */

static size_t info_path(const struct venue *venue, const struct market_symbol *symbol, char *to,
                        size_t room)
{
    (void)venue;
    return (size_t)snprintf(to, room, "/api/v2/public/get_instrument?instrument_name=%s",
                            symbol->name);
}

static size_t greet(const struct venue *venue, unsigned n, char *to, size_t room)
{
    (void)venue;
    return n > 0 ? 0
                 : (size_t)snprintf(to, room,
                                    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
                                    "\"public/set_heartbeat\",\"params\":{\"interval\":30}}");
}

/* Raw books need a session that is logged in, so the fastest public one is asked for. */
static size_t ask(const struct venue *venue, const struct market_symbol *symbol,
                  enum venue_want want, unsigned n, char *to, size_t room)
{
    const char *id = symbol->name;
    char more[2 * WEIR_SYMBOL_MAX + 40] = "";
    (void)venue;
    if (n > 0)
        return 0;
    if (want == VENUE_ENTER)
        (void)snprintf(more, sizeof more, ",\"trades.%s.100ms\",\"quote.%s\"", id, id);
    return (size_t)snprintf(to, room,
                            "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"public/%s\",\"params\":"
                            "{\"channels\":[\"book.%s.100ms\"%s]}}",
                            want == VENUE_LEAVE_BOOK ? "unsubscribe" : "subscribe", id, more);
}

static const struct venue_rules rules = {
    .name = "deribit",
    .markets = markets,
    .at = "/ws/api/v2",
    .greet = greet,
    .ask = ask,
    .info = info_path,
    .frame = on_frame,
    .answer = on_answer,
};

/* --- recordings -------------------------------------------------------------------------------- */

static enum weir_err probe(struct weir_bytes bytes, struct weir_probe *out)
{
    struct frame frame;
    *out = (struct weir_probe){.size = sizeof *out};
    if (!market_begins(bytes, "{\"jsonrpc\":\"2.0\"") || read_frame(bytes, &frame) != WEIR_OK)
        return WEIR_E_NOT_FOUND;
    if (frame.channel.len == 0)
        return rows_probed(out, markets[0], market_text("other"), frame.channel);
    (void)rows_probed(out, markets[0], rows_head(frame.channel), symbol_in(frame.channel));
    market_set(out->stream, sizeof out->stream, frame.channel);
    return WEIR_OK;
}

static const struct weir_caps caps = {
    .size = sizeof caps,
    .book_rule = WEIR_RULE_PREV,
    .client_id_max = 64,
    .data_age_max = 300 * MARKET_SECOND, /* many options stand still for minutes */
};

VENUE_PLUGIN("deribit", rules, "0.1.0", caps, probe, "change_id", NULL);
