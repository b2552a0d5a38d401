/* further_test.c - the checks beyond the contract's, each at its edge: the last value that passes, and
 * the first that does not; and what is done when something that is watched all the time is over. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "engine/support_story.h"

#define TOLD(...) ((const char *const[]){__VA_ARGS__, NULL})

Test(further, prices)
{
    story("spread", TOLD("limit host max_spread_pct 2 |", "submit a buy 1 @ 99 | deny=MAX_SPREAD",
                         "top 99 101 |", "submit b buy 1 @ 99 | deny=", "top 99 101.01 |",
                         "submit c buy 1 @ 99 | deny=MAX_SPREAD"));
    story("impact: of what takes, in percent of the best price's",
          TOLD("limit host max_impact_pct 50 |", "top 99 101 size=2 |",
               "submit a buy 1 @ 101 | deny=", "submit b buy 1.001 @ 101 | deny=MAX_IMPACT",
               "submit c buy 5 @ 100 | deny=", "submit d sell 1.001 @ market | deny=MAX_IMPACT",
               "submit e sell 1 @ 99 to=venue | deny="));
    story("volatility: this minute and the one before",
          TOLD("limit instrument:X max_volatility_pct 10 |", "mark 100 |", "mark 110 |",
               "submit a buy 1 @ 100 | deny=", "mark 110.01 |",
               "submit b buy 1 @ 100 | deny=MAX_VOLATILITY", "at 60000 |", "mark 105 |",
               "submit c buy 1 @ 100 | deny=MAX_VOLATILITY", "at 120000 |", "mark 105 |",
               "submit d buy 1 @ 100 | deny="));
    story("what is held is not bound by prices until it goes",
          TOLD("caps |", "mark 100 |", "limit host max_spread_pct 2 |", "top 90 110 |",
               "submit a buy 1 @ market type=stop trigger=120 | a=HELD",
               "top 119 125 | a=DENIED a.reason=MAX_SPREAD"));
}

Test(further, sizes_and_exposures)
{
    story("open notional, held orders too",
          TOLD("caps |", "mark 100 |", "limit account:account max_open_notional 300 |",
               "submit a buy 1 @ 100 |", "submit b buy 1 @ market type=stop trigger=110 | b=HELD",
               "submit c buy 1 @ 100 | deny=", "submit d buy 0.001 @ 100 | deny=MAX_OPEN_NOTIONAL",
               "reject a NO |", "submit e buy 1 @ 100 | deny="));
    story("gross: each instrument at its worst",
          TOLD("mark 100 |", "mark 10 on=Y |", "limit host max_gross 400 |",
               "submit a buy 2 @ 90 |", "submit b sell 20 @ 11 on=Y | deny=",
               "submit c buy 20 @ 9 on=Y | deny=", "submit d buy 0.001 @ 9 on=Y | deny=MAX_GROSS"));
    story("net: long less short",
          TOLD("mark 100 |", "mark 10 on=Y |", "limit host max_net 100 |", "submit a buy 1 @ 100 |",
               "fill a x1 1 @ 100 |", "submit b buy 0.001 @ 100 | deny=MAX_NET",
               "submit c sell 10 @ 10 on=Y | deny=", "fill c x2 10 @ 10 |",
               "submit d buy 1 @ 100 | deny="));
    story("one who only reduces gets out",
          TOLD("mark 100 |", "submit a buy 2 @ 100 |", "fill a x1 2 @ 100 |",
               "limit host max_gross 100 |", "submit b buy 1 @ 100 | deny=MAX_GROSS",
               "submit c sell 2 @ 100 | deny=", "submit d sell 1 @ 100 | deny=MAX_GROSS"));
    story("a base asset over instruments: contracts count by their multiplier",
          TOLD("mark 100 |", "limit host max_asset_qty 10 |", "submit a buy 1 @ 100 on=P | deny=",
               "fill a x1 1 @ 100 |", "submit b buy 0.001 @ 100 on=P | deny=MAX_ASSET_QTY",
               "submit c buy 10 @ 100 | deny="));
    story("concentration",
          TOLD("mark 100 |", "mark 100 on=Y |", "submit a buy 1 @ 100 |",
               "limit host max_concentration_pct 60 |", "submit b buy 1.5 @ 100 on=Y | deny=",
               "submit c buy 0.001 @ 100 on=Y | deny=MAX_CONCENTRATION"));
    story("leverage: 10000 USDT",
          TOLD("mark 100 |", "limit account:account max_leverage 0.5 |",
               "submit a buy 50 @ 100 | deny=", "submit b buy 0.001 @ 100 | deny=MAX_LEVERAGE"));
    story("a price that is not known refuses",
          TOLD("limit host max_gross 1000 |", "submit a buy 1 @ 100 | deny=MAX_GROSS"));
    story("of a strategy and of its group only theirs",
          TOLD("mark 100 |", "limit strategy:s1 max_gross 100 |", "limit group:g1 max_gross 150 |",
               "submit a buy 1 @ 100 by=s1 | deny=",
               "submit b buy 0.001 @ 100 by=s1 | deny=MAX_GROSS",
               "submit c buy 0.5 @ 100 by=s2 | deny=",
               "submit d buy 0.001 @ 100 by=s2 | deny=MAX_GROSS",
               "submit e buy 9 @ 100 by=s3 | deny="));
}

Test(further, pace_and_doubt)
{
    story(
        "notional of one to two windows",
        TOLD("mark 100 |", "limit strategy:s1 throttle_max 99 |",
             "limit strategy:s1 throttle_window_ms 100 |",
             "limit strategy:s1 max_window_notional 200 |", "submit a buy 1 @ 100 |",
             "submit b buy 1 @ 100 | deny=", "submit c buy 0.001 @ 100 | deny=MAX_WINDOW_NOTIONAL",
             "at 199 |", "submit d buy 0.001 @ 100 | deny=MAX_WINDOW_NOTIONAL", "at 200 |",
             "submit e buy 2 @ 100 | deny="));
    story("the same again and again",
          TOLD("mark 100 |", "limit strategy:s1 max_repeats 2 |", "submit a buy 1 @ 100 | deny=",
               "submit b buy 1 @ 100 | deny=", "submit c buy 1 @ 100 | deny=MAX_REPEATS",
               "submit d buy 2 @ 100 | deny=", "submit e buy 1 @ 100 | deny=",
               "submit f buy 1 @ 100 | deny=", "at 1000 |", "submit g buy 1 @ 100 | deny="));
    story("of a day",
          TOLD("mark 100 |", "limit strategy:s1 max_orders_day 2 |", "submit a buy 1 @ 100 |",
               "ack a V1 |", "replace a b qty=2 |", "submit c buy 1 @ 100 | deny=MAX_ORDERS_DAY",
               "at 86400000 |", "submit d buy 1 @ 100 | deny="));
    story("orders in doubt, their number and worth",
          TOLD("limit account:account max_unknown_orders 1 |",
               "limit host max_unknown_notional 250 |", "submit a buy 1 @ 100 |",
               "silent a new | a=UNKNOWN", "submit b buy 2 @ 100 | deny=", "silent b new |",
               "submit c buy 1 @ 100 | deny=MAX_UNKNOWN_ORDERS",
               "limit account:account max_unknown_orders none |",
               "submit d buy 1 @ 100 | deny=MAX_UNKNOWN_NOTIONAL", "ack b V2 |",
               "submit e buy 1 @ 100 | deny="));
}

static void many_sends(void)
{
    struct desk desk;
    struct engine_sizes sizes = desk_sizes();
    char line[100];
    desk_open(&desk, &sizes);
    desk_tell(&desk, "ratio", TOLD("limit strategy:s1 max_order_trade_ratio 60 |"));
    for (int i = 0; i < 100; i++) {
        snprintf(line, sizeof line, "submit o%d buy 1 @ 100 | deny=", i);
        desk_tell(&desk, "ratio", TOLD(line));
        snprintf(line, sizeof line, "reject o%d NO |", i);
        desk_tell(&desk, "ratio", TOLD(line));
    }
    desk_tell(&desk, "ratio",
              TOLD("submit a buy 1 @ 100 | deny=MAX_ORDER_TRADE_RATIO", "fill o99 x1 1 @ 100 |",
                   "submit b buy 1 @ 100 | deny="));
    desk_close(&desk);
}

/* What leaves, not what is said of it. */
static const struct weir_intent *last_new(const struct desk *desk)
{
    const struct weir_intent *found = NULL;
    for (size_t at = 0; at < desk->effects_len;) {
        const struct weir_msg *msg = (const void *)(desk->effects + at);
        if (msg->kind == WEIR_NEW)
            found = (const void *)msg;
        at += msg->size;
    }
    return found;
}

