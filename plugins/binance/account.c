/* account.c - a reconciliation, and questions beside the order path.
 *
 * A reconciliation asks in three steps, so that what is told last has seen what was told first: balances
 * and positions, then working orders, then executions. Its rows are kept until all answers are there
 * and told at once. If the private stream told of an execution meanwhile, the answers may be of different
 * moments: it is begun anew, a few times; a busy account is told as it is then, and the host's own
 * comparison finds what differs. An answer that does not come ends it; the host asks again.
 *
 * Executions are asked for from a time on, a thousand at once, and by number from there. Where the host
 * knows of none yet, that time is ten minutes before this session began. */
#include <stdlib.h>

#include "trade.h"

#define MS           ((weir_ns)1000000)
#define SECOND       ((weir_ns)1000000000)
#define BEFORE_START (600 * SECOND)
#define RECON_MOST   (60 * SECOND)

enum { PAGE = 1000, TRIES_MOST = 5, HOUR_MS = 3600000 };

/* --- rows ------------------------------------------------------------------------------------- */

static bool keep(struct rows *rows, const struct weir_msg *row)
{
    if (row->size > rows->room - rows->len) {
        size_t room = rows->room ? 2 * rows->room : 16384;
        unsigned char *bytes = room <= (size_t)1 << 28 ? realloc(rows->bytes, room) : NULL;
        if (!bytes)
            return false;
        rows->bytes = bytes;
        rows->room = room;
    }
    memcpy(rows->bytes + rows->len, row, row->size);
    rows->len += row->size;
    return true;
}

static void tell_rows(struct binance *binance, const struct rows *rows)
{
    for (size_t at = 0; at < rows->len;) {
        const struct weir_msg *row = (const void *)(rows->bytes + at);
        binance->host->emit(binance->host->host, row);
        at += row->size;
    }
}

static void tell_bound(struct binance *binance, uint16_t kind, uint16_t flags)
{
    struct weir_msg bound = {.size = sizeof bound, .kind = kind, .flags = flags};
    binance->host->emit(binance->host->host, &bound);
}

/* Where a row goes: kept for the end, or told now. */
static void give(struct binance *binance, uint8_t whom, enum row_kind kind, struct weir_msg *row)
{
    if (whom != FOR_RECON)
        binance->host->emit(binance->host->host, row);
    else if (!keep(&binance->orders->recon.rows[kind], row))
        binance->orders->recon.failed = true;
}

/* --- what answers hold ------------------------------------------------------------------------ */

static enum weir_err take_orders(struct binance *binance, const struct pending *pending,
                                 struct weir_bytes list)
{
    uint16_t kind = pending->whom == FOR_RECON ? WEIR_RECON_ORDER : WEIR_STATUS;
    struct scan scan = scan_of(list);
    struct weir_bytes order;
    struct weir_report report;
    int first = 1;
    bool algo = pending->action == DO_OPEN_ALGO;
    scan_expect(&scan, '[');
    while (object_next(&scan, &first, &order)) {
        if (!symbol_ours(binance, object_text(order, "symbol")))
            continue;
        if (!order_facts(binance, order, kind, algo, &report))
            return WEIR_E_BAD_FRAME;
        if (pending->whom == FOR_RECON && pending->action == DO_CLOSED)
            continue; /* its name was wanted */
        if (report.state == WEIR_STATE_OPEN && report.client_id[0]) {
            struct live *live = orders_add(&binance->orders->orders, report.client_id);
            if (live) {
                live->number = report.msg.instrument;
                live->px = report.px;
                live->qty = report.qty;
                live->side = report.side;
                live->acked = true;
                live->algo |= algo;
                memcpy(live->venue_id, report.venue_id, sizeof live->venue_id);
            }
        }
        give(binance, pending->whom, ROW_ORDER, &report.msg);
    }
    return scan.err;
}

