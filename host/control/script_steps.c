/* script_steps.c - what the steps of a script's test do and expect. */
#include "control/script_steps.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "control/schema.h"

/* Says what is wrong; false. */
__attribute__((format(printf, 2, 3))) static bool fault(struct test_run *run, const char *format,
                                                        ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(run->fault, sizeof run->fault, format, args);
    va_end(args);
    return false;
}

/* --- numbers ------------------------------------------------------------------------------------- */

/* The count of 10^-exp nearest to a number of the table, as scripts' numbers are taken (design §15). */
bool step_count(const cJSON *item, int exp, int64_t *count_out)
{
    double x = cJSON_IsNumber(item) ? item->valuedouble * (double)pow10_of(exp) : NAN;
    if (!(fabs(x) < 9e15) || fabs(x - nearbyint(x)) > 1e-9 * fmax(1, fabs(x)))
        return false;
    *count_out = (int64_t)nearbyint(x);
    return true;
}

static bool number_of(struct test_run *run, const cJSON *of, const char *name, int exp,
                      int64_t *out)
{
    const cJSON *item = json_get(of, name);
    if (!item || step_count(item, exp, out))
        return true;
    return fault(run, "%s: expected a number with at most %d decimals", name, exp);
}

static bool side_of(struct test_run *run, const cJSON *of, int *side_out)
{
    const char *side = json_text(of, "side", NULL);
    *side_out = -1;
    if (!json_get(of, "side"))
        return true;
    if (!side || (strcmp(side, "buy") != 0 && strcmp(side, "sell") != 0))
        return fault(run, "side: expected \"buy\" or \"sell\"");
    *side_out = strcmp(side, "sell") == 0;
    return true;
}

static uint32_t instrument_of(struct test_run *run, const cJSON *of)
{
    const char *venue = json_text(of, "venue", ""), *symbol = json_text(of, "symbol", "");
    uint32_t number = pretend_find(run->pretend, venue, symbol);
    if (number == 0)
        fault(run, "no instrument %s/%s in this test", *venue ? venue : "*", symbol);
    return number;
}

/* --- what steps do ------------------------------------------------------------------------------- */

static bool known(struct test_run *run, const cJSON *of, const char *const *keys)
{
    struct why why;
    return !cJSON_IsObject(of) || json_only(of, keys, &why) == WEIR_OK ||
           fault(run, "%s", why.text);
}

static bool do_book(struct test_run *run, const cJSON *value)
{
    static const char *const keys[] = {"venue",   "symbol",  "bid",   "ask",
                                       "bid_qty", "ask_qty", "state", NULL};
    static const char *const states[] = {
#define X(name) #name,
        BOOK_STATES(X)
#undef X
    };
    uint32_t number = known(run, value, keys) ? instrument_of(run, value) : 0;
    if (number == 0)
        return false;
    const struct pretend_instrument *is = pretend_instrument(run->pretend, number);
    struct weir_top top = {.msg = {.instrument = number}};
    top.bid_qty = top.ask_qty = (weir_qty)pow10_of(is->qty_exp);
    const char *state = json_text(value, "state", NULL);
    for (int s = 0; state && s < BOOK_STATE_COUNT; s++)
        if (strcmp(states[s], state) == 0) {
            pretend_book_state(run->pretend, number, (enum book_state)s);
            return true;
        }
    if (state)
        return fault(run, "state: '%s' is no state of a book", state);
    if (!number_of(run, value, "bid", is->price_exp, &top.bid) ||
        !number_of(run, value, "ask", is->price_exp, &top.ask) ||
        !number_of(run, value, "bid_qty", is->qty_exp, &top.bid_qty) ||
        !number_of(run, value, "ask_qty", is->qty_exp, &top.ask_qty))
        return false;
    pretend_top(run->pretend, &top);
    return true;
}

static bool do_trade(struct test_run *run, const cJSON *value)
{
    static const char *const keys[] = {"venue", "symbol", "price", "qty", "side", NULL};
    uint32_t number = known(run, value, keys) ? instrument_of(run, value) : 0;
    int side;
    if (number == 0 || !side_of(run, value, &side))
        return false;
    const struct pretend_instrument *is = pretend_instrument(run->pretend, number);
    struct weir_trade trade = {
        .msg = {.instrument = number}, .qty = is->step, .aggressor = side == 1};
    if (!json_get(value, "price"))
        return fault(run, "price: missing");
    if (!number_of(run, value, "price", is->price_exp, &trade.px) ||
        !number_of(run, value, "qty", is->qty_exp, &trade.qty))
        return false;
    pretend_trade(run->pretend, &trade);
    return true;
}

