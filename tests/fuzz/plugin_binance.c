/* plugin_binance.c - any bytes as a frame of Binance: nothing breaks, nothing nonsensical is told, and
 * the strict scan tells what the general scan tells.
 *
 * The first byte chooses the market and where the bytes arrive: as a frame, as an answer to a
 * request, as a recorded answer. Each input goes to two sessions, one of which has only the general
 * scan; what the two emit must be equal, byte for byte. Only the error may differ in kind. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../plugins/binance/binance.h"

enum { ROOM = 1 << 20 };

struct heard {
    unsigned char bytes[ROOM];
    size_t len;
};

static void emit(void *host, const struct weir_msg *event)
{
    struct heard *heard = host;
    const void *message = event; /* every message begins with its header */
    assert(event->size % 8 == 0 && event->size >= sizeof *event);
    if (event->kind == WEIR_BOOK) {
        const struct weir_book_msg *book = message;
        uint64_t levels = (uint64_t)book->bids + book->asks;
        assert(event->size == sizeof *book + levels * sizeof book->levels[0]);
        assert(book->first_seq <= book->last_seq && event->flags >> WEIR_BOOK_RULE_SHIFT != 0);
        for (uint64_t i = 0; i < levels; i++)
            assert(book->levels[i].px > 0 && book->levels[i].qty >= 0);
    } else if (event->kind == WEIR_TOP) {
        const struct weir_top *top = message;
        assert(top->bid >= 0 && top->ask >= 0 && top->bid_qty >= 0 && top->ask_qty >= 0);
    } else if (event->kind == WEIR_TRADE) {
        const struct weir_trade *trade = message;
        assert(event->flags & WEIR_TRADE_OFF_BOOK || (trade->px > 0 && trade->qty > 0));
    } else {
        assert(event->kind == WEIR_INSTRUMENT || event->kind == WEIR_RATE_LIMITED);
    }
    if (heard->len + event->size <= ROOM)
        memcpy(heard->bytes + heard->len, event, event->size);
    heard->len += event->size;
}

static enum weir_err no_frame(void *host, uint32_t conn, struct weir_bytes frame)
{
    (void)host, (void)conn, (void)frame;
    return WEIR_E_DOWN;
}

static enum weir_err no_request(void *host, const struct weir_request_http *request)
{
    (void)host;
    assert(request->path[0] == '/' && strlen(request->path) < 96);
    return WEIR_E_DOWN;
}

static enum weir_err no_timer(void *host, uint32_t id, weir_ns t)
{
    (void)host, (void)id, (void)t;
    return WEIR_OK;
}

static enum weir_err give(struct binance *session, uint8_t how, struct weir_bytes bytes)
{
    static const char depth[] = "https://x/api/v3/depth?symbol=ETHUSDT&limit=5",
                      info[] = "/exchangeInfo";
    switch (how % 5) {
    case 0: return weir_plugin.on_response(session, 1 << 24 | 1, 7, 200, bytes);
    case 1:
        return weir_plugin.on_recorded(session, 7, (struct weir_bytes){depth, sizeof depth - 1},
                                       bytes);
    case 2:
        return weir_plugin.on_recorded(session, 7, (struct weir_bytes){info, sizeof info - 1},
                                       bytes);
    default: return weir_plugin.on_frame(session, how % 2, 7, bytes);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char known[] =
        "{\"u\":1,\"s\":\"BTCUSDT\",\"b\":\"1\",\"B\":\"1\",\"a\":\"2\",\"A\":\"1\"}";
    static const char *const names[] = {"spot", "usdm", "cm"};
    static struct heard heard[2];
    struct weir_host hosts[2];
    struct binance *sessions[2];
    enum weir_err errs[2];
    if (len == 0)
        return 0;
    struct weir_bytes bytes = {(const char *)data + 1, len - 1};
    struct weir_setting settings[] = {{"market", names[data[0] % 3]}, {NULL, NULL}};
    for (int i = 0; i < 2; i++) {
        void *session;
        heard[i].len = 0;
        hosts[i] = (struct weir_host){.size = sizeof hosts[i],
                                      .abi = WEIR_ABI,
                                      .host = &heard[i],
                                      .emit = emit,
                                      .send = no_frame,
                                      .request = no_request,
                                      .timer = no_timer};
        enum weir_err err = weir_plugin.open(&hosts[i], settings, &session);
        assert(err == WEIR_OK);
        sessions[i] = session;
        sessions[i]->slow_only = i == 1;
        err = weir_plugin.on_frame(session, 1, 5, (struct weir_bytes){known, sizeof known - 1});
        assert(err == WEIR_OK);
        errs[i] = give(sessions[i], data[0] / 3, bytes);
    }
    assert((errs[0] == WEIR_OK) == (errs[1] == WEIR_OK));
    assert(heard[0].len == heard[1].len);
    assert(memcmp(heard[0].bytes, heard[1].bytes, heard[0].len < ROOM ? heard[0].len : ROOM) == 0);
    for (int i = 0; i < 2; i++)
        weir_plugin.close(sessions[i]);
    struct weir_probe probe;
    if (weir_plugin.probe(bytes, &probe) == WEIR_OK)
        assert(memchr(probe.market, 0, sizeof probe.market) &&
               memchr(probe.symbol, 0, sizeof probe.symbol) &&
               memchr(probe.type, 0, sizeof probe.type));
    return 0;
}
