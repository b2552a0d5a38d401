/* cancel_test.c - a cancel without an answer: silence sends nothing again; the venue's own word that
 * the order works on does, in a live host. */
#include <criterion/criterion.h>

#include "engine/support_story.h"

#define TOLD(...) ((const char *const[]){__VA_ARGS__, NULL})

Test(cancel, one_that_was_lost_is_sent_again_when_the_venue_shows_the_order_live)
{
    story("live",
          TOLD("submit a buy 2 @ 100 |", "ack a V1 |", "fill a x1 0.5 @ 100 |",
               "policy strict 1      |", "cancel a             | a=PENDING_CANCEL:0.5 sent=1/1/0",
               "status a OPEN cum=0.5 | a=PENDING_CANCEL:0.5 sent=1/1/0",
               "silent a cancel      | a=PENDING_CANCEL:0.5 sent=1/1/0",
               "wait 60000           | a=PENDING_CANCEL:0.5 sent=1/1/0",
               "status a OPEN cum=0.5 | a=PENDING_CANCEL:0.5 sent=1/2/0",
               "status a OPEN cum=0.5 | sent=1/2/0", "silent a cancel      | sent=1/2/0",
               "status a OPEN cum=0.5 | sent=1/3/0",
               "canceled a cum=0.5   | a=CANCELED:0.5 sent=1/3/0",
               "status a CANCELED cum=0.5 | sent=1/3/0"));
    story("a scenario sends nothing again",
          TOLD("submit a buy 2 @ 100 |", "ack a V1 |", "cancel a |",
               "silent a cancel  | sent=1/1/0", "status a OPEN    | a=PENDING_CANCEL sent=1/1/0"));
}
