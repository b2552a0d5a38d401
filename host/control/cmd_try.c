/* cmd_try.c - `weir try`: scripts in the sandbox against the simulated venue, on virtual time.
 *
 * Each script gets the same market and generous limits; a harmless script that ticks each virtual
 * millisecond runs beside them and shows that the host kept its rhythm. Nothing is journalled. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "control/commands.h"
#include "control/host.h"
#include "control/schema.h"

static const char help[] =
    "usage: weir try [--for DURATION] [--isolation process|inline] [--json] SCRIPT.lua...\n\n"
    "Runs scripts in the sandbox against the simulated venue `sim` (BTC-USD, ETH-USD, SOL-USD), on "
    "virtual\n"
    "time. A chunk that does not compile is `refused`; a budget or a run-time error is "
    "`quarantined`;\n"
    "else the outcome is `ok`.\n"
    "  --for DURATION  virtual time (default 1s)\n"
    "  --isolation     process: each in a locked-up process of its own (default); inline: in this "
    "one,\n"
    "                  abandoned over budget\n"
    "  --json          one JSON document with outcomes, logs and counts\n\n"
    "Exit: 0 all ok, 1 some script was not, 2 wrong usage or bad input.\n";

enum { SCRIPTS_MAX = 256, LOG_LINES = 200 };

static const char neighbour[] = "weir.every(1000000, function() end)\n";

struct tried {
    char name[NAME_MAX_LEN];
    const char *path;
    char *logs[LOG_LINES];
    size_t log_count;
};

struct trial {
    struct tried scripts[SCRIPTS_MAX];
    struct config_script configs[SCRIPTS_MAX + 1];
    size_t count;
    weir_ns run_for;
    bool json;
    enum host_isolation isolation;
    char neighbour_file[64];
    weir_ns neighbour_t, neighbour_gap; /* virtual time */
};

/* --- a configuration of its own ---------------------------------------------------------------*/

static const struct weir_setting sim_settings[] = {
    {"seed", "42"}, {"balances", "USD:1000000000,BTC:10000,ETH:100000,SOL:1000000"}, {NULL, NULL}};

/* Every limit of every scope said to be none, but for what a strategy needs to be stopped by. */
static size_t make_limits(struct config_limit *rows)
{
    static const enum risk_scope scopes[] = {SCOPE_host, SCOPE_account, SCOPE_strategy,
                                             SCOPE_instrument};
    size_t n = 0;
    for (size_t s = 0; s < sizeof scopes / sizeof scopes[0]; s++)
        for (int limit = 0; limit < RISK_LIMIT_COUNT; limit++)
            rows[n++] = (struct config_limit){scopes[s], "*", (enum risk_limit)limit, true, 0};
    return n;
}

static void make_script(struct config_script *script, const char *name, const char *file,
                        bool orders)
{
    static const char *const none[] = {NULL};
    *script = (struct config_script){.name = name,
                                     .file = file,
                                     .orders = orders,
                                     .group = "default",
                                     .memory = 64 << 20,
                                     .callback = 50000000,
                                     .load = 500000000,
                                     .orders_per_second = 1000,
                                     .log_lines_per_second = 100,
                                     .seed = 1,
                                     .cancel_on_quarantine = true,
                                     .imports = none};
}

static void make_config(struct trial *trial, struct config *config, struct config_venue *venue,
                        struct config_limit *limits)
{
    *venue = (struct config_venue){.name = "sim",
                                   .plugin = "sim",
                                   .account = "main",
                                   .execution = EXECUTION_VENUE,
                                   .settings = sim_settings};
    *config = (struct config){.path = "weir try",
                              .orders = 65536,
                              .executions = 65536,
                              .client_ids = 65536,
                              .cancel_on_stop = true,
                              .stop_wait = 1000000000,
                              .venues = venue,
                              .venue_count = 1,
                              .limits = limits,
                              .scripts = trial->configs,
                              .script_count = trial->count + 1};
    config->limit_count = make_limits(limits);
    config->policies[POLICY_strict] = 1;
    config->policies[POLICY_not_found_confirm] = 3;
    config->policies[POLICY_not_found_after_ns] = 10000000000;
    config->policies[POLICY_wait_for_ack_ns] = 5000000000;
    config->policies[POLICY_query_first_ns] = 50000000;
    config->policies[POLICY_query_most_ns] = 5000000000;
    config->policies[POLICY_query_rest_ns] = 30000000000;
    for (size_t i = 0; i < trial->count; i++)
        make_script(&trial->configs[i], trial->scripts[i].name, trial->scripts[i].path, true);
    make_script(&trial->configs[trial->count], "neighbour", trial->neighbour_file, false);
}

