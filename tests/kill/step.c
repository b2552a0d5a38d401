/* step.c - see step.h. x86-64. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kill/step.h"

/* --- symbols ----------------------------------------------------------------------------------*/

static uint64_t look_up(const unsigned char *file, size_t size, const char *name)
{
    const Elf64_Ehdr *head = (const void *)file;
    const Elf64_Shdr *sections = (const void *)(file + head->e_shoff);
    if (size < sizeof *head || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0)
        return 0;
    for (unsigned s = 0; s < head->e_shnum; s++) {
        if (sections[s].sh_type != SHT_SYMTAB)
            continue;
        const Elf64_Sym *symbols = (const void *)(file + sections[s].sh_offset);
        const char *names = (const char *)file + sections[sections[s].sh_link].sh_offset;
        for (uint64_t i = 0; i < sections[s].sh_size / sizeof *symbols; i++)
            if (ELF64_ST_TYPE(symbols[i].st_info) == STT_FUNC && symbols[i].st_value &&
                strcmp(names + symbols[i].st_name, name) == 0)
                return symbols[i].st_value;
    }
    return 0;
}

uint64_t function_offset(const char *program, const char *name)
{
    struct stat st;
    int fd = open(program, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        give_up("%s: %m", program);
    unsigned char *file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (file == MAP_FAILED)
        give_up("%s: %m", program);
    uint64_t offset = look_up(file, (size_t)st.st_size, name);
    munmap(file, (size_t)st.st_size);
    return offset;
}

/* --- the traced process -----------------------------------------------------------------------*/

static uint64_t base_of(pid_t pid)
{
    char path[64], line[512];
    unsigned long long base = 0;
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    FILE *maps = fopen(path, "r");
    if (!maps || !fgets(line, sizeof line, maps) || sscanf(line, "%llx-", &base) != 1)
        give_up("%s: %m", path);
    fclose(maps);
    return base;
}

struct trap {
    uint64_t at; /* 0: none */
    long word;   /* what stood there */
};

static void set_trap(pid_t pid, struct trap *trap)
{
    errno = 0;
    trap->word = ptrace(PTRACE_PEEKTEXT, pid, (void *)trap->at, NULL);
    long with = (trap->word & ~0xffL) | 0xcc;
    if (errno || ptrace(PTRACE_POKETEXT, pid, (void *)trap->at, (void *)with) != 0)
        give_up("no breakpoint: %m");
}

/* Run the instruction that the breakpoint hides. False: it has ended. */
static bool step_over(pid_t pid, struct trap *trap)
{
    struct user_regs_struct regs;
    int status;
    if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) != 0)
        return false;
    regs.rip = trap->at;
    ptrace(PTRACE_SETREGS, pid, NULL, &regs);
    ptrace(PTRACE_POKETEXT, pid, (void *)trap->at, (void *)trap->word);
    if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) != 0 || waitpid(pid, &status, 0) < 0 ||
        !WIFSTOPPED(status))
        return false;
    set_trap(pid, trap);
    return true;
}

static const char *call_name(uint64_t number)
{
    switch (number) {
    case SYS_sendto: return "sendto";
    case SYS_recvfrom: return "recvfrom";
    case SYS_write: return "write";
    case SYS_fdatasync: return "fdatasync";
    case SYS_msync: return "msync";
    default: return NULL;
    }
}

/* At a stop: what is it? NULL: none of ours. */
static const char *name_stop(pid_t pid, int status, const struct trap *trap, bool *inside,
                             char *text, size_t room)
{
    struct user_regs_struct regs;
    int signal = WSTOPSIG(status);
    if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) != 0)
        return NULL;
    if (signal == (SIGTRAP | 0x80)) { /* a system call: in, then out */
        const char *name = call_name(regs.orig_rax);
        *inside = !*inside;
        if (!name)
            return NULL;
        snprintf(text, room, "%s %s", *inside ? "before" : "after", name);
        return text;
    }
    if (signal == SIGTRAP && trap->at && regs.rip == trap->at + 1) {
        snprintf(text, room, "before an append");
        return text;
    }
    return NULL;
}

bool step(struct process *process, struct stepper *stepper, weir_ns most)
{
    struct trap trap = {0};
    weir_ns end = now_ns() + most;
    pid_t pid = process->pid;
    bool inside = false, armed = stepper->from == NULL;
    int status, pass = 0;
    if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
        give_up("the host cannot be traced");
    ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL));
    trap.at = stepper->offset ? base_of(pid) + stepper->offset : 0;
    if (trap.at)
        set_trap(pid, &trap);
    stepper->stops = 0;
    while (ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(intptr_t)pass) == 0 &&
           waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
        char where[64];
        const char *name = name_stop(pid, status, &trap, &inside, where, sizeof where);
        int signal = WSTOPSIG(status);
        pass = signal == SIGTRAP || signal == (SIGTRAP | 0x80) ? 0 : signal;
        if (!armed) {
            (void)process_listen(process, 0);
            armed = process->text && strstr(process->text, stepper->from);
        }
        if (armed && name) {
            snprintf(stepper->where, sizeof stepper->where, "%s", name);
            if (++stepper->stops == stepper->kill_at) {
                kill(pid, SIGKILL);
                return true;
            }
        }
        if (signal == SIGTRAP && trap.at && name && !step_over(pid, &trap))
            return false;
        if (now_ns() > end)
            break;
    }
    kill(pid, SIGKILL);
    return false;
}
