/* support_binance.h - a host for the plugin under test: it writes down all that it is asked and told.
 *
 * Each call of the plugin becomes one line of text, so a test reads as what was said:
 *   inst 1 BTCUSDT BTC/USDT spot tick=0 step=0 x1      book 1 snap 5..5 prev 0 rule 1 | 100*1 | 101*2
 *   top 1 #7 100*1 101*2 t=0                           trade 1 #9 100*1 buy t=5        get 16777217 /api/..
 *   conn 1 /stream?..    send 1 {...}    timer 16777217 5000000000    limited 429    log ...      */
#ifndef SUPPORT_BINANCE_H
#define SUPPORT_BINANCE_H

#include "base/text.h"
#include "weir/plugin.h"

struct fake {
    struct weir_host host;
    struct text said;
    const struct weir_plugin *plugin;
    void *session;
    enum weir_err answer; /* of request, connect and send */
};

/* The plugin out of the build folder. Ends the test if it cannot be had. */
void fake_open(struct fake *fake, const char *market, const char *symbols);
void fake_close(struct fake *fake);

/* What was said since the last time; valid until the next call. */
const char *fake_said(struct fake *fake);

enum weir_err fake_frame(struct fake *fake, uint32_t conn, const char *frame);

/* The frame with white space wherever JSON allows it. The caller frees it. */
char *with_spaces(const char *frame);

#endif
