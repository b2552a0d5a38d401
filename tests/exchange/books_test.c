/* books_test.c - the exchange's own books, from what was asked and answered. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "exchange/books.h"

static struct books *books;

static void define(void)
{
    struct weir_instrument is = {
        .msg = {.size = sizeof is, .kind = WEIR_INSTRUMENT, .instrument = 1},
        .symbol = "BTC-USD",
        .price_exp = 2,
        .qty_exp = 3};
    books = books_create();
    cr_assert_not_null(books);
    books_event(books, &is.msg);
}

static void ask(uint16_t kind, const char *id, const char *next, weir_qty qty)
{
    struct weir_intent intent = {
        .msg = {.size = sizeof intent, .kind = kind, .instrument = 1}, .qty = qty, .px = 10050};
    snprintf(intent.client_id, sizeof intent.client_id, "%s", id);
    snprintf(intent.new_client_id, sizeof intent.new_client_id, "%s", next);
    books_request(books, &intent);
}

static void report(uint16_t kind, const char *id, uint8_t state, weir_qty qty)
{
    struct weir_report told = {.msg = {.size = sizeof told, .kind = kind, .instrument = 1},
                               .venue_id = "v1",
                               .state = state,
                               .qty = qty,
                               .px = 10050};
    snprintf(told.client_id, sizeof told.client_id, "%s", id);
    books_event(books, &told.msg);
}

static void fill(const char *id, const char *exec, weir_qty qty)
{
    struct weir_fill told = {
        .msg = {.size = sizeof told, .kind = WEIR_FILL, .instrument = 1}, .qty = qty, .px = 10049};
    snprintf(told.client_id, sizeof told.client_id, "%s", id);
    snprintf(told.exec_id, sizeof told.exec_id, "%s", exec);
    books_event(books, &told.msg);
}

/* The order as it stands in the JSON: "state cum/qty asked first". */
static const char *order(const char *id)
{
    static char line[200];
    struct text out;
    struct why why;
    const cJSON *item;
    text_init(&out);
    books_json(books, &out);
    cJSON *json = json_read(text_cstr(&out), out.len, &why);
    cr_assert_not_null(json, "%s", why.text);
    snprintf(line, sizeof line, "none");
    cJSON_ArrayForEach(item, json_get(json, "orders"))
    {
        int64_t asked = 0;
        if (strcmp(json_text(item, "client_id", ""), id) != 0)
            continue;
        cr_assert(json_whole(json_get(item, "asked"), &asked));
        snprintf(line, sizeof line, "%s %s/%s %d %s", json_text(item, "state", ""),
                 json_text(item, "cum_qty", ""), json_text(item, "qty", ""), (int)asked,
                 json_text(item, "first_id", ""));
    }
    cJSON_Delete(json);
    text_fini(&out);
    return line;
}

Test(books, an_order_is_what_was_asked_and_what_was_said)
{
    define();
    ask(WEIR_NEW, "a", "", 2000);
    cr_assert_str_eq(order("a"), "pending 0/2 1 a");
    report(WEIR_ACK, "a", WEIR_STATE_OPEN, 2000);
    fill("a", "e1", 500);
    fill("a", "e1", 500); /* told twice */
    cr_assert_str_eq(order("a"), "open 0.5/2 1 a");
    ask(WEIR_REPLACE, "a", "b", 3000);
    report(WEIR_REPLACED, "b", WEIR_STATE_OPEN, 3000);
    cr_assert_str_eq(order("b"), "open 0.5/3 1 a");
    cr_assert_str_eq(order("a"), "none");
    fill("b", "e2", 2500);
    cr_assert_str_eq(order("b"), "filled 3/3 1 a");
    books_destroy(books);
}

Test(books, a_second_order_of_one_name_is_counted_and_changes_nothing)
{
    define();
    ask(WEIR_NEW, "a", "", 2000);
    report(WEIR_ACK, "a", WEIR_STATE_OPEN, 2000);
    ask(WEIR_NEW, "a", "", 9000);
    report(WEIR_REJECT, "a", WEIR_STATE_REJECTED, 0);
    cr_assert_str_eq(order("a"), "open 0/2 2 a");
    ask(WEIR_NEW, "c", "", 1);
    report(WEIR_REJECT, "c", WEIR_STATE_REJECTED, 0);
    cr_assert_str_eq(order("c"), "rejected 0/0.001 1 c");
    books_destroy(books);
}

Test(books, rows_of_a_reconciliation_fill_in_what_was_not_said)
{
    struct weir_msg begin = {.size = sizeof begin, .kind = WEIR_RECON_BEGIN};
    struct weir_cash cash = {
        .msg = {.size = sizeof cash, .kind = WEIR_RECON_POSITION, .instrument = 1},
        .amount = {.lo = 500000000000000000u}};
    struct text out;
    define();
    ask(WEIR_NEW, "a", "", 2000);
    for (int i = 0; i < 2; i++) {
        books_event(books, &begin);
        fill("a", "e1", 500);
        report(WEIR_RECON_ORDER, "a", WEIR_STATE_CANCELED, 2000);
        books_event(books, &cash.msg);
    }
    cr_assert_str_eq(order("a"), "canceled 0.5/2 1 a");
    text_init(&out);
    books_json(books, &out);
    cr_assert(
        strstr(text_cstr(&out),
               "\"positions\":[{\"instrument\":\"BTC-USD\",\"qty\":\"0.5\"}],\"balances\":[]"),
        "%s", text_cstr(&out));
    text_fini(&out);
    books_destroy(books);
}

Test(books, nothing_is_forgotten)
{
    char id[WEIR_ID_MAX];
    define();
    for (int i = 0; i < 30000; i++) {
        snprintf(id, sizeof id, "order-%d", i);
        ask(WEIR_NEW, id, "", 1000);
        report(WEIR_ACK, id, WEIR_STATE_OPEN, 1000);
        fill(id, id, 1000);
    }
    for (int i = 0; i < 30000; i += 7500) {
        snprintf(id, sizeof id, "order-%d", i);
        cr_assert_eq(strncmp(order(id), "filled 1/1 1 ", 13), 0, "%s: %s", id, order(id));
    }
    books_destroy(books);
}
