/* conn_test.c - connections over real sockets: up, alive, lost, refused, and back again. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/support_server.h"
#include "support/random.h"

#define MS 1000000

static struct client client;

static void start(struct net_config *config, struct server *server)
{
    client_start(&client, config, server_port(server), false);
}

static void sleep_ms(int ms)
{
    usleep((useconds_t)ms * 1000);
}

/* --- a conversation ---------------------------------------------------------------------------*/

static void converse(struct peer *peer, void *context)
{
    unsigned char bytes[256];
    size_t len;
    (void)context;
    if (!peer_upgrade(peer))
        return;
    peer_frame(peer, 0x81, "hello", 5);
    while (peer_take_frame(peer, bytes, sizeof bytes, &len) == 0x81)
        peer_frame(peer, 0x81, bytes, len); /* an echo */
}

Test(conn, messages_go_both_ways)
{
    struct server *server = server_start(converse, NULL, NULL);
    struct net_config config = {0};
    start(&config, server);
    cr_assert_eq(net_send(client.endpoint, 5, (struct weir_bytes){"x", 1}), WEIR_E_DOWN);
    cr_assert_eq(net_connect(client.endpoint, 5, "/stream?a=b"), WEIR_OK);
    cr_assert_eq(client.count, 0, "nothing is said from within a call of the owner");
    client.greeting = "first";
    cr_assert(client_hears(&client, 'f', -1, 2, 3000));
    cr_assert_str_eq(client_nth(&client, 'f', -1, 0)->text, "hello");
    cr_assert_str_eq(client_nth(&client, 'f', -1, 1)->text, "first");
    cr_assert_eq(client_nth(&client, 's', NET_UP, 0)->id, 5);
    cr_assert_eq(client_count(&client, 's', -1), 2, "connecting, up");
    cr_assert_eq(net_state(client.endpoint, 5), NET_UP);
    struct net_counts counts = net_counts(client.endpoint);
    cr_assert(counts.frames_in == 2 && counts.frames_out == 1 && counts.connects == 1);
    client_stop(&client);
    server_stop(server);
}

/* --- bytes as they like to come ---------------------------------------------------------------*/

static void dribble(struct peer *peer, void *context)
{
    (void)context;
    if (!peer_upgrade(peer))
        return;
    static const char stream[] = "\x01\x03"
                                 "one"
                                 "\x89\x01"
                                 "p"
                                 "\x80\x03"
                                 "two"
                                 "\x81\x05"
                                 "three";
    for (size_t i = 0; i < sizeof stream - 1; i++) {
        peer_write(peer, stream + i, 1);
        sleep_ms(1);
    }
    unsigned char pong[16];
    size_t len = 0;
    if (peer_take_frame(peer, pong, sizeof pong, &len) == 0x8a && len == 1 && pong[0] == 'p')
        peer_frame(peer, 0x81, "pong seen", 9);
    static char large[300000];
    memset(large, 'L', sizeof large);
    peer_frame(peer, 0x82, large, sizeof large);
    peer_drain(peer);
}

Test(conn, bytes_come_one_by_one_and_three_hundred_thousand_at_once)
{
    struct server *server = server_start(dribble, NULL, NULL);
    struct net_config config = {0};
    start(&config, server);
    cr_assert_eq(net_connect(client.endpoint, 1, "/"), WEIR_OK);
    cr_assert(client_hears(&client, 'f', -1, 4, 5000));
    static const char *const want[] = {"onetwo", "three", "pong seen"};
    for (size_t i = 0; i < 3; i++)
        cr_assert_str_eq(client_nth(&client, 'f', -1, i)->text, want[i]);
    cr_assert_eq(client_nth(&client, 'f', -1, 3)->len, 300000);
    client_stop(&client);
    server_stop(server);
}

/* --- ways to lose a connection ----------------------------------------------------------------*/

