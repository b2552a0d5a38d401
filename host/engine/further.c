/* further.c - checks beyond the contract's: they cost something only where their limit is given.
 *
 * Each row names a check, its limit and the function that reads a number, in units of the limit, for
 * one scope. A number that cannot be read is the greatest there is. What they read is summed up from
 * orders and holdings when it is asked for, or counted as it happens [course.c]; nothing of it is in the
 * way of an order that no such limit binds. A new check is a function, a row, and two lines in lists.h.
 *
 * Prices say something about what goes out now. The other rows bind risk that is added: an order that
 * only reduces the account's position passes them, so that one can always get out. */
#include "engine/define.h"
#include "engine/loss.h"
#include "engine/risk.h"
#include "engine/riskview.h"

struct asked {
    struct engine *engine;
    const struct risk_view *view;
    uint8_t scope;
    const struct scope *of;
};

static amount one(void)
{
    return amount_from(1, 0);
}

static amount size_of(amount value)
{
    return value < 0 ? -value : value;
}

static amount plus(amount a, amount b)
{
    amount sum;
    return amount_add(a, b, &sum) ? sum : AMOUNT_MAX;
}

/* part of whole, in percent, digit by digit, and rounded up; of nothing: the greatest */
static amount percent(amount part, amount whole)
{
    if (whole <= 0 || whole > AMOUNT_MAX / 10)
        return AMOUNT_MAX;
    amount result = part / whole, left = part % whole;
    for (int digit = 0; digit < AMOUNT_EXP + 2; digit++) {
        if (result > AMOUNT_MAX / 10 - 1)
            return AMOUNT_MAX;
        result = result * 10 + left * 10 / whole;
        left = left * 10 % whole;
    }
    return result + (left != 0);
}

/* In the quote asset; of an inverse contract what its quantity is worth. */
static amount worth(const struct instrument *instrument, weir_px px, amount qty)
{
    amount units = product_units(instrument, px, narrow(size_of(qty))), out;
    if (__builtin_mul_overflow(units, (amount)pow10_of(AMOUNT_EXP - instrument->product_exp), &out))
        return AMOUNT_MAX;
    return out;
}

static amount worth_now(const struct instrument *instrument, amount qty)
{
    bool inverse = instrument->is.kind == WEIR_INVERSE;
    if (qty == 0)
        return 0;
    if (!inverse && instrument->reference_x2 <= 0)
        return AMOUNT_MAX;
    amount twice = worth(instrument, instrument->reference_x2, qty);
    return inverse || twice == AMOUNT_MAX ? twice : twice / 2;
}

/* The scope's part of an instrument; NULL: none. */
static const struct holding *part_of(const struct asked *asked, uint32_t n)
{
    const struct instrument *instrument = &asked->engine->instruments[n];
    uint32_t id = asked->of->id, held = 0;
    switch (asked->scope) {
    case SCOPE_host: return &instrument->own;
    case SCOPE_venue: return instrument->venue == id ? &instrument->own : NULL;
    case SCOPE_account: return instrument->account == id ? &instrument->own : NULL;
    case SCOPE_instrument: return n == id ? &instrument->own : NULL;
    case SCOPE_group: held = holding_find(asked->engine, n, GROUP_OWNER + id); break;
    default: held = holding_find(asked->engine, n, id); break;
    }
    return held ? &asked->engine->holdings[held] : NULL;
}

static bool is_wished(const struct asked *asked, uint32_t n)
{
    return asked->view->instrument->is.msg.instrument == n;
}

/* Position with all orders of the side that makes it largest, and with this one. */
static amount widest(const struct asked *asked, uint32_t n, const struct holding *holding)
{
    amount side[2] = {holding->exposure[WEIR_BUY] + holding->now.qty,
                      holding->exposure[WEIR_SELL] - holding->now.qty};
    if (is_wished(asked, n) && asked->view->outside)
        side[asked->view->wish->side] += asked->view->wish->worst - asked->view->own_counted;
    amount most = side[0] > side[1] ? side[0] : side[1];
    return most > 0 ? most : 0;
}

static amount gross_of(const struct asked *asked)
{
    amount sum = 0;
    for (uint32_t n = 1; n <= asked->engine->instrument_count; n++) {
        const struct holding *holding = part_of(asked, n);
        if (holding)
            sum = plus(sum, worth_now(&asked->engine->instruments[n], widest(asked, n, holding)));
    }
    return sum;
}

