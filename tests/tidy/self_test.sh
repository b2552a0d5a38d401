#!/usr/bin/env bash
# self_test.sh - does each check of this folder refuse what it is there to refuse?
# A small tree with one mistake at a time is made in a scratch folder; the check must name the
# place. The same tree without the mistake must pass.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0

# A tree in which all is well; the checks must not mind comments, strings and names alike.
plant() {
    rm -rf "$scratch/tree"
    mkdir -p "$scratch"/tree/{host/{base,engine,venue,script,sim},sdk/include/weir,plugins/{one,two}}
    cd "$scratch/tree" || exit 1
    echo '#include <stdint.h>' >sdk/include/weir/event.h
    echo '#include "weir/event.h"' >host/base/text.h
    printf '%s\n' '#include "base/text.h"' '#include "engine.h"' '/* a double strcpy(a, b) of 1.5,' \
        ' * and a float */ static const char *s = "1e18 \" strtod(x)"; // float' 'int a = 0x1e5;' >host/engine/book.c
    echo '#include "weir/event.h"' >host/engine/engine.h
    echo '#include "engine/engine.h"' >host/venue/net.c
    printf '%s\n' '#include "venue/net.h"' 'int b = log->system(1) + my_strcpy(2);' >host/sim/paper.c
    echo 'int net;' >host/venue/net.h
    echo '#include "base/text.h"' >host/sim/match.c
    printf '%s\n' '#include "codec.h"' '#include "weir/event.h"' >plugins/one/one.c
    echo 'int codec;' >plugins/one/codec.h
    echo '#include <stdlib.h>' >plugins/two/two.c
}

