/* cmd_book.c - `weir book`: what a recording holds, rebuilt through the venue's own plugin. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "control/commands.h"
#include "control/paths.h"
#include "sim/rebuild.h"

static const char help[] =
    "usage: weir book --plugin NAME FILE... [--json]\n\n"
    "Rebuilds books and trade statistics from recorded messages: the files go through the plugin "
    "of\n"
    "their venue and through the book machine, as they would live.\n\n"
    "  --plugin NAME  a plugin by name, looked for beside the program, or its path\n"
    "  --json         one JSON document: "
    "{\"books\":{...},\"trades\":{...},\"l3\":{...},\"streams\":{...}}\n"
    "  --help         this text\n\n"
    "A FILE may be packed with gzip, xz, zstd or zip, or be a folder; what it is shows in its "
    "first\n"
    "bytes. It holds lines \"<stamp> <json>\", a capture as JSON lines or as text, or rows of "
    "orders\n"
    "under a line of names. Files that continue each other are read as one stream.\n\n"
    "Exit: 0 ok, 1 a message was refused and its book is not rebuilt, 2 wrong usage, or a damaged "
    "file.\n";

enum { LINES_SHOWN = 20 };

static void say(void *context, const char *line)
{
    unsigned *lines = context;
    if ((*lines)++ < LINES_SHOWN)
        fprintf(stderr, "%s\n", line);
}

static int run(const char *plugin, char **files, int count, bool as_json)
{
    struct why why = {.err = WEIR_OK};
    struct text out;
    struct rebuild_totals totals;
    unsigned lines = 0;
    struct rebuild_options options = {
        .plugin = plugin_path(plugin, &why),
        .paths = (const char *const *)files,
        .path_count = (size_t)count,
        .say = say,
        .context = &lines,
    };
    if (!options.plugin)
        return usage_error("book", "%s", why.text);
    text_init(&out);
    enum weir_err err =
        rebuild_run(&options, as_json ? &out : NULL, as_json ? NULL : &out, &totals, &why);
    if (lines > LINES_SHOWN)
        fprintf(stderr, "weir book: %u more lines like these\n", lines - LINES_SHOWN);
    if (err == WEIR_OK && !text_ok(&out))
        err = because(&why, WEIR_E_NO_MEMORY, "out of memory");
    if (err == WEIR_OK)
        printf("%s\n", text_cstr(&out));
    else
        fprintf(stderr, "weir book: %s\n", why.text);
    text_fini(&out);
    return err != WEIR_OK ? EXIT_BAD : totals.refused > 0 ? EXIT_NO : EXIT_OK;
}

int cmd_book(int argc, char **argv)
{
    static const struct option options[] = {
        {"plugin", required_argument, NULL, 'p'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    const char *plugin = NULL;
    bool as_json = false;
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "hj", options, NULL)) != -1;) {
        switch (c) {
        case 'p': plugin = optarg; break;
        case 'j': as_json = true; break;
        case 'h': fputs(help, stdout); return EXIT_OK;
        default: return usage_error("book", "see `weir book --help`");
        }
    }
    if (!plugin)
        return usage_error("book",
                           "--plugin is missing: expected the venue's plugin, such as binance");
    if (optind == argc)
        return usage_error("book", "no FILE was named");
    return run(plugin, argv + optind, argc - optind, as_json);
}
