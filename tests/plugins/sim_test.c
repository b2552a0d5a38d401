/* sim_test.c - the simulated exchange: the same market for the same seed, a market that looks like
 * one, and an account whose books balance to the last place. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/support_sim.h"
#include "support/random.h"

#define SECOND ((weir_ns)1000000000)
#define START  ((weir_ns)1700000000 * SECOND)

/* clang-format off */
#define SETTINGS(...) (const char *const[]){__VA_ARGS__, NULL}
/* clang-format on */

/* --- determinism -------------------------------------------------------------------------------*/

/* A run with some orders of ours in it, so that both ways are part of the fingerprint. */
static void run_once(const char *seed, weir_ns grid, char print[65], uint64_t *events)
{
    struct sim_host sim;
    char id[16];
    sim_open(&sim,
             SETTINGS("seed", seed, "rate", "600", "jitter_us", "500", "reject_ppm", "50000",
                      "duplicate_fill_ppm", "50000"),
             NULL);
    sim_start(&sim, START);
    for (int i = 1; i <= 90; i++) {
        struct weir_intent order =
            sim_order(id, i % 2 ? WEIR_BUY : WEIR_SELL, 4900000 + i % 7 * 40000, 100 * i, WEIR_GTC);
        (void)snprintf(order.client_id, sizeof order.client_id, "o%d", i);
        sim_run(&sim, START + i * SECOND, grid);
        sim_send(&sim, &order);
        if (i % 3 == 0) {
            struct weir_intent cancel = sim_intent(WEIR_CANCEL, "", 1);
            (void)snprintf(cancel.client_id, sizeof cancel.client_id, "o%d", i - 1);
            sim_send(&sim, &cancel);
        }
    }
    sim_run(&sim, START + 100 * SECOND, grid);
    cr_expect_eq(sim.bad, 0);
    *events = sim.events;
    sim_fingerprint(&sim, print);
    sim_close(&sim);
}

Test(sim, the_same_seed_is_the_same_market)
{
    char first[65], second[65], coarse[65], other[65];
    uint64_t events, again;
    run_once("42", 0, first, &events);
    run_once("42", 0, second, &again);
    cr_expect_geq(events, 100000, "%lu events", events);
    cr_expect_eq(events, again);
    cr_expect_str_eq(first, second);
    run_once("42", SECOND / 20, coarse, &again);
    cr_expect_str_eq(first, coarse, "however seldom the host looks");
    run_once("43", 0, other, &again);
    cr_expect_str_neq(first, other);
}

/* --- the market --------------------------------------------------------------------------------*/

static int64_t spread_bps_x10(const struct sim_market *market, weir_px *mid_out)
{
    struct weir_level bid, ask;
    cr_assert(book_best(market->book, WEIR_BUY, &bid) && book_best(market->book, WEIR_SELL, &ask));
    *mid_out = (bid.px + ask.px) / 2;
    return (ask.px - bid.px) * 100000 / *mid_out;
}

