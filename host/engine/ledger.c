/* ledger.c - executions as they are booked: a ring of details, and sums that can be made again.
 *
 * BOOKING   First everything that an execution changes is computed beside the state: the account's
 *           position and wallet, the strategy's position, the order's totals [plan_make]. Only when
 *           all of it fits it is written [book]; so nothing is ever half booked.
 * MEMORY    A ring of the last executions in detail, and the keys of four times as many. When one
 *           falls out of the ring, the holdings' base states take it in [evict]; so
 *
 *               position = base + executions in the ring that were not undone          [fold]
 *
 *           and a bust, or an owner who is found late, is the same sum once more.
 * INSIDE    What is crossed inside counts for strategies only: no wallet, no account position. */
#include "engine/ledger.h"
#include "engine/define.h"
#include "engine/loss.h"
#include "engine/tell.h"

/* --- the ring ------------------------------------------------------------------------------------ */

struct exec *exec_at(struct engine *engine, uint64_t at)
{
    return &engine->execs[at % engine->sizes.executions];
}

uint64_t oldest_exec(const struct engine *engine)
{
    uint64_t count = engine->exec_count, room = engine->sizes.executions;
    return count > room ? count - room : 0;
}

uint32_t order_of_exec(const struct engine *engine, const struct exec *exec)
{
    return exec->order && engine->more[exec->order].born == exec->born ? exec->order : 0;
}

struct holding *owner_of_exec(struct engine *engine, const struct exec *exec)
{
    uint32_t n = exec->strategy ? holding_find(engine, exec->instrument, exec->strategy) : 0;
    return n ? &engine->holdings[n] : NULL;
}

void stop_instrument(struct engine *engine, uint32_t n, const char *text)
{
    engine->instruments[n].halted |= HALT_MISMATCH;
    tell_anomaly(engine, n, 0, text);
}

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
        struct holding *owner = owner_of_exec(engine, exec);
        if (!exec->internal)
            to_base(engine, exec, &engine->instruments[exec->instrument].own.base);
        if (owner)
            to_base(engine, exec, &owner->base);
    }
    if (memory_has(&engine->exec_memory, exec->key)) /* known, but without details from now on */
        (void)map_put(&engine->exec_memory.map, exec->key, 0);
}

struct exec *exec_put(struct engine *engine, const struct exec *exec)
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
bool fold(struct engine *engine, struct holding *holding, uint32_t owner, struct stake *out)
{
    const struct instrument *instrument = &engine->instruments[holding->instrument];
    *out = holding->base;
    for (uint64_t at = oldest_exec(engine); at < engine->exec_count; at++) {
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

static bool move_add(struct engine *engine, struct plan *plan, uint32_t asset, amount total,
                     amount fee)
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

void moves_make(const struct plan *plan)
{
    for (int i = 0; i < plan->move_count; i++) {
        plan->moves[i].purse->total += plan->moves[i].total;
        plan->moves[i].purse->fees += plan->moves[i].fee;
        plan->moves[i].purse->known = 1;
    }
}

/* What the wallet gets: gain is what the account's realized PnL changes by, unless the venue said what it
 * paid. sign -1: take it back. */
bool plan_wallet(struct engine *engine, struct plan *plan, const struct exec *exec, amount gain,
                 int sign)
{
    const struct instrument *instrument = plan->instrument;
    int direction = exec->side == WEIR_BUY ? sign : -sign;
    amount quote;

    if (exec->origin == WEIR_ORIGIN_ADOPTED) /* paid for before our books began */
        return true;
    if (instrument->is.kind == WEIR_SPOT) {
        if (!amount_product(exec->px, instrument->is.price_exp, exec->qty, instrument->is.qty_exp,
                            &quote) ||
            !move_add(engine, plan, instrument->base,
                      direction * amount_from(exec->qty, instrument->is.qty_exp), 0) ||
            !move_add(engine, plan, instrument->quote, -direction * quote, 0))
            return false;
    } else if (!move_add(engine, plan, instrument->settles,
                         exec->has_realized ? sign * exec->realized : gain, 0)) {
        return false;
    }
    if (exec->fee_asset && exec->fee != 0 &&
        !move_add(engine, plan, exec->fee_asset - 1, -sign * exec->fee, sign * exec->fee))
        return false;
    return moves_fit(plan);
}

bool plan_order(struct engine *engine, struct plan *plan, const struct exec *exec, uint32_t n)
{
    const struct instrument *instrument = plan->instrument;
    amount quote;
    return amount_product(exec->px, instrument->is.price_exp, exec->qty, instrument->is.qty_exp,
                          &quote) &&
           amount_add(more_at(engine, n)->cum_quote, quote, &plan->cum_quote) &&
           !__builtin_add_overflow(order_at(engine, n)->cum, exec->qty, &plan->cum);
}

static bool plan_owner(struct engine *engine, struct plan *plan, const struct exec *exec,
                       uint32_t strategy)
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
bool plan_make(struct engine *engine, struct plan *out, const struct exec *exec, uint32_t n)
{
    struct instrument *instrument = &engine->instruments[exec->instrument];
    oldest_settles(engine);
    *out = (struct plan){.instrument = instrument, .own = instrument->own.now};
    if (!exec->internal &&
        (!stake_add(instrument, &out->own, exec->side, exec->px, exec->qty) ||
         !plan_wallet(engine, out, exec, out->own.realized - instrument->own.now.realized, 1)))
        return false;
    return (!exec->strategy || plan_owner(engine, out, exec, exec->strategy)) &&
           (!n || plan_order(engine, out, exec, n));
}

/* --- telling and booking ------------------------------------------------------------------------- */

struct out_execution view_of_exec(struct engine *engine, const struct exec *exec,
                                  enum exec_stage stage)
{
    const struct instrument *instrument = &engine->instruments[exec->instrument];
    struct out_execution out = {.msg = {.size = sizeof out,
                                        .kind = OUT_EXECUTION,
                                        .venue = instrument->venue,
                                        .account = instrument->account,
                                        .instrument = exec->instrument,
                                        .t = engine->now,
                                        .cause = engine->seq},
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
    const struct holding *owner = owner_of_exec(engine, exec);
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

weir_qty signed_qty(const struct exec *exec)
{
    return exec->side == WEIR_BUY ? exec->qty : -exec->qty;
}

static void note_booked(struct engine *engine, struct instrument *instrument)
{
    instrument->mismatch = 0; /* the list of positions may have had it already, or not */
    instrument->booked = engine->accounts[instrument->account].booked = engine->now;
}

struct exec *book(struct engine *engine, struct plan *plan, const struct exec *exec, uint32_t n,
                  enum exec_stage stage)
{
    struct instrument *instrument = plan->instrument;
    struct exec *kept = exec_put(engine, exec);
    struct out_execution out;
    amount gain = plan->own.realized - instrument->own.now.realized, owners_gain = 0;

    instrument->own.now = plan->own;
    if (!exec->internal)
        note_booked(engine, instrument);
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
    if (engine->watching)
        course_filled(engine, instrument, exec->strategy, gain, owners_gain);
    engine->counts.executions++;
    out = view_of_exec(engine, kept, stage);
    out.realized = amount_pack(gain);
    out.strategy_realized = amount_pack(owners_gain);
    tell(engine, &out.msg);
    return kept;
}

/* --- made again ---------------------------------------------------------------------------------- */

/* A strategy's position from all that it owns now. */
amount refold(struct engine *engine, struct holding *owner, weir_qty change)
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
