/* check_cost.c - the same inputs give the same, and cost no memory and little time. */
#include <dlfcn.h>
#include <malloc.h>
#include <string.h>

#include "control/kit/border.h"
#include "control/kit/own.h"

enum { ROUNDS = 200, FRAME_NS_MAX = 1000000, SESSIONS = 20 };

/* --- a whole story, step by step -------------------------------------------------------------------- */

enum step { GOES_ON, IS_OVER, WENT_WRONG };

/* The n-th step: begin, each recorded message, an order, what was recorded of it, ten seconds. */
static enum step story_step(struct trying *it, struct kit_stage *stage, unsigned n)
{
    struct why why;
    unsigned opening = it->lines.count - it->lines.of_orders;
    if (n == 0) {
        if (kit_stage_start(stage, it->plugin, it->kit, &why) != WEIR_OK)
            return kit_fail(it, "the session does not begin: %s", why.text) ? GOES_ON : WENT_WRONG;
        kit_stage_restore(stage, &it->lines);
    } else if (n == 1 + opening) {
        if (it->caps->orders && stage->instruments > 0) {
            struct weir_intent order = kit_order(it, stage);
            (void)kit_stage_intent(stage, &order);
        }
    } else if (n <= 1 + it->lines.count) {
        const struct kit_line *line = &it->lines.line[n - 1 - (n > 1 + opening)];
        (void)kit_stage_line(stage, line);
        kit_stage_restore(stage, &it->lines);
    } else {
        kit_stage_wait(stage, 10000000000);
        return IS_OVER;
    }
    return GOES_ON;
}

static bool story(struct trying *it, struct kit_stage *stage)
{
    enum step step = GOES_ON;
    for (unsigned n = 0; step == GOES_ON; n++)
        step = story_step(it, stage, n);
    return step == IS_OVER;
}

/* --- pure ------------------------------------------------------------------------------------------- */

