/* plugin_okx.c - any bytes as what okx sends; see fuzz_venue.h. */
#define FUZZ_MARKETS "v5"
#define FUZZ_TARGETS "/api/v5/public/instruments?instType=SPOT"
#include "support/fuzz_venue.h"
