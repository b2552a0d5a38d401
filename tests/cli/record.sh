#!/usr/bin/env bash
# record.sh WEIR - a host that trades on paper at our own exchange records what the exchange sends; what it
# recorded goes through `run --data`, `book` and `backtest`, with the same orders and fills.
set -u
weir=$(realpath "$1")
root=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$dir"' EXIT
passed=0 failed=0
check() { # check NAME CONDITION...
    local name=$1
    shift
    if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAIL $name"; fi
}
cd "$root" || exit 1
"$weir" exchange --venue binance >"$dir/ports" 2>/dev/null &
for _ in $(seq 200); do [ -s "$dir/ports" ] && break; sleep 0.05; done
port() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$dir/ports" "$1"; }
cat >"$dir/live.yaml" <<YAML
host: {instance: 9, journal: $dir/journal, journal_mode: new, control: $dir/sock, stop_wait: 1s, record: $dir/frames}
gateway: {port: 0}
venues:
  binance:
    plugin: binance
    execution: paper
    data_age_max: 60s
    settings: {market: spot, symbols: BTCUSDT}
    endpoint: {ws: "ws://127.0.0.1:$(port ws)", http: "http://127.0.0.1:$(port http)"}
    paper: {queue: back, balances: {USDT: 1000000, BTC: 10}}
scripts:
  maker:
    file: scripts/two_sided_maker.lua
    group: makers
    imports: [quotes]
    settings: {venue: binance, symbol: BTCUSDT, half_spread_bps: 0.2}
    callback: 10s # a slow machine stops no script
    load: 20s
YAML
sed -n '/^limits:/,$p' config/limits.yaml >>"$dir/live.yaml"
"$weir" run --config "$dir/live.yaml" --no-console --json >"$dir/live.json" 2>"$dir/live.err" &
host=$!
# It has seen and done enough when it has; how long that takes is the machine's affair.
enough() {
    "$weir" ctl --socket "$dir/sock" --json status >"$dir/status.json" 2>/dev/null &&
        python3 - "$dir/status.json" <<'PY'
import json, sys
status = json.load(open(sys.argv[1]))
sys.exit(not (status["sent"]["new"] >= 4 and status["inputs"] >= 150))
PY
}
for _ in $(seq 600); do
    if enough || ! kill -0 $host 2>/dev/null; then break; fi
    sleep 0.2
done
kill -TERM $host 2>/dev/null
check 'it ran and stopped' wait $host
check 'nothing was dropped' grep -q 'recording: .* 0 dropped' "$dir/live.err"
check 'there is a recording' test -n "$(find "$dir/frames" -name 'binance-*.jsonl.zst' -size +1k)"
check 'run takes it' "$weir" run --config "$dir/live.yaml" --data "$dir/frames" --json >"$dir/run.json" 2>"$dir/err"
check 'backtest takes it' "$weir" backtest --config "$dir/live.yaml" --data "$dir/frames" --json >"$dir/test.json"
check 'book takes it' "$weir" book --plugin binance "$dir"/frames/* --json >"$dir/book.json"
check 'they agree' python3 - "$dir" <<'PY' # on what the recording has, however little that is
import json, sys
run, test, book = (json.load(open(f"{sys.argv[1]}/{n}.json")) for n in ("run", "test", "book"))
def same(what, one, other):
    assert one == other, f"{what}: {one} and {other}"
for key in ("orders_hash", "fills_hash", "journal_hash"):
    same(key, run[key], test[key])
assert run["orders"]["sent"] > 0, run["orders"]
assert test["span"]["messages"] > 50, test["span"]
same("messages left out", test["span"]["left_out"], 0)
same("books with levels", sorted(k.split("/")[-1] for k, b in run["books"].items() if b["final_bid_levels"]),
     sorted(k for k, b in book["books"].items() if b["final_bid_levels"]))
for name, of in run["books"].items():
    same(name, of["final_book_sha256"], book["books"][name.split("/")[-1]]["final_book_sha256"])
PY
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
