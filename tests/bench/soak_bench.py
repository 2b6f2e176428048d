#!/usr/bin/env python3
"""Records a target for long whose threads and processes come and go, and says whether the profiler's memory stays
flat and what it saw stays true.

`tools/bench --only soak` runs this and puts the rows into its table; by itself it prints them as
JSON. docs/benchmarks.md says how to read them.
"""

import argparse
import contextlib
import json
import math
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import namedtuple

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGETS = ROOT / "tests" / "targets"
sys.path[:0] = [str(ROOT / "tests/integration"), str(TARGETS)]

import bench_soak  # noqa: E402
import chains  # noqa: E402
from stacks import Grammar, judge, parse_collapsed, share_of  # noqa: E402

MEMORY_GOAL_MIB, MEMORY_GOAL_S = 64, 600
# In the second half: a little for what is only met late, and what a thread's entry in the profile takes.
GROWTH_MIB, GROWTH_KIB_PER_THREAD = 1, 1
SPLIT_POINTS = 0.01
TORN_GOAL = 0.01
LOOK_S = 1
SAY_EVERY_S = 60

Row = namedtuple("Row", "what measured goal met", defaults=("", None))
Look = namedtuple("Look", "seconds rss_mib")
Recording = namedtuple("Recording", "looks peak_mib summary stacks truth pid")


def memory_mib(pid):
    """(resident now, the most ever) of a process; None when it has ended."""
    with contextlib.suppress(OSError):
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        found = [re.search(rf"{name}:\s*(\d+) kB", status) for name in ("VmRSS", "VmHWM")]
        if all(found):
            return tuple(int(match[1]) / 1024 for match in found)
    return None


def watch(profiler, seconds, say):
    """Looks at the profiler's memory until it ends: (looks while it sampled, the most ever)."""
    looks, peak, started, said = [], 0, time.monotonic(), 0
    while profiler.poll() is None:
        memory, elapsed = memory_mib(profiler.pid), time.monotonic() - started
        if memory and elapsed < seconds:
            looks.append(Look(elapsed, memory[0]))
        peak = max(peak, memory[1] if memory else 0)
        if memory and elapsed - said >= SAY_EVERY_S:
            said = elapsed
            say(f"soak: {elapsed / 60:.0f} min: {memory[0]:.1f} MiB")
        # Closely while it ends what it writes.
        time.sleep(LOOK_S if elapsed < seconds - LOOK_S else 0.002)
    return looks, peak


def run_target(python):
    process = subprocess.Popen(
        [python, str(TARGETS / "bench_soak.py")], stdout=subprocess.PIPE, text=True
    )
    if not process.stdout.readline().startswith("ready"):
        process.kill()
        sys.exit("soak_bench: the target did not start.")
    return process


def record(binary, python, seconds, rate, say):
    with tempfile.TemporaryDirectory() as directory:
        recording, folded = f"{directory}/out.ftp", f"{directory}/out.folded"
        summary = pathlib.Path(directory, "summary.json")
        target = run_target(python)
        try:
            command = [
                binary, "record", "-q", "-s", "-p", str(target.pid), "-r", str(rate), "-d", str(seconds),
                "-o", recording, "--summary", str(summary),
            ]  # fmt: skip
            with subprocess.Popen(command) as profiler:
                looks, peak = watch(profiler, seconds, say)
            if profiler.returncode != 0:
                sys.exit(f"soak_bench: record ended with {profiler.returncode}.")
            target.send_signal(signal.SIGTERM)
            truth = json.loads(target.communicate()[0])
        finally:
            target.kill()
            target.wait()
        size = pathlib.Path(recording).stat().st_size
        say(f"soak: the recording has {size / 2**20:.1f} MiB")
        subprocess.run([binary, "report", recording, "--mode", "wall", "-s", "-o", folded], check=True)
        stacks = parse_collapsed(pathlib.Path(folded).read_text())
        return Recording(looks, peak, json.loads(summary.read_text()), stacks, truth, target.pid)


# --- What came out


def memory_row(recording, minutes, rate):
    share = recording.peak_mib / MEMORY_GOAL_MIB
    samples = recording.summary["sampling"]["samples"]
    measured = f"{share:.0%} of {MEMORY_GOAL_MIB} MiB; {samples / 1e6:.2f} M samples"
    # Less than the limit in a shorter time proves nothing.
    met = share < 1 if minutes * 60 >= MEMORY_GOAL_S or share >= 1 else None
    what = f"most memory in {minutes:g} min at {rate:g} Hz"
    return Row(what, measured, f"< {MEMORY_GOAL_MIB} MiB after {MEMORY_GOAL_S} s", met)


