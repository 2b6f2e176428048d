"""`fthreadprof dump`: threads, states, stacks and variables as the program itself says they are."""

import json
import re

import harness
import pytest
from test_record_errors import a_pid_that_is_gone, check_failure


def dump(pid, *options):
    result = harness.run_tool("dump", "-p", pid, *options)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return result.stdout


def dump_json(pid, *options):
    result = json.loads(dump(pid, "--json", *options))
    assert result["schema"] == "fthreadprof.dump/1"
    return result


def thread_named(result, name):
    (thread,) = [thread for thread in result["threads"] if thread["name"] == name]
    return thread


def test_threads_of_every_origin(interpreter):
    with harness.Target(interpreter, "threads.py") as target:
        result = dump_json(target.pid)
        expected = {int(tid): name for tid, name in target.facts["threads"].items()}
    if not interpreter.root:
        assert {t["tid"]: t["name"] for t in result["threads"]} == expected
    assert [t["tid"] for t in result["threads"]] == sorted(t["tid"] for t in result["threads"])
    process = result["process"]
    assert process["pid"] == target.pid
    assert process["python"] == interpreter.version
    assert process["free_threaded"] == interpreter.free_threaded
    assert process["gil_enabled"] != interpreter.free_threaded
    assert "threads.py" in process["command"]
    assert all(t["stack"] == "complete" and t["frames"] for t in result["threads"])
    assert all(t["frames"][-1]["file"] for t in result["threads"])


def test_who_runs_and_has_the_gil(interpreter):
    with harness.Target(interpreter, "spin.py") as target:
        results = [dump_json(target.pid) for _ in range(20)]
    # None runs while the GIL changes hands.
    assert any(t["state"] == "running" for result in results for t in result["threads"])
    holders = [[t for t in result["threads"] if t["has_gil"]] for result in results]
    most = max(map(len, holders))
    assert most == 0 if interpreter.free_threaded else most == 1


@pytest.mark.parametrize("options", [[], ["--blocking"]])
def test_local_variables(interpreter, options):
    with harness.Target(interpreter, "locals.py") as target:
        result = dump_json(target.pid, "--locals", *options)
        assert target.is_alive()
    frames = thread_named(result, "with-locals")["frames"]
    (frame,) = [f for f in frames if f["function"] == "größe"]
    shown = {v["name"]: (v["type"], v["value"]) for v in frame["locals"]}
    assert shown.keys() == target.facts["locals"].keys()
    for name, (kind, spelled) in target.facts["locals"].items():
        assert shown[name][0] == kind, name
        if spelled is not None:
            assert shown[name][1] == spelled
    assert re.fullmatch(r"<Thing at 0x[0-9a-f]+>", shown["thing"][1])
    assert re.fullmatch(r"<int of more than 120 bits at 0x[0-9a-f]+>", shown["huge"][1])


def test_no_values_shows_none(interpreter):
    with harness.Target(interpreter, "locals.py") as target:
        result = dump_json(target.pid, "--locals", "--no-values")
        text = dump(target.pid, "--locals", "--no-values")
    variables = [v for t in result["threads"] for f in t["frames"] for v in f["locals"]]
    assert variables and all(set(v) == {"name", "type"} for v in variables)
    assert "long_text: str\n" in text and "xxx" not in text


def dump_of_waits(interpreter, mode, holder, waiter):
    """A dump that shows `waiter` waiting while `holder` has what it waits for; some show another moment."""
    with harness.Target(interpreter, "waits.py", mode) as target:
        for _ in range(60):
            result = dump_json(target.pid)
            wait = thread_named(result, waiter)["waits_for"]
            if wait and wait["held_by"] == thread_named(result, holder)["tid"]:
                return wait, dump(target.pid)
    raise AssertionError(f"{waiter} was never seen to wait for {holder}: {result}")


@pytest.mark.parametrize("mode", ["blame", "rblame"])
def test_who_waits_for_whose_lock(interpreter, mode):
    wait, text = dump_of_waits(interpreter, mode, "evictor", "a")
    if wait["kind"] == "gil":
        assert not interpreter.free_threaded
        return
    kinds = {"blame": ("lock", "_thread.lock"), "rblame": ("rlock", "_thread.RLock")}
    assert (wait["kind"], wait["type"]) == kinds[mode]
    assert int(wait["address"], 16) > 0


def test_who_waits_for_the_lock_of_an_object(interpreter):
    if not interpreter.free_threaded:
        return
    wait, _ = dump_of_waits(interpreter, "dict", "copier", "a")
    assert (wait["kind"], wait["type"]) == ("object", "dict")


def test_a_deadlock_is_in_the_text(interpreter):
    """Two threads, each with the lock that the other one waits for."""
    with harness.Target(interpreter, "waits.py", "deadlock") as target:
        text = dump(target.pid)
        result = dump_json(target.pid)
    threads = {t["name"]: t for t in result["threads"]}
    (cycle,) = result["deadlocks"]
    assert sorted(cycle) == sorted(threads[name]["tid"] for name in "ab")
    for name, other in ("ab", "ba"):
        assert threads[name]["state"] == "lock_wait"
        assert threads[name]["waits_for"]["held_by"] == threads[other]["tid"]
        holder = rf'thread {threads[other]["tid"]} "{other}" has'
        line = rf'Thread \d+ \(lock wait for a Lock at 0x[0-9a-f]+, which {holder}\): "{name}"'
        assert re.search(line, text), text
    said = r'^Deadlock: thread \d+ "[ab]", which waits for thread \d+ "[ab]", which waits for the first'
    assert re.search(said, text, re.M), text


def test_text(interpreter):
    with harness.Target(interpreter, "locals.py") as target:
        text = dump(target.pid, "--locals")
    lines = text.splitlines()
    assert lines[0].startswith(f"Process {target.pid}: ")
    assert lines[1].startswith(f"Python {interpreter.version}, ")
    start = next(i for i, line in enumerate(lines) if '"with-locals"' in line)
    assert re.fullmatch(
        r'Thread \d+ \(lock wait for a Lock at 0x[0-9a-f]+\): "with-locals"', lines[start]
    )
    assert re.fullmatch(r"    park \(.*locals\.py:\d+\)", lines[start + 1])
    assert re.fullmatch(r"    größe \(.*locals\.py:\d+\)", lines[start + 2])
    assert lines[start + 3] == "        first: int = 3"


def test_options_of_py_spy(any_interpreter, tmp_path):
    with harness.Target(any_interpreter, "spin.py") as target:
        dump(target.pid, "--nonblocking", "-l", "-j")
        check_failure(harness.run_tool("dump", "-p", target.pid, "--native"), "native")
        out = tmp_path / "out.raw"
        habit = ("record", "--pid", target.pid, "--rate", 200, "--duration", 0.5, "-q")
        options = ("-g", "--nonblocking", "--nolineno", "-t", "--format", "raw", "--output", out)
        result = harness.run_tool(*habit, *options)
        assert result.returncode == 0, result.stderr
        assert re.search(r"^thread .*;inner \(.*spin\.py\) \d+$", out.read_text(), re.MULTILINE)
        check_failure(harness.run_tool(*habit, "--native"), "native")
        check_failure(harness.run_tool(*habit, "-g", "-i"), "one of")


def test_what_is_no_target(tmp_path):
    check_failure(harness.run_tool("dump"), "-p PID")
    check_failure(harness.run_tool("dump", "-p", a_pid_that_is_gone()), "no process")
    check_failure(harness.run_tool("dump", "-p", 1, "--no-values"), "--locals")
