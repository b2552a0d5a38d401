/* okx.c - OKX API v5: books, trades and best prices of spot, swaps, futures and options.
 *
 *   {"arg":{"channel":"books","instId":"BTC-USDT"},"action":"snapshot"|"update",
 *    "data":[{"asks":[[price, size, "0", orders]...],"bids":[...],"ts":"ms","checksum":n,
 *             "seqId":n,"prevSeqId":n}]}
 *
 * BOOKS    `books` (400 levels), `books-l2-tbt` and `books50-l2-tbt`: a snapshot when one subscribes,
 *          then changes. Of today's messages each names the one before (prevSeqId; -1 on a snapshot);
 *          seqId may fall after maintenance, and a message without changes repeats it. Messages of
 *          before 2023 have no seqId but a CRC-32 of the 25 best levels, which is 0 today: 0 is no
 *          sum. `books5` and `bbo-tbt` are other views of the same book: bbo-tbt is told as tops.
 * MARKS    `mark-price` and `funding-rate` are read where somebody subscribed to them.
 * TRADES   `trades` and `trades-all`; side is the taker's. Sizes of derivatives are contracts.
 *
 * Read: OKX API v5, public channels (2026-08), and its recorded frames of 2022-05 and 2026-08. */
#include <stdio.h>

#include "shared/rows.h"

static const char *const markets[] = {"v5", NULL};

/* One frame, as far as its parts were found. */
struct frame {
    struct weir_bytes event, channel, id, action, type;
    struct scan data; /* at its value; at NULL: none */
};

static void read_arg(struct scan *scan, struct frame *frame)
{
    struct weir_bytes key;
    int first = 1;
    scan_expect(scan, '{');
    while (scan_key(scan, &first, &key)) {
        if (scan_is(key, "channel"))
            frame->channel = market_word(scan);
        else if (scan_is(key, "instId"))
            frame->id = market_word(scan);
        else if (scan_is(key, "instType"))
            frame->type = market_word(scan);
        else
            scan_skip(scan);
    }
}

/* The members of a frame. whole false: no further than needed to tell what it is. */
static enum weir_err read_frame(struct weir_bytes bytes, struct frame *frame, bool whole)
{
    struct scan scan = scan_of(bytes);
    struct weir_bytes key;
    int first = 1;
    *frame = (struct frame){0};
    scan_expect(&scan, '{');
    while (scan_key(&scan, &first, &key)) {
        if (scan_is(key, "arg") && scan_peek(&scan) == '{') {
            read_arg(&scan, frame);
        } else if (scan_is(key, "event")) {
            frame->event = market_word(&scan);
        } else if (scan_is(key, "action")) {
            frame->action = market_word(&scan);
        } else if (scan_is(key, "data")) {
            frame->data = scan;
            if (!whole)
                return scan.err;
            scan_skip(&scan);
        } else {
            scan_skip(&scan);
        }
    }
    return scan_done(&scan) ? WEIR_OK : WEIR_E_BAD_FRAME;
}

/* --- books ------------------------------------------------------------------------------------- */

/* What a row has. */
struct sums {
    bool chained, summed, asks, bids;
};

static void read_book_row(struct venue *venue, struct market_symbol *symbol, struct scan *scan,
                          struct weir_book_msg *head, struct sums *has)
{
    struct market *market = &venue->market;
    struct weir_bytes key;
    int first = 1;
    scan_expect(scan, '{');
    while (scan_key(scan, &first, &key)) {
        if (scan_is(key, "asks")) {
            market_levels(market, symbol, scan, WEIR_SELL, true);
            has->asks = true;
        } else if (scan_is(key, "bids")) {
            market_levels(market, symbol, scan, WEIR_BUY, true);
            has->bids = true;
        } else if (scan_is(key, "ts")) {
            head->msg.t_venue = market_ms(market_id(scan));
        } else if (scan_is(key, "checksum")) {
            head->checksum = (uint32_t)scan_int(scan); /* sent as a signed number */
            has->summed = head->checksum != 0;
        } else if (scan_is(key, "seqId")) {
            head->last_seq = market_id(scan);
        } else if (scan_is(key, "prevSeqId")) {
            int64_t prev = scan_int(scan);
            head->prev_seq = prev > 0 ? (uint64_t)prev : 0;
            has->chained = true;
        } else {
            scan_skip(scan);
        }
    }
}

