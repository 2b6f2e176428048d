"""Runs programs under `fthreadprof race`, and checks that what it reports is a report."""

import functools
import json
import os
import pathlib
import re
import subprocess
from dataclasses import dataclass

import harness

PROGRAMS = harness.ROOT / "tests" / "race" / "programs"
FOUND = 66  # exit status when a race at or above --fail-on was found
SEVERITIES = {
    "lost-update": "error",
    "check-then-act": "error",
    "iteration": "error",
    "unsafe": "error",
    "data-race": "warning",
    "ordering": "note",
}
BUILD_TIMEOUT_S = 1800


@functools.lru_cache(maxsize=None)
def race_python():
    """The instrumented interpreter: that of FTHREADPROF_TEST_RACE_PYTHON, else of the cache, built
    when it is not there."""
    if named := os.environ.get("FTHREADPROF_TEST_RACE_PYTHON"):
        return named
    command = [harness.BINARY, "interpreter", "build", "3.13t", "--flavor", "race"]
    built = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_TIMEOUT_S)
    assert built.returncode == 0, f"the race interpreter was not built: {built.stderr}"
    return built.stdout.strip()


def library_of(python):
    """The directory of its standard library."""
    ask = [python, "-c", "import sysconfig; print(sysconfig.get_path('stdlib'))"]
    return pathlib.Path(subprocess.check_output(ask, text=True).strip())


@dataclass
class RaceRun:
    """A finished run of `fthreadprof race -o JSON`."""

    status: int
    stdout: str
    stderr: str
    report: dict | None  # None: none was written

    @property
    def races(self):
        return self.report["races"]

    def names(self, *severities):
        """(kind, object name) of the races of these severities, of all by default."""
        return {
            (race["kind"], race["object"]["name"])
            for race in self.races
            if not severities or race["severity"] in severities
        }


def run_race(directory, command, *options, timeout=120, **keywords):
    """Runs a command (a list) under race, with a JSON report in `directory`."""
    output = pathlib.Path(directory) / "race.json"
    output.unlink(missing_ok=True)
    run = subprocess.run(
        [
            *(harness.BINARY, "race", "--python", race_python(), "-o", str(output)),
            *(*options, "--", *map(str, command)),
        ],
        capture_output=True,
        text=True,
        timeout=timeout,
        stdin=keywords.pop("stdin", subprocess.DEVNULL) if "input" not in keywords else None,
        **keywords,
    )
    return RaceRun(run.returncode, run.stdout, run.stderr, read_report(output))


def read_report(path):
    """The JSON report, checked; None when there is none."""
    if not path.exists():
        return None
    report = json.loads(path.read_text(encoding="utf-8"))
    check_report(report)
    return report


def check_report(report):
    """Asserts what holds for every report (docs/cli.md)."""
    assert report["schema"] == "fthreadprof.race/1"
    summary, races = report["summary"], report["races"]
    assert summary["races"] == len(races)
    assert summary["suppressed"] == sum(report["suppressed"].values())
    assert report["suppressed"]["by_rule"] == sum(rule["hits"] for rule in report["suppressions"])
    for severity in ("error", "warning", "note"):
        number = sum(race["severity"] == severity for race in races)
        assert summary[severity + "s"] == number, summary
    assert len({race["id"] for race in races}) == len(races), "two races have the same id"
    for race in races:
        assert race["severity"] == SEVERITIES[race["kind"]], race
        assert 1 <= race["runs"] <= summary["runs"], race
        assert race["count"] >= race["runs"] and race["message"] and race["advice"], race
        assert race["object"]["name"] and race["object"]["type"], race
        first, second = race["accesses"]
        assert "write" in (first["op"], second["op"]), race
        assert first["thread"]["id"] != second["thread"]["id"], race
        for access in (first, second):
            check_access(access)


def check_access(access):
    assert access["op"] in ("read", "write") and access["what"], access
    thread = access["thread"]
    assert thread["name"] or thread["id"] > 0, access  # raw threads have no name
    made_by_c = not thread["name"] and not thread["created"]
    if thread["name"] != "MainThread" and not made_by_c:
        check_stack(thread["created"])
    check_stack(access["stack"])


def check_stack(stack):
    assert stack, "an empty stack"
    for frame in stack:
        assert frame["function"] and frame["file"] and frame["line"] > 0, frame


@dataclass(frozen=True)
class Program:
    """A program of tests/race/programs; its README says what the comments at its top mean."""

    path: pathlib.Path
    expected: tuple  # of frozensets of (kind, name): of each at least one must be found
    allowed: frozenset  # (kind, name) that may be found besides
    edges: tuple
    twin_of: tuple  # names of clean programs that rely on the same source of order

    @property
    def name(self):
        return self.path.stem

    @property
    def is_clean(self):
        return not self.expected

    @property
    def fails(self):
        """True when an error or a warning is expected for sure."""
        return any(
            all(SEVERITIES[kind] != "note" for kind, _ in choices) for choices in self.expected
        )

    def is_expected(self, race):
        pair = race["kind"], race["object"]["name"]
        wanted = frozenset().union(self.allowed, *self.expected)
        of_expected_object = race["kind"] in ("data-race", "ordering") and any(
            name == race["object"]["name"] for _, name in wanted
        )
        return pair in wanted or of_expected_object

    def missing(self, run):
        """What should have been found and was not."""
        found = run.names()
        return [sorted(choices) for choices in self.expected if not choices & found]

    def unexpected(self, run, *severities):
        return [
            (race["kind"], race["object"]["name"], race["message"])
            for race in run.races
            if race["severity"] in severities and not self.is_expected(race)
        ]


_DIRECTIVE = re.compile(r"# (expect|expect-one-of|allow|edge|racy-twin-of): (.+)")


def _choices(text):
    pairs = [part.strip().partition(" ") for part in text.split(" | ")]
    for kind, _, name in pairs:
        assert kind in SEVERITIES and name, f"not a kind and a name: {text}"
    return frozenset((kind, name) for kind, _, name in pairs)


def read_program(path):
    expected, allowed, edges, twin_of = [], set(), [], []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        match = _DIRECTIVE.fullmatch(line)
        if not match:
            continue
        directive, text = match.groups()
        if directive == "edge":
            edges.append(text)
        elif directive == "racy-twin-of":
            twin_of += text.split()
        elif directive == "allow":
            allowed |= _choices(text)
        else:
            expected.append(_choices(text))
    return Program(path, tuple(expected), frozenset(allowed), tuple(edges), tuple(twin_of))


def find_programs():
    return [read_program(path) for path in sorted(PROGRAMS.glob("*.py"))]
