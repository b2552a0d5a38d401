/* border.c - a ring of pages that belong to one call each. They are given when it begins and taken when it
 * returns, and come round again thousands of calls later. */
#include "control/kit/border.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, ARENA = 64 << 20 };

static const struct weir_plugin *real;
static char *arena;
static size_t next_at, first_at, taken_to; /* the running call's pages: first_at to taken_to */
static bool at_edge = true;
static const char *volatile running;
static volatile int64_t began_ns;
static int64_t last_ns;

int64_t border_cpu_ns(void)
{
    struct timespec now = {0};
    (void)syscall(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * (int64_t)1000000000 + now.tv_nsec;
}

/* --- memory ------------------------------------------------------------------------------------- */

/* Room for size bytes that belong to the call that begins: `last` of them end where the page ends. */
static char *room_for(size_t size)
{
    size_t pages = (size + 1 + PAGE - 1) / PAGE;
    if (next_at + (pages + 1) * PAGE > ARENA)
        next_at = first_at = taken_to = 0;
    char *from = arena + next_at;
    if (mprotect(from, pages * PAGE, PROT_READ | PROT_WRITE) != 0)
        return NULL;
    next_at += (pages + 1) * PAGE; /* and one that nobody may touch */
    taken_to = next_at;
    return at_edge ? from + pages * PAGE - size : from + 1;
}

static struct weir_bytes lay(struct weir_bytes bytes)
{
    if (bytes.len > ARENA / 4)
        return bytes;
    char *at = room_for(bytes.len);
    if (!at)
        return bytes;
    if (bytes.len > 0)
        memcpy(at, bytes.data, bytes.len);
    return (struct weir_bytes){at, bytes.len};
}

/* A struct keeps its alignment: sizes are multiples of 8. */
static const void *lay_struct(const void *from, size_t size)
{
    bool edge = at_edge;
    at_edge = true;
    struct weir_bytes at = lay((struct weir_bytes){from, size});
    at_edge = edge;
    return at.data;
}

static const char *lay_text(const char *text)
{
    return lay((struct weir_bytes){text, strlen(text) + 1}).data;
}

static void begin(const char *name)
{
    running = name;
    began_ns = border_cpu_ns();
}

/* Not the name of the call alone ends here, but the life of all that it was given. */
static enum weir_err end(enum weir_err err)
{
    last_ns = border_cpu_ns() - began_ns;
    running = NULL;
    if (taken_to > first_at) {
        (void)mprotect(arena + first_at, taken_to - first_at, PROT_NONE);
        (void)madvise(arena + first_at, taken_to - first_at, MADV_DONTNEED);
    }
    first_at = taken_to = next_at;
    return err;
}

/* --- the callbacks ------------------------------------------------------------------------------ */

enum { SETTINGS_MOST = 32 };

static enum weir_err shim_open(const struct weir_host *host, const struct weir_setting *settings,
                               void **session_out)
{
    struct weir_setting copies[SETTINGS_MOST + 1] = {{0}};
    for (unsigned i = 0; i < SETTINGS_MOST && settings[i].name; i++)
        copies[i] = (struct weir_setting){lay_text(settings[i].name), lay_text(settings[i].value)};
    const struct weir_setting *laid = lay_struct(copies, sizeof copies);
    begin("open");
    return end(real->open(host, laid, session_out));
}

static void shim_close(void *session)
{
    begin("close");
    real->close(session);
    (void)end(WEIR_OK);
}

static enum weir_err shim_start(void *session, weir_ns now)
{
    begin("start");
    return end(real->start(session, now));
}

static enum weir_err shim_frame(void *session, uint32_t conn, weir_ns now, struct weir_bytes frame)
{
    struct weir_bytes laid = lay(frame);
    begin("on_frame");
    return end(real->on_frame(session, conn, now, laid));
}

static enum weir_err shim_conn(void *session, uint32_t conn, weir_ns now, int up)
{
    begin("on_conn");
    return end(real->on_conn(session, conn, now, up));
}

static enum weir_err shim_response(void *session, uint32_t id, weir_ns now, int status,
                                   struct weir_bytes body)
{
    struct weir_bytes laid = lay(body);
    begin("on_response");
    return end(real->on_response(session, id, now, status, laid));
}

static enum weir_err shim_timer(void *session, uint32_t id, weir_ns now)
{
    begin("on_timer");
    return end(real->on_timer(session, id, now));
}

static enum weir_err shim_intent(void *session, weir_ns now, const struct weir_intent *intent)
{
    const struct weir_intent *laid = lay_struct(intent, sizeof *intent);
    begin("on_intent");
    return end(real->on_intent(session, now, laid));
}

static enum weir_err shim_probe(struct weir_bytes frame, struct weir_probe *probe_out)
{
    struct weir_bytes laid = lay(frame);
    begin("probe");
    return end(real->probe(laid, probe_out));
}

static enum weir_err shim_recorded(void *session, weir_ns now, struct weir_bytes target,
                                   struct weir_bytes body)
{
    struct weir_bytes at = lay(target), laid = lay(body);
    begin("on_recorded");
    return end(real->on_recorded(session, now, at, laid));
}

static enum weir_err shim_headers(void *session, uint32_t id, weir_ns now, int status,
                                  struct weir_bytes headers)
{
    struct weir_bytes laid = lay(headers);
    begin("on_headers");
    return end(real->on_headers(session, id, now, status, laid));
}

static enum weir_err shim_query(void *session, weir_ns now, const struct weir_query *query)
{
    const struct weir_query *laid = lay_struct(query, sizeof *query);
    begin("on_query");
    return end(real->on_query(session, now, laid));
}

const struct weir_plugin *border_around(const struct weir_plugin *plugin)
{
    static struct weir_plugin shim;
    arena = mmap(NULL, ARENA, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (arena == MAP_FAILED)
        return NULL;
    real = plugin;
    shim = *plugin;
    shim.open = shim_open;
    shim.close = shim_close;
    shim.start = shim_start;
    shim.on_frame = shim_frame;
    shim.on_intent = shim_intent;
    shim.on_conn = plugin->on_conn ? shim_conn : NULL;
    shim.on_response = plugin->on_response ? shim_response : NULL;
    shim.on_timer = plugin->on_timer ? shim_timer : NULL;
    shim.probe = plugin->probe ? shim_probe : NULL;
    shim.on_recorded = plugin->on_recorded ? shim_recorded : NULL;
    shim.on_headers = plugin->on_headers ? shim_headers : NULL;
    shim.on_query = plugin->on_query ? shim_query : NULL;
    return &shim;
}

/* --- what runs ---------------------------------------------------------------------------------- */

void border_at_edge(bool edge)
{
    at_edge = edge;
}

int64_t border_last_ns(void)
{
    return last_ns;
}

const char *border_running(void)
{
    return running;
}

int64_t border_running_ns(void)
{
    return running ? border_cpu_ns() - began_ns : 0;
}

enum border_place border_place_of(const void *address)
{
    uintptr_t at = (uintptr_t)address, from = (uintptr_t)arena;
    if (!arena || at < from || at >= from + ARENA)
        return BORDER_ELSEWHERE;
    return at >= from + first_at && at < from + taken_to ? BORDER_BEHIND_END : BORDER_KEPT;
}
