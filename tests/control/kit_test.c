/* kit_test.c - what `weir plugin check` takes for the same number and the same word. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "control/kit/honest.h"

static struct weir_bytes bytes(const char *text)
{
    return (struct weir_bytes){text, strlen(text)};
}

Test(kit, a_number_is_found_however_it_is_written)
{
    static const struct {
        const char *text;
        int64_t value;
        int exp;
        bool found;
    } rows[] = {
        {"{\"px\":\"100.50\"}", 10050, 2, true},
        {"{\"px\":100.5}", 10050, 2, true},
        {"0.00000005", 5, 8, true},
        {"5e-8", 5, 8, true},
        {"1.5E+2", 150, 0, true},
        {"1005", 10050, 2, false},
        {"10.05", 10050, 2, false},
        {"100.51", 10050, 2, false},
        {"1100.50", 10050, 2, false},
        {"a=1&q=3.0000", 3, 0, true},
        {"99999999999999999999999999999999999999999999", INT64_MAX, 0, false},
        {"", 1, 0, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(honest_number(bytes(rows[i].text), rows[i].value, rows[i].exp), rows[i].found,
                     "%s", rows[i].text);
    int64_t raw[2] = {7, 123456789};
    cr_expect(honest_number((struct weir_bytes){(const char *)raw, sizeof raw}, 123456789, 3));
    cr_expect_not(honest_number((struct weir_bytes){(const char *)raw, sizeof raw}, 12345678, 3));
}

Test(kit, a_word_is_a_whole_word)
{
    static const struct {
        const char *text, *word;
        bool found;
    } rows[] = {
        {"\"BTC-USD\"", "BTC-USD", true},
        {"\"BTC-USDT\"", "BTC-USD", false},
        {"trades_btcusd", "btcusd", true},
        {"XBTC-USD BTC-USD", "BTC-USD", true},
        {"\"exec\":9001", "9001", true},
        {"\"exec\":90011", "9001", false},
        {"", "a", false},
        {"a", "", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(honest_text(bytes(rows[i].text), rows[i].word), rows[i].found, "%s in %s",
                     rows[i].word, rows[i].text);
}

Test(kit, recordings_that_cannot_be_are_refused_with_their_name)
{
    struct kit_lines *lines = calloc(1, sizeof *lines);
    struct why why = {0};
    cr_assert_eq(kit_lines_read(SOURCE_DIR "/tests/plugins_bad/recorded", lines, &why), WEIR_OK);
    cr_expect_eq(lines->count, 6);
    cr_expect_eq(lines->of_orders, 4);
    cr_expect_eq(lines->line[0].tells, WEIR_TRADE);
    cr_expect_eq(lines->line[3].tells, WEIR_FILL);
    kit_lines_free(lines);
    memset(lines, 0, sizeof *lines);
    cr_expect_eq(kit_lines_read(SOURCE_DIR "/tests/plugins_bad", lines, &why), WEIR_E_BAD_FRAME);
    cr_expect(strstr(why.text, "expected a name that ends in .http, .ws or .bin"), "%s", why.text);
    kit_lines_free(lines);
    memset(lines, 0, sizeof *lines);
    cr_expect_eq(kit_lines_read(SOURCE_DIR "/nowhere", lines, &why), WEIR_E_IO);
    kit_lines_free(lines);
    free(lines);
}
