/* bust.c - the venue undid an execution: everything as if it had never happened.
 *
 * Account and strategy are folded again without it, so that later executions realize what they would
 * have realized; the wallet gets the difference, its fee comes back, the order loses the quantity and
 * takes the state that the venue tells. A bust may come before the execution that it undoes, which is
 * then not booked when it comes. One whose details are forgotten cannot be undone: it is told, and
 * its instrument stops. */
#include "engine/define.h"
#include "engine/inputs.h"
#include "engine/kill.h"
#include "engine/ledger.h"
#include "engine/loss.h"
#include "engine/report.h"
#include "engine/resolver.h"
#include "engine/tell.h"

/* An execution by its id; the latest one, if the venue does not say of which instrument. */
static bool exec_find(struct engine *engine, const struct weir_fill *bust, uint32_t *index_out,
                      uint32_t *instrument_out)
{
    uint32_t given = bust->msg.instrument, first = given ? given : 1, index;
    uint32_t last = given ? given : engine->instrument_count;
    uint64_t best = 0;
    bool found = false;
    for (uint32_t i = first; i <= last; i++) {
        if (!map_get(&engine->exec_memory.map, key_for(KEY_EXEC, bust->exec_id, WEIR_ID_MAX, i),
                     &index))
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
    [WEIR_STATE_OPEN] = ON_TOLD_WORKS,        [WEIR_STATE_FILLED] = ON_TOLD_FILLED,
    [WEIR_STATE_CANCELED] = ON_TOLD_CANCELED, [WEIR_STATE_EXPIRED] = ON_TOLD_EXPIRED,
    [WEIR_STATE_REJECTED] = ON_TOLD_REJECTED,
};

/* What the venue says that it is now. */
static void order_told(struct engine *engine, uint32_t n, uint8_t state)
{
    const struct order *order = order_at(engine, n);
    if (state == WEIR_STATE_OPEN &&
        order->cum >= order->qty) /* more was executed than asked, and still is */
        state = WEIR_STATE_FILLED;
    if (state > WEIR_STATE_NOT_FOUND && state < sizeof told) {
        (void)order_step(engine, n, (enum order_event)told[state]);
        kill_follow(engine, n, false);
    } else if (order->is == IS_FILLED &&
               order->cum < order->qty) { /* what is it now? only the venue knows */
        resolver_ask(engine, n, ASK_ORDER);
    }
}

static void order_unfilled(struct engine *engine, uint32_t n, const struct exec *exec,
                           uint8_t state)
{
    struct order *order = order_at(engine, n);
    struct order_more *more = more_at(engine, n);
    const struct instrument *instrument = &engine->instruments[order->instrument];
    amount quote = 0;

    bool fits = amount_product(exec->px, instrument->is.price_exp, exec->qty,
                               instrument->is.qty_exp, &quote);
    must(fits); /* it did when it was booked */
    order->cum -= exec->qty;
    more->cum_quote -= quote;
    more->reported = more->reported > exec->qty ? more->reported - exec->qty : 0;
    more->undone += exec->qty;
    order_settle(engine, n);
    order_told(engine, n, state);
}

/* It was never told of, or not whose it was, but the venue's executed total may have had it; its order, if it is named, is
 * what the venue says. */
static void order_never_filled(struct engine *engine, const struct weir_fill *bust)
{
    uint32_t n = named_order(engine, bust);
    struct order_more *more = n ? more_at(engine, n) : NULL;
    if (!n || bust->qty < 0)
        return;
    order_learn_venue_id(engine, n, bust->venue_id);
    if (more->reported - order_at(engine, n)->cum >= bust->qty)
        more->reported -= bust->qty;
    more->undone += bust->qty;
    order_settle(engine, n);
    order_told(engine, n, bust->state);
}

/* As if it had never happened. False: the sums do not fit, and nothing was done. */
static bool undo(struct engine *engine, struct exec *exec, amount *gain_out,
                 amount *owners_gain_out)
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
    instrument->mismatch = 0;
    moves_make(&what);
    loss_settle(engine, instrument, &instrument->own);
    struct holding *owner = owner_of_exec(engine, exec);
    *owners_gain_out = owner ? refold(engine, owner, -signed_qty(exec)) : 0;
    return true;
}

static void bust_known(struct engine *engine, struct exec *exec, const struct weir_fill *bust)
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
    struct out_execution out = view_of_exec(engine, exec, EXEC_BOOKED);
    out.realized = amount_pack(gain);
    out.strategy_realized = amount_pack(owners_gain);
    tell(engine, &out.msg);
    tell_alert(engine, ALERT_TRADE_BUST, exec->instrument, n, exec->qty, 0, exec->id);
    if (n)
        order_unfilled(engine, n, exec, bust->state);
    else
        order_never_filled(engine, bust);
    loss_watch(engine, &engine->instruments[exec->instrument], exec->strategy);
}

void apply_bust(struct engine *engine, const void *input)
{
    const struct weir_fill *bust = input;
    uint32_t index = 0, instrument = bust->msg.instrument;

    stream_sequence(engine, &bust->msg, bust->stream_seq);
    if (exec_find(engine, bust, &index, &instrument)) {
        if (index) {
            bust_known(engine, &engine->execs[index - 1], bust);
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
    order_never_filled(engine, bust);
}
