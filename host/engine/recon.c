/* recon.c - sessions, restart, and reconciliation: our books against the venue's.
 *
 * After a restart or a new session the venue is asked for everything, and submits are denied until
 * the answer is complete. The answer comes as rows, which are applied in the contract's order:
 *
 *   fills      as they come, each booked once; those are asked for that the last whole answer
 *              may have lacked                                              [apply_fill, note_fills]
 *   orders     as they come; one that nobody here knows is adopted                    [adopt]
 *   at the end live orders that were not listed: given up if the venue never showed a
 *              sign of them and they are old enough, else in doubt                    [unlisted]
 *              positions that differ halt their instrument until a later answer agrees; balances
 *              that differ are told; our own books stay. What is not listed is zero. Live, the first
 *              word on a balance is where our books begin                             [compare_*]
 *
 * The request is repeated while no answer comes. Live, it is made again each POLICY_reconcile_every_ns
 * while orders go on [asks_again]: an order that is younger than the request is then not expected in the
 * list, and books that differ while executions are booked prove nothing: the venue is asked again, soon
 * and a few times, before it is called a mismatch                                  [is_moving] */
#include "engine/recon.h"
#include "engine/define.h"
#include "engine/fills.h"
#include "engine/inputs.h"
#include "engine/kill.h"
#include "engine/loss.h"
#include "engine/report.h"
#include "engine/state.h"
#include "engine/tell.h"

#define FILLS_AGAIN_NS ((weir_ns)60 * 1000000000)
#define ON_ITS_WAY_NS  ((weir_ns)1000000000)
enum { MOVING_MOST = 6 };

bool account_is_up(const struct engine *engine, const struct account *account)
{
    return account->session == SESSION_UP || (account->session == SESSION_NEW && !strict(engine));
}

static bool asks_again(const struct engine *engine, const struct account *account)
{
    return account->reconciling ||
           (account->session == SESSION_UP && engine->policy[POLICY_reconcile_every_ns] > 0 &&
            account->recon_due > 0);
}

/* After a change of an account: when is the next to be asked? */
static void plan_next(struct engine *engine)
{
    engine->recon_next = INT64_MAX;
    for (uint32_t i = 0; i < engine->sizes.accounts; i++)
        if (asks_again(engine, &engine->accounts[i]) &&
            engine->accounts[i].recon_due < engine->recon_next)
            engine->recon_next = engine->accounts[i].recon_due;
}

static void ask(struct engine *engine, uint16_t n, weir_ns again_after)
{
    struct account *account = &engine->accounts[n];
    account->recon_due = later(engine->now, again_after);
    account->recon_sent = engine->now;
    plan_next(engine);
    send_recon(engine, n);
}

void recon_start(struct engine *engine, uint16_t n)
{
    struct account *account = &engine->accounts[n];
    if (!account->reconciling) {
        tell_state(engine, STATE_RECONCILING, SCOPE_account, n, 1, "");
        engine->reconciling++;
    }
    account->reconciling = 1;
    account->in_recon = 0;
    account->stream_seq = 0;
    account->recon_delay = engine->policy[POLICY_query_most_ns];
    account->moving = 0;
    kill_asked(engine, n);
    ask(engine, n, account->recon_delay);
}

bool account_is_there(const struct engine *engine, uint16_t n)
{
    return n < engine->sizes.accounts && engine->account_scopes[n].defined;
}

void apply_session(struct engine *engine, const void *input)
{
    const struct weir_session *in = input;
    char reason[WEIR_REASON_MAX];
    if (!account_is_there(engine, in->msg.account)) {
        tell_anomaly(engine, 0, 0, "a session of an account that is not known");
        return;
    }
    struct account *account = &engine->accounts[in->msg.account];
    uint8_t before = account->session;
    account->session = in->msg.flags == WEIR_STREAM_UP ? SESSION_UP : SESSION_DOWN;
    if (account->session == before)
        return;
    put_text(reason, in->reason);
    tell_state(engine, STATE_VENUE, SCOPE_account, in->msg.account, account->session == SESSION_UP,
               reason);
    if (account->session == SESSION_UP)
        recon_start(engine, in->msg.account);
    else
        tell_alert(engine, ALERT_STREAM_DOWN, 0, 0, in->msg.account, 0, reason);
    plan_next(engine);
}

