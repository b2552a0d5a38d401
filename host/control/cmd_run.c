/* cmd_run.c - `weir run`: the host, live or on recordings, and a summary at the end. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "control/commands.h"
#include "control/host.h"
#include "control/report/trail.h"
#include "control/schema.h"
#include "control/tape.h"

static const char help[] =
    "usage: weir run [--config FILE] [--for DURATION] [--journal DIR] [--no-console]\n"
    "                [--data PATH...] [--speed 1|N|max] [--isolation process|inline] [--json]\n\n"
    "Runs the host until it is stopped: SIGINT or SIGTERM stop new orders, cancel by policy, close "
    "the\n"
    "journal and print a summary; SIGHUP reloads the configuration.\n"
    "  --config FILE    default: config/weir.yaml\n"
    "  --for DURATION   stop by itself after so long (engine time), such as 30s\n"
    "  --journal DIR    instead of host.journal\n"
    "  --no-console     no live screen; lines on standard error\n"
    "  --data PATH...   replay recordings (files or folders) as the venues of the configuration; "
    "ends\n"
    "                   with the data\n"
    "  --isolation      where scripts run, whatever the configuration says\n"
    "  --speed          of the replay: 1, N times, or max (default)\n"
    "  --json           the summary as one JSON document on standard output\n";

static struct host *running; /* for the signal handler: only its stop flag and wake are touched */
static volatile sig_atomic_t stop_asked, reload_asked;

static void on_signal(int number)
{
    uint64_t one = 1;
    stop_asked = number;
    if (running)
        (void)!write(running->wake, &one, sizeof one);
}

static bool run_reload_asked(void)
{
    bool asked = reload_asked != 0;
    reload_asked = 0;
    return asked;
}

