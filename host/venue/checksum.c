/* checksum.c - see the header. CRC-32 is that of zlib (ISO 3309). The rules: OKX API v5, "Checksum"
 * of the order book channel (2022); Kraken "Spot WebSockets v1 book checksum" (2021) and "Book
 * checksum v2" (2024). */
#include "venue/checksum.h"

#include <zlib.h>

#include "base/decimal.h"
#include <string.h>

enum { PAIRS = 25, DIGITS = 10, TEXT_ROOM = 4 * PAIRS * (DECIMAL_TEXT_MAX + 1) };

bool checksum_places(uint8_t places)
{
    return places <= 18 || places == WEIR_PLACES_FEWEST;
}

/* The number with so many places, as far as it needs no more. */
static size_t print(int64_t value, int exp, uint8_t places, char *to)
{
    size_t len = decimal_print(value, exp, to);
    if (places == WEIR_PLACES_FEWEST || places == 0)
        return len;
    const char *point = memchr(to, '.', len);
    size_t have = point ? (size_t)(to + len - point - 1) : 0;
    if (!point)
        to[len++] = '.';
    for (; have < places; have++)
        to[len++] = '0';
    return len;
}

struct walk {
    const struct book *book;
    enum weir_side side;
    struct weir_level level;
    bool more;
};

static struct walk walk_of(const struct book *book, enum weir_side side)
{
    struct walk walk = {.book = book, .side = side};
    walk.more = book_best(book, side, &walk.level);
    return walk;
}

static void step(struct walk *walk)
{
    walk->more = book_next(walk->book, walk->side, walk->level.px, &walk->level);
}

static size_t print_pairs(const struct book *book, const struct checksum_exps *exps,
                          const struct weir_book_msg *msg, char *to)
{
    struct walk sides[2] = {walk_of(book, WEIR_BUY), walk_of(book, WEIR_SELL)};
    size_t len = 0;
    for (int i = 0; i < PAIRS; i++)
        for (int side = 0; side < 2; side++) {
            if (!sides[side].more)
                continue;
            len += print(sides[side].level.px, exps->px, msg->px_places, to + len);
            to[len++] = ':';
            len += print(sides[side].level.qty, exps->qty, msg->qty_places, to + len);
            to[len++] = ':';
            step(&sides[side]);
        }
    return len > 0 ? len - 1 : 0;
}

/* Without the point and without zeros in front. */
static size_t print_digits(int64_t value, int exp, uint8_t places, char *to)
{
    char text[DECIMAL_TEXT_MAX + 20];
    size_t len = print(value, exp, places, text), kept = 0;
    for (size_t i = 0; i < len; i++)
        if (text[i] != '.' && (kept > 0 || text[i] != '0'))
            to[kept++] = text[i];
    return kept;
}

static size_t print_all_digits(const struct book *book, const struct checksum_exps *exps,
                               const struct weir_book_msg *msg, char *to)
{
    size_t len = 0;
    for (int side = WEIR_SELL; side >= WEIR_BUY; side--) {
        struct walk walk = walk_of(book, (enum weir_side)side);
        for (int i = 0; i < DIGITS && walk.more; i++, step(&walk)) {
            len += print_digits(walk.level.px, exps->px, msg->px_places, to + len);
            len += print_digits(walk.level.qty, exps->qty, msg->qty_places, to + len);
        }
    }
    return len;
}

uint32_t checksum_of(const struct book *book, const struct checksum_exps *exps,
                     const struct weir_book_msg *msg)
{
    char text[TEXT_ROOM];
    size_t len = msg->check == WEIR_CHECK_PAIRS ? print_pairs(book, exps, msg, text)
                                                : print_all_digits(book, exps, msg, text);
    return (uint32_t)crc32_z(0, (const unsigned char *)text, len);
}
