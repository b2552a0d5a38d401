/* fast.h - numbers out of the venue's own spelling, eight digits at a time.
 *
 * Each function takes the place where a value begins, never looks at or behind `end`, and gives the
 * place behind the value, or NULL: "not in the form I know", and then the general scan decides. So
 * nothing here has to be complete; it has to be right where it answers. [any thread] */
#ifndef BINANCE_FAST_H
#define BINANCE_FAST_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

/* Digits as numbers 0..9, one a byte, first digit in the lowest byte; *count: how many of them
 * come before the first byte that is none. */
static inline uint64_t digits8(const char *p, unsigned *count)
{
    uint64_t digits = load8(p) ^ 0x3030303030303030u;
    uint64_t other = ((digits + 0x7676767676767676u) | digits) & 0x8080808080808080u;
    *count = other ? (unsigned)__builtin_ctzll(other) >> 3 : 8;
    return digits;
}

/* Eight digits, one a byte, first in the lowest, as a number. */
static inline uint64_t number8(uint64_t digits)
{
    digits = (digits * 2561) >> 8;
    digits = ((digits & 0x00ff00ff00ff00ffu) * 6553601) >> 16;
    return ((digits & 0x0000ffff0000ffffu) * 42949672960001u) >> 32;
}

enum { FAST_REACH = 18 }; /* bytes that a number may be looked at */

/* 1 to 8 digits, a point, 1 to 8 digits, a closing quote: a count of 1e-8. Or no point. */
static inline const char *fast_decimal_in(const char *p, int64_t *value_out)
{
    unsigned count;
    uint64_t digits = digits8(p, &count);
    if (count == 0)
        return NULL;
    int64_t value = (int64_t)number8(digits << (64 - 8 * count)) * 100000000;
    p += count;
    if (*p == '.') {
        digits = digits8(p + 1, &count);
        if (count == 0)
            return NULL;
        value += (int64_t)number8(digits & (~(uint64_t)0 >> (64 - 8 * count)));
        p += count + 1;
    }
    *value_out = value;
    return *p == '"' ? p + 1 : NULL;
}

/* 1 to 15 digits, and something behind them. */
static inline const char *fast_int_in(const char *p, uint64_t *value_out)
{
    static const uint32_t pow10[9] = {1,      10,      100,      1000,     10000,
                                      100000, 1000000, 10000000, 100000000};
    unsigned count;
    uint64_t digits = digits8(p, &count);
    if (count == 0)
        return NULL;
    uint64_t value = number8(digits << (64 - 8 * count));
    p += count;
    if (count == 8) {
        digits = digits8(p, &count);
        if (count == 8)
            return NULL;
        if (count > 0)
            value = value * pow10[count] + number8(digits << (64 - 8 * count));
        p += count;
    }
    *value_out = value;
    return p;
}

/* Near the end of the frame: on a copy with zeros behind it. */
static inline const char *fast_copy(const char *p, const char *end, char copy[32])
{
    size_t left = (size_t)(end - p);
    memset(copy, 0, 32);
    memcpy(copy, p, left < FAST_REACH ? left : FAST_REACH);
    return copy;
}

static inline const char *fast_decimal(const char *p, const char *end, int64_t *value_out)
{
    if (end - p >= FAST_REACH)
        return fast_decimal_in(p, value_out);
    char copy[32];
    const char *from = fast_copy(p, end, copy), *to = fast_decimal_in(from, value_out);
    return to ? p + (to - from) : NULL;
}

static inline const char *fast_int(const char *p, const char *end, uint64_t *value_out)
{
    if (end - p >= FAST_REACH)
        return fast_int_in(p, value_out);
    char copy[32];
    const char *from = fast_copy(p, end, copy), *to = fast_int_in(from, value_out);
    return to ? p + (to - from) : NULL;
}

#endif
