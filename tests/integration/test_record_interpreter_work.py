"""The ledger: garbage collection, stopped worlds, I/O and waits for a CPU, as the threads time them."""

import json
import os

import harness
import pytest
from test_record_waits import in_a_quiet_moment


class Work:
    """A recording of interpreter_work.py, and the threads' own shares."""

    def __init__(self, interpreter, tmp_path, mode, seconds=3):
        with harness.Target(interpreter, "interpreter_work.py", mode) as target:
            options = ("-p", target.pid, "-d", seconds, "--idle")
            self.recording = harness.record(
                tmp_path, *options, outputs=("out.folded", "out.ftp")
            ).check()
            self.truth = target.stop()
        self.queued = self.truth.pop("queued")
        self.summary = self.recording.summary()
        self.threads = {t["name"]: t for t in self.summary["threads"]}

    def states(self, name):
        return self.threads[name]["states"]


def near(share):
    return pytest.approx(share, abs=0.05)


def test_the_collector(interpreter, tmp_path):
    def measure(directory):
        work = Work(interpreter, directory, "gc")
        share = work.truth["collector"]
        assert share > 0.3
        assert work.summary["gc"]["fraction"] == near(share)
        assert "The garbage collector works in " in work.recording.digest

    in_a_quiet_moment(measure, tmp_path)


def test_stopped_worlds(interpreter, tmp_path):
    def measure(directory):
        work = Work(interpreter, directory, "stops")
        stops = work.summary["stop_the_world"]
        seconds = work.summary["sampling"]["duration_s"]
        if not interpreter.free_threaded:
            assert stops == {"count_seen": 0, "total_s": 0, "by": []}
            return
        share = work.truth["stopper"]
        assert stops["total_s"] / seconds == near(share)
        assert stops["count_seen"] > 10
        by = {s["requester"] and s["requester"][-1]["function"]: s["total_s"] for s in stops["by"]}
        asked = sum(total for name, total in by.items() if name and "half_of" in name or name == "stop.<locals>.<lambda>")
        assert asked > 0.9 * stops["total_s"], by
        for name in "ab":
            assert work.states(name)["stopped"] == near(share - work.queued[name]), work.threads
        assert "All threads but one are stopped in " in work.recording.digest

    in_a_quiet_moment(measure, tmp_path)


def test_a_recording_has_the_same_ledger(interpreter, tmp_path):
    work = Work(interpreter, tmp_path, "stops", seconds=1)
    again = tmp_path / "again.json"
    done = harness.run_tool("report", tmp_path / "out.ftp", "--summary", again)
    assert done.returncode == 0, done.stderr
    again = json.loads(again.read_text())
    for key in ("process", "processes", "threads", "gil", "stop_the_world", "gc"):
        assert again[key] == work.summary[key], key


def test_readers_of_pipes(interpreter, tmp_path):
    def measure(directory):
        work = Work(interpreter, directory, "pipe")
        for name in "ab":
            states = work.states(name)
            # On its way back it may wait for the GIL, or for a CPU.
            waited = states["io"] + states["gil_wait"]
            assert waited == near(work.truth[name]), (states, work.truth)

    in_a_quiet_moment(measure, tmp_path)


def test_waiting_for_a_cpu_is_apportioned(interpreter, tmp_path):
    """More busy threads than one CPU can run."""
    cpu = min(os.sched_getaffinity(0))
    with harness.Target(interpreter, "spin.py", 3, wrapper=("taskset", "--cpu-list", str(cpu))) as target:
        summary = harness.record(tmp_path, "-p", target.pid, "-d", 2, "--idle").check().summary()
    assert summary["sampling"]["apportioned_states"] == ["runnable"]
    busy = [t for t in summary["threads"] if t["name"].startswith("spinner-")]
    assert len(busy) == 3
    seconds = summary["sampling"]["duration_s"]
    for thread in busy:
        states = thread["states"]
        assert sum(states.values()) == pytest.approx(1)
        works = states["running"] + states["native"]
        assert works == near(thread["cpu_s"] / seconds), thread
        assert thread["state_s"]["runnable"] == pytest.approx(states["runnable"] * seconds, rel=0.1)
        if interpreter.free_threaded:
            assert states["runnable"] == near(1 - thread["cpu_s"] / seconds), thread
    process = summary["process"]
    assert process["run_queue_s"] == pytest.approx(sum(t["run_queue_s"] for t in summary["threads"]))
    assert sum(process["state_s"].values()) == pytest.approx(process["thread_s"])


def test_gates_on_the_ledger(interpreter, tmp_path):
    with harness.Target(interpreter, "interpreter_work.py", "gc") as target:
        gates = ("--fail-if", "gc>5%", "--fail-if", "stop_the_world>99%", "--fail-if", "runnable>99%")
        recording = harness.record(tmp_path, "-p", target.pid, "-d", 1, *gates)
    assert recording.status == 3
    assert "gc is " in recording.stderr and "% of the time: --fail-if 'gc>5%' holds" in recording.stderr
    assert "stop_the_world is" not in recording.stderr
