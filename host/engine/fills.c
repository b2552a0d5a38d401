/* fills.c - executions: each is booked exactly once, whatever else is unclear about it.
 *
 * BOOKING   First everything that an execution changes is computed beside the state: the account's
 *           position and wallet, the strategy's position, the order's totals [plan]. Only when all
 *           of it fits it is written [book]. One that cannot be booked (no id, a price of zero, a
 *           number that overflows) must not be half booked and must not be lost: it is told as an
 *           anomaly, the instrument stops until a reconciliation agrees, and its id is not marked as
 *           seen, so that a better report of it is taken. [refuse]
 * WHOSE     by our id, by the venue's id, by what our id says about a forgotten order; one that
 *           names only a venue id that nobody has waits for an acknowledgement with that id if an
 *           order could still get it; everything else is STRATEGY_EXTERNAL. [owner_of, wait_for_ack, fills_claim]
 * MEMORY    A ring of the last executions in detail, and the keys of four times as many. When one
 *           falls out of the ring, the holdings' base states take it in [evict]; so
 *
 *               position = base + executions in the ring that were not undone          [fold]
 *
 *           and a bust, or an owner who is found late, is the same sum once more.
 * INSIDE    What is crossed inside counts for strategies only: no wallet, no account position. */
#include "engine/state.h"

enum { MOVES_MAX = 3 };
struct move {
    struct purse *purse;
    amount total, fee; /* what is added */
};

struct plan {
    struct instrument *instrument;
    struct holding *owner; /* NULL: not known yet */
    struct stake own, owners;
    struct move moves[MOVES_MAX];
    int move_count;
    weir_qty cum;
    amount cum_quote;
};

/* --- the ring ------------------------------------------------------------------------------------ */

static struct exec *exec_at(struct engine *engine, uint64_t at)
{
    return &engine->execs[at % engine->sizes.executions];
}

static uint64_t oldest(const struct engine *engine)
{
    uint64_t count = engine->exec_count, room = engine->sizes.executions;
    return count > room ? count - room : 0;
}

static uint32_t order_of_exec(const struct engine *engine, const struct exec *exec)
{
    return exec->order && engine->more[exec->order].born == exec->born ? exec->order : 0;
}

static struct holding *holding_of(struct engine *engine, const struct exec *exec)
{
    uint32_t n = exec->strategy ? holding_find(engine, exec->instrument, exec->strategy) : 0;
    return n ? &engine->holdings[n] : NULL;
}

static void stop_instrument(struct engine *engine, uint32_t n, const char *text)
{
    engine->instruments[n].halted |= HALT_MISMATCH;
    tell_anomaly(engine, n, 0, text);
}

static void waiting_cut(struct engine *engine, const struct exec *exec);
static void attribute(struct engine *engine, struct exec *exec, uint32_t n, uint32_t strategy);

static void to_base(struct engine *engine, const struct exec *exec, struct stake *base)
{
    const struct instrument *instrument = &engine->instruments[exec->instrument];
    if (!stake_add(instrument, base, exec->side, exec->px, exec->qty))
        stop_instrument(engine, exec->instrument, "an old execution does not fit its position");
}

static void evict(struct engine *engine, struct exec *exec)
{
    if (exec->state == EXEC_IS_WAITING)
        attribute(engine, exec, 0, STRATEGY_EXTERNAL);
    if (exec->state == EXEC_IS_BOOKED) {
        struct holding *owner = holding_of(engine, exec);
        if (!exec->internal)
            to_base(engine, exec, &engine->instruments[exec->instrument].own.base);
        if (owner)
            to_base(engine, exec, &owner->base);
    }
    if (memory_has(&engine->exec_memory, exec->key)) /* known, but without details from now on */
        (void)map_put(&engine->exec_memory.map, exec->key, 0);
}

static struct exec *exec_put(struct engine *engine, const struct exec *exec)
{
    if (engine->exec_count >= engine->sizes.executions)
        evict(engine, exec_at(engine, engine->exec_count));
    struct exec *place = exec_at(engine, engine->exec_count);
    *place = *exec;
    if (!exec->internal)
        memory_add(&engine->exec_memory, exec->key,
                   (uint32_t)(engine->exec_count % engine->sizes.executions) + 1);
    engine->exec_count++;
    return place;
}