void apply_restarted(struct engine *engine, const void *input)
{
    (void)input;
    engine->journal_failed = 0; /* what could not be written then is no word on the disk of now */
    for (uint32_t n = engine->live_first; n; n = more_at(engine, n)->list_next)
        (void)order_step(engine, n, ON_DOUBT);
    for (uint32_t i = 0; i < engine->sizes.accounts; i++) {
        if (!account_is_there(engine, (uint16_t)i))
            continue;
        engine->accounts[i].session = SESSION_NEW;
        recon_start(engine, (uint16_t)i);
    }
}

weir_ns recon_due(const struct engine *engine)
{
    return engine->recon_next ? engine->recon_next : INT64_MAX;
}

void recon_run(struct engine *engine)
{
    if (recon_due(engine) > engine->now)
        return;
    for (uint32_t i = 0; i < engine->sizes.accounts; i++) {
        struct account *account = &engine->accounts[i];
        if (!asks_again(engine, account) || account->recon_due > engine->now)
            continue;
        account->recon_delay = engine->policy[POLICY_query_rest_ns];
        ask(engine, (uint16_t)i,
            account->reconciling ? account->recon_delay
                                 : engine->policy[POLICY_reconcile_every_ns]);
    }
    plan_next(engine);
}

/* --- rows ------------------------------------------------------------------------------------------ */

static struct account *in_recon(struct engine *engine, const struct weir_msg *row)
{
    if (account_is_there(engine, row->account) && engine->accounts[row->account].in_recon)
        return &engine->accounts[row->account];
    tell_anomaly(engine, 0, 0, "a row of no reconciliation");
    return NULL;
}

void apply_recon_begin(struct engine *engine, const void *input)
{
    const struct weir_msg *msg = input;
    if (!account_is_there(engine, msg->account)) {
        tell_anomaly(engine, 0, 0, "a reconciliation of an account that is not known");
        return;
    }
    struct account *account = &engine->accounts[msg->account];
    account->in_recon = 1;
    account->recon++;
    account->listed = account->listed_order = 0;
    account->kill_reads = account->kill_asked;
}

static uint32_t owner_by_name(struct engine *engine, const char *client_id)
{
    uint32_t strategy;
    int64_t counter;
    if (!wire_parse(engine, client_id, &strategy, &counter))
        return STRATEGY_EXTERNAL;
    if (counter >= engine->id_next) /* from another life of this host: never make it again */
        engine->id_next = counter + 1;
    return scope_at(engine, SCOPE_strategy, strategy) ? strategy : STRATEGY_EXTERNAL;
}

static void name_adopted(struct engine *engine, uint32_t n, const struct weir_report *row)
{
    struct order_more *more = more_at(engine, n);
    if (row->client_id[0]) {
        put_text(more->wire, row->client_id);
        (void)name_add(engine, n, NAME_WIRE, more->wire);
    }
    put_text(more->cid, row->client_id);
    if (!row->client_id[0] || map_get(&engine->cids, cid_key(more->cid), &(uint32_t){0})) {
        memcpy(more->cid, "ext:", 4);
        put_text_in(more->cid + 4, sizeof more->cid - 4, row->venue_id, WEIR_ID_MAX);
    }
    if (!cid_is_used(engine, more->cid, cid_key(more->cid)) || strcmp(more->cid, more->wire) == 0)
        (void)name_add(engine, n, NAME_CID, more->cid);
    put_text(more->vid, row->venue_id);
    if (more->vid[0])
        (void)name_add(engine, n, NAME_VENUE, more->vid);
}

static const uint8_t adopted_event[] = {
    [WEIR_STATE_OPEN] = ON_WORKS,        [WEIR_STATE_FILLED] = ON_FILLED,
    [WEIR_STATE_CANCELED] = ON_CANCELED, [WEIR_STATE_EXPIRED] = ON_EXPIRED,
    [WEIR_STATE_REJECTED] = ON_REJECT,
};

