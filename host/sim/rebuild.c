/* rebuild.c - see the header. */
#include "sim/rebuild.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/marketstats.h"
#include "sim/recordings.h"
#include "venue/venue.h"

enum { CAPTURE_TYPES_MAX = 64 };

/* One market of the venue, which is one session. */
struct place {
    struct rebuild *rebuild;
    char name[WEIR_ASSET_MAX];
    enum naming naming;
    struct session *session;
    struct market **markets; /* by the host's number of the instrument - 1 */
    uint32_t count, room;
    struct place *next;
};

/* What a capture holds, counted as it is read. */
struct capture {
    const char *path;
    uint64_t headers, http, connect, sent, frames;
    weir_ns first_t, last_t; /* of its first and last line with a frame */
    uint64_t first_line, last_line;
    struct {
        char name[WEIR_SYMBOL_MAX];
        uint64_t count;
    } types[CAPTURE_TYPES_MAX];
    uint32_t type_count;
    uint64_t snapshot_trades;
    struct capture *next;
};

struct rebuild {
    const struct rebuild_options *options;
    struct plugin *plugin;
    struct recordings *recordings;
    struct marketstats *stats;
    struct place *places;
    struct capture *captures;
    struct market **last; /* of each connection: the market that its last message named */
    uint32_t last_room;
    struct recorded_message at; /* the message that is being taken */
    struct rebuild_totals totals;
    bool no_memory;
};

static void say(struct rebuild *rebuild, const char *line)
{
    if (rebuild->options->say)
        rebuild->options->say(rebuild->options->context, line);
}

/* --- what a session tells ---------------------------------------------------------------------- */

static uint32_t on_instrument(void *context, struct session *session,
                              const struct weir_instrument *instrument)
{
    struct place *place = context;
    struct market *market =
        marketstats_of(place->rebuild->stats, place->naming, place->name, instrument->symbol);
    (void)session;
    if (place->count == place->room) {
        uint32_t room = place->room * 2 + 16;
        struct market **markets = realloc(place->markets, room * sizeof(struct market *));
        if (markets) {
            place->markets = markets;
            place->room = room;
        }
    }
    if (!market || place->count == place->room) {
        place->rebuild->no_memory = true;
        return 0;
    }
    const struct weir_plugin *plugin = plugin_descriptor(place->rebuild->plugin);
    market_seq_names(market, plugin->seq_name, plugin->seq_name_2);
    market_places(market, instrument->price_exp, instrument->qty_exp);
    place->markets[place->count] = market;
    return ++place->count;
}

static void on_book(void *context, struct session *session, uint32_t instrument,
                    const struct weir_book_msg *msg, const struct book *book)
{
    const struct place *place = context;
    (void)session;
    market_book(place->markets[instrument - 1], msg, book);
}

static void on_top(void *context, struct session *session, uint32_t instrument,
                   const struct weir_top *top)
{
    const struct place *place = context;
    (void)session;
    if (instrument > 0)
        market_top(place->markets[instrument - 1], top);
}

static void on_event(void *context, struct session *session, const struct weir_msg *event)
{
    const struct place *place = context;
    const void *message = event; /* every message begins with its header */
    (void)session;
    if (event->kind == WEIR_TRADE && event->instrument > 0)
        market_trade(place->markets[event->instrument - 1], message, event->t);
}

static void on_order(void *context, struct session *session, uint32_t instrument,
                     const struct weir_l3 *order)
{
    const struct place *place = context;
    (void)session;
    if (!market_order(place->markets[instrument - 1], order, place->rebuild->at.record.t))
        place->rebuild->no_memory = true;
}

static void on_log(void *context, struct session *session, const char *text)
{
    const struct place *place = context;
    char line[700];
    (void)session;
    (void)snprintf(line, sizeof line, "%s:%" PRIu64 ": %s", place->rebuild->at.file,
                   place->rebuild->at.record.line, text);
    say(place->rebuild, line);
}

/* --- sessions ---------------------------------------------------------------------------------- */

