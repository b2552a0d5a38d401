#!/usr/bin/env bash
# run.sh [NAME...] - is what the engine promises tested? Each mutant of mutants.txt is the engine with
# one mistake in it. The random stories of tests/property must find it, or else a scenario file (our
# own, or one of the shared folder), or else the stories of tests/engine. A mutant that lives on shows
# what no test would notice.
#
# Only the changed file is compiled again; everything else is built once, as it is, and must pass.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
shared=${WEIR_SHARED:-$root/../shared}
stories=3000 # that many find the quickest mistakes; 1,000,000 run as a test of their own
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
flags=(-O1 -std=gnu17 -D_GNU_SOURCE -w -I "$root/host" -I "$root/sdk/include" -I "$root/tests")
libraries=(-lcjson -lcrypto -lcriterion -lm -lpthread)
mutants=0 killed=0 failed=0
wrong() { failed=$((failed + 1)); echo "FAIL $*"; }

# objects FOLDER SOURCE...: each as an object in the folder
objects() {
    local to=$dir/$1
    shift
    mkdir -p "$to"
    printf '%s\0' "$@" | TO=$to xargs -0 -P 2 -I{} sh -c \
        'from=$1; shift; exec gcc "$@" -c "$from" -o "$TO/$(basename "$from" .c).o"' sh {} "${flags[@]}"
}

build_rest() {
    objects engine "$root"/host/engine/*.c &&
        objects base "$root"/host/base/*.c &&
        objects property "$root"/tests/property/*.c &&
        objects stories "$root"/host/sim/scenario*.c "$root/tests/mutation/stories.c" &&
        objects told "$root"/tests/engine/{hold,links,further}_test.c "$root"/tests/engine/support_*.c
}

# link PROGRAM: with the objects of engine/, of which one may have been replaced
link() { gcc "$dir"/engine/*.o "$dir"/base/*.o "$dir/$1"/*.o -o "$dir/$1.out" "${libraries[@]}"; }

shopt -s nullglob
files=("$root"/tests/scenario/*.json "$shared"/scenarios/S*.json)
by_property() { timeout 60 "$dir/property.out" "$stories" 1 >"$dir/said" 2>&1; }
by_told() { timeout 60 "$dir/told.out" >"$dir/said" 2>&1; }
by_stories() { timeout 60 "$dir/stories.out" "${files[@]}" >"$dir/said" 2>&1; }

# Who notices? It says what was wrong, in its first line with FAIL, or dies.
why() { grep -m 1 FAIL "$dir/said" || tail -n 1 "$dir/said" | grep . || echo "it died"; }
# Mistakes in what the host keeps, and in what stands beside the contract: the stories of tests/engine see
# them first, and quicker.
hunt() {
    case $1 in
    hold.c | links.c | slices.c | lane.c | caps.c | further.c | course.c)
        link told || { echo "it does not link"; return 1; }
        if ! by_told; then echo "engine: $(why)"; return 0; fi
        ;;
    esac
    link property || { echo "it does not link"; return 1; }
    if ! by_property; then echo "stories: $(why)"; return 0; fi
    link stories || { echo "it does not link"; return 1; }
    if ! by_stories; then echo "scenarios: $(why)"; return 0; fi
    link told || { echo "it does not link"; return 1; }
    if ! by_told; then echo "engine: $(why)"; return 0; fi
    echo "nobody noticed"
    return 1
}

# try NAME FILE TEXT REPLACEMENT
try() {
    local name=$1 file=$2 old=$3 new=$4 source rest verdict
    local object=$dir/engine/${file%.c}.o
    mutants=$((mutants + 1))
    [ -f "$root/host/engine/$file" ] || { wrong "$name: there is no $file"; return; }
    source=$(<"$root/host/engine/$file")
    rest=${source#*"$old"}
    if [ "$rest" = "$source" ] || [ "${rest#*"$old"}" != "$rest" ]; then
        wrong "$name: the list is out of date, its text is not exactly once in $file"
        return
    fi
    printf '%s\n' "${source%"$old$rest"}$new$rest" >"$dir/$file"
    cp "$object" "$dir/original.o"
    if ! gcc "${flags[@]}" -c "$dir/$file" -o "$object"; then
        wrong "$name: it does not compile"
    elif verdict=$(hunt "$file"); then
        killed=$((killed + 1))
        printf '%-34s %.150s\n' "$name" "$verdict"
    else
        wrong "$name: $verdict"
    fi
    cp "$dir/original.o" "$object"
}

# wanted NAME [CHOICE...]
wanted() {
    local name=$1 choice
    shift
    [ $# = 0 ] && return 0
    for choice in "$@"; do [ "$choice" = "$name" ] && return 0; done
    return 1
}

# each [NAME...]: mutants.txt is blocks "=== NAME FILE", text, "---", replacement
each() {
    local line name='' file='' part=0 text=('' '')
    while IFS= read -r line; do
        case $line in
        '=== '*)
            [ -n "$name" ] && wanted "$name" "$@" && try "$name" "$file" "${text[0]%$'\n'}" "${text[1]%$'\n'}"
            read -r _ name file <<<"$line"
            part=0 text=('' '')
            ;;
        ---) part=1 ;;
        *) text[part]+=$line$'\n' ;;
        esac
    done < <(cat "$root/tests/mutation/mutants.txt" && echo '=== ')
}

build_rest || { echo "the engine does not build"; exit 1; }
link property && link stories && link told || exit 1
by_property || { wrong "without a mistake: $(why)"; echo "0 passed, $failed failed"; exit 1; }
[ ${#files[@]} = 0 ] || by_stories || { wrong "without a mistake: $(why)"; echo "0 passed, $failed failed"; exit 1; }
by_told || { wrong "without a mistake: $(why)"; echo "0 passed, $failed failed"; exit 1; }
each "$@"
echo "$mutants mutants, $killed killed"
echo "$killed passed, $failed failed"
[ "$failed" = 0 ] && [ "$mutants" -gt 0 ]
