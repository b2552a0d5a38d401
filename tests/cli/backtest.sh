#!/usr/bin/env bash
# backtest.sh WEIR - `weir backtest` as people run it: the same orders and fills as `weir run` on the
# same recording (one made here, and the real one where it is there), grids, the page, bad usage.
set -u
weir=$(realpath "$1")
root=$(cd "$(dirname "$0")/../.." && pwd)
shared=${WEIR_SHARED:-$root/../shared}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0
check() { # check NAME CONDITION...
    local name=$1
    shift
    if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAIL $name"; fi
}
cd "$root" || exit 1
config=config/recorded.yaml
set_quote=scripts.maker.settings.half_spread_bps=0.1 # so close that it is filled
python3 tests/cli/market.py 60 >"$dir/market.txt"
sed "s/settings: {venue: binance, symbol: BTCUSDT}/settings: {venue: binance, symbol: BTCUSDT, half_spread_bps: 0.1}/" \
    $config | sed "s|limits.yaml|$root/config/limits.yaml|" >"$dir/close.yaml"

same() { # same NAME CONFIG DATA...: a run and a backtest agree in all three hashes, and something was filled
    local name=$1 file=$2
    shift 2
    "$weir" run --config "$file" --data "$@" --journal "$dir/j-$name" --json >"$dir/$name.run" 2>"$dir/err" || { cat "$dir/err"; return 1; }
    "$weir" backtest --config "$file" --data "$@" --json >"$dir/$name.json" || return 1
    python3 - "$dir/$name.run" "$dir/$name.json" <<'PY'
import json, sys
run, test = (json.load(open(p)) for p in sys.argv[1:])
assert run["fills"] > 0, "nothing was filled"
for key in ("orders_hash", "fills_hash", "journal_hash", "fills", "denied"):
    assert run[key] == test[key], (key, run[key], test[key])
for key in ("sent", "cancels", "replaces", "live"):
    assert run["orders"][key] == test["orders"][key], key
for a, b in zip(run["positions"], (p for p in test["positions"] if p["qty"] != "0" or p["realized_pnl"] != "0")):
    assert all(a[k] == b[k] for k in a), (a, b)
PY
}
check 'made: run and backtest are equal' same made "$dir/close.yaml" "$dir/market.txt"
[ -d "$shared/data/binance-20240808" ] &&
    check 'real: run and backtest are equal' same real $config "$shared/data/binance-20240808/spot" "$shared/data/binance-20240808/usdm"

# twice the same, but for the time it took
"$weir" backtest --config "$dir/close.yaml" --data "$dir/market.txt" --json >"$dir/again.json"
check 'twice the same' python3 - "$dir/made.json" "$dir/again.json" <<'PY'
import json, sys
a, b = (json.load(open(p)) for p in sys.argv[1:])
a.pop("speed"), b.pop("speed")
sys.exit(a != b)
PY

# decoded data from a cache, and prices that wait until somebody looks: the same orders and fills
agree() { # agree CONFIG DATA: exact, cached, cached again and fast; damage of the cache is found
    local file=$1 data=$2 n=0
    rm -rf "$dir/cache" && mkdir "$dir/cache"
    for how in "" "--cache $dir/cache" "--cache $dir/cache" "--cache $dir/cache --fast" "--fast"; do
        # shellcheck disable=SC2086 # words on purpose
        "$weir" backtest --config "$file" --data $data --json $how >"$dir/how-$n.json" || return 1
        n=$((n + 1))
    done
    [ "$(find "$dir/cache" -name '*.rows' | wc -l)" = 1 ] || return 1
    python3 - "$dir"/how-?.json <<'PY'
import json, sys
runs = [json.load(open(p)) for p in sys.argv[1:]]
assert runs[0]["fills"] > 0
for r in runs:
    for key in ("orders_hash", "fills_hash", "fills", "denied", "rejected", "orders", "positions"):
        assert r[key] == runs[0][key], (key, r[key], runs[0][key])
assert [r["journal_hash"] == runs[0]["journal_hash"] for r in runs] == [True, True, True, False, False]
assert runs[1]["series"] == runs[0]["series"] and runs[2]["speed"]["rows"] > 1000
PY
}
check 'made: cached and fast are equal' agree examples/backtest/backtest.yaml "$dir/market.txt"
[ -d "$shared/data/binance-20240808" ] &&
    check 'real: cached and fast are equal' agree examples/backtest/backtest.yaml "$(echo "$shared"/data/binance-20240808/spot/btc*)"
