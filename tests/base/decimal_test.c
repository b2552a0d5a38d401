/* decimal_test.c - exact or refused, against numbers worked out digit by digit (support_big.c). */
#include "base/decimal.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/support_big.h"
#include "support/random.h"

#define MAX63  "9223372036854775807"
#define MAX127 "170141183460469231731.687303715884105727"

/* --- text ------------------------------------------------------------------------------------ */

static const struct {
    const char *text;
    int exp;
    enum weir_err err;
    int64_t value;
} parses[] = {
    {"0", 0, WEIR_OK, 0},
    {"-0", 0, WEIR_OK, 0},
    {"-0.000", 2, WEIR_OK, 0},
    {"00", 0, WEIR_OK, 0},
    {"007.5", 1, WEIR_OK, 75},
    {"1", 18, WEIR_OK, 1000000000000000000},
    {"9", 18, WEIR_OK, 9000000000000000000},
    {"10", 18, WEIR_E_OVERFLOW, 0},
    {"9.223372036854775807", 18, WEIR_OK, INT64_MAX},
    {"-9.223372036854775807", 18, WEIR_OK, -INT64_MAX},
    {"9.223372036854775808", 18, WEIR_E_OVERFLOW, 0},
    {"0.000000000000000001", 18, WEIR_OK, 1},
    {"0.0000000000000000010000", 18, WEIR_OK, 1},
    {"0.0000000000000000011", 18, WEIR_E_INEXACT, 0},
    {MAX63, 0, WEIR_OK, INT64_MAX},
    {"-" MAX63, 0, WEIR_OK, -INT64_MAX},
    {MAX63 ".000", 0, WEIR_OK, INT64_MAX},
    {"0000000000000000000000" MAX63, 0, WEIR_OK, INT64_MAX},
    {"9223372036854775808", 0, WEIR_E_OVERFLOW, 0},
    {"-9223372036854775808", 0, WEIR_E_OVERFLOW, 0},
    {"922337203685477580.7", 1, WEIR_OK, INT64_MAX},
    {"922337203685477580.8", 1, WEIR_E_OVERFLOW, 0},
    {"9999999999999999999", 0, WEIR_E_OVERFLOW, 0},
    {"18446744073709551616", 0, WEIR_E_OVERFLOW, 0},
    {"18446744073709551617", 0, WEIR_E_OVERFLOW, 0},
    {"99999999999999999999", 0, WEIR_E_OVERFLOW, 0},
    {"340282366920938463463374607431768211457", 0, WEIR_E_OVERFLOW, 0},
    {"61800.20", 2, WEIR_OK, 6180020},
    {"61800.2", 2, WEIR_OK, 6180020},
    {"61800.200", 2, WEIR_OK, 6180020},
    {"61800.201", 2, WEIR_E_INEXACT, 0},
    {"0.1", 0, WEIR_E_INEXACT, 0},
    {"", 0, WEIR_E_BAD_NUMBER, 0},
    {"-", 0, WEIR_E_BAD_NUMBER, 0},
    {".", 0, WEIR_E_BAD_NUMBER, 0},
    {"-.", 0, WEIR_E_BAD_NUMBER, 0},
    {"0.", 0, WEIR_E_BAD_NUMBER, 0},
    {".5", 1, WEIR_E_BAD_NUMBER, 0},
    {"-.5", 1, WEIR_E_BAD_NUMBER, 0},
    {"1.2.3", 2, WEIR_E_BAD_NUMBER, 0},
    {"1e5", 0, WEIR_E_BAD_NUMBER, 0},
    {"1E5", 0, WEIR_E_BAD_NUMBER, 0},
    {"+1", 0, WEIR_E_BAD_NUMBER, 0},
    {"--1", 0, WEIR_E_BAD_NUMBER, 0},
    {"1-", 0, WEIR_E_BAD_NUMBER, 0},
    {" 1", 0, WEIR_E_BAD_NUMBER, 0},
    {"1 ", 0, WEIR_E_BAD_NUMBER, 0},
    {"1\n", 0, WEIR_E_BAD_NUMBER, 0},
    {"1,5", 1, WEIR_E_BAD_NUMBER, 0},
    {"1_000", 0, WEIR_E_BAD_NUMBER, 0},
    {"0x10", 0, WEIR_E_BAD_NUMBER, 0},
    {"\xEF\xBC\x91", 0, WEIR_E_BAD_NUMBER, 0}, /* a full-width 1 */
    {"\xD9\xA1", 0, WEIR_E_BAD_NUMBER, 0},     /* an Arabic 1 */
    {"NaN", 0, WEIR_E_BAD_NUMBER, 0},
    {"inf", 0, WEIR_E_BAD_NUMBER, 0},
    {"99999999999999999999x", 0, WEIR_E_BAD_NUMBER, 0}, /* bad before too large */
    {"0.001x", 0, WEIR_E_BAD_NUMBER, 0},                /* bad before inexact */
};

