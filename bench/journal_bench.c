/* journal_bench.c - what one journal record costs the engine thread, and how soon it is on the disk.
 *
 *   journal_bench [FOLDER]       where to put the journals; default: the present folder
 *
 * append    256 bytes a record (24 of header, 232 of message), thread CPU time, segments and disk as
 *           they come; beside it the floor: memcpy and crc32c of the same bytes into touched memory,
 *           in the same round. Median of the rounds, and the middle half of them.
 * durable   records a second that reached the disk while at most so many were on their way, and how
 *           long one was on its way. Floor: one write of such a record and fdatasync, again and again.
 *           Beside it: SQLite, WAL, synchronous=FULL, a transaction for each row, and for 256 rows.
 * replay    records a second: read and hashed, and fed to a new engine whose effects are compared, of
 *           a journal of best prices and, for each tenth of them, an order. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/hash.h"
#include "bench.h"
#include "journal/engine_home.h"
#include "journal/journal.h"
#include "journal/replay.h"

enum { ROUNDS = 15, RECORDS = 40000, MESSAGE = 256 - RECORD_HEAD, MOST = 400000 };

static _Alignas(64) unsigned char message[MESSAGE];

static double nanoseconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static _Noreturn void die(const char *what, const char *text)
{
    fprintf(stderr, "journal_bench: %s: %s\n", what, text);
    exit(2);
}

/* --- journals --------------------------------------------------------------------------------- */

static char folder[600];

static void remove_journal(void)
{
    char name[700];
    for (int i = 1; i < 100; i++) {
        snprintf(name, sizeof name, "%s/%08d.weir", folder, i);
        unlink(name);
        snprintf(name, sizeof name, "%s/%08d.weir.new", folder, i);
        unlink(name);
    }
    snprintf(name, sizeof name, "%s/lock", folder);
    unlink(name);
    rmdir(folder);
}

static struct journal *open_journal(enum journal_sync sync)
{
    struct why why;
    struct journal *journal;
    struct journal_lock *lock;
    struct journal_options options = {.folder = folder, .sync = sync};
    remove_journal();
    if (journal_lock(folder, &lock, &why) != WEIR_OK ||
        journal_open(&options, lock, NULL, &journal, &why) != WEIR_OK)
        die("cannot begin", why.text);
    return journal;
}

static void wait_for_rest(struct journal *journal, enum journal_sync sync)
{
    struct journal_status status;
    do {
        usleep(1000);
        journal_status(journal, &status);
    } while ((sync != JOURNAL_NEVER && status.lag_bytes > 0) || !status.prepared);
}

static void close_journal(struct journal *journal)
{
    struct why why;
    struct journal_summary summary;
    if (journal_close(journal, &summary, &why) != WEIR_OK)
        die("cannot close", why.text);
    remove_journal();
}

/* --- append ----------------------------------------------------------------------------------- */

static double append_round(struct journal *journal)
{
    double start = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 0; i < RECORDS; i++)
        if (journal_append(journal, JOURNAL_INPUT, (const struct weir_msg *)(void *)message) == 0)
            die("append", "refused");
    return (nanoseconds(CLOCK_THREAD_CPUTIME_ID) - start) / RECORDS;
}

/* room: memory that was touched, and has left the caches since, as a segment's pages have. */
static double floor_round(unsigned char *room, uint32_t *sum)
{
    double start = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 0; i < RECORDS; i++) {
        unsigned char *to = room + (size_t)i * 256;
        memcpy(to + RECORD_HEAD, message, MESSAGE);
        *sum += crc32c(0, to + 8, 256 - 8);
    }
    return (nanoseconds(CLOCK_THREAD_CPUTIME_ID) - start) / RECORDS;
}

static void bench_append(enum journal_sync sync, const char *name)
{
    double append[ROUNDS], floor[ROUNDS], ratio[ROUNDS];
    uint32_t sum = 0;
    size_t bytes = (size_t)RECORDS * 256 * ROUNDS;
    unsigned char *room = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (room == MAP_FAILED)
        die("memory", strerror(errno));
    struct journal *journal = open_journal(sync);
    for (int round = 0; round < ROUNDS; round++) {
        wait_for_rest(journal, sync);
        floor[round] = floor_round(room + (size_t)round * RECORDS * 256, &sum);
        append[round] = append_round(journal);
        ratio[round] = append[round] / floor[round];
    }
    struct journal_status status;
    wait_for_rest(journal, sync);
    journal_status(journal, &status);
    close_journal(journal);
    munmap(room, bytes);
    bench_line(name, append, ROUNDS, "ns a record", AT_MOST(60));
    bench_line("  floor: memcpy + crc32c", floor, ROUNDS, "ns a record", NO_GOAL);
    bench_line("  append / floor", ratio, ROUNDS, "times", NO_GOAL);
    printf("    %llu syncs, %llu segments rolled, %llu of them not ready in time (crc %08x)\n",
           (unsigned long long)status.syncs, (unsigned long long)status.rolls,
           (unsigned long long)status.rolls_unprepared, (unsigned)sum);
}

/* --- durable ---------------------------------------------------------------------------------- */

