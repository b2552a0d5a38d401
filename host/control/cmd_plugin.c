/* cmd_plugin.c - `weir plugin`: what the author of a connector does before an operator trusts it. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "control/commands.h"
#include "control/kit.h"

static const char help[] =
    "usage: weir plugin new NAME\n"
    "       weir plugin check [--json] [--recordings DIR] [--set NAME=VALUE]... [--inside] "
    "PLUGIN.so\n\n"
    "  new    writes NAME/ with NAME.c, CMakeLists.txt and README.md: a connector that works, and "
    "builds\n"
    "         outside of this tree from the installed SDK alone\n"
    "  check  loads the plugin as the host does and plays the host to it: is each field of an "
    "order on the\n"
    "         wire or refused, does it invent answers, does it survive hostile bytes, is it quick, "
    "does it leak\n\n"
    "  --recordings DIR  what the venue says first, file by file in the order of their names:\n"
    "                    *.http  a path, a line's end, and the body that it is answered with\n"
    "                    *.ws    a frame a line        *.bin  one frame\n"
    "  --set NAME=VALUE  a setting of the session, as in an operator's file\n"
    "  --inside          the plugin is a venue by itself: there is no wire to look at\n"
    "  --json            one document: ok, checks, passed, failed\n\n"
    "Exit: 0 all passed, 1 a check failed, 2 wrong usage or bad input.\n";

/* --- new ------------------------------------------------------------------------------------------- */

extern const unsigned char template_connector_c[], template_CMakeLists_txt[],
    template_README_md[]; /* made by the build out of sdk/template */

static int write_file(const char *folder, const char *file, const unsigned char *from,
                      const char *name)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    FILE *out = fopen(path, "wx");
    if (!out)
        return usage_error("plugin new", "%s: %m", path);
    for (const char *at = (const char *)from; *at; at++) /* @ stands for the name */
        if (*at == '@')
            fputs(name, out);
        else
            fputc(*at, out);
    if (fclose(out) != 0)
        return usage_error("plugin new", "%s: %m", path);
    printf("%s\n", path);
    return EXIT_OK;
}

static int plugin_new(int argc, char **argv)
{
    char source[64];
    if (argc != 2)
        return usage_error("plugin new", "expected one name");
    const char *slash = strrchr(argv[1], '/'), *name = slash ? slash + 1 : argv[1];
    if (*name < 'a' || *name > 'z' || strlen(name) > 24 || strlen(argv[1]) > 500 ||
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(name))
        return usage_error("plugin new",
                           "'%s': expected a name of 1 to 24 of a-z, 0-9 and _ that begins with a "
                           "letter, with a folder before it if need be",
                           name);
    if (mkdir(argv[1], 0755) != 0)
        return usage_error("plugin new", "%s: %m", argv[1]);
    snprintf(source, sizeof source, "%s.c", name);
    int code = write_file(argv[1], source, template_connector_c, name);
    if (code == EXIT_OK)
        code = write_file(argv[1], "CMakeLists.txt", template_CMakeLists_txt, name);
    if (code == EXIT_OK)
        code = write_file(argv[1], "README.md", template_README_md, name);
    if (code == EXIT_OK)
        printf("next: cmake -S %s -B %s/build; cmake --build %s/build; weir plugin check "
               "%s/build/%s.so\n",
               argv[1], argv[1], argv[1], argv[1], name);
    return code;
}

/* --- check ----------------------------------------------------------------------------------------- */

struct printing {
    bool as_json;
    struct text json;
    unsigned passed, failed;
};

static void verdict(void *context, const char *check, bool passed, const char *reason)
{
    struct printing *printing = context;
    printing->passed += passed;
    printing->failed += !passed;
    if (!printing->as_json) {
        printf("%s %s: %s\n", passed ? "PASS" : "FAIL", check, reason);
        fflush(stdout);
        return;
    }
    json_object(&printing->json);
    json_key(&printing->json, "check");
    json_string(&printing->json, check);
    json_key(&printing->json, "passed");
    json_bool(&printing->json, passed);
    json_key(&printing->json, "reason");
    json_string(&printing->json, reason);
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
    if (err == WEIR_OK && as_json)
        printf("{\"ok\":%s,\"checks\":%s,\"passed\":%u,\"failed\":%u}\n",
               printing.failed ? "false" : "true", text_cstr(&printing.json), printing.passed,
               printing.failed);
    else if (err == WEIR_OK)
        printf("%u passed, %u failed\n", printing.passed, printing.failed);
    text_fini(&printing.json);
    if (err != WEIR_OK)
        return usage_error("plugin check", "%s", why.text);
    return printing.failed ? EXIT_NO : EXIT_OK;
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
        {"json", no_argument, NULL, 'j'},      {"recordings", required_argument, NULL, 'r'},
        {"set", required_argument, NULL, 's'}, {"inside", no_argument, NULL, 'i'},
        {"help", no_argument, NULL, 'h'},      {0}};
    struct kit kit = {0};
    bool as_json = false;
    optind = 0;
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (c) {
        case 'j': as_json = true; break;
        case 'i': kit.inside = true; break;
        case 'r': kit.recordings = optarg; break;
        case 's':
            if (!add_setting(&kit, optarg))
                return usage_error("plugin check", "--set %s: expected NAME=VALUE, at most %d",
                                   optarg, KIT_SETTINGS_MAX - 1);
            break;
        case 'h': fputs(help, stdout); return EXIT_OK;
        default:
            return usage_error("plugin check", "'%s': expected an option of `weir plugin --help`",
                               argv[optind - 1]);
        }
    if (argc - optind != 1)
        return usage_error("plugin check", "expected one PLUGIN.so");
    kit.path = argv[optind];
    return run_checks(&kit, as_json);
}

int cmd_plugin(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "new") == 0)
        return plugin_new(argc - 1, argv + 1);
    if (strcmp(what, "check") == 0)
        return plugin_check(argc - 1, argv + 1);
    if (strcmp(what, "--help") == 0 || strcmp(what, "-h") == 0) {
        fputs(help, stdout);
        return EXIT_OK;
    }
    return usage_error("plugin", "'%s': expected new or check", what);
}
