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
#include "control/paths.h"
#include "control/schema.h"
#include "control/trial.h"
#include "script/lint.h"

static const char help[] =
    "usage: weir try [--for DURATION] [--data PATH]... [--set NAME=VALUE]...\n"
    "                [--isolation process|inline] [--json] SCRIPT.lua...\n\n"
    "Runs scripts in the sandbox against the simulated venue `sim` (BTC-USD, ETH-USD, SOL-USD), on "
    "virtual\n"
    "time. A chunk that does not compile is `refused`; a budget or a run-time error is "
    "`quarantined`;\n"
    "else the outcome is `ok`.\n"
    "  --for DURATION  virtual time (default 1s; with --data, all of it)\n"
    "  --data PATH     a recording instead of the simulated venue, with paper execution\n"
    "  --config FILE   whose venues take the recordings (default config/recorded.yaml)\n"
    "  --set NAME=VALUE a setting, as the configuration would have it\n"
    "  --isolation     process: each in a locked-up process of its own (default); inline: in this "
    "one,\n"
    "                  abandoned over budget\n"
    "  --json          one JSON document with outcomes, logs and counts\n\n"
    "Exit: 0 all ok, 1 some script was not, 2 wrong usage or bad input.\n";

enum { SCRIPTS_MAX = 256, LOG_LINES = 200, REMARKS = 24, DATA_MAX = 64, SETTINGS_MAX = 64 };

static const char neighbour[] = "weir.every(1000000, function() end)\n";

struct tried {
    char name[NAME_MAX_LEN];
    const char *path;
    char *logs[LOG_LINES];
    size_t log_count;
    char *remarks[REMARKS];
    size_t remark_count;
    struct script_lint lint;
    const char *imports[IMPORTS_MAX + 1]; /* ended by NULL */
};

struct trial {
    struct tried scripts[SCRIPTS_MAX];
    struct config_script configs[SCRIPTS_MAX + 1];
    size_t count;
    const char *data[DATA_MAX]; /* recordings */
    size_t data_count;
    const char *config; /* whose venues take them */
    struct config_value settings[SETTINGS_MAX];
    size_t setting_count;
    weir_ns run_for; /* 0: a second, or all of the data */
    bool json;
    enum host_isolation isolation;
    char neighbour_file[64];
    weir_ns neighbour_t, neighbour_gap; /* virtual time */
};

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

static void on_remark(void *context, const char *script, const char *text)
{
    struct trial *trial = context;
    for (size_t i = 0; i < trial->count; i++) {
        struct tried *tried = &trial->scripts[i];
        if (strcmp(tried->name, script) != 0 || tried->remark_count == REMARKS)
            continue;
        tried->remarks[tried->remark_count] = strdup(text);
        tried->remark_count += tried->remarks[tried->remark_count] != NULL;
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
        json_key(&out, "remarks");
        json_array(&out);
        for (size_t r = 0; r < trial->scripts[i].remark_count; r++)
            json_string(&out, trial->scripts[i].remarks[r]);
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
        for (size_t r = 0; r < trial->scripts[i].remark_count; r++)
            printf("  remark: %s\n", trial->scripts[i].remarks[r]);
    }
    return bad;
}

/* --- running ----------------------------------------------------------------------------------*/

/* What it imports is listed for it, if it is there; else weir.import says what is missing. */
static void find_imports(struct tried *tried)
{
    struct script_source source = {0};
    struct why why;
    char path[512];
    size_t n = 0;
    if (script_source_read(tried->path, &source, &why) == WEIR_OK &&
        script_lint(&source, &tried->lint, &why) == WEIR_OK)
        for (size_t i = 0; i < tried->lint.import_count; i++) {
            module_path(tried->path, tried->lint.imports[i], path, sizeof path);
            if (access(path, R_OK) == 0)
                tried->imports[n++] = tried->lint.imports[i];
        }
    free((char *)(uintptr_t)source.text);
}

