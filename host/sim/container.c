/* container.c - one way to read what five programs packed.
 *
 * Each kind is a row of a table: how its bytes begin, and three functions. A step takes packed bytes
 * from `in` and gives unpacked ones to `out`; the loop around it feeds it and looks at how it ends.
 * A kind must see its own end mark: bytes that stop before it are a cut file, not a short one. */
#include "sim/container.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <lzma.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { IN_ROOM = 1 << 16, HEAD = 6 };

enum step { STEP_MORE, STEP_END, STEP_BAD };

struct stream {
    const unsigned char *in;
    size_t in_len;
    unsigned char *out;
    size_t out_len;
    const char *said; /* of the damage, by who found it */
};

struct kind;
struct container {
    const struct kind *kind;
    char *path;
    int fd;
    bool at_end;       /* of the file */
    bool idle;         /* between two packed streams of one file, where an end is whole */
    bool finished;     /* the end mark of all was seen */
    uint64_t taken;    /* packed bytes read from the file */
    uint64_t in_limit; /* zip: packed bytes of the member that are still in the file */
    struct stream stream;
    z_stream z;
    lzma_stream xz;
    ZSTD_DStream *zstd;
    uint32_t crc, crc_wanted; /* zip */
    uint64_t size, size_wanted;
    bool stored, listed;  /* zip: not packed at all; found in the list at the end */
    bool inflating;       /* zip: z is made */
    bool cut_line;        /* zip: the file before did not end with its line */
    char last;            /* zip: byte given */
    uint64_t list, files; /* zip: where its list goes on; and how many files are in it */
    struct why failed;
    unsigned char buffer[IN_ROOM];
};

struct kind {
    const char *name;
    unsigned char head[HEAD];
    uint8_t head_len;
    enum weir_err (*open)(struct container *c, struct why *why);
    enum step (*step)(struct container *c);
    void (*close)(struct container *c);
};

/* The byte of the packed file at which the next step would look. */
static uint64_t place(const struct container *c)
{
    return c->taken - c->stream.in_len;
}

__attribute__((format(printf, 3, 4))) static enum weir_err damage(struct container *c,
                                                                  struct why *why,
                                                                  const char *format, ...)
{
    char text[200];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    (void)because(&c->failed, WEIR_E_CORRUPT, "%s: byte %" PRIu64 ": %s", c->path, place(c), text);
    *why = c->failed;
    return WEIR_E_CORRUPT;
}

/* --- gzip, and what a zip packs ---------------------------------------------------------------- */

static enum weir_err z_open(struct container *c, struct why *why)
{
    if (inflateInit2(&c->z, 15 + 16) != Z_OK)
        return because(why, WEIR_E_NO_MEMORY, "%s: out of memory", c->path);
    return WEIR_OK;
}

static enum step z_step(struct container *c)
{
    struct stream *s = &c->stream;
    c->z.next_in = (unsigned char *)(uintptr_t)s->in; /* zlib does not write there */
    c->z.avail_in = (unsigned)s->in_len;
    c->z.next_out = s->out;
    c->z.avail_out = s->out_len > 1u << 30 ? 1u << 30 : (unsigned)s->out_len;
    int z = inflate(&c->z, Z_NO_FLUSH);
    s->in_len -= (size_t)(c->z.next_in - s->in);
    s->in = c->z.next_in;
    s->out_len -= (size_t)(c->z.next_out - s->out);
    s->out = c->z.next_out;
    if (z == Z_STREAM_END)
        return STEP_END;
    s->said = c->z.msg ? c->z.msg : "it cannot be unpacked";
    return z == Z_OK || z == Z_BUF_ERROR ? STEP_MORE : STEP_BAD;
}

/* gzip files may follow each other in one file, and zeros may follow the last. */
static enum step gzip_step(struct container *c)
{
    struct stream *s = &c->stream;
    if (c->idle) {
        while (s->in_len > 0 && *s->in == 0) {
            s->in++;
            s->in_len--;
        }
        if (s->in_len == 0)
            return STEP_MORE;
        if (inflateReset(&c->z) != Z_OK)
            return STEP_BAD;
        c->idle = false;
    }
    enum step step = z_step(c);
    if (step != STEP_END)
        return step;
    c->idle = true;
    return STEP_MORE;
}

static void z_close(struct container *c)
{
    (void)inflateEnd(&c->z);
}