/* The stake of an owner (0: the account) from its base and all that is remembered. */
static bool fold(struct engine *engine, struct holding *holding, uint32_t owner, struct stake *out)
{
    const struct instrument *instrument = &engine->instruments[holding->instrument];
    *out = holding->base;
    for (uint64_t at = oldest(engine); at < engine->exec_count; at++) {
        const struct exec *exec = exec_at(engine, at);
        bool counts = owner ? exec->strategy == owner : !exec->internal;
        if (exec->instrument != holding->instrument || exec->state == EXEC_IS_BUSTED || !counts)
            continue;
        if (!stake_add(instrument, out, exec->side, exec->px, exec->qty))
            return false;
    }
    return true;
}

/* --- planning ------------------------------------------------------------------------------------- */

static bool move_add(struct engine *engine, struct plan *plan, uint32_t asset, amount total, amount fee)
{
    struct purse *purse = purse_at(engine, plan->instrument->account, asset);
    for (int i = 0; i < plan->move_count; i++)
        if (plan->moves[i].purse == purse)
            return amount_add(plan->moves[i].total, total, &plan->moves[i].total) &&
                   amount_add(plan->moves[i].fee, fee, &plan->moves[i].fee);
    plan->moves[plan->move_count++] = (struct move){purse, total, fee};
    return true;
}

static bool moves_fit(const struct plan *plan)
{
    amount sum;
    for (int i = 0; i < plan->move_count; i++)
        if (!amount_add(plan->moves[i].purse->total, plan->moves[i].total, &sum) ||
            !amount_add(plan->moves[i].purse->fees, plan->moves[i].fee, &sum))
            return false;
    return true;
}

static void moves_make(const struct plan *plan)
{
    for (int i = 0; i < plan->move_count; i++) {
        plan->moves[i].purse->total += plan->moves[i].total;
        plan->moves[i].purse->fees += plan->moves[i].fee;
        plan->moves[i].purse->known = 1;
    }
}

/* What the wallet gets: gain is the account's realized PnL of this. sign -1: take it back. */
static bool plan_wallet(struct engine *engine, struct plan *plan, const struct exec *exec, amount gain, int sign)
{
    const struct instrument *instrument = plan->instrument;
    int direction = exec->side == WEIR_BUY ? sign : -sign;
    amount quote;

    if (instrument->is.kind == WEIR_SPOT) {
        if (!amount_product(exec->px, instrument->is.price_exp, exec->qty, instrument->is.qty_exp, &quote) ||
            !move_add(engine, plan, instrument->base,
                      direction * amount_from(exec->qty, instrument->is.qty_exp), 0) ||
            !move_add(engine, plan, instrument->quote, -direction * quote, 0))
            return false;
    } else if (!move_add(engine, plan, instrument->settles, gain, 0)) {
        return false;
    }
    if (exec->fee_asset && exec->fee != 0 &&
        !move_add(engine, plan, exec->fee_asset - 1, -sign * exec->fee, sign * exec->fee))
        return false;
    return moves_fit(plan);
}

static bool plan_order(struct engine *engine, struct plan *plan, const struct exec *exec, uint32_t n)
{
    const struct instrument *instrument = plan->instrument;
    amount quote;
    return amount_product(exec->px, instrument->is.price_exp, exec->qty, instrument->is.qty_exp, &quote) &&
           amount_add(more_at(engine, n)->cum_quote, quote, &plan->cum_quote) &&
           !__builtin_add_overflow(order_at(engine, n)->cum, exec->qty, &plan->cum);
}

static bool plan_owner(struct engine *engine, struct plan *plan, const struct exec *exec, uint32_t strategy)
{
    uint32_t n = holding_take(engine, exec->instrument, strategy);
    if (!n)
        return false;
    plan->owner = &engine->holdings[n];
    plan->owners = plan->owner->now;
    return stake_add(plan->instrument, &plan->owners, exec->side, exec->px, exec->qty);
}

/* What is about to fall out of the ring cannot wait any longer; before sums are planned. */
static void oldest_settles(struct engine *engine)
{
    struct exec *exec = exec_at(engine, engine->exec_count);
    if (engine->exec_count >= engine->sizes.executions && exec->state == EXEC_IS_WAITING)
        attribute(engine, exec, 0, STRATEGY_EXTERNAL);
}

