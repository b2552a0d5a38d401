/* trial.h - a market for scripts that stand in no configuration: `weir try`, `weir script repl`.
 *
 * Either the simulated venue `sim` (BTC-USD, ETH-USD, SOL-USD), or recordings, with the venues of a
 * configuration and what it says of their execution. All limits are none.    [main thread] */
#ifndef WEIR_CONTROL_TRIAL_H
#define WEIR_CONTROL_TRIAL_H

#include "control/tape.h"

struct trial_market {
    struct config config;
    struct config_venue venue;
    struct config_limit limits[4 * RISK_LIMIT_COUNT];
    struct config *recorded; /* whose venues take the recordings; NULL: the simulated venue */
    struct tape *tape;
};

/* data: paths of recordings, none: the simulated venue. scripts are borrowed. options_out gets where time
 * and data come from. An error leaves nothing to close. */
enum weir_err trial_open(struct trial_market *market, const char *const *data, size_t data_count,
                         const char *config_path, const struct config_script *scripts,
                         size_t script_count, struct host_options *options_out,
                         struct why *why) WEIR_MUST_USE;
void trial_close(struct trial_market *market); /* after the host */

/* A script with room: 64 MiB, 1000 orders a second. imports: ended by NULL; NULL: none. */
void trial_script(struct config_script *script, const char *name, const char *file, bool orders,
                  const char *const *imports);

#endif
