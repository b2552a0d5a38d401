/* index_test.c - index.db says what the journal says, and losing it loses nothing. */
#include "journal/index.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "journal/support_world.h"

static void path_of(const struct folder *folder, char path[600])
{
    snprintf(path, 600, "%s/index.db", folder->path);
}

static uint64_t update(struct index *index)
{
    struct why why;
    uint64_t records;
    enum weir_err err = index_update(index, &records, &why);
    cr_assert(err == WEIR_OK, "%s", why.text);
    return records;
}

static uint64_t build(const struct folder *folder)
{
    struct why why;
    struct index *index;
    enum weir_err err = index_open(folder->path, &index, &why);
    cr_assert(err == WEIR_OK, "%s", why.text);
    uint64_t records = update(index);
    index_close(index);
    return records;
}

static int64_t number(const struct folder *folder, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *one;
    char path[600];
    path_of(folder, path);
    cr_assert(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK);
    cr_assert(sqlite3_prepare_v2(db, sql, -1, &one, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
    cr_assert(sqlite3_step(one) == SQLITE_ROW, "%s: %s", sql, sqlite3_errmsg(db));
    int64_t value = sqlite3_column_int64(one, 0);
    sqlite3_finalize(one);
    sqlite3_close(db);
    return value;
}

/* All rows of all tables as text. */
static void dump(const struct folder *folder, struct text *out)
{
    static const char *const tables[] = {"definitions", "orders", "order_names", "executions",
                                         "decisions",   "alerts", "place"};
    sqlite3 *db;
    char path[600], sql[80];
    path_of(folder, path);
    text_init(out);
    cr_assert(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        sqlite3_stmt *each;
        snprintf(sql, sizeof sql, "SELECT * FROM %s", tables[i]);
        cr_assert(sqlite3_prepare_v2(db, sql, -1, &each, NULL) == SQLITE_OK, "%s",
                  sqlite3_errmsg(db));
        while (sqlite3_step(each) == SQLITE_ROW) {
            text_say(out, "%s", tables[i]);
            for (int c = 0; c < sqlite3_column_count(each); c++)
                text_say(out, "|%.*s", sqlite3_column_bytes(each, c),
                         sqlite3_column_blob(each, c) ? (const char *)sqlite3_column_text(each, c)
                                                      : "");
            text_say(out, "\n");
        }
        sqlite3_finalize(each);
    }
    sqlite3_close(db);
}

static void same_as_built_anew(const char *name, const struct folder *folder)
{
    struct text before, anew;
    char path[600];
    dump(folder, &before);
    path_of(folder, path);
    cr_assert(unlink(path) == 0);
    (void)build(folder);
    dump(folder, &anew);
    cr_expect(before.len == anew.len &&
                  memcmp(text_cstr(&before), text_cstr(&anew), before.len) == 0,
              "%s: another index than one built anew", name);
    text_fini(&before);
    text_fini(&anew);
}

static void begin(struct world *world, const struct folder *folder)
{
    world_open(world, folder, JOURNAL_GROUP);
    world->options.segment_bytes = 64 << 10;
    world->journal = start(&world->options);
    world_define(world);
}

Test(index, the_tables_hold_what_the_engine_counted)
{
    struct folder folder = folder_new();
    struct world world;
    begin(&world, &folder);
    world_play(&world, 1500);
    struct engine_counts counts = *engine_counts(world.home.engine);
    (void)world_close(&world);
    uint64_t records = build(&folder);
    cr_expect(records == read_all(&folder, NULL).extent.records, "%lu", records);
    static const char *const denied = "SELECT count(*) FROM decisions WHERE allowed = 0";
    cr_expect(number(&folder, denied) == (int64_t)counts.denied);
    cr_expect(number(&folder, "SELECT count(*) FROM decisions WHERE reason = 'MAX_ORDER_QTY'") ==
              (int64_t)counts.denied_by[CHECK_MAX_ORDER_QTY]);
    cr_expect(number(&folder, "SELECT count(*) FROM executions") == (int64_t)counts.executions);
    cr_expect(number(&folder, "SELECT count(*) FROM orders WHERE state = 'DENIED'") ==
              (int64_t)counts.denied);
    uint64_t alerts = 0;
    for (size_t i = 0; i < ALERT_COUNT; i++)
        alerts += counts.alerts[i];
    cr_expect(number(&folder, "SELECT count(*) FROM alerts") == (int64_t)alerts);
    cr_expect(number(&folder,
                     "SELECT count(*) FROM orders WHERE instrument NOT IN ('BTC-USDT', 'ETH-USDT')"
                     " OR strategy NOT IN ('two_sided_maker', 'twap') OR venue <> 'alpha'") == 0);
    /* exact: the sum of the executions in thousandths is the last position */
    cr_expect(
        number(
            &folder,
            "SELECT CAST(round(1000 * (SELECT position FROM executions WHERE instrument = "
            "'BTC-USDT'"
            " ORDER BY seq DESC LIMIT 1)) AS INTEGER) - CAST(round(1000 * sum(CASE side WHEN 'buy'"
            " THEN qty ELSE -qty END)) AS INTEGER) FROM executions WHERE instrument = "
            "'BTC-USDT'") == 0);
    cr_expect(number(&folder, "SELECT json_extract(readings, '$.readings[0].check') = 'KILL_SWITCH'"
                              " FROM decisions LIMIT 1") == 1);
    cr_expect(number(&folder,
                     "SELECT count(*) FROM orders JOIN order_names USING(order_no, created_ns)"
                     " WHERE name = 'c7' AND what = 'cid'") == 1);
    folder_remove(&folder);
}

Test(index, taken_in_piece_by_piece_it_is_the_same_as_built_at_once)
{
    struct folder folder = folder_new();
    struct world world;
    struct why why;
    struct index *index;
    begin(&world, &folder);
    cr_assert(index_open(folder.path, &index, &why) == WEIR_OK, "%s", why.text);
    uint64_t records = 0;
    for (int i = 0; i < 40; i++) {
        world_play(&world, 30);
        records += update(index);
        cr_expect(update(index) == 0);
        if (i % 10 == 9) { /* the indexer was restarted too */
            index_close(index);
            cr_assert(index_open(folder.path, &index, &why) == WEIR_OK, "%s", why.text);
        }
    }
    index_close(index);
    cr_expect(records == read_all(&folder, NULL).extent.records, "%lu", records);
    same_as_built_anew("pieces", &folder);
    (void)world_close(&world);
    folder_remove(&folder);
}

Test(index, whatever_is_wrong_with_it_it_is_built_again)
{
    enum {
        LOST,
        GARBAGE,
        FLIPPED,
        EMPTY,
        OTHER_VERSION,
        OTHER_JOURNAL,
        OTHER_TABLES,
        AHEAD,
        NOWHERE,
        WAYS
    };
    struct folder folder = folder_new(), other = folder_new();
    struct world world;
    char path[600];
    begin(&world, &other);
    world_play(&world, 50);
    (void)world_close(&world);
    (void)build(&other);
    begin(&world, &folder);
    world_play(&world, 300);
    (void)world_close(&world);
    uint64_t records = build(&folder);
    path_of(&folder, path);
    for (int way = 0; way < WAYS; way++) {
        sqlite3 *db = NULL;
        const char *sql = NULL;
        struct bytes bytes = file_read(&folder, "index.db");
        switch (way) {
        case LOST: unlink(path); break;
        case GARBAGE:
            file_write(&folder, "index.db", (const unsigned char *)"this is not a database at all",
                       29);
            break;
        case FLIPPED:
            for (size_t at = 0; at < bytes.len; at += 97)
                bytes.data[at] ^= 0x55;
            file_write(&folder, "index.db", bytes.data, bytes.len);
            break;
        case EMPTY: file_write(&folder, "index.db", NULL, 0); break;
        case OTHER_VERSION: sql = "PRAGMA user_version=99"; break;
        case OTHER_JOURNAL: {
            struct bytes foreign = file_read(&other, "index.db");
            file_write(&folder, "index.db", foreign.data, foreign.len);
            free(foreign.data);
            break;
        }
        case OTHER_TABLES: sql = "DROP TABLE alerts; PRAGMA user_version=0"; break;
        case AHEAD: sql = "UPDATE place SET offset = offset + 8"; break;
        default: sql = "UPDATE place SET segment = 77"; break;
        }
        if (sql) {
            cr_assert(sqlite3_open(path, &db) == SQLITE_OK);
            cr_assert(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s",
                      sqlite3_errmsg(db));
            sqlite3_close(db);
        }
        free(bytes.data);
        uint64_t again = build(&folder);
        cr_expect(again == (way == AHEAD ? 0 : records) || again == records, "way %d: %lu of %lu",
                  way, again, records);
        if (way != AHEAD)
            same_as_built_anew("again", &folder);
        (void)unlink(path);
        (void)build(&folder);
    }
    folder_remove(&folder);
    folder_remove(&other);
}

/* What a power loss takes from the journal may have been indexed already. */
Test(index, records_that_a_journal_lost_leave_the_index_too)
{
    struct folder folder = folder_new(), saved = folder_new();
    struct world world;
    char path[600];
    world_open(&world, &folder, JOURNAL_NEVER);
    world.journal = start(&world.options);
    world_define(&world);
    world_play(&world, 100);
    world_kill(&world);
    folder_copy(&folder, &saved);
    struct journal *journal = start(&world.options); /* goes on: more records, indexed */
    append_samples(journal, 0, 40);
    journal_abandon(journal);
    (void)build(&folder);
    for (uint32_t lost = 2; lost <= 3; lost++) { /* and lost again, with the one made ahead */
        file_name(&folder, lost, path, sizeof path);
        (void)unlink(path);
    }
    struct bytes bytes = file_read(&saved, "00000001.weir");
    file_write(&folder, "00000001.weir", bytes.data, bytes.len);
    free(bytes.data);
    uint64_t records = build(&folder);
    cr_expect(records == read_all(&folder, NULL).extent.records, "%lu", records);
    same_as_built_anew("after a loss", &folder);
    folder_remove(&folder);
    folder_remove(&saved);
}

Test(index, beside_a_running_host_it_follows_and_takes_the_rest_at_the_end)
{
    struct folder folder = folder_new();
    struct world world;
    struct why why;
    struct indexer *indexer;
    begin(&world, &folder);
    cr_assert(indexer_start(folder.path, 0, &indexer, &why) == WEIR_OK, "%s", why.text);
    world_play(&world, 500);
    bool followed = false;
    for (int i = 0; i < 200 && !followed; i++) {
        usleep(20000);
        followed = number(&folder, "SELECT count(*) FROM decisions") > 0;
    }
    cr_expect(followed);
    world_play(&world, 500);
    uint64_t denied = engine_counts(world.home.engine)->denied;
    (void)world_close(&world);
    indexer_stop(indexer);
    cr_expect(number(&folder, "SELECT count(*) FROM decisions WHERE allowed = 0") ==
              (int64_t)denied);
    same_as_built_anew("followed", &folder);
    folder_remove(&folder);

    cr_expect(index_open(folder.path, (struct index **)&indexer, &why) != WEIR_OK, "no folder");
    cr_expect(strstr(why.text, "indexing "), "%s", why.text);
}

/* Below its floor the index does not grow, and says so once; what it lacks comes when there is room. */
Test(index, without_room_on_the_disk_it_waits_and_the_journal_goes_on)
{
    struct folder folder = folder_new();
    struct indexer *indexer;
    struct world world;
    struct why why;
    struct index *index;
    char said[2000];
    uint64_t records;
    FILE *log = tmpfile();
    log_to(log, false, LOG_INFO);
    world_open(&world, &folder, JOURNAL_GROUP);
    world.journal = start(&world.options);
    world_define(&world);
    cr_assert(indexer_start(folder.path, UINT64_MAX, &indexer, &why) == WEIR_OK, "%s", why.text);
    world_play(&world, 300);
    usleep(300000);
    (void)world_close(&world);
    indexer_stop(indexer);
    fflush(log);
    rewind(log);
    said[fread(said, 1, sizeof said - 1, log)] = '\0';
    log_to(stderr, false, LOG_INFO);
    fclose(log);
    cr_expect(strstr(said, "index.db waits: ") && strstr(said, "the journal comes first"), "%s",
              said);
    cr_assert(index_open(folder.path, &index, &why) == WEIR_OK, "%s", why.text);
    cr_assert(index_update(index, &records, &why) == WEIR_OK, "%s", why.text);
    cr_expect(records > 300, "all of it was left: %lu", records);
    index_close(index);
    folder_remove(&folder);
}
