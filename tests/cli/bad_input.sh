#!/usr/bin/env bash
# bad_input.sh WEIR - what people and machines get wrong, against the real program: each is one clear
# message with place and expectation, exit code 2 (or a stopped script), and nothing else is hurt.
set -u
weir=$1
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0

# expect NAME CODE PATTERN COMMAND...: the exit code, and a line of its output that matches
expect() {
    local name=$1 code=$2 pattern=$3 out got
    shift 3
    out=$(cd "$root" && timeout 60 "$@" 2>&1 </dev/null)
    got=$?
    if [ "$got" = "$code" ] && grep -qE -- "$pattern" <<<"$out"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAIL %s: exit %s, want %s; want /%s/ in:\n%s\n' "$name" "$got" "$code" "$pattern" "$(head -n 12 <<<"$out")"
    fi
}

# change FROM TO: the shipped configuration with one text changed, in $dir/weir.yaml
change() {
    FROM=$1 TO=$2 awk 'BEGIN { from = ENVIRON["FROM"]; to = ENVIRON["TO"] }
        !done { at = index($0, from); if (at) { $0 = substr($0, 1, at - 1) to substr($0, at + length(from)); done = 1 } }
        { print }' "$root/config/weir.yaml" | sed "s#include: \[limits.yaml\]#include: [$root/config/limits.yaml]#" >"$dir/weir.yaml"
}

# --- command line ---
expect 'no command' 2 'usage: weir COMMAND' "$weir"
expect 'unknown command' 2 "unknown command 'fly'" "$weir" fly
expect 'help' 0 'usage: weir COMMAND' "$weir" --help
for verb in run check scenario try script plugin book replay why ctl describe; do
    expect "help of $verb" 0 "usage: weir $verb" "$weir" "$verb" --help
    expect "unknown option of $verb" 2 'weir '"$verb"'|unrecognized' "$weir" "$verb" --frobnicate
done
expect 'bad duration' 2 "expected a duration" "$weir" run --for 3
expect 'bad speed' 2 "--speed: expected" "$weir" run --speed fast
expect 'cancel without an order' 2 'cancel: expected' "$weir" ctl --socket "$dir/none.sock" cancel
expect 'no host to talk to' 2 'no host answers there' "$weir" ctl --socket "$dir/none.sock" status

expect 'an answer that cannot be written' 2 'standard output: No space left' sh -c "'$weir' check --json >/dev/full"

# --- configuration ---
change 'instance: 1 ' 'instance: 1'
expect 'the shipped one is right' 0 'ok: 1 venues, 3 scripts' "$weir" check --config "$dir/weir.yaml"
change 'sync: group' 'sink: group'
expect 'unknown key' 2 "weir.yaml:[0-9]+:[0-9]+: .*unknown key 'sink' in 'host' \(did you mean 'sync'\?\)" "$weir" check --config "$dir/weir.yaml"
expect 'and run refuses it too' 2 "unknown key 'sink'" "$weir" run --config "$dir/weir.yaml" --for 1s
change 'orders: 65536' 'orders: 65536
  orders: 65536'
