/* lone.c - a chunk in a world where nobody is: to check what it declares, and to work out a table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script/cell.h"

static weir_ns no_time(void *context)
{
    (void)context;
    return 1;
}

static void no_order(void *context, struct script *script, const struct in_submit *wish,
                     struct script_answer *answer)
{
    (void)context, (void)script, (void)wish;
    script_answer_refuse(answer, "STATE", "nobody is there: the script is being checked");
}

static void no_change(void *context, struct script *script, const struct in_change *wish,
                      struct script_answer *answer)
{
    (void)context, (void)script, (void)wish;
    script_answer_refuse(answer, "STATE", "nobody is there: the script is being checked");
}

/* The smallest engine there is, for a script to ask questions of: it knows nothing. */
static struct engine *no_engine(void **memory_out)
{
    const struct engine_sizes sizes = {.orders = 64,
                                       .executions = 64,
                                       .client_ids = 64,
                                       .instruments = 1,
                                       .strategies = 1,
                                       .venues = 1,
                                       .accounts = 1,
                                       .assets = 1,
                                       .positions = 1};
    size_t bytes = (engine_bytes(&sizes) + 63) / 64 * 64;
    unsigned char *memory = calloc(1, bytes + 64),
                  *at = memory; /* zero pages, most never touched */
    *memory_out = memory;
    if (!memory)
        return NULL;
    at += (64 - (uintptr_t)at % 64) % 64;
    struct arena arena = {at, at + bytes};
    return engine_create(&arena, &sizes);
}

/* A script in a world without anything; *memory_out is to be freed after it. */
static struct script *lone_script(const struct script_config *config, void **memory_out,
                                  struct why *why)
{
    struct script *script = calloc(1, sizeof *script);
    struct engine *engine = no_engine(memory_out);
    if (!script || !engine) {
        free(script);
        free(*memory_out);
        (void)because(why, WEIR_E_NO_MEMORY, "script %s: %s", config->name,
                      err_text(WEIR_E_NO_MEMORY));
        return NULL;
    }
    snprintf(script->name, sizeof script->name, "%s", config->name);
    script->world = (struct script_world){
        .engine = engine, .now = no_time, .submit = no_order, .change = no_change};
    script->budget = config->budget;
    script_defaults(&script->budget);
    return script;
}

static enum weir_err tell_reason(const struct script *script, struct why *why)
{
    return because(why, WEIR_E_BAD_CONFIG, "%s%s%s", script->reason, script->detail[0] ? "\n" : "",
                   script->detail);
}

/* Its chunk ran up to weir.declare, or to an end of its own, which says nothing: nobody was there. */
static enum weir_err check_declared(struct script *script, const struct script_config *config,
                                    struct why *why)
{
    enum script_outcome outcome;
    script->checking = true;
    struct cell *cell = cell_create(script, config, &outcome, why);
    bool made = cell || outcome != SCRIPT_OK;
    cell_destroy(cell);
    if (!made)
        return why->err;
    if (outcome == SCRIPT_REFUSED || (script->declared && script->reason[0]))
        return tell_reason(script, why);
    return WEIR_OK;
}

enum weir_err script_check_settings(const struct script_config *config, struct why *why)
{
    void *memory = NULL;
    enum weir_err err = script_config_check(config, why);
    if (err == WEIR_OK)
        err = guard_ready(why);
    if (err == WEIR_OK && config->source.len > SOURCE_MAX)
        err = script_check(&config->source, why);
    for (size_t i = 0; err == WEIR_OK && i < config->module_count; i++)
        err = script_check(&config->modules[i], why);
    if (err != WEIR_OK)
        return err;
    struct script *script = lone_script(config, &memory, why);
    if (!script)
        return why->err;
    err = check_declared(script, config, why);
    free(script);
    free(memory);
    return err;
}

enum weir_err script_evaluate(const struct script_source *source, struct text *json_out,
                              struct why *why)
{
    enum { ROOM = 4 << 20 };
    struct script_config config = {.name = "data", .source = *source};
    struct plain result = {.text = malloc(ROOM), .room = ROOM, .json = true};
    enum script_outcome outcome;
    void *memory = NULL;
    enum weir_err err = script_check(source, why);
    struct script *script = err || !result.text ? NULL : lone_script(&config, &memory, why);
    if (!script) {
        free(result.text);
        return err ? err : because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
    }
    script->result = &result;
    struct cell *cell = cell_create(script, &config, &outcome, why);
    if (!cell)
        err = outcome == SCRIPT_OK ? why->err : tell_reason(script, why);
    else if (result.problem[0])
        err = because(why, WEIR_E_BAD_CONFIG, "%s returns what is not plain data: %s", source->name,
                      result.problem);
    else
        text_add(json_out, result.text, result.len);
    cell_destroy(cell);
    free(script);
    free(memory);
    free(result.text);
    return err;
}
