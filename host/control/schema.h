/* schema.h - every key of the configuration, once: its kind, its default and what it means.
 *
 * The same table checks a file, gives the defaults, prints `weir describe config` and the JSON
 * Schema for editors. A key that is not in the table is refused with file, line and column, the
 * source line, a caret and the nearest key that is. [main thread] */
#ifndef WEIR_CONTROL_SCHEMA_H
#define WEIR_CONTROL_SCHEMA_H

#include <libfyaml.h>

#include "base/text.h"
#include "base/why.h"

enum schema_kind {
    KIND_TEXT,
    KIND_NAME,     /* letters, digits, . _ - */
    KIND_WHOLE,    /* an integer */
    KIND_DECIMAL,  /* an exact decimal */
    KIND_LIMIT,    /* an exact decimal >= 0, or the word none */
    KIND_FLAG,     /* true or false */
    KIND_DURATION, /* 250us 50ms 2s 5m 24h */
    KIND_SIZE,     /* 64KiB 16MiB 2GiB, or bytes */
    KIND_WORD,     /* one of `words` */
    KIND_LIST,     /* a sequence of texts */
    KIND_KEYS,     /* a mapping with the keys of `keys` */
    KIND_NAMED,    /* a mapping of names that people choose; each value has the keys of `keys` */
    KIND_FREE      /* a mapping of plain values, read by somebody else (a plugin, a script) */
};

struct schema {
    const char *key; /* NULL ends a list */
    enum schema_kind kind;
    const char *otherwise; /* the default as text; NULL: the key must be there */
    const char *doc;
    const char *words;         /* KIND_WORD: "group always"; KIND_WHOLE: "0 to 65535", NULL: any */
    const struct schema *keys; /* KIND_KEYS, KIND_NAMED */
};
#define SCHEMA_END                              \
    {                                           \
        NULL, KIND_TEXT, NULL, NULL, NULL, NULL \
    }

extern const struct schema config_schema[];

/* Check the mapping against the table. On an error the report is in the document's diagnostics. */
enum weir_err schema_check(const struct schema *keys, struct fy_node *node,
                           const char *where) WEIR_MUST_USE;

/* Values of a checked mapping; absent ones are the table's defaults. */
const char *schema_text(const struct schema *keys, struct fy_node *node, const char *key);
int64_t schema_number(const struct schema *keys, struct fy_node *node,
                      const char *key); /* whole, flag, duration (ns), size */
struct fy_node *schema_node(struct fy_node *node, const char *key); /* NULL: absent */
const struct schema *schema_keys(const struct schema *keys, const char *key);

/* The least and most that a whole number may be. */
void schema_range(const struct schema *schema, int64_t *low_out, int64_t *high_out);

/* Parse a duration or size as written; false: not one. */
bool duration_parse(const char *text, int64_t *ns_out);
bool size_parse(const char *text, int64_t *bytes_out);

/* Zero-terminated copy of a scalar, owned by the document's memory arena here; "" if not a scalar. */
char *node_text(struct fy_node *node);

void schema_print_reference(struct text *out); /* Markdown: every key */
void schema_print_json(struct text *out);      /* JSON Schema, draft-07 */

#endif
