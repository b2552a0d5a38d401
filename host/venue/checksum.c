/* checksum.c - see the header. CRC-32 is that of ISO 3309, as in zlib. The rules: OKX API v5, "Checksum"
 * of the order book channel (2022); Kraken "Spot WebSockets v1 book checksum" (2021) and "Book
 * checksum v2" (2024). */
#include "venue/checksum.h"

#include <string.h>

#include "base/decimal.h"

enum { PAIRS = 25, DIGITS = 10, TEXT_ROOM = 4 * PAIRS * (DECIMAL_TEXT_MAX + 1) };

bool checksum_places(uint8_t places)
{
    return places <= 18 || places == WEIR_PLACES_FEWEST;
}

/* --- CRC-32, eight bytes at a time (M. Kounavis, F. Berry: slicing-by-8, 2005) ------------------ */

static uint32_t crc_tables[8][256];

/* Before main, so that no thread finds them half made. */
__attribute__((constructor)) static void make_crc_tables(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
        crc_tables[0][i] = crc;
    }
    for (int table = 1; table < 8; table++)
        for (int i = 0; i < 256; i++) {
            uint32_t crc = crc_tables[table - 1][i];
            crc_tables[table][i] = crc >> 8 ^ crc_tables[0][crc & 0xff];
        }
}

static uint32_t crc_of(const char *bytes, size_t len)
{
    const uint32_t(*t)[256] = (const uint32_t(*)[256])crc_tables;
    const unsigned char *at = (const unsigned char *)bytes;
    uint32_t crc = UINT32_MAX;
    for (; len >= 8; len -= 8, at += 8) {
        uint32_t low, high;
        memcpy(&low, at, 4); /* little-endian, as all that weir runs on */
        memcpy(&high, at + 4, 4);
        low ^= crc;
        crc = t[7][low & 0xff] ^ t[6][low >> 8 & 0xff] ^ t[5][low >> 16 & 0xff] ^ t[4][low >> 24] ^
              t[3][high & 0xff] ^ t[2][high >> 8 & 0xff] ^ t[1][high >> 16 & 0xff] ^
              t[0][high >> 24];
    }
    for (; len > 0; len--)
        crc = crc >> 8 ^ t[0][(crc ^ *at++) & 0xff];
    return ~crc;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "bytes are taken from the low end");

/* --- numbers as texts, many of them ------------------------------------------------------------ */

/* The digits of a number, two at a time from its end. */
static size_t put_digits(uint64_t value, char *to)
{
    static const char pairs[] =
        "00010203040506070809101112131415161718192021222324252627282930313233"
        "34353637383940414243444546474849505152535455565758596061626364656667"
        "6869707172737475767778798081828384858687888990919293949596979899";
    char room[20], *at = room + sizeof room;
    for (; value >= 100; value /= 100) {
        at -= 2;
        memcpy(at, pairs + 2 * (value % 100), 2);
    }
    if (value >= 10) {
        at -= 2;
        memcpy(at, pairs + 2 * value, 2);
    } else {
        *--at = (char)('0' + value);
    }
    size_t len = (size_t)(room + sizeof room - at);
    memcpy(to, at, len);
    return len;
}

/* A count of 10^-exp in fewer places: as few as it needs, or so many, as far as it needs no more. */
struct shortened {
    uint64_t value;
    int places;
    int zeros; /* to be put behind it, for places that the count does not have */
};

static struct shortened shorten(int64_t value, int exp, uint8_t places)
{
    static const int steps[] = {8, 8, 4, 2, 1}; /* any number of zeros up to 23, half at a time */
    struct shortened s = {(uint64_t)value, exp, 0};
    int wanted = places == WEIR_PLACES_FEWEST ? 0 : places;
    if (wanted < exp && s.value % (uint64_t)decimal_pow10[exp - wanted] == 0) {
        s.value /= (uint64_t)decimal_pow10[exp - wanted];
        s.places = wanted;
    }
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && s.places > wanted; i++)
        if (s.places - steps[i] >= wanted && s.value % (uint64_t)decimal_pow10[steps[i]] == 0) {
            s.value /= (uint64_t)decimal_pow10[steps[i]];
            s.places -= steps[i];
        }
    s.zeros = wanted > exp ? wanted - exp : 0;
    return s;
}

static size_t put_zeros(int count, char *to)
{
    if (count > 0)
        memset(to, '0', (size_t)count);
    return (size_t)(count > 0 ? count : 0);
}

/* With its point. */
static size_t print(int64_t value, int exp, uint8_t places, char *to)
{
    struct shortened s = shorten(value, exp, places);
    uint64_t unit = (uint64_t)decimal_pow10[s.places];
    size_t len = put_digits(s.value / unit, to);
    if (s.places + s.zeros == 0)
        return len;
    to[len++] = '.';
    if (s.places > 0) { /* one more digit in front keeps the zeros there; the point goes over it */
        len += put_digits(unit + s.value % unit, to + len - 1) - 1;
        to[len - 1 - (size_t)s.places] = '.';
    }
    return len + put_zeros(s.zeros, to + len);
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
    struct shortened s = shorten(value, exp, places);
    if (s.value == 0)
        return 0;
    size_t len = put_digits(s.value, to);
    return len + put_zeros(s.zeros, to + len);
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
    return crc_of(text, len);
}
