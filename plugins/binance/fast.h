/* fast.h - tokens of the venue's own spelling, many bytes at a time.
 *
 * Each function takes the place where a value begins, never looks at or behind `end`, and gives the
 * place behind the value, or NULL: "not in the form I know", and then the general scan decides. So
 * nothing here has to be complete; it has to be right where it answers.
 *
 * What bounds the speed is not arithmetic but that the next token is found only when the end of this
 * one is. So ends are looked for 16 bytes at a time, apart from the digits, which are worked out while
 * the next token is looked for. [any thread] */
#ifndef BINANCE_FAST_H
#define BINANCE_FAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "digits are read from the low end");

enum { REACH = 32 }; /* bytes that a token may be looked at */

static inline uint64_t load8(const char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

static inline uint32_t load4(const char *p)
{
    uint32_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

/* A bit for each of 16 bytes: is it c? */
static inline uint32_t find16(const char *p, char c)
{
#ifdef __SSE2__
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)));
#else
    uint32_t bits = 0;
    for (int i = 0; i < 16; i++)
        bits |= (uint32_t)(p[i] == c) << i;
    return bits;
#endif
}

/* A bit for each of 16 bytes: is it no digit? */
static inline uint32_t find_other16(const char *p)
{
#ifdef __SSE2__
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i values = _mm_xor_si128(bytes, _mm_set1_epi8('0'));
    __m128i digits = _mm_cmpeq_epi8(_mm_min_epu8(values, _mm_set1_epi8(9)), values);
    return (uint32_t)_mm_movemask_epi8(digits) ^ 0xffff;
#else
    uint32_t bits = 0;
    for (int i = 0; i < 16; i++)
        bits |= (uint32_t)((unsigned char)(p[i] ^ '0') > 9) << i;
    return bits;
#endif
}

/* --- digits, given how many -------------------------------------------------------------------- */

/* Eight values 0..9, one a byte, first in the lowest, as a number. */
static inline uint64_t number8(uint64_t digits)
{
    digits = (digits * 2561) >> 8;
    digits = ((digits & 0x00ff00ff00ff00ffu) * 6553601) >> 16;
    return ((digits & 0x0000ffff0000ffffu) * 42949672960001u) >> 32;
}

/* Not zero: one of eight bytes is no value 0..9. */
static inline uint64_t not_values(uint64_t digits)
{
    return ((digits + 0x7676767676767676u) | digits) & 0x8080808080808080u;
}

#define ZEROS 0x3030303030303030u

/* `count` digits at p, 1 to 8, with zeros in front; *bad gets a bit if one is none. */
static inline uint64_t front_digits(const char *p, unsigned count, uint64_t *bad)
{
    uint64_t digits = (load8(p) ^ ZEROS) << (64 - 8 * count);
    *bad |= not_values(digits);
    return number8(digits);
}

/* `count` digits at p, 1 to 8, with zeros behind: as many as eight digits in all. */
static inline uint64_t back_digits(const char *p, unsigned count, uint64_t *bad)
{
    uint64_t digits = (load8(p) ^ ZEROS) & ~(uint64_t)0 >> (64 - 8 * count);
    *bad |= not_values(digits);
    return number8(digits);
}

/* What stands at p, `whole` digits, a point, `part` digits, as a count of 1e-8. whole 1..8, part
 * 0..8; part 0: there is no point. */
static inline int64_t decimal_of(const char *p, unsigned whole, unsigned part, uint64_t *bad)
{
    static const uint32_t scale[9] = {100000000, 10000000, 1000000, 100000, 10000,
                                      1000,      100,      10,      1};
    if (whole + part > 8 || part == 0) {
        int64_t value = (int64_t)front_digits(p, whole, bad) * 100000000;
        return part == 0 ? value : value + (int64_t)back_digits(p + whole + 1, part, bad);
    }
    /* few digits: pull them together over the point, and work them out once */
    uint64_t before = ~(uint64_t)0 >> (64 - 8 * whole);
    uint64_t digits = ((load8(p) & before) | (load8(p + 1) & ~before)) ^ ZEROS;
    digits <<= 64 - 8 * (whole + part);
    *bad |= not_values(digits);
    return (int64_t)(number8(digits) * scale[part]);
}

/* --- tokens ------------------------------------------------------------------------------------ */

/* Near the end of the frame: a copy with zeros behind it. */
static inline const char *token_copy(const char *p, const char *end, char copy[2 * REACH])
{
    size_t left = (size_t)(end - p);
    memset(copy, 0, 2 * REACH);
    memcpy(copy, p, left < REACH ? left : REACH);
    return copy;
}

