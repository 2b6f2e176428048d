"""However a recording ends, its outputs are complete."""

import os
import pty
import re
import select
import signal
import time
import xml.etree.ElementTree

import harness
import pytest

OUTPUTS = ("out.folded", "out.svg", "out.speedscope.json")


class TerminalRecorder(harness.Recorder):
    """A recorder that believes to be on a terminal, so that it shows its progress."""

    def __init__(self, directory, *arguments):
        self._terminal, theirs = pty.openpty()
        super().__init__(directory, *arguments, outputs=OUTPUTS, stderr=theirs)
        os.close(theirs)
        self.shown = ""

    def wait_until_sampling(self, timeout=30):
        """Returns when the progress line has shown samples."""
        deadline = time.monotonic() + timeout
        while not re.search(r"[1-9]\d*\W+samples", self.shown):
            assert self._read(deadline - time.monotonic()), f"no progress shown: {self.shown!r}"

    def finish(self, timeout=60):
        deadline = time.monotonic() + timeout
        while self._read(deadline - time.monotonic()):
            pass
        os.close(self._terminal)
        return super().finish()

    def _read(self, timeout):
        readable, _, _ = select.select([self._terminal], [], [], max(0, timeout))
        try:
            piece = os.read(self._terminal, 4096).decode() if readable else ""
        except OSError:  # the other end was closed
            piece = ""
        self.shown += piece
        return piece


def check_complete(recording):
    assert recording.status == 0, recording.stderr
    assert sum(stack.count for stack in recording.stacks()) > 0
    assert recording.summary()["sampling"]["samples"] > 0
    xml.etree.ElementTree.fromstring(recording.read("out.svg"))
    assert '"profiles"' in recording.read("out.speedscope.json")
    assert {path.name for path in recording.directory.iterdir()} == {*OUTPUTS, "summary.json"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_recording(number, spinner, tmp_path):
    recorder = TerminalRecorder(tmp_path, "-p", spinner.pid)
    recorder.wait_until_sampling()
    recorder.process.send_signal(number)
    check_complete(recorder.finish(timeout=20))
    assert spinner.is_alive()


def test_the_exit_of_the_target_ends_the_recording(interpreter, tmp_path):
    with harness.Target(interpreter, "spin.py") as target:
        recorder = TerminalRecorder(tmp_path, "-p", target.pid, "-d", 60)
        recorder.wait_until_sampling()
        target.kill()
        check_complete(recorder.finish(timeout=20))


def test_the_duration_ends_the_recording(spinner, tmp_path):
    started = time.monotonic()
    recorder = TerminalRecorder(tmp_path, "-p", spinner.pid, "-d", "1.5")
    recording = recorder.finish()
    assert 1.4 < time.monotonic() - started < 5
    check_complete(recording)
    assert recording.summary()["sampling"]["duration_s"] == pytest.approx(1.5, abs=0.2)


def test_progress_names_rate_samples_torn_and_late(spinner, tmp_path):
    recorder = TerminalRecorder(tmp_path, "-p", spinner.pid, "-d", 2)
    recorder.wait_until_sampling()
    recorder.finish()
    for word in ("Hz", "samples", "torn", "late"):
        assert word in recorder.shown, recorder.shown


def test_silence_when_piped_and_with_quiet(spinner, tmp_path):
    harness.record(tmp_path, "-p", spinner.pid, "-d", "0.5").check()
    recorder = TerminalRecorder(tmp_path, "-p", spinner.pid, "-d", "0.5", "-q")
    assert recorder.finish().status == 0
    assert recorder.shown == ""


def test_ctrl_c_with_a_launched_command(any_interpreter, tmp_path):
    """On a terminal Ctrl-C goes to both; the command's end by it is passed on."""
    script = harness.script(any_interpreter, "exits.py", 0, 60)
    command = any_interpreter.command(*script)
    recorder = TerminalRecorder(tmp_path, "--", *command)
    recorder.wait_until_sampling()
    child = _only_child(recorder.process.pid)
    for pid in (child, recorder.process.pid):
        os.kill(pid, signal.SIGINT)
    recording = recorder.finish(timeout=20)
    assert recording.status in (1, 128 + signal.SIGINT)  # Python dies by KeyboardInterrupt
    assert sum(stack.count for stack in recording.stacks()) > 0
    assert recording.summary()["sampling"]["samples"] > 0


def _only_child(pid):
    tasks = os.listdir(f"/proc/{pid}/task")
    children = [open(f"/proc/{pid}/task/{task}/children").read().split() for task in tasks]
    return int(sum(children, [])[0])


def test_sigkill_leaves_no_file_under_the_final_name(spinner, tmp_path):
    recorder = TerminalRecorder(tmp_path, "-p", spinner.pid)
    recorder.wait_until_sampling()
    recorder.process.kill()
    recorder.finish()
    assert not {path.name for path in tmp_path.iterdir()} & {*OUTPUTS, "summary.json"}
    assert spinner.is_alive()
