/* adopt_test.c - positions that were there before our books began. */
#include <criterion/criterion.h>
#include <string.h>

#include "engine/support_story.h"

#define TOLD(...) ((const char *const[]){__VA_ARGS__, NULL})

Test(adopt, an_account_with_positions_trades_again)
{
    story(
        "a long one of a linear contract",
        TOLD("up |", "begin |", "position P 5 |", "balance USDT 10000 |",
             "end positions balances      | alert=POSITION_MISMATCH",
             "submit a buy 1 @ 100 on=P   | deny=HALTED",
             "adopt P 5 @ 90              | P.pos=5 P.avg=90 EXTERNAL.pos=0 USDT=10000 asked=0/0/2",
             "submit b buy 1 @ 100 on=P   | deny=RECONCILING", "begin |", "position P 5 |",
             "balance USDT 10000 |",
             "end positions balances      | quiet=POSITION_MISMATCH quiet=BALANCE_MISMATCH",
             "submit c sell 1 @ 100 on=P  | deny=",
             "fill c x1 1 @ 100           | P.pos=4 P.real=100 USDT=10100",
             "mark 95 on=P                | P.unreal=200"));
    story("a short one, a spot holding: the wallet stays",
          TOLD("up |", "begin |", "position P -2.5 |", "position X 3 |", "end positions |",
               "adopt P -2.5 @ 80           | P.pos=-2.5 P.avg=80",
               "adopt X 3 @ 100             | pos=3 avg=100 EXTERNAL.pos=3 USDT=10000",
               "begin                       |", "position P -2.5 |", "position X 3 |",
               "end positions               | quiet=POSITION_MISMATCH",
               "submit a sell 3 @ 110       |", "fill a x1 3 @ 110 | pos=0 real=30 USDT=10330"));
    story("what we have already counts; after an execution the list says nothing any more",
          TOLD("submit a buy 2 @ 100        |", "fill a x1 2 @ 100 | pos=2", "up | asked=0/0/1",
               "begin                       |", "position X 7 |", "end positions |",
               "fill a x2 1 @ 100           | pos=3 alert=OVERFILL",
               "adopt X 5 @ 100             | alert=ANOMALY pos=3 asked=0/0/2",
               "adopt X 4 @ 100             | alert=ANOMALY pos=3", "begin |", "position X 7 |",
               "end positions               | alert=POSITION_MISMATCH",
               "adopt X 4 @ 100             | quiet=ANOMALY pos=7 s1.pos=3 EXTERNAL.pos=4",
               "begin                       |", "position X 7 |",
               "end positions               | quiet=POSITION_MISMATCH"));
}

Test(adopt, is_never_done_by_itself_or_twice)
{
    story("only what the list showed, by an operator, once",
          TOLD("adopt X 1 @ 100             | alert=ANOMALY pos=0", "up |", "begin |",
               "position X 5 |", "end positions | pos=0",
               "adopt X 5 @ 100 script      | alert=ANOMALY pos=0",
               "adopt X 5 @ 0               | alert=ANOMALY pos=0",
               "adopt X 5 @ -1              | alert=ANOMALY pos=0",
               "adopt X 4.999 @ 100         | alert=ANOMALY pos=0",
               "adopt X -5 @ 100            | alert=ANOMALY pos=0",
               "adopt X 0 @ 100             | alert=ANOMALY pos=0",
               "adopt X 5 @ 100             | pos=5 quiet=ANOMALY",
               "adopt X 5 @ 100             | alert=ANOMALY pos=5", "begin |", "position X 5 |",
               "end positions |", "adopt X 5 @ 100             | alert=ANOMALY pos=5"));
    story("halted until the next list agrees, whatever was adopted",
          TOLD("up |", "begin |", "position X 5 |", "end positions |", "adopt X 5 @ 100 |",
               "begin                       |", "position X 6 |",
               "end positions               | alert=POSITION_MISMATCH",
               "submit a buy 1 @ 100        | deny=HALTED", "adopt X 1 @ 101 | pos=6",
               "begin                       |", "position X 6 |", "end positions |",
               "submit b buy 1 @ 100        | deny="));
}

Test(adopt, can_be_undone_like_any_execution)
{
    struct desk desk;
    struct engine_sizes sizes = desk_sizes();
    struct weir_fill bust = {
        .msg = {
            .size = sizeof bust, .kind = WEIR_BUST, .venue = 1, .account = 1, .instrument = ON_P}};
    desk_open(&desk, &sizes);
    desk.keep_effects = true;
    desk_tell(
        &desk, "undone",
        TOLD("up |", "begin |", "position P 5 |", "end positions |", "adopt P 5 @ 90 | P.pos=5"));
    for (size_t at = 0; at < desk.effects_len;) {
        const struct weir_msg *msg = (const void *)(desk.effects + at);
        if (msg->kind == OUT_EXECUTION) {
            const struct out_execution *out = (const void *)msg;
            cr_assert_eq(out->origin, WEIR_ORIGIN_ADOPTED);
            cr_assert_eq(out->strategy, STRATEGY_EXTERNAL);
            cr_assert_eq(strncmp(out->exec_id, "adopt:", 6), 0, "%s", out->exec_id);
            memcpy(bust.exec_id, out->exec_id, sizeof bust.exec_id);
        }
        at += msg->size;
    }
    desk_apply(&desk, &bust);
    desk_tell(&desk, "undone", TOLD("check | P.pos=0 P.real=0 USDT=10000 EXTERNAL.pos=0"));
    desk_close(&desk);
}
