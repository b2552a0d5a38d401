/* binance_say.c - orders, executions and reports in the venue's JSON. */
#include <stdio.h>
#include <string.h>

#include "exchange/binance.h"

static const struct weir_instrument *of(const struct front *front, uint32_t instrument)
{
    return &front->listed[instrument - 1].is;
}

static void text(struct text *out, const char *key, const char *value)
{
    json_key(out, key);
    json_string(out, value);
}

static void whole(struct text *out, const char *key, int64_t value)
{
    json_key(out, key);
    json_int(out, value);
}

static void flag(struct text *out, const char *key, bool value)
{
    json_key(out, key);
    json_bool(out, value);
}

static void decimal(struct text *out, const char *key, int64_t value, int exp)
{
    json_key(out, key);
    json_decimal(out, value, exp);
}

const char *state_word(const struct venue_order *order)
{
    switch (order->state) {
    case WEIR_STATE_OPEN: return order->done > 0 ? "PARTIALLY_FILLED" : "NEW";
    case WEIR_STATE_FILLED: return "FILLED";
    case WEIR_STATE_CANCELED: return "CANCELED";
    case WEIR_STATE_EXPIRED: return "EXPIRED";
    default: return "REJECTED";
    }
}

static const char *type_word(const struct venue_order *order, enum face face)
{
    bool maker = order->flags & WEIR_POST_ONLY && face == FACE_SPOT;
    static const char *const triggers[] = {[WEIR_STOP] = "STOP_LOSS",
                                           [WEIR_STOP_LIMIT] = "STOP_LOSS_LIMIT",
                                           [WEIR_TAKE_PROFIT] = "TAKE_PROFIT",
                                           [WEIR_TAKE_PROFIT_LIMIT] = "TAKE_PROFIT_LIMIT"};
    if (type_triggers(order->type))
        return triggers[order->type];
    return order->type == WEIR_MARKET ? "MARKET" : maker ? "LIMIT_MAKER" : "LIMIT";
}

static const char *tif_word(const struct venue_order *order, enum face face)
{
    static const char *const words[] = {"GTC", "IOC", "FOK"};
    if (face == FACE_USDM && order->flags & WEIR_POST_ONLY)
        return "GTX";
    return words[order->tif < 3 ? order->tif : 0];
}

static void average(struct text *out, const struct venue_order *order, int qty_exp)
{
    amount px = 0;
    if (order->done > 0 && !amount_per_round(order->quote, order->done, qty_exp, &px))
        px = 0;
    json_key(out, "avgPrice");
    json_amount(out, px);
}

/* The members that every form of an order has. */
static void say_terms(struct front *front, const struct venue_order *order, enum face face,
                      struct text *out)
{
    const struct weir_instrument *is = of(front, order->instrument);
    decimal(out, "price", order->px, is->price_exp);
    decimal(out, "origQty", order->qty, is->qty_exp);
    decimal(out, "executedQty", order->done, is->qty_exp);
    json_key(out, face == FACE_SPOT ? "cummulativeQuoteQty" : "cumQuote");
    json_amount(out, order->quote);
    text(out, "status", state_word(order));
    text(out, "timeInForce", tif_word(order, face));
    text(out, "type", type_word(order, face));
    text(out, "side", order->side == WEIR_BUY ? "BUY" : "SELL");
    if (face == FACE_SPOT) {
        decimal(out, "stopPrice", order->trigger, is->price_exp);
        text(out, "selfTradePreventionMode", "NONE");
        return;
    }
    average(out, order, is->qty_exp);
    decimal(out, "cumQty", order->done, is->qty_exp);
    flag(out, "reduceOnly", order->flags & WEIR_REDUCE_ONLY);
    flag(out, "closePosition", false);
    text(out, "positionSide", "BOTH");
    text(out, "stopPrice", "0");
    text(out, "workingType", "CONTRACT_PRICE");
    flag(out, "priceProtect", false);
    text(out, "origType", type_word(order, face));
}

static void say_names(struct front *front, const struct venue_order *order, const char *client_id,
                      struct text *out)
{
    text(out, "symbol", front->listed[order->instrument - 1].name);
    whole(out, "orderId", (int64_t)order->id);
    whole(out, "orderListId", -1);
    text(out, "clientOrderId", client_id);
}

void say_order(struct front *front, const struct venue_order *order, enum face face,
               struct text *out)
{
    json_object(out);
    say_names(front, order, order->client_id, out);
    say_terms(front, order, face, out);
    whole(out, "time", order->t_ms);
    whole(out, "updateTime", order->changed_ms);
    whole(out, "workingTime", order->t_ms);
    flag(out, "isWorking", !order->waits);
    decimal(out, "icebergQty", 0, 0);
    decimal(out, "origQuoteOrderQty", 0, 0);
    json_end(out);
}

void say_placed(struct front *front, const struct venue_order *order, enum face face,
                const char *kind, size_t first_fill, struct text *out)
{
    const struct weir_instrument *is = of(front, order->instrument);
    json_object(out);
    say_names(front, order, order->client_id, out);
    whole(out, face == FACE_SPOT ? "transactTime" : "updateTime", order->changed_ms);
    if (strcmp(kind, "ACK") != 0)
        say_terms(front, order, face, out);
    if (strcmp(kind, "FULL") == 0) {
        json_key(out, "fills");
        json_array(out);
        for (size_t i = first_fill; i < front->fill_count; i++) {
            const struct venue_fill *fill = &front->fills[i];
            if (fill->order != order->id)
                continue;
            json_object(out);
            decimal(out, "price", fill->px, is->price_exp);
            decimal(out, "qty", fill->qty, is->qty_exp);
            json_key(out, "commission");
            json_amount(out, amount_of(fill->fee));
            text(out, "commissionAsset", fill->fee_asset);
            whole(out, "tradeId", (int64_t)fill->id);
            json_end(out);
        }
        json_end(out);
    }
    json_end(out);
}

