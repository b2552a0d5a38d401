/* links_test.c - orders that concern each other: of a ring one is enough, and a leg is never for more
 * than what it follows has filled. */
#include <criterion/criterion.h>

#include "engine/support_story.h"

#define TOLD(...) ((const char *const[]){__VA_ARGS__, NULL})

Test(links, of_a_ring_one_is_enough)
{
    story("one fires, the other ends",
          TOLD("caps |", "mark 100 |", "submit a buy 1 @ market type=stop trigger=102 |",
               "submit b buy 1 @ market type=take_profit trigger=98 oco=a | b=HELD",
               "mark 102 | a=PENDING_NEW b=CANCELED b.reason=OCO b.exposure=0 sent=1/0/0",
               "mark 98 | sent=1/0/0"));
    story("a limit at the venue and a stop here",
          TOLD("caps |", "mark 100 |", "submit a sell 2 @ 110 |", "ack a V1 |",
               "submit b sell 2 @ market type=stop trigger=95 oco=a | b=HELD b.exposure=2",
               "fill a x1 0.5 @ 110 | a=PARTIAL:0.5 b=HELD b.qty=1.5 b.exposure=1.5",
               "mark 95 | b=PENDING_NEW a=PENDING_CANCEL sent=2/1/0", "canceled a | a=CANCELED:0.5",
               "fill b x2 1.5 @ 95 | b=FILLED:1.5 pos=-2"));
    story("filled whole: the other is canceled",
          TOLD("caps |", "mark 100 |", "submit a sell 2 @ 110 |", "ack a V1 |",
               "submit b sell 2 @ market type=stop trigger=95 oco=a |",
               "fill a x1 2 @ 110 | a=FILLED:2 b=CANCELED b.reason=OCO", "mark 90 | sent=1/0/0"));
    story("both at the venue: what is filled of one is taken off the other",
          TOLD("caps |", "submit a sell 2 @ 110 |", "ack a V1 |", "submit b sell 2 @ 120 oco=a |",
               "ack b V2 |", "fill a x1 0.5 @ 110 | b=PENDING_REPLACE sent=2/0/1",
               "replaced b V3 | b=OPEN b.qty=1.5",
               "fill a x2 1.5 @ 110 | a=FILLED:2 "
               "b=PENDING_CANCEL sent=2/1/1",
               "canceled b | b=CANCELED"));
    story("at a venue that changes none: canceled",
          TOLD("caps fixed |", "submit a sell 2 @ 110 |", "ack a V1 |",
               "submit b sell 2 @ 120 oco=a |", "ack b V2 |",
               "fill a x1 0.5 @ 110 | b=PENDING_CANCEL sent=2/1/0"));
    story("both are filled before word of it comes: both are booked, nothing else is sent",
          TOLD("caps |", "submit a sell 2 @ 110 |", "ack a V1 |", "submit b sell 2 @ 120 oco=a |",
               "ack b V2 |", "fill a x1 2 @ 110 | a=FILLED b=PENDING_CANCEL",
               "fill b x2 2 @ 120 | b=FILLED:2 pos=-4 sent=2/1/0",
               "refused b TOO_LATE | b=FILLED pos=-4"));
    story("a fill that is undone gives nothing back",
          TOLD("caps |", "mark 100 |", "submit a sell 2 @ 110 |", "ack a V1 |",
               "submit b sell 2 @ market type=stop trigger=95 oco=a |", "fill a x1 0.5 @ 110 |",
               "bust x1 OPEN | a=OPEN:0 b=HELD b.qty=1.5"));
    story("three", TOLD("caps |", "mark 100 |", "submit a sell 3 @ 110 |", "ack a V1 |",
                        "submit b sell 3 @ market type=stop trigger=95 oco=a |",
                        "submit c sell 3 @ market type=trailing trigger=9 oco=b |",
                        "fill a x1 1 @ 110 | b.qty=2 c.qty=2",
                        "mark 95 | b=PENDING_NEW "
                        "a=PENDING_CANCEL c=CANCELED"));
    story("one is canceled: the other stands alone",
          TOLD("caps |", "mark 100 |", "submit a sell 2 @ 110 |", "ack a V1 |",
               "submit b sell 2 @ market type=stop trigger=95 oco=a |", "cancel b | b=CANCELED",
               "fill a x1 1 @ 110 | a=PARTIAL:1",
               "submit c sell 1 @ market type=stop trigger=95 "
               "oco=b | deny=LINK"));
    story("both reduce the same position",
          TOLD("caps |", "mark 100 |", "submit e buy 2 @ 100 |", "fill e x0 2 @ 100 | pos=2",
               "submit a sell 2 @ 110 reduce | a=PENDING_NEW", "ack a V1 |",
               "submit b sell 2 @ market type=stop trigger=95 reduce oco=a | b=HELD",
               "mark 95 | b=PENDING_NEW a=PENDING_CANCEL",
               "submit c sell 1 @ 100 reduce | deny=REDUCE_ONLY"));
    story("whom it may concern", TOLD("caps |", "mark 100 |", "submit a sell 2 @ 110 |",
                                      "submit b sell 1 @ 120 oco=a by=s2 | deny=LINK",
                                      "submit c sell 1 @ 120 oco=a on=Y | deny=LINK",
                                      "submit d sell 1 @ 120 oco=nobody | deny=LINK",
                                      "submit e sell 1 @ 120 follow=nobody | deny=LINK",
                                      "reject a NO |", "submit f sell 1 @ 120 oco=a | deny=LINK",
                                      "submit g sell 1 @ 120 follow=a | deny=LINK"));
}