Test(decimal, a_text_is_a_plain_decimal_that_fits_or_is_refused_by_name)
{
    for (size_t i = 0; i < sizeof parses / sizeof parses[0]; i++) {
        int64_t value = 4711;
        enum weir_err err =
            decimal_parse(parses[i].text, strlen(parses[i].text), parses[i].exp, &value);
        cr_expect_eq(err, parses[i].err, "'%s' as 10^-%d: error %d", parses[i].text, parses[i].exp,
                     err);
        cr_expect_eq(value, err ? 4711 : parses[i].value, "'%s' as 10^-%d: %" PRId64,
                     parses[i].text, parses[i].exp, value);
    }
    int64_t value = 4711;
    cr_expect_eq(decimal_parse("1\0002", 3, 0, &value), WEIR_E_BAD_NUMBER, "a NUL inside");
    cr_expect_eq(decimal_parse("1\0", 2, 0, &value), WEIR_E_BAD_NUMBER, "a NUL at the end");
    cr_expect_eq(decimal_parse("12", 1, 0, &value), WEIR_OK, "the length ends it");
    cr_expect_eq(value, 1);
}

static const struct {
    const char *text;
    enum weir_err err;
    const char *printed;
} amounts[] = {
    {"0", WEIR_OK, "0"},
    {"-0.0", WEIR_OK, "0"},
    {"1.5", WEIR_OK, "1.5"},
    {"-0.000000000000000001", WEIR_OK, "-0.000000000000000001"},
    {"1000000000000000000", WEIR_OK, "1000000000000000000"},
    {"100000000000000000000.000000000000000001", WEIR_OK,
     "100000000000000000000.000000000000000001"},
    {MAX127, WEIR_OK, MAX127},
    {"-" MAX127, WEIR_OK, "-" MAX127},
    {"000" MAX127 "000", WEIR_OK, MAX127},
    {"170141183460469231731.687303715884105728", WEIR_E_OVERFLOW, NULL},
    {"-170141183460469231731.687303715884105728", WEIR_E_OVERFLOW, NULL},
    {"170141183460469231732", WEIR_E_OVERFLOW, NULL},
    {"999999999999999999999", WEIR_E_OVERFLOW, NULL},
    {"1000000000000000000000", WEIR_E_OVERFLOW, NULL},
    {"340282366920938463463374607431768211456", WEIR_E_OVERFLOW, NULL},
    {"0.0000000000000000001", WEIR_E_INEXACT, NULL},
    {"1e3", WEIR_E_BAD_NUMBER, NULL},
    {"1.", WEIR_E_BAD_NUMBER, NULL},
    {"", WEIR_E_BAD_NUMBER, NULL},
};

Test(decimal, an_amount_comes_back_from_its_text)
{
    for (size_t i = 0; i < sizeof amounts / sizeof amounts[0]; i++) {
        char text[DECIMAL_TEXT_MAX];
        amount value = 4711;
        enum weir_err err = amount_parse(amounts[i].text, strlen(amounts[i].text), &value);
        cr_expect_eq(err, amounts[i].err, "'%s': error %d", amounts[i].text, err);
        if (err) {
            cr_expect(value == 4711, "'%s': the result was touched", amounts[i].text);
            continue;
        }
        cr_expect_eq(amount_print(value, text), strlen(text));
        cr_expect_str_eq(text, amounts[i].printed);
        cr_expect(amount_of(amount_pack(value)) == value, "'%s' packed", amounts[i].text);
    }
    char text[DECIMAL_TEXT_MAX];
    amount least = amount_of((struct weir_amount){0, INT64_MIN}); /* only from outside */
    amount_print(least, text);
    cr_expect_str_eq(text, "-170141183460469231731.687303715884105728");
}

