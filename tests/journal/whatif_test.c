/* whatif_test.c - with other limits, other decisions, and only those. */
#include <stdio.h>
#include <string.h>

#include "journal/replay.h"
#include "journal/support_world.h"

enum { CHANGES_MAX = 64 };

struct changes {
    size_t count;
    char text[CHANGES_MAX][120]; /* "a1 allowed -> MAX_ORDER_QTY 3/2" */
};

static const char *verdict(const struct out_decision *decision)
{
    if (!decision)
        return "not judged";
    return decision->allowed ? "allowed" : risk_check_name((enum risk_check)decision->reason);
}

static void note(void *context, const struct directory *directory,
                 const struct whatif_change *change)
{
    struct changes *changes = context;
    (void)directory;
    cr_assert(changes->count < CHANGES_MAX && change->seq > 1 && change->t > 0);
    const struct out_decision *after = change->after;
    char numbers[60] = "";
    struct risk_reading refused;
    if (after && decision_refusal(after, &refused))
        snprintf(numbers, sizeof numbers, " %ld/%ld", refused.value, refused.limit);
    snprintf(changes->text[changes->count++], sizeof changes->text[0], "%s %s -> %s%s",
             change->before ? change->before->cid : after->cid, verdict(change->before),
             verdict(after), numbers);
}

static struct whatif_report ask(const struct folder *folder, const struct in_limit *limits,
                                size_t count, struct changes *changes)
{
    struct why why;
    struct whatif_report report;
    struct whatif whatif = {.limits = limits, .count = count, .change = note, .context = changes};
    *changes = (struct changes){0};
    enum weir_err err = journal_whatif(folder->path, &whatif, &report, &why);
    cr_assert(err == WEIR_OK, "%s", why.text);
    return report;
}

/* a1: 3 bought. a2: 8 more are too many. a3 rests, is replaced; a4 is bought after it; a5. */
static void story(const struct folder *folder)
{
    struct world world;
    world_open(&world, folder, JOURNAL_NEVER);
    world.journal = start(&world.options);
    world_define(&world);
    world_limit(&world, SCOPE_instrument, BTC, LIMIT_max_order_qty, "9");
    world_limit(&world, SCOPE_host, 0, LIMIT_max_open_orders, "2");
    (void)world_top(&world, BTC, 3000000, 3000100, 1);
    (void)world_submit(&world, "a1", MAKER, BTC, WEIR_BUY, 3000000, 3000, 1);
    char wire[WEIR_ID_MAX];
    strcpy(wire, world_wire(&world, "a1"));
    (void)world_ack(&world, wire, "V1", BTC);
    (void)world_fill(&world, wire, "E1", BTC, WEIR_BUY, 3000000, 3000);
    (void)world_submit(&world, "a2", MAKER, BTC, WEIR_BUY, 3000000, 8000, 1);
    (void)world_submit(&world, "a3", TWAP, BTC, WEIR_BUY, 2990000, 1000, 1);
    strcpy(wire, world_wire(&world, "a3"));
    (void)world_ack(&world, wire, "V3", BTC);
    struct in_change replace = {.msg = {.size = sizeof replace, .kind = IN_REPLACE},
                                .cid = "a3",
                                .new_cid = "b3",
                                .change = CHANGE_QTY,
                                .qty = 2500,
                                .asker = ASKER_OPERATOR};
    (void)world_input(&world, &replace);
    struct order_view view;
    cr_assert(engine_order(world.home.engine, engine_order_find(world.home.engine, "a3"), &view));
    cr_assert(view.order.label == ORDER_PENDING_REPLACE);
    struct weir_report refused = {.msg = {.size = sizeof refused,
                                          .kind = WEIR_REPLACE_REJECT,
                                          .venue = 1,
                                          .account = 1,
                                          .instrument = BTC}};
    strcpy(refused.client_id, wire);
    strcpy(refused.reason, "too late");
    (void)world_input(&world, &refused);
    (void)world_submit(&world, "a4", TWAP, BTC, WEIR_BUY, 3000000, 1000, 1);
    strcpy(wire, world_wire(&world, "a4"));
    (void)world_ack(&world, wire, "V4", BTC);
    (void)world_fill(&world, wire, "E4", BTC, WEIR_BUY, 3000000, 1000);
    (void)world_submit(&world, "a5", TWAP, BTC, WEIR_BUY, 3000000, 1000, 1);
    (void)world_close(&world);
}

