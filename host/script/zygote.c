/* zygote.c - a socket with two ends: requests and descriptors one way, births and deaths the other.
 *
 * PROMISES (1) A cell's pid is that cell until its death was told: the zygote opens the pidfd before
 *              it may reap. [give_birth]
 *          (2) No zombie outlives a look at the socket: SIGCHLD is a descriptor, each time all that
 *              ended are reaped. [bury]
 *          (3) A cell has no descriptor but its bell, not even the zygote's socket. [child]
 *          (4) There are two: one at work and one that waits. When the first dies the second is
 *              asked for a third, which it can make, since it never saw a key either; but who dies
 *              again and again is not replaced for ever. [zygote_renew] */
#include "script/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "script/inmate.h"
#include "script/jail.h"

enum { DEATHS_KEPT = 4096, SOCKET_AT = 3, CELL_FDS = 4, SPARE_FDS = 1, RENEWALS = 3 };
#define RENEWALS_IN ((weir_ns)600 * 1000000000)

/* With CELL_FDS descriptors: a cell. With SPARE_FDS, its socket: another zygote. */
struct request {
    uint64_t parcel_len;
    int32_t nice;
};

enum note_kind { NOTE_READY, NOTE_FAILED, NOTE_BORN, NOTE_DIED };
struct note {
    int32_t kind; /* enum note_kind */
    int32_t pid;
    int32_t status; /* DIED: of wait; FAILED: errno */
    char text[200];
};

struct death {
    pid_t pid;
    int status;
};

/* One of them; -1: no descriptor. */
struct mother {
    pid_t pid; /* 0: there is none */
    int socket, pidfd;
};

struct zygote {
    struct mother now, spare;
    bool dead;                        /* now */
    weir_ns renewed[RENEWALS];        /* when it was, the last time first; 0: never */
    struct death deaths[DEATHS_KEPT]; /* told while a birth was waited for */
    size_t death_count;
};

/* --- descriptors over a socket ------------------------------------------------------------------*/

static bool send_fds(int socket, const void *bytes, size_t len, const int *fds, size_t count)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(4 * sizeof(int))];
    } control = {.room = {0}};
    struct iovec part = {(void *)(uintptr_t)bytes, len};
    struct msghdr msg = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > 0) {
        msg.msg_control = control.room;
        msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *head = CMSG_FIRSTHDR(&msg);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(head), fds, count * sizeof(int));
    }
    ssize_t n;
    do
        n = sendmsg(socket, &msg, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)len;
}

/* How many bytes came: 0 the other end is gone, -1 nothing (errno). count_out: descriptors. */
static ssize_t receive_fds(int socket, void *bytes, size_t len, int *fds, size_t most,
                           size_t *count_out, int flags)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(4 * sizeof(int))];
    } control;
    struct iovec part = {bytes, len};
    struct msghdr msg = {.msg_iov = &part,
                         .msg_iovlen = 1,
                         .msg_control = control.room,
                         .msg_controllen = sizeof control.room};
    ssize_t n;
    do
        n = recvmsg(socket, &msg, flags | MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    *count_out = 0;
    struct cmsghdr *head = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
    if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS) {
        size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        *count_out = count < most ? count : most;
        memcpy(fds, CMSG_DATA(head), *count_out * sizeof(int));
    }
    return n;
}

/* --- the zygote's side -------------------------------------------------------------------------*/

static void note(int socket, enum note_kind kind, pid_t pid, int status, const char *text, int fd)
{
    struct note out = {.kind = (int32_t)kind, .pid = pid, .status = status};
    snprintf(out.text, sizeof out.text, "%s", text);
    (void)send_fds(socket, &out, sizeof out, &fd, fd >= 0 ? 1 : 0);
}

/* The descriptors in the order of struct spawn. */
static _Noreturn void child(const struct request *request, const int *fds, pid_t parent)
{
    struct inmate_birth birth = {.parcel_len = request->parcel_len, .nice = request->nice};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_NAME, "weir-cell");
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent ||
        !inmate_map(&birth, fds[0], fds[1], fds[2]))
        _exit(INMATE_NO_MEMORY);
    if (dup2(fds[3], JAIL_BELL) != JAIL_BELL || close_range(JAIL_BELL + 1, ~0u, 0) != 0)
        _exit(INMATE_NO_JAIL);
    inmate_main(&birth);
}

static _Noreturn void zygote_main(int socket, pid_t host);

static void give_birth(int socket, const struct request *request, const int *fds, bool spare)
{
    pid_t self = getpid();
    pid_t pid = fork();
    if (pid == 0 && spare)
        zygote_main(fds[0], 0);
    if (pid == 0)
        child(request, fds, self);
    if (pid < 0) {
        note(socket, NOTE_FAILED, 0, errno, "fork", -1);
        return;
    }
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0) {
        int reason = errno;
        kill(pid, SIGKILL);
        note(socket, NOTE_FAILED, 0, reason, "pidfd_open", -1);
        return;
    }
    note(socket, NOTE_BORN, pid, 0, "", pidfd);
    close(pidfd);
}

