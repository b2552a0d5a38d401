#!/usr/bin/env bash
# plugin_check.sh WEIR BUILD - `weir plugin check` passes for our plugins, and finds what is wrong with each of
# those in BUILD/tests/faulty: by the check that is named, for the reason that is named.
set -u
weir=$(realpath "$1")
build=$(realpath "$2")
root=$(cd "$(dirname "$0")/../.." && pwd)
passed=0 failed=0

say() { # PASSED WHAT
    if [ "$1" = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAIL $2"; fi
}

# fault, the check that finds it, and what it says of it
while read -r fault check reason; do
    [ -n "$fault" ] || continue
    said=$("$weir" plugin check --only "$check" --recordings "$root/tests/plugins_bad/recorded" "$build/tests/faulty/$fault.so" 2>&1)
    code=$?
    line=$(grep "^FAIL $check " <<<"$said")
    [ $code = 1 ] && [[ $line == *"$reason"* ]]
    say $? "$fault: expected $check to say '$reason', and exit 1; it said ($code): $said"
done <<'END'
BLOCKS                imports     usleep (a callback never waits
BLOCKS                begin       on_frame made the system call clock_nanosleep
HANGS                 begin       on_frame has not come back after 2 s
SPINS                 time        it blocks
LEAKS                 leaks       are lost with 4000 frames
LEAKS_SESSIONS        leaks       are lost with 20 sessions
OPENS_SOCKET          imports     socket (the host moves the bytes
OPENS_SOCKET          begin       on_frame made the system call socket
KEEPS_POINTER         begin       on_frame used a pointer of an earlier call
WRITES_AFTER_FREE     begin       on_frame did what the address sanitizer calls heap-use-after-free
STARTS_THREAD         imports     pthread_create (a plugin is called by one thread
STARTS_THREAD         begin       on_frame made the system call
PRINTS                imports     stderr (files are the host's
READS_BEHIND          begin       on_frame read behind the end
CRASHES_ON_SHORT      hostile     on_frame died of signal 6 (Aborted)
EXITS                 imports     exit (the process is not the plugin's
WRONG_MARKET          data        1-trade.ws, line 1: what is told is of an instrument that the message does not name
WRONG_TRADE           data        1-trade.ws, line 1: a trade was told with a price or size that is not in the message
LOSES_FILLS           answers     2-fill.ws, line 1: the event that the file's name promises was not told
LIES_ABOUT_FILLS      answers     2-fill.ws, line 1: a fill was told of a quantity that is not in the message
FILLS_ANEW            answers     2-fill.ws, line 1: a fill was told with an execution id that is not in the message
DOUBLES_FILLS         answers     2-fill.ws, line 1: one execution was told twice
BAD_EVENTS            answers     events are not what event.h says
TAKES_CUT             cut         it was taken, and an event told of it: expected an error
DROPS_REDUCE_ONLY     reduce_only 'reduce_only' sends the same bytes as 'without': it was dropped
DROPS_POST_ONLY       post_only   'post_only' sends the same bytes as 'without': it was dropped
REFUSES_POST_ONLY     post_only   'post_only' is on the sheet, and was refused
IGNORES_TIF           tif         'ioc' sends the same bytes as 'gtc': it was dropped
WRONG_SIDE            side        'sell' sends the same bytes as 'buy': it was dropped
WRONG_SYMBOL          symbol      an order of ABC-USD goes out under another symbol
WRONG_SCALE           price       the price that was asked for is not among the numbers on the wire
NOT_PURE              order       two fresh sessions that saw the same send other bytes
WALL_CLOCK            imports     clock_gettime (the time is an argument of each call)
WALL_CLOCK            order       on_intent looked at the clock
CHANCE                imports     rand (chance is no input
TAKES_AND_FORGETS     order       was taken, and nothing was sent
INVENTS_FILLS         silence     after sending: a fill was told, and the venue had said nothing
ACKS_ON_SEND          silence     after sending: an ack was told
REFUSES_AFTER_SENDING order       was refused (UNSUPPORTED), and
CANCELS_LAST          cancel      the cancel of another order sends the same bytes
LACKS_AMEND           replace     replace is refused
LACKS_QUERY           query       query_by_client_id is on the sheet, and nothing is asked
SHARED_STATE          pure        with another session beside it
HIDES_LOSS            reconnect   the private stream is still said to be up
LOSS_IS_REJECT        silence     after the connection was lost: a certain refusal was told, and
CANNOT_RESOLVE        recovery    could never be resolved
CANNOT_RESOLVE        reconcile   expected open_orders on the sheet
ABI                   load        expected ABI 2, found ABI 1
SIZE                  load        expected a descriptor of
END

# plugin, and the options that it is checked with: nothing may fail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$build/tests/faulty/remote_frames" "$dir/remote"
say $? "frames for remote"
while read -r plugin options; do
    [ -n "$plugin" ] || continue
    # shellcheck disable=SC2086 # a list of words
    said=$(cd "$root/tests/sdk/recorded" && "$weir" plugin check ${options//DIR/$dir} "$build/$plugin.so" 2>&1)
    say $? "$plugin $options: expected all to pass: $(grep -v '^PASS\|^SKIP' <<<"$said")"
done <<'END'
tests/faulty/none --recordings ../../plugins_bad/recorded
plugins/sim       --inside
plugins/remote    --recordings DIR/remote
plugins/okx       --recordings okx --set symbols=A-B
plugins/kraken    --recordings kraken --set symbols=A/B
plugins/bybit     --recordings bybit --set symbols=AB
plugins/coinbase  --recordings coinbase --set symbols=A-B
plugins/bitstamp  --recordings bitstamp --set symbols=ab
plugins/deribit   --recordings deribit --set symbols=A-B
plugins/binance   --recordings binance-spot --set market=spot --set symbols=BTCUSDT,ETHUSDT --set key=k --lacks reduce_only
plugins/binance   --recordings binance-usdm --set market=usdm --set symbols=BTCUSDT,ETHUSDT --set key=k --lacks quote_qty
END

# what is asked for wrongly
while read -r code what; do
    # shellcheck disable=SC2086 # a list of words
    "$weir" plugin ${what//DIR/$dir} >"$dir/said" 2>&1
    [ $? = "$code" ]
    say $? "weir plugin $what: expected exit $code, it said: $(cat "$dir/said")"
done <<'END'
2 check
2 check DIR/none.so
2 check --only nothing DIR/../../bin/sh
2 check --recordings DIR/nowhere /bin/sh
1 check /bin/sh
2 new
2 other
0 --help
END
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
