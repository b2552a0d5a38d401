/* cmd_check.c - `weir check`: everything that can be found wrong without trading. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "control/commands.h"
#include "control/config.h"
#include "control/host.h"
#include "control/paths.h"
#include "venue/venue.h"

static const char help[] =
    "usage: weir check [--config FILE] [--json]\n\n"
    "Validates the configuration, its limits, the scripts and the plugins, without trading.\n"
    "Every fault is told as file:line:column, what was expected, what was found.\n"
    "  --config FILE  default: config/weir.yaml\n"
    "  --json         {\"ok\":true|false,\"faults\":[...]}\n";

struct faults {
    struct text json;
    int count;
    bool quiet;
};

static void fault(void *context, const char *text)
{
    struct faults *faults = context;
    faults->count++;
    json_string(&faults->json, text);
    if (!faults->quiet)
        fprintf(stderr, "%s\n", text);
}

static void check_plugin(const struct config_venue *venue, struct faults *faults)
{
    struct why why;
    struct plugin *plugin = NULL;
    const char *path = plugin_path(venue->plugin, &why);
    if (path && plugin_load(path, &plugin, &why) == WEIR_OK) {
        if (venue->execution != EXECUTION_VENUE || plugin_descriptor(plugin)->caps->orders)
            return;
        (void)because(
            &why, WEIR_E_UNSUPPORTED,
            "execution: venue: plugin '%s' has market data only; expected execution: paper or none",
            venue->plugin);
    }
    while_doing(&why, "venues.%s", venue->name);
    fault(faults, why.text);
}

/* Its settings, and those of its execution, are for the plugin and for paper execution to judge: all venues are
 * opened in a host without a network, a journal or scripts, and closed again. */
static void check_venues(const struct config *config, struct faults *faults)
{
    struct why why;
    struct config venues = *config;
    const struct host_options options = {.virtual_time = true, .start = 1, .no_journal = true};
    venues.script_count = 0;
    log_to(stderr, false, LOG_ERROR); /* what a plugin says is in the fault */
    struct host *host = host_create(&venues, &options, &why);
    if (!host)
        fault(faults, why.text);
    host_destroy(host);
}

static void check_script(const struct config_script *script, struct faults *faults)
{
    struct why why;
    if (host_check_script(script, &why))
        fault(faults, why.text);
}

static int check(const char *path, bool json)
{
    struct faults faults = {.quiet = json};
    text_init(&faults.json);
    json_array(&faults.json);
    struct config *config = config_check(path, fault, &faults);
    for (size_t i = 0; config && i < config->venue_count; i++)
        check_plugin(&config->venues[i], &faults);
    if (config && faults.count == 0)
        check_venues(config, &faults);
    for (size_t i = 0; config && i < config->script_count; i++)
        check_script(&config->scripts[i], &faults);
    json_end(&faults.json);
    if (json)
        printf("{\"ok\":%s,\"faults\":%s}\n", faults.count ? "false" : "true",
               text_cstr(&faults.json));
    else if (config && faults.count == 0)
        printf("%s: ok: %zu venues, %zu scripts, %zu limits; sha256 %.16s\n", path,
               config->venue_count, config->script_count, config->limit_count, config->sha256);
    text_fini(&faults.json);
    config_destroy(config);
    return faults.count ? EXIT_BAD : EXIT_OK;
}

int cmd_check(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *path = "config/weir.yaml";
    bool json = false;
    for (int c; (c = getopt_long(argc, argv, "c:jh", options, NULL)) != -1;) {
        switch (c) {
        case 'c': path = optarg; break;
        case 'j': json = true; break;
        case 'h': fputs(help, stdout); return EXIT_OK;
        default: return usage_error("check", "see `weir check --help`");
        }
    }
    if (optind != argc)
        return usage_error("check", "unexpected '%s'", argv[optind]);
    return check(path, json);
}