/* All that booking this changes. strategy 0: not known yet; n 0: no order. False: does not fit. */
static bool plan(struct engine *engine, struct plan *out, const struct exec *exec, uint32_t n)
{
    struct instrument *instrument = &engine->instruments[exec->instrument];
    oldest_settles(engine);
    *out = (struct plan){.instrument = instrument, .own = instrument->own.now};
    if (!exec->internal && (!stake_add(instrument, &out->own, exec->side, exec->px, exec->qty) ||
                            !plan_wallet(engine, out, exec, out->own.realized - instrument->own.now.realized, 1)))
        return false;
    return (!exec->strategy || plan_owner(engine, out, exec, exec->strategy)) &&
           (!n || plan_order(engine, out, exec, n));
}

/* --- telling and booking ------------------------------------------------------------------------- */

static struct out_execution view_of(struct engine *engine, const struct exec *exec, enum exec_stage stage)
{
    struct out_execution out = {.msg = effect_of(engine, OUT_EXECUTION, sizeof out),
                                .order = order_of_exec(engine, exec),
                                .strategy = exec->strategy,
                                .fee = amount_pack(exec->fee),
                                .px = exec->px,
                                .qty = exec->qty,
                                .side = exec->side,
                                .internal = exec->internal,
                                .busted = exec->state == EXEC_IS_BUSTED,
                                .origin = exec->origin,
                                .maker = exec->maker,
                                .stage = (uint8_t)stage};
    const struct instrument *instrument = &engine->instruments[exec->instrument];
    const struct holding *owner = holding_of(engine, exec);
    out.msg.instrument = exec->instrument;
    out.msg.venue = instrument->venue;
    out.msg.account = instrument->account;
    memcpy(out.exec_id, exec->id, sizeof out.exec_id);
    if (exec->fee_asset)
        put_text(out.fee_asset, engine->assets[exec->fee_asset - 1]);
    out.position = instrument->own.now.qty;
    out.strategy_position = owner ? owner->now.qty : 0;
    out.cost = amount_pack(stake_plain_cost(instrument, &instrument->own.now));
    out.realized_total = amount_pack(instrument->own.now.realized);
    out.strategy_realized_total = amount_pack(owner ? owner->now.realized : 0);
    return out;
}

static void group_move(struct engine *engine, const struct holding *owner, weir_qty change)
{
    if (!owner->group)
        return;
    struct stake *group = &engine->holdings[owner->group].now;
    if (__builtin_add_overflow(group->qty, change, &group->qty))
        stop_instrument(engine, owner->instrument, "a group's position does not fit");
}

static weir_qty signed_qty(const struct exec *exec)
{
    return exec->side == WEIR_BUY ? exec->qty : -exec->qty;
}

static struct exec *book(struct engine *engine, struct plan *plan, const struct exec *exec, uint32_t n,
                         enum exec_stage stage)
{
    struct instrument *instrument = plan->instrument;
    struct exec *kept = exec_put(engine, exec);
    struct out_execution out;
    amount gain = plan->own.realized - instrument->own.now.realized, owners_gain = 0;

    instrument->own.now = plan->own;
    moves_make(plan);
    if (plan->owner) {
        owners_gain = plan->owners.realized - plan->owner->now.realized;
        plan->owner->now = plan->owners;
        group_move(engine, plan->owner, signed_qty(exec));
        loss_settle(engine, instrument, plan->owner);
    }
    if (n) {
        order_at(engine, n)->cum = plan->cum;
        more_at(engine, n)->cum_quote = plan->cum_quote;
    }
    if (!exec->internal)
        loss_settle(engine, instrument, &instrument->own);
    engine->counts.executions++;
    out = view_of(engine, kept, stage);
    out.realized = amount_pack(gain);
    out.strategy_realized = amount_pack(owners_gain);
    tell(engine, &out.msg);
    return kept;
}

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
        tell_alert(engine, ALERT_LATE_FILL, order->instrument, n, order->cum, order->qty, more->cid);
    if (order->is == IS_REJECTED)
        tell_alert(engine, ALERT_PROTOCOL, order->instrument, n, order->cum, 0, "a fill after a reject");
    if (order->cum > most)
        tell_alert(engine, ALERT_OVERFILL, order->instrument, n, order->cum, order->qty, more->cid);
    (void)order_step(engine, n, order->cum >= order->qty ? ON_LAST_FILL : ON_FILL);
    kill_follow(engine, n, false);
}

