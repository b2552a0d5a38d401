/* bench.c - rounds, tables, and the counting of what hot paths must not ask for.
 *
 * ALLOCATIONS AND LOCKS  are counted by standing in front of the C library: the functions below are
 *                        those that the whole process finds under these names, and they ask the
 *                        library's own. Each thread has its own count: the journal's thread may lock.
 * SYSTEM CALLS           are counted by a second process that traces the first one (ptrace) and stops
 *                        it at each call into the kernel between two marks. Only the thread that does
 *                        the work is traced; the journal's own thread is none of its business. */
#include "bench.h"

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORKS_MAX = 64, WARM = 2 };

void (*bench_epilogue)(void);

/* --- standing in front of the library ---------------------------------------------------------- */

static _Thread_local uint64_t allocations, locks;

/* A sanitizer stands there itself. */
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__

#define OURS        __attribute__((visibility("default"), used))
#define COUNT(what) ((what)++)

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

OURS void *malloc(size_t size)
{
    COUNT(allocations);
    return __libc_malloc(size);
}
OURS void *calloc(size_t count, size_t size)
{
    COUNT(allocations);
    return __libc_calloc(count, size);
}
OURS void *realloc(void *memory, size_t size)
{
    COUNT(allocations);
    return __libc_realloc(memory, size);
}
OURS void *aligned_alloc(size_t align, size_t size)
{
    COUNT(allocations);
    return __libc_memalign(align, size);
}
OURS int posix_memalign(void **out, size_t align, size_t size)
{
    COUNT(allocations);
    *out = __libc_memalign(align, size);
    return *out ? 0 : ENOMEM;
}
OURS void free(void *memory)
{
    COUNT(allocations);
    __libc_free(memory);
}

/* Each lock of the C library: name, its argument, and where the library's own one is. */
#define LOCKS(X)                                 \
    X(pthread_mutex_lock, pthread_mutex_t *)     \
    X(pthread_mutex_trylock, pthread_mutex_t *)  \
    X(pthread_rwlock_rdlock, pthread_rwlock_t *) \
    X(pthread_rwlock_wrlock, pthread_rwlock_t *) \
    X(pthread_spin_lock, pthread_spinlock_t *)   \
    X(pthread_cond_signal, pthread_cond_t *)     \
    X(pthread_cond_broadcast, pthread_cond_t *)  \
    X(sem_wait, sem_t *)                         \
    X(sem_post, sem_t *)

#define STAND(name, type)                                                     \
    OURS int name(type lock)                                                  \
    {                                                                         \
        static int (*_Atomic own)(type);                                      \
        int (*call)(type) = atomic_load_explicit(&own, memory_order_relaxed); \
        if (!call) {                                                          \
            *(void **)&call = dlsym(RTLD_NEXT, #name);                        \
            atomic_store_explicit(&own, call, memory_order_relaxed);          \
        }                                                                     \
        COUNT(locks);                                                         \
        return call(lock);                                                    \
    }
LOCKS(STAND)

#endif

struct bench_counts bench_counted(void)
{
    return (struct bench_counts){allocations, locks};
}

/* --- small things ------------------------------------------------------------------------------ */

static double ns_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

double bench_cpu_ns(void)
{
    return ns_of(CLOCK_THREAD_CPUTIME_ID);
}

double bench_wall_ns(void)
{
    return ns_of(CLOCK_MONOTONIC);
}

void bench_die(const char *what, const char *text)
{
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, text);
    exit(2);
}

void *bench_pages(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        bench_die("memory", "cannot be had");
    return memory;
}

/* --- the table --------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Three figures that count, however large. */
static const char *figure(double value, char *text, size_t room)
{
    int places = value >= 1000 || value == (double)(int64_t)value ? 0 : value >= 10 ? 1 : 2;
    snprintf(text, room, "%.*f", places, value);
    return text;
}

