/* scripts.c - scripts as guests of the host: their wishes go in, what concerns them comes out. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "control/host.h"
#include "control/paths.h"
#include "script/shadow.h"

enum { MODULES_MAX = 16, PUBLISHED_TEXT = 8192 };

/* --- what a script may ask --------------------------------------------------------------------*/

static weir_ns world_now(void *context)
{
    struct host_script *script = context;
    return clock_now(&script->host->clock);
}

static void apply_wish(struct host *host, struct weir_msg *wish, struct script_answer *answer)
{
    host->answer = answer;
    (void)host_take(host, wish);
    host->answer = NULL;
}

static void world_submit(void *context, struct script *script, const struct in_submit *wish,
                         struct script_answer *answer)
{
    struct host_script *guest = context;
    struct in_submit input = *wish;
    (void)script;
    apply_wish(guest->host, &input.msg, answer);
    host_compare_asked(guest->host, guest, &input.msg, answer);
}

static void world_change(void *context, struct script *script, const struct in_change *wish,
                         struct script_answer *answer)
{
    struct host_script *guest = context;
    struct in_change input = *wish;
    (void)script;
    apply_wish(guest->host, &input.msg, answer);
    host_compare_asked(guest->host, guest, &input.msg, answer);
}

static const struct book *book_of(struct host *host, uint32_t instrument,
                                  enum book_state *state_out)
{
    *state_out = BOOK_EMPTY;
    if (instrument == 0 || instrument > host->instrument_count)
        return NULL;
    struct session *session = host->instruments[instrument].venue->session;
    *state_out = session_book_state(session, instrument);
    return session_book(session, instrument);
}

static const struct book *world_book(void *context, uint32_t instrument, enum book_state *state_out)
{
    return book_of(((struct host_script *)context)->host, instrument, state_out);
}

/* context: the host */
static bool cells_is_paper(void *context, uint32_t instrument)
{
    const struct host *host = context;
    return instrument > 0 && instrument <= host->instrument_count &&
           host->instruments[instrument].venue->paper;
}

static bool world_is_paper(void *context, uint32_t instrument)
{
    return cells_is_paper(((struct host_script *)context)->host, instrument);
}

static void world_log(void *context, struct script *script, const char *line)
{
    struct host_script *guest = context;
    const struct host_options *options = &guest->host->options;
    (void)script;
    if (guest->said)
        text_say(guest->said, "%s\n", line);
    else if (options->on_log)
        options->on_log(options->context, guest->config->name, line);
    else if (!options->screen)
        log_paced_line(LOG_INFO, guest->config->name, "%s", line);
}

static void world_remark(void *context, struct script *script, const char *text)
{
    struct host_script *guest = context;
    const struct host_options *options = &guest->host->options;
    (void)script;
    if (options->on_remark)
        options->on_remark(options->context, guest->config->name, text);
    else if (!guest->said && !options->on_log && !options->screen)
        log_line(LOG_WARN, guest->config->name, "%s (said once)", text);
}

static void world_state(void *context, struct script *script, const char *text, size_t len)
{
    struct host_script *guest = context;
    (void)script;
    host_state_kept(guest->host, guest, text, len);
}

static void world_alert(void *context, struct script *script, const struct script_alert *alert)
{
    struct host_script *guest = context;
    (void)script;
    host_note_alert(guest->host, guest->strategy, alert);
    if (!guest->host->options.screen && !guest->host->options.on_log)
        log_paced_line(LOG_WARN, guest->config->name, "alert (%s) %s%s%s: %s", alert->level,
                       alert->venue, *alert->venue ? "/" : "", alert->symbol, alert->text);
}

/* A published table on its way; its topic and text follow one another. */
struct published {
    struct weir_msg msg;
    uint32_t strategy;
    uint32_t len;
    char topic[NAME_MAX_LEN];
    char text[];
};

