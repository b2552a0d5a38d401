/* writer.h - the inside of the journal's writer, shared by journal.c (engine thread) and sync.c
 * (journal thread). Plain members belong to the thread that the comment names; members marked
 * (shared) are read and written with __atomic. */
#ifndef WEIR_JOURNAL_WRITER_H
#define WEIR_JOURNAL_WRITER_H

#include <pthread.h>

#include "base/hash.h"
#include "journal/journal.h"
#include "journal/segment.h"

/* Lines of the cache are kept apart by who writes them. */
#define LINE _Alignas(64)

struct journal {
    /* engine thread: all that an append touches, besides the record and segment->filled */
    LINE unsigned char *map; /* of segment */
    uint64_t at;
    uint64_t end;   /* of segment */
    uint64_t seq;   /* (shared) */
    uint64_t bytes; /* (shared) */
    struct segment *segment;
    uint32_t seed;
    bool lost; /* a record could not be written */

    /* engine thread, seldom */
    LINE uint64_t refused, rolls, rolls_unprepared; /* (shared) */

    /* made at the start, then only read */
    LINE struct segment_maker maker;
    enum journal_sync sync;
    uint64_t disk_floor;
    uint64_t record_max;
    struct journal_lock *lock;

    /* journal thread, read by others (shared) */
    LINE uint64_t durable;
    uint64_t synced_bytes;
    uint32_t failed, low_disk, unprepared;
    uint64_t syncs, disk_free;
    weir_ns sync_last, sync_most;
    uint32_t current; /* number of the segment being filled */

    /* journal thread */
    LINE pthread_t thread;
    bool running;
    struct segment *oldest; /* not wholly synced yet; the chain goes on to `segment` */
    struct sha256 *hash;
    uint64_t inputs, effects, last_seq;
    weir_ns disk_looked, prepare_again;
    weir_ns idle;

    /* under `making`: the next segment */
    LINE pthread_mutex_t making;
    struct segment *next;
    uint32_t next_number;
    uint32_t next_ready; /* (shared) it may be begun */

    /* under `door`: sleeping, waiting and words for people */
    pthread_mutex_t door;
    pthread_cond_t wake; /* the journal thread sleeps here */
    pthread_cond_t done; /* who waits for the disk */
    uint32_t waiting;    /* (shared) */
    uint32_t stopping;   /* (shared) */
    char reason[120];
};

/* Fail for ever; the first reason stays. [both threads] */
void writer_fail(struct journal *journal, const char *reason);

/* Records go into this segment from here on. [engine thread] */
void writer_fill(struct journal *journal, struct segment *segment);

/* Make the next segment as far as it may be begun: what is still to do, at once. E_FULL: there is
 * no room for it now; others: the journal cannot be trusted. [under making] */
enum weir_err writer_prepare(struct journal *journal, struct why *why) WEIR_MUST_USE;

enum weir_err writer_start(struct journal *journal, struct why *why) WEIR_MUST_USE;
void writer_stop(struct journal *journal);
void writer_look_at_disk(struct journal *journal);

/* Hash, sync and note what is there. True: there was something. [journal thread, or after stop] */
bool writer_sync(struct journal *journal);

#endif
