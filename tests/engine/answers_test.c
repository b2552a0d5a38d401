/* answers_test.c - answers that come again, late, or about something else than what is pending.
 *
 * What the random stories of tests/property found, told once each. */
#include <criterion/criterion.h>

#include "engine/support_story.h"

#define TOLD(...) ((const char *const[]){__VA_ARGS__, NULL})

Test(answers, to_earlier_replaces_are_not_answers_to_the_pending_one)
{
    story("an acknowledgement by the new name comes again",
          TOLD("submit a buy 8 @ 100      |", "ack a v1                  |",
               "replace a b qty=10        |", "replaced 00000012 v2      | b=OPEN b.qty=10",
               "replace b c qty=4         | b=PENDING_REPLACE b.exposure=10",
               "replaced 00000012 v2      | b=PENDING_REPLACE b.qty=10 b.exposure=10",
               "replaced 00000012         | b=PENDING_REPLACE b.qty=10",
               "replaced 00000013 v3      | c=OPEN c.qty=4 c.vid=v3"));
    story("and when the later one was refused",
          TOLD("submit a buy 8 @ 100      |", "ack a v1                  |",
               "replace a b qty=10        |", "replaced 00000012 v2      | b=OPEN b.qty=10",
               "replace b c qty=4         |", "replace-refused 00000013 NO | b=OPEN b.qty=10",
               "replaced 00000012 v2      | b=OPEN b.qty=10 quiet=PROTOCOL"));
    story("the first one was told by a list",
          TOLD("submit a buy 8 @ 100      |", "ack a v1                  |",
               "replace a b qty=10        |", "restart                   |",
               "begin                     |", "listed 00000012 v2 OPEN cum=0 | b=OPEN b.qty=10",
               "end                       |", "replace b c qty=4         |",
               "replaced 00000012 v2      | b=PENDING_REPLACE b.qty=10"));
    story("a venue that names the old id, and gives a new one of its own, is understood",
          TOLD("submit a buy 8 @ 100      |", "ack a v1                  |",
               "replace a b qty=10        |", "replaced 00000011 v2      | b=OPEN b.qty=10",
               "replace b c qty=4         |", "replaced 00000012 v3      | c=OPEN c.qty=4"));
    story("a refusal of one that came to nothing before",
          TOLD("submit a buy 8 @ 100      |", "ack a v1                  |",
               "replace a b qty=2         |", "restart                   |",
               "begin                     |", "listed a v1 OPEN cum=0    | a=OPEN",
               "end                       |",
               "replace a c qty=20        | a=PENDING_REPLACE a.exposure=20",
               "replace-refused 00000012 NO | a=PENDING_REPLACE a.exposure=20",
               "limited 00000012 10 request=replace | a=PENDING_REPLACE a.exposure=20",
               "replaced 00000013 v2      | c=OPEN c.qty=20"));
}

Test(answers, that_say_nothing_of_a_replace_leave_it_open)
{
    story("both forms count until the venue has told which",
          TOLD("submit a buy 8 @ 100      |", "ack a v1                  |",
               "replace a b qty=20        |", "restart                   | a=UNKNOWN a.exposure=20",
               "ack a v1                  | a=OPEN a.exposure=20",
               "fill a x1 1 @ 100         | a=PARTIAL:1 a.exposure=19",
               "begin                     |", "end                       | a=UNKNOWN",
               "refused a NO              | a=UNKNOWN", "ack a v1                  | a=PARTIAL:1",
               "replace a c qty=3         | deny=BAD_REQUEST a.exposure=19",
               "silent a replace          | a=PARTIAL:1 a.exposure=19 alert=UNKNOWN_ORDER",
               "status a OPEN cum=1       | a=PARTIAL:1 a.exposure=7",
               "replace a d qty=3         | a=PENDING_REPLACE"));
    story("and the replace may hold after all",
          TOLD("submit a buy 8 @ 100      |", "ack a v1                  |",
               "replace a b qty=20        |", "restart                   |",
               "fill a x1 1 @ 100         | a=PARTIAL:1 a.exposure=19",
               "replaced 00000012 v2      | b=PARTIAL:1 b.qty=20 b.exposure=19"));
    story("a cancel's total is older than a bust: the venue is asked, and its answer settles it",
          TOLD("submit a buy 2 @ 100 |", "ack a V1 |", "fill a x1 1 @ 100 |",
               "fill a x2 0.5 @ 100 |", "cancel a |", "bust x2 OPEN | a=PENDING_CANCEL:1",
               "canceled a cum=1.5 | a=CANCELED:1 a.awaits=1 a.exposure=0.5 asked=1/1/0",
               "wait 60000 | a.awaits=1", "status a CANCELED cum=1 | a.awaits=0 a.exposure=0"));
    story("without a bust an older total does not take back what is missing",
          TOLD("submit a buy 2 @ 100 |", "ack a V1 |", "fill a x1 1 @ 100 |", "cancel a |",
               "canceled a cum=1.5 | a.awaits=1", "status a CANCELED cum=1 | a.awaits=1",
               "fill a x2 0.5 @ 100 | a=CANCELED:1.5 a.awaits=0"));
    story("a bust of what was never told names its order",
          TOLD("submit a buy 2 @ 100 |", "ack a V1 |",
               "status a FILLED cum=2 | a=FILLED:0 a.awaits=1",
               "bust x1 OPEN cid=a qty=0.5 | a=OPEN:0 a.awaits=1",
               "fill a x1 0.5 @ 100 | a=OPEN:0 dup=1",
               "fill a x2 1.5 @ 100 | a=PARTIAL:1.5 a.awaits=0"));
    story("filled, busted, and found: the quantity was not replaced by less than is filled",
          TOLD("submit a buy 8 @ 100      |", "ack a v1                  |",
               "replace a b qty=8 px=99   |", "fill a x1 8 @ 100         | a=FILLED:8",
               "status a OPEN cum=0       | a=FILLED:8 a.px=100",
               "bust x1 OPEN              | a.qty=8 a.px=100"));
}

Test(answers, with_a_former_id_of_the_venue_teach_nothing)
{
    story("a late fill and a late acknowledgement",
          TOLD("submit a buy 8 @ 100      |", "ack a v1                  |",
               "replace a b qty=10        |", "replaced a v2             | b.vid=v2",
               "fill a x1 1 @ 100 vid=v1  | b=PARTIAL:1 b.vid=v2",
               "ack a v1                  | b=PARTIAL:1 b.vid=v2",
               "found-fill v1 buy x2 1 @ 100 | b=PARTIAL:2 b.vid=v2"));
}

Test(answers, that_make_an_order_known_bring_what_waited)
{
    story("an order of somebody else, whose execution waited for one of ours",
          TOLD("submit a buy 8 @ 100      |",
               "found-fill h1 buy x1 2 @ 100 | pos=2 quiet=EXTERNAL_FILL",
               "down                      |", "up                        |",
               "begin                     |",
               "listed hand h1 OPEN cum=2 side=buy qty=3 px=100 on=X | hand=PARTIAL:2 "
               "hand.awaits=0 alert=EXTERNAL_FILL quiet=MISSING_FILLS",
               "position X 2              |", "end                       | pos=2"));
}