static void bench_durable(int in_flight, int records)
{
    static double sent[MOST], latency[MOST];
    char name[80];
    struct journal *journal = open_journal(JOURNAL_GROUP);
    wait_for_rest(journal, JOURNAL_GROUP);
    uint64_t first = journal_durable(journal) + 1;
    int done = 0, appended = 0;
    double start = nanoseconds(CLOCK_MONOTONIC);
    while (done < records) {
        if (appended < records && appended - done < in_flight) {
            sent[appended++] = nanoseconds(CLOCK_MONOTONIC);
            if (journal_append(journal, JOURNAL_INPUT, (const struct weir_msg *)(void *)message) ==
                0)
                die("append", "refused");
        }
        int durable = (int)(journal_durable(journal) + 1 - first);
        double now = durable > done ? nanoseconds(CLOCK_MONOTONIC) : 0;
        for (; done < durable; done++)
            latency[done] = now - sent[done];
    }
    double took = nanoseconds(CLOCK_MONOTONIC) - start;
    close_journal(journal);
    qsort(latency, (size_t)records, sizeof *latency, by_size);
    snprintf(name, sizeof name, "durable, up to %d on their way", in_flight);
    bool meant = in_flight == 256; /* the goal is that many a second, half of them within 1 ms */
    bench_fact(name, records / took * 1e9, "records/s", meant ? AT_LEAST(400000) : NO_GOAL);
    bench_fact("  on its way, p50", latency[records / 2] / 1e3, "us",
               meant ? AT_MOST(1000) : NO_GOAL);
    bench_fact("  on its way, p99", latency[records * 99 / 100] / 1e3, "us", NO_GOAL);
}

static void bench_row_by_row(void)
{
    enum { ROWS = 500 };
    char name[700];
    snprintf(name, sizeof name, "%s.rows", folder);
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || posix_fallocate(fd, 0, ROWS * 256) != 0 || fsync(fd) != 0)
        die(name, strerror(errno));
    double start = nanoseconds(CLOCK_MONOTONIC);
    for (int i = 0; i < ROWS; i++)
        if (pwrite(fd, message, MESSAGE, i * 256) != MESSAGE || fdatasync(fd) != 0)
            die(name, strerror(errno));
    double took = nanoseconds(CLOCK_MONOTONIC) - start;
    close(fd);
    unlink(name);
    bench_fact("  floor: pwrite + fdatasync, one by one", ROWS / took * 1e9, "records/s", NO_GOAL);
}

static void sql(sqlite3 *db, const char *text)
{
    if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
        die("sqlite", sqlite3_errmsg(db));
}

static void bench_sqlite(int batch, int rows)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    char name[700], title[80];
    sqlite3 *db;
    sqlite3_stmt *insert;
    snprintf(name, sizeof name, "%s.sqlite", folder);
    if (sqlite3_open(name, &db) != SQLITE_OK)
        die(name, "cannot open");
    sql(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            "CREATE TABLE j(seq INTEGER PRIMARY KEY, kind INTEGER, body BLOB)");
    if (sqlite3_prepare_v2(db, "INSERT INTO j VALUES(?,?,?)", -1, &insert, NULL) != SQLITE_OK)
        die("sqlite", sqlite3_errmsg(db));
    double start = nanoseconds(CLOCK_MONOTONIC);
    for (int i = 0; i < rows;) {
        sql(db, "BEGIN IMMEDIATE");
        for (int end = i + batch; i < end; i++) {
            sqlite3_bind_int(insert, 1, i);
            sqlite3_bind_int(insert, 2, 1);
            sqlite3_bind_blob(insert, 3, message, MESSAGE, SQLITE_STATIC);
            if (sqlite3_step(insert) != SQLITE_DONE)
                die("sqlite", sqlite3_errmsg(db));
            sqlite3_reset(insert);
        }
        sql(db, "COMMIT");
    }
    double took = nanoseconds(CLOCK_MONOTONIC) - start;
    sqlite3_finalize(insert);
    sqlite3_close(db);
    for (size_t i = 0; i < 3; i++) {
        char file[720];
        snprintf(file, sizeof file, "%s%s", name, ends[i]);
        unlink(file);
    }
    snprintf(title, sizeof title, "  SQLite WAL FULL, %d rows a transaction", batch);
    bench_fact(title, rows / took * 1e9, "rows/s", NO_GOAL);
}

/* --- replay ----------------------------------------------------------------------------------- */

struct host {
    struct journal *journal;
    struct engine_home home;
    weir_ns now;
};

static void take(void *context, const struct weir_msg *effect)
{
    struct host *host = context;
    if (journal_append(host->journal, JOURNAL_EFFECT, effect) == 0)
        die("append", "refused");
}

static void give(struct host *host, void *input)
{
    struct weir_msg *msg = input;
    struct effect_sink sink = {take, host};
    msg->venue = msg->account = 1;
    msg->t = host->now += 1000;
    uint64_t seq = journal_append(host->journal, JOURNAL_INPUT, msg);
    if (seq == 0)
        die("append", "refused");
    engine_apply(host->home.engine, msg, seq, &sink);
}

