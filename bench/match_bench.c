/* match_bench.c - what one message costs the matching engine, with a checksum that says it is right.
 *
 *   match_bench                      make the three streams in memory and run each
 *   match_bench run FILE...          run recorded streams
 *   match_bench gen FILE MODE N [SEED]
 *
 * A stream is a file of 32-byte little-endian records:
 *
 *     0  u8 op: 1 add, 2 immediate-or-cancel, 3 cancel, 4 move    1  u8 side    2  u16 symbol
 *     4  u32 sequence      8  u64 order, dense from 1      16  i64 price in ticks    24  i64 quantity
 *
 * Modes: ec, one symbol, a thousand orders, mostly moves; deep, a hundred symbols, a million orders;
 * liq, adds only on a few prices, where queues grow long and half of the orders trade.
 *
 * An engine is right when it finds the same trades, quantity, value (sum of price times quantity)
 * and number of open orders as another one does. The time is thread CPU time, the median of the
 * runs; each run starts with an empty engine whose memory has been touched. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "bench.h"
#include "sim/match.h"

struct record {
    uint8_t op, side;
    uint16_t symbol;
    uint32_t seq;
    uint64_t id;
    int64_t px, qty;
};
_Static_assert(sizeof(struct record) == 32, "the format of the file");

enum { OP_ADD = 1, OP_IOC, OP_CANCEL, OP_MOVE };
enum { RUNS_MAX = 99, AHEAD = 6 };

struct stream {
    struct record *records;
    size_t count;
    uint32_t ids;
    uint32_t symbols;
};

struct totals {
    uint64_t trades, value, open;
    int64_t qty;
};

static void on_fill(void *context, const struct match_fill *fill)
{
    struct totals *totals = context;
    totals->trades++;
    totals->qty += fill->qty;
    totals->value += (uint64_t)fill->px * (uint64_t)fill->qty;
}

static void on_removed(void *context, uint32_t id, const struct match_view *was)
{
    (void)context, (void)id, (void)was;
}

static int fail(const char *what, const char *name)
{
    fprintf(stderr, "match_bench: %s: %s\n", name, what);
    return 2;
}

/* --- the engine under test ---------------------------------------------------------------------*/

struct bench {
    void *memory;
    size_t bytes;
    struct match *match;
    struct totals totals;
};

/* Large pages where the kernel gives them, as a host would ask for its tables. */
static bool bench_open(struct bench *bench, uint32_t ids, uint32_t symbols)
{
    struct match_config config = {
        .orders = ids, .instruments = symbols, .window = 8192, .far = 8192};
    struct match_sink sink = {&bench->totals, on_fill, on_removed};
    bench->totals = (struct totals){0};
    bench->bytes = match_bytes(&config);
    bench->memory =
        mmap(NULL, bench->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bench->bytes == 0 || bench->memory == MAP_FAILED)
        return false;
    (void)madvise(bench->memory, bench->bytes, MADV_HUGEPAGE);
    memset(bench->memory, 0, bench->bytes);
    bench->match = match_init(bench->memory, &config, &sink);
    return true;
}

static void bench_close(struct bench *bench)
{
    munmap(bench->memory, bench->bytes);
}

static inline void apply(struct match *match, const struct record *r)
{
    int64_t left = 0;
    if (r->op == OP_CANCEL) {
        (void)match_cancel(match, (uint32_t)r->id);
        return;
    }
    if (r->op == OP_MOVE) {
        (void)match_move(match, (uint32_t)r->id, r->px, &left);
        return;
    }
    struct match_order order = {.id = (uint32_t)r->id,
                                .px = r->px,
                                .qty = r->qty,
                                .instrument = r->symbol,
                                .side = r->side,
                                .tif = r->op == OP_IOC ? WEIR_IOC : WEIR_GTC};
    (void)match_add(match, &order, &left);
}

static int64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static int64_t run_once(const struct stream *stream, struct totals *totals_out)
{
    struct bench bench;
    if (!bench_open(&bench, stream->ids, stream->symbols))
        return -1;
    int64_t start = cpu_ns();
    for (size_t i = 0; i < stream->count; i++) {
        if (i + AHEAD < stream->count)
            match_prefetch(bench.match, (uint32_t)stream->records[i + AHEAD].id);
        apply(bench.match, &stream->records[i]);
    }
    int64_t spent = cpu_ns() - start;
    bench.totals.open = match_open(bench.match);
    *totals_out = bench.totals;
    bench_close(&bench);
    return spent;
}

/* Nanoseconds a message; the goals are those of the three streams that are made here. */
static struct bench_goal goal_of(const char *name)
{
    static const struct {
        const char *name;
        double ns;
    } goals[] = {{"ec", 30}, {"liq", 25}, {"deep", 160}};
    for (size_t i = 0; i < sizeof goals / sizeof goals[0]; i++)
        if (strcmp(goals[i].name, name) == 0)
            return AT_MOST(goals[i].ns);
    return NO_GOAL;
}

