/* paper_test.c - paper execution, told as it happens: what is done, and what is heard. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/latencies.h"
#include "sim/support_teller.h"

/* One story: lines of "what is done | what is heard"; all latencies are zero. */
struct story {
    const char *name;
    struct paper_config config;
    const char *const *lines;
};
#define LINES(...)        \
    (const char *const[]) \
    {                     \
        __VA_ARGS__, NULL \
    }

static void tell(const struct story *story)
{
    struct teller teller;
    teller_open(&teller, story->config);
    for (const char *const *line = story->lines; *line; line++) {
        const char *bar = strchr(*line, '|');
        char action[256] = "";
        cr_assert_not_null(bar, "%s: %s", story->name, *line);
        size_t len = (size_t)(bar - *line);
        while (len > 0 && (*line)[len - 1] == ' ')
            len--;
        memcpy(action, *line, len);
        const char *expected = bar[1] ? bar + 2 : "";
        teller_do(&teller, action, false);
        const char *heard = teller_heard(&teller);
        cr_expect_str_eq(heard, expected, "%s\n  told:   %s\n  heard:  %s\n  wanted: %s",
                         story->name, action, heard, expected);
    }
    teller_close(&teller);
}

#define MARKET "snap b99=5 b98=3 a101=2 a102=4 |"

/* clang-format off */
static const struct story taking[] = {
    {"a taker walks the book", {0}, LINES(MARKET,
        "buy 1 5@102           | ack 1; fill 1 buy 2@101 taker; fill 1 buy 3@102 taker",
        "query 1               | status 1 filled cum 5")},
    {"what does not fill rests", {0}, LINES(MARKET,
        "sell 1 7@99           | ack 1; fill 1 sell 5@99 taker",
        "query 1               | status 1 open cum 5",
        "cancel 1              | canceled 1 cum 5",
        "query 1               | status 1 canceled cum 5")},
    {"what was taken is gone until data names it", {0}, LINES(MARKET,
        "buy 1 1@101 ioc       | ack 1; fill 1 buy 1@101 taker",
        "buy 2 5@101 ioc       | ack 2; fill 2 buy 1@101 taker; expired 2 IOC cum 1",
        "buy 3 1@101 ioc       | ack 3; expired 3 IOC cum 0",
        "book a102=9           |",
        "buy 4 1@101 ioc       | ack 4; expired 4 IOC cum 0",
        "book a101=3           |",
        "buy 5 9@101 ioc       | ack 5; fill 5 buy 3@101 taker; expired 5 IOC cum 3",
        MARKET,
        "buy 6 9@101 ioc       | ack 6; fill 6 buy 2@101 taker; expired 6 IOC cum 2")},
    {"more was taken than is displayed afterwards", {0}, LINES(MARKET,
        "sell 1 4@99 ioc       | ack 1; fill 1 sell 4@99 taker",
        "book b99=6            |",
        "sell 2 9@99 ioc       | ack 2; fill 2 sell 6@99 taker; expired 2 IOC cum 6")},
    {"fill or kill", {0}, LINES(MARKET,
        "buy 1 7@102 fok       | ack 1; expired 1 FOK cum 0",
        "buy 2 6@102 fok       | ack 2; fill 2 buy 2@101 taker; fill 2 buy 4@102 taker",
        "buy 3 1@102 fok       | ack 3; expired 3 FOK cum 0")},
    {"market orders take what there is", {0}, LINES(MARKET,
        "sell 1 9@market       | ack 1; fill 1 sell 5@99 taker; fill 1 sell 3@98 taker; "
                                 "expired 1 NO_LIQUIDITY cum 8",
        "buy 2 1@market        | ack 2; fill 2 buy 1@101 taker")},
    {"post-only", {0}, LINES(MARKET,
        "buy 1 1@101 post      | rejected 1 POST_ONLY_WOULD_TAKE",
        "buy 2 1@100 post      | ack 2",
        "replace 2 3 1@101     | not replaced 2 POST_ONLY_WOULD_TAKE",
        "query 2               | status 2 open cum 0",
        "buy 4 1@99 ioc post   | rejected 4 POST_ONLY_MUST_REST")},
    {"our own orders stand in the same queue", {.stp = MATCH_STP_NONE}, LINES(MARKET,
        "sell 1 2@100          | ack 1",
        "buy 2 3@101 ioc       | ack 2; fill 1 sell 2@100 maker; fill 2 buy 2@100 taker; "
                                 "fill 2 buy 1@101 taker")},
    {"self-trade prevention, the new order ends", {.stp = MATCH_STP_CANCEL_NEW}, LINES(MARKET,
        "sell 1 2@101          | ack 1",
        "buy 2 9@101           | ack 2; fill 2 buy 2@101 taker; expired 2 STP cum 2",
        "query 1               | status 1 open cum 0")},
    {"self-trade prevention, the old order goes", {.stp = MATCH_STP_CANCEL_OLD}, LINES(MARKET,
        "sell 1 2@101          | ack 1",
        "buy 2 3@102 ioc       | ack 2; fill 2 buy 2@101 taker; expired 1 STP cum 0; "
                                 "fill 2 buy 1@102 taker",
        "query 1               | status 1 expired cum 0")},
    {"a venue that sends only its best bid and ask", {0}, LINES(
        "top 99=5 101=2        |",
        "buy 1 9@105 ioc       | ack 1; fill 1 buy 2@101 taker; expired 1 IOC cum 2",
        "buy 2 1@105 ioc       | ack 2; expired 2 IOC cum 0",
        "top 99=5 101=2        |",
        "buy 3 1@105 ioc       | ack 3; fill 3 buy 1@101 taker",
        "buy 4 1@99            | ack 4",
        "trade sell 5@99       |",
        "trade sell 1@99       | fill 4 buy 1@99 maker")},
    {"no market at all", {0}, LINES(
        "buy 1 1@market        | ack 1; expired 1 NO_LIQUIDITY cum 0",
        "buy 2 1@100           | ack 2")},
};

