"""Every output is well formed, and the outputs of one recording agree."""

import json
import re
import stat
import subprocess
import xml.etree.ElementTree

import harness
import pytest
from stacks import parse_collapsed

SPEEDSCOPE_SCHEMA = "https://www.speedscope.app/file-format-schema.json"


@pytest.fixture(scope="module")
def recording(interpreter, tmp_path_factory):
    """One recording with every output."""
    outputs = ("out.folded", "out.svg", "out.speedscope.json", "other.collapsed")
    with harness.Target(interpreter, "spin.py") as target:
        directory = tmp_path_factory.mktemp("outputs")
        result = harness.record(directory, "-p", target.pid, "-d", 1, outputs=outputs).check()
        result.pid = target.pid
    return result


def collapsed_total(recording):
    return sum(stack.count for stack in recording.stacks())


def test_collapsed(recording):
    assert recording.stacks() == recording.stacks("other.collapsed")
    lines = recording.read("out.folded").splitlines()
    stacks = [line.rpartition(" ")[0] for line in lines]
    assert len(set(stacks)) == len(stacks), "a stack has two lines"


def test_speedscope(recording):
    document = json.loads(recording.read("out.speedscope.json"))
    assert document["$schema"] == SPEEDSCOPE_SCHEMA
    frames = document["shared"]["frames"]
    assert all(isinstance(frame["name"], str) for frame in frames)
    total = 0
    for profile in document["profiles"]:
        assert profile["type"] == "sampled"
        assert len(profile["samples"]) == len(profile["weights"])
        assert profile["startValue"] <= profile["endValue"]
        assert all(0 <= i < len(frames) for sample in profile["samples"] for i in sample)
        assert sum(profile["weights"]) == pytest.approx(profile["endValue"])
        assert profile["unit"] == "seconds"
        total += sum(profile["weights"])
    assert len(document["profiles"]) == len(recording.summary()["threads"])
    names = {frame["name"] for frame in frames}
    assert {"outer", "inner"} <= {re.sub(r" \(.*", "", name) for name in names}
    samples = total * recording.summary()["sampling"]["achieved_hz"]
    assert samples == pytest.approx(collapsed_total(recording), rel=1e-6)


def test_flamegraph(recording, interpreter):
    root = xml.etree.ElementTree.fromstring(recording.read("out.svg"))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    text = " ".join(part for part in root.itertext())
    assert str(recording.pid) in text
    assert f"Python {interpreter.version}" in text
    assert 300 < int(re.search(r"\b([\d,]+) Hz", text)[1].replace(",", "")) <= 1001
    samples = {int(n.replace(",", "")) for n in re.findall(r"\b(\d[\d,]*) samples", text)}
    assert collapsed_total(recording) in samples
    assert "outer" in text and "inner" in text


def test_summary(recording, interpreter):
    summary = recording.summary()
    assert summary["schema"] == "fthreadprof.summary/1"
    for part, keys in SUMMARY_KEYS.items():
        assert set(summary[part]) == set(keys.split()), part
    assert set(summary) == {"schema", "processes", "threads", "locks", *SUMMARY_KEYS}
    (only,) = summary["processes"]
    keys = "parent_pid command cpu_s run_queue_s thread_s state_s gil_enabled_by"
    assert set(only) == {*SUMMARY_KEYS["target"].split(), *keys.split()}
    assert {key: only[key] for key in summary["target"]} == summary["target"]
    assert "spin.py" in only["command"] and only["parent_pid"] == 0
    assert only["cpu_s"] == summary["process"]["cpu_s"]
    target, sampling = summary["target"], summary["sampling"]
    assert target["pid"] == recording.pid
    assert sampling["requested_hz"] == 1000
    assert 300 < sampling["achieved_hz"] <= 1001
    assert sampling["duration_s"] == pytest.approx(1, abs=0.2)
    assert sampling["passes"] == pytest.approx(
        sampling["achieved_hz"] * sampling["duration_s"], rel=0.01
    )
    assert sum(thread["samples"] for thread in summary["threads"]) == sampling["samples"]
    assert sampling["samples"] >= collapsed_total(recording)
    assert 0 < sampling["profiler_cpu_s"] < 1
    keys = "pid tid interpreter name cpu_s run_queue_s samples states state_s"
    for thread in summary["threads"]:
        assert set(thread) == set(keys.split())
        assert (thread["pid"], thread["interpreter"]) == (recording.pid, 0)
        assert set(thread["states"]) == set(thread["state_s"]) == THREAD_STATES
        assert sum(thread["states"].values()) == pytest.approx(1, abs=0.001), thread
    process = summary["process"]
    assert 0.2 < process["cpu_s"] < 2.5
    assert sum(process["parallelism"]) == pytest.approx(1, abs=0.001)
    mean = sum(n * fraction for n, fraction in enumerate(process["parallelism"]))
    used = process["cpu_s"] / sampling["duration_s"]
    assert process["effective_cores"] == pytest.approx(min(mean, used), abs=0.01)
    assert sum(process["wanting"]) == pytest.approx(1, abs=0.001)
    of_threads = sum(sum(thread["state_s"].values()) for thread in summary["threads"])
    assert sum(process["state_s"].values()) == pytest.approx(of_threads, rel=0.001)
    assert process["thread_s"] == pytest.approx(of_threads, rel=0.001)
    assert summary["gil"]["handoffs_per_s"] >= 0 and summary["gc"]["fraction"] < 0.1


