/* explain_test.c - what an operator reads about an order, and how records look as lines and JSON. */
#include "journal/explain.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "journal/render.h"
#include "journal/support_world.h"

static void story(struct world *world, const struct folder *folder)
{
    char wire[WEIR_ID_MAX];
    world_open(world, folder, JOURNAL_GROUP);
    world->journal = start(&world->options);
    world_define(world);
    (void)world_top(world, BTC, 3000000, 3000101, 88201);
    (void)world_submit(world, "a1", MAKER, BTC, WEIR_BUY, 2999900, 2000, 88201);
    strcpy(wire, world_wire(world, "a1"));
    struct side_timing timing = {
        .msg = {.size = sizeof timing, .kind = SIDE_TIMING, .cause = world->input + 2},
        .order = 1,
        .stage = STAGE_SENT,
        .after_ns = 11300};
    cr_assert(journal_append(world->journal, JOURNAL_SIDE, &timing.msg) != 0);
    (void)world_ack(world, wire, "A-99182", BTC);
    (void)world_fill(world, wire, "E1", BTC, WEIR_BUY, 2999900, 500);
    (void)world_fill(world, wire, "E2", BTC, WEIR_BUY, 2999900, 1500);
    (void)world_submit(world, "a2", MAKER, BTC, WEIR_BUY, 2999900, 9000, 88201); /* denied */
    (void)world_submit(world, "4711", TWAP, ETH, WEIR_SELL, 250000, 1000, 0);    /* canceled */
    strcpy(wire, world_wire(world, "4711"));
    (void)world_ack(world, wire, "B-1\x1b[2J", ETH); /* a venue that plays with terminals */
    (void)world_fill(world, wire, "E3", ETH, WEIR_SELL, 250000, 400);
    struct in_change cancel = {.msg = {.size = sizeof cancel, .kind = IN_CANCEL},
                               .cid = "4711",
                               .asker = ASKER_OPERATOR,
                               .reason = "end of the day"};
    (void)world_input(world, &cancel);
    struct weir_report canceled = {.msg = {.size = sizeof canceled,
                                           .kind = WEIR_CANCELED,
                                           .venue = 1,
                                           .account = 1,
                                           .instrument = ETH}};
    strcpy(canceled.client_id, wire);
    (void)world_input(world, &canceled);
    (void)world_submit(world, "a1", MAKER, BTC, WEIR_BUY, 2999900, 1000, 0); /* the name again */
}

static const char *why_of(const struct folder *folder, const char *order, bool json,
                          struct text *out)
{
    struct why why;
    text_fini(out);
    enum weir_err err = explain(folder->path, order, json, out, &why);
    cr_assert(err == WEIR_OK, "%s: %s", order, why.text);
    return text_cstr(out);
}

/* In this order, each somewhere behind the one before. */
static void expect_in_order(const char *name, const char *text, const char *const *parts)
{
    const char *at = text;
    for (; *parts; parts++) {
        const char *found = strstr(at, *parts);
        cr_expect(found != NULL, "%s: no \"%s\" in the rest of\n%s", name, *parts, text);
        if (found)
            at = found + strlen(*parts);
    }
}

#define PARTS(...)        \
    (const char *const[]) \
    {                     \
        __VA_ARGS__, NULL \
    }

