#!/usr/bin/env bash
# format.sh [--check] - bring host, plugins, sdk, tests, bench and examples into the form of
# .clang-format, or with --check name the first line of each file that is not in it.
set -euo pipefail
cd "$(dirname "$0")/../.."

sources() { find host plugins sdk tests bench examples -name node_modules -prune -o -name '*.[ch]' -print0 2>/dev/null || true; }

out_of_form() {
    sources | xargs -0r clang-format --dry-run 2>&1 |
        awk -F: '/\[-Wclang-format-violations\]$/ && !seen[$1]++ { print $1 ":" $2 ": not in form" }
                 /error:/ { print }'
}

case ${1:-} in
'') sources | xargs -0r clang-format -i ;;
--check)
    found=$(out_of_form)
    [ -z "$found" ] || { echo "$found"; echo "./dev format brings them into form"; exit 1; }
    ;;
*) echo "usage: format.sh [--check]" >&2; exit 2 ;;
esac
