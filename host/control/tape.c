#include "control/tape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/paths.h"
#include "sim/recordings.h"

enum { PLUGINS_MAX = 64 };

struct tape {
    const struct config *config;
    struct plugin *loaded[PLUGINS_MAX];
    const struct weir_plugin *plugins[PLUGINS_MAX];
    uint32_t plugin_count;
    struct recordings *recordings;
    struct recorded at; /* the next message */
    bool ended;
    enum weir_err err; /* of the message after `at` */
    struct why why;
    uint64_t left_out; /* messages that no venue takes */
    struct host_feed feed;
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

static void give_one(struct tape *tape, struct host *host)
{
    const struct record *record = &tape->at.record;
    struct host_venue *venue = venue_of(tape, host);
    if (!venue && tape->at.begins)
        log_line(LOG_WARN, "data", "%s: no venue of the configuration takes it (%s%s%s); it is left out", tape->at.file,
                 tape->at.plugin < tape->plugin_count ? tape->plugins[tape->at.plugin]->name : "no plugin knows it",
                 *tape->at.market ? " market " : "", tape->at.market);
    if (!venue)
        tape->left_out++;
    else if (record->kind == RECORD_FRAME)
        host_frame(host, venue, record->conn, record->bytes);
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
    return WEIR_OK;
}

struct tape *tape_open(const char *const *paths, size_t count, const struct config *config, struct why *why)
{
    struct tape *tape = calloc(1, sizeof *tape);
    if (!tape) {
        (void)because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
        return NULL;
    }
    tape->config = config;
    tape->feed = (struct host_feed){tape, next, give};
    if (load_plugins(tape, why) == WEIR_OK) {
        struct recordings_config recordings = {paths, count, tape->plugins, tape->plugin_count};
        tape->recordings = recordings_open(&recordings, why);
    }
    if (!tape->recordings) {
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
    free(tape);
}

weir_ns tape_start(const struct tape *tape)
{
    return recordings_start(tape->recordings);
}

const struct host_feed *tape_feed(const struct tape *tape)
{
    return &tape->feed;
}