Test(explain, an_order_is_told_from_what_was_seen_to_what_it_did_to_the_position)
{
    struct folder folder = folder_new();
    struct world world;
    struct text out;
    text_init(&out);
    story(&world, &folder); /* and it is still running */
    const char *text = why_of(&folder, "a1", false, &out);
    expect_in_order(
        "filled", text,
        PARTS("1  buy 2 BTC-USDT @ 29999   two_sided_maker -> alpha   filled\n",
              "name a1, wire id ", "id at the venue A-99182\n", "09:30:00.000",
              "intent   two_sided_maker, on book alpha seq 88201 (mid 30000.505, 401 us old)\n",
              "risk     allowed; limits version 5, reading/limit of each check:\n",
              "MAX_ORDER_QTY(instrument BTC-USDT) 2/5", "MAX_POSITION(instrument BTC-USDT) 2/10",
              "\n                          0/0: KILL_SWITCH, DUP_CLIENT_ID, ",
              "sent     alpha, as ", ", 11.3 us after the intent\n", "open     ack \"A-99182\"\n",
              "partial  0.5 @ 29999, fee 1.2 USDT, position +0.5",
              "filled   1.5 @ 29999, fee 1.2 USDT, position +2",
              "risk     denied by DUP_CLIENT_ID 1/0: this client id was used before;"));
    cr_expect(!strstr(text, "pending"), "%s", text);
    text = why_of(&folder, "a2", false, &out);
    expect_in_order(
        "denied", text,
        PARTS("  buy 9 BTC-USDT @ 29999   two_sided_maker -> alpha   denied: MAX_ORDER_QTY\n",
              "risk     denied by MAX_ORDER_QTY(instrument BTC-USDT) 9/5: order quantity; limits "
              "version 5,",
              "MAX_ORDER_QTY(instrument BTC-USDT) 9/5 (refuses)",
              "MAX_POSITION(instrument BTC-USDT) 11/10 (refuses)"));
    text = why_of(&folder, "4711", false, &out);
    expect_in_order(
        "part filled, canceled", text,
        PARTS("  sell 1 ETH-USDT @ 2500   twap -> alpha   canceled\n", "id at the venue B-1?[2J\n",
              "open     ack \"B-1?[2J\"\n", "partial  0.4 @ 2500, fee",
              "cancel   asked by operator: \"end of the day\"\n", "sent     alpha, cancel of ",
              "canceled the venue says so, filled 0.4 of 1\n"));

    char wire[WEIR_ID_MAX];
    strcpy(wire, world_wire(&world, "a2"));
    static const char *const names[][2] = {
        {"A-99182", "1  buy 2 "}, {"1", "1  buy 2 "}, {"3", "3  sell 1 "}, {"4711", "3  sell 1 "}};
    for (size_t i = 0; i < 4; i++)
        cr_expect(strncmp(why_of(&folder, names[i][0], false, &out), names[i][1],
                          strlen(names[i][1])) == 0,
                  "%s: %s", names[i][0], out.data);
    cr_expect(strstr(why_of(&folder, wire, false, &out), "buy 9 BTC-USDT"), "%s", out.data);
    (void)world_close(&world);

    struct why why;
    static const char *const unknown[] = {"a3", "99", "", "-1", "1.0"};
    for (size_t i = 0; i < 5; i++) {
        text_fini(&out);
        cr_expect(explain(folder.path, unknown[i], false, &out, &why) == WEIR_E_NOT_FOUND, "%s",
                  unknown[i]);
        cr_expect(strstr(why.text, "among 3 orders"), "%s", why.text);
    }
    text_fini(&out);
    folder_remove(&folder);
    cr_expect(explain(folder.path, "a1", false, &out, &why) == WEIR_E_NOT_FOUND, "no folder");
}

static void ask_held(struct world *world, const char *cid, uint8_t type, weir_px px,
                     weir_px trigger, weir_qty visible)
{
    struct in_submit in = {
        .msg = {.size = sizeof in, .kind = IN_SUBMIT, .venue = 1, .account = 1, .instrument = BTC},
        .strategy = MAKER,
        .type = type,
        .px = px,
        .trigger = trigger,
        .qty = 1000,
        .visible = visible};
    strcpy(in.cid, cid);
    (void)world_input(world, &in);
}

Test(explain, what_held_an_order_and_what_let_it_go)
{
    struct folder folder = folder_new();
    struct world world;
    struct text out;
    struct in_capabilities caps = {
        .msg = {.size = sizeof caps, .kind = IN_CAPABILITIES, .venue = 1},
        .order_types = 3,
        .tifs = 7,
        .emulate = 1};
    text_init(&out);
    world_open(&world, &folder, JOURNAL_GROUP);
    world.journal = start(&world.options);
    world_define(&world);
    (void)world_input(&world, &caps);
    (void)world_top(&world, BTC, 3000000, 3000101, 1);
    ask_held(&world, "s1", WEIR_STOP, 0, 3010000, 0);
    ask_held(&world, "i1", WEIR_ICEBERG, 2999900, 0, 400);
    (void)world_top(&world, BTC, 3009901, 3010102, 2);
    expect_in_order("stop", why_of(&folder, "s1", false, &out),
                    PARTS("intent   two_sided_maker, stop at 30100", "risk     allowed",
                          "held     stop, waits for TRIGGER: 30100",
                          "fired    stop, the price came to 30100.015",
                          "risk     when it was to go: allowed", "sent     alpha, as "));
    expect_in_order("iceberg", why_of(&folder, "i1", false, &out),
                    PARTS("intent   two_sided_maker, iceberg, shows 0.4",
                          "held     iceberg, waits for SLICES", "slice    0.4 go out, as order 3"));
    cr_expect(strstr(why_of(&folder, "s1", true, &out), "\"event\":\"FIRED\""), "%s", out.data);
    (void)world_close(&world);
    text_fini(&out);
    folder_remove(&folder);
}

