/* hold_test.c - orders that the host keeps: each type fires at its price and not one tick before; what
 * waits is not forgotten, and what cannot wait ends with its reason. */
#include <criterion/criterion.h>

#include "engine/support_story.h"

#define TOLD(...) ((const char *const[]){__VA_ARGS__, NULL})

Test(hold, a_trigger_fires_at_its_price_and_not_one_tick_before)
{
    story("stops, both sides",
          TOLD("caps |", "mark 100 |",
               "submit a buy 1 @ market type=stop trigger=101 | a=HELD a.waits=TRIGGER sent=0/0/0",
               "submit b sell 1 @ market type=stop trigger=99 | b=HELD sent=0/0/0 live=0",
               "mark 100.99 | a=HELD b=HELD", "mark 99.01 | a=HELD b=HELD sent=0/0/0",
               "mark 101 | a=PENDING_NEW a.type=market b=HELD sent=1/0/0",
               "mark 98 | b=PENDING_NEW sent=2/0/0", "mark 200 | sent=2/0/0"));
    story("stop limit",
          TOLD("caps |", "mark 100 |",
               "submit a buy 1 @ 102 type=stop_limit trigger=101 | a=HELD a.px=102",
               "mark 100.99 | a=HELD", "mark 101 | a=PENDING_NEW a.type=limit a.px=102"));
    story("take profit is a stop from the other side",
          TOLD("caps |", "mark 100 |",
               "submit a sell 1 @ market type=take_profit trigger=101 | a=HELD",
               "submit b buy 1 @ market type=take_profit trigger=99 | b=HELD",
               "mark 100.99 | a=HELD", "mark 99.01 | b=HELD", "mark 101 | a=PENDING_NEW b=HELD",
               "mark 98.99 | b=PENDING_NEW sent=2/0/0"));
    story("the middle of bid and ask, half a tick included",
          TOLD("caps |", "top 99.99 100 |",
               "submit a buy 1 @ market type=stop trigger=100 | a=HELD", "top 99.99 100 | a=HELD",
               "top 99.99 100.01 | a=PENDING_NEW"));
    story("there already: at once", TOLD("caps |", "mark 100 |",
                                         "submit a buy 1 @ market type=stop trigger=100 | "
                                         "a=PENDING_NEW sent=1/0/0",
                                         "submit b sell 1 @ market type=take_profit trigger=99 | "
                                         "b=PENDING_NEW"));
    story("a jump over several: the nearest first, each once",
          TOLD("caps |", "mark 100 |", "limit account:account max_open_orders 2 |",
               "submit a buy 1 @ market type=stop trigger=103 |",
               "submit b buy 1 @ market type=stop trigger=101 |",
               "submit c buy 1 @ market type=stop trigger=102 |",
               "mark 110 | b=PENDING_NEW c=PENDING_NEW a=DENIED a.reason=MAX_OPEN_ORDERS "
               "deny=MAX_OPEN_ORDERS sent=2/0/0"));
    story("by trades, if policy says so",
          TOLD("caps |", "policy trigger_by 1 |", "mark 100 |",
               "submit a buy 1 @ market type=stop trigger=101 | a=HELD", "mark 105 | a=HELD",
               "trade 105 off | a=HELD", "trade 100.99 | a=HELD", "trade 101 | a=PENDING_NEW"));
    story("a venue that has stops gets them",
          TOLD("caps types=stop |", "mark 100 |",
               "submit a buy 1 @ market type=stop trigger=101 | a=PENDING_NEW a.type=stop",
               "submit b buy 1 @ 101 type=stop_limit trigger=101 | b=HELD"));
}

Test(hold, a_trailing_stop_moves_in_favour_only)
{
    story("sells", TOLD("caps |", "mark 100 |",
                        "submit a sell 1 @ market type=trailing trigger=2 | a=HELD a.best=100",
                        "mark 99 | a.best=100", "mark 105 | a.best=105", "mark 104 | a.best=105",
                        "mark 103.01 | a=HELD a.best=105", "mark 103 | a=PENDING_NEW"));
    story("buys",
          TOLD("caps |", "mark 100 |",
               "submit a buy 1 @ market type=trailing trigger=2 | a=HELD a.best=100",
               "mark 95 | a.best=95", "mark 96.99 | a=HELD a.best=95", "mark 97 | a=PENDING_NEW"));
    story("no price yet: from the first one on",
          TOLD("caps |", "submit a sell 1 @ market type=trailing trigger=2 | a=HELD a.best=0",
               "mark 100 | a.best=100", "mark 98 | a=PENDING_NEW"));
    story("closer, and the best so far stays",
          TOLD("caps |", "mark 100 |", "submit a sell 1 @ market type=trailing trigger=5 |",
               "mark 110 |", "mark 107 | a=HELD", "replace a b trigger=4 | b=HELD b.best=110",
               "replace b c trigger=3 | c=PENDING_NEW"));
}

