"""What `fthreadprof race --seed` gains: the programs of tests/race/hidden, each with a race that the machine's
own schedule hides nearly always, run without a seed and with as many different ones.
`tools/bench --only seed` runs this and puts the rows into its table; docs/benchmarks.md says how to read them.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

from race_bench import ROOT, Row

PROGRAMS = sorted((ROOT / "tests/race/hidden").glob("*.py"))


def finds_a_race(binary, program, options):
    """Whether one run of the program reports a race."""
    with tempfile.TemporaryDirectory() as directory:
        report = pathlib.Path(directory, "race.json")
        command = [binary, "race", "-q", "--fail-on", "never", "-o", report, *options]
        run = subprocess.run(
            [*command, "--", sys.executable, program], capture_output=True, text=True
        )
        if run.returncode != 0:
            sys.exit(f"seed_bench: {program.name} failed: {run.stderr}")
        return bool(json.loads(report.read_text())["races"])


def measure(binary, repetitions, say=print):
    """The title and the rows; `repetitions` runs of each program without a seed and with one."""
    rows = []
    for program in PROGRAMS:
        say(f"seed: {program.stem}")
        without = sum(finds_a_race(binary, program, []) for _ in range(repetitions))
        seeds = range(1, repetitions + 1)
        options = (["--seed", str(seed), "--runs", "1"] for seed in seeds)
        found = sum(finds_a_race(binary, program, option) for option in options)
        rows.append(
            Row(
                program.stem,
                f"{found} of {repetitions} seeds; without {without} of {repetitions} runs",
                "a seed finds it",
                found > 0,
            )
        )
    return "Races that the schedule hides, found with --seed", rows
