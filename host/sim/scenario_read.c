/* scenario_read.c - the shape of a story, as one table for each kind of object. */
#include <stdio.h>
#include <string.h>

#include "base/decimal.h"
#include "base/json.h"
#include "sim/scenario.h"

enum shape_kind {
    SHAPE_END,
    SHAPE_TEXT,
    SHAPE_DECIMAL, /* -?1-20 digits[.1-18 digits] in a string */
    SHAPE_WHOLE,
    SHAPE_FLAG,
    SHAPE_WORD,  /* one of words */
    SHAPE_WORDS, /* a list of such */
    SHAPE_TEXTS,
    SHAPE_OBJECT, /* with fields */
    SHAPE_LIST,   /* of such objects */
    SHAPE_MAP,    /* of names to such objects */
    SHAPE_WALLET, /* of names to decimals */
    SHAPE_REASONS /* of names to texts */
};

struct shape {
    const char *key;
    enum shape_kind kind;
    bool required;
    const char *words;          /* separated by blanks */
    const struct shape *fields; /* ended by SHAPE_END */
};

#define STATES                                                                                 \
    "PENDING_NEW OPEN PARTIAL PENDING_CANCEL PENDING_REPLACE UNKNOWN FILLED CANCELED EXPIRED " \
    "REJECTED DENIED"
#define ALERT_WORDS                                                                              \
    "DUP_CLIENT_ID PROTOCOL OVERFILL LATE_FILL EXTERNAL_FILL EXTERNAL_ORDER MISSING_FILLS "      \
    "UNKNOWN_ORDER SEQ_GAP "                                                                     \
    "STREAM_DOWN POSITION_MISMATCH BALANCE_MISMATCH RATE_LIMITED BAD_PRICE STALE_BOOK MAX_LOSS " \
    "CLOCK_JUMP TRADE_BUST"
#define FIELD(key, kind)                     \
    {                                        \
        key, SHAPE_##kind, false, NULL, NULL \
    }
#define NEED(key, kind)                     \
    {                                       \
        key, SHAPE_##kind, true, NULL, NULL \
    }
#define WORD(key, need, words)             \
    {                                      \
        key, SHAPE_WORD, need, words, NULL \
    }
#define SUB(key, kind, need, fields)          \
    {                                         \
        key, SHAPE_##kind, need, NULL, fields \
    }
#define END                                \
    {                                      \
        NULL, SHAPE_END, false, NULL, NULL \
    }

static const struct shape instrument_shape[] = {WORD("kind", true, "spot linear"),
                                                NEED("base", TEXT),
                                                NEED("quote", TEXT),
                                                FIELD("tick", DECIMAL),
                                                FIELD("step", DECIMAL),
                                                FIELD("min_notional", DECIMAL),
                                                FIELD("multiplier", DECIMAL),
                                                END};
static const struct shape throttle_shape[] = {NEED("max", WHOLE), NEED("window_ms", WHOLE), END};
static const struct shape limits_shape[] = {FIELD("max_order_qty", DECIMAL),
                                            FIELD("max_order_notional", DECIMAL),
                                            FIELD("max_position", DECIMAL),
                                            FIELD("price_band_pct", DECIMAL),
                                            FIELD("max_open_orders", WHOLE),
                                            FIELD("max_loss", DECIMAL),
                                            FIELD("check_balance", FLAG),
                                            WORD("self_cross", false, "deny allow"),
                                            SUB("throttle", OBJECT, false, throttle_shape),
                                            END};
static const struct shape policy_shape[] = {FIELD("not_found_confirm", WHOLE),
                                            FIELD("not_found_after_ms", WHOLE), END};
static const struct shape order_shape[] = {
    NEED("cid", TEXT),
    NEED("instrument", TEXT),
    WORD("side", true, "buy sell"),
    NEED("qty", DECIMAL),
    WORD("type", true, "limit market"),
    FIELD("price", DECIMAL),
    WORD("tif", true, "GTC IOC FOK"),
    FIELD("post_only", FLAG),
    FIELD("reduce_only", FLAG),
    FIELD("strategy", TEXT),
    WORD("route", false, "venue internal internal_then_venue"),
    END};
static const struct shape fill_shape[] = {FIELD("cid", TEXT),
                                          FIELD("vid", TEXT),
                                          FIELD("instrument", TEXT),
                                          WORD("side", false, "buy sell"),
                                          NEED("exec_id", TEXT),
                                          NEED("qty", DECIMAL),
                                          NEED("price", DECIMAL),
                                          FIELD("fee", DECIMAL),
                                          FIELD("fee_asset", TEXT),
                                          FIELD("seq", WHOLE),
                                          WORD("origin", false, "manual liquidation adl"),
                                          END};