static bool fill_of(struct binance *binance, const struct symbol *symbol, struct weir_bytes row,
                    struct weir_fill *fill)
{
    bool good = true;
    bool buyer = object_is(row, "isBuyer", "true") || object_is(row, "buyer", "true");
    const char *name =
        names_find(&binance->orders->names, symbol->number, object_text(row, "orderId"));
    struct fill_facts facts = {
        .number = symbol->number,
        .client_id = {name, strlen(name)},
        .venue_id = object_text(row, "orderId"),
        .exec_id = object_text(row, "id"),
        .fee = object_text(row, "commission"),
        .fee_asset = object_text(row, "commissionAsset"),
        .realized = object_text(row, "realizedPnl"),
        .px = object_decimal(row, "price", symbol->px_exp, &good),
        .qty = object_decimal(row, "qty", symbol->qty_exp, &good),
        .side = buyer ? WEIR_BUY : WEIR_SELL,
        .maker = object_is(row, "isMaker", "true") || object_is(row, "maker", "true"),
        .t_ms = object_int(row, "time", 0),
    };
    return good && make_fill(&facts, fill);
}

static enum weir_err ask_page(struct binance *binance, const struct pending *before, int64_t from,
                              weir_ns now);

static enum weir_err take_fills(struct binance *binance, const struct pending *pending,
                                struct weir_bytes list, weir_ns now)
{
    struct scan scan = scan_of(list);
    struct weir_bytes row;
    struct weir_fill fill;
    int64_t last = 0;
    uint32_t count = 0;
    int first = 1;
    scan_expect(&scan, '[');
    while (object_next(&scan, &first, &row)) {
        const struct symbol *symbol = symbol_ours(binance, object_text(row, "symbol"));
        count++;
        last = object_int(row, "id", last);
        if (symbol && !fill_of(binance, symbol, row, &fill))
            return WEIR_E_BAD_FRAME;
        if (symbol)
            give(binance, pending->whom, ROW_FILL, &fill.msg);
    }
    if (scan_ok(&scan) && count == PAGE && pending->limit == 0)
        return ask_page(binance, pending, last + 1, now);
    return scan.err;
}

/* Free and locked are the wallet's total; of futures, the wallet's balance. */
static bool total_of(struct weir_bytes row, struct weir_amount *total)
{
    struct weir_amount locked = {0, 0};
    struct weir_bytes wallet = object_text(row, "walletBalance");
    if (wallet.len > 0)
        return make_amount(wallet, total);
    if (!make_amount(object_text(row, "free"), total) ||
        !make_amount(object_text(row, "locked"), &locked))
        return false;
    __int128 sum =
        (((__int128)total->hi << 64) | total->lo) + (((__int128)locked.hi << 64) | locked.lo);
    *total = (struct weir_amount){(uint64_t)sum, (int64_t)(sum >> 64)};
    return true;
}

static bool is_traded(const struct binance *binance, struct weir_bytes asset)
{
    for (uint32_t n = 1; n <= binance->symbols.told; n++) {
        const struct symbol *symbol = &binance->symbols.rows[binance->symbols.numbers[n]];
        if (scan_is(asset, symbol->base) || scan_is(asset, symbol->quote))
            return true;
    }
    return false;
}

/* To a reconciliation, the assets of the symbols that are traded here; to a question, all. */
static enum weir_err take_balances(struct binance *binance, const struct pending *pending,
                                   struct weir_bytes account)
{
    struct weir_bytes list = object_get(account, "balances"), row;
    if (list.len == 0)
        list = object_get(account, "assets");
    struct scan scan = scan_of(list);
    int first = 1;
    scan_expect(&scan, '[');
    while (object_next(&scan, &first, &row)) {
        struct weir_cash cash = {.msg = {.size = sizeof cash, .kind = WEIR_RECON_BALANCE}};
        struct weir_bytes asset = object_text(row, "asset");
        if (pending->whom == FOR_RECON && !is_traded(binance, asset))
            continue;
        object_copy(asset, cash.asset, sizeof cash.asset);
        if (!cash.asset[0] || !total_of(row, &cash.amount))
            return WEIR_E_BAD_FRAME;
        give(binance, pending->whom, ROW_BALANCE, &cash.msg);
    }
    return scan.err;
}

