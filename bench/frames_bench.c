/* frames_bench.c - what a frame of a venue costs, from its bytes to the book and its best price.
 *
 *   frames [FILE...] [--plugin P] [--market M] [--rounds N]
 *
 * Of a recording, by the plugin of its venue (binance), or of a made-up feed of Binance without one.
 *
 * The made-up feed is that of a busy futures market: 70 % best prices, 23 % trades, 7 % book diffs
 * of 67 levels on average, written as the venue writes them. Measured, in turn, in each round:
 *
 *   copy+crc    each frame copied and its CRC32C taken: the floor of anything that looks at it
 *   cjson       cJSON_Parse and nothing else, on a part of the frames
 *   simdjson    On-Demand: each value is come to and none read; simdjson-dom makes a document. Where
 *               Debian's libsimdjson-dev was there when this was built
 *   decode      the plugin alone: frames into events that nobody keeps
 *   book        plugin, session and book machine: what a running host does with a frame
 *   depth       the same on the book diffs alone
 *
 * Times are of the thread's CPU; the median of the rounds, and their spread. The checksum is that of
 * the final book, which must be the same in each round. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "bench.h"
#ifdef BENCH_SIMDJSON
#include "simdjson_floor.h"
#endif
#include "sim/recordings.h"
#include "venue/venue.h"

enum { MADE_MESSAGES = 200000, CJSON_FRAMES = 20000, ROUNDS_MAX = 99, CONNS = 64 };

struct frame {
    size_t at, len; /* in frames.bytes */
    uint32_t conn;
    bool depth;
};

struct frames {
    void *session; /* of the plugin alone: tells which frames are of books */
    bool made_book;
    struct text bytes;
    struct frame *list;
    size_t count, room;
    size_t total; /* bytes of frames */
    size_t depths, depth_total;
    char market[WEIR_ASSET_MAX];
};

/* --- frames ------------------------------------------------------------------------------------ */

static const struct weir_plugin *the_plugin;
static struct plugin *loaded;

static void note_book(void *host, const struct weir_msg *event)
{
    struct frames *frames = host;
    frames->made_book = frames->made_book || event->kind == WEIR_BOOK;
}

static enum weir_err no_network(void *host, const struct weir_request_http *request)
{
    (void)host, (void)request;
    return WEIR_E_DOWN;
}

static enum weir_err no_connection(void *host, uint32_t conn, struct weir_bytes frame)
{
    (void)host, (void)conn, (void)frame;
    return WEIR_E_DOWN;
}

/* Does the plugin say a book message for this frame? */
static bool makes_book(struct frames *frames, const struct frame *frame, struct weir_bytes bytes)
{
    static struct weir_host host = {.size = sizeof host,
                                    .abi = WEIR_ABI,
                                    .emit = note_book,
                                    .send = no_connection,
                                    .request = no_network};
    struct weir_setting settings[] = {{"market", frames->market}, {NULL, NULL}};
    host.host = frames;
    if (!frames->session && the_plugin->open(&host, settings, &frames->session) != WEIR_OK)
        exit(2);
    frames->made_book = false;
    (void)!the_plugin->on_frame(frames->session, frame->conn, 1, bytes);
    return frames->made_book;
}

static void add_frame(struct frames *frames, size_t from, uint32_t conn)
{
    if (frames->count == frames->room) {
        frames->room = frames->room * 2 + 4096;
        frames->list = realloc(frames->list, frames->room * sizeof frames->list[0]);
        if (!frames->list)
            exit(2);
    }
    struct frame frame = {from, frames->bytes.len - from, conn, false};
    struct weir_bytes bytes = {frames->bytes.data + from, frame.len};
    frame.depth = makes_book(frames, &frame, bytes);
    frames->list[frames->count++] = frame;
    frames->total += frame.len;
    frames->depths += frame.depth;
    frames->depth_total += frame.depth ? frame.len : 0;
}

static uint64_t random_state = 0x2545F4914F6CDD1Du;

static uint64_t rnd(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % below;
}

