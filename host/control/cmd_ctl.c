/* cmd_ctl.c - `weir ctl`: talks to a running host over its control socket. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "control/commands.h"
#include "control/config.h"
#include "control/schema.h"
#include "gateway/socket.h"

static const char help[] =
    "usage: weir ctl [--socket PATH | --config FILE] [--json] WHAT\n\n"
    "  status                what the host is doing\n"
    "  orders [--all]        live orders; --all: the ended ones too, newest first\n"
    "  positions             positions, averages and PnL, of accounts and strategies\n"
    "  venues                venues and their books\n"
    "  book MARKET...        levels of a book, VENUE/SYMBOL, or of several as one\n"
    "       [--depth N]      levels of each side: 1 to 200 (10)\n"
    "       [--others]       without what the host's own orders add to it\n"
    "  scripts               scripts, their state, version, and why they were stopped\n"
    "  limits                every limit of every scope, with what is used of it\n"
    "  alerts                the newest alerts\n"
    "  kill [REASON]         pull the kill switch: cancel all, refuse new orders\n"
    "  resume [REASON]       release the kill switch\n"
    "  cancel CID            cancel one order\n"
    "  reload                read the configuration anew: limits, policies, scripts\n"
    "  reload --compare 10s  switch nothing: run changed scripts in the shadow of those that run, "
    "and say\n"
    "                        what they would have asked for differently\n"
    "  arm SCRIPT            let a script send orders\n"
    "  disarm SCRIPT [REASON] let only its cancels leave, and cancel what it has working\n"
    "  stop                  an orderly stop\n\n"
    "  --json    the answer as one JSON document\n"
    "  --socket  the control socket; default: host.control of the configuration\n"
    "  --config  default: config/weir.yaml\n\n"
    "Exit: 0 ok, 1 the host said no, 2 wrong usage or no host.\n";

static const char *text_of(const cJSON *object, const char *key)
{
    return json_text(object, key, "");
}

static int64_t number_of(const cJSON *object, const char *key)
{
    int64_t value = 0;
    return json_whole(json_get(object, key), &value) ? value : 0;
}

/* --- answers for people -----------------------------------------------------------------------*/

static void print_status(const cJSON *answer)
{
    const cJSON *sent = json_get(answer, "sent"), *journal = json_get(answer, "journal"), *item;
    printf("kill switch   %s\n",
           cJSON_IsTrue(json_get(answer, "kill_switch")) ? "PULLED" : "not pulled");
    printf("live orders   %" PRId64 "\n", number_of(answer, "live_orders"));
    printf("sent          %" PRId64 " new, %" PRId64 " cancels, %" PRId64 " replaces\n",
           number_of(sent, "new"), number_of(sent, "cancel"), number_of(sent, "replace"));
    printf("executions    %" PRId64 "\n", number_of(answer, "executions"));
    printf("denied       ");
    cJSON_ArrayForEach(item, json_get(answer, "denied"))
        printf(" %s %.0f", item->string, item->valuedouble);
    printf("\nalerts        %" PRId64 "\n", number_of(answer, "alerts"));
    printf("inputs        %" PRId64 " (%" PRId64 " a second)\n", number_of(answer, "inputs"),
           number_of(answer, "inputs_per_second"));
    printf("journal       %s: %" PRId64 " records, %" PRId64 " on disk%s\n",
           text_of(journal, "folder"), number_of(journal, "records"), number_of(journal, "durable"),
           cJSON_IsTrue(json_get(journal, "failed")) ? ", FAILED" : "");
}

