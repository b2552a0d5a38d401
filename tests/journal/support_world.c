/* support_world.c - see support_world.h. Prices have 2 decimals, quantities 3. */
#include "journal/support_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"

struct engine_sizes world_sizes(void)
{
    struct engine_sizes sizes = engine_sizes_default();
    sizes.orders = 5000;
    sizes.executions = 5000;
    sizes.client_ids = 20000;
    sizes.instruments = 8;
    sizes.strategies = 8;
    sizes.positions = 64;
    return sizes;
}

static void on_intent(struct world *world, const struct weir_intent *intent)
{
    if (intent->msg.kind != WEIR_NEW || world->live_count == LIVE_MAX)
        return;
    struct sent *sent = &world->live[world->live_count++];
    *sent = (struct sent){.instrument = intent->msg.instrument,
                          .side = intent->side,
                          .left = intent->qty,
                          .px = intent->px};
    memcpy(sent->wire, intent->client_id, sizeof sent->wire);
}

static void take(void *context, const struct weir_msg *effect)
{
    struct world *world = context;
    if (world->dead)
        return;
    cr_assert(journal_append(world->journal, JOURNAL_EFFECT, effect) != 0);
    if (effect->kind >= WEIR_NEW && effect->kind < WEIR_HOST_KINDS)
        on_intent(world, (const struct weir_intent *)(const void *)effect);
    if (world->stop_after > 0 && --world->stop_after == 0)
        world->dead = true;
}

void world_open(struct world *world, const struct folder *folder, enum journal_sync sync)
{
    struct why why;
    struct engine_sizes sizes = world_sizes();
    *world = (struct world){.options = options_of(folder, 256 << 10, sync),
                            .now = 1723109400000000000, /* 2024-08-08T09:30:00Z */
                            .random = 42};
    world->options.sizes = sizes;
    enum weir_err err = engine_home_init(&world->home, &sizes, &why);
    cr_assert(err == WEIR_OK, "%s", why.text);
}

bool world_input(struct world *world, void *bytes)
{
    struct weir_msg *msg = bytes;
    struct effect_sink sink = {take, world};
    if (world->dead)
        return false;
    world->now += 1000;
    msg->t = world->now;
    world->input = journal_append(world->journal, JOURNAL_INPUT, msg);
    cr_assert(world->input != 0);
    if (world->stop_after > 0 && --world->stop_after == 0)
        world->dead = true;
    if (!world->dead)
        engine_apply(world->home.engine, msg, world->input, &sink);
    return !world->dead;
}

static void define(struct world *world, uint16_t kind, uint32_t number, uint32_t parent,
                   const char *name)
{
    struct in_define define = {.msg = {.size = sizeof define, .kind = kind},
                               .number = number,
                               .parent = parent,
                               .rights = kind == IN_DEFINE_STRATEGY ? RIGHT_ORDERS : 0};
    snprintf(define.name, sizeof define.name, "%s", name);
    (void)world_input(world, &define);
}

static void instrument(struct world *world, uint32_t number, const char *symbol, const char *base)
{
    struct weir_instrument instrument = {.msg = {.size = sizeof instrument,
                                                 .kind = WEIR_INSTRUMENT,
                                                 .venue = 1,
                                                 .account = 1,
                                                 .instrument = number},
                                         .price_exp = 2,
                                         .qty_exp = 3,
                                         .multiplier = 1,
                                         .tick = 1,
                                         .step = 1};
    snprintf(instrument.symbol, sizeof instrument.symbol, "%s", symbol);
    snprintf(instrument.base, sizeof instrument.base, "%s", base);
    snprintf(instrument.quote, sizeof instrument.quote, "USDT");
    (void)world_input(world, &instrument);
}

struct in_limit limit_of(enum risk_scope scope, uint32_t id, enum risk_limit limit,
                         const char *value)
{
    amount number = 0;
    struct in_limit in = {.msg = {.size = sizeof in, .kind = IN_LIMIT},
                          .scope = (uint8_t)scope,
                          .limit = (uint8_t)limit,
                          .how = value ? LIMIT_VALUE : LIMIT_NONE,
                          .id = id};
    if (value)
        cr_assert(amount_parse(value, strlen(value), &number) == WEIR_OK);
    in.value = amount_pack(number);
    return in;
}