Test(sim, looks_like_a_market)
{
    static const struct {
        const char *symbol;
        weir_px price; /* counts of its price_exp */
    } expected[] = {{"BTC-USD", 5000000}, {"ETH-USD", 300000}, {"SOL-USD", 150000}};
    struct sim_host sim;
    int64_t wide = 0, looked = 0;
    sim_open(&sim, NULL, NULL);
    sim_start(&sim, START);
    for (int i = 1; i <= 3; i++) {
        struct sim_market *market = &sim.markets[i];
        weir_px mid;
        cr_assert_str_eq(market->is.symbol, expected[i - 1].symbol);
        cr_expect_lt(spread_bps_x10(market, &mid), 60, "%s: the spread at the start",
                     market->is.symbol);
        cr_expect_lt(llabs(mid - expected[i - 1].price), expected[i - 1].price / 1000, "%s: %ld",
                     market->is.symbol, mid);
        cr_expect_gt(book_levels(market->book, WEIR_BUY), 40);
        cr_expect_gt(book_levels(market->book, WEIR_SELL), 40);
    }
    for (int minute = 1; minute <= 600; minute++) {
        sim_run(&sim, START + minute * SECOND, 0);
        for (int i = 1; i <= 3; i++) {
            weir_px mid;
            wide += spread_bps_x10(&sim.markets[i], &mid) > 80;
            looked++;
        }
    }
    cr_expect_lt(wide, looked / 20, "the spread is wide at %ld of %ld looks", wide, looked);
    for (int i = 1; i <= 3; i++) {
        const struct sim_market *market = &sim.markets[i];
        weir_qty all = market->volume[0] + market->volume[1];
        cr_expect_eq(market->gaps + market->crossed, 0, "%s", market->is.symbol);
        cr_expect_eq(market->snapshots, 1);
        cr_expect_gt(market->trades, 1000, "%s: %lu trades in ten minutes", market->is.symbol,
                     market->trades);
        cr_expect(market->volume[0] > all / 4 && market->volume[1] > all / 4, "%s: both sides take",
                  market->is.symbol);
        cr_expect_gt(market->high - market->low, expected[i - 1].price / 2000, "%s: it moves",
                     market->is.symbol);
        cr_expect_lt(market->high - market->low, expected[i - 1].price / 10,
                     "%s: but not that much", market->is.symbol);
    }
    cr_expect_eq(sim.bad, 0);
    sim_close(&sim);
}

static uint64_t book_difference(const struct book *a, const struct book *b)
{
    uint64_t different = 0;
    for (int side = 0; side < 2; side++) {
        struct weir_level level;
        different += book_levels(a, (enum weir_side)side) != book_levels(b, (enum weir_side)side);
        for (bool more = book_best(a, (enum weir_side)side, &level); more;
             more = book_next(a, (enum weir_side)side, level.px, &level))
            different += book_at(b, (enum weir_side)side, level.px) != level.qty;
    }
    return different;
}

Test(sim, a_new_snapshot_is_the_book_that_the_deltas_made)
{
    struct sim_host sim;
    sim_open(&sim, SETTINGS("rate", "500", "volatility", "100"), NULL);
    sim_start(&sim, START);
    for (int i = 1; i <= 30; i++) {
        struct sim_market *market = &sim.markets[1 + i % 3];
        struct weir_intent ask = sim_intent(WEIR_RESYNC, "", market->is.msg.instrument);
        size_t bytes = (book_bytes(65536, 4096) + 63) & ~(size_t)63;
        uint64_t before = market->snapshots;
        sim_run(&sim, START + i * SECOND, 0);
        sim_send(&sim, &ask);
        /* the answer takes its latency: stop right after it */
        struct book *kept = NULL;
        void *memory = aligned_alloc(64, bytes);
        while (market->snapshots == before) {
            memset(memory, 0, bytes);
            kept = book_init(memory, 65536, 4096, market->is.tick);
            for (int side = 0; side < 2; side++) {
                struct weir_level level;
                for (bool more = book_best(market->book, (enum weir_side)side, &level); more;
                     more = book_next(market->book, (enum weir_side)side, level.px, &level))
                    cr_assert_eq(book_set(kept, (enum weir_side)side, level.px, level.qty),
                                 WEIR_OK);
            }
            sim_events(&sim, sim.events + 1);
        }
        cr_expect_eq(book_difference(kept, market->book), 0, "round %d", i);
        free(memory);
    }
    sim_close(&sim);

    /* messages that get lost leave a hole in the numbers, and nothing else */
    sim_open(&sim, SETTINGS("gap_ppm", "10000"), NULL);
    sim_start(&sim, START);
    sim_run(&sim, START + 30 * SECOND, 0);
    cr_expect_gt(sim.markets[1].gaps, 5);
    sim_close(&sim);
}

/* --- our account -------------------------------------------------------------------------------*/

static weir_px best_px(const struct sim_host *sim, enum weir_side side)
{
    struct weir_level level;
    cr_assert(book_best(sim->markets[1].book, side, &level));
    return level.px;
}

