/* cmd_backtest.c - `weir backtest`: runs on recordings, many side by side, and what came of them.
 *
 * Each run is a process of its own, so that none can disturb another, and as many work at a time as
 * there are cores. A run writes its JSON into a file that has no name; its progress stands in memory
 * that all share. */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/decimal.h"
#include "base/hash.h"
#include "base/json.h"
#include "control/backtest.h"
#include "control/commands.h"
#include "control/grid.h"
#include "control/report/report.h"
#include "sim/recordings.h"

static const char help[] =
    "usage: weir backtest --config FILE --data PATH... [--report FILE.html] [--json]\n"
    "                     [--set KEY=VALUE]... [--grid KEY=VALUES]... [--jobs N] [--journal "
    "DIR]\n\n"
    "Runs the strategies of a configuration on recordings: the same engine, plugins, scripts and\n"
    "paper execution as `weir run --data`, with the same orders and fills. docs/backtest.md "
    "explains\n"
    "each number.\n"
    "  --config FILE     default: config/weir.yaml\n"
    "  --data PATH...    recordings: files or folders\n"
    "  --report FILE     write the result as one HTML page that needs nothing else\n"
    "  --json            the result as one JSON document on standard output\n"
    "  --set KEY=VALUE   a value that stands instead of the configuration's, such as\n"
    "                    scripts.maker.settings.clip=0.02\n"
    "  --grid KEY=VALUES the same for each of several values: a,b,c or FROM..TO..STEP; with "
    "several\n"
    "                    grids each combination is a run\n"
    "  --jobs N          runs at a time; default: one for each core\n"
    "  --journal DIR     keep each run's journal there, for `weir why` and `weir replay`\n"
    "  --cache DIR       keep the decoded data there, and use it next time; several runs decode "
    "once\n"
    "                    in any case\n"
    "  --fast            prices reach the engine when somebody looks (a script wakes up, an order "
    "or\n"
    "                    execution comes), not each time they change: the same orders and fills, "
    "as long\n"
    "                    as no loss limit trips and no held order triggers in between; no "
    "journal_hash\n";

enum { DATA_MAX = 4096, GRIDS_MAX = 16, SETS_MAX = 64, RUNS_MAX = 10000 };

struct run {
    pid_t pid; /* 0: not begun */
    bool done;
    int code;
    int file; /* its JSON, or its error */
};

struct job {
    const char *config, *report, *journal, *cache;
    bool json, fast;
    char own_cache[512]; /* made for this job, and removed after it; "": not needed */
    const char *data[DATA_MAX];
    size_t data_count;
    const char *sets[SETS_MAX];
    size_t set_count;
    const char *grids[GRIDS_MAX];
    size_t grid_count;
    long at_once;
    struct grid *grid;
    size_t run_count;
    struct run *runs;
    struct backtest_progress *progress; /* one for each run */
    struct report_file *files;
    char **paths;
    size_t file_count;
    uint64_t bytes; /* of all files */
    weir_ns began;
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    stopped = number;
}

/* --- one run, in its own process ---------------------------------------------------------------*/

static int write_all(int file, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(file, text, len);
        if (n < 0 && errno != EINTR)
            return EXIT_BAD;
        text += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return EXIT_OK;
}

enum { DECODE = -1 }; /* instead of the number of a run: only decode, as the first run needs it */

static int run_one(const struct job *job, ssize_t which, int file)
{
    size_t number = which == DECODE ? 0 : (size_t)which;
    const char *sets[SETS_MAX + GRIDS_MAX];
    struct why why = {.text = ""};
    struct text out;
    char journal[600];
    size_t count = job->set_count;
    memcpy(sets, job->sets, count * sizeof *sets);
    count += grid_point(job->grid, number, sets + count);
    snprintf(journal, sizeof journal, job->run_count > 1 ? "%s/%zu" : "%s",
             job->journal ? job->journal : "", number + 1);
    struct backtest backtest = {.config = job->config,
                                .sets = sets,
                                .set_count = count,
                                .data = job->data,
                                .data_count = job->data_count,
                                .journal = job->journal ? journal : NULL,
                                .cache = job->cache,
                                .fast = job->fast,
                                .progress = &job->progress[number]};
    text_init(&out);
    json_object(&out);
    enum weir_err err =
        which == DECODE ? backtest_decode(&backtest, &why) : backtest_run(&backtest, &out, &why);
    json_end(&out);
    int code = err ? EXIT_BAD : EXIT_OK;
    if (err)
        (void)write_all(file, why.text, strlen(why.text));
    else
        code = write_all(file, text_cstr(&out), out.len);
    text_fini(&out);
    return code;
}

