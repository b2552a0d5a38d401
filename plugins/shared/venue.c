/* venue.c - see the header. Numbers of requests and timers: what is asked (1 << 24 ...) plus the
 * symbol's row, from 1. */
#include "shared/venue.h"

#include <stdio.h>
#include <stdlib.h>

enum { ASK_INFO = 1 << 24, ASK_BOOK = 2 << 24, ASK_ROW = (1 << 24) - 1, TIMER_PING = 1 };
enum { CONN = 1 };

/* --- settings ---------------------------------------------------------------------------------- */

static enum weir_err set_market(struct venue *venue, const char *value)
{
    for (unsigned i = 0; venue->rules->markets[i]; i++)
        if (strcmp(value, venue->rules->markets[i]) == 0) {
            venue->which = i;
            return WEIR_OK;
        }
    char expected[160] = "market: expected";
    for (unsigned i = 0; venue->rules->markets[i]; i++) {
        size_t len = strlen(expected);
        (void)snprintf(expected + len, sizeof expected - len, "%s %s", i > 0 ? "," : "",
                       venue->rules->markets[i]);
    }
    market_say(&venue->market, expected, value);
    return WEIR_E_BAD_CONFIG;
}

static enum weir_err set_depth(struct venue *venue, const char *value)
{
    struct scan scan = scan_of(market_text(value));
    int64_t depth = scan_int(&scan);
    if (!scan_done(&scan) || depth < 1 || depth > 10000) {
        market_say(&venue->market, "depth: expected a number of levels, 1 to 10000", value);
        return WEIR_E_BAD_CONFIG;
    }
    venue->depth = (uint32_t)depth;
    return WEIR_OK;
}

static enum weir_err set_all(struct venue *venue, const struct weir_setting *settings)
{
    enum weir_err err = WEIR_OK;
    for (; settings && settings->name && err == WEIR_OK; settings++) {
        if (strcmp(settings->name, "market") == 0)
            err = set_market(venue, settings->value);
        else if (strcmp(settings->name, "symbols") == 0)
            err = market_want(&venue->market, settings->value);
        else if (strcmp(settings->name, "depth") == 0 && venue->rules->depth > 0)
            err = set_depth(venue, settings->value);
        else {
            market_say(&venue->market,
                       venue->rules->depth > 0 ? "expected the settings market, symbols and depth"
                                               : "expected the settings market and symbols",
                       settings->name);
            err = WEIR_E_BAD_CONFIG;
        }
    }
    return err;
}

void venue_close(void *session)
{
    struct venue *venue = session;
    if (!venue)
        return;
    market_fini(&venue->market);
    free(venue);
}

enum weir_err venue_open(const struct venue_rules *rules, const struct weir_host *host,
                         const struct weir_setting *settings, void **session_out)
{
    struct venue *venue = calloc(1, sizeof *venue + rules->own + 16);
    if (!venue)
        return WEIR_E_NO_MEMORY;
    venue->rules = rules;
    venue->depth = rules->depth;
    enum weir_err err = market_init(&venue->market, host, rules->name);
    if (err == WEIR_OK)
        err = set_all(venue, settings);
    if (err == WEIR_OK)
        *session_out = venue;
    else
        venue_close(venue);
    return err;
}

/* --- asking ------------------------------------------------------------------------------------ */

/* No network is no error: a recording has all that it has. */
static enum weir_err unless_down(enum weir_err err)
{
    return err == WEIR_E_DOWN ? WEIR_OK : err;
}

enum weir_err venue_send(const struct venue *venue, const char *text, size_t len)
{
    const struct weir_host *host = venue->market.host;
    return unless_down(host->send(host->host, CONN, (struct weir_bytes){text, len}));
}

static enum weir_err ask(const struct venue *venue, const struct market_symbol *symbol,
                         enum venue_want want)
{
    char text[VENUE_TEXT_MAX];
    enum weir_err err = WEIR_OK;
    for (unsigned n = 0; err == WEIR_OK; n++) {
        size_t len = venue->rules->ask(venue, symbol, want, n, text, sizeof text);
        if (len == 0 || len >= sizeof text)
            break;
        err = venue_send(venue, text, len);
    }
    return err;
}

