/* sim.h - the parts of the simulated exchange.
 *
 *   settings.c   what the operator wants
 *   exchange.c   the books: matching, and what is published of it
 *   flow.c       everybody else: a fair price that wanders, and those who trade around it
 *   account.c    our account: its orders, answers and wallet (on host/sim/desk)
 *   sim.c        the plugin
 *
 * Time is the host's: nothing happens but at times that were planned before, so the market does not
 * depend on how often the host looks. Everything is drawn from the seed. No floating point. */
#ifndef PLUGIN_SIM_H
#define PLUGIN_SIM_H

#include "sim/desk/desk.h"
#include "sim/desk/dice.h"
#include "sim/match.h"
#include "weir/plugin.h"

enum { MARKETS_MAX = 8, MONEY_MAX = 16, TOUCHED_MAX = 4096 };
#define MILLISECOND ((weir_ns)1000000)
#define SECOND      ((weir_ns)1000000000)

/* --- settings.c ---------------------------------------------------------------------------------*/

struct named_amount {
    char name[WEIR_SYMBOL_MAX];
    amount value;
};

struct settings {
    uint64_t seed;
    struct weir_instrument instruments[MARKETS_MAX]; /* msg.instrument is the number, from 1 */
    int64_t start[MARKETS_MAX];                      /* first price, ticks */
    uint32_t instrument_count;
    uint32_t rate;       /* events a second of each instrument */
    uint32_t volatility; /* basis points a minute */
    struct named_amount balances[MONEY_MAX], positions[MONEY_MAX];
    uint32_t balance_count, position_count;
    amount maker_fee_bps, taker_fee_bps;
    weir_ns latency, jitter, silence;
    uint32_t reject_ppm, drop_ack_ppm, drop_request_ppm, duplicate_fill_ppm, gap_ppm;
    uint32_t orders; /* of ours at one time, ended ones that can still be asked for included */
    enum match_stp stp;
    bool linear; /* contracts settled in the quote asset, not pairs that are exchanged */
    bool check_balance;
};

/* An error was said with host->log. */
enum weir_err settings_read(const struct weir_host *host, const struct weir_setting *list,
                            struct settings *settings_out);

/* --- exchange.c ---------------------------------------------------------------------------------*/

struct market {
    const struct weir_instrument *is;
    uint64_t seq; /* of its book messages */
    uint64_t trades;
    weir_ns snapshot_at; /* somebody asked for a snapshot; INT64_MAX: nobody */
    bool too_many;       /* levels were touched: a snapshot says it all */
    uint32_t touched_count;
    struct {
        int64_t px;
        uint8_t side;
    } touched[TOUCHED_MAX];
};

struct exchange {
    const struct weir_host *host;
    const struct settings *settings;
    struct match *match;
    struct desk *desk;    /* account.c's; told of every fill */
    void *account_memory; /* in which it lives */
    struct dice dice;
    weir_ns now;
    struct market markets[MARKETS_MAX]; /* by index: instrument number - 1 */
    struct weir_book_msg *message;      /* room for the largest */
};

struct exchange *exchange_create(const struct weir_host *host, const struct settings *settings);
void exchange_destroy(struct exchange *exchange); /* accepts NULL */
uint32_t exchange_flow_ids(
    const struct settings *settings); /* order numbers 1 .. these are flow.c's */

/* An order of the flow. What it changes is published by exchange_publish. */
enum match_end exchange_add(struct exchange *exchange, const struct match_order *order);
void exchange_cancel(struct exchange *exchange, uint32_t id);
void exchange_touch(struct exchange *exchange, uint32_t index, uint8_t side, int64_t px);
void exchange_publish(struct exchange *exchange, uint32_t index);
void exchange_snapshot(struct exchange *exchange, uint32_t index);

/* --- flow.c -------------------------------------------------------------------------------------*/

struct flow;
enum { FLOW_IDS_PER_MARKET = 256 };

struct flow *flow_create(struct exchange *exchange);
void flow_destroy(struct flow *flow); /* accepts NULL */
/* Fill the books, so that they look as if the market had been open for long. */
void flow_open(struct flow *flow, weir_ns now);
weir_ns flow_next(const struct flow *flow);
/* Do the one thing that is planned for flow_next(). */
void flow_step(struct flow *flow);
/* Nobody looked for so long that catching up would take longer than it is worth: go on from t. */
void flow_skip_to(struct flow *flow, weir_ns t);

/* --- account.c ----------------------------------------------------------------------------------*/

/* NULL: out of memory, or a balance or position that cannot be (said with host->log). It goes with the
 * exchange. */
struct desk *account_create(struct exchange *exchange);

#endif
