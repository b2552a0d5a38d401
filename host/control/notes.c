/* notes.c - ten times a second, what observers should know of the host and its guests; at a
 * restart, what they would have seen. */
#include <string.h>

#include "base/log.h"
#include "control/host.h"
#include "engine/lists.h"

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
    note.version = script->version;
    copy(note.sha256, sizeof note.sha256, script->sha256);
    note.disarmed =
        engine_trading_state(host->engine, SCOPE_strategy, script->strategy) != TRADING_ACTIVE;
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

/* --- alerts -----------------------------------------------------------------------------------*/

void host_note_alert(struct host *host, uint32_t strategy, const struct script_alert *alert)
{
    struct note_alert note = {.msg = {.instrument = alert->instrument}, .strategy = strategy};
    const struct host_instrument *instrument = &host->instruments[alert->instrument];
    if (!host->tap)
        return;
    if (alert->instrument <= host->instrument_count && instrument->venue)
        note.msg.venue = instrument->venue->number;
    copy(note.level, sizeof note.level, alert->level);
    copy(note.text, sizeof note.text, alert->text);
    put(host, &note.msg, sizeof note, NOTE_ALERT);
}

/* The same of the same order was told not long ago: a question that is asked again and again. */
static bool was_told(struct host *host, const struct out_alert *alert)
{
    enum { ROOM = sizeof host->told / sizeof host->told[0] };
    struct out_alert *told = host->told;
    if (alert->order == 0)
        return false;
    for (size_t i = 0; i < ROOM; i++)
        if (told[i].order == alert->order && told[i].alert == alert->alert &&
            memcmp(told[i].text, alert->text, sizeof alert->text) == 0)
            return true;
    told[host->told_next++ % ROOM] = *alert;
    return false;
}

/* On the screen they are seen; everywhere else they are a line. */
void host_tell_alert(struct host *host, const struct out_alert *alert)
{
    const struct weir_instrument *def = engine_instrument(host->engine, alert->msg.instrument);
    if (host->options.screen || host->options.on_log || was_told(host, alert))
        return;
    const char *venue = engine_name(host->engine, SCOPE_venue, alert->msg.venue);
    log_line(LOG_WARN, *venue ? venue : "risk", "%s%s%s%s%s: %s",
             alert_name((enum alert)alert->alert), def ? " " : "", def ? def->symbol : "",
             *alert->text ? " " : "", alert->text, alert_text((enum alert)alert->alert));
}

/* --- a journal that goes on -------------------------------------------------------------------*/

/* Returns the highest number in use. */
static uint32_t restart_names(struct host *host, enum risk_scope scope, uint16_t kind,
                              uint32_t most)
{
    uint32_t highest = 0;
    for (uint32_t number = 1; number <= most; number++) {
        struct in_define define = {.number = number};
        const char *name = engine_name(host->engine, scope, number);
        if (!*name)
            continue;
        copy(define.name, sizeof define.name, name);
        put(host, &define.msg, sizeof define, kind);
        highest = number;
    }
    return highest;
}

static void restart_position(struct host *host, uint32_t instrument, uint32_t strategy)
{
    struct position_view view;
    struct note_position note = {.msg = {.instrument = instrument}, .strategy = strategy};
    if (!engine_position(host->engine, instrument, strategy, &view) ||
        (view.qty == 0 && view.realized == 0))
        return;
    note.qty = view.qty;
    note.cost = amount_pack(view.cost);
    note.realized = amount_pack(view.realized);
    put(host, &note.msg, sizeof note, NOTE_POSITION);
}

static void restart_instrument(struct host *host, uint32_t instrument, uint32_t strategies)
{
    const struct weir_instrument *def = engine_instrument(host->engine, instrument);
    if (!def)
        return;
    struct weir_instrument told = *def;
    put(host, &told.msg, sizeof told, WEIR_INSTRUMENT);
    restart_position(host, instrument, 0);
    for (uint32_t strategy = 1; strategy <= strategies; strategy++)
        restart_position(host, instrument, strategy);
}

void host_note_restart(struct host *host)
{
    struct out_state killed = {.of = STATE_KILL_SWITCH, .value = engine_killed(host->engine)};
    struct order_view view;
    if (!host->tap)
        return;
    (void)restart_names(host, SCOPE_venue, IN_DEFINE_VENUE, 255);
    uint32_t strategies = restart_names(host, SCOPE_strategy, IN_DEFINE_STRATEGY, STRATEGY_MOST);
    for (uint32_t i = 1; i <= engine_instrument_count(host->engine); i++)
        restart_instrument(host, i, strategies);
    for (uint32_t order = 0; (order = engine_order_next(host->engine, order, true)) != 0;)
        if (engine_order(host->engine, order, &view)) {
            put(host, &view.order.msg, sizeof view.order, OUT_ORDER);
            if (view.hold.msg.size)
                put(host, &view.hold.msg, sizeof view.hold, OUT_HOLD);
        }
    if (killed.value) {
        copy(killed.reason, sizeof killed.reason, "pulled before the restart");
        put(host, &killed.msg, sizeof killed, OUT_STATE);
    }
}
