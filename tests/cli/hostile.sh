#!/usr/bin/env bash
# hostile.sh WEIR - the hostile scripts of the shared folder in a live host: hostile.py says how.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
scripts=${WEIR_SHARED:-$root/../shared}/hostile-lua
[ -d "$scripts" ] || { echo 'needs the shared folder'; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 "$root/tests/cli/hostile.py" "$(realpath "$1")" "$(realpath "$scripts")" "$dir"