Test(explain, json_has_every_record_of_the_order)
{
    struct folder folder = folder_new();
    struct world world;
    struct text out;
    struct why why;
    text_init(&out);
    story(&world, &folder);
    (void)world_close(&world);
    const char *text = why_of(&folder, "a1", true, &out);
    cJSON *root = json_read(text, strlen(text), &why);
    cr_assert(root != NULL, "%s\n%s", why.text, text);
    cr_expect(strcmp(json_text(root, "state", ""), "FILLED") == 0);
    cr_expect(strcmp(json_text(root, "venue_id", ""), "A-99182") == 0);
    const cJSON *events = json_get(root, "events"), *event, *readings = NULL;
    int kinds = 0;
    static const char *const expected[] = {
        "submit",    "decision", "send_new", "order",     "timing", "ack",    "order",    "fill",
        "execution", "order",    "fill",     "execution", "order",  "submit", "decision", "alert"};
    cJSON_ArrayForEach(event, events)
    {
        const cJSON *record = json_get(event, "record");
        cr_assert(kinds < 16, "%s", text);
        cr_expect(strcmp(json_text(record, "kind", ""), expected[kinds]) == 0,
                  "%d: %s, expected %s", kinds, json_text(record, "kind", ""), expected[kinds]);
        if (!readings)
            readings = json_get(record, "readings");
        kinds++;
    }
    cr_expect(kinds == 16, "%d", kinds);
    const cJSON *reading;
    bool seen = false;
    cJSON_ArrayForEach(reading, readings) seen =
        seen || (strcmp(json_text(reading, "check", ""), "MAX_POSITION") == 0 &&
                 strcmp(json_text(reading, "name", ""), "BTC-USDT") == 0 &&
                 strcmp(json_text(reading, "value", ""), "2") == 0 &&
                 strcmp(json_text(reading, "limit", ""), "10") == 0 &&
                 cJSON_IsTrue(json_get(reading, "passed")));
    cr_expect(seen, "%s", text);
    cJSON_Delete(root);
    text_fini(&out);
    folder_remove(&folder);
}

/* --- lines and JSON of every kind ---------------------------------------------------------------- */

Test(render, every_kind_has_a_line_and_json)
{
    struct directory *directory = directory_create();
    struct text out;
    struct why why;
    text_init(&out);
    struct weir_instrument instrument = {
        .msg = {.size = sizeof instrument, .kind = WEIR_INSTRUMENT, .instrument = BTC},
        .symbol = "BTC-USDT",
        .price_exp = 2,
        .qty_exp = 3};
    cr_assert(directory_learn(directory, &instrument.msg));
    for (size_t i = 0; kind_at(i); i++) {
        const struct kind *kind = kind_at(i);
        struct weir_msg *msg = calloc(1, kind->full);
        *msg = (struct weir_msg){
            .size = kind->full, .kind = kind->kind, .instrument = BTC, .t = 1723109400000120131};
        struct journal_record record = {
            .seq = 77, .class = (enum journal_class)kind->class, .msg = msg};
        cr_expect(message_check(record.class, msg, msg->size, &why) == WEIR_OK, "%s: %s",
                  kind->name, why.text);
        text_fini(&out);
        render_line(directory, &record, &out);
        cr_expect(strstr(text_cstr(&out), "2024-08-08T09:30:00.000120131Z") &&
                      strstr(out.data, kind->name) && !strchr(out.data, '\n'),
                  "%s", out.data);
        text_fini(&out);
        render_json(directory, &record, &out);
        const char *json = text_cstr(&out);
        cJSON *root = json_read(json, strlen(json), &why);
        cr_assert(root != NULL, "%s: %s: %s", kind->name, why.text, json);
        cr_expect(strcmp(json_text(root, "kind", ""), kind->name) == 0);
        for (size_t f = 0; f < kind->field_count; f++)
            cr_expect(kind->fields[f].type >= FIELD_LEVELS || json_get(root, kind->fields[f].name),
                      "%s: no %s in %s", kind->name, kind->fields[f].name, json);
        cJSON_Delete(root);
        for (size_t j = 0; j < i; j++)
            cr_expect(strcmp(kind_at(j)->name, kind->name) != 0 && kind_at(j)->kind != kind->kind,
                      "%s twice", kind->name);
        free(msg);
    }
    text_fini(&out);
    directory_destroy(directory);
}

