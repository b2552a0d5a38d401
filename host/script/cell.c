/* cell.c - making, calling and dropping one version of a script, and saying what went wrong.
 *
 * A call into Lua is a guarded run (guard.h) around a protected call (lua_pcall). An error comes back
 * through the protected call, with the place of its origin noted by on_error(); being abandoned comes
 * back through the guard, with the place noted by a hook or read from what is left of the state, in
 * a run of its own where any fault is caught [autopsy]. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "script/cell.h"

enum { ON_ERROR = 1, AUTOPSY_NS = 20000000, AUTOPSY_DEPTH = 200 };

/* --- places ----------------------------------------------------------------------------------- */

static void note_place(struct cell *cell, const lua_Debug *at)
{
    snprintf(cell->where, sizeof cell->where, "%s:%d:", at->short_src, at->currentline);
}

/* The innermost function of Lua. */
static void find_place(struct cell *cell, lua_State *L)
{
    lua_Debug at;
    for (int level = 0; level < AUTOPSY_DEPTH && lua_getstack(L, level, &at); level++)
        if (lua_getinfo(L, "Sl", &at) && at.currentline > 0) {
            note_place(cell, &at);
            return;
        }
}

/* lua_pcall's message handler: the error stays as it is. */
static int on_error(lua_State *L)
{
    struct cell *cell = cell_of(L);
    cell->where[0] = '\0'; /* an error that was forgiven may have left one */
    find_place(cell, L);
    return 1;
}

/* The deadline has passed. */
static void on_want(lua_State *L, lua_Debug *at)
{
    struct cell *cell = cell_of(L);
    enum guard_end end = guard_wanted();
    if (end == GUARD_DONE) { /* it came for the run before this one */
        lua_sethook(L, NULL, 0, 0);
        return;
    }
    if (lua_getinfo(L, "Sl", at))
        note_place(cell, at);
    guard_abandon(end);
}

static void on_count(lua_State *L, lua_Debug *at)
{
    struct cell *cell = cell_of(L);
    cell->instructions -= COUNT_STEP;
    if (cell->instructions > 0 && guard_wanted() == GUARD_DONE)
        return;
    if (lua_getinfo(L, "Sl", at))
        note_place(cell, at);
    guard_abandon(guard_wanted() != GUARD_DONE ? guard_wanted() : GUARD_INSTRUCTIONS);
}

static void autopsy_body(void *arg)
{
    struct cell *cell = arg;
    find_place(cell, cell->L);
}

static void autopsy(struct cell *cell)
{
    if (cell->where[0] || !cell->L)
        return;
    struct guard_job job = {
        .body = autopsy_body, .arg = cell, .budget = AUTOPSY_NS, .autopsy = true};
    if (guard_run(&job) != GUARD_DONE)
        cell->where[0] = '\0';
}

/* --- messages --------------------------------------------------------------------------------- */

/* The chunk and line that "maker.lua:12: ..." begins with. */
static bool place_in(const char *message, char *name, size_t room, unsigned long *line_out)
{
    const char *colon = strchr(message, ':');
    char *end;
    if (!colon || colon == message || (size_t)(colon - message) >= room)
        return false;
    *line_out = strtoul(colon + 1, &end, 10);
    if (end == colon + 1 || *end != ':' || *line_out == 0)
        return false;
    memcpy(name, message, (size_t)(colon - message));
    name[colon - message] = '\0';
    return true;
}

/* How a source is named in messages: with .lua, and short enough to be shown whole. */
static void shown_name(const char *name, char *out, size_t room)
{
    char line[48];
    size_t len = strlen(name);
    bool dotted = len > 4 && strcmp(name + len - 4, ".lua") == 0;
    text_line(name, len, line, sizeof line);
    snprintf(out, room, "%s%s", line, dotted ? "" : ".lua");
}

static const struct script_source *source_named(const struct cell *cell, const char *name)
{
    char shown[64];
    shown_name(cell->source.name, shown, sizeof shown);
    if (strcmp(shown, name) == 0)
        return &cell->source;
    for (size_t i = 0; i < cell->module_count; i++) {
        shown_name(cell->modules[i].name, shown, sizeof shown);
        if (strcmp(shown, name) == 0)
            return &cell->modules[i];
    }
    return NULL;
}

