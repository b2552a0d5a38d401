/* tally.c - see the header. */
#include "control/report/tally.h"

#include <stdlib.h>
#include <string.h>

static const weir_ns second = 1000000000;

/* --- memory ------------------------------------------------------------------------------------*/

bool tally_init(struct tally *tally, uint32_t instruments, uint32_t strategies, uint32_t orders)
{
    *tally = (struct tally){.instrument_max = instruments,
                            .strategy_max = strategies,
                            .order_max = orders,
                            .sample_every = second};
    tally->instruments = calloc(instruments + 1, sizeof *tally->instruments);
    tally->strategies = calloc((size_t)(strategies + 1) * ASSETS_MAX, sizeof *tally->strategies);
    tally->orders = calloc(orders + 1, sizeof *tally->orders);
    tally->sample_t = calloc(SAMPLES_MAX, sizeof *tally->sample_t);
    if (tally->instruments && tally->strategies && tally->orders && tally->sample_t)
        return true;
    tally_fini(tally);
    return false;
}

void tally_fini(struct tally *tally)
{
    for (uint32_t i = 0; tally->instruments && i <= tally->instrument_max; i++) {
        free(tally->instruments[i].mids_x2);
        free(tally->instruments[i].positions);
    }
    for (uint32_t i = 0; i < tally->asset_count; i++)
        free(tally->assets[i].equity);
    free(tally->instruments);
    free(tally->strategies);
    free(tally->orders);
    free(tally->sample_t);
    free(tally->executions);
    *tally = (struct tally){0};
}

/* The asset's place; ASSETS_MAX: no room, and it is left out of all sums. */
static uint32_t asset_of(struct tally *tally, const char *name)
{
    for (uint32_t i = 0; i < tally->asset_count; i++)
        if (strncmp(tally->assets[i].name, name, WEIR_ASSET_MAX) == 0)
            return i;
    if (tally->asset_count == ASSETS_MAX)
        return ASSETS_MAX;
    struct tally_asset *asset = &tally->assets[tally->asset_count];
    asset->equity = calloc(SAMPLES_MAX, sizeof *asset->equity);
    if (!asset->equity) {
        tally->failed = true;
        return ASSETS_MAX;
    }
    memcpy(asset->name, name, strnlen(name, WEIR_ASSET_MAX - 1));
    return tally->asset_count++;
}

static struct tally_instrument *instrument_of(struct tally *tally, uint32_t number)
{
    return number > 0 && number <= tally->instrument_max && tally->instruments[number].known
               ? &tally->instruments[number]
               : NULL;
}

static void define(struct tally *tally, const struct weir_instrument *is)
{
    uint32_t number = is->msg.instrument;
    if (number == 0 || number > tally->instrument_max)
        return;
    struct tally_instrument *of = &tally->instruments[number];
    if (!of->known && number <= CHARTED_MAX) {
        of->mids_x2 = calloc(SAMPLES_MAX, sizeof *of->mids_x2);
        of->positions = calloc(SAMPLES_MAX, sizeof *of->positions);
        tally->failed = tally->failed || !of->mids_x2 || !of->positions;
    }
    of->known = true;
    of->is = *is;
    of->settle = asset_of(tally, is->kind == WEIR_INVERSE ? is->base : is->quote);
    if (number > tally->instrument_count)
        tally->instrument_count = number;
}

weir_px tally_mid_x2(const struct tally_instrument *of)
{
    return of->top.bid > 0 && of->top.ask > 0 ? of->top.bid + of->top.ask : 0;
}

/* --- samples -----------------------------------------------------------------------------------*/

/* Every second sample stays. */
static void thin(struct tally *tally)
{
    uint32_t kept = (tally->sample_count + 1) / 2;
    for (uint32_t s = 0; s < kept; s++) {
        tally->sample_t[s] = tally->sample_t[2 * s];
        for (uint32_t a = 0; a < tally->asset_count; a++)
            tally->assets[a].equity[s] = tally->assets[a].equity[2 * s];
        for (uint32_t i = 1; i <= tally->instrument_count; i++) {
            struct tally_instrument *of = &tally->instruments[i];
            if (!of->mids_x2 || !of->positions)
                continue;
            of->mids_x2[s] = of->mids_x2[2 * s];
            of->positions[s] = of->positions[2 * s];
        }
    }
    tally->sample_count = kept;
    tally->sample_every *= 2;
}

