/* lines.c - a folder of recordings, read whole. */
#include "control/kit/lines.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"

/* --- one file ----------------------------------------------------------------------------------- */

static enum weir_err hold(struct kit_lines *lines, char *bytes, const char *path, struct why *why)
{
    if (!bytes)
        return because(why, WEIR_E_NO_MEMORY, "out of memory");
    if (lines->held_count == sizeof lines->held / sizeof lines->held[0]) {
        free(bytes);
        return because(why, WEIR_E_FULL, "%s: expected at most %d files", path, KIT_FILES_MAX);
    }
    lines->held[lines->held_count++] = bytes;
    return WEIR_OK;
}

static enum weir_err slurp(struct kit_lines *lines, const char *path, struct weir_bytes *out,
                           struct why *why)
{
    struct text text;
    char block[16384];
    FILE *file = fopen(path, "rb");
    if (!file)
        return because(why, WEIR_E_IO, "%s: %s", path, strerror(errno));
    text_init(&text);
    for (size_t got; (got = fread(block, 1, sizeof block, file)) > 0;)
        text_add(&text, block, got);
    bool bad = ferror(file) || !text_ok(&text);
    fclose(file);
    *out = (struct weir_bytes){text_cstr(&text), text.len};
    if (bad || text.len == 0) {
        text_fini(&text);
        return because(why, WEIR_E_IO, "%s: cannot be read, or is empty", path);
    }
    return hold(lines, text.data, path, why); /* given away */
}

static enum weir_err add_line(struct kit_lines *lines, const char *path, struct kit_line line,
                              struct why *why)
{
    if (lines->count == KIT_FRAMES_MAX)
        return because(why, WEIR_E_FULL, "%s: expected at most %d frames in all", path,
                       KIT_FRAMES_MAX);
    if (line.bytes.len > KIT_FRAME_MAX && !line.http)
        return because(why, WEIR_E_BAD_FRAME, "%s: expected frames of up to 1 MiB", path);
    lines->frames += !line.http;
    lines->of_orders += line.of_orders;
    lines->line[lines->count++] = line;
    return WEIR_OK;
}

static enum weir_err split_lines(struct kit_lines *lines, const char *path, struct kit_line like,
                                 struct weir_bytes all, struct why *why)
{
    enum weir_err err = WEIR_OK;
    for (size_t at = 0; at < all.len && err == WEIR_OK;) {
        const char *end = memchr(all.data + at, '\n', all.len - at);
        size_t len = end ? (size_t)(end - all.data) - at : all.len - at;
        like.bytes = (struct weir_bytes){all.data + at, len};
        like.number++;
        if (len > 0)
            err = add_line(lines, path, like, why);
        at += len + 1;
    }
    return err;
}

/* The words of file names. */
static uint16_t told_by_name(const char *name)
{
    static const struct {
        const char *word;
        uint16_t kind;
    } words[] = {{"trade", WEIR_TRADE},
                 {"book", WEIR_BOOK},
                 {"top", WEIR_TOP},
                 {"instrument", WEIR_INSTRUMENT},
                 {"session", WEIR_SESSION},
                 {"ack", WEIR_ACK},
                 {"reject", WEIR_REJECT},
                 {"fill", WEIR_FILL},
                 {"canceled", WEIR_CANCELED},
                 {"expired", WEIR_EXPIRED},
                 {"replaced", WEIR_REPLACED},
                 {"cancel_reject", WEIR_CANCEL_REJECT},
                 {"replace_reject", WEIR_REPLACE_REJECT},
                 {"bust", WEIR_BUST}};
    for (const char *at = name; *at;) {
        size_t len = strcspn(at, "-.");
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
            if (strlen(words[i].word) == len && memcmp(at, words[i].word, len) == 0)
                return words[i].kind;
        at += len + (at[len] != '\0');
    }
    return 0;
}