void world_limit(struct world *world, enum risk_scope scope, uint32_t id, enum risk_limit limit,
                 const char *value)
{
    struct in_limit in = limit_of(scope, id, limit, value);
    (void)world_input(world, &in);
}

void world_define(struct world *world)
{
    define(world, IN_DEFINE_VENUE, 1, 0, "alpha");
    define(world, IN_DEFINE_ACCOUNT, 1, 1, "main");
    define(world, IN_DEFINE_GROUP, 1, 0, "all");
    define(world, IN_DEFINE_STRATEGY, MAKER, 1, "two_sided_maker");
    define(world, IN_DEFINE_STRATEGY, TWAP, 1, "twap");
    instrument(world, BTC, "BTC-USDT", "BTC");
    instrument(world, ETH, "ETH-USDT", "ETH");
    struct weir_cash wallet = {
        .msg = {.size = sizeof wallet, .kind = IN_WALLET, .venue = 1, .account = 1},
        .asset = "USDT",
        .amount = amount_pack(amount_from(1000000, 0))};
    (void)world_input(world, &wallet);
    world_limit(world, SCOPE_instrument, BTC, LIMIT_max_order_qty, "5");
    world_limit(world, SCOPE_instrument, BTC, LIMIT_max_position, "10");
    world_limit(world, SCOPE_instrument, ETH, LIMIT_max_position, "40");
    world_limit(world, SCOPE_instrument, BTC, LIMIT_price_band_pct, "5");
    world_limit(world, SCOPE_host, 0, LIMIT_max_open_orders, "30");
    struct weir_session up = {.msg = {.size = sizeof up,
                                      .kind = WEIR_SESSION,
                                      .flags = WEIR_STREAM_UP,
                                      .venue = 1,
                                      .account = 1}};
    (void)world_input(world, &up);
    struct weir_msg begin = {
        .size = sizeof begin, .kind = WEIR_RECON_BEGIN, .venue = 1, .account = 1};
    struct weir_msg end = {.size = sizeof end, .kind = WEIR_RECON_END, .venue = 1, .account = 1};
    (void)world_input(world, &begin);
    (void)world_input(world, &end);
}

/* --- what happens ------------------------------------------------------------------------------ */

bool world_top(struct world *world, uint32_t instrument, weir_px bid, weir_px ask, uint64_t seq)
{
    struct weir_top top = {.msg = {.size = sizeof top,
                                   .kind = WEIR_TOP,
                                   .venue = 1,
                                   .account = 1,
                                   .instrument = instrument},
                           .seq = seq,
                           .bid = bid,
                           .ask = ask,
                           .bid_qty = 5000,
                           .ask_qty = 4000};
    return world_input(world, &top);
}

bool world_submit(struct world *world, const char *cid, uint32_t strategy, uint32_t instrument,
                  enum weir_side side, weir_px px, weir_qty qty, uint64_t seen_seq)
{
    struct in_submit submit = {.msg = {.size = sizeof submit,
                                       .kind = IN_SUBMIT,
                                       .venue = 1,
                                       .account = 1,
                                       .instrument = instrument},
                               .strategy = strategy,
                               .side = (uint8_t)side,
                               .type = WEIR_LIMIT,
                               .px = px,
                               .qty = qty,
                               .seen_seq = seen_seq,
                               .seen_t = world->now - 400000};
    snprintf(submit.cid, sizeof submit.cid, "%s", cid);
    return world_input(world, &submit);
}

static struct weir_report report_of(uint16_t kind, const char *wire, const char *venue_id,
                                    uint32_t instrument)
{
    struct weir_report report = {.msg = {.size = sizeof report,
                                         .kind = kind,
                                         .venue = 1,
                                         .account = 1,
                                         .instrument = instrument}};
    snprintf(report.client_id, sizeof report.client_id, "%s", wire);
    snprintf(report.venue_id, sizeof report.venue_id, "%s", venue_id);
    return report;
}

bool world_ack(struct world *world, const char *wire, const char *venue_id, uint32_t instrument)
{
    struct weir_report ack = report_of(WEIR_ACK, wire, venue_id, instrument);
    return world_input(world, &ack);
}

