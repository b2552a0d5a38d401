/* report.c - what the venue says of orders and executions, in the host's words. */
#include <stdio.h>

#include "trade.h"

#define MS ((weir_ns)1000000)

enum weir_venue_state state_of(struct weir_bytes status)
{
    static const struct {
        const char *word;
        enum weir_venue_state state;
    } words[] = {
        {"NEW", WEIR_STATE_OPEN},
        {"PENDING_NEW", WEIR_STATE_OPEN},
        {"PARTIALLY_FILLED", WEIR_STATE_OPEN},
        {"PENDING_CANCEL", WEIR_STATE_OPEN},
        {"FILLED", WEIR_STATE_FILLED},
        {"CANCELED", WEIR_STATE_CANCELED},
        {"EXPIRED", WEIR_STATE_EXPIRED},
        {"EXPIRED_IN_MATCH", WEIR_STATE_EXPIRED},
        {"REJECTED", WEIR_STATE_REJECTED},
        /* orders with a trigger */
        {"TRIGGERING", WEIR_STATE_OPEN},
        {"TRIGGERED", WEIR_STATE_OPEN},
        {"FINISHED", WEIR_STATE_FILLED},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (scan_is(status, words[i].word))
            return words[i].state;
    return WEIR_STATE_OPEN;
}

struct weir_report report_of(uint16_t kind, uint32_t number, const char *client_id)
{
    struct weir_report report = {
        .msg = {.size = sizeof report, .kind = kind, .instrument = number}};
    object_copy((struct weir_bytes){client_id, strlen(client_id)}, report.client_id,
                sizeof report.client_id);
    return report;
}

void emit_report(struct binance *binance, struct weir_report *report)
{
    binance->host->emit(binance->host->host, &report->msg);
}

bool make_amount(struct weir_bytes text, struct weir_amount *amount_out)
{
    __int128 value = 0;
    bool minus = text.len > 0 && text.data[0] == '-', point = false;
    int places = 0;
    for (size_t i = minus; i < text.len; i++) {
        char c = text.data[i];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9' || (places == 18 && c != '0'))
            return false;
        if (places == 18)
            continue;
        value = value * 10 + (c - '0');
        places += point;
        if (value > (__int128)1 << 100)
            return false;
    }
    for (; places < 18; places++) {
        value *= 10;
        if (value > (__int128)1 << 120)
            return false;
    }
    value = minus ? -value : value;
    *amount_out = (struct weir_amount){(uint64_t)value, (int64_t)(value >> 64)};
    return text.len > (size_t)minus;
}

bool make_fill(const struct fill_facts *facts, struct weir_fill *fill_out)
{
    *fill_out = (struct weir_fill){
        .msg = {.size = sizeof *fill_out,
                .kind = WEIR_FILL,
                .instrument = facts->number,
                .t_venue = facts->t_ms * MS},
        .qty = facts->qty,
        .px = facts->px,
        .side = facts->side,
        .origin = facts->origin,
        .maker = facts->maker,
    };
    object_copy(facts->client_id, fill_out->client_id, sizeof fill_out->client_id);
    object_copy(facts->venue_id, fill_out->venue_id, sizeof fill_out->venue_id);
    object_copy(facts->exec_id, fill_out->exec_id, sizeof fill_out->exec_id);
    object_copy(facts->fee_asset, fill_out->fee_asset, sizeof fill_out->fee_asset);
    if (facts->fee.len > 0 && !make_amount(facts->fee, &fill_out->fee))
        return false;
    fill_out->has_realized = facts->realized.len > 0;
    if (fill_out->has_realized && !make_amount(facts->realized, &fill_out->realized))
        return false;
    return facts->qty > 0 && facts->px > 0 && facts->exec_id.len > 0;
}

struct symbol *symbol_ours(struct binance *binance, struct weir_bytes name)
{
    struct symbol *symbol = symbols_find(&binance->symbols, name.data, name.len);
    if (!symbol || (binance->only_wanted && !symbol->wanted))
        return NULL;
    if (symbol->number == 0 && symbol_tell(binance, symbol) != WEIR_OK)
        return NULL;
    return symbol;
}

void fill_in(struct weir_report *report, const struct symbol *symbol, struct weir_bytes order,
             bool *good)
{
    object_copy(object_text(order, "orderId"), report->venue_id, sizeof report->venue_id);
    report->state = (uint8_t)state_of(object_text(order, "status"));
    report->side = object_is(order, "side", "SELL") ? WEIR_SELL : WEIR_BUY;
    report->qty = object_decimal(order, "origQty", symbol->qty_exp, good);
    report->px = object_decimal(order, "price", symbol->px_exp, good);
    report->has_cum = object_get(order, "executedQty").len > 0;
    report->cum_qty = object_decimal(order, "executedQty", symbol->qty_exp, good);
    int64_t t = object_int(order, "updateTime", object_int(order, "transactTime", 0));
    report->msg.t_venue = t > 0 ? t * MS : 0;
}

/* An order with a trigger has names of its own for the same things. */
void fill_in_algo(struct weir_report *report, const struct symbol *symbol, struct weir_bytes order,
                  bool *good)
{
    object_copy(object_text(order, "algoId"), report->venue_id, sizeof report->venue_id);
    report->state = (uint8_t)state_of(object_text(order, "algoStatus"));
    report->side = object_is(order, "side", "SELL") ? WEIR_SELL : WEIR_BUY;
    report->qty = object_decimal(order, "quantity", symbol->qty_exp, good);
    report->px = object_decimal(order, "price", symbol->px_exp, good);
    report->has_cum = object_get(order, "actualQty").len > 0;
    report->cum_qty = object_decimal(order, "actualQty", symbol->qty_exp, good);
    if (report->state == WEIR_STATE_FILLED && report->has_cum && report->cum_qty < report->qty)
        report->state = WEIR_STATE_EXPIRED; /* finished before all of it was executed */
}

/* What it became, if the stream's word on that was lost: from then on it is canceled and asked for as that. */
static void learn_alias(struct binance *binance, const struct symbol *symbol,
                        struct weir_bytes order, const struct weir_report *report)
{
    struct weir_bytes became = object_text(order, "actualOrderId");
    struct orders *orders = &binance->orders->orders;
    if (became.len == 0 || report->state != WEIR_STATE_OPEN)
        return;
    struct live *live = orders_add(orders, report->client_id);
    if (!live)
        return;
    live->algo = live->acked = orders->aliased = true;
    live->number = symbol->number;
    live->side = report->side;
    live->px = report->px;
    live->qty = report->qty;
    object_copy(became, live->alias, sizeof live->alias);
    names_keep(&binance->orders->names, symbol->number, live->alias, report->client_id);
}

bool order_facts(struct binance *binance, struct weir_bytes order, uint16_t kind, bool is_algo,
                 struct weir_report *report_out)
{
    const struct symbol *symbol = symbol_ours(binance, object_text(order, "symbol"));
    bool good = true;
    if (!symbol)
        return false;
    char id[WEIR_ID_MAX];
    struct weir_bytes first = object_text(order, "origClientOrderId");
    if (first.len == 0)
        first = object_text(order, is_algo ? "clientAlgoId" : "clientOrderId");
    object_copy(first, id, sizeof id);
    *report_out = report_of(kind, symbol->number, id);
    if (is_algo)
        fill_in_algo(report_out, symbol, order, &good);
    else
        fill_in(report_out, symbol, order, &good);
    names_keep(&binance->orders->names, symbol->number, report_out->venue_id,
               report_out->client_id);
    if (is_algo)
        learn_alias(binance, symbol, order, report_out);
    return good && (report_out->client_id[0] || report_out->venue_id[0]);
}
