/* window.c - bytes by offset, and the judgement on a segment's end (the rules are in reader.h). */
#include "journal/window.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"

enum {
    AHEAD = 256 << 10,
    SMALL = 4096 /* asked for at a time when words are looked at, so that one read serves many */
};

void window_forget(struct window *window)
{
    window->len = 0;
}

void window_set(struct window *window, int fd)
{
    if (window->fd >= 0)
        close(window->fd);
    window->fd = fd;
    window_forget(window);
}

void window_fini(struct window *window)
{
    window_set(window, -1);
    free(window->data);
    window->data = NULL;
    window->room = 0;
}

static bool make_room(struct window *window, size_t len)
{
    if (len <= window->room)
        return true;
    unsigned char *data = realloc(window->data, len);
    if (!data)
        return false;
    memset(data + window->room, 0, len - window->room);
    window->data = data;
    window->room = len;
    return true;
}

static enum weir_err fill(struct window *window, uint64_t offset, size_t len, struct why *why)
{
    window->from = offset;
    window->len = 0;
    while (window->len < len) {
        ssize_t got = pread(window->fd, window->data + window->len, len - window->len,
                            (off_t)(offset + window->len));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return because(why, WEIR_E_IO, "offset %llu: cannot read: %s",
                           (unsigned long long)(offset + window->len), strerror(errno));
        if (got == 0) {
            memset(window->data + window->len, 0, len - window->len);
            got = (ssize_t)(len - window->len);
        }
        window->len += (size_t)got;
    }
    return WEIR_OK;
}

const void *window_view(struct window *window, uint64_t offset, size_t len, struct why *why)
{
    must(offset % 8 == 0 && window->fd >= 0);
    if (offset >= window->from && offset - window->from <= window->len &&
        len <= window->len - (offset - window->from))
        return window->data + (offset - window->from);
    size_t take = len > AHEAD ? len : AHEAD;
    if (!make_room(window, take)) {
        (void)because(why, WEIR_E_NO_MEMORY, "no memory to read %zu bytes", take);
        return NULL;
    }
    return fill(window, offset, take, why) == WEIR_OK ? window->data : NULL;
}

/* --- what lies at the end --------------------------------------------------------------------- */

enum weir_err record_refused(struct window *window, const struct segment_id *id, uint64_t offset,
                             const char *because_of, struct why *why)
{
    struct record_head head;
    uint64_t room = id->bytes - offset;
    const void *view = room >= sizeof head ? window_view(window, offset, sizeof head, why) : NULL;
    if (!view)
        return room >= sizeof head ? why->err
                                   : because(why, WEIR_E_CORRUPT,
                                             "offset %llu: no room for a record, expected one%s",
                                             (unsigned long long)offset, because_of);
    memcpy(&head, view, sizeof head);
    uint32_t size = (uint32_t)head.word;
    if (head.word == 0)
        return because(why, WEIR_E_CORRUPT, "offset %llu: no record, expected one%s",
                       (unsigned long long)offset, because_of);
    if (size < sizeof(struct weir_msg) || size % 8 != 0 || size > RECORD_MAX ||
        size > room - RECORD_HEAD)
        return because(
            why, WEIR_E_CORRUPT,
            "offset %llu: a record of %u bytes, expected a multiple of 8 from %zu to %llu%s",
            (unsigned long long)offset, (unsigned)size, sizeof(struct weir_msg),
            (unsigned long long)record_max(id->bytes), because_of);
    view = window_view(window, offset, RECORD_HEAD + size, why);
    if (!view)
        return why->err;
    uint32_t crc = record_crc(view, size, id->crc);
    if (crc != head.word >> 32)
        return because(
            why, WEIR_E_CORRUPT, "offset %llu: damaged record, crc32c %08x, expected %08x%s",
            (unsigned long long)offset, (unsigned)crc, (unsigned)(head.word >> 32), because_of);
    return because(why, WEIR_E_CORRUPT,
                   "offset %llu: a record of class %u made for offset %llu, expected class 1 to 4 "
                   "made for this place%s",
                   (unsigned long long)offset, (unsigned)head.class,
                   (unsigned long long)head.place * 8, because_of);
}

/* From offset on: where is the next word that is not zero? end: nowhere. */
static enum weir_err next_word(struct window *window, uint64_t offset, uint64_t end,
                               uint64_t *at_out, struct why *why)
{
    while (offset < end) {
        size_t len = end - offset < SMALL ? (size_t)(end - offset) : SMALL;
        const uint64_t *words = window_view(window, offset, len, why);
        if (!words)
            return why->err;
        for (size_t i = 0; i < len / 8; i++)
            if (words[i] != 0) {
                *at_out = offset + i * 8;
                return WEIR_OK;
            }
        offset += len;
    }
    *at_out = end;
    return WEIR_OK;
}