static void add_to(amount *sum, amount part)
{
    if (!amount_add(*sum, part, sum))
        *sum = part < 0 ? -AMOUNT_MAX : AMOUNT_MAX; /* 10^20 of anything: it shows */
}

static void sample_instrument(struct tally *tally, const struct engine *engine, uint32_t number,
                              uint32_t at)
{
    struct tally_instrument *of = &tally->instruments[number];
    struct position_view view = {.qty = 0};
    if (of->touched && engine_position(engine, number, 0, &view) && of->settle < ASSETS_MAX) {
        amount *equity = &tally->assets[of->settle].equity[at];
        add_to(equity, view.realized);
        add_to(equity, view.unrealized);
        add_to(equity, of->sums.funding);
        add_to(equity, -of->sums.fees);
    }
    if (!of->mids_x2 || !of->positions)
        return;
    of->mids_x2[at] = tally_mid_x2(of);
    of->positions[at] = view.qty;
}

static void take_sample(struct tally *tally, const struct engine *engine, weir_ns t)
{
    uint32_t at = tally->sample_count;
    tally->sample_t[at] = t;
    for (uint32_t a = 0; a < tally->asset_count; a++)
        tally->assets[a].equity[at] = 0;
    for (uint32_t i = 1; i <= tally->instrument_count; i++)
        if (tally->instruments[i].known)
            sample_instrument(tally, engine, i, at);
    if (++tally->sample_count == SAMPLES_MAX)
        thin(tally);
}

/* The state as it was at each multiple of the interval up to t. Of a long silence the last one counts. */
static void sample_up_to(struct tally *tally, const struct engine *engine, weir_ns t)
{
    while (tally->next_sample <= t) {
        take_sample(tally, engine, tally->next_sample);
        weir_ns next = tally->next_sample - tally->next_sample % tally->sample_every;
        tally->next_sample = next + tally->sample_every;
        if (t - tally->next_sample > 1000 * tally->sample_every)
            tally->next_sample = t - t % tally->sample_every;
    }
}

void tally_end(struct tally *tally, const struct engine *engine)
{
    if (tally->first == 0)
        return;
    if (tally->open_count > 0)
        tally->exposed += tally->last - tally->open_since;
    tally->open_since = tally->last;
    take_sample(tally, engine, tally->last);
}

/* --- inputs ------------------------------------------------------------------------------------*/

static void on_cash(struct tally *tally, const struct weir_cash *cash)
{
    struct tally_instrument *of = instrument_of(tally, cash->msg.instrument);
    if (cash->msg.kind == WEIR_FUNDING && of)
        add_to(&of->sums.funding, amount_of(cash->amount));
    else if (cash->msg.kind == WEIR_RECON_BALANCE && !tally->wallets_seen) {
        uint32_t asset = asset_of(tally, cash->asset);
        if (asset < ASSETS_MAX)
            add_to(&tally->assets[asset].capital, amount_of(cash->amount));
    }
}

void tally_input(struct tally *tally, const struct engine *engine, const struct weir_msg *input)
{
    bool market = input->kind == WEIR_TOP || input->kind == WEIR_TRADE;
    struct tally_instrument *of;
    if (tally->first > 0)
        sample_up_to(tally, engine, input->t);
    if (market && tally->first == 0) {
        tally->first = input->t;
        tally->next_sample = input->t;
    }
    if (market)
        tally->last = input->t;
    switch (input->kind) {
    case WEIR_INSTRUMENT: define(tally, (const struct weir_instrument *)input); break;
    case WEIR_TOP:
        of = instrument_of(tally, input->instrument);
        if (of)
            of->top = *(const struct weir_top *)input;
        break;
    case WEIR_FUNDING:
    case WEIR_RECON_BALANCE: on_cash(tally, (const struct weir_cash *)input); break;
    case IN_SUBMIT: tally->wallets_seen = true; break; /* what is listed later is no capital */
    default: break;
    }
}