/* NAME.2.ws: 1; NAME.ws: 0. False: it is no number of 1 to 99. */
static bool conn_by_name(const char *name, const char *dot, unsigned *conn_out)
{
    const char *at = dot;
    while (at > name && at[-1] != '.')
        at--;
    *conn_out = 0;
    if (at == name)
        return true;
    for (; at < dot; at++) {
        if (*at < '0' || *at > '9' || *conn_out > 9)
            return false;
        *conn_out = *conn_out * 10 + (unsigned)(*at - '0');
    }
    return (*conn_out)-- > 0;
}

static enum weir_err read_http(struct kit_lines *lines, const char *path, struct kit_line like,
                               struct weir_bytes all, struct why *why)
{
    const char *end = memchr(all.data, '\n', all.len);
    if (!end || all.data[0] != '/')
        return because(why, WEIR_E_BAD_FRAME, "%s:1: expected a path that begins with /", path);
    size_t head = (size_t)(end - all.data);
    like.http = true;
    like.target = (struct weir_bytes){all.data, head};
    like.bytes = (struct weir_bytes){end + 1, all.len - head - 1};
    return add_line(lines, path, like, why);
}

static enum weir_err read_one(struct kit_lines *lines, const char *path, const char *name,
                              bool of_orders, struct why *why)
{
    const char *dot = strrchr(name, '.');
    struct weir_bytes all = {"", 0};
    char *kept = strdup(name);
    enum weir_err err = hold(lines, kept, path, why);
    if (err == WEIR_OK)
        err = slurp(lines, path, &all, why);
    if (err != WEIR_OK)
        return err;
    struct kit_line like = {.of_orders = of_orders, .tells = told_by_name(name), .file = kept};
    if (dot && strcmp(dot, ".http") == 0)
        return read_http(lines, path, like, all, why);
    if (!dot || (strcmp(dot, ".ws") != 0 && strcmp(dot, ".bin") != 0))
        return because(why, WEIR_E_BAD_FRAME, "%s: expected a name that ends in .http, .ws or .bin",
                       path);
    if (!conn_by_name(name, dot, &like.conn))
        return because(why, WEIR_E_BAD_FRAME,
                       "%s: expected a connection of 1 to 99 before %s, found none", path, dot);
    if (strcmp(dot, ".ws") == 0)
        return split_lines(lines, path, like, all, why);
    like.bytes = all;
    like.number = 1;
    return add_line(lines, path, like, why);
}

/* --- the folder --------------------------------------------------------------------------------- */

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && strcmp(entry->d_name, "orders") != 0 &&
           strcmp(entry->d_name, "README.md") != 0;
}

static enum weir_err read_folder(const char *folder, bool of_orders, struct kit_lines *lines,
                                 struct why *why)
{
    struct dirent **names;
    int count = scandir(folder, &names, is_visible, alphasort);
    if (count < 0)
        return because(why, WEIR_E_IO, "%s: %s", folder, strerror(errno));
    enum weir_err err = WEIR_OK;
    for (int i = 0; i < count; i++) {
        char path[1024];
        int len = snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        if (err == WEIR_OK && (len < 0 || (size_t)len >= sizeof path))
            err = because(why, WEIR_E_FULL, "%s: the path is too long", folder);
        if (err == WEIR_OK)
            err = read_one(lines, path, names[i]->d_name, of_orders, why);
        free(names[i]);
    }
    free(names);
    return err;
}

enum weir_err kit_lines_read(const char *folder, struct kit_lines *lines_out, struct why *why)
{
    char path[1024];
    struct stat is;
    if (!folder)
        return WEIR_OK;
    enum weir_err err = read_folder(folder, false, lines_out, why);
    int len = snprintf(path, sizeof path, "%s/orders", folder);
    if (err == WEIR_OK && len > 0 && (size_t)len < sizeof path && stat(path, &is) == 0)
        err = read_folder(path, true, lines_out, why);
    if (err == WEIR_OK && lines_out->count == 0)
        return because(why, WEIR_E_NOT_FOUND,
                       "%s: expected files *.http, *.ws or *.bin, found none", folder);
    return err;
}

void kit_lines_free(struct kit_lines *lines)
{
    for (unsigned i = 0; i < lines->held_count; i++)
        free(lines->held[i]);
    lines->held_count = lines->count = 0;
}