static struct place *open_place(struct rebuild *rebuild, const char *market, enum naming naming,
                                struct why *why)
{
    struct place *place = calloc(1, sizeof *place);
    if (!place) {
        (void)because(why, WEIR_E_NO_MEMORY, "market %s: out of memory", market);
        return NULL;
    }
    (void)snprintf(place->name, sizeof place->name, "%s", market);
    place->rebuild = rebuild;
    place->naming = naming;
    struct weir_setting settings[] = {{"market", place->name}, {NULL, NULL}};
    struct session_config config = {
        .name = place->name,
        .venue = 1,
        .account = 1,
        .settings = settings,
        .book_window = 1 << 17,
        .book_far = 1 << 18,
        .data_age_max = INT64_MAX, /* a recording's silence is no fault of its book */
    };
    struct session_owner owner = {.context = place,
                                  .event = on_event,
                                  .instrument = on_instrument,
                                  .book = on_book,
                                  .top = on_top,
                                  .order = on_order,
                                  .log = on_log};
    place->session = session_create(rebuild->plugin, &config, &owner, why);
    if (!place->session || session_start(place->session, rebuild->at.record.t) != WEIR_OK) {
        if (place->session)
            (void)because(why, WEIR_E_STATE, "market %s: the plugin does not start", market);
        session_destroy(place->session);
        free(place);
        return NULL;
    }
    place->next = rebuild->places;
    rebuild->places = place;
    return place;
}

/* NULL with why: the session of the message's market cannot be had. */
static struct place *place_of(struct rebuild *rebuild, struct why *why)
{
    const struct recorded_message *at = &rebuild->at;
    enum naming naming = at->format == FORMAT_STAMPED ? NAMING_STREAM : NAMING_CAPTURE;
    for (struct place *place = rebuild->places; place; place = place->next)
        if (strcmp(place->name, at->market) == 0 && place->naming == naming)
            return place;
    return open_place(rebuild, at->market, naming, why);
}

/* --- messages ---------------------------------------------------------------------------------- */

static struct capture *capture_of(struct rebuild *rebuild)
{
    struct capture *capture = rebuild->captures;
    while (capture && capture->path != rebuild->at.file)
        capture = capture->next;
    if (capture || !(capture = calloc(1, sizeof *capture)))
        return capture;
    capture->path = rebuild->at.file;
    capture->next = rebuild->captures;
    rebuild->captures = capture;
    return capture;
}

static void count_type(struct capture *capture, const char *type)
{
    size_t len = strcspn(type, "@"); /* depth@100ms is depth */
    uint32_t i = 0;
    while (i < capture->type_count &&
           (strncmp(capture->types[i].name, type, len) != 0 || capture->types[i].name[len] != '\0'))
        i++;
    if (i == CAPTURE_TYPES_MAX)
        return;
    if (i == capture->type_count) {
        memcpy(capture->types[i].name, type, len);
        capture->type_count++;
    }
    capture->types[i].count++;
}

static void count_in_capture(struct rebuild *rebuild, const struct weir_probe *probe)
{
    const struct record *record = &rebuild->at.record;
    struct capture *capture = capture_of(rebuild);
    if (!capture) {
        rebuild->no_memory = true;
        return;
    }
    capture->headers = rebuild->at.headers;
    capture->http += record->kind == RECORD_HTTP;
    capture->connect += record->kind == RECORD_CONNECT;
    capture->sent += record->kind == RECORD_SENT;
    if (record->kind != RECORD_FRAME)
        return;
    if (capture->frames++ == 0 || record->line < capture->first_line) {
        capture->first_line = record->line;
        capture->first_t = record->t;
    }
    if (record->line > capture->last_line) {
        capture->last_line = record->line;
        capture->last_t = record->t;
    }
    capture->snapshot_trades += probe->snapshot_trades;
    if (probe->type[0] != '\0')
        count_type(capture, probe->type);
}

/* The market that a message is counted for: what it names, else what its connection named last. */
static struct market *market_of(struct rebuild *rebuild, const struct place *place,
                                const struct weir_probe *probe)
{
    uint32_t conn = rebuild->at.record.conn;
    if (conn >= rebuild->last_room) {
        uint32_t room = conn + 64;
        struct market **last = realloc(rebuild->last, room * sizeof(struct market *));
        if (!last) {
            rebuild->no_memory = true;
            return NULL;
        }
        memset(last + rebuild->last_room, 0, (room - rebuild->last_room) * sizeof(struct market *));
        rebuild->last = last;
        rebuild->last_room = room;
    }
    const char *symbol = probe->symbol;
    if (symbol[0] == '\0' && !rebuild->last[conn])
        symbol = rebuild->at.symbol;
    if (symbol[0] != '\0')
        rebuild->last[conn] = marketstats_of(rebuild->stats, place->naming, place->name, symbol);
    return rebuild->last[conn];
}

