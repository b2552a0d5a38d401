/* network.c - the sessions' road to the venues: what a plugin asks for goes to net, what comes from
 * there goes to the session, and what the session said of it is applied at once.
 *
 * In virtual time there is no network: a plugin that asks for one is told E_DOWN. */
#include <poll.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "control/host.h"

/* --- what comes -------------------------------------------------------------------------------*/

static enum weir_err on_frame(void *context, uint32_t conn, struct weir_bytes frame)
{
    struct host_venue *venue = context;
    enum weir_err err = host_frame(venue->host, venue, conn, frame);
    host_settle(venue->host);
    return err;
}

static void on_state(void *context, uint32_t conn, enum net_state state, const char *why)
{
    struct host_venue *venue = context;
    struct host *host = venue->host;
    if (state == NET_DOWN)
        log_line(LOG_WARN, venue->config->name, "connection %u is down: %s", conn, why);
    if (state == NET_UP)
        log_line(LOG_INFO, venue->config->name, "connection %u is up", conn);
    if (state == NET_CONNECTING)
        return;
    (void)session_conn(venue->session, conn, clock_now(&host->clock), state == NET_UP);
    host_settle(host);
}

static void on_response(void *context, uint32_t id, int status, struct weir_bytes body,
                        const char *why)
{
    struct host_venue *venue = context;
    struct host *host = venue->host;
    if (status == 0)
        log_line(LOG_WARN, venue->config->name, "request %u has no answer: %s", id, why);
    venue->bytes += body.len;
    if (session_response(venue->session, id, clock_now(&host->clock), status, body))
        venue->errors++;
    host_settle(host);
}

/* --- what is asked ----------------------------------------------------------------------------*/

static enum weir_err lacks(const struct host_venue *venue, enum weir_err err, const char *key)
{
    if (err == WEIR_E_UNSUPPORTED)
        log_line(LOG_ERROR, venue->config->name,
                 "the plugin asks for a connection; expected venues.%s.endpoint.%s",
                 venue->config->name, key);
    return err;
}

static enum weir_err do_connect(void *context, struct session *session, uint32_t conn,
                                const char *path)
{
    struct host_venue *venue = context;
    (void)session;
    return lacks(venue, net_connect(venue->endpoint, conn, path), "ws");
}

static enum weir_err do_send(void *context, struct session *session, uint32_t conn,
                             struct weir_bytes frame)
{
    struct host_venue *venue = context;
    (void)session;
    return net_send(venue->endpoint, conn, frame);
}

static enum weir_err do_request(void *context, struct session *session,
                                const struct weir_request_http *request)
{
    struct host_venue *venue = context;
    (void)session;
    return lacks(venue, net_request(venue->endpoint, request), "http");
}

/* --- life -------------------------------------------------------------------------------------*/

enum weir_err host_open_network(struct host *host, struct why *why)
{
    if (host->options.virtual_time)
        return WEIR_OK;
    host->net = net_create(why);
    return host->net ? WEIR_OK : why->err;
}

enum weir_err host_open_endpoint(struct host_venue *venue, struct session_owner *owner,
                                 struct why *why)
{
    const struct config_venue *config = venue->config;
    const struct host *host = venue->host;
    struct net_owner net_owner = {venue, on_state, on_frame, on_response};
    struct net_config net_config = {.ws = config->ws,
                                    .http = config->http,
                                    .ca_files = config->ca_files,
                                    .seed = (uint64_t)host->config->instance << 16 | venue->number};
    if (!host->net)
        return WEIR_OK;
    venue->endpoint = net_endpoint_create(host->net, &net_config, &net_owner, why);
    if (!venue->endpoint)
        return why->err;
    owner->connect = do_connect;
    owner->send = do_send;
    owner->request = do_request;
    return WEIR_OK;
}

void host_close_network(struct host *host)
{
    net_destroy(host->net); /* and its endpoints */
    host->net = NULL;
}

/* --- for the operator --------------------------------------------------------------------------*/

void host_tell_state(const struct host *host, const struct out_state *state)
{
    if (state->of == STATE_RECONCILING && !host->options.virtual_time)
        log_line(LOG_INFO, engine_name(host->engine, SCOPE_account, state->id), "%s",
                 state->value ? "new orders wait until it is reconciled with the venue's books"
                              : "reconciled with the venue");
}

/* --- turns ------------------------------------------------------------------------------------*/

void host_turn_network(struct host *host)
{
    net_turn(host->net);
    host_settle(host);
}

bool host_wait(struct host *host, weir_ns most)
{
    int wake = host->cells ? cells_fd(host->cells) : host->wake; /* the one holds the other */
    return net_sleep(host->net, wake, most);
}