static int run(const char *name, const struct stream *stream, int runs)
{
    double spent[RUNS_MAX] = {0};
    struct totals totals = {0};
    for (int i = 0; i < runs; i++) {
        int64_t ns = run_once(stream, &totals);
        if (ns < 0)
            return fail("out of memory", name);
        spent[i] = (double)ns / (double)stream->count;
    }
    bench_line(name, spent, runs, "ns a message", goal_of(name));
    printf("    %zu messages, %llu trades, quantity %lld, value %llu, %llu open\n", stream->count,
           (unsigned long long)totals.trades, (long long)totals.qty,
           (unsigned long long)totals.value, (unsigned long long)totals.open);
    return 0;
}

/* --- streams -----------------------------------------------------------------------------------*/

static bool measure(struct stream *stream)
{
    stream->symbols = 1;
    for (size_t i = 0; i < stream->count; i++) {
        const struct record *r = &stream->records[i];
        if (r->op < OP_ADD || r->op > OP_MOVE || r->side > 1 || r->id == 0 || r->id > 1u << 30)
            return false;
        if (r->id > stream->ids)
            stream->ids = (uint32_t)r->id;
        if (r->symbol >= stream->symbols)
            stream->symbols = r->symbol + 1u;
    }
    return true;
}

static int read_stream(const char *path, struct stream *stream)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return fail("cannot be opened", path);
    long size = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    rewind(file);
    int result = 0;
    if (size <= 0 || size % (long)sizeof(struct record) != 0)
        result = fail("not a whole number of 32-byte records", path);
    stream->count = size > 0 ? (size_t)size / sizeof(struct record) : 0;
    stream->records = result == 0 ? malloc((size_t)size) : NULL;
    if (result == 0 && (!stream->records || fread(stream->records, sizeof(struct record),
                                                  stream->count, file) != stream->count))
        result = fail("cannot be read", path);
    if (result == 0 && !measure(stream))
        result = fail("a record with an unknown op, side or order number", path);
    fclose(file);
    return result;
}

/* What each mode mixes: shares are in thousandths, of messages after the first `before`. */
struct mode {
    const char *name;
    uint32_t symbols, before;
    uint32_t adds, iocs, cancels; /* the rest are moves */
    uint32_t adds_below;          /* share of adds while fewer than `before` rest */
    int64_t mid, spread;
    uint32_t messages; /* by default */
};
static const struct mode modes[] = {
    {"ec", 1, 1000, 60, 30, 60, 125, 32768, 375, 4000000},
    {"deep", 100, 1000000, 400, 100, 500, 500, 32768, 4000, 3000000},
    {"liq", 1, 0, 1000, 0, 0, 1000, 1885, 10, 2000000},
};

struct maker {
    const struct mode *mode;
    struct bench bench;
    uint64_t dice;
    int64_t mid;
    uint32_t next;
    uint32_t *live; /* numbers that rested once, some of which are gone */
    uint32_t live_count;
};

static uint32_t roll(struct maker *m, uint32_t sides)
{
    m->dice ^= m->dice << 13;
    m->dice ^= m->dice >> 7;
    m->dice ^= m->dice << 17;
    return (uint32_t)(m->dice >> 11) % sides;
}

static int64_t away(const struct record *r, int64_t mid, int64_t distance)
{
    return r->side == WEIR_SELL ? mid + distance : mid - distance;
}

/* An order that rests, chosen at random. */
static bool choose(struct maker *m, struct record *r, struct match_view *view)
{
    while (m->live_count > 0) {
        uint32_t at = roll(m, m->live_count);
        r->id = m->live[at];
        if (match_order(m->bench.match, (uint32_t)r->id, view)) {
            r->side = view->side;
            r->symbol = view->instrument;
            if (r->op == OP_CANCEL)
                m->live[at] = m->live[--m->live_count];
            return true;
        }
        m->live[at] = m->live[--m->live_count];
    }
    return false;
}

static void make_new(struct maker *m, struct record *r, bool started)
{
    const struct mode *mode = m->mode;
    r->id = m->next++;
    r->side = (uint8_t)roll(m, 2);
    r->symbol = (uint16_t)roll(m, mode->symbols);
    r->qty = 1 + roll(m, 100);
    if (r->op == OP_IOC) {
        r->px = away(r, m->mid, -mode->spread - 25);
    } else if (mode->before == 0) { /* liq: ten prices a side, which overlap in six */
        r->px = (r->side == WEIR_SELL ? mode->mid - 1 : mode->mid - 5) + roll(m, 10);
        r->qty *= 100;
    } else {
        bool crosses = started && mode->symbols == 1 && roll(m, 100) < 8;
        r->px =
            away(r, m->mid, crosses ? -(int64_t)roll(m, 3) : 1 + roll(m, (uint32_t)mode->spread));
    }
}

