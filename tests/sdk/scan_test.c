/* scan_test.c - the frame scanner: right on what is right, an error on all else, and never a byte
 * beyond the end (each text stands in a block of exactly its length, and the sanitizer watches). */
#include "weir/scan.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/decimal.h"
#include "support/random.h"

static struct scan scan_exact(const char *text, size_t len, char **block_out)
{
    char *block = malloc(len ? len : 1);
    cr_assert_not_null(block);
    memcpy(block, text, len);
    *block_out = block;
    return scan_of((struct weir_bytes){block, len});
}

/* --- numbers --------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    int exp;
    enum weir_err err;
    int64_t value;
} numbers[] = {
    {"0", 0, WEIR_OK, 0},
    {"-0", 0, WEIR_OK, 0},
    {"0.000", 2, WEIR_OK, 0},
    {"5", 2, WEIR_OK, 500},
    {"61800.20", 2, WEIR_OK, 6180020},
    {"61800.2", 2, WEIR_OK, 6180020},
    {"61800.2000000000000000000000000", 2, WEIR_OK, 6180020},
    {"61800.2000000000000000000000001", 2, WEIR_E_INEXACT, 0},
    {"61800.201", 2, WEIR_E_INEXACT, 0},
    {"0.12345678", 8, WEIR_OK, 12345678},
    {"0.123456789", 8, WEIR_E_INEXACT, 0},
    {"0.1234567890", 9, WEIR_OK, 123456789},
    {"12345678", 0, WEIR_OK, 12345678},
    {"123456789", 0, WEIR_OK, 123456789},
    {"-1234567890123456", 0, WEIR_OK, -1234567890123456},
    {"9223372036854775807", 0, WEIR_OK, INT64_MAX},
    {"-9223372036854775807", 0, WEIR_OK, -INT64_MAX},
    {"9223372036854775808", 0, WEIR_E_OVERFLOW, 0},
    {"-9223372036854775808", 0, WEIR_E_OVERFLOW, 0},
    {"18446744073709551615", 0, WEIR_E_OVERFLOW, 0},
    {"18446744073709551616", 0, WEIR_E_OVERFLOW, 0},
    {"184467440737095516160", 0, WEIR_E_OVERFLOW, 0},
    {"99999999999999999999999999", 0, WEIR_E_OVERFLOW, 0},
    {"00000000000000000000000000000007", 0, WEIR_OK, 7},
    {"0.000000000000000000", 18, WEIR_OK, 0},
    {"9.223372036854775807", 18, WEIR_OK, INT64_MAX},
    {"9.223372036854775808", 18, WEIR_E_OVERFLOW, 0},
    {"10", 18, WEIR_E_OVERFLOW, 0},
    {"92233720368547758.08", 2, WEIR_E_OVERFLOW, 0},
    {"92233720368547758.07", 2, WEIR_OK, INT64_MAX},
    {"", 0, WEIR_E_BAD_NUMBER, 0},
    {"-", 0, WEIR_E_BAD_NUMBER, 0},
    {"--1", 0, WEIR_E_BAD_NUMBER, 0},
    {"+1", 0, WEIR_E_BAD_NUMBER, 0},
    {".5", 1, WEIR_E_BAD_NUMBER, 0},
    {"5.", 1, WEIR_E_BAD_NUMBER, 0},
    {"1e5", 0, WEIR_E_BAD_NUMBER, 0},
    {"1E5", 0, WEIR_E_BAD_NUMBER, 0},
    {"1.5e5", 1, WEIR_E_BAD_NUMBER, 0},
    {"1.2.3", 2, WEIR_E_BAD_NUMBER, 0},
    {"1-2", 0, WEIR_E_BAD_NUMBER, 0},
    {"1x", 0, WEIR_E_BAD_NUMBER, 0},
    {"0x10", 0, WEIR_E_BAD_NUMBER, 0},
    {"NaN", 0, WEIR_E_BAD_NUMBER, 0},
    {"\xEF\xBC\x91", 0, WEIR_E_BAD_NUMBER, 0}, /* a full-width 1 */
    {"null", 0, WEIR_E_BAD_NUMBER, 0},
};

/* text alone, and followed by what may follow a number in a frame */
static void expect_number(size_t i, const char *format)
{
    char text[100], *block;
    int len = snprintf(text, sizeof text, format, numbers[i].text);
    struct scan s = scan_exact(text, (size_t)len, &block);
    int64_t value = scan_decimal(&s, numbers[i].exp);
    cr_expect_eq(s.err, numbers[i].err, "'%s' as 10^-%d: error %d", text, numbers[i].exp, s.err);
    cr_expect_eq(value, numbers[i].value, "'%s' as 10^-%d: %" PRId64, text, numbers[i].exp, value);
    if (!s.err) /* it stops exactly behind the number */
        cr_expect_eq((size_t)(s.at - block),
                     strlen(numbers[i].text) + (text[0] == '"' ? 2 : 0) + (text[0] == ' '), "'%s'",
                     text);
    free(block);
}

