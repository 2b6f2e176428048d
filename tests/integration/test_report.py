"""`report` makes of a recording what recording straight to its outputs makes."""

import json
import os
import signal
import time
from collections import Counter

import harness
import pytest

NAMES = ("o.svg", "o.folded", "o.speedscope.json", "o.pb.gz", "o.gecko.json", "o.perfetto-trace")


def report(recording, directory, *options, names=NAMES):
    directory.mkdir()
    outputs = [f"-o{directory / name}" for name in names]
    return harness.run_tool("report", recording, *outputs, *options)


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("-t", "-F", "--mode", "wall"),
        ("--gil",),
        ("--by-state", "--mode", "wall"),
        ("--state", "sleep", "--state", "running", "--thread", "MainThread", "--thread", "Thread-?*"),
    ],
)
def test_report_equals_recording_straight_to_it(interpreter, tmp_path, options):
    with harness.Target(interpreter, "chains.py", 1) as target:
        straight = harness.record(
            tmp_path, "-p", target.pid, "-d", 1, *options, outputs=(*NAMES, "o.ftp")
        ).check()
    again = tmp_path / "again"
    # The recording knows its mode.
    style = [option for option in options if option not in ("--mode", "wall", "--gil")]
    result = report(tmp_path / "o.ftp", again, *style, f"--summary={again / 'summary.json'}")
    assert (result.returncode, result.stderr) == (0, "")
    for name in (*NAMES, "summary.json"):
        assert (again / name).read_bytes() == (straight.directory / name).read_bytes(), name


def test_another_mode_is_chosen_later(interpreter, tmp_path):
    """The recording has the samples that its own mode does not show."""
    with harness.Target(interpreter, "chains.py", 1) as target:
        harness.record(tmp_path, "-p", target.pid, "-d", 1, "--gil", outputs=("o.ftp",)).check()
    totals = {}
    for mode in ("gil", "active", "wall"):
        result = harness.run_tool(
            "report", tmp_path / "o.ftp", "--mode", mode, "-f", "collapsed", "-o", "-"
        )
        assert result.returncode == 0, result.stderr
        totals[mode] = sum(int(line.rpartition(" ")[2]) for line in result.stdout.splitlines())
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert totals["wall"] == summary["sampling"]["samples"]
    assert totals["gil"] <= totals["active"] < totals["wall"]


def folded(result):
    assert result.returncode == 0, result.stderr
    stacks = harness.parse_collapsed(result.stdout)
    return {stack.names()[0] for stack in stacks}, sum(stack.count for stack in stacks)


def test_threads_and_states_are_chosen_later(interpreter, tmp_path):
    """chains.py's main thread sleeps, its workers run."""
    with harness.Target(interpreter, "chains.py", 2) as target:
        harness.record(tmp_path, "-p", target.pid, "-d", 1, outputs=("o.ftp",)).check()
    threads = json.loads((tmp_path / "summary.json").read_text())["threads"]
    command = ("report", tmp_path / "o.ftp", "-f", "collapsed", "-o", "-")
    sleepers, slept = folded(harness.run_tool(*command, "--state", "sleep"))
    assert sleepers == {"<module>"}
    main, of_main = folded(harness.run_tool(*command, "--idle", "--thread", "Main*"))
    assert main == {"<module>"}
    counted = next(thread["samples"] for thread in threads if thread["name"] == "MainThread")
    assert 0.5 * counted < slept <= of_main == counted
    workers, _ = folded(harness.run_tool(*command, "--idle", "--thread", "Thread-*"))
    assert workers == {"Thread._bootstrap"}
    nobody = harness.run_tool(*command, "--thread", "nobody")
    assert nobody.returncode == harness.FAILED
    assert "no thread is called 'nobody'; there were MainThread, " in nobody.stderr
    nonsense = harness.run_tool(*command, "--state", "asleep")
    assert nonsense.returncode == harness.FAILED and "asleep" in nonsense.stderr


