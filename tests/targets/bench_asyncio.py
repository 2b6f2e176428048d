"""An event loop that is always busy: its tasks await coroutines that await others, and work a little.

bench_asyncio.py TASKS
"""

import asyncio
import sys

import target

DEPTH = 8
WORK = 200  # rounds of a loop each time: some microseconds


def work():
    total = 0
    for i in range(WORK):
        total += i * i
    return total


async def step(depth):
    if depth:
        await step(depth - 1)
    else:
        work()
        await asyncio.sleep(0)


async def serve():
    while True:
        await step(DEPTH)


async def main():
    tasks = [asyncio.create_task(serve(), name=f"task-{i}") for i in range(int(sys.argv[1]))]
    target.ready()
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(main())
