/* user.c - the private stream: what happens to our orders and to the account.
 *
 * Spot's executionReport and USD-M's ORDER_TRADE_UPDATE have nearly the same members; what differs
 * stands in one place [facts_of]. An execution is told as such; states are told by the events that end an
 * order. While a replacement is open, "canceled" of the old order is its first half and is kept back:
 * the answer, the new order's own report, or the host's question tells how it ended. */
#include <stdio.h>

#include "trade.h"

#define MS ((weir_ns)1000000)

/* One report of an order, of either market. */
struct facts {
    const struct symbol *symbol;
    struct weir_bytes what;   /* NEW, TRADE, ... */
    struct weir_bytes status; /* of the order */
    struct weir_bytes order;  /* the object */
    char client_id[WEIR_ID_MAX];
    char first_id[WEIR_ID_MAX]; /* of the order that a cancel or an amendment was about */
    weir_qty last, cum, qty;
    weir_px last_px, px;
    uint8_t side;
    int64_t t_ms;
};

static bool facts_of(struct binance *binance, struct weir_bytes order, struct facts *facts)
{
    bool good = true;
    memset(facts, 0, sizeof *facts);
    facts->symbol = symbol_ours(binance, object_text(order, "s"));
    if (!facts->symbol)
        return false;
    int qty_exp = facts->symbol->qty_exp, px_exp = facts->symbol->px_exp;
    facts->order = order;
    facts->what = object_text(order, "x");
    facts->status = object_text(order, "X");
    facts->side = object_is(order, "S", "SELL") ? WEIR_SELL : WEIR_BUY;
    facts->last = object_decimal(order, "l", qty_exp, &good);
    facts->cum = object_decimal(order, "z", qty_exp, &good);
    facts->qty = object_decimal(order, "q", qty_exp, &good);
    facts->last_px = object_decimal(order, "L", px_exp, &good);
    facts->px = object_decimal(order, "p", px_exp, &good);
    facts->t_ms = object_int(order, "T", 0);
    object_copy(object_text(order, "c"), facts->client_id, sizeof facts->client_id);
    struct weir_bytes first = object_text(order, "C");
    object_copy(first.len ? first : object_text(order, "c"), facts->first_id,
                sizeof facts->first_id);
    return good;
}

/* What became of an order with a trigger is told under the name that it was asked by. */
static void by_first_name(struct binance *binance, struct facts *facts)
{
    const struct live *trigger =
        orders_alias(&binance->orders->orders, object_text(facts->order, "i"));
    if (!trigger)
        return;
    memcpy(facts->client_id, trigger->client_id, sizeof facts->client_id);
    memcpy(facts->first_id, trigger->client_id, sizeof facts->first_id);
}

static struct weir_report report_from(const struct facts *facts, uint16_t kind, const char *id)
{
    struct weir_report report = report_of(kind, facts->symbol->number, id);
    object_copy(object_text(facts->order, "i"), report.venue_id, sizeof report.venue_id);
    report.msg.t_venue = facts->t_ms > 0 ? facts->t_ms * MS : 0;
    report.state = (uint8_t)state_of(facts->status);
    report.side = facts->side;
    report.has_cum = 1;
    report.cum_qty = facts->cum > 0 ? facts->cum : 0;
    report.qty = facts->qty > 0 ? facts->qty : 0;
    report.px = facts->px > 0 ? facts->px : 0;
    return report;
}

/* Whose doing it was, by the names that the venue gives to its own orders. */
static uint8_t origin_of(const char *client_id)
{
    if (strncmp(client_id, "adl_autoclose", 13) == 0)
        return WEIR_ORIGIN_ADL;
    return strncmp(client_id, "autoclose-", 10) == 0 ? WEIR_ORIGIN_LIQUIDATION : WEIR_ORIGIN_OURS;
}

/* --- one of each ------------------------------------------------------------------------------- */

static void executed(struct binance *binance, const struct facts *facts)
{
    struct weir_bytes venue_id = object_text(facts->order, "i");
    const char *id = facts->client_id;
    struct weir_fill fill;
    struct fill_facts told = {
        .number = facts->symbol->number,
        .client_id = {id, strlen(id)},
        .venue_id = venue_id,
        .exec_id = object_text(facts->order, "t"),
        .fee = object_text(facts->order, "n"),
        .fee_asset = object_text(facts->order, "N"),
        .realized = object_text(facts->order, "rp"),
        .px = facts->last_px,
        .qty = facts->last,
        .side = facts->side,
        .origin = origin_of(facts->client_id),
        .maker = object_is(facts->order, "m", "true"),
        .t_ms = facts->t_ms,
    };
    if (told.fee_asset.len == 0)
        told.fee.len = 0;
    binance->orders->executions++;
    if (make_fill(&told, &fill)) {
        binance->host->emit(binance->host->host, &fill.msg);
    } else if (facts->last > 0) { /* no price or no id: the host asks for it */
        struct weir_report report = report_from(facts, WEIR_STATUS, id);
        emit_report(binance, &report);
    }
    if (scan_is(facts->status, "FILLED"))
        orders_drop(&binance->orders->orders, facts->client_id);
}

