/* scan.h - a bounded, single-pass scanner for market-data frames.
 *
 * It reads JSON text in place, from left to right, never past `end`, and allocates nothing. Numbers
 * become integers of 10^-exp directly; a number that does not fit exactly is an error, never
 * rounded. An error is sticky: after the first one every call does nothing and returns 0, so a
 * decoder checks `scan_ok()` once, at its end. It does not check text it skips beyond nesting and
 * strings. All functions are inline: a plugin needs no library. [any thread] */
#ifndef WEIR_SCAN_H
#define WEIR_SCAN_H

#include <stdbool.h>
#include <string.h>

#include "weir/plugin.h"

struct scan {
    const char *at;
    const char *end;
    enum weir_err err;
};

static inline struct scan scan_of(struct weir_bytes bytes)
{
    return (struct scan){bytes.data, bytes.data + bytes.len, WEIR_OK};
}

static inline bool scan_ok(const struct scan *s) { return s->err == WEIR_OK; }

static inline void scan_fail(struct scan *s, enum weir_err err)
{
    if (s->err == WEIR_OK)
        s->err = err;
    s->at = s->end;
}

static inline void scan_space(struct scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\t' || *s->at == '\r'))
        s->at++;
}

/* The next byte that is not white space, without taking it; 0 at the end. */
static inline char scan_peek(struct scan *s)
{
    scan_space(s);
    return s->at < s->end ? *s->at : '\0';
}

/* Take c if it is next. */
static inline bool scan_try(struct scan *s, char c)
{
    if (scan_peek(s) != c || c == '\0')
        return false;
    s->at++;
    return true;
}

/* Take c, or fail. */
static inline void scan_expect(struct scan *s, char c)
{
    if (!scan_try(s, c))
        scan_fail(s, WEIR_E_BAD_FRAME);
}

/* Nothing but white space is left, and nothing failed. */
static inline bool scan_done(struct scan *s) { return scan_ok(s) && scan_peek(s) == '\0' && s->at == s->end; }

/* The inside of a string, raw: escapes are left as they are (a closing quote is found correctly). */
static inline struct weir_bytes scan_string(struct scan *s)
{
    struct weir_bytes none = {s->end, 0};
    scan_expect(s, '"');
    const char *from = s->at;
    while (s->at < s->end && *s->at != '"')
        s->at += *s->at == '\\' ? 2 : 1;
    if (s->at >= s->end) {
        scan_fail(s, WEIR_E_BAD_FRAME);
        return none;
    }
    return (struct weir_bytes){from, (size_t)(s->at++ - from)};
}

static inline bool scan_is(struct weir_bytes text, const char *word)
{
    size_t len = strlen(word);
    return text.len == len && memcmp(text.data, word, len) == 0;
}

/* The next member's key of an object that was entered with '{'; false at its '}'. first: 1 before
 * the first call, kept by this function. */
static inline bool scan_key(struct scan *s, int *first, struct weir_bytes *key_out)
{
    if (scan_try(s, '}') || !scan_ok(s))
        return false;
    if (!*first)
        scan_expect(s, ',');
    *first = 0;
    *key_out = scan_string(s);
    scan_expect(s, ':');
    return scan_ok(s);
}

/* True while an array that was entered with '[' has another element; false at its ']'. */
static inline bool scan_item(struct scan *s, int *first)
{
    if (scan_try(s, ']') || !scan_ok(s))
        return false;
    if (!*first)
        scan_expect(s, ',');
    *first = 0;
    return scan_ok(s);
}

/* Pass over one value of any kind. */
static inline void scan_skip(struct scan *s)
{
    int depth = 0;
    do {
        char c = scan_peek(s);
        if (c == '"') {
            (void)scan_string(s);
        } else if (c == '{' || c == '[') {
            depth++;
            s->at++;
        } else if (c == '}' || c == ']') {
            if (--depth < 0)
                scan_fail(s, WEIR_E_BAD_FRAME);
            s->at++;
        } else if (c == ',' || c == ':') {
            if (depth == 0)
                scan_fail(s, WEIR_E_BAD_FRAME);
            s->at++;
        } else if (c == '\0') {
            scan_fail(s, WEIR_E_BAD_FRAME);
        } else {
            while (s->at < s->end && !strchr(" \n\t\r,:]}", *s->at))
                s->at++;
        }
        if (!scan_ok(s))
            return;
    } while (depth > 0);
}

/* A plain decimal (optional minus, digits, optional point and digits; no exponent, no plus) as a
 * count of 10^-exp. Zeros beyond exp places are allowed, other digits are E_INEXACT. */
static inline int64_t scan_digits(struct scan *s, int exp)
{
    const char *p = s->at, *end = s->end;
    bool minus = p < end && *p == '-';
    if (minus)
        p++;
    const char *digits = p;
    uint64_t value = 0;
    while (p < end && (unsigned char)(*p - '0') <= 9) {
        if (__builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value)) {
            scan_fail(s, WEIR_E_OVERFLOW);
            return 0;
        }
        p++;
    }
    if (p == digits) {
        scan_fail(s, WEIR_E_BAD_NUMBER);
        return 0;
    }
    if (p < end && *p == '.') {
        const char *point = ++p;
        while (p < end && (unsigned char)(*p - '0') <= 9) {
            if (exp > 0) {
                if (__builtin_mul_overflow(value, 10u, &value) ||
                    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value)) {
                    scan_fail(s, WEIR_E_OVERFLOW);
                    return 0;
                }
                exp--;
            } else if (*p != '0') {
                scan_fail(s, WEIR_E_INEXACT);
                return 0;
            }
            p++;
        }
        if (p == point) {
            scan_fail(s, WEIR_E_BAD_NUMBER);
            return 0;
        }
    }
    for (; exp > 0 && value != 0; exp--)
        if (__builtin_mul_overflow(value, 10u, &value)) {
            scan_fail(s, WEIR_E_OVERFLOW);
            return 0;
        }
    if (value > (uint64_t)INT64_MAX) {
        scan_fail(s, WEIR_E_OVERFLOW);
        return 0;
    }
    s->at = p;
    return minus ? -(int64_t)value : (int64_t)value;
}

/* A decimal that stands in quotes or not: "61800.20" and 61800.20 are the same. */
static inline int64_t scan_decimal(struct scan *s, int exp)
{
    bool quoted = scan_try(s, '"');
    int64_t value = scan_digits(s, exp);
    if (quoted && !(s->at < s->end && *s->at++ == '"'))
        scan_fail(s, WEIR_E_BAD_NUMBER);
    return value;
}

/* A whole number, bare. */
static inline int64_t scan_int(struct scan *s)
{
    scan_space(s);
    return scan_digits(s, 0);
}

/* true or false. */
static inline bool scan_bool(struct scan *s)
{
    scan_space(s);
    size_t left = (size_t)(s->end - s->at);
    if (left >= 4 && memcmp(s->at, "true", 4) == 0) {
        s->at += 4;
        return true;
    }
    if (left >= 5 && memcmp(s->at, "false", 5) == 0) {
        s->at += 5;
        return false;
    }
    scan_fail(s, WEIR_E_BAD_FRAME);
    return false;
}

#endif
