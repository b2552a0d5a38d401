/* The scripts that are shipped do what their heads say, in the pretend market. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script/support_market.h"

struct shipped {
    struct market market;
    struct script_source files[3]; /* the script, then modules */
    struct script_value settings[8];
    struct script_value tree;
    struct script_config config;
    struct script *script;
};

static void read_file(const char *path, struct script_source *source)
{
    char whole[512];
    struct why why;
    snprintf(whole, sizeof whole, "%s/scripts/%s", SOURCE_DIR, path);
    cr_assert_eq(script_source_read(whole, source, &why), WEIR_OK, "%s", why.text);
    source->name = path;
}

/* settings: "name=number" or "name=text", ended by NULL. */
static void open_shipped(struct shipped *s, const char *file, const char *const *settings)
{
    static const char *const modules[] = {"lib/quotes.lua", "lib/stats.lua"};
    static char texts[8][2][32];
    memset(s, 0, sizeof *s);
    market_open(&s->market);
    read_file(file, &s->files[0]);
    for (int i = 0; i < 2; i++) {
        read_file(modules[i], &s->files[i + 1]);
        s->files[i + 1].name = i ? "stats" : "quotes";
    }
    for (size_t n = 0; settings[n]; n++) {
        cr_assert_eq(sscanf(settings[n], "%31[^=]=%31s", texts[n][0], texts[n][1]), 2);
        bool number = strspn(texts[n][1], "0123456789.") == strlen(texts[n][1]);
        s->settings[n] = (struct script_value){
            .key = texts[n][0], .kind = number ? SCRIPT_DECIMAL : SCRIPT_TEXT, .text = texts[n][1]};
        s->tree.count = n + 1;
    }
    s->tree.kind = SCRIPT_MAP;
    s->tree.items = s->settings;
    s->config = market_config("s1", 1, "");
    s->config.source = s->files[0];
    s->config.modules = &s->files[1];
    s->config.module_count = 2;
    s->config.settings = &s->tree;
    s->config.order_prefix = "k-";
    s->script = market_add(&s->market, &s->config);
    script_start(s->script);
    market_settle(&s->market);
}

static void close_shipped(struct shipped *s)
{
    struct script_report report;
    script_report(s->script, &report);
    cr_expect_eq(report.outcome, SCRIPT_OK, "%s\n%s", report.reason, report.detail);
    for (int i = 0; i < 3; i++)
        free((char *)s->files[i].text);
    market_close(&s->market);
}

static void reload(struct shipped *s)
{
    struct why why;
    cr_assert_eq(script_reload(s->script, &s->config, &why), WEIR_OK, "%s", why.text);
    market_settle(&s->market);
}

static const char *const at_btc[] = {"venue=sim", "symbol=BTC-USD", NULL};

Test(maker, it_rests_both_sides_follows_the_mid_and_leans)
{
    struct shipped s;
    open_shipped(&s, "two_sided_maker.lua", at_btc);
    market_top(&s.market, BTC, "49999.50", "50000.50");
    cr_expect_str_eq(market_asked(&s.market),
                     "new s1 buy 0.01 @ 49990 post\nnew s1 sell 0.01 @ 50010 post\n");
    market_top(&s.market, BTC, "49999.50", "50000.50");
    cr_expect_str_eq(market_asked(&s.market), "", "the book has not moved");
    market_top(&s.market, BTC, "50009.50", "50010.50");
    cr_expect_str_eq(market_asked(&s.market),
                     "cancel s1 buy 0.01 @ 49990 post\ncancel s1 sell 0.01 @ 50010 post\n"
                     "new s1 buy 0.01 @ 49999.99 post\nnew s1 sell 0.01 @ 50020.01 post\n");
    market_fill(&s.market, "k-3", "49999.99", "0.01");
    market_asked(&s.market);
    market_top(&s.market, BTC, "50009.50", "50010.50");
    cr_expect_str_eq(market_asked(&s.market), /* a twentieth of the largest position: of 4 bps */
                     "cancel s1 buy 0.01 @ 49999.99 post\ncancel s1 sell 0.01 @ 50020.01 post\n"
                     "new s1 buy 0.01 @ 49998.99 post\nnew s1 sell 0.01 @ 50019.01 post\n");
    close_shipped(&s);
}

