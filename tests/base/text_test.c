/* text_test.c - what the JSON writer writes is read back as what was meant, or it says it failed. */
#include "base/text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "support/random.h"

Test(text, it_grows_and_is_always_terminated)
{
    struct text t;
    text_init(&t);
    cr_expect_str_eq(text_cstr(&t), "");
    for (int i = 0; i < 5000; i++) {
        text_say(&t, "%d,", i);
        text_add(&t, ";;", 1);
        cr_assert_eq(strlen(text_cstr(&t)), t.len);
    }
    cr_expect(text_ok(&t));
    cr_expect(strncmp(t.data, "0,;1,;2,;", 9) == 0);
    text_add(&t, NULL, 0);
    cr_expect(text_ok(&t));
    text_fini(&t);
    cr_expect_str_eq(text_cstr(&t), "", "usable again");
    text_fini(&t);
    text_say(&t, "%0*d", 1000, 7); /* longer than the first room */
    cr_expect_eq(t.len, 1000u);
    text_fini(&t);
    text_add(&t, "x", SIZE_MAX - 9);
    cr_expect_not(text_ok(&t), "no memory");
    text_add(&t, "x", 1);
    cr_expect_str_eq(text_cstr(&t), "", "and it stays so");
    text_fini(&t);
}

Test(text, json_is_written_with_its_commas_and_escapes)
{
    struct text t;
    text_init(&t);
    json_object(&t);
    json_key(&t, "a\"b"), json_string(&t, "\\ \" \b\f\n\r\t \x01 \x1F / \x7F \xC3\xA9");
    json_key(&t, "list"), json_array(&t);
    json_int(&t, INT64_MIN), json_uint(&t, UINT64_MAX), json_bool(&t, true), json_bool(&t, false);
    json_null(&t), json_object(&t), json_end(&t), json_array(&t), json_end(&t);
    json_end(&t);
    json_key(&t, "px"), json_decimal(&t, -6180020, 2);
    json_key(&t, "cash"), json_amount(&t, amount_from(5, 1));
    json_key(&t, "ms"), json_number(&t, -12050, 3);
    json_key(&t, "bytes"), json_bytes(&t, "a\0\xFF\xC3", 4);
    json_end(&t);
    cr_expect(text_ok(&t));
    cr_expect_str_eq(text_cstr(&t),
                     "{\"a\\\"b\":\"\\\\ \\\" \\b\\f\\n\\r\\t \\u0001 \\u001f / \x7F \xC3\xA9\","
                     "\"list\":[-9223372036854775808,18446744073709551615,true,false,null,{},[]],"
                     "\"px\":\"-61800.2\",\"cash\":\"0.5\",\"ms\":-12.05,"
                     "\"bytes\":\"a\\u0000\xEF\xBF\xBD\xEF\xBF\xBD\"}");
    text_fini(&t);
}

/* What would not be JSON: each row is one way to go wrong. */
enum wrong {
    TWO_ROOTS,
    NO_KEY,
    KEY_IN_ARRAY,
    KEY_OUTSIDE,
    TWO_KEYS,
    END_AFTER_KEY,
    END_TOO_MANY,
    DEEP,
    WRONGS
};

static void go_wrong(struct text *t, enum wrong wrong)
{
    switch (wrong) {
    case TWO_ROOTS: json_int(t, 1), json_int(t, 2); break;
    case NO_KEY: json_object(t), json_int(t, 1), json_end(t); break;
    case KEY_IN_ARRAY: json_array(t), json_key(t, "a"), json_int(t, 1), json_end(t); break;
    case KEY_OUTSIDE: json_key(t, "a"); break;
    case TWO_KEYS: json_object(t), json_key(t, "a"), json_key(t, "b"); break;
    case END_AFTER_KEY: json_object(t), json_key(t, "a"), json_end(t); break;
    case END_TOO_MANY: json_array(t), json_end(t), json_end(t); break;
    case DEEP:
        for (int i = 0; i < 65; i++)
            json_array(t);
        break;
    case WRONGS: break;
    }
}

Test(text, what_would_not_be_json_is_told)
{
    for (enum wrong wrong = TWO_ROOTS; wrong < WRONGS; wrong++) {
        struct text t;
        text_init(&t);
        go_wrong(&t, wrong);
        cr_expect_not(text_ok(&t), "case %d", (int)wrong);
        text_fini(&t);
    }
}

/* --- there and back -------------------------------------------------------------------------- */

