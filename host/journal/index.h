/* index.h - index.db: the journal's orders, executions, decisions and alerts as SQLite tables.
 *
 * Built from the segments, beside them, for the console, for `weir why` and for people with SQL.
 * It is never asked when anything is decided: one that is lost, damaged, of another version or of
 * another journal is thrown away and built again. Numbers are exact decimals, as text. */
#ifndef WEIR_JOURNAL_INDEX_H
#define WEIR_JOURNAL_INDEX_H

#include "base/why.h"

struct index;

/* Open folder/index.db, or begin a new one. [one thread each] */
enum weir_err index_open(const char *folder, struct index **index_out,
                         struct why *why) WEIR_MUST_USE;
void index_close(struct index *index); /* accepts NULL */

/* Take in what the journal has more. records_out: how many records that were. */
enum weir_err index_update(struct index *index, uint64_t *records_out,
                           struct why *why) WEIR_MUST_USE;

/* A thread that does it while the host runs, at the lowest priority, as long as `floor` bytes of the
 * disk are free; an error is logged once and tried again later. [main thread] */
struct indexer;
enum weir_err indexer_start(const char *folder, uint64_t floor, struct indexer **indexer_out,
                            struct why *why) WEIR_MUST_USE;
void indexer_stop(struct indexer *indexer); /* takes in the rest; accepts NULL */

#endif
