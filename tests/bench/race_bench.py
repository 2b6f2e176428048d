#!/usr/bin/env python3
"""What the race detector costs: the programs of race_workloads.py on the instrumented interpreter against
an uninstrumented build of the same source with the same compiler and flags.

The two take turns, in an order that changes, and the best of all repetitions counts: other work on the machine
only ever adds time. `tools/bench --only race` runs this and puts the rows into its table; by itself it
prints them. docs/benchmarks.md says how to read them.
"""

import argparse
import json
import math
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
from collections import namedtuple

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(__file__).with_name("race_workloads.py")
NAMES = (
    "richards", "parser", "index", "trees", "queens", "template", "bank", "search",
    "shingles", "flood", "picture", "cache", "routes", "pipeline", "archive", "service",
)
# Nothing but what costs most: they say how bad it can be, not what a program costs.
WORST = ("relay", "crumbs")
MODES = {"alone": "no second thread ever", "1": "one thread", "2": "two threads"}

MEAN_GOAL, WORST_GOAL, ALONE_GOAL, MEMORY_GOAL = 1.7, 5, 1.1, 2.5

RACE_RECORD = 6

FIGURES = ("seconds", "cpu_seconds", "peak_kib")  # of race_workloads.py
Cost = namedtuple("Cost", "time cpu memory")  # instrumented / plain
Row = namedtuple("Row", "what measured goal met", defaults=("", None))


def build(binary, *options):
    """The path of an interpreter, built when the cache does not have it."""
    command = [binary, "interpreter", "build", "3.13t", *options]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if result.returncode != 0:
        sys.exit("race_bench: an interpreter to compare could not be built.")
    return result.stdout.strip()


def count_races(log):
    """In a race log (include/fthreadprof/race_log.h)."""
    content, position, races = log.read_bytes(), 16, 0
    while position + 12 <= len(content):
        size, kind, _, _ = struct.unpack_from("<IHHI", content, position)
        races += kind == RACE_RECORD
        position += 12 + size
    return races


def run_once(python, name, mode, scale):
    """The FIGURES of one run. The plain interpreter does not look at the log."""
    with tempfile.TemporaryDirectory() as log:
        environment = {**os.environ, "FTHREADPROF_RACE_LOG": log, "PYTHONHASHSEED": "1"}
        command = [python, str(PROGRAM), name, mode, str(scale)]
        output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout
        found = any(count_races(entry) for entry in pathlib.Path(log).iterdir())
    if found:
        sys.exit(f"race_bench: {name} is reported to race; its cost says nothing.")
    result = json.loads(output)
    return [result[figure] for figure in FIGURES]


def measure_cost(pythons, name, mode, repetitions, scale):
    order = random.Random(1)
    best = {python: [math.inf] * len(FIGURES) for python in pythons}
    for _ in range(repetitions):
        for python in order.sample(pythons, 2):
            best[python] = list(map(min, best[python], run_once(python, name, mode, scale)))
    plain, race = pythons
    return Cost(*(with_it / without for with_it, without in zip(best[race], best[plain])))


def geometric_mean(ratios):
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def mean_row(what, costs, figure, goal=None):
    ratios = {name: getattr(cost, figure) for name, cost in costs.items()}
    worst = max(ratios, key=ratios.get)
    mean = geometric_mean(ratios.values())
    measured = f"{mean:.2f} (worst {ratios[worst]:.2f}: {worst})"
    if figure == "time":
        measured += f"; by CPU time {geometric_mean([cost.cpu for cost in costs.values()]):.2f}"
    return Row(
        what + ", geometric mean", measured, f"<= {goal}" if goal else "", goal and mean <= goal
    )


def each_row(what, costs, figure, goal=None):
    ratios = {name: getattr(cost, figure) for name, cost in costs.items()}
    measured = ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items())
    met = goal and max(ratios.values()) <= goal
    return Row(what + ", each", measured, f"each <= {goal}" if goal else "", met)


def measure(binary, repetitions, scale=1.0, say=print):
    """(title, rows) for all programs and modes."""
    pythons = [build(binary), build(binary, "--flavor", "race")]
    costs = {}
    for mode, what in MODES.items():
        for name in (*NAMES, *WORST):
            costs[mode, name] = cost = measure_cost(pythons, name, mode, repetitions, scale)
            say(
                f"race: {name}, {what}: {cost.time:.2f}, CPU {cost.cpu:.2f}, memory {cost.memory:.2f}"
            )
    rows = []
    for mode, what in MODES.items():
        of_mode = {name: costs[mode, name] for name in NAMES}
        what = f"time, {what}"
        alone = mode == "alone"
        rows.append(mean_row(what, of_mode, "time", ALONE_GOAL if alone else MEAN_GOAL))
        rows.append(each_row(what, of_mode, "time", None if alone else WORST_GOAL))
        worst = {name: costs[mode, name] for name in WORST}
        rows.append(
            each_row(f"{what}, the worst that is known", worst, "time", None if alone else WORST_GOAL)
        )
    rows.append(mean_row("peak memory, two threads", of_mode, "memory"))
    rows.append(each_row("peak memory, two threads", {**of_mode, **worst}, "memory", MEMORY_GOAL))
    return "Race detector: instrumented / uninstrumented CPython", rows


def print_rows(title, rows):
    print(f"\n{title}")
    for row in rows:
        verdict = "" if row.met is None else f"  goal {row.goal}: {'met' if row.met else 'MISSED'}"
        print(f"  {row.what}\n      {row.measured}{verdict}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default=str(ROOT / "build/release/fthreadprof"))
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="of how much each program does")
    options = parser.parse_args()
    print_rows(*measure(options.binary, options.repetitions, options.scale))


if __name__ == "__main__":
    main()
