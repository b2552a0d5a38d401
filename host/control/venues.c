/* venues.c - sessions and paper execution as guests of the host. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/host.h"
#include "control/paths.h"
#include "sim/latencies.h"

enum { WAITING_BYTES = 512 }; /* a request without an answer; as many as there may be orders */

/* --- what a session tells ---------------------------------------------------------------------*/

static void on_event(void *context, struct session *session, const struct weir_msg *event)
{
    struct host_venue *venue = context;
    (void)session;
    const struct host_watch *watch = venue->host->options.watch;
    if (!host_is_late(venue->host, event))
        host_push(venue->host, event);
    if (watch && event->kind == WEIR_TRADE)
        watch->trade(watch->context, event->instrument, (const struct weir_trade *)event, event->t);
    if (!venue->paper)
        return;
    if (event->kind == WEIR_TOP)
        paper_top(venue->paper, clock_now(&venue->host->clock), (const struct weir_top *)event);
    else if (event->kind == WEIR_TRADE)
        paper_trade(venue->paper, clock_now(&venue->host->clock), (const struct weir_trade *)event);
    else if (event->kind == WEIR_INSTRUMENT)
        paper_instrument(venue->paper, (const struct weir_instrument *)event);
    else if (event->kind == WEIR_MARK)
        paper_mark(venue->paper, clock_now(&venue->host->clock), (const struct weir_mark *)event);
}

static void on_book(void *context, struct session *session, uint32_t instrument,
                    const struct weir_book_msg *msg, const struct book *book)
{
    struct host_venue *venue = context;
    const struct host_watch *watch = venue->host->options.watch;
    (void)session;
    if (venue->host->cells)
        cells_see_book(venue->host->cells, instrument);
    if (watch)
        watch->book(watch->context, instrument, msg, book);
    if (venue->paper)
        paper_book(venue->paper, clock_now(&venue->host->clock), instrument, msg, book);
}

static void on_queue(void *context, struct session *session, uint32_t instrument,
                     const struct weir_l3 *order, const struct queues_change *change)
{
    struct host_venue *venue = context;
    (void)session;
    if (venue->paper)
        paper_queue(venue->paper, clock_now(&venue->host->clock), instrument, order, change);
}

/* Each best bid and ask that the venue itself sends. */
static void on_top(void *context, struct session *session, uint32_t instrument,
                   const struct weir_top *top)
{
    struct host_venue *venue = context;
    const struct host_watch *watch = venue->host->options.watch;
    (void)session;
    if (watch)
        watch->top(watch->context, instrument, top);
}

/* The host's number of a symbol: the one it had, else the next. */
static uint32_t on_instrument(void *context, struct session *session,
                              const struct weir_instrument *instrument)
{
    struct host_venue *venue = context;
    struct host *host = venue->host;
    (void)session;
    for (uint32_t i = 1; i <= host->instrument_count; i++)
        if (host->instruments[i].venue == venue &&
            strcmp(host->instruments[i].symbol, instrument->symbol) == 0)
            return i;
    uint32_t number = engine_instrument_find(host->engine, venue->number, instrument->symbol);
    if (number == 0)
        number = (host->instrument_count > engine_instrument_count(host->engine)
                      ? host->instrument_count
                      : engine_instrument_count(host->engine)) +
                 1;
    if (number >= host->instrument_room) {
        log_line(LOG_ERROR, venue->config->name,
                 "instrument %s: no room; %u instruments are the most", instrument->symbol,
                 host->instrument_room - 1);
        return 0;
    }
    if (number > host->instrument_count)
        host->instrument_count = number;
    host->instruments[number].venue = venue;
    memcpy(host->instruments[number].symbol, instrument->symbol, WEIR_SYMBOL_MAX);
    host->instruments[number].price_exp = instrument->price_exp;
    host->instruments[number].qty_exp = instrument->qty_exp;
    return number;
}