static enum weir_err take_positions(struct binance *binance, const struct pending *pending,
                                    struct weir_bytes list)
{
    struct scan scan = scan_of(list);
    struct weir_bytes row;
    int first = 1;
    scan_expect(&scan, '[');
    while (object_next(&scan, &first, &row)) {
        const struct symbol *symbol = symbol_ours(binance, object_text(row, "symbol"));
        struct weir_cash cash = {.msg = {.size = sizeof cash, .kind = WEIR_RECON_POSITION}};
        if (!symbol)
            continue;
        cash.msg.instrument = symbol->number;
        if (!make_amount(object_text(row, "positionAmt"), &cash.amount))
            return WEIR_E_BAD_FRAME;
        give(binance, pending->whom, ROW_POSITION, &cash.msg);
    }
    return scan.err;
}

static enum weir_err take_trades(struct binance *binance, const struct pending *pending,
                                 struct weir_bytes list)
{
    const struct symbol *symbol = symbol_numbered(binance, pending->number);
    struct scan scan = scan_of(list);
    struct weir_bytes row;
    int first = 1;
    if (!symbol)
        return WEIR_E_NOT_FOUND;
    scan_expect(&scan, '[');
    while (object_next(&scan, &first, &row)) {
        bool good = true, plain = object_get(row, "price").len > 0; /* of /trades, not /aggTrades */
        struct weir_trade trade = {
            .msg = {.size = sizeof trade, .kind = WEIR_TRADE, .instrument = symbol->number}};
        trade.id = (uint64_t)object_int(row, plain ? "id" : "a", 0);
        trade.px = object_decimal(row, plain ? "price" : "p", symbol->px_exp, &good);
        trade.qty = object_decimal(row, plain ? "qty" : "q", symbol->qty_exp, &good);
        bool maker = object_is(row, plain ? "isBuyerMaker" : "m", "true");
        trade.aggressor = maker ? WEIR_SELL : WEIR_BUY;
        trade.msg.t_venue = object_int(row, plain ? "time" : "T", 0) * MS;
        if (!good)
            return WEIR_E_BAD_FRAME;
        binance->host->emit(binance->host->host, &trade.msg);
    }
    return scan.err;
}

static enum weir_err take_mark(struct binance *binance, struct weir_bytes result)
{
    const struct symbol *symbol = symbol_ours(binance, object_text(result, "symbol"));
    struct weir_mark mark = {.msg = {.size = sizeof mark, .kind = WEIR_MARK}};
    bool good = true;
    if (!symbol)
        return WEIR_E_NOT_FOUND;
    mark.msg.instrument = symbol->number;
    mark.px = object_decimal(result, "markPrice", symbol->px_exp, &good);
    if (!good || mark.px <= 0)
        return WEIR_E_BAD_FRAME;
    binance->host->emit(binance->host->host, &mark.msg);
    return WEIR_OK;
}

static enum weir_err take_income(struct binance *binance, struct weir_bytes list)
{
    struct scan scan = scan_of(list);
    struct weir_bytes row;
    int first = 1;
    scan_expect(&scan, '[');
    while (object_next(&scan, &first, &row)) {
        const struct symbol *symbol = symbol_ours(binance, object_text(row, "symbol"));
        struct weir_cash cash = {.msg = {.size = sizeof cash, .kind = WEIR_FUNDING}};
        if (!symbol || !object_is(row, "incomeType", "FUNDING_FEE"))
            continue;
        cash.msg.instrument = symbol->number;
        cash.msg.t_venue = object_int(row, "time", 0) * MS;
        object_copy(object_text(row, "asset"), cash.asset, sizeof cash.asset);
        object_copy(object_text(row, "tranId"), cash.id, sizeof cash.id);
        if (!make_amount(object_text(row, "income"), &cash.amount))
            return WEIR_E_BAD_FRAME;
        binance->host->emit(binance->host->host, &cash.msg);
    }
    return scan.err;
}

/* --- asking ----------------------------------------------------------------------------------- */

static void put_symbol(struct params *params, const struct symbol *symbol)
{
    if (symbol)
        params_text(params, "symbol", symbol->name);
}

static void put_span(struct params *params, weir_ns since, weir_ns until, uint32_t limit)
{
    if (since > 0)
        params_int(params, "startTime", since / MS);
    if (until > 0)
        params_int(params, "endTime", until / MS);
    if (limit > 0)
        params_int(params, "limit", limit);
}

