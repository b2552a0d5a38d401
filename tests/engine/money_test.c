/* money_test.c - positions and wallets to the last digit: known sums, sums against each other, and a
 * bust against a life in which the execution never was. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "engine/state.h"
#include "engine/support_story.h"
#include "support/random.h"

/* stories are tables: one line each */
/* clang-format off */
#define TOLD(...) ((const char *const[]){__VA_ARGS__, NULL})

Test(money, sums_that_were_worked_out_by_hand)
{
    story("spot: fees in three assets", TOLD(
        "submit a buy 25 @ 132.40               |",
        "fill a x1 25 @ 132.40 fee=BNB:0.00412  | USDT=6690 X=25 BNB=-0.00412 fee.BNB=0.00412",
        "submit b sell 10 @ 135                 |",
        "fill b x2 10 @ 135.05 fee=USDT:1.0128  | real=26.5 avg=132.4 USDT=8039.4872",
        "submit c sell 1 @ 135                  |",
        "fill c x3 1 @ 135 fee=X:0.001          | X=13.999 pos=14",
        "submit d sell 1 @ 135                  |",
        "fill d x4 1 @ 135 fee=USDT:-0.116      | fee.USDT=0.8968"));
    story("average cost: add, trim, through zero, flat", TOLD(
        "submit a buy 16 @ 100                  |",
        "fill a x1 10 @ 100                     | avg=100",
        "submit b sell 4 @ 110                  |",
        "fill b x2 4 @ 110                      | avg=100 real=40 pos=6",
        "fill a x3 6 @ 120                      | avg=110 pos=12",
        "submit c sell 20 @ 109                 |",
        "fill c x4 15 @ 109                     | pos=-3 avg=109 real=28",
        "mark 108                               | unreal=3",
        "fill c x5 5 @ 111                      | pos=-8 avg=110.25",
        "submit d buy 8 @ 110                   |",
        "fill d x6 8 @ 110                      | pos=0 avg=0 real=30 unreal=0"));
    story("linear: the multiplier counts, realized goes to the wallet as it is realized", TOLD(
        "submit a sell 3 @ 2600 on=P            |",
        "fill a x1 3 @ 2600 fee=USDT:3.9        | USDT=9996.1 P.avg=2600",
        "submit b buy 5 @ 2570 on=P             |",
        "fill b x2 5 @ 2570                     | P.real=900 USDT=10896.1 P.pos=2 P.avg=2570",
        "mark 2575.50 on=P                      | P.unreal=110",
        "top 2575 2576.01 on=P                  | P.unreal=110.1"));
    story("what does not end is rounded half to even, and nothing is lost on the way to flat", TOLD(
        "submit a buy 3 @ 1 on=P                |",
        "fill a x1 1 @ 1                        |",
        "fill a x2 2 @ 1.01                     | P.avg=1.006666666666666667",
        "submit b sell 3 @ 1.01 on=P            |",
        "fill b x3 1 @ 1.01                     | P.real=0.033333333333333333 USDT=10000.033333333333333333",
        "fill b x4 1 @ 1.01                     | P.real=0.066666666666666667",
        "fill b x5 1 @ 1.01                     | P.real=0.1 USDT=10000.1"));
    story("inverse: contracts of 100 USDT, settled in the base asset", TOLD(
        "submit a buy 10 @ 20000 on=I           |",
        "fill a x1 10 @ 20000                   | I.pos=10 I.avg=20000 USDT=10000 I=0",
        "mark 25000 on=I                        | I.unreal=0.01",
        "submit b sell 15 @ 25000 on=I          |",
        "fill b x2 15 @ 25000                   | I.real=0.01 I=0.01 I.pos=-5 I.avg=25000",
        "mark 20000 on=I                        | I.unreal=0.005",
        "submit c buy 5 @ 20000 on=I            |",
        "fill c x3 5 @ 20000 fee=I:0.0001       | I.real=0.015 I=0.0149 I.pos=0",
        "limit host max_loss 1                  |",
        "mark 20000 on=I                        | killed=0"));
    story("crossed inside: strategies only", TOLD(
        "submit a buy 5 @ 140 to=internal by=s1 |",
        "submit b sell 8 @ 139.50 to=internal by=s2 | a.quote=700 s1.pos=5 s2.pos=-5 s1.avg=140 pos=0 USDT=10000",
        "mark 150                               | unreal=0 s1.unreal=50 s2.unreal=-50"));
}

