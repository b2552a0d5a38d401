/* v2.c - Kraken WebSockets v2: frames are objects, prices and sizes JSON numbers. */
#include "kraken.h"

static void read_result(struct scan *scan, struct v2_frame *frame)
{
    struct weir_bytes key;
    int first = 1;
    if (scan_peek(scan) != '{') {
        scan_skip(scan);
        return;
    }
    scan_expect(scan, '{');
    while (scan_key(scan, &first, &key)) {
        if (scan_is(key, "symbol") && scan_peek(scan) == '"')
            frame->symbol = scan_string(scan);
        else if (scan_is(key, "depth"))
            frame->depth = market_id(scan);
        else
            scan_skip(scan);
    }
}

enum weir_err v2_read(struct weir_bytes bytes, struct v2_frame *frame, bool whole)
{
    struct scan scan = scan_of(bytes);
    struct weir_bytes key;
    int first = 1;
    *frame = (struct v2_frame){0};
    scan_expect(&scan, '{');
    while (scan_key(&scan, &first, &key)) {
        if (scan_is(key, "channel")) {
            frame->channel = market_word(&scan);
        } else if (scan_is(key, "type")) {
            frame->type = market_word(&scan);
        } else if (scan_is(key, "method")) {
            frame->method = market_word(&scan);
        } else if (scan_is(key, "event")) {
            frame->event = market_word(&scan);
        } else if (scan_is(key, "error")) {
            frame->error = market_word(&scan);
        } else if (scan_is(key, "result")) {
            read_result(&scan, frame);
        } else if (scan_is(key, "data")) {
            frame->data = scan;
            if (!whole)
                return scan.err;
            scan_skip(&scan);
        } else {
            frame->foreign = frame->foreign || scan_is(key, "sequence_num") ||
                             scan_is(key, "jsonrpc") || scan_is(key, "arg");
            scan_skip(&scan);
        }
    }
    return scan_done(&scan) ? WEIR_OK : WEIR_E_BAD_FRAME;
}

/* --- books ------------------------------------------------------------------------------------- */

/* [{"price":1.5,"qty":0.1}, ...] */
static void read_levels(struct venue *venue, struct market_symbol *symbol, struct scan *scan,
                        enum weir_side side)
{
    struct weir_bytes key;
    int first = 1;
    scan_expect(scan, '[');
    while (scan_item(scan, &first)) {
        struct weir_level level = {0, -1};
        int first_key = 1;
        scan_expect(scan, '{');
        while (scan_key(scan, &first_key, &key)) {
            if (scan_is(key, "price"))
                level.px = market_noted(scan, symbol->px_exp, &symbol->px_places);
            else if (scan_is(key, "qty"))
                level.qty = market_noted(scan, symbol->qty_exp, &symbol->qty_places);
            else
                scan_skip(scan);
        }
        if (scan_ok(scan) && (level.px <= 0 || level.qty < 0))
            scan_fail(scan, WEIR_E_BAD_FRAME);
        market_level(&venue->market, side, level);
    }
}

/* The symbol that a row is of: it may stand behind its prices. */
static struct market_symbol *symbol_of(struct venue *venue, struct scan scan, enum weir_err *err)
{
    struct weir_bytes key, name = {0}, sample = {scan.at, 0};
    int first = 1;
    scan_expect(&scan, '{');
    while (scan_key(&scan, &first, &key)) {
        if (scan_is(key, "symbol"))
            name = market_word(&scan);
        else
            scan_skip(&scan);
        if (name.len > 0) {
            struct market_symbol *symbol = market_find(&venue->market, name);
            if (symbol && symbol->number != 0)
                return market_wants(&venue->market, symbol) ? symbol : NULL;
        }
    }
    sample.len = (size_t)(scan.at - sample.data);
    return market_symbol_of(&venue->market, name, sample, err);
}

static enum weir_err read_book(struct venue *venue, struct market_symbol *symbol, struct scan *scan,
                               const struct v2_frame *frame)
{
    struct weir_bytes key, time = {scan->at, 0};
    bool summed = false, snapshot = scan_is(frame->type, "snapshot");
    uint32_t checksum = 0;
    int first = 1, sides = 0;
    market_book(&venue->market, symbol);
    scan_expect(scan, '{');
    while (scan_key(scan, &first, &key)) {
        if (scan_is(key, "bids")) {
            read_levels(venue, symbol, scan, WEIR_BUY), sides |= 1;
        } else if (scan_is(key, "asks")) {
            read_levels(venue, symbol, scan, WEIR_SELL), sides |= 2;
        } else if (scan_is(key, "checksum")) {
            checksum = (uint32_t)market_id(scan);
            summed = true;
        } else if (scan_is(key, "timestamp")) {
            time = market_word(scan);
        } else {
            scan_skip(scan);
        }
    }
    if (scan_ok(scan) && (sides != 3 || !summed || (!snapshot && !scan_is(frame->type, "update"))))
        return WEIR_E_BAD_FRAME;
    if (snapshot && symbol->keep == 0) { /* nobody told how many levels were asked for */
        uint32_t bids = venue->market.bids_count, asks = venue->market.asks_count;
        symbol->keep = kraken_depth(bids > asks ? bids : asks);
    }
    kraken_book_end(venue, symbol, snapshot, summed, checksum, market_time(time));
    return scan->err;
}

