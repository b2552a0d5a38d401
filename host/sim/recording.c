/* recording.c - see the header.
 *
 * A reader goes through the file once and makes messages of its lines. A stamped file has one. So
 * has a capture whose lines stand in time order; if they do not, the first look at the file says so,
 * and then each connection has a reader of its own, which passes over the others' lines. The file
 * is unpacked once more for each connection: time for memory, since blocks may be of any size.
 *
 * PROMISES (1) What a damaged file still holds is given before the error. [survey, settle]
 *          (2) Times never step back, neither in a connection nor between them. [recording_next] */
#include "sim/recording.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lines.h"
#include "sim/unpack.h"

struct reader {
    struct lines lines;
    uint32_t only;      /* this connection's messages; 0: all */
    uint64_t last_line; /* look no further; 0: to the end */
    bool done;
    struct record head; /* the next message, if have_head */
    bool have_head;
    char *text[2]; /* unescaped target and bytes */
    size_t room[2];
};

struct recording {
    char *path;
    enum recording_format format;
    struct reader *readers;
    uint32_t reader_count;
    weir_ns now;
    char names[RECORDING_CONNS_MAX][CONN_NAME_MAX];
    uint64_t last_lines[RECORDING_CONNS_MAX]; /* of each connection */
    uint32_t conn_count;
    uint32_t headers;
    int time_column;   /* of rows */
    struct why damage; /* what the survey found at the end; told when all else was given */
    bool done;
};

static enum weir_err wrong(const struct recording *recording, uint64_t line, struct why *why,
                           const char *what)
{
    return because(why, WEIR_E_CORRUPT, "%s: line %" PRIu64 ": %s", recording->path, line, what);
}

/* --- lines into messages ----------------------------------------------------------------------- */

/* A JSON text that stands at the end of a file without LF may have been cut. */
static bool is_whole_json(struct weir_bytes text)
{
    struct scan scan = scan_of(text);
    scan_skip(&scan);
    return scan_done(&scan);
}

static enum weir_err stamped(const struct recording *recording, struct reader *reader,
                             struct weir_bytes line, struct record *out, struct why *why)
{
    const char *problem = unpack_stamped(line, out);
    if (!problem && reader->lines.open_end && !is_whole_json(out->bytes))
        problem = "the file ends in the middle of this message; expected its end and a line feed";
    return problem ? wrong(recording, out->line, why, problem) : WEIR_OK;
}

/* A row of values; the line of names tells of the file. */
static enum weir_err row(struct recording *recording, const struct reader *reader,
                         struct weir_bytes line, struct record *out, struct why *why)
{
    if (reader->lines.number == 1) {
        recording->headers++;
        return WEIR_OK;
    }
    const char *problem = unpack_row(line, recording->time_column, out);
    return problem ? wrong(recording, out->line, why, problem) : WEIR_OK;
}

/* Room for the unescaped texts: each is no longer than its line. */
static bool make_room(struct reader *reader, size_t len)
{
    for (int i = 0; i < 2; i++) {
        if (len <= reader->room[i])
            continue;
        char *text = realloc(reader->text[i], len * 2);
        if (!text)
            return false;
        reader->text[i] = text;
        reader->room[i] = len * 2;
    }
    return true;
}

/* The number of a connection by its name; new ones are added. 0: too many. */
static uint32_t conn_of(struct recording *recording, struct weir_bytes name)
{
    size_t len = name.len < CONN_NAME_MAX ? name.len : CONN_NAME_MAX - 1;
    if (len == 0)
        name.data = "";
    for (uint32_t i = 0; i < recording->conn_count; i++)
        if (strlen(recording->names[i]) == len && memcmp(recording->names[i], name.data, len) == 0)
            return i + 1;
    if (recording->conn_count == RECORDING_CONNS_MAX)
        return 0;
    memcpy(recording->names[recording->conn_count], name.data, len);
    return ++recording->conn_count;
}