def growth_row(recording):
    """From the middle to the end: a tenth of the time around each, so that one look decides nothing."""
    whole = recording.looks[-1].seconds
    middle = [look.rss_mib for look in recording.looks if 0.45 * whole <= look.seconds <= 0.55 * whole]
    last = [look.rss_mib for look in recording.looks if look.seconds >= 0.9 * whole]
    growth = statistics.median(last) - statistics.median(middle)
    threads = len(recording.summary["threads"]) / 2
    limit = GROWTH_MIB + GROWTH_KIB_PER_THREAD * threads / 1024
    measured = (
        f"{growth:+.2f} MiB, from {statistics.median(middle):.1f} MiB; {threads:,.0f} threads came meanwhile"
    )
    goal = f"<= {GROWTH_MIB} MiB + {GROWTH_KIB_PER_THREAD} KiB a thread that came"
    return Row("growth of memory in the second half", measured, goal, growth <= limit)


def split_row(recording):
    parts, worst, limit = [], 0, SPLIT_POINTS
    for name, is_one in (
        ("first process", lambda pid: pid == recording.pid),
        ("children", lambda pid: pid != recording.pid),
    ):
        stacks = [s for s in recording.stacks if s.process and is_one(s.process.pid)]
        counted = recording.truth["parent" if name == "first process" else "children"]
        expected = counted["a"] / (counted["a"] + counted["b"])
        units = sum(s.count for s in stacks if {"a_unit", "b_unit"} & set(s.names()))
        measured = share_of(stacks, "a_unit", "b_unit")
        # So far apart are two of the same when so few samples are taken.
        limit = max(limit, 3 * math.sqrt(expected * (1 - expected) / units))
        worst = max(worst, abs(measured - expected))
        parts.append(f"{name} {measured:.2%} of {units:,} samples, counted {expected:.2%}")
    goal = f"within {limit * 100:.1f} points"
    return Row("share of a_unit in the work", "; ".join(parts), goal, worst <= limit)


def judged_rows(recording):
    sources = {name: (TARGETS / name).read_text() for name in ("bench_soak.py", "chains.py")}
    grammar = Grammar(
        {**sources, "<chains>": chains.GENERATED}, list(bench_soak.possible_chains()), "work",
        bootstrap=r"(.*/)?(threading|_weakrefset)\.py",
    )  # fmt: skip
    # The main threads look after the others.
    stacks = [
        stack for stack in recording.stacks
        if stack.frames[:1] and stack.frames[0].function.endswith("_bootstrap")
        or any(f.file.endswith(("chains.py", "<chains>")) and f.function != "<module>" for f in stack.frames)
    ]  # fmt: skip
    verdict = judge(stacks, grammar)
    if verdict.impossible:
        print(verdict.examples, file=sys.stderr)
    sampling = recording.summary["sampling"]
    torn = sampling["torn"] / max(1, sampling["torn"] + sampling["samples"])
    units = sum(stack.count for stack in stacks if "unit" in stack.names())
    measured = f"{verdict.impossible} of {verdict.samples:,} samples of workers, {units:,} of them at work"
    return [
        Row("impossible stacks", measured, "0", verdict.impossible == 0 and units > 0),
        Row("torn samples, dropped", f"{torn:.3%}", f"< {TORN_GOAL:.0%}", torn < TORN_GOAL),
    ]


def seen_row(recording):
    seen, truth = recording.summary, recording.truth
    threads = sum(thread["name"] != "MainThread" for thread in seen["threads"])
    measured = (
        f"{len(seen['processes'])} of {truth['processes']} processes, {threads:,} of {truth['threads']:,} worker "
        "threads that it counts (some before and after the recording)"
    )  # fmt: skip
    return Row("seen", measured)


def cost_row(recording):
    sampling = recording.summary["sampling"]
    late = sampling["late"] / max(1, sampling["late"] + sampling["passes"])
    share = sampling["profiler_cpu_s"] / sampling["duration_s"]
    return Row("CPU", f"{share:.1%} of a core; {late:.2%} late")


def measure(binary, python, minutes, rate, say=print):
    """Rows for one long recording."""
    recording = record(binary, python, minutes * 60, rate, say)
    rows = [memory_row(recording, minutes, rate), growth_row(recording), split_row(recording)]
    return [*rows, *judged_rows(recording), seen_row(recording), cost_row(recording)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default=str(ROOT / "build/release/fthreadprof"))
    parser.add_argument("--python", required=True)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=float, default=1000)
    options = parser.parse_args()

    def say(text):
        print(text, file=sys.stderr, flush=True)

    rows = measure(options.binary, options.python, options.minutes, options.rate, say)
    json.dump(rows, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
