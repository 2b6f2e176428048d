"""Attaches to and launches processes of every build, in every place."""

import os
import pathlib
import shutil
import signal
import stat
import subprocess
import tempfile

import harness
import pytest


def check_spinning(recording, interpreter):
    """Asserts a good recording of spin.py on `interpreter`."""
    recording.check()
    spinning = [stack for stack in recording.stacks() if stack.names()[-2:] == ["outer", "inner"]]
    assert sum(stack.count for stack in spinning) > 200
    target = recording.summary()["target"]
    assert target["python"].startswith(interpreter.version), target
    assert target["free_threaded"] == interpreter.free_threaded
    assert target["gil_enabled"] == (not interpreter.free_threaded)


def attach(tmp_path, interpreter, **keywords):
    with harness.Target(interpreter, "spin.py", **keywords) as target:
        recording = harness.record(tmp_path, "-p", target.pid, "-d", 1)
        assert target.is_alive()
    check_spinning(recording, interpreter)
    return recording


def test_attach_to_every_interpreter(interpreter, tmp_path):
    recording = attach(tmp_path, interpreter)
    executable = recording.summary()["target"]["executable"]
    assert os.path.basename(executable).startswith("python3"), executable


def test_attach_with_shared_libpython(shared_interpreter, tmp_path):
    attach(tmp_path, shared_interpreter)


def test_attach_to_an_embedder(shared_interpreter, tmp_path):
    """libpython loaded by dlopen into a program that is not Python."""
    source, embedder = harness.TARGETS / "embedder.c", tmp_path / "embedder"
    subprocess.run(["clang-19", "-o", embedder, source, "-ldl"], check=True)
    copy = shared_interpreter.copy_to(str(tmp_path))
    library = next(tmp_path.glob("libpython*"))
    with harness.Target(copy, "spin.py", wrapper=(embedder, library)) as target:
        recording = harness.record(tmp_path, "-p", target.pid, "-d", 1)
    check_spinning(recording, shared_interpreter)


def test_attach_to_a_stripped_executable(interpreter, interpreter_directory, tmp_path):
    attach(tmp_path, interpreter.copy_to(interpreter_directory, strip=True))


def test_attach_with_stripped_shared_libpython(shared_interpreter, tmp_path):
    attach(tmp_path, shared_interpreter.copy_to(str(tmp_path), strip=True))


def delete_and_attach(copy, directory, tmp_path):
    """Attaches after what the process runs was deleted and another program took its name."""
    with harness.Target(copy, "spin.py") as target:
        for file in pathlib.Path(copy.outside(directory)).iterdir():
            if file.is_file():
                file.unlink()
                shutil.copy2("/bin/true", file)
        recording = harness.record(tmp_path, "-p", target.pid, "-d", 1)
    check_spinning(recording, copy)


def test_attach_after_an_upgrade_in_place(interpreter, interpreter_directory, tmp_path):
    copy = interpreter.copy_to(interpreter_directory)
    delete_and_attach(copy, interpreter_directory, tmp_path)


def test_attach_after_an_upgrade_of_shared_libpython(shared_interpreter, tmp_path):
    directory = shared_interpreter.make_directory()
    delete_and_attach(shared_interpreter.copy_to(directory), directory, tmp_path)
    shutil.rmtree(directory)


def test_attach_in_another_pid_namespace(interpreter, tmp_path):
    wrapper = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
    with harness.Target(interpreter, "spin.py", wrapper=wrapper) as target:
        assert target.status("NSpid").split()[-1] == "1"
        recording = harness.record(tmp_path, "-p", target.pid, "-d", 1, "--threads")
        tids = {int(tid) for tid in os.listdir(f"/proc/{target.pid}/task")}
    check_spinning(recording, interpreter)
    assert {thread["tid"] for thread in recording.summary()["threads"]} == tids
    assert {stack.thread.tid for stack in recording.stacks()} == tids


def test_attach_to_another_mount_namespace(any_interpreter, tmp_path):
    """Where the path of the executable names another file for us than for the target."""
    if any_interpreter.root:
        pytest.skip("covered: this interpreter always runs in another mount namespace")
    directory = any_interpreter.make_directory()
    copy = any_interpreter.copy_to(directory)
    hidden = f'mount -t tmpfs none {directory} && cp -a {directory}.real/. {directory} && exec "$@"'
    shutil.copytree(directory, directory + ".real")
    for file in pathlib.Path(directory).iterdir():
        file.unlink()
        shutil.copy2("/bin/true", file)
    wrapper = ("unshare", "--mount", "sh", "-c", hidden, "sh")
    try:
        attach(tmp_path, copy, wrapper=wrapper)
    finally:
        shutil.rmtree(directory)
        shutil.rmtree(directory + ".real")


