/* market.c - see the header. */
#include "shared/market.h"

#include <stdio.h>
#include <stdlib.h>

enum { FIRST_ROOM = 64, OUT_FIRST = 1 << 16, OUT_PER_BYTE = 8 };

/* --- life -------------------------------------------------------------------------------------- */

enum weir_err market_init(struct market *market, const struct weir_host *host, const char *venue)
{
    *market = (struct market){
        .host = host, .venue = venue, .room = FIRST_ROOM, .mask = 2 * FIRST_ROOM - 1};
    market->rows = calloc(market->room, sizeof *market->rows);
    market->slots = calloc(market->mask + 1u, sizeof *market->slots);
    market->numbers = calloc(market->room + 1u, sizeof *market->numbers);
    return market->rows && market->slots && market->numbers ? WEIR_OK : WEIR_E_NO_MEMORY;
}

void market_fini(struct market *market)
{
    free(market->rows);
    free(market->slots);
    free(market->numbers);
    free(market->out);
    free(market->asks);
    *market = (struct market){0};
}

void market_say(const struct market *market, const char *what, const char *found)
{
    char line[240];
    (void)snprintf(line, sizeof line, "%s: %s, found \"%s\"", market->venue, what, found);
    if (market->host->log)
        market->host->log(market->host->host, line);
}

/* --- symbols by name --------------------------------------------------------------------------- */

static uint32_t hash_of(struct weir_bytes name)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (unsigned char)name.data[i]) * 16777619u;
    return hash ^ hash >> 15;
}

struct market_symbol *market_find(const struct market *market, struct weir_bytes name)
{
    for (uint32_t at = hash_of(name);; at++) {
        uint32_t slot = market->slots[at & market->mask];
        if (slot == 0)
            return NULL;
        struct market_symbol *row = &market->rows[slot - 1];
        if (row->len == name.len && memcmp(row->name, name.data, name.len) == 0)
            return row;
    }
}

static void put_slot(struct market *market, uint32_t row)
{
    uint32_t at = hash_of((struct weir_bytes){market->rows[row].name, market->rows[row].len});
    while (market->slots[at & market->mask] != 0)
        at++;
    market->slots[at & market->mask] = row + 1;
}

/* Twice the room. What cannot be had leaves all as it is. */
static bool grow(struct market *market)
{
    uint32_t room = market->room * 2;
    if (room > MARKET_SYMBOLS_MAX)
        return false;
    struct market_symbol *rows = realloc(market->rows, room * sizeof *rows);
    if (!rows)
        return false;
    market->rows = rows;
    uint32_t *numbers = realloc(market->numbers, (room + 1u) * sizeof *numbers);
    if (!numbers)
        return false;
    market->numbers = numbers;
    uint32_t *slots = calloc(2u * room, sizeof *slots);
    if (!slots)
        return false;
    free(market->slots);
    market->slots = slots;
    market->mask = 2 * room - 1;
    market->room = room;
    for (uint32_t i = 0; i < market->count; i++)
        put_slot(market, i);
    return true;
}

/* Anything printable that cannot end a text elsewhere. */
static bool may_be_name(struct weir_bytes name)
{
    if (name.len == 0 || name.len >= WEIR_SYMBOL_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.data[i];
        if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\')
            return false;
    }
    return true;
}

struct market_symbol *market_add(struct market *market, struct weir_bytes name)
{
    struct market_symbol *symbol = market_find(market, name);
    if (symbol)
        return symbol;
    if (!may_be_name(name) || (market->count == market->room && !grow(market)))
        return NULL;
    symbol = &market->rows[market->count];
    *symbol = (struct market_symbol){.len = (uint8_t)name.len,
                                     .px_exp = MARKET_EXP,
                                     .qty_exp = MARKET_EXP,
                                     .px_places = WEIR_PLACES_FEWEST,
                                     .qty_places = WEIR_PLACES_FEWEST,
                                     .multiplier = 1};
    memcpy(symbol->name, name.data, name.len);
    put_slot(market, market->count++);
    return symbol;
}

struct market_symbol *market_numbered(const struct market *market, uint32_t number)
{
    return number > 0 && number <= market->told ? &market->rows[market->numbers[number]] : NULL;
}

