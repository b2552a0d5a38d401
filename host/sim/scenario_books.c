/* scenario_books.c - what the venue told adds up to: positions and wallets, after every step.
 *
 * Worked out from the story alone, apart from the engine's sums, so that a fill that is booked twice,
 * with the wrong sign, or not at all is seen at once:
 *
 *   position = sum of signed fills
 *   wallet   = start + effects of fills, fees, funding, transfers; what a linear position realized goes
 *              to its quote asset, by average cost, rounded half-even to 18 places
 *
 * An execution that was undone never happened, also when its bust comes first. Where the story leaves
 * open which side a fill had, its instrument is passed over. */
#include <string.h>

#include "sim/scenario_own.h"

enum { ACCOUNT = 1 };

/* --- what was told ----------------------------------------------------------------------------*/

static struct told *told_of(const struct play *play, uint32_t instrument, const char *exec_id)
{
    for (size_t i = 0; i < play->told_count; i++)
        if ((instrument == 0 || play->told[i].instrument == instrument) &&
            strcmp(play->told[i].exec_id, exec_id) == 0)
            return &play->told[i];
    return NULL;
}

static struct told *told_add(struct play *play)
{
    play->told = grow_list(play->told, &play->told_room, play->told_count, sizeof *play->told);
    if (!play->told)
        play->told_count = 0;
    return play->told ? &play->told[play->told_count++] : NULL;
}

void books_fill(struct play *play, const cJSON *row, const struct weir_fill *fill)
{
    const char *exec_id = json_text(row, "exec_id", ""), *cid = json_text(row, "cid", "");
    struct order_view view;
    struct told *told = told_of(play, fill->msg.instrument, exec_id) ? NULL : told_add(play);
    if (!told)
        return;
    *told = (struct told){.instrument = fill->msg.instrument,
                          .exec_id = exec_id,
                          .side = fill->side,
                          .qty = fill->qty,
                          .px = fill->px,
                          .fee = amount_of(fill->fee),
                          .fee_asset = json_text(row, "fee_asset", ""),
                          .side_known = json_get(row, "side") != NULL};
    if (!told->side_known &&
        engine_order(play->engine, engine_order_find(play->engine, cid), &view)) {
        told->side = view.order.side;
        told->side_known = true;
    }
}

void books_bust(struct play *play, struct weir_fill *bust, const char *exec_id)
{
    struct told *told = told_of(play, bust->msg.instrument, exec_id);
    if (!told && bust->msg.instrument && (told = told_add(play)) != NULL)
        *told = (struct told){.instrument = bust->msg.instrument,
                              .exec_id = exec_id,
                              .fee_asset = "",
                              .side_known = true};
    if (!told)
        return;
    bust->msg.instrument = told->instrument;
    told->busted = true;
}

void books_cash(struct play *play, bool funding, const char *id, const char *asset, amount value)
{
    for (size_t i = 0; i < play->paid_count; i++)
        if (play->paid[i].funding == funding && strcmp(play->paid[i].id, id) == 0)
            return;
    play->paid = grow_list(play->paid, &play->paid_room, play->paid_count, sizeof *play->paid);
    if (!play->paid)
        play->paid_count = 0;
    else
        play->paid[play->paid_count++] = (struct paid){funding, id, asset, value};
}

/* --- sums ---------------------------------------------------------------------------------------*/

/* Of one instrument; `sure` is false when it cannot be known, or does not fit. */
struct sum {
    weir_qty qty;
    amount cost, realized; /* with multiplier */
    bool sure;
};

static bool worth_of(const struct weir_instrument *def, weir_px px, weir_qty qty, amount *out)
{
    return amount_product(px, def->price_exp, qty, def->qty_exp, out) &&
           amount_times(*out, def->multiplier, def->multiplier_exp, out);
}

static bool reduce(const struct weir_instrument *def, struct sum *sum, const struct told *told,
                   weir_qty size)
{
    weir_qty closed = told->qty < size ? told->qty : size;
    amount gets, cost, rest = 0;
    if (!worth_of(def, told->px, closed, &gets) ||
        !amount_ratio_round(sum->cost, closed, size, &cost) ||
        (told->qty > size && !worth_of(def, told->px, told->qty - size, &rest)))
        return false;
    sum->realized += sum->qty > 0 ? gets - cost : cost - gets;
    sum->cost = told->qty > size ? rest : sum->cost - cost;
    return true;
}