static void print_orders(const cJSON *answer)
{
    const cJSON *o;
    printf("%-20s %-12s %-18s %-4s %12s %14s %12s %s\n", "ORDER", "STRATEGY", "MARKET", "SIDE",
           "QTY", "PRICE", "FILLED", "STATE");
    cJSON_ArrayForEach(o, json_get(answer, "orders"))
    {
        char market[64];
        snprintf(market, sizeof market, "%s/%s", text_of(o, "venue"), text_of(o, "instrument"));
        const char *more = *text_of(o, "waits") ? text_of(o, "waits") : text_of(o, "reason");
        printf("%-20s %-12s %-18s %-4s %12s %14s %12s %s%s%s\n", text_of(o, "cid"),
               text_of(o, "strategy"), market, text_of(o, "side"), text_of(o, "qty"),
               text_of(o, "price"), text_of(o, "cum_qty"), text_of(o, "state"), *more ? ": " : "",
               more);
    }
}

static void print_positions(const cJSON *answer)
{
    const cJSON *p, *s;
    printf("%-22s %14s %22s %22s %22s\n", "POSITION", "QTY", "AVERAGE", "REALIZED", "UNREALIZED");
    cJSON_ArrayForEach(p, json_get(answer, "positions"))
    {
        char market[64];
        snprintf(market, sizeof market, "%s/%s", text_of(p, "venue"), text_of(p, "instrument"));
        printf("%-22s %14s %22s %22s %22s\n", market, text_of(p, "qty"), text_of(p, "avg_price"),
               text_of(p, "realized_pnl"), json_text(p, "unrealized_pnl", "?"));
        cJSON_ArrayForEach(s, json_get(p, "strategies"))
            printf("  %-20s %14s %22s %22s\n", text_of(s, "strategy"), text_of(s, "qty"), "",
                   text_of(s, "realized_pnl"));
    }
}

static void print_venues(const cJSON *answer)
{
    const cJSON *v, *b;
    cJSON_ArrayForEach(v, json_get(answer, "venues"))
    {
        printf("%s  plugin %s, execution %s, %s%s, %" PRId64 " messages, %" PRId64
               " errors, %" PRId64 " gaps\n",
               text_of(v, "venue"), text_of(v, "plugin"), text_of(v, "execution"),
               cJSON_IsTrue(json_get(v, "up")) ? "up" : "DOWN",
               cJSON_IsTrue(json_get(v, "reconciling")) ? ", reconciling" : "",
               number_of(v, "frames"), number_of(v, "errors"), number_of(v, "gaps"));
        cJSON_ArrayForEach(b, json_get(v, "books"))
            printf("  %-16s %-8s %14s x %-14s %14s x %-14s\n", text_of(b, "instrument"),
                   text_of(b, "state"), text_of(b, "bid_qty"), text_of(b, "bid"), text_of(b, "ask"),
                   text_of(b, "ask_qty"));
    }
}

static void print_side(const cJSON *answer, const char *side)
{
    const cJSON *l;
    cJSON_ArrayForEach(l, json_get(answer, side))
        printf("%-4s %18s %18s  %s/%s%s%.0d%s\n", side[0] == 'b' ? "bid" : "ask",
               text_of(l, "price"), text_of(l, "qty"), text_of(l, "venue"),
               text_of(l, "instrument"), json_get(l, "orders") ? "  of " : "",
               (int)number_of(l, "orders"), json_get(l, "orders") ? " orders" : "");
}

static void print_book(const cJSON *answer)
{
    const cJSON *m;
    cJSON_ArrayForEach(m, json_get(answer, "markets"))
    {
        static const char *const more[] = {"mark", "index", "funding_rate"};
        printf("%s/%s  %s", text_of(m, "venue"), text_of(m, "instrument"), text_of(m, "state"));
        for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
            if (json_get(m, more[i]))
                printf("  %s %s", more[i], text_of(m, more[i]));
        puts("");
    }
    if (cJSON_IsFalse(json_get(answer, "own_orders")))
        puts("without the host's own orders");
    print_side(answer, "bids");
    print_side(answer, "asks");
}

