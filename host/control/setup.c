/* setup.c - what the engine must know before anything happens, as inputs: policies, names, limits.
 *
 * Numbers are dense and never reused: on a journal that is continued, a name keeps the number it
 * had, so definitions are given only for what is new; policies and limits are given each time. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "control/host.h"

enum { ID_BLOCK = 1 << 16 };

static void apply(struct host *host, struct weir_msg *input)
{
    (void)host_take(host, input);
}

static void define(struct host *host, uint16_t kind, uint32_t number, uint32_t parent,
                   uint32_t rights, const char *name)
{
    struct in_define input = {.msg = {.size = sizeof input, .kind = kind},
                              .number = number,
                              .parent = parent,
                              .rights = rights};
    memcpy(input.name, name, strnlen(name, sizeof input.name - 1));
    apply(host, &input.msg);
}

/* The engine has it already, just so. */
static bool is_given(const struct engine *engine, enum risk_scope scope, uint32_t id,
                     const struct config_limit *row)
{
    amount value = 0, used = 0;
    int how = engine_limit(engine, scope, id, row->limit, &value, &used);
    return row->none ? how == LIMIT_NONE : how == LIMIT_VALUE && value == row->value;
}

static void give_limits(struct host *host, enum risk_scope scope, uint32_t id, const char *name)
{
    for (int limit = 0; limit < RISK_LIMIT_COUNT; limit++) {
        const struct config_limit *row =
            config_limit_for(host->config, scope, name, (enum risk_limit)limit);
        if (!row || is_given(host->engine, scope, id, row))
            continue;
        struct in_limit input = {.msg = {.size = sizeof input, .kind = IN_LIMIT},
                                 .scope = (uint8_t)scope,
                                 .limit = (uint8_t)limit,
                                 .how = row->none ? LIMIT_NONE : LIMIT_VALUE,
                                 .id = id,
                                 .value = amount_pack(row->value)};
        apply(host, &input.msg);
    }
}

static void give_policies(struct host *host)
{
    for (int policy = 0; policy < POLICY_COUNT; policy++) {
        struct in_policy input = {.msg = {.size = sizeof input, .kind = IN_POLICY},
                                  .policy = (uint32_t)policy,
                                  .value = host->config->policies[policy]};
        apply(host, &input.msg);
    }
}

/* The number of a name: the one it has, else the next. */
static uint32_t number_of(struct host *host, enum risk_scope scope, const char *name,
                          uint32_t first, bool *new_out)
{
    uint32_t number = engine_number(host->engine, scope, name);
    *new_out = number == UINT32_MAX;
    for (number = *new_out ? first : number; *new_out && *engine_name(host->engine, scope, number);
         number++)
        ;
    return number;
}

static void define_venues(struct host *host)
{
    bool new;
    for (size_t i = 0; i < host->venue_count; i++) {
        struct host_venue *venue = &host->venues[i];
        char account[NAME_MAX_LEN];
        venue->number = (uint16_t)number_of(host, SCOPE_venue, venue->config->name, 1, &new);
        if (new)
            define(host, IN_DEFINE_VENUE, venue->number, 0, 0, venue->config->name);
        give_limits(host, SCOPE_venue, venue->number, venue->config->name);
        snprintf(account, sizeof account, "%.15s/%.15s", venue->config->name,
                 venue->config->account);
        venue->account = (uint16_t)number_of(host, SCOPE_account, account, 1, &new);
        if (new)
            define(host, IN_DEFINE_ACCOUNT, venue->account, venue->number, 0, account);
        give_limits(host, SCOPE_account, venue->account, venue->config->name);
    }
}

