/* journal.c - the engine thread appends, the journal thread syncs and makes segments, others wait,
 * ask and read: for the thread sanitizer. Exit 0: all that was appended is read back, and durable
 * never told of more than was appended. An argument is the folder to work in. */
#include "journal/journal.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RECORDS = 20000, SEGMENT = 64 << 10, EACH_WAITS = 500 };

struct run {
    struct journal *journal;
    const char *folder;
    uint64_t appended;
    uint32_t stop;
    int wrong;
};

static _Noreturn void die(const char *what, const char *text)
{
    fprintf(stderr, "race_journal: %s: %s\n", what, text);
    exit(1);
}

/* Asks what any thread may ask, all the time. */
static void *ask(void *context)
{
    struct run *run = context;
    struct journal_status status;
    while (!__atomic_load_n(&run->stop, __ATOMIC_ACQUIRE)) {
        uint64_t durable = journal_durable(run->journal);
        journal_status(run->journal, &status);
        if (status.state != JOURNAL_WELL || status.durable < durable || status.seq < durable)
            run->wrong = 1;
        usleep(50);
    }
    return NULL;
}

/* Reads what is there, as `weir why` would. */
static uint64_t read_once(const struct run *run)
{
    struct why why;
    struct reader *reader;
    struct journal_record record;
    uint64_t count = 0;
    if (reader_open(run->folder, NULL, &reader, &why) != WEIR_OK)
        die("cannot read", why.text);
    enum weir_err err;
    while ((err = reader_next(reader, &record, &why)) == WEIR_OK)
        count += record.class == JOURNAL_INPUT;
    reader_close(reader);
    if (err != WEIR_E_NOT_FOUND)
        die("read", why.text);
    return count;
}

static void *read_on(void *context)
{
    struct run *run = context;
    while (!__atomic_load_n(&run->stop, __ATOMIC_ACQUIRE)) {
        uint64_t least = __atomic_load_n(&run->appended, __ATOMIC_ACQUIRE);
        if (read_once(run) < least)
            die("read", "fewer records than had been appended");
    }
    return NULL;
}

static void append_all(struct run *run)
{
    struct weir_top top = {.msg = {.size = sizeof top, .kind = WEIR_TOP}};
    for (uint64_t i = 0; i < RECORDS; i++) {
        top.seq = i;
        uint64_t seq = journal_append(run->journal, JOURNAL_INPUT, &top.msg);
        if (seq == 0)
            die("append", "refused");
        __atomic_store_n(&run->appended, i + 1, __ATOMIC_RELEASE);
        if (i % EACH_WAITS == 0 &&
            (!journal_wait(run->journal, seq) || journal_durable(run->journal) < seq))
            die("wait", "not durable");
        if (i % 64 == 0)
            usleep(20);
    }
}

static void remove_folder(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    while (dir && (entry = readdir(dir)) != NULL)
        (void)unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
    (void)rmdir(path);
}

int main(int argc, char **argv)
{
    char folder[512];
    struct why why;
    struct journal_lock *lock;
    struct journal_summary summary;
    struct run run = {.folder = folder};
    pthread_t asker, reader;
    snprintf(folder, sizeof folder, "%s/race-journal-XXXXXX", argc > 1 ? argv[1] : ".");
    if (!mkdtemp(folder))
        die("mkdtemp", folder);
    struct journal_options options = {.folder = folder, .segment_bytes = SEGMENT};
    if (journal_lock(folder, &lock, &why) != WEIR_OK ||
        journal_open(&options, lock, NULL, &run.journal, &why) != WEIR_OK)
        die("open", why.text);
    if (pthread_create(&asker, NULL, ask, &run) || pthread_create(&reader, NULL, read_on, &run))
        die("thread", "cannot start");
    append_all(&run);
    __atomic_store_n(&run.stop, 1, __ATOMIC_RELEASE);
    pthread_join(asker, NULL);
    pthread_join(reader, NULL);
    if (journal_close(run.journal, &summary, &why) != WEIR_OK)
        die("close", why.text);
    uint64_t count = read_once(&run);
    remove_folder(folder);
    if (count != RECORDS || summary.inputs != RECORDS || run.wrong)
        die("end", "records or answers are wrong");
    return 0;
}
