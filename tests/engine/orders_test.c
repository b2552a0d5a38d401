/* orders_test.c - the table of orders, walked cell by cell, and the stories that it must tell. */
#include <criterion/criterion.h>

#include "engine/state.h"
#include "engine/support_story.h"

/* stories are tables: one line each */
/* clang-format off */
#define TOLD(...) ((const char *const[]){__VA_ARGS__, NULL})

static bool reopens(enum order_is is, enum order_event event)
{
    bool by_bust = event >= ON_TOLD_WORKS;
    bool by_replace =
        event == ON_REVIVED && (is == IS_FILLED || is == IS_CANCELED || is == IS_EXPIRED);
    bool not_found = is == IS_NOT_FOUND && (event == ON_FILL || event == ON_WORKS);
    return by_bust || by_replace || not_found;
}

Test(orders, every_cell_of_the_table_keeps_the_rules)
{
    for (int is = IS_BLANK; is < IS_COUNT; is++)
        for (int event = 0; event < ORDER_EVENT_COUNT; event++) {
            enum order_is to = order_next((enum order_is)is, (enum order_event)event);
            cr_expect(to < IS_COUNT, "(%d, %d)", is, event);
            if (to == IS_SURPRISE)
                continue;
            cr_expect(to != IS_BLANK, "(%d, %d) goes back to the beginning", is, event);
            if (is_done((uint8_t)is) && !is_done((uint8_t)to))
                cr_expect(reopens((enum order_is)is, (enum order_event)event),
                          "(%d, %d) brings an ended order back", is, event);
            if (is == IS_WORKING || is == IS_DOUBT)
                cr_expect(to != IS_SENT && to != IS_INSIDE, "(%d, %d) moves backwards", is, event);
            if (to == IS_SENT)
                cr_expect(is == IS_INSIDE && event == ON_SEND, "(%d, %d) sends", is, event);
            if (to == IS_DENIED)
                cr_expect(event == ON_DENY, "(%d, %d) denies", is, event);
            if (to == IS_NOT_FOUND && is != IS_NOT_FOUND)
                cr_expect(event == ON_ABSENT && (is == IS_SENT || is == IS_DOUBT),
                          "(%d, %d) gives up", is, event);
            if (event == ON_SILENCE)
                cr_expect(to == IS_DOUBT, "(%d, %d): silence resolves", is, event);
            if (event == ON_LAST_FILL)
                cr_expect(to == IS_FILLED, "(%d, %d): complete, and not FILLED", is, event);
        }
    for (int is = IS_SENT; is <= IS_NOT_FOUND;
         is++) { /* at a venue, or once there: an execution always fits */
        if (is == IS_INSIDE || is == IS_BLANK)
            continue;
        cr_expect(order_next((enum order_is)is, ON_FILL) != IS_SURPRISE &&
                      order_next((enum order_is)is, ON_LAST_FILL) == IS_FILLED,
                  "(%d): a fill has no place", is);
    }
    for (int event = 0; event < ORDER_EVENT_COUNT; event++)
        cr_expect(event == ON_DENY || order_next(IS_DENIED, (enum order_event)event) == IS_SURPRISE,
                  "a denied order moves by %d", event);
}