head -c 100000 "$dir/cache"/*.rows >"$dir/cut" && cp "$dir/cut" "$(echo "$dir"/cache/*.rows)"
check 'a cut cache is made anew' test "$("$weir" backtest --config examples/backtest/backtest.yaml --data "$dir"/market.txt \
    --cache "$dir/cache" --fast --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["orders_hash"])')" = \
    "$("$weir" backtest --config examples/backtest/backtest.yaml --data "$dir/market.txt" --json |
    python3 -c 'import json,sys; print(json.load(sys.stdin)["orders_hash"])')"

# what the numbers say of each other
check 'the numbers add up' python3 - "$dir/made.json" <<'PY'
import json, sys
from decimal import Decimal as D
r = json.load(open(sys.argv[1]))
m = r["metrics"]
assert D(m["net_pnl"]) == D(m["realized_pnl"]) + D(m["unrealized_pnl"]) - D(m["fees"]) + D(m["funding"])
assert sum(D(e["fee"]) for e in r["executions"]) == D(m["fees"])
assert sum(D(e["qty"]) * D(e["px"]) for e in r["executions"]) == D(m["turnover"])
assert len(r["executions"]) == r["fills"]
assert D(r["series"]["equity"][-1]) == D(m["net_pnl"]), (r["series"]["equity"][-1], m["net_pnl"])
peak = low = D(0)
for e in map(D, r["series"]["equity"]):
    peak = max(peak, e)
    low = max(low, peak - e)
assert low == D(m["max_drawdown"])
assert sum(D(e["qty"]) * (1 if e["side"] == "buy" else -1) for e in r["executions"]) == D(r["positions"][0]["qty"])
assert sum(D(s["net_pnl"]) for s in r["strategies"]) == D(m["net_pnl"])
steps = [float(b) - float(a) for a, b in zip(r["series"]["equity"][:-1], r["series"]["equity"][1:-1])]
mean = sum(steps) / len(steps)
deviation = (sum((x - mean) ** 2 for x in steps) / (len(steps) - 1)) ** 0.5
sharpe = mean / deviation * (365 * 86400 / (int(m["sample_ns"]) / 1e9)) ** 0.5
assert abs(sharpe - float(m["sharpe"])) < 1e-3 * abs(sharpe), (sharpe, m["sharpe"])
assert len(r["data"]["files"][0]["sha256"]) == 64 and r["span"]["book_gaps"] == 0
assert any("queue model" in a for a in r["assumptions"]) and any("latenc" in a for a in r["assumptions"])
PY

# a grid, and the page
"$weir" backtest --config "$dir/close.yaml" --data "$dir/market.txt" --report "$dir/page.html" --json \
    --grid scripts.maker.settings.half_spread_bps=0.1..0.3..0.1 --grid venues.binance.paper.queue=front,back >"$dir/grid.json"
check 'grid' python3 - "$dir/grid.json" "$dir/made.json" "$dir/page.html" <<'PY'
import json, re, sys
grid, made = (json.load(open(p)) for p in sys.argv[1:3])
page = open(sys.argv[3]).read()
assert [r["parameters"]["venues.binance.paper.queue"] for r in grid["runs"]] == ["front", "back"] * 3
assert len({r["orders_hash"] for r in grid["runs"]}) >= 3
inside = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S).group(1)
assert json.loads(inside) == grid, "the page holds what was printed"
for outside in ("http://www.w3.org/2000/svg",):
    page = page.replace(outside, "")
assert not re.search(r'(https?:)?//[a-z0-9.]+\.[a-z]|src=|<link|@import|url\(', page.replace(inside, "")), "nothing from the network"
assert 'name="viewport"' in page and "prefers-color-scheme" in page
assert page.count("<h2>Result</h2>") == 6 and "net_pnl" in page
PY
if command -v chromium >/dev/null; then
    for width in 390 1200; do
        timeout 60 chromium --headless --no-sandbox --disable-gpu --window-size=$width,900 --virtual-time-budget=2000 \
            --dump-dom "file://$dir/page.html" >"$dir/dom" 2>/dev/null
        check "the page draws itself at $width" test "$(grep -o '<svg' "$dir/dom" | wc -l)" = 4
        check "the page marks fills at $width" grep -q 'l-4.5' "$dir/dom"
    done
fi

# a journal of it explains and repeats it
"$weir" backtest --config "$dir/close.yaml" --data "$dir/market.txt" --journal "$dir/kept" >"$dir/text"
check 'the summary names the journal' grep -q '^journal  *.*kept' "$dir/text"
check 'its journal repeats' "$weir" replay "$dir/kept" --verify >/dev/null

refused() { # refused TEXT OPTION...: exit 2, one line that says TEXT
    local says=$1
    shift
    "$weir" backtest "$@" >"$dir/out" 2>"$dir/err"
    [ $? = 2 ] && [ ! -s "$dir/out" ] && grep -q -- "$says" "$dir/err" && [ "$(wc -l <"$dir/err")" = 1 ] || { cat "$dir/err"; return 1; }
}
good=(--config $config --data "$dir/market.txt")
check 'no data' refused 'expected recordings' --config $config
check 'no such data' refused 'No such file' --config $config --data "$dir/nothing"
check 'not a recording' refused 'expected' --config $config --data tests/cli/backtest.sh
check 'no such config' refused 'nothing.yaml' --config "$dir/nothing.yaml" --data "$dir/market.txt"
check 'a set without a value' refused 'KEY=VALUE' "${good[@]}" --set a
check 'a set of no key' refused 'did you mean\|unknown key' "${good[@]}" --set venues.binance.paper.quee=front
check 'a set of a bad value' refused 'expected one of' "${good[@]}" --set venues.binance.paper.queue=lucky
check 'a set that is no YAML' refused 'queue={a' "${good[@]}" --set 'venues.binance.paper.queue={a: ['
check 'a set in no section' refused 'in no section' "${good[@]}" --set nowhere.queue=front
check 'a grid without values' refused 'a,b,c' "${good[@]}" --grid "$set_quote" --grid a=
check 'a grid that never ends' refused 'STEP' "${good[@]}" --grid a=1..2..0
check 'too many combinations' refused 'combinations' "${good[@]}" --grid a=1..200..1 --grid b=1..200..1
check 'jobs' refused '1 to 1024' "${good[@]}" --jobs 0
check 'a report that cannot be written' refused 'No such file' "${good[@]}" --report "$dir/no/where.html"
check 'help' test "$("$weir" backtest --help | head -n 1 | cut -d' ' -f1-3)" = 'usage: weir backtest'
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
