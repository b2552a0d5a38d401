/* lists.c - the words of lists.h as texts. */
#include "engine/lists.h"

#include <stddef.h>

#define NAME(name, text) #name,
#define TEXT(name, text) text,
#define WORD(name)       #name,

static const char *const labels[] = {ORDER_LABELS(NAME)};
static const char *const checks[] = {RISK_CHECKS(NAME)};
static const char *const check_texts[] = {RISK_CHECKS(TEXT)};
static const char *const limits[] = {RISK_LIMITS(NAME)};
static const char *const scopes[] = {RISK_SCOPES(WORD)};
static const char *const alerts[] = {ALERTS(NAME)};
static const char *const alert_texts[] = {ALERTS(TEXT)};
static const char *const policies[] = {POLICIES(NAME)};
static const char *const kill_stages[] = {KILL_STAGES(NAME)};
static const char *const obstacles[] = {KILL_OBSTACLES(NAME)};
static const char *const obstacle_texts[] = {KILL_OBSTACLES(TEXT)};
static const char *const hold_waits[] = {HOLD_WAITS(NAME)};
static const char *const hold_events[] = {HOLD_EVENTS(NAME)};
#define GUARD_NAME(name, text, action) #name,
static const char *const guards[] = {GUARDS(GUARD_NAME)};
static const char *const guard_actions[] = {GUARD_ACTIONS(NAME)};
/* the word that people write; HALTED_STATE only keeps the C name apart from the check's */
static const char *const states[] = {"ACTIVE", "REDUCE_ONLY", "CANCEL_ONLY", "HALTED"};

_Static_assert(sizeof states / sizeof states[0] == TRADING_STATE_COUNT, "a state without a name");

#define WORD_OF(list, at) ((size_t)(at) < sizeof(list) / sizeof(list)[0] ? (list)[at] : "?")

const char *order_label_name(enum order_label label)
{
    return WORD_OF(labels, label);
}
const char *risk_check_name(enum risk_check check)
{
    return WORD_OF(checks, check);
}
const char *risk_limit_name(enum risk_limit limit)
{
    return WORD_OF(limits, limit);
}
const char *risk_scope_name(enum risk_scope scope)
{
    return WORD_OF(scopes, scope);
}
const char *trading_state_name(enum trading_state state)
{
    return WORD_OF(states, state);
}
const char *alert_name(enum alert alert)
{
    return WORD_OF(alerts, alert);
}
const char *policy_name(enum policy policy)
{
    return WORD_OF(policies, policy);
}
const char *kill_stage_name(enum kill_stage stage)
{
    return WORD_OF(kill_stages, stage);
}
const char *kill_obstacle_name(enum kill_obstacle obstacle)
{
    return WORD_OF(obstacles, obstacle);
}
const char *kill_obstacle_text(enum kill_obstacle obstacle)
{
    return WORD_OF(obstacle_texts, obstacle);
}
const char *hold_wait_name(enum hold_wait wait)
{
    return WORD_OF(hold_waits, wait);
}
const char *hold_event_name(enum hold_event event)
{
    return WORD_OF(hold_events, event);
}
const char *guard_name(enum guard guard)
{
    return WORD_OF(guards, guard);
}
const char *guard_action_name(enum guard_action action)
{
    return WORD_OF(guard_actions, action);
}
const char *risk_check_text(enum risk_check check)
{
    return WORD_OF(check_texts, check);
}
const char *alert_text(enum alert alert)
{
    return WORD_OF(alert_texts, alert);
}
