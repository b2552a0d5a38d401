/* binance_market.c - rules, books and trades, as the venue publishes them.
 *
 * The market says its books as changes by its own numbers; here each change is one depthUpdate with a
 * number of its own, and a whole book is said as what differs from the one before. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/binance.h"

static struct listed *listed_at(struct front *front, uint32_t number)
{
    return number > 0 && number <= SYMBOL_COUNT ? &front->listed[number - 1] : NULL;
}

struct listed *listed_named(struct front *front, const char *name)
{
    for (size_t i = 0; i < SYMBOL_COUNT; i++)
        if (front->listed[i].name[0] && strcmp(front->listed[i].name, name) == 0)
            return &front->listed[i];
    return NULL;
}

void market_fini(struct front *front)
{
    for (size_t i = 0; i < SYMBOL_COUNT; i++)
        for (int side = 0; side < 2; side++)
            free(front->listed[i].sides[side].rows);
}

static void define(struct front *front, const struct weir_instrument *is)
{
    struct listed *listed = listed_at(front, is->msg.instrument);
    size_t len = 0;
    if (!listed)
        return;
    listed->is = *is;
    listed->first_tick = is->tick;
    listed->first_step = is->step;
    front->rules_seen = 0; /* a change that was told holds for it, too */
    for (const char *at = is->symbol; *at && len + 1 < sizeof listed->name; at++)
        if (*at != '-')
            listed->name[len++] = *at;
    listed->name[len] = '\0';
}

/* --- a side of a book ------------------------------------------------------------------------- */

static bool better(int side, weir_px a, weir_px b)
{
    return side == WEIR_BUY ? a > b : a < b;
}

static void set_level(struct side_book *book, int side, const struct weir_level *level)
{
    size_t at = 0;
    while (at < book->count && better(side, book->rows[at].px, level->px))
        at++;
    bool there = at < book->count && book->rows[at].px == level->px;
    if (level->qty == 0) {
        if (there)
            memmove(&book->rows[at], &book->rows[at + 1],
                    (--book->count - at) * sizeof book->rows[0]);
        return;
    }
    if (!there) {
        if (book->count == book->room) {
            size_t room = book->room ? 2 * book->room : 256;
            struct weir_level *grown = realloc(book->rows, room * sizeof *grown);
            if (!grown)
                return;
            book->rows = grown;
            book->room = room;
        }
        memmove(&book->rows[at + 1], &book->rows[at], (book->count++ - at) * sizeof book->rows[0]);
    }
    book->rows[at] = *level;
}

static weir_qty qty_at(const struct weir_level *rows, size_t count, weir_px px)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i].px == px)
            return rows[i].qty;
    return 0;
}

static void level(struct text *out, const struct weir_instrument *is, weir_px px, weir_qty qty)
{
    json_array(out);
    json_decimal(out, px, is->price_exp);
    json_decimal(out, qty, is->qty_exp);
    json_end(out);
}

/* One side of an update: what changed. Of a whole book also what is not there any more. */
static size_t say_changes(struct listed *listed, int side, const struct weir_level *rows,
                          size_t count, bool whole, struct text *out)
{
    struct side_book *book = &listed->sides[side];
    size_t said = 0;
    for (size_t i = 0; whole && i < book->count;) {
        struct weir_level gone = {book->rows[i].px, 0};
        if (qty_at(rows, count, gone.px) > 0) {
            i++;
            continue;
        }
        level(out, &listed->is, gone.px, 0);
        set_level(book, side, &gone);
        said++;
    }
    for (size_t i = 0; i < count; i++) {
        if (qty_at(book->rows, book->count, rows[i].px) == rows[i].qty)
            continue;
        level(out, &listed->is, rows[i].px, rows[i].qty);
        set_level(book, side, &rows[i]);
        said++;
    }
    return said;
}

static void lower(const char *from, char *to, size_t room)
{
    size_t i = 0;
    for (; from[i] && i + 1 < room; i++)
        to[i] = from[i] >= 'A' && from[i] <= 'Z' ? (char)(from[i] + 32) : from[i];
    to[i] = '\0';
}

static void publish(struct front *front, const struct listed *listed, const char *what,
                    enum face face, struct text *event)
{
    char name[WEIR_SYMBOL_MAX], stream[STREAM_ROOM + 16];
    lower(listed->name, name, sizeof name);
    snprintf(stream, sizeof stream, "%s@%s", name, what);
    ws_publish(front, face, stream, event);
}