static void bury(int socket)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        note(socket, NOTE_DIED, pid, status, "", -1);
}

static void serve(int socket, int children)
{
    struct pollfd fds[2] = {{.fd = socket, .events = POLLIN}, {.fd = children, .events = POLLIN}};
    for (;;) {
        struct signalfd_siginfo info;
        struct request request = {0};
        int given[CELL_FDS];
        size_t count;
        (void)poll(fds, 2, -1);
        while (read(children, &info, sizeof info) == (ssize_t)sizeof info)
            ;
        bury(socket);
        if (!fds[0].revents)
            continue;
        ssize_t n = receive_fds(socket, &request, sizeof request, given, CELL_FDS, &count, 0);
        if (n == 0)
            _exit(0); /* the host is gone; the cells go with us */
        if (n == (ssize_t)sizeof request && (count == CELL_FDS || count == SPARE_FDS))
            give_birth(socket, &request, given, count == SPARE_FDS);
        for (size_t i = 0; i < count; i++)
            close(given[i]);
    }
}

static int children_fd(void)
{
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_SETMASK, &children, NULL);
    return signalfd(-1, &children, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* Nothing of the host's stays open: its standard streams are turned away, the rest is closed. */
static bool forget_host(int socket)
{
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nothing < 0 || dup2(socket, SOCKET_AT) != SOCKET_AT)
        return false;
    bool fine = dup2(nothing, STDIN_FILENO) >= 0 && dup2(nothing, STDOUT_FILENO) >= 0;
#ifndef JAIL_SANITIZED
    fine = fine && dup2(nothing, STDERR_FILENO) >= 0;
#endif
    return fine && close_range(SOCKET_AT + 1, ~0u, 0) == 0;
}

/* host: it dies with that process; 0: when its socket's other end is closed. */
static _Noreturn void zygote_main(int socket, pid_t host)
{
    struct why why;
    static const int defaults[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGCHLD, SIGALRM};
    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++)
        signal(defaults[i], SIG_DFL);
    setsid(); /* Ctrl-C is for the host, which then stops us in order */
    prctl(PR_SET_NAME, "weir-zygote");
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0); /* two megabytes at a time are too many for a cell */
    if (host && (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != host))
        _exit(0);
    int children = forget_host(socket) ? children_fd() : -1;
    if (children < 0) {
        note(SOCKET_AT, NOTE_FAILED, 0, errno, "descriptors", -1);
        _exit(1);
    }
    if (jail_build(&why)) {
        note(SOCKET_AT, NOTE_FAILED, 0, 0, why.text, -1);
        _exit(1);
    }
    int probe = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (probe < 0) {
        note(SOCKET_AT, NOTE_FAILED, 0, errno, "pidfd_open", -1);
        _exit(1);
    }
    close(probe);
    note(SOCKET_AT, NOTE_READY, getpid(), 0, "", -1);
    serve(SOCKET_AT, children);
    _exit(0);
}

/* --- the host's side ---------------------------------------------------------------------------*/

static void keep_death(struct zygote *zygote, const struct note *told)
{
    if (zygote->death_count < DEATHS_KEPT)
        zygote->deaths[zygote->death_count++] = (struct death){told->pid, told->status};
}

/* The next note that is not a death; those are kept. False: the zygote is gone. */
static bool await(struct zygote *zygote, int socket, struct note *out, int *fd_out)
{
    size_t count;
    int fds[4];
    for (;;) {
        ssize_t n = receive_fds(socket, out, sizeof *out, fds, 1, &count, 0);
        if (n != (ssize_t)sizeof *out)
            return false;
        if (out->kind == NOTE_DIED) {
            keep_death(zygote, out);
            continue;
        }
        *fd_out = count == 1 ? fds[0] : -1;
        return true;
    }
}

static enum weir_err refused(const struct note *told, const char *doing, struct why *why)
{
    return because(why, WEIR_E_UNSUPPORTED, "%s: %s%s%s", doing, told->text,
                   told->status ? ": " : "", told->status ? strerror(told->status) : "");
}

static enum weir_err start_mother(struct zygote *zygote, struct mother *mother, struct why *why)
{
    int ends[2], none;
    struct note first = {0};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return because(why, WEIR_E_IO, "process cells: socketpair: %s", strerror(errno));
    fflush(NULL); /* or both would write what is buffered */
    pid_t host = getpid(), pid = fork();
    if (pid == 0)
        zygote_main(ends[1], host);
    *mother = (struct mother){pid, ends[0], -1};
    close(ends[1]);
    if (pid < 0) {
        mother->pid = 0;
        return because(why, WEIR_E_IO, "process cells: fork: %s", strerror(errno));
    }
    mother->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (mother->pidfd < 0)
        return because(why, WEIR_E_UNSUPPORTED, "process cells: pidfd_open: %s", strerror(errno));
    if (!await(zygote, ends[0], &first, &none))
        return because(why, WEIR_E_IO, "process cells: their parent process died at once");
    return first.kind == NOTE_READY ? WEIR_OK : refused(&first, "process cells", why);
}