static enum weir_err read_books(struct venue *venue, struct market_symbol *symbol,
                                const struct frame *frame)
{
    struct scan scan = frame->data;
    int first = 1;
    bool snapshot = scan_is(frame->action, "snapshot");
    if (!snapshot && !scan_is(frame->action, "update"))
        return WEIR_E_BAD_FRAME;
    scan_expect(&scan, '[');
    while (scan_item(&scan, &first)) {
        struct weir_book_msg head = {0};
        struct sums has = {false, false, false, false};
        market_book(&venue->market, symbol);
        read_book_row(venue, symbol, &scan, &head, &has);
        if (scan_ok(&scan) && (!has.asks || !has.bids || head.msg.t_venue == 0 ||
                               (has.chained && head.last_seq == 0)))
            scan_fail(&scan, WEIR_E_BAD_FRAME);
        if (!has.chained) /* an old message: a time, at least, does not go back */
            head.last_seq = (uint64_t)head.msg.t_venue;
        uint16_t rule = has.chained ? WEIR_RULE_PREV : WEIR_RULE_NONE;
        head.msg.flags =
            (uint16_t)(rule << WEIR_BOOK_RULE_SHIFT | (snapshot ? WEIR_BOOK_SNAPSHOT : 0));
        head.check = has.summed ? WEIR_CHECK_PAIRS : WEIR_CHECK_NONE;
        head.px_places = symbol->px_places;
        head.qty_places = symbol->qty_places;
        market_book_end(&venue->market, symbol, &head);
    }
    return scan.err;
}

/* --- trades and best prices -------------------------------------------------------------------- */

static enum weir_err read_trades(struct venue *venue, struct market_symbol *symbol,
                                 const struct frame *frame)
{
    static const struct trade_words words = {
        .px = "px",
        .qty = "sz",
        .side = "side",
        .id = "tradeId",
        .time = "ts",
        .buy = "buy",
        .sell = "sell",
        .number = scan_decimal,
        .time_at = market_ms_at,
        .flags = WEIR_TRADE_ID_TEXT,
    };
    return rows_trades(&venue->market, symbol, frame->data, &words);
}

static enum weir_err read_ticker(struct venue *venue, struct market_symbol *symbol,
                                 const struct frame *frame)
{
    static const struct top_words words = {.bid = "bidPx",
                                           .bid_qty = "bidSz",
                                           .ask = "askPx",
                                           .ask_qty = "askSz",
                                           .time = "ts",
                                           .number = market_number_or_none,
                                           .time_at = market_ms_at};
    struct scan scan = frame->data;
    int first = 1;
    scan_expect(&scan, '[');
    if (!scan_item(&scan, &first))
        return scan.err;
    struct weir_top top = rows_top(symbol, &scan, &words, NULL);
    if (scan_ok(&scan))
        market_top(&venue->market, symbol, &top);
    return scan.err;
}

/* [[price, size, ...]] or []: the best level. */
static struct weir_level best_of(struct scan *scan, const struct market_symbol *symbol)
{
    struct weir_level best = {0, 0};
    int first = 1;
    scan_expect(scan, '[');
    while (scan_item(scan, &first)) {
        scan_expect(scan, '[');
        struct weir_level level = {scan_decimal(scan, symbol->px_exp), 0};
        scan_expect(scan, ',');
        level.qty = scan_decimal(scan, symbol->qty_exp);
        while (scan_try(scan, ','))
            scan_skip(scan);
        scan_expect(scan, ']');
        if (best.px == 0)
            best = level;
    }
    return best;
}

static enum weir_err read_bbo(struct venue *venue, struct market_symbol *symbol,
                              const struct frame *frame)
{
    struct scan scan = frame->data;
    struct weir_bytes key;
    int first = 1;
    scan_expect(&scan, '[');
    while (scan_item(&scan, &first)) {
        struct weir_level bid = {0, 0}, ask = {0, 0};
        struct weir_top top = {0};
        int first_key = 1;
        scan_expect(&scan, '{');
        while (scan_key(&scan, &first_key, &key)) {
            if (scan_is(key, "asks"))
                ask = best_of(&scan, symbol);
            else if (scan_is(key, "bids"))
                bid = best_of(&scan, symbol);
            else if (scan_is(key, "ts"))
                top.msg.t_venue = market_ms(market_id(&scan));
            else if (scan_is(key, "seqId"))
                top.seq = market_id(&scan);
            else
                scan_skip(&scan);
        }
        top.bid = bid.px, top.bid_qty = bid.qty, top.ask = ask.px, top.ask_qty = ask.qty;
        if (scan_ok(&scan))
            market_top(&venue->market, symbol, &top);
    }
    return scan.err;
}

