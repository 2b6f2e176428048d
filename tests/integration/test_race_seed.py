"""`race --seed` and `--runs`: a perturbed schedule shows races that the machine's own hides, and the report
says how to see one again and how often it comes up."""

import html
import json
import os
import shlex
import signal
import subprocess
import textwrap
import time

import harness
import pytest
import race_harness

HIDDEN = sorted((harness.ROOT / "tests" / "race" / "hidden").glob("*.py"))
CLEAN = [program for program in race_harness.find_programs() if program.is_clean]
SEEDS = range(1, 61)  # the rarest of HIDDEN comes up with one seed in seven
RUNS_OF_A_SEED = 5

RACY = """
    import threading

    print("runs", flush=True)
    total = 0

    def add():
        global total
        total += 1

    threads = [threading.Thread(target=add) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


@pytest.fixture
def racy(tmp_path):
    path = tmp_path / "racy program.py"
    path.write_text(textwrap.dedent(RACY))
    return path


def name_of(path):
    return path.stem


@pytest.mark.parametrize("path", HIDDEN, ids=name_of)
def test_a_seed_finds_what_the_schedule_hides(path, tmp_path):
    for seed in SEEDS:
        run = race_harness.run_race(
            tmp_path, ["python3", path], "--seed", str(seed), "--runs", "1"
        )
        if run.races:
            break
    assert run.races, f"not found with {len(SEEDS)} seeds"
    assert run.status == race_harness.FOUND


@pytest.mark.full
@pytest.mark.parametrize("program", CLEAN, ids=lambda program: program.name)
def test_what_is_clean_stays_silent(program, tmp_path):
    for seed in (1, 2, 3):
        run = race_harness.run_race(
            tmp_path,
            ["python3", program.path],
            *("--seed", str(seed), "--runs", "1", "--fail-on", "note"),
        )
        assert run.races == [], (seed, run.races)
        assert run.status == 0, run.stderr


def test_a_found_race_is_measured(racy, tmp_path):
    run = race_harness.run_race(tmp_path, ["python3", racy], "--seed", "7")
    assert run.stdout.count("runs") == RUNS_OF_A_SEED
    assert run.report["summary"]["runs"] == RUNS_OF_A_SEED
    assert [race["runs"] for race in run.races] == [RUNS_OF_A_SEED]
    assert "1 race found; the command runs 4 more times" in run.stderr


def test_nothing_found_is_nothing_to_measure(tmp_path):
    run = race_harness.run_race(tmp_path, ["python3", "-c", "print('runs')"], "--seed", "7")
    assert run.stdout.count("runs") == 1
    assert run.report["summary"]["runs"] == 1
    assert run.status == 0


@pytest.mark.parametrize("seed", [[], ["--seed", "7"]], ids=["", "seed"])
def test_runs_are_as_many_as_asked_for(seed, racy, tmp_path):
    text = tmp_path / "race.txt"
    run = race_harness.run_race(tmp_path, ["python3", racy], *seed, "--runs", "3", "-o", text)
    assert run.stdout.count("runs") == 3
    assert [race["runs"] for race in run.races] == [3]
    assert run.races[0]["count"] >= 3
    assert f"times, in 3 of 3 runs; id {run.races[0]['id']}" in text.read_text()
    assert (run.report["summary"]["reproduce"] is None) == (not seed)


def test_every_report_says_how_to_see_it_again(racy, tmp_path):
    outputs = [tmp_path / name for name in ("r.txt", "r.html", "r.md", "r.xml", "r.sarif")]
    options = [option for path in outputs for option in ("-o", path)]
    run = race_harness.run_race(
        tmp_path, ["python3", racy], "--seed", "7", "--runs", "2", *options
    )
    again = run.report["summary"]["reproduce"]
    python = shlex.quote(str(race_harness.race_python()))
    assert again == f"fthreadprof race --seed 7 --python {python} -- python3 '{racy}'"
    assert f"the same perturbations again: {again}" in run.stderr
    for path in outputs:
        text = path.read_text()
        if path.suffix == ".sarif":
            text = json.loads(text)["runs"][0]["invocations"][0]["commandLine"]
        elif path.suffix == ".md":
            text = text.replace("\\", "")
        assert again in html.unescape(text), path
        assert "2 of 2 runs" in path.read_text(), path


def test_the_command_that_is_given_runs(racy, tmp_path):
    run = race_harness.run_race(tmp_path, ["python3", racy], "--seed", "7", "--runs", "1")
    again = run.report["summary"]["reproduce"]
    path = f"{os.path.dirname(harness.BINARY)}:{os.environ['PATH']}"
    second = subprocess.run(
        ["sh", "-c", again],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PATH": path},
    )
    assert second.returncode == race_harness.FOUND, second.stderr
    assert run.races[0]["id"] in second.stderr


def test_the_first_failure_is_the_exit_status(tmp_path):
    counter = tmp_path / "counter"
    program = f"""
