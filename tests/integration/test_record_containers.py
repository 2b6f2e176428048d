"""What a container is made of: a process in pid, mount and user namespaces of its own, all at once. Recorded from
outside (a host, a privileged sidecar) and from inside (docker exec)."""

import contextlib
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
    mounts = 'mount -t proc proc /proc && mount -t tmpfs tmpfs /media'
    if interpreter.root:
        mounts += f" && mount -t proc proc {interpreter.root}/proc"
    wrapper = ("unshare", *NAMESPACES, "sh", "-c", f'{mounts} && exec "$@"', "sh")
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


def test_dropped_capability_is_explained(interpreter, tmp_path):
    """root, but of a container that was not given SYS_PTRACE; the target's was."""
    with harness.Target(interpreter, "spin.py") as target:
        recording = harness.record(
            tmp_path, "-p", target.pid, "-d", 1,
            wrapper=("setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"),
        )  # fmt: skip
    assert recording.status == harness.FAILED
    for word in ("CAP_SYS_PTRACE", "--cap-add SYS_PTRACE"):
        assert word in recording.stderr
    assert recording.stderr.count("\n") == 1


@contextlib.contextmanager
def public_root(root):
    """The root directory under a path that any user may go."""
    directory = tempfile.mkdtemp()
    subprocess.run(["mount", "--bind", root, directory], check=True)
    try:
        yield directory
    finally:
        subprocess.run(["umount", "--lazy", directory], check=True)
        os.rmdir(directory)


def test_an_ordinary_user_records_an_own_container(interpreter):
    """Rootless: the namespaces, the target and fthreadprof all belong to an ordinary user."""
    user = harness.as_user(harness.NOBODY)
    with contextlib.ExitStack() as stack:
        directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        directory.chmod(0o777)
        binary = directory / "fthreadprof"
        binary.write_bytes(pathlib.Path(harness.BINARY).read_bytes())
        binary.chmod(0o755)
        usable = stack.enter_context(interpreter.for_everybody())
        enter = []
        if usable.root:
            enter = ["chroot", stack.enter_context(public_root(usable.root))]
        program = f"{harness.targets_for(usable, harness.NOBODY)}/spin.py"
        process = stack.enter_context(
            subprocess.Popen(
                [*user, "unshare", *NAMESPACES, *enter, usable.executable, program, "2"],
                stdout=subprocess.PIPE, env=harness.python_environment(usable), bufsize=0,
            )
        )  # fmt: skip
        stack.callback(process.kill)
        assert harness.read_line(process.stdout.fileno(), 60).startswith(b"ready ")
        pid = harness._innermost_child(process.pid)
        assert is_isolated(pid)
        result = subprocess.run(
            [*user, binary, "record", "-p", str(pid), "-d", "1", "--threads",
             "-o", directory / "out.folded", "--summary", directory / "out.json"],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        summary = json.loads((directory / "out.json").read_text())
        assert {thread["tid"] for thread in summary["threads"]} == host_tids(pid)
        stacks = parse_collapsed((directory / "out.folded").read_text())
        assert any("inner" in found.names() for found in stacks)