Test(hold, a_time_comes_and_a_time_is_over)
{
    story("scheduled", TOLD("submit a buy 1 @ 100 release=500 | a=HELD a.waits=TIME sent=0/0/0",
                            "at 499 | a=HELD", "at 500 | a=PENDING_NEW sent=1/0/0"));
    story("not before a time, then at a price",
          TOLD("caps |", "mark 100 |",
               "submit a buy 1 @ market type=stop trigger=101 release=500 | a.waits=TIME+TRIGGER",
               "mark 102 | a=HELD", "mark 100 |", "at 500 | a=HELD a.waits=TRIGGER",
               "mark 101 | a=PENDING_NEW"));
    story("GTD while held",
          TOLD("caps |", "mark 100 |",
               "submit a buy 1 @ market type=stop trigger=101 tif=GTD expires=500 "
               "| a=HELD",
               "at 499 | a=HELD", "at 500 | a=EXPIRED a.reason=GTD a.exposure=0 sent=0/0/0"));
    story("GTD at a venue that has none: our cancel",
          TOLD("caps |", "submit a buy 1 @ 100 tif=GTD expires=500 | a=PENDING_NEW", "ack a V1 |",
               "at 499 | a=OPEN sent=1/0/0", "at 500 | a=PENDING_CANCEL sent=1/1/0",
               "canceled a | a=CANCELED"));
    story("and at one that has it: its own",
          TOLD("caps tifs=GTD |", "submit a buy 1 @ 100 tif=GTD expires=500 |", "ack a V1 |",
               "at 600 | a=OPEN sent=1/0/0", "expired a GTD | a=EXPIRED"));
    story("DAY ends when the day does",
          TOLD("caps |", "policy day_ends_ns 3000000000 |",
               "submit a buy 1 @ 100 tif=DAY release=100000 | a=HELD", "at 1999 | a=HELD",
               "at 2000 | a=EXPIRED a.reason=DAY",
               "submit b buy 1 @ 100 tif=DAY release=90000000 | b=HELD", "at 86401999 | b=HELD",
               "at 86402000 | b=EXPIRED"));
    story("what is over before it begins",
          TOLD("caps |", "submit a buy 1 @ 100 tif=GTD | deny=BAD_REQUEST",
               "submit b buy 1 @ 100 expires=500 | deny=BAD_REQUEST", "at 500 |",
               "submit c buy 1 @ 100 tif=GTD expires=500 | deny=BAD_REQUEST", "mark 100 |",
               "submit d sell 1 @ 101 |", "limit host self_cross 1 |",
               "submit e buy 1 @ 102 type=stop_limit trigger=105 tif=GTD expires=499 | "
               "deny=BAD_REQUEST"));
}

