#!/usr/bin/env bash
# hashes.sh STORIES INTERLEAVE OTHER... - the same random stories have the same effects, byte for byte,
# whatever compiler built the engine and with whatever sanitizers. Others that are older than the
# sources say nothing; exit 77: there is none to compare with.
set -u
stories=$1 this=$2
shift 2
root=$(cd "$(dirname "$0")/../.." && pwd)
passed=0 failed=0
want=$("$this" "$stories" 1) || { echo "FAIL this build: $want"; exit 1; }
for other in "$@"; do
    [ -x "$other" ] && [ -z "$(find "$root/host/engine" "$root/host/base" "$root/sdk" "$root/tests/property" \
        -name '*.[ch]' -newer "$other" -print -quit)" ] || continue
    if [ "$("$other" "$stories" 1)" = "$want" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $other says otherwise:"
        diff <(echo "$want") <("$other" "$stories" 1)
    fi
done
[ $((passed + failed)) -gt 0 ] || { echo "skipped: no other build is newer than the sources"; exit 77; }
grep '^effects' <<<"$want"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
