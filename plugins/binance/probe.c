/* probe.c - what a recorded frame is: which market, which symbol, which message.
 *
 * A combined frame names symbol and stream in front; the market shows in the members that only
 * spot or only the futures markets write. What a frame does not show stays "", and the recording's
 * other frames tell it. Only as much of a frame is read as is needed. [any thread] */
#include "binance.h"

enum futures { UNTOLD = 0, IS_SPOT, IS_FUTURES };

enum market market_of_futures(const char *symbol, size_t len)
{
    const char *end = memchr(symbol, '_', len);
    size_t pair = end ? (size_t)(end - symbol) : len;
    return end && pair > 3 && memcmp(symbol + pair - 3, "USD", 3) == 0 ? MARKET_CM : MARKET_USDM;
}

static void set(char *to, size_t room, struct weir_bytes from)
{
    size_t len = from.len < room ? from.len : room - 1;
    memset(to, 0, room);
    memcpy(to, from.data, len);
}

/* `btcusdt@depth@100ms`: the symbol in capitals, and the rest. */
static void split_stream(struct weir_bytes stream, struct weir_probe *probe)
{
    const char *at = memchr(stream.data, '@', stream.len);
    size_t len = at ? (size_t)(at - stream.data) : 0;
    if (len == 0 || len >= sizeof probe->symbol)
        return;
    for (size_t i = 0; i < len; i++) {
        char c = stream.data[i];
        probe->symbol[i] = c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
    }
    set(probe->type, sizeof probe->type, (struct weir_bytes){at + 1, stream.len - len - 1});
}

/* What one member tells of the market, given the kind of message so far. */
static enum futures told_by(struct weir_bytes key, struct weir_bytes kind)
{
    bool trade = scan_is(kind, "trade") || scan_is(kind, "aggTrade");
    if (scan_is(key, "pu") || scan_is(key, "ps"))
        return IS_FUTURES;
    if (scan_is(kind, "depthUpdate"))
        return scan_is(key, "T") ? IS_FUTURES : scan_is(key, "b") ? IS_SPOT : UNTOLD;
    if (scan_is(kind, "bookTicker"))
        return IS_FUTURES; /* spot's does not say its kind */
    if (trade && scan_is(key, "X"))
        return IS_FUTURES;
    if (trade && scan_is(key, "M"))
        return IS_SPOT;
    return UNTOLD;
}

static struct weir_bytes text_of(struct scan *scan)
{
    if (scan_peek(scan) == '"')
        return scan_string(scan);
    scan_skip(scan);
    return (struct weir_bytes){scan->at, 0};
}

/* The members of one message, until all is told. `top` and the like of spot end without a kind. */
static void read_message(struct scan scan, struct weir_probe *probe)
{
    struct weir_bytes key, kind = {scan.at, 0}, symbol = kind;
    enum futures futures = UNTOLD;
    int first = 1;
    bool has_u = false, has_B = false;
    scan_expect(&scan, '{');
    while (scan_key(&scan, &first, &key)) {
        if (futures == UNTOLD)
            futures = told_by(key, kind);
        if (symbol.len > 0 && kind.len > 0 && futures != UNTOLD)
            break;
        has_u = has_u || scan_is(key, "u");
        has_B = has_B || scan_is(key, "B");
        if (scan_is(key, "e"))
            kind = text_of(&scan);
        else if (scan_is(key, "s"))
            symbol = text_of(&scan);
        else
            scan_skip(&scan);
    }
    bool at_end = scan_ok(&scan) && futures == UNTOLD;
    if (at_end && kind.len == 0 && has_u && has_B) {
        futures = IS_SPOT;
        kind = (struct weir_bytes){"bookTicker", 10};
    } else if (at_end && scan_is(kind, "aggTrade")) {
        futures = IS_FUTURES; /* spot's has M at its end */
    }
    if (probe->symbol[0] == '\0' && symbol.len > 0 && symbol.len < sizeof probe->symbol)
        set(probe->symbol, sizeof probe->symbol, symbol);
    if (probe->type[0] == '\0' && kind.len > 0)
        set(probe->type, sizeof probe->type,
            scan_is(kind, "depthUpdate") ? (struct weir_bytes){"depth", 5} : kind);
    if (futures == UNTOLD || probe->symbol[0] == '\0')
        return;
    enum market market =
        futures == IS_SPOT ? MARKET_SPOT : market_of_futures(probe->symbol, strlen(probe->symbol));
    set(probe->market, sizeof probe->market,
        (struct weir_bytes){markets[market].name, strlen(markets[market].name)});
}

