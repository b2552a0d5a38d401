/* number.c - any bytes as a number: the scanner and the two parsers say the same about it, and what
 * is printed is read back. The first byte chooses the exponent. */
#include <assert.h>
#include <string.h>

#include "base/decimal.h"
#include "weir/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void scanned_the_same(const char *text, size_t len, int exp, enum weir_err due,
                             int64_t value)
{
    struct scan s = scan_of((struct weir_bytes){text, len});
    int64_t scanned = scan_digits(&s, exp);
    bool whole = scan_ok(&s) && s.at == s.end;
    assert(whole == (due == WEIR_OK));
    assert(!whole || scanned == value);
}

static void an_amount_too(const char *text, size_t len, int exp, int64_t value)
{
    amount wide;
    int64_t again = 0;
    enum weir_err err = amount_parse(text, len, &wide);
    assert(err == WEIR_OK && wide == amount_from(value, exp));
    bool fits = amount_to(wide, exp, &again);
    assert(fits && again == value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    const char *text = (const char *)data + 1;
    int exp = data[0] % 19;
    int64_t value = 0, again = 0;
    enum weir_err err = decimal_parse(text, len - 1, exp, &value);
    scanned_the_same(text, len - 1, exp, err, value);
    assert((decimal_places(text, len - 1) < 0) == (err == WEIR_E_BAD_NUMBER));
    if (err == WEIR_OK) {
        char printed[DECIMAL_TEXT_MAX];
        size_t printed_len = decimal_print(value, exp, printed);
        err = decimal_parse(printed, printed_len, exp, &again);
        assert(err == WEIR_OK && again == value);
        an_amount_too(text, len - 1, exp, value);
    }
    return 0;
}
