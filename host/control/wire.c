/* wire.c - the path of every message: in order, journalled first, and nobody within themselves.
 *
 * PROMISES (1) An input is in the journal before the engine sees it, an effect before anybody acts
 *              on it. With "sync: always" a request that can create risk waits for the disk; a
 *              cancel never waits. [host_take, dispatch]
 *          (2) When the journal fails, the engine is told at once and refuses new risk; cancels and
 *              queries go on. [journal_trouble] */
#include <string.h>

#include "base/log.h"
#include "control/host.h"

void host_push(struct host *host, const struct weir_msg *input)
{
    if (!queue_push(&host->inputs, input))
        log_line(LOG_ERROR, "inputs", "the queue of inputs is full: one of kind %u was lost",
                 input->kind);
}

/* What the engine says while it applies an input. It may not be called from here. */
static void take_effect(void *context, const struct weir_msg *effect)
{
    struct host *host = context;
    uint64_t seq =
        host->journal ? journal_append(host->journal, JOURNAL_EFFECT, effect) : host->seq + 1;
    if (seq != 0)
        host->seq = seq;
    else
        host->unwritten = true; /* no new risk leaves from now on: host_venue_effect */
    if (host->options.witness)
        host->options.witness->effect(host->options.witness->context, effect);
    if (host->answer)
        script_answer_effect(host->answer, effect);
    if (host->cells)
        cells_see(host->cells, effect);
    if (queue_push(&host->effects, effect))
        host->effect_seqs[host->effect_head++ & (host->effect_seq_room - 1)] = seq;
    else
        log_line(LOG_ERROR, "effects", "the queue of effects is full: one of kind %u was lost",
                 effect->kind);
}

static uint64_t record(struct host *host, const struct weir_msg *input)
{
    uint64_t seq =
        host->journal ? journal_append(host->journal, JOURNAL_INPUT, input) : host->seq + 1;
    if (seq != 0)
        host->seq = seq;
    if (host->options.witness)
        host->options.witness->input(host->options.witness->context, host->engine, input);
    return seq;
}

static void journal_trouble(struct host *host)
{
    bool failed = host->journal && journal_state(host->journal) != JOURNAL_WELL;
    if (failed == host->journal_failed)
        return;
    struct in_state state = {.msg = {.size = sizeof state, .kind = IN_JOURNAL_STATE},
                             .value = failed};
    host->journal_failed = failed;
    log_line(failed ? LOG_ERROR : LOG_INFO, "journal", "%s",
             failed ? "the journal cannot hold new risk: new orders are refused, cancels go on"
                    : "the journal is well again");
    host_push(host, &state.msg);
}

uint64_t host_take(struct host *host, struct weir_msg *input)
{
    struct effect_sink sink = {take_effect, host};
    input->t = clock_now(&host->clock);
    input->cause = 0;
    uint64_t seq = record(host, input);
    engine_apply(host->engine, input, seq, &sink);
    if (host->cells)
        cells_see(host->cells, input);
    if (host->tap)
        (void)tap_push(host->tap, input);
    return seq;
}

/* Each effect once, to whom it concerns. */
static void dispatch(struct host *host, const struct weir_msg *effect)
{
    uint64_t seq = host->effect_seqs[host->effect_tail++ & (host->effect_seq_room - 1)];
    if (host->tap)
        (void)tap_push(host->tap, effect);
    if (effect->kind < WEIR_HOST_KINDS)
        host_venue_effect(host, effect, seq);
    else
        host_script_effect(host, effect);
    if (effect->kind == OUT_ORDER && ((const struct out_order *)effect)->label == ORDER_HELD)
        host->lazy = false; /* it may wait for a price */
    if (effect->kind == OUT_STATE)
        host_tell_state(host, (const struct out_state *)effect);
    else if (effect->kind == OUT_ALERT)
        host_tell_alert(host, (const struct out_alert *)effect);
}

static void settle_effects(struct host *host)
{
    const struct weir_msg *effect;
    while ((effect = queue_front(&host->effects)) != NULL) {
        dispatch(host, effect);
        queue_drop(&host->effects);
        if (queue_empty(&host->effects))
            host->effect_head = host->effect_tail = 0;
    }
}

static bool is_market(uint16_t kind)
{
    return kind == WEIR_TOP || kind == WEIR_TRADE || kind == IN_BOOK_STATE || kind == WEIR_MARK ||
           kind == WEIR_INDEX || kind == WEIR_FUNDING_RATE;
}

void host_do(struct host *host, struct weir_msg *input)
{
    weir_ns from = clock_stopwatch();
    (void)host_take(host, input);
    settle_effects(host);
    if (is_market(input->kind))
        host_script_market(host, input);
    else if (input->kind == WEIR_INSTRUMENT)
        host_limit_instrument(host, input->instrument);
    settle_effects(host);
    histogram_add(&host->stages.of[TIMED_input], clock_stopwatch() - from);
}

void host_settle(struct host *host)
{
    struct weir_msg *input;
    settle_effects(host);
    journal_trouble(host);
    do {
        if (host->late_count > 0 && !queue_empty(&host->inputs)) {
            host_catch_up(host);
            settle_effects(host);
        }
        while ((input = (struct weir_msg *)(uintptr_t)queue_front(&host->inputs)) != NULL) {
            host_do(host, input);
            queue_drop(&host->inputs);
        }
        settle_effects(host);
    } while (host_script_published(host));
    host_reserve_ids(host);
}
