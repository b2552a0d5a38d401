/* symbols.c - the symbols of a session: found by name, numbered when the host is told of them.
 *
 * A symbol's parts and rules come from exchangeInfo where the session saw one, else from its name:
 * the longest known quote asset that it ends with. Rows never move to another number; a number is
 * given in the order in which symbols are first needed, so it is dense. */
#include <stdlib.h>

#include "binance.h"

enum { FIRST_ROOM = 64 };

/* Quote assets that a pair's name may end with, longest first. */
static const char *const quotes[] = {
    "FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USDP", "USDS", "USD1", "BIDR", "IDRT",
    "BKRW",  "DOGE", "BTC",  "ETH",  "BNB",  "USD",  "EUR",  "TRY",  "GBP",  "AUD",
    "BRL",   "RUB",  "UAH",  "NGN",  "ZAR",  "PLN",  "RON",  "ARS",  "MXN",  "COP",
    "CZK",   "JPY",  "IDR",  "DAI",  "PAX",  "VAI",  "XRP",  "TRX",  "DOT",  "SOL",
};

/* The first and the last bytes of a name, which overlap where it is short. */
static inline void ends_of(const char *name, size_t len, uint64_t *head, uint64_t *tail)
{
    *head = *tail = 0;
    if (len >= 8) {
        memcpy(head, name, 8);
        memcpy(tail, name + len - 8, 8);
    } else if (len >= 4) {
        memcpy(head, name, 4);
        memcpy(tail, name + len - 4, 4);
    } else {
        for (size_t i = 0; i < len; i++)
            *head = *head << 8 | (unsigned char)name[i];
    }
}

static inline bool same_name(const char *a, const char *b, size_t len)
{
    uint64_t a_head, a_tail, b_head, b_tail;
    if (len > 16)
        return memcmp(a, b, len) == 0;
    ends_of(a, len, &a_head, &a_tail);
    ends_of(b, len, &b_head, &b_tail);
    return a_head == b_head && a_tail == b_tail;
}

static inline uint32_t hash_of(const char *name, size_t len)
{
    uint64_t head, tail;
    ends_of(name, len, &head, &tail);
    uint64_t mixed = (head ^ (tail << 23 | tail >> 41) ^ len) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(mixed >> 32 ^ mixed >> 17);
}

enum weir_err symbols_init(struct symbols *symbols)
{
    *symbols = (struct symbols){.room = FIRST_ROOM, .mask = 2 * FIRST_ROOM - 1};
    symbols->rows = calloc(symbols->room, sizeof *symbols->rows);
    symbols->slots = calloc(symbols->mask + 1u, sizeof *symbols->slots);
    symbols->numbers = calloc(symbols->room + 1u, sizeof *symbols->numbers);
    return symbols->rows && symbols->slots && symbols->numbers ? WEIR_OK : WEIR_E_NO_MEMORY;
}

void symbols_fini(struct symbols *symbols)
{
    free(symbols->rows);
    free(symbols->slots);
    free(symbols->numbers);
    *symbols = (struct symbols){0};
}

struct symbol *symbols_find(const struct symbols *symbols, const char *name, size_t len)
{
    for (uint32_t at = hash_of(name, len);; at++) {
        uint32_t slot = symbols->slots[at & symbols->mask];
        if (slot == 0)
            return NULL;
        struct symbol *row = &symbols->rows[slot - 1];
        if (row->len == len && same_name(row->name, name, len))
            return row;
    }
}

static void put_slot(struct symbols *symbols, uint32_t row)
{
    uint32_t at = hash_of(symbols->rows[row].name, symbols->rows[row].len);
    while (symbols->slots[at & symbols->mask] != 0)
        at++;
    symbols->slots[at & symbols->mask] = row + 1;
}

/* Twice the room. What cannot be had leaves all as it is. */
static bool grow(struct symbols *symbols)
{
    uint32_t room = symbols->room * 2;
    if (room > SYMBOLS_MAX)
        return false;
    struct symbol *rows = realloc(symbols->rows, room * sizeof *rows);
    if (!rows)
        return false;
    symbols->rows = rows;
    uint32_t *numbers = realloc(symbols->numbers, (room + 1u) * sizeof *numbers);
    if (!numbers)
        return false;
    symbols->numbers = numbers;
    uint32_t *slots = calloc(2u * room, sizeof *slots);
    if (!slots)
        return false;
    free(symbols->slots);
    symbols->slots = slots;
    symbols->mask = 2 * room - 1;
    symbols->room = room;
    for (uint32_t i = 0; i < symbols->count; i++)
        put_slot(symbols, i);
    return true;
}

