/* cmd_plugin.c - `weir plugin`: what the author of a connector does before an operator trusts it. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "control/commands.h"
#include "control/kit/kit.h"
#include "control/template.h"

static const char help[] =
    "usage: weir plugin new NAME\n"
    "       weir plugin check [OPTION...] PLUGIN.so\n\n"
    "  new    writes the folder NAME: a connector that works, what its venue says, and a "
    "CMakeLists.txt\n"
    "         that builds it outside of this tree from the installed SDK alone\n"
    "  check  plays host and venue to the plugin, in a process that may do nothing but compute; a "
    "line\n"
    "         for each check: PASS, FAIL or SKIP, its name, and what was found\n\n"
    "  --recordings DIR  what the venue says, file by file in the order of their names:\n"
    "                    NAME.http   a path, a line's end, and the body that it is answered with\n"
    "                    NAME.ws     a frame a line, on the first connection; NAME.2.ws: the "
    "second\n"
    "                    NAME.bin    one frame\n"
    "                    orders/     the same, said about the order of the check, "
    "w100000000000001\n"
    "                    ${id} is what the plugin sent last under that name; a name such as\n"
    "                    2-fill.ws says which event each of its frames must tell\n"
    "  --set NAME=VALUE  a setting of the session, as in an operator's file\n"
    "  --lacks NAME      a type, tif or flag of the sheet that this market lacks: it must be "
    "refused\n"
    "  --inside          the plugin is a venue by itself: there is no wire to look at\n"
    "  --only CHECK      this check alone, and load and begin before it\n"
    "  --json            one document: ok, checks, passed, failed, skipped\n\n"
    "Exit: 0 nothing failed, 1 a check failed, 2 wrong usage or bad input.\n\nChecks:\n";

static int print_help(void)
{
    const char *name, *asked, *why;
    fputs(help, stdout);
    for (size_t i = 0; kit_describe(i, &name, &asked, &why); i++)
        printf("  %-12s %s\n               %s\n", name, asked, why);
    return EXIT_OK;
}

/* --- new ------------------------------------------------------------------------------------------- */

static int write_file(const char *folder, const struct template_file *file, const char *name)
{
    char path[700];
    bool source = strcmp(file->name, "connector.c") == 0;
    snprintf(path, sizeof path, "%s/%s%s", folder, source ? name : file->name, source ? ".c" : "");
    FILE *out = fopen(path, "wx");
    if (!out)
        return usage_error("plugin new", "%s: %m", path);
    for (const char *at = (const char *)file->text; *at; at++) /* @ stands for the name */
        if (*at == '@')
            fputs(name, out);
        else
            fputc(*at, out);
    if (fclose(out) != 0)
        return usage_error("plugin new", "%s: %m", path);
    printf("%s\n", path);
    return EXIT_OK;
}

static int make_folder(const char *folder, const char *below)
{
    char path[600];
    snprintf(path, sizeof path, "%s%s", folder, below);
    return mkdir(path, 0755) == 0 ? EXIT_OK : usage_error("plugin new", "%s: %m", path);
}

static int plugin_new(int argc, char **argv)
{
    static const char *const folders[] = {"", "/recorded", "/recorded/orders"};
    if (argc != 2)
        return usage_error("plugin new", "expected one name");
    const char *slash = strrchr(argv[1], '/'), *name = slash ? slash + 1 : argv[1];
    if (*name < 'a' || *name > 'z' || strlen(name) > 24 || strlen(argv[1]) > 500 ||
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(name))
        return usage_error("plugin new",
                           "'%s': expected a name of 1 to 24 of a-z, 0-9 and _ that begins with a "
                           "letter, with a folder before it if need be",
                           name);
    int code = EXIT_OK;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0] && code == EXIT_OK; i++)
        code = make_folder(argv[1], folders[i]);
    for (const struct template_file *file = template_files; file->name && code == EXIT_OK; file++)
        code = write_file(argv[1], file, name);
    if (code == EXIT_OK)
        printf("next: cmake -S %s -B %s/build -DCMAKE_PREFIX_PATH=PREFIX; cmake --build %s/build "
               "--target check\n",
               argv[1], argv[1], argv[1]);
    return code;
}

/* --- check ----------------------------------------------------------------------------------------- */

struct printing {
    bool as_json;
    struct text json;
    unsigned count[3]; /* by enum kit_result */
};

