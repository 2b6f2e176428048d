#!/usr/bin/env python3
"""Ours and other profilers on the same targets in one run: how many passes a second each manages at
most, what it costs, what it does to the target, what it tears.

All take turns on one target. `tools/bench --only peers` runs this and puts the rows into its table; by itself it prints
them as JSON. docs/benchmarks.md says how to read them. Needs `tools/setup --tools`, and for the
interpreters of the Debian root `unshare --mount` around it, for it mounts what they need there.
"""

import argparse
import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import Callable

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGETS = ROOT / "tests" / "targets"
sys.path[:0] = [str(ROOT / "tests/integration"), str(TARGETS)]

import chains  # noqa: E402
import peers  # noqa: E402
from stacks import Grammar, Stack, judge  # noqa: E402

RATES = (100, 1000, 10000)  # Hz
PASS_GOAL, CPU_GOAL = 4, 0.5  # of ours to the best peer's
SETTLE_S, WINDOW_S = 0.9, 0.9  # from start to steady, and how long CPU is counted then
RECORDING_S = 2  # whole seconds: some take no others
PATIENCE_S = 60  # for what a profiler does besides sampling
SLOWDOWN_RATE = 1000


@dataclass(frozen=True)
class Plan:
    top_repetitions: int
    slowdown_pairs: int
    torn_s: int
    rates: tuple = RATES


PLANS = {
    "quick": Plan(top_repetitions=1, slowdown_pairs=2, torn_s=1, rates=(1000,)),
    "default": Plan(top_repetitions=2, slowdown_pairs=5, torn_s=3),
    "full": Plan(top_repetitions=3, slowdown_pairs=6, torn_s=5),
}


def is_spinning(frames):
    return frames[-1].function == "spin" and sum(f.function == "descend" for f in frames) >= 15


def is_recursing(frames):
    return frames[-1].function == "spin" and sum(f.function == "descend" for f in frames) >= 4990


def is_serving(frames):
    return any(frame.function == "serve" for frame in frames)


def is_in_loop(frames):
    return any(frame.function.endswith("run_forever") for frame in frames)  # of a class or not


@dataclass(frozen=True)
class Workload:
    what: str
    program: tuple
    threads: int  # that each pass should see
    is_whole: Callable  # whether a stack is one of those threads, with all of its frames


WORKLOADS = {
    "busy": Workload(
        "2 busy threads 20 deep", ("bench_spin.py", 2, 20), 2, is_spinning
    ),
    "waiting": Workload(
        "300 mostly waiting threads", ("bench_waiting.py", 300), 300, is_serving
    ),
    "recursion": Workload(
        "one thread 5,000 deep", ("bench_spin.py", 1, 5000), 1, is_recursing
    ),
    "asyncio": Workload(
        "asyncio, 100 tasks", ("bench_asyncio.py", 100), 1, is_in_loop
    ),
}  # fmt: skip


def say(text):
    print(f"==> peers: {text}", file=sys.stderr, flush=True)


# --- Where it runs


def mount_in(root, tools):
    """Makes targets, tools and /proc visible inside; ends with our mount namespace."""
    run = lambda *command: subprocess.run(list(map(str, command)), check=True)  # noqa: E731
    run("mount", "-t", "proc", "proc", f"{root}/proc")
    run("mount", "-t", "tmpfs", "tmpfs", f"{root}/mnt")
    for name, source in (("targets", TARGETS), ("tools", tools / "bin")):
        os.mkdir(f"{root}/mnt/{name}")
        run("mount", "--bind", source, f"{root}/mnt/{name}")
    os.mkdir(f"{root}/mnt/output")
    return peers.Place(str(root), "/mnt/targets", "/mnt/tools", "/mnt/output")


def our_place(tools, output):
    return peers.Place("", str(TARGETS), str(tools / "bin"), output)