Test(further, a_market_order_has_a_worst_price)
{
    static const struct {
        const char *lines[4];
        int type, tif, px;
    } cases[] = {
        {{"mark 100.01 |", "submit a buy 1 @ market |"}, WEIR_MARKET, WEIR_GTC, 0},
        {{"policy market_cap 20000000 |", "mark 100.01 |", "submit b buy 1 @ market |"},
         WEIR_LIMIT,
         WEIR_IOC,
         10201},
        {{"submit c sell 1 @ market |"}, WEIR_LIMIT, WEIR_IOC, 9801},
        {{"top 99 100.01 |", "submit d buy 1 @ market |"}, WEIR_LIMIT, WEIR_IOC, 10149},
        {{"submit e buy 1 @ 90 |"}, WEIR_LIMIT, WEIR_GTC, 9000},
        {{"rules X tick=0.5 |", "submit f sell 1 @ market |"}, WEIR_LIMIT, WEIR_IOC, 9800},
        {{"policy market_cap 999999999 |", "submit g sell 1 @ market |"}, WEIR_LIMIT, WEIR_IOC, 50},
    };
    struct engine_sizes sizes = desk_sizes();
    struct desk desk;
    desk_open(&desk, &sizes);
    desk.keep_effects = true;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        desk_tell(&desk, "worst price", cases[i].lines);
        const struct weir_intent *out = last_new(&desk);
        cr_assert_not_null(out, "case %zu", i);
        cr_expect(out->type == cases[i].type && out->px == cases[i].px && out->tif == cases[i].tif,
                  "case %zu: type %d tif %d px %lld", i, out->type, out->tif, (long long)out->px);
    }
    desk_close(&desk);
}

