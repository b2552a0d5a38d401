/* support_big.h - whole numbers of up to 150 decimal digits, as schools teach them: the oracle of the
 * decimal tests. Digit by digit, lowest first, and nothing of the code under test. */
#ifndef TEST_BIG_H
#define TEST_BIG_H

#include <stdbool.h>

enum { BIG_DIGITS = 150 };

struct big {
    unsigned char digit[BIG_DIGITS];
    bool minus;
};

struct big big_of(__int128 value);
struct big big_ten(int exponent);
struct big big_times(struct big a, struct big b);
struct big big_plus(struct big a, struct big b);
int big_compare(const struct big *a, const struct big *b); /* sizes, without signs */
bool big_is_zero(const struct big *a);

/* a / b cut toward zero, and the rest's size. */
struct big big_over(struct big a, struct big b, struct big *rest_out);
/* a / b rounded half to even. */
struct big big_over_round(struct big a, struct big b);

/* Is it this number? */
bool big_equals(const struct big *a, __int128 value);
/* |a| <= 2^127 - 1, which is what an amount holds. */
bool big_is_amount(const struct big *a);
/* |a| <= 2^63 - 1. */
bool big_is_int64(const struct big *a);

#endif