static void say_level(struct text *text, int64_t px, int64_t qty, bool first)
{
    text_say(text, "%s[\"%" PRId64 ".%" PRId64 "0\",\"%" PRId64 ".%03" PRId64 "\"]",
             first ? "" : ",", px / 10, px % 10, qty / 1000, qty % 1000);
}

/* One side of a diff: 33 levels on average, half of them near, a third of them gone. */
static void say_side(struct text *text, int64_t from, int direction)
{
    int count = 1;
    while (count < 400 && rnd(34) != 0)
        count++;
    int64_t away = 0;
    for (int i = 0; i < count; i++) {
        say_level(text, from + direction * away, rnd(100) < 35 ? 0 : 1 + (int64_t)rnd(3000),
                  i == 0);
        away += 1 + (int64_t)rnd(i < count / 2 ? (uint64_t)(200 / count + 1)
                                               : (uint64_t)(8000 / count + 1));
    }
}

static void make_frames(struct frames *frames)
{
    struct text *text = &frames->bytes;
    int64_t mid = 618002, ms = 1723161256299;
    uint64_t u = 5123107832006, trade = 5266583935;
    (void)snprintf(frames->market, sizeof frames->market, "usdm");
    for (int k = -1; k < MADE_MESSAGES; k++) {
        size_t from = text->len;
        uint64_t kind = k < 0 ? 100 : rnd(100);
        ms += (int64_t)rnd(10);
        if (rnd(40) == 0)
            mid += (int64_t)rnd(7) - 3;
        if (kind == 100) {
            text_say(text,
                     "{\"lastUpdateId\":%" PRIu64 ",\"E\":%" PRId64 ",\"T\":%" PRId64
                     ",\"symbol\":\"BTCUSDT\",\"bids\":[",
                     u, ms, ms);
            for (int i = 0; i < 1000; i++)
                say_level(text, mid - i, 1 + (int64_t)rnd(3000), i == 0);
            text_say(text, "],\"asks\":[");
            for (int i = 0; i < 1000; i++)
                say_level(text, mid + 1 + i, 1 + (int64_t)rnd(3000), i == 0);
            text_say(text, "]}");
        } else if (kind < 70) {
            text_say(
                text,
                "{\"stream\":\"btcusdt@bookTicker\",\"data\":{\"e\":\"bookTicker\",\"u\":%" PRIu64
                ",\"s\":\"BTCUSDT\",\"b\":\"%" PRId64 ".%" PRId64 "0\",\"B\":\"%" PRIu64
                ".%03" PRIu64 "\",\"a\":\"%" PRId64 ".%" PRId64 "0\",\"A\":\"%" PRIu64 ".%03" PRIu64
                "\",\"T\":%" PRId64 ",\"E\":%" PRId64 "}}",
                u + 1, mid / 10, mid % 10, rnd(10), rnd(1000), (mid + 1) / 10, (mid + 1) % 10,
                rnd(10), rnd(1000), ms, ms);
        } else if (kind < 93) {
            text_say(text,
                     "{\"stream\":\"btcusdt@trade\",\"data\":{\"e\":\"trade\",\"E\":%" PRId64
                     ",\"T\":%" PRId64 ",\"s\":\"BTCUSDT\",\"t\":%" PRIu64 ",\"p\":\"%" PRId64
                     ".%" PRId64 "0\",\"q\":\"%" PRIu64 ".%03" PRIu64
                     "\",\"X\":\"MARKET\",\"m\":%s}}",
                     ms, ms, trade++, mid / 10, mid % 10, rnd(2), 1 + rnd(999),
                     rnd(2) ? "true" : "false");
        } else {
            uint64_t last = u + 50 + rnd(5000);
            text_say(
                text,
                "{\"stream\":\"btcusdt@depth@0ms\",\"data\":{\"e\":\"depthUpdate\",\"E\":%" PRId64
                ",\"T\":%" PRId64 ",\"s\":\"BTCUSDT\",\"U\":%" PRIu64 ",\"u\":%" PRIu64
                ",\"pu\":%" PRIu64 ",\"b\":[",
                ms, ms, k == 0 ? u : u + 1, last, u);
            say_side(text, mid, -1);
            text_say(text, "],\"a\":[");
            say_side(text, mid + 1, 1);
            text_say(text, "]}}");
            u = last;
        }
        if (!text_ok(text))
            exit(2);
        add_frame(frames, from, 1);
    }
}

