/* journal.c - the file from which every order can be explained and every run repeated.
 *
 * LAYOUT   format.h.
 *
 * PROMISES (1) A record is in the mapped segment before its effect leaves the process, so an order
 *              that reached a venue is in the journal even if we died next. [journal_append]
 *          (2) The INPUT records, fed to a new engine, give the EFFECT records again, byte for
 *              byte. This is why the engine reads no clock and no random number. [replay.c]
 *          (3) A torn last record is cut off. Any other bad record stops the start: a hole in the
 *              record is for a person to judge. [reader.h]
 *          (4) What was written is not written again. Only two words of a segment's head are set
 *              later: that another follows, and how far it was durable. [segment.c]
 *          (5) durable never tells of a record that the disk has not confirmed, and after a sync
 *              that failed it never moves again: the kernel may drop what it could not write, and
 *              a second sync would succeed without it. [sync.c]
 *          (6) A record that cannot be written ends the journal for ever: a record after a hole
 *              would replay to something else. [lost]
 *
 * COST     One copy and one crc for each record on the engine thread; the disk is the journal
 *          thread's business. Our death loses nothing; the machine's, what came after the last sync.
 *          A segment is made ahead; only if the thread was too slow is it made in place (counted).
 *
 * WHY NOT  a database? Most records are market data, and all they need is append and scan. The
 *          index of `weir why` is built from the segments, so losing it loses nothing. */
#include "journal/journal.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "journal/writer.h"

/* --- append ---------------------------------------------------------------------------------- */

static uint64_t lost(struct journal *journal, const char *what)
{
    char reason[sizeof journal->reason];
    journal->lost = true;
    snprintf(reason, sizeof reason, "a record was lost: %s", what);
    writer_fail(journal, reason);
    return 0;
}

/* Take the segment that was made ahead, or make it now. */
static enum weir_err next_segment(struct journal *journal, struct segment **next_out,
                                  struct why *why)
{
    enum weir_err err = WEIR_OK;
    pthread_mutex_lock(&journal->making);
    if (!journal->next_ready) {
        __atomic_fetch_add(&journal->rolls_unprepared, 1, __ATOMIC_RELAXED);
        err = writer_prepare(journal, why);
    }
    if (err == WEIR_OK) {
        *next_out = journal->next;
        journal->next = NULL;
        journal->next_number++;
        __atomic_store_n(&journal->next_ready, 0, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&journal->making);
    return err;
}

void writer_fill(struct journal *journal, struct segment *segment)
{
    journal->segment = segment;
    journal->map = segment->map;
    journal->seed = segment->seed;
    journal->at = SEGMENT_HEAD;
    journal->end = segment->bytes;
    __atomic_store_n(&journal->current, segment->number, __ATOMIC_RELAXED);
}

static bool roll(struct journal *journal)
{
    struct why why;
    struct segment *full = journal->segment, *next;
    if (next_segment(journal, &next, &why) != WEIR_OK) {
        (void)lost(journal, why.text);
        return false;
    }
    segment_begin(next, journal->seq + 1, journal->at, 0);
    segment_set_next(full);
    full->next = next;
    __atomic_fetch_add(&journal->rolls, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&full->sealed, 1, __ATOMIC_RELEASE);
    writer_fill(journal, next);
    return true;
}

__attribute__((cold, noinline)) static bool make_room(struct journal *journal, uint64_t size)
{
    if (journal->lost)
        return false;
    if (size > journal->record_max) {
        __atomic_fetch_add(&journal->refused, 1, __ATOMIC_RELAXED);
        return false;
    }
    return roll(journal);
}

/* The room of the record after the next few is fetched while this one is written: it left the caches when it was
 * made, and each page of it is new to the thread. Past the end of the map nothing happens. */
static inline void fetch_ahead(const unsigned char *to, uint32_t size)
{
    enum { AHEAD = 2048, LINE_BYTES = 64 };
    for (uint32_t at = 0; at < RECORD_HEAD + size; at += LINE_BYTES)
        __builtin_prefetch(to + AHEAD + at, 1);
}

static void put(struct journal *journal, enum journal_class class, const struct weir_msg *msg,
                uint64_t seq)
{
    unsigned char *to = journal->map + journal->at;
    uint32_t size = msg->size;
    struct record_head head = {
        .seq = seq, .class = (uint8_t) class, .place = (uint32_t)(journal->at / 8)};
    fetch_ahead(to, size);
    uint64_t word = (uint64_t)record_put(to, &head, msg, size, journal->seed) << 32 | size;
    __atomic_store_n((uint64_t *)(void *)to, word, __ATOMIC_RELEASE);
    journal->at += sizeof head + size;
    __atomic_store_n(&journal->seq, seq, __ATOMIC_RELAXED);
    __atomic_store_n(&journal->bytes, journal->bytes + sizeof head + size, __ATOMIC_RELAXED);
    __atomic_store_n(&journal->segment->filled, journal->at, __ATOMIC_RELEASE);
}

uint64_t journal_append(struct journal *journal, enum journal_class class,
                        const struct weir_msg *msg)
{
    must(msg->size >= sizeof *msg && msg->size % 8 == 0);
    bool fits = msg->size <= journal->record_max && !journal->lost &&
                journal->end - journal->at >= RECORD_HEAD + (uint64_t)msg->size;
    if (__builtin_expect(!fits, 0) && !make_room(journal, msg->size))
        return 0;
    uint64_t seq = journal->seq + (class <= JOURNAL_EFFECT);
    put(journal, class, msg, seq);
    return seq;
}

/* --- questions ------------------------------------------------------------------------------- */

uint64_t journal_durable(const struct journal *journal)
{
    return __atomic_load_n(&journal->durable, __ATOMIC_ACQUIRE);
}

enum journal_state journal_state(const struct journal *journal)
{
    if (__atomic_load_n(&journal->failed, __ATOMIC_ACQUIRE))
        return JOURNAL_FAILED;
    bool low = __atomic_load_n(&journal->low_disk, __ATOMIC_RELAXED) ||
               __atomic_load_n(&journal->unprepared, __ATOMIC_RELAXED);
    return low ? JOURNAL_LOW : JOURNAL_WELL;
}

bool journal_before_send(struct journal *journal, uint64_t seq)
{
    if (seq == 0 || journal_state(journal) == JOURNAL_FAILED)
        return false;
    return journal->sync != JOURNAL_ALWAYS || journal_wait(journal, seq);
}

#define READ(member) __atomic_load_n(&journal->member, __ATOMIC_RELAXED)

void journal_status(struct journal *journal, struct journal_status *status_out)
{
    uint64_t synced = READ(synced_bytes), bytes = READ(bytes);
    *status_out = (struct journal_status){
        .state = journal_state(journal),
        .seq = READ(seq),
        .durable = journal_durable(journal),
        .lag_bytes = bytes > synced ? bytes - synced : 0,
        .segment = READ(current),
        .prepared = READ(next_ready),
        .bytes = bytes,
        .syncs = READ(syncs),
        .sync_last = READ(sync_last),
        .sync_most = READ(sync_most),
        .rolls = READ(rolls),
        .rolls_unprepared = READ(rolls_unprepared),
        .refused = READ(refused),
        .disk_free = READ(disk_free),
    };
    pthread_mutex_lock(&journal->door);
    if (status_out->state != JOURNAL_WELL)
        memcpy(status_out->reason, journal->reason, sizeof status_out->reason);
    pthread_mutex_unlock(&journal->door);
}