/* `mark-price`, `funding-rate`. */
static enum weir_err read_marks(struct venue *venue, struct market_symbol *symbol,
                                const struct frame *frame)
{
    static const struct mark_words words = {.mark = "markPx",
                                            .rate = "fundingRate",
                                            .next = "fundingTime",
                                            .next_at = market_ms_or_none};
    struct scan scan = frame->data;
    struct weir_bytes key;
    int first = 1;
    scan_expect(&scan, '[');
    while (scan_item(&scan, &first)) {
        struct marks marks = {0};
        int first_key = 1;
        scan_expect(&scan, '{');
        while (scan_key(&scan, &first_key, &key)) {
            if (scan_is(key, "ts"))
                marks.t = market_ms_at(&scan);
            else if (!rows_mark(symbol, &scan, &words, key, &marks))
                scan_skip(&scan);
        }
        if (scan_ok(&scan))
            rows_tell_marks(&venue->market, symbol, &marks);
    }
    return scan.err;
}

/* --- a frame ----------------------------------------------------------------------------------- */

static const struct channel {
    const char *name;
    enum weir_err (*read)(struct venue *, struct market_symbol *, const struct frame *);
} channels[] = {
    {"books", read_books},          {"trades", read_trades},    {"trades-all", read_trades},
    {"books-l2-tbt", read_books},   {"bbo-tbt", read_bbo},      {"tickers", read_ticker},
    {"books50-l2-tbt", read_books}, {"mark-price", read_marks}, {"funding-rate", read_marks},
};

static enum weir_err on_frame(struct venue *venue, uint32_t conn, struct weir_bytes bytes)
{
    struct frame frame;
    (void)conn;
    if (scan_is(bytes, "pong"))
        return WEIR_OK;
    enum weir_err err = read_frame(bytes, &frame, true);
    if (err != WEIR_OK)
        return err;
    if (scan_is(frame.event, "error"))
        market_say(&venue->market, "the venue refuses a request", "see its frame");
    if (!frame.data.at || frame.event.len > 0)
        return WEIR_OK;
    for (size_t i = 0; i < sizeof channels / sizeof channels[0]; i++) {
        if (!scan_is(frame.channel, channels[i].name))
            continue;
        struct weir_bytes data = {frame.data.at, (size_t)(frame.data.end - frame.data.at)};
        struct market_symbol *symbol = market_symbol_of(&venue->market, frame.id, data, &err);
        return symbol ? channels[i].read(venue, symbol, &frame) : err;
    }
    return WEIR_OK;
}

/* --- instruments ------------------------------------------------------------------------------- */

static void read_instrument(struct venue *venue, struct scan *scan)
{
    struct market_rules rules = {0};
    struct weir_bytes id = {0}, type = {0}, contract = {0}, state = {0}, settle = {0}, unit = {0};
    const struct rows_word words[] = {
        {"instId", &id},          {"instType", &type},        {"ctType", &contract},
        {"settleCcy", &settle},   {"ctValCcy", &unit},        {"ctVal", &rules.contract},
        {"baseCcy", &rules.base}, {"quoteCcy", &rules.quote}, {"tickSz", &rules.tick},
        {"lotSz", &rules.step},   {"state", &state},
    };
    rows_words(scan, words, sizeof words / sizeof words[0]);
    struct market_symbol *symbol = rows_symbol(venue, scan, id);
    if (!symbol)
        return;
    bool spot = scan_is(type, "SPOT") || scan_is(type, "MARGIN");
    rules.kind = spot ? WEIR_SPOT : scan_is(contract, "inverse") ? WEIR_INVERSE : WEIR_LINEAR;
    if (spot)
        rules.contract.len = 0;
    else if (rules.kind == WEIR_INVERSE) { /* contracts of USD, paid in the coin */
        rules.quote = unit;
        rules.base = settle;
    } else {
        rules.base = unit;
        rules.quote = settle;
    }
    rules.halted = rows_halted(state, "live");
    market_rule(&venue->market, symbol, &rules);
}

