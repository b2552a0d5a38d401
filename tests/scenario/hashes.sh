#!/usr/bin/env bash
# hashes.sh WEIR OTHER... - the stories give the same journals, byte for byte, whatever compiler built
# the engine and with whatever sanitizers: each line of `weir scenario --hash`, of this build and of
# the others that are newer than the sources. Exit 77: there is no other build to compare with.
set -u
weir=$1
shift
root=$(cd "$(dirname "$0")/../.." && pwd)
shopt -s nullglob
files=("$root"/tests/scenario/*.json "${WEIR_SHARED:-$root/../shared}"/scenarios/S*.json)
[ ${#files[@]} -gt 0 ] || { echo "FAIL there is no story"; exit 1; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0 others=0

"$weir" scenario --hash "${files[@]}" >"$dir/this" 2>&1 || { echo "FAIL this build"; grep -v ^PASS "$dir/this"; failed=1; }
for other in "$@"; do
    # a build that is older than the sources says nothing
    [ -x "$other" ] && [ -z "$(find "$root/host" "$root/sdk" -name '*.[ch]' -newer "$other" -print -quit)" ] || continue
    others=$((others + 1))
    "$other" scenario --hash "${files[@]}" >"$dir/other" 2>&1
    equal=$(grep -cxFf "$dir/this" <(grep '^PASS .* ' "$dir/other"))
    passed=$((passed + equal))
    if [ "$equal" != "${#files[@]}" ]; then
        failed=$((failed + 1))
        echo "FAIL $other says otherwise:"
        diff "$dir/this" "$dir/other" | head -n 20
    fi
done
[ "$others" -gt 0 ] || [ "$failed" -gt 0 ] || { echo "skipped: no other build is newer than the sources"; exit 77; }
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
