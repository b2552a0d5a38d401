/* support_journal.h - folders, messages and failing disks for the journal's tests. */
#ifndef TESTS_JOURNAL_SUPPORT_H
#define TESTS_JOURNAL_SUPPORT_H

#include <criterion/criterion.h>

#include "journal/journal.h"

/* A new empty folder; folder_remove() takes it away with all that is in it. */
struct folder {
    char path[256];
};
struct folder folder_new(void);
void folder_remove(const struct folder *folder);
void folder_copy(const struct folder *from, const struct folder *to); /* `to` is emptied first */

/* A file in it, as bytes. */
struct bytes {
    unsigned char *data;
    size_t len;
};
struct bytes file_read(const struct folder *folder, const char *name);
void file_write(const struct folder *folder, const char *name, const unsigned char *data,
                size_t len);
void file_put(const struct folder *folder, const char *name, const unsigned char *data,
              size_t len); /* over its beginning; the rest stays */
void file_flip(const struct folder *folder, const char *name, size_t offset, unsigned char bits);
void file_name(const struct folder *folder, uint32_t segment, char *path, size_t room);

/* Message number i of a fixed endless sequence: INPUT and EFFECT of several sizes, some SIDE. */
enum journal_class sample(uint64_t i, struct weir_msg **msg_out);

/* Open with these; the folder is locked, read to its end and gone on with. */
struct journal_options options_of(const struct folder *folder, uint64_t segment_bytes,
                                  enum journal_sync sync);
struct journal *start(const struct journal_options *options);
enum weir_err try_start(const struct journal_options *options, struct journal **journal_out,
                        struct why *why);
/* Append samples from..to-1; asserts that each was taken. */
void append_samples(struct journal *journal, uint64_t from, uint64_t to);
struct journal_summary finish(struct journal *journal);

/* Read all of it. E_NOT_FOUND: to a proper end. Records are compared with the samples: how many. */
struct reading {
    enum weir_err err;
    struct why why;
    struct journal_extent extent;
    uint64_t samples; /* records equal to sample 0, 1, 2 ... */
    bool different;   /* one that is not */
};
struct reading read_all(const struct folder *folder, const unsigned char *boot);
struct reading read_samples_from(const struct folder *folder, const unsigned char *boot,
                                 uint64_t first);

/* A disk whose n-th call fails (from 1), once or from then on; counts calls. */
struct bad_disk {
    struct journal_io io;
    int fail_at; /* 0: never */
    bool for_ever;
    int calls;
    const char *failed; /* name of the first call that failed */
    uint64_t room;      /* what room() tells; 0: as it is */
};
void bad_disk_init(struct bad_disk *disk, int fail_at, bool for_ever);

#endif
