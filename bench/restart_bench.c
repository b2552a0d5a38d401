/* restart_bench.c - how long a host with many open orders is away, and what an open order costs.
 *
 *   restart_bench [FOLDER] [ORDERS]   where to put the journals; default: the present folder;
 *                                     most orders, default 1000000
 *
 * A journal with 10^4 and with 10^6 orders that were sent and acknowledged and still work, limits of
 * four scopes on each decision. CPU time until the engine is as it was: by all of the journal, and by
 * a snapshot and what comes behind it (nothing here; `snapshot` in the configuration bounds it), with
 * the segment of the snapshot read and checked. Memory: pages of the engine's arena that were touched,
 * small ones, less those of an engine without orders. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "bench.h"
#include "journal/engine_home.h"
#include "journal/journal.h"
#include "journal/replay.h"
#include "journal/snapshot.h"

enum { PAGE = 4096 };

static char folder[600];

struct host {
    struct journal_options options;
    struct journal *journal;
    struct engine_home home;
    struct effects effects;
    weir_ns now;
    char wire[WEIR_ID_MAX]; /* of the last order that was sent */
};

static void remove_journal(void)
{
    char command[700];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command) != 0)
        bench_die("restart", "cannot remove the journal");
}

static struct engine_sizes sizes_for(uint32_t orders)
{
    struct engine_sizes sizes = engine_sizes_default();
    sizes.orders = orders + 64;
    sizes.client_ids = 2 * orders + 64;
    return sizes;
}