static const struct shape recon_order_shape[] = {
    FIELD("cid", TEXT),       NEED("vid", TEXT),         WORD("state", true, STATES),
    NEED("cum_qty", DECIMAL), FIELD("instrument", TEXT), WORD("side", false, "buy sell"),
    FIELD("qty", DECIMAL),    FIELD("price", DECIMAL),   END};
static const struct shape seen_order_shape[] = {
    WORD("state", false, STATES),  FIELD("reason", TEXT),       FIELD("qty", DECIMAL),
    FIELD("price", DECIMAL),       FIELD("cum_qty", DECIMAL),   FIELD("leaves_qty", DECIMAL),
    FIELD("cum_quote", DECIMAL),   FIELD("avg_price", DECIMAL), FIELD("venue_id", TEXT),
    FIELD("awaiting_fills", FLAG), FIELD("cid", TEXT),          END};
static const struct shape position_shape[] = {FIELD("qty", DECIMAL), FIELD("avg_price", DECIMAL),
                                              FIELD("realized_pnl", DECIMAL),
                                              FIELD("unrealized_pnl", DECIMAL), END};
static const struct shape sent_shape[] = {FIELD("new", WHOLE), FIELD("cancel", WHOLE),
                                          FIELD("replace", WHOLE), END};
static const struct shape sent_min_shape[] = {FIELD("query", WHOLE), FIELD("fills", WHOLE),
                                              FIELD("recon", WHOLE), END};
static const struct shape expect_shape[] = {SUB("orders", MAP, false, seen_order_shape),
                                            SUB("positions", MAP, false, position_shape),
                                            SUB("strategy_positions", MAP, false, position_shape),
                                            FIELD("balances", WALLET),
                                            FIELD("fees", WALLET),
                                            FIELD("funding", WALLET),
                                            SUB("sent_count", OBJECT, false, sent_shape),
                                            SUB("sent_min", OBJECT, false, sent_min_shape),
                                            {"alerts", SHAPE_WORDS, false, ALERT_WORDS, NULL},
                                            {"no_alerts", SHAPE_WORDS, false, ALERT_WORDS, NULL},
                                            FIELD("replace_denied", REASONS),
                                            FIELD("duplicates_ignored", WHOLE),
                                            FIELD("live_orders", WHOLE),
                                            FIELD("kill_switch", FLAG),
                                            END};
static const struct shape step_shape[] = {
    NEED("t", WHOLE),
    WORD("do", false, "submit cancel replace kill"),
    WORD("ev", false,
         "ack reject fill cancel_ack cancel_reject expire replace_ack replace_reject timeout "
         "status recon restart "
         "disconnect reconnect rate_limited funding transfer mark book_stale instrument bust "
         "clock_jump"),
    SUB("check", OBJECT, false, expect_shape),
    SUB("order", OBJECT, false, order_shape),
    FIELD("cid", TEXT),
    FIELD("new_cid", TEXT),
    FIELD("vid", TEXT),
    FIELD("instrument", TEXT),
    WORD("side", false, "buy sell"),
    FIELD("qty", DECIMAL),
    FIELD("price", DECIMAL),
    FIELD("exec_id", TEXT),
    FIELD("fee", DECIMAL),
    FIELD("fee_asset", TEXT),
    WORD("origin", false, "manual liquidation adl"),
    FIELD("seq", WHOLE),
    FIELD("cum_qty", DECIMAL),
    FIELD("reason", TEXT),
    WORD("req", false, "new cancel replace"),
    WORD("result", false, "found not_found"),
    WORD("state", false, STATES),
    WORD("order_state", false, STATES),
    SUB("fills", LIST, false, fill_shape),
    SUB("orders", LIST, false, recon_order_shape),
    FIELD("positions", WALLET),
    FIELD("balances", WALLET),
    FIELD("code", WHOLE),
    FIELD("retry_after_ms", WHOLE),
    FIELD("asset", TEXT),
    FIELD("amount", DECIMAL),
    FIELD("id", TEXT),
    FIELD("tick", DECIMAL),
    FIELD("step", DECIMAL),
    FIELD("min_notional", DECIMAL),
    WORD("status", false, "TRADING HALTED"),
    FIELD("delta_ms", WHOLE),
    END};