/* One line of a capture. out->kind stays END for a line that is no message. */
static enum weir_err captured(struct recording *recording, struct reader *reader,
                              struct weir_bytes line, struct record *out, struct why *why)
{
    struct captured found;
    const char *problem = recording->format == FORMAT_CAPTURE ? unpack_capture(line, &found)
                          : recording->format == FORMAT_TEXT  ? unpack_text(line, &found)
                                                              : unpack_frame(line, &found);
    if (problem)
        return wrong(recording, out->line, why, problem);
    recording->headers += found.header && reader->only <= 1; /* each reader meets it */
    if (found.kind == RECORD_END)
        return WEIR_OK;
    out->conn = conn_of(recording, found.conn);
    if (out->conn == 0)
        return wrong(recording, out->line, why, "more than 64 connections in one file");
    if (reader->only != 0 && reader->only != out->conn)
        return WEIR_OK;
    if (!make_room(reader, line.len))
        return because(why, WEIR_E_NO_MEMORY, "%s: out of memory", recording->path);
    out->t = found.t;
    out->kind = found.kind;
    out->target.data = reader->text[0];
    out->bytes.data = reader->text[1];
    problem =
        unpack_texts(&found, reader->text[0], &out->target.len, reader->text[1], &out->bytes.len);
    return problem ? wrong(recording, out->line, why, problem) : WEIR_OK;
}

/* Behind which line of the text the damage of the file lies. */
static void add_line(struct why *why, uint64_t line)
{
    size_t len = strlen(why->text);
    (void)snprintf(why->text + len, sizeof why->text - len, " (after line %" PRIu64 ")", line);
}

/* The reader's next message. kind END: it has none. */
static enum weir_err read_message(struct recording *recording, struct reader *reader,
                                  struct record *out, struct why *why)
{
    struct weir_bytes line;
    bool more = true;
    enum weir_err err = WEIR_OK;
    *out = (struct record){0};
    while (err == WEIR_OK && out->kind == RECORD_END && more) {
        if (reader->last_line != 0 && reader->lines.number >= reader->last_line)
            break;
        err = lines_next(&reader->lines, &line, &more, why);
        if (err != WEIR_OK)
            add_line(why, reader->lines.number);
        if (err != WEIR_OK || !more)
            break;
        *out = (struct record){.line = reader->lines.number, .conn = 1};
        if (line.len == 0)
            continue;
        err = recording->format == FORMAT_STAMPED ? stamped(recording, reader, line, out, why)
              : recording->format == FORMAT_ROWS  ? row(recording, reader, line, out, why)
                                                  : captured(recording, reader, line, out, why);
    }
    if (err != WEIR_OK)
        out->kind = RECORD_END;
    return err;
}

/* --- opening ----------------------------------------------------------------------------------- */

static void reader_close(struct reader *reader)
{
    lines_close(&reader->lines);
    free(reader->text[0]);
    free(reader->text[1]);
}

static enum weir_err add_reader(struct recording *recording, uint32_t only, struct why *why)
{
    struct reader *readers =
        realloc(recording->readers, (recording->reader_count + 1) * sizeof *readers);
    if (!readers)
        return because(why, WEIR_E_NO_MEMORY, "%s: out of memory", recording->path);
    recording->readers = readers;
    struct reader *reader = &readers[recording->reader_count];
    *reader = (struct reader){.only = only};
    if (only > 0)
        reader->last_line = recording->last_lines[only - 1];
    enum weir_err err = lines_open(&reader->lines, recording->path, why);
    recording->reader_count += err == WEIR_OK;
    return err;
}

/* What the first line is. */
static enum weir_err find_format(struct recording *recording, struct why *why)
{
    struct lines lines;
    struct weir_bytes line;
    bool more;
    enum weir_err err = lines_open(&lines, recording->path, why);
    if (err != WEIR_OK)
        return err;
    err = lines_next(&lines, &line, &more, why);
    if (err == WEIR_OK && !more)
        err = because(why, WEIR_E_CORRUPT, "%s: it is empty; expected recorded messages",
                      recording->path);
    if (err == WEIR_OK && !unpack_format(line, &recording->format)) {
        char start[48];
        unpack_quote(line, start, sizeof start);
        err = because(
            why, WEIR_E_UNSUPPORTED,
            "%s: line 1: expected \"<stamp> <json>\", a capture's {\"t\":...} or \"<addr> <-> "
            "<time>\", or names of columns with a timestamp; found %s",
            recording->path, start);
    }
    if (err == WEIR_OK && recording->format == FORMAT_ROWS)
        recording->time_column = unpack_time_column(line);
    lines_close(&lines);
    return err;
}

/* Look through a capture: which connections there are, and whether its lines are in time order. What
 * stops the look is remembered, and what is before it is still given. */