static void set_text(char *to, size_t room, const char *from, size_t len)
{
    if (len >= room)
        len = room - 1;
    memset(to, 0, room);
    memcpy(to, from, len);
}

/* Base and quote, as far as a name tells them: of a delivery contract, by what stands before '_'. */
static void split_name(struct symbol *symbol)
{
    const char *end = memchr(symbol->name, '_', symbol->len);
    size_t len = end ? (size_t)(end - symbol->name) : symbol->len;
    size_t quote = 0;
    for (size_t i = 0; i < sizeof quotes / sizeof quotes[0] && quote == 0; i++) {
        size_t n = strlen(quotes[i]);
        if (len > n && memcmp(symbol->name + len - n, quotes[i], n) == 0)
            quote = n;
    }
    set_text(symbol->base, sizeof symbol->base, symbol->name, len - quote);
    set_text(symbol->quote, sizeof symbol->quote, symbol->name + len - quote, quote);
}

/* Letters, digits and what else the venue has in names (its own alphabet, '_', '-'). */
static bool may_be_name(const char *name, size_t len)
{
    if (len == 0 || len >= WEIR_SYMBOL_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] <= ' ' || strchr("\"\\/&=?#@,:{}[]\x7f", name[i]))
            return false;
    return true;
}

struct symbol *symbols_get(struct symbols *symbols, enum market market, const char *name,
                           size_t len)
{
    struct symbol *symbol = symbols_find(symbols, name, len);
    if (symbol)
        return symbol;
    if (!may_be_name(name, len) || (symbols->count == symbols->room && !grow(symbols)))
        return NULL;
    symbol = &symbols->rows[symbols->count];
    *symbol = (struct symbol){.len = (uint8_t)len, .px_exp = EXP, .qty_exp = EXP, .multiplier = 1};
    memcpy(symbol->name, name, len);
    split_name(symbol);
    if (market == MARKET_CM) /* by the venue's documents, for when no rules were seen */
        symbol->multiplier = strcmp(symbol->base, "BTC") == 0 ? 100 : 10;
    put_slot(symbols, symbols->count++);
    return symbol;
}

enum weir_err symbol_tell(struct binance *binance, struct symbol *symbol)
{
    struct symbols *symbols = &binance->symbols;
    if (symbol->number == 0) {
        symbol->number = ++symbols->told;
        symbols->numbers[symbol->number] = (uint32_t)(symbol - symbols->rows);
    }
    struct weir_instrument told = {
        .msg = {.size = sizeof told, .kind = WEIR_INSTRUMENT, .instrument = symbol->number},
        .kind = markets[binance->market].kind,
        .status = symbol->halted ? WEIR_HALTED : WEIR_TRADING,
        .price_exp = symbol->px_exp,
        .qty_exp = symbol->qty_exp,
        .multiplier = symbol->multiplier,
        .tick = symbol->tick,
        .step = symbol->step,
        .min_notional = symbol->min_notional,
    };
    memcpy(told.symbol, symbol->name, sizeof told.symbol);
    memcpy(told.base, symbol->base, sizeof told.base);
    memcpy(told.quote, symbol->quote, sizeof told.quote);
    binance->host->emit(binance->host->host, &told.msg);
    return WEIR_OK;
}

/* --- exchangeInfo ---------------------------------------------------------------------------- */

/* One symbol's rules as they are read, before it is known whose they are. */
struct rules {
    struct weir_bytes name, base, quote, status;
    struct weir_bytes tick, step, min_notional;
    int64_t contract_size;
};

/* The inside of a string or the text of a number. */
static struct weir_bytes word(struct scan *scan)
{
    if (scan_peek(scan) == '"')
        return scan_string(scan);
    const char *from = scan->at;
    scan_skip(scan);
    return (struct weir_bytes){from, (size_t)(scan->at - from)};
}

static void read_filter(struct scan *scan, struct rules *rules)
{
    struct weir_bytes key, type = {scan->at, 0}, tick = type, step = type, notional = type;
    int first = 1;
    scan_expect(scan, '{');
    while (scan_key(scan, &first, &key)) {
        if (scan_is(key, "filterType"))
            type = word(scan);
        else if (scan_is(key, "tickSize"))
            tick = word(scan);
        else if (scan_is(key, "stepSize"))
            step = word(scan);
        else if (scan_is(key, "minNotional") || scan_is(key, "notional"))
            notional = word(scan);
        else
            scan_skip(scan);
    }
    if (scan_is(type, "PRICE_FILTER"))
        rules->tick = tick;
    else if (scan_is(type, "LOT_SIZE"))
        rules->step = step;
    else if (scan_is(type, "MIN_NOTIONAL") || scan_is(type, "NOTIONAL"))
        rules->min_notional = notional;
}

