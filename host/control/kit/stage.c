/* stage.c - a pretended host and venue around one session. Signatures are a sum over what is signed: they
 * differ when it does, and no key is needed. */
#include "control/kit/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMERS_AT_ONCE = 10000, ANSWERS_AT_ONCE = 1000 };
#define BEGIN ((weir_ns)1700000000000000000)

/* --- what the plugin tells ---------------------------------------------------------------------- */

static bool is_of_order(const struct weir_msg *event)
{
    bool refused =
        event->kind == WEIR_REJECT && ((const struct weir_report *)event)->proof == WEIR_DEFINITE;
    return event->kind == WEIR_ACK || event->kind == WEIR_FILL || event->kind == WEIR_CANCELED ||
           event->kind == WEIR_EXPIRED || event->kind == WEIR_REPLACED ||
           event->kind == WEIR_BUST || refused;
}

static void keep(struct kit_stage *stage, const struct weir_msg *event, size_t size)
{
    text_add(&stage->heard, (const char *)event, size);
    stage->of_orders += is_of_order(event);
    if (event->kind == WEIR_SESSION) {
        stage->stream_ups += event->flags == WEIR_STREAM_UP;
        stage->stream_downs += event->flags == WEIR_STREAM_DOWN;
    }
    if (stage->event_count < KIT_EVENTS_MAX)
        memcpy(&stage->events[stage->event_count++], event,
               size < sizeof stage->events[0] ? size : sizeof stage->events[0]);
}

/* Books and tops as the plugin says them: the session tells only what changes. */
static void on_emitted(void *context, struct session *session, const struct weir_msg *event)
{
    struct kit_stage *stage = context;
    (void)session;
    if (event->size < sizeof *event || event->size > 1u << 24)
        return; /* the session counts it */
    if (event->kind == WEIR_BOOK && event->size >= sizeof(struct weir_book_msg)) {
        struct weir_book_msg head = *(const struct weir_book_msg *)event;
        memset(head.pad, 0, sizeof head.pad);
        keep(stage, &head.msg, sizeof head);
        text_add(&stage->heard, (const char *)event + sizeof head, event->size - sizeof head);
    }
    if (event->kind == WEIR_TOP && event->size == sizeof(struct weir_top))
        keep(stage, event, sizeof(struct weir_top));
}

static void on_event(void *context, struct session *session, const struct weir_msg *event)
{
    (void)session;
    if (event->kind != WEIR_TOP && event->kind < WEIR_HOST_KINDS)
        keep(context, event, event->size);
}

static void on_order(void *context, struct session *session, uint32_t instrument,
                     const struct weir_l3 *order)
{
    (void)session;
    (void)instrument;
    keep(context, &order->msg, sizeof *order);
}

static uint32_t on_instrument(void *context, struct session *session,
                              const struct weir_instrument *instrument)
{
    struct kit_stage *stage = context;
    (void)session;
    keep(stage, &instrument->msg, sizeof *instrument);
    for (uint32_t i = 0; i < stage->instruments && i < KIT_MARKETS_MAX; i++)
        if (strcmp(stage->market[i].symbol, instrument->symbol) == 0)
            return i + 1;
    if (stage->instruments < KIT_MARKETS_MAX)
        stage->market[stage->instruments] = *instrument;
    return ++stage->instruments;
}

/* --- what the plugin asks ------------------------------------------------------------------------ */

static unsigned conn_at(const struct kit_stage *stage, uint32_t id)
{
    unsigned i = 0;
    while (i < stage->conn_count && stage->conns[i].id != id)
        i++;
    return i;
}

static enum weir_err on_connect_to(void *context, struct session *session, uint32_t conn,
                                   const char *door, const char *path)
{
    struct kit_stage *stage = context;
    unsigned at = conn_at(stage, conn);
    (void)session;
    if (!path) {
        if (at < stage->conn_count)
            stage->conns[at].up = false;
        return WEIR_OK;
    }
    text_say(&stage->wire, "connect %u %s%s\n", conn, door, path);
    if (at == stage->conn_count && stage->conn_count == KIT_CONNS_MAX)
        return WEIR_E_FULL;
    if (at == stage->conn_count)
        stage->conns[stage->conn_count++].id = conn;
    return WEIR_OK;
}

