/* recon_test.c - restart, sessions, reconciliation, busts, slots and names. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "engine/support_story.h"

/* stories are tables: one line each */
/* clang-format off */
#define TOLD(...) ((const char *const[]){__VA_ARGS__, NULL})

Test(recon, books_against_books)
{
    story("nothing changed: everything is as it was, twice", TOLD(
        "submit a buy 10 @ 100        |",
        "ack a v1                     |",
        "fill a x1 4 @ 100 fee=X:0.004 | X=3.996 USDT=9600",
        "restart                      | a=UNKNOWN:4 asked=0/0/1 quiet=UNKNOWN_ORDER pos=4",
        "submit b buy 1 @ 100         | deny=RECONCILING",
        "begin                        |",
        "fill a x1 4 @ 100 vid=v1 fee=X:0.004 | dup=1",
        "listed a v1 OPEN cum=4       | a=PARTIAL:4",
        "position X 4                 |",
        "balance X 3.996              |",
        "balance USDT 9600            |",
        "end positions balances       | quiet=POSITION_MISMATCH quiet=BALANCE_MISMATCH a=PARTIAL:4",
        "restart                      | a=UNKNOWN:4 asked=0/0/2",
        "begin                        |",
        "listed a v1 OPEN cum=4       |",
        "position X 4                 |",
        "end positions                | a=PARTIAL:4 sent=1/0/0 live=1",
        "submit c buy 1 @ 100         | deny="));
    story("what is not listed: given up if never seen and old enough, else in doubt", TOLD(
        "submit a buy 1 @ 100         |",
        "submit b buy 1 @ 100         |",
        "ack b v2                     |",
        "submit c buy 1 @ 100         |",
        "fill c x3 0.5 @ 100          |",
        "at 9000                      |",
        "submit d buy 1 @ 100         |",
        "at 10001                     |",
        "submit e buy 1 @ 100 to=internal |",
        "begin                        |",
        "end                          | a=REJECTED a.reason=NOT_FOUND b=UNKNOWN c=UNKNOWN:0.5 d=UNKNOWN e=OPEN alert=UNKNOWN_ORDER asked=3/0/0 unknown=3"));
    story("old enough is older than the limit", TOLD(
        "submit a buy 1 @ 100         |",
        "at 10000                     |",
        "begin                        |",
        "end                          | a=UNKNOWN"));
    story("ended at the venue while we were away", TOLD(
        "submit a buy 2 @ 100         |",
        "submit b buy 2 @ 100         |",
        "submit c buy 2 @ 100         |",
        "submit d buy 2 @ 100         |",
        "cancel d                     |",
        "restart                      | d=UNKNOWN",
        "begin                        |",
        "fill a x1 2 @ 100            | a=FILLED:2",
        "listed a v1 FILLED cum=2     | a=FILLED:2",
        "listed b v2 CANCELED cum=0.5 | b=CANCELED:0 b.awaits=1 alert=MISSING_FILLS",
        "listed c v3 REJECTED cum=0   | c=REJECTED",
        "listed d v4 OPEN cum=0       | d=OPEN",
        "end                          |",
        "fill b x2 0.5 @ 100          | b=CANCELED:0.5 b.awaits=0 quiet=LATE_FILL"));
    story("positions and balances that differ", TOLD(
        "restart                      |",
        "begin                        |",
        "position X 3                 |",
        "balance USDT 9999            |",
        "end positions balances       | alert=POSITION_MISMATCH alert=BALANCE_MISMATCH pos=0 USDT=10000",
        "submit a buy 1 @ 100         | deny=HALTED",
        "submit b buy 1 @ 100 on=Y    | deny=",
        "begin                        |",
        "end                          |",
        "submit c buy 1 @ 100         | deny=HALTED",
        "begin                        |",
        "balance USDT 10000           |",
        "end positions balances       | quiet=POSITION_MISMATCH quiet=BALANCE_MISMATCH",
        "submit d buy 1 @ 100         | deny=",
        "fill d x1 1 @ 100            |",
        "begin                        |",
        "listed d v1 FILLED cum=1     |",
        "end positions                | alert=POSITION_MISMATCH"));
    story("a future's wallet is the venue's in whatever order executions come, if it says what they gained", TOLD(
        "submit a buy 2 @ 100 on=P    |",
        "submit b sell 2 @ 120 on=P   |",
        "fill b x2 1 @ 120 gain=200   | P.pos=-1 P.real=0 USDT=10200",
        "fill a x1 1 @ 100 gain=0     | P.pos=0 P.real=200 USDT=10200",
        "fill a x4 1 @ 90 gain=0      | USDT=10200",
        "fill b x3 1 @ 120 gain=300   | P.pos=0 P.real=500 USDT=10500",
        "begin                        |",
        "balance USDT 10500           |",
        "listed a v1 FILLED cum=2     |",
        "listed b v2 FILLED cum=2     |",
        "end balances                 | quiet=BALANCE_MISMATCH",
        "bust x3 OPEN                 | P.pos=1 USDT=10200"));
    story("to the digit that the venue rounds to; of a spot trade it says nothing", TOLD(
        "submit a buy 3 @ 100 on=P    |",
        "submit b sell 1 @ 101 on=P   |",
        "fill a x1 1 @ 100 gain=0     |",
        "fill a x2 2 @ 100.01 gain=0  |",
        "fill b x3 1 @ 101 gain=9.93  | USDT=10009.93 P.real=9.933333333333333333",
        "submit c buy 1 @ 100         |",
        "fill c x4 1 @ 100 gain=7     | USDT=9909.93"));
    story("the request is repeated until it is answered", TOLD(
        "down                         | alert=STREAM_DOWN",
        "down                         | quiet=STREAM_DOWN",
        "submit a buy 1 @ 100         | deny=VENUE_DOWN",
        "up                           | asked=0/0/1",
        "up                           | asked=0/0/1",
        "wait 4999                    | asked=0/0/1",
        "wait 1                       | asked=0/0/2",
        "wait 30000                   | asked=0/0/3",
        "begin                        |",
        "submit b buy 1 @ 100         | deny=RECONCILING",
        "end                          |",
        "wait 100000                  | asked=0/0/3",
        "submit c buy 1 @ 100         | deny=",
        "end                          | alert=ANOMALY",
        "position X 5                 | alert=ANOMALY"));
}

