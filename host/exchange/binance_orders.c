/* binance_orders.c - orders and executions as the venue numbers them; what was asked and waits.
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

static struct venue_order *order_numbered(struct front *front, uint64_t id)
{
    struct venue_order *order = front->orders;
    while (order && order->id != id)
        order = order->next;
    return order;
}

static struct venue_order *order_make(struct front *front, const struct weir_intent *intent)
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
    order->qty = intent->qty;
    order->state = WEIR_STATE_OPEN;
    order->t_ms = order->changed_ms = now_ms(front);
    order->next = front->orders;
    front->orders = order;
    return order;
}

static void order_forget(struct front *front, struct venue_order *order)
{
    struct venue_order **at = &front->orders;
    while (*at != order)
        at = &(*at)->next;
    *at = order->next;
    free(order);
}

/* The order that a request names by number or by client id. */
static struct venue_order *order_of(struct front *front, const char *params,
                                    const char *number_name, const char *text_name)
{
    char text[64];
    if (param(params, number_name, text, sizeof text) && text[0])
        return order_numbered(front, strtoull(text, NULL, 10));
    return param(params, text_name, text, sizeof text) ? order_named(front, text) : NULL;
}

/* --- waiting ---------------------------------------------------------------------------------- */

static struct wait *wait_new(struct front *front, enum wait_for what, const struct asker *asker,
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

static void wait_end(struct wait *wait)
{
    text_fini(&wait->canceled);
    wait->what = 0;
}

static struct wait *wait_of(struct front *front, enum wait_for what, const char *client_id)
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

/* A request goes to the market. Faults: what is to be done with it stands in the wait. False: it was
 * answered with a refusal. */
static bool ask(struct front *front, struct wait *wait, struct weir_intent *intent)
{
    enum fault_kind fault = FAULT_KINDS;
    struct asker asker = wait->asker;
    bool wrong = faults_of_request(&front->account->exchange->faults, intent, &fault);
    if (wrong && fault == FAULT_REJECT) {
        wait_end(wait);
        answer_error(front, &asker, 400, -2010, "Order was rejected by a fault.");
        return false;
    }
    wait->fault = wrong ? (uint8_t)(1 + fault) : 0;
    enum weir_err err = account_ask(front->account, intent);
    if (!err)
        return true;
    wait_end(wait);
    answer_error(front, &asker, 400, -1013, err_name(err));
    return false;
}

/* --- parameters ------------------------------------------------------------------------------- */

static bool number(const char *params, const char *name, int exp, int64_t *out)
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

/* NULL: understood; else the parameter that is not. */
static const char *read_order(struct front *front, const char *params, enum face face,
                              struct weir_intent *intent)
{
    static const char *const tifs[] = {"GTC", "IOC", "FOK", "GTX", NULL};
    char text[64];
    struct listed *listed =
        param(params, "symbol", text, sizeof text) ? listed_named(front, text) : NULL;
    if (!listed)
        return "symbol";
    *intent = (struct weir_intent){
        .msg = {.size = sizeof *intent, .kind = WEIR_NEW, .instrument = listed->is.msg.instrument}};
    if (!param(params, "side", text, sizeof text))
        return "side";
    intent->side = strcmp(text, "SELL") == 0;
    if (!param(params, "type", text, sizeof text))
        return "type";
    bool limit = strcmp(text, "LIMIT") == 0, maker = strcmp(text, "LIMIT_MAKER") == 0;
    if (!limit && !maker && strcmp(text, "MARKET") != 0)
        return "type";
    intent->type = limit || maker ? WEIR_LIMIT : WEIR_MARKET;
    intent->flags = maker ? WEIR_POST_ONLY : 0;
    if (limit) {
        int tif = param(params, "timeInForce", text, sizeof text) ? word_of(text, tifs) : -1;
        if (tif < 0 || (tif == 3 && face == FACE_SPOT))
            return "timeInForce";
        intent->tif = tif == 3 ? WEIR_GTC : (uint8_t)tif;
        intent->flags |= tif == 3 ? WEIR_POST_ONLY : 0;
    }
    if (!number(params, "quantity", listed->is.qty_exp, &intent->qty) || intent->qty <= 0)
        return "quantity";
    if ((limit || maker) &&
        (!number(params, "price", listed->is.price_exp, &intent->px) || intent->px <= 0))
        return "price";
    if (param(params, "reduceOnly", text, sizeof text) && strcmp(text, "true") == 0)
        intent->flags |= face == FACE_USDM ? WEIR_REDUCE_ONLY : 0;
    if (!param(params, "newClientOrderId", text, WEIR_ID_MAX))
        snprintf(text, sizeof text, "x%llu", (unsigned long long)front->next_order + 1);
    if (strlen(text) > 36)
        return "newClientOrderId";
    snprintf(intent->client_id, sizeof intent->client_id, "%s", text);
    return NULL;
}

static void refuse_param(struct front *front, const struct asker *asker, const char *name)
{
    char text[120];
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
    if (!ask(front, wait, intent))
        order_forget(front, order);
}

void binance_place(struct front *front, const char *params, const struct asker *asker)
{
    struct weir_intent intent;
    const char *wrong = read_order(front, params, asker->face, &intent);
    if (wrong)
        refuse_param(front, asker, wrong);
    else
        place(front, &intent, asker);
}

static struct weir_intent about(const struct venue_order *order, uint16_t kind)
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
    const struct venue_order *order = order_of(front, params, "orderId", "origClientOrderId");
    if (!order || order->state != WEIR_STATE_OPEN) {
        answer_error(front, asker, 400, -2011, "Unknown order sent.");
        return;
    }
    struct weir_intent intent = about(order, WEIR_CANCEL);
    struct wait *wait = wait_new(front, WAIT_CANCEL, asker, order->client_id);
    if (wait)
        (void)ask(front, wait, &intent);
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
        struct weir_intent intent = about(order, WEIR_CANCEL);
        if (account_ask(front->account, &intent))
            continue;
        count++;
        order->state =
            WEIR_STATE_CANCELED; /* as it will be; an execution on its way still counts */
        say_canceled(front, order, asker->face, &out);
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
    const char *wrong = read_order(front, params, asker->face, &second);
    struct venue_order *order = order_of(front, params, "cancelOrderId", "cancelOrigClientOrderId");
    if (wrong) {
        refuse_param(front, asker, wrong);
        return;
    }
    bool only_new =
        param(params, "cancelRestrictions", text, sizeof text) && strcmp(text, "ONLY_NEW") == 0;
    if (!order || order->state != WEIR_STATE_OPEN || (only_new && order->done > 0)) {
        answer_error(front, asker, 400, -2022,
                     "Order cancel-replace failed."); /* nothing was done */
        return;
    }
    struct weir_intent intent = about(order, WEIR_REPLACE);
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
    if (!order || order->state != WEIR_STATE_OPEN) {
        answer_error(front, asker, 400, -2013, "Order does not exist.");
        return;
    }
    const struct weir_instrument *is = &front->listed[order->instrument - 1].is;
    struct weir_intent intent = about(order, WEIR_REPLACE);
    intent.px = order->px;
    if (!number(params, reduce ? "newQty" : "quantity", is->qty_exp, &intent.qty) ||
        (!reduce && !number(params, "price", is->price_exp, &intent.px))) {
        refuse_param(front, asker, "quantity");
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

/* Questions see the venue as it was a while ago, where a fault says so. */
static bool is_too_new(const struct front *front, int64_t t_ms)
{
    return t_ms > now_ms(front) - front->account->exchange->faults.lag_ms;
}

void binance_query(struct front *front, const char *params, const struct asker *asker)
{
    const struct venue_order *order = order_of(front, params, "orderId", "origClientOrderId");
    struct text out;
    if (!order || (!order->acked && order->state == WEIR_STATE_OPEN) ||
        is_too_new(front, order->t_ms)) {
        answer_error(front, asker, 400, -2013, "Order does not exist.");
        return;
    }
    text_init(&out);
    say_order(front, order, asker->face, &out);
    answer_result(front, asker, &out, 0);
    text_fini(&out);
}

void orders_list(struct front *front, const char *params, const struct asker *asker, bool open)
{
    char name[WEIR_SYMBOL_MAX];
    const struct listed *listed =
        param(params, "symbol", name, sizeof name) ? listed_named(front, name) : NULL;
    struct text out;
    text_init(&out);
    json_array(&out);
    for (const struct venue_order *order = front->orders; order; order = order->next)
        if (order->acked && !is_too_new(front, order->t_ms) &&
            (!open || order->state == WEIR_STATE_OPEN) &&
            (!listed || order->instrument == listed->is.msg.instrument))
            say_order(front, order, asker->face, &out);
    json_end(&out);
    answer_result(front, asker, &out, 0);
    text_fini(&out);
}

void fills_list(struct front *front, const char *params, const struct asker *asker)
{
    char name[WEIR_SYMBOL_MAX];
    const struct listed *listed =
        param(params, "symbol", name, sizeof name) ? listed_named(front, name) : NULL;
    int64_t since = 0, from = 0, order = 0, limit = 500, count = 0;
    struct text out;
    (void)number(params, "startTime", 0, &since);
    (void)number(params, "fromId", 0, &from);
    (void)number(params, "orderId", 0, &order);
    (void)number(params, "limit", 0, &limit);
    limit = limit < 1 ? 1 : limit > 1000 ? 1000 : limit;
    if (!listed) {
        refuse_param(front, asker, "symbol");
        return;
    }
    size_t first = 0; /* without a beginning: the newest */
    for (size_t i = front->fill_count; since == 0 && from == 0 && i-- > 0 && count < limit;) {
        count += front->fills[i].instrument == listed->is.msg.instrument;
        first = i;
    }
    text_init(&out);
    json_array(&out);
    count = 0;
    for (size_t i = first; i < front->fill_count && count < limit; i++) {
        const struct venue_fill *fill = &front->fills[i];
        if (fill->instrument != listed->is.msg.instrument || fill->t_ms < since ||
            is_too_new(front, fill->t_ms) || (int64_t)fill->id < from ||
            (order > 0 && (int64_t)fill->order != order))
            continue;
        say_fill(front, fill, asker->face, &out);
        count++;
    }
    json_end(&out);
    answer_result(front, asker, &out, 0);
    text_fini(&out);
}

void account_query(struct front *front, const struct asker *asker, bool positions)
{
    struct weir_intent intent = {.msg = {.size = sizeof intent, .kind = WEIR_RECONCILE}};
    struct wait *wait = wait_new(front, positions ? WAIT_POSITIONS : WAIT_ACCOUNT, asker, "");
    if (wait && account_ask(front->account, &intent)) {
        wait_end(wait);
        answer_error(front, asker, 503, -1001, "Internal error.");
    }
}

/* --- what the market says --------------------------------------------------------------------- */

static void report_to(struct front *front, const struct venue_order *order, const char *what,
                      const struct venue_fill *fill, const char *first_id, struct event_fate fate)
{
    for (int face = FACE_SPOT; face <= FACE_USDM; face++) {
        struct text out;
        text_init(&out);
        const char *word = face == FACE_USDM && strcmp(what, "REPLACED") == 0 ? "AMENDMENT" : what;
        say_report(front, order, word, fill, first_id, (enum face)face, &out);
        ws_private(front, (enum face)face, &out, fate);
        text_fini(&out);
    }
}

/* The number of an execution: the same whenever it is told. 0: no memory. */
static uint64_t number_of(struct front *front, const char *exec_id, uint32_t instrument)
{
    for (size_t i = front->numbered_count; i-- > 0;)
        if (front->numbered[i].instrument == instrument &&
            strcmp(front->numbered[i].exec_id, exec_id) == 0)
            return front->first_fill + 1 + i;
    if (front->numbered_count == front->numbered_room) {
        size_t room = front->numbered_room ? 2 * front->numbered_room : 1024;
        void *grown = realloc(front->numbered, room * sizeof front->numbered[0]);
        if (!grown)
            return 0;
        front->numbered = grown;
        front->numbered_room = room;
    }
    size_t i = front->numbered_count++;
    snprintf(front->numbered[i].exec_id, sizeof front->numbered[i].exec_id, "%s", exec_id);
    front->numbered[i].instrument = instrument;
    return front->first_fill + 1 + i;
}

bool binance_rename(struct front *front, const struct weir_msg *event, void *renamed, size_t room)
{
    if (event->size > room || (event->kind != WEIR_FILL && event->kind != WEIR_INSTRUMENT))
        return false;
    memcpy(renamed, event, event->size);
    if (event->kind == WEIR_FILL) {
        struct weir_fill *fill = renamed;
        uint64_t number = number_of(front, fill->exec_id, event->instrument);
        memset(fill->exec_id, 0, sizeof fill->exec_id);
        snprintf(fill->exec_id, sizeof fill->exec_id, "%llu", (unsigned long long)number);
        return true;
    }
    struct weir_instrument *is = renamed;
    size_t len = 0;
    for (const char *at = ((const struct weir_instrument *)event)->symbol; *at; at++)
        if (*at != '-')
            is->symbol[len++] = *at;
    memset(is->symbol + len, 0, sizeof is->symbol - len);
    return true;
}

static struct venue_fill *fill_make(struct front *front, const struct weir_fill *told,
                                    struct venue_order *order)
{
    for (size_t i = front->fill_count; i-- > 0;) /* told twice: one execution */
        if (front->fills[i].instrument == told->msg.instrument &&
            strcmp(front->fills[i].exec_id, told->exec_id) == 0)
            return NULL;
    if (front->fill_count == front->fill_room) {
        size_t room = front->fill_room ? 2 * front->fill_room : 1024;
        struct venue_fill *grown = realloc(front->fills, room * sizeof *grown);
        if (!grown)
            return NULL;
        front->fills = grown;
        front->fill_room = room;
    }
    struct venue_fill *fill = &front->fills[front->fill_count++];
    uint64_t number = strtoull(told->exec_id, NULL, 10);
    *fill = (struct venue_fill){
        .id = front->account->exchange->options->venue_names ? number : ++front->next_fill,
        .order = order->id,
        .instrument = told->msg.instrument,
        .side = told->side,
        .maker = told->maker,
        .px = told->px,
        .qty = told->qty,
        .fee = told->fee,
        .t_ms = now_ms(front)};
    memcpy(fill->fee_asset, told->fee_asset, sizeof fill->fee_asset);
    memcpy(fill->exec_id, told->exec_id, sizeof fill->exec_id);
    return fill;
}

static void filled(struct front *front, const struct weir_fill *told, struct event_fate fate)
{
    struct venue_order *order = order_named(front, told->client_id);
    struct venue_fill *fill = order ? fill_make(front, told, order) : NULL;
    const struct weir_instrument *is = order ? &front->listed[order->instrument - 1].is : NULL;
    amount quote = 0;
    if (!fill)
        return;
    order->done += told->qty;
    order->changed_ms = now_ms(front);
    if (amount_product(told->px, is->price_exp, told->qty, is->qty_exp, &quote))
        order->quote += quote;
    if (order->done >= order->qty)
        order->state = WEIR_STATE_FILLED;
    report_to(front, order, "TRADE", fill, "", fate);
}

static void wait_refuse(struct wait *wait, const char *reason)
{
    if (!wait)
        return;
    wait->ready = wait->refused = true;
    snprintf(wait->reason, sizeof wait->reason, "%s", reason);
}

static void wait_ready(struct wait *wait, struct event_fate fate)
{
    if (!wait)
        return;
    wait->ready = true;
    wait->delay_ms = fate.delay_ms;
    if (fate.drop && !wait->fault)
        wait->fault = 1 + FAULT_DROP_ACK;
}

/* The first half of a replacement is done. */
static void replace_goes_on(struct front *front, struct wait *wait, const struct venue_order *order)
{
    say_canceled(front, order, wait->asker.face, &wait->canceled);
    struct venue_order *second = order->done > 0 ? NULL : order_make(front, &wait->second);
    if (!second) {
        wait_refuse(wait, "the order had a fill when it was canceled");
        return;
    }
    memcpy(wait->client_id, wait->second_id, sizeof wait->client_id);
    if (account_ask(front->account, &wait->second)) {
        order_forget(front, second);
        wait_refuse(wait, "it could not be asked for");
    }
}

static void ended(struct front *front, const struct weir_report *told, struct event_fate fate)
{
    struct venue_order *order = order_named(front, told->client_id);
    bool canceled = told->msg.kind == WEIR_CANCELED;
    if (!order || order->state != WEIR_STATE_OPEN)
        return;
    order->state = canceled ? WEIR_STATE_CANCELED : WEIR_STATE_EXPIRED;
    order->changed_ms = now_ms(front);
    report_to(front, order, canceled ? "CANCELED" : "EXPIRED", NULL, order->client_id, fate);
    wait_ready(wait_of(front, WAIT_CANCEL, order->client_id), fate);
    struct wait *replace = wait_of(front, WAIT_REPLACE, order->client_id);
    if (canceled && replace && !replace->canceled.len)
        replace_goes_on(front, replace, order);
}

static void acked(struct front *front, const struct weir_report *told, struct event_fate fate)
{
    struct venue_order *order = order_named(front, told->client_id);
    if (!order || order->acked)
        return;
    order->acked = true;
    report_to(front, order, "NEW", NULL, "", fate);
    wait_ready(wait_of(front, WAIT_PLACE, order->client_id), fate);
    struct wait *replace = wait_of(front, WAIT_REPLACE, order->client_id);
    if (replace && replace->canceled.len)
        wait_ready(replace, fate);
}

static void rejected(struct front *front, const struct weir_report *told)
{
    struct venue_order *order = order_named(front, told->client_id);
    wait_refuse(wait_of(front, WAIT_PLACE, told->client_id), told->reason);
    wait_refuse(wait_of(front, WAIT_REPLACE, told->client_id), told->reason);
    if (order && !order->acked)
        order_forget(front, order);
}

static void replaced(struct front *front, const struct weir_report *told, struct event_fate fate)
{
    for (size_t i = 0; i < WAITS_MAX; i++) {
        struct wait *wait = &front->waits[i];
        if (wait->what != WAIT_MODIFY || wait->ready ||
            strcmp(wait->second_id, told->client_id) != 0)
            continue;
        struct venue_order *order = order_named(front, wait->client_id);
        char before[WEIR_ID_MAX];
        if (!order)
            continue;
        memcpy(before, order->client_id, sizeof before);
        memcpy(order->client_id, told->client_id, sizeof order->client_id);
        order->px = wait->second.px;
        order->qty = wait->second.qty;
        order->changed_ms = now_ms(front);
        memcpy(wait->client_id, order->client_id, sizeof wait->client_id);
        report_to(front, order, "REPLACED", NULL, before, fate);
        wait_ready(wait, fate);
        return;
    }
}

static void take_row(struct front *front, const struct weir_msg *event)
{
    const struct weir_cash *cash = (const void *)event;
    if (event->kind == WEIR_RECON_BALANCE && front->money_count < 32) {
        memcpy(front->money[front->money_count].asset, cash->asset, WEIR_ASSET_MAX);
        front->money[front->money_count++].total = cash->amount;
    }
    if (event->kind == WEIR_RECON_POSITION && front->held_count < SYMBOL_COUNT) {
        front->held[front->held_count].instrument = event->instrument;
        front->held[front->held_count++].amount = cash->amount;
    }
}

static void recon_told(struct front *front, const struct weir_msg *event)
{
    if (event->kind == WEIR_RECON_BEGIN) {
        front->in_recon = true;
        front->money_count = front->held_count = 0;
    } else if (event->kind == WEIR_RECON_END) {
        front->in_recon = false;
        for (size_t i = 0; i < WAITS_MAX; i++)
            if (front->waits[i].what == WAIT_ACCOUNT || front->waits[i].what == WAIT_POSITIONS)
                front->waits[i].ready = true;
    } else {
        take_row(front, event);
    }
}

void orders_event(struct front *front, const struct weir_msg *event)
{
    const struct weir_report *report = (const void *)event;
    struct event_fate none = {0};
    if (event->kind >= WEIR_RECON_BEGIN && event->kind <= WEIR_RECON_END) {
        recon_told(front, event);
        return;
    }
    if (front->in_recon || event->kind < WEIR_ACK || event->kind > WEIR_STATUS)
        return; /* its rows say again what was said */
    struct event_fate fate = event->kind == WEIR_STATUS
                                 ? none
                                 : faults_of_event(&front->account->exchange->faults, event);
    switch (event->kind) {
    case WEIR_ACK: acked(front, report, fate); break;
    case WEIR_REJECT: rejected(front, report); break;
    case WEIR_FILL: filled(front, (const void *)event, fate); break;
    case WEIR_CANCELED:
    case WEIR_EXPIRED: ended(front, report, fate); break;
    case WEIR_CANCEL_REJECT:
        wait_refuse(wait_of(front, WAIT_CANCEL, report->client_id), "Unknown order sent.");
        wait_refuse(wait_of(front, WAIT_REPLACE, report->client_id), "Unknown order sent.");
        break;
    case WEIR_REPLACED: replaced(front, report, fate); break;
    case WEIR_REPLACE_REJECT:
        wait_refuse(wait_of(front, WAIT_MODIFY, report->client_id), report->reason);
        break;
    default: break;
    }
}

/* --- answers ---------------------------------------------------------------------------------- */

static void say_refusal(struct front *front, struct wait *wait)
{
    const struct asker *asker = &wait->asker;
    bool late = strcmp(wait->reason, "TOO_LATE") == 0 || strcmp(wait->reason, "UNKNOWN_ORDER") == 0;
    struct text out;
    if (wait->what == WAIT_CANCEL) {
        answer_error(front, asker, 400, -2011, "Unknown order sent.");
    } else if (wait->what == WAIT_REPLACE && wait->canceled.len > 0) {
        text_init(&out);
        text_say(
            &out,
            "\"cancelResult\":\"SUCCESS\",\"newOrderResult\":\"FAILURE\",\"cancelResponse\":%s,"
            "\"newOrderResponse\":{\"code\":-2010,\"msg\":\"%s\"}",
            text_cstr(&wait->canceled), wait->reason);
        answer_error(front, asker, 409, -2021, text_cstr(&out));
        text_fini(&out);
    } else if (wait->what == WAIT_REPLACE) {
        answer_error(front, asker, 400, -2022, "Order cancel-replace failed.");
    } else if (strcmp(wait->reason, "INSUFFICIENT_BALANCE") == 0) {
        answer_error(front, asker, 400, asker->face == FACE_SPOT ? -2010 : -2019,
                     asker->face == FACE_SPOT
                         ? "Account has insufficient balance for requested action."
                         : "Margin is insufficient.");
    } else if (strcmp(wait->reason, "POST_ONLY_WOULD_TAKE") == 0) {
        answer_error(front, asker, 400, asker->face == FACE_SPOT ? -2010 : -5022,
                     asker->face == FACE_SPOT ? "Order would immediately match and take."
                                              : "Due to the order could not be executed as maker.");
    } else {
        answer_error(front, asker, 400, late ? -2013 : -1013,
                     late ? "Order does not exist." : wait->reason);
    }
}

static void say_account(struct front *front, const struct wait *wait, struct text *out)
{
    bool spot = wait->asker.face == FACE_SPOT;
    json_object(out);
    json_key(out, "canTrade");
    json_bool(out, true);
    json_key(out, "updateTime");
    json_int(out, now_ms(front));
    json_key(out, "accountType");
    json_string(out, "SPOT");
    json_key(out, spot ? "balances" : "assets");
    json_array(out);
    for (size_t i = 0; i < front->money_count; i++) {
        json_object(out);
        json_key(out, "asset");
        json_string(out, front->money[i].asset);
        json_key(out, spot ? "free" : "walletBalance");
        json_amount(out, amount_of(front->money[i].total));
        json_key(out, spot ? "locked" : "unrealizedProfit");
        json_string(out, "0");
        if (!spot) {
            json_key(out, "marginBalance");
            json_amount(out, amount_of(front->money[i].total));
            json_key(out, "availableBalance");
            json_amount(out, amount_of(front->money[i].total));
            json_key(out, "initialMargin");
            json_string(out, "0");
        }
        json_end(out);
    }
    json_end(out);
    json_key(out, spot ? "permissions" : "positions");
    json_array(out);
    if (spot)
        json_string(out, "SPOT");
    json_end(out);
    json_end(out);
}

static void say_positions(struct front *front, struct text *out)
{
    json_array(out);
    for (size_t i = 0; i < front->held_count; i++) {
        json_object(out);
        json_key(out, "symbol");
        json_string(out, front->listed[front->held[i].instrument - 1].name);
        json_key(out, "positionSide");
        json_string(out, "BOTH");
        json_key(out, "positionAmt");
        json_amount(out, amount_of(front->held[i].amount));
        json_key(out, "entryPrice");
        json_string(out, "0");
        json_key(out, "markPrice");
        json_string(out, "0");
        json_key(out, "updateTime");
        json_int(out, now_ms(front));
        json_end(out);
    }
    json_end(out);
}

/* {head order tail}: an order inside of something else. */
static void say_inside(struct front *front, const char *head, const struct wait *wait, bool whole,
                       struct text *out)
{
    const struct venue_order *order = order_named(front, wait->client_id);
    struct text inner;
    text_init(&inner);
    if (whole)
        say_order(front, order, wait->asker.face, &inner);
    else
        say_placed(front, order, wait->asker.face, "FULL", wait->first_fill, &inner);
    text_say(out, "%s%s}", head, text_cstr(&inner));
    text_fini(&inner);
}

static void say_done(struct front *front, struct wait *wait, struct text *out)
{
    char head[200];
    const struct venue_order *order = order_named(front, wait->client_id);
    enum face face = wait->asker.face;
    switch (wait->what) {
    case WAIT_PLACE:
        say_placed(front, order, face, face == FACE_SPOT ? "FULL" : "RESULT", wait->first_fill,
                   out);
        break;
    case WAIT_CANCEL: say_canceled(front, order, face, out); break;
    case WAIT_REPLACE:
        text_say(
            out,
            "{\"cancelResult\":\"SUCCESS\",\"newOrderResult\":\"SUCCESS\",\"cancelResponse\":%s,"
            "\"newOrderResponse\":",
            text_cstr(&wait->canceled));
        say_inside(front, "", wait, false, out);
        break;
    case WAIT_MODIFY:
        if (face == FACE_USDM) {
            say_placed(front, order, face, "RESULT", wait->first_fill, out);
            break;
        }
        snprintf(head, sizeof head, "{\"transactTime\":%lld,\"executionId\":%llu,\"amendedOrder\":",
                 (long long)now_ms(front), (unsigned long long)order->id);
        say_inside(front, head, wait, true, out);
        break;
    case WAIT_ACCOUNT: say_account(front, wait, out); break;
    case WAIT_POSITIONS: say_positions(front, out); break;
    }
}

static void say_badly(struct front *front, struct wait *wait)
{
    struct asker *asker = &wait->asker;
    if (wait->fault == 1 + FAULT_ERROR)
        answer_error(front, asker, 503, -1007,
                     "Timeout waiting for response from backend server. Send status unknown; "
                     "execution status unknown.");
    else if (wait->fault == 1 + FAULT_DISCONNECT)
        answer_nothing(asker);
    else if (asker->reply) /* an answer that never comes: the client's own time-out ends it */
        reply_send(asker->reply, 504, "", (struct weir_bytes){"", 0}, (weir_ns)60 * 1000000000);
}

void orders_settled(struct front *front)
{
    for (size_t i = 0; i < WAITS_MAX; i++) {
        struct wait *wait = &front->waits[i];
        struct text out;
        if (!wait->what || !wait->ready)
            continue;
        if (!wait->asker.reply && !wait->asker.client) {
            wait_end(wait);
            continue;
        }
        text_init(&out);
        if (wait->fault) {
            say_badly(front, wait);
        } else if (wait->refused) {
            say_refusal(front, wait);
        } else {
            say_done(front, wait, &out);
            answer_result(front, &wait->asker, &out, wait->delay_ms * 1000000);
        }
        text_fini(&out);
        wait_end(wait);
    }
}
