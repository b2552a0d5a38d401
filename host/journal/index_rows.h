/* index_rows.h - the tables of index.db, and records as their rows. */
#ifndef WEIR_JOURNAL_INDEX_ROWS_H
#define WEIR_JOURNAL_INDEX_ROWS_H

#include <sqlite3.h>

#include "journal/directory.h"
#include "journal/reader.h"

/* Changes with every change of the tables. */
enum { INDEX_VERSION = 1 };

enum index_table {
    INTO_DEFINITIONS,
    INTO_ORDERS,
    INTO_ORDER_NAMES,
    INTO_EXECUTIONS,
    INTO_DECISIONS,
    INTO_ALERTS,
    INTO_PLACE,
    INDEX_TABLES
};

struct rows {
    sqlite3 *db;
    sqlite3_stmt *into[INDEX_TABLES];
    struct directory *directory;
    uint64_t written;
};

/* Each returns an SQLite code. */
int rows_create_tables(sqlite3 *db);
int rows_prepare(struct rows *rows);
int rows_learn(struct rows *rows); /* what was defined when the index was last written */
void rows_fini(struct rows *rows);

int rows_add(struct rows *rows, const struct journal_record *record);
int rows_set_place(struct rows *rows, uint64_t journal, const struct journal_place *place);
/* SQLITE_NOTFOUND: nothing was indexed yet. */
int rows_place(sqlite3 *db, uint64_t *journal_out, struct journal_place *place_out);

#endif