/* Live rules: the venue is asked again and again, while orders go on. */
Test(recon, goes_on_while_trading)
{
    static const char *const limits[] = {"host", "account:account", "strategy:s1", "instrument:X"};
    struct engine_sizes sizes = desk_sizes();
    struct desk desk;
    char line[120];
    desk_open(&desk, &sizes);
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        for (int limit = 0; limit < CORE_LIMIT_COUNT; limit++) {
            snprintf(line, sizeof line, "limit %s %s none |", limits[i],
                     risk_limit_name((enum risk_limit)limit));
            desk_tell(&desk, "limits", (const char *const[]){line, NULL});
        }
    desk_tell(&desk, "goes on", TOLD(
        "policy strict 1              |",
        "policy reconcile_every_ns 60000000000 |",
        "up                           | asked=0/0/1",
        "begin                        |",
        "balance USDT 10000           |",
        "end positions balances       | asked=0/0/1",
        "mark 100                     |",
        "book LIVE                    |", "ids 1000 |",
        "submit a buy 2 @ 100         | deny=",
        "ack a v1                     |",
        "wait 59999                   | asked=0/0/1",
        "wait 1                       | asked=0/0/2",
        "submit b buy 1 @ 100         | deny=",
        "begin                        |",
        "listed a v1 OPEN cum=0       |",
        "balance USDT 10000           |",
        "end positions balances       | b=PENDING_NEW quiet=UNKNOWN_ORDER quiet=BALANCE_MISMATCH asked=0/0/2",
        "submit c buy 1 @ 100         | deny=",
        "ack c v3                     |",
        "wait 60000                   | asked=0/0/3",
        "begin                        |",
        "listed a v1 OPEN cum=0       |",
        "listed b v2 OPEN cum=0       |",
        "end positions                | a=OPEN b=OPEN c=UNKNOWN alert=UNKNOWN_ORDER",
        "ack c v3                     | c=OPEN",
        "wait 60000                   | asked=1/0/4",
        "fill a x1 1 @ 100            |",
        "begin                        |",
        "listed a v1 OPEN cum=0       |",
        "listed b v2 OPEN cum=0       |",
        "listed c v3 OPEN cum=0       |",
        "balance USDT 10000           |",
        "end positions balances       | quiet=POSITION_MISMATCH quiet=BALANCE_MISMATCH asked=1/0/4",
        "submit d buy 1 @ 100         | deny=",
        "wait 49                      | asked=1/0/4",
        "wait 1                       | asked=1/0/5",
        "begin                        |",
        "listed a v1 OPEN cum=1       |",
        "listed b v2 OPEN cum=0       |",
        "listed c v3 OPEN cum=0       |",
        "end positions                | alert=POSITION_MISMATCH asked=1/0/5",
        "submit e buy 1 @ 100         | deny=HALTED",
        "wait 60000                   | asked=1/0/6",
        "begin                        |",
        "listed a v1 OPEN cum=1       |",
        "listed b v2 OPEN cum=0       |",
        "listed c v3 OPEN cum=0       |",
        "listed d v4 OPEN cum=0       |",
        "position X 1                 |",
        "end positions                | quiet=POSITION_MISMATCH",
        "submit f buy 1 @ 100         | deny=",
        "policy reconcile_every_ns 0  |",
        "wait 600000                  |",
        "down                         |",
        "wait 600000                  | asked=1/0/6"));
    desk_close(&desk);
}

