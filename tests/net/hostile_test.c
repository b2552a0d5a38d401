/* hostile_test.c - servers that do all that a network and a bad proxy can do, one after the other, while
 * another venue on the same loop talks on: a clear reason, no repetition of an order, nothing left behind. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "net/support_server.h"

#define MS ((weir_ns)1000000)
enum { BODY_MAX = 100000, BOMB = 20000000 };

static struct client bad, good;

/* --- what servers do ---------------------------------------------------------------------------*/

static void say_nothing(struct peer *peer, void *context)
{
    (void)context;
    peer_drain(peer);
}

static void hang_up(struct peer *peer, void *context)
{
    char byte;
    (void)context;
    (void)peer_read(peer, &byte, 1);
}

static void reset(struct peer *peer, void *context)
{
    struct linger linger = {.l_onoff = 1};
    (void)context;
    if (!peer_head(peer))
        return;
    peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhalf");
    setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

static void say(struct peer *peer, void *context)
{
    if (peer_head(peer))
        peer_say(peer, context);
}

static void blurt(struct peer *peer, void *context)
{
    peer_say(peer, context);
    peer_drain(peer);
}

/* Byte by byte, for both: an answer, or an upgrade and a message. */
static void dribble(struct peer *peer, void *context)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow";
    (void)context;
    if (!peer_head(peer))
        return;
    for (size_t i = 0; i < sizeof text - 1; i++) {
        peer_write(peer, text + i, 1);
        usleep(200);
    }
}

/* A byte now and then, for ever. */
static void drip(struct peer *peer, void *context)
{
    (void)context;
    if (!peer_head(peer) || !peer_say(peer, "HTTP/1.1 200 OK\r\nX-Never: "))
        return;
    while (peer_say(peer, "x"))
        usleep(20000);
}

static void bomb(struct peer *peer, void *context)
{
    static unsigned char zeros[BOMB], packed[BODY_MAX];
    char head[200];
    z_stream stream = {
        .next_in = zeros, .avail_in = sizeof zeros, .next_out = packed, .avail_out = sizeof packed};
    (void)context;
    deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    int code = deflate(&stream, Z_FINISH);
    size_t len = stream.total_out;
    deflateEnd(&stream);
    if (code != Z_STREAM_END || !peer_head(peer))
        return;
    snprintf(head, sizeof head,
             "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", len);
    peer_say(peer, head);
    peer_write(peer, packed, len);
    peer_drain(peer);
}

static void flood(struct peer *peer, void *context)
{
    (void)context;
    if (peer_head(peer) && peer_say(peer, "HTTP/1.1 200 OK\r\n\r\n"))
        while (peer_say(peer, "0123456789012345678901234567890123456789012345678901234567890123"))
            ;
}

static void frame_too_large(struct peer *peer, void *context)
{
    (void)context;
    if (peer_upgrade(peer))
        peer_write(peer, "\x82\x7f\x00\x00\x00\x01\x00\x00\x00\x00x", 11);
    peer_drain(peer);
}

/* Many small pieces of one message that has no end. */
static void message_too_large(struct peer *peer, void *context)
{
    static char piece[20000];
    (void)context;
    if (!peer_upgrade(peer) || !peer_frame(peer, 0x01, piece, sizeof piece))
        return;
    while (peer_frame(peer, 0x00, piece, sizeof piece))
        ;
}

enum tls { PLAIN = 0, TLS, PLAIN_TO_TLS };

