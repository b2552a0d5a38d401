/* open.c - how a journal begins, goes on and ends.
 *
 * GOING ON  A journal that was left is never written into again: a new segment begins, whose head
 *           says where the one before ended. Before it says so, the one before is brought to the
 *           disk whole, since what its reader took for true may have been in memory only. [settle]
 * ENDING    All to the disk, META_END with the final hash, and the word `durable` behind it, so
 *           that damage to the end of what was closed is never taken for a torn record. [seal] */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "journal/writer.h"

enum { TOUCH_FIRST = 1 << 20 };

/* --- begin ----------------------------------------------------------------------------------- */

static enum weir_err options_check(const struct journal_options *options, struct why *why)
{
    uint64_t bytes = options->segment_bytes;
    if (bytes != 0 &&
        (bytes < SEGMENT_BYTES_MIN || bytes > SEGMENT_BYTES_MAX || bytes % SEGMENT_HEAD != 0))
        return because(
            why, WEIR_E_BAD_CONFIG, "segment size %llu, expected %d to %d in multiples of %d",
            (unsigned long long)bytes, SEGMENT_BYTES_MIN, SEGMENT_BYTES_MAX, SEGMENT_HEAD);
    return WEIR_OK;
}

static enum weir_err extent_of(struct reader *after, int folder, struct journal_extent *extent,
                               struct why *why)
{
    uint32_t count = 0;
    *extent = (struct journal_extent){0};
    if (after) {
        reader_extent(after, extent);
        return extent->has_hash
                   ? WEIR_OK
                   : because(why, WEIR_E_USAGE, "the journal was read without its hash");
    }
    enum weir_err err = folder_segments(folder, &count, why);
    if (err == WEIR_OK && count > 0)
        err = because(why, WEIR_E_DUPLICATE,
                      "there is a journal already; it must be read before it can go on");
    return err;
}

static enum weir_err make_synchronizers(struct journal *journal, struct why *why)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    int error = pthread_mutex_init(&journal->making, NULL);
    if (error == 0)
        error = pthread_mutex_init(&journal->door, NULL);
    if (error == 0)
        error = pthread_cond_init(&journal->wake, &monotonic);
    if (error == 0)
        error = pthread_cond_init(&journal->done, NULL);
    pthread_condattr_destroy(&monotonic);
    return error == 0 ? WEIR_OK : because(why, WEIR_E_NO_MEMORY, "%s", strerror(error));
}

static enum weir_err draw_number(uint64_t *number_out, struct why *why)
{
    do
        if (getrandom(number_out, sizeof *number_out, 0) != sizeof *number_out)
            return because(why, WEIR_E_IO, "cannot draw a number: %s", strerror(errno));
    while (*number_out == 0);
    return WEIR_OK;
}

/* Segments that were made ahead and never begun: away, the last one first. */
static enum weir_err remove_unbegun(struct journal *journal, uint32_t begun, struct why *why)
{
    uint32_t count;
    const struct journal_io *io = journal->maker.io;
    enum weir_err err = folder_segments(journal->maker.folder, &count, why);
    for (; err == WEIR_OK && count > begun; count--) {
        char name[SEGMENT_NAME_MAX];
        segment_name(count, name);
        int error = io->remove(io->context, journal->maker.folder, name);
        if (error != 0)
            err = because(why, WEIR_E_IO, "%s: cannot remove it (it was never begun): %s", name,
                          strerror(error));
    }
    return err;
}

/* The segment before: whole on the disk. */
static enum weir_err settle(struct journal *journal, const struct journal_extent *extent,
                            struct why *why)
{
    char name[SEGMENT_NAME_MAX];
    const struct journal_io *io = journal->maker.io;
    enum weir_err err = remove_unbegun(journal, extent->segments, why);
    if (err != WEIR_OK || extent->segments == 0)
        return err;
    segment_name(extent->segments, name);
    int error = io->settle(io->context, journal->maker.folder, name);
    return error == 0 ? WEIR_OK
                      : because(why, WEIR_E_IO, "%s: cannot bring it to the disk: %s", name,
                                strerror(error));
}

