#!/usr/bin/env bash
# engine_links.sh ARCHIVE... - does the engine ask the world for nothing but engine_symbols.txt?
# What one of the archives defines, another may use. Exit 77: there is no such archive yet.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

for archive in "$@"; do
    [ -f "$archive" ] || { echo "engine_links: $archive is not built"; exit 77; }
done

# readelf, as nm would show what the LTO plugin thinks of a fat object, and not what is in it
symbols() { readelf -Ws "$@" | awk '$1 ~ /^[0-9]+:$/ && $5 != "LOCAL" && $8 != "" { print ($7 == "UND" ? "wants" : "has"), $8 }' | sort -u; }

symbols "$@" | awk '
    NR == FNR { if ($1 !~ /^(#|$)/) { if (sub(/\*$/, "", $1)) starts[$1]; else allowed[$1] } next }
    $1 == "has" { has[$2]; next }
    { wants[$2] }
    function known(name,    start) {
        if (name in has || name in allowed) return 1
        for (start in starts) if (index(name, start) == 1) return 1
        return 0
    }
    END {
        for (name in has) defined++
        for (name in wants) if (!known(name)) { print "engine_links: " name " is not in engine_symbols.txt"; wrong++ }
        if (defined == 0) { print "engine_links: the archives define nothing"; wrong++ }
        printf "engine_links: %d defined, %d against the list\n", defined, wrong
        exit wrong > 0
    }' "$here/engine_symbols.txt" -
