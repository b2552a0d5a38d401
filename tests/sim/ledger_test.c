/* ledger_test.c - the paper venue's books: fees and wallets to the last of 18 places. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "sim/desk/ledger.h"

struct trade {
    uint8_t side;
    weir_px px;
    weir_qty qty;
    bool maker;
};

/* clang-format off */
static const struct {
    const char *name;
    struct weir_instrument is; /* number 1 */
    const char *maker_bps, *taker_bps;
    enum fee_asset fee_asset;
    struct trade trades[4];
    const char *last_fee, *fee_in, *base, *quote; /* afterwards; wallets start at 0 */
    weir_qty held;
} cases[] = {
    {"a taker's fee in quote", {.base = "BTC", .quote = "USD", .price_exp = 2, .qty_exp = 4},
     "1", "5", FEE_QUOTE, {{WEIR_BUY, 5000001, 3, false}},
     "0.0075000015", "USD", "0.0003", "-15.0075030015", 3},
    {"a maker's rebate", {.base = "BTC", .quote = "USD", .price_exp = 2, .qty_exp = 4},
     "-0.5", "5", FEE_QUOTE, {{WEIR_SELL, 5000001, 3, true}},
     "-0.00075000015", "USD", "-0.0003", "15.00075300015", -3},
    {"in what was received: base", {.base = "BTC", .quote = "USD", .price_exp = 2, .qty_exp = 4},
     "1", "10", FEE_RECEIVED, {{WEIR_BUY, 5000000, 3, false}},
     "0.0000003", "BTC", "0.0002997", "-15", 3},
    {"in what was received: quote", {.base = "BTC", .quote = "USD", .price_exp = 2, .qty_exp = 4},
     "1", "10", FEE_RECEIVED, {{WEIR_SELL, 5000000, 3, false}},
     "0.015", "USD", "-0.0003", "14.985", -3},
    {"in base", {.base = "BTC", .quote = "USD", .price_exp = 2, .qty_exp = 4},
     "1", "10", FEE_BASE, {{WEIR_SELL, 5000000, 3, true}},
     "0.00000003", "BTC", "-0.00030003", "15", -3},
    {"a part of a basis point", {.base = "A", .quote = "B", .price_exp = 8, .qty_exp = 8},
     "0", "0.00000001", FEE_QUOTE, {{WEIR_BUY, 100000000, 100000000, false}},
     "0.000000000001", "B", "1", "-1.000000000001", 100000000},
    {"less than the last place: half to even, down", {.base = "A", .quote = "B", .price_exp = 9, .qty_exp = 9},
     "0", "5000", FEE_QUOTE, {{WEIR_BUY, 1, 1, false}},
     "0", "B", "0.000000001", "-0.000000000000000001", 1},
    {"less than the last place: half to even, up", {.base = "A", .quote = "B", .price_exp = 9, .qty_exp = 9},
     "0", "5000", FEE_QUOTE, {{WEIR_BUY, 1, 3, false}},
     "0.000000000000000002", "B", "0.000000003", "-0.000000000000000005", 3},
    {"linear: what is realized goes to quote",
     {.base = "BTC", .quote = "USD", .kind = WEIR_LINEAR, .price_exp = 1, .qty_exp = 3},
     "0", "2", FEE_BASE, {{WEIR_BUY, 1000, 2000, false}, {WEIR_BUY, 1030, 1000, false}, {WEIR_SELL, 1100, 1500, false}},
     "0.033", "USD", "0", "13.4064", 1500},
    {"linear: through zero", {.base = "BTC", .quote = "USD", .kind = WEIR_LINEAR, .price_exp = 1, .qty_exp = 3},
     "0", "0", FEE_QUOTE, {{WEIR_SELL, 1000, 1000, false}, {WEIR_BUY, 900, 3000, false}, {WEIR_SELL, 910, 1000, false}},
     "0", "USD", "0", "11", 1000},
    {"linear: a third", {.base = "BTC", .quote = "USD", .kind = WEIR_LINEAR, .price_exp = 0, .qty_exp = 0},
     "0", "0", FEE_QUOTE, {{WEIR_BUY, 100, 2, false}, {WEIR_BUY, 101, 1, false}, {WEIR_SELL, 100, 1, false}},
     "0", "USD", "0", "-0.333333333333333333", 2},
    {"linear with a contract size", {.base = "BTC", .quote = "USD", .kind = WEIR_LINEAR, .price_exp = 1,
      .qty_exp = 0, .multiplier = 10, .multiplier_exp = 3},
     "0", "10", FEE_QUOTE, {{WEIR_BUY, 500000, 7, false}, {WEIR_SELL, 500100, 7, true}},
     "0", "USD", "0", "-2.8", 0},
    {"inverse: contracts of 100, paid in base",
     {.base = "BTC", .quote = "USD", .kind = WEIR_INVERSE, .price_exp = 1, .qty_exp = 0, .multiplier = 100},
     "0", "1", FEE_QUOTE, {{WEIR_BUY, 500000, 10, true}, {WEIR_SELL, 625000, 10, false}},
     "0.0000016", "BTC", "0.0039984", "0", 0},
};
/* clang-format on */

static amount of_text(const char *text)
{
    amount value = 0;
    cr_assert_eq(amount_parse(text, strlen(text), &value), WEIR_OK, "%s", text);
    return value;
}

