/* exchange.c - Coinbase Exchange (once Pro):
 *
 *   {"type":"snapshot","product_id":"SKL-USD","asks":[[price,size]...],"bids":[...]}
 *   {"type":"l2update","product_id":"SKL-USD","changes":[["buy"|"sell",price,size]...],"time":...}
 *   {"type":"match","trade_id":n,"side":"sell","size":...,"price":...,"product_id":...,"time":...}
 *
 * level2 has no sequence numbers, only times that do not go back: what was left out cannot be seen. */
#include "coinbase.h"

static void read_changes(struct venue *venue, const struct market_symbol *symbol, struct scan *scan)
{
    int first = 1;
    scan_expect(scan, '[');
    while (scan_item(scan, &first)) {
        struct weir_level level;
        scan_expect(scan, '[');
        struct weir_bytes side = scan_string(scan);
        scan_expect(scan, ',');
        level.px = scan_decimal(scan, symbol->px_exp);
        scan_expect(scan, ',');
        level.qty = scan_decimal(scan, symbol->qty_exp);
        scan_expect(scan, ']');
        bool buy = scan_is(side, "buy");
        if (scan_ok(scan) && (level.px <= 0 || level.qty < 0 || (!buy && !scan_is(side, "sell"))))
            scan_fail(scan, WEIR_E_BAD_FRAME);
        market_level(&venue->market, buy ? WEIR_BUY : WEIR_SELL, level);
    }
}

/* A snapshot or an update, by which members there are. */
static enum weir_err read_book(struct venue *venue, struct market_symbol *symbol, struct scan scan,
                               bool snapshot)
{
    struct weir_book_msg head = {.msg.flags = snapshot ? WEIR_BOOK_SNAPSHOT : 0};
    struct weir_bytes key;
    int first = 1, sides = 0;
    market_book(&venue->market, symbol);
    scan_expect(&scan, '{');
    while (scan_key(&scan, &first, &key)) {
        if (snapshot && scan_is(key, "asks"))
            market_levels(&venue->market, symbol, &scan, WEIR_SELL, false), sides++;
        else if (snapshot && scan_is(key, "bids"))
            market_levels(&venue->market, symbol, &scan, WEIR_BUY, false), sides++;
        else if (!snapshot && scan_is(key, "changes"))
            read_changes(venue, symbol, &scan), sides += 2;
        else if (scan_is(key, "time"))
            head.msg.t_venue = market_time(market_word(&scan));
        else
            scan_skip(&scan);
    }
    if (scan_ok(&scan) && (sides != 2 || (!snapshot && head.msg.t_venue == 0)))
        scan_fail(&scan, WEIR_E_BAD_FRAME);
    head.last_seq = (uint64_t)head.msg.t_venue;
    market_book_end(&venue->market, symbol, &head);
    return scan.err;
}

static enum weir_err read_match(struct venue *venue, struct market_symbol *symbol, struct scan scan)
{
    static const struct trade_words words = {
        .px = "price",
        .qty = "size",
        .side = "side", /* the maker's */
        .id = "trade_id",
        .time = "time",
        .buy = "sell",
        .sell = "buy",
        .number = scan_decimal,
        .time_at = market_time_at,
    };
    struct weir_trade trade = rows_trade(symbol, &scan, &words);
    market_trade(&venue->market, symbol, &trade);
    return scan.err;
}

/* Sizes of the best prices are there since 2022; without them nothing is told. */
static enum weir_err read_ticker(struct venue *venue, struct market_symbol *symbol,
                                 struct scan scan)
{
    static const struct top_words words = {.bid = "best_bid",
                                           .bid_qty = "best_bid_size",
                                           .ask = "best_ask",
                                           .ask_qty = "best_ask_size",
                                           .time = "time",
                                           .number = scan_decimal,
                                           .time_at = market_time_at};
    struct weir_top top = rows_top(symbol, &scan, &words, NULL);
    if (scan_ok(&scan) && top.bid_qty > 0 && top.ask_qty > 0)
        market_top(&venue->market, symbol, &top);
    return scan.err;
}

enum weir_err exchange_frame(struct venue *venue, struct weir_bytes bytes)
{
    struct scan scan = scan_of(bytes);
    struct weir_bytes key, type = {scan.at, 0}, name = type;
    enum weir_err err = WEIR_OK;
    int first = 1;
    scan_expect(&scan, '{');
    while (scan_key(&scan, &first, &key)) {
        if (scan_is(key, "type"))
            type = market_word(&scan);
        else if (scan_is(key, "product_id"))
            name = market_word(&scan);
        else
            scan_skip(&scan);
    }
    if (!scan_done(&scan))
        return WEIR_E_BAD_FRAME;
    bool snapshot = scan_is(type, "snapshot"), update = scan_is(type, "l2update");
    bool match = scan_is(type, "match"), ticker = scan_is(type, "ticker");
    if (scan_is(type, "error"))
        market_say(&venue->market, "the venue refuses a request", "see its frame");
    if (!snapshot && !update && !match && !ticker)
        return WEIR_OK;
    struct market_symbol *symbol = coinbase_symbol(venue, name, bytes, &err);
    if (!symbol)
        return err;
    if (snapshot || update)
        return read_book(venue, symbol, scan_of(bytes), snapshot);
    return match ? read_match(venue, symbol, scan_of(bytes))
                 : read_ticker(venue, symbol, scan_of(bytes));
}
