/* venue_fixtures_test.c - recorded streams of single instruments, with the state that others found after
 * them: best ten levels, last numbers, checksums, trades. They are not in the tree. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/decimal.h"
#include "base/json.h"
#include "sim/recording.h"
#include "venue/venue.h"

static const struct folder {
    const char *name, *plugin, *market;
} folders[] = {
    {"okx/v5_books_checksum_2022", "okx", "v5"},
    {"kraken/spot_v1_book1000_2021", "kraken", "spot"},
    {"bybit/v5_orderbook500_2024", "bybit", "linear"},
    {"coinbase/exchange_level2_2021", "coinbase", "exchange"},
    {"deribit/raw_2021", "deribit", "v2"},
    {"binance/spot_2021", "binance", "spot"},
    {"binance/usdm_2021", "binance", "usdm"},
};

static const char *shared(const char *path)
{
    static char whole[4][1024];
    static unsigned next;
    char *at = whole[next++ % 4];
    const char *folder = getenv("WEIR_SHARED");
    (void)snprintf(at, sizeof whole[0], "%s/fixtures/ws/%s",
                   folder ? folder : SOURCE_DIR "/../shared", path);
    return at;
}

/* --- a session ----------------------------------------------------------------------------------*/

struct ear {
    struct session *session;
    struct weir_instrument is;
    uint64_t trades;
    uint32_t instruments;
};

static void on_event(void *context, struct session *session, const struct weir_msg *event)
{
    struct ear *ear = context;
    (void)session;
    ear->trades += event->kind == WEIR_TRADE && !(event->flags & WEIR_TRADE_OFF_BOOK);
}

static uint32_t on_instrument(void *context, struct session *session,
                              const struct weir_instrument *instrument)
{
    struct ear *ear = context;
    (void)session;
    ear->is = *instrument;
    return ++ear->instruments;
}

static void ear_open(struct ear *ear, const char *plugin_name, const char *market)
{
    char path[512];
    struct plugin *plugin;
    struct why why;
    struct weir_setting settings[] = {{"market", market}, {NULL, NULL}};
    struct session_config config = {.name = "fixture",
                                    .venue = 1,
                                    .account = 1,
                                    .settings = settings,
                                    .data_age_max = INT64_MAX};
    struct session_owner owner = {ear, .event = on_event, .instrument = on_instrument};
    *ear = (struct ear){0};
    (void)snprintf(path, sizeof path, BUILD_DIR "/plugins/%s.so", plugin_name);
    cr_assert_eq(plugin_load(path, &plugin, &why), WEIR_OK, "%s", why.text);
    ear->session = session_create(plugin, &config, &owner, &why);
    cr_assert_not_null(ear->session, "%s", why.text);
}

static void play(struct ear *ear, const char *path)
{
    struct why why;
    struct record record;
    struct recording *recording = recording_open(path, &why);
    cr_assert_not_null(recording, "%s", why.text);
    for (;;) {
        cr_assert_eq(recording_next(recording, &record, &why), WEIR_OK, "%s", why.text);
        if (record.kind == RECORD_END)
            break;
        enum weir_err err = WEIR_OK;
        if (record.kind == RECORD_FRAME)
            err = session_frame(ear->session, 1, record.t, record.bytes);
        else if (record.kind == RECORD_HTTP)
            err = session_recorded(ear->session, record.t, record.target, record.bytes);
        cr_assert_eq(err, WEIR_OK, "%s line %zu: %d", path, (size_t)record.line, (int)err);
    }
    recording_close(recording);
}

/* --- comparing ----------------------------------------------------------------------------------*/

/* A number that stands as a text or as a number, as a count of 10^-exp. */
static int64_t value_of(const cJSON *item, int exp)
{
    int64_t value = -1;
    char text[64];
    if (cJSON_IsString(item))
        (void)snprintf(text, sizeof text, "%s", item->valuestring);
    else
        (void)snprintf(text, sizeof text, "%.8f", item->valuedouble);
    cr_assert_eq(decimal_parse(text, strlen(text), exp, &value), WEIR_OK, "%s", text);
    return value;
}

static unsigned check_side(const struct ear *ear, const cJSON *levels, enum weir_side side,
                           const char *name)
{
    const struct book *book = session_book(ear->session, 1);
    struct weir_level level;
    unsigned count = 0;
    const cJSON *row;
    bool more = book && book_best(book, side, &level);
    cJSON_ArrayForEach(row, levels)
    {
        cr_assert(more, "%s: level %u is missing", name, count);
        cr_expect_eq(level.px, value_of(cJSON_GetArrayItem(row, 0), ear->is.price_exp),
                     "%s: price %u", name, count);
        cr_expect_eq(level.qty, value_of(cJSON_GetArrayItem(row, 1), ear->is.qty_exp),
                     "%s: size %u", name, count);
        more = book_next(book, side, level.px, &level);
        count++;
    }
    return 2 * count;
}