/* A depth reply: futures stamp it with times, COIN-M names the pair. */
static void read_reply(const struct frame *frame, struct weir_probe *probe)
{
    struct weir_bytes symbol = frame_text(frame, MEMBER_symbol);
    enum market market = MARKET_SPOT;
    if (symbol.len > 0 && symbol.len < sizeof probe->symbol) {
        set(probe->symbol, sizeof probe->symbol, symbol);
        market = market_of_futures(symbol.data, symbol.len);
    } else if (frame->at[MEMBER_T] || frame->at[MEMBER_E]) {
        market = MARKET_USDM;
    }
    set(probe->market, sizeof probe->market,
        (struct weir_bytes){markets[market].name, strlen(markets[market].name)});
    set(probe->type, sizeof probe->type, (struct weir_bytes){"depth_snapshot", 14});
}

/* The rules of all symbols: only COIN-M's have a contract size, only USD-M's a futures type. */
static void read_info(const struct frame *frame, struct weir_probe *probe)
{
    struct scan list = frame_scan(frame, MEMBER_symbols);
    enum market market = MARKET_SPOT;
    struct weir_bytes key;
    int first = 1, first_key = 1;
    scan_expect(&list, '[');
    if (!scan_item(&list, &first))
        return;
    scan_expect(&list, '{');
    while (scan_key(&list, &first_key, &key)) {
        if (scan_is(key, "contractSize")) {
            market = MARKET_CM;
            break;
        }
        if (scan_is(key, "contractType"))
            market = MARKET_USDM;
        scan_skip(&list);
    }
    set(probe->market, sizeof probe->market,
        (struct weir_bytes){markets[market].name, strlen(markets[market].name)});
    set(probe->type, sizeof probe->type, (struct weir_bytes){"exchangeInfo", 12});
}

enum weir_err binance_probe(struct weir_bytes bytes, struct weir_probe *probe_out)
{
    static const char stream[] = "{\"stream\":\"", data[] = ",\"data\":";
    struct scan scan = scan_of(bytes);
    struct frame frame;
    *probe_out = (struct weir_probe){.size = sizeof *probe_out};
    if (bytes.len > sizeof stream && memcmp(bytes.data, stream, sizeof stream - 1) == 0) {
        scan.at += sizeof stream - 2;
        struct weir_bytes name = scan_string(&scan);
        if (scan_ok(&scan) && (size_t)(scan.end - scan.at) > sizeof data &&
            memcmp(scan.at, data, sizeof data - 1) == 0) {
            split_stream(name, probe_out);
            scan.at += sizeof data - 1;
            if (scan_peek(&scan) == '{')
                read_message(scan, probe_out);
            return probe_out->type[0] ? WEIR_OK : WEIR_E_NOT_FOUND;
        }
    }
    scan = scan_of(bytes);
    if (frame_index(&scan, &frame) != WEIR_OK)
        return WEIR_E_NOT_FOUND;
    if (frame.at[MEMBER_stream] && frame.at[MEMBER_data]) {
        struct scan inner = frame_scan(&frame, MEMBER_data);
        split_stream(frame_text(&frame, MEMBER_stream), probe_out);
        if (scan_peek(&inner) == '{')
            read_message(inner, probe_out);
    } else if (frame.at[MEMBER_lastUpdateId]) {
        read_reply(&frame, probe_out);
    } else if (frame.at[MEMBER_symbols]) {
        read_info(&frame, probe_out);
    } else {
        read_message(scan_of(bytes), probe_out);
    }
    return probe_out->market[0] || probe_out->type[0] ? WEIR_OK : WEIR_E_NOT_FOUND;
}
