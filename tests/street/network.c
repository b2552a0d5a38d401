/* network.c - the wires: host/net for the host, server.c for the exchange, on virtual time.
 *
 * All that is on its way stands in one list by the time that it arrives. What a line carries in one
 * direction arrives in order; lines do not wait for each other. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "kill/support.h"
#include "net/own.h"
#include "street/street.h"
#include "support/random.h"

#define MS ((weir_ns)1000000)

const char *const street_codes[10] = {"-1013", "-1021", "-1003", "-1001", "-1007",
                                      "-2013", "-2011", "-2010", "-1022", "-4056"};

enum { LINES_MAX = 64, PATH_MOST = 2048 };
enum what { OPEN = 1, UP, TO_VENUE, TO_HOST, END, ASK, ANSWER, GIVE_UP, CLOSE };

/* A WebSocket: the host's end and the exchange's. */
struct client {
    struct street *street;
    struct net_endpoint *endpoint;
    uint32_t number;
    char path[PATH_MOST];
    uint64_t life; /* counts; what is on its way for another life is lost */
    enum net_state state;
    bool wanted, there; /* there: the exchange knows of it */
    bool mute;          /* nothing gets through, and nobody is told */
    unsigned tries;
    weir_ns hold, last_sent;
    bool ending;
};

/* An HTTP request. */
struct reply {
    struct street *street;
    struct net_endpoint *endpoint;
    struct reply *next;
    uint32_t id;
    char method[8], path[4096], body[4096], key[200];
    bool asked, over; /* the exchange knows of it; the host has its answer */
    bool idempotent;
    unsigned status;
    struct text headers, answer;
};

struct event {
    struct event *next;
    weir_ns due;
    enum what what;
    struct client *client;
    uint64_t life;
    struct reply *reply;
    size_t len;
    char bytes[];
};

struct server {
    struct street *street;
};

struct street {
    struct exchange exchange;
    struct server server;
    struct host_feed feed;
    struct event *events;
    struct client lines[LINES_MAX];
    size_t line_count;
    struct reply *replies;
    uint64_t random, lives;
    unsigned closed;
    bool silent;
    uint64_t audited;
    struct street_counts counts;
    struct net net;
};

static struct street *street; /* net.h knows nothing of it */

weir_ns street_now(const struct street *of)
{
    return of->exchange.clock.now;
}

static weir_ns latency(void)
{
    return MS / 5 + (weir_ns)random_below(&street->random, MS);
}

/* --- what is on its way ------------------------------------------------------------------------- */

static void put(enum what what, weir_ns due, struct client *client, struct reply *reply,
                const char *bytes, size_t len)
{
    struct event *event = malloc(sizeof *event + len + 1), **at = &street->events;
    if (!event)
        give_up("out of memory");
    *event = (struct event){.due = due,
                            .what = what,
                            .client = client,
                            .life = client ? client->life : 0,
                            .reply = reply,
                            .len = len};
    if (len > 0)
        memcpy(event->bytes, bytes, len);
    event->bytes[len] = '\0';
    while (*at && (*at)->due <= due)
        at = &(*at)->next;
    event->next = *at;
    *at = event;
}

static unsigned door_of(const struct client *client)
{
    return strstr(client->path, "-api/") || strstr(client->path, "-fapi/") ? DOOR_API : DOOR_WS;
}

static bool shut(unsigned door)
{
    return street->closed & door;
}

/* The exchange's end is gone. */
static void part(struct client *client)
{
    struct front *front = exchange_account(&street->exchange, "main", &(struct why){0})->front;
    if (client->there)
        wire_binance.closed(front, client);
    client->there = client->ending = false;
    client->life = ++street->lives;
}

/* The host hears that it is down, and tries again. */
static void go_down(struct client *client, const char *why)
{
    const struct net_owner *owner = &client->endpoint->owner;
    weir_ns wait = (weir_ns)250 * MS << (client->tries < 7 ? client->tries : 7);
    client->tries++;
    part(client);
    client->state = NET_DOWN;
    client->mute = false;
    if (client->wanted)
        put(OPEN,
            street_now(street) + wait / 2 + (weir_ns)random_below(&street->random, (uint64_t)wait),
            client, NULL, "", 0);
    owner->state(owner->context, client->number, NET_DOWN, why);
}

/* --- the exchange's server ------------------------------------------------------------------------ */

uint64_t client_generation(const struct client *client)
{
    return client->life;
}

