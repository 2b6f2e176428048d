"""What threads wait for, compared with what they time themselves."""

import json

import harness
import pytest


class Waits:
    """A recording of waits.py, and the threads' own shares of waiting."""

    def __init__(self, interpreter, tmp_path, mode, seconds=3):
        with harness.Target(interpreter, "waits.py", mode) as target:
            options = ("-p", target.pid, "-d", seconds, "--idle")
            self.recording = harness.record(
                tmp_path, *options, outputs=("out.folded", "out.ftp")
            ).check()
            self.truth = target.stop()
        self.queued = self.truth.pop("queued")
        self.summary = self.recording.summary()
        self.states = {t["name"]: t["states"] for t in self.summary["threads"]}

    def check(self, names, state="lock_wait"):
        for name in names:
            # Its clock also counts the way to the lock and back, and the wait for the GIL when it has
            # the lock; and for a CPU, beside other programs.
            waited = self.states[name][state] + self.states[name]["gil_wait"]
            low = self.truth[name] - self.queued[name] - 0.08
            assert low <= waited <= self.truth[name] + 0.08, (self.truth, self.queued, self.states)

    def check_lock(self, kind, type_name, function):
        """One lock that nearly all of the waiting was for, in `function`."""
        lock = self.summary["locks"][0]
        assert (lock["kind"], lock["type"]) == (kind, type_name)
        assert lock["waiters"] >= 2
        waited = sum(lock["wait_s"] for lock in self.summary["locks"])
        assert lock["wait_s"] > 0.95 * waited
        there = [s for s in lock["stacks"] if s["stack"][-1]["function"] == function]
        assert sum(s["wait_s"] for s in there) > 0.9 * lock["wait_s"], lock
        of_threads = sum(states["lock_wait"] for states in self.states.values())
        assert waited == pytest.approx(of_threads * self.summary["sampling"]["duration_s"], rel=0.1)


@pytest.mark.two_kinds_suffice
def test_a_recording_has_the_same_locks(interpreter, tmp_path):
    waits = Waits(interpreter, tmp_path, "lock", seconds=1)
    again = tmp_path / "again.json"
    done = harness.run_tool("report", tmp_path / "out.ftp", "--summary", again)
    assert done.returncode == 0, done.stderr
    assert waits.summary["locks"]
    assert json.loads(again.read_text())["locks"] == waits.summary["locks"]


def in_a_quiet_moment(measure, tmp_path):
    """Of three tries one must hold: beside other programs threads wait for a CPU as much as for a lock."""
    for attempt in range(3):
        directory = tmp_path / str(attempt)
        directory.mkdir()
        try:
            return measure(directory)
        except AssertionError:
            if attempt == 2:
                raise


def test_a_lock(interpreter, tmp_path):
    def measure(directory):
        waits = Waits(interpreter, directory, "lock")
        assert min(waits.truth.values()) > 0.2, waits.truth
        waits.check("ab")
        waits.check_lock("lock", "_thread.lock", "contend")
        assert "Mostly `contend` (waits.py:" in waits.recording.digest
        assert "waits for a Lock (" in waits.recording.digest

    in_a_quiet_moment(measure, tmp_path)


def test_a_lock_that_is_held_for_microseconds(interpreter, tmp_path):
    """Who finds it taken tries again before it parks, or waits for the GIL first: not more than there is."""
    waits = Waits(interpreter, tmp_path, "short")
    for name, share in waits.truth.items():
        assert waits.states[name]["lock_wait"] < share + 0.05, (waits.truth, waits.states)


def test_an_rlock(interpreter, tmp_path):
    def measure(directory):
        waits = Waits(interpreter, directory, "rlock")
        assert min(waits.truth.values()) > 0.1, waits.truth
        waits.check("ab")
        waits.check_lock("rlock", "_thread.RLock", "contend")

    in_a_quiet_moment(measure, tmp_path)


