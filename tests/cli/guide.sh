#!/usr/bin/env bash
# guide.sh WEIR [GUIDE] - docs/strategy.md, or another guide, as a newcomer follows it: each file is written, each command run, and what
# it prints must be what the guide shows (`...` stands for anything).
set -u
weir=$(realpath "$1")
root=$(cd "$(dirname "$0")/../.." && pwd)
guide=$(realpath "${2:-$root/docs/strategy.md}")
dir=$(mktemp -d)
mkdir "$dir/bin" "$dir/tests" "$dir/build"
cp -r "$root/config" "$root/scripts" "$root/examples" "$dir/"
cp -r "$root/tests/cli" "$dir/tests/"
ln -s "$weir" "$dir/bin/weir"
ln -s "$(dirname "$weir")" "$dir/build/fast"
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$dir"' EXIT
cd "$dir" || exit 1
export PATH=$dir/bin:$PATH
python3 - "$guide" <<'PY'
import re, subprocess, sys, time
text = open(sys.argv[1]).read()
passed = failed = 0

def fits(want, got):
    pattern = "".join(".*" if part == "..." else re.escape(part) for part in re.split(r"(\.\.\.)", want))
    return re.fullmatch(pattern, got, re.S) is not None

def wait_for(config): # until what was started answers
    ask = f"weir ctl --config {config.group(1) if config else 'config/weir.yaml'} status"
    for _ in range(300):
        if subprocess.run(ask, shell=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
            return
        time.sleep(0.1)

def run(command, want):
    global passed, failed
    if command.endswith("&"):
        subprocess.Popen(command[:-1], shell=True)
        wait_for(re.search(r"--config (\S+)", command))
        return
    until = time.time() + (30 if re.search(r"weir ctl .*(scripts|limits|status)$", command) else 0)
    while True: # what only asks is asked again: a host may have just begun
        done = subprocess.run(command, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
        got = done.stdout.strip("\n")
        good = fits("\n".join(want), got)
        if good or time.time() > until:
            break
        time.sleep(0.2)
    passed += good
    failed += not good
    if not good:
        print(f"FAIL $ {command}\n--- the guide says\n" + "\n".join(want) + f"\n--- it printed\n{got}")

for info, body in re.findall(r"```(\S[^\n]*)\n(.*?)```", text, re.S):
    name = re.search(r"file=(\S+)", info)
    if name:
        file = name.group(1) # +NAME: more of it
        open(file.lstrip("+"), "a" if file[0] == "+" else "w").write(body)
        lines = len(body.splitlines())
        if name.group(1) == "scripts/first.lua" and lines != 15:
            print(f"FAIL the first strategy has {lines} lines")
            failed += 1
    if info != "console":
        continue
    command, want = None, []
    for line in body.splitlines() + ["$ "]:
        if line.startswith("$ "):
            if command:
                run(command, want)
            command, want = line[2:], []
        else:
            want.append(line)
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0 or passed == 0)
PY
