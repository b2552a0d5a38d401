/* plugin_bitstamp.c - any bytes as what bitstamp sends; see fuzz_venue.h. */
#define FUZZ_MARKETS "spot"
#define FUZZ_TARGETS "/api/v2/order_book/btcusd", "/api/v2/trading-pairs-info/"
#include "support/fuzz_venue.h"
