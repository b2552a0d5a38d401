/* venue_faults_test.c - the recordings of each venue, damaged: what says LIVE is the venue's book.
 *
 * The undamaged messages are run first, and every state of every book in them is remembered. Then faults
 * are put into the messages, and whenever a book was changed and says LIVE it must be in one of these
 * states; and at the end, after a stretch without faults, in the last one. What "the book" is depends
 * on what the venue verifies: all of it where its messages are numbered, the levels that it sums where
 * they are not. Without either a lost message cannot be seen, so none is lost there; and a digit that
 * became another one is seen only where there is a sum.
 *
 * WEIR_FAULTS says how many trials; the recordings are not in the tree. */
#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/recording.h"
#include "support/random.h"
#include "venue/venue.h"

enum { MESSAGES_MAX = 700, TAIL = 60, STATES_MAX = 1 << 15, BOOKS_MAX = 64, TRIALS = 54 };

struct message {
    uint32_t kind, conn;
    char *target, *bytes;
    size_t target_len, len;
};

struct story {
    struct message messages[2 * MESSAGES_MAX];
    int count;
};

/* What is run, and what of it can be told. levels 0: the whole book is verified. */
static const struct venue {
    const char *file, *plugin, *market, *conn;
    int levels;
    bool loses;   /* a message that is missing, or in the wrong place, is noticed */
    bool summed;  /* so is a digit that is another one */
    bool chained; /* so is a message that became one of another symbol */
    int messages;
} venues[] = {
    {"OKX.jsonl.gz", "okx", "v5", NULL, 25, true, true, true, 420},
    {"KRAKEN.jsonl.gz", "kraken", "spot", "KRAKEN.ws.50", 10, true, true, true, 500},
    {"BYBIT.jsonl.gz", "bybit", "linear", "BYBIT.ws.2", 0, true, false, true, 500},
    {"BYBIT.jsonl.gz", "bybit", "spot", "BYBIT.ws.3", 0, true, false, true, 500},
    {"DERIBIT.jsonl.gz", "deribit", "v2", NULL, 0, true, false, true, 700},
    {"BINANCE_FUTURES.jsonl.gz", "binance", "usdm", NULL, 0, true, false, true, 600},
    {"COINBASE.jsonl.gz", "coinbase", "advanced", NULL, 200, true, false, false, 110},
    {"text/COINBASE_PRO-20210417.txt.gz", "coinbase", "exchange", NULL, 100, false, false, false,
     300},
    {"BITSTAMP.jsonl.gz", "bitstamp", "spot", NULL, 0, false, false, false, 600},
};
enum { VENUES = sizeof venues / sizeof venues[0] };

static const char *shared(const char *path)
{
    static char whole[1024];
    const char *folder = getenv("WEIR_SHARED");
    (void)snprintf(whole, sizeof whole, "%s/%s", folder ? folder : SOURCE_DIR "/../shared", path);
    return whole;
}

static char *copy_of(const char *bytes, size_t len)
{
    char *copy = malloc(len + 1);
    if (len > 0)
        memcpy(copy, bytes, len);
    copy[len] = '\0';
    return copy;
}

static void story_free(struct story *story)
{
    for (int i = 0; i < story->count; i++) {
        free(story->messages[i].target);
        free(story->messages[i].bytes);
    }
    story->count = 0;
}

static struct message message_copy(const struct message *from)
{
    struct message to = *from;
    to.target = copy_of(from->target, from->target_len);
    to.bytes = copy_of(from->bytes, from->len);
    return to;
}

static void story_read(struct story *story, const struct venue *venue)
{
    char path[256];
    struct why why;
    struct record record;
    (void)snprintf(path, sizeof path, "data/captures/%s", venue->file);
    struct recording *recording = recording_open(shared(path), &why);
    cr_assert_not_null(recording, "%s", why.text);
    story->count = 0;
    while (story->count < venue->messages) {
        cr_assert_eq(recording_next(recording, &record, &why), WEIR_OK, "%s", why.text);
        if (record.kind == RECORD_END)
            break;
        const char *conn = recording_conn_name(recording, record.conn);
        bool ours = !venue->conn || strcmp(conn, venue->conn) == 0;
        if ((record.kind != RECORD_FRAME && record.kind != RECORD_HTTP) || !ours)
            continue;
        story->messages[story->count++] =
            (struct message){record.kind,
                             record.conn,
                             copy_of(record.target.data, record.target.len),
                             copy_of(record.bytes.data, record.bytes.len),
                             record.target.len,
                             record.bytes.len};
    }
    recording_close(recording);
}

/* --- a run ------------------------------------------------------------------------------------- */

