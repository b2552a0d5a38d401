/* json.c - any bytes as JSON: refused in words, or a tree that, printed and read again, is the same. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The tree as text, each number in quotes, so that its digits are kept. */
static void write_tree(struct text *t, const cJSON *item, bool numbers)
{
    if (item->string)
        json_key(t, item->string);
    if (cJSON_IsObject(item) || cJSON_IsArray(item)) {
        cJSON_IsObject(item) ? json_object(t) : json_array(t);
        for (const cJSON *child = item->child; child; child = child->next)
            write_tree(t, child, numbers);
        json_end(t);
    } else if (cJSON_IsNumber(item)) {
        assert(numbers);
        json_string(t, json_digits(item));
    } else if (cJSON_IsString(item)) {
        json_string(t, item->valuestring);
    } else if (cJSON_IsBool(item)) {
        json_bool(t, cJSON_IsTrue(item));
    } else {
        json_null(t);
    }
}

static void read_again(const cJSON *root)
{
    struct text first, second;
    struct why why;
    text_init(&first);
    text_init(&second);
    write_tree(&first, root, true);
    assert(text_ok(&first));
    cJSON *again = json_read(first.data, first.len, &why);
    assert(again);
    write_tree(&second, again, false);
    assert(text_ok(&second) && first.len == second.len &&
           memcmp(first.data, second.data, first.len) == 0);
    cJSON_Delete(again);
    text_fini(&first);
    text_fini(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct why why = {WEIR_OK, ""};
    cJSON *root = json_read((const char *)data, len, &why);
    assert((root == NULL) == (why.err != WEIR_OK));
    assert(root || why.text[0] != '\0');
    if (root)
        read_again(root);
    cJSON_Delete(root);
    return 0;
}
