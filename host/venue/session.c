/* session.c - a session as its owner sees it: in go frames, answers, time and intents, out come events.
 *
 * Each entry follows one course: the clock moves, the plugin is called, and what became due meanwhile
 * (snapshots to ask for, books that fell silent) is done after the plugin has returned, never inside
 * of it. [enter, leave] */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "venue/own.h"

enum { WINDOW_DEFAULT = 65536, FAR_DEFAULT = 65536 };
#define DATA_AGE_DEFAULT ((weir_ns)10000000000) /* where neither config nor plugin says */

/* --- to the owner ------------------------------------------------------------------------------*/

void session_deliver(struct session *session, struct weir_msg *event, uint32_t host_instrument)
{
    event->venue = session->config.venue;
    event->account = session->config.account;
    event->instrument = host_instrument;
    event->t = session->now;
    event->cause = 0;
    if (event->kind == WEIR_SESSION && event->flags & WEIR_STREAM_UP)
        session->suspicion[0] = '\0';
    session->owner.event(session->owner.context, session, event);
}

static void say_line(struct session *session, const char *line)
{
    if (session->owner.log)
        session->owner.log(session->owner.context, session, line);
}

/* False: too many lines in this second of engine time; they are counted, and the count is told. */
static bool may_say(struct session *session)
{
    weir_ns second = session->now / 1000000000;
    if (second != session->second) {
        if (session->lines_left_out > 0) {
            char line[64];
            snprintf(line, sizeof line, "%u lines were left out", session->lines_left_out);
            say_line(session, line);
        }
        session->second = second;
        session->lines = session->lines_left_out = 0;
    }
    if (session->lines == LINES_PER_SECOND) {
        session->lines_left_out++;
        return false;
    }
    session->lines++;
    return true;
}

