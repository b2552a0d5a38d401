/* kill.c - the kill switch, and the proof that it worked.
 *
 * PULLED    It denies every submit and replace and sends one cancel for each live order at a venue
 *           that has none pending, those in doubt or not acknowledged included; what is held ends at
 *           once. An order whose cancel
 *           the venue refused, or did not answer, is asked about, and canceled again only when the
 *           venue's answer shows it live [kill_follow]; so a cancel is never repeated on silence.
 *           Live, the same holds for any cancel without an answer, killed or not: who asked for it
 *           still wants it. The venue's silence is noticed here, too, by policy [kill_silence].
 * ASKED     Each account that ever had an order or a session is asked for all it has, at once and
 *           then again, ever more seldom, until a list shows nothing that works. What is listed and
 *           was not known is adopted and canceled; what we hold for ended, and the venue lists as
 *           working, is canceled again, live, though its state stays [kill_ghost].
 * PROVEN    when no order is live here, no replace on its way can make one live, and each account's
 *           last list was asked for after the switch was pulled and shows none that works. Until
 *           then engine_kill_open() names what is missing, and why. What comes alive later, a
 *           restart, or a new session make it unproven again [kill_stir].
 *
 * Released before it is proven, an account goes on RECONCILING until the venue has answered. */
#include "engine/kill.h"
#include "engine/hold.h"
#include "engine/inputs.h"
#include "engine/recon.h"
#include "engine/resolver.h"
#include "engine/state.h"
#include "engine/submit.h"
#include "engine/tell.h"

/* --- accounts ------------------------------------------------------------------------------------ */

/* Something of ours may be there. */
static bool matters(const struct engine *engine, uint16_t n)
{
    const struct account *account = &engine->accounts[n];
    return account_is_there(engine, n) && (account->used || account->session != SESSION_NEW);
}

static void ask_for_list(struct engine *engine, uint16_t n)
{
    if (!engine->accounts[n].in_recon) /* else at its end [kill_answered], or later [kill_run] */
        recon_start(engine, n);
}

static void ask_all(struct engine *engine)
{
    for (uint32_t i = 0; i < engine->sizes.accounts; i++) {
        struct account *account = &engine->accounts[i];
        account->kill_list = KILL_LIST_ASKED;
        account->kill_asked = account->kill_reads = 0;
        account->kill_delay = engine->policy[POLICY_query_first_ns];
        if (matters(engine, (uint16_t)i))
            ask_for_list(engine, (uint16_t)i);
    }
}

void kill_asked(struct engine *engine, uint16_t n)
{
    if (!engine->killed)
        return;
    engine->accounts[n].kill_list = KILL_LIST_ASKED;
    engine->accounts[n].kill_asked = 1;
    kill_stir(engine, "the account is asked again");
}

static weir_ns next_delay(const struct engine *engine, weir_ns delay)
{
    weir_ns most = engine->policy[POLICY_query_most_ns];
    if (delay >= most)
        return engine->policy[POLICY_query_rest_ns];
    return delay > most / 2 ? most : delay * 2;
}

void kill_answered(struct engine *engine, uint16_t n)
{
    struct account *account = &engine->accounts[n];
    if (!engine->killed || !matters(engine, n))
        return;
    if (!account->kill_reads) { /* asked for before the switch was pulled */
        if (!account->kill_asked)
            recon_start(engine, n);
        return;
    }
    account->kill_list = account->listed ? KILL_LIST_WORKS : KILL_LIST_CLEAN;
    if (!account->listed)
        return;
    kill_stir(engine, "the venue lists orders that work");
    account->kill_due = later(engine->now, account->kill_delay);
    account->kill_delay = next_delay(engine, account->kill_delay);
}

weir_ns kill_due(const struct engine *engine)
{
    weir_ns due = INT64_MAX;
    for (uint32_t i = 0; engine->killed == KILL_PULLED && i < engine->sizes.accounts; i++)
        if (engine->accounts[i].kill_list == KILL_LIST_WORKS && engine->accounts[i].kill_due < due)
            due = engine->accounts[i].kill_due;
    return due;
}

void kill_run(struct engine *engine)
{
    for (uint16_t i = 0; kill_due(engine) <= engine->now && i < engine->sizes.accounts; i++) {
        struct account *account = &engine->accounts[i];
        if (account->kill_list != KILL_LIST_WORKS || account->kill_due > engine->now)
            continue;
        account->kill_due = later(engine->now, account->kill_delay); /* if this one stays open */
        ask_for_list(engine, (uint16_t)i);
    }
}

/* --- orders ---------------------------------------------------------------------------------------- */

void kill_watch(struct engine *engine, uint32_t n)
{
    weir_ns wait = engine->policy[POLICY_kill_answer_ns];
    if (wait > 0 && order_at(engine, n)->cancel == REQUEST_SENT)
        resolver_later(engine, n, ASK_ORDER, later(engine->now, wait));
}

