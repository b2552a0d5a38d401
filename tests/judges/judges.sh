#!/bin/sh
# Clients from npm against `weir exchange`. 77: they are not installed and cannot be.
#   judges.sh WEIR
weir=$1
here=$(cd "$(dirname "$0")" && pwd)
command -v node > /dev/null || { echo "needs nodejs"; exit 77; }
if [ ! -d "$here/node_modules/ccxt" ]; then
    (cd "$here" && npm ci --no-audit --no-fund --ignore-scripts > /dev/null 2>&1) ||
        { echo "the clients cannot be installed: no network, or no npm"; exit 77; }
fi
out=$(mktemp)
"$weir" exchange --venue binance > "$out" &
pid=$!
trap 'kill $pid 2> /dev/null; rm -f "$out"' EXIT
for _ in 1 2 3 4 5 6 7 8 9 10; do
    port=$(sed -n 's/.*"http":\([0-9]*\).*/\1/p' "$out")
    [ -n "$port" ] && break
    sleep 0.3
done
[ -n "$port" ] || { echo "the exchange does not start"; exit 1; }
node "$here/judge.mjs" "$port"
