/* disk_test.c - a disk that fails: nothing is called durable that is not, nothing appended is lost. */
#include "journal/support_journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SMALL = 16 << 10, SAMPLES = 160 };

static const unsigned char other_boot[BOOT_ID_BYTES] = {9};

/* A disk that keeps what was synced, and nothing else, in a folder of its own: what a power loss
 * would leave. */
struct shadow {
    struct bad_disk disk; /* first: the context of all calls */
    struct folder folder;
    int (*sync)(void *context, void *map, uint64_t from, uint64_t bytes);
};

static int shadow_sync(void *context, void *map, uint64_t from, uint64_t bytes)
{
    struct shadow *shadow = context;
    unsigned char copy[SMALL];
    char name[32];
    memcpy(copy, map, bytes); /* what the disk sees is from before the call returned */
    int error = shadow->sync(context, map, from, bytes);
    if (error != 0)
        return error;
    snprintf(name, sizeof name, "%08u.weir", ((struct segment_head *)(void *)copy)->id.number);
    file_put(&shadow->folder, name, copy, bytes);
    return 0;
}

static void shadow_init(struct shadow *shadow, int fail_at, bool for_ever)
{
    bad_disk_init(&shadow->disk, fail_at, for_ever);
    shadow->sync = shadow->disk.io.sync;
    shadow->disk.io.sync = shadow_sync;
    shadow->folder = folder_new();
}

struct run {
    uint64_t appended; /* samples that were taken */
    uint64_t durable;
    enum journal_state state;
    bool closed;
    bool waited_in_vain;
};

/* Append samples until one is refused; wait for the disk now and then, as `always` would. */
static void run(const struct journal_options *options, struct run *run)
{
    struct why why;
    struct journal *journal = NULL;
    struct journal_summary summary;
    *run = (struct run){.state = JOURNAL_FAILED};
    if (try_start(options, &journal, &why) != WEIR_OK)
        return;
    for (uint64_t i = 0; i < SAMPLES; i++) {
        struct weir_msg *msg;
        enum journal_class class = sample(i, &msg);
        uint64_t seq = journal_append(journal, class, msg);
        if (seq == 0)
            break;
        run->appended = i + 1;
        if (i % 16 == 15 && !journal_wait(journal, seq)) {
            run->waited_in_vain = true;
            cr_assert(!journal_before_send(journal, seq), "new risk after a failure");
        }
    }
    run->durable = journal_durable(journal);
    run->state = journal_state(journal);
    run->closed = journal_close(journal, &summary, &why) == WEIR_OK;
}

static void check_run(const char *name, const struct shadow *shadow, const struct folder *folder,
                      const struct run *run)
{
    if (run->appended > 0 && shadow->disk.failed && !run->closed)
        cr_assert(run->state == JOURNAL_FAILED || run->durable > 0, "%s", name);
    if (run->waited_in_vain)
        cr_assert(run->state == JOURNAL_FAILED && !run->closed, "%s: durable again", name);

    struct reading killed = read_all(folder, NULL); /* memory is still there */
    cr_assert(killed.err == WEIR_E_NOT_FOUND && !killed.different, "%s: %s", name, killed.why.text);
    cr_assert(killed.samples == run->appended, "%s: %lu of %lu", name, killed.samples,
              run->appended);

    struct reading lost = read_all(&shadow->folder, other_boot); /* only what was synced is */
    cr_assert(lost.err == WEIR_E_NOT_FOUND && !lost.different, "%s: after a power loss: %s", name,
              lost.why.text);
    cr_assert(lost.extent.end.seq >= run->durable, "%s: durable %lu, on the disk %lu", name,
              run->durable, lost.extent.end.seq);
    cr_assert(!run->closed || lost.samples == run->appended, "%s: closed and not whole", name);
}

/* The journal that is left goes on, on a good disk. */
static void check_again(const char *name, const struct folder *folder, uint64_t have)
{
    struct journal_options options = options_of(folder, SMALL, JOURNAL_GROUP);
    struct journal *journal = start(&options);
    append_samples(journal, have, have + 10);
    (void)finish(journal);
    struct reading reading = read_all(folder, NULL);
    cr_assert(reading.err == WEIR_E_NOT_FOUND && reading.samples == have + 10, "%s: %s", name,
              reading.why.text);
}

