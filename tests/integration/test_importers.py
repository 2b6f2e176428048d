"""Outputs are opened by their own tool's importer, and all say the same of one recording: pprof by
`go tool pprof`, Firefox Profiler files by the profiler's own front-end (its command line, from
npm), Perfetto traces by Perfetto's own trace definition (its trace processor is no package)."""

import collections
import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import time

import harness
import pytest

# Go and npm packages are much to fetch.
pytestmark = pytest.mark.full

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
IMPORTERS = CACHE / "fthreadprof" / "importers"  # by tools/setup
PROFILER_CLI = IMPORTERS / "node_modules/@firefox-devtools/profiler-cli/dist/profiler-cli.js"

DECODE_PERFETTO = """
import collections, json, sys
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as definition
trace = definition.Trace()
trace.ParseFromString(open(sys.argv[1], "rb").read())
names, frames, stacks, totals = {}, {}, {}, collections.Counter()
threads, open_slices, states = {}, collections.Counter(), set()
for packet in trace.packet:
    for string in packet.interned_data.function_names:
        names[string.iid] = string.str.decode()
    for frame in packet.interned_data.frames:
        frames[frame.iid] = names[frame.function_name_id]
    for stack in packet.interned_data.callstacks:
        stacks[stack.iid] = [frames[frame] for frame in stack.frame_ids]
    if packet.HasField("track_descriptor") and packet.track_descriptor.HasField("thread"):
        threads[packet.track_descriptor.uuid] = packet.track_descriptor.thread.tid
    if packet.HasField("track_event"):
        event = packet.track_event
        assert event.track_uuid in threads
        begins = event.type == event.TYPE_SLICE_BEGIN
        open_slices[event.track_uuid] += 1 if begins else -1
        assert 0 <= open_slices[event.track_uuid] <= 1
        states |= {event.name} if begins else set()
    if packet.HasField("perf_sample"):
        assert packet.perf_sample.tid in threads.values()
        for name in set(stacks[packet.perf_sample.callstack_iid]):
            totals[name] += 1
assert not any(open_slices.values())
print(json.dumps({"totals": totals, "states": sorted(states)}))
"""


def output_of(*command, **keywords):
    result = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=120, **keywords
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def recording(interpreter, tmp_path_factory):
    directory = tmp_path_factory.mktemp("importers")
    outputs = ("out.folded", "out.pb.gz", "out.gecko.json", "out.perfetto-trace", "out.ftp")
    with harness.Target(interpreter, "chains.py", 2) as target:
        return harness.record(
            directory, "-p", target.pid, "-d", 1, "--idle", "-F", outputs=outputs
        ).check()


@pytest.fixture(scope="module")
def expected(recording):
    """Samples that have a function in their stack, by the collapsed stacks' own text."""
    totals = collections.Counter()
    for line in recording.read("out.folded").splitlines():
        stack, _, count = line.rpartition(" ")
        for frame in set(stack.split(";")):
            totals[frame] += int(count)
    assert totals
    return totals


def by_function(totals):
    """Totals of frames by the name of their function only."""
    result = collections.Counter()
    for frame, count in totals.items():
        result[re.sub(r" \([^)]*\)$", "", frame)] += count
    return result


def test_pprof(recording, expected):
    raw = output_of("go", "tool", "pprof", "-raw", recording.directory / "out.pb.gz")
    samples, locations = raw.split("Locations\n")[0], raw.split("Locations\n")[1]
    names = {}
    for line in locations.split("Mappings")[0].splitlines():
        number, _, rest = line.strip().partition(": ")
        match = re.search(r"M=1 (.*?) (\S*?):0(:0)?( s=0)?(\(\))?$", rest.rstrip())
        names[number] = f"{match[1]} ({match[2]})" if match[2] else match[1]
    totals, states = collections.Counter(), set()
    for line in samples.splitlines():
        if match := re.match(r"\s+(\d+)\s+\d+: ([\d ]+)$", line):
            for name in {names[number] for number in match[2].split()}:
                totals[name] += int(match[1])
        states |= set(re.findall(r"state:\[(\w+)\]", line))
    assert totals == expected
    assert {"running", "sleep"} <= states


def test_perfetto(recording, expected):
    python = IMPORTERS / "venv/bin/python3"
    trace = recording.directory / "out.perfetto-trace"
    decoded = json.loads(output_of(python, "-c", DECODE_PERFETTO, trace))
    assert decoded["totals"] == expected
    assert {"running", "sleep"} <= set(decoded["states"])


def answers(session):
    """Whether somebody listens on the socket that the file of a session names."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(json.loads(session.read_text())["socketPath"])
    except (OSError, ValueError):
        return False
    return True


@contextlib.contextmanager
def profiler_session(profile, directory):
    """The Firefox Profiler with `profile` loaded: what asks it, by its command line's arguments. Its
    own `load` waits for half a second only, which is too short on a busy machine."""
    environment = {**os.environ, "PROFILER_CLI_SESSION_DIR": str(directory), "HOME": str(directory)}

    def ask(*arguments):
        arguments = [*arguments, "--session", "test"]
        return output_of("node", PROFILER_CLI, *arguments, env=environment)

    command = ["node", PROFILER_CLI, "--daemon", profile, "--session", "test"]
    daemon = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        status = ["node", PROFILER_CLI, "status", "--session", "test"]
        # A session that does not answer yet must not be asked: its files would be cleaned up.
        while not (
            answers(directory / "test.json")
            and subprocess.run(status, env=environment, capture_output=True).returncode == 0
        ):
            assert daemon.poll() is None and time.monotonic() < deadline
        yield ask
    finally:
        daemon.kill()
        daemon.wait()


def test_firefox_profiler(recording, expected, tmp_path):
    totals = collections.Counter()
    with profiler_session(recording.directory / "out.gecko.json", tmp_path) as ask:
        threads = re.findall(r"\b(t-\d+) ", ask("thread", "list"))
        for thread in set(threads):
            ask("thread", "select", thread)
            listed = ask("thread", "functions", "--include-idle", "--limit", "0")
            for name, total in re.findall(r"f-\d+\. (.*) - self: .*, total: ([\d,]+) ", listed):
                totals[name] += int(total.replace(",", ""))
    assert totals == by_function(expected)
