/* names_test.c - orders are found by every name they have, however often counters come round, and by
 * none that they had before they were forgotten. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "engine/support_story.h"

static struct desk small_desk(uint32_t orders)
{
    struct desk desk;
    struct engine_sizes sizes = desk_sizes();
    sizes.orders = orders;
    desk_open(&desk, &sizes);
    return desk;
}

static void say(struct desk *desk, const char *format, const char *cid)
{
    char line[160];
    snprintf(line, sizeof line, format, cid);
    desk_tell(desk, line, (const char *const[]){line, NULL});
    cr_assert_str_eq(engine_audit(desk->engine), "", "%s: %s", line, engine_audit(desk->engine));
}

static void expect_names(struct desk *desk, const char *cid, const char *after)
{
    char wire[WEIR_ID_MAX];
    uint32_t n = engine_order_find(desk->engine, cid);
    cr_assert_neq(n, 0, "%s is known after %s", cid, after);
    snprintf(wire, sizeof wire, "%s", desk_wire(desk, cid));
    cr_assert_eq(engine_order_by_wire(desk->engine, wire), n, "%s by %s after %s", cid, wire,
                 after);
    cr_assert_eq(engine_order_find(desk->engine, wire), n, "%s by %s after %s", cid, wire, after);
}

/* An order lives while many others come and go: ids share their places with those of long ago. */
Test(names, an_old_order_keeps_its_names_when_counters_come_round)
{
    struct desk desk = small_desk(8);
    say(&desk, "submit %s buy 1 @ 100", "old");
    say(&desk, "ack %s v0", "old");
    for (int i = 0; i < 200; i++) {
        char cid[16], line[32];
        snprintf(cid, sizeof cid, "n%d", i);
        say(&desk, "submit %s buy 1 @ 90", cid);
        expect_names(&desk, cid, "its submit");
        expect_names(&desk, "old", cid);
        snprintf(line, sizeof line, "ack %%s v%d", i + 1);
        say(&desk, line, cid);
        if (i % 3 == 0) { /* a second name, which is used up before it is refused */
            snprintf(line, sizeof line, "replace %%s m%d qty=2", i);
            say(&desk, line, cid);
            say(&desk, i % 2 ? "replaced %s" : "replace-refused %s NO", cid);
        }
        say(&desk, "canceled %s", cid);
    }
    say(&desk, "fill %s x1 1 @ 100 | old=FILLED:1", "old");
    desk_close(&desk);
}

Test(names, what_is_forgotten_is_found_by_no_name_and_its_name_stays_used)
{
    struct desk desk = small_desk(4);
    char wire[WEIR_ID_MAX];
    say(&desk, "submit %s buy 1 @ 100", "a");
    snprintf(wire, sizeof wire, "%s", desk_wire(&desk, "a"));
    say(&desk, "ack %s v1", "a");
    say(&desk, "canceled %s | a=CANCELED", "a");
    for (int i = 0; i < 4; i++) {
        char cid[8];
        snprintf(cid, sizeof cid, "b%d", i);
        expect_names(&desk, "a", "others");
        say(&desk, "submit %s buy 1 @ 100", cid);
    }
    cr_expect_eq(engine_order_find(desk.engine, "a"), 0, "its place was taken");
    cr_expect_eq(engine_order_find(desk.engine, wire), 0, "by its client order id");
    cr_expect_eq(engine_order_by_wire(desk.engine, wire), 0);
    say(&desk, "submit %s buy 1 @ 100 | alert=DUP_CLIENT_ID", "a");
    for (int i = 0; i < 4; i++) {
        char cid[8];
        snprintf(cid, sizeof cid, "b%d", i);
        expect_names(&desk, cid, "all");
    }
    desk_close(&desk);
}

/* More names than are kept for each order: the oldest go, those in use never, and no place is lost. */
Test(names, orders_with_many_names_share_what_there_is)
{
    struct desk desk = small_desk(4);
    char present[4][16];
    for (int k = 0; k < 4; k++) {
        snprintf(present[k], sizeof present[k], "o%d", k);
        say(&desk, "submit %s buy 1 @ 100", present[k]);
        say(&desk, "ack %s", present[k]);
    }
    for (int i = 0; i < 120; i++) {
        int k = i * 7 % 4 < 2 ? 0 : i % 4;
        char line[64], next[16];
        snprintf(next, sizeof next, "p%d", i);
        snprintf(line, sizeof line, "replace %%s %s qty=%d", next, 1 + i % 5);
        say(&desk, line, present[k]);
        expect_names(&desk, present[k], line);
        expect_names(&desk, next, line);
        if (i % 5 == 4) {
            say(&desk, "replace-refused %s NO", present[k]);
            continue;
        }
        say(&desk, "replaced %s", present[k]);
        snprintf(present[k], sizeof present[k], "%s", next);
        for (int j = 0; j < 4; j++)
            expect_names(&desk, present[j], line);
    }
    desk_close(&desk);
}