static size_t random_utf8(uint64_t *state, char *bytes, size_t room)
{
    static const char *const chars[] = {"a",
                                        "Z",
                                        "\"",
                                        "\\",
                                        "\n",
                                        "\x01",
                                        "\x7F",
                                        "/",
                                        "\xC3\xA9",
                                        "\xE2\x82\xAC",
                                        "\xF0\x9F\x98\x80",
                                        "\xED\x9F\xBF",
                                        "\xEE\x80\x80"};
    size_t len = 0;
    for (uint64_t n = random_below(state, 12); n > 0; n--) {
        const char *c = chars[random_below(state, sizeof chars / sizeof chars[0])];
        if (len + strlen(c) >= room)
            break;
        memcpy(bytes + len, c, strlen(c));
        len += strlen(c);
    }
    bytes[len] = '\0';
    return len;
}

static void write_value(struct text *t, uint64_t *state, int depth)
{
    char bytes[64];
    int64_t number;
    switch (random_below(state, depth > 0 ? 7 : 5)) {
    case 0: json_int(t, random_int64(state)); break;
    case 1: random_utf8(state, bytes, sizeof bytes), json_string(t, bytes); break;
    case 2: json_bool(t, random_below(state, 2)); break;
    case 3: json_null(t); break;
    case 4:
        number = random_int64(state);
        json_decimal(t, number, (int)random_below(state, 19));
        break;
    case 5:
        json_array(t);
        for (uint64_t n = random_below(state, 5); n > 0; n--)
            write_value(t, state, depth - 1);
        json_end(t);
        break;
    default:
        json_object(t);
        for (uint64_t n = random_below(state, 5); n > 0; n--) {
            bytes[0] = (char)('a' + n); /* keys differ */
            random_utf8(state, bytes + 1, sizeof bytes - 1);
            json_key(t, bytes);
            write_value(t, state, depth - 1);
        }
        json_end(t);
    }
}

static void expect_value(const cJSON *item, uint64_t *state, int depth)
{
    char bytes[64];
    int64_t number;
    switch (random_below(state, depth > 0 ? 7 : 5)) {
    case 0:
        snprintf(bytes, sizeof bytes, "%ld", (long)random_int64(state));
        cr_assert(cJSON_IsNumber(item));
        cr_assert_str_eq(json_digits(item), bytes);
        break;
    case 1:
        random_utf8(state, bytes, sizeof bytes);
        cr_assert(cJSON_IsString(item));
        cr_assert_str_eq(item->valuestring, bytes);
        break;
    case 2: cr_assert_eq(cJSON_IsTrue(item), (int)random_below(state, 2)); break;
    case 3: cr_assert(cJSON_IsNull(item)); break;
    case 4:
        number = random_int64(state);
        decimal_print(number, (int)random_below(state, 19), bytes);
        cr_assert(cJSON_IsString(item));
        cr_assert_str_eq(item->valuestring, bytes);
        break;
    case 5:
        cr_assert(cJSON_IsArray(item));
        item = item->child;
        for (uint64_t n = random_below(state, 5); n > 0; n--, item = item->next)
            expect_value(item, state, depth - 1);
        cr_assert_null(item);
        break;
    default:
        cr_assert(cJSON_IsObject(item));
        item = item->child;
        for (uint64_t n = random_below(state, 5); n > 0; n--, item = item->next) {
            bytes[0] = (char)('a' + n);
            random_utf8(state, bytes + 1, sizeof bytes - 1);
            cr_assert_str_eq(item->string, bytes);
            expect_value(item, state, depth - 1);
        }
        cr_assert_null(item);
    }
}

Test(text, what_is_written_is_read_back)
{
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        struct text t;
        struct why why;
        uint64_t state = seed;
        text_init(&t);
        write_value(&t, &state, 6);
        cr_assert(text_ok(&t));
        cJSON *root = json_read(t.data, t.len, &why);
        cr_assert_not_null(root, "%s: %s", t.data, why.text);
        state = seed;
        expect_value(root, &state, 6);
        cJSON_Delete(root);
        text_fini(&t);
    }
    uint64_t state = 1; /* any bytes at all become a JSON string */
    for (int i = 0; i < 3000; i++) {
        char bytes[32];
        size_t len = random_below(&state, sizeof bytes);
        for (size_t k = 0; k < len; k++)
            bytes[k] = (char)(1 + random_below(&state, 255));
        struct text t;
        struct why why;
        text_init(&t);
        json_bytes(&t, bytes, len);
        cJSON *root = json_read(t.data, t.len, &why);
        cr_assert_not_null(root, "%s: %s", t.data, why.text);
        cJSON_Delete(root);
        text_fini(&t);
    }
}
