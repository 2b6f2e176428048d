"""What threads wait for, compared with what they time themselves."""

import pytest

import harness


def record_waits(interpreter, tmp_path, mode, seconds=3):
    """The threads' own shares of waiting, and those of their states, by name."""
    with harness.Target(interpreter, "waits.py", mode) as target:
        recording = harness.record(tmp_path, "-p", target.pid, "-d", seconds, "--idle").check()
        truth = target.stop()
    states = {t["name"]: t["states"] for t in recording.summary()["threads"]}
    return truth, states


def check(truth, states, state="lock_wait"):
    for name, share in truth.items():
        # Its clock also counts the way to the lock and back, and the wait for the GIL when it has the lock.
        waited = states[name][state] + states[name]["gil_wait"]
        assert waited == pytest.approx(share, abs=0.08), (truth, states)


def test_a_lock(interpreter, tmp_path):
    truth, states = record_waits(interpreter, tmp_path, "lock")
    assert max(truth.values()) > 0.2, truth
    check(truth, states)


def test_a_lock_that_is_held_for_microseconds(interpreter, tmp_path):
    """Who finds it taken tries again before it parks, or waits for the GIL first: not more than there is."""
    truth, states = record_waits(interpreter, tmp_path, "short")
    for name, share in truth.items():
        assert states[name]["lock_wait"] < share + 0.05, (truth, states)


def test_an_rlock(interpreter, tmp_path):
    truth, states = record_waits(interpreter, tmp_path, "rlock")
    assert max(truth.values()) > 0.2, truth
    # 3.13's RLock is a semaphore that says nothing of itself.
    check(truth, states, "other" if interpreter.kind in ("3.13", "3.13t") else "lock_wait")


def test_the_lock_of_a_dict(interpreter, tmp_path):
    truth, states = record_waits(interpreter, tmp_path, "dict")
    if interpreter.free_threaded:
        assert min(truth["a"], truth["b"]) > 0.2, truth
        check({name: truth[name] for name in "ab"}, states)
    else:
        assert all(of["lock_wait"] == 0 for of in states.values()), states


def test_waiting_for_an_event_is_no_contention(interpreter, tmp_path):
    _, states = record_waits(interpreter, tmp_path, "condition", seconds=1)
    for name in "ab":
        assert states[name]["idle"] > 0.95 and states[name]["lock_wait"] < 0.01, states