static amount wished_qty(const struct asked *asked)
{
    const struct wish *wish = asked->view->wish;
    return wish->side == WEIR_BUY ? wish->worst : -(amount)wish->worst;
}

static bool is_of(const struct asked *asked, uint32_t n)
{
    const struct order *order = &asked->engine->orders[n];
    uint32_t id = asked->of->id;
    switch (asked->scope) {
    case SCOPE_host: return true;
    case SCOPE_venue: return asked->engine->more[n].venue == id;
    case SCOPE_account: return asked->engine->more[n].account == id;
    case SCOPE_instrument: return order->instrument == id;
    case SCOPE_group: return strategy_of(asked->engine, order->strategy)->parent == id;
    default: return order->strategy == id;
    }
}

/* Worth of the orders of a list, at their own prices; only_unknown: of those in doubt. */
static amount orders_worth(const struct asked *asked, uint32_t first, bool only_unknown)
{
    const struct engine *engine = asked->engine;
    amount sum = 0;
    for (uint32_t n = first; n; n = engine->more[n].list_next)
        if (n != asked->view->wish->order && is_of(asked, n) &&
            (!only_unknown || order_label_of(&engine->orders[n]) == ORDER_UNKNOWN))
            sum = plus(sum, worth(&engine->instruments[engine->orders[n].instrument],
                                  engine->more[n].hold_px, engine->more[n].counted));
    return sum;
}

/* --- prices -------------------------------------------------------------------------------------- */

static bool spread(const struct asked *asked, amount *out)
{
    const struct weir_top *top = &asked->view->instrument->top;
    *out = top->bid > 0 && top->ask > 0
               ? percent(2 * ((amount)top->ask - top->bid), (amount)top->ask + top->bid)
               : AMOUNT_MAX;
    return true;
}

/* What it would take of what the best price shows. */
static bool impact(const struct asked *asked, amount *out)
{
    const struct wish *wish = asked->view->wish;
    const struct weir_top *top = &asked->view->instrument->top;
    bool buys = wish->side == WEIR_BUY;
    weir_px best = buys ? top->ask : top->bid;
    bool takes = wish->type == WEIR_MARKET || (buys ? wish->px >= best : wish->px <= best);
    if (best > 0 && !takes)
        return false;
    *out = best > 0 ? percent(wish->qty, buys ? top->ask_qty : top->bid_qty) : AMOUNT_MAX;
    return true;
}

static bool volatility(const struct asked *asked, amount *out)
{
    const struct instrument *instrument = asked->view->instrument;
    weir_px high =
        instrument->high[0] > instrument->high[1] ? instrument->high[0] : instrument->high[1];
    weir_px low = instrument->low[1] > 0 && instrument->low[1] < instrument->low[0]
                      ? instrument->low[1]
                      : instrument->low[0];
    *out = low > 0 ? percent((amount)high - low, low) : 0;
    return true;
}

/* --- sizes and exposures --------------------------------------------------------------------------- */

static bool open_notional(const struct asked *asked, amount *out)
{
    const struct engine *engine = asked->engine;
    *out = plus(orders_worth(asked, engine->live_first, false),
                orders_worth(asked, engine->held_first, false));
    *out = plus(*out, worth(asked->view->instrument, asked->view->px, asked->view->wish->worst));
    return true;
}

static bool gross(const struct asked *asked, amount *out)
{
    *out = gross_of(asked);
    return true;
}

static bool net(const struct asked *asked, amount *out)
{
    amount sum = 0;
    for (uint32_t n = 1; n <= asked->engine->instrument_count; n++) {
        const struct holding *holding = part_of(asked, n);
        amount qty = holding ? holding->now.qty : 0;
        if (is_wished(asked, n))
            qty += wished_qty(asked);
        amount value = worth_now(&asked->engine->instruments[n], qty);
        if (value == AMOUNT_MAX || !amount_add(sum, qty < 0 ? -value : value, &sum)) {
            *out = AMOUNT_MAX;
            return true;
        }
    }
    *out = size_of(sum);
    return true;
}

