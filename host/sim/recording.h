/* recording.h - one recorded file as messages with the time at which they arrived.
 *
 * FORMATS  Told apart by the first line, never by the name; containers as in container.h.
 *          stamped   <stamp><space><json>: the stamp is 13 digits (ms), 16 (us) or 19 (ns)
 *          capture   {"t":"recv","conn":...,"ts":<seconds>,"data":"<text>"} and header, http,
 *                    connect, send lines; "b64" stands for "data" of binary frames
 *          text      one event a line: "<addr> <-> <seconds>" connected, "<addr> <- <seconds>: <text>"
 *                    sent, "<url> -> <seconds>: <body>" an HTTP answer, "<seconds>: <text>" received
 *          rows      values between commas under a line of names, one of which is `timestamp` (ms)
 *          frames    {"t":<seconds>,"dir":"in"|"out"|"http","raw":"<text>"}
 * ORDER    A file's lines come in their order; a stamp that steps back is taken as the one before.
 *          Only a capture whose connections follow one another in blocks is merged by time (equal
 *          times: by line), each connection keeping its order.
 * DAMAGE   What is whole comes first, then one error: file, line or byte, expectation.
 * MEMORY   That of the longest message, for each connection that must be merged. [one thread] */
#ifndef WEIR_SIM_RECORDING_H
#define WEIR_SIM_RECORDING_H

#include "base/why.h"
#include "weir/plugin.h"

enum record_kind {
    RECORD_END = 0, /* no more */
    RECORD_FRAME,   /* bytes: a message from the venue */
    RECORD_HTTP,    /* bytes: the body of an answer, target: its URL */
    RECORD_CONNECT, /* target: where to */
    RECORD_SENT     /* bytes: a message to the venue */
};

enum { RECORDING_CONNS_MAX = 64, CONN_NAME_MAX = 64 };

struct record {
    weir_ns t;
    uint32_t kind;            /* enum record_kind */
    uint32_t conn;            /* from 1, in the order of their first message in the file */
    uint64_t line;            /* in the file, from 1 */
    struct weir_bytes target; /* borrowed until the next call, like bytes */
    struct weir_bytes bytes;
};

enum recording_format {
    FORMAT_STAMPED = 0,
    FORMAT_CAPTURE,
    FORMAT_FRAMES,
    FORMAT_TEXT,
    FORMAT_ROWS
};

struct recording;

/* NULL: why says what. */
struct recording *recording_open(const char *path, struct why *why) WEIR_MUST_USE;
void recording_close(struct recording *recording); /* accepts NULL */

/* The next message; kind RECORD_END: there is none. After an error, the end. */
enum weir_err recording_next(struct recording *recording, struct record *record_out,
                             struct why *why) WEIR_MUST_USE;

enum recording_format recording_format(const struct recording *recording);
uint64_t recording_taken(const struct recording *recording);        /* packed bytes read so far */
const char *recording_container(const struct recording *recording); /* "gzip", ... */
uint32_t recording_headers(
    const struct recording *recording); /* lines that tell of the file, so far */
/* The name that the file gives a connection; "" where it gives none. */
const char *recording_conn_name(const struct recording *recording, uint32_t conn);

#endif
