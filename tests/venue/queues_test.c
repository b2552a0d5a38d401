/* queues_test.c - orders in queues, against a list that is as simple as can be; and ghosts. */
#include "venue/queues.h"

#include <criterion/criterion.h>
#include <string.h>

#include "support/random.h"

#define MS ((weir_ns)1000000)

static struct queues_change take(struct queues *queues, uint8_t action, uint64_t id,
                                 enum weir_side side, weir_px px, weir_qty qty, weir_ns now)
{
    struct queues_change change;
    struct weir_l3 order = {
        .id = id, .px = px, .qty = qty, .side = (uint8_t)side, .action = action};
    cr_assert_eq(queues_take(queues, &order, now, &change), WEIR_OK);
    return change;
}

Test(queues, who_stands_before_whom)
{
    struct queues *queues = queues_create();
    weir_qty qty;
    uint32_t orders;
    (void)take(queues, WEIR_L3_ADD, 7, WEIR_BUY, 100, 5, 1);
    (void)take(queues, WEIR_L3_ADD, 9, WEIR_BUY, 100, 3, 2);
    (void)take(queues, WEIR_L3_ADD, 8, WEIR_BUY, 100, 2, 3); /* out of a snapshot: between them */
    cr_assert(queues_position(queues, 9, &qty, &orders));
    cr_expect(qty == 7 && orders == 2, "%ld %u", (long)qty, orders);
    struct queues_change change = take(queues, WEIR_L3_CHANGE, 8, WEIR_BUY, 100, 1, 4);
    cr_expect(change.did == QUEUES_FILLED && change.filled == 1 && change.ahead == 1 &&
              change.ahead_ids[0] == 7);
    change = take(queues, WEIR_L3_REMOVE, 7, WEIR_BUY, 100, 0, 5);
    cr_expect(change.did == QUEUES_FILLED && change.filled == 5 && change.ahead == 0);
    change = take(queues, WEIR_L3_REMOVE, 8, WEIR_BUY, 100, 1, 6);
    cr_expect_eq(change.did, QUEUES_CANCELED);
    change = take(queues, WEIR_L3_REMOVE, 8, WEIR_BUY, 100, 1, 7);
    cr_expect_eq(change.did, QUEUES_UNKNOWN);
    change = take(queues, WEIR_L3_ADD, 9, WEIR_BUY, 101, 1, 8);
    cr_expect_eq(change.did, QUEUES_AGAIN);
    cr_assert(queues_position(queues, 9, &qty, &orders));
    cr_expect(qty == 0 && orders == 0);
    cr_expect_eq(book_at(queues_book(queues, false), WEIR_BUY, 100), 3);
    change = take(queues, WEIR_L3_CHANGE, 9, WEIR_BUY, 102, 3, 9); /* it shows where it matches */
    cr_expect(change.did == QUEUES_CHANGED && change.px == 100);
    cr_expect(book_at(queues_book(queues, false), WEIR_BUY, 100) == 0 &&
              queues_at(queues, WEIR_BUY, 102) == 1);
    queues_destroy(queues);
}

Test(queues, a_ghost_is_the_older_of_two_that_cross_for_long)
{
    struct queues *queues = queues_create();
    (void)take(queues, WEIR_L3_ADD, 5, WEIR_SELL, 100, 1, 0); /* gone, but nobody told us */
    (void)take(queues, WEIR_L3_ADD, 6, WEIR_SELL, 104, 1, 0);
    (void)take(queues, WEIR_L3_ADD, 7, WEIR_BUY, 102, 1, 10 * MS);
    cr_expect_eq(queues_tick(queues, 10 * MS + QUEUES_CROSSED_MAX), 0, "not yet");
    cr_expect_eq(queues_tick(queues, 11 * MS + QUEUES_CROSSED_MAX), 1);
    cr_expect(queues_is_ghost(queues, 5) && !queues_is_ghost(queues, 6));
    cr_expect(!book_crossed(queues_book(queues, false)) && book_crossed(queues_book(queues, true)));
    cr_expect_eq(queues_count(queues), 3, "it is known on");
    struct queues_change change = take(queues, WEIR_L3_REMOVE, 5, WEIR_SELL, 100, 1, 900 * MS);
    cr_expect_eq(change.did, QUEUES_CANCELED, "and its removal, when it comes, is expected");
    queues_destroy(queues);
}

Test(queues, sums_are_those_of_a_plain_list)
{
    enum { IDS = 400 };
    struct queues *queues = queues_create();
    struct plain {
        weir_px px;
        weir_qty qty;
    } orders[IDS] = {{0, 0}};
    uint64_t random = 11;
    for (int step = 0; step < 6000; step++) {
        uint64_t id = 1 + random_below(&random, IDS - 1);
        weir_px px = 1000 + (weir_px)random_below(&random, 40);
        weir_qty qty = 1 + (weir_qty)random_below(&random, 9);
        struct plain *plain = &orders[id];
        if (plain->qty == 0) {
            (void)take(queues, WEIR_L3_ADD, id, WEIR_BUY, px, qty, step);
            *plain = (struct plain){px, qty};
        } else if (random_below(&random, 2)) {
            (void)take(queues, WEIR_L3_CHANGE, id, WEIR_BUY, px, qty, step);
            *plain = (struct plain){px, qty};
        } else {
            (void)take(queues, WEIR_L3_REMOVE, id, WEIR_BUY, plain->px, plain->qty, step);
            plain->qty = 0;
        }
        weir_qty ahead = 0, qty_found, sum = 0;
        uint32_t count = 0, count_found;
        for (uint64_t i = 1; i < IDS; i++) {
            bool there = orders[i].qty > 0 && orders[i].px == plain->px;
            ahead += there && i < id ? orders[i].qty : 0;
            count += there && i < id;
            sum += there ? orders[i].qty : 0;
        }
        if (plain->qty > 0) {
            cr_assert(queues_position(queues, id, &qty_found, &count_found));
            cr_assert(qty_found == ahead && count_found == count, "step %d", step);
        }
        cr_assert_eq(book_at(queues_book(queues, false), WEIR_BUY, plain->px), sum, "step %d",
                     step);
    }
    queues_destroy(queues);
}
