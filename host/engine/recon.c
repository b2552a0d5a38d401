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
 * The request is repeated while no answer comes. */
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

bool account_is_up(const struct engine *engine, const struct account *account)
{
    return account->session == SESSION_UP || (account->session == SESSION_NEW && !strict(engine));
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
    account->recon_due = later(engine->now, account->recon_delay);
    account->recon_sent = engine->now;
    kill_asked(engine, n);
    send_recon(engine, n);
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
    weir_ns due = INT64_MAX;
    for (uint32_t i = 0; engine->reconciling && i < engine->sizes.accounts; i++)
        if (engine->accounts[i].reconciling && engine->accounts[i].recon_due < due)
            due = engine->accounts[i].recon_due;
    return due;
}

void recon_run(struct engine *engine)
{
    for (uint16_t i = 0; engine->reconciling && i < engine->sizes.accounts; i++) {
        struct account *account = &engine->accounts[i];
        if (!account->reconciling || account->recon_due > engine->now ||
            account->recon_due == INT64_MAX)
            continue;
        account->recon_delay = engine->policy[POLICY_query_rest_ns];
        account->recon_due = later(engine->now, account->recon_delay);
        account->recon_sent = engine->now;
        send_recon(engine, i);
    }
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

static void unlisted_orders(struct engine *engine, uint16_t account, bool open_only)
{
    for (uint32_t n = engine->live_first, next; n; n = next) {
        next = more_at(engine, n)->list_next;
        if (more_at(engine, n)->account == account &&
            more_at(engine, n)->listed_in != engine->accounts[account].recon)
            unlisted(engine, n, open_only);
    }
}

/* In whole units: an alert's number is for reading, the comparison is exact. */
static int64_t whole(amount value)
{
    amount units = value / amount_from(1, 0);
    return units > INT64_MAX ? INT64_MAX : units < -INT64_MAX ? -INT64_MAX : (int64_t)units;
}

static void compare_positions(struct engine *engine, uint16_t account)
{
    for (uint32_t i = 1; i <= engine->instrument_count; i++) {
        struct instrument *instrument = &engine->instruments[i];
        if (instrument->account != account)
            continue;
        amount ours = amount_from(instrument->own.now.qty, instrument->is.qty_exp);
        amount theirs =
            instrument->listed_in == engine->accounts[account].recon ? instrument->listed : 0;
        instrument->halted &= (uint8_t)~HALT_MISMATCH;
        instrument->mismatch = theirs - ours;
        if (ours == theirs)
            continue;
        instrument->halted |= HALT_MISMATCH;
        tell_alert(engine, ALERT_POSITION_MISMATCH, i, 0, whole(ours), whole(theirs),
                   instrument->is.symbol);
        guard_trips(engine, GUARD_mismatch, &engine->instrument_scopes[i], theirs, ours);
    }
}

static void compare_balances(struct engine *engine, uint16_t account)
{
    for (uint32_t asset = 0; asset < engine->asset_count; asset++) {
        struct purse *purse = purse_at(engine, account, asset);
        amount theirs = purse->listed_in == engine->accounts[account].recon ? purse->listed : 0;
        if (strict(engine) && !purse->known) /* the first word on it: where our books begin */
            purse->total = theirs;
        purse->known = 1;
        if (purse->total != theirs)
            tell_alert(engine, ALERT_BALANCE_MISMATCH, 0, 0, whole(purse->total), whole(theirs),
                       engine->assets[asset]);
    }
}

/* A whole list was read, so no execution from before the newest in it is missing; one that is told
 * later may stand before others that were told already, and therefore nothing else moves this.
 * Venues book late, and their clocks are corrected: a while before it is asked for again. */
static void note_fills(struct account *account)
{
    if (account->last_fill - FILLS_AGAIN_NS > account->fills_from)
        account->fills_from = account->last_fill - FILLS_AGAIN_NS;
}

void apply_recon_end(struct engine *engine, const void *input)
{
    const struct weir_msg *msg = input;
    struct account *account = in_recon(engine, msg);
    if (!account)
        return;
    bool partial = msg->flags & WEIR_RECON_PARTIAL; /* orders were not asked for */
    if (!partial)
        unlisted_orders(engine, msg->account, msg->flags & WEIR_RECON_OPEN_ONLY);
    if (msg->flags & WEIR_RECON_HAS_POSITIONS)
        compare_positions(engine, msg->account);
    if (msg->flags & WEIR_RECON_HAS_BALANCES)
        compare_balances(engine, msg->account);
    account->in_recon = 0;
    if (partial)
        return;
    note_fills(account);
    if (account->reconciling) {
        account->reconciling = 0;
        engine->reconciling--;
        tell_state(engine, STATE_RECONCILING, SCOPE_account, msg->account, 0, "");
    }
    kill_answered(engine, msg->account);
}
