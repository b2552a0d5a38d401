/* recorder.c - see the header.
 *
 * The ring holds messages of any length, each whole in one piece: where one would wrap, a gap is left.
 * `head` is written by the engine thread alone, `tail` by the writer alone. */
#include "venue/recorder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/utf8.h"

enum { RING_DEFAULT = 16 << 20, PACKED = 1 << 16, LEVEL = 3, PATH_ROOM = 512 };
static const weir_ns second = 1000000000;

enum entry_kind { ENTRY_GAP, ENTRY_FRAME, ENTRY_HTTP };
struct entry {
    uint32_t size; /* of all, a multiple of 8 */
    uint32_t kind;
    weir_ns t;
    uint32_t conn, target_len, body_len, pad;
};

struct recorder {
    struct recorder_config config;
    char folder[PATH_ROOM], name[64];
    unsigned char *ring;
    uint32_t ring_bytes;
    atomic_uint_fast64_t head, tail;
    atomic_uint_fast64_t messages, bytes, dropped, written, files;
    atomic_bool stop;
    pthread_t thread;
    bool running;

    /* the writer's */
    int file; /* -1: none */
    char path[PATH_ROOM + 160];
    ZSTD_CCtx *pack;
    uint64_t in_file; /* packed bytes */
    bool dirty;       /* something is not flushed */
    weir_ns flushed, failed_at;
    uint64_t told_dropped, number;
    struct text line;
};

/* --- the engine's side -------------------------------------------------------------------------*/

static void count(atomic_uint_fast64_t *counter, uint64_t more)
{
    atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

/* Where size bytes go; NULL: no room. */
static struct entry *reserve(struct recorder *r, uint32_t size)
{
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);
    uint64_t at = head & (r->ring_bytes - 1), left = r->ring_bytes - at;
    uint64_t gap = left < size ? left : 0;
    if (head - tail + gap + size > r->ring_bytes)
        return NULL;
    if (gap > 0) {
        const struct entry filler = {.size = (uint32_t)gap, .kind = ENTRY_GAP};
        memcpy(r->ring + at, &filler, 8); /* its size and kind: a gap may be as short as that */
        atomic_store_explicit(&r->head, head + gap, memory_order_release);
        at = 0;
    }
    return (struct entry *)(void *)(r->ring + at);
}

static void put(struct recorder *r, const struct entry *head, const char *target, const char *body)
{
    uint64_t size = (sizeof *head + head->target_len + head->body_len + 7) & ~(uint64_t)7;
    struct entry *entry = size <= r->ring_bytes / 2 ? reserve(r, (uint32_t)size) : NULL;
    if (!entry) {
        count(&r->dropped, 1);
        return;
    }
    *entry = *head;
    entry->size = (uint32_t)size;
    char *text = (char *)(entry + 1);
    if (head->target_len > 0)
        memcpy(text, target, head->target_len);
    if (head->body_len > 0)
        memcpy(text + head->target_len, body, head->body_len);
    count(&r->messages, 1);
    count(&r->bytes, head->body_len);
    atomic_fetch_add_explicit(&r->head, size, memory_order_release);
}

void recorder_frame(struct recorder *recorder, uint32_t conn, weir_ns t, struct weir_bytes frame)
{
    const struct entry entry = {
        .kind = ENTRY_FRAME, .t = t, .conn = conn, .body_len = (uint32_t)frame.len};
    put(recorder, &entry, "", frame.data);
}

void recorder_http(struct recorder *recorder, weir_ns t, const char *target, struct weir_bytes body)
{
    const struct entry entry = {.kind = ENTRY_HTTP,
                                .t = t,
                                .target_len = (uint32_t)strlen(target),
                                .body_len = (uint32_t)body.len};
    put(recorder, &entry, target, body.data);
}

/* --- files -------------------------------------------------------------------------------------*/

static void fail(struct recorder *r, weir_ns t, const char *what)
{
    log_line(LOG_ERROR, r->name, "recording: %s: %s: %s", r->path, what, strerror(errno));
    if (r->file >= 0)
        close(r->file);
    r->file = -1;
    r->failed_at = t;
}

