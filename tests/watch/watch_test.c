/* watch_test.c - observers: the tap loses nothing silently, histograms know a value within 1/16, and
 * the mirror shows what the messages said. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "watch/metrics.h"
#include "watch/tap.h"

static void put(struct mirror *mirror, void *msg, size_t size, uint16_t kind, uint32_t instrument,
                weir_ns t)
{
    struct weir_msg *head = msg;
    head->size = (uint32_t)size;
    head->kind = kind;
    head->venue = 1;
    head->instrument = instrument;
    head->t = t;
    mirror_take(mirror, head);
}

#define PUT(msg, kind, instrument, t) put(mirror, &(msg), sizeof(msg), kind, instrument, t)

static struct mirror *sample(void)
{
    struct mirror *mirror = mirror_create();
    struct in_define venue = {.number = 1, .name = "sim"},
                     strategy = {.number = 3, .name = "maker"};
    struct weir_instrument def = {
        .symbol = "BTC-USD", .base = "BTC", .quote = "USD", .price_exp = 2, .qty_exp = 4};
    struct weir_top top = {.bid = 4999900, .ask = 5000100, .bid_qty = 10000, .ask_qty = 20000};
    struct in_state live = {.value = BOOK_LIVE};
    struct out_order order = {.order = 5,
                              .strategy = 3,
                              .cid = "maker-1",
                              .label = ORDER_OPEN,
                              .px = 4999900,
                              .qty = 100,
                              .created = 7};
    struct out_execution execution = {.order = 5,
                                      .strategy = 3,
                                      .px = 5000000,
                                      .qty = 20000,
                                      .position = 20000,
                                      .strategy_position = 20000};
    struct weir_intent intent = {.order = 5};
    struct out_alert alert = {.alert = ALERT_LATE_FILL, .text = "x1"};
    execution.cost = amount_pack((amount)100000 * 1000000000000000000); /* 2 at 50000 */
    PUT(venue, IN_DEFINE_VENUE, 0, 1);
    PUT(strategy, IN_DEFINE_STRATEGY, 0, 1);
    PUT(def, WEIR_INSTRUMENT, 2, 2);
    PUT(top, WEIR_TOP, 2, 3);
    PUT(live, IN_BOOK_STATE, 2, 3);
    put(mirror, &order, offsetof(struct out_order, next_cid), OUT_ORDER, 2,
        4); /* as the engine says it */
    PUT(intent, WEIR_NEW, 2, 4);
    PUT(execution, OUT_EXECUTION, 2, 5);
    PUT(alert, OUT_ALERT, 2, 6);
    return mirror;
}

Test(mirror, knows_what_a_restart_had_left_and_what_scripts_raise)
{
    struct mirror *mirror = mirror_create();
    struct in_define venue = {.number = 1, .name = "sim"},
                     strategy = {.number = 3, .name = "maker"};
    struct weir_instrument def = {.symbol = "BTC-USD", .price_exp = 2, .qty_exp = 4};
    struct note_position held = {.qty = -20000}, of = {.strategy = 3, .qty = -15000};
    struct note_alert alert = {.strategy = 3, .level = "warn", .text = "wide"};
    struct text text;
    struct why why;
    held.cost = amount_pack((amount)100000 * 1000000000000000000);
    PUT(venue, IN_DEFINE_VENUE, 0, 1);
    PUT(strategy, IN_DEFINE_STRATEGY, 0, 1);
    PUT(def, WEIR_INSTRUMENT, 2, 1);
    PUT(held, NOTE_POSITION, 2, 1);
    PUT(of, NOTE_POSITION, 2, 1);
    PUT(alert, NOTE_ALERT, 2, 2);

    text_init(&text);
    mirror_json_positions(mirror, &text);
    cJSON *json = json_read(text_cstr(&text), text.len, &why);
    const cJSON *position = cJSON_GetArrayItem(json_get(json, "positions"), 0);
    cr_expect_str_eq(json_text(position, "venue", ""), "sim");
    cr_expect_str_eq(json_text(position, "qty", ""), "-2");
    cr_expect_str_eq(json_text(position, "avg_price", ""), "50000");
    const cJSON *strategies = json_get(position, "strategies");
    cr_expect_str_eq(json_text(cJSON_GetArrayItem(strategies, 0), "qty", ""), "-1.5");
    cJSON_Delete(json);
    text_fini(&text);

    text_init(&text);
    mirror_json_alerts(mirror, &text);
    json = json_read(text_cstr(&text), text.len, &why);
    const cJSON *told = cJSON_GetArrayItem(json_get(json, "alerts"), 0);
    cr_expect_str_eq(json_text(told, "alert", ""), "SCRIPT");
    cr_expect_str_eq(json_text(told, "script", ""), "maker");
    cr_expect_str_eq(json_text(told, "means", ""), "warn");
    cr_expect_str_eq(json_text(told, "text", ""), "wide");
    cJSON_Delete(json);
    text_fini(&text);
    mirror_destroy(mirror);
}

