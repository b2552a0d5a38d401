#include "gateway/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { LINE_MAX_LEN = 65536 };

struct control_peer {
    uv_pipe_t pipe; /* first: libuv gives it back */
    struct control_socket *socket;
    struct control_peer *next, *before;
    char line[LINE_MAX_LEN];
    size_t len;
    bool waiting; /* a request was handed out */
    bool taking;  /* take_lines() is at work */
    bool closing;
};

struct control_socket {
    uv_pipe_t pipe; /* first */
    struct control_owner owner;
    struct control_peer *peers;
    char path[108];
    bool listening;
};

struct reply {
    uv_write_t write; /* first */
    char text[];
};

/* --- peers ------------------------------------------------------------------------------------*/

static void on_peer_closed(uv_handle_t *handle)
{
    free((struct control_peer *)(void *)handle);
}

static void peer_close(struct control_peer *peer)
{
    if (peer->closing)
        return;
    peer->closing = true;
    if (peer->before)
        peer->before->next = peer->next;
    else if (peer->socket)
        peer->socket->peers = peer->next;
    if (peer->next)
        peer->next->before = peer->before;
    if (peer->waiting) /* its answer closes it */
        (void)uv_read_stop((uv_stream_t *)&peer->pipe);
    else
        uv_close((uv_handle_t *)&peer->pipe, on_peer_closed);
}

/* One after the other. An answer that comes at once comes from within request(): the next line is
 * then taken here, and not deeper and deeper. */
static void take_lines(struct control_peer *peer)
{
    char line[LINE_MAX_LEN], *end;
    if (peer->taking)
        return;
    peer->taking = true;
    while (!peer->waiting && !peer->closing &&
           (end = memchr(peer->line, '\n', peer->len)) != NULL) {
        size_t len = (size_t)(end - peer->line);
        memcpy(line, peer->line, len);
        peer->len -= len + 1;
        memmove(peer->line, end + 1, peer->len);
        peer->waiting = true;
        peer->socket->owner.request(peer->socket->owner.context, peer, line, len);
    }
    peer->taking = false;
}

static void on_written(uv_write_t *write, int status)
{
    (void)status;
    free(write);
}

void control_answer(struct control_peer *peer, const char *json, size_t len)
{
    peer->waiting = false;
    if (peer->closing) {
        uv_close((uv_handle_t *)&peer->pipe, on_peer_closed);
        return;
    }
    struct reply *reply = malloc(sizeof *reply + len + 1);
    if (!reply) {
        peer_close(peer);
        return;
    }
    memcpy(reply->text, json, len);
    reply->text[len] = '\n';
    uv_buf_t buffer = uv_buf_init(reply->text, (unsigned)(len + 1));
    if (uv_write(&reply->write, (uv_stream_t *)&peer->pipe, &buffer, 1, on_written) != 0)
        free(reply);
    take_lines(peer);
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct control_peer *peer = (struct control_peer *)(void *)handle;
    (void)suggested;
    *buffer = uv_buf_init(peer->line + peer->len, (unsigned)(sizeof peer->line - peer->len));
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct control_peer *peer = (struct control_peer *)(void *)stream;
    (void)buffer;
    if (count < 0) { /* closed, broken, or a line that is too long (UV_ENOBUFS) */
        peer_close(peer);
        return;
    }
    peer->len += (size_t)count;
    take_lines(peer);
}

static void on_connection(uv_stream_t *server, int status)
{
    struct control_socket *socket = (struct control_socket *)(void *)server;
    struct control_peer *peer = status == 0 ? calloc(1, sizeof *peer) : NULL;
    if (!peer)
        return;
    uv_pipe_init(server->loop, &peer->pipe, 0);
    if (uv_accept(server, (uv_stream_t *)&peer->pipe) != 0 ||
        uv_read_start((uv_stream_t *)&peer->pipe, on_room, on_read) != 0) {
        uv_close((uv_handle_t *)&peer->pipe, on_peer_closed);
        return;
    }
    peer->socket = socket;
    peer->next = socket->peers;
    if (peer->next)
        peer->next->before = peer;
    socket->peers = peer;
}