static uint8_t pick_op(struct maker *m)
{
    const struct mode *mode = m->mode;
    uint32_t x = roll(m, 1000);
    uint32_t adds = match_open(m->bench.match) < mode->before ? mode->adds_below : mode->adds;
    if (x < adds)
        return OP_ADD;
    if (x < adds + mode->iocs)
        return OP_IOC;
    return x < adds + mode->iocs + mode->cancels ? OP_CANCEL : OP_MOVE;
}

static struct record make_one(struct maker *m, uint32_t seq)
{
    bool started = seq >= m->mode->before;
    struct record r = {.op = started ? pick_op(m) : OP_ADD, .seq = seq};
    struct match_view view;
    if (seq % 2000 == 0 && m->mode->symbols == 1 && m->mode->before > 0)
        m->mid += (int64_t)roll(m, 3) - 1;
    if ((r.op == OP_CANCEL || r.op == OP_MOVE) && !choose(m, &r, &view))
        r.op = OP_ADD;
    if (r.op == OP_MOVE) {
        bool crosses = roll(m, 1000) < 35;
        r.px = away(&r, m->mid,
                    crosses ? -(int64_t)roll(m, 4) : 1 + roll(m, (uint32_t)m->mode->spread));
    } else if (r.op != OP_CANCEL) {
        make_new(m, &r, started);
    }
    apply(m->bench.match, &r);
    if (r.op == OP_ADD && match_order(m->bench.match, (uint32_t)r.id, &view))
        m->live[m->live_count++] = (uint32_t)r.id;
    return r;
}

static int make_stream(const struct mode *mode, uint32_t messages, uint64_t seed,
                       struct stream *stream)
{
    struct maker m = {
        .mode = mode, .dice = 0x9E3779B97F4A7C15u ^ (seed << 1), .mid = mode->mid, .next = 1};
    stream->count = (size_t)messages + mode->before;
    stream->records = malloc(stream->count * sizeof(struct record));
    m.live = malloc((stream->count + 1) * sizeof *m.live);
    bool ok = stream->records && m.live &&
              bench_open(&m.bench, (uint32_t)stream->count + 1, mode->symbols);
    for (size_t i = 0; ok && i < stream->count; i++)
        stream->records[i] = make_one(&m, (uint32_t)i);
    if (ok)
        bench_close(&m.bench);
    free(m.live);
    return ok && measure(stream) ? 0 : fail("out of memory", mode->name);
}

static const struct mode *mode_named(const char *name)
{
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
        if (strcmp(modes[i].name, name) == 0)
            return &modes[i];
    return NULL;
}

static int gen(int argc, char **argv)
{
    const struct mode *mode = argc > 3 ? mode_named(argv[3]) : NULL;
    long messages = argc > 4 ? strtol(argv[4], NULL, 10) : 0;
    if (!mode || messages <= 0 || messages > 1 << 28)
        return fail("expected: gen FILE ec|deep|liq N [SEED]", "gen");
    struct stream stream = {0};
    int result =
        make_stream(mode, (uint32_t)messages, argc > 5 ? strtoull(argv[5], NULL, 10) : 1, &stream);
    FILE *file = result == 0 ? fopen(argv[2], "wb") : NULL;
    if (result == 0 && (!file || fwrite(stream.records, sizeof(struct record), stream.count,
                                        file) != stream.count))
        result = fail("cannot be written", argv[2]);
    if (file && fclose(file) != 0)
        result = fail("cannot be written", argv[2]);
    free(stream.records);
    return result;
}

int main(int argc, char **argv)
{
    int result = 0;
    if (argc > 1 && strcmp(argv[1], "gen") == 0)
        return gen(argc, argv);
    if (argc > 1 && strcmp(argv[1], "run") != 0)
        return fail("expected: run FILE... or gen FILE MODE N [SEED]", argv[1]);
    for (int i = 2; i < argc && result == 0; i++) {
        struct stream stream = {0};
        result = read_stream(argv[i], &stream);
        if (result == 0)
            result = run(argv[i], &stream, 5);
        free(stream.records);
    }
    for (size_t i = 0; argc < 3 && i < sizeof modes / sizeof modes[0] && result == 0; i++) {
        struct stream stream = {0};
        result = make_stream(&modes[i], modes[i].messages, 1, &stream);
        if (result == 0)
            result = run(modes[i].name, &stream, 5);
        free(stream.records);
    }
    return result;
}
