/* support_sim.h - a host for the simulated exchange: a clock, one timer, and somebody who looks at
 * everything that is told: each event must be one that a host accepts, book messages must follow
 * each other, and what is read off them must be a market. */
#ifndef SUPPORT_SIM_H
#define SUPPORT_SIM_H

#include "base/decimal.h"
#include "base/hash.h"
#include "engine/book.h"
#include "weir/plugin.h"

enum { SIM_MARKETS = 8, SIM_KEPT = 20000 };

struct sim_market {
    struct weir_instrument is;
    struct book *book;
    uint64_t seq, trades, gaps, crossed, messages, snapshots;
    bool in_step;
    weir_qty volume[2]; /* by aggressor */
    weir_px low, high;
};

struct sim_host {
    struct weir_host host;
    const struct weir_plugin *plugin;
    void *session;
    weir_ns now, timer;
    struct sha256 *sha; /* of all event bytes */
    uint64_t events;
    uint64_t kinds[200];
    uint64_t bad; /* events that a host would not take */
    char said[1024];
    struct sim_market markets[SIM_MARKETS + 1];
    bool keep; /* reports and executions: */
    union sim_kept {
        struct weir_msg msg;
        struct weir_report report;
        struct weir_fill fill;
        struct weir_cash cash;
    } * kept;
    size_t kept_count;
};

/* E.g. {"seed", "7", NULL}. Ends the test if it does not open, unless err_out is given. */
void sim_open(struct sim_host *sim, const char *const *settings, enum weir_err *err_out);
void sim_close(struct sim_host *sim);
void sim_start(struct sim_host *sim, weir_ns now);
/* Until then, the plugin's timer is due at the time it was set for, or, with a grid, when the clock
 * shows the next multiple of it. */
void sim_run(struct sim_host *sim, weir_ns until, weir_ns grid);
void sim_events(struct sim_host *sim, uint64_t events); /* until so many were told */
void sim_fingerprint(const struct sim_host *sim, char text[65]);

/* kind, then client_id; the rest by the caller. */
struct weir_intent sim_intent(enum weir_kind kind, const char *client_id, uint32_t instrument);
struct weir_intent sim_order(const char *client_id, enum weir_side side, weir_px px, weir_qty qty,
                             enum weir_tif tif); /* of instrument 1; px 0: market */
void sim_send(struct sim_host *sim, const struct weir_intent *intent);
/* The last event kept of this kind and client id; NULL: none. */
const union sim_kept *sim_last(const struct sim_host *sim, enum weir_kind kind,
                               const char *client_id);

#endif
