/* cmd_replay.c - `weir replay`: the same inputs again; the same effects, or what other limits would say. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
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

/* --- as recorded ------------------------------------------------------------------------------*/

static void extent_json(const struct journal_extent *extent, struct text *out)
{
    char hash[65] = "";
    hex_print(extent->hash, sizeof extent->hash, hash);
    json_key(out, "records");
    json_uint(out, extent->records);
    json_key(out, "inputs");
    json_uint(out, extent->inputs);
    json_key(out, "effects");
    json_uint(out, extent->effects);
    json_key(out, "closed");
    json_bool(out, extent->closed);
    json_key(out, "journal_hash");
    json_string(out, hash);
}

static void verify_json(struct replay_report *report)
{
    struct text out;
    text_init(&out);
    json_object(&out);
    json_key(&out, "equal");
    json_bool(&out, !report->different);
    extent_json(&report->extent, &out);
    if (report->different) {
        json_key(&out, "at");
        json_uint(&out, report->at);
        json_key(&out, "recorded");
        json_string(&out, text_cstr(&report->recorded));
        json_key(&out, "again");
        json_string(&out, text_cstr(&report->again));
    }
    json_end(&out);
    puts(text_cstr(&out));
    text_fini(&out);
}

static void verify_text(struct replay_report *report, bool verify)
{
    char hash[65] = "";
    hex_print(report->extent.hash, sizeof report->extent.hash, hash);
    if (report->different)
        printf("NOT equal, at record %" PRIu64 "\n  recorded: %s\n  again:    %s\n", report->at,
               report->recorded.len ? text_cstr(&report->recorded) : "nothing",
               report->again.len ? text_cstr(&report->again) : "nothing");
    else
        printf("%s: %" PRIu64 " inputs give the same %" PRIu64
               " effects, byte for byte%s\nsha256 %s\n",
               verify ? "equal" : "replayed", report->replayed, report->extent.effects,
               report->extent.closed ? "" : " (the journal was not closed)", hash);
}

static int replay(const char *path, bool verify, bool json)
{
    struct replay_report report;
    struct why why;
    replay_report_init(&report);
    enum weir_err err = journal_replay(path, verify, &report, &why);
    if (err)
        fprintf(stderr, "weir replay: %s\n", why.text);
    else if (json)
        verify_json(&report);
    else
        verify_text(&report, verify);
    int code = err ? EXIT_BAD : report.different ? EXIT_NO : EXIT_OK;
    replay_report_fini(&report);
    return code;
}

/* --- with other limits ------------------------------------------------------------------------*/

/* What the other configuration says of each scope that the journal defines. */
struct others {
    struct in_limit *limits;
    size_t count, room;
};

/* The name by which files know a scope. */
static void scope_name(const struct directory *directory, const struct in_limit *limit, char *name,
                       size_t size)
{
    const struct weir_instrument *def = directory_instrument(directory, limit->id);
    const char *text = directory_name(directory, (enum risk_scope)limit->scope, limit->id);
    if (limit->scope == SCOPE_host)
        snprintf(name, size, "*");
    else if (limit->scope == SCOPE_instrument && def)
        snprintf(name, size, "%s/%s", directory_name(directory, SCOPE_venue, def->msg.venue),
                 def->symbol);
    else if (limit->scope ==
             SCOPE_account) /* "venue/account" in the engine, the venue's name in files */
        snprintf(name, size, "%.*s", (int)strcspn(text, "/"), text);
    else
        snprintf(name, size, "%s", text);
}

static bool has_limit(const struct others *others, const struct in_limit *limit)
{
    for (size_t i = 0; i < others->count; i++)
        if (others->limits[i].scope == limit->scope && others->limits[i].id == limit->id &&
            others->limits[i].limit == limit->limit)
            return true;
    return false;
}

static bool keep_limit(struct others *others, const struct in_limit *limit)
{
    if (others->count == others->room) {
        size_t room = others->room ? others->room * 2 : 64;
        void *more = realloc(others->limits, room * sizeof *others->limits);
        if (!more)
            return false;
        others->limits = more;
        others->room = room;
    }
    others->limits[others->count++] = *limit;
    return true;
}

/* was_set: in the journal; then it is none if the other configuration lacks it. */
static bool add_limit(struct others *others, const struct directory *directory,
                      const struct config *config, struct in_limit limit, bool was_set)
{
    char name[100];
    scope_name(directory, &limit, name, sizeof name);
    const struct config_limit *row =
        config_limit_for(config, (enum risk_scope)limit.scope, name, (enum risk_limit)limit.limit);
    if (has_limit(others, &limit) || (!row && !was_set))
        return true;
    limit.how = !row || row->none ? LIMIT_NONE : LIMIT_VALUE;
    limit.value = amount_pack(row ? row->value : 0);
    return keep_limit(others, &limit);
}

static bool add_scope(struct others *others, const struct directory *directory,
                      const struct config *config, enum risk_scope scope, uint32_t id)
{
    bool ok = true;
    for (unsigned limit = 0; ok && limit < RISK_LIMIT_COUNT; limit++)
        ok = add_limit(
            others, directory, config,
            (struct in_limit){.scope = (uint8_t)scope, .limit = (uint8_t)limit, .id = id}, false);
    return ok;
}