Test(scan, a_number_is_exact_or_refused_by_name)
{
    static const char *const formats[] = {"%s",     "%s,",       "%s]",  "%s}1234567",
                                          "\"%s\"", "\"%s\",[1", " %s ", "%s\n]1234567"};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        for (size_t f = 0; f < sizeof formats / sizeof formats[0]; f++)
            expect_number(i, formats[f]);
    static const char *const quoted[] = {"\"1", "\"1 \"", "\" 1\"",      "\"\"",
                                         "\"",  "\"1,\"", "\"1\\u0030\""};
    for (size_t i = 0; i < sizeof quoted / sizeof quoted[0]; i++) {
        char *block;
        struct scan s = scan_exact(quoted[i], strlen(quoted[i]), &block);
        cr_expect_eq(scan_decimal(&s, 0), 0, "%s", quoted[i]);
        cr_expect_eq(s.err, WEIR_E_BAD_NUMBER, "%s", quoted[i]);
        free(block);
    }
}

/* decimal_parse takes numbers apart in another way, and has tests of its own. */
Test(scan, numbers_are_those_of_decimal_parse)
{
    uint64_t state = 1;
    for (int i = 0; i < 100000; i++) {
        char text[64], *at = text, *block;
        size_t whole = random_below(&state, 21), places = random_below(&state, 21);
        if (random_below(&state, 4) == 0)
            *at++ = '-';
        for (size_t k = 0; k < whole; k++)
            *at++ = (char)('0' + random_below(&state, 10));
        if (random_below(&state, 3) > 0) {
            *at++ = '.';
            for (size_t k = 0; k < places; k++)
                *at++ = (char)('0' + (k < 9 ? random_below(&state, 10) : 0));
        }
        *at = '\0';
        int exp = (int)random_below(&state, 19);
        int64_t due = 0;
        enum weir_err err = decimal_parse(text, strlen(text), exp, &due);
        struct scan s = scan_exact(text, strlen(text), &block);
        int64_t value = scan_digits(&s, exp);
        cr_assert_eq(s.err == WEIR_OK, err == WEIR_OK, "'%s' as 10^-%d: error %d, due %d", text,
                     exp, s.err, err);
        cr_assert_eq(value, err ? 0 : due, "'%s' as 10^-%d: %" PRId64, text, exp, value);
        free(block);
    }
}

/* --- frames ---------------------------------------------------------------------------------- */

struct depth {
    int64_t time, first, last;
    int64_t px[2][4], qty[2][4];
    int count[2];
    bool snapshot;
    char symbol[16];
};

static void read_levels(struct scan *s, struct depth *depth, int side)
{
    scan_expect(s, '[');
    for (int first = 1; scan_item(s, &first);) {
        if (depth->count[side] == 4) {
            scan_fail(s, WEIR_E_FULL);
            return;
        }
        int i = depth->count[side]++;
        scan_expect(s, '[');
        depth->px[side][i] = scan_decimal(s, 2);
        scan_expect(s, ',');
        depth->qty[side][i] = scan_decimal(s, 5);
        scan_expect(s, ']');
    }
}

static enum weir_err read_depth(struct scan *s, struct depth *depth)
{
    struct weir_bytes key;
    scan_expect(s, '{');
    for (int first = 1; scan_key(s, &first, &key);) {
        if (scan_is(key, "b") || scan_is(key, "a"))
            read_levels(s, depth, key.data[0] == 'a');
        else if (scan_is(key, "E"))
            depth->time = scan_int(s);
        else if (scan_is(key, "U"))
            depth->first = scan_int(s);
        else if (scan_is(key, "u"))
            depth->last = scan_int(s);
        else if (scan_is(key, "snapshot"))
            depth->snapshot = scan_bool(s);
        else if (scan_is(key, "s")) {
            struct weir_bytes symbol = scan_string(s);
            snprintf(depth->symbol, sizeof depth->symbol, "%.*s", (int)symbol.len, symbol.data);
        } else
            scan_skip(s);
    }
    if (!scan_done(s))
        scan_fail(s, WEIR_E_BAD_FRAME);
    return s->err;
}

