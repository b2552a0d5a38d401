/* folder.c - listing a journal's folder, and its lock.
 *
 * The lock is flock(): it is the open file's, so a forked child that still has the descriptor would
 * hold it after our death; every child of the host closes what it does not need (the descriptor is
 * close-on-exec besides). */
#include "journal/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".weir"

struct journal_lock {
    int fd;
};

void segment_name(uint32_t number, char name[SEGMENT_NAME_MAX])
{
    snprintf(name, SEGMENT_NAME_MAX, "%08u" SUFFIX, (unsigned)number);
}

enum weir_err folder_open(const char *path, int *fd_out, struct why *why)
{
    *fd_out = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fd_out >= 0)
        return WEIR_OK;
    return because(why, errno == ENOENT ? WEIR_E_NOT_FOUND : WEIR_E_IO,
                   "cannot open the journal folder: %s", strerror(errno));
}

enum weir_err folder_prepare(const char *path, int *fd_out, struct why *why)
{
    struct stat stat;
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return because(why, WEIR_E_IO, "cannot make the journal folder: %s", strerror(errno));
    enum weir_err err = folder_open(path, fd_out, why);
    if (err != WEIR_OK)
        return err;
    if (fstat(*fd_out, &stat) != 0)
        err = because(why, WEIR_E_IO, "cannot look at the journal folder: %s", strerror(errno));
    else if (stat.st_uid != geteuid())
        err = because(why, WEIR_E_UNSAFE_FILE, "the journal folder belongs to user %u, expected %u",
                      (unsigned)stat.st_uid, (unsigned)geteuid());
    else if ((stat.st_mode & 0022) != 0)
        err = because(why, WEIR_E_UNSAFE_FILE,
                      "the journal folder has mode %04o, expected 0700: others could write in it",
                      (unsigned)(stat.st_mode & 07777));
    if (err != WEIR_OK) {
        close(*fd_out);
        *fd_out = -1;
    }
    return err;
}

/* --- listing --------------------------------------------------------------------------------- */

/* 0: the name does not end as segments do; UINT32_MAX: it does, and is not one. */
static uint32_t number_of(const char *name)
{
    size_t len = strlen(name);
    if (len < sizeof SUFFIX - 1 || strcmp(name + len - (sizeof SUFFIX - 1), SUFFIX) != 0)
        return 0;
    uint32_t number = 0;
    for (size_t i = 0; i < 8; i++) {
        if (name[i] < '0' || name[i] > '9')
            return UINT32_MAX;
        number = number * 10 + (uint32_t)(name[i] - '0');
    }
    return len == 8 + sizeof SUFFIX - 1 && number > 0 ? number : UINT32_MAX;
}

struct listing {
    uint32_t count;
    uint32_t last;
};

static enum weir_err list(DIR *dir, struct listing *listing, struct why *why)
{
    struct dirent *entry;
    while (errno = 0, (entry = readdir(dir)) != NULL) {
        uint32_t number = number_of(entry->d_name);
        if (number == UINT32_MAX)
            return because(why, WEIR_E_CORRUPT,
                           "%s is not a segment's name (expected 00000001.weir and so on)",
                           entry->d_name);
        listing->count += number != 0;
        if (number > listing->last)
            listing->last = number;
    }
    if (errno != 0)
        return because(why, WEIR_E_IO, "cannot list the journal folder: %s", strerror(errno));
    return WEIR_OK;
}

/* A name is missing: say which. */
static enum weir_err hole(int folder, uint32_t last, struct why *why)
{
    char name[SEGMENT_NAME_MAX], end[SEGMENT_NAME_MAX];
    segment_name(last, end);
    for (uint32_t number = 1; number < last; number++) {
        segment_name(number, name);
        if (faccessat(folder, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
            return because(why, WEIR_E_CORRUPT, "segment %s is missing: there are others up to %s",
                           name, end);
    }
    return because(why, WEIR_E_CORRUPT, "there are more segments than names up to %s", end);
}

enum weir_err folder_segments(int folder, uint32_t *count_out, struct why *why)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        int error = errno;
        if (fd >= 0)
            close(fd);
        return because(why, WEIR_E_IO, "cannot list the journal folder: %s", strerror(error));
    }
    struct listing listing = {0, 0};
    enum weir_err err = list(dir, &listing, why);
    closedir(dir);
    if (err == WEIR_OK && listing.count != listing.last)
        err = hole(folder, listing.last, why);
    *count_out = listing.count;
    return err;
}

/* --- lock ------------------------------------------------------------------------------------ */

static enum weir_err held_by_other(int fd, struct why *why)
{
    char pid[24] = "";
    ssize_t len = pread(fd, pid, sizeof pid - 1, 0);
    pid[len > 0 ? len : 0] = '\0';
    pid[strcspn(pid, "\n")] = '\0';
    return because(why, WEIR_E_STATE, "the journal is in use by process %s: one host at a time",
                   pid[0] ? pid : "(it has not said which)");
}

/* All of it, over interruptions and short writes. 0 or an errno. */
static int write_at_start(int fd, const char *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t wrote = pwrite(fd, bytes + at, len - at, (off_t)at);
        if (wrote < 0 && errno != EINTR)
            return errno;
        at += wrote > 0 ? (size_t)wrote : 0;
    }
    return 0;
}

static enum weir_err take(int folder, int *fd_out, struct why *why)
{
    char pid[24];
    int fd = openat(folder, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    *fd_out = fd;
    if (fd < 0)
        return because(why, WEIR_E_IO, "cannot open the journal's lock: %s", strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK
                   ? held_by_other(fd, why)
                   : because(why, WEIR_E_IO, "cannot lock the journal: %s", strerror(errno));
    int len = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    int error = ftruncate(fd, 0) == 0 ? write_at_start(fd, pid, (size_t)len) : errno;
    return error == 0 ? WEIR_OK
                      : because(why, WEIR_E_IO, "cannot write into the journal's lock: %s",
                                strerror(error));
}

enum weir_err journal_lock(const char *path, struct journal_lock **lock_out, struct why *why)
{
    int folder = -1, fd = -1;
    enum weir_err err = folder_prepare(path, &folder, why);
    if (err == WEIR_OK)
        err = take(folder, &fd, why);
    if (folder >= 0)
        close(folder);
    struct journal_lock *lock = err == WEIR_OK ? calloc(1, sizeof *lock) : NULL;
    if (lock) {
        lock->fd = fd;
        *lock_out = lock;
        return WEIR_OK;
    }
    if (err == WEIR_OK)
        err = because(why, WEIR_E_NO_MEMORY, "no memory for a lock");
    if (fd >= 0)
        close(fd);
    while_doing(why, "journal %s", path);
    return err;
}

void journal_unlock(struct journal_lock *lock)
{
    if (!lock)
        return;
    close(lock->fd);
    free(lock);
}

static int hex_digit(char digit)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = digit ? strchr(digits, digit) : NULL;
    return found ? (int)(found - digits) : -1;
}

void boot_id(unsigned char id[BOOT_ID_BYTES])
{
    char text[64] = "";
    unsigned digits = 0;
    memset(id, 0, BOOT_ID_BYTES);
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (!file)
        return;
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    for (size_t i = 0; i < len && digits < 2 * BOOT_ID_BYTES; i++) {
        int digit = hex_digit(text[i]); /* the others are dashes */
        if (digit >= 0) {
            id[digits / 2] = (unsigned char)(id[digits / 2] << 4 | digit);
            digits++;
        }
    }
}