static bool line_of(const struct script_source *source, unsigned long number, char *out,
                    size_t room)
{
    const char *at = source->text, *end = at + source->len;
    for (; number > 1 && at < end; number--) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        at = newline ? newline + 1 : end;
    }
    if (at >= end)
        return false;
    const char *newline = memchr(at, '\n', (size_t)(end - at)), *stop = newline ? newline : end;
    while (at < stop && (*at == ' ' || *at == '\t'))
        at++;
    while (stop > at && (stop[-1] == '\r' || stop[-1] == ' '))
        stop--;
    text_line(at, (size_t)(stop - at), out, room);
    return stop > at;
}

static void explain_with(const char *message, const struct script_source *source,
                         unsigned long line, char *detail, size_t room)
{
    char shown[160], hint[160];
    hint_for(message, hint, sizeof hint);
    detail[0] = '\0';
    if (source && line_of(source, line, shown, sizeof shown))
        snprintf(detail, room, "%6lu | %s", line, shown);
    if (*hint) {
        size_t len = strlen(detail);
        snprintf(detail + len, room - len, "%s  hint: %s", len ? "\n" : "", hint);
    }
}

/* A place in the message counts if it names a source of ours: the text of an error may be anything. */
void cell_explain(struct script *script, const struct cell *cell, const char *message)
{
    char name[64];
    unsigned long line = 0;
    const struct script_source *source = NULL;
    if (place_in(message, name, sizeof name, &line))
        source = source_named(cell, name);
    if (!source && place_in(cell->where, name, sizeof name, &line)) {
        source = source_named(cell, name);
        snprintf(script->reason, sizeof script->reason, "%s %s", cell->where, message);
    } else {
        snprintf(script->reason, sizeof script->reason, "%s", message);
    }
    explain_with(script->reason, source, line, script->detail, sizeof script->detail);
}

/* What an error value says: texts and numbers as they are, our own error tables by their fields. */
static void error_text(lua_State *L, int index, char *out, size_t room)
{
    char code[40], text[240];
    index = lua_absindex(L, index);
    if (lua_type(L, index) == LUA_TSTRING || lua_type(L, index) == LUA_TNUMBER) {
        text_plain(L, index, out, room);
        return;
    }
    if (lua_type(L, index) == LUA_TTABLE) {
        lua_pushliteral(L, "code");
        lua_rawget(L, index);
        text_plain(L, -1, code, sizeof code);
        lua_pushliteral(L, "message");
        if (lua_rawget(L, index) == LUA_TSTRING) {
            text_plain(L, -1, text, sizeof text);
            snprintf(out, room, "error %s: %s", code, text);
            lua_pop(L, 2);
            return;
        }
        lua_pop(L, 2);
    }
    snprintf(out, room, "an error without a text (its value: %s)", luaL_typename(L, index));
}

static void explain_end(struct cell *cell, enum guard_end end, const char *name, weir_ns budget)
{
    const struct script_budget *limits = &cell->script->budget;
    char message[200];
    switch (end) {
    case GUARD_TIME:
        snprintf(message, sizeof message, "over its budget of %lld ms of CPU time in %s",
                 (long long)(budget / 1000000), name);
        break;
    case GUARD_INSTRUCTIONS:
        snprintf(message, sizeof message, "over its budget of %llu instructions in %s",
                 (unsigned long long)limits->instructions, name);
        break;
    case GUARD_MEMORY:
        snprintf(message, sizeof message, "over its cap of %zu KiB of memory in %s",
                 limits->memory / 1024, name);
        break;
    case GUARD_BLOCK:
        snprintf(message, sizeof message,
                 "a string or table over the cap of %zu KiB of memory for one in %s",
                 limits->block / 1024, name);
        break;
    case GUARD_STACK:
        snprintf(message, sizeof message, "recursion too deep (C stack) in %s", name);
        break;
    case GUARD_FLOOD:
        snprintf(message, sizeof message,
                 "went on asking after %u wishes were refused for pace in %s", limits->floods,
                 name);
        break;
    default: snprintf(message, sizeof message, "stopped by the host (%d) in %s", (int)end, name);
    }
    autopsy(cell);
    cell_explain(cell->script, cell, message);
}

