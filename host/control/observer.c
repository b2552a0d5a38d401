#include "control/observer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <uv.h>

#include "base/check.h"
#include "base/json.h"
#include "gateway/http.h"
#include "gateway/socket.h"

enum { WISHES = 64, DRAIN_MS = 20, SCREEN_MS = 250, HEALTHY_WITHIN_MS = 2000 };

struct pending {
    uint64_t id; /* 0: free */
    struct control_peer *peer;
};

struct observer {
    struct observer_config config;
    uv_loop_t loop;
    uv_timer_t drain, screen;
    uv_async_t stop;
    struct http *http;
    struct control_socket *socket;
    struct mirror *mirror;
    void *wish_memory, *answer_memory;
    struct ring *wishes, *answers;
    struct pending pending[WISHES];
    uint64_t last_id;
    uint64_t heard_ms; /* loop time of the last note of the host */
    pthread_t thread;
    uint16_t port;
};

/* --- HTTP -------------------------------------------------------------------------------------*/

static bool host_is_alive(const struct observer *observer)
{
    return uv_now(&observer->loop) - observer->heard_ms <= HEALTHY_WITHIN_MS;
}

/* Ready: alive, the journal is well, no kill switch, every venue up and reconciled. */
static const char *not_ready(const struct observer *observer)
{
    static char text[128];
    const struct mirror *m = observer->mirror;
    if (!host_is_alive(observer))
        return "the engine thread has been silent for more than 2 s";
    if (m->host.journal_failed)
        return "the journal cannot be written";
    if (m->killed)
        return "the kill switch is pulled";
    if (m->host.stopping)
        return "the host is stopping";
    for (int v = 0; v < 256; v++)
        if (m->venues[v].known && (!m->venues[v].up || m->venues[v].reconciling)) {
            snprintf(text, sizeof text, "venue %s is %s", m->venues[v].name,
                     m->venues[v].up ? "reconciling" : "down");
            return text;
        }
    return NULL;
}

static bool answer_http(void *context, const char *path, struct http_answer *answer)
{
    struct observer *observer = context;
    if (strcmp(path, "/healthz") == 0) {
        bool alive = host_is_alive(observer);
        answer->status = alive ? 200 : 503;
        text_say(&answer->body, "%s\n",
                 alive ? "ok" : "the engine thread has been silent for more than 2 s");
    } else if (strcmp(path, "/readyz") == 0) {
        const char *reason = not_ready(observer);
        answer->status = reason ? 503 : 200;
        text_say(&answer->body, "%s\n", reason ? reason : "ready");
    } else if (strcmp(path, "/metrics") == 0) {
        answer->type = "text/plain; version=0.0.4; charset=utf-8";
        metrics_print(observer->mirror, observer->config.stages, tap_lost(observer->config.tap),
                      &answer->body);
    } else {
        return false;
    }
    return true;
}

/* --- the control socket -----------------------------------------------------------------------*/

static void reply(struct control_peer *peer, struct text *text)
{
    const char *json = text_cstr(text);
    control_answer(peer, json, strlen(json));
    text_fini(text);
}

static void reply_error(struct control_peer *peer, const char *message)
{
    struct text text;
    text_init(&text);
    json_object(&text);
    json_key(&text, "error");
    json_string(&text, message);
    json_end(&text);
    reply(peer, &text);
}

static const struct {
    const char *what;
    void (*print)(const struct mirror *mirror, struct text *out);
} reads[] = {
    {"status", mirror_json_status}, {"positions", mirror_json_positions},
    {"venues", mirror_json_venues}, {"scripts", mirror_json_scripts},
    {"alerts", mirror_json_alerts},
};

/* So many of the places a wish may find in use: what takes risk off always finds one, whatever else
 * is asked and however often. */
struct act {
    const char *what;
    enum wish_kind kind;
    size_t places;
};
static const struct act acts[] = {
    {"kill", WISH_KILL, WISHES},           {"stop", WISH_STOP, WISHES - 8},
    {"cancel", WISH_CANCEL, WISHES - 16},  {"disarm", WISH_DISARM, WISHES - 16},
    {"resume", WISH_RELEASE, WISHES - 24}, {"reload", WISH_RELOAD, WISHES - 32},
    {"arm", WISH_ARM, WISHES - 32},        {"limits", WISH_LIMITS, WISHES - 32},
    {"eval", WISH_EVAL, WISHES - 40},      {"compare", WISH_COMPARE, WISHES - 40},
    {"book", WISH_BOOK, WISHES - 40}};

