/* flow.c - everybody else who trades here.
 *
 * FAIR      Each instrument has a fair price that nobody sees: each tenth of a second it takes a step
 *           drawn from four dice (nearly normal), drifts for a while one way or the other, is drawn
 *           back slowly to where it began, and jumps now and then. [wander]
 * MAKERS    Six of them keep twelve orders a side around what each believes to be fair, larger and
 *           farther apart with distance. One acts at a time, so after a move the others' orders are
 *           stale, and can be picked off. [quote]
 * OTHERS    Small limit orders come and go within some basis points. [rest, leave]
 * TAKERS    More often than not on the side of the one before; on the side of the fair price when an
 *           order is on the wrong side of it. Sizes are small and sometimes not. Now and then one
 *           sweeps through several levels. [take]
 *
 * Prices are whole ticks; the fair price is ticks * 2^16. An order's number says whose it is. */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

enum {
    MAKERS = 6,
    RUNGS = 12,
    RESTING = 64,
    ALL_QUOTES = 2 * MAKERS * RUNGS,
    TAKER = ALL_QUOTES + RESTING
};
enum { FAIR_BITS = 16, STEPS_A_MINUTE = 600, ROOT_600 = 2449 /* 100 * its root */ };
enum { DICE_SPREAD = 1000, DICE_SIGMA = 1155 /* of four dice of +-1000 */ };
_Static_assert((int)TAKER < (int)FLOW_IDS_PER_MARKET,
               "numbers for all of them, and one for the taker");
#define FAIR_STEP (100 * MILLISECOND)

/* What an event is, in thousandths. */
enum {
    SHARE_QUOTE = 780,
    SHARE_REST = 80,
    SHARE_LEAVE = 80,
    SHARE_TAKE = 55 /* the rest sweeps */
};

struct crowd {
    struct dice dice;
    uint32_t index; /* of the instrument */
    int64_t fair, anchor, drift;
    int64_t bias[MAKERS]; /* what each believes to know better */
    weir_ns next_event, next_step;
    uint32_t drift_steps; /* left before it changes */
    uint8_t last_side;    /* of a taker */
    weir_qty unit;        /* an ordinary size */
};

struct flow {
    struct exchange *exchange;
    uint32_t count;
    struct crowd crowds[MARKETS_MAX];
};

static int64_t at_least(int64_t value, int64_t least)
{
    return value > least ? value : least;
}

static int64_t fair_ticks(const struct crowd *crowd)
{
    return crowd->fair >> FAIR_BITS;
}

/* So many hundredths of a basis point of the fair price, in ticks, at least one. */
static int64_t bps_ticks(const struct crowd *crowd, int64_t hundredths)
{
    return at_least(fair_ticks(crowd) * hundredths / 1000000, 1);
}

/* --- the fair price ----------------------------------------------------------------------------*/

static int64_t sigma_of(const struct flow *flow, const struct crowd *crowd)
{
    return crowd->fair / 10000 * flow->exchange->settings->volatility * 100 / ROOT_600;
}

static void wander(struct flow *flow, struct crowd *crowd)
{
    int64_t sigma = sigma_of(flow, crowd), drawn = 0;
    for (int i = 0; i < 4; i++)
        drawn += dice_between(&crowd->dice, -DICE_SPREAD, DICE_SPREAD);
    if (crowd->drift_steps-- == 0) {
        crowd->drift_steps =
            (uint32_t)dice_between(&crowd->dice, STEPS_A_MINUTE / 6, STEPS_A_MINUTE);
        crowd->drift = sigma / 8 * dice_between(&crowd->dice, -2, 2);
    }
    crowd->fair += sigma * drawn / DICE_SIGMA + crowd->drift;
    crowd->fair += (crowd->anchor - crowd->fair) / (10 * STEPS_A_MINUTE);
    if (dice_below(&crowd->dice, 5 * STEPS_A_MINUTE) == 0) /* news */
        crowd->fair +=
            sigma * dice_between(&crowd->dice, 8, 25) * (dice_below(&crowd->dice, 2) ? 1 : -1);
    crowd->fair =
        at_least(crowd->fair, crowd->anchor / 4); /* a market that could vanish is no use */
    if (crowd->fair > crowd->anchor * 4)
        crowd->fair = crowd->anchor * 4;
    crowd->next_step += FAIR_STEP;
}

/* --- orders ------------------------------------------------------------------------------------*/

static uint32_t id_of(const struct crowd *crowd, uint32_t slot)
{
    return crowd->index * FLOW_IDS_PER_MARKET + slot + 1;
}

static bool is_resting(const struct flow *flow, uint32_t id, int64_t *px_out)
{
    struct match_view view;
    if (!match_order(flow->exchange->match, id, &view))
        return false;
    *px_out = view.px;
    return true;
}

