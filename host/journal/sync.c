/* sync.c - the journal's own thread: hash, disk, next segment, disk floor.
 *
 * GROUP    What was appended while a sync ran is the next group. The thread sleeps only when there
 *          is nothing to bring, for 20 us at first and 2 ms in the end; who waits wakes it.
 * PAGES    A page that is cleaned is protected until it is written to again: then the engine thread
 *          would fault, some microseconds in the kernel. So while records keep coming a group ends with
 *          the last whole page; where there is none, or somebody waits, the page of the last record
 *          goes too, and is made writable again at once. [hash_group, sync_group]
 * FAILURE  A sync that fails is the end of `durable`: the pages may be dropped and marked clean, so
 *          a later success would mean nothing. Records are still appended (they survive our death,
 *          and a person may want them), but nothing is ever called durable again. [writer_sync] */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "journal/writer.h"

enum {
    IDLE_NS_LEAST = 20 * 1000,
    IDLE_NS_MOST = 2 * 1000 * 1000,
    DISK_LOOK_NS = 100 * 1000 * 1000,
    PREPARE_AGAIN_NS = 1000 * 1000 * 1000,
    TOUCH_BYTES = 256 << 10 /* of the next segment, between two syncs */
};

#define SET(member, value) __atomic_store_n(&journal->member, value, __ATOMIC_RELAXED)

static void say(struct journal *journal, const char *reason)
{
    snprintf(journal->reason, sizeof journal->reason, "%s", reason);
}

void writer_fail(struct journal *journal, const char *reason)
{
    pthread_mutex_lock(&journal->door);
    if (!journal->failed) {
        say(journal, reason);
        __atomic_store_n(&journal->failed, 1, __ATOMIC_RELEASE);
    }
    pthread_cond_broadcast(&journal->done);
    pthread_mutex_unlock(&journal->door);
}

/* New risk must stop while *flag is up. */
static void warn(struct journal *journal, uint32_t *flag, const char *reason)
{
    pthread_mutex_lock(&journal->door);
    if (!journal->failed && !*flag)
        say(journal, reason);
    __atomic_store_n(flag, 1, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&journal->door);
}

/* --- sync ------------------------------------------------------------------------------------ */

/* Of the records up to `filled` those that end before `end`. */
static void hash_records(struct journal *journal, struct segment *segment, uint64_t filled,
                         uint64_t end)
{
    while (segment->hashed < filled) {
        const struct record_head *record =
            (const struct record_head *)(const void *)(segment->map + segment->hashed);
        uint32_t size = (uint32_t)record->word;
        if (segment->hashed + RECORD_HEAD + size > end)
            return;
        if (record->class <= JOURNAL_EFFECT)
            sha256_add(journal->hash, record + 1, size);
        journal->inputs += record->class == JOURNAL_INPUT;
        journal->effects += record->class == JOURNAL_EFFECT;
        journal->last_seq = record->seq;
        segment->hashed += RECORD_HEAD + size;
    }
}

static void tell_durable(struct journal *journal)
{
    __atomic_store_n(&journal->durable, journal->last_seq, __ATOMIC_RELEASE);
    pthread_mutex_lock(&journal->door);
    if (journal->waiting)
        pthread_cond_broadcast(&journal->done);
    pthread_mutex_unlock(&journal->door);
}

/* Bring the first `bytes` of a segment to the disk. False: the journal has failed. */
static bool bring(struct journal *journal, struct segment *segment, uint64_t bytes)
{
    char reason[sizeof journal->reason];
    const struct journal_io *io = journal->maker.io;
    weir_ns start = clock_stopwatch();
    uint64_t from = segment->synced / SEGMENT_HEAD * SEGMENT_HEAD; /* never below the head */
    int error = io->sync(io->context, segment->map, from, bytes);
    weir_ns took = clock_stopwatch() - start;
    if (error != 0) {
        snprintf(reason, sizeof reason, "sync of %08u.weir failed: %s", (unsigned)segment->number,
                 strerror(error));
        writer_fail(journal, reason);
        return false;
    }
    SET(syncs, journal->syncs + 1);
    SET(sync_last, took);
    if (took > journal->sync_most)
        SET(sync_most, took);
    return true;
}

