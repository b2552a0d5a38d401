/* process.c - processes, pipes, HTTP and files, as plainly as can be. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kill/support.h"

void give_up(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("kill: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

weir_ns now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (weir_ns)t.tv_sec * 1000000000 + t.tv_nsec;
}

void sleep_ns(weir_ns ns)
{
    struct timespec t = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}

/* --- processes --------------------------------------------------------------------------------*/

static _Noreturn void become(const char *const argv[], int pipe_end, int from, const char *other,
                             bool traced)
{
    int file = open(other, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* nothing of a test outlives it */
    if (file < 0 || dup2(pipe_end, from) < 0 || dup2(file, 3 - from) < 0)
        _exit(127);
    if (traced && ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        _exit(126);
    execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

struct process process_start(const char *const argv[], int from, const char *other, bool traced)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        give_up("no pipe: %m");
    pid_t pid = fork();
    if (pid < 0)
        give_up("no process: %m");
    if (pid == 0)
        become(argv, ends[1], from, other, traced);
    close(ends[1]);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return (struct process){.pid = pid, .said = ends[0]};
}

bool process_listen(struct process *process, weir_ns most)
{
    struct pollfd fd = {.fd = process->said, .events = POLLIN};
    struct timespec time = {.tv_sec = most / 1000000000, .tv_nsec = most % 1000000000};
    if (ppoll(&fd, 1, &time, NULL) <= 0)
        return true;
    char *grown = realloc(process->text, process->len + 65537);
    if (!grown)
        give_up("out of memory");
    process->text = grown;
    ssize_t n = read(process->said, process->text + process->len, 65536);
    if (n > 0)
        process->len += (size_t)n;
    process->text[process->len] = '\0';
    return n != 0;
}

const char *process_says(struct process *process, const char *text, weir_ns most)
{
    weir_ns end = now_ns() + most;
    for (;;) {
        const char *at = process->text ? strstr(process->text, text) : NULL;
        weir_ns left = end - now_ns();
        if (at || left <= 0)
            return at;
        if (!process_listen(process, left))
            return process->text ? strstr(process->text, text) : NULL;
    }
}

int process_wait(struct process *process)
{
    int status = 0;
    while (process_listen(process, 1000000000) && waitpid(process->pid, &status, WNOHANG) == 0)
        ;
    if (process->said >= 0)
        while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
            ;
    close(process->said);
    free(process->text);
    *process = (struct process){.said = -1};
    return status;
}

int process_kill(struct process *process, int signal)
{
    kill(process->pid, signal);
    return process_wait(process);
}

/* --- HTTP -------------------------------------------------------------------------------------*/

static char *ask(uint16_t port, const char *request, size_t *len_out)
{
    struct sockaddr_in in = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 60};
    size_t len = 0, room = 1 << 20;
    char *text = malloc(room + 1);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || !text || connect(fd, (struct sockaddr *)&in, sizeof in) != 0)
        give_up("127.0.0.1:%u: %m", port);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (send(fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request))
        give_up("127.0.0.1:%u: %m", port);
    for (ssize_t n; (n = recv(fd, text + len, room - len, 0)) > 0;) {
        len += (size_t)n;
        if (len == room) {
            text = realloc(text, (room *= 2) + 1);
            if (!text)
                give_up("out of memory");
        }
    }
    close(fd);
    text[len] = '\0';
    *len_out = len;
    return text;
}

cJSON *get_json(uint16_t port, const char *path)
{
    char request[300];
    struct why why;
    size_t len;
    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", path);
    char *text = ask(port, request, &len);
    char *body = strstr(text, "\r\n\r\n");
    if (!body || strncmp(text, "HTTP/1.1 200", 12) != 0)
        give_up("GET %s: %.200s", path, text);
    cJSON *json = json_read(body + 4, len - (size_t)(body + 4 - text), &why);
    if (!json)
        give_up("GET %s: %s", path, why.text);
    free(text);
    return json;
}

void post_json(uint16_t port, const char *path, const char *body)
{
    char request[1000];
    size_t len;
    snprintf(request, sizeof request,
             "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: "
             "%zu\r\n\r\n%s",
             path, strlen(body), body);
    char *text = ask(port, request, &len);
    if (strncmp(text, "HTTP/1.1 200", 12) != 0)
        give_up("POST %s: %.200s", path, text);
    free(text);
}

/* --- files ------------------------------------------------------------------------------------*/

void write_file(const char *path, const char *format, ...)
{
    FILE *file = fopen(path, "w");
    va_list args;
    if (!file)
        give_up("%s: %m", path);
    va_start(args, format);
    vfprintf(file, format, args);
    va_end(args);
    if (fclose(file) != 0)
        give_up("%s: %m", path);
}

void remove_folder(const char *path)
{
    DIR *folder = opendir(path);
    if (!folder)
        return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char name[1024];
        struct stat st;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (lstat(name, &st) == 0 && S_ISDIR(st.st_mode))
            remove_folder(name);
        else
            unlink(name);
    }
    closedir(folder);
    rmdir(path);
}
