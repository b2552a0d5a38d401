/* scenario_play.c - steps into inputs.
 *
 * The scripted venue knows orders by the ids that were on the wire, as real ones do; the story names
 * them by the asker's cid, so the runner notes which is which when an order leaves. Numbers become
 * counts of 10^-n with the fewest places that hold everything the story says of the instrument. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "sim/scenario_own.h"

enum { MS = 1000000, VENUE = 1, ACCOUNT = 1 };
#define STORY_BEGIN 1000000000000000000 /* 2001-09-09, so that no time is 0 */

/* --- small things -----------------------------------------------------------------------------*/

void *grow_list(void *items, size_t *room, size_t count, size_t size)
{
    if (count < *room)
        return items;
    size_t more = *room ? *room * 2 : 16;
    void *bigger = realloc(items, more * size);
    if (!bigger) {
        free(items);
        *room = 0;
        return NULL;
    }
    memset((char *)bigger + *room * size, 0, (more - *room) * size);
    *room = more;
    return bigger;
}

static bool append(struct bytes *bytes, const void *from, size_t len)
{
    while (bytes->len + len > bytes->room) {
        size_t room = bytes->room ? bytes->room * 2 : 65536;
        void *bigger = realloc(bytes->data, room);
        if (!bigger)
            return false;
        bytes->data = bigger;
        bytes->room = room;
    }
    if (len > 0)
        memcpy(bytes->data + bytes->len, from, len);
    bytes->len += len;
    return true;
}

void play_fail(struct play *play, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (play->step >= 0)
        text_say(&play->result->failures, "step %d: %s\n", play->step, text);
    else
        text_say(&play->result->failures, "end: %s\n", text);
}

amount play_money(const char *text)
{
    amount value = 0;
    return amount_parse(text, strlen(text), &value) == WEIR_OK ? value
                                                               : 0; /* the shape was checked */
}

uint32_t play_instrument(const struct play *play, const char *name)
{
    for (uint32_t i = 1; i <= play->instrument_count; i++)
        if (strcmp(play->instruments[i].symbol, name) == 0)
            return i;
    return 0;
}

static const struct name *name_of(const struct play *play, const char *cid)
{
    for (size_t i = 0; i < play->name_count; i++)
        if (strcmp(play->names[i].cid, cid) == 0)
            return &play->names[i];
    return NULL;
}

const char *play_wire(const struct play *play, const char *cid)
{
    const struct name *name = name_of(play, cid);
    return name && name->wire[0] ? name->wire : cid;
}

static void put_name(struct play *play, const char *cid, uint32_t instrument)
{
    if (name_of(play, cid))
        return;
    play->names = grow_list(play->names, &play->name_room, play->name_count, sizeof *play->names);
    if (play->names)
        play->names[play->name_count++] = (struct name){.cid = cid, .instrument = instrument};
}

static void copy(char *to, size_t size, const char *from)
{
    memcpy(to, from, strnlen(from, size - 1));
}

/* --- the journal ------------------------------------------------------------------------------*/

static void take_effect(void *context, const struct weir_msg *effect)
{
    struct play *play = context;
    play->seq++;
    sha256_add(play->sha, effect, effect->size);
    if (!append(&play->effects, effect, effect->size))
        play_fail(play, "out of memory");
    judge_effect(play, effect);
}

static void apply(struct play *play, struct weir_msg *input)
{
    struct effect_sink sink = {take_effect, play};
    input->t = play->now;
    if (input->venue == 0)
        input->venue = VENUE;
    if (input->account == 0)
        input->account = ACCOUNT;
    uint64_t seq = ++play->seq;
    play->input_kind = input->kind;
    play->input_seq = seq;
    sha256_add(play->sha, input, input->size);
    if (!append(&play->inputs, &seq, sizeof seq) || !append(&play->inputs, input, input->size))
        play_fail(play, "out of memory");
    engine_apply(play->engine, input, seq, &sink);
}

/* As much as the story can need: each step and row brings one order or execution at most, and a cross
 * ends one of its two orders. */
