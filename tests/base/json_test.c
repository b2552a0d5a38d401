/* json_test.c - what is JSON is read exactly; what is not is refused with its place. */
#include "base/json.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "support/random.h"

/* The text in a block of its own length, so that the sanitizer sees its end. */
static cJSON *read_exact(const char *text, size_t len, struct why *why)
{
    char *exact = malloc(len ? len : 1);
    cr_assert_not_null(exact);
    memcpy(exact, text, len);
    cJSON *root = json_read(exact, len, why);
    free(exact);
    return root;
}

static const char *const good[] = {
    "null",
    "true",
    "false",
    "0",
    "-0",
    "-1",
    "10",
    "0.5",
    "-0.5e+10",
    "1E3",
    "1e-3",
    "1.000",
    "123456789012345678901234567890",
    "\"\"",
    "\"a\"",
    " \t\r\n 1 \t\r\n ",
    "[]",
    "{}",
    "[ ]",
    "{ }",
    "[1,2,[3,[4]]]",
    "{\"a\":{\"a\":{\"a\":1}}}",
    "{\"a\":1,\"A\":2,\"\":3}",
    "[{\"a\":1},{\"a\":1}]",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
    "\"\\u00e9\\uD83D\\uDE00\\uABCD\"",
    "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"",
    "\"\x7F\"",
    "[1 , 2]",
    "{\"a\" : 1 , \"b\" : [ ] }",
};

static const struct {
    const char *text;
    const char *place; /* line:column */
    const char *says;
} bad[] = {
    {"", "1:1", "the text ends where a value"},
    {" \n ", "2:2", "the text ends"},
    {"nul", "1:1", "expected a value"},
    {"True", "1:1", "found 'T'"},
    {"nan", "1:1", "expected a value"},
    {"NaN", "1:1", "expected a value"},
    {"Infinity", "1:1", "expected a value"},
    {"-Infinity", "1:2", "expected a digit"},
    {"undefined", "1:1", "expected a value"},
    {"nullx", "1:5", "expected the end of the text, found 'x'"},
    {"1 2", "1:3", "expected the end"},
    {"{} {}", "1:4", "expected the end"},
    {"{}x", "1:3", "expected the end"},
    {"[1]]", "1:4", "expected the end"},
    {"01", "1:1", "must not begin with a zero"},
    {"-01", "1:1", "must not begin with a zero"},
    {"00", "1:1", "must not begin with a zero"},
    {"1.", "1:3", "ends where a digit"},
    {"[1.]", "1:4", "expected a digit, found ']'"},
    {".5", "1:1", "expected a value"},
    {"-", "1:2", "ends where a digit"},
    {"-.5", "1:2", "expected a digit"},
    {"+1", "1:1", "expected a value, found '+'"},
    {"1e", "1:3", "ends where a digit"},
    {"1e+", "1:4", "ends where a digit"},
    {"1.e5", "1:3", "expected a digit, found 'e'"},
    {"0x10", "1:2", "expected the end"},
    {"1_000", "1:2", "expected the end"},
    {"[1,]", "1:4", "expected a value, found ']'"},
    {"[,1]", "1:2", "expected a value, found ','"},
    {"[1,,2]", "1:4", "expected a value, found ','"},
    {"[1 2]", "1:4", "expected ',' or ']'"},
    {"[1", "1:3", "ends where ',' or ']'"},
    {"[", "1:2", "ends where a value"},
    {"]", "1:1", "expected a value"},
    {"{", "1:2", "ends where a string"},
    {"}", "1:1", "expected a value"},
    {"{1:2}", "1:2", "expected a string, found '1'"},
    {"{a:2}", "1:2", "expected a string, found 'a'"},
    {"{'a':2}", "1:2", "expected a string"},
    {"{\"a\"}", "1:5", "expected ':'"},
    {"{\"a\":}", "1:6", "expected a value"},
    {"{\"a\" 1}", "1:6", "expected ':'"},
    {"{\"a\":1,}", "1:8", "expected a string, found '}'"},
    {"{\"a\":1 \"b\":2}", "1:8", "expected ',' or '}'"},
    {"{\"a\":1]", "1:7", "expected ',' or '}'"},
    {"[1}", "1:3", "expected ',' or ']'"},
    {"{\n \"a\": 1,\n \"b\": 2,\n \"a\": 3}", "4:2", "the key \"a\" is here twice"},
    {"{\"a\":1,\"\\u0061\":2}", "1:8", "the key \"a\" is here twice"},
    {"{\"\":1,\"\":2}", "1:7", "is here twice"},
    {"[{\"k\":{\"x\":1,\"y\":2,\"x\":3}}]", "1:20", "the key \"x\" is here twice"},
    {"'a'", "1:1", "expected a value"},
    {"\"a", "1:3", "the text ends"},
    {"\"a\\", "1:4", "the text ends"},
    {"\"\\x41\"", "1:3", "after a backslash"},
    {"\"\\'\"", "1:3", "after a backslash"},
    {"\"\\u12\"", "1:6", "expected a hexadecimal digit"},
    {"\"\\u12G4\"", "1:6", "expected a hexadecimal digit"},
    {"\"\\u", "1:4", "ends where a hexadecimal digit"},
    {"\"\\u0000\"", "1:2", "NUL"},
    {"\"\\uD800\"", "1:2", "first half of a surrogate pair"},
    {"\"\\uD800x\"", "1:2", "first half of a surrogate pair"},
    {"\"\\uD800\\n\"", "1:2", "first half of a surrogate pair"},
    {"\"\\uD800\\u0041\"", "1:2", "first half of a surrogate pair"},
    {"\"\\uD800\\uE000\"", "1:2", "first half of a surrogate pair"},
    {"\"\\uD800\\uD800\"", "1:2", "first half of a surrogate pair"},
    {"\"\\uDC00\"", "1:2", "second half of a surrogate pair"},
    {"\"a\nb\"", "1:3", "found byte 0x0A"},
    {"\"a\tb\"", "1:3", "found byte 0x09"},
    {"\"\x80\"", "1:2", "expected UTF-8, found byte 0x80"},
    {"\"\xC3\"", "1:2", "expected UTF-8"},
    {"\"\xC0\xAF\"", "1:2", "expected UTF-8"},         /* overlong */
    {"\"\xE0\x80\xAF\"", "1:2", "expected UTF-8"},     /* overlong */
    {"\"\xF0\x80\x80\xAF\"", "1:2", "expected UTF-8"}, /* overlong */
    {"\"\xED\xA0\x80\"", "1:2", "expected UTF-8"},     /* a surrogate */
    {"\"\xF4\x90\x80\x80\"", "1:2", "expected UTF-8"}, /* over U+10FFFF */
    {"\"\xF8\x88\x80\x80\x80\"", "1:2", "expected UTF-8"},
    {"\xEF\xBB\xBF{}", "1:1", "expected a value"}, /* a byte order mark */
    {"// c\n1", "1:1", "expected a value"},
    {"/* c */1", "1:1", "expected a value"},
    {"[1, # c\n2]", "1:5", "expected a value"},
    {"\x0B"
     "1",
     "1:1", "found byte 0x0B"},
    {"\xC2\xA0"
     "1",
     "1:1", "expected a value"}, /* no-break space */
    {"{\"a\":\n  tru}", "2:3", "expected a value"},
};