/* --- orders ------------------------------------------------------------------------------------*/

static struct tally_order *order_of(struct tally *tally, uint32_t number)
{
    return number > 0 && number <= tally->order_max ? &tally->orders[number] : NULL;
}

static void count_reason(struct tally *tally, uint8_t label, const char *text)
{
    struct tally_reason *reason = tally->reasons;
    struct tally_reason *end = reason + tally->reason_count;
    for (; reason < end; reason++)
        if (reason->label == label && strncmp(reason->text, text, WEIR_REASON_MAX) == 0)
            break;
    if (reason == end && tally->reason_count == REASONS_MAX)
        return;
    if (reason == end) {
        tally->reason_count++;
        reason->label = label;
        memcpy(reason->text, text, strnlen(text, WEIR_REASON_MAX - 1));
    }
    reason->count++;
}

static struct tally_sums *strategy_of(struct tally *tally, uint32_t number, uint32_t settle)
{
    return number > 0 && number <= tally->strategy_max && settle < ASSETS_MAX
               ? &tally->strategies[number * ASSETS_MAX + settle]
               : NULL;
}

static void begin_order(struct tally *tally, struct tally_order *order, const struct out_order *out)
{
    struct tally_instrument *of = instrument_of(tally, out->msg.instrument);
    struct tally_sums *strategy = strategy_of(tally, out->strategy, of ? of->settle : ASSETS_MAX);
    bool denied = out->label == ORDER_DENIED;
    *order = (struct tally_order){.created = out->created, .label = ORDER_LABEL_COUNT};
    order->arrival_x2 = of ? tally_mid_x2(of) : 0;
    if (of)
        of->sums.orders += !denied;
    if (strategy)
        strategy->orders += !denied;
}

static void on_order(struct tally *tally, const struct out_order *out)
{
    struct tally_order *order = order_of(tally, out->order);
    if (!order)
        return;
    if (order->created != out->created) /* the slot's next order */
        begin_order(tally, order, out);
    if (order->label == out->label)
        return;
    order->label = out->label;
    if (!order_label_is_done((enum order_label)out->label))
        return;
    tally->labels[out->label]++;
    if (out->label != ORDER_FILLED && out->label != ORDER_CANCELED)
        count_reason(tally, out->label, out->reason);
}

/* --- executions --------------------------------------------------------------------------------*/

/* Price times quantity in the settle asset. False: it cannot be reckoned. */
static bool worth_of(const struct weir_instrument *is, weir_px px, weir_qty qty, amount *worth_out)
{
    int64_t times = is->multiplier > 0 ? is->multiplier : 1;
    int exp = is->multiplier > 0 ? is->multiplier_exp : 0;
    amount size;
    if (is->kind != WEIR_INVERSE)
        return amount_product(px, is->price_exp, qty, is->qty_exp, &size) &&
               amount_times_round(size, times, exp, worth_out);
    return px > 0 && amount_times_round(amount_from(qty, is->qty_exp), times, exp, &size) &&
           amount_ratio_round(size, (int64_t)decimal_pow10[is->price_exp], px, worth_out);
}

/* The fee in the settle asset. False: it was taken in another, which is summed on its own. */
static bool fee_of(struct tally *tally, const struct tally_instrument *of,
                   const struct out_execution *out, amount *fee_out)
{
    amount fee = amount_of(out->fee);
    const char *settle = of->is.kind == WEIR_INVERSE ? of->is.base : of->is.quote;
    *fee_out = fee;
    if (fee == 0 || strncmp(out->fee_asset, settle, WEIR_ASSET_MAX) == 0)
        return true;
    if (of->is.kind == WEIR_SPOT && strncmp(out->fee_asset, of->is.base, WEIR_ASSET_MAX) == 0)
        return amount_times_round(fee, out->px, of->is.price_exp, fee_out);
    uint32_t asset = asset_of(tally, out->fee_asset);
    if (asset < ASSETS_MAX)
        add_to(&tally->assets[asset].foreign_fees, fee);
    *fee_out = 0;
    return false;
}

