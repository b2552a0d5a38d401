/* kit_stage.c - a pretended host and venue around one plugin. Signatures are a sum over what is signed:
 * they differ when it does, and no key is needed. */
#include "control/kit_stage.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, TIMERS_AT_ONCE = 10000 };
#define BEGIN ((weir_ns)1700000000000000000)

/* --- what the venue says first ------------------------------------------------------------------ */

static enum weir_err slurp(const char *path, struct weir_bytes *out, struct why *why)
{
    struct text text;
    char block[16384];
    FILE *file = fopen(path, "rb");
    if (!file)
        return because(why, WEIR_E_IO, "%s: %s", path, strerror(errno));
    text_init(&text);
    for (size_t got; (got = fread(block, 1, sizeof block, file)) > 0;)
        text_add(&text, block, got);
    bool bad = ferror(file) || !text_ok(&text);
    fclose(file);
    if (bad)
        return because(why, WEIR_E_IO, "%s: cannot be read", path);
    *out = (struct weir_bytes){text_cstr(&text), text.len}; /* kept */
    return WEIR_OK;
}

static enum weir_err add_line(struct kit_lines *lines, const char *path, struct kit_line line,
                              struct why *why)
{
    if (lines->count == KIT_FRAMES_MAX)
        return because(why, WEIR_E_FULL, "%s: expected at most %d frames in all", path,
                       KIT_FRAMES_MAX);
    if (line.bytes.len > KIT_FRAME_MAX && !line.http)
        return because(why, WEIR_E_BAD_FRAME, "%s: expected frames of up to 1 MiB", path);
    lines->frames += !line.http;
    lines->line[lines->count++] = line;
    return WEIR_OK;
}

static enum weir_err split_lines(struct kit_lines *lines, const char *path, struct weir_bytes all,
                                 struct why *why)
{
    enum weir_err err = WEIR_OK;
    for (size_t at = 0; at < all.len && err == WEIR_OK;) {
        const char *end = memchr(all.data + at, '\n', all.len - at);
        size_t len = end ? (size_t)(end - all.data) - at : all.len - at;
        if (len > 0)
            err = add_line(lines, path, (struct kit_line){.bytes = {all.data + at, len}}, why);
        at += len + 1;
    }
    return err;
}

