/* replay_test.c - the same inputs give the same effects, and a restart loses none of either. */
#include "journal/replay.h"

#include <stdlib.h>
#include <string.h>

#include "journal/support_world.h"

static void begin(struct world *world, const struct folder *folder, enum journal_sync sync)
{
    world_open(world, folder, sync);
    world->journal = start(&world->options);
    world_define(world);
}

static struct replay_report verify(const struct folder *folder)
{
    struct why why;
    struct replay_report report;
    replay_report_init(&report);
    enum weir_err err = journal_replay(folder->path, true, &report, &why);
    cr_assert(err == WEIR_OK, "%s", why.text);
    return report;
}

Test(replay, a_journal_gives_the_same_effects_again)
{
    struct folder folder = folder_new();
    struct world world;
    begin(&world, &folder, JOURNAL_GROUP);
    world_play(&world, 3000);
    cr_expect(engine_counts(world.home.engine)->executions > 100, "the play is dull");
    struct journal_summary summary = world_close(&world);
    struct replay_report report = verify(&folder);
    cr_expect(!report.different && report.missing == 0, "at %lu:\n%s\n%s", report.at,
              text_cstr(&report.recorded), text_cstr(&report.again));
    cr_expect(report.extent.closed && report.replayed == summary.inputs &&
              report.extent.effects == summary.effects);
    cr_expect(memcmp(report.extent.hash, summary.hash, sizeof summary.hash) == 0);
    replay_report_fini(&report);
    folder_remove(&folder);
}

Test(replay, two_plays_with_the_same_seed_have_one_hash)
{
    struct journal_summary summaries[2];
    for (int i = 0; i < 2; i++) {
        struct folder folder = folder_new();
        struct world world;
        begin(&world, &folder, i ? JOURNAL_NEVER : JOURNAL_GROUP);
        struct side_timing timing = {.msg = {.size = sizeof timing, .kind = SIDE_TIMING},
                                     .after_ns = 11000 + i};
        for (int k = 0; k < 500; k++) {
            world_play(&world, 1);
            if (i == 1) /* measured times are not part of it, however many */
                cr_assert(journal_append(world.journal, JOURNAL_SIDE, &timing.msg) != 0);
        }
        summaries[i] = world_close(&world);
        folder_remove(&folder);
    }
    cr_expect(summaries[0].seq == summaries[1].seq);
    cr_expect(memcmp(summaries[0].hash, summaries[1].hash, sizeof summaries[0].hash) == 0);
}

/* What another engine would have written: one effect changed, left out, or too many. */
Test(replay, the_first_difference_is_shown_in_both_renderings)
{
    enum { CHANGED, LEFT_OUT, INVENTED, AT_THE_END, WAYS };
    static const char *const shows[WAYS][2] = {
        [CHANGED] = {"px=30001", "px=30000"},
        [LEFT_OUT] = {"order", "send_new alpha BTC-USDT"},
        [INVENTED] = {"alert=ANOMALY", ""},
        [AT_THE_END] = {"", "order alpha BTC-USDT"},
    };
    for (int way = 0; way < WAYS; way++) {
        struct folder source = folder_new(), folder = folder_new();
        struct world world;
        struct why why;
        begin(&world, &source, JOURNAL_NEVER);
        (void)world_top(&world, BTC, 3000000, 3000100, 1);
        (void)world_submit(&world, "a1", MAKER, BTC, WEIR_BUY, 3000000, 1000, 1);
        if (way != AT_THE_END) {
            struct weir_msg tick = {.size = sizeof tick, .kind = IN_TICK};
            (void)world_input(&world, &tick);
        }
        (void)world_close(&world);

        struct journal_options options = options_of(&folder, 256 << 10, JOURNAL_NEVER);
        options.sizes = world_sizes();
        struct journal *journal = start(&options);
        struct reader *reader;
        struct journal_record record;
        cr_assert(reader_open(source.path, NULL, &reader, &why) == WEIR_OK);
        while (reader_next(reader, &record, &why) == WEIR_OK) {
            static _Alignas(8) unsigned char copy[1 << 16];
            struct weir_msg *msg = (struct weir_msg *)(void *)copy;
            memcpy(copy, record.msg, record.msg->size);
            if (record.class == JOURNAL_META)
                continue;
            if (way == CHANGED && msg->kind == OUT_ORDER)
                ((struct out_order *)(void *)msg)->px = 3000100;
            if (way == LEFT_OUT && msg->kind == WEIR_NEW)
                continue;
            if (way == AT_THE_END && msg->kind == OUT_ORDER)
                continue;
            cr_assert(journal_append(journal, record.class, msg) != 0);
            if (way == INVENTED && msg->kind == WEIR_TOP) {
                struct out_alert alert = {.msg = {.size = sizeof alert, .kind = OUT_ALERT},
                                          .alert = ALERT_ANOMALY};
                cr_assert(journal_append(journal, JOURNAL_EFFECT, &alert.msg) != 0);
            }
        }
        reader_close(reader);
        (void)finish(journal);

        struct replay_report report;
        replay_report_init(&report);
        enum weir_err err = journal_replay(folder.path, true, &report, &why);
        cr_expect(err == WEIR_OK && report.different && report.at > 1, "way %d", way);
        const char *recorded = text_cstr(&report.recorded), *again = text_cstr(&report.again);
        cr_expect(strstr(recorded, shows[way][0]), "way %d: %s", way, recorded);
        cr_expect(strstr(again, shows[way][1]), "way %d: %s", way, again);
        cr_expect((way == INVENTED) == (again[0] == '\0'), "way %d: %s", way, again);
        cr_expect((way == AT_THE_END) == (recorded[0] == '\0'), "way %d: %s", way, recorded);
        replay_report_fini(&report);
        replay_report_init(&report);
        cr_expect(journal_replay(folder.path, false, &report, &why) == WEIR_OK &&
                  !report.different);
        replay_report_fini(&report);
        folder_remove(&source);
        folder_remove(&folder);
    }
}