static enum weir_err ask(struct binance *binance, enum action action, uint32_t number, uint8_t whom,
                         weir_ns now)
{
    struct params params = {.count = 0};
    struct pending *pending = pending_new(binance, action, now);
    if (!pending)
        return WEIR_E_FULL;
    pending->whom = whom;
    pending->number = number;
    put_symbol(&params, symbol_numbered(binance, number));
    return call(binance, pending, &params, now);
}

static enum weir_err ask_page(struct binance *binance, const struct pending *before, int64_t from,
                              weir_ns now)
{
    struct params params = {.count = 0};
    struct pending *pending = pending_new(binance, DO_FILLS, now);
    if (!pending)
        return WEIR_E_FULL;
    pending->whom = before->whom;
    pending->number = before->number;
    put_symbol(&params, symbol_numbered(binance, before->number));
    params_int(&params, "fromId", from);
    params_int(&params, "limit", PAGE);
    enum weir_err err = call(binance, pending, &params, now);
    binance->orders->recon.left += !err && before->whom == FOR_RECON;
    return err;
}

static enum weir_err ask_fills_of(struct binance *binance, uint32_t number, weir_ns since,
                                  weir_ns until, uint32_t limit, uint8_t whom, weir_ns now)
{
    struct params params = {.count = 0};
    struct pending *pending = pending_new(binance, DO_FILLS, now);
    if (!pending)
        return WEIR_E_FULL;
    pending->whom = whom;
    pending->number = number;
    pending->limit = limit;
    put_symbol(&params, symbol_numbered(binance, number));
    put_span(&params, since, until, limit ? limit : PAGE);
    return call(binance, pending, &params, now);
}

static weir_ns since_of(struct binance *binance, weir_ns since)
{
    weir_ns ahead = binance->host->venue_clock(binance->host->host, 0, 0, 0);
    return since > 0 ? since : binance->orders->started + ahead - BEFORE_START;
}

/* number 0: of every symbol that is traded here. */
enum weir_err ask_fills(struct binance *binance, uint32_t number, weir_ns since, weir_ns until,
                        uint32_t limit, uint8_t whom, weir_ns now)
{
    enum weir_err err = WEIR_OK;
    if (whom != FOR_QUERY)
        since = since_of(binance, since);
    if (number > 0)
        return ask_fills_of(binance, number, since, until, limit, whom, now);
    for (uint32_t n = 1; n <= binance->symbols.told && !err; n++) {
        err = ask_fills_of(binance, n, since, until, limit, whom, now);
        binance->orders->recon.left += !err && whom == FOR_RECON;
    }
    return err;
}

/* --- a reconciliation ------------------------------------------------------------------------- */

static enum weir_err stop(struct binance *binance)
{
    struct recon *recon = &binance->orders->recon;
    recon->on = false;
    recon->left = 0;
    for (int i = 0; i < ROW_KINDS; i++)
        recon->rows[i].len = 0;
    return binance->host->timer(binance->host->host, TIMER_TRADE | TIMER_RECON, 0);
}

static enum weir_err first_step(struct binance *binance, weir_ns now)
{
    struct recon *recon = &binance->orders->recon;
    for (int i = 0; i < ROW_KINDS; i++)
        recon->rows[i].len = 0;
    recon->seen = binance->orders->executions;
    recon->failed = false;
    recon->step = 1;
    recon->left = 1;
    enum weir_err err = ask(binance, DO_ACCOUNT, 0, FOR_RECON, now);
    if (!err && binance->market == MARKET_USDM) {
        recon->left++;
        err = ask(binance, DO_POSITIONS, 0, FOR_RECON, now);
    }
    return err;
}

/* The orders since a while before: executions tell only their numbers. */
static enum weir_err ask_names(struct binance *binance, uint32_t number, weir_ns now)
{
    struct params params = {.count = 0};
    struct pending *pending = pending_new(binance, DO_CLOSED, now);
    weir_ns since = since_of(binance, binance->orders->recon.since);
    if (!pending)
        return WEIR_E_FULL;
    pending->whom = FOR_RECON;
    pending->number = number;
    put_symbol(&params, symbol_numbered(binance, number));
    put_span(&params, since > BEFORE_START ? since - BEFORE_START : since, 0, PAGE);
    return call(binance, pending, &params, now);
}

