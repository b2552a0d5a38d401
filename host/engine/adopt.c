/* adopt.c - positions that were there before our books began.
 *
 * An account that is not flat disagrees with books that begin at zero, and its instrument is HALTED.
 * An operator may take the venue's position for ours: the difference that its last list showed is
 * booked as one execution of STRATEGY_EXTERNAL, at the price that he names, so that the position stays
 * the sum of executions. The wallet is left alone, since what it cost was paid before. Nothing is
 * ever adopted by itself, by a script or a client, or in another quantity than the list showed; so
 * the same wish said twice adopts once. An execution that is booked after the list may have been in
 * it already: then the list says nothing any more, and a new one is asked for. The instrument trades
 * again when a new list agrees, which is asked for at once. */
#include "engine/define.h"
#include "engine/inputs.h"
#include "engine/ledger.h"
#include "engine/loss.h"
#include "engine/recon.h"
#include "engine/tell.h"

/* A name made of a fact: the number of the input in the journal. */
static void name_exec(char id[WEIR_ID_MAX], uint64_t seq)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    size_t at = 20;
    memcpy(id, "adopt:", 6);
    for (; at > 6; at--, seq /= 36)
        id[at - 1] = digits[seq % 36];
}

static const char *wrong_with(const struct instrument *instrument, const struct in_adopt *in)
{
    if (!instrument)
        return "a position to adopt of an instrument that is not known";
    if (in->asker != ASKER_OPERATOR)
        return "a position is adopted by operators only";
    if (in->px <= 0)
        return "a position to adopt has no price";
    if (in->qty == 0 || instrument->mismatch != amount_from(in->qty, instrument->is.qty_exp))
        return "a position to adopt is not what the venue's list has more than we";
    return NULL;
}

void apply_adopt(struct engine *engine, const void *input)
{
    const struct in_adopt *in = input;
    struct instrument *instrument = instrument_at(engine, in->msg.instrument);
    const char *wrong = wrong_with(instrument, in);
    struct plan what;
    if (wrong) {
        tell_anomaly(engine, instrument ? in->msg.instrument : 0, 0, wrong);
        if (instrument && instrument->halted & HALT_MISMATCH && instrument->mismatch == 0)
            recon_start(engine, instrument->account);
        return;
    }
    struct exec exec = {.px = in->px,
                        .qty = in->qty > 0 ? in->qty : -in->qty,
                        .instrument = in->msg.instrument,
                        .strategy = STRATEGY_EXTERNAL,
                        .side = in->qty > 0 ? WEIR_BUY : WEIR_SELL,
                        .origin = WEIR_ORIGIN_ADOPTED};
    name_exec(exec.id, engine->seq);
    exec.key = key_for(KEY_EXEC, exec.id, WEIR_ID_MAX, exec.instrument);
    if (memory_has(&engine->exec_memory, exec.key) || !plan_make(engine, &what, &exec, 0)) {
        tell_anomaly(engine, in->msg.instrument, 0, "a position to adopt does not fit");
        return;
    }
    (void)book(engine, &what, &exec, 0, EXEC_BOOKED);
    loss_watch(engine, instrument, STRATEGY_EXTERNAL);
    recon_start(engine, instrument->account);
}