Test(orders, cancels_and_fills_race)
{
    story("a refused cancel leads back to what the order was",
          TOLD("submit a buy 2 @ 100      | a=PENDING_NEW:0 a.leaves=2 sent=1/0/0 live=1",
               "cancel a                  | a=PENDING_CANCEL:0 sent=1/1/0",
               "cancel a                  | a=PENDING_CANCEL sent=1/1/0",
               "refused a TOO_LATE        | a=PENDING_NEW:0 quiet=UNKNOWN_ORDER",
               "cancel a                  | a=PENDING_CANCEL sent=1/2/0",
               "ack a v1                  | a=PENDING_CANCEL a.vid=v1",
               "refused a TOO_LATE        | a=OPEN:0",
               "cancel a                  | a=PENDING_CANCEL",
               "fill a x1 0.5 @ 100       | a=PENDING_CANCEL:0.5 pos=0.5",
               "refused a TOO_LATE        | a=PARTIAL:0.5",
               "cancel a                  | a=PENDING_CANCEL",
               "fill a x2 1.5 @ 100       | a=FILLED:2 live=0 a.leaves=0",
               "refused a TOO_LATE        | a=FILLED:2 quiet=ANOMALY",
               "canceled a                | a=FILLED:2 alert=ANOMALY",
               "cancel a                  | a=FILLED sent=1/4/0"));
    story("the venue does not know what it should cancel",
          TOLD("submit a buy 2 @ 100      |", "ack a v1                  |",
               "cancel a                  |",
               "refused a UNKNOWN_ORDER   | a=UNKNOWN alert=UNKNOWN_ORDER asked=1/0/0 unknown=1 "
               "a.exposure=2",
               "status a CANCELED cum=0   | a=CANCELED:0 unknown=0 a.exposure=0"));
    story("a cancel in doubt is not repeated, and the order not lost",
          TOLD("submit a buy 2 @ 100      |",
               "silent a new              | a=UNKNOWN alert=UNKNOWN_ORDER asked=1/0/0",
               "cancel a                  | a=PENDING_CANCEL sent=1/1/0 unknown=0",
               "silent a cancel           | a=PENDING_CANCEL alert=UNKNOWN_ORDER",
               "wait 100000               | a=PENDING_CANCEL sent=1/1/0",
               "refused a TOO_LATE        | a=UNKNOWN", "ack a v1                  | a=OPEN",
               "silent a new              | a=OPEN alert=ANOMALY quiet=UNKNOWN_ORDER"));
    story("fill before the acknowledgement, and an acknowledgement that comes late",
          TOLD("submit a buy 2 @ 100      |", "fill a x1 0.5 @ 100 vid=v1 | a=PARTIAL:0.5 a.vid=v1",
               "ack a v1                  | a=PARTIAL:0.5",
               "fill a x2 1.5 @ 100       | a=FILLED:2",
               "ack a v1                  | a=FILLED:2 quiet=ANOMALY"));
    story("late, over and after a reject",
          TOLD("submit a buy 2 @ 100      |", "ack a v1                  |",
               "canceled a cum=0          | a=CANCELED:0 quiet=MISSING_FILLS",
               "fill a x1 0.5 @ 100       | a=CANCELED:0.5 alert=LATE_FILL pos=0.5",
               "fill a x2 1.5 @ 100       | a=FILLED:2 alert=LATE_FILL",
               "fill a x3 1 @ 100         | a=FILLED:3 alert=OVERFILL quiet=LATE_FILL pos=3 "
               "a.leaves=0",
               "submit b buy 2 @ 100      |",
               "reject b NO               | b=REJECTED:0 b.reason=NO",
               "fill b x4 1 @ 100         | b=REJECTED:1 alert=LATE_FILL alert=PROTOCOL pos=4",
               "submit c buy 2 @ 100      |", "fill c x5 1 @ 100         | c=PARTIAL:1",
               "reject c NO               | c=CANCELED:1 c.reason=NO alert=PROTOCOL",
               "fill c x5 1 @ 100         | c=CANCELED:1 dup=1 pos=5"));
    story("more executed than was told",
          TOLD("submit a buy 50 @ 100     |", "ack a v1                  |",
               "canceled a cum=20         | a=CANCELED:0 a.awaits=1 a.exposure=20 "
               "alert=MISSING_FILLS asked=0/1/0",
               "fill a x1 5 @ 100         | a=CANCELED:5 a.awaits=1 a.exposure=15 quiet=LATE_FILL",
               "wait 60                   | asked=0/2/0",
               "fill a x2 15 @ 100        | a=CANCELED:20 a.awaits=0 a.exposure=0 quiet=LATE_FILL",
               "wait 60000                | asked=0/2/0", "submit b buy 2 @ 100      |",
               "status b FILLED cum=2     | b=FILLED:0 b.awaits=1 alert=MISSING_FILLS b.leaves=0",
               "fill b x3 2 @ 100         | b=FILLED:2 b.awaits=0 quiet=LATE_FILL quiet=OVERFILL",
               "submit c buy 2 @ 100      |",
               "status c FILLED           | c=FILLED:0 c.awaits=1 alert=MISSING_FILLS"));
}

