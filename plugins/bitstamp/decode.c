/* decode.c - frames of Bitstamp's WebSocket, and whole books by HTTP:
 *
 *   {"event":"data","channel":"diff_order_book_btcusd","data":{"microtimestamp":"...",
 *    "bids":[[price,size]...],"asks":[...]}}
 *   {"event":"trade","channel":"live_trades_btcusd","data":{"id":n,"price_str":...,"amount_str":...,
 *    "type":0 buy | 1 sell, of the taker,"microtimestamp":"..."}}
 *   {"event":"order_created"|"order_changed"|"order_deleted","channel":"live_orders_btcusd",
 *    "data":{"id_str":...,"order_type":0|1,"price_str":...,"amount_str":...,"microtimestamp":...}} */
#include "bitstamp.h"

enum weir_err frame_read(struct weir_bytes bytes, struct frame *frame)
{
    struct scan scan = scan_of(bytes);
    struct weir_bytes key;
    int first = 1;
    *frame = (struct frame){0};
    scan_expect(&scan, '{');
    while (scan_key(&scan, &first, &key)) {
        if (scan_is(key, "event")) {
            frame->event = market_word(&scan);
        } else if (scan_is(key, "channel")) {
            frame->channel = market_word(&scan);
        } else if (scan_is(key, "data")) {
            frame->data = scan;
            scan_skip(&scan);
        } else {
            scan_skip(&scan);
        }
    }
    return scan_done(&scan) ? WEIR_OK : WEIR_E_BAD_FRAME;
}

struct weir_bytes channel_pair(struct weir_bytes channel)
{
    size_t from = channel.len;
    while (from > 0 && channel.data[from - 1] != '_')
        from--;
    return (struct weir_bytes){channel.data + from, channel.len - from};
}

/* --- books ------------------------------------------------------------------------------------- */

static enum weir_err read_book(struct venue *venue, struct market_symbol *symbol, struct scan *scan,
                               bool snapshot)
{
    struct weir_book_msg head = {.msg.flags = snapshot ? WEIR_BOOK_SNAPSHOT : 0};
    struct weir_bytes key;
    int first = 1, sides = 0;
    market_book(&venue->market, symbol);
    scan_expect(scan, '{');
    while (scan_key(scan, &first, &key)) {
        if (scan_is(key, "bids"))
            market_levels(&venue->market, symbol, scan, WEIR_BUY, false), sides |= 2;
        else if (scan_is(key, "asks"))
            market_levels(&venue->market, symbol, scan, WEIR_SELL, false), sides |= 1;
        else if (scan_is(key, "microtimestamp"))
            head.last_seq = market_id(scan);
        else
            scan_skip(scan);
    }
    if (scan_ok(scan) && (head.last_seq == 0 || sides != 3))
        scan_fail(scan, WEIR_E_BAD_FRAME);
    head.msg.t_venue = market_us(head.last_seq);
    market_book_end(&venue->market, symbol, &head);
    return scan->err;
}

enum weir_err decode_book(struct venue *venue, struct weir_bytes pair, struct weir_bytes body)
{
    enum weir_err err = WEIR_OK;
    struct scan scan = scan_of(body);
    struct market_symbol *symbol = market_symbol_of(&venue->market, pair, body, &err);
    if (!symbol)
        return err;
    err = read_book(venue, symbol, &scan, true);
    return err == WEIR_OK && !scan_done(&scan) ? WEIR_E_BAD_FRAME : err;
}

/* --- trades and orders ------------------------------------------------------------------------- */

/* What a trade and an order have in common. The texts are exact, where there are texts. */
struct item {
    uint64_t id, type, buy, sell, us;
    int64_t px, qty;
    bool has_px, has_qty;
};

