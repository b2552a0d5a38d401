/* lines.h - what a venue says, from a folder of recordings. Files count in the order of their names.
 *
 *   NAME.http     a path's beginning, a line's end, the body that requests to it are answered with
 *   NAME.ws       a frame a line, on the first connection that the plugin opened;
 *                 NAME.2.ws: on the second, and so on
 *   NAME.bin      one frame (NAME.2.bin likewise)
 *   orders/       the same, said about the order of the check: it buys, and is called w100000000000001
 *
 * ${word} in frames is what the plugin's last message on that connection (or its last request) has for the
 * member or parameter of that name, such as the number of the request that is answered.
 * A word of `struct weir_event`'s list in the file's name, as in 2-fill.ws, says that each of its frames
 * must tell that event: trade book top instrument ack reject fill canceled expired replaced
 * cancel_reject replace_reject bust session.                                      [one thread] */
#ifndef WEIR_CONTROL_KIT_LINES_H
#define WEIR_CONTROL_KIT_LINES_H

#include <stdbool.h>

#include "base/why.h"
#include "weir/plugin.h"

enum { KIT_FRAMES_MAX = 2000, KIT_FRAME_MAX = 1 << 20, KIT_FILES_MAX = 256 };

struct kit_line {
    bool http, of_orders;
    unsigned conn;    /* the n-th that the plugin opened, from 0 on */
    uint16_t tells;   /* enum weir_kind that it must tell; 0: not said */
    const char *file; /* its name, and which line of it */
    unsigned number;
    struct weir_bytes target; /* http: the path's beginning */
    struct weir_bytes bytes;
};

struct kit_lines {
    struct kit_line line[KIT_FRAMES_MAX]; /* those of orders/ last */
    unsigned count, frames, of_orders;
    char *held[2 * KIT_FILES_MAX]; /* what the lines point into */
    unsigned held_count;
};

/* folder NULL: none. lines_out is freed by kit_lines_free, also after an error. E_IO, E_FULL, E_BAD_FRAME,
 * E_NOT_FOUND: why says which file, and what was expected. */
enum weir_err kit_lines_read(const char *folder, struct kit_lines *lines_out,
                             struct why *why) WEIR_MUST_USE;
void kit_lines_free(struct kit_lines *lines);

#endif