/* --- whose is it ----------------------------------------------------------------------------------- */

static uint32_t named_order(const struct engine *engine, const struct weir_fill *fill)
{
    uint32_t n = order_of_wire(engine, fill->client_id), instrument = fill->msg.instrument;
    if (fill->origin != WEIR_ORIGIN_OURS)
        return 0;
    if (!n)
        n = order_of_venue(engine, instrument, fill->venue_id);
    return n && (instrument == 0 || engine->orders[n].instrument == instrument) ? n : 0;
}

/* Not an order that is remembered: 0 says that it can still become clear. */
static uint32_t owner_of(struct engine *engine, const struct weir_fill *fill, const struct exec *exec)
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
    bool may_wait = fill->venue_id[0] && engine->instruments[exec->instrument].nameless[exec->side] > 0;
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

static void waiting_cut(struct engine *engine, const struct exec *exec)
{
    uint32_t index = (uint32_t)(exec - engine->execs) + 1, before = 0;
    for (uint32_t at = engine->waiting_first; at != index; at = engine->execs[at - 1].next_waiting) {
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

/* A strategy's position from all that it owns now. */
static amount refold(struct engine *engine, struct holding *owner, weir_qty change)
{
    struct stake stake;
    if (!fold(engine, owner, owner->owner, &stake)) {
        stop_instrument(engine, owner->instrument, "a strategy's position does not fit");
        return 0;
    }
    amount gain = stake.realized - owner->now.realized;
    owner->now = stake;
    group_move(engine, owner, change);
    loss_settle(engine, &engine->instruments[owner->instrument], owner);
    return gain;
}

/* One that waited has its owner: order n, or none. The account's books do not change. */
static void attribute(struct engine *engine, struct exec *exec, uint32_t n, uint32_t strategy)
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
    out = view_of(engine, exec, EXEC_ATTRIBUTED);
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
        if (exec->instrument == order->instrument && exec->side == order->side && same_key(exec->vid_key, vid))
            attribute(engine, exec, n, order->strategy);
    }
}

