/* fuzz_venue.h - any bytes as a frame, an answer or a recorded answer of a venue: nothing breaks, and
 * nothing nonsensical is told.
 *
 * The first byte chooses the market and where the bytes arrive. Each input goes to two sessions, of
 * which one has seen other frames before and refused them: both must tell the same. A frame that is
 * refused tells nothing. Define FUZZ_MARKETS and FUZZ_TARGETS (lists of texts), then include this. */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "weir/plugin.h"

enum { ROOM = 1 << 20 };

struct heard {
    unsigned char bytes[ROOM];
    size_t len;
};

static void check_book(const struct weir_book_msg *book)
{
    uint64_t levels = (uint64_t)book->bids + book->asks;
    assert(book->msg.size == sizeof *book + levels * sizeof book->levels[0]);
    assert(book->check <= WEIR_CHECK_DIGITS);
    for (uint64_t i = 0; i < levels; i++)
        assert(book->levels[i].px > 0 && book->levels[i].qty >= 0);
}

static void check_top(const struct weir_top *top)
{
    assert((top->bid > 0) == (top->bid_qty > 0) && (top->ask > 0) == (top->ask_qty > 0));
    assert(top->bid >= 0 && top->ask >= 0 && (top->ask == 0 || top->bid <= top->ask));
}

static void emit(void *host, const struct weir_msg *event)
{
    struct heard *heard = host;
    const void *message = event; /* every message begins with its header */
    assert(event->size % 8 == 0 && event->size >= sizeof *event && ((uintptr_t)event & 7) == 0);
    if (event->kind == WEIR_BOOK) {
        check_book(message);
    } else if (event->kind == WEIR_TOP) {
        check_top(message);
    } else if (event->kind == WEIR_TRADE) {
        const struct weir_trade *trade = message;
        assert(trade->px > 0 && trade->qty > 0 && trade->aggressor <= WEIR_SELL);
    } else if (event->kind == WEIR_FUNDING_RATE) {
        const struct weir_funding_rate *rate = message;
        assert(rate->rate >= -1000000000000 && rate->rate <= 1000000000000 && rate->t_next >= 0);
    } else if (event->kind == WEIR_MARK || event->kind == WEIR_INDEX) {
        assert(((const struct weir_mark *)message)->px > 0);
    } else if (event->kind == WEIR_L3) {
        const struct weir_l3 *order = message;
        assert(order->px >= 0 && order->qty >= 0 && order->action <= WEIR_L3_MATCH);
    } else if (event->kind == WEIR_INSTRUMENT) {
        const struct weir_instrument *is = message;
        assert(is->symbol[0] && is->price_exp >= 0 && is->qty_exp >= 0 && is->multiplier > 0);
        assert(is->price_exp + is->qty_exp <= 18 && is->multiplier_exp <= 18);
    } else {
        assert(event->kind == WEIR_SEQUENCE || event->kind == WEIR_RATE_LIMITED);
    }
    if (heard->len + event->size <= ROOM)
        memcpy(heard->bytes + heard->len, event, event->size);
    heard->len += event->size;
}

static enum weir_err no_frame(void *host, uint32_t conn, struct weir_bytes frame)
{
    (void)host, (void)conn;
    assert(frame.len > 0 && frame.len < 512);
    return WEIR_E_DOWN;
}

static enum weir_err no_request(void *host, const struct weir_request_http *request)
{
    (void)host;
    assert(request->path[0] == '/' && strlen(request->path) < 512);
    return WEIR_E_DOWN;
}

static enum weir_err no_timer(void *host, uint32_t id, weir_ns t)
{
    (void)host, (void)id, (void)t;
    return WEIR_OK;
}

static const char *const fuzz_markets[] = {FUZZ_MARKETS};
static const char *const fuzz_targets[] = {FUZZ_TARGETS};
enum {
    FUZZ_MARKET_COUNT = sizeof fuzz_markets / sizeof fuzz_markets[0],
    FUZZ_TARGET_COUNT = sizeof fuzz_targets / sizeof fuzz_targets[0]
};

static enum weir_err give(void *session, uint8_t how, struct weir_bytes bytes)
{
    how %= FUZZ_TARGET_COUNT + 4;
    if (how >= FUZZ_TARGET_COUNT)
        return weir_plugin.on_frame(session, 1, 7, bytes);
    const char *target = fuzz_targets[how];
    return weir_plugin.on_recorded(session, 7, (struct weir_bytes){target, strlen(target)}, bytes);
}

static void once(const struct weir_setting *settings, struct heard *heard, uint8_t how,
                 struct weir_bytes bytes, bool warm)
{
    void *session;
    struct weir_host host = {.size = sizeof host,
                             .abi = WEIR_ABI,
                             .host = heard,
                             .emit = emit,
                             .send = no_frame,
                             .request = no_request,
                             .timer = no_timer};
    heard->len = 0;
    enum weir_err err = weir_plugin.open(&host, settings, &session);
    assert(err == WEIR_OK);
    if (warm) { /* a frame that ends too early, and one of nothing */
        struct weir_bytes half = {bytes.data, bytes.len / 2};
        if (give(session, how, half) != WEIR_OK)
            assert(heard->len % 8 == 0);
        heard->len = 0;
    }
    (void)give(session, how, bytes);
    weir_plugin.close(session);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct heard cold, again;
    if (len == 0)
        return 0;
    struct weir_bytes bytes = {(const char *)data + 1, len - 1};
    struct weir_setting settings[] = {{"market", fuzz_markets[data[0] % FUZZ_MARKET_COUNT]},
                                      {NULL, NULL}};
    uint8_t how = data[0] / FUZZ_MARKET_COUNT;
    once(settings, &cold, how, bytes, false);
    once(settings, &again, how, bytes, false);
    assert(cold.len == again.len &&
           memcmp(cold.bytes, again.bytes, cold.len < ROOM ? cold.len : ROOM) == 0);
    once(settings, &again, how, bytes, true);
    struct weir_probe probe;
    if (weir_plugin.probe(bytes, &probe) == WEIR_OK)
        assert(memchr(probe.market, '\0', sizeof probe.market) &&
               memchr(probe.symbol, '\0', sizeof probe.symbol) &&
               memchr(probe.type, '\0', sizeof probe.type) &&
               memchr(probe.stream, '\0', sizeof probe.stream));
    return 0;
}
