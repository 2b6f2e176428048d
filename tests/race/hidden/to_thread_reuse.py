# Race: `module parsed`, lost-update: two calls in threads of the loop's pool change it.
# Hidden as long as the first is done before the second is made: one worker runs both.
import asyncio

parsed = 0


def parse(count):
    global parsed
    parsed += count


async def main():
    first = asyncio.create_task(asyncio.to_thread(parse, 1))
    await asyncio.sleep(0.002)  # the next request comes a little later
    await asyncio.gather(first, asyncio.to_thread(parse, 2))


asyncio.run(main())