struct run {
    const struct venue *venue;
    struct session *session;
    char symbols[BOOKS_MAX][WEIR_SYMBOL_MAX];
    uint64_t units[BOOKS_MAX][2]; /* of price and size, in 10^-12: places hang on what came first */
    uint64_t last[BOOKS_MAX];     /* states */
    int last_at[BOOKS_MAX];       /* the message after which it was that */
    int at;
    bool dirty[BOOKS_MAX];
    uint32_t books;
    uint64_t *states; /* remembered, or to be looked up in */
    uint32_t state_count;
    bool learns;
    uint64_t live, wrong;
};

static void on_event(void *context, struct session *session, const struct weir_msg *event)
{
    (void)context, (void)session, (void)event;
}

static uint32_t on_instrument(void *context, struct session *session,
                              const struct weir_instrument *instrument)
{
    struct run *run = context;
    (void)session;
    if (run->books + 1 == BOOKS_MAX)
        return 0;
    memcpy(run->symbols[++run->books], instrument->symbol, WEIR_SYMBOL_MAX);
    run->units[run->books][0] = run->units[run->books][1] = 1;
    for (int exp = instrument->price_exp; exp < 12; exp++)
        run->units[run->books][0] *= 10;
    for (int exp = instrument->qty_exp; exp < 12; exp++)
        run->units[run->books][1] *= 10;
    return run->books;
}

static void on_book(void *context, struct session *session, uint32_t instrument,
                    const struct weir_book_msg *msg, const struct book *book)
{
    struct run *run = context;
    (void)session, (void)msg, (void)book;
    run->dirty[instrument] = true;
}

static uint64_t mix(uint64_t state, uint64_t value)
{
    state ^= value + 0x9E3779B97F4A7C15u + (state << 6) + (state >> 2);
    return random_next(&state);
}

