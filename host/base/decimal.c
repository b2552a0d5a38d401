/* decimal.c - exact decimals, by integers only.
 *
 * RULES  (1) A result is exact or refused; only *_round functions round, half to even. [divide]
 *        (2) No function here makes INT64_MIN or -2^127, so that what it made can be negated.
 *        (3) Products are taken in 192 bits: three limbs of 64, lowest first. [times_64, over_64]
 *        (4) Text is judged whole before its value: a bad number is BAD_NUMBER even if it is also
 *            too large. [split] */
#include "base/decimal.h"

#include <string.h>

#include "base/check.h"

typedef unsigned __int128 u128;

#define TEN_18 1000000000000000000u

const int64_t decimal_pow10[19] = {
    1,
    10,
    100,
    1000,
    10000,
    100000,
    1000000,
    10000000,
    100000000,
    1000000000,
    10000000000,
    100000000000,
    1000000000000,
    10000000000000,
    100000000000000,
    1000000000000000,
    10000000000000000,
    100000000000000000,
    1000000000000000000,
};

static u128 magnitude(amount a)
{
    return a < 0 ? -(u128)a : (u128)a;
}

static uint64_t magnitude_64(int64_t a)
{
    return a < 0 ? -(uint64_t)a : (uint64_t)a;
}

static bool give(u128 size, bool minus, amount *out)
{
    if (size > (u128)AMOUNT_MAX)
        return false;
    *out = minus ? -(amount)size : (amount)size;
    return true;
}

static bool give_64(u128 size, bool minus, int64_t *out)
{
    if (size > (u128)INT64_MAX)
        return false;
    *out = minus ? -(int64_t)size : (int64_t)size;
    return true;
}

/* --- text ------------------------------------------------------------------------------------ */

/* A number's text, taken apart: no leading zeros before the point, no trailing ones behind. */
struct parts {
    const char *whole;
    const char *places;
    size_t whole_len;
    size_t places_len;
    bool minus;
};

static bool is_digit(char c)
{
    return (unsigned char)(c - '0') <= 9;
}

static const char *skip_digits(const char *at, const char *end)
{
    while (at < end && is_digit(*at))
        at++;
    return at;
}

static bool split(const char *text, size_t len, struct parts *parts_out)
{
    const char *at = text, *end = text + len;
    struct parts parts = {0};

    if (at < end && *at == '-') {
        parts.minus = true;
        at++;
    }
    parts.whole = at;
    at = skip_digits(at, end);
    if (at == parts.whole)
        return false;
    while (parts.whole < at && *parts.whole == '0')
        parts.whole++;
    parts.whole_len = (size_t)(at - parts.whole);
    if (at < end && *at == '.') {
        parts.places = ++at;
        at = skip_digits(at, end);
        if (at == parts.places)
            return false;
        parts.places_len = (size_t)(at - parts.places);
        while (parts.places_len > 0 && parts.places[parts.places_len - 1] == '0')
            parts.places_len--;
    }
    *parts_out = parts;
    return at == end;
}

/* At most 19 digits. */
static uint64_t value_of(const char *digits, size_t len)
{
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++)
        value = value * 10 + (uint64_t)(digits[i] - '0');
    return value;
}

/* The digits behind the point as a count of 10^-exp; there are not more than exp of them. */
static uint64_t places_of(const struct parts *parts, int exp)
{
    return value_of(parts->places, parts->places_len) *
           (uint64_t)pow10_of(exp - (int)parts->places_len);
}

enum weir_err decimal_parse(const char *text, size_t len, int exp, int64_t *value_out)
{
    struct parts parts;
    if (!split(text, len, &parts))
        return WEIR_E_BAD_NUMBER;
    if (parts.whole_len > 19)
        return WEIR_E_OVERFLOW;
    u128 whole = (u128)value_of(parts.whole, parts.whole_len) * (uint64_t)pow10_of(exp);
    if (whole > (u128)INT64_MAX)
        return WEIR_E_OVERFLOW;
    if (parts.places_len > (size_t)exp)
        return WEIR_E_INEXACT;
    return give_64(whole + places_of(&parts, exp), parts.minus, value_out) ? WEIR_OK
                                                                           : WEIR_E_OVERFLOW;
}

enum weir_err amount_parse(const char *text, size_t len, amount *value_out)
{
    struct parts parts;
    if (!split(text, len, &parts))
        return WEIR_E_BAD_NUMBER;
    if (parts.whole_len > 21)
        return WEIR_E_OVERFLOW;
    size_t high_len = parts.whole_len > 18 ? parts.whole_len - 18 : 0;
    u128 whole = (u128)value_of(parts.whole, high_len) * TEN_18 +
                 value_of(parts.whole + high_len, parts.whole_len - high_len);
    if (whole > (u128)AMOUNT_MAX / TEN_18)
        return WEIR_E_OVERFLOW;
    if (parts.places_len > AMOUNT_EXP)
        return WEIR_E_INEXACT;
    return give(whole * TEN_18 + places_of(&parts, AMOUNT_EXP), parts.minus, value_out)
               ? WEIR_OK
               : WEIR_E_OVERFLOW;
}

int decimal_places(const char *text, size_t len)
{
    struct parts parts;
    if (!split(text, len, &parts))
        return -1;
    return parts.places_len > INT32_MAX ? INT32_MAX : (int)parts.places_len;
}

/* Digits of value, at least `least` of them; they end before `end`. Returns the first. */
static char *digits_before(char *end, uint64_t value, int least)
{
    char *at = end;
    for (; value > 0 || least > 0; value /= 10, least--)
        *--at = (char)('0' + value % 10);
    return at;
}