Test(orders, replaces_meet_everything_else)
{
    story("a chain of replaces",
          TOLD("submit a buy 4 @ 100      |",
               "replace a b qty=5         | sent=1/0/0 deny=BAD_REQUEST a=PENDING_NEW",
               "ack a v1                  |",
               "replace a c qty=6 px=101  | a=PENDING_REPLACE a.qty=4 a.px=100 a.exposure=6 "
               "sent=1/0/1",
               "replace a d qty=7         | deny=BAD_REQUEST sent=1/0/1",
               "replaced a v2             | a=OPEN a.cid=c c.qty=6 c.px=101 c.vid=v2 c.exposure=6",
               "replaced a v2             | c=OPEN", "fill a x1 1 @ 101         | c=PARTIAL:1",
               "replace c e qty=3         | c.exposure=5",
               "replace-refused c NO      | c=PARTIAL:1 c.qty=6 c.exposure=5",
               "replace c e qty=3         | deny=DUP_CLIENT_ID alert=DUP_CLIENT_ID",
               "replace c f qty=1         |",
               "replaced c v3             | f=FILLED:1 f.qty=1 live=0",
               "submit b buy 1 @ 100      | deny=DUP_CLIENT_ID",
               "submit f buy 1 @ 100      | deny=DUP_CLIENT_ID"));
    story("filled at the old quantity, and on with the new",
          TOLD("submit a buy 8 @ 100      |", "ack a v1                  |",
               "replace a b qty=10        |",
               "fill a x1 8 @ 100         | a=FILLED:8 a.exposure=2 a.leaves=0 live=0",
               "replaced a v2             | b=PARTIAL:8 b.leaves=2 b.exposure=2 live=1",
               "fill b x2 2 @ 100         | b=FILLED:10 quiet=LATE_FILL"));
    story("filled at the old quantity, and the replace was too late",
          TOLD("submit a buy 8 @ 100      |", "ack a v1                  |",
               "replace a b qty=10        |", "fill a x1 8 @ 100         | a=FILLED:8 a.exposure=2",
               "replace-refused a FILLED  | a=FILLED:8 a.exposure=0"));
    story(
        "filled at the old quantity, and silence",
        TOLD("submit a buy 8 @ 100      |", "ack a v1                  |",
             "replace a b qty=10        |", "fill a x1 8 @ 100         |",
             "silent a replace          | a=FILLED:8 a.exposure=2 asked=1/0/0 alert=UNKNOWN_ORDER",
             "status a OPEN cum=8       | b=PARTIAL:8 b.exposure=2",
             "status b FILLED cum=10    | b=FILLED:8 b.awaits=1 b.exposure=2"));
    story("the larger of old and new counts until the venue has said which",
          TOLD("submit a buy 8 @ 100      |", "ack a v1                  |",
               "replace a b qty=3         | a.exposure=8",
               "restart                   | a=UNKNOWN a.exposure=8", "begin                     |",
               "listed a v1 OPEN cum=0    | a=OPEN a.qty=8", "end                       |",
               "replaced a v1             | b=OPEN b.qty=3 b.exposure=3",
               "replace b c qty=9         |", "restart                   | b=UNKNOWN b.exposure=9",
               "begin                     |", "listed 00000013 v1 OPEN cum=0 | c=OPEN c.qty=9",
               "end                       | c=OPEN live=1"));
    story("cancel and replace at once",
          TOLD("submit a buy 8 @ 100      |", "ack a v1                  |",
               "replace a b qty=10        | a=PENDING_REPLACE",
               "cancel a                  | a=PENDING_CANCEL",
               "replaced a v2             | b=PENDING_CANCEL b.qty=10",
               "canceled b cum=0          | b=CANCELED", "submit c buy 8 @ 100      |",
               "ack c v3                  |", "replace c d qty=10        |",
               "cancel c                  |",
               "replace-refused c NO      | c=PENDING_CANCEL c.exposure=8",
               "refused c NO              | c=OPEN"));
    story("an answer to an old replace is not one to the new",
          TOLD("submit a buy 8 @ 100      |", "ack a v1                  |",
               "replace a b qty=10        |", "restart                   |",
               "begin                     |", "listed a v1 OPEN cum=0    | a=OPEN",
               "end                       |",
               "replace a c qty=2         | a=PENDING_REPLACE a.qty=8",
               "replaced 00000012 v1      | a=UNKNOWN a.qty=8 alert=PROTOCOL alert=UNKNOWN_ORDER",
               "replaced a v1             | c=OPEN c.qty=2"));
    story("what is above the old quantity while a replace is pending is not over",
          TOLD("submit a buy 8 @ 100      |", "ack a v1                  |",
               "replace a b qty=10        |",
               "fill a x1 10 @ 100        | a=FILLED:10 quiet=OVERFILL",
               "replaced a v1             | b=FILLED:10"));
    story("prices only, and by the host's own names",
          TOLD("submit - buy 8 @ 100      | sent=1/0/0",
               "replace 00000011 - px=101 | deny=BAD_REQUEST",
               "ack 00000011 v1           | 00000011=OPEN",
               "replace 00000011 - px=101 | 00000011=PENDING_REPLACE",
               "replaced 00000012 v1      | 00000011.cid=00000012 00000012.px=101 00000012.qty=8",
               "submit 00000012 buy 1 @ 1 | deny=DUP_CLIENT_ID",
               "submit - buy 8 @ 100      | 00000013=PENDING_NEW"));
}

