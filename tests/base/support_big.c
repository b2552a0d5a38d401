#include "base/support_big.h"

#include <string.h>

static struct big from_text(const char *digits)
{
    struct big big = {0};
    int len = (int)strlen(digits);
    for (int i = 0; i < len; i++)
        big.digit[i] = (unsigned char)(digits[len - 1 - i] - '0');
    return big;
}

struct big big_of(__int128 value)
{
    struct big big = {.minus = value < 0};
    for (int i = 0; value != 0; i++, value /= 10)
        big.digit[i] = (unsigned char)(value < 0 ? -(value % 10) : value % 10);
    return big;
}

struct big big_ten(int exponent)
{
    struct big big = {0};
    big.digit[exponent] = 1;
    return big;
}

bool big_is_zero(const struct big *a)
{
    for (int i = 0; i < BIG_DIGITS; i++)
        if (a->digit[i])
            return false;
    return true;
}

int big_compare(const struct big *a, const struct big *b)
{
    for (int i = BIG_DIGITS - 1; i >= 0; i--)
        if (a->digit[i] != b->digit[i])
            return a->digit[i] < b->digit[i] ? -1 : 1;
    return 0;
}

struct big big_times(struct big a, struct big b)
{
    struct big product = {.minus = a.minus != b.minus};
    for (int i = 0; i < BIG_DIGITS; i++)
        for (int j = 0, carry = 0; a.digit[i] && i + j < BIG_DIGITS; j++) {
            int sum = product.digit[i + j] + a.digit[i] * b.digit[j] + carry;
            product.digit[i + j] = (unsigned char)(sum % 10);
            carry = sum / 10;
        }
    return product;
}

static struct big add_sizes(const struct big *a, const struct big *b)
{
    struct big sum = {0};
    for (int i = 0, carry = 0; i < BIG_DIGITS; i++) {
        int column = a->digit[i] + b->digit[i] + carry;
        sum.digit[i] = (unsigned char)(column % 10);
        carry = column / 10;
    }
    return sum;
}

/* |a| - |b|, |a| >= |b| */
static struct big take_sizes(const struct big *a, const struct big *b)
{
    struct big rest = {0};
    for (int i = 0, borrow = 0; i < BIG_DIGITS; i++) {
        int column = a->digit[i] - b->digit[i] - borrow;
        borrow = column < 0;
        rest.digit[i] = (unsigned char)(column + 10 * borrow);
    }
    return rest;
}

struct big big_plus(struct big a, struct big b)
{
    bool a_is_less = big_compare(&a, &b) < 0;
    struct big sum = a.minus == b.minus ? add_sizes(&a, &b)
                     : a_is_less        ? take_sizes(&b, &a)
                                        : take_sizes(&a, &b);
    sum.minus = a.minus == b.minus || !a_is_less ? a.minus : b.minus;
    return sum;
}

struct big big_over(struct big a, struct big b, struct big *rest_out)
{
    struct big quotient = {.minus = a.minus != b.minus}, rest = {0};
    for (int i = BIG_DIGITS - 1; i >= 0; i--) {
        memmove(rest.digit + 1, rest.digit, BIG_DIGITS - 1);
        rest.digit[0] = a.digit[i];
        while (big_compare(&rest, &b) >= 0) {
            rest = take_sizes(&rest, &b);
            quotient.digit[i]++;
        }
    }
    *rest_out = rest;
    return quotient;
}

struct big big_over_round(struct big a, struct big b)
{
    struct big rest, quotient = big_over(a, b, &rest), one = big_ten(0);
    struct big twice = add_sizes(&rest, &rest);
    int half = big_compare(&twice, &b);
    if (half > 0 || (half == 0 && quotient.digit[0] % 2 == 1)) {
        bool minus = quotient.minus;
        quotient = add_sizes(&quotient, &one);
        quotient.minus = minus;
    }
    return quotient;
}

bool big_equals(const struct big *a, __int128 value)
{
    struct big b = big_of(value);
    return big_compare(a, &b) == 0 && (a->minus == b.minus || big_is_zero(a));
}

bool big_is_amount(const struct big *a)
{
    struct big most = from_text("170141183460469231731687303715884105727");
    return big_compare(a, &most) <= 0;
}

bool big_is_int64(const struct big *a)
{
    struct big most = from_text("9223372036854775807");
    return big_compare(a, &most) <= 0;
}
