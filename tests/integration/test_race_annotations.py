"""fthreadprof.py, by which a program says what orders its threads: without the wrapper it does nothing.
What it does under the wrapper, tests/race/programs/edge_annotation.py and its like show."""

import subprocess
import sys

import harness

ANNOTATIONS = harness.ROOT / "instrument/python"
PROGRAM = """
import fthreadprof
values = [1]
assert fthreadprof.happens_before(values) is None
assert fthreadprof.happens_after(values) is None
assert fthreadprof.benign(values) is values
assert values == [1]
print(fthreadprof.happens_before.__module__)
"""


def test_does_nothing_without_the_wrapper(tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"PYTHONPATH": str(ANNOTATIONS), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "fthreadprof\n", "")
