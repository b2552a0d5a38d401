/* kill.c - the real host, killed again and again under load, against an exchange in another process.
 *
 * usage: kill_loop WEIR [--times N] [--seed N] [--sync group|always] [--steps N] [--open N] [--faults N]
 *
 *   --times N   SIGKILL at random moments under load (15)
 *   --steps N   then one order at a time, killed at the first N stops of its way: before and after each
 *               system call that sends, receives or syncs, and before each append to the journal (0)
 *   --open N    then N resting orders, and how long a restart with them takes (0)
 *   --venue V   how the host speaks to the exchange: remote (default), binance or binance-usdm
 *   --faults N  then trading while the exchange does N things wrong (0)
 *
 * All runs go on with one journal. At the end the host is stopped in good order, and what its journal
 * says is held against what the exchange says: orders lost or doubled, executions lost or doubled,
 * positions. It exits 1 if anything differs. */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kill/limits.h"
#include "kill/step.h"
#include "kill/support.h"
#include "support/random.h"

#define MS     ((weir_ns)1000000)
#define SECOND (1000 * MS)

/* What a host says, on standard error, when it may trade. */
static const char ready[] = "reconciled with the venue";

struct trial {
    const char *weir;
    const char *venue; /* remote, binance (spot) or binance-usdm: how the host speaks to it */
    char key_id[128], key_secret[128];
    char folder[64], config[128], journal[128], log[128], script[128];
    const char *sync;
    uint64_t times, steps, open, faults, random;
    struct process exchange;
    uint16_t port;
    weir_ns ready_times[100000];
    size_t ready_count;
};

/* --- files ------------------------------------------------------------------------------------*/

static bool is_remote(const struct trial *trial)
{
    return strcmp(trial->venue, "remote") == 0;
}

static void write_venue(FILE *file, const struct trial *trial)
{
    bool usdm = strcmp(trial->venue, "binance-usdm") == 0;
    if (is_remote(trial)) {
        fprintf(
            file,
            "venues:\n  there: {plugin: remote, execution: venue, answer_timeout: 2s, endpoint: "
            "{ws: \"ws://127.0.0.1:%u\"}}\n",
            trial->port);
        return;
    }
    fprintf(
        file,
        "keys:\n  trading: {id: \"file:%s\", secret: \"file:%s\"}\n"
        "venues:\n  there: {plugin: binance, execution: venue, answer_timeout: 2s, endpoint: {ws: "
        "\"ws://127.0.0.1:%u\", http: \"http://127.0.0.1:%u\"}, settings: {market: %s, symbols: "
        "\"BTCUSDT,ETHUSDT,SOLUSDT\", key: trading}}\n",
        trial->key_id, trial->key_secret, trial->port, trial->port, usdm ? "usdm" : "spot");
}

/* settings: of the load script; NULL: no script. */
static void write_config(const struct trial *trial, const char *settings)
{
    FILE *file = fopen(trial->config, "w");
    if (!file)
        give_up("%s: %m", trial->config);
    fprintf(file,
            "host: {instance: 7, journal: \"%s\", journal_mode: continue, sync: %s, segment: 4MiB, "
            "snapshot: 256KiB, "
            "control: \"%s/sock\", disk_floor: 1MiB, stop_wait: 20s}\n"
            "policy: {not_found_after: 300ms, query_first: 20ms, query_most: 200ms}\n"
            "gateway: {port: 0}\n",
            trial->journal, trial->sync, trial->folder);
    write_venue(file, trial);
    /* a host that does not know the venue's clock sends nothing there */
    fprintf(file, "limits:\n" LIMITS_NONE("%s"),
            is_remote(trial) ? "" : "max_clock_offset_ms: 1000, ");
    if (settings)
        fprintf(file,
                "scripts:\n  load: {file: \"%s\", callback: 2s, orders_per_second: 100000, "
                "settings: {%s%s}}\n",
                trial->script, settings, is_remote(trial) ? "" : ", quote: \"USDT\"");
    if (fclose(file) != 0)
        give_up("%s: %m", trial->config);
}

static void set_up(struct trial *trial)
{
    snprintf(trial->folder, sizeof trial->folder, "/tmp/weir-kill-XXXXXX");
    if (!mkdtemp(trial->folder))
        give_up("no folder: %m");
    snprintf(trial->config, sizeof trial->config, "%s/weir.yaml", trial->folder);
    snprintf(trial->journal, sizeof trial->journal, "%s/journal", trial->folder);
    snprintf(trial->log, sizeof trial->log, "%s/log", trial->folder);
    snprintf(trial->script, sizeof trial->script, SOURCE_DIR "/tests/kill/load.lua");
    snprintf(trial->key_id, sizeof trial->key_id, "%s/key.id", trial->folder);
    snprintf(trial->key_secret, sizeof trial->key_secret, "%s/key.secret", trial->folder);
    write_file(trial->key_id, "weir");
    write_file(trial->key_secret, "secret");
    if (chmod(trial->key_id, 0600) != 0 || chmod(trial->key_secret, 0600) != 0)
        give_up("chmod: %m");
}

