/* jail.c - the filter of a checked plugin, and what each kind of its death is called. */
#include "control/kit/jail.h"

#include <dlfcn.h>
#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "control/kit/border.h"
#include "control/kit/kit.h"

static int pipe_out = -1; /* of this child; -1: no child */

/* What runs while the process dies is not instrumented: a sanitizer would want to know of each function that
 * does not return where the stack is, and asks the kernel, which is not allowed here. */
#define DYING __attribute__((no_sanitize("address")))

bool kit_jail_sanitized(void)
{
    return dlsym(RTLD_DEFAULT, "__asan_init") != NULL;
}

/* --- death -------------------------------------------------------------------------------------- */

__attribute__((format(printf, 1, 2))) DYING static _Noreturn void die(const char *format, ...)
{
    struct kit_finding finding = {.result = KIT_FAIL};
    const char *where = border_running();
    int len = snprintf(finding.reason, sizeof finding.reason, "%s ", where ? where : "the kit");
    va_list args;
    va_start(args, format);
    vsnprintf(finding.reason + len, sizeof finding.reason - (size_t)len, format, args);
    va_end(args);
    ssize_t put = write(pipe_out, &finding, sizeof finding);
    _exit(put == (ssize_t)sizeof finding ? 0 : 1);
}

/* What was to be written to standard error: a failed assertion, or what libc finds wrong in its memory. */
DYING static void last_words(const void *context, int call, char *out, size_t room)
{
    out[0] = '\0';
#if defined __x86_64__
    const greg_t *at = ((const ucontext_t *)context)->uc_mcontext.gregs;
    struct iovec one = {(void *)at[REG_RSI], (size_t)at[REG_RDX]};
    const struct iovec *parts = call == SCMP_SYS(writev) ? one.iov_base : &one;
    size_t count = call == SCMP_SYS(writev) ? one.iov_len : 1, len = 0;
    if ((call != SCMP_SYS(writev) && call != SCMP_SYS(write)) || at[REG_RDI] != STDERR_FILENO)
        return;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < parts[i].iov_len && len + 1 < room; k++) {
            char c = ((const char *)parts[i].iov_base)[k];
            out[len++] = c >= ' ' && c <= '~' ? c : ' ';
        }
    out[len] = '\0';
#else
    (void)context;
    (void)call;
    (void)room;
#endif
}

DYING static void on_forbidden(int number, siginfo_t *info, void *context)
{
    (void)number;
    char words[KIT_REASON_MAX / 2];
    char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, info->si_syscall);
    last_words(context, info->si_syscall, words, sizeof words);
#if defined __x86_64__
    if (words[0] &&
        kit_jail_sanitized()) { /* its report begins; what it is of comes by a function */
        ((ucontext_t *)context)->uc_mcontext.gregs[REG_RAX] = (greg_t)strlen(words);
        if (memcmp(words, "====", 4) == 0)
            return;
    }
#endif
    if (words[0])
        die("wrote to standard error: %s", words);
    die("made the system call %s: a plugin computes, and asks the host for all else",
        name ? name : "?");
}

/* Did it ask the processor for the time, which is switched off here (the vDSO does so too)? */
DYING static bool read_the_clock(const void *context)
{
#if defined __x86_64__
    const ucontext_t *at = context;
    const unsigned char *code = (const unsigned char *)at->uc_mcontext.gregs[REG_RIP];
    static const unsigned char rdtsc[] = {0x0f, 0x31}, rdtscp[] = {0x0f, 0x01, 0xf9};
    return code &&
           (memcmp(code, rdtsc, sizeof rdtsc) == 0 || memcmp(code, rdtscp, sizeof rdtscp) == 0);
#else
    (void)context;
    return false;
#endif
}

DYING static void on_fault(int number, siginfo_t *info, void *context)
{
    if (number == SIGSEGV && info->si_code == SI_KERNEL && read_the_clock(context))
        die("looked at the clock: the time is an argument of each call");
    enum border_place place = border_place_of(info->si_addr);
    if (number != SIGSEGV && number != SIGBUS)
        die("died of signal %d (%s)", number, strsignal(number));
    if (place == BORDER_BEHIND_END)
        die("read behind the end of what it was given");
    if (place == BORDER_KEPT)
        die("used a pointer of an earlier call: what it points to is gone when the call returns");
    die("died of signal %d (%s) at address %p", number, strsignal(number), info->si_addr);
}

DYING static void on_tick(int number)
{
    (void)number;
    if (border_running_ns() > KIT_CALL_SECONDS * (int64_t)1000000000)
        die("has not come back after %d s of CPU time", KIT_CALL_SECONDS);
}

