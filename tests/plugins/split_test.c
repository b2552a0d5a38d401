/* split_test.c - the messages of each venue through WebSocket frames that are split, joined and cut into
 * pieces anywhere: the plugin says the same events. The recordings are not in the tree. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/frames.h"
#include "sim/recording.h"
#include "support/random.h"
#include "venue/venue.h"

enum { MESSAGES = 150, STREAM_ROOM = 16 << 20, MESSAGE_MAX = 8 << 20 };

static const struct {
    const char *file, *plugin, *market;
} venues[] = {
    {"OKX.jsonl.gz", "okx", "v5"},
    {"KRAKEN.jsonl.gz", "kraken", "spot"},
    {"BYBIT.jsonl.gz", "bybit", "linear"},
    {"COINBASE.jsonl.gz", "coinbase", "advanced"},
    {"text/COINBASE_PRO-20210417.txt.gz", "coinbase", "exchange"},
    {"BITSTAMP.jsonl.gz", "bitstamp", "spot"},
    {"DERIBIT.jsonl.gz", "deribit", "v2"},
    {"BINANCE_FUTURES.jsonl.gz", "binance", "usdm"},
};

/* --- the plugin, heard ---------------------------------------------------------------------------*/

struct ear {
    struct weir_host host;
    const struct weir_plugin *plugin;
    void *session;
    uint64_t sum, events, messages;
};

static void emit(void *context, const struct weir_msg *event)
{
    struct ear *ear = context;
    const unsigned char *bytes = (const unsigned char *)event;
    for (uint32_t i = 0; i < event->size; i++)
        ear->sum = (ear->sum ^ bytes[i]) * 0x100000001b3u;
    ear->events++;
}

static enum weir_err no_frame(void *host, uint32_t conn, struct weir_bytes frame)
{
    (void)host, (void)conn, (void)frame;
    return WEIR_E_DOWN;
}

static enum weir_err no_request(void *host, const struct weir_request_http *request)
{
    (void)host, (void)request;
    return WEIR_E_DOWN;
}

static void ear_open(struct ear *ear, const struct weir_plugin *plugin, const char *market)
{
    struct weir_setting settings[] = {{"market", market}, {NULL, NULL}};
    *ear = (struct ear){.plugin = plugin, .sum = 14695981039346656037u};
    ear->host = (struct weir_host){.size = sizeof ear->host,
                                   .abi = WEIR_ABI,
                                   .host = ear,
                                   .emit = emit,
                                   .send = no_frame,
                                   .request = no_request};
    cr_assert_eq(plugin->open(&ear->host, settings, &ear->session), WEIR_OK);
}

static bool hear(void *context, struct weir_bytes message)
{
    struct ear *ear = context;
    (void)!ear->plugin->on_frame(ear->session, 1, 1, message);
    ear->messages++;
    return true;
}

/* --- the venue's side of a WebSocket -------------------------------------------------------------*/

struct wire {
    struct ear *ear;
    unsigned char *bytes;
    size_t len, at;
    uint64_t random;
};

static void put_frame(struct wire *wire, unsigned char head, const char *data, size_t len)
{
    unsigned char *to = wire->bytes + wire->len;
    cr_assert_lt(wire->len + len + 10, (size_t)STREAM_ROOM);
    *to++ = head;
    int more = len < 126 ? 0 : len < 65536 ? 2 : 8;
    *to++ = (unsigned char)(more == 0 ? len : more == 2 ? 126 : 127);
    for (int i = more; i-- > 0;)
        *to++ = (unsigned char)((uint64_t)len >> (8 * i));
    memcpy(to, data, len);
    wire->len = (size_t)(to - wire->bytes) + len;
}

/* A text message as one frame or as several, with a ping among them now and then. */
static void put_message(struct wire *wire, struct weir_bytes message)
{
    size_t at = 0;
    do {
        size_t left = message.len - at;
        size_t len = random_below(&wire->random, 3) ? left : random_below(&wire->random, left + 1);
        bool last = at + len == message.len;
        put_frame(wire, (unsigned char)((last ? 0x80 : 0) | (at == 0 && wire->at == 0 ? 1 : 0)),
                  message.data + at, len);
        wire->at = !last; /* used as "a fragment came" while the stream is made */
        at += len;
        if (random_below(&wire->random, 8) == 0)
            put_frame(wire, 0x89, "ping", 4);
        if (last)
            break;
    } while (true);
    wire->at = 0;
}

