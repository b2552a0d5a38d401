/* throttle.c - how many orders and replaces were sent in the window (now - window, now].
 *
 * Each scope that has a throttle keeps the times of its last sends in a ring of at least
 * throttle_max places, so that the window is exact and slides; denied orders are not in it. The rings
 * are blocks of powers of two, given back by size when a limit changes. Time is the engine's and
 * never goes back, whatever the wall clock does. */
#include "engine/loss.h"
#include "engine/state.h"
#include "engine/tell.h"

enum { ROOM_MIN_LOG = 4, ROOM_MAX_LOG = 16 };

static uint32_t block_take(struct engine *engine, unsigned log)
{
    uint32_t first = engine->throttle_free[log];
    if (first) {
        engine->throttle_free[log] = (uint32_t)engine->throttle_times[first - 1];
        return first;
    }
    uint32_t room = 1u << log;
    if (engine->throttle_used + room > throttle_room(&engine->sizes))
        return 0;
    first = engine->throttle_used + 1;
    engine->throttle_used += room;
    return first;
}

static void block_give(struct engine *engine, uint32_t first, unsigned log)
{
    engine->throttle_times[first - 1] = engine->throttle_free[log];
    engine->throttle_free[log] = first;
}

uint32_t throttle_room(const struct engine_sizes *sizes)
{
    uint32_t scopes =
        1 + sizes->venues + sizes->accounts + 2 * (sizes->strategies + 1) + sizes->instruments + 1;
    return (scopes << ROOM_MIN_LOG) + (4u << ROOM_MAX_LOG);
}

static unsigned log_of(int64_t places)
{
    unsigned log = ROOM_MIN_LOG;
    while (log < ROOM_MAX_LOG && ((int64_t)1 << log) < places)
        log++;
    return log;
}

static weir_ns *place(struct engine *engine, const struct throttle *throttle, uint32_t at)
{
    return &engine->throttle_times[throttle->first - 1 + (at & (throttle->room - 1))];
}

static void move_to(struct engine *engine, struct throttle *throttle, uint32_t first, unsigned log)
{
    struct throttle next = {first, 1u << log, throttle->head, throttle->tail, throttle->oldest};
    if (next.head - next.tail > next.room) {
        next.tail = next.head - next.room;
        next.oldest = *place(engine, throttle, next.tail);
    }
    for (uint32_t at = next.tail; throttle->room && at != next.head; at++)
        *place(engine, &next, at) = *place(engine, throttle, at);
    if (throttle->room)
        block_give(engine, throttle->first, (unsigned)__builtin_ctz(throttle->room));
    *throttle = next;
}

/* After throttle_max or throttle_window_ms changed. False: the limit is more than can be counted, and
 * is taken as the most that can be (0, if there is no room at all). */
bool throttle_set(struct engine *engine, struct scope *scope)
{
    const struct limit *max = &scope->limits[LIMIT_throttle_max],
                       *window = &scope->limits[LIMIT_throttle_window_ms];
    amount unit = amount_from(1, 0), ms = window->value / unit;

    scope->throttle_max = -1;
    if (max->how != LIMIT_VALUE || window->how != LIMIT_VALUE)
        return true;
    amount most = max->value / unit, counted = (amount)1 << ROOM_MAX_LOG;
    scope->throttle_max = (int32_t)(most < counted ? most : counted);
    scope->throttle_window = ms > INT64_MAX / 1000000 ? INT64_MAX : (weir_ns)ms * 1000000;
    unsigned log = log_of(scope->throttle_max);
    if (scope->throttle.room != 1u << log) {
        uint32_t first = block_take(engine, log);
        if (first) {
            move_to(engine, &scope->throttle, first, log);
        } else {
            int32_t room = (int32_t)scope->throttle.room;
            scope->throttle_max = scope->throttle_max < room ? scope->throttle_max : room;
            return false;
        }
    }
    return most <= counted;
}

static void forget_oldest(struct engine *engine, struct throttle *throttle)
{
    if (++throttle->tail != throttle->head)
        throttle->oldest = *place(engine, throttle, throttle->tail);
}

/* Sends in the window. */
uint32_t throttle_count(struct engine *engine, struct scope *scope)
{
    struct throttle *throttle = &scope->throttle;
    weir_ns start = engine->now < INT64_MIN + scope->throttle_window
                        ? INT64_MIN
                        : engine->now - scope->throttle_window;
    while (throttle->tail != throttle->head && throttle->oldest <= start)
        forget_oldest(engine, throttle);
    return throttle->head - throttle->tail;
}

static void count(struct engine *engine, struct scope *scope)
{
    struct throttle *throttle = &scope->throttle;
    if (scope->throttle_max < 0 || !throttle->room)
        return;
    if (throttle->head - throttle->tail == throttle->room)
        forget_oldest(engine, throttle);
    if (throttle->tail == throttle->head)
        throttle->oldest = engine->now;
    *place(engine, throttle, throttle->head++) = engine->now;
}

void throttle_sent(struct engine *engine, uint32_t n)
{
    const struct order *order = order_at(engine, n);
    const struct order_more *more = more_at(engine, n);
    struct scope *strategy = strategy_of(engine, order->strategy);
    struct scope *group = group_of(engine, strategy);

    count(engine, engine->host);
    count(engine, &engine->venues[more->venue]);
    count(engine, &engine->account_scopes[more->account]);
    if (group)
        count(engine, group);
    count(engine, strategy);
    count(engine, &engine->instrument_scopes[order->instrument]);
    if (engine->watching)
        course_sent(engine, n);
}