/* --- trades and best prices -------------------------------------------------------------------- */

static enum weir_err read_trade(struct venue *venue, struct market_symbol *symbol,
                                struct scan *scan, const struct v2_frame *frame)
{
    static const struct trade_words words = {
        .px = "price",
        .qty = "qty",
        .side = "side",
        .id = "trade_id",
        .time = "timestamp",
        .buy = "buy",
        .sell = "sell",
        .number = market_number,
        .time_at = market_time_at,
    };
    struct weir_trade trade = rows_trade(symbol, scan, &words);
    if (!scan_is(frame->type, "snapshot")) /* past trades */
        market_trade(&venue->market, symbol, &trade);
    return scan->err;
}

static enum weir_err read_ticker(struct venue *venue, struct market_symbol *symbol,
                                 struct scan *scan, const struct v2_frame *frame)
{
    static const struct top_words words = {.bid = "bid",
                                           .bid_qty = "bid_qty",
                                           .ask = "ask",
                                           .ask_qty = "ask_qty",
                                           .time = "timestamp",
                                           .number = market_number,
                                           .time_at = market_time_at};
    struct weir_top top = rows_top(symbol, scan, &words, NULL);
    (void)frame;
    if (scan_ok(scan))
        market_top(&venue->market, symbol, &top);
    return scan->err;
}

/* --- the rules of pairs ------------------------------------------------------------------------ */

static void read_pair(struct venue *venue, struct scan *scan)
{
    struct market_rules rules = {.kind = WEIR_SPOT};
    struct weir_bytes name = {0}, status = {0}, px_text = {0}, qty_text = {0};
    uint64_t px_places = 99, qty_places = 99;
    const struct rows_word words[] = {
        {"symbol", &name},
        {"base", &rules.base},
        {"quote", &rules.quote},
        {"status", &status},
        {"price_increment", &rules.tick},
        {"qty_increment", &rules.step},
        {"cost_min", &rules.min_notional},
        {"price_precision", &px_text},
        {"qty_precision", &qty_text},
    };
    rows_words(scan, words, sizeof words / sizeof words[0]);
    if ((px_text.len > 0 && !market_id_of(px_text, &px_places)) ||
        (qty_text.len > 0 && !market_id_of(qty_text, &qty_places)))
        scan_fail(scan, WEIR_E_BAD_NUMBER);
    struct market_symbol *symbol = rows_symbol(venue, scan, name);
    if (!symbol)
        return;
    rules.halted = rows_halted(status, "online");
    market_rule(&venue->market, symbol, &rules);
    if (px_places <= 18 && qty_places <= 18) {
        symbol->px_places = (uint8_t)px_places;
        symbol->qty_places = (uint8_t)qty_places;
    }
}

/* --- a frame ----------------------------------------------------------------------------------- */

enum weir_err v2_frame(struct venue *venue, struct weir_bytes bytes)
{
    struct v2_frame frame;
    enum weir_err err = v2_read(bytes, &frame, true);
    if (err != WEIR_OK)
        return err;
    if (frame.error.len > 0)
        market_say(&venue->market, "the venue refuses a request", "see its frame");
    if (frame.symbol.len > 0 && frame.depth > 0) {
        struct market_symbol *symbol = market_add(&venue->market, frame.symbol);
        if (symbol)
            symbol->keep = kraken_depth(frame.depth);
    }
    enum weir_err (*read)(struct venue *, struct market_symbol *, struct scan *,
                          const struct v2_frame *) = scan_is(frame.channel, "book")    ? read_book
                                                     : scan_is(frame.channel, "trade") ? read_trade
                                                     : scan_is(frame.channel, "ticker")
                                                         ? read_ticker
                                                         : NULL;
    if (!frame.data.at)
        return WEIR_OK;
    if (scan_is(frame.channel, "instrument"))
        return rows_below(venue, &frame.data, "pairs", read_pair), frame.data.err;
    if (!read)
        return WEIR_OK;
    int first = 1;
    scan_expect(&frame.data, '[');
    while (scan_item(&frame.data, &first) && err == WEIR_OK) {
        struct market_symbol *symbol = symbol_of(venue, frame.data, &err);
        if (symbol)
            err = read(venue, symbol, &frame.data, &frame);
        else
            scan_skip(&frame.data);
    }
    return err != WEIR_OK ? err : frame.data.err;
}
