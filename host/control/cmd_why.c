/* cmd_why.c - `weir why`: the whole path of one order, from its journal. */
#include <getopt.h>
#include <stdio.h>

#include "control/commands.h"
#include "control/config.h"
#include "control/paths.h"
#include "journal/explain.h"

static const char help[] =
    "usage: weir why ORDER [--journal DIR] [--config FILE] [--json]\n\n"
    "The whole path of one order: what was seen, asked, checked (each check with its reading and\n"
    "limit), sent, answered, executed. Also while the host runs.\n"
    "  ORDER          its name (cid), its client id at the venue, or the venue's id\n"
    "  --journal DIR  a journal's folder, or a folder of runs (then the latest);\n"
    "                 default: host.journal of the configuration\n"
    "  --config FILE  default: config/weir.yaml\n\n"
    "Exit: 0 told, 1 no such order, 2 the journal cannot be read.\n";

static int explain_order(const char *order, const char *folder, bool json)
{
    struct text out;
    struct why why;
    char path[512];
    text_init(&out);
    enum weir_err err = journal_path(folder, path, sizeof path, &why);
    bool there = !err;
    if (!err)
        err = explain(path, order, json, &out, &why);
    if (err)
        fprintf(stderr, "weir why: %s\n", why.text);
    else
        printf("%s%s", text_cstr(&out), json ? "\n" : "");
    text_fini(&out);
    return !err ? EXIT_OK : there && err == WEIR_E_NOT_FOUND ? EXIT_NO : EXIT_BAD;
}

int cmd_why(int argc, char **argv)
{
    static const struct option options[] = {{"journal", required_argument, NULL, 'j'},
                                            {"config", required_argument, NULL, 'c'},
                                            {"json", no_argument, NULL, 'J'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *journal = NULL, *config_path = "config/weir.yaml";
    bool json = false;
    for (int c; (c = getopt_long(argc, argv, "j:c:Jh", options, NULL)) != -1;) {
        switch (c) {
        case 'j': journal = optarg; break;
        case 'c': config_path = optarg; break;
        case 'J': json = true; break;
        case 'h': fputs(help, stdout); return EXIT_OK;
        default: return usage_error("why", "see `weir why --help`");
        }
    }
    if (optind + 1 != argc)
        return usage_error("why", "expected one order");
    if (!*argv[optind])
        return usage_error("why", "expected the name, an id or the number of an order, found ''");
    struct why why;
    struct config *config = journal ? NULL : config_load(config_path, &why);
    if (!journal && !config)
        return usage_error("why", "%s", why.text);
    int code = explain_order(argv[optind], journal ? journal : config->journal, json);
    config_destroy(config);
    return code;
}
