/* rebuild_test.c - recordings that were damaged after they were made: whatever happened to them, a
 * book that says LIVE is the venue's book at its sequence. */
#include <criterion/criterion.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "sim/rebuild.h"
#include "sim/support_recorded.h"
#include "support/random.h"
#include "venue/venue.h"

TestSuite(rebuild, .fini = temp_remove);

#define PLUGIN BUILD_DIR "/plugins/binance.so"

/* --- a session that is watched ----------------------------------------------------------------- */

struct watch {
    const struct made *made;
    struct session *session;
    uint32_t number; /* of the market's own symbol */
    uint32_t instruments;
    uint64_t live_checks, wrong;
};

static void on_event(void *context, struct session *session, const struct weir_msg *event)
{
    (void)context, (void)session, (void)event;
}

static uint32_t on_instrument(void *context, struct session *session,
                              const struct weir_instrument *instrument)
{
    struct watch *watch = context;
    (void)session;
    watch->instruments++;
    if (strcmp(instrument->symbol, watch->made->symbol) == 0)
        watch->number = watch->instruments;
    return watch->instruments;
}

static void watch_open(struct watch *watch, struct plugin *plugin, const struct made *made)
{
    struct why why;
    struct weir_setting settings[] = {{"market", made->futures ? "usdm" : "spot"}, {NULL, NULL}};
    struct session_config config = {
        .name = "made", .venue = 1, .account = 1, .settings = settings, .data_age_max = INT64_MAX};
    struct session_owner owner = {watch, .event = on_event, .instrument = on_instrument};
    *watch = (struct watch){.made = made};
    watch->session = session_create(plugin, &config, &owner, &why);
    cr_assert_not_null(watch->session, "%s", why.text);
}

/* Is the book what it says it is? */
static void look(struct watch *watch)
{
    struct feed_counts counts;
    uint64_t truth;
    if (watch->number == 0 || session_book_state(watch->session, watch->number) != BOOK_LIVE ||
        !session_feed_counts(watch->session, watch->number, &counts))
        return;
    watch->live_checks++;
    if (!made_truth(watch->made, counts.last_seq, &truth) ||
        book_print(session_book(watch->session, watch->number)) != truth)
        watch->wrong++;
}

/* Give it the lines, looking at the book after each. */
static void watch_lines(struct watch *watch, char *const *lines, int count)
{
    weir_ns t = 1;
    for (int i = 0; i < count; i++) {
        const char *space = strchr(lines[i], ' ');
        if (!space)
            continue;
        size_t len = strlen(space + 1);
        char *exact = malloc(len > 0 ? len : 1);
        memcpy(exact, space + 1, len);
        (void)!session_frame(watch->session, 1, t++, (struct weir_bytes){exact, len});
        free(exact);
        look(watch);
    }
}

static struct plugin *load(void)
{
    struct plugin *plugin;
    struct why why;
    cr_assert_eq(plugin_load(PLUGIN, &plugin, &why), WEIR_OK, "%s", why.text);
    return plugin;
}

Test(rebuild, undamaged_the_book_is_live_and_right_to_the_end)
{
    struct plugin *plugin = load();
    for (int futures = 0; futures < 2; futures++) {
        struct made made;
        struct watch watch;
        uint64_t truth;
        struct feed_counts counts;
        made_init(&made, "BTCUSDT", futures, 11, 200);
        watch_open(&watch, plugin, &made);
        watch_lines(&watch, made.lines, made.line_count);
        cr_expect_eq(watch.wrong, 0);
        cr_expect_gt(watch.live_checks, 190);
        cr_assert(session_feed_counts(watch.session, watch.number, &counts));
        cr_expect_eq(counts.gaps + counts.crossed + counts.errors, 0);
        cr_expect_eq(counts.last_seq, made.id);
        cr_expect(made_truth(&made, made.id, &truth));
        session_destroy(watch.session);
        made_fini(&made);
    }
}

/* --- damage ------------------------------------------------------------------------------------ */

struct damaged {
    char *lines[MADE_LINES_MAX + 8];
    int count;
};

static void drop(struct damaged *d, int at)
{
    free(d->lines[at]);
    memmove(&d->lines[at], &d->lines[at + 1], (size_t)(d->count - at - 1) * sizeof(char *));
    d->count--;
}

static void repeat(struct damaged *d, int at, int later)
{
    int to = at + 1 + later < d->count ? at + 1 + later : d->count;
    memmove(&d->lines[to + 1], &d->lines[to], (size_t)(d->count - to) * sizeof(char *));
    d->lines[to] = strdup(d->lines[at]);
    d->count++;
}

static void swap(struct damaged *d, int at, int with)
{
    char *line = d->lines[at];
    d->lines[at] = d->lines[with];
    d->lines[with] = line;
}

static void cut(struct damaged *d, int at, uint64_t *random)
{
    d->lines[at][random_below(random, strlen(d->lines[at]) + 1)] = '\0';
}

/* A bit of a byte of the message that is no digit, and becomes none: what a digit was before it was
 * flipped nobody can know, here, since this venue sends no checksum. */