static void wait_a_little(struct sim_host *sim)
{
    sim_run(sim, sim->now + SECOND / 100, 0);
}

Test(sim, works_our_orders)
{
    struct sim_host sim;
    sim_open(&sim, SETTINGS("latency_us", "2000", "taker_fee_bps", "5", "maker_fee_bps", "-1"),
             NULL);
    sim_start(&sim, START);
    sim.keep = true;
    cr_expect_eq(sim.kinds[WEIR_SESSION], 1);

    /* the order that everybody tries first */
    struct weir_intent order = sim_order("first", WEIR_BUY, 5000000, 100, WEIR_GTC);
    sim_send(&sim, &order);
    sim_run(&sim, sim.now + 3999999, 0);
    cr_expect_null(sim_last(&sim, WEIR_ACK, "first"), "two latencies are four milliseconds");
    sim_run(&sim, sim.now + 1, 0);
    cr_assert_not_null(sim_last(&sim, WEIR_ACK, "first"));
    cr_expect_eq(sim_last(&sim, WEIR_ACK, "first")->msg.t_venue, START + 2000000);

    struct weir_intent away = sim_intent(WEIR_CANCEL_ALL, "", 1); /* or we would meet ourselves */
    sim_send(&sim, &away);

    /* it rests in the published book, and leaves it */
    order = sim_order("rest", WEIR_BUY, best_px(&sim, WEIR_BUY) - 3000000, 12345, WEIR_GTC);
    sim_send(&sim, &order);
    wait_a_little(&sim);
    cr_expect_eq(book_at(sim.markets[1].book, WEIR_BUY, order.px), 12345);
    struct weir_intent change = sim_intent(WEIR_REPLACE, "rest", 1);
    (void)snprintf(change.new_client_id, sizeof change.new_client_id, "rest2");
    change.px = order.px + 100;
    change.qty = 222;
    sim_send(&sim, &change);
    wait_a_little(&sim);
    cr_expect_eq(book_at(sim.markets[1].book, WEIR_BUY, order.px), 0);
    cr_expect_eq(book_at(sim.markets[1].book, WEIR_BUY, change.px), 222);
    struct weir_intent cancel = sim_intent(WEIR_CANCEL, "rest2", 1);
    sim_send(&sim, &cancel);
    sim_send(&sim, &cancel);
    wait_a_little(&sim);
    cr_expect_not_null(sim_last(&sim, WEIR_CANCELED, "rest2"));
    cr_expect_str_eq(sim_last(&sim, WEIR_CANCEL_REJECT, "rest2")->report.reason, "TOO_LATE");
    cr_expect_eq(book_at(sim.markets[1].book, WEIR_BUY, change.px), 0);

    /* taking: the trade is told to all, and to us with a fee */
    uint64_t trades = sim.markets[1].trades;
    order = sim_order("take", WEIR_SELL, best_px(&sim, WEIR_BUY), 10, WEIR_IOC);
    order.px -= 5000;
    sim_send(&sim, &order);
    wait_a_little(&sim);
    const union sim_kept *fill = sim_last(&sim, WEIR_FILL, "take");
    cr_assert_not_null(fill);
    cr_expect_gt(sim.markets[1].trades, trades);
    amount worth, fee;
    cr_assert(amount_product(fill->fill.px, 2, fill->fill.qty, 4, &worth) &&
              amount_times(worth, 5, 4, &fee));
    cr_expect(amount_of(fill->fill.fee) == fee, "five basis points");
    cr_expect_eq(fill->fill.maker, 0);

    /* resting at the front until somebody comes */
    for (int i = 0; i < 600 && !sim_last(&sim, WEIR_FILL, "wait"); i++) {
        if (i % 20 == 0) {
            char id[16];
            (void)snprintf(id, sizeof id, i ? "wait%d" : "wait", i);
            order = sim_order(i ? id : "wait", WEIR_SELL, best_px(&sim, WEIR_SELL), 1, WEIR_GTC);
            order.flags = WEIR_POST_ONLY;
            sim_send(&sim, &order);
        }
        sim_run(&sim, sim.now + SECOND / 2, 0);
    }
    bool made = false;
    for (size_t i = 0; i < sim.kept_count; i++)
        made = made || (sim.kept[i].msg.kind == WEIR_FILL && sim.kept[i].fill.maker);
    cr_expect(made, "a resting order fills sooner or later");

    /* refusals */
    order = sim_order("poor", WEIR_BUY, 5000000, 1000000, WEIR_GTC);
    sim_send(&sim, &order);
    order = sim_order("tick", WEIR_BUY, 0, 1, WEIR_GTC);
    order.type = WEIR_LIMIT;
    sim_send(&sim, &order);
    order = sim_order("stop", WEIR_BUY, 5000000, 1, WEIR_GTC);
    order.type = WEIR_STOP;
    sim_send(&sim, &order);
    order = sim_order("dust", WEIR_BUY, 100, 1, WEIR_GTC);
    sim_send(&sim, &order);
    wait_a_little(&sim);
    cr_expect_str_eq(sim_last(&sim, WEIR_REJECT, "poor")->report.reason, "INSUFFICIENT_BALANCE");
    cr_expect_str_eq(sim_last(&sim, WEIR_REJECT, "tick")->report.reason, "TICK");
    cr_expect_str_eq(sim_last(&sim, WEIR_REJECT, "stop")->report.reason, "UNSUPPORTED_TYPE");
    cr_expect_str_eq(sim_last(&sim, WEIR_REJECT, "dust")->report.reason, "MIN_NOTIONAL");
    struct weir_intent odd = sim_intent(WEIR_RESYNC, "", 77);
    cr_expect_eq(sim.plugin->on_intent(sim.session, sim.now, &odd), WEIR_E_NOT_FOUND);
    cr_expect_eq(sim.bad, 0);
    sim_close(&sim);
}