static const struct story resting[] = {
    {"trades take the queue from the front", {.queue = MATCH_QUEUE_BACK}, LINES(MARKET,
        "buy 1 4@99            | ack 1",
        "trade sell 3@99       |",
        "trade buy 9@99        |",
        "trade sell 3@99       | fill 1 buy 1@99 maker",
        "trade sell 9@99       | fill 1 buy 3@99 maker")},
    {"trades that are not of the book change nothing", {.queue = MATCH_QUEUE_BACK}, LINES(MARKET,
        "buy 1 4@99            | ack 1",
        "trade sell 50@99 off  |",
        "trade sell 50@98 off  |",
        "query 1               | status 1 open cum 0")},
    {"a trade through the price fills the rest at once", {.queue = MATCH_QUEUE_BACK}, LINES(MARKET,
        "buy 1 4@99            | ack 1",
        "sell 2 4@101          | ack 2",
        "trade sell 1@98       | fill 1 buy 4@99 maker",
        "trade buy 1@102       | fill 2 sell 4@101 maker")},
    {"a better price fills first", {.queue = MATCH_QUEUE_BACK}, LINES(MARKET,
        "buy 1 1@99            | ack 1",
        "buy 2 1@100           | ack 2",
        "trade sell 1@99       | fill 2 buy 1@100 maker",
        "trade sell 6@99       | fill 1 buy 1@99 maker")},
    {"trades_only: what is ahead only trades away", {.queue = MATCH_QUEUE_BEHIND}, LINES(MARKET,
        "buy 1 2@99            | ack 1",
        "book b99=1            |",
        "trade sell 4@99       |",
        "trade sell 2@99       | fill 1 buy 1@99 maker")},
    {"capped: ahead is at most what is displayed", {.queue = MATCH_QUEUE_BACK}, LINES(MARKET,
        "buy 1 2@99            | ack 1",
        "book b99=1            |",
        "trade sell 2@99       | fill 1 buy 1@99 maker")},
    {"capped: growth stands behind", {.queue = MATCH_QUEUE_BACK}, LINES(MARKET,
        "buy 1 2@99            | ack 1",
        "book b99=50           |",
        "trade sell 6@99       | fill 1 buy 1@99 maker",
        "book b99=5            |",
        "trade sell 2@99       | fill 1 buy 1@99 maker")},
    {"capped: the size is gone", {.queue = MATCH_QUEUE_BACK}, LINES(MARKET,
        "buy 1 2@99            | ack 1",
        "book b99=0            |",
        "trade sell 1@99       | fill 1 buy 1@99 maker")},
    {"capped: a snapshot without the level", {.queue = MATCH_QUEUE_BACK}, LINES(MARKET,
        "buy 1 2@99            | ack 1",
        "snap b98=1 a101=1     |",
        "trade sell 1@99       | fill 1 buy 1@99 maker")},
    {"front: what disappears was before us", {.queue = MATCH_QUEUE_FRONT}, LINES(MARKET,
        "buy 1 2@99            | ack 1",
        "book b99=9            |",
        "book b99=5            |",
        "trade sell 2@99       | fill 1 buy 1@99 maker")},
    {"back: we are always last", {.queue = MATCH_QUEUE_LAST}, LINES(MARKET,
        "buy 1 2@99            | ack 1",
        "book b99=9            |",
        "trade sell 9@99       |",
        "book b99=3            |",
        "trade sell 4@99       | fill 1 buy 1@99 maker")},
    {"shared: as much as stands there", {.queue = MATCH_QUEUE_SHARED_1}, LINES(MARKET,
        "buy 1 2@99            | ack 1",
        "book b99=15           |",
        "book b99=9            |",
        "trade sell 3@99       |",
        "trade sell 1@99       | fill 1 buy 1@99 maker")},
    {"shared_2: by the squares", {.queue = MATCH_QUEUE_SHARED_2}, LINES(MARKET,
        "buy 1 2@99            | ack 1",
        "book b99=15           |",
        "book b99=9            |",
        "trade sell 4@99       |",
        "trade sell 1@99       | fill 1 buy 1@99 maker")},
    {"shared_3: by the cubes, and never more than is there", {.queue = MATCH_QUEUE_SHARED_3}, LINES(MARKET,
        "buy 1 2@99            | ack 1",
        "book b99=15           |",
        "book b99=9            |",
        "trade sell 5@99       |",
        "book b99=0            |",
        "trade sell 1@99       | fill 1 buy 1@99 maker")},
    {"two orders of ours at one price", {.queue = MATCH_QUEUE_BACK}, LINES(MARKET,
        "buy 1 2@99            | ack 1",
        "book b99=8            |",
        "buy 2 2@99            | ack 2",
        "trade sell 8@99       | fill 1 buy 2@99 maker",
        "trade sell 3@99       | fill 2 buy 1@99 maker",
        "cancel 2              | canceled 2 cum 1")},
    {"an order that comes again starts behind what is shown", {.queue = MATCH_QUEUE_BACK}, LINES(MARKET,
        "buy 1 2@99            | ack 1",
        "trade sell 4@99       |",
        "cancel 1              | canceled 1 cum 0",
        "buy 2 2@99            | ack 2",
        "trade sell 5@99       |",
        "trade sell 2@99       | fill 2 buy 2@99 maker")},
};