/* Small pages, so that what was touched is what is used. */
static void make_home(struct engine_home *home, const struct engine_sizes *sizes)
{
    *home = (struct engine_home){.bytes = (engine_bytes(sizes) + PAGE - 1) / PAGE * PAGE};
    home->memory = mmap(NULL, home->bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (home->memory == MAP_FAILED || madvise(home->memory, home->bytes, MADV_NOHUGEPAGE) != 0)
        bench_die("restart", strerror(errno));
    struct arena arena = {home->memory, (unsigned char *)home->memory + home->bytes};
    home->engine = engine_create(&arena, sizes);
    if (!home->engine)
        bench_die("restart", "the engine cannot be made");
}

static double touched(const struct engine_home *home)
{
    size_t pages = home->bytes / PAGE, in_use = 0;
    unsigned char *resident = malloc(pages);
    if (!resident || mincore(home->memory, home->bytes, resident) != 0)
        bench_die("restart", strerror(errno));
    for (size_t i = 0; i < pages; i++)
        in_use += resident[i] & 1;
    free(resident);
    return (double)in_use * PAGE;
}

/* --- a journal with many open orders -------------------------------------------------------------- */

static void take(void *context, const struct weir_msg *effect)
{
    struct host *host = context;
    if (journal_append(host->journal, JOURNAL_EFFECT, effect) == 0)
        bench_die("append", "refused");
    if (effect->kind == WEIR_NEW)
        memcpy(host->wire, ((const struct weir_intent *)(const void *)effect)->client_id,
               sizeof host->wire);
}

static void give(struct host *host, void *input)
{
    struct weir_msg *msg = input;
    struct effect_sink sink = {take, host};
    msg->venue = msg->account = 1;
    msg->t = host->now += 1000;
    uint64_t seq = journal_append(host->journal, JOURNAL_INPUT, msg);
    if (seq == 0)
        bench_die("append", "refused");
    engine_apply(host->home.engine, msg, seq, &sink);
}

static void define(struct host *host, uint16_t kind, uint32_t parent, const char *name)
{
    struct in_define define = {.msg = {.size = sizeof define, .kind = kind},
                               .number = 1,
                               .parent = parent,
                               .rights = kind == IN_DEFINE_STRATEGY ? RIGHT_ORDERS : 0};
    snprintf(define.name, sizeof define.name, "%s", name);
    give(host, &define);
}

static void give_limits(struct host *host)
{
    static const enum risk_scope scopes[] = {SCOPE_host, SCOPE_account, SCOPE_strategy,
                                             SCOPE_instrument};
    static const enum risk_limit limits[] = {LIMIT_max_order_qty, LIMIT_max_position,
                                             LIMIT_max_order_notional, LIMIT_max_open_orders};
    for (size_t s = 0; s < 4; s++)
        for (size_t l = 0; l < 4; l++) {
            struct in_limit limit = {.msg = {.size = sizeof limit, .kind = IN_LIMIT},
                                     .scope = (uint8_t)scopes[s],
                                     .limit = (uint8_t)limits[l],
                                     .how = LIMIT_VALUE,
                                     .id = scopes[s] != SCOPE_host};
            limit.value = amount_pack(amount_from(1000000000, 0));
            give(host, &limit);
        }
}

static void give_world(struct host *host)
{
    define(host, IN_DEFINE_VENUE, 0, "venue");
    define(host, IN_DEFINE_ACCOUNT, 1, "main");
    define(host, IN_DEFINE_GROUP, 0, "all");
    define(host, IN_DEFINE_STRATEGY, 1, "maker");
    struct weir_instrument instrument = {
        .msg = {.size = sizeof instrument, .kind = WEIR_INSTRUMENT, .instrument = 1},
        .symbol = "BTC-USDT",
        .base = "BTC",
        .quote = "USDT",
        .price_exp = 2,
        .qty_exp = 3,
        .multiplier = 1,
        .tick = 1,
        .step = 1};
    give(host, &instrument);
    give_limits(host);
    struct weir_top top = {.msg = {.size = sizeof top, .kind = WEIR_TOP, .instrument = 1},
                           .seq = 1,
                           .bid = 3000000,
                           .ask = 3000100,
                           .bid_qty = 5,
                           .ask_qty = 5};
    give(host, &top);
}

static void give_orders(struct host *host, uint32_t orders)
{
    struct in_submit submit = {.msg = {.size = sizeof submit, .kind = IN_SUBMIT, .instrument = 1},
                               .strategy = 1,
                               .qty = 1};
    struct weir_report ack = {.msg = {.size = sizeof ack, .kind = WEIR_ACK, .instrument = 1}};
    for (uint32_t i = 0; i < orders; i++) {
        submit.px = 2900000 - i % 1000;
        snprintf(submit.cid, sizeof submit.cid, "maker-%u", i);
        give(host, &submit);
        memcpy(ack.client_id, host->wire, sizeof ack.client_id);
        snprintf(ack.venue_id, sizeof ack.venue_id, "v%u", i);
        give(host, &ack);
    }
    if (engine_counts(host->home.engine)->live_orders != orders)
        bench_die("restart", "not all orders are open");
}

static void write_journal(uint32_t orders, double *empty, double *full)
{
    struct why why;
    struct journal_lock *lock;
    struct journal_summary summary;
    struct engine_sizes sizes = sizes_for(orders);
    struct host host = {.now = 1};
    host.options =
        (struct journal_options){.folder = folder, .sync = JOURNAL_NEVER, .sizes = sizes};
    remove_journal();
    make_home(&host.home, &sizes);
    if (journal_lock(folder, &lock, &why) != WEIR_OK ||
        journal_open(&host.options, lock, NULL, &host.journal, &why) != WEIR_OK)
        bench_die("cannot begin", why.text);
    give_world(&host);
    *empty = touched(&host.home);
    give_orders(&host, orders);
    *full = touched(&host.home);
    if (journal_close(host.journal, &summary, &why) != WEIR_OK)
        bench_die("cannot close", why.text);
    engine_home_fini(&host.home);
}

/* --- starts ----------------------------------------------------------------------------------------- */

/* Read all of it into an engine and write a snapshot at the end. */
static void snapshot_at_end(const struct engine_sizes *sizes, double *all_ms, double *write_ms)
{
    struct why why;
    struct engine_home home;
    struct reader *reader;
    struct reader_options options = {0};
    struct journal_record record;
    struct effects effects;
    uint64_t at;
    effects_init(&effects);
    double start = bench_cpu_ns();
    if (engine_home_init(&home, sizes, &why) != WEIR_OK ||
        snapshot_resume(folder, sizes, home.engine, &options, &reader, &at, &why) != WEIR_OK)
        bench_die("cannot read", why.text);
    enum weir_err err;
    while ((err = reader_next(reader, &record, &why)) == WEIR_OK)
        if (record.class == JOURNAL_INPUT) {
            effects_clear(&effects);
            engine_apply(home.engine, record.msg, record.seq, &effects.sink);
        }
    *all_ms = (bench_cpu_ns() - start) / 1e6;
    if (err != WEIR_E_NOT_FOUND)
        bench_die("cannot read", why.text);
    start = bench_cpu_ns();
    if (snapshot_write(folder, reader, sizes, home.engine, 0, &why) != WEIR_OK)
        bench_die("cannot write a snapshot", why.text);
    *write_ms = (bench_cpu_ns() - start) / 1e6;
    reader_close(reader);
    effects_fini(&effects);
    engine_home_fini(&home);
}

static double restart_ms(const struct engine_sizes *sizes, uint32_t orders)
{
    struct why why;
    struct engine_home home;
    struct journal *journal;
    struct journal_extent extent;
    struct journal_options options = {.folder = folder, .sync = JOURNAL_NEVER, .sizes = *sizes};
    double start = bench_cpu_ns();
    if (engine_home_init(&home, sizes, &why) != WEIR_OK ||
        journal_restart(&options, home.engine, &journal, &extent, &why) != WEIR_OK)
        bench_die("cannot start", why.text);
    double took = (bench_cpu_ns() - start) / 1e6;
    if (engine_counts(home.engine)->live_orders != orders)
        bench_die("restart", "orders are missing");
    journal_abandon(journal);
    engine_home_fini(&home);
    return took;
}

/* Of all files whose name ends so. */
static double megabytes_of(const char *end)
{
    double bytes = 0;
    struct dirent *entry;
    DIR *dir = opendir(folder);
    while (dir && (entry = readdir(dir)) != NULL) {
        struct stat stat;
        const char *dot = strrchr(entry->d_name, '.');
        if (dot && strcmp(dot, end) == 0 && fstatat(dirfd(dir), entry->d_name, &stat, 0) == 0)
            bytes += (double)stat.st_size;
    }
    if (dir)
        closedir(dir);
    return bytes / 1e6;
}

static void bench_orders(uint32_t orders, int times, struct bench_goal goal)
{
    char title[80];
    double restarts[9], empty, full, all_ms, write_ms;
    struct engine_sizes sizes = sizes_for(orders);
    write_journal(orders, &empty, &full);
    double journal = megabytes_of(".weir");
    snapshot_at_end(&sizes, &all_ms, &write_ms);
    for (int i = 0; i < times; i++)
        restarts[i] = restart_ms(&sizes, orders);

    snprintf(title, sizeof title, "%u open orders", orders);
    bench_title(title);
    bench_line("restart at a snapshot", restarts, times, "ms", goal);
    bench_fact("  by all of the journal", all_ms, "ms", NO_GOAL);
    bench_fact("  the journal", journal, "MB", NO_GOAL);
    bench_fact("  the snapshot", megabytes_of(".snapshot"), "MB", NO_GOAL);
    bench_fact("  writing it, in its own thread", write_ms, "ms", NO_GOAL);
    bench_fact("memory of an open order, touched", (full - empty) / orders, "B", NO_GOAL);
    bench_fact("  engine without orders, touched", empty / 1e6, "MB", NO_GOAL);
    remove_journal();
}

int main(int argc, char **argv)
{
    unsigned long most = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000000;
    log_to(stderr, false, LOG_WARN);
    snprintf(folder, sizeof folder, "%s/restart-bench", argc > 1 ? argv[1] : ".");
    bench_orders(10000, 9, AT_MOST(100));
    if (most > 10000)
        bench_orders((uint32_t)most, 3, NO_GOAL);
    return 0;
}
