#!/usr/bin/env bash
# format.sh [--check] - bring host, plugins, sdk, tests and bench into the form of .clang-format,
# or with --check say which lines are not in it.
set -euo pipefail
cd "$(dirname "$0")/../.."

sources() { find host plugins sdk tests bench examples -name '*.[ch]' -print0 2>/dev/null || true; }
case ${1:-} in
--check) sources | xargs -0r clang-format --dry-run -Werror ;;
'') sources | xargs -0r clang-format -i ;;
*) echo "usage: format.sh [--check]" >&2; exit 2 ;;
esac