Test(recon, orders_of_others_are_adopted)
{
    story("by their own id, or by the venue's", TOLD(
        "found-fill w1 sell x1 1 @ 200 | alert=EXTERNAL_FILL EXTERNAL.pos=-1",
        "limit instrument:X max_position 10 |",
        "begin                        |",
        "listed web7 w1 OPEN cum=1 side=sell qty=3 px=200 on=X | web7=PARTIAL:1 web7.by=EXTERNAL web7.exposure=2 alert=EXTERNAL_ORDER quiet=MISSING_FILLS live=1",
        "listed - w2 OPEN cum=2 side=buy qty=5 px=50 on=X | ext:w2=OPEN:0 ext:w2.awaits=1 alert=MISSING_FILLS",
        "listed - w3 CANCELED cum=0 side=buy qty=5 px=50 on=X | ext:w3=CANCELED live=2",
        "listed - w2 OPEN cum=2 on=X  | quiet=EXTERNAL_ORDER",
        "end                          |",
        "submit web7 buy 1 @ 100      | deny=DUP_CLIENT_ID",
        "found-fill w2 buy x2 2 @ 50  | ext:w2=PARTIAL:2 EXTERNAL.pos=1 quiet=EXTERNAL_FILL",
        "submit a buy 6 @ 100         | deny=",
        "submit b buy 0.001 @ 100     | deny=MAX_POSITION",
        "cancel web7                  | web7=PENDING_CANCEL sent=1/1/0",
        "canceled web7 cum=1          | web7=CANCELED:1",
        "fill web7 x3 1 @ 200         | web7=CANCELED:2 alert=LATE_FILL quiet=EXTERNAL_FILL"));
    story("from another life of this host: whose it is stands in its id, which is not made again", TOLD(
        "begin                        |",
        "listed 0000002zz w1 OPEN cum=0 side=buy qty=1 px=100 on=X | 0000002zz.by=s2 alert=EXTERNAL_ORDER",
        "end                          |",
        "submit - buy 1 @ 100         | 0000001100=PENDING_NEW",
        "fill 0000002zz x1 1 @ 100    | 0000002zz=FILLED s2.pos=1"));
    story("a name that somebody here used up", TOLD(
        "submit a buy 0 @ 100         | a=DENIED",
        "begin                        |",
        "listed 0000001y w1 OPEN cum=0 side=buy qty=1 px=100 on=X | 0000001y=OPEN",
        "listed - w1 OPEN cum=0 side=buy qty=0 px=0 on=X | quiet=EXTERNAL_ORDER",
        "end                          | a=DENIED live=1"));
}

