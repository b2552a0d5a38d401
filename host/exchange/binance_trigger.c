/* binance_trigger.c - orders that wait for a price, the countdown that cancels all, and changed rules.
 *
 * Spot's STOP_LOSS and TAKE_PROFIT are orders like others, whose market hears of them when the last
 * price has crossed; no money is locked before. USD-M's are "algo orders" with numbers of their own
 * (POST /fapi/v1/algoOrder): one that is triggered becomes an order and is FINISHED when that ended.
 * What crossed is looked at when all of a moment was said, since the market may not be asked from
 * within its own callback. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/binance.h"

enum { COUNTDOWN_MOST = 86400000 };

bool type_triggers(uint8_t type)
{
    return type == WEIR_STOP || type == WEIR_STOP_LIMIT || type == WEIR_TAKE_PROFIT ||
           type == WEIR_TAKE_PROFIT_LIMIT;
}

/* A stop to buy waits for the price to rise, a profit to be taken by buying for it to fall. */
static bool waits_for_rise(const struct venue_order *order)
{
    bool stop = order->type == WEIR_STOP || order->type == WEIR_STOP_LIMIT;
    return stop == (order->side == WEIR_BUY);
}

static bool crossed(const struct venue_order *order, weir_px low, weir_px high)
{
    return waits_for_rise(order) ? high > 0 && high >= order->trigger
                                 : low > 0 && low <= order->trigger;
}

bool trigger_is_past(const struct front *front, const struct venue_order *order)
{
    weir_px last = front->listed[order->instrument - 1].last_px;
    return crossed(order, last, last);
}

void trigger_saw(struct listed *listed, weir_px px)
{
    listed->last_px = px;
    if (listed->low == 0 || px < listed->low)
        listed->low = px;
    if (px > listed->high)
        listed->high = px;
}

/* What the market is asked for when the price is there. */
static struct weir_intent woken(const struct venue_order *order)
{
    struct weir_intent intent = {
        .msg = {.size = sizeof intent, .kind = WEIR_NEW, .instrument = order->instrument},
        .side = order->side,
        .type = order->px > 0 ? WEIR_LIMIT : WEIR_MARKET,
        .tif = order->px > 0 ? order->tif : WEIR_IOC,
        .flags = order->flags,
        .px = order->px,
        .qty = order->qty};
    memcpy(intent.client_id, order->client_id, sizeof intent.client_id);
    return intent;
}

/* The exchange's books know of it from the beginning. */
void trigger_note(struct front *front, const struct venue_order *order, uint16_t kind,
                  uint8_t state)
{
    struct weir_report report = {
        .msg = {.size = sizeof report, .kind = kind, .instrument = order->instrument},
        .state = state,
        .side = order->side,
        .px = order->px,
        .qty = order->qty};
    struct weir_intent intent = woken(order);
    memcpy(report.client_id, order->client_id, sizeof report.client_id);
    if (kind == WEIR_ACK)
        account_note(front->account, &intent);
    account_note_event(front->account, &report.msg);
}

/* --- spot --------------------------------------------------------------------------------------- */

static void wake(struct front *front, struct venue_order *order)
{
    struct event_fate none = {0};
    struct weir_intent intent = woken(order);
    order->waits = false;
    order->changed_ms = now_ms(front);
    if (account_ask_noted(front->account, &intent) == WEIR_OK)
        return;
    trigger_note(front, order, WEIR_EXPIRED, WEIR_STATE_EXPIRED);
    order->state = WEIR_STATE_EXPIRED;
    report_to(front, order, "EXPIRED", NULL, order->client_id, none);
}

void trigger_end(struct front *front, struct venue_order *order)
{
    struct event_fate none = {0};
    order->waits = false;
    order->state = WEIR_STATE_CANCELED;
    order->changed_ms = now_ms(front);
    trigger_note(front, order, WEIR_CANCELED, WEIR_STATE_CANCELED);
    report_to(front, order, "CANCELED", NULL, order->client_id, none);
}

/* --- USD-M: algo orders --------------------------------------------------------------------------- */

