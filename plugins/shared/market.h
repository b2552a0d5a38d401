/* market.h - what the market data side of most venues has in common: symbols and their numbers, the
 * outbox of a frame, places of prices, subscriptions.
 *
 * A venue is then a page of its own rules: which member is which, in which order things follow. A
 * frame is read to its end before anything of it is told: what is found goes to the outbox, and the
 * host gets it when the frame was whole [market_flush], so a frame counts whole or not at all.
 *
 * NUMBERS  Prices and sizes are counts of 10^-8, finer where a symbol's rules or its first message
 *          ask for it. Exponents hold for good once the host was told of a symbol.
 * MEMORY   A frame's outbox is as large as the largest frame needed; no other memory grows with data.
 *          [one thread; one session] */
#ifndef SHARED_MARKET_H
#define SHARED_MARKET_H

#include <stdbool.h>
#include <stdint.h>

#include "weir/plugin.h"
#include "weir/scan.h"

enum { MARKET_EXP = 8, MARKET_EXP_MOST = 12, MARKET_SYMBOLS_MAX = 1 << 16 };
#define MARKET_SECOND ((weir_ns)1000000000)

struct market_symbol {
    char name[WEIR_SYMBOL_MAX];
    char base[WEIR_ASSET_MAX];
    char quote[WEIR_ASSET_MAX];
    uint8_t len;
    uint8_t kind; /* enum weir_instrument_kind */
    uint8_t halted;
    uint8_t wanted; /* in the settings, or subscribed since */
    uint8_t known;  /* its places are those of its rules */
    uint8_t asked;  /* a snapshot of it is on its way */
    int8_t px_exp, qty_exp;
    uint8_t px_places, qty_places; /* of its texts, for checksums: see market_note */
    int8_t multiplier_exp;
    uint32_t number; /* as the host knows it; 0: not told yet */
    uint32_t keep;   /* levels a side that the venue keeps; 0: all */
    int64_t multiplier;
    weir_px tick;
    weir_qty step;
    struct weir_amount min_notional;
};

struct market {
    const struct weir_host *host;
    const char *venue; /* for lines to the operator */
    bool only_wanted;  /* symbols were named: others are left out */
    struct market_symbol *rows;
    uint32_t *slots;   /* row + 1, by hash of the name; 0: empty */
    uint32_t *numbers; /* row of each number, from 1 */
    uint32_t count, room, told, mask;

    unsigned char *out; /* messages one after another, whole ones */
    size_t out_len, out_room;
    struct weir_book_msg *book; /* in the outbox, being filled; NULL: none */
    struct weir_level *asks;
    size_t asks_room;
    uint32_t bids_count, asks_count;
};

/* venue: a constant. */
enum weir_err market_init(struct market *market, const struct weir_host *host, const char *venue);
void market_fini(struct market *market);

/* A line for the operator: `venue: what, found "found"`. */
void market_say(const struct market *market, const char *what, const char *found);

/* --- symbols ----------------------------------------------------------------------------------- */

/* NULL: none of that name. A row may move when another one is added. */
struct market_symbol *market_find(const struct market *market, struct weir_bytes name);
/* Found, or added. NULL: a name that cannot be, or no room. */
struct market_symbol *market_add(struct market *market, struct weir_bytes name);
/* By the host's number; NULL: none. */
struct market_symbol *market_numbered(const struct market *market, uint32_t number);
/* Names between commas or spaces, as the setting `symbols` has them: these alone are wanted. */
enum weir_err market_want(struct market *market, const char *names);

/* What a venue says of a symbol; texts as sent, "" where it says nothing. */
struct market_rules {
    struct weir_bytes base, quote, tick, step, min_notional, contract; /* contract: its size */
    uint8_t kind;
    bool halted;
};
/* Take rules in; a symbol that the host knows is told again where they changed. */
void market_rule(struct market *market, struct market_symbol *symbol,
                 const struct market_rules *rules);
/* The host knows the symbol afterwards. Without rules its places are those of `sample`, a text with
 * prices and sizes of it. */
void market_tell(struct market *market, struct market_symbol *symbol, struct weir_bytes sample);

static inline bool market_wants(const struct market *market, const struct market_symbol *symbol)
{
    return !market->only_wanted || symbol->wanted;
}

/* --- a frame ----------------------------------------------------------------------------------- */