static void publish_top(struct front *front, const struct listed *listed)
{
    const struct weir_level none = {0, 0};
    const struct weir_level *bid = listed->sides[0].count ? listed->sides[0].rows : &none;
    const struct weir_level *ask = listed->sides[1].count ? listed->sides[1].rows : &none;
    for (int face = FACE_SPOT; face <= FACE_USDM; face++) {
        struct text out;
        text_init(&out);
        json_object(&out);
        if (face == FACE_USDM) {
            json_key(&out, "e");
            json_string(&out, "bookTicker");
        }
        json_key(&out, "u");
        json_uint(&out, listed->seq);
        json_key(&out, "s");
        json_string(&out, listed->name);
        json_key(&out, "b");
        json_decimal(&out, bid->px, listed->is.price_exp);
        json_key(&out, "B");
        json_decimal(&out, bid->qty, listed->is.qty_exp);
        json_key(&out, "a");
        json_decimal(&out, ask->px, listed->is.price_exp);
        json_key(&out, "A");
        json_decimal(&out, ask->qty, listed->is.qty_exp);
        if (face == FACE_USDM) {
            json_key(&out, "T");
            json_int(&out, now_ms(front));
            json_key(&out, "E");
            json_int(&out, now_ms(front));
        }
        json_end(&out);
        publish(front, listed, "bookTicker", (enum face)face, &out);
        text_fini(&out);
    }
}

static void say_depth_event(struct front *front, const struct listed *listed, enum face face,
                            const char *bids, const char *asks, struct text *out)
{
    text_say(out, "{\"e\":\"depthUpdate\",\"E\":%lld,", (long long)now_ms(front));
    if (face == FACE_USDM)
        text_say(out, "\"T\":%lld,", (long long)now_ms(front));
    text_say(out, "\"s\":\"%s\",\"U\":%llu,\"u\":%llu,", listed->name,
             (unsigned long long)listed->seq, (unsigned long long)listed->seq);
    if (face == FACE_USDM)
        text_say(out, "\"pu\":%llu,", (unsigned long long)listed->seq - 1);
    text_say(out, "\"b\":%s,\"a\":%s}", bids, asks);
}

static void book(struct front *front, const struct weir_book_msg *msg)
{
    struct listed *listed = listed_at(front, msg->msg.instrument);
    bool whole = msg->msg.flags & WEIR_BOOK_SNAPSHOT;
    struct text bids, asks, out;
    if (!listed)
        return;
    text_init(&bids);
    text_init(&asks);
    json_array(&bids);
    json_array(&asks);
    size_t said = say_changes(listed, WEIR_BUY, msg->levels, msg->bids, whole, &bids) +
                  say_changes(listed, WEIR_SELL, msg->levels + msg->bids, msg->asks, whole, &asks);
    json_end(&bids);
    json_end(&asks);
    for (int face = FACE_SPOT; said > 0 && face <= FACE_USDM; face++) {
        listed->seq += face == FACE_SPOT;
        text_init(&out);
        say_depth_event(front, listed, (enum face)face, text_cstr(&bids), text_cstr(&asks), &out);
        publish(front, listed, "depth", (enum face)face, &out);
        text_fini(&out);
    }
    if (said > 0)
        publish_top(front, listed);
    text_fini(&bids);
    text_fini(&asks);
}

static void trade(struct front *front, const struct weir_trade *told)
{
    struct listed *listed = listed_at(front, told->msg.instrument);
    if (!listed)
        return;
    trigger_saw(listed, told->px);
    struct public_trade *kept = &listed->trades[listed->trade_count++ % KEEP_TRADES];
    *kept = (struct public_trade){listed->trade_count, told->px, told->qty, told->aggressor,
                                  now_ms(front)};
    static const char *const kinds[] = {"trade", "aggTrade"};
    for (int i = 0; i < 4; i++) {
        char px[DECIMAL_TEXT_MAX], qty[DECIMAL_TEXT_MAX];
        bool plain = i % 2 == 0;
        struct text out;
        decimal_print(told->px, listed->is.price_exp, px);
        decimal_print(told->qty, listed->is.qty_exp, qty);
        text_init(&out);
        text_say(&out,
                 "{\"e\":\"%s\",\"E\":%lld,\"s\":\"%s\",\"%s\":%llu,\"p\":\"%s\",\"q\":\"%s\",%s"
                 "\"T\":%lld,\"m\":%s%s}",
                 kinds[i % 2], (long long)kept->t_ms, listed->name, plain ? "t" : "a",
                 (unsigned long long)kept->id, px, qty,
                 plain && i < 2 ? "" /* spot does not say of what kind a trade is */
                 : plain        ? "\"X\":\"MARKET\","
                                : "\"f\":1,\"l\":1,",
                 (long long)kept->t_ms, told->aggressor == WEIR_SELL ? "true" : "false",
                 i < 2 ? ",\"M\":true" : "");
        publish(front, listed, kinds[i % 2], i < 2 ? FACE_SPOT : FACE_USDM, &out);
        text_fini(&out);
    }
}

