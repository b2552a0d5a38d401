/* plugin_coinbase.c - any bytes as what coinbase sends; see fuzz_venue.h. */
#define FUZZ_MARKETS "advanced", "exchange"
#define FUZZ_TARGETS "/api/v3/brokerage/market/products"
#include "support/fuzz_venue.h"
