/* network.c - the sessions' road to the venues: what a plugin asks for goes to net, what comes from
 * there goes to the session, and what the session said of it is applied at once.
 *
 * In virtual time there is no network, unless the feed is one (tests): a plugin that asks for one is told
 * E_DOWN. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "control/host.h"

/* --- what comes -------------------------------------------------------------------------------*/

static enum weir_err on_frame(void *context, uint32_t conn, struct weir_bytes frame)
{
    struct host_venue *venue = context;
    if (venue->recorder)
        recorder_frame(venue->recorder, conn, clock_now(&venue->host->clock), frame);
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

static void on_headers(void *context, uint32_t id, int status, struct weir_bytes headers)
{
    struct host_venue *venue = context;
    (void)session_headers(venue->session, id, clock_now(&venue->host->clock), status, headers);
}

/* Answers to public questions, such as a snapshot of a book; what was signed, or changes something, is
 * nobody's business. */
static void record_answer(struct host_venue *venue, uint32_t id, int status, struct weir_bytes body)
{
    for (size_t i = 0; venue->recorder && i < sizeof venue->asked / sizeof venue->asked[0]; i++) {
        struct host_asked *asked = &venue->asked[i];
        if (asked->path[0] == '\0' || asked->id != id)
            continue;
        if (status == 200)
            recorder_http(venue->recorder, clock_now(&venue->host->clock), asked->path, body);
        asked->path[0] = '\0';
    }
}

static void on_response(void *context, uint32_t id, int status, struct weir_bytes body,
                        const char *why)
{
    struct host_venue *venue = context;
    struct host *host = venue->host;
    if (status == 0)
        log_line(LOG_WARN, venue->config->name, "request %u has no answer: %s", id, why);
    venue->bytes += body.len;
    record_answer(venue, id, status, body);
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
    if (venue->recorder && strcmp(request->method, "GET") == 0 && !request->headers &&
        !strstr(request->path, "signature=")) {
        struct host_asked *asked =
            &venue->asked[venue->asked_next++ % (sizeof venue->asked / sizeof venue->asked[0])];
        asked->id = request->id;
        snprintf(asked->path, sizeof asked->path, "%s", request->path);
    }
    return lacks(venue, net_request(venue->endpoint, request), "http");
}

static enum weir_err do_connect_to(void *context, struct session *session, uint32_t conn,
                                   const char *door, const char *path)
{
    struct host_venue *venue = context;
    (void)session;
    return lacks(venue, net_connect_to(venue->endpoint, conn, door, path),
                 strcmp(door, "orders") == 0 ? "ws_orders" : "ws");
}

static enum weir_err do_sign(void *context, struct session *session, const char *key,
                             const char *algorithm, struct weir_bytes in, unsigned char *out,
                             size_t *len)
{
    const struct host_venue *venue = context;
    (void)session;
    return signer_sign(venue->host->signer, key, algorithm, in, out, len);
}

static enum weir_err do_key_id(void *context, struct session *session, const char *key, char *out,
                               size_t room)
{
    const struct host_venue *venue = context;
    (void)session;
    return signer_id(venue->host->signer, key, out, room);
}

static weir_ns do_clock(void *context, struct session *session, weir_ns sent, weir_ns received,
                        weir_ns venue_time)
{
    struct host_venue *venue = context;
    (void)session;
    weir_ns ahead = net_clock(venue->endpoint, sent, received, venue_time);
    venue->clock_known |= venue_time > 0;
    venue->clock_ahead = ahead;
    return ahead;
}

static void do_budget(void *context, struct session *session, const struct weir_budget *budget)
{
    struct host_venue *venue = context;
    (void)session;
    net_budget(venue->endpoint, budget);
}

static enum weir_err do_spend(void *context, struct session *session, uint32_t weight,
                              uint32_t orders, uint32_t lane)
{
    struct host_venue *venue = context;
    (void)session;
    return net_spend(venue->endpoint, weight, orders, lane);
}

static void do_banned(void *context, struct session *session, weir_ns until)
{
    struct host_venue *venue = context;
    (void)session;
    net_ban(venue->endpoint, until);
    log_line(LOG_ERROR, venue->config->name, "the venue refuses everything for %lld ms",
             (long long)((until - clock_now(&venue->host->clock)) / 1000000));
}

/* --- keys -------------------------------------------------------------------------------------*/

/* Is it named by a venue's `settings.key`? */
static bool is_used(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->venue_count; i++)
        for (const struct weir_setting *at = config->venues[i].settings; at && at->name; at++)
            if (strcmp(at->name, "key") == 0 && strcmp(at->value, name) == 0)
                return true;
    return false;
}

static enum weir_err open_keys(struct host *host, struct why *why)
{
    const struct config *config = host->config;
    enum weir_err err = WEIR_OK;
    host->signer = signer_create(why);
    if (!host->signer)
        return why->err;
    for (size_t i = 0; i < config->key_count && !err; i++) {
        const struct config_key *key = &config->keys[i];
        if (!is_used(config, key->name))
            continue;
        err = signer_add(host->signer, key->name, key->id, key->secret, key->base64, why);
        if (err)
            while_doing(why, "keys.%s", key->name);
    }
    return err;
}

/* --- life -------------------------------------------------------------------------------------*/

enum weir_err host_open_network(struct host *host, struct why *why)
{
    const struct host_feed *feed = host->options.feed;
    if (host->options.virtual_time && !(feed && feed->live))
        return WEIR_OK;
    host->net = net_create(why);
    return host->net ? open_keys(host, why) : why->err;
}

enum weir_err host_open_endpoint(struct host_venue *venue, struct session_owner *owner,
                                 struct why *why)
{
    const struct config_venue *config = venue->config;
    const struct host *host = venue->host;
    struct net_owner net_owner = {.context = venue,
                                  .state = on_state,
                                  .frame = on_frame,
                                  .headers = on_headers,
                                  .response = on_response};
    struct net_config net_config = {.ws = config->ws,
                                    .ws_orders = config->ws_orders,
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
    owner->connect_to = do_connect_to;
    owner->sign = do_sign;
    owner->key_id = do_key_id;
    owner->venue_clock = do_clock;
    owner->budget = do_budget;
    owner->spend = do_spend;
    owner->banned = do_banned;
    return WEIR_OK;
}

void host_close_network(struct host *host)
{
    net_destroy(host->net); /* and its endpoints */
    host->net = NULL;
    signer_destroy(host->signer);
    host->signer = NULL;
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
