/* backtest_bench.c - nanoseconds a row of a backtest: books, latencies of 10 ms each way, the queue model
 * shared_3 and the Lua grid of examples/backtest, on the recorded day of BTCUSDT (USD-M) over and over.
 *
 * A row is a level of a book message, a best price or a trade, as decoded into a cache beforehand. With
 * several instruments each has the same market, and the day is cut so that all together have as many rows.
 * The figure is the thread's CPU time of the run alone. Run it in the folder of the tree; it needs
 * recordings: WEIR_SHARED. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "bench.h"
#include "control/backtest.h"
#include "sim/rows.h"

enum { ROUNDS = 3, TIMES = 6 };

static char folder[] = "/tmp/weir-bench-XXXXXX";
static struct backtest_progress progress;

static void stop(const char *what)
{
    fprintf(stderr, "backtest bench: %s\n", what);
    exit(1);
}

/* Where the decoding left the day. */
static const char *decoded(void)
{
    static char path[512];
    struct dirent **entries;
    int n = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < n; free(entries[i++]))
        if (strstr(entries[i]->d_name, ".rows") && !*path)
            snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
    free(entries);
    return path;
}

/* --- a longer day, and more markets ------------------------------------------------------------*/

struct shift {
    uint64_t seq;
    weir_ns t;
    uint32_t instrument; /* 0: the recorded one */
    bool again;          /* instruments are defined already */
};

static void copy_event(struct rows_writer *writer, const struct weir_msg *event,
                       const struct shift *shift)
{
    static _Alignas(8) unsigned char copy[1 << 20];
    struct weir_msg *msg = (struct weir_msg *)(void *)copy;
    if (event->size > sizeof copy || (event->kind == WEIR_INSTRUMENT && shift->again))
        return;
    memcpy(copy, event, event->size);
    msg->t_venue += shift->t;
    msg->instrument += shift->instrument;
    if (msg->kind == WEIR_BOOK) {
        struct weir_book_msg *book = (struct weir_book_msg *)(void *)copy;
        book->first_seq += shift->seq;
        book->last_seq += shift->seq;
        book->prev_seq += shift->seq;
    } else if (msg->kind == WEIR_TOP) {
        ((struct weir_top *)(void *)copy)->seq += shift->seq;
    } else if (msg->kind == WEIR_INSTRUMENT && shift->instrument > 0) {
        struct weir_instrument *is = (struct weir_instrument *)(void *)copy;
        snprintf(is->symbol, sizeof is->symbol, "COPY%u", shift->instrument);
    }
    rows_event(writer, msg);
}

static uint64_t largest_seq(struct rows day)
{
    uint64_t most = 0;
    for (const struct rows_frame *frame; (frame = rows_next(&day)) != NULL;) {
        struct weir_bytes bytes = rows_take(&day, frame);
        for (size_t at = 0; at < bytes.len;) {
            const struct weir_msg *event = (const struct weir_msg *)(const void *)(bytes.data + at);
            uint64_t seq = event->kind == WEIR_BOOK
                               ? ((const struct weir_book_msg *)event)->last_seq
                           : event->kind == WEIR_TOP ? ((const struct weir_top *)event)->seq
                                                     : 0;
            most = seq > most ? seq : most;
            at += event->size;
        }
    }
    return most;
}

static void write_frame(struct rows_writer *writer, const struct rows_frame *frame,
                        const struct weir_bytes *bytes, const struct shift *shift)
{
    struct why why;
    struct rows_frame head = *frame;
    for (size_t at = 0; at < bytes->len;) {
        const struct weir_msg *event = (const struct weir_msg *)(const void *)(bytes->data + at);
        copy_event(writer, event, shift);
        at += event->size;
    }
    head.t += shift->t;
    if (rows_frame(writer, &head, &why))
        stop(why.text);
}

/* The day TIMES times over, in so many markets at once; each has that part of the day. */
static const char *make_rows(const char *from, uint32_t markets)
{
    static char path[512];
    static const unsigned char source[32];
    struct why why;
    struct rows day;
    struct rows_facts facts = {0};
    snprintf(path, sizeof path, "%s/%u.long", folder, markets);
    if (rows_open(from, NULL, &day, &why))
        stop(why.text);
    struct rows_writer *writer = rows_create(path, source, &why);
    if (!writer)
        stop(why.text);
    size_t begin = day.at;
    uint64_t most = day.facts.frames / markets, seqs = largest_seq(day);
    weir_ns span = day.facts.last - day.facts.first + 1000000000;
    for (uint32_t k = 0; k < TIMES; k++) {
        uint64_t n = 0;
        day.at = begin;
        for (const struct rows_frame *frame; (frame = rows_next(&day)) && n < most; n++) {
            struct weir_bytes bytes = rows_take(&day, frame);
            for (uint32_t i = 0; i < markets; i++) {
                struct shift shift = {k * seqs, k * span, i, k > 0};
                write_frame(writer, frame, &bytes, &shift);
            }
        }
    }
    if (rows_finish(writer, &facts, &why))
        stop(why.text);
    rows_close(&day);
    return path;
}