static bool do_fill(struct test_run *run, const cJSON *value)
{
    static const char *const keys[] = {"venue", "symbol", "price", "qty", "side", NULL};
    uint32_t number = known(run, value, keys) ? instrument_of(run, value) : 0;
    int64_t qty = 0, px = 0;
    int side;
    if (number == 0 || !side_of(run, value, &side))
        return false;
    const struct pretend_instrument *is = pretend_instrument(run->pretend, number);
    if (!number_of(run, value, "price", is->price_exp, &px) ||
        !number_of(run, value, "qty", is->qty_exp, &qty))
        return false;
    return pretend_fill(run->pretend, number, side, qty, px) ||
           fault(run, "no order is live to be filled");
}

static bool do_wait(struct test_run *run, const cJSON *value)
{
    int64_t ns = 0;
    if (!(cJSON_IsString(value) && duration_parse(value->valuestring, &ns)) || ns <= 0)
        return fault(run, "expected a duration such as \"500ms\" or \"2s\"");
    pretend_wait(run->pretend, ns);
    return true;
}

/* {topic=, from=, data={...}}: the data goes through JSON, so lists and texts arrive as they are. */
static void lua_text(const cJSON *item, struct text *out)
{
    const cJSON *child;
    int n = 0;
    if (json_digits(item)) {
        text_say(out, "%s", json_digits(item));
    } else if (cJSON_IsBool(item)) {
        text_say(out, "%s", cJSON_IsTrue(item) ? "true" : "false");
    } else if (cJSON_IsString(item)) {
        text_say(out, "\"");
        for (const char *c = item->valuestring; *c; c++)
            if (*c == '"' || *c == '\\')
                text_say(out, "\\%c", *c);
            else if ((unsigned char)*c < 0x20)
                text_say(out, "\\%03d", *c);
            else
                text_add(out, c, 1);
        text_say(out, "\"");
    } else {
        text_say(out, "{");
        cJSON_ArrayForEach(child, item)
        {
            text_say(out, "%s[", n++ ? "," : "");
            if (child->string) {
                cJSON key = {.type = cJSON_String, .valuestring = child->string};
                lua_text(&key, out);
            } else {
                text_say(out, "%d", n);
            }
            text_say(out, "]=");
            lua_text(child, out);
        }
        text_say(out, "}");
    }
}

static bool do_message(struct test_run *run, const cJSON *value)
{
    static const char *const keys[] = {"topic", "from", "data", NULL};
    struct text text;
    const cJSON *data = json_get(value, "data");
    if (!known(run, value, keys))
        return false;
    text_init(&text);
    if (data)
        lua_text(data, &text);
    else
        text_say(&text, "{}");
    const struct script_message message = {.topic = json_text(value, "topic", ""),
                                           .from = json_text(value, "from", "test"),
                                           .text = text_cstr(&text),
                                           .len = text.len};
    pretend_message(run->pretend, &message);
    text_fini(&text);
    return true;
}

/* {max_order_qty = 1}: limits of the script, by their names in the configuration. */
static bool do_limit(struct test_run *run, const cJSON *value)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, value)
    {
        int limit = 0;
        int64_t count;
        while (limit < RISK_LIMIT_COUNT &&
               strcmp(risk_limit_name((enum risk_limit)limit), item->string) != 0)
            limit++;
        if (limit == RISK_LIMIT_COUNT)
            return fault(run, "'%s' is no limit; `weir describe limits` lists them", item->string);
        if (!step_count(item, 8, &count))
            return fault(run, "%s: expected a number", item->string);
        pretend_limit(run->pretend, (enum risk_limit)limit, amount_from(count, 8));
    }
    return true;
}

static bool do_reject(struct test_run *run, const cJSON *value)
{
    int64_t count = cJSON_IsTrue(value) ? 1 : 0;
    if (!cJSON_IsTrue(value) && !(step_count(value, 0, &count) && count >= 0))
        return fault(run, "expected true, or how many orders the venue rejects");
    pretend_refuse(run->pretend, (unsigned)count);
    return true;
}

static bool do_reload(struct test_run *run, const cJSON *value)
{
    struct why why;
    (void)value;
    return script_reload(pretend_the_script(run->pretend), &run->loose.config, &why) == WEIR_OK ||
           fault(run, "%s", why.text);
}

static bool do_stop(struct test_run *run, const cJSON *value)
{
    (void)value;
    pretend_stop(run->pretend);
    return true;
}

/* --- what steps expect --------------------------------------------------------------------------- */

static const char *const verbs[] = {"new", "cancel", "amend"};

