/* io.h - what the writer asks of the operating system, as a table, so that tests can let any call
 * fail. Each returns 0 or an errno. [any thread] */
#ifndef WEIR_JOURNAL_IO_H
#define WEIR_JOURNAL_IO_H

#include <stddef.h>
#include <stdint.h>

struct journal_io {
    void *context;

    int (*open)(void *context, int folder, const char *name, int *fd_out); /* new, 0600 */
    int (*allocate)(void *context, int fd, uint64_t bytes);
    int (*map)(void *context, int fd, uint64_t bytes, void **map_out);
    int (*touch)(void *context, void *from,
                 uint64_t bytes); /* make pages writable without a fault */
    /* The first so many bytes of the file; of these, nobody will write to whole pages from `from` on. */
    int (*sync)(void *context, void *map, uint64_t from, uint64_t bytes);
    /* never over an existing file */
    int (*rename)(void *context, int folder, const char *from, const char *to);
    int (*remove)(void *context, int folder, const char *name);
    int (*settle)(void *context, int folder,
                  const char *name); /* all of a file that we did not write */
    /* set one word of a file that we did not write, cut it to what it uses, and sync */
    int (*mark)(void *context, int folder, const char *name, uint64_t offset, uint64_t word,
                uint64_t bytes);
    int (*cut)(void *context, int fd, uint64_t bytes);
    int (*sync_folder)(void *context, int folder);
    int (*room)(void *context, int folder, uint64_t *free_bytes_out);
};

extern const struct journal_io journal_io_real;

#endif