static struct engine_sizes sizes_for(const cJSON *story)
{
    const cJSON *step;
    uint32_t rows = 16;
    cJSON_ArrayForEach(step, json_get(story, "steps")) rows +=
        1 + (uint32_t)cJSON_GetArraySize(json_get(step, "fills")) +
        (uint32_t)cJSON_GetArraySize(json_get(step, "orders"));
    return (struct engine_sizes){.orders = rows,
                                 .executions = 4 * rows,
                                 .client_ids = 2 * rows,
                                 .instruments = STORY_INSTRUMENTS,
                                 .strategies = STORY_STRATEGIES,
                                 .venues = 2,
                                 .accounts = 2,
                                 .assets = 2 * STORY_INSTRUMENTS + rows,
                                 .positions = 2 * rows};
}

static struct engine *make_engine(const cJSON *story, void **memory_out)
{
    struct engine_sizes sizes = sizes_for(story);
    size_t size = engine_bytes(&sizes);
    *memory_out = aligned_alloc(64, (size + 63) / 64 * 64);
    if (!*memory_out)
        return NULL;
    memset(*memory_out, 0, size);
    struct arena arena = {*memory_out, (unsigned char *)*memory_out + size};
    return engine_create(&arena, &sizes);
}

/* The process died: a new engine, fed from the journal, must say what the old one said. */
struct compare {
    const struct play *play;
    size_t at;
    bool equal;
};

static void compare_effect(void *context, const struct weir_msg *effect)
{
    struct compare *compare = context;
    const struct bytes *was = &compare->play->effects;
    if (compare->at + effect->size > was->len ||
        memcmp(was->data + compare->at, effect, effect->size) != 0)
        compare->equal = false;
    compare->at += effect->size;
}

static void replay(struct play *play)
{
    void *memory;
    struct engine *engine = make_engine(play->story, &memory);
    struct compare compare = {.play = play, .equal = true};
    struct effect_sink sink = {compare_effect, &compare};
    if (!engine) {
        play_fail(play, "out of memory");
        free(memory);
        return;
    }
    for (size_t at = 0; at < play->inputs.len;) {
        uint64_t seq;
        memcpy(&seq, play->inputs.data + at, sizeof seq);
        const struct weir_msg *input =
            (const struct weir_msg *)(const void *)(play->inputs.data + at + sizeof seq);
        engine_apply(engine, input, seq, &sink);
        at += sizeof seq + input->size;
    }
    if (!compare.equal || compare.at != play->effects.len)
        play_fail(play, "replaying the journal gives other effects");
    free(play->memory);
    play->memory = memory;
    play->engine = engine;
}

/* --- the beginning ----------------------------------------------------------------------------*/

static void raise_places(const cJSON *item, const char *key, int8_t *places)
{
    const char *text = json_text(item, key, NULL);
    int need = text ? decimal_places(text, strlen(text)) : 0;
    if (need > *places)
        *places = (int8_t)need;
}

/* Which instrument a step or row speaks of; 0: not told. */
static uint32_t instrument_of(const struct play *play, const cJSON *item)
{
    const char *instrument = json_text(item, "instrument", NULL),
               *cid = json_text(item, "cid", NULL);
    const struct name *name = cid ? name_of(play, cid) : NULL;
    return instrument ? play_instrument(play, instrument) : name ? name->instrument : 0;
}

static void measure(struct play *play, const cJSON *item)
{
    uint32_t number = instrument_of(play, item);
    struct weir_instrument *def = &play->instruments[number];
    if (number == 0)
        return;
    raise_places(item, "price", &def->price_exp);
    raise_places(item, "tick", &def->price_exp);
    raise_places(item, "qty", &def->qty_exp);
    raise_places(item, "step", &def->qty_exp);
    raise_places(item, "cum_qty", &def->qty_exp);
}

/* All numbers that the story gives for each instrument; and which cid is of which instrument. */
static void measure_steps(struct play *play)
{
    const cJSON *step, *row;
    cJSON_ArrayForEach(step, json_get(play->story, "steps"))
    {
        const cJSON *order = json_get(step, "order");
        if (order) {
            put_name(play, json_text(order, "cid", ""),
                     play_instrument(play, json_text(order, "instrument", "")));
            measure(play, order);
        }
        if (json_get(step, "new_cid"))
            put_name(play, json_text(step, "new_cid", ""), instrument_of(play, step));
        measure(play, step);
        cJSON_ArrayForEach(row, json_get(step, "fills")) measure(play, row);
        cJSON_ArrayForEach(row, json_get(step, "orders")) measure(play, row);
        cJSON_ArrayForEach(row, json_get(step, "positions"))
        {
            uint32_t number = play_instrument(play, row->string);
            int need = decimal_places(row->valuestring, strlen(row->valuestring));
            if (number && need > play->instruments[number].qty_exp)
                play->instruments[number].qty_exp = (int8_t)need;
        }
    }
}

