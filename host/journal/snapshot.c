/* snapshot.c - see snapshot.h.
 *
 * The image is looked through once to count what must be written, and once to write it: an arena is
 * made for the worst case, and most of it is zero. */
#include "journal/snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "journal/folder.h"

#define MAGIC    "weirsnap"
#define SUFFIX   ".snapshot"
#define NEW_NAME "new" SUFFIX ".part"

enum { LINE = 64, PAGE = 4096, LINES_OF_PAGE = PAGE / LINE, BUFFER = 64 << 10, SHA_BYTES = 32 };

void snapshot_name(uint64_t seq, char name[SNAPSHOT_NAME_MAX])
{
    snprintf(name, SNAPSHOT_NAME_MAX, "%020llu" SUFFIX, (unsigned long long)seq);
}

static struct snapshot_head head_for(const struct engine_sizes *sizes)
{
    struct snapshot_head head;
    memset(&head, 0, sizeof head); /* what lies between members is written too */
    memcpy(head.magic, MAGIC, sizeof head.magic);
    head.version = SNAPSHOT_VERSION;
    head.messages = journal_layout();
    head.layout = engine_layout();
    head.sources = snapshot_engine_sources;
    head.bytes = engine_image_bytes(sizes);
    head.sizes = *sizes;
    return head;
}

/* --- lines that are not zero -------------------------------------------------------------------- */

struct run {
    uint32_t first, count;
};

static bool is_zero(const unsigned char *at, size_t len)
{
    static const unsigned char zero[PAGE];
    return memcmp(at, zero, len) == 0;
}

static bool line_is_zero(const unsigned char *image, uint32_t line)
{
    return is_zero(image + (size_t)line * LINE, LINE);
}

/* The next run at or after `from`; count 0: there is none. */
static struct run next_run(const unsigned char *image, uint32_t lines, uint32_t from)
{
    struct run run = {.first = from};
    while (run.first < lines) {
        bool page = run.first % LINES_OF_PAGE == 0 && lines - run.first >= LINES_OF_PAGE;
        if (page && is_zero(image + (size_t)run.first * LINE, PAGE))
            run.first += LINES_OF_PAGE;
        else if (line_is_zero(image, run.first))
            run.first++;
        else
            break;
    }
    while (run.first + run.count < lines && !line_is_zero(image, run.first + run.count))
        run.count++;
    return run;
}

/* --- write --------------------------------------------------------------------------------------- */

struct out {
    int fd;
    struct sha256 *sha;
    unsigned char *buffer;
    size_t len;
    int error; /* the first */
};

static void flush(struct out *out)
{
    for (size_t at = 0; at < out->len && out->error == 0;) {
        ssize_t wrote = write(out->fd, out->buffer + at, out->len - at);
        if (wrote < 0 && errno != EINTR)
            out->error = errno;
        at += wrote > 0 ? (size_t)wrote : 0;
    }
    out->len = 0;
}

static void put(struct out *out, const void *bytes, size_t len)
{
    const unsigned char *from = bytes;
    sha256_add(out->sha, bytes, len);
    while (len > 0) {
        size_t take = BUFFER - out->len < len ? BUFFER - out->len : len;
        memcpy(out->buffer + out->len, from, take);
        out->len += take;
        from += take;
        len -= take;
        if (out->len == BUFFER)
            flush(out);
    }
}

static void put_image(struct out *out, const unsigned char *image, uint32_t lines)
{
    struct run run = {0, 0};
    do {
        run = next_run(image, lines, run.first + run.count);
        put(out, &run, sizeof run);
        put(out, image + (size_t)run.first * LINE, (size_t)run.count * LINE);
    } while (run.count > 0);
}

static int write_file(int fd, const struct snapshot_head *head, const unsigned char *image)
{
    unsigned char sum[SHA_BYTES];
    struct out out = {.fd = fd, .sha = sha256_create(), .buffer = malloc(BUFFER)};
    if (!out.sha || !out.buffer)
        out.error = ENOMEM;
    if (out.error == 0) {
        put(&out, head, sizeof *head);
        put_image(&out, image, (uint32_t)(head->bytes / LINE));
        sha256_value(out.sha, sum);
        put(&out, sum, sizeof sum);
        flush(&out);
    }
    if (out.error == 0 && fsync(fd) != 0)
        out.error = errno;
    sha256_destroy(out.sha);
    free(out.buffer);
    return out.error;
}