static const struct ending {
    const char *name;
    const char *stream; /* after the upgrade */
    size_t len;
    const char *why;
} endings[] = {{"close",
                "\x88\x06\x03\xe8"
                "done",
                8, "1000 done"},
               {"hang up", "", 0, "hung up"},
               {"hang up in a frame",
                "\x81\x05"
                "ab",
                4, "hung up"},
               {"nonsense", "HTTP/1.1 500", 12, "head"}, /* 'H': a fragment of a control frame */
               {"too large",
                "\x82\x7f\x00\x00\x00\x00\x7f\xff\xff\xff"
                "a",
                11, "larger"},
               {"a masked frame",
                "\x81\x81"
                "abcd"
                "x",
                7, "mask"}};

static void end_so(struct peer *peer, void *context)
{
    const struct ending *ending = context;
    if (peer_upgrade(peer) && (ending->len == 0 || peer_write(peer, ending->stream, ending->len)) &&
        strncmp(ending->name, "hang", 4) != 0)
        peer_drain(peer);
}

Test(conn, a_lost_connection_is_told_with_its_reason_and_made_anew)
{
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        struct server *server = server_start(end_so, (void *)(uintptr_t)&endings[i], NULL);
        struct net_config config = {.backoff_first = 10 * MS, .backoff_most = 20 * MS};
        start(&config, server);
        cr_assert_eq(net_connect(client.endpoint, 1, "/"), WEIR_OK);
        cr_assert(client_hears(&client, 's', NET_UP, 2, 5000), "%s: it comes back",
                  endings[i].name);
        const struct heard *down = client_nth(&client, 's', NET_DOWN, 0);
        cr_assert(strstr(down->why, endings[i].why), "%s: '%s'", endings[i].name, down->why);
        client_stop(&client);
        server_stop(server);
    }
}

Test(conn, a_frame_that_its_owner_refuses_drops_the_connection)
{
    struct server *server = server_start(converse, NULL, NULL);
    struct net_config config = {.backoff_first = 10 * MS, .backoff_most = 20 * MS};
    start(&config, server);
    client.frame_answer = WEIR_E_BAD_FRAME;
    cr_assert_eq(net_connect(client.endpoint, 1, "/"), WEIR_OK);
    cr_assert(client_hears(&client, 's', NET_DOWN, 1, 3000));
    cr_assert(strstr(client_nth(&client, 's', NET_DOWN, 0)->why, "refused"));
    client.frame_answer = WEIR_OK;
    cr_assert(client_hears(&client, 's', NET_UP, 2, 3000));
    net_reconnect(client.endpoint, 1, "the test says so");
    cr_assert_eq(net_send(client.endpoint, 1, (struct weir_bytes){"x", 1}), WEIR_E_DOWN);
    cr_assert(client_hears(&client, 's', NET_UP, 3, 3000));
    cr_assert_str_eq(client_nth(&client, 's', NET_DOWN, 1)->why, "the test says so");
    client_stop(&client);
    server_stop(server);
}

/* --- silence ----------------------------------------------------------------------------------*/

static void fall_silent(struct peer *peer, void *context)
{
    atomic_int *pings = context;
    unsigned char bytes[256];
    size_t len;
    if (!peer_upgrade(peer))
        return;
    for (int head; (head = peer_take_frame(peer, bytes, sizeof bytes, &len)) >= 0;) {
        atomic_fetch_add(pings, head == 0x89);
        if (peer->number == 2) /* this one lives */
            peer_frame(peer, 0x8a, bytes, len);
    }
}