static bool add(const struct weir_instrument *def, struct sum *sum, const struct told *told)
{
    weir_qty change = told->side == WEIR_BUY ? told->qty : -told->qty;
    weir_qty size = sum->qty < 0 ? -sum->qty : sum->qty;
    amount worth;
    if (!worth_of(def, told->px, told->qty, &worth))
        return false;
    if (sum->qty == 0 || (sum->qty > 0) == (change > 0))
        sum->cost += worth;
    else if (!reduce(def, sum, told, size))
        return false;
    sum->qty += change;
    return true;
}

static struct sum sum_of(const struct play *play, uint32_t instrument)
{
    struct sum sum = {.sure = true};
    for (size_t i = 0; i < play->told_count && sum.sure; i++) {
        const struct told *told = &play->told[i];
        if (told->instrument == instrument && !told->busted)
            sum.sure = told->side_known && add(&play->instruments[instrument], &sum, told);
    }
    return sum;
}

/* --- verdicts ---------------------------------------------------------------------------------*/

static void judge_position(struct play *play, uint32_t instrument)
{
    struct position_view view;
    struct sum sum = sum_of(play, instrument);
    const struct weir_instrument *def = &play->instruments[instrument];
    char got[DECIMAL_TEXT_MAX], want[DECIMAL_TEXT_MAX];
    if (!sum.sure || !engine_position(play->engine, instrument, 0, &view) || view.qty == sum.qty)
        return;
    decimal_print(view.qty, def->qty_exp, got);
    decimal_print(sum.qty, def->qty_exp, want);
    play_fail(play, "invariant: position of %s is %s, the executions add up to %s", def->symbol,
              got, want);
}

/* What the fills of one instrument do to an asset. False: it cannot be known. */
static bool trade_asset(const struct play *play, uint32_t instrument, const char *asset,
                        amount *total)
{
    const struct weir_instrument *def = &play->instruments[instrument];
    bool base = strcmp(asset, def->base) == 0, quote = strcmp(asset, def->quote) == 0;
    struct sum sum = sum_of(play, instrument);
    if ((base || quote) && !sum.sure)
        return false;
    if (def->kind == WEIR_LINEAR) {
        *total += quote ? sum.realized : 0;
        return true;
    }
    for (size_t i = 0; i < play->told_count; i++) {
        const struct told *told = &play->told[i];
        amount worth;
        if (told->instrument != instrument || told->busted)
            continue;
        if (!amount_product(told->px, def->price_exp, told->qty, def->qty_exp, &worth))
            return false;
        int sign = told->side == WEIR_BUY ? 1 : -1;
        *total +=
            (base ? sign * amount_from(told->qty, def->qty_exp) : 0) - (quote ? sign * worth : 0);
    }
    return true;
}

static bool wallet_of(const struct play *play, const char *asset, amount *total)
{
    *total = play_money(json_text(json_get(play->story, "balances"), asset, "0"));
    for (uint32_t i = 1; i <= play->instrument_count; i++)
        if (!trade_asset(play, i, asset, total))
            return false;
    for (size_t i = 0; i < play->told_count; i++)
        if (!play->told[i].busted && strcmp(play->told[i].fee_asset, asset) == 0)
            *total -= play->told[i].fee;
    for (size_t i = 0; i < play->paid_count; i++)
        if (strcmp(play->paid[i].asset, asset) == 0)
            *total += play->paid[i].value;
    return true;
}

static void judge_wallet(struct play *play, const char *asset)
{
    char got[DECIMAL_TEXT_MAX], want[DECIMAL_TEXT_MAX];
    amount total = 0, fees, funding, sum;
    if (!engine_wallet(play->engine, ACCOUNT, asset, &total, &fees, &funding))
        total = 0;
    if (!wallet_of(play, asset, &sum) || total == sum)
        return;
    amount_print(total, got);
    amount_print(sum, want);
    play_fail(play, "invariant: wallet of %s is %s, start and effects add up to %s", asset, got,
              want);
}

/* An asset that the engine never heard of has nothing. */
static void judge_known(struct play *play, const char *asset)
{
    amount total, fees, funding;
    if (!engine_wallet(play->engine, ACCOUNT, asset, &total, &fees, &funding))
        judge_wallet(play, asset);
}

void judge_books(struct play *play)
{
    for (uint32_t i = 1; i <= play->instrument_count; i++)
        judge_position(play, i);
    for (uint32_t i = 0; i < engine_asset_count(play->engine); i++)
        judge_wallet(play, engine_asset_name(play->engine, i));
    for (size_t i = 0; i < play->paid_count; i++)
        judge_known(play, play->paid[i].asset);
    for (size_t i = 0; i < play->told_count; i++)
        judge_known(play, play->told[i].fee_asset);
}
