#include "control/tape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/paths.h"
#include "sim/marketstats.h"
#include "sim/recordings.h"

enum { PLUGINS_MAX = 64, MARKETS_MAX = 4097, CONNS_MAX = 1024 };

struct tape {
    const struct config *config;
    struct plugin *loaded[PLUGINS_MAX];
    const struct weir_plugin *plugins[PLUGINS_MAX];
    uint32_t plugin_count;
    struct recordings *recordings;
    struct recorded_message at; /* the next message */
    bool ended;
    enum weir_err err; /* of the message after `at` */
    struct why why;
    uint64_t left_out; /* messages that no venue takes */
    uint64_t taken;
    struct host_feed feed;
    struct host_watch watch;
    struct marketstats *stats;
    struct host *host;
    struct market *markets[MARKETS_MAX]; /* by the host's number of the instrument */
    struct market *last[CONNS_MAX]; /* of each connection: the market that its last message named */
};

/* Each plugin of the configuration once. */
static enum weir_err load_plugins(struct tape *tape, struct why *why)
{
    for (size_t i = 0; i < tape->config->venue_count; i++) {
        const char *name = tape->config->venues[i].plugin;
        bool seen = false;
        for (uint32_t p = 0; p < tape->plugin_count; p++)
            seen = seen || strcmp(tape->plugins[p]->name, name) == 0;
        if (seen || tape->plugin_count == PLUGINS_MAX)
            continue;
        const char *path = plugin_path(name, why);
        if (!path || plugin_load(path, &tape->loaded[tape->plugin_count], why))
            return why->err;
        tape->plugins[tape->plugin_count] = plugin_descriptor(tape->loaded[tape->plugin_count]);
        tape->plugin_count++;
    }
    return WEIR_OK;
}

static const char *market_of(const struct config_venue *venue)
{
    for (const struct weir_setting *s = venue->settings; s && s->name; s++)
        if (strcmp(s->name, "market") == 0)
            return s->value;
    return "";
}

/* The venue of a message: same plugin, same market; NULL: none of the configuration. */
static struct host_venue *venue_of(const struct tape *tape, struct host *host)
{
    if (tape->at.plugin >= tape->plugin_count)
        return NULL;
    for (size_t i = 0; i < host->venue_count; i++) {
        const struct config_venue *config = host->venues[i].config;
        if (strcmp(config->plugin, tape->plugins[tape->at.plugin]->name) == 0 &&
            strcmp(market_of(config), tape->at.market) == 0)
            return &host->venues[i];
    }
    return NULL;
}

static void advance(struct tape *tape)
{
    tape->err = recordings_next(tape->recordings, &tape->at, &tape->why);
    tape->ended = !tape->err && tape->at.record.kind == RECORD_END;
}

static weir_ns next(void *context)
{
    const struct tape *tape = context;
    return tape->ended ? INT64_MAX : tape->at.record.t;
}

/* --- facts of the market ----------------------------------------------------------------------*/

/* A venue whose plugin knows recordings. One that makes its market itself (sim) is no part of the facts. */
static bool is_recorded(const struct tape *tape, const struct host_venue *venue)
{
    for (uint32_t p = 0; p < tape->plugin_count; p++)
        if (strcmp(tape->plugins[p]->name, venue->config->plugin) == 0)
            return tape->plugins[p]->probe != NULL;
    return false;
}

static struct market *market_at(struct tape *tape, uint32_t instrument)
{
    /* a venue of another kind, which has a market of its own, speaks before the first message */
    if (!tape->host || instrument == 0 || instrument >= MARKETS_MAX ||
        instrument > tape->host->instrument_count)
        return NULL;
    if (!is_recorded(tape, tape->host->instruments[instrument].venue))
        return NULL;
    if (!tape->markets[instrument]) {
        const struct host_instrument *of = &tape->host->instruments[instrument];
        tape->markets[instrument] =
            marketstats_of(tape->stats, NAMING_STREAM, market_of(of->venue->config), of->symbol);
        if (tape->markets[instrument])
            market_places(tape->markets[instrument], of->price_exp, of->qty_exp);
    }
    return tape->markets[instrument];
}

static void watch_book(void *context, uint32_t instrument, const struct weir_book_msg *msg,
                       const struct book *book)
{
    struct market *market = market_at(context, instrument);
    if (market)
        market_book(market, msg, book);
}

static void watch_top(void *context, uint32_t instrument, const struct weir_top *top)
{
    struct market *market = market_at(context, instrument);
    if (market)
        market_top(market, top);
}

static void watch_trade(void *context, uint32_t instrument, const struct weir_trade *trade,
                        weir_ns t)
{
    struct market *market = market_at(context, instrument);
    if (market)
        market_trade(market, trade, t);
}

/* The market that a message is counted for: what it names, else what its connection named last. */
static struct market *named(struct tape *tape, const struct host_venue *venue,
                            const struct weir_probe *probe)
{
    const char *symbol = probe->symbol[0] ? probe->symbol : tape->at.symbol;
    uint32_t conn = tape->at.record.conn;
    if (conn >= CONNS_MAX)
        return NULL;
    if (symbol[0])
        tape->last[conn] =
            marketstats_of(tape->stats, NAMING_STREAM, market_of(venue->config), symbol);
    return tape->last[conn];
}