Test(conn, a_half_open_connection_is_asked_and_then_given_up)
{
    atomic_int pings = 0;
    struct server *server = server_start(fall_silent, &pings, NULL);
    struct net_config config = {
        .idle = 120 * MS, .backoff_first = 10 * MS, .backoff_most = 20 * MS};
    start(&config, server);
    cr_assert_eq(net_connect(client.endpoint, 1, "/"), WEIR_OK);
    cr_assert(client_hears(&client, 's', NET_DOWN, 1, 3000));
    cr_assert_eq(atomic_load(&pings), 1);
    const struct heard *down = client_nth(&client, 's', NET_DOWN, 0);
    weir_ns lived = down->t - client_nth(&client, 's', NET_UP, 0)->t;
    cr_assert(strstr(down->why, "no byte") && lived >= 119 * MS && lived < 2000 * (weir_ns)MS,
              "'%s' after %" PRId64, down->why, lived);
    cr_assert(client_hears(&client, 's', NET_UP, 2, 3000));
    client_runs(&client, 500);
    cr_assert_eq(client_count(&client, 's', NET_DOWN), 1, "a pong is life");
    client_stop(&client);
    server_stop(server);
}

static void say_nothing(struct peer *peer, void *context)
{
    (void)context;
    peer_drain(peer);
}

/* --- refused ----------------------------------------------------------------------------------*/

Test(conn, a_refused_port_is_tried_again_ever_more_slowly)
{
    struct net_config config = {.backoff_first = 8 * MS, .backoff_most = 64 * MS, .seed = 5};
    client_start(&client, &config, unused_port(), false);
    cr_assert_eq(net_connect(client.endpoint, 1, "/"), WEIR_OK);
    cr_assert(client_hears(&client, 's', NET_DOWN, 8, 5000));
    weir_ns delay = 8 * MS;
    for (size_t i = 0; i + 1 < 8; i++) {
        weir_ns waited = client_nth(&client, 's', NET_CONNECTING, i + 1)->t -
                         client_nth(&client, 's', NET_DOWN, i)->t;
        cr_assert(waited >= delay / 2 - MS && waited < delay + 200 * MS, "delay %zu: %" PRId64, i,
                  waited);
        delay = delay * 2 < 64 * MS ? delay * 2 : 64 * MS;
    }
    cr_assert_gt(strlen(client_nth(&client, 's', NET_DOWN, 0)->why), 5);
    cr_assert_eq(net_counts(client.endpoint).failures, 8);
    client_stop(&client);
}

static const struct answer {
    const char *name, *text, *why;
} answers[] = {
    {"an error page", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>",
     "'HTTP/1.1 200 OK'"},
    {"a redirect", "HTTP/1.1 301 Moved\r\nLocation: ws://127.0.0.1/\r\n\r\n", "301"},
    {"forbidden", "HTTP/1.1 403 Forbidden\r\n\r\n", "403"},
    {"HTTP/1.0", "HTTP/1.0 101 Switching\r\n\r\n", "expected HTTP/1.1 101"},
    {"no key", "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
     "Sec-WebSocket-Accept"},
    {"another key",
     "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: "
     "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
     "Sec-WebSocket-Accept"},
    {"no upgrade", "HTTP/1.1 101 S\r\nConnection: upgrade\r\n\r\n", "Upgrade: websocket"},
    {"compression", "HTTP/1.1 101 S\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
     "extension"},
    {"a subprotocol", "HTTP/1.1 101 S\r\nSec-WebSocket-Protocol: chat\r\n\r\n", "subprotocol"},
    {"no header", "HTTP/1.1 101 S\r\nwhat is this\r\n\r\n", "colon"},
    {"not HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n", "SSH"},
    {"nothing", "", "hung up"},
};

static void answer_so(struct peer *peer, void *context)
{
    if (peer_head(peer))
        peer_say(peer, ((const struct answer *)context)->text);
}

static void answer_for_ever(struct peer *peer, void *context)
{
    (void)context;
    if (peer_head(peer) && peer_say(peer, "HTTP/1.1 101 S\r\n"))
        while (peer_say(peer, "X-Filler: 0123456789012345678901234567890123456789\r\n"))
            ;
}