/* --- processes --------------------------------------------------------------------------------*/

static void start_exchange(struct trial *trial)
{
    char seed[32], orders[48], instruments[200];
    const char *quote = is_remote(trial) ? "USD" : "USDT";
    snprintf(instruments, sizeof instruments,
             "instruments=BTC-%s:50000:0.01:0.0001,ETH-%s:3000:0.01:0.001,SOL-%s:150:0.001:0.01",
             quote, quote, quote);
    const char *argv[] = {trial->weir,
                          "exchange",
                          "--venue",
                          is_remote(trial) ? "sim" : trial->venue,
                          "--weight",
                          "1000000000",
                          "--seed",
                          seed,
                          "--set",
                          instruments,
                          "--set",
                          is_remote(trial)
                              ? "balances=USD:100000000,BTC:1000,ETH:10000,SOL:100000"
                              : "balances=USDT:100000000,BTC:1000,ETH:10000,SOL:100000",
                          "--set",
                          "self_trade=cancel_old",
                          "--set",
                          "latency_us=300",
                          "--set",
                          "jitter_us=700",
                          "--set",
                          orders,
                          "--set",
                          "check_balance=0",
                          NULL};
    unsigned port = 0;
    snprintf(orders, sizeof orders, "orders=%" PRIu64, trial->open + 4096);
    snprintf(seed, sizeof seed, "%" PRIu64, trial->random % 1000);
    trial->exchange = process_start(argv, 1, trial->log, false);
    const char *line = process_says(&trial->exchange, "}", 10 * SECOND);
    if (!line || sscanf(trial->exchange.text, "{\"http\":%u", &port) != 1)
        give_up("the exchange does not start");
    trial->port = (uint16_t)port;
}

static struct process start_host(struct trial *trial, bool traced)
{
    const char *argv[] = {trial->weir, "run", "--config", trial->config, "--no-console", NULL};
    return process_start(argv, 2, trial->log, traced);
}

static void show(const struct process *process)
{
    fprintf(stderr, "the host said:\n%s\n", process->text ? process->text : "");
}

/* Wait until it may trade; how long that took is kept. */
static void until_ready(struct trial *trial, struct process *host, weir_ns started)
{
    if (!process_says(host, ready, 30 * SECOND)) {
        show(host);
        give_up("the host was not ready within 30 s");
    }
    if (trial->ready_count < sizeof trial->ready_times / sizeof trial->ready_times[0])
        trial->ready_times[trial->ready_count++] = now_ns() - started;
}

/* --- killed at random -------------------------------------------------------------------------*/

static void kill_at_random(struct trial *trial)
{
    weir_ns started = now_ns();
    struct process host = start_host(trial, false);
    if (random_below(&trial->random, 4) == 0) { /* while it starts */
        weir_ns after = (weir_ns)random_below(&trial->random, 150 * MS);
        sleep_ns(after);
    } else {
        until_ready(trial, &host, started);
        sleep_ns((weir_ns)random_below(&trial->random, 400 * MS));
    }
    (void)process_listen(&host, 0);
    int status = process_kill(&host, SIGKILL);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        give_up("the host ended by itself (status %d)", status);
}

/* --- killed at each step ----------------------------------------------------------------------*/

enum { KINDS_MAX = 16 };

/* What kinds of stops there were, and how many of each. */
struct kinds {
    char names[KINDS_MAX][64];
    unsigned counts[KINDS_MAX];
    size_t count;
};

static void count_kind(struct kinds *kinds, const char *name)
{
    size_t i = 0;
    while (i < kinds->count && strcmp(kinds->names[i], name) != 0)
        i++;
    if (i == KINDS_MAX)
        return;
    if (i == kinds->count)
        snprintf(kinds->names[kinds->count++], sizeof kinds->names[0], "%s", name);
    kinds->counts[i]++;
}

/* One after the other; the stop of each is one further than that of the one before. */
static void kill_at_steps(struct trial *trial)
{
    struct stepper stepper = {.offset = function_offset(trial->weir, "journal_append"),
                              .from = ready};
    struct kinds kinds = {0};
    if (!stepper.offset)
        printf("steps       the program has no symbol journal_append: system calls only\n");
    for (uint64_t n = 1; n <= trial->steps; n++) {
        struct process host = start_host(trial, true);
        stepper.kill_at = n;
        if (!step(&host, &stepper, 60 * SECOND)) {
            show(&host);
            give_up("stop %" PRIu64 " was not reached; the last was %" PRIu64 ", %s", n,
                    stepper.stops, stepper.where);
        }
        count_kind(&kinds, stepper.where);
        (void)process_wait(&host);
    }
    printf("steps       killed at %" PRIu64 " stops:", trial->steps);
    for (size_t i = 0; i < kinds.count; i++)
        printf("%s %s %u", i ? "," : "", kinds.names[i], kinds.counts[i]);
    printf("\n");
}

