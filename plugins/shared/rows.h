/* rows.h - rows that venues write alike but for the names of their members: trades, best prices, marks
 * and funding, and the rules of instruments.
 *
 * A venue says what its members are called. The readers of data frames are inline and the names are
 * constants, so the compiler makes of them what one would have written by hand for that venue; rules
 * are read rarely, by a table. A reader leaves its error in the scan.                [one thread] */
#ifndef SHARED_ROWS_H
#define SHARED_ROWS_H

#include "shared/venue.h"

#define ROWS_INLINE static inline __attribute__((always_inline))

/* NULL is no member's name. */
ROWS_INLINE bool rows_is(struct weir_bytes key, const char *name)
{
    return name && scan_is(key, name);
}

/* --- trades ------------------------------------------------------------------------------------ */

struct trade_words {
    const char *px, *qty, *side, *id, *time; /* members; NULL: it has none */
    const char *buy, *sell;                  /* words of `side`, of the taker */
    int64_t (*number)(struct scan *scan, int exp);
    weir_ns (*time_at)(struct scan *scan);
    /* The id, where it is more than a number. NULL: market_id. */
    void (*set_id)(struct weir_trade *trade, struct weir_bytes text);
    /* Another member: take its value or skip it. NULL: all are skipped. */
    void (*other)(struct weir_trade *trade, struct scan *scan, struct weir_bytes key);
    uint16_t flags; /* of the trade: WEIR_TRADE_ID_TEXT or none */
};

ROWS_INLINE void rows_trade_member(const struct market_symbol *symbol, struct scan *scan,
                                   const struct trade_words *words, struct weir_bytes key,
                                   struct weir_trade *trade, struct weir_bytes *side)
{
    if (rows_is(key, words->px))
        trade->px = words->number(scan, symbol->px_exp);
    else if (rows_is(key, words->qty))
        trade->qty = words->number(scan, symbol->qty_exp);
    else if (rows_is(key, words->side))
        *side = market_word(scan);
    else if (rows_is(key, words->id) && words->set_id)
        words->set_id(trade, market_word(scan));
    else if (rows_is(key, words->id))
        trade->id = market_id(scan);
    else if (rows_is(key, words->time))
        trade->msg.t_venue = words->time_at(scan);
    else if (words->other)
        words->other(trade, scan, key);
    else
        scan_skip(scan);
}

/* One object with a price, a size and a side; anything else fails the scan. */
ROWS_INLINE struct weir_trade rows_trade(const struct market_symbol *symbol, struct scan *scan,
                                         const struct trade_words *words)
{
    struct weir_trade trade = {.msg.flags = words->flags};
    struct weir_bytes key, side = {scan->at, 0};
    int first = 1;
    scan_expect(scan, '{');
    while (scan_key(scan, &first, &key))
        rows_trade_member(symbol, scan, words, key, &trade, &side);
    bool sold = scan_is(side, words->sell);
    if (scan_ok(scan) && (trade.px <= 0 || trade.qty <= 0 || (!sold && !scan_is(side, words->buy))))
        scan_fail(scan, WEIR_E_BAD_FRAME);
    trade.aggressor = sold ? WEIR_SELL : WEIR_BUY;
    return trade;
}

/* A list of them, into the outbox. */
ROWS_INLINE enum weir_err rows_trades(struct market *market, const struct market_symbol *symbol,
                                      struct scan scan, const struct trade_words *words)
{
    int first = 1;
    scan_expect(&scan, '[');
    while (scan_item(&scan, &first)) {
        struct weir_trade trade = rows_trade(symbol, &scan, words);
        market_trade(market, symbol, &trade);
    }
    return scan.err;
}

/* --- best prices ------------------------------------------------------------------------------- */

struct top_words {
    const char *bid, *bid_qty, *ask, *ask_qty, *time; /* NULL: it has none */
    int64_t (*number)(struct scan *scan, int exp);
    weir_ns (*time_at)(struct scan *scan);
    /* Another member: take its value or skip it. NULL: all are skipped. */
    void (*other)(const struct market_symbol *symbol, struct scan *scan, struct weir_bytes key,
                  void *found);
};

