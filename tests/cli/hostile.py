#!/usr/bin/env python3
"""hostile.py WEIR SCRIPTS DIR - attackers inside a live host, all at once, beside an honest strategy.

A host runs the honest strategy alone, then beside the attackers in processes, then beside them inline.
The market of the sim venue is the same each time, so what the honest one sees and asks for at a book's
sequence number must be the same as without attackers (a host that stood still
for seconds, as while scripts load on a slow machine, or inline, misses some of the market). Each attacker must have ended as the first line of
its file says; the host answers, journals and replays as always. Without WEIR_WHOLE=1 only
one script in sixteen is taken, in processes."""
import glob, json, os, subprocess, sys, time

weir, folder, work = sys.argv[1:4]
root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
whole = bool(os.environ.get("WEIR_WHOLE"))
everyone = sorted(glob.glob(folder + "/*.lua"))
attackers = everyone if whole else everyone[4::16]
passed = failed = 0

HONEST = """
weir.subscribe{venue = "sim", symbol = "ETH-USD", what = "book"}
local function say(e, what, ...) weir.log(("%d %s %s %s"):format(e.seq, what, ...)) end
weir.on("book", function(e)
    if not e.bid then return end
    say(e, "sees", e.bid, e.ask)
    if e.seq % 8 == 0 then -- in another market: its own orders would be numbered in this one
        local price = 149 + e.seq % 16 / 100
        local id, err = weir.submit{venue = "sim", symbol = "SOL-USD", side = "buy", price = price, qty = 0.1,
                                    type = "limit", tif = "gtc"}
        say(e, "asks", price, id and "taken" or tostring(err))
        if id then weir.cancel(id) end
    end
end)
weir.on("stop", function() weir.log("stops in good order") end)
"""


def check(name, good, more=""):
    global passed, failed
    passed += bool(good)
    failed += not good
    if not good:
        print("FAIL", name, more)


def config(name, isolation):
    text = open(root + "/config/weir.yaml").read()
    text = text[: text.index("\nscripts:")]
    for old, new in (("include: [limits.yaml]", f"include: [{root}/config/limits.yaml]"), ("port: 8900", "port: 0"),
                     ("control: run/weir.sock", f"control: {work}/{name}.sock"), ("run/state", f"{work}/{name}.state")):
        text = text.replace(old, new)
    text += f"\nscripts:\n  honest: {{file: {work}/honest.lua, callback: 500ms, load: 5s, log_lines_per_second: 100000}}\n"
    for path in attackers if isolation else []:
        text += (f"  {os.path.basename(path)[:-4]}: {{file: {path}, isolation: {isolation}, memory: 64MiB, callback: 50ms, "
                 "load: 100ms, nice: 19}\n")
    path = f"{work}/{name}.yaml"
    open(path, "w").write(text)
    return path


def ctl(name, *words):
    done = subprocess.run([weir, "ctl", "--socket", f"{work}/{name}.sock", "--json", *words], capture_output=True, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else None


def seen(err):
    """What the honest one logged, by sequence number."""
    out = {}
    for line in err.splitlines():
        if " honest: " in line:
            words = line.split(" honest: ")[1].split(" ", 2)
            if words[0].isdigit():
                out[int(words[0]), words[1]] = words[2]
            if "STATE: the script is being stopped" in line:  # in one of the runs, not in the other
                del out[int(words[0]), words[1]]
    return out


def run(name, isolation, seconds):
    """The host, until the honest one has seen so many seconds of the market beside what is left of the others."""
    path, journal = config(name, isolation), f"{work}/{name}.j"
    with open(f"{work}/{name}.err", "w") as err:
        host = subprocess.Popen([weir, "run", "--config", path, "--journal", journal, "--no-console"], cwd=root,
                                stdout=subprocess.DEVNULL, stderr=err)
        until = time.time() + 240
        while time.time() < until and not (ctl(name, "scripts") and len(seen(open(f"{work}/{name}.err").read())) > 6 * seconds):
            time.sleep(0.2)
        scripts = {s["script"]: s for s in (ctl(name, "scripts") or {"scripts": []})["scripts"]}
        host.terminate()
        try:
            code = host.wait(60)
        except subprocess.TimeoutExpired:
            host.kill()
            code = "none within 60 s"
    check(f"{name}: the host ends in good order", code == 0, code)
    said = open(f"{work}/{name}.err").read()
    check(f"{name}: nobody got through", ": ESCAPE" not in said, [l for l in said.splitlines() if ": ESCAPE" in l][:3])
    check(f"{name}: the honest one runs to its end", scripts.get("honest", {}).get("state") == "running" and
          "honest: stops in good order" in said, scripts.get("honest"))
    replay = subprocess.run([weir, "replay", journal, "--verify"], capture_output=True, text=True)
    check(f"{name}: the replay is equal", replay.returncode == 0, replay.stdout + replay.stderr)
    return scripts, said


def judge(name, path, script, said):
    who = script["script"]
    outcome = open(path, errors="replace").readline().split("|")[-1].strip()
    stopped = script["state"] == "quarantined"
    at_stop = f" {who}: quarantined: " in said  # also those that ended after we had asked
    if outcome.startswith("quarantined"):
        check(f"{name}: {who} is stopped", stopped or at_stop, script)
    if outcome.startswith("rejected"):
        check(f"{name}: {who} goes on, refused", not stopped and script["orders_sent"] == 0, script)
    if "no order sent" in outcome:
        check(f"{name}: {who} sent nothing", script["orders_sent"] == 0, script)
    check(f"{name}: {who} says why it was stopped", not stopped or at_stop, script)


open(f"{work}/honest.lua", "w").write(HONEST)
alone = seen(run("alone", None, 4)[1])
for isolation in ("process", "inline") if whole else ("process",):
    scripts, said = run(isolation, isolation, 4)
    for path in attackers:
        name = os.path.basename(path)[:-4]
        check(f"{isolation}: {name} is there", name in scripts)
        if name in scripts:
            judge(isolation, path, scripts[name], said)
    if isolation == "inline" or "the host stood still for" in said:
        continue
    beside = seen(said)
    both = set(alone) & set(beside)
    check(f"{isolation}: the honest one saw the same market", len(both) > 8, (len(alone), len(beside)))
    check(f"{isolation}: and did the same", all(alone[key] == beside[key] for key in both),
          [(key, alone[key], beside[key]) for key in both if alone[key] != beside[key]][:3])
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