/* About size units, a whole number of steps. */
static weir_qty some_qty(struct flow *flow, struct crowd *crowd, int64_t units_x4)
{
    weir_qty step = flow->exchange->settings->instruments[crowd->index].step;
    weir_qty most = at_least(crowd->unit * units_x4 / 4 / step, 1);
    return (most / 4 + dice_between(&crowd->dice, 1, at_least(most, 1))) * step;
}

static void add(struct flow *flow, const struct crowd *crowd, uint32_t slot, uint8_t side,
                int64_t px, weir_qty qty, enum weir_tif tif)
{
    struct match_order order = {.id = id_of(crowd, slot),
                                .px = at_least(px, 1),
                                .qty = qty,
                                .instrument = (uint16_t)crowd->index,
                                .side = side,
                                .tif = (uint8_t)tif};
    (void)exchange_add(flow->exchange, &order);
}

static int64_t outward(uint8_t side, int64_t from, int64_t distance)
{
    return side == WEIR_SELL ? from + distance : from - distance;
}

/* The nearest price to px, not beyond it, at which an order of this side rests. */
static int64_t that_rests(const struct flow *flow, const struct crowd *crowd, uint8_t side,
                          int64_t px)
{
    int64_t best, qty;
    enum weir_side other = side == WEIR_BUY ? WEIR_SELL : WEIR_BUY;
    if (!match_best(flow->exchange->match, crowd->index, other, &best, &qty))
        return px;
    return side == WEIR_BUY ? (px < best ? px : best - 1) : (px > best ? px : best + 1);
}

static void quote_at(struct flow *flow, struct crowd *crowd, uint32_t maker, uint8_t side,
                     uint32_t rung)
{
    uint32_t slot = (maker * 2 + side) * RUNGS + rung, id = id_of(crowd, slot);
    int64_t near = bps_ticks(crowd, 90 + 25 * (int64_t)maker);
    int64_t apart = bps_ticks(crowd, 70 + 12 * (int64_t)rung);
    int64_t view = fair_ticks(crowd) + crowd->bias[maker], now_at;
    int64_t px =
        outward(side, view, near + rung * apart + dice_between(&crowd->dice, 0, apart / 2));

    if (is_resting(flow, id, &now_at)) {
        int64_t off = px > now_at ? px - now_at : now_at - px;
        if (off <= apart / 2 + 1 && dice_below(&crowd->dice, 5) != 0)
            return; /* good enough */
        exchange_cancel(flow->exchange, id);
    }
    px = that_rests(flow, crowd, side, px);
    add(flow, crowd, slot, side, px, some_qty(flow, crowd, 4 + 2 * (int64_t)rung), WEIR_GTC);
}

static void quote(struct flow *flow, struct crowd *crowd)
{
    uint32_t maker = (uint32_t)dice_below(&crowd->dice, MAKERS);
    uint8_t side = (uint8_t)dice_below(&crowd->dice, 2);
    uint32_t a = (uint32_t)dice_below(&crowd->dice, RUNGS),
             b = (uint32_t)dice_below(&crowd->dice, RUNGS);
    if (dice_below(&crowd->dice, 20) == 0)
        crowd->bias[maker] =
            dice_between(&crowd->dice, -bps_ticks(crowd, 40), bps_ticks(crowd, 40));
    quote_at(flow, crowd, maker, side, a < b ? a : b);
}

static void rest(struct flow *flow, struct crowd *crowd)
{
    uint32_t slot = ALL_QUOTES + (uint32_t)dice_below(&crowd->dice, RESTING);
    uint8_t side = (uint8_t)dice_below(&crowd->dice, 2);
    int64_t px, reach = bps_ticks(crowd, dice_below(&crowd->dice, 4) ? 300 : 2500);
    if (is_resting(flow, id_of(crowd, slot), &px))
        return;
    px = outward(side, fair_ticks(crowd), dice_between(&crowd->dice, 0, reach));
    add(flow, crowd, slot, side, that_rests(flow, crowd, side, px), some_qty(flow, crowd, 2),
        WEIR_GTC);
}

static void leave(struct flow *flow, struct crowd *crowd)
{
    exchange_cancel(flow->exchange,
                    id_of(crowd, ALL_QUOTES + (uint32_t)dice_below(&crowd->dice, RESTING)));
}

/* Somebody's order stands where the fair price says it should not: take it. Else: as the last one. */
static uint8_t taker_side(const struct flow *flow, struct crowd *crowd)
{
    int64_t best, qty;
    if (match_best(flow->exchange->match, crowd->index, WEIR_SELL, &best, &qty) &&
        best < fair_ticks(crowd))
        return WEIR_BUY;
    if (match_best(flow->exchange->match, crowd->index, WEIR_BUY, &best, &qty) &&
        best > fair_ticks(crowd))
        return WEIR_SELL;
    return dice_below(&crowd->dice, 10) < 6 ? crowd->last_side : !crowd->last_side;
}