static void fail_each_call(bool for_ever)
{
    int clean = 0;
    for (int n = 1; clean < 3; n++) {
        cr_assert(n < 2000);
        struct shadow shadow;
        struct folder folder = folder_new();
        char name[96];
        shadow_init(&shadow, n, for_ever);
        struct journal_options options = options_of(&folder, SMALL, JOURNAL_GROUP);
        options.io = &shadow.disk.io;
        struct run result;
        run(&options, &result);
        snprintf(name, sizeof name, "call %d (%s) fails %s", n,
                 shadow.disk.failed ? shadow.disk.failed : "none",
                 for_ever ? "and all after" : "once");
        check_run(name, &shadow, &folder, &result);
        check_again(name, &folder, result.appended);
        clean += shadow.disk.failed == NULL;
        folder_remove(&folder);
        folder_remove(&shadow.folder);
    }
}

Test(disk, any_call_that_fails_once_leaves_no_false_durability)
{
    fail_each_call(false);
}

Test(disk, any_call_that_fails_from_then_on_leaves_no_false_durability)
{
    fail_each_call(true);
}

/* fsync said no once; that it says yes later means nothing. */
Test(disk, a_failed_sync_is_for_ever)
{
    struct shadow shadow;
    struct folder folder = folder_new();
    shadow_init(&shadow, 0, false);
    struct journal_options options = options_of(&folder, 1 << 20, JOURNAL_ALWAYS);
    options.segment_bytes = SMALL;
    options.io = &shadow.disk.io;
    struct journal *journal = start(&options);
    struct weir_msg *msg;
    enum journal_class class = sample(0, &msg);
    uint64_t first = journal_append(journal, class, msg);
    cr_expect(journal_before_send(journal, first));
    struct journal_status status;
    do
        journal_status(journal, &status);
    while (status.lag_bytes > 0 || !status.prepared); /* only syncs are left to fail */
    shadow.disk.fail_at = __atomic_load_n(&shadow.disk.calls, __ATOMIC_SEQ_CST) + 1;
    uint64_t durable = journal_durable(journal);
    for (int i = 0; i < 40; i++) {
        uint64_t seq = journal_append(journal, JOURNAL_INPUT, msg);
        cr_expect(seq != 0); /* still written: it survives our death */
        if (journal_before_send(journal, seq))
            durable = seq; /* the failing call may have been one that looks at the disk */
        else
            cr_expect(journal_state(journal) == JOURNAL_FAILED);
    }
    journal_status(journal, &status);
    cr_expect(status.state == JOURNAL_FAILED &&
                  strstr(status.reason, "sync of 00000001.weir failed"),
              "%s", status.reason);
    cr_expect(journal_durable(journal) == durable);
    struct why why;
    struct journal_summary summary;
    cr_expect(journal_close(journal, &summary, &why) == WEIR_E_IO);
    cr_expect(strstr(why.text, "sync of"), "%s", why.text);
    cr_expect(read_all(&folder, NULL).extent.closed == false);
    folder_remove(&folder);
    folder_remove(&shadow.folder);
}

static enum journal_state state_within(struct journal *journal, enum journal_state wanted)
{
    for (int i = 0; i < 300 && journal_state(journal) != wanted; i++)
        usleep(10000);
    return journal_state(journal);
}

Test(disk, below_the_floor_new_risk_stops_and_records_go_on)
{
    struct bad_disk disk;
    struct folder folder = folder_new();
    bad_disk_init(&disk, 0, false);
    disk.room = 100 << 20;
    struct journal_options options = options_of(&folder, SMALL, JOURNAL_GROUP);
    options.io = &disk.io;
    options.disk_floor = 10 << 20;
    struct journal *journal = start(&options);
    cr_expect(journal_state(journal) == JOURNAL_WELL);
    __atomic_store_n(&disk.room, (10 << 20) - 1, __ATOMIC_SEQ_CST);
    cr_expect(state_within(journal, JOURNAL_LOW) == JOURNAL_LOW);
    struct journal_status status;
    journal_status(journal, &status);
    cr_expect(strstr(status.reason, "10485759 bytes of the disk are free, the floor is 10485760"),
              "%s", status.reason);
    append_samples(journal, 0, 200);
    cr_expect(journal_wait(journal, status.seq + 1));
    __atomic_store_n(&disk.room, (10 << 20) + SMALL, __ATOMIC_SEQ_CST);
    cr_expect(state_within(journal, JOURNAL_WELL) == JOURNAL_WELL);
    (void)finish(journal);
    folder_remove(&folder);
}