Test(json, what_is_not_json_is_refused_at_its_place)
{
    struct why why;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        cJSON *root = read_exact(good[i], strlen(good[i]), &why);
        cr_expect_not_null(root, "'%s' was refused: %s", good[i], why.text);
        cJSON_Delete(root);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        why = (struct why){WEIR_OK, ""};
        cJSON *root = read_exact(bad[i].text, strlen(bad[i].text), &why);
        cr_expect_null(root, "'%s' was taken", bad[i].text);
        size_t len = strlen(bad[i].place);
        cr_expect(strncmp(why.text, bad[i].place, len) == 0 && why.text[len] == ':' &&
                      strstr(why.text, bad[i].says),
                  "'%s': says '%s', due %s: ... %s", bad[i].text, why.text, bad[i].place,
                  bad[i].says);
        cr_expect_eq(why.err, WEIR_E_BAD_FRAME, "'%s'", bad[i].text);
        cJSON_Delete(root);
    }
    cr_expect_null(read_exact("[1]\0", 4, &why), "a NUL at the end");
    cr_expect_null(read_exact("\"a\0b\"", 5, &why), "a NUL inside");
    cr_expect_null(read_exact("x", 1, NULL), "why may be left out");
}

Test(json, nesting_ends_at_64_levels)
{
    char text[200];
    struct why why;
    for (int depth = 1; depth <= 70; depth++) {
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        cJSON *root = read_exact(text, 2 * (size_t)depth, &why);
        cr_expect_eq(root != NULL, depth <= 64, "%d levels", depth);
        cJSON_Delete(root);
    }
    char *deep = malloc(1000000);
    memset(deep, '[', 1000000);
    cr_expect_null(json_read(deep, 1000000, &why), "a million levels");
    cr_expect_str_eq(why.text, "1:65: more than 64 levels of nesting");
    free(deep);
}

Test(json, a_document_that_is_cut_anywhere_is_refused)
{
    static const char text[] =
        "{\"a\": [1, -2.5e3, \"x\\u00e9\\n\", true, null], \"b\": {\"c\": \"\xE2\x82\xAC\"}}";
    struct why why;
    for (size_t len = 0; len < sizeof text - 1; len++) {
        cJSON *root = read_exact(text, len, &why);
        cr_expect_null(root, "cut at %zu", len);
        cJSON_Delete(root);
    }
    uint64_t state = 1; /* and hostile bytes: nothing is read outside, nothing leaks */
    for (int i = 0; i < 20000; i++) {
        char bytes[sizeof text];
        memcpy(bytes, text, sizeof text);
        for (uint64_t n = 1 + random_below(&state, 3); n > 0; n--)
            bytes[random_below(&state, sizeof text - 1)] = (char)random_next(&state);
        cJSON_Delete(read_exact(bytes, sizeof text - 1, &why));
    }
}