static void on_emitted(void *context, struct session *session, const struct weir_msg *event)
{
    const struct host_venue *venue = context;
    const struct host_capture *capture = venue->host->options.capture;
    (void)session;
    if (venue->host->in_frame)
        capture->event(capture->context, event);
}

static void on_log(void *context, struct session *session, const char *text)
{
    const struct host_venue *venue = context;
    (void)session;
    log_line(LOG_WARN, venue->config->name, "%s", text);
}

static void on_paper(void *context, const struct weir_msg *event)
{
    struct host_venue *venue = context;
    host_push(venue->host, event);
}

/* --- opening ----------------------------------------------------------------------------------*/

static enum weir_err latency_of(struct host_venue *venue, struct latency *latency_out,
                                struct why *why)
{
    const struct config_paper *from = &venue->config->paper;
    weir_ns amend = from->amend_latency ? from->amend_latency : from->cancel_latency;
    *latency_out = (struct latency){
        .of = {from->submit_latency, from->cancel_latency, amend, from->report_latency},
        .jitter = from->latency_jitter,
        .tail = from->latency_tail,
        .drawn = from->latency_by_chance};
    if (!*from->latency_file)
        return WEIR_OK;
    enum weir_err err =
        latencies_read(from->latency_file, &venue->latencies, &latency_out->row_count, why);
    latency_out->rows = venue->latencies;
    return err;
}

/* The word's place among those of the schema. */
static unsigned place_of(const char *word, const char *const *words)
{
    unsigned place = 0;
    while (words[place] && strcmp(words[place], word) != 0)
        place++;
    return place;
}

static enum weir_err open_paper(struct host_venue *venue, struct why *why)
{
    static const char *const fee_assets[] = {"quote", "base", "received", NULL};
    static const char *const stps[] = {"none", "cancel_new", "cancel_old", NULL};
    const struct config_paper *from = &venue->config->paper;
    struct paper_config config = {.venue = venue->number,
                                  .account = venue->account,
                                  .queue = paper_queue_of(from->queue),
                                  .maker_fee_bps = from->maker_fee_bps,
                                  .taker_fee_bps = from->taker_fee_bps,
                                  .fee_asset =
                                      (enum fee_asset)place_of(from->fee_asset, fee_assets),
                                  .funding_bps = from->funding_bps,
                                  .funding_every = from->funding_every,
                                  .stp = (enum match_stp)place_of(from->self_trade, stps),
                                  .check_balance = from->check_balance,
                                  .rate_max = from->rate_max,
                                  .rate_window = from->rate_window,
                                  .outage_every = from->outage_every,
                                  .outage_for = from->outage_for,
                                  .reject_ppm = from->reject_ppm,
                                  .drop_request_ppm = from->drop_request_ppm,
                                  .drop_ack_ppm = from->drop_ack_ppm,
                                  .duplicate_fill_ppm = from->duplicate_fill_ppm,
                                  .seed = from->seed,
                                  .balances = from->balances};
    enum weir_err err = latency_of(venue, &config.latency, why);
    if (err)
        return err;
    venue->paper = paper_create(&config, on_paper, venue, why);
    return venue->paper ? WEIR_OK : why->err;
}

static enum weir_err open_recorder(struct host_venue *venue, struct why *why)
{
    const struct config *from = venue->host->config;
    const struct recorder_config config = {.folder = from->record,
                                           .name = venue->config->name,
                                           .segment_bytes = (uint64_t)from->record_segment,
                                           .disk_bytes = (uint64_t)from->record_disk};
    venue->recorder = recorder_open(&config, why);
    return venue->recorder ? WEIR_OK : why->err;
}

static void close_recorder(struct host_venue *venue)
{
    if (!venue->recorder)
        return;
    struct recorder_counts counts = recorder_counts(venue->recorder);
    recorder_close(venue->recorder);
    venue->recorder = NULL;
    log_line(counts.dropped ? LOG_WARN : LOG_INFO, venue->config->name,
             "recording: %llu messages, %llu bytes, %llu dropped",
             (unsigned long long)counts.messages, (unsigned long long)counts.bytes,
             (unsigned long long)counts.dropped);
}