Test(whatif, other_limits_change_these_decisions_and_no_others)
{
    struct folder folder = folder_new();
    struct changes changes;
    story(&folder);

    struct in_limit same = limit_of(SCOPE_instrument, BTC, LIMIT_max_order_qty, "9");
    struct whatif_report report = ask(&folder, &same, 1, &changes);
    cr_expect(changes.count == 0 && report.decisions == 6 && report.left_out == 0, "%zu, %lu: %s",
              changes.count, report.decisions, changes.text[0]);

    struct in_limit wider = limit_of(SCOPE_instrument, BTC, LIMIT_max_position, "20");
    report = ask(&folder, &wider, 1, &changes);
    cr_expect(report.allowed_now == 1 && report.denied_now > 0, "%lu", report.allowed_now);
    cr_expect(strcmp(changes.text[0], "a2 MAX_POSITION -> allowed") == 0, "%s", changes.text[0]);
    cr_expect(strstr(changes.text[changes.count - 1], "MAX_OPEN_ORDERS"), "a2 waits for ever: %s",
              changes.text[changes.count - 1]);

    struct in_limit narrow = limit_of(SCOPE_instrument, BTC, LIMIT_max_order_qty, "2");
    report = ask(&folder, &narrow, 1, &changes);
    cr_expect(report.denied_now == 2 && report.reason_other == 1 && report.allowed_now == 0,
              "%lu %lu %lu", report.denied_now, report.reason_other, report.allowed_now);
    cr_expect(changes.count == 3);
    cr_expect(strncmp(changes.text[0], "a1 allowed -> MAX_ORDER_QTY", 27) == 0, "%s",
              changes.text[0]);
    cr_expect(strncmp(changes.text[1], "a2 MAX_POSITION -> MAX_ORDER_QTY", 32) == 0, "%s",
              changes.text[1]);
    cr_expect(strncmp(changes.text[2], "b3 allowed -> MAX_ORDER_QTY", 27) == 0, "%s",
              changes.text[2]);
    cr_expect(report.left_out == 2, "the ack and the fill of a1: %lu", report.left_out);

    /* a limit that the journal never set */
    struct in_limit notional = limit_of(SCOPE_host, 0, LIMIT_max_order_notional, "50000");
    report = ask(&folder, &notional, 1, &changes);
    cr_expect(report.denied_now == 2 &&
                  strncmp(changes.text[0], "a1 allowed -> MAX_ORDER_NOTIONAL", 32) == 0,
              "%lu: %s", report.denied_now, changes.text[0]);
    folder_remove(&folder);
}

/* The wire ids of a4 and a5 shift when b3 is denied; their answers must still find them. */
Test(whatif, answers_find_their_orders_when_ids_have_shifted)
{
    struct folder folder = folder_new();
    struct changes changes;
    story(&folder);
    struct in_limit narrow = limit_of(SCOPE_instrument, BTC, LIMIT_max_order_qty, "3");
    struct in_limit limits[2] = {narrow, limit_of(SCOPE_instrument, BTC, LIMIT_max_position, "6")};
    limits[0].value = limit_of(SCOPE_instrument, BTC, LIMIT_max_order_qty, "9").value;
    (void)ask(&folder, limits, 2, &changes);
    /* position 3, b3 would make 3 + 2.5 + ... <= 6; then a4 3 + 1 + 1, a5 4 + 1 + 1: none is denied */
    cr_expect(changes.count == 0, "%zu: %s", changes.count, changes.text[0]);
    limits[1] = limit_of(SCOPE_instrument, BTC, LIMIT_max_position, "5.4");
    struct whatif_report report = ask(&folder, limits, 2, &changes);
    /* b3 (3 + 2.5) is denied; a5 (4 + 1 + 1) too. With a4's fill lost, a4 would count as open and a5
     * be one order too many as well */
    cr_expect(report.denied_now == 2 && changes.count == 2, "%lu: %s, %s", report.denied_now,
              changes.text[0], changes.text[1]);
    cr_expect(strncmp(changes.text[0], "b3 allowed -> MAX_POSITION", 26) == 0, "%s",
              changes.text[0]);
    cr_expect(strncmp(changes.text[1], "a5 allowed -> MAX_POSITION", 26) == 0, "%s",
              changes.text[1]);
    cr_expect(report.left_out == 0, "%lu",
              report.left_out); /* all answers name orders of both worlds */
    folder_remove(&folder);
}

Test(whatif, a_random_play_differs_where_a_limit_is_lowered_and_nowhere_else)
{
    struct folder folder = folder_new();
    struct world world;
    struct changes changes;
    struct why why;
    world_open(&world, &folder, JOURNAL_NEVER);
    world.journal = start(&world.options);
    world_define(&world);
    world_play(&world, 3000);
    uint64_t decisions = 0;
    const struct engine_counts *counts = engine_counts(world.home.engine);
    cr_expect(counts->sent_new > 100 && counts->denied > 100);
    (void)world_close(&world);

    struct in_limit same[2] = {limit_of(SCOPE_instrument, BTC, LIMIT_max_order_qty, "5"),
                               limit_of(SCOPE_instrument, ETH, LIMIT_max_position, "40")};
    struct whatif_report report = ask(&folder, same, 2, &changes);
    cr_expect(changes.count == 0 && report.left_out == 0, "%s", changes.text[0]);
    decisions = report.decisions;

    struct in_limit small = limit_of(SCOPE_instrument, BTC, LIMIT_max_order_qty, "1");
    struct whatif lowered = {.limits = &small, .count = 1};
    cr_assert(journal_whatif(folder.path, &lowered, &report, &why) == WEIR_OK, "%s", why.text);
    cr_expect(report.decisions == decisions && report.denied_now > 10 && report.left_out > 10,
              "%lu %lu", report.denied_now, report.left_out);
    folder_remove(&folder);
}
