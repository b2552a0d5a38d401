#!/usr/bin/env bash
# sizes.sh [ROOT] - the size of each room, and the files that have grown large.
# Over 600 lines a file is named; over 1200 it is two files, and the check fails.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/../..}"

sources() { find host sdk plugins scripts tests bench -name node_modules -prune -o \( -name '*.[ch]' -o -name '*.lua' -o -name '*.sh' \) -print 2>/dev/null || true; }
sources | LC_ALL=C sort | xargs -r awk '
    FNR == 1 { files++ }
    { lines[FILENAME]++ }
    END {
        for (file in lines) {
            n = split(file, part, "/")
            room = n > 2 ? part[1] "/" part[2] : part[1]
            room_lines[room] += lines[file]; room_files[room]++; total += lines[file]
            if (lines[file] > 600) printf "! %5d  %s\n", lines[file], file
            if (lines[file] > 1200) wrong++
        }
        for (room in room_lines) printf "  %5d  %s (%d files)\n", room_lines[room], room, room_files[room]
        printf "= %5d  all, %d files; %d over 1200 lines\n", total, files, wrong
        exit wrong > 0
    }' | LC_ALL=C sort -k1,1r -k3,3
