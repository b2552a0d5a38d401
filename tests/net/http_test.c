/* http_test.c - requests over real sockets, answered well and badly. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/support_server.h"

#define MS 1000000

static struct client client;

static enum weir_err ask(uint32_t id, const char *method, const char *path, const char *body,
                         bool idempotent, weir_ns timeout)
{
    struct weir_request_http wish = {.size = sizeof wish,
                                     .id = id,
                                     .method = method,
                                     .path = path,
                                     .body = {body, body ? strlen(body) : 0},
                                     .idempotent = idempotent,
                                     .timeout = timeout};
    return net_request(client.endpoint, &wish);
}

/* --- answers ----------------------------------------------------------------------------------*/

static const struct answer {
    const char *name, *text;
    int status;
    const char *body, *why;
} answers[] = {
    {"200", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"a\":1}", 200, "{\"a\":1}", ""},
    {"500", "HTTP/1.1 500 No\r\nContent-Length: 4\r\n\r\noops", 500, "oops", ""},
    {"HTML with 200",
     "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>", 200, "<html>",
     ""},
    {"empty", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "", ""},
    {"204", "HTTP/1.1 204 No Content\r\n\r\n", 204, "", ""},
    {"418", "HTTP/1.1 418 Ban\r\nRetry-After: 5\r\nContent-Length: 2\r\n\r\n{}", 418, "{}", ""},
    {"a redirect", "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", 302,
     "", ""},
    {"chunks",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", 200,
     "abcde", ""},
    {"until the end", "HTTP/1.1 200 OK\r\n\r\nall of it", 200, "all of it", ""},
    {"compressed though not asked for",
     "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08", 200,
     "\x1f\x8b\x08", ""},
    {"a body cut short", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", 0, "",
     "bytes remaining"},
    {"bad chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc", 0, "",
     "chunk"},
    {"no answer", "", 0, "", "mpty reply"},
    {"not HTTP", "SSH-2.0-OpenSSH_9.2\r\n", 0, "", "HTTP/0.9"},
    {"too large", "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", 0, "", "larger than 4096"},
};

static void answer_so(struct peer *peer, void *context)
{
    const struct answer *answer = context;
    if (!peer_head(peer))
        return;
    peer_say(peer, answer->text);
    if (strcmp(answer->name, "too large") == 0)
        for (int i = 0; i < 500 && peer_say(peer, "0123456789"); i++)
            ;
}

Test(http, each_answer_comes_once_and_says_what_it_was)
{
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        const struct answer *answer = &answers[i];
        struct server *server = server_start(answer_so, (void *)(uintptr_t)answer, NULL);
        struct net_config config = {.body_max = 4096};
        client_start(&client, &config, server_port(server), false);
        cr_assert_eq(ask(7, "GET", "/x?a=1", NULL, true, 0), WEIR_OK);
        cr_assert_eq(client.count, 0);
        cr_assert(client_hears(&client, 'r', -1, 1, 5000), "%s", answer->name);
        client_runs(&client, 20);
        const struct heard *heard = client_nth(&client, 'r', -1, 0);
        cr_assert(heard->id == 7 && heard->value == answer->status, "%s: %d %s", answer->name,
                  heard->value, heard->why);
        cr_assert_str_eq(heard->text, answer->body, "%s", answer->name);
        cr_assert(strstr(heard->why, answer->why) && !*heard->why == !*answer->why, "%s: '%s'",
                  answer->name, heard->why);
        cr_assert_eq(client_count(&client, 'r', -1), 1, "%s", answer->name);
        cr_assert_eq(server_connections(server), 1, "%s: nothing is followed, nothing repeated",
                     answer->name);
        client_stop(&client);
        server_stop(server);
    }
}

/* --- what is asked ----------------------------------------------------------------------------*/

static void echo(struct peer *peer, void *context)
{
    (void)context;
    while (peer_head(peer)) {
        char body[512] = "", answer[9000];
        const char *length = strstr(peer->request, "Content-Length: ");
        unsigned long len = length ? strtoul(length + 16, NULL, 10) : 0;
        if (len >= sizeof body || (len && !peer_read(peer, body, len)))
            return;
        int n = snprintf(
            answer, sizeof answer, "%.*s|%s|%s", (int)strcspn(peer->request, "\r"), peer->request,
            body,
            strstr(peer->request, "Expect:") || strstr(peer->request, "Accept-Encoding") ? "more"
                                                                                         : "");
        char head[100];
        snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n",
                 strncmp(peer->request, "HEAD", 4) ? n : 0);
        peer_say(peer, head);
        if (strncmp(peer->request, "HEAD", 4) != 0)
            peer_say(peer, answer);
    }
}

