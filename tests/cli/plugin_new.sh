#!/usr/bin/env bash
# plugin_new.sh WEIR BUILD - a newcomer's way: the SDK is installed somewhere, `weir plugin new` writes a connector,
# which is built there with CMake and pkg-config from what was installed, and passes `weir plugin check`.
set -u
build=$(realpath "$2")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0

step() { # WHAT COMMAND...
    if "${@:2}" >"$dir/said" 2>&1; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAIL $1:"; cat "$dir/said"; fi
}

step "install" cmake --install "$build" --prefix "$dir/installed"
for file in bin/weir include/weir/plugin.h include/weir/scan.h lib/pkgconfig/weir.pc lib/weir/plugins/sim.so; do
    step "$file is installed" test -f "$dir/installed/$file"
done
mkdir "$dir/mine"
cd "$dir/mine" || exit 1
export PATH=$dir/installed/bin:$PATH
step "pkg-config knows it" env PKG_CONFIG_PATH="$dir/installed/lib/pkgconfig" pkg-config --exists weir
step "new" weir plugin new alpha
step "configure" cmake -S alpha -B alpha/build -DCMAKE_C_COMPILER=gcc -DCMAKE_C_FLAGS=-Werror -DCMAKE_PREFIX_PATH="$dir/installed"
step "build and check" cmake --build alpha/build --target check
grep "^SKIP\|^FAIL" "$dir/said" | grep -v "not on the sheet\|are on the sheet$\|--inside" >"$dir/rest"
step "nothing is left out but what the venue lacks" test ! -s "$dir/rest"
step "a name is taken once" bash -c '! weir plugin new alpha'
step "a name is a name" bash -c '! weir plugin new Alpha-1'
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