static enum weir_err whole(struct play *play, const cJSON *item, const char *key, int exp,
                           int64_t *out)
{
    const char *text = json_text(item, key, NULL);
    if (!text)
        return WEIR_OK;
    enum weir_err err = decimal_parse(text, strlen(text), exp, out);
    return err ? because(play->why, err, "step %d: %s '%s' does not fit 64 bits at %d places",
                         play->step, key, text, exp)
               : WEIR_OK;
}

static enum weir_err read_instruments(struct play *play)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, json_get(play->story, "instruments"))
    {
        if (play->instrument_count + 1 == STORY_INSTRUMENTS ||
            strlen(item->string) >= WEIR_SYMBOL_MAX)
            return because(play->why, WEIR_E_FULL,
                           "instruments: at most %d, with names of at most %d characters",
                           STORY_INSTRUMENTS - 1, WEIR_SYMBOL_MAX - 1);
        struct weir_instrument *def = &play->instruments[++play->instrument_count];
        def->msg.size = sizeof *def;
        def->msg.kind = WEIR_INSTRUMENT;
        def->msg.instrument = play->instrument_count;
        copy(def->symbol, sizeof def->symbol, item->string);
        copy(def->base, sizeof def->base, json_text(item, "base", ""));
        copy(def->quote, sizeof def->quote, json_text(item, "quote", ""));
        def->kind = strcmp(json_text(item, "kind", ""), "linear") == 0 ? WEIR_LINEAR : WEIR_SPOT;
        raise_places(item, "tick", &def->price_exp);
        raise_places(item, "step", &def->qty_exp);
        raise_places(item, "multiplier", &def->multiplier_exp);
    }
    measure_steps(play);
    return WEIR_OK;
}

static enum weir_err define_instruments(struct play *play)
{
    for (uint32_t i = 1; i <= play->instrument_count; i++) {
        struct weir_instrument *def = &play->instruments[i];
        const cJSON *item = json_get(json_get(play->story, "instruments"), def->symbol);
        def->multiplier = 1;
        if (!json_get(item, "multiplier"))
            def->multiplier_exp = 0;
        if (def->price_exp + def->qty_exp > AMOUNT_EXP)
            return because(play->why, WEIR_E_INEXACT,
                           "%s: prices with %d and quantities with %d places: their products need "
                           "more than 18",
                           def->symbol, def->price_exp, def->qty_exp);
        enum weir_err err = whole(play, item, "tick", def->price_exp, &def->tick);
        if (!err)
            err = whole(play, item, "step", def->qty_exp, &def->step);
        if (!err)
            err = whole(play, item, "multiplier", def->multiplier_exp, &def->multiplier);
        if (err)
            return err;
        def->min_notional = amount_pack(play_money(json_text(item, "min_notional", "0")));
        struct weir_instrument copy_of = *def;
        apply(play, &copy_of.msg);
    }
    return WEIR_OK;
}

static void define(struct play *play, uint16_t kind, uint32_t number, uint32_t parent,
                   uint32_t rights, const char *name)
{
    struct in_define input = {.msg = {.size = sizeof input, .kind = kind},
                              .number = number,
                              .parent = parent,
                              .rights = rights};
    copy(input.name, sizeof input.name, name);
    apply(play, &input.msg);
}

static uint32_t strategy_of(struct play *play, const char *name)
{
    for (uint32_t i = 1; i <= play->strategy_count; i++)
        if (strcmp(play->strategies[i], name) == 0)
            return i;
    if (play->strategy_count + 1 == STORY_STRATEGIES)
        return 0;
    play->strategies[++play->strategy_count] = name;
    define(play, IN_DEFINE_STRATEGY, play->strategy_count, 0, RIGHT_ORDERS, name);
    return play->strategy_count;
}

static void policy(struct play *play, enum policy which, int64_t value)
{
    struct in_policy input = {
        .msg = {.size = sizeof input, .kind = IN_POLICY}, .policy = which, .value = value};
    apply(play, &input.msg);
}

