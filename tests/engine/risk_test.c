/* risk_test.c - each check from the last value that passes to the first that does not. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "engine/ledger.h"
#include "engine/state.h"
#include "engine/support_story.h"

/* stories are tables: one line each */
/* clang-format off */
#define TOLD(...) ((const char *const[]){__VA_ARGS__, NULL})

Test(risk, each_limit_at_its_edge_in_every_scope)
{
    static const char *const scopes[] = {"host", "venue:venue", "account:account", "group:g1", "strategy:s1", "instrument:X"};
    static const struct {
        const char *limit, *value, *before, *passes, *fails, *why;
    } edges[] = {
        {"max_order_qty", "5", "mark 100 |", "buy 5 @ 100", "buy 5.001 @ 100", "MAX_ORDER_QTY"},
        {"max_order_qty", "0", "mark 100 |", NULL, "buy 0.001 @ 100", "MAX_ORDER_QTY"},
        {"max_order_qty", "100000000000000000", "mark 100 |", "buy 9000000000000 @ 0.01", NULL, NULL},
        {"max_order_notional", "100000000000000000", "mark 100 |", "buy 5 @ 100", NULL, NULL},
        {"max_order_notional", "100000000000000", "mark 100 |", "buy 900000000000 @ 100.01", "buy 9000000000000 @ 100.01", "MAX_ORDER_NOTIONAL"},
        {"max_position", "100000000000000000", "mark 100 |", "sell 9000000000000 @ 0.01", NULL, NULL},
        {"max_order_notional", "500", "mark 100 |", "buy 5 @ 100", "buy 5 @ 100.01", "MAX_ORDER_NOTIONAL"},
        {"max_order_notional", "500", "mark 100 |", "buy 5 @ market", "buy 5.001 @ market", "MAX_ORDER_NOTIONAL"},
        {"max_order_notional", "500.0000000001", "mark 100 |", "buy 5 @ 100", "buy 5.001 @ 100", "MAX_ORDER_NOTIONAL"},
        {"max_position", "5", "mark 100 |", "buy 5 @ 100", "buy 5.001 @ 100", "MAX_POSITION"},
        {"max_position", "5", "mark 100 |", "sell 5 @ 100", "sell 5.001 @ 100", "MAX_POSITION"},
        {"max_position", "5", "submit z buy 3 @ 99 |", "buy 2 @ 100", "buy 2.001 @ 100", "MAX_POSITION"},
        {"price_band_pct", "1", "mark 100 |", "buy 1 @ 101", "buy 1 @ 101.01", "PRICE_BAND"},
        {"price_band_pct", "1", "mark 100 |", "sell 1 @ 99", "sell 1 @ 98.99", "PRICE_BAND"},
        {"price_band_pct", "0.5", "top 99.99 100.02 |", "buy 1 @ 100.50", "buy 1 @ 100.51", "PRICE_BAND"},
        {"max_open_orders", "2", "submit z buy 1 @ 99 |", "buy 1 @ 99", NULL, NULL},
        {"max_open_orders", "1", "submit z buy 1 @ 99 |", NULL, "buy 1 @ 99", "MAX_OPEN_ORDERS"},
        {"check_balance", "1", "mark 100 |", "buy 100 @ 100", "buy 100.001 @ 100", "INSUFFICIENT_BALANCE"},
        {"check_balance", "1", "submit z buy 60 @ 100 |", "buy 40 @ 100", "buy 40.001 @ 100", "INSUFFICIENT_BALANCE"},
        {"check_balance", "1", "transfer X 5 t1 |", "sell 5 @ 100", "sell 5.001 @ 100", "INSUFFICIENT_BALANCE"},
        {"check_balance", "0", "mark 100 |", "buy 1000 @ 100", NULL, NULL},
        {"self_cross", "1", "submit z sell 1 @ 100 |", "buy 1 @ 99.99", "buy 1 @ 100", "SELF_CROSS"},
        {"self_cross", "1", "submit z buy 1 @ 100 |", "sell 1 @ 100.01", "sell 1 @ 100", "SELF_CROSS"},
        {"self_cross", "1", "submit z sell 1 @ 100 |", NULL, "buy 1 @ market", "SELF_CROSS"},
        {"self_cross", "0", "submit z sell 1 @ 100 |", "buy 1 @ 101", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++)
        for (size_t s = 0; s < sizeof scopes / sizeof scopes[0]; s++) {
            char limit[100], passes[100] = "check |", fails[150] = "check |", name[100];
            snprintf(name, sizeof name, "%s %s at %s", edges[i].limit, edges[i].value, scopes[s]);
            snprintf(limit, sizeof limit, "limit %s %s %s |", scopes[s], edges[i].limit, edges[i].value);
            if (edges[i].fails)
                snprintf(fails, sizeof fails, "submit b %s | deny=%s b=DENIED:0 b.reason=%s b.exposure=0", edges[i].fails, edges[i].why, edges[i].why);
            if (edges[i].passes)
                snprintf(passes, sizeof passes, "submit a %s | deny= a=PENDING_NEW", edges[i].passes);
            story(name, TOLD(edges[i].before, limit, fails, passes));
        }
}

Test(risk, a_scope_does_not_bind_others)
{
    static const char *const others[] = {"group:g1", "strategy:s1", "strategy:s2", "instrument:Y", "instrument:P"};
    static const char *const limits[] = {"max_order_qty", "max_order_notional", "max_position", "price_band_pct", "max_open_orders", "throttle_max"};
    for (size_t s = 0; s < sizeof others / sizeof others[0]; s++)
        for (size_t l = 0; l < sizeof limits / sizeof limits[0]; l++) {
            char limit[100], window[100];
            snprintf(limit, sizeof limit, "limit %s %s 0 |", others[s], limits[l]);
            snprintf(window, sizeof window, "limit %s throttle_window_ms 1000 |", others[s]);
            story(limit, TOLD(limit, window, "mark 100 |", "submit a buy 5 @ 100.01 by=s3 | deny= a=PENDING_NEW"));
        }
    story("a strategy's position is its own, the account's everybody's", TOLD(
        "limit strategy:s1 max_position 5    |",
        "limit group:g1 max_position 8       |",
        "limit account:account max_position 10 |",
        "submit a buy 5 @ 100 by=s1          | deny=",
        "fill a x1 5 @ 100                   |",
        "submit b buy 0.001 @ 100 by=s1      | deny=MAX_POSITION",
        "submit c buy 3 @ 100 by=s2          | deny=",
        "submit d buy 0.001 @ 100 by=s2      | deny=MAX_POSITION",
        "submit e buy 2 @ 100 by=s3          | deny=",
        "submit f buy 0.001 @ 100 by=s3      | deny=MAX_POSITION",
        "submit g buy 5 @ 100 by=s3 on=Y     | deny=",
        "submit h sell 10 @ 100 by=s1        | deny=",
        "submit i sell 0.001 @ 100 by=s1     | deny=MAX_POSITION"));
}

Test(risk, checks_without_a_limit)
{
    story("tick, step and minimum", TOLD(
        "rules X tick=0.05 step=0.5 min=10   |",
        "submit a buy 1 @ 100.02             | deny=TICK a=DENIED",
        "submit b buy 1.2 @ 100.05           | deny=STEP",
        "submit c buy 0.5 @ 19.95            | deny=MIN_NOTIONAL",
        "submit d buy 0.5 @ 20               | deny=",
        "submit e buy 1 @ 0                  | deny=TICK",
        "submit f buy 1 @ -1                 | deny=TICK",
        "submit g buy 0 @ 100                | deny=STEP",
        "submit h buy -1 @ 100               | deny=STEP",
        "submit i buy 0.5 @ market           | deny=",
        "mark 19.98                          |",
        "submit j buy 0.5 @ market           | deny=MIN_NOTIONAL",
        "rules X tick=0 step=0 min=0         |",
        "submit k buy 0.001 @ 0.01           | deny="));
    story("halted by the venue, stale books", TOLD(
        "rules X halted                      |",
        "submit a buy 1 @ 100                | deny=HALTED",
        "submit b buy 1 @ 100 on=Y           | deny=",
        "rules X                             |",
        "submit c buy 1 @ 100                | deny=",
        "book STALE                          | alert=STALE_BOOK",
        "book GAPPED                         | quiet=STALE_BOOK",
        "submit d buy 1 @ 100                | deny=STALE_BOOK",
        "mark 0                              | alert=BAD_PRICE",
        "submit e buy 1 @ 100                | deny=STALE_BOOK",
        "mark 100                            |",
        "submit f buy 1 @ 100                | deny=",
        "book CROSSED                        | alert=STALE_BOOK",
        "book LIVE                           |",
        "submit g buy 1 @ 100                | deny="));
    story("reduce only", TOLD(
        "submit a buy 1 @ 100 reduce         | deny=REDUCE_ONLY",
        "submit b buy 4 @ 100                |",
        "fill b x1 4 @ 100                   | pos=4",
        "submit c buy 1 @ 100 reduce         | deny=REDUCE_ONLY",
        "submit d sell 4.001 @ 100 reduce    | deny=REDUCE_ONLY",
        "submit e sell 3 @ 100 reduce        | deny=",
        "submit f sell 1.001 @ 100 reduce    | deny=REDUCE_ONLY",
        "submit g sell 5 @ 100               | deny=",
        "submit h sell 1 @ 100 reduce        | deny=",
        "fill e x2 3 @ 100                   | pos=1",
        "fill h x3 1 @ 100                   | pos=0",
        "ack g v1                            |",
        "replace g i qty=6                   | deny="));
    story("trading states nest", TOLD(
        "submit z buy 4 @ 100 by=s1          |",
        "fill z x1 4 @ 100                   |",
        "state strategy:s1 REDUCE_ONLY       | state.strategy:s1=REDUCE_ONLY",
        "submit a buy 1 @ 100 by=s1          | deny=TRADING_STATE",
        "submit b sell 4 @ 100 by=s1         | deny=",
        "submit c sell 0.001 @ 100 by=s1     | deny=TRADING_STATE",
        "submit d buy 1 @ 100 by=s2          | deny=",
        "state venue:venue CANCEL_ONLY       |",
        "submit e buy 1 @ 100 by=s2          | deny=TRADING_STATE",
        "cancel d                            | d=PENDING_CANCEL",
        "state venue:venue ACTIVE            |",
        "state host HALTED                   |",
        "submit f buy 1 @ 100 by=s2          | deny=TRADING_STATE",
        "state host ACTIVE                   |",
        "submit g buy 1 @ 100 by=s2          | deny="));
    story("rights, types, places, journal", TOLD(
        "submit a buy 1 @ 100 by=EXTERNAL    | deny=RIGHTS",
        "caps plain                          |",
        "submit b buy 1 @ market type=stop trigger=101 | deny=CAPABILITY",
        "journal 1                           | alert=JOURNAL_FAILED",
        "submit c buy 1 @ 100                | deny=JOURNAL",
        "journal 0                           |",
        "submit d buy 1 @ 100                | deny=",
        "journal 1                           |",
        "cancel d                            | d=PENDING_CANCEL sent=1/1/0"));
    story("the first that fails, in the contract's order, names the reason", TOLD(
        "rules X tick=0.05 step=0.5 min=100  |",
        "limit host max_order_qty 0          |",
        "limit host throttle_max 0           |",
        "limit host throttle_window_ms 1000  |",
        "submit a buy 0.1 @ 1.01             | deny=TICK",
        "submit b buy 0.1 @ 1.05             | deny=STEP",
        "submit c buy 0.5 @ 1.05             | deny=MIN_NOTIONAL",
        "submit d buy 500 @ 1.05             | deny=MAX_ORDER_QTY",
        "limit host max_order_qty none       |",
        "submit e buy 500 @ 1.05             | deny=THROTTLED",
        "down                                |",
        "submit f buy 0.1 @ 1.01             | deny=VENUE_DOWN",
        "rules X tick=0.05 step=0.5 halted   |",
        "submit g buy 0.1 @ 1.01             | deny=HALTED",
        "restart                             |",
        "submit h buy 0.1 @ 1.01             | deny=RECONCILING",
        "submit h buy 0.1 @ 1.01             | deny=DUP_CLIENT_ID alert=DUP_CLIENT_ID",
        "kill                                |",
        "submit h buy 0.1 @ 1.01             | deny=KILL_SWITCH alert=DUP_CLIENT_ID",
        "submit i buy 0.1 @ 1.01             | deny=KILL_SWITCH"));
    story("a replace is judged by the larger quantity for itself, and not counted twice", TOLD(
        "limit instrument:X max_position 10  |",
        "limit host max_open_orders 1        |",
        "limit host self_cross 1             |",
        "submit a buy 8 @ 100                |",
        "ack a v1                            |",
        "replace a b qty=10.001              | deny=MAX_POSITION a=OPEN",
        "replace a c qty=10                  | deny=",
        "replaced a v1                       | c=OPEN",
        "fill c x1 9 @ 100                   | c=PARTIAL",
        "replace c d qty=9.5                 | deny=",
        "replaced c v1                       | d.exposure=0.5",
        "replace d e qty=10                  | deny="));
}

Test(risk, the_throttle_slides)
{
    story("by the engine's time, at the edge of the window", TOLD(
        "limit account:account throttle_max 2 |",
        "limit account:account throttle_window_ms 200 |",
        "at 10                               |",
        "submit a buy 1 @ 100                | deny=",
        "at 20                               |",
        "submit b buy 1 @ 100                | deny=",
        "at 209                              |",
        "submit c buy 1 @ 100                | deny=THROTTLED",
        "at 210                              |",
        "submit d buy 1 @ 100                | deny=",
        "at 211                              |",
        "submit e buy 1 @ 100                | deny=THROTTLED",
        "ack a v1                            |",
        "replace a f qty=2                   | deny=THROTTLED",
        "cancel a                            | a=PENDING_CANCEL",
        "at 220                              |",
        "ack b v2                            |",
        "replace b g qty=2                   | deny=",
        "submit h buy 1 @ 100                | deny=THROTTLED",
        "limit account:account throttle_max 3 |",
        "submit i buy 1 @ 100                | deny=",
        "limit account:account throttle_max 100 |",
        "submit j buy 1 @ 100                | deny=",
        "limit account:account throttle_max 4 |",
        "submit k buy 1 @ 100                | deny=THROTTLED",
        "limit account:account throttle_max none |",
        "submit l buy 1 @ 100                | deny="));
    /* against a plain list of times, over many windows and changes of the limit */
    struct desk desk;
    struct engine_sizes sizes = desk_sizes();
    weir_ns times[4000];
    int sent = 0, max = 1;
    uint64_t state = 7;
    desk_open(&desk, &sizes);
    desk_tell(&desk, "throttle", TOLD("limit host throttle_window_ms 50 |", "limit host throttle_max 1 |"));
    for (int i = 0; i < 3000; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        if (i % 100 == 99) {
            char line[60];
            max = (int)(state >> 60) * 3;
            snprintf(line, sizeof line, "limit host throttle_max %d |", max);
            desk_tell(&desk, "throttle", TOLD(line));
        }
        desk.now += (int64_t)(state >> 40) % 8000000;
        struct in_submit in = {.msg = {.size = sizeof in, .kind = IN_SUBMIT, .venue = 1, .account = 1, .instrument = ON_X},
                               .strategy = 1, .px = 10000, .qty = 1000};
        int in_window = 0;
        for (int k = 0; k < sent; k++)
            in_window += times[k] > desk.now - 50000000;
        desk_apply(&desk, &in);
        bool allowed = desk.decision->allowed;
        cr_assert_eq(allowed, in_window < max, "step %d: %d in the window, at most %d", i, in_window, max);
        if (allowed) {
            times[sent++] = desk.now;
            struct order_view view;
            engine_order(desk.engine, desk.decision->order, &view);
            struct weir_report gone = {.msg = {.size = sizeof gone, .kind = WEIR_CANCELED, .venue = 1, .account = 1}};
            memcpy(gone.client_id, view.order.wire_id, sizeof gone.client_id);
            desk_apply(&desk, &gone);
        }
    }
    desk_close(&desk);
}

Test(risk, losses_stop_trading)
{
    story("the account's, by price and by execution", TOLD(
        "limit host max_loss 50              |",
        "submit a sell 1 @ 2000 on=P         |",
        "fill a x1 1 @ 2000                  | P.pos=-1",
        "mark 2004.99 on=P                   | P.unreal=-49.9 killed=0",
        "mark 2005 on=P                      | P.unreal=-50 killed=1 alert=MAX_LOSS alert=KILL_SWITCH",
        "mark 2006 on=P                      | quiet=MAX_LOSS",
        "release                             | killed=0",
        "mark 2004 on=P                      | killed=0",
        "mark 2005 on=P                      | killed=1"));
    story("a strategy's halts the strategy only", TOLD(
        "limit strategy:s1 max_loss 10       |",
        "submit a buy 1 @ 100 by=s1          |",
        "submit b buy 1 @ 90 by=s1           |",
        "submit c buy 1 @ 90 by=s2           |",
        "fill a x1 1 @ 100                   |",
        "mark 90.01                          | state.strategy:s1=ACTIVE",
        "mark 90                             | state.strategy:s1=HALTED alert=MAX_LOSS killed=0 b=PENDING_CANCEL c=PENDING_NEW",
        "mark 89                             | quiet=MAX_LOSS",
        "submit d sell 1 @ 90 by=s1          | deny=TRADING_STATE",
        "submit e buy 1 @ 90 by=s2           | deny="));
    story("a group's halts the group; realized alone counts too", TOLD(
        "limit group:g1 max_loss 10          |",
        "submit a buy 1 @ 100 by=s1          |",
        "fill a x1 1 @ 100                   |",
        "submit b sell 1 @ 90 by=s2          |",
        "fill b x2 1 @ 90                    | state.group:g1=ACTIVE",
        "submit c sell 1 @ 90 by=s1          |",
        "fill c x3 1 @ 90                    | state.group:g1=HALTED",
        "submit d buy 1 @ 90 by=s2           | deny=TRADING_STATE",
        "submit e buy 1 @ 90 by=s3           | deny="));
    story("an instrument's, and prices that cannot be used", TOLD(
        "limit instrument:X max_loss 5       |",
        "mark -1                             | alert=BAD_PRICE",
        "top 0 100                           | quiet=BAD_PRICE",
        "top -1 100                          | alert=BAD_PRICE",
        "submit a buy 100000000000 @ 100     |",
        "fill a x1 100000000000 @ 100        | killed=0",
        "mark 92233720368547758.07           | alert=BAD_PRICE",
        "mark 99.99                          | killed=1"));
}

Test(risk, live_rules_refuse_what_is_missing)
{
    static const char *const scopes[] = {"host", "account:account", "strategy:s1", "instrument:X"};
    struct desk desk;
    struct engine_sizes sizes = desk_sizes();
    char line[100];
    desk_open(&desk, &sizes);
    desk_tell(&desk, "live", TOLD(
        "policy strict 1                     |",
        "submit a buy 1 @ 100                | deny=VENUE_DOWN",
        "up                                  | asked=0/0/1",
        "submit b buy 1 @ 100                | deny=RECONCILING",
        "begin                               |",
        "balance Y 7                         |",
        "end balances                        | Y=7 alert=BALANCE_MISMATCH"));
    desk_tell(&desk, "live", TOLD(
        "submit c buy 1 @ 100                | deny=STALE_BOOK",
        "book LIVE                           |",
        "mark 100                            |",
        "submit d buy 1 @ 100                | deny=NO_LIMIT"));
    for (size_t s = 0; s < 4; s++)
        for (int l = 0; l < CORE_LIMIT_COUNT; l++) {
            snprintf(line, sizeof line, "limit %s %s none |", scopes[s], risk_limit_name((enum risk_limit)l));
            desk_tell(&desk, "live", TOLD("submit - buy 1 @ 100 | deny=NO_LIMIT", line));
        }
    desk_tell(&desk, "live", TOLD(
        "submit e buy 1 @ 100                | deny=CAPACITY",
        "ids 30                              |",
        "submit f buy 1 @ 100                | deny=",
        "submit g buy 1 @ 100 by=s2          | deny=NO_LIMIT",
        "book STALE                          |",
        "mark 100                            |",
        "submit h buy 1 @ 100                | deny=STALE_BOOK",
        "book LIVE                           |",
        "limit host max_loss unset           |",
        "submit i buy 1 @ 100                | deny=NO_LIMIT",
        "limit host max_loss none            |",
        "submit j buy 1 @ 100                | deny=",
        "book LIVE on=Y                      |"));
    for (int l = 0; l < CORE_LIMIT_COUNT; l++) {
        snprintf(line, sizeof line, "limit instrument:Y %s none |", risk_limit_name((enum risk_limit)l));
        desk_tell(&desk, "live", TOLD(line));
    }
    desk_tell(&desk, "live", TOLD("submit k buy 1 @ 100 on=Y | deny=NO_REFERENCE", "mark 1 on=Y |", "submit l buy 1 @ 100 on=Y | deny="));
    for (int i = 0; i < 30 && !desk.denied[0]; i++)
        desk_tell(&desk, "live", TOLD("submit - buy 1 @ 100 |"));
    cr_expect_str_eq(desk.denied, "CAPACITY", "ids beyond the reserved block were made");
    desk_close(&desk);
    story("a balance that nobody told covers nothing", TOLD(
        "policy strict 1 |", "up |", "begin |", "end |", "book LIVE |", "mark 100 |", "ids 9 |",
        "limit host check_balance 1 |",
        "submit a buy 1 @ 100  | deny=NO_LIMIT",
        "submit b sell 1 @ 100 | deny=INSUFFICIENT_BALANCE"));
}

/* A decision tells every check that applies, with its scope, number and limit, passed ones too. */
Test(risk, a_decision_shows_every_reading)
{
    struct desk desk;
    struct engine_sizes sizes = desk_sizes();
    desk_open(&desk, &sizes);
    desk_tell(&desk, "readings", TOLD(
        "mark 100                            |",
        "limit host max_order_qty 5          |",
        "limit strategy:s1 max_order_qty 2   |",
        "limit instrument:X max_order_qty 9  |",
        "limit host max_position 3           |",
        "submit a buy 4 @ 101                | deny=MAX_ORDER_QTY"));
    uint64_t seen = 0;
    int qty_readings = 0, failed = 0;
    struct decision_walk walk = decision_begin(desk.decision);
    for (struct risk_reading r; decision_next(&walk, &r);) {
        cr_expect(seen >> r.check <= 1, "%s comes too late", risk_check_name((enum risk_check)r.check));
        seen |= 1ull << r.check;
        failed += r.failed;
        if (r.check != CHECK_MAX_ORDER_QTY)
            continue;
        qty_readings++;
        cr_expect_eq(r.value, 4000);
        cr_expect_eq(r.exp, 3);
        cr_expect_eq(r.failed, r.value > r.limit);
        cr_expect_eq(r.limit, r.scope == SCOPE_host ? 5000 : r.scope == SCOPE_strategy ? 2000 : 9000);
        cr_expect_eq(r.id, r.scope == SCOPE_host ? 0 : 1);
    }
    cr_expect_eq(qty_readings, 3);
    cr_expect_eq(failed, 2, "MAX_ORDER_QTY of s1 and MAX_POSITION of the host");
    static const uint8_t always[] = {CHECK_KILL_SWITCH, CHECK_RECONCILING, CHECK_HALTED, CHECK_VENUE_DOWN, CHECK_VENUE_BACKOFF, CHECK_TICK,
                                     CHECK_STEP, CHECK_STALE_BOOK, CHECK_MAX_POSITION, CHECK_RIGHTS, CHECK_JOURNAL, CHECK_TRADING_STATE};
    for (size_t i = 0; i < sizeof always; i++)
        cr_expect(seen & (1ull << always[i]), "%s has no reading", risk_check_name((enum risk_check)always[i]));
    cr_expect_eq(desk.decision->limits_version, 4);
    desk_close(&desk);
}

/* Bytes of a decision that are none are found out before they are walked. */
Test(risk, a_decision_that_is_cut_or_wrong_is_not_walked)
{
    struct {
        struct out_decision head;
        struct reading_head one;
        uint64_t one_words[2]; /* value, limit */
        struct reading_head own;
        uint64_t own_words[4]; /* value, limit, value, limit */
    } d = {.head = {.zeros = ~0ull, .ids = {[SCOPE_strategy] = 7}},
           .one = {.check = CHECK_MAX_ORDER_QTY, .exp = 2, .scopes = 1 << SCOPE_strategy},
           .one_words = {5, 9},
           .own = {.check = CHECK_MAX_POSITION, .scopes = 3, .failed = 2, .own = 1},
           .own_words = {1, 2, 4, 3}};
    struct risk_reading r;
    d.head.msg.size = sizeof d;
    cr_assert(decision_is_whole(&d.head, sizeof d));
    cr_expect_eq(decision_count(&d.head), 64 + 3);
    d.head.reason = CHECK_MAX_POSITION;
    cr_assert(decision_refusal(&d.head, &r));
    cr_expect(r.check == CHECK_MAX_POSITION && r.scope == SCOPE_venue && r.value == 4 && r.limit == 3);
    d.head.zeros = 1ull << CHECK_MAX_OPEN_ORDERS;
    struct decision_walk walk = decision_begin(&d.head);
    static const uint8_t order[] = {CHECK_MAX_ORDER_QTY, CHECK_MAX_POSITION, CHECK_MAX_POSITION, CHECK_MAX_OPEN_ORDERS};
    for (size_t i = 0; i < sizeof order; i++)
        cr_expect(decision_next(&walk, &r) && r.check == order[i], "reading %zu", i);
    cr_expect(!decision_next(&walk, &r));
    for (size_t bytes = 0; bytes < sizeof d; bytes++)
        cr_expect_eq(decision_is_whole(&d.head, bytes),
                     bytes == sizeof d.head || bytes == offsetof(__typeof__(d), own), "%zu bytes", bytes);
    d.own.scopes = 1 << RISK_SCOPE_COUNT;
    cr_expect(!decision_is_whole(&d.head, sizeof d), "a scope that there is not");
    d.own.scopes = 0;
    cr_expect(!decision_is_whole(&d.head, sizeof d), "of no scope");
}
