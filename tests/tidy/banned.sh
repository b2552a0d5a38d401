#!/usr/bin/env bash
# banned.sh [ROOT] - is no function of banned.txt called in host, plugins or sdk?
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/../..}"

plain() { find host sdk plugins -name '*.[ch]' -print0 | xargs -0r awk -f "$here/plain.awk"; }

plain | awk -F: '
    NR == FNR { if ($1 !~ /^[ \t]*(#|$)/) { split($0, word, " "); sub(/^[^ ]+ +/, ""); instead[word[1]] = $0 } next }
    {
        text = substr($0, length($1 $2) + 3)
        while (match(text, /[A-Za-z_][A-Za-z_0-9]*[ \t]*\(/)) {
            name = substr(text, RSTART, RLENGTH)
            before = RSTART > 1 ? substr(text, RSTART - 1, 1) : ""
            sub(/[ \t]*\($/, "", name)
            if (name in instead && before !~ /[.>]/) { # a member of that name is another matter
                print $1 ":" $2 ": " name "() is banned: use " instead[name]
                wrong++
            }
            text = substr(text, RSTART + RLENGTH)
        }
    }
    END { printf "banned: %d calls\n", wrong; exit wrong > 0 }' "$here/banned.txt" -