static enum weir_err open_venue(struct host_venue *venue, struct why *why)
{
    const struct config_venue *config = venue->config;
    struct session_config session = {.name = config->name,
                                     .venue = venue->number,
                                     .account = venue->account,
                                     .settings = config->settings,
                                     .book_window = config->book_window,
                                     .book_far = config->book_far,
                                     .data_age_max = config->data_age_max,
                                     .orders = true};
    struct session_owner owner = {.context = venue,
                                  .event = on_event,
                                  .instrument = on_instrument,
                                  .book = on_book,
                                  .top = on_top,
                                  .queue = on_queue,
                                  .emitted = venue->host->options.capture ? on_emitted : NULL,
                                  .log = on_log};
    const char *path = plugin_path(config->plugin, why);
    if (!path)
        return why->err;
    if (!queue_init(&venue->waiting, host_room(venue->host->config->orders, WAITING_BYTES)))
        return because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
    enum weir_err err = plugin_load(path, &venue->plugin, why);
    if (!err)
        err = host_open_endpoint(venue, &owner, why);
    if (!err && config->execution == EXECUTION_PAPER)
        err = open_paper(venue, why);
    if (!err && venue->host->config->record && *venue->host->config->record &&
        !venue->host->options.virtual_time)
        err = open_recorder(venue, why);
    if (!err && !(venue->session = session_create(venue->plugin, &session, &owner, why)))
        err = why->err;
    if (!err && config->execution == EXECUTION_VENUE && !session_caps(venue->session)->orders)
        err = because(
            why, WEIR_E_UNSUPPORTED,
            "execution: venue: plugin '%s' has market data only; expected execution: paper or none",
            config->plugin);
    return err;
}

enum weir_err host_open_venues(struct host *host, struct why *why)
{
    for (size_t i = 0; i < host->venue_count; i++) {
        enum weir_err err = open_venue(&host->venues[i], why);
        if (err) {
            while_doing(why, "venues.%s", host->venues[i].config->name);
            return err;
        }
    }
    return WEIR_OK;
}

void host_start_venues(struct host *host)
{
    for (size_t i = 0; i < host->venue_count; i++) {
        struct host_venue *venue = &host->venues[i];
        enum weir_err err = session_start(venue->session, clock_now(&host->clock));
        if (err)
            log_line(LOG_ERROR, venue->config->name, "the session cannot start: %s", err_text(err));
        if (venue->paper)
            paper_start(venue->paper, clock_now(&host->clock));
        host_settle(host);
    }
}

void host_close_venues(struct host *host)
{
    for (size_t i = 0; i < host->venue_count; i++) {
        paper_destroy(host->venues[i].paper); /* it reads the session's books */
        free(host->venues[i].latencies);
        close_recorder(&host->venues[i]);
        session_destroy(host->venues[i].session);
        queue_fini(&host->venues[i].waiting);
    }
}

/* --- frames and intents -----------------------------------------------------------------------*/

static void captured(struct host *host, const struct host_venue *venue, uint32_t conn, bool http,
                     enum weir_err answered)
{
    const struct host_capture *capture = host->options.capture;
    host->in_frame = false;
    if (capture)
        capture->frame(capture->context, venue, conn, http, answered);
}

enum weir_err host_frame(struct host *host, struct host_venue *venue, uint32_t conn,
                         struct weir_bytes frame)
{
    venue->frames++;
    venue->bytes += frame.len;
    host->in_frame = true;
    enum weir_err err = session_frame(venue->session, conn, clock_now(&host->clock), frame);
    captured(host, venue, conn, false, err);
    venue->errors += err != WEIR_OK;
    return err;
}

void host_recorded_answer(struct host *host, struct host_venue *venue, struct weir_bytes target,
                          struct weir_bytes body)
{
    venue->frames++;
    venue->bytes += body.len;
    host->in_frame = true;
    enum weir_err err = session_recorded(venue->session, clock_now(&host->clock), target, body);
    captured(host, venue, 0, true, err);
    venue->errors += err != WEIR_OK;
}

