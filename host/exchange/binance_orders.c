/* binance_orders.c - orders as the venue numbers them; what was asked and waits.
 *
 * The market knows orders by their client ids; here each has a number, and stays for ever, so that it can
 * be asked for. What the market says of one moment is taken first and answered then (orders_settled), so
 * that the answer to an order that filled at once tells of its executions, as the venue's does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/binance.h"

/* --- what is known ---------------------------------------------------------------------------- */

struct venue_order *order_named(struct front *front, const char *client_id)
{
    struct venue_order *order = client_id[0] ? front->orders : NULL;
    while (order && strcmp(order->client_id, client_id) != 0)
        order = order->next;
    return order;
}

struct venue_order *order_numbered(struct front *front, uint64_t id)
{
    struct venue_order *order = front->orders;
    while (order && order->id != id)
        order = order->next;
    return order;
}

struct venue_order *order_new(struct front *front, const struct weir_intent *intent)
{
    struct venue_order *order = calloc(1, sizeof *order);
    if (!order)
        return NULL;
    order->id = ++front->next_order;
    memcpy(order->client_id, intent->client_id, sizeof order->client_id);
    order->instrument = intent->msg.instrument;
    order->side = intent->side;
    order->type = intent->type;
    order->tif = intent->tif;
    order->flags = intent->flags;
    order->px = intent->px;
    order->trigger = intent->trigger;
    order->qty = intent->qty;
    order->state = WEIR_STATE_OPEN;
    order->t_ms = order->changed_ms = now_ms(front);
    return order;
}

struct venue_order *order_make(struct front *front, const struct weir_intent *intent)
{
    struct venue_order *order = order_new(front, intent);
    if (!order)
        return NULL;
    order->next = front->orders;
    front->orders = order;
    return order;
}

void order_forget(struct front *front, struct venue_order *order)
{
    struct venue_order **at = &front->orders;
    while (*at != order)
        at = &(*at)->next;
    *at = order->next;
    free(order);
}

/* The order that a request names by number or by client id. */
struct venue_order *order_of(struct front *front, const char *params, const char *number_name,
                             const char *text_name)
{
    char text[64];
    if (param(params, number_name, text, sizeof text) && text[0])
        return order_numbered(front, strtoull(text, NULL, 10));
    return param(params, text_name, text, sizeof text) ? order_named(front, text) : NULL;
}

/* --- waiting ---------------------------------------------------------------------------------- */

struct wait *wait_new(struct front *front, enum wait_for what, const struct asker *asker,
                      const char *client_id)
{
    for (size_t i = 0; i < WAITS_MAX; i++) {
        struct wait *wait = &front->waits[i];
        if (wait->what)
            continue;
        *wait = (struct wait){.what = what, .asker = *asker, .first_fill = front->fill_count};
        snprintf(wait->client_id, sizeof wait->client_id, "%s", client_id);
        text_init(&wait->canceled);
        return wait;
    }
    return NULL;
}

void wait_end(struct wait *wait)
{
    text_fini(&wait->canceled);
    wait->what = 0;
}

struct wait *wait_of(struct front *front, enum wait_for what, const char *client_id)
{
    for (size_t i = 0; i < WAITS_MAX; i++)
        if (front->waits[i].what == what && !front->waits[i].ready &&
            strcmp(front->waits[i].client_id, client_id) == 0)
            return &front->waits[i];
    return NULL;
}

void orders_forget(struct front *front, const struct client *client, const struct reply *reply)
{
    for (size_t i = 0; i < WAITS_MAX; i++) {
        struct asker *asker = &front->waits[i].asker;
        if (client && asker->client == client)
            asker->client = NULL;
        if (reply && asker->reply == reply)
            asker->reply = NULL;
    }
}

bool wait_passes(struct front *front, struct wait *wait, const struct weir_intent *intent)
{
    enum fault_kind fault = FAULT_KINDS;
    struct asker asker = wait->asker;
    bool wrong = faults_of_request(&front->account->exchange->faults, intent, &fault);
    wait->fault = wrong ? (uint8_t)(1 + fault) : 0;
    if (!wrong || fault != FAULT_REJECT)
        return true;
    wait_end(wait);
    answer_error(front, &asker, 400, -2010, "Order was rejected by a fault.");
    return false;
}

/* A request goes to the market. False: it was answered with a refusal. */
static bool ask(struct front *front, struct wait *wait, struct weir_intent *intent)
{
    struct asker asker = wait->asker;
    if (!wait_passes(front, wait, intent))
        return false;
    enum weir_err err = account_ask(front->account, intent);
    if (!err)
        return true;
    wait_end(wait);
    answer_error(front, &asker, 400, -1013, err_name(err));
    return false;
}

