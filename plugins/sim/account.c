/* account.c - our account at the simulated exchange: the desk, on the books of exchange.c.
 *
 * Our orders stand in the same queues as everybody's; what they change is published like any other
 * change, right after it happened. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

enum { FILLS = 16384, FLIGHT = 1024 };

static void on_event(void *context, const struct weir_msg *event)
{
    const struct exchange *exchange = context;
    exchange->host->emit(exchange->host->host, event);
}

static void before(void *context, weir_ns t, const struct desk_touch *touch)
{
    struct exchange *exchange = context;
    (void)touch;
    exchange->now = t;
}

static void after(void *context, weir_ns t, const struct desk_touch *touch)
{
    struct exchange *exchange = context;
    (void)t;
    if (touch->px > 0 && touch->px < MATCH_PX_MAX)
        exchange_touch(exchange, touch->instrument - 1, touch->side, touch->px);
    exchange_publish(exchange, touch->instrument - 1);
}

static bool refuse(const struct exchange *exchange, const char *setting, const char *name)
{
    char line[160];
    (void)snprintf(line, sizeof line, "sim: %s: %s: not an instrument's or asset's, or too much",
                   setting, name);
    if (exchange->host->log)
        exchange->host->log(exchange->host->host, line);
    return false;
}

static bool hold(struct exchange *exchange, struct desk *desk, const struct named_amount *position)
{
    const struct settings *settings = exchange->settings;
    for (uint32_t i = 0; i < settings->instrument_count; i++) {
        weir_qty qty;
        if (strcmp(settings->instruments[i].symbol, position->name) == 0 &&
            amount_to(position->value, settings->instruments[i].qty_exp, &qty))
            return ledger_hold(desk_ledger(desk), i + 1, qty);
    }
    return refuse(exchange, "positions", position->name);
}

static bool pay_in(struct exchange *exchange, struct desk *desk)
{
    const struct settings *settings = exchange->settings;
    struct ledger *ledger = desk_ledger(desk);
    if (ledger_fees(ledger, settings->maker_fee_bps, settings->taker_fee_bps, FEE_QUOTE) != WEIR_OK)
        return refuse(exchange, "fees", "basis points");
    for (uint32_t i = 0; i < settings->instrument_count; i++)
        if (desk_define(desk, &settings->instruments[i], settings->instruments[i].tick) != WEIR_OK)
            return refuse(exchange, "instruments", settings->instruments[i].symbol);
    for (uint32_t i = 0; i < settings->balance_count; i++)
        if (strlen(settings->balances[i].name) >= WEIR_ASSET_MAX ||
            ledger_pay(ledger, settings->balances[i].name, settings->balances[i].value) != WEIR_OK)
            return refuse(exchange, "balances", settings->balances[i].name);
    for (uint32_t i = 0; i < settings->position_count; i++)
        if (!hold(exchange, desk, &settings->positions[i]))
            return false;
    return true;
}

struct desk *account_create(struct exchange *exchange)
{
    const struct settings *settings = exchange->settings;
    struct desk_config config = {.seed = settings->seed,
                                 .first_id = exchange_flow_ids(settings) + 1,
                                 .orders = settings->orders,
                                 .instruments = settings->instrument_count,
                                 .fills = FILLS,
                                 .flight = FLIGHT,
                                 .latency = {.of = {settings->latency, settings->latency,
                                                    settings->latency, settings->latency},
                                             .jitter = settings->jitter},
                                 .silence = settings->silence,
                                 .reject_ppm = settings->reject_ppm,
                                 .drop_request_ppm = settings->drop_request_ppm,
                                 .drop_ack_ppm = settings->drop_ack_ppm,
                                 .duplicate_fill_ppm = settings->duplicate_fill_ppm,
                                 .stp = settings->stp,
                                 .check_balance = settings->check_balance};
    struct desk_hooks hooks = {exchange, on_event, before, after, NULL};
    size_t bytes = (desk_bytes(&config) + 63) & ~(size_t)63;
    unsigned char *memory = aligned_alloc(64, bytes);
    if (!memory)
        return NULL;
    exchange->account_memory = memory;
    memset(memory, 0, bytes);
    struct arena arena = {memory, memory + bytes};
    struct desk *desk = desk_init(&arena, &config, exchange->match, &hooks);
    exchange->desk = desk;
    return desk && pay_in(exchange, desk) ? desk : NULL;
}