/* Of one base asset, over all instruments and venues. */
static bool asset_qty(const struct asked *asked, amount *out)
{
    const struct instrument *wished = asked->view->instrument;
    amount sum = 0;
    for (uint32_t n = 1; n <= asked->engine->instrument_count; n++) {
        const struct instrument *instrument = &asked->engine->instruments[n];
        const struct holding *holding = part_of(asked, n);
        if (instrument->base != wished->base || instrument->is.kind == WEIR_INVERSE)
            continue;
        amount qty =
            (holding ? holding->now.qty : 0) + (is_wished(asked, n) ? wished_qty(asked) : 0);
        int places = instrument->is.qty_exp + instrument->multiplier_exp;
        if (__builtin_mul_overflow(qty, (amount)instrument->multiplier, &qty) ||
            __builtin_mul_overflow(qty, (amount)pow10_of(AMOUNT_EXP - places), &qty) ||
            !amount_add(sum, qty, &sum)) {
            *out = AMOUNT_MAX;
            return true;
        }
    }
    *out = size_of(sum);
    return wished->is.kind != WEIR_INVERSE;
}

/* This instrument's part of all that the scope is exposed to. */
static bool concentration(const struct asked *asked, amount *out)
{
    uint32_t n = asked->view->instrument->is.msg.instrument;
    const struct holding *holding = part_of(asked, n);
    amount all = gross_of(asked);
    if (asked->scope == SCOPE_instrument || all == 0)
        return false;
    *out = holding && all < AMOUNT_MAX
               ? percent(worth_now(asked->view->instrument, widest(asked, n, holding)), all)
               : AMOUNT_MAX;
    return true;
}

/* Exposure by what the account has of the quote asset. */
static bool leverage(const struct asked *asked, amount *out)
{
    const struct instrument *instrument = asked->view->instrument;
    const struct purse *purse = purse_at(asked->engine, instrument->account, instrument->quote);
    amount times = percent(gross_of(asked), purse->total);
    *out = times == AMOUNT_MAX ? times : times / 100;
    return true;
}

static bool unknown_orders(const struct asked *asked, amount *out)
{
    const struct engine *engine = asked->engine;
    *out = 0;
    for (uint32_t n = engine->live_first; engine->counts.unknown_orders && n;
         n = engine->more[n].list_next)
        if (is_of(asked, n) && order_label_of(&engine->orders[n]) == ORDER_UNKNOWN)
            *out += one();
    return true;
}

static bool unknown_notional(const struct asked *asked, amount *out)
{
    *out = asked->engine->counts.unknown_orders
               ? orders_worth(asked, asked->engine->live_first, true)
               : 0;
    return true;
}

/* --- pace and losses, as course.c counted them ---------------------------------------------------------- */

static bool window_notional(const struct asked *asked, amount *out)
{
    const struct course *course = &asked->of->course;
    weir_ns past = asked->engine->now - course->window_begun, window = asked->of->throttle_window;
    amount sent = past < window       ? plus(course->sent[0], course->sent[1])
                  : past / 2 < window ? course->sent[0]
                                      : 0;
    *out = plus(sent, worth(asked->view->instrument, asked->view->px, asked->view->wish->worst));
    return asked->of->throttle_window > 0;
}

enum { RATIO_FROM = 100 }; /* sends in a day before their ratio says anything */

static bool order_trade_ratio(const struct asked *asked, amount *out)
{
    const struct course *course = &asked->of->course;
    bool today = course->day == course_day(asked->engine);
    uint64_t sends = (today ? course->sends : 0) + 1;
    *out = amount_from((int64_t)sends, 0) / (amount)((today ? course->fills : 0) + 1);
    return sends > RATIO_FROM;
}

static bool orders_day(const struct asked *asked, amount *out)
{
    const struct course *course = &asked->of->course;
    bool today = course->day == course_day(asked->engine);
    *out = amount_from((int64_t)(today ? course->sends : 0) + 1, 0);
    return true;
}

/* The same order once more, within a second of the last. */
static bool repeats(const struct asked *asked, amount *out)
{
    const struct course *course = &asked->of->course;
    const struct wish *wish = asked->view->wish;
    bool same = course->last_instrument == asked->view->instrument->is.msg.instrument &&
                course->last_px == wish->px && course->last_qty == wish->qty &&
                course->last_side == wish->side &&
                asked->engine->now - course->last_sent < 1000000000;
    *out = amount_from(same ? (int64_t)course->repeats + 1 : 1, 0);
    return true;
}