/* --- calls ------------------------------------------------------------------------------------ */

struct run {
    struct cell *cell;
    struct call *call;
    lua_CFunction body;
    void *arg;
    int status;
    char error[REASON_ROOM - 100];
};

/* The text is written only when there is an error: most runs have none, and it is long. */
static void run_init(struct run *run, struct cell *cell, struct call *call, lua_CFunction body,
                     void *arg)
{
    run->cell = cell;
    run->call = call;
    run->body = body;
    run->arg = arg;
    run->status = LUA_OK;
    run->error[0] = '\0';
}

static void run_body(void *arg)
{
    struct run *run = arg;
    struct cell *cell = run->cell;
    lua_State *L = cell->L;
    lua_settop(L, ON_ERROR);
    if (run->body) {
        lua_pushcfunction(L, run->body);
        lua_pushlightuserdata(L, run->arg);
    } else {
        lua_rawgeti(L, LUA_REGISTRYINDEX, run->call->ref);
        if (run->call->kind == CALL_ONCE)
            luaL_unref(L, LUA_REGISTRYINDEX, run->call->ref);
        if (run->call->push_in)
            run->call->push_in(cell, L, run->call->arg);
    }
    run->status = lua_pcall(L, lua_gettop(L) - ON_ERROR - 1, 1, ON_ERROR);
    if (run->status != LUA_OK)
        error_text(L, -1, run->error, sizeof run->error);
    else if (run->call)
        run->call->returned_false = lua_isboolean(L, -1) && !lua_toboolean(L, -1);
    if (run->status == LUA_OK && run->call && run->call->result)
        (void)plain_write_in(L, -1, run->call->result);
    if (run->call && run->call->kind == CALL_REPEATS && run->call->returned_false)
        luaL_unref(L, LUA_REGISTRYINDEX, run->call->ref);
    lua_settop(L, ON_ERROR);
    if (cell->walked) {
        cell->walked = false;
        lua_pushnil(L);
        lua_rawseti(L, LUA_REGISTRYINDEX, cell->walk_ref);
    }
}

/* Loading and starting have more time than what comes after. */
static bool loads(const struct cell *cell, const struct call *call)
{
    return cell->mode == MODE_LOADING || cell->mode == MODE_CHECKING || (call && call->starting);
}

/* Garbage is collected as it is made; a heap that stays above its mark is swept in one go between
 * two events, so that the next event begins with room. */
static int collect(lua_State *L)
{
    lua_gc(L, LUA_GCCOLLECT);
    return 0;
}

static bool run_guarded(struct cell *cell, struct run *run, const char *name, weir_ns budget)
{
    struct script *script = cell->script;
    weir_ns took = 0;
    cell->floods = 0;
    if (script->budget.instructions > 0) {
        uint64_t most = script->budget.instructions;
        cell->instructions = (int64_t)(loads(cell, run->call) ? most * 20 : most);
        lua_sethook(cell->L, on_count, LUA_MASKCOUNT, COUNT_STEP);
    }
    struct guard_job job = {.body = run_body,
                            .arg = run,
                            .budget = budget,
                            .lua = cell->L,
                            .on_want = on_want,
                            .took_out = &took};
    script->busy = true;
    enum guard_end end = guard_run(&job);
    script->busy = false;
    script->report.callbacks++;
    if (took > script->report.max_callback_ns)
        script->report.max_callback_ns = took;
    if (end == GUARD_CHECKED)
        return false;
    if (end != GUARD_DONE) {
        explain_end(cell, end, name, budget);
        return false;
    }
    if (run->status == LUA_OK)
        return true;
    script->report.errors++;
    cell_explain(script, cell, run->error);
    cell->where[0] = '\0';
    return false;
}

static bool sweep(struct cell *cell)
{
    struct run run;
    if (cell->heap.used < cell->heap.cap / 2)
        return true;
    run_init(&run, cell, NULL, collect, NULL);
    return run_guarded(cell, &run, "the collection of garbage", cell->script->budget.callback_ns);
}