Test(further, the_venues_clock)
{
    story("unknown, too far either way, near enough; what reduces goes out",
          TOLD("mark 100 |", "submit z buy 1 @ 100 | deny=", "fill z x1 1 @ 100 |",
               "limit venue:venue max_clock_offset_ms 500 |",
               "submit a buy 1 @ 100 | deny=MAX_CLOCK_OFFSET", "clock 500 |",
               "submit b buy 1 @ 100 | deny=", "clock 501 |",
               "submit c buy 1 @ 100 | deny=MAX_CLOCK_OFFSET", "clock -501 |",
               "submit d buy 1 @ 100 | deny=MAX_CLOCK_OFFSET",
               "submit e sell 1 @ 100 | deny=", "clock -500 |", "submit f buy 1 @ 100 | deny="));
}

Test(further, orders_by_trades)
{
    many_sends();
}

Test(further, losses_are_watched_and_checked)
{
    story("of a day: halted, once, until the operator says else",
          TOLD("mark 100 |", "limit strategy:s1 max_day_loss 10 |", "submit a buy 1 @ 100 |",
               "fill a x1 1 @ 100 |", "submit r buy 1 @ 80 |", "ack r V1 |",
               "mark 90 | quiet=GUARD",
               "mark 89.99 | alert=GUARD state.strategy:s1=HALTED r=PENDING_CANCEL",
               "mark 89 | quiet=GUARD", "submit b buy 1 @ 90 | deny=TRADING_STATE",
               "submit c buy 1 @ 90 by=s2 | deny=", "state strategy:s1 ACTIVE |",
               "submit b2 buy 1 @ 90 | deny=MAX_DAY_LOSS", "submit d sell 1 @ 90 | deny=",
               "at 86400000 |", "mark 89 |", "submit e buy 1 @ 89 | deny="));
    story("of a window: the worse of this one and the one before",
          TOLD("mark 100 |", "policy loss_window_ns 1000000000 |",
               "limit strategy:s1 max_window_loss 10 |", "submit a buy 1 @ 100 |",
               "fill a x1 1 @ 100 |", "wait 500 |", "mark 92 |", "submit b buy 1 @ 90 | deny=",
               "wait 700 |", "mark 90 |", "submit c buy 1 @ 90 | deny=", "mark 89.99 |",
               "submit d buy 1 @ 90 | deny=MAX_WINDOW_LOSS", "submit e sell 1 @ 90 | deny=",
               "wait 700 |", "submit f buy 1 @ 90 | deny=MAX_WINDOW_LOSS", "wait 400 |",
               "submit g buy 1 @ 90 | deny=", "mark 79.98 |",
               "submit h buy 1 @ 80 | deny=MAX_WINDOW_LOSS", "wait 5000 |",
               "submit i buy 1 @ 80 | deny="));
    story("drawdown: from the best",
          TOLD("mark 100 |", "policy on_drawdown 1 |", "limit account:account max_drawdown 10 |",
               "submit a buy 1 @ 100 |", "fill a x1 1 @ 100 |", "mark 120 |",
               "mark 110 | quiet=GUARD",
               "mark 109.99 | alert=GUARD "
               "state.account:account=REDUCE_ONLY",
               "submit b buy 1 @ 100 | deny=TRADING_STATE", "submit c sell 1 @ 100 | deny="));
    story("a streak",
          TOLD("mark 100 |", "limit strategy:s1 max_losing_streak 1 |", "submit a buy 5 @ 100 |",
               "fill a x1 5 @ 100 |", "submit b sell 5 @ 100 |", "ack b V1 |",
               "fill b x2 1 @ 99 | quiet=GUARD", "fill b x3 1 @ 101 | quiet=GUARD",
               "fill b x4 1 @ 99 | quiet=GUARD",
               "fill b x5 1 @ 99 | alert=GUARD state.strategy:s1=CANCEL_ONLY "
               "b=PENDING_CANCEL"));
    story("one trade",
          TOLD("mark 100 |", "limit host max_trade_loss 5 |", "submit a buy 2 @ 100 |",
               "fill a x1 2 @ 100 |", "submit b sell 2 @ 90 |", "fill b x2 1 @ 95 | quiet=GUARD",
               "fill b x3 1 @ 94.99 | alert=GUARD state.host=ACTIVE"));
}