static bool same_text(const struct text *a, const struct text *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static bool same_as(struct trying *it, const struct text *wire, const struct text *heard,
                    const struct kit_stage *stage, const char *when)
{
    bool told = same_text(heard, &stage->heard);
    if (told && same_text(wire, &stage->wire))
        return true;
    return kit_fail(it, "the same inputs %s: it %s", when,
                    told ? "sends other bytes" : "tells other events");
}

/* Beside another session, which hears the same a step later. */
static bool side_by_side(struct trying *it)
{
    enum step a = GOES_ON, b = GOES_ON;
    for (unsigned n = 0; a == GOES_ON || b == GOES_ON; n++) {
        if (a == GOES_ON)
            a = story_step(it, &it->stage, n);
        if (n > 0 && b == GOES_ON)
            b = story_step(it, &it->other, n - 1);
        if (a == WENT_WRONG || b == WENT_WRONG)
            return false;
    }
    return true;
}

bool kit_check_pure(struct trying *it)
{
    struct text wire, heard;
    text_init(&wire);
    text_init(&heard);
    (void)mallopt(M_PERTURB, 0x55); /* what malloc gives holds this */
    if (!story(it, &it->stage))
        return false;
    text_add(&wire, text_cstr(&it->stage.wire), it->stage.wire.len);
    text_add(&heard, text_cstr(&it->stage.heard), it->stage.heard.len);
    kit_stage_close(&it->stage);
    (void)mallopt(M_PERTURB, 0xaa);
    border_at_edge(false);
    if (!story(it, &it->stage) ||
        !same_as(it, &wire, &heard, &it->stage, "in a second session, with other memory"))
        return false;
    kit_stage_close(&it->stage);
    if (!side_by_side(it) ||
        !same_as(it, &wire, &heard, &it->stage, "with another session beside it") ||
        !same_as(it, &wire, &heard, &it->other, "in the session beside"))
        return false;
    kit_stage_close(&it->stage);
    kit_stage_close(&it->other);
    kit_pass(it, "four sessions, two of them side by side: %zu bytes of events, %zu sent",
             heard.len, wire.len);
    text_fini(&wire);
    text_fini(&heard);
    return true;
}

/* --- memory ----------------------------------------------------------------------------------------- */

static size_t allocated(void)
{
    typedef size_t counter(void);
    static void *found;
    static bool looked;
    counter *count;
    if (!looked)
        found = dlsym(RTLD_DEFAULT, "__sanitizer_get_current_allocated_bytes");
    looked = true;
    memcpy(&count, &found, sizeof count);
    if (count)
        return count();
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/* The n-th of many frames: what was recorded, or else short noise. */
static void ordinary(struct trying *it, unsigned n, char *room)
{
    const struct kit_line *line = NULL;
    for (unsigned k = 0; k < it->lines.count && !line; k++) {
        const struct kit_line *at = &it->lines.line[(n + k) % it->lines.count];
        line = at->http ? NULL : at;
    }
    if (line)
        (void)kit_stage_frame(&it->stage, line->conn, line->bytes);
    else
        (void)kit_stage_frame(&it->stage, 0, kit_noise(n % 2 ? 9 : 200 + n % 100, room));
}

static void forget(struct kit_stage *stage)
{
    text_fini(&stage->wire);
    text_fini(&stage->heard);
    stage->request_from = 0;
    for (unsigned i = 0; i < stage->conn_count; i++)
        stage->conns[i].sent_from = stage->conns[i].sent_to = 0;
    stage->asked_count = 0;
}

static size_t grow_by_frames(struct trying *it, char *room)
{
    forget(&it->stage);
    size_t before = allocated();
    for (unsigned n = 0; n < 20 * ROUNDS; n++) {
        ordinary(it, n, room);
        forget(&it->stage);
    }
    size_t after = allocated();
    return after > before ? after - before : 0;
}

static size_t grow_by_sessions(struct trying *it)
{
    size_t before = allocated();
    for (int i = 0; i < SESSIONS; i++) {
        if (!story(it, &it->other))
            return 0;
        kit_stage_close(&it->other);
    }
    size_t after = allocated();
    return after > before ? after - before : 0;
}

/* Rooms that grow once are no leak: it must grow in each of three passes. */
static size_t least_growth(struct trying *it, size_t (*grow)(struct trying *it, char *room),
                           char *room)
{
    size_t least = SIZE_MAX;
    (void)grow(it, room);
    for (int i = 0; i < 3; i++) {
        size_t more = grow(it, room);
        least = more < least ? more : least;
    }
    return least;
}

static size_t by_sessions(struct trying *it, char *room)
{
    (void)room;
    return grow_by_sessions(it);
}

bool kit_check_leaks(struct trying *it)
{
    static char room[KIT_FRAME_MAX];
    if (!kit_open(it, &it->stage))
        return false;
    size_t frames = least_growth(it, grow_by_frames, room);
    size_t sessions = least_growth(it, by_sessions, room);
    kit_stage_close(&it->stage);
    if (frames >= (size_t)20 * ROUNDS)
        return kit_fail(it, "%zu bytes of memory are lost with %d frames, each time again", frames,
                        20 * ROUNDS);
    if (sessions >= (size_t)SESSIONS * 16)
        return kit_fail(
            it, "%zu bytes of memory are lost with %d sessions of one order each, each time again",
            sessions, SESSIONS);
    return kit_pass(it, "no growth over %d frames and %d sessions", 80 * ROUNDS, 4 * SESSIONS);
}

/* --- time ------------------------------------------------------------------------------------------- */

/* Not qsort: it asks the kernel how much memory there is. */
static int64_t middle(int64_t spans[ROUNDS])
{
    for (int i = 1; i < ROUNDS; i++)
        for (int k = i; k > 0 && spans[k - 1] > spans[k]; k--) {
            int64_t less = spans[k];
            spans[k] = spans[k - 1];
            spans[k - 1] = less;
        }
    return spans[ROUNDS / 2];
}

static bool in_time(struct trying *it, int64_t span, const char *what)
{
    if (span <= FRAME_NS_MAX)
        return true;
    return kit_fail(
        it, "half of the %s take over %lld us of CPU time, at most %d are allowed: it blocks", what,
        (long long)span / 1000, FRAME_NS_MAX / 1000);
}

bool kit_check_time(struct trying *it)
{
    int64_t frames[ROUNDS], orders[ROUNDS] = {0};
    static char room[KIT_FRAME_MAX];
    if (!kit_open(it, &it->stage))
        return false;
    for (unsigned n = 0; n < ROUNDS; n++) {
        ordinary(it, n, room);
        frames[n] = border_last_ns();
    }
    for (unsigned n = 0; n < ROUNDS && it->caps->orders; n++) {
        struct weir_intent order = kit_order(it, &it->stage);
        for (unsigned i = 0; i < 3; i++)
            order.client_id[13 + i] = (char)('0' + n / (i == 0 ? 100 : i == 1 ? 10 : 1) % 10);
        (void)kit_stage_intent(&it->stage, &order);
        orders[n] = border_last_ns();
    }
    kit_stage_close(&it->stage);
    int64_t frame = middle(frames), order = middle(orders);
    if (!in_time(it, frame, "frames") || !in_time(it, order, "orders"))
        return false;
    return kit_pass(it,
                    "the middle one of %d frames takes %lld ns of CPU time, of %d orders %lld ns",
                    ROUNDS, (long long)frame, it->caps->orders ? ROUNDS : 0, (long long)order);
}
