/* journal_test.c - the writer: what is appended comes back, whatever happens to the process. */
#include "journal/support_journal.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SMALL = 16 << 10 };

Test(journal, what_is_appended_is_read_back_in_order)
{
    static const struct {
        const char *name;
        uint64_t segment_bytes, samples;
        enum journal_sync sync;
        uint32_t segments_least;
    } rows[] = {
        {"nothing", SMALL, 0, JOURNAL_GROUP, 1},
        {"one record", SMALL, 1, JOURNAL_GROUP, 1},
        {"one segment", 1 << 20, 1000, JOURNAL_GROUP, 1},
        {"many segments", SMALL, 3000, JOURNAL_GROUP, 50},
        {"never synced", SMALL, 500, JOURNAL_NEVER, 8},
        {"always", 64 << 10, 50, JOURNAL_ALWAYS, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct folder folder = folder_new();
        struct journal_options options = options_of(&folder, rows[i].segment_bytes, rows[i].sync);
        struct journal *journal = start(&options);
        append_samples(journal, 0, rows[i].samples);
        struct journal_summary summary = finish(journal);
        struct reading reading = read_all(&folder, NULL);
        cr_expect(reading.err == WEIR_E_NOT_FOUND, "%s: %s", rows[i].name, reading.why.text);
        cr_expect(reading.samples == rows[i].samples && !reading.different, "%s: %lu of %lu",
                  rows[i].name, reading.samples, rows[i].samples);
        cr_expect(reading.extent.closed && reading.extent.cut == 0, "%s", rows[i].name);
        cr_expect(reading.extent.segments >= rows[i].segments_least, "%s: %u segments",
                  rows[i].name, reading.extent.segments);
        cr_expect(memcmp(reading.extent.hash, summary.hash, sizeof summary.hash) == 0, "%s",
                  rows[i].name);
        cr_expect(reading.extent.end.seq == summary.seq &&
                      reading.extent.inputs == summary.inputs &&
                      reading.extent.effects == summary.effects,
                  "%s", rows[i].name);
        folder_remove(&folder);
    }
}

/* One journal of 700 samples: how it is cut into segments, groups and processes does not matter. */
Test(journal, the_hash_does_not_depend_on_segments_groups_or_restarts)
{
    static const struct {
        const char *name;
        uint64_t segment_bytes;
        enum journal_sync sync;
        uint64_t restart_every, wait_every;
    } rows[] = {
        {"small segments", SMALL, JOURNAL_GROUP, 0, 0},
        {"one segment", 1 << 20, JOURNAL_GROUP, 0, 0},
        {"a group for each record", 1 << 20, JOURNAL_ALWAYS, 0, 1},
        {"groups of 13", SMALL, JOURNAL_GROUP, 0, 13},
        {"no sync", SMALL, JOURNAL_NEVER, 0, 0},
        {"restarts", SMALL, JOURNAL_GROUP, 97, 0},
    };
    struct journal_summary first = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct folder folder = folder_new();
        struct journal_options options = options_of(&folder, rows[i].segment_bytes, rows[i].sync);
        struct journal *journal = start(&options);
        for (uint64_t at = 0; at < 700; at++) {
            struct weir_msg *msg;
            enum journal_class class = sample(at, &msg);
            uint64_t seq = journal_append(journal, class, msg);
            cr_assert(seq != 0);
            if (rows[i].wait_every > 0 && at % rows[i].wait_every == 0)
                cr_assert(journal_wait(journal, seq) && journal_durable(journal) >= seq);
            if (rows[i].restart_every > 0 && at % rows[i].restart_every == 50) {
                if (at % 2)
                    (void)finish(journal);
                else
                    journal_abandon(journal);
                journal = start(&options);
            }
        }
        struct journal_summary summary = finish(journal);
        if (i == 0)
            first = summary;
        cr_expect(summary.seq == first.seq, "%s: %lu, not %lu", rows[i].name, summary.seq,
                  first.seq);
        cr_expect(memcmp(summary.hash, first.hash, sizeof first.hash) == 0, "%s", rows[i].name);
        struct reading reading = read_all(&folder, NULL);
        cr_expect(reading.err == WEIR_E_NOT_FOUND && reading.samples == 700 && !reading.different,
                  "%s: %s", rows[i].name, reading.why.text);
        folder_remove(&folder);
    }
}

Test(journal, side_and_meta_records_take_no_number)
{
    struct folder folder = folder_new();
    struct journal_options options = options_of(&folder, SMALL, JOURNAL_NEVER);
    struct journal *journal = start(&options);
    uint64_t expected = 1; /* META_BEGIN */
    for (uint64_t i = 0; i < 30; i++) {
        struct weir_msg *msg;
        enum journal_class class = sample(i, &msg);
        expected += class <= JOURNAL_EFFECT;
        cr_expect(journal_append(journal, class, msg) == expected);
    }
    (void)finish(journal);
    folder_remove(&folder);
}