static void sync_group(struct journal *journal, struct segment *segment, uint64_t filled)
{
    uint64_t noted = segment->synced;
    if (!bring(journal, segment, filled))
        return;
    SET(synced_bytes, journal->synced_bytes + filled - segment->synced);
    if (filled < segment->bytes) /* not vital: an error leaves the fault to the engine */
        (void)journal->maker.io->touch(journal->maker.io->context,
                                       segment->map + filled / SEGMENT_HEAD * SEGMENT_HEAD,
                                       SEGMENT_HEAD);
    segment->synced = filled;
    segment->noted = noted;
    segment_set_durable(segment, filled);
    tell_durable(journal);
}

/* The word `durable` of the last group reaches the disk with the next one, or, if there is none for
 * a while, alone. */
static bool sync_note(struct journal *journal, struct segment *segment)
{
    if (segment->noted == segment->synced || !bring(journal, segment, SEGMENT_HEAD))
        return false;
    segment->noted = segment->synced;
    return true;
}

/* The oldest segment is full and done with. */
static void leave_segment(struct journal *journal)
{
    unsigned char hash[JOURNAL_HASH_BYTES];
    struct segment *done = journal->oldest;
    sha256_value(journal->hash, hash);
    segment_set_chain(done->next, hash);
    journal->oldest = done->next;
    segment_destroy(done);
}

/* Of what is filled the next group takes the records on whole pages; all of them if there are none
 * such, or somebody waits. */
static void hash_group(struct journal *journal, struct segment *segment, uint64_t filled)
{
    uint64_t before = segment->hashed;
    if (!__atomic_load_n(&journal->waiting, __ATOMIC_RELAXED))
        hash_records(journal, segment, filled, filled / SEGMENT_HEAD * SEGMENT_HEAD);
    if (segment->hashed == before)
        hash_records(journal, segment, filled, filled);
}

bool writer_sync(struct journal *journal)
{
    struct segment *segment = journal->oldest;
    bool sealed = __atomic_load_n(&segment->sealed, __ATOMIC_ACQUIRE);
    uint64_t filled = __atomic_load_n(&segment->filled, __ATOMIC_ACQUIRE);
    bool may_sync =
        journal->sync != JOURNAL_NEVER && !__atomic_load_n(&journal->failed, __ATOMIC_ACQUIRE);
    bool work = filled > segment->hashed;

    hash_group(journal, segment, filled);
    if (segment->hashed > segment->synced && may_sync) {
        sync_group(journal, segment, segment->hashed);
        work = true;
    }
    if (may_sync && !work && (sealed || journal->idle >= IDLE_NS_MOST))
        work = sync_note(journal, segment);
    if (sealed && !work)
        leave_segment(journal);
    return work || sealed;
}

/* --- the next segment ------------------------------------------------------------------------ */

static enum weir_err name_next(struct journal *journal, struct why *why)
{
    enum weir_err err = segment_name_it(&journal->maker, journal->next, why);
    if (err == WEIR_OK) {
        __atomic_store_n(&journal->next_ready, 1, __ATOMIC_RELEASE);
        return WEIR_OK;
    }
    segment_discard(&journal->maker, journal->next);
    journal->next = NULL;
    return err;
}

static enum weir_err make_next(struct journal *journal, struct why *why)
{
    return journal->next
               ? WEIR_OK
               : segment_create(&journal->maker, journal->next_number, &journal->next, why);
}

enum weir_err writer_prepare(struct journal *journal, struct why *why)
{
    enum weir_err err = make_next(journal, why);
    return err == WEIR_OK ? name_next(journal, why) : err;
}

/* One step. False: nothing to do now. */
static bool prepare_step(struct journal *journal)
{
    struct why why;
    if (__atomic_load_n(&journal->next_ready, __ATOMIC_ACQUIRE) ||
        (journal->prepare_again != 0 && clock_stopwatch() < journal->prepare_again))
        return false;
    pthread_mutex_lock(&journal->making);
    enum weir_err err = WEIR_OK;
    if (!journal->next_ready) {
        err = make_next(journal, &why);
        if (err == WEIR_OK && !segment_touch(&journal->maker, journal->next, TOUCH_BYTES))
            err = name_next(journal, &why);
    }
    pthread_mutex_unlock(&journal->making);
    journal->prepare_again = err == WEIR_OK ? 0 : clock_stopwatch() + PREPARE_AGAIN_NS;
    if (err == WEIR_OK)
        SET(unprepared, 0);
    else if (err == WEIR_E_IO)
        writer_fail(journal, why.text);
    else
        warn(journal, &journal->unprepared, why.text);
    return err == WEIR_OK;
}