/* --- xz ---------------------------------------------------------------------------------------- */

static enum weir_err xz_open(struct container *c, struct why *why)
{
    c->xz = (lzma_stream)LZMA_STREAM_INIT;
    if (lzma_stream_decoder(&c->xz, (uint64_t)1 << 30, LZMA_CONCATENATED) != LZMA_OK)
        return because(why, WEIR_E_NO_MEMORY, "%s: out of memory", c->path);
    return WEIR_OK;
}

static const char *xz_text(lzma_ret ret)
{
    switch (ret) {
    case LZMA_MEMLIMIT_ERROR: return "it needs more than 1 GiB of memory";
    case LZMA_OPTIONS_ERROR: return "it asks for what this xz does not know";
    case LZMA_FORMAT_ERROR: return "it is no xz stream";
    default: return "it cannot be unpacked";
    }
}

static enum step xz_step(struct container *c)
{
    struct stream *s = &c->stream;
    c->xz.next_in = s->in;
    c->xz.avail_in = s->in_len;
    c->xz.next_out = s->out;
    c->xz.avail_out = s->out_len;
    lzma_ret ret = lzma_code(&c->xz, c->at_end ? LZMA_FINISH : LZMA_RUN);
    s->in = c->xz.next_in;
    s->in_len = c->xz.avail_in;
    s->out = c->xz.next_out;
    s->out_len = c->xz.avail_out;
    s->said = xz_text(ret);
    return ret == LZMA_STREAM_END                    ? STEP_END
           : ret == LZMA_OK || ret == LZMA_BUF_ERROR ? STEP_MORE
                                                     : STEP_BAD;
}

static void xz_close(struct container *c)
{
    lzma_end(&c->xz);
}

/* --- zstd -------------------------------------------------------------------------------------- */

static enum weir_err zstd_open(struct container *c, struct why *why)
{
    c->zstd = ZSTD_createDStream();
    if (!c->zstd || ZSTD_isError(ZSTD_DCtx_setParameter(c->zstd, ZSTD_d_windowLogMax, 30)))
        return because(why, WEIR_E_NO_MEMORY, "%s: out of memory", c->path);
    return WEIR_OK;
}

static enum step zstd_step(struct container *c)
{
    struct stream *s = &c->stream;
    ZSTD_inBuffer in = {s->in, s->in_len, 0};
    ZSTD_outBuffer out = {s->out, s->out_len, 0};
    size_t left = ZSTD_decompressStream(c->zstd, &out, &in);
    s->in += in.pos;
    s->in_len -= in.pos;
    s->out += out.pos;
    s->out_len -= out.pos;
    if (ZSTD_isError(left)) {
        s->said = ZSTD_getErrorName(left);
        return STEP_BAD;
    }
    if (in.pos > 0 || out.pos > 0)
        c->idle = left == 0; /* frames may follow each other */
    return STEP_MORE;
}

static void zstd_close(struct container *c)
{
    (void)ZSTD_freeDStream(c->zstd);
}

/* --- zip: the files in it, one after the other ------------------------------------------------- */

static uint64_t le(const unsigned char *at, int bytes)
{
    uint64_t value = 0;
    for (int i = bytes - 1; i >= 0; i--)
        value = value << 8 | at[i];
    return value;
}

/* What a zip says of one file in it, in its list or in front of the file itself. */
struct zip_entry {
    uint32_t flags, method, crc, name_len, extra_len, comment_len;
    uint64_t packed, size, offset;
};

enum {
    LOCAL_SIZE = 30,
    LISTED_SIZE = 46,
    LIST_END_SIZE = 22,
    LIST_END_REACH = 65535 + 22,
    LIST_64_SIZE = 56,
    LOCATOR_SIZE = 20,
    EXTRA_64 = 1
};

static bool read_at(const struct container *c, uint64_t at, void *to, size_t len)
{
    return at < INT64_MAX - len && pread(c->fd, to, len, (off_t)at) == (ssize_t)len;
}

static struct zip_entry entry_of(const unsigned char *at, bool listed)
{
    const unsigned char *common = at + (listed ? 8 : 6);
    return (struct zip_entry){
        .flags = (uint32_t)le(common, 2),
        .method = (uint32_t)le(common + 2, 2),
        .crc = (uint32_t)le(common + 8, 4),
        .packed = le(common + 12, 4),
        .size = le(common + 16, 4),
        .name_len = (uint32_t)le(common + 20, 2),
        .extra_len = (uint32_t)le(common + 22, 2),
        .comment_len = listed ? (uint32_t)le(common + 24, 2) : 0,
        .offset = listed ? le(at + 42, 4) : 0,
    };
}