/* --- restart ----------------------------------------------------------------------------------- */

static void restart(struct world *world)
{
    struct why why;
    struct journal_extent extent;
    struct engine_sizes sizes = world_sizes();
    cr_assert(engine_home_init(&world->home, &sizes, &why) == WEIR_OK);
    enum weir_err err =
        journal_restart(&world->options, world->home.engine, &world->journal, &extent, &why);
    cr_assert(err == WEIR_OK, "%s", why.text);
    world->dead = false;
    world->stop_after = 0;
    struct weir_msg restarted = {.size = sizeof restarted, .kind = IN_RESTARTED};
    (void)world_input(world, &restarted);
    struct weir_session up = {.msg = {.size = sizeof up,
                                      .kind = WEIR_SESSION,
                                      .flags = WEIR_STREAM_UP,
                                      .venue = 1,
                                      .account = 1}};
    (void)world_input(world, &up);
    struct weir_msg first = {
        .size = sizeof first, .kind = WEIR_RECON_BEGIN, .venue = 1, .account = 1};
    struct weir_msg last = {.size = sizeof last, .kind = WEIR_RECON_END, .venue = 1, .account = 1};
    (void)world_input(world, &first);
    (void)world_input(world, &last);
}

/* Dead after the n-th record of the play, for each n: between an input and its effects too. */
Test(replay, a_host_killed_after_any_record_goes_on_with_a_whole_journal)
{
    uint64_t cut_short = 0;
    for (uint64_t n = 1; n < 120; n++) {
        struct folder folder = folder_new();
        struct world world;
        begin(&world, &folder, JOURNAL_NEVER);
        world.stop_after = n;
        world_play(&world, 1000);
        cr_assert(world.dead);
        world_kill(&world);

        struct replay_report report = verify(&folder);
        cr_assert(!report.different, "%lu: at %lu", n, report.at);
        cut_short += report.missing > 0;
        uint64_t missing = report.missing, seq = report.extent.end.seq;
        replay_report_fini(&report);

        restart(&world);
        cr_assert(world.input > seq + missing, "%lu", n);
        world_play(&world, 20);
        (void)world_close(&world);
        report = verify(&folder);
        cr_assert(!report.different && report.missing == 0, "%lu: at %lu:\n%s\n%s", n, report.at,
                  text_cstr(&report.recorded), text_cstr(&report.again));
        replay_report_fini(&report);
        folder_remove(&folder);
    }
    cr_expect(cut_short > 30, "%lu", cut_short);
}

Test(replay, a_journal_of_another_engine_size_or_build_is_refused)
{
    struct folder folder = folder_new();
    struct world world;
    struct why why;
    struct journal *journal;
    struct journal_extent extent;
    struct engine_sizes sizes;
    cr_expect(journal_sizes(folder.path, &sizes, &why) == WEIR_E_NOT_FOUND);
    begin(&world, &folder, JOURNAL_NEVER);
    (void)world_close(&world);
    cr_expect(journal_sizes(folder.path, &sizes, &why) == WEIR_OK && sizes.orders == 5000);

    struct engine_home home;
    cr_assert(engine_home_init(&home, &sizes, &why) == WEIR_OK);
    world.options.sizes.orders = 6000;
    cr_expect(journal_restart(&world.options, home.engine, &journal, &extent, &why) ==
              WEIR_E_BAD_CONFIG);
    cr_expect(strstr(why.text, "5000 orders"), "%s", why.text);
    engine_home_fini(&home);

    struct folder other = folder_new(); /* a journal whose messages were laid out otherwise */
    struct bytes bytes = file_read(&folder, "00000001.weir");
    struct segment_head *head = (struct segment_head *)(void *)bytes.data;
    struct record_head *record = (struct record_head *)(void *)(bytes.data + SEGMENT_HEAD);
    struct meta_begin *meta = (struct meta_begin *)(void *)(record + 1);
    meta->layout ^= 1;
    record->word = (uint64_t)record_crc(record, sizeof *meta, head->id.crc) << 32 | sizeof *meta;
    file_write(&other, "00000001.weir", bytes.data, bytes.len);
    free(bytes.data);
    struct replay_report report;
    replay_report_init(&report);
    cr_expect(journal_replay(other.path, true, &report, &why) == WEIR_E_ABI);
    cr_expect(strstr(why.text, "read it with that build"), "%s", why.text);
    replay_report_fini(&report);
    folder_remove(&folder);
    folder_remove(&other);
}