static const struct story changing[] = {
    {"less keeps its place, more does not", {.queue = MATCH_QUEUE_BACK}, LINES(MARKET,
        "buy 1 4@99            | ack 1",
        "book b99=8            |",
        "replace 1 2 2@99      | replaced 2 2@99",
        "trade sell 6@99       | fill 2 buy 1@99 maker",
        "replace 2 3 4@99      | replaced 3 4@99",
        "trade sell 3@99       |",
        "trade sell 1@99       | fill 3 buy 1@99 maker")},
    {"a new price may take", {.queue = MATCH_QUEUE_BACK}, LINES(MARKET,
        "buy 1 4@99            | ack 1",
        "replace 1 2 4@101     | replaced 2 4@101; fill 2 buy 2@101 taker",
        "query 2               | status 2 open cum 2",
        "query 1               | status 2 open cum 2",
        "replace 2 3 2@100     | not replaced 2 QTY_BELOW_FILLED",
        "replace 2 1 3@100     | replaced 1 3@100",
        "trade sell 1@99       | fill 1 buy 1@100 maker",
        "replace 1 5 9@100     | not replaced 1 TOO_LATE")},
    {"what cannot be", {0}, LINES(MARKET,
        "buy 1 1@99            | ack 1",
        "buy 1 1@99            | rejected 1 DUPLICATE_CLIENT_ID",
        "buy 2 0@99            | rejected 2 STEP",
        "buy 3 -1@99           | rejected 3 STEP",
        "buy 4 1@0             | rejected 4 TICK",
        "buy 5 1@-5            | rejected 5 TICK",
        "buy 6 1@99 other      | rejected 6 UNKNOWN_INSTRUMENT",
        "buy 7 1@99 gtd        | rejected 7 UNSUPPORTED_TIF",
        "buy 8 1@99 stop       | rejected 8 UNSUPPORTED_TYPE",
        "buy 9 9223372036854775807@9223372036854775807 | rejected 9 QTY_TOO_LARGE",
        "cancel 9              | not canceled 9 UNKNOWN_ORDER",
        "replace 9 10 1@99     | not replaced 9 UNKNOWN_ORDER",
        "query 9               | status 9 not_found cum 0",
        "replace 1 1b 1@-1     | not replaced 1 TICK",
        "cancel 1              | canceled 1 cum 0",
        "cancel 1              | not canceled 1 TOO_LATE",
        "replace 1 1b 1@99     | not replaced 1 TOO_LATE")},
    {"cancel all", {0}, LINES(MARKET,
        "buy 1 1@99            | ack 1",
        "sell 2 1@105          | ack 2",
        "all                   | canceled 1 cum 0; canceled 2 cum 0",
        "all                   |")},
    {"a table that is full", {.orders = 2}, LINES(MARKET,
        "buy 1 1@99            | ack 1",
        "buy 2 1@99            | ack 2",
        "buy 3 1@99            | rejected 3 TOO_MANY_ORDERS",
        "cancel 1              | canceled 1 cum 0",
        "buy 4 1@99            | ack 4",
        "query 1               | status 1 not_found cum 0",
        "query 2               | status 2 open cum 0")},
    {"a wallet that must cover", {.check_balance = true,
                                  .balances = (const struct weir_setting[]){{"BBB", "300"}, {"AAA", "2"}, {NULL, NULL}}},
     LINES(MARKET,
        "buy 1 2@100           | ack 1",
        "buy 2 2@99            | rejected 2 INSUFFICIENT_BALANCE",
        "buy 3 1@99            | ack 3",
        "sell 4 3@105          | rejected 4 INSUFFICIENT_BALANCE",
        "sell 5 2@105          | ack 5",
        "cancel 1              | canceled 1 cum 0",
        "buy 6 2@market        | rejected 6 INSUFFICIENT_BALANCE",
        "cancel 3              | canceled 3 cum 0",
        "buy 7 2@market        | ack 7; fill 7 buy 2@101 taker")},
    {"reconciliation shows all", {.balances = (const struct weir_setting[]){{"BBB", "1000"}, {NULL, NULL}}},
     LINES(MARKET,
        "buy 1 3@102           | ack 1; fill 1 buy 2@101 taker; fill 1 buy 1@102 taker",
        "sell 2 1@105          | ack 2",
        "fills                 | fill 1 buy 2@101 taker; fill 1 buy 1@102 taker",
        "recon                 | begin; fill 1 buy 2@101 taker; fill 1 buy 1@102 taker; "
                                 "row 1 filled buy 3/3@102; row 2 open sell 0/1@105; position 1 3; "
                                 "balance BBB 696; balance AAA 3; end 3")},
};
/* clang-format on */