enum weir_err market_want(struct market *market, const char *names)
{
    while (*names) {
        size_t len = strcspn(names, ", ");
        struct market_symbol *symbol =
            len > 0 ? market_add(market, (struct weir_bytes){names, len}) : NULL;
        if (len > 0 && !symbol) {
            market_say(market,
                       "symbols: expected names as the venue writes them, with commas "
                       "between them",
                       names);
            return WEIR_E_BAD_CONFIG;
        }
        if (symbol)
            symbol->wanted = market->only_wanted = true;
        names += len + (names[len] != '\0');
    }
    return WEIR_OK;
}

/* --- rules ------------------------------------------------------------------------------------- */

/* A rule's decimal; 0 where there is none, or none that counts here. */
static int64_t decimal(struct weir_bytes text, int exp)
{
    struct scan scan = scan_of(text);
    int64_t value = text.len > 0 ? market_number(&scan, exp) : 0;
    return scan_done(&scan) && value > 0 ? value : 0;
}

/* Places for good: finer than usual where the price needs it, and then the size has what is left. */
static void set_places(struct market_symbol *symbol, int px_places, int qty_places)
{
    int px = px_places > MARKET_EXP ? px_places : MARKET_EXP;
    int qty = qty_places > MARKET_EXP ? qty_places : MARKET_EXP;
    px = px > MARKET_EXP_MOST ? MARKET_EXP_MOST : px;
    qty = qty > MARKET_EXP_MOST ? MARKET_EXP_MOST : qty;
    if (px + qty > 18) /* one of the two can spare some */
        qty = 18 - px;
    symbol->px_exp = (int8_t)px;
    symbol->qty_exp = (int8_t)qty;
}

static bool same_rules(const struct market_symbol *a, const struct market_symbol *b)
{
    return a->tick == b->tick && a->step == b->step && a->halted == b->halted &&
           a->multiplier == b->multiplier && a->multiplier_exp == b->multiplier_exp &&
           a->min_notional.lo == b->min_notional.lo && a->min_notional.hi == b->min_notional.hi &&
           strcmp(a->base, b->base) == 0 && strcmp(a->quote, b->quote) == 0;
}

static void emit_instrument(struct market *market, const struct market_symbol *symbol)
{
    struct weir_instrument told = {
        .msg = {.size = sizeof told, .kind = WEIR_INSTRUMENT, .instrument = symbol->number},
        .kind = symbol->kind,
        .status = symbol->halted ? WEIR_HALTED : WEIR_TRADING,
        .price_exp = symbol->px_exp,
        .qty_exp = symbol->qty_exp,
        .multiplier = symbol->multiplier,
        .multiplier_exp = symbol->multiplier_exp,
        .tick = symbol->tick,
        .step = symbol->step,
        .min_notional = symbol->min_notional,
    };
    memcpy(told.symbol, symbol->name, sizeof told.symbol);
    memcpy(told.base, symbol->base, sizeof told.base);
    memcpy(told.quote, symbol->quote, sizeof told.quote);
    market->host->emit(market->host->host, &told.msg);
}

static void set_contract(struct market_symbol *symbol, struct weir_bytes contract)
{
    int places = contract.len > 0 ? market_places(contract) : -1;
    int64_t value = places >= 0 && places <= 18 ? decimal(contract, places) : 0;
    if (value <= 0)
        return;
    symbol->multiplier = value;
    symbol->multiplier_exp = (int8_t)places;
}

void market_rule(struct market *market, struct market_symbol *symbol,
                 const struct market_rules *rules)
{
    struct market_symbol before = *symbol;
    if (symbol->number == 0) { /* exponents and kind hold for good once they are told */
        set_places(symbol, market_places(rules->tick), market_places(rules->step));
        symbol->kind = rules->kind;
        symbol->known = decimal(rules->tick, symbol->px_exp) > 0;
    }
    symbol->tick = decimal(rules->tick, symbol->px_exp);
    symbol->step = decimal(rules->step, symbol->qty_exp);
    __int128 least = (__int128)decimal(rules->min_notional, MARKET_EXP) * 10000000000;
    symbol->min_notional = (struct weir_amount){(uint64_t)least, (int64_t)(least >> 64)};
    if (rules->base.len > 0)
        market_set(symbol->base, sizeof symbol->base, rules->base);
    if (rules->quote.len > 0)
        market_set(symbol->quote, sizeof symbol->quote, rules->quote);
    set_contract(symbol, rules->contract);
    symbol->halted = rules->halted;
    if (symbol->number != 0 && !same_rules(&before, symbol))
        emit_instrument(market, symbol);
}