static void read_rules(struct scan *scan, struct rules *rules)
{
    struct weir_bytes key;
    int first = 1, first_filter = 1;
    scan_expect(scan, '{');
    while (scan_key(scan, &first, &key)) {
        if (scan_is(key, "symbol"))
            rules->name = word(scan);
        else if (scan_is(key, "baseAsset"))
            rules->base = word(scan);
        else if (scan_is(key, "quoteAsset"))
            rules->quote = word(scan);
        else if (scan_is(key, "status") || scan_is(key, "contractStatus"))
            rules->status = word(scan);
        else if (scan_is(key, "contractSize"))
            rules->contract_size = scan_int(scan);
        else if (scan_is(key, "filters") && scan_peek(scan) == '[') {
            scan_expect(scan, '[');
            while (scan_item(scan, &first_filter))
                read_filter(scan, rules);
        } else {
            scan_skip(scan);
        }
    }
}

/* A rule's decimal; 0 where there is none, or none that counts here. */
static int64_t decimal(struct weir_bytes text, int exp)
{
    struct scan scan = scan_of(text);
    int64_t value = text.len > 0 ? scan_digits(&scan, exp) : 0;
    return scan_done(&scan) && value > 0 ? value : 0;
}

static bool same_rules(const struct symbol *a, const struct symbol *b)
{
    return a->tick == b->tick && a->step == b->step && a->multiplier == b->multiplier &&
           a->halted == b->halted && a->min_notional.lo == b->min_notional.lo &&
           a->min_notional.hi == b->min_notional.hi && strcmp(a->base, b->base) == 0 &&
           strcmp(a->quote, b->quote) == 0;
}

static enum weir_err use_rules(struct binance *binance, const struct rules *rules)
{
    struct symbol *symbol =
        symbols_get(&binance->symbols, binance->market, rules->name.data, rules->name.len);
    if (!symbol)
        return WEIR_OK; /* a name that cannot be traded here concerns nobody else */
    struct symbol before = *symbol;
    if (symbol->number == 0) { /* exponents hold for good once they are told */
        symbol->px_exp = EXP;
        while (symbol->px_exp < 18 - EXP && decimal(rules->tick, symbol->px_exp) == 0)
            symbol->px_exp++;
        if (decimal(rules->tick, symbol->px_exp) == 0)
            symbol->px_exp = EXP;
    }
    symbol->tick = decimal(rules->tick, symbol->px_exp);
    symbol->step = decimal(rules->step, symbol->qty_exp);
    __int128 notional = (__int128)decimal(rules->min_notional, EXP) * 10000000000;
    symbol->min_notional = (struct weir_amount){(uint64_t)notional, (int64_t)(notional >> 64)};
    if (rules->base.len > 0)
        set_text(symbol->base, sizeof symbol->base, rules->base.data, rules->base.len);
    if (rules->quote.len > 0)
        set_text(symbol->quote, sizeof symbol->quote, rules->quote.data, rules->quote.len);
    if (binance->market == MARKET_CM && rules->contract_size > 0)
        symbol->multiplier = rules->contract_size;
    symbol->halted = rules->status.len > 0 && !scan_is(rules->status, "TRADING");
    bool changed = !same_rules(&before, symbol);
    return symbol->number != 0 && changed ? symbol_tell(binance, symbol) : WEIR_OK;
}

enum weir_err symbols_rules(struct binance *binance, struct weir_bytes body)
{
    struct scan scan = scan_of(body);
    struct frame frame;
    enum weir_err err = frame_index(&scan, &frame);
    if (err != WEIR_OK || !scan_done(&scan))
        return WEIR_E_BAD_FRAME;
    struct scan list = frame_scan(&frame, MEMBER_symbols);
    int first = 1;
    scan_expect(&list, '[');
    while (scan_item(&list, &first) && err == WEIR_OK) {
        struct rules rules = {0};
        read_rules(&list, &rules);
        if (scan_ok(&list))
            err = use_rules(binance, &rules);
    }
    return err != WEIR_OK ? err : list.err;
}