/* The frames of one market of the recording, the first if none is named. */
static int read_frames(struct frames *frames, char **paths, int count, const char *market,
                       const struct weir_plugin *plugin)
{
    struct why why;
    struct recorded_message at;
    struct recordings_config config = {(const char *const *)paths, (size_t)count, &plugin, 1};
    struct recordings *all = recordings_open(&config, &why);
    enum weir_err err = all ? WEIR_OK : why.err;
    while (err == WEIR_OK && (err = recordings_next(all, &at, &why)) == WEIR_OK &&
           at.record.kind != RECORD_END) {
        if (at.record.kind != RECORD_FRAME || at.plugin != 0 ||
            (market && strcmp(market, at.market) != 0))
            continue;
        if (frames->count == 0)
            (void)snprintf(frames->market, sizeof frames->market, "%s", at.market);
        if (strcmp(frames->market, at.market) != 0)
            continue;
        size_t from = frames->bytes.len;
        text_add(&frames->bytes, at.record.bytes.data, at.record.bytes.len);
        add_frame(frames, from, at.record.conn);
    }
    recordings_close(all);
    if (err == WEIR_OK && frames->count > 0)
        return 0;
    fprintf(stderr, "frames: %s\n", err != WEIR_OK ? why.text : "no frame of that market");
    return 2;
}

/* --- what is measured -------------------------------------------------------------------------- */

static int64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct weir_bytes bytes_of(const struct frames *frames, size_t i)
{
    return (struct weir_bytes){frames->bytes.data + frames->list[i].at, frames->list[i].len};
}

static uint64_t copy_and_crc(const struct frames *frames, size_t *count_out)
{
    static char room[1 << 20];
    uint64_t sum = 0;
    for (size_t i = 0; i < frames->count; i++) {
        struct weir_bytes frame = bytes_of(frames, i);
        size_t len = frame.len < sizeof room ? frame.len : sizeof room;
        memcpy(room, frame.data, len);
        sum += crc32c(0, room, len);
    }
    *count_out = frames->count;
    return sum;
}

static uint64_t parse_cjson(const struct frames *frames, size_t *count_out)
{
    uint64_t sum = 0;
    size_t i = 0;
    for (; i < frames->count && i < CJSON_FRAMES; i++) {
        struct weir_bytes frame = bytes_of(frames, i);
        cJSON *json = cJSON_ParseWithLength(frame.data, frame.len);
        sum += json != NULL;
        cJSON_Delete(json);
    }
    *count_out = i;
    return sum;
}

#ifdef BENCH_SIMDJSON
static uint64_t parse_with(const struct frames *frames, size_t *count_out,
                           uint64_t (*parse)(const char *, size_t))
{
    uint64_t sum = 0;
    for (size_t i = 0; i < frames->count; i++) {
        struct weir_bytes frame = bytes_of(frames, i);
        sum += parse(frame.data, frame.len);
    }
    *count_out = frames->count;
    return sum;
}

static uint64_t parse_lazily(const struct frames *frames, size_t *count_out)
{
    return parse_with(frames, count_out, simdjson_lazy);
}

static uint64_t parse_whole(const struct frames *frames, size_t *count_out)
{
    return parse_with(frames, count_out, simdjson_whole);
}
#endif

static void forget(void *host, const struct weir_msg *event)
{
    *(uint64_t *)host += event->size + event->kind;
}