static void print_scripts(const cJSON *answer)
{
    const cJSON *s;
    cJSON_ArrayForEach(s, json_get(answer, "scripts"))
        printf("%-14s %-12s version %" PRId64 " %.12s  sent %" PRId64 "  denied %" PRId64
               "  fills %" PRId64 "  callbacks %" PRId64 " (longest %" PRId64 " us)  %s\n",
               text_of(s, "script"),
               strcmp(text_of(s, "state"), "running") == 0 && cJSON_IsFalse(json_get(s, "armed"))
                   ? "disarmed"
                   : text_of(s, "state"),
               number_of(s, "version"), text_of(s, "sha256"), number_of(s, "orders_sent"),
               number_of(s, "orders_denied"), number_of(s, "executions"), number_of(s, "callbacks"),
               number_of(s, "max_callback_us"), text_of(s, "reason"));
}

static void print_limits(const cJSON *answer)
{
    const cJSON *l;
    printf("%-11s %-24s %-20s %18s %22s %22s\n", "SCOPE", "NAME", "LIMIT", "VALUE", "READING",
           "HEADROOM");
    cJSON_ArrayForEach(l, json_get(answer, "limits"))
        printf("%-11s %-24s %-20s %18s %22s %22s\n", text_of(l, "scope"), text_of(l, "name"),
               text_of(l, "limit"), text_of(l, "value"), json_text(l, "reading", "of each order"),
               json_text(l, "headroom", ""));
}

static void print_alerts(const cJSON *answer)
{
    const cJSON *a;
    cJSON_ArrayForEach(a, json_get(answer, "alerts"))
        printf("%-20s %-12s %-14s %s%s%s\n", text_of(a, "alert"), text_of(a, "script"),
               text_of(a, "instrument"), text_of(a, "text"), *text_of(a, "text") ? ": " : "",
               text_of(a, "means"));
}

static void print_done(const cJSON *answer)
{
    printf("%s\n", text_of(answer, "ok"));
}

static const struct {
    const char *what;
    void (*print)(const cJSON *answer);
    int most;         /* further words */
    const char *word; /* name of the first of them in the request */
} requests[] = {{"status", print_status, 0, NULL},
                {"orders", print_orders, 0, NULL},
                {"positions", print_positions, 0, NULL},
                {"venues", print_venues, 0, NULL},
                {"book", print_book, 16, "code"},
                {"scripts", print_scripts, 0, NULL},
                {"limits", print_limits, 0, NULL},
                {"alerts", print_alerts, 0, NULL},
                {"kill", print_done, 1, "reason"},
                {"resume", print_done, 1, "reason"},
                {"cancel", print_done, 1, "cid"},
                {"reload", print_done, 0, NULL},
                {"arm", print_done, 1, "script"},
                {"disarm", print_done, 2, "script"},
                {"stop", print_done, 0, NULL}};

/* --- asking -----------------------------------------------------------------------------------*/

struct asking {
    char **words; /* what follows the request; the second one is a reason */
    int count;
    bool all, json;
    int64_t compare; /* of a reload: ns; 0: no */
    int64_t depth;   /* of a book; 0: the host's own choice */
    bool others;     /* of a book: without our own */
};

static void put_words(struct text *line, size_t which, const struct asking *asking)
{
    for (int i = 0; i < asking->count; i++) {
        json_key(line, i == 0 ? requests[which].word : "reason");
        json_string(line, asking->words[i]);
    }
}

static void put_markets(struct text *line, const struct asking *asking)
{
    struct text names;
    text_init(&names);
    for (int i = 0; i < asking->count; i++)
        text_say(&names, "%s%s", i > 0 ? " " : "", asking->words[i]);
    json_key(line, "code");
    json_string(line, text_cstr(&names));
    text_fini(&names);
}