/* --- the listener -----------------------------------------------------------------------------*/

static int connect_to(const char *path)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    snprintf(un.sun_path, sizeof un.sun_path, "%s", path);
    if (connect(fd, (struct sockaddr *)&un, sizeof un) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static enum weir_err clear_path(const char *path, struct why *why)
{
    struct stat st;
    if (strlen(path) >= sizeof((struct sockaddr_un *)0)->sun_path)
        return because(why, WEIR_E_BAD_CONFIG,
                       "host.control: '%s' is longer than a socket's path may be (107)", path);
    if (lstat(path, &st) != 0)
        return WEIR_OK;
    if (!S_ISSOCK(st.st_mode))
        return because(why, WEIR_E_UNSAFE_FILE,
                       "host.control: %s: expected a socket or nothing, found a file", path);
    int fd = connect_to(path);
    if (fd >= 0) {
        close(fd);
        return because(why, WEIR_E_DUPLICATE, "host.control: %s: another host answers there", path);
    }
    (void)unlink(path);
    return WEIR_OK;
}

static void on_socket_closed(uv_handle_t *handle)
{
    free((struct control_socket *)(void *)handle);
}

struct control_socket *control_listen(uv_loop_t *loop, const char *path,
                                      const struct control_owner *owner, struct why *why)
{
    if (clear_path(path, why))
        return NULL;
    struct control_socket *socket = calloc(1, sizeof *socket);
    if (!socket) {
        (void)because(why, WEIR_E_NO_MEMORY, "control socket: %s", err_text(WEIR_E_NO_MEMORY));
        return NULL;
    }
    socket->owner = *owner;
    snprintf(socket->path, sizeof socket->path, "%s", path);
    uv_pipe_init(loop, &socket->pipe, 0);
    mode_t before = umask(0177);
    int failed = uv_pipe_bind(&socket->pipe, path);
    umask(before);
    socket->listening = failed == 0;
    if (!failed)
        failed = uv_listen((uv_stream_t *)&socket->pipe, 16, on_connection);
    if (failed) {
        (void)because(why, WEIR_E_IO, "host.control: %s: %s", path, uv_strerror(failed));
        control_close(socket);
        return NULL;
    }
    return socket;
}

void control_close(struct control_socket *socket)
{
    if (!socket)
        return;
    while (socket->peers)
        peer_close(socket->peers);
    if (socket->listening)
        (void)unlink(socket->path);
    uv_close((uv_handle_t *)&socket->pipe, on_socket_closed);
}

/* --- the client's side ------------------------------------------------------------------------*/

enum weir_err control_ask(const char *path, const char *line, struct text *answer, struct why *why)
{
    return control_ask_within(path, line, 10, answer, why);
}

enum weir_err control_ask_within(const char *path, const char *line, int within_s,
                                 struct text *answer, struct why *why)
{
    char bytes[4096];
    struct timeval patience = {.tv_sec = within_s};
    int fd = connect_to(path);
    if (fd < 0)
        return because(why, WEIR_E_DOWN, "%s: no host answers there: %m", path);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    size_t len = strlen(line);
    bool sent =
        send(fd, line, len, MSG_NOSIGNAL) == (ssize_t)len && send(fd, "\n", 1, MSG_NOSIGNAL) == 1;
    bool whole = false;
    for (ssize_t got; sent && !whole && (got = recv(fd, bytes, sizeof bytes, 0)) > 0;) {
        char *end = memchr(bytes, '\n', (size_t)got);
        whole = end != NULL;
        text_add(answer, bytes, end ? (size_t)(end - bytes) : (size_t)got);
    }
    close(fd);
    return whole ? WEIR_OK
                 : because(why, WEIR_E_TIMEOUT, "%s: the host did not answer within %d s", path,
                           within_s);
}