Test(mirror, shows_what_the_messages_said)
{
    struct mirror *mirror = sample();
    struct text text;
    struct why why;
    text_init(&text);
    mirror_json_positions(mirror, &text);
    cJSON *json = json_read(text_cstr(&text), text.len, &why);
    const cJSON *position = cJSON_GetArrayItem(json_get(json, "positions"), 0);
    cr_expect_str_eq(json_text(position, "instrument", ""), "BTC-USD");
    cr_expect_str_eq(json_text(position, "qty", ""), "2");
    cr_expect_str_eq(json_text(position, "avg_price", ""), "50000");
    cr_expect_str_eq(json_text(position, "unrealized_pnl", ""), "0");
    cJSON_Delete(json);
    text_fini(&text);
    text_init(&text);
    mirror_json_orders(mirror, true, &text);
    json = json_read(text_cstr(&text), text.len, &why);
    const cJSON *order = cJSON_GetArrayItem(json_get(json, "orders"), 0);
    cr_expect_str_eq(json_text(order, "cid", ""), "maker-1");
    cr_expect_str_eq(json_text(order, "strategy", ""), "maker");
    cr_expect_str_eq(json_text(order, "state", ""), "OPEN");
    cr_expect_str_eq(json_text(order, "price", ""), "49999");
    cr_expect_eq(mirror->live_orders, 1);
    cJSON_Delete(json);
    text_fini(&text);
    mirror_destroy(mirror);
}

Test(mirror, every_document_is_json_and_the_screen_fits)
{
    void (*const prints[])(const struct mirror *, struct text *) = {
        mirror_json_status, mirror_json_positions, mirror_json_venues, mirror_json_scripts,
        mirror_json_alerts};
    struct mirror *mirror = sample();
    for (size_t i = 0; i < sizeof prints / sizeof prints[0]; i++) {
        struct text text;
        struct why why = {0};
        text_init(&text);
        prints[i](mirror, &text);
        cJSON *json = json_read(text_cstr(&text), text.len, &why);
        cr_expect_not_null(json, "document %zu: %s", i, why.text);
        cJSON_Delete(json);
        text_fini(&text);
    }
    for (unsigned rows = 1; rows < 30; rows++) {
        struct text text;
        unsigned lines = 0;
        text_init(&text);
        mirror_screen(mirror, rows, 60, false, &text);
        const char *from = text_cstr(&text);
        for (const char *p = from; *p; p++)
            if (*p == '\n') {
                lines++;
                cr_expect_leq(p - from, 60);
                from = p + 1;
            }
        cr_expect_leq(lines, rows);
        text_fini(&text);
    }
    mirror_destroy(mirror);
}

Test(mirror, a_denial_keeps_the_reading_that_failed)
{
    struct mirror *mirror = sample();
    struct {
        struct out_decision head;
        struct reading_head qty;
        uint64_t qty_words[2];
        struct reading_head position;
        uint64_t position_words[2];
    } decision = {.head = {.strategy = 3,
                           .reason = CHECK_MAX_ORDER_QTY,
                           .zeros = 1u << CHECK_TICK,
                           .cid = "maker-2"},
                  .qty = {.check = CHECK_MAX_ORDER_QTY, .exp = 1, .scopes = 1, .failed = 1},
                  .qty_words = {25, 20},
                  .position = {.check = CHECK_MAX_POSITION, .scopes = 1, .failed = 1},
                  .position_words = {9, 1}};
    PUT(decision, OUT_DECISION, 2, 9);
    cr_assert_eq(mirror->denial_total, 1);
    cr_expect_eq(mirror->denials[0].reading.check, CHECK_MAX_ORDER_QTY);
    cr_expect_eq(mirror->denials[0].reading.value, 25);
    cr_expect_eq(mirror->denied_by[CHECK_MAX_ORDER_QTY], 1);
    cr_expect_eq(mirror->strategies[3].denied, 1);
    mirror_destroy(mirror);
}