static const char *const members[] = {
    "\"E\":1700000000123",
    "\"s\" : \"BTCUSDT\"",
    "\"U\":157",
    "\"u\": 160 ",
    "\"snapshot\":true",
    "\"b\":[[\"61800.20\",\"0.5\"],[\"61800.1\",\"0.00000\"]]",
    "\"a\":[ [ 61801.00 , 1.00001 ] ]",
    "\"skip\":{\"x\":[{},[],\"]}\\\"\",-1.5e7,null,{\"y\":{\"z\":[true,false]}}],\"\\\\\":1}",
};
enum { MEMBERS = sizeof members / sizeof members[0] };

static size_t frame_of(const int *order, char *frame, size_t room)
{
    size_t len = (size_t)snprintf(frame, room, "{");
    for (int i = 0; i < MEMBERS; i++)
        len += (size_t)snprintf(frame + len, room - len, "%s%s", i ? "," : "", members[order[i]]);
    return len + (size_t)snprintf(frame + len, room - len, "}");
}

static void expect_depth(const struct depth *depth, const char *frame)
{
    cr_assert(depth->time == 1700000000123 && depth->first == 157 && depth->last == 160 &&
                  depth->snapshot && strcmp(depth->symbol, "BTCUSDT") == 0,
              "%s", frame);
    cr_assert(depth->count[0] == 2 && depth->px[0][0] == 6180020 && depth->qty[0][0] == 50000 &&
                  depth->px[0][1] == 6180010 && depth->qty[0][1] == 0,
              "%s", frame);
    cr_assert(depth->count[1] == 1 && depth->px[1][0] == 6180100 && depth->qty[1][0] == 100001,
              "%s", frame);
}

Test(scan, members_come_in_any_order)
{
    char frame[600], *block;
    int order[MEMBERS];
    uint64_t state = 1;
    for (int i = 0; i < MEMBERS; i++)
        order[i] = i;
    for (int round = 0; round < 2000; round++) {
        for (int i = MEMBERS - 1; i > 0; i--) {
            int j = (int)random_below(&state, (uint64_t)i + 1), held = order[i];
            order[i] = order[j];
            order[j] = held;
        }
        size_t len = frame_of(order, frame, sizeof frame);
        struct scan s = scan_exact(frame, len, &block);
        struct depth depth = {0};
        cr_assert_eq(read_depth(&s, &depth), WEIR_OK, "%s", frame);
        expect_depth(&depth, frame);
        free(block);
    }
}

Test(scan, a_frame_that_is_cut_or_goes_on_is_an_error)
{
    static const int order[MEMBERS] = {0, 1, 2, 3, 4, 5, 6, 7};
    char frame[600], *block;
    size_t len = frame_of(order, frame, sizeof frame - 1);
    frame[len] = ']';
    for (size_t cut = 0; cut <= len + 1; cut++) {
        struct scan s = scan_exact(frame, cut, &block);
        struct depth depth = {0};
        enum weir_err err = read_depth(&s, &depth);
        cr_expect_eq(err == WEIR_OK, cut == len, "cut at %zu of %zu: error %d", cut, len, err);
        cr_expect_eq(s.at, s.end);
        free(block);
    }
}

Test(scan, hostile_bytes_stay_inside)
{
    static const int order[MEMBERS] = {5, 7, 6, 1, 0, 2, 3, 4};
    static const char telling[] = "\"\\{}[]:,0123456789.-+eE tfn\n\0\xFF\x80";
    char frame[600], *block;
    size_t len = frame_of(order, frame, sizeof frame);
    uint64_t state = 1;
    unsigned refused = 0;
    for (int i = 0; i < 30000; i++) {
        char bytes[600];
        memcpy(bytes, frame, len);
        for (uint64_t n = 1 + random_below(&state, 3); n > 0; n--)
            bytes[random_below(&state, len)] = telling[random_below(&state, sizeof telling)];
        size_t cut = random_below(&state, 2) ? len : random_below(&state, len);
        struct scan s = scan_exact(bytes, cut, &block);
        struct depth depth = {0};
        refused += read_depth(&s, &depth) != WEIR_OK;
        cr_assert(s.at <= s.end);
        free(block);
    }
    cr_expect_gt(refused, 15000u);
}

/* --- the pieces ------------------------------------------------------------------------------ */

