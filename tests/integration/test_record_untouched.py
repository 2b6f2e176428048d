"""The target is never written to and, without --blocking, never stopped."""

import os
import pathlib
import re
import signal

import harness
import pytest

FORBIDDEN = "ptrace,process_vm_writev,kill,tkill,tgkill,rt_sigqueueinfo,pidfd_send_signal"


def trace_record(target, directory, *options):
    """The system calls by which a recording could touch its target, as strace shows them."""
    log = directory / "strace"
    calls = f"trace={FORBIDDEN},open,openat,openat2"
    wrapper = ("strace", "-f", "-qq", "-o", str(log), "-e", calls, "-e", "signal=none")
    recording = harness.record(
        directory, "-p", target.pid, "-d", 1, "-r", 200, *options, wrapper=wrapper
    )
    assert recording.status == 0, recording.stderr
    assert recording.summary()["sampling"]["samples"] > 20
    return [line.split(maxsplit=1)[1] for line in log.read_text().splitlines()]


def test_no_call_that_writes_or_stops(interpreter, tmp_path):
    with harness.Target(interpreter, "spin.py") as target:
        calls = trace_record(target, tmp_path)
    assert [call for call in calls if not call.startswith("open")] == []
    writing = [call for call in calls if "/proc" in call and re.search("O_(WRONLY|RDWR)", call)]
    assert writing == []
    assert any(f"/proc/{target.pid}" in call for call in calls)


def test_blocking_writes_nothing(any_interpreter, tmp_path):
    with harness.Target(any_interpreter, "spin.py") as target:
        calls = trace_record(target, tmp_path, "--blocking")
    forbidden = "process_vm_writev|PTRACE_POKE|PTRACE_SET"
    assert [call for call in calls if re.match(forbidden, call)] == []


def states_of(target):
    """The scheduling states of its threads, and who traces it."""
    tasks = pathlib.Path(f"/proc/{target.pid}/task").iterdir()
    states = {(task / "stat").read_text().rpartition(")")[2].split()[0] for task in tasks}
    return states, target.status("TracerPid")


def test_never_traced_nor_stopped(interpreter, tmp_path):
    with harness.Target(interpreter, "spin.py") as target:
        recorder = harness.Recorder(tmp_path, "-p", target.pid, "-d", 1)
        seen, tracers, looks = set(), set(), 0
        while recorder.process.poll() is None:
            states, tracer = states_of(target)
            seen, looks = seen | states, looks + 1
            tracers.add(tracer)
        recorder.finish().check()
    assert looks > 100
    assert tracers == {"0"}
    assert not seen & set("tT"), seen


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_target_runs_on_after_blocking(number, interpreter, tmp_path):
    """Even when the profiler is killed while the target is stopped."""
    with harness.Target(interpreter, "split.py", "plain") as target:
        options = ("-p", target.pid, "-d", 10, "-r", 2000, "--blocking")
        recorder = harness.Recorder(tmp_path, *options)
        while not was_stopped(target):
            assert recorder.process.poll() is None, "never seen stopped"
        recorder.process.send_signal(number)
        recorder.finish(timeout=20)
        truth = target.stop()
    assert truth["wall"]["a"] > 0


def was_stopped(target):
    states, tracer = states_of(target)
    return tracer != "0" or bool(states & set("tT"))


def test_blocking_leaves_no_tracer(interpreter, tmp_path):
    with harness.Target(interpreter, "spin.py") as target:
        harness.record(tmp_path, "-p", target.pid, "-d", 1, "--blocking").check()
        states, tracer = states_of(target)
        assert tracer == "0" and not states & set("tT")
        os.kill(target.pid, signal.SIGTERM)
        assert target.wait() == 0
