/* desk.c - the pretend host of benches. */
#include "desk.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "bench.h"

enum { MANY = 1000 };

static void take(void *context, const struct weir_msg *effect)
{
    struct desk *desk = context;
    desk->told++;
    desk->told_bytes += effect->size;
    if (effect->kind == WEIR_NEW)
        memcpy(desk->wire, ((const struct weir_intent *)effect)->client_id, sizeof desk->wire);
}

void desk_give(struct desk *desk, void *input)
{
    struct weir_msg *msg = input;
    desk->now += 2000;
    msg->t = desk->now;
    engine_apply(desk->engine, msg, ++desk->seq, &desk->sink);
}

/* --- definitions --------------------------------------------------------------------------------- */

static void define(struct desk *desk, uint16_t kind, uint32_t number, const char *name)
{
    struct in_define in = {.msg = {.size = sizeof in, .kind = kind},
                           .number = number,
                           .parent = kind == IN_DEFINE_STRATEGY ? UINT32_MAX : 0,
                           .rights = RIGHT_ORDERS};
    snprintf(in.name, sizeof in.name, "%s%u", name, number);
    desk_give(desk, &in);
}

/* The more there are of a scope, the fewer sends each may have: their times share some room. */
static int64_t sends_of(const struct desk *desk, enum risk_scope scope)
{
    uint32_t many = scope == SCOPE_strategy     ? desk->plan.strategies
                    : scope == SCOPE_instrument ? desk->plan.instruments
                                                : 1;
    return many > MANY ? 16 : many > 100 ? 100 : many > 1 ? 200 : 20000;
}

static void limit_scope(struct desk *desk, enum risk_scope scope, uint32_t id)
{
    const int64_t far = 1000000000000;
    uint8_t count = desk->plan.further ? RISK_LIMIT_COUNT : CORE_LIMIT_COUNT;
    static const int64_t values[CORE_LIMIT_COUNT] = {
        [LIMIT_max_order_qty] = 100,       [LIMIT_max_order_notional] = 100000000,
        [LIMIT_max_position] = 10000000,   [LIMIT_price_band_pct] = 50,
        [LIMIT_max_open_orders] = 2000000, [LIMIT_max_loss] = 1000000000,
        [LIMIT_check_balance] = 1,         [LIMIT_self_cross] = 1,
        [LIMIT_throttle_window_ms] = 10,
    };
    int64_t sends = sends_of(desk, scope);
    for (uint8_t limit = 0; limit < count; limit++) {
        int64_t value = limit >= CORE_LIMIT_COUNT     ? far
                        : limit == LIMIT_throttle_max ? sends
                                                      : values[limit];
        struct in_limit in = {.msg = {.size = sizeof in, .kind = IN_LIMIT},
                              .scope = (uint8_t)scope,
                              .limit = limit,
                              .how = LIMIT_VALUE,
                              .id = id,
                              .value = amount_pack(amount_from(value, 0))};
        desk_give(desk, &in);
    }
}

static void define_instrument(struct desk *desk, uint32_t number)
{
    struct weir_instrument in = {
        .msg = {.size = sizeof in, .kind = WEIR_INSTRUMENT, .instrument = number},
        .base = "BTC",
        .quote = "USDT",
        .kind = WEIR_LINEAR,
        .price_exp = 2,
        .qty_exp = 5,
        .tick = 1,
        .step = 1,
        .min_notional = amount_pack(amount_from(5, 0))};
    snprintf(in.symbol, sizeof in.symbol, "S%u-USDT", number);
    desk_give(desk, &in);
    limit_scope(desk, SCOPE_instrument, number);
    struct in_state live = {
        .msg = {.size = sizeof live, .kind = IN_BOOK_STATE, .instrument = number},
        .value = BOOK_LIVE};
    desk_give(desk, &live);
    struct weir_top top = {.msg = {.size = sizeof top, .kind = WEIR_TOP, .instrument = number},
                           .bid = DESK_PX - 50,
                           .ask = DESK_PX + 50,
                           .bid_qty = DESK_QTY,
                           .ask_qty = DESK_QTY};
    desk_give(desk, &top);
}

static void set_policy(struct desk *desk, enum policy policy, int64_t value)
{
    struct in_policy in = {
        .msg = {.size = sizeof in, .kind = IN_POLICY}, .policy = (uint32_t)policy, .value = value};
    desk_give(desk, &in);
}

