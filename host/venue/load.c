/* load.c - from a path to a plugin that may run, or to one sentence why not.
 *
 * ORDER    Nothing of the file runs before the last check that can be made on its bytes:
 *            open, owner, mode, kind, folder      can somebody else change it?     [trust]
 *            copy to a sealed memfd, SHA-256      what is checked is what runs      [copy]
 *            symbols, magic, size, ABI, layout    was it made for this host?        [elf.c, check_head]
 *            dlopen RTLD_NOW | RTLD_LOCAL         all that it needs is there        [map]
 *            names, sheet, callbacks              does it say sensible things?      [check_descriptor]
 * PROMISES A plugin is never unmapped, and its descriptor stays open: glibc knows an object by its
 *          name, so a second plugin behind the same descriptor number would be taken for the first.
 *          Loading one file twice gives two plugins with state of their own. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "venue/elf.h"
#include "venue/venue.h"

enum { FILE_MAX = 64 << 20 };

struct plugin {
    const struct weir_plugin *descriptor;
    void *handle;
    int fd; /* of the sealed copy; -1: not made yet */
    char sha256[65];
    struct plugin *older; /* all that were mapped, so that they stay reachable */
};

static struct plugin *newest; /* [main thread] */

/* --- can somebody else change it? --------------------------------------------------------------*/

static enum weir_err system_error(struct why *why, const char *what)
{
    return because(why, WEIR_E_IO, "%s: %s", what, strerror(errno));
}

static bool is_ours(uid_t owner)
{
    return owner == 0 || owner == geteuid();
}

static enum weir_err trust_file(const struct stat *file, struct why *why)
{
    if (!S_ISREG(file->st_mode))
        return because(why, WEIR_E_UNSAFE_FILE, "expected a regular file, found another kind");
    if (!is_ours(file->st_uid))
        return because(why, WEIR_E_UNSAFE_FILE, "expected owner root or user %u, found user %u",
                       geteuid(), file->st_uid);
    if (file->st_mode & (S_IWGRP | S_IWOTH))
        return because(why, WEIR_E_UNSAFE_FILE,
                       "expected a file that only its owner may write, found mode %04o",
                       file->st_mode & 07777);
    if (file->st_size <= 0 || file->st_size > FILE_MAX)
        return because(why, WEIR_E_UNSAFE_FILE, "expected 1 to %d bytes, found %lld", FILE_MAX,
                       (long long)file->st_size);
    return WEIR_OK;
}

/* Who may write the folder may put another file in this one's place. */
static enum weir_err trust_folder(int fd, struct why *why)
{
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (len <= 0)
        return system_error(why, "cannot find its folder through /proc");
    path[len] = '\0';
    char *slash = strrchr(path, '/');
    if (!slash)
        return because(why, WEIR_E_UNSAFE_FILE, "its folder is not known");
    slash[slash == path] = '\0';
    struct stat folder;
    if (stat(path, &folder) != 0)
        return system_error(why, path);
    if ((folder.st_mode & S_IWOTH) && !(folder.st_mode & S_ISVTX))
        return because(why, WEIR_E_UNSAFE_FILE,
                       "expected a folder that others may not write, found %s with mode %04o", path,
                       folder.st_mode & 07777);
    if (!is_ours(folder.st_uid))
        return because(why, WEIR_E_UNSAFE_FILE,
                       "expected a folder of root or user %u, found %s of user %u", geteuid(), path,
                       folder.st_uid);
    return WEIR_OK;
}

static enum weir_err trust(int fd, const char *path, struct stat *file_out, struct why *why)
{
    struct stat link;
    if (fstat(fd, file_out) != 0 || lstat(path, &link) != 0)
        return system_error(why, "cannot be examined");
    if (S_ISLNK(link.st_mode) && !is_ours(link.st_uid))
        return because(why, WEIR_E_UNSAFE_FILE,
                       "expected a link of root or user %u, found one of user %u", geteuid(),
                       link.st_uid);
    enum weir_err err = trust_file(file_out, why);
    return err == WEIR_OK ? trust_folder(fd, why) : err;
}

/* --- what is checked is what runs --------------------------------------------------------------*/

static enum weir_err copy_bytes(int from, int to, off_t size, struct why *why)
{
    unsigned char block[16384];
    off_t done = 0;
    for (;;) {
        ssize_t got = read(from, block, sizeof block);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return system_error(why, "cannot be read");
        if (got == 0)
            break;
        done += got;
        for (ssize_t put = 0, part; put < got && done <= size; put += part) {
            part = write(to, block + put, (size_t)(got - put));
            if (part < 0 && errno != EINTR)
                return system_error(why, "cannot be copied");
            part = part < 0 ? 0 : part;
        }
        if (done > size)
            break;
    }
    if (done != size)
        return because(why, WEIR_E_UNSAFE_FILE, "it changed while it was read");
    return WEIR_OK;
}