static uint64_t decode_only(const struct frames *frames, size_t *count_out)
{
    uint64_t sum = 0;
    struct weir_host host = {.size = sizeof host,
                             .abi = WEIR_ABI,
                             .host = &sum,
                             .emit = forget,
                             .send = no_connection,
                             .request = no_network};
    struct weir_setting settings[] = {{"market", frames->market}, {NULL, NULL}};
    void *session;
    if (the_plugin->open(&host, settings, &session) != WEIR_OK)
        exit(2);
    for (size_t i = 0; i < frames->count; i++)
        (void)!the_plugin->on_frame(session, frames->list[i].conn, 1, bytes_of(frames, i));
    the_plugin->close(session);
    *count_out = frames->count;
    return sum;
}

static void on_event(void *context, struct session *session, const struct weir_msg *event)
{
    (void)session;
    *(uint64_t *)context += event->kind;
}

static uint32_t on_instrument(void *context, struct session *session,
                              const struct weir_instrument *instrument)
{
    (void)context, (void)session;
    return instrument->msg.instrument;
}

/* The sum of a book's levels and where it stands. */
static uint64_t book_sum(const struct session *session)
{
    struct feed_counts counts;
    uint64_t sum = 0;
    for (uint32_t number = 1; session_feed_counts(session, number, &counts); number++) {
        const struct book *book = session_book(session, number);
        sum = sum * 31 + counts.last_seq + (uint64_t)session_book_state(session, number);
        for (int side = 0; side < 2; side++) {
            struct weir_level level;
            for (bool more = book_best(book, (enum weir_side)side, &level); more;
                 more = book_next(book, (enum weir_side)side, level.px, &level))
                sum = sum * 0x100000001b3u + (uint64_t)level.px * 7 + (uint64_t)level.qty;
        }
    }
    return sum;
}

static int64_t book_ns; /* of the frames alone: opening and summing up are left out */

static uint64_t run_session(const struct frames *frames, bool depth_only, size_t *count_out)
{
    uint64_t events = 0;
    struct why why;
    struct weir_setting settings[] = {{"market", frames->market}, {NULL, NULL}};
    struct session_config config = {
        .name = "bench", .venue = 1, .account = 1, .settings = settings, .data_age_max = INT64_MAX};
    struct session_owner owner = {&events, .event = on_event, .instrument = on_instrument};
    struct session *session = session_create(loaded, &config, &owner, &why);
    size_t count = 0;
    if (!session) {
        fprintf(stderr, "frames: %s\n", why.text);
        exit(2);
    }
    int64_t from = cpu_ns();
    for (size_t i = 0; i < frames->count; i++) {
        const struct frame *frame = &frames->list[i];
        if (depth_only && !frame->depth)
            continue;
        (void)!session_frame(session, frame->conn, (weir_ns)i + 1, bytes_of(frames, i));
        count++;
    }
    book_ns = cpu_ns() - from;
    *count_out = count;
    uint64_t sum = book_sum(session);
    session_destroy(session);
    return sum;
}

static uint64_t whole_session(const struct frames *frames, size_t *count_out)
{
    return run_session(frames, false, count_out);
}

static uint64_t depth_session(const struct frames *frames, size_t *count_out)
{
    return run_session(frames, true, count_out);
}

static struct {
    const char *name;
    uint64_t (*run)(const struct frames *, size_t *);
    bool own_time;
    struct bench_goal goal;
    double ns[ROUNDS_MAX]; /* a frame */
    uint64_t sum;
    size_t count;
} works[] = {
    {"copy+crc", copy_and_crc, false, NO_GOAL, {0}, 0, 0},
    {"cjson", parse_cjson, false, NO_GOAL, {0}, 0, 0},
#ifdef BENCH_SIMDJSON
    {"simdjson", parse_lazily, false, NO_GOAL, {0}, 0, 0},
    {"simdjson-dom", parse_whole, false, NO_GOAL, {0}, 0, 0},
#endif
    {"decode", decode_only, false, NO_GOAL, {0}, 0, 0},
    {"book", whole_session, true, AT_MOST(180), {0}, 0, 0},
    {"depth", depth_session, true, AT_MOST(1400), {0}, 0, 0},
};
enum { WORKS = sizeof works / sizeof works[0] };