static struct engine *bare(void *memory, size_t bytes, const struct engine_sizes *sizes)
{
    struct arena arena = {memory, (unsigned char *)memory + bytes};
    return engine_create(&arena, sizes);
}

/* 18 places, counts near 2^63, kinds and multipliers: sum of worth = cost less realized, always. */
Test(money, cost_and_realized_are_what_was_traded)
{
    static const struct {
        uint8_t kind;
        int8_t price_exp, qty_exp, multiplier_exp;
        int64_t multiplier;
    } kinds[] = {{WEIR_SPOT, 12, 6, 0, 1}, {WEIR_SPOT, 0, 0, 0, 1}, {WEIR_LINEAR, 2, 3, 0, 100}, {WEIR_LINEAR, 5, 0, 3, 7},
                 {WEIR_LINEAR, 9, 9, 0, 1}, {WEIR_INVERSE, 1, 0, 0, 100}, {WEIR_INVERSE, 4, 8, 2, 1}};
    uint64_t random = 5;
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
        for (int run = 0; run < 40; run++) {
            static struct instrument instrument; /* gcc 12 does not align ASan's stack to 64 */
            instrument = (struct instrument){
                .is = {.kind = kinds[k].kind, .price_exp = kinds[k].price_exp, .qty_exp = kinds[k].qty_exp},
                .multiplier = kinds[k].multiplier, .multiplier_exp = kinds[k].multiplier_exp,
                .plain = kinds[k].multiplier == 1 && kinds[k].multiplier_exp == 0};
            struct stake stake = {0};
            unsigned __int128 traded = 0; /* may wrap: the equation holds all the same */
            int booked = 0, shift = (int)random_below(&random, 30);
            for (int i = 0; i < 200; i++) {
                weir_qty qty = 1 + (weir_qty)(random_next(&random) >> (random_below(&random, 2) ? 2 + shift : 40));
                weir_px px = 1 + (weir_px)(random_next(&random) >> (20 + random_below(&random, 40)));
                uint8_t side = (uint8_t)random_below(&random, 2);
                struct stake before = stake;
                amount worth;
                if (i == 199 && stake.qty != 0) { /* and flat at the end */
                    side = stake.qty > 0 ? WEIR_SELL : WEIR_BUY;
                    qty = stake.qty > 0 ? stake.qty : -stake.qty;
                }
                if (!stake_add(&instrument, &stake, side, px, qty)) {
                    cr_assert(memcmp(&before, &stake, sizeof stake) == 0, "refused, and changed all the same");
                    continue;
                }
                booked++;
                cr_assert(worth_of(&instrument, px, qty, &worth));
                traded += (unsigned __int128)(side == WEIR_BUY ? worth : -worth);
                amount cost = stake.qty < 0 ? -stake.cost : stake.cost;
                amount gain = kinds[k].kind == WEIR_INVERSE ? -stake.realized : stake.realized;
                cr_assert((unsigned __int128)cost - (unsigned __int128)gain == traded, "kind %zu run %d step %d", k, run, i);
                cr_assert(stake.cost >= 0 && (stake.qty != 0 || stake.cost == 0));
                amount up, down;
                if (stake.qty != 0 && stake_unrealized(&instrument, &stake, 2 * px, &up)) { /* closing at px realizes just that */
                    struct stake closed = stake;
                    if (stake_add(&instrument, &closed, stake.qty > 0 ? WEIR_SELL : WEIR_BUY, px, stake.qty > 0 ? stake.qty : -stake.qty)) {
                        down = closed.realized - stake.realized - up;
                        cr_assert(down >= -2 && down <= 2, "unrealized is not what closing would realize");
                    }
                }
            }
            cr_assert(booked > 20, "kind %zu run %d: only %d executions fitted", k, run, booked);
        }
    struct engine_sizes sizes = desk_sizes();
    static unsigned char small[4096];
    cr_expect_null(bare(small, sizeof small, &sizes), "an engine in an arena that is too small");
}

struct trade {
    int order, px, qty;
    bool gone;
};