static void refused(serve *serve, const struct answer *answer)
{
    struct server *server = server_start(serve, (void *)(uintptr_t)answer, NULL);
    bool silent = strstr(answer->why, "200 ms") != NULL; /* else a slow machine has time */
    struct net_config config = {.connect_timeout = (silent ? 200 : 60000) * (weir_ns)MS,
                                .backoff_first = 60000 * (weir_ns)MS};
    start(&config, server);
    cr_assert_eq(net_connect(client.endpoint, 1, "/"), WEIR_OK);
    cr_assert(client_hears(&client, 's', NET_DOWN, 1, 60000), "%s", answer->name);
    cr_assert(strstr(client_nth(&client, 's', NET_DOWN, 0)->why, answer->why), "%s: '%s'",
              answer->name, client_nth(&client, 's', NET_DOWN, 0)->why);
    cr_assert_eq(client_count(&client, 's', NET_UP), 0, "%s", answer->name);
    cr_assert_eq(server_connections(server), 1, "%s: it leads nowhere else", answer->name);
    client_stop(&client);
    server_stop(server);
}

Test(conn, an_answer_that_is_no_upgrade_is_refused_by_name)
{
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
        refused(answer_so, &answers[i]);
    refused(answer_for_ever, &(struct answer){"a head without end", "", "16384"});
    refused(say_nothing, &(struct answer){"silence", "", "no connection within 200 ms"});
}

/* --- a slow reader ----------------------------------------------------------------------------*/

static void read_late(struct peer *peer, void *context)
{
    atomic_int *go = context;
    static unsigned char bytes[70000];
    size_t len;
    unsigned count = 0;
    char line[64];
    if (!peer_upgrade(peer))
        return;
    while (!atomic_load(go))
        sleep_ms(5);
    while (peer_take_frame(peer, bytes, sizeof bytes, &len) == 0x81 && len == 60000 &&
           bytes[0] == 'a' + count % 26 && bytes[len - 1] == bytes[0])
        count++;
    snprintf(line, sizeof line, "%u", count);
    peer_frame(peer, 0x81, line, strlen(line));
    peer_drain(peer);
}

Test(conn, what_waits_is_bounded_and_arrives_whole_and_nobody_else_waits)
{
    atomic_int go = 0;
    static char large[60000];
    struct server *slow = server_start(read_late, &go, NULL);
    struct server *quick = server_start(converse, NULL, NULL);
    struct net_config config = {.queue_max = 200000};
    struct why why;
    char url[64];
    start(&config, slow);
    snprintf(url, sizeof url, "ws://127.0.0.1:%u", server_port(quick));
    static struct client other;
    client_start(&other, &(struct net_config){0}, server_port(quick), false);
    cr_assert_eq(net_connect(client.endpoint, 1, "/"), WEIR_OK);
    cr_assert_eq(net_connect(other.endpoint, 1, "/"), WEIR_OK);
    cr_assert(client_hears(&client, 's', NET_UP, 1, 3000) &&
              client_hears(&other, 'f', -1, 1, 3000));
    unsigned sent = 0;
    for (int rounds = 0; rounds < 3; sent++) {
        memset(large, 'a' + (int)(sent % 26), sizeof large);
        enum weir_err err = net_send(client.endpoint, 1, (struct weir_bytes){large, sizeof large});
        if (err == WEIR_E_FULL) {
            sent--;
            rounds++;
            client_runs(&client, 20);
            continue;
        }
        cr_assert_eq(err, WEIR_OK);
        cr_assert_lt(sent, 1000, "the queue has no end");
    }
    cr_assert_eq(net_send(other.endpoint, 1, (struct weir_bytes){"still here", 10}), WEIR_OK);
    cr_assert(client_hears(&other, 'f', -1, 2, 3000));
    cr_assert_geq(net_counts(client.endpoint).refused, 3);
    atomic_store(&go, 1);
    client_runs(&client, 300);
    cr_assert_eq(net_send(client.endpoint, 1, (struct weir_bytes){"the end", 7}), WEIR_OK);
    cr_assert(client_hears(&client, 'f', -1, 1, 5000));
    char want[32];
    snprintf(want, sizeof want, "%u", sent);
    cr_assert_str_eq(client_nth(&client, 'f', -1, 0)->text, want);
    (void)why;
    client_stop(&other);
    client_stop(&client);
    server_stop(slow);
    server_stop(quick);
}

