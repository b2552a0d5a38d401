/* support_recorded.h - a market made up for tests, recorded as the venue would send it, and a folder
 * for files.
 *
 * The made-up market knows its own book (two sorted arrays, nothing clever), so what a rebuilt book
 * should be at each sequence is known without the code under test. */
#ifndef SUPPORT_RECORDED_H
#define SUPPORT_RECORDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/book.h"

enum { MADE_LEVELS = 64, MADE_LINES_MAX = 2000 };

struct made_side {
    struct weir_level levels[MADE_LEVELS];
    int count;
};

struct made {
    uint64_t random;
    bool futures;
    const char *symbol;
    int64_t t;                    /* ns */
    uint64_t id, told_id, prev_u; /* the book's sequence; that of the last diff */
    struct made_side bids, asks;
    struct weir_level changes[2][32]; /* since the last diff */
    int change_count[2];
    uint64_t trade_id;
    char *lines[MADE_LINES_MAX]; /* recorded: "<stamp> <json>", no line feed */
    int line_count;
    struct {
        uint64_t id, print; /* the book's fingerprint at the end of each diff and snapshot */
    } truth[MADE_LINES_MAX];
    int truth_count;
};

/* A market of `diffs` book updates, with tops and trades between them, and one snapshot near the
 * beginning. futures: as USD-M writes it, else spot. */
void made_init(struct made *made, const char *symbol, bool futures, uint64_t seed, int diffs);
void made_fini(struct made *made);

/* The fingerprint of the market's book at that sequence. False: no diff ended there. */
bool made_truth(const struct made *made, uint64_t id, uint64_t *print_out);
uint64_t book_print(const struct book *book);

/* A folder of the test's own, removed with all in it by temp_remove. */
const char *temp_folder(void);
void temp_remove(void);
/* The path of a file in it; valid until the eighth next call. */
const char *temp_path(const char *name);
void temp_write(const char *path, const void *bytes, size_t len);

/* Lines joined by line feeds; the caller frees it. */
char *join_lines(char *const *lines, int count, size_t *len_out);

/* Packed as a file would hold it; the caller frees it. */
enum packing {
    PACK_PLAIN,
    PACK_GZIP,
    PACK_GZIP_PARTS,
    PACK_XZ,
    PACK_ZSTD,
    PACK_ZSTD_PARTS,
    PACK_ZIP,
    PACK_ZIP_STORED,
    PACK_ZIP_LARGE,
    PACKINGS
};
extern const char *const packing_names[PACKINGS];
unsigned char *pack(enum packing packing, const char *bytes, size_t len, size_t *packed_len);

#endif