class Target:
    """A program of tests/targets that runs until the `with` block ends."""

    def __init__(self, python, place, program, *arguments):
        command = place.command(python, f"{place.targets}/{program}", *arguments)
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        if not self._process.stdout.readline().startswith("ready"):
            self._process.kill()
            sys.exit(f"peer_bench: {' '.join(command)} did not start.")
        self.pid = self._process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.communicate()

    def _ask(self):
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def units_per_second(self, seconds):
        """Of bench_count.py."""
        before = self._ask()
        time.sleep(seconds)
        after = self._ask()
        return (after["units"] - before["units"]) / (after["seconds"] - before["seconds"])


# --- One recording


def cpu_seconds(pid):
    """Of all threads so far; threads that ended since are not in it."""
    total = 0
    for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError, ValueError):
            total += int((thread / "schedstat").read_text().split()[0])
    return total / 1e9


@dataclass
class Recording:
    result: peers.Result
    cpu_share: float  # of a core, once it samples
    peak_mib: float
    during: object = None  # what the caller measured meanwhile


def record(profiler, pid, rate, place, seconds=RECORDING_S, during=None):
    """A Recording, or a text that says why there is none."""
    shutil.rmtree(place.outside(place.output))
    os.mkdir(place.outside(place.output))
    command = list(map(str, profiler.command(pid, rate, seconds, place)))
    with tempfile.TemporaryFile("w+") as printed:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=printed, stderr=subprocess.STDOUT
        )
        started = has_started(process, printed, profiler.starts_with)
        time.sleep(SETTLE_S)
        share, meanwhile = None, None
        with contextlib.suppress(OSError):  # it has ended by itself
            before, start = cpu_seconds(process.pid), time.monotonic()
            if during:
                meanwhile = during()
            else:
                time.sleep(WINDOW_S)
            share = (cpu_seconds(process.pid) - before) / (time.monotonic() - start)
        if started:
            time.sleep(max(0, started + seconds - time.monotonic()))
            seconds = time.monotonic() - started
            process.send_signal(signal.SIGINT)
        peak_kib = wait(process)
        printed.seek(0)
        text = printed.read()
    if process.returncode not in profiler.exit_statuses:
        return complaint(text) or f"exit status {process.returncode}"
    try:
        result = profiler.read(place, text, seconds)
    except (OSError, ValueError, KeyError) as error:
        return f"{type(error).__name__}: {error}; {complaint(text)}"
    return Recording(result, share or 0, peak_kib / 1024, meanwhile)


def has_started(process, printed, words):
    """When `process` printed the words; None when it never did, or there are none to wait for."""
    deadline = time.monotonic() + PATIENCE_S
    name = f"/proc/self/fd/{printed.fileno()}"
    while words and time.monotonic() < deadline:
        with open(name) as text:
            if words in text.read():
                return time.monotonic()
        if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return None
        time.sleep(0.005)
    return None


def wait(process):
    """Ends what hangs; the most memory it had, in KiB. What wait4(2) says counts ours before the exec."""
    deadline, peak_kib = time.monotonic() + PATIENCE_S, 0
    while process.poll() is None:
        with contextlib.suppress(OSError):  # it has ended
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            found = re.search(r"VmHWM:\s*(\d+) kB", status)
            peak_kib = max(peak_kib, int(found[1]) if found else 0)
        if time.monotonic() > deadline:
            process.kill()
        time.sleep(0.005)
    return peak_kib


