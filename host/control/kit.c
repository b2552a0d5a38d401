/* kit.c - the conformance checks, one function each. A check runs in a child process and sends its
 * verdict through a pipe; a child that dies or does not end is a verdict as well.
 *
 * FIELDS   An order is sent twice, in two fresh sessions that saw the same; only one field differs. A
 *          plugin is a pure function of what it saw, so bytes that are equal mean that the field was
 *          dropped. Refusing is right; refusing after sending, or taking and not sending, is not.
 * SILENCE  Nothing arrives, noise arrives, 502 arrives: none of it may become an ack, a fill, or a
 *          refusal that is told as certain. */
#include "control/kit.h"

#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "control/kit_stage.h"

enum { LIMIT_MS = 20000, REASON_MAX = 500, NOISES = 300, ROUNDS = 200, FRAME_NS_MAX = 1000000 };

struct verdict {
    bool passed;
    char reason[REASON_MAX];
};

/* What a check has: the plugin is loaded in the child. */
struct trying {
    const struct kit *kit;
    struct kit_lines lines;
    struct plugin *plugin;
    const struct weir_caps *caps;
    struct kit_stage stage, other;
    struct verdict verdict;
};

__attribute__((format(printf, 2, 3))) static bool fail(struct trying *it, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(it->verdict.reason, REASON_MAX, format, args);
    va_end(args);
    it->verdict.passed = false;
    return false;
}

__attribute__((format(printf, 2, 3))) static bool pass(struct trying *it, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(it->verdict.reason, REASON_MAX, format, args);
    va_end(args);
    it->verdict.passed = true;
    return true;
}

static bool open_stage(struct trying *it, struct kit_stage *stage)
{
    struct why why;
    if (kit_stage_open(stage, it->plugin, it->kit, &it->lines, &why) != WEIR_OK)
        return fail(it, "the session does not begin: %s", why.text);
    return true;
}

/* --- load and begin ------------------------------------------------------------------------------ */

static bool check_load(struct trying *it)
{
    const struct weir_plugin *plugin = plugin_descriptor(it->plugin);
    return pass(it, "%s %s, ABI %u, one symbol, its sheet is in order", plugin->name,
                plugin->version, plugin->abi);
}

static bool no_bad_events(struct trying *it, const struct kit_stage *stage)
{
    struct session_guards guards = session_guards(stage->session);
    if (guards.bad > 0)
        return fail(it, "%llu events are not what event.h says: %s", (unsigned long long)guards.bad,
                    stage->said);
    if (guards.refused_calls > 0 || guards.outside > 0)
        return fail(it, "the host was called with what cannot be, or when it may not: %s",
                    stage->said);
    return true;
}

static bool check_begin(struct trying *it)
{
    if (!open_stage(it, &it->stage) || !no_bad_events(it, &it->stage))
        return false;
    if (it->caps->orders && it->stage.instruments == 0)
        return fail(it, "no instrument was defined, so no order can be tried: give what the venue "
                        "says first with --recordings DIR");
    pass(it, "%u instruments, %u connections", it->stage.instruments, it->stage.conn_count);
    kit_stage_close(&it->stage);
    return true;
}

/* --- fields -------------------------------------------------------------------------------------- */

static struct weir_intent order_of(const struct trying *it, const struct kit_stage *stage)
{
    const struct weir_instrument *of = &stage->first;
    int64_t unit = 1;
    for (int i = 0; i < of->price_exp; i++)
        unit *= 10;
    struct weir_intent order = {
        .msg = {.size = sizeof order, .kind = WEIR_NEW, .instrument = 1, .t = stage->now},
        .client_id = "w100000000000001",
        .type = (uint8_t)__builtin_ctz(it->caps->order_types),
        .tif = (uint8_t)__builtin_ctz(it->caps->tifs),
        .order = 1,
        .px = of->tick > 0 ? of->tick * 1000 : 100 * unit,
        .qty = of->step > 0 ? of->step * 1000 : 1};
    for (int i = 0; i < of->qty_exp && of->step == 0; i++)
        order.qty *= 10;
    return order;
}