__attribute__((format(printf, 2, 0))) static void say(struct session *session, const char *format,
                                                      va_list args)
{
    char *line = session->last_line;
    vsnprintf(line, sizeof session->last_line, format, args);
    for (char *at = line; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = ' ';
    if (may_say(session))
        say_line(session, line);
}

void session_say(struct session *session, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(session, format, args);
    va_end(args);
}

void session_suspect(struct session *session, bool of_orders, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(session, format, args);
    va_end(args);
    session->guards.bad++;
    if (!of_orders)
        return;
    session->guards.bad_of_orders++;
    if (session->suspicion[0])
        return;
    struct weir_session down = {.msg = {.size = sizeof down, .kind = WEIR_SESSION}};
    snprintf(session->suspicion, sizeof session->suspicion, "%s", session->last_line);
    for (char *at = session->suspicion; *at; at++) /* it may be cut inside of a character */
        if ((unsigned char)*at >= 0x80)
            *at = '?';
    snprintf(down.reason, sizeof down.reason, "%s", session->suspicion);
    session_deliver(session, &down.msg, 0);
}

/* --- what is due after a callback --------------------------------------------------------------*/

static void ask_for_snapshot(struct session *session, const struct listing *listing)
{
    struct weir_intent intent = {
        .msg = {.size = sizeof intent,
                .kind = WEIR_RESYNC,
                .venue = session->config.venue,
                .account = session->config.account,
                .instrument = listing->number,
                .t = session->now},
    };
    struct call call = {.kind = CALL_INTENT, .intent = &intent};
    if (guest_call(session, &call) != WEIR_OK)
        session->guards.errors++; /* the feed asks again, later */
}

static void look_after_feeds(struct session *session)
{
    weir_ns now = session->now, next = INT64_MAX;
    session->watch_t = INT64_MAX;
    for (uint32_t i = 0; i < session->count; i++) {
        struct listing *listing = session->listings[i];
        if (!listing->feed)
            continue;
        if (feed_next_time(listing->feed) <= now) {
            feed_tick(listing->feed, now);
            listing_tell(session, listing);
            if (feed_asks(listing->feed, now))
                ask_for_snapshot(session, listing);
        }
        weir_ns t = feed_next_time(listing->feed);
        next = t < next ? t : next;
    }
    session->watch_t = next;
}

static void enter(struct session *session, weir_ns now)
{
    if (now > session->now)
        session->now = now;
}

static void leave(struct session *session)
{
    if (session->watch_t <= session->now)
        look_after_feeds(session);
}

/* --- what comes from the venue -----------------------------------------------------------------*/

static void lose_conn(struct session *session, uint32_t conn)
{
    for (uint32_t i = 0; i < session->count; i++) {
        struct listing *listing = session->listings[i];
        if (listing->feed && listing->on_conn && listing->conn == conn)
            listing_lose(session, listing);
    }
}

/* The connection begins or ends: its frames are numbered anew. */
static void forget_sequence(struct session *session, uint32_t conn)
{
    if (conn < session->sequence_room)
        session->sequences[conn] = 0;
}

void session_sequence(struct session *session, uint64_t seq)
{
    uint32_t conn = session->conn;
    void *sequences = session->sequences;
    if (session->phase != CALL_FRAME)
        return session_suspect(session, false, "a frame's number, but there is no frame");
    bool room = conn < CONNS_MAX &&
                array_grow(&sequences, &session->sequence_room, conn, sizeof session->sequences[0]);
    session->sequences = sequences;
    if (!room) {
        session->frame_err = WEIR_E_NO_MEMORY;
        return;
    }
    uint64_t next = session->sequences[conn];
    session->muted = next != 0 && seq < next;
    if (session->muted)
        return;
    session->sequences[conn] = seq + 1;
    if (next == 0 || seq == next)
        return;
    session->sequence_gaps++;
    session->frame_err = WEIR_E_GAP;
    lose_conn(session, conn); /* before anything of this frame is believed */
    session_say(session,
                "connection %u: frame %" PRIu64 " follows frame %" PRIu64
                "; what was between them is lost, and so are its books",
                conn, seq, next - 1);
}

static enum weir_err answer(struct session *session, enum weir_err err)
{
    session->guards.errors += err != WEIR_OK;
    leave(session);
    return err;
}

enum weir_err session_start(struct session *session, weir_ns now)
{
    if (session->inside)
        return WEIR_E_STATE;
    enter(session, now);
    struct call call = {.kind = CALL_START};
    return answer(session, guest_call(session, &call));
}

enum weir_err session_frame(struct session *session, uint32_t conn, weir_ns now,
                            struct weir_bytes frame)
{
    if (session->inside)
        return WEIR_E_STATE;
    enter(session, now);
    struct call call = {.kind = CALL_FRAME, .id = conn, .bytes = frame};
    enum weir_err err = guest_call(session, &call);
    if (err == WEIR_OK)
        err = session->frame_err;
    if (__builtin_expect(err != WEIR_OK, 0)) /* what else was in the frame is lost */
        lose_conn(session, conn);
    return answer(session, err);
}

enum weir_err session_decoded(struct session *session, uint32_t conn, weir_ns now, bool http,
                              struct weir_bytes events, enum weir_err answered)
{
    if (session->inside)
        return WEIR_E_STATE;
    enter(session, now);
    struct call call = {.kind = http ? CALL_RECORDED : CALL_FRAME,
                        .id = http ? 0 : conn,
                        .bytes = events,
                        .decoded = true,
                        .answered = answered};
    enum weir_err err = guest_call(session, &call);
    if (err == WEIR_OK)
        err = session->frame_err;
    if (__builtin_expect(err != WEIR_OK && !http, 0))
        lose_conn(session, conn);
    return answer(session, err);
}

enum weir_err session_conn(struct session *session, uint32_t conn, weir_ns now, bool up)
{
    if (session->inside)
        return WEIR_E_STATE;
    enter(session, now);
    if (!up)
        lose_conn(session, conn);
    forget_sequence(session, conn);
    struct call call = {.kind = CALL_CONN, .id = conn, .status = up};
    return answer(session, guest_call(session, &call));
}

enum weir_err session_response(struct session *session, uint32_t id, weir_ns now, int status,
                               struct weir_bytes body)
{
    if (session->inside)
        return WEIR_E_STATE;
    enter(session, now);
    struct call call = {.kind = CALL_RESPONSE, .id = id, .status = status, .bytes = body};
    enum weir_err err = guest_call(session, &call);
    return answer(session, err != WEIR_OK ? err : session->frame_err);
}

enum weir_err session_headers(struct session *session, uint32_t id, weir_ns now, int status,
                              struct weir_bytes headers)
{
    if (session->inside)
        return WEIR_E_STATE;
    enter(session, now);
    struct call call = {.kind = CALL_HEADERS, .id = id, .status = status, .bytes = headers};
    return answer(session, guest_call(session, &call));
}

enum weir_err session_query(struct session *session, weir_ns now, const struct weir_query *query)
{
    struct weir_query mine = *query;
    struct call call = {.kind = CALL_QUERY, .query = &mine};
    if (session->inside)
        return WEIR_E_STATE;
    if (!guest_has(session, &call))
        return WEIR_E_UNSUPPORTED;
    if (query->msg.size != sizeof *query || query->msg.kind != WEIR_QUERY ||
        query->of < WEIR_OF_INSTRUMENTS || query->of > WEIR_OF_POSITIONS || query->t_since < 0 ||
        query->t_until < 0)
        return WEIR_E_USAGE;
    struct listing *listing = listing_by_host(session, query->msg.instrument);
    if (!listing && query->msg.instrument != 0)
        return WEIR_E_NOT_FOUND;
    enter(session, now);
    mine.msg.instrument = listing ? listing->number : 0;
    return answer(session, guest_call(session, &call));
}

enum weir_err session_recorded(struct session *session, weir_ns now, struct weir_bytes target,
                               struct weir_bytes body)
{
    struct call call = {.kind = CALL_RECORDED, .target = target, .bytes = body};
    if (session->inside)
        return WEIR_E_STATE;
    if (!guest_has(session, &call))
        return WEIR_E_UNSUPPORTED;
    enter(session, now);
    enum weir_err err = guest_call(session, &call);
    return answer(session, err != WEIR_OK ? err : session->frame_err);
}

/* --- intents -----------------------------------------------------------------------------------*/

/* Can the venue do this, by the plugin's own sheet? The engine's check comes first; this is the last
 * door, where the answer is still "certainly not sent". NULL: yes. */
static const char *impossible(const struct weir_caps *caps, const struct weir_intent *intent)
{
    uint16_t kind = intent->msg.kind;
    if (kind < WEIR_NEW || kind > WEIR_SUBSCRIBE)
        return "no such intent";
    if (kind <= WEIR_RECONCILE && !caps->orders)
        return "it has market data only";
    if (kind == WEIR_NEW && (intent->type > 31 || !(caps->order_types >> intent->type & 1)))
        return "it lacks this order type";
    if (kind == WEIR_NEW && (intent->tif > 31 || !(caps->tifs >> intent->tif & 1)))
        return "it lacks this time in force";
    if (kind == WEIR_NEW && (intent->flags & ~caps->order_flags))
        return "it lacks post-only or reduce-only";
    if (kind == WEIR_NEW && strnlen(intent->client_id, WEIR_ID_MAX) > caps->client_id_max)
        return "the client id is too long for it";
    if (kind == WEIR_REPLACE && caps->amend == 0)
        return "it cannot amend";
    if (kind == WEIR_CANCEL_ALL && !caps->cancel_all)
        return "it cannot cancel all";
    if (kind == WEIR_QUERY_ORDER && !caps->query_by_client_id && intent->venue_id[0] == '\0')
        return "it cannot be asked by client id";
    if (kind == WEIR_QUERY_FILLS && !caps->fills_since)
        return "it cannot be asked for executions";
    return NULL;
}

static bool may_lack_instrument(uint16_t kind)
{
    return kind == WEIR_RECONCILE || kind == WEIR_QUERY_FILLS;
}

enum weir_err session_intent(struct session *session, weir_ns now, const struct weir_intent *intent)
{
    if (session->inside)
        return WEIR_E_STATE;
    if (intent->msg.size != sizeof *intent)
        return WEIR_E_USAGE;
    enter(session, now);
    const char *why = impossible(session->plugin->caps, intent);
    if (why) {
        session_say(session, "intent of kind %u: %s", intent->msg.kind, why);
        return answer(session, WEIR_E_UNSUPPORTED);
    }
    struct weir_intent mine = *intent;
    struct listing *listing = listing_by_host(session, intent->msg.instrument);
    if (!listing && (intent->msg.instrument != 0 || !may_lack_instrument(intent->msg.kind)))
        return answer(session, WEIR_E_NOT_FOUND);
    mine.msg.instrument = listing ? listing->number : 0;
    struct call call = {.kind = CALL_INTENT, .intent = &mine};
    return answer(session, guest_call(session, &call));
}

/* --- time --------------------------------------------------------------------------------------*/

weir_ns session_next_timer(const struct session *session)
{
    weir_ns t = timers_next(&session->timers);
    return t < session->watch_t ? t : session->watch_t;
}

void session_timer(struct session *session, weir_ns now)
{
    if (session->inside)
        return;
    enter(session, now);
    uint32_t id;
    while (timers_take(&session->timers, session->now, &id)) {
        struct call call = {.kind = CALL_TIMER, .id = id};
        if (guest_call(session, &call) != WEIR_OK)
            session->guards.errors++;
    }
    leave(session);
}

/* --- life --------------------------------------------------------------------------------------*/

static bool sizes_are_sane(const struct session_config *config)
{
    return config->book_window >= 64 && config->book_window <= 1 << 20 &&
           (config->book_window & (config->book_window - 1)) == 0 && config->book_far <= 1 << 24;
}

static enum weir_err open_guest(struct session *session, const struct weir_setting *settings,
                                struct why *why)
{
    static const struct weir_setting none[1];
    struct call call = {.kind = CALL_OPEN, .settings = settings ? settings : none};
    enum weir_err err = guest_call(session, &call);
    if (err == WEIR_OK)
        return WEIR_OK;
    const char *said = session->last_line[0] ? session->last_line : err_text(err);
    return because(why, err, "venue %s: plugin %s does not open a session: %s", session->name,
                   session->plugin->name, said);
}

struct session *session_create(struct plugin *plugin, const struct session_config *config,
                               const struct session_owner *owner, struct why *why)
{
    must(owner->event && owner->instrument);
    struct session *session = calloc(1, sizeof *session);
    if (!session) {
        (void)because(why, WEIR_E_NO_MEMORY, "venue %s: out of memory", config->name);
        return NULL;
    }
    session->plugin = plugin_descriptor(plugin);
    session->owner = *owner;
    session->config = *config;
    session->config.settings = NULL; /* borrowed: for open only */
    snprintf(session->name, sizeof session->name, "%s", config->name);
    session->config.name = session->name;
    if (config->book_window == 0)
        session->config.book_window = WINDOW_DEFAULT;
    if (config->book_far == 0)
        session->config.book_far = FAR_DEFAULT;
    if (config->data_age_max == 0)
        session->config.data_age_max = session->plugin->caps->data_age_max;
    if (session->config.data_age_max == 0)
        session->config.data_age_max = DATA_AGE_DEFAULT;
    session->watch_t = INT64_MAX;
    session->table = guest_table(session);

    enum weir_err err = WEIR_OK;
    if (!sizes_are_sane(&session->config))
        err =
            because(why, WEIR_E_BAD_CONFIG,
                    "venue %s: book window %u, far %u: expected a power of two from 64 to 1048576, "
                    "and at most 16777216",
                    session->name, config->book_window, config->book_far);
    if (err == WEIR_OK)
        err = open_guest(session, config->settings, why);
    if (err == WEIR_OK)
        return session;
    free(session);
    return NULL;
}

void session_destroy(struct session *session)
{
    if (!session)
        return;
    must(!session->inside);
    session->plugin->close(session->guest);
    for (uint32_t i = 0; i < session->count; i++)
        listing_destroy(session->listings[i]);
    free(session->listings);
    free(session->by_host);
    free(session->sequences);
    free(session);
}

/* --- questions ---------------------------------------------------------------------------------*/

const char *session_name(const struct session *session)
{
    return session->name;
}

const struct weir_caps *session_caps(const struct session *session)
{
    return session->plugin->caps;
}

static const struct feed *feed_of(const struct session *session, uint32_t instrument)
{
    const struct listing *listing = listing_by_host(session, instrument);
    return listing ? listing->feed : NULL;
}

const struct book *session_book(const struct session *session, uint32_t instrument)
{
    const struct feed *feed = feed_of(session, instrument);
    return feed ? feed->book : NULL;
}

const struct queues *session_queues(const struct session *session, uint32_t instrument)
{
    const struct listing *listing = listing_by_host(session, instrument);
    return listing && listing->orders ? level3_queues(listing->orders) : NULL;
}

enum book_state session_book_state(const struct session *session, uint32_t instrument)
{
    const struct feed *feed = feed_of(session, instrument);
    return feed ? feed->state : BOOK_EMPTY;
}

bool session_feed_counts(const struct session *session, uint32_t instrument,
                         struct feed_counts *counts_out)
{
    const struct feed *feed = feed_of(session, instrument);
    if (!feed)
        return false;
    *counts_out = feed->counts;
    return true;
}

bool session_marks(const struct session *session, uint32_t instrument,
                   struct session_marks *marks_out)
{
    const struct listing *listing = listing_by_host(session, instrument);
    if (listing)
        *marks_out = listing->marks;
    return listing != NULL;
}

uint64_t session_sequence_gaps(const struct session *session)
{
    return session->sequence_gaps;
}

bool session_is_numbered(const struct session *session)
{
    return session->sequence_room > 0;
}

struct session_guards session_guards(const struct session *session)
{
    struct session_guards guards = session->guards;
    guards.outside = atomic_load_explicit(&session->outside, memory_order_relaxed);
    return guards;
}

const char *session_suspicion(const struct session *session)
{
    return session->suspicion[0] ? session->suspicion : NULL;
}
