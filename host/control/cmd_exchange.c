/* cmd_exchange.c - `weir exchange`: a simulated venue in a process of its own. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/decimal.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "control/commands.h"
#include "control/paths.h"
#include "exchange/exchange.h"

static const char help[] =
    "usage: weir exchange [--venue NAME] [--port N] [--seed N] [--keys FILE] [--balances FILE]\n"
    "                     [--set NAME=VALUE]...\n\n"
    "Serves a simulated exchange on loopback, for hosts (plugin `remote`) and for tests. It "
    "prints\n"
    "first {\"http\":PORT,\"ws\":PORT}, and runs until it is stopped; what it knows ends with it.\n"
    "  --venue NAME        sim (default), or another plugin that is a whole exchange; binance: sim "
    "with\n"
    "                      markets named as there (BTCUSDT, ETHUSDT)\n"
    "  --port N            of 127.0.0.1; default: any free one\n"
    "  --seed N            of its market\n"
    "  --keys FILE         {\"API KEY\":{\"secret\":\"...\",\"account\":\"main\"}}: who may trade "
    "by Binance's\n"
    "                      protocol; an HMAC secret or a public key in PEM (default: weir, "
    "secret)\n"
    "  --weight N          of requests in a minute, by Binance's protocol (default: 6000)\n"
    "  --connection-life S seconds until a WebSocket of Binance's protocol is closed (default: "
    "86400)\n"
    "  --balances FILE     {\"USDT\":\"100000\"}: the wallet at the start\n"
    "  --set NAME=VALUE    a setting of the plugin, such as latency_us=500\n\n"
    "WebSocket /remote/KEY: the account of that key. GET /_weir/books: its own truth.\n"
    "Binance's spot and USD-M: HTTP at /api/v3 and /fapi, WebSockets at /ws-api/v3, /ws-fapi/v1,\n"
    "/stream, /ws, /public, /market, /private; signatures are verified.\n"
    "POST /_weir/faults {\"kind\",\"match\",\"count\",\"ms\"}: kind drop_ack, reject, error, "
    "disconnect,\n"
    "duplicate, delay or reorder; match a request (new, cancel, replace, query), a report (fill,\n"
    "expired), a client id, or *; or for `ms` of the whole venue: freeze, ban, maintenance, lag, "
    "clock;\n"
    "or rules: tick and step of the symbol `match` become `count` times what they were.\n";

enum { SETTINGS_MAX = 32, KEYS_MOST = 64 };

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
    uint32_t weight;
    weir_ns life;
    struct weir_setting settings[SETTINGS_MAX + 1];
    size_t setting_count;
    struct exchange_key keys[KEYS_MOST + 1];
    cJSON *key_file; /* their texts */
    struct text balances;
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

static int read_keys(struct wish *wish, const char *path)
{
    struct why why;
    const cJSON *item;
    size_t count = 0;
    wish->key_file = json_read_file(path, &why);
    if (!wish->key_file)
        return usage_error("exchange", "--keys: %s", why.text);
    cJSON_ArrayForEach(item, wish->key_file)
    {
        const char *secret = json_text(item, "secret", NULL);
        if (!item->string || !secret || count == KEYS_MOST)
            return usage_error("exchange",
                               "--keys: expected up to %d of {\"secret\",\"account\"} by "
                               "API key",
                               KEYS_MOST);
        wish->keys[count++] =
            (struct exchange_key){item->string, secret, json_text(item, "account", "main")};
    }
    return 0;
}

static int read_balances(struct wish *wish, const char *path)
{
    struct why why;
    const cJSON *item;
    cJSON *root = json_read_file(path, &why);
    if (!root)
        return usage_error("exchange", "--balances: %s", why.text);
    text_fini(&wish->balances);
    cJSON_ArrayForEach(item, root)
    {
        const char *digits = json_digits(item);
        const char *value = digits ? digits : cJSON_IsString(item) ? item->valuestring : "";
        text_say(&wish->balances, "%s%s:%s", wish->balances.len ? "," : "",
                 item->string ? item->string : "", value);
    }
    cJSON_Delete(root);
    return add_setting(wish, "balances", text_cstr(&wish->balances));
}