/* What became of one order. */
enum outcome { SENT, REFUSED, BROKEN };

static enum outcome try_order(struct trying *it, struct kit_stage *stage,
                              const struct weir_intent *order, const char *what)
{
    size_t before = stage->wire.len;
    enum weir_err err = session_intent(stage->session, stage->now, order);
    size_t sent = stage->wire.len - before;
    if (err != WEIR_OK && sent > 0) {
        (void)fail(it, "%s: was refused (%s), and %zu bytes were sent all the same", what,
                   err_name(err), sent);
        return BROKEN;
    }
    if (err != WEIR_OK || (sent == 0 && stage->answer == WEIR_REJECT))
        return REFUSED;
    if (sent == 0) {
        (void)fail(it, "%s: was taken, and nothing was sent", what);
        return BROKEN;
    }
    return SENT;
}

static bool same_wire(const struct kit_stage *a, const struct kit_stage *b)
{
    return a->wire.len == b->wire.len && memcmp(a->wire.data, b->wire.data, a->wire.len) == 0;
}

/* Each change of the order must be seen on the wire, or be refused. */
struct change {
    const char *name;
    int64_t value;
};
typedef void apply(struct weir_intent *order, int64_t value);

static bool compare(struct trying *it, apply *make, const struct change *a, const struct change *b)
{
    const struct change *side[2] = {a, b};
    struct kit_stage *stage[2] = {&it->stage, &it->other};
    enum outcome outcome[2];
    for (int i = 0; i < 2; i++) {
        if (!open_stage(it, stage[i]))
            return false;
        struct weir_intent order = order_of(it, stage[i]);
        make(&order, side[i]->value);
        outcome[i] = try_order(it, stage[i], &order, side[i]->name);
        if (outcome[i] == BROKEN)
            return false;
    }
    bool equal = outcome[0] == SENT && outcome[1] == SENT && same_wire(stage[0], stage[1]);
    for (int i = 0; i < 2; i++)
        kit_stage_close(stage[i]);
    if (equal)
        return fail(it, "'%s' sends the same bytes as '%s': it was dropped", b->name, a->name);
    return true;
}

static bool compare_all(struct trying *it, apply *make, const struct change *changes,
                        unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        for (unsigned k = i + 1; k < count; k++)
            if (!compare(it, make, &changes[i], &changes[k]))
                return false;
    if (count < 2)
        return pass(it, "the sheet offers one, and the host refuses all others");
    return pass(it, "%u values, each on the wire or refused", count);
}

static void set_side(struct weir_intent *order, int64_t value)
{
    order->side = (uint8_t)value;
}
static void set_px(struct weir_intent *order, int64_t value)
{
    order->px += value * (order->px / 1000);
}
static void set_qty(struct weir_intent *order, int64_t value)
{
    order->qty += value * (order->qty / 1000 > 0 ? order->qty / 1000 : 1);
}
static void set_type(struct weir_intent *order, int64_t value)
{
    order->type = (uint8_t)value;
    order->trigger = value == WEIR_LIMIT || value == WEIR_MARKET ? 0 : order->px;
}
static void set_tif(struct weir_intent *order, int64_t value)
{
    order->tif = (uint8_t)value;
    order->t_since = value == WEIR_GTD ? order->msg.t + 3600000000000 : 0;
}
static void set_flag(struct weir_intent *order, int64_t value)
{
    order->flags = (uint8_t)value;
}
static void set_id(struct weir_intent *order, int64_t value)
{
    order->client_id[strlen(order->client_id) - 1] = (char)value;
}