Test(further, what_is_watched_has_an_action)
{
    story("executions that run away",
          TOLD("policy runaway_fills 2 |", "submit a buy 9 @ 100 |", "ack a V1 |",
               "fill a x1 1 @ 100 |", "fill a x2 1 @ 100 | quiet=GUARD",
               "fill a x3 1 @ 100 | alert=GUARD state.strategy:s1=HALTED a=PENDING_CANCEL",
               "submit b buy 1 @ 100 by=s2 | deny="));
    story("and those that do not",
          TOLD("policy runaway_fills 2 |", "submit a buy 9 @ 100 |", "fill a x1 1 @ 100 |",
               "fill a x2 1 @ 100 |", "at 1000 |", "fill a x3 1 @ 100 | quiet=GUARD"));
    story("a late acknowledgement",
          TOLD("policy slow_ack_ns 100000000 |", "policy on_slow_ack 1 |", "submit a buy 1 @ 100 |",
               "at 100 |", "ack a V1 | quiet=GUARD", "submit b buy 1 @ 100 |", "at 201 |",
               "ack b V2 | alert=GUARD state.venue:venue=REDUCE_ONLY"));
    story("stale data, while something is held",
          TOLD("policy on_stale_data 2 |", "book STALE | quiet=GUARD", "mark 100 |",
               "submit a buy 1 @ 100 |", "fill a x1 1 @ 100 |",
               "book GAPPED | alert=GUARD state.instrument:X=CANCEL_ONLY"));
    story("a mismatch", TOLD("policy on_mismatch 3 |", "up |", "begin |", "position X 1 |",
                             "end positions | alert=GUARD state.instrument:X=HALTED"));
    story("the journal", TOLD("policy on_journal_lag 2 |", "submit a buy 1 @ 100 |", "ack a V1 |",
                              "journal 1 | alert=GUARD state.host=CANCEL_ONLY a=PENDING_CANCEL"));
    story("flatten: cancel, then close what the strategy holds, when the cancels are through",
          TOLD("mark 100 |", "policy on_day_loss 4 |", "limit strategy:s1 max_day_loss 10 |",
               "submit a buy 2 @ 100 |", "fill a x1 2 @ 100 |", "submit r sell 2 @ 120 |",
               "ack r V1 |", "mark 90 | state.strategy:s1=REDUCE_ONLY r=PENDING_CANCEL sent=2/1/0",
               "fill r x2 0.5 @ 120 | pos=1.5", "canceled r cum=0.5 |", "wait 100 | sent=3/1/0",
               "found-fill V9 sell x9 1.5 @ 90 | sent=3/1/0"));
    story("flatten: what nobody here bought, too, if the scope is wider than a strategy",
          TOLD("mark 100 |", "policy on_drawdown 4 |", "limit account:account max_drawdown 10 |",
               "found-fill V9 buy x9 2 @ 100 manual | EXTERNAL.pos=2 sent=0/0/0",
               "submit a buy 1 @ 100 |", "fill a x1 1 @ 100 | pos=3 sent=1/0/0",
               "mark 90 | state.account:account=REDUCE_ONLY sent=3/0/0"));
    story("flatten: nothing is left when its turn comes",
          TOLD("mark 100 |", "policy on_day_loss 4 |", "limit strategy:s1 max_day_loss 10 |",
               "submit a buy 2 @ 100 |", "fill a x1 2 @ 100 |", "submit r sell 2 @ 120 |",
               "ack r V1 |", "mark 90 | r=PENDING_CANCEL", "fill r x2 2 @ 120 | pos=0",
               "wait 500 | sent=2/1/0 deny=TRADING_STATE"));
}