Test(json, many_keys_are_told_apart)
{
    struct text t;
    struct why why;
    text_init(&t);
    json_object(&t);
    for (int i = 0; i < 3000; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        json_key(&t, key);
        json_int(&t, i);
    }
    json_end(&t);
    cJSON *root = json_read(t.data, t.len, &why);
    cr_expect_not_null(root, "%s", why.text);
    cJSON_Delete(root);
    t.data[t.len - 1] = ',';
    text_say(&t, "\"k1700\":0}");
    cr_expect_null(json_read(t.data, t.len, &why));
    cr_expect_not_null(strstr(why.text, "\"k1700\" is here twice"), "%s", why.text);
    text_fini(&t);
}

static const struct {
    const char *text;
    bool whole;
    int64_t value;
} numbers[] = {
    {"0", true, 0},
    {"-0", true, 0},
    {"42", true, 42},
    {"-42", true, -42},
    {"7.0", true, 7},
    {"9007199254740991", true, 9007199254740991},
    {"9007199254740992", true, 9007199254740992},
    {"-9007199254740992", true, -9007199254740992},
    {"9007199254740993", false, 0},
    {"-9007199254740993", false, 0},
    {"9223372036854775808", false, 0},
    {"1.5", false, 0},
    {"0.99999999999999999999", false, 0},
    {"4503599627370497.4", false, 0},
    {"1e3", false, 0},
    {"1e400", false, 0},
    {"99999999999999999999999999999999", false, 0},
    {"\"1\"", false, 0},
    {"true", false, 0},
    {"null", false, 0},
    {"[1]", false, 0},
};

Test(json, a_number_keeps_its_text)
{
    struct why why;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char text[100];
        int64_t value = 4711;
        snprintf(text, sizeof text, "{\"a\": [0, %s]}", numbers[i].text);
        cJSON *root = json_read(text, strlen(text), &why);
        cr_assert_not_null(root, "%s: %s", text, why.text);
        const cJSON *item = cJSON_GetArrayItem(json_get(root, "a"), 1);
        cr_expect_eq(json_whole(item, &value), numbers[i].whole, "%s", numbers[i].text);
        cr_expect_eq(value, numbers[i].whole ? numbers[i].value : 4711, "%s", numbers[i].text);
        if (cJSON_IsNumber(item))
            cr_expect_str_eq(json_digits(item), numbers[i].text);
        else
            cr_expect_null(json_digits(item));
        cJSON_Delete(root);
    }
    char digits[200];
    memset(digits, '1', sizeof digits);
    cr_expect_null(json_read(digits, sizeof digits, &why));
    cr_expect_not_null(strstr(why.text, "1:1: a number of more than"), "%s", why.text);
    int64_t value;
    cr_expect_not(json_whole(NULL, &value));
}

Test(json, members_are_found_by_their_exact_name)
{
    static const char text[] = "{\"qty\": \"1\", \"Qty\": \"2\", \"px\": 3}";
    static const char *const all[] = {"qty", "Qty", "px", NULL}, *const some[] = {"qty", "px",
                                                                                  NULL};
    struct why why;
    cJSON *root = json_read(text, strlen(text), &why);
    cr_assert_not_null(root);
    cr_expect_str_eq(json_text(root, "qty", "no"), "1");
    cr_expect_str_eq(json_text(root, "Qty", "no"), "2");
    cr_expect_str_eq(json_text(root, "QTY", "no"), "no");
    cr_expect_str_eq(json_text(root, "px", "not a text"), "not a text");
    cr_expect_null(json_get(root, "PX"));
    cr_expect_eq(json_only(root, all, &why), WEIR_OK);
    cr_expect_eq(json_only(root, some, &why), WEIR_E_BAD_CONFIG);
    cr_expect_str_eq(why.text, "unknown member \"Qty\"; known are: qty, px");
    cr_expect_eq(json_only(json_get(root, "px"), some, &why), WEIR_E_BAD_CONFIG);
    cJSON_Delete(root);
}

Test(json, a_file_is_read_and_named_when_it_is_wrong)
{
    char path[] = "json_test_XXXXXX";
    struct why why;
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, "{\"a\": 1}\n", 9), 9);
    cJSON *root = json_read_file(path, &why);
    cr_expect_not_null(root);
    cJSON_Delete(root);
    cr_assert_eq(write(fd, "x", 1), 1);
    close(fd);
    cr_expect_null(json_read_file(path, &why));
    cr_expect(strncmp(why.text, path, strlen(path)) == 0 &&
                  strstr(why.text, ": 2:1: expected the end of the text, found 'x'"),
              "%s", why.text);
    unlink(path);
    cr_expect_null(json_read_file(path, &why));
    cr_expect_eq(why.err, WEIR_E_IO);
    cr_expect_not_null(strstr(why.text, "No such file"), "%s", why.text);
    cr_expect_null(json_read_file("/", &why), "a folder");
    cr_expect_eq(why.err, WEIR_E_IO);
}