static int begin(struct job *job, struct run *run, ssize_t number)
{
    run->file = memfd_create("run", MFD_CLOEXEC);
    fflush(NULL);
    run->pid = run->file >= 0 ? fork() : -1;
    if (run->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* no run outlives who asked for it */
        signal(SIGINT, SIG_IGN);
        signal(SIGTERM, SIG_DFL);
        _exit(run_one(job, number, run->file));
    }
    return run->pid < 0 ? usage_error("backtest", "a run cannot be started: %s", strerror(errno))
                        : EXIT_OK;
}

/* --- the bar -----------------------------------------------------------------------------------*/

struct sight {
    uint64_t messages, bytes;
    size_t done;
};

static struct sight look(const struct job *job)
{
    struct sight sight = {0};
    for (size_t i = 0; i < job->run_count; i++) {
        sight.messages += atomic_load_explicit(&job->progress[i].messages, memory_order_relaxed);
        sight.bytes += job->runs[i].done
                           ? job->bytes
                           : atomic_load_explicit(&job->progress[i].bytes, memory_order_relaxed);
        sight.done += job->runs[i].done;
    }
    return sight;
}

/* "87 ms", "12 s", "3 min 20 s" */
static void print_left(weir_ns t, char *text, size_t room)
{
    int64_t s = t / 1000000000;
    if (s >= 60)
        snprintf(text, room, "%" PRId64 " min %" PRId64 " s", s / 60, s % 60);
    else
        snprintf(text, room, "%" PRId64 " s", s);
}

static void draw_bar(const struct job *job, bool last)
{
    struct sight sight = look(job);
    weir_ns took = clock_stopwatch() - job->began;
    uint64_t all = job->bytes * job->run_count, whole = all > 0 ? all : 1;
    unsigned permille = (unsigned)((unsigned __int128)sight.bytes * 1000 / whole);
    char bar[31], left[48] = "?";
    permille = permille > 1000 || last ? 1000 : permille;
    for (unsigned i = 0; i < 30; i++)
        bar[i] = i * 1000 < permille * 30 ? '#' : '.';
    bar[30] = '\0';
    if (permille > 0)
        print_left(took * (1000 - permille) / permille, left, sizeof left);
    uint64_t rate =
        took > 0 ? (uint64_t)((unsigned __int128)sight.messages * 1000000000 / (uint64_t)took) : 0;
    fprintf(stderr, "\r[%s] %3u %%  %" PRIu64 " messages/s  %s left  %zu of %zu runs   ", bar,
            permille / 10, rate, left, sight.done, job->run_count);
    if (last)
        fputc('\n', stderr);
}

/* --- all runs ----------------------------------------------------------------------------------*/

static void collect(struct job *job)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        for (size_t i = 0; i < job->run_count; i++)
            if (job->runs[i].pid == pid) {
                job->runs[i].done = true;
                job->runs[i].code = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_BAD;
                if (WIFSIGNALED(status))
                    dprintf(job->runs[i].file, "the run was ended by signal %d", WTERMSIG(status));
            }
}

static void ask_to_stop(const struct job *job)
{
    for (size_t i = 0; i < job->run_count; i++)
        atomic_store(&job->progress[i].stop, 1);
}

/* Hashes of the data, while the runs work on it. */
static void hash_file(struct report_file *file)
{
    unsigned char sum[32];
    static char bytes[1 << 16];
    FILE *in = fopen(file->path, "rb");
    struct sha256 *sha = sha256_create();
    size_t n = 0;
    while (in && sha && (n = fread(bytes, 1, sizeof bytes, in)) > 0)
        sha256_add(sha, bytes, n);
    if (in && sha && !ferror(in)) {
        sha256_value(sha, sum);
        hex_print(sum, sizeof sum, file->sha256);
    }
    sha256_destroy(sha);
    if (in)
        fclose(in);
}

static char *read_result(const struct run *run, size_t *len_out)
{
    off_t size = lseek(run->file, 0, SEEK_END);
    char *text = size >= 0 ? malloc((size_t)size + 1) : NULL;
    if (!text || pread(run->file, text, (size_t)size, 0) != size) {
        free(text);
        return NULL;
    }
    text[size] = '\0';
    *len_out = (size_t)size;
    return text;
}

