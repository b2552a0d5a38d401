/* index.c - keeps index.db in step with the journal.
 *
 * PLACE    How far the index is stands in the index itself and changes in the same transaction as
 *          its rows, so it is right whenever the database is. [take_in]
 * AGAIN    Whatever does not fit (another version or journal, a damaged database, a place that the
 *          journal does not have, because a power loss took records that had been indexed) ends in
 *          the same way: the file is removed, and all is read again, once. [index_update] */
#include "journal/index.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.h"
#include "journal/follower.h"
#include "journal/index_rows.h"

enum {
    BATCH_ROWS = 4096, /* rows of one transaction, about; fewer only at the end of the journal */
    BATCH_RECORDS = 1 << 18
};

struct index {
    char folder[512];
    char file[560];
    sqlite3 *db;
    struct rows rows;
    struct reader *reader; /* NULL: not reading yet */
};

static enum weir_err failed(struct index *index, int code, const char *what, struct why *why)
{
    bool broken = code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_MISMATCH ||
                  code == SQLITE_CONSTRAINT || code == SQLITE_ERROR;
    return because(why, broken ? WEIR_E_CORRUPT : WEIR_E_IO, "%s: %s: %s", index->file, what,
                   index->db ? sqlite3_errmsg(index->db) : sqlite3_errstr(code));
}

static void close_all(struct index *index)
{
    reader_close(index->reader);
    index->reader = NULL;
    rows_fini(&index->rows);
    index->rows = (struct rows){0};
    (void)sqlite3_close(index->db);
    index->db = NULL;
}

/* --- open -------------------------------------------------------------------------------------- */

static int version_of(sqlite3 *db, int *version_out)
{
    sqlite3_stmt *one = NULL;
    int code = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &one, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(one);
    *version_out = code == SQLITE_ROW ? sqlite3_column_int(one, 0) : 0;
    sqlite3_finalize(one);
    return code == SQLITE_ROW ? SQLITE_OK : code;
}

static int make_tables(sqlite3 *db)
{
    char pragma[48];
    snprintf(pragma, sizeof pragma, "PRAGMA user_version=%d", INDEX_VERSION);
    int code = sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = rows_create_tables(db);
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, pragma, NULL, NULL, NULL);
    return code == SQLITE_OK ? sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) : code;
}

static enum weir_err open_database(struct index *index, struct why *why)
{
    int version = 0;
    mode_t before = umask(0077);
    int code = sqlite3_open(index->file, &index->db);
    umask(before);
    if (code == SQLITE_OK)
        code = sqlite3_busy_timeout(index->db, 2000);
    if (code == SQLITE_OK)
        code = sqlite3_exec(index->db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL", NULL,
                            NULL, NULL);
    if (code == SQLITE_OK)
        code = version_of(index->db, &version);
    if (code != SQLITE_OK)
        return failed(index, code, "cannot open", why);
    if (version == 0)
        code = make_tables(
            index->db); /* tables without a version: this fails, and it is built again */
    else if (version != INDEX_VERSION)
        return because(why, WEIR_E_CORRUPT, "%s: version %d, expected %d", index->file, version,
                       INDEX_VERSION);
    return code == SQLITE_OK ? WEIR_OK : failed(index, code, "cannot make its tables", why);
}

static enum weir_err open_rows(struct index *index, struct why *why)
{
    index->rows.db = index->db;
    index->rows.directory = directory_create();
    if (!index->rows.directory)
        return because(why, WEIR_E_NO_MEMORY, "no memory for names");
    int code = rows_prepare(&index->rows);
    if (code == SQLITE_OK)
        code = rows_learn(&index->rows);
    return code == SQLITE_OK ? WEIR_OK : failed(index, code, "cannot read what was defined", why);
}

static enum weir_err open_reader(struct index *index, struct why *why)
{
    uint64_t journal = 0;
    struct journal_extent extent;
    struct reader_options options = {.no_hash = true, .follow = true};
    int code = rows_place(index->db, &journal, &options.from);
    if (code != SQLITE_OK && code != SQLITE_NOTFOUND)
        return failed(index, code, "cannot read how far it is", why);
    enum weir_err err = reader_open(index->folder, &options, &index->reader, why);
    if (err != WEIR_OK || code == SQLITE_NOTFOUND)
        return err;
    reader_extent(index->reader, &extent);
    if (extent.journal == journal)
        return WEIR_OK;
    return because(why, WEIR_E_CORRUPT, "%s: of another journal", index->file);
}

static enum weir_err open_all(struct index *index, struct why *why)
{
    enum weir_err err = open_database(index, why);
    if (err == WEIR_OK)
        err = open_rows(index, why);
    return err == WEIR_OK ? open_reader(index, why) : err;
}

static void remove_database(const struct index *index)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char file[sizeof index->file + 16];
        snprintf(file, sizeof file, "%s%s", index->file, ends[i]);
        (void)unlink(file);
    }
}

/* Open it; what does not fit is thrown away, once. */
static enum weir_err open_or_rebuild(struct index *index, struct why *why)
{
    enum weir_err err = open_all(index, why);
    if (err != WEIR_E_CORRUPT)
        return err;
    close_all(index);
    remove_database(index);
    return open_all(index, why);
}

enum weir_err index_open(const char *folder, struct index **index_out, struct why *why)
{
    struct index *index = calloc(1, sizeof *index);
    if (!index)
        return because(why, WEIR_E_NO_MEMORY, "no memory for an index");
    int len = snprintf(index->folder, sizeof index->folder, "%s", folder);
    snprintf(index->file, sizeof index->file, "%s/index.db", index->folder);
    enum weir_err err = (size_t)len < sizeof index->folder
                            ? open_or_rebuild(index, why)
                            : because(why, WEIR_E_USAGE, "the name of the folder is too long");
    if (err != WEIR_OK) {
        index_close(index);
        while_doing(why, "indexing %s", folder);
        return err;
    }
    *index_out = index;
    return WEIR_OK;
}

