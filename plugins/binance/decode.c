/* decode.c - frames into events.
 *
 * Two scans give the same `struct decoded`. The strict one (strict.c) takes the hot kinds as the
 * venue writes them: no white space, keys of one or two letters, in any order; where it meets
 * anything else it has no answer, and the general one (here, on frame.c) begins anew. A frame is
 * read to its end before anything of it is told, and one frame makes one event, so an event is
 * whole or absent. The fuzzer compares the two: what the strict one takes, the general one takes
 * alike.
 *
 * PARTIAL BOOKS (`<symbol>@depth20`) are written like diffs, but are none: they are left out.
 * TRADES come from one stream of a symbol, `trade` or `aggTrade`, whichever is seen first; the
 *        other one would count everything twice. */
#include <stdlib.h>

#include "decode.h"

bool decoded_kind(struct decoded *d, struct weir_bytes word)
{
    d->kind = KIND_NONE;
    if (scan_is(word, "depthUpdate"))
        d->kind = KIND_DEPTH;
    else if (scan_is(word, "bookTicker"))
        d->kind = KIND_TOP;
    else if (scan_is(word, "trade"))
        d->kind = KIND_TRADE, d->source = 't';
    else if (scan_is(word, "aggTrade"))
        d->kind = KIND_TRADE, d->source = 'a';
    return d->kind != KIND_NONE;
}

bool is_partial_stream(struct weir_bytes stream)
{
    const char *at = stream.len > 0 ? memchr(stream.data, '@', stream.len) : NULL;
    size_t left = at ? (size_t)(stream.data + stream.len - at) : 0;
    return left > 6 && memcmp(at, "@depth", 6) == 0 && (unsigned char)(at[6] - '0') <= 9;
}

bool book_room(struct binance *binance, size_t levels)
{
    if (levels <= binance->book_room)
        return true;
    if (levels > LEVELS_MAX)
        return false;
    size_t room = binance->book_room * 2 > levels ? binance->book_room * 2 : levels;
    struct weir_book_msg *book =
        realloc(binance->book, sizeof *book + room * sizeof book->levels[0]);
    if (!book)
        return false;
    binance->book = book;
    binance->book_room = room;
    return true;
}

/* --- what was decoded becomes an event ------------------------------------------------------- */

static weir_ns ns_of(uint64_t ms)
{
    return ms < (uint64_t)INT64_MAX / 1000000 ? (weir_ns)ms * 1000000 : 0;
}

static void tell_depth(struct binance *binance, const struct symbol *symbol,
                       const struct decoded *d, bool snapshot)
{
    struct weir_book_msg *book = binance->book;
    uint32_t levels = d->bids + d->asks;
    *book = (struct weir_book_msg){
        .msg = {.size = (uint32_t)(sizeof *book + levels * sizeof book->levels[0]),
                .kind = WEIR_BOOK,
                .flags = (uint16_t)(markets[binance->market].rule << WEIR_BOOK_RULE_SHIFT |
                                    (snapshot ? WEIR_BOOK_SNAPSHOT : 0)),
                .instrument = symbol->number,
                .t_venue = ns_of(d->T ? d->T : d->E)},
        .first_seq = d->U,
        .last_seq = d->u,
        .prev_seq = d->pu,
        .bids = d->bids,
        .asks = d->asks,
    };
    binance->host->emit(binance->host->host, &book->msg);
}

static void tell_top(struct binance *binance, const struct symbol *symbol, const struct decoded *d)
{
    struct weir_top top = {
        .msg = {.size = sizeof top,
                .kind = WEIR_TOP,
                .instrument = symbol->number,
                .t_venue = ns_of(d->T ? d->T : d->E)},
        .seq = d->u,
        .bid = d->B ? d->b : 0,
        .ask = d->A ? d->a : 0,
        .bid_qty = d->B,
        .ask_qty = d->A,
    };
    binance->host->emit(binance->host->host, &top.msg);
}

