# expect: lost-update Index.words
# racy-twin-of: edge_to_thread
import asyncio
import threading


class Index:
    def __init__(self):
        self.words = 0


def read(index, both_run):
    both_run.wait()
    for _ in range(20):
        index.words += 1


async def main():
    index = Index()
    both_run = threading.Barrier(2)
    await asyncio.gather(
        asyncio.to_thread(read, index, both_run), asyncio.to_thread(read, index, both_run)
    )
    print(index.words > 0)


asyncio.run(main())