static const char *algo_type(const struct venue_order *algo)
{
    switch (algo->type) {
    case WEIR_STOP: return "STOP_MARKET";
    case WEIR_STOP_LIMIT: return "STOP";
    case WEIR_TAKE_PROFIT: return "TAKE_PROFIT_MARKET";
    default: return "TAKE_PROFIT";
    }
}

static void text(struct text *out, const char *key, const char *value)
{
    json_key(out, key);
    json_string(out, value);
}

static void decimal(struct text *out, const char *key, int64_t value, int exp)
{
    json_key(out, key);
    json_decimal(out, value, exp);
}

static void average_of(struct text *out, const char *key, const struct venue_order *order,
                       int qty_exp)
{
    amount px = 0;
    if (!order || order->done == 0 || !amount_per_round(order->quote, order->done, qty_exp, &px))
        px = 0;
    json_key(out, key);
    json_amount(out, px);
}

/* keys: of the stream's short names, or of the answers' long ones. */
static void say_algo(struct front *front, const struct venue_order *algo, bool stream,
                     struct text *out)
{
    const struct listed *listed = &front->listed[algo->instrument - 1];
    const struct venue_order *order = algo->became ? order_numbered(front, algo->became) : NULL;
    const struct weir_instrument *is = &listed->is;
    char became[24] = "";
    if (algo->became)
        snprintf(became, sizeof became, "%llu", (unsigned long long)algo->became);
    json_object(out);
    text(out, stream ? "caid" : "clientAlgoId", algo->client_id);
    json_key(out, stream ? "aid" : "algoId");
    json_uint(out, algo->id);
    text(out, stream ? "at" : "algoType", "CONDITIONAL");
    text(out, stream ? "o" : "orderType", algo_type(algo));
    text(out, stream ? "s" : "symbol", listed->name);
    text(out, stream ? "S" : "side", algo->side == WEIR_BUY ? "BUY" : "SELL");
    text(out, stream ? "ps" : "positionSide", "BOTH");
    text(out, stream ? "f" : "timeInForce", "GTC");
    decimal(out, stream ? "q" : "quantity", algo->qty, is->qty_exp);
    text(out, stream ? "X" : "algoStatus", algo->algo_status);
    text(out, stream ? "ai" : "actualOrderId", became);
    average_of(out, stream ? "ap" : "actualPrice", order, is->qty_exp);
    decimal(out, stream ? "aq" : "actualQty", order ? order->done : 0, is->qty_exp);
    decimal(out, stream ? "tp" : "triggerPrice", algo->trigger, is->price_exp);
    decimal(out, stream ? "p" : "price", algo->px, is->price_exp);
    text(out, stream ? "wt" : "workingType", "CONTRACT_PRICE");
    json_key(out, stream ? "R" : "reduceOnly");
    json_bool(out, algo->flags & WEIR_REDUCE_ONLY);
    json_key(out, stream ? "tt" : "triggerTime");
    json_int(out, algo->became ? algo->changed_ms : 0);
    if (!stream) {
        json_key(out, "createTime");
        json_int(out, algo->t_ms);
        json_key(out, "updateTime");
        json_int(out, algo->changed_ms);
    }
    json_end(out);
}

static void algo_is(struct front *front, struct venue_order *algo, const char *status)
{
    struct event_fate none = {0};
    struct text out;
    algo->algo_status = status;
    algo->changed_ms = now_ms(front);
    text_init(&out);
    text_say(&out,
             "{\"e\":\"ALGO_UPDATE\",\"T\":%lld,\"E\":%lld,\"o\":", (long long)algo->changed_ms,
             (long long)algo->changed_ms);
    say_algo(front, algo, true, &out);
    text_say(&out, "}");
    ws_private(front, FACE_USDM, &out, none);
    text_fini(&out);
}

static bool algo_waits(const struct venue_order *algo)
{
    return strcmp(algo->algo_status, "NEW") == 0;
}

static void fire(struct front *front, struct venue_order *algo)
{
    struct weir_intent intent = woken(algo);
    struct venue_order *order = order_make(front, &intent);
    if (!order) {
        algo_is(front, algo, "REJECTED");
        return;
    }
    algo->became = order->id;
    algo_is(front, algo, "TRIGGERED");
    if (account_ask_noted(front->account, &intent) == WEIR_OK)
        return;
    order_forget(front, order);
    trigger_note(front, algo, WEIR_EXPIRED, WEIR_STATE_REJECTED);
    algo_is(front, algo, "REJECTED");
}

