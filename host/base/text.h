/* text.h - a growing text buffer and a JSON writer on it, for cold paths (reports, answers).
 *
 * Memory failure is sticky and told by text_ok(), and the text is empty from then on; so it is with
 * JSON that would not be JSON (a value without its key, an end too many, nesting over 64). json_* put
 * commas and escapes; invalid UTF-8 is written as U+FFFD. [one thread] */
#ifndef WEIR_BASE_TEXT_H
#define WEIR_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/decimal.h"

struct text {
    char *data; /* zero-terminated when len > 0 or after text_cstr */
    size_t len;
    size_t room;
    bool failed;
    unsigned depth;      /* json: nesting */
    uint64_t need_comma; /* json: one bit a level */
    uint64_t in_object;  /* json: one bit a level */
    bool after_key;
};

void text_init(struct text *text);
void text_fini(struct text *text); /* and it is as after text_init */
bool text_ok(const struct text *text);
void text_fail(struct text *text); /* as if memory had failed: what was to be in it is not known */
void text_add(struct text *text, const char *bytes, size_t len);
void text_say(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *text_cstr(struct text *text); /* "" on failure */

void json_object(struct text *t); /* { */
void json_array(struct text *t);  /* [ */
void json_end(struct text *t);    /* the matching one */
void json_key(struct text *t, const char *key);
void json_string(struct text *t, const char *value);
void json_bytes(struct text *t, const char *value, size_t len);
void json_int(struct text *t, int64_t value);
void json_uint(struct text *t, uint64_t value);
void json_bool(struct text *t, bool value);
void json_null(struct text *t);
void json_decimal(struct text *t, int64_t value, int exp); /* as a string */
void json_amount(struct text *t, amount value);            /* as a string */
void json_number(struct text *t, int64_t value, int exp);  /* a decimal as a bare number */

#endif