static bool check_order(struct trying *it)
{
    struct kit_stage *stage[2] = {&it->stage, &it->other};
    for (int i = 0; i < 2; i++) {
        if (!open_stage(it, stage[i]))
            return false;
        struct weir_intent order = order_of(it, stage[i]);
        enum outcome outcome = try_order(it, stage[i], &order, "a plain order");
        if (outcome == REFUSED)
            return fail(it, "a plain order of the sheet's first type is refused: %s",
                        stage[i]->said);
        if (outcome != SENT)
            return false;
    }
    if (!same_wire(stage[0], stage[1]))
        return fail(it, "two fresh sessions that saw the same send other bytes: it is not a pure "
                        "function, and a replay could not be");
    return pass(it, "%zu bytes, the same in two fresh sessions", it->stage.wire.len);
}

static bool check_side(struct trying *it)
{
    static const struct change changes[] = {{"buy", WEIR_BUY}, {"sell", WEIR_SELL}};
    return compare_all(it, set_side, changes, 2);
}
static bool check_price(struct trying *it)
{
    static const struct change changes[] = {{"a price", 0}, {"a tick more", 1}, {"9 more", 9}};
    return compare_all(it, set_px, changes, 3);
}
static bool check_qty(struct trying *it)
{
    static const struct change changes[] = {{"a quantity", 0}, {"a step more", 1}, {"9 more", 9}};
    return compare_all(it, set_qty, changes, 3);
}

/* Those of count names whose bit is on the sheet. */
static bool compare_sheet(struct trying *it, apply *make, uint32_t bits, const char *const *names,
                          unsigned count)
{
    struct change changes[16];
    unsigned used = 0;
    for (unsigned i = 0; i < count; i++)
        if (bits >> i & 1)
            changes[used++] = (struct change){names[i], i};
    return compare_all(it, make, changes, used);
}

static bool check_type(struct trying *it)
{
    static const char *const names[] = {"limit",       "market",   "stop",    "stop_limit",
                                        "take_profit", "trailing", "iceberg", "take_profit_limit"};
    return compare_sheet(it, set_type, it->caps->order_types, names, 8);
}
static bool check_tif(struct trying *it)
{
    static const char *const names[] = {"gtc", "ioc", "fok", "gtd", "day"};
    return compare_sheet(it, set_tif, it->caps->tifs, names, 5);
}

static bool check_flag(struct trying *it, const char *name, uint32_t bit)
{
    struct change changes[] = {{"without", 0}, {name, bit}};
    if (!(it->caps->order_flags & bit))
        return pass(it, "not on the sheet: the host refuses it");
    return compare_all(it, set_flag, changes, 2);
}
static bool check_post_only(struct trying *it)
{
    return check_flag(it, "post_only", WEIR_POST_ONLY);
}
static bool check_reduce_only(struct trying *it)
{
    return check_flag(it, "reduce_only", WEIR_REDUCE_ONLY);
}
static bool check_client_id(struct trying *it)
{
    static const struct change changes[] = {{"...1", '1'}, {"...2", '2'}};
    return compare_all(it, set_id, changes, 2);
}

/* --- cancel and replace: both orders are there, one is meant -------------------------------------- */

static bool on_two_orders(struct trying *it, struct kit_stage *stage, uint16_t kind, char which,
                          int64_t more)
{
    static const char ids[] = "12";
    if (!open_stage(it, stage))
        return false;
    struct weir_intent order = order_of(it, stage);
    for (int i = 0; i < 2; i++) {
        set_id(&order, ids[i]);
        if (try_order(it, stage, &order, "an order") != SENT)
            return false;
    }
    stage->wire.len = 0;
    set_id(&order, which);
    order.msg.kind = kind;
    if (kind == WEIR_REPLACE)
        snprintf(order.new_client_id, sizeof order.new_client_id, "w200000000000001");
    set_px(&order, more);
    enum outcome outcome = try_order(it, stage, &order, kind == WEIR_CANCEL ? "cancel" : "replace");
    if (outcome == REFUSED)
        return fail(it, "%s is refused: %s", kind == WEIR_CANCEL ? "cancel" : "replace",
                    stage->said);
    return outcome == SENT;
}

