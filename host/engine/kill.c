/* kill.c - the kill switch.
 *
 * Pulled, it denies every submit and replace and sends one cancel for each live order at a venue
 * that has none pending, those in doubt or not acknowledged included. An order whose cancel the
 * venue refused, or did not answer, is asked about, and canceled again only when the venue's answer
 * shows it live [kill_follow]; so a cancel is never repeated on silence. Live, the same holds for any
 * cancel without an answer, killed or not: who asked for it still wants it. */
#include "engine/state.h"

void kill_pull(struct engine *engine, const char *reason)
{
    if (!engine->killed) {
        engine->killed = 1;
        tell_alert(engine, ALERT_KILL_SWITCH, 0, 0, engine->host->live, 0, reason);
        tell_state(engine, STATE_KILL_SWITCH, SCOPE_host, 0, 1, reason);
    }
    for (uint32_t n = engine->live_first, next; n; n = next) {
        next = more_at(engine, n)->list_next;
        order_cancel(engine, n);
    }
}

void kill_follow(struct engine *engine, uint32_t n, bool shown_live)
{
    struct order *order = order_at(engine, n);
    bool lost = strict(engine) && order->cancel == REQUEST_AMBIGUOUS && shown_live;
    if ((!engine->killed && !lost) || !is_at_venue(order->is))
        return;
    bool answered_badly = order->cancel == REQUEST_REJECTED || order->cancel == REQUEST_AMBIGUOUS;
    if (order->cancel == REQUEST_SENT || (answered_badly && !shown_live))
        return;
    if (order->cancel == REQUEST_AMBIGUOUS)
        request_set(engine, n, &order->cancel, REQUEST_RESOLVED);
    order_cancel(engine, n);
}

void apply_kill(struct engine *engine, const void *input)
{
    const struct in_change *in = input;
    char reason[WEIR_REASON_MAX];
    put_text(reason, in->reason);
    kill_pull(engine, reason);
}

void apply_release(struct engine *engine, const void *input)
{
    const struct in_change *in = input;
    char reason[WEIR_REASON_MAX];
    if (!engine->killed)
        return;
    engine->killed = 0;
    put_text(reason, in->reason);
    tell_state(engine, STATE_KILL_SWITCH, SCOPE_host, 0, 0, reason);
}
