"""Every row of the hook table that tells an operation is one that a race is found by."""

import harness
import race_harness
import test_race_table

OPERATIONS = harness.ROOT / "tests/race/rows/operations.py"

# Functions that only asyncio's C code calls, on tables of its own.
UNREACHED = {"_PyDict_GetItemRef_KnownHash_LockHeld"}


def case_lines():
    """{function: the lines of its cases}"""
    cases = {}
    for number, line in enumerate(OPERATIONS.read_text().splitlines(), 1):
        if line.startswith('    ("'):
            cases.setdefault(line.split('"')[1], []).append(number)
    return cases


def test_every_operation_is_reported(tmp_path):
    run = race_harness.run_race(tmp_path, ["python3", OPERATIONS], "--fail-on", "never")
    assert run.status == 0, run.stderr
    reported = {
        frame["line"]
        for race in run.races
        for access in race["accesses"]
        for frame in access["stack"]
        if frame["file"] == str(OPERATIONS)
    }
    missing = {
        function: line
        for function, lines in case_lines().items()
        for line in lines
        if line not in reported
    }
    assert not missing


def test_every_row_has_a_case():
    cases = case_lines()
    for row in test_race_table.rows(test_race_table.VERIFIED):
        if not any(word.startswith("op=") for word in row):
            continue
        function, callee = test_race_table.place(row)
        names = {name.rpartition(":")[2] for name in (function, callee) if name}
        assert names & (cases.keys() | UNREACHED), f"no case for {' '.join(row)}"
