/* scan.c - any bytes as a frame: passed over whole or refused, and never a byte outside. What the
 * strict reader takes (json.h), the scanner passes over as one value. */
#include "weir/scan.h"

#include <assert.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* As a decoder walks: members and elements by name, and numbers where they stand. */
static void walk(struct scan *s, int depth)
{
    struct weir_bytes key;
    int first = 1;
    char c = scan_peek(s);
    if (depth < 8 && c == '{') {
        scan_expect(s, '{');
        while (scan_key(s, &first, &key))
            walk(s, depth + 1);
    } else if (depth < 8 && c == '[') {
        scan_expect(s, '[');
        while (scan_item(s, &first))
            walk(s, depth + 1);
    } else if (c == 't' || c == 'f') {
        (void)scan_bool(s);
    } else if (c == '-' || (c >= '0' && c <= '9')) {
        (void)scan_decimal(s, depth);
    } else {
        scan_skip(s);
    }
    assert(s->at <= s->end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct weir_bytes frame = {(const char *)data, len};
    struct scan walked = scan_of(frame), skipped = scan_of(frame);
    walk(&walked, 0);
    scan_skip(&skipped);
    cJSON *root = json_read(frame.data, frame.len, NULL);
    assert(root == NULL || scan_done(&skipped));
    cJSON_Delete(root);
    return 0;
}
