/* hostile_test.c - inputs that nobody meant: cut short, out of range, random bytes; and the questions.
 *
 * An input that cannot be understood is counted and told, and changes nothing else. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "engine/risk.h"
#include "engine/state.h"
#include "engine/support_story.h"
#include "support/random.h"

/* clang-format off */
#define TOLD(...) ((const char *const[]){__VA_ARGS__, NULL})
/* clang-format on */

static uint64_t anomalies(const struct desk *desk)
{
    return engine_counts(desk->engine)->alerts[ALERT_ANOMALY] +
           engine_counts(desk->engine)->alerts[ALERT_CAPACITY];
}

#define REFUSED(input)                                                                    \
    do {                                                                                  \
        uint64_t before = anomalies(&desk);                                               \
        desk_apply(&desk, &(input));                                                      \
        cr_expect(anomalies(&desk) == before + 1, "%s:%d was taken", __FILE__, __LINE__); \
    } while (0)

Test(hostile, definitions_that_cannot_be)
{
    struct engine_sizes sizes = desk_sizes();
    struct desk desk;
    desk_open(&desk, &sizes);
    struct in_define define = {
        .msg = {.size = sizeof define, .kind = IN_DEFINE_VENUE}, .number = 2, .name = "far"};
    REFUSED(define);
    define.msg.kind = IN_DEFINE_ACCOUNT;
    REFUSED(define);
    define.number = 0;
    define.parent = 1;
    desk_apply(&desk, &define);
    define.msg.kind = IN_DEFINE_STRATEGY;
    REFUSED(define); /* 0 is nobody */
    define.number = 9;
    REFUSED(define);
    define.number = 1;
    define.parent = 2;
    REFUSED(define); /* s1 belongs to g1 */
    define.msg.kind = IN_DEFINE_GROUP;
    define.number = 9;
    REFUSED(define);

    const struct weir_instrument good = {.msg = {.size = sizeof good,
                                                 .kind = WEIR_INSTRUMENT,
                                                 .venue = 1,
                                                 .account = 1,
                                                 .instrument = 5},
                                         .symbol = "N",
                                         .base = "N",
                                         .quote = "USDT",
                                         .price_exp = 9,
                                         .qty_exp = 9,
                                         .tick = 1,
                                         .step = 1};
    struct weir_instrument bad[16];
    for (int i = 0; i < 16; i++)
        bad[i] = good;
    bad[0].msg.instrument = 0;
    bad[1].msg.instrument = 6;
    bad[2].msg.account = 0; /* of that venue, but not of this one: undefined venue 0 */
    bad[3].msg.venue = 0;
    bad[4].kind = 3;
    bad[5].price_exp = -1;
    bad[6].qty_exp = 10;
    bad[7].multiplier = -1;
    bad[8].multiplier = 15, bad[8].multiplier_exp = 1;
    bad[9].multiplier_exp = 19;
    bad[10].tick = -1;
    bad[11].step = -1;
    bad[12].min_notional = amount_pack(-1);
    bad[13].symbol[0] = '\0';
    bad[14].base[0] = '\0';
    bad[15].quote[0] = '\0';
    define = (struct in_define){
        .msg = {.size = sizeof define, .kind = IN_DEFINE_VENUE}, .number = 0, .name = "other"};
    desk_apply(&desk, &define);
    define.msg.kind = IN_DEFINE_ACCOUNT;
    define.number = 0;
    desk_apply(&desk, &define);
    for (int i = 0; i < 16; i++)
        REFUSED(bad[i]);
    struct weir_instrument fine = good;
    desk_apply(&desk, &fine);
    cr_expect_eq(engine_instrument_count(desk.engine), 5);
    fine.tick = 5;
    desk_apply(&desk, &fine);
    cr_expect_eq(engine_instrument(desk.engine, 5)->tick, 5);
    fine.qty_exp = 8;
    REFUSED(fine);
    fine = good;
    fine.quote[0] = 'X';
    REFUSED(fine);

    struct in_limit limit = {.msg = {.size = sizeof limit, .kind = IN_LIMIT},
                             .how = LIMIT_VALUE,
                             .value = amount_pack(-1)};
    REFUSED(limit);
    limit.value = amount_pack(2);
    limit.limit = LIMIT_check_balance;
    REFUSED(limit);
    limit.limit = RISK_LIMIT_COUNT;
    REFUSED(limit);
    limit.limit = 0;
    limit.scope = RISK_SCOPE_COUNT;
    REFUSED(limit);
    limit.scope = SCOPE_strategy;
    limit.id = 77;
    REFUSED(limit);
    struct in_policy policy = {.msg = {.size = sizeof policy, .kind = IN_POLICY},
                               .policy = POLICY_not_found_confirm};
    REFUSED(policy);
    policy.policy = POLICY_COUNT;
    REFUSED(policy);
    policy = (struct in_policy){
        .msg = policy.msg, .policy = POLICY_instance, .value = 36 * 36 * 36 * 36};
    REFUSED(policy);
    struct weir_cash cash = {.msg = {.size = sizeof cash, .kind = WEIR_FUNDING, .account = 1},
                             .asset = ""};
    REFUSED(cash);
    struct weir_msg kind = {.size = sizeof kind, .kind = 99};
    REFUSED(kind);
    kind.kind = IN_SUBMIT; /* cut short */
    REFUSED(kind);
    kind.kind = 0;
    REFUSED(kind);
    kind.kind = 65535;
    REFUSED(kind);
    cr_expect_str_empty(engine_audit(desk.engine));
    desk_close(&desk);
}