/* Numbers that do not fit 32 bits stand in a field of their own (zip64), in this order. */
static void read_large(const struct container *c, uint64_t extra, struct zip_entry *entry)
{
    uint64_t *const large[] = {&entry->size, &entry->packed, &entry->offset};
    unsigned char head[4], value[8];
    for (uint64_t end = extra + entry->extra_len; extra + 4 <= end;) {
        if (!read_at(c, extra, head, sizeof head))
            return;
        uint64_t at = extra + 4, next = at + le(head + 2, 2);
        for (size_t i = 0; le(head, 2) == EXTRA_64 && i < 3; i++)
            if (*large[i] == UINT32_MAX && at + 8 <= next && read_at(c, at, value, 8)) {
                *large[i] = le(value, 8);
                at += 8;
            }
        extra = next;
    }
}

/* Where the list of files stands, and how many there are, by the record at the end of the file. */
static void zip_find_list(struct container *c)
{
    off_t end = lseek(c->fd, 0, SEEK_END);
    size_t reach = end < LIST_END_REACH ? (size_t)end : LIST_END_REACH;
    unsigned char *tail = malloc(reach + 1), locator[LOCATOR_SIZE], large[LIST_64_SIZE];
    size_t at = reach < LIST_END_SIZE ? 0 : reach - LIST_END_SIZE + 1;
    bool found = false;
    if (tail && read_at(c, (uint64_t)end - reach, tail, reach))
        while (at-- > 0 && !found)
            found = memcmp(tail + at, "PK\5\6", 4) == 0;
    if (found) {
        uint64_t place = (uint64_t)end - reach + at + 1;
        c->files = le(tail + at + 1 + 10, 2);
        c->list = le(tail + at + 1 + 16, 4);
        if ((c->files == UINT16_MAX || c->list == UINT32_MAX) && place >= LOCATOR_SIZE &&
            read_at(c, place - LOCATOR_SIZE, locator, sizeof locator) &&
            memcmp(locator, "PK\6\7", 4) == 0 &&
            read_at(c, le(locator + 8, 8), large, sizeof large) &&
            memcmp(large, "PK\6\6", 4) == 0) {
            c->files = le(large + 32, 8);
            c->list = le(large + 48, 8);
        }
    }
    free(tail);
}

/* Folders, and what one kind of machine adds beside each file. */
static bool is_no_file(const struct container *c, uint64_t at, uint32_t len)
{
    static const char beside[] = "__MACOSX/";
    char first[sizeof beside - 1], last = '/';
    if (len == 0 || !read_at(c, at + len - 1, &last, 1) || last == '/')
        return true;
    return len > sizeof first && read_at(c, at, first, sizeof first) &&
           memcmp(first, beside, sizeof first) == 0;
}

/* The next file of the list. False: there is none. */
static bool zip_listed(struct container *c, struct zip_entry *entry_out)
{
    unsigned char head[LISTED_SIZE];
    while (c->files > 0) {
        if (!read_at(c, c->list, head, sizeof head) || memcmp(head, "PK\1\2", 4) != 0)
            return false;
        c->files--;
        *entry_out = entry_of(head, true);
        uint64_t name = c->list + LISTED_SIZE, extra = name + entry_out->name_len;
        read_large(c, extra, entry_out);
        c->list = extra + entry_out->extra_len + entry_out->comment_len;
        if (!is_no_file(c, name, entry_out->name_len))
            return true;
    }
    return false;
}