/* What a text is worth, worked out as text: shift the point by exp places and read the digits. */
static bool worth(const char *text, int exp, struct big *value_out, bool *inexact_out)
{
    const char *from = text + (*text == '-'), *point = strchr(from, '.');
    int len = (int)strlen(from), places = point ? (int)strlen(point + 1) : 0, at = 0;
    struct big value = {.minus = *text == '-'};
    *inexact_out = false;
    for (int i = len - 1, place = -places; i >= 0; i--) {
        if (from[i] == '.')
            continue;
        at = place++ + exp;
        if (at >= BIG_DIGITS)
            return false;
        if (at >= 0)
            value.digit[at] = (unsigned char)(from[i] - '0');
        else if (from[i] != '0')
            *inexact_out = true;
    }
    *value_out = value;
    return true;
}

static void random_text(uint64_t *state, char *text)
{
    size_t whole = 1 + random_below(state, 24), places = random_below(state, 24);
    if (random_below(state, 4) == 0)
        *text++ = '-';
    for (size_t i = 0; i < whole; i++)
        *text++ = (char)('0' + random_below(state, 10) * (random_below(state, 3) > 0));
    if (places > 0)
        *text++ = '.';
    for (size_t i = 0; i < places; i++)
        *text++ = (char)('0' + random_below(state, 10) * (random_below(state, 2 + i) == 0));
    *text = '\0';
}

Test(decimal, texts_are_worth_what_they_say)
{
    uint64_t state = 1;
    unsigned exact = 0;
    for (int i = 0; i < 40000; i++) {
        char text[64];
        random_text(&state, text);
        int exp = (int)random_below(&state, 19);
        struct big value;
        bool inexact;
        cr_assert(worth(text, exp, &value, &inexact));
        int64_t narrow = 0;
        enum weir_err err = decimal_parse(text, strlen(text), exp, &narrow);
        enum weir_err due = !big_is_int64(&value) ? WEIR_E_OVERFLOW
                            : inexact             ? WEIR_E_INEXACT
                                                  : WEIR_OK;
        cr_assert_eq(err, due, "'%s' as 10^-%d: error %d, due %d", text, exp, err, due);
        cr_assert(err || big_equals(&value, narrow), "'%s' as 10^-%d: %" PRId64, text, exp, narrow);
        exact += !err;

        cr_assert(worth(text, AMOUNT_EXP, &value, &inexact));
        amount wide = 0;
        err = amount_parse(text, strlen(text), &wide);
        due = !big_is_amount(&value) ? WEIR_E_OVERFLOW : inexact ? WEIR_E_INEXACT : WEIR_OK;
        cr_assert_eq(err, due, "'%s' as an amount: error %d, due %d", text, err, due);
        cr_assert(err || big_equals(&value, wide), "'%s' as an amount", text);
    }
    cr_expect_gt(exact, 1000u);
}

Test(decimal, a_printed_number_is_canonical_and_read_back)
{
    static const struct {
        int64_t value;
        int exp;
        const char *text;
    } prints[] = {
        {0, 0, "0"},
        {0, 18, "0"},
        {-5, 0, "-5"},
        {-5, 1, "-0.5"},
        {1000, 3, "1"},
        {1050, 3, "1.05"},
        {INT64_MAX, 0, MAX63},
        {INT64_MAX, 18, "9.223372036854775807"},
        {INT64_MIN, 0, "-9223372036854775808"},
        {INT64_MIN, 18, "-9.223372036854775808"},
        {1, 18, "0.000000000000000001"},
        {-1000000000000000000, 18, "-1"},
    };
    char text[DECIMAL_TEXT_MAX];
    for (size_t i = 0; i < sizeof prints / sizeof prints[0]; i++) {
        cr_expect_eq(decimal_print(prints[i].value, prints[i].exp, text), strlen(prints[i].text));
        cr_expect_str_eq(text, prints[i].text);
    }
    uint64_t state = 2;
    for (int i = 0; i < 20000; i++) {
        int64_t value = random_int64(&state), again = 0;
        int exp = (int)random_below(&state, 19);
        size_t len = decimal_print(value, exp, text);
        cr_assert_eq(decimal_parse(text, len, exp, &again), WEIR_OK, "%s", text);
        cr_assert_eq(again, value, "%s", text);
        const char *point = strchr(text, '.');
        cr_assert(!point || text[len - 1] != '0', "%s ends in a zero", text);
        cr_assert_eq(decimal_places(text, len), point ? (int)strlen(point + 1) : 0, "%s", text);
    }
}