/* The inside of a quoted decimal; 32 bytes can be read. */
static inline const char *decimal_in(const char *p, int64_t *value_out)
{
    uint64_t bad = 0;
    uint32_t quotes = find16(p, '"'), points = find16(p, '.');
    if (quotes == 0)
        return NULL;
    unsigned len = (unsigned)__builtin_ctz(quotes), whole = len, part = 0;
    points &= quotes - 1;
    if (points != 0) {
        whole = (unsigned)__builtin_ctz(points);
        part = len - whole - 1;
        if (part == 0)
            return NULL;
    }
    if (whole - 1 > 7 || part > 8)
        return NULL;
    *value_out = decimal_of(p, whole, part, &bad);
    return bad ? NULL : p + len + 1;
}

/* 1 to 15 digits; 32 bytes can be read. */
static inline const char *int_in(const char *p, uint64_t *value_out)
{
    static const uint32_t pow10[9] = {1,      10,      100,      1000,     10000,
                                      100000, 1000000, 10000000, 100000000};
    uint64_t bad = 0;
    uint32_t others = find_other16(p);
    if (others == 0 || others & 1)
        return NULL;
    unsigned len = (unsigned)__builtin_ctz(others);
    if (len <= 8)
        *value_out = front_digits(p, len, &bad);
    else
        *value_out = front_digits(p, 8, &bad) * pow10[len - 8] + front_digits(p + 8, len - 8, &bad);
    return p + len;
}

/* The inside of a decimal in quotes, the closing one included. */
static inline const char *fast_decimal(const char *p, const char *end, int64_t *value_out)
{
    if (end - p >= REACH)
        return decimal_in(p, value_out);
    char copy[2 * REACH];
    const char *from = token_copy(p, end, copy), *to = decimal_in(from, value_out);
    return to ? p + (to - from) : NULL;
}

static inline const char *fast_int(const char *p, const char *end, uint64_t *value_out)
{
    if (end - p >= REACH)
        return int_in(p, value_out);
    char copy[2 * REACH];
    const char *from = token_copy(p, end, copy), *to = int_in(from, value_out);
    return to ? p + (to - from) : NULL;
}

/* The inside of a plain string: p is behind its opening quote, the result behind its closing one. */
static inline const char *fast_string(const char *p, const char *end)
{
    while (end - p >= 16) {
        uint32_t quotes = find16(p, '"'), escapes = find16(p, '\\');
        if (quotes | escapes) {
            unsigned at = (unsigned)__builtin_ctz(quotes | escapes);
            return quotes >> at & 1 ? p + at + 1 : NULL;
        }
        p += 16;
    }
    while (p < end && *p != '"' && *p != '\\')
        p++;
    return p < end && *p == '"' ? p + 1 : NULL;
}

/* A decimal of `len` characters at p, the bits of whose points are in `points`. */
static inline int64_t decimal_at(const char *p, unsigned len, uint32_t points, uint64_t *bad)
{
    unsigned whole = points != 0 ? (unsigned)__builtin_ctz(points) : len;
    unsigned part = points != 0 ? len - whole - 1 : 0;
    if (whole - 1 > 7 || part > 8 || (part == 0 && points != 0)) {
        *bad = 1;
        return 0;
    }
    return decimal_of(p, whole, part, bad);
}

/* One level, ["61737.63000000","0.00000000"] and the byte behind it; 80 bytes can be read. Nearly all
 * fit into 32 bytes: then all quotes are found at once, and with them the next level. */
static inline const char *level_in(const char *p, int64_t *px_out, int64_t *qty_out)
{
    uint64_t bad = 0;
    const char *in = p + 2;
    uint32_t quotes = find16(in, '"') | find16(in + 16, '"') << 16;
    uint32_t second = quotes & (quotes - 1), third = second & (second - 1);
    if ((load4(p) & 0xffff) != 0x225b) /* [" */
        return NULL;
    if (__builtin_expect(third != 0, 1)) {
        unsigned px_end = (unsigned)__builtin_ctz(quotes), qty_end = (unsigned)__builtin_ctz(third);
        unsigned qty = px_end + 3;
        uint32_t points = find16(in, '.') | find16(in + 16, '.') << 16;
        if ((load4(in + px_end) & 0xffffff) != 0x222c22 || in[qty_end + 1] != ']') /* "," */
            return NULL;
        *px_out = decimal_at(in, px_end, points & (quotes - 1) & ~quotes, &bad);
        *qty_out = decimal_at(in + qty, qty_end - qty,
                              (uint32_t)((uint64_t)(points & (third - 1)) >> qty), &bad);
        return bad ? NULL : in + qty_end + 3;
    }
    if ((load4(p) & 0xffff) != 0x225b) /* [" */
        return NULL;
    p = decimal_in(p + 2, px_out);
    if (!p || (load4(p) & 0xffff) != 0x222c) /* ," */
        return NULL;
    p = decimal_in(p + 2, qty_out);
    return p && *p == ']' ? p + 2 : NULL;
}

#endif