/* The run time of the address sanitizer calls this, if it is there, before it writes its report. */
__attribute__((visibility("default"))) void __asan_on_error(void);
__attribute__((visibility("default"))) DYING void __asan_on_error(void)
{
    typedef const char *describe(void);
    void *found = dlsym(RTLD_DEFAULT, "__asan_get_report_description");
    describe *text;
    memcpy(&text, &found, sizeof text);
    if (pipe_out >= 0)
        die("did what the address sanitizer calls %s", text ? text() : "an error");
}

static bool handle_deaths(void)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    static char stack[64 << 10];
    struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    struct sigaction forbidden = {.sa_sigaction = on_forbidden, .sa_flags = SA_SIGINFO};
    struct sigaction tick = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
    struct itimerval each = {{0, 250000}, {0, 250000}};
    bool well = sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL) == 0;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        well &= sigaction(faults[i], &fault, NULL) == 0;
    return well && sigaction(SIGSYS, &forbidden, NULL) == 0 &&
           sigaction(SIGPROF, &tick, NULL) == 0 && setitimer(ITIMER_PROF, &each, NULL) == 0;
}

/* --- the filter --------------------------------------------------------------------------------- */

static const int plain_calls[] = {SCMP_SYS(exit),           SCMP_SYS(exit_group),
                                  SCMP_SYS(rt_sigreturn),   SCMP_SYS(munmap),
                                  SCMP_SYS(madvise),        SCMP_SYS(brk),
                                  SCMP_SYS(mremap),         SCMP_SYS(sysinfo) /* qsort */,
                                  SCMP_SYS(getpid),         SCMP_SYS(gettid),
                                  SCMP_SYS(rt_sigprocmask), SCMP_SYS(tgkill) /* abort */};
/* A sanitizer's run time reads its maps, and waits for its own locks. */
static const int sanitizer_calls[] = {
    SCMP_SYS(getpid),       SCMP_SYS(gettid),         SCMP_SYS(sched_yield), SCMP_SYS(sigaltstack),
    SCMP_SYS(getrlimit),    SCMP_SYS(rt_sigaction),   SCMP_SYS(prlimit64),   SCMP_SYS(futex),
    SCMP_SYS(newfstatat),   SCMP_SYS(rt_sigprocmask), SCMP_SYS(readlink),    SCMP_SYS(read),
    SCMP_SYS(clock_gettime)};

static int add_calls(scmp_filter_ctx filter, const int *calls, size_t count)
{
    int failed = 0;
    for (size_t i = 0; i < count; i++)
        failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
    return failed;
}

static int add_rules(scmp_filter_ctx filter, int out)
{
    int failed = add_calls(filter, plain_calls, sizeof plain_calls / sizeof plain_calls[0]);
    if (kit_jail_sanitized())
        failed |=
            add_calls(filter, sanitizer_calls, sizeof sanitizer_calls / sizeof sanitizer_calls[0]);
    const struct scmp_arg_cmp cpu_clock = {0, SCMP_CMP_EQ, CLOCK_THREAD_CPUTIME_ID, 0};
    const struct scmp_arg_cmp verdict = {0, SCMP_CMP_EQ, (scmp_datum_t)out, 0};
    const struct scmp_arg_cmp no_code = {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0};
    const struct scmp_arg_cmp no_file = {3, SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS};
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(write), 1, verdict);
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clock_gettime), 1, cpu_clock);
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2, no_code, no_file);
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, no_code);
    return failed;
}

/* A sanitizer's report goes to standard error, whatever its options say: there it is caught. */
static void reports_to_us(void)
{
    typedef void set(void *descriptor);
    void *found = dlsym(RTLD_DEFAULT, "__sanitizer_set_report_fd");
    set *set_report;
    memcpy(&set_report, &found, sizeof set_report);
    if (set_report)
        set_report((void *)(intptr_t)STDERR_FILENO);
}

enum weir_err kit_jail_enter(int out, struct why *why)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
    if (!filter)
        return because(why, WEIR_E_NO_MEMORY, "out of memory");
    pipe_out = out;
    reports_to_us();
    (void)strsignal(SIGSEGV); /* what it loads, it loads now */
    (void)seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, 0);
#ifdef PR_SET_TSC
    if (!kit_jail_sanitized()) /* its allocator looks at the clock */
        (void)prctl(PR_SET_TSC, PR_TSC_SIGSEGV);
#endif
    int failed = !handle_deaths() || add_rules(filter, out) || seccomp_load(filter);
    int code = errno;
    seccomp_release(filter);
    if (failed) {
        pipe_out = -1;
        return because(why, WEIR_E_UNSUPPORTED,
                       "expected a kernel with seccomp filters, to lock the plugin up: %s",
                       strerror(code));
    }
    return WEIR_OK;
}