/* Ask for an answer by HTTP; when it cannot be asked now, a timer asks again. */
static enum weir_err ask_http(struct venue *venue, struct market_symbol *symbol, uint32_t what,
                              weir_ns now)
{
    const struct weir_host *host = venue->market.host;
    char path[VENUE_TEXT_MAX];
    size_t len = (what == ASK_BOOK ? venue->rules->snapshot
                                   : venue->rules->info)(venue, symbol, path, sizeof path);
    if (len == 0 || len >= sizeof path || (what == ASK_BOOK && symbol->asked))
        return WEIR_OK;
    struct weir_request_http request = {
        .size = sizeof request,
        .id = what | (uint32_t)(symbol - venue->market.rows + 1),
        .method = "GET",
        .path = path,
        .weight = 1,
        .idempotent = 1,
        .timeout = 10 * MARKET_SECOND,
    };
    enum weir_err err = host->request(host->host, &request);
    if (what == ASK_BOOK)
        symbol->asked = err == WEIR_OK;
    if (err == WEIR_E_FULL)
        err = host->timer(host->host, request.id, now + MARKET_SECOND);
    return unless_down(err);
}

static enum weir_err enter(struct venue *venue, struct market_symbol *symbol, weir_ns now)
{
    enum weir_err err = ask(venue, symbol, VENUE_ENTER);
    return err == WEIR_OK && venue->rules->snapshot ? ask_http(venue, symbol, ASK_BOOK, now) : err;
}

enum weir_err venue_start(void *session, weir_ns now)
{
    struct venue *venue = session;
    const struct weir_host *host = venue->market.host;
    char path[VENUE_TEXT_MAX];
    enum weir_err err = WEIR_OK;
    if (!venue->market.only_wanted)
        return WEIR_OK;
    for (uint32_t i = 0; venue->rules->info && i < venue->market.count && err == WEIR_OK; i++)
        err = ask_http(venue, &venue->market.rows[i], ASK_INFO, now);
    size_t len = venue->rules->path ? venue->rules->path(venue, path, sizeof path)
                                    : (size_t)snprintf(path, sizeof path, "%s", venue->rules->at);
    if (err == WEIR_OK && len > 0)
        err = unless_down(host->connect(host->host, CONN, path));
    return err;
}

/* --- what arrives ------------------------------------------------------------------------------ */

/* What a read that went well found is told, and nothing else. */
static enum weir_err settle(struct venue *venue, enum weir_err err)
{
    if (err == WEIR_OK)
        market_flush(&venue->market);
    venue->market.out_len = 0;
    return err;
}

enum weir_err venue_frame(void *session, uint32_t conn, weir_ns now, struct weir_bytes frame)
{
    struct venue *venue = session;
    (void)now;
    enum weir_err err = market_begin(&venue->market, frame);
    return err == WEIR_OK ? settle(venue, venue->rules->frame(venue, conn, frame)) : err;
}

static enum weir_err take_answer(struct venue *venue, struct weir_bytes target,
                                 struct weir_bytes body)
{
    enum weir_err err = market_begin(&venue->market, body);
    if (err != WEIR_OK || !venue->rules->answer)
        return err;
    return settle(venue, venue->rules->answer(venue, target, body));
}

enum weir_err venue_recorded(void *session, weir_ns now, struct weir_bytes target,
                             struct weir_bytes body)
{
    (void)now;
    return take_answer(session, target, body);
}