static enum weir_err second_step(struct binance *binance, weir_ns now)
{
    enum weir_err err = WEIR_OK;
    binance->orders->recon.step = 2;
    for (uint32_t n = 1; n <= binance->symbols.told && !err; n++) {
        err = ask(binance, DO_OPEN, n, FOR_RECON, now);
        binance->orders->recon.left += !err;
        if (!err && binance->market == MARKET_USDM) {
            err = ask(binance, DO_OPEN_ALGO, n, FOR_RECON, now);
            binance->orders->recon.left += !err;
        }
        if (!err)
            err = ask_names(binance, n, now);
        binance->orders->recon.left += !err;
    }
    return err;
}

static enum weir_err third_step(struct binance *binance, weir_ns now)
{
    binance->orders->recon.step = 3;
    return ask_fills(binance, 0, binance->orders->recon.since, 0, 0, FOR_RECON, now);
}

static enum weir_err finish(struct binance *binance, weir_ns now)
{
    struct recon *recon = &binance->orders->recon;
    bool usdm = binance->market == MARKET_USDM;
    if (recon->seen != binance->orders->executions && recon->tries++ < TRIES_MOST)
        return first_step(binance, now);
    tell_bound(binance, WEIR_RECON_BEGIN, 0);
    for (int i = 0; i < ROW_KINDS; i++)
        tell_rows(binance, &recon->rows[i]);
    tell_bound(binance, WEIR_RECON_END,
               (uint16_t)(WEIR_RECON_HAS_BALANCES | WEIR_RECON_OPEN_ONLY |
                          (usdm ? WEIR_RECON_HAS_POSITIONS : 0)));
    return stop(binance);
}

static enum weir_err next_step(struct binance *binance, weir_ns now)
{
    struct recon *recon = &binance->orders->recon;
    enum weir_err err = WEIR_OK;
    while (!err && recon->on && recon->left == 0) {
        if (recon->failed)
            return stop(binance);
        err = recon->step == 1   ? second_step(binance, now)
              : recon->step == 2 ? third_step(binance, now)
                                 : finish(binance, now);
    }
    if (err)
        (void)stop(binance);
    return err == WEIR_E_FULL || err == WEIR_E_DOWN ? WEIR_OK : err;
}

enum weir_err recon_begin(struct binance *binance, weir_ns since, weir_ns now)
{
    struct recon *recon = &binance->orders->recon;
    if (recon->on)
        return WEIR_OK;
    recon->on = true;
    recon->since = since;
    recon->tries = 0;
    enum weir_err err = first_step(binance, now);
    if (!err)
        err =
            binance->host->timer(binance->host->host, TIMER_TRADE | TIMER_RECON, now + RECON_MOST);
    if (err)
        (void)stop(binance);
    return err;
}

enum weir_err recon_timer(struct binance *binance, weir_ns now)
{
    (void)now;
    return stop(binance);
}

static enum weir_err take(struct binance *binance, const struct pending *pending,
                          struct weir_bytes result, weir_ns now)
{
    switch (pending->action) {
    case DO_OPEN:
    case DO_OPEN_ALGO:
    case DO_CLOSED: return take_orders(binance, pending, result);
    case DO_FILLS: return take_fills(binance, pending, result, now);
    case DO_ACCOUNT: return take_balances(binance, pending, result);
    case DO_POSITIONS: return take_positions(binance, pending, result);
    case DO_TRADES: return take_trades(binance, pending, result);
    case DO_FUNDING: return take_mark(binance, result);
    case DO_INCOME: return take_income(binance, result);
    case DO_INFO: return symbols_rules(binance, result);
    case DO_BOOK:
        return decode_snapshot(binance, NULL, symbol_numbered(binance, pending->number), result);
    default: return WEIR_OK;
    }
}