static void world_publish(void *context, struct script *script,
                          const struct script_message *message)
{
    struct host_script *guest = context;
    _Alignas(struct published) unsigned char room[sizeof(struct published) + PUBLISHED_TEXT + 8];
    struct published *published = (struct published *)room;
    (void)script;
    if (message->len > PUBLISHED_TEXT)
        return;
    *published = (struct published){
        .msg = {.size = (uint32_t)((sizeof *published + message->len + 8) / 8 * 8),
                .t = message->t},
        .strategy = guest->strategy,
        .len = (uint32_t)message->len};
    snprintf(published->topic, sizeof published->topic, "%s", message->topic);
    memcpy(published->text, message->text, message->len);
    published->text[message->len] = '\0';
    if (!queue_push(&guest->host->published, &published->msg))
        guest->host->published_lost++;
}

static void look_after(struct host *host, struct host_script *guest);

/* --- making them ------------------------------------------------------------------------------*/

static void convert(const struct config_value *from, struct script_value *to,
                    struct script_value **next)
{
    int64_t number = 0;
    amount money = 0;
    to->key = from->key;
    to->place = from->place;
    if (!from->text) {
        bool map = from->count == 0 || from->items[0].key;
        struct script_value *items = *next;
        to->kind = map ? SCRIPT_MAP : SCRIPT_LIST;
        to->items = items;
        to->count = from->count;
        *next += from->count;
        for (size_t i = 0; i < from->count; i++)
            convert(&from->items[i], &items[i], next);
        return;
    }
    size_t len = strlen(from->text);
    to->text = from->text;
    if (!from->quoted && (strcmp(from->text, "true") == 0 || strcmp(from->text, "false") == 0)) {
        to->kind = SCRIPT_BOOL;
        to->number = from->text[0] == 't';
    } else if (!from->quoted && decimal_parse(from->text, len, 0, &number) == WEIR_OK &&
               !strchr(from->text, '.')) {
        to->kind = SCRIPT_INT;
        to->number = number;
    } else if (!from->quoted && amount_parse(from->text, len, &money) == WEIR_OK) {
        to->kind = SCRIPT_DECIMAL;
    } else {
        to->kind = SCRIPT_TEXT;
    }
}

static size_t values_in(const struct config_value *value)
{
    size_t count = 1;
    for (size_t i = 0; i < value->count; i++)
        count += values_in(&value->items[i]);
    return count;
}

static enum weir_err read_modules(const struct config_script *config, struct script_source *modules,
                                  size_t *count, struct why *why)
{
    for (*count = 0; config->imports[*count]; (*count)++) {
        char path[512];
        if (*count == MODULES_MAX)
            return because(why, WEIR_E_FULL, "scripts.%s.imports: at most %d", config->name,
                           MODULES_MAX);
        module_path(config->file, config->imports[*count], path, sizeof path);
        enum weir_err err = script_source_read(path, &modules[*count], why);
        if (err) {
            while_doing(why, "scripts.%s.imports", config->name);
            return err;
        }
        modules[*count].name = config->imports[*count];
    }
    return WEIR_OK;
}

static void set_budget(const struct host *host, const struct config_script *config,
                       struct script_budget *budget)
{
    budget->load_ns = config->load;
    budget->callback_ns = config->callback;
    budget->memory = (size_t)config->memory;
    budget->orders_per_s = config->orders_per_second;
    budget->log_lines_per_s = config->log_lines_per_second;
    budget->instructions = host ? host->options.instructions : 0; /* nobody: a check */
}

/* What a script is made of, read from its files; given back by parts_free. */
struct parts {
    struct script_source source;
    struct script_source modules[MODULES_MAX];
    struct script_value *tree;
    struct script_config config;
    char *state; /* kept from before; NULL: none */
    char sha256[65];
};

static void hash_parts(struct parts *parts)
{
    unsigned char sum[32];
    struct sha256 *sha = sha256_create();
    if (!sha)
        return;
    sha256_add(sha, parts->source.text, parts->source.len);
    for (size_t i = 0; i < parts->config.module_count; i++)
        sha256_add(sha, parts->modules[i].text, parts->modules[i].len);
    sha256_value(sha, sum);
    hex_print(sum, sizeof sum, parts->sha256);
    sha256_destroy(sha);
}

