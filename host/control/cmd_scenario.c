/* cmd_scenario.c - `weir scenario`: stories through the engine that trades. */
#include <getopt.h>
#include <stdio.h>

#include "base/json.h"
#include "control/commands.h"
#include "sim/scenario.h"

static const char help[] = "usage: weir scenario [--hash] [--json] FILE...\n\n"
                           "Runs scenario files (format 1) through the engine: PASS <id> or FAIL "
                           "<id>: what differs, got, want.\n"
                           "Each is played twice, and the journals must be equal byte for byte.\n"
                           "  --hash   adds the SHA-256 of inputs and effects to each line\n"
                           "  --json   one JSON document instead of lines\n\n"
                           "Exit: 0 all pass, 1 some fail, 2 a file is not a scenario.\n";

struct totals {
    int passed, failed, bad;
    bool hash, json;
    struct text out;
};

/* The first difference on the line itself, the others below it. */
static void print_failures(const char *id, struct text *failures)
{
    const char *text = text_cstr(failures);
    printf("FAIL %s: ", id);
    for (const char *p = text; *p; p++) {
        putchar(*p);
        if (*p == '\n' && p[1])
            printf("     %s: ", id);
    }
}

static void report(struct totals *totals, const char *id, struct scenario_result *result)
{
    if (totals->json) {
        json_object(&totals->out);
        json_key(&totals->out, "id");
        json_string(&totals->out, id);
        json_key(&totals->out, "passed");
        json_bool(&totals->out, result->passed);
        json_key(&totals->out, "failures");
        json_string(&totals->out, text_cstr(&result->failures));
        json_key(&totals->out, "journal_hash");
        json_string(&totals->out, result->journal_hash);
        json_end(&totals->out);
    } else if (result->passed) {
        printf("PASS %s%s%s\n", id, totals->hash ? " " : "",
               totals->hash ? result->journal_hash : "");
    } else {
        print_failures(id, &result->failures);
    }
}

static void play(struct totals *totals, const char *path)
{
    struct why why;
    struct scenario_result result;
    cJSON *story = scenario_read(path, &why);
    if (!story) {
        totals->bad++;
        fprintf(stderr, "weir scenario: %s\n", why.text);
        return;
    }
    enum weir_err err = scenario_run(story, &result, &why);
    if (err) {
        totals->bad++;
        fprintf(stderr, "weir scenario: %s: %s\n", path, why.text);
    } else {
        result.passed ? totals->passed++ : totals->failed++;
        report(totals, json_text(story, "id", "?"), &result);
    }
    text_fini(&result.failures);
    cJSON_Delete(story);
}

int cmd_scenario(int argc, char **argv)
{
    static const struct option options[] = {{"hash", no_argument, NULL, 'H'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct totals totals = {0};
    for (int c; (c = getopt_long(argc, argv, "Hjh", options, NULL)) != -1;) {
        switch (c) {
        case 'H': totals.hash = true; break;
        case 'j': totals.json = true; break;
        case 'h': fputs(help, stdout); return EXIT_OK;
        default: return usage_error("scenario", "see `weir scenario --help`");
        }
    }
    if (optind == argc)
        return usage_error("scenario", "expected at least one file");
    text_init(&totals.out);
    json_object(&totals.out);
    json_key(&totals.out, "scenarios");
    json_array(&totals.out);
    for (int i = optind; i < argc; i++)
        play(&totals, argv[i]);
    json_end(&totals.out);
    json_key(&totals.out, "passed");
    json_int(&totals.out, totals.passed);
    json_key(&totals.out, "failed");
    json_int(&totals.out, totals.failed);
    json_end(&totals.out);
    if (totals.json)
        puts(text_cstr(&totals.out));
    else
        printf("%d passed, %d failed\n", totals.passed, totals.failed);
    text_fini(&totals.out);
    return totals.bad ? EXIT_BAD : totals.failed ? EXIT_NO : EXIT_OK;
}