Test(maker, a_full_position_withdraws_the_side_that_adds_to_it)
{
    static const char *const settings[] = {"venue=sim", "symbol=BTC-USD", "clip=0.2",
                                           "position_max=0.2", NULL};
    struct shipped s;
    open_shipped(&s, "two_sided_maker.lua", settings);
    market_top(&s.market, BTC, "49999.50", "50000.50");
    market_fill(&s.market, "k-1", "49990", "0.2");
    market_asked(&s.market);
    market_top(&s.market, BTC, "49999.50", "50000.50");
    const char *asked = market_asked(&s.market);
    cr_expect_null(strstr(asked, "new s1 buy"), "%s", asked);
    script_stop(s.script);
    market_settle(&s.market);
    cr_expect_eq(engine_order_next(s.market.engine, 0, true), 0, "something rests after the stop");
    close_shipped(&s);
}

Test(maker, an_empty_side_and_a_gap_withdraw_everything)
{
    struct shipped s;
    open_shipped(&s, "two_sided_maker.lua", at_btc);
    market_top(&s.market, BTC, "49999.50", "50000.50");
    market_state(&s.market, BTC, BOOK_GAPPED);
    cr_expect_eq(engine_order_next(s.market.engine, 0, true), 0);
    market_state(&s.market, BTC, BOOK_LIVE);
    market_top(&s.market, BTC, "49979.50", "49980.50");
    cr_expect_eq(s.market.news, 4, "it quotes again");
    close_shipped(&s);
}

Test(maker, a_reload_takes_over_what_rests)
{
    struct shipped s;
    open_shipped(&s, "two_sided_maker.lua", at_btc);
    market_top(&s.market, BTC, "49999.50", "50000.50");
    market_asked(&s.market);
    reload(&s);
    market_top(&s.market, BTC, "49999.50", "50000.50");
    cr_expect_str_eq(market_asked(&s.market), "", "the same quotes rest already");
    market_top(&s.market, BTC, "50009.50", "50010.50");
    cr_expect_eq(s.market.cancels, 2);
    cr_expect_eq(s.market.news, 4);
    close_shipped(&s);
}

Test(maker, a_refusal_is_told_once_with_its_numbers)
{
    struct shipped s;
    open_shipped(&s, "two_sided_maker.lua", at_btc);
    market_limit(&s.market, SCOPE_instrument, BTC, LIMIT_max_order_qty, "0.005");
    market_top(&s.market, BTC, "49999.50", "50000.50");
    market_top(&s.market, BTC, "49989.50", "49990.50");
    cr_expect_str_eq(market_log(&s.market),
                     "s1: buy refused: MAX_ORDER_QTY: order quantity (observed 0.01, limit "
                     "0.005, scope instrument BTC-USD)\n");
    close_shipped(&s);
}

/* Fill the newest order in full, or in part and cancel the rest, as an IOC ends. */
static void end_slice(struct shipped *s, int number, const char *qty, bool whole)
{
    char cid[WEIR_ID_MAX];
    struct order_view view;
    snprintf(cid, sizeof cid, "k-%d", number);
    market_fill(&s->market, cid, "50000.50", qty);
    if (whole)
        return;
    cr_assert(engine_order(s->market.engine, engine_order_find(s->market.engine, cid), &view));
    struct weir_report report = {.msg = {.size = sizeof report,
                                         .kind = WEIR_EXPIRED,
                                         .venue = 1,
                                         .account = 1,
                                         .instrument = BTC},
                                 .reason = "IOC"};
    memcpy(report.client_id, view.order.wire_id, sizeof report.client_id);
    market_apply(&s->market, &report);
    market_settle(&s->market);
}

static const char *const at_twap[] = {"venue=sim", "symbol=BTC-USD", "qty=0.4",
                                      "slices=4",  "window_s=4",     NULL};

Test(twap, it_works_the_parent_in_slices_and_never_more)
{
    struct shipped s;
    open_shipped(&s, "twap.lua", at_twap);
    market_wait(&s.market, 1000000000);
    end_slice(&s, 1, "0.04", false);
    market_wait(&s.market, 1000000000);
    end_slice(&s, 2, "0.16", true);
    market_wait(&s.market, 1000000000);
    end_slice(&s, 3, "0.1", true);
    market_wait(&s.market, 1000000000);
    end_slice(&s, 4, "0.1", true);
    market_wait(&s.market, 5000000000);
    cr_expect_str_eq(market_asked(&s.market),
                     "new s1 buy 0.1 @ 50025.5\nnew s1 buy 0.16 @ 50025.5\n"
                     "new s1 buy 0.1 @ 50025.5\nnew s1 buy 0.1 @ 50025.5\n");
    const char *said = market_log(&s.market);
    cr_expect(strstr(said, "s1: worked buy 0.4 of 0.4 in 4 slices, average 50000.5, arrival 50000, "
                           "cost 0.10 bps\n"),
              "%s", said);
    close_shipped(&s);
}

