/* guest.c - the border to the plugin: what it may call, and how it is called.
 *
 * PROMISES (1) A function of the host works only while a callback of that session runs on this
 *              thread; else it is refused and counted, from any thread. [may_call]
 *          (2) Callbacks of one session are never nested. [guest_call]
 *          (3) Each argument is checked before it goes on: sizes, lengths, texts that become part of
 *              a request line. */
#include <string.h>

#include "venue/own.h"

/* The session whose callback runs on this thread. */
static _Thread_local struct session *running;

enum { HEADERS_MAX = 2048 };

static bool may_call(struct session *session)
{
    if (running == session && session->phase != CALL_OPEN)
        return true;
    atomic_fetch_add_explicit(&session->outside, 1, memory_order_relaxed);
    return false;
}

/* --- what the plugin may call ------------------------------------------------------------------*/

static enum weir_err refused(struct session *session, const char *what)
{
    session->guards.refused_calls++;
    session_say(session, "the plugin's %s", what);
    return WEIR_E_USAGE;
}

static void take_order(struct session *session, struct listing *listing,
                       const struct weir_l3 *order)
{
    if (!listing->orders && !(listing->orders = level3_create()))
        session_say(session, "no memory for the orders of %s", listing->definition.symbol);
    else
        level3_take(session, listing, order);
}

static void take_event(struct session *session, const struct weir_msg *from)
{
    union venue_event event;
    const char *fault = "";
    bool of_orders = event_is_of_orders(from->kind);
    enum weir_err err = inspect_event(from, &event, &fault);
    if (err == WEIR_E_NOT_FOUND) { /* a later version's kind: skipped, as event.h says */
        session->guards.unknown++;
        return;
    }
    if (err != WEIR_OK) {
        session_suspect(session, of_orders, "event of kind %u: %s", from->kind, fault);
        return;
    }
    if (event.msg.kind == WEIR_INSTRUMENT) {
        (void)listing_define(session, &event);
        return;
    }
    if (event.msg.kind == WEIR_SEQUENCE) {
        session_sequence(session, event.sequence.seq);
        return;
    }
    struct listing *listing = listing_find(session, event.msg.instrument);
    if (event.msg.instrument != 0 && !listing) {
        session_suspect(session, of_orders, "event of kind %u: instrument %u was never defined",
                        event.msg.kind, event.msg.instrument);
        return;
    }
    if (event.msg.kind >= WEIR_RECON_BEGIN && event.msg.kind <= WEIR_RECON_END) {
        if (session->reconciling == (event.msg.kind == WEIR_RECON_BEGIN)) {
            session_suspect(session, true, "event of kind %u: out of order in a reconciliation",
                            event.msg.kind);
            return;
        }
        session->reconciling = event.msg.kind != WEIR_RECON_END;
    }
    bool of_market = event.msg.kind <= WEIR_FUNDING_RATE;
    if (of_market && !listing) {
        session_suspect(session, false, "event of kind %u: of no instrument", event.msg.kind);
    } else if (listing && listing->host == 0 && of_market) {
        session->guards.ignored++; /* of orders there: the owner must hear of them all the same */
    } else if (event.msg.kind == WEIR_L3) {
        if (session->owner.order)
            session->owner.order(session->owner.context, session, listing->host, &event.l3);
        if (session->config.orders && (listing->orders || !listing->feed))
            take_order(session, listing, &event.l3);
    } else if (event.msg.kind == WEIR_TOP) {
        listing_top(session, listing, &event.top);
    } else {
        if (event.msg.kind == WEIR_MARK || event.msg.kind == WEIR_INDEX ||
            event.msg.kind == WEIR_FUNDING_RATE)
            listing_mark(listing, &event);
        session_deliver(session, &event.msg, listing ? listing->host : 0);
    }
}

static void emit(void *host, const struct weir_msg *event)
{
    struct session *session = host;
    if (!may_call(session))
        return;
    session->guards.events++;
    if (session->owner.emitted && event)
        session->owner.emitted(session->owner.context, session, event);
    if (session->muted)
        return;
    if (!event || ((uintptr_t)event & 7) != 0 || event->size < sizeof *event ||
        event->size % 8 != 0)
        session_suspect(session, true, "an event that is no message");
    else if (event->kind == WEIR_BOOK)
        listing_book(session, (const struct weir_book_msg *)event);
    else
        take_event(session, event);
}

/* A path goes into a request line: nothing that could end it. */
static bool path_is_clean(const char *path)
{
    if (!path || path[0] != '/')
        return false;
    size_t len = 0;
    for (; path[len]; len++)
        if (path[len] <= ' ' || path[len] == 0x7f || len >= 8192)
            return false;
    return true;
}

static bool bytes_are_sane(struct weir_bytes bytes)
{
    return bytes.len <= FRAME_MAX && (bytes.data || bytes.len == 0);
}

