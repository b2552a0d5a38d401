/* lines.h - a recorded file line by line. A line is what ends with LF (a CR before it is dropped), or
 * the whole rest of an undamaged file. Memory is that of the longest line, which has a limit. */
#ifndef WEIR_SIM_LINES_H
#define WEIR_SIM_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/container.h"
#include "weir/plugin.h"

enum { LINE_MAX_BYTES = 1 << 26 };

struct lines {
    struct container *container;
    const char *path; /* borrowed */
    char *buffer;
    size_t room, len, at;
    uint64_t number; /* of the line given last, from 1 */
    bool ended;      /* the container gave all it had */
    bool open_end;   /* the line given last had no LF */
};

/* path stays valid until lines_close. */
enum weir_err lines_open(struct lines *lines, const char *path, struct why *why) WEIR_MUST_USE;
void lines_close(struct lines *lines);

/* Borrowed until the next call. *more_out false: the end. A damaged file gives its whole lines first. */
enum weir_err lines_next(struct lines *lines, struct weir_bytes *line_out, bool *more_out,
                         struct why *why) WEIR_MUST_USE;

#endif