Test(orders, silence_resolves_nothing)
{
    story("given up only by the venue's word, often enough and late enough",
          TOLD("submit a buy 2 @ 100      |", "at 4000                   |",
               "silent a new              | a=UNKNOWN:0 a.exposure=2",
               "unknown a                 | a=UNKNOWN", "unknown a                 | a=UNKNOWN",
               "unknown a                 | a=UNKNOWN", "at 9999                   |",
               "unknown a                 | a=UNKNOWN live=1", "at 10000                  |",
               "unknown a                 | a=REJECTED a.reason=NOT_FOUND live=0 a.exposure=0",
               "unknown a                 | a=REJECTED",
               "ack a v7                  | a=REJECTED a.vid=v7",
               "status a OPEN cum=0       | a=OPEN a.reason= live=1"));
    story("one look at it and it is never given up",
          TOLD("policy not_found_after_ns 0 |", "policy not_found_confirm 1  |",
               "submit a buy 2 @ 100      |", "silent a new              |",
               "fill a x1 1 @ 100         | a=PARTIAL:1",
               "unknown a                 | a=PARTIAL:1 asked=2/0/0", "submit b buy 2 @ 100      |",
               "silent b new              |",
               "status b OPEN             | b=OPEN b.vid=", "unknown b                 | b=OPEN",
               "restart                   | b=UNKNOWN", "unknown b                 | b=UNKNOWN",
               "submit c buy 2 @ 100      | deny=RECONCILING"));
    story("a fill brings a lost order back",
          TOLD("policy not_found_after_ns 0 |", "policy not_found_confirm 1  |",
               "submit a buy 2 @ 100      |", "silent a new              |",
               "unknown a                 | a=REJECTED a.reason=NOT_FOUND",
               "fill a x1 0.5 @ 100       | a=PARTIAL:0.5 alert=LATE_FILL live=1 a.reason=",
               "submit b buy 2 @ 100      |", "silent b new              |",
               "unknown b                 | b=REJECTED",
               "fill b x2 2 @ 100         | b=FILLED:2 alert=LATE_FILL"));
    story("the resolver asks at once, after 50 ms, doubling to 5 s, then each 30 s, until it is "
          "answered",
          TOLD("submit a buy 2 @ 100      |", "silent a new              | asked=1/0/0",
               "wait 49                   | asked=1/0/0", "wait 1                    | asked=2/0/0",
               "wait 99                   | asked=2/0/0", "wait 1                    | asked=3/0/0",
               "wait 6000                 | asked=7/0/0", "wait 10000                | asked=9/0/0",
               "wait 300000               | asked=19/0/0", "status a OPEN cum=0 vid=v1 | a=OPEN",
               "wait 300000               | asked=19/0/0"));
    story("pace refused: a definite answer for the request, a wait for the venue",
          TOLD("submit a buy 2 @ 100      |",
               "limited a 2000            | a=REJECTED a.reason=RATE_LIMITED alert=RATE_LIMITED",
               "submit b buy 2 @ 100      | deny=VENUE_BACKOFF", "at 1999                   |",
               "submit c buy 2 @ 100      | deny=VENUE_BACKOFF", "at 2000                   |",
               "submit d buy 2 @ 100      | deny=", "ack d v1                  |",
               "cancel d                  |", "limited d 1000            | d=OPEN sent=2/1/0",
               "cancel d                  | d=PENDING_CANCEL sent=2/2/0",
               "submit e buy 2 @ 100      | deny=VENUE_BACKOFF", "refused d NO              |",
               "wait 1000                 |", "replace d f qty=3         | d=PENDING_REPLACE",
               "limited d 1               | d=OPEN d.qty=2", "limited - 500             | d=OPEN"));
}

