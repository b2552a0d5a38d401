/* config_files.c - from paths to checked documents: read, hash, parse, include, and say what is wrong with
 * the form. The documents are kept as long as the config, since its texts point into them. */
#include "control/config_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *config_keep(struct loaded *loaded, size_t size)
{
    struct block *block = calloc(1, sizeof *block + size + 16);
    if (!block) {
        loaded->starved = true;
        return NULL;
    }
    block->next = loaded->blocks;
    loaded->blocks = block;
    return block + 1;
}

const char *config_keep_text(struct loaded *loaded, const char *text)
{
    char *copy = text ? config_keep(loaded, strlen(text) + 1) : NULL;
    return copy ? memcpy(copy, text, strlen(text) + 1) : NULL;
}

void config_destroy(struct config *config)
{
    struct loaded *loaded = (struct loaded *)config;
    if (!loaded)
        return;
    for (size_t i = 0; i < loaded->count; i++) {
        fy_document_destroy(loaded->documents[i]);
        fy_diag_destroy(loaded->diags[i]);
    }
    while (loaded->blocks) {
        struct block *next = loaded->blocks->next;
        free(loaded->blocks);
        loaded->blocks = next;
    }
    sha256_destroy(loaded->sha);
    free(loaded);
}

/* --- reading files ----------------------------------------------------------------------------*/

/* libfyaml prints into a stream: run `work`, and put what it printed into why. */
struct report {
    char *text;
    size_t len;
    FILE *stream;
};

/* Where the next report begins, "PATH:line:column: ..."; NULL: this is the last. */
static char *next_report(char *text, const char *path)
{
    size_t len = strlen(path);
    for (char *end = text; (end = strchr(end, '\n')) != NULL; end++)
        if (strncmp(end + 1, path, len) == 0 && end[1 + len] == ':')
            return end + 1;
    return NULL;
}

static enum weir_err tell_reports(struct loaded *loaded, char *text, const char *path,
                                  enum weir_err err, struct why *why)
{
    unsigned more = 0;
    char *next = next_report(text, path);
    for (char *at = next; at; at = next_report(at, path))
        more++;
    if (next)
        next[-1] = '\0';
    (void)because(why, err, "%s", text);
    if (more && !loaded->fault)
        return because(why, err, "%s\nand %u more; `weir check` tells all", text, more);
    for (char *at = text; at && loaded->fault; at = next) {
        next = at == text ? next : next_report(at, path);
        if (next)
            next[-1] = '\0';
        loaded->fault(loaded->context, at);
    }
    return err;
}

static enum weir_err report_end(struct loaded *loaded, struct report *report, const char *path,
                                enum weir_err err, struct why *why)
{
    fclose(report->stream);
    if (err) {
        while (report->len && report->text[report->len - 1] == '\n')
            report->text[--report->len] = '\0';
        /* libfyaml has a report of its own, or names no place: an empty document */
        err = report->len && report->text[0] != '['
                  ? tell_reports(loaded, report->text, path, err, why)
                  : because(why, err, "%s: expected YAML sections, found nothing that can be read",
                            path);
    }
    free(report->text);
    return err;
}

static enum weir_err hash_file(struct sha256 *sha, const char *path, struct why *why)
{
    char bytes[4096];
    FILE *file = fopen(path, "rb");
    if (!file)
        return because(why, WEIR_E_NOT_FOUND, "%s: cannot be opened: %m", path);
    for (size_t n; (n = fread(bytes, 1, sizeof bytes, file)) > 0;)
        sha256_add(sha, bytes, n);
    bool bad = ferror(file);
    fclose(file);
    return bad ? because(why, WEIR_E_IO, "%s: cannot be read", path) : WEIR_OK;
}

/* All sections of one document, each in only one file. */
static enum weir_err take_sections(struct loaded *loaded, struct fy_node *root)
{
    void *at = NULL;
    struct fy_node_pair *pair;
    while (root && fy_node_is_mapping(root) &&
           (pair = fy_node_mapping_iterate(root, &at)) != NULL) {
        const char *key = node_text(fy_node_pair_key(pair));
        for (size_t i = 0; config_schema[i].key && key; i++) {
            if (strcmp(config_schema[i].key, key) != 0 || strcmp(key, "include") == 0)
                continue;
            if (loaded->sections[i]) {
                fy_node_report(fy_node_pair_key(pair), FYET_ERROR,
                               "section '%s' stands in another file already", key);
                return WEIR_E_BAD_CONFIG;
            }
            loaded->sections[i] = fy_node_pair_value(pair);
        }
    }
    return WEIR_OK;
}