void kill_silence(struct engine *engine, uint32_t n)
{
    struct order *order = order_at(engine, n);
    weir_ns wait = engine->policy[POLICY_kill_answer_ns];
    if (!engine->killed || wait == 0 || order->cancel != REQUEST_SENT ||
        engine->now - more_at(engine, n)->cancel_sent < wait)
        return;
    request_set(engine, n, &order->cancel, REQUEST_AMBIGUOUS);
    tell_alert(engine, ALERT_UNKNOWN_ORDER, order->instrument, n, 0, 0, "no answer to a cancel");
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

void kill_ghost(struct engine *engine, uint32_t n)
{
    if (!engine->killed || !strict(engine))
        return;
    more_at(engine, n)->cancel_sent = engine->now;
    send_order(engine, n, WEIR_CANCEL);
}

/* --- the switch -------------------------------------------------------------------------------------- */

void kill_stir(struct engine *engine, const char *reason)
{
    if (engine->killed != KILL_PROVEN)
        return;
    engine->killed = KILL_PULLED;
    tell_state(engine, STATE_KILL_SWITCH, SCOPE_host, 0, KILL_PULLED, reason);
}

void kill_judge(struct engine *engine)
{
    if (engine->host->live > 0 || engine->revivable > 0)
        return;
    for (uint32_t i = 0; i < engine->sizes.accounts; i++)
        if (matters(engine, (uint16_t)i) && engine->accounts[i].kill_list != KILL_LIST_CLEAN)
            return;
    engine->killed = KILL_PROVEN;
    tell_state(engine, STATE_KILL_SWITCH, SCOPE_host, 0, KILL_PROVEN, "PROVEN");
}

void kill_pull(struct engine *engine, const char *reason)
{
    bool first = !engine->killed;
    if (first) {
        engine->killed = KILL_PULLED;
        tell_alert(engine, ALERT_KILL_SWITCH, 0, 0, engine->host->live, 0, reason);
        tell_state(engine, STATE_KILL_SWITCH, SCOPE_host, 0, KILL_PULLED, reason);
    }
    for (uint32_t n = engine->live_first, next; n; n = next) {
        next = more_at(engine, n)->list_next;
        order_cancel(engine, n);
        kill_watch(engine, n); /* also if it was canceled before */
    }
    hold_cancel_all(engine, "KILL_SWITCH");
    if (first)
        ask_all(engine);
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
    engine->killed = KILL_OFF;
    put_text(reason, in->reason);
    tell_state(engine, STATE_KILL_SWITCH, SCOPE_host, 0, KILL_OFF, reason);
    for (uint32_t n = engine->live_first; n; n = more_at(engine, n)->list_next)
        resolver_settle(engine, n); /* what was asked for the switch's sake */
}

/* --- what is open -------------------------------------------------------------------------------------- */

enum kill_stage engine_kill_stage(const struct engine *engine)
{
    return (enum kill_stage)engine->killed;
}

static enum kill_obstacle obstacle_of(const struct engine *engine, uint32_t n)
{
    const struct order *order = &engine->orders[n];
    const struct order_more *more = &engine->more[n];
    if (is_done(order->is))
        return KILL_BY_REPLACE_OPEN;
    if (!account_is_up(engine, &engine->accounts[more->account]))
        return KILL_BY_VENUE_DOWN;
    if (engine->backoff[more->venue] > engine->now)
        return KILL_BY_BACKOFF;
    switch (order->cancel) {
    case REQUEST_SENT: return KILL_BY_NO_ANSWER;
    case REQUEST_AMBIGUOUS: return KILL_BY_SILENT;
    case REQUEST_REJECTED: return KILL_BY_REFUSED;
    default: return KILL_BY_IN_DOUBT;
    }
}

static void open_order(const struct engine *engine, uint32_t n, struct kill_item *out)
{
    const struct order_more *more = &engine->more[n];
    *out = (struct kill_item){.order = n,
                              .venue = more->venue,
                              .account = more->account,
                              .obstacle = obstacle_of(engine, n),
                              .since = more->cancel_sent};
    if (out->obstacle == KILL_BY_REFUSED || out->obstacle == KILL_BY_IN_DOUBT)
        put_text_in(out->reason, sizeof out->reason, more->refusal, sizeof more->refusal);
}

static void open_account(const struct engine *engine, uint16_t n, struct kill_item *out)
{
    const struct account *account = &engine->accounts[n];
    bool works = account->kill_list == KILL_LIST_WORKS;
    *out = (struct kill_item){.order = works ? account->listed_order : 0,
                              .venue = account->venue,
                              .account = n,
                              .obstacle = works                            ? KILL_BY_LISTED
                                          : account_is_up(engine, account) ? KILL_BY_NOT_LISTED_YET
                                                                           : KILL_BY_VENUE_DOWN,
                              .since = account->recon_sent};
}

bool engine_kill_open(const struct engine *engine, uint32_t i, struct kill_item *item_out)
{
    if (engine->killed != KILL_PULLED)
        return false;
    for (uint32_t n = engine->live_first; n; n = engine->more[n].list_next)
        if (i-- == 0)
            return open_order(engine, n, item_out), true;
    for (uint32_t n = 1; engine->revivable > 0 && n <= engine->orders_used; n++)
        if (engine->more[n].counted_revivable && i-- == 0)
            return open_order(engine, n, item_out), true;
    for (uint16_t n = 0; n < engine->sizes.accounts; n++)
        if (matters(engine, n) && engine->accounts[n].kill_list != KILL_LIST_CLEAN && i-- == 0)
            return open_account(engine, n, item_out), true;
    return false;
}
