/* script.c - a script as its owner sees it: made, told, replaced, stopped.
 *
 * Between two calls a script is either running (it has a cell) or ended (it has none, and a reason).
 * end() is the only place where it ends. */
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
#include "script/cell.h"

enum { PREFIX_MAX = 24 };

static const char *const handler_names[] = {
#define X(name) "a `" #name "` handler",
    SCRIPT_EVENTS(X)
#undef X
};

/* --- making ----------------------------------------------------------------------------------- */

#define SET_DEFAULT(member, value) \
    if (budget->member == 0)       \
        budget->member = value;

static void set_defaults(struct script_budget *budget)
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

static enum weir_err check_config(const struct script_config *config, struct why *why)
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

static void end(struct script *script, enum script_outcome outcome)
{
    cell_destroy(script->cell);
    script->cell = NULL;
    script->report.outcome = outcome;
}

static struct cell *make_cell(struct script *script, const struct script_config *config,
                              enum script_outcome *outcome_out, struct why *why)
{
    if (config->source.len > SOURCE_MAX) {
        snprintf(script->reason, sizeof script->reason,
                 "%s: %zu bytes are too many, a chunk has at most %d", config->source.name,
                 config->source.len, SOURCE_MAX);
        *outcome_out = SCRIPT_REFUSED;
        return NULL;
    }
    return cell_create(script, config, outcome_out, why);
}

enum weir_err script_create(const struct script_config *config, const struct script_world *world,
                            struct script **script_out, struct why *why)
{
    enum script_outcome outcome;
    enum weir_err err = check_config(config, why);
    if (err == WEIR_OK)
        err = guard_ready(why);
    if (err != WEIR_OK)
        return err;
    struct script *script = calloc(1, sizeof *script);
    if (!script)
        return because(why, WEIR_E_NO_MEMORY, "script %s: %s", config->name,
                       err_text(WEIR_E_NO_MEMORY));
    snprintf(script->name, sizeof script->name, "%s", config->name);
    script->world = *world;
    script->budget = config->budget;
    set_defaults(&script->budget);
    script->strategy = config->strategy;
    script->may_trade = config->may_trade;
    if (config->order_prefix)
        snprintf(script->prefix, sizeof script->prefix, "%s", config->order_prefix);
    else
        make_prefix(script);
    script->cell = make_cell(script, config, &outcome, why);
    script->report.outcome = outcome;
    if (!script->cell && outcome == SCRIPT_OK) {
        script_destroy(script);
        return why->err;
    }
    *script_out = script;
    return WEIR_OK;
}