/* --- what is seen -----------------------------------------------------------------------------*/

static void on_log(void *context, const char *script, const char *line)
{
    struct trial *trial = context;
    for (size_t i = 0; i < trial->count; i++) {
        struct tried *tried = &trial->scripts[i];
        if (strcmp(tried->name, script) != 0 || tried->log_count == LOG_LINES)
            continue;
        tried->logs[tried->log_count] = strdup(line);
        tried->log_count += tried->logs[tried->log_count] != NULL;
        if (!trial->json)
            printf("%s: %s\n", script, line);
    }
}

static void on_callback(void *context, const char *script, weir_ns t)
{
    struct trial *trial = context;
    if (strcmp(script, "neighbour") != 0)
        return;
    if (trial->neighbour_t != 0 && t - trial->neighbour_t > trial->neighbour_gap)
        trial->neighbour_gap = t - trial->neighbour_t;
    trial->neighbour_t = t;
}

static int report_json(const struct trial *trial, struct host *host)
{
    struct text out;
    int bad = 0;
    text_init(&out);
    json_object(&out);
    json_key(&out, "scripts");
    json_array(&out);
    for (size_t i = 0; i < trial->count; i++) {
        struct script_report report;
        script_report(host->scripts[i].script, &report);
        bad += report.outcome != SCRIPT_OK;
        json_object(&out);
        json_key(&out, "script");
        json_string(&out, trial->scripts[i].path);
        json_key(&out, "outcome");
        json_string(&out, script_outcome_name(report.outcome));
        json_key(&out, "reason");
        json_string(&out, report.reason);
        json_key(&out, "orders_sent");
        json_uint(&out, report.orders_sent);
        json_key(&out, "orders_denied");
        json_uint(&out, report.orders_denied);
        json_key(&out, "logs");
        json_array(&out);
        for (size_t l = 0; l < trial->scripts[i].log_count; l++)
            json_string(&out, trial->scripts[i].logs[l]);
        json_end(&out);
        json_key(&out, "max_callback_us");
        json_uint(&out, (uint64_t)report.max_callback_ns / 1000);
        json_end(&out);
    }
    json_end(&out);
    json_key(&out, "host");
    json_string(&out, "ok");
    json_key(&out, "isolation");
    json_string(&out, trial->isolation == ISOLATION_INLINE ? "inline" : "process");
    json_key(&out, "neighbour_max_gap_us");
    json_uint(&out, (uint64_t)trial->neighbour_gap / 1000);
    json_end(&out);
    puts(text_cstr(&out));
    text_fini(&out);
    return bad;
}

static int report_text(const struct trial *trial, struct host *host)
{
    int bad = 0;
    for (size_t i = 0; i < trial->count; i++) {
        struct script_report report;
        script_report(host->scripts[i].script, &report);
        bad += report.outcome != SCRIPT_OK;
        printf("%-12s %s  orders sent %" PRIu64 ", denied %" PRIu64 ", longest callback %" PRId64
               " us%s%s\n",
               script_outcome_name(report.outcome), trial->scripts[i].path, report.orders_sent,
               report.orders_denied, (int64_t)report.max_callback_ns / 1000,
               *report.reason ? ": " : "", report.reason);
        if (*report.detail)
            printf("%s\n", report.detail);
    }
    return bad;
}

/* --- running ----------------------------------------------------------------------------------*/

static int run(struct trial *trial, struct cells *cells)
{
    struct config config;
    struct config_venue venue;
    struct config_limit limits[4 * RISK_LIMIT_COUNT];
    struct host_options options = {.virtual_time = true,
                                   .start = 1700000000000000000,
                                   .run_for = trial->run_for,
                                   .no_journal = true,
                                   .instructions = HOST_INSTRUCTIONS,
                                   .cells = cells,
                                   .isolation = trial->isolation,
                                   .on_log = on_log,
                                   .on_callback = on_callback,
                                   .context = trial};
    struct why why;
    make_config(trial, &config, &venue, limits);
    log_to(stderr, false, LOG_ERROR);
    struct host *host = host_create(&config, &options, &why);
    if (!host)
        return usage_error("try", "%s", why.text);
    enum weir_err err = host_run(host, &why);
    int bad = trial->json ? report_json(trial, host) : report_text(trial, host);
    host_destroy(host);
    return err ? usage_error("try", "%s", why.text) : bad ? EXIT_NO : EXIT_OK;
}

