/* net_bench.c - what a message of a venue costs to receive: ours, beside libwebsockets' client.
 *
 * A thread floods one plain loopback connection with frames of 200 bytes (and of 8000), written 64 KiB
 * at a time; counted is the CPU time of the receiving thread alone, system calls included, until the
 * message stands whole before its owner. libwebsockets runs in a libuv loop, as it would have to
 * here. Under the table: a message there and back, spinning and sleeping. */
#include <arpa/inet.h>
#include <libwebsockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "bench.h"
#include "net/net.h"
#include "net/upgrade.h"

enum { PIECE = 65536, ECHOES = 2000 };

/* --- the server: on each byte of `order` so many frames, or an echo of what comes ------------------*/

struct flood {
    size_t size;    /* of a message */
    uint64_t count; /* of one batch */
    int listening, order[2];
    uint16_t port;
    bool echo;
};

static bool send_all(int fd, const char *bytes, size_t len)
{
    for (ssize_t n; len > 0; bytes += n, len -= (size_t)n)
        if ((n = send(fd, bytes, len, MSG_NOSIGNAL)) <= 0)
            return false;
    return true;
}

static bool upgrade(int fd)
{
    char head[4096], key[64] = "", accept[UPGRADE_ACCEPT_LEN + 1], answer[256];
    size_t len = 0;
    while (len + 1 < sizeof head && recv(fd, head + len, 1, 0) == 1) {
        head[++len] = '\0';
        if (len >= 4 && memcmp(head + len - 4, "\r\n\r\n", 4) == 0)
            break;
    }
    const char *at = strstr(head, "Sec-WebSocket-Key: ");
    if (!at || sscanf(at, "Sec-WebSocket-Key: %63s", key) != 1)
        return false;
    upgrade_accept(key, accept);
    int n = snprintf(answer, sizeof answer,
                     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                     accept);
    return send_all(fd, answer, (size_t)n);
}

static size_t put_frame(char *at, size_t size)
{
    at[0] = (char)0x81;
    at[1] = 126;
    at[2] = (char)(size >> 8);
    at[3] = (char)size;
    memset(at + 4, 'x', size);
    return size + 4;
}

static void serve_flood(struct flood *flood, int fd)
{
    char *piece = malloc(PIECE + 16384), order;
    size_t frame = flood->size + 4, per_piece = PIECE / frame;
    for (size_t i = 0; i < per_piece; i++)
        put_frame(piece + i * frame, flood->size);
    while (read(flood->order[0], &order, 1) == 1) {
        uint64_t left = flood->count;
        while (left > 0) {
            size_t n = left < per_piece ? left : per_piece;
            if (!send_all(fd, piece, n * frame))
                break;
            left -= n;
        }
    }
    free(piece);
}

/* A client's frame is 6 bytes longer than its message, ours 2. */
static void serve_echo(int fd, size_t size)
{
    char bytes[256], back[256];
    for (;;) {
        if (recv(fd, bytes, size + 6, MSG_WAITALL) != (ssize_t)size + 6)
            return;
        back[0] = (char)0x81;
        back[1] = (char)size;
        for (size_t i = 0; i < size; i++)
            back[2 + i] = (char)(bytes[6 + i] ^ bytes[2 + i % 4]);
        if (!send_all(fd, back, size + 2))
            return;
    }
}

static void *serve(void *context)
{
    struct flood *flood = context;
    int on = 1;
    for (int fd; (fd = accept(flood->listening, NULL, NULL)) >= 0; close(fd)) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (!upgrade(fd))
            continue;
        if (flood->echo)
            serve_echo(fd, flood->size);
        else
            serve_flood(flood, fd);
    }
    return NULL;
}

static void start_flood(struct flood *flood)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof in;
    pthread_t thread;
    flood->listening = socket(AF_INET, SOCK_STREAM, 0);
    if (flood->listening < 0 || bind(flood->listening, (struct sockaddr *)&in, sizeof in) != 0 ||
        listen(flood->listening, 8) != 0 ||
        getsockname(flood->listening, (struct sockaddr *)&in, &len) != 0 ||
        pipe(flood->order) != 0 || pthread_create(&thread, NULL, serve, flood) != 0)
        bench_die("server", "cannot be made");
    flood->port = ntohs(in.sin_port);
}

/* --- ours -------------------------------------------------------------------------------------*/

struct ours {
    struct flood flood;
    struct net *net;
    struct net_endpoint *endpoint;
    uint64_t heard;
    bool up;
};

static void on_state(void *context, uint32_t conn, enum net_state state, const char *why)
{
    struct ours *ours = context;
    (void)conn, (void)why;
    ours->up = state == NET_UP;
}

static enum weir_err on_frame(void *context, uint32_t conn, struct weir_bytes frame)
{
    struct ours *ours = context;
    (void)conn;
    ours->heard += frame.len == ours->flood.size;
    return WEIR_OK;
}

static void on_response(void *context, uint32_t id, int status, struct weir_bytes body,
                        const char *why)
{
    (void)context, (void)id, (void)status, (void)body, (void)why;
}

