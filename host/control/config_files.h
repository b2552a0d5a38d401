/* config_files.h - the files of a configuration, read and checked by form; what builds one `struct config`
 * from them, in config.c, is the only other one who sees this. [main thread] */
#ifndef WEIR_CONTROL_CONFIG_FILES_H
#define WEIR_CONTROL_CONFIG_FILES_H

#include "base/hash.h"
#include "control/config.h"
#include "control/schema.h"

enum { FILES_MAX = 32, SECTIONS_MAX = 16 };

struct block { /* memory that lives as long as the config; aligned for amounts */
    _Alignas(16) struct block *next;
};

struct loaded {
    struct config config; /* first member */
    struct fy_document *documents[FILES_MAX];
    const char *paths[FILES_MAX];
    struct fy_diag *diags[FILES_MAX];
    size_t count;
    struct block *blocks;
    bool starved; /* some memory was asked for in vain: what was built lacks a part */
    struct fy_node *sections[SECTIONS_MAX]; /* by index in config_schema */
    struct sha256 *sha;
    void (*fault)(void *context, const char *text); /* NULL: only the first is wanted */
    void *context;
};

/* Zeroed memory, and a copy of a text, that live as long as the config. NULL: no memory. */
void *config_keep(struct loaded *loaded, size_t size);
const char *config_keep_text(struct loaded *loaded, const char *text);

/* A file and those that it includes: hashed, parsed, its keys known, its sections noted. */
enum weir_err config_read(struct loaded *loaded, const char *path, struct why *why) WEIR_MUST_USE;

/* A value from the command line, "KEY.KEY=VALUE", in place of, or beside, those of the files, which are
 * checked again. */
enum weir_err config_set(struct loaded *loaded, const char *set, struct why *why) WEIR_MUST_USE;

/* Where a node begins, "weir.yaml:12:7", kept; NULL: no memory, or not known. */
const char *config_place(struct loaded *loaded, struct fy_node *node);

#endif