/* --- a flood ----------------------------------------------------------------------------------*/

static void flood(struct peer *peer, void *context)
{
    (void)context;
    if (peer_upgrade(peer))
        for (int i = 0; i < 3000 && peer_frame(peer, 0x81, "tick", 4); i++)
            ;
    peer_drain(peer);
}

Test(conn, a_flood_is_read_whole_in_turns_that_end)
{
    struct server *server = server_start(flood, NULL, NULL);
    struct net_config config = {0};
    start(&config, server);
    cr_assert_eq(net_connect(client.endpoint, 1, "/"), WEIR_OK);
    cr_assert(client_hears(&client, 'f', -1, 3000, 5000), "%zu", client_count(&client, 'f', -1));
    client_stop(&client);
    server_stop(server);
}

/* --- what is asked ----------------------------------------------------------------------------*/

static void tell_path(struct peer *peer, void *context)
{
    (void)context;
    if (peer_upgrade(peer))
        peer_frame(peer, 0x81, peer->request, strcspn(peer->request, "\r"));
    peer_drain(peer);
}

Test(conn, the_path_is_the_urls_and_the_plugins_and_can_be_moved)
{
    struct server *server = server_start(tell_path, NULL, NULL);
    char url[64];
    snprintf(url, sizeof url, "ws://127.0.0.1:%u/base/", server_port(server));
    struct net_config config = {.ws = url, .conns_max = 2, .backoff_first = 10 * MS};
    start(&config, server);
    static const char *const bad[] = {"",     "x",     "/a b", "/a\r\nHost: evil",
                                      "/a\n", "/\x7f", "/#a",  "/\xc3\xa9"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_eq(net_connect(client.endpoint, 1, bad[i]), WEIR_E_USAGE, "'%s'", bad[i]);
    static char endless[4000] = "/";
    memset(endless + 1, 'a', sizeof endless - 2);
    cr_assert_eq(net_connect(client.endpoint, 1, endless), WEIR_E_USAGE);
    cr_assert_eq(net_connect(client.endpoint, 1, "/one"), WEIR_OK);
    cr_assert_eq(net_connect(client.endpoint, 1, "/one"), WEIR_OK);
    cr_assert_eq(net_connect(client.endpoint, 2, "/two"), WEIR_OK);
    cr_assert_eq(net_connect(client.endpoint, 3, "/three"), WEIR_E_FULL);
    cr_assert(client_hears(&client, 'f', -1, 2, 3000));
    cr_assert_eq(net_connect(client.endpoint, 1, "/other?x=1"), WEIR_OK);
    cr_assert(client_hears(&client, 'f', -1, 3, 3000));
    cr_assert_str_eq(client_nth(&client, 'f', -1, 2)->text, "GET /base/other?x=1 HTTP/1.1");
    cr_assert_eq(client_nth(&client, 'f', -1, 2)->id, 1);
    client_stop(&client);
    server_stop(server);
}

Test(conn, an_endpoint_can_end_at_any_moment)
{
    struct server *server = server_start(converse, NULL, NULL);
    uint64_t random = 11;
    for (int i = 0; i < 60; i++) {
        struct net_config config = {
            .backoff_first = MS, .backoff_most = 2 * MS, .seed = (uint64_t)i};
        start(&config, server);
        client.greeting = "hi";
        cr_assert_eq(net_connect(client.endpoint, 1, "/"), WEIR_OK);
        struct weir_request_http wish = {
            .size = sizeof wish, .id = 1, .method = "GET", .path = "/x"};
        cr_assert_eq(net_request(client.endpoint, &wish), WEIR_OK);
        weir_ns left = (weir_ns)random_below(&random, 3000) * 1000;
        for (int turn = 0; turn < (int)random_below(&random, 8); turn++) {
            net_turn(client.net);
            net_sleep(client.net, -1, left);
        }
        client_stop(&client);
    }
    server_stop(server);
}
