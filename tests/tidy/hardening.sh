#!/usr/bin/env bash
# hardening.sh FILE... - is each release binary built the way CMakeLists.txt asks for?
# A program must be PIE; everything must have a read-only GOT bound at the start, a stack that is
# not executable, and no path to search for libraries; and somewhere a stack guard and a checked
# libc call, which show that -fstack-protector-strong and _FORTIFY_SOURCE were on.
set -euo pipefail

wrong=0
no() { echo "hardening: $1: $2"; wrong=$((wrong + 1)); }

examine() {
    local file=$1 header dynamic segments symbols
    header=$(readelf -Wh "$file") dynamic=$(readelf -Wd "$file")
    segments=$(readelf -Wl "$file") symbols=$(readelf -Ws "$file")

    grep -q 'Type: *DYN' <<<"$header" || no "$file" "not position independent"
    grep -q 'GNU_RELRO' <<<"$segments" || no "$file" "no RELRO"
    grep -q 'BIND_NOW\|FLAGS_1.*NOW' <<<"$dynamic" || no "$file" "symbols are not bound at the start"
    grep -q 'GNU_STACK.* RWE' <<<"$segments" && no "$file" "the stack is executable"
    grep -q 'RPATH\|RUNPATH' <<<"$dynamic" && no "$file" "has a path to search for libraries"
    grep -q 'TEXTREL' <<<"$dynamic" && no "$file" "relocates its code"
    grep -q 'INTERP' <<<"$segments" || return 0 # what follows is asked of programs alone
    grep -q 'FLAGS_1.*PIE' <<<"$dynamic" || no "$file" "not linked with -pie"
    grep -q '__stack_chk_fail' <<<"$symbols" || no "$file" "no stack guard"
    grep -q '__[a-z]*_chk@' <<<"$symbols" || no "$file" "no fortified call"
}

[ $# -gt 0 ] || { echo "hardening: nothing is built yet"; exit 77; }
for file in "$@"; do examine "$file"; done
echo "hardening: $# files, $wrong wrong"
[ "$wrong" = 0 ]