/* --- faults -----------------------------------------------------------------------------------*/

static int faults_waiting(const struct trial *trial)
{
    cJSON *list = get_json(trial->port, "/_weir/faults");
    int count = cJSON_GetArraySize(list);
    cJSON_Delete(list);
    return count;
}

/* The exchange answers not at all, late, twice, or hangs up, while the host trades. */
static void trade_with_faults(struct trial *trial)
{
    static const char *const wishes[] = {
        "{\"kind\":\"drop_ack\",\"match\":\"new\",\"count\":2}",
        "{\"kind\":\"drop_ack\",\"match\":\"cancel\",\"count\":2}",
        "{\"kind\":\"drop_ack\",\"match\":\"replace\"}",
        "{\"kind\":\"reject\",\"match\":\"new\",\"count\":3}",
        "{\"kind\":\"reject\",\"match\":\"cancel\",\"count\":3}",
        "{\"kind\":\"reject\",\"match\":\"replace\"}",
        "{\"kind\":\"duplicate\",\"match\":\"fill\",\"count\":5}",
        "{\"kind\":\"duplicate\",\"match\":\"new\",\"count\":5}",
        "{\"kind\":\"duplicate\",\"match\":\"cancel\",\"count\":5}",
        "{\"kind\":\"delay\",\"match\":\"new\",\"ms\":150}",
        "{\"kind\":\"delay\",\"match\":\"fill\",\"ms\":300}",
        "{\"kind\":\"disconnect\",\"match\":\"new\"}",
        "{\"kind\":\"disconnect\",\"match\":\"cancel\"}",
        "{\"kind\":\"disconnect\",\"match\":\"fill\"}",
        "{\"kind\":\"drop_ack\",\"match\":\"query\"}",
        "{\"kind\":\"error\",\"match\":\"new\",\"count\":2}",
        "{\"kind\":\"error\",\"match\":\"cancel\"}",
        "{\"kind\":\"reorder\",\"match\":\"fill\",\"ms\":200}",
    };
    struct process host = start_host(trial, false);
    until_ready(trial, &host, now_ns());
    for (uint64_t i = 0; i < trial->faults; i++) {
        for (weir_ns end = now_ns() + 60 * SECOND; faults_waiting(trial) > 16;) {
            if (now_ns() > end) {
                show(&host);
                give_up("the host has stopped trading: faults wait for it");
            }
            (void)process_listen(&host, 20 * MS);
        }
        const char *wish = wishes[random_below(&trial->random, sizeof wishes / sizeof wishes[0])];
        post_json(trial->port, "/_weir/faults", wish);
        sleep_ns((weir_ns)random_below(&trial->random, 120 * MS));
        if (strstr(wish, "disconnect")) /* else the pauses before it comes back grow and grow */
            sleep_ns(SECOND);
        (void)process_listen(&host, 0);
    }
    int status = process_kill(&host, SIGTERM);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        give_up("the host did not stop in good order after faults (status %d)", status);
    printf("faults      %" PRIu64 " of %zu kinds\n", trial->faults,
           sizeof wishes / sizeof wishes[0]);
}

/* --- with many open orders --------------------------------------------------------------------*/

static uint64_t live_orders(const struct trial *trial);

static void restart_with_many(struct trial *trial)
{
    char settings[64];
    struct process host;
    size_t before = trial->ready_count;
    snprintf(settings, sizeof settings, "rest: %" PRIu64, trial->open);
    write_config(trial, settings);
    host = start_host(trial, false);
    until_ready(trial, &host, now_ns());
    for (weir_ns end = now_ns() + 120 * SECOND; live_orders(trial) < trial->open;) {
        (void)process_listen(&host, 0);
        sleep_ns(200 * MS);
        if (now_ns() > end) {
            show(&host);
            give_up("only %" PRIu64 " orders rest", live_orders(trial));
        }
    }
    write_config(trial, NULL);
    trial->ready_count = before;
    for (int i = 0; i < 5; i++) {
        (void)process_kill(&host, SIGKILL);
        weir_ns started = now_ns();
        host = start_host(trial, false);
        until_ready(trial, &host, started);
        printf("open        %" PRIu64 " orders rest; killed, and ready again after %.1f ms\n",
               live_orders(trial), (double)(now_ns() - started) / 1e6);
    }
    (void)process_kill(&host, SIGKILL);
    trial->ready_count = before;
}

