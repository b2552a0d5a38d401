/* faults.c - the real host, in a process of its own, whose n-th call to the system fails.
 *
 * usage: fault_loop [--deep] [--only KIND] [--at N]
 *
 * For each kind of call (memory, write, sync, allocate, map, open, rename ...) and for n over all calls
 * of a whole run - start, trading on the simulated exchange, snapshots, index, stop -: the n-th fails
 * once, or from then on; writes are cut short, or interrupted. After each:
 *   - the process ended by itself: in order, or with a refusal; no signal, no abort
 *   - each order that was given to the venue is in the journal, once
 *   - the next start, without faults, goes on with that journal and trades again, and no id is sent twice
 *   - the journal, replayed, gives the same effects
 * A script that a fault ended stays disarmed over the restart, and then nothing is sent.
 * By default n is spread over the run within some seconds; --deep tries each n, --at one. The calls are caught
 * at link time (--wrap): those that the host's own code makes. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "control/host.h"
#include "journal/replay.h"
#include "kill/limits.h"

#define MS ((weir_ns)1000000)

enum call { MEMORY, WRITE, SYNC, ALLOCATE, MAP, OPEN, RENAME, CUT, THREAD, CALLS };
static const char *const call_names[CALLS] = {"memory", "write",  "sync", "allocate", "map",
                                              "open",   "rename", "cut",  "thread"};
static const int call_errors[CALLS] = {ENOMEM, ENOSPC, EIO, ENOSPC, ENOMEM,
                                       EMFILE, EACCES, EIO, EAGAIN};

enum how { ONCE, FROM_THEN_ON, SHORT, INTERRUPTED, HOWS };
static const char *const how_names[HOWS] = {"once", "from then on", "short", "interrupted"};

enum { SENT_MAX = 8192, ENDED = 40 };

/* Shared with the child. */
struct shared {
    uint64_t calls[CALLS];
    uint64_t fail_at; /* from 1; 0: never */
    enum call fail;
    enum how how;
    bool armed;
    uint64_t failed;
    uint64_t sent_count;
    uint64_t sent_unwritten; /* new orders that left although a record was lost */
    char sent[SENT_MAX][WEIR_ID_MAX];
    uint64_t enough; /* a life ends when so many were sent */
    bool ready;      /* reconciled at the end */
    bool disarmed;   /* the script was, at the end */
};

static struct shared *shared;
static struct host *the_host;

/* --- calls that fail ------------------------------------------------------------------------------ */

/* Is it this call's turn? */
static bool fails(enum call call, enum how *how)
{
    if (!shared || !shared->armed)
        return false;
    uint64_t n = __atomic_add_fetch(&shared->calls[call], 1, __ATOMIC_RELAXED);
    if (shared->fail != call || shared->fail_at == 0 || n < shared->fail_at ||
        (n > shared->fail_at && shared->how != FROM_THEN_ON))
        return false;
    __atomic_add_fetch(&shared->failed, 1, __ATOMIC_RELAXED);
    *how = shared->how;
    errno = shared->how == INTERRUPTED ? EINTR : call_errors[call];
    return true;
}

#define WRAP(type, name, call, failure, ...)                               \
    type __real_##name PARAMETERS;                                         \
    type __wrap_##name PARAMETERS;                                         \
    type __wrap_##name PARAMETERS                                          \
    {                                                                      \
        enum how how;                                                      \
        return fails(call, &how) ? (failure) : __real_##name(__VA_ARGS__); \
    }

