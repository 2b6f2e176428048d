"""Splits equal units of work 7:3 between a_* and b_* and prints the seconds that it gave to each.

split.py plain|generator|asyncio|deep [THREADS]. Threads 0 (default) works in main. The stacks hold
exactly one function a_VARIANT or b_VARIANT (deep: 50 of them) while a unit runs.
"""

import asyncio
import random
import sys
import threading
import time

import target

# In an order without a period, so that no sampling rate can beat with it.
UNITS = list("aaaaaaabbb" * 10)
random.Random(7).shuffle(UNITS)


class Seconds:
    """Wall and CPU seconds of one thread's units."""

    def __init__(self):
        self.wall = {"a": 0.0, "b": 0.0}
        self.cpu = {"a": 0.0, "b": 0.0}

    def add(self, name, unit):
        wall, cpu = time.perf_counter(), time.thread_time()
        unit()
        self.cpu[name] += time.thread_time() - cpu
        self.wall[name] += time.perf_counter() - wall


def spin():
    x = 0
    for i in range(4000):
        x += i * i


def a_plain():
    spin()


def b_plain():
    spin()


def a_generator():
    while True:
        spin()
        yield


def b_generator():
    while True:
        spin()
        yield


def a_deep(n=50):
    if n == 1:
        spin()
    else:
        a_deep(n - 1)


def b_deep(n=50):
    if n == 1:
        spin()
    else:
        b_deep(n - 1)


async def a_asyncio(seconds):
    seconds.add("a", spin)
    await asyncio.sleep(0)


async def b_asyncio(seconds):
    seconds.add("b", spin)
    await asyncio.sleep(0)


async def run_units(seconds):
    while not target.stopped:
        for name in UNITS:
            await (a_asyncio if name == "a" else b_asyncio)(seconds)


async def run_tasks(seconds):
    await asyncio.gather(run_units(seconds), run_units(seconds))


def work(variant, seconds):
    if variant == "asyncio":
        asyncio.run(run_tasks(seconds))
        return
    units = {
        "plain": {"a": a_plain, "b": b_plain},
        "generator": {"a": a_generator().__next__, "b": b_generator().__next__},
        "deep": {"a": a_deep, "b": b_deep},
    }[variant]
    while not target.stopped:
        for name in UNITS:
            seconds.add(name, units[name])


if __name__ == "__main__":
    target.stop_on_sigterm()
    variant, thread_count = sys.argv[1], int(sys.argv[2]) if sys.argv[2:] else 0
    parts = [Seconds() for _ in range(max(thread_count, 1))]
    if thread_count:
        threads = [threading.Thread(target=work, args=(variant, part)) for part in parts]
        for thread in threads:
            thread.start()
        target.ready()
        for thread in threads:
            while thread.is_alive():  # an untimed join would keep SIGTERM's handler waiting
                thread.join(0.1)
    else:
        target.ready()
        work(variant, parts[0])
    target.finish(
        wall={name: sum(part.wall[name] for part in parts) for name in "ab"},
        cpu={name: sum(part.cpu[name] for part in parts) for name in "ab"},
    )
