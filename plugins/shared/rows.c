/* rows.c - see the header. */
#include "shared/rows.h"

#include <stdio.h>

void rows_tell_marks(struct market *market, const struct market_symbol *symbol,
                     const struct marks *marks)
{
    market_mark(market, symbol, WEIR_MARK, marks->mark, marks->t);
    market_mark(market, symbol, WEIR_INDEX, marks->index, marks->t);
    if (marks->has_rate)
        market_funding(market, symbol, marks->rate, marks->next, marks->t);
}

void rows_words(struct scan *scan, const struct rows_word *words, size_t count)
{
    struct weir_bytes key;
    int first = 1;
    scan_expect(scan, '{');
    while (scan_key(scan, &first, &key)) {
        struct weir_bytes value = market_word(scan);
        for (size_t i = 0; i < count; i++)
            if (scan_is(key, words[i].name))
                *words[i].to = value;
    }
}

void rows_each(struct venue *venue, struct scan *scan,
               void (*read)(struct venue *venue, struct scan *scan))
{
    struct weir_bytes key;
    int first = 1;
    if (scan_try(scan, '[')) {
        while (scan_item(scan, &first))
            read(venue, scan);
        return;
    }
    scan_expect(scan, '{');
    while (scan_key(scan, &first, &key))
        read(venue, scan);
}

void rows_below(struct venue *venue, struct scan *scan, const char *name,
                void (*read)(struct venue *venue, struct scan *scan))
{
    struct weir_bytes key;
    int first = 1;
    scan_expect(scan, '{');
    while (scan_key(scan, &first, &key)) {
        if (!scan_is(key, name))
            scan_skip(scan);
        else if (scan_peek(scan) == '[')
            rows_each(venue, scan, read);
        else
            read(venue, scan);
    }
}

enum weir_err rows_answer(struct venue *venue, struct weir_bytes body, const char *name,
                          void (*read)(struct venue *venue, struct scan *scan))
{
    struct scan scan = scan_of(body);
    rows_below(venue, &scan, name, read);
    return scan_done(&scan) ? WEIR_OK : WEIR_E_BAD_FRAME;
}

struct weir_bytes rows_unit(struct weir_bytes places, char to[24])
{
    uint64_t n = 99;
    int len = !market_id_of(places, &n) || n > 18 ? 0
              : n == 0                            ? snprintf(to, 24, "1")
                                                  : snprintf(to, 24, "0.%0*d", (int)n, 1);
    return (struct weir_bytes){to, len > 0 ? (size_t)len : 0};
}

enum weir_err rows_probed(struct weir_probe *out, const char *market, struct weir_bytes type,
                          struct weir_bytes symbol)
{
    market_set(out->market, sizeof out->market, market_text(market));
    market_set(out->type, sizeof out->type, type);
    market_set(out->symbol, sizeof out->symbol, symbol);
    return WEIR_OK;
}

struct weir_bytes rows_head(struct weir_bytes channel)
{
    const char *point = channel.len > 0 ? memchr(channel.data, '.', channel.len) : NULL;
    return (struct weir_bytes){channel.data, point ? (size_t)(point - channel.data) : channel.len};
}