static void limit(struct play *play, uint32_t instrument, enum risk_limit which, amount value)
{
    struct in_limit input = {.msg = {.size = sizeof input, .kind = IN_LIMIT},
                             .scope = instrument ? SCOPE_instrument : SCOPE_account,
                             .limit = (uint8_t)which,
                             .how = LIMIT_VALUE,
                             .id = instrument ? instrument : ACCOUNT,
                             .value = amount_pack(value)};
    apply(play, &input.msg);
}

static amount count(const cJSON *item)
{
    int64_t value = 0;
    (void)json_whole(item, &value);
    return (amount)value * pow10_of(AMOUNT_EXP);
}

static void give_limits(struct play *play, uint32_t instrument, const cJSON *limits)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, limits)
    {
        if (strcmp(item->string, "throttle") == 0) {
            limit(play, instrument, LIMIT_throttle_max, count(json_get(item, "max")));
            limit(play, instrument, LIMIT_throttle_window_ms, count(json_get(item, "window_ms")));
            continue;
        }
        for (int which = 0; which < RISK_LIMIT_COUNT; which++) {
            if (strcmp(risk_limit_name((enum risk_limit)which), item->string) != 0)
                continue;
            amount one = pow10_of(AMOUNT_EXP);
            amount value = cJSON_IsBool(item)     ? (cJSON_IsTrue(item) ? one : 0)
                           : cJSON_IsNumber(item) ? count(item)
                           : which == LIMIT_self_cross
                               ? (strcmp(item->valuestring, "deny") == 0 ? one : 0)
                               : play_money(item->valuestring);
            limit(play, instrument, (enum risk_limit)which, value);
        }
    }
}

static enum weir_err begin(struct play *play)
{
    const cJSON *item, *rules = json_get(play->story, "policy");
    int64_t number = 3;
    play->now = STORY_BEGIN;
    enum weir_err err = read_instruments(play);
    if (err)
        return err;
    policy(play, POLICY_strict, 0);
    (void)json_whole(json_get(rules, "not_found_confirm"), &number);
    policy(play, POLICY_not_found_confirm, number);
    number = 10000;
    (void)json_whole(json_get(rules, "not_found_after_ms"), &number);
    policy(play, POLICY_not_found_after_ns, number * MS);
    define(play, IN_DEFINE_VENUE, VENUE, 0, 0, "venue");
    define(play, IN_DEFINE_ACCOUNT, ACCOUNT, VENUE, 0, "account");
    (void)strategy_of(play, "s1");
    err = define_instruments(play);
    cJSON_ArrayForEach(item, json_get(play->story, "balances"))
    {
        struct weir_cash wallet = {.msg = {.size = sizeof wallet, .kind = IN_WALLET},
                                   .amount = amount_pack(play_money(item->valuestring))};
        copy(wallet.asset, sizeof wallet.asset, item->string);
        apply(play, &wallet.msg);
    }
    cJSON_ArrayForEach(item, json_get(play->story, "limits")) give_limits(
        play, strcmp(item->string, "*") == 0 ? 0 : play_instrument(play, item->string), item);
    return err;
}

/* --- do ---------------------------------------------------------------------------------------*/

static int word(const char *text, const char *const *words)
{
    for (int i = 0; words[i]; i++)
        if (strcmp(text, words[i]) == 0)
            return i;
    return 0;
}

static const char *const sides[] = {"buy", "sell", NULL};

static enum weir_err do_submit(struct play *play, const cJSON *step)
{
    static const char *const types[] = {"limit", "market", NULL},
                             *const tifs[] = {"GTC", "IOC", "FOK", NULL},
                             *const routes[] = {"venue", "internal", "internal_then_venue", NULL};
    const cJSON *order = json_get(step, "order");
    uint32_t number = play_instrument(play, json_text(order, "instrument", ""));
    const struct weir_instrument *def = &play->instruments[number];
    struct in_submit input = {
        .msg = {.size = sizeof input, .kind = IN_SUBMIT, .instrument = number}};
    play->asking = json_text(order, "cid", "");
    copy(input.cid, sizeof input.cid, play->asking);
    input.strategy = strategy_of(play, json_text(order, "strategy", "s1"));
    input.side = (uint8_t)word(json_text(order, "side", ""), sides);
    input.type = (uint8_t)word(json_text(order, "type", ""), types);
    input.tif = (uint8_t)word(json_text(order, "tif", ""), tifs);
    input.route = (uint8_t)word(json_text(order, "route", "venue"), routes);
    input.flags = (uint8_t)((cJSON_IsTrue(json_get(order, "post_only")) ? WEIR_POST_ONLY : 0) |
                            (cJSON_IsTrue(json_get(order, "reduce_only")) ? WEIR_REDUCE_ONLY : 0));
    enum weir_err err = whole(play, order, "qty", def->qty_exp, &input.qty);
    if (!err && input.type == WEIR_LIMIT)
        err = whole(play, order, "price", def->price_exp, &input.px);
    if (!err)
        apply(play, &input.msg);
    return err;
}

