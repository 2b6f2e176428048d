import asyncio
import threading


def read(both_run):
    both_run.wait()
    words = 0
    for _ in range(20):
        words += 1
    return words


async def main():
    both_run = threading.Barrier(2)
    words = await asyncio.gather(
        asyncio.to_thread(read, both_run), asyncio.to_thread(read, both_run)
    )
    print(sum(words))


asyncio.run(main())