Test(render, numbers_are_exact_and_in_the_units_of_their_instrument)
{
    struct directory *directory = directory_create();
    struct text out;
    text_init(&out);
    struct weir_instrument instrument = {
        .msg = {.size = sizeof instrument, .kind = WEIR_INSTRUMENT, .instrument = BTC, .venue = 1},
        .symbol = "BTC-USDT",
        .price_exp = 2,
        .qty_exp = 8};
    cr_assert(directory_learn(directory, &instrument.msg));
    struct weir_fill fill = {.msg = {.size = sizeof fill, .kind = WEIR_FILL, .instrument = BTC},
                             .client_id = "x",
                             .exec_id = "two words",
                             .qty = 1067,
                             .px = INT64_MAX,
                             .fee = {.lo = 1, .hi = -1},
                             .side = WEIR_SELL,
                             .origin = 99};
    struct journal_record record = {.seq = 5, .class = JOURNAL_INPUT, .msg = &fill.msg};
    render_line(directory, &record, &out);
    expect_in_order("fill", text_cstr(&out),
                    PARTS("       5 input  ", "fill ? BTC-USDT", "client_id=x",
                          "exec_id=\"two words\"", "side=sell", "qty=0.00001067",
                          "px=92233720368547758.07", "fee=-18.446744073709551615", "origin=?"));
    fill.msg.instrument = 99; /* not known: the count as it is stored, and marked */
    text_fini(&out);
    render_line(directory, &record, &out);
    expect_in_order("unknown instrument", text_cstr(&out), PARTS("fill ? ?", "qty=?1067"));

    _Alignas(8) unsigned char room[sizeof(struct weir_book_msg) + 5 * sizeof(struct weir_level)] = {
        0};
    struct weir_book_msg *book = (struct weir_book_msg *)(void *)room;
    book->msg = (struct weir_msg){.size = sizeof room, .kind = WEIR_BOOK, .instrument = BTC};
    book->bids = 4;
    book->asks = 1;
    book->levels[0] = (struct weir_level){.px = 3000000, .qty = 100000000};
    book->levels[4] = (struct weir_level){.px = 3000100, .qty = 50000000};
    record.msg = &book->msg;
    text_fini(&out);
    render_line(directory, &record, &out);
    expect_in_order("book", text_cstr(&out),
                    PARTS("bids=4", "asks=1", "bid=1@30000", "+1", "ask=0.5@30001"));
    text_fini(&out);
    render_json(directory, &record, &out);
    expect_in_order(
        "book", text_cstr(&out),
        PARTS("\"bid_levels\":[[\"30000\",\"1\"]", "\"ask_levels\":[[\"30001\",\"0.5\"]]"));

    static const struct {
        weir_ns t;
        const char *time, *clock;
    } times[] = {{0, "1970-01-01T00:00:00.000000000Z", "00:00:00.000000"},
                 {-1, "1969-12-31T23:59:59.999999999Z", "23:59:59.999999"},
                 {INT64_MAX, "2262-04-11T23:47:16.854775807Z", "23:47:16.854775"},
                 {INT64_MIN, "1677-09-21T00:12:43.145224192Z", "00:12:43.145224"}};
    for (size_t i = 0; i < 4; i++) {
        char text[TIME_TEXT_MAX];
        render_time(times[i].t, text);
        cr_expect(strcmp(text, times[i].time) == 0, "%s", text);
        render_clock(times[i].t, text);
        cr_expect(strcmp(text, times[i].clock) == 0, "%s", text);
    }
    text_fini(&out);
    directory_destroy(directory);
}