/* --- the end ----------------------------------------------------------------------------------*/

static uint64_t live_orders(const struct trial *trial)
{
    cJSON *books = get_json(trial->port, "/_weir/books");
    const cJSON *order;
    uint64_t live = 0;
    cJSON_ArrayForEach(order, json_get(json_get(json_get(books, "accounts"), "main"), "orders"))
        live += strcmp(json_text(order, "state", ""), "open") == 0;
    cJSON_Delete(books);
    return live;
}

/* Without a script: what is in doubt is resolved, what is open is cancelled by the stop. */
static void stop_in_good_order(struct trial *trial)
{
    write_config(trial, NULL);
    weir_ns started = now_ns();
    struct process host = start_host(trial, false);
    until_ready(trial, &host, started);
    sleep_ns(3 * SECOND); /* the questions about orders in doubt are answered */
    int status = process_kill(&host, SIGTERM);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        give_up("the host did not stop in good order (status %d)", status);
}

static bool judge(struct trial *trial)
{
    cJSON *books = get_json(trial->port, "/_weir/books");
    struct verdict verdict = compare(trial->journal, books, "main");
    verdict_print(&verdict);
    cJSON_Delete(books);
    if (verdict.orders == 0 || (trial->times > 10 && verdict.executions == 0))
        give_up("nothing was traded, so nothing is shown");
    return verdict_is_clean(&verdict);
}

static int by_time(const void *a, const void *b)
{
    weir_ns x = *(const weir_ns *)a, y = *(const weir_ns *)b;
    return (x > y) - (x < y);
}

static void print_ready_times(struct trial *trial)
{
    size_t n = trial->ready_count;
    if (n == 0)
        return;
    qsort(trial->ready_times, n, sizeof trial->ready_times[0], by_time);
    printf("ready       %zu starts, from process start to reconciled: p50 %.1f ms, p90 %.1f ms, "
           "most %.1f ms\n",
           n, (double)trial->ready_times[n / 2] / 1e6, (double)trial->ready_times[n * 9 / 10] / 1e6,
           (double)trial->ready_times[n - 1] / 1e6);
}

static void parse(int argc, char **argv, struct trial *trial)
{
    static const struct option options[] = {
        {"times", required_argument, NULL, 't'}, {"seed", required_argument, NULL, 's'},
        {"sync", required_argument, NULL, 'y'},  {"steps", required_argument, NULL, 'S'},
        {"open", required_argument, NULL, 'o'},  {"faults", required_argument, NULL, 'f'},
        {"venue", required_argument, NULL, 'v'}, {0}};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (c) {
        case 't': trial->times = strtoull(optarg, NULL, 10); break;
        case 's': trial->random = strtoull(optarg, NULL, 10); break;
        case 'y': trial->sync = optarg; break;
        case 'f': trial->faults = strtoull(optarg, NULL, 10); break;
        case 'v': trial->venue = optarg; break;
        case 'o': trial->open = strtoull(optarg, NULL, 10); break;
        case 'S': trial->steps = strtoull(optarg, NULL, 10); break;
        default:
            give_up("usage: kill_loop WEIR [--times N] [--seed N] [--sync HOW] [--steps N] [--open "
                    "N] [--faults N] [--venue remote|binance|binance-usdm]");
        }
    if (optind + 1 != argc)
        give_up("expected the program weir");
    trial->weir = argv[optind];
}

int main(int argc, char **argv)
{
    static struct trial trial = {.venue = "remote", .sync = "group", .times = 15, .random = 1};
    setvbuf(stdout, NULL, _IOLBF, 0);
    parse(argc, argv, &trial);
    set_up(&trial);
    start_exchange(&trial);
    printf("kill        %" PRIu64 " times at random, sync %s, in %s\n", trial.times, trial.sync,
           trial.folder);
    write_config(&trial, "open: 60, per_tick: 2");
    for (uint64_t i = 0; i < trial.times; i++)
        kill_at_random(&trial);
    if (trial.faults > 0)
        trade_with_faults(&trial);
    if (trial.open > 0)
        restart_with_many(&trial);
    if (trial.steps > 0) {
        write_config(&trial, "open: 3, per_tick: 1");
        kill_at_steps(&trial);
    }
    stop_in_good_order(&trial);
    bool clean = judge(&trial) && live_orders(&trial) == 0;
    print_ready_times(&trial);
    process_kill(&trial.exchange, SIGTERM);
    if (clean)
        remove_folder(trial.folder);
    else
        printf("what was left is in %s\n", trial.folder);
    return !clean;
}
