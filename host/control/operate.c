/* operate.c - what operators ask of a running host about scripts and limits, beyond the kill switch. Each
 * act is an input of the journal, as everything that changes what may be sent.       [engine thread] */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "control/host.h"

/* --- the switch of a script --------------------------------------------------------------------- */

static struct host_script *script_named(struct host *host, const char *name)
{
    for (size_t i = 0; i < host->script_count; i++)
        if (strcmp(host->scripts[i].config->name, name) == 0)
            return &host->scripts[i];
    return NULL;
}

static void say_unknown(const struct host *host, const char *name, struct wish_answer *answer)
{
    size_t len = (size_t)snprintf(answer->text, sizeof answer->text,
                                  "no script is named '%s'; there are", name);
    for (size_t i = 0; i < host->script_count && len < sizeof answer->text; i++)
        len += (size_t)snprintf(answer->text + len, sizeof answer->text - len, " %s",
                                host->scripts[i].config->name);
    answer->ok = 0;
}

/* Disarmed, a script runs on and sees all, but only its cancels leave; what it had working is cancelled.
 * The engine keeps the switch: it holds across restarts, and in replays. */
static void turn_switch(struct host *host, const struct wish *wish, bool armed,
                        struct wish_answer *answer)
{
    struct host_script *guest = script_named(host, wish->cid);
    if (!guest) {
        say_unknown(host, wish->cid, answer);
        return;
    }
    if (armed && guest->outcome != SCRIPT_OK) {
        struct why why;
        answer->ok = host_revive_script(host, guest, &why) == WEIR_OK;
        guest->tries = 0;
        snprintf(answer->text, sizeof answer->text, "%s%s%s", answer->ok ? "script " : "",
                 answer->ok ? wish->cid : why.text, answer->ok ? " runs again, and is armed" : "");
        return;
    }
    struct in_limit state = {.msg = {.size = sizeof state, .kind = IN_TRADING_STATE},
                             .scope = SCOPE_strategy,
                             .limit = armed ? TRADING_ACTIVE : TRADING_CANCEL_ONLY,
                             .id = guest->strategy};
    host_do(host, &state.msg);
    if (!armed) {
        struct in_change cancel = {
            .msg = {.size = sizeof cancel, .kind = IN_CANCEL_MANY, .venue = 0xffff},
            .strategy = guest->strategy,
            .asker = ASKER_OPERATOR};
        memcpy(cancel.reason, wish->reason, sizeof cancel.reason);
        host_do(host, &cancel.msg);
    }
    enum trading_state now = engine_trading_state(host->engine, SCOPE_strategy, guest->strategy);
    answer->ok = armed == (now == TRADING_ACTIVE);
    snprintf(answer->text, sizeof answer->text, "script %s is %s", wish->cid,
             now == TRADING_ACTIVE
                 ? "armed"
                 : "disarmed: it sends nothing but cancels; `weir ctl arm` ends that");
    log_line(LOG_INFO, wish->cid, "%s by uid %u%s%s", armed ? "armed" : "disarmed", wish->uid,
             *wish->reason ? ": " : "", wish->reason);
}

/* --- limits ---------------------------------------------------------------------------------------- */

/* Limits of states have a reading between orders; the others are read for each order. */
static bool has_reading(enum risk_scope scope, enum risk_limit limit)
{
    return limit == LIMIT_max_open_orders || limit == LIMIT_max_loss ||
           limit == LIMIT_throttle_max ||
           (limit == LIMIT_max_position && scope == SCOPE_instrument);
}

static void say_limit(const struct host *host, enum risk_scope scope, uint32_t id, const char *name,
                      enum risk_limit limit, struct text *out)
{
    amount value, used;
    int how = engine_limit(host->engine, scope, id, limit, &value, &used);
    if (how == LIMIT_UNSET)
        return;
    json_object(out);
    json_key(out, "scope");
    json_string(out, risk_scope_name(scope));
    json_key(out, "name");
    json_string(out, name);
    json_key(out, "limit");
    json_string(out, risk_limit_name(limit));
    json_key(out, "value");
    if (how == LIMIT_VALUE)
        json_amount(out, value);
    else
        json_string(out, "none");
    json_key(out, "reading");
    if (has_reading(scope, limit))
        json_amount(out, used);
    else
        json_null(out);
    json_key(out, "headroom");
    if (has_reading(scope, limit) && how == LIMIT_VALUE)
        json_amount(out, value - used);
    else
        json_null(out);
    json_end(out);
}

static void say_scope(const struct host *host, enum risk_scope scope, uint32_t id, const char *name,
                      struct text *out)
{
    for (int limit = 0; limit < RISK_LIMIT_COUNT; limit++)
        say_limit(host, scope, id, name, (enum risk_limit)limit, out);
}

static void say_limits(const struct host *host, struct text *out)
{
    enum { NAMES_MOST = 4096 };
    json_object(out);
    json_key(out, "limits");
    json_array(out);
    say_scope(host, SCOPE_host, 0, "", out);
    for (int scope = SCOPE_venue; scope < SCOPE_instrument; scope++)
        for (uint32_t id = 1; id < NAMES_MOST; id++) {
            const char *name = engine_name(host->engine, (enum risk_scope)scope, id);
            if (*name)
                say_scope(host, (enum risk_scope)scope, id, name, out);
        }
    for (uint32_t n = 1; n <= engine_instrument_count(host->engine); n++) {
        char name[NAME_MAX_LEN + WEIR_SYMBOL_MAX];
        const struct weir_instrument *known = engine_instrument(host->engine, n);
        if (!known)
            continue;
        snprintf(name, sizeof name, "%s/%s",
                 engine_name(host->engine, SCOPE_venue, known->msg.venue), known->symbol);
        say_scope(host, SCOPE_instrument, n, name, out);
    }
    json_end(out);
    json_end(out);
}

static void give_limits(const struct host *host, struct wish_answer *answer)
{
    struct text out;
    text_init(&out);
    say_limits(host, &out);
    answer->ok = text_ok(&out);
    if (answer->ok) {
        answer->json = out.data; /* given to the observer */
        return;
    }
    text_fini(&out);
    snprintf(answer->text, sizeof answer->text, "%s", err_text(WEIR_E_NO_MEMORY));
}

static void compare(struct host *host, const struct wish *wish, struct wish_answer *answer)
{
    struct why why;
    answer->later = host_compare(host, wish->ns, wish->id, &why) == WEIR_OK;
    snprintf(answer->text, sizeof answer->text, "%s", answer->later ? "" : why.text);
}

bool host_operate(struct host *host, const struct wish *wish, struct wish_answer *answer)
{
    switch (wish->kind) {
    case WISH_ARM: turn_switch(host, wish, true, answer); return true;
    case WISH_DISARM: turn_switch(host, wish, false, answer); return true;
    case WISH_LIMITS: give_limits(host, answer); return true;
    case WISH_BOOK: host_show_books(host, wish, answer); return true;
    case WISH_COMPARE: compare(host, wish, answer); return true;
    case WISH_EVAL: host_prompt(host, wish, answer); return true;
    default: return false;
    }
}