static const struct {
    const char *text;
    bool good;
    const char *rest; /* what is left when it is good */
} skips[] = {
    {"1", true, ""},
    {"-1.5e+7,", true, ","},
    {"null]", true, "]"},
    {"\"a\\\"b\" x", true, " x"},
    {"\"\\\\\",", true, ","},
    {"{}", true, ""},
    {"[]x", true, "x"},
    {"[[[]]],1", true, ",1"},
    {"{\"a\":[1,{\"b\":\"}\"}]}", true, ""},
    {" [ ] ", true, " "},
    {"", false, NULL},
    {"]", false, NULL},
    {"}", false, NULL},
    {",", false, NULL},
    {":", false, NULL},
    {"[", false, NULL},
    {"{", false, NULL},
    {"[}", false, NULL},
    {"{]", false, NULL},
    {"[{]}", false, NULL},
    {"[1:2]", false, NULL},
    {"[1", false, NULL},
    {"\"", false, NULL},
    {"\"\\", false, NULL},
    {"\"\\\"", false, NULL},
    {"[\"\\", false, NULL},
    {"'a'", false, NULL},
    {"[%]", false, NULL},
    {"\x80", false, NULL},
};

Test(scan, a_value_that_is_passed_over_ends_where_it_ends)
{
    char *block;
    for (size_t i = 0; i < sizeof skips / sizeof skips[0]; i++) {
        size_t len = strlen(skips[i].text);
        struct scan s = scan_exact(skips[i].text, len, &block);
        scan_skip(&s);
        cr_expect_eq(scan_ok(&s), skips[i].good, "'%s'", skips[i].text);
        if (skips[i].good)
            cr_expect_eq((size_t)(s.end - s.at), strlen(skips[i].rest), "'%s'", skips[i].text);
        else
            cr_expect_eq(s.err, WEIR_E_BAD_FRAME, "'%s'", skips[i].text);
        free(block);
    }
    for (int depth = 60; depth < 70; depth++) {
        char text[140];
        for (int i = 0; i < depth; i++) {
            text[i] = i % 2 ? '{' : '[';
            text[2 * depth - 1 - i] = i % 2 ? '}' : ']';
        }
        struct scan s = scan_exact(text, 2 * (size_t)depth, &block);
        scan_skip(&s);
        cr_expect_eq(scan_done(&s), depth <= 64, "%d levels", depth);
        free(block);
    }
}

Test(scan, an_error_stays_and_everything_after_it_is_nothing)
{
    char *block;
    struct weir_bytes key = {0};
    int first = 1;
    struct scan s = scan_exact("{\"a\":x,\"b\":1}", 13, &block);
    scan_expect(&s, '{');
    cr_expect(scan_key(&s, &first, &key) && scan_is(key, "a"));
    cr_expect_eq(scan_decimal(&s, 2), 0);
    cr_expect_eq(s.err, WEIR_E_BAD_NUMBER);
    cr_expect_not(scan_key(&s, &first, &key));
    cr_expect_not(scan_item(&s, &first));
    cr_expect_eq(scan_int(&s), 0);
    cr_expect_not(scan_bool(&s));
    cr_expect_eq(scan_string(&s).len, 0u);
    scan_skip(&s);
    scan_expect(&s, '}');
    cr_expect_not(scan_done(&s));
    cr_expect_eq(s.err, WEIR_E_BAD_NUMBER, "the first error is the one that is told");
    free(block);
    s = scan_of((struct weir_bytes){NULL, 0});
    cr_expect(scan_done(&s), "nothing is no error by itself");
    scan_skip(&s);
    cr_expect_eq(s.err, WEIR_E_BAD_FRAME);
}

Test(scan, objects_and_arrays_have_their_commas)
{
    static const struct {
        const char *text;
        int items;
    } lists[] = {{"[]", 0},
                 {"[ ]", 0},
                 {"[1]", 1},
                 {"[1 , 2,3 ]", 3},
                 {"[1,]", -1},
                 {"[,1]", -1},
                 {"[1 2]", -1},
                 {"[1,,2]", -1},
                 {"[1", -1},
                 {"[1}", -1},
                 {"[", -1},
                 {"", -1},
                 {"{}", 0},
                 {"{\"a\":1}", 1},
                 {"{ \"a\" : 1 , \"b\" : 2 }", 2},
                 {"{\"a\":1,}", -1},
                 {"{,\"a\":1}", -1},
                 {"{\"a\" 1}", -1},
                 {"{\"a\":}", -1},
                 {"{\"a\"}", -1},
                 {"{a:1}", -1},
                 {"{\"a\":1 \"b\":2}", -1},
                 {"{\"a\":1]", -1},
                 {"{\"a\":1}}", -1}};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        char *block;
        int first = 1, items = 0;
        struct weir_bytes key;
        struct scan s = scan_exact(lists[i].text, strlen(lists[i].text), &block);
        bool object = scan_try(&s, '{');
        if (!object)
            scan_expect(&s, '[');
        while (object ? scan_key(&s, &first, &key) : scan_item(&s, &first)) {
            (void)scan_int(&s);
            items++;
        }
        cr_expect_eq(scan_done(&s) ? items : -1, lists[i].items, "'%s'", lists[i].text);
        free(block);
    }
}