/* The most places of any number in a text. */
static int places_in(struct weir_bytes text)
{
    int most = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != '.')
            continue;
        size_t from = ++i;
        while (i < text.len && (unsigned char)(text.data[i] - '0') <= 9)
            i++;
        int places = i - from < 64 ? (int)(i - from) : 64;
        if (i < text.len && (text.data[i] == 'e' || text.data[i] == 'E'))
            places = MARKET_EXP_MOST;
        if (i < text.len && (text.data[i] == 'Z' || text.data[i] == '+'))
            places = 0; /* a time */
        most = places > most ? places : most;
    }
    return most;
}

void market_tell(struct market *market, struct market_symbol *symbol, struct weir_bytes sample)
{
    if (symbol->number != 0)
        return;
    if (!symbol->known) {
        int places = places_in(sample);
        set_places(symbol, places > 10 ? 10 : places, MARKET_EXP);
    }
    symbol->number = ++market->told;
    market->numbers[symbol->number] = (uint32_t)(symbol - market->rows);
    emit_instrument(market, symbol);
}

struct market_symbol *market_symbol_of(struct market *market, struct weir_bytes name,
                                       struct weir_bytes sample, enum weir_err *err)
{
    struct market_symbol *symbol = market_add(market, name);
    if (!symbol) {
        *err = market->count >= MARKET_SYMBOLS_MAX ? WEIR_E_FULL : WEIR_E_BAD_FRAME;
        return NULL;
    }
    if (!market_wants(market, symbol))
        return NULL;
    if (__builtin_expect(symbol->number == 0, 0))
        market_tell(market, symbol, sample);
    return symbol;
}

/* --- a frame ----------------------------------------------------------------------------------- */

/* A level takes at least 6 bytes of a frame and 16 of the outbox, a trade 24 and 88, a book 20 and 104. */
enum weir_err market_begin(struct market *market, struct weir_bytes frame)
{
    size_t room = frame.len * OUT_PER_BYTE + OUT_FIRST, asks = frame.len / 4 + 64;
    market->out_len = 0;
    market->book = NULL;
    if (room > market->out_room) {
        unsigned char *out = realloc(market->out, room * 2);
        if (!out)
            return WEIR_E_NO_MEMORY;
        market->out = out;
        market->out_room = room * 2;
    }
    if (asks > market->asks_room) {
        struct weir_level *more = realloc(market->asks, asks * 2 * sizeof *more);
        if (!more)
            return WEIR_E_NO_MEMORY;
        market->asks = more;
        market->asks_room = asks * 2;
    }
    return WEIR_OK;
}

void market_flush(struct market *market)
{
    for (size_t at = 0; at < market->out_len;) {
        const struct weir_msg *msg = (const void *)(market->out + at);
        at += msg->size;
        market->host->emit(market->host->host, msg);
    }
    market->out_len = 0;
}

/* One message into the outbox; there is room, by market_begin. */
static void put(struct market *market, struct weir_msg *msg, size_t size, uint16_t kind,
                const struct market_symbol *symbol)
{
    msg->size = (uint32_t)size;
    msg->kind = kind;
    msg->instrument = symbol ? symbol->number : 0;
    if (market->out_len + size > market->out_room)
        return;
    memcpy(market->out + market->out_len, msg, size);
    market->out_len += size;
}

void market_sequence(struct market *market, uint64_t seq)
{
    struct weir_sequence message = {.seq = seq};
    put(market, &message.msg, sizeof message, WEIR_SEQUENCE, NULL);
}

void market_same_name(const struct market_symbol *symbol, struct scan *scan)
{
    struct weir_bytes name = market_word(scan);
    if (scan_ok(scan) &&
        (name.len != symbol->len || memcmp(name.data, symbol->name, name.len) != 0))
        scan_fail(scan, WEIR_E_BAD_FRAME);
}

void market_book(struct market *market, const struct market_symbol *symbol)
{
    (void)symbol;
    market->bids_count = market->asks_count = 0;
    market->book = NULL;
    if (market->out_len + sizeof *market->book <= market->out_room)
        market->book = (void *)(market->out + market->out_len);
}

void market_level(struct market *market, enum weir_side side, struct weir_level level)
{
    size_t used = market->out_len + sizeof *market->book +
                  ((size_t)market->bids_count + market->asks_count + 1) * sizeof level;
    if (!market->book || used > market->out_room || market->asks_count == market->asks_room) {
        market->book = NULL; /* cannot be, by market_begin: the message is not sent */
        return;
    }
    if (side == WEIR_BUY)
        market->book->levels[market->bids_count++] = level;
    else
        market->asks[market->asks_count++] = level;
}

