/* cmd_exchange.c - `weir exchange`: a simulated venue in a process of its own. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/decimal.h"
#include "base/log.h"
#include "control/commands.h"
#include "control/paths.h"
#include "exchange/exchange.h"

static const char help[] =
    "usage: weir exchange [--venue sim] [--port N] [--seed N] [--set NAME=VALUE]...\n\n"
    "Serves a simulated exchange on loopback, for hosts (plugin `remote`) and for tests. It "
    "prints\n"
    "first {\"http\":PORT,\"ws\":PORT}, and runs until it is stopped; what it knows ends with it.\n"
    "  --venue NAME        the plugin that is the exchange (default: sim)\n"
    "  --port N            of 127.0.0.1; default: any free one\n"
    "  --seed N            of its market\n"
    "  --set NAME=VALUE    a setting of the plugin, such as latency_us=500\n\n"
    "WebSocket /remote/KEY: the account of that key. GET /_weir/books: its own truth.\n"
    "POST /_weir/faults {\"kind\",\"match\",\"count\",\"ms\"}: kind drop_ack, reject, disconnect,\n"
    "duplicate or delay; match a request (new, cancel, replace, query), a report (fill, expired), "
    "a\n"
    "client id, or *.\n";

enum { SETTINGS_MAX = 32 };

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    stopped = number;
}

static bool exchange_stop_asked(void)
{
    return stopped != 0;
}

struct wish {
    const char *venue;
    uint16_t port;
    struct weir_setting settings[SETTINGS_MAX + 1];
    size_t setting_count;
};

static int add_setting(struct wish *wish, const char *name, const char *value)
{
    if (wish->setting_count == SETTINGS_MAX)
        return usage_error("exchange", "--set: at most %d settings", SETTINGS_MAX);
    wish->settings[wish->setting_count++] = (struct weir_setting){name, value};
    return 0;
}

static int set(struct wish *wish, char *text)
{
    char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return usage_error("exchange", "--set: expected NAME=VALUE, found '%s'", text);
    *equals = '\0';
    return add_setting(wish, text, equals + 1);
}

static int parse(int argc, char **argv, struct wish *wish)
{
    static const struct option options[] = {
        {"venue", required_argument, NULL, 'v'}, {"port", required_argument, NULL, 'p'},
        {"seed", required_argument, NULL, 's'},  {"set", required_argument, NULL, 'S'},
        {"help", no_argument, NULL, 'h'},        {0}};
    int64_t number = 0;
    int code = 0;
    for (int c; !code && (c = getopt_long(argc, argv, "v:p:s:S:h", options, NULL)) != -1;) {
        switch (c) {
        case 'v': wish->venue = optarg; break;
        case 'p':
            if (decimal_parse(optarg, strlen(optarg), 0, &number) || number < 0 || number > 65535)
                return usage_error("exchange", "--port: expected 0 to 65535, found '%s'", optarg);
            wish->port = (uint16_t)number;
            break;
        case 's':
            if (decimal_parse(optarg, strlen(optarg), 0, &number) || number < 0)
                return usage_error("exchange", "--seed: expected a whole number, found '%s'",
                                   optarg);
            code = add_setting(wish, "seed", optarg);
            break;
        case 'S': code = set(wish, optarg); break;
        case 'h': fputs(help, stdout); return -1;
        default: return usage_error("exchange", "see `weir exchange --help`");
        }
    }
    return !code && optind < argc ? usage_error("exchange", "unexpected '%s'", argv[optind]) : code;
}

int cmd_exchange(int argc, char **argv)
{
    struct wish wish = {.venue = "sim"};
    struct sigaction action = {.sa_handler = on_signal};
    struct why why;
    int code = parse(argc, argv, &wish);
    if (code)
        return code < 0 ? EXIT_OK : code;
    struct exchange_options options = {
        .settings = wish.settings, .port = wish.port, .stop_asked = exchange_stop_asked};
    options.plugin = plugin_path(wish.venue, &why);
    if (!options.plugin)
        return usage_error("exchange", "%s", why.text);
    log_to(stderr, false, LOG_WARN);
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (exchange_run(&options, &why))
        return usage_error("exchange", "%s", why.text);
    log_flush();
    return EXIT_OK;
}
