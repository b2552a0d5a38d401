/* journal.h - the writer: everything that may matter later is in here before anybody acts on it.
 *
 * One thread appends (the engine thread): one copy and one crc in mapped memory, so that what is
 * appended survives the death of the process, however it dies. A thread of the journal's own brings
 * it to the disk in groups, makes the next segment ready, adds up the hash and watches the disk.
 * Brackets name the thread. */
#ifndef WEIR_JOURNAL_JOURNAL_H
#define WEIR_JOURNAL_JOURNAL_H

#include "journal/folder.h"
#include "journal/io.h"
#include "journal/reader.h"
#include "journal/side.h"

struct journal;

enum journal_sync {
    JOURNAL_GROUP = 0, /* to the disk all the time, behind the engine */
    JOURNAL_ALWAYS,    /* journal_before_send() waits for the disk */
    JOURNAL_NEVER      /* not at all: simulations */
};

struct journal_options {
    const char *folder;
    uint64_t segment_bytes; /* 0: 64 MiB; a multiple of 4096 */
    uint64_t disk_floor;    /* new risk stops when less is free on the disk; 0: no floor */
    enum journal_sync sync;
    uint32_t instance;           /* of this host */
    struct engine_sizes sizes;   /* of the engine that reads it; kept in META_BEGIN */
    const struct journal_io *io; /* NULL: the real one */
};

/* Begin a journal, or go on with one: `after` has read it to its end, and holds no lock (NULL: the
 * folder has no segment yet). The lock is given to the journal if this succeeds.
 *                                                                      [main thread, starting] */
enum weir_err journal_open(const struct journal_options *options, struct journal_lock *lock,
                           struct reader *after, struct journal **journal_out,
                           struct why *why) WEIR_MUST_USE;

/* Append one message. Returns its sequence number; 0: it could not be written, and nothing may
 * happen because of it. That is for ever (JOURNAL_FAILED), unless the message was only too large
 * for a segment.                                                        [engine thread] */
uint64_t journal_append(struct journal *journal, enum journal_class class,
                        const struct weir_msg *msg) WEIR_MUST_USE;

/* Wait until seq is on the disk. False: it never will be known to be.   [engine thread] */
bool journal_wait(struct journal *journal, uint64_t seq) WEIR_MUST_USE;

/* May a request that can create risk, journalled as seq, leave now? Waits under JOURNAL_ALWAYS.
 *                                                                       [engine thread] */
bool journal_before_send(struct journal *journal, uint64_t seq) WEIR_MUST_USE;

/* The last sequence known to be on the disk; never goes back.           [any thread] */
uint64_t journal_durable(const struct journal *journal);

enum journal_state {
    JOURNAL_WELL = 0,
    JOURNAL_LOW,   /* the disk is below its floor, or the next segment cannot be made: new risk
                      must stop; cancels are still written */
    JOURNAL_FAILED /* a sync failed or a record was lost: for ever */
};
enum journal_state journal_state(const struct journal *journal); /*     [any thread] */

struct journal_status {
    enum journal_state state;
    char reason[120]; /* of LOW and FAILED */
    uint64_t seq, durable;
    uint64_t lag_bytes; /* appended, not on the disk */
    uint32_t segment;   /* number of the one being filled */
    bool prepared;      /* the next one is ready */
    uint64_t bytes;     /* appended by this process */
    uint64_t syncs;
    weir_ns sync_last, sync_most; /* how long one took */
    uint64_t rolls, rolls_unprepared;
    uint64_t refused; /* messages too large for a segment */
    uint64_t disk_free;
};
void journal_status(struct journal *journal, struct journal_status *status_out); /* [any thread] */

struct journal_summary {
    uint64_t seq, inputs, effects;
    unsigned char hash[JOURNAL_HASH_BYTES];
};

/* Bring all to the disk, write META_END and give the lock back. The journal is gone also when this
 * fails (then it has no META_END, and the next start finds it as after a crash).
 *                                                                       [main thread, stopped] */
enum weir_err journal_close(struct journal *journal, struct journal_summary *summary_out,
                            struct why *why);

/* Leave everything as a killed process would.                          [tests] */
void journal_abandon(struct journal *journal);

#endif
