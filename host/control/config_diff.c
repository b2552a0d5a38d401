/* config_diff.c - what a reload would change, in words. */
#include <string.h>

#include "control/config.h"

static void limit_text(const struct config_limit *row, char *text)
{
    if (!row)
        memcpy(text, "missing", sizeof "missing");
    else if (row->none)
        memcpy(text, "none", sizeof "none");
    else
        amount_print(row->value, text);
}

static const struct config_limit *same_row(const struct config *config,
                                           const struct config_limit *row)
{
    for (size_t i = 0; i < config->limit_count; i++)
        if (config->limits[i].scope == row->scope && config->limits[i].limit == row->limit &&
            strcmp(config->limits[i].name, row->name) == 0)
            return &config->limits[i];
    return NULL;
}

static void say_limit(struct text *out, const struct config_limit *name,
                      const struct config_limit *before, const struct config_limit *after)
{
    char old[DECIMAL_TEXT_MAX], new[DECIMAL_TEXT_MAX];
    limit_text(before, old);
    limit_text(after, new);
    if (strcmp(old, new) != 0)
        text_say(out, "limit %s %s %s: %s -> %s\n", risk_scope_name(name->scope), name->name,
                 risk_limit_name(name->limit), old, new);
}

static const struct config_script *script_of(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->script_count; i++)
        if (strcmp(config->scripts[i].name, name) == 0)
            return &config->scripts[i];
    return NULL;
}

void config_diff(const struct config *before, const struct config *after, struct text *out)
{
    for (size_t i = 0; i < after->limit_count; i++)
        say_limit(out, &after->limits[i], same_row(before, &after->limits[i]), &after->limits[i]);
    for (size_t i = 0; i < before->limit_count; i++)
        if (!same_row(after, &before->limits[i]))
            say_limit(out, &before->limits[i], &before->limits[i], NULL);
    for (size_t i = 0; i < after->script_count; i++)
        if (!script_of(before, after->scripts[i].name))
            text_say(out, "script %s: new\n", after->scripts[i].name);
    for (size_t i = 0; i < before->script_count; i++)
        if (!script_of(after, before->scripts[i].name))
            text_say(out, "script %s: gone\n", before->scripts[i].name);
}
