#!/usr/bin/env bash
# coverage.sh BUILD - which part of the lines of each file of ours ran, least first.
# It is gcov's own count, summed; BUILD/coverage.txt keeps it. No counted line at all is a failure.
set -euo pipefail
build=$1
root=$(cd "$(dirname "$0")/../.." && pwd)

cd "$build"
find . -name '*.gcda' -print0 | xargs -0r gcov -n 2>/dev/null |
    awk -v root="$root/" '
    /^File / { file = substr($0, 7, length($0) - 7); ours = index(file, root) == 1; sub(root, "", file) }
    /^Lines executed:/ && ours && file ~ /^(host|plugins|sdk)\// {
        split($2, share, /[:%]/)
        lines = $4
        ran = share[2] * lines / 100
        if (!(file in all) || ran > best[file]) { best[file] = ran; all[file] = lines }
        ours = 0
    }
    END {
        for (file in all) {
            printf "%6.1f %%  %5d lines  %s\n", 100 * best[file] / all[file], all[file], file
            sum += best[file]; total += all[file]
        }
        if (total) printf "%6.1f %%  %5d lines  = all\n", 100 * sum / total, total
        exit !total
    }' | LC_ALL=C sort -n | awk '/= all$/ { sum = $0; next } { print } END { if (sum) print sum }' >coverage.txt
cat coverage.txt
[ -s coverage.txt ]