Test(orders, executions_find_their_owner)
{
    story(
        "one that names only a venue id waits for the acknowledgement",
        TOLD("submit a buy 2 @ 100 by=s2   |",
             "found-fill v1 buy x1 0.5 @ 100 | a=PENDING_NEW:0 pos=0.5 s2.pos=0 USDT=9950 "
             "quiet=EXTERNAL_FILL",
             "fill a x1 0.5 @ 100          | dup=1 a=PENDING_NEW:0",
             "wait 4999                    |",
             "ack a v1                     | a=PARTIAL:0.5 s2.pos=0.5 pos=0.5 quiet=EXTERNAL_FILL",
             "found-fill v1 buy x2 1.5 @ 100 | a=FILLED:2 s2.pos=2"));
    story(
        "and belongs to nobody here when it does not come",
        TOLD("submit a buy 2 @ 100         |",
             "found-fill v1 buy x1 0.5 @ 100 | quiet=EXTERNAL_FILL",
             "wait 5000                    | alert=EXTERNAL_FILL EXTERNAL.pos=0.5 a=PENDING_NEW:0",
             "ack a v1                     | a=OPEN:0 EXTERNAL.pos=0.5 pos=0.5"));
    story("nobody could get it: it is foreign at once",
          TOLD("submit a buy 2 @ 100         |",
               "found-fill v1 sell x1 1 @ 100 | alert=EXTERNAL_FILL EXTERNAL.pos=-1",
               "found-fill v1 buy x2 1 @ 100 on=Y | alert=EXTERNAL_FILL Y.pos=1",
               "found-fill v1 buy x3 1 @ 100 manual | alert=EXTERNAL_FILL pos=0 EXTERNAL.pos=0",
               "ack a v2                     |",
               "found-fill v1 buy x4 1 @ 100 | alert=EXTERNAL_FILL EXTERNAL.pos=1",
               "fill zz x5 1 @ 100 on=X      | alert=EXTERNAL_FILL EXTERNAL.pos=2",
               "found-fill v2 buy x6 1 @ 100 | a=PARTIAL:1 quiet=EXTERNAL_FILL s1.pos=1 pos=3"));
    story("our id says whose a forgotten order was",
          TOLD("fill 000000200 x1 1 @ 100 on=X | EXTERNAL.pos=1 alert=EXTERNAL_FILL",
               "fill 00000021z x2 1 @ 100 on=X | s2.pos=1 alert=LATE_FILL quiet=EXTERNAL_FILL",
               "fill 00010021z x3 1 @ 100 on=X | EXTERNAL.pos=2"));
    story("a pair of instrument and execution id is booked once",
          TOLD("submit a buy 4 @ 100         |", "submit b buy 4 @ 100 on=Y    |",
               "fill a x1 1 @ 100            | dup=0",
               "fill a x1 1 @ 100            | dup=1 a=PARTIAL:1",
               "fill b x1 1 @ 100            | dup=1 b=PARTIAL:1",
               "funding USDT 5 f1            | fund.USDT=5 USDT=9805",
               "funding USDT 5 f1            | dup=2 fund.USDT=5",
               "transfer USDT 5 f1           | dup=2 USDT=9810 fund.USDT=5",
               "transfer USDT -10 f2         | USDT=9800", "transfer USDT -10 f2         | dup=3"));
    story("what cannot be booked stops the instrument and is not marked as seen",
          TOLD("submit a buy 4 @ 100         |",
               "fill a x1 0 @ 100            | alert=ANOMALY a=PENDING_NEW:0 pos=0",
               "submit b buy 4 @ 100         | deny=HALTED",
               "fill a x1 1 @ 0              | alert=ANOMALY",
               "fill a x1 1 @ 100            | a=PARTIAL:1 dup=0 pos=1",
               "begin                        |", "listed a v1 OPEN cum=1       |",
               "position X 1                 |", "end positions                |",
               "submit c buy 4 @ 100         | deny="));
    story("a skipped number asks for fills, and the event counts",
          TOLD("submit a buy 4 @ 100         |", "fill a x1 1 @ 100 seq=7      | quiet=SEQ_GAP",
               "fill a x2 1 @ 100 seq=8      | quiet=SEQ_GAP",
               "fill a x3 1 @ 100 seq=10     | alert=SEQ_GAP asked=0/1/0 a=PARTIAL:3",
               "fill a x4 1 @ 100 seq=9      | quiet=SEQ_GAP a=FILLED:4",
               "down                         |", "up                           |",
               "canceled a seq=1             | quiet=SEQ_GAP"));
}

