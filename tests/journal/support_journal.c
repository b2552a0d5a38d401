/* support_journal.c - see support_journal.h. */
#include "journal/support_journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- folders ---------------------------------------------------------------------------------- */

struct folder folder_new(void)
{
    struct folder folder;
    snprintf(folder.path, sizeof folder.path, "%s/journal-XXXXXX", BUILD_DIR);
    cr_assert(mkdtemp(folder.path) != NULL, "mkdtemp: %s", strerror(errno));
    return folder;
}

static void each_file(const struct folder *folder,
                      void (*act)(const char *path, const char *name, void *context), void *context)
{
    DIR *dir = opendir(folder->path);
    cr_assert(dir != NULL);
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        char path[600];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder->path, entry->d_name);
        act(path, entry->d_name, context);
    }
    closedir(dir);
}

static void remove_one(const char *path, const char *name, void *context)
{
    (void)name;
    (void)context;
    unlink(path);
}

void folder_remove(const struct folder *folder)
{
    each_file(folder, remove_one, NULL);
    rmdir(folder->path);
}

static void copy_one(const char *path, const char *name, void *context)
{
    const struct folder *to = context;
    struct folder from;
    snprintf(from.path, sizeof from.path, "%.*s", (int)(strlen(path) - strlen(name) - 1), path);
    struct bytes bytes = file_read(&from, name);
    file_write(to, name, bytes.data, bytes.len);
    free(bytes.data);
}

void folder_copy(const struct folder *from, const struct folder *to)
{
    each_file(to, remove_one, NULL);
    each_file(from, copy_one, (void *)to);
}

struct bytes file_read(const struct folder *folder, const char *name)
{
    char path[600];
    struct stat stat;
    snprintf(path, sizeof path, "%s/%s", folder->path, name);
    int fd = open(path, O_RDONLY);
    cr_assert(fd >= 0 && fstat(fd, &stat) == 0, "%s: %s", path, strerror(errno));
    struct bytes bytes = {malloc((size_t)stat.st_size + 1), (size_t)stat.st_size};
    cr_assert(read(fd, bytes.data, bytes.len) == (ssize_t)bytes.len);
    close(fd);
    return bytes;
}

static void write_with(const struct folder *folder, const char *name, const unsigned char *data,
                       size_t len, int flags)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", folder->path, name);
    int fd = open(path, O_WRONLY | O_CREAT | flags, 0600);
    cr_assert(fd >= 0, "%s: %s", path, strerror(errno));
    cr_assert(write(fd, data, len) == (ssize_t)len);
    close(fd);
}

void file_write(const struct folder *folder, const char *name, const unsigned char *data,
                size_t len)
{
    write_with(folder, name, data, len, O_TRUNC);
}

void file_put(const struct folder *folder, const char *name, const unsigned char *data, size_t len)
{
    write_with(folder, name, data, len, 0);
}

void file_flip(const struct folder *folder, const char *name, size_t offset, unsigned char bits)
{
    char path[600];
    unsigned char byte;
    snprintf(path, sizeof path, "%s/%s", folder->path, name);
    int fd = open(path, O_RDWR);
    cr_assert(fd >= 0 && pread(fd, &byte, 1, (off_t)offset) == 1);
    byte ^= bits;
    cr_assert(pwrite(fd, &byte, 1, (off_t)offset) == 1);
    close(fd);
}

void file_name(const struct folder *folder, uint32_t segment, char *path, size_t room)
{
    snprintf(path, room, "%s/%08u.weir", folder->path, (unsigned)segment);
}

/* --- messages --------------------------------------------------------------------------------- */

