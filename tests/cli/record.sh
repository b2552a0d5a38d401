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
YAML
sed -n '/^limits:/,$p' config/limits.yaml >>"$dir/live.yaml"
check 'it runs' "$weir" run --config "$dir/live.yaml" --for 6s --no-console --json >"$dir/live.json" 2>"$dir/live.err"
check 'nothing was dropped' grep -q 'recording: .* 0 dropped' "$dir/live.err"
check 'there is a recording' test -n "$(find "$dir/frames" -name 'binance-*.jsonl.zst' -size +1k)"
check 'run takes it' "$weir" run --config "$dir/live.yaml" --data "$dir/frames" --json >"$dir/run.json" 2>"$dir/err"
check 'backtest takes it' "$weir" backtest --config "$dir/live.yaml" --data "$dir/frames" --json >"$dir/test.json"
check 'book takes it' "$weir" book --plugin binance "$dir"/frames/* --json >"$dir/book.json"
check 'they agree' python3 - "$dir" <<'PY'
import json, sys
run, test, book = (json.load(open(f"{sys.argv[1]}/{n}.json")) for n in ("run", "test", "book"))
assert run["orders"]["sent"] > 0 and test["span"]["messages"] > 50
for key in ("orders_hash", "fills_hash", "journal_hash"):
    assert run[key] == test[key], key
assert any(b["final_bid_levels"] > 0 for b in book["books"].values()), book["books"]
PY
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
