/* binance_answer.c - answers to what was asked, when all of one moment was said; or none, as a fault wants it. */
#include <stdio.h>
#include <string.h>

#include "exchange/binance.h"

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
    case WAIT_ALGO: algo_say(front, wait->client_id, out); break;
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