static void tell_all(const struct story *stories, size_t count)
{
    for (size_t i = 0; i < count; i++)
        tell(&stories[i]);
}

/* Venues that show single orders: ours stands behind those that were there when it came, and before the rest. */
static const struct story by_order[] = {
    {"who leaves before us moves us up, who leaves behind us does not",
     {0},
     LINES("add 1 b99=5           |", "add 2 b99=3           |", "add 3 a101=4          |",
           "buy 1 2@99            | ack 1", "add 4 b99=6           |",
           "take 2 b99=3          |",                            /* canceled, before us */
           "take 4 b99=6          |",                            /* canceled, behind us */
           "add 5 b99=6           |", "put 1 b99=1           |", /* 4 were filled */
           "query 1               | status 1 open cum 0",
           "take 1 b99=0          |",                       /* the last before us */
           "put 5 b99=5           | fill 1 buy 1@99 maker", /* behind us: it would have been us */
           "put 5 b99=3           | fill 1 buy 1@99 maker")},
    {"two of ours, and others between them",
     {0},
     LINES("add 1 a101=2          |", "sell 1 1@101          | ack 1", "add 2 a101=3          |",
           "sell 2 1@101          | ack 2", "add 3 a101=4          |",
           "take 2 a101=3         |", /* from between the two */
           "take 1 a101=0         |",
           "put 3 a101=2          | fill 1 sell 1@101 maker; fill 2 sell 1@101 maker")},
    {"a fill at a worse price was ours before",
     {0},
     LINES("add 1 b99=5           |", "add 2 b98=5           |", "buy 1 2@100           | ack 1",
           "put 1 b99=3           | fill 1 buy 2@100 maker")},
    {"less keeps the place, more or another price loses it",
     {0},
     LINES("add 1 b99=1           |", "buy 1 4@99            | ack 1", "add 2 b99=5           |",
           "replace 1 2 2@99      | replaced 2 2@99", "take 1 b99=0          |",
           "put 2 b99=4           | fill 2 buy 1@99 maker",
           "replace 2 3 5@99      | replaced 3 5@99", "take 2 b99=0          |",
           "add 4 b99=9           |", "put 4 b99=7           | fill 3 buy 2@99 maker")},
    {"an order that moves stands behind us where it comes to",
     {0},
     LINES("add 1 b98=5           |", "add 2 b99=1           |", "buy 1 2@99            | ack 1",
           "put 1 b99=5           |", "take 2 b99=0          |",
           "put 1 b99=4           | fill 1 buy 1@99 maker")},
    {"trades are told by the orders alone",
     {0},
     LINES("add 1 b99=1           |", "buy 1 2@99            | ack 1", "trade sell 9@99       |",
           "take 1 b99=0          |", "add 2 b99=3           |",
           "take 2 b99=0          | fill 1 buy 2@99 maker")},
};