def seconds_by_holder(lock, waiter):
    """What `waiter` waited for the lock, by the innermost of `evict` and `get` in the holder's stack."""
    seconds = {}
    for stack in lock["stacks"]:
        if stack["stack"][-1]["function"] != waiter:
            continue
        holder = None
        if stack["holder"]:
            names = [frame["function"] for frame in stack["holder"]]
            holder = next((n for n in reversed(names) if n.startswith("Cache.")), names[-1])
        seconds[holder] = seconds.get(holder, 0) + stack["wait_s"]
    return seconds


@pytest.mark.parametrize("mode", ["blame", "rblame"])
def test_whoever_has_the_lock_is_to_blame(interpreter, tmp_path, mode):
    """The thread that has it most of the time, and never one that has another lock."""

    def measure(directory):
        waits = Waits(interpreter, directory, mode)
        by = waits.truth.pop("by")
        for name in "ab":
            low = waits.truth[name] - waits.queued[name] - 0.05
            assert low <= waits.states[name]["lock_wait"] <= waits.truth[name] + 0.05, waits.states
        lock = waits.summary["locks"][0]
        assert lock["kind"] == ("lock" if mode == "blame" else "rlock")
        seconds = seconds_by_holder(lock, "Cache.get")
        known = sum(s for holder, s in seconds.items() if holder)
        assert known > 0.85 * sum(seconds.values()), seconds
        # A lock that is free when it is asked for is got by another one meanwhile.
        right = by["evict"] / (by["evict"] + by["get"])
        assert seconds["Cache.evict"] / known == pytest.approx(right, abs=0.05), (seconds, by)
        assert set(seconds) <= {"Cache.evict", "Cache.get", None}, seconds
        assert ", while `compute` (waits.py:" in waits.recording.digest

    in_a_quiet_moment(measure, tmp_path)


def test_the_lock_of_a_dict(interpreter, tmp_path):
    def measure(directory):
        waits = Waits(interpreter, directory, "dict")
        if not interpreter.free_threaded:
            assert waits.summary["locks"] == []
            return
        assert min(waits.truth[name] for name in "ab") > 0.2, waits.truth
        waits.check("ab")
        waits.check_lock("object", "dict", "store")
        assert "waits for the lock of a dict (" in waits.recording.digest
        (lock, *_) = waits.summary["locks"]
        holders = {s["holder"][-1]["function"] for s in lock["stacks"] if s["holder"]}
        copies = [s["wait_s"] for s in lock["stacks"] if s["holder"] and s["holder"][-1]["function"] == "copy"]
        known = sum(s["wait_s"] for s in lock["stacks"] if s["holder"])
        assert known > 0.85 * lock["wait_s"] and sum(copies) > 0.95 * known, holders

    in_a_quiet_moment(measure, tmp_path)


def test_a_kernel_that_hides_what_threads_wait_for(interpreter, tmp_path):
    """It is said, and the rest goes on: nothing is made up."""
    with harness.Target(interpreter, "waits.py", "condition") as target:
        hide = f'for f in /proc/{target.pid}/task/*/syscall; do mount --bind /dev/null "$f" || exit 9; done; exec "$@"'
        wrapper = ("unshare", "--mount", "sh", "-c", hide, "sh")
        recording = harness.record(tmp_path, "-p", target.pid, "-d", 0.5, "--idle", wrapper=wrapper)
    assert recording.status == 0, recording.stderr
    assert "hides what threads wait for (/proc/PID/task/TID/syscall)" in recording.stderr
    threads = recording.summary()["threads"]
    assert len(threads) == 3
    for thread in threads:
        assert thread["samples"] > 100
        assert thread["states"]["other"] > 0.9, thread
    assert recording.summary()["locks"] == []


def test_waiting_for_an_event_is_no_contention(interpreter, tmp_path):
    waits = Waits(interpreter, tmp_path, "condition", seconds=1)
    for name in "ab":
        states = waits.states[name]
        assert states["idle"] > 0.95 and states["lock_wait"] < 0.01, states