/* --- parameters ------------------------------------------------------------------------------- */

bool param_number(const char *params, const char *name, int exp, int64_t *out)
{
    char text[48];
    if (!param(params, name, text, sizeof text))
        return false;
    return decimal_parse(text, strlen(text), exp, out) == WEIR_OK;
}

static int word_of(const char *text, const char *const *words)
{
    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], text) == 0)
            return i;
    return -1;
}

/* Types by their words; algo: of USD-M's algo orders. */
static const struct {
    const char *word;
    uint8_t type;
    bool spot, usdm, algo;
} types[] = {{"LIMIT", WEIR_LIMIT, true, true, false},
             {"LIMIT_MAKER", WEIR_LIMIT, true, false, false},
             {"MARKET", WEIR_MARKET, true, true, false},
             {"STOP_LOSS", WEIR_STOP, true, false, false},
             {"STOP_LOSS_LIMIT", WEIR_STOP_LIMIT, true, false, false},
             {"TAKE_PROFIT", WEIR_TAKE_PROFIT, true, false, false},
             {"TAKE_PROFIT_LIMIT", WEIR_TAKE_PROFIT_LIMIT, true, false, false},
             {"STOP_MARKET", WEIR_STOP, false, false, true},
             {"STOP", WEIR_STOP_LIMIT, false, false, true},
             {"TAKE_PROFIT_MARKET", WEIR_TAKE_PROFIT, false, false, true},
             {"TAKE_PROFIT", WEIR_TAKE_PROFIT_LIMIT, false, false, true}};

static bool read_type(const char *word, enum face face, bool algo, uint8_t *type_out)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(types[i].word, word) == 0 && (algo                ? types[i].algo
                                                 : face == FACE_SPOT ? types[i].spot
                                                                     : types[i].usdm)) {
            *type_out = types[i].type;
            return true;
        }
    return false;
}

static const char *read_tif(const char *params, enum face face, struct weir_intent *intent)
{
    static const char *const tifs[] = {"GTC", "IOC", "FOK", "GTX", NULL};
    char text[16] = "GTC"; /* of algo orders it may be left out */
    bool given = param(params, "timeInForce", text, sizeof text);
    int tif = given || type_triggers(intent->type) ? word_of(text, tifs) : -1;
    if (tif < 0 || (tif == 3 && face == FACE_SPOT))
        return "timeInForce";
    intent->tif = tif == 3 ? WEIR_GTC : (uint8_t)tif;
    intent->flags |= tif == 3 ? WEIR_POST_ONLY : 0;
    return NULL;
}

/* Prices and quantity, on the steps that hold now. */
static const char *read_numbers(const struct listed *listed, const char *params, bool algo,
                                struct weir_intent *intent)
{
    const struct weir_instrument *is = &listed->is;
    bool priced = intent->type == WEIR_LIMIT || intent->type == WEIR_STOP_LIMIT ||
                  intent->type == WEIR_TAKE_PROFIT_LIMIT;
    if (!param_number(params, "quantity", is->qty_exp, &intent->qty) || intent->qty <= 0)
        return "quantity";
    if (priced && (!param_number(params, "price", is->price_exp, &intent->px) || intent->px <= 0))
        return "price";
    if (type_triggers(intent->type) && (!param_number(params, algo ? "triggerPrice" : "stopPrice",
                                                      is->price_exp, &intent->trigger) ||
                                        intent->trigger <= 0))
        return algo ? "triggerPrice" : "stopPrice";
    if (is->tick > 0 && (intent->px % is->tick || intent->trigger % is->tick))
        return "PRICE_FILTER";
    return is->step > 0 && intent->qty % is->step ? "LOT_SIZE" : NULL;
}

const char *read_order(struct front *front, const char *params, enum face face, bool algo,
                       struct weir_intent *intent)
{
    char text[64];
    const struct listed *listed =
        param(params, "symbol", text, sizeof text) ? listed_named(front, text) : NULL;
    if (!listed)
        return "symbol";
    *intent = (struct weir_intent){
        .msg = {.size = sizeof *intent, .kind = WEIR_NEW, .instrument = listed->is.msg.instrument}};
    if (!param(params, "side", text, sizeof text))
        return "side";
    intent->side = strcmp(text, "SELL") == 0;
    if (!param(params, "type", text, sizeof text) || !read_type(text, face, algo, &intent->type))
        return "type";
    bool maker = strcmp(text, "LIMIT_MAKER") == 0;
    intent->flags = maker ? WEIR_POST_ONLY : 0;
    bool timed = intent->type != WEIR_MARKET && intent->type != WEIR_STOP &&
                 intent->type != WEIR_TAKE_PROFIT && !maker;
    const char *wrong = timed ? read_tif(params, face, intent) : NULL;
    if (!wrong)
        wrong = read_numbers(listed, params, algo, intent);
    if (wrong)
        return wrong;
    if (param(params, "reduceOnly", text, sizeof text) && strcmp(text, "true") == 0)
        intent->flags |= face == FACE_USDM ? WEIR_REDUCE_ONLY : 0;
    if (!param(params, "newClientOrderId", text, WEIR_ID_MAX))
        snprintf(text, sizeof text, "x%llu", (unsigned long long)front->next_order + 1);
    if (strlen(text) > 36)
        return "newClientOrderId";
    snprintf(intent->client_id, sizeof intent->client_id, "%s", text);
    return NULL;
}

