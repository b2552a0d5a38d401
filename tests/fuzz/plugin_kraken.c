/* plugin_kraken.c - any bytes as what kraken sends; see fuzz_venue.h. */
#define FUZZ_MARKETS "spot"
#define FUZZ_TARGETS "https://x/0/public/AssetPairs"
#include "support/fuzz_venue.h"
