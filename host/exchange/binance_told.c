/* binance_told.c - what the market says of orders: into the venue's numbers, reports, answers that wait. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/binance.h"

/* --- what the market says --------------------------------------------------------------------- */

void report_to(struct front *front, const struct venue_order *order, const char *what,
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
        .realized = told->realized,
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
    if (order && !order->acked) {
        order_forget(front, order);
    } else if (order && type_triggers(order->type) && order->state == WEIR_STATE_OPEN) {
        struct event_fate none = {0}; /* what it waited for came, and it could not be done */
        order->state = WEIR_STATE_EXPIRED;
        order->changed_ms = now_ms(front);
        trigger_note(front, order, WEIR_EXPIRED, WEIR_STATE_EXPIRED);
        report_to(front, order, "EXPIRED", NULL, order->client_id, none);
    }
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
