#!/usr/bin/env bash
# live_scripts.sh WEIR - scripts under an operator's hands: lines of Lua with and without rights, files that ask
# for a reload when they change, the switch of a script, and a comparison that finds a difference.
set -u
weir=$(realpath "$1")
root=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
host=''
trap 'kill -9 $host 2>/dev/null; rm -rf "$dir"' EXIT
passed=0 failed=0
expect() { # expect NAME PATTERN COMMAND...: its output, both streams, has the pattern
    local name=$1 pattern=$2 out
    shift 2
    out=$("$@" 2>&1)
    if grep -qE -- "$pattern" <<<"$out"; then passed=$((passed + 1)); else
        failed=$((failed + 1))
        echo "FAIL $name: want /$pattern/ in:" "$out"
    fi
}
lines() { # lines TEXT OPTION...: to the prompt
    local text=$1
    shift
    printf '%b' "$text" | "$weir" script repl "$@"
}
cd "$root" || exit 1
expect 'values' '^3  nil  text$' lines 'return 1 + 2, nil, "text"\n' --sim
expect 'globals stay' '^5$' lines 'x = 5\nx\n' --sim
expect 'a block over lines' '^12$' lines 'for i = 1, 2 do\nio_ = (io_ or 10) + 1 end\nio_\n' --sim
expect 'a block without an end' 'the last block has no end' lines 'for i = 1, 2 do\n' --sim
expect 'time goes on' '^LIVE$' lines ':wait 2s\nweir.book("sim", "BTC-USD").state\n' --sim
expect 'a wrong name' "line:1: weir has no 'sumbit'; did you mean weir.submit" lines 'weir.sumbit{}\n' --sim
expect 'an endless line' 'over its budget' lines 'while true do end\n' --sim
expect 'no rights' 'RIGHTS: this script has no order rights' lines 'weir.submit{venue="sim", symbol="BTC-USD", side="buy", type="limit", price=1, qty=1, tif="gtc"}\n' --sim
expect 'rights' '^repl-1' lines ':wait 1s\nweir.submit{venue="sim", symbol="BTC-USD", side="buy", type="limit", price=49000, qty=0.01, tif="gtc"}\n' --sim --orders
lines 'error("no")\n' --sim >/dev/null 2>&1
expect 'a line that fails is an answer' '^1$' echo $?
expect 'no host' 'no host answers there' lines '1\n' --socket "$dir/none"

mkdir -p "$dir/scripts/lib"
cp scripts/*.lua "$dir/scripts"
cp scripts/lib/*.lua "$dir/scripts/lib"
sed "s#include: \[limits.yaml\]#include: [$root/config/limits.yaml]#; s/port: 8900/port: 0/; s#control: .*#control: $dir/s.sock#
    s#file: scripts/#file: $dir/scripts/#; s/watch: false/watch: true/" config/weir.yaml >"$dir/weir.yaml"
"$weir" run --config "$dir/weir.yaml" --journal "$dir/j" --no-console >/dev/null 2>"$dir/err" &
host=$!
ctl() { "$weir" ctl --socket "$dir/s.sock" "$@"; }
for _ in $(seq 1 100); do ctl scripts >/dev/null 2>&1 && break; sleep 0.1; done
sleep 1.5
expect 'it reads' '^number$' lines 'type(weir.book("sim", "BTC-USD").bid)\n' --socket "$dir/s.sock"
expect 'it has no orders' 'RIGHTS' lines 'weir.submit{venue="sim", symbol="BTC-USD", side="buy", type="limit", price=1, qty=1, tif="gtc"}\n' --socket "$dir/s.sock" --as maker
expect 'orders need a name' 'orders are sent for a script: name one' lines '1\n' --socket "$dir/s.sock" --orders
expect 'a scanner has none to give' 'script scanner has no order rights' lines '1\n' --socket "$dir/s.sock" --as scanner --orders
expect 'nobody' "no script is named 'nobody'" lines '1\n' --socket "$dir/s.sock" --as nobody
expect 'orders of a script' '^prompt-' lines 'weir.submit{venue="sim", symbol="BTC-USD", side="buy", type="limit", price=49500, qty=0.01, tif="gtc", tag="byhand"}\n' --socket "$dir/s.sock" --as maker --orders
expect 'which is its own' 'prompt-[^ ]* +maker ' ctl orders --all
expect 'the host outlives a line' '^7$' lines 'while true do end\n7\n' --socket "$dir/s.sock"

expect 'disarmed' 'script twap is disarmed' ctl disarm twap 'for the test'
expect 'and shown so' '^twap +disarmed' sh -c "sleep 0.3; '$weir' ctl --socket '$dir/s.sock' scripts"
expect 'armed' 'script twap is armed' ctl arm twap
expect 'compare needs a change' 'nothing changed that could be compared' ctl reload --compare 1s

echo 'this is no Lua' >>"$dir/scripts/twap.lua"
sleep 3
expect 'a file that is wrong changes nothing' '^twap +running +version 1' ctl scripts
expect 'and is told of' 'refused, what runs stays: .*twap.lua:[0-9]+: syntax error' cat "$dir/err"
sed -i '$d' "$dir/scripts/twap.lua"
echo '-- one more line' >>"$dir/scripts/two_sided_maker.lua"
for _ in $(seq 1 80); do ctl scripts | grep -q '^maker .*version 2' && break; sleep 0.1; done
expect 'a file that changed asks for a reload' '^maker +running +version 2' ctl scripts
expect 'and what did not stays' '^twap +running +version 1' ctl scripts
kill -INT "$host"
wait "$host"
expect 'it stopped in good order' '^0$' echo $?
expect 'the replay is equal' 'equal|sha256' "$weir" replay "$dir/j" --verify
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
