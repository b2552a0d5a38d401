/* rows.c - recordings of single orders as rows of values between commas:
 *
 *   id,timestamp,exchange_timestamp,price,volume,action,direction
 *   trade_id,timestamp,exchange_timestamp,price,amount,buy_order_id,sell_order_id,side
 *
 * SECTIONS  The recorder begins with rows made out of a snapshot: all `created`, with the two times of
 *           the first row. It ends with `deleted` rows that close what still rested: their two times
 *           are equal, which those of the venue never are, since its clock stamps them earlier.
 * SYMBOL    The rows do not name it, so it is `orders`, of BASE in QUOTE. */
#include "bitstamp.h"

enum { COLUMNS_MAX = 8, ORDER_COLUMNS = 7, TRADE_COLUMNS = 8 };

struct row {
    struct weir_bytes columns[COLUMNS_MAX];
    int count;
};

/* The first rows that a session saw: those of the snapshot are alike in these. */
struct own {
    uint64_t first_t, first_venue_t;
    bool begun, live;
};

_Static_assert(sizeof(struct own) <= ROWS_OWN, "bitstamp.h says how much");

static bool split(struct weir_bytes bytes, struct row *row)
{
    const char *at = bytes.data, *end = at + bytes.len;
    row->count = 0;
    while (row->count < COLUMNS_MAX) {
        const char *comma = at < end ? memchr(at, ',', (size_t)(end - at)) : NULL;
        const char *to = comma ? comma : end;
        row->columns[row->count++] = (struct weir_bytes){at, (size_t)(to - at)};
        if (!comma)
            return row->count >= ORDER_COLUMNS;
        at = comma + 1;
    }
    return false;
}

bool is_row(struct weir_bytes bytes)
{
    struct row row;
    uint64_t id;
    return bytes.len > 0 && (unsigned char)(bytes.data[0] - '0') <= 9 && split(bytes, &row) &&
           market_id_of(row.columns[0], &id) && market_id_of(row.columns[1], &id);
}

bool row_is_trade(struct weir_bytes bytes)
{
    struct row row;
    return split(bytes, &row) && row.count == TRADE_COLUMNS;
}

static int64_t decimal(struct weir_bytes text, int exp, enum weir_err *err)
{
    struct scan scan = scan_of(text);
    int64_t value = market_number(&scan, exp);
    if (!scan_done(&scan))
        *err = scan_ok(&scan) ? WEIR_E_BAD_NUMBER : scan.err;
    return value;
}

static uint64_t whole(struct weir_bytes text, enum weir_err *err)
{
    uint64_t value = 0;
    if (!market_id_of(text, &value))
        *err = WEIR_E_BAD_NUMBER;
    return value;
}

/* Is this row still of the snapshot? Once one is not, none is. */
static bool of_snapshot(struct own *own, uint64_t t, uint64_t venue_t, bool created)
{
    if (!own->begun) {
        *own = (struct own){.first_t = t, .first_venue_t = venue_t, .begun = true};
    }
    own->live = own->live || !created || t != own->first_t || venue_t != own->first_venue_t;
    return !own->live;
}

static enum weir_err read_order(struct venue *venue, const struct market_symbol *symbol,
                                const struct row *row)
{
    static const struct {
        const char *name;
        uint8_t action;
    } actions[] = {
        {"created", WEIR_L3_ADD}, {"changed", WEIR_L3_CHANGE}, {"deleted", WEIR_L3_REMOVE}};
    enum weir_err err = WEIR_OK;
    uint64_t t = whole(row->columns[1], &err), venue_t = whole(row->columns[2], &err);
    struct weir_l3 order = {.id = whole(row->columns[0], &err), .action = UINT8_MAX};
    order.msg.t_venue = market_ms(venue_t);
    order.px = decimal(row->columns[3], symbol->px_exp, &err);
    order.qty = decimal(row->columns[4], symbol->qty_exp, &err);
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (scan_is(row->columns[5], actions[i].name))
            order.action = actions[i].action;
    bool bid = scan_is(row->columns[6], "bid");
    if (err != WEIR_OK)
        return err;
    if (order.action == UINT8_MAX || (!bid && !scan_is(row->columns[6], "ask")) || order.px < 0 ||
        order.qty < 0)
        return WEIR_E_BAD_FRAME;
    order.side = bid ? WEIR_BUY : WEIR_SELL;
    if (of_snapshot((struct own *)(void *)venue->own, t, venue_t, order.action == WEIR_L3_ADD))
        order.msg.flags = WEIR_L3_SNAPSHOT;
    else if (order.action == WEIR_L3_REMOVE && t == venue_t)
        order.msg.flags = WEIR_L3_CLOSING;
    market_order(&venue->market, symbol, &order);
    return WEIR_OK;
}

static enum weir_err read_trade(struct venue *venue, const struct market_symbol *symbol,
                                const struct row *row)
{
    enum weir_err err = WEIR_OK;
    uint64_t buy = whole(row->columns[5], &err), sell = whole(row->columns[6], &err);
    bool bought = scan_is(row->columns[7], "buy");
    struct weir_trade trade = {.id = whole(row->columns[0], &err),
                               .msg.flags = WEIR_TRADE_ID_TEXT,
                               .msg.t_venue = market_ms(whole(row->columns[2], &err)),
                               .px = decimal(row->columns[3], symbol->px_exp, &err),
                               .qty = decimal(row->columns[4], symbol->qty_exp, &err),
                               .aggressor = bought ? WEIR_BUY : WEIR_SELL};
    struct weir_l3 match = {.msg.t_venue = trade.msg.t_venue,
                            .id = bought ? sell : buy,
                            .other = bought ? buy : sell,
                            .px = trade.px,
                            .qty = trade.qty,
                            .side = bought ? WEIR_SELL : WEIR_BUY,
                            .action = WEIR_L3_MATCH};
    if (err != WEIR_OK)
        return err;
    if (trade.px <= 0 || trade.qty <= 0 || (!bought && !scan_is(row->columns[7], "sell")))
        return WEIR_E_BAD_FRAME;
    market_trade(&venue->market, symbol, &trade);
    market_order(&venue->market, symbol, &match);
    return WEIR_OK;
}

enum weir_err decode_row(struct venue *venue, struct weir_bytes bytes)
{
    struct row row;
    enum weir_err err = WEIR_OK;
    if (!split(bytes, &row))
        return WEIR_E_BAD_FRAME;
    struct market_symbol *symbol = market_add(&venue->market, market_text("orders"));
    if (symbol && !symbol->base[0]) { /* the rows do not say of what they are */
        market_set(symbol->base, sizeof symbol->base, market_text("BASE"));
        market_set(symbol->quote, sizeof symbol->quote, market_text("QUOTE"));
    }
    symbol = market_symbol_of(&venue->market, market_text("orders"), market_text(""), &err);
    if (!symbol)
        return err;
    return row.count == TRADE_COLUMNS ? read_trade(venue, symbol, &row)
                                      : read_order(venue, symbol, &row);
}