static enum weir_err on_connect(void *context, struct session *session, uint32_t conn,
                                const char *path)
{
    return on_connect_to(context, session, conn, "", path);
}

static enum weir_err on_send(void *context, struct session *session, uint32_t conn,
                             struct weir_bytes frame)
{
    struct kit_stage *stage = context;
    unsigned at = conn_at(stage, conn);
    (void)session;
    if (at == stage->conn_count || !stage->conns[at].up)
        return WEIR_E_DOWN;
    text_say(&stage->wire, "frame %u %zu ", conn, frame.len);
    stage->conns[at].sent_from = stage->wire.len;
    text_add(&stage->wire, frame.data ? frame.data : "", frame.len);
    stage->conns[at].sent_to = stage->wire.len;
    text_add(&stage->wire, "\n", 1);
    return WEIR_OK;
}

static enum weir_err on_request(void *context, struct session *session,
                                const struct weir_request_http *request)
{
    struct kit_stage *stage = context;
    (void)session;
    if (stage->asked_count == KIT_ASKED_MAX)
        return WEIR_E_FULL;
    stage->asked[stage->asked_count].id = request->id;
    snprintf(stage->asked[stage->asked_count++].path, sizeof stage->asked[0].path, "%s",
             request->path);
    stage->request_from = stage->wire.len;
    text_say(&stage->wire, "request %s %s\n%s\n", request->method, request->path,
             request->headers ? request->headers : "");
    text_add(&stage->wire, request->body.data ? request->body.data : "", request->body.len);
    text_add(&stage->wire, "\n", 1);
    return WEIR_OK;
}

static enum weir_err on_sign(void *context, struct session *session, const char *key,
                             const char *algorithm, struct weir_bytes in, unsigned char *out,
                             size_t *len)
{
    uint64_t sum = 14695981039346656037u; /* FNV-1a */
    size_t size = strcmp(algorithm, "hmac-sha256") == 0  ? 32
                  : strcmp(algorithm, "rsa-sha256") == 0 ? 256
                                                         : 64;
    (void)context;
    (void)session;
    (void)key;
    if (*len < size)
        return WEIR_E_FULL;
    for (size_t i = 0; i < in.len; i++)
        sum = (sum ^ (unsigned char)in.data[i]) * 1099511628211u;
    for (size_t i = 0; i < size; i++)
        out[i] = (unsigned char)(sum >> i % 8 * 8);
    *len = size;
    return WEIR_OK;
}

static enum weir_err on_key_id(void *context, struct session *session, const char *key, char *out,
                               size_t room)
{
    (void)context;
    (void)session;
    (void)key;
    return (size_t)snprintf(out, room, "key-of-the-check") < room ? WEIR_OK : WEIR_E_FULL;
}

static void on_log(void *context, struct session *session, const char *text)
{
    struct kit_stage *stage = context;
    (void)session;
    snprintf(stage->said, sizeof stage->said, "%s", text);
}

/* --- inputs --------------------------------------------------------------------------------------- */

static void new_input(struct kit_stage *stage)
{
    stage->event_count = stage->of_orders = 0;
    stage->now++;
}

static void conns_up(struct kit_stage *stage)
{
    for (unsigned i = 0; i < stage->conn_count; i++)
        if (!stage->conns[i].up) {
            stage->conns[i].up = true;
            (void)session_conn(stage->session, stage->conns[i].id, stage->now, true);
        }
}

static void take_answer(struct kit_stage *stage, unsigned i, int status, struct weir_bytes body)
{
    uint32_t id = stage->asked[i].id;
    memmove(&stage->asked[i], &stage->asked[i + 1],
            (--stage->asked_count - i) * sizeof stage->asked[0]);
    (void)session_response(stage->session, id, stage->now, status, body);
    conns_up(stage);
}

static bool is_for(const struct kit_line *line, const char *path)
{
    return line->http && strncmp(path, line->target.data, line->target.len) == 0;
}

