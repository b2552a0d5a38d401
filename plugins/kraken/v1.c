/* v1.c - Kraken WebSockets v1: frames are arrays whose last two members say what they are. */
#include "kraken.h"

enum weir_err v1_read(struct weir_bytes bytes, struct v1_frame *frame)
{
    struct scan scan = scan_of(bytes);
    int first = 1;
    struct weir_bytes words[2] = {{scan.at, 0}, {scan.at, 0}};
    *frame = (struct v1_frame){0};
    scan_expect(&scan, '[');
    if (scan_item(&scan, &first))
        scan_skip(&scan); /* the channel's number */
    while (scan_item(&scan, &first)) {
        if (scan_peek(&scan) == '"') {
            words[0] = words[1];
            words[1] = scan_string(&scan);
        } else {
            if (frame->count == 2)
                return WEIR_E_BAD_FRAME;
            frame->parts[frame->count++] = scan;
            scan_skip(&scan);
        }
    }
    frame->channel = words[0];
    frame->pair = words[1];
    return scan_done(&scan) && frame->count > 0 && frame->channel.len > 0 ? WEIR_OK
                                                                          : WEIR_E_BAD_FRAME;
}

/* "book-1000": 1000. */
static uint32_t depth_of(struct weir_bytes channel)
{
    uint64_t depth = 0;
    struct weir_bytes text = market_after(channel, "book-");
    return text.data && market_id_of(text, &depth) ? kraken_depth(depth) : 10;
}

struct found {
    bool snapshot, summed;
    uint32_t checksum;
};

static void read_part(struct venue *venue, struct market_symbol *symbol, struct scan *scan,
                      struct found *found)
{
    struct weir_bytes key;
    int first = 1;
    scan_expect(scan, '{');
    while (scan_key(scan, &first, &key)) {
        bool snapshot = key.len == 2 && key.data[1] == 's';
        if (scan_is(key, "c")) {
            found->checksum = (uint32_t)market_id(scan);
            found->summed = true;
        } else if (key.len > 0 && (key.len == 1 || snapshot) &&
                   (key.data[0] == 'a' || key.data[0] == 'b')) {
            found->snapshot = found->snapshot || snapshot;
            market_levels(&venue->market, symbol, scan, key.data[0] == 'a' ? WEIR_SELL : WEIR_BUY,
                          true);
        } else {
            scan_skip(scan);
        }
    }
}

static enum weir_err read_book(struct venue *venue, struct market_symbol *symbol,
                               struct v1_frame *frame)
{
    struct found found = {0};
    symbol->keep = depth_of(frame->channel);
    market_book(&venue->market, symbol);
    for (int i = 0; i < frame->count; i++) {
        read_part(venue, symbol, &frame->parts[i], &found);
        if (!scan_ok(&frame->parts[i]))
            return frame->parts[i].err;
    }
    if (!found.snapshot && !found.summed)
        return WEIR_E_BAD_FRAME;
    kraken_book_end(venue, symbol, found.snapshot, found.summed, found.checksum, 0);
    return WEIR_OK;
}

/* [price, volume, time, side of the taker, type, misc] */
static enum weir_err read_trades(struct venue *venue, struct market_symbol *symbol,
                                 struct v1_frame *frame)
{
    struct scan *scan = &frame->parts[0];
    int first = 1;
    scan_expect(scan, '[');
    while (scan_item(scan, &first)) {
        struct weir_trade trade = {0};
        scan_expect(scan, '[');
        trade.px = scan_decimal(scan, symbol->px_exp);
        scan_expect(scan, ',');
        trade.qty = scan_decimal(scan, symbol->qty_exp);
        scan_expect(scan, ',');
        trade.msg.t_venue = scan_decimal(scan, 9);
        scan_expect(scan, ',');
        struct weir_bytes side = scan_string(scan);
        while (scan_try(scan, ','))
            scan_skip(scan);
        scan_expect(scan, ']');
        if (scan_ok(scan) &&
            (trade.px <= 0 || trade.qty <= 0 || (!scan_is(side, "b") && !scan_is(side, "s"))))
            scan_fail(scan, WEIR_E_BAD_FRAME);
        trade.aggressor = scan_is(side, "s") ? WEIR_SELL : WEIR_BUY;
        market_trade(&venue->market, symbol, &trade);
    }
    return scan->err;
}

/* [price, whole lots, lots] */
static struct weir_level read_best(struct scan *scan, const struct market_symbol *symbol)
{
    struct weir_level level;
    scan_expect(scan, '[');
    level.px = scan_decimal(scan, symbol->px_exp);
    scan_expect(scan, ',');
    scan_skip(scan);
    scan_expect(scan, ',');
    level.qty = scan_decimal(scan, symbol->qty_exp);
    scan_expect(scan, ']');
    return level;
}

static enum weir_err read_ticker(struct venue *venue, struct market_symbol *symbol,
                                 struct v1_frame *frame)
{
    struct scan *scan = &frame->parts[0];
    struct weir_level bid = {0, 0}, ask = {0, 0};
    struct weir_bytes key;
    int first = 1;
    scan_expect(scan, '{');
    while (scan_key(scan, &first, &key)) {
        if (scan_is(key, "a"))
            ask = read_best(scan, symbol);
        else if (scan_is(key, "b"))
            bid = read_best(scan, symbol);
        else
            scan_skip(scan);
    }
    struct weir_top top = {.bid = bid.px, .ask = ask.px, .bid_qty = bid.qty, .ask_qty = ask.qty};
    if (scan_ok(scan))
        market_top(&venue->market, symbol, &top);
    return scan->err;
}

enum weir_err v1_frame(struct venue *venue, struct weir_bytes bytes)
{
    struct v1_frame frame;
    enum weir_err err = v1_read(bytes, &frame);
    if (err != WEIR_OK)
        return err;
    enum weir_err (*read)(struct venue *, struct market_symbol *, struct v1_frame *) =
        market_begins(frame.channel, "book") ? read_book
        : scan_is(frame.channel, "trade")    ? read_trades
        : scan_is(frame.channel, "ticker")   ? read_ticker
                                             : NULL;
    struct market_symbol *symbol =
        read ? market_symbol_of(&venue->market, frame.pair, bytes, &err) : NULL;
    return symbol ? read(venue, symbol, &frame) : err;
}