/* Markets named as at Binance, in whose dialect the dash is left out. */
static int name_markets(struct wish *wish, bool linear)
{
    bool named = false, paid = false;
    int code = linear ? add_setting(wish, "linear", "1") : 0;
    for (size_t i = 0; i < wish->setting_count; i++) {
        named |= strcmp(wish->settings[i].name, "instruments") == 0;
        paid |= strcmp(wish->settings[i].name, "balances") == 0;
    }
    wish->venue = "sim";
    if (!code && !named)
        code = add_setting(wish, "instruments",
                           "BTC-USDT:50000:0.01:0.00001,ETH-USDT:3000:0.01:0.0001");
    return code || paid ? code : add_setting(wish, "balances", "USDT:1000000,BTC:100,ETH:1000");
}

static int parse(int argc, char **argv, struct wish *wish)
{
    static const struct option options[] = {
        {"venue", required_argument, NULL, 'v'},  {"port", required_argument, NULL, 'p'},
        {"seed", required_argument, NULL, 's'},   {"set", required_argument, NULL, 'S'},
        {"keys", required_argument, NULL, 'k'},   {"balances", required_argument, NULL, 'b'},
        {"weight", required_argument, NULL, 'w'}, {"connection-life", required_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},         {0}};
    int64_t number = 0;
    int code = 0;
    for (int c; !code && (c = getopt_long(argc, argv, "v:p:s:S:k:b:w:l:h", options, NULL)) != -1;) {
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
        case 'w':
            if (decimal_parse(optarg, strlen(optarg), 0, &number) || number < 1 ||
                number > 1000000000)
                return usage_error("exchange", "--weight: expected 1 to 1000000000, found '%s'",
                                   optarg);
            wish->weight = (uint32_t)number;
            break;
        case 'l':
            if (decimal_parse(optarg, strlen(optarg), 0, &number) || number < 1 || number > 864000)
                return usage_error("exchange",
                                   "--connection-life: expected 1 to 864000 seconds, found '%s'",
                                   optarg);
            wish->life = number * 1000000000;
            break;
        case 'k': code = read_keys(wish, optarg); break;
        case 'b': code = read_balances(wish, optarg); break;
        case 'h': fputs(help, stdout); return -1;
        default: return usage_error("exchange", "see `weir exchange --help`");
        }
    }
    return !code && optind < argc ? usage_error("exchange", "unexpected '%s'", argv[optind]) : code;
}

static int serve(struct wish *wish, struct exchange_options *options)
{
    struct why why;
    options->settings = wish->settings;
    options->keys = wish->keys;
    options->port = wish->port;
    options->weight = wish->weight;
    options->connection_life = wish->life;
    options->plugin = plugin_path(wish->venue, &why);
    if (!options->plugin)
        return usage_error("exchange", "%s", why.text);
    return exchange_run(options, &why) ? usage_error("exchange", "%s", why.text) : EXIT_OK;
}

int cmd_exchange(int argc, char **argv)
{
    struct wish wish = {.venue = "sim", .keys = {{"weir", "secret", "main"}}};
    struct sigaction action = {.sa_handler = on_signal};
    struct exchange_options options = {.stop_asked = exchange_stop_asked};
    text_init(&wish.balances);
    int code = parse(argc, argv, &wish);
    options.venue_names = strcmp(wish.venue, "binance") == 0;
    bool usdm = strcmp(wish.venue, "binance-usdm") == 0;
    options.venue_names |= usdm;
    if (!code && options.venue_names)
        code = name_markets(&wish, usdm);
    if (!code) {
        log_to(stderr, false, LOG_WARN);
        sigemptyset(&action.sa_mask);
        sigaction(SIGINT, &action, NULL);
        sigaction(SIGTERM, &action, NULL);
        signal(SIGPIPE, SIG_IGN);
        code = serve(&wish, &options);
        log_flush();
    }
    cJSON_Delete(wish.key_file);
    text_fini(&wish.balances);
    return code < 0 ? EXIT_OK : code;
}