/* A file's own keys must be known; which are required is asked of all files together. */
static enum weir_err check_file(struct fy_node *root)
{
    struct schema optional[SECTIONS_MAX];
    size_t n = 0;
    for (; config_schema[n].key; n++) {
        optional[n] = config_schema[n];
        optional[n].otherwise = "";
    }
    optional[n] = config_schema[n];
    return schema_check(optional, root, "");
}

static enum weir_err read_includes(struct loaded *loaded, struct fy_node *root, const char *path,
                                   struct why *why)
{
    void *at = NULL;
    struct fy_node *item, *list = schema_node(root, "include");
    while (list && (item = fy_node_sequence_iterate(list, &at)) != NULL) {
        char full[512];
        const char *slash = strrchr(path, '/');
        const char *name = node_text(item);
        snprintf(full, sizeof full, "%.*s%s",
                 name[0] == '/' || !slash ? 0 : (int)(slash - path + 1), path, name);
        enum weir_err err = config_read(loaded, full, why);
        if (err)
            return err;
    }
    return WEIR_OK;
}

enum weir_err config_read(struct loaded *loaded, const char *path, struct why *why)
{
    struct report report = {NULL, 0, NULL};
    struct fy_diag_cfg diag_cfg;
    if (loaded->count == FILES_MAX)
        return because(why, WEIR_E_FULL, "%s: more than %d files are included", path, FILES_MAX);
    enum weir_err err = hash_file(loaded->sha, path, why);
    if (err)
        return err;
    report.stream = open_memstream(&report.text, &report.len);
    if (!report.stream)
        return because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));

    fy_diag_cfg_default(&diag_cfg);
    diag_cfg.fp = report.stream;
    diag_cfg.colorize = false;
    diag_cfg.level = FYET_ERROR;
    struct fy_diag *diag = fy_diag_create(&diag_cfg);
    struct fy_parse_cfg cfg = {.diag = diag};
    struct fy_document *document = fy_document_build_from_file(&cfg, path);
    if (!document) {
        fy_diag_destroy(diag);
        return report_end(loaded, &report, path, WEIR_E_BAD_CONFIG, why);
    }
    loaded->documents[loaded->count] = document;
    loaded->paths[loaded->count] = config_keep_text(loaded, path);
    loaded->diags[loaded->count++] = diag;
    struct fy_node *root = fy_document_root(document);
    if (!root) {
        fclose(report.stream);
        free(report.text);
        return because(why, WEIR_E_BAD_CONFIG, "%s: the file is empty", path);
    }
    err = check_file(root);
    if (!err)
        err = take_sections(loaded, root);
    err = report_end(loaded, &report, path, err, why);
    diag_cfg.fp = stderr; /* the stream is gone; later reports use their own */
    fy_diag_set_cfg(diag, &diag_cfg);
    return err ? err : read_includes(loaded, root, path, why);
}

/* --- places -----------------------------------------------------------------------------------*/

static struct fy_token *first_token(struct fy_node *node)
{
    void *at = NULL;
    if (fy_node_is_scalar(node))
        return fy_node_get_scalar_token(node);
    struct fy_node_pair *pair =
        fy_node_is_mapping(node) ? fy_node_mapping_iterate(node, &at) : NULL;
    struct fy_node *first = pair                        ? fy_node_pair_key(pair)
                            : fy_node_is_sequence(node) ? fy_node_sequence_iterate(node, &at)
                                                        : NULL;
    return first && fy_node_is_scalar(first) ? fy_node_get_scalar_token(first) : NULL;
}

const char *config_place(struct loaded *loaded, struct fy_node *node)
{
    char place[600];
    struct fy_token *token = node ? first_token(node) : NULL;
    const struct fy_mark *mark = token ? fy_token_start_mark(token) : NULL;
    for (size_t i = 0; mark && i < loaded->count; i++)
        if (fy_node_document(node) == loaded->documents[i]) {
            snprintf(place, sizeof place, "%s:%d:%d", loaded->paths[i] ? loaded->paths[i] : "?",
                     mark->line + 1, mark->column + 1);
            return config_keep_text(loaded, place);
        }
    return NULL;
}