Test(recon, a_busted_execution_never_happened)
{
    story("with its fee and its place in the average", TOLD(
        "submit a buy 2 @ 100         |",
        "fill a x1 1 @ 100 fee=USDT:5 | USDT=9895 fee.USDT=5",
        "fill a x2 1 @ 200            | avg=150",
        "submit b sell 1 @ 300        |",
        "fill b x3 1 @ 300            | real=150 pos=1",
        "bust x1                      | alert=TRADE_BUST a=FILLED:1 real=100 pos=0 X=0 USDT=10100 fee.USDT=0 asked=1/0/0",
        "bust x1                      | dup=1",
        "fill a x1 1 @ 100            | dup=2 pos=0",
        "bust x3 CANCELED             | b=CANCELED:0 pos=1 real=0 avg=200",
        "bust x2 OPEN                 | a=OPEN:0 a.exposure=2 live=1 pos=0 USDT=10000"));
    story("a linear position: the later executions are worth something else", TOLD(
        "submit a buy 2 @ 100 on=P    |",
        "fill a x1 1 @ 100            |",
        "fill a x2 1 @ 110            |",
        "submit b sell 1 @ 120 on=P   |",
        "fill b x3 1 @ 120            | P.real=150 USDT=10150 s1.pos=0",
        "bust x2 CANCELED             | P.real=200 USDT=10200 P.pos=0 a=CANCELED:1"));
    story("told before it was reported, twice the same id, or never heard of", TOLD(
        "bust x9 on=X                 | alert=TRADE_BUST quiet=ANOMALY",
        "submit a buy 2 @ 100         |",
        "fill a x9 1 @ 100            | a=PENDING_NEW:0 dup=1",
        "bust x8                      | alert=TRADE_BUST alert=ANOMALY",
        "submit b buy 2 @ 100 on=Y    |",
        "fill a x7 1 @ 100            |",
        "fill b x7 1 @ 100            |",
        "bust x7 on=X                 | pos=0 Y.pos=1 a=OPEN:0",
        "bust x7                      | Y.pos=0 b=OPEN:0"));
    story("one that waits, and one that brings an order back under the kill switch", TOLD(
        "submit a buy 2 @ 100         |",
        "found-fill v1 buy x1 1 @ 100 | pos=1",
        "bust x1                      | pos=0",
        "ack a v1                     | a=OPEN:0",
        "wait 6000                    | quiet=EXTERNAL_FILL",
        "fill a x2 2 @ 100            | a=FILLED",
        "kill                         | sent=1/0/0",
        "bust x2 OPEN                 | a=PENDING_CANCEL:0 sent=1/1/0"));
}

/* Slots, names and executions are bounded; what is live is never forgotten, and ids never used twice. */
Test(recon, what_is_full_refuses_or_forgets_the_oldest)
{
    struct engine_sizes sizes = desk_sizes();
    struct desk desk;
    char line[120];
    sizes.orders = 4;
    sizes.executions = 4;
    sizes.client_ids = 48;
    desk_open(&desk, &sizes);
    desk_tell(&desk, "slots", TOLD(
        "submit a buy 1 @ 100         |",
        "submit b buy 1 @ 100         |",
        "fill b x1 1 @ 100            | b=FILLED",
        "submit c buy 1 @ 100         |",
        "canceled c                   |",
        "submit d buy 1 @ 100         | a=PENDING_NEW b=FILLED",
        "submit e buy 1 @ 100         | e=PENDING_NEW c=CANCELED",
        "submit b buy 1 @ 100         | deny=DUP_CLIENT_ID",
        "fill b x1 1 @ 100 on=X       | dup=1",
        "submit f buy 1 @ 100         | f=PENDING_NEW",
        "submit g buy 1 @ 100         | deny=CAPACITY"
        ));
    desk_close(&desk);
    desk_open(&desk, &sizes);
    desk_tell(&desk, "slots", TOLD(
        "submit a buy 1 @ 100         |", "submit b buy 1 @ 100 |", "submit c buy 1 @ 100 |",
        "submit d buy 1 @ 100         | d=PENDING_NEW",
        "submit e buy 1 @ 100         | deny=CAPACITY",
        "submit e buy 1 @ 100         | deny=DUP_CLIENT_ID",
        "canceled a cum=1             | a=CANCELED a.awaits=1",
        "submit f buy 1 @ 100         | deny=CAPACITY",
        "fill a x1 1 @ 100            | a=FILLED",
        "submit g buy 1 @ 100         | g=PENDING_NEW",
        "fill 00000011 x2 1 @ 100 on=X | s1.pos=2 alert=LATE_FILL",
        "submit a buy 1 @ 100         | deny=DUP_CLIENT_ID"));
    for (int i = 0; i < 60; i++) { /* names given by askers run out */
        snprintf(line, sizeof line, "submit n%d buy 0 @ 100 |", i);
        desk_tell(&desk, "slots", TOLD("ack b v2 |", line));
    }
    desk_tell(&desk, "slots", TOLD("canceled b |", "submit last buy 1 @ 100 | deny=CAPACITY", "submit - buy 1 @ 100 | deny="));
    desk_close(&desk);

    desk_open(&desk, &sizes);
    desk_tell(&desk, "names", TOLD("submit - buy 1 @ 100 |", "ack 00000011 v0 |"));
    for (int i = 2; i < 300; i++) { /* one order, replaced for ever, keeps its last names */
        char id[20];
        struct order_view view;
        cr_assert(engine_order(desk.engine, 1, &view));
        snprintf(id, sizeof id, "%s", view.order.cid);
        snprintf(line, sizeof line, "replace %s - qty=%d |", id, i);
        desk_tell(&desk, "names", TOLD(line));
        cr_assert_str_eq(desk.denied, "", "replace %d: %s", i, desk.denied);
        snprintf(line, sizeof line, "replaced %s v%d |", id, i);
        desk_tell(&desk, "names", TOLD(line));
    }
    desk_tell(&desk, "names", TOLD(
        "fill 00000011 x1 1 @ 100 on=X | s1.pos=1 alert=LATE_FILL", /* its first name is forgotten */
        "fill 00000018a x2 1 @ 100    | s1.pos=2 00000018b=PARTIAL:1 00000018b.vid=v299"));
    desk_close(&desk);

    desk_open(&desk, &sizes);
    desk_tell(&desk, "executions", TOLD(
        "submit a buy 100 @ 100       |",
        "found-fill v1 buy w 1 @ 100  | quiet=EXTERNAL_FILL",
        "fill a x1 1 @ 100            |",
        "fill a x2 1 @ 110            |",
        "fill a x3 1 @ 120            | pos=4",
        "fill a x4 1 @ 130            | alert=EXTERNAL_FILL EXTERNAL.pos=1 pos=5",
        "fill a x5 1 @ 140            | pos=6",
        "bust x4                      | pos=5 s1.pos=4 avg=114",
        "bust x1                      | alert=TRADE_BUST alert=ANOMALY pos=5",
        "submit b buy 1 @ 100         | deny=HALTED",
        "fill a x1 1 @ 100            | dup=1"));
    desk_close(&desk);
}

