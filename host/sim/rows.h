/* rows.h - decoded market data in a file: what plugins made of recorded frames, to be read again and
 * again without decoding.
 *
 * A file is one page of head and then frames in order of time; a frame is a 24-byte head and the events
 * that its plugin emitted, as they lie in memory (weir/event.h), each a multiple of 8 bytes. So a reader
 * maps the file and hands out pointers. A ROW is what changed one number of a market: a level of a book
 * message, a best bid and ask, a trade, a mark.
 *
 * A file is good for one machine and one build of the event structs: the head names its source (a hash
 * that the maker chose, of data, plugins and settings) and the layout; another one is refused, and made
 * anew. Frames have no checksum: the file is a cache, and is thrown away when in doubt.  [one thread] */
#ifndef WEIR_SIM_ROWS_H
#define WEIR_SIM_ROWS_H

#include <stdbool.h>

#include "base/why.h"
#include "weir/plugin.h"

struct rows_frame {
    weir_ns t;
    uint32_t bytes; /* of events */
    uint32_t conn;
    uint16_t source;  /* the maker's number of the venue */
    uint8_t http;     /* an HTTP answer, not a frame */
    uint8_t answered; /* enum weir_err of the plugin */
    uint32_t rows;
};
_Static_assert(sizeof(struct rows_frame) == 24, "the head of a frame");

struct rows_facts {
    uint64_t frames, rows, bytes;
    uint64_t messages, left_out; /* of the recordings */
    weir_ns first, last;
    weir_ns took; /* to make it */
};

/* --- making ---- */
struct rows_writer;
/* Into a file that has no name yet in the folder of `path`. NULL: why. */
struct rows_writer *rows_create(const char *path, const unsigned char source[32],
                                struct why *why) WEIR_MUST_USE;
void rows_event(struct rows_writer *writer, const struct weir_msg *event); /* of the next frame */
enum weir_err rows_frame(struct rows_writer *writer, const struct rows_frame *frame,
                         struct why *why) WEIR_MUST_USE;
/* The file is whole, and has its name now. facts: frames, rows, bytes, first and last are filled in. */
enum weir_err rows_finish(struct rows_writer *writer, struct rows_facts *facts,
                          struct why *why) WEIR_MUST_USE;
void rows_abandon(struct rows_writer *writer); /* accepts NULL */

/* --- reading ---- */
struct rows {
    const unsigned char *bytes; /* the whole file, mapped */
    size_t size, at;
    struct rows_facts facts;
};
/* E_NOT_FOUND: there is no such file, or it is of another source (NULL: any will do) or layout. */
enum weir_err rows_open(const char *path, const unsigned char source[32], struct rows *out,
                        struct why *why) WEIR_MUST_USE;
void rows_close(struct rows *rows);

/* The next frame without taking it; NULL: there is none. Its events follow it. */
static inline const struct rows_frame *rows_next(const struct rows *rows)
{
    return rows->at < rows->size ? (const struct rows_frame *)(const void *)(rows->bytes + rows->at)
                                 : NULL;
}

static inline struct weir_bytes rows_take(struct rows *rows, const struct rows_frame *frame)
{
    rows->at += sizeof *frame + frame->bytes;
    return (struct weir_bytes){(const char *)(frame + 1), frame->bytes};
}

/* How many rows an event is. */
uint32_t rows_of(const struct weir_msg *event);

#endif