/* A segment that was begun in haste: make the pages ahead of the engine writable after all. */
static bool touch_ahead(struct journal *journal)
{
    struct segment *segment = journal->oldest;
    uint64_t filled = __atomic_load_n(&segment->filled, __ATOMIC_RELAXED);
    if (segment->touched < filled)
        segment->touched = filled / SEGMENT_HEAD * SEGMENT_HEAD;
    return segment_touch(&journal->maker, segment, TOUCH_BYTES);
}

/* --- the disk's floor ------------------------------------------------------------------------ */

void writer_look_at_disk(struct journal *journal)
{
    char reason[sizeof journal->reason];
    uint64_t free_bytes = 0, floor = journal->disk_floor;
    weir_ns now = clock_stopwatch();
    if (journal->disk_looked != 0 && now < journal->disk_looked + DISK_LOOK_NS)
        return;
    journal->disk_looked = now;
    const struct journal_io *io = journal->maker.io;
    int error = io->room(io->context, journal->maker.folder, &free_bytes);
    SET(disk_free, free_bytes);
    if (floor == 0)
        return;
    if (error != 0) {
        snprintf(reason, sizeof reason, "cannot tell how much of the disk is free: %s",
                 strerror(error));
        warn(journal, &journal->low_disk, reason);
    } else if (free_bytes < floor) {
        snprintf(reason, sizeof reason, "%llu bytes of the disk are free, the floor is %llu",
                 (unsigned long long)free_bytes, (unsigned long long)floor);
        warn(journal, &journal->low_disk, reason);
    } else if (free_bytes - floor >=
               journal->maker.bytes) /* well above, so that it does not flap */
        SET(low_disk, 0);
}

/* --- the thread ------------------------------------------------------------------------------ */

static void nap(struct journal *journal)
{
    struct timespec until;
    journal->idle = journal->idle == 0 ? IDLE_NS_LEAST : journal->idle * 2;
    if (journal->idle > IDLE_NS_MOST)
        journal->idle = IDLE_NS_MOST;
    weir_ns then = clock_stopwatch() + journal->idle;
    until.tv_sec = then / 1000000000;
    until.tv_nsec = then % 1000000000;
    pthread_mutex_lock(&journal->door);
    if (!journal->stopping && !journal->waiting)
        (void)pthread_cond_timedwait(&journal->wake, &journal->door, &until);
    pthread_mutex_unlock(&journal->door);
}

static void *run(void *context)
{
    struct journal *journal = context;
    while (!__atomic_load_n(&journal->stopping, __ATOMIC_ACQUIRE)) {
        bool busy = writer_sync(journal);
        busy = touch_ahead(journal) || prepare_step(journal) || busy;
        writer_look_at_disk(journal);
        if (busy)
            journal->idle = 0;
        else
            nap(journal);
    }
    return NULL;
}

bool journal_wait(struct journal *journal, uint64_t seq)
{
    if (journal->sync == JOURNAL_NEVER || seq == 0)
        return false;
    if (journal_durable(journal) >= seq)
        return true;
    pthread_mutex_lock(&journal->door);
    __atomic_fetch_add(&journal->waiting, 1, __ATOMIC_RELAXED);
    pthread_cond_signal(&journal->wake);
    while (journal_durable(journal) < seq && !journal->failed)
        pthread_cond_wait(&journal->done, &journal->door);
    __atomic_fetch_sub(&journal->waiting, 1, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&journal->door);
    return journal_durable(journal) >= seq;
}

/* The thread must not take the process's signals. */
enum weir_err writer_start(struct journal *journal, struct why *why)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&journal->thread, NULL, run, journal);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0)
        return because(why, WEIR_E_IO, "cannot start the journal's thread: %s", strerror(error));
    journal->running = true;
    return WEIR_OK;
}

void writer_stop(struct journal *journal)
{
    if (!journal->running)
        return;
    pthread_mutex_lock(&journal->door);
    __atomic_store_n(&journal->stopping, 1, __ATOMIC_RELEASE);
    pthread_cond_signal(&journal->wake);
    pthread_mutex_unlock(&journal->door);
    pthread_join(journal->thread, NULL);
    journal->running = false;
}
