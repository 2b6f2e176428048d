"""`fthreadprof race` gives the program the packages of the environment that it would have used."""

import functools
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sysconfig

import harness
import pytest
import race_harness
from race_harness import run_race
from test_race_command import LOST_UPDATE, RACE

PYTHON = "/usr/bin/python3"
PIP_TIMEOUT_S = 300


@functools.lru_cache(maxsize=None)
def plain_python():
    """A free-threaded 3.13 that is not instrumented."""
    return harness.run_tool("interpreter", "path", "3.13t").stdout.strip()


class VirtualEnvironment:
    def __init__(self, directory, *options):
        self.path = directory / "a venv"
        subprocess.run(
            [plain_python(), "-m", "venv", *options, self.path], check=True, timeout=PIP_TIMEOUT_S
        )
        self.bin = self.path / "bin"
        self.python = self.bin / "python"
        self.site = self.path / "lib/python3.13t/site-packages"

    def add(self, name, text):
        file = self.site / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def add_script(self, name, text):
        """As pip writes it: the path has a space."""
        script = self.bin / name
        script.write_text(f"#!/bin/sh\n'''exec' \"{self.python}\" \"$0\" \"$@\"\n' '''\n{text}")
        script.chmod(0o755)
        return script

    def pip(self, *arguments):
        command = [self.python, "-m", "pip", "--disable-pip-version-check", *arguments]
        subprocess.run(command, check=True, timeout=PIP_TIMEOUT_S)

    def activated(self):
        """The environment variables of a shell in which it is active."""
        path = f"{self.bin}:{os.environ['PATH']}"
        return {**os.environ, "PATH": path, "VIRTUAL_ENV": str(self.path)}


@pytest.fixture(scope="module")
def venv(tmp_path_factory):
    venv = VirtualEnvironment(tmp_path_factory.mktemp("race"), "--without-pip")
    venv.add("colours.py", "NAME = 'red'\n")
    venv.add("here.pth", f"{venv.path}/elsewhere\nimport os; os.environ['PTH_RAN'] = 'yes'\n")
    (venv.path / "elsewhere").mkdir()
    (venv.path / "elsewhere/shapes.py").write_text("NAME = 'round'\n")
    venv.add_script("paint", f"import sys\nfrom colours import NAME\n{RACE}\nrace()\nprint(NAME)\n")
    return venv


def ask(directory, python, expression, *flags, **keywords):
    """What a program sees under race, as JSON."""
    code = f"import json, os, sys; print(json.dumps({expression}))"
    run = run_race(directory, [python, *flags, "-c", code], **keywords)
    assert run.status == 0, run.stderr
    return json.loads(run.stdout)


def can_import(directory, python, name, *flags, **keywords):
    expression = f"__import__('importlib.util').util.find_spec({name!r}) is not None"
    return ask(directory, python, expression, *flags, **keywords)


def test_packages_of_a_virtual_environment(venv, tmp_path):
    names = "[__import__('colours').NAME, __import__('shapes').NAME, os.environ['PTH_RAN']]"
    assert ask(tmp_path, venv.python, names) == ["red", "round", "yes"]
    assert ask(tmp_path, venv.python, names, "-I") == ["red", "round", "yes"]
    assert ask(tmp_path, "python", names, env=venv.activated()) == ["red", "round", "yes"]


def test_without_site_there_are_none(venv, tmp_path):
    assert can_import(tmp_path, venv.python, "colours")
    assert not can_import(tmp_path, venv.python, "colours", "-S")
    assert not can_import(tmp_path, PYTHON, "colours")


def test_scripts_of_a_virtual_environment(venv, tmp_path):
    for command in ([venv.bin / "paint"], ["paint"], ["bash", "-c", "paint"]):
        run = run_race(tmp_path, command, env=venv.activated())
        assert run.stdout == "red\n", run.stderr
        assert run.names() == LOST_UPDATE


def test_children_have_the_packages_too(venv, tmp_path):
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import colours'], check=True)"
    assert run_race(tmp_path, [venv.python, "-c", code]).status == 0


def test_sys_is_sensible(venv, tmp_path):
    program = tmp_path / "app.py"
    program.write_text(
        "import json, sys; print(json.dumps([sys.path, sys.prefix, sys.executable]))"
    )
    run = run_race(tmp_path, [venv.python, program])
    path, prefix, executable = json.loads(run.stdout)
    assert path[0] == str(tmp_path)
    packages = [directory for directory in path if directory.endswith("site-packages")]
    assert packages == [f"{prefix}/lib/python3.13t/site-packages", str(venv.site)]
    assert path.index(packages[0]) > max(
        index for index, directory in enumerate(path) if "lib-dynload" in directory
    )
    assert os.path.dirname(os.path.dirname(executable)) == prefix
    assert os.path.isfile(f"{prefix}/pyvenv.cfg")


