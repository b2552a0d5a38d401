/* window.h - a file's bytes by offset, read ahead in one buffer; past its end there are zeros.
 *
 * pread() and not mmap(): a bad sector is then an error with an offset and not a signal, and a file
 * that shrinks under us is shorter and nothing else. [one thread each] */
#ifndef WEIR_JOURNAL_WINDOW_H
#define WEIR_JOURNAL_WINDOW_H

#include "journal/format.h"

struct window {
    int fd; /* -1: none */
    unsigned char *data;
    size_t room;
    uint64_t from;
    size_t len;
};

/* The len bytes from offset (a multiple of 8), aligned to 8; until the next call. NULL: why. */
const void *window_view(struct window *window, uint64_t offset, size_t len, struct why *why);
void window_forget(struct window *window);      /* read again what is asked for next */
void window_set(struct window *window, int fd); /* another file: takes fd, closes the one before */
void window_fini(struct window *window);

/* --- the end of the last segment --------------------------------------------------------------- */

struct tail {
    struct window *window;
    const struct segment_id *id;
    uint64_t end;     /* no good record here */
    uint64_t durable; /* offset; 0: not told */
    bool same_boot;   /* the machine runs since before the segment was made */
};

/* How many bytes behind the end are to be cut, 0 for none; E_CORRUPT: it is not a torn end. */
enum weir_err tail_judge(const struct tail *tail, uint64_t *cut_out, struct why *why) WEIR_MUST_USE;

/* Are all bytes from offset to the end of the segment zero? */
enum weir_err tail_is_zero(struct window *window, uint64_t offset, uint64_t end,
                           struct why *why) WEIR_MUST_USE;

/* Refuse what lies at offset, saying what was found. */
enum weir_err record_refused(struct window *window, const struct segment_id *id, uint64_t offset,
                             const char *because_of, struct why *why);

#endif