static uint64_t bytes_needed(const unsigned char *image, uint32_t lines)
{
    uint64_t bytes = sizeof(struct snapshot_head) + sizeof(struct run) + SHA_BYTES;
    struct run run = {0, 0};
    while ((run = next_run(image, lines, run.first + run.count)).count > 0)
        bytes += sizeof run + (uint64_t)run.count * LINE;
    return bytes;
}

static enum weir_err room_check(int folder, uint64_t bytes, uint64_t floor, struct why *why)
{
    struct statvfs disk;
    if (fstatvfs(folder, &disk) != 0)
        return because(why, WEIR_E_IO, "cannot tell how much of the disk is free: %s",
                       strerror(errno));
    uint64_t free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (free_bytes >= floor && free_bytes - floor >= bytes)
        return WEIR_OK;
    return because(
        why, WEIR_E_FULL, "it takes %llu bytes, %llu of the disk are free, and %llu must stay so",
        (unsigned long long)bytes, (unsigned long long)free_bytes, (unsigned long long)floor);
}

/* Under its name only when all of it is on the disk. */
static enum weir_err write_under(int folder, const char *name, const struct snapshot_head *head,
                                 const unsigned char *image, struct why *why)
{
    (void)unlinkat(folder, NEW_NAME, 0);
    int fd = openat(folder, NEW_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return because(why, WEIR_E_IO, "%s: cannot make it: %s", name, strerror(errno));
    int error = write_file(fd, head, image);
    if (close(fd) != 0 && error == 0)
        error = errno;
    if (error == 0 && renameat(folder, NEW_NAME, folder, name) != 0)
        error = errno;
    if (error == 0 && fsync(folder) != 0)
        error = errno;
    if (error == 0)
        return WEIR_OK;
    (void)unlinkat(folder, NEW_NAME, 0);
    return because(why, error == ENOSPC || error == EDQUOT ? WEIR_E_FULL : WEIR_E_IO,
                   "%s: cannot write it: %s", name, strerror(error));
}

/* --- the list ------------------------------------------------------------------------------------ */

struct list {
    uint64_t *seqs; /* the newest first */
    size_t count, room;
};

static bool seq_of(const char *name, uint64_t *seq_out)
{
    char again[SNAPSHOT_NAME_MAX];
    *seq_out = strtoull(name, NULL, 10);
    snapshot_name(*seq_out, again);
    return strcmp(name, again) == 0;
}

static int newest_first(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

static void list_read(int folder, struct list *list)
{
    struct dirent *entry;
    uint64_t seq;
    *list = (struct list){0};
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir && fd >= 0)
        close(fd);
    while (dir && (entry = readdir(dir)) != NULL) {
        if (!seq_of(entry->d_name, &seq))
            continue;
        if (list->count == list->room) {
            size_t room = list->room ? 2 * list->room : 8;
            uint64_t *grown = realloc(list->seqs, room * sizeof *grown);
            if (!grown)
                break;
            list->seqs = grown;
            list->room = room;
        }
        list->seqs[list->count++] = seq;
    }
    if (dir)
        closedir(dir);
    if (list->count > 0)
        qsort(list->seqs, list->count, sizeof *list->seqs, newest_first);
}

static void remove_old(int folder)
{
    struct list list;
    list_read(folder, &list);
    for (size_t i = SNAPSHOTS_KEPT; i < list.count; i++) {
        char name[SNAPSHOT_NAME_MAX];
        snapshot_name(list.seqs[i], name);
        (void)unlinkat(folder, name, 0);
    }
    free(list.seqs);
}

enum weir_err snapshot_write(const char *path, const struct reader *reader,
                             const struct engine_sizes *sizes, struct engine *engine,
                             uint64_t floor, struct why *why)
{
    int folder;
    char name[SNAPSHOT_NAME_MAX];
    struct journal_extent extent;
    struct snapshot_head head = head_for(sizes);
    const unsigned char *image = (const unsigned char *)engine;
    enum weir_err err = folder_open(path, &folder, why);
    if (err != WEIR_OK)
        return err;
    reader_extent(reader, &extent);
    head.journal = extent.journal;
    reader_segment_mark(reader, &head.begin);
    reader_mark(reader, &head.at);
    snapshot_name(head.at.place.seq, name);
    engine_freeze(engine);
    err = room_check(folder, bytes_needed(image, (uint32_t)(head.bytes / LINE)), floor, why);
    if (err == WEIR_OK)
        err = write_under(folder, name, &head, image, why);
    engine_thaw(engine);
    if (err == WEIR_OK)
        remove_old(folder);
    close(folder);
    return err;
}

/* --- read ---------------------------------------------------------------------------------------- */

struct in {
    int fd;
    struct sha256 *sha;
    unsigned char *buffer;
    size_t at, len; /* of the buffer */
};

static enum weir_err fill(struct in *in, struct why *why)
{
    ssize_t got;
    do
        got = read(in->fd, in->buffer, BUFFER);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return because(why, WEIR_E_IO, "cannot read it: %s", strerror(errno));
    if (got == 0)
        return because(why, WEIR_E_CORRUPT, "it is cut off");
    in->at = 0;
    in->len = (size_t)got;
    return WEIR_OK;
}

static enum weir_err get_raw(struct in *in, void *bytes, size_t len, struct why *why)
{
    unsigned char *to = bytes;
    while (len > 0) {
        enum weir_err err = in->at < in->len ? WEIR_OK : fill(in, why);
        if (err != WEIR_OK)
            return err;
        size_t take = in->len - in->at < len ? in->len - in->at : len;
        memcpy(to, in->buffer + in->at, take);
        in->at += take;
        to += take;
        len -= take;
    }
    return WEIR_OK;
}

static enum weir_err get(struct in *in, void *bytes, size_t len, struct why *why)
{
    enum weir_err err = get_raw(in, bytes, len, why);
    if (err == WEIR_OK)
        sha256_add(in->sha, bytes, len);
    return err;
}

static enum weir_err head_check(const struct snapshot_head *head, const struct engine_sizes *sizes,
                                uint64_t seq, struct why *why)
{
    struct snapshot_head want = head_for(sizes);
    if (memcmp(head->magic, want.magic, sizeof want.magic) != 0)
        return because(why, WEIR_E_CORRUPT, "it does not begin with " MAGIC);
    if (head->version != want.version)
        return because(why, WEIR_E_ABI, "version %u, expected %u", (unsigned)head->version,
                       (unsigned)want.version);
    if (head->messages != want.messages || head->layout != want.layout ||
        head->sources != want.sources)
        return because(why, WEIR_E_ABI, "it was written by another build of the engine");
    if (head->bytes != want.bytes || memcmp(&head->sizes, sizes, sizeof *sizes) != 0)
        return because(why, WEIR_E_ABI, "it is of an engine of other sizes");
    if (head->at.place.seq != seq)
        return because(why, WEIR_E_CORRUPT, "it is of sequence %llu, not of its name",
                       (unsigned long long)head->at.place.seq);
    return WEIR_OK;
}

static enum weir_err get_image(struct in *in, unsigned char *image, uint32_t lines, struct why *why)
{
    uint32_t at = 0;
    for (;;) {
        struct run run;
        enum weir_err err = get(in, &run, sizeof run, why);
        if (err != WEIR_OK || run.count == 0)
            return err;
        if (run.first < at || run.first >= lines || run.count > lines - run.first)
            return because(why, WEIR_E_CORRUPT, "lines %u to %u, expected %u to %u", run.first,
                           run.first + run.count, at, lines);
        err = get(in, image + (size_t)run.first * LINE, (size_t)run.count * LINE, why);
        if (err != WEIR_OK)
            return err;
        at = run.first + run.count;
    }
}

static enum weir_err sum_check(struct in *in, struct why *why)
{
    unsigned char sum[SHA_BYTES], found[SHA_BYTES], more;
    sha256_value(in->sha, sum);
    enum weir_err err = get_raw(in, found, sizeof found, why);
    if (err != WEIR_OK)
        return err;
    if (memcmp(sum, found, sizeof sum) != 0)
        return because(why, WEIR_E_CORRUPT, "its SHA-256 is not that of what is in it");
    return get_raw(in, &more, sizeof more, why) == WEIR_E_CORRUPT
               ? WEIR_OK
               : because(why, WEIR_E_CORRUPT, "there is more behind its end");
}

/* All zero again: pages that were never touched cost nothing. */
static void clear(struct engine *engine, const struct engine_sizes *sizes)
{
    size_t bytes = (engine_bytes(sizes) + PAGE - 1) / PAGE * PAGE;
    must((uintptr_t)engine % PAGE == 0);
    must(madvise(engine, bytes, MADV_DONTNEED) == 0);
}

static void make_anew(struct engine *engine, const struct engine_sizes *sizes)
{
    clear(engine, sizes);
    struct arena arena = {(unsigned char *)engine, (unsigned char *)engine + engine_bytes(sizes)};
    must(engine_create(&arena, sizes) == engine);
}

/* Into the engine's memory, which is rubbish if this fails. */
static enum weir_err load(struct in *in, const struct engine_sizes *sizes, uint64_t seq,
                          struct engine *engine, struct snapshot_head *head, struct why *why)
{
    enum weir_err err = get(in, head, sizeof *head, why);
    if (err == WEIR_OK)
        err = head_check(head, sizes, seq, why);
    if (err != WEIR_OK)
        return err;
    clear(engine, sizes);
    err = get_image(in, (unsigned char *)engine, (uint32_t)(head->bytes / LINE), why);
    return err == WEIR_OK ? sum_check(in, why) : err;
}

static enum weir_err load_file(int folder, uint64_t seq, const struct engine_sizes *sizes,
                               struct engine *engine, struct snapshot_head *head, struct why *why)
{
    char name[SNAPSHOT_NAME_MAX];
    snapshot_name(seq, name);
    struct in in = {.fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
    if (in.fd < 0)
        return because(why, WEIR_E_IO, "cannot open it: %s", strerror(errno));
    in.sha = sha256_create();
    in.buffer = malloc(BUFFER);
    enum weir_err err = in.sha && in.buffer
                            ? load(&in, sizes, seq, engine, head, why)
                            : because(why, WEIR_E_NO_MEMORY, "no memory to read it");
    sha256_destroy(in.sha);
    free(in.buffer);
    close(in.fd);
    return err;
}

/* --- is it of this journal? ------------------------------------------------------------------------ */

static bool same_mark(const struct reader_mark *a, const struct reader_mark *b)
{
    return a->place.segment == b->place.segment && a->place.offset == b->place.offset &&
           a->place.seq == b->place.seq && a->records == b->records && a->inputs == b->inputs &&
           a->effects == b->effects && memcmp(&a->hash, &b->hash, sizeof a->hash) == 0;
}

static enum weir_err go_to(struct reader *reader, const struct reader_mark *at, struct why *why)
{
    struct journal_record record;
    struct reader_mark here;
    struct journal_extent extent;
    for (reader_extent(reader, &extent);
         extent.end.segment == at->place.segment && extent.end.offset < at->place.offset;
         reader_extent(reader, &extent)) {
        enum weir_err err = reader_next(reader, &record, why);
        if (err != WEIR_OK)
            return err == WEIR_E_NOT_FOUND
                       ? because(why, WEIR_E_CORRUPT, "it is of a place that the journal lacks")
                       : err;
    }
    reader_mark(reader, &here);
    return same_mark(&here, at)
               ? WEIR_OK
               : because(why, WEIR_E_CORRUPT, "the journal's records before it are others");
}

static enum weir_err open_at(const char *path, const struct snapshot_head *head,
                             const struct reader_options *options, struct reader **reader_out,
                             struct why *why)
{
    struct journal_extent extent;
    struct reader *reader = NULL;
    struct reader_options from = *options;
    from.mark = &head->begin;
    enum weir_err err = reader_open(path, &from, &reader, why);
    if (err != WEIR_OK)
        return err;
    reader_extent(reader, &extent);
    if (extent.journal != head->journal)
        err = because(why, WEIR_E_CORRUPT, "it is of another journal");
    if (err == WEIR_OK)
        err = go_to(reader, &head->at, why);
    if (err != WEIR_OK) {
        reader_close(reader);
        return err;
    }
    *reader_out = reader;
    return WEIR_OK;
}

enum weir_err snapshot_resume(const char *path, const struct engine_sizes *sizes,
                              struct engine *engine, const struct reader_options *options,
                              struct reader **reader_out, uint64_t *seq_out, struct why *why)
{
    int folder;
    struct list list;
    *seq_out = 0;
    enum weir_err err = folder_open(path, &folder, why);
    if (err != WEIR_OK)
        return err;
    list_read(folder, &list);
    for (size_t i = 0; i < list.count && *seq_out == 0; i++) {
        struct snapshot_head head;
        err = load_file(folder, list.seqs[i], sizes, engine, &head, why);
        if (err == WEIR_OK)
            err = open_at(path, &head, options, reader_out, why);
        if (err == WEIR_OK)
            *seq_out = list.seqs[i];
        else
            log_line(LOG_WARN, "journal", "snapshot of sequence %llu is not used: %s",
                     (unsigned long long)list.seqs[i], why->text);
    }
    free(list.seqs);
    close(folder);
    if (*seq_out != 0) {
        engine_thaw(engine);
        return WEIR_OK;
    }
    if (list.count > 0)
        make_anew(engine, sizes);
    return reader_open(path, options, reader_out, why);
}