static void end_message(struct tape *tape, struct host_venue *venue, struct market *market)
{
    for (uint32_t i = 1; i <= tape->host->instrument_count && market_is_due(market); i++) {
        struct feed_counts counts = {0};
        if (tape->markets[i] != market)
            continue;
        (void)session_feed_counts(venue->session, i, &counts);
        market_end(market, session_book(venue->session, i), counts.last_seq);
        return;
    }
}

static void close_markets(struct tape *tape)
{
    for (uint32_t i = 1; i < MARKETS_MAX && i <= tape->host->instrument_count; i++) {
        struct session *session = tape->host->instruments[i].venue->session;
        struct feed_counts counts = {0};
        if (!tape->markets[i])
            continue;
        (void)session_feed_counts(session, i, &counts);
        market_close(tape->markets[i], &counts, session_book_state(session, i),
                     session_book(session, i));
    }
}

void tape_json(struct tape *tape, struct host *host, struct text *out)
{
    (void)host;
    if (tape && tape->host) {
        close_markets(tape);
        marketstats_json(tape->stats, out);
        return;
    }
    json_key(out, "books");
    json_object(out);
    json_end(out);
    json_key(out, "trades");
    json_object(out);
    json_end(out);
}

/* --- messages ---------------------------------------------------------------------------------*/

static void give_frame(struct tape *tape, struct host *host, struct host_venue *venue)
{
    const struct record *record = &tape->at.record;
    const struct weir_plugin *plugin = tape->plugins[tape->at.plugin];
    struct weir_probe probe = {.size = sizeof probe};
    if (!plugin->probe || plugin->probe(record->bytes, &probe) != WEIR_OK)
        probe = (struct weir_probe){.size = sizeof probe};
    struct market *market = named(tape, venue, &probe);
    if (market)
        market_begin(market, tape->at.file, record->line, record->t, probe.type);
    if (host_frame(host, venue, record->conn, record->bytes))
        log_line(LOG_WARN, "data",
                 "%s:%llu: the message was refused; the books of its connection are lost until a "
                 "snapshot comes",
                 tape->at.file, (unsigned long long)record->line);
    if (market)
        market_left(market);
    if (market)
        end_message(tape, venue, market);
}

static void give_one(struct tape *tape, struct host *host)
{
    const struct record *record = &tape->at.record;
    struct host_venue *venue = venue_of(tape, host);
    tape->host = host;
    if (!venue && tape->at.begins)
        log_line(LOG_WARN, "data",
                 "%s: no venue of the configuration takes it (%s%s%s); it is left out",
                 tape->at.file,
                 tape->at.plugin < tape->plugin_count ? tape->plugins[tape->at.plugin]->name
                                                      : "no plugin knows it",
                 *tape->at.market ? " market " : "", tape->at.market);
    tape->taken += venue != NULL;
    if (!venue)
        tape->left_out++;
    else if (record->kind == RECORD_FRAME)
        give_frame(tape, host, venue);
    else if (record->kind == RECORD_HTTP)
        host_recorded_answer(host, venue, record->target, record->bytes);
}

/* One message: what it leads to comes before the next. */
static enum weir_err give(void *context, struct host *host, struct why *why)
{
    struct tape *tape = context;
    if (tape->err) {
        *why = tape->why;
        return why->err;
    }
    give_one(tape, host);
    advance(tape);
    if (tape->ended && tape->taken == 0)
        return because(
            why, WEIR_E_NOT_FOUND,
            "--data: no venue of %s takes any of these recordings; expected a venue whose "
            "plugin and market are theirs",
            tape->config->path);
    return WEIR_OK;
}

struct tape *tape_open(const char *const *paths, size_t count, const struct config *config,
                       struct why *why)
{
    struct tape *tape = calloc(1, sizeof *tape);
    if (!tape) {
        (void)because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
        return NULL;
    }
    tape->config = config;
    tape->feed = (struct host_feed){.context = tape, .next = next, .give = give};
    tape->watch = (struct host_watch){tape, watch_book, watch_top, watch_trade};
    tape->stats = marketstats_create();
    if (tape->stats && load_plugins(tape, why) == WEIR_OK) {
        struct recordings_config recordings = {paths, count, tape->plugins, tape->plugin_count};
        tape->recordings = recordings_open(&recordings, why);
    }
    if (!tape->recordings) {
        if (!tape->stats)
            (void)because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
        tape_close(tape);
        return NULL;
    }
    advance(tape);
    return tape;
}

void tape_close(struct tape *tape)
{
    if (!tape)
        return;
    recordings_close(tape->recordings);
    if (tape->stats)
        marketstats_destroy(tape->stats);
    free(tape);
}

struct tape_progress tape_progress(const struct tape *tape)
{
    return (struct tape_progress){tape->taken, tape->left_out, recordings_taken(tape->recordings)};
}

weir_ns tape_start(const struct tape *tape)
{
    return recordings_start(tape->recordings);
}

const struct host_feed *tape_feed(const struct tape *tape)
{
    return &tape->feed;
}

const struct host_watch *tape_watch(const struct tape *tape)
{
    return &tape->watch;
}
