/* support_server.c - see support_server.h. */
#include "net/support_server.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/upgrade.h"

enum { PEERS_MAX = 256 };

struct server {
    int fd;
    uint16_t port;
    serve *serve;
    void *context;
    SSL_CTX *tls;
    pthread_t thread, threads[PEERS_MAX];
    int fds[PEERS_MAX];
    atomic_uint count;
    pthread_mutex_t lock;
};

/* --- a connection -----------------------------------------------------------------------------*/

bool peer_write(struct peer *peer, const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len > 0) {
        ssize_t n =
            peer->ssl ? SSL_write(peer->ssl, at, (int)len) : send(peer->fd, at, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

bool peer_say(struct peer *peer, const char *text)
{
    return peer_write(peer, text, strlen(text));
}

static ssize_t read_some(struct peer *peer, void *bytes, size_t len)
{
    return peer->ssl ? SSL_read(peer->ssl, bytes, (int)len) : recv(peer->fd, bytes, len, 0);
}

bool peer_read(struct peer *peer, void *bytes, size_t len)
{
    for (char *at = bytes; len > 0;) {
        ssize_t n = read_some(peer, at, len);
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

void peer_drain(struct peer *peer)
{
    char bytes[4096];
    while (read_some(peer, bytes, sizeof bytes) > 0)
        ;
}

bool peer_head(struct peer *peer)
{
    size_t len = 0;
    while (len + 1 < sizeof peer->request && peer_read(peer, peer->request + len, 1)) {
        peer->request[++len] = '\0';
        if (len >= 4 && memcmp(peer->request + len - 4, "\r\n\r\n", 4) == 0)
            return true;
    }
    return false;
}

bool peer_upgrade(struct peer *peer)
{
    return peer_head(peer) && peer_answer_upgrade(peer);
}

bool peer_answer_upgrade(struct peer *peer)
{
    char key[64] = "", accept[UPGRADE_ACCEPT_LEN + 1], answer[512];
    const char *at = strstr(peer->request, "Sec-WebSocket-Key: ");
    if (!at || sscanf(at, "Sec-WebSocket-Key: %63s", key) != 1)
        return false;
    upgrade_accept(key, accept);
    snprintf(answer, sizeof answer,
             "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\n"
             "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
             accept);
    return peer_say(peer, answer);
}

bool peer_frame(struct peer *peer, uint8_t head, const void *bytes, size_t len)
{
    unsigned char start[10] = {head};
    size_t n = 2;
    if (len < 126) {
        start[1] = (unsigned char)len;
    } else if (len < 65536) {
        start[1] = 126;
        start[2] = (unsigned char)(len >> 8);
        start[3] = (unsigned char)len;
        n = 4;
    } else {
        start[1] = 127;
        for (int i = 0; i < 8; i++)
            start[2 + i] = (unsigned char)((uint64_t)len >> (56 - 8 * i));
        n = 10;
    }
    return peer_write(peer, start, n) && (len == 0 || peer_write(peer, bytes, len));
}

int peer_take_frame(struct peer *peer, unsigned char *bytes, size_t room, size_t *len_out)
{
    unsigned char start[2], more[8], mask[4];
    if (!peer_read(peer, start, 2) || !(start[1] & 0x80)) /* a client masks */
        return -1;
    uint64_t len = start[1] & 0x7f;
    size_t wide = len == 126 ? 2 : len == 127 ? 8 : 0;
    if (!peer_read(peer, more, wide) && wide)
        return -1;
    if (wide)
        len = 0;
    for (size_t i = 0; i < wide; i++)
        len = len << 8 | more[i];
    if (len > room || !peer_read(peer, mask, 4) || (len && !peer_read(peer, bytes, len)))
        return -1;
    for (uint64_t i = 0; i < len; i++)
        bytes[i] ^= mask[i % 4];
    *len_out = len;
    return start[0];
}

/* --- the server -------------------------------------------------------------------------------*/

static void *talk(void *argument)
{
    struct peer *peer = argument;
    struct server *server = peer->server;
    bool ready = true;
    if (server->tls) {
        peer->ssl = SSL_new(server->tls);
        SSL_set_fd(peer->ssl, peer->fd);
        ready = SSL_accept(peer->ssl) == 1;
    }
    if (ready)
        server->serve(peer, server->context);
    if (peer->ssl && ready)
        SSL_shutdown(peer->ssl);
    SSL_free(peer->ssl);
    pthread_mutex_lock(&server->lock);
    server->fds[peer->number - 1] = -1;
    pthread_mutex_unlock(&server->lock);
    close(peer->fd);
    free(peer);
    return NULL;
}

static void *accept_all(void *argument)
{
    struct server *server = argument;
    for (int fd; (fd = accept(server->fd, NULL, NULL)) >= 0;) {
        unsigned n = atomic_load(&server->count);
        struct peer *peer = calloc(1, sizeof *peer);
        int on = 1;
        if (n == PEERS_MAX || !peer) {
            close(fd);
            free(peer);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        peer->fd = server->fds[n] = fd;
        peer->server = server;
        peer->number = n + 1;
        if (pthread_create(&server->threads[n], NULL, talk, peer) == 0)
            atomic_store(&server->count, n + 1);
    }
    return NULL;
}

static int listening(uint16_t *port_out)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof in;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&in, sizeof in) == 0 && listen(fd, 64) == 0 &&
              getsockname(fd, (struct sockaddr *)&in, &len) == 0);
    *port_out = ntohs(in.sin_port);
    return fd;
}

struct server *server_start(serve *serve, void *context, SSL_CTX *tls)
{
    struct server *server = calloc(1, sizeof *server);
    cr_assert_not_null(server);
    server->fd = listening(&server->port);
    server->serve = serve;
    server->context = context;
    server->tls = tls;
    pthread_mutex_init(&server->lock, NULL);
    signal(SIGPIPE, SIG_IGN);
    cr_assert_eq(pthread_create(&server->thread, NULL, accept_all, server), 0);
    return server;
}

uint16_t server_port(const struct server *server)
{
    return server->port;
}

unsigned server_connections(const struct server *server)
{
    return atomic_load(&((struct server *)(uintptr_t)server)->count);
}

void server_stop(struct server *server)
{
    shutdown(server->fd, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->fd);
    unsigned count = atomic_load(&server->count);
    pthread_mutex_lock(&server->lock);
    for (unsigned i = 0; i < count; i++)
        if (server->fds[i] >= 0)
            shutdown(server->fds[i], SHUT_RDWR);
    pthread_mutex_unlock(&server->lock);
    for (unsigned i = 0; i < count; i++)
        pthread_join(server->threads[i], NULL);
    pthread_mutex_destroy(&server->lock);
    SSL_CTX_free(server->tls);
    free(server);
}

uint16_t unused_port(void)
{
    uint16_t port;
    close(listening(&port));
    return port;
}

/* --- the client -------------------------------------------------------------------------------*/

static struct heard *hear(struct client *client, char what, uint32_t id, int value, const char *why)
{
    cr_assert(client->count < HEARD_MAX);
    struct heard *heard = &client->heard[client->count++];
    *heard = (struct heard){.what = what, .id = id, .value = value, .t = clock_stopwatch()};
    snprintf(heard->why, sizeof heard->why, "%s", why);
    return heard;
}

static void keep(struct heard *heard, struct weir_bytes bytes)
{
    heard->text = malloc(bytes.len + 1);
    cr_assert_not_null(heard->text);
    memcpy(heard->text, bytes.data, bytes.len);
    heard->text[bytes.len] = '\0';
    heard->len = bytes.len;
}

static void on_state(void *context, uint32_t conn, enum net_state state, const char *why)
{
    struct client *client = context;
    hear(client, 's', conn, (int)state, why);
    if (state == NET_UP && client->greeting) {
        struct weir_bytes bytes = {client->greeting, strlen(client->greeting)};
        cr_assert_eq(net_send(client->endpoint, conn, bytes), WEIR_OK);
    }
}

static enum weir_err on_frame(void *context, uint32_t conn, struct weir_bytes frame)
{
    struct client *client = context;
    keep(hear(client, 'f', conn, 0, ""), frame);
    return client->frame_answer;
}

static void on_headers(void *context, uint32_t id, int status, struct weir_bytes headers)
{
    keep(hear(context, 'h', id, status, ""), headers);
}

static void on_response(void *context, uint32_t id, int status, struct weir_bytes body,
                        const char *why)
{
    keep(hear(context, 'r', id, status, why), body);
}

static void client_open(struct client *client, struct net *net, struct net_config *config,
                        uint16_t port, bool tls)
{
    struct net_owner owner = {.context = client,
                              .state = on_state,
                              .frame = on_frame,
                              .headers = on_headers,
                              .response = on_response};
    struct why why;
    char ws[64], http[64];
    snprintf(ws, sizeof ws, "%s://127.0.0.1:%u", tls ? "wss" : "ws", port);
    snprintf(http, sizeof http, "%s://127.0.0.1:%u/api", tls ? "https" : "http", port);
    if (!config->ws)
        config->ws = ws;
    if (!config->http)
        config->http = http;
    memset(client, 0, sizeof *client);
    client->net = net;
    client->endpoint = net_endpoint_create(client->net, config, &owner, &why);
    cr_assert_not_null(client->endpoint, "%s", why.text);
    config->ws = config->http = NULL;
}

void client_start(struct client *client, struct net_config *config, uint16_t port, bool tls)
{
    struct why why;
    struct net *net = net_create(&why);
    cr_assert_not_null(net, "%s", why.text);
    client_open(client, net, config, port, tls);
}

void client_beside(struct client *client, struct client *first, struct net_config *config,
                   uint16_t port, bool tls)
{
    client_open(client, first->net, config, port, tls);
}

void client_stop(struct client *client)
{
    struct net *net = client->net;
    client_forget(client);
    net_destroy(net);
}

void client_forget(struct client *client)
{
    net_endpoint_destroy(client->endpoint);
    for (size_t i = 0; i < client->count; i++)
        free(client->heard[i].text);
}

size_t client_count(const struct client *client, char what, int value)
{
    size_t n = 0;
    for (size_t i = 0; i < client->count; i++)
        n += client->heard[i].what == what && (value == -1 || client->heard[i].value == value);
    return n;
}

const struct heard *client_nth(const struct client *client, char what, int value, size_t n)
{
    for (size_t i = 0; i < client->count; i++)
        if (client->heard[i].what == what && (value == -1 || client->heard[i].value == value) &&
            n-- == 0)
            return &client->heard[i];
    cr_assert_fail("not so many of '%c' %d were heard", what, value);
    return NULL;
}

bool client_hears(struct client *client, char what, int value, size_t count, int ms)
{
    weir_ns end = clock_stopwatch() + (weir_ns)ms * 1000000, left;
    while (net_turn(client->net), client_count(client, what, value) < count) {
        if ((left = end - clock_stopwatch()) <= 0)
            return false;
        net_sleep(client->net, -1, left);
    }
    return true;
}

void client_runs(struct client *client, int ms)
{
    (void)client_hears(client, 'x', -1, 1, ms);
}
