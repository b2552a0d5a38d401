/* checksum_test.c - sums of books: the published example of Kraken, and texts made again as sent. */
#include "venue/checksum.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static struct book *new_book(void **memory_out)
{
    size_t bytes = book_bytes(64, 4096);
    void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    memset(memory, 0, bytes);
    *memory_out = memory;
    return book_init(memory, 64, 4096, 0);
}

static uint32_t crc(const char *text)
{
    return (uint32_t)crc32(0, (const unsigned char *)text, (unsigned)strlen(text));
}

/* docs.kraken.com, WebSockets v1, book checksum: asks 0.05005 to 0.05050, bids 0.05000 to 0.04950 */
Test(checksum, the_published_example_of_kraken)
{
    static const weir_px asks[] = {5005, 5010, 5015, 5020, 5025, 5030, 5035, 5040, 5045, 5050};
    static const weir_px bids[] = {5000, 4995, 4990, 4980, 4975, 4970, 4965, 4960, 4955, 4950};
    void *memory;
    struct book *book = new_book(&memory);
    struct checksum_exps exps = {8, 8};
    struct weir_book_msg msg = {.check = WEIR_CHECK_DIGITS, .px_places = 5, .qty_places = 8};
    for (int i = 0; i < 10; i++) {
        cr_assert_eq(book_set(book, WEIR_SELL, asks[i] * 1000, 500), WEIR_OK);
        cr_assert_eq(book_set(book, WEIR_BUY, bids[i] * 1000, 500), WEIR_OK);
    }
    cr_expect_eq(checksum_of(book, &exps, &msg), 974947235u);
    free(memory);
}

Test(checksum, texts_are_made_again)
{
    static const struct {
        weir_px px;
        weir_qty qty;
        int8_t px_exp, qty_exp;
        uint8_t px_places, qty_places, check;
        const char *text;
    } cases[] = {
        {3023610000000, 18050747, 8, 8, 255, 255, WEIR_CHECK_PAIRS, "30236.1:0.18050747"},
        {3023400000000, 5200000, 8, 8, 255, 255, WEIR_CHECK_PAIRS, "30234:0.052"},
        {3023400000000, 5200000, 8, 8, 2, 3, WEIR_CHECK_PAIRS, "30234.00:0.052"},
        {100, 1, 2, 0, 4, 2, WEIR_CHECK_PAIRS, "1.0000:1.00"},
        {105, 100000001, 2, 8, 1, 0, WEIR_CHECK_PAIRS, "1.05:1.00000001"}, /* no digit is lost */
        {5, 7, 8, 8, 8, 8, WEIR_CHECK_PAIRS, "0.00000005:0.00000007"},
        {INT64_MAX, INT64_MAX, 0, 18, 255, 255, WEIR_CHECK_PAIRS,
         "9223372036854775807:9.223372036854775807"},
        {4299000, 1597971727919, 8, 8, 6, 8, WEIR_CHECK_DIGITS, "429901597971727919"},
        {4299000, 100000000, 8, 8, 255, 255, WEIR_CHECK_DIGITS, "42991"},
        {100, 1, 2, 0, 4, 2, WEIR_CHECK_DIGITS, "10000100"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        void *memory;
        struct book *book = new_book(&memory);
        struct checksum_exps exps = {cases[i].px_exp, cases[i].qty_exp};
        struct weir_book_msg msg = {.check = cases[i].check,
                                    .px_places = cases[i].px_places,
                                    .qty_places = cases[i].qty_places};
        cr_assert_eq(book_set(book, WEIR_BUY, cases[i].px, cases[i].qty), WEIR_OK);
        cr_expect_eq(checksum_of(book, &exps, &msg), crc(cases[i].text), "%s", cases[i].text);
        free(memory);
    }
}

Test(checksum, an_empty_book_and_a_missing_side)
{
    void *memory;
    struct book *book = new_book(&memory);
    struct checksum_exps exps = {0, 0};
    struct weir_book_msg msg = {.check = WEIR_CHECK_PAIRS, .px_places = 255, .qty_places = 255};
    cr_expect_eq(checksum_of(book, &exps, &msg), crc(""));
    cr_assert_eq(book_set(book, WEIR_SELL, 7, 2), WEIR_OK);
    cr_assert_eq(book_set(book, WEIR_SELL, 8, 3), WEIR_OK);
    cr_expect_eq(checksum_of(book, &exps, &msg), crc("7:2:8:3"));
    cr_assert_eq(book_set(book, WEIR_BUY, 5, 1), WEIR_OK);
    cr_expect_eq(checksum_of(book, &exps, &msg), crc("5:1:7:2:8:3"));
    free(memory);
}

Test(checksum, a_side_is_kept_as_long_as_said)
{
    void *memory;
    struct book *book = new_book(&memory);
    struct weir_level worst;
    for (int i = 1; i <= 200; i++) { /* near and far of the window of 64 */
        cr_assert_eq(book_set(book, WEIR_BUY, 1000 * i % 100003, i), WEIR_OK);
        cr_assert_eq(book_set(book, WEIR_SELL, 200000 + i * 7, i), WEIR_OK);
    }
    book_keep(book, WEIR_BUY, 150);
    book_keep(book, WEIR_SELL, 10);
    cr_expect(book_levels(book, WEIR_BUY) == 150 && book_levels(book, WEIR_SELL) == 10);
    bool more = book_best(book, WEIR_SELL, &worst);
    cr_expect_eq(worst.px, 200007);
    for (int i = 1; i < 10; i++)
        more = more && book_next(book, WEIR_SELL, worst.px, &worst);
    cr_expect(more && worst.px == 200070 && !book_next(book, WEIR_SELL, worst.px, &worst));
    free(memory);
}
