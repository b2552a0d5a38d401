/* cmd_describe.c - `weir describe`: the reference, printed from the lists that the code uses. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "control/commands.h"
#include "control/describe.h"
#include "control/schema.h"
#include "watch/metrics.h"

static const char help[] =
    "usage: weir describe config|errors|checks|limits|alerts|metrics|lua [--json]\n"
    "       weir describe json [NAME]\n\n"
    "Prints the reference from the lists that the code itself uses.\n"
    "  --json   config only: the JSON Schema, for editors\n";

static void describe_errors(struct text *out)
{
    text_say(out, "| error | meaning |\n| --- | --- |\n");
    for (int e = WEIR_OK + 1; e < WEIR_ERR_COUNT; e++)
        text_say(out, "| `%s` | %s |\n", err_name((enum weir_err)e), err_text((enum weir_err)e));
}

static void describe_checks(struct text *out)
{
    text_say(out, "Evaluated in this order, all of them; the first that fails names the reason.\n\n"
                  "| check | refuses an order when |\n| --- | --- |\n");
    for (int c = 0; c < RISK_CHECK_COUNT; c++)
        text_say(out, "| `%s` | %s |\n", risk_check_name((enum risk_check)c),
                 risk_check_text((enum risk_check)c));
}

static void describe_limits(struct text *out)
{
    text_say(out, "| limit | meaning |\n| --- | --- |\n");
#define X(name, words) text_say(out, "| `%s` | %s |\n", #name, words);
    RISK_LIMITS(X)
#undef X
}

static void describe_alerts(struct text *out)
{
    text_say(out, "| alert | meaning |\n| --- | --- |\n");
    for (int a = 0; a < ALERT_COUNT; a++)
        text_say(out, "| `%s` | %s |\n", alert_name((enum alert)a), alert_text((enum alert)a));
}

static const struct {
    const char *what;
    void (*print)(struct text *out);
} topics[] = {{"config", schema_print_reference}, {"errors", describe_errors},
              {"checks", describe_checks},        {"limits", describe_limits},
              {"alerts", describe_alerts},        {"metrics", metrics_describe},
              {"lua", describe_lua_annotations}};

/* The names of all documents, or the schema of one. */
static int json_shape(int argc, char **argv)
{
    struct text out;
    text_init(&out);
    bool known = argc < 2;
    if (argc == 0)
        describe_json_names(&out);
    else if (argc == 1)
        known = describe_json(argv[0], &out);
    if (known)
        printf("%s%s", text_cstr(&out), argc == 1 ? "\n" : "");
    text_fini(&out);
    return known ? EXIT_OK
                 : usage_error("describe",
                               "json: no document is called '%s'; `weir describe json` lists them",
                               argc == 1 ? argv[0] : "two at once");
}

int cmd_describe(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
    bool json = false;
    for (int c; (c = getopt_long(argc, argv, "jh", options, NULL)) != -1;) {
        if (c == 'h') {
            fputs(help, stdout);
            return EXIT_OK;
        }
        if (c != 'j')
            return usage_error("describe", "see `weir describe --help`");
        json = true;
    }
    if (optind < argc && strcmp(argv[optind], "json") == 0)
        return json_shape(argc - optind - 1, argv + optind + 1);
    if (optind + 1 != argc)
        return usage_error("describe",
                           "expected one of: config errors checks limits alerts metrics lua json");
    struct text out;
    int code = EXIT_BAD;
    text_init(&out);
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++)
        if (strcmp(argv[optind], topics[i].what) == 0) {
            if (json && i == 0)
                schema_print_json(&out);
            else
                topics[i].print(&out);
            printf("%s%s", text_cstr(&out), json ? "\n" : "");
            code = EXIT_OK;
        }
    text_fini(&out);
    return code == EXIT_OK
               ? code
               : usage_error("describe",
                             "unknown topic '%s'; expected one of: config errors checks "
                             "limits alerts metrics lua json",
                             argv[optind]);
}
