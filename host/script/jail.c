/* jail.c - the list of system calls of a cell, and the limits that need no list.
 *
 * The filter is made once and kept as the kernel's own program: to enter costs a cell one call. A
 * cell needs memory (never executable), its deadline timer, futexes on memory it has, and eight bytes
 * to its bell. A sanitizer's run time needs more: builds with one are for tests, and their cells may
 * read files and write to standard error. */
#include "script/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { INSTRUCTIONS_MAX = 1024, NICE_LAST = 19 /* runs only where nobody else wants to */ };
static struct sock_filter program[INSTRUCTIONS_MAX];
static unsigned short program_len;

/* --- the list ----------------------------------------------------------------------------------*/

static const int plain_calls[] = {SCMP_SYS(exit),          SCMP_SYS(exit_group),
                                  SCMP_SYS(rt_sigreturn),  SCMP_SYS(clock_gettime),
                                  SCMP_SYS(timer_settime), SCMP_SYS(munmap),
                                  SCMP_SYS(madvise),       SCMP_SYS(brk),
                                  SCMP_SYS(mremap),        SCMP_SYS(restart_syscall)};

static const unsigned futex_calls[] = {FUTEX_WAIT, FUTEX_WAKE, FUTEX_WAIT_PRIVATE,
                                       FUTEX_WAKE_PRIVATE, FUTEX_WAIT_BITSET_PRIVATE};

#ifdef JAIL_SANITIZED
static const int sanitizer_calls[] = {
    SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(sched_yield), SCMP_SYS(sigaltstack),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(getrlimit), SCMP_SYS(prlimit64),
    SCMP_SYS(membarrier), SCMP_SYS(nanosleep), SCMP_SYS(futex),
    /* it reads /proc/self/maps to find the stack when a jump leaves a signal handler */
    SCMP_SYS(openat), SCMP_SYS(read), SCMP_SYS(close), SCMP_SYS(newfstatat), SCMP_SYS(lseek),
    SCMP_SYS(sched_getaffinity)};
enum { FILES = 64 };
#else
enum { FILES = 0 };
#endif

static int add_calls(scmp_filter_ctx filter, const int *calls, size_t count)
{
    int failed = 0;
    for (size_t i = 0; i < count; i++)
        failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
    return failed;
}

/* Argument `arg`, as far as the mask goes, has this value. */
static struct scmp_arg_cmp masked(unsigned arg, scmp_datum_t mask, scmp_datum_t value)
{
    return (struct scmp_arg_cmp){
        .arg = arg, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value};
}

static struct scmp_arg_cmp equal(unsigned arg, scmp_datum_t value)
{
    return (struct scmp_arg_cmp){.arg = arg, .op = SCMP_CMP_EQ, .datum_a = value, .datum_b = 0};
}

static int add_rules(scmp_filter_ctx filter)
{
    int failed = add_calls(filter, plain_calls, sizeof plain_calls / sizeof plain_calls[0]);
    for (size_t i = 0; i < sizeof futex_calls / sizeof futex_calls[0]; i++)
        failed |=
            seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(futex), 1, equal(1, futex_calls[i]));
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(write), 2, equal(0, JAIL_BELL),
                               equal(2, 8));
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2, masked(2, PROT_EXEC, 0),
                               masked(3, MAP_ANONYMOUS, MAP_ANONYMOUS));
    failed |=
        seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, masked(2, PROT_EXEC, 0));
#ifdef JAIL_SANITIZED
    failed |=
        add_calls(filter, sanitizer_calls, sizeof sanitizer_calls / sizeof sanitizer_calls[0]);
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(write), 1, equal(0, STDERR_FILENO));
#endif
    return failed;
}

/* --- building ----------------------------------------------------------------------------------*/

static enum weir_err keep_program(scmp_filter_ctx filter, struct why *why)
{
    int file = memfd_create("weir-filter", MFD_CLOEXEC);
    if (file < 0)
        return because(why, WEIR_E_UNSUPPORTED, "memfd_create: %s", strerror(errno));
    int failed = seccomp_export_bpf(filter, file);
    ssize_t len = failed ? -1 : pread(file, program, sizeof program, 0);
    close(file);
    if (len <= 0 || len == (ssize_t)sizeof program)
        return because(why, WEIR_E_UNSUPPORTED, "the seccomp filter cannot be made");
    program_len = (unsigned short)((size_t)len / sizeof program[0]);
    return WEIR_OK;
}

enum weir_err jail_build(struct why *why)
{
    const uint32_t action = SECCOMP_RET_KILL_PROCESS;
    if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) != 0)
        return because(why, WEIR_E_UNSUPPORTED,
                       "this kernel has no seccomp filters that end a process: %s",
                       strerror(errno));
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (!filter)
        return because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
    enum weir_err err = add_rules(filter) ? because(why, WEIR_E_UNSUPPORTED,
                                                    "libseccomp refused a rule of the filter")
                                          : keep_program(filter, why);
    seccomp_release(filter);
    return err;
}

/* --- entering ----------------------------------------------------------------------------------*/

static bool limit(__rlimit_resource_t what, rlim_t most)
{
    return setrlimit(what, &(struct rlimit){most, most}) == 0;
}

const char *jail_enter(int nice)
{
    struct sock_fprog filter = {.len = program_len, .filter = program};
    if (nice > 0 && setpriority(PRIO_PROCESS, 0, nice) != 0)
        return "setpriority";
    if (nice == NICE_LAST && sched_setscheduler(0, SCHED_IDLE, &(struct sched_param){0}) != 0)
        return "sched_setscheduler";
    if (!limit(RLIMIT_CORE, 0) || !limit(RLIMIT_FSIZE, 0) || !limit(RLIMIT_NOFILE, FILES) ||
        !limit(RLIMIT_MEMLOCK, 0) || !limit(RLIMIT_MSGQUEUE, 0))
        return "setrlimit";
    if (prctl(PR_SET_DUMPABLE, 0) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return "prctl";
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0 ? NULL : "seccomp";
}
