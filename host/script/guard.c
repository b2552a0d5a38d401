/* guard.c - one stack, one timer and one place to come back to for each thread.
 *
 * PROMISES (1) Nothing of a run happens after guard_run() has returned. [run_base]
 *          (2) A jump never leaves a lock of ours held or a host call half done. [may_jump]
 *          (3) A run that is within its budget pays for two reads of the time stamp counter, a
 *              _setjmp and a change of stack. [guard_run]
 *          (4) While a run lasts the timer is set, or its handler is running. [guard_run, on_deadline]
 *          (5) A fault that is not a stack overflow of a body goes where it went before us.
 *              [on_fault]
 *
 * The signal handlers run on the alternate stack, with SA_NODEFER and an empty mask, so that leaving
 * them by a jump changes no signal mask: neither _setjmp nor the jump needs a system call. */
#include "script/guard.h"

#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <dlfcn.h>

#include "base/check.h"
#include "base/clock.h"

#if defined __SANITIZE_ADDRESS__
#define WITH_ASAN 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
/* For functions that a jump leaves: they must leave no red zones behind. */
#define NO_ASAN __attribute__((no_sanitize("address")))
#else
#define NO_ASAN
#endif

enum {
    STACK_SIZE = 8 << 20,
    GUARD_SIZE = 1 << 20, /* more than any frame, so that no overflow can step over it */
    HOST_NEEDS = 1 << 20, /* stack that a host call may use */
    ALT_SIZE = 64 << 10,
    RETRY_NS = 100 * 1000, /* the jump was not possible: look again */
    HOOK_NS = 200 * 1000,  /* how long the hook at the next instruction may take to come */
    PERIOD_MIN_NS = 20 * 1000
};

struct thread {
    jmp_buf base;
    volatile sig_atomic_t running;
    volatile sig_atomic_t in_host;
    volatile sig_atomic_t want;
    volatile sig_atomic_t hooked;
    volatile sig_atomic_t armed;
    const struct guard_job *volatile job;
    volatile uint64_t run;     /* number of this run */
    volatile uint64_t started; /* ticks */
    weir_ns period;            /* the timer was armed with this */
    uint64_t seen_run;         /* the run that the timer saw last */
    weir_ns seen_cpu;          /* CPU time of the thread then */
    weir_ns seen_used;         /* what it had used by then */
    volatile weir_ns forgiven; /* of it, since the run began */
    enum guard_end end;
    double tick_ns;
    bool has_timer;
    timer_t timer;
    unsigned char *map; /* guard pages, then the stack */
    unsigned char *stack;
    unsigned char *alt;
    stack_t alt_before;
};

static _Thread_local struct thread *self __attribute__((tls_model("initial-exec")));

struct range {
    uintptr_t from, to;
};
static struct range texts[3]; /* liblua, libc, libm */
static int text_count;
static struct sigaction segv_before, bus_before;
static pthread_key_t at_thread_end;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct why once_why;

/* --- time ------------------------------------------------------------------------------------- */

static uint64_t ticks_base;
static weir_ns ns_base;

static inline uint64_t ticks(void)
{
#if defined __x86_64__
    return __builtin_ia32_rdtsc(); /* invariant on every machine since 2008; only durations count */
#else
    return (uint64_t)clock_stopwatch();
#endif
}

static weir_ns mono(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (weir_ns)t.tv_sec * 1000000000 + t.tv_nsec;
}

static weir_ns cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (weir_ns)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Nanoseconds for each tick, taken over the whole life of the process so far. */
static double tick_ns(void)
{
    uint64_t passed = ticks() - ticks_base;
    return passed > 0 ? (double)(mono() - ns_base) / (double)passed : 1;
}

/* --- the deadline ----------------------------------------------------------------------------- */

static void arm(struct thread *t, weir_ns after)
{
    if (after < PERIOD_MIN_NS)
        after = PERIOD_MIN_NS;
    struct itimerspec when = {{0, 0}, {after / 1000000000, after % 1000000000}};
    t->armed = 1;
    t->period = after;
    timer_settime(t->timer, 0, &when, NULL);
}

/* CPU time of the present run. Before the timer has seen a run for the first time, all its real
 * time counts, but at most the timer's period. */