static const struct kit_line *answer_of(const struct kit_lines *lines, const char *path)
{
    for (unsigned i = 0; i < lines->count - lines->of_orders; i++)
        if (is_for(&lines->line[i], path))
            return &lines->line[i];
    return NULL;
}

/* Answer what lines can answer, and what is asked because of it. */
static void answer_known(struct kit_stage *stage, const struct kit_lines *lines)
{
    unsigned done = 0;
    for (unsigned i = 0; i < stage->asked_count && done < ANSWERS_AT_ONCE;) {
        const struct kit_line *line = answer_of(lines, stage->asked[i].path);
        if (!line) {
            i++;
            continue;
        }
        take_answer(stage, i, 200, kit_stage_fill(stage, line));
        i = 0;
        done++;
    }
}

enum weir_err kit_stage_frame(struct kit_stage *stage, unsigned conn, struct weir_bytes frame)
{
    uint32_t id = conn < stage->conn_count ? stage->conns[conn].id : 0;
    new_input(stage);
    return session_frame(stage->session, id, stage->now, frame);
}

enum weir_err kit_stage_intent(struct kit_stage *stage, const struct weir_intent *intent)
{
    new_input(stage);
    return session_intent(stage->session, stage->now, intent);
}

void kit_stage_answer(struct kit_stage *stage, int status, struct weir_bytes body)
{
    new_input(stage);
    for (unsigned left = stage->asked_count; left > 0 && stage->asked_count > 0; left--)
        take_answer(stage, 0, status, body);
}

void kit_stage_wait(struct kit_stage *stage, weir_ns span)
{
    new_input(stage);
    weir_ns end = stage->now + span;
    for (int i = 0; i < TIMERS_AT_ONCE && session_next_timer(stage->session) <= end; i++) {
        weir_ns t = session_next_timer(stage->session);
        stage->now = t > stage->now ? t : stage->now;
        session_timer(stage->session, stage->now);
        conns_up(stage);
    }
    stage->now = end;
}

void kit_stage_lose(struct kit_stage *stage)
{
    new_input(stage);
    for (unsigned i = 0; i < stage->conn_count; i++)
        if (stage->conns[i].up) {
            stage->conns[i].up = false;
            (void)session_conn(stage->session, stage->conns[i].id, stage->now, false);
        }
}

void kit_stage_restore(struct kit_stage *stage, const struct kit_lines *lines)
{
    new_input(stage);
    conns_up(stage);
    answer_known(stage, lines);
}

/* --- what was recorded ----------------------------------------------------------------------------- */

/* The value behind "word": or word= in what was sent last; empty: it is not there. */
static struct weir_bytes value_of(struct weir_bytes sent, struct weir_bytes word)
{
    for (size_t at = 0; at + word.len < sent.len; at++) {
        const char *from = sent.data + at, *end = sent.data + sent.len;
        if (memcmp(from, word.data, word.len) != 0)
            continue;
        const char *value = from + word.len;
        bool member =
            at > 0 && from[-1] == '"' && end - value > 2 && value[0] == '"' && value[1] == ':';
        bool parameter = at > 0 && strchr("?&\n ", from[-1]) && value < end && value[0] == '=';
        if (!member && !parameter)
            continue;
        value += member ? 2 : 1;
        bool quoted = member && *value == '"';
        value += quoted;
        const char *stop = value;
        while (stop < end && !strchr(quoted ? "\"" : member ? ",}] " : "& \n", *stop))
            stop++;
        return (struct weir_bytes){value, (size_t)(stop - value)};
    }
    return (struct weir_bytes){NULL, 0};
}

static struct weir_bytes last_sent(const struct kit_stage *stage, const struct kit_line *line)
{
    size_t from = stage->request_from, to = stage->wire.len;
    if (!line->http && line->conn < stage->conn_count) {
        from = stage->conns[line->conn].sent_from;
        to = stage->conns[line->conn].sent_to;
    }
    if (from >= to || to > stage->wire.len)
        return (struct weir_bytes){"", 0};
    return (struct weir_bytes){stage->wire.data + from, to - from};
}

