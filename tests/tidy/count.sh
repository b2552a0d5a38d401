#!/usr/bin/env bash
# count.sh JUNIT.XML - how many tests passed, failed and were skipped in a run of ctest.
#
# ctest's own unit is a program. Where that is a suite, its closing line counts instead: Criterion's
# "Synthesis: Tested: N | Passing: N | Failing: N | Crashing: N" (those that crash are among those
# that fail; "[SKIP]" lines stand beside it) or a plain "N passed, N failed[, N skipped]".
# A program that failed though its line shows no failure is one failure, and so is one that did not
# run: only the agreed exit code is a skip. The last line printed is: PASSED FAILED SKIPPED
set -euo pipefail

awk '
function number(label) { return match($0, label " *[0-9]+") ? substr($0, RSTART + length(label), RLENGTH - length(label)) + 0 : 0 }
function close_test(    p, f, s) {
    if (lines) { p = in_passed; f = in_failed; s = in_skipped }
    else if (skip) s = 1
    else if (status == "run") p = 1
    if (status != "run" && !skip && f == 0) f = 1
    if (name ~ /^reports_/ && f == 0) p = 0 # bookkeeping, unless it found something
    if (f) print name ": " f " failed"
    passed += p; failed += f; skipped += s
}
/^\t<testcase / {
    split($0, quoted, "\"")
    name = quoted[2]; status = quoted[8]
    lines = in_passed = in_failed = in_skipped = skip = 0
}
/^\t\t<skipped message="SKIP_RETURN_CODE=/ { skip = 1 }
/^\t<\/testcase>/ { close_test() }
{ sub(/^\t\t<system-out>/, "") }
/Synthesis: Tested:/ { lines++; in_passed += number("Passing:"); in_failed += number("Failing:") }
/^\[SKIP\]/ { in_skipped++ }
/^([a-z_]+: )?[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$/ {
    lines++
    sub(/^[a-z_]+: /, "")
    in_passed += $1; in_failed += $3; in_skipped += $5
}
END { printf "%d %d %d\n", passed, failed, skipped }' "$1"