static enum weir_err read_one(struct kit_lines *lines, const char *path, struct why *why)
{
    const char *dot = strrchr(path, '.');
    struct weir_bytes all;
    enum weir_err err = slurp(path, &all, why);
    if (err != WEIR_OK)
        return err;
    if (dot && strcmp(dot, ".ws") == 0)
        return split_lines(lines, path, all, why);
    if (dot && strcmp(dot, ".bin") == 0)
        return add_line(lines, path, (struct kit_line){.bytes = all}, why);
    const char *end = memchr(all.data, '\n', all.len);
    if (!dot || strcmp(dot, ".http") != 0)
        return because(why, WEIR_E_BAD_FRAME, "%s: expected a name that ends in .http, .ws or .bin",
                       path);
    if (!end || all.data[0] != '/')
        return because(why, WEIR_E_BAD_FRAME, "%s:1: expected a path that begins with /", path);
    size_t head = (size_t)(end - all.data);
    return add_line(lines, path,
                    (struct kit_line){.http = true,
                                      .target = {all.data, head},
                                      .bytes = {end + 1, all.len - head - 1}},
                    why);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

enum weir_err kit_lines_read(const char *folder, struct kit_lines *lines, struct why *why)
{
    struct dirent **names;
    if (!folder)
        return WEIR_OK;
    int count = scandir(folder, &names, is_visible, alphasort);
    if (count < 0)
        return because(why, WEIR_E_IO, "%s: %s", folder, strerror(errno));
    enum weir_err err = WEIR_OK;
    for (int i = 0; i < count; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        if (err == WEIR_OK)
            err = read_one(lines, path, why);
        free(names[i]);
    }
    free(names);
    if (err == WEIR_OK && lines->count == 0)
        return because(why, WEIR_E_NOT_FOUND,
                       "%s: expected files *.http, *.ws or *.bin, found none", folder);
    return err;
}

/* --- what the plugin may call ------------------------------------------------------------------- */

static void on_event(void *context, struct session *session, const struct weir_msg *event)
{
    struct kit_stage *stage = context;
    (void)session;
    bool refused =
        event->kind == WEIR_REJECT && ((const struct weir_report *)event)->proof == WEIR_DEFINITE;
    bool of_order = event->kind == WEIR_ACK || event->kind == WEIR_FILL ||
                    event->kind == WEIR_CANCELED || event->kind == WEIR_EXPIRED ||
                    event->kind == WEIR_REPLACED || refused;
    if (of_order) {
        stage->answers++;
        stage->answer = event->kind;
    }
}

static uint32_t on_instrument(void *context, struct session *session,
                              const struct weir_instrument *instrument)
{
    struct kit_stage *stage = context;
    (void)session;
    if (stage->instruments == 0)
        stage->first = *instrument;
    return ++stage->instruments;
}

static enum weir_err on_connect_to(void *context, struct session *session, uint32_t conn,
                                   const char *door, const char *path)
{
    struct kit_stage *stage = context;
    (void)session;
    (void)door;
    for (unsigned i = 0; i < stage->conn_count; i++)
        if (stage->conns[i] == conn)
            return WEIR_OK;
    if (path && stage->conn_count == KIT_CONNS_MAX)
        return WEIR_E_FULL;
    if (path)
        stage->conns[stage->conn_count++] = conn;
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
    (void)session;
    text_say(&stage->wire, "frame %u %zu ", conn, frame.len);
    text_add(&stage->wire, frame.data, frame.len);
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
    text_say(&stage->wire, "request %s %s\n%s\n", request->method, request->path,
             request->headers ? request->headers : "");
    text_add(&stage->wire, request->body.data ? request->body.data : "", request->body.len);
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

/* --- life --------------------------------------------------------------------------------------- */

static void conns_up(struct kit_stage *stage)
{
    while (stage->conns_up < stage->conn_count)
        (void)session_conn(stage->session, stage->conns[stage->conns_up++], stage->now, true);
}

static const struct kit_line *answer_of(const struct kit_lines *lines, const char *path)
{
    for (unsigned i = 0; i < lines->count; i++) {
        const struct kit_line *line = &lines->line[i];
        if (line->http && strncmp(path, line->target.data, line->target.len) == 0)
            return line;
    }
    return NULL;
}

/* Answer what lines can answer, and what is asked because of it. */
static void answer_known(struct kit_stage *stage, const struct kit_lines *lines)
{
    for (unsigned i = 0, done = 0; i < stage->asked_count && done < KIT_ASKED_MAX; i++) {
        const struct kit_line *line = answer_of(lines, stage->asked[i].path);
        if (!line)
            continue;
        uint32_t id = stage->asked[i].id;
        stage->asked[i] = stage->asked[--stage->asked_count];
        (void)session_response(stage->session, id, stage->now, 200, line->bytes);
        conns_up(stage);
        i = UINT32_MAX; /* from the beginning */
        done++;
    }
}

enum weir_err kit_stage_open(struct kit_stage *stage, struct plugin *plugin, const struct kit *kit,
                             const struct kit_lines *lines, struct why *why)
{
    struct session_owner owner = {.context = stage,
                                  .event = on_event,
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
    answer_known(stage, lines);
    for (unsigned i = 0; i < lines->count; i++) {
        const struct kit_line *line = &lines->line[i];
        err = line->http ? session_recorded(stage->session, stage->now, line->target, line->bytes)
                         : kit_stage_frame(stage, line->bytes);
        if (!line->http && err != WEIR_OK) {
            (void)because(why, err, "recorded frame %u: answered %s", i + 1, err_name(err));
            kit_stage_close(stage);
            return err;
        }
        conns_up(stage);
    }
    answer_known(stage, lines);
    return WEIR_OK;
}

void kit_stage_close(struct kit_stage *stage)
{
    session_destroy(stage->session);
    text_fini(&stage->wire);
    stage->session = NULL;
}

/* The end of the frame is the end of what may be read. */
static struct weir_bytes at_the_edge(struct weir_bytes frame)
{
    static char *room; /* for the life of the process */
    if (!room) {
        room = mmap(NULL, KIT_FRAME_MAX + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                    -1, 0);
        if (room == MAP_FAILED || mprotect(room + KIT_FRAME_MAX, PAGE, PROT_NONE) != 0)
            abort();
    }
    char *from = room + KIT_FRAME_MAX - frame.len;
    if (frame.len > 0)
        memcpy(from, frame.data, frame.len);
    return (struct weir_bytes){from, frame.len};
}

enum weir_err kit_stage_frame(struct kit_stage *stage, struct weir_bytes frame)
{
    uint32_t conn = stage->conn_count > 0 ? stage->conns[0] : 0;
    return session_frame(stage->session, conn, ++stage->now, at_the_edge(frame));
}

void kit_stage_answer(struct kit_stage *stage, int status, struct weir_bytes body)
{
    for (unsigned left = stage->asked_count; left > 0 && stage->asked_count > 0; left--) {
        uint32_t id = stage->asked[0].id;
        memmove(&stage->asked[0], &stage->asked[1], --stage->asked_count * sizeof stage->asked[0]);
        (void)session_response(stage->session, id, ++stage->now, status, body);
    }
}

void kit_stage_wait(struct kit_stage *stage, weir_ns span)
{
    weir_ns end = stage->now + span;
    for (int i = 0; i < TIMERS_AT_ONCE && session_next_timer(stage->session) <= end; i++) {
        weir_ns t = session_next_timer(stage->session);
        stage->now = t > stage->now ? t : stage->now;
        session_timer(stage->session, stage->now);
    }
    stage->now = end;
}

void kit_stage_lose(struct kit_stage *stage)
{
    for (unsigned i = 0; i < stage->conns_up; i++)
        (void)session_conn(stage->session, stage->conns[i], ++stage->now, false);
    stage->conns_up = 0;
}