static bool check_pair(struct trying *it, uint16_t kind, char which, int64_t more, const char *what)
{
    if (!on_two_orders(it, &it->stage, kind, '1', kind == WEIR_REPLACE) ||
        !on_two_orders(it, &it->other, kind, which, more))
        return false;
    if (same_wire(&it->stage, &it->other))
        return fail(it, "%s sends the same bytes: it was dropped", what);
    kit_stage_close(&it->stage);
    kit_stage_close(&it->other);
    return pass(it, "which order and what of it is on the wire");
}

static bool check_cancel(struct trying *it)
{
    return check_pair(it, WEIR_CANCEL, '2', 0, "the cancel of another order");
}
static bool check_replace(struct trying *it)
{
    if (!it->caps->amend)
        return pass(it, "not on the sheet: the host refuses it");
    return check_pair(it, WEIR_REPLACE, '2', 1, "the replace of another order") &&
           check_pair(it, WEIR_REPLACE, '1', 2, "the replace to another price");
}

/* --- silence ------------------------------------------------------------------------------------- */

static const char *answer_name(uint16_t kind)
{
    return kind == WEIR_ACK        ? "an ack"
           : kind == WEIR_FILL     ? "a fill"
           : kind == WEIR_CANCELED ? "a cancel"
           : kind == WEIR_EXPIRED  ? "an expiry"
           : kind == WEIR_REPLACED ? "a replace"
                                   : "a certain refusal";
}

static bool nothing_told(struct trying *it, const char *when)
{
    if (it->stage.answers == 0)
        return true;
    return fail(it, "%s: %s was told, and the venue had said nothing", when,
                answer_name(it->stage.answer));
}

/* A fresh session with one order that is on its way. */
static bool with_order(struct trying *it)
{
    if (!open_stage(it, &it->stage))
        return false;
    it->stage.asked_count = 0;
    struct weir_intent order = order_of(it, &it->stage);
    it->stage.answers = 0; /* of what was recorded */
    return try_order(it, &it->stage, &order, "an order") == SENT;
}

static bool check_silence(struct trying *it)
{
    static const char html[] = "<html><body>502 Bad Gateway</body></html>";
    struct weir_bytes page = {html, sizeof html - 1}, none = {"", 0};
    if (!with_order(it) || !nothing_told(it, "after sending"))
        return false;
    kit_stage_wait(&it->stage, 30000000000);
    if (!nothing_told(it, "after 30 s"))
        return false;
    kit_stage_answer(&it->stage, 0, none);
    kit_stage_lose(&it->stage);
    if (!nothing_told(it, "after the connection was lost"))
        return false;
    kit_stage_close(&it->stage);
    if (!with_order(it))
        return false;
    kit_stage_answer(&it->stage, 502, page);
    if (!nothing_told(it, "after 502"))
        return false;
    kit_stage_close(&it->stage);
    if (!with_order(it))
        return false;
    kit_stage_answer(&it->stage, 200, page);
    if (!nothing_told(it, "after a page of HTML with 200") || !no_bad_events(it, &it->stage))
        return false;
    kit_stage_close(&it->stage);
    return pass(it, "nothing is told of an order that nobody answered");
}

/* --- bytes from outside --------------------------------------------------------------------------- */

static uint64_t dice(uint64_t *state) /* splitmix64 */
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