static bool write_all(struct recorder *r, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(r->file, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        count(&r->written, (uint64_t)n);
        r->in_file += (uint64_t)n;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

/* Pack bytes; end: ZSTD_e_continue, e_flush or e_end. */
static bool pack(struct recorder *r, const char *bytes, size_t len, ZSTD_EndDirective end)
{
    char out[PACKED];
    ZSTD_inBuffer in = {bytes, len, 0};
    for (size_t left = 1; left > 0;) {
        ZSTD_outBuffer to = {out, sizeof out, 0};
        left = ZSTD_compressStream2(r->pack, &to, &in, end);
        if (ZSTD_isError(left) || !write_all(r, out, to.pos))
            return false;
        if (end == ZSTD_e_continue && in.pos == in.size)
            break;
    }
    r->dirty = end == ZSTD_e_continue;
    return true;
}

static bool is_ours(const struct recorder *r, const char *file)
{
    size_t name = strlen(r->name), len = strlen(file), end = strlen(".jsonl.zst");
    return len > name + end && strncmp(file, r->name, name) == 0 && file[name] == '-' &&
           file[name + 1] >= '0' && file[name + 1] <= '9' &&
           strcmp(file + len - end, ".jsonl.zst") == 0;
}

/* The oldest go while all are more than they may be. Names are in order of time. */
static void prune(const struct recorder *r)
{
    struct dirent **entries = NULL;
    char path[PATH_ROOM + 300];
    struct stat info;
    uint64_t sum = 0;
    int n = scandir(r->folder, &entries, NULL, alphasort);
    for (int i = n; i-- > 0; free(entries[i])) {
        snprintf(path, sizeof path, "%s/%s", r->folder, entries[i]->d_name);
        if (!is_ours(r, entries[i]->d_name) || stat(path, &info) != 0)
            continue;
        sum += (uint64_t)info.st_size;
        if (sum > r->config.disk_bytes && strcmp(path, r->path) != 0)
            (void)unlink(path);
    }
    free(entries);
}

static void say(struct recorder *r, const char *key, uint64_t value)
{
    struct text *line = &r->line;
    line->len = 0;
    json_object(line);
    json_key(line, "t");
    json_string(line, "header");
    json_key(line, "format");
    json_int(line, 2);
    json_key(line, "exchange");
    json_string(line, r->name);
    json_key(line, key);
    json_uint(line, value);
    json_end(line);
    text_add(line, "\n", 1);
}

static bool begin_file(struct recorder *r, weir_ns t)
{
    time_t s = (time_t)(t / second);
    struct tm tm;
    char stamp[32];
    gmtime_r(&s, &tm);
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm);
    snprintf(r->path, sizeof r->path, "%s/%s-%s-%06" PRIu64 ".jsonl.zst", r->folder, r->name, stamp,
             ++r->number);
    r->file = open(r->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_APPEND, 0600);
    r->in_file = 0;
    r->flushed = clock_stopwatch();
    if (r->file < 0)
        return false;
    count(&r->files, 1);
    prune(r);
    ZSTD_CCtx_reset(r->pack, ZSTD_reset_session_only);
    say(r, "number", r->number);
    return pack(r, r->line.data, r->line.len, ZSTD_e_continue);
}

static void end_file(struct recorder *r)
{
    if (r->file < 0)
        return;
    if (!pack(r, NULL, 0, ZSTD_e_end) || close(r->file) != 0)
        log_line(LOG_ERROR, r->name, "recording: %s: %s", r->path, strerror(errno));
    r->file = -1;
}

/* --- the writer --------------------------------------------------------------------------------*/

static bool is_text(const char *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        size_t step = bytes[at] ? utf8_char(bytes + at, len - at) : 0;
        if (step == 0)
            return false;
        at += step;
    }
    return true;
}

static void put_base64(struct text *line, const unsigned char *bytes, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    text_add(line, "\"", 1);
    for (size_t i = 0; i < len; i += 3) {
        uint32_t three = (uint32_t)bytes[i] << 16 |
                         (i + 1 < len ? (uint32_t)bytes[i + 1] << 8 : 0) |
                         (i + 2 < len ? bytes[i + 2] : 0);
        char four[4] = {digits[three >> 18], digits[three >> 12 & 63],
                        i + 1 < len ? digits[three >> 6 & 63] : '=',
                        i + 2 < len ? digits[three & 63] : '='};
        text_add(line, four, 4);
    }
    text_add(line, "\"", 1);
}

static void put_line(struct recorder *r, const struct entry *entry)
{
    struct text *line = &r->line;
    const char *target = (const char *)(entry + 1), *body = target + entry->target_len;
    struct text quoted;
    line->len = 0;
    text_init(&quoted);
    text_say(line, "{\"t\":\"%s\",\"conn\":\"%s.%s.%u\",\"ts\":%" PRId64 ".%09" PRId64,
             entry->kind == ENTRY_HTTP ? "http" : "recv", r->name,
             entry->kind == ENTRY_HTTP ? "http" : "ws", entry->conn, entry->t / second,
             entry->t % second);
    if (entry->kind == ENTRY_HTTP) {
        json_bytes(&quoted, target, entry->target_len);
        text_say(line, ",\"url\":");
        text_add(line, quoted.data, quoted.len);
        text_fini(&quoted);
    }
    if (is_text(body, entry->body_len)) {
        json_bytes(&quoted, body, entry->body_len);
        text_say(line, ",\"data\":");
        text_add(line, quoted.data, quoted.len);
    } else {
        text_say(line, ",\"b64\":");
        put_base64(line, (const unsigned char *)body, entry->body_len);
    }
    text_fini(&quoted);
    text_add(line, "}\n", 2);
}