void refuse_param(struct front *front, const struct asker *asker, const char *name)
{
    char text[120];
    bool filter = strcmp(name, "PRICE_FILTER") == 0 || strcmp(name, "LOT_SIZE") == 0;
    if (filter) {
        snprintf(text, sizeof text, "Filter failure: %s", name);
        answer_error(front, asker, 400, -1013, text);
        return;
    }
    snprintf(text, sizeof text,
             "Mandatory parameter '%s' was not sent, was empty/null, or malformed.", name);
    answer_error(front, asker, 400, strcmp(name, "symbol") == 0 ? -1121 : -1102,
                 strcmp(name, "symbol") == 0 ? "Invalid symbol." : text);
}

/* --- calls ------------------------------------------------------------------------------------ */

static void place(struct front *front, struct weir_intent *intent, const struct asker *asker)
{
    const struct venue_order *same = order_named(front, intent->client_id);
    if (same) { /* one with this id works, or did: the market would take it for the same */
        answer_error(front, asker, 400, -2010, "Duplicate order sent.");
        return;
    }
    struct wait *wait = wait_new(front, WAIT_PLACE, asker, intent->client_id);
    struct venue_order *order = wait ? order_make(front, intent) : NULL;
    if (!order) {
        answer_error(front, asker, 503, -1001, "Internal error.");
        return;
    }
    if (!type_triggers(intent->type)) {
        if (!ask(front, wait, intent))
            order_forget(front, order);
        return;
    }
    bool past = trigger_is_past(front, order);
    if (past || !wait_passes(front, wait, intent)) {
        if (past) {
            wait_end(wait);
            answer_error(front, asker, 400, -2010, "Stop price would trigger immediately.");
        }
        order_forget(front, order);
        return;
    }
    struct event_fate none = {0};
    trigger_note(front, order, WEIR_ACK, WEIR_STATE_OPEN);
    order->waits = order->acked = wait->ready = true;
    report_to(front, order, "NEW", NULL, "", none);
}

void binance_place(struct front *front, const char *params, const struct asker *asker)
{
    struct weir_intent intent;
    const char *wrong = read_order(front, params, asker->face, false, &intent);
    if (wrong)
        refuse_param(front, asker, wrong);
    else
        place(front, &intent, asker);
}

struct weir_intent intent_about(const struct venue_order *order, uint16_t kind)
{
    struct weir_intent intent = {
        .msg = {.size = sizeof intent, .kind = kind, .instrument = order->instrument},
        .side = order->side,
        .type = order->type,
        .tif = order->tif,
        .flags = order->flags};
    memcpy(intent.client_id, order->client_id, sizeof intent.client_id);
    memcpy(intent.new_client_id, order->client_id, sizeof intent.new_client_id);
    return intent;
}

void binance_cancel(struct front *front, const char *params, const struct asker *asker)
{
    struct venue_order *order = order_of(front, params, "orderId", "origClientOrderId");
    if (!order || order->state != WEIR_STATE_OPEN) {
        answer_error(front, asker, 400, -2011, "Unknown order sent.");
        return;
    }
    struct weir_intent intent = intent_about(order, WEIR_CANCEL);
    struct wait *wait = wait_new(front, WAIT_CANCEL, asker, order->client_id);
    if (!wait)
        return;
    if (!order->waits) {
        (void)ask(front, wait, &intent);
    } else if (wait_passes(front, wait, &intent)) {
        trigger_end(front, order);
        wait->ready = true;
    }
}