/* Go to a file of the zip. NULL: what is wrong with it. */
static const char *zip_begin(struct container *c, struct zip_entry entry)
{
    unsigned char head[LOCAL_SIZE];
    c->taken = entry.offset;
    c->stream.in_len = 0;
    if (!read_at(c, entry.offset, head, sizeof head) || memcmp(head, "PK\3\4", 4) != 0)
        return "expected a file of the zip";
    struct zip_entry local = entry_of(head, false);
    if (!c->listed)
        entry = local;
    if (entry.flags & 1)
        return "a file of the zip is encrypted";
    if (entry.method != 0 && entry.method != 8)
        return "a file of the zip is packed in a way that is not known here; expected deflate";
    c->stored = entry.method == 0;
    c->crc = 0;
    c->size = 0;
    c->crc_wanted = entry.crc;
    c->size_wanted = entry.size;
    c->in_limit = c->listed || c->stored ? entry.packed : UINT64_MAX;
    c->taken = entry.offset + LOCAL_SIZE + local.name_len + local.extra_len;
    c->at_end = false;
    if (lseek(c->fd, (off_t)c->taken, SEEK_SET) < 0)
        return strerror(errno);
    if (!c->stored && !c->inflating) {
        c->inflating = inflateInit2(&c->z, -15) == Z_OK;
        return c->inflating ? NULL : "out of memory";
    }
    return c->stored || inflateReset(&c->z) == Z_OK ? NULL : "out of memory";
}

static enum weir_err zip_open(struct container *c, struct why *why)
{
    struct zip_entry entry = {0};
    zip_find_list(c);
    bool list = c->list > 0 && c->list < UINT32_MAX;
    c->listed = zip_listed(c, &entry);
    if (list && !c->listed && c->files == 0)
        return because(why, WEIR_E_CORRUPT, "%s: there is no file in the zip, only folders",
                       c->path);
    const char *wrong = zip_begin(c, entry);
    if (!wrong)
        return WEIR_OK;
    return because(why, WEIR_E_CORRUPT, "%s: byte %" PRIu64 ": %s", c->path, c->taken, wrong);
}

/* The file that was read is whole. There may be another one. */
static enum step zip_next(struct container *c)
{
    struct stream *s = &c->stream;
    struct zip_entry entry;
    if (!c->listed) {
        s->said = "the list at the end of the zip is missing: the file was cut";
        return STEP_BAD;
    }
    if (c->size != c->size_wanted || c->crc != c->crc_wanted) {
        s->said = "the checksum of the file in it does not fit";
        return STEP_BAD;
    }
    if (!zip_listed(c, &entry)) {
        s->said = "the list at the end of the zip does not say where its files are";
        return c->files > 0 ? STEP_BAD : STEP_END;
    }
    c->cut_line = c->cut_line || (c->size > 0 && c->last != '\n');
    s->said = zip_begin(c, entry);
    return s->said ? STEP_BAD : STEP_MORE;
}

static enum step zip_step(struct container *c)
{
    struct stream *s = &c->stream;
    unsigned char *from = s->out;
    enum step step = STEP_MORE;
    if (c->cut_line && s->out_len > 0) { /* lines of two files do not become one */
        *s->out++ = '\n';
        s->out_len--;
        c->cut_line = false;
        return STEP_MORE;
    }
    if (c->stored) {
        size_t len = s->in_len < s->out_len ? s->in_len : s->out_len;
        if (len > 0)
            memcpy(s->out, s->in, len);
        s->in += len;
        s->in_len -= len;
        s->out += len;
        s->out_len -= len;
        if (c->size + len == c->size_wanted)
            step = STEP_END;
    } else {
        step = z_step(c);
    }
    size_t len = (size_t)(s->out - from);
    c->crc = (uint32_t)crc32_z(c->crc, from, len);
    c->size += len;
    c->last = len > 0 ? (char)s->out[-1] : c->last;
    return step == STEP_END ? zip_next(c) : step;
}

static void zip_close(struct container *c)
{
    if (c->inflating)
        (void)inflateEnd(&c->z);
}

/* --- plain ------------------------------------------------------------------------------------- */

static enum weir_err plain_open(struct container *c, struct why *why)
{
    (void)why;
    c->idle = true; /* it has no end mark */
    return WEIR_OK;
}

static enum step plain_step(struct container *c)
{
    struct stream *s = &c->stream;
    size_t len = s->in_len < s->out_len ? s->in_len : s->out_len;
    memcpy(s->out, s->in, len);
    s->in += len;
    s->in_len -= len;
    s->out += len;
    s->out_len -= len;
    return STEP_MORE;
}

static void plain_close(struct container *c)
{
    (void)c;
}

static const struct kind kinds[] = {
    {"gzip", {0x1f, 0x8b}, 2, z_open, gzip_step, z_close},
    {"xz", {0xfd, '7', 'z', 'X', 'Z', 0}, 6, xz_open, xz_step, xz_close},
    {"zstd", {0x28, 0xb5, 0x2f, 0xfd}, 4, zstd_open, zstd_step, zstd_close},
    {"zip", {'P', 'K', 3, 4}, 4, zip_open, zip_step, zip_close},
    {"zip", {'P', 'K', 5, 6}, 4, zip_open, zip_step, zip_close}, /* with nothing in it */
    {"plain", {0}, 0, plain_open, plain_step, plain_close},
};

