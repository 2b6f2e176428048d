"""Test suites under `fthreadprof race`: each race names the tests that its threads ran, with pytest
(alone, with pytest-xdist, with pytest-run-parallel) and with unittest."""

import textwrap

import pytest
from race_harness import run_race
from test_race_packages import VirtualEnvironment

PYTHON = "/usr/bin/python3"  # Debian's, which has a pytest
HEAD = """
import subprocess, sys, threading
import pytest
class Stats:
    hits = misses = 0
STATS = Stats()
def serve():
    for _ in range(20):
        STATS.hits += 1
def race(serve=serve):
    threads = [threading.Thread(target=serve) for _ in range(2)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
"""


@pytest.fixture
def suite(tmp_path):
    """Writes a file of tests; returns its path."""

    def write(text, name="test_app.py"):
        path = tmp_path / name
        path.write_text(HEAD + textwrap.dedent(text))
        return path

    return write


def run_pytest(directory, *arguments, python=PYTHON, race_options=(), **keywords):
    command = [python, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    return run_race(directory, command, *race_options, cwd=directory, **keywords)


def named_tests(run):
    """{object's name: (test of the race, tests of the accesses)}"""
    return {
        race["object"]["name"]: (race["test"], {access["test"] for access in race["accesses"]})
        for race in run.races
    }


def test_a_race_names_its_test(suite, tmp_path):
    suite(
        """
        def test_clean():
            pass
        @pytest.mark.parametrize("number", [1, 2])
        def test_hits(number):
            if number == 2: race()
        class TestMisses:
            def test_misses(self):
                def serve(): STATS.misses += 1
                race(serve)
        """
    )
    run = run_pytest(tmp_path)
    assert "4 passed" in run.stdout, run.stdout + run.stderr
    hits, misses = "test_app.py::test_hits[2]", "test_app.py::TestMisses::test_misses"
    assert named_tests(run) == {"Stats.hits": (hits, {hits}), "Stats.misses": (misses, {misses})}
    assert f"\nERROR {hits} - lost-update: Stats.hits (test_app.py:" in run.stderr
    assert run.stderr.index("short race summary") < run.stderr.index(f"ERROR {hits}")


def test_a_thread_that_is_left_behind_keeps_its_test(suite, tmp_path):
    suite(
        """
        def test_leaks():
            threading.Thread(target=serve).start()
        def test_suffers():
            for _ in range(20): STATS.hits += 1
        """
    )
    run = run_pytest(tmp_path)
    leaks, suffers = "test_app.py::test_leaks", "test_app.py::test_suffers"
    assert {"Stats.hits"} == set(named_tests(run)), run.stdout + run.stderr
    for race in run.races:
        for access in race["accesses"]:
            name = access["thread"]["name"]
            assert access["test"] == (suffers if name == "MainThread" else leaks), race


def test_setup_and_teardown_belong_to_the_test(suite, tmp_path):
    suite(
        """
        @pytest.fixture
        def ready():
            race()
            yield
            def serve(): STATS.misses += 1
            race(serve)
        def test_it(ready):
            pass
        """
    )
    run = run_pytest(tmp_path)
    test = "test_app.py::test_it"
    assert named_tests(run) == {"Stats.hits": (test, {test}), "Stats.misses": (test, {test})}


def test_outside_of_tests_there_is_none(suite, tmp_path):
    suite("race()\ndef test_it(): pass\n")
    run = run_pytest(tmp_path)
    assert named_tests(run) == {"Stats.hits": (None, {None})}
    assert "short race summary" not in run.stderr


def test_a_child_is_in_the_test_that_started_it(suite, tmp_path):
    suite("race()\n", "program.py")
    suite(
        """
        import multiprocessing
        def test_program():
            subprocess.run([sys.executable, "program.py"], check=True)
        def misses():
            def serve(): STATS.misses += 1
            race(serve)
        def test_fork():
            child = multiprocessing.get_context("fork").Process(target=misses)
            child.start()
            child.join()
            assert child.exitcode == 0
        """
    )
    run = run_pytest(tmp_path)
    program, fork = "test_app.py::test_program", "test_app.py::test_fork"
    assert named_tests(run) == {"Stats.hits": (program, {program}), "Stats.misses": (fork, {fork})}


def test_the_plugin_can_be_left_out(suite, tmp_path):
    suite("def test_it(): race()\n")
    run = run_pytest(tmp_path, "-p", "no:fthreadprof")
    assert named_tests(run) == {"Stats.hits": (None, {None})}


def test_unittest(suite, tmp_path):
    suite(
        """
        import unittest
        class StatsTest(unittest.TestCase):
            def test_hits(self):
                race()
            def test_suffers(self):
                for _ in range(20): STATS.misses += 1
            def test_leaks(self):
                def serve(): STATS.misses += 1
                threading.Thread(target=serve).start()
        """
    )
    run = run_race(tmp_path, [PYTHON, "-m", "unittest", "test_app"], cwd=tmp_path)
    assert "OK" in run.stderr
    prefix = "test_app.py::StatsTest::test_"
    tests = named_tests(run)
    assert tests["Stats.hits"] == (prefix + "hits", {prefix + "hits"})
    assert tests["Stats.misses"][1] == {prefix + "leaks", prefix + "suffers"}


@pytest.fixture(scope="module")
def plugins(tmp_path_factory):
    """A virtual environment with pytest and the plugins that run tests side by side."""
    venv = VirtualEnvironment(tmp_path_factory.mktemp("plugins"))
    venv.pip("install", "--quiet", "pytest", "pytest-xdist", "pytest-run-parallel")
    return venv


@pytest.mark.full
def test_xdist(plugins, suite, tmp_path):
    for name in ("one", "two"):
        suite(f"def test_{name}(): race()\n", f"test_{name}.py")
    options = ["-n", "2", "--dist", "loadfile"]
    run = run_pytest(tmp_path, *options, python=plugins.python)
    assert "2 passed" in run.stdout, run.stdout + run.stderr
    # Those of xdist and execnet are their own, and in no test.
    assert run.names() == {("lost-update", "Stats.hits")}
    tests = [f"test_{name}.py::test_{name}" for name in ("one", "two")]
    assert sorted(race["test"] for race in run.races) == tests
    assert run.report["suppressed"]["outside_own_code"] > 0
    run = run_pytest(tmp_path, *options, python=plugins.python, race_options=("--include", "*"))
    of_xdist = [race for race in run.races if race["object"]["name"] != "Stats.hits"]
    assert of_xdist and not any(race["test"] for race in of_xdist)
    assert run.report["suppressed"]["outside_own_code"] == 0


@pytest.mark.full
def test_run_parallel(plugins, suite, tmp_path):
    suite(
        """
        def test_hits():
            serve()
        def test_more():
            for _ in range(20): STATS.misses += 1
        """
    )
    run = run_pytest(tmp_path, "--parallel-threads", "4", python=plugins.python)
    assert "2 passed" in run.stdout, run.stdout + run.stderr
    hits, more = "test_app.py::test_hits", "test_app.py::test_more"
    found = named_tests(run)
    assert found["Stats.hits"] == (hits, {hits})
    assert found["Stats.misses"] == (more, {more})
