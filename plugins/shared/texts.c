/* texts.c - numbers, times and names as venues write them; see market.h. */
#include <stdlib.h>

#include "shared/market.h"

/* digits[.digits]e[+-]digits: moved into a plain text, and scanned as one. */
static int64_t with_exponent(struct scan *scan, const char *from, const char *e, int exp)
{
    struct scan power = {e + 1, scan->end, WEIR_OK};
    bool minus = scan_try(&power, '-');
    if (!minus)
        (void)scan_try(&power, '+');
    int64_t shift = scan_digits(&power, 0);
    if (!scan_ok(&power) || shift > 36)
        return scan_refuse(scan, WEIR_E_BAD_NUMBER);
    struct scan digits = {from, e, WEIR_OK};
    int64_t at = minus ? exp - shift : exp + shift;
    int64_t value = 0;
    if (at >= 0 && at <= 18) {
        value = scan_digits(&digits, (int)at);
        if (digits.at != e && scan_ok(&digits))
            digits.err = WEIR_E_BAD_NUMBER;
    } else {
        digits.err = at < 0 ? WEIR_E_INEXACT : WEIR_E_OVERFLOW;
    }
    if (!scan_ok(&digits))
        return scan_refuse(scan, digits.err);
    scan->at = power.at;
    return value;
}

int64_t market_number(struct scan *scan, int exp)
{
    bool quoted = scan_try(scan, '"');
    const char *from = scan->at, *at = from;
    while (at < scan->end && ((unsigned char)(*at - '0') <= 9 || *at == '.' || *at == '-'))
        at++;
    int64_t value = at < scan->end && (*at | 32) == 'e' ? with_exponent(scan, from, at, exp)
                                                        : scan_digits(scan, exp);
    if (quoted)
        scan_expect(scan, '"');
    return value;
}

int64_t market_number_or_none(struct scan *scan, int exp)
{
    struct scan look = *scan;
    char c = scan_peek(&look);
    if (c != 'n' && (c != '"' || scan_string(&look).len > 0 || !scan_ok(&look)))
        return market_number(scan, exp);
    scan_skip(scan);
    return 0;
}

int64_t market_noted(struct scan *scan, int exp, uint8_t *places)
{
    bool quoted = scan_try(scan, '"');
    const char *from = scan->at;
    struct scan before = *scan;
    int64_t value = scan_digits(scan, exp);
    if (!scan_ok(scan) && !quoted) { /* it may have an exponent */
        *scan = before;
        return market_number(scan, exp);
    }
    if (!scan_ok(scan))
        return 0;
    if (__builtin_expect(*places == WEIR_PLACES_FEWEST, 0) && scan->at[-1] == '0') {
        const char *point = memchr(from, '.', (size_t)(scan->at - from));
        if (point && scan->at - point - 1 <= 18)
            *places = (uint8_t)(scan->at - point - 1);
    }
    if (quoted)
        scan_expect(scan, '"');
    return value;
}

struct weir_bytes market_word(struct scan *scan)
{
    if (scan_peek(scan) == '"')
        return scan_string(scan);
    const char *from = scan->at;
    scan_skip(scan);
    return (struct weir_bytes){from, (size_t)(scan->at - from)};
}

bool market_id_of(struct weir_bytes text, uint64_t *id_out)
{
    uint64_t id = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = (unsigned char)(text.data[i] - '0');
        if (digit > 9 || __builtin_mul_overflow(id, 10u, &id) ||
            __builtin_add_overflow(id, digit, &id))
            return false;
    }
    *id_out = id;
    return text.len > 0;
}

uint64_t market_id(struct scan *scan)
{
    uint64_t id = 0;
    struct weir_bytes text = market_word(scan);
    if (scan_ok(scan) && !market_id_of(text, &id))
        scan_fail(scan, WEIR_E_BAD_NUMBER);
    return id;
}

