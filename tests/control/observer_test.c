/* observer_test.c - operators' requests: however many there are, those that take risk off are taken. */
#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/observer.h"
#include "gateway/socket.h"

struct desk {
    char folder[64], path[96];
    struct tap *tap;
    struct stages stages;
    struct observer *observer;
};

static void wake(void *context)
{
    (void)context;
}

static void desk_open(struct desk *desk)
{
    struct why why;
    memset(desk, 0, sizeof *desk);
    snprintf(desk->folder, sizeof desk->folder, "/tmp/weir-observer-XXXXXX");
    cr_assert(mkdtemp(desk->folder) != NULL);
    snprintf(desk->path, sizeof desk->path, "%s/sock", desk->folder);
    desk->tap = tap_create(1 << 16);
    struct observer_config config = {.control = desk->path,
                                     .tap = desk->tap,
                                     .stages = &desk->stages,
                                     .wake = wake,
                                     .context = desk};
    desk->observer = observer_start(&config, &why);
    cr_assert(desk->observer != NULL, "%s", why.text);
}

static void desk_close(struct desk *desk)
{
    observer_stop(desk->observer);
    tap_destroy(desk->tap);
    unlink(desk->path);
    rmdir(desk->folder);
}

static int speak(const struct desk *desk, const char *text)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, desk->path, strlen(desk->path) + 1);
    cr_assert(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    size_t len = strlen(text);
    cr_assert(send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len);
    return fd;
}

/* The answer, if it comes within so many milliseconds; "" if none does. */
static const char *hear(int fd, int ms)
{
    static char text[4096];
    size_t len = 0;
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    while (len < sizeof text - 1 && poll(&poll_fd, 1, ms) == 1) {
        ssize_t got = read(fd, text + len, sizeof text - 1 - len);
        if (got <= 0)
            break;
        len += (size_t)got;
        if (memchr(text, '\n', len))
            break;
    }
    text[len] = '\0';
    return text;
}

/* Flood it from so many connections. How many were refused? */
static unsigned flood(const struct desk *desk, int *fds, unsigned count, const char *request)
{
    unsigned refused = 0;
    for (unsigned i = 0; i < count; i++)
        fds[i] = speak(desk, request);
    (void)hear(fds[count - 1], 2000);
    for (unsigned i = 0; i + 1 < count; i++)
        refused += strstr(hear(fds[i], 20), "too many requests") != NULL;
    return refused + 1;
}

static void close_all(int *fds, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        close(fds[i]);
}

Test(observer, a_flood_of_requests_leaves_room_for_what_takes_risk_off)
{
    enum { FLOOD = 80 };
    static const char *const urgent[] = {"{\"do\":\"resume\"}\n",
                                         "{\"do\":\"cancel\",\"cid\":\"x\"}\n",
                                         "{\"do\":\"stop\"}\n", "{\"do\":\"kill\"}\n"};
    static const enum wish_kind kinds[] = {WISH_RELEASE, WISH_CANCEL, WISH_STOP, WISH_KILL};
    struct desk desk;
    struct wish wish;
    unsigned taken[WISH_STOP + 1] = {0};
    int reloads[FLOOD], cancels[FLOOD], last[4];
    desk_open(&desk);
    unsigned refused = flood(&desk, reloads, FLOOD, "{\"do\":\"reload\"}\n");
    cr_expect(refused == FLOOD - 32, "%u reloads were refused", refused);
    for (size_t i = 0; i < 2; i++) { /* they find places behind all the reloads */
        last[i] = speak(&desk, urgent[i]);
        cr_expect_str_empty(hear(last[i], 50), "%s", urgent[i]);
    }
    refused = flood(&desk, cancels, FLOOD, urgent[1]);
    cr_expect(refused == FLOOD - 14, "%u cancels were refused", refused);
    for (size_t i = 2; i < 4; i++) { /* and these behind all the cancels */
        last[i] = speak(&desk, urgent[i]);
        cr_expect_str_empty(hear(last[i], 50), "%s", urgent[i]);
    }
    while (observer_wish(desk.observer, &wish)) {
        struct wish_answer answer = {.id = wish.id, .ok = 1, .text = "done"};
        taken[wish.kind]++;
        observer_answer(desk.observer, &answer);
    }
    for (size_t i = 0; i < 4; i++) {
        cr_expect(taken[kinds[i]] > 0, "%s", urgent[i]);
        cr_expect_not_null(strstr(hear(last[i], 2000), "done"), "%s", urgent[i]);
    }
    cr_expect_eq(taken[WISH_RELOAD], 32);
    close_all(reloads, FLOOD);
    close_all(cancels, FLOOD);
    close_all(last, 4);
    desk_close(&desk);
}

/* Thousands of lines at once, each answered at once: no deeper than one. */
Test(observer, many_lines_at_once_are_answered_one_after_the_other)
{
    enum { LINES = 15000 };
    struct desk desk;
    struct pollfd fd;
    static char text[4 * LINES + 1], answers[1 << 16];
    unsigned lines = 0;
    for (unsigned i = 0; i < LINES; i++)
        memcpy(text + 4 * i, "{ }\n", 5);
    desk_open(&desk);
    fd = (struct pollfd){.fd = speak(&desk, text), .events = POLLIN};
    while (lines < LINES && poll(&fd, 1, 2000) == 1) {
        ssize_t got = read(fd.fd, answers, sizeof answers);
        cr_assert(got > 0, "closed after %u answers", lines);
        for (ssize_t i = 0; i < got; i++)
            lines += answers[i] == '\n';
    }
    cr_expect_eq(lines, LINES, "%u of %u answers", lines, (unsigned)LINES);
    close(fd.fd);
    desk_close(&desk);
}
