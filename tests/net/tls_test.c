/* tls_test.c - certificates: those that are good and those that are not, for sockets and requests. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "net/support_server.h"

#define MS 1000000

static struct client client;

static const struct {
    const char *name;
    struct cert_wish cert;
    bool with_ca, accepted;
    const char *why;
} cases[] = {
    {"a good one", {"127.0.0.1", NULL, -1, 5, false}, true, true, ""},
    {"the CA is not trusted",
     {"127.0.0.1", NULL, -1, 5, false},
     false,
     false,
     "issuer certificate"},
    {"self-signed", {"127.0.0.1", NULL, -1, 5, true}, false, false, "self-signed"},
    {"self-signed, beside a CA", {"127.0.0.1", NULL, -1, 5, true}, true, false, "self-signed"},
    {"expired", {"127.0.0.1", NULL, -5, -1, false}, true, false, "expired"},
    {"not yet valid", {"127.0.0.1", NULL, 1, 5, false}, true, false, "not yet valid"},
    {"another address", {"127.0.0.2", NULL, -1, 5, false}, true, false, "matches target"},
    {"another name", {NULL, "exchange.example.com", -1, 5, false}, true, false, "matches target"},
};

static void serve_both(struct peer *peer, void *context)
{
    (void)context;
    if (!peer_head(peer))
        return;
    if (!strstr(peer->request, "Upgrade"))
        peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    else
        peer_say(peer, "HTTP/1.1 400 No\r\n\r\n");
}

static void check(size_t i)
{
    struct server *server = server_start(serve_both, NULL, test_tls(&cases[i].cert));
    const char *files[2] = {cases[i].with_ca ? test_ca_file() : NULL};
    struct net_config config = {.ca_files = files, .backoff_first = 1000 * (weir_ns)MS};
    client_start(&client, &config, server_port(server), true);
    struct weir_request_http wish = {.size = sizeof wish, .id = 1, .method = "GET", .path = "/"};
    cr_assert_eq(net_request(client.endpoint, &wish), WEIR_OK);
    cr_assert_eq(net_connect(client.endpoint, 1, "/"), WEIR_OK);
    cr_assert(client_hears(&client, 'r', -1, 1, 5000) &&
                  client_hears(&client, 's', NET_DOWN, 1, 5000),
              "%s", cases[i].name);
    const struct heard *answer = client_nth(&client, 'r', -1, 0),
                       *down = client_nth(&client, 's', NET_DOWN, 0);
    cr_assert_eq(answer->value, cases[i].accepted ? 200 : 0, "%s: %s", cases[i].name, answer->why);
    cr_assert(strstr(answer->why, cases[i].why), "%s: '%s'", cases[i].name, answer->why);
    cr_assert(strstr(down->why, cases[i].accepted ? "400" : cases[i].why), "%s: '%s'",
              cases[i].name, down->why);
    client_stop(&client);
    server_stop(server);
}

Test(tls, what_cannot_be_verified_is_refused)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check(i);
}

/* Records of one byte, large messages, and both at once, through TLS. */
static void converse(struct peer *peer, void *context)
{
    static unsigned char bytes[300000];
    size_t len;
    (void)context;
    if (!peer_upgrade(peer))
        return;
    static const char slowly[] = "\x01\x03"
                                 "one"
                                 "\x80\x03"
                                 "two";
    for (size_t i = 0; i < sizeof slowly - 1; i++)
        peer_write(peer, slowly + i, 1);
    for (int i = 0; i < 500; i++)
        peer_frame(peer, 0x81, "tick", 4);
    while (peer_take_frame(peer, bytes, sizeof bytes, &len) >= 0)
        peer_frame(peer, 0x82, bytes, len);
}

Test(tls, messages_of_all_sizes_go_both_ways)
{
    static char large[250000];
    struct cert_wish good = {"127.0.0.1", NULL, -1, 5, false};
    struct server *server = server_start(converse, NULL, test_tls(&good));
    const char *files[2] = {test_ca_file()};
    struct net_config config = {.ca_files = files};
    client_start(&client, &config, server_port(server), true);
    cr_assert_eq(net_connect(client.endpoint, 1, "/"), WEIR_OK);
    cr_assert(client_hears(&client, 'f', -1, 501, 5000), "%zu", client_count(&client, 'f', -1));
    cr_assert_str_eq(client_nth(&client, 'f', -1, 0)->text, "onetwo");
    memset(large, 'x', sizeof large);
    size_t heard = 501;
    for (size_t size = 1; size < sizeof large; size *= 3) {
        cr_assert_eq(net_send(client.endpoint, 1, (struct weir_bytes){large, size}), WEIR_OK);
        cr_assert(client_hears(&client, 'f', -1, ++heard, 5000), "size %zu", size);
        cr_assert_eq(client_nth(&client, 'f', -1, heard - 1)->len, size);
    }
    cr_assert_eq(client_count(&client, 's', NET_DOWN), 0);
    client_stop(&client);
    server_stop(server);
}

static void plain(struct peer *peer, void *context)
{
    (void)context;
    peer_head(peer);
    peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

Test(tls, a_server_without_tls_is_refused_where_tls_is_asked_for)
{
    struct server *server = server_start(plain, NULL, NULL);
    struct net_config config = {.connect_timeout = 500 * MS,
                                .backoff_first = 1000 * (weir_ns)MS,
                                .request_timeout = 500 * MS};
    client_start(&client, &config, server_port(server), true);
    struct weir_request_http wish = {.size = sizeof wish, .id = 1, .method = "GET", .path = "/"};
    cr_assert_eq(net_request(client.endpoint, &wish), WEIR_OK);
    cr_assert_eq(net_connect(client.endpoint, 1, "/"), WEIR_OK);
    cr_assert(client_hears(&client, 'r', 0, 1, 5000) &&
              client_hears(&client, 's', NET_DOWN, 1, 5000));
    client_stop(&client);
    server_stop(server);
}