/* The neighbour is a script as all others: it stands in a file that is gone when we end. */
static bool write_neighbour(struct trial *trial)
{
    snprintf(trial->neighbour_file, sizeof trial->neighbour_file, "/tmp/weir-neighbour-XXXXXX");
    int fd = mkstemp(trial->neighbour_file);
    bool whole =
        fd >= 0 && write(fd, neighbour, sizeof neighbour - 1) == (ssize_t)(sizeof neighbour - 1);
    if (fd >= 0)
        close(fd);
    return whole;
}

/* The file's name without its ending; a number behind it where two are alike. */
static void name_after(const struct trial *trial, struct tried *tried, const char *path)
{
    const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
    int len = (int)strcspn(file, "."), alike = strncmp(file, "neighbour", (size_t)len) == 0;
    len = len < 20 ? len : 20;
    for (size_t i = 0; i < trial->count; i++)
        alike += strncmp(trial->scripts[i].name, file, (size_t)len) == 0;
    snprintf(tried->name, sizeof tried->name, "%.*s", len, file);
    if (alike)
        snprintf(tried->name + len, sizeof tried->name - (size_t)len, "-%zu", trial->count + 1);
}

static int add(struct trial *trial, const char *path)
{
    struct stat st;
    if (trial->count == SCRIPTS_MAX)
        return usage_error("try", "at most %d scripts", SCRIPTS_MAX);
    if (stat(path, &st) != 0)
        return usage_error("try", "%s: cannot be read: %m", path);
    struct tried *tried = &trial->scripts[trial->count];
    name_after(trial, tried, path);
    trial->count++;
    tried->path = path;
    return 0;
}

static int parse(int argc, char **argv, struct trial *trial)
{
    static const struct option options[] = {{"for", required_argument, NULL, 'f'},
                                            {"isolation", required_argument, NULL, 'i'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    for (int c; (c = getopt_long(argc, argv, "f:i:jh", options, NULL)) != -1;) {
        switch (c) {
        case 'f':
            if (!duration_parse(optarg, &trial->run_for) || trial->run_for <= 0)
                return usage_error(
                    "try", "--for: expected a duration such as 500ms or 2s; found '%s'", optarg);
            break;
        case 'i':
            if (!host_isolation_parse(optarg, &trial->isolation))
                return usage_error("try", "--isolation: expected process or inline, found '%s'",
                                   optarg);
            break;
        case 'j': trial->json = true; break;
        case 'h': fputs(help, stdout); return -1;
        default: return usage_error("try", "see `weir try --help`");
        }
    }
    for (int i = optind; i < argc; i++)
        if (add(trial, argv[i]))
            return EXIT_BAD;
    return trial->count ? 0 : usage_error("try", "expected at least one script");
}

/* The zygote is there before anything else; without one there is no trial in processes. */
static int try_all(struct trial *trial, struct cells *cells, const struct why *no_cells)
{
    if (trial->isolation == ISOLATION_PROCESS && !cells)
        return usage_error("try", "%s; --isolation inline needs none of that", no_cells->text);
    return write_neighbour(trial) ? run(trial, cells) : usage_error("try", "no temporary file: %m");
}

int cmd_try(int argc, char **argv)
{
    struct cells *cells = NULL;
    struct why no_cells;
    if (cells_start(&cells, &no_cells))
        cells = NULL; /* asked for later, if at all */
    struct trial *trial = calloc(1, sizeof *trial);
    if (!trial)
        return usage_error("try", "out of memory");
    trial->run_for = 1000000000;
    trial->isolation = ISOLATION_PROCESS;
    int code = parse(argc, argv, trial);
    if (code == 0)
        code = try_all(trial, cells, &no_cells);
    if (trial->neighbour_file[0])
        (void)unlink(trial->neighbour_file);
    for (size_t i = 0; i < trial->count; i++)
        for (size_t l = 0; l < trial->scripts[i].log_count; l++)
            free(trial->scripts[i].logs[l]);
    free(trial);
    cells_stop(cells);
    return code < 0 ? EXIT_OK : code;
}