static enum weir_err do_change(struct play *play, const cJSON *step)
{
    const char *what = json_text(step, "do", ""), *cid = json_text(step, "cid", "");
    const struct name *name = name_of(play, cid);
    const struct weir_instrument *def = &play->instruments[name ? name->instrument : 0];
    struct in_change input = {.msg = {.size = sizeof input}};
    input.msg.kind = strcmp(what, "kill") == 0     ? IN_KILL
                     : strcmp(what, "cancel") == 0 ? IN_CANCEL
                                                   : IN_REPLACE;
    input.asker = ASKER_OPERATOR;
    copy(input.cid, sizeof input.cid, cid);
    if (input.msg.kind == IN_REPLACE) {
        play->asking = json_text(step, "new_cid", "");
        copy(input.new_cid, sizeof input.new_cid, play->asking);
    }
    input.change = (uint8_t)((json_get(step, "qty") ? CHANGE_QTY : 0) |
                             (json_get(step, "price") ? CHANGE_PX : 0));
    enum weir_err err = whole(play, step, "qty", def->qty_exp, &input.qty);
    if (!err)
        err = whole(play, step, "price", def->price_exp, &input.px);
    if (!err)
        apply(play, &input.msg);
    return err;
}

/* --- ev: orders -------------------------------------------------------------------------------*/

static const struct {
    const char *state;
    enum weir_venue_state is;
} venue_states[] = {{"FILLED", WEIR_STATE_FILLED},
                    {"CANCELED", WEIR_STATE_CANCELED},
                    {"EXPIRED", WEIR_STATE_EXPIRED},
                    {"REJECTED", WEIR_STATE_REJECTED},
                    {"DENIED", WEIR_STATE_REJECTED}};

static uint8_t venue_state(const char *text)
{
    for (size_t i = 0; i < sizeof venue_states / sizeof venue_states[0]; i++)
        if (strcmp(venue_states[i].state, text) == 0)
            return (uint8_t)venue_states[i].is;
    return *text ? WEIR_STATE_OPEN : WEIR_STATE_NOT_FOUND;
}

/* An order is named by its id on the wire; the instrument is told by the step, or by the name. */
static enum weir_err fill_report(struct play *play, const cJSON *step, struct weir_report *report)
{
    static const char *const requests[] = {"new", "cancel", "replace", NULL};
    uint32_t number = instrument_of(play, step);
    const struct weir_instrument *def = &play->instruments[number];
    int64_t seq = 0;
    report->msg.size = sizeof *report;
    report->msg.instrument = number;
    copy(report->client_id, sizeof report->client_id, play_wire(play, json_text(step, "cid", "")));
    copy(report->venue_id, sizeof report->venue_id, json_text(step, "vid", ""));
    copy(report->reason, sizeof report->reason, json_text(step, "reason", ""));
    report->request = (uint8_t)word(json_text(step, "req", "new"), requests);
    report->state = strcmp(json_text(step, "result", ""), "not_found") == 0
                        ? WEIR_STATE_NOT_FOUND
                        : venue_state(json_text(step, "state", json_text(step, "order_state", "")));
    report->side = (uint8_t)word(json_text(step, "side", "buy"), sides);
    report->has_cum = json_get(step, "cum_qty") != NULL;
    (void)json_whole(json_get(step, "seq"), &seq);
    report->stream_seq = (uint64_t)seq;
    enum weir_err err = whole(play, step, "cum_qty", def->qty_exp, &report->cum_qty);
    if (!err)
        err = whole(play, step, "qty", def->qty_exp, &report->qty);
    if (!err)
        err = whole(play, step, "price", def->price_exp, &report->px);
    return err;
}