static void apply(amount *base, amount *quote, const struct weir_fill *fill)
{
    amount worth, size = amount_from(fill->qty, 4);
    cr_assert(amount_product(fill->px, 2, fill->qty, 4, &worth));
    *base += fill->side == WEIR_BUY ? size : -size;
    *quote += fill->side == WEIR_BUY ? -worth : worth;
    *quote -= amount_of(fill->fee);
}

/* Send orders of all kinds at random, with faults on; then ask. */
Test(sim, the_books_of_the_account_balance)
{
    struct sim_host sim;
    uint64_t dice = 11;
    amount base = 0, quote = 0, million = amount_from(1000000, 0);
    weir_qty held = 0;
    size_t fills = 0, twice = 0;
    sim_open(&sim,
             SETTINGS("rate", "400", "volatility", "30", "balances", "USD:1000000,BTC:10",
                      "jitter_us", "3000", "maker_fee_bps", "-0.5", "taker_fee_bps", "4.5",
                      "reject_ppm", "30000", "drop_ack_ppm", "30000", "drop_request_ppm", "30000",
                      "duplicate_fill_ppm", "100000", "self_trade", "cancel_old"),
             NULL);
    sim_start(&sim, START);
    sim.keep = true;
    for (int i = 0; i < 1500; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "o%lu",
                       random_below(&dice, 4) ? (unsigned long)i
                                              : random_below(&dice, (uint64_t)i + 1));
        enum weir_side side = (enum weir_side)random_below(&dice, 2);
        weir_px px = best_px(&sim, side) + ((int64_t)random_below(&dice, 4000) - 2000);
        struct weir_intent order = sim_order(
            id, side, random_below(&dice, 10) ? px : 0, 1 + (int64_t)random_below(&dice, 3000),
            (enum weir_tif)(random_below(&dice, 3) ? WEIR_GTC : random_below(&dice, 3)));
        if (random_below(&dice, 3) == 0)
            order.msg.kind = WEIR_CANCEL;
        else if (random_below(&dice, 4) == 0) {
            order.msg.kind = WEIR_REPLACE;
            (void)snprintf(order.new_client_id, sizeof order.new_client_id, "%sr%d", id, i);
        }
        sim_send(&sim, &order);
        if (i % 300 == 299) {
            struct weir_intent all = sim_intent(WEIR_CANCEL_ALL, "", 1);
            sim_send(&sim, &all);
        }
        sim_run(&sim, sim.now + (weir_ns)random_below(&dice, SECOND / 10), 0);
    }
    sim_run(&sim, sim.now + 5 * SECOND, 0);

    for (size_t i = 0; i < sim.kept_count; i++) {
        if (sim.kept[i].msg.kind != WEIR_FILL)
            continue;
        bool seen = false;
        for (size_t j = 0; j < i && !seen; j++)
            seen = sim.kept[j].msg.kind == WEIR_FILL &&
                   strcmp(sim.kept[j].fill.exec_id, sim.kept[i].fill.exec_id) == 0;
        twice += seen;
        if (seen)
            continue;
        fills++;
        held += sim.kept[i].fill.side == WEIR_BUY ? sim.kept[i].fill.qty : -sim.kept[i].fill.qty;
        apply(&base, &quote, &sim.kept[i].fill);
    }
    cr_expect_gt(fills, 300, "%zu executions", fills);
    cr_expect_gt(twice, 10, "%zu of them told twice", twice);
    cr_expect_gt(sim.kinds[WEIR_NO_ANSWER], 20);

    /* all rows, between their brackets, in their order, and the same sums */
    size_t from = sim.kept_count, rows = 0;
    struct weir_intent ask = sim_intent(WEIR_RECONCILE, "", 0);
    sim_send(&sim, &ask);
    wait_a_little(&sim);
    wait_a_little(&sim);
    while (from < sim.kept_count && sim.kept[from].msg.kind != WEIR_RECON_BEGIN)
        from++;
    uint16_t last = WEIR_RECON_BEGIN;
    bool open_rows = false;
    for (size_t i = from + 1; i < sim.kept_count && last != WEIR_RECON_END; i++) {
        const union sim_kept *row = &sim.kept[i];
        uint16_t kind = row->msg.kind == WEIR_FILL ? WEIR_RECON_BEGIN : row->msg.kind;
        cr_assert_geq(kind, last, "fills, orders, positions, balances");
        last = kind;
        rows += row->msg.kind == WEIR_FILL;
        open_rows = open_rows || (kind == WEIR_RECON_ORDER && row->report.state == WEIR_STATE_OPEN);
        if (kind == WEIR_RECON_POSITION && row->msg.instrument == 1)
            cr_expect(amount_of(row->cash.amount) == amount_from(held, 4), "position");
        if (kind == WEIR_RECON_BALANCE && strcmp(row->cash.asset, "BTC") == 0)
            cr_expect(amount_of(row->cash.amount) == amount_from(10, 0) + base, "BTC");
        if (kind == WEIR_RECON_BALANCE && strcmp(row->cash.asset, "USD") == 0)
            cr_expect(amount_of(row->cash.amount) == million + quote, "USD");
    }
    cr_expect_eq(last, WEIR_RECON_END);
    cr_expect_eq(rows, fills, "%zu executions in the answer, %zu heard", rows, fills);
    cr_expect_eq(sim.markets[1].crossed + sim.markets[1].gaps, 0);
    cr_expect_eq(sim.bad, 0);
    cr_expect_lt(sim.kept_count, SIM_KEPT, "all was kept");
    sim_close(&sim);
}

