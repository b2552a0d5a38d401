#!/usr/bin/env bash
# layers.sh [ROOT] - does each file include only what its row of layers.txt allows?
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/../..}"

sources() { find host sdk plugins -name '*.[ch]' -o -name '*.inc' 2>/dev/null | LC_ALL=C sort; }
includes() { sources | xargs -r grep -nHE '^[[:space:]]*#[[:space:]]*include' || true; }

awk -f "$here/layers.awk" "$here/layers.txt" <(sources) <(includes)