static enum weir_err parts_read(const struct host *host, const struct config_script *config,
                                uint32_t strategy, struct parts *parts, struct why *why)
{
    size_t values = values_in(&config->settings);
    *parts = (struct parts){.config = {.name = config->name,
                                       .strategy = strategy,
                                       .may_trade = config->orders,
                                       .seed = config->seed}};
    parts->tree = calloc(values, sizeof *parts->tree);
    if (!parts->tree)
        return because(why, WEIR_E_NO_MEMORY, "scripts.%s: %s", config->name,
                       err_text(WEIR_E_NO_MEMORY));
    struct script_value *next = parts->tree + 1;
    convert(&config->settings, parts->tree, &next);
    if (config->settings.count)
        parts->config.settings = parts->tree;
    set_budget(host, config, &parts->config.budget);
    enum weir_err err = script_source_read(config->file, &parts->source, why);
    if (!err)
        err = read_modules(config, parts->modules, &parts->config.module_count, why);
    parts->config.source = parts->source;
    parts->config.modules = parts->modules;
    if (!err)
        hash_parts(parts);
    return err;
}

static void parts_free(struct parts *parts)
{
    for (size_t i = 0; i < MODULES_MAX; i++)
        free((char *)(uintptr_t)parts->modules[i].text);
    free((char *)(uintptr_t)parts->source.text);
    free(parts->tree);
    free(parts->state);
}

/* Names of its orders: "maker-1", "maker-2" ...; on a journal that is continued "maker-1eko-1" ..., with
 * the next client id, which no run before has reached. */
static void order_prefix(const struct host *host, const char *name, char *prefix, size_t size)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    char run[16];
    size_t n = 0, at = sizeof run;
    int64_t next, end;
    for (; *name && n < 12; name++)
        if (isalnum((unsigned char)*name))
            prefix[n++] = (char)tolower((unsigned char)*name);
    engine_ids(host->engine, &next, &end);
    for (run[--at] = '\0'; next > 1 && at > 0; next /= 36)
        run[--at] = digits[next % 36];
    snprintf(prefix + n, size - n, "-%s%s", run + at, run[at] ? "-" : "");
}

bool host_isolation_parse(const char *text, enum host_isolation *out)
{
    bool process = strcmp(text, "process") == 0;
    *out = process ? ISOLATION_PROCESS : ISOLATION_INLINE;
    return process || strcmp(text, "inline") == 0;
}

bool host_in_process(const struct host *host, const struct config_script *config)
{
    enum host_isolation isolation = host->options.isolation;
    return host->cells &&
           (isolation == ISOLATION_PROCESS ||
            (isolation == ISOLATION_CONFIGURED && config->process && !host->options.virtual_time));
}

static void place(const struct host *host, const struct config_script *config,
                  struct script_config *out)
{
    out->cells = host_in_process(host, config) ? host->cells : NULL;
    out->wake = (enum script_wake)config->wake;
    out->nice = (int)config->nice;
}

/* weir.state as it was kept, for one that begins. */
static enum weir_err state_read(const struct host *host, const struct config_script *config,
                                struct parts *parts, struct why *why)
{
    size_t len;
    enum weir_err err = host_state_read(host, config, &parts->state, &len, why);
    parts->config.state = parts->state;
    parts->config.state_len = len;
    return err;
}

static struct script_world world_of(struct host_script *guest)
{
    return (struct script_world){.context = guest,
                                 .engine = guest->host->engine,
                                 .now = world_now,
                                 .submit = world_submit,
                                 .change = world_change,
                                 .book = world_book,
                                 .is_paper = world_is_paper,
                                 .log = world_log,
                                 .alert = world_alert,
                                 .remark = world_remark,
                                 .publish = world_publish,
                                 .state = world_state};
}

enum weir_err host_lone_script(struct host_script *guest, const struct script_config *config,
                               struct why *why)
{
    struct script_world world = world_of(guest);
    return script_create(config, &world, &guest->script, why);
}