import pathlib, sys
counter = pathlib.Path({str(counter)!r})
run = int(counter.read_text()) if counter.exists() else 0
counter.write_text(str(run + 1))
sys.exit([0, 3, 4][run])
"""
    run = race_harness.run_race(tmp_path, ["python3", "-c", program], "--runs", "3")
    assert counter.read_text() == "3"
    assert run.status == 3


def test_a_killed_command_is_not_run_again(tmp_path):
    program = "import os, signal; print('runs', flush=True); os.kill(os.getpid(), signal.SIGTERM)"
    run = race_harness.run_race(tmp_path, ["python3", "-c", program], "--runs", "3")
    assert run.stdout.count("runs") == 1
    assert run.status == 128 + signal.SIGTERM
    assert run.report["summary"]["runs"] == 1


# What a run finds is told in a file. The second one waits to be interrupted.
UNTIL_STOPPED = """
import pathlib, signal, sys, time
counter = pathlib.Path(sys.argv[1])
run = int(counter.read_text()) + 1 if counter.exists() else 1
def stop(number, frame): sys.exit(int(sys.argv[2]))
signal.signal(signal.SIGTERM, stop)
counter.write_text(str(run))
if run == 2:
    time.sleep(60)
"""


@pytest.mark.parametrize("status", [0, 2])
def test_a_signal_ends_the_runs_whatever_the_command_makes_of_it(status, tmp_path):
    counter = tmp_path / "counter"
    report = tmp_path / "race.json"
    command = ["python3", "-c", UNTIL_STOPPED, counter, str(status)]
    race = [harness.BINARY, "race", "--python", race_harness.race_python(), "--runs", "5"]
    running = subprocess.Popen([*race, "-o", report, "--", *command])
    try:
        deadline = time.monotonic() + 60
        while not (counter.exists() and counter.read_text() == "2"):
            assert time.monotonic() < deadline and running.poll() is None
            time.sleep(0.05)
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == status
    finally:
        running.kill()
    assert counter.read_text() == "2"
    assert race_harness.read_report(report)["summary"]["runs"] == 2


def test_what_was_found_before_a_run_failed_to_start_is_reported(racy, tmp_path):
    link = tmp_path / "program"
    link.write_text(f"#!/bin/sh\nrm '{link}'\nexec python3 '{racy}'\n")
    link.chmod(0o755)
    run = race_harness.run_race(tmp_path, [link], "--runs", "3")
    assert run.status == harness.FAILED
    assert f"cannot run {link}" in run.stderr and "the race log is kept in" in run.stderr
    assert run.report["summary"]["runs"] == 1
    assert [race["runs"] for race in run.races] == [1]


@pytest.mark.parametrize(
    "option, value", [("--seed", "-1"), ("--seed", "x"), ("--runs", "0"), ("--runs", "1001")]
)
def test_no_number_is_refused(option, value, tmp_path):
    run = race_harness.run_race(tmp_path, ["python3", "-c", "pass"], option, value)
    assert run.status == harness.FAILED
    assert run.stderr.startswith(f"fthreadprof: {option}: Value {value} not in range ")
    assert run.report is None


def test_a_seed_of_the_environment_is_not_meant(tmp_path):
    program = "import os; print(os.environ.get('FTHREADPROF_RACE_SEED'))"
    environment = {**os.environ, "FTHREADPROF_RACE_SEED": "5"}
    run = race_harness.run_race(tmp_path, ["python3", "-c", program], env=environment)
    assert run.stdout == "None\n"