static void on_hangup(int number)
{
    uint64_t one = 1;
    reload_asked = number;
    if (running)
        (void)!write(running->wake, &one, sizeof one);
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action.sa_handler = on_hangup;
    sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static bool run_stop_asked(void)
{
    return stop_asked != 0;
}

struct run {
    const char *config, *journal;
    weir_ns run_for;
    bool console, json;
    uint32_t speed; /* 0: max */
    enum host_isolation isolation;
    struct cells *cells; /* NULL: none can be had here */
    struct why no_cells;
    const char *data[256];
    size_t data_count;
};

/* --- the summary ------------------------------------------------------------------------------*/

static void denied_json(const struct engine_counts *counts, struct text *out)
{
    json_key(out, "denied");
    json_object(out);
    for (int c = 0; c < RISK_CHECK_COUNT; c++)
        if (counts->denied_by[c]) {
            json_key(out, risk_check_name((enum risk_check)c));
            json_uint(out, counts->denied_by[c]);
        }
    json_end(out);
}

static void field(struct text *out, const char *key, uint64_t value)
{
    json_key(out, key);
    json_uint(out, value);
}

static void positions_json(struct host *host, struct text *out)
{
    json_key(out, "positions");
    json_array(out);
    for (uint32_t i = 1; i <= engine_instrument_count(host->engine); i++) {
        struct position_view view;
        const struct weir_instrument *def = engine_instrument(host->engine, i);
        if (!def || !engine_position(host->engine, i, 0, &view) ||
            (view.qty == 0 && view.realized == 0))
            continue;
        json_object(out);
        json_key(out, "venue");
        json_string(out, engine_name(host->engine, SCOPE_venue, def->msg.venue));
        json_key(out, "instrument");
        json_string(out, def->symbol);
        json_key(out, "qty");
        json_decimal(out, view.qty, def->qty_exp);
        json_key(out, "avg_price");
        json_amount(out, view.avg_price);
        json_key(out, "realized_pnl");
        json_amount(out, view.realized);
        json_key(out, "unrealized_pnl");
        json_amount(out, view.unrealized);
        json_end(out);
    }
    json_end(out);
}

static void summary_json(struct host *host, struct tape *tape, const struct trail *trail,
                         const struct journal_summary *journal, struct text *out)
{
    const struct engine_counts *counts = engine_counts(host->engine);
    char hash[65] = "";
    hex_print(journal->hash, sizeof journal->hash, hash);
    json_object(out);
    tape_json(tape, host, out); /* "books" and "trades" */
    json_key(out, "orders");
    json_object(out);
    field(out, "sent", counts->sent_new);
    field(out, "cancels", counts->sent_cancel);
    field(out, "replaces", counts->sent_replace);
    field(out, "live", counts->live_orders);
    json_end(out);
    field(out, "fills", counts->executions);
    denied_json(counts, out);
    positions_json(host, out);
    field(out, "inputs", counts->inputs);
    field(out, "effects", counts->effects);
    json_key(out, "journal");
    json_string(out, host->journal_folder);
    json_key(out, "journal_hash");
    json_string(out, hash);
    trail_json(trail, out);
    json_end(out);
}

static void summary_text(struct host *host, const struct journal_summary *journal)
{
    const struct engine_counts *counts = engine_counts(host->engine);
    char hash[65] = "";
    hex_print(journal->hash, sizeof journal->hash, hash);
    printf("\norders      %" PRIu64 " sent, %" PRIu64 " cancels, %" PRIu64
           " replaces, %u still live\n",
           counts->sent_new, counts->sent_cancel, counts->sent_replace, counts->live_orders);
    printf("fills       %" PRIu64 "\n", counts->executions);
    printf("denied      %" PRIu64 " ", counts->denied);
    for (int c = 0; c < RISK_CHECK_COUNT; c++)
        if (counts->denied_by[c])
            printf(" %s %" PRIu64, risk_check_name((enum risk_check)c), counts->denied_by[c]);
    printf("\n");
    for (uint32_t i = 1; i <= engine_instrument_count(host->engine); i++) {
        struct position_view view;
        char qty[DECIMAL_TEXT_MAX], average[DECIMAL_TEXT_MAX], realized[DECIMAL_TEXT_MAX],
            open[DECIMAL_TEXT_MAX];
        const struct weir_instrument *def = engine_instrument(host->engine, i);
        if (!def || !engine_position(host->engine, i, 0, &view) ||
            (view.qty == 0 && view.realized == 0))
            continue;
        decimal_print(view.qty, def->qty_exp, qty);
        amount_print(view.avg_price, average);
        amount_print(view.realized, realized);
        amount_print(view.unrealized, open);
        printf("position    %s/%s %s at %s, realized %s, unrealized %s %s\n",
               engine_name(host->engine, SCOPE_venue, def->msg.venue), def->symbol, qty, average,
               realized, open, def->quote);
    }
    printf("journal     %s  %" PRIu64 " records  sha256 %s\n", host->journal_folder, journal->seq,
           hash);
    printf("\nnext:       %s replay %s --verify\n", program_invocation_name, host->journal_folder);
    for (uint32_t o = 0, shown = 0;
         shown < 1 && (o = engine_order_next(host->engine, o, false)) != 0;) {
        struct order_view view;
        if (!engine_order(host->engine, o, &view) || view.order.label != ORDER_DENIED)
            continue;
        printf("            %s why %s --journal %s\n", program_invocation_name, view.order.cid,
               host->journal_folder);
        shown++;
    }
}

/* --- running ----------------------------------------------------------------------------------*/

static void hear_input(void *context, const struct engine *engine, const struct weir_msg *input)
{
    (void)engine;
    trail_input(context, input);
}

static void hear_effect(void *context, const struct weir_msg *effect)
{
    trail_effect(context, effect);
}

static int finish(struct host *host, const struct run *run, struct tape *tape,
                  const struct trail *trail, enum weir_err err, struct why *why)
{
    struct journal_summary journal = {0};
    struct why close_why;
    int code = EXIT_OK;
    if (err) {
        fprintf(stderr, "weir run: %s\n", why->text);
        code = EXIT_BAD;
    }
    if (host_close_journal(host, &journal, &close_why)) {
        fprintf(stderr, "weir run: %s\n", close_why.text);
        code = code == EXIT_OK ? EXIT_NO : code;
    }
    if (run->json) {
        struct text out;
        text_init(&out);
        summary_json(host, tape, trail, &journal, &out);
        puts(text_cstr(&out));
        text_fini(&out);
    } else {
        summary_text(host, &journal);
    }
    return code;
}

static int run_host(const struct config *config, const struct run *run)
{
    struct why why;
    struct tape *tape = NULL;
    struct trail *trail = trail_create(false);
    struct host_witness witness = {trail, hear_input, hear_effect};
    struct host_options options = {.speed = run->speed,
                                   .run_for = run->run_for,
                                   .witness = &witness,
                                   .journal = run->journal,
                                   .observe = true,
                                   .cells = run->cells,
                                   .no_cells = run->no_cells.text,
                                   .isolation = run->isolation,
                                   .stop_asked = run_stop_asked,
                                   .reload_asked = run_reload_asked};
    bool terminal = isatty(STDOUT_FILENO);
    if (!trail)
        return usage_error("run", "%s", err_text(WEIR_E_NO_MEMORY));
    options.screen = run->console && terminal && !run->json;
    options.color = options.screen && !getenv("NO_COLOR");
    if (run->data_count > 0) {
        tape = tape_open(run->data, run->data_count, config, &why);
        if (!tape) {
            trail_destroy(trail);
            return usage_error("run", "%s", why.text);
        }
        options.virtual_time = true;
        options.start = tape_start(tape);
        options.feed = tape_feed(tape);
        options.watch = tape_watch(tape);
    }
    catch_signals();
    struct host *host = host_create(config, &options, &why);
    if (!host) {
        tape_close(tape);
        trail_destroy(trail);
        return usage_error("run", "%s", why.text);
    }
    running = host;
    if (!run->json && !options.screen)
        fprintf(stderr, "weir: running; journal %s; http://%s:%u/metrics; `weir ctl status`\n",
                host->journal_folder, config->listen,
                (unsigned)(host->observer ? observer_port(host->observer) : 0));
    enum weir_err err = host_run(host, &why);
    int code = finish(host, run, tape, trail, err, &why);
    running = NULL;
    host_destroy(host);
    tape_close(tape);
    trail_destroy(trail);
    return code;
}

static int set_up_log(const struct config *config)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    for (int i = 0; i < 4; i++)
        if (strcmp(levels[i], config->log_level) == 0)
            log_to(stderr, config->log_json, (enum log_level)i);
    return 0;
}

