/* url_test.c - what an endpoint may be. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "net/net.h"
#include "net/url.h"

static const struct {
    const char *text;
    enum url_kind kind;
    const char *origin, *host, *prefix; /* origin NULL: refused, and host is in the reason */
} cases[] = {
    {"wss://stream.example.com", URL_WS, "https://stream.example.com:443", "stream.example.com",
     ""},
    {"wss://stream.example.com:9443/ws/", URL_WS, "https://stream.example.com:9443",
     "stream.example.com:9443", "/ws"},
    {"ws://127.0.0.1:8080/a", URL_WS, "http://127.0.0.1:8080", "127.0.0.1:8080", "/a"},
    {"ws://127.9.8.7", URL_WS, "http://127.9.8.7:80", "127.9.8.7", ""},
    {"ws://[::1]:80", URL_WS, "http://[::1]:80", "[::1]", ""},
    {"https://api.example.com/v3", URL_HTTP, "https://api.example.com:443", "api.example.com",
     "/v3"},
    {"http://127.0.0.1:1", URL_HTTP, "http://127.0.0.1:1", "127.0.0.1:1", ""},
    {"ws://stream.example.com", URL_WS, NULL, "loopback", NULL},
    {"ws://localhost", URL_WS, NULL, "loopback", NULL},
    {"http://10.0.0.1", URL_HTTP, NULL, "loopback", NULL},
    {"http://128.0.0.1", URL_HTTP, NULL, "loopback", NULL},
    {"http://127.0.0.1.example.com", URL_HTTP, NULL, "loopback", NULL},
    {"http://127.0.0.1@example.com/", URL_HTTP, NULL, "user", NULL},
    {"https://user:secret@example.com", URL_HTTP, NULL, "user", NULL},
    {"https://example.com/?a=b", URL_HTTP, NULL, "?", NULL},
    {"https://example.com/#a", URL_HTTP, NULL, "#", NULL},
    {"https://example.com", URL_WS, NULL, "wss://", NULL},
    {"wss://example.com", URL_HTTP, NULL, "https://", NULL},
    {"file:///etc/passwd", URL_HTTP, NULL, "https://", NULL},
    {"example.com", URL_HTTP, NULL, "URL", NULL},
    {"https://", URL_HTTP, NULL, "URL", NULL},
    {"https://example.com:99999", URL_HTTP, NULL, "URL", NULL},
};

Test(url, only_tls_or_loopback_and_nothing_hidden)
{
    struct why why;
    struct url url;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum weir_err err = url_parse(cases[i].text, cases[i].kind, &url, &why);
        if (!cases[i].origin) {
            cr_assert_eq(err, WEIR_E_BAD_CONFIG, "'%s'", cases[i].text);
            cr_assert(strstr(why.text, cases[i].host), "'%s': %s", cases[i].text, why.text);
            continue;
        }
        cr_assert_eq(err, WEIR_OK, "'%s'", cases[i].text);
        cr_assert_str_eq(url.origin, cases[i].origin);
        cr_assert_str_eq(url.host, cases[i].host);
        cr_assert_str_eq(url.prefix, cases[i].prefix);
    }
    cr_assert(url_parse("", URL_WS, &url, &why) == WEIR_OK && !url.given);
}

Test(url, an_endpoint_is_judged_before_it_connects)
{
    struct why why;
    struct net *net = net_create(&why);
    struct net_owner owner = {0};
    cr_assert_not_null(net);
    cr_assert_null(
        net_endpoint_create(net, &(struct net_config){.ws = "ws://example.com"}, &owner, &why));
    cr_assert(strstr(why.text, "endpoint: ws: "), "%s", why.text);
    cr_assert_null(net_endpoint_create(
        net, &(struct net_config){.ca_files = (const char *const[]){"/nowhere.pem", NULL}}, &owner,
        &why));
    cr_assert(strstr(why.text, "/nowhere.pem"), "%s", why.text);
    struct net_endpoint *none = net_endpoint_create(net, &(struct net_config){0}, &owner, &why);
    struct weir_request_http wish = {.size = sizeof wish, .method = "GET", .path = "/"};
    cr_assert_eq(net_connect(none, 1, "/"), WEIR_E_UNSUPPORTED);
    cr_assert_eq(net_request(none, &wish), WEIR_E_UNSUPPORTED);
    net_destroy(net); /* with what is left in it */
}