static void tell_trade(struct binance *binance, struct symbol *symbol, const struct decoded *d)
{
    if (symbol->trades == 0)
        symbol->trades = d->source;
    if (symbol->trades != d->source)
        return;
    struct weir_trade trade = {
        .msg = {.size = sizeof trade,
                .kind = WEIR_TRADE,
                .flags = d->off_book ? WEIR_TRADE_OFF_BOOK : 0,
                .instrument = symbol->number,
                .t_venue = ns_of(d->T ? d->T : d->E)},
        .id = d->source == 'a' ? d->a_id : d->id,
        .px = d->p,
        .qty = d->q,
        .aggressor = d->buyer_is_maker ? WEIR_SELL : WEIR_BUY,
    };
    if (binance->renewal != RENEWAL_NONE && trade.id <= symbol->last_trade)
        return; /* two connections tell of it */
    symbol->last_trade = trade.id;
    binance->host->emit(binance->host->host, &trade.msg);
}

/* Numbers that no venue means: refused, never repaired. */
static bool makes_sense(const struct binance *binance, const struct decoded *d)
{
    if (d->kind == KIND_TOP)
        return (d->a | d->b | d->A | d->B) >= 0;
    if (d->kind == KIND_TRADE) /* some futures report 0 @ 0 for what happened off the book */
        return d->off_book ? (d->p | d->q) >= 0 : d->p > 0 && d->q > 0;
    int64_t sign = 0; /* of any bad number: px <= 0 or qty < 0 */
    for (uint32_t i = 0; i < d->bids + d->asks; i++)
        sign |= binance->book->levels[i].qty | (binance->book->levels[i].px - 1);
    return sign >= 0 && d->U <= d->u;
}

/* A message of this symbol came on this channel; it is told to the host if it was not. *wanted_out
 * false: nobody asked for it. */
static enum weir_err settle_symbol(struct binance *binance, struct channel *channel,
                                   struct symbol *symbol, bool *wanted_out)
{
    uint32_t row = (uint32_t)(symbol - binance->symbols.rows) + 1;
    if (channel && channel->last != row) {
        channel->others |= channel->last != 0;
        channel->last = row;
    }
    *wanted_out = !binance->only_wanted || symbol->wanted;
    return *wanted_out && symbol->number == 0 ? symbol_tell(binance, symbol) : WEIR_OK;
}

static enum weir_err add_symbol(struct binance *binance, const char *name, size_t len,
                                struct symbol **out)
{
    *out = symbols_get(&binance->symbols, binance->market, name, len);
    if (*out)
        return WEIR_OK;
    return binance->symbols.count >= SYMBOLS_MAX ? WEIR_E_FULL : WEIR_E_BAD_FRAME;
}

/* A snapshot that was held until its symbol is known. */
static enum weir_err release_held(struct binance *binance, struct channel *channel)
{
    struct weir_bytes body = {channel->held, channel->held_len};
    channel->held = NULL;
    enum weir_err err = decode_snapshot(binance, channel, NULL, body);
    free((void *)(uintptr_t)body.data);
    return err;
}

static void tell(struct binance *binance, struct symbol *symbol, const struct decoded *d)
{
    if (d->kind == KIND_DEPTH)
        tell_depth(binance, symbol, d, false);
    else if (d->kind == KIND_TOP)
        tell_top(binance, symbol, d);
    else
        tell_trade(binance, symbol, d);
}

/* --- the general scan ------------------------------------------------------------------------ */

static uint64_t whole(const struct frame *frame, enum member member, enum weir_err *err)
{
    if (!frame->at[member])
        return 0;
    struct scan scan = frame_scan(frame, member);
    int64_t value = scan_int(&scan);
    if (!scan_ok(&scan) || value < 0)
        *err = scan_ok(&scan) ? WEIR_E_BAD_NUMBER : scan.err;
    return (uint64_t)value;
}

static int64_t decimal(const struct frame *frame, enum member member, int exp, enum weir_err *err)
{
    struct scan scan = frame_scan(frame, member);
    int64_t value = scan_decimal(&scan, exp);
    if (!scan_ok(&scan))
        *err = scan.err;
    return value;
}