# expect CHECK PLACE WHAT: after a mistake at PLACE, the check must fail and name it
expect() {
    local said
    said=$("$here/$1.sh" "$scratch/tree" 2>&1) && said="(it passed)"
    if grep -qF -- "$2" <<<"$said" && [ "$said" != "(it passed)" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "self_test: $1.sh does not refuse $3 at $2; it said: $said"
    fi
    plant
}

accept() {
    local said
    if said=$("$here/$1.sh" "$scratch/tree" 2>&1); then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "self_test: $1.sh refuses a tree in which all is well: $said"
    fi
}

plant
accept layers; accept banned; accept no_float; accept sizes

echo '#include "engine/engine.h"' >>host/base/text.h;      expect layers host/base/text.h:2 "a step up"
echo '#include "script/x.h"' >>host/venue/net.c
touch host/script/x.h;                                     expect layers host/venue/net.c:2 "a step aside"
echo '#include "../two/two.h"' >>plugins/one/one.c
touch plugins/two/two.h;                                   expect layers plugins/one/one.c:3 "a look at another plugin"
echo '#include "base/text.h"' >>plugins/one/one.c;         expect layers plugins/one/one.c:3 "a look at the host"
echo '  #  include <stdio.h>' >>host/engine/book.c;        expect layers host/engine/book.c:6 "I/O in the engine"
echo '#include "venue/net.h"' >>host/sim/match.c;          expect layers host/sim/match.c:2 "more than base in match"
echo '#include "gone.h"' >>host/sim/paper.c;               expect layers host/sim/paper.c:3 "a file that is not there"
echo '#include <weir/event.h>' >>host/sim/paper.c;         expect layers host/sim/paper.c:3 "our header in angles"
mkdir host/other; touch host/other/new.c;                  expect layers host/other/new.c "a folder without a row"

echo 'int c = strcpy (a, b);' >>plugins/two/two.c;         expect banned plugins/two/two.c:2 "strcpy"
echo '/**/ x = atoi(y);' >>host/venue/net.c;               expect banned host/venue/net.c:2 "atoi"
echo 'int d = alloca(4);' >>sdk/include/weir/event.h;      expect banned sdk/include/weir/event.h:2 "alloca"

echo 'double x;' >>host/engine/book.c;                     expect no_float host/engine/book.c:6 "a double"
echo 'int64_t x = 1e18;' >>host/engine/engine.h;           expect no_float host/engine/engine.h:2 "a literal"
echo 'long y = x * .5;' >>host/sim/match.c;                expect no_float host/sim/match.c:2 "a fraction"

yes 'int x;' | head -n 1201 >host/venue/net.c;             expect sizes host/venue/net.c "a file of 1201 lines"

# the two checks of what was built
refuses() { # NAME WHAT COMMAND...: the command must fail and say WHAT
    local said
    said=$("${@:3}" 2>&1) && said="(it passed)"
    if grep -qF -- "$2" <<<"$said"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "self_test: $1 does not refuse '$2'; it said: $said"
    fi
}
cc=$(command -v gcc || command -v clang)
cd "$scratch" || exit 1
echo '#include <stdlib.h>
void *want(size_t n); void *want(size_t n) { return malloc(n); }' >impure.c
echo '#include <string.h>
void put(char *a, char *b, size_t n); void put(char *a, char *b, size_t n) { memcpy(a, b, n); }' >pure.c
echo 'int main(void) { return 0; }' >plain.c
"$cc" -O2 -c impure.c pure.c && ar rc impure.a impure.o pure.o && ar rc pure.a pure.o
"$cc" -no-pie -Wl,-z,norelro,-z,lazy,-z,execstack plain.c -o plain
refuses engine_links "malloc is not in" "$here/engine_links.sh" impure.a
refuses hardening "not position independent" "$here/hardening.sh" plain
refuses hardening "no RELRO" "$here/hardening.sh" plain
refuses hardening "the stack is executable" "$here/hardening.sh" plain
refuses hardening "not bound at the start" "$here/hardening.sh" plain
if "$here/engine_links.sh" pure.a >/dev/null; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "self_test: engine_links refuses a pure archive"; fi
mkdir reports && echo leak >reports/asan.1
refuses reports "1 from the sanitizers" "$here/reports.sh" end reports

if command -v abidiff >/dev/null; then # what a compiled plugin sees: a new enumerator may come, nothing may move
    abi() { # WHAT SED FILE
        rm -rf moved && mkdir moved && cp -r "$here/../../sdk" moved/
        sed -i "$2" "moved/sdk/include/weir/$3"
        [ "$1" = "" ] || { refuses abi "$1" "$here/abi.sh" moved; return; }
        if "$here/abi.sh" moved >/dev/null; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "self_test: abi refuses $2"; fi
    }
    abi "" 's/WEIR_QUERY = 115,/&\n    WEIR_ANOTHER = 116,/' event.h
    abi "raise WEIR_ABI" 's/WEIR_FILL = 42,/WEIR_FILL = 142,/' event.h
    abi "raise WEIR_ABI" 's/^    uint64_t stream_seq;.*/    uint32_t stream_seq, more;/' event.h
    abi "raise WEIR_ABI" 's/(\*banned)(void \*host, weir_ns until)/(*banned)(void *host, uint32_t until)/' plugin.h
    abi "expected sdk/abi/weir-9.abi" 's/^#define WEIR_ABI .*/#define WEIR_ABI 9u/' plugin.h
fi

# the count of a run: a suite by its own line, a program by its verdict, and no verdict is a failure
case_() { printf '\t<testcase name="%s" classname="" time="0" status="%s">\n%s\t\t<system-out>%s\n</system-out>\n\t</testcase>\n' "$@"; }
{
    case_ suite fail '' $'[SKIP] a::b: no folder\n[====] Synthesis: Tested: 5 | Passing: 3 | Failing: 2 | Crashing: 1 '
    case_ lines run '' $'lines: 7 passed, 0 failed, 2 skipped'
    case_ liar fail '' '4 passed, 0 failed'
    case_ plain run '' 'hello'
    case_ gone notrun $'\t\t<skipped message="Unable to find executable"/>\n' ''
    case_ absent notrun $'\t\t<skipped message="SKIP_RETURN_CODE=77"/>\n' ''
    case_ reports_end run '' 'reports: 0 from the sanitizers'
} >count.xml
counted=$("$here/count.sh" count.xml | tail -n 1)
if [ "$counted" = "15 4 4" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "self_test: count.sh counts $counted, and not 15 4 4"; fi

echo "self_test: $passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -ge 28 ]