/* --- values from the command line --------------------------------------------------------------*/

/* The entry of a mapping whose key begins the path; names may have dots, so the longest one. */
static struct fy_node *step_into(struct fy_node *map, const char **path)
{
    struct fy_node *found = NULL;
    size_t longest = 0;
    void *at = NULL;
    struct fy_node_pair *pair;
    while (map && fy_node_is_mapping(map) && (pair = fy_node_mapping_iterate(map, &at)) != NULL) {
        const char *key = node_text(fy_node_pair_key(pair));
        size_t len = key ? strlen(key) : 0;
        if (len > longest && strncmp(*path, key, len) == 0 && (*path)[len] == '.') {
            longest = len;
            found = fy_node_pair_value(pair);
        }
    }
    *path += longest + (longest > 0);
    return found;
}

static enum weir_err put_value(struct fy_node *map, const char *key, const char *value)
{
    struct fy_document *document = fy_node_document(map);
    struct fy_node *name = fy_node_create_scalar_copy(document, key, FY_NT);
    struct fy_node *node = fy_node_build_from_string(document, value, FY_NT);
    struct fy_node *old = fy_node_mapping_lookup_by_string(map, key, FY_NT);
    if (old)
        fy_node_free(
            fy_node_mapping_remove_by_key(map, fy_node_create_scalar_copy(document, key, FY_NT)));
    return name && node && fy_node_mapping_append(map, name, node) == 0 ? WEIR_OK
                                                                        : WEIR_E_BAD_CONFIG;
}

/* Put the value in, and check the whole file again: what is wrong is said with the words of the command
 * line. */
static enum weir_err put_checked(struct loaded *loaded, struct fy_node *map, const char *key,
                                 const char *set, struct why *why)
{
    struct report report = {NULL, 0, NULL};
    struct fy_document *document = fy_node_document(map);
    struct fy_diag_cfg cfg;
    size_t i = 0;
    while (i < loaded->count && loaded->documents[i] != document)
        i++;
    report.stream = open_memstream(&report.text, &report.len);
    if (i == loaded->count || !report.stream)
        return because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
    fy_diag_cfg_default(&cfg);
    cfg.fp = report.stream;
    cfg.colorize = false;
    cfg.level = FYET_ERROR;
    fy_diag_set_cfg(loaded->diags[i], &cfg);
    enum weir_err err = put_value(map, key, strchr(set, '=') + 1);
    if (!err)
        err = check_file(fy_document_root(document));
    fclose(report.stream);
    cfg.fp = stderr;
    fy_diag_set_cfg(loaded->diags[i], &cfg);
    if (err) {
        const char *error = report.text ? strstr(report.text, "error: ") : NULL;
        error = error ? error + strlen("error: ") : "the configuration does not take it";
        (void)because(why, err, "%s: %.*s", set, (int)strcspn(error, "\n"), error);
    }
    free(report.text);
    return err;
}

enum weir_err config_set(struct loaded *loaded, const char *set, struct why *why)
{
    char path[512];
    const char *equals = strchr(set, '='), *at = path, *dot = strchr(set, '.');
    if (!equals || !dot || dot > equals || equals - set >= (ptrdiff_t)sizeof path)
        return because(why, WEIR_E_USAGE, "'%s': expected KEY.KEY=VALUE", set);
    snprintf(path, sizeof path, "%.*s", (int)(equals - set), set);
    struct fy_node *map = NULL, *inner;
    for (size_t i = 0; config_schema[i].key && !map; i++) {
        size_t len = strlen(config_schema[i].key);
        if (loaded->sections[i] && strncmp(path, config_schema[i].key, len) == 0 &&
            path[len] == '.') {
            map = loaded->sections[i];
            at = path + len + 1;
        }
    }
    while (map && strchr(at, '.') && (inner = step_into(map, &at)) != NULL)
        map = inner;
    if (!map || !fy_node_is_mapping(map))
        return because(why, WEIR_E_BAD_CONFIG,
                       "%s: '%s' is in no section of the configuration's files", set, path);
    sha256_add(loaded->sha, set, strlen(set) + 1);
    return put_checked(loaded, map, at, set, why);
}