static enum weir_err append_begin(struct journal *journal, const struct journal_options *options,
                                  bool first, struct why *why)
{
    struct clock clock = clock_real();
    struct meta_begin begin;
    memset(&begin, 0, sizeof begin); /* what lies between members goes to the disk too */
    begin.msg = (struct weir_msg){
        .size = sizeof begin, .kind = first ? META_BEGIN : META_RESUMED, .t = clock_wall(&clock)};
    begin.layout = journal_layout();
    begin.sizes = options->sizes;
    if (first)
        journal->seq = 1; /* the record itself */
    if (journal_append(journal, JOURNAL_META, &begin.msg) == 0)
        return because(why, WEIR_E_FULL, "the first record does not fit");
    return WEIR_OK;
}

static uint64_t in_pages(uint64_t bytes)
{
    return (bytes + SEGMENT_HEAD - 1) / SEGMENT_HEAD * SEGMENT_HEAD;
}

/* Say in the head of the segment before that it has a successor, and give back the room that it
 * never used; its reader knows now where it ends. */
static enum weir_err mark_before(struct journal *journal, const struct journal_extent *extent,
                                 struct why *why)
{
    char name[SEGMENT_NAME_MAX];
    const struct journal_io *io = journal->maker.io;
    if (extent->segments == 0)
        return WEIR_OK;
    segment_name(extent->segments, name);
    int error =
        io->mark(io->context, journal->maker.folder, name, offsetof(struct segment_head, next),
                 word_of(extent->seed, 'n', extent->segments + 1), in_pages(extent->end.offset));
    return error == 0 ? WEIR_OK
                      : because(why, WEIR_E_IO, "%s: cannot write that it has a successor: %s",
                                name, strerror(error));
}

static enum weir_err first_segment(struct journal *journal, const struct journal_options *options,
                                   const struct journal_extent *extent, struct why *why)
{
    unsigned char hash[JOURNAL_HASH_BYTES];
    struct segment *segment = NULL;
    enum weir_err err = segment_create(&journal->maker, extent->segments + 1, &segment, why);
    if (err != WEIR_OK)
        return err;
    (void)segment_touch(&journal->maker, segment, TOUCH_FIRST);
    err = segment_name_it(&journal->maker, segment, why);
    if (err != WEIR_OK) {
        segment_discard(&journal->maker, segment);
        return err;
    }
    sha256_value(journal->hash, hash);
    segment_set_chain(segment, hash);
    segment_begin(segment, extent->end.seq + 1, extent->end.offset, extent->cut);
    journal->oldest = segment;
    journal->next_number = segment->number + 1;
    writer_fill(journal, segment);
    journal->seq = journal->last_seq = extent->end.seq;
    journal->inputs = extent->inputs;
    journal->effects = extent->effects;
    err = append_begin(journal, options, extent->segments == 0, why);
    (void)writer_sync(journal);
    if (err == WEIR_OK && journal->failed)
        err = because(why, WEIR_E_IO, "%s", journal->reason);
    return err == WEIR_OK ? mark_before(journal, extent, why) : err;
}

static struct journal *make(const struct journal_options *options)
{
    struct journal *journal = aligned_alloc(_Alignof(struct journal), sizeof *journal);
    if (!journal)
        return NULL;
    memset(journal, 0, sizeof *journal);
    uint64_t bytes = options->segment_bytes ? options->segment_bytes : SEGMENT_BYTES_DEFAULT;
    journal->maker = (struct segment_maker){.io = options->io ? options->io : &journal_io_real,
                                            .folder = -1,
                                            .bytes = bytes,
                                            .instance = options->instance};
    boot_id(journal->maker.boot);
    journal->sync = options->sync;
    journal->disk_floor = options->disk_floor;
    journal->record_max = record_max(bytes);
    return journal;
}

static void destroy(struct journal *journal)
{
    while (journal->oldest) {
        struct segment *segment = journal->oldest;
        journal->oldest = segment->next;
        segment_destroy(segment);
    }
    sha256_destroy(journal->hash);
    if (journal->maker.folder >= 0)
        close(journal->maker.folder);
    journal_unlock(journal->lock);
    pthread_mutex_destroy(&journal->making);
    pthread_mutex_destroy(&journal->door);
    pthread_cond_destroy(&journal->wake);
    pthread_cond_destroy(&journal->done);
    free(journal);
}