@pytest.mark.two_kinds_suffice
def test_stacks_are_divided_by_state_later(interpreter, tmp_path):
    """chains.py's main thread sleeps, its workers run: each stack ends in what it did."""
    with harness.Target(interpreter, "chains.py", 2) as target:
        harness.record(tmp_path, "-p", target.pid, "-d", 1, outputs=("o.ftp",)).check()
    command = ("report", tmp_path / "o.ftp", "--idle", "-f", "collapsed", "-o", "-")
    undivided = harness.run_tool(*command).stdout.splitlines()
    divided = harness.run_tool(*command, "--by-state").stdout.splitlines()
    states, stacks = Counter(), Counter()
    for line in divided:
        frames, _, count = line.rpartition(" ")
        stack, _, state = frames.rpartition(";")
        states[state] += int(count)
        stacks[stack] += int(count)
        assert state != "[sleep]" or stack.startswith("<module>") and ";" not in stack
    assert stacks == Counter({line.rpartition(" ")[0]: int(line.rpartition(" ")[2]) for line in undivided})
    threads = json.loads((tmp_path / "summary.json").read_text())["threads"]
    # Which samples waited for a CPU is not known: only the summary says how many.
    for names in (("running", "native", "runnable"), ("sleep",)):
        expected = sum(thread["states"][name] * thread["samples"] for thread in threads for name in names)
        shown = sum(states[f"[{name}]"] for name in names)
        assert shown == pytest.approx(expected, abs=0.5) and expected > 0, names


def test_what_was_written_before_a_kill_stays_readable(interpreter, tmp_path):
    with harness.Target(interpreter, "spin.py") as target:
        recorder = harness.Recorder(tmp_path, "-p", target.pid, outputs=("o.ftp",))
        recording = tmp_path / "o.ftp"
        deadline = time.monotonic() + 60
        while not recording.exists() or recording.stat().st_size < 2000:
            assert time.monotonic() < deadline and recorder.process.poll() is None
        os.kill(recorder.process.pid, signal.SIGKILL)
        recorder.finish()
    again = tmp_path / "again"
    result = report(recording, again, f"--summary={again / 'summary.json'}", names=("o.folded",))
    assert result.returncode == 0
    assert result.stderr == f"fthreadprof: {recording} was cut off; this is what it has\n"
    assert "inner" in (again / "o.folded").read_text()
    summary = json.loads((again / "summary.json").read_text())
    assert summary["process"]["cpu_s"] > 0 and summary["process"]["effective_cores"] > 0
    assert summary["sampling"]["samples"] == sum(t["samples"] for t in summary["threads"])


@pytest.mark.parametrize(
    "contents, message",
    [
        (b"", "is empty"),
        (b"<svg/>", "is not a recording"),
        (b"\x89FTP\r\n\x1a1", "another version"),
        (b"\x89FTP\r\n\x1a3", "cut off before anything"),
        (b"\x89FTP\r\n\x1a3" + b"\xff" * 100, "is damaged"),
    ],
)
def test_what_is_no_recording_gets_one_sentence(tmp_path, contents, message):
    (tmp_path / "x.ftp").write_bytes(contents)
    result = report(tmp_path / "x.ftp", tmp_path / "again")
    assert result.returncode == harness.FAILED
    assert message in result.stderr and result.stderr.count("\n") == 1
    assert not list((tmp_path / "again").iterdir())


@pytest.mark.parametrize("options", [("-o", "x.ftp"), ("-f", "recording"), ("--summary", "x.ftp")])
def test_a_recording_is_not_written_over(tmp_path, options):
    """Neither by name, nor by the name that an output has when none is given."""
    (tmp_path / "x.ftp").write_bytes(b"x")
    options = [tmp_path / option if option == "x.ftp" else option for option in options]
    result = harness.run_tool("report", tmp_path / "x.ftp", *options)
    assert result.returncode == harness.FAILED and "recording itself" in result.stderr
    assert (tmp_path / "x.ftp").read_bytes() == b"x"


def test_no_recording_there(tmp_path):
    result = harness.run_tool("report", tmp_path / "none.ftp")
    assert result.returncode == harness.FAILED and "there is no recording" in result.stderr


@pytest.mark.parametrize(
    "command, missing",
    [("report", "give a recording"), ("interpreter", "list, build, path, remove")],
)
def test_what_is_missing_behind_a_command_is_said(command, missing):
    result = harness.run_tool(command)
    assert result.returncode == harness.FAILED
    assert missing in result.stderr and result.stderr.count("\n") == 1


def test_an_output_that_nobody_named_is_said(interpreter, tmp_path):
    with harness.Target(interpreter, "spin.py") as target:
        options = ("-p", target.pid, "-d", "0.3")
        harness.run_tool("record", *options, "-o", tmp_path / "o.ftp")
        result = harness.run_tool("record", *options, cwd=tmp_path)
        assert result.stderr.splitlines()[0] == f"wrote fthreadprof-{target.pid}.svg"
        assert harness.run_tool("record", *options, "-q", cwd=tmp_path).stderr == ""
    result = harness.run_tool("report", tmp_path / "o.ftp")
    assert (result.returncode, result.stderr) == (0, f"wrote {tmp_path / 'o.svg'}\n")