enum journal_class sample(uint64_t i, struct weir_msg **msg_out)
{
    static _Thread_local _Alignas(8) unsigned char room[4096];
    static const struct {
        enum journal_class class;
        uint16_t kind;
        size_t size;
    } rows[] = {
        {JOURNAL_INPUT, WEIR_TOP, sizeof(struct weir_top)},
        {JOURNAL_INPUT, IN_SUBMIT, sizeof(struct in_submit)},
        {JOURNAL_EFFECT, OUT_ORDER, sizeof(struct out_order)},
        {JOURNAL_EFFECT, WEIR_NEW, sizeof(struct weir_intent)},
        {JOURNAL_SIDE, SIDE_TIMING, sizeof(struct side_timing)},
        {JOURNAL_INPUT, WEIR_BOOK, sizeof(struct weir_book_msg) + 37 * sizeof(struct weir_level)},
        {JOURNAL_INPUT, IN_TICK, sizeof(struct weir_msg)},
    };
    size_t row = i % (sizeof rows / sizeof rows[0]);
    memset(room, 0, sizeof room);
    struct weir_msg *msg = (struct weir_msg *)(void *)room;
    for (size_t at = sizeof *msg; at < rows[row].size; at++)
        room[at] = (unsigned char)(i * 31 + at * 7);
    *msg = (struct weir_msg){.size = (uint32_t)rows[row].size,
                             .kind = rows[row].kind,
                             .venue = 1,
                             .instrument = 1 + (uint32_t)(i % 3),
                             .t = (weir_ns)(1000000 + i)};
    if (rows[row].kind == WEIR_BOOK) {
        ((struct weir_book_msg *)(void *)msg)->bids = 20;
        ((struct weir_book_msg *)(void *)msg)->asks = 17;
    }
    *msg_out = msg;
    return rows[row].class;
}

/* --- writing ---------------------------------------------------------------------------------- */

struct journal_options options_of(const struct folder *folder, uint64_t segment_bytes,
                                  enum journal_sync sync)
{
    return (struct journal_options){.folder = folder->path,
                                    .segment_bytes = segment_bytes,
                                    .sync = sync,
                                    .instance = 7,
                                    .sizes = {.orders = 100, .instruments = 10}};
}

enum weir_err try_start(const struct journal_options *options, struct journal **journal_out,
                        struct why *why)
{
    struct journal_lock *lock;
    struct reader *reader = NULL;
    struct journal_record record;
    enum weir_err err = journal_lock(options->folder, &lock, why);
    if (err != WEIR_OK)
        return err;
    err = reader_open(options->folder, NULL, &reader, why);
    while (err == WEIR_OK)
        err = reader_next(reader, &record, why);
    if (err == WEIR_E_NOT_FOUND)
        err = journal_open(options, lock, reader, journal_out, why);
    reader_close(reader);
    if (err != WEIR_OK)
        journal_unlock(lock);
    return err;
}

struct journal *start(const struct journal_options *options)
{
    struct why why;
    struct journal *journal = NULL;
    enum weir_err err = try_start(options, &journal, &why);
    cr_assert(err == WEIR_OK, "%s", why.text);
    return journal;
}

void append_samples(struct journal *journal, uint64_t from, uint64_t to)
{
    struct weir_msg *msg;
    for (uint64_t i = from; i < to; i++) {
        enum journal_class class = sample(i, &msg);
        cr_assert(journal_append(journal, class, msg) != 0, "sample %lu was not taken", i);
    }
}

struct journal_summary finish(struct journal *journal)
{
    struct why why;
    struct journal_summary summary;
    enum weir_err err = journal_close(journal, &summary, &why);
    cr_assert(err == WEIR_OK, "%s", why.text);
    return summary;
}

/* --- reading ---------------------------------------------------------------------------------- */

struct reading read_samples_from(const struct folder *folder, const unsigned char *boot,
                                 uint64_t first)
{
    struct reading reading = {.samples = first};
    struct reader *reader;
    struct reader_options options = {.boot = boot};
    struct journal_record record;
    reading.err = reader_open(folder->path, &options, &reader, &reading.why);
    if (reading.err != WEIR_OK)
        return reading;
    while ((reading.err = reader_next(reader, &record, &reading.why)) == WEIR_OK) {
        struct weir_msg *msg;
        if (record.class == JOURNAL_META)
            continue;
        enum journal_class class = sample(reading.samples, &msg);
        if (class == record.class && memcmp(msg, record.msg, msg->size) == 0)
            reading.samples++;
        else
            reading.different = true;
    }
    reader_extent(reader, &reading.extent);
    reader_close(reader);
    return reading;
}

