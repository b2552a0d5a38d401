/* lines.c - see the header. */
#include "sim/lines.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 1 << 17 };

enum weir_err lines_open(struct lines *lines, const char *path, struct why *why)
{
    *lines = (struct lines){.path = path, .room = FIRST_ROOM};
    lines->container = container_open(path, why);
    if (!lines->container)
        return why->err;
    lines->buffer = malloc(lines->room);
    if (lines->buffer)
        return WEIR_OK;
    lines_close(lines);
    return because(why, WEIR_E_NO_MEMORY, "%s: out of memory", path);
}

void lines_close(struct lines *lines)
{
    container_close(lines->container);
    free(lines->buffer);
    *lines = (struct lines){0};
}

/* More bytes behind those that are there; what was given already is dropped first. */
static enum weir_err fill(struct lines *lines, struct why *why)
{
    if (lines->at > 0) {
        memmove(lines->buffer, lines->buffer + lines->at, lines->len - lines->at);
        lines->len -= lines->at;
        lines->at = 0;
    }
    if (lines->len == lines->room) {
        size_t room = lines->room * 2;
        char *buffer =
            room > lines->room && room <= LINE_MAX_BYTES ? realloc(lines->buffer, room) : NULL;
        if (!buffer)
            return because(why, WEIR_E_CORRUPT,
                           "%s: line %" PRIu64
                           ": longer than %zu bytes; expected a recorded message",
                           lines->path, lines->number + 1, lines->room);
        lines->buffer = buffer;
        lines->room = room;
    }
    size_t got = 0;
    enum weir_err err = container_read(lines->container, lines->buffer + lines->len,
                                       lines->room - lines->len, &got, why);
    lines->len += got;
    lines->ended = err == WEIR_OK && got == 0;
    return err;
}

enum weir_err lines_next(struct lines *lines, struct weir_bytes *line_out, bool *more_out,
                         struct why *why)
{
    char *end = NULL;
    size_t seen = 0;
    while (!end) {
        char *from = lines->buffer + lines->at;
        size_t left = lines->len - lines->at;
        end = left > seen ? memchr(from + seen, '\n', left - seen) : NULL;
        if (end || lines->ended)
            break;
        seen = left;
        enum weir_err err = fill(lines, why);
        if (err != WEIR_OK)
            return err;
    }
    char *from = lines->buffer + lines->at;
    size_t len = end ? (size_t)(end - from) : lines->len - lines->at;
    lines->at += len + (end != NULL);
    lines->open_end = !end;
    *more_out = end || len > 0;
    lines->number += *more_out;
    if (len > 0 && from[len - 1] == '\r')
        len--;
    if (lines->number == 1 && len >= 3 && memcmp(from, "\xef\xbb\xbf", 3) == 0) {
        from += 3; /* the mark that some editors put before UTF-8 text */
        len -= 3;
    }
    *line_out = (struct weir_bytes){from, len};
    return WEIR_OK;
}