enum weir_err recon_answer(struct binance *binance, const struct pending *pending, int status,
                           struct weir_bytes result, weir_ns now)
{
    struct recon *recon = &binance->orders->recon;
    if (!recon->on || recon->left == 0)
        return WEIR_OK;
    enum weir_err err = status == 200 ? take(binance, pending, result, now) : WEIR_E_TIMEOUT;
    recon->failed |= err != WEIR_OK;
    recon->left--;
    return next_step(binance, now);
}

/* --- questions -------------------------------------------------------------------------------- */

enum weir_err query_answer(struct binance *binance, const struct pending *pending, int status,
                           struct weir_bytes result, weir_ns now)
{
    bool rows = pending->action == DO_ACCOUNT || pending->action == DO_POSITIONS;
    if (pending->action == DO_TIME)
        return login_answer(binance, pending, status, result, now);
    if (status != 200)
        return WEIR_OK;
    if (rows)
        tell_bound(binance, WEIR_RECON_BEGIN, 0);
    enum weir_err err = take(binance, pending, result, now);
    uint16_t has =
        pending->action == DO_ACCOUNT ? WEIR_RECON_HAS_BALANCES : WEIR_RECON_HAS_POSITIONS;
    if (rows) /* what could not be read must not be taken as zero */
        tell_bound(binance, WEIR_RECON_END, (uint16_t)(WEIR_RECON_PARTIAL | (err ? 0 : has)));
    return err;
}

/* The venue gives at most an hour of public trades at once. */
static weir_ns hour_after(const struct weir_query *query)
{
    weir_ns most = query->t_since + HOUR_MS * MS;
    if (query->t_since == 0)
        return query->t_until;
    return query->t_until > 0 && query->t_until < most ? query->t_until : most;
}

static enum weir_err ask_span(struct binance *binance, enum action action,
                              const struct weir_query *query, weir_ns until, weir_ns now)
{
    struct params params = {.count = 0};
    struct pending *pending = pending_new(binance, action, now);
    if (!pending)
        return WEIR_E_FULL;
    pending->whom = FOR_QUERY;
    pending->number = query->msg.instrument;
    pending->limit = query->limit;
    put_symbol(&params, symbol_numbered(binance, query->msg.instrument));
    if (action == DO_INCOME)
        params_text(&params, "incomeType", "FUNDING_FEE");
    put_span(&params, query->t_since, until, query->limit);
    return call(binance, pending, &params, now);
}

enum weir_err trade_query(struct binance *binance, const struct weir_query *query, weir_ns now)
{
    uint32_t number = query->msg.instrument;
    bool needs = query->of == WEIR_OF_BOOK || query->of == WEIR_OF_TRADES ||
                 query->of == WEIR_OF_CLOSED_ORDERS || query->of == WEIR_OF_FILLS;
    if (needs && !symbol_numbered(binance, number))
        return WEIR_E_NOT_FOUND;
    switch (query->of) {
    case WEIR_OF_INSTRUMENTS: return ask(binance, DO_INFO, 0, FOR_QUERY, now);
    case WEIR_OF_TIME: return ask(binance, DO_TIME, 0, FOR_QUERY, now);
    case WEIR_OF_BOOK: return ask_span(binance, DO_BOOK, query, 0, now);
    case WEIR_OF_TRADES: return ask_span(binance, DO_TRADES, query, hour_after(query), now);
    case WEIR_OF_FUNDING:
        return query->t_since > 0 ? ask_span(binance, DO_INCOME, query, query->t_until, now)
                                  : ask(binance, DO_FUNDING, number, FOR_QUERY, now);
    case WEIR_OF_OPEN_ORDERS: return ask(binance, DO_OPEN, number, FOR_QUERY, now);
    case WEIR_OF_CLOSED_ORDERS: return ask_span(binance, DO_CLOSED, query, query->t_until, now);
    case WEIR_OF_FILLS: return ask_span(binance, DO_FILLS, query, query->t_until, now);
    case WEIR_OF_BALANCES: return ask(binance, DO_ACCOUNT, 0, FOR_QUERY, now);
    case WEIR_OF_POSITIONS: return ask(binance, DO_POSITIONS, 0, FOR_QUERY, now);
    default: return WEIR_E_UNSUPPORTED;
    }
}
