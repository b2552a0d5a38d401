#!/usr/bin/env bash
# recorded.sh WEIR [OTHER...] - a recorded market through every room: the real Binance messages of
# 2024-08-08, spot and USD-M, at full speed. Books and trades are those of golden.json; two runs have
# equal journals, and so have other builds; the journal replays byte for byte.
set -u
weir=$1
shift
root=$(cd "$(dirname "$0")/../.." && pwd)
shared=${WEIR_SHARED:-$root/../shared}
data=$shared/data/binance-20240808
[ -d "$data" ] || { echo "skipped: needs the shared folder with recordings"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0
check() { # check NAME CONDITION...
    local name=$1
    shift
    if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAIL $name"; fi
}
trade() { # trade WEIR NAME [OPTION...]: its summary in NAME.json
    (cd "$root" && "$1" run --config config/recorded.yaml --journal "$dir/$2" --data "$data/spot" "$data/usdm" \
        --speed max --json "${@:3}" >"$dir/$2.json" 2>"$dir/$2.err") || { echo "FAIL $2: $(tail -n 3 "$dir/$2.err")"; return 1; }
}
member() { python3 -c 'import json,sys; v=json.load(open(sys.argv[1]))
for k in sys.argv[2:]: v=v[k]
print(v)' "$@"; }

check 'first run' trade "$weir" one
check 'second run' trade "$weir" two
check 'orders were sent' test "$(member "$dir/one.json" orders sent)" -gt 0
check 'orders were filled' test "$(member "$dir/one.json" fills)" -gt 0
check 'equal journals' test "$(member "$dir/one.json" journal_hash)" = "$(member "$dir/two.json" journal_hash)"
check 'a run with scripts in processes' trade "$weir" process --isolation process
check 'equal journals of inline and process' test "$(member "$dir/one.json" journal_hash)" = "$(member "$dir/process.json" journal_hash)"
check 'the replay is equal' "$weir" replay "$dir/one" --verify
python3 - "$dir/one.json" "$shared/data/golden.json" <<'PY'
import json, sys
run, golden = json.load(open(sys.argv[1])), json.load(open(sys.argv[2]))["binance-20240808"]
wrong = right = 0
for market in ("spot/BTCUSDT", "spot/ETHUSDT", "usdm/BTCUSDT", "usdm/ETHUSDT"):
    for part, facts in (("books", golden[market]["book"]), ("trades", golden[market]["trades"])):
        for name, want in facts.items():
            got = run[part].get(market, {}).get(name)
            right += got == want
            if got != want:
                wrong += 1
                print(f"FAIL {market} {part} {name}: got {got}, want {want}")
print(f"{right} facts of the recordings are as they should be")
sys.exit(wrong > 0)
PY
check 'golden facts' test $? = 0
for other in "$@"; do
    # a build that is older than the sources says nothing
    [ -x "$other" ] && [ -z "$(find "$root/host" "$root/plugins" "$root/sdk" -name '*.[ch]' -newer "$other" -print -quit)" ] || continue
    name=$(basename "$(dirname "$other")")
    check "run of $name" trade "$other" "$name"
    check "journal of $name" test "$(member "$dir/one.json" journal_hash)" = "$(member "$dir/$name.json" journal_hash)"
done
echo "journal $(member "$dir/one.json" journal_hash)"
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