static weir_ns used_so_far(struct thread *t)
{
    if (t->seen_run != t->run) {
        weir_ns passed = (weir_ns)((double)(ticks() - t->started) * tick_ns());
        weir_ns most = t->job->budget / 8;
        t->seen_run = t->run;
        t->seen_cpu = cpu();
        t->seen_used = passed < most ? passed : most;
    }
    return t->seen_used + cpu() - t->seen_cpu - t->forgiven;
}

static uintptr_t program_counter(const void *context)
{
    const ucontext_t *at = context;
#if defined __x86_64__
    return (uintptr_t)at->uc_mcontext.gregs[REG_RIP];
#elif defined __aarch64__
    return (uintptr_t)at->uc_mcontext.pc;
#else
#error "say here where the program counter of an interrupted thread is"
#endif
}

static bool may_jump(const struct thread *t, const void *context)
{
    uintptr_t pc = program_counter(context);
    for (int i = 0; i < text_count && !t->in_host; i++)
        if (pc >= texts[i].from && pc < texts[i].to)
            return true;
    return false;
}

static NO_ASAN void on_deadline(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    struct thread *t = self;
    int saved = errno;
    if (!t) {
        errno = saved;
        return;
    }
    if (!t->running) {
        t->armed = 0;
        errno = saved;
        return;
    }
    weir_ns left = t->want ? 0 : t->job->budget - used_so_far(t);
    if (left > 0) {
        weir_ns most = t->job->budget / 8, next = t->seen_used < most / 2 ? most : left;
        arm(t, next < left ? next : left);
    } else if (t->in_host) {
        t->want = GUARD_TIME;
        arm(t, RETRY_NS);
    } else if (!t->hooked && t->job->lua && t->job->on_want) {
        t->want = GUARD_TIME;
        t->hooked = 1;
        lua_sethook(t->job->lua, t->job->on_want, LUA_MASKCOUNT, 1);
        arm(t, HOOK_NS);
    } else {
        t->want = GUARD_TIME;
        t->armed = 0;
        if (may_jump(t, context))
            _longjmp(t->base, GUARD_TIME);
        arm(t, RETRY_NS);
    }
    errno = saved;
}

/* --- faults ----------------------------------------------------------------------------------- */

static void pass_on(int number, siginfo_t *info, void *context)
{
    const struct sigaction *before = number == SIGBUS ? &bus_before : &segv_before;
    if (before->sa_flags & SA_SIGINFO) {
        before->sa_sigaction(number, info, context);
    } else if (before->sa_handler != SIG_DFL && before->sa_handler != SIG_IGN) {
        before->sa_handler(number);
    } else {
        struct sigaction plain = {.sa_handler = SIG_DFL};
        sigaction(number, &plain, NULL); /* the faulting instruction runs again, and ends us */
    }
}

static NO_ASAN void on_fault(int number, siginfo_t *info, void *context)
{
    struct thread *t = self;
    if (t && t->running && !t->in_host) {
        const unsigned char *at = info->si_addr;
        if (at >= t->map && at < t->stack)
            _longjmp(t->base, GUARD_STACK);
        if (t->job->autopsy)
            _longjmp(t->base, GUARD_FAULT);
    }
    pass_on(number, info, context);
}

/* --- once ------------------------------------------------------------------------------------- */

struct search {
    uintptr_t lua;
};

/* Keep the executable segment of liblua (by an address in it), libc and libm (by name). */
static int look_at_object(struct dl_phdr_info *object, size_t size, void *context)
{
    (void)size;
    const struct search *search = context;
    const char *slash = strrchr(object->dlpi_name, '/');
    const char *name = slash ? slash + 1 : object->dlpi_name;
    bool wanted = strncmp(name, "libc.so", 7) == 0 || strncmp(name, "libm.so", 7) == 0;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        uintptr_t from = object->dlpi_addr + part->p_vaddr, to = from + part->p_memsz;
        if (part->p_type != PT_LOAD || !(part->p_flags & PF_X))
            continue;
        bool lua = search->lua >= from && search->lua < to && object->dlpi_name[0];
        if ((wanted || lua) && text_count < 3)
            texts[text_count++] = (struct range){from, to};
    }
    return 0;
}

static int deadline_signal(void)
{
    return SIGRTMIN + 3;
}

static void thread_fini(void *thread);