Test(mirror, messages_cut_short_change_nothing)
{
    struct mirror *mirror = sample();
    for (uint16_t kind = 0; kind < 1024; kind++) {
        struct weir_msg msg = {.size = sizeof msg, .kind = kind, .instrument = 2, .venue = 1};
        mirror_take(mirror, &msg);
    }
    cr_expect_eq(mirror->live_orders, 1);
    cr_expect_eq(mirror->instruments[2].top.bid, 4999900);
    mirror_destroy(mirror);
}

Test(histogram, a_value_is_known_within_a_sixteenth)
{
    uint64_t seed = 88172645463325252ull;
    for (int i = 0; i < 20000; i++) {
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        uint64_t value = seed >> (24 + seed % 40);
        struct histogram *h = calloc(1, sizeof *h);
        histogram_add(h, (int64_t)value);
        uint64_t at = histogram_at(h, 500);
        cr_expect(at >= value && at - value <= value / 16, "%" PRIu64 " is told as %" PRIu64, value,
                  at);
        cr_expect_eq(histogram_below(h, at), 1);
        free(h);
    }
}

Test(tap, what_does_not_fit_is_counted_and_the_rest_keeps_its_order)
{
    struct tap *tap = tap_create(4096);
    uint64_t seed = 1, in = 0, out = 0, lost = 0;
    unsigned char bytes[512] = {0};
    struct weir_msg *msg = (struct weir_msg *)(void *)bytes;
    uint64_t expected[100000];
    for (int i = 0; i < 200000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        if ((seed >> 33) % 3 != 0) {
            msg->size = (uint32_t)(sizeof *msg + (seed >> 40) % 40 * 8);
            msg->cause = (uint64_t)i;
            if (!tap_push(tap, msg))
                lost++;
            else if (in < 100000)
                expected[in++] = (uint64_t)i;
            else
                break;
        } else if (tap_front(tap)) {
            cr_assert_eq(tap_front(tap)->cause, expected[out]);
            out++;
            tap_drop(tap);
        }
    }
    cr_expect_eq(tap_lost(tap), lost);
    cr_expect_gt(lost, 0);
    cr_expect_gt(out, 1000);
    tap_destroy(tap);
}

Test(metrics, the_text_has_each_name_once_with_help_and_type)
{
    struct mirror *mirror = sample();
    struct stages *stages = calloc(1, sizeof *stages);
    struct text text;
    histogram_add(&stages->of[TIMED_input], 1500);
    text_init(&text);
    metrics_print(mirror, stages, 3, &text);
    const char *all = text_cstr(&text);
    for (const char *p = all; (p = strstr(p, "# HELP ")) != NULL; p += 7) {
        char name[80], line[120];
        cr_assert_eq(sscanf(p, "# HELP %79s", name), 1);
        snprintf(line, sizeof line, "# HELP %s ", name);
        cr_expect_null(strstr(p + 7, line), "%s stands twice", name);
        snprintf(line, sizeof line, "# TYPE %s ", name);
        cr_expect_not_null(strstr(p, line), "%s has no type", name);
    }
    cr_expect_not_null(strstr(all, "weir_orders_sent_total{kind=\"new\"} 1\n"));
    cr_expect_not_null(
        strstr(all, "weir_stage_duration_seconds_bucket{stage=\"input\",le=\"0.000001\"} 0\n"));
    cr_expect_not_null(
        strstr(all, "weir_stage_duration_seconds_bucket{stage=\"input\",le=\"0.0000025\"} 1\n"));
    cr_expect_not_null(strstr(all, "weir_stage_duration_seconds_sum{stage=\"input\"} 0.0000015\n"));
    cr_expect_not_null(strstr(all, "weir_observer_lost_total 3\n"));
    text_fini(&text);
    free(stages);
    mirror_destroy(mirror);
}