struct weir_bytes kit_stage_fill(const struct kit_stage *stage, const struct kit_line *line)
{
    static char room[KIT_FRAME_MAX];
    struct weir_bytes in = line->bytes, sent = last_sent(stage, line);
    size_t len = 0;
    if (!memmem(in.data, in.len, "${", 2) || in.len > sizeof room)
        return in;
    for (size_t at = 0; at < in.len;) {
        const char *end = in.data[at] == '$' && at + 2 < in.len && in.data[at + 1] == '{'
                              ? memchr(in.data + at, '}', in.len - at)
                              : NULL;
        struct weir_bytes put = {in.data + at, 1};
        if (end) {
            const char *word = in.data + at + 2;
            put = value_of(sent, (struct weir_bytes){word, (size_t)(end - word)});
        }
        if (put.len > sizeof room - len)
            return in;
        if (put.len > 0)
            memcpy(room + len, put.data, put.len);
        len += put.len;
        at += end ? (size_t)(end - in.data) - at + 1 : 1;
    }
    return (struct weir_bytes){room, len};
}

enum weir_err kit_stage_line(struct kit_stage *stage, const struct kit_line *line)
{
    struct weir_bytes bytes = kit_stage_fill(stage, line);
    enum weir_err err = WEIR_OK;
    if (line->http) {
        new_input(stage);
        for (unsigned i = 0; i < stage->asked_count; i++)
            if (is_for(line, stage->asked[i].path)) {
                take_answer(stage, i, 200, bytes);
                break;
            }
    } else {
        err = kit_stage_frame(stage, line->conn, bytes);
    }
    return err;
}

/* --- life ------------------------------------------------------------------------------------------ */

enum weir_err kit_stage_start(struct kit_stage *stage, struct plugin *plugin, const struct kit *kit,
                              struct why *why)
{
    struct session_owner owner = {.context = stage,
                                  .event = on_event,
                                  .emitted = on_emitted,
                                  .order = on_order,
                                  .instrument = on_instrument,
                                  .connect = on_connect,
                                  .send = on_send,
                                  .request = on_request,
                                  .sign = on_sign,
                                  .log = on_log,
                                  .connect_to = on_connect_to,
                                  .key_id = on_key_id};
    struct session_config config = {.name = plugin_descriptor(plugin)->name,
                                    .venue = 1,
                                    .account = 1,
                                    .settings = kit->settings,
                                    .book_window = 1024,
                                    .book_far = 1024};
    memset(stage, 0, sizeof *stage);
    stage->now = BEGIN;
    text_init(&stage->wire);
    text_init(&stage->heard);
    stage->session = session_create(plugin, &config, &owner, why);
    if (!stage->session)
        return why->err;
    enum weir_err err = session_start(stage->session, stage->now);
    if (err != WEIR_OK) {
        (void)because(why, err, "start answered %s: %s", err_name(err), stage->said);
        kit_stage_close(stage);
        return err;
    }
    conns_up(stage);
    return WEIR_OK;
}

static enum weir_err play(struct kit_stage *stage, const struct kit_lines *lines, struct why *why)
{
    answer_known(stage, lines);
    for (unsigned i = 0; i < lines->count - lines->of_orders; i++) {
        const struct kit_line *line = &lines->line[i];
        if (line->http)
            continue; /* when it is asked for */
        enum weir_err err = kit_stage_line(stage, line);
        kit_stage_restore(stage, lines);
        if (err != WEIR_OK)
            return because(why, err, "%s, line %u: answered %s: %s", line->file, line->number,
                           err_name(err), stage->said);
    }
    return WEIR_OK;
}

enum weir_err kit_stage_open(struct kit_stage *stage, struct plugin *plugin, const struct kit *kit,
                             const struct kit_lines *lines, struct why *why)
{
    enum weir_err err = kit_stage_start(stage, plugin, kit, why);
    if (err != WEIR_OK)
        return err;
    err = play(stage, lines, why);
    if (err != WEIR_OK)
        kit_stage_close(stage);
    return err;
}

void kit_stage_close(struct kit_stage *stage)
{
    session_destroy(stage->session);
    text_fini(&stage->wire);
    text_fini(&stage->heard);
    stage->session = NULL;
}
