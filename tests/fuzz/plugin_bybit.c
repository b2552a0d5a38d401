/* plugin_bybit.c - any bytes as what bybit sends; see fuzz_venue.h. */
#define FUZZ_MARKETS "linear", "spot", "inverse"
#define FUZZ_TARGETS "/v5/market/instruments-info?category=linear"
#include "support/fuzz_venue.h"