static void flip(struct damaged *d, int at, uint64_t *random)
{
    char *message = strchr(d->lines[at], ' ');
    for (int tries = 0; message && tries < 50; tries++) {
        char *byte = message + 1 + random_below(random, strlen(message));
        char flipped = (char)(*byte ^ 1 << random_below(random, 7));
        if (*byte != '\0' && flipped != '\0' && !isdigit((unsigned char)*byte) &&
            !isdigit((unsigned char)flipped)) {
            *byte = flipped;
            return;
        }
    }
}

static void damage(struct damaged *d, uint64_t *random)
{
    int faults = 1 + (int)random_below(random, 3);
    for (int i = 0; i < faults; i++) {
        int at = (int)random_below(random, (uint64_t)d->count);
        int with = (int)random_below(random, (uint64_t)d->count);
        switch (random_below(random, 6)) {
        case 0: drop(d, at); break;
        case 1: repeat(d, at, (int)random_below(random, 3)); break;
        case 2: swap(d, at, at + 1 < d->count ? at + 1 : at); break;
        case 3: swap(d, at, with); break;
        case 4: cut(d, at, random); break;
        default: flip(d, at, random);
        }
    }
}

Test(rebuild, no_damage_leaves_a_wrong_book_live)
{
    enum { TRIALS = 600 };
    struct plugin *plugin = load();
    uint64_t random = 77, live = 0, lost = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        struct made made;
        struct watch watch;
        struct damaged damaged = {.count = 0};
        uint64_t seed = random_next(&random);
        made_init(&made, "BTCUSDT", trial & 1, seed, 40);
        for (; damaged.count < made.line_count; damaged.count++)
            damaged.lines[damaged.count] = strdup(made.lines[damaged.count]);
        damage(&damaged, &random);
        watch_open(&watch, plugin, &made);
        watch_lines(&watch, damaged.lines, damaged.count);
        cr_expect_eq(watch.wrong, 0, "trial %d: a wrong book was LIVE %zu times", trial,
                     (size_t)watch.wrong);
        live += watch.live_checks;
        lost += session_book_state(watch.session, watch.number) != BOOK_LIVE;
        session_destroy(watch.session);
        for (int i = 0; i < damaged.count; i++)
            free(damaged.lines[i]);
        made_fini(&made);
    }
    cr_expect_gt(live, TRIALS * 20, "books were checked");
    cr_expect(lost > TRIALS / 10 && lost < TRIALS, "%zu of %d were lost at the end", (size_t)lost,
              TRIALS);
}

/* --- the whole way ----------------------------------------------------------------------------- */

static enum weir_err rebuild(const char *path, struct text *json, struct rebuild_totals *totals,
                             struct why *why)
{
    struct rebuild_options options = {.plugin = PLUGIN, .paths = &path, .path_count = 1};
    text_init(json);
    return rebuild_run(&options, json, NULL, totals, why);
}

Test(rebuild, a_damaged_file_gives_an_error_and_no_result)
{
    struct made made;
    struct why why;
    struct text json;
    struct rebuild_totals totals;
    size_t len, packed_len;
    const char *path = temp_path("made");
    made_init(&made, "ETHUSDT", false, 3, 100);
    char *text = join_lines(made.lines, made.line_count, &len);
    unsigned char *packed = pack(PACK_GZIP, text, len, &packed_len);

    temp_write(path, packed, packed_len);
    cr_expect_eq(rebuild(path, &json, &totals, &why), WEIR_OK, "%s", why.text);
    cr_expect(strstr(text_cstr(&json), "\"spot/ETHUSDT\":{\"diffs_applied\":"));
    cr_expect(strstr(text_cstr(&json), "\"state\":\"LIVE\""));
    cr_expect_eq(totals.messages, (uint64_t)made.line_count);
    text_fini(&json);

    temp_write(path, packed, packed_len / 2);
    cr_expect_eq(rebuild(path, &json, &totals, &why), WEIR_E_CORRUPT);
    cr_expect(strstr(why.text, "in the middle of its gzip data") && strstr(why.text, path), "%s",
              why.text);
    cr_expect_eq(json.len, 0);
    text_fini(&json);

    char *cut = strstr(text + len / 2, "\n") - 9; /* the end of a message in the middle */
    memmove(cut, cut + 9, strlen(cut + 9) + 1);
    temp_write(path, text, len - 9);
    cr_expect_eq(rebuild(path, &json, &totals, &why), WEIR_OK, "%s", why.text);
    cr_expect_eq(totals.refused, 1);
    cr_expect(strstr(text_cstr(&json), "\"state\":\"GAPPED\""), "a lost book does not say LIVE");
    text_fini(&json);

    static const char foreign[] = "1723161253938 {\"channel\":\"x\"}\n";
    temp_write(path, foreign, sizeof foreign - 1);
    cr_expect_eq(rebuild(path, &json, &totals, &why), WEIR_E_UNSUPPORTED);
    cr_expect(strstr(why.text, "no message in it is one that plugin binance knows"), "%s",
              why.text);
    text_fini(&json);
    free(packed);
    free(text);
    made_fini(&made);
}