static void same(const char *name, const char *what, amount found, const char *expected)
{
    char text[DECIMAL_TEXT_MAX];
    amount_print(found, text);
    cr_expect_str_eq(text, expected, "%s: %s is %s, expected %s", name, what, text, expected);
}

static void *memory_for(struct ledger *ledger)
{
    size_t bytes = (ledger_bytes(2, 4) + 63) & ~(size_t)63;
    unsigned char *memory = aligned_alloc(64, bytes);
    memset(memory, 0, bytes);
    struct arena arena = {memory, memory + bytes};
    cr_assert_eq(ledger_init(ledger, &arena, 2, 4), 0);
    return memory;
}

Test(ledger, is_exact_to_the_last_place)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ledger ledger;
        struct weir_fill fill = {.msg = {.instrument = 1}};
        struct weir_instrument is = cases[i].is;
        void *memory = memory_for(&ledger);
        is.msg.instrument = 1;
        cr_assert_eq(ledger_define(&ledger, &is), WEIR_OK, "%s", cases[i].name);
        cr_assert_eq(ledger_fees(&ledger, of_text(cases[i].maker_bps), of_text(cases[i].taker_bps),
                                 cases[i].fee_asset),
                     WEIR_OK);
        for (size_t t = 0; t < 4 && cases[i].trades[t].qty > 0; t++) {
            const struct trade *trade = &cases[i].trades[t];
            fill.side = trade->side;
            fill.px = trade->px;
            fill.qty = trade->qty;
            fill.maker = trade->maker;
            cr_assert_eq(ledger_fill(&ledger, &fill), WEIR_OK, "%s: trade %zu", cases[i].name, t);
        }
        same(cases[i].name, "the last fee", amount_of(fill.fee), cases[i].last_fee);
        cr_expect_str_eq(fill.fee_asset, cases[i].fee_in, "%s", cases[i].name);
        same(cases[i].name, "base", ledger_total(&ledger, is.base), cases[i].base);
        same(cases[i].name, "quote", ledger_total(&ledger, is.quote), cases[i].quote);
        cr_expect_eq(ledger_holding(&ledger, 1)->qty, cases[i].held, "%s", cases[i].name);
        free(memory);
    }
}

Test(ledger, refuses_what_it_cannot_reckon_with)
{
    static const struct {
        const char *name;
        struct weir_instrument is;
        enum weir_err err;
    } bad[] = {
        {"number 0", {.base = "A", .quote = "B"}, WEIR_E_FULL},
        {"number 3 of 2", {.msg.instrument = 3, .base = "A", .quote = "B"}, WEIR_E_FULL},
        {"one asset", {.msg.instrument = 1, .base = "A", .quote = "A"}, WEIR_E_UNSUPPORTED},
        {"exponents",
         {.msg.instrument = 1, .base = "A", .quote = "B", .price_exp = 10, .qty_exp = 9},
         WEIR_E_UNSUPPORTED},
        {"negative exponent",
         {.msg.instrument = 1, .base = "A", .quote = "B", .qty_exp = -1},
         WEIR_E_UNSUPPORTED},
        {"multiplier",
         {.msg.instrument = 1,
          .base = "A",
          .quote = "B",
          .price_exp = 9,
          .qty_exp = 9,
          .multiplier = 3,
          .multiplier_exp = 1},
         WEIR_E_UNSUPPORTED},
        {"kind", {.msg.instrument = 1, .base = "A", .quote = "B", .kind = 9}, WEIR_E_UNSUPPORTED},
    };
    struct ledger ledger;
    void *memory = memory_for(&ledger);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_eq(ledger_define(&ledger, &bad[i].is), bad[i].err, "%s", bad[i].name);
    cr_expect_null(ledger_holding(&ledger, 1));
    cr_expect_not(ledger_hold(&ledger, 1, 5));

    /* what overflows changes nothing */
    struct weir_instrument is = {.msg.instrument = 1, .base = "A", .quote = "B", .qty_exp = 18};
    cr_assert_eq(ledger_define(&ledger, &is), WEIR_OK);
    cr_assert(ledger_hold(&ledger, 1, INT64_MAX));
    struct weir_fill fill = {.msg.instrument = 1, .side = WEIR_BUY, .px = 1, .qty = 1};
    cr_expect_eq(ledger_fill(&ledger, &fill), WEIR_E_OVERFLOW);
    cr_expect_eq(ledger_total(&ledger, "A"), 0);
    cr_expect_eq(ledger_total(&ledger, "B"), 0);
    cr_expect_eq(ledger_holding(&ledger, 1)->qty, INT64_MAX);
    fill.msg.instrument = 2;
    cr_expect_eq(ledger_fill(&ledger, &fill), WEIR_E_NOT_FOUND);

    cr_expect_eq(ledger_pay(&ledger, "C", 1), WEIR_OK);
    cr_expect_eq(ledger_pay(&ledger, "C", AMOUNT_MAX), WEIR_E_OVERFLOW);
    cr_expect_eq(ledger_pay(&ledger, "D", 1), WEIR_OK);
    cr_expect_eq(ledger_pay(&ledger, "E", 1), WEIR_E_FULL);
    free(memory);
}