static ssize_t read_some(void *context, void *bytes, size_t room)
{
    struct wire *wire = context;
    size_t left = wire->len - wire->at, len = left < room ? left : room;
    if (len == 0)
        return FRAMES_AGAIN;
    if (random_below(&wire->random, 4) != 0)
        len = 1 + random_below(&wire->random, len < 700 ? len : 700);
    memcpy(bytes, wire->bytes + wire->at, len);
    wire->at += len;
    return (ssize_t)len;
}

static ssize_t write_all(void *context, const void *bytes, size_t len)
{
    (void)context, (void)bytes;
    return (ssize_t)len;
}

static bool on_message(void *context, struct weir_bytes message)
{
    return hear(((struct wire *)context)->ear, message);
}

static void through_frames(struct wire *wire)
{
    struct frames frames;
    char why[128] = "";
    struct frames_io io = {
        .context = wire, .read = read_some, .write = write_all, .message = on_message};
    cr_assert(frames_init(&frames, &io, MESSAGE_MAX, 1 << 16) && frames_reset(&frames));
    wire->at = 0;
    for (enum frames_step step = FRAMES_MORE; wire->at < wire->len || step == FRAMES_MORE;) {
        step = frames_read(&frames, 7, why, sizeof why);
        cr_assert_leq(step, FRAMES_MORE, "%s", why);
    }
    frames_fini(&frames);
}

/* ------------------------------------------------------------------------------------------------*/

static const char *shared(const char *path)
{
    static char whole[1024];
    const char *folder = getenv("WEIR_SHARED");
    (void)snprintf(whole, sizeof whole, "%s/data/%s", folder ? folder : SOURCE_DIR "/../shared",
                   path);
    return whole;
}

Test(split, frames_in_any_pieces_say_the_same_events)
{
    if (access(shared("golden.json"), R_OK) != 0)
        cr_skip_test("needs the shared folder");
    struct wire wire = {.bytes = malloc(STREAM_ROOM), .random = 5};
    for (size_t i = 0; i < sizeof venues / sizeof venues[0]; i++) {
        char path[512];
        struct plugin *plugin;
        struct why why;
        struct record record;
        struct ear whole, pieces;
        (void)snprintf(path, sizeof path, BUILD_DIR "/plugins/%s.so", venues[i].plugin);
        cr_assert_eq(plugin_load(path, &plugin, &why), WEIR_OK, "%s", why.text);
        ear_open(&whole, plugin_descriptor(plugin), venues[i].market);
        ear_open(&pieces, plugin_descriptor(plugin), venues[i].market);
        (void)snprintf(path, sizeof path, "captures/%s", venues[i].file);
        struct recording *recording = recording_open(shared(path), &why);
        cr_assert_not_null(recording, "%s", why.text);
        wire.len = wire.at = 0;
        wire.ear = &pieces;
        while (whole.messages < MESSAGES) {
            cr_assert_eq(recording_next(recording, &record, &why), WEIR_OK, "%s", why.text);
            if (record.kind == RECORD_END)
                break;
            if (record.kind != RECORD_FRAME || record.bytes.len > 1 << 20)
                continue;
            put_message(&wire, record.bytes);
            (void)hear(&whole, record.bytes);
        }
        recording_close(recording);
        through_frames(&wire);
        cr_expect(whole.messages == pieces.messages && whole.events == pieces.events &&
                      whole.sum == pieces.sum && whole.events > 20,
                  "%s %s: %zu messages and %zu events, in pieces %zu and %zu", venues[i].plugin,
                  venues[i].market, (size_t)whole.messages, (size_t)whole.events,
                  (size_t)pieces.messages, (size_t)pieces.events);
        plugin_descriptor(plugin)->close(whole.session);
        plugin_descriptor(plugin)->close(pieces.session);
    }
    free(wire.bytes);
}