static void say_order(const struct test_run *run, const struct pretend_order *order,
                      struct text *out)
{
    char px[DECIMAL_TEXT_MAX], qty[DECIMAL_TEXT_MAX];
    const struct pretend_instrument *is = pretend_instrument(run->pretend, order->instrument);
    decimal_print(order->order.px, is->price_exp, px);
    decimal_print(order->order.qty, is->qty_exp, qty);
    text_say(out, "%s %s %s %s @ %s%s%s", verbs[order->verb], order->order.side ? "sell" : "buy",
             qty, is->symbol, order->order.px ? px : "market", order->order.tag[0] ? ", tag " : "",
             order->order.tag);
}

/* Which member differs; NULL: none. */
static const char *differs(struct test_run *run, const struct pretend_order *order,
                           const cJSON *wanted)
{
    static const char *const types[] = {"limit",       "market",   "stop",   "stop_limit",
                                        "take_profit", "trailing", "iceberg"};
    static const char *const tifs[] = {"gtc", "ioc", "fok", "gtd", "day"};
    const struct pretend_instrument *is = pretend_instrument(run->pretend, order->instrument);
    const struct out_order *o = &order->order;
    const cJSON *item;
    cJSON_ArrayForEach(item, wanted)
    {
        const char *name = item->string, *text = cJSON_IsString(item) ? item->valuestring : "";
        int64_t count = INT64_MIN;
        bool same = false;
        if (strcmp(name, "price") == 0)
            same = step_count(item, is->price_exp, &count) && count == o->px;
        else if (strcmp(name, "qty") == 0)
            same = step_count(item, is->qty_exp, &count) && count == o->qty;
        else if (strcmp(name, "side") == 0)
            same = strcasecmp(text, o->side ? "sell" : "buy") == 0;
        else if (strcmp(name, "type") == 0)
            same =
                o->type < sizeof types / sizeof types[0] && strcasecmp(text, types[o->type]) == 0;
        else if (strcmp(name, "tif") == 0)
            same = o->tif < sizeof tifs / sizeof tifs[0] && strcasecmp(text, tifs[o->tif]) == 0;
        else if (strcmp(name, "tag") == 0)
            same = strcmp(text, o->tag) == 0;
        else if (strcmp(name, "symbol") == 0)
            same = strcmp(text, is->symbol) == 0;
        else if (strcmp(name, "venue") == 0)
            same = strcmp(text, is->venue) == 0;
        else if (strcmp(name, "post_only") == 0)
            same = cJSON_IsTrue(item) == !!(o->flags & WEIR_POST_ONLY);
        else if (strcmp(name, "reduce_only") == 0)
            same = cJSON_IsTrue(item) == !!(o->flags & WEIR_REDUCE_ONLY);
        else
            fault(run,
                  "an order has no '%s'; expected venue symbol side type price qty tif post_only "
                  "reduce_only tag",
                  name);
        if (!same)
            return name;
    }
    return NULL;
}

/* The next of this verb that no step has seen. */
static bool expect_verb(struct test_run *run, const cJSON *wanted, int verb)
{
    size_t count;
    struct pretend_order *orders = pretend_orders(run->pretend, &count);
    struct text text;
    for (size_t i = 0; i < count; i++) {
        if (orders[i].seen || (int)orders[i].verb != verb)
            continue;
        orders[i].seen = true;
        const char *name = differs(run, &orders[i], cJSON_IsObject(wanted) ? wanted : NULL);
        if (!name || run->fault[0])
            return !name;
        text_init(&text);
        say_order(run, &orders[i], &text);
        char *said = cJSON_PrintUnformatted(json_get(wanted, name));
        fault(run, "expected %s %s; the script asked: %s", name, said ? said : "?",
              text_cstr(&text));
        cJSON_free(said);
        text_fini(&text);
        return false;
    }
    return fault(run, "the script asked for no %s",
                 verb == PRETEND_NEW      ? "order"
                 : verb == PRETEND_CANCEL ? "cancel"
                                          : "amend");
}

static bool expect_order(struct test_run *run, const cJSON *value)
{
    return expect_verb(run, value, PRETEND_NEW);
}

static bool expect_cancel(struct test_run *run, const cJSON *value)
{
    return expect_verb(run, value, PRETEND_CANCEL);
}

static bool expect_amend(struct test_run *run, const cJSON *value)
{
    return expect_verb(run, value, PRETEND_REPLACE);
}

static bool expect_none(struct test_run *run, const cJSON *value)
{
    size_t count;
    struct pretend_order *orders = pretend_orders(run->pretend, &count);
    struct text text;
    (void)value;
    for (size_t i = 0; i < count; i++) {
        if (orders[i].seen)
            continue;
        text_init(&text);
        say_order(run, &orders[i], &text);
        fault(run, "expected nothing; the script asked: %s", text_cstr(&text));
        text_fini(&text);
        return false;
    }
    return true;
}

