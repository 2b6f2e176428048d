"""Recordings and dumps of free-threaded programs whose GIL is on: since when, and by which import."""

import json
import re
import subprocess

import harness
import pytest
from extension_modules import build_modules

ONE_AT_A_TIME = "threads run Python code one at a time."
OPTION = "PYTHON_GIL=1 or -X gil=1 turned it on"
# Imports when it gets a line, so that a recording has begun; ends at the second line.
PROGRAM = """\
import sys, threading, time, warnings
warnings.simplefilter("ignore")
{before}
def load():
{imports}
def spin():
    while not done:
        pass
done = False
threading.Thread(target=spin, name="spinner").start()
print("ready", flush=True)
sys.stdin.readline()
load()
time.sleep(0.3)
print("loaded", flush=True)
sys.stdin.readline()
done = True
"""


@pytest.fixture(scope="module")
def free_threaded(any_interpreter):
    assert any_interpreter.free_threaded and not any_interpreter.root
    return any_interpreter


@pytest.fixture(scope="module")
def modules(free_threaded, tmp_path_factory):
    return build_modules(free_threaded, tmp_path_factory.mktemp("modules"))


class Program:
    """A running PROGRAM; killed when the `with` block ends."""

    def __init__(self, interpreter, modules, *imports, before="", options=(), **environment):
        self.path = modules / f"program_{len(list(modules.glob('program_*')))}.py"
        body = "\n".join(f"    {line}" for line in imports or ("pass",))
        self.path.write_text(PROGRAM.format(before=before, imports=body))
        self.process = subprocess.Popen(
            interpreter.command(*options, self.path),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**harness.python_environment(interpreter), **environment},
            bufsize=0,
        )
        assert harness.read_line(self.process.stdout.fileno(), 60) == b"ready\n"
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def load(self):
        self.process.stdin.write(b"\n")
        assert harness.read_line(self.process.stdout.fileno(), 60) == b"loaded\n"

    def finish(self):
        self.process.stdin.write(b"\n")
        assert self.process.wait(60) == 0


def wait_until_it_records(recording):
    """A recording file is there from the first sample on."""
    while not recording.exists():
        pass


def record_flip(program, directory, *options, outputs=("out.folded",)):
    """Records the program from before its imports to its end."""
    outputs = (*outputs, "out.ftp")
    recorder = harness.Recorder(directory, "-p", program.pid, *options, outputs=outputs)
    wait_until_it_records(directory / "out.ftp")
    program.load()
    program.finish()
    return recorder.finish()


def gil_of(recording):
    return recording.summary()["gil"]


FLIP = re.compile(
    r"The GIL is ON in this free-threaded build, for [\d.]+% of the time: the import of (\S+) turned "
    r"it on [\d.]+ s into the recording; since then threads run Python code one at a time\."
)


@pytest.fixture(scope="module")
def flipped(free_threaded, modules, tmp_path_factory):
    """The second of two imports in the middle of a recording turns the GIL on."""
    directory = tmp_path_factory.mktemp("flipped")
    outputs = ("out.folded", "out.svg", "out.speedscope.json", "out.gecko.json")
    imports = ("import declares", "import package")
    with Program(free_threaded, modules, *imports, before="import zlib") as program:
        recording = record_flip(program, directory, outputs=outputs)
        return program, recording.check()


def test_the_flip_is_timed_and_the_module_named(flipped, modules):
    program, recording = flipped
    gil = gil_of(recording)
    by = gil["enabled_by"]
    assert (by["module"], by["certain"], by["pid"]) == ("package.inside", True, program.pid)
    duration = recording.summary()["sampling"]["duration_s"]
    assert 0 < gil["enabled_at_s"] < duration
    assert gil["enabled_fraction"] == pytest.approx(1 - gil["enabled_at_s"] / duration, abs=0.2)
    assert not gil["enabled_by_option"]
    assert recording.summary()["target"]["gil_enabled"]
    assert recording.summary()["processes"][0]["gil_enabled_by"] == by


def test_the_import_has_its_stack(flipped, modules):
    program, recording = flipped
    places = [(p["function"], p["file"], p["line"]) for p in gil_of(recording)["enabled_by"]["stack"]]
    lines = program.path.read_text().splitlines()
    assert places == [
        ("<module>", str(program.path), lines.index("load()") + 1),
        ("load", str(program.path), lines.index("    import package") + 1),
        ("<module>", str(modules / "package" / "__init__.py"), 1),
    ]


def test_what_was_newly_imported_is_named(flipped, modules):
    _, recording = flipped
    assert gil_of(recording)["imported"] == [
        {"name": name, "file": str(modules / file), "declares_gil_not_used": declares}
        for name, file, declares in (
            ("declares", "declares.so", True),
            ("package.inside", "package/inside.so", False),
        )
    ]


def test_every_output_says_so_first(flipped):
    _, recording = flipped
    first, imported_by, meanwhile = recording.digest.splitlines()[:3]
    assert FLIP.fullmatch(first)[1] == "package.inside"
    assert re.fullmatch(r"It was imported by <module> \(\S*/package/__init__.py:1\)\.", imported_by)
    assert meanwhile == (
        "Extension modules that were imported until then: declares, package.inside (without the "
        "declaration)."
    )
    svg = recording.read("out.svg")
    assert 0 < svg.index(first) < svg.index("Python 3.")
    for name, heading in (
        ("out.speedscope.json", lambda document: document["name"]),
        ("out.gecko.json", lambda document: document["meta"]["product"]),
    ):
        assert heading(json.loads(recording.read(name))).startswith(first)