void market_levels(struct market *market, struct market_symbol *symbol, struct scan *scan,
                   enum weir_side side, bool note)
{
    int first = 1;
    scan_expect(scan, '[');
    while (scan_item(scan, &first)) {
        struct weir_level level;
        scan_expect(scan, '[');
        level.px = note ? market_noted(scan, symbol->px_exp, &symbol->px_places)
                        : scan_decimal(scan, symbol->px_exp);
        scan_expect(scan, ',');
        level.qty = note ? market_noted(scan, symbol->qty_exp, &symbol->qty_places)
                         : scan_decimal(scan, symbol->qty_exp);
        while (scan_try(scan, ','))
            scan_skip(scan);
        scan_expect(scan, ']');
        if ((level.px <= 0 || level.qty < 0) && scan_ok(scan))
            scan_fail(scan, WEIR_E_BAD_FRAME);
        market_level(market, side, level);
    }
}

void market_book_end(struct market *market, const struct market_symbol *symbol,
                     const struct weir_book_msg *head)
{
    struct weir_book_msg *book = market->book;
    size_t levels = (size_t)market->bids_count + market->asks_count;
    market->book = NULL;
    if (!book)
        return;
    memcpy(book, head, sizeof *head);
    book->bids = market->bids_count;
    book->asks = market->asks_count;
    if (market->asks_count > 0)
        memcpy(book->levels + market->bids_count, market->asks,
               market->asks_count * sizeof book->levels[0]);
    book->msg.size = (uint32_t)(sizeof *book + levels * sizeof book->levels[0]);
    book->msg.kind = WEIR_BOOK;
    book->msg.instrument = symbol->number;
    market->out_len += book->msg.size;
}

void market_trade(struct market *market, const struct market_symbol *symbol,
                  const struct weir_trade *trade)
{
    struct weir_trade message = *trade;
    put(market, &message.msg, sizeof message, WEIR_TRADE, symbol);
}

void market_order(struct market *market, const struct market_symbol *symbol,
                  const struct weir_l3 *order)
{
    struct weir_l3 message = *order;
    put(market, &message.msg, sizeof message, WEIR_L3, symbol);
}

void market_top(struct market *market, const struct market_symbol *symbol,
                const struct weir_top *top)
{
    struct weir_top message = *top;
    if (message.bid <= 0 || message.bid_qty <= 0)
        message.bid = message.bid_qty = 0;
    if (message.ask <= 0 || message.ask_qty <= 0)
        message.ask = message.ask_qty = 0;
    if (message.ask == 0 || message.bid <= message.ask)
        put(market, &message.msg, sizeof message, WEIR_TOP, symbol);
}

void market_mark(struct market *market, const struct market_symbol *symbol, uint16_t kind,
                 weir_px px, weir_ns t)
{
    struct weir_mark message = {.msg = {.t_venue = t}, .px = px};
    if (px > 0)
        put(market, &message.msg, sizeof message, kind, symbol);
}

int64_t market_rate_of(struct weir_bytes text)
{
    const char *point = text.len > 0 ? memchr(text.data, '.', text.len) : NULL;
    size_t most = point ? (size_t)(point - text.data) + 13 : text.len;
    bool exponent =
        text.len > 0 && (memchr(text.data, 'e', text.len) || memchr(text.data, 'E', text.len));
    if (!exponent && text.len > most)
        text.len = most;
    struct scan number = scan_of(text);
    int64_t rate = text.len > 0 ? market_number(&number, 12) : 0;
    return scan_done(&number) && rate >= -1000000000000 && rate <= 1000000000000 ? rate : 0;
}

void market_funding(struct market *market, const struct market_symbol *symbol, int64_t rate,
                    weir_ns t_next, weir_ns t)
{
    struct weir_funding_rate message = {.msg = {.t_venue = t}, .rate = rate, .t_next = t_next};
    put(market, &message.msg, sizeof message, WEIR_FUNDING_RATE, symbol);
}

weir_px market_mark_px(struct scan *scan, const struct market_symbol *symbol)
{
    struct weir_bytes text = market_word(scan);
    struct scan number = scan_of(text);
    weir_px px = scan_ok(scan) && text.len > 0 ? market_number(&number, symbol->px_exp) : 0;
    return scan_done(&number) && px > 0 ? px : 0;
}