/* Decode in a process of its own, before the runs, which would each do it else. */
static int decode_first(struct job *job)
{
    struct run run = {.file = -1};
    int status = 0;
    size_t len = 0;
    if (!job->cache)
        return EXIT_OK;
    if (begin(job, &run, DECODE) != EXIT_OK)
        return EXIT_BAD;
    while (waitpid(run.pid, &status, 0) < 0 && errno == EINTR)
        if (stopped)
            kill(run.pid, SIGTERM);
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_BAD;
    char *text = code != EXIT_OK ? read_result(&run, &len) : NULL;
    if (code != EXIT_OK)
        (void)usage_error("backtest", "%s", text && len ? text : "the data could not be decoded");
    free(text);
    close(run.file);
    return code;
}

static int run_all(struct job *job)
{
    bool bar = isatty(STDERR_FILENO);
    size_t begun = 0, hashed = 0;
    job->began = clock_stopwatch();
    for (;;) {
        struct sight sight = look(job);
        if (stopped)
            ask_to_stop(job);
        for (; begun < job->run_count && !stopped && begun - sight.done < (size_t)job->at_once;
             begun++)
            if (begin(job, &job->runs[begun], (ssize_t)begun) != EXIT_OK)
                return EXIT_BAD;
        if (sight.done == begun && (begun == job->run_count || stopped))
            break;
        if (hashed < job->file_count)
            hash_file(&job->files[hashed++]);
        else
            nanosleep(&(struct timespec){.tv_nsec = bar ? 100000000 : 5000000}, NULL);
        collect(job);
        if (bar)
            draw_bar(job, false);
    }
    while (hashed < job->file_count)
        hash_file(&job->files[hashed++]);
    if (bar)
        draw_bar(job, true);
    return stopped ? EXIT_NO : EXIT_OK;
}

/* --- results -----------------------------------------------------------------------------------*/

/* One document: the data's members, and those of the only run, or all runs under "runs". */
static int compose(const struct job *job, struct text *out)
{
    json_object(out);
    report_data_json(job->files, job->file_count, out);
    json_end(out);
    out->len--; /* its brace */
    text_say(out, job->run_count > 1 ? ",\"runs\":[" : ",");
    for (size_t i = 0; i < job->run_count; i++) {
        size_t len = 0, brace = job->run_count > 1 ? 0 : 1;
        char *text = read_result(&job->runs[i], &len);
        if (!text || job->runs[i].code != EXIT_OK || len < 2) {
            int code = usage_error("backtest", "%s", text && len ? text : "a run left no result");
            free(text);
            return code;
        }
        text_add(out, i > 0 ? "," : "", i > 0);
        text_add(out, text + brace, len - brace);
        free(text);
    }
    if (job->run_count > 1)
        text_say(out, "]}");
    return text_ok(out) ? EXIT_OK : usage_error("backtest", "%s", err_text(WEIR_E_NO_MEMORY));
}

static void say_run(const cJSON *run)
{
    static const char *const metrics[] = {
        "net_pnl",    "realized_pnl", "unrealized_pnl", "fees",        "funding",
        "turnover",   "max_drawdown", "sharpe",         "sortino",     "win_rate",
        "fill_ratio", "maker_share",  "exposure",       "slippage_bps"};
    const cJSON *m = json_get(run, "metrics"), *item;
    printf("asset           %s\n", json_text(m, "asset", ""));
    for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++)
        printf("%-15s %s\n", metrics[i], json_text(m, metrics[i], "-"));
    printf("orders         ");
    cJSON_ArrayForEach(item, json_get(run, "orders"))
        printf(" %s %s", item->string, json_digits(item));
    printf("\nfills           %s\n", json_digits(json_get(run, "fills")));
    printf("denied         ");
    cJSON_ArrayForEach(item, json_get(run, "denied"))
        printf(" %s %s", item->string, json_digits(item));
    printf("\norders_hash     %s\nfills_hash      %s\n", json_text(run, "orders_hash", ""),
           json_text(run, "fills_hash", ""));
    if (json_text(run, "journal", NULL))
        printf("journal         %s\n", json_text(run, "journal", ""));
    cJSON_ArrayForEach(item, json_get(run, "assumptions"))
        printf("note            %s\n", item->valuestring);
}