void host_decoded(struct host *host, struct host_venue *venue, uint32_t conn, bool http,
                  struct weir_bytes events, enum weir_err answered)
{
    venue->frames++;
    venue->errors += session_decoded(venue->session, conn, clock_now(&host->clock), http, events,
                                     answered) != WEIR_OK;
}

static struct host_venue *venue_of(struct host *host, uint16_t number)
{
    for (size_t i = 0; i < host->venue_count; i++)
        if (host->venues[i].number == number)
            return &host->venues[i];
    return NULL;
}

/* The plugin says that an order was certainly not sent: a definite refusal, from the host. */
static void not_sent(struct host *host, const struct weir_intent *intent, enum weir_err err)
{
    struct weir_report report = {
        .msg = intent->msg, .proof = WEIR_DEFINITE, .state = WEIR_STATE_REJECTED};
    report.msg.size = sizeof report;
    report.msg.flags = 0;
    report.msg.kind = intent->msg.kind == WEIR_NEW      ? WEIR_REJECT
                      : intent->msg.kind == WEIR_CANCEL ? WEIR_CANCEL_REJECT
                                                        : WEIR_REPLACE_REJECT;
    memcpy(report.client_id, intent->client_id, sizeof report.client_id);
    memcpy(report.venue_id, intent->venue_id, sizeof report.venue_id);
    snprintf(report.reason, sizeof report.reason, "not sent: %s", err_text(err));
    host_push(host, &report.msg);
}

void host_venue_effect(struct host *host, const struct weir_msg *effect, uint64_t seq)
{
    const struct weir_intent *intent = (const struct weir_intent *)effect;
    struct host_venue *venue = venue_of(host, effect->venue);
    bool risk = effect->kind == WEIR_NEW || effect->kind == WEIR_REPLACE;
    enum weir_err err = venue ? WEIR_OK : WEIR_E_NOT_FOUND;
    weir_ns now = clock_now(&host->clock);
    if (risk && host->journal &&
        (host->unwritten || !journal_before_send(host->journal, host->seq)))
        err = WEIR_E_IO; /* an order that the journal does not hold never leaves */
    if (!err && venue->paper)
        err = paper_intent(venue->paper, now, intent);
    else if (!err && venue->config->execution == EXECUTION_VENUE)
        err = session_intent(venue->session, now, intent);
    else if (!err)
        err = WEIR_E_UNSUPPORTED;
    if (risk)
        histogram_add(&host->stages.of[TIMED_order_sent], now - effect->t);
    if (err && (risk || effect->kind == WEIR_CANCEL))
        not_sent(host, intent, err);
    else if (!err)
        host_note_request(host, venue, intent);
    if (!err && (risk || effect->kind == WEIR_CANCEL))
        host_tell_sent(host, intent, seq, clock_now(&host->clock) - effect->t);
}

/* --- timers -----------------------------------------------------------------------------------*/

weir_ns host_venue_next_timer(const struct host *host)
{
    weir_ns next = INT64_MAX;
    for (size_t i = 0; i < host->venue_count; i++) {
        weir_ns t = session_next_timer(host->venues[i].session);
        next = t < next ? t : next;
        t = host->venues[i].paper ? paper_next_timer(host->venues[i].paper) : INT64_MAX;
        next = t < next ? t : next;
        t = host_next_deadline(&host->venues[i]);
        next = t < next ? t : next;
    }
    return next;
}

void host_venue_timers(struct host *host)
{
    for (size_t i = 0; i < host->venue_count; i++) {
        struct host_venue *venue = &host->venues[i];
        weir_ns now = clock_now(&host->clock);
        if (venue->paper && paper_next_timer(venue->paper) <= now)
            paper_timer(venue->paper, now);
        if (session_next_timer(venue->session) <= now)
            session_timer(venue->session, now);
        host_deadlines(host, venue);
    }
}