void client_end(struct client *client)
{
    if (client->ending)
        return;
    client->ending = true;
    put(END, street_now(street), client, NULL, "", 0);
}

void client_tell(struct client *client, const struct weir_msg *event, weir_ns delay)
{
    (void)client, (void)event, (void)delay;
}

void client_say(struct client *client, const char *text, size_t len, weir_ns delay, bool alone)
{
    weir_ns due = street_now(street) + delay + latency();
    due = due > client->hold ? due : client->hold;
    if (client->ending || len == 0)
        return;
    if (!alone)
        client->hold = due;
    put(TO_HOST, due, client, NULL, text, len);
}

void reply_send(struct reply *reply, unsigned status, const char *headers, struct weir_bytes body,
                weir_ns delay)
{
    if (reply->status)
        return;
    reply->status = status;
    text_say(&reply->headers, "%s", headers);
    text_add(&reply->answer, body.data, body.len);
    put(ANSWER, street_now(street) + delay + latency(), NULL, reply, "", 0);
}

void reply_drop(struct reply *reply)
{
    reply->status = 1;
    put(ANSWER, street_now(street) + latency(), NULL, reply, "", 0);
}

struct server *server_create(struct exchange *exchange, uint16_t port, struct why *why)
{
    (void)exchange, (void)port, (void)why;
    return &street->server;
}

void server_destroy(struct server *server)
{
    (void)server;
}

uint16_t server_port(const struct server *server)
{
    (void)server;
    return 0;
}

weir_ns server_next(const struct server *server)
{
    (void)server;
    return INT64_MAX;
}

void server_wait(struct server *server, weir_ns most)
{
    (void)server, (void)most;
}

void server_audited(struct server *server, uint64_t audit)
{
    server->street->audited = audit;
}

/* --- the host's net -------------------------------------------------------------------------------- */

struct net *net_create(struct why *why)
{
    (void)why;
    return &street->net;
}

void net_destroy(struct net *net)
{
    while (net && net->endpoints) {
        struct net_endpoint *endpoint = net->endpoints;
        net->endpoints = endpoint->next;
        free(endpoint);
    }
}

void net_turn(struct net *net)
{
    (void)net;
}

bool net_sleep(struct net *net, int wake_fd, weir_ns most)
{
    (void)net, (void)wake_fd, (void)most;
    return false;
}

struct net_endpoint *net_endpoint_create(struct net *net, const struct net_config *config,
                                         const struct net_owner *owner, struct why *why)
{
    struct net_endpoint *endpoint = calloc(1, sizeof *endpoint);
    if (!endpoint) {
        (void)because(why, WEIR_E_NO_MEMORY, "out of memory");
        return NULL;
    }
    endpoint->net = net;
    endpoint->owner = *owner;
    endpoint->config = *config;
    endpoint->next = net->endpoints;
    net->endpoints = endpoint;
    return endpoint;
}

static struct client *line_of(struct net_endpoint *endpoint, uint32_t number, bool make)
{
    for (size_t i = 0; i < street->line_count; i++)
        if (street->lines[i].endpoint == endpoint && street->lines[i].number == number)
            return &street->lines[i];
    if (!make || street->line_count == LINES_MAX)
        return NULL;
    struct client *line = &street->lines[street->line_count++];
    *line = (struct client){.street = street, .endpoint = endpoint, .number = number};
    return line;
}

enum weir_err net_connect_to(struct net_endpoint *endpoint, uint32_t conn, const char *door,
                             const char *path)
{
    struct client *line = line_of(endpoint, conn, path != NULL);
    (void)door;
    if (!line)
        return path ? WEIR_E_FULL : WEIR_OK;
    if (!path) {
        if (line->wanted)
            put(CLOSE, street_now(street), line, NULL, "", 0);
        line->wanted = false;
        return WEIR_OK;
    }
    if (line->wanted && strcmp(line->path, path) == 0)
        return WEIR_OK;
    if (line->there)
        put(CLOSE, street_now(street), line, NULL, "", 0);
    snprintf(line->path, sizeof line->path, "%s", path);
    line->wanted = true;
    put(OPEN, street_now(street) + latency(), line, NULL, "", 0);
    return WEIR_OK;
}

enum weir_err net_connect(struct net_endpoint *endpoint, uint32_t conn, const char *path)
{
    return net_connect_to(endpoint, conn, "", path);
}

