#include "control/loose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/paths.h"

static size_t values_in(const cJSON *item)
{
    size_t count = 1;
    const cJSON *child;
    cJSON_ArrayForEach(child, item) count += values_in(child);
    return count;
}

static void convert(const cJSON *from, struct script_value *to, struct script_value **next)
{
    if (!from)
        return;
    const char *digits = json_digits(from);
    to->key = from->string;
    if (cJSON_IsBool(from)) {
        to->kind = SCRIPT_BOOL;
        to->number = cJSON_IsTrue(from);
    } else if (digits && json_whole(from, &to->number) && !strpbrk(digits, ".eE")) {
        to->kind = SCRIPT_INT;
    } else if (digits || cJSON_IsString(from)) {
        to->kind = digits ? SCRIPT_DECIMAL : SCRIPT_TEXT;
        to->text = digits ? digits : from->valuestring;
    } else if (cJSON_IsArray(from) || cJSON_IsObject(from)) {
        struct script_value *items = *next;
        const cJSON *child;
        to->kind = cJSON_IsArray(from) ? SCRIPT_LIST : SCRIPT_MAP;
        to->items = items;
        to->count = (size_t)cJSON_GetArraySize(from);
        *next += to->count;
        cJSON_ArrayForEach(child, from) convert(child, items++, next);
    }
}

static enum weir_err read_module(struct loose *loose, const char *path, const char *name,
                                 struct why *why)
{
    size_t i = loose->module_count;
    if (strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") !=
        strlen(name))
        return because(why, WEIR_E_BAD_CONFIG, "%s: weir.import(\"%s\"): not a name", path, name);
    module_path(path, name, loose->paths[i], sizeof loose->paths[i]);
    enum weir_err err = script_source_read(loose->paths[i], &loose->modules[i], why);
    if (err)
        return because(why, err,
                       "%s: weir.import(\"%s\"): no lib/%s.lua beside it, nor in scripts/lib", path,
                       name, name);
    loose->modules[i].name = name;
    loose->module_count++;
    return WEIR_OK;
}

static void name_after(struct loose *loose, const char *path)
{
    const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
    size_t len = strlen(file);
    if (len > 4 && strcmp(file + len - 4, ".lua") == 0)
        len -= 4;
    len = len < sizeof loose->name - 1 ? len : sizeof loose->name - 1;
    memcpy(loose->name, file, len);
    loose->name[len] = '\0';
}

enum weir_err loose_read(const char *path, const cJSON *settings, struct loose *loose,
                         struct why *why)
{
    memset(loose, 0, sizeof *loose);
    name_after(loose, path);
    enum weir_err err = script_source_read(path, &loose->source, why);
    if (!err)
        err = script_lint(&loose->source, &loose->lint, why);
    for (size_t i = 0; !err && i < loose->lint.import_count; i++)
        err = read_module(loose, path, loose->lint.imports[i], why);
    if (!err && settings) {
        loose->settings = calloc(values_in(settings), sizeof *loose->settings);
        if (!loose->settings)
            err = because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
    }
    if (err) {
        loose_free(loose);
        return err;
    }
    if (loose->settings) {
        struct script_value *next = loose->settings + 1;
        convert(settings, loose->settings, &next);
        loose->settings->key = NULL;
    }
    loose->config = (struct script_config){.name = loose->name,
                                           .source = loose->source,
                                           .modules = loose->modules,
                                           .module_count = loose->module_count,
                                           .may_trade = true,
                                           .seed = 1,
                                           .settings = loose->settings};
    return WEIR_OK;
}

void loose_free(struct loose *loose)
{
    free((char *)(uintptr_t)loose->source.text);
    for (size_t i = 0; i < loose->module_count; i++)
        free((char *)(uintptr_t)loose->modules[i].text);
    free(loose->settings);
    memset(loose, 0, sizeof *loose);
}
