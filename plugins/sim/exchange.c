/* exchange.c - the books of the simulated exchange, and what the world is told of them.
 *
 * Every change of a level is noted while it happens and published as one message when the cause is
 * done: trades first, then the levels as they are now. Book messages are numbered one by one for each
 * instrument (rule NEXT); one that is dropped on purpose (gap_ppm) leaves its number unused. */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

enum { WINDOW = 16384, FAR_LEVELS = 4096, SIDES = 2 };

uint32_t exchange_flow_ids(const struct settings *settings)
{
    return settings->instrument_count * FLOW_IDS_PER_MARKET;
}

/* --- what the match reports --------------------------------------------------------------------*/

static struct weir_msg header(const struct exchange *exchange, size_t size, unsigned kind,
                              uint32_t index)
{
    return (struct weir_msg){.size = (uint32_t)size,
                             .kind = (uint16_t)kind,
                             .instrument = index + 1,
                             .t_venue = exchange->now};
}

static void on_fill(void *context, const struct match_fill *fill)
{
    struct exchange *exchange = context;
    struct market *market = &exchange->markets[fill->instrument];
    struct weir_trade trade = {.msg = header(exchange, sizeof trade, WEIR_TRADE, fill->instrument),
                               .id = ++market->trades,
                               .px = fill->px * market->is->tick,
                               .qty = fill->qty,
                               .aggressor = fill->side};
    exchange->host->emit(exchange->host->host, &trade.msg);
    exchange_touch(exchange, fill->instrument, !fill->side, fill->px);
    desk_fill(exchange->desk, exchange->now, fill);
}

static void on_removed(void *context, uint32_t id, const struct match_view *was)
{
    struct exchange *exchange = context;
    exchange_touch(exchange, was->instrument, was->side, was->px);
    desk_removed(exchange->desk, exchange->now, id);
}

/* --- its life ----------------------------------------------------------------------------------*/

static struct match *create_match(struct exchange *exchange)
{
    struct match_config config = {.orders = exchange_flow_ids(exchange->settings) +
                                            exchange->settings->orders,
                                  .instruments = exchange->settings->instrument_count,
                                  .window = WINDOW,
                                  .far = FAR_LEVELS};
    struct match_sink sink = {exchange, on_fill, on_removed};
    size_t bytes = (match_bytes(&config) + 63) & ~(size_t)63;
    void *memory = aligned_alloc(64, bytes);
    if (!memory)
        return NULL;
    memset(memory, 0, bytes);
    return match_init(memory, &config, &sink);
}

struct exchange *exchange_create(const struct weir_host *host, const struct settings *settings)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);
    if (!exchange)
        return NULL;
    exchange->host = host;
    exchange->settings = settings;
    exchange->dice = dice_of(settings->seed, 2);
    exchange->message = calloc(1, sizeof(struct weir_book_msg) +
                                      (size_t)SIDES * TOUCHED_MAX * sizeof(struct weir_level));
    exchange->match = create_match(exchange);
    for (uint32_t i = 0; i < settings->instrument_count; i++) {
        exchange->markets[i].is = &settings->instruments[i];
        exchange->markets[i].snapshot_at = INT64_MAX;
    }
    if (!exchange->message || !exchange->match) {
        exchange_destroy(exchange);
        return NULL;
    }
    return exchange;
}

void exchange_destroy(struct exchange *exchange)
{
    if (!exchange)
        return;
    free(exchange->account_memory);
    free(exchange->match);
    free(exchange->message);
    free(exchange);
}

/* --- changes -----------------------------------------------------------------------------------*/

void exchange_touch(struct exchange *exchange, uint32_t index, uint8_t side, int64_t px)
{
    struct market *market = &exchange->markets[index];
    uint32_t count = market->touched_count;
    if (count > 0 && market->touched[count - 1].px == px && market->touched[count - 1].side == side)
        return;
    if (count == TOUCHED_MAX) {
        market->too_many = true;
        return;
    }
    market->touched[count].px = px;
    market->touched[count].side = side;
    market->touched_count++;
}

enum match_end exchange_add(struct exchange *exchange, const struct match_order *order)
{
    int64_t left = 0;
    enum match_end end = match_add(exchange->match, order, &left);
    if (end == MATCH_RESTS)
        exchange_touch(exchange, order->instrument, order->side, order->px);
    return end;
}

void exchange_cancel(struct exchange *exchange, uint32_t id)
{
    struct match_view view;
    if (!match_order(exchange->match, id, &view))
        return;
    (void)match_cancel(exchange->match, id);
    exchange_touch(exchange, view.instrument, view.side, view.px);
}

/* --- what is told ------------------------------------------------------------------------------*/

static void send_book(struct exchange *exchange, uint32_t index, bool snapshot)
{
    struct weir_book_msg *message = exchange->message;
    size_t size = sizeof *message + (message->bids + message->asks) * sizeof(struct weir_level);
    message->msg = header(exchange, size, WEIR_BOOK, index);
    message->msg.flags = snapshot ? WEIR_BOOK_SNAPSHOT : 0;
    message->prev_seq = exchange->markets[index].seq;
    if (!snapshot)
        exchange->markets[index].seq++;
    message->first_seq = message->last_seq = exchange->markets[index].seq;
    if (snapshot || !dice_ppm(&exchange->dice, exchange->settings->gap_ppm))
        exchange->host->emit(exchange->host->host, &message->msg);
}

void exchange_snapshot(struct exchange *exchange, uint32_t index)
{
    struct market *market = &exchange->markets[index];
    uint32_t counts[SIDES] = {0}, at = 0;
    for (int side = WEIR_BUY; side <= WEIR_SELL; side++) {
        int64_t px, qty;
        for (bool more = match_best(exchange->match, index, (enum weir_side)side, &px, &qty);
             more && counts[side] < TOUCHED_MAX;
             more = match_next(exchange->match, index, (enum weir_side)side, px, &px, &qty)) {
            exchange->message->levels[at++] = (struct weir_level){px * market->is->tick, qty};
            counts[side]++;
        }
    }
    exchange->message->bids = counts[WEIR_BUY];
    exchange->message->asks = counts[WEIR_SELL];
    market->touched_count = 0;
    market->too_many = false;
    market->snapshot_at = INT64_MAX;
    send_book(exchange, index, true);
}

void exchange_publish(struct exchange *exchange, uint32_t index)
{
    struct market *market = &exchange->markets[index];
    uint32_t counts[SIDES] = {0}, at = 0;
    if (market->too_many) {
        exchange_snapshot(exchange, index);
        return;
    }
    if (market->touched_count == 0)
        return;
    for (int side = WEIR_BUY; side <= WEIR_SELL; side++)
        for (uint32_t i = 0; i < market->touched_count; i++) {
            int64_t px = market->touched[i].px;
            if (market->touched[i].side != side)
                continue;
            exchange->message->levels[at++] = (struct weir_level){
                px * market->is->tick, match_at(exchange->match, index, (enum weir_side)side, px)};
            counts[side]++;
        }
    exchange->message->bids = counts[WEIR_BUY];
    exchange->message->asks = counts[WEIR_SELL];
    market->touched_count = 0;
    send_book(exchange, index, false);
}