enum weir_err net_send(struct net_endpoint *endpoint, uint32_t conn, struct weir_bytes frame)
{
    struct client *line = line_of(endpoint, conn, false);
    if (!line || line->state != NET_UP)
        return WEIR_E_DOWN;
    weir_ns due = street_now(street) + latency();
    line->last_sent = due > line->last_sent ? due : line->last_sent;
    put(TO_VENUE, line->last_sent, line, NULL, frame.data, frame.len);
    street->counts.frames++;
    street->counts.logons += memmem(frame.data, frame.len, "session.logon", 13) != NULL;
    street->counts.unsigned_orders += memmem(frame.data, frame.len, "\"order.place\"", 13) &&
                                      !memmem(frame.data, frame.len, "\"signature\"", 11);
    return WEIR_OK;
}

enum weir_err net_request(struct net_endpoint *endpoint, const struct weir_request_http *wish)
{
    bool order = wish->lane == WEIR_LANE_NEW && !wish->idempotent;
    if (net_spend(endpoint, wish->weight, order, wish->lane))
        return WEIR_E_FULL;
    struct reply *reply = calloc(1, sizeof *reply);
    if (!reply)
        return WEIR_E_NO_MEMORY;
    *reply = (struct reply){.street = street, .endpoint = endpoint, .id = wish->id};
    snprintf(reply->method, sizeof reply->method, "%s", wish->method);
    snprintf(reply->path, sizeof reply->path, "%s", wish->path);
    snprintf(reply->body, sizeof reply->body, "%.*s", (int)wish->body.len,
             wish->body.len ? wish->body.data : "");
    if (wish->headers && strncmp(wish->headers, "X-MBX-APIKEY: ", 14) == 0)
        snprintf(reply->key, sizeof reply->key, "%s", wish->headers + 14);
    text_init(&reply->headers);
    text_init(&reply->answer);
    reply->next = street->replies;
    street->replies = reply;
    street->counts.requests++;
    street->counts.orders_http +=
        strcmp(reply->method, "POST") == 0 && strstr(reply->path, "/order") != NULL;
    put(ASK, street_now(street) + latency(), NULL, reply, "", 0);
    put(GIVE_UP, street_now(street) + (wish->timeout > 0 ? wish->timeout : 10000 * MS), NULL, reply,
        "", 0);
    return WEIR_OK;
}

void net_reconnect(struct net_endpoint *endpoint, uint32_t conn, const char *why)
{
    struct client *line = line_of(endpoint, conn, false);
    if (line && line->state == NET_UP)
        put(END, street_now(street), line, NULL, why, strlen(why));
}

enum net_state net_state(const struct net_endpoint *endpoint, uint32_t conn)
{
    const struct client *line = line_of((struct net_endpoint *)(uintptr_t)endpoint, conn, false);
    return line ? line->state : NET_DOWN;
}

struct net_counts net_counts(const struct net_endpoint *endpoint)
{
    return endpoint->counts;
}

/* --- arrivals --------------------------------------------------------------------------------------- */

static struct front *front_of(void)
{
    struct why why;
    struct account *account = exchange_account(&street->exchange, "main", &why);
    if (!account)
        give_up("the exchange: %s", why.text);
    return account->front;
}

static void open_line(struct client *line)
{
    char path[PATH_MOST];
    snprintf(path, sizeof path, "%s", line->path);
    char *query = strchr(path, '?');
    if (!line->wanted || line->state != NET_DOWN)
        return;
    line->state = NET_CONNECTING;
    if (query)
        *query++ = '\0';
    line->there =
        !shut(door_of(line)) && wire_binance.opened(front_of(), line, path, query ? query : "");
    if (!line->there) {
        go_down(line, "refused");
        return;
    }
    line->life = ++street->lives;
    line->hold = street_now(street);
    put(UP, street_now(street) + latency(), line, NULL, "", 0);
}

static void ask(struct reply *reply)
{
    char path[4096];
    snprintf(path, sizeof path, "%s", reply->path);
    char *query = strchr(path, '?');
    if (shut(DOOR_HTTP)) {
        if (!street->silent) {
            reply->status = 1;
            put(ANSWER, street_now(street), NULL, reply, "", 0);
        }
        return;
    }
    if (query)
        *query++ = '\0';
    struct wire_request request = {reply->method, path, query ? query : "", reply->body,
                                   reply->key};
    reply->asked = true;
    wire_binance.request(front_of(), &request, reply);
}