static bool day_loss(const struct asked *asked, amount *out)
{
    *out = course_day_loss(asked->of);
    return true;
}
static bool drawdown(const struct asked *asked, amount *out)
{
    *out = course_drawdown(asked->of);
    return true;
}
static bool losing_streak(const struct asked *asked, amount *out)
{
    *out = amount_from(asked->of->course.streak, 0);
    return true;
}

static bool window_loss(const struct asked *asked, amount *out)
{
    *out = course_window_loss(asked->engine, asked->of);
    return true;
}

/* A request that is signed with a time that the venue does not believe is refused, or worse. */
static bool clock_offset(const struct asked *asked, amount *out)
{
    const struct venue_clock *clock = &asked->engine->clocks[asked->view->instrument->venue];
    *out = clock->told ? size_of(amount_from(clock->ahead, 6)) : AMOUNT_MAX;
    return true;
}

/* --- the table ------------------------------------------------------------------------------------------ */

enum binds { OF_PRICES /* what goes out now */, OF_RISK /* what adds to a position */ };
/* clang-format off */
static const struct {
    uint8_t check, limit, binds;
    bool (*read)(const struct asked *asked, amount *out); /* false: it does not apply */
} rows[] = {
#define ROW(check, limit, binds, read) {CHECK_##check, LIMIT_##limit, binds, read}
    ROW(MAX_SPREAD,            max_spread_pct,        OF_PRICES, spread),
    ROW(MAX_IMPACT,            max_impact_pct,        OF_PRICES, impact),
    ROW(MAX_VOLATILITY,        max_volatility_pct,    OF_PRICES, volatility),
    ROW(MAX_OPEN_NOTIONAL,     max_open_notional,     OF_RISK,   open_notional),
    ROW(MAX_GROSS,             max_gross,             OF_RISK,   gross),
    ROW(MAX_NET,               max_net,               OF_RISK,   net),
    ROW(MAX_ASSET_QTY,         max_asset_qty,         OF_RISK,   asset_qty),
    ROW(MAX_CONCENTRATION,     max_concentration_pct, OF_RISK,   concentration),
    ROW(MAX_LEVERAGE,          max_leverage,          OF_RISK,   leverage),
    ROW(MAX_WINDOW_NOTIONAL,   max_window_notional,   OF_RISK,   window_notional),
    ROW(MAX_ORDER_TRADE_RATIO, max_order_trade_ratio, OF_RISK,   order_trade_ratio),
    ROW(MAX_REPEATS,           max_repeats,           OF_RISK,   repeats),
    ROW(MAX_ORDERS_DAY,        max_orders_day,        OF_RISK,   orders_day),
    ROW(MAX_DAY_LOSS,          max_day_loss,          OF_RISK,   day_loss),
    ROW(MAX_DRAWDOWN,          max_drawdown,          OF_RISK,   drawdown),
    ROW(MAX_LOSING_STREAK,     max_losing_streak,     OF_RISK,   losing_streak),
    ROW(MAX_UNKNOWN_ORDERS,    max_unknown_orders,    OF_RISK,   unknown_orders),
    ROW(MAX_UNKNOWN_NOTIONAL,  max_unknown_notional,  OF_RISK,   unknown_notional),
    ROW(MAX_CLOCK_OFFSET,      max_clock_offset_ms,   OF_RISK,   clock_offset),
    ROW(MAX_WINDOW_LOSS,       max_window_loss,       OF_RISK,   window_loss),
#undef ROW
};
/* clang-format on */
_Static_assert(sizeof rows / sizeof rows[0] == FURTHER_CHECK_COUNT, "every check has its row");

void further_read(const struct risk_view *view, struct readings *readings)
{
    bool reduces = view_reduces(view);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool idle = rows[i].binds == OF_PRICES ? view->wish->waits != 0 : reduces;
        for (uint8_t scope = 0; !idle && scope < RISK_SCOPE_COUNT; scope++) {
            const struct card *card = view->cards[scope];
            struct asked asked = {view->engine, view, scope, card->scope};
            amount value, limit;
            if (!(view->given[scope] & 1u << rows[i].limit) || !rows[i].read(&asked, &value))
                continue;
            struct risk_reading reading = {.check = rows[i].check, .scope = scope};
            limit = card->scope->limits[rows[i].limit].value;
            reading_of_amounts(&reading, value, limit);
            reading.failed = value > limit;
            reading_put(readings, &reading);
        }
    }
}