/* One object. found: the venue's own, for other(). */
ROWS_INLINE struct weir_top rows_top(const struct market_symbol *symbol, struct scan *scan,
                                     const struct top_words *words, void *found)
{
    struct weir_top top = {0};
    struct weir_bytes key;
    int first = 1;
    scan_expect(scan, '{');
    while (scan_key(scan, &first, &key)) {
        if (rows_is(key, words->bid))
            top.bid = words->number(scan, symbol->px_exp);
        else if (rows_is(key, words->bid_qty))
            top.bid_qty = words->number(scan, symbol->qty_exp);
        else if (rows_is(key, words->ask))
            top.ask = words->number(scan, symbol->px_exp);
        else if (rows_is(key, words->ask_qty))
            top.ask_qty = words->number(scan, symbol->qty_exp);
        else if (rows_is(key, words->time))
            top.msg.t_venue = words->time_at(scan);
        else if (words->other)
            words->other(symbol, scan, key, found);
        else
            scan_skip(scan);
    }
    return top;
}

/* --- marks, indexes and funding ---------------------------------------------------------------- */

struct mark_words {
    const char *mark, *index, *rate, *next; /* NULL: it has none */
    weir_ns (*next_at)(struct scan *scan);  /* of the next payment */
};

/* What one message said; 0: nothing. */
struct marks {
    weir_px mark, index;
    int64_t rate;
    weir_ns next, t;
    bool has_rate;
};

/* True: the member was one of these, and its value is taken. */
ROWS_INLINE bool rows_mark(const struct market_symbol *symbol, struct scan *scan,
                           const struct mark_words *words, struct weir_bytes key,
                           struct marks *marks)
{
    if (rows_is(key, words->mark)) {
        marks->mark = market_mark_px(scan, symbol);
    } else if (rows_is(key, words->index)) {
        marks->index = market_mark_px(scan, symbol);
    } else if (rows_is(key, words->rate)) {
        struct weir_bytes text = market_word(scan);
        marks->has_rate = text.len > 0 && !scan_is(text, "null");
        marks->rate = marks->has_rate ? market_rate_of(text) : 0;
    } else if (rows_is(key, words->next)) {
        marks->next = words->next_at(scan);
    } else {
        return false;
    }
    return true;
}

/* Into the outbox: each that was said. */
void rows_tell_marks(struct market *market, const struct market_symbol *symbol,
                     const struct marks *marks);

/* --- rules of instruments ---------------------------------------------------------------------- */

/* Where the text of a member goes; a text that is not there stays as it was. */
struct rows_word {
    const char *name;
    struct weir_bytes *to;
};

/* The members of an object, by a table. A member that is a list or an object is given as its text. */
void rows_words(struct scan *scan, const struct rows_word *words, size_t count);
/* Each row below the member `name` of an object: of a list its elements, else the value itself. */
void rows_below(struct venue *venue, struct scan *scan, const char *name,
                void (*read)(struct venue *venue, struct scan *scan));
/* The same of a whole answer. */
enum weir_err rows_answer(struct venue *venue, struct weir_bytes body, const char *name,
                          void (*read)(struct venue *venue, struct scan *scan));
/* Each value of an object, whatever its name; or of a list. */
void rows_each(struct venue *venue, struct scan *scan,
               void (*read)(struct venue *venue, struct scan *scan));

/* The symbol of that name, found or added, unless the row could not be read. */
static inline struct market_symbol *rows_symbol(struct venue *venue, const struct scan *scan,
                                                struct weir_bytes name)
{
    return scan_ok(scan) ? market_add(&venue->market, name) : NULL;
}

/* Some status is given, and it is not the one in which one may trade. */
static inline bool rows_halted(struct weir_bytes status, const char *trading)
{
    return status.len > 0 && !scan_is(status, trading);
}

/* 10^-places as a text in `to`; "" where the text is no number of places up to 18. */
struct weir_bytes rows_unit(struct weir_bytes places, char to[24]);

/* --- probes ------------------------------------------------------------------------------------ */

/* What a message of a recording is; texts may be empty. */
enum weir_err rows_probed(struct weir_probe *out, const char *market, struct weir_bytes type,
                          struct weir_bytes symbol);
/* Of "head.more.symbol": head. */
struct weir_bytes rows_head(struct weir_bytes channel);
/* The first `most` bytes. */
static inline struct weir_bytes rows_begin(struct weir_bytes bytes, size_t most)
{
    return (struct weir_bytes){bytes.data, bytes.len < most ? bytes.len : most};
}

#endif
