"""CPython's own tests of what is instrumented pass under `fthreadprof race`."""

import pytest
import race_harness

TESTS = ["test_list", "test_dict", "test_threading", "test_queue", "test_thread"]


@pytest.mark.full
@pytest.mark.parametrize("name", TESTS)
def test_cpythons_own_tests_pass(name, tmp_path):
    command = [race_harness.race_python(), "-m", "test", "-v", name]
    options = ("--fail-on", "never")  # many race on purpose
    run = race_harness.run_race(tmp_path, command, *options, timeout=1800, cwd=tmp_path)
    assert run.status == 0, run.stdout[-5000:] + run.stderr[-2000:]
    assert "Result: SUCCESS" in run.stdout
