"""Bad input: one sentence on stderr, exit status 125, no hang, nothing left behind."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import harness
import pytest


def check_failure(result, *words):
    """Asserts a plain failure whose sentence matches each of the regexes."""
    assert result.returncode == harness.FAILED, (result.returncode, result.stderr)
    assert result.stdout == ""
    assert result.stderr.endswith("\n") and result.stderr.count("\n") == 1, result.stderr
    assert len(result.stderr) < 400, result.stderr
    for word in words:
        assert re.search(word, result.stderr, re.IGNORECASE), f"no {word!r}: {result.stderr}"


def record_into(directory, *arguments, **keywords):
    """Runs record and asserts that it wrote nothing."""
    outputs = ("-o", directory / "out.svg", "--summary", directory / "summary.json")
    result = harness.run_tool("record", *outputs, "-d", 2, *arguments, **keywords)
    assert list(directory.iterdir()) == []
    return result


def a_pid_that_is_gone():
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_no_such_process(tmp_path):
    pid = a_pid_that_is_gone()
    check_failure(record_into(tmp_path, "-p", pid), str(pid))


@pytest.mark.parametrize("pid", ["0", "-1", "abc", "99999999999999999999", "12x", ""])
def test_what_is_no_pid(pid, tmp_path):
    check_failure(record_into(tmp_path, "-p", pid))


def test_a_thread_id_instead_of_a_process_id(any_interpreter, tmp_path):
    """It works or is refused in a sentence."""
    with harness.Target(any_interpreter, "spin.py") as target:
        tid = max(int(tid) for tid in os.listdir(f"/proc/{target.pid}/task"))
        result = harness.run_tool("record", "-p", tid, "-d", "0.3", "-o", tmp_path / "x.folded")
        if result.returncode != 0:
            check_failure(result, str(tid))


def test_not_python(tmp_path):
    with subprocess.Popen(["sleep", "60"]) as process:
        check_failure(record_into(tmp_path, "-p", process.pid), "python", str(process.pid))
        assert process.poll() is None
        process.kill()


def test_a_kernel_thread(tmp_path):
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    kernel = [pid for pid in pids if _command_line(pid) == b"" and pid > 1]
    if not kernel:
        pytest.skip("no kernel thread is visible here")
    check_failure(record_into(tmp_path, "-p", min(kernel)), str(min(kernel)))


def _command_line(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return None


def test_a_zombie(tmp_path):
    with subprocess.Popen(["true"]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        check_failure(record_into(tmp_path, "-p", process.pid), str(process.pid))


def test_the_profiler_itself(tmp_path):
    code = 'exec "$0" record -p $$ -d 1 -o "$1"'
    command = ["sh", "-c", code, harness.BINARY, str(tmp_path / "out.svg")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=30)
    check_failure(result)
    assert list(tmp_path.iterdir()) == []


def test_python_3_12_and_older(tmp_path):
    # Debian 12's own Python is 3.11.
    code = "import sys, time; print(*sys.version_info[:2], flush=True); time.sleep(60)"
    with subprocess.Popen(["/usr/bin/python3", "-c", code], stdout=subprocess.PIPE) as process:
        version = tuple(map(int, process.stdout.readline().split()))
        assert version < (3, 13), "this test needs an older Python as /usr/bin/python3"
        result = record_into(tmp_path, "-p", process.pid)
        process.kill()
    check_failure(result, r"3\.13", "python")


def test_a_32_bit_process(tmp_path):
    (tmp_path / "program").mkdir()
    (tmp_path / "empty").mkdir()
    program = tmp_path / "program" / "pause32"
    build = [
        "clang-19",
        "-m32",
        "-nostdlib",
        "-static",
        "-o",
        program,
        harness.TARGETS / "pause32.c",
    ]
    subprocess.run(build, check=True)
    try:
        process = subprocess.Popen([program])
    except OSError as error:
        pytest.skip(f"this kernel runs no 32-bit programs: {error}")
    with process:
        result = record_into(tmp_path / "empty", "-p", process.pid)
        process.kill()
    check_failure(result, r"32.bit|architecture|i386|x86")


@pytest.fixture
def nobody():
    """A copy of the binary and a directory that any user may use: (binary, directory)."""
    directory = pathlib.Path(tempfile.mkdtemp())
    directory.chmod(0o777)
    binary = directory / "fthreadprof"
    shutil.copy2(harness.BINARY, binary)
    (directory / "outputs").mkdir(mode=0o700)
    os.chown(directory / "outputs", harness.NOBODY, harness.NOBODY)
    yield binary, directory / "outputs"
    shutil.rmtree(directory)


def run_as_nobody(binary, *arguments):
    command = [*harness.as_user(harness.NOBODY), binary, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


def test_no_permission(nobody, spinner):
    binary, outputs = nobody
    result = run_as_nobody(binary, "record", "-p", spinner.pid, "-o", outputs / "out.svg")
    check_failure(result, "ptrace_scope|CAP_SYS_PTRACE", str(spinner.pid))
    assert list(outputs.iterdir()) == []


def test_one_child_that_may_not_be_read_is_said_in_a_line(nobody, any_interpreter):
    binary, outputs = nobody
    path = outputs / "out.folded"
    with any_interpreter.for_everybody() as usable:
        arguments = harness.script(usable, "tree.py", "secret", 2, user=harness.NOBODY)
        environment = [f"{name}={value}" for name, value in usable.environment]
        command = ["env", *environment, *usable.command(*arguments)]
        result = run_as_nobody(binary, "record", "-s", "-o", path, "--", *command)
    assert result.returncode == 0, result.stderr
    pid = result.stdout.strip()
    line = result.stderr.splitlines()[0]
    assert f"not permitted to read process {pid}" in line, line
    stacks = path.read_text()
    assert "open_work" in stacks and "secret_work" not in stacks


@pytest.mark.parametrize("option", ["-o", "--summary"])
def test_an_output_that_may_not_be_written(option, nobody, any_interpreter):
    binary, outputs = nobody
    os.chown(outputs, 0, 0)
    outputs.chmod(0o755)
    path = outputs / "denied.svg"
    with any_interpreter.for_everybody() as usable, harness.Target(
        usable, "spin.py", user=harness.NOBODY
    ) as target:
        result = run_as_nobody(binary, "record", "-p", target.pid, "-d", 1, option, path)
    check_failure(result, re.escape(str(path)))
    assert list(outputs.iterdir()) == []


@pytest.mark.parametrize("option", ["-o", "--summary"])
@pytest.mark.parametrize("place", ["no/such/directory.svg", "a-directory.svg", "a-file/below.svg"])
def test_an_output_that_cannot_be(option, place, spinner, tmp_path):
    (tmp_path / "a-directory.svg").mkdir()
    (tmp_path / "a-file").write_text("")
    path = tmp_path / place
    # It says so before it samples: the test's own timeout is far below the duration.
    result = harness.run_tool("record", "-p", spinner.pid, "-d", 600, option, path, timeout=10)
    check_failure(result, re.escape(str(path)))
    assert {p.name for p in tmp_path.iterdir()} == {"a-directory.svg", "a-file"}
    assert list((tmp_path / "a-directory.svg").iterdir()) == []


@pytest.mark.parametrize("output", ["out.svg", "out.speedscope.json"])
def test_a_full_disk(output, any_interpreter, tmp_path):
    """On a file system of two pages, seen in a mount namespace of its own."""
    code = (
        f"mount -t tmpfs -o size=8k none {tmp_path} && "
        f'"$@" -o {tmp_path}/{output}; status=$?; ls -A {tmp_path}; exit $status'
    )
    wrapper = ("unshare", "--mount", "sh", "-c", code, "sh")
    with harness.Target(any_interpreter, "chains.py", 1) as target:
        result = harness.run_tool("record", "-p", target.pid, "-d", 1, wrapper=wrapper)
    check_failure(result, "space|full", output)  # an empty stdout: ls saw no file


def test_one_failed_output_does_not_cost_the_others(spinner, tmp_path):
    """An output that fails at the end: the status says so, the others are written whole."""
    subprocess.run(["mknod", tmp_path / "full.folded", "c", "1", "7"], check=True)
    outputs = ("full.folded", "out.folded")
    recording = harness.record(tmp_path, "-p", spinner.pid, "-d", 1, outputs=outputs)
    assert recording.status == harness.FAILED
    assert "full.folded" in recording.stderr and recording.stderr.count("\n") == 1
    assert recording.stacks()
    assert recording.summary()["sampling"]["samples"] > 0


@pytest.mark.parametrize(
    "options, word",
    [
        (["-r", "0"], "rate"),
        (["-r", "-5"], "rate"),
        (["-r", "1e12"], "rate"),
        (["-r", "1000000000"], "rate"),
        (["-r", "nan"], "rate"),
        (["-r", "inf"], "rate"),
        (["-r", "fast"], "rate"),
        (["-d", "-1"], "duration"),
        (["-d", "soon"], "duration"),
        (["-d", "nan"], "duration"),
        (["-f", "nonsense"], "nonsense.*flamegraph"),
        (["-f", "nonsense", "-o", "x.svg"], "nonsense"),
        (["-o", "x.unknown"], r"x\.unknown.*\.svg"),
        (["-o", "no-ending"], r"no-ending.*\.svg"),
        (["-o", ""], ""),
        (["--mode", "nonsense"], "nonsense.*active"),
        (["--no-such-option"], "no-such-option"),
    ],
)
def test_bad_options(options, word, spinner, tmp_path):
    result = harness.run_tool("record", "-p", spinner.pid, *options, cwd=tmp_path, timeout=10)
    check_failure(result, word)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [[], ["record"], ["record", "--"], ["no-such-command"], ["record", "-p"]]
)
def test_missing_arguments(arguments, tmp_path):
    check_failure(harness.run_tool(*arguments, cwd=tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_pid_and_a_command(spinner, tmp_path):
    check_failure(record_into(tmp_path, "-p", spinner.pid, "--", "true"))


@pytest.mark.parametrize("options", [["--help"], ["record", "--help"], ["--version"]])
def test_help_and_version(options):
    result = harness.run_tool(*options)
    assert result.returncode == 0
    assert result.stderr == ""
    if "record" in options:
        assert "fthreadprof record -" in result.stdout, "no example in the help"


def test_a_command_that_does_not_exist(tmp_path):
    check_failure(record_into(tmp_path, "--", "/no/such/command"), "/no/such/command")


def test_a_command_that_may_not_be_run(tmp_path):
    (tmp_path / "script").write_text("not executable")
    (tmp_path / "empty").mkdir()
    result = record_into(tmp_path / "empty", "--", tmp_path / "script")
    check_failure(result, "script")


@pytest.mark.parametrize("command", [["true"], ["sh", "-c", "exit 3"]])
def test_a_command_that_is_not_python(command, tmp_path):
    """The tool could not do its work: that is its own failure."""
    check_failure(record_into(tmp_path, "--", *command), "python")


def test_an_exit_in_the_middle_of_everything(interpreter, tmp_path):
    """Targets that live for moments: whenever the end comes, there is no crash and no hang."""
    for milliseconds in range(0, 60, 6):
        directory = tmp_path / str(milliseconds)
        directory.mkdir()
        with harness.Target(interpreter, "exits.py", 0, milliseconds / 1000) as target:
            recording = harness.record(directory, "-p", target.pid, "-d", 5, timeout=20)
        assert recording.status in (0, harness.FAILED), recording
        written = {path.name for path in directory.iterdir()}
        if recording.status == 0:
            assert written == {"out.folded", "summary.json"}
            json.loads(recording.read("summary.json"))
        else:
            assert recording.stderr.count("\n") == 1 and written == set(), recording


OLD_PYTHON = "/usr/bin/python3"  # Debian 12's, 3.11


def test_an_older_python_that_was_launched_is_named_while_it_runs(tmp_path):
    command = [harness.BINARY, "record", "-o", tmp_path / "out.svg", "--", OLD_PYTHON]
    code = "import time; time.sleep(600)"
    with subprocess.Popen([*command, "-c", code], stderr=subprocess.PIPE, text=True) as process:
        line = process.stderr.readline()  # before the command ends
        assert "nothing to sample so far" in line and "not supported" in line
        process.terminate()
        rest = process.stderr.read()
        assert process.wait(timeout=30) == harness.FAILED
    assert "not supported" in rest and rest.count("\n") == 1
    assert list(tmp_path.iterdir()) == [], "a file without samples"


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["report"], "give a recording"),
        (["interpreter"], "one of list, build, path, remove"),
        (["interpreter", "lst"], "no command 'lst'.*list, build, path, remove"),
        (["top"], "no command 'top'.*fthreadprof dump -p"),
        (["dump", "17"], "goes behind -p"),
        (["record", "17"], "goes behind -p"),
        (["record", "python", "app.py"], "'python app.py'; a command to run goes behind --"),
        (["dump", "--lokals"], "'--lokals'; --help"),
        (["report", "a.ftp", "a.svg"], "an output goes behind -o"),
        (["record", "--pid"], "a value behind --pid"),
    ],
)
def test_what_is_missing_or_misspelled_is_named(arguments, words):
    check_failure(harness.run_tool(*arguments), words)


@pytest.mark.parametrize(
    "command, usage",
    [
        ("record", "record [OPTIONS] (-p PID | -- COMMAND...)"),
        ("dump", "dump [OPTIONS] -p PID"),
        ("race", "race [OPTIONS] -- COMMAND..."),
        ("report", "report [OPTIONS] recording"),
    ],
)
def test_usage_shows_what_is_needed(command, usage):
    assert f"Usage: fthreadprof {usage}\n" in harness.run_tool(command, "--help").stdout


def test_help_is_a_command_too():
    assert harness.run_tool("help").stdout == harness.run_tool("--help").stdout
    result = harness.run_tool("help", "record")
    assert result.returncode == 0
    assert result.stdout == harness.run_tool("record", "--help").stdout
    check_failure(harness.run_tool("help", "recrod"), "no command 'recrod'")


@pytest.mark.parametrize("options", [[], ["-s"]])
def test_a_duration_of_an_older_python_is_no_success(options, tmp_path):
    with subprocess.Popen([OLD_PYTHON, "-c", "import time; time.sleep(600)"]) as process:
        result = record_into(tmp_path, *options, "-p", process.pid)
        process.kill()
    check_failure(result, "not supported")