def complaint(text):
    """The line that says most, of what a profiler printed before it failed."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if re.search("error|fail|not |panic", line, re.IGNORECASE)]
    return (errors or lines or [""])[0][:200]


def whole_passes_per_second(recording, workload):
    """By the stacks in its output, of those that a pass should see."""
    stacks = recording.result.stacks.items()
    whole = sum(count for frames, count in stacks if frames and workload.is_whole(frames))
    return whole / workload.threads / recording.result.seconds


# --- Measurements: {profiler's name: figure}, without those that could not do it


def measure_workload(workload, python, place, profilers, plan, order):
    """{rate or "top": {name: (passes a second, share of a core, MiB)}}; the top one has a list for
    the first."""
    figures = {rate: {} for rate in (*plan.rates, "top")}
    runs = [*plan.rates, *["top"] * plan.top_repetitions]
    unable = {}
    with Target(python, place, *workload.program) as target:
        for rate in runs:
            for profiler in order.sample(profilers, len(profilers)):
                name = profiler.name
                if name in unable:
                    continue
                hertz = peers.TOP_RATE if rate == "top" else rate
                recording = record(profiler, target.pid, hertz, place)
                if isinstance(recording, str):
                    unable[name] = recording
                    continue
                passes = whole_passes_per_second(recording, workload)
                if passes == 0:
                    unable[name] = "no stack of its output is whole"
                    continue
                if rate == "top":
                    figures[rate].setdefault(name, []).append(passes)
                else:
                    figures[rate][name] = (passes, recording.cpu_share, recording.peak_mib)
                say(f"{workload.what}, {rate}: {name}: {passes:.0f} whole passes/s, "
                    f"{recording.cpu_share:.1%} of a core")  # fmt: skip
    for name, why in unable.items():
        say(f"{workload.what}: {name} can't: {why}")
    figures["top"] = {name: statistics.median(values) for name, values in figures["top"].items()}
    return figures, unable


def measure_slowdown(python, place, profilers, plan, order):
    """{name: mean share of its work that a busy thread loses}"""
    losses = {profiler.name: [] for profiler in profilers}
    with Target(python, place, "bench_count.py") as target:
        target.units_per_second(WINDOW_S)  # until its bytecode is specialised
        for _ in range(plan.slowdown_pairs):
            for profiler in order.sample(profilers, len(profilers)):
                alone = target.units_per_second(WINDOW_S)
                recording = record(
                    profiler, target.pid, SLOWDOWN_RATE, place,
                    during=lambda: target.units_per_second(WINDOW_S),
                )  # fmt: skip
                if not isinstance(recording, str) and recording.during:
                    losses[profiler.name].append(1 - recording.during / alone)
    return {name: statistics.mean(values) for name, values in losses.items() if values}


def measure_torn(python, place, profilers, plan):
    """{name: (share of impossible stacks in the output, share of samples that it dropped)}"""
    source = (TARGETS / "chains.py").read_text()
    grammar = Grammar(
        {"chains.py": source, "<chains>": chains.GENERATED}, list(chains.possible_chains()), "work",
        bootstrap=r"(.*/)?threading\.py",
    )  # fmt: skip
    torn = {}
    with Target(python, place, "chains.py", 2) as target:
        for profiler in profilers:
            recording = record(profiler, target.pid, 1000, place, seconds=plan.torn_s)
            if isinstance(recording, str):
                say(f"torn: {profiler.name} can't: {recording}")
                continue
            stacks = recording.result.stacks.items()
            # main has no frame of work(), nor of threading's bootstrap
            stacks = [
                Stack(None, frames, count)
                for frames, count in stacks
                if any(f.file.endswith(("threading.py", "chains>")) for f in frames)
                or any(f.function == "work" for f in frames)
            ]
            verdict = judge(stacks, grammar)
            dropped = recording.result.dropped
            if verdict.samples == 0:
                say(f"torn: {profiler.name} saw nothing of work()")
                continue
            torn[profiler.name] = (
                verdict.impossible / verdict.samples, dropped / (dropped + verdict.samples)
            )  # fmt: skip
            say(f"torn: {profiler.name}: {verdict.impossible} impossible and {dropped} dropped of "
                f"{verdict.samples}\n{verdict.examples}")  # fmt: skip
    return torn


# --- Results


def best_peer(figures, ours, better):
    """The best other figure, None when there is none."""
    others = [figure for name, figure in figures.items() if name != ours]
    return better(others) if others else None


def others_text(figures, ours, unable, form):
    parts = [f"{name} {form(figure)}" for name, figure in figures.items() if name != ours]
    parts += [f"{name} can't" for name in unable if name not in figures and name != ours]
    return "; ".join(parts)


def pass_row(workload, figures, unable, ours):
    top = figures["top"]
    best = best_peer(top, ours, max)
    what = f"top pass rate / best peer's, {workload.what}"
    text = f"ours {top.get(ours, 0):,.0f}/s; " + others_text(
        top, ours, unable, lambda passes: f"{passes:,.0f}/s"
    )
    if best is None:
        return [what, f"no peer can ({text})", f">= {PASS_GOAL}", None]
    ratio = top.get(ours, 0) / best
    return [what, f"{ratio:.1f} ({text})", f">= {PASS_GOAL}", ratio >= PASS_GOAL]


def cpu_row(workload, rate, figures, unable, ours):
    """Of what each pass costs: a profiler that is late does less."""
    costs = {name: share / passes for name, (passes, share, _) in figures[rate].items()}
    best = best_peer(costs, ours, min)
    what = f"CPU a pass / best peer's at {rate} Hz, {workload.what}"

    def form(figure):
        return f"{figure[1]:.1%} of a core for {figure[0]:,.0f}/s"

    mine = figures[rate].get(ours)
    text = f"ours {form(mine) if mine else 'nothing'}; " + others_text(
        figures[rate], ours, unable, form
    )
    if best is None or not mine:
        return [what, f"no peer can ({text})", f"<= {CPU_GOAL}", None if mine else False]
    ratio = costs[ours] / best
    return [what, f"{ratio:.2f} ({text})", f"<= {CPU_GOAL}", ratio <= CPU_GOAL]


def memory_row(workload, rate, figures, unable, ours):
    sizes = {name: mib for name, (_, _, mib) in figures[rate].items()}
    best = best_peer(sizes, ours, min)
    what = f"most memory / best peer's, {RECORDING_S} s at {rate} Hz, {workload.what}"
    text = others_text(sizes, ours, unable, lambda mib: f"{mib:.0f} MiB")
    ratio = f"{sizes[ours] / best:.2f}" if best and ours in sizes else "no peer can"
    return [what, f"{ratio} (ours {sizes.get(ours, 0):.0f} MiB; {text})", "", None]


def slowdown_row(losses, ours):
    text = others_text(losses, ours, {}, lambda loss: f"{loss:.1%}")
    what = f"work that one busy thread loses at {SLOWDOWN_RATE} Hz"
    return [what, f"ours {losses.get(ours, 0):.1%}; {text}", "", None]


def torn_row(torn, ours):
    def form(figure):
        return f"{figure[0]:.3%} impossible + {figure[1]:.3%} dropped"

    what = "torn samples, stacks that change all the time, at 1000 Hz"
    running = {n: f for n, f in torn.items() if "stopping" not in n}  # like with like
    best = best_peer(running, ours, lambda figures: min(map(sum, figures)))
    if ours not in torn:
        return [what, "ours saw nothing", "no more than the best peer", False]
    text = f"ours {form(torn[ours])}; {others_text(torn, ours, {}, form)}"
    met = None if best is None else sum(torn[ours]) <= best
    return [what, text, "no more than the best peer that does not stop the target", met]


def find_interpreters(binary):
    """The newest of the two newest versions with the GIL, and the newest free-threaded."""
    listed = subprocess.run([binary, "interpreter", "list", "--json"], check=True, capture_output=True)
    newest = {}
    for entry in json.loads(listed.stdout):
        if entry["flavor"] != "release" or (entry["root"] and os.geteuid() != 0):
            continue
        version = [int(n) for n in re.findall(r"\d+", entry["version"])[:3]]
        key = "free-threaded" if entry["free_threaded"] else tuple(version[:2])
        if key not in newest or version > newest[key][0]:
            newest[key] = (version, entry)
    versions = sorted(key for key in newest if key != "free-threaded")[-2:]
    wanted = [*versions, *(["free-threaded"] if "free-threaded" in newest else [])]
    return [newest[key][1] for key in wanted]


def peers_for(entry, python):
    version = [int(n) for n in re.findall(r"\d+", entry["version"])[:2]]
    found = [peers.PySpy(blocking=False), peers.PySpy(blocking=True), peers.Austin()]
    if version >= [3, 15]:
        found.append(peers.ProfilingSampling(python))
    return found


def able(profilers, python, place):
    """Those that can read this interpreter at all, and why the others can't."""
    workload, works, unable = WORKLOADS["busy"], [], {}
    with Target(python, place, *workload.program) as target:
        for profiler in profilers:
            recording = record(profiler, target.pid, 100, place, seconds=1)
            if isinstance(recording, str):
                unable[profiler.name] = recording
            elif whole_passes_per_second(recording, workload) == 0:
                unable[profiler.name] = "its output has no whole stack"
            else:
                works.append(profiler)
    return works, unable