SUMMARY_KEYS = {
    "target": "pid python free_threaded gil_enabled executable",
    "sampling": "requested_hz achieved_hz duration_s passes samples torn late profiler_cpu_s"
    " apportioned_states",
    "process": "cpu_s run_queue_s thread_s state_s effective_cores parallelism wanting",
    "gil": "enabled_fraction held_fraction handoffs_per_s wait_s blame enabled_by enabled_by_option"
    " enabled_at_s imported",
    "stop_the_world": "count_seen total_s by",
    "gc": "fraction",
}
THREAD_STATES = set(
    "running native runnable gil_wait lock_wait native_lock stopped idle io sleep other".split()
)


def test_format_by_name(spinner, tmp_path):
    outputs = {"flamegraph": "<svg", "collapsed": "outer (", "speedscope": SPEEDSCOPE_SCHEMA}
    for name, expected in outputs.items():
        output = tmp_path / "anything"
        result = harness.run_tool(
            "record", "-p", spinner.pid, "-d", "0.3", "-f", name, "-o", output
        )
        assert result.returncode == 0, result.stderr
        assert expected in output.read_text()


def test_default_output_is_a_flamegraph(spinner, tmp_path):
    result = harness.run_tool("record", "-p", spinner.pid, "-d", "0.3", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    (output,) = tmp_path.iterdir()
    assert output.suffix == ".svg"
    xml.etree.ElementTree.fromstring(output.read_text())


def test_output_to_stdout(spinner):
    options = ("-d", "0.3", "-f", "collapsed", "-o", "-")
    result = harness.run_tool("record", "-p", spinner.pid, *options)
    assert result.returncode == 0, result.stderr
    assert parse_collapsed(result.stdout)


def test_output_to_a_device_leaves_it_a_device(spinner, tmp_path):
    device = tmp_path / "null.folded"
    subprocess.run(["mknod", device, "c", "1", "3"], check=True)
    result = harness.run_tool("record", "-p", spinner.pid, "-d", "0.3", "-o", device)
    assert result.returncode == 0, result.stderr
    assert stat.S_ISCHR(device.stat().st_mode)


def test_an_older_output_is_replaced(spinner, tmp_path):
    (tmp_path / "out.folded").write_text("old 1\n" * 100_000)
    harness.record(tmp_path, "-p", spinner.pid, "-d", "0.3").check()
    assert "old" not in (tmp_path / "out.folded").read_text()


def test_mode_wall_shows_the_waiting_main_thread(any_interpreter, tmp_path):
    """chains.py's main thread sleeps: in active and cpu mode it has no stack."""
    main = {}
    for mode in ("active", "cpu", "wall"):
        (tmp_path / mode).mkdir()
    with harness.Target(any_interpreter, "chains.py", 1) as target:
        recorders = {
            mode: harness.Recorder(tmp_path / mode, "-p", target.pid, "-d", 1, "--mode", mode)
            for mode in ("active", "cpu", "wall")
        }
        recorders["idle"] = harness.Recorder(tmp_path, "-p", target.pid, "-d", 1, "--idle")
        for mode, recorder in recorders.items():
            stacks = recorder.finish().check().stacks()
            total = sum(stack.count for stack in stacks)
            main[mode] = sum(s.count for s in stacks if s.names() == ["<module>"]) / total
    assert main["wall"] > 0.4 and main["idle"] > 0.4, main
    assert main["active"] < 0.02 and main["cpu"] < 0.02, main


@pytest.mark.two_kinds_suffice
def test_gates(interpreter, tmp_path):
    with harness.Target(interpreter, "spin.py", 2) as target:
        options = ("-p", target.pid, "-d", 0.5, "--fail-if", "running<1%", "--fail-if", "torn>=0")
        recording = harness.record(tmp_path, *options, outputs=("out.folded", "out.ftp"))
        assert recording.status == 3
        assert "--fail-if 'torn>=0' holds" in recording.stderr
        assert "running" not in recording.stderr
        assert recording.stacks() and recording.summary()
        fine = harness.record(tmp_path, "-p", target.pid, "-d", 0.3, "--fail-if", "sleep>99%")
        assert fine.check()
    ftp = tmp_path / "out.ftp"
    again = harness.run_tool("report", ftp, "-o", tmp_path / "b.svg", "--fail-if", "running>1%")
    assert again.returncode == 3 and "holds" in again.stderr


@pytest.mark.two_kinds_suffice
def test_a_commands_status_comes_before_a_gates(interpreter, tmp_path):
    for status, expected in ((0, 3), (9, 9)):
        program = f"import sys, time; time.sleep(0.3); sys.exit({status})"
        command = interpreter.command("-c", program)
        options = ("--fail-if", "torn>=0")
        recording = harness.record_command(tmp_path, interpreter, command, *options)
        assert recording.status == expected, recording.stderr


def test_a_bad_gate_is_said_before_anything_runs(tmp_path):
    marker = tmp_path / "ran"
    options = ("-o", tmp_path / "x.svg", "--fail-if", "awaiting>10%")
    result = harness.run_tool("record", *options, "--", "touch", marker)
    assert result.returncode == harness.FAILED and "names no figure" in result.stderr
    assert not marker.exists()