static uint32_t number_of(const struct place *place, const struct market *market)
{
    for (uint32_t i = 0; i < place->count; i++)
        if (place->markets[i] == market)
            return i + 1;
    return 0;
}

static void refuse(struct rebuild *rebuild, enum weir_err err)
{
    char line[700];
    rebuild->totals.refused++;
    (void)snprintf(line, sizeof line,
                   "%s:%" PRIu64 ": the message was refused (%s); the books of its connection are "
                   "lost until a snapshot comes",
                   rebuild->at.file, rebuild->at.record.line, err_text(err));
    say(rebuild, line);
}

static void take_frame(struct rebuild *rebuild, struct place *place, const struct weir_probe *probe)
{
    const struct record *record = &rebuild->at.record;
    struct market *market = market_of(rebuild, place, probe);
    struct feed_counts counts = {0};
    if (market)
        market_from(market, rebuild->at.conn_name, probe->stream);
    if (market)
        market_begin(market, rebuild->at.file, record->line, record->t, probe->type);
    enum weir_err err = session_frame(place->session, record->conn, record->t, record->bytes);
    if (err != WEIR_OK)
        refuse(rebuild, err);
    if (market)
        market_left(market);
    if (!market || !market_is_due(market))
        return;
    uint32_t number = number_of(place, market);
    (void)session_feed_counts(place->session, number, &counts);
    market_end(market, session_book(place->session, number), counts.last_seq);
}

static enum weir_err take(struct rebuild *rebuild, struct why *why)
{
    const struct recorded_message *at = &rebuild->at;
    const struct record *record = &at->record;
    const struct weir_plugin *plugin = plugin_descriptor(rebuild->plugin);
    struct weir_probe probe = {.size = sizeof probe};
    if (plugin->probe && record->kind == RECORD_FRAME &&
        plugin->probe(record->bytes, &probe) != WEIR_OK)
        probe = (struct weir_probe){.size = sizeof probe};
    if (at->format != FORMAT_STAMPED)
        count_in_capture(rebuild, &probe);
    if (at->plugin == UINT32_MAX) {
        rebuild->totals.unknown += record->kind == RECORD_FRAME;
        return WEIR_OK;
    }
    struct place *place = place_of(rebuild, why);
    if (!place)
        return why->err;
    rebuild->totals.messages++;
    rebuild->totals.bytes += record->bytes.len;
    if (record->kind == RECORD_FRAME) {
        take_frame(rebuild, place, &probe);
    } else if (record->kind == RECORD_HTTP) {
        enum weir_err err =
            session_recorded(place->session, record->t, record->target, record->bytes);
        if (err != WEIR_OK && err != WEIR_E_UNSUPPORTED)
            refuse(rebuild, err);
    } else if (record->kind == RECORD_CONNECT) {
        (void)session_conn(place->session, record->conn, record->t, true);
    }
    return rebuild->no_memory ? because(why, WEIR_E_NO_MEMORY, "%s: out of memory", at->file)
                              : WEIR_OK;
}

/* --- the result -------------------------------------------------------------------------------- */

static void close_markets(struct rebuild *rebuild)
{
    for (struct place *place = rebuild->places; place; place = place->next)
        for (uint32_t number = 1; number <= place->count; number++) {
            struct feed_counts counts = {0};
            (void)session_feed_counts(place->session, number, &counts);
            struct session_marks marks;
            if (session_marks(place->session, number, &marks))
                market_marks(place->markets[number - 1], &marks);
            market_close(place->markets[number - 1], &counts,
                         session_book_state(place->session, number),
                         session_book(place->session, number));
        }
}

static void put_number(struct text *json, const char *key, uint64_t value)
{
    if (value == 0)
        return;
    json_key(json, key);
    json_uint(json, value);
}

/* Messages that wait for a snapshot that the recording does not hold. */
static void put_waiting(const struct rebuild *rebuild, struct text *json)
{
    json_key(json, "buffered_without_snapshot");
    json_object(json);
    for (const struct place *place = rebuild->places; place; place = place->next)
        for (uint32_t number = 1; number <= place->count; number++) {
            struct feed_counts counts = {0};
            (void)session_feed_counts(place->session, number, &counts);
            if (place->naming == NAMING_CAPTURE && counts.snapshots == 0)
                put_number(json, market_symbol(place->markets[number - 1]), counts.messages);
        }
    json_end(json);
}