Test(journal, a_message_too_large_for_a_segment_is_refused_and_the_rest_goes_on)
{
    static _Alignas(8) unsigned char room[SMALL];
    struct weir_msg *msg = (struct weir_msg *)(void *)room;
    *msg = (struct weir_msg){.size = SMALL - 4096, .kind = WEIR_BOOK};
    struct folder folder = folder_new();
    struct journal_options options = options_of(&folder, SMALL, JOURNAL_GROUP);
    struct journal *journal = start(&options);
    struct journal_status status;
    append_samples(journal, 0, 10);
    cr_expect(journal_append(journal, JOURNAL_INPUT, msg) == 0);
    append_samples(journal, 10, 20);
    journal_status(journal, &status);
    cr_expect(status.refused == 1 && status.state == JOURNAL_WELL);
    (void)finish(journal);
    struct reading reading = read_all(&folder, NULL);
    cr_expect(reading.err == WEIR_E_NOT_FOUND && reading.samples == 20, "%s", reading.why.text);
    folder_remove(&folder);
}

Test(journal, one_process_at_a_time_and_the_other_is_told_which)
{
    struct folder folder = folder_new();
    struct journal_options options = options_of(&folder, SMALL, JOURNAL_GROUP);
    struct journal *journal = start(&options), *other = NULL;
    struct why why;
    char pid[32];
    snprintf(pid, sizeof pid, "process %ld", (long)getpid());
    cr_expect(try_start(&options, &other, &why) == WEIR_E_STATE);
    cr_expect(strstr(why.text, pid) && strstr(why.text, folder.path), "%s", why.text);
    (void)finish(journal);
    journal = start(&options); /* and free again */
    (void)finish(journal);

    struct stat stat_of;
    char path[600];
    snprintf(path, sizeof path, "%s/lock", folder.path);
    cr_expect(stat(path, &stat_of) == 0 && (stat_of.st_mode & 0777) == 0600);
    file_name(&folder, 1, path, sizeof path);
    cr_expect(stat(path, &stat_of) == 0 && (stat_of.st_mode & 0777) == 0600);
    cr_expect(chmod(folder.path, 0770) == 0);
    cr_expect(try_start(&options, &other, &why) == WEIR_E_UNSAFE_FILE);
    cr_expect(strstr(why.text, "0770"), "%s", why.text);
    cr_expect(chmod(folder.path, 0700) == 0);
    folder_remove(&folder);

    snprintf(options.segment_bytes ? path : path, sizeof path, "%s/none", folder.path);
    options.folder = path; /* a folder in a folder that is not there */
    cr_expect(try_start(&options, &other, &why) == WEIR_E_IO, "%s", why.text);
}

Test(journal, an_option_out_of_range_is_refused_with_the_range)
{
    struct folder folder = folder_new();
    static const uint64_t sizes[] = {1, 4096, SMALL + 1, (uint64_t)2 << 30};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct journal_options options = options_of(&folder, sizes[i], JOURNAL_GROUP);
        struct journal *journal = NULL;
        struct why why;
        cr_expect(try_start(&options, &journal, &why) == WEIR_E_BAD_CONFIG, "%lu", sizes[i]);
        cr_expect(strstr(why.text, "16384"), "%s", why.text);
    }
    folder_remove(&folder);
}

/* --- killed ----------------------------------------------------------------------------------- */

struct progress {
    uint64_t appended; /* samples whose append returned */
};

static void child_appends_for_ever(const struct journal_options *options, uint64_t from,
                                   struct progress *progress)
{
    struct journal *journal = start(options);
    for (uint64_t i = from;; i++) {
        append_samples(journal, i, i + 1);
        __atomic_store_n(&progress->appended, i + 1, __ATOMIC_SEQ_CST);
    }
}

Test(journal, a_killed_process_loses_nothing_that_was_appended)
{
    struct folder folder = folder_new();
    struct journal_options options = options_of(&folder, 64 << 10, JOURNAL_GROUP);
    struct progress *progress =
        mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t have = 0;
    for (int round = 0; round < 12; round++) {
        progress->appended = have;
        pid_t child = fork();
        cr_assert(child >= 0);
        if (child == 0)
            child_appends_for_ever(&options, have, progress);
        while (__atomic_load_n(&progress->appended, __ATOMIC_SEQ_CST) < have + 20)
            usleep(200);
        usleep((useconds_t)(round * 731 % 4000));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        struct reading reading = read_all(&folder, NULL);
        cr_assert(reading.err == WEIR_E_NOT_FOUND && !reading.different, "round %d: %s", round,
                  reading.why.text);
        cr_assert(reading.samples >= progress->appended, "round %d: %lu of %lu", round,
                  reading.samples, progress->appended);
        have = reading.samples;
    }
    munmap(progress, sizeof *progress);
    folder_remove(&folder);
}