static void tell_dropped(struct recorder *r)
{
    uint64_t dropped = atomic_load_explicit(&r->dropped, memory_order_relaxed);
    if (dropped == r->told_dropped || r->file < 0)
        return;
    log_line(LOG_WARN, r->name, "recording: %" PRIu64 " messages were dropped so far", dropped);
    say(r, "lost", dropped - r->told_dropped);
    r->told_dropped = dropped;
    (void)pack(r, r->line.data, r->line.len, ZSTD_e_continue);
}

static void record(struct recorder *r, const struct entry *entry)
{
    if (r->file < 0 && entry->t - r->failed_at < second) {
        count(&r->dropped, 1);
        return;
    }
    if (r->file < 0 && !begin_file(r, entry->t)) {
        fail(r, entry->t, "cannot be begun");
        count(&r->dropped, 1);
        return;
    }
    tell_dropped(r);
    put_line(r, entry);
    if (!text_ok(&r->line) || !pack(r, r->line.data, r->line.len, ZSTD_e_continue)) {
        fail(r, entry->t, "cannot be written");
        count(&r->dropped, 1);
        return;
    }
    if (r->in_file >= r->config.segment_bytes)
        end_file(r);
}

static bool take_one(struct recorder *r)
{
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    if (atomic_load_explicit(&r->head, memory_order_acquire) == tail)
        return false;
    const struct entry *entry =
        (const struct entry *)(const void *)(r->ring + (tail & (r->ring_bytes - 1)));
    if (entry->kind != ENTRY_GAP)
        record(r, entry);
    atomic_store_explicit(&r->tail, tail + entry->size, memory_order_release);
    return true;
}

static void flush(struct recorder *r)
{
    weir_ns now = clock_stopwatch();
    if (r->file < 0 || !r->dirty || now - r->flushed < second)
        return;
    tell_dropped(r);
    r->flushed = now;
    if (!pack(r, NULL, 0, ZSTD_e_flush))
        fail(r, 0, "cannot be written");
}

static void *work(void *context)
{
    struct recorder *r = context;
    for (;;) {
        bool stop = atomic_load_explicit(&r->stop, memory_order_acquire);
        while (take_one(r))
            ;
        if (stop)
            break;
        flush(r);
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    tell_dropped(r);
    end_file(r);
    return NULL;
}

/* --- life --------------------------------------------------------------------------------------*/

struct recorder *recorder_open(const struct recorder_config *config, struct why *why)
{
    uint32_t ring = config->ring_bytes ? config->ring_bytes : RING_DEFAULT;
    struct recorder *r = calloc(1, sizeof *r);
    if (r)
        r->ring = aligned_alloc(64, ring);
    if (r)
        r->pack = ZSTD_createCCtx();
    if (!r || !r->ring || !r->pack) {
        recorder_close(r);
        (void)because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
        return NULL;
    }
    r->config = *config;
    r->ring_bytes = ring;
    r->file = -1;
    r->failed_at = -second;
    text_init(&r->line);
    snprintf(r->folder, sizeof r->folder, "%s", config->folder);
    snprintf(r->name, sizeof r->name, "%s", config->name);
    (void)ZSTD_CCtx_setParameter(r->pack, ZSTD_c_compressionLevel, LEVEL);
    (void)ZSTD_CCtx_setParameter(r->pack, ZSTD_c_checksumFlag, 1);
    if (mkdir(r->folder, 0700) != 0 && errno != EEXIST) {
        (void)because(why, WEIR_E_IO, "%s: %s", r->folder, strerror(errno));
        recorder_close(r);
        return NULL;
    }
    r->running = pthread_create(&r->thread, NULL, work, r) == 0;
    if (!r->running) {
        (void)because(why, WEIR_E_NO_MEMORY, "a thread cannot be started");
        recorder_close(r);
        return NULL;
    }
    return r;
}

void recorder_close(struct recorder *r)
{
    if (!r)
        return;
    atomic_store_explicit(&r->stop, true, memory_order_release);
    if (r->running)
        pthread_join(r->thread, NULL);
    text_fini(&r->line);
    ZSTD_freeCCtx(r->pack);
    free(r->ring);
    free(r);
}

struct recorder_counts recorder_counts(const struct recorder *r)
{
    return (struct recorder_counts){atomic_load_explicit(&r->messages, memory_order_relaxed),
                                    atomic_load_explicit(&r->bytes, memory_order_relaxed),
                                    atomic_load_explicit(&r->dropped, memory_order_relaxed),
                                    atomic_load_explicit(&r->written, memory_order_relaxed),
                                    atomic_load_explicit(&r->files, memory_order_relaxed)};
}
