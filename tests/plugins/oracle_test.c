/* oracle_test.c - books out of a feed written in every way that JSON allows, against another program: cJSON
 * and a sorted list of levels, which know nothing of scanners and windows.
 *
 * The feed is Binance's of a USD-M market. Members stand in any order, between any white space, with others
 * that nobody knows; prices and sizes end in zeros or not; messages are lost, repeated, and snapshots come. After
 * each 256 messages the two books must be equal. WEIR_ORACLE_MESSAGES asks for more than 10,000 of them. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/json.h"
#include "base/text.h"
#include "support/random.h"
#include "venue/venue.h"

enum { TICKS = 400, EXP = 8, SIDES = 2, LEVELS_MAX = 2 * TICKS };

/* --- the feed ------------------------------------------------------------------------------------ */

struct feed_writer {
    uint64_t random;
    uint64_t u;                  /* of the last change */
    int64_t sizes[SIDES][TICKS]; /* in thousandths; the truth */
};

static uint64_t roll(struct feed_writer *w, uint64_t below)
{
    return random_below(&w->random, below);
}

static void space(struct feed_writer *w, struct text *out)
{
    static const char *const kinds[] = {"", "", "", " ", "\n", "\t  ", "\r\n"};
    text_say(out, "%s", kinds[roll(w, 7)]);
}

/* A number of `places` decimals as a text, with or without the zeros at its end. */
static void say_number(struct feed_writer *w, struct text *out, int64_t value, int places)
{
    char digits[DECIMAL_TEXT_MAX];
    (void)decimal_print(value, places, digits);
    bool point = strchr(digits, '.') != NULL;
    static const char *const zeros[] = {"", "0", "000"};
    text_say(out, "\"%s%s\"", digits, point ? zeros[roll(w, 3)] : roll(w, 3) ? "" : ".00");
}

static void say_side(struct feed_writer *w, struct text *out, int side, bool all)
{
    bool first = true;
    text_add(out, "[", 1);
    for (int i = 0; i < TICKS; i++) {
        bool changes = !all && roll(w, 40) == 0;
        if (changes)
            w->sizes[side][i] = roll(w, 3) ? 1 + (int64_t)roll(w, 1 << roll(w, 20)) : 0;
        if (!changes && !(all && w->sizes[side][i] > 0))
            continue;
        text_say(out, "%s", first ? "" : ",");
        first = false;
        space(w, out);
        int64_t px = side == 0 ? 500000 - i : 500001 + i; /* tenths */
        text_say(out, "[");
        say_number(w, out, px, 1);
        space(w, out);
        text_say(out, ",");
        say_number(w, out, w->sizes[side][i], 3);
        text_say(out, "]");
    }
    space(w, out);
    text_add(out, "]", 1);
}

/* Members in any order; each is written by its number. */
static void say_members(struct feed_writer *w, struct text *out, const char *const *names,
                        int count, void (*say)(struct feed_writer *, struct text *, const char *))
{
    static const char *const unknown[] = {"\"zz\":{\"a\":[1,{\"u\":5}],\"b\":\"]}\"}",
                                          "\"zx\":null", "\"zy\":[true,false,-1.5e-7]",
                                          "\"zq\":\"\\\"}\\\\\""};
    int order[16];
    for (int i = 0; i < count; i++) {
        int at = (int)roll(w, (uint64_t)i + 1);
        order[i] = order[at];
        order[at] = i;
    }
    text_add(out, "{", 1);
    for (int i = 0; i < count; i++) {
        text_say(out, "%s", i > 0 ? "," : "");
        space(w, out);
        if (roll(w, 12) == 0)
            text_say(out, "%s,", unknown[roll(w, 4)]);
        text_say(out, "\"%s\"", names[order[i]]);
        space(w, out);
        text_say(out, ":");
        space(w, out);
        say(w, out, names[order[i]]);
    }
    space(w, out);
    text_add(out, "}", 1);
}

static uint64_t from_u, previous_u;