static struct venue_order *algo_of(struct front *front, const char *params)
{
    char name[64] = "", number[24] = "";
    bool by_number = param(params, "algoId", number, sizeof number) && number[0];
    (void)param(params, "clientAlgoId", name, sizeof name);
    for (struct venue_order *algo = front->algos; algo; algo = algo->next)
        if (by_number ? algo->id == strtoull(number, NULL, 10)
                      : name[0] && strcmp(algo->client_id, name) == 0)
            return algo;
    return NULL;
}

static void answer_algo(struct front *front, const struct venue_order *algo,
                        const struct asker *asker)
{
    struct text out;
    text_init(&out);
    say_algo(front, algo, false, &out);
    answer_result(front, asker, &out, 0);
    text_fini(&out);
}

void algo_place(struct front *front, const char *params, const struct asker *asker)
{
    struct weir_intent intent;
    char name[64];
    const char *wrong = read_order(front, params, asker->face, true, &intent);
    if (wrong) {
        refuse_param(front, asker, wrong);
        return;
    }
    if (param(params, "clientAlgoId", name, sizeof name)) {
        memset(intent.client_id, 0, sizeof intent.client_id);
        snprintf(intent.client_id, sizeof intent.client_id, "%s", name);
    }
    if (order_named(front, intent.client_id) || algo_of(front, params)) {
        answer_error(front, asker, 400, -4116, "ClientOrderId is duplicated.");
        return;
    }
    struct wait *wait = wait_new(front, WAIT_ALGO, asker, intent.client_id);
    struct venue_order *algo = wait ? order_new(front, &intent) : NULL;
    if (!algo) {
        answer_error(front, asker, 503, -1001, "Internal error.");
        return;
    }
    bool past = trigger_is_past(front, algo);
    if (past || !wait_passes(front, wait, &intent)) { /* a fault has answered it */
        if (past) {
            wait_end(wait);
            answer_error(front, asker, 400, -2021, "Order would immediately trigger.");
        }
        free(algo);
        return;
    }
    algo->next = front->algos;
    front->algos = algo;
    trigger_note(front, algo, WEIR_ACK, WEIR_STATE_OPEN);
    algo_is(front, algo, "NEW");
    wait->ready = true;
}

void algo_say(struct front *front, const char *client_id, struct text *out)
{
    for (const struct venue_order *algo = front->algos; algo; algo = algo->next)
        if (strcmp(algo->client_id, client_id) == 0) {
            say_algo(front, algo, false, out);
            return;
        }
}

void algo_cancel(struct front *front, const char *params, const struct asker *asker)
{
    struct venue_order *algo = algo_of(front, params);
    struct text out;
    if (!algo || !algo_waits(algo)) {
        answer_error(front, asker, 400, -2011, "Unknown order sent.");
        return;
    }
    trigger_note(front, algo, WEIR_CANCELED, WEIR_STATE_CANCELED);
    algo_is(front, algo, "CANCELED");
    text_init(&out);
    text_say(&out, "{\"algoId\":%llu,\"clientAlgoId\":\"%s\",\"code\":\"200\",\"msg\":\"success\"}",
             (unsigned long long)algo->id, algo->client_id);
    answer_result(front, asker, &out, 0);
    text_fini(&out);
}

void algo_query(struct front *front, const char *params, const struct asker *asker)
{
    const struct venue_order *algo = algo_of(front, params);
    if (!algo || is_too_new(front, algo->t_ms))
        answer_error(front, asker, 400, -2013, "Order does not exist.");
    else
        answer_algo(front, algo, asker);
}