static void make_scripts(struct trial *trial)
{
    for (size_t i = 0; i < trial->count; i++) {
        struct tried *tried = &trial->scripts[i];
        find_imports(tried);
        trial_script(&trial->configs[i], tried->name, tried->path, true, tried->imports);
        trial->configs[i].settings =
            (struct config_value){.items = trial->settings, .count = trial->setting_count};
    }
    trial_script(&trial->configs[trial->count], "neighbour", trial->neighbour_file, false, NULL);
}

static int run(struct trial *trial, struct cells *cells)
{
    static struct trial_market market;
    struct host_options options = {.run_for = trial->run_for,
                                   .instructions = HOST_INSTRUCTIONS,
                                   .cells = cells,
                                   .isolation = trial->isolation,
                                   .on_log = on_log,
                                   .on_remark = on_remark,
                                   .on_callback = on_callback,
                                   .context = trial};
    struct why why;
    make_scripts(trial);
    log_to(stderr, false, LOG_ERROR);
    if (trial_open(&market, trial->data, trial->data_count, trial->config, trial->configs,
                   trial->count + 1, &options, &why))
        return usage_error("try", "%s", why.text);
    struct host *host = host_create(&market.config, &options, &why);
    if (!host) {
        trial_close(&market);
        return usage_error("try", "%s", why.text);
    }
    enum weir_err err = host_run(host, &why);
    int bad = trial->json ? report_json(trial, host) : report_text(trial, host);
    host_destroy(host);
    trial_close(&market);
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
    if (!S_ISREG(st.st_mode))
        return usage_error("try", "%s: a regular file is expected", path);
    struct tried *tried = &trial->scripts[trial->count];
    name_after(trial, tried, path);
    trial->count++;
    tried->path = path;
    return 0;
}

/* NAME=VALUE, as the configuration would have it. */
static bool set(struct trial *trial, char *text)
{
    char *equals = strchr(text, '=');
    if (!equals || equals == text || trial->setting_count == SETTINGS_MAX)
        return false;
    *equals = '\0';
    trial->settings[trial->setting_count++] =
        (struct config_value){.key = text, .text = equals + 1, .place = "--set"};
    return true;
}

static int parse(int argc, char **argv, struct trial *trial)
{
    static const struct option options[] = {
        {"for", required_argument, NULL, 'f'},  {"isolation", required_argument, NULL, 'i'},
        {"data", required_argument, NULL, 'd'}, {"config", required_argument, NULL, 'c'},
        {"set", required_argument, NULL, 's'},  {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},       {0}};
    for (int c; (c = getopt_long(argc, argv, "f:i:d:c:s:jh", options, NULL)) != -1;) {
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
        case 'd':
            if (trial->data_count == DATA_MAX)
                return usage_error("try", "--data: at most %d paths", DATA_MAX);
            trial->data[trial->data_count++] = optarg;
            break;
        case 'c': trial->config = optarg; break;
        case 's':
            if (!set(trial, optarg))
                return usage_error("try", "--set: expected NAME=VALUE, found '%s'", optarg);
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
    trial->config = "config/recorded.yaml";
    trial->isolation = ISOLATION_PROCESS;
    int code = parse(argc, argv, trial);
    if (trial->run_for == 0 && trial->data_count == 0)
        trial->run_for = 1000000000;
    if (code == 0)
        code = try_all(trial, cells, &no_cells);
    if (trial->neighbour_file[0])
        (void)unlink(trial->neighbour_file);
    for (size_t i = 0; i < trial->count; i++) {
        for (size_t l = 0; l < trial->scripts[i].log_count; l++)
            free(trial->scripts[i].logs[l]);
        for (size_t r = 0; r < trial->scripts[i].remark_count; r++)
            free(trial->scripts[i].remarks[r]);
    }
    free(trial);
    cells_stop(cells);
    return code < 0 ? EXIT_OK : code;
}