#define PARAMETERS (size_t size)
WRAP(void *, malloc, MEMORY, NULL, size)
#undef PARAMETERS
#define PARAMETERS (size_t count, size_t size)
WRAP(void *, calloc, MEMORY, NULL, count, size)
#undef PARAMETERS
#define PARAMETERS (void *memory, size_t size)
WRAP(void *, realloc, MEMORY, NULL, memory, size)
#undef PARAMETERS
#define PARAMETERS (size_t alignment, size_t size)
WRAP(void *, aligned_alloc, MEMORY, NULL, alignment, size)
#undef PARAMETERS
#define PARAMETERS (int fd)
WRAP(int, fsync, SYNC, -1, fd)
WRAP(int, fdatasync, SYNC, -1, fd)
#undef PARAMETERS
#define PARAMETERS (void *from, size_t len, int flags)
WRAP(int, msync, SYNC, -1, from, len, flags)
#undef PARAMETERS
#define PARAMETERS (int fd, off_t from, off_t len)
WRAP(int, posix_fallocate, ALLOCATE, errno, fd, from, len)
#undef PARAMETERS
#define PARAMETERS (void *at, size_t len, int protection, int flags, int fd, off_t from)
WRAP(void *, mmap, MAP, MAP_FAILED, at, len, protection, flags, fd, from)
#undef PARAMETERS
#define PARAMETERS (int a, const char *from, int b, const char *to)
WRAP(int, renameat, RENAME, -1, a, from, b, to)
#undef PARAMETERS
#define PARAMETERS (int a, const char *from, int b, const char *to, unsigned flags)
WRAP(int, renameat2, RENAME, -1, a, from, b, to, flags)
#undef PARAMETERS
#define PARAMETERS (int fd, off_t len)
WRAP(int, ftruncate, CUT, -1, fd, len)
#undef PARAMETERS
#define PARAMETERS \
    (pthread_t * thread, const pthread_attr_t *how_, void *(*run)(void *), void *with)
WRAP(int, pthread_create, THREAD, errno, thread, how_, run, with)
#undef PARAMETERS

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    enum how how;
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    return fails(OPEN, &how) ? -1 : __real_open(path, flags, mode);
}

int __real_openat(int folder, const char *path, int flags, ...);
int __wrap_openat(int folder, const char *path, int flags, ...);
int __wrap_openat(int folder, const char *path, int flags, ...)
{
    enum how how;
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    return fails(OPEN, &how) ? -1 : __real_openat(folder, path, flags, mode);
}

ssize_t __real_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_write(int fd, const void *bytes, size_t len)
{
    enum how how = ONCE;
    if (!fails(WRITE, &how))
        return __real_write(fd, bytes, len);
    return how == SHORT && len > 1 ? __real_write(fd, bytes, len / 2) : -1;
}

ssize_t __real_pwrite(int fd, const void *bytes, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    enum how how = ONCE;
    if (!fails(WRITE, &how))
        return __real_pwrite(fd, bytes, len, at);
    return how == SHORT && len > 1 ? __real_pwrite(fd, bytes, len / 2, at) : -1;
}

/* What leaves for the venue is noted where nobody can lose it. */
enum weir_err __real_session_intent(struct session *session, weir_ns now,
                                    const struct weir_intent *intent);
enum weir_err __wrap_session_intent(struct session *session, weir_ns now,
                                    const struct weir_intent *intent);
enum weir_err __wrap_session_intent(struct session *session, weir_ns now,
                                    const struct weir_intent *intent)
{
    if (intent->msg.kind == WEIR_NEW && shared->sent_count < SENT_MAX) {
        memcpy(shared->sent[shared->sent_count++], intent->client_id, WEIR_ID_MAX);
        shared->sent_unwritten += the_host && the_host->unwritten;
    }
    return __real_session_intent(session, now, intent);
}

/* --- one life of a host ------------------------------------------------------------------------------ */

struct trial {
    char folder[64], config[128], journal[128], script[128], log[128];
};

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "faults: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* They rest far away: the market of the next life begins anew, and knows of no execution in this. */
static const char script[] =
    "weir.subscribe{venue = 'sim', symbol = 'BTC-USD', what = 'book'}\n"
    "local last\n"
    "weir.every(1000000, function()\n"
    "  local book, order = weir.book('sim', 'BTC-USD'), last and weir.order(last)\n"
    "  if order and not order.done then weir.cancel(last) end\n"
    "  if book and book.bid then last = weir.submit{venue = 'sim', symbol = 'BTC-USD', side = "
    "'buy',\n"
    "    type = 'limit', tif = 'gtc', price = book.bid - 100, qty = 0.001} end\n"
    "end)\n";

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        give_up(path);
}