Test(paper, stands_in_the_queue_of_single_orders)
{
    tell_all(by_order, sizeof by_order / sizeof by_order[0]);
}

Test(paper, takes_what_is_displayed)
{
    tell_all(taking, sizeof taking / sizeof taking[0]);
}

Test(paper, rests_behind_what_is_displayed)
{
    tell_all(resting, sizeof resting / sizeof resting[0]);
}

Test(paper, changes_and_refuses)
{
    tell_all(changing, sizeof changing / sizeof changing[0]);
}

/* --- time --------------------------------------------------------------------------------------*/

Test(paper, each_way_takes_its_time_and_nothing_overtakes)
{
    struct teller teller;
    teller_open(&teller,
                (struct paper_config){.latency = {.of = {10, 3, 3, 5}}, .queue = MATCH_QUEUE_BACK});
    teller.with_time = true;
    teller_do(&teller, "snap b99=5 a101=2", true);
    teller_do(&teller, "buy 1 2@101", true);
    teller_do(&teller, "cancel 1", true); /* faster, but behind the order on the same line */
    cr_expect_eq(paper_next_timer(teller.paper), 10);
    teller_do(&teller, "wait 9", true);
    teller_do(&teller, "book a101=1", true); /* what is there when it arrives is what counts */
    cr_expect_str_eq(teller_heard(&teller), "");
    teller_do(&teller, "wait 5", true);
    cr_expect_str_eq(teller_heard(&teller), "", "reports are on their way");
    teller_do(&teller, "wait 1", true);
    cr_expect_str_eq(teller_heard(&teller),
                     "15: ack 1; 15: fill 1 buy 1@101 taker; 15: canceled 1 cum 1");
    cr_expect_eq(paper_next_timer(teller.paper), INT64_MAX);

    /* one look at the clock long after: all of it still has its own time */
    teller_do(&teller, "buy 2 1@99", true);
    teller_do(&teller, "wait 100", true);
    cr_expect_str_eq(teller_heard(&teller), "30: ack 2");
    teller_do(&teller, "cancel 2", true);
    teller_do(&teller, "trade sell 9@98", true); /* the fill wins the race against our cancel */
    teller_do(&teller, "wait 100", true);
    cr_expect_str_eq(teller_heard(&teller),
                     "120: fill 2 buy 1@99 maker; 123: not canceled 2 TOO_LATE");
    teller_close(&teller);
}