enum weir_err venue_conn(void *session, uint32_t conn, weir_ns now, int up)
{
    struct venue *venue = session;
    const struct weir_host *host = venue->market.host;
    char text[VENUE_TEXT_MAX];
    enum weir_err err = WEIR_OK;
    venue->up = up;
    if (conn != CONN || !venue->market.only_wanted)
        return WEIR_OK;
    if (!up)
        return venue->rules->ping ? host->timer(host->host, TIMER_PING, 0) : WEIR_OK;
    for (unsigned n = 0; venue->rules->greet && err == WEIR_OK; n++) {
        size_t len = venue->rules->greet(venue, n, text, sizeof text);
        if (len == 0 || len >= sizeof text)
            break;
        err = venue_send(venue, text, len);
    }
    for (uint32_t i = 0; i < venue->market.count && err == WEIR_OK; i++)
        if (venue->market.rows[i].wanted)
            err = enter(venue, &venue->market.rows[i], now);
    if (err == WEIR_OK && venue->rules->ping)
        err = host->timer(host->host, TIMER_PING, now + venue->rules->ping_every);
    return err;
}

/* Too many requests: everybody waits; the venue's own header is the host's to read. */
static void tell_limited(struct venue *venue, int status)
{
    struct weir_rate_limited limited = {
        .msg = {.size = sizeof limited, .kind = WEIR_RATE_LIMITED},
        .retry_after = 10 * MARKET_SECOND,
        .code = status,
    };
    venue->market.host->emit(venue->market.host->host, &limited.msg);
}

/* The symbol that a request or a timer is about; NULL: none. */
static struct market_symbol *asked_about(struct venue *venue, uint32_t id)
{
    uint32_t row = id & ASK_ROW, what = id & ~(uint32_t)ASK_ROW;
    bool known =
        (what == ASK_INFO && venue->rules->info) || (what == ASK_BOOK && venue->rules->snapshot);
    return known && row > 0 && row <= venue->market.count ? &venue->market.rows[row - 1] : NULL;
}

enum weir_err venue_response(void *session, uint32_t id, weir_ns now, int status,
                             struct weir_bytes body)
{
    struct venue *venue = session;
    struct market_symbol *symbol = asked_about(venue, id);
    uint32_t what = id & ~(uint32_t)ASK_ROW;
    char path[VENUE_TEXT_MAX];
    if (!symbol)
        return WEIR_E_NOT_FOUND;
    if (what == ASK_BOOK)
        symbol->asked = false;
    if (status == 429)
        tell_limited(venue, status);
    if (status != 200) {
        const struct weir_host *host = venue->market.host;
        return host->timer(host->host, id, now + 5 * MARKET_SECOND);
    }
    size_t len = (what == ASK_BOOK ? venue->rules->snapshot
                                   : venue->rules->info)(venue, symbol, path, sizeof path);
    return take_answer(venue, (struct weir_bytes){path, len}, body);
}

enum weir_err venue_timer(void *session, uint32_t id, weir_ns now)
{
    struct venue *venue = session;
    const struct weir_host *host = venue->market.host;
    if (id == TIMER_PING && venue->rules->ping) {
        enum weir_err err = venue_send(venue, venue->rules->ping, strlen(venue->rules->ping));
        enum weir_err set = host->timer(host->host, id, now + venue->rules->ping_every);
        return err == WEIR_OK ? set : err;
    }
    struct market_symbol *symbol = asked_about(venue, id);
    return symbol ? ask_http(venue, symbol, id & ~(uint32_t)ASK_ROW, now) : WEIR_OK;
}

/* --- intents ----------------------------------------------------------------------------------- */

enum weir_err venue_intent(void *session, weir_ns now, const struct weir_intent *intent)
{
    struct venue *venue = session;
    struct market_symbol *symbol = market_numbered(&venue->market, intent->msg.instrument);
    if (intent->msg.kind != WEIR_RESYNC && intent->msg.kind != WEIR_SUBSCRIBE)
        return WEIR_E_UNSUPPORTED;
    if (!symbol)
        return WEIR_E_NOT_FOUND;
    if (intent->msg.kind == WEIR_SUBSCRIBE) {
        symbol->wanted = true;
        return enter(venue, symbol, now);
    }
    if (venue->rules->snapshot)
        return ask_http(venue, symbol, ASK_BOOK, now);
    enum weir_err err = ask(venue, symbol, VENUE_LEAVE_BOOK);
    return err == WEIR_OK ? ask(venue, symbol, VENUE_ENTER_BOOK) : err;
}
