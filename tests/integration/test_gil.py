"""`fthreadprof gil`: which import turned the GIL on, with real extension modules."""

import json
import subprocess

import pytest

import harness
from extension_modules import build_modules, install_wheels

# A program that goes on for long enough to be looked at; what comes last is its exit status.
PROGRAM = """\
import sys, time, warnings
warnings.simplefilter("ignore")
def load():
{imports}
load()
print("ready {{}}", flush=True)
time.sleep({seconds})
sys.exit(7)
"""


@pytest.fixture(scope="module")
def free_threaded(any_interpreter):
    assert any_interpreter.free_threaded and not any_interpreter.root
    return any_interpreter


@pytest.fixture(scope="module")
def modules(free_threaded, tmp_path_factory):
    """A directory with all modules, and some of them in a package."""
    return build_modules(free_threaded, tmp_path_factory.mktemp("modules"))


class Answer:
    def __init__(self, result, path):
        self.status, self.stdout, self.stderr = result.returncode, result.stdout, result.stderr
        self.json = json.loads(path.read_text()) if path.exists() else None

    def undeclared(self):
        return [m["name"] for m in self.json["modules"] if not m["declares_gil_not_used"]]


def write_program(modules, tmp_path, *imports, seconds=0.5):
    lines = "\n".join(f"    {line}" for line in imports)
    program = modules / f"{tmp_path.name}.py"
    program.write_text(PROGRAM.format(imports=lines, seconds=seconds))
    return program


def ask(free_threaded, program, tmp_path, **environment):
    path = tmp_path / "gil.json"
    command = free_threaded.command(program)
    env = {**harness.python_environment(free_threaded), **environment}
    result = harness.run_tool("gil", "--json", path, "--", *command, env=env)
    return Answer(result, path)


def test_off(free_threaded, modules, tmp_path):
    imports = ("import declares", "import single_phase_declares", "import json")
    program = write_program(modules, tmp_path, *imports)
    answer = ask(free_threaded, program, tmp_path)
    assert answer.status == 7, answer.stderr
    assert answer.stdout == "ready {}\n"
    assert answer.stderr.startswith(f"The GIL is off (Python {free_threaded.version}, free-threaded)")
    assert not answer.json["gil_is_on"] and answer.json["enabled_by"] is None
    assert answer.undeclared() == []
    files = {m["name"]: m["file"] for m in answer.json["modules"]}
    assert files["declares"] == str(modules / "declares.so")
    assert files["sys"] is None


@pytest.mark.parametrize("name", ["says_nothing", "needs_it", "single_phase"])
def test_the_module_is_named(name, free_threaded, modules, tmp_path):
    program = write_program(modules, tmp_path, "import declares", f"import {name}")
    answer = ask(free_threaded, program, tmp_path)
    assert answer.status == 3
    assert answer.stderr.startswith(f"The GIL is ON: the import of {name} turned it on")
    assert answer.json["gil_is_on"]
    assert answer.json["enabled_by"]["module"] == name
    assert answer.json["enabled_by"]["certain"]
    assert answer.undeclared() == [name]


def test_the_stack_of_the_import(free_threaded, modules, tmp_path):
    program = write_program(modules, tmp_path, "import declares", "import package")
    answer = ask(free_threaded, program, tmp_path)
    assert "Look for a newer release of package, or" in answer.stderr
    blamed = answer.json["enabled_by"]
    assert blamed["module"] == "package.inside" and blamed["certain"]
    stack = [(place["function"], place["file"], place["line"]) for place in blamed["stack"]]
    assert stack == [
        ("<module>", str(program), 6),
        ("load", str(program), 5),
        ("<module>", str(modules / "package" / "__init__.py"), 1),
    ]


def test_the_first_of_several_did_it(free_threaded, modules, tmp_path):
    imports = ("import single_phase", "import says_nothing")
    answer = ask(free_threaded, write_program(modules, tmp_path, *imports), tmp_path)
    assert answer.json["enabled_by"]["module"] == "single_phase"
    assert answer.undeclared() == ["single_phase", "says_nothing"]


