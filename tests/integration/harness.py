"""Finds interpreters, runs targets on them, and runs `fthreadprof record`.

Nothing here sleeps: a target says "ready", a recording ends by its duration, a signal or the target.
"""

import contextlib
import json
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, replace

from stacks import parse_collapsed

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGETS = ROOT / "tests" / "targets"
BINARY = os.environ.get("FTHREADPROF_BINARY", str(ROOT / "build/release/fthreadprof"))
WANTED_KINDS = ("3.13t", "3.14t", "3.15t", "3.13", "3.14", "3.15")
NOBODY = 65534
FAILED = 125  # exit status when the tool itself fails


@dataclass(frozen=True)
class Interpreter:
    version: str
    free_threaded: bool
    executable: str  # inside of `root`
    root: str = ""  # runs by `chroot ROOT`, in a mount namespace of its own
    shared: bool = False
    environment: tuple = ()  # of (name, value)

    @contextlib.contextmanager
    def for_everybody(self):
        """The interpreter under a path that any user may go; in a root every path is one."""
        if self.root:
            yield self
            return
        facts = json.loads(_output(self.command("-c", _ASK_FOR_FILES)))
        directory = self.make_directory()
        subprocess.run(["mount", "--bind", facts["prefix"], directory], check=True)
        try:
            inside = os.path.relpath(
                os.path.realpath(self.executable), os.path.realpath(facts["prefix"])
            )
            environment = {"PYTHONHOME": directory, "LD_LIBRARY_PATH": f"{directory}/lib"}
            executable = os.path.join(directory, inside)
            yield replace(self, executable=executable, environment=tuple(environment.items()))
        finally:
            # A target that was just killed may hold it for another moment.
            subprocess.run(["umount", "--lazy", directory], check=True)
            os.rmdir(directory)

    @property
    def kind(self):
        return ".".join(self.version.split(".")[:2]) + "t" * self.free_threaded

    def outside(self, path):
        """A path inside of the root as this process sees it."""
        return self.root + path

    def command(self, *arguments, user=None):
        """The command line that runs the interpreter; `user` is a numeric id to run it as."""
        if self.root:
            ids = [f"--userspec={user}:{user}", "--groups="] if user else []
            # Targets ask /proc how long they waited for a CPU.
            with_proc = 'mount -t proc proc "$1/proc"; shift; exec "$@"'
            enter = ["unshare", "--mount", "sh", "-c", with_proc, "sh", self.root]
            enter += ["chroot", *ids, self.root]
        else:
            enter = as_user(user)
        return [*enter, self.executable, *map(str, arguments)]

    def make_directory(self):
        """A new directory that the interpreter sees, as it sees it; the caller removes it."""
        path = tempfile.mkdtemp(prefix="fthreadprof-test-", dir=self.outside("/tmp"))
        os.chmod(path, 0o755)
        return path[len(self.root) :]

    def copy_to(self, directory, strip=False):
        """A copy of the executable (and of a shared libpython) in `directory`."""
        facts = json.loads(_output(self.command("-c", _ASK_FOR_FILES)))
        environment = {"PYTHONHOME": facts["prefix"]}
        files = [self.executable]
        if self.shared:
            files.append(facts["library"])
            environment["LD_LIBRARY_PATH"] = directory
        for file in files:
            copy = os.path.join(self.outside(directory), os.path.basename(file))
            shutil.copy2(os.path.realpath(self.outside(file)), copy)
            if strip:
                subprocess.run(["strip", "--strip-all", copy], check=True)
        executable = os.path.join(directory, os.path.basename(self.executable))
        return replace(self, executable=executable, environment=tuple(environment.items()))


_ASK = """import json, sys, sysconfig
v = sys.version_info
free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
print(json.dumps({"version": "%d.%d.%d" % v[:3], "free_threaded": free_threaded}))"""

