/* advanced.c - Coinbase Advanced Trade:
 *
 *   {"channel":"l2_data","timestamp":...,"sequence_num":n,"events":[{"type":"snapshot"|"update",
 *    "product_id":"BTC-USD","updates":[{"side":"bid"|"offer","price_level":...,"new_quantity":...}]}]}
 *
 * sequence_num counts all frames of the connection, over all channels. */
#include "coinbase.h"

enum weir_err advanced_read(struct weir_bytes bytes, struct advanced_frame *frame)
{
    struct scan scan = scan_of(bytes);
    struct weir_bytes key;
    int first = 1;
    *frame = (struct advanced_frame){0};
    scan_expect(&scan, '{');
    while (scan_key(&scan, &first, &key)) {
        if (scan_is(key, "channel")) {
            frame->channel = market_word(&scan);
        } else if (scan_is(key, "sequence_num")) {
            frame->seq = market_id(&scan);
            frame->numbered = true;
        } else if (scan_is(key, "events")) {
            frame->events = scan;
            scan_skip(&scan);
        } else {
            scan_skip(&scan);
        }
    }
    return scan_done(&scan) ? WEIR_OK : WEIR_E_BAD_FRAME;
}

/* --- books ------------------------------------------------------------------------------------- */

static weir_ns read_updates(struct venue *venue, const struct market_symbol *symbol,
                            struct scan *scan)
{
    struct weir_bytes key, time = {scan->at, 0};
    int first = 1;
    scan_expect(scan, '[');
    while (scan_item(scan, &first)) {
        struct weir_level level = {0, -1};
        struct weir_bytes side = {scan->at, 0};
        int first_key = 1;
        scan_expect(scan, '{');
        while (scan_key(scan, &first_key, &key)) {
            if (scan_is(key, "price_level"))
                level.px = scan_decimal(scan, symbol->px_exp);
            else if (scan_is(key, "new_quantity"))
                level.qty = scan_decimal(scan, symbol->qty_exp);
            else if (scan_is(key, "side"))
                side = market_word(scan);
            else if (scan_is(key, "event_time"))
                time = market_word(scan);
            else
                scan_skip(scan);
        }
        bool bid = scan_is(side, "bid");
        if (scan_ok(scan) && (level.px <= 0 || level.qty < 0 || (!bid && !scan_is(side, "offer"))))
            scan_fail(scan, WEIR_E_BAD_FRAME);
        market_level(&venue->market, bid ? WEIR_BUY : WEIR_SELL, level);
    }
    return market_time(time);
}

/* The product may stand behind its updates, so it is looked for first. */
static struct weir_bytes member(struct scan scan, const char *name)
{
    struct weir_bytes key, value = {scan.at, 0};
    int first = 1;
    scan_expect(&scan, '{');
    while (scan_key(&scan, &first, &key)) {
        if (scan_is(key, name))
            return market_word(&scan);
        scan_skip(&scan);
    }
    return value;
}

static enum weir_err read_book(struct venue *venue, struct scan *scan)
{
    struct weir_book_msg head = {0};
    struct weir_bytes key, type = {scan->at, 0}, name = member(*scan, "product_id");
    struct weir_bytes sample = {scan->at, (size_t)(scan->end - scan->at)};
    enum weir_err err = WEIR_OK;
    int first = 1;
    sample.len = sample.len < 4096 ? sample.len : 4096;
    struct market_symbol *symbol = coinbase_symbol(venue, name, sample, &err);
    if (!symbol) {
        scan_skip(scan);
        return err;
    }
    market_book(&venue->market, symbol);
    scan_expect(scan, '{');
    while (scan_key(scan, &first, &key)) {
        if (scan_is(key, "updates"))
            head.msg.t_venue = read_updates(venue, symbol, scan);
        else if (scan_is(key, "type"))
            type = market_word(scan);
        else
            scan_skip(scan);
    }
    bool snapshot = scan_is(type, "snapshot");
    if (scan_ok(scan) && (head.msg.t_venue == 0 || (!snapshot && !scan_is(type, "update"))))
        scan_fail(scan, WEIR_E_BAD_FRAME);
    head.msg.flags = snapshot ? WEIR_BOOK_SNAPSHOT : 0;
    market_book_end(&venue->market, symbol, &head);
    return scan->err;
}