/* A part of what was said since the last such step. */
static bool expect_said(struct test_run *run, const cJSON *value)
{
    const char *said = pretend_said(run->pretend);
    if (!cJSON_IsString(value))
        return fault(run, "expected a text");
    if (!strstr(said, value->valuestring))
        return fault(run, "expected \"%s\" to be said; said was: %s", value->valuestring,
                     *said ? said : "nothing");
    pretend_forget_said(run->pretend);
    return true;
}

static bool expect_position(struct test_run *run, const cJSON *value)
{
    char held[DECIMAL_TEXT_MAX];
    struct position_view view = {0};
    const cJSON *qty = cJSON_IsObject(value) ? json_get(value, "qty") : value;
    uint32_t number = instrument_of(run, cJSON_IsObject(value) ? value : NULL);
    int64_t count;
    if (number == 0)
        return false;
    const struct pretend_instrument *is = pretend_instrument(run->pretend, number);
    (void)pretend_position(run->pretend, number, &view);
    if (!step_count(qty, is->qty_exp, &count))
        return fault(run, "expected a number, or {symbol=, qty=}");
    if (count == view.qty)
        return true;
    decimal_print(view.qty, is->qty_exp, held);
    return fault(run, "the position is %s", held);
}

/* All that is wanted is there, and the same; numbers to nine digits. */
static bool holds(const cJSON *there, const cJSON *wanted)
{
    const cJSON *child;
    if (cJSON_IsNumber(wanted))
        return cJSON_IsNumber(there) && fabs(there->valuedouble - wanted->valuedouble) <=
                                            1e-9 * fmax(1, fabs(wanted->valuedouble));
    if (!cJSON_IsObject(wanted))
        return cJSON_Compare(there, wanted, true);
    cJSON_ArrayForEach(child,
                       wanted) if (!holds(json_get(there, child->string), child)) return false;
    return true;
}

static bool expect_state(struct test_run *run, const cJSON *value)
{
    const char *text;
    size_t len;
    struct why why;
    struct text lua, json;
    if (script_state_save(pretend_the_script(run->pretend), &text, &len, &why))
        return fault(run, "%s", why.text);
    text_init(&lua);
    text_init(&json);
    text_say(&lua, "local dec = weir.dec return ");
    text_add(&lua, text, len);
    const struct script_source source = {"state", text_cstr(&lua), lua.len};
    enum weir_err err = script_evaluate(&source, &json, &why);
    cJSON *state = err ? NULL : json_read(text_cstr(&json), json.len, &why);
    bool good = state ? holds(state, value) : fault(run, "%s", why.text);
    if (state && !good)
        fault(run, "weir.state is %s", text_cstr(&json));
    cJSON_Delete(state);
    text_fini(&lua);
    text_fini(&json);
    return good;
}

/* --- running --------------------------------------------------------------------------------------- */

static const struct {
    const char *word;
    bool (*run)(struct test_run *run, const cJSON *value);
} steps[] = {
    /* does */
    {"book", do_book},
    {"trade", do_trade},
    {"fill", do_fill},
    {"wait", do_wait},
    {"message", do_message},
    {"limit", do_limit},
    {"reject", do_reject},
    {"reload", do_reload},
    {"stop", do_stop},
    /* expects */
    {"order", expect_order},
    {"cancel", expect_cancel},
    {"amend", expect_amend},
    {"none", expect_none},
    {"said", expect_said},
    {"position", expect_position},
    {"state", expect_state},
};
enum { STEPS = sizeof steps / sizeof steps[0] };

bool step_script_runs(struct test_run *run)
{
    struct script_report report;
    script_report(pretend_the_script(run->pretend), &report);
    return report.outcome == SCRIPT_OK ||
           fault(run, "the script was %s: %s%s%s", script_outcome_name(report.outcome),
                 report.reason, *report.detail ? "\n" : "", report.detail);
}

bool step_take(struct test_run *run, const cJSON *step, int number)
{
    char what[FAULT_ROOM];
    const cJSON *value = cJSON_IsObject(step) ? step->child : NULL;
    size_t i = 0;
    while (value && i < STEPS && strcmp(steps[i].word, value->string) != 0)
        i++;
    if (!value || value->next || i == STEPS) {
        struct text words;
        text_init(&words);
        for (i = 0; i < STEPS; i++)
            text_say(&words, " %s", steps[i].word);
        fault(run, "step %d: expected one of%s", number, text_cstr(&words));
        text_fini(&words);
        return false;
    }
    if (steps[i].run(run, value) && step_script_runs(run))
        return true;
    snprintf(what, sizeof what, "%s", run->fault);
    return fault(run, "step %d, %s: %s", number, steps[i].word, what);
}