Test(decimal, places_are_those_that_are_needed)
{
    static const struct {
        const char *text;
        int places;
    } cases[] = {{"0", 0},   {"1.50", 1}, {"-0.00", 0}, {"0.0000000000000000000001", 22}, {"x", -1},
                 {"1.", -1}, {"", -1},    {"1e1", -1},  {"99999999999999999999999.5", 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_expect_eq(decimal_places(cases[i].text, strlen(cases[i].text)), cases[i].places, "'%s'",
                     cases[i].text);
}

/* --- arithmetic ------------------------------------------------------------------------------ */

/* Amounts of all lengths. */
static amount random_amount(uint64_t *state)
{
    unsigned __int128 size = (unsigned __int128)random_next(state) << 64 | random_next(state);
    size = size >> 1 >> random_below(state, 127);
    return random_next(state) & 1 ? -(amount)size : (amount)size;
}

/* The function said `good` and gave `value`; due is what it should be, if it can be. */
static void judge(const char *what, int round, bool good, amount value, const struct big *due,
                  bool can_be)
{
    cr_assert_eq(good, can_be && big_is_amount(due), "%s, case %d: %s", what, round,
                 good ? "was not refused" : "was refused");
    cr_assert(!good || big_equals(due, value), "%s, case %d: wrong value", what, round);
}

static void try_product(uint64_t *state, int round)
{
    int64_t px = random_int64(state), qty = random_int64(state);
    int px_exp = (int)random_below(state, 19), qty_exp = (int)random_below(state, 19);
    if (round % 2) /* as instruments are: at most 18 places together */
        qty_exp %= 19 - px_exp;
    amount value = 0;
    bool good = amount_product(px, px_exp, qty, qty_exp, &value);
    struct big rest, due = big_times(big_times(big_of(px), big_of(qty)), big_ten(18));
    due = big_over(due, big_ten(px_exp + qty_exp), &rest);
    judge("amount_product", round, good, value, &due, big_is_zero(&rest));
}

static void try_times(uint64_t *state, int round)
{
    amount a = random_amount(state), value = 0;
    bool good;
    int64_t b = random_int64(state);
    int exp = (int)random_below(state, 19);
    struct big rest, product = big_times(big_of(a), big_of(b));
    struct big due = big_over(product, big_ten(exp), &rest);
    good = amount_times(a, b, exp, &value);
    judge("amount_times", round, good, value, &due, big_is_zero(&rest));
    due = big_over_round(product, big_ten(exp));
    good = amount_times_round(a, b, exp, &value);
    judge("amount_times_round", round, good, value, &due, true);
}

static void try_ratio(uint64_t *state, int round)
{
    amount a = random_amount(state), value = 0;
    bool good;
    int64_t b = random_int64(state), c = random_int64(state);
    if (round % 3 == 0) /* ties are rare: make them likely */
        c = c < 0 ? -2 : 2;
    if (c == 0)
        c = 1;
    struct big due = big_over_round(big_times(big_of(a), big_of(b)), big_of(c));
    good = amount_ratio_round(a, b, c, &value);
    judge("amount_ratio_round", round, good, value, &due, true);

    int exp = (int)random_below(state, 19);
    due = big_over_round(big_times(big_of(a), big_ten(exp)), big_of(c));
    good = amount_per_round(a, c, exp, &value);
    judge("amount_per_round", round, good, value, &due, true);
}

static void try_sum(uint64_t *state, int round)
{
    amount a = random_amount(state), b = random_amount(state), value = 0;
    bool good;
    struct big due = big_plus(big_of(a), big_of(b));
    good = amount_add(a, b, &value);
    judge("amount_add", round, good, value, &due, true);
    due = big_plus(big_of(a), big_of(-b));
    good = amount_sub(a, b, &value);
    judge("amount_sub", round, good, value, &due, true);
}

static void try_scale(uint64_t *state, int round)
{
    int64_t narrow = random_int64(state), value = 0;
    int from = (int)random_below(state, 19), to = (int)random_below(state, 19);
    struct big rest, due = big_over(big_times(big_of(narrow), big_ten(to)), big_ten(from), &rest);
    bool good = decimal_rescale(narrow, from, to, &value);
    cr_assert_eq(good, big_is_zero(&rest) && big_is_int64(&due), "decimal_rescale, case %d", round);
    cr_assert(!good || big_equals(&due, value), "decimal_rescale, case %d", round);

    amount wide = round % 2 ? amount_from(narrow, from) : random_amount(state);
    due = big_times(big_of(narrow), big_ten(18 - from));
    cr_assert(round % 2 == 0 || big_equals(&due, wide), "amount_from, case %d", round);
    due = big_over(big_of(wide), big_ten(18 - to), &rest);
    good = amount_to(wide, to, &value);
    cr_assert_eq(good, big_is_zero(&rest) && big_is_int64(&due), "amount_to, case %d", round);
    cr_assert(!good || big_equals(&due, value), "amount_to, case %d", round);
}

Test(decimal, arithmetic_is_what_is_worked_out_by_hand)
{
    static void (*const tries[])(uint64_t *, int) = {try_product, try_times, try_ratio, try_sum,
                                                     try_scale};
    uint64_t state = 3;
    for (int round = 0; round < 800; round++)
        for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++)
            tries[i](&state, round);
}

Test(decimal, arithmetic_at_its_bounds)
{
    amount value = 4711;
    cr_expect(amount_product(INT64_MAX, 9, INT64_MAX, 9, &value));
    cr_expect(value == (amount)INT64_MAX * INT64_MAX);
    cr_expect(amount_product(INT64_MIN, 9, INT64_MIN, 9, &value));
    cr_expect(value == (amount)1 << 126);
    value = 4711;
    cr_expect_not(amount_product(INT64_MAX, 0, INT64_MAX, 0, &value));
    cr_expect_not(amount_product(INT64_MIN, 8, INT64_MAX, 8, &value));
    cr_expect_not(amount_product(1, 18, 1, 18, &value), "36 places");
    cr_expect_not(amount_add(AMOUNT_MAX, 1, &value));
    cr_expect_not(amount_add(-AMOUNT_MAX, -1, &value), "-2^127 is not made");
    cr_expect_not(amount_sub(-AMOUNT_MAX, AMOUNT_MAX, &value));
    cr_expect_not(amount_times(AMOUNT_MAX, 2, 0, &value));
    cr_expect_not(amount_times(AMOUNT_MAX, INT64_MIN, 18, &value));
    cr_expect_not(amount_ratio_round(AMOUNT_MAX, INT64_MAX, 1, &value));
    cr_expect(value == 4711, "a refused result is as it was");
    cr_expect(amount_product(1, 18, 1000000000000000000, 18, &value) && value == 1);
    cr_expect(amount_ratio_round(AMOUNT_MAX, INT64_MIN, INT64_MIN, &value) && value == AMOUNT_MAX);
    cr_expect(amount_ratio_round(-AMOUNT_MAX, INT64_MAX, INT64_MAX, &value) &&
              value == -AMOUNT_MAX);
    cr_expect(amount_from(INT64_MIN, 0) == (amount)INT64_MIN * 1000000000000000000);
    int64_t narrow = 4711;
    cr_expect_not(amount_to(amount_from(INT64_MIN, 3), 3, &narrow), "INT64_MIN is not made");
    cr_expect_not(decimal_rescale(INT64_MIN, 0, 0, &narrow));
    cr_expect_eq(narrow, 4711);
}

Test(decimal, ties_go_to_the_even_one)
{
    static const struct {
        int a;
        int b;
        int c;
        int rounded;
    } ties[] = {{1, 1, 2, 0},     {3, 1, 2, 2},    {5, 1, 2, 2},    {7, 1, 2, 4},
                {-1, 1, 2, 0},    {-3, 1, 2, -2},  {-5, 1, 2, -2},  {5, 1, -2, -2},
                {-7, -1, 2, 4},   {1, 1, 3, 0},    {2, 1, 3, 1},    {-2, 1, 3, -1},
                {49, 1, 100, 0},  {50, 1, 100, 0}, {51, 1, 100, 1}, {150, 1, 100, 2},
                {250, 1, 100, 2}, {3, 5, 2, 8},    {0, 5, 7, 0}};
    for (size_t i = 0; i < sizeof ties / sizeof ties[0]; i++) {
        amount value = 0;
        cr_expect(amount_ratio_round(ties[i].a, ties[i].b, ties[i].c, &value));
        cr_expect(value == ties[i].rounded, "%d * %d / %d is %lld, due %d", ties[i].a, ties[i].b,
                  ties[i].c, (long long)value, ties[i].rounded);
    }
    amount value = 0;
    cr_expect(amount_times_round(5, 1, 1, &value) && value == 0);
    cr_expect(amount_times_round(15, -1, 1, &value) && value == -2);
    cr_expect(amount_per_round(5, 2, 0, &value) && value == 2);
    cr_expect(amount_per_round(1, -3, 1, &value) && value == -3);
}