def test_pythonpath(venv, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/colours.py").write_text("NAME = 'mine'\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "mine")}
    name = "__import__('colours').NAME"
    assert ask(tmp_path, venv.python, name, env=environment) == "mine"
    assert ask(tmp_path, venv.python, name, "-E", env=environment) == "red"
    assert ask(tmp_path, venv.python, name, "-I", env=environment) == "red"


def test_user_site(tmp_path):
    environment = {**os.environ, "PYTHONUSERBASE": str(tmp_path / "user")}
    where = [PYTHON, "-c", "import site; print(site.getusersitepackages())"]
    site = pathlib.Path(subprocess.check_output(where, env=environment, text=True).strip())
    site.mkdir(parents=True)
    (site / "of_the_user.py").write_text("")
    for flags, there in (([], True), (["-E"], True), (["-s"], False), (["-I"], False)):
        found = can_import(tmp_path, PYTHON, "of_the_user", *flags, env=environment)
        assert found is there, flags
    without = {**environment, "PYTHONNOUSERSITE": "1"}
    assert not can_import(tmp_path, PYTHON, "of_the_user", env=without)


def test_another_home_of_python_is_no_home(tmp_path):
    environment = {**os.environ, "PYTHONHOME": sysconfig.get_config_var("prefix")}
    assert ask(tmp_path, PYTHON, "sys.version_info[:2]", env=environment) == [3, 13]


def test_a_virtual_environment_of_the_interpreter_itself(tmp_path):
    race_python = race_harness.race_python()
    command = [race_python, "-m", "venv", "--without-pip", tmp_path / "venv"]
    subprocess.run(command, check=True, timeout=60)
    python = tmp_path / "venv/bin/python"
    assert ask(tmp_path, python, "sys.prefix") == str(tmp_path / "venv")


def test_extension_modules_of_the_same_abi_load(venv, tmp_path):
    command = [plain_python(), "-c", "import _statistics; print(_statistics.__file__)"]
    file = subprocess.check_output(command, text=True).strip()
    venv.add("fast/__init__.py", "")
    shutil.copy(file, venv.site / "fast")
    found = ask(tmp_path, venv.python, "__import__('fast._statistics')._statistics.__file__")
    assert found == str(venv.site / "fast" / os.path.basename(file))


def test_a_package_for_another_python_is_named_when_it_is_imported(venv, tmp_path):
    venv.add(
        "slow/__init__.py", "try:\n    from slow import _core\nexcept ImportError:\n    pass\n"
    )
    venv.add("slow/_core.cpython-311-x86_64-linux-gnu.so", "")
    venv.add("Slow_Package-1.0.dist-info/RECORD", "slow/__init__.py,,\n")
    run = run_race(tmp_path, [venv.python, "-c", "import colours"])
    assert "slow" not in run.stderr
    run = run_race(tmp_path, [venv.python, "-c", "import slow"])
    assert run.status == 0
    assert (
        "slow has no build for free-threaded CPython 3.13 (slow._core is built for "
        "cpython-311-x86_64-linux-gnu); install one with: " in run.stderr
    )
    assert run.stderr.count("has no build") == 1
    assert re.search(r"-m pip install --target \S+/site-packages Slow_Package\n", run.stderr)


@pytest.mark.full
def test_pip_and_pytest_from_pypi(tmp_path):
    venv = VirtualEnvironment(tmp_path)
    venv.pip("install", "--quiet", "pytest", "markupsafe")
    tests = tmp_path / "test_app.py"
    tests.write_text(f"{RACE}\ndef test_race():\n    import markupsafe._speedups\n    race()\n")
    for command in ([venv.bin / "pytest"], [venv.python, "-m", "pytest"], ["pytest"]):
        command = [*command, "-q", "-p", "no:cacheprovider", tests]
        run = run_race(tmp_path, command, env=venv.activated())
        assert "1 passed" in run.stdout, run.stdout + run.stderr
        assert run.names() == LOST_UPDATE
        assert "has no build" not in run.stderr


@pytest.mark.full
def test_the_advice_about_another_build_helps(tmp_path):
    venv = VirtualEnvironment(tmp_path)
    other = ["--platform", "manylinux2014_x86_64", "--python-version", "311", "--only-binary=:all:"]
    venv.pip("install", "--quiet", *other, "--target", venv.site, "markupsafe")
    command = [
        venv.python,
        "-c",
        "from markupsafe._speedups import _escape_inner as e; print(e('<'))",
    ]
    run = run_race(tmp_path, command)
    assert run.status == 1
    advice = re.search(r"markupsafe has no build .* install one with: (.*)\n", run.stderr)[1]
    subprocess.run(shlex.split(advice), check=True, timeout=PIP_TIMEOUT_S)
    run = run_race(tmp_path, command)
    assert (run.stdout, run.status) == ("&lt;\n", 0), run.stderr
    assert "has no build" not in run.stderr