/* The disk is full: what is there is filled to its end, and then nothing is pretended. */
Test(disk, without_a_next_segment_new_risk_stops_before_the_last_room_is_used)
{
    struct bad_disk disk;
    struct folder folder = folder_new();
    bad_disk_init(&disk, 0, false);
    struct journal_options options = options_of(&folder, SMALL, JOURNAL_GROUP);
    options.io = &disk.io;
    struct journal *journal = start(&options);
    struct journal_status status;
    do
        journal_status(journal, &status);
    while (!status.prepared);
    disk.for_ever = true;
    __atomic_store_n(&disk.fail_at, __atomic_load_n(&disk.calls, __ATOMIC_SEQ_CST) + 1,
                     __ATOMIC_SEQ_CST);
    disk.io.sync = journal_io_real.sync;
    uint64_t taken = 0;
    for (;; taken++) {
        struct weir_msg *msg;
        enum journal_class class = sample(taken, &msg);
        if (journal_append(journal, class, msg) == 0)
            break;
        if (taken == 60) /* in the second segment by now, and there will be no third */
            cr_expect(state_within(journal, JOURNAL_LOW) == JOURNAL_LOW);
    }
    cr_expect(taken > 80 && journal_state(journal) == JOURNAL_FAILED);
    struct weir_msg tick = {.size = sizeof tick, .kind = IN_TICK};
    cr_expect(journal_append(journal, JOURNAL_INPUT, &tick) == 0, "a record after a hole");
    journal_abandon(journal);
    struct reading reading = read_all(&folder, NULL);
    cr_expect(reading.err == WEIR_E_NOT_FOUND && reading.samples == taken, "%s", reading.why.text);
    check_again("full", &folder, taken);
    folder_remove(&folder);
}

/* --- folders ---------------------------------------------------------------------------------- */

Test(disk, a_folder_that_cannot_be_used_is_refused_by_name_and_reason)
{
    struct folder folder = folder_new(), file, deep, nowhere = {"/proc/weir-journal"};
    struct why why;
    struct journal_lock *lock;
    file_write(&folder, "file", (const unsigned char *)"x", 1);
    snprintf(file.path, sizeof file.path, "%.200s/file", folder.path);
    snprintf(deep.path, sizeof deep.path, "%.200s/no/such", folder.path);
    const struct {
        const struct folder *folder;
        const char *text;
    } rows[] = {{&file, "cannot open the journal folder: Not a directory"},
                {&deep, "cannot make the journal folder: No such file or directory"},
                {&nowhere, "cannot make the journal folder: "}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum weir_err err = journal_lock(rows[i].folder->path, &lock, &why);
        cr_expect(err == WEIR_E_IO, "%s", rows[i].folder->path);
        cr_expect(strstr(why.text, rows[i].text) && strstr(why.text, rows[i].folder->path), "%s",
                  why.text);
    }
    cr_assert(chmod(folder.path, 0500) == 0);
    if (geteuid() != 0) { /* nothing is read-only for root */
        cr_expect(journal_lock(folder.path, &lock, &why) == WEIR_E_IO);
        cr_expect(strstr(why.text, "cannot open the journal's lock: Permission denied"), "%s",
                  why.text);
    }
    cr_assert(chmod(folder.path, 0777) == 0);
    cr_expect(journal_lock(folder.path, &lock, &why) == WEIR_E_UNSAFE_FILE);
    cr_expect(strstr(why.text, "mode 0777, expected 0700"), "%s", why.text);
    cr_assert(chmod(folder.path, 0700) == 0);
    folder_remove(&folder);
}
