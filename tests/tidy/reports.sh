#!/usr/bin/env bash
# reports.sh begin|end FOLDER - around a test run: forget the sanitizers' old reports; then fail if
# there is a new one, and show the first lines of each.
set -euo pipefail
reports=$2

case $1 in
begin) rm -rf "$reports" && mkdir -p "$reports" ;;
end)
    shopt -s nullglob
    found=("$reports"/*)
    for file in "${found[@]:0:5}"; do
        echo "--- ${file##*/}"
        head -n 40 "$file"
    done
    echo "reports: ${#found[@]} from the sanitizers"
    [ ${#found[@]} = 0 ]
    ;;
esac