static enum weir_err survey(struct recording *recording, bool *sorted_out, struct why *why)
{
    struct record record;
    weir_ns last = INT64_MIN;
    *sorted_out = true;
    enum weir_err err = add_reader(recording, 0, why);
    if (err != WEIR_OK)
        return err;
    struct reader *reader = &recording->readers[0];
    for (;;) {
        err = read_message(recording, reader, &record, &recording->damage);
        if (err != WEIR_OK || record.kind == RECORD_END)
            break;
        *sorted_out = *sorted_out && record.t >= last;
        last = record.t;
        recording->last_lines[record.conn - 1] = record.line;
    }
    reader_close(reader);
    recording->reader_count = 0;
    recording->headers = 0;
    return WEIR_OK;
}

static enum weir_err open_readers(struct recording *recording, struct why *why)
{
    bool sorted = true;
    enum weir_err err = find_format(recording, why);
    if (err == WEIR_OK && recording->format == FORMAT_CAPTURE)
        err = survey(recording, &sorted, why);
    if (err == WEIR_OK && sorted) {
        recording->damage.err = WEIR_OK; /* the one reader meets it again */
        err = add_reader(recording, 0, why);
    }
    for (uint32_t conn = 1; !sorted && conn <= recording->conn_count && err == WEIR_OK; conn++)
        err = add_reader(recording, conn, why);
    return err;
}

struct recording *recording_open(const char *path, struct why *why)
{
    struct recording *recording = calloc(1, sizeof *recording);
    if (recording)
        recording->path = strdup(path);
    if (!recording || !recording->path) {
        free(recording);
        (void)because(why, WEIR_E_NO_MEMORY, "%s: out of memory", path);
        return NULL;
    }
    recording->now = INT64_MIN;
    if (open_readers(recording, why) == WEIR_OK)
        return recording;
    recording_close(recording);
    return NULL;
}

void recording_close(struct recording *recording)
{
    if (!recording)
        return;
    for (uint32_t i = 0; i < recording->reader_count; i++)
        reader_close(&recording->readers[i]);
    free(recording->readers);
    free(recording->path);
    free(recording);
}

/* --- reading ----------------------------------------------------------------------------------- */

/* Of the readers' next messages the earliest. NULL: none has one. */
static struct reader *earliest(struct recording *recording, enum weir_err *err, struct why *why)
{
    struct reader *best = NULL;
    for (uint32_t i = 0; i < recording->reader_count && *err == WEIR_OK; i++) {
        struct reader *reader = &recording->readers[i];
        if (!reader->have_head && !reader->done) {
            *err = read_message(recording, reader, &reader->head, why);
            reader->have_head = reader->head.kind != RECORD_END;
            reader->done = !reader->have_head;
        }
        if (reader->have_head &&
            (!best || reader->head.t < best->head.t ||
             (reader->head.t == best->head.t && reader->head.line < best->head.line)))
            best = reader;
    }
    return best;
}

enum weir_err recording_next(struct recording *recording, struct record *record_out,
                             struct why *why)
{
    enum weir_err err = WEIR_OK;
    *record_out = (struct record){0};
    if (recording->done)
        return WEIR_OK;
    struct reader *reader = earliest(recording, &err, why);
    if (err == WEIR_OK && !reader && recording->damage.err != WEIR_OK) {
        *why = recording->damage;
        err = why->err;
    }
    recording->done = err != WEIR_OK || !reader;
    if (recording->done)
        return err;
    *record_out = reader->head;
    reader->have_head = false; /* its bytes stay until it reads on */
    if (record_out->t < recording->now)
        record_out->t = recording->now;
    recording->now = record_out->t;
    return WEIR_OK;
}

enum recording_format recording_format(const struct recording *recording)
{
    return recording->format;
}

uint64_t recording_taken(const struct recording *recording)
{
    uint64_t taken = 0;
    for (uint32_t i = 0; i < recording->reader_count; i++)
        taken += container_taken(recording->readers[i].lines.container);
    return recording->reader_count > 0 ? taken / recording->reader_count : 0;
}

const char *recording_container(const struct recording *recording)
{
    return recording->reader_count > 0 ? container_kind(recording->readers[0].lines.container) : "";
}

uint32_t recording_headers(const struct recording *recording)
{
    return recording->headers;
}

const char *recording_conn_name(const struct recording *recording, uint32_t conn)
{
    return conn > 0 && conn <= recording->conn_count ? recording->names[conn - 1] : "";
}
