/* binance_ask.c - questions about orders, executions, money and positions. */
#include <stdlib.h>
#include <string.h>

#include "exchange/binance.h"

/* Questions see the venue as it was a while ago, where a fault says so. */
bool is_too_new(const struct front *front, int64_t t_ms)
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
    (void)param_number(params, "startTime", 0, &since);
    (void)param_number(params, "fromId", 0, &from);
    (void)param_number(params, "orderId", 0, &order);
    (void)param_number(params, "limit", 0, &limit);
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