static enum weir_err ev_report(struct play *play, const cJSON *step, uint16_t kind)
{
    struct weir_report report = {.msg = {.kind = kind}};
    enum weir_err err = fill_report(play, step, &report);
    if (!err)
        apply(play, &report.msg);
    return err;
}

static enum weir_err ev_fill(struct play *play, const cJSON *row)
{
    static const char *const origins[] = {"", "manual", "liquidation", "adl", NULL};
    struct weir_fill fill = {.msg = {.size = sizeof fill, .kind = WEIR_FILL}};
    int64_t seq = 0;
    fill.msg.instrument = instrument_of(play, row);
    const struct weir_instrument *def = &play->instruments[fill.msg.instrument];
    copy(fill.client_id, sizeof fill.client_id, play_wire(play, json_text(row, "cid", "")));
    copy(fill.venue_id, sizeof fill.venue_id, json_text(row, "vid", ""));
    copy(fill.exec_id, sizeof fill.exec_id, json_text(row, "exec_id", ""));
    copy(fill.fee_asset, sizeof fill.fee_asset, json_text(row, "fee_asset", ""));
    fill.fee = amount_pack(play_money(json_text(row, "fee", "0")));
    fill.side = (uint8_t)word(json_text(row, "side", "buy"), sides);
    fill.origin = (uint8_t)word(json_text(row, "origin", ""), origins);
    (void)json_whole(json_get(row, "seq"), &seq);
    fill.stream_seq = (uint64_t)seq;
    enum weir_err err = whole(play, row, "qty", def->qty_exp, &fill.qty);
    if (!err)
        err = whole(play, row, "price", def->price_exp, &fill.px);
    if (!err && !json_get(row, "side")) { /* named by an order: its side */
        struct order_view view;
        if (engine_order(play->engine, engine_order_find(play->engine, json_text(row, "cid", "")),
                         &view))
            fill.side = view.order.side;
    }
    if (!err) {
        books_fill(play, row, &fill);
        apply(play, &fill.msg);
    }
    return err;
}

static enum weir_err ev_bust(struct play *play, const cJSON *step)
{
    struct weir_fill bust = {.msg = {.size = sizeof bust, .kind = WEIR_BUST}};
    copy(bust.exec_id, sizeof bust.exec_id, json_text(step, "exec_id", ""));
    bust.state = venue_state(json_text(step, "order_state", ""));
    bust.msg.instrument = instrument_of(play, step);
    books_bust(play, &bust, json_text(step, "exec_id", ""));
    apply(play, &bust.msg);
    return WEIR_OK;
}

/* --- ev: the account --------------------------------------------------------------------------*/

static void ev_cash(struct play *play, uint16_t kind, uint32_t instrument, const char *asset,
                    const char *id, const char *value)
{
    struct weir_cash cash = {.msg = {.size = sizeof cash, .kind = kind, .instrument = instrument},
                             .amount = amount_pack(play_money(value))};
    copy(cash.asset, sizeof cash.asset, asset);
    copy(cash.id, sizeof cash.id, id);
    if (kind == WEIR_FUNDING || kind == WEIR_TRANSFER)
        books_cash(play, kind == WEIR_FUNDING, id, asset, amount_of(cash.amount));
    apply(play, &cash.msg);
}

static enum weir_err ev_recon(struct play *play, const cJSON *step)
{
    const cJSON *row;
    struct weir_msg begin_msg = {.size = sizeof begin_msg, .kind = WEIR_RECON_BEGIN};
    struct weir_msg end_msg = {.size = sizeof end_msg, .kind = WEIR_RECON_END};
    enum weir_err err = WEIR_OK;
    apply(play, &begin_msg);
    cJSON_ArrayForEach(row, json_get(step, "fills")) err = err ? err : ev_fill(play, row);
    cJSON_ArrayForEach(row, json_get(step, "orders")) err =
        err ? err : ev_report(play, row, WEIR_RECON_ORDER);
    cJSON_ArrayForEach(row, json_get(step, "positions")) ev_cash(
        play, WEIR_RECON_POSITION, play_instrument(play, row->string), "", "", row->valuestring);
    cJSON_ArrayForEach(row, json_get(step, "balances"))
        ev_cash(play, WEIR_RECON_BALANCE, 0, row->string, "", row->valuestring);
    end_msg.flags = (uint16_t)((json_get(step, "positions") ? WEIR_RECON_HAS_POSITIONS : 0) |
                               (json_get(step, "balances") ? WEIR_RECON_HAS_BALANCES : 0));
    if (!err)
        apply(play, &end_msg);
    return err;
}