Test(hold, an_iceberg_shows_a_slice_at_a_time)
{
    story("filled in parts, slice by slice",
          TOLD("caps |", "mark 100 |",
               "submit a buy 5 @ 100 type=iceberg visible=2 | a=HELD a/=PENDING_NEW a/.qty=2 "
               "a.exposure=3 a/.exposure=2 sent=1/0/0 live=1",
               "ack a/ V1 | a/=OPEN", "fill a/ x1 0.5 @ 100 | a=HELD:0.5 a/=PARTIAL:0.5",
               "fill a/ x2 1.5 @ 100 | a=HELD:2 a/=PENDING_NEW a/.qty=2 sent=2/0/0 live=1 pos=2",
               "fill a/ x3 2 @ 99 | a=HELD:4 a/.qty=1 a.quote=398 sent=3/0/0",
               "fill a/ x4 1 @ 100 | a=FILLED:5 a.quote=498 live=0 sent=3/0/0 pos=5"));
    story("canceled: its slice first",
          TOLD("caps |", "mark 100 |", "submit a buy 5 @ 100 type=iceberg visible=2 |",
               "ack a/ V1 |", "cancel a | a=PENDING_CANCEL sent=1/1/0",
               "fill a/ x1 2 @ 100 | a=CANCELED:2 sent=1/1/0 pos=2"));
    story("its slice cannot be canceled: both go on",
          TOLD("caps |", "submit a buy 5 @ 100 type=iceberg visible=2 |", "ack a/ V1 |",
               "cancel a | a=PENDING_CANCEL", "refused a/ TOO_LATE | a=HELD a/=OPEN",
               "fill a/ x1 2 @ 100 | a=HELD:2 a/.qty=2 sent=2/1/0"));
    story("its slice is refused", TOLD("caps |", "submit a buy 5 @ 100 type=iceberg visible=2 |",
                                       "reject a/ POST_ONLY | a=CANCELED:0 a.reason=POST_ONLY"));
    story("a limit ends it between two slices",
          TOLD("caps |", "submit a buy 5 @ 100 type=iceberg visible=2 |", "ack a/ V1 |",
               "limit account:account max_position 4 |",
               "fill a/ x1 2 @ 100 | a=CANCELED:2 a.reason=MAX_POSITION deny=MAX_POSITION "
               "sent=1/0/0"));
    story("over its time",
          TOLD("caps |", "submit a buy 5 @ 100 type=iceberg visible=2 tif=GTD expires=500 |",
               "ack a/ V1 |", "fill a/ x1 1 @ 100 |", "at 500 | a=PENDING_CANCEL sent=1/1/0",
               "canceled a/ | a=EXPIRED:1 a.exposure=0"));
    story("an execution is undone, and more than the slice is filled",
          TOLD("caps |", "submit a buy 4 @ 100 type=iceberg visible=2 |", "ack a/ V1 |",
               "fill a/ x1 2 @ 100 | a=HELD:2", "fill a/ x2 2 @ 100 | a=FILLED:4 pos=4",
               "bust x1 | a=CANCELED:2 pos=2"));
    story("shape",
          TOLD("caps |", "submit a buy 5 @ 100 type=iceberg | deny=BAD_REQUEST",
               "submit b buy 5 @ 100 visible=2 | deny=BAD_REQUEST",
               "submit c buy 5 @ 100 type=iceberg visible=2 tif=IOC | deny=BAD_REQUEST",
               "rules X step=0.01 |", "submit d buy 5 @ 100 type=iceberg visible=0.005 | deny=STEP",
               "submit e buy 5 @ 100 type=iceberg visible=2 to=both | deny=CAPABILITY"));
}

Test(hold, what_is_held_can_be_changed_and_canceled)
{
    story("trigger, price and quantity",
          TOLD("caps |", "mark 100 |", "submit a buy 1 @ 103 type=stop_limit trigger=101 |",
               "replace a b trigger=102 | b=HELD sent=0/0/0", "mark 101 | b=HELD",
               "replace b c px=104 qty=2 | c=HELD c.px=104 c.qty=2 c.exposure=2",
               "mark 102 | c=PENDING_NEW c.px=104 sent=1/0/0"));
    story("a trigger that is there already fires at once",
          TOLD("caps |", "mark 100 |", "submit a buy 1 @ market type=stop trigger=105 |",
               "replace a b trigger=100 | b=PENDING_NEW"));
    story("what makes no sense",
          TOLD("caps |", "mark 100 |", "submit a buy 1 @ market type=stop trigger=105 |",
               "replace a b px=100 | deny=BAD_REQUEST a=HELD",
               "replace a c trigger=0 | deny=BAD_REQUEST", "submit d buy 1 @ 100 |", "ack d V1 |",
               "replace d e trigger=104 | deny=BAD_REQUEST d=OPEN"));
    story("after it fired it is like any other",
          TOLD("caps |", "mark 100 |", "submit a buy 2 @ 103 type=stop_limit trigger=101 |",
               "mark 101 | a=PENDING_NEW", "ack a V1 | a=OPEN", "replace a b qty=1 | sent=1/0/1",
               "replaced b V2 | b=OPEN b.qty=1", "cancel b | sent=1/1/1",
               "canceled b | b=CANCELED"));
    story("canceled: at once",
          TOLD("caps |", "mark 100 |", "submit a buy 2 @ 103 type=stop_limit trigger=101 |",
               "cancel a | a=CANCELED a.exposure=0 sent=0/0/0", "mark 101 | sent=0/0/0"));
    story("all of a strategy's",
          TOLD("caps |", "mark 100 |", "submit a buy 1 @ market type=stop trigger=101 |",
               "submit b buy 1 @ market type=stop trigger=101 by=s2 |",
               "submit c buy 3 @ 90 type=iceberg visible=1 |",
               "cancelmany by=s1 | a=CANCELED b=HELD c=PENDING_CANCEL"));
}

