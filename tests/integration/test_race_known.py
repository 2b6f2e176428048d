"""Races of real releases that somebody reported: tests/race/known has a program for each."""

import dataclasses
import os
import re
import shlex

import harness
import pytest
import race_harness
from test_race_packages import VirtualEnvironment

KNOWN = harness.ROOT / "tests" / "race" / "known"
TRIES = 5  # of programs whose threads may be too quick for each other

_DIRECTIVE = re.compile(r"# (requires|options): (.+)")


@dataclasses.dataclass(frozen=True)
class Known:
    """A program of tests/race/known; the README of tests/race says what the comments at its top mean."""

    program: race_harness.Program
    requires: tuple = ()
    options: tuple = ()

    def is_met(self, run):
        found = {(kind, name.partition("[")[0]) for kind, name in run.names()}
        return all(choices & found for choices in self.program.expected)


def read_known(path):
    fields = dict(_DIRECTIVE.findall(path.read_text(encoding="utf-8")))
    return Known(
        race_harness.read_program(path),
        tuple(shlex.split(fields.get("requires", ""))),
        tuple(shlex.split(fields.get("options", ""))),
    )


ALL = [read_known(path) for path in sorted(KNOWN.glob("*.py"))]


def name_of(known):
    return known.program.name


@pytest.fixture(scope="module")
def venv(tmp_path_factory):
    """Has what the programs require."""
    venv = VirtualEnvironment(tmp_path_factory.mktemp("known"))
    venv.pip("install", "--quiet", *sorted({name for known in ALL for name in known.requires}))
    return venv


def check_is_found(known, python, directory):
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    for _ in range(TRIES):
        run = race_harness.run_race(
            directory, [python, known.program.path], *known.options, env=environment
        )
        assert run.stdout == "done\n", run.stderr
        if known.is_met(run):
            assert run.status == race_harness.FOUND
            return
    pytest.fail(f"found only {run.names()}\n{run.stderr}")


def test_every_program_says_what_is_to_be_found():
    assert len(ALL) >= 8
    assert all(known.program.expected for known in ALL)


@pytest.mark.parametrize("known", [k for k in ALL if not k.requires], ids=name_of)
def test_race_of_the_standard_library_is_found(known, tmp_path):
    check_is_found(known, "python3", tmp_path)


@pytest.mark.full
@pytest.mark.parametrize("known", [k for k in ALL if k.requires], ids=name_of)
def test_race_of_a_package_is_found(known, venv, tmp_path):
    check_is_found(known, venv.python, tmp_path)