/* An order of somebody else became known: executions that were booked for it belong to it. */
void fills_adopt(struct engine *engine, uint32_t n)
{
    const struct order *order = order_at(engine, n);
    struct order_more *more = more_at(engine, n);
    struct key128 vid = key_for(KEY_VENUE, more->vid, WEIR_ID_MAX, order->instrument);
    struct key128 client = key_for(KEY_WIRE, more->wire, WEIR_ID_MAX, 0);

    for (uint64_t at = oldest(engine); at < engine->exec_count; at++) {
        struct exec *exec = exec_at(engine, at);
        struct plan sum = {.instrument = &engine->instruments[order->instrument]};
        if (exec->instrument != order->instrument || exec->side != order->side ||
            exec->strategy != order->strategy || exec->state != EXEC_IS_BOOKED || exec->internal || order_of_exec(engine, exec))
            continue;
        bool named = (more->vid[0] && same_key(exec->vid_key, vid)) ||
                     (more->wire[0] && same_key(exec->client_key, client));
        if (!named || !plan_order(engine, &sum, exec, n))
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

static bool exec_from(struct engine *engine, const struct weir_fill *fill, uint32_t n, struct exec *out)
{
    uint32_t instrument = n ? order_at(engine, n)->instrument : fill->msg.instrument;
    *out = (struct exec){.px = fill->px,
                         .qty = fill->qty,
                         .fee = amount_of(fill->fee),
                         .instrument = instrument,
                         .side = n ? order_at(engine, n)->side : fill->side,
                         .origin = fill->origin,
                         .maker = fill->maker,
                         .order = n,
                         .born = n ? more_at(engine, n)->born : 0};
    put_text(out->id, fill->exec_id);
    out->key = key_for(KEY_EXEC, out->id, WEIR_ID_MAX, instrument);
    out->vid_key = key_for(KEY_VENUE, fill->venue_id, WEIR_ID_MAX, instrument);
    out->client_key = key_for(KEY_WIRE, fill->client_id, WEIR_ID_MAX, 0);
    if (fill->fee_asset[0]) {
        uint32_t asset = asset_number(engine, fill->fee_asset);
        if (asset == UINT32_MAX)
            return false;
        out->fee_asset = asset + 1;
    }
    return out->id[0] && out->qty > 0 && out->px > 0 && out->side <= WEIR_SELL && out->fee >= -AMOUNT_MAX;
}

static void refuse(struct engine *engine, uint32_t instrument, const struct weir_fill *fill)
{
    char text[WEIR_REASON_MAX] = "execution not booked: ";
    size_t len = strlen(text);
    put_text_in(text + len, sizeof text - len, fill->exec_id, WEIR_ID_MAX);
    stop_instrument(engine, instrument, text);
}

static void book_for_order(struct engine *engine, struct exec *exec, uint32_t n, const struct weir_fill *fill)
{
    struct plan what;
    exec->strategy = order_at(engine, n)->strategy;
    if (!plan(engine, &what, exec, n)) {
        refuse(engine, exec->instrument, fill);
        return;
    }
    (void)book(engine, &what, exec, n, EXEC_BOOKED);
    order_filled(engine, n, exec->qty);
}

static void book_without_order(struct engine *engine, struct exec *exec, const struct weir_fill *fill)
{
    struct plan what;
    exec->strategy = owner_of(engine, fill, exec);
    if (!plan(engine, &what, exec, 0)) {
        refuse(engine, exec->instrument, fill);
        return;
    }
    struct exec *kept = book(engine, &what, exec, 0, exec->strategy ? EXEC_BOOKED : EXEC_WAITS);
    if (!exec->strategy)
        wait_for_ack(engine, kept);
    else
        tell_alert(engine, exec->strategy == STRATEGY_EXTERNAL ? ALERT_EXTERNAL_FILL : ALERT_LATE_FILL,
                   exec->instrument, 0, exec->qty, 0, exec->id);
}

void apply_fill(struct engine *engine, const void *input)
{
    const struct weir_fill *fill = input;
    struct exec exec;
    uint32_t n = named_order(engine, fill);
    struct instrument *instrument;

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

static void leg(struct engine *engine, uint32_t n, weir_px px, weir_qty qty, bool maker, struct exec *out)
{
    const struct order *order = order_at(engine, n);
    *out = (struct exec){.px = px, .qty = qty, .instrument = order->instrument, .side = order->side,
                         .strategy = order->strategy, .order = n, .born = more_at(engine, n)->born,
                         .internal = 1, .maker = maker};
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
    if (!plan(engine, &takes, &taker, n) || !plan(engine, &makes, &maker, other))
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

/* --- busts ----------------------------------------------------------------------------------------------- */

/* An execution by its id; the latest one, if the venue does not say of which instrument. */
static bool exec_find(struct engine *engine, const struct weir_fill *bust, uint32_t *index_out, uint32_t *instrument_out)
{
    uint32_t given = bust->msg.instrument, first = given ? given : 1, index;
    uint32_t last = given ? given : engine->instrument_count;
    uint64_t best = 0;
    bool found = false;
    for (uint32_t i = first; i <= last; i++) {
        if (!map_get(&engine->exec_memory.map, key_for(KEY_EXEC, bust->exec_id, WEIR_ID_MAX, i), &index))
            continue;
        uint64_t room = engine->sizes.executions, at = index;
        uint64_t age = at ? (engine->exec_count + room - at) % room : room; /* 0: the newest */
        if (found && age >= best)
            continue;
        found = true;
        best = age;
        *index_out = index;
        *instrument_out = i;
    }
    return found;
}

static const uint8_t told[] = {
    [WEIR_STATE_OPEN] = ON_TOLD_WORKS,         [WEIR_STATE_FILLED] = ON_TOLD_FILLED,
    [WEIR_STATE_CANCELED] = ON_TOLD_CANCELED,  [WEIR_STATE_EXPIRED] = ON_TOLD_EXPIRED,
    [WEIR_STATE_REJECTED] = ON_TOLD_REJECTED,
};

static void order_unfilled(struct engine *engine, uint32_t n, const struct exec *exec, uint8_t state)
{
    struct order *order = order_at(engine, n);
    struct order_more *more = more_at(engine, n);
    const struct instrument *instrument = &engine->instruments[order->instrument];
    amount quote = 0;

    bool fits = amount_product(exec->px, instrument->is.price_exp, exec->qty, instrument->is.qty_exp, &quote);
    must(fits); /* it did when it was booked */
    order->cum -= exec->qty;
    more->cum_quote -= quote;
    more->reported = more->reported > exec->qty ? more->reported - exec->qty : 0;
    order_settle(engine, n);
    if (state == WEIR_STATE_OPEN && order->cum >= order->qty) /* more was executed than asked, and still is */
        state = WEIR_STATE_FILLED;
    if (state > WEIR_STATE_NOT_FOUND && state < sizeof told) {
        (void)order_step(engine, n, (enum order_event)told[state]);
        kill_follow(engine, n, false);
    } else if (order->is == IS_FILLED && order->cum < order->qty) { /* what is it now? only the venue knows */
        resolver_ask(engine, n, ASK_ORDER);
    }
}

/* As if it had never happened. False: the sums do not fit, and nothing was done. */
static bool undo(struct engine *engine, struct exec *exec, amount *gain_out, amount *owners_gain_out)
{
    struct instrument *instrument = &engine->instruments[exec->instrument];
    struct plan what = {.instrument = instrument};
    uint8_t before = exec->state;

    exec->state = EXEC_IS_BUSTED;
    if (!fold(engine, &instrument->own, 0, &what.own) ||
        !plan_wallet(engine, &what, exec, what.own.realized - instrument->own.now.realized, -1)) {
        exec->state = before;
        return false;
    }
    *gain_out = what.own.realized - instrument->own.now.realized;
    instrument->own.now = what.own;
    moves_make(&what);
    loss_settle(engine, instrument, &instrument->own);
    struct holding *owner = holding_of(engine, exec);
    *owners_gain_out = owner ? refold(engine, owner, -signed_qty(exec)) : 0;
    return true;
}

static void bust_known(struct engine *engine, struct exec *exec, uint8_t state)
{
    amount gain = 0, owners_gain = 0;
    uint32_t n = order_of_exec(engine, exec);
    if (exec->state == EXEC_IS_BUSTED) {
        engine->counts.duplicates_ignored++;
        return;
    }
    bool waited = exec->state == EXEC_IS_WAITING;
    if (!undo(engine, exec, &gain, &owners_gain)) {
        stop_instrument(engine, exec->instrument, "a busted execution cannot be taken back");
        return;
    }
    if (waited)
        waiting_cut(engine, exec);
    struct out_execution out = view_of(engine, exec, EXEC_BOOKED);
    out.realized = amount_pack(gain);
    out.strategy_realized = amount_pack(owners_gain);
    tell(engine, &out.msg);
    tell_alert(engine, ALERT_TRADE_BUST, exec->instrument, n, exec->qty, 0, exec->id);
    if (n)
        order_unfilled(engine, n, exec, state);
    loss_watch(engine, &engine->instruments[exec->instrument], exec->strategy);
}

void apply_bust(struct engine *engine, const void *input)
{
    const struct weir_fill *bust = input;
    uint32_t index = 0, instrument = bust->msg.instrument;

    stream_sequence(engine, &bust->msg, bust->stream_seq);
    if (exec_find(engine, bust, &index, &instrument)) {
        if (index) {
            bust_known(engine, &engine->execs[index - 1], bust->state);
            return;
        }
        tell_alert(engine, ALERT_TRADE_BUST, instrument, 0, 0, 0, bust->exec_id);
        stop_instrument(engine, instrument, "a busted execution is too old to be taken back");
        return;
    }
    tell_alert(engine, ALERT_TRADE_BUST, instrument, 0, 0, 0, bust->exec_id);
    if (!instrument_at(engine, instrument) || !bust->exec_id[0]) {
        tell_anomaly(engine, 0, 0, "a bust of an execution that is not known");
        return;
    }
    /* undone before it was told: when it comes it is not booked */
    struct exec never = {.instrument = instrument, .state = EXEC_IS_BUSTED};
    put_text(never.id, bust->exec_id);
    never.key = key_for(KEY_EXEC, never.id, WEIR_ID_MAX, instrument);
    (void)exec_put(engine, &never);
}