Test(hold, what_is_held_counts_and_is_judged_again_when_it_goes)
{
    story("in exposure and position limits, not among open orders",
          TOLD("caps |", "mark 100 |", "limit account:account max_position 3 |",
               "limit account:account max_open_orders 1 |",
               "submit a buy 2 @ market type=stop trigger=101 | a=HELD live=0",
               "submit b buy 2 @ 100 | deny=MAX_POSITION", "submit c buy 1 @ 100 | c=PENDING_NEW",
               "mark 101 | a=DENIED a.reason=MAX_OPEN_ORDERS a.exposure=0"));
    story("reduce-only when it goes, not before",
          TOLD("caps |", "mark 100 |",
               "submit a sell 1 @ market type=stop trigger=99 reduce | a=HELD",
               "submit b sell 1 @ market type=stop trigger=98 reduce | b=HELD",
               "mark 99 | a=DENIED a.reason=REDUCE_ONLY", "mark 100 |", "submit c buy 1 @ 100 |",
               "fill c x1 1 @ 100 | pos=1", "mark 98 | b=PENDING_NEW"));
    story("a price band does not bind a stop that is far away, but what goes out",
          TOLD("caps |", "mark 100 |", "limit instrument:X price_band_pct 1 |",
               "submit a buy 1 @ 103 type=stop_limit trigger=101 | a=HELD",
               "mark 101 | a=DENIED a.reason=PRICE_BAND",
               "submit b buy 1 @ 103 type=stop_limit trigger=103 |", "mark 103 | b=PENDING_NEW"));
    story("the kill switch ends it",
          TOLD("caps |", "mark 100 |", "submit a buy 1 @ market type=stop trigger=101 |",
               "submit b buy 5 @ 90 type=iceberg visible=1 |", "ack b/ V1 |",
               "kill | a=CANCELED a.reason=KILL_SWITCH b=PENDING_CANCEL sent=1/1/0",
               "mark 101 | sent=1/1/0", "canceled b/ | b=CANCELED sent=1/1/0"));
    story("a halted strategy's go too",
          TOLD("caps |", "mark 100 |", "limit strategy:s1 max_loss 10 |", "submit a buy 1 @ 100 |",
               "fill a x1 1 @ 100 |", "submit b buy 1 @ market type=stop trigger=101 |",
               "submit c buy 1 @ market type=stop trigger=101 by=s2 |",
               "mark 90 | b=CANCELED c=HELD state.strategy:s1=HALTED"));
}

Test(hold, capabilities_are_kept_to)
{
    story("neither the venue nor we: by name",
          TOLD("caps plain |", "mark 100 |",
               "submit a buy 1 @ market type=stop trigger=101 | deny=CAPABILITY",
               "submit b buy 1 @ 100 type=iceberg visible=1 | deny=CAPABILITY",
               "submit c buy 1 @ 100 tif=DAY | deny=CAPABILITY",
               "submit d buy 1 @ 100 tif=IOC | d=PENDING_NEW",
               "submit e buy 1 @ 100 release=500 | e=HELD"));
    story("nothing was said of it: live only what all can do",
          TOLD("mark 100 |", "submit a buy 1 @ market type=stop trigger=101 | a=PENDING_NEW",
               "policy strict 1 |", "submit b buy 1 @ market type=stop trigger=101 | b=DENIED"));
    story("no longer emulated: what is held stays",
          TOLD("caps |", "mark 100 |", "submit a buy 1 @ market type=stop trigger=101 |",
               "caps plain | a=HELD",
               "submit b buy 1 @ market type=stop trigger=101 | "
               "deny=CAPABILITY",
               "mark 101 | a=PENDING_NEW"));
}

