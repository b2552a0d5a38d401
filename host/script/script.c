/* script.c - a script as its owner sees it: made, told, replaced, stopped.
 *
 * Between two calls a script is either running (it has a cell) or ended (it has none, and a reason).
 * script_end() is the only place where it ends. What happens to it is told in tell.c. */
#include "script/script.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lauxlib.h>

#include "base/check.h"
#include "script/warden.h"

enum { PREFIX_MAX = 24 };

/* --- making ----------------------------------------------------------------------------------- */

#define SET_DEFAULT(member, value) \
    if (budget->member == 0)       \
        budget->member = value;

void script_defaults(struct script_budget *budget)
{
    SET_DEFAULT(load_ns, 500000000)
    SET_DEFAULT(callback_ns, 50000000)
    SET_DEFAULT(memory, 16 << 20)
    SET_DEFAULT(block, budget->memory / 4)
    SET_DEFAULT(handlers, 1000)
    SET_DEFAULT(orders_per_s, 100)
    SET_DEFAULT(cancels_per_s, 400)
    SET_DEFAULT(floods, 1000)
    SET_DEFAULT(log_lines_per_s, 100)
    SET_DEFAULT(log_line_max, 1024)
    SET_DEFAULT(alerts_per_s, 10)
    SET_DEFAULT(messages_per_s, 100)
    SET_DEFAULT(state_max, 65536)
}