static enum weir_err create(struct host *host, struct host_script *guest, struct why *why)
{
    char prefix[40];
    struct script_world world = world_of(guest);
    struct parts parts;
    enum weir_err err = parts_read(host, guest->config, guest->strategy, &parts, why);
    order_prefix(host, guest->config->name, prefix, sizeof prefix);
    parts.config.order_prefix = prefix;
    place(host, guest->config, &parts.config);
    if (!err)
        err = state_read(host, guest->config, &parts, why);
    if (!err)
        err = script_create(&parts.config, &world, &guest->script, why);
    memcpy(guest->sha256, parts.sha256, sizeof guest->sha256);
    guest->version = 1;
    parts_free(&parts);
    if (err)
        while_doing(why, "scripts.%s", guest->config->name);
    return err;
}

enum weir_err host_check_script(const struct config_script *config, struct why *why)
{
    struct script_source source = {0};
    struct parts parts = {0};
    enum weir_err err = script_source_read(config->file, &source, why);
    if (!err)
        err = script_check(&source, why); /* before its modules, which it may not need in the end */
    if (!err)
        err = parts_read(NULL, config, 1, &parts, why);
    if (!err)
        err = script_check_settings(&parts.config, why);
    parts_free(&parts);
    free((char *)(uintptr_t)source.text);
    if (err)
        while_doing(why, "scripts.%s", config->name);
    return err;
}

static bool same_value(const struct config_value *a, const struct config_value *b)
{
    bool same = a->count == b->count && a->quoted == b->quoted && !a->text == !b->text &&
                !a->key == !b->key && (!a->text || strcmp(a->text, b->text) == 0) &&
                (!a->key || strcmp(a->key, b->key) == 0);
    for (size_t i = 0; same && i < a->count; i++)
        same = same_value(&a->items[i], &b->items[i]);
    return same;
}

static bool same_budgets(const struct config_script *a, const struct config_script *b)
{
    return a->memory == b->memory && a->callback == b->callback && a->load == b->load &&
           a->orders_per_second == b->orders_per_second &&
           a->log_lines_per_second == b->log_lines_per_second && a->seed == b->seed &&
           a->process == b->process && a->wake == b->wake && a->nice == b->nice;
}

enum weir_err host_prepare_script(struct host *host, struct host_script *guest,
                                  const struct config_script *config, struct text *diff,
                                  struct why *why)
{
    struct parts parts;
    enum weir_err err = parts_read(host, config, guest->strategy, &parts, why);
    bool same = !err && strcmp(parts.sha256, guest->sha256) == 0 &&
                same_value(&config->settings, &guest->config->settings) &&
                same_budgets(config, guest->config);
    place(host, config, &parts.config);
    if (!err && !same) {
        err = script_prepare(guest->script, &parts.config, why);
        if (!err) {
            text_say(diff, "script %s: reloaded, state kept (sha256 %.12s -> %.12s)\n",
                     config->name, guest->sha256, parts.sha256);
            memcpy(guest->next_sha256, parts.sha256, sizeof guest->next_sha256);
        }
    }
    parts_free(&parts);
    if (err)
        while_doing(why, "scripts.%s", config->name);
    return err;
}

enum weir_err host_shadow_script(struct host *host, struct host_script *guest,
                                 const struct config_script *config,
                                 const struct script_world *world, struct script **script_out,
                                 struct why *why)
{
    struct parts parts;
    enum weir_err err = parts_read(host, config, guest->strategy, &parts, why);
    bool same = !err && strcmp(parts.sha256, guest->sha256) == 0 &&
                same_value(&config->settings, &guest->config->settings);
    *script_out = NULL;
    place(host, config, &parts.config);
    if (!err && !same)
        err = script_create_shadow(&parts.config, world, guest->script, script_out, why);
    parts_free(&parts);
    if (err)
        while_doing(why, "scripts.%s", config->name);
    return err;
}

void host_drop_script(struct host_script *guest)
{
    script_drop(guest->script);
    guest->next_sha256[0] = '\0';
}

/* Its `reload` handlers may ask for orders, and may be its end. */
void host_commit_script(struct host *host, struct host_script *guest)
{
    if (!guest->next_sha256[0])
        return;
    memcpy(guest->sha256, guest->next_sha256, sizeof guest->sha256);
    guest->next_sha256[0] = '\0';
    guest->outcome = SCRIPT_OK;
    guest->version++;
    host_tell_script(host, guest);
    script_commit(guest->script);
    look_after(host, guest);
}

