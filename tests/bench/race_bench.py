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
NAMES = ("richards", "parser", "index", "trees", "queens", "template", "bank", "search")
MODES = {"alone": "no second thread ever", "1": "one thread", "2": "two threads"}

MEAN_GOAL, WORST_GOAL, ALONE_GOAL, MEMORY_GOAL = 1.7, 5, 1.1, 2.5

RACE_RECORD = 6

Cost = namedtuple("Cost", "time memory")  # instrumented / plain
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
    """Seconds and peak memory in KiB of one run. The plain interpreter does not look at the log."""
    with tempfile.TemporaryDirectory() as log:
        environment = {**os.environ, "FTHREADPROF_RACE_LOG": log, "PYTHONHASHSEED": "1"}
        command = [python, str(PROGRAM), name, mode, str(scale)]
        output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout
        found = any(count_races(entry) for entry in pathlib.Path(log).iterdir())
    if found:
        sys.exit(f"race_bench: {name} is reported to race; its cost says nothing.")
    result = json.loads(output)
    return result["seconds"], result["peak_kib"]


def measure_cost(pythons, name, mode, repetitions, scale):
    order = random.Random(1)
    times, memory = {}, {}
    for _ in range(repetitions):
        for python in order.sample(pythons, 2):
            seconds, peak = run_once(python, name, mode, scale)
            times[python] = min(seconds, times.get(python, math.inf))
            memory[python] = min(peak, memory.get(python, math.inf))
    plain, race = pythons
    return Cost(times[race] / times[plain], memory[race] / memory[plain])


def geometric_mean(ratios):
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def summarise(what, ratios, mean_goal, worst_goal=None):
    """A row for a geometric mean, and one for the worst when that has a goal."""
    worst = max(ratios, key=ratios.get)
    mean = geometric_mean(ratios.values())
    each = ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items())
    measured = f"{mean:.2f} (worst {ratios[worst]:.2f}: {worst})"
    rows = [Row(f"{what}, geometric mean", measured, f"<= {mean_goal}", mean <= mean_goal)]
    if worst_goal:
        met = ratios[worst] <= worst_goal
        rows.append(Row(f"{what}, each", each, f"each <= {worst_goal}", met))
    else:
        rows.append(Row(f"{what}, each", each))
    return rows


def measure(binary, repetitions, scale=1.0, say=print):
    """(title, rows) for all programs and modes."""
    pythons = [build(binary), build(binary, "--flavor", "race")]
    costs = {}
    for mode, what in MODES.items():
        for name in NAMES:
            costs[mode, name] = cost = measure_cost(pythons, name, mode, repetitions, scale)
            say(f"race: {name}, {what}: time {cost.time:.2f}, memory {cost.memory:.2f}")
    rows = []
    for mode, what in MODES.items():
        times = {name: costs[mode, name].time for name in NAMES}
        goals = (ALONE_GOAL,) if mode == "alone" else (MEAN_GOAL, WORST_GOAL)
        rows += summarise(f"time, {what}", times, *goals)
    memory = {name: costs["2", name].memory for name in NAMES}
    rows += summarise("peak memory, two threads", memory, MEMORY_GOAL)
    return "Race detector: instrumented / uninstrumented CPython", rows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default=str(ROOT / "build/release/fthreadprof"))
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="of how much each program does")
    options = parser.parse_args()
    title, rows = measure(options.binary, options.repetitions, options.scale)
    print(f"\n{title}")
    for row in rows:
        verdict = "" if row.met is None else f"  goal {row.goal}: {'met' if row.met else 'MISSED'}"
        print(f"  {row.what}\n      {row.measured}{verdict}")


if __name__ == "__main__":
    main()