static void set_up(struct trial *trial)
{
    char text[4096];
    /* in memory, if it can be: the disk is not what is tried here */
    snprintf(trial->folder, sizeof trial->folder, "%s/weir-faults-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(trial->folder))
        give_up(trial->folder);
    snprintf(trial->config, sizeof trial->config, "%s/weir.yaml", trial->folder);
    snprintf(trial->journal, sizeof trial->journal, "%s/journal", trial->folder);
    snprintf(trial->script, sizeof trial->script, "%s/load.lua", trial->folder);
    snprintf(trial->log, sizeof trial->log, "%s/log", trial->folder);
    snprintf(text, sizeof text,
             "host: {instance: 7, journal: \"%s\", journal_mode: continue, snapshot: 8KiB, "
             "control: \"%s/sock\", disk_floor: 0, stop_wait: 200ms, orders: 1024, executions: "
             "1024, client_ids: 16384}\n"
             "policy: {not_found_after: 300ms, query_first: 20ms, query_most: 200ms}\n"
             "gateway: {port: 0}\n"
             "venues:\n  sim: {plugin: \"%s/plugins/sim.so\", execution: venue, book_window: 4096, "
             "book_far: 64, settings: {latency_us: 1000, balances: \"USD:1000000,BTC:10\"}}\n"
             "limits:\n" LIMITS_NONE("") "scripts:\n  load: {file: \"%s\", callback: 2s, "
                                         "orders_per_second: 100000, isolation: "
                                         "inline}\n",
             trial->journal, trial->folder, BUILD_DIR, trial->script);
    write_file(trial->config, text);
    write_file(trial->script, script);
}

static void empty(const char *folder)
{
    char command[200];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command) != 0)
        give_up(folder);
}

static bool enough(void)
{
    return shared->sent_count >= shared->enough;
}

static int live(const struct trial *trial, weir_ns most)
{
    struct why why = {0};
    struct journal_summary summary;
    struct host_options options = {.run_for = most, .observe = true, .stop_asked = enough};
    struct config *config = config_load(trial->config, &why);
    if (config)
        config->segment =
            64 << 10; /* so that it takes several; no operator may have so small ones */
    struct host *host = config ? host_create(config, &options, &why) : NULL;
    int code = 2;
    the_host = host;
    if (host) {
        code = host_run(host, &why) == WEIR_OK ? 0 : 2;
        shared->ready = !engine_reconciling(host->engine, 1) && engine_venue_up(host->engine, 1);
        shared->disarmed = engine_trading_state(host->engine, SCOPE_strategy, 1) != TRADING_ACTIVE;
        if (host_close_journal(host, &summary, &why) != WEIR_OK)
            code = 1;
        host_destroy(host);
    }
    if (code != 0)
        fprintf(stderr, "ended with %d: %s\n", code, why.text);
    config_destroy(config);
    return code;
}