void market_event(struct front *front, const struct weir_msg *event)
{
    if (event->kind == WEIR_INSTRUMENT)
        define(front, (const void *)event);
    else if (event->kind == WEIR_BOOK)
        book(front, (const void *)event);
    else if (event->kind == WEIR_TRADE)
        trade(front, (const void *)event);
}

/* --- questions -------------------------------------------------------------------------------- */

static void pair(struct text *out, const char *key, const char *value)
{
    json_key(out, key);
    json_string(out, value);
}

static void filter(struct text *out, const char *type, const char *const *names,
                   const int64_t *values, const int *exps)
{
    json_object(out);
    pair(out, "filterType", type);
    for (; *names; names++) {
        json_key(out, *names);
        json_decimal(out, *values++, *exps++);
    }
    json_end(out);
}

static void say_filters(const struct weir_instrument *is, enum face face, struct text *out)
{
    const int px = is->price_exp, qty = is->qty_exp;
    json_key(out, "filters");
    json_array(out);
    filter(out, "PRICE_FILTER", (const char *const[]){"minPrice", "maxPrice", "tickSize", NULL},
           (const int64_t[]){is->tick, 1000000, is->tick}, (const int[]){px, 0, px});
    filter(out, "LOT_SIZE", (const char *const[]){"minQty", "maxQty", "stepSize", NULL},
           (const int64_t[]){is->step, 1000000, is->step}, (const int[]){qty, 0, qty});
    filter(out, "MARKET_LOT_SIZE", (const char *const[]){"minQty", "maxQty", "stepSize", NULL},
           (const int64_t[]){is->step, 1000000, is->step}, (const int[]){qty, 0, qty});
    json_object(out);
    pair(out, "filterType", face == FACE_SPOT ? "NOTIONAL" : "MIN_NOTIONAL");
    json_key(out, face == FACE_SPOT ? "minNotional" : "notional");
    json_amount(out, amount_of(is->min_notional));
    json_end(out);
    json_end(out);
}

static void say_rules(const struct listed *listed, enum face face, struct text *out)
{
    const struct weir_instrument *is = &listed->is;
    json_object(out);
    pair(out, "symbol", listed->name);
    pair(out, "pair", listed->name);
    pair(out, "status", is->status == WEIR_TRADING ? "TRADING" : "BREAK");
    pair(out, "baseAsset", is->base);
    pair(out, "quoteAsset", is->quote);
    if (face == FACE_USDM) {
        pair(out, "marginAsset", is->quote);
        pair(out, "contractType", "PERPETUAL");
        json_key(out, "onboardDate");
        json_int(out, 1569398400000);
        json_key(out, "deliveryDate");
        json_int(out, 4133404800000);
    }
    static const char *const numbers[] = {"baseAssetPrecision", "quotePrecision",
                                          "quoteAssetPrecision", "pricePrecision",
                                          "quantityPrecision"};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        json_key(out, numbers[i]);
        json_int(out, 8);
    }
    json_key(out, "orderTypes");
    json_array(out);
    json_string(out, "LIMIT");
    json_string(out, "MARKET");
    static const char *const of_spot[] = {"LIMIT_MAKER", "STOP_LOSS", "STOP_LOSS_LIMIT",
                                          "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"};
    static const char *const of_usdm[] = {"STOP", "STOP_MARKET", "TAKE_PROFIT",
                                          "TAKE_PROFIT_MARKET"};
    for (size_t i = 0; i < (face == FACE_SPOT ? 5u : 4u); i++)
        json_string(out, face == FACE_SPOT ? of_spot[i] : of_usdm[i]);
    json_end(out);
    json_key(out, "isSpotTradingAllowed");
    json_bool(out, true);
    json_key(out, "permissions");
    json_array(out);
    json_string(out, "SPOT");
    json_end(out);
    say_filters(is, face, out);
    json_end(out);
}

