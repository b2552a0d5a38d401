#!/usr/bin/env bash
# secrets.sh WEIR - a host that trades with keys: its secret is in no output, no file, no answer, no error, and
# nowhere in its memory that a core would show (mappings without the flag "dd" of smaps).
set -u
weir=$(realpath "$1")
root=$(cd "$(dirname "$0")/../.." && pwd)
command -v python3 >/dev/null || { echo "needs python3"; exit 77; }
dir=$(mktemp -d)
host='' exchange=''
trap 'kill -9 $host $exchange 2>/dev/null; rm -rf "$dir"' EXIT
failed=0
scan() { # scan PID: 1, the secret is in memory that a core would show
python3 - "$1" "$secret" <<'END'
import re, sys
pid, secret = sys.argv[1], sys.argv[2].encode()
regions, flags, dumped = [], None, 0
for line in open(f'/proc/{pid}/smaps'):
    head = re.match(r'([0-9a-f]+)-([0-9a-f]+) (r\S+)', line)
    if head:
        flags = [int(head[1], 16), int(head[2], 16)]
    elif line.startswith('VmFlags:') and flags:
        if 'dd' not in line.split() and 'io' not in line.split():
            regions.append(flags)
        flags = None
try:
    memory = open(f'/proc/{pid}/mem', 'rb', 0)
except PermissionError:
    sys.exit(0)  # not dumpable at all
hits = 0
for start, end in regions:
    for at in range(start, end, 1 << 24):
        try:
            memory.seek(at)
            block = memory.read(min((1 << 24) + 200, end - at))
        except (OSError, ValueError, OverflowError):
            continue
        dumped += len(block)
        hits += block.count(secret)
assert dumped > 1 << 20, 'nothing was read'
sys.exit(hits > 0)
END
}
fail() { failed=1; echo "FAIL $*"; }
secret=wEiRsEcReT$(od -An -tx8 -N24 /dev/urandom | tr -d ' \n')
mkdir "$dir/keys" "$dir/said"
printf 'trader' >"$dir/keys/id"
printf '%s' "$secret" >"$dir/keys/secret"
printf '{"trader":{"secret":"%s"}}' "$secret" >"$dir/keys/all"
chmod 600 "$dir"/keys/*

"$weir" exchange --venue binance --keys "$dir/keys/all" --set instruments=BTC-USDT:50000:0.01:0.0001,ETH-USDT:3000:0.01:0.001,SOL-USDT:150:0.001:0.01 >"$dir/port" 2>"$dir/exchange.log" &
exchange=$!
for _ in $(seq 600); do [ -s "$dir/port" ] && break; sleep 0.1; done
port=$(sed -n 's/.*"http":\([0-9]*\).*/\1/p' "$dir/port")
[ -n "$port" ] || { echo "the exchange does not start"; exit 1; }
cat >"$dir/weir.yaml" <<END
host: {instance: 7, journal: "$dir/said/journal", control: "$dir/sock", disk_floor: 1MiB, record: "$dir/said/frames"}
gateway: {port: 0}
keys: {trading: {id: "file:$dir/keys/id", secret: "file:$dir/keys/secret"}}
venues: {there: {plugin: binance, execution: venue, endpoint: {ws: "ws://127.0.0.1:$port", http: "http://127.0.0.1:$port"},
  settings: {market: spot, symbols: "BTCUSDT,ETHUSDT,SOLUSDT", key: trading}}}
limits: {host: {others: none}, venues: {"*": {others: none}}, accounts: {"*": {others: none}}, groups: {"*": {others: none}},
  strategies: {"*": {others: none}}, instruments: {"*": {others: none}}}
scripts: {load: {file: "$root/tests/kill/load.lua", callback: 2s, orders_per_second: 100000, settings: {quote: "USDT"}}}
log: {level: debug}
END
"$weir" check --config "$dir/weir.yaml" >"$dir/said/check" 2>&1 || fail "the configuration: $(cat "$dir/said/check")"
"$weir" run --config "$dir/weir.yaml" --no-console >"$dir/said/out" 2>"$dir/said/err" &
host=$!
orders() { curl -s -m 60 "http://127.0.0.1:$port/_weir/books" | grep -o '"client_id"' | wc -l; }
for _ in $(seq 600); do [ "$(orders)" -gt 20 ] && break; sleep 0.1; done
[ "$(orders)" -gt 20 ] || fail "the host does not trade: $(tail -3 "$dir/said/err")"
for what in status orders limits venues scripts; do
    "$weir" ctl --socket "$dir/sock" "$what" >>"$dir/said/ctl" 2>&1
done
scan "$host" || fail "the secret is in memory that a core shows"
scan "$exchange" && fail "the scan does not find what is there"
kill -TERM "$host"
wait "$host"
host=''
# errors about keys name the source and never what stands in it
chmod 644 "$dir/keys/secret"
"$weir" run --config "$dir/weir.yaml" --no-console --for 1s >"$dir/said/mode" 2>&1 && fail "a secret that others can read is taken"
chmod 600 "$dir/keys/secret"
grep -q '0600\|mode' "$dir/said/mode" || fail "the refusal does not say why: $(tail -2 "$dir/said/mode")"
sed -i "s|file:$dir/keys/secret|$secret|" "$dir/weir.yaml"
"$weir" check --config "$dir/weir.yaml" >"$dir/text" 2>&1 && fail "a secret in the configuration is taken"
if grep -rlaF "$secret" "$dir/said"; then fail "the secret was said"; fi
[ "$(find "$dir/said/journal" -type f | wc -l)" -gt 0 ] || fail "there is no journal"
[ $failed = 0 ] && echo "the secret is nowhere"
exit $failed
