/* fills.c - reports of executions: whose is it, and what does it do to its order?
 *
 * ONCE      A pair of instrument and execution id is booked once; repeats are counted.
 * WHOSE     by our id, by the venue's id, by what our id says about a forgotten order; one that
 *           names only a venue id that nobody has waits for an acknowledgement with that id if an
 *           order could still get it [wait_for_ack, fills_claim]; everything else is
 *           STRATEGY_EXTERNAL.                                                        [owner_of]
 * NEVER     lost: one that cannot be booked (no id, a price of zero, a number that overflows) is
 *           told as an anomaly, its instrument stops until a reconciliation agrees, and its id is
 *           not marked as seen, so that a better report of it is taken.               [refuse] */
#include "engine/fills.h"
#include "engine/define.h"
#include "engine/inputs.h"
#include "engine/kill.h"
#include "engine/ledger.h"
#include "engine/loss.h"
#include "engine/report.h"
#include "engine/tell.h"

/* --- orders --------------------------------------------------------------------------------------- */

/* The order has more filled now: move it, and say what is strange about it. */
static void order_filled(struct engine *engine, uint32_t n, weir_qty qty)
{
    struct order *order = order_at(engine, n);
    const struct order_more *more = more_at(engine, n);
    bool awaited = more->reported > order->cum - qty, done = is_done(order->is);
    weir_qty most = order->qty;

    if (request_is_open(order->amend) && more->next_qty > most)
        most = more->next_qty;
    if (done && order->is != IS_FILLED && !awaited)
        tell_alert(engine, ALERT_LATE_FILL, order->instrument, n, order->cum, order->qty,
                   more->cid);
    if (order->is == IS_REJECTED)
        tell_alert(engine, ALERT_PROTOCOL, order->instrument, n, order->cum, 0,
                   "a fill after a reject");
    if (order->cum > most)
        tell_alert(engine, ALERT_OVERFILL, order->instrument, n, order->cum, order->qty, more->cid);
    (void)order_step(engine, n, order->cum >= order->qty ? ON_LAST_FILL : ON_FILL);
    kill_follow(engine, n, false);
}

/* --- whose is it ----------------------------------------------------------------------------------- */

uint32_t named_order(const struct engine *engine, const struct weir_fill *fill)
{
    uint32_t n = order_of_wire(engine, fill->client_id), instrument = fill->msg.instrument;
    if (fill->origin != WEIR_ORIGIN_OURS)
        return 0;
    if (!n)
        n = order_of_venue(engine, instrument, fill->venue_id);
    return n && (instrument == 0 || engine->orders[n].instrument == instrument) ? n : 0;
}

/* Not an order that is remembered: 0 says that it can still become clear. */
static uint32_t owner_of(struct engine *engine, const struct weir_fill *fill,
                         const struct exec *exec)
{
    uint32_t strategy;
    int64_t counter;
    if (fill->origin != WEIR_ORIGIN_OURS)
        return STRATEGY_EXTERNAL;
    if (fill->client_id[0])
        return wire_parse(engine, fill->client_id, &strategy, &counter) &&
                       scope_at(engine, SCOPE_strategy, strategy)
                   ? strategy
                   : STRATEGY_EXTERNAL;
    bool may_wait =
        fill->venue_id[0] && engine->instruments[exec->instrument].nameless[exec->side] > 0;
    return may_wait ? 0 : STRATEGY_EXTERNAL;
}

static void wait_for_ack(struct engine *engine, struct exec *exec)
{
    uint32_t index = (uint32_t)(exec - engine->execs) + 1;
    exec->state = EXEC_IS_WAITING;
    exec->deadline = later(engine->now, engine->policy[POLICY_wait_for_ack_ns]);
    exec->next_waiting = 0;
    if (engine->waiting_last)
        engine->execs[engine->waiting_last - 1].next_waiting = index;
    else
        engine->waiting_first = index;
    engine->waiting_last = index;
}

void waiting_cut(struct engine *engine, const struct exec *exec)
{
    uint32_t index = (uint32_t)(exec - engine->execs) + 1, before = 0;
    for (uint32_t at = engine->waiting_first; at != index;
         at = engine->execs[at - 1].next_waiting) {
        must(at != 0);
        before = at;
    }
    if (before)
        engine->execs[before - 1].next_waiting = exec->next_waiting;
    else
        engine->waiting_first = exec->next_waiting;
    if (engine->waiting_last == index)
        engine->waiting_last = before;
}