def title_of(entry, works, unable):
    kind = "free-threaded" if entry["free_threaded"] else "with the GIL"
    refused = "".join(f"; {name} can't read it" for name in unable)
    names = ", ".join(peer.name for peer in works) or "no peer"
    return f"CPython {entry['version']} {kind}, ours beside {names}{refused}"


def measure_interpreter(entry, place, ours, plan):
    """(title, rows, how many peers took part)"""
    order = random.Random(1)
    python = entry["executable"].removeprefix(place.root)
    works, unable = able(peers_for(entry, python), python, place)
    for name, why in unable.items():
        say(f"CPython {entry['version']}: {name} can't: {why}")
    title = title_of(entry, works, unable)
    say(title)
    if not works:
        return title, [], 0
    profilers, name = [ours, *works], ours.name
    # One that stops its target is no match in speed: only for what it does to the target, and tears.
    running = [profiler for profiler in profilers if "stopping" not in profiler.name]
    rows = {"pass": [], "cpu": [], "memory": []}
    for workload in WORKLOADS.values():
        figures, unable = measure_workload(workload, python, place, running, plan, order)
        rows["pass"].append(pass_row(workload, figures, unable, name))
        for rate in plan.rates:
            rows["cpu"].append(cpu_row(workload, rate, figures, unable, name))
        rows["memory"].append(memory_row(workload, 1000, figures, unable, name))
    rest = [
        slowdown_row(measure_slowdown(python, place, profilers, plan, order), name),
        torn_row(measure_torn(python, place, profilers, plan), name),
    ]
    return title, [*rows["pass"], *rows["cpu"], *rest, *rows["memory"]], len(works)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default=str(ROOT / "build/release/fthreadprof"))
    parser.add_argument("--plan", choices=PLANS, default="default")
    parser.add_argument("--python", help="only versions that begin so, as 3.15")
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    parser.add_argument("--tools", type=pathlib.Path, default=f"{cache}/fthreadprof/tools")
    options = parser.parse_args()
    tables, places = [], {}
    with tempfile.TemporaryDirectory() as output:
        places[None] = our_place(options.tools, f"{output}/output")
        os.mkdir(f"{output}/output")
        count = 0
        for entry in find_interpreters(options.binary):
            if options.python and not entry["version"].startswith(options.python):
                continue
            root = entry["root"] or None
            if root not in places:
                places[root] = mount_in(root, options.tools)
            title, rows, able_peers = measure_interpreter(
                entry, places[root], peers.Ours(options.binary), PLANS[options.plan]
            )
            count += able_peers
            tables.append([title, rows])
    if count == 0:
        sys.exit("peer_bench: no other profiler could read any of the interpreters.")
    json.dump(tables, sys.stdout)


if __name__ == "__main__":
    main()