bool cell_call(struct cell *cell, struct call *call)
{
    struct run run;
    run_init(&run, cell, call, NULL, NULL);
    uint64_t before = cell->script->report.errors;
    bool fine = run_guarded(cell, &run, call->name,
                            loads(cell, call) ? cell->script->budget.load_ns
                                              : cell->script->budget.callback_ns);
    if (!fine && cell->script->report.errors > before &&
        cell->script->report.errors <= cell->script->budget.errors) {
        script_tell(cell->script, cell->script->reason);
        fine = true;
    }
    return fine && sweep(cell);
}

bool cell_do(struct cell *cell, lua_CFunction body, void *arg, weir_ns budget)
{
    struct run run;
    run_init(&run, cell, NULL, body, arg);
    return run_guarded(cell, &run, "the host's own work", budget);
}

/* --- making ----------------------------------------------------------------------------------- */

static int on_panic(lua_State *L)
{
    (void)L;
    guard_abandon(GUARD_PANIC);
    return 0;
}

static void keep_fields(lua_State *L, struct cell *cell)
{
    static const char *const names[] = {
#define X(name) #name,
        FIELDS(X)
#undef X
    };
    for (int i = 0; i < FIELD_COUNT; i++) {
        cell->names[i] = lua_pushstring(L, names[i]);
        cell->field_at[field_place(cell, cell->names[i])] = (uint8_t)(i + 1);
        int ref = luaL_ref(L, LUA_REGISTRYINDEX);
        if (i == 0)
            cell->fields = ref;
        else if (ref != cell->fields + i)
            guard_abandon(GUARD_PANIC); /* refs of a new registry are consecutive */
    }
}

static void open_body(void *arg)
{
    struct cell *cell = arg;
    lua_State *L = lua_newstate(heap_alloc, &cell->heap);
    *(struct cell **)lua_getextraspace(L) = cell;
    lua_atpanic(L, on_panic);
    lua_gc(L, LUA_GCINC, 150, 400, 0);
    lua_pushcfunction(L, on_error);
    keep_fields(L, cell);
    sandbox_open_in(L, cell);
    cell->L = L;
}

struct loading {
    const struct script_config *config;
    struct cell *cell;
    char error[REASON_ROOM - 100];
    bool refused;
};