/* Levels of one side, behind the `from` that are in the book already. */
static uint32_t levels(struct binance *binance, const struct frame *frame, enum member member,
                       const struct symbol *symbol, uint32_t from, enum weir_err *err)
{
    struct scan scan = frame_scan(frame, member);
    uint32_t count = 0;
    int first = 1;
    scan_expect(&scan, '[');
    while (scan_item(&scan, &first)) {
        if (!book_room(binance, (size_t)from + count + 1)) {
            *err = WEIR_E_FULL;
            return count;
        }
        struct weir_level *level = &binance->book->levels[from + count++];
        scan_expect(&scan, '[');
        level->px = scan_decimal(&scan, symbol ? symbol->px_exp : EXP);
        scan_expect(&scan, ',');
        level->qty = scan_decimal(&scan, symbol ? symbol->qty_exp : EXP);
        while (scan_try(&scan, ',')) /* old recordings have an empty list there */
            scan_skip(&scan);
        scan_expect(&scan, ']');
    }
    if (!scan_ok(&scan))
        *err = scan.err;
    return count;
}

static void general_trade(const struct frame *frame, const struct symbol *symbol, struct decoded *d,
                          enum weir_err *err)
{
    struct scan maker = frame_scan(frame, MEMBER_m);
    d->buyer_is_maker = scan_bool(&maker);
    if (!scan_ok(&maker))
        *err = maker.err;
    d->off_book = frame->at[MEMBER_X] && !scan_is(frame_text(frame, MEMBER_X), "MARKET");
    d->p = decimal(frame, MEMBER_p, symbol ? symbol->px_exp : EXP, err);
    d->q = decimal(frame, MEMBER_q, symbol ? symbol->qty_exp : EXP, err);
    enum member id = d->source == 'a' ? MEMBER_a : MEMBER_t;
    if (!frame->at[id])
        *err = WEIR_E_BAD_FRAME;
    d->id = d->a_id = whole(frame, id, err);
}

static void general_top(const struct frame *frame, const struct symbol *symbol, struct decoded *d,
                        enum weir_err *err)
{
    int px = symbol ? symbol->px_exp : EXP, qty = symbol ? symbol->qty_exp : EXP;
    d->b = decimal(frame, MEMBER_b, px, err);
    d->a = decimal(frame, MEMBER_a, px, err);
    d->B = decimal(frame, MEMBER_B, qty, err);
    d->A = decimal(frame, MEMBER_A, qty, err);
    if (!frame->at[MEMBER_u])
        *err = WEIR_E_BAD_FRAME;
}

static void general_depth(struct binance *binance, const struct frame *frame,
                          const struct symbol *symbol, struct decoded *d, enum weir_err *err)
{
    d->U = whole(frame, MEMBER_U, err);
    d->pu = whole(frame, MEMBER_pu, err);
    if (!frame->at[MEMBER_U] || !frame->at[MEMBER_u])
        *err = WEIR_E_BAD_FRAME;
    d->bids = levels(binance, frame, MEMBER_b, symbol, 0, err);
    d->asks = levels(binance, frame, MEMBER_a, symbol, d->bids, err);
}

/* The kind of an object; false: none that is told here. */
static bool kind_of(const struct frame *frame, struct decoded *d)
{
    if (frame->at[MEMBER_e])
        return decoded_kind(d, frame_text(frame, MEMBER_e));
    static const uint8_t all[] = {MEMBER_u, MEMBER_s, MEMBER_b, MEMBER_B, MEMBER_a, MEMBER_A};
    for (size_t i = 0; i < sizeof all; i++)
        if (!frame->at[all[i]])
            return false;
    d->kind = KIND_TOP;
    return true;
}