Test(journal, what_a_killed_process_had_reserved_is_given_back)
{
    struct folder folder = folder_new();
    struct journal_options options = options_of(&folder, 1 << 20, JOURNAL_GROUP);
    for (uint64_t i = 0; i < 4; i++) {
        struct journal *journal = start(&options);
        append_samples(journal, i * 10, i * 10 + 10);
        journal_abandon(journal);
    }
    (void)finish(start(&options));
    for (uint32_t segment = 1; segment <= 5; segment++) {
        struct stat stat_of;
        char path[600];
        file_name(&folder, segment, path, sizeof path);
        cr_expect(stat(path, &stat_of) == 0 && stat_of.st_size <= 3 * 4096, "%u: %ld bytes",
                  segment, (long)stat_of.st_size);
    }
    struct reading reading = read_all(&folder, NULL);
    cr_expect(reading.err == WEIR_E_NOT_FOUND && reading.samples == 40, "%s", reading.why.text);
    folder_remove(&folder);
}

/* --- read while written ----------------------------------------------------------------------- */

struct watcher {
    const struct folder *folder;
    uint32_t stop;
    uint64_t passes, most;
    char wrong[1200];
};

static void *watch(void *context)
{
    struct watcher *watcher = context;
    while (!__atomic_load_n(&watcher->stop, __ATOMIC_SEQ_CST)) {
        struct reading reading = read_all(watcher->folder, NULL);
        if (reading.err != WEIR_E_NOT_FOUND || reading.different || reading.samples < watcher->most)
            snprintf(watcher->wrong, sizeof watcher->wrong, "pass %lu, %lu samples: %s",
                     watcher->passes, reading.samples, reading.why.text);
        watcher->most = reading.samples;
        watcher->passes++;
    }
    return NULL;
}

Test(journal, a_reader_of_a_running_journal_sees_a_whole_prefix)
{
    struct folder folder = folder_new();
    struct journal_options options = options_of(&folder, 64 << 10, JOURNAL_GROUP);
    struct journal *journal = start(&options);
    struct watcher watcher = {.folder = &folder};
    pthread_t thread;
    cr_assert(pthread_create(&thread, NULL, watch, &watcher) == 0);
    uint64_t samples = 0;
    while (samples < 6000 ||
           (__atomic_load_n(&watcher.passes, __ATOMIC_SEQ_CST) < 20 && samples < 60000)) {
        append_samples(journal, samples, samples + 50);
        samples += 50;
        usleep(200);
    }
    (void)finish(journal);
    __atomic_store_n(&watcher.stop, 1, __ATOMIC_SEQ_CST);
    pthread_join(thread, NULL);
    cr_expect(watcher.wrong[0] == '\0', "%s", watcher.wrong);
    cr_expect(watcher.passes > 0);
    cr_expect(read_all(&folder, NULL).samples == samples);
    folder_remove(&folder);
}

/* --- going on from a place -------------------------------------------------------------------- */

Test(journal, reading_goes_on_from_any_place_and_after_the_end)
{
    struct folder folder = folder_new();
    struct journal_options options = options_of(&folder, SMALL, JOURNAL_GROUP);
    struct journal *journal = start(&options);
    append_samples(journal, 0, 300);

    struct why why;
    struct reader *reader;
    struct journal_record record;
    struct journal_place places[400];
    size_t count = 0;
    cr_assert(reader_open(folder.path, NULL, &reader, &why) == WEIR_OK);
    while (reader_next(reader, &record, &why) == WEIR_OK)
        places[count++] =
            (struct journal_place){record.segment, record.offset,
                                   record.class <= JOURNAL_EFFECT ? record.seq - 1 : record.seq};
    append_samples(journal, 300, 310); /* asked again, there is more */
    size_t more = 0;
    while (reader_next(reader, &record, &why) == WEIR_OK)
        more++;
    cr_expect(more == 10, "%zu: %s", more, why.text);
    reader_close(reader);

    for (size_t i = 1; i < count; i += 37) {
        struct reader_options from = {.from = places[i]};
        size_t left = 0;
        cr_assert(reader_open(folder.path, &from, &reader, &why) == WEIR_OK, "%s", why.text);
        while (reader_next(reader, &record, &why) == WEIR_OK)
            left++;
        cr_expect(left == count + 10 - i, "from %zu: %zu: %s", i, left, why.text);
        reader_close(reader);
    }
    static const struct journal_place nowhere[] = {
        {99, 4096, 5}, {1, 8, 5}, {1, 4097, 5}, {1, 1 << 30, 5}};
    for (size_t i = 0; i < 4; i++) {
        struct reader_options from = {.from = nowhere[i]};
        cr_expect(reader_open(folder.path, &from, &reader, &why) == WEIR_E_CORRUPT, "%zu", i);
    }
    (void)finish(journal);
    folder_remove(&folder);
}