Test(twap, a_reload_goes_on_where_it_was)
{
    struct shipped s;
    open_shipped(&s, "twap.lua", at_twap);
    market_wait(&s.market, 1000000000);
    end_slice(&s, 1, "0.1", true);
    market_wait(&s.market, 1000000000); /* slice 2 is alive */
    reload(&s);
    end_slice(&s, 2, "0.1", true);
    for (int slice = 3; slice <= 4; slice++) {
        market_wait(&s.market, 1000000000);
        end_slice(&s, slice, "0.1", true);
    }
    market_wait(&s.market, 3000000000);
    cr_expect_eq(s.market.news, 4);
    cr_expect(strstr(market_log(&s.market), "worked buy 0.4 of 0.4 in 4 slices"));
    reload(&s);
    market_wait(&s.market, 3000000000);
    cr_expect_eq(s.market.news, 4, "a finished parent begins again");
    close_shipped(&s);
}

Test(twap, a_book_that_is_not_live_is_waited_for_and_a_stop_tells_how_far_it_came)
{
    struct shipped s;
    open_shipped(&s, "twap.lua", at_twap);
    market_state(&s.market, BTC, BOOK_GAPPED);
    market_wait(&s.market, 2000000000);
    cr_expect_eq(s.market.news, 0);
    market_state(&s.market, BTC, BOOK_LIVE);
    market_top(&s.market, BTC, "49999.50", "50000.50");
    market_wait(&s.market, 1000000000);
    end_slice(&s, 1, "0.1", true);
    script_stop(s.script);
    cr_expect(strstr(market_log(&s.market), "stopped after buy 0.1 of 0.4 in 1 slices"));
    close_shipped(&s);
}

Test(scanner, it_alerts_once_in_a_while_and_sends_nothing)
{
    static const char *const settings[] = {"venue=sim", "spread_bps=10", "imbalance=0.5",
                                           "quiet_s=30", NULL};
    struct shipped s;
    open_shipped(&s, "spread_scanner.lua", settings);
    market_top(&s.market, BTC, "49999.50", "50000.50"); /* sizes 1 and 2: a third */
    market_top(&s.market, BTC, "49900", "50100");
    market_top(&s.market, BTC, "49900", "50100");
    cr_expect_str_eq(market_log(&s.market), "s1: alert info sim/BTC-USD 1: spread 40.0 bps\n");
    s.market.now += 31000000000;
    market_top(&s.market, BTC, "49900", "50100");
    cr_expect_str_eq(market_log(&s.market), "s1: alert info sim/BTC-USD 1: spread 40.0 bps\n");
    cr_expect_eq(s.market.news, 0);
    close_shipped(&s);
}

Test(stats, running_figures_are_those_of_the_whole)
{
    static const char text[] =
        "local stats = weir.import('stats') local bad = 0 "
        "local function near(a, b) if not (math.abs(a - b) <= 1e-9 * math.max(1, math.abs(b))) "
        "then bad = bad + 1 end end "
        "local w, e, v, all = stats.window(7), stats.ema(3), stats.vwap(), {} local mean, pq, q = "
        "nil, 0, 0 "
        "for i = 1, 500 do local x = 61800 + math.sin(i) * 3 all[#all + 1] = x w:add(x) "
        "  local n, sum, sq, lo, hi = math.min(7, i), 0, 0, math.huge, -math.huge "
        "  for k = i - n + 1, i do sum = sum + all[k] lo = math.min(lo, all[k]) hi = math.max(hi, "
        "all[k]) end "
        "  for k = i - n + 1, i do sq = sq + (all[k] - sum / n) ^ 2 end "
        "  near(w:mean(), sum / n) near(w:stdev(), math.sqrt(sq / n)) near(w:min(), lo) "
        "near(w:max(), hi) "
        "  if i > 1 then near(w:zscore(hi), (hi - sum / n) / math.sqrt(sq / n)) end "
        "  mean = mean and mean + 0.5 * (x - mean) or x near(e:add(x), mean) "
        "  pq, q = pq + x * i, q + i near(v:add(x, i), pq / q) end "
        "weir.log(bad .. ' ' .. tostring(w:full()) .. ' ' .. w.count .. ' ' .. "
        "tostring(stats.window(3):mean()) .. ' ' "
        ".. tostring(stats.vwap():add(5, 0)))";
    struct shipped s;
    open_shipped(&s, "spread_scanner.lua", at_btc);
    s.config.source = (struct script_source){"stats_test", text, sizeof text - 1};
    market_log(&s.market);
    reload(&s);
    cr_expect_str_eq(market_log(&s.market), "s1: 0 true 7 nil nil\n");
    close_shipped(&s);
}