/* --- figures -----------------------------------------------------------------------------------*/

static void run(const char *rows, const char *levels, const char *name, struct bench_goal goal)
{
    char set[64];
    double values[ROUNDS];
    snprintf(set, sizeof set, "scripts.grid.settings.levels=%s", levels);
    const char *sets[] = {
        "scripts.grid.settings.venue=binance-usdm", "scripts.grid.orders_per_second=1000000",
        "scripts.grid.settings.interval_bps=1", "scripts.grid.settings.half_spread_bps=1", set};
    for (int round = 0; round < ROUNDS; round++) {
        struct why why;
        struct text out;
        int64_t tenths = 0;
        struct backtest backtest = {.config = "examples/backtest/backtest.yaml",
                                    .sets = sets,
                                    .set_count = 5,
                                    .rows = rows,
                                    .fast = true,
                                    .progress = &progress};
        text_init(&out);
        json_object(&out);
        if (backtest_run(&backtest, &out, &why))
            stop(why.text);
        json_end(&out);
        cJSON *root = json_read(text_cstr(&out), out.len, &why);
        const char *text = json_text(json_get(root, "speed"), "ns_per_row", "0");
        if (decimal_parse(text, strlen(text), 1, &tenths))
            stop("no figure");
        values[round] = (double)tenths / 10;
        cJSON_Delete(root);
        text_fini(&out);
    }
    for (int i = 1; i < ROUNDS; i++)
        for (int j = i; j > 0 && values[j] < values[j - 1]; j--) {
            double swap = values[j];
            values[j] = values[j - 1];
            values[j - 1] = swap;
        }
    bench_line(name, values, ROUNDS, "ns/row", goal);
}

static void clean(void)
{
    struct dirent **entries;
    char path[512];
    int n = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < n; free(entries[i++])) {
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        (void)unlink(path);
    }
    free(entries);
    (void)rmdir(folder);
}

int main(void)
{
    static const struct {
        uint32_t markets;
        const char *levels, *name;
        struct bench_goal goal;
    } works[] = {{1, "0", "1 market, no orders", {0, false}},
                 {1, "1", "1 market, 2 orders resting", {0, false}},
                 {1, "10", "1 market, grid of 10 + 10 in Lua", {38, false}},
                 {1, "50", "1 market, 100 orders resting", {0, false}},
                 {1, "500", "1 market, 1000 orders resting", {0, false}},
                 {10, "10", "10 markets, grid of 10 + 10", {0, false}},
                 {100, "10", "100 markets, grid of 10 + 10", {0, false}}};
    const char *shared = getenv("WEIR_SHARED");
    char data[512];
    struct why why;
    snprintf(data, sizeof data, "%s/data/binance-20240808/usdm/btcusdt_20240808.gz",
             shared ? shared : "../shared");
    if (access(data, R_OK) != 0 || access("examples/backtest/backtest.yaml", R_OK) != 0) {
        printf("backtest: skipped: needs recordings (WEIR_SHARED) and the folder of the tree\n");
        return 0;
    }
    if (!mkdtemp(folder))
        stop("no folder for temporary files");
    const char *paths[] = {data};
    struct backtest decode = {.config = "examples/backtest/backtest.yaml",
                              .data = paths,
                              .data_count = 1,
                              .cache = folder,
                              .progress = &progress};
    if (backtest_decode(&decode, &why))
        stop(why.text);
    bench_title("backtest, decoded rows of one day");
    char rows[512] = "";
    uint32_t made = 0;
    for (size_t i = 0; i < sizeof works / sizeof works[0]; i++) {
        if (works[i].markets != made) {
            if (made)
                (void)unlink(rows);
            snprintf(rows, sizeof rows, "%s", make_rows(decoded(), works[i].markets));
            made = works[i].markets;
        }
        run(rows, works[i].levels, works[i].name, works[i].goal);
    }
    clean();
    return 0;
}