static void define_all(struct desk *desk)
{
    struct in_state ids = {.msg = {.size = sizeof ids, .kind = IN_ID_BLOCK},
                           .value = (int64_t)1 << 40};
    struct weir_session up = {
        .msg = {.size = sizeof up, .kind = WEIR_SESSION, .flags = WEIR_STREAM_UP}};
    struct weir_msg begin = {.size = sizeof begin, .kind = WEIR_RECON_BEGIN},
                    end = {.size = sizeof end, .kind = WEIR_RECON_END};
    struct in_state clock = {.msg = {.size = sizeof clock, .kind = IN_VENUE_CLOCK},
                             .value = 1000000};
    struct weir_cash wallet = {.msg = {.size = sizeof wallet, .kind = IN_WALLET},
                               .asset = "USDT",
                               .amount = amount_pack(amount_from(1000000000, 0))};

    define(desk, IN_DEFINE_VENUE, 0, "venue");
    define(desk, IN_DEFINE_ACCOUNT, 0, "account");
    if (desk->plan.further) { /* exposure is compared with the one, and the other has a limit */
        desk_give(desk, &wallet);
        desk_give(desk, &clock);
    }
    for (uint32_t i = 1; i <= desk->plan.strategies; i++) {
        define(desk, IN_DEFINE_STRATEGY, i, "strategy");
        limit_scope(desk, SCOPE_strategy, i);
    }
    limit_scope(desk, SCOPE_host, 0);
    limit_scope(desk, SCOPE_account, 0);
    for (uint32_t i = 1; i <= desk->plan.instruments; i++)
        define_instrument(desk, i);
    set_policy(desk, POLICY_strict, 1);
    desk_give(desk, &ids);
    desk_give(desk, &up);
    desk_give(desk, &begin);
    desk_give(desk, &end);
}

void desk_open(struct desk *desk, const struct desk_plan *plan)
{
    desk_close(desk);
    *desk = (struct desk){.plan = *plan,
                          .sizes = engine_sizes_default(),
                          .now = 1700000000000000000,
                          .sink = {take, desk}};
    if (plan->strategies > desk->sizes.strategies)
        desk->sizes.strategies = plan->strategies;
    if (plan->orders)
        desk->sizes.orders = plan->orders;
    if (desk->sizes.positions < 2 * plan->strategies)
        desk->sizes.positions = 2 * plan->strategies;
    if (desk->sizes.client_ids < 4 * desk->sizes.orders)
        desk->sizes.client_ids = 4 * desk->sizes.orders;
    desk->bytes = engine_bytes(&desk->sizes);
    desk->memory = bench_pages(desk->bytes);
    (void)madvise(desk->memory, desk->bytes, MADV_HUGEPAGE); /* as the host does */
    if (!plan->orders) /* as a host that has run for a while */
        memset(desk->memory, 0, desk->bytes);
    struct arena arena = {desk->memory, (unsigned char *)desk->memory + desk->bytes};
    desk->engine = engine_create(&arena, &desk->sizes);
    if (!desk->engine)
        bench_die("desk", "the engine cannot be made");
    define_all(desk);
    desk_check(desk);
}

void desk_close(struct desk *desk)
{
    if (desk->memory)
        munmap(desk->memory, desk->bytes);
    desk->memory = NULL;
}

void desk_check(const struct desk *desk)
{
    const struct engine_counts *counts = engine_counts(desk->engine);
    for (int check = 0; check < RISK_CHECK_COUNT; check++)
        if (counts->denied_by[check])
            bench_die("orders were denied", risk_check_name((enum risk_check)check));
    for (int alert = 0; alert < ALERT_COUNT; alert++)
        if (counts->alerts[alert])
            bench_die("the engine is alarmed", alert_name((enum alert)alert));
}

/* --- messages ------------------------------------------------------------------------------------ */

uint32_t desk_instrument_of(const struct desk *desk, uint32_t strategy)
{
    return 1 + (strategy - 1) % desk->plan.instruments;
}

void desk_name(char out[WEIR_ID_MAX], char first, uint64_t number)
{
    static const char digits[] = "0123456789abcdef";
    memset(out, 0, WEIR_ID_MAX);
    out[0] = first;
    for (int i = 12; i > 0; i--, number >>= 4)
        out[i] = digits[number & 15];
}

struct in_submit desk_order(struct desk *desk, uint32_t strategy, enum weir_side side)
{
    struct in_submit in = {.msg = {.size = sizeof in,
                                   .kind = IN_SUBMIT,
                                   .instrument = desk_instrument_of(desk, strategy)},
                           .strategy = strategy,
                           .side = (uint8_t)side,
                           .flags = WEIR_POST_ONLY,
                           .px = side == WEIR_BUY ? DESK_PX - 1000 : DESK_PX + 1000,
                           .qty = DESK_QTY};
    desk_name(in.cid, 'c', ++desk->ids);
    return in;
}

struct weir_report desk_report(uint16_t kind, uint32_t instrument, const char *wire)
{
    struct weir_report in = {.msg = {.size = sizeof in, .kind = kind, .instrument = instrument}};
    memcpy(in.client_id, wire, sizeof in.client_id);
    return in;
}

struct weir_fill desk_fill(struct desk *desk, uint32_t instrument, const char *wire,
                           enum weir_side side, weir_qty qty)
{
    struct weir_fill in = {.msg = {.size = sizeof in, .kind = WEIR_FILL, .instrument = instrument},
                           .qty = qty,
                           .px = side == WEIR_BUY ? DESK_PX - 1000 : DESK_PX + 1000,
                           .fee = amount_pack(12345678900000000),
                           .fee_asset = "USDT",
                           .side = (uint8_t)side,
                           .maker = 1};
    memcpy(in.client_id, wire, sizeof in.client_id);
    desk_name(in.exec_id, 'x', ++desk->ids);
    return in;
}