void index_close(struct index *index)
{
    if (!index)
        return;
    close_all(index);
    free(index);
}

/* --- update ------------------------------------------------------------------------------------ */

/* One transaction. E_NOT_FOUND: it took the last of the journal. */
static enum weir_err batch(struct index *index, uint64_t *records, struct why *why)
{
    struct journal_record record;
    enum weir_err err = WEIR_OK;
    int code = SQLITE_OK;
    uint64_t rows = index->rows.written, first = *records;
    while (index->rows.written - rows < BATCH_ROWS && *records - first < BATCH_RECORDS) {
        err = reader_next(index->reader, &record, why);
        if (err != WEIR_OK)
            break;
        code = rows_add(&index->rows, &record);
        if (code != SQLITE_OK)
            return failed(index, code, "cannot add a row", why);
        ++*records;
    }
    if ((err != WEIR_OK && err != WEIR_E_NOT_FOUND) || *records == first)
        return err;
    struct journal_extent extent;
    reader_extent(index->reader, &extent);
    code = rows_set_place(&index->rows, extent.journal, &extent.end);
    return code == SQLITE_OK ? err : failed(index, code, "cannot note how far it is", why);
}

static enum weir_err take_in(struct index *index, uint64_t *records, struct why *why)
{
    enum weir_err err = WEIR_OK;
    while (err == WEIR_OK) {
        int code = sqlite3_exec(index->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
        if (code != SQLITE_OK)
            return failed(index, code, "cannot begin", why);
        err = batch(index, records, why);
        bool good = err == WEIR_OK || err == WEIR_E_NOT_FOUND;
        code = sqlite3_exec(index->db, good ? "COMMIT" : "ROLLBACK", NULL, NULL, NULL);
        if (code != SQLITE_OK && good) {
            err = failed(index, code, "cannot commit", why);
            (void)sqlite3_exec(index->db, "ROLLBACK", NULL, NULL, NULL);
        }
    }
    return err == WEIR_E_NOT_FOUND ? WEIR_OK : err;
}

enum weir_err index_update(struct index *index, uint64_t *records_out, struct why *why)
{
    *records_out = 0;
    enum weir_err err = index->reader ? WEIR_OK : open_or_rebuild(index, why);
    if (err == WEIR_OK)
        err = take_in(index, records_out, why);
    if (err == WEIR_E_CORRUPT) {
        close_all(index);
        remove_database(index);
        *records_out = 0;
        err = open_all(index, why);
        if (err == WEIR_OK)
            err = take_in(index, records_out, why);
    }
    if (err != WEIR_OK) { /* the reader is ahead of what was written: begin where the database is */
        close_all(index);
        while_doing(why, "indexing %s", index->folder);
    }
    return err;
}

/* --- beside a running host --------------------------------------------------------------------- */

enum { EACH_MS = 250, FULL_MS = 5000, AFTER_ERROR_MS = 60000 };

struct indexer {
    struct index *index;
    uint64_t floor;
    struct follower follower;
};

/* The journal needs the disk more than the index does. */
static enum weir_err update_if_room(struct indexer *indexer, struct why *why)
{
    uint64_t records;
    struct statvfs disk;
    if (statvfs(indexer->index->folder, &disk) != 0)
        return because(why, WEIR_E_IO, "%s: cannot tell how much of the disk is free: %s",
                       indexer->index->folder, strerror(errno));
    uint64_t free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (free_bytes < indexer->floor)
        return because(why, WEIR_E_FULL,
                       "%s waits: %llu bytes of the disk are free, and the journal comes first "
                       "below %llu",
                       indexer->index->file, (unsigned long long)free_bytes,
                       (unsigned long long)indexer->floor);
    return index_update(indexer->index, &records, why);
}

static void run(struct follower *follower, void *context)
{
    struct indexer *indexer = context;
    struct why why;
    bool told = false;
    int ms;
    do {
        enum weir_err err = update_if_room(indexer, &why);
        if (err != WEIR_OK && !told)
            log_line(LOG_WARN, "index", "%s", why.text);
        told = err != WEIR_OK;
        ms = err == WEIR_OK ? EACH_MS : err == WEIR_E_FULL ? FULL_MS : AFTER_ERROR_MS;
    } while (follower_sleep(follower, ms));
}

enum weir_err indexer_start(const char *folder, uint64_t floor, struct indexer **indexer_out,
                            struct why *why)
{
    struct indexer *indexer = calloc(1, sizeof *indexer);
    if (!indexer)
        return because(why, WEIR_E_NO_MEMORY, "no memory for an indexer");
    indexer->floor = floor;
    enum weir_err err = index_open(folder, &indexer->index, why);
    if (err == WEIR_OK)
        err = follower_start(&indexer->follower, "weir-index", run, indexer, why);
    if (err != WEIR_OK) {
        index_close(indexer->index);
        free(indexer);
        return err;
    }
    *indexer_out = indexer;
    return WEIR_OK;
}

void indexer_stop(struct indexer *indexer)
{
    struct why why;
    if (!indexer)
        return;
    follower_stop(&indexer->follower);
    if (update_if_room(indexer, &why) != WEIR_OK)
        log_line(LOG_WARN, "index", "%s", why.text);
    index_close(indexer->index);
    free(indexer);
}