/* An order at the venue that nobody here knows: from now on it counts like any other. */
static uint32_t adopt(struct engine *engine, const struct weir_report *row)
{
    uint32_t n;
    bool sane = instrument_at(engine, row->msg.instrument) && row->side <= WEIR_SELL &&
                row->qty >= 0 && row->px >= 0 && row->cum_qty >= 0 &&
                row->state > WEIR_STATE_NOT_FOUND && row->state < sizeof adopted_event;
    if (!sane) {
        tell_anomaly(engine, 0, 0, "an order of somebody else that cannot be understood");
        return 0;
    }
    n = order_take(engine, row->msg.instrument, owner_by_name(engine, row->client_id));
    if (!n) {
        tell_alert(engine, ALERT_CAPACITY, row->msg.instrument, 0, 0, 0,
                   "orders: one at the venue is not counted");
        engine->instruments[row->msg.instrument].halted |= HALT_MISMATCH;
        return 0;
    }
    struct order *order = order_at(engine, n);
    struct order_more *more = more_at(engine, n);
    order->side = row->side;
    order->qty = row->qty > row->cum_qty ? row->qty : row->cum_qty;
    more->px = more->hold_px = row->px;
    more->type = row->px > 0 ? WEIR_LIMIT : WEIR_MARKET;
    more->sent = engine->now;
    more->proved = 1;
    name_adopted(engine, n, row);
    fills_adopt(engine, n);
    bool complete =
        row->state == WEIR_STATE_OPEN && order->cum >= order->qty; /* by the fills that we have */
    (void)order_step(engine, n, complete ? ON_FILLED : (enum order_event)adopted_event[row->state]);
    put_text(more->reason, row->reason);
    return n;
}

/* It works, by the venue's list. */
static void note_works(struct engine *engine, struct account *account, uint32_t n)
{
    if (account->listed++ == 0)
        account->listed_order = n;
    if (is_done(order_at(engine, n)->is))
        kill_ghost(engine, n);
}

void apply_recon_order(struct engine *engine, const void *input)
{
    const struct weir_report *row = input;
    struct account *account = in_recon(engine, &row->msg);
    if (!account)
        return;
    uint32_t n = order_of_wire(engine, row->client_id);
    if (!n)
        n = order_of_venue(engine, row->msg.instrument, row->venue_id);
    if (n) {
        report_status(engine, n, row);
    } else {
        n = adopt(engine, row);
        tell_alert(engine, ALERT_EXTERNAL_ORDER, row->msg.instrument, n, row->qty, 0,
                   row->client_id[0] ? row->client_id : row->venue_id);
        if (!n) {
            account->listed += row->state == WEIR_STATE_OPEN;
            return;
        }
        report_cum(engine, n, row);
        kill_follow(engine, n, true);
    }
    more_at(engine, n)->listed_in = account->recon;
    if (row->state == WEIR_STATE_OPEN)
        note_works(engine, account, n);
}

void apply_recon_position(struct engine *engine, const void *input)
{
    const struct weir_cash *row = input;
    const struct account *account = in_recon(engine, &row->msg);
    struct instrument *instrument = instrument_at(engine, row->msg.instrument);
    if (!account)
        return;
    if (!instrument) {
        tell_anomaly(engine, 0, 0, "a position of an instrument that is not known");
        return;
    }
    instrument->listed = amount_of(row->amount);
    instrument->listed_in = account->recon;
}

void apply_recon_balance(struct engine *engine, const void *input)
{
    const struct weir_cash *row = input;
    const struct account *account = in_recon(engine, &row->msg);
    uint32_t asset = asset_number(engine, row->asset);
    if (!account)
        return;
    if (asset == UINT32_MAX) {
        tell_anomaly(engine, 0, 0, "a balance of an asset that is not known");
        return;
    }
    struct purse *purse = purse_at(engine, row->msg.account, asset);
    purse->listed = amount_of(row->amount);
    purse->listed_in = account->recon;
}

/* --- the end ----------------------------------------------------------------------------------------- */

/* open_only: it may have ended there, filled or not, and is asked for by itself. */
static void unlisted(struct engine *engine, uint32_t n, bool open_only)
{
    struct order_more *more = more_at(engine, n);
    bool old = engine->now - more->sent > engine->policy[POLICY_not_found_after_ns];
    if (!open_only && can_give_up(engine, n) && old) {
        put_text(more->reason, "NOT_FOUND");
        (void)order_step(engine, n, ON_ABSENT);
        return;
    }
    (void)order_step(engine, n, ON_DOUBT);
    report_doubt(engine, n, "not listed");
}

/* It was sent so late that a list which was asked for while orders go on may lack it. */
static bool is_on_its_way(const struct engine *engine, const struct account *account, uint32_t n)
{
    const struct order_more *more = &engine->more[n];
    weir_ns last = more->sent > more->changed ? more->sent : more->changed;
    return strict(engine) && !account->reconciling && account->recon_sent - last < ON_ITS_WAY_NS;
}

static void unlisted_orders(struct engine *engine, uint16_t n, bool open_only)
{
    const struct account *account = &engine->accounts[n];
    for (uint32_t o = engine->live_first, next; o; o = next) {
        next = more_at(engine, o)->list_next;
        if (more_at(engine, o)->account == n && more_at(engine, o)->listed_in != account->recon &&
            !is_on_its_way(engine, account, o))
            unlisted(engine, o, open_only);
    }
}

