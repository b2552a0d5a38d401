#!/usr/bin/env bash
# instructions.sh PROGRAM [WORK...] - instructions an operation, counted by valgrind, the same on each run.
#
# PROGRAM is one that bench.h makes (build/fast/bench/engine ...). Each of its works runs as one batch
# between warm ones; only that batch is counted. With --where the functions that it was spent in
# follow. Works whose world is too large for this are named on the command line, or left out.
set -euo pipefail

where=0
if [ "${1:-}" = --where ]; then where=1; shift; fi
[ $# -gt 0 ] || { echo "usage: instructions.sh [--where] PROGRAM [WORK...]" >&2; exit 2; }
command -v valgrind >/dev/null || { echo "instructions: valgrind is not here, so nothing is counted"; exit 0; }
program=$1
shift
works=("$@")
[ ${#works[@]} -gt 0 ] || mapfile -t works < <("$program" --list | cut -f 1)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

for work in "${works[@]}"; do
    if ! valgrind --tool=callgrind --callgrind-out-file="$scratch/out" --collect-atstart=no \
        '--toggle-collect=bench_batch*' "$program" --once "$work" >"$scratch/said" 2>"$scratch/log"; then
        tail -n 3 "$scratch/log" >&2
        exit 1
    fi
    awk -v work="$work" '
        $1 == "operations" { operations = $2 }
        $2 == "Collected" { instructions = $4 }
        END { printf "  %-50s %10.1f  %-22s %-12s\n", work, instructions / operations, "", "instructions" }
    ' "$scratch/said" "$scratch/log"
    if [ $where = 1 ]; then
        callgrind_annotate "$scratch/out" 2>/dev/null | awk '/^ *Ir/ { on = 1 } on && NF && lines++ < 45'
    fi
done
