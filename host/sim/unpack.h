/* unpack.h - the recorded formats, line by line: texts in, messages out. Pure functions. [any thread] */
#ifndef WEIR_SIM_UNPACK_H
#define WEIR_SIM_UNPACK_H

#include <stdbool.h>

#include "sim/recording.h"
#include "weir/scan.h"

/* Which format begins with this line? False: none. */
bool unpack_format(struct weir_bytes line, enum recording_format *format_out);

/* The functions below give NULL, or what is wrong with the line, in words. */

/* `<stamp> <json>`: sets t, kind and bytes. */
const char *unpack_stamped(struct weir_bytes line, struct record *record_out);

/* What a line of a capture says; its texts are still as JSON has them. kind END: no message. */
struct captured {
    weir_ns t;
    enum record_kind kind;
    struct weir_bytes conn;
    struct weir_bytes target;
    struct weir_bytes data;
    bool base64;
    bool plain;  /* its texts stand as they are, and not as JSON has them */
    bool header; /* it tells of the file itself */
};
const char *unpack_capture(struct weir_bytes line, struct captured *captured_out);
const char *unpack_frame(struct weir_bytes line, struct captured *captured_out);
const char *unpack_text(struct weir_bytes line, struct captured *captured_out);

/* Rows: which column of the line of names is `timestamp`, from 0; -1: none. And a row's time and text. */
int unpack_time_column(struct weir_bytes names);
const char *unpack_row(struct weir_bytes line, int time_column, struct record *record_out);

/* Its texts themselves; each buffer has room for the whole line. */
const char *unpack_texts(const struct captured *captured, char *target, size_t *target_len,
                         char *data, size_t *data_len);

/* Seconds with a fraction as nanoseconds; what is below a nanosecond is left out. */
const char *unpack_seconds(struct weir_bytes text, weir_ns *t_out);

/* The inside of a JSON string as the text it stands for; `to` has room for text.len bytes. False: it
 * holds an escape that is none. */
bool unpack_string(struct weir_bytes text, char *to, size_t *len_out);

/* The first bytes of a line, in quotes, for a message to a person. */
void unpack_quote(struct weir_bytes line, char *to, size_t room);

#endif