/* Settings and state into `weir`, the chunk into the registry. */
static int load_body(lua_State *L)
{
    struct loading *loading = lua_touserdata(L, 1);
    const struct script_config *config = loading->config;
    struct cell *cell = cell_of(L);
    char name[64], chunk[80];
    lua_rawgeti(L, LUA_REGISTRYINDEX, cell->weir_ref);
    settings_keep_in(L, cell, config->settings);
    if (config->state) {
        if (!plain_read_in(L, config->state, config->state_len))
            return lua_error(L);
        lua_setfield(L, -2, "state");
    }
    shown_name(cell->source.name, name, sizeof name);
    snprintf(chunk, sizeof chunk, "@%s", name);
    if (sandbox_load_in(L, cell->source.text, cell->source.len, chunk) != LUA_OK) {
        loading->refused = true;
        text_plain(L, -1, loading->error, sizeof loading->error);
        return 0;
    }
    cell->chunk_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

static bool copy_source(struct script_source *to, const struct script_source *from)
{
    char *text = malloc(from->len + 1);
    to->name = strdup(from->name);
    to->text = text;
    to->len = from->len;
    if (!to->name || !text)
        return false;
    memcpy(text, from->text, from->len);
    text[from->len] = '\0';
    return true;
}

static void free_source(struct script_source *source)
{
    free((char *)(uintptr_t)source->name);
    free((char *)(uintptr_t)source->text);
}

static bool copy_sources(struct cell *cell, const struct script_config *config)
{
    bool fine = copy_source(&cell->source, &config->source);
    cell->modules = calloc(config->module_count + 1, sizeof *cell->modules);
    fine = fine && cell->modules;
    while (fine && cell->module_count < config->module_count) {
        size_t i = cell->module_count++;
        fine = copy_source(&cell->modules[i], &config->modules[i]);
    }
    return fine;
}

void cell_destroy(struct cell *cell)
{
    if (!cell)
        return;
    heap_fini(&cell->heap);
    free_source(&cell->source);
    for (size_t i = 0; i < cell->module_count; i++)
        free_source(&cell->modules[i]);
    free(cell->modules);
    for (int i = 0; i < HAPPENINGS; i++)
        free(cell->on[i].refs);
    free(cell->timers);
    free(cell->wishes);
    free(cell->topics);
    free(cell->watched);
    free(cell->bars);
    free(cell->text);
    free(cell);
}

/* False: the script is refused or quarantined, and has a reason. */
static bool load(struct cell *cell, const struct script_config *config,
                 enum script_outcome *outcome_out)
{
    struct script *script = cell->script;
    struct guard_job open = {.body = open_body, .arg = cell, .budget = script->budget.load_ns};
    struct loading loading = {.config = config};
    *outcome_out = SCRIPT_QUARANTINED;
    enum guard_end end = guard_run(&open);
    if (end != GUARD_DONE) {
        explain_end(cell, end, "the making of its environment", script->budget.load_ns);
        return false;
    }
    if (!cell_do(cell, load_body, &loading, script->budget.load_ns))
        return false;
    if (loading.refused) {
        *outcome_out = SCRIPT_REFUSED;
        cell_explain(script, cell, loading.error);
        return false;
    }
    struct call call = {
        .ref = cell->chunk_ref, .name = "the chunk's top level", .result = script->result};
    return cell_call(cell, &call);
}

struct cell *cell_create(struct script *script, const struct script_config *config,
                         enum script_outcome *outcome_out, struct why *why)
{
    struct cell *cell = calloc(1, sizeof *cell);
    *outcome_out = SCRIPT_OK;
    if (!cell || !heap_init(&cell->heap, script->budget.memory, script->budget.block) ||
        !copy_sources(cell, config)) {
        because(why, WEIR_E_NO_MEMORY, "script %s: %s", script->name, err_text(WEIR_E_NO_MEMORY));
        cell_destroy(cell);
        return NULL;
    }
    cell->script = script;
    cell->seed = config->seed;
    cell->mode = script->checking ? MODE_CHECKING : MODE_LOADING;
    if (!load(cell, config, outcome_out)) {
        cell_destroy(cell);
        return NULL;
    }
    *outcome_out = SCRIPT_OK;
    return cell;
}

/* --- compiling alone -------------------------------------------------------------------------- */

static void compile_body(void *arg)
{
    struct loading *loading = arg;
    struct cell *cell = loading->cell;
    char name[64], chunk[80];
    lua_State *L = lua_newstate(heap_alloc, &cell->heap);
    lua_atpanic(L, on_panic);
    shown_name(cell->source.name, name, sizeof name);
    snprintf(chunk, sizeof chunk, "@%s", name);
    loading->refused = sandbox_load_in(L, cell->source.text, cell->source.len, chunk) != LUA_OK;
    if (loading->refused)
        text_plain(L, -1, loading->error, sizeof loading->error);
}

enum weir_err cell_compile(const struct script_source *source, struct why *why)
{
    enum { ROOM = 32 << 20, BLOCK = 8 << 20, BUDGET_NS = 2000000000 };
    struct script *script = calloc(1, sizeof *script);
    struct cell cell = {.script = script, .source = *source};
    struct loading loading = {.cell = &cell};
    struct guard_job job = {.body = compile_body, .arg = &loading, .budget = BUDGET_NS};
    if (!script || !heap_init(&cell.heap, ROOM, BLOCK)) {
        free(script);
        return because(why, WEIR_E_NO_MEMORY, "%s: %s", source->name, err_text(WEIR_E_NO_MEMORY));
    }
    enum weir_err err = WEIR_OK;
    if (guard_run(&job) != GUARD_DONE)
        err = because(why, WEIR_E_BAD_CONFIG, "%s: takes too long or too much memory to compile",
                      source->name);
    else if (loading.refused)
        cell_explain(script, &cell, loading.error);
    if (loading.refused)
        err = because(why, WEIR_E_BAD_CONFIG, "%s%s%s", script->reason,
                      script->detail[0] ? "\n" : "", script->detail);
    heap_fini(&cell.heap);
    free(script);
    return err;
}