static void put_wish(struct observer *observer, struct control_peer *peer, const struct act *act,
                     const cJSON *request)
{
    struct wish wish = {.id = ++observer->last_id, .kind = act->kind};
    struct pending *place = NULL;
    size_t used = 0;
    snprintf(wish.reason, sizeof wish.reason, "%s", json_text(request, "reason", ""));
    snprintf(wish.cid, sizeof wish.cid, "%s",
             json_text(request, "cid", json_text(request, "script", "")));
    snprintf(wish.code, sizeof wish.code, "%s", json_text(request, "code", ""));
    (void)json_whole(json_get(request, "ns"), &wish.ns);
    wish.orders = cJSON_IsTrue(json_get(request, "orders")) ? 1 : 0;
    if (strlen(json_text(request, "code", "")) >= sizeof wish.code) {
        reply_error(peer, "a line of Lua has at most 2047 bytes");
        return;
    }
    for (size_t i = 0; i < WISHES; i++)
        if (observer->pending[i].id != 0)
            used++;
        else
            place = &observer->pending[i];
    if (used >= act->places || !place || !ring_push(observer->wishes, &wish)) {
        reply_error(peer, "too many requests wait for the engine; try again");
        return;
    }
    *place = (struct pending){wish.id, peer};
    observer->config.wake(observer->config.context);
}

static void on_request(void *context, struct control_peer *peer, const char *line, size_t len)
{
    struct observer *observer = context;
    struct why why;
    struct text text;
    cJSON *request = json_read(line, len, &why);
    const char *what = request ? json_text(request, "do", "") : "";
    if (!request) {
        reply_error(peer, why.text);
        return;
    }
    text_init(&text);
    for (size_t i = 0; i < sizeof reads / sizeof reads[0]; i++)
        if (strcmp(what, reads[i].what) == 0)
            reads[i].print(observer->mirror, &text);
    if (strcmp(what, "orders") == 0)
        mirror_json_orders(observer->mirror, cJSON_IsTrue(json_get(request, "live")), &text);
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++)
        if (strcmp(what, acts[i].what) == 0) {
            put_wish(observer, peer, &acts[i], request);
            cJSON_Delete(request);
            text_fini(&text);
            return;
        }
    cJSON_Delete(request);
    if (text.len == 0) {
        text_fini(&text);
        reply_error(peer, "no such request; there are status orders positions venues scripts "
                          "limits alerts kill resume "
                          "cancel reload arm disarm stop");
        return;
    }
    reply(peer, &text);
}

static void give_answer(struct control_peer *peer, const struct wish_answer *answer)
{
    struct text text;
    if (answer->json) {
        control_answer(peer, answer->json, strlen(answer->json));
        free(answer->json);
        return;
    }
    text_init(&text);
    json_object(&text);
    json_key(&text, answer->ok ? "ok" : "error");
    json_string(&text, answer->text);
    json_end(&text);
    reply(peer, &text);
}

/* --- the thread -------------------------------------------------------------------------------*/

static void drain(struct observer *observer)
{
    const struct weir_msg *msg;
    while ((msg = tap_front(observer->config.tap)) != NULL) {
        if (msg->kind == NOTE_HOST)
            observer->heard_ms = uv_now(&observer->loop);
        mirror_take(observer->mirror, msg);
        tap_drop(observer->config.tap);
    }
}

/* Whoever has an answer sees what came of it in whatever he asks next: the host noted it before. */
static void take_answers(struct observer *observer)
{
    struct wish_answer answer;
    while (ring_pop(observer->answers, &answer)) {
        size_t i = 0;
        drain(observer);
        while (i < WISHES && observer->pending[i].id != answer.id)
            i++;
        must(i < WISHES); /* each is asked for by one that waits */
        observer->pending[i].id = 0;
        give_answer(observer->pending[i].peer, &answer);
    }
}

static void on_drain(uv_timer_t *timer)
{
    struct observer *observer = timer->data;
    drain(observer);
    take_answers(observer);
}

