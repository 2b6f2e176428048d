"""`fthreadprof race` around programs: streams, signals, exit statuses, children, outputs, bad input."""

import fcntl
import os
import pathlib
import re
import signal
import subprocess
import termios
import textwrap

import harness
import pytest
import race_harness
from race_harness import FOUND, PROGRAMS, run_race

RACE = """
import threading
class Stats:
    hits = 0
def serve(stats):
    for _ in range(20):
        stats.hits += 1
def race():
    stats = Stats()
    threads = [threading.Thread(target=serve, args=(stats,)) for _ in range(2)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
"""
LOST_UPDATE = {("lost-update", "Stats.hits")}
PYTHON = "/usr/bin/python3"  # of Debian: what the command names, and does not get


@pytest.fixture
def write(tmp_path):
    """Writes a program that defines race(); returns its path."""

    def write(text, name="app.py", head=RACE, executable=False):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(head + textwrap.dedent(text))
        if executable:
            path.chmod(0o755)
        return path

    return write


def race_command(directory, *arguments):
    """The command line of `race` with out.json in `directory`."""
    output = f"-o{directory / 'race.json'}"
    return [harness.BINARY, "race", "--python", race_harness.race_python(), output, *arguments]


def run_plain(*arguments, **keywords):
    """`race` with the interpreter, and nothing else but the arguments."""
    arguments = ["--python", race_harness.race_python(), *arguments]
    return harness.run_tool("race", *arguments, timeout=120, **keywords)


# --- Streams and statuses


def test_streams_arguments_and_status_pass_through(write, tmp_path):
    program = write(
        """
        import sys
        print(sys.argv[1:], sys.stdin.read())
        print("to stderr", file=sys.stderr)
        sys.exit(7)
        """
    )
    run = run_race(tmp_path, [PYTHON, program, "--port", "a b"], input="some text")
    assert run.stdout == "['--port', 'a b'] some text\n"
    assert "to stderr\n" in run.stderr
    assert run.status == 7
    assert run.report["summary"] | {"exit_status": 7} == run.report["summary"]


def test_text_goes_to_standard_error_and_never_to_standard_output(write):
    run = run_plain("--", PYTHON, write("race(); print('done')"))
    assert run.stdout == "done\n"
    assert "ERROR lost-update: Stats.hits" in run.stderr
    assert run.stderr.endswith("fthreadprof: 1 race (1 error), exit status 66\n")
    assert run.returncode == FOUND


def test_with_files_standard_error_has_the_last_line(write, tmp_path):
    text, data = tmp_path / "out.txt", tmp_path / "out.json"
    run = run_plain("-q", "-o", text, "-o", data, "--", PYTHON, write("race()"))
    assert run.stderr == "fthreadprof: 1 race (1 error), exit status 66\n"
    assert "ERROR lost-update: Stats.hits" in text.read_text()
    assert '"fthreadprof.race/1"' in data.read_text()


def test_no_source(write, tmp_path):
    for options, there in (([], True), (["--no-source"], False)):
        run = run_plain(*options, "--", PYTHON, write("race()"))
        assert ("stats.hits += 1" in run.stderr) is there


@pytest.mark.parametrize(
    "name, kind_found_at",
    [("state_two_writers", "warning"), ("append_both", "note"), ("counter_attribute", "error")],
)
def test_fail_on(name, kind_found_at, tmp_path):
    levels = ["note", "warning", "error", "never"]
    for level in levels:
        run = run_race(tmp_path, [PYTHON, PROGRAMS / f"{name}.py"], "--fail-on", level)
        fails = levels.index(level) <= levels.index(kind_found_at)
        assert run.status == (FOUND if fails else 0), level
        assert len(run.races) == 1


# --- The end of a program


ENDS = {
    "exits": ("os._exit(5)", 5),
    "is killed": ("os.kill(os.getpid(), signal.SIGKILL)", 128 + signal.SIGKILL),
    "aborts": ("os.abort()", 128 + signal.SIGABRT),
    "crashes": ("import ctypes; ctypes.string_at(1)", 128 + signal.SIGSEGV),
    "raises": ("raise ValueError('wanted')", 1),
}


@pytest.mark.parametrize("end, status", ENDS.values(), ids=ENDS)
def test_no_finding_is_lost(end, status, write, tmp_path):
    program = write(f"import os, signal\nrace()\n{end}\n")
    run = run_race(tmp_path, [PYTHON, program], "--fail-on", "never", cwd=tmp_path)
    assert run.names() == LOST_UPDATE
    assert run.status == status