bool world_fill(struct world *world, const char *wire, const char *exec_id, uint32_t instrument,
                enum weir_side side, weir_px px, weir_qty qty)
{
    struct weir_fill fill = {.msg = {.size = sizeof fill,
                                     .kind = WEIR_FILL,
                                     .venue = 1,
                                     .account = 1,
                                     .instrument = instrument},
                             .qty = qty,
                             .px = px,
                             .fee = amount_pack(amount_from(12, 1)),
                             .fee_asset = "USDT",
                             .side = (uint8_t)side};
    snprintf(fill.client_id, sizeof fill.client_id, "%s", wire);
    snprintf(fill.exec_id, sizeof fill.exec_id, "%s", exec_id);
    return world_input(world, &fill);
}

const char *world_wire(const struct world *world, const char *cid)
{
    static struct order_view view;
    uint32_t n = engine_order_find(world->home.engine, cid);
    cr_assert(n != 0 && engine_order(world->home.engine, n, &view), "%s", cid);
    return view.order.wire_id;
}

/* --- at random --------------------------------------------------------------------------------- */

static uint64_t dice(struct world *world, uint64_t sides)
{
    world->random = world->random * 6364136223846793005u + 1442695040888963407u;
    return (world->random >> 33) % sides;
}

static void answer(struct world *world)
{
    if (world->live_count == 0)
        return;
    size_t i = dice(world, world->live_count);
    struct sent sent = world->live[i];
    char id[WEIR_ID_MAX];
    switch (dice(world, 4)) {
    case 0:
        snprintf(id, sizeof id, "A-%lu", ++world->next_venue_id);
        (void)world_ack(world, sent.wire, id, sent.instrument);
        return;
    case 1: {
        struct weir_report end =
            report_of(dice(world, 2) ? WEIR_CANCELED : WEIR_REJECT, sent.wire, "", sent.instrument);
        world->live[i] = world->live[--world->live_count];
        (void)world_input(world, &end);
        return;
    }
    default: {
        weir_qty qty = 1 + (weir_qty)dice(world, (uint64_t)sent.left);
        snprintf(id, sizeof id, "E-%lu", ++world->next_exec);
        world->live[i].left -= qty;
        if (world->live[i].left == 0)
            world->live[i] = world->live[--world->live_count];
        (void)world_fill(world, sent.wire, id, sent.instrument, (enum weir_side)sent.side, sent.px,
                         qty);
    }
    }
}

static void cancel_one(struct world *world)
{
    struct in_change cancel = {.msg = {.size = sizeof cancel, .kind = IN_CANCEL}};
    snprintf(cancel.cid, sizeof cancel.cid, "c%lu", 1 + dice(world, world->next_order + 1));
    (void)world_input(world, &cancel);
}

void world_play(struct world *world, int steps)
{
    for (int i = 0; i < steps && !world->dead; i++) {
        uint32_t instrument = dice(world, 2) ? BTC : ETH;
        weir_px mid = instrument == BTC ? 3000050 : 250025;
        char cid[WEIR_ID_MAX];
        switch (dice(world, 5)) {
        case 0: (void)world_top(world, instrument, mid - 50, mid + 50, (uint64_t)i + 1); break;
        case 1:
        case 2:
            snprintf(cid, sizeof cid, "c%lu", ++world->next_order);
            (void)world_submit(world, cid, dice(world, 2) ? MAKER : TWAP, instrument,
                               dice(world, 2) ? WEIR_BUY : WEIR_SELL,
                               mid + (weir_px)dice(world, 2000) - 1000,
                               1 + (weir_qty)dice(world, 6000), (uint64_t)i);
            break;
        case 3: answer(world); break;
        default:
            if (dice(world, 4) == 0)
                cancel_one(world);
            else
                answer(world);
        }
    }
}

struct journal_summary world_close(struct world *world)
{
    struct journal_summary summary = finish(world->journal);
    engine_home_fini(&world->home);
    return summary;
}

void world_kill(struct world *world)
{
    journal_abandon(world->journal);
    engine_home_fini(&world->home);
}
