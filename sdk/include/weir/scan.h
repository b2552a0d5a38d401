/* scan.h - a bounded, single-pass scanner for market-data frames.
 *
 * It reads JSON text in place, from left to right, never past `end`, and allocates nothing. Numbers
 * become integers of 10^-exp directly; a number that does not fit exactly is an error, never
 * rounded. An error is sticky: after the first one every call does nothing and returns 0, so a
 * decoder checks `scan_ok()` once, at its end. Of text that it skips it checks strings, words and
 * the match of brackets, at most 64 levels deep. All functions are inline: a plugin needs no library.
 * [any thread] */
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
    const char *from = bytes.len > 0 ? bytes.data : "";
    return (struct scan){from, from + bytes.len, WEIR_OK};
}

static inline bool scan_ok(const struct scan *s)
{
    return s->err == WEIR_OK;
}

__attribute__((cold)) static inline void scan_fail(struct scan *s, enum weir_err err)
{
    if (s->err == WEIR_OK)
        s->err = err;
    s->at = s->end;
}

static inline void scan_space(struct scan *s)
{
    while (s->at < s->end && (unsigned char)*s->at <= ' ' &&
           (*s->at == ' ' || *s->at == '\n' || *s->at == '\t' || *s->at == '\r'))
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
    if (s->at < s->end && *s->at == c) { /* mostly there is no space before it */
        s->at++;
        return true;
    }
    scan_space(s);
    if (s->at >= s->end || *s->at != c)
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
static inline bool scan_done(struct scan *s)
{
    return scan_ok(s) && scan_peek(s) == '\0' && s->at == s->end;
}

/* The inside of a string, raw: escapes are left as they are (a closing quote is found correctly). */
static inline struct weir_bytes scan_string(struct scan *s)
{
    scan_expect(s, '"');
    const char *from = s->at, *at = s->at, *end = s->end;
    while (at < end && *at != '"')
        at += *at == '\\' && end - at > 1 ? 2 : 1; /* an escape cut by the end stays inside */
    if (at >= end) {
        scan_fail(s, WEIR_E_BAD_FRAME);
        return (struct weir_bytes){s->end, 0};
    }
    s->at = at + 1;
    return (struct weir_bytes){from, (size_t)(at - from)};
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

/* Pass over a number or a word (true, false, null). */
static inline void scan_skip_word(struct scan *s)
{
    const char *from = s->at;
    while (s->at < s->end && ((unsigned char)(*s->at - '0') <= 9 ||
                              (unsigned char)((*s->at | 32) - 'a') <= 'z' - 'a' || *s->at == '-' ||
                              *s->at == '.' || *s->at == '+'))
        s->at++;
    if (s->at == from)
        scan_fail(s, WEIR_E_BAD_FRAME);
}

/* Pass over one value of any kind. */
static inline void scan_skip(struct scan *s)
{
    uint64_t objects = 0; /* one bit a level: 1 {, 0 [ */
    int depth = 0;
    do {
        char c = scan_peek(s);
        if (c == '"') {
            (void)scan_string(s);
        } else if (c == '{' || c == '[') {
            if (depth++ == 64)
                scan_fail(s, WEIR_E_BAD_FRAME);
            else
                s->at++;
            objects = objects << 1 | (c == '{');
        } else if (c == '}' || c == ']') {
            if (depth-- == 0 || (objects & 1) != (c == '}'))
                scan_fail(s, WEIR_E_BAD_FRAME);
            else
                s->at++;
            objects >>= 1;
        } else if (depth > 0 && (c == ',' || (c == ':' && (objects & 1)))) {
            s->at++;
        } else {
            scan_skip_word(s);
        }
    } while (depth > 0 && scan_ok(s));
}

static inline int64_t scan_refuse(struct scan *s, enum weir_err err)
{
    scan_fail(s, err);
    return 0;
}

static inline bool scan_is_digit(const char *p, const char *end)
{
    return p < end && (unsigned char)(*p - '0') <= 9;
}

/* What stands behind a number must not look like more of it: 1e5, 1.2.3, 1-2. */
static inline bool scan_number_ends(const char *p, const char *end)
{
    return p >= end ||
           (*p != '.' && *p != '+' && *p != '-' && (unsigned char)((*p | 32) - 'a') > 'z' - 'a');
}

/* value * 10 + digit. False: over INT64_MAX. */
static inline bool scan_append(int64_t *value, int digit)
{
    return !__builtin_mul_overflow(*value, 10, value) &&
           !__builtin_add_overflow(*value, digit, value);
}

/* scan_digits() for numbers that are long or wrong: each step is checked. */
__attribute__((cold)) static inline int64_t scan_digits_checked(struct scan *s, int exp)
{
    const char *p = s->at, *end = s->end;
    bool minus = p < end && *p == '-', good = true;
    int64_t value = 0;

    p += minus;
    if (!scan_is_digit(p, end))
        return scan_refuse(s, WEIR_E_BAD_NUMBER);
    for (; scan_is_digit(p, end); p++)
        good = good && scan_append(&value, *p - '0');
    if (p < end && *p == '.') {
        if (!scan_is_digit(++p, end))
            return scan_refuse(s, WEIR_E_BAD_NUMBER);
        for (; exp > 0 && scan_is_digit(p, end); p++, exp--)
            good = good && scan_append(&value, *p - '0');
        while (p < end && *p == '0')
            p++;
        if (scan_is_digit(p, end))
            return scan_refuse(s, WEIR_E_INEXACT);
    }
    if (!scan_number_ends(p, end))
        return scan_refuse(s, WEIR_E_BAD_NUMBER);
    for (; exp > 0 && value > 0; exp--)
        good = good && scan_append(&value, 0);
    if (!good)
        return scan_refuse(s, WEIR_E_OVERFLOW);
    s->at = p;
    return minus ? -value : value;
}

/* Are the 8 bytes at p digits? Then their value, in three multiplications. */
static inline bool scan_eight(const char *p, const char *end, uint32_t *value_out)
{
    uint64_t word;
    if (end - p < 8)
        return false;
    memcpy(&word, p, 8);
    word ^= 0x3030303030303030u; /* a digit is now its value; the first is the lowest byte */
    if (((word + 0x7676767676767676u) | word) & 0x8080808080808080u)
        return false;
    word = word * 10 + (word >> 8);
    word = (word & 0x000000FF000000FFu) * 0x000F424000000064u +
           ((word >> 16) & 0x000000FF000000FFu) * 0x0000271000000001u;
    *value_out = (uint32_t)(word >> 32);
    return true;
}

/* A plain decimal (optional minus, digits, optional point and digits; no exponent, no plus) as a
 * count of 10^-exp, exp in 0..18. Zeros beyond exp places are allowed, other digits are E_INEXACT.
 * The result is within +-INT64_MAX. */
static inline int64_t scan_digits(struct scan *s, int exp)
{
    static const int64_t tens[19] = {
        1,
        10,
        100,
        1000,
        10000,
        100000,
        1000000,
        10000000,
        100000000,
        1000000000,
        10000000000,
        100000000000,
        1000000000000,
        10000000000000,
        100000000000000,
        1000000000000000,
        10000000000000000,
        100000000000000000,
        1000000000000000000,
    };
    const char *p = s->at, *end = s->end;
    bool minus = p < end && *p == '-';
    const char *from = p += minus;
    uint64_t value = 0;

    while (scan_is_digit(p, end))
        value = value * 10 + (uint64_t)(*p++ - '0');
    if (p == from || exp < 0 || p - from + exp > 18) /* 18 digits at most cannot overflow */
        return scan_digits_checked(s, exp);
    if (p < end && *p == '.') {
        const char *point = ++p, *stop = end - p > exp ? p + exp : end;
        uint32_t eight;
        int places = exp;
        if (exp <= 8 && scan_eight(p, end, &eight)) {
            uint32_t unit = (uint32_t)tens[8 - exp];
            if (eight % unit != 0)
                return scan_digits_checked(s, exp);
            value = value * (uint64_t)tens[exp] + eight / unit;
            p += 8;
        } else {
            while (scan_is_digit(p, stop))
                value = value * 10 + (uint64_t)(*p++ - '0');
            places = (int)(p - point);
        }
        while (p < end && *p == '0')
            p++;
        if (p == point || scan_is_digit(p, end))
            return scan_digits_checked(s, exp); /* it says what is wrong */
        exp -= places;
    }
    if (!scan_number_ends(p, end))
        return scan_refuse(s, WEIR_E_BAD_NUMBER);
    s->at = p;
    return (minus ? -(int64_t)value : (int64_t)value) * tens[exp];
}

/* A decimal that stands in quotes or not: "61800.20" and 61800.20 are the same. */
static inline int64_t scan_decimal(struct scan *s, int exp)
{
    bool quoted = scan_try(s, '"');
    int64_t value = scan_digits(s, exp);
    if (!quoted)
        return value;
    if (s->at >= s->end || *s->at != '"')
        return scan_refuse(s, WEIR_E_BAD_NUMBER);
    s->at++;
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