static void take(struct flow *flow, struct crowd *crowd, bool sweeps)
{
    uint8_t side = taker_side(flow, crowd);
    int64_t reach = bps_ticks(crowd, sweeps ? 1000 : 500), best, qty;
    int64_t units_x4 =
        sweeps ? dice_between(&crowd->dice, 40, 160) : 1 << dice_below(&crowd->dice, 4);
    enum weir_side other = side == WEIR_BUY ? WEIR_SELL : WEIR_BUY;
    crowd->last_side = side;
    if (match_best(flow->exchange->match, crowd->index, other, &best, &qty))
        add(flow, crowd, TAKER, side, outward(!side, best, reach), some_qty(flow, crowd, units_x4),
            WEIR_IOC);
}

static void act(struct flow *flow, struct crowd *crowd)
{
    uint64_t what = dice_below(&crowd->dice, 1000);
    bool trades = false;
    if (what < SHARE_QUOTE)
        quote(flow, crowd);
    else if (what < SHARE_QUOTE + SHARE_REST)
        rest(flow, crowd);
    else if (what < SHARE_QUOTE + SHARE_REST + SHARE_LEAVE)
        leave(flow, crowd);
    else
        trades = true;
    if (trades)
        take(flow, crowd, what >= SHARE_QUOTE + SHARE_REST + SHARE_LEAVE + SHARE_TAKE);
    /* one event in a second on average times the rate, and sooner after a trade */
    weir_ns mean = SECOND / flow->exchange->settings->rate;
    crowd->next_event += 1 + dice_between(&crowd->dice, 0, trades ? mean / 2 : 2 * mean);
    exchange_publish(flow->exchange, crowd->index);
}

/* --- its life ----------------------------------------------------------------------------------*/

/* An ordinary order is worth some thousand of quote: so many of the instrument's counts. */
static weir_qty unit_of(const struct settings *settings, uint32_t index)
{
    const struct weir_instrument *is = &settings->instruments[index];
    amount qty = 0, worth = amount_from(4000, 0);
    int64_t px = settings->start[index] * is->tick, counts = 0;
    if (!amount_ratio_round(worth, pow10_of(is->price_exp), px, &qty))
        return is->step;
    qty = qty / decimal_pow10[AMOUNT_EXP - is->qty_exp] * decimal_pow10[AMOUNT_EXP - is->qty_exp];
    return amount_to(qty, is->qty_exp, &counts) ? at_least(counts / is->step * is->step, is->step)
                                                : is->step;
}

struct flow *flow_create(struct exchange *exchange)
{
    struct flow *flow = calloc(1, sizeof *flow);
    if (!flow)
        return NULL;
    flow->exchange = exchange;
    flow->count = exchange->settings->instrument_count;
    for (uint32_t i = 0; i < flow->count; i++) {
        struct crowd *crowd = &flow->crowds[i];
        crowd->dice = dice_of(exchange->settings->seed, 100 + i);
        crowd->index = i;
        crowd->anchor = crowd->fair = exchange->settings->start[i] << FAIR_BITS;
        crowd->unit = unit_of(exchange->settings, i);
    }
    return flow;
}

void flow_destroy(struct flow *flow)
{
    free(flow);
}

void flow_open(struct flow *flow, weir_ns now)
{
    for (uint32_t i = 0; i < flow->count; i++) {
        struct crowd *crowd = &flow->crowds[i];
        crowd->next_event = now + 1 + (weir_ns)i;
        crowd->next_step = now + FAIR_STEP;
        for (uint32_t slot = 0; slot < ALL_QUOTES; slot++)
            quote_at(flow, crowd, slot / RUNGS / 2, slot / RUNGS % 2, slot % RUNGS);
        for (int n = 0; n < RESTING / 2; n++)
            rest(flow, crowd);
        exchange_snapshot(flow->exchange, i);
    }
}

static weir_ns crowd_next(const struct crowd *crowd)
{
    return crowd->next_event < crowd->next_step ? crowd->next_event : crowd->next_step;
}

static const struct crowd *first(const struct flow *flow)
{
    const struct crowd *first = &flow->crowds[0];
    for (uint32_t i = 1; i < flow->count; i++)
        if (crowd_next(&flow->crowds[i]) < crowd_next(first))
            first = &flow->crowds[i];
    return first;
}

weir_ns flow_next(const struct flow *flow)
{
    return crowd_next(first(flow));
}

void flow_step(struct flow *flow)
{
    struct crowd *crowd = &flow->crowds[first(flow)->index];
    flow->exchange->now = crowd_next(crowd);
    if (crowd->next_step <= crowd->next_event)
        wander(flow, crowd);
    else
        act(flow, crowd);
}

void flow_skip_to(struct flow *flow, weir_ns t)
{
    for (uint32_t i = 0; i < flow->count; i++) {
        struct crowd *crowd = &flow->crowds[i];
        weir_ns late = t - crowd_next(crowd);
        if (late > 0) {
            crowd->next_event += late;
            crowd->next_step += late;
        }
    }
}