def test_an_import_that_fails_leaves_the_gil_on(free_threaded, modules, tmp_path):
    imports = ("try: import fails", "except ImportError: pass")
    answer = ask(free_threaded, write_program(modules, tmp_path, *imports), tmp_path)
    assert answer.status == 3
    assert answer.undeclared() == []
    blamed = answer.json["enabled_by"]
    assert blamed is None or (blamed["module"], blamed["certain"]) == ("fails", False)


def test_options_of_python_overrule_modules(free_threaded, modules, tmp_path):
    program = write_program(modules, tmp_path, "import says_nothing")
    off = ask(free_threaded, program, tmp_path, PYTHON_GIL="0")
    assert off.status == 7
    assert off.undeclared() == ["says_nothing"] and "keeps the GIL off" in off.stderr
    # No module is to blame, not even one that would have done it.
    on = ask(free_threaded, program, tmp_path, PYTHON_GIL="1")
    assert on.status == 3 and on.json["enabled_by"] is None
    assert on.json["turned_on_after_s"] is None and on.undeclared() == ["says_nothing"]
    assert "PYTHON_GIL=1 or -X gil=1" in on.stderr


@pytest.mark.parametrize("name, status", [("says_nothing", 3), ("declares", 0)])
def test_a_running_process(name, status, free_threaded, modules, tmp_path):
    program = write_program(modules, tmp_path, f"import {name}", seconds=30)
    with subprocess.Popen(free_threaded.command(program), stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready {}\n"
        result = harness.run_tool("gil", "-p", process.pid)
        process.kill()
    assert result.returncode == status and result.stderr == ""
    assert result.stdout.startswith("The GIL is ON: the import of" if status else "The GIL is off")
    assert name in result.stdout


# sys.modules is too large to be read: as if it changed at each look.
CROWD = "for i in range(70_000): sys.modules[f'x{i}'] = None"
LEAVE = "for i in range(70_000): sys.modules.popitem()"


def look_at(free_threaded, program, tmp_path):
    with subprocess.Popen(free_threaded.command(program), stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready {}\n"
        result = harness.run_tool("gil", "-p", process.pid, "--json", tmp_path / "gil.json")
        process.kill()
    assert result.stderr == ""
    return Answer(result, tmp_path / "gil.json")


@pytest.mark.parametrize("name, status", [("says_nothing", 3), ("declares", 0)])
def test_modules_that_change_are_read_again(name, status, free_threaded, modules, tmp_path):
    program = write_program(modules, tmp_path, f"import {name}", CROWD, seconds=0.3)
    with program.open("r+") as file:
        lines = file.read().replace("sys.exit(7)", f"{LEAVE}\ntime.sleep(30)")
        file.seek(0)
        file.write(lines)
    answer = look_at(free_threaded, program, tmp_path)
    assert answer.status == status
    assert answer.stdout.startswith("The GIL is ON: the import of says" if status else "The GIL is off")
    assert name in [m["name"] for m in answer.json["modules"]]


@pytest.mark.parametrize("name, status", [("says_nothing", 3), ("declares", 0)])
def test_modules_that_cannot_be_read_are_no_finding(name, status, free_threaded, modules, tmp_path):
    program = write_program(modules, tmp_path, f"import {name}", CROWD, seconds=30)
    answer = look_at(free_threaded, program, tmp_path)
    assert answer.status == status
    first = "The GIL is ON; what turned it on could not be read, for" if status else "The GIL is off"
    assert answer.stdout.startswith(first)
    assert "The extension modules could not be read" in answer.stdout
    assert answer.stdout.count("\n") == 2 and answer.json["enabled_by"] is None


def test_nobody_is_acquitted_before_the_options_are_known(free_threaded, modules, tmp_path):
    program = write_program(modules, tmp_path, "import says_nothing", "del sys.flags", seconds=30)
    answer = look_at(free_threaded, program, tmp_path)
    assert answer.status == 3 and answer.json["enabled_by"] is None
    assert answer.stdout.startswith("The GIL is ON; what turned it on could not be read, for")
    assert answer.undeclared() == ["says_nothing"]


def test_a_launcher_that_executes_python(free_threaded, modules, tmp_path):
    program = write_program(modules, tmp_path, "import says_nothing")
    command = ["sh", "-c", 'exec "$@"', "sh", *free_threaded.command(program)]
    result = harness.run_tool("gil", "--", *command)
    assert result.returncode == 3 and "import of says_nothing" in result.stderr


@pytest.fixture(scope="module")
def of_the_registry(tmp_path_factory):
    """Free-threaded 3.13, and a directory with the wheels for it."""
    kinds = (i for i in harness.find_interpreters() if i.kind == "3.13t" and not i.root)
    interpreter = next(kinds, None) or pytest.fail("there is no free-threaded 3.13")
    return interpreter, install_wheels(interpreter, tmp_path_factory.mktemp("wheels"))


def test_a_wheel_that_declares_it(of_the_registry, tmp_path):
    interpreter, wheels = of_the_registry
    program = write_program(wheels, tmp_path, "import markupsafe._speedups")
    answer = ask(interpreter, program, tmp_path)
    assert answer.status == 7, answer.stderr
    assert answer.undeclared() == [] and answer.json["enabled_by"] is None
    (module,) = [m for m in answer.json["modules"] if m["name"] == "markupsafe._speedups"]
    assert module["declares_gil_not_used"] and module["file"].startswith(str(wheels))
    assert "declares it      markupsafe._speedups  (" in answer.stderr


def test_a_wheel_without_the_declaration(of_the_registry, tmp_path):
    interpreter, wheels = of_the_registry
    program = write_program(wheels, tmp_path, "import markupsafe._speedups", "import greenlet")
    for _ in range(10):  # its import takes a millisecond: on a busy machine it may go unseen
        answer = ask(interpreter, program, tmp_path)
        if answer.json["enabled_by"]["stack"]:
            break
    assert answer.status == 3
    assert answer.stderr.startswith("The GIL is ON: the import of greenlet._greenlet turned it on")
    blamed = answer.json["enabled_by"]
    assert (blamed["module"], blamed["certain"]) == ("greenlet._greenlet", True)
    # What it imports in its turn says nothing either.
    assert answer.undeclared()[0] == "greenlet._greenlet"
    assert [place["function"] for place in blamed["stack"]] == ["<module>", "load", "<module>"]
    assert blamed["stack"][-1]["file"] == str(wheels / "greenlet/__init__.py")


def test_a_recording_of_a_wheel_without_the_declaration(of_the_registry, tmp_path):
    interpreter, wheels = of_the_registry
    program = write_program(wheels, tmp_path, "import markupsafe._speedups", "import greenlet")
    recording = harness.record_command(tmp_path, interpreter, interpreter.command(program))
    assert recording.status == 7
    assert "the import of greenlet._greenlet turned it on" in recording.digest.splitlines()[0]
    gil = recording.summary()["gil"]
    assert (gil["enabled_by"]["module"], gil["enabled_by"]["certain"]) == ("greenlet._greenlet", True)
    declared = {m["name"]: m["declares_gil_not_used"] for m in gil["imported"]}
    assert declared["markupsafe._speedups"] and not declared["greenlet._greenlet"]


def test_a_build_with_the_gil():
    interpreter = next(i for i in harness.find_interpreters() if not i.free_threaded)
    with harness.Target(interpreter, "spin.py") as target:
        result = harness.run_tool("gil", "-p", target.pid)
    assert result.returncode == harness.FAILED
    assert "a build that always has its GIL" in result.stderr and result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments, said",
    [
        ((), "give either a process with -p PID, or a command"),
        (("-p", "1", "--", "true"), "give either a process with -p PID, or a command"),
        (("--", "sleep", "0.3"), "is not Python"),
        (("--", "true"), "Python"),  # it is not, or had ended before that was seen
        (("--", "/nonexistent"), "nonexistent"),
        (("-p", "999999999"), "no process"),
    ],
)
def test_bad_input_is_one_sentence(arguments, said):
    result = harness.run_tool("gil", *arguments)
    assert result.returncode == harness.FAILED
    assert said in result.stderr and result.stderr.count("\n") == 1
