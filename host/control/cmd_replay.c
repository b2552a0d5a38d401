/* cmd_replay.c - `weir replay`: the same inputs again; the same effects, or what other limits would say. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "control/commands.h"
#include "control/config.h"
#include "control/paths.h"
#include "journal/replay.h"

static const char help[] =
    "usage: weir replay JOURNAL [--verify] [--config FILE] [--json]\n\n"
    "Runs a journal again, through a new engine.\n"
    "  --verify       every effect must be as recorded, byte for byte\n"
    "  --config FILE  with the limits of that file instead: which decisions would have differed\n"
    "  --json         one JSON document, with journal_hash\n\n"
    "JOURNAL is a journal's folder, or a folder of runs (then the latest).\n"
    "Exit: 0 equal (or no decision differs), 1 not, 2 the journal cannot be read.\n";

struct other {
    const struct config *config;
    struct text *out;
    bool json;
};

static void name_of(const struct engine *engine, const struct in_limit *limit, char *name,
                    size_t size)
{
    const struct weir_instrument *def;
    if (limit->scope == SCOPE_host) {
        snprintf(name, size, "*");
    } else if (limit->scope == SCOPE_instrument &&
               (def = engine_instrument(engine, limit->id)) != NULL) {
        snprintf(name, size, "%s/%s", engine_name(engine, SCOPE_venue, def->msg.venue),
                 def->symbol);
    } else if (limit->scope ==
               SCOPE_account) { /* "venue/account" in the engine, the venue's name in files */
        snprintf(name, size, "%s", engine_name(engine, SCOPE_account, limit->id));
        char *slash = strchr(name, '/');
        if (slash)
            *slash = '\0';
    } else {
        snprintf(name, size, "%s", engine_name(engine, (enum risk_scope)limit->scope, limit->id));
    }
}

static void other_limit(void *context, const struct engine *engine, struct in_limit *limit)
{
    const struct other *other = context;
    char name[100];
    name_of(engine, limit, name, sizeof name);
    const struct config_limit *row = config_limit_for(other->config, (enum risk_scope)limit->scope,
                                                      name, (enum risk_limit)limit->limit);
    if (!row)
        return;
    limit->how = row->none ? LIMIT_NONE : LIMIT_VALUE;
    limit->value = amount_pack(row->value);
}

static void verdict(const struct out_decision *decision, char *text, size_t size)
{
    if (!decision)
        snprintf(text, size, "not decided");
    else if (decision->allowed)
        snprintf(text, size, "allowed");
    else
        snprintf(text, size, "%s", risk_check_name((enum risk_check)decision->reason));
    for (uint32_t i = 0; decision && !decision->allowed && i < decision->count; i++) {
        const struct risk_reading *r = &decision->readings[i];
        char value[DECIMAL_TEXT_MAX], limit[DECIMAL_TEXT_MAX];
        if (!r->failed || r->check != decision->reason)
            continue;
        decimal_print(r->value, r->exp, value);
        decimal_print(r->limit, r->exp, limit);
        snprintf(text + strlen(text), size - strlen(text), " (read %s, limit %s, %s)", value, limit,
                 risk_scope_name((enum risk_scope)r->scope));
        return;
    }
}

static void on_difference(void *context, const struct replay_difference *difference)
{
    const struct other *other = context;
    const struct out_decision *any = difference->now ? difference->now : difference->was;
    char was[200], now[200];
    verdict(difference->was, was, sizeof was);
    verdict(difference->now, now, sizeof now);
    if (other->json) {
        json_object(other->out);
        json_key(other->out, "seq");
        json_uint(other->out, difference->seq);
        json_key(other->out, "cid");
        json_string(other->out, any->cid);
        json_key(other->out, "strategy");
        json_string(other->out, engine_name(difference->engine, SCOPE_strategy, any->strategy));
        json_key(other->out, "was");
        json_string(other->out, was);
        json_key(other->out, "now");
        json_string(other->out, now);
        json_end(other->out);
    } else {
        printf("%" PRIu64 "  %s  %s: was %s, now %s\n", difference->seq, any->cid,
               engine_name(difference->engine, SCOPE_strategy, any->strategy), was, now);
    }
}