def public_binary(directory):
    """A copy of fthreadprof that any user may run, and a directory where any user may write."""
    shutil.copy2(harness.BINARY, directory / "fthreadprof")
    (directory / "public").mkdir()
    (directory / "public").chmod(stat.S_IRWXU | stat.S_IRWXG | stat.S_IRWXO)
    return directory / "fthreadprof", directory / "public"


def test_an_ordinary_user_records_an_own_process(interpreter):
    directory = pathlib.Path(tempfile.mkdtemp())
    directory.chmod(0o755)
    binary, public = public_binary(directory)
    try:
        with interpreter.for_everybody() as usable, harness.Target(
            usable, "spin.py", user=harness.NOBODY
        ) as target:
            command = [*harness.as_user(harness.NOBODY), binary, "record", "-p", str(target.pid)]
            outputs = ["-o", public / "out.folded", "--summary", public / "summary.json"]
            result = subprocess.run(
                [*command, *outputs, "-d", "1"], capture_output=True, text=True, timeout=60
            )
        recording = harness.Recording(result.returncode, result.stdout, result.stderr, public)
        check_spinning(recording, interpreter)
    finally:
        shutil.rmtree(directory)


@pytest.mark.parametrize("status", [0, 7, 255])
def test_launch_passes_the_exit_status_on(status, any_interpreter, tmp_path):
    command = any_interpreter.command(*harness.script(any_interpreter, "exits.py", status, 0.3))
    recording = harness.record_command(tmp_path, any_interpreter, command)
    assert recording.status == status, recording.stderr
    assert recording.stdout.startswith("ready "), "the command's stdout is its own"
    assert any(stack.names()[-1] == "spin_until" for stack in recording.stacks())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGABRT])
def test_launch_of_a_command_that_dies_by_a_signal(number, any_interpreter, tmp_path):
    script = harness.script(any_interpreter, "exits.py", -number, 0.3)
    command = any_interpreter.command(*script)
    recording = harness.record_command(tmp_path, any_interpreter, command)
    assert recording.status == 128 + number, recording.stderr
    assert any(stack.names()[-1] == "spin_until" for stack in recording.stacks())


def test_launch_of_every_interpreter(interpreter, tmp_path):
    command = interpreter.command(*harness.script(interpreter, "exits.py", 0, 1))
    recording = harness.record_command(tmp_path, interpreter, command)
    assert recording.status == 0, recording.stderr
    stacks = [stack for stack in recording.stacks() if stack.names()[-1] == "spin_until"]
    assert sum(stack.count for stack in stacks) > 200
    assert recording.summary()["target"]["python"].startswith(interpreter.version)


def test_launch_through_a_shell_script(any_interpreter, tmp_path):
    command = any_interpreter.command(*harness.script(any_interpreter, "exits.py", 3, 0.5))
    script = tmp_path / "start"
    script.write_text('#!/bin/sh\nFOO=bar; for i in 1 2 3; do echo $i; done\nexec "$@"\n')
    script.chmod(0o755)
    recording = harness.record_command(tmp_path, any_interpreter, [str(script), *command])
    assert recording.status == 3, recording.stderr
    assert recording.stdout.startswith("1\n2\n3\nready ")
    assert any(stack.names()[-1] == "spin_until" for stack in recording.stacks())


def test_launch_of_a_command_that_ends_at_once(any_interpreter, tmp_path):
    command = any_interpreter.command("-c", "import sys; sys.exit(7)")
    recording = harness.record_command(tmp_path, any_interpreter, command)
    assert recording.status == 7, recording.stderr


def test_launch_hands_stdin_and_arguments_to_the_command(any_interpreter, tmp_path):
    code = "import sys, time; print(sys.stdin.read(), sys.argv[1:]); time.sleep(0.3)"
    command = any_interpreter.command("-c", code, "-d", "--mode", "x y")
    output = f"-o{tmp_path / 'out.folded'}"
    result = harness.run_tool("record", output, "--", *command, input="from stdin")
    assert result.stdout == "from stdin ['-d', '--mode', 'x y']\n", result.stderr
    assert result.returncode == 0


def test_duration_ends_the_recording_of_a_launched_command(any_interpreter, tmp_path):
    """The command runs on to its own end, and its status still counts."""
    command = any_interpreter.command(*harness.script(any_interpreter, "exits.py", 5, 2))
    recording = harness.record_command(tmp_path, any_interpreter, command, "-d", "0.5")
    assert recording.status == 5, recording.stderr
    assert recording.summary()["sampling"]["duration_s"] == pytest.approx(0.5, abs=0.3)
