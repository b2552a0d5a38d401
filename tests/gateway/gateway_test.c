/* gateway_test.c - real HTTP and a real UNIX socket over loopback. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/http.h"
#include "gateway/socket.h"

static char folder[] = "/tmp/weir-gateway-XXXXXX";
static char path[64];

struct server {
    uv_loop_t loop;
    uv_async_t stop;
    struct http *http;
    struct control_socket *socket;
    pthread_t thread;
};

static bool answer(void *context, const char *wanted, struct http_answer *out)
{
    (void)context;
    if (strcmp(wanted, "/small") == 0) {
        text_say(&out->body, "hello\n");
    } else if (strcmp(wanted, "/large") == 0) {
        for (int i = 0; i < 100000; i++)
            text_say(&out->body, "%09d\n", i);
    } else if (strcmp(wanted, "/no") == 0) {
        out->status = 503;
        text_say(&out->body, "not now\n");
    } else {
        return false;
    }
    return true;
}

static void request(void *context, struct control_peer *peer, const char *line, size_t len)
{
    char text[70000];
    (void)context;
    int n = snprintf(text, sizeof text, "{\"got\":%zu,\"first\":\"%c\"}", len, len ? line[0] : '-');
    control_answer(peer, text, (size_t)n);
}

static void on_stop(uv_async_t *async)
{
    struct server *server = async->data;
    http_close(server->http);
    control_close(server->socket);
    uv_close((uv_handle_t *)async, NULL);
}

static void *run(void *context)
{
    uv_run(&((struct server *)context)->loop, UV_RUN_DEFAULT);
    return NULL;
}

static struct server *start(void)
{
    struct server *server = calloc(1, sizeof *server);
    struct http_owner http = {server, answer};
    struct control_owner control = {server, request};
    struct why why = {0};
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/s.sock", folder);
    uv_loop_init(&server->loop);
    uv_async_init(&server->loop, &server->stop, on_stop);
    server->stop.data = server;
    server->http = http_create(&server->loop, "127.0.0.1", 0, &http, &why);
    cr_assert_not_null(server->http, "%s", why.text);
    server->socket = control_listen(&server->loop, path, &control, &why);
    cr_assert_not_null(server->socket, "%s", why.text);
    pthread_create(&server->thread, NULL, run, server);
    return server;
}

static void stop(struct server *server)
{
    uv_async_send(&server->stop);
    pthread_join(server->thread, NULL);
    http_destroy(server->http);
    cr_expect_eq(uv_loop_close(&server->loop), 0, "a handle was left open");
    free(server);
    rmdir(folder);
}

/* Send bytes, read until the server closes or says all; the answer as text. */
static char *ask(uint16_t port, const char *bytes)
{
    static char got[2000000];
    size_t len = 0;
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 5};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    cr_assert_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    (void)!write(fd, bytes, strlen(bytes));
    shutdown(fd, SHUT_WR);
    for (ssize_t n; len < sizeof got - 1 && (n = read(fd, got + len, sizeof got - 1 - len)) > 0;)
        len += (size_t)n;
    got[len] = '\0';
    close(fd);
    return got;
}

static const struct {
    const char *what, *sent, *says;
} requests[] = {
    {"a path", "GET /small HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", " 200 "},
    {"its body", "GET /small HTTP/1.1\r\nHost: localhost:80\r\nConnection: close\r\n\r\n",
     "\r\n\r\nhello\n"},
    {"head only", "HEAD /small HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
     "content-length: 6"},
    {"the owner's status", "GET /no HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
     " 503 "},
    {"no such path", "GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
     " 404 "},
    {"a foreign host (DNS rebinding)",
     "GET /small HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", " 403 "},
    {"a large body, whole", "GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
     "000099999\n"},
};

Test(http, answers_over_loopback_and_refuses_in_words)
{
    struct server *server = start();
    uint16_t port = http_port(server->http);
    cr_expect_gt(port, 0);
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        char *got = ask(port, requests[i].sent);
        cr_expect_not_null(strstr(got, requests[i].says), "%s: wanted '%s', got '%.200s'",
                           requests[i].what, requests[i].says, got);
    }
    static const char *const garbage[] = {
        "\r\n\r\n", "GET", "\x16\x03\x01\x02", "GET /small HTTP/9.9\r\n\r\n",
        "POST /small HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n"};
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++)
        (void)ask(port, garbage[i]);
    cr_expect_not_null(strstr(ask(port, requests[0].sent), " 200 "), "it does not answer any more");
    stop(server);
}

Test(control, a_line_is_answered_and_a_busy_path_is_refused)
{
    struct server *server = start();
    struct text text;
    struct why why = {0};
    struct stat st;
    cr_expect_eq(stat(path, &st), 0);
    cr_expect_eq(st.st_mode & 0777, 0600);
    for (int i = 0; i < 20; i++) {
        text_init(&text);
        cr_expect_eq(control_ask(path, "{\"do\":\"x\"}", &text, &why), WEIR_OK, "%s", why.text);
        cr_expect_str_eq(text_cstr(&text), "{\"got\":10,\"first\":\"{\"}");
        text_fini(&text);
    }
    uv_loop_t other;
    struct control_owner owner = {NULL, request};
    uv_loop_init(&other);
    cr_expect_null(control_listen(&other, path, &owner, &why));
    cr_expect_not_null(strstr(why.text, "another host answers there"), "%s", why.text);
    uv_loop_close(&other);
    stop(server);
}

Test(control, a_line_without_end_is_cut_off_and_others_go_on)
{
    struct server *server = start();
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    struct text text;
    struct why why = {0};
    static char flood[200000];
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    memset(flood, 'x', sizeof flood);
    snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    cr_assert_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    ssize_t sent = send(fd, flood, sizeof flood, MSG_NOSIGNAL);
    (void)sent;
    char byte;
    cr_expect_leq(recv(fd, &byte, 1, 0), 0, "it should have been cut off");
    close(fd);
    text_init(&text);
    cr_expect_eq(control_ask(path, "y", &text, &why), WEIR_OK, "%s", why.text);
    text_fini(&text);
    stop(server);
}

Test(control, nobody_there_is_told)
{
    struct text text;
    struct why why = {0};
    text_init(&text);
    cr_expect_eq(control_ask("/nonexistent/weir.sock", "x", &text, &why), WEIR_E_DOWN);
    cr_expect_not_null(strstr(why.text, "/nonexistent/weir.sock: no host answers there"));
    text_fini(&text);
}
