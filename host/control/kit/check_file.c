/* check_file.c - the file, and a session that begins. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/kit/own.h"
#include "venue/elf.h"

bool kit_open(struct trying *it, struct kit_stage *stage)
{
    struct why why;
    if (kit_stage_open(stage, it->plugin, it->kit, &it->lines, &why) != WEIR_OK)
        return kit_fail(it, "the session does not begin: %s", why.text);
    return true;
}

bool kit_clean(struct trying *it, const struct kit_stage *stage)
{
    struct session_guards guards = session_guards(stage->session);
    if (guards.bad > 0)
        return kit_fail(it, "%llu events are not what event.h says: %s",
                        (unsigned long long)guards.bad, stage->said);
    if (guards.refused_calls > 0 || guards.outside > 0)
        return kit_fail(it, "the host was called with what cannot be, or when it may not: %s",
                        stage->said);
    return true;
}

bool kit_check_load(struct trying *it)
{
    const struct weir_plugin *plugin = plugin_descriptor(it->plugin);
    return kit_pass(it, "%s %s, ABI %u, one symbol, its sheet is in order", plugin->name,
                    plugin->version, plugin->abi);
}

/* --- what it wants from libc --------------------------------------------------------------------- */

static const struct {
    const char *why;
    const char *names; /* a space before and after each */
} forbidden[] = {
    {"the time is an argument of each call", " time clock clock_gettime gettimeofday ftime "
                                             "timespec_get localtime localtime_r mktime strftime "},
    {"a callback never waits; a timer is asked for with host->timer",
     " sleep usleep nanosleep clock_nanosleep select poll ppoll epoll_wait pause wait waitpid "
     "sem_wait pthread_cond_wait sched_yield "},
    {"the host moves the bytes: host->connect, send, request",
     " socket connect bind listen accept accept4 send sendto sendmsg recv recvfrom recvmsg "
     "getaddrinfo gethostbyname curl_easy_perform "},
    {"a plugin is called by one thread, and starts none",
     " pthread_create thrd_create fork vfork clone posix_spawn pthread_key_create "},
    {"the process is not the plugin's",
     " exit _exit _Exit quick_exit atexit system popen execve execv execvp execl kill raise signal "
     "sigaction setjmp _setjmp longjmp dlopen dlsym syscall prctl ptrace "},
    {"files are the host's; settings come by open, lines for the operator go to host->log",
     " open open64 openat creat fopen fopen64 freopen read write printf puts putchar fprintf "
     "vprintf "
     "vfprintf fputs fputc fwrite perror stdout stderr __printf_chk __fprintf_chk "},
    {"chance is no input: a replay could not be",
     " rand random rand_r drand48 getrandom getentropy "
     "arc4random srand srandom "},
    {"the environment is the operator's; settings come by open",
     " getenv secure_getenv setenv putenv setlocale getpid getuid gethostname uname "},
};

struct finding_imports {
    char list[KIT_REASON_MAX];
    unsigned found, all;
};

static void look_at(void *context, enum elf_want what, const char *name)
{
    struct finding_imports *imports = context;
    char word[128];
    if (what != ELF_SYMBOL)
        return;
    imports->all++;
    snprintf(word, sizeof word, " %s ", name);
    for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++) {
        if (!strstr(forbidden[i].names, word))
            continue;
        size_t len = strlen(imports->list);
        snprintf(imports->list + len, sizeof imports->list - len, "%s%s (%s)", len ? ", " : "",
                 name, forbidden[i].why);
        imports->found++;
    }
}

static enum weir_err each_want(const char *path, elf_wanted *each, void *context, struct why *why)
{
    struct stat file;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *bytes = MAP_FAILED;
    if (fd >= 0 && fstat(fd, &file) == 0 && file.st_size > 0)
        bytes = mmap(NULL, (size_t)file.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (fd >= 0)
        close(fd);
    if (bytes == MAP_FAILED)
        return because(why, WEIR_E_IO, "%s: %s", path, strerror(errno));
    enum weir_err err = elf_wants(bytes, (size_t)file.st_size, each, context, why);
    munmap(bytes, (size_t)file.st_size);
    return err;
}

bool kit_check_imports(struct trying *it)
{
    struct finding_imports imports = {.found = 0};
    struct why why;
    if (each_want(it->kit->path, look_at, &imports, &why) != WEIR_OK)
        return kit_fail(it, "%s", why.text);
    if (imports.found > 0)
        return kit_fail(it, "it wants %s", imports.list);
    return kit_pass(it, "%u symbols, none of which a plugin has no use for", imports.all);
}

static void find_sanitizer(void *context, enum elf_want what, const char *name)
{
    char *library = context;
    if (what == ELF_LIBRARY && strncmp(name, "libasan.so", 10) == 0)
        snprintf(library, 64, "%s", name);
}

enum weir_err kit_wants_sanitizer(const char *path, const char **library_out, struct why *why)
{
    static char library[64];
    library[0] = '\0';
    enum weir_err err = each_want(path, find_sanitizer, library, why);
    *library_out = library[0] && !kit_jail_sanitized() ? library : NULL;
    return err;
}

/* --- a session ------------------------------------------------------------------------------------- */

bool kit_check_begin(struct trying *it)
{
    if (!kit_open(it, &it->stage) || !kit_clean(it, &it->stage))
        return false;
    if (it->caps->orders && it->stage.instruments == 0)
        return kit_fail(it,
                        "no instrument was defined, so no order can be tried: give what the venue "
                        "says first with --recordings DIR");
    if (it->stage.wire.len == 0 && !it->kit->inside)
        return kit_fail(it,
                        "it asked for no connection and sent nothing: who is to speak to it? (a "
                        "venue by itself is checked with --inside)");
    if (session_guards(it->stage.session).unknown > 0)
        return kit_fail(it, "it told an event of a kind that is not in event.h");
    kit_pass(it, "%u instruments, %u connections", it->stage.instruments, it->stage.conn_count);
    kit_stage_close(&it->stage);
    return true;
}

/* An order that nobody answers is asked for, by one way at least. */
bool kit_check_recovery(struct trying *it)
{
    const struct weir_caps *caps = it->caps;
    if (!caps->query_by_client_id && !caps->open_orders && !caps->fills_since)
        return kit_fail(it, "an order without an answer could never be resolved: expected one of "
                            "query_by_client_id, open_orders, fills_since on the sheet");
    if (caps->query_by_client_id && caps->absence_proves_after <= 0)
        return kit_fail(it,
                        "expected absence_proves_after on the sheet: how long after sending does "
                        "\"no such order\" mean that it never was?");
    return kit_pass(it, "by client id: %s, working orders: %s, executions: %s",
                    caps->query_by_client_id ? "yes" : "no", caps->open_orders ? "yes" : "no",
                    caps->fills_since ? "yes" : "no");
}
