/* plugin_deribit.c - any bytes as what deribit sends; see fuzz_venue.h. */
#define FUZZ_MARKETS "v2"
#define FUZZ_TARGETS "/api/v2/public/get_instruments?currency=BTC"
#include "support/fuzz_venue.h"