/* One that waited has its owner: order n, or none. The account's books do not change. */
void attribute(struct engine *engine, struct exec *exec, uint32_t n, uint32_t strategy)
{
    uint32_t holding = holding_take(engine, exec->instrument, strategy);
    struct plan order = {.instrument = &engine->instruments[exec->instrument]};
    struct out_execution out;
    amount gain = 0;

    waiting_cut(engine, exec);
    exec->state = EXEC_IS_BOOKED;
    if (n && !plan_order(engine, &order, exec, n)) {
        stop_instrument(engine, exec->instrument, "an order's total does not fit");
        n = 0;
    }
    exec->strategy = strategy;
    exec->order = n;
    exec->born = n ? more_at(engine, n)->born : 0;
    if (holding)
        gain = refold(engine, &engine->holdings[holding], signed_qty(exec));
    else
        stop_instrument(engine, exec->instrument, "no room for a strategy's position");
    out = view_of_exec(engine, exec, EXEC_ATTRIBUTED);
    out.strategy_realized = amount_pack(gain);
    tell(engine, &out.msg);
    if (n) {
        order_at(engine, n)->cum = order.cum;
        more_at(engine, n)->cum_quote = order.cum_quote;
        order_filled(engine, n, exec->qty);
    } else {
        tell_alert(engine, ALERT_EXTERNAL_FILL, exec->instrument, 0, exec->qty, 0, exec->id);
    }
}

void fills_claim(struct engine *engine, uint32_t n)
{
    const struct order *order = order_at(engine, n);
    struct key128 vid = key_for(KEY_VENUE, more_at(engine, n)->vid, WEIR_ID_MAX, order->instrument);
    for (uint32_t at = engine->waiting_first, next; at; at = next) {
        struct exec *exec = &engine->execs[at - 1];
        next = exec->next_waiting;
        if (exec->instrument == order->instrument && exec->side == order->side &&
            same_key(exec->vid_key, vid))
            attribute(engine, exec, n, order->strategy);
    }
}

/* An order of somebody else became known: executions that were booked for it belong to it. */
void fills_adopt(struct engine *engine, uint32_t n)
{
    const struct order *order = order_at(engine, n);
    struct order_more *more = more_at(engine, n);
    struct key128 vid = key_for(KEY_VENUE, more->vid, WEIR_ID_MAX, order->instrument);
    struct key128 client = wire_key(more->wire);

    for (uint64_t at = oldest_exec(engine); at < engine->exec_count; at++) {
        struct exec *exec = exec_at(engine, at);
        struct plan sum = {.instrument = &engine->instruments[order->instrument]};
        bool named = (more->vid[0] && same_key(exec->vid_key, vid)) ||
                     (more->wire[0] && same_key(exec->client_key, client));
        if (!named || exec->instrument != order->instrument || exec->side != order->side ||
            exec->internal)
            continue;
        if (exec->state == EXEC_IS_WAITING) /* for an order of ours, which it is not of */
            attribute(engine, exec, 0, order->strategy);
        if (exec->strategy != order->strategy || exec->state != EXEC_IS_BOOKED ||
            order_of_exec(engine, exec) || !plan_order(engine, &sum, exec, n))
            continue;
        exec->order = n;
        exec->born = more->born;
        order_at(engine, n)->cum = sum.cum;
        more->cum_quote = sum.cum_quote;
    }
}

weir_ns waiting_due(const struct engine *engine)
{
    return engine->waiting_first ? engine->execs[engine->waiting_first - 1].deadline : INT64_MAX;
}

void waiting_expire(struct engine *engine)
{
    while (waiting_due(engine) <= engine->now && engine->waiting_first)
        attribute(engine, &engine->execs[engine->waiting_first - 1], 0, STRATEGY_EXTERNAL);
}

/* --- a report of one execution ---------------------------------------------------------------------- */

static bool exec_from(struct engine *engine, const struct weir_fill *fill, uint32_t n,
                      struct exec *out)
{
    uint32_t instrument = n ? order_at(engine, n)->instrument : fill->msg.instrument;
    *out = (struct exec){.px = fill->px,
                         .qty = fill->qty,
                         .fee = amount_of(fill->fee),
                         .instrument = instrument,
                         .side = n ? order_at(engine, n)->side : fill->side,
                         .origin = fill->origin,
                         .maker = fill->maker,
                         .realized = amount_of(fill->realized),
                         .has_realized = fill->has_realized,
                         .order = n,
                         .born = n ? more_at(engine, n)->born : 0};
    put_text(out->id, fill->exec_id);
    out->key = key_for(KEY_EXEC, out->id, WEIR_ID_MAX, instrument);
    map_fetch(&engine->exec_memory.map, out->key);
    out->vid_key = key_for(KEY_VENUE, fill->venue_id, WEIR_ID_MAX, instrument);
    out->client_key = wire_key(fill->client_id);
    if (fill->fee_asset[0]) {
        uint32_t asset = asset_number(engine, fill->fee_asset);
        if (asset == UINT32_MAX)
            return false;
        out->fee_asset = asset + 1;
    }
    return out->id[0] && out->qty > 0 && out->px > 0 && out->side <= WEIR_SELL &&
           out->fee >= -AMOUNT_MAX && out->realized >= -AMOUNT_MAX;
}