/* Its orders are allowed again before its `reload` handlers run. */
enum weir_err host_restart_script(struct host *host, struct host_script *guest, struct why *why)
{
    struct parts parts;
    enum weir_err err = parts_read(host, guest->config, guest->strategy, &parts, why);
    place(host, guest->config, &parts.config);
    if (!err)
        err = state_read(host, guest->config, &parts, why);
    if (!err)
        err = script_prepare(guest->script, &parts.config, why);
    if (!err) {
        struct in_limit active = {.msg = {.size = sizeof active, .kind = IN_TRADING_STATE},
                                  .scope = SCOPE_strategy,
                                  .limit = TRADING_ACTIVE,
                                  .id = guest->strategy};
        memcpy(guest->next_sha256, parts.sha256, sizeof guest->next_sha256);
        host_do(host, &active.msg);
        host_commit_script(host, guest);
    }
    parts_free(&parts);
    if (err)
        while_doing(why, "scripts.%s", guest->config->name);
    return err;
}

static const struct book *cells_book(void *context, uint32_t instrument, enum book_state *state_out)
{
    return book_of(context, instrument, state_out);
}

/* Those that want a process get one, or, if the configuration says so, run inline; nobody is told
 * less than he asked for in silence. */
static enum weir_err open_cells(struct host *host, struct why *why)
{
    const struct host_options *options = &host->options;
    size_t wanted = 0;
    for (size_t i = 0; i < host->script_count; i++)
        wanted += options->isolation == ISOLATION_PROCESS ||
                  (options->isolation == ISOLATION_CONFIGURED && !options->virtual_time &&
                   host->scripts[i].config->process);
    if (wanted == 0)
        return WEIR_OK;
    const char *lacks = options->no_cells ? options->no_cells : "none were made";
    if (!options->cells && !host->config->inline_without_cells)
        return because(why, WEIR_E_UNSUPPORTED,
                       "scripts cannot have processes of their own here: %s; expected a kernel "
                       "that can, or host.without_cells: inline",
                       lacks);
    if (!options->cells) {
        log_line(LOG_WARN, "scripts",
                 "%zu scripts run inline, not in processes of their own, as host.without_cells "
                 "says: %s",
                 wanted, lacks);
        return WEIR_OK;
    }
    host->cells = options->cells;
    cells_serve(host->cells, &(struct cells_owner){.context = host,
                                                   .engine = host->engine,
                                                   .book = cells_book,
                                                   .is_paper = cells_is_paper,
                                                   .lockstep = options->virtual_time});
    return cells_also(host->cells, host->wake, why);
}

enum weir_err host_open_scripts(struct host *host, struct why *why)
{
    enum weir_err ready = open_cells(host, why);
    if (ready)
        return ready;
    for (size_t i = 0; i < host->script_count; i++) {
        enum weir_err err = create(host, &host->scripts[i], why);
        if (err)
            return err;
    }
    return WEIR_OK;
}

/* --- calling them -----------------------------------------------------------------------------*/

struct host_script *host_script_of(struct host *host, uint32_t strategy)
{
    for (size_t i = 0; i < host->script_count; i++)
        if (host->scripts[i].strategy == strategy)
            return &host->scripts[i];
    return NULL;
}

/* After each call: was it stopped in it? Then its orders are cancelled, and the operator is told. */
static void look_after(struct host *host, struct host_script *guest)
{
    enum script_outcome outcome = script_outcome(guest->script);
    const struct host_options *options = &host->options;
    if (options->on_callback)
        options->on_callback(options->context, guest->config->name, clock_now(&host->clock));
    if (outcome == guest->outcome)
        return;
    guest->outcome = outcome;
    if (outcome != SCRIPT_OK)
        host_script_ended(host, guest);
}

static void call(struct host *host, struct host_script *guest, const struct weir_msg *msg)
{
    weir_ns from = clock_stopwatch();
    script_event(guest->script, msg);
    histogram_add(&host->stages.of[TIMED_script], clock_stopwatch() - from);
    look_after(host, guest);
}

