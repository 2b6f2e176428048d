"""Every program of tests/race/programs under `fthreadprof race`: what is racy is found, what is clean is
silent, and what relies on one source of order is reported without it."""

import os
import re

import harness
import pytest
import race_harness

PROGRAMS = race_harness.find_programs()
RACY = [program for program in PROGRAMS if not program.is_clean]
CLEAN = [program for program in PROGRAMS if program.is_clean]
EDGES = [(program, edge) for program in PROGRAMS for edge in program.edges]
REPETITIONS = 10
TRIES = 3  # where threads may happen to be ordered by what is not the program's


def name_of(program):
    return program.name


def run_program(program, directory, *options, edge=None):
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    if edge:
        environment["FTHREADPROF_RACE_DISABLE"] = edge
    run = race_harness.run_race(directory, ["python3", program.path], *options, env=environment)
    assert run.status != harness.FAILED, run.stderr
    return run


def check_racy(program, directory):
    check_racy_run(program, run_program(program, directory))


def check_racy_run(program, run):
    assert not program.missing(run), f"found only {run.names()}\n{run.stderr}"
    assert not program.unexpected(run, "error", "warning")
    found_worse_than_note = bool(run.names("error", "warning"))
    assert run.status == (race_harness.FOUND if found_worse_than_note else 0), run.stderr
    assert found_worse_than_note or not program.fails
    assert run.report["summary"]["exit_status"] == run.status


def check_clean(program, directory):
    run = run_program(program, directory, "--fail-on", "note")
    assert run.races == [], run.races
    assert run.status == 0, run.stderr
    assert run.report["summary"]["exit_status"] == 0


@pytest.mark.parametrize("program", RACY, ids=name_of)
def test_racy_program_is_reported(program, tmp_path):
    for _ in range(TRIES):
        run = run_program(program, tmp_path)
        if not program.missing(run):
            break
    check_racy_run(program, run)


@pytest.mark.parametrize("program", CLEAN, ids=name_of)
def test_clean_program_is_silent(program, tmp_path):
    check_clean(program, tmp_path)


@pytest.mark.full
@pytest.mark.parametrize("program", PROGRAMS, ids=name_of)
def test_ten_of_ten(program, tmp_path):
    check = check_clean if program.is_clean else check_racy
    for number in range(REPETITIONS):
        directory = tmp_path / str(number)
        directory.mkdir()
        check(program, directory)


@pytest.mark.parametrize("program, edge", EDGES, ids=lambda value: getattr(value, "name", value))
def test_without_its_edge_it_is_reported(program, edge, tmp_path):
    for _ in range(TRIES):
        run = run_program(program, tmp_path, "--fail-on", "note", edge=edge)
        if run.races:
            break
    assert program.unexpected(run, "error", "warning", "note"), run.names()
    assert run.status == race_harness.FOUND


def edges_of_the_runtime():
    text = (harness.ROOT / "instrument/runtime/tracking.cc").read_text()
    return set(re.findall(r'"(\w+)"', re.search(r"kEdgeNames\[\] = \{(.*?)\}", text, re.DOTALL)[1]))


def test_every_edge_has_a_program():
    assert {edge for _, edge in EDGES} == edges_of_the_runtime()


def test_every_program_of_an_edge_has_a_racy_twin():
    """It has the same source of order, and is found."""
    twins = {name for program in RACY for name in program.twin_of}
    assert twins == {program.name for program in PROGRAMS if program.edges}


def test_racy_programs_have_a_clean_twin():
    names = {program.name for program in CLEAN}
    for program in RACY:
        assert program.edges or program.twin_of or f"{program.name}_clean" in names, program.name


def test_programs_cover_all_kinds():
    kinds = {kind for program in RACY for choices in program.expected for kind, _ in choices}
    assert kinds == set(race_harness.SEVERITIES)
    assert len(RACY) >= 32