static int parse_speed(const char *text, uint32_t *speed_out)
{
    int64_t value = 0;
    if (strcmp(text, "max") == 0) {
        *speed_out = 0;
        return 0;
    }
    if (decimal_parse(text, strlen(text), 0, &value) || value < 1 || value > 1000000)
        return usage_error(
            "run", "--speed: expected 1, a whole number of times, or max; found '%s'", text);
    *speed_out = (uint32_t)value;
    return 0;
}

static int parse(int argc, char **argv, struct run *run)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"for", required_argument, NULL, 'f'},
                                            {"journal", required_argument, NULL, 'j'},
                                            {"no-console", no_argument, NULL, 'n'},
                                            {"data", required_argument, NULL, 'd'},
                                            {"speed", required_argument, NULL, 's'},
                                            {"isolation", required_argument, NULL, 'i'},
                                            {"json", no_argument, NULL, 'J'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    for (int c; (c = getopt_long(argc, argv, "-c:f:j:nd:s:i:Jh", options, NULL)) != -1;) {
        switch (c) {
        case 'c': run->config = optarg; break;
        case 'j': run->journal = optarg; break;
        case 'n': run->console = false; break;
        case 'J': run->json = true; break;
        case 'h': fputs(help, stdout); return -1;
        case 'f':
            if (!duration_parse(optarg, &run->run_for) || run->run_for <= 0)
                return usage_error(
                    "run", "--for: expected a duration such as 500ms, 30s or 5m; found '%s'",
                    optarg);
            break;
        case 'i':
            if (!host_isolation_parse(optarg, &run->isolation))
                return usage_error("run", "--isolation: expected process or inline, found '%s'",
                                   optarg);
            break;
        case 's':
            if (parse_speed(optarg, &run->speed))
                return EXIT_BAD;
            break;
        case 1: /* a further path of --data */
            if (run->data_count == 0)
                return usage_error("run", "unexpected '%s'", optarg);
            /* fall through */
        case 'd':
            if (run->data_count == sizeof run->data / sizeof run->data[0])
                return usage_error("run", "--data: at most %zu paths", run->data_count);
            run->data[run->data_count++] = optarg;
            break;
        default: return usage_error("run", "see `weir run --help`");
        }
    }
    return 0;
}

static int load_and_run(const struct run *run)
{
    struct why why;
    struct config *config = config_load(run->config, &why);
    if (!config)
        return usage_error("run", "%s", why.text);
    set_up_log(config);
    int code = run_host(config, run);
    config_destroy(config);
    return code;
}

int cmd_run(int argc, char **argv)
{
    struct run run = {.config = "config/weir.yaml", .console = true};
    /* before all else: what is not there yet cannot be inherited */
    if (cells_start(&run.cells, &run.no_cells))
        run.cells = NULL; /* run.no_cells says why, to whom it concerns */
    int code = parse(argc, argv, &run);
    if (code == 0)
        code = load_and_run(&run);
    cells_stop(run.cells);
    return code < 0 ? EXIT_OK : code;
}