static void line(const char *name, double middle, const char *spread, const char *unit,
                 struct bench_goal goal)
{
    char value[32], wanted[48] = "", bound[32];
    const char *verdict = "";
    if (goal.value != 0) {
        bool kept = goal.at_least ? middle >= goal.value : middle <= goal.value;
        snprintf(wanted, sizeof wanted, "%s %s",
                 goal.at_least ? ">=" : "<=", figure(goal.value, bound, sizeof bound));
        verdict = kept ? "  ok" : "  MISSED";
    }
    printf("  %-50s %10s  %-22s %-12s %-10s%s\n", name, figure(middle, value, sizeof value), spread,
           unit, wanted, verdict);
    fflush(stdout);
}

void bench_line(const char *name, double *values, int count, const char *unit,
                struct bench_goal goal)
{
    char least[32], most[32], spread[80];
    qsort(values, (size_t)count, sizeof *values, by_value);
    snprintf(spread, sizeof spread, "[%s .. %s]", figure(values[0], least, sizeof least),
             figure(values[count - 1], most, sizeof most));
    line(name, values[count / 2], spread, unit, goal);
}

void bench_fact(const char *name, double value, const char *unit, struct bench_goal goal)
{
    line(name, value, "", unit, goal);
}

void bench_title(const char *text)
{
    printf("%s\n", text);
}

/* --- batches ----------------------------------------------------------------------------------- */

#ifdef __clang__
#define APART __attribute__((noinline))
#else
#define APART __attribute__((noipa))
#endif

/* What a profiler looks at: nothing is measured outside of it. */
APART static uint64_t bench_batch(const struct bench_work *work)
{
    return work->run(work->context);
}

static void prepare(const struct bench_work *work)
{
    if (work->prepare)
        work->prepare(work->context);
}

static void warm(const struct bench_work *work)
{
    for (int i = 0; i < WARM; i++) {
        prepare(work);
        (void)work->run(work->context);
    }
    prepare(work);
}

static void take_figures(const struct bench_work **works, size_t count, int rounds)
{
    static double values[WORKS_MAX][BENCH_ROUNDS_MAX];
    for (size_t w = 0; w < count; w++)
        warm(works[w]);
    for (int round = 0; round < rounds; round++)
        for (size_t w = 0; w < count; w++) {
            prepare(works[w]);
            double from = bench_cpu_ns();
            uint64_t done = bench_batch(works[w]);
            values[w][round] = (bench_cpu_ns() - from) / (double)done;
        }
    for (size_t w = 0; w < count; w++)
        bench_line(works[w]->name, values[w], rounds, "ns", works[w]->goal);
    if (bench_epilogue)
        bench_epilogue();
}

static void run_once(const struct bench_work *work)
{
    warm(work);
    printf("operations %" PRIu64 "\n", bench_batch(work));
}

/* --- counting from outside ------------------------------------------------------------------- */

enum { MARK_BEGIN = 990001, MARK_END = 990002 }; /* system calls that no kernel has */

/* In the traced process: a warm batch between two marks. */
static void counted_batch(const struct bench_work *work)
{
    warm(work);
    struct bench_counts before = bench_counted();
    (void)syscall(MARK_BEGIN);
    uint64_t done = bench_batch(work);
    (void)syscall(MARK_END);
    struct bench_counts after = bench_counted();
    uint64_t allocated = after.allocations - before.allocations,
             locked = after.locks - before.locks;
    printf("  %-50s %10" PRIu64 " %12" PRIu64 " %8" PRIu64, work->name, done, allocated, locked);
    fflush(stdout);
    _exit(work->hot && allocated + locked > 0 ? 1 : 0);
}