/* The n-th of NOISES frames that no venue sends. room: KIT_FRAME_MAX. */
static struct weir_bytes noise(unsigned n, char *room)
{
    static const char *const texts[] = {"",
                                        "{",
                                        "}",
                                        "[",
                                        "]",
                                        "\"",
                                        "null",
                                        "0",
                                        "-",
                                        "{}",
                                        "[]",
                                        "{\"",
                                        "{\"a\"",
                                        "{\"a\":",
                                        "{\"a\":1",
                                        "{\"a\":1e999999}",
                                        "{\"a\":-}",
                                        "{\"type\":",
                                        "{\"type\":\"fill\"",
                                        "[[[[",
                                        "[1,",
                                        "{\"data\":{\"data\":[]}}",
                                        "\xff\xfe\xfd",
                                        "{\"e\":\"\\u0000\\ud800\"}",
                                        "99999999999999999999999999999999999999999999",
                                        "<html>",
                                        "\r\n\r\n"};
    enum { TEXTS = sizeof texts / sizeof texts[0] };
    static const char *const fillings[] = {"[", "{\"a\":", "A", "9", "\"", "\\", ","};
    enum { FILLINGS = sizeof fillings / sizeof fillings[0] };
    uint64_t state = n;
    size_t len = 0;
    if (n < TEXTS)
        return (struct weir_bytes){texts[n], strlen(texts[n])};
    if (n < TEXTS + FILLINGS) { /* huge */
        const char *with = fillings[n - TEXTS];
        for (size_t step = strlen(with); len + step <= KIT_FRAME_MAX; len += step)
            memcpy(room + len, with, step);
        return (struct weir_bytes){room, len};
    }
    for (len = 0; len < 1 + dice(&state) % 600; len++)
        room[len] = n % 5 == 0 ? '\0' : (char)dice(&state);
    return (struct weir_bytes){room, len};
}

static bool check_noise(struct trying *it)
{
    char *room = malloc(KIT_FRAME_MAX);
    if (!room ||
        (it->caps->orders && !it->kit->inside ? !with_order(it) : !open_stage(it, &it->stage)))
        return false;
    it->stage.answers = 0;
    for (unsigned n = 0; n < NOISES; n++) {
        struct weir_bytes bytes = noise(n, room);
        (void)kit_stage_frame(&it->stage, bytes);
        if (!it->kit->inside && !nothing_told(it, "after bytes that are no message"))
            return false;
        if (!no_bad_events(it, &it->stage))
            return false;
        (void)session_recorded(it->stage.session, it->stage.now, (struct weir_bytes){"/", 1},
                               bytes);
    }
    free(room);
    kit_stage_close(&it->stage);
    return pass(it, "%d frames: empty, cut, nested, huge, NUL, random", NOISES);
}

static bool check_recorded(struct trying *it)
{
    if (it->lines.frames == 0)
        return pass(it, "no recorded frames were given (--recordings)");
    if (!open_stage(it, &it->stage))
        return false;
    unsigned tried = 0;
    for (unsigned i = 0; i < it->lines.count; i++) {
        struct weir_bytes frame = it->lines.line[i].bytes;
        if (it->lines.line[i].http)
            continue;
        size_t step = 1 + frame.len / 16;
        for (size_t cut = 0; cut < frame.len; cut += step, tried += 2) {
            (void)kit_stage_frame(&it->stage, (struct weir_bytes){frame.data, cut});
            (void)kit_stage_frame(&it->stage,
                                  (struct weir_bytes){frame.data + cut, frame.len - cut});
        }
        if (!no_bad_events(it, &it->stage))
            return false;
    }
    for (unsigned i = it->lines.count; i-- > 0; tried += 2) /* backwards, and each twice */
        for (int twice = 0; twice < 2 && !it->lines.line[i].http; twice++)
            (void)kit_stage_frame(&it->stage, it->lines.line[i].bytes);
    if (!no_bad_events(it, &it->stage))
        return false;
    kit_stage_close(&it->stage);
    return pass(it, "%u recorded frames; %u pieces and repetitions of them", it->lines.frames,
                tried);
}

/* --- what it costs -------------------------------------------------------------------------------- */

