/* script.c - any bytes as a script, or as the state of one: the host sees only what it may see.
 *
 * First byte 's': the rest is a state; what can be read is written and read again, alike. Else all of it
 * is a chunk, which is loaded, started, told of a book, a trade and a timer, asked for its state,
 * replaced by itself, and stopped. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "engine/engine.h"
#include "script/lint.h"
#include "script/script.h"

#include "fuzz/fuzz_engine.h"

/* --- the host's side --------------------------------------------------------------------------- */

static void check_line(const char *line)
{
    size_t len = strlen(line);
    CHECK(len <= 4096);
    for (size_t i = 0, step; i < len; i += step) {
        step = utf8_char(line + i, len - i);
        CHECK(step > 0 && (unsigned char)line[i] >= 0x20 && line[i] != 0x7f);
    }
}

static weir_ns world_now(void *context)
{
    (void)context;
    return now;
}

static bool ended(const char *text, size_t room)
{
    return memchr(text, '\0', room) != NULL;
}

static void world_submit(void *context, struct script *script, const struct in_submit *wish,
                         struct script_answer *answer)
{
    (void)context;
    CHECK(script_busy(script) && wish->msg.size == sizeof *wish && wish->msg.kind == IN_SUBMIT);
    CHECK(wish->msg.instrument == 1 && wish->msg.venue == 1 && wish->msg.account == 1);
    CHECK(wish->strategy == 1 && wish->asker == ASKER_SCRIPT);
    CHECK(wish->side <= WEIR_SELL && wish->type <= WEIR_ICEBERG && wish->tif <= WEIR_DAY);
    CHECK(wish->px % 5 == 0 && wish->qty % 10 == 0 && wish->trigger % 5 == 0);
    CHECK((wish->flags & ~(WEIR_POST_ONLY | WEIR_REDUCE_ONLY)) == 0);
    CHECK(wish->cid[0] && ended(wish->cid, sizeof wish->cid) && ended(wish->tag, sizeof wish->tag));
    answer->accepted = wish->qty > 0;
    if (!answer->accepted)
        script_answer_refuse(answer, "STEP", "");
}

static void world_change(void *context, struct script *script, const struct in_change *wish,
                         struct script_answer *answer)
{
    (void)context;
    (void)answer;
    CHECK(script_busy(script) && wish->strategy == 1 && wish->asker == ASKER_SCRIPT);
    CHECK(ended(wish->cid, sizeof wish->cid) && ended(wish->new_cid, sizeof wish->new_cid));
}

static void world_log(void *context, struct script *script, const char *line)
{
    (void)context, (void)script;
    check_line(line);
}

static void world_alert(void *context, struct script *script, const struct script_alert *alert)
{
    (void)context, (void)script;
    check_line(alert->level);
    check_line(alert->text);
    check_line(alert->venue);
    check_line(alert->symbol);
}

static void world_publish(void *context, struct script *script,
                          const struct script_message *message)
{
    const char *json = message->json;
    size_t len = message->json_len;
    (void)context, (void)script;
    check_line(message->topic);
    CHECK(strlen(json) == len && json[0] == (json[len - 1] == '}' ? '{' : '['));
    check_line(len < 4096 ? json : "");
    CHECK(message->len <= 8192 && message->text[0] == '{' &&
          message->text[message->len - 1] == '}');
}

/* --- one input --------------------------------------------------------------------------------- */

static void check_script(const struct script *script)
{
    struct script_report report;
    script_report(script, &report);
    CHECK(!script_busy(script));
    CHECK((report.outcome == SCRIPT_OK) == (report.reason[0] == '\0'));
    check_line(report.reason);
}

static void live(struct script *script, const struct script_config *config)
{
    struct weir_top top = {
        .msg = {.size = sizeof top, .kind = WEIR_TOP, .venue = 1, .account = 1, .instrument = 1},
        .seq = 1,
        .bid = 4999950,
        .ask = 5000050,
        .bid_qty = 100,
        .ask_qty = 200};
    struct weir_trade trade = {.msg = {.size = sizeof trade,
                                       .kind = WEIR_TRADE,
                                       .venue = 1,
                                       .account = 1,
                                       .instrument = 1},
                               .px = 5000000,
                               .qty = 10};
    const char *text;
    size_t len;
    struct why why;
    top.msg.t = trade.msg.t = now;
    script_start(script);
    script_event(script, &top.msg);
    script_event(script, &trade.msg);
    check_script(script);
    for (int i = 0; i < 4 && script_next_timer(script) < INT64_MAX; i++) {
        CHECK(script_next_timer(script) > now);
        now = script_next_timer(script);
        script_timer(script);
    }
    if (script_state_save(script, &text, &len, &why) == WEIR_OK)
        CHECK(len > 0 && text[len] == '\0');
    why.err = script_reload(script, config, &why);
    script_event(script, &top.msg);
    script_stop(script);
    check_script(script);
}

static struct script *make(struct script_config *config)
{
    struct script_world world = {.engine = engine,
                                 .now = world_now,
                                 .submit = world_submit,
                                 .change = world_change,
                                 .log = world_log,
                                 .alert = world_alert,
                                 .publish = world_publish};
    struct script *script = NULL;
    struct why why;
    config->name = "fuzz";
    config->strategy = 1;
    config->may_trade = true;
    config->budget = (struct script_budget){.load_ns = 2000000,
                                            .callback_ns = 1000000,
                                            .memory = 2 << 20,
                                            .state_max = 4000,
                                            .log_line_max = 256};
    CHECK(script_create(config, &world, &script, &why) == WEIR_OK);
    check_script(script);
    return script;
}

static void try_state(const char *text, size_t len)
{
    struct script_config config = {.source = {"state", "", 0}, .state = text, .state_len = len};
    const char *first, *second;
    size_t first_len, second_len;
    struct why why;
    struct script *script = make(&config);
    if (script_outcome(script) == SCRIPT_OK &&
        script_state_save(script, &first, &first_len, &why) == WEIR_OK) {
        config.state = first;
        config.state_len = first_len;
        struct script *again = make(&config);
        CHECK(script_state_save(again, &second, &second_len, &why) == WEIR_OK);
        CHECK(first_len == second_len && memcmp(first, second, first_len) == 0);
        script_destroy(again);
    }
    script_destroy(script);
}

/* Reads what the compiler made of it. */
static void look_through(const struct script_source *source)
{
    static struct script_lint lint;
    struct why why;
    if (script_lint(source, &lint, &why) != WEIR_OK)
        return;
    CHECK(lint.count <= FINDINGS_MAX && lint.import_count <= IMPORTS_MAX);
    for (size_t i = 0; i < lint.count; i++)
        CHECK(lint.findings[i].line >= 0 &&
              ended(lint.findings[i].text, sizeof lint.findings[i].text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (!engine)
        open_engine();
    if (len > 0 && data[0] == 's') {
        try_state((const char *)data + 1, len - 1);
        return 0;
    }
    struct script_config config = {.source = {"fuzz", (const char *)data, len}};
    if (len % 4 == 0) /* it takes time */
        look_through(&config.source);
    struct script *script = make(&config);
    live(script, &config);
    script_destroy(script);
    return 0;
}
