"""CPython's own tests pass under `fthreadprof race` as they do without it, and what is reported is known."""

import fnmatch
import re
import subprocess
import xml.etree.ElementTree
from dataclasses import dataclass

import harness
import pytest
import race_harness
from test_race_packages import plain_python

KNOWN = harness.ROOT / "tests/data/race/cpython.races"
TIMEOUT_S = 1800
TRIES = 3  # of tests that came out differently: many are timed
QUICK = ["test_thread", "test_list", "test_dict", "test_deque", "test_functools", "test_json"]
# The longest first: they run side by side.
SUITES = ["test_concurrent_futures", "test_asyncio", "test_threading", "test_logging"]
SUITES += ["test_queue", "test_pickle", "test_weakref", "test_set", "test_contextlib"]
# Of many modules, which wait more than they work: how many at a time.
AT_ONCE = {"test_concurrent_futures": 4, "test_asyncio": 4}


@dataclass(frozen=True)
class KnownRaces:
    """A line of cpython.races."""

    kinds: frozenset
    object: str
    places: tuple

    def match(self, race):
        name = re.sub(r"\[.*\]$", "", race["object"]["name"])
        return (
            race["kind"] in self.kinds
            and fnmatch.fnmatchcase(name, self.object)
            and all(
                any(fnmatch.fnmatchcase(place, known) for known in self.places)
                for place in places(race)
            )
        )


def places(race):
    """FILE:FUNCTION of both sides; the file is relative to the standard library."""
    innermost = [access["stack"][-1] for access in race["accesses"]]
    return [f"{frame['file'].rpartition('/python3.13t/')[2]}:{frame['function']}" for frame in innermost]


def read_known():
    known, reason = [], None
    for line in KNOWN.read_text().splitlines():
        if line.startswith("= "):
            reason = line[2:]
        elif line and not line.startswith("#"):
            assert reason, line
            kinds, name, functions = line.split(" | ")
            assert set(kinds.split()) <= race_harness.SEVERITIES.keys(), line
            known.append(KnownRaces(frozenset(kinds.split()), name, tuple(functions.split())))
    return known


def command(python, results, suite, tests=()):
    """`python -m test`, of these tests only."""
    jobs = [f"-j{AT_ONCE[suite]}"] if suite in AT_ONCE and not tests else []
    chosen = [f"--match={test}" for test in tests]
    return [python, "-m", "test", "-v", *jobs, *chosen, "--junit-xml", str(results), suite]


def outcomes(results):
    """{test: its outcomes, sorted}; there are tests of one name."""
    found = {}
    for case in xml.etree.ElementTree.parse(results).getroot().iter("testcase"):
        said = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        found.setdefault(case.get("name"), []).append(said[0] if said else "passed")
    return {name: sorted(all_of_it) for name, all_of_it in found.items()}


class Suite:
    """One of CPython's, run in a directory of its own without and with the wrapper."""

    def __init__(self, name, directory):
        self.name = name
        self.directory = directory
        self.races = []

    def run_plainly(self, tests=()):
        results = self.directory / "plain.xml"
        results.unlink(missing_ok=True)
        subprocess.run(
            command(plain_python(), results, self.name, tests),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_S,
            cwd=self.directory,
        )
        return outcomes(results)

    def run_under_race(self, tests=()):
        results = self.directory / "race.xml"
        results.unlink(missing_ok=True)
        run = race_harness.run_race(
            self.directory,
            command(race_harness.race_python(), results, self.name, tests),
            *("--include", "*", "--fail-on", "never"),
            timeout=TIMEOUT_S,
            cwd=self.directory,
        )
        assert run.report is not None, run.stderr[-2000:]
        self.races += run.races
        return outcomes(results)

    def differences(self):
        """What still differs when run again alone."""
        plain, raced = self.run_plainly(), self.run_under_race()
        assert len(plain) > 20 and plain.keys() == raced.keys()
        for _ in range(TRIES):
            differ = [name for name in plain if plain[name] != raced[name]]
            if not differ:
                break
            alone = sorted({name.split(" ")[0] for name in differ})
            plain, raced = self.run_plainly(alone), self.run_under_race(alone)
        return {
            name: (plain.get(name), raced.get(name))
            for name in differ
            if plain.get(name) != raced.get(name)
        }


@pytest.mark.parametrize(
    "name", [*(pytest.param(name, marks=pytest.mark.full) for name in SUITES), *QUICK]
)
def test_cpythons_own_tests(name, tmp_path):
    suite = Suite(name, tmp_path)
    assert suite.differences() == {}
    known = read_known()
    new = [race for race in suite.races if not any(line.match(race) for line in known)]
    lines = sorted(f"{race['kind']} | {race['object']['name']} | {places(race)}" for race in new)
    assert not lines, "\n".join(lines)


def test_what_is_not_known_is_new():
    race = {
        "kind": "data-race",
        "object": {"name": "WeakValueDictionary.data[10]"},
        "accesses": [
            {"stack": [{"file": "/opt/lib/python3.13t/weakref.py", "function": function}]}
            for function in ("WeakValueDictionary.setdefault", "WeakValueDictionary.pop")
        ],
    }
    lines = read_known()
    assert len([line for line in lines if line.match(race)]) == 1
    for change in (
        {"kind": "iteration"},
        {"object": {"name": "WeakValueDictionary.dat"}},
        {"accesses": [race["accesses"][0], {"stack": [{"file": "/x/weakref.py", "function": "f"}]}]},
    ):
        assert not any(line.match({**race, **change}) for line in lines), change
