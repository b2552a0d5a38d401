#!/usr/bin/env bash
# no_float.sh [ROOT] - do the places where money is worked out know no binary floating point?
# Neither a type nor a literal: 1e18 is a double, too.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/../..}"

exact=(host/engine sdk/include/weir 'host/base/decimal.*' 'host/base/map.*' 'host/base/pool.*' 'host/sim/match.*')
# shellcheck disable=SC2046,SC2048,SC2086 # the patterns are meant to expand
plain() { find $(ls -d ${exact[*]} 2>/dev/null) -name '*.[ch]' -print0 | xargs -0r awk -f "$here/plain.awk"; }

type='\b(float|double|_Float[0-9]+x?|_Decimal[0-9]+|__float128|__float80)\b'
literal='(^|[^[:alnum:]_.])([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+[eE][-+]?[0-9]+)'
if plain | grep -E ":[0-9]+:.*($type|$literal)"; then
    echo "no_float: these places work in integers alone; see host/base/decimal.h"
    exit 1
fi
echo "no_float: none in ${exact[*]}"