/* Where frames of a connection are numbered: how often a number was left out. */
static void put_frames(const struct rebuild *rebuild, struct text *json)
{
    uint64_t gaps = 0;
    bool numbered = false;
    for (const struct place *place = rebuild->places; place; place = place->next) {
        numbered = numbered || session_is_numbered(place->session);
        gaps += session_sequence_gaps(place->session);
    }
    if (!numbered)
        return;
    json_key(json, "sequence_num_gaps");
    json_uint(json, gaps);
}

static void put_captures(const struct rebuild *rebuild, struct text *json)
{
    json_key(json, "files");
    json_object(json);
    for (const struct capture *capture = rebuild->captures; capture; capture = capture->next) {
        const char *slash = strrchr(capture->path, '/');
        json_key(json, slash ? slash + 1 : capture->path);
        json_object(json);
        json_key(json, "records");
        json_object(json);
        put_number(json, "header", capture->headers);
        put_number(json, "http", capture->http);
        put_number(json, "connect", capture->connect);
        put_number(json, "send", capture->sent);
        put_number(json, "recv", capture->frames);
        json_end(json);
        json_key(json, "first_recv");
        json_number(json, capture->first_t, 9);
        json_key(json, "last_recv");
        json_number(json, capture->last_t, 9);
        json_key(json, "message_types");
        json_object(json);
        for (uint32_t i = 0; i < capture->type_count; i++)
            put_number(json, capture->types[i].name, capture->types[i].count);
        json_end(json);
        put_waiting(rebuild, json);
        put_frames(rebuild, json);
        put_number(json, "trade_rows_in_snapshots_not_counted", capture->snapshot_trades);
        json_end(json);
    }
    json_end(json);
}

static void put_result(struct rebuild *rebuild, struct text *json, struct text *table)
{
    close_markets(rebuild);
    if (table)
        marketstats_table(rebuild->stats, table);
    if (!json)
        return;
    json_object(json);
    marketstats_json(rebuild->stats, json);
    if (rebuild->captures)
        put_captures(rebuild, json);
    put_number(json, "messages_refused", rebuild->totals.refused);
    put_number(json, "messages_of_unknown_connections", rebuild->totals.unknown);
    json_end(json);
}

static void release(struct rebuild *rebuild)
{
    for (struct place *place = rebuild->places, *next; place; place = next) {
        next = place->next;
        session_destroy(place->session);
        free(place->markets);
        free(place);
    }
    for (struct capture *capture = rebuild->captures, *next; capture; capture = next) {
        next = capture->next;
        free(capture);
    }
    recordings_close(rebuild->recordings);
    marketstats_destroy(rebuild->stats);
    free(rebuild->last);
}

/* All messages. The first error ends it: what comes after damage is not known. */
static enum weir_err run(struct rebuild *rebuild, struct why *why)
{
    for (;;) {
        enum weir_err err = recordings_next(rebuild->recordings, &rebuild->at, why);
        if (err != WEIR_OK || rebuild->at.record.kind == RECORD_END)
            return err;
        err = take(rebuild, why);
        if (err != WEIR_OK)
            return err;
    }
}

enum weir_err rebuild_run(const struct rebuild_options *options, struct text *json,
                          struct text *table, struct rebuild_totals *totals_out, struct why *why)
{
    struct rebuild rebuild = {.options = options};
    enum weir_err err = plugin_load(options->plugin, &rebuild.plugin, why);
    if (err != WEIR_OK)
        return err;
    const struct weir_plugin *plugin = plugin_descriptor(rebuild.plugin);
    struct recordings_config config = {options->paths, options->path_count, &plugin, 1};
    rebuild.stats = marketstats_create();
    rebuild.recordings = rebuild.stats ? recordings_open(&config, why) : NULL;
    if (!rebuild.stats)
        err = because(why, WEIR_E_NO_MEMORY, "out of memory");
    else if (!rebuild.recordings)
        err = why->err;
    if (err == WEIR_OK)
        err = run(&rebuild, why);
    if (err == WEIR_OK && rebuild.totals.messages == 0)
        err = because(why, WEIR_E_UNSUPPORTED, "%s: no message in it is one that plugin %s knows",
                      options->paths[0], plugin->name);
    if (err == WEIR_OK)
        put_result(&rebuild, json, table);
    *totals_out = rebuild.totals;
    release(&rebuild);
    return err;
}