Test(orders, what_meets_inside_stays_inside)
{
    story("best price first, then oldest, never with oneself",
          TOLD("submit a sell 2 @ 101 to=internal by=s1 | a=OPEN:0 sent=0/0/0 live=0",
               "submit b sell 2 @ 100 to=internal by=s2 | b=OPEN:0",
               "submit c sell 2 @ 100 to=internal by=s3 | c=OPEN:0",
               "submit d buy 5 @ 101 to=internal by=s2 | b=OPEN:0 c=FILLED:2 a=FILLED:2 "
               "d=PARTIAL:4 d.quote=402 d.leaves=1",
               "check                     | s2.pos=4 s3.pos=-2 s1.pos=-2 pos=0 USDT=10000",
               "submit e sell 1 @ 102 to=both by=s1 | e=PENDING_NEW:0 sent=1/0/0",
               "submit f sell 3 @ 100 to=both by=s1 | f=PENDING_NEW:1 d=FILLED:5 f.leaves=2 "
               "sent=2/0/0",
               "ack f v1                  | f=PARTIAL:1",
               "canceled f cum=0          | f=CANCELED:1 quiet=MISSING_FILLS",
               "cancel b                  | b=CANCELED sent=2/0/0"));
    story("an order that rests inside is changed at once",
          TOLD("submit a sell 2 @ 101 to=internal by=s1 |",
               "submit b buy 3 @ 100 to=internal by=s2  | a=OPEN b=OPEN",
               "replace a c px=100        | c=FILLED:2 c.px=100 b=PARTIAL:2 sent=0/0/0",
               "replace b d qty=2         | d=FILLED:2",
               "submit e buy 3 @ market to=internal by=s2 | e=CANCELED:0"));
    story("position, open orders and throttle leave it alone; money and rights do not",
          TOLD("limit instrument:X max_position 1   |", "limit account:account max_open_orders 0 |",
               "limit host throttle_max 0           |", "limit host throttle_window_ms 1000  |",
               "limit host self_cross 1             |",
               "submit a buy 5 @ 100 to=internal    | a=OPEN",
               "submit b buy 5 @ 100 to=both        | deny=MAX_POSITION",
               "limit account:account check_balance 1 |",
               "submit c buy 95 @ 100 to=internal   | deny=",
               "submit d buy 0.001 @ 100 to=internal | deny=INSUFFICIENT_BALANCE",
               "submit e sell 1 @ 100 to=internal   | deny=INSUFFICIENT_BALANCE"));
}