/* Orders whose numbers are at the edges: refused by name, never wrapped. */
Test(hostile, numbers_at_the_edges)
{
    static const int64_t edges[] = {INT64_MIN, INT64_MIN + 1, -1,       0, 1,
                                    1000,      INT64_MAX - 1, INT64_MAX};
    struct engine_sizes sizes = desk_sizes();
    struct desk desk;
    desk_open(&desk, &sizes);
    desk_tell(&desk, "edges",
              TOLD("limit host max_position 1000000000000000 |",
                   "limit account:account check_balance 1 |", "limit host max_order_notional 100 |",
                   "mark 1 |", "limit host price_band_pct 1000000000 |"));
    for (size_t p = 0; p < 8; p++)
        for (size_t q = 0; q < 8; q++)
            for (uint32_t on = ON_X; on <= ON_I; on++)
                for (uint8_t route = 0; route < 3; route++) {
                    struct in_submit in = {.msg = {.size = sizeof in,
                                                   .kind = IN_SUBMIT,
                                                   .venue = 1,
                                                   .account = 1,
                                                   .instrument = on},
                                           .strategy = 1,
                                           .px = edges[p],
                                           .qty = edges[q],
                                           .route = route,
                                           .side = (uint8_t)(p & 1)};
                    desk_apply(&desk, &in);
                    amount notional = (amount)in.px * in.qty;
                    if (desk.decision->allowed)
                        cr_assert(in.px > 0 && in.qty > 0 && (on == ON_I || notional <= 10000000),
                                  "px %lld qty %lld", (long long)in.px, (long long)in.qty);
                    cr_assert_str_empty(engine_audit(desk.engine));
                }
    struct in_submit in = {
        .msg = {.size = sizeof in, .kind = IN_SUBMIT, .venue = 1, .account = 1, .instrument = ON_X},
        .strategy = 1,
        .px = 1,
        .qty = 1};
    static const struct {
        size_t at;
        uint8_t value;
    } wrong[] = {{offsetof(struct in_submit, side), 2},
                 {offsetof(struct in_submit, type), 7},
                 {offsetof(struct in_submit, tif), 5},
                 {offsetof(struct in_submit, route), 3},
                 {offsetof(struct in_submit, flags), 4}};
    for (size_t i = 0; i < 5; i++) {
        struct in_submit bad = in;
        ((unsigned char *)&bad)[wrong[i].at] = wrong[i].value;
        desk_apply(&desk, &bad);
        cr_expect(!desk.decision->allowed, "member %zu", i);
    }
    memset(in.cid, 'a', sizeof in.cid);
    desk_apply(&desk, &in);
    cr_expect_str_eq(desk.denied, "BAD_REQUEST", "a name without an end: %s", desk.denied);
    desk_close(&desk);
}

/* Random bytes of every kind, with numbers that are near what exists. */
Test(hostile, random_bytes_change_nothing_that_they_should_not)
{
    struct engine_sizes sizes = desk_sizes();
    struct desk desk;
    uint64_t random = 3;
    union {
        struct weir_msg msg;
        unsigned char bytes[512];
        uint64_t words[64];
    } in;
    sizes.executions = 16;
    sizes.orders = 16;
    desk_open(&desk, &sizes);
    for (int i = 0; i < 60000; i++) {
        for (int k = 0; k < 64; k++)
            in.words[k] =
                random_below(&random, 3) ? random_below(&random, 3) : random_next(&random);
        if (random_below(&random, 2)) /* ids that exist */
            snprintf((char *)in.bytes + sizeof in.msg, WEIR_ID_MAX, "0000001%d",
                     (int)random_below(&random, 10));
        in.msg = (struct weir_msg){.size = (uint32_t)(40 + 8 * random_below(&random, 59)),
                                   .kind = (uint16_t)random_below(&random, 70),
                                   .flags = (uint16_t)random_below(&random, 4),
                                   .venue = (uint16_t)random_below(&random, 3),
                                   .account = (uint16_t)random_below(&random, 3),
                                   .instrument = (uint32_t)random_below(&random, 6)};
        if (random_below(&random, 2))
            in.msg.kind = (uint16_t)(WEIR_HOST_KINDS + random_below(&random, 50));
        if (in.msg.kind == IN_KILL && random_below(&random, 8))
            in.msg.kind = IN_RELEASE;
        desk.now += (int64_t)random_below(&random, 1000000000);
        desk_apply(&desk, &in);
        if (i % 8 == 0)
            cr_assert_str_empty(engine_audit(desk.engine), "step %d: %s", i,
                                engine_audit(desk.engine));
    }
    desk_close(&desk);
}