/* --- the doors --------------------------------------------------------------------------------- */

static enum weir_err open_file(struct container *c, const char *path, struct why *why)
{
    struct stat info;
    unsigned char head[HEAD] = {0};
    c->path = strdup(path);
    c->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (!c->path)
        return because(why, WEIR_E_NO_MEMORY, "%s: out of memory", path);
    if (c->fd < 0 || fstat(c->fd, &info) != 0)
        return because(why, WEIR_E_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return because(why, WEIR_E_IO, "%s: expected a regular file", path);
    ssize_t len = pread(c->fd, head, sizeof head, 0);
    if (len < 0)
        return because(why, WEIR_E_IO, "%s: %s", path, strerror(errno));
    const struct kind *kind = kinds;
    while (kind->head_len > (size_t)len || memcmp(kind->head, head, kind->head_len) != 0)
        kind++;
    enum weir_err err = kind->open(c, why);
    if (err == WEIR_OK)
        c->kind = kind;
    return err;
}

struct container *container_open(const char *path, struct why *why)
{
    struct container *c = calloc(1, sizeof *c);
    if (!c) {
        (void)because(why, WEIR_E_NO_MEMORY, "%s: out of memory", path);
        return NULL;
    }
    c->fd = -1;
    c->in_limit = UINT64_MAX;
    if (open_file(c, path, why) == WEIR_OK)
        return c;
    container_close(c);
    return NULL;
}

void container_close(struct container *c)
{
    if (!c)
        return;
    if (c->kind)
        c->kind->close(c);
    if (c->fd >= 0)
        (void)close(c->fd);
    free(c->path);
    free(c);
}

/* More packed bytes, when all were used. */
static enum weir_err refill(struct container *c, struct why *why)
{
    size_t room = c->in_limit < sizeof c->buffer ? (size_t)c->in_limit : sizeof c->buffer;
    ssize_t len;
    if (c->stream.in_len > 0 || c->at_end)
        return WEIR_OK;
    do
        len = read(c->fd, c->buffer, room);
    while (len < 0 && errno == EINTR);
    if (len < 0) {
        (void)because(&c->failed, WEIR_E_IO, "%s: byte %" PRIu64 ": %s", c->path, c->taken,
                      strerror(errno));
        *why = c->failed;
        return WEIR_E_IO;
    }
    c->at_end = len == 0;
    c->taken += (uint64_t)len;
    c->in_limit -= c->in_limit == UINT64_MAX ? 0 : (uint64_t)len;
    c->stream.in = c->buffer;
    c->stream.in_len = (size_t)len;
    return WEIR_OK;
}

/* One step; what it unpacked lies before stream.out. */
static enum weir_err advance(struct container *c, struct why *why)
{
    size_t in_before = c->stream.in_len, out_before = c->stream.out_len;
    enum step step = c->kind->step(c);
    c->finished = step == STEP_END;
    if (step == STEP_BAD)
        return damage(c, why, "damaged %s data: %s", c->kind->name, c->stream.said);
    bool moved = c->stream.in_len < in_before || c->stream.out_len < out_before;
    if (c->finished || moved || !c->at_end)
        return WEIR_OK;
    if (!c->idle)
        return damage(c, why, "the file ends in the middle of its %s data; expected their end mark",
                      c->kind->name);
    c->finished = true;
    return WEIR_OK;
}

enum weir_err container_read(struct container *c, char *to, size_t room, size_t *len_out,
                             struct why *why)
{
    enum weir_err err = c->failed.err;
    c->stream.out = (unsigned char *)to;
    c->stream.out_len = room;
    if (err != WEIR_OK)
        *why = c->failed;
    while (err == WEIR_OK && !c->finished && c->stream.out_len == room) {
        err = refill(c, why);
        if (err == WEIR_OK)
            err = advance(c, why);
    }
    *len_out = room - c->stream.out_len;
    return *len_out > 0 ? WEIR_OK : err; /* what came before the damage first; then the error */
}

uint64_t container_taken(const struct container *c)
{
    return c->taken;
}

const char *container_kind(const struct container *c)
{
    return c->kind->name;
}