struct reading read_all(const struct folder *folder, const unsigned char *boot)
{
    return read_samples_from(folder, boot, 0);
}

/* --- a disk that fails ------------------------------------------------------------------------ */

static bool fails(void *context, const char *call)
{
    struct bad_disk *disk = context;
    int number = __atomic_add_fetch(&disk->calls, 1, __ATOMIC_SEQ_CST);
    bool now =
        disk->fail_at > 0 && (disk->for_ever ? number >= disk->fail_at : number == disk->fail_at);
    if (now && !disk->failed)
        disk->failed = call;
    return now;
}

static int bad_open(void *c, int folder, const char *name, int *fd_out)
{
    *fd_out = -1;
    return fails(c, "open") ? EMFILE : journal_io_real.open(NULL, folder, name, fd_out);
}
static int bad_allocate(void *c, int fd, uint64_t bytes)
{
    return fails(c, "allocate") ? ENOSPC : journal_io_real.allocate(NULL, fd, bytes);
}
static int bad_map(void *c, int fd, uint64_t bytes, void **map_out)
{
    return fails(c, "map") ? ENOMEM : journal_io_real.map(NULL, fd, bytes, map_out);
}
static int bad_touch(void *c, void *from, uint64_t bytes)
{
    return fails(c, "touch") ? EIO : journal_io_real.touch(NULL, from, bytes);
}
static int bad_sync(void *c, void *map, uint64_t from, uint64_t bytes)
{
    return fails(c, "sync") ? EIO : journal_io_real.sync(NULL, map, from, bytes);
}
static int bad_rename(void *c, int folder, const char *from, const char *to)
{
    return fails(c, "rename") ? ENOSPC : journal_io_real.rename(NULL, folder, from, to);
}
static int bad_remove(void *c, int folder, const char *name)
{
    return fails(c, "remove") ? EIO : journal_io_real.remove(NULL, folder, name);
}
static int bad_settle(void *c, int folder, const char *name)
{
    return fails(c, "settle") ? EIO : journal_io_real.settle(NULL, folder, name);
}
static int bad_mark(void *c, int folder, const char *name, uint64_t offset, uint64_t word,
                    uint64_t bytes)
{
    return fails(c, "mark") ? EIO : journal_io_real.mark(NULL, folder, name, offset, word, bytes);
}
static int bad_cut(void *c, int fd, uint64_t bytes)
{
    return fails(c, "cut") ? EIO : journal_io_real.cut(NULL, fd, bytes);
}
static int bad_sync_folder(void *c, int folder)
{
    return fails(c, "sync_folder") ? EIO : journal_io_real.sync_folder(NULL, folder);
}
static int bad_room(void *c, int folder, uint64_t *free_bytes_out)
{
    struct bad_disk *disk = c;
    uint64_t room = __atomic_load_n(&disk->room, __ATOMIC_SEQ_CST);
    *free_bytes_out = room;
    if (room > 0)
        return 0;
    return fails(c, "room") ? EIO : journal_io_real.room(NULL, folder, free_bytes_out);
}

void bad_disk_init(struct bad_disk *disk, int fail_at, bool for_ever)
{
    *disk = (struct bad_disk){
        .io = {.context = disk,
               .open = bad_open,
               .allocate = bad_allocate,
               .map = bad_map,
               .touch = bad_touch,
               .sync = bad_sync,
               .rename = bad_rename,
               .remove = bad_remove,
               .settle = bad_settle,
               .mark = bad_mark,
               .cut = bad_cut,
               .sync_folder = bad_sync_folder,
               .room = bad_room},
        .fail_at = fail_at,
        .for_ever = for_ever,
    };
}