Test(http, methods_bodies_and_paths_are_as_asked)
{
    static const struct {
        const char *method, *path, *body, *want;
    } cases[] = {{"GET", "/a?b=c%20d", NULL, "GET /api/a?b=c%20d HTTP/1.1||"},
                 {"POST", "/order?x=1", NULL, "POST /api/order?x=1 HTTP/1.1||"},
                 {"POST", "/order", "qty=1", "POST /api/order HTTP/1.1|qty=1|"},
                 {"PUT", "/k", "a=b", "PUT /api/k HTTP/1.1|a=b|"},
                 {"PUT", "/k", NULL, "PUT /api/k HTTP/1.1||"},
                 {"DELETE", "/order?id=1", NULL, "DELETE /api/order?id=1 HTTP/1.1||"},
                 {"DELETE", "/order", "id=1", "DELETE /api/order HTTP/1.1|id=1|"},
                 {"GET", "/../x/./y", NULL, "GET /api/../x/./y HTTP/1.1||"},
                 {"HEAD", "/", NULL, ""}};
    struct server *server = server_start(echo, NULL, NULL);
    struct net_config config = {.requests_max = 3};
    client_start(&client, &config, server_port(server), false);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_assert_eq(ask((uint32_t)i, cases[i].method, cases[i].path, cases[i].body, false, 0),
                     WEIR_OK);
        cr_assert(client_hears(&client, 'r', 200, i + 1, 3000), "%s %s: %s", cases[i].method,
                  cases[i].path, client.count ? client.heard[client.count - 1].why : "");
        cr_assert_str_eq(client_nth(&client, 'r', 200, i)->text, cases[i].want);
    }
    cr_assert_eq(server_connections(server), 1, "a connection is used again");
    static const char *const bad_methods[] = {"", "get", "GET /", "G\r\nX", "ABCDEFGHIJKLMNOPQR"};
    for (size_t i = 0; i < sizeof bad_methods / sizeof bad_methods[0]; i++)
        cr_assert_eq(ask(1, bad_methods[i], "/", NULL, false, 0), WEIR_E_USAGE, "'%s'",
                     bad_methods[i]);
    cr_assert_eq(ask(1, "GET", "http://example.com/", NULL, false, 0), WEIR_E_USAGE);
    cr_assert_eq(ask(1, "GET", "/a b", NULL, false, 0), WEIR_E_USAGE);
    for (uint32_t i = 0; i < 3; i++)
        cr_assert_eq(ask(100 + i, "GET", "/", NULL, false, 0), WEIR_OK);
    cr_assert_eq(ask(103, "GET", "/", NULL, false, 0), WEIR_E_FULL);
    cr_assert(client_hears(&client, 'r', 200, 12, 3000));
    client_stop(&client);
    server_stop(server);
}

/* --- time -------------------------------------------------------------------------------------*/

static void slow(struct peer *peer, void *context)
{
    (void)context;
    if (!peer_head(peer) || !peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n"))
        return;
    for (int i = 0; i < 40 && peer_say(peer, "x"); i++)
        usleep(strstr(peer->request, "very") ? 100000 : 3000);
}

Test(http, a_slow_answer_is_waited_for_and_a_late_one_is_not)
{
    struct server *server = server_start(slow, NULL, NULL);
    struct net_config config = {.request_timeout = 2000 * (weir_ns)MS};
    client_start(&client, &config, server_port(server), false);
    cr_assert_eq(ask(1, "GET", "/slow", NULL, false, 0), WEIR_OK);
    cr_assert_eq(ask(2, "GET", "/very_slow", NULL, false, 100 * MS), WEIR_OK);
    cr_assert(client_hears(&client, 'r', -1, 2, 5000));
    const struct heard *late = client_nth(&client, 'r', 0, 0),
                       *whole = client_nth(&client, 'r', 200, 0);
    cr_assert(late->id == 2 && strstr(late->why, "timed out"), "'%s'", late->why);
    cr_assert(whole->id == 1 && whole->len == 40);
    client_stop(&client);
    server_stop(server);
}

Test(http, a_refused_port_is_an_answer_too)
{
    struct net_config config = {0};
    client_start(&client, &config, unused_port(), false);
    cr_assert_eq(ask(1, "GET", "/", NULL, true, 0), WEIR_OK);
    cr_assert(client_hears(&client, 'r', 0, 1, 3000));
    cr_assert(strstr(client_nth(&client, 'r', 0, 0)->why, "onnect"), "%s",
              client_nth(&client, 'r', 0, 0)->why);
    client_stop(&client);
}

/* --- once -------------------------------------------------------------------------------------*/

/* Answers the first request of a connection; reads the second, and hangs up. */
static void die_on_the_second(struct peer *peer, void *context)
{
    atomic_int *requests = context;
    for (int i = 0; i < 2 && peer_head(peer); i++) {
        atomic_fetch_add(requests, 1);
        if (i == 0)
            peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
}

Test(http, an_order_is_on_the_wire_at_most_once)
{
    static const struct {
        const char *method, *body;
        bool idempotent;
        int status;
        int requests;
    } cases[] = {{"POST", NULL, false, 0, 2},
                 {"POST", "a=b", false, 0, 2},
                 {"DELETE", NULL, false, 0, 2},
                 {"GET", NULL, false, 0, 2},
                 {"GET", NULL, true, 200, 3}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atomic_int requests = 0;
        struct server *server = server_start(die_on_the_second, &requests, NULL);
        struct net_config config = {0};
        client_start(&client, &config, server_port(server), false);
        cr_assert_eq(ask(1, "GET", "/warm", NULL, true, 0), WEIR_OK);
        cr_assert(client_hears(&client, 'r', 200, 1, 3000));
        cr_assert_eq(ask(2, cases[i].method, "/order", cases[i].body, cases[i].idempotent, 0),
                     WEIR_OK);
        cr_assert(client_hears(&client, 'r', -1, 2, 3000));
        client_runs(&client, 50);
        const struct heard *heard = client_nth(&client, 'r', -1, 1);
        cr_assert_eq(heard->value, cases[i].status, "case %zu: %s", i, heard->why);
        cr_assert(heard->value || strstr(heard->why, "after the request was sent"),
                  "case %zu: '%s'", i, heard->why);
        cr_assert_eq(atomic_load(&requests), cases[i].requests, "case %zu: %d requests", i,
                     atomic_load(&requests));
        client_stop(&client);
        server_stop(server);
    }
}