static void add_sums(struct tally_sums *sums, const struct tally_execution *e, amount worth,
                     amount fee, amount realized, bool first)
{
    sums->executions++;
    sums->makers += e->maker;
    sums->filled_orders += first;
    if (e->side == WEIR_BUY)
        sums->bought++;
    else
        sums->sold++;
    add_to(&sums->turnover, worth);
    add_to(&sums->fees, fee);
    if (realized != 0) {
        amount net = realized - fee;
        sums->wins += net > 0;
        sums->losses += net <= 0;
        add_to(net > 0 ? &sums->won : &sums->lost, net > 0 ? net : -net);
    }
    if (e->has_slippage) {
        __int128 micro = worth / 1000000000000;
        sums->slippage += micro * e->slippage;
        sums->slippage_worth += micro;
    }
}

static void keep(struct tally *tally, const struct tally_execution *execution)
{
    if (tally->execution_count == EXECUTIONS_KEPT) {
        tally->executions_left_out++;
        return;
    }
    if (tally->execution_count == tally->execution_room) {
        uint32_t room = tally->execution_room ? tally->execution_room * 2 : 256;
        struct tally_execution *more = realloc(tally->executions, room * sizeof *more);
        if (!more) {
            tally->failed = true;
            return;
        }
        tally->executions = more;
        tally->execution_room = room;
    }
    tally->executions[tally->execution_count++] = *execution;
}

static void hold(struct tally *tally, struct tally_instrument *of, const struct out_execution *out)
{
    bool open = out->position != 0;
    of->touched = true;
    of->qty_max = out->position > of->qty_max ? out->position : of->qty_max;
    of->qty_min = out->position < of->qty_min ? out->position : of->qty_min;
    if (open == of->open)
        return;
    of->open = open;
    if (open && tally->open_count++ == 0)
        tally->open_since = out->msg.t;
    if (!open && --tally->open_count == 0)
        tally->exposed += out->msg.t - tally->open_since;
}

static void on_execution(struct tally *tally, const struct out_execution *out)
{
    struct tally_instrument *of = instrument_of(tally, out->msg.instrument);
    struct tally_order *order = order_of(tally, out->order);
    struct tally_sums *strategy = strategy_of(tally, out->strategy, of ? of->settle : ASSETS_MAX);
    amount worth = 0, fee = 0;
    if (!of || out->stage == EXEC_ATTRIBUTED || out->busted)
        return;
    struct tally_execution e = {.t = out->msg.t,
                                .px = out->px,
                                .qty = out->qty,
                                .fee = amount_of(out->fee),
                                .instrument = out->msg.instrument,
                                .strategy = out->strategy,
                                .side = out->side,
                                .maker = out->maker,
                                .internal = out->internal};
    memcpy(e.fee_asset, out->fee_asset, WEIR_ASSET_MAX);
    if (order && order->arrival_x2 > 0) {
        __int128 away = (__int128)2 * out->px - order->arrival_x2;
        away = (out->side == WEIR_BUY ? away : -away) * 100000000 / order->arrival_x2;
        e.has_slippage = 1;
        e.slippage = (int64_t)away;
    }
    (void)worth_of(&of->is, out->px, out->qty, &worth);
    (void)fee_of(tally, of, out, &fee);
    bool first = order && !order->filled;
    if (order)
        order->filled = true;
    hold(tally, of, out);
    add_sums(&of->sums, &e, worth, fee, amount_of(out->realized), first);
    if (strategy)
        add_sums(strategy, &e, worth, fee, amount_of(out->strategy_realized), first);
    if (of->settle < ASSETS_MAX)
        add_to(&tally->assets[of->settle].turnover, worth);
    keep(tally, &e);
}

void tally_effect(struct tally *tally, const struct weir_msg *effect)
{
    switch (effect->kind) {
    case OUT_ORDER: on_order(tally, (const struct out_order *)effect); break;
    case OUT_EXECUTION: on_execution(tally, (const struct out_execution *)effect); break;
    case OUT_ALERT: {
        const struct out_alert *alert = (const struct out_alert *)effect;
        if (alert->alert < ALERT_COUNT)
            tally->alerts[alert->alert]++;
        break;
    }
    default: break;
    }
}