static void define_scripts(struct host *host)
{
    bool new;
    for (size_t i = 0; i < host->script_count; i++) {
        struct host_script *script = &host->scripts[i];
        const struct config_script *config = script->config;
        uint32_t group = number_of(host, SCOPE_group, config->group, 1, &new);
        if (new)
            define(host, IN_DEFINE_GROUP, group, 0, 0, config->group);
        give_limits(host, SCOPE_group, group, config->group);
        script->strategy = number_of(host, SCOPE_strategy, config->name, 1, &new);
        /* given each time: rights and group may have changed */
        define(host, IN_DEFINE_STRATEGY, script->strategy, group, config->orders ? RIGHT_ORDERS : 0,
               config->name);
        give_limits(host, SCOPE_strategy, script->strategy, config->name);
    }
}

static void limit_instrument(struct host *host, uint32_t number)
{
    char name[NAME_MAX_LEN + WEIR_SYMBOL_MAX + 2];
    const struct host_instrument *instrument = &host->instruments[number];
    snprintf(name, sizeof name, "%s/%s", instrument->venue->config->name, instrument->symbol);
    give_limits(host, SCOPE_instrument, number, name);
}

void host_limit_instrument(struct host *host, uint32_t number)
{
    if (number > host->instrument_count || host->instruments[number].limited)
        return;
    host->instruments[number].limited = true;
    limit_instrument(host, number);
}

/* Of one without order entry nothing is said: no order gets there anyway. */
void host_tell_capabilities(struct host *host)
{
    for (size_t i = 0; i < host->venue_count; i++) {
        const struct host_venue *venue = &host->venues[i];
        const struct weir_caps *caps = venue->config->execution == EXECUTION_PAPER
                                           ? paper_caps()
                                           : session_caps(venue->session);
        if (!caps->orders)
            continue;
        struct in_capabilities input = {
            .msg = {.size = sizeof input, .kind = IN_CAPABILITIES, .venue = venue->number},
            .order_types = caps->order_types,
            .tifs = caps->tifs,
            .order_flags = caps->order_flags,
            .amend = caps->amend,
            .emulate = venue->config->emulate};
        apply(host, &input.msg);
    }
}

void host_give_limits(struct host *host)
{
    give_policies(host);
    give_limits(host, SCOPE_host, 0, "*");
    for (size_t i = 0; i < host->venue_count; i++) {
        const struct host_venue *venue = &host->venues[i];
        give_limits(host, SCOPE_venue, venue->number, venue->config->name);
        give_limits(host, SCOPE_account, venue->account, venue->config->name);
    }
    for (size_t i = 0; i < host->script_count; i++) {
        const struct config_script *script = host->scripts[i].config;
        give_limits(host, SCOPE_group, engine_number(host->engine, SCOPE_group, script->group),
                    script->group);
        give_limits(host, SCOPE_strategy, host->scripts[i].strategy, script->name);
    }
    for (uint32_t i = 1; i <= host->instrument_count; i++)
        if (host->instruments[i].limited)
            limit_instrument(host, i);
    host_tell_capabilities(host);
}

/* Client ids come from a block that the journal holds durably before the first of them is used: after
 * a power loss that took the newest records, the next run begins behind the block. */
static void reserve(struct host *host, int64_t from, int64_t next)
{
    struct in_state input = {
        .msg = {.size = sizeof input, .kind = IN_ID_BLOCK}, .value = next + ID_BLOCK, .from = from};
    uint64_t seq = host_take(host, &input.msg);
    if (host->journal && !journal_wait(host->journal, seq))
        log_line(LOG_ERROR, "journal", "a block of client ids could not be made durable");
}

void host_reserve_ids(struct host *host)
{
    int64_t next, end;
    engine_ids(host->engine, &next, &end);
    if (end - next < ID_BLOCK / 2)
        reserve(host, 0, next);
}

static void reserve_first(struct host *host)
{
    int64_t next, end;
    engine_ids(host->engine, &next, &end);
    reserve(host, end, end > next ? end : next);
}

enum weir_err host_define(struct host *host, struct why *why)
{
    (void)why;
    give_policies(host);
    give_limits(host, SCOPE_host, 0, "*");
    define_venues(host);
    define_scripts(host);
    reserve_first(host);
    return WEIR_OK;
}
