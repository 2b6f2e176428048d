"""Works for hours while its threads and processes come and go, and counts its own work.

bench_soak.py: worker threads give 7:3 of their work to a_unit() and b_unit(), and sleep most of the time; each
changes its stack all the time while it works, and lives for some seconds. So do its child processes, which work 3:7.
What it prints when it is stopped: the seconds of both, and how many threads and processes there were.
"""

import json
import random
import subprocess
import sys
import threading
import time

import target
from chains import (
    possible_chains as chains_of_a_turn,
    run_a,
    run_b,
    run_coroutine,
    run_even,
    run_generator,
    run_map,
    run_odd,
    run_reduce,
    run_sorted,
    run_throw,
)

CHILDREN = 2
TURNS = 60  # of a unit: about a millisecond
PAUSE_S = 0.03  # after each unit, on average
THREAD_S, PROCESS_S = 3, 20  # what they live for, on average
LOOK_S = 0.05
UNITS = {"parent": "aabaabaaba", "child": "bbabbabbab"}
THREADS = {"parent": 3, "child": 2}


def turn(n):
    run_a(n)
    run_b(n + 3)
    run_even(n)
    run_odd(n)
    run_generator(n)
    run_coroutine(n)
    run_sorted(n)
    run_map(n)
    run_reduce(n)
    run_throw(n)


def unit(n):
    for i in range(TURNS):
        turn(n + i * 7)


def a_unit(n):
    unit(n)


def b_unit(n):
    unit(n)


def work(units, own, ends, seconds):
    n = 0
    while time.monotonic() < ends and not target.stopped:
        n += 1
        begin = time.perf_counter()
        if units[n % len(units)] == "a":
            a_unit(n)
            seconds["a"] += time.perf_counter() - begin
        else:
            b_unit(n)
            seconds["b"] += time.perf_counter() - begin
        time.sleep(own.random() * 2 * PAUSE_S)


def possible_chains():
    """Every possible stack of a worker is a prefix of one of these, from work() inwards."""
    for name in ("a_unit", "b_unit"):
        for chain in chains_of_a_turn():
            yield ["work", name, "unit", "turn", *chain[1:]]


class Count:
    """Seconds of the work that is done, and who did it."""

    def __init__(self):
        self.seconds = {"a": 0.0, "b": 0.0}
        self.threads = self.processes = 0

    def add(self, seconds):
        for name in self.seconds:
            self.seconds[name] += seconds[name]


class Workers:
    """Keeps a number of threads at work, each for its time."""

    def __init__(self, role, order, count):
        self._role, self._order, self._count = role, order, count
        self._running = []

    def keep_up(self):
        self._collect([entry for entry in self._running if not entry[0].is_alive()])
        while len(self._running) < THREADS[self._role]:
            seconds = {"a": 0.0, "b": 0.0}
            own = random.Random(self._order.random())
            ends = time.monotonic() + self._order.expovariate(1 / THREAD_S)
            thread = threading.Thread(target=work, args=(UNITS[self._role], own, ends, seconds))
            thread.start()
            self._count.threads += 1
            self._running.append((thread, seconds))

    def finish(self):
        self._collect(list(self._running))

    def _collect(self, entries):
        for thread, seconds in entries:
            thread.join()
            self._count.add(seconds)
            self._running.remove((thread, seconds))


class Children:
    """Keeps a number of processes at work, each for its time."""

    def __init__(self, order, count):
        self._order, self._count, self._running = order, count, []

    def keep_up(self):
        self._collect([child for child in self._running if child.poll() is not None])
        while len(self._running) < CHILDREN:
            seconds = self._order.expovariate(1 / PROCESS_S)
            command = [sys.executable, __file__, "child", str(seconds)]
            self._running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
            self._count.processes += 1

    def finish(self):
        for child in self._running:
            child.terminate()
        self._collect(list(self._running))

    def _collect(self, children):
        for child in children:
            output = child.communicate()[0].splitlines()
            self._running.remove(child)
            if len(output) == 2:  # one that was stopped as it started has nothing to say
                truth = json.loads(output[1])
                self._count.add(truth["seconds"])
                self._count.threads += truth["threads"]


def run_child(seconds):
    count = Count()
    workers = Workers("child", random.Random(), count)
    ends = time.monotonic() + seconds
    target.ready()
    while time.monotonic() < ends and not target.stopped:
        workers.keep_up()
        time.sleep(LOOK_S)
    target.stopped = True
    workers.finish()
    target.finish(seconds=count.seconds, threads=count.threads)


def run_parent():
    own, theirs = Count(), Count()
    workers = Workers("parent", random.Random(), own)
    children = Children(random.Random(), theirs)
    target.ready()
    while not target.stopped:
        workers.keep_up()
        children.keep_up()
        time.sleep(LOOK_S)
    workers.finish()
    children.finish()
    target.finish(
        parent=own.seconds,
        children=theirs.seconds,
        threads=own.threads + theirs.threads,
        processes=1 + theirs.processes,
    )


if __name__ == "__main__":
    target.stop_on_sigterm()
    if sys.argv[1:2] == ["child"]:
        run_child(float(sys.argv[2]))
    else:
        run_parent()
