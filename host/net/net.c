/* net.c - the loop, its sleep, and endpoints. */
#include "net/net.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net/own.h"

enum { ROUNDS = 16 };

/* --- the loop ---------------------------------------------------------------------------------*/

static void ignore_sigpipe(void)
{
    struct sigaction now;
    if (sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
        signal(SIGPIPE, SIG_IGN);
}

struct net *net_create(struct why *why)
{
    struct net *net = calloc(1, sizeof *net);
    if (!net || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        (void)because(why, WEIR_E_NO_MEMORY, "net: %s", err_text(WEIR_E_NO_MEMORY));
        free(net);
        return NULL;
    }
    if (uv_loop_init(&net->loop) != 0) {
        (void)because(why, WEIR_E_IO, "net: no event loop: %m");
        curl_global_cleanup();
        free(net);
        return NULL;
    }
    ignore_sigpipe();
    return net;
}

void net_destroy(struct net *net)
{
    if (!net)
        return;
    while (net->endpoints)
        net_endpoint_destroy(net->endpoints);
    uv_run(&net->loop, UV_RUN_DEFAULT); /* handles free themselves */
    uv_loop_close(&net->loop);
    curl_global_cleanup();
    free(net);
}

static void sweep(struct net *net)
{
    for (struct net_endpoint *endpoint = net->endpoints; endpoint; endpoint = endpoint->next)
        for (uint32_t i = 0; i < endpoint->conn_count; i++)
            conn_sweep(endpoint->conns[i]);
}

/* What one turn sets in motion is taken up in the next, before anybody sleeps; not for ever, since
 * the owner has other work. */
void net_turn(struct net *net)
{
    for (int i = 0; i < ROUNDS; i++) {
        net->again = false;
        uv_run(&net->loop, UV_RUN_NOWAIT);
        sweep(net);
        if (!net->again)
            return;
    }
}

static weir_ns least(weir_ns a, weir_ns b)
{
    return a < b ? a : b;
}

bool net_sleep(struct net *net, int wake_fd, weir_ns most)
{
    struct pollfd fds[2] = {{.fd = uv_backend_fd(&net->loop), .events = POLLIN},
                            {.fd = wake_fd, .events = POLLIN}};
    uv_update_time(&net->loop);
    int ms = uv_backend_timeout(&net->loop);
    bool due = net->again || ms == 0;
    weir_ns wait = due ? 0 : ms < 0 ? most : least(most, (weir_ns)ms * 1000000);
    struct timespec time = {.tv_sec = wait / 1000000000, .tv_nsec = wait % 1000000000};
    int ready = ppoll(fds, wake_fd < 0 ? 1 : 2, &time, NULL);
    return ready != 0 || due || wait < most;
}

/* --- endpoints --------------------------------------------------------------------------------*/

uint64_t endpoint_draw(struct net_endpoint *endpoint)
{
    uint64_t z = endpoint->dice += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static void fill_in(struct net_config *config)
{
#define DEFAULT(member, value) \
    if (config->member <= 0)   \
    config->member = (value)
    DEFAULT(connect_timeout, 10000000000);
    DEFAULT(idle, 30000000000);
    DEFAULT(backoff_first, 250000000);
    DEFAULT(backoff_most, 30000000000);
    DEFAULT(request_timeout, 10000000000);
#undef DEFAULT
#define DEFAULT(member, value) \
    if (config->member == 0)   \
    config->member = (value)
    DEFAULT(frame_max, 16u << 20);
    DEFAULT(queue_max, 1u << 20);
    DEFAULT(body_max, 64u << 20);
    DEFAULT(conns_max, 32);
    DEFAULT(requests_max, 64);
#undef DEFAULT
    if (config->connect_timeout < 1000000)
        config->connect_timeout = 1000000;
    config->ws = config->ws_orders = config->http = NULL;
    config->ca_files = NULL;
}

static enum weir_err take_certificates(struct net_endpoint *endpoint, const char *const *files,
                                       struct why *why)
{
    if (!files || !*files)
        return WEIR_OK;
    endpoint->trusted = X509_STORE_new();
    if (!endpoint->trusted)
        return because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
    for (; *files; files++)
        if (X509_STORE_load_file(endpoint->trusted, *files) != 1)
            return because(why, WEIR_E_BAD_CONFIG, "ca_files: '%s': expected certificates in PEM",
                           *files);
    return WEIR_OK;
}

static enum weir_err describe(struct net_endpoint *endpoint, const struct net_config *config,
                              struct why *why)
{
    enum weir_err err = url_parse(config->ws, URL_WS, &endpoint->ws, why);
    if (err) {
        while_doing(why, "ws");
        return err;
    }
    err = url_parse(config->ws_orders, URL_WS, &endpoint->ws_orders, why);
    if (err) {
        while_doing(why, "ws_orders");
        return err;
    }
    err = url_parse(config->http, URL_HTTP, &endpoint->http, why);
    if (err) {
        while_doing(why, "http");
        return err;
    }
    err = take_certificates(endpoint, config->ca_files, why);
    if (err)
        return err;
    endpoint->config = *config;
    fill_in(&endpoint->config);
    endpoint->dice = config->seed;
    endpoint->conns = calloc(endpoint->config.conns_max, sizeof(struct conn *));
    return endpoint->conns ? WEIR_OK
                           : because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
}

struct net_endpoint *net_endpoint_create(struct net *net, const struct net_config *config,
                                         const struct net_owner *owner, struct why *why)
{
    struct net_endpoint *endpoint = calloc(1, sizeof *endpoint);
    if (!endpoint) {
        (void)because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
        return NULL;
    }
    endpoint->net = net;
    endpoint->owner = *owner;
    endpoint->next = net->endpoints;
    net->endpoints = endpoint;
    if (describe(endpoint, config, why)) {
        while_doing(why, "endpoint");
        net_endpoint_destroy(endpoint);
        return NULL;
    }
    return endpoint;
}

void net_endpoint_destroy(struct net_endpoint *endpoint)
{
    if (!endpoint)
        return;
    struct net_endpoint **at = &endpoint->net->endpoints;
    while (*at != endpoint)
        at = &(*at)->next;
    *at = endpoint->next;
    for (uint32_t i = 0; i < endpoint->conn_count; i++)
        conn_release(endpoint->conns[i]);
    requests_release(endpoint);
    free(endpoint->conns);
    X509_STORE_free(endpoint->trusted);
    free(endpoint);
}

struct net_counts net_counts(const struct net_endpoint *endpoint)
{
    return endpoint->counts;
}