static bool is_prefix(const char *prefix)
{
    size_t len = strlen(prefix);
    return len > 0 && len <= PREFIX_MAX &&
           strspn(prefix, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static size_t print36(uint64_t number, char *out)
{
    char digits[16];
    size_t n = 0;
    do {
        digits[n++] = "0123456789abcdefghijklmnopqrstuvwxyz"[number % 36];
        number /= 36;
    } while (number > 0);
    for (size_t i = 0; i < n; i++)
        out[i] = digits[n - 1 - i];
    out[n] = '\0';
    return n;
}

/* "maker-2-lxg3k2a1-": the milliseconds tell one start of the host from another. */
static void make_prefix(struct script *script)
{
    size_t len = 0;
    for (const char *c = script->name; *c && len < 8; c++)
        if ((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9'))
            script->prefix[len++] = *c;
    script->prefix[len++] = '-';
    len += print36(script->strategy, script->prefix + len);
    script->prefix[len++] = '-';
    len += print36((uint64_t)(script->world.now(script->world.context) / 1000000),
                   script->prefix + len);
    script->prefix[len++] = '-';
    script->prefix[len] = '\0';
}

enum weir_err script_config_check(const struct script_config *config, struct why *why)
{
    if (!config->name || !*config->name || strlen(config->name) >= NAME_MAX_LEN)
        return because(why, WEIR_E_USAGE, "a script's name has 1 to %d characters",
                       NAME_MAX_LEN - 1);
    if (!config->source.name || !config->source.text)
        return because(why, WEIR_E_USAGE, "script %s: no source is given", config->name);
    if (config->order_prefix && !is_prefix(config->order_prefix))
        return because(why, WEIR_E_BAD_CONFIG,
                       "script %s: order_prefix \"%s\": 1 to %d of a-z, 0-9 and - are expected",
                       config->name, config->order_prefix, PREFIX_MAX);
    for (size_t i = 0; i < config->module_count; i++)
        if (config->modules[i].len > SOURCE_MAX)
            return because(why, WEIR_E_BAD_CONFIG, "script %s: module %s has more than %d bytes",
                           config->name, config->modules[i].name, SOURCE_MAX);
    return WEIR_OK;
}

/* One version of a script: here, or in a process. */
struct version {
    struct cell *cell;
    struct warden *warden;
};

static bool is_made(const struct version *version)
{
    return version->cell || version->warden;
}

static void unmake(struct version *version)
{
    cell_destroy(version->cell);
    warden_destroy(version->warden);
}

/* Neither is made: no memory (outcome SCRIPT_OK, and why says so), or the script has a reason. */
static struct version make_version(struct script *script, const struct script_config *config,
                                   enum script_outcome *outcome_out, struct why *why)
{
    if (config->source.len > SOURCE_MAX) {
        snprintf(script->reason, sizeof script->reason,
                 "%s: %zu bytes are too many, a chunk has at most %d", config->source.name,
                 config->source.len, SOURCE_MAX);
        *outcome_out = SCRIPT_REFUSED;
        return (struct version){NULL, NULL};
    }
    if (config->cells)
        return (struct version){NULL, warden_create(script, config, outcome_out, why)};
    return (struct version){cell_create(script, config, outcome_out, why), NULL};
}

enum weir_err script_create_known(const struct script_config *config,
                                  const struct script_world *world, struct picture *picture,
                                  uint64_t next_id, struct script **script_out, struct why *why)
{
    enum script_outcome outcome;
    enum weir_err err = script_config_check(config, why);
    if (err == WEIR_OK && !config->cells)
        err = guard_ready(why);
    if (err != WEIR_OK)
        return err;
    struct script *script = calloc(1, sizeof *script);
    if (!script)
        return because(why, WEIR_E_NO_MEMORY, "script %s: %s", config->name,
                       err_text(WEIR_E_NO_MEMORY));
    snprintf(script->name, sizeof script->name, "%s", config->name);
    script->world = *world;
    script->picture = picture;
    script->next_id = next_id;
    script->budget = config->budget;
    script_defaults(&script->budget);
    script->strategy = config->strategy;
    script->may_trade = config->may_trade;
    if (config->order_prefix)
        snprintf(script->prefix, sizeof script->prefix, "%s", config->order_prefix);
    else
        make_prefix(script);
    struct version version = make_version(script, config, &outcome, why);
    script->cell = version.cell;
    script->warden = version.warden;
    script->report.outcome = outcome;
    if (!is_made(&version) && outcome == SCRIPT_OK) {
        script_destroy(script);
        return why->err;
    }
    *script_out = script;
    return WEIR_OK;
}

enum weir_err script_create(const struct script_config *config, const struct script_world *world,
                            struct script **script_out, struct why *why)
{
    return script_create_known(config, world, NULL, 0, script_out, why);
}

void script_destroy(struct script *script)
{
    if (!script)
        return;
    must(!script->busy);
    script_drop(script);
    cell_destroy(script->cell);
    warden_destroy(script->warden);
    free(script->said);
    free(script);
}

enum weir_err script_check(const struct script_source *source, struct why *why)
{
    enum weir_err err = guard_ready(why);
    if (err == WEIR_OK && source->len > SOURCE_MAX)
        err = because(why, WEIR_E_BAD_CONFIG, "%s: %zu bytes are too many, a chunk has at most %d",
                      source->name, source->len, SOURCE_MAX);
    return err == WEIR_OK ? cell_compile(source, why) : err;
}

/* --- state and reload ------------------------------------------------------------------------- */

static int save_body(lua_State *L)
{
    struct plain *plain = lua_touserdata(L, 1);
    struct cell *cell = cell_of(L);
    plain->text = text_room_in(L);
    plain->room = cell->text_room;
    lua_rawgeti(L, LUA_REGISTRYINDEX, cell->weir_ref);
    lua_pushliteral(L, "state");
    lua_rawget(L, -2);
    plain_write_in(L, lua_gettop(L), plain);
    return 0;
}

/* The same of a script in a process: its text stands in the warden. */
static enum weir_err ask_state(struct script *script, const char **text_out, size_t *len_out,
                               struct why *why)
{
    if (warden_do(script->warden, TELL_SAVE, text_out, len_out))
        return WEIR_OK;
    bool over = script->warden->over;
    because(why, over ? WEIR_E_STATE : WEIR_E_BAD_CONFIG, "%s%s%s", over ? "script " : "",
            over ? script->name : "", over ? ": " : "");
    size_t len = strlen(why->text);
    text_line(*text_out, *len_out, why->text + len, sizeof why->text - len);
    script_bury(script);
    return why->err;
}

enum weir_err script_state_save(struct script *script, const char **text_out, size_t *len_out,
                                struct why *why)
{
    struct plain plain = {.problem = ""};
    must(!script->busy);
    if (script->warden)
        return ask_state(script, text_out, len_out, why);
    if (!script->cell)
        return because(why, WEIR_E_STATE, "script %s is %s: its state is gone", script->name,
                       script_outcome_name(script->report.outcome));
    if (!cell_do(script->cell, save_body, &plain, script->budget.callback_ns)) {
        script_end(script, SCRIPT_QUARANTINED);
        return because(why, WEIR_E_STATE, "script %s: %s", script->name, script->reason);
    }
    if (plain.problem[0])
        return because(why, WEIR_E_BAD_CONFIG, "script %s: weir.state%s%s", script->name,
                       plain.problem[0] == '.' ? "" : ": ", plain.problem);
    char *copy = realloc(script->said, plain.len + 1);
    if (!copy)
        return because(why, WEIR_E_NO_MEMORY, "script %s: %s", script->name,
                       err_text(WEIR_E_NO_MEMORY));
    memcpy(copy, plain.text, plain.len + 1);
    script->said = copy;
    *text_out = copy;
    *len_out = plain.len;
    return WEIR_OK;
}

void script_state_ask(struct script *script)
{
    const char *text;
    size_t len;
    struct why why;
    must(!script->busy);
    if (script->warden) {
        warden_tell(script->warden, TELL_SAVE, NULL);
        script_bury(script);
    } else if (script->cell && script->world.state) {
        if (script_state_save(script, &text, &len, &why) == WEIR_OK)
            script->world.state(script->world.context, script, text, len);
        else
            script_tell(script, why.text);
    }
}

static bool run_in_shadow(struct script *script, struct version *version)
{
    const char *text;
    size_t len;
    if (version->warden) {
        version->warden->mode = MODE_SHADOW;
        return warden_do(version->warden, TELL_SHADOW, &text, &len);
    }
    version->cell->mode = MODE_SHADOW;
    return script_call(script, version->cell, ON_start, push_time_event, NULL);
}

/* Load the new version and let it start in the shadow of the old one. */
static enum weir_err make_successor(struct script *script, const struct script_config *config,
                                    struct version *version_out, struct why *why)
{
    enum script_outcome outcome;
    struct version version = make_version(script, config, &outcome, why);
    if (!is_made(&version) && outcome == SCRIPT_OK)
        return why->err;
    if (is_made(&version) && script->started && !run_in_shadow(script, &version)) {
        unmake(&version);
        version = (struct version){NULL, NULL};
    }
    if (!is_made(&version))
        return because(why, WEIR_E_BAD_CONFIG, "%s%s%s", script->reason,
                       script->detail[0] ? "\n" : "", script->detail);
    *version_out = version;
    return WEIR_OK;
}

bool script_shadow(struct script *script)
{
    struct version version = {script->cell, script->warden};
    script->started = true;
    bool fine = is_made(&version) && run_in_shadow(script, &version);
    script_bury(script);
    return fine && script->report.outcome == SCRIPT_OK;
}

void script_take_over(struct script *script)
{
    if (script->warden) {
        script->warden->mode = MODE_RUNNING;
        warden_tell(script->warden, TELL_TAKE_OVER, NULL);
        script_bury(script);
    } else if (script->cell) {
        script->cell->mode = MODE_RUNNING;
        script_call(script, script->cell, ON_reload, push_time_event, NULL);
    }
}

/* On an error, and until the commit, all that the old version goes by is as it was. */
static enum weir_err prepare(struct script *script, struct script_config *config, struct why *why)
{
    struct version version = {NULL, NULL}, old = {script->cell, script->warden};
    struct script_budget budget = script->budget;
    char reason[sizeof script->reason], detail[sizeof script->detail];
    if (is_made(&old)) {
        enum weir_err err = script_state_save(script, &config->state, &config->state_len, why);
        if (err != WEIR_OK)
            return err;
    }
    memcpy(reason, script->reason, sizeof reason);
    memcpy(detail, script->detail, sizeof detail);
    script->budget = config->budget;
    script_defaults(&script->budget);
    enum weir_err err = make_successor(script, config, &version, why);
    if (err == WEIR_OK) {
        script->next_cell = version.cell;
        script->next_warden = version.warden;
        script->next_budget = script->budget;
        script->next_may_trade = config->may_trade;
    }
    script->budget = budget;
    memcpy(script->reason, reason, sizeof reason);
    memcpy(script->detail, detail, sizeof detail);
    return err;
}

enum weir_err script_prepare(struct script *script, const struct script_config *config,
                             struct why *why)
{
    struct script_config copy = *config;
    must(!script->busy);
    script_drop(script);
    enum weir_err err = script_config_check(config, why);
    if (err == WEIR_OK && !config->cells)
        err = guard_ready(why);
    if (err == WEIR_OK && config->strategy != script->strategy)
        err = because(why, WEIR_E_USAGE, "a reload keeps the strategy's number");
    if (err == WEIR_OK)
        err = prepare(script, &copy, why);
    return err;
}

void script_drop(struct script *script)
{
    unmake(&(struct version){script->next_cell, script->next_warden});
    script->next_cell = NULL;
    script->next_warden = NULL;
}

void script_commit(struct script *script)
{
    must(!script->busy);
    if (!script->next_cell && !script->next_warden)
        return;
    unmake(&(struct version){script->cell, script->warden});
    script->cell = script->next_cell;
    script->warden = script->next_warden;
    script->next_cell = NULL;
    script->next_warden = NULL;
    script->budget = script->next_budget;
    script->may_trade = script->next_may_trade;
    script->reason[0] = script->detail[0] = '\0';
    script->report.outcome = SCRIPT_OK;
    script->report.crashed = false;
    if (script->started)
        script_take_over(script);
}

enum weir_err script_reload(struct script *script, const struct script_config *config,
                            struct why *why)
{
    enum weir_err err = script_prepare(script, config, why);
    if (err == WEIR_OK)
        script_commit(script);
    return err;
}

/* --- answers and questions -------------------------------------------------------------------- */

void script_answer_refuse(struct script_answer *answer, const char *code, const char *message)
{
    answer->accepted = false;
    answer->refusal = (struct script_refusal){.has_reading = false};
    snprintf(answer->refusal.code, sizeof answer->refusal.code, "%s", code);
    snprintf(answer->refusal.message, sizeof answer->refusal.message, "%s", message);
}

static void take_decision(struct script_answer *answer, const struct out_decision *decision)
{
    answer->accepted = decision->allowed;
    if (decision->allowed)
        return;
    script_answer_refuse(answer, risk_check_name((enum risk_check)decision->reason),
                         risk_check_text((enum risk_check)decision->reason));
    answer->refusal.has_reading = decision_refusal(decision, &answer->refusal.reading);
}

void script_answer_effect(struct script_answer *answer, const struct weir_msg *effect)
{
    if (effect->kind == OUT_DECISION)
        take_decision(answer, (const struct out_decision *)effect);
    const struct out_order *order = (const struct out_order *)effect;
    if (effect->kind == OUT_ORDER && order->request_refused && answer->accepted)
        script_answer_refuse(answer, "REJECTED", order->reason);
}

const char *script_outcome_name(enum script_outcome outcome)
{
    static const char *const names[] = {"ok", "refused", "quarantined"};
    return (unsigned)outcome < 3 ? names[outcome] : "?";
}

void script_report(const struct script *script, struct script_report *report_out)
{
    *report_out = script->report;
    report_out->name = script->name;
    report_out->reason = script->report.outcome == SCRIPT_OK ? "" : script->reason;
    report_out->detail = script->report.outcome == SCRIPT_OK ? "" : script->detail;
    report_out->memory = script->cell ? script->cell->heap.used : 0;
    report_out->memory_max = script->cell ? script->cell->heap.used_max : 0;
    if (script->warden)
        warden_report(script->warden, report_out);
}

enum script_outcome script_outcome(const struct script *script)
{
    return script->report.outcome;
}

const char *script_name(const struct script *script)
{
    return script->name;
}

uint32_t script_strategy(const struct script *script)
{
    return script->strategy;
}

bool script_busy(const struct script *script)
{
    return script->busy;
}

void script_thread_fini(void)
{
    guard_fini();
}

/* --- files ------------------------------------------------------------------------------------ */

static enum weir_err read_all(int file, const char *path, char *text, size_t len, struct why *why)
{
    size_t done = 0;
    for (ssize_t n; done < len; done += (size_t)n) {
        n = read(file, text + done, len - done);
        if (n < 0 && errno == EINTR)
            n = 0;
        else if (n <= 0)
            return because(why, WEIR_E_IO, "%s: %s", path,
                           n < 0 ? strerror(errno) : "it became shorter while it was read");
    }
    return WEIR_OK;
}

enum weir_err script_source_read(const char *path, struct script_source *source_out,
                                 struct why *why)
{
    struct stat at;
    const char *slash = strrchr(path, '/');
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return because(why, errno == ENOENT ? WEIR_E_NOT_FOUND : WEIR_E_IO, "%s: %s", path,
                       strerror(errno));
    enum weir_err err = WEIR_OK;
    if (fstat(file, &at) != 0 || !S_ISREG(at.st_mode))
        err = because(why, WEIR_E_UNSAFE_FILE, "%s: a regular file is expected", path);
    else if (at.st_size > SOURCE_MAX)
        err = because(why, WEIR_E_BAD_CONFIG, "%s: %lld bytes are too many, a chunk has at most %d",
                      path, (long long)at.st_size, SOURCE_MAX);
    size_t len = err ? 0 : (size_t)at.st_size;
    char *text = err ? NULL : calloc(1, len + 1);
    if (!err && !text)
        err = because(why, WEIR_E_NO_MEMORY, "%s: %s", path, err_text(WEIR_E_NO_MEMORY));
    if (!err)
        err = read_all(file, path, text, len, why);
    close(file);
    if (!err) {
        *source_out = (struct script_source){slash ? slash + 1 : path, text, len};
        text = NULL;
    }
    free(text);
    return err;
}
