/* bench.h - how figures are taken, counted and printed, alike in all benches.
 *
 * A bench is a list of works. A work does one batch of operations on a world of its own, and says how
 * many they were. bench_main() runs the list in one of four ways:
 *
 *   NAME [--rounds N] [WORK...]   figures: all works in turn, again and again, so that what disturbs
 *                                 the machine disturbs all of them; CPU time of the thread; the
 *                                 median of the rounds, the least and the most
 *   NAME --count [WORK...]        what one warm batch asks of the allocator, of locks and of the
 *                                 kernel, counted from outside [bench.c]; exit 1 if a work that is
 *                                 said to be hot asks for anything
 *   NAME --once WORK              one batch between two warm ones, for a profiler: only bench_batch()
 *                                 is the measured part (instructions.sh)
 *   NAME --list                   names of the works, "hot" behind those that are
 *
 * Figures of another kind (durable records, bytes, percentiles) are printed by bench_line() alone. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BENCH_ROUNDS = 15, BENCH_ROUNDS_MAX = 199 };

struct bench_goal {
    double value; /* 0: none */
    bool at_least;
};
#define AT_MOST(x)  ((struct bench_goal){(x), false})
#define AT_LEAST(x) ((struct bench_goal){(x), true})
#define NO_GOAL     ((struct bench_goal){0, false})

struct bench_work {
    const char *name;
    void (*prepare)(void *context); /* before each batch, not measured; NULL: nothing to do */
    uint64_t (*run)(void *context); /* a batch; how many operations it was */
    void *context;
    struct bench_goal goal; /* ns an operation */
    bool hot;               /* may ask for no memory, lock or system call */
};

/* Returns what main() returns. */
int bench_main(int argc, char **argv, const struct bench_work *works, size_t count);

/* Only when figures are taken, after the works; for what is not a time. NULL: nothing. */
extern void (*bench_epilogue)(void);

/* One line of the table: values are sorted; their median, least and most are printed. */
void bench_line(const char *name, double *values, int count, const char *unit,
                struct bench_goal goal);
/* The same for a fact that has no spread. */
void bench_fact(const char *name, double value, const char *unit, struct bench_goal goal);
/* A line over the next ones. */
void bench_title(const char *text);

double bench_cpu_ns(void);  /* of this thread */
double bench_wall_ns(void); /* monotonic */

/* What this thread has asked for so far. */
struct bench_counts {
    uint64_t allocations; /* malloc, calloc, realloc, aligned_alloc, posix_memalign, free */
    uint64_t locks;       /* mutexes, rwlocks, spinlocks, conditions, semaphores */
};
struct bench_counts bench_counted(void);

/* Memory of anonymous pages, touched as they are used; dies when there is none. */
void *bench_pages(size_t bytes);

_Noreturn void bench_die(const char *what, const char *text);

#endif