Test(hostile, questions_answer_what_is_true)
{
    struct engine_sizes sizes = desk_sizes();
    struct desk desk;
    amount value, used, fees, funding;
    struct position_view position;
    struct market_view market;
    struct order_view order;
    desk_open(&desk, &sizes);
    desk_tell(&desk, "questions",
              TOLD("limit host max_open_orders 5 |", "limit host max_loss 7 |",
                   "limit host throttle_max 9 |", "limit host throttle_window_ms 1000 |",
                   "limit instrument:X max_position none |", "submit a buy 2 @ 100 |",
                   "submit b sell 3 @ 110 by=s2 |", "fill a x1 1 @ 100 |", "top 98 99 |",
                   "cancel b |"));
    const struct engine *engine = desk.engine;
    cr_expect_eq(engine_limit(engine, SCOPE_host, 0, LIMIT_max_open_orders, &value, &used),
                 LIMIT_VALUE);
    cr_expect(value == amount_from(5, 0) && used == amount_from(2, 0));
    cr_expect_eq(engine_limit(engine, SCOPE_host, 0, LIMIT_max_loss, &value, &used), LIMIT_VALUE);
    cr_expect(used == amount_from(15, 1));
    cr_expect_eq(engine_limit(engine, SCOPE_host, 0, LIMIT_throttle_max, &value, &used),
                 LIMIT_VALUE);
    cr_expect(used == amount_from(2, 0));
    cr_expect_eq(engine_limit(engine, SCOPE_instrument, ON_X, LIMIT_max_position, &value, &used),
                 LIMIT_NONE);
    cr_expect(used == amount_from(2, 0), "position 1 and 1 to come; short at most 2");
    cr_expect_eq(engine_limit(engine, SCOPE_strategy, 1, LIMIT_max_position, &value, &used),
                 LIMIT_UNSET);
    cr_expect_eq(engine_limit(engine, SCOPE_strategy, 7, LIMIT_max_position, &value, &used),
                 LIMIT_UNSET);
    cr_expect(!engine_position(engine, 0, 0, &position) &&
              !engine_position(engine, 9, 0, &position) &&
              !engine_position(engine, ON_X, 3, &position));
    cr_expect(engine_position(engine, ON_X, 1, &position) && position.qty == 1000 &&
              position.cost == amount_from(100, 0) && position.has_reference);
    cr_expect(position.unrealized == -amount_from(15, 1));
    cr_expect(engine_market(engine, ON_X, &market) && market.reference_x2 == 19700 &&
              market.top.bid == 9800 && !market.stale);
    cr_expect(!engine_market(engine, 0, &market));
    cr_expect(engine_order_next(engine, 0, false) == 1 && engine_order_next(engine, 1, true) == 2 &&
              engine_order_next(engine, 2, false) == 0);
    cr_expect(engine_order_next(engine, UINT32_MAX, false) == 0);
    cr_expect(!engine_order(engine, 0, &order) && !engine_order(engine, 3, &order) &&
              engine_order(engine, 2, &order));
    cr_expect(order.order.label == ORDER_PENDING_CANCEL && order.leaves_qty == 3000 &&
              order.exposure == 3000);
    cr_expect_eq(engine_order_by_wire(engine, order.order.wire_id), 2);
    cr_expect_eq(engine_order_find(engine, "nobody"), 0);
    cr_expect_eq(engine_instrument_find(engine, 1, "P"), ON_P);
    cr_expect_eq(engine_instrument_find(engine, 0, "P"), 0);
    cr_expect_null(engine_instrument(engine, 9));
    cr_expect_str_eq(engine_name(engine, SCOPE_strategy, 2), "s2");
    cr_expect_str_eq(engine_name(engine, SCOPE_strategy, STRATEGY_EXTERNAL), "EXTERNAL");
    cr_expect_str_eq(engine_name(engine, SCOPE_venue, 0), "");
    cr_expect_eq(engine_number(engine, SCOPE_account, "account"), 1);
    cr_expect_eq(engine_number(engine, SCOPE_account, "s2"), UINT32_MAX);
    cr_expect(!engine_wallet(engine, 1, "DOGE", &value, &fees, &funding) &&
              !engine_wallet(engine, 9, "USDT", &value, &fees, &funding));
    cr_expect(engine_venue_up(engine, 1) && !engine_venue_up(engine, 0) &&
              !engine_reconciling(engine, 1));
    cr_expect_eq(engine_trading_state(engine, SCOPE_strategy, 7), TRADING_HALTED_STATE);
    cr_expect_eq(engine_next_timer(engine), INT64_MAX);
    for (int i = 0; i < RISK_CHECK_COUNT; i++)
        cr_expect(strlen(risk_check_name((enum risk_check)i)) > 1 &&
                  strlen(risk_check_text((enum risk_check)i)) > 5);
    cr_expect_str_eq(order_label_name(ORDER_LABEL_COUNT), "?");
    cr_expect_str_eq(trading_state_name(TRADING_HALTED_STATE), "HALTED");
    desk_close(&desk);
}