expect 'duplicate key' 2 'weir.yaml:[0-9]+:[0-9]+: .*duplicate key' "$weir" check --config "$dir/weir.yaml"
change 'orders: 65536' 'orders: many'
expect 'mistyped value' 2 "host.orders: expected a whole number, 64 to 4194304, found 'many'" "$weir" check --config "$dir/weir.yaml"
change 'orders: 65536' 'orders: 4294967400'
expect 'a number that would wrap' 2 "weir.yaml:[0-9]+:[0-9]+: .*host.orders: expected a whole number, 64 to 4194304" "$weir" check --config "$dir/weir.yaml"
change 'port: 8900' 'port: 70000'
expect 'a port that is none' 2 "gateway.port: expected a whole number, 0 to 65535, found '70000'" "$weir" check --config "$dir/weir.yaml"
printf 'host: {instance: -4, sink: 1, orders: many}\nvenues: {a: {plugin: sim, execution: magic}}\n' >"$dir/many.yaml"
expect 'each fault of a file is told' 2 '^4 true$' sh -c "'$weir' check --json --config '$dir/many.yaml' | python3 -c 'import json,sys
f = json.load(sys.stdin)[\"faults\"]; print(len(f), all(\"many.yaml:\" in x for x in f))' | tr T t; exit 2"
expect 'run tells the first and how many more' 2 'and 3 more; .weir check. tells all' "$weir" run --config "$dir/many.yaml"
change 'port: 8900' 'port: 8900
  listen: localhost'
sed -i '/listen: 127.0.0.1/d' "$dir/weir.yaml"
expect 'a name instead of an address' 2 "gateway.listen: expected an address such as 127.0.0.1 or ::1, found 'localhost'" "$weir" check --config "$dir/weir.yaml"
change 'callback: 50ms' 'callback: 0s'
expect 'a script without time' 2 'scripts.maker.callback: expected 100us or more, found 0ns' "$weir" check --config "$dir/weir.yaml"
change 'balances: {USD: 1000000}' 'balances: {USD: lots}'
expect 'a balance that is no number' 2 "venues.sim.paper.balances.USD: expected an amount such as 1000.5, found 'lots'" "$weir" check --config "$dir/weir.yaml"
change 'clip: 0.05' 'clip: lots'
expect 'a setting of another type' 2 'weir.yaml:[0-9]+:[0-9]+: settings.clip: expected a number, 0 or more; found "lots"' "$weir" check --config "$dir/weir.yaml"
change 'plugin: sim' 'plugin: simm'
expect 'missing plugin' 2 "venues.sim: plugin 'simm': no such file: looked at " "$weir" check --config "$dir/weir.yaml"
change 'scripts/two_sided_maker.lua' 'scripts/none.lua'
expect 'missing script' 2 'scripts.maker: .*scripts/none.lua' "$weir" check --config "$dir/weir.yaml"
change 'include: [limits.yaml]' "include: [$dir/limits.yaml]"
sed -i "s#include: .*#include: [$dir/limits.yaml]#" "$dir/weir.yaml"
sed '0,/max_position: none/{/max_position: none/d}' "$root/config/limits.yaml" >"$dir/limits.yaml"
expect 'missing limit' 2 'limits.host.max_position: missing; a limit has no default' "$weir" check --config "$dir/weir.yaml"
sed '0,/max_position: none/s//max_position: 1e3/' "$root/config/limits.yaml" >"$dir/limits.yaml"
expect 'a limit that is not a plain decimal' 2 "limits.yaml:[0-9]+:.*expected a plain decimal number" "$weir" check --config "$dir/weir.yaml"

# --- plugins ---
plugin() {
    change 'plugin: sim' "plugin: $1"
    "${CC:-cc}" -shared -fPIC -fvisibility=hidden -I"$root/sdk/include" -o "$1" -x c - 2>/dev/null
}
printf '#include "weir/plugin.h"\n__attribute__((visibility("default"))) int nothing;\n' | plugin "$dir/empty.so"
expect 'no symbol' 2 'empty.so.*weir_plugin' "$weir" check --config "$dir/weir.yaml"
printf '#include "weir/plugin.h"\nconst struct weir_plugin weir_plugin = {.magic = WEIR_MAGIC, .size = sizeof(struct weir_plugin), .abi = 99, .layout = WEIR_LAYOUT, .name = "old", .version = "1"};\n' | plugin "$dir/old.so"
expect 'another ABI' 2 'old.so.*(ABI|abi).*99|99.*(ABI|abi)' "$weir" check --config "$dir/weir.yaml"
printf 'this is no shared object' >"$dir/text.so"
change 'plugin: sim' "plugin: $dir/text.so"
expect 'not a shared object' 2 'text.so' "$weir" check --config "$dir/weir.yaml"
printf '#include "weir/plugin.h"\nconst struct weir_plugin weir_plugin = {.magic = WEIR_MAGIC};\n' | plugin "$dir/open.so"
chmod 666 "$dir/open.so"
expect 'writable by all' 2 'open.so.*(mode|writ)' "$weir" check --config "$dir/weir.yaml"

# --- recordings ---
line() { printf '17231612%011d {"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":%d,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}\n' "$1" "$1"; }
for i in $(seq 1 400); do line "$i"; done >"$dir/plain.txt"
gzip -c "$dir/plain.txt" >"$dir/whole.gz"
expect 'a whole recording' 0 'BTCUSDT' "$weir" book --plugin binance "$dir/whole.gz"
head -c "$(($(stat -c %s "$dir/whole.gz") / 2))" "$dir/whole.gz" >"$dir/cut.gz"
expect 'cut recording' 2 'cut.gz.*expected' "$weir" book --plugin binance "$dir/cut.gz"
cp "$dir/whole.gz" "$dir/flip.gz"
printf '\xff' | dd of="$dir/flip.gz" bs=1 seek=$(($(stat -c %s "$dir/whole.gz") / 2)) conv=notrunc status=none
expect 'bit-flipped recording' 2 'flip.gz' "$weir" book --plugin binance "$dir/flip.gz"
expect 'no venue takes it' 2 'no venue of config/weir.yaml takes any of these recordings' "$weir" run --config config/weir.yaml --journal "$dir/j1" --data "$dir/whole.gz" --json
expect 'and run refuses it' 2 'cut.gz.*expected' "$weir" run --config config/recorded.yaml --journal "$dir/j0" --data "$dir/cut.gz" --json
printf 'hello\n' >"$dir/hello.txt"
expect 'not a recording' 2 'hello.txt' "$weir" book --plugin binance "$dir/hello.txt"
expect 'no such recording' 2 'none.gz' "$weir" book --plugin binance "$dir/none.gz"

# --- journals ---
change 'instance: 1 ' 'instance: 1'
sed -i 's/port: 8900/port: 0/; s#control: .*#control: '"$dir"'/s.sock#; s/journal_mode: new/journal_mode: continue/; s/segment: 64MiB/segment: 1MiB/' "$dir/weir.yaml"
expect 'a run' 0 'journal ' "$weir" run --config "$dir/weir.yaml" --journal "$dir/j" --for 2s --no-console
expect 'its replay is equal' 0 'equal|verified' "$weir" replay "$dir/j" --verify
expect 'no journal' 2 'no journal here|no such' "$weir" why x --journal "$dir/none"
first=$dir/j/00000001.weir
cp -r "$dir/j" "$dir/damaged"
printf '\xff\xff' | dd of="$dir/damaged/00000001.weir" bs=1 seek=5000 conv=notrunc status=none
expect 'flipped journal: replay' 2 '00000001.weir.*offset|offset.*00000001.weir' "$weir" replay "$dir/damaged" --verify
expect 'flipped journal: run' 2 '00000001.weir' "$weir" run --config "$dir/weir.yaml" --journal "$dir/damaged" --for 1s
cp -r "$dir/j" "$dir/short"
truncate -s 3000 "$dir/short/00000001.weir"
expect 'truncated journal' 2 '00000001.weir' "$weir" replay "$dir/short" --verify
[ -f "$first" ] || failed=$((failed + 1))

# --- scripts ---
printf 'local x = = 1\n' >"$dir/syntax.lua"
expect 'syntax error' 1 'refused.*syntax.lua:1' "$weir" try --for 100ms "$dir/syntax.lua"
change 'scripts/two_sided_maker.lua' "$dir/syntax.lua"
expect 'check names its line' 2 'scripts.maker: .*syntax.lua:1' "$weir" check --config "$dir/weir.yaml"
printf 'weir.on("book", function() while true do end end)\n' >"$dir/loop.lua"
expect 'endless loop' 1 'quarantined.*loop.lua' "$weir" try --for 200ms "$dir/loop.lua"
printf 'weir.on("book", function() while true do pcall(function() while true do end end) end end)\n' >"$dir/pcall.lua"
expect 'endless pcall loop' 1 'quarantined.*pcall.lua' "$weir" try --for 200ms "$dir/pcall.lua"
printf 'local t = {}\nweir.on("book", function() for i = 1, 1e9 do t[#t + 1] = ("x"):rep(1000) .. i end end)\n' >"$dir/bomb.lua"
expect 'memory bomb' 1 'quarantined.*bomb.lua' "$weir" try --for 200ms "$dir/bomb.lua"
printf 'weir.on("book", function(e) error("mine") end)\n' >"$dir/error.lua"
expect 'an error names its line' 1 'error.lua:1: mine' "$weir" try --for 200ms "$dir/error.lua"
printf 'weir.every(10000000, function() weir.log("tick") end)\n' >"$dir/good.lua"
expect 'a good script beside them goes on' 1 'ok +.*good.lua' "$weir" try --for 200ms "$dir/loop.lua" "$dir/good.lua" "$dir/bomb.lua"

# --- scenarios ---
printf '{"format":1}' >"$dir/s.json"
expect 'a scenario without steps' 2 's.json: .*missing' "$weir" scenario "$dir/s.json"
printf '{"format":1,' >"$dir/s.json"
expect 'a scenario that is no JSON' 2 's.json.*1:' "$weir" scenario "$dir/s.json"

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
