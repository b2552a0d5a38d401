/* decimal.h - exact decimals: int64 counts of 10^-exp, and 128-bit amounts of 10^-18.
 *
 * Nothing here knows binary floating point. What does not fit is refused, never wrapped; what would
 * be rounded is refused, except where a function's name says `round`. No function here makes
 * INT64_MIN or -2^127, so its results can be negated; what came from outside (amount_of) is negated
 * by amount_sub. [any thread]
 *
 * amount   money: a 128-bit count of 10^-18, up to about 1.7e20 units of an asset.
 * exp      decimal places, 0..18. */
#ifndef WEIR_BASE_DECIMAL_H
#define WEIR_BASE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "weir/error.h"
#include "weir/event.h"

typedef __int128 amount;

enum { AMOUNT_EXP = 18, DECIMAL_TEXT_MAX = 48 };
#define AMOUNT_MAX ((amount)(((unsigned __int128)1 << 127) - 1))

extern const int64_t decimal_pow10[19];

/* 10^n, n in 0..18. */
static inline int64_t pow10_of(int n)
{
    must(n >= 0 && n <= 18);
    return decimal_pow10[n];
}

static inline amount amount_of(struct weir_amount a)
{
    return (amount)(((unsigned __int128)(uint64_t)a.hi << 64) | a.lo);
}

static inline struct weir_amount amount_pack(amount a)
{
    return (struct weir_amount){(uint64_t)a, (int64_t)(a >> 64)};
}

/* Text to number. Form: -?digits[.digits]; no plus, exponent, space, or bare point. len bytes.
 * E_BAD_NUMBER, E_INEXACT (more places than exp that are not zero), E_OVERFLOW. */
enum weir_err decimal_parse(const char *text, size_t len, int exp,
                            int64_t *value_out) WEIR_MUST_USE;
enum weir_err amount_parse(const char *text, size_t len, amount *value_out) WEIR_MUST_USE;

/* How many decimal places the text needs (trailing zeros do not count); -1: not a decimal. */
int decimal_places(const char *text, size_t len);

/* Number to text: canonical, no exponent, no trailing zeros, "0" for zero. Returns the length;
 * text has room for DECIMAL_TEXT_MAX bytes and is zero-terminated. */
size_t decimal_print(int64_t value, int exp, char *text);
size_t amount_print(amount value, char *text);

/* value * 10^(to - from). False: does not fit, or would lose digits. */
bool decimal_rescale(int64_t value, int from, int to, int64_t *value_out) WEIR_MUST_USE;

/* A decimal as an amount. Always fits (|value| <= 2^63, exp <= 18). */
static inline amount amount_from(int64_t value, int exp)
{
    must(exp >= 0 && exp <= 18);
    return (amount)value * decimal_pow10[AMOUNT_EXP - exp];
}

/* An amount as a decimal. False: does not fit, or would lose digits. */
bool amount_to(amount value, int exp, int64_t *value_out) WEIR_MUST_USE;

/* False: does not fit, and the result is as it was, here and below. */
WEIR_MUST_USE static inline bool amount_add(amount a, amount b, amount *sum_out)
{
    amount sum;
    if (__builtin_add_overflow(a, b, &sum) || sum < -AMOUNT_MAX)
        return false;
    *sum_out = sum;
    return true;
}

WEIR_MUST_USE static inline bool amount_sub(amount a, amount b, amount *difference_out)
{
    amount difference;
    if (__builtin_sub_overflow(a, b, &difference) || difference < -AMOUNT_MAX)
        return false;
    *difference_out = difference;
    return true;
}

/* The rest of amount_product: a count of 10^-places, places in 0..36, as an amount. */
bool amount_product_slow(amount product, int places, amount *product_out) WEIR_MUST_USE;

/* px * 10^-px_exp times qty * 10^-qty_exp, exactly. False: overflow, or more than 18 places. */
WEIR_MUST_USE static inline bool amount_product(int64_t px, int px_exp, int64_t qty, int qty_exp,
                                                amount *product_out)
{
    amount product = (amount)px * qty;
    int64_t narrow = (int64_t)product;
    int places = px_exp + qty_exp;
    if (narrow != product || places > AMOUNT_EXP || places < 0)
        return amount_product_slow(product, places, product_out);
    *product_out = (amount)narrow * decimal_pow10[AMOUNT_EXP - places];
    return true;
}

/* a * b * 10^-exp exactly (b: a contract multiplier, a percentage ...). False: overflow or inexact. */
bool amount_times(amount a, int64_t b, int exp, amount *product_out) WEIR_MUST_USE;

/* a * b / c, rounded half-even, with a 192-bit or wider intermediate. c != 0. False: overflow. */
bool amount_ratio_round(amount a, int64_t b, int64_t c, amount *out) WEIR_MUST_USE;

/* a * b rounded half-even to 18 places, b * 10^-exp. False: overflow. */
bool amount_times_round(amount a, int64_t b, int exp, amount *out) WEIR_MUST_USE;

/* a / (qty * 10^-qty_exp), rounded half-even: an average price. qty != 0. False: overflow. */
bool amount_per_round(amount a, int64_t qty, int qty_exp, amount *out) WEIR_MUST_USE;

#endif
