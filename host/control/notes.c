/* notes.c - ten times a second, what observers should know of the host and its guests. */
#include <string.h>

#include "control/host.h"

enum { NOTE_EVERY = 100000000 };

static void put(struct host *host, struct weir_msg *msg, size_t size, uint16_t kind)
{
    msg->size = (uint32_t)size;
    msg->kind = kind;
    msg->t = clock_now(&host->clock);
    (void)tap_push(host->tap, msg);
}

static void copy(char *to, size_t size, const char *from)
{
    memcpy(to, from, strnlen(from, size - 1));
}

static void note_venue(struct host *host, const struct host_venue *venue)
{
    static const char *const executions[] = {"venue", "paper", "none"};
    struct note_venue note = {.msg = {.venue = venue->number},
                              .frames = venue->frames,
                              .bytes = venue->bytes,
                              .errors = venue->errors};
    for (uint32_t i = 1; i <= host->instrument_count; i++) {
        struct feed_counts counts;
        if (host->instruments[i].venue != venue || !session_feed_counts(venue->session, i, &counts))
            continue;
        note.gaps += counts.gaps;
        note.books++;
        note.live += session_book_state(venue->session, i) == BOOK_LIVE;
    }
    copy(note.plugin, sizeof note.plugin, venue->config->plugin);
    copy(note.execution, sizeof note.execution, executions[venue->config->execution]);
    put(host, &note.msg, sizeof note, NOTE_VENUE);
}

static void note_script(struct host *host, const struct host_script *script)
{
    struct script_report report;
    struct note_script note = {.strategy = script->strategy, .orders = script->config->orders};
    script_report(script->script, &report);
    note.state = report.outcome == SCRIPT_OK ? 0 : report.outcome == SCRIPT_QUARANTINED ? 1 : 2;
    note.callbacks = report.callbacks;
    note.max_callback_ns = (uint64_t)report.max_callback_ns;
    note.memory = report.memory;
    copy(note.file, sizeof note.file, script->config->file);
    copy(note.reason, sizeof note.reason, report.reason);
    put(host, &note.msg, sizeof note, NOTE_SCRIPT);
}

void host_note(struct host *host)
{
    weir_ns now = clock_stopwatch();
    if (!host->tap || now < host->next_note)
        return;
    host->next_note = now + NOTE_EVERY;
    struct note_host note = {.inputs = engine_counts(host->engine)->inputs,
                             .effects = engine_counts(host->engine)->effects,
                             .queue_most = host->inputs.most,
                             .journal_failed = host->journal_failed,
                             .stopping = host->stopping,
                             .virtual_time = host->options.virtual_time};
    if (host->journal) {
        struct journal_status status;
        journal_status(host->journal, &status);
        note.journal_seq = status.seq;
        note.journal_durable = status.durable;
        note.journal_bytes = status.bytes;
        copy(note.journal, sizeof note.journal, host->journal_folder);
    }
    for (size_t i = 0; i < host->venue_count; i++)
        if (host->venues[i].session)
            note_venue(host, &host->venues[i]);
    for (size_t i = 0; i < host->script_count; i++)
        if (host->scripts[i].script)
            note_script(host, &host->scripts[i]);
    put(host, &note.msg, sizeof note, NOTE_HOST);
}