static uint64_t state_of(const struct run *run, uint32_t instrument)
{
    const struct book *book = session_book(run->session, instrument);
    uint64_t state = 1;
    for (const char *at = run->symbols[instrument]; *at; at++)
        state = mix(state, (unsigned char)*at);
    for (int side = WEIR_BUY; side <= WEIR_SELL; side++) {
        struct weir_level level;
        int left = run->venue->levels > 0 ? run->venue->levels : INT32_MAX;
        for (bool more = book_best(book, side, &level); more && left > 0; left--) {
            state = mix(mix(state, (uint64_t)level.px * run->units[instrument][0]),
                        (uint64_t)level.qty * run->units[instrument][1]);
            more = book_next(book, side, level.px, &level);
        }
        state = mix(state, (uint64_t)side);
    }
    return state;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void look(struct run *run)
{
    for (uint32_t i = 1; i <= run->books; i++) {
        if (!run->dirty[i] || session_book_state(run->session, i) != BOOK_LIVE)
            continue;
        run->dirty[i] = false;
        run->last[i] = state_of(run, i);
        run->last_at[i] = run->at;
        run->live++;
        if (run->learns && run->state_count < STATES_MAX) {
            run->states[run->state_count++] = run->last[i];
            continue;
        }
        run->wrong += !bsearch(&run->last[i], run->states, run->state_count, sizeof run->states[0],
                               by_number);
    }
}

static void run_story(struct run *run, const struct story *story, struct plugin *plugin)
{
    struct why why;
    struct weir_setting settings[] = {{"market", run->venue->market}, {NULL, NULL}};
    struct session_config config = {.name = "recorded",
                                    .venue = 1,
                                    .account = 1,
                                    .settings = settings,
                                    .book_window = 4096,
                                    .data_age_max = INT64_MAX};
    struct session_owner owner = {run, .event = on_event, .instrument = on_instrument,
                                  .book = on_book};
    run->session = session_create(plugin, &config, &owner, &why);
    cr_assert_not_null(run->session, "%s", why.text);
    for (int i = 0; i < story->count; i++) {
        const struct message *m = &story->messages[i];
        struct weir_bytes bytes = {m->bytes, m->len};
        if (m->kind == RECORD_FRAME)
            (void)!session_frame(run->session, m->conn, 1000 + i, bytes);
        else if (m->kind == RECORD_HTTP)
            (void)!session_recorded(run->session, 1000 + i,
                                    (struct weir_bytes){m->target, m->target_len}, bytes);
        else /* the connection was lost, and is back */
            (void)!session_conn(run->session, m->conn, 1000 + i, false);
        run->at = i;
        look(run);
    }
}

/* --- faults ------------------------------------------------------------------------------------ */

static void insert(struct story *story, int at, struct message message)
{
    memmove(&story->messages[at + 1], &story->messages[at],
            (size_t)(story->count - at) * sizeof message);
    story->messages[at] = message;
    story->count++;
}

static void drop(struct story *story, int at)
{
    free(story->messages[at].target);
    free(story->messages[at].bytes);
    story->count--;
    memmove(&story->messages[at], &story->messages[at + 1],
            (size_t)(story->count - at) * sizeof story->messages[0]);
}

static void swap(struct story *story, int at, int with)
{
    struct message message = story->messages[at];
    story->messages[at] = story->messages[with];
    story->messages[with] = message;
}

/* Where books have no chain of their own, only what breaks the form of a message: under another name it
 * would be a message that is missing. */
static void flip(struct message *message, const struct venue *venue, uint64_t *random)
{
    for (int tries = 0; tries < 100 && message->len > 0; tries++) {
        char *byte = &message->bytes[random_below(random, message->len)];
        char flipped = (char)(*byte ^ 1 << random_below(random, 7));
        bool digits = isdigit((unsigned char)*byte) && isdigit((unsigned char)flipped);
        bool form = strchr("{}[]\":,", *byte) != NULL;
        if ((venue->summed || !digits) && (venue->chained || form) && *byte != '\0' &&
            flipped != '\0') {
            *byte = flipped;
            return;
        }
    }
}

/* One fault somewhere before `end`. */
static void damage(struct story *story, const struct venue *venue, int end, uint64_t *random)
{
    int at = (int)random_below(random, (uint64_t)end),
        with = (int)random_below(random, (uint64_t)end);
    struct message *message = &story->messages[at];
    if (message->kind != RECORD_FRAME || story->messages[with].kind != RECORD_FRAME)
        return;
    switch (random_below(random, 7)) {
    case 0: venue->loses ? drop(story, at) : (void)0; break;
    case 1: insert(story, at + 1, message_copy(message)); break;
    case 2: venue->loses ? swap(story, at, at + 1) : (void)0; break;
    case 3: venue->loses ? swap(story, at, with) : (void)0; break;
    case 4: message->len = random_below(random, message->len + 1); break;
    case 5: flip(message, venue, random); break;
    default:
        insert(
            story, at,
            (struct message){RECORD_CONNECT, message->conn, copy_of("", 0), copy_of("", 0), 0, 0});
    }
}

static int trials(void)
{
    const char *wanted = getenv("WEIR_FAULTS");
    return wanted ? (int)strtol(wanted, NULL, 10) : TRIALS;
}

static void try_venue(const struct venue *venue, int count, uint64_t *random)
{
    static struct story whole, damaged;
    static uint64_t states[STATES_MAX];
    char path[512];
    struct plugin *plugin;
    struct why why;
    uint64_t live = 0, lost = 0;
    (void)snprintf(path, sizeof path, BUILD_DIR "/plugins/%s.so", venue->plugin);
    cr_assert_eq(plugin_load(path, &plugin, &why), WEIR_OK, "%s", why.text);
    story_read(&whole, venue);
    struct run truth = {.venue = venue, .states = states, .learns = true};
    run_story(&truth, &whole, plugin);
    session_destroy(truth.session);
    qsort(states, truth.state_count, sizeof states[0], by_number);
    cr_assert_gt(truth.live, 20, "%s", venue->file);
    cr_assert_lt(truth.state_count, STATES_MAX, "%s", venue->file);
    for (int trial = 0; trial < count; trial++) {
        struct run run = {.venue = venue, .states = states, .state_count = truth.state_count};
        damaged.count = 0;
        for (int i = 0; i < whole.count; i++)
            damaged.messages[damaged.count++] = message_copy(&whole.messages[i]);
        for (uint64_t faults = 1 + random_below(random, 3); faults > 0; faults--)
            damage(&damaged, venue, whole.count - TAIL, random);
        run_story(&run, &damaged, plugin);
        cr_assert_eq(run.wrong, 0, "%s %s, trial %d: a wrong book was LIVE %zu times", venue->file,
                     venue->market, trial, (size_t)run.wrong);
        for (uint32_t i = 1; i <= run.books && venue->loses; i++)
            for (uint32_t j = 1; j <= truth.books; j++)
                if (strcmp(run.symbols[i], truth.symbols[j]) == 0 &&
                    session_book_state(run.session, i) == BOOK_LIVE &&
                    truth.last_at[j] > whole.count - TAIL) /* else nothing came after the fault */
                    lost += run.last[i] != truth.last[j];
        live += run.live;
        session_destroy(run.session);
        story_free(&damaged);
    }
    cr_expect_eq(lost, 0, "%s %s: %zu books were LIVE at the end, and not the venue's", venue->file,
                 venue->market, (size_t)lost);
    cr_expect_gt(live, (uint64_t)count * 5, "%s: books were checked", venue->file);
    story_free(&whole);
}

Test(venue_faults, no_damage_to_a_recording_leaves_a_wrong_book_live, .timeout = 3600)
{
    uint64_t random = 20261124;
    if (access(shared("data/golden.json"), R_OK) != 0)
        cr_skip_test("needs the shared folder");
    int count = trials() / VENUES;
    for (int i = 0; i < VENUES; i++)
        try_venue(&venues[i], count, &random);
}
