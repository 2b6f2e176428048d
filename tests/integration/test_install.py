"""`cmake --install` into a bare directory: the program there works by the files that came with it."""

import os
import pathlib
import shutil
import subprocess

import harness
import pytest
from race_harness import FOUND, race_python

BUILD = pathlib.Path(harness.BINARY).parent
RACE = """
import threading
class Stats:
    hits = 0
def serve():
    for _ in range(20):
        Stats.hits += 1
threads = [threading.Thread(target=serve) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    directory = tmp_path_factory.mktemp("installed")
    if not (BUILD / "reference").exists():
        subprocess.run(["cmake", "--build", BUILD, "--target", "reference"], check=True)
    install = ["cmake", "--install", BUILD, "--component", "runtime", "--prefix", directory]
    subprocess.run(install, check=True, capture_output=True)
    return directory


def run(prefix, *arguments, **environment):
    kept = {name: value for name, value in os.environ.items() if name != "FTHREADPROF_RESOURCES"}
    return subprocess.run(
        list(map(str, [prefix / "bin/fthreadprof", *arguments])),
        capture_output=True,
        text=True,
        timeout=300,
        env={**kept, **environment},
    )


def test_race_finds_races(prefix, tmp_path):
    race_python()  # built by the same files: the installed program finds it in the cache
    (tmp_path / "app.py").write_text(RACE)
    result = run(prefix, "race", "--", "/usr/bin/python3", tmp_path / "app.py")
    assert result.returncode == FOUND, result.stderr
    assert "Stats.hits" in result.stderr and "building" not in result.stderr


def test_race_uses_the_installed_files(prefix):
    """Not those of the build, where there are any: a table that is only here is listed."""
    race_python()
    tables = prefix / "share/fthreadprof/cpython"
    shutil.copy(tables / "3.13.table", tables / "9.9.table")
    try:
        result = run(prefix, "race", "--coverage")
    finally:
        (tables / "9.9.table").unlink()
    assert result.returncode == 0, result.stderr
    assert "9.9 (" in result.stdout


def test_what_race_needs_in_addition_is_named(prefix, tmp_path):
    (tmp_path / "bin").mkdir()
    for name in ("sh", "env", "python3"):
        (tmp_path / "bin" / name).symlink_to(pathlib.Path("/usr/bin") / name)
    path = str(tmp_path / "bin")
    result = run(prefix, "race", "--", "python3", "-c", "", PATH=path, CC="")
    assert result.returncode == harness.FAILED
    assert result.stderr.count("\n") == 1 and "apt-get install clang-19" in result.stderr


def test_man_pages_and_completion_are_there(prefix):
    for name in (
        "man/man1/fthreadprof-record.1",
        "bash-completion/completions/fthreadprof",
        "zsh/site-functions/_fthreadprof",
    ):
        assert (prefix / "share" / name).stat().st_size > 0
    assert list((prefix / "share/fish").rglob("fthreadprof.fish"))
