"""What a container is made of: a process in pid, mount and user namespaces of its own, all at once. Recorded from
outside (a host, a privileged sidecar) and from inside (docker exec)."""

import json
import os
import pathlib
import subprocess
import tempfile

import harness
import pytest
from stacks import parse_collapsed

NAMESPACES = ("--user", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child")


def host_tids(pid):
    return {int(tid) for tid in os.listdir(f"/proc/{pid}/task")}


def check(recording, target, interpreter):
    """Right names, right thread ids as we see them, right Python."""
    assert recording.status == 0, recording.stderr
    summary = recording.summary()
    assert summary["target"]["python"] == interpreter.version
    assert summary["target"]["pid"] == target.pid
    threads = {thread["tid"]: thread["name"] for thread in summary["threads"]}
    assert set(threads) == host_tids(target.pid)
    assert set(threads.values()) == {"MainThread", "spinner-0", "spinner-1"}
    assert threads[target.pid] == "MainThread"
    for stack in recording.stacks():
        assert threads[stack.thread.tid] == stack.thread.name
    assert any("inner" in stack.names() for stack in recording.stacks())


def is_isolated(pid):
    names = ("user", "mnt", "pid")
    return all(os.readlink(f"/proc/{pid}/ns/{n}") != os.readlink(f"/proc/self/ns/{n}") for n in names)


@pytest.fixture
def container(interpreter):
    """A target in its namespaces, with a /proc and a /tmp of its own."""
    prepare = 'mount -t proc proc "${0}/proc" && mount -t tmpfs tmpfs "${0}/media" && exec "$@"'
    wrapper = ("unshare", *NAMESPACES, "sh", "-c", prepare, interpreter.root)
    with harness.Target(interpreter, "spin.py", 2, wrapper=wrapper) as target:
        yield target


def test_recorded_from_outside(container, interpreter, tmp_path):
    assert is_isolated(container.pid)
    assert container.status("NSpid").split()[-1] != str(container.pid)
    recording = harness.record(tmp_path, "-p", container.pid, "-d", 1, "--threads")
    check(recording, container, interpreter)


def test_recorded_from_inside(container, interpreter, tmp_path):
    """By its pid there, with the thread ids of there."""
    inner_pid = container.status("NSpid").split()[-1]
    enter = ("nsenter", f"--target={container.pid}", "--user", "--mount", "--pid")
    recording = harness.record(
        tmp_path, "-p", inner_pid, "-d", 1, "--threads",
        wrapper=(*enter, "--preserve-credentials"),
    )  # fmt: skip
    assert recording.status == 0, recording.stderr
    summary = recording.summary()
    assert summary["target"]["pid"] == int(inner_pid)
    inner_tids = set()
    for tid in host_tids(container.pid):
        status = pathlib.Path(f"/proc/{container.pid}/task/{tid}/status").read_text()
        line = next(row for row in status.splitlines() if row.startswith("NSpid:"))
        inner_tids.add(int(line.split()[-1]))
    assert {thread["tid"] for thread in summary["threads"]} == inner_tids
    assert {thread["name"] for thread in summary["threads"]} >= {"spinner-0", "spinner-1"}


def test_an_ordinary_user_is_told_what_is_missing(container):
    """Not the owner of the process, no capability: as in a container without SYS_PTRACE."""
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        directory.chmod(0o777)
        binary = directory / "fthreadprof"
        binary.write_bytes(pathlib.Path(harness.BINARY).read_bytes())
        binary.chmod(0o755)
        result = subprocess.run(
            [*harness.as_user(harness.NOBODY), binary, "record", "-p", str(container.pid),
             "-d", "1", "-o", directory / "out.folded"],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    assert result.returncode == harness.FAILED
    assert result.stderr.count("\n") == 1
    assert "CAP_SYS_PTRACE" in result.stderr and str(container.pid) in result.stderr


def test_dropped_capability_is_explained(container, tmp_path):
    """root, but of a container that was not given SYS_PTRACE."""
    recording = harness.record(
        tmp_path, "-p", container.pid, "-d", 1,
        wrapper=("setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"),
    )  # fmt: skip
    assert recording.status == harness.FAILED
    for word in ("CAP_SYS_PTRACE", "--cap-add SYS_PTRACE"):
        assert word in recording.stderr
    assert recording.stderr.count("\n") == 1


def test_an_ordinary_user_records_an_own_container(interpreter):
    """Rootless: the namespaces, the target and fthreadprof all belong to an ordinary user."""
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        directory.chmod(0o777)
        binary = directory / "fthreadprof"
        binary.write_bytes(pathlib.Path(harness.BINARY).read_bytes())
        binary.chmod(0o755)
        with interpreter.for_everybody() as usable:
            if usable.root:  # an ordinary user may only chroot inside of a user namespace
                enter = ["chroot", usable.root]
            else:
                enter = []
            user = harness.as_user(harness.NOBODY)
            targets = harness.targets_for(usable, harness.NOBODY)
            command = [*user, "unshare", *NAMESPACES, *enter, usable.executable]
            process = subprocess.Popen(
                [*command, f"{targets}/spin.py", "2"],
                stdout=subprocess.PIPE, env=harness.python_environment(usable), bufsize=0,
            )  # fmt: skip
            try:
                assert harness.read_line(process.stdout.fileno(), 60).startswith(b"ready ")
                pid = harness._innermost_child(process.pid)
                assert is_isolated(pid)
                result = subprocess.run(
                    [*user, binary, "record", "-p", str(pid), "-d", "1", "--threads",
                     "-o", directory / "out.folded", "--summary", directory / "out.json"],
                    capture_output=True, text=True, timeout=60,
                )  # fmt: skip
                tids = host_tids(pid)
            finally:
                process.kill()
                process.communicate()
        assert result.returncode == 0, result.stderr
        summary = json.loads((directory / "out.json").read_text())
        assert {thread["tid"] for thread in summary["threads"]} == tids
        stacks = parse_collapsed((directory / "out.folded").read_text())
        assert any("inner" in stack.names() for stack in stacks)