static int ask(const char *path, size_t which, const struct asking *asking)
{
    int within_s = 10 + (int)(asking->compare / 1000000000);
    struct text line, answer;
    struct why why;
    int code = EXIT_BAD;
    text_init(&line);
    text_init(&answer);
    json_object(&line);
    json_key(&line, "do");
    json_string(&line, asking->compare ? "compare" : requests[which].what);
    json_key(&line, "ns");
    json_int(&line, asking->compare ? asking->compare : asking->depth);
    json_key(&line, "orders");
    json_bool(&line, asking->others);
    json_key(&line, "live");
    json_bool(&line, !asking->all);
    if (requests[which].print == print_book)
        put_markets(&line, asking);
    else
        put_words(&line, which, asking);
    json_end(&line);
    if (control_ask_within(path, text_cstr(&line), within_s, &answer, &why)) {
        fprintf(stderr, "weir ctl: %s\n", why.text);
    } else {
        cJSON *document = json_read(text_cstr(&answer), answer.len, &why);
        const char *error = document ? json_text(document, "error", NULL) : why.text;
        code = error ? EXIT_NO : EXIT_OK;
        if (asking->json)
            puts(text_cstr(&answer));
        else if (error)
            fprintf(stderr, "weir ctl: %s\n", error);
        else
            requests[which].print(document);
        cJSON_Delete(document);
    }
    text_fini(&line);
    text_fini(&answer);
    return code;
}

int cmd_ctl(int argc, char **argv)
{
    static const struct option options[] = {{"socket", required_argument, NULL, 's'},
                                            {"config", required_argument, NULL, 'c'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"all", no_argument, NULL, 'a'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"compare", required_argument, NULL, 'm'},
                                            {"depth", required_argument, NULL, 'd'},
                                            {"others", no_argument, NULL, 'o'},
                                            {0}};
    const char *socket = NULL, *path = "config/weir.yaml";
    struct asking asking = {.count = 0};
    for (int c; (c = getopt_long(argc, argv, "s:c:jah", options, NULL)) != -1;) {
        switch (c) {
        case 's': socket = optarg; break;
        case 'c': path = optarg; break;
        case 'j': asking.json = true; break;
        case 'a': asking.all = true; break;
        case 'o': asking.others = true; break;
        case 'd':
            if (decimal_parse(optarg, strlen(optarg), 0, &asking.depth) || asking.depth < 1 ||
                asking.depth > 200)
                return usage_error("ctl", "--depth: expected 1 to 200 levels, found '%s'", optarg);
            break;
        case 'm':
            if (!duration_parse(optarg, &asking.compare) || asking.compare < 1000000 ||
                asking.compare > (int64_t)3600 * 1000000000)
                return usage_error(
                    "ctl", "--compare: expected a duration of at most 1h such as 10s, found '%s'",
                    optarg);
            break;
        case 'h': fputs(help, stdout); return EXIT_OK;
        default: return usage_error("ctl", "see `weir ctl --help`");
        }
    }
    for (size_t i = 0; optind < argc && i < sizeof requests / sizeof requests[0]; i++) {
        if (strcmp(argv[optind], requests[i].what) != 0)
            continue;
        if (argc - optind - 1 > requests[i].most)
            return usage_error("ctl", "%s: too many words", requests[i].what);
        if (strcmp(requests[i].what, "cancel") == 0 && argc - optind < 2)
            return usage_error("ctl", "cancel: expected the name of an order");
        if (requests[i].word && strcmp(requests[i].word, "script") == 0 && argc - optind < 2)
            return usage_error("ctl", "%s: expected the name of a script", requests[i].what);
        bool book = strcmp(requests[i].what, "book") == 0;
        if (book && argc - optind < 2)
            return usage_error("ctl", "book: expected a market, VENUE/SYMBOL");
        if ((asking.depth || asking.others) && !book)
            return usage_error("ctl", "--depth and --others belong to book");
        if (asking.compare && strcmp(requests[i].what, "reload") != 0)
            return usage_error("ctl", "--compare belongs to reload");
        struct why why;
        struct config *config = NULL;
        if (!socket && !(config = config_load(path, &why)))
            return usage_error("ctl", "%s", why.text);
        asking.words = argv + optind + 1;
        asking.count = argc - optind - 1;
        int code = ask(socket ? socket : config->control, i, &asking);
        config_destroy(config);
        return code;
    }
    if (optind == argc)
        return usage_error("ctl", "expected what to ask; see `weir ctl --help`");
    return usage_error("ctl", "unknown request '%s'; see `weir ctl --help`", argv[optind]);
}
