/* rowtape.c - see the header.
 *
 * Decoding is a run of the host without scripts and orders, whose sessions tell what their plugins
 * emit. So routing, connections and errors are those of every run on recordings. */
#include "control/rowtape.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "control/paths.h"
#include "control/tape.h"
#include "sim/recordings.h"

/* --- whose it is -------------------------------------------------------------------------------*/

static void add_text(struct sha256 *sha, const char *text)
{
    sha256_add(sha, text, strlen(text) + 1);
}

static enum weir_err add_files(struct sha256 *sha, const char *const *data, size_t count,
                               struct why *why)
{
    char **files;
    size_t n;
    enum weir_err err = recordings_find(data, count, &files, &n, why);
    for (size_t i = 0; i < n && !err; i++) {
        struct stat info = {0};
        int64_t facts[3];
        if (stat(files[i], &info) != 0)
            err = because(why, WEIR_E_IO, "%s: %m", files[i]);
        facts[0] = info.st_size;
        facts[1] = info.st_mtim.tv_sec;
        facts[2] = info.st_mtim.tv_nsec;
        add_text(sha, files[i]);
        sha256_add(sha, facts, sizeof facts);
    }
    recordings_forget(files, n);
    return err;
}

static enum weir_err add_venues(struct sha256 *sha, const struct config *config, struct why *why)
{
    for (size_t i = 0; i < config->venue_count; i++) {
        const struct config_venue *venue = &config->venues[i];
        struct plugin *plugin;
        const char *path = plugin_path(venue->plugin, why);
        if (!path || plugin_load(path, &plugin, why))
            return why->err;
        add_text(sha, venue->name);
        add_text(sha, plugin_sha256(plugin));
        for (const struct weir_setting *s = venue->settings; s && s->name; s++) {
            add_text(sha, s->name);
            add_text(sha, s->value);
        }
    }
    return WEIR_OK;
}

enum weir_err rowtape_name(const struct config *config, const char *const *data, size_t count,
                           const char *folder, char *path, size_t room,
                           unsigned char source_out[32], struct why *why)
{
    char hex[65];
    struct sha256 *sha = sha256_create();
    if (!sha)
        return because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
    add_text(sha, WEIR_VERSION);
    enum weir_err err = add_files(sha, data, count, why);
    if (!err)
        err = add_venues(sha, config, why);
    sha256_value(sha, source_out);
    sha256_destroy(sha);
    hex_print(source_out, 32, hex);
    snprintf(path, room, "%s/%.24s.rows", folder, hex);
    return err;
}

/* --- making ------------------------------------------------------------------------------------*/

struct maker {
    struct host *host; /* known with the first frame */
    struct rows_writer *writer;
    enum weir_err err;
    struct why why;
};

static void on_event(void *context, const struct weir_msg *event)
{
    struct maker *maker = context;
    rows_event(maker->writer, event);
}

static void on_frame(void *context, const struct host_venue *venue, uint32_t conn, bool http,
                     enum weir_err answered)
{
    struct maker *maker = context;
    struct rows_frame frame = {.t = clock_now(&venue->host->clock),
                               .conn = conn,
                               .source = (uint16_t)(venue - venue->host->venues),
                               .http = http,
                               .answered = (uint8_t)answered};
    if (!maker->err)
        maker->err = rows_frame(maker->writer, &frame, &maker->why);
}

static enum weir_err decode(struct maker *maker, const struct config *config, struct tape *tape,
                            struct why *why)
{
    struct host_capture capture = {maker, on_event, on_frame};
    struct host_options options = {.virtual_time = true,
                                   .start = tape_start(tape),
                                   .no_journal = true,
                                   .feed = tape_feed(tape),
                                   .capture = &capture};
    struct host *host = host_create(config, &options, why);
    if (!host)
        return why->err;
    enum weir_err err = host_run(host, why);
    host_destroy(host);
    if (!err && maker->err) {
        *why = maker->why;
        err = maker->err;
    }
    return err;
}

enum weir_err rowtape_make(const struct config *config, const char *const *data, size_t count,
                           const char *path, const unsigned char source[32], struct why *why)
{
    struct maker maker = {0};
    struct rows_facts facts = {0};
    struct config quiet = *config; /* its texts stay the config's */
    struct config_venue venues[256];
    weir_ns from = clock_stopwatch();
    if (config->venue_count > sizeof venues / sizeof venues[0])
        return because(why, WEIR_E_FULL, "more than %zu venues", sizeof venues / sizeof venues[0]);
    memcpy(venues, config->venues, config->venue_count * sizeof venues[0]);
    for (size_t i = 0; i < config->venue_count; i++)
        venues[i].execution = EXECUTION_NONE;
    quiet.venues = venues;
    quiet.script_count = 0;
    maker.writer = rows_create(path, source, why);
    struct tape *tape = maker.writer ? tape_open(data, count, &quiet, why) : NULL;
    enum weir_err err = tape ? decode(&maker, &quiet, tape, why) : why->err;
    if (!err) {
        struct tape_progress progress = tape_progress(tape);
        facts.messages = progress.messages;
        facts.left_out = progress.left_out;
        facts.took = clock_stopwatch() - from;
        err = rows_finish(maker.writer, &facts, why);
        maker.writer = NULL;
    }
    tape_close(tape);
    rows_abandon(maker.writer);
    return err;
}

/* --- reading -----------------------------------------------------------------------------------*/

static weir_ns next(void *context)
{
    const struct rowtape *tape = context;
    const struct rows_frame *frame = rows_next(&tape->rows);
    return frame ? frame->t : INT64_MAX;
}

static enum weir_err give(void *context, struct host *host, struct why *why)
{
    struct rowtape *tape = context;
    const struct rows_frame *frame = rows_next(&tape->rows);
    if (frame->source >= host->venue_count)
        return because(why, WEIR_E_CORRUPT, "decoded data names a venue that is not there");
    struct weir_bytes events = rows_take(&tape->rows, frame);
    tape->given++;
    host_decoded(host, &host->venues[frame->source], frame->conn, frame->http, events,
                 (enum weir_err)frame->answered);
    return WEIR_OK;
}

enum weir_err rowtape_open(struct rowtape *tape, const char *path, const unsigned char source[32],
                           struct why *why)
{
    *tape = (struct rowtape){.given = 0};
    tape->feed = (struct host_feed){.context = tape, .next = next, .give = give};
    return rows_open(path, source, &tape->rows, why);
}

void rowtape_close(struct rowtape *tape)
{
    rows_close(&tape->rows);
}
