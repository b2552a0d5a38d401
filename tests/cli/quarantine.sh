#!/usr/bin/env bash
# quarantine.sh WEIR - scripts in processes of their own under a real host: one that runs away is stopped,
# journalled and disarmed, also after a restart, until it is armed; one whose process dies comes back by
# itself; weir.state is there again after a restart; nothing is left of any of them.
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
trap 'kill -9 $host 2>/dev/null; rm -rf "$dir"' EXIT
cat >"$dir/bad.lua" <<'LUA'
weir.on("book", function() if weir.now() > weir.settings.after * 1000000000 then while true do end end end)
LUA
cat >"$dir/good.lua" <<'LUA'
weir.state.n = weir.state.n or 0
weir.on("start", function() weir.log("begins at " .. weir.state.n) end)
weir.every(10000000, function() weir.state.n = weir.state.n + 1 end)
LUA
{
    sed "s#include: \[limits.yaml\]#include: [$root/config/limits.yaml]#; s/port: 8900/port: 0/; s#control: .*#control: $dir/s.sock#
         s#state: run/state.*#state: $dir/state#; s/journal_mode: new/journal_mode: continue/; /^scripts:/,\$d" "$root/config/weir.yaml"
    cat <<YAML
scripts:
  bad:
    file: $dir/bad.lua
    callback: 20ms
    settings: {after: $(($(date +%s) + 2))}
  good:
    file: $dir/good.lua
    retry_wait: 100ms
YAML
} >"$dir/weir.yaml"
cd "$root" || exit 1
ctl() { "$weir" ctl --socket "$dir/s.sock" "$@" 2>&1; }
start() {
    "$weir" run --config "$dir/weir.yaml" --journal "$dir/j" --no-console >"$dir/out" 2>"$dir/err" &
    host=$!
    for _ in $(seq 1 100); do ctl scripts | grep -q good && return; sleep 0.1; done
}
until_says() { # until_says PATTERN COMMAND...: at most 10 s
    local pattern=$1
    shift
    for _ in $(seq 1 100); do "$@" | grep -qE -- "$pattern" && return 0; sleep 0.1; done
    "$@"
    return 1
}
cells_of() { # processes of the cells of a host
    local zygote
    zygote=$(pgrep -P "$1" | head -n 1)
    [ -n "$zygote" ] && pgrep -P "$zygote"
}

start
check 'each script has a process' test "$(cells_of $host | wc -l)" = 2
check 'a script that runs away is stopped' until_says 'bad +quarantined' ctl scripts
check 'and says where' until_says 'bad.lua:1: over its budget of 20 ms' ctl scripts
check 'it is an alert' until_says 'bad.lua:1' ctl alerts
check 'the other runs on' until_says 'good +running' ctl scripts
check 'one process is left' test "$(cells_of $host | wc -l)" = 1
kill -9 "$(cells_of $host)"
check 'a process that died is told' until_says 'the process of the script died' cat "$dir/err"
check 'and comes back by itself' until_says 'good +running' ctl scripts
check 'as a new process' until_says '^1$' sh -c "pgrep -P $(pgrep -P $host | head -n 1) | wc -l"
kill -9 "$(pgrep -P $host | head -n 1)"
check 'the death of their parent is told' until_says "come from died, and they with it; another one took its place" cat "$dir/err"
check 'and scripts come back by themselves' until_says 'good +running' ctl scripts
check 'as a process again' until_says '^1$' sh -c "pgrep -P $(pgrep -P $host | head -n 1) weir-cell | wc -l"
# where a chunk is only checked, weir.now() is 1: this one is refused wherever that is done in the host's process
sed -i '1i weir.declare{x = {type = "number", default = weir.now() == 1 and "checked in the host" or 1}}' "$dir/good.lua"
ctl reload --compare 3s >"$dir/compared" &
comparing=$!
check 'a shadow has a process of its own' until_says '^2$' sh -c "pgrep -P $(pgrep -P $host | head -n 1) weir-cell | wc -l"
wait $comparing
check 'and is compared' grep -q 'script good: .* wishes alike' "$dir/compared"
check 'a reload runs no line of it in the host' until_says 'script good: reloaded' ctl reload
check 'and one process is left' until_says '^1$' sh -c "pgrep -P $(pgrep -P $host | head -n 1) weir-cell | wc -l"
sed -i "s/{after: .*/{after: $(($(date +%s) + 1000))}/" "$dir/weir.yaml"
sleep 0.3
kill -INT $host
wait $host
check 'it stops in good order' test $? = 0
check 'nothing is left of the cells' sh -c "! pgrep -P $host"
check 'the state is in a file' grep -qE '"n"\] *= *[1-9]' "$dir"/state/1-good.state
check 'the quarantine is in the journal' grep -qa 'bad.lua:1: over its budget' "$dir"/j/*.weir
check 'the replay is equal' sh -c "\"$weir\" replay '$dir/j' --verify >'$dir/replay'"

start
check 'the state is there again' until_says 'begins at [1-9]' cat "$dir/err"
check 'what was stopped sends nothing after a restart' until_says 'bad: disarmed since before' cat "$dir/err"
check 'until it is armed' until_says 'script bad is armed' ctl arm bad
kill -TERM $host
wait $host
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ] || { tail -n 20 "$dir/err"; exit 1; }
