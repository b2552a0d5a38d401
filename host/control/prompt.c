/* prompt.c - a prompt of an operator in the running host: one cell, which reads what scripts may read.
 *
 * Without a name it has no strategy: its positions are the accounts', and it has no orders. With the name of
 * a script it sees that script's, and may send orders for it if that was asked for; each is judged and
 * journalled as the script's own. Its budget is small, since it runs on the engine thread; what overstays is
 * abandoned, and the next line begins anew.                                          [engine thread] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "control/host.h"

enum { LINE_NS = 5000000, LOAD_NS = 50000000, MEMORY = 8 << 20, ANSWER = 16384 };

struct host_prompt {
    struct host_script guest;
    struct config_script config;
    struct text said;
    bool orders;
    char name[NAME_MAX_LEN + 8];
};

void host_close_prompt(struct host *host)
{
    if (!host->prompt)
        return;
    script_destroy(host->prompt->guest.script);
    text_fini(&host->prompt->said);
    free(host->prompt);
    host->prompt = NULL;
}

/* Of the strategy, or of none (0); on the same terms as before, the old one goes on. */
static enum weir_err open_prompt(struct host *host, uint32_t strategy, bool orders, struct why *why)
{
    struct host_prompt *prompt = host->prompt;
    if (prompt && prompt->guest.strategy == strategy && prompt->orders == orders &&
        script_outcome(prompt->guest.script) == SCRIPT_OK)
        return WEIR_OK;
    host_close_prompt(host);
    prompt = calloc(1, sizeof *prompt);
    if (!prompt)
        return because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
    text_init(&prompt->said);
    prompt->orders = orders;
    prompt->config = (struct config_script){.name = "prompt"};
    prompt->guest = (struct host_script){
        .config = &prompt->config, .host = host, .strategy = strategy, .said = &prompt->said};
    const struct script_config config = {.name = "prompt",
                                         .source = {"prompt", "", 0},
                                         .strategy = strategy,
                                         .may_trade = orders,
                                         .budget = {.load_ns = LOAD_NS,
                                                    .callback_ns = LINE_NS,
                                                    .memory = MEMORY,
                                                    .instructions = host->options.instructions}};
    enum weir_err err = host_lone_script(&prompt->guest, &config, why);
    if (err) {
        text_fini(&prompt->said);
        free(prompt);
        return err;
    }
    host->prompt = prompt;
    script_start(prompt->guest.script);
    return WEIR_OK;
}

static const struct host_script *strategy_of(struct host *host, const char *name)
{
    for (size_t i = 0; i < host->script_count; i++)
        if (strcmp(host->scripts[i].config->name, name) == 0)
            return &host->scripts[i];
    return NULL;
}

static void say(struct wish_answer *answer, bool fine, const char *said, const char *value)
{
    struct text out;
    text_init(&out);
    json_object(&out);
    json_key(&out, fine ? "ok" : "error");
    json_string(&out, value);
    json_key(&out, "said");
    json_string(&out, said);
    json_end(&out);
    answer->json = text_ok(&out) ? out.data : NULL;
    if (!answer->json)
        text_fini(&out);
}

void host_prompt(struct host *host, const struct wish *wish, struct wish_answer *answer)
{
    static char value[ANSWER];
    struct why why = {.err = WEIR_OK};
    const struct host_script *as = *wish->cid ? strategy_of(host, wish->cid) : NULL;
    answer->ok = 0;
    if ((*wish->cid && !as) || (wish->orders && !as)) {
        snprintf(answer->text, sizeof answer->text,
                 as || !*wish->cid ? "orders are sent for a script: name one"
                                   : "no script is named '%s'",
                 wish->cid);
        return;
    }
    if (wish->orders && !as->config->orders) {
        snprintf(answer->text, sizeof answer->text, "script %s has no order rights", wish->cid);
        return;
    }
    if (open_prompt(host, as ? as->strategy : 0, wish->orders != 0, &why)) {
        snprintf(answer->text, sizeof answer->text, "%s", why.text);
        return;
    }
    struct host_prompt *prompt = host->prompt;
    must(prompt != NULL);
    if (wish->orders)
        log_line(LOG_WARN, "prompt", "uid %u for %s: %s", wish->uid, wish->cid, wish->code);
    bool fine = script_eval(prompt->guest.script, wish->code, value, sizeof value);
    host_settle(host);
    say(answer, fine, text_cstr(&prompt->said), value);
    text_fini(&prompt->said);
}