static void on_screen(uv_timer_t *timer)
{
    struct observer *observer = timer->data;
    struct winsize size = {.ws_row = 40, .ws_col = 120};
    struct text text;
    (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    text_init(&text);
    text_say(&text, "\033[H\033[J"); /* home, clear to the end */
    mirror_screen(observer->mirror, size.ws_row > 4 ? size.ws_row - 1u : 24,
                  size.ws_col > 20 ? size.ws_col : 80, observer->config.color, &text);
    fwrite(text_cstr(&text), 1, text.len, stdout);
    fflush(stdout);
    text_fini(&text);
}

static void on_stop(uv_async_t *async)
{
    struct observer *observer = async->data;
    drain(observer);
    take_answers(observer);
    http_close(observer->http);
    control_close(observer->socket);
    uv_close((uv_handle_t *)&observer->drain, NULL);
    uv_close((uv_handle_t *)&observer->screen, NULL);
    uv_close((uv_handle_t *)async, NULL);
}

static void *run(void *context)
{
    struct observer *observer = context;
    uv_run(&observer->loop, UV_RUN_DEFAULT);
    return NULL;
}

static void observer_free(struct observer *observer)
{
    http_destroy(observer->http); /* the loop is idle */
    if (observer->mirror)
        mirror_destroy(observer->mirror);
    (void)uv_loop_close(&observer->loop);
    free(observer->wish_memory);
    free(observer->answer_memory);
    free(observer);
}

static struct ring *make_ring(void **memory_out, size_t record)
{
    size_t size = (ring_size((uint32_t)record, WISHES) + 63) / 64 * 64;
    *memory_out = aligned_alloc(64, size);
    return *memory_out ? ring_init(*memory_out, (uint32_t)record, WISHES) : NULL;
}

/* Close what was opened, in the loop, and wait for it: a start that failed half way. */
static void undo(struct observer *observer)
{
    on_stop(&observer->stop);
    uv_run(&observer->loop, UV_RUN_DEFAULT);
    observer_free(observer);
}

static enum weir_err open_all(struct observer *observer, struct why *why)
{
    const struct observer_config *config = &observer->config;
    struct http_owner http = {observer, answer_http};
    struct control_owner control = {observer, on_request};
    if (config->http) {
        observer->http = http_create(&observer->loop, config->listen, config->port, &http, why);
        if (!observer->http)
            return why->err;
        observer->port = http_port(observer->http);
    }
    if (config->control) {
        observer->socket = control_listen(&observer->loop, config->control, &control, why);
        if (!observer->socket)
            return why->err;
    }
    return WEIR_OK;
}

struct observer *observer_start(const struct observer_config *config, struct why *why)
{
    struct observer *observer = calloc(1, sizeof *observer);
    if (observer) {
        observer->config = *config;
        observer->mirror = mirror_create();
        observer->wishes = make_ring(&observer->wish_memory, sizeof(struct wish));
        observer->answers = make_ring(&observer->answer_memory, sizeof(struct wish_answer));
    }
    if (observer && uv_loop_init(&observer->loop)) {
        free(observer);
        observer = NULL;
    }
    if (!observer || !observer->mirror || !observer->wishes || !observer->answers) {
        if (observer)
            observer_free(observer);
        (void)because(why, WEIR_E_NO_MEMORY, "observers: %s", err_text(WEIR_E_NO_MEMORY));
        return NULL;
    }
    uv_timer_init(&observer->loop, &observer->drain);
    uv_timer_init(&observer->loop, &observer->screen);
    uv_async_init(&observer->loop, &observer->stop, on_stop);
    observer->drain.data = observer->screen.data = observer->stop.data = observer;
    if (open_all(observer, why)) {
        undo(observer);
        return NULL;
    }
    uv_timer_start(&observer->drain, on_drain, 0, DRAIN_MS);
    if (config->screen)
        uv_timer_start(&observer->screen, on_screen, SCREEN_MS, SCREEN_MS);
    observer->heard_ms = uv_now(&observer->loop);
    if (pthread_create(&observer->thread, NULL, run, observer) != 0) {
        undo(observer);
        (void)because(why, WEIR_E_IO, "observers: no thread: %m");
        return NULL;
    }
    pthread_setname_np(observer->thread, "weir-observe");
    return observer;
}

void observer_stop(struct observer *observer)
{
    if (!observer)
        return;
    uv_async_send(&observer->stop);
    pthread_join(observer->thread, NULL);
    observer_free(observer);
}

uint16_t observer_port(const struct observer *observer)
{
    return observer->port;
}

bool observer_wish(struct observer *observer, struct wish *wish_out)
{
    return ring_pop(observer->wishes, wish_out);
}

void observer_answer(struct observer *observer, const struct wish_answer *answer)
{
    (void)ring_push(observer->answers, answer); /* as many answers as wishes: there is room */
}