void script_destroy(struct script *script)
{
    if (!script)
        return;
    must(!script->busy);
    cell_destroy(script->cell);
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

/* --- telling ---------------------------------------------------------------------------------- */

void script_tell(struct script *script, const char *line)
{
    if (script->world.log)
        script->world.log(script->world.context, script, line);
}

/* Call each handler that was there when it began. False: the script has ended. */
static bool tell(struct script *script, struct cell *cell, enum happening what, event_push *push,
                 const void *arg)
{
    uint32_t count = cell->on[what].count;
    for (uint32_t i = 0; i < count; i++) {
        struct call call = {.ref = cell->on[what].refs[i],
                            .push_in = push,
                            .arg = arg,
                            .name = handler_names[what]};
        if (!cell_call(cell, &call)) {
            if (cell == script->cell)
                end(script, SCRIPT_QUARANTINED);
            return false;
        }
    }
    return true;
}

void script_start(struct script *script)
{
    must(!script->busy);
    if (!script->cell || script->started)
        return;
    script->started = true;
    script->cell->mode = MODE_RUNNING;
    tell(script, script->cell, ON_start, push_time_event, NULL);
}

void script_stop(struct script *script)
{
    must(!script->busy);
    if (!script->cell || !script->started)
        return;
    script->cell->mode = MODE_STOPPING;
    tell(script, script->cell, ON_stop, push_time_event, NULL);
    script->started = false;
}

static bool is_of_market(uint16_t kind)
{
    return kind == WEIR_TOP || kind == IN_BOOK_STATE || kind == WEIR_TRADE;
}

static bool runs(const struct script *script)
{
    return script->cell && script->started;
}

bool script_wants(const struct script *script, enum weir_kind kind, uint32_t instrument)
{
    if (!runs(script) || !is_of_market((uint16_t)kind))
        return false;
    uint8_t what = watch_wants(script->cell, instrument);
    if (kind == WEIR_TRADE)
        return (what & WANT_BAR && script->cell->on[ON_bar].count > 0) ||
               (what & WANT_TRADE && script->cell->on[ON_trade].count > 0);
    return what & WANT_BOOK && script->cell->on[ON_book].count > 0;
}

static void tell_bars(struct script *script, weir_ns now)
{
    struct bar bar;
    while (script->cell && bars_due(script->cell, now, &bar))
        if (!tell(script, script->cell, ON_bar, push_bar_event, &bar))
            return;
}

static void tell_market(struct script *script, const struct weir_msg *msg)
{
    struct cell *cell = script->cell;
    if (!watch_ready(cell, msg->instrument) ||
        !script_wants(script, (enum weir_kind)msg->kind, msg->instrument))
        return;
    uint8_t what = watch_wants(cell, msg->instrument);
    if (msg->kind != WEIR_TRADE) {
        tell(script, cell, ON_book, push_book_event, msg);
        return;
    }
    if (what & WANT_BAR) {
        tell_bars(script, msg->t);
        if (script->cell)
            bars_trade(script->cell, (const struct weir_trade *)msg);
    }
    if (script->cell && what & WANT_TRADE)
        tell(script, script->cell, ON_trade, push_trade_event, msg);
}

static void tell_execution(struct script *script, const struct out_execution *fill)
{
    if (fill->strategy != script->strategy || fill->stage == EXEC_WAITS)
        return;
    if (tell(script, script->cell, ON_fill, push_fill_event, fill))
        tell(script, script->cell, ON_position, push_position_event, fill);
}

void script_event(struct script *script, const struct weir_msg *msg)
{
    must(!script->busy);
    if (!runs(script))
        return;
    switch (msg->kind) {
    case WEIR_TOP:
    case IN_BOOK_STATE:
    case WEIR_TRADE: tell_market(script, msg); break;
    case OUT_ORDER:
        if (((const struct out_order *)msg)->strategy == script->strategy)
            tell(script, script->cell, ON_order, push_order_event, msg);
        break;
    case OUT_EXECUTION: tell_execution(script, (const struct out_execution *)msg); break;
    case OUT_ALERT: {
        const struct out_alert *alert = (const struct out_alert *)msg;
        if (alert->strategy == 0 || alert->strategy == script->strategy)
            tell(script, script->cell, ON_alert, push_alert_event, msg);
        break;
    }
    case OUT_STATE: {
        const struct out_state *state = (const struct out_state *)msg;
        if (state->of == STATE_VENUE || state->of == STATE_RECONCILING)
            tell(script, script->cell, ON_venue, push_venue_event, msg);
        break;
    }
    default: break;
    }
}

/* --- timers ----------------------------------------------------------------------------------- */

weir_ns script_next_timer(const struct script *script)
{
    if (!runs(script))
        return INT64_MAX;
    const struct cell *cell = script->cell;
    weir_ns next = bars_next(cell);
    if (cell->on[ON_timer].count > 0 && cell->second < next)
        next = cell->second;
    for (uint32_t i = 0; i < cell->timer_count; i++)
        if (cell->timers[i].due < next)
            next = cell->timers[i].due;
    return next;
}

static struct timer *timer_by_id(struct cell *cell, uint32_t id)
{
    for (uint32_t i = 0; i < cell->timer_count; i++)
        if (cell->timers[i].id == id)
            return &cell->timers[i];
    return NULL;
}

/* The earliest due; of those due together, the one that was made first. */
static struct timer *first_due(struct cell *cell, weir_ns now, uint32_t last_id)
{
    struct timer *first = NULL;
    for (uint32_t i = 0; i < cell->timer_count; i++) {
        struct timer *timer = &cell->timers[i];
        if (timer->due <= now && timer->id <= last_id &&
            (!first || timer->due < first->due ||
             (timer->due == first->due && timer->id < first->id)))
            first = timer;
    }
    return first;
}

static void remove_timer(struct cell *cell, struct timer *timer)
{
    *timer = cell->timers[--cell->timer_count];
    cell->handler_count--;
}

/* The first multiple of the period after now: what was missed is not made up for. */
static weir_ns next_due(weir_ns due, weir_ns period, weir_ns now)
{
    return due + ((now - due) / period + 1) * period;
}

static void fire(struct script *script, struct timer *timer, weir_ns now)
{
    struct cell *cell = script->cell;
    struct timer fired = *timer;
    struct call call = {.ref = fired.ref,
                        .kind = fired.period ? CALL_REPEATS : CALL_ONCE,
                        .push_in = push_timer_event,
                        .arg = &fired,
                        .name = fired.period ? "a timer of weir.every" : "a timer of weir.after"};
    if (fired.period)
        timer->due = next_due(fired.due, fired.period, now);
    else
        remove_timer(cell, timer);
    if (!cell_call(cell, &call)) {
        end(script, SCRIPT_QUARANTINED);
        return;
    }
    if (fired.period && call.returned_false)
        remove_timer(cell, timer_by_id(cell, fired.id));
}

void script_timer(struct script *script)
{
    must(!script->busy);
    if (!runs(script))
        return;
    weir_ns now = script->world.now(script->world.context);
    tell_bars(script, now);
    uint32_t last_id = script->cell ? script->cell->timer_id : 0;
    for (struct timer *due; script->cell && (due = first_due(script->cell, now, last_id));)
        fire(script, due, now);
    struct cell *cell = script->cell;
    if (cell && cell->on[ON_timer].count > 0 && cell->second <= now) {
        struct timer second = {.due = cell->second};
        cell->second = next_due(cell->second, 1000000000, now);
        tell(script, cell, ON_timer, push_timer_event, &second);
    }
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

enum weir_err script_state_save(struct script *script, const char **text_out, size_t *len_out,
                                struct why *why)
{
    struct plain plain = {.problem = ""};
    must(!script->busy);
    if (!script->cell)
        return because(why, WEIR_E_STATE, "script %s is %s: its state is gone", script->name,
                       script_outcome_name(script->report.outcome));
    if (!cell_do(script->cell, save_body, &plain, script->budget.callback_ns)) {
        end(script, SCRIPT_QUARANTINED);
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

/* Load the new version and let it start in the shadow of the old one. */
static enum weir_err make_successor(struct script *script, const struct script_config *config,
                                    struct cell **cell_out, struct why *why)
{
    enum script_outcome outcome;
    struct cell *cell = make_cell(script, config, &outcome, why);
    if (!cell && outcome == SCRIPT_OK)
        return why->err;
    if (cell && script->started) {
        cell->mode = MODE_SHADOW;
        if (!tell(script, cell, ON_start, push_time_event, NULL)) {
            cell_destroy(cell);
            cell = NULL;
        }
    }
    if (!cell)
        return because(why, WEIR_E_BAD_CONFIG, "%s%s%s", script->reason,
                       script->detail[0] ? "\n" : "", script->detail);
    *cell_out = cell;
    return WEIR_OK;
}

static enum weir_err reload(struct script *script, struct script_config *config, struct why *why)
{
    struct cell *cell = NULL;
    struct script_budget budget = script->budget;
    char reason[sizeof script->reason], detail[sizeof script->detail];
    if (script->cell) {
        enum weir_err err = script_state_save(script, &config->state, &config->state_len, why);
        if (err != WEIR_OK)
            return err;
    }
    memcpy(reason, script->reason, sizeof reason);
    memcpy(detail, script->detail, sizeof detail);
    script->budget = config->budget;
    set_defaults(&script->budget);
    enum weir_err err = make_successor(script, config, &cell, why);
    if (err != WEIR_OK) {
        script->budget = budget;
        memcpy(script->reason, reason, sizeof reason);
        memcpy(script->detail, detail, sizeof detail);
        return err;
    }
    cell_destroy(script->cell);
    script->cell = cell;
    script->may_trade = config->may_trade;
    script->reason[0] = script->detail[0] = '\0';
    script->report.outcome = SCRIPT_OK;
    if (script->started) {
        cell->mode = MODE_RUNNING;
        tell(script, cell, ON_reload, push_time_event, NULL);
    }
    return WEIR_OK;
}

enum weir_err script_reload(struct script *script, const struct script_config *config,
                            struct why *why)
{
    struct script_config copy = *config;
    must(!script->busy);
    enum weir_err err = check_config(config, why);
    if (err == WEIR_OK && config->strategy != script->strategy)
        err = because(why, WEIR_E_USAGE, "a reload keeps the strategy's number");
    if (err == WEIR_OK)
        err = reload(script, &copy, why);
    if (err != WEIR_OK)
        while_doing(why, "reloading %s", script->name);
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
    for (uint32_t i = 0; i < decision->count; i++)
        if (decision->readings[i].failed && decision->readings[i].check == decision->reason) {
            answer->refusal.has_reading = true;
            answer->refusal.reading = decision->readings[i];
            return;
        }
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
    char *text = NULL;
    if (fstat(file, &at) != 0 || !S_ISREG(at.st_mode))
        err = because(why, WEIR_E_UNSAFE_FILE, "%s: a regular file is expected", path);
    else if (at.st_size > SOURCE_MAX)
        err = because(why, WEIR_E_BAD_CONFIG, "%s: %lld bytes are too many, a chunk has at most %d",
                      path, (long long)at.st_size, SOURCE_MAX);
    else if (!(text = malloc((size_t)at.st_size + 1)))
        err = because(why, WEIR_E_NO_MEMORY, "%s: %s", path, err_text(WEIR_E_NO_MEMORY));
    else
        err = read_all(file, path, text, (size_t)at.st_size, why);
    close(file);
    if (err == WEIR_OK) {
        text[at.st_size] = '\0';
        *source_out = (struct script_source){slash ? slash + 1 : path, text, (size_t)at.st_size};
        text = NULL;
    }
    free(text);
    return err;
}