static void init_once(void)
{
    ticks_base = ticks();
    ns_base = mono();
    struct search search = {(uintptr_t)dlsym(RTLD_DEFAULT, "lua_newstate")};
    dl_iterate_phdr(look_at_object, &search);
    if (text_count != 3) {
        because(&once_why, WEIR_E_UNSUPPORTED,
                "scripts need liblua, libc and libm as shared libraries; found %d of 3",
                text_count);
        return;
    }
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTART};
    sigemptyset(&action.sa_mask);
    action.sa_sigaction = on_deadline;
    int failed = sigaction(deadline_signal(), &action, NULL);
    action.sa_sigaction = on_fault;
    failed |= sigaction(SIGSEGV, &action, &segv_before) | sigaction(SIGBUS, &action, &bus_before);
    failed |= pthread_key_create(&at_thread_end, thread_fini);
    if (failed)
        because(&once_why, WEIR_E_IO, "signal handlers for scripts cannot be set: %s",
                strerror(errno));
}

/* --- threads ---------------------------------------------------------------------------------- */

/* A big enough alternate stack that somebody else has set (a sanitizer) serves us too. */
static bool give_alt_stack(struct thread *t)
{
    stack_t ours = {0};
    if (sigaltstack(NULL, &t->alt_before) != 0)
        return false;
    if (!(t->alt_before.ss_flags & SS_DISABLE) && t->alt_before.ss_size >= ALT_SIZE / 2)
        return true;
    t->alt = mmap(NULL, ALT_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (t->alt == MAP_FAILED) {
        t->alt = NULL;
        return false;
    }
    ours.ss_sp = t->alt;
    ours.ss_size = ALT_SIZE;
    return sigaltstack(&ours, NULL) == 0;
}

static bool give_timer(struct thread *t)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = deadline_signal()};
#ifdef sigev_notify_thread_id
    event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
#else
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
#endif
    t->has_timer = timer_create(CLOCK_MONOTONIC, &event, &t->timer) == 0;
    return t->has_timer;
}