_ASK_FOR_FILES = """import json, os, sys, sysconfig as s
library = os.path.join(s.get_config_var("LIBDIR"), s.get_config_var("INSTSONAME") or "")
print(json.dumps({"prefix": sys.base_prefix, "library": library}))"""


def as_user(user):
    ids = [f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    return ["setpriv", *ids] if user else []


def _output(command):
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def _identify(executable, root=""):
    facts = json.loads(_output(Interpreter("", False, executable, root).command("-c", _ASK)))
    shared = "[libpython" in _output(["readelf", "--dynamic", root + executable])
    return Interpreter(facts["version"], facts["free_threaded"], executable, root, shared)


def find_interpreters():
    """All interpreters to test: those of FTHREADPROF_TEST_PYTHONS (a colon list of EXECUTABLE or
    ROOT!EXECUTABLE), else those that `fthreadprof interpreter list` finds."""
    listed = os.environ.get("FTHREADPROF_TEST_PYTHONS")
    if listed:
        pairs = [entry.rpartition("!") for entry in listed.split(":")]
        return [_identify(executable, root) for root, _, executable in pairs]
    found = []
    for entry in json.loads(_output([BINARY, "interpreter", "list", "--json"])):
        if entry["flavor"] != "release":
            continue
        root, executable = entry["root"] or "", entry["executable"]
        executable = executable.removeprefix(root)  # the list names it as seen from outside
        found.append(_identify(executable, root))
    return found


def one_of_each_kind(interpreters):
    """The newest of each minor version and build, static before shared, free-threaded first."""
    best = {}
    for interpreter in interpreters:
        rank = ([int(n) for n in interpreter.version.split(".")], not interpreter.shared)
        best[interpreter.kind] = max(
            best.get(interpreter.kind, (rank, interpreter)), (rank, interpreter), key=lambda b: b[0]
        )
    kinds = [interpreter for _, interpreter in best.values()]
    return sorted(kinds, key=lambda i: (not i.free_threaded, int(i.version.split(".")[1])))


_copies = {}  # root -> directory with the targets, inside of it


def targets_for(interpreter, user=None):
    """The directory of the targets as the interpreter sees it, readable by the user."""
    if not interpreter.root and not user:
        return str(TARGETS)
    if interpreter.root not in _copies:
        directory = interpreter.make_directory()
        shutil.copytree(TARGETS, interpreter.outside(directory), dirs_exist_ok=True)
        os.chmod(interpreter.outside(directory), 0o755)
        _copies[interpreter.root] = directory
    return _copies[interpreter.root]


def remove_copies():
    for root, directory in _copies.items():
        shutil.rmtree(root + directory, ignore_errors=True)
    _copies.clear()


def python_environment(interpreter):
    return {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **dict(interpreter.environment)}


def script(interpreter, name, *arguments, user=None):
    """The arguments that make the interpreter run a target."""
    return [f"{targets_for(interpreter, user)}/{name}", *map(str, arguments)]


class Target:
    """A target program that has said "ready"; killed when the `with` block ends.

    pid: of Python, as we see it. facts: what it said. wrapper: a command line to run it under.
    """

    def __init__(self, interpreter, name, *arguments, wrapper=(), user=None):
        self._errors = tempfile.TemporaryFile()
        command = interpreter.command(*script(interpreter, name, *arguments, user=user), user=user)
        self._process = subprocess.Popen(
            [*wrapper, *command],
            stdout=subprocess.PIPE,
            stderr=self._errors,
            stdin=subprocess.DEVNULL,
            bufsize=0,
            env=python_environment(interpreter),
        )
        self.pid = self._process.pid
        line = read_line(self._process.stdout.fileno(), 60)
        if not line.startswith(b"ready "):
            self.kill()
            self._errors.seek(0)
            raise AssertionError(f"{command} is not ready: {line!r} {self._errors.read().decode()}")
        self.facts = json.loads(line[len(b"ready ") :])
        if wrapper:
            self.pid = _innermost_child(self.pid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def is_alive(self):
        return self._process.poll() is None

    def status(self, field):
        """A field of /proc/PID/status."""
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return line.split(":")[1].strip()
        raise KeyError(field)

    def stop(self):
        """Asks the target to finish; returns the truth that it prints, if any."""
        os.kill(self.pid, signal.SIGTERM)
        out, _ = self._process.communicate(timeout=60)
        assert self._process.returncode == 0, f"target: exit status {self._process.returncode}"
        return json.loads(out) if out else {}

    def wait(self):
        """Its exit status; it must be about to end."""
        return self._process.wait(timeout=60)

    def kill(self):
        if self._process.poll() is None:
            for pid in (self.pid, self._process.pid):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        self._process.wait()
        self._process.stdout.close()


def read_line(fd, timeout):
    """A line, or what came before the end of the file or the timeout (seconds)."""
    line, deadline = bytearray(), time.monotonic() + timeout
    while not line.endswith(b"\n"):
        readable, _, _ = select.select([fd], [], [], max(0, deadline - time.monotonic()))
        piece = os.read(fd, 1 << 16) if readable else b""
        if not piece:
            break
        line += piece
    return bytes(line)


def _innermost_child(pid):
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return _innermost_child(int(children[0])) if children else pid


DIGEST = re.compile(
    r"^(The GIL (is|was) ON .*\n((It was imported|The import itself) .*\n)?(Extension modules .*\n)?)?"
    r"\d+ threads?( in \d+ processes)?(, [\d.]+ effective cores)?\. .*\n((?!fthreadprof: ).*\n)*",
    re.M,
)


@dataclass
class Recording:
    """A finished run of `fthreadprof record`."""

    status: int
    stdout: str
    stderr: str  # without the digest
    directory: pathlib.Path
    digest: str = ""

    def __post_init__(self):
        if found := DIGEST.search(self.stderr):
            self.digest = found.group()
            self.stderr = self.stderr[: found.start()] + self.stderr[found.end() :]

    def read(self, name):
        return (self.directory / name).read_text(encoding="utf-8")

    def stacks(self, name="out.folded"):
        return parse_collapsed(self.read(name))

    def summary(self):
        return json.loads(self.read("summary.json"))

    def check(self):
        """Asserts that the recording succeeded and said nothing but the digest, as it does when piped."""
        assert self.status == 0, self.stderr
        assert self.stderr == ""
        return self


class Recorder:
    """A running `fthreadprof record` with the outputs out.folded and summary.json in `directory`."""

    def __init__(
        self, directory, *arguments, wrapper=(), outputs=("out.folded",), stderr=None, env=None
    ):
        self.directory = pathlib.Path(directory)
        options = [f"-o{self.directory / name}" for name in outputs]
        options.append(f"--summary={self.directory / 'summary.json'}")
        self.process = subprocess.Popen(
            [*wrapper, BINARY, "record", *options, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if stderr is None else stderr,
            stdin=subprocess.DEVNULL,
            text=True,
            env=env,
        )

    def finish(self, timeout=60):
        """Waits for the end; a recording that hangs fails the test."""
        try:
            out, errors = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise AssertionError(f"no end after {timeout} s: {self.process.args}") from None
        return Recording(self.process.returncode, out, errors or "", self.directory)


def record(directory, *arguments, timeout=60, **keywords):
    return Recorder(directory, *arguments, **keywords).finish(timeout)


def record_command(directory, interpreter, command, *options, **keywords):
    """Launches `command` (a list) under record, with the environment that the interpreter needs."""
    env = python_environment(interpreter)
    return record(directory, *options, "--", *command, env=env, **keywords)


def run_tool(*arguments, wrapper=(), timeout=30, **keywords):
    """Runs fthreadprof with exactly these arguments."""
    command = [*wrapper, BINARY, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, **keywords)