/* All of what this record defines. */
static bool add_limits(struct others *others, const struct directory *directory,
                       const struct config *config, const struct weir_msg *msg)
{
    uint32_t number = ((const struct in_define *)(const void *)msg)->number;
    switch (msg->kind) {
    case IN_DEFINE_VENUE: return add_scope(others, directory, config, SCOPE_venue, number);
    case IN_DEFINE_ACCOUNT: return add_scope(others, directory, config, SCOPE_account, number);
    case IN_DEFINE_GROUP: return add_scope(others, directory, config, SCOPE_group, number);
    case IN_DEFINE_STRATEGY: return add_scope(others, directory, config, SCOPE_strategy, number);
    case WEIR_INSTRUMENT:
        return add_scope(others, directory, config, SCOPE_instrument, msg->instrument);
    case IN_LIMIT:
        return add_limit(others, directory, config, *(const struct in_limit *)(const void *)msg,
                         true);
    default: return true;
    }
}

static enum weir_err read_limits(const char *path, const struct config *config,
                                 struct others *others, struct why *why)
{
    struct reader *reader = NULL;
    struct journal_record record;
    struct directory *directory = directory_create();
    bool ok = directory && add_scope(others, directory, config, SCOPE_host, 0);
    enum weir_err err = reader_open(path, NULL, &reader, why);
    while (!err && ok && (err = reader_next(reader, &record, why)) == WEIR_OK) {
        ok = directory_learn(directory, record.msg);
        if (ok && record.class == JOURNAL_INPUT)
            ok = add_limits(others, directory, config, record.msg);
    }
    reader_close(reader);
    directory_destroy(directory);
    if (!ok)
        return because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
    return err == WEIR_E_NOT_FOUND && reader ? WEIR_OK : err;
}

static void verdict(const struct out_decision *decision, char *text, size_t size)
{
    if (!decision || decision->allowed) {
        snprintf(text, size, "%s", decision ? "allowed" : "not judged");
        return;
    }
    snprintf(text, size, "%s", risk_check_name((enum risk_check)decision->reason));
    struct risk_reading r;
    char value[DECIMAL_TEXT_MAX], limit[DECIMAL_TEXT_MAX];
    if (!decision_refusal(decision, &r))
        return;
    decimal_print(r.value, r.exp, value);
    decimal_print(r.limit, r.exp, limit);
    snprintf(text + strlen(text), size - strlen(text), " (read %s, limit %s, %s)", value, limit,
             risk_scope_name((enum risk_scope)r.scope));
}

static void on_change(void *context, const struct directory *directory,
                      const struct whatif_change *change)
{
    struct text *json = context; /* NULL: for people */
    const struct out_decision *any = change->after ? change->after : change->before;
    const char *strategy = directory_name(directory, SCOPE_strategy, any->strategy);
    char before[200], after[200];
    verdict(change->before, before, sizeof before);
    verdict(change->after, after, sizeof after);
    if (!json) {
        printf("%" PRIu64 "  %s  %s: was %s, now %s\n", change->seq, any->cid, strategy, before,
               after);
        return;
    }
    json_object(json);
    json_key(json, "seq");
    json_uint(json, change->seq);
    json_key(json, "cid");
    json_string(json, any->cid);
    json_key(json, "strategy");
    json_string(json, strategy);
    json_key(json, "was");
    json_string(json, before);
    json_key(json, "now");
    json_string(json, after);
    json_end(json);
}

static int judge(const char *path, const struct config *config, bool json)
{
    struct others others = {0};
    struct text out;
    struct why why;
    struct whatif_report report = {0};
    text_init(&out);
    json_object(&out);
    json_key(&out, "differences");
    json_array(&out);
    enum weir_err err = read_limits(path, config, &others, &why);
    struct whatif whatif = {others.limits, others.count, on_change, json ? &out : NULL};
    if (!err)
        err = journal_whatif(path, &whatif, &report, &why);
    json_end(&out);
    if (err) {
        fprintf(stderr, "weir replay: %s\n", why.text);
    } else if (json) {
        json_key(&out, "decisions");
        json_uint(&out, report.decisions);
        json_key(&out, "denied_now");
        json_uint(&out, report.denied_now);
        json_key(&out, "allowed_now");
        json_uint(&out, report.allowed_now);
        json_key(&out, "reason_other");
        json_uint(&out, report.reason_other);
        extent_json(&report.extent, &out);
        json_end(&out);
        puts(text_cstr(&out));
    } else {
        printf("%" PRIu64 " decisions: %" PRIu64 " would be denied now, %" PRIu64
               " allowed now, %" PRIu64 " denied for another reason\n",
               report.decisions, report.denied_now, report.allowed_now, report.reason_other);
    }
    text_fini(&out);
    free(others.limits);
    if (err)
        return EXIT_BAD;
    return report.denied_now + report.allowed_now + report.reason_other ? EXIT_NO : EXIT_OK;
}

int cmd_replay(int argc, char **argv)
{
    static const struct option options[] = {{"verify", no_argument, NULL, 'v'},
                                            {"config", required_argument, NULL, 'c'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *config_path = NULL;
    bool verify = false, json = false;
    for (int c; (c = getopt_long(argc, argv, "vc:jh", options, NULL)) != -1;) {
        switch (c) {
        case 'v': verify = true; break;
        case 'c': config_path = optarg; break;
        case 'j': json = true; break;
        case 'h': fputs(help, stdout); return EXIT_OK;
        default: return usage_error("replay", "see `weir replay --help`");
        }
    }
    if (optind + 1 != argc)
        return usage_error("replay", "expected one journal");
    struct why why;
    char path[512];
    if (journal_path(argv[optind], path, sizeof path, &why))
        return usage_error("replay", "%s", why.text);
    struct config *config = config_path ? config_load(config_path, &why) : NULL;
    if (config_path && !config)
        return usage_error("replay", "%s", why.text);
    int code = config ? judge(path, config, json) : replay(path, verify, json);
    config_destroy(config);
    return code;
}