/* Counters under the names that the fixtures use; those of the recorder's own (events) are not ours. */
static unsigned check_counts(const struct ear *ear, const cJSON *wanted, const char *name)
{
    struct feed_counts counts = {0};
    (void)session_feed_counts(ear->session, 1, &counts);
    const struct {
        const char *key;
        uint64_t found;
    } facts[] = {{"checksums_ok", counts.checks_ok},
                 {"checksums_bad", counts.checks - counts.checks_ok},
                 {"gaps", counts.gaps},
                 {"trades", ear->trades},
                 {"matches", ear->trades + 1}, /* with `last_match`, of before */
                 {"l2updates", counts.applied},
                 {"applied", counts.applied},
                 {"ignored_before_snapshot", counts.dropped_old},
                 {"frames", counts.messages},
                 {"last_u", counts.last_seq},
                 {"last_update_id", counts.last_seq},
                 {"last_change_id", counts.last_seq},
                 {"book_events", counts.messages}};
    unsigned compared = 0;
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        const cJSON *item = json_get(wanted, facts[i].key);
        if (!item)
            continue;
        cr_expect_eq((double)facts[i].found, item->valuedouble, "%s: %s is %zu, expected %f", name,
                     facts[i].key, (size_t)facts[i].found, item->valuedouble);
        compared++;
    }
    return compared;
}

Test(venue_fixtures, recorded_streams_end_as_others_found)
{
    struct why why;
    unsigned compared = 0, streams = 0;
    if (access(shared("okx"), R_OK) != 0)
        cr_skip_test("needs the shared folder");
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char path[256];
        const cJSON *stream;
        (void)snprintf(path, sizeof path, "%s/_expected.json", folders[i].name);
        cJSON *expected = json_read_file(shared(path), &why);
        cr_assert_not_null(expected, "%s", why.text);
        cJSON_ArrayForEach(stream, expected)
        {
            struct ear ear;
            const cJSON *final = json_get(stream, "final");
            (void)snprintf(path, sizeof path, "%s/%s", folders[i].name, stream->string);
            ear_open(&ear, folders[i].plugin, folders[i].market);
            play(&ear, shared(path));
            compared += check_counts(&ear, stream, path);
            compared += check_side(&ear, json_get(final, "bids"), WEIR_BUY, path);
            compared += check_side(&ear, json_get(final, "asks"), WEIR_SELL, path);
            session_destroy(ear.session);
            streams++;
        }
        cJSON_Delete(expected);
    }
    printf("venue_fixtures: %u streams, %u facts compared\n", streams, compared);
    cr_expect(streams > 25 && compared > 900, "%u streams, %u facts", streams, compared);
}

/* Version 2: each sum is of numbers whose places the `instrument` channel tells. */
Test(venue_fixtures, checksums_of_json_numbers)
{
    struct why why;
    struct ear ear;
    struct feed_counts counts;
    char rules[400];
    const cJSON *frame;
    if (access(shared("kraken"), R_OK) != 0)
        cr_skip_test("needs the shared folder");
    cJSON *file = json_read_file(shared("kraken/spot_v2_book10_2026/BTC_USD.json"), &why);
    cr_assert_not_null(file, "%s", why.text);
    ear_open(&ear, "kraken", "spot");
    (void)snprintf(
        rules, sizeof rules,
        "{\"channel\":\"instrument\",\"type\":\"snapshot\",\"data\":{\"pairs\":[{"
        "\"symbol\":\"BTC/USD\",\"base\":\"BTC\",\"quote\":\"USD\",\"status\":\"online\","
        "\"price_precision\":%d,\"qty_precision\":%d,\"price_increment\":0.1,"
        "\"qty_increment\":1e-8}]}}",
        json_get(file, "price_decimals")->valueint, json_get(file, "qty_decimals")->valueint);
    cr_assert_eq(session_frame(ear.session, 1, 1, (struct weir_bytes){rules, strlen(rules)}),
                 WEIR_OK);
    unsigned frames = 0;
    cJSON_ArrayForEach(frame, json_get(file, "frames"))
    {
        char *text = cJSON_PrintUnformatted(frame);
        cr_assert_eq(session_frame(ear.session, 1, 2, (struct weir_bytes){text, strlen(text)}),
                     WEIR_OK, "%s", text);
        free(text);
        frames++;
    }
    cr_assert(session_feed_counts(ear.session, 1, &counts));
    cr_expect(counts.checks == frames && counts.checks_ok == frames && frames > 8,
              "%zu of %zu in %u frames", (size_t)counts.checks_ok, (size_t)counts.checks, frames);
    cr_expect_eq(session_book_state(ear.session, 1), BOOK_LIVE);
    cr_expect_eq(book_levels(session_book(ear.session, 1), WEIR_BUY), 10);
    session_destroy(ear.session);
    cJSON_Delete(file);
}
