# An event loop in each thread.
import asyncio
import threading


async def tick(results, number):
    for step in range(5):
        results.append(number * step)
        await asyncio.sleep(0)


async def consume(items, seen):
    while (item := await items.get()) is not None:
        seen.append(item)


async def main():
    results, seen, items = [], [], asyncio.Queue()
    await asyncio.gather(*(tick(results, number) for number in range(5)))
    consumer = asyncio.create_task(consume(items, seen))
    for number in range(5):
        await items.put(number)
    await items.put(None)
    await consumer
    async with asyncio.Lock():
        await asyncio.wait_for(asyncio.sleep(0), 5)


def work():
    asyncio.run(main())


threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
