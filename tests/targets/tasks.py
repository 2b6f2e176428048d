"""Asyncio tasks that wait in all ways that a profiler must see through. Says for each, by name, the
functions that it is suspended in, outermost first, with their lines, and the task that awaits it.

tasks.py [SECONDS]: ends after so long."""

import asyncio
import inspect
import math
import sys
import threading
import time

import target


async def waits(future):
    await future


async def calls(future):
    await waits(future)


async def generates(future):
    yield 1
    await calls(future)
    yield 2


async def iterates(future):
    async for _ in generates(future):
        pass


class Awaitable:
    def __init__(self, future):
        self.future = future

    def __await__(self):
        yield from calls(self.future).__await__()


async def awaits_object(future):
    await Awaitable(future)


async def gathers(future):
    await asyncio.gather(waits(future), named(calls(future), "gathered"))


async def groups(future):
    async with asyncio.TaskGroup() as group:
        group.create_task(waits(future), name="in the group")


async def awaits_task(future):
    await named(waits(future), "child")


async def spins():
    end = time.monotonic() + float(sys.argv[1]) if sys.argv[1:] else math.inf
    while time.monotonic() < end:
        for _ in range(200):
            pass
        await asyncio.sleep(0)


def named(coroutine, name):
    return asyncio.get_running_loop().create_task(coroutine, name=name)


def place(function, text):
    lines, first = inspect.getsourcelines(function)
    line = next(i for i, line in enumerate(lines) if i > 0 and text in line)
    return [function.__qualname__, first + line]


WAITS = place(waits, "await")
CALLS = [place(calls, "await"), WAITS]
# By name; TaskGroup and gather wait in Python code of their own.
EXPECTED = {
    "simple": {"frames": [WAITS], "awaiter": None},
    "calling": {"frames": CALLS, "awaiter": None},
    "a generator": {
        "frames": [place(iterates, "async for"), place(generates, "await"), *CALLS],
        "awaiter": None,
    },
    "an object": {
        "frames": [place(awaits_object, "await"), place(Awaitable.__await__, "yield"), *CALLS],
        "awaiter": None,
    },
    "gathered": {"frames": CALLS, "awaiter": "gathering", "by_gather": True},
    "in the group": {"frames": [WAITS], "awaiter": "grouping", "by_gather": True},
    "child": {"frames": [WAITS], "awaiter": "parent"},
    "jürgen; a & b": {"frames": [WAITS], "awaiter": None},
    "elsewhere": {"frames": [WAITS], "awaiter": "renamed"},
}


async def run_elsewhere(started):
    asyncio.current_task().set_name("renamed")
    task = named(waits(asyncio.get_running_loop().create_future()), "elsewhere")
    await asyncio.sleep(0)
    started.set()
    await task


async def main():
    started = threading.Event()
    thread = threading.Thread(
        target=lambda: asyncio.run(run_elsewhere(started)), name="second loop", daemon=True
    )
    thread.start()
    started.wait()
    future = asyncio.get_running_loop().create_future()
    tasks = [
        named(waits(future), "simple"),
        named(calls(future), "calling"),
        named(iterates(future), "a generator"),
        named(awaits_object(future), "an object"),
        named(gathers(future), "gathering"),
        named(groups(future), "grouping"),
        named(awaits_task(future), "parent"),
        named(waits(future), "jürgen; a & b"),
        asyncio.create_task(waits(future)),
    ]
    for _ in range(5):
        await asyncio.sleep(0)
    target.ready(tasks=EXPECTED, unnamed=tasks[-1].get_name())
    await spins()
    future.set_result(None)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(main())
