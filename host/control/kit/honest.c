/* honest.c - numbers and names in bytes of unknown form. */
#include "control/kit/honest.h"

#include <string.h>

enum { DIGITS_MAX = 30, EXPONENT_MAX = 400 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A number as digits without zeros at the ends, and the power of ten behind the last of them. */
struct plain {
    char digits[DIGITS_MAX];
    int count, power;
};

static void add_digit(struct plain *plain, char digit)
{
    if (plain->count == 0 && digit == '0')
        return;
    if (plain->count < DIGITS_MAX)
        plain->digits[plain->count] = digit;
    plain->count++;
}

static void trim(struct plain *plain)
{
    while (plain->count > 0 && plain->count <= DIGITS_MAX &&
           plain->digits[plain->count - 1] == '0') {
        plain->count--;
        plain->power++;
    }
}

static struct plain plain_of(int64_t value, int exp)
{
    struct plain plain = {.power = -exp};
    char back[24];
    int count = 0;
    for (uint64_t left = (uint64_t)value; left > 0; left /= 10)
        back[count++] = (char)('0' + left % 10);
    while (count > 0)
        add_digit(&plain, back[--count]);
    trim(&plain);
    return plain;
}

/* The token at *at; *at is left behind it. */
static struct plain read_token(const char **at, const char *end)
{
    struct plain plain = {.count = 0};
    bool point = false;
    for (; *at < end && (is_digit(**at) || (**at == '.' && !point)); (*at)++) {
        if (**at == '.') {
            point = true;
            continue;
        }
        add_digit(&plain, **at);
        plain.power -= point;
    }
    const char *e = *at;
    if (e < end && (*e == 'e' || *e == 'E')) {
        bool minus = e + 1 < end && e[1] == '-';
        int exponent = 0;
        for (e += 1 + (e + 1 < end && (e[1] == '-' || e[1] == '+'));
             e < end && is_digit(*e) && exponent < EXPONENT_MAX; e++)
            exponent = exponent * 10 + (*e - '0');
        plain.power += minus ? -exponent : exponent;
        *at = e;
    }
    trim(&plain);
    return plain;
}

bool honest_number(struct weir_bytes bytes, int64_t value, int exp)
{
    struct plain wanted = plain_of(value, exp);
    if (bytes.len >= sizeof value && memmem(bytes.data, bytes.len, &value, sizeof value))
        return true;
    for (const char *at = bytes.data, *end = at + bytes.len; at < end;) {
        if (!is_digit(*at)) {
            at++;
            continue;
        }
        struct plain found = read_token(&at, end);
        if (found.count == wanted.count && found.count <= DIGITS_MAX &&
            found.power == wanted.power &&
            memcmp(found.digits, wanted.digits, (size_t)found.count) == 0)
            return true;
    }
    return false;
}

bool honest_text(struct weir_bytes bytes, const char *text)
{
    size_t len = strlen(text);
    const char *end = bytes.data + bytes.len;
    for (const char *at = bytes.data; len > 0 && (size_t)(end - at) >= len; at++) {
        at = memmem(at, (size_t)(end - at), text, len);
        if (!at)
            return false;
        if ((at == bytes.data || !is_word(at[-1])) && (at + len == end || !is_word(at[len])))
            return true;
    }
    return false;
}

bool honest_is_text(struct weir_bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        if ((bytes.data[i] < ' ' || bytes.data[i] > '~') && bytes.data[i] != '\n')
            return false;
    return bytes.len > 0;
}

bool honest_other_symbol(const struct kit_stage *stage, struct weir_bytes bytes,
                         uint32_t instrument)
{
    bool other = false;
    if (instrument == 0 || instrument > stage->instruments || instrument > KIT_MARKETS_MAX ||
        honest_text(bytes, stage->market[instrument - 1].symbol))
        return false;
    for (uint32_t i = 0; i < stage->instruments && i < KIT_MARKETS_MAX; i++)
        other |= honest_text(bytes, stage->market[i].symbol);
    return other;
}