void market_info(struct front *front, const struct asker *asker)
{
    struct text out;
    text_init(&out);
    text_say(&out,
             "{\"timezone\":\"UTC\",\"serverTime\":%lld,\"rateLimits\":[{\"rateLimitType\":"
             "\"REQUEST_WEIGHT\",\"interval\":\"MINUTE\",\"intervalNum\":1,\"limit\":%d},{"
             "\"rateLimitType\":\"ORDERS\",\"interval\":\"SECOND\",\"intervalNum\":10,"
             "\"limit\":%d}],\"exchangeFilters\":[],\"symbols\":[",
             (long long)now_ms(front), front->weight_limit, front->order_limit);
    bool first = true;
    for (size_t i = 0; i < SYMBOL_COUNT; i++) {
        struct text one;
        if (!front->listed[i].name[0])
            continue;
        text_init(&one);
        say_rules(&front->listed[i], asker->face, &one);
        text_say(&out, "%s%s", first ? "" : ",", text_cstr(&one));
        text_fini(&one);
        first = false;
    }
    text_say(&out, "]}");
    answer_result(front, asker, &out, 0);
    text_fini(&out);
}

static int64_t limit_of(const char *params, int64_t otherwise, int64_t most)
{
    char text[24];
    int64_t limit = otherwise;
    if (param(params, "limit", text, sizeof text))
        (void)!decimal_parse(text, strlen(text), 0, &limit);
    return limit < 1 ? 1 : limit > most ? most : limit;
}

static struct listed *wanted(struct front *front, const char *params, const struct asker *asker)
{
    char name[WEIR_SYMBOL_MAX];
    struct listed *listed =
        param(params, "symbol", name, sizeof name) ? listed_named(front, name) : NULL;
    if (!listed)
        answer_error(front, asker, 400, -1121, "Invalid symbol.");
    return listed;
}

void market_depth(struct front *front, const char *params, const struct asker *asker)
{
    struct listed *listed = wanted(front, params, asker);
    size_t limit = (size_t)limit_of(params, 100, 5000);
    struct text out;
    if (!listed)
        return;
    text_init(&out);
    json_object(&out);
    json_key(&out, "lastUpdateId");
    json_uint(&out, listed->seq);
    if (asker->face == FACE_USDM) {
        json_key(&out, "E");
        json_int(&out, now_ms(front));
        json_key(&out, "T");
        json_int(&out, now_ms(front));
    }
    for (int side = 0; side < 2; side++) {
        json_key(&out, side ? "asks" : "bids");
        json_array(&out);
        for (size_t i = 0; i < listed->sides[side].count && i < limit; i++)
            level(&out, &listed->is, listed->sides[side].rows[i].px,
                  listed->sides[side].rows[i].qty);
        json_end(&out);
    }
    json_end(&out);
    answer_result(front, asker, &out, 0);
    text_fini(&out);
}

/* aggTrades; each is one trade. */
void market_trades(struct front *front, const char *params, const struct asker *asker)
{
    struct listed *listed = wanted(front, params, asker);
    size_t limit = (size_t)limit_of(params, 500, KEEP_TRADES);
    struct text out;
    if (!listed)
        return;
    size_t from = listed->trade_count > limit ? listed->trade_count - limit : 0;
    text_init(&out);
    json_array(&out);
    for (size_t i = from; i < listed->trade_count; i++) {
        const struct public_trade *one = &listed->trades[i % KEEP_TRADES];
        json_object(&out);
        json_key(&out, "a");
        json_uint(&out, one->id);
        json_key(&out, "p");
        json_decimal(&out, one->px, listed->is.price_exp);
        json_key(&out, "q");
        json_decimal(&out, one->qty, listed->is.qty_exp);
        json_key(&out, "f");
        json_uint(&out, one->id);
        json_key(&out, "l");
        json_uint(&out, one->id);
        json_key(&out, "T");
        json_int(&out, one->t_ms);
        json_key(&out, "m");
        json_bool(&out, one->aggressor == WEIR_SELL);
        json_key(&out, "M");
        json_bool(&out, true);
        json_end(&out);
    }
    json_end(&out);
    answer_result(front, asker, &out, 0);
    text_fini(&out);
}
