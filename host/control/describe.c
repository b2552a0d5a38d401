/* describe.c - the reference of every key, printed from the table that checks the files. */
#include <string.h>

#include "control/schema.h"

static const char *kind_name(enum schema_kind kind)
{
    static const char *const names[] = {
        "text", "name", "whole number", "decimal", "limit",          "flag", "duration",
        "size", "word", "list",         "section", "named sections", "free"};
    return names[kind];
}

static void print_keys(struct text *out, const struct schema *keys, const char *where)
{
    for (const struct schema *k = keys; k->key; k++) {
        char below[200];
        snprintf(below, sizeof below, "%s%s%s", where, *where ? "." : "", k->key);
        text_say(out, "| `%s` | %s%s%s | ", below, kind_name(k->kind), k->words ? ": " : "",
                 k->words ? k->words : "");
        if (!k->otherwise)
            text_say(out, "required");
        else if (*k->otherwise)
            text_say(out, "`%s`", k->otherwise);
        text_say(out, " | %s |\n", k->doc);
        if (k->keys) {
            if (k->kind == KIND_NAMED)
                strncat(below, ".NAME", sizeof below - strlen(below) - 1);
            print_keys(out, k->keys, below);
        }
    }
}

void schema_print_reference(struct text *out)
{
    text_say(out, "# Every key of the configuration\n\n"
                  "Printed by `weir describe config` from the table that checks the files.\n\n"
                  "| key | kind | default | meaning |\n| --- | --- | --- | --- |\n");
    print_keys(out, config_schema, "");
}

static void json_keys(struct text *out, const struct schema *keys);

static void pattern(struct text *out, const char *type, const char *regex)
{
    json_key(out, "type");
    if (strchr(type,
               ' ')) { /* YAML reads 50 as a number and 50ms as a text: both are texts to us */
        json_array(out);
        json_string(out, "string");
        json_string(out, "number");
        json_end(out);
    } else {
        json_string(out, type);
    }
    if (regex) {
        json_key(out, "pattern");
        json_string(out, regex);
    }
}

static void json_words(struct text *out, const char *words)
{
    json_key(out, "enum");
    json_array(out);
    while (*words) {
        size_t len = strcspn(words, " ");
        json_bytes(out, words, len);
        words += len + (words[len] == ' ');
    }
    json_end(out);
}

static void json_whole(struct text *out, const struct schema *k)
{
    int64_t low, high;
    schema_range(k, &low, &high);
    pattern(out, "integer", NULL);
    if (!k->words)
        return;
    json_key(out, "minimum");
    json_int(out, low);
    json_key(out, "maximum");
    json_int(out, high);
}

static void json_value(struct text *out, const struct schema *k)
{
    json_object(out);
    json_key(out, "description");
    json_string(out, k->doc);
    if (k->otherwise && *k->otherwise) {
        json_key(out, "default");
        json_string(out, k->otherwise);
    }
    switch (k->kind) {
    case KIND_WHOLE: json_whole(out, k); break;
    case KIND_DECIMAL: pattern(out, "string number", "^-?[0-9]+(\\.[0-9]+)?$"); break;
    case KIND_LIMIT: pattern(out, "string number", "^([0-9]+(\\.[0-9]+)?|none)$"); break;
    case KIND_FLAG: pattern(out, "boolean", NULL); break;
    case KIND_DURATION: pattern(out, "string", "^[0-9]+(ns|us|ms|s|m|h)$"); break;
    case KIND_SIZE: pattern(out, "string number", "^[0-9]+(KiB|MiB|GiB)?$"); break;
    case KIND_WORD: json_words(out, k->words); break;
    case KIND_LIST:
        pattern(out, "array", NULL);
        json_key(out, "items");
        json_object(out);
        pattern(out, "string", NULL);
        json_end(out);
        break;
    case KIND_KEYS: json_keys(out, k->keys); break;
    case KIND_NAMED:
        pattern(out, "object", NULL);
        json_key(out, "additionalProperties");
        json_object(out);
        json_keys(out, k->keys);
        json_end(out);
        break;
    case KIND_FREE: pattern(out, "object", NULL); break;
    default: pattern(out, "string number", NULL); break;
    }
    json_end(out);
}

/* Limits have to be there, or `others` in their place. */
static void json_required(struct text *out, const struct schema *keys)
{
    bool instead = false;
    for (const struct schema *k = keys; k->key; k++)
        instead |= strcmp(k->key, "others") == 0;
    if (instead) {
        json_key(out, "anyOf");
        json_array(out);
        json_object(out);
        json_key(out, "required");
        json_array(out);
        json_string(out, "others");
        json_end(out);
        json_end(out);
        json_object(out);
    }
    json_key(out, "required");
    json_array(out);
    for (const struct schema *k = keys; k->key; k++)
        if (!k->otherwise)
            json_string(out, k->key);
    json_end(out);
    if (instead) {
        json_end(out);
        json_end(out);
    }
}

static void json_keys(struct text *out, const struct schema *keys)
{
    json_key(out, "type");
    json_string(out, "object");
    json_key(out, "additionalProperties");
    json_bool(out, false);
    json_key(out, "properties");
    json_object(out);
    for (const struct schema *k = keys; k->key; k++) {
        json_key(out, k->key);
        json_value(out, k);
    }
    json_end(out);
    json_required(out, keys);
}

void schema_print_json(struct text *out)
{
    json_object(out);
    json_key(out, "$schema");
    json_string(out, "http://json-schema.org/draft-07/schema#");
    json_key(out, "title");
    json_string(out, "weir configuration");
    json_keys(out, config_schema);
    json_end(out);
}