/* OK with kind NONE: a frame that is well formed and of no interest. */
static enum weir_err general_object(struct binance *binance, const struct frame *frame,
                                    struct decoded *d)
{
    enum weir_err err = WEIR_OK;
    if (!kind_of(frame, d))
        return WEIR_OK;
    struct weir_bytes name = frame_text(frame, MEMBER_s);
    if (name.len == 0)
        return WEIR_E_BAD_FRAME;
    const struct symbol *symbol = symbols_find(&binance->symbols, name.data, name.len);
    d->name = name.data;
    d->name_len = name.len;
    d->E = whole(frame, MEMBER_E, &err);
    d->T = whole(frame, MEMBER_T, &err);
    d->u = whole(frame, MEMBER_u, &err);
    if (d->kind == KIND_TRADE)
        general_trade(frame, symbol, d, &err);
    else if (d->kind == KIND_TOP)
        general_top(frame, symbol, d, &err);
    else
        general_depth(binance, frame, symbol, d, &err);
    return err;
}

static void say_error(struct binance *binance, const struct frame *frame)
{
    struct scan scan = frame_scan(frame, MEMBER_error);
    const char *from = scan.at;
    char line[240] = "binance: the venue answers ";
    size_t head = strlen(line);
    scan_skip(&scan);
    size_t len = (size_t)(scan.at - from);
    memcpy(line + head, from, len < sizeof line - head ? len : sizeof line - head - 1);
    if (binance->host->log)
        binance->host->log(binance->host->host, line);
}

/* Either an object that is told (d), or nothing (kind NONE), or a depth reply: *snapshot_out. */
static enum weir_err general_frame(struct binance *binance, struct weir_bytes bytes,
                                   struct decoded *d, bool *snapshot_out)
{
    struct scan scan = scan_of(bytes), data;
    struct frame frame;
    *d = (struct decoded){0};
    if (frame_index(&scan, &frame) != WEIR_OK || !scan_done(&scan))
        return scan.err != WEIR_OK ? scan.err : WEIR_E_BAD_FRAME;
    if (!frame.at[MEMBER_stream]) {
        *snapshot_out = frame.at[MEMBER_lastUpdateId] != NULL;
        if (frame.at[MEMBER_error])
            say_error(binance, &frame);
        return *snapshot_out ? WEIR_OK : general_object(binance, &frame, d);
    }
    data = frame_scan(&frame, MEMBER_data);
    if (scan_peek(&data) != '{')
        return scan_ok(&data) ? WEIR_OK : WEIR_E_BAD_FRAME;
    struct frame inner;
    enum weir_err err = frame_index(&data, &inner);
    if (err == WEIR_OK)
        err = general_object(binance, &inner, d);
    if (err == WEIR_OK && d->kind == KIND_DEPTH &&
        is_partial_stream(frame_text(&frame, MEMBER_stream)))
        d->kind = KIND_NONE;
    return err;
}

/* --- the doors ------------------------------------------------------------------------------- */

static bool is_plain(const struct symbol *symbol)
{
    return symbol->px_exp == EXP && symbol->qty_exp == EXP;
}

/* *symbol_out NULL: none of that name was seen yet. */
static enum weir_err decode(struct binance *binance, struct weir_bytes bytes, struct decoded *d,
                            struct symbol **symbol_out, bool *snapshot_out)
{
    memset(d, 0, sizeof *d);
    *snapshot_out = false;
    *symbol_out = NULL;
    if (!binance->slow_only && strict_frame(binance, bytes, d)) {
        *symbol_out = symbols_find(&binance->symbols, d->name, d->name_len);
        if (!*symbol_out || is_plain(*symbol_out))
            return makes_sense(binance, d) ? WEIR_OK : WEIR_E_BAD_FRAME;
    }
    enum weir_err err = general_frame(binance, bytes, d, snapshot_out);
    if (err != WEIR_OK || d->kind == KIND_NONE)
        return err;
    *symbol_out = symbols_find(&binance->symbols, d->name, d->name_len);
    return makes_sense(binance, d) ? WEIR_OK : WEIR_E_BAD_FRAME;
}

