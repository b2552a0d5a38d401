/* config_diff.c - what a reload would change, in words. */
#include <stdio.h>
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

static void say_number(struct text *out, const char *what, int64_t before, int64_t after)
{
    if (before != after)
        text_say(out, "%s: %lld -> %lld\n", what, (long long)before, (long long)after);
}

/* Values of the host and its venues that a reload may change. */
static void say_host(const struct config *before, const struct config *after, struct text *out)
{
    char what[96];
    if (before->cancel_on_stop != after->cancel_on_stop)
        text_say(out, "host.on_stop: %s\n",
                 after->cancel_on_stop ? "keep -> cancel" : "cancel -> keep");
    say_number(out, "host.stop_wait, ns", before->stop_wait, after->stop_wait);
    say_number(out, "host.busy_poll, ns", before->busy_poll, after->busy_poll);
    say_number(out, "host.watch", before->watch, after->watch);
    for (int p = 0; p < POLICY_COUNT; p++) {
        snprintf(what, sizeof what, "policy %s", policy_name((enum policy)p));
        say_number(out, what, before->policies[p], after->policies[p]);
    }
    for (size_t i = 0; i < before->venue_count && i < after->venue_count; i++) {
        snprintf(what, sizeof what, "venues.%s.answer_timeout, ns", after->venues[i].name);
        say_number(out, what, before->venues[i].answer_timeout, after->venues[i].answer_timeout);
        snprintf(what, sizeof what, "venues.%s.emulate", after->venues[i].name);
        say_number(out, what, before->venues[i].emulate, after->venues[i].emulate);
    }
}

void config_diff(const struct config *before, const struct config *after, struct text *out)
{
    for (size_t i = 0; i < after->limit_count; i++)
        say_limit(out, &after->limits[i], same_row(before, &after->limits[i]), &after->limits[i]);
    for (size_t i = 0; i < before->limit_count; i++)
        if (!same_row(after, &before->limits[i]))
            say_limit(out, &before->limits[i], &before->limits[i], NULL);
    say_host(before, after, out);
    for (size_t i = 0; i < after->script_count; i++)
        if (!script_of(before, after->scripts[i].name))
            text_say(out, "script %s: new\n", after->scripts[i].name);
    for (size_t i = 0; i < before->script_count; i++)
        if (!script_of(after, before->scripts[i].name))
            text_say(out, "script %s: gone\n", before->scripts[i].name);
}