void algo_list(struct front *front, const char *params, const struct asker *asker)
{
    char name[WEIR_SYMBOL_MAX] = "";
    struct text out;
    (void)param(params, "symbol", name, sizeof name);
    text_init(&out);
    json_array(&out);
    for (const struct venue_order *algo = front->algos; algo; algo = algo->next)
        if (algo_waits(algo) && !is_too_new(front, algo->t_ms) &&
            (!name[0] || strcmp(front->listed[algo->instrument - 1].name, name) == 0))
            say_algo(front, algo, false, &out);
    json_end(&out);
    answer_result(front, asker, &out, 0);
    text_fini(&out);
}

/* --- the countdown -------------------------------------------------------------------------------- */

void countdown_set(struct front *front, const char *params, const struct asker *asker)
{
    char name[WEIR_SYMBOL_MAX];
    int64_t ms = 0;
    struct listed *listed =
        param(params, "symbol", name, sizeof name) ? listed_named(front, name) : NULL;
    if (!listed || !param_number(params, "countdownTime", 0, &ms) || ms < 0 ||
        ms > COUNTDOWN_MOST) {
        refuse_param(front, asker, listed ? "countdownTime" : "symbol");
        return;
    }
    listed->countdown = ms > 0 ? clock_now(&front->account->exchange->clock) + ms * 1000000 : 0;
    struct text out;
    text_init(&out);
    text_say(&out, "{\"symbol\":\"%s\",\"countdownTime\":\"%lld\"}", listed->name, (long long)ms);
    answer_result(front, asker, &out, 0);
    text_fini(&out);
}

static void count_down(struct front *front, struct listed *listed, weir_ns now)
{
    if (listed->countdown == 0 || listed->countdown > now)
        return;
    listed->countdown = 0;
    for (const struct venue_order *order = front->orders; order; order = order->next)
        if (order->state == WEIR_STATE_OPEN && order->instrument == listed->is.msg.instrument) {
            struct weir_intent intent = intent_about(order, WEIR_CANCEL);
            (void)account_ask(front->account, &intent);
        }
}

/* --- rules that change ---------------------------------------------------------------------------- */

static void change_rules(struct front *front)
{
    const struct faults *faults = &front->account->exchange->faults;
    if (front->rules_seen == faults->rules_told)
        return;
    front->rules_seen = faults->rules_told;
    for (size_t i = 0; i < SYMBOL_COUNT; i++) {
        struct listed *listed = &front->listed[i];
        if (!listed->name[0] ||
            (strcmp(faults->rules_of, "*") != 0 && strcmp(faults->rules_of, listed->name) != 0))
            continue;
        listed->is.tick = listed->first_tick * faults->rules_times;
        listed->is.step = listed->first_step * faults->rules_times;
    }
}

/* --- when all of a moment was said ---------------------------------------------------------------- */

static void look_at_algo(struct front *front, struct venue_order *algo)
{
    const struct listed *listed = &front->listed[algo->instrument - 1];
    if (algo_waits(algo)) {
        if (crossed(algo, listed->low, listed->high))
            fire(front, algo);
        return;
    }
    if (strcmp(algo->algo_status, "TRIGGERED") != 0)
        return;
    const struct venue_order *order = order_numbered(front, algo->became);
    if (!order) {
        trigger_note(front, algo, WEIR_EXPIRED, WEIR_STATE_REJECTED);
        algo_is(front, algo, "REJECTED");
    } else if (order->state != WEIR_STATE_OPEN) {
        algo_is(front, algo, "FINISHED");
    }
}

void triggers_settled(struct front *front, weir_ns now)
{
    change_rules(front);
    for (struct venue_order *order = front->orders; order; order = order->next)
        if (order->waits && crossed(order, front->listed[order->instrument - 1].low,
                                    front->listed[order->instrument - 1].high))
            wake(front, order);
    for (struct venue_order *algo = front->algos; algo; algo = algo->next)
        look_at_algo(front, algo);
    for (size_t i = 0; i < SYMBOL_COUNT; i++) {
        count_down(front, &front->listed[i], now);
        front->listed[i].low = front->listed[i].high = 0;
    }
}

weir_ns triggers_next(const struct front *front)
{
    weir_ns next = INT64_MAX;
    for (size_t i = 0; i < SYMBOL_COUNT; i++)
        if (front->listed[i].countdown > 0 && front->listed[i].countdown < next)
            next = front->listed[i].countdown;
    return next;
}