/* http and ws: of the reasons; NULL: the request succeeds with `status`, resp. no socket is tried. */
static const struct evil {
    const char *name;
    serve *serve;
    const char *text; /* what it says */
    enum tls tls;
    int status;
    size_t len; /* of the body */
    const char *http, *ws;
} evils[] = {
    {"half open", say_nothing, NULL, PLAIN, 0, 0, "timed out", "no connection within 300 ms"},
    {"dropped at once", hang_up, NULL, PLAIN, 0, 0, "", "in the upgrade"},
    {"dropped in the handshake", hang_up, NULL, PLAIN_TO_TLS, 0, 0, "", ""},
    {"silent in the handshake", say_nothing, NULL, PLAIN_TO_TLS, 0, 0, "timed out", ""},
    {"plain where TLS is asked for", blurt, "HTTP/1.1 400 Bad Request\r\n\r\n", PLAIN_TO_TLS, 0, 0,
     "", ""},
    {"reset in the body", reset, NULL, PLAIN, 0, 0, "", "200 OK"},
    {"one byte at a time", dribble, NULL, PLAIN, 200, 4, NULL, "200 OK"},
    {"one byte at a time, TLS", dribble, NULL, TLS, 200, 4, NULL, "200 OK"},
    {"a head without end", drip, NULL, PLAIN, 0, 0, "timed out", "no connection within 300 ms"},
    {"HTML", say, "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n<html></html>", PLAIN, 200, 13,
     NULL, "200 OK"},
    {"empty", say, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", PLAIN, 200, 0, NULL, "200 OK"},
    {"redirect", say,
     "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", PLAIN, 302,
     0, NULL, "302 Found"},
    {"not HTTP", say, "220 mail.example.com ESMTP\r\n\r\n", PLAIN, 0, 0, "HTTP/0.9", "220 mail"},
    {"a bad length", say, "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", PLAIN, 0, 0, "ength",
     "200 OK"},
    {"packed bomb", bomb, NULL, PLAIN, 200, 1, NULL, "200 OK"},
    {"a body without end", flood, NULL, PLAIN, 0, 0, "larger than 100000", "200 OK"},
    {"frame too large", frame_too_large, NULL, PLAIN, 0, 0, NULL, "larger"},
    {"message too large", message_too_large, NULL, PLAIN, 0, 0, NULL, "larger"},
};

/* --- the one that must not notice --------------------------------------------------------------*/

static void tick(struct peer *peer, void *context)
{
    (void)context;
    if (!peer_head(peer))
        return;
    if (!strstr(peer->request, "Upgrade")) {
        peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        return;
    }
    if (!peer_answer_upgrade(peer))
        return;
    while (peer_frame(peer, 0x81, "tick", 4))
        usleep(10000);
}

static int open_files(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    cr_assert_not_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

/* Short where the end of patience is what is waited for. */
static weir_ns patience(const struct evil *evil)
{
    return evil->http && strcmp(evil->http, "timed out") == 0 ? 300 * MS : 30000 * MS;
}

/* Both are turned, since they are of one loop, until the bad one has been heard. */
static void judge_socket(const struct evil *evil)
{
    cr_assert_eq(net_connect(bad.endpoint, 1, "/"), WEIR_OK);
    cr_assert(client_hears(&bad, 's', NET_DOWN, 1, 60000), "%s: no end", evil->name);
    const struct heard *down = client_nth(&bad, 's', NET_DOWN, 0);
    cr_assert(strstr(down->why, evil->ws) && down->why[0], "%s: '%s'", evil->name, down->why);
}

static void judge_request(const struct evil *evil)
{
    struct weir_request_http wish = {.size = sizeof wish,
                                     .id = 1,
                                     .method = "POST",
                                     .path = "/order",
                                     .timeout = patience(evil)};
    cr_assert_eq(net_request(bad.endpoint, &wish), WEIR_OK);
    cr_assert(client_hears(&bad, 'r', -1, 1, 60000), "%s: no answer", evil->name);
    const struct heard *answer = client_nth(&bad, 'r', -1, 0);
    cr_assert_eq(answer->value, evil->status, "%s: %d %s", evil->name, answer->value, answer->why);
    if (evil->http)
        cr_assert(answer->why[0] && strstr(answer->why, evil->http), "%s: '%s'", evil->name,
                  answer->why);
    else if (evil->len == 1)
        cr_assert(answer->len > 1000 && answer->len < BODY_MAX, "%s: %zu bytes", evil->name,
                  answer->len);
    else
        cr_assert_eq(answer->len, evil->len, "%s", evil->name);
}

static void judge(const struct evil *evil, uint16_t port, unsigned (*connections)(void *), void *of)
{
    const char *files[2] = {test_ca_file()};
    struct net_config config = {.ca_files = files,
                                .connect_timeout = patience(evil),
                                .backoff_first = 60000 * MS,
                                .frame_max = 65536,
                                .body_max = BODY_MAX};
    int before = open_files();
    size_t ticks = client_count(&good, 'f', -1);
    client_beside(&bad, &good, &config, port, evil->tls != PLAIN);
    if (evil->http || evil->status)
        judge_request(evil);
    unsigned asked = connections ? connections(of) : 0;
    cr_assert(!connections || !(evil->http || evil->status) || asked == 1,
              "%s: an order is sent once, and no redirect is followed", evil->name);
    judge_socket(evil);
    cr_assert(client_hears(&good, 'f', -1, ticks + 3, 60000), "%s: the other is silent",
              evil->name);
    cr_assert_eq(client_count(&good, 's', NET_DOWN), 0, "%s: the other went down", evil->name);
    client_forget(&bad);
    client_runs(&good, 5);
    if (!connections) /* else the server's own are among them */
        cr_assert_leq(open_files(), before, "%s: descriptors are left", evil->name);
}

static unsigned connections_of(void *server)
{
    return server_connections(server);
}

Test(hostile, each_has_its_reason_and_nobody_else_notices)
{
    struct cert_wish cert = {"127.0.0.1", NULL, -1, 5, false};
    struct net_config plain = {0};
    struct server *server = server_start(tick, NULL, NULL);
    client_start(&good, &plain, server_port(server), false);
    cr_assert_eq(net_connect(good.endpoint, 1, "/"), WEIR_OK);
    cr_assert(client_hears(&good, 'f', -1, 1, 60000));
    for (size_t i = 0; i < sizeof evils / sizeof evils[0]; i++) {
        SSL_CTX *tls = evils[i].tls == TLS ? test_tls(&cert) : NULL;
        struct server *evil = server_start(evils[i].serve, (void *)(uintptr_t)evils[i].text, tls);
        judge(&evils[i], server_port(evil), connections_of, evil);
        server_stop(evil);
    }
    static const struct evil refused = {"refused", NULL, NULL, PLAIN, 0, 0, "onnect", "onnect"};
    judge(&refused, unused_port(), NULL, NULL);
    struct weir_request_http wish = {.size = sizeof wish, .id = 9, .method = "GET", .path = "/"};
    cr_assert_eq(net_request(good.endpoint, &wish), WEIR_OK);
    cr_assert(client_hears(&good, 'r', 200, 1, 60000));
    client_stop(&good);
    server_stop(server);
}
