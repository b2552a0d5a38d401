#!/usr/bin/env bash
# abi.sh [--record] [ROOT] - is what sdk/include/weir says to a compiled plugin still what sdk/abi/weir-N.abi has, N
# being WEIR_ABI? A new enumerator may be added; anything else wants a new N. --record writes the file.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
record=''
[ "${1:-}" = --record ] && { record=1; shift; }
cd "${1:-$here/../..}"
command -v abidiff >/dev/null && command -v abidw >/dev/null || { echo "abi: no abidiff here (abigail-tools)"; exit 77; }
number=$(sed -n 's/^#define WEIR_ABI *\([0-9]*\)u$/\1/p' sdk/include/weir/plugin.h)
known=sdk/abi/weir-$number.abi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cc -std=c17 -g -shared -fPIC -fvisibility=hidden -Isdk/include -o "$dir/weir-$number.so" -x c - <"$here/abi.c"
if [ -n "$record" ]; then
    abidw --no-corpus-path --no-comp-dir-path --no-show-locs --out-file "$known" "$dir/weir-$number.so"
    echo "abi: recorded $known"
    exit
fi
[ -f "$known" ] || { echo "abi: expected $known, found none; write it with tests/tidy/abi.sh --record"; exit 1; }
code=0
abidiff "$known" "$dir/weir-$number.so" >"$dir/said" || code=$?
if [ "$code" = 0 ]; then
    echo "abi: what a plugin sees is what $known has"
    exit
fi
cat "$dir/said"
echo "abi: a plugin that was compiled before would misread this host: raise WEIR_ABI in plugin.h, or, if no release"
echo "abi: has had it yet, record it anew with tests/tidy/abi.sh --record; sdk/README.md says when"
exit 1
