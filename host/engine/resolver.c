/* resolver.c - asking the venue, until it has answered.
 *
 * A question goes out at once and then again after 50 ms, doubling to 5 s, and from then on each 30 s
 * for ever (policies). What is asked: the order, while its outcome or that of a request is in doubt;
 * the fills, while the venue has told of more executed than was reported. A question that nothing
 * open stands behind goes out once. */
#include "engine/resolver.h"
#include "engine/kill.h"
#include "engine/state.h"
#include "engine/tell.h"

static void timer_set(struct engine *engine, uint32_t n, weir_ns due)
{
    timer_put(engine, TIMER_QUESTION, n, due);
}

static void timer_drop(struct engine *engine, uint32_t n)
{
    timer_cut(engine, TIMER_QUESTION, n);
}

static bool timer_is_set(const struct order_more *more)
{
    return more->timers[TIMER_QUESTION].place != 0;
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
    bool awaits = order_awaits(order, &engine->more[n]);
    bool undone = awaits && engine->more[n].undone > 0; /* is the total still what it was? */
    return (uint8_t)((doubt || amend || undone ? ASK_ORDER : 0) | (awaits ? ASK_FILLS : 0));
}

void resolver_ask(struct engine *engine, uint32_t n, uint8_t question)
{
    struct order_more *more = more_at(engine, n);
    uint8_t others = more->asked & (uint8_t)~question;
    more->asked = question;
    ask(engine, n);
    more->asked |= others;
    if (!timer_is_set(more))
        more->delay = engine->policy[POLICY_query_first_ns];
    timer_set(engine, n, later(engine->now, more->delay));
    resolver_settle(engine, n);
}

/* Not before `due`; one that is asked already goes on in its own time. */
void resolver_later(struct engine *engine, uint32_t n, uint8_t question, weir_ns due)
{
    struct order_more *more = more_at(engine, n);
    more->asked |= question;
    if (!timer_is_set(more)) {
        more->delay = engine->policy[POLICY_query_first_ns];
        timer_set(engine, n, due);
    }
    resolver_settle(engine, n);
}

void resolver_settle(struct engine *engine, uint32_t n)
{
    struct order_more *more = more_at(engine, n);
    more->asked &= open_questions(engine, n);
    if (!more->asked && timer_is_set(more))
        timer_drop(engine, n);
}

weir_ns resolver_due(const struct engine *engine)
{
    return timer_first(engine, TIMER_QUESTION);
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
        uint32_t n = engine->timers[TIMER_QUESTION][0];
        struct order_more *more = more_at(engine, n);
        kill_silence(engine, n);
        ask(engine, n);
        more->delay = next_delay(engine, more->delay);
        timer_set(engine, n, later(engine->now, more->delay));
    }
}