void binance_cancel_all(struct front *front, const char *params, const struct asker *asker)
{
    char name[WEIR_SYMBOL_MAX];
    struct listed *listed =
        param(params, "symbol", name, sizeof name) ? listed_named(front, name) : NULL;
    struct text out;
    size_t count = 0;
    if (!listed) {
        refuse_param(front, asker, "symbol");
        return;
    }
    text_init(&out);
    json_array(&out);
    for (struct venue_order *order = front->orders; order; order = order->next) {
        if (order->state != WEIR_STATE_OPEN || order->instrument != listed->is.msg.instrument)
            continue;
        struct weir_intent intent = intent_about(order, WEIR_CANCEL);
        bool waited = order->waits;
        if (waited)
            trigger_end(front, order);
        else if (account_ask(front->account, &intent))
            continue;
        count++;
        order->state =
            WEIR_STATE_CANCELED; /* as it will be; an execution on its way still counts */
        say_canceled(front, order, asker->face, &out);
        if (!waited)
            order->state = WEIR_STATE_OPEN;
    }
    json_end(&out);
    if (asker->face == FACE_USDM) {
        text_fini(&out);
        text_init(&out);
        text_say(&out,
                 "{\"code\":200,\"msg\":\"The operation of cancel all open order is done.\"}");
    }
    if (count == 0 && asker->face == FACE_SPOT)
        answer_error(front, asker, 400, -2011, "Unknown order sent.");
    else
        answer_result(front, asker, &out, 0);
    text_fini(&out);
}

/* cancelReplace: the cancel first; the new order when that was done. */
void binance_replace(struct front *front, const char *params, const struct asker *asker)
{
    struct weir_intent second;
    char text[64] = "";
    const char *wrong = read_order(front, params, asker->face, false, &second);
    struct venue_order *order = order_of(front, params, "cancelOrderId", "cancelOrigClientOrderId");
    if (wrong) {
        refuse_param(front, asker, wrong);
        return;
    }
    bool only_new =
        param(params, "cancelRestrictions", text, sizeof text) && strcmp(text, "ONLY_NEW") == 0;
    if (!order || order->state != WEIR_STATE_OPEN || order->waits ||
        (only_new && order->done > 0)) {
        answer_error(front, asker, 400, -2022,
                     "Order cancel-replace failed."); /* nothing was done */
        return;
    }
    struct weir_intent intent = intent_about(order, WEIR_REPLACE);
    intent.msg.kind = WEIR_CANCEL;
    struct wait *wait = wait_new(front, WAIT_REPLACE, asker, order->client_id);
    if (!wait)
        return;
    wait->second = second;
    snprintf(wait->second_id, sizeof wait->second_id, "%s", second.client_id);
    enum fault_kind fault = FAULT_KINDS;
    struct weir_intent named = intent;
    named.msg.kind = WEIR_REPLACE;
    bool hit = faults_of_request(&front->account->exchange->faults, &named, &fault);
    if (hit && fault == FAULT_REJECT) {
        wait_end(wait);
        answer_error(front, asker, 400, -2022, "Order cancel-replace failed.");
        return;
    }
    wait->fault = hit ? (uint8_t)(1 + fault) : 0;
    if (account_ask(front->account, &intent)) {
        wait_end(wait);
        answer_error(front, asker, 400, -2022, "Order cancel-replace failed.");
    }
}

/* order.modify, and keepPriority with reduce: the order keeps its place. */
void binance_modify(struct front *front, const char *params, const struct asker *asker, bool reduce)
{
    struct venue_order *order = order_of(front, params, "orderId", "origClientOrderId");
    if (!order || order->state != WEIR_STATE_OPEN || order->waits) {
        answer_error(front, asker, 400, -2013, "Order does not exist.");
        return;
    }
    const struct weir_instrument *is = &front->listed[order->instrument - 1].is;
    struct weir_intent intent = intent_about(order, WEIR_REPLACE);
    intent.px = order->px;
    if (!param_number(params, reduce ? "newQty" : "quantity", is->qty_exp, &intent.qty) ||
        (!reduce && !param_number(params, "price", is->price_exp, &intent.px))) {
        refuse_param(front, asker, "quantity");
        return;
    }
    const char *wrong = is->tick > 0 && intent.px % is->tick    ? "PRICE_FILTER"
                        : is->step > 0 && intent.qty % is->step ? "LOT_SIZE"
                                                                : NULL;
    if (wrong) {
        refuse_param(front, asker, wrong);
        return;
    }
    if (reduce && intent.qty >= order->qty) {
        answer_error(front, asker, 400, -2038, "The quantity must be less than it was.");
        return;
    }
    char name[WEIR_ID_MAX];
    if (reduce && param(params, "newClientOrderId", name, sizeof name))
        snprintf(intent.new_client_id, sizeof intent.new_client_id, "%s", name);
    struct wait *wait = wait_new(front, WAIT_MODIFY, asker, order->client_id);
    if (!wait)
        return;
    memcpy(wait->second_id, intent.new_client_id, sizeof wait->second_id);
    wait->second = intent;
    (void)ask(front, wait, &intent);
}