static enum weir_err build(struct journal *journal, const struct journal_options *options,
                           struct reader *after, struct why *why)
{
    struct journal_extent extent;
    enum weir_err err = folder_prepare(options->folder, &journal->maker.folder, why);
    if (err == WEIR_OK)
        err = extent_of(after, journal->maker.folder, &extent, why);
    if (err != WEIR_OK)
        return err;
    journal->maker.journal = extent.journal;
    if (extent.segments == 0)
        err = draw_number(&journal->maker.journal, why);
    journal->hash = after ? reader_take_hash(after) : sha256_create();
    if (err == WEIR_OK && !journal->hash)
        err = because(why, WEIR_E_NO_MEMORY, "no memory for a hash");
    if (err == WEIR_OK)
        err = settle(journal, &extent, why);
    if (err == WEIR_OK)
        err = first_segment(journal, options, &extent, why);
    writer_look_at_disk(journal);
    return err == WEIR_OK ? writer_start(journal, why) : err;
}

enum weir_err journal_open(const struct journal_options *options, struct journal_lock *lock,
                           struct reader *after, struct journal **journal_out, struct why *why)
{
    struct journal *journal = NULL;
    enum weir_err err = options_check(options, why);
    if (err == WEIR_OK) {
        journal = make(options);
        err = journal ? make_synchronizers(journal, why)
                      : because(why, WEIR_E_NO_MEMORY, "no memory for a journal");
    }
    if (err == WEIR_OK)
        err = build(journal, options, after, why);
    if (err == WEIR_OK) {
        journal->lock = lock;
        *journal_out = journal;
        return WEIR_OK;
    }
    if (journal)
        destroy(journal);
    while_doing(why, "journal %s", options->folder);
    return err;
}

/* --- end ------------------------------------------------------------------------------------- */

/* Until the hash has seen and the disk has got all there is. */
static void drain(struct journal *journal)
{
    while (writer_sync(journal)) {
    }
}

static enum weir_err seal(struct journal *journal, struct journal_summary *summary, struct why *why)
{
    struct clock clock = clock_real();
    const struct journal_io *io = journal->maker.io;
    *summary = (struct journal_summary){
        .seq = journal->seq, .inputs = journal->inputs, .effects = journal->effects};
    sha256_value(journal->hash, summary->hash);
    struct meta_end end = {.msg = {.size = sizeof end, .kind = META_END, .t = clock_wall(&clock)},
                           .seq = summary->seq,
                           .inputs = summary->inputs,
                           .effects = summary->effects};
    memcpy(end.hash, summary->hash, sizeof end.hash);
    if (!journal->failed && journal_append(journal, JOURNAL_META, &end.msg) != 0)
        drain(journal);
    if (!journal->failed) {
        segment_set_durable(journal->segment, journal->at);
        int error = journal->sync == JOURNAL_NEVER
                        ? 0
                        : io->sync(io->context, journal->segment->map, journal->at, journal->at);
        if (error != 0)
            writer_fail(journal, strerror(error));
    }
    return journal->failed ? because(why, WEIR_E_IO, "%s", journal->reason) : WEIR_OK;
}

/* What a closed journal does not need: room behind its end, a segment made ahead. */
static void trim(struct journal *journal)
{
    const struct journal_io *io = journal->maker.io;
    (void)io->cut(io->context, journal->segment->fd, in_pages(journal->at));
    if (journal->next)
        segment_discard(&journal->maker, journal->next);
    journal->next = NULL;
    (void)io->sync_folder(io->context, journal->maker.folder);
}

enum weir_err journal_close(struct journal *journal, struct journal_summary *summary_out,
                            struct why *why)
{
    writer_stop(journal);
    drain(journal);
    enum weir_err err = seal(journal, summary_out, why);
    if (err == WEIR_OK)
        trim(journal);
    else {
        while_doing(why, "closing the journal");
        segment_destroy(journal->next);
    }
    destroy(journal);
    return err;
}

void journal_abandon(struct journal *journal)
{
    writer_stop(journal);
    segment_destroy(journal->next);
    destroy(journal);
}