/* The status of a host that lived in a child. */
static int live_apart(const struct trial *trial, weir_ns most, bool armed)
{
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        give_up("fork");
    if (pid == 0) {
        int log = open(trial->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (log < 0 || dup2(log, 2) < 0)
            _exit(127);
        alarm(20); /* hanging is failing */
        shared->armed = armed;
        int code = live(trial, most);
        shared->armed = false;
        _exit(ENDED + code); /* what else ends a process does so with other codes */
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    shared->armed = false;
    return status;
}

/* --- what must hold ------------------------------------------------------------------------------- */

static bool wrong;

static void complain(const struct trial *trial, uint64_t n, const char *what, const char *detail)
{
    char line[512];
    wrong = true;
    printf("WRONG  %s call %llu fails %s: %s%s%s\n", call_names[shared->fail],
           (unsigned long long)n, how_names[shared->how], what, *detail ? ": " : "", detail);
    FILE *log = fopen(trial->log, "r");
    while (log && fgets(line, sizeof line, log))
        printf("       | %s", line);
    if (log)
        fclose(log);
}

/* How often each of the sent ids is sent as new in the journal; 0: the journal has no segment. */
static bool all_are_journalled(const struct trial *trial, uint64_t sent, char *detail, size_t room)
{
    struct why why;
    struct reader *reader;
    struct journal_record record;
    uint64_t found = 0;
    enum weir_err err = reader_open(trial->journal, NULL, &reader, &why);
    if (err != WEIR_OK) {
        snprintf(detail, room, "%s", why.text);
        return sent == 0;
    }
    while (found < sent && (err = reader_next(reader, &record, &why)) == WEIR_OK) {
        const struct weir_intent *intent = (const struct weir_intent *)(const void *)record.msg;
        if (record.class == JOURNAL_EFFECT && record.msg->kind == WEIR_NEW &&
            strcmp(intent->client_id, shared->sent[found]) == 0)
            found++; /* they leave in the order in which they are journalled */
    }
    reader_close(reader);
    if (found == sent)
        return true;
    snprintf(detail, room, "%s is not there after %llu others (%s)", shared->sent[found],
             (unsigned long long)found, err == WEIR_E_NOT_FOUND ? "read to the end" : why.text);
    return false;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

static const char *sent_twice(void)
{
    static char copy[SENT_MAX][WEIR_ID_MAX];
    memcpy(copy, shared->sent, sizeof copy);
    qsort(copy, shared->sent_count, sizeof copy[0], by_text);
    for (uint64_t i = 1; i < shared->sent_count; i++)
        if (strcmp(copy[i - 1], copy[i]) == 0)
            return copy[i];
    return NULL;
}

static bool ended_well(int status)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == ENDED;
}

static bool ended_by_itself(int status)
{
    return WIFEXITED(status) && WEXITSTATUS(status) >= ENDED && WEXITSTATUS(status) <= ENDED + 2;
}

static void replay_check(const struct trial *trial, uint64_t n)
{
    struct why why;
    struct replay_report report;
    replay_report_init(&report);
    if (journal_replay(trial->journal, true, &report, &why) != WEIR_OK)
        complain(trial, n, "the journal cannot be replayed", why.text);
    else if (report.different)
        complain(trial, n, "the replay differs", text_cstr(&report.recorded));
    replay_report_fini(&report);
}

/* One life with a fault, and one without behind it. False: the fault did not come. */
static bool try_one(const struct trial *trial, enum call call, enum how how, uint64_t n)
{
    char detail[300] = "";
    empty(trial->journal);
    memset(shared, 0, sizeof *shared);
    shared->fail = call;
    shared->how = how;
    shared->fail_at = n;
    shared->enough = 40;
    int status = live_apart(trial, 500 * MS, true);
    bool came = shared->failed > 0;
    uint64_t sent = shared->sent_count;
    if (!ended_by_itself(status))
        complain(trial, n, WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "a strange end", "");
    if (how >= SHORT && came && !ended_well(status))
        complain(trial, n, "it should have been overcome", "");
    if (shared->sent_unwritten > 0)
        complain(trial, n, "new orders left after a record was lost", "");
    if (!all_are_journalled(trial, sent, detail, sizeof detail))
        complain(trial, n, "an order left that the journal does not have", detail);
    shared->fail_at = 0;
    shared->ready = false;
    shared->enough = sent + 3;
    status = live_apart(trial, 5000 * MS, false);
    if (!ended_well(status) || !shared->ready)
        complain(trial, n, "the next start does not trade", shared->ready ? "" : "not reconciled");
    else if (shared->sent_count == sent && !shared->disarmed)
        complain(trial, n, "nothing was sent after the next start", "");
    if (sent_twice())
        complain(trial, n, "sent twice", sent_twice());
    replay_check(trial, n);
    return came;
}

/* --- all of them ------------------------------------------------------------------------------------- */

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The next n: each of the first few, then further and further apart; deep: each. */
static uint64_t after(uint64_t n, bool deep, uint64_t few, uint64_t spread)
{
    return deep || n < few ? n + 1 : n + 1 + n * spread / 8;
}

struct fault {
    enum call call;
    enum how how;
};

/* at: this one only; 0: all. */
static void try_kind(const struct trial *trial, struct fault kind, bool deep, uint64_t at)
{
    static const struct {
        uint64_t few, spread;
    } plan[CALLS] = {[MEMORY] = {1, 24},  [WRITE] = {1, 24}, [SYNC] = {3, 24},
                     [ALLOCATE] = {3, 8}, [MAP] = {2, 16},   [OPEN] = {2, 24},
                     [RENAME] = {3, 16},  [CUT] = {3, 8},    [THREAD] = {5, 8}};
    uint64_t tries = 0, n = at ? at : 1;
    double from = seconds();
    while (try_one(trial, kind.call, kind.how, n)) {
        tries++;
        if (at)
            break;
        n = after(n, deep, plan[kind.call].few, plan[kind.call].spread);
    }
    printf("%-9s %-13s %5llu tried, the last call %llu, %.1f s\n", call_names[kind.call],
           how_names[kind.how], (unsigned long long)tries,
           (unsigned long long)shared->calls[kind.call], seconds() - from);
    if (tries == 0) {
        printf("WRONG  no call of this kind was made\n");
        wrong = true;
    }
}

static size_t kinds_of(const char *only, struct fault *kinds)
{
    size_t count = 0;
    for (enum call call = 0; call < CALLS; call++)
        for (enum how how = 0; how < HOWS; how++)
            if ((!only || strcmp(only, call_names[call]) == 0) && (how < SHORT || call == WRITE))
                kinds[count++] = (struct fault){call, how};
    return count;
}

/* Each has its own folder and takes the next kind of fault that nobody has taken. */
static int work(bool deep, const char *only, uint64_t at, uint64_t *taken)
{
    struct trial trial;
    struct fault kinds[CALLS * HOWS];
    size_t count = kinds_of(only, kinds), i;
    shared = __real_mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                         -1, 0);
    if (shared == MAP_FAILED)
        give_up("mmap");
    set_up(&trial);
    while ((i = __atomic_fetch_add(taken, 1, __ATOMIC_RELAXED)) < count)
        try_kind(&trial, kinds[i], deep, at);
    if (!wrong)
        empty(trial.folder);
    return wrong;
}

enum { WORKERS = 2 };

int main(int argc, char **argv)
{
    static const struct option options[] = {{"deep", no_argument, NULL, 'd'},
                                            {"only", required_argument, NULL, 'o'},
                                            {"at", required_argument, NULL, 'a'},
                                            {0}};
    bool deep = false, bad = false;
    const char *only = NULL;
    uint64_t at = 0;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (c) {
        case 'd': deep = true; break;
        case 'o': only = optarg; break;
        case 'a': at = strtoull(optarg, NULL, 10); break;
        default: fprintf(stderr, "usage: fault_loop [--deep] [--only KIND] [--at N]\n"); return 2;
        }
    setvbuf(stdout, NULL, _IOLBF, 0);
    uint64_t *taken =
        __real_mmap(NULL, sizeof *taken, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (taken == MAP_FAILED)
        give_up("mmap");
    for (int i = 0; i < WORKERS; i++) {
        pid_t pid = fork();
        if (pid < 0)
            give_up("fork");
        if (pid == 0)
            exit(work(deep, only, at, taken));
    }
    for (int i = 0; i < WORKERS; i++) {
        int status = 0;
        bad = wait(&status) < 0 || status != 0 || bad;
    }
    return bad;
}
