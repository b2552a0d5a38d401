/* resolver.c - asking the venue, until it has answered.
 *
 * A question goes out at once and then again after 50 ms, doubling to 5 s, and from then on each 30 s
 * for ever (policies). What is asked: the order, while its outcome or that of a request is in doubt;
 * the fills, while the venue has told of more executed than was reported. A question that nothing
 * open stands behind goes out once. The due times stand in a
 * binary heap of order numbers. */
#include "engine/state.h"

static bool earlier(const struct engine *engine, uint32_t a, uint32_t b)
{
    weir_ns left = engine->more[a].due, right = engine->more[b].due;
    return left < right || (left == right && a < b);
}

static void place(struct engine *engine, uint32_t at, uint32_t n)
{
    engine->timers[at] = n;
    engine->more[n].timer = at + 1;
}

static void rise(struct engine *engine, uint32_t at)
{
    uint32_t n = engine->timers[at];
    for (; at > 0 && earlier(engine, n, engine->timers[(at - 1) / 2]); at = (at - 1) / 2)
        place(engine, at, engine->timers[(at - 1) / 2]);
    place(engine, at, n);
}

static void sink(struct engine *engine, uint32_t at)
{
    uint32_t n = engine->timers[at];
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= engine->timer_count)
            break;
        if (child + 1 < engine->timer_count &&
            earlier(engine, engine->timers[child + 1], engine->timers[child]))
            child++;
        if (!earlier(engine, engine->timers[child], n))
            break;
        place(engine, at, engine->timers[child]);
        at = child;
    }
    place(engine, at, n);
}

static void timer_set(struct engine *engine, uint32_t n, weir_ns due)
{
    struct order_more *more = more_at(engine, n);
    more->due = due;
    if (!more->timer)
        place(engine, engine->timer_count++, n);
    rise(engine, more->timer - 1);
    sink(engine, more->timer - 1);
}

static void timer_drop(struct engine *engine, uint32_t n)
{
    struct order_more *more = more_at(engine, n);
    uint32_t at = more->timer - 1, last = engine->timers[--engine->timer_count];
    more->timer = 0;
    if (last == n)
        return;
    place(engine, at, last);
    rise(engine, at);
    sink(engine, engine->more[last].timer - 1);
}

static void ask(struct engine *engine, uint32_t n)
{
    const struct order_more *more = more_at(engine, n);
    if (more->asked & ASK_ORDER)
        send_order(engine, n, WEIR_QUERY_ORDER);
    if (more->asked & ASK_FILLS)
        send_fills_query(engine, more->account, order_at(engine, n)->instrument);
}

static uint8_t open_questions(const struct engine *engine, uint32_t n)
{
    const struct order *order = &engine->orders[n];
    bool live = is_at_venue(order->is);
    bool chased = engine->killed &&
                  (order->cancel == REQUEST_REJECTED ||
                   (order->cancel == REQUEST_SENT && engine->policy[POLICY_kill_answer_ns] > 0));
    bool doubt = live && (order->is == IS_DOUBT || order->cancel == REQUEST_AMBIGUOUS || chased);
    bool silent = order->amend == REQUEST_AMBIGUOUS || order->amend == REQUEST_DOUBTED;
    bool amend = silent && (live || order->is == IS_FILLED);
    return (uint8_t)((doubt || amend ? ASK_ORDER : 0) |
                     (order_awaits(order, &engine->more[n]) ? ASK_FILLS : 0));
}

void resolver_ask(struct engine *engine, uint32_t n, uint8_t question)
{
    struct order_more *more = more_at(engine, n);
    uint8_t others = more->asked & (uint8_t)~question;
    more->asked = question;
    ask(engine, n);
    more->asked |= others;
    if (!more->timer)
        more->delay = engine->policy[POLICY_query_first_ns];
    timer_set(engine, n, later(engine->now, more->delay));
    resolver_settle(engine, n);
}

/* Not before `due`; one that is asked already goes on in its own time. */
void resolver_later(struct engine *engine, uint32_t n, uint8_t question, weir_ns due)
{
    struct order_more *more = more_at(engine, n);
    more->asked |= question;
    if (!more->timer) {
        more->delay = engine->policy[POLICY_query_first_ns];
        timer_set(engine, n, due);
    }
    resolver_settle(engine, n);
}

void resolver_settle(struct engine *engine, uint32_t n)
{
    struct order_more *more = more_at(engine, n);
    more->asked &= open_questions(engine, n);
    if (!more->asked && more->timer)
        timer_drop(engine, n);
}

weir_ns resolver_due(const struct engine *engine)
{
    return engine->timer_count ? engine->more[engine->timers[0]].due : INT64_MAX;
}

static weir_ns next_delay(const struct engine *engine, weir_ns delay)
{
    weir_ns most = engine->policy[POLICY_query_most_ns];
    if (delay >= most)
        return engine->policy[POLICY_query_rest_ns];
    return delay > most / 2 ? most : delay * 2;
}

void resolver_run(struct engine *engine)
{
    while (resolver_due(engine) <= engine->now && resolver_due(engine) < INT64_MAX) {
        uint32_t n = engine->timers[0];
        struct order_more *more = more_at(engine, n);
        kill_silence(engine, n);
        ask(engine, n);
        more->delay = next_delay(engine, more->delay);
        timer_set(engine, n, later(engine->now, more->delay));
    }
}