static enum weir_err ev_rate_limited(struct play *play, const cJSON *step)
{
    struct weir_rate_limited input = {.msg = {.size = sizeof input, .kind = WEIR_RATE_LIMITED}};
    int64_t wait = 0, code = 0;
    (void)json_whole(json_get(step, "retry_after_ms"), &wait);
    (void)json_whole(json_get(step, "code"), &code);
    copy(input.client_id, sizeof input.client_id, play_wire(play, json_text(step, "cid", "")));
    input.retry_after = wait * MS;
    input.code = (int32_t)code;
    input.msg.instrument = instrument_of(play, step);
    apply(play, &input.msg);
    return WEIR_OK;
}

static void ev_session(struct play *play, uint16_t up)
{
    struct weir_session input = {.msg = {.size = sizeof input, .kind = WEIR_SESSION, .flags = up}};
    apply(play, &input.msg);
}

static void ev_state(struct play *play, uint16_t kind, uint32_t instrument, int64_t value)
{
    struct in_state input = {.msg = {.size = sizeof input, .kind = kind, .instrument = instrument},
                             .value = value};
    apply(play, &input.msg);
}

static enum weir_err ev_instrument(struct play *play, const cJSON *step)
{
    uint32_t number = instrument_of(play, step);
    struct weir_instrument *def = &play->instruments[number];
    if (number == 0)
        return because(play->why, WEIR_E_NOT_FOUND, "step %d: no instrument '%s'", play->step,
                       json_text(step, "instrument", ""));
    enum weir_err err = whole(play, step, "tick", def->price_exp, &def->tick);
    if (!err)
        err = whole(play, step, "step", def->qty_exp, &def->step);
    if (json_get(step, "min_notional"))
        def->min_notional = amount_pack(play_money(json_text(step, "min_notional", "0")));
    if (json_get(step, "status"))
        def->status =
            strcmp(json_text(step, "status", ""), "HALTED") == 0 ? WEIR_HALTED : WEIR_TRADING;
    struct weir_instrument input = *def;
    if (!err)
        apply(play, &input.msg);
    return err;
}

static enum weir_err ev_mark(struct play *play, const cJSON *step)
{
    struct weir_mark mark = {
        .msg = {.size = sizeof mark, .kind = WEIR_MARK, .instrument = instrument_of(play, step)}};
    enum weir_err err =
        whole(play, step, "price", play->instruments[mark.msg.instrument].price_exp, &mark.px);
    if (!err)
        apply(play, &mark.msg);
    return err;
}

static void ev_restart(struct play *play)
{
    struct weir_msg input = {.size = sizeof input, .kind = IN_RESTARTED};
    replay(play);
    apply(play, &input);
}

/* --- steps ------------------------------------------------------------------------------------*/

static const struct {
    const char *ev;
    uint16_t kind;
} reports[] = {{"ack", WEIR_ACK},
               {"reject", WEIR_REJECT},
               {"cancel_ack", WEIR_CANCELED},
               {"cancel_reject", WEIR_CANCEL_REJECT},
               {"expire", WEIR_EXPIRED},
               {"replace_ack", WEIR_REPLACED},
               {"replace_reject", WEIR_REPLACE_REJECT},
               {"timeout", WEIR_NO_ANSWER},
               {"status", WEIR_STATUS}};