static void acknowledged(struct binance *binance, const struct facts *facts)
{
    struct live *live = orders_find(&binance->orders->orders, facts->client_id);
    struct live *before = live ? NULL : orders_next(&binance->orders->orders, facts->client_id);
    struct weir_report report =
        report_from(facts, before ? WEIR_REPLACED : WEIR_ACK, facts->client_id);
    if (before) {
        before->px = report.px;
        before->qty = report.qty;
        memcpy(before->venue_id, report.venue_id, sizeof before->venue_id);
        orders_rename(&binance->orders->orders, before, facts->client_id);
    } else if (live && live->acked) {
        return;
    } else if (live) {
        live->acked = true;
        memcpy(live->venue_id, report.venue_id, sizeof live->venue_id);
    }
    emit_report(binance, &report);
}

static void ended(struct binance *binance, const struct facts *facts, uint16_t kind)
{
    struct live *live = orders_find(&binance->orders->orders, facts->first_id);
    struct weir_report report = report_from(facts, kind, facts->first_id);
    if (kind == WEIR_CANCELED && live && live->next_id[0]) {
        live->gone = true;
        return;
    }
    struct weir_bytes reason = object_text(facts->order, "r");
    if (reason.len == 0 || scan_is(reason, "NONE"))
        reason = facts->status;
    object_copy(reason, report.reason, sizeof report.reason);
    orders_drop(&binance->orders->orders, facts->first_id);
    emit_report(binance, &report);
}

static void amended(struct binance *binance, const struct facts *facts)
{
    struct live *live = orders_find(&binance->orders->orders, facts->first_id);
    struct weir_report report = report_from(facts, WEIR_REPLACED, facts->client_id);
    if (live) {
        live->px = report.px;
        live->qty = report.qty;
        if (strcmp(facts->first_id, facts->client_id) != 0)
            orders_rename(&binance->orders->orders, live, facts->client_id);
    }
    emit_report(binance, &report);
}

static enum weir_err order_event(struct binance *binance, struct weir_bytes order)
{
    struct facts facts;
    struct weir_bytes name = object_text(order, "s");
    if (!facts_of(binance, order, &facts))
        return symbol_ours(binance, name) ? WEIR_E_BAD_FRAME : WEIR_OK;
    by_first_name(binance, &facts);
    char venue_id[WEIR_ID_MAX];
    object_copy(object_text(order, "i"), venue_id, sizeof venue_id);
    names_keep(&binance->orders->names, facts.symbol->number, venue_id, facts.first_id);
    bool is_fill = scan_is(facts.what, "TRADE") || scan_is(facts.what, "CALCULATED");
    if (!facts.client_id[0] && object_text(order, "i").len == 0)
        return WEIR_E_BAD_FRAME;
    if (is_fill)
        executed(binance, &facts);
    else if (scan_is(facts.what, "NEW"))
        acknowledged(binance, &facts);
    else if (scan_is(facts.what, "CANCELED") && !scan_is(facts.status, "PENDING_CANCEL"))
        ended(binance, &facts, WEIR_CANCELED);
    else if (scan_is(facts.what, "EXPIRED") || scan_is(facts.what, "TRADE_PREVENTION"))
        ended(binance, &facts, WEIR_EXPIRED);
    else if (scan_is(facts.what, "REJECTED"))
        ended(binance, &facts, WEIR_REJECT);
    else if (scan_is(facts.what, "REPLACED") || scan_is(facts.what, "AMENDMENT"))
        amended(binance, &facts);
    bool over = is_fill && state_of(facts.status) > WEIR_STATE_FILLED;
    if (over) /* the rest of it ended with this execution */
        ended(binance, &facts, WEIR_EXPIRED);
    return WEIR_OK;
}