/* Lines of "what is done | what is heard", at their times. */
static void tell_timed(const char *name, struct paper_config config, const char *const *lines)
{
    struct teller teller;
    teller_open(&teller, config);
    teller.with_time = true;
    for (; *lines; lines++) {
        char action[128] = "";
        const char *bar = strchr(*lines, '|');
        memcpy(action, *lines, (size_t)(bar - *lines - 1));
        teller_do(&teller, action, true);
        const char *heard = teller_heard(&teller);
        cr_expect_str_eq(heard, bar[1] ? bar + 2 : "", "%s: %s: heard %s", name, *lines, heard);
    }
    teller_close(&teller);
}

Test(paper, rates_outages_and_funding)
{
    tell_timed(
        "a rate", (struct paper_config){.rate_max = 2, .rate_window = 100},
        LINES("snap b99=5 a101=2 |", "wait 10 |", "buy 1 1@98 |", "buy 2 1@97 |", "buy 3 1@96 |",
              "cancel 1 |", "query 1 |",
              "wait 0 | 10: ack 1; 10: ack 2; 10: rate 3 request 0 wait 90; 10: rate 1 request 1 "
              "wait 90; 10: status 1 open cum 0",
              "wait 90 |", "cancel 1 |", "wait 0 | 100: canceled 1 cum 0"));
    tell_timed("outages",
               (struct paper_config){.outage_every = 100,
                                     .outage_for = 20,
                                     .silence = 5,
                                     .latency = {.of = {[WAY_REPORT] = 2}}},
               LINES("snap b99=5 a101=2 |", "buy 1 1@99 |", "wait 2 | 2: ack 1", "wait 97 |",
                     "trade sell 9@98 |", "buy 2 1@98 |",
                     "wait 2 | 100: down", /* the fill is not heard */
                     "query 1 |", "buy 3 1@97 |", "wait 10 | 106: silence 3 request 0",
                     "wait 10 | 120: up", "query 1 |", "query 2 |", "query 3 |",
                     "wait 2 | 123: status 1 filled cum 1; 123: status 2 open cum 0; 123: status 3 "
                     "not_found cum 0",
                     "wait 80 | 200: down"));
    tell_timed("funding",
               (struct paper_config){.funding_bps = (amount)100 * 1000000000000000000,
                                     .funding_every = 50},
               LINES("snap b99=5 a101=5 |", "wait 50 |", "buy 1 3@101 |",
                     "wait 0 | 50: ack 1; 50: fill 1 buy 3@101 taker",
                     "wait 50 | 100: funding f100 BBB -3", "mark 90 |", "sell 2 5@99 |",
                     "wait 0 | 100: ack 2; 100: fill 2 sell 5@99 taker",
                     "wait 100 | 150: funding f150 BBB 1.8; 200: funding f200 BBB 1.8"));
}

