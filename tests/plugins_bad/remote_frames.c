/* remote_frames.c DIR - what a venue says to plugins/remote, whose frames are the SDK's own structs, as recordings
 * for `weir plugin check`. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "weir/plugin.h"

static int write_frame(const char *folder, const char *name, const void *frame, size_t size)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "wb");
    return !out || fwrite(frame, 1, size, out) != size || fclose(out) != 0;
}

int main(int argc, char **argv)
{
    char orders[512];
    struct weir_instrument market = {
        .msg = {.size = sizeof market, .kind = WEIR_INSTRUMENT, .instrument = 1},
        .symbol = "ABC-USD",
        .base = "ABC",
        .quote = "USD",
        .price_exp = 2,
        .qty_exp = 2,
        .multiplier = 1,
        .tick = 1,
        .step = 1};
    struct weir_session up = {
        .msg = {.size = sizeof up, .kind = WEIR_SESSION, .flags = WEIR_STREAM_UP}};
    struct weir_trade trade = {.msg = {.size = sizeof trade, .kind = WEIR_TRADE, .instrument = 1},
                               .id = 7,
                               .px = 1000,
                               .qty = 25};
    struct weir_report ack = {.msg = {.size = sizeof ack, .kind = WEIR_ACK, .instrument = 1},
                              .client_id = "w100000000000001",
                              .venue_id = "77"};
    struct weir_fill fill = {.msg = {.size = sizeof fill, .kind = WEIR_FILL, .instrument = 1},
                             .client_id = "w100000000000001",
                             .venue_id = "77",
                             .exec_id = "9",
                             .px = 999,
                             .qty = 250};
    if (argc != 2)
        return 2;
    snprintf(orders, sizeof orders, "%s/orders", argv[1]);
    if (mkdir(argv[1], 0755) != 0 || mkdir(orders, 0755) != 0)
        return 1;
    return write_frame(argv[1], "1-instrument.bin", &market, sizeof market) ||
           write_frame(argv[1], "2-session.bin", &up, sizeof up) ||
           write_frame(argv[1], "3-trade.bin", &trade, sizeof trade) ||
           write_frame(orders, "1-ack.bin", &ack, sizeof ack) ||
           write_frame(orders, "2-fill.bin", &fill, sizeof fill);
}
