"""The hook tables against CPython's source: what was applied in the built interpreter, the audit of the
functions that no row names, and for versions that are not built here the names that were seen."""

import json
import pathlib
import re
import subprocess

import harness
import pytest

CPYTHON = harness.ROOT / "instrument/cpython"
TABLES = sorted(CPYTHON.glob("*.table"))
VERIFIED = CPYTHON / "3.13.table"
UNVERIFIED = [table for table in TABLES if table != VERIFIED]
# Inline functions of headers, instrumented wherever they are used; no other row may match in two files.
IN_HEADERS = {"PyCell_GET", "PyCell_GetRef", "PyCell_SwapTakeRef"}


def rows(table):
    """The words of each row."""
    lines = [re.sub(r"(^| )#( .*|$)", "", line) for line in table.read_text().splitlines()]
    return [line.split() for line in lines if re.match("entry|exit|before|after", line)]


def place(row):
    """(function, callee) of a row; the callee is None where there is no call."""
    if "in" not in row:
        return row[1], None
    return row[row.index("in") + 1], row[1]


@pytest.fixture(scope="session")
def prefix():
    """Of the instrumented interpreter; the first run of all builds it, which takes minutes."""
    result = subprocess.run(
        [harness.BINARY, "interpreter", "build", "3.13t", "--flavor", "race"],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return pathlib.Path(result.stdout.strip()).parent.parent


@pytest.fixture(scope="session")
def coverage(prefix):
    return json.loads((prefix / "share/fthreadprof/coverage.json").read_text())


def read_audit_file():
    """{(file, function): reason}; each function stands once."""
    entries, reason = {}, None
    for line in (CPYTHON / "3.13.audit").read_text().splitlines():
        if line.startswith("= "):
            reason = line[2:]
        elif line and not line.startswith("#"):
            file, _, functions = line.partition(":")
            for function in functions.split():
                assert (file, function) not in entries, f"{function} of {file} stands twice"
                entries[file, function] = reason
    return entries


def test_every_row_was_applied(coverage):
    assert coverage["verified"] is True
    assert len(coverage["rows"]) == len(rows(VERIFIED))
    lost = [row["row"] for row in coverage["rows"] if not row["applied_in"] and not row["optional"]]
    assert lost == []


def test_no_row_matched_a_namesake(coverage):
    """Static functions of two files can have one name: such a row names its file."""
    for row in coverage["rows"]:
        function, files = place(row["row"].split())[0], {a.split(" in ")[1] for a in row["applied_in"]}
        assert len(files) == 1 or function in IN_HEADERS, (row["row"], files)


def test_audit_tells_of_every_function_without_a_row(prefix):
    found = set()
    for line in (prefix / "share/fthreadprof/audit.txt").read_text().splitlines():
        function, file, _ = line.split("\t")
        found.add((file.removeprefix("./"), function))
    explained = set(read_audit_file())
    assert found - explained == set(), "neither in 3.13.table nor in 3.13.audit"
    assert explained - found == set(), "in 3.13.audit, and not in the source or by now in the table"


def test_audit_gives_reasons():
    assert all(read_audit_file().values())


def test_only_tables_that_were_built_are_verified():
    assert [table.name for table in UNVERIFIED] == ["3.14.table", "3.15.table"]
    assert "\nverified 3.13.5\n" in VERIFIED.read_text()
    for table in UNVERIFIED:
        assert "\nunverified\n" in table.read_text()
        assert not re.search("^verified", table.read_text(), re.MULTILINE)


def read_names(table):
    """{function: (file, number of parameters)}"""
    names = {}
    for line in table.with_suffix(".names").read_text().splitlines():
        if not line.startswith("#"):
            function, file, parameters, _source = line.split()
            names[function] = (file, int(parameters))
    return names


@pytest.mark.parametrize("table", UNVERIFIED, ids=lambda table: table.name)
def test_names_of_an_unbuilt_version_were_seen(table):
    names, used = read_names(table), set()
    for row in rows(table):
        function, callee = place(row)
        file, _, function = function.rpartition(":")
        # A clinic file is included by the .c file of its name.
        assert names[function][0].endswith(file) or f"/{file}.h" in names[function][0], row
        used |= {function, callee} - {None}
        check_arguments(row, names[function][1], names[callee][1] if callee else None)
    assert used == set(names)


def check_arguments(row, of_function, of_callee):
    """No argument of the row is beyond what the function, or the call, has."""
    words = [word for word in row[3:] if re.fullmatch(r"f?\d+(@.*)?", word)]
    for word in words:
        count = of_function if word.startswith("f") or of_callee is None else of_callee
        assert int(re.match(r"f?(\d+)", word)[1]) < count, row


@pytest.mark.parametrize("table", UNVERIFIED, ids=lambda table: table.name)
def test_an_unbuilt_version_has_the_hooks_of_the_built_one(table):
    """In rows of other functions, it may be: no kind of access and no source of order is forgotten."""

    def hooks(of):
        return {(row[2], *(word for word in row if word.startswith("op="))) for row in rows(of)}

    assert hooks(VERIFIED) <= hooks(table)


@pytest.mark.parametrize("table", UNVERIFIED, ids=lambda table: table.name)
def test_an_unbuilt_version_is_understood_by_the_plugin(table, tmp_path):
    """Every row parses, and names hooks and operations that there are."""
    (tmp_path / "program.c").write_text("int f(void) { return 0; }\n")
    plugin = pathlib.Path(harness.BINARY).parent / "share/fthreadprof/fthreadprof_race_pass.so"
    result = subprocess.run(
        ["clang-19", f"-fpass-plugin={plugin}", "-c", "program.c", "-o", "/dev/null"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "FTHREADPROF_RACE_TABLE": str(table)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