static enum weir_err copy(int from, off_t size, int *fd_out, struct why *why)
{
    int fd = memfd_create("weir-plugin", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return system_error(why,
                            "cannot be copied to sealed memory (memfd_create), which this host "
                            "requires");
    enum weir_err err = copy_bytes(from, fd, size, why);
    if (err == WEIR_OK &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0)
        err = system_error(why, "its copy cannot be sealed");
    if (err != WEIR_OK) {
        close(fd);
        return err;
    }
    *fd_out = fd;
    return WEIR_OK;
}

static enum weir_err digest(const unsigned char *bytes, size_t len, char *hex, struct why *why)
{
    unsigned char value[32];
    struct sha256 *sha = sha256_create();
    if (!sha)
        return because(why, WEIR_E_NO_MEMORY, "out of memory");
    sha256_add(sha, bytes, len);
    sha256_value(sha, value);
    sha256_destroy(sha);
    hex_print(value, sizeof value, hex);
    return WEIR_OK;
}

/* --- was it made for this host? ----------------------------------------------------------------*/

static enum weir_err check_head(const unsigned char *bytes, struct why *why)
{
    struct {
        uint32_t magic, size, abi, layout;
    } head;
    memcpy(&head, bytes, sizeof head);
    if (head.magic != WEIR_MAGIC)
        return because(why, WEIR_E_ABI, "expected magic %08x, found %08x: weir_plugin is no plugin",
                       WEIR_MAGIC, head.magic);
    if (head.abi != WEIR_ABI)
        return because(why, WEIR_E_ABI,
                       "expected ABI %u, found ABI %u: compile it against this host's SDK",
                       WEIR_ABI, head.abi);
    if (head.size != sizeof(struct weir_plugin))
        return because(
            why, WEIR_E_ABI,
            "expected a descriptor of %zu bytes, found %u: compile it against this host's SDK",
            sizeof(struct weir_plugin), head.size);
    if (head.layout != WEIR_LAYOUT)
        return because(why, WEIR_E_ABI,
                       "expected message layout %u, found %u: compile it against this host's SDK",
                       WEIR_LAYOUT, head.layout);
    return WEIR_OK;
}

static enum weir_err check_bytes(struct plugin *plugin, size_t len, struct why *why)
{
    unsigned char *bytes = mmap(NULL, len, PROT_READ, MAP_SHARED, plugin->fd, 0);
    if (bytes == MAP_FAILED)
        return system_error(why, "its copy cannot be mapped");
    size_t at = 0;
    enum weir_err err = digest(bytes, len, plugin->sha256, why);
    if (err == WEIR_OK)
        err = elf_check(bytes, len, "weir_plugin", 4 * sizeof(uint32_t), &at, why);
    if (err == WEIR_OK)
        err = check_head(bytes + at, why);
    munmap(bytes, len);
    return err;
}

/* --- does it say sensible things? --------------------------------------------------------------*/

static bool name_is_clean(const char *name)
{
    size_t len = name ? strnlen(name, NAME_MAX_LEN) : 0;
    for (size_t i = 0; i < len; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-_", name[i]))
            return false;
    return len > 0 && len < NAME_MAX_LEN;
}

static const char *missing_callback(const struct weir_plugin *it)
{
    return !it->open        ? "open"
           : !it->close     ? "close"
           : !it->start     ? "start"
           : !it->on_frame  ? "on_frame"
           : !it->on_intent ? "on_intent"
                            : NULL;
}

/* NULL, or what is wrong with the sheet. */
static const char *fault_of(const struct weir_caps *caps)
{
    if (caps->size != sizeof *caps)
        return "its size is not this host's";
    if (caps->order_types >> (WEIR_TAKE_PROFIT_LIMIT + 1) || caps->tifs >> (WEIR_DAY + 1) ||
        caps->order_flags & ~(uint32_t)(WEIR_POST_ONLY | WEIR_REDUCE_ONLY | WEIR_QUOTE_QTY))
        return "order_types, tifs or order_flags have bits that mean nothing";
    if (caps->orders > 1 || caps->amend > 2 || caps->cancel_all > 1 ||
        caps->query_by_client_id > 1 || caps->open_orders > 1 || caps->fills_since > 1 ||
        caps->dead_man > 1)
        return "a member that is 0 or 1 (amend: 0 to 2) is more";
    if (caps->book_rule < WEIR_RULE_RANGE_NEXT || caps->book_rule > WEIR_RULE_NEWER)
        return "book_rule is not one of enum weir_book_rule";
    if (caps->absence_proves_after < 0 || caps->data_age_max < 0)
        return "a time is negative";
    if (caps->orders && (!caps->order_types || !caps->tifs))
        return "it takes orders, but of no type or time in force";
    if (caps->orders && (caps->client_id_max < 18 || caps->client_id_max >= WEIR_ID_MAX))
        return "client_id_max is not 18 to 39: the host's ids have up to 18 characters";
    return NULL;
}

static enum weir_err check_descriptor(const struct weir_plugin *it, struct why *why)
{
    if (!name_is_clean(it->name))
        return because(why, WEIR_E_ABI,
                       "expected a name of 1 to %d characters a-z 0-9 - _, found another",
                       NAME_MAX_LEN - 1);
    if (!it->version || strnlen(it->version, 64) == 64)
        return because(why, WEIR_E_ABI, "plugin %s: expected a version of up to 63 characters",
                       it->name);
    if (!it->caps)
        return because(why, WEIR_E_ABI, "plugin %s: expected a capability sheet, found none",
                       it->name);
    const char *fault = fault_of(it->caps), *missing = missing_callback(it);
    if (fault)
        return because(why, WEIR_E_ABI, "plugin %s: capability sheet: %s", it->name, fault);
    if (missing)
        return because(why, WEIR_E_ABI, "plugin %s: expected a callback %s, found none", it->name,
                       missing);
    return WEIR_OK;
}

/* --- all that it needs is there ----------------------------------------------------------------*/

static enum weir_err map(struct plugin *plugin, struct why *why)
{
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", plugin->fd);
    plugin->handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!plugin->handle) {
        const char *text = dlerror();
        size_t len = strlen(name);
        if (text && strncmp(text, name, len) == 0 && text[len] == ':')
            text += len + 1 + (text[len + 1] == ' ');
        return because(why, WEIR_E_ABI, "cannot be loaded: %s", text ? text : "no reason given");
    }
    plugin->descriptor = dlsym(plugin->handle, "weir_plugin");
    if (!plugin->descriptor)
        return because(why, WEIR_E_NOT_FOUND,
                       "expected an exported symbol weir_plugin, found none");
    return check_descriptor(plugin->descriptor, why);
}

static enum weir_err load_file(struct plugin *plugin, int fd, const char *path, struct why *why)
{
    struct stat file;
    enum weir_err err = trust(fd, path, &file, why);
    if (err == WEIR_OK)
        err = copy(fd, file.st_size, &plugin->fd, why);
    if (err == WEIR_OK)
        err = check_bytes(plugin, (size_t)file.st_size, why);
    if (err == WEIR_OK)
        err = map(plugin, why);
    return err;
}

enum weir_err plugin_load(const char *path, struct plugin **plugin_out, struct why *why)
{
    enum weir_err err = WEIR_OK;
    struct plugin *plugin = calloc(1, sizeof *plugin);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (plugin)
        plugin->fd = -1;
    if (!plugin) {
        err = because(why, WEIR_E_NO_MEMORY, "out of memory");
    } else if (fd < 0) {
        err = system_error(why, "cannot be opened");
    } else {
        err = load_file(plugin, fd, path, why);
    }
    if (fd >= 0)
        close(fd);
    if (plugin &&
        plugin->handle) { /* mapped, even if refused: it stays, and so does its descriptor */
        plugin->older = newest;
        newest = plugin;
    } else if (plugin) {
        if (plugin->fd >= 0)
            close(plugin->fd);
        free(plugin);
    }
    if (err != WEIR_OK)
        while_doing(why, "plugin %s", path);
    else
        *plugin_out = plugin;
    return err;
}

struct plugin *plugin_around(const struct plugin *plugin, const struct weir_plugin *descriptor)
{
    struct plugin *around = malloc(sizeof *around);
    if (!around)
        return NULL;
    *around = *plugin;
    around->descriptor = descriptor;
    around->older = newest;
    newest = around;
    return around;
}

const struct weir_plugin *plugin_descriptor(const struct plugin *plugin)
{
    return plugin->descriptor;
}

const char *plugin_sha256(const struct plugin *plugin)
{
    return plugin->sha256;
}