class RunningRace:
    """A program under race that has said "ready"; in a process group of its own."""

    def __init__(self, directory, program, **keywords):
        self.directory = directory
        self.process = subprocess.Popen(
            race_command(directory, "--fail-on", "never", "--", PYTHON, str(program)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **(keywords or {"process_group": 0}),
        )
        line = harness.read_line(self.process.stdout.fileno(), 60)
        if line != b"ready\n":
            self.process.kill()
            raise AssertionError(f"not ready: {line} {self.process.communicate()[1].decode()}")

    def finish(self):
        out, errors = self.process.communicate(timeout=60)
        report = race_harness.read_report(self.directory / "race.json")
        return race_harness.RaceRun(self.process.returncode, out.decode(), errors.decode(), report)


WAITS = """
import signal, sys, time
{handler}
race()
try:
    print("ready", flush=True)
    while True:
        time.sleep(0.1)
except KeyboardInterrupt:
    print("interrupted")
    raise
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_are_passed_on(number, write, tmp_path):
    handler = f"signal.signal({int(number)}, lambda *_: (print('got it'), sys.exit(9)))"
    running = RunningRace(tmp_path, write(WAITS.format(handler=handler)))
    running.process.send_signal(number)
    run = running.finish()
    assert run.stdout == "got it\n"
    assert run.status == 9
    assert run.names() == LOST_UPDATE


def test_a_signal_that_ends_the_program_ends_the_run(write, tmp_path):
    running = RunningRace(tmp_path, write(WAITS.format(handler="")))
    running.process.send_signal(signal.SIGTERM)
    run = running.finish()
    assert run.status == 128 + signal.SIGTERM
    assert run.names() == LOST_UPDATE


def test_ctrl_c_ends_the_program_and_the_report_comes(write, tmp_path):
    # A real terminal: it signals the whole group, and the command must not get it twice.
    terminal, end = os.openpty()
    running = RunningRace(
        tmp_path,
        write(WAITS.format(handler="")),
        stdin=end,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(end, termios.TIOCSCTTY, 0),
    )
    os.write(terminal, b"\x03")
    run = running.finish()
    os.close(terminal)
    os.close(end)
    assert run.stdout == "interrupted\n"
    assert run.status == 128 + signal.SIGINT
    assert run.names() == LOST_UPDATE


# --- Children


CHILDREN = {
    "sys.executable": "subprocess.run([sys.executable, 'child.py'], check=True)",
    "python3": "subprocess.run(['python3', 'child.py'], check=True)",
    "python": "subprocess.run(['python', 'child.py'], check=True)",
    "shell": "subprocess.run('exec python3 child.py', shell=True, check=True)",
    "script": "subprocess.run(['./child.py'], check=True)",
    "exec": "os.execvp('python3', ['python3', 'child.py'])",
    "fork": "os.fork() or (race(), os._exit(0)); os.wait()",
    "spawn": (
        "if __name__ == '__main__':\n"
        "    import multiprocessing as m\n"
        "    child = m.get_context('spawn').Process(target=race)\n"
        "    child.start()\n"
        "    child.join()\n"
    ),
}


@pytest.mark.parametrize("start", CHILDREN.values(), ids=CHILDREN)
def test_children_are_followed(start, write, tmp_path):
    write("race()", name="child.py", head="#!/usr/bin/env python3\n" + RACE, executable=True)
    program = write(f"import os, subprocess, sys\n{start}\n")
    run = run_race(tmp_path, [PYTHON, program], cwd=tmp_path)
    assert run.names() == LOST_UPDATE
    assert run.status == FOUND


def test_python_behind_another_command_is_followed(write, tmp_path):
    program = write("race(); print('done')")
    run = run_race(tmp_path, ["bash", "-c", f"python3 {program} && exit 4"], "--fail-on", "never")
    assert run.names() == LOST_UPDATE
    assert run.stdout == "done\n"
    assert run.status == 4


def test_a_command_that_starts_no_python_is_not_called_clean(tmp_path):
    run = run_race(tmp_path, ["true"])
    assert run.status == 0
    assert re.search(r"/true started no Python", run.stderr)


def test_a_child_that_stays_behind_keeps_nobody_waiting(write, tmp_path):
    program = write(
        """
        import os
        reader, writer = os.pipe()
        if os.fork() == 0:
            os.setsid()
            os.close(writer)
            for fd in range(3):
                os.close(fd)
            os.read(reader, 1)  # until the pipe is closed
            race()
            os._exit(0)
        race()
        """
    )
    run = run_race(tmp_path, [PYTHON, program], timeout=30)
    assert run.names() == LOST_UPDATE


# --- What runs under the interpreter


def test_scripts_with_a_python_shebang(write, tmp_path):
    shebangs = {
        "env": "#!/usr/bin/env python3\n",
        "env-split": "#!/usr/bin/env -S python3 -I\n",
        "path": f"#!{PYTHON}\n",
        "trampoline": f"#!/bin/sh\n'''exec' {PYTHON} \"$0\" \"$@\"\n' '''\n",
    }
    for name, shebang in shebangs.items():
        script = write("race()", name=name, head=shebang + RACE, executable=True)
        assert run_race(tmp_path, [script]).names() == LOST_UPDATE, name
        run = run_race(tmp_path, [f"./{name}"], cwd=tmp_path)
        assert run.names() == LOST_UPDATE, name


@pytest.mark.parametrize("flags", [["-I"], ["-E"], ["-s"], ["-S"], ["-X", "dev"], ["-OO"]])
def test_flags_of_python(flags, write, tmp_path):
    program = write("import sys; race(); print(*sys.orig_argv[1:-1])")
    run = run_race(tmp_path, [PYTHON, *flags, program])
    assert run.names() == LOST_UPDATE
    assert run.stdout.split() == flags


def test_commands_and_modules(write, tmp_path):
    write("race()", name="package/__main__.py")
    run = run_race(tmp_path, [PYTHON, "-m", "package"], cwd=tmp_path)
    assert run.names() == LOST_UPDATE
    run = run_race(tmp_path, [PYTHON, "-c", RACE + "race()"])
    assert run.names() == LOST_UPDATE
    run = run_race(tmp_path, [PYTHON, "-"], input=RACE + "race()\n")
    assert run.names() == LOST_UPDATE


def test_pytest(write, tmp_path):
    write("def test_race():\n    race()\n", name="test_app.py")
    for command in ([PYTHON, "-m", "pytest"], ["/usr/bin/pytest"]):
        command = [*command, "-q", "-p", "no:cacheprovider", "test_app.py"]
        run = run_race(tmp_path, command, cwd=tmp_path)
        assert "1 passed" in run.stdout, run.stdout
        assert run.names() == LOST_UPDATE
        assert run.status == FOUND


def test_another_version_is_named(write, tmp_path):
    python = write("exec true", name="bin/python3", head="#!/bin/sh\n", executable=True)
    answer = {"version": "3.12.1", "prefix": str(tmp_path)}
    lines = [f"echo fthreadprof {key} {value.encode().hex()}" for key, value in answer.items()]
    python.write_text("#!/bin/sh\n" + "\n".join(lines))
    program = write("import sys; print(sys.version.split()[0])")
    run = run_race(tmp_path, [python, program])
    assert f"{python} is Python 3.12.1; the command runs under the instrumented" in run.stderr
    assert run.stdout.startswith("3.13.")
    quiet = run_race(tmp_path, [python, program], "-q")
    assert quiet.stderr == "fthreadprof: 0 races, exit status 0\n"


# --- What it leaves behind


def test_nothing_is_left_in_the_temporary_directory(write, tmp_path):
    place = tmp_path / "tmp"
    place.mkdir()
    environment = {**os.environ, "TMPDIR": str(place)}
    program = write("race()")
    run_race(tmp_path, [PYTHON, program], env=environment)
    assert os.listdir(place) == []
    run = run_race(tmp_path, [PYTHON, program], "-v", env=environment)
    kept = re.search(r"the race log is kept in (\S+)", run.stderr)[1]
    assert list(pathlib.Path(kept).rglob("*.racelog"))


def test_coverage():
    run = run_plain("--coverage")
    assert run.returncode == 0
    for operation in ("list.append", "dict.setitem", "attribute.store", "thread_start"):
        assert re.search(rf"^  {re.escape(operation)} +\w", run.stdout, re.MULTILINE), operation
    assert "Not tracked" in run.stdout


def test_every_option_is_documented():
    page = (harness.ROOT / "docs/cli.md").read_text().partition("\n## race\n")[2]
    section = page.partition("\n## ")[0]
    text = harness.run_tool("race", "--help").stdout
    names = re.findall(r"^  (-[-\w,]+)", text, re.MULTILINE)
    options = {name for row in names for name in row.split(",") if name.startswith("--")}
    missing = {name for name in options if f"`{name}" not in section and f"/{name}" not in section}
    assert missing == {"--help"}


# --- Bad input: one sentence, 125, nothing lost


BAD = {
    "a process": (["-p", "1"], "race cannot look at a running process"),
    "level native": (["--level", "native", "--", "true"], "--level native is not supported"),
    "level all": (["--level", "all", "--", "true"], "--level all is not supported"),
    "format": (["-o", "out.pdf", "--", "true"], "race writes .txt, .json, .sarif"),
    "two outputs": (["-o", "a.txt", "-o", "a.txt", "--", "true"], "two outputs"),
    "directory of an output": (["-o", "/nowhere/a.txt", "--", "true"], "/nowhere"),
    "fail-on": (["--fail-on", "info", "--", "true"], "error, warning, note or never"),
    "no command": ([], "give a command behind --"),
    "no such command": (["--", "nosuchcommand"], "no such command on PATH"),
    "no such file": (["--", "./nosuchcommand"], "there is no such file"),
    "python": (["--python", PYTHON, "--", "true"], "is not instrumented"),
    "no python": (["--python", "/nowhere/python", "--", "true"], "there is no such program"),
    "unknown option": (["--speed", "1", "--", "true"], "--speed"),
}


@pytest.mark.parametrize("arguments, message", BAD.values(), ids=BAD)
def test_bad_options(arguments, message):
    run = harness.run_tool("race", *arguments)
    assert run.returncode == harness.FAILED
    assert message in run.stderr
    assert run.stderr.count("\n") == 1 and run.stderr.startswith("fthreadprof: ")
    assert run.stdout == ""


def test_no_compiler(tmp_path):
    environment = {"PATH": "/nowhere", "HOME": str(tmp_path)}
    run = harness.run_tool("race", "--", PYTHON, "-c", "pass", env=environment)
    assert run.returncode == harness.FAILED
    assert "clang" in run.stderr
    assert run.stderr.count("\n") == 1


def test_a_corrupt_log_fails_and_loses_nothing_else(write, tmp_path):
    program = write(
        """
        import os
        race()
        with open(os.environ["FTHREADPROF_RACE_LOG"] + "/1.0.racelog", "wb") as log:
            log.write(b"FTPRACE\\n" + bytes(100))
        """
    )
    run = run_race(tmp_path, [PYTHON, program])
    assert run.status == harness.FAILED
    assert run.report["summary"]["exit_status"] == harness.FAILED
    assert run.names() == LOST_UPDATE
    assert "1.0.racelog" in run.stderr


def test_an_output_that_cannot_be_written_any_more(write, tmp_path):
    directory = tmp_path / "out"
    directory.mkdir()
    program = write(f"import os; race(); os.rmdir({str(directory)!r})")
    run = run_plain("-o", directory / "out.json", "--", PYTHON, program)
    assert run.returncode == harness.FAILED
    kept = re.search(r"the race log is kept in (\S+)", run.stderr)[1]
    assert list(pathlib.Path(kept).rglob("*.racelog"))
    subprocess.run(["rm", "-r", str(pathlib.Path(kept).parent)], check=True)


def test_a_full_disk(write, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    place = tmp_path / "tmp"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", place], check=True)
    try:
        program = write(
            f"""
            import errno
            race()
            try:
                with open({str(place / "filler")!r}, "wb", buffering=0) as filler:
                    while filler.write(bytes(4096)):
                        pass
            except OSError as error:
                assert error.errno == errno.ENOSPC
            """
        )
        environment = {**os.environ, "TMPDIR": str(place)}
        run = run_race(tmp_path, [PYTHON, program], env=environment)
    finally:
        subprocess.run(["umount", place], check=True)
    assert run.status == harness.FAILED
    assert "there is no space left" in run.stderr
    assert run.names() == LOST_UPDATE


def test_locks_that_are_held(write, tmp_path):
    """A condition's lock after a wait too; two locks of one name are told apart."""
    program = write(
        """
        ready = threading.Condition()
        def add(stats, lock):
            with ready:
                ready.wait(0.001)
                with lock:
                    stats.hits += 1
        stats = Stats()
        threads = [threading.Thread(target=add, args=(stats, threading.Lock()))]
        threads.append(threading.Thread(target=take, args=(stats, threading.Lock())))
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        """,
        head=RACE + "def take(stats, lock):\n    with lock: stats.hits -= 1\n",
    )
    run = run_race(tmp_path, [PYTHON, program])
    assert run.names() == LOST_UPDATE
    for race in run.races:
        held = {access["stack"][-1]["function"]: access["locks_held"] for access in race["accesses"]}
        first = next(iter(held))
        numbers = {"add": 1, "take": 2} if first == "add" else {"add": 2, "take": 1}
        assert held == {
            "add": ["ready", f"lock ({numbers['add']})"],
            "take": [f"lock ({numbers['take']})"],
        }
