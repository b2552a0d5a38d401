/* latencies.c - rows of measured latencies. */
#include "sim/latencies.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "sim/lines.h"

enum { ROWS_MAX = 1 << 24 };
static const weir_ns day = (weir_ns)86400 * 1000000000;

/* One whole number up to the comma, or to the end if it is the last. */
static bool number(struct weir_bytes *rest, bool last, int64_t *value_out)
{
    const char *comma = memchr(rest->data, ',', rest->len);
    size_t len = comma ? (size_t)(comma - rest->data) : rest->len;
    if (!comma == !last || len == 0 || decimal_parse(rest->data, len, 0, value_out) != WEIR_OK)
        return false;
    rest->data += len + !last;
    rest->len -= len + !last;
    return true;
}

static bool parse(struct weir_bytes line, struct latency_row *row_out)
{
    bool good = number(&line, false, &row_out->t);
    for (int way = 0; good && way < LATENCY_WAYS; way++)
        good = number(&line, way == LATENCY_WAYS - 1, &row_out->of[way]) && row_out->of[way] >= 0 &&
               row_out->of[way] <= day;
    return good;
}

struct rows {
    struct latency_row *rows;
    uint32_t count, room;
};

static bool add(struct rows *rows, const struct latency_row *row)
{
    if (rows->count == rows->room) {
        uint32_t room = rows->room ? rows->room * 2 : 1024;
        struct latency_row *more = realloc(rows->rows, room * sizeof *more);
        if (!more)
            return false;
        rows->rows = more;
        rows->room = room;
    }
    rows->rows[rows->count++] = *row;
    return true;
}

static enum weir_err take(struct rows *rows, struct lines *lines, struct weir_bytes line,
                          struct why *why)
{
    struct latency_row row;
    if (line.len == 0 || line.data[0] == '#' || (lines->number == 1 && line.data[0] > '9'))
        return WEIR_OK;
    if (!parse(line, &row))
        return because(why, WEIR_E_BAD_CONFIG,
                       "%s:%" PRIu64 ": expected time,submit,cancel,amend,report in whole "
                       "nanoseconds, each latency up to a day",
                       lines->path, lines->number);
    if (rows->count > 0 && row.t <= rows->rows[rows->count - 1].t)
        return because(why, WEIR_E_BAD_CONFIG,
                       "%s:%" PRIu64 ": expected a time after that of the row before", lines->path,
                       lines->number);
    if (rows->count == ROWS_MAX || !add(rows, &row))
        return because(why, WEIR_E_NO_MEMORY, "%s: more rows than memory takes", lines->path);
    return WEIR_OK;
}

enum weir_err latencies_read(const char *path, struct latency_row **rows_out, uint32_t *count_out,
                             struct why *why)
{
    struct rows rows = {0};
    struct lines lines;
    struct weir_bytes line;
    bool more = true;
    enum weir_err err = lines_open(&lines, path, why);
    if (err)
        return err;
    while (!err && more) {
        err = lines_next(&lines, &line, &more, why);
        if (!err && more)
            err = take(&rows, &lines, line, why);
    }
    lines_close(&lines);
    if (!err && rows.count == 0)
        err = because(why, WEIR_E_BAD_CONFIG, "%s: it has no rows", path);
    if (err) {
        free(rows.rows);
        return err;
    }
    *rows_out = rows.rows;
    *count_out = rows.count;
    return WEIR_OK;
}