static enum weir_err send_frame(void *host, uint32_t conn, struct weir_bytes frame)
{
    struct session *session = host;
    if (!may_call(session))
        return WEIR_E_STATE;
    if (!bytes_are_sane(frame))
        return refused(session, "frame is over 1 MiB or nowhere");
    if (!session->owner.send)
        return WEIR_E_DOWN;
    return session->owner.send(session->owner.context, session, conn, frame);
}

static bool method_is_known(const char *method)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE", "PATCH"};
    for (size_t i = 0; method && i < sizeof methods / sizeof methods[0]; i++)
        if (strcmp(method, methods[i]) == 0)
            return true;
    return false;
}

/* Lines "Name: value", printable ASCII, that can end nothing but themselves; at most 2 KiB. */
static bool headers_are_clean(const char *headers)
{
    size_t len = strnlen(headers, HEADERS_MAX);
    for (const char *at = headers, *end = headers + len; at < end;) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        line_end = line_end ? line_end : end;
        size_t name = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
        if (name == 0 || line_end - at < (ptrdiff_t)name + 2 || memcmp(at + name, ": ", 2) != 0)
            return false;
        for (; at < line_end; at++)
            if (*at < ' ' || *at > '~')
                return false;
        at = line_end + (line_end < end);
    }
    return len < HEADERS_MAX;
}

static enum weir_err request(void *host, const struct weir_request_http *request)
{
    struct session *session = host;
    if (!may_call(session))
        return WEIR_E_STATE;
    if (!request || request->size != sizeof *request)
        return refused(session, "request is of another size");
    if (!method_is_known(request->method))
        return refused(session, "request has no method of GET, POST, PUT, DELETE, PATCH");
    if (!path_is_clean(request->path))
        return refused(session, "request path is not '/' and printable ASCII");
    if (!bytes_are_sane(request->body) || request->timeout < 0 || request->idempotent > 1 ||
        request->lane > WEIR_LANE_CANCEL)
        return refused(session, "request body, timeout, idempotent or lane is out of range");
    if (request->headers && !headers_are_clean(request->headers))
        return refused(session, "request headers are not lines of a name, \": \" and a value");
    if (!session->owner.request)
        return WEIR_E_DOWN;
    return session->owner.request(session->owner.context, session, request);
}

static enum weir_err connect_to(void *host, uint32_t conn, const char *path)
{
    struct session *session = host;
    if (!may_call(session))
        return WEIR_E_STATE;
    if (!path_is_clean(path))
        return refused(session, "connection path is not '/' and printable ASCII");
    if (!session->owner.connect)
        return WEIR_E_DOWN;
    return session->owner.connect(session->owner.context, session, conn, path);
}

static enum weir_err connect_door(void *host, uint32_t conn, const char *door, const char *path)
{
    struct session *session = host;
    if (!may_call(session))
        return WEIR_E_STATE;
    if (!door || strnlen(door, NAME_MAX_LEN) == NAME_MAX_LEN || (path && !path_is_clean(path)))
        return refused(session, "connection names no endpoint, or its path is not '/' and ASCII");
    if (!session->owner.connect_to)
        return WEIR_E_DOWN;
    return session->owner.connect_to(session->owner.context, session, conn, door, path);
}

static enum weir_err key_id(void *host, const char *key, char *out, size_t room)
{
    struct session *session = host;
    if (!may_call(session))
        return WEIR_E_STATE;
    if (!key || !out || room == 0)
        return refused(session, "key_id lacks an argument");
    if (!session->owner.key_id)
        return WEIR_E_DOWN;
    return session->owner.key_id(session->owner.context, session, key, out, room);
}

static weir_ns venue_clock(void *host, weir_ns sent, weir_ns received, weir_ns venue)
{
    struct session *session = host;
    if (!may_call(session) || !session->owner.venue_clock)
        return 0;
    if (venue < 0 || sent < 0 || received < sent)
        return (void)refused(session, "sample of the clock cannot be"), 0;
    return session->owner.venue_clock(session->owner.context, session, sent, received, venue);
}

static void budget(void *host, const struct weir_budget *budget)
{
    struct session *session = host;
    if (!may_call(session) || !session->owner.budget)
        return;
    if (!budget || budget->size != sizeof *budget || budget->of >= WEIR_BUDGET_CLASSES ||
        budget->window <= 0 || budget->limit < -1 || budget->used < -1)
        (void)refused(session, "rate budget cannot be");
    else
        session->owner.budget(session->owner.context, session, budget);
}

static enum weir_err spend(void *host, uint32_t weight, uint32_t orders, uint32_t lane)
{
    struct session *session = host;
    if (!may_call(session))
        return WEIR_E_STATE;
    if (lane > WEIR_LANE_CANCEL)
        return refused(session, "lane is not one of enum weir_lane");
    if (!session->owner.spend)
        return WEIR_OK;
    return session->owner.spend(session->owner.context, session, weight, orders, lane);
}