static void give_definitions(struct host *host)
{
    static const struct in_define defines[] = {
        {.msg = {.size = sizeof *defines, .kind = IN_DEFINE_VENUE}, .number = 1, .name = "venue"},
        {.msg = {.size = sizeof *defines, .kind = IN_DEFINE_ACCOUNT},
         .number = 1,
         .parent = 1,
         .name = "main"},
        {.msg = {.size = sizeof *defines, .kind = IN_DEFINE_GROUP}, .number = 1, .name = "all"},
        {.msg = {.size = sizeof *defines, .kind = IN_DEFINE_STRATEGY},
         .number = 1,
         .parent = 1,
         .rights = RIGHT_ORDERS,
         .name = "maker"},
    };
    for (size_t i = 0; i < sizeof defines / sizeof defines[0]; i++) {
        struct in_define define = defines[i];
        give(host, &define);
    }
    struct weir_instrument instrument = {
        .msg = {.size = sizeof instrument, .kind = WEIR_INSTRUMENT, .instrument = 1},
        .symbol = "BTC-USDT",
        .base = "BTC",
        .quote = "USDT",
        .price_exp = 2,
        .qty_exp = 3,
        .multiplier = 1,
        .tick = 1,
        .step = 1};
    give(host, &instrument);
}

static void give_prices_and_orders(struct host *host, int count)
{
    struct weir_top top = {
        .msg = {.size = sizeof top, .kind = WEIR_TOP, .instrument = 1}, .bid_qty = 5, .ask_qty = 5};
    struct in_submit submit = {.msg = {.size = sizeof submit, .kind = IN_SUBMIT, .instrument = 1},
                               .strategy = 1,
                               .px = 3000000,
                               .qty = 1000};
    struct in_change cancel = {.msg = {.size = sizeof cancel, .kind = IN_CANCEL_MANY}};
    for (int i = 0; i < count; i++) {
        top.seq = (uint64_t)i;
        top.bid = 3000000 - i % 7;
        top.ask = 3000100 + i % 5;
        give(host, &top);
        if (i % 10 == 0) {
            submit.route = ROUTE_INTERNAL; /* rests inside, and needs no venue */
            give(host, &submit);
        }
        if (i % 1000 == 0)
            give(host, &cancel);
    }
}

static uint64_t read_back(void)
{
    struct why why;
    struct reader *reader;
    struct journal_record record;
    uint64_t count = 0;
    if (reader_open(folder, NULL, &reader, &why) != WEIR_OK)
        die("cannot read", why.text);
    while (reader_next(reader, &record, &why) == WEIR_OK)
        count++;
    reader_close(reader);
    return count;
}

static void bench_replay(void)
{
    enum { TIMES = 7 };
    double reads[TIMES], replays[TIMES];
    struct why why;
    struct host host = {.now = 1};
    struct engine_sizes sizes = engine_sizes_default();
    struct journal_lock *lock;
    struct journal_summary summary;
    struct journal_options options = {.folder = folder, .sync = JOURNAL_NEVER, .sizes = sizes};
    remove_journal();
    if (engine_home_init(&host.home, &sizes, &why) != WEIR_OK ||
        journal_lock(folder, &lock, &why) != WEIR_OK ||
        journal_open(&options, lock, NULL, &host.journal, &why) != WEIR_OK)
        die("cannot begin", why.text);
    give_definitions(&host);
    give_prices_and_orders(&host, 300000);
    if (journal_close(host.journal, &summary, &why) != WEIR_OK)
        die("cannot close", why.text);
    engine_home_fini(&host.home);
    for (int i = 0; i < TIMES; i++) {
        struct replay_report report;
        double start = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
        double count = (double)read_back();
        reads[i] = count / (nanoseconds(CLOCK_THREAD_CPUTIME_ID) - start) * 1e3;
        replay_report_init(&report);
        start = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
        if (journal_replay(folder, true, &report, &why) != WEIR_OK || report.different)
            die("replay", report.different ? text_cstr(&report.recorded) : why.text);
        replays[i] = count / (nanoseconds(CLOCK_THREAD_CPUTIME_ID) - start) * 1e3;
        replay_report_fini(&report);
    }
    remove_journal();
    bench_line("replay: inputs again, effects compared", replays, TIMES, "M records/s",
               AT_LEAST(1));
    bench_line("  floor: read and hashed", reads, TIMES, "M records/s", NO_GOAL);
}

int main(int argc, char **argv)
{
    snprintf(folder, sizeof folder, "%s/journal-bench", argc > 1 ? argv[1] : ".");
    memset(message, 0x5a, sizeof message);
    ((struct weir_msg *)(void *)message)->size = MESSAGE;
    bench_append(JOURNAL_GROUP, "append, group sync beside it");
    bench_append(JOURNAL_NEVER, "append, no sync");
    bench_row_by_row();
    bench_durable(1, 2000);
    bench_durable(256, 100000);
    bench_durable(1024, 200000);
    bench_durable(4096, MOST);
    bench_sqlite(1, 2000);
    bench_sqlite(256, 51200);
    bench_replay();
    return 0;
}