/* In whole units: an alert's number is for reading, the comparison is exact. */
static int64_t whole(amount value)
{
    amount units = value / amount_from(1, 0);
    return units > INT64_MAX ? INT64_MAX : units < -INT64_MAX ? -INT64_MAX : (int64_t)units;
}

/* Executions were booked after the request was sent, and may be in the answer or not. */
static bool is_moving(const struct engine *engine, const struct account *account, weir_ns booked)
{
    return strict(engine) && booked > 0 && booked >= account->recon_sent &&
           account->moving < MOVING_MOST;
}

/* True: there is no telling yet. */
static bool compare_positions(struct engine *engine, uint16_t account)
{
    bool moving = false;
    for (uint32_t i = 1; i <= engine->instrument_count; i++) {
        struct instrument *instrument = &engine->instruments[i];
        if (instrument->account != account)
            continue;
        amount ours = amount_from(instrument->own.now.qty, instrument->is.qty_exp);
        amount theirs =
            instrument->listed_in == engine->accounts[account].recon ? instrument->listed : 0;
        if (ours != theirs && is_moving(engine, &engine->accounts[account], instrument->booked)) {
            moving = true;
            continue;
        }
        instrument->halted &= (uint8_t)~HALT_MISMATCH;
        instrument->mismatch = theirs - ours;
        if (ours == theirs)
            continue;
        instrument->halted |= HALT_MISMATCH;
        tell_alert(engine, ALERT_POSITION_MISMATCH, i, 0, whole(ours), whole(theirs),
                   instrument->is.symbol);
        guard_trips(engine, GUARD_mismatch, &engine->instrument_scopes[i], theirs, ours);
    }
    return moving;
}

static bool compare_balances(struct engine *engine, uint16_t account)
{
    bool moving = false;
    for (uint32_t asset = 0; asset < engine->asset_count; asset++) {
        struct purse *purse = purse_at(engine, account, asset);
        amount theirs = purse->listed_in == engine->accounts[account].recon ? purse->listed : 0;
        if (strict(engine) && !purse->known) /* the first word on it: where our books begin */
            purse->total = theirs;
        purse->known = 1;
        if (purse->total == theirs)
            continue;
        if (is_moving(engine, &engine->accounts[account], engine->accounts[account].booked))
            moving = true;
        else
            tell_alert(engine, ALERT_BALANCE_MISMATCH, 0, 0, whole(purse->total), whole(theirs),
                       engine->assets[asset]);
    }
    return moving;
}

/* A whole list was read, so no execution from before the newest in it is missing; one that is told
 * later may stand before others that were told already, and therefore nothing else moves this.
 * Venues book late, and their clocks are corrected: a while before it is asked for again. */
static void note_fills(struct account *account)
{
    if (account->last_fill - FILLS_AGAIN_NS > account->fills_from)
        account->fills_from = account->last_fill - FILLS_AGAIN_NS;
}

/* All was compared, or there was no telling: then again soon. */
static void go_on(struct engine *engine, uint16_t n, bool moving)
{
    struct account *account = &engine->accounts[n];
    if (moving) {
        weir_ns wait = engine->policy[POLICY_query_first_ns] << account->moving++;
        account->recon_due = later(engine->now, wait);
    } else {
        account->moving = 0;
        account->recon_due = later(engine->now, engine->policy[POLICY_reconcile_every_ns]);
    }
    if (!moving && account->reconciling) {
        account->reconciling = 0;
        engine->reconciling--;
        tell_state(engine, STATE_RECONCILING, SCOPE_account, n, 0, "");
    }
    plan_next(engine);
}

void apply_recon_end(struct engine *engine, const void *input)
{
    const struct weir_msg *msg = input;
    struct account *account = in_recon(engine, msg);
    if (!account)
        return;
    bool partial = msg->flags & WEIR_RECON_PARTIAL; /* orders were not asked for */
    bool moving = false;
    if (!partial)
        unlisted_orders(engine, msg->account, msg->flags & WEIR_RECON_OPEN_ONLY);
    if (msg->flags & WEIR_RECON_HAS_POSITIONS)
        moving |= compare_positions(engine, msg->account);
    if (msg->flags & WEIR_RECON_HAS_BALANCES)
        moving |= compare_balances(engine, msg->account);
    account->in_recon = 0;
    if (partial)
        return;
    note_fills(account);
    go_on(engine, msg->account, moving);
    kill_answered(engine, msg->account);
}