Test(orders, the_kill_switch_follows_every_order)
{
    story("one cancel each, and again only when the venue shows it live",
          TOLD("submit a buy 1 @ 100      |", "submit b buy 1 @ 100      |",
               "ack b v2                  |", "submit c buy 1 @ 100      |",
               "silent c new              | c=UNKNOWN", "submit d buy 1 @ 100      |",
               "ack d v4                  |", "cancel d                  | sent=4/1/0",
               "submit e buy 1 @ 100 to=internal |",
               "kill                      | sent=4/4/0 killed=1 alert=KILL_SWITCH a=PENDING_CANCEL "
               "b=PENDING_CANCEL c=PENDING_CANCEL e=OPEN",
               "kill                      | sent=4/4/0",
               "submit f buy 1 @ 100      | deny=KILL_SWITCH",
               "replace b g qty=2         | deny=KILL_SWITCH",
               "fill a x1 0.5 @ 100       | a=PENDING_CANCEL:0.5 pos=0.5",
               "canceled a cum=0.5        | a=CANCELED:0.5",
               "refused b TOO_LATE        | b=OPEN sent=4/4/0",
               "fill b x2 0.2 @ 100       | b=PARTIAL:0.2 sent=4/4/0",
        "ack b v2                  | sent=4/4/0",
        "status b OPEN cum=0.2     | b=PENDING_CANCEL sent=4/5/0",
               "silent c cancel           | c=PENDING_CANCEL sent=4/5/0",
               "wait 100000               | sent=4/5/0",
               "status c OPEN cum=0       | c=PENDING_CANCEL sent=4/6/0",
               "canceled c                |", "release                   | killed=0",
               "submit i buy 1 @ 100      | deny=RECONCILING", "begin |", "end |",
               "submit h buy 1 @ 100      | h=PENDING_NEW"));
    story("what comes alive while it is pulled is canceled",
          TOLD("submit a buy 2 @ 100      |", "ack a v1                  |",
               "replace a b qty=3         |", "fill a x1 2 @ 100         | a=FILLED",
               "kill                      | sent=1/0/1",
               "replaced a v2             | b=PENDING_CANCEL:2 sent=1/1/1",
               "restart                   | b=UNKNOWN", "begin                     |",
               "listed b v2 OPEN cum=2    | b=PENDING_CANCEL sent=1/2/1",
               "listed - w1 OPEN cum=0 side=sell qty=1 px=200 on=X | ext:w1=PENDING_CANCEL "
               "sent=1/3/1 alert=EXTERNAL_ORDER",
               "end                       |"));
    story(
        "cancel many, by strategy and instrument",
        TOLD("submit a buy 1 @ 100 by=s1 |", "submit b buy 1 @ 100 by=s2 |",
             "submit c buy 1 @ 100 by=s2 on=Y |", "submit d buy 1 @ 100 by=s2 to=internal |",
             "cancelmany x by=s2 on=X   | a=PENDING_NEW b=PENDING_CANCEL c=PENDING_NEW d=CANCELED",
             "cancelmany x              | a=PENDING_CANCEL b=PENDING_CANCEL c=PENDING_CANCEL "
             "sent=3/3/0",
             "cancel a by=s2            | alert=ANOMALY",
             "cancel nobody             | alert=ANOMALY"));
}