static void print_json(const struct replay_result *result, bool other, struct text *differences)
{
    struct text out;
    char hash[65] = "";
    hex_print(result->hash, sizeof result->hash, hash);
    text_init(&out);
    json_object(&out);
    json_key(&out, other ? "differences" : "equal");
    if (other)
        json_uint(&out, result->differences);
    else
        json_bool(&out, result->equal);
    json_key(&out, "inputs");
    json_uint(&out, result->inputs);
    json_key(&out, "effects");
    json_uint(&out, result->effects);
    json_key(&out, "decisions");
    json_uint(&out, result->decisions);
    json_key(&out, "closed");
    json_bool(&out, result->closed);
    json_key(&out, "first");
    json_string(&out, result->first);
    json_key(&out, "journal_hash");
    json_string(&out, hash);
    json_end(&out);
    if (other) /* the list as one more member */
        printf("%.*s,\"decisions_that_differ\":%s}\n", (int)out.len - 1, text_cstr(&out),
               text_cstr(differences));
    else
        puts(text_cstr(&out));
    text_fini(&out);
}

static void print_text(const struct replay_result *result, bool other, bool verify)
{
    char hash[65] = "";
    hex_print(result->hash, sizeof result->hash, hash);
    if (other)
        printf("%" PRIu64 " decisions, %" PRIu64 " would have differed\n", result->decisions,
               result->differences);
    else if (result->equal)
        printf("%s: %" PRIu64 " inputs give the same %" PRIu64
               " effects, byte for byte%s\nsha256 %s\n",
               verify ? "equal" : "replayed", result->inputs, result->effects,
               result->closed ? "" : " (the journal was not closed)", hash);
    else
        printf("NOT equal: at %" PRIu64 ": %s\n", result->first_seq, result->first);
}

static int replay(const char *folder, const struct config *config, bool verify, bool json)
{
    struct text differences;
    struct other other = {config, &differences, json};
    struct replay_options options = {
        .limit = config ? other_limit : NULL, .differs = on_difference, .context = &other};
    struct replay_result result;
    struct why why;
    char path[512];
    text_init(&differences);
    json_array(&differences);
    enum weir_err err = journal_path(folder, path, sizeof path, &why);
    if (!err)
        err = journal_replay(path, &options, &result, &why);
    json_end(&differences);
    if (err)
        fprintf(stderr, "weir replay: %s\n", why.text);
    else if (json)
        print_json(&result, config != NULL, &differences);
    else
        print_text(&result, config != NULL, verify);
    text_fini(&differences);
    return err ? EXIT_BAD : result.equal && result.differences == 0 ? EXIT_OK : EXIT_NO;
}

int cmd_replay(int argc, char **argv)
{
    static const struct option options[] = {{"verify", no_argument, NULL, 'v'},
                                            {"config", required_argument, NULL, 'c'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *path = NULL;
    bool verify = false, json = false;
    for (int c; (c = getopt_long(argc, argv, "vc:jh", options, NULL)) != -1;) {
        switch (c) {
        case 'v': verify = true; break;
        case 'c': path = optarg; break;
        case 'j': json = true; break;
        case 'h': fputs(help, stdout); return EXIT_OK;
        default: return usage_error("replay", "see `weir replay --help`");
        }
    }
    if (optind + 1 != argc)
        return usage_error("replay", "expected one journal");
    struct why why;
    struct config *config = path ? config_load(path, &why) : NULL;
    if (path && !config)
        return usage_error("replay", "%s", why.text);
    int code = replay(argv[optind], config, verify, json);
    config_destroy(config);
    return code;
}