static void say_member(struct feed_writer *w, struct text *out, const char *name)
{
    if (strcmp(name, "e") == 0)
        text_say(out, "\"depthUpdate\"");
    else if (strcmp(name, "s") == 0 || strcmp(name, "symbol") == 0)
        text_say(out, "\"BTCUSDT\"");
    else if (strcmp(name, "U") == 0)
        text_say(out, "%" PRIu64, from_u);
    else if (strcmp(name, "pu") == 0)
        text_say(out, "%" PRIu64, previous_u);
    else if (strcmp(name, "u") == 0 || strcmp(name, "lastUpdateId") == 0)
        text_say(out, "%" PRIu64, w->u);
    else if (strcmp(name, "b") == 0 || strcmp(name, "bids") == 0)
        say_side(w, out, 0, name[1] != '\0');
    else if (strcmp(name, "a") == 0 || strcmp(name, "asks") == 0)
        say_side(w, out, 1, name[1] != '\0');
    else
        text_say(out, "1700000000000");
}

static void say_snapshot(struct feed_writer *w, struct text *out)
{
    static const char *const names[] = {"lastUpdateId", "E", "T", "symbol", "bids", "asks"};
    say_members(w, out, names, 6, say_member);
}

static void say_stream(struct feed_writer *w, struct text *out, const char *name)
{
    static const char *const names[] = {"e", "E", "T", "s", "U", "u", "pu", "b", "a"};
    if (strcmp(name, "stream") == 0)
        text_say(out, "\"btcusdt@depth@0ms\"");
    else
        say_members(w, out, names, 9, say_member);
}

static void say_diff(struct feed_writer *w, struct text *out)
{
    static const char *const names[] = {"stream", "data"};
    previous_u = w->u;
    from_u = w->u + 1;
    w->u += 1 + roll(w, 50);
    say_members(w, out, names, 2, say_stream);
}

/* --- the other program --------------------------------------------------------------------------- */

struct oracle {
    uint64_t u; /* of the book; 0: it is not known */
    uint64_t snapshot_u;
    struct {
        int64_t px, qty;
    } levels[SIDES][LEVELS_MAX]; /* best first */
    int count[SIDES];
};

static int64_t number_in(const cJSON *item)
{
    int64_t value = 0;
    const char *text = cJSON_GetStringValue(item);
    cr_assert_eq(decimal_parse(text, strlen(text), EXP, &value), WEIR_OK, "%s", text);
    return value;
}

static void put(struct oracle *o, int side, int64_t px, int64_t qty)
{
    int at = 0;
    while (at < o->count[side] &&
           (side == 0 ? o->levels[side][at].px > px : o->levels[side][at].px < px))
        at++;
    bool there = at < o->count[side] && o->levels[side][at].px == px;
    if (qty == 0 && there) {
        memmove(&o->levels[side][at], &o->levels[side][at + 1],
                (size_t)(--o->count[side] - at) * sizeof o->levels[0][0]);
    } else if (qty > 0) {
        if (!there)
            memmove(&o->levels[side][at + 1], &o->levels[side][at],
                    (size_t)(o->count[side]++ - at) * sizeof o->levels[0][0]);
        o->levels[side][at].px = px;
        o->levels[side][at].qty = qty;
    }
}

static void put_all(struct oracle *o, const cJSON *bids, const cJSON *asks)
{
    const cJSON *row;
    cJSON_ArrayForEach(row, bids)
        put(o, 0, number_in(cJSON_GetArrayItem(row, 0)), number_in(cJSON_GetArrayItem(row, 1)));
    cJSON_ArrayForEach(row, asks)
        put(o, 1, number_in(cJSON_GetArrayItem(row, 0)), number_in(cJSON_GetArrayItem(row, 1)));
}