static const struct shape story_shape[] = {NEED("format", WHOLE),
                                           NEED("id", TEXT),
                                           NEED("title", TEXT),
                                           NEED("tags", TEXTS),
                                           FIELD("arithmetic", TEXT),
                                           FIELD("tolerance", DECIMAL),
                                           SUB("instruments", MAP, true, instrument_shape),
                                           FIELD("balances", WALLET),
                                           SUB("limits", MAP, false, limits_shape),
                                           SUB("policy", OBJECT, false, policy_shape),
                                           SUB("steps", LIST, true, step_shape),
                                           SUB("expect", OBJECT, true, expect_shape),
                                           END};

/* --- checking ---------------------------------------------------------------------------------*/

static bool is_decimal(const cJSON *item)
{
    amount value;
    const char *text = cJSON_IsString(item) ? item->valuestring : "";
    size_t len = strlen(text), whole = strspn(text + (*text == '-'), "0123456789");
    const char *point = strchr(text, '.');
    return whole >= 1 && whole <= 20 && (!point || strlen(point + 1) <= 18) &&
           amount_parse(text, len, &value) == WEIR_OK;
}

static bool is_word_of(const char *text, const char *words)
{
    size_t len = strlen(text);
    for (const char *p = words; len > 0 && (p = strstr(p, text)) != NULL; p += len)
        if ((p == words || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\0'))
            return true;
    return false;
}

static enum weir_err refuse(const char *where, const char *expected, const cJSON *item,
                            struct why *why)
{
    char found[80] = "nothing";
    if (cJSON_IsString(item))
        snprintf(found, sizeof found, "\"%.60s\"", item->valuestring);
    else if (cJSON_IsNumber(item))
        snprintf(found, sizeof found, "the number %.17g", item->valuedouble);
    else if (item)
        snprintf(found, sizeof found, "%s",
                 cJSON_IsObject(item)  ? "an object"
                 : cJSON_IsArray(item) ? "a list"
                 : cJSON_IsBool(item)  ? "true or false"
                                       : "null");
    return because(why, WEIR_E_BAD_FRAME, "%s: expected %s, found %s", where, expected, found);
}

static enum weir_err check_object(const cJSON *object, const struct shape *shapes,
                                  const char *where, struct why *why);

static enum weir_err check_items(const cJSON *items, const struct shape *shape, const char *where,
                                 struct why *why)
{
    const cJSON *item;
    int i = 0;
    bool list =
        shape->kind == SHAPE_LIST || shape->kind == SHAPE_WORDS || shape->kind == SHAPE_TEXTS;
    if (list ? !cJSON_IsArray(items) : !cJSON_IsObject(items))
        return refuse(where, list ? "a list" : "an object", items, why);
    cJSON_ArrayForEach(item, items)
    {
        char below[256];
        enum weir_err err = WEIR_OK;
        if (list)
            snprintf(below, sizeof below, "%s[%d]", where, i++);
        else
            snprintf(below, sizeof below, "%s.%s", where, item->string);
        if (shape->kind == SHAPE_LIST || shape->kind == SHAPE_MAP)
            err = check_object(item, shape->fields, below, why);
        else if (shape->kind == SHAPE_WALLET)
            err = is_decimal(item) ? WEIR_OK : refuse(below, "a decimal in a string", item, why);
        else if (!cJSON_IsString(item))
            err = refuse(below, "a string", item, why);
        else if (shape->kind == SHAPE_WORDS && !is_word_of(item->valuestring, shape->words))
            err = refuse(below, shape->words, item, why);
        if (err)
            return err;
    }
    return WEIR_OK;
}

static enum weir_err check_value(const cJSON *item, const struct shape *shape, const char *where,
                                 struct why *why)
{
    int64_t whole;
    switch (shape->kind) {
    case SHAPE_TEXT: return cJSON_IsString(item) ? WEIR_OK : refuse(where, "a string", item, why);
    case SHAPE_DECIMAL:
        return is_decimal(item) ? WEIR_OK : refuse(where, "a decimal in a string", item, why);
    case SHAPE_WHOLE:
        return json_whole(item, &whole) ? WEIR_OK : refuse(where, "a whole number", item, why);
    case SHAPE_FLAG:
        return cJSON_IsBool(item) ? WEIR_OK : refuse(where, "true or false", item, why);
    case SHAPE_WORD:
        return cJSON_IsString(item) && is_word_of(item->valuestring, shape->words)
                   ? WEIR_OK
                   : refuse(where, shape->words, item, why);
    case SHAPE_OBJECT: return check_object(item, shape->fields, where, why);
    default: return check_items(item, shape, where, why);
    }
}

static enum weir_err check_object(const cJSON *object, const struct shape *shapes,
                                  const char *where, struct why *why)
{
    const cJSON *item;
    if (!cJSON_IsObject(object))
        return refuse(where, "an object", object, why);
    cJSON_ArrayForEach(item, object)
    {
        const struct shape *shape = shapes;
        char below[256];
        while (shape->kind != SHAPE_END && strcmp(shape->key, item->string) != 0)
            shape++;
        snprintf(below, sizeof below, "%s%s%s", where, *where ? "." : "", item->string);
        if (shape->kind == SHAPE_END)
            return because(why, WEIR_E_BAD_FRAME, "%s: unknown key", below);
        enum weir_err err = check_value(item, shape, below, why);
        if (err)
            return err;
    }
    for (const struct shape *shape = shapes; shape->kind != SHAPE_END; shape++)
        if (shape->required && !json_get(object, shape->key))
            return because(why, WEIR_E_BAD_FRAME, "%s%s%s: missing", where, *where ? "." : "",
                           shape->key);
    return WEIR_OK;
}

/* --- what the table cannot say ----------------------------------------------------------------*/

/* What each kind of step must have beside t. */
static const struct {
    const char *step, *needs;
} needed[] = {{"submit", "order"},
              {"cancel", "cid"},
              {"replace", "cid new_cid"},
              {"ack", "cid"},
              {"reject", "cid"},
              {"fill", "exec_id qty price"},
              {"cancel_ack", "cid"},
              {"cancel_reject", "cid"},
              {"expire", "cid"},
              {"replace_ack", "cid"},
              {"replace_reject", "cid"},
              {"timeout", "cid req"},
              {"status", "cid result"},
              {"rate_limited", "cid retry_after_ms"},
              {"funding", "instrument asset amount id"},
              {"transfer", "asset amount id"},
              {"mark", "instrument price"},
              {"book_stale", "instrument"},
              {"instrument", "instrument"},
              {"bust", "exec_id"},
              {"clock_jump", "delta_ms"}};

static enum weir_err check_needs(const cJSON *step, const char *kind, int i, struct why *why)
{
    for (size_t n = 0; n < sizeof needed / sizeof needed[0]; n++) {
        if (strcmp(needed[n].step, kind) != 0)
            continue;
        for (const char *word = needed[n].needs; *word; word += strspn(word, " ")) {
            char key[32];
            size_t len = strcspn(word, " ");
            snprintf(key, sizeof key, "%.*s", (int)len, word);
            if (!json_get(step, key))
                return because(why, WEIR_E_BAD_FRAME, "steps[%d].%s: missing for '%s'", i, key,
                               kind);
            word += len;
        }
    }
    return WEIR_OK;
}

static enum weir_err check_steps(const cJSON *steps, struct why *why)
{
    const cJSON *step;
    int64_t before = 0, t = 0;
    int i = 0;
    cJSON_ArrayForEach(step, steps)
    {
        int kinds = (json_get(step, "do") != NULL) + (json_get(step, "ev") != NULL) +
                    (json_get(step, "check") != NULL);
        if (kinds != 1)
            return because(why, WEIR_E_BAD_FRAME,
                           "steps[%d]: expected exactly one of do, ev, check, found %d", i, kinds);
        if (!json_whole(json_get(step, "t"), &t) || t < before)
            return because(why, WEIR_E_BAD_FRAME, "steps[%d].t: time goes back, from %lld to %lld",
                           i, (long long)before, (long long)t);
        before = t;
        enum weir_err err =
            check_needs(step, json_text(step, "do", json_text(step, "ev", "")), i++, why);
        if (err)
            return err;
    }
    return i > 0 ? WEIR_OK : because(why, WEIR_E_BAD_FRAME, "steps: expected at least one");
}

cJSON *scenario_read(const char *path, struct why *why)
{
    int64_t format = 0;
    cJSON *story = json_read_file(path, why);
    if (!story)
        return NULL;
    enum weir_err err = check_object(story, story_shape, "", why);
    if (!err && (!json_whole(json_get(story, "format"), &format) || format != 1))
        err = because(why, WEIR_E_BAD_FRAME, "format: expected 1, found %lld", (long long)format);
    if (!err)
        err = check_steps(json_get(story, "steps"), why);
    if (err) {
        while_doing(why, "%s", path);
        cJSON_Delete(story);
        return NULL;
    }
    return story;
}