static enum weir_err on_answer(struct venue *venue, struct weir_bytes target,
                               struct weir_bytes body)
{
    return market_after(target, "/public/instruments").data
               ? rows_answer(venue, body, "data", read_instrument)
               : WEIR_OK;
}

/* --- what is asked for ------------------------------------------------------------------------- */

static size_t ask(const struct venue *venue, const struct market_symbol *symbol,
                  enum venue_want want, unsigned n, char *to, size_t room)
{
    const char *id = symbol->name;
    (void)venue;
    if (n > 0)
        return 0;
    if (want == VENUE_ENTER)
        return (size_t)snprintf(to, room,
                                "{\"op\":\"subscribe\",\"args\":["
                                "{\"channel\":\"books\",\"instId\":\"%s\"},"
                                "{\"channel\":\"trades\",\"instId\":\"%s\"},"
                                "{\"channel\":\"tickers\",\"instId\":\"%s\"}]}",
                                id, id, id);
    return (size_t)snprintf(to, room,
                            "{\"op\":\"%s\",\"args\":[{\"channel\":\"books\",\"instId\":\"%s\"}]}",
                            want == VENUE_LEAVE_BOOK ? "unsubscribe" : "subscribe", id);
}

/* BTC-USDT, BTC-USD-SWAP, BTC-USD-220527, BTC-USD-220527-30000-C. */
static const char *type_of(const char *id)
{
    const char *second = strchr(id, '-');
    second = second ? strchr(second + 1, '-') : NULL;
    return !second                           ? "SPOT"
           : strcmp(second, "-SWAP") == 0    ? "SWAP"
           : strchr(second + 1, '-') == NULL ? "FUTURES"
                                             : "OPTION";
}

static size_t info_path(const struct venue *venue, const struct market_symbol *symbol, char *to,
                        size_t room)
{
    const char *type = type_of(symbol->name), *last = strrchr(symbol->name, '-');
    char family[WEIR_SYMBOL_MAX] = "";
    (void)venue;
    if (strcmp(type, "OPTION") == 0 && last) { /* options are listed by family alone */
        const char *second = strchr(strchr(symbol->name, '-') + 1, '-');
        (void)snprintf(family, sizeof family, "%.*s", (int)(second - symbol->name), symbol->name);
    }
    return (size_t)snprintf(to, room, "/api/v5/public/instruments?instType=%s&instId=%s%s%s", type,
                            symbol->name, family[0] ? "&instFamily=" : "", family);
}

static const struct venue_rules rules = {
    .name = "okx",
    .markets = markets,
    .ping = "ping", /* the venue closes what was silent for 30 s */
    .ping_every = 20 * MARKET_SECOND,
    .at = "/ws/v5/public",
    .ask = ask,
    .info = info_path,
    .frame = on_frame,
    .answer = on_answer,
};

/* --- recordings -------------------------------------------------------------------------------- */

/* Bitget writes its frames alike, but for these types. */
static bool is_ours(const struct frame *frame)
{
    return frame->channel.len > 0 && !scan_is(frame->type, "sp") && !scan_is(frame->type, "mc");
}

static enum weir_err probe(struct weir_bytes bytes, struct weir_probe *out)
{
    struct frame frame;
    char type[WEIR_SYMBOL_MAX];
    *out = (struct weir_probe){.size = sizeof *out};
    if (bytes.len > 0 && bytes.data[0] != '{')
        return WEIR_E_NOT_FOUND;
    if (market_begins(bytes, "{\"code\":\"0\",\"data\":[{") &&
        market_after(rows_begin(bytes, 2000), "\"instId\":").data)
        return rows_probed(out, markets[0], market_text("instruments"), (struct weir_bytes){0});
    (void)read_frame(bytes, &frame, false);
    if (!is_ours(&frame))
        return WEIR_E_NOT_FOUND;
    int len = snprintf(type, sizeof type, "event:%.*s", (int)frame.event.len, frame.event.data);
    return rows_probed(out, markets[0],
                       frame.event.len > 0 ? (struct weir_bytes){type, (size_t)len} : frame.channel,
                       frame.id);
}

static const struct weir_caps caps = {
    .size = sizeof caps,
    .book_rule = WEIR_RULE_PREV,
    .client_id_max = 32,
    .book_depth = 400,
    .data_age_max = 70 * MARKET_SECOND, /* a book without changes is repeated each 60 s */
};

VENUE_PLUGIN("okx", rules, "0.1.0", caps, probe, "seqId", NULL);