static void refuse(struct engine *engine, uint32_t instrument, const struct weir_fill *fill)
{
    char text[WEIR_REASON_MAX] = "execution not booked: ";
    size_t len = strlen(text);
    put_text_in(text + len, sizeof text - len, fill->exec_id, WEIR_ID_MAX);
    stop_instrument(engine, instrument, text);
}

static void book_for_order(struct engine *engine, struct exec *exec, uint32_t n,
                           const struct weir_fill *fill)
{
    struct plan what;
    exec->strategy = order_at(engine, n)->strategy;
    if (!plan_make(engine, &what, exec, n)) {
        refuse(engine, exec->instrument, fill);
        return;
    }
    (void)book(engine, &what, exec, n, EXEC_BOOKED);
    order_filled(engine, n, exec->qty);
}

static void book_without_order(struct engine *engine, struct exec *exec,
                               const struct weir_fill *fill)
{
    struct plan what;
    exec->strategy = owner_of(engine, fill, exec);
    if (!plan_make(engine, &what, exec, 0)) {
        refuse(engine, exec->instrument, fill);
        return;
    }
    struct exec *kept = book(engine, &what, exec, 0, exec->strategy ? EXEC_BOOKED : EXEC_WAITS);
    if (!exec->strategy)
        wait_for_ack(engine, kept);
    else
        tell_alert(engine,
                   exec->strategy == STRATEGY_EXTERNAL ? ALERT_EXTERNAL_FILL : ALERT_LATE_FILL,
                   exec->instrument, 0, exec->qty, 0, exec->id);
}

void apply_fill(struct engine *engine, const void *input)
{
    const struct weir_fill *fill = input;
    struct exec exec;
    uint32_t n = named_order(engine, fill);
    struct instrument *instrument;

    order_needed(engine, n);
    fetch(exec_at(engine, engine->exec_count), sizeof(struct exec));
    stream_sequence(engine, &fill->msg, fill->stream_seq);
    instrument = instrument_at(engine, n ? order_at(engine, n)->instrument : fill->msg.instrument);
    if (!instrument) {
        tell_anomaly(engine, 0, 0, "an execution of an instrument that is not known");
        return;
    }
    bool usable = exec_from(engine, fill, n, &exec);
    if (memory_has(&engine->exec_memory, exec.key)) {
        engine->counts.duplicates_ignored++;
        return;
    }
    if (!usable) {
        refuse(engine, exec.instrument, fill);
        return;
    }
    struct account *account = &engine->accounts[instrument->account];
    if (fill->msg.t_venue > account->last_fill)
        account->last_fill = fill->msg.t_venue;
    if (n) {
        order_learn_venue_id(engine, n, fill->venue_id);
        book_for_order(engine, &exec, n, fill);
    } else {
        book_without_order(engine, &exec, fill);
    }
    loss_watch(engine, instrument, exec.strategy);
}

/* --- crossed inside ----------------------------------------------------------------------------------- */

static void leg(struct engine *engine, uint32_t n, weir_px px, weir_qty qty, bool maker,
                struct exec *out)
{
    const struct order *order = order_at(engine, n);
    *out = (struct exec){.px = px,
                         .qty = qty,
                         .instrument = order->instrument,
                         .side = order->side,
                         .strategy = order->strategy,
                         .order = n,
                         .born = more_at(engine, n)->born,
                         .internal = 1,
                         .maker = maker};
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    uint64_t left = engine->crosses;
    out->id[0] = 'x';
    for (int at = 13; at > 0; at--, left /= 36)
        out->id[at] = digits[left % 36];
}

/* Order n takes from the resting order `other`. False: it does not fit, and nothing was done. */
bool fill_inside(struct engine *engine, uint32_t n, uint32_t other, weir_px px, weir_qty qty)
{
    struct exec taker, maker;
    struct plan takes, makes;
    leg(engine, n, px, qty, false, &taker);
    leg(engine, other, px, qty, true, &maker);
    if (!plan_make(engine, &takes, &taker, n) || !plan_make(engine, &makes, &maker, other))
        return false;
    engine->crosses++;
    more_at(engine, n)->inside += qty;
    more_at(engine, other)->inside += qty;
    (void)book(engine, &makes, &maker, other, EXEC_BOOKED);
    order_filled(engine, other, qty);
    (void)book(engine, &takes, &taker, n, EXEC_BOOKED);
    order_filled(engine, n, qty);
    return true;
}