enum weir_err decode_frame(struct binance *binance, struct channel *channel,
                           struct weir_bytes bytes)
{
    struct decoded d;
    struct symbol *symbol;
    bool snapshot, wanted;
    enum weir_err err = decode(binance, bytes, &d, &symbol, &snapshot);
    if (snapshot && err == WEIR_OK)
        return decode_snapshot(binance, channel, NULL, bytes);
    if (err != WEIR_OK || d.kind == KIND_NONE)
        return err;
    if (!symbol)
        err = add_symbol(binance, d.name, d.name_len, &symbol);
    if (err == WEIR_OK)
        err = settle_symbol(binance, channel, symbol, &wanted);
    if (err == WEIR_OK && __builtin_expect(channel->held != NULL, 0)) {
        err = release_held(binance, channel); /* it took the room that this frame was read into */
        if (err == WEIR_OK)
            err = decode(binance, bytes, &d, &symbol, &snapshot);
    }
    if (err == WEIR_OK && wanted)
        tell(binance, symbol, &d);
    return err;
}

/* Keep a snapshot whose symbol is not known yet. One a channel: a later one is a better one. */
static enum weir_err hold(struct channel *channel, struct weir_bytes body)
{
    char *copy = malloc(body.len);
    if (!copy)
        return WEIR_E_NO_MEMORY;
    memcpy(copy, body.data, body.len);
    free(channel->held);
    channel->held = copy;
    channel->held_len = body.len;
    return WEIR_OK;
}

/* Whose snapshot it is: what it says itself, or what the channel saw. *out NULL: not known. */
static enum weir_err snapshot_symbol(struct binance *binance, const struct channel *channel,
                                     const struct frame *frame, struct symbol **out)
{
    struct weir_bytes name = frame_text(frame, MEMBER_symbol);
    *out = NULL;
    if (name.len > 0)
        return add_symbol(binance, name.data, name.len, out);
    if (channel && channel->last != 0 && !channel->others)
        *out = &binance->symbols.rows[channel->last - 1];
    return WEIR_OK;
}

/* A snapshot that cannot be placed: one that came before any symbol waits for it. */
static enum weir_err set_aside(struct binance *binance, struct channel *channel,
                               struct weir_bytes body)
{
    if (channel && channel->last == 0)
        return hold(channel, body);
    if (binance->host->log)
        binance->host->log(
            binance->host->host,
            "binance: a depth reply without a symbol, on a connection of several, is left out");
    return WEIR_OK;
}

enum weir_err decode_snapshot(struct binance *binance, struct channel *channel,
                              struct symbol *symbol, struct weir_bytes body)
{
    struct scan scan = scan_of(body);
    struct frame frame;
    struct decoded d = {.kind = KIND_DEPTH};
    if (frame_index(&scan, &frame) != WEIR_OK || !scan_done(&scan))
        return WEIR_E_BAD_FRAME;
    if (!frame.at[MEMBER_lastUpdateId] || !frame.at[MEMBER_bids] || !frame.at[MEMBER_asks])
        return WEIR_E_BAD_FRAME;
    enum weir_err err = WEIR_OK;
    bool wanted = true;
    if (!symbol)
        err = snapshot_symbol(binance, channel, &frame, &symbol);
    if (err == WEIR_OK && !symbol)
        return set_aside(binance, channel, body);
    if (err == WEIR_OK)
        err = settle_symbol(binance, channel, symbol, &wanted);
    if (err != WEIR_OK || !wanted)
        return err;
    d.U = d.u = whole(&frame, MEMBER_lastUpdateId, &err);
    d.E = whole(&frame, MEMBER_E, &err);
    d.T = whole(&frame, MEMBER_T, &err);
    d.bids = levels(binance, &frame, MEMBER_bids, symbol, 0, &err);
    d.asks = levels(binance, &frame, MEMBER_asks, symbol, d.bids, &err);
    if (err == WEIR_OK && !makes_sense(binance, &d))
        err = WEIR_E_BAD_FRAME;
    if (err == WEIR_OK)
        tell_depth(binance, symbol, &d, true);
    return err;
}