void say_canceled(struct front *front, const struct venue_order *order, enum face face,
                  struct text *out)
{
    char name[WEIR_ID_MAX + 8];
    snprintf(name, sizeof name, "c%llu", (unsigned long long)order->id);
    json_object(out);
    say_names(front, order, face == FACE_SPOT ? name : order->client_id, out);
    if (face == FACE_SPOT)
        text(out, "origClientOrderId", order->client_id);
    whole(out, face == FACE_SPOT ? "transactTime" : "updateTime", order->changed_ms);
    say_terms(front, order, face, out);
    json_end(out);
}

void say_fill(struct front *front, const struct venue_fill *fill, enum face face, struct text *out)
{
    const struct weir_instrument *is = of(front, fill->instrument);
    amount quote = 0;
    (void)!amount_product(fill->px, is->price_exp, fill->qty, is->qty_exp, &quote);
    json_object(out);
    text(out, "symbol", front->listed[fill->instrument - 1].name);
    whole(out, "id", (int64_t)fill->id);
    whole(out, "orderId", (int64_t)fill->order);
    whole(out, "orderListId", -1);
    decimal(out, "price", fill->px, is->price_exp);
    decimal(out, "qty", fill->qty, is->qty_exp);
    json_key(out, "quoteQty");
    json_amount(out, quote);
    json_key(out, "commission");
    json_amount(out, amount_of(fill->fee));
    text(out, "commissionAsset", fill->fee_asset);
    whole(out, "time", fill->t_ms);
    flag(out, face == FACE_SPOT ? "isBuyer" : "buyer", fill->side == WEIR_BUY);
    flag(out, face == FACE_SPOT ? "isMaker" : "maker", fill->maker);
    if (face == FACE_SPOT) {
        flag(out, "isBestMatch", true);
    } else {
        text(out, "side", fill->side == WEIR_BUY ? "BUY" : "SELL");
        text(out, "positionSide", "BOTH");
        json_key(out, "realizedPnl");
        json_amount(out, amount_of(fill->realized));
        text(out, "marginAsset", is->quote);
    }
    json_end(out);
}

static void say_last(const struct weir_instrument *is, const struct venue_fill *fill,
                     struct text *out)
{
    decimal(out, "l", fill ? fill->qty : 0, is->qty_exp);
    decimal(out, "L", fill ? fill->px : 0, is->price_exp);
    json_key(out, "n");
    json_amount(out, fill ? amount_of(fill->fee) : 0);
    json_key(out, "N");
    if (fill && fill->fee_asset[0])
        json_string(out, fill->fee_asset);
    else
        json_null(out);
    whole(out, "t", fill ? (int64_t)fill->id : -1);
    flag(out, "m", fill && fill->maker);
}

void say_report(struct front *front, const struct venue_order *order, const char *what,
                const struct venue_fill *fill, const char *first_id, enum face face,
                struct text *out)
{
    const struct weir_instrument *is = of(front, order->instrument);
    bool spot = face == FACE_SPOT, cancel = strcmp(what, "CANCELED") == 0;
    char name[WEIR_ID_MAX];
    snprintf(name, sizeof name, "c%llu", (unsigned long long)order->id);
    json_object(out);
    text(out, "e", spot ? "executionReport" : "ORDER_TRADE_UPDATE");
    whole(out, "E", now_ms(front));
    if (!spot) {
        whole(out, "T", order->changed_ms);
        json_key(out, "o");
        json_object(out);
    }
    text(out, "s", front->listed[order->instrument - 1].name);
    text(out, "c", cancel && spot ? name : order->client_id);
    text(out, "S", order->side == WEIR_BUY ? "BUY" : "SELL");
    text(out, "o", type_word(order, face));
    text(out, "f", tif_word(order, face));
    decimal(out, "q", order->qty, is->qty_exp);
    decimal(out, "p", order->px, is->price_exp);
    if (spot) {
        decimal(out, "P", order->trigger, is->price_exp);
        decimal(out, "F", 0, 0);
        whole(out, "g", -1);
        text(out, "C", first_id);
    } else {
        text(out, "ap", "0");
        text(out, "sp", "0");
        flag(out, "R", order->flags & WEIR_REDUCE_ONLY);
        text(out, "ps", "BOTH");
        text(out, "ot", type_word(order, face));
        json_key(out, "rp");
        json_amount(out, fill ? amount_of(fill->realized) : 0);
    }
    text(out, "x", what);
    text(out, "X", state_word(order));
    text(out, "r", "NONE");
    whole(out, "i", (int64_t)order->id);
    decimal(out, "z", order->done, is->qty_exp);
    say_last(is, fill, out);
    whole(out, "T", order->changed_ms);
    if (spot) {
        whole(out, "I", (int64_t)order->id);
        flag(out, "w", order->state == WEIR_STATE_OPEN && !order->waits);
        flag(out, "M", false);
        whole(out, "O", order->t_ms);
        json_key(out, "Z");
        json_amount(out, order->quote);
        decimal(out, "Y", 0, 0);
        decimal(out, "Q", 0, 0);
        whole(out, "W", order->t_ms);
        text(out, "V", "NONE");
    } else {
        json_end(out);
    }
    json_end(out);
}