static void banned(void *host, weir_ns until)
{
    struct session *session = host;
    if (may_call(session) && session->owner.banned)
        session->owner.banned(session->owner.context, session, until);
}

static enum weir_err timer(void *host, uint32_t id, weir_ns t)
{
    struct session *session = host;
    if (!may_call(session))
        return WEIR_E_STATE;
    if (t < 0)
        return refused(session, "timer is set to a negative time");
    if (t == 0) {
        timers_unset(&session->timers, id);
        return WEIR_OK;
    }
    weir_ns soonest =
        session->now + TIMER_SOONEST; /* or a timer could fire for ever at one instant */
    enum weir_err err = timers_set(&session->timers, id, t > soonest ? t : soonest);
    if (err != WEIR_OK)
        (void)refused(session, "timers are more than 1024");
    return err;
}

static enum weir_err sign(void *host, const char *key, const char *algorithm, struct weir_bytes in,
                          unsigned char *out, size_t *len)
{
    struct session *session = host;
    if (!may_call(session))
        return WEIR_E_STATE;
    if (!key || !algorithm || !out || !len || !bytes_are_sane(in))
        return refused(session, "sign lacks an argument");
    if (!session->owner.sign)
        return WEIR_E_DOWN;
    return session->owner.sign(session->owner.context, session, key, algorithm, in, out, len);
}

static void log_text(void *host, const char *text)
{
    struct session *session = host;
    if (text && (running == session || may_call(session)))
        session_say(session, "%.*s", LINE_MAX - 1, text);
}

struct weir_host guest_table(struct session *session)
{
    return (struct weir_host){
        .size = sizeof(struct weir_host),
        .abi = WEIR_ABI,
        .host = session,
        .emit = emit,
        .send = send_frame,
        .request = request,
        .connect = connect_to,
        .timer = timer,
        .sign = sign,
        .log = log_text,
        .connect_to = connect_door,
        .key_id = key_id,
        .venue_clock = venue_clock,
        .budget = budget,
        .spend = spend,
        .banned = banned,
    };
}

/* --- what we call ------------------------------------------------------------------------------*/

bool guest_has(const struct session *session, const struct call *call)
{
    const struct weir_plugin *plugin = session->plugin;
    if (call->decoded)
        return true;
    switch (call->kind) {
    case CALL_CONN: return plugin->on_conn;
    case CALL_RESPONSE: return plugin->on_response;
    case CALL_TIMER: return plugin->on_timer;
    case CALL_RECORDED: return plugin->on_recorded;
    case CALL_HEADERS: return plugin->on_headers;
    case CALL_QUERY: return plugin->on_query;
    case CALL_OPEN:
    case CALL_START:
    case CALL_FRAME:
    case CALL_INTENT: return true; /* plugin_load made sure */
    }
    return false;
}

/* What a plugin said of this frame when it was recorded. */
static enum weir_err repeat(struct session *session, const struct call *call)
{
    for (size_t at = 0; at < call->bytes.len;) {
        const struct weir_msg *event =
            (const struct weir_msg *)(const void *)(call->bytes.data + at);
        at += event->size;
        emit(session, event);
    }
    return call->answered;
}

static enum weir_err dispatch(struct session *session, const struct call *call)
{
    if (call->decoded)
        return repeat(session, call);
    const struct weir_plugin *plugin = session->plugin;
    void *guest = session->guest;
    weir_ns now = session->now;
    switch (call->kind) {
    case CALL_OPEN: return plugin->open(&session->table, call->settings, &session->guest);
    case CALL_START: return plugin->start(guest, now);
    case CALL_FRAME: return plugin->on_frame(guest, call->id, now, call->bytes);
    case CALL_CONN: return plugin->on_conn(guest, call->id, now, call->status);
    case CALL_RESPONSE: return plugin->on_response(guest, call->id, now, call->status, call->bytes);
    case CALL_TIMER: return plugin->on_timer(guest, call->id, now);
    case CALL_INTENT: return plugin->on_intent(guest, now, call->intent);
    case CALL_RECORDED: return plugin->on_recorded(guest, now, call->target, call->bytes);
    case CALL_HEADERS: return plugin->on_headers(guest, call->id, now, call->status, call->bytes);
    case CALL_QUERY: return plugin->on_query(guest, now, call->query);
    }
    return WEIR_E_OTHER;
}

enum weir_err guest_call(struct session *session, const struct call *call)
{
    if (session->inside)
        return WEIR_E_STATE;
    if (!guest_has(session, call))
        return WEIR_OK;
    struct session *outer =
        running; /* the owner may call another session from an event of this one */
    running = session;
    session->inside = true;
    session->phase = call->kind;
    session->conn = call->id;
    session->frame_err = WEIR_OK;
    session->muted = false;
    enum weir_err err = dispatch(session, call);
    session->inside = false;
    running = outer;
    return (unsigned)err < WEIR_ERR_COUNT ? err : WEIR_E_OTHER;
}