Test(paper, times_are_drawn_or_were_measured)
{
    static const struct latency_row rows[] = {{100, {10, 20, 30, 40}}, {200, {30, 20, 10, 0}}};
    struct latency measured = {.rows = rows, .row_count = 2};
    struct dice dice = dice_of(1, 1), before = dice;
    static const struct {
        weir_ns t;
        enum latency_way way;
        weir_ns want;
    } cases[] = {{0, WAY_SUBMIT, 10},   {100, WAY_SUBMIT, 10}, {150, WAY_SUBMIT, 20},
                 {199, WAY_SUBMIT, 29}, {200, WAY_SUBMIT, 30}, {900, WAY_REPORT, 0},
                 {150, WAY_AMEND, 20},  {150, WAY_CANCEL, 20}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_expect_eq(latency_take(&measured, cases[i].way, cases[i].t, &dice), cases[i].want,
                     "case %zu", i);
    cr_expect_eq(dice.state, before.state, "nothing was drawn");
    measured.drawn = true;
    uint32_t tens = 0;
    for (int i = 0; i < 1000; i++)
        tens += latency_take(&measured, WAY_SUBMIT, 0, &dice) == 10;
    cr_expect(tens > 400 && tens < 600, "%u of 1000", tens);

    /* the tail: its mean, and how often it is over its mean, as of an exponential distribution */
    struct latency tailed = {.of = {5}, .tail = 1000000};
    int64_t sum = 0;
    uint32_t over = 0;
    for (int i = 0; i < 100000; i++) {
        weir_ns time = latency_take(&tailed, WAY_SUBMIT, 0, &dice) - 5;
        cr_assert_geq(time, 0);
        sum += time;
        over += time > 1000000;
    }
    cr_expect(sum > 98500000000 && sum < 101500000000, "mean %ld ns", sum / 100000);
    cr_expect(over > 36200 && over < 37400, "%u of 100000 over the mean, 36788 are expected", over);
}

Test(paper, measured_latencies_are_read_from_a_file)
{
    static const struct {
        const char *text, *says;
    } cases[] = {{"t,submit,cancel,amend,report\n# a comment\n1,2,3,4,5\n2,2,3,4,5\n", NULL},
                 {"", "no rows"},
                 {"1,2,3,4\n", ":1: expected time,submit"},
                 {"1,2,3,4,5,6\n", ":1: expected time,submit"},
                 {"1,2,3,4,5\n1,2,3,4,5\n", ":2: expected a time after"},
                 {"1,2,3,4,-5\n", ":1: expected time,submit"},
                 {"1,2,3,4,1e3\n", ":1: expected time,submit"},
                 {"1,2,3,4,86400000000001\n", ":1: expected time,submit"}};
    char path[] = "/tmp/latencies-XXXXXX";
    int file = mkstemp(path);
    cr_assert_geq(file, 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct latency_row *rows = NULL;
        uint32_t count = 0;
        struct why why = {.text = ""};
        cr_assert_eq(ftruncate(file, 0), 0);
        cr_assert_eq(pwrite(file, cases[i].text, strlen(cases[i].text), 0),
                     (ssize_t)strlen(cases[i].text));
        enum weir_err err = latencies_read(path, &rows, &count, &why);
        cr_expect_eq(err == WEIR_OK, cases[i].says == NULL, "case %zu: %s", i, why.text);
        if (cases[i].says)
            cr_expect_not_null(strstr(why.text, cases[i].says), "case %zu: %s", i, why.text);
        else
            cr_expect(count == 2 && rows[1].t == 2 && rows[1].of[WAY_REPORT] == 5);
        free(rows);
    }
    close(file);
    unlink(path);
}

Test(paper, faults_come_from_the_seed_and_are_told_as_silence)
{
    char first[4096];
    for (int run = 0; run < 2; run++) {
        struct teller teller;
        uint32_t counts[3] = {0};
        teller_open(&teller, (struct paper_config){.seed = 5,
                                                   .latency = {.jitter = 7},
                                                   .reject_ppm = 200000,
                                                   .drop_request_ppm = 200000,
                                                   .drop_ack_ppm = 200000,
                                                   .duplicate_fill_ppm = 300000,
                                                   .silence = 50,
                                                   .orders = 300});
        teller.with_time = true;
        teller_do(&teller, "snap b99=500 a101=500", false);
        for (int i = 0; i < 60; i++) {
            char line[64];
            (void)snprintf(line, sizeof line, "buy n%d 1@101 ioc", i);
            teller_do(&teller, line, false);
        }
        const char *heard = teller_heard(&teller);
        for (const char *at = heard; (at = strstr(at, ": ")) != NULL; at += 2) {
            counts[0] += strncmp(at, ": rejected", 10) == 0;
            counts[1] += strncmp(at, ": silence", 9) == 0;
            counts[2] += strncmp(at, ": fill", 6) == 0;
        }
        cr_expect(counts[0] > 3 && counts[1] > 6 && counts[2] > 35,
                  "%u rejects, %u silences, %u fills", counts[0], counts[1], counts[2]);
        if (run == 1)
            cr_expect_str_eq(heard, first, "same seed, same faults");
        (void)snprintf(first, sizeof first, "%s", heard);
        teller_close(&teller);
    }

    /* an answer that was lost: the order works, and a question finds it */
    struct teller teller;
    teller_open(&teller, (struct paper_config){.drop_ack_ppm = 1000000, .silence = 50});
    teller_do(&teller, "snap b99=5 a101=5", false);
    teller_do(&teller, "buy 1 1@99", false);
    cr_expect_str_eq(teller_heard(&teller), "silence 1 request 0");
    teller_do(&teller, "query 1", false);
    cr_expect_str_eq(teller_heard(&teller), "status 1 open cum 0");
    teller_do(&teller, "cancel 1", false);
    cr_expect_str_eq(teller_heard(&teller), "silence 1 request 1");
    teller_do(&teller, "query 1", false);
    cr_expect_str_eq(teller_heard(&teller), "status 1 canceled cum 0");
    teller_close(&teller);

    /* a request that was lost: there never was an order */
    teller_open(&teller, (struct paper_config){.drop_request_ppm = 1000000, .silence = 50});
    teller_do(&teller, "buy 1 1@99", false);
    cr_expect_str_eq(teller_heard(&teller), "silence 1 request 0");
    teller_do(&teller, "query 1", false);
    cr_expect_str_eq(teller_heard(&teller), "status 1 not_found cum 0");
    teller_close(&teller);
}

Test(paper, what_cannot_be_sent_says_so)
{
    struct teller teller;
    teller_open(&teller, (struct paper_config){.latency = {.of = {10}}});
    struct weir_intent intent = {.msg = {.kind = WEIR_SUBSCRIBE, .instrument = 1}};
    cr_expect_eq(paper_intent(teller.paper, 0, &intent), WEIR_E_UNSUPPORTED);
    intent.msg.kind = WEIR_QUERY_ORDER;
    cr_expect_eq(paper_intent(teller.paper, 0, &intent), WEIR_E_USAGE);
    intent.msg.kind = WEIR_NEW;
    intent.venue_id[0] = 'v';
    cr_expect_eq(paper_intent(teller.paper, 0, &intent), WEIR_E_USAGE);
    intent.msg.kind = WEIR_QUERY_ORDER;
    enum weir_err err = WEIR_OK;
    uint32_t sent = 0;
    for (; sent < 100000 && err == WEIR_OK; sent++)
        err = paper_intent(teller.paper, 0, &intent);
    cr_expect_eq(err, WEIR_E_FULL, "a line has an end");
    teller_do(&teller, "wait 100", true);
    cr_expect_eq(teller.events, sent, "up, and an answer to each that was taken: %u of %u",
                 teller.events, sent);
    teller_close(&teller);

    struct why why;
    const struct {
        struct paper_config config;
        const char *says;
    } bad[] = {
        {{.latency = {.of = {-1}}}, "latency"},
        {{.outage_every = 5, .outage_for = 5}, "outage"},
        {{.rate_max = 5}, "rate"},
        {{.funding_bps = 1}, "funding_bps"},
        {{.maker_fee_bps = (amount)1}, "decimals"},
        {{.taker_fee_bps = (amount)2000000 * 1000000000000000000}, "maker_fee_bps"},
        {{.balances = (const struct weir_setting[]){{"USD", "1e6"}, {NULL, NULL}}},
         "balances.USD: '1e6'"},
        {{.balances =
              (const struct weir_setting[]){{"A_NAME_THAT_IS_TOO_LONG", "1"}, {NULL, NULL}}},
         "at most 15"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_expect_null(paper_create(&bad[i].config, NULL, NULL, &why), "case %zu", i);
        cr_expect_not_null(strstr(why.text, bad[i].says), "case %zu: %s", i, why.text);
    }
    cr_expect(paper_queue_is("front"));
    cr_expect_not(paper_queue_is("lucky"));
    cr_expect_eq(paper_queue_of("capped_by_displayed_size"), MATCH_QUEUE_BACK);
    cr_expect_eq(paper_queue_of("back"), MATCH_QUEUE_LAST);
}