static uint64_t id_in(const cJSON *object, const char *name)
{
    return (uint64_t)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

static void oracle_take(struct oracle *o, struct weir_bytes text)
{
    cJSON *root = cJSON_ParseWithLength(text.data, text.len);
    cr_assert_not_null(root, "%.*s", (int)text.len, text.data);
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(root, "data");
    if (!data) {
        o->count[0] = o->count[1] = 0;
        o->u = o->snapshot_u = id_in(root, "lastUpdateId");
        put_all(o, cJSON_GetObjectItemCaseSensitive(root, "bids"),
                cJSON_GetObjectItemCaseSensitive(root, "asks"));
    } else if (o->u != 0) {
        uint64_t u = id_in(data, "u"), first = id_in(data, "U"), pu = id_in(data, "pu");
        bool bridges = o->u == o->snapshot_u && first <= o->u && u >= o->u;
        if (u < o->u || (u == o->u && !bridges)) {
            /* old */
        } else if (pu == o->u || bridges) {
            o->u = u;
            put_all(o, cJSON_GetObjectItemCaseSensitive(data, "b"),
                    cJSON_GetObjectItemCaseSensitive(data, "a"));
        } else {
            o->u = 0;
        }
    }
    cJSON_Delete(root);
}

/* --- both ----------------------------------------------------------------------------------------- */

static void on_event(void *context, struct session *session, const struct weir_msg *event)
{
    (void)context, (void)session, (void)event;
}

static uint32_t on_instrument(void *context, struct session *session,
                              const struct weir_instrument *instrument)
{
    (void)context, (void)session;
    cr_assert(instrument->price_exp == EXP && instrument->qty_exp == EXP);
    return 1;
}

static struct session *open_session(void)
{
    static struct plugin *plugin;
    struct why why;
    struct weir_setting settings[] = {{"market", "usdm"}, {NULL, NULL}};
    struct session_config config = {.name = "oracle",
                                    .venue = 1,
                                    .account = 1,
                                    .settings = settings,
                                    .book_window = 4096,
                                    .book_far = 4096,
                                    .data_age_max = INT64_MAX};
    struct session_owner owner = {.event = on_event, .instrument = on_instrument};
    cr_assert_eq(plugin_load(BUILD_DIR "/plugins/binance.so", &plugin, &why), WEIR_OK, "%s",
                 why.text);
    struct session *session = session_create(plugin, &config, &owner, &why);
    cr_assert_not_null(session, "%s", why.text);
    return session;
}

static void compare(const struct session *session, const struct oracle *o, uint64_t message)
{
    bool live = session_book_state(session, 1) == BOOK_LIVE;
    cr_assert_eq(live, o->u != 0, "after %" PRIu64 " messages: %s, the other program says %s",
                 message, live ? "LIVE" : "not LIVE", o->u ? "LIVE" : "not LIVE");
    if (!live)
        return;
    const struct book *book = session_book(session, 1);
    for (int side = 0; side < SIDES; side++) {
        struct weir_level level;
        int at = 0;
        bool more = book_best(book, (enum weir_side)side, &level);
        for (; more; more = book_next(book, (enum weir_side)side, level.px, &level), at++)
            cr_assert(at < o->count[side] && o->levels[side][at].px == level.px &&
                          o->levels[side][at].qty == level.qty,
                      "after %" PRIu64 " messages: level %d of side %d", message, at, side);
        cr_assert_eq(at, o->count[side], "after %" PRIu64 " messages: %d levels, not %d", message,
                     at, o->count[side]);
    }
}

static uint64_t messages_wanted(void)
{
    const char *text = getenv("WEIR_ORACLE_MESSAGES");
    int64_t count = 10000;
    if (text)
        cr_assert_eq(decimal_parse(text, strlen(text), 0, &count), WEIR_OK, "%s", text);
    return (uint64_t)count;
}

Test(oracle, books_are_those_of_another_program)
{
    struct feed_writer writer = {.random = 20241108, .u = 1000};
    struct oracle *oracle = calloc(1, sizeof *oracle);
    struct session *session = open_session();
    struct text text;
    uint64_t live = 0, lost = 0, count = messages_wanted();
    text_init(&text);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t kind = i == 0 ? 0 : roll(&writer, 200);
        text.len = 0;
        if (kind == 0)
            say_snapshot(&writer, &text);
        else
            say_diff(&writer, &text);
        cr_assert(text_ok(&text));
        if (kind == 1) { /* lost on the way */
            lost++;
            continue;
        }
        struct weir_bytes bytes = {text.data, text.len};
        for (int times = kind == 2 ? 2 : 1; times > 0; times--) {
            cr_assert_eq(session_frame(session, 1, (weir_ns)i + 1, bytes), WEIR_OK, "%.*s",
                         (int)bytes.len, bytes.data);
            oracle_take(oracle, bytes);
        }
        if (i % 256 == 0 || kind <= 2)
            compare(session, oracle, i);
        live += oracle->u != 0;
    }
    compare(session, oracle, count);
    cr_expect(live > count / 10 && lost > 0, "%" PRIu64 " live, %" PRIu64 " lost", live, lost);
    session_destroy(session);
    text_fini(&text);
    free(oracle);
}
