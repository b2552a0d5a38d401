#!/usr/bin/env bash
# first_run.sh WEIR - the embedded default as a newcomer meets it: within seconds fills, denials with
# numbers and positions; it answers while it runs; SIGINT cancels, closes the journal and prints a
# summary; the journal replays equal and explains a filled, a partly filled and a denied order.
set -u
weir=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
passed=0 failed=0
check() {
    local name=$1
    shift
    if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAIL $name"; fi
}
says() { grep -qE -- "$1" "$2"; }
trap 'kill -9 $host 2>/dev/null; rm -rf "$dir"' EXIT

sed "s#include: \[limits.yaml\]#include: [$root/config/limits.yaml]#; s/port: 8900/port: 0/; s#control: .*#control: $dir/s.sock#" \
    "$root/config/weir.yaml" >"$dir/weir.yaml"
cd "$root" || exit 1
"$weir" run --config "$dir/weir.yaml" --journal "$dir/j" --no-console >"$dir/out" 2>"$dir/err" &
host=$!
ctl() { "$weir" ctl --socket "$dir/s.sock" --json "$@" 2>/dev/null; }
for _ in $(seq 1 200); do # until something of each kind has happened: at most 40 s
    ctl status >"$dir/status.json" && ctl orders --all >"$dir/orders.json" && python3 -c 'import json,sys
s, orders = json.load(open(sys.argv[1])), json.load(open(sys.argv[2]))["orders"]
partly = [o for o in orders if float(o["cum_qty"]) > 0 and o["state"] == "CANCELED"]
filled = [o for o in orders if o["state"] == "FILLED"]
sys.exit(not (s["executions"] > 3 and s["denied"] and filled and partly))' "$dir/status.json" "$dir/orders.json" && break
    sleep 0.2
done
check 'it trades and refuses' python3 -c 'import json,sys
s=json.load(open(sys.argv[1])); sys.exit(not (s["executions"] > 3 and s["denied"]))' "$dir/status.json"
ctl positions >"$dir/positions.json"
check 'positions are told' says '"qty":"-?[0-9.]+"' "$dir/positions.json"
check 'venues are told' sh -c "\"$weir\" ctl --socket '$dir/s.sock' venues | grep -q LIVE"
check 'scripts are told' sh -c "\"$weir\" ctl --socket '$dir/s.sock' scripts | grep -q running"
port=$(sed -n 's#.*http://127.0.0.1:\([0-9]*\)/.*#\1#p' "$dir/err")
check 'healthy' sh -c "curl -sf http://127.0.0.1:$port/healthz | grep -q ok"
check 'ready' sh -c "curl -sf http://127.0.0.1:$port/readyz | grep -q ready"
curl -sf "http://127.0.0.1:$port/metrics" >"$dir/metrics"
check 'metrics' says '^weir_executions_total [1-9]' "$dir/metrics"
if command -v promtool >/dev/null; then
    check 'metrics by their conventions' sh -c "promtool check metrics <'$dir/metrics'"
fi
check 'the kill switch' sh -c "\"$weir\" ctl --socket '$dir/s.sock' kill drill | grep -q 'kill switch pulled'"
sleep 0.5
check 'nothing is live after it' test "$(ctl orders | tr -d ' \n')" = '{"orders":[]}'
check 'not ready while killed' sh -c "! curl -sf http://127.0.0.1:$port/readyz >/dev/null"
check 'and released' sh -c "\"$weir\" ctl --socket '$dir/s.sock' resume | grep -q released"
sleep 1
kill -INT "$host"
wait "$host"
check 'it stops in good order' test $? = 0
check 'with a summary' says '^fills +[1-9]' "$dir/out"
check 'nothing left live' says '0 still live' "$dir/out"
check 'the replay is equal' "$weir" replay "$dir/j" --verify
why() { # why STATE PATTERN: one order that ended in it
    local cid
    cid=$(python3 -c 'import json,sys
for o in json.load(open(sys.argv[1]))["orders"]:
    if eval(sys.argv[2], {}, o): print(o["cid"]); break' "$dir/orders.json" "$1")
    [ -n "$cid" ] || { echo "no order with $1"; return 1; }
    "$weir" why "$cid" --journal "$dir/j" >"$dir/why" || return 1
    says "$2" "$dir/why" && "$weir" why "$cid" --journal "$dir/j" --json | python3 -c 'import json,sys; json.load(sys.stdin)'
}
check 'why a filled order' why 'state == "FILLED"' '[Ff]illed|FILLED'
check 'why a denied order' why 'state == "DENIED"' 'MAX_ORDER_QTY|MAX_|[A-Z_]{4,}'
check 'why a partly filled order' why 'float(cum_qty) > 0 and state == "CANCELED"' '[Ff]ill'
code() { # code N COMMAND...
    local expected=$1
    shift
    "$@" >/dev/null 2>"$dir/said"
    test $? = "$expected"
}
check 'why nothing is wrong usage' code 2 "$weir" why '' --journal "$dir/j"
check 'and says what is expected' says "expected the name, an id or the number of an order, found ''" "$dir/said"
check 'why an order that is not known' code 1 "$weir" why nosuch --journal "$dir/j"

whatif() { # whatif SED PYTHON: with these limits instead, this holds of the answer
    sed "$1" "$root/config/limits.yaml" >"$dir/limits.yaml"
    sed "s#include: .*#include: [limits.yaml]#" "$root/config/weir.yaml" >"$dir/other.yaml"
    "$weir" replay "$dir/j" --config "$dir/other.yaml" --json >"$dir/differences"
    python3 -c 'import json,sys
r = json.load(open(sys.argv[1])); d = r["differences"]; code = int(sys.argv[3])
sys.exit(code != (len(d) > 0) or not eval(sys.argv[2]))' "$dir/differences" "$2" $?
}
check 'the same limits decide the same' whatif '' \
    'r["decisions"] > 5 and not d and r["denied_now"] == r["allowed_now"] == r["reason_other"] == 0'
check 'a lower limit refuses, by its name and scope' whatif 's/^    max_order_qty: none/    max_order_qty: 0.001/' \
    'len(d) > 5 and r["denied_now"] > 5 and any("MAX_ORDER_QTY (read 0.05, limit 0.001, host)" in x["now"] for x in d)'
check 'a limit that was never set' whatif 's/makers: {/makers: {max_order_qty: 0.001, /' \
    'r["denied_now"] > 5 and all("limit 0.001, group" in x["now"] for x in d if x["was"] == "allowed" and "MAX_ORDER_QTY" in x["now"])'
check 'a higher limit lets another one refuse' whatif 's/max_order_qty: 0.5/max_order_qty: 5/' \
    'r["reason_other"] == 1 and "MAX_ORDER_QTY" in d[0]["was"] and "MAX_ORDER_NOTIONAL" in d[0]["now"]'
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
