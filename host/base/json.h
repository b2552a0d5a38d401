/* json.h - a strict reader over cJSON, for cold paths: config answers, scenarios, API bodies.
 *
 * cJSON alone looks keys up without case, rounds integers above 2^53 and accepts trailing garbage
 * and repeated keys; this layer checks the text first (RFC 8259, UTF-8, no duplicate keys, at most
 * 64 levels, no NUL and no half surrogate pair in a string) and refuses with line and column (of
 * bytes, from 1). Each number keeps its text (json_digits). [any thread] */
#ifndef WEIR_BASE_JSON_H
#define WEIR_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "base/why.h"

/* Owned by the caller: cJSON_Delete(). NULL: why says line:column and what. */
cJSON *json_read(const char *text, size_t len, struct why *why) WEIR_MUST_USE;
cJSON *json_read_file(const char *path, struct why *why) WEIR_MUST_USE;

const cJSON *json_get(const cJSON *object, const char *key); /* case-sensitive; NULL: absent */
const char *json_text(const cJSON *object, const char *key, const char *otherwise);

/* The text of a number as it was written; NULL: not a number. */
const char *json_digits(const cJSON *item);
/* An integer within +-2^53, exactly, written without exponent. */
bool json_whole(const cJSON *item, int64_t *value_out);

/* Refuse members that are not in the list (ended by NULL). */
enum weir_err json_only(const cJSON *object, const char *const *keys, struct why *why);

#endif