static void count_code(const char *text, size_t len)
{
    const char *at = memmem(text, len < 400 ? len : 400, "\"code\":-", 8);
    for (size_t i = 0; at && i < 10; i++)
        street->counts.refusals[i] +=
            strncmp(at + 7, street_codes[i], strlen(street_codes[i])) == 0;
}

static void answer(struct reply *reply)
{
    const struct net_owner *owner = &reply->endpoint->owner;
    if (reply->over)
        return;
    reply->over = true;
    count_code(reply->answer.data ? reply->answer.data : "", reply->answer.len);
    if (reply->status <= 1) {
        owner->response(owner->context, reply->id, 0, (struct weir_bytes){"", 0},
                        "the connection ended");
        return;
    }
    owner->headers(owner->context, reply->id, (int)reply->status,
                   (struct weir_bytes){text_cstr(&reply->headers), reply->headers.len});
    owner->response(owner->context, reply->id, (int)reply->status,
                    (struct weir_bytes){text_cstr(&reply->answer), reply->answer.len}, "");
}

/* Its last event: nobody speaks of it any more. */
static void forget(struct reply *reply)
{
    const struct net_owner *owner = &reply->endpoint->owner;
    struct reply **at = &street->replies;
    if (reply->asked)
        wire_binance.gone(front_of(), reply);
    if (!reply->over)
        owner->response(owner->context, reply->id, 0, (struct weir_bytes){"", 0}, "timed out");
    reply->over = true;
    for (struct event *event = street->events; event; event = event->next)
        if (event->reply == reply)
            event->reply = NULL;
    while (*at != reply)
        at = &(*at)->next;
    *at = reply->next;
    text_fini(&reply->headers);
    text_fini(&reply->answer);
    free(reply);
}

static void hear(struct client *line, const struct event *event)
{
    const struct net_owner *owner = &line->endpoint->owner;
    struct weir_bytes frame = {event->bytes, event->len};
    street->counts.data += memmem(event->bytes, event->len, "depthUpdate", 11) != NULL;
    count_code(event->bytes, event->len);
    if (owner->frame(owner->context, line->number, frame)) {
        street->counts.lost++;
        fprintf(stderr, "a frame was refused: %.600s\n", event->bytes);
        go_down(line, "a frame was refused");
    }
}

static void come_up(struct client *line)
{
    const struct net_owner *owner = &line->endpoint->owner;
    line->state = NET_UP;
    line->tries = 0;
    street->counts.opened++;
    owner->state(owner->context, line->number, NET_UP, "");
}

static void arrive(const struct event *event)
{
    struct client *line = event->client;
    struct reply *reply = event->reply;
    bool same = line && event->life == line->life;
    switch (event->what) {
    case OPEN:
        if (line->state == NET_DOWN)
            open_line(line);
        break;
    case UP:
        if (same && line->wanted)
            come_up(line);
        break;
    case TO_VENUE:
        if (same && line->there && !line->mute)
            wire_binance.message(front_of(), line, (struct weir_bytes){event->bytes, event->len});
        break;
    case TO_HOST:
        if (same && line->state == NET_UP && !line->mute)
            hear(line, event);
        break;
    case END:
        if (!same)
            break;
        street->counts.lost += line->state == NET_UP;
        street->counts.ended += line->ending;
        go_down(line, event->len ? event->bytes : "closed by the venue");
        break;
    case CLOSE:
        part(line);
        if (line->state != NET_DOWN) {
            line->state = NET_DOWN;
            line->endpoint->owner.state(line->endpoint->owner.context, line->number, NET_DOWN,
                                        "closed");
        }
        if (line->wanted)
            put(OPEN, street_now(street) + latency(), line, NULL, "", 0);
        break;
    case ASK:
        if (reply)
            ask(reply);
        break;
    case ANSWER:
        if (reply)
            answer(reply);
        break;
    case GIVE_UP:
        if (reply)
            forget(reply);
        break;
    }
}

static weir_ns next(void *context)
{
    weir_ns t =
        ((struct street *)context)->events ? ((struct street *)context)->events->due : INT64_MAX;
    for (struct account *account = street->exchange.accounts; account; account = account->next) {
        weir_ns due = account_next(account), wire = wire_binance.next(account->front);
        t = due < t ? due : t;
        t = wire < t ? wire : t;
    }
    return t;
}

static void settle_exchange(void)
{
    weir_ns now = street_now(street);
    for (struct account *account = street->exchange.accounts; account; account = account->next)
        wire_binance.settled(account->front, now);
}