/* The one at work makes one that waits; none, if it cannot. */
static void make_spare(struct zygote *zygote)
{
    const struct request request = {0, 0};
    struct note told = {0}, first = {0};
    int ends[2], none, pidfd = -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return;
    bool made = send_fds(zygote->now.socket, &request, sizeof request, &ends[1], SPARE_FDS) &&
                await(zygote, zygote->now.socket, &told, &pidfd) && told.kind == NOTE_BORN &&
                pidfd >= 0;
    close(ends[1]);
    made = made && await(zygote, ends[0], &first, &none) && first.kind == NOTE_READY;
    if (made) {
        zygote->spare = (struct mother){told.pid, ends[0], pidfd};
        return;
    }
    close(ends[0]); /* it ends by that */
    if (pidfd >= 0)
        close(pidfd);
}

/* Only the first two are our children; the others are buried by whoever takes orphans in. */
static void end_mother(struct mother *mother)
{
    struct pollfd gone = {.fd = mother->pidfd, .events = POLLIN};
    if (mother->pid > 0) {
        close(mother->socket);
        if (mother->pidfd >= 0 &&
            syscall(SYS_pidfd_send_signal, mother->pidfd, SIGKILL, NULL, 0) == 0)
            while (poll(&gone, 1, -1) < 0 && errno == EINTR)
                ;
        while (waitpid(mother->pid, NULL, 0) < 0 && errno == EINTR)
            ;
        if (mother->pidfd >= 0)
            close(mother->pidfd);
    }
    *mother = (struct mother){0, -1, -1};
}

enum weir_err zygote_start(struct zygote **zygote_out, struct why *why)
{
    struct zygote *zygote = calloc(1, sizeof *zygote);
    if (!zygote)
        return because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
    enum weir_err err = start_mother(zygote, &zygote->now, why);
    if (!err)
        err = start_mother(zygote, &zygote->spare, why);
    if (err) {
        zygote_stop(zygote);
        return err;
    }
    *zygote_out = zygote;
    return WEIR_OK;
}

void zygote_stop(struct zygote *zygote)
{
    if (!zygote)
        return;
    end_mother(&zygote->now);
    end_mother(&zygote->spare);
    free(zygote);
}

bool zygote_renew(struct zygote *zygote)
{
    weir_ns now = clock_stopwatch(), *renewed = zygote->renewed;
    end_mother(&zygote->now);
    if (!zygote->spare.pid ||
        (renewed[RENEWALS - 1] != 0 && now - renewed[RENEWALS - 1] < RENEWALS_IN))
        return false;
    memmove(renewed + 1, renewed, (RENEWALS - 1) * sizeof *renewed);
    renewed[0] = now;
    zygote->now = zygote->spare;
    zygote->spare = (struct mother){0, -1, -1};
    make_spare(zygote);
    zygote->dead = false;
    return true;
}

enum weir_err zygote_spawn(struct zygote *zygote, const struct spawn *spawn, pid_t *pid_out,
                           int *pidfd_out, struct why *why)
{
    struct request request = {spawn->parcel_len, spawn->nice};
    const int fds[CELL_FDS] = {spawn->channel, spawn->board, spawn->parcel, spawn->bell};
    struct note told = {0};
    int pidfd = -1;
    zygote->dead |=
        !zygote->dead && (!send_fds(zygote->now.socket, &request, sizeof request, fds, CELL_FDS) ||
                          !await(zygote, zygote->now.socket, &told, &pidfd));
    if (zygote->dead)
        return because(why, WEIR_E_DOWN, "the process that scripts' processes come from is gone");
    if (told.kind != NOTE_BORN || pidfd < 0) {
        if (pidfd >= 0)
            close(pidfd);
        return refused(&told, "a cell cannot be made", why);
    }
    *pid_out = told.pid;
    *pidfd_out = pidfd;
    return WEIR_OK;
}

int zygote_fd(const struct zygote *zygote)
{
    return zygote->now.socket;
}

bool zygote_lives(const struct zygote *zygote)
{
    return !zygote->dead;
}

bool zygote_death(struct zygote *zygote, pid_t *pid_out, int *status_out)
{
    struct note told = {0};
    int fds[4];
    size_t count;
    if (zygote->death_count == 0 && !zygote->dead) {
        ssize_t n =
            receive_fds(zygote->now.socket, &told, sizeof told, fds, 1, &count, MSG_DONTWAIT);
        if (n == (ssize_t)sizeof told && told.kind == NOTE_DIED)
            keep_death(zygote, &told);
        else if (n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
            zygote->dead = true;
    }
    if (zygote->death_count == 0)
        return false;
    *pid_out = zygote->deaths[0].pid;
    *status_out = zygote->deaths[0].status;
    memmove(zygote->deaths, zygote->deaths + 1, --zygote->death_count * sizeof *zygote->deaths);
    return true;
}