/* sign, whole, and places as a count of 10^-exp below 10^exp */
static size_t print(bool minus, u128 whole, uint64_t places, int exp, char *text)
{
    char room[DECIMAL_TEXT_MAX], *end = room + 24, *at;
    uint64_t high = (uint64_t)(whole / TEN_18), low = (uint64_t)(whole % TEN_18);

    at =
        high > 0 ? digits_before(digits_before(end, low, 18), high, 1) : digits_before(end, low, 1);
    if (minus && (whole > 0 || places > 0))
        *--at = '-';
    if (places > 0) {
        *end++ = '.';
        for (; places % 10 == 0; places /= 10)
            exp--;
        end += exp;
        (void)digits_before(end, places, exp);
    }
    size_t len = (size_t)(end - at);
    memcpy(text, at, len);
    text[len] = '\0';
    return len;
}

size_t decimal_print(int64_t value, int exp, char *text)
{
    uint64_t unit = (uint64_t)pow10_of(exp), size = magnitude_64(value);
    return print(value < 0, size / unit, size % unit, exp, text);
}

size_t amount_print(amount value, char *text)
{
    u128 size = magnitude(value);
    return print(value < 0, size / TEN_18, (uint64_t)(size % TEN_18), AMOUNT_EXP, text);
}

/* --- scale ----------------------------------------------------------------------------------- */

bool decimal_rescale(int64_t value, int from, int to, int64_t *value_out)
{
    must(from >= 0 && from <= 18 && to >= 0 && to <= 18);
    uint64_t size = magnitude_64(value),
             unit = (uint64_t)pow10_of(to < from ? from - to : to - from);
    if (to >= from)
        return give_64((u128)size * unit, value < 0, value_out);
    return size % unit == 0 && give_64(size / unit, value < 0, value_out);
}

bool amount_to(amount value, int exp, int64_t *value_out)
{
    must(exp >= 0 && exp <= 18);
    u128 size = magnitude(value);
    uint64_t unit = (uint64_t)pow10_of(AMOUNT_EXP - exp);
    return size % unit == 0 && give_64(size / unit, value < 0, value_out);
}

/* --- 192 bits -------------------------------------------------------------------------------- */

struct u192 {
    uint64_t limb[3];
};

static struct u192 times_64(u128 a, uint64_t b)
{
    u128 low = (u128)(uint64_t)a * b;
    u128 high = (u128)(uint64_t)(a >> 64) * b + (uint64_t)(low >> 64);
    return (struct u192){{(uint64_t)low, (uint64_t)high, (uint64_t)(high >> 64)}};
}

/* a / c and what remains. False: the quotient is over 128 bits. */
static bool over_64(struct u192 a, uint64_t c, u128 *quotient_out, uint64_t *rest_out)
{
    if (a.limb[2] >= c)
        return false;
    if (a.limb[2] == 0 && a.limb[1] == 0) {
        *quotient_out = a.limb[0] / c;
        *rest_out = a.limb[0] % c;
        return true;
    }
    u128 upper = (u128)a.limb[2] << 64 | a.limb[1];
    uint64_t high = (uint64_t)(upper / c);
    u128 lower = (u128)(uint64_t)(upper % c) << 64 | a.limb[0];
    *quotient_out = (u128)high << 64 | (uint64_t)(lower / c);
    *rest_out = (uint64_t)(lower % c);
    return true;
}

/* a * b / c, exactly or rounded half to even. */
static bool divide(amount a, uint64_t b, uint64_t c, bool minus, bool round, amount *out)
{
    struct u192 product = times_64(magnitude(a), b);
    u128 size;
    uint64_t rest;
    if (c == 1)
        return product.limb[2] == 0 &&
               give((u128)product.limb[1] << 64 | product.limb[0], minus, out);
    if (!over_64(product, c, &size, &rest))
        return false;
    if (rest != 0) {
        if (!round)
            return false;
        uint64_t to_next = c - rest;
        if ((rest > to_next || (rest == to_next && (size & 1) != 0)) && ++size == 0)
            return false;
    }
    return give(size, minus, out);
}

bool amount_product_slow(amount product, int places, amount *product_out)
{
    must(places >= 0 && places <= 36);
    bool minus = product < 0;
    if (places > AMOUNT_EXP)
        return divide(product, 1, (uint64_t)pow10_of(places - AMOUNT_EXP), minus, false,
                      product_out);
    return divide(product, (uint64_t)pow10_of(AMOUNT_EXP - places), 1, minus, false, product_out);
}

bool amount_times(amount a, int64_t b, int exp, amount *product_out)
{
    return divide(a, magnitude_64(b), (uint64_t)pow10_of(exp), (a < 0) != (b < 0), false,
                  product_out);
}

bool amount_times_round(amount a, int64_t b, int exp, amount *out)
{
    return divide(a, magnitude_64(b), (uint64_t)pow10_of(exp), (a < 0) != (b < 0), true, out);
}

bool amount_ratio_round(amount a, int64_t b, int64_t c, amount *out)
{
    must(c != 0);
    bool minus = (a < 0) != ((b < 0) != (c < 0));
    return divide(a, magnitude_64(b), magnitude_64(c), minus, true, out);
}

bool amount_per_round(amount a, int64_t qty, int qty_exp, amount *out)
{
    must(qty != 0);
    return divide(a, (uint64_t)pow10_of(qty_exp), magnitude_64(qty), (a < 0) != (qty < 0), true,
                  out);
}