/* --- settings ----------------------------------------------------------------------------------*/

Test(sim, says_which_setting_is_wrong)
{
    static const struct {
        const char *name, *value, *says;
    } bad[] = {
        {"speed", "9", "sim: speed: no such setting; there are seed instruments rate"},
        {"seed", "x", "sim: seed: expected a whole number from 0"},
        {"rate", "0", "sim: rate: expected a whole number from 1 to 100000, found \"0\""},
        {"rate", "1e3", "sim: rate: expected"},
        {"maker_fee_bps", "1001", "sim: maker_fee_bps: expected basis points"},
        {"taker_fee_bps", "0.000000001", "sim: taker_fee_bps: expected basis points"},
        {"latency_us", "-1", "sim: latency_us: expected"},
        {"reject_ppm", "1000001", "sim: reject_ppm: expected"},
        {"check_balance", "yes", "sim: check_balance: expected a whole number from 0 to 1"},
        {"self_trade", "maybe", "sim: self_trade: expected none, cancel_new or cancel_old"},
        {"instruments", "", "sim: instruments: expected at least one"},
        {"instruments", "BTCUSD:1:1:1", "sim: instruments: expected BASE-QUOTE"},
        {"instruments", "A-A:5000:1:1", "sim: instruments: expected BASE-QUOTE"},
        {"instruments", "A-B:5000:1", "sim: instruments: expected BASE-QUOTE"},
        {"instruments", "A-B:5000:0:1", "sim: instruments: expected BASE-QUOTE"},
        {"instruments", "A-B:10:1:1", "a price of 1000 ticks or more"},
        {"instruments", "A-B:5000.5:1:1", "sim: instruments: expected BASE-QUOTE"},
        {"instruments", "A-B:5000:1:1,A-B:5000:1:1", "each instrument once"},
        {"balances", "USD", "sim: balances: expected up to 16 of NAME:AMOUNT"},
        {"balances", "USD:1,", "sim: balances"},
        {"balances", "USD:ten", "sim: balances"},
        {"positions", "DOGE-USD:1", "sim: positions: DOGE-USD"},
        {"positions", "BTC-USD:0.00001", "sim: positions: BTC-USD"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct sim_host sim;
        enum weir_err err;
        sim_open(&sim, SETTINGS(bad[i].name, bad[i].value), &err);
        if (strcmp(bad[i].value, "USD:1,") == 0)
            cr_expect_eq(err, WEIR_OK, "a comma at the end is nothing");
        else {
            cr_expect_eq(err, WEIR_E_BAD_CONFIG, "%s: %s", bad[i].name, bad[i].value);
            cr_expect_not_null(strstr(sim.said, bad[i].says), "%s: %s", bad[i].name, sim.said);
        }
        sim_close(&sim);
    }

    struct sim_host sim;
    sim_open(&sim,
             SETTINGS("instruments", "XAU-EUR:2000:0.5:1,XAG-EUR:25:0.001:0.01", "positions",
                      "XAU-EUR:7", "balances", "EUR:5"),
             NULL);
    sim_start(&sim, START);
    sim.keep = true;
    struct weir_intent ask = sim_intent(WEIR_RECONCILE, "", 0);
    sim_send(&sim, &ask);
    sim_run(&sim, START + SECOND, 0);
    cr_expect_str_eq(sim.markets[2].is.symbol, "XAG-EUR");
    cr_expect_eq(sim.markets[1].is.tick, 5);
    for (size_t i = 0; i < sim.kept_count; i++)
        if (sim.kept[i].msg.kind == WEIR_RECON_POSITION && sim.kept[i].msg.instrument == 1)
            cr_expect(amount_of(sim.kept[i].cash.amount) == amount_from(7, 0));
    cr_expect_eq(sim.kinds[WEIR_RECON_POSITION], 2);
    cr_expect_eq(sim.kinds[WEIR_RECON_BALANCE], 1);

    /* a host that slept for a day does not have to live through it */
    uint64_t before = sim.events;
    sim.now = START + 86400 * SECOND;
    cr_assert_eq(sim.plugin->on_timer(sim.session, 1, sim.now), WEIR_OK);
    cr_expect_lt(sim.events - before, 100);
    sim_run(&sim, sim.now + SECOND, 0);
    cr_expect_gt(sim.events - before, 50, "and goes on");
    cr_expect_eq(sim.markets[1].gaps + sim.markets[1].crossed, 0);
    sim_close(&sim);
}