static void say_runs(const cJSON *runs)
{
    const cJSON *run, *item;
    printf("%16s %16s %10s %8s %10s  parameters\n", "net_pnl", "max_drawdown", "sharpe", "fills",
           "fill_ratio");
    cJSON_ArrayForEach(run, runs)
    {
        const cJSON *m = json_get(run, "metrics");
        printf("%16.16s %16.16s %10s %8s %10s ", json_text(m, "net_pnl", "-"),
               json_text(m, "max_drawdown", "-"), json_text(m, "sharpe", "-"),
               json_digits(json_get(run, "fills")), json_text(m, "fill_ratio", "-"));
        cJSON_ArrayForEach(item, json_get(run, "parameters"))
            printf(" %s=%s", item->string, item->valuestring);
        printf("\n");
    }
}

static int write_report(const struct job *job, const char *document)
{
    struct text page;
    text_init(&page);
    int code = EXIT_OK;
    FILE *out = NULL;
    if (!report_html(document, &page))
        code = usage_error("backtest", "%s", err_text(WEIR_E_NO_MEMORY));
    else if (!(out = fopen(job->report, "wb")) || fwrite(page.data, 1, page.len, out) != page.len)
        code = usage_error("backtest", "--report: %s: %s", job->report, strerror(errno));
    if (out && fclose(out) != 0 && code == EXIT_OK)
        code = usage_error("backtest", "--report: %s: %s", job->report, strerror(errno));
    text_fini(&page);
    return code;
}

static int tell(const struct job *job)
{
    struct text out;
    struct why why;
    text_init(&out);
    int code = compose(job, &out);
    if (code == EXIT_OK && job->report)
        code = write_report(job, text_cstr(&out));
    if (code == EXIT_OK && job->json) {
        puts(text_cstr(&out));
    } else if (code == EXIT_OK) {
        cJSON *root = json_read(text_cstr(&out), out.len, &why);
        if (root && json_get(root, "runs"))
            say_runs(json_get(root, "runs"));
        else if (root)
            say_run(root);
        else
            code = usage_error("backtest", "%s", why.text);
        cJSON_Delete(root);
    }
    if (code == EXIT_OK && job->report && !job->json)
        printf("report          %s\n", job->report);
    text_fini(&out);
    return code;
}

/* --- options -----------------------------------------------------------------------------------*/

static int add(const char **list, size_t *count, size_t most, const char *option, const char *value)
{
    if (*count == most)
        return usage_error("backtest", "%s: at most %zu", option, most);
    list[(*count)++] = value;
    return EXIT_OK;
}

static int parse_jobs(const char *text, long *jobs_out)
{
    int64_t value = 0;
    if (decimal_parse(text, strlen(text), 0, &value) || value < 1 || value > 1024)
        return usage_error("backtest", "--jobs: expected 1 to 1024, found '%s'", text);
    *jobs_out = (long)value;
    return EXIT_OK;
}

static int take_option(struct job *job, int c)
{
    switch (c) {
    case 'c': job->config = optarg; return EXIT_OK;
    case 'r': job->report = optarg; return EXIT_OK;
    case 'J': job->journal = optarg; return EXIT_OK;
    case 'C': job->cache = optarg; return EXIT_OK;
    case 'f': job->fast = true; return EXIT_OK;
    case 'j': job->json = true; return EXIT_OK;
    case 'p': return parse_jobs(optarg, &job->at_once);
    case 's': return add(job->sets, &job->set_count, SETS_MAX, "--set", optarg);
    case 'g': return add(job->grids, &job->grid_count, GRIDS_MAX, "--grid", optarg);
    case 1: /* a further path of --data */
        if (job->data_count == 0)
            return usage_error("backtest", "unexpected '%s'", optarg);
        /* fall through */
    case 'd': return add(job->data, &job->data_count, DATA_MAX, "--data", optarg);
    default: return usage_error("backtest", "see `weir backtest --help`");
    }
}

/* -1: help was asked for. */
static int parse(int argc, char **argv, struct job *job)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"data", required_argument, NULL, 'd'},
        {"report", required_argument, NULL, 'r'}, {"json", no_argument, NULL, 'j'},
        {"set", required_argument, NULL, 's'},    {"grid", required_argument, NULL, 'g'},
        {"jobs", required_argument, NULL, 'p'},   {"journal", required_argument, NULL, 'J'},
        {"cache", required_argument, NULL, 'C'},  {"fast", no_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},         {0}};
    int code = EXIT_OK;
    for (int c; code == EXIT_OK && (c = getopt_long(argc, argv, "-", options, NULL)) != -1;) {
        if (c == 'h') {
            fputs(help, stdout);
            return -1;
        }
        code = take_option(job, c);
    }
    if (code == EXIT_OK && job->data_count == 0)
        code = usage_error("backtest", "--data: expected recordings");
    for (size_t i = 0; i < job->set_count && code == EXIT_OK; i++)
        if (!strchr(job->sets[i], '='))
            code = usage_error("backtest", "--set: expected KEY=VALUE, found '%s'", job->sets[i]);
    return code;
}