static void read_item(const struct market_symbol *symbol, struct scan *scan, struct item *item)
{
    struct weir_bytes key;
    int first = 1;
    scan_expect(scan, '{');
    while (scan_key(scan, &first, &key)) {
        bool text = key.len > 4 && memcmp(key.data + key.len - 4, "_str", 4) == 0;
        if (scan_is(key, "price_str") || (scan_is(key, "price") && !item->has_px)) {
            item->px = market_number(scan, symbol->px_exp);
            item->has_px = text;
        } else if (scan_is(key, "amount_str") || (scan_is(key, "amount") && !item->has_qty)) {
            item->qty = market_number(scan, symbol->qty_exp);
            item->has_qty = text;
        } else if (scan_is(key, "id") || scan_is(key, "id_str")) {
            item->id = market_id(scan);
        } else if (scan_is(key, "type") || scan_is(key, "order_type")) {
            item->type = market_id(scan);
        } else if (scan_is(key, "buy_order_id")) {
            item->buy = market_id(scan);
        } else if (scan_is(key, "sell_order_id")) {
            item->sell = market_id(scan);
        } else if (scan_is(key, "microtimestamp")) {
            item->us = market_id(scan);
        } else {
            scan_skip(scan);
        }
    }
    if (scan_ok(scan) && (item->px < 0 || item->qty < 0 || item->type > 1))
        scan_fail(scan, WEIR_E_BAD_FRAME);
}

static enum weir_err read_trade(struct venue *venue, struct market_symbol *symbol,
                                struct frame *frame)
{
    struct item item = {0};
    read_item(symbol, &frame->data, &item);
    if (scan_ok(&frame->data) && (item.qty == 0 || item.px == 0))
        scan_fail(&frame->data, WEIR_E_BAD_FRAME);
    struct weir_trade trade = {.msg.t_venue = market_us(item.us),
                               .id = item.id,
                               .px = item.px,
                               .qty = item.qty,
                               .aggressor = item.type == 1 ? WEIR_SELL : WEIR_BUY};
    struct weir_l3 match = {.msg.t_venue = trade.msg.t_venue,
                            .id = item.type == 1 ? item.buy : item.sell,
                            .other = item.type == 1 ? item.sell : item.buy,
                            .px = item.px,
                            .qty = item.qty,
                            .side = item.type == 1 ? WEIR_BUY : WEIR_SELL,
                            .action = WEIR_L3_MATCH};
    market_trade(&venue->market, symbol, &trade);
    if (match.id != 0 && match.other != 0)
        market_order(&venue->market, symbol, &match);
    return frame->data.err;
}

static enum weir_err read_order(struct venue *venue, struct market_symbol *symbol,
                                struct frame *frame)
{
    struct item item = {0};
    read_item(symbol, &frame->data, &item);
    struct weir_l3 order = {.msg.t_venue = market_us(item.us),
                            .id = item.id,
                            .px = item.px,
                            .qty = item.qty,
                            .side = item.type == 1 ? WEIR_SELL : WEIR_BUY,
                            .action = scan_is(frame->event, "order_created")   ? WEIR_L3_ADD
                                      : scan_is(frame->event, "order_changed") ? WEIR_L3_CHANGE
                                                                               : WEIR_L3_REMOVE};
    market_order(&venue->market, symbol, &order);
    return frame->data.err;
}

/* --- a frame ----------------------------------------------------------------------------------- */

enum weir_err decode_frame(struct venue *venue, struct weir_bytes bytes)
{
    struct frame frame;
    if (is_row(bytes))
        return decode_row(venue, bytes);
    enum weir_err err = frame_read(bytes, &frame);
    if (err != WEIR_OK)
        return err;
    if (scan_is(frame.event, "bts:error"))
        market_say(&venue->market, "the venue refuses a request", "see its frame");
    bool book = market_begins(frame.channel, "diff_order_book_") && scan_is(frame.event, "data");
    bool trade = market_begins(frame.channel, "live_trades_") && scan_is(frame.event, "trade");
    bool order =
        market_begins(frame.channel, "live_orders_") && market_begins(frame.event, "order_");
    if (!frame.data.at || (!book && !trade && !order))
        return WEIR_OK;
    struct market_symbol *symbol =
        market_symbol_of(&venue->market, channel_pair(frame.channel), bytes, &err);
    if (!symbol)
        return err;
    return book    ? read_book(venue, symbol, &frame.data, false)
           : trade ? read_trade(venue, symbol, &frame)
                   : read_order(venue, symbol, &frame);
}