/* An order with a trigger: it waits, becomes an order of its own, and ends. */
static enum weir_err algo_event(struct binance *binance, struct weir_bytes order)
{
    const struct symbol *symbol = symbol_ours(binance, object_text(order, "s"));
    struct weir_bytes status = object_text(order, "X"), became = object_text(order, "ai");
    char id[WEIR_ID_MAX];
    if (!symbol)
        return WEIR_OK;
    object_copy(object_text(order, "caid"), id, sizeof id);
    struct live *live = orders_find(&binance->orders->orders, id);
    if (live && became.len > 0) {
        object_copy(became, live->alias, sizeof live->alias);
        names_keep(&binance->orders->names, symbol->number, live->alias, id);
        binance->orders->orders.aliased = true;
    }
    bool canceled = scan_is(status, "CANCELED"), expired = scan_is(status, "EXPIRED");
    bool rejected = scan_is(status, "REJECTED"), is_new = scan_is(status, "NEW");
    uint16_t kind = canceled   ? WEIR_CANCELED
                    : expired  ? WEIR_EXPIRED
                    : rejected ? WEIR_REJECT
                    : is_new   ? WEIR_ACK
                               : WEIR_NONE;
    if (kind == WEIR_NONE || (kind == WEIR_ACK && live && live->acked))
        return WEIR_OK;
    struct weir_report report = report_of(kind, symbol->number, id);
    object_copy(object_text(order, "aid"), report.venue_id, sizeof report.venue_id);
    object_copy(object_text(order, "rm"), report.reason, sizeof report.reason);
    if (live)
        live->acked = true;
    if (kind != WEIR_ACK)
        orders_drop(&binance->orders->orders, id);
    emit_report(binance, &report);
    return WEIR_OK;
}

/* --- money ------------------------------------------------------------------------------------ */

static void tell_cash(struct binance *binance, uint16_t kind, uint32_t number, int64_t t_ms,
                      struct weir_bytes asset, struct weir_bytes change, const char *what)
{
    struct weir_cash cash = {.msg = {.size = sizeof cash,
                                     .kind = kind,
                                     .instrument = number,
                                     .t_venue = t_ms > 0 ? t_ms * MS : 0}};
    object_copy(asset, cash.asset, sizeof cash.asset);
    (void)snprintf(cash.id, sizeof cash.id, "%s-%lld-%s", what, (long long)t_ms, cash.asset);
    bool nothing =
        !make_amount(change, &cash.amount) || (cash.amount.lo == 0 && cash.amount.hi == 0);
    if (!nothing && cash.asset[0])
        binance->host->emit(binance->host->host, &cash.msg);
}

/* USD-M: funding, and money that came or went. What orders did to the wallet is told with them. */
static enum weir_err account_event(struct binance *binance, struct weir_bytes event)
{
    struct weir_bytes account = object_get(event, "a"), row;
    struct weir_bytes why = object_text(account, "m"), positions = object_get(account, "P");
    bool funding = scan_is(why, "FUNDING_FEE");
    bool moved = scan_is(why, "DEPOSIT") || scan_is(why, "WITHDRAW") ||
                 scan_is(why, "ADMIN_DEPOSIT") || scan_is(why, "ADMIN_WITHDRAW") ||
                 scan_is(why, "ASSET_TRANSFER") || scan_is(why, "COIN_SWAP_DEPOSIT") ||
                 scan_is(why, "COIN_SWAP_WITHDRAW");
    struct scan scan = scan_of(object_get(account, "B"));
    uint32_t number = 0;
    int first = 1, first_position = 1;
    if (!funding && !moved)
        return WEIR_OK;
    struct scan held = scan_of(positions);
    if (positions.len > 0 && scan_try(&held, '[') && object_next(&held, &first_position, &row)) {
        const struct symbol *symbol = symbol_ours(binance, object_text(row, "s"));
        number = symbol ? symbol->number : 0;
    }
    if (!scan_try(&scan, '['))
        return WEIR_OK;
    while (object_next(&scan, &first, &row))
        tell_cash(binance, funding ? WEIR_FUNDING : WEIR_TRANSFER, number,
                  object_int(event, "T", 0), object_text(row, "a"), object_text(row, "bc"),
                  funding ? "funding" : "move");
    return WEIR_OK;
}

enum weir_err user_event(struct binance *binance, struct weir_bytes event, weir_ns now)
{
    struct weir_bytes what = object_text(event, "e");
    struct weir_bytes data = object_get(event, "data");
    if (what.len == 0 && data.len > 0) /* of a combined stream */
        return user_event(binance, data, now);
    if (scan_is(what, "executionReport"))
        return order_event(binance, event);
    if (scan_is(what, "ORDER_TRADE_UPDATE"))
        return order_event(binance, object_get(event, "o"));
    if (scan_is(what, "ALGO_UPDATE"))
        return algo_event(binance, object_get(event, "o"));
    if (scan_is(what, "ACCOUNT_UPDATE"))
        return account_event(binance, event);
    if (scan_is(what, "balanceUpdate"))
        tell_cash(binance, WEIR_TRANSFER, 0, object_int(event, "T", 0), object_text(event, "a"),
                  object_text(event, "d"), "move");
    if (scan_is(what, "listenKeyExpired"))
        return login_listen_again(binance, now);
    if (scan_is(what, "eventStreamTerminated") || scan_is(what, "serverShutdown"))
        return login_renew(binance, now);
    return WEIR_OK; /* of no concern here */
}