static int measure(const struct frames *frames, int rounds)
{
    int wrong = 0;
    for (int round = 0; round < rounds; round++)
        for (int w = 0; w < WORKS; w++) {
            int64_t from = cpu_ns();
            uint64_t sum = works[w].run(frames, &works[w].count);
            int64_t ns = works[w].own_time ? book_ns : cpu_ns() - from;
            wrong += round > 0 && sum != works[w].sum;
            works[w].sum = sum;
            works[w].ns[round] = works[w].count > 0 ? (double)ns / (double)works[w].count : 0;
        }
#ifdef BENCH_SIMDJSON
    printf("simdjson's kernel: %s\n", simdjson_kernel());
#endif
    printf("frames: %zu of market %s, %zu bytes each on average; %zu book messages of %zu bytes\n",
           frames->count, frames->market, frames->total / frames->count, frames->depths,
           frames->depths ? frames->depth_total / frames->depths : 0);
    for (int w = 0; w < WORKS; w++) {
        bool depth = strcmp(works[w].name, "depth") == 0;
        double bytes =
            depth ? (double)frames->depth_total / (double)(frames->depths ? frames->depths : 1)
                  : (double)frames->total / (double)frames->count;
        bench_line(works[w].name, works[w].ns, rounds, "ns a frame",
                   strcmp(the_plugin->name, "binance") == 0 ? works[w].goal : NO_GOAL);
        double ns = works[w].ns[rounds / 2]; /* they are sorted now */
        printf("    %.0f frames/s, %.0f MB/s, checksum %016" PRIx64 "\n", ns > 0 ? 1e9 / ns : 0,
               ns > 0 ? bytes * 1000 / ns : 0, works[w].sum);
    }
#ifdef BENCH_SIMDJSON
    double parsed = 0, whole = 0;
    for (int w = 0; w < WORKS; w++) {
        parsed = strcmp(works[w].name, "simdjson") == 0 ? works[w].ns[rounds / 2] : parsed;
        whole = strcmp(works[w].name, "book") == 0 ? works[w].ns[rounds / 2] : whole;
    }
    if (parsed > 0 && whole > 0 && strcmp(the_plugin->name, "binance") == 0)
        printf("  simdjson's parsing alone takes %.2f times as long as frame to book; wanted: >= "
               "1.3\n",
               parsed / whole);
#endif
    if (wrong > 0)
        fprintf(stderr, "frames: %d rounds gave another result\n", wrong);
    return wrong > 0;
}

/* The plugin of the same build. */
static int load(const char *name)
{
    char path[4096 + 32];
    struct why why;
    ssize_t len = readlink("/proc/self/exe", path, 4096);
    while (len > 0 && path[len - 1] != '/')
        len--;
    (void)snprintf(path + (len > 0 ? len : 0), 32, "../plugins/%.12s.so", name);
    if (plugin_load(path, &loaded, &why) != WEIR_OK) {
        fprintf(stderr, "frames: %s\n", why.text);
        return 2;
    }
    the_plugin = plugin_descriptor(loaded);
    return 0;
}

int main(int argc, char **argv)
{
    struct frames frames = {.count = 0};
    const char *market = NULL, *plugin = "binance";
    int rounds = 7, files = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
            rounds = (int)strtol(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--plugin") == 0 && i + 1 < argc)
            plugin = argv[++i];
        else if (strcmp(argv[i], "--market") == 0 && i + 1 < argc)
            market = argv[++i];
        else
            argv[1 + files++] = argv[i];
    }
    if (rounds < 1 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "frames: --rounds: expected 1 to %d\n", ROUNDS_MAX);
        return 2;
    }
    text_init(&frames.bytes);
    int result = load(plugin);
    if (result == 0 && files > 0)
        result = read_frames(&frames, argv + 1, files, market, the_plugin);
    else if (result == 0)
        make_frames(&frames);
    text_add(&frames.bytes, (char[64]){0}, 64); /* some parsers look so far behind a text */
    if (result == 0)
        result = measure(&frames, rounds);
    if (frames.session)
        the_plugin->close(frames.session);
    text_fini(&frames.bytes);
    free(frames.list);
    return result;
}