def test_a_report_says_the_same(flipped, tmp_path):
    _, recording = flipped
    names = ("out.folded", "out.svg", "out.speedscope.json", "out.gecko.json", "summary.json")
    outputs = [f"-o{tmp_path / name}" for name in names[:-1]]
    summary = f"--summary={tmp_path / names[-1]}"
    result = harness.run_tool("report", recording.directory / "out.ftp", *outputs, summary)
    assert result.returncode == 0
    assert result.stderr == recording.digest.splitlines()[0] + "\n"
    for name in names:
        assert (tmp_path / name).read_bytes() == (recording.directory / name).read_bytes(), name


@pytest.mark.parametrize("options", [(), ("-s",)])
def test_modules_that_declare_it_raise_no_alarm(options, free_threaded, modules, tmp_path):
    imports = ("import declares", "import single_phase_declares", "import _decimal", "import _csv")
    with Program(free_threaded, modules, *imports) as program:
        recording = record_flip(program, tmp_path, "-r", 5000, *options).check()
    assert "GIL is" not in recording.digest and "GIL was" not in recording.digest
    gil = gil_of(recording)
    assert (gil["enabled_by"], gil["enabled_at_s"], gil["imported"]) == (None, None, [])
    assert gil["enabled_fraction"] == 0
    assert not recording.summary()["target"]["gil_enabled"]


@pytest.mark.parametrize("options, env", [(("-X", "gil=1"), {}), ((), {"PYTHON_GIL": "1"})])
def test_an_option_turned_it_on(options, env, free_threaded, modules, tmp_path):
    """No module is to blame, not even one that would have done it."""
    before = "import says_nothing"
    with Program(free_threaded, modules, before=before, options=options, **env) as program:
        recording = record_flip(program, tmp_path).check()
        expected = f"The GIL is ON in this free-threaded build: {OPTION}; {ONE_AT_A_TIME}"
    assert recording.digest.splitlines()[0] == expected
    gil = gil_of(recording)
    assert gil["enabled_by_option"] and gil["enabled_by"] is None
    assert gil["enabled_at_s"] is None and gil["imported"] == []
    assert gil["enabled_fraction"] == 1


def test_an_option_of_a_command_that_we_launch(free_threaded, tmp_path):
    command = free_threaded.command("-X", "gil=1", "-c", "import time; time.sleep(0.3)")
    recording = harness.record_command(tmp_path, free_threaded, command).check()
    assert OPTION in recording.digest.splitlines()[0]
    assert gil_of(recording)["enabled_at_s"] is None


def test_it_was_on_when_we_came(free_threaded, modules, tmp_path):
    with Program(free_threaded, modules, before="import says_nothing") as program:
        recording = record_flip(program, tmp_path).check()
    assert recording.digest.splitlines()[:2] == [
        "The GIL is ON in this free-threaded build: the import of says_nothing turned it on; "
        + ONE_AT_A_TIME,
        "The import itself was not seen: it was over when the recording began.",
    ]
    gil = gil_of(recording)
    assert (gil["enabled_by"]["module"], gil["enabled_by"]["certain"]) == ("says_nothing", True)
    assert gil["enabled_by"]["stack"] is None and gil["enabled_at_s"] is None


def test_an_import_that_failed_is_to_blame_and_no_later_one(free_threaded, modules, tmp_path):
    imports = ("try: import slow_and_fails", "except ImportError: pass", "time.sleep(2.5)")
    with Program(free_threaded, modules, *imports, "import says_nothing") as program:
        recording = record_flip(program, tmp_path).check()
    assert gil_of(recording)["enabled_by"]["module"] == "slow_and_fails"
    assert "import of slow_and_fails turned it on " in recording.digest


def test_the_process_of_a_tree_is_named(free_threaded, modules, tmp_path):
    """The parent's GIL stays off."""
    (modules / "child.py").write_text("import time\nimport says_nothing\ntime.sleep(0.5)\n")
    (modules / "parent.py").write_text(
        "import subprocess, sys\nsubprocess.check_call([sys.executable, sys.argv[1]])\n"
    )
    command = free_threaded.command(modules / "parent.py", modules / "child.py")
    recording = harness.record_command(tmp_path, free_threaded, command, "-s")
    assert recording.status == 0
    parent, child = recording.summary()["processes"]
    assert (parent["gil_enabled"], parent["gil_enabled_by"]) == (False, None)
    assert child["gil_enabled"] and child["gil_enabled_by"]["module"] == "says_nothing"
    assert gil_of(recording)["enabled_by"]["pid"] == child["pid"]
    assert recording.digest.startswith(
        "The GIL is ON in 1 of 2 processes of free-threaded builds: in them threads run Python code "
        f"one at a time. In process {child['pid']} the import of says_nothing turned it on"
    )


def test_a_dump_says_so_first(free_threaded, modules):
    with Program(free_threaded, modules, "import says_nothing") as program:
        assert harness.run_tool("dump", "-p", program.pid).stdout.startswith("Process ")
        program.load()
        text = harness.run_tool("dump", "-p", program.pid)
        document = json.loads(harness.run_tool("dump", "-p", program.pid, "--json").stdout)
    expected = "The GIL is ON in this free-threaded build: the import of says_nothing turned it on."
    assert text.returncode == 0
    assert text.stdout.splitlines()[0] == expected
    blamed = document["process"]["gil_enabled_by"]
    assert blamed == {"module": "says_nothing", "certain": True}


def test_a_dump_blames_no_module_for_an_option(free_threaded, modules):
    with Program(free_threaded, modules, options=("-X", "gil=1")) as program:
        text = harness.run_tool("dump", "-p", program.pid).stdout
    assert text.startswith(f"The GIL is ON in this free-threaded build: {OPTION}.\n")