/* --- trades and best prices -------------------------------------------------------------------- */

static enum weir_err read_trade(struct venue *venue, struct scan *scan, bool past)
{
    static const struct trade_words words = {
        .px = "price",
        .qty = "size",
        .side = "side", /* the maker's */
        .id = "trade_id",
        .time = "time",
        .buy = "SELL",
        .sell = "BUY",
        .number = scan_decimal,
        .time_at = market_time_at,
        .flags = WEIR_TRADE_ID_TEXT,
    };
    struct weir_bytes name = member(*scan, "product_id");
    struct weir_bytes sample = {scan->at, (size_t)(scan->end - scan->at)};
    enum weir_err err = WEIR_OK;
    sample.len = sample.len < 4096 ? sample.len : 4096;
    struct market_symbol *symbol = past ? NULL : coinbase_symbol(venue, name, sample, &err);
    if (!symbol) {
        scan_skip(scan);
        return err;
    }
    struct weir_trade trade = rows_trade(symbol, scan, &words);
    market_trade(&venue->market, symbol, &trade);
    return scan->err;
}

static enum weir_err read_ticker(struct venue *venue, struct scan *scan, bool past)
{
    static const struct top_words words = {.bid = "best_bid",
                                           .bid_qty = "best_bid_quantity",
                                           .ask = "best_ask",
                                           .ask_qty = "best_ask_quantity",
                                           .number = scan_decimal};
    struct weir_bytes name = member(*scan, "product_id"), sample = {scan->at, 0};
    enum weir_err err = WEIR_OK;
    (void)past;
    struct market_symbol *symbol = coinbase_symbol(venue, name, sample, &err);
    if (!symbol) {
        scan_skip(scan);
        return err;
    }
    struct weir_top top = rows_top(symbol, scan, &words, NULL);
    if (scan_ok(scan))
        market_top(&venue->market, symbol, &top);
    return scan->err;
}

/* {"type":"snapshot"|"update","trades":[...]}, and the like. */
static enum weir_err read_rows(struct venue *venue, struct scan *scan, const char *list,
                               enum weir_err (*read)(struct venue *, struct scan *, bool))
{
    struct weir_bytes key;
    bool past = scan_is(member(*scan, "type"), "snapshot");
    enum weir_err err = WEIR_OK;
    int first = 1;
    scan_expect(scan, '{');
    while (scan_key(scan, &first, &key)) {
        int first_item = 1;
        if (!scan_is(key, list)) {
            scan_skip(scan);
            continue;
        }
        scan_expect(scan, '[');
        while (scan_item(scan, &first_item) && err == WEIR_OK)
            err = read(venue, scan, past);
        if (err != WEIR_OK)
            return err;
    }
    return scan->err;
}

enum weir_err advanced_frame(struct venue *venue, struct weir_bytes bytes)
{
    struct advanced_frame frame;
    enum weir_err err = advanced_read(bytes, &frame);
    int first = 1;
    if (err != WEIR_OK)
        return err;
    if (frame.channel.len > 0 && !frame.numbered)
        return WEIR_E_BAD_FRAME;
    if (frame.numbered)
        market_sequence(&venue->market, frame.seq);
    bool books = scan_is(frame.channel, "l2_data"),
         trades = scan_is(frame.channel, "market_trades");
    bool tickers = scan_is(frame.channel, "ticker") || scan_is(frame.channel, "ticker_batch");
    if (!frame.events.at || (!books && !trades && !tickers))
        return WEIR_OK;
    scan_expect(&frame.events, '[');
    while (scan_item(&frame.events, &first) && err == WEIR_OK)
        err = books    ? read_book(venue, &frame.events)
              : trades ? read_rows(venue, &frame.events, "trades", read_trade)
                       : read_rows(venue, &frame.events, "tickers", read_ticker);
    return err != WEIR_OK ? err : frame.events.err;
}