Test(hold, what_fired_waits_for_an_obstacle_that_passes)
{
    story("the venue is down, is asked, is back",
          TOLD("caps |", "up |", "begin |", "end |", "mark 100 |",
               "submit a buy 1 @ market type=stop trigger=101 |",
               "submit b buy 1 @ market type=stop trigger=101 |", "down | a=HELD",
               "mark 101 | a=HELD a.waits=LANE a.obstacle=VENUE_DOWN sent=0/0/0",
               "mark 90 | a=HELD", "up | a.obstacle=RECONCILING", "begin |",
               "end | a=PENDING_NEW b=PENDING_NEW sent=2/0/0"));
    story("over a restart",
          TOLD("caps |", "up |", "begin |", "end |", "mark 100 |",
               "submit a buy 1 @ market type=stop trigger=101 |",
               "submit b sell 1 @ market type=trailing trigger=2 |", "restart | a=HELD b=HELD",
               "mark 101 | a.obstacle=RECONCILING", "up |", "begin |",
               "end | a=PENDING_NEW b=HELD b.best=101", "mark 99 | b=PENDING_NEW sent=2/0/0"));
    story("what was passed while we were down, and is not any more, does not fire",
          TOLD("caps |", "mark 100 |", "submit a buy 1 @ market type=stop trigger=101 |",
               "restart |", "up |", "begin |", "end |", "mark 100.5 | a=HELD",
               "mark 101 | a=PENDING_NEW"));
    story("pace: in the order in which they came, as the window frees",
          TOLD("caps |", "mark 100 |", "limit account:account throttle_max 1 |",
               "limit account:account throttle_window_ms 100 |",
               "submit a buy 1 @ market type=stop trigger=101 |",
               "submit b buy 1 @ market type=stop trigger=101.01 |",
               "submit c buy 1 @ market type=stop trigger=101.02 |",
               "mark 102 | a=PENDING_NEW b.waits=LANE b.obstacle=THROTTLED c=HELD sent=1/0/0",
               "at 99 | sent=1/0/0", "at 100 | b=PENDING_NEW c=HELD sent=2/0/0",
               "cancel c | c=CANCELED", "at 500 | sent=2/0/0"));
    story("a ban ends by itself",
          TOLD("caps |", "mark 100 |", "submit a buy 1 @ 100 |",
               "submit b buy 1 @ market type=stop trigger=101 |", "limited a 300 |",
               "mark 101 | b=HELD b.obstacle=VENUE_BACKOFF", "at 299 | b=HELD",
               "at 300 | b=PENDING_NEW"));
    story("stale prices: told, and nothing fires before they are good again",
          TOLD("caps |", "mark 100 |", "submit a buy 1 @ market type=stop trigger=101 |",
               "book STALE | alert=HELD_STALE a=HELD", "book GAPPED | quiet=HELD_STALE",
               "mark 101 | a=PENDING_NEW"));
    story("killed while it waits", TOLD("caps |", "up |", "begin |", "end |", "mark 100 |",
                                        "submit a buy 1 @ market type=stop trigger=101 |", "down |",
                                        "mark 101 | a.waits=LANE", "kill | a=CANCELED", "up |",
                                        "begin |", "end | sent=0/0/0"));
}

Test(hold, too_early_for_the_pace_waits_if_policy_says_so)
{
    story("denied, unless",
          TOLD("limit account:account throttle_max 1 |",
               "limit account:account throttle_window_ms 100 |", "submit a buy 1 @ 100 |",
               "submit b buy 1 @ 100 | deny=THROTTLED", "policy pace_queue 1 |",
               "submit c buy 1 @ 100 | c=HELD c.waits=LANE c.obstacle=THROTTLED",
               "submit d buy 1 @ 101 | d=HELD live=1", "at 100 | c=PENDING_NEW d=HELD",
               "at 200 | d=PENDING_NEW sent=3/0/0"));
    story("only pace", TOLD("policy pace_queue 1 |", "limit account:account max_order_qty 1 |",
                            "submit a buy 2 @ 100 | deny=MAX_ORDER_QTY", "up |",
                            "submit b buy 1 @ 100 | deny=RECONCILING"));
    story("what else is wrong with it is said at once",
          TOLD("policy pace_queue 1 |", "limit account:account throttle_max 0 |",
               "limit account:account throttle_window_ms 100 |", "journal 1 |",
               "submit a buy 1 @ 100 | deny=JOURNAL"));
    story("a wider limit lets it go at once",
          TOLD("policy pace_queue 1 |", "limit account:account throttle_max 0 |",
               "limit account:account throttle_window_ms 100 |", "submit a buy 1 @ 100 | a=HELD",
               "at 900 | a=HELD", "limit account:account throttle_max 1 | a=PENDING_NEW"));
}
