/* object.h - members of a JSON object by name, for answers and reports that are not on a hot path.
 *
 * An object is a slice of a text that was checked whole (object_ok): brackets match and strings end. Each
 * look-up runs from its beginning. Nothing is copied; nothing is a binary floating point number. */
#ifndef BINANCE_OBJECT_H
#define BINANCE_OBJECT_H

#include "weir/scan.h"

/* It is one whole JSON value and nothing behind it. */
static inline bool object_ok(struct weir_bytes text)
{
    struct scan scan = scan_of(text);
    scan_skip(&scan);
    return scan_done(&scan);
}

static inline char object_kind(struct weir_bytes value)
{
    struct scan scan = scan_of(value);
    return scan_peek(&scan);
}

/* The value of a member, as it stands there. Empty: it is absent, or this is no object. */
static inline struct weir_bytes object_get(struct weir_bytes object, const char *name)
{
    struct scan scan = scan_of(object);
    struct weir_bytes key;
    int first = 1;
    if (!scan_try(&scan, '{'))
        return (struct weir_bytes){object.data, 0};
    while (scan_key(&scan, &first, &key)) {
        (void)scan_peek(&scan);
        const char *from = scan.at;
        scan_skip(&scan);
        if (scan_ok(&scan) && scan_is(key, name))
            return (struct weir_bytes){from, (size_t)(scan.at - from)};
    }
    return (struct weir_bytes){object.data, 0};
}

/* The inside of a string, or the text of a number or word; null is empty. */
static inline struct weir_bytes object_word(struct weir_bytes value)
{
    if (value.len >= 2 && value.data[0] == '"')
        return (struct weir_bytes){value.data + 1, value.len - 2};
    if (scan_is(value, "null"))
        value.len = 0;
    return value;
}

static inline struct weir_bytes object_text(struct weir_bytes object, const char *name)
{
    return object_word(object_get(object, name));
}

static inline bool object_is(struct weir_bytes object, const char *name, const char *text)
{
    return scan_is(object_text(object, name), text);
}

/* A whole number; `otherwise` where there is none. */
static inline int64_t object_int(struct weir_bytes object, const char *name, int64_t otherwise)
{
    struct weir_bytes text = object_text(object, name);
    struct scan scan = scan_of(text);
    int64_t value = text.len > 0 ? scan_digits_checked(&scan, 0) : otherwise;
    return text.len > 0 && scan_done(&scan) ? value : otherwise;
}

/* A decimal in counts of 10^-exp; absent is 0; one that does not fit makes *good false. */
static inline int64_t object_decimal(struct weir_bytes object, const char *name, int exp,
                                     bool *good)
{
    struct weir_bytes text = object_text(object, name);
    struct scan scan = scan_of(text);
    if (exp < 0 || exp > 18)
        *good = false;
    if (text.len == 0 || exp < 0 || exp > 18)
        return 0;
    int64_t value = scan_digits_checked(&scan, exp);
    if (!scan_done(&scan))
        *good = false;
    return scan_ok(&scan) ? value : 0;
}

/* The next element of an array that was entered with '['; false at its end. */
static inline bool object_next(struct scan *scan, int *first, struct weir_bytes *element_out)
{
    if (!scan_item(scan, first))
        return false;
    (void)scan_peek(scan);
    const char *from = scan->at;
    scan_skip(scan);
    *element_out = (struct weir_bytes){from, (size_t)(scan->at - from)};
    return scan_ok(scan);
}

/* As a text that ends; cut where there is no room. */
static inline void object_copy(struct weir_bytes text, char *to, size_t room)
{
    size_t len = text.len < room ? text.len : room - 1;
    if (len > 0)
        memcpy(to, text.data, len);
    memset(to + len, 0, room - len);
}

#endif
