#!/usr/bin/env bash
# json.sh WEIR - what weir prints with --json is what `weir describe json` says: one JSON document on standard
# output, validated against its schema.
set -u
weir=$(realpath "$1")
root=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
trap 'kill -9 $host $exchange 2>/dev/null; rm -rf "$dir"' EXIT
cd "$root" || exit 1
host='' exchange=''
sed "s#include: \[limits.yaml\]#include: [$root/config/limits.yaml]#; s/port: 8900/port: 0/; s#control: .*#control: $dir/s.sock#" \
    config/weir.yaml >"$dir/weir.yaml"
"$weir" run --config "$dir/weir.yaml" --journal "$dir/j" --no-console >/dev/null 2>"$dir/err" &
host=$!
ctl() { "$weir" ctl --socket "$dir/s.sock" --json "$@" 2>/dev/null; }
for _ in $(seq 1 200); do
    ctl orders --all >"$dir/ctl-orders.1" && grep -q FILLED "$dir/ctl-orders.1" && grep -q DENIED "$dir/ctl-orders.1" && break
    sleep 0.2
done
for what in status positions venues scripts limits alerts; do ctl $what >"$dir/ctl-$what.1"; done
ctl book sim/BTC-USD sim/ETH-USD --others >"$dir/ctl-book.1"
ctl reload >"$dir/ctl-done.1"
ctl arm maker >"$dir/ctl-done.2"
ctl arm nobody >"$dir/ctl-error.1"
ctl cancel nothing >"$dir/ctl-error.2"
kill -INT "$host"
wait "$host"
n=0
for state in FILLED DENIED CANCELED; do
    id=$(python3 -c 'import json,sys
print(next((o["cid"] for o in json.load(open(sys.argv[1]))["orders"] if o["state"] == sys.argv[2]), ""))' "$dir/ctl-orders.1" $state)
    n=$((n + 1))
    [ -z "$id" ] || "$weir" why "$id" --journal "$dir/j" --json >"$dir/why.$n"
done
"$weir" replay "$dir/j" --json >"$dir/replay.1"
"$weir" replay "$dir/j" --verify --json >"$dir/replay.2"
"$weir" check --json >"$dir/check.1"
printf 'local x = = 1\n' >"$dir/bad.lua"
sed "s#scripts/two_sided_maker.lua#$dir/bad.lua#" "$dir/weir.yaml" >"$dir/bad.yaml"
"$weir" check --config "$dir/bad.yaml" --json >"$dir/check.2"
"$weir" try --json --for 500ms scripts/two_sided_maker.lua "$dir/bad.lua" --set venue=sim --set symbol=BTC-USD >"$dir/try.1"
"$weir" script check --json scripts/*.lua "$dir/bad.lua" >"$dir/script-check.1"
"$weir" script new "$dir/dip" >/dev/null && "$weir" script test --json "$dir/dip_test.lua" >"$dir/script-test.1"
"$weir" plugin check --json --inside "$(dirname "$weir")/plugins/sim.so" >"$dir/plugin-check.1"
"$weir" plugin check --json --only begin "$(dirname "$weir")/plugins/sim.so" >"$dir/plugin-check.2"
"$weir" scenario --json tests/scenario/*.json >"$dir/scenario.1" 2>/dev/null
python3 tests/cli/market.py 20 >"$dir/market.txt"
"$weir" run --config config/recorded.yaml --data "$dir/market.txt" --journal "$dir/j2" --json >"$dir/run.1" 2>/dev/null
"$weir" backtest --config config/recorded.yaml --data "$dir/market.txt" --json >"$dir/backtest.1" 2>/dev/null
"$weir" book --plugin binance "$dir/market.txt" --json >"$dir/book.1"
"$weir" exchange >"$dir/exchange.1" 2>/dev/null &
exchange=$!
for _ in $(seq 1 50); do [ -s "$dir/exchange.1" ] && break; sleep 0.1; done
kill -INT "$exchange"
python3 - "$weir" "$dir" <<'PY'
import glob, json, os, re, subprocess, sys
weir, folder = sys.argv[1:]
names = [line.split()[0] for line in subprocess.run([weir, "describe", "json"], capture_output=True, text=True).stdout.splitlines()]
types = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}

def faults(schema, value, at):
    if "anyOf" in schema:
        return [] if any(not faults(s, value, at) for s in schema["anyOf"]) else [f"{at}: fits nothing: {value!r}"]
    want = schema.get("type")
    if want == "integer":
        good = isinstance(value, int) and not isinstance(value, bool)
    elif want == "number":
        good = isinstance(value, (int, float)) and not isinstance(value, bool)
    else:
        good = want is None or isinstance(value, types[want])
    if not good:
        return [f"{at}: {want} expected, {value!r} found"]
    found = []
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{at}: {value!r} is not {schema['pattern']}")
    if want == "object":
        found += [f"{at}: {name} is missing" for name in schema.get("required", []) if name not in value]
        for name, item in value.items():
            below = schema["properties"].get(name, schema.get("additionalProperties", {}))
            found += faults(below, item, f"{at}.{name}")
    if want == "array":
        for i, item in enumerate(value):
            found += faults(schema["items"], item, f"{at}[{i}]")
    return found

passed = failed = 0
seen = set()
for name in names:
    schema = json.loads(subprocess.run([weir, "describe", "json", name], capture_output=True, text=True).stdout)
    for path in sorted(glob.glob(f"{folder}/{name}.[0-9]")):
        seen.add(name)
        try:
            told = faults(schema, json.load(open(path)), name)
        except ValueError as error:
            told = [f"{name}: no JSON document: {error}: {open(path).read()[:200]!r}"]
        passed += not told
        failed += bool(told)
        for fault in told[:5]:
            print("FAIL", fault)
for name in names:
    if name not in seen | {"order", "position", "facts"}:
        failed += 1
        print("FAIL nothing was printed of", name)
# the validator itself can say no
sample = json.loads(subprocess.run([weir, "describe", "json", "ctl-limits"], capture_output=True, text=True).stdout)
row = {"scope": "host", "name": "", "limit": "x", "value": "1", "reading": None, "headroom": "-1.5"}
for change, good in (({}, True), ({"reading": 1}, False), ({"headroom": "many"}, False), ({"scope": None}, False)):
    if bool(faults(sample, {"limits": [row | change]}, "sample")) == good:
        failed += 1
        print("FAIL the validator takes", change)
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
PY
