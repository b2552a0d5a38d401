/* text.c - text that grows, and JSON written into it.
 *
 * The writer keeps one bit a level for "a comma is due" and one for "this is an object"; whatever
 * would not be JSON sets `failed`, so that a half document is never sent as a whole one. [value] */
#include "base/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

enum { FIRST_ROOM = 256, DEPTH_MAX = 64 };

void text_init(struct text *text)
{
    *text = (struct text){0};
}

void text_fini(struct text *text)
{
    free(text->data);
    text_init(text);
}

/* Its length must never tell of more than text_cstr() gives. */
void text_fail(struct text *text)
{
    text->failed = true;
    text->len = 0;
}

bool text_ok(const struct text *text)
{
    return !text->failed;
}

/* Room for len more bytes and the zero. */
static bool grow(struct text *text, size_t len)
{
    if (text->failed)
        return false;
    if (len < text->room - text->len)
        return true;
    size_t room = text->room ? text->room : FIRST_ROOM;
    while (room - text->len <= len && room <= SIZE_MAX / 2)
        room *= 2;
    char *data = room - text->len > len ? realloc(text->data, room) : NULL;
    if (!data) {
        text_fail(text);
        return false;
    }
    text->data = data;
    text->room = room;
    return true;
}

void text_add(struct text *text, const char *bytes, size_t len)
{
    if (!grow(text, len))
        return;
    if (len > 0)
        memcpy(text->data + text->len, bytes, len);
    text->len += len;
    text->data[text->len] = '\0';
}

void text_say(struct text *text, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    if (len < 0)
        text_fail(text);
    else if (grow(text, (size_t)len)) {
        (void)vsnprintf(text->data + text->len, (size_t)len + 1, format, again);
        text->len += (size_t)len;
    }
    va_end(again);
    va_end(args);
}

const char *text_cstr(struct text *text)
{
    text_add(text, "", 0);
    return text->failed ? "" : text->data;
}

/* --- JSON ------------------------------------------------------------------------------------ */

static void put(struct text *t, const char *word)
{
    text_add(t, word, strlen(word));
}

static uint64_t level(const struct text *t)
{
    return (uint64_t)1 << (t->depth - 1);
}

/* What comes before a key or a value at this place; is_key tells which of the two. */
static void before(struct text *t, bool is_key)
{
    bool in_object = t->depth > 0 && (t->in_object & level(t));
    bool fits = is_key      ? in_object && !t->after_key
                : in_object ? t->after_key
                            : t->depth > 0 || t->len == 0;
    if (!fits)
        text_fail(t);
    else if (t->depth > 0 && !t->after_key) {
        if (t->need_comma & level(t))
            put(t, ",");
        t->need_comma |= level(t);
    }
    t->after_key = is_key;
}

static void value(struct text *t, const char *word)
{
    before(t, false);
    put(t, word);
}

static void enter(struct text *t, bool object)
{
    value(t, object ? "{" : "[");
    if (t->depth == DEPTH_MAX) {
        text_fail(t);
        return;
    }
    t->depth++;
    t->need_comma &= ~level(t);
    t->in_object = object ? t->in_object | level(t) : t->in_object & ~level(t);
}

void json_object(struct text *t)
{
    enter(t, true);
}

void json_array(struct text *t)
{
    enter(t, false);
}

void json_end(struct text *t)
{
    if (t->depth == 0 || t->after_key) {
        text_fail(t);
        return;
    }
    put(t, t->in_object & level(t) ? "}" : "]");
    t->depth--;
}

/* One byte that cannot stand in a string as it is. */
static void escape(struct text *t, unsigned char byte)
{
    static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* byte, letter */
    for (const char *s = shorts; *s; s += 2)
        if ((unsigned char)s[0] == byte) {
            text_say(t, "\\%c", s[1]);
            return;
        }
    text_say(t, "\\u%04x", byte);
}

static void quoted(struct text *t, const char *bytes, size_t len)
{
    put(t, "\"");
    size_t from = 0, at = 0;
    while (at < len) {
        unsigned char byte = (unsigned char)bytes[at];
        size_t chars =
            byte == '"' || byte == '\\' || byte < 0x20 ? 0 : utf8_char(bytes + at, len - at);
        if (chars > 0) {
            at += chars;
            continue;
        }
        text_add(t, bytes + from, at - from);
        if (byte >= 0x80)
            put(t, "\xEF\xBF\xBD");
        else
            escape(t, byte);
        from = ++at;
    }
    text_add(t, bytes + from, at - from);
    put(t, "\"");
}

void json_key(struct text *t, const char *key)
{
    before(t, true);
    quoted(t, key, strlen(key));
    put(t, ":");
}

void json_bytes(struct text *t, const char *bytes, size_t len)
{
    before(t, false);
    quoted(t, bytes, len);
}

void json_string(struct text *t, const char *text)
{
    json_bytes(t, text, strlen(text));
}

void json_int(struct text *t, int64_t number)
{
    before(t, false);
    text_say(t, "%" PRId64, number);
}

void json_uint(struct text *t, uint64_t number)
{
    before(t, false);
    text_say(t, "%" PRIu64, number);
}

void json_bool(struct text *t, bool truth)
{
    value(t, truth ? "true" : "false");
}

void json_null(struct text *t)
{
    value(t, "null");
}

void json_decimal(struct text *t, int64_t number, int exp)
{
    char word[DECIMAL_TEXT_MAX];
    size_t len = decimal_print(number, exp, word);
    json_bytes(t, word, len);
}

void json_amount(struct text *t, amount number)
{
    char word[DECIMAL_TEXT_MAX];
    size_t len = amount_print(number, word);
    json_bytes(t, word, len);
}

void json_number(struct text *t, int64_t number, int exp)
{
    char word[DECIMAL_TEXT_MAX];
    decimal_print(number, exp, word);
    value(t, word);
}