static int measure_data(struct job *job)
{
    struct why why;
    struct stat info;
    if (recordings_find(job->data, job->data_count, &job->paths, &job->file_count, &why))
        return usage_error("backtest", "--data: %s", why.text);
    job->files = calloc(job->file_count, sizeof *job->files);
    if (!job->files)
        return usage_error("backtest", "%s", err_text(WEIR_E_NO_MEMORY));
    for (size_t i = 0; i < job->file_count; i++) {
        job->files[i].path = job->paths[i];
        if (stat(job->paths[i], &info) == 0)
            job->files[i].bytes = (uint64_t)info.st_size;
        job->bytes += job->files[i].bytes;
    }
    return EXIT_OK;
}

/* Where decoded data goes: as asked, or for several runs, and fast ones, a folder of this job's own. */
static int choose_cache(struct job *job)
{
    const char *base = getenv("TMPDIR");
    if (job->cache || (job->run_count == 1 && !job->fast))
        return EXIT_OK;
    snprintf(job->own_cache, sizeof job->own_cache, "%s/weir-rows-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(job->own_cache)) {
        int code = usage_error("backtest", "%s: %s", job->own_cache, strerror(errno));
        job->own_cache[0] = '\0';
        return code;
    }
    job->cache = job->own_cache;
    return EXIT_OK;
}

static void remove_cache(const struct job *job)
{
    struct dirent **entries = NULL;
    char path[1024];
    if (!*job->own_cache)
        return;
    int count = scandir(job->own_cache, &entries, NULL, NULL);
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%s", job->own_cache, entries[i]->d_name);
        (void)unlink(path);
        free(entries[i]);
    }
    free(entries);
    (void)rmdir(job->own_cache);
}

static int prepare(struct job *job)
{
    struct why why;
    job->grid = grid_create(job->grids, job->grid_count, RUNS_MAX, &why);
    if (!job->grid)
        return usage_error("backtest", "--grid: %s", why.text);
    job->run_count = grid_points(job->grid);
    job->runs = calloc(job->run_count, sizeof *job->runs);
    size_t bytes = job->run_count * sizeof *job->progress;
    void *shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    job->progress = shared != MAP_FAILED ? shared : NULL;
    if (!job->runs || !job->progress)
        return usage_error("backtest", "%s", err_text(WEIR_E_NO_MEMORY));
    for (size_t i = 0; i < job->run_count; i++)
        job->runs[i].file = -1;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (job->at_once == 0)
        job->at_once = cores > 0 ? cores : 1;
    int code = choose_cache(job);
    return code == EXIT_OK ? measure_data(job) : code;
}

static void tidy_up(struct job *job)
{
    for (size_t i = 0; job->runs && i < job->run_count; i++)
        if (job->runs[i].file >= 0)
            close(job->runs[i].file);
    if (job->progress)
        munmap(job->progress, job->run_count * sizeof *job->progress);
    recordings_forget(job->paths, job->file_count);
    remove_cache(job);
    free(job->files);
    free(job->runs);
    grid_destroy(job->grid);
    free(job);
}

int cmd_backtest(int argc, char **argv)
{
    struct job *job = calloc(1, sizeof *job);
    if (!job)
        return usage_error("backtest", "%s", err_text(WEIR_E_NO_MEMORY));
    job->config = "config/weir.yaml";
    int code = parse(argc, argv, job);
    if (code == EXIT_OK)
        code = prepare(job);
    if (code == EXIT_OK) {
        struct sigaction action = {.sa_handler = on_signal};
        sigemptyset(&action.sa_mask);
        sigaction(SIGINT, &action, NULL);
        sigaction(SIGTERM, &action, NULL);
        code = decode_first(job);
        if (code == EXIT_OK)
            code = run_all(job);
        if (code == EXIT_OK)
            code = tell(job);
    }
    tidy_up(job);
    return code < 0 ? EXIT_OK : code;
}
