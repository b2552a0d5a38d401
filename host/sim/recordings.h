/* recordings.h - many recorded files as one stream of messages in time order.
 *
 * Paths are files, or folders whose files are taken in the order of their names. A file that takes up
 * where another one of the same stream ended (same market and symbol, found by the plugins' probes)
 * goes on as the same connection, so `_20240808` and `_20240809` are one stream without a gap.
 * Each connection belongs to the first plugin that knows one of its messages. Files are opened when
 * their time comes, and closed when they are done. [one thread] */
#ifndef WEIR_SIM_RECORDINGS_H
#define WEIR_SIM_RECORDINGS_H

#include <stdbool.h>

#include "sim/recording.h"

struct recordings_config {
    const char *const *paths;
    size_t path_count;
    const struct weir_plugin *const *plugins;
    uint32_t plugin_count;
};

/* A message and where it belongs. */
struct recorded_message {
    struct record record;  /* conn: over all files, dense from 1 */
    const char *file;      /* path; valid until recordings_close */
    const char *conn_name; /* the file's name for the connection; "" where it has none */
    enum recording_format format;
    uint32_t headers;   /* of the file, as recording_headers */
    uint32_t plugin;    /* index in config.plugins; UINT32_MAX: nobody knows this connection */
    const char *market; /* of the connection, as the plugin calls it; "" with it */
    const char
        *symbol; /* of a connection of one symbol, as far as its first messages tell; else "" */
    bool begins; /* the first message of its connection */
};

struct recordings;

/* NULL: why says what; a file that is no recording is named. */
struct recordings *recordings_open(const struct recordings_config *config,
                                   struct why *why) WEIR_MUST_USE;
void recordings_close(struct recordings *recordings); /* accepts NULL */

/* The next message; record.kind RECORD_END: there is none. Times never step back. After an error (a
 * damaged file, named) the other files go on with the next call. */
enum weir_err recordings_next(struct recordings *recordings, struct recorded_message *out,
                              struct why *why) WEIR_MUST_USE;

weir_ns recordings_start(const struct recordings *recordings); /* time of the first message */
size_t recordings_files(const struct recordings *recordings);
const char *recordings_file(const struct recordings *recordings, size_t index);

/* Packed bytes read so far, of those of all files. */
uint64_t recordings_taken(const struct recordings *recordings);

/* The files that paths stand for, without a look into them: folders' files in the order of their names.
 * The list and its texts are the caller's: recordings_forget. */
enum weir_err recordings_find(const char *const *paths, size_t count, char ***files_out,
                              size_t *file_count_out, struct why *why) WEIR_MUST_USE;
void recordings_forget(char **files, size_t count);

#endif