static int hex_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool market_uuid(struct weir_bytes text, uint64_t *high_out, uint64_t *low_out)
{
    uint64_t halves[2] = {0, 0};
    int digits = 0;
    if (text.len != 36)
        return false;
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        int hex = dash ? 0 : hex_of(text.data[i]);
        if (hex < 0 || (dash && text.data[i] != '-'))
            return false;
        if (!dash)
            halves[digits / 16] = halves[digits / 16] << 4 | (uint64_t)hex, digits++;
    }
    *high_out = halves[0];
    *low_out = halves[1];
    return true;
}

/* `count` digits at *at, which moves; -1: they are not there. */
static int64_t digits_of(const char **at, const char *end, int count)
{
    int64_t value = 0;
    for (; count > 0; count--, (*at)++) {
        if (!scan_is_digit(*at, end))
            return -1;
        value = value * 10 + (**at - '0');
    }
    return value;
}

/* Days since 1970-01-01 of a date of the Gregorian calendar (Howard Hinnant's days_from_civil). */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = year / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

weir_ns market_time(struct weir_bytes text)
{
    static const char marks[] = "--T::";
    static const int64_t least[] = {1970, 1, 1, 0, 0, 0}, most[] = {2200, 12, 31, 23, 59, 60};
    if (text.len == 0)
        return 0;
    const char *at = text.data, *end = at + text.len;
    int64_t parts[6], ns = 0;
    for (int i = 0; i < 6; i++) {
        parts[i] = digits_of(&at, end, i == 0 ? 4 : 2);
        if (parts[i] < least[i] || parts[i] > most[i])
            return 0;
        if (i < 5 && (at >= end || *at++ != marks[i]))
            return 0;
    }
    if (at < end && *at == '.') {
        int64_t unit = 100000000;
        for (at++; scan_is_digit(at, end); at++, unit /= 10)
            ns += (*at - '0') * unit;
    }
    if (at + 1 != end || *at != 'Z')
        return 0;
    int64_t seconds =
        days_of(parts[0], parts[1], parts[2]) * 86400 + parts[3] * 3600 + parts[4] * 60 + parts[5];
    return seconds * 1000000000 + ns;
}

weir_ns market_ms(uint64_t ms)
{
    return ms < (uint64_t)INT64_MAX / 1000000 ? (weir_ns)ms * 1000000 : 0;
}

weir_ns market_us(uint64_t us)
{
    return us < (uint64_t)INT64_MAX / 1000 ? (weir_ns)us * 1000 : 0;
}

weir_ns market_time_at(struct scan *scan)
{
    return market_time(market_word(scan));
}

weir_ns market_ms_at(struct scan *scan)
{
    return market_ms(market_id(scan));
}

weir_ns market_ms_or_none(struct scan *scan)
{
    uint64_t ms = 0;
    return market_id_of(market_word(scan), &ms) ? market_ms(ms) : 0;
}

int market_places(struct weir_bytes text)
{
    if (text.len == 0) /* and perhaps nowhere */
        return -1;
    const char *at = text.data, *end = at + text.len;
    int places = 0, needed = 0;
    if (!scan_is_digit(at, end))
        return -1;
    while (scan_is_digit(at, end))
        at++;
    if (at < end && *at == '.')
        for (at++; scan_is_digit(at, end) && places < 64; at++) {
            places++;
            if (*at != '0')
                needed = places;
        }
    if (end - at >= 3 && (*at | 32) == 'e' && at[1] == '-') {
        at += 2;
        int64_t power = digits_of(&at, end, end - at > 2 ? 2 : (int)(end - at));
        needed += power > 0 ? (int)power : 0;
    }
    return at == end ? needed : -1;
}

void market_set(char *to, size_t room, struct weir_bytes from)
{
    size_t len = from.len < room ? from.len : room - 1;
    memset(to, 0, room);
    if (len > 0)
        memcpy(to, from.data, len);
}

struct weir_bytes market_after(struct weir_bytes text, const char *word)
{
    size_t len = strlen(word);
    const char *at = text.len >= len ? memmem(text.data, text.len, word, len) : NULL;
    if (!at)
        return (struct weir_bytes){NULL, 0};
    at += len;
    return (struct weir_bytes){at, (size_t)(text.data + text.len - at)};
}
