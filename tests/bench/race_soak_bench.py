#!/usr/bin/env python3
"""Runs a server of 16 threads under `fthreadprof race` for long and says whether its memory stays flat.

Beside it the same server runs on the uninstrumented interpreter, whose own memory grows a little with the work that
threads do for each other (CPython 3.13.5 free-threaded): what the detector adds to that is what counts.
`tools/bench --only race-soak` runs this and puts the rows into its table; by itself it prints them.
"""

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import time
from collections import namedtuple

import race_bench
from race_bench import ROOT, Row
from soak_bench import SAY_EVERY_S, Look, memory_mib

PROGRAM = ROOT / "tests/targets/bench_race_soak.py"
WARM_UP, LAST = 0.2, 0.9  # of the time: two of ten minutes; behind each, a tenth of it is looked at
GROWTH_GOAL, GOAL_MINUTES = 0.05, 10
LOOK_S = 2

Run = namedtuple("Run", "looks requests threads status")


class Server:
    """One run of the program while the `with` block lasts."""

    def __init__(self, command, seconds):
        self._command = [*map(str, command), str(PROGRAM), str(seconds)]
        self.looks = []

    def __enter__(self):
        self.process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        first = self.process.stdout.readline()
        if not first.startswith("{"):
            self.process.kill()
            sys.exit(f"race_soak_bench: {' '.join(self._command)} did not start.")
        self.pid = json.loads(first)["pid"]
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def look(self, elapsed):
        if memory := memory_mib(self.pid):
            self.looks.append(Look(elapsed, memory[0]))

    def finish(self):
        output, errors = self.process.communicate()
        if not output.startswith("{"):
            sys.exit(f"race_soak_bench: the server failed: {errors}")
        return Run(self.looks, **json.loads(output), status=self.process.returncode)


def run_both(commands, seconds, say):
    """The Run of each command; they run at the same time."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(Server(command, seconds)) for command in commands]
        started, said = time.monotonic(), 0
        while (elapsed := time.monotonic() - started) < seconds:
            for server in servers:
                server.look(elapsed)
            if elapsed - said >= SAY_EVERY_S:
                said = elapsed
                now = " and ".join(f"{server.looks[-1].rss_mib:.1f} MiB" for server in servers)
                say(f"race-soak: {elapsed / 60:.0f} min: {now}")
            time.sleep(LOOK_S)
        return [server.finish() for server in servers]


def rss_behind(run, share):
    """The median in a tenth of the time, so that one look decides nothing."""
    whole = run.looks[-1].seconds
    within = [look.rss_mib for look in run.looks if share <= look.seconds / whole <= share + 0.1]
    return statistics.median(within)


def growth_row(race, plain, minutes):
    (begin, end), (plain_begin, plain_end) = (
        (rss_behind(run, WARM_UP), rss_behind(run, LAST)) for run in (race, plain)
    )
    by_itself = (plain_end - plain_begin) * race.requests / plain.requests
    growth = (end - begin - by_itself) / begin
    measured = (
        f"{growth:+.1%} of {begin:.1f} MiB: {end - begin:+.1f} MiB; uninstrumented, for as many requests, "
        f"{by_itself:+.1f} MiB"
    )
    what = "growth of memory after warm-up, what the detector adds"
    # A shorter time is not behind its warm-up yet.
    met = growth <= GROWTH_GOAL if minutes >= GOAL_MINUTES else None
    return Row(what, measured, f"<= {GROWTH_GOAL:.0%} in {GOAL_MINUTES} min", met)


def measure(binary, minutes, say=print):
    """(title, rows) for one long run."""
    plain_python, _ = race_bench.build(binary), race_bench.build(binary, "--flavor", "race")
    commands = [[binary, "race", "--", sys.executable], [plain_python]]
    race, plain = run_both(commands, minutes * 60, say)
    ratio = rss_behind(race, LAST) / rss_behind(plain, LAST)
    rows = [
        growth_row(race, plain, minutes),
        Row("memory at the end, instrumented / uninstrumented", f"{ratio:.2f}"),
        Row("exit status: no race is reported", str(race.status), "0", race.status == 0),
        Row(
            f"work in {minutes:g} min",
            f"{race.requests:,} requests, {race.threads:,} threads; uninstrumented "
            f"{plain.requests:,} requests, {plain.threads:,} threads",
        ),
    ]
    return f"Race detector for {minutes:g} minutes: 16 threads that share what they keep", rows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default=str(ROOT / "build/release/fthreadprof"))
    parser.add_argument("--minutes", type=float, default=10)
    options = parser.parse_args()

    def say(text):
        print(text, file=sys.stderr, flush=True)

    title, rows = measure(options.binary, options.minutes, say)
    race_bench.print_rows(title, rows)


if __name__ == "__main__":
    main()