extern size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t allocated(void)
{
    if (__sanitizer_get_current_allocated_bytes)
        return __sanitizer_get_current_allocated_bytes();
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/* The n-th of many frames: what was recorded, or else short noise. */
static struct weir_bytes ordinary(const struct trying *it, unsigned n, char *room)
{
    if (it->lines.frames == 0)
        return noise(n % 2 ? 9 : 200 + n % 100, room);
    for (unsigned i = n % it->lines.count;; i = (i + 1) % it->lines.count)
        if (!it->lines.line[i].http)
            return it->lines.line[i].bytes;
}

static size_t grow_by_frames(struct trying *it, char *room)
{
    size_t before = allocated();
    for (unsigned n = 0; n < 20 * ROUNDS; n++) {
        (void)kit_stage_frame(&it->stage, ordinary(it, n, room));
        it->stage.wire.len = 0;
        it->stage.asked_count = 0;
    }
    size_t after = allocated();
    return after > before ? after - before : 0;
}

static size_t grow_by_sessions(struct trying *it)
{
    size_t before = allocated();
    for (int i = 0; i < 20; i++) {
        if (!open_stage(it, &it->other))
            return 0;
        kit_stage_close(&it->other);
    }
    size_t after = allocated();
    return after > before ? after - before : 0;
}

/* Rooms that grow once are no leak: it must grow in each of three passes. */
static bool check_leaks(struct trying *it)
{
    char *room = malloc(KIT_FRAME_MAX);
    size_t frames = SIZE_MAX, sessions = SIZE_MAX;
    if (!room || !open_stage(it, &it->stage))
        return false;
    (void)grow_by_frames(it, room);
    for (int i = 0; i < 3; i++) {
        size_t more = grow_by_frames(it, room);
        frames = more < frames ? more : frames;
    }
    (void)grow_by_sessions(it);
    for (int i = 0; i < 3; i++) {
        size_t more = grow_by_sessions(it);
        sessions = more < sessions ? more : sessions;
    }
    free(room);
    kit_stage_close(&it->stage);
    if (frames >= (size_t)20 * ROUNDS)
        return fail(it, "%zu bytes of memory are lost with %d frames, each time again", frames,
                    20 * ROUNDS);
    if (sessions >= 20 * 16)
        return fail(it, "%zu bytes of memory are lost with 20 sessions, each time again", sessions);
    return pass(it, "no growth over %d frames and 60 sessions", 60 * ROUNDS);
}

static int64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * (int64_t)1000000000 + now.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static bool check_time(struct trying *it)
{
    int64_t spans[ROUNDS];
    char *room = malloc(KIT_FRAME_MAX);
    if (!room || !open_stage(it, &it->stage))
        return false;
    for (unsigned n = 0; n < ROUNDS; n++) {
        struct weir_bytes frame = ordinary(it, n, room);
        int64_t from = clock_ns();
        (void)kit_stage_frame(&it->stage, frame);
        spans[n] = clock_ns() - from;
    }
    free(room);
    kit_stage_close(&it->stage);
    qsort(spans, ROUNDS, sizeof spans[0], by_value);
    int64_t half = spans[ROUNDS / 2];
    if (half > FRAME_NS_MAX)
        return fail(it, "half of the frames take over %lld us, at most %d are allowed: it blocks",
                    (long long)half / 1000, FRAME_NS_MAX / 1000);
    return pass(it, "half of the frames take under %lld ns", (long long)half + 1);
}

/* --- one child each ------------------------------------------------------------------------------- */

enum { ALWAYS = 0, ORDERS = 1 };
static const struct check {
    const char *name;
    bool (*run)(struct trying *it);
    int needs;
    bool stops; /* without it the others make no sense */
} checks[] = {
    {"load", check_load, ALWAYS, true},
    {"begin", check_begin, ALWAYS, true},
    {"order", check_order, ORDERS, true},
    {"side", check_side, ORDERS, false},
    {"type", check_type, ORDERS, false},
    {"price", check_price, ORDERS, false},
    {"qty", check_qty, ORDERS, false},
    {"tif", check_tif, ORDERS, false},
    {"post_only", check_post_only, ORDERS, false},
    {"reduce_only", check_reduce_only, ORDERS, false},
    {"client_id", check_client_id, ORDERS, false},
    {"cancel", check_cancel, ORDERS, false},
    {"replace", check_replace, ORDERS, false},
    {"silence", check_silence, ORDERS, false},
    {"hostile", check_noise, ALWAYS, false},
    {"recorded", check_recorded, ALWAYS, false},
    {"leaks", check_leaks, ALWAYS, false},
    {"time", check_time, ALWAYS, false},
};

static void judge(struct trying *it, const struct check *check)
{
    struct why why;
    (void)fail(it, "out of memory");
    if (plugin_load(it->kit->path, &it->plugin, &why) != WEIR_OK) {
        (void)fail(it, "%s", why.text);
        return;
    }
    it->caps = plugin_descriptor(it->plugin)->caps;
    if (check->needs == ORDERS && !it->caps->orders)
        (void)pass(it, "market data only, says the sheet: the host refuses orders");
    else if (check->needs == ORDERS && it->kit->inside)
        (void)pass(it, "not looked at: a venue by itself has no wire (--inside)");
    else
        (void)check->run(it);
}

static _Noreturn void be_child(struct trying *it, const struct check *check, int out)
{
    judge(it, check);
    _exit(write(out, &it->verdict, sizeof it->verdict) == (ssize_t)sizeof it->verdict ? 0 : 1);
}

/* What a child says that said nothing. */
static void say_death(struct verdict *verdict, int status, bool late)
{
    verdict->passed = false;
    if (late)
        snprintf(verdict->reason, REASON_MAX, "did not end within %d s", LIMIT_MS / 1000);
    else if (WIFSIGNALED(status))
        snprintf(verdict->reason, REASON_MAX, "died of signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(verdict->reason, REASON_MAX, "ended the process with code %d",
                 WEXITSTATUS(status));
}

static enum weir_err run_check(struct trying *it, const struct check *check,
                               struct verdict *verdict_out, struct why *why)
{
    int ends[2], status = 0;
    if (pipe(ends) != 0)
        return because(why, WEIR_E_IO, "no pipe: %m");
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        be_child(it, check, ends[1]);
    close(ends[1]);
    struct pollfd ready = {.fd = ends[0], .events = POLLIN};
    bool late = child > 0 && poll(&ready, 1, LIMIT_MS) == 0;
    if (late)
        kill(child, SIGKILL);
    bool told = child > 0 && !late &&
                read(ends[0], verdict_out, sizeof *verdict_out) == (ssize_t)sizeof *verdict_out;
    close(ends[0]);
    if (child < 0 || waitpid(child, &status, 0) != child)
        return because(why, WEIR_E_IO, "no child process: %m");
    if (!told)
        say_death(verdict_out, status, late);
    return WEIR_OK;
}

enum weir_err kit_run(struct kit *kit, kit_verdict *verdict, void *context, struct why *why)
{
    if (access(kit->path, R_OK) != 0)
        return because(why, WEIR_E_IO, "%s: %m", kit->path);
    struct trying *it = calloc(1, sizeof *it);
    if (!it)
        return because(why, WEIR_E_NO_MEMORY, "out of memory");
    it->kit = kit;
    enum weir_err err = kit_lines_read(kit->recordings, &it->lines, why);
    for (size_t i = 0; i < sizeof checks / sizeof checks[0] && err == WEIR_OK; i++) {
        struct verdict is;
        err = run_check(it, &checks[i], &is, why);
        if (err == WEIR_OK)
            verdict(context, checks[i].name, is.passed, is.reason);
        if (err == WEIR_OK && !is.passed && checks[i].stops)
            break;
    }
    free(it);
    return err;
}