static void run_exchange(weir_ns t)
{
    clock_advance(&street->exchange.clock, t);
    for (struct account *account = street->exchange.accounts; account; account = account->next)
        account_run(account, t);
    settle_exchange();
}

static enum weir_err give(void *context, struct host *host, struct why *why)
{
    weir_ns now = clock_now(&host->clock);
    (void)context, (void)why;
    run_exchange(now);
    while (street->events && street->events->due <= now) {
        struct event *event = street->events;
        street->events = event->next;
        arrive(event);
        free(event);
        settle_exchange();
    }
    return WEIR_OK;
}

/* --- life ------------------------------------------------------------------------------------------- */

struct street *street_create(const struct exchange_options *options, weir_ns start, uint64_t seed,
                             struct why *why)
{
    struct plugin *plugin = NULL;
    if (plugin_load(options->plugin, &plugin, why))
        return NULL;
    street = calloc(1, sizeof *street);
    if (!street)
        give_up("out of memory");
    street->random = seed;
    street->server.street = street;
    street->feed = (struct host_feed){.context = street, .next = next, .give = give, .live = true};
    street->exchange = (struct exchange){.options = options,
                                         .clock = clock_virtual(start),
                                         .plugin = plugin_descriptor(plugin),
                                         .server = &street->server};
    if (!exchange_account(&street->exchange, "main", why)) {
        street_destroy(street);
        return NULL;
    }
    return street;
}

void street_destroy(struct street *of)
{
    while (of->events) {
        struct event *event = of->events;
        of->events = event->next;
        free(event);
    }
    while (of->replies) {
        struct reply *reply = of->replies;
        of->replies = reply->next;
        text_fini(&reply->headers);
        text_fini(&reply->answer);
        free(reply);
    }
    while (of->exchange.accounts) {
        struct account *account = of->exchange.accounts;
        of->exchange.accounts = account->next;
        account_close(account);
    }
    free(of);
}

const struct host_feed *street_feed(struct street *of)
{
    return &of->feed;
}

struct exchange *street_exchange(struct street *of)
{
    return &of->exchange;
}

struct street_counts street_counts(const struct street *of)
{
    return of->counts;
}

void street_close(struct street *of, unsigned doors, bool silent)
{
    of->closed |= doors;
    of->silent = silent;
    for (size_t i = 0; i < of->line_count; i++) {
        struct client *line = &of->lines[i];
        if (!(door_of(line) & doors) || line->state == NET_DOWN)
            continue;
        if (silent) /* nobody is told before the host has had enough of the silence */
            line->mute = true;
        put(END, street_now(of) + (silent ? 30000 * MS : 0), line, NULL, "cut", 3);
    }
}

void street_open(struct street *of)
{
    of->closed = 0;
}

void street_fault(struct street *of, const char *json)
{
    struct why why;
    cJSON *wish = json_read(json, strlen(json), &why);
    of->exchange.faults.now = street_now(of);
    if (!wish || faults_add(&of->exchange.faults, wish, &why))
        give_up("fault %s: %s", json, why.text);
    cJSON_Delete(wish);
}

cJSON *street_books(struct street *of)
{
    uint64_t audit = exchange_ask_audit(&of->exchange);
    struct why why;
    struct text text;
    of->exchange.audit++;
    of->exchange.audit_again = false;
    of->exchange.audit_left = 1;
    for (struct account *account = of->exchange.accounts; account; account = account->next)
        of->exchange.audit_left += account_audit(account);
    exchange_audited(&of->exchange);
    for (int i = 0; i < 10000 && of->audited < audit; i++)
        run_exchange(street_now(of) + MS);
    if (of->audited < audit)
        give_up("the exchange does not answer an audit");
    text_init(&text);
    exchange_books_json(&of->exchange, &text);
    cJSON *books = json_read(text.data, text.len, &why);
    if (!books)
        give_up("books: %s", why.text);
    text_fini(&text);
    return books;
}

/* --- budgets, the venue's clock: the host's own, on this time ----------------------------------------- */

static int street_time(struct timespec *t)
{
    weir_ns now = street_now(street);
    t->tv_sec = now / 1000000000;
    t->tv_nsec = now % 1000000000;
    return 0;
}

#include <time.h>
#define clock_gettime(id, t) street_time(t)
#include "../../host/net/budget.c"
#include "../../host/net/venuetime.c"