static bool give_stack(struct thread *t)
{
    t->map = mmap(NULL, GUARD_SIZE + STACK_SIZE, PROT_NONE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (t->map == MAP_FAILED) {
        t->map = NULL;
        return false;
    }
    t->stack = t->map + GUARD_SIZE;
    return mprotect(t->stack, STACK_SIZE, PROT_READ | PROT_WRITE) == 0;
}

static void thread_fini(void *thread)
{
    struct thread *t = thread;
    if (!t)
        return;
    must(!t->running);
    if (t->has_timer)
        timer_delete(t->timer);
    self = NULL;
    if (t->alt) {
        sigaltstack(&t->alt_before, NULL);
        munmap(t->alt, ALT_SIZE);
    }
    if (t->map)
        munmap(t->map, GUARD_SIZE + STACK_SIZE);
    free(t);
}

void guard_fini(void)
{
    if (!self)
        return;
    pthread_setspecific(at_thread_end, NULL);
    thread_fini(self);
}

enum weir_err guard_ready(struct why *why)
{
    if (self)
        return WEIR_OK;
    pthread_once(&once, init_once);
    if (once_why.err != WEIR_OK) {
        *why = once_why;
        return why->err;
    }
    struct thread *t = calloc(1, sizeof *t);
    if (!t)
        return because(why, WEIR_E_NO_MEMORY, "no memory for the thread of a script");
    if (!give_stack(t) || !give_alt_stack(t) || !give_timer(t) ||
        pthread_setspecific(at_thread_end, t) != 0) {
        because(why, WEIR_E_IO, "a thread cannot be made ready for scripts: %s", strerror(errno));
        thread_fini(t);
        return why->err;
    }
    self = t;
    t->tick_ns = tick_ns();
    return WEIR_OK;
}

/* --- running ---------------------------------------------------------------------------------- */

#ifdef WITH_ASAN
/* The sanitizer must know which stack we are on, and that what was abandoned is no longer there.
 * `fake` is where it keeps frames of the own stack between two runs. */
static _Thread_local void *asan_owner, *asan_fake;
static void asan_leave(const struct thread *t)
{
    __sanitizer_start_switch_fiber(&asan_owner, t->stack, STACK_SIZE);
}
static void asan_arrive(const void **from, size_t *size)
{
    __sanitizer_finish_switch_fiber(asan_fake, from, size);
}
static void asan_return(const struct thread *t, const void *to, size_t size)
{
    bool whole = t->end == GUARD_DONE;
    if (!whole)
        __asan_unpoison_memory_region(
            t->stack, (size_t)((unsigned char *)__builtin_frame_address(0) - t->stack));
    asan_fake = NULL;
    __sanitizer_start_switch_fiber(whole ? &asan_fake : NULL, to, size);
}
static void asan_back(void)
{
    __sanitizer_finish_switch_fiber(asan_owner, NULL, NULL);
}
#endif

/* The lowest frame on the own stack, to which everything that is abandoned comes back. */
static NO_ASAN __attribute__((noinline)) void run_base(struct thread *t)
{
#ifdef WITH_ASAN
    const void *to = NULL;
    size_t size = 0;
    asan_arrive(&to, &size);
#endif
    int end = _setjmp(t->base);
    if (end == 0)
        t->job->body(t->job->arg);
    t->running = 0;
    t->in_host = 0;
    t->end = (enum guard_end)end;
#ifdef WITH_ASAN
    asan_return(t, to, size);
#endif
}

/* Call run_base(t) with the stack pointer at the top of the own stack. */
static NO_ASAN __attribute__((noinline)) void on_own_stack(struct thread *t)
{
    void *top = t->stack + STACK_SIZE - 64;
#if defined __x86_64__
    __asm__ volatile("movq %%rsp, %%rbx\n\t"
                     "movq %[top], %%rsp\n\t"
                     "callq *%[call]\n\t"
                     "movq %%rbx, %%rsp\n\t"
                     : "+D"(t)
                     : [top] "r"(top), [call] "r"(run_base)
                     : "rax", "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "xmm0", "xmm1",
                       "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
                       "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "memory", "cc");
#elif defined __aarch64__
    register struct thread *arg __asm__("x0") = t;
    __asm__ volatile("mov x19, sp\n\t"
                     "mov sp, %[top]\n\t"
                     "blr %[call]\n\t"
                     "mov sp, x19\n\t"
                     : "+r"(arg)
                     : [top] "r"(top), [call] "r"(run_base)
                     : "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12",
                       "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x30", "v0", "v1", "v2",
                       "v3", "v4", "v5", "v6", "v7", "v16", "v17", "v18", "v19", "v20", "v21",
                       "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31",
                       "memory", "cc");
#else
#error "say here how to change the stack"
#endif
}

/* Give the pages that a deep recursion touched back to the system. */
static void clean_stack(struct thread *t)
{
    madvise(t->stack, STACK_SIZE - (64 << 10), MADV_DONTNEED);
}

enum guard_end guard_run(const struct guard_job *job)
{
    struct thread *t = self;
    must(t && !t->running);
    t->job = job;
    t->want = 0;
    t->hooked = 0;
    t->forgiven = 0;
    t->run++;
    t->started = ticks();
    t->running = 1; /* before the question: a timer that runs out now must be set again */
    weir_ns eighth = job->budget / 8;
    if (!t->armed || t->period > eighth + PERIOD_MIN_NS)
        arm(t, eighth);
#ifdef WITH_ASAN
    asan_leave(t);
#endif
    on_own_stack(t);
#ifdef WITH_ASAN
    asan_back();
#endif
    if (job->took_out)
        *job->took_out = (weir_ns)((double)(ticks() - t->started) * t->tick_ns);
    if (t->end != GUARD_DONE) {
        t->tick_ns = tick_ns();
        clean_stack(t);
    }
    return t->end;
}

bool guard_running(void)
{
    return self && self->running;
}

NO_ASAN _Noreturn void guard_abandon(enum guard_end end)
{
    struct thread *t = self;
    must(t && t->running && !t->in_host);
    _longjmp(t->base, (int)end);
}

enum guard_end guard_wanted(void)
{
    const struct thread *t = self;
    return t && !t->in_host ? (enum guard_end)t->want : GUARD_DONE;
}

void guard_host_enter(void)
{
    struct thread *t = self;
    must(t && t->running && !t->in_host);
    guard_poll();
    if ((unsigned char *)__builtin_frame_address(0) < t->stack + HOST_NEEDS)
        guard_abandon(GUARD_STACK);
    t->in_host = 1;
    if (t->want) { /* it came between the question and the door */
        t->in_host = 0;
        guard_abandon((enum guard_end)t->want);
    }
}

void guard_host_leave(void)
{
    struct thread *t = self;
    must(t && t->in_host);
    t->in_host = 0;
    guard_poll();
}

void guard_forgive(weir_ns waited)
{
    struct thread *t = self;
    if (t && t->running && t->in_host && waited > 0)
        t->forgiven += waited;
}