/* Begin with an empty outbox that has room for all that such a frame can hold. */
enum weir_err market_begin(struct market *market, struct weir_bytes frame);
/* Tell the host all that is in the outbox. */
void market_flush(struct market *market);

/* The frame's number on its connection. */
void market_sequence(struct market *market, uint64_t seq);
/* The symbol of that name, known to the host. NULL with *err OK: nobody asked for it. */
struct market_symbol *market_symbol_of(struct market *market, struct weir_bytes name,
                                       struct weir_bytes sample, enum weir_err *err);

/* The symbol's name stands at the scan once more: another one fails it. */
void market_same_name(const struct market_symbol *symbol, struct scan *scan);

/* A book message: begin it, add levels of both sides in any order, end it. */
void market_book(struct market *market, const struct market_symbol *symbol);
/* [[price, size, ...], ...]. note: the texts go into a checksum. */
void market_levels(struct market *market, struct market_symbol *symbol, struct scan *scan,
                   enum weir_side side, bool note);
void market_level(struct market *market, enum weir_side side, struct weir_level level);
/* head: all but size, kind, instrument and the numbers of levels. */
void market_book_end(struct market *market, const struct market_symbol *symbol,
                     const struct weir_book_msg *head);
/* All but size, kind and instrument. */
void market_trade(struct market *market, const struct market_symbol *symbol,
                  const struct weir_trade *trade);
/* All but size, kind and instrument. */
void market_order(struct market *market, const struct market_symbol *symbol,
                  const struct weir_l3 *order);
/* Sides without size are empty; a crossed one is left out. */
void market_top(struct market *market, const struct market_symbol *symbol,
                const struct weir_top *top);
/* kind: WEIR_MARK or WEIR_INDEX. 0 is not told. */
void market_mark(struct market *market, const struct market_symbol *symbol, uint16_t kind,
                 weir_px px, weir_ns t);
/* A funding rate; what cannot be said in 10^-12 is cut off. */
int64_t market_rate_of(struct weir_bytes text);
void market_funding(struct market *market, const struct market_symbol *symbol, int64_t rate,
                    weir_ns t_next, weir_ns t);
/* The number at the scan as such a price; 0: it is none, or finer than the symbol's prices. */
weir_px market_mark_px(struct scan *scan, const struct market_symbol *symbol);

/* --- texts ------------------------------------------------------------------------------------- */

/* A number in quotes or not, also with an exponent (1e-7), as a count of 10^-exp. */
int64_t market_number(struct scan *scan, int exp);
/* The same, or 0 for null and for an empty text. */
int64_t market_number_or_none(struct scan *scan, int exp);
/* A price or size, and how it is written: as soon as one ends in a zero behind its point, all are
 * taken to have that many places. */
int64_t market_noted(struct scan *scan, int exp, uint8_t *places);
/* The inside of a string, or the text of a number or word. */
struct weir_bytes market_word(struct scan *scan);
/* A whole number in quotes or not; more than 18 digits are allowed. */
uint64_t market_id(struct scan *scan);
/* The same out of a text. False: it is none. */
bool market_id_of(struct weir_bytes text, uint64_t *id_out);
/* A UUID in its usual form as 128 bits. */
bool market_uuid(struct weir_bytes text, uint64_t *high_out, uint64_t *low_out);
/* 2021-04-17T16:43:37.075687Z as ns; 0: it is none. */
weir_ns market_time(struct weir_bytes text);
weir_ns market_ms(uint64_t ms); /* 0: too large */
weir_ns market_us(uint64_t us);
/* The time that stands at the scan: a text, or milliseconds in quotes or not. */
weir_ns market_time_at(struct scan *scan);
weir_ns market_ms_at(struct scan *scan);
/* The same, or 0 for null and for an empty text. */
weir_ns market_ms_or_none(struct scan *scan);
/* Decimal places that the text needs; -1: it is no number. */
int market_places(struct weir_bytes text);

/* For probes: set a text, cut where it is too long. */
void market_set(char *to, size_t room, struct weir_bytes from);
static inline struct weir_bytes market_text(const char *text)
{
    return (struct weir_bytes){text, strlen(text)};
}
static inline bool market_begins(struct weir_bytes text, const char *with)
{
    size_t len = strlen(with);
    return text.len >= len && memcmp(text.data, with, len) == 0;
}
/* Behind the first place where word stands; empty with NULL: nowhere. */
struct weir_bytes market_after(struct weir_bytes text, const char *word);

#endif
