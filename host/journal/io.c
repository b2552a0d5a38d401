/* io.c - the writer's calls, for real (Linux).
 *
 * sync    msync() of a range is fdatasync() of that range: the pages ahead, which were made writable
 *         on purpose, stay dirty and writable. fdatasync() of the file would write them all, and
 *         take a fault for each on the engine thread.
 *         A page that is cleaned while it is mapped costs each core that runs one of our threads an
 *         interrupt, which is microseconds in a virtual machine. So pages that are full are taken
 *         out of the map first, all at once (the file keeps them).
 * map     MADV_RANDOM keeps the page cache from using large folios: else a sync of the last page
 *         write-protects, and waits for, everything in the folio around it (measured on ext4, Linux
 *         6.18: stalls of 100 us on the engine thread with it, 3 us without). */
#include "journal/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { PAGE = 4096 };

static int error_of(int result)
{
    return result == 0 ? 0 : errno;
}

static int real_open(void *context, int folder, const char *name, int *fd_out)
{
    (void)context;
    *fd_out = openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    return *fd_out < 0 ? errno : 0;
}

static int real_allocate(void *context, int fd, uint64_t bytes)
{
    (void)context;
    int err;
    while ((err = posix_fallocate(fd, 0, (off_t)bytes)) == EINTR) {
    }
    return err;
}

static int real_map(void *context, int fd, uint64_t bytes, void **map_out)
{
    (void)context;
    void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return errno;
    (void)madvise(map, bytes, MADV_RANDOM);
    (void)madvise(map, bytes, MADV_DONTDUMP);
    *map_out = map;
    return 0;
}

static int real_touch(void *context, void *from, uint64_t bytes)
{
    (void)context;
    return error_of(madvise(from, bytes, MADV_POPULATE_WRITE));
}

static int real_sync(void *context, void *map, uint64_t from, uint64_t bytes)
{
    (void)context;
    uint64_t first = (from + PAGE - 1) / PAGE * PAGE, end = bytes / PAGE * PAGE;
    if (end > first)
        (void)madvise((unsigned char *)map + first, end - first, MADV_DONTNEED);
    return error_of(msync(map, bytes, MS_SYNC));
}

static int real_rename(void *context, int folder, const char *from, const char *to)
{
    (void)context;
    if (renameat2(folder, from, folder, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL) /* EINVAL: this filesystem does not know the flag */
        return errno;
    return faccessat(folder, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0
               ? EEXIST
               : error_of(renameat(folder, from, folder, to));
}

static int real_remove(void *context, int folder, const char *name)
{
    (void)context;
    return error_of(unlinkat(folder, name, 0));
}

static int open_to_write(int folder, const char *name)
{
    return openat(folder, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
}

static int real_settle(void *context, int folder, const char *name)
{
    (void)context;
    int fd = open_to_write(folder, name);
    if (fd < 0)
        return errno;
    int error = error_of(fdatasync(fd));
    close(fd);
    return error;
}

static int real_mark(void *context, int folder, const char *name, uint64_t offset, uint64_t word,
                     uint64_t bytes)
{
    (void)context;
    int fd = open_to_write(folder, name);
    if (fd < 0)
        return errno;
    /* written again from its beginning: a part of a word would be damage for a reader */
    ssize_t wrote;
    do {
        errno = EIO;
        wrote = pwrite(fd, &word, sizeof word, (off_t)offset);
    } while (wrote < 0 && errno == EINTR);
    if (wrote > 0 && wrote < (ssize_t)sizeof word)
        wrote = pwrite(fd, &word, sizeof word, (off_t)offset);
    int error = wrote == (ssize_t)sizeof word ? 0 : errno;
    struct stat now;
    if (error == 0 && fstat(fd, &now) == 0 && (uint64_t)now.st_size > bytes)
        error = error_of(ftruncate(fd, (off_t)bytes));
    if (error == 0)
        error = error_of(fdatasync(fd));
    close(fd);
    return error;
}

static int real_cut(void *context, int fd, uint64_t bytes)
{
    (void)context;
    return error_of(ftruncate(fd, (off_t)bytes));
}

static int real_sync_folder(void *context, int folder)
{
    (void)context;
    return error_of(fsync(folder));
}

static int real_room(void *context, int folder, uint64_t *free_bytes_out)
{
    (void)context;
    struct statvfs disk;
    if (fstatvfs(folder, &disk) != 0)
        return errno;
    *free_bytes_out = (uint64_t)disk.f_bavail * disk.f_frsize;
    return 0;
}

const struct journal_io journal_io_real = {
    .open = real_open,
    .allocate = real_allocate,
    .map = real_map,
    .touch = real_touch,
    .sync = real_sync,
    .rename = real_rename,
    .remove = real_remove,
    .settle = real_settle,
    .mark = real_mark,
    .cut = real_cut,
    .sync_folder = real_sync_folder,
    .room = real_room,
};