static void begin_ours(struct ours *ours)
{
    char url[64];
    struct why why;
    struct net_owner owner = {
        .context = ours, .state = on_state, .frame = on_frame, .response = on_response};
    struct net_config config = {.ws = url};
    if (ours->net)
        return;
    start_flood(&ours->flood);
    snprintf(url, sizeof url, "ws://127.0.0.1:%u", ours->flood.port);
    ours->net = net_create(&why);
    ours->endpoint = ours->net ? net_endpoint_create(ours->net, &config, &owner, &why) : NULL;
    if (!ours->endpoint || net_connect(ours->endpoint, 1, "/"))
        bench_die("net", why.text);
    while (!ours->up) {
        net_turn(ours->net);
        net_sleep(ours->net, -1, 10000000);
    }
}

static void prepare_ours(void *context)
{
    struct ours *ours = context;
    begin_ours(ours);
    ours->heard = 0;
}

static uint64_t run_ours(void *context)
{
    struct ours *ours = context;
    if (write(ours->flood.order[1], "x", 1) != 1)
        bench_die("net", "no order");
    while (ours->heard < ours->flood.count) {
        net_turn(ours->net);
        net_sleep(ours->net, -1, 1000000000);
    }
    return ours->heard;
}

/* --- libwebsockets ----------------------------------------------------------------------------*/

struct theirs {
    struct flood flood;
    uv_loop_t loop;
    struct lws_context *context;
    uint64_t heard, bytes;
    bool up;
};

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                  size_t len)
{
    struct theirs *theirs = lws_context_user(lws_get_context(wsi));
    (void)user, (void)in;
    if (reason == LWS_CALLBACK_CLIENT_ESTABLISHED)
        theirs->up = true;
    if (reason == LWS_CALLBACK_CLIENT_RECEIVE) {
        theirs->bytes += len;
        theirs->heard += lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0;
    }
    if (reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR)
        bench_die("lws", in ? in : "no connection");
    return 0;
}

static const struct lws_protocols protocols[] = {{"", on_lws, 0, 65536, 0, NULL, 0},
                                                 {NULL, NULL, 0, 0, 0, NULL, 0}};

static void begin_theirs(struct theirs *theirs)
{
    struct lws_context_creation_info info = {0};
    struct lws_client_connect_info client = {0};
    void *loops[1] = {&theirs->loop};
    if (theirs->context)
        return;
    start_flood(&theirs->flood);
    uv_loop_init(&theirs->loop);
    lws_set_log_level(0, NULL);
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.protocols = protocols;
    info.foreign_loops = loops;
    info.options = LWS_SERVER_OPTION_LIBUV;
    info.gid = -1;
    info.uid = -1;
    info.user = theirs;
    theirs->context = lws_create_context(&info);
    client.context = theirs->context;
    client.address = client.host = "127.0.0.1";
    client.port = theirs->flood.port;
    client.path = "/";
    if (!theirs->context || !lws_client_connect_via_info(&client))
        bench_die("lws", "no client");
    while (!theirs->up)
        uv_run(&theirs->loop, UV_RUN_ONCE);
}

static void prepare_theirs(void *context)
{
    struct theirs *theirs = context;
    begin_theirs(theirs);
    theirs->heard = theirs->bytes = 0;
}

static uint64_t run_theirs(void *context)
{
    struct theirs *theirs = context;
    if (write(theirs->flood.order[1], "x", 1) != 1)
        bench_die("lws", "no order");
    while (theirs->bytes < theirs->flood.count * theirs->flood.size)
        uv_run(&theirs->loop, UV_RUN_ONCE);
    return theirs->flood.count;
}

/* --- there and back ---------------------------------------------------------------------------*/

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void there_and_back(const char *name, weir_ns sleep)
{
    static double us[ECHOES];
    struct ours ours = {.flood = {.size = 100, .echo = true}};
    char message[100];
    memset(message, 'x', sizeof message);
    begin_ours(&ours);
    for (int i = 0; i < ECHOES; i++) {
        double from = bench_wall_ns();
        uint64_t before = ours.heard;
        if (net_send(ours.endpoint, 1, (struct weir_bytes){message, sizeof message}))
            bench_die("net", "cannot send");
        while (ours.heard == before) {
            net_sleep(ours.net, -1, sleep);
            net_turn(ours.net);
        }
        us[i] = (bench_wall_ns() - from) / 1000;
    }
    qsort(us, ECHOES, sizeof us[0], by_size);
    bench_line(name, us, ECHOES, "us", NO_GOAL);
    net_destroy(ours.net);
}

static void echoes(void)
{
    bench_title(
        "100 bytes there and back over loopback, wall clock; the other side sleeps in recv");
    there_and_back("spinning", 0);
    there_and_back("sleeping", 1000000000);
}

int main(int argc, char **argv)
{
    static struct ours small = {.flood = {.size = 200, .count = 100000}};
    static struct ours large = {.flood = {.size = 8000, .count = 5000}};
    static struct theirs lws_small = {.flood = {.size = 200, .count = 100000}};
    static struct theirs lws_large = {.flood = {.size = 8000, .count = 5000}};
    const struct bench_work works[] = {
        {"net_200_bytes", prepare_ours, run_ours, &small, AT_MOST(200), false},
        {"lws_200_bytes", prepare_theirs, run_theirs, &lws_small, NO_GOAL, false},
        {"net_8000_bytes", prepare_ours, run_ours, &large, NO_GOAL, false},
        {"lws_8000_bytes", prepare_theirs, run_theirs, &lws_large, NO_GOAL, false},
    };
    bench_epilogue = echoes;
    return bench_main(argc, argv, works, sizeof works / sizeof works[0]);
}