enum weir_err tail_is_zero(struct window *window, uint64_t offset, uint64_t end, struct why *why)
{
    uint64_t at;
    enum weir_err err = next_word(window, offset, end, &at, why);
    if (err == WEIR_OK && at < end)
        err = because(why, WEIR_E_CORRUPT,
                      "offset %llu: bytes behind the last record (which ends at offset %llu), "
                      "expected zeros",
                      (unsigned long long)at, (unsigned long long)offset);
    return err;
}

struct remains {
    uint64_t last; /* end of the last word that is not zero; 0: all are */
    uint64_t good; /* a good record begins here; 0: none does */
};

/* Does a good record begin here? Its place is asked first: nearly all that is none fails there. */
static enum weir_err is_record(const struct tail *tail, uint64_t at, bool *good_out,
                               struct why *why)
{
    uint64_t room = tail->id->bytes - at;
    struct record_head head;
    *good_out = false;
    if (room < RECORD_HEAD)
        return WEIR_OK;
    const void *view = window_view(tail->window, at, RECORD_HEAD, why);
    if (!view)
        return why->err;
    memcpy(&head, view, sizeof head);
    uint32_t size = (uint32_t)head.word;
    if ((uint64_t)head.place * 8 != at || size > RECORD_MAX || size > room - RECORD_HEAD)
        return WEIR_OK;
    view = window_view(tail->window, at, RECORD_HEAD + size, why);
    if (!view)
        return why->err;
    *good_out = record_is_good(view, room, at, tail->id->crc);
    return WEIR_OK;
}

/* All that is behind the end, or as far as the first good record. */
static enum weir_err look(const struct tail *tail, struct remains *remains, struct why *why)
{
    uint64_t at = 0, bytes = tail->id->bytes, offset = tail->end;
    bool good = false;
    *remains = (struct remains){0, 0};
    for (;;) {
        enum weir_err err = next_word(tail->window, offset, bytes, &at, why);
        if (err != WEIR_OK || at == bytes)
            return err;
        remains->last = offset = at + 8;
        if (at > tail->end && tail->same_boot)
            err = is_record(tail, at, &good, why);
        if (good)
            remains->good = at;
        if (err != WEIR_OK || good)
            return err;
    }
}

/* How far can one record reach that was being written at the end? */
static enum weir_err reach(const struct tail *tail, uint64_t *reach_out, struct why *why)
{
    uint64_t bytes = tail->id->bytes, most = record_max(bytes);
    *reach_out = bytes;
    if (bytes - tail->end < RECORD_HEAD)
        return WEIR_OK;
    const uint64_t *word = window_view(tail->window, tail->end, sizeof *word, why);
    if (!word)
        return why->err;
    uint32_t size = (uint32_t)*word;
    if (size >= sizeof(struct weir_msg) && size % 8 == 0 && size <= most)
        most = size;
    if (bytes - tail->end - RECORD_HEAD > most)
        *reach_out = tail->end + RECORD_HEAD + most;
    return WEIR_OK;
}

enum weir_err tail_judge(const struct tail *tail, uint64_t *cut_out, struct why *why)
{
    struct remains remains;
    uint64_t torn_to;
    char note[120];
    *cut_out = 0;
    if (tail->end < tail->durable) {
        snprintf(note, sizeof note, " (records up to offset %llu were on the disk)",
                 (unsigned long long)tail->durable);
        return record_refused(tail->window, tail->id, tail->end, note, why);
    }
    enum weir_err err = look(tail, &remains, why);
    if (err == WEIR_OK)
        err = reach(tail, &torn_to, why);
    if (err != WEIR_OK || remains.last == 0)
        return err;
    if (remains.good != 0) {
        snprintf(note, sizeof note, " (a good one follows at offset %llu)",
                 (unsigned long long)remains.good);
        return record_refused(tail->window, tail->id, tail->end, note, why);
    }
    if (tail->same_boot && remains.last > torn_to)
        return because(why, WEIR_E_CORRUPT,
                       "offset %llu: bytes that no record reached (records end at offset %llu), "
                       "expected zeros",
                       (unsigned long long)(remains.last - 8), (unsigned long long)tail->end);
    *cut_out = remains.last - tail->end;
    return WEIR_OK;
}