static enum weir_err play_event(struct play *play, const cJSON *step, const char *ev)
{
    int64_t delta = 0;
    for (size_t i = 0; i < sizeof reports / sizeof reports[0]; i++)
        if (strcmp(ev, reports[i].ev) == 0)
            return ev_report(play, step, reports[i].kind);
    if (strcmp(ev, "fill") == 0)
        return ev_fill(play, step);
    if (strcmp(ev, "bust") == 0)
        return ev_bust(play, step);
    if (strcmp(ev, "recon") == 0)
        return ev_recon(play, step);
    if (strcmp(ev, "rate_limited") == 0)
        return ev_rate_limited(play, step);
    if (strcmp(ev, "instrument") == 0)
        return ev_instrument(play, step);
    if (strcmp(ev, "mark") == 0)
        return ev_mark(play, step);
    if (strcmp(ev, "restart") == 0)
        ev_restart(play);
    else if (strcmp(ev, "disconnect") == 0)
        ev_session(play, WEIR_STREAM_DOWN);
    else if (strcmp(ev, "reconnect") == 0)
        ev_session(play, WEIR_STREAM_UP);
    else if (strcmp(ev, "book_stale") == 0)
        ev_state(play, IN_BOOK_STATE, instrument_of(play, step), BOOK_STALE);
    else if (strcmp(ev, "clock_jump") == 0 && json_whole(json_get(step, "delta_ms"), &delta))
        ev_state(play, IN_CLOCK_JUMP, 0, delta * MS);
    else if (strcmp(ev, "funding") == 0 || strcmp(ev, "transfer") == 0)
        ev_cash(play, ev[0] == 'f' ? WEIR_FUNDING : WEIR_TRANSFER, instrument_of(play, step),
                json_text(step, "asset", ""), json_text(step, "id", ""),
                json_text(step, "amount", "0"));
    return WEIR_OK;
}

static void fire_timers(struct play *play, weir_ns until)
{
    for (weir_ns t; (t = engine_next_timer(play->engine)) <= until;) {
        struct weir_msg tick = {.size = sizeof tick, .kind = IN_TICK};
        play->now = t > play->now ? t : play->now;
        apply(play, &tick);
        if (engine_next_timer(play->engine) ==
            t) { /* an engine that asks for the same time for ever */
            play_fail(play, "the engine's timer did not move");
            break;
        }
    }
    play->now = until;
}

static enum weir_err play_step(struct play *play, const cJSON *step)
{
    int64_t t = 0;
    const char *what = json_text(step, "do", NULL), *ev = json_text(step, "ev", NULL);
    (void)json_whole(json_get(step, "t"), &t);
    play->asking = NULL;
    play->sent_risk = false;
    fire_timers(play, STORY_BEGIN + t * MS);
    enum weir_err err = WEIR_OK;
    if (what)
        err = strcmp(what, "submit") == 0 ? do_submit(play, step) : do_change(play, step);
    else if (ev)
        err = play_event(play, step, ev);
    else
        judge_expect(play, json_get(step, "check"));
    judge_invariants(play);
    return err;
}

static enum weir_err play_once(const cJSON *story, struct scenario_result *result,
                               struct bytes *journal, struct why *why)
{
    struct play play = {.story = story, .result = result, .why = why, .step = 0};
    const cJSON *step;
    unsigned char sum[32];
    play.engine = make_engine(story, &play.memory);
    play.sha = sha256_create();
    if (!play.engine || !play.sha) {
        free(play.memory);
        sha256_destroy(play.sha);
        return because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
    }
    enum weir_err err = begin(&play);
    cJSON_ArrayForEach(step, json_get(story, "steps"))
    {
        err = err ? err : play_step(&play, step);
        play.step++;
    }
    play.step = -1;
    if (!err)
        judge_expect(&play, json_get(story, "expect"));
    result->inputs = engine_counts(play.engine)->inputs;
    result->effects = engine_counts(play.engine)->effects;
    if (!append(journal, play.inputs.data, play.inputs.len) ||
        !append(journal, play.effects.data, play.effects.len))
        err = because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
    sha256_value(play.sha, sum);
    hex_print(sum, sizeof sum, result->journal_hash);
    sha256_destroy(play.sha);
    free(play.memory);
    free(play.inputs.data);
    free(play.effects.data);
    free(play.labels.data);
    free(play.names);
    free(play.told);
    free(play.paid);
    free(play.refused);
    return err;
}

enum weir_err scenario_run(const cJSON *story, struct scenario_result *result, struct why *why)
{
    struct bytes first = {0}, second = {0};
    struct scenario_result again = {0};
    memset(result, 0, sizeof *result);
    text_init(&result->failures);
    text_init(&again.failures);
    enum weir_err err = play_once(story, result, &first, why);
    if (!err)
        err = play_once(story, &again, &second, why);
    if (!err && (first.len != second.len ||
                 (first.len > 0 && memcmp(first.data, second.data, first.len) != 0)))
        text_say(&result->failures, "end: run twice, the journals differ\n");
    result->passed = !err && result->failures.len == 0;
    text_fini(&again.failures);
    free(first.data);
    free(second.data);
    return err;
}