static void fill(struct desk *desk, const struct trade *trade, int n)
{
    struct weir_fill in = {.msg = {.size = sizeof in, .kind = WEIR_FILL, .venue = 1, .account = 1},
                           .px = trade->px, .qty = trade->qty, .fee = amount_pack(trade->qty * 7), .fee_asset = "USDT"};
    char cid[8];
    snprintf(cid, sizeof cid, "o%d", trade->order);
    snprintf(in.client_id, sizeof in.client_id, "%s", desk_wire(desk, cid));
    snprintf(in.exec_id, sizeof in.exec_id, "x%d", n);
    desk_apply(desk, &in);
}

static void open_desk(struct desk *desk)
{
    struct engine_sizes sizes = desk_sizes();
    char line[80];
    sizes.executions = 48;
    desk_open(desk, &sizes);
    for (int i = 0; i < 8; i++) {
        snprintf(line, sizeof line, "submit o%d %s 1000000 @ 100 by=s%d on=%s |", i, i & 1 ? "sell" : "buy", 1 + i / 4, i & 2 ? "P" : "X");
        desk_tell(desk, "orders", TOLD(line));
    }
}

static void same(const struct desk *a, const struct desk *b, uint32_t instrument, uint32_t strategy, int run)
{
    struct position_view left = {0}, right = {0};
    (void)engine_position(a->engine, instrument, strategy, &left);
    (void)engine_position(b->engine, instrument, strategy, &right);
    cr_assert(left.qty == right.qty && left.cost == right.cost && left.realized == right.realized,
              "run %d, instrument %u, strategy %u: not as if it had never happened", run, instrument, strategy);
}

Test(money, a_bust_is_as_if_it_had_never_happened)
{
    uint64_t random = 11;
    for (int run = 0; run < 30; run++) {
        struct desk busted, clean;
        struct trade trades[60];
        int count = 20 + (int)random_below(&random, 40), first = count > 48 ? count - 48 : 0;
        open_desk(&busted);
        open_desk(&clean);
        for (int i = 0; i < count; i++) {
            trades[i] = (struct trade){(int)random_below(&random, 8), 9000 + (int)random_below(&random, 2000),
                                       1 + (int)random_below(&random, 5000), false};
            fill(&busted, &trades[i], i);
        }
        for (int k = 0; k < 6; k++) { /* some that are still remembered, one of them perhaps twice */
            int n = first + (int)random_below(&random, (uint64_t)(count - first));
            struct weir_fill in = {.msg = {.size = sizeof in, .kind = WEIR_BUST, .venue = 1, .account = 1}};
            snprintf(in.exec_id, sizeof in.exec_id, "x%d", n);
            desk_apply(&busted, &in);
            trades[n].gone = true;
        }
        for (int i = 0; i < count; i++)
            if (!trades[i].gone)
                fill(&clean, &trades[i], i);
        for (uint32_t instrument = ON_X; instrument <= ON_P; instrument++)
            for (uint32_t strategy = 0; strategy <= 2; strategy++)
                same(&busted, &clean, instrument, strategy, run);
        for (uint32_t asset = 0; asset < engine_asset_count(clean.engine); asset++) {
            amount a[3] = {0}, b[3] = {0};
            const char *name = engine_asset_name(clean.engine, asset);
            (void)engine_wallet(busted.engine, 1, name, &a[0], &a[1], &a[2]);
            (void)engine_wallet(clean.engine, 1, name, &b[0], &b[1], &b[2]);
            cr_assert(a[0] == b[0] && a[1] == b[1], "run %d: wallet of %s", run, name);
        }
        for (int i = 0; i < 8; i++) {
            char cid[8];
            struct order_view a, b;
            snprintf(cid, sizeof cid, "o%d", i);
            engine_order(busted.engine, engine_order_find(busted.engine, cid), &a);
            engine_order(clean.engine, engine_order_find(clean.engine, cid), &b);
            cr_assert(a.order.cum_qty == b.order.cum_qty && a.exposure == b.exposure &&
                      amount_of(a.order.cum_quote) == amount_of(b.order.cum_quote), "run %d: order %s", run, cid);
        }
        cr_assert_str_empty(engine_audit(busted.engine));
        desk_close(&busted);
        desk_close(&clean);
    }
}