Test(links, a_bracket_follows_its_entry)
{
    story("entry whole, then both legs; one is filled, the other ends",
          TOLD("caps |", "mark 100 |", "submit e buy 2 @ 100 |", "ack e V1 |",
               "submit t sell 2 @ 110 follow=e | t=HELD t.waits=PARENT",
               "submit s sell 2 @ market type=stop trigger=95 follow=e | s.waits=PARENT+TRIGGER",
               "mark 94 | s=HELD t=HELD sent=1/0/0", "mark 100 |",
               "fill e x1 2 @ 100 | e=FILLED t=PENDING_NEW s=HELD s.waits=TRIGGER sent=2/0/0",
               "ack t V2 |", "fill t x2 2 @ 110 | t=FILLED s=CANCELED pos=0"));
    story("a part of the entry: the stop guards what is filled",
          TOLD("caps |", "mark 100 |", "submit e buy 2 @ 100 |", "ack e V1 |",
               "submit t sell 2 @ 110 follow=e |",
               "submit s sell 2 @ market type=stop trigger=95 follow=e |",
               "fill e x1 0.5 @ 100 | t=HELD s.waits=TRIGGER",
               "mark 95 | s=PENDING_NEW s.qty=0.5 t=CANCELED e=PENDING_CANCEL sent=2/1/0",
               "canceled e cum=0.5 | e=CANCELED:0.5", "fill s x2 0.5 @ 95 | s=FILLED:0.5 pos=0"));
    story("a part, and the entry ends: the target is for that part",
          TOLD("caps |", "mark 100 |", "submit e buy 2 @ 100 |", "ack e V1 |",
               "submit t sell 2 @ 110 follow=e |",
               "submit s sell 2 @ market type=stop trigger=95 follow=e |", "fill e x1 0.5 @ 100 |",
               "cancel e |", "canceled e cum=0.5 | t=PENDING_NEW t.qty=0.5 s=HELD", "ack t V2 |",
               "fill t x2 0.2 @ 110 | s=HELD",
               "mark 95 | s=PENDING_NEW s.qty=0.3 "
               "t=PENDING_CANCEL",
               "canceled t |", "fill s x3 0.3 @ 95 | pos=0"));
    story("the venue says that more was filled than it told: nobody goes before it is known",
          TOLD("caps |", "mark 100 |", "submit e buy 2 @ 100 |", "ack e V1 |",
               "submit t sell 2 @ 110 follow=e |", "cancel e |",
               "canceled e cum=1 | e=CANCELED:0 t=HELD e.awaits=1",
               "fill e x1 1 @ 100 | e=CANCELED:1 t=PENDING_NEW t.qty=1"));
    story("nothing of the entry: the legs end",
          TOLD("caps |", "mark 100 |", "submit e buy 2 @ 100 |", "submit t sell 2 @ 110 follow=e |",
               "submit s sell 2 @ market type=stop trigger=95 follow=e |",
               "reject e NO | e=REJECTED t=CANCELED s=CANCELED t.reason=PARENT sent=1/0/0"));
    story("the entry is held itself",
          TOLD("caps |", "mark 100 |", "submit e buy 1 @ market type=stop trigger=101 |",
               "submit t sell 1 @ 110 follow=e | t=HELD", "cancel e | e=CANCELED t=CANCELED"));
    story("it was filled before they came",
          TOLD("caps |", "mark 100 |", "submit e buy 1 @ 100 |", "fill e x1 1 @ 100 |",
               "submit t sell 1 @ 110 follow=e | t=PENDING_NEW",
               "submit s sell 1 @ market type=stop trigger=95 follow=e | s=HELD"));
    story("an iceberg has legs too",
          TOLD("caps |", "mark 100 |", "submit e buy 2 @ 100 type=iceberg visible=1 |",
               "submit s sell 2 @ market type=stop trigger=95 follow=e |", "ack e/ V1 |",
               "fill e/ x1 1 @ 100 | e=HELD:1 s.waits=TRIGGER",
               "mark 95 | s=PENDING_NEW s.qty=1 e=PENDING_CANCEL", "canceled e/ | e=CANCELED:1"));
    story("killed: all end", TOLD("caps |", "mark 100 |", "submit e buy 2 @ 100 |", "ack e V1 |",
                                  "submit t sell 2 @ 110 follow=e |",
                                  "submit s sell 2 @ market type=stop trigger=95 follow=e |",
                                  "kill | e=PENDING_CANCEL t=CANCELED s=CANCELED",
                                  "fill e x1 2 @ 100 | e=FILLED:2 sent=1/1/0"));
    story("over a restart",
          TOLD("caps |", "mark 100 |", "submit e buy 2 @ 100 |", "ack e V1 |",
               "submit t sell 2 @ 110 follow=e |",
               "submit s sell 2 @ market type=stop trigger=95 follow=e |",
               "restart | e=UNKNOWN t=HELD s=HELD", "up |", "begin |",
               "fill e x1 2 @ 100 | t=HELD t.waits=LANE s=HELD", "end | t=PENDING_NEW s=HELD"));
}