/* Runs the traced process to its end; counts its calls between the marks. -1: cannot be traced. */
static int64_t count_calls(pid_t traced, int *status_out)
{
    int64_t calls = 0;
    bool between = false;
    int deliver = 0;
    if (waitpid(traced, status_out, 0) < 0 || !WIFSTOPPED(*status_out) ||
        ptrace(PTRACE_SETOPTIONS, traced, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) != 0)
        return -1;
    for (;;) {
        if (ptrace(PTRACE_SYSCALL, traced, 0, deliver) != 0 || waitpid(traced, status_out, 0) < 0)
            return -1;
        if (WIFEXITED(*status_out) || WIFSIGNALED(*status_out))
            return calls;
        deliver = WSTOPSIG(*status_out) == (SIGTRAP | 0x80) ? 0 : WSTOPSIG(*status_out);
        struct __ptrace_syscall_info info;
        if (deliver || ptrace(PTRACE_GET_SYSCALL_INFO, traced, sizeof info, &info) < 0 ||
            info.op != PTRACE_SYSCALL_INFO_ENTRY)
            continue;
        if (info.entry.nr == MARK_BEGIN || info.entry.nr == MARK_END)
            between = info.entry.nr == MARK_BEGIN;
        else
            calls += between;
    }
}

/* 0: it asked for nothing, or may. */
static int count_one(const struct bench_work *work)
{
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child < 0)
        bench_die("fork", strerror(errno));
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, 0, 0) == 0)
            raise(SIGSTOP);
        counted_batch(work);
    }
    int64_t calls = count_calls(child, &status);
    if (calls < 0) {
        printf("  %-50s not counted: this system does not let a process be traced\n", work->name);
        return 0;
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
        bench_die(work->name, "the counted process died");
    bool wrong = WEXITSTATUS(status) != 0 || (work->hot && calls > 0);
    printf(" %13" PRId64 "%s\n", calls, !work->hot ? "" : wrong ? "  MISSED" : "  ok");
    return wrong;
}

static int count_all(const struct bench_work **works, size_t count)
{
    int wrong = 0;
    printf("  %-50s %10s %12s %8s %13s\n", "", "operations", "allocations", "locks",
           "system calls");
    for (size_t w = 0; w < count; w++)
        wrong |= count_one(works[w]);
    return wrong;
}

/* --- the door ------------------------------------------------------------------------------------ */

static bool is_chosen(const char *name, int argc, char **argv, int from)
{
    for (int i = from; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return true;
    return from >= argc;
}

static size_t choose(const struct bench_work *works, size_t count, int argc, char **argv, int from,
                     const struct bench_work **chosen)
{
    size_t taken = 0;
    if (count > WORKS_MAX)
        bench_die("too many works", works[WORKS_MAX].name);
    for (size_t w = 0; w < count; w++)
        if (is_chosen(works[w].name, argc, argv, from))
            chosen[taken++] = &works[w];
    if (taken == 0)
        bench_die("no such work; try --list", argv[from]);
    return taken;
}

int bench_main(int argc, char **argv, const struct bench_work *works, size_t count)
{
    const struct bench_work *chosen[WORKS_MAX];
    const char *mode = argc > 1 ? argv[1] : "";
    long rounds = BENCH_ROUNDS;
    int from = 1;

    if (strcmp(mode, "--list") == 0) {
        for (size_t w = 0; w < count; w++)
            printf("%s%s\n", works[w].name, works[w].hot ? "\thot" : "");
        return 0;
    }
    if (strcmp(mode, "--count") == 0)
        return count_all(chosen, choose(works, count, argc, argv, 2, chosen));
    if (strcmp(mode, "--once") == 0) {
        (void)choose(works, count, argc, argv, 2, chosen);
        run_once(chosen[0]);
        return 0;
    }
    if (strcmp(mode, "--rounds") == 0 && argc > 2) {
        rounds = strtol(argv[2], NULL, 10);
        from = 3;
    }
    if (rounds < 1 || rounds > BENCH_ROUNDS_MAX || (from < argc && argv[from][0] == '-'))
        bench_die("expected",
                  "[--rounds 1..199] [WORK...] | --count [WORK...] | --once WORK | --list");
    size_t taken = choose(works, count, argc, argv, from, chosen);
    if (taken < count)
        bench_epilogue = NULL;
    take_figures(chosen, taken, (int)rounds);
    return 0;
}