static void verdict(void *context, const struct kit_verdict *is)
{
    struct printing *printing = context;
    printing->count[is->result]++;
    if (!printing->as_json) {
        printf("%s %-12s %s\n", kit_result_name(is->result), is->check, is->reason);
        fflush(stdout);
        return;
    }
    json_object(&printing->json);
    json_key(&printing->json, "check");
    json_string(&printing->json, is->check);
    json_key(&printing->json, "asked");
    json_string(&printing->json, is->asked);
    json_key(&printing->json, "result");
    json_string(&printing->json, kit_result_name(is->result));
    json_key(&printing->json, "reason");
    json_string(&printing->json, is->reason);
    json_end(&printing->json);
}

static int run_checks(struct kit *kit, bool as_json)
{
    struct printing printing = {.as_json = as_json};
    struct why why;
    text_init(&printing.json);
    json_array(&printing.json);
    enum weir_err err = kit_run(kit, verdict, &printing, &why);
    json_end(&printing.json);
    const unsigned *count = printing.count;
    if (err == WEIR_OK && as_json)
        printf("{\"ok\":%s,\"checks\":%s,\"passed\":%u,\"failed\":%u,\"skipped\":%u}\n",
               count[KIT_FAIL] ? "false" : "true", text_cstr(&printing.json), count[KIT_PASS],
               count[KIT_FAIL], count[KIT_SKIP]);
    else if (err == WEIR_OK)
        printf("%u passed, %u failed, %u skipped\n", count[KIT_PASS], count[KIT_FAIL],
               count[KIT_SKIP]);
    text_fini(&printing.json);
    if (err != WEIR_OK)
        return usage_error("plugin check", "%s", why.text);
    return count[KIT_FAIL] ? EXIT_NO : EXIT_OK;
}

/* A plugin that was built with the address sanitizer wants its run time in the process before all else:
 * begin anew with it. Comes back if that is not so, or cannot be. */
static void begin_with_sanitizer(const char *path, char **argv)
{
    const char *library;
    struct why why;
    if (kit_wants_sanitizer(path, &library, &why) != WEIR_OK || !library || getenv("LD_PRELOAD"))
        return; /* what is wrong with the file is said by the check */
    if (setenv("LD_PRELOAD", library, 1) == 0 && setenv("ASAN_OPTIONS", "detect_leaks=0", 0) == 0)
        (void)execv("/proc/self/exe", argv);
}

static bool add_setting(struct kit *kit, char *text)
{
    char *equals = strchr(text, '=');
    if (!equals || equals == text || kit->setting_count + 1 == KIT_SETTINGS_MAX)
        return false;
    *equals = '\0';
    kit->settings[kit->setting_count++] = (struct weir_setting){text, equals + 1};
    return true;
}

static int plugin_check(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'},       {"recordings", required_argument, NULL, 'r'},
        {"set", required_argument, NULL, 's'},  {"inside", no_argument, NULL, 'i'},
        {"only", required_argument, NULL, 'o'}, {"lacks", required_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},       {0}};
    struct kit kit = {0};
    bool as_json = false;
    char **all = argv - 2; /* weir plugin check ... */
    optind = 0;
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;)
        switch (c) {
        case 'j': as_json = true; break;
        case 'i': kit.inside = true; break;
        case 'r': kit.recordings = optarg; break;
        case 'o': kit.only = optarg; break;
        case 'l':
            if (kit.lacks_count == KIT_LACKS_MAX)
                return usage_error("plugin check", "--lacks: expected at most %d", KIT_LACKS_MAX);
            kit.lacks[kit.lacks_count++] = optarg;
            break;
        case 's':
            if (!add_setting(&kit, optarg))
                return usage_error("plugin check", "--set %s: expected NAME=VALUE, at most %d",
                                   optarg, KIT_SETTINGS_MAX - 1);
            break;
        case 'h': return print_help();
        default:
            return usage_error("plugin check", "'%s': expected an option of `weir plugin --help`",
                               argv[optind - 1]);
        }
    if (argc - optind != 1)
        return usage_error("plugin check", "expected one PLUGIN.so");
    kit.path = argv[optind];
    begin_with_sanitizer(kit.path, all);
    return run_checks(&kit, as_json);
}

int cmd_plugin(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "new") == 0 && !(argc > 2 && argv[2][0] == '-'))
        return plugin_new(argc - 1, argv + 1);
    if (strcmp(what, "check") == 0)
        return plugin_check(argc - 1, argv + 1);
    if (strcmp(what, "--help") == 0 || strcmp(what, "-h") == 0)
        return print_help();
    return usage_error("plugin", "expected new or check; see `weir plugin --help`");
}