void host_start_scripts(struct host *host)
{
    for (size_t i = 0; i < host->script_count; i++) {
        struct host_script *guest = &host->scripts[i];
        guest->began = clock_now(&host->clock);
        guest->retry_at = INT64_MAX;
        if (engine_trading_state(host->engine, SCOPE_strategy, guest->strategy) != TRADING_ACTIVE)
            log_line(LOG_WARN, guest->config->name,
                     "disarmed since before the restart: it sends nothing but cancels; `weir ctl "
                     "arm %s` ends that",
                     guest->config->name);
        script_start(host->scripts[i].script);
        look_after(host, &host->scripts[i]);
        host_settle(host);
    }
}

void host_stop_scripts(struct host *host)
{
    for (size_t i = 0; i < host->script_count; i++) {
        script_stop(host->scripts[i].script);
        look_after(host, &host->scripts[i]);
    }
    host_states_last(host);
}

void host_close_scripts(struct host *host)
{
    for (size_t i = 0; i < host->script_count; i++) {
        script_destroy(host->scripts[i].script);
        free(host->scripts[i].state);
    }
    script_thread_fini();
}

void host_script_market(struct host *host, const struct weir_msg *input)
{
    for (size_t i = 0; i < host->script_count; i++)
        if (script_wants(host->scripts[i].script, (enum weir_kind)input->kind, input->instrument))
            call(host, &host->scripts[i], input);
    host_compare_event(host, input);
}

void host_script_effect(struct host *host, const struct weir_msg *effect)
{
    uint32_t strategy = 0;
    if (effect->kind == OUT_ORDER)
        strategy = ((const struct out_order *)effect)->strategy;
    else if (effect->kind == OUT_EXECUTION)
        strategy = ((const struct out_execution *)effect)->strategy;
    else if (effect->kind == OUT_DECISION)
        return; /* its OUT_ORDER tells */
    for (size_t i = 0; i < host->script_count; i++)
        if (strategy == 0 ? effect->kind != OUT_ORDER && effect->kind != OUT_EXECUTION
                          : host->scripts[i].strategy == strategy)
            call(host, &host->scripts[i], effect);
    host_compare_event(host, effect);
}

bool host_script_published(struct host *host)
{
    const struct published *published = (const void *)queue_front(&host->published);
    if (!published)
        return false;
    const struct host_script *from = host_script_of(host, published->strategy);
    const struct script_message message = {.topic = published->topic,
                                           .from = from->config->name,
                                           .t = published->msg.t,
                                           .text = published->text,
                                           .len = published->len};
    for (size_t i = 0; i < host->script_count; i++)
        if (&host->scripts[i] != from &&
            script_listens(host->scripts[i].script, message.topic, message.from)) {
            script_message(host->scripts[i].script, &message);
            look_after(host, &host->scripts[i]);
        }
    queue_drop(&host->published);
    return true;
}

bool host_scripts_pending(const struct host *host)
{
    for (size_t i = 0; host->cells && i < host->script_count; i++)
        if (script_pending(host->scripts[i].script))
            return true;
    return host_compare_pending(host);
}

bool host_script_turns(struct host *host)
{
    bool any = false;
    for (size_t i = 0; host->cells && i < host->script_count; i++) {
        struct host_script *guest = &host->scripts[i];
        if (!script_pending(guest->script))
            continue;
        any |= script_turn(guest->script);
        look_after(host, guest);
        host_settle(host);
    }
    return host_compare_turns(host) || any;
}

weir_ns host_script_next_timer(const struct host *host)
{
    weir_ns next = INT64_MAX;
    for (size_t i = 0; i < host->script_count; i++) {
        weir_ns t = script_next_timer(host->scripts[i].script);
        next = t < next ? t : next;
    }
    weir_ns shadow = host_compare_next(host);
    return shadow < next ? shadow : next;
}

void host_script_timers(struct host *host)
{
    for (size_t i = 0; i < host->script_count; i++) {
        if (script_next_timer(host->scripts[i].script) > clock_now(&host->clock))
            continue;
        script_timer(host->scripts[i].script);
        look_after(host, &host->scripts[i]);
        host_settle(host);
    }
    host_compare_timers(host);
}