Test(recon, a_journal_that_failed_does_not_bind_the_next_life)
{
    story("denied while it fails, and not after a restart", TOLD(
        "up                           |",
        "begin                        |",
        "end                          |",
        "journal 1                    |",
        "submit a buy 1 @ 100         | deny=JOURNAL",
        "restart                      |",
        "begin                        |",
        "end                          |",
        "submit b buy 1 @ 100         | deny="));
}
/* clang-format on */

/* The `since` of the last request for everything; -1: there was none. */
static weir_ns asked_since(const struct desk *desk)
{
    weir_ns since = -1;
    for (size_t at = 0; at < desk->effects_len;) {
        const struct weir_msg *effect = (const struct weir_msg *)(const void *)(desk->effects + at);
        if (effect->kind == WEIR_RECONCILE)
            since = ((const struct weir_intent *)(const void *)effect)->t_since;
        at += effect->size;
    }
    return since;
}

static void executed(struct desk *desk, const char *exec, int64_t second)
{
    struct weir_fill fill = {.msg = {.size = sizeof fill,
                                     .kind = WEIR_FILL,
                                     .venue = 1,
                                     .account = 1,
                                     .instrument = ON_X,
                                     .t_venue = second * 1000000000},
                             .qty = qty_of("1"),
                             .px = px_of("100"),
                             .venue_id = "v1"};
    snprintf(fill.exec_id, sizeof fill.exec_id, "%s", exec);
    desk_apply(desk, &fill);
}

/* One told out of turn may stand before others that were told: only a whole answer moves the time. */
Test(recon, executions_are_asked_for_since_the_last_whole_answer)
{
    struct engine_sizes sizes = desk_sizes();
    struct desk desk;
    desk_open(&desk, &sizes);
    desk.keep_effects = true;
    desk_tell(&desk, "orders", TOLD("submit a buy 10 @ 100 |", "ack a v1 |"));
    executed(&desk, "x1", 1000);
    desk_tell(&desk, "no answer yet", TOLD("restart |"));
    cr_expect_eq(asked_since(&desk), 0);
    desk_tell(&desk, "an answer", TOLD("begin |", "listed a v1 OPEN cum=1 |", "end |"));
    executed(&desk, "x2", 2000);
    desk_tell(&desk, "of then", TOLD("restart |"));
    cr_expect_eq(asked_since(&desk), (weir_ns)(1000 - 60) * 1000000000);
    desk_tell(&desk, "another", TOLD("begin |", "listed a v1 OPEN cum=2 |", "end |", "restart |"));
    cr_expect_eq(asked_since(&desk), (weir_ns)(2000 - 60) * 1000000000);
    desk_close(&desk);
}
